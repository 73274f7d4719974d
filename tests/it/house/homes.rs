//! Where things live: who imports whom, types of one name, long files. What still offends is listed by name; a list may
//! only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::layering::sources;

/// Modules that import each other in a circle.
const IN_CIRCLES: &[&str] = &[];
/// Types of `ops` of which another has the name too.
const TYPES_THAT_SHARE_A_NAME: &[&str] = &[];
/// Files above [`LINES_OF_A_FILE`].
const LONG_FILES: &[&str] = &[];
const LINES_OF_A_FILE: usize = 500;

/// Module paths below the crate, without `crate`: `ops::restore::plan`.
type Modules = BTreeMap<String, Module>;
type Names = Vec<String>;

/// What a file says of others.
#[derive(Default)]
struct Module {
    /// What its `use` lines bring in: the local name, the whole path, and whether others can reach it through this one.
    uses: Vec<(String, Names, bool)>,
    /// Paths in the code, as they stand there.
    paths: Vec<Names>,
}

/// Code without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Names and marks; `::` is one.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !token.trim().is_empty() {
            found.push(token);
        }
        rest = after;
    }
    found
}

/// The paths of a tree of `use`, each with the name that it has here.
fn tree(prefix: &[String], tokens: &mut std::slice::Iter<'_, &str>, found: &mut Vec<(String, Names)>) {
    let mut path = prefix.to_vec();
    let mut renamed = None;
    let close = |path: &mut Names, renamed: &mut Option<String>, found: &mut Vec<(String, Names)>| {
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        if path.len() > prefix.len() || renamed.is_some() || (path.len() == prefix.len() && !path.is_empty()) {
            let local = renamed.take().or_else(|| path.last().cloned()).unwrap_or_default();
            found.push((local, std::mem::replace(path, prefix.to_vec())));
        }
    };
    let mut is_open = false;
    while let Some(token) = tokens.next() {
        match *token {
            "{" => {
                tree(&path, tokens, found);
                path = prefix.to_vec();
                is_open = false;
            }
            "," if is_open => {
                close(&mut path, &mut renamed, found);
                is_open = false;
            }
            "::" | "," => {}
            "}" | ";" => break,
            "as" => renamed = tokens.next().map(|name| (*name).to_owned()),
            name => {
                path.push(name.to_owned());
                is_open = true;
            }
        }
    }
    if is_open {
        close(&mut path, &mut renamed, found);
    }
}

fn read(text: &str) -> Module {
    let code = code(text);
    let tokens = tokens(&code);
    let mut module = Module::default();
    let mut at = 0;
    while at < tokens.len() {
        let is_path = tokens.get(at + 1) == Some(&"::") && (at == 0 || tokens[at - 1] != "::");
        if tokens[at] == "use" && tokens.get(at + 1).is_none_or(|next| *next != "<") {
            let length = tokens[at..].iter().position(|token| *token == ";").unwrap_or(tokens.len() - at - 1);
            let is_public = at > 0 && (tokens[at - 1] == "pub" || tokens[at - 1] == ")");
            let mut found = Vec::new();
            tree(&[], &mut tokens[at + 1..=at + length].iter(), &mut found);
            module.uses.extend(found.into_iter().map(|(local, path)| (local, path, is_public)));
            at += length;
        } else if is_path {
            let mut path = vec![tokens[at].to_owned()];
            while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|next| next.as_bytes()[0] != b'<')
            {
                path.push(tokens[at + 2].to_owned());
                at += 2;
            }
            module.paths.push(path);
        }
        at += 1;
    }
    module
}

/// Every module of src but those of tests.
fn modules() -> Modules {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Modules::new();
    for (path, text) in sources("src") {
        let below = path.strip_prefix(&root).expect("below src").with_extension("");
        let mut names: Names = below.iter().map(|name| name.to_str().expect("a name").to_owned()).collect();
        names.pop_if(|last| last == "mod");
        let is_left_out = |name: &String| ["lib", "main", "tests", "testing"].contains(&name.as_str());
        if !names.iter().any(is_left_out) {
            found.insert(names.join("::"), read(&text));
        }
    }
    found
}

/// A path of this module, from the root of the crate; `None` if it leads out of it.
fn whole(modules: &Modules, module: &str, path: &[String]) -> Option<Names> {
    let mut base: Names = module.split("::").map(str::to_owned).collect();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([&base, &path[1..]].concat()),
        "super" => {
            let up = path.iter().take_while(|name| *name == "super").count();
            base.truncate(base.len().checked_sub(up)?);
            Some([&base, &path[up..]].concat())
        }
        child => modules.contains_key(&format!("{module}::{child}")).then(|| [&base, path].concat()),
    }
}

/// The module in which that is defined which a path of the crate leads to.
fn home(modules: &Modules, path: &[String], hops: usize) -> Option<String> {
    for length in (1..=path.len()).rev() {
        let module = path[..length].join("::");
        let Some(found) = modules.get(&module) else { continue };
        let passed_on = path.get(length).and_then(|name| {
            let used = found.uses.iter().find(|(local, _, is_public)| *is_public && local == name)?;
            let further = [&whole(modules, &module, &used.1)?, &path[length + 1..]].concat();
            (hops > 0).then(|| home(modules, &further, hops - 1))?
        });
        return passed_on.or(Some(module));
    }
    None
}

/// Which modules each one uses. What lies below a module, or above it, is one idea with it and left out.
fn graph(modules: &Modules) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut graph = BTreeMap::new();
    for (name, module) in modules {
        let imported = module.uses.iter().map(|(_, path, _)| path.clone());
        let in_code = module.paths.iter().map(|path| {
            let used = module.uses.iter().find(|(local, _, _)| *local == path[0]);
            used.map_or_else(|| path.clone(), |(_, whole, _)| [&whole[..], &path[1..]].concat())
        });
        let homes = imported.chain(in_code).filter_map(|path| home(modules, &whole(modules, name, &path)?, 6));
        let is_family = |other: &String| {
            let below =
                |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
            below(name, other) || below(other, name)
        };
        let others: BTreeSet<String> = homes.filter(|home| !is_family(home)).collect();
        let others = others.iter().filter_map(|other| modules.get_key_value(other)).map(|(other, _)| other.as_str());
        graph.insert(name.as_str(), others.collect());
    }
    graph
}

/// What can be reached from each that can be reached itself from there: the circles.
fn circles(graph: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<BTreeSet<String>> {
    let reached = |from| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            next.extend(graph.get(module).into_iter().flatten().filter(|other| seen.insert(**other)));
        }
        seen
    };
    let all: BTreeMap<&str, BTreeSet<&str>> = graph.keys().map(|module| (*module, reached(module))).collect();
    let mut found = BTreeSet::new();
    for (module, others) in all.iter().filter(|(module, others)| others.contains(*module)) {
        let back = others.iter().filter(|other| all.get(*other).is_some_and(|seen| seen.contains(module)));
        found.insert(back.map(|other| (*other).to_owned()).collect());
    }
    found.into_iter().collect()
}

/// The names behind `struct`, `enum`, `type` and `trait`, at the top of a file.
fn types(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in code(text).lines().filter(|line| !line.starts_with(' ')) {
        let tokens = tokens(line);
        let at = tokens.iter().position(|token| ["struct", "enum", "type", "trait"].contains(token));
        let before = at.map_or(&[][..], |at| &tokens[..at]);
        if before.iter().all(|token| ["pub", "(", ")", "crate", "super", "in", "ops", "::"].contains(token)) {
            found.extend(at.and_then(|at| tokens.get(at + 1)).map(|name| (*name).to_owned()));
        }
    }
    found
}

/// Fails unless what is found is what is listed.
fn hold(what: &str, found: &BTreeSet<String>, listed: &[&str]) {
    let listed: BTreeSet<String> = listed.iter().map(|name| (*name).to_owned()).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(found).collect();
    assert!(new.is_empty(), "{what}\nnew: {new:#?}");
    assert!(gone.is_empty(), "{what}\nthese offend no more, take them off the list: {gone:#?}");
}

#[test]
fn the_reader_of_paths_finds_them_where_they_are_defined() {
    let text = |module: &str| match module {
        "ops" => "pub use error::Error;\nmod error;",
        "ops::error" => "use crate::ops::a::{self, b::B as C};\nfn f() { a::thing() }",
        "ops::a" => "pub(super) use self::b::thing;\n#[cfg(test)]\nmod tests { use crate::model; }",
        "ops::a::b" => "use super::super::Error;\n// crate::model\nfn g() -> crate::model::X {}",
        _ => "",
    };
    let names = ["model", "ops", "ops::a", "ops::a::b", "ops::error"];
    let modules: Modules = names.iter().map(|name| ((*name).to_owned(), read(text(name)))).collect();
    let graph = graph(&modules);
    let of = |name: &str| graph[name].iter().copied().collect::<Vec<_>>();
    assert_eq!(of("ops::error"), ["ops::a", "ops::a::b"]);
    assert_eq!(of("ops::a"), [""; 0]);
    assert_eq!(of("ops::a::b"), ["model", "ops::error"]);
    let circle: BTreeSet<String> = ["ops::a::b", "ops::error"].map(str::to_owned).into();
    assert_eq!(circles(&graph), [circle]);
    assert_eq!(types("pub(in crate::ops) struct A;\n    enum B {}\ntype C = A;\nimpl A { type D; }"), ["A", "C"]);
}

#[test]
fn no_modules_import_each_other_but_parent_and_child() {
    let modules = modules();
    assert!(modules.len() > 300, "found only {}", modules.len());
    let circles = circles(&graph(&modules));
    let what = format!("modules import each other in a circle: {circles:#?}");
    hold(&what, &circles.into_iter().flatten().collect(), IN_CIRCLES);
}

#[test]
fn a_type_of_the_operations_has_a_name_of_its_own() {
    let all: Vec<String> = sources("src/ops").iter().flat_map(|(_, text)| types(text)).collect();
    assert!(all.len() > 150, "found only {}", all.len());
    let mut once = BTreeSet::new();
    let twice = all.into_iter().filter(|name| !once.insert(name.clone())).collect();
    hold("types of ops share a name", &twice, TYPES_THAT_SHARE_A_NAME);
}

#[test]
fn files_are_short() {
    let root = env!("CARGO_MANIFEST_DIR");
    let all = sources("src").into_iter().chain(sources("tests"));
    let long = all.filter(|(_, text)| text.lines().count() > LINES_OF_A_FILE);
    let name = |path: &Path| path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
    let long = long.map(|(path, _)| name(&path)).collect();
    hold("files are too long", &long, LONG_FILES);
}
