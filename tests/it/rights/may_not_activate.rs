//! Keys that may do everything but activate tenants, or see all of them, and tenants that nobody can activate: what is left out is
//! named, what was is not touched, and nothing goes that is held nowhere.

use std::path::PathBuf;
use std::process::Output;

use sandbox::{Builder, Change, Fault, Kind, Role, Sandbox};
use serde_json::json;

use crate::backup::tenants::{CLASS, tenants};
use crate::support::binary::{Stage, said};
use crate::support::shown::{settled, shown};

/// A server whose second key may do everything but change the states of tenants.
fn keys(builder: Builder) -> Builder {
    builder.key("rootkey", "root", Role::Root).key("daykey", "day", Role::Without("update_tenants"))
}

/// One tenant active, two inactive.
fn night() -> Stage {
    Stage::new(keys(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "COLD"), ("c", "COLD")], 5)))
}

fn with_key(stage: &Stage, key: &str, arguments: &[&str]) -> Output {
    stage.command(arguments).env("WEAVIATE_API_KEY", key).output().expect("the binary runs")
}

fn backed_up(stage: &Stage) -> PathBuf {
    let output = with_key(stage, "rootkey", &["-q", "col", "backup"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    stage.made().remove(0)
}

fn states(stage: &Stage) -> Vec<(String, &'static str)> {
    stage.sandbox.tenants("Mt")
}

/// Runs it with this key, holds its exit code, and gives all that it says.
fn ends(stage: &Stage, key: &str, arguments: &[&str], code: i32) -> String {
    let output = with_key(stage, key, arguments);
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

fn counts(stage: &Stage, tenants: &[&str]) -> Vec<u64> {
    tenants.iter().map(|tenant| stage.sandbox.count("Mt", Some(tenant))).collect()
}

#[test]
fn a_restore_that_would_have_to_wake_tenants_is_refused_before_anything_is_made() {
    let source = night();
    let archive = backed_up(&source);
    let archive = archive.to_str().expect("text");
    let target = Stage::new(keys(Sandbox::builder()));
    for (shown, dry_run) in [("a_restore_that_may_not_wake", &[][..]), ("a_dry_run_that_may_not_wake", &["--dry-run"])]
    {
        let text = ends(&target, "daykey", &[&["col", "restore", archive], dry_run].concat(), 4);
        settled(&target).bind(|| insta::assert_snapshot!(shown, text));
    }
    assert_eq!((target.sandbox.writing_requests(), target.sandbox.collections()), (0, Vec::<String>::new()));
    // Nobody has to be activated for these.
    ends(&target, "daykey", &["col", "restore", archive, "--tenant", "a"], 0);
    assert_eq!((states(&target), counts(&target, &["a"])), (vec![("a".to_owned(), "HOT")], vec![5]));
    ends(&target, "daykey", &["col", "restore", archive, "--skip-data", "--name", "Mt2"], 0);
    assert_eq!(target.sandbox.tenants("Mt2"), states(&source));
}

#[test]
fn a_restore_that_finds_out_late_that_it_may_not_wake_tenants_is_carried_on_with_another_key() {
    let source = night();
    let archive = backed_up(&source);
    let archive = archive.to_str().expect("text");
    let target = Stage::new(keys(Sandbox::builder()));
    // A server that tells nothing of roles.
    target.sandbox.faults().add(Fault::new(Kind::status(404, "")).on("GET", "/v1/users/own-info"));
    let text = ends(&target, "daykey", &["col", "restore", archive], 5);
    settled(&target).bind(|| insta::assert_snapshot!("a_restore_that_may_not_wake_after_all", text));
    assert_eq!(states(&target), states(&source), "those that are there are in their states");
    let text = ends(&target, "rootkey", &["col", "restore", archive, "--resume"], 0);
    assert!(text.contains("15 objects"), "{text}");
    assert_eq!(states(&target), states(&source));
    ends(&target, "rootkey", &["-q", "col", "verify", archive], 0);
}

#[test]
fn a_comparison_names_the_tenants_that_it_may_not_wake() {
    let stage = night();
    let archive = backed_up(&stage);
    let archive = archive.to_str().expect("text");
    let before = states(&stage);
    let text = ends(&stage, "daykey", &["col", "verify", archive], 3);
    settled(&stage).bind(|| insta::assert_snapshot!("a_comparison_that_may_not_wake", text));
    // No more, and no fewer, in a part of their own each, with workers of their own.
    let text = ends(&stage, "daykey", &["col", "verify", archive, "--jobs", "1"], 3);
    assert!(text.contains("2 tenants (b first), 10 objects in the archive"), "{text}");
    assert_eq!(states(&stage), before);
}

/// One tenant in each state, the offloaded one with objects that nobody can read.
fn three_states() -> Stage {
    let all = [("away", "FROZEN"), ("day", "HOT"), ("night", "COLD")];
    Stage::new(keys(tenants(Sandbox::builder().modules(&["offload-s3"]).collection(CLASS), &all, 5)))
}

const CLEAR: [&str; 6] = ["col", "clear", "Mt", "--yes", "--backup-first", "first"];

/// Every object that was there is there, and every tenant is as it was.
fn is_untouched(stage: &Stage, before: &[(String, &'static str)]) {
    assert_eq!(states(stage), before);
    for (tenant, _) in before {
        assert_eq!(stage.sandbox.objects("Mt", Some(tenant)).len(), 5, "{tenant}");
    }
}

#[test]
fn a_clear_that_backs_up_first_empties_nothing_where_the_backup_cannot_hold_a_tenant() {
    for (method, quiet) in [("auto", false), ("recreate", true), ("delete", true)] {
        let stage = three_states();
        let before = states(&stage);
        let quiet = if quiet { &["-q"][..] } else { &[] };
        let text = ends(&stage, "rootkey", &[&CLEAR[..], &["--method", method], quiet].concat(), 4);
        assert!(text.contains("Mt, tenant away: offloaded to other storage"), "{text}");
        if quiet.is_empty() {
            settled(&stage).bind(|| insta::assert_snapshot!("a_clear_of_offloaded_tenants", text));
        }
        is_untouched(&stage, &before);
        // What could be kept is kept.
        let made = std::fs::read_dir(stage.folder.path().join("first")).expect("a folder").flatten();
        let made: Vec<PathBuf> = made.map(|entry| entry.path()).collect();
        let text = ends(&stage, "rootkey", &["archive", "check", made[0].to_str().expect("text")], 0);
        assert!(text.contains("10 objects"), "{text}");
    }
}

#[test]
fn a_clear_that_backs_up_first_empties_nothing_where_the_key_may_not_wake_tenants() {
    let stage = night();
    let before = states(&stage);
    let text = ends(&stage, "daykey", &CLEAR, 4);
    settled(&stage).bind(|| insta::assert_snapshot!("a_clear_that_may_not_wake", text));
    is_untouched(&stage, &before);
}

#[test]
fn a_clear_that_backs_up_first_empties_those_that_sleep_and_they_sleep_again() {
    for method in ["recreate", "delete"] {
        let stage = night();
        let before = states(&stage);
        let text = ends(&stage, "rootkey", &[&CLEAR[..], &["--method", method]].concat(), 0);
        assert!(text.contains("Backed up 1 collection, 15 objects"), "{text}");
        assert_eq!(states(&stage), before, "{method}");
        assert_eq!(counts(&stage, &["a", "b", "c"]), [0, 0, 0], "{method}");
    }
}

#[test]
fn a_tenant_that_is_offloaded_between_the_backup_and_the_clear_is_not_emptied() {
    let stage = night();
    // The backup looks at the tenants before and after it reads them; then the clear makes its plan.
    let gone = Kind::Change(Change::Tenant("Mt".into(), "b".into(), Some("FROZEN")));
    stage.sandbox.faults().add(Fault::new(gone).on("GET", "/v1/schema/Mt/tenants").nth(4));
    let text = ends(&stage, "rootkey", &CLEAR, 4);
    settled(&stage).bind(|| insta::assert_snapshot!("a_clear_of_a_tenant_offloaded_meanwhile", text));
    is_untouched(&stage, &[("a".to_owned(), "HOT"), ("b".to_owned(), "FROZEN"), ("c".to_owned(), "COLD")]);
}

/// The same to a key of whose tenants only one is listed.
fn seen_in_part() -> Stage {
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "HOT")];
    let builder = tenants(Sandbox::builder().collection(CLASS), &all, 5);
    Stage::new(builder.key("rootkey", "root", Role::Root).key("partkey", "part", Role::Sees("a")))
}

#[test]
fn a_backup_does_not_pass_for_whole_where_the_key_sees_some_of_the_tenants() {
    let stage = seen_in_part();
    for dry_run in [&["--dry-run"][..], &[]] {
        let text = ends(&stage, "partkey", &[&["col", "backup", "Mt"], dry_run].concat(), 3);
        assert!(text.contains("only some of the tenants (read_tenants), and any others are not in here"), "{text}");
    }
    // Whoever names tenants wants no others.
    ends(&stage, "partkey", &["col", "backup", "Mt", "--tenant", "a"], 0);
    ends(&stage, "partkey", &["col", "backup", "Mt", "--tenant", "b"], 4);
    ends(&stage, "partkey", &["col", "backup", "Mt", "--schema-only"], 0);
}

#[test]
fn a_comparison_does_not_call_tenants_missing_that_the_key_does_not_see() {
    let stage = seen_in_part();
    ends(&stage, "rootkey", &["col", "backup", "Mt"], 0);
    let archive = stage.made().remove(0);
    let text = ends(&stage, "partkey", &["col", "verify", &archive.display().to_string()], 3);
    let unseen = "not compared: 2 tenants (b first), 10 objects in the archive: not listed, and may be there";
    assert!(text.contains(unseen) && !text.contains("not on the server"), "{text}");
}

#[test]
fn a_listing_gives_no_count_for_exact_where_the_key_sees_some_of_the_tenants() {
    let stage = seen_in_part();
    for command in [&["col", "ls", "--json"][..], &["col", "show", "Mt", "--json"]] {
        let output = with_key(&stage, "partkey", command);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let one = document["collections"].get(0).unwrap_or(&document);
        let told = ["objects", "objects_seen", "count", "tenants"].map(|field| &one[field]);
        assert_eq!(told, [&json!(null), &json!(5), &json!("unchecked"), &json!(null)], "{document}");
        assert!(said(&output).contains("read_tenants"), "{}", said(&output));
    }
}

#[test]
fn a_listing_says_where_the_key_sees_only_some_collections() {
    let builder = Sandbox::builder().seeded("Article", 3, 2, 1).seeded("Book", 3, 2, 1);
    let builder = builder.key("rootkey", "root", Role::Root).key("onekey", "one", Role::Shown("Book"));
    let stage = Stage::new(builder.key("nokey", "no", Role::Only(&["read_roles"])));
    for (key, listed, partial) in [("rootkey", 2, false), ("onekey", 1, true), ("nokey", 0, true)] {
        let output = with_key(&stage, key, &["col", "ls", "--json"]);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let collections = document["collections"].as_array().expect("a list");
        assert_eq!((collections.len(), &document["is_partial"]), (listed, &json!(partial)), "{key}: {document}");
        assert_eq!(said(&output).contains("read_collections"), partial, "{key}: {}", said(&output));
    }
}

#[test]
fn a_dry_run_of_a_backup_does_not_promise_tenants_that_the_key_may_not_activate() {
    let stage = night();
    let text = ends(&stage, "daykey", &["col", "backup", "Mt", "--dry-run"], 3);
    assert!(text.contains("2 inactive tenants (b first), which cannot be activated"), "{text}");
    assert!(!text.contains("would be activated"), "{text}");
    assert!(ends(&stage, "rootkey", &["col", "backup", "Mt", "--dry-run"], 0).contains("would be activated"));
}

#[test]
fn what_goes_as_a_whole_does_not_take_tenants_along_that_the_key_does_not_see() {
    let stage = seen_in_part();
    let before = states(&stage);
    for command in [&CLEAR[..], &["col", "clear", "Mt", "--yes"], &["col", "rm", "Mt", "--yes"]] {
        ends(&stage, "partkey", command, 4);
    }
    let text = ends(&stage, "partkey", &["col", "clear", "Mt", "--yes", "--method", "recreate"], 4);
    settled(&stage).bind(|| insta::assert_snapshot!("a_clear_that_sees_some_tenants", text));
    is_untouched(&stage, &before);
    ends(&stage, "partkey", &["col", "clear", "Mt", "--yes", "--tenant", "a"], 0);
    assert_eq!((states(&stage), counts(&stage, &["a", "c"])), (before, vec![0, 5]));
}
