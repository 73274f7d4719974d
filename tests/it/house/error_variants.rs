//! Every variant of every error is seen by a test, read from the source: what can go wrong has been seen going wrong. A
//! test sees a variant where it looks at what something else produced; one that it makes itself proves nothing.

mod seen;

use std::collections::{BTreeMap, BTreeSet};

use self::seen::{Deed, deeds, without_literals};
use crate::house::layering::sources;

/// Enums that are no errors themselves and decide what is said of one: the class of a failure, what a person can do.
const DECIDING: [&str; 2] = ["Class", "Hint"];
/// Names in a path that tell no enum from another.
const OUTSIDE: [&str; 5] = ["", "crate", "elysiactl", "self", "super"];
/// Variants that are brought about by a test that cannot look at them: another process had them, or a layer that passes
/// them on under another name, or in words. Each with that test, and the words it looks for if it sees words alone. One that
/// is seen all the same must not stay here.
const SEEN_AS_ANOTHER: [(&str, &str, &str); 23] = [
    // A process without certificates: its words.
    (
        "weaviate::error::Error::Setup",
        "a_machine_without_certificates_speaks_plain_http_and_is_told_what_https_needs",
        "",
    ),
    // `ops::Error::Scan`, `Damaged`, `Wire` and `Stage`: `ops` takes a comparison's errors apart at once.
    ("pipeline::compare::error::Error::Right", "a_node_that_stays_away_is_an_error_and_no_difference", ""),
    ("pipeline::compare::error::Error::Left", "a_damaged_archive_is_no_difference_but_an_error", ""),
    ("pipeline::compare::side::LeftError::Archive", "a_damaged_archive_is_no_difference_but_an_error", ""),
    ("pipeline::compare::error::Error::Activation", "a_comparison_names_the_tenants_that_it_may_not_wake", ""),
    (
        "pipeline::compare::error::Error::Thread",
        "a_thread_that_dies_while_an_archive_is_compared_is_a_bug_and_no_difference",
        "",
    ),
    // Told by the program: the library leaves this to it.
    (
        "ops::refusal::begun_otherwise::RunDiffers::Emptied",
        "another_collection_than_it_was_about_is_refused",
        "it was to empty Article, Author",
    ),
    (
        "ops::refusal::begun_otherwise::RunDiffers::AllTenants",
        "another_collection_than_it_was_about_is_refused",
        "of all tenants",
    ),
    (
        "ops::refusal::begun_otherwise::RunDiffers::Tenants",
        "a_clear_of_one_tenant_that_is_carried_on_twice_leaves_the_other_tenants_alone",
        "of the tenants a",
    ),
    // A remark and two warnings have them in words.
    (
        "ops::drift::SchemaDrift::SettingsNotKept",
        "what_is_not_known_of_compression_is_not_called_trained_and_what_changed_is_told",
        "its settings were sent again, unchanged, and are not the same since",
    ),
    ("ops::schema::rehearse::sweep::ScratchStays::Refused", KILLED, "not allowed"),
    ("ops::schema::rehearse::sweep::ScratchStays::StillThere", KILLED, "it is still there"),
    ("ops::schema::rehearse::sweep::ScratchStays::NotScratch", KILLED, "it is no scratch collection"),
    (
        "ops::schema::rehearse::sweep::ScratchStays::NoAnswer",
        "a_rehearsal_whose_server_stops_answering_is_stopped_within_seconds",
        "the server did not answer in time",
    ),
    ("ops::taking_back::WhyStays::Unsure", OTHERS, "the server did not answer when it was created"),
    ("ops::taking_back::WhyStays::Alias", OTHERS, "its name is an alias now"),
    ("ops::taking_back::WhyStays::Tenants", OTHERS, "somebody added tenants to it"),
    ("ops::taking_back::WhyStays::Another", OTHERS, "it is not what this run created any more"),
    ("ops::taking_back::WhyStays::NotWhole", STAYS, "the server is not whole"),
    ("ops::taking_back::WhyStays::Objects", STAYS, "it holds objects"),
    ("ops::taking_back::WhyStays::Uncounted", STAYS, "whether it is empty is not known"),
    ("ops::taking_back::WhyStays::NotWholeOrRemade", STAYS, "the server is not whole, or it was recreated"),
    ("ops::taking_back::WhyStays::Remade", STAYS, "somebody made another one of that name"),
];
const KILLED: &str = "what_a_killed_run_left_never_stands_in_the_way_of_another_one";
const OTHERS: &str = "what_may_be_another_ones_by_now_is_not_removed_by_a_refused_restore";
const STAYS: &str = "what_a_refused_restore_cannot_remove_again_stays_and_is_named";

/// Variants that nothing outside of the program can bring about, each with the reason. This list is to become shorter.
const OUT_OF_REACH: [(&str, &str); 1] = [(
    "pipeline::guard::Error::Thread",
    "its task only asks and keeps what it is told: nothing given to it has it panic",
)];

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
        let text = without_literals(&text);
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
    names.filter(|name| !OUTSIDE.contains(&name.as_str())).collect()
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

/// The functions of a text, each from its first line to the next one's; what stands before the first is one of them.
fn functions(text: &str) -> Vec<String> {
    let mut functions = vec![String::new()];
    for line in text.lines() {
        let begins = line.trim_start().split_once("fn ").is_some_and(|(before, _)| {
            before
                .split_whitespace()
                .all(|word| word.starts_with("pub") || ["async", "const", "super)"].contains(&word))
        });
        if begins {
            functions.push(String::new());
        }
        let function = functions.last_mut().expect("one at least");
        function.push_str(line);
        function.push('\n');
    }
    functions
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

/// The variants that the tests of one text see, by the places of their enums. What the same function makes is not seen.
fn seen(text: &Text, files: &[Text], enums: &[Errors]) -> BTreeSet<(usize, String)> {
    let renamed = renamed(text, files);
    let tests = if text.in_src { text.tests.clone() } else { format!("{}\n{}", text.code, text.tests) };
    let mut found = BTreeSet::new();
    for function in functions(&tests) {
        let (mut sees, mut makes) = (BTreeSet::new(), BTreeSet::new());
        for (one, deed) in deeds(&function, |path| meant(path, text, &renamed, enums)) {
            // What a class is, or a hint, is compared with what is made of it.
            let decides = DECIDING.contains(&enums[one.0].name.as_str());
            match deed {
                Deed::Imports => continue,
                Deed::Makes if !decides => makes.insert(one),
                Deed::Sees | Deed::Makes => sees.insert(one),
            };
        }
        found.extend(sees.difference(&makes).cloned());
    }
    found
}

/// The variant that a path means in this text, by the place of its enum, if it is one.
fn meant(path: &[String], text: &Text, renamed: &[(String, Vec<String>)], enums: &[Errors]) -> Option<(usize, String)> {
    let names: Vec<String> = path.iter().filter(|name| !OUTSIDE.contains(&name.as_str())).cloned().collect();
    let (first, rest) = names.split_first()?;
    // A name may stand for one thing in one function, and for another in the next.
    let mut whole: Vec<Vec<String>> = renamed
        .iter()
        .filter(|(name, _)| name == first)
        .map(|(_, path)| path.iter().chain(rest).cloned().collect())
        .collect();
    if whole.is_empty() {
        whole.push(names.clone());
    }
    let variant = whole[0].last()?.clone();
    let is_meant = |errors: &Errors| {
        errors.variants.contains(&variant)
            && whole.iter().any(|path| path.len() > 1 && errors.is_meant_by(&path[..path.len() - 1]))
    };
    let mut meant: Vec<usize> = (0..enums.len()).filter(|at| is_meant(&enums[*at])).collect();
    if text.in_src {
        // Beside the code a name that is not told apart otherwise means the enum nearest to it.
        let shared = |at: &usize| enums[*at].modules.iter().zip(&text.modules).take_while(|(a, b)| a == b).count();
        let nearest = meant.iter().map(shared).max();
        meant.retain(|at| Some(shared(at)) == nearest);
    }
    if let [one] = meant.as_slice() { Some((*one, variant)) } else { None }
}

fn all_errors(files: &[Text]) -> Vec<Errors> {
    files.iter().filter(|text| text.in_src).flat_map(|text| errors(&text.modules, &text.code, &DECIDING)).collect()
}

/// What is wrong: variants that no test sees, and a list of exceptions that does not hold.
fn complaints(
    enums: &[Errors],
    tested: &BTreeSet<(usize, String)>,
    elsewhere: &[(&str, &str, &str)],
    out_of_reach: &[(&str, &str)],
    tests: &BTreeMap<String, String>,
) -> Vec<String> {
    let variants = enums.iter().enumerate().flat_map(|(at, e)| e.variants.iter().map(move |variant| (at, e, variant)));
    let is_tested: BTreeMap<String, bool> =
        variants.map(|(at, e, variant)| (e.title(variant), tested.contains(&(at, variant.clone())))).collect();
    let is_listed = |title: &str| {
        elsewhere
            .iter()
            .map(|(listed, ..)| listed)
            .chain(out_of_reach.iter().map(|(listed, _)| listed))
            .any(|l| *l == title)
    };
    let untested = is_tested.iter().filter(|(title, tested)| !**tested && !is_listed(title));
    let listed = elsewhere.iter().filter_map(|(title, test, words)| match (is_tested.get(*title), tests.get(*test)) {
        (Some(true), _) => Some(format!("{title} is seen, and listed as seen as another")),
        (Some(false), Some(text)) if text.contains(words) => None,
        (Some(false), Some(_)) => Some(format!("{test} does not look for {words:?}")),
        (Some(false), None) => Some(format!("{title} is listed with {test}, which is no test")),
        (None, _) => Some(format!("{title} is listed, and is no variant")),
    });
    let unreached = out_of_reach.iter().filter_map(|(title, _)| match is_tested.get(*title) {
        Some(true) => Some(format!("{title} is seen, and listed as out of reach")),
        Some(false) => None,
        None => Some(format!("{title} is listed, and is no variant")),
    });
    untested.map(|(title, _)| format!("no test sees {title}")).chain(listed).chain(unreached).collect()
}

#[test]
fn every_variant_of_an_error_is_seen_by_a_test() {
    let files = files();
    let enums = all_errors(&files);
    let tested = files.iter().flat_map(|text| seen(text, &files, &enums)).collect();
    let complaints = complaints(&enums, &tested, &SEEN_AS_ANOTHER, &OUT_OF_REACH, &tests());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The text of every function of the tests, by its name.
fn tests() -> BTreeMap<String, String> {
    let texts = sources("tests").into_iter().map(|(_, text)| text);
    let functions = texts.flat_map(|text| functions(&text)).filter_map(|function| {
        let name = function.split_once("fn ")?.1.split_once('(')?.0.to_owned();
        Some((name, function))
    });
    functions.collect()
}

#[test]
fn what_no_test_sees_is_told_and_so_is_an_exception_that_is_none() {
    let (modules, name) = (vec!["disk".to_owned()], "Error".to_owned());
    let enums = [Errors { modules, name, variants: ["A", "B", "C"].map(str::to_owned).to_vec() }];
    let tested = BTreeSet::from([(0, "A".to_owned())]);
    let tests = BTreeMap::from([("why".to_owned(), "fn why() { \"no room\" }".to_owned())]);
    let told = |listed: &[(&str, &str, &str)]| complaints(&enums, &tested, listed, &[], &tests);
    assert_eq!(told(&[]), ["no test sees disk::Error::B", "no test sees disk::Error::C"]);
    assert!(told(&[("disk::Error::B", "why", "no room"), ("disk::Error::C", "why", "")]).is_empty());
    let [a, b, c, d] = ["disk::Error::A", "disk::Error::B", "disk::Error::C", "disk::Error::D"];
    let wrong = told(&[(a, "why", ""), (b, "why", "room for all"), (c, "wh", ""), (d, "why", "")]);
    assert_eq!(
        wrong,
        [
            "disk::Error::A is seen, and listed as seen as another",
            "why does not look for \"room for all\"",
            "disk::Error::C is listed with wh, which is no test",
            "disk::Error::D is listed, and is no variant",
        ]
    );
    let wrong = complaints(&enums, &tested, &[(b, "why", "")], &[(a, ""), (c, "")], &tests);
    assert_eq!(wrong, ["disk::Error::A is seen, and listed as out of reach"]);
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
        ("pipeline::scan::error::Error", "SinkGone"),
        ("pipeline::load::Error", "Stopped"),
        ("pipeline::import::Error", "SinkGone"),
        ("pipeline::compare::error::Error", "Right"),
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
        seen(&text, &all, &enums).into_iter().map(|(at, v)| enums[at].title(&v)).collect::<Vec<_>>()
    };
    assert_eq!(
        names("it::x", false, "use elysiactl::{x, wire::{Error as W, Y}};\nmatches!(e, W::A { .. })"),
        ["wire::error::Error::A"]
    );
    assert_eq!(names("it::x", false, "use elysiactl::disk::Error;\ne == Error::B(1)"), ["disk::error::Error::B"]);
    assert_eq!(
        names("it::x", false, "match e { disk::Error::A => 1, wire::Error::C => 2 }"),
        ["wire::error::Error::C", "disk::error::Error::A"]
    );
    assert!(names("it::x", false, "use crate::disk::Error::{A, C};\nuse crate::wire::Error;").is_empty());
    let in_scope = "use crate::disk::Error::{A, C};\nfn f() { if let A = g() {} }";
    assert_eq!(names("it::x", false, in_scope), ["disk::error::Error::A"]);
    assert_eq!(names("it::y::z", false, "use super::*;\ne == Error::C"), ["disk::error::Error::C"]);
    let both = "fn f() { use elysiactl::wire::Error as E;\ne == E::A }\nfn g() { use elysiactl::disk::Error as E;\ne == E::A }";
    assert!(names("it::x", false, both).is_empty(), "one of them, and nobody knows which");
    // Which of the two is meant cannot be told.
    assert!(names("it::x", false, "e == Error::A").is_empty());
    assert_eq!(names("disk::part::tests", true, "e == Error::A"), ["disk::error::Error::A"]);
    assert!(names("disk::part", true, "e == other::Error::A || e == Error::Unknown || e == Other::A").is_empty());
    // What a function makes itself it does not see; another one may.
    let made = "fn f() { let e = disk::Error::A; matches!(e, disk::Error::A) }";
    assert!(names("it::x", false, made).is_empty());
    assert_eq!(names("it::x", false, &format!("{made}\nfn g() {{ matches!(h(), disk::Error::A) }}")).len(), 1);
}
