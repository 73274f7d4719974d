//! Every variant of every error is named by a test, read from the source: what can go wrong has been seen going wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::house::layering::sources;

/// Enums that are no errors themselves and decide what is said of one: the class of a failure, what a person can do.
const DECIDING: [&str; 2] = ["Class", "Hint"];
/// Variants that no test can bring about, each with the reason. One that is tested all the same must not stay here.
const OUT_OF_REACH: [(&str, &str); 0] = [];

/// An enum and the modules it lies in.
#[derive(Debug)]
struct Errors {
    modules: Vec<String>,
    name: String,
    variants: Vec<String>,
}

impl Errors {
    /// Whether a path written somewhere may mean this enum: it ends with its name, and names no module it is not in.
    fn is_meant_by(&self, path: &[String]) -> bool {
        let (name, modules) = path.split_last().expect("a path has an end");
        *name == self.name && modules.iter().all(|module| self.modules.contains(module))
    }

    fn title(&self, variant: &str) -> String {
        format!("{}::{}::{variant}", self.modules.join("::"), self.name)
    }
}

/// A file's code, and what is in it for tests alone.
struct Text {
    modules: Vec<String>,
    in_src: bool,
    code: String,
    tests: String,
}

fn files() -> Vec<Text> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let path = path.strip_prefix(root).expect("below the root").with_extension("");
        let modules: Vec<String> = path.iter().map(|part| part.to_str().expect("a name").to_owned()).collect();
        let in_src = modules[0] == "src";
        // The server of the tests has errors of its own.
        if modules[1] == "sandbox" || modules[1] == "fuzz" || modules.ends_with(&["error_variants".into()]) {
            continue;
        }
        let for_tests = |module: &String| module == "testing" || module == "tests" || module.ends_with("_tests");
        let text = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let (code, tests) = match text.split_once("#[cfg(test)]\nmod tests {") {
            _ if modules.iter().any(for_tests) => (String::new(), text),
            Some((code, tests)) => (code.to_owned(), tests.to_owned()),
            None => (text, String::new()),
        };
        let modules = modules.into_iter().skip(1).filter(|module| module != "mod").collect();
        files.push(Text { modules, in_src, code, tests });
    }
    files
}

/// The enums of a text that derive `thiserror::Error`, and those whose names are given.
fn errors(modules: &[String], code: &str, also: &[&str]) -> Vec<Errors> {
    let mut found = Vec::new();
    let mut derives = false;
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("#[derive(") {
            derives = line.contains("thiserror::Error");
        }
        let name = line.split_once("enum ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
        let Some((_, name)) = name else {
            derives &= !line.starts_with('}');
            continue;
        };
        let name = name.trim_end_matches(" {").to_owned();
        // The formatter sets a variant in by four, and what belongs to it deeper.
        let body =
            lines.by_ref().take_while(|line| !line.starts_with('}')).filter_map(|line| line.strip_prefix("    "));
        let variants: Vec<String> = body
            .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
            .map(|line| line.chars().take_while(|c| c.is_alphanumeric()).collect())
            .collect();
        if std::mem::take(&mut derives) || also.contains(&name.as_str()) {
            found.push(Errors { modules: modules.to_vec(), name, variants });
        }
    }
    found
}

/// The paths that begin or go on at `text`, each as its names; what leads out of a module is left out.
fn path_at(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let names = text[..end].split("::").map(str::to_owned);
    names.filter(|name| !["", "crate", "elysiactl", "self", "super"].contains(&name.as_str())).collect()
}

/// What the `use` lines of a text call what: the last name, or the one behind `as`, and the path it stands for.
fn used(text: &str) -> Vec<(String, Vec<String>)> {
    fn spread(before: &[String], tree: &str, found: &mut Vec<(String, Vec<String>)>) {
        let (mut depth, mut from) = (0_i32, 0);
        let mut branches = Vec::new();
        for (at, character) in tree.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    branches.push(&tree[from..at]);
                    from = at + 1;
                }
                _ => {}
            }
        }
        branches.push(&tree[from..]);
        for branch in branches.into_iter().map(str::trim).filter(|branch| !branch.is_empty()) {
            let (path, rest) = branch.split_once('{').unwrap_or((branch, ""));
            let (path, alias) = path.split_once(" as ").unwrap_or((path, ""));
            let path: Vec<String> = before.iter().cloned().chain(path_at(path.trim())).collect();
            if branch.contains('{') {
                spread(&path, rest.rsplit_once('}').map_or(rest, |(inside, _)| inside), found);
            } else if let Some(last) = path.last() {
                found.push((if alias.is_empty() { last.clone() } else { alias.trim().to_owned() }, path));
            }
        }
    }
    let mut found = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let begins = text[..at].rsplit('\n').next().unwrap_or("").trim();
        if let (true, Some((tree, _))) =
            (begins.is_empty() || begins.starts_with("pub"), text[at + 4..].split_once(';'))
        {
            spread(&[], tree, &mut found);
        }
    }
    found
}

/// Every path of two names or more in a text, and the paths of its `use` lines.
fn paths(text: &str) -> BTreeSet<Vec<String>> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c: char| !is_name(c)).filter(|word| word.contains("::"));
    words.map(path_at).filter(|path| path.len() > 1).chain(used(text).into_iter().map(|(_, path)| path)).collect()
}

/// What a text calls what, with what it takes over from the file above it.
fn renamed(text: &Text, files: &[Text]) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<_> = used(&text.code).into_iter().chain(used(&text.tests)).collect();
    if [&text.code, &text.tests].iter().any(|part| part.contains("use super::*;")) {
        let above = &text.modules[..text.modules.len() - 1];
        let above = files.iter().filter(|other| other.in_src == text.in_src && other.modules == above);
        found.extend(above.flat_map(|other| renamed(other, files)));
    }
    found
}

/// The variants that the tests of one text name, by the places of their enums.
fn named(text: &Text, files: &[Text], enums: &[Errors]) -> BTreeSet<(usize, String)> {
    let renamed = renamed(text, files);
    let tests = if text.in_src { text.tests.clone() } else { format!("{}\n{}", text.code, text.tests) };
    let mut found = BTreeSet::new();
    for mut path in paths(&tests) {
        let Some(variant) = path.pop() else { continue };
        let Some((first, rest)) = path.split_first() else { continue };
        // A name may stand for one thing in one function, and for another in the next.
        let mut whole: Vec<Vec<String>> = renamed
            .iter()
            .filter(|(name, _)| name == first)
            .map(|(_, path)| path.iter().chain(rest).cloned().collect())
            .collect();
        if whole.is_empty() {
            whole.push(path.clone());
        }
        let has = |errors: &Errors| errors.variants.contains(&variant);
        let is_meant = |errors: &Errors| has(errors) && whole.iter().any(|path| errors.is_meant_by(path));
        let mut meant: Vec<usize> = (0..enums.len()).filter(|at| is_meant(&enums[*at])).collect();
        if text.in_src {
            // Beside the code a name that is not told apart otherwise means the enum nearest to it.
            let shared = |at: &usize| enums[*at].modules.iter().zip(&text.modules).take_while(|(a, b)| a == b).count();
            let nearest = meant.iter().map(shared).max();
            meant.retain(|at| Some(shared(at)) == nearest);
        }
        if let [one] = meant.as_slice() {
            found.insert((*one, variant));
        }
    }
    found
}

fn all_errors(files: &[Text]) -> Vec<Errors> {
    files.iter().filter(|text| text.in_src).flat_map(|text| errors(&text.modules, &text.code, &DECIDING)).collect()
}

/// What is wrong: variants that no test names, and a list of exceptions that does not hold.
fn complaints(enums: &[Errors], tested: &BTreeSet<(usize, String)>, out_of_reach: &[(&str, &str)]) -> Vec<String> {
    let variants = enums.iter().enumerate().flat_map(|(at, e)| e.variants.iter().map(move |variant| (at, e, variant)));
    let is_tested: BTreeMap<String, bool> =
        variants.map(|(at, e, variant)| (e.title(variant), tested.contains(&(at, variant.clone())))).collect();
    let is_listed = |title: &str| out_of_reach.iter().any(|(listed, _)| *listed == title);
    let untested = is_tested.iter().filter(|(title, tested)| !**tested && !is_listed(title));
    let listed = out_of_reach.iter().filter_map(|(title, _)| match is_tested.get(*title) {
        Some(true) => Some(format!("{title} is tested, and listed as out of reach")),
        Some(false) => None,
        None => Some(format!("{title} is listed as out of reach, and is no variant")),
    });
    untested.map(|(title, _)| format!("no test names {title}")).chain(listed).collect()
}

#[test]
fn every_variant_of_an_error_is_named_by_a_test() {
    let files = files();
    let enums = all_errors(&files);
    let tested = files.iter().flat_map(|text| named(text, &files, &enums)).collect();
    let complaints = complaints(&enums, &tested, &OUT_OF_REACH);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn what_no_test_names_is_told_and_so_is_an_exception_that_is_none() {
    let (modules, name) = (vec!["disk".to_owned()], "Error".to_owned());
    let enums = [Errors { modules, name, variants: ["A", "B", "C"].map(str::to_owned).to_vec() }];
    let tested = BTreeSet::from([(0, "A".to_owned())]);
    let told = |listed: &[(&str, &str)]| complaints(&enums, &tested, listed);
    assert_eq!(told(&[]), ["no test names disk::Error::B", "no test names disk::Error::C"]);
    assert!(told(&[("disk::Error::B", "why"), ("disk::Error::C", "why")]).is_empty());
    let wrong = told(&[("disk::Error::A", ""), ("disk::Error::B", ""), ("disk::Error::C", ""), ("disk::Error::D", "")]);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].contains("A is tested") && wrong[1].contains("D is listed"), "{wrong:?}");
}

#[test]
fn the_reader_finds_every_enum_that_is_an_error() {
    let files = files();
    let enums = all_errors(&files);
    for (path, variant) in [
        ("model::schema::SchemaError", "Json"),
        ("weaviate::error::Error", "Exhausted"),
        ("archive::error::Error", "Broken"),
        ("archive::error::Broken", "Manifest"),
        ("archive::error::Damage", "JournalOrder"),
        ("pipeline::split::SplitError", "TooMany"),
        ("pipeline::scan::Error", "SinkGone"),
        ("pipeline::load::Error", "Stopped"),
        ("pipeline::import::Error", "SinkGone"),
        ("pipeline::compare::stage::Error", "Live"),
        ("pipeline::activation::Error", "Journal"),
        ("pipeline::journal::Error", "Thread"),
        ("ops::cat::CatError", "Output"),
        ("ops::error::Error", "Stage"),
        ("ops::refusal::restore::RestoreRefusal", "NoRoles"),
        ("ops::refusal::clear::ClearRefusal", "ReadOnly"),
        ("event::class::Class", "ReaderGone"),
        ("ops::error::hints::Hint", "Report"),
    ] {
        let title = format!("{path}::{variant}");
        assert!(enums.iter().any(|e| e.variants.iter().any(|v| e.title(v) == title)), "{title} is not found");
    }
    // None is overlooked for the way it is written: whatever derives the trait is an enum found or a struct.
    let code = || files.iter().filter(|text| text.in_src).map(|text| text.code.as_str());
    let derived: usize = code().map(|code| code.matches("thiserror::Error)]").count()).sum();
    let is_struct = |rest: &&str| {
        let mut lines = rest.lines().skip(1).filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        lines.next().is_some_and(|line| line.contains("struct "))
    };
    let structs = code().flat_map(|code| code.split("thiserror::Error)]").skip(1)).filter(is_struct).count();
    assert_eq!(derived, structs + enums.len() - DECIDING.len());
}

#[test]
fn the_reader_finds_variants_and_tells_enums_of_one_name_apart() {
    let modules = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    let one = "#[derive(Debug, thiserror::Error)]\npub enum Error {\n    #[error(\"a\")]\n    A,\n    B(u8),\n    C {\n        d: E,\n    },\n}";
    let mut enums = errors(&modules("wire::error"), one, &[]);
    assert_eq!(enums[0].variants, ["A", "B", "C"]);
    enums.extend(errors(&modules("disk::error"), one, &[]));
    assert!(errors(&modules("disk::op"), "#[derive(Debug)]\nenum Op {\n    A,\n}", &[]).is_empty());
    assert_eq!(errors(&modules("disk::op"), "enum Op {\n    A,\n}", &["Op"]).len(), 1);

    let above = Text {
        modules: modules("it::y"),
        in_src: false,
        code: "use elysiactl::disk::Error;".into(),
        tests: String::new(),
    };
    let all = [above];
    let names = |place: &str, in_src: bool, tests: &str| {
        let text = Text { modules: modules(place), in_src, code: String::new(), tests: tests.into() };
        named(&text, &all, &enums).into_iter().map(|(at, v)| enums[at].title(&v)).collect::<Vec<_>>()
    };
    assert_eq!(
        names("it::x", false, "use elysiactl::{x, wire::{Error as W, Y}};\nW::A { .. }"),
        ["wire::error::Error::A"]
    );
    assert_eq!(names("it::x", false, "use elysiactl::disk::Error;\nError::B(1)"), ["disk::error::Error::B"]);
    assert_eq!(
        names("it::x", false, "disk::Error::A, wire::Error::C"),
        ["wire::error::Error::C", "disk::error::Error::A"]
    );
    assert_eq!(names("it::x", false, "use crate::disk::Error::{A, C};").len(), 2);
    assert_eq!(names("it::y::z", false, "use super::*;\nError::C"), ["disk::error::Error::C"]);
    let both = "fn f() { use elysiactl::wire::Error as E;\nE::A }\nfn g() { use elysiactl::disk::Error as E;\nE::A }";
    assert!(names("it::x", false, both).is_empty(), "one of them, and nobody knows which");
    // Which of the two is meant cannot be told.
    assert!(names("it::x", false, "Error::A").is_empty());
    assert_eq!(names("disk::part::tests", true, "Error::A"), ["disk::error::Error::A"]);
    assert!(names("disk::part", true, "other::Error::A, Error::Unknown, Other::A").is_empty());
}
