//! `col rm` through the binary, without a terminal: exit codes, `--json`, `--dry-run`, `--yes` and globs.

use sandbox::{Builder, Fault, Kind, Sandbox};

use crate::support::binary::{Stage, lines, said};
use crate::support::shown::{settled, shown};

fn stage() -> Stage {
    Stage::new(both())
}

fn both() -> Builder {
    Sandbox::builder().seeded("Article", 40, 4, 7).seeded("Articles", 3, 4, 8)
}

/// Runs it; gives what it said on stderr.
fn ends(stage: &Stage, arguments: &[&str], code: i32) -> String {
    let output = stage.run(&[&["col", "rm"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    said(&output)
}

#[test]
fn without_a_terminal_nothing_is_removed_unless_yes_is_said() {
    let stage = stage();
    let text = ends(&stage, &["Article"], 4);
    settled(&stage).bind(|| insta::assert_snapshot!("nobody_to_ask", text));
    assert!(stage.sandbox.requests().is_empty());
    assert!(ends(&stage, &[], 2).contains("NAME|GLOB"));
}

#[test]
fn yes_covers_names_typed_in_full_alone() {
    let stage = stage();
    for arguments in [
        &["Art*", "--yes"][..],
        &["*", "-y"],
        &["Article", "Articles*", "--force"],
        &["Art*", "--yes", "--expect-count", "42"],
        &["Article", "--yes", "--expect-count", "41"],
        &["article", "--yes"],
        &["Articl", "--yes"],
        &["Article ", "--yes"],
        &["", "--yes"],
    ] {
        let text = ends(&stage, arguments, 4);
        assert!(arguments[0] != "Art*" || arguments.len() > 2 || text.contains("--expect-count 43"), "{text}");
    }
    assert_eq!(stage.sandbox.writing_requests(), 0);
    assert!(!stage.archives().exists(), "nothing is saved either");
    ends(&stage, &["Article", "--force"], 0);
    assert_eq!(stage.sandbox.collections(), ["Articles"]);
    ends(&stage, &["Art*", "--yes", "--expect-count", "3"], 0);
    assert!(stage.sandbox.collections().is_empty());
}

#[test]
fn a_dry_run_shows_the_plan_and_sends_nothing_that_writes() {
    let stage = stage();
    stage.backup();
    let output = stage.run(&["col", "rm", "Art*", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    settled(&stage).bind(|| insta::assert_snapshot!("a_plan_to_remove", shown(&output)));
    ends(&stage, &["Art*", "--dry-run", "--expect-count", "1"], 4);
    let output = stage.run(&["col", "rm", "Article", "--dry-run", "--json"]);
    let events: Vec<String> = lines(&output.stdout).iter().map(|e| e["event"].to_string()).collect();
    assert_eq!(events, ["\"run_started\"", "\"plan_made\"", "\"run_finished\""]);
    let held = &lines(&output.stdout)[1]["collections"][0]["held_in"];
    assert_eq!(
        (&held["covers"], &held["archived_objects"], &held["server_objects"]),
        (&"everything".into(), &40.into(), &40.into())
    );
    assert!(held["archive"].as_str().is_some_and(|path| path.contains("_full_")), "{held}");
    assert_eq!((stage.sandbox.writing_requests(), stage.sandbox.collections().len()), (0, 2));
}

#[test]
fn events_tell_what_was_done_and_where_the_schema_is() {
    let stage = stage();
    let output = stage.run(&["col", "rm", "Article", "--yes", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let events = lines(&output.stdout);
    let names: Vec<&str> = events.iter().filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(names, ["run_started", "plan_made", "collection_started", "collection_finished", "run_finished"]);
    let end = events.last().expect("an end");
    assert_eq!(
        (end["op"].as_str(), end["status"].as_str(), end["objects"].as_u64()),
        (Some("rm"), Some("ok"), Some(40))
    );
    let saved = end["collections"][0]["schema_saved"].as_str().expect("a path");
    assert!(std::path::Path::new(saved).is_file(), "{saved}");
    let refused = stage.run(&["col", "rm", "Articles", "--json"]);
    let end = lines(&refused.stdout).pop().expect("an end");
    assert_eq!((end["status"].as_str(), end["exit_code"].as_u64()), (Some("refused"), Some(4)));
}

#[test]
fn the_words_say_what_is_gone() {
    let stage = stage();
    let output = stage.run(&["col", "rm", "Article", "Articles", "-y", "-o", "elsewhere"]);
    settled(&stage).bind(|| insta::assert_snapshot!("what_was_removed", shown(&output)));
}

#[test]
fn a_server_that_refuses_half_way_leaves_the_rest_and_says_so() {
    let no = Fault::new(Kind::status(500, r#"{"error":[{"message":"no"}]}"#)).on("DELETE", "/v1/schema/Articles");
    // Where the roles of a key are told, the plan refuses (`may_not`).
    let untold = Fault::new(Kind::status(404, "no")).on("GET", "/v1/users/own-info");
    let stage = Stage::new(both().with_keys().fault(no).fault(untold));
    let run = |key: &str, names: &[&str]| {
        let arguments = [&["col", "rm", "-y"], names].concat();
        let mut command = stage.command(&arguments);
        command.env("WEAVIATE_API_KEY", key);
        command.output().expect("the binary runs")
    };
    let output = run("readkey", &["Article"]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    settled(&stage).bind(|| insta::assert_snapshot!("a_removal_that_is_refused", shown(&output)));
    assert_eq!(stage.sandbox.collections().len(), 2);
}
