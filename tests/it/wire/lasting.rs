//! What a server goes on refusing is told at once by every verb: the cause and what to change in the first two lines, no
//! request sent again, nothing written.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use sandbox::{Builder, Change, Fault, Kind, Sandbox};

use crate::support::binary::{Stage, lines, said};

/// How long a run may take that ends at once; the machines of the tests are slow.
const AT_ONCE: Duration = Duration::from_secs(10);

fn library() -> Builder {
    Sandbox::builder().seeded("Article", 300, 2, 4)
}

fn rented() -> Builder {
    Sandbox::builder().seeded("Rented", 9, 2, 3).in_tenants(4)
}

/// Runs and holds that it ended at once, that nothing was sent again, and that the first two lines say this.
fn ends_at_once(stage: &Stage, arguments: &[&str], exit: i32, cause: &str, remedy: &str) -> Output {
    stage.sandbox.clear_requests();
    let begun = Instant::now();
    let output = stage.run(arguments);
    let (text, took) = (said(&output), begun.elapsed());
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {text}");
    assert!(took < AT_ONCE, "{arguments:?} took {took:?}: {text}");
    let at = text.lines().position(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{text}"));
    let (first, second) = (text.lines().nth(at).unwrap_or_default(), text.lines().nth(at + 1).unwrap_or_default());
    assert!(first.contains(cause) && second.starts_with("hint: ") && second.contains(remedy), "{arguments:?}: {text}");
    assert!(!text.contains("retrying") && !text.contains("may still be carried out"), "{text}");
    output
}

fn archived(builder: Builder) -> (Stage, std::path::PathBuf) {
    let stage = Stage::new(builder);
    let archive = stage.backup();
    (stage, archive)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn under_every_operational_mode_each_verb_tells_at_once_what_it_cannot_do() {
    let (_source, archive) = archived(library());
    for mode in ["ReadOnly", "ScaleOut", "WriteOnly"] {
        let stage = Stage::new(library().change(Change::Mode(mode)));
        let cause = format!("operational mode {mode}");
        let restore = ["col", "restore", text(&archive), "--name", "Other", "-y"];
        let refused: [&[&str]; 4] = [
            &["col", "rm", "Article", "-y"],
            &["col", "clear", "Article", "-y"],
            &restore,
            &["col", "create", "New", "--schema-file", "schema.json"],
        ];
        std::fs::write(stage.folder.path().join("schema.json"), r#"{"class":"New"}"#).expect("written");
        for arguments in refused {
            ends_at_once(&stage, arguments, 4, &cause, "OPERATIONAL_MODE=ReadWrite");
            assert!(!stage.sandbox.requests().iter().any(|seen| seen.writing), "{arguments:?} writes");
        }
        let reads: [&[&str]; 2] = [&["col", "backup", "-q"], &["col", "verify", text(&archive), "-q"]];
        for arguments in reads {
            if mode == "WriteOnly" {
                ends_at_once(&stage, arguments, 4, &cause, "OPERATIONAL_MODE=ReadWrite");
            } else {
                let output = stage.run(arguments);
                assert_eq!(output.status.code(), Some(0), "{mode} {arguments:?}: {}", said(&output));
            }
        }
        if mode == "WriteOnly" {
            ends_at_once(&stage, &["col", "ls"], 4, &cause, "OPERATIONAL_MODE=ReadWrite");
        }
    }
}

#[test]
fn inactive_tenants_of_a_read_only_server_are_left_out_and_named_and_the_rest_is_backed_up() {
    let stage = Stage::new(rented().change(Change::Mode("ReadOnly")));
    let begun = Instant::now();
    let output = stage.run(&["--json", "col", "backup"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(begun.elapsed() < AT_ONCE);
    let last = lines(&output.stdout).pop().expect("a line");
    assert_eq!((&last["status"], &last["objects"]), (&"incomplete".into(), &18.into()), "{last}");
    let manifest = std::fs::read_to_string(stage.made()[0].join("manifest.json")).expect("a sealed archive");
    assert!(manifest.contains("not_activated") && manifest.contains("ReadOnly"), "{manifest}");
    let compared = stage.run(&["col", "verify", text(&stage.made()[0])]);
    assert_eq!(compared.status.code(), Some(0), "{}", said(&compared));
    // The plan says so before.
    let planned = stage.run(&["col", "backup", "--dry-run"]);
    let told = String::from_utf8_lossy(&planned.stdout);
    assert!(told.contains("cannot be activated") && told.contains("ReadOnly"), "{told}");
    assert!(!told.contains("would be activated"), "{told}");
}

#[test]
fn a_mode_that_changes_in_the_middle_ends_the_run_at_once() {
    let (_source, archive) = archived(library());
    let stage = Stage::new(Sandbox::builder());
    let change = Kind::Change(Change::Mode("ReadOnly"));
    stage.sandbox.faults().add(Fault::new(change).on("POST", "/v1/batch/objects").nth(1));
    ends_at_once(
        &stage,
        &["col", "restore", text(&archive), "-y", "-q"],
        5,
        "operational mode ReadOnly",
        "OPERATIONAL_MODE",
    );
}

#[test]
fn every_usage_limit_and_restriction_ends_a_restore_at_once_with_the_setting_to_change() {
    let (_source, archive) = archived(library());
    let (_tenants, of_tenants) = archived(rented());
    for (change, archive, exit, cause, remedy) in [
        (Change::Limit("collections", 0), &archive, 4, "collections, at most 0", "MAXIMUM_ALLOWED_COLLECTIONS_COUNT"),
        (Change::Limit("objects", 200), &archive, 5, "objects, at most 200", "MAXIMUM_ALLOWED_OBJECTS_COUNT"),
        (
            Change::Limit("tenants", 3),
            &of_tenants,
            4,
            "tenants of a collection, at most 3",
            "MAXIMUM_ALLOWED_TENANTS_PER_COLLECTION",
        ),
        (Change::Limit("shards", 0), &archive, 4, "at most 0", "MAXIMUM_ALLOWED_SHARDS_PER_COLLECTION"),
        (Change::VectorIndexes(&["flat"]), &archive, 4, "does not allow hnsw", "ALLOWED_VECTOR_INDEX_TYPES"),
        (Change::MostReplicas(0), &archive, 4, "replication factor of 0", "REPLICATION_MAXIMUM_FACTOR"),
    ] {
        let stage = Stage::new(Sandbox::builder().change(change));
        ends_at_once(&stage, &["col", "restore", text(archive), "-y", "-q"], exit, cause, remedy);
    }
}

#[test]
fn a_usage_limit_in_the_result_of_one_object_ends_a_restore_at_once() {
    let (_source, archive) = archived(library());
    let stage = Stage::new(Sandbox::builder());
    let words = "objects count limit of 250 reached for this instance.";
    let fault = Fault::new(Kind::FailObjects(2, words.into())).on("POST", "/v1/batch/objects");
    stage.sandbox.faults().add(fault);
    let limit = "MAXIMUM_ALLOWED_OBJECTS_COUNT";
    ends_at_once(&stage, &["col", "restore", text(&archive), "-y", "-q"], 5, "objects, at most 250", limit);
}

#[test]
fn collections_of_a_suspended_namespace_are_left_out_and_named_and_the_others_are_backed_up() {
    let class = |name: &str| format!(r#"{{"class":"{name}","vectorizer":"none"}}"#);
    let object = |name: &str, n: u64| format!(r#"{{"class":"{name}","id":"00000000-0000-0000-0000-00000000000{n}"}}"#);
    let both = || {
        let builder = Sandbox::builder().graphql(false).collection(&class("alpha:Doc")).collection(&class("beta:Doc"));
        let builder = builder.object(&object("alpha:Doc", 1)).object(&object("beta:Doc", 2));
        builder
            .change(Change::Namespace("alpha".into(), "active"))
            .change(Change::Namespace("beta".into(), "suspended"))
    };
    let stage = Stage::new(both());
    let output = stage.run(&["col", "backup"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let manifest = std::fs::read_to_string(stage.made()[0].join("manifest.json")).expect("a sealed archive");
    assert!(manifest.contains("beta:Doc") && manifest.contains("suspended"), "{manifest}");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &said(&output);
    assert!(shown.contains("beta:Doc") && shown.contains("suspended"), "{shown}");
    ends_at_once(&stage, &["col", "backup", "beta:Doc", "-q"], 4, "beta:Doc", "resume the namespace");
    ends_at_once(&stage, &["col", "rm", "beta:Doc", "-y"], 4, "suspended", "resume the namespace");
}
