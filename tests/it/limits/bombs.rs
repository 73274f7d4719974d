//! Answers and files that would become many times their size in memory, or are nested without end: each is refused with one
//! error, and no run takes more than the default limit of memory and 32 MiB.

use std::path::Path;
use std::process::Output;

use sandbox::{Builder, Change, Fault, Kind, Role, Sandbox};
use serde_json::Value;

use crate::support::binary::{Stage, forge, lines, said};
use crate::support::forged;

/// The default of `--memory-limit`, and what a process may take beside.
const MOST: u64 = (128 + 32) << 20;
/// Small values in a bomb.
const VALUES: usize = 1_500_000;
/// Names of one object that are in no order: more than are looked at in one share.
const NAMES: usize = 140_000;
/// Nested lists in a bomb.
const DEPTH: usize = 100_000;

/// A list of very many small values, in so many bytes each as `of` has.
fn many(of: &str) -> String {
    format!("[{}{of}]", format!("{of},").repeat(VALUES))
}

fn deep() -> String {
    format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH))
}

fn copy() -> Builder {
    Sandbox::builder().seeded("Copy", 12, 2, 1)
}

/// Runs to its end within the memory; gives its exit code and what it said.
fn ran(stage: &Stage, arguments: &[&str], what: &str) -> (i32, Output) {
    let mut command = stage.command(arguments);
    let output = command.arg("--json").env("WEAVIATE_API_KEY", "admin").output().expect("the binary runs");
    let last = lines(&output.stdout).pop().unwrap_or_else(|| panic!("{what}: {}", said(&output)));
    let peak = last["peak_memory_bytes"].as_u64().expect("a number");
    assert!(peak <= MOST, "{what}, {arguments:?}: {} MiB", peak >> 20);
    assert!(!said(&output).contains("panicked"), "{what}: {}", said(&output));
    (output.status.code().expect("a code"), output)
}

#[test]
fn answers_of_a_server_are_bounded() {
    let class = |member: &str| format!(r#"{{"classes":[{{"class":"Copy","properties":[],"later":{member}}}]}}"#);
    for (path, body) in [
        ("/v1/schema", format!("{{\"classes\":{}}}", many("{}"))),
        ("/v1/schema", class(&many("0"))),
        ("/v1/schema", class(&deep())),
        ("/v1/schema/Copy", many("[]")),
        ("/v1/aliases", format!("{{\"aliases\":{}}}", many("0"))),
        ("/v1/authz/roles", many("{}")),
        ("/v1/meta", format!("{{\"version\":\"1.40.0\",\"modules\":{{\"a\":{}}}}}", many("0"))),
        ("/v1/nodes", format!("{{\"nodes\":{}}}", many("{}"))),
        ("/v1/cluster/statistics", format!("{{\"statistics\":{}}}", many("{}"))),
        ("/v1/users/own-info", format!("{{\"roles\":[{{\"permissions\":{}}}]}}", many("0"))),
        ("/v1/graphql", format!("{{\"errors\":{}}}", many("{}"))),
    ] {
        let shown: String = body.chars().take(40).collect();
        let fault = Fault::new(Kind::status(200, &body)).path(path).exactly();
        let stage = Stage::new(copy().key("admin", "admin", Role::Root).fault(fault));
        let (code, output) = ran(&stage, &["col", "backup", "Copy"], &format!("{path} {shown}"));
        // Where GraphQL is of no use, objects are counted otherwise; what the key may do only tells what may be missing.
        let is_spared = ["/v1/graphql", "/v1/users/own-info"].contains(&path) && code == 0;
        assert!(code == 5 || is_spared, "{path} {shown}: {code} {}", said(&output));
    }
    let fault = Fault::new(Kind::status(200, &many("{}"))).path("/v1/schema/Copy/tenants");
    let stage = Stage::new(copy().in_tenants(1).fault(fault));
    assert_eq!(ran(&stage, &["col", "backup", "Copy"], "tenants").0, 5);
}

/// Puts a member before all others of a manifest.
fn with_member(archive: &Path, member: &str) {
    forge(archive, |manifest| manifest.replacen('{', &format!("{{{member},"), 1));
}

#[test]
fn files_of_an_archive_are_bounded() {
    let role = r#"{"name":"reader","permissions":[]}"#;
    let builder = copy().alias("Live", "Copy").role(role).key("admin", "admin", Role::Root);
    let stage = Stage::new(builder);
    let (code, output) = ran(&stage, &["col", "backup", "Copy"], "a backup");
    assert_eq!(code, 0, "{}", said(&output));
    let archive = stage.made().remove(0);
    let at = archive.to_str().expect("text");
    let is_refused = |what: &str| {
        for arguments in [&["archive", "check", at][..], &["col", "restore", at, "--name", "New", "-y"]] {
            let (code, output) = ran(&stage, arguments, what);
            assert_eq!(code, 6, "{what}, {arguments:?}: {}", said(&output));
        }
    };
    let kept = std::fs::read_to_string(archive.join("manifest.json")).expect("a manifest");
    for (what, member) in [
        ("a manifest of many values", format!("\"later\":{}", many("0"))),
        ("a manifest that is nested deeply", format!("\"later\":{}", deep())),
        ("a manifest with a long text", format!("\"later\":\"{}\"", "x".repeat(20_000_000))),
        ("a manifest with long options", format!("\"options\":{{\"a\":[{}0]}}", "\"aaaaaaaaaaaa\",".repeat(400_000))),
    ] {
        let options = member.starts_with("\"options\"");
        with_member(&archive, &member);
        if options {
            forge(&archive, |manifest| {
                let at = manifest.rfind(",\"options\":").expect("options");
                format!("{},\"were\":{}", &manifest[..at], &manifest[at + ",\"options\":".len()..])
            });
        }
        is_refused(what);
        std::fs::write(archive.join("manifest.json"), &kept).expect("written");
    }
    for file in ["collections/Copy/schema.json", "aliases.json", "roles.json"] {
        let good = std::fs::read(archive.join(file)).expect("a file");
        for (what, text) in [("many values", many("0")), ("deep", deep()), ("long", "\"x".repeat(10 << 20))] {
            let text =
                if file.ends_with("schema.json") { format!("{{\"class\":\"Copy\",\"later\":{text}}}") } else { text };
            forged::replace(&archive, file, text.as_bytes());
            is_refused(&format!("{file}: {what}"));
        }
        forged::replace(&archive, file, &good);
    }
    let part = forged::part(&archive);
    let good = std::fs::read(archive.join(&part)).expect("a part");
    forged::lines(&archive, |line| format!("{},\"later\":{}}}", &line[..line.len() - 1], deep()));
    is_refused("an object that is nested deeply");
    forged::replace(&archive, &part, &good);
    let index = archive.join("collections/Copy/index.jsonl");
    let runs = std::fs::read_to_string(&index).expect("an index");
    forged::replace(&archive, "collections/Copy/index.jsonl", runs.replacen('{', "{\"later\":0,", 1).as_bytes());
    assert_eq!(ran(&stage, &["archive", "check", at], "a later member").0, 0);
}

#[test]
fn a_line_that_there_is_no_memory_for_is_refused_by_name() {
    let stage = Stage::new(copy());
    assert_eq!(ran(&stage, &["col", "backup", "Copy"], "a backup").0, 0);
    let archive = stage.made().remove(0);
    let at = archive.to_str().expect("text");
    let is_first = std::cell::Cell::new(true);
    forged::lines(&archive, |line| {
        let gap = if is_first.take() { 24 << 20 } else { 0 };
        line.replacen('{', &format!("{{{}", " ".repeat(gap)), 1)
    });
    for arguments in
        [&["archive", "check", at][..], &["col", "verify", at], &["col", "restore", at, "--name", "New", "-y"]]
    {
        let (code, output) = ran(&stage, &[arguments, &["--memory-limit", "64MiB"]].concat(), "a long line");
        assert_eq!(code, 4, "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("line 1 is longer than"), "{}", said(&output));
    }
    let mut cat = stage.command(&["archive", "cat", at, "--memory-limit", "64MiB"]);
    let output = cat.output().expect("the binary runs");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0));
    assert!(said(&output).contains("--memory-limit"), "{}", said(&output));
    assert_eq!(stage.sandbox.count("New", None), 0, "nothing was made");
    // It is no damage: with more memory it is a line like any other.
    assert_eq!(ran(&stage, &["archive", "check", at], "more memory").0, 0);
}

/// An archived line, and a live object, of very many small numbers: they are compared in the memory of their texts.
#[test]
fn lists_of_very_many_numbers_are_compared_without_values_of_them() {
    let numbers = |first: &str| format!("[{first},{}1]", "0,".repeat(500_000));
    let document = r#"{"class":"Copy","vectorizer":"none","properties":[{"name":"n","dataType":["number[]"]}]}"#;
    let object = format!(
        r#"{{"class":"Copy","id":"00000000-0000-0000-0000-000000000001","properties":{{"n":{}}}}}"#,
        numbers("0")
    );
    let stage = Stage::new(Sandbox::builder().collection(document).object(&object));
    assert_eq!(ran(&stage, &["col", "backup", "Copy"], "a backup").0, 0);
    let archive = stage.made().remove(0);
    let at = archive.to_str().expect("text");
    // Other bytes of the same value, so that a comparison looks at every number of both; then another value.
    for (first, code, different) in [("0.0", 0, 0), ("5", 3, 1)] {
        let live = object.replacen("[0,", &format!("[{first},"), 1);
        stage.sandbox.faults().now(&Change::Write(live));
        let (ended, result) = within(&stage, &["col", "verify", at, "--memory-limit", "24MiB"], 24 + 32);
        assert_eq!((ended, &result["objects"]), (code, &1.into()), "{first}: {result}");
        assert_eq!(result["collections"][0]["different"], different, "{first}: {result}");
    }
}

#[test]
fn names_in_no_order_are_looked_at_in_shares() {
    let stage = Stage::new(copy());
    assert_eq!(ran(&stage, &["col", "backup", "Copy"], "a backup").0, 0);
    let archive = stage.made().remove(0);
    let at = archive.to_str().expect("text");
    let is_first = std::cell::Cell::new(true);
    let many: Vec<String> = (0..NAMES).rev().map(|n| format!("\"a{n}\":0")).collect();
    let many = many.join(",") + ",";
    forged::lines(&archive, |line| {
        let members = if is_first.take() { many.as_str() } else { "" };
        line.replacen("\"properties\":{", &format!("\"properties\":{{{members}"), 1)
    });
    // All names stand once: what is found is that the lines are others, by the digest behind the last of them.
    let check = ["archive", "check", at, "--memory-limit", "24MiB"];
    let (code, last) = within(&stage, &check, 24 + 32);
    let said = last["errors"].to_string();
    assert!(code == 6 && said.contains("line 12: content digest"), "{code}: {said}");
    // The first and the last name are the same.
    forged::lines(&archive, |line| {
        line.replacen(&format!("\"a{}\"", NAMES - 1), &format!("\"a0\":1,\"a{}\"", NAMES - 1), 1)
    });
    let (code, last) = within(&stage, &check, 24 + 32);
    let said = last["errors"].to_string();
    assert!(code == 6 && said.contains("line 1: ") && !said.contains("digest"), "{code}: {said}");
}

/// Runs to its end within so many MiB; gives its exit code and its result.
fn within(stage: &Stage, arguments: &[&str], most_mib: u64) -> (i32, Value) {
    let mut command = stage.command(arguments);
    let output = command.arg("--json").output().expect("the binary runs");
    let last = lines(&output.stdout).pop().unwrap_or_else(|| panic!("{arguments:?}: {}", said(&output)));
    let peak = last["peak_memory_bytes"].as_u64().expect("a number");
    assert!(peak <= most_mib << 20, "{arguments:?}: {} MiB, {}", peak >> 20, said(&output));
    assert!(!said(&output).contains("panicked"), "{arguments:?}: {}", said(&output));
    (output.status.code().expect("a code"), last)
}

#[test]
fn a_small_stack_and_few_files_end_in_words() {
    let stage = Stage::new(copy());
    for (limit, code, words) in [
        ("-n 6", 7, "files may be open at once"),
        ("-n 8", 7, "files may be open at once"),
        ("-n 31", 7, "files may be open at once"),
        ("-v 100000", 7, "of address space may be used"),
        ("-v 262144", 7, "of address space may be used"),
        ("-v 2097152", 0, "Copy"),
        ("-s 128", 0, "Copy"),
    ] {
        for arguments in [&["col", "ls"][..], &["col", "backup", "Copy"]] {
            let script = format!("ulimit {limit}; exec \"$@\"");
            let output = stage.shell(&[], &script, "sh", arguments).output().expect("a shell");
            let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
            assert_eq!(output.status.code(), Some(code), "{limit}, {arguments:?}: {text}");
            assert!(text.contains(words) && !text.contains("panicked"), "{limit}, {arguments:?}: {text}");
        }
    }
}
