//! The direction of use and the size of files, read from the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each layer and what it may use.
const LAYERS: [(&str, &[&str]); 8] = [
    ("model", &[]),
    ("event", &["model"]),
    ("weaviate", &["model", "event"]),
    ("archive", &["model", "event"]),
    ("pipeline", &["model", "event", "weaviate", "archive"]),
    ("ops", &["model", "event", "weaviate", "archive", "pipeline"]),
    ("render", &["model", "event"]),
    ("cli", &["model", "event", "weaviate", "archive", "pipeline", "ops", "render"]),
];
/// What only some layers may do: the words that betray it, and those layers.
const DEEDS: [(&str, &[&str], &[&str]); 3] = [
    ("prints", &["print!(", "println!(", "eprint!(", "eprintln!(", "io::stdout", "io::stderr"], &["cli", "render"]),
    (
        "reads the environment, asks or exits",
        &["env::var", "env::args", "env::home_dir", "process::exit", "process::abort", "io::stdin"],
        &["cli"],
    ),
    ("asks the machine's wall clock", &["Timestamp::now", "SystemTime::now", "ZonedDateTime::now"], &["model"]),
];
const LINES_OF_A_FILE: usize = 600;
const LINES_OF_AN_INDEX: usize = 100;

pub(crate) fn sources(below: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with("fixtures") {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).expect("a file");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(below), &mut found);
    found.sort();
    found
}

fn layer_of(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path.strip_prefix(root).expect("below src").components().next().expect("a name");
    first.as_os_str().to_str().expect("a name").trim_end_matches(".rs").into()
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The names behind each `crate::`, also those in braces, and layers named behind `super::`.
fn used(text: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let after = &text[at + "crate::".len()..];
        let Some(group) = after.strip_prefix('{') else {
            names.insert(word(after));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && c.is_alphanumeric() => {
                    names.insert(word(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    for (at, _) in text.match_indices("super::") {
        let name = word(&text[at + "super::".len()..]);
        names.extend(LAYERS.iter().any(|(layer, _)| *layer == name).then_some(name));
    }
    names
}

#[test]
fn the_reader_of_use_lines_finds_them() {
    let text = "use crate::model::X;\nuse crate::{event::{A, B}, archive, ops::c::{D}};\nfn f() { crate::cli::g(); super::render::h() }";
    let names: Vec<_> = used(text).into_iter().collect();
    assert_eq!(names, ["archive", "cli", "event", "model", "ops", "render"]);
}

#[test]
fn layers_use_only_what_lies_below_them() {
    for (path, text) in sources("src") {
        let layer = layer_of(&path);
        if layer == "main" || layer == "lib" {
            continue;
        }
        let known = LAYERS.iter().find(|(name, _)| *name == layer);
        let (_, may_use) = known.unwrap_or_else(|| panic!("{}: {layer} is no layer", path.display()));
        for name in used(&without_comments(&text)) {
            let is_layer = LAYERS.iter().any(|(other, _)| *other == name);
            if is_layer && name != layer {
                assert!(may_use.contains(&name.as_str()), "{}: {layer} must not use {name}", path.display());
            }
        }
    }
}

#[test]
fn only_the_layers_meant_for_it_print_ask_and_read_the_clock() {
    for (path, text) in sources("src") {
        let text = without_comments(text.split("#[cfg(test)]").next().unwrap_or(""));
        let layer = layer_of(&path);
        for (deed, words, layers) in DEEDS {
            let found = words.iter().find(|word| text.contains(**word));
            assert!(found.is_none() || layers.contains(&layer.as_str()), "{}: {deed}: {found:?}", path.display());
        }
    }
}

#[test]
fn the_library_root_holds_no_code_and_main_is_short() {
    let root = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    let code = without_comments(&root);
    assert!(code.lines().all(|line| line.is_empty() || line.starts_with("pub mod ")), "src/lib.rs lists modules only");
    let main = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).expect("main.rs");
    assert!(main.lines().count() <= 15);
}

#[test]
fn files_stay_short_and_begin_with_what_they_own() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let lines = text.lines().count();
        assert!(lines <= LINES_OF_A_FILE, "{}: {lines} lines, {LINES_OF_A_FILE} at most", path.display());
        let index = path.ends_with("mod.rs");
        assert!(!index || lines < LINES_OF_AN_INDEX, "{}: {lines} lines are no index", path.display());
        assert!(text.starts_with("//!"), "{}: begins without a line on what it owns", path.display());
    }
}

#[test]
fn no_comment_cites_a_page_that_is_not_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_name = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let comments = text.lines().filter_map(|line| line.split_once("//").map(|(_, comment)| comment));
        let words = comments.flat_map(|comment| comment.split(|c| !is_name(c)));
        for page in words.filter_map(|word| word.trim_end_matches('.').strip_suffix(".md")) {
            let name = format!("{page}.md");
            let here =
                ["", "docs", "tests", "tests/fixtures", ".github"].iter().any(|at| root.join(at).join(&name).is_file());
            let beside = path.parent().is_some_and(|folder| folder.join(&name).is_file());
            assert!(page.is_empty() || here || beside, "{}: cites {name}", path.display());
        }
    }
}
