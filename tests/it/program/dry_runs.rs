//! Dry runs of every verb: they tell the whole plan, never look like runs, and send nothing that writes.

use std::process::Output;

use sandbox::Sandbox;
use serde_json::Value;

use crate::support::binary::{Stage, lines, said};
use crate::support::shown::{settled, shown};

fn stage() -> Stage {
    Stage::new(Sandbox::builder().seeded("Article", 40, 4, 7).seeded("Chat", 3, 4, 8).alias("Now", "Article"))
}

fn ends(stage: &Stage, arguments: &[&str], code: i32) -> Output {
    let output = stage.run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    output
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn event(output: &Output, name: &str) -> Value {
    lines(&output.stdout).into_iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn in_json_no_dry_run_looks_like_a_run() {
    let stage = stage();
    let archive = stage.backup();
    stage.sandbox.clear_requests();
    let archive = archive.to_str().expect("text");
    for (arguments, code) in [
        (&["col", "backup", "--dry-run"][..], 0),
        (&["col", "restore", archive, "--dry-run", "--rename", "Article=A2", "--rename", "Chat=C2"], 0),
        (&["col", "restore", archive, "--dry-run"], 4),
        (&["col", "rm", "Article", "--dry-run"], 0),
        (&["col", "clear", "Article", "--dry-run"], 0),
        (&["col", "clear", "Nothing", "--dry-run"], 4),
        (&["col", "create", "New", "--dry-run"], 0),
    ] {
        let output = ends(&stage, &[arguments, &["--json"]].concat(), code);
        for name in ["run_started", "run_finished"] {
            assert_eq!(event(&output, name)["dry_run"], true, "{arguments:?}");
        }
        assert_eq!(event(&output, "run_finished")["objects_per_second"], 0.0, "{arguments:?}");
    }
    assert_eq!(stage.sandbox.writing_requests(), 0);
    let output = ends(&stage, &["col", "backup", "--dry-run", "--json"], 0);
    let end = event(&output, "run_finished");
    assert_eq!(end["archive"], Value::Null);
    let planned = end["planned_archive"].as_str().expect("a place");
    assert!(planned.contains("all_full_") && !std::path::Path::new(planned).exists(), "{planned}");
    let run = ends(&stage, &["col", "backup", "--json"], 0);
    let end = event(&run, "run_finished");
    assert_eq!((&end["dry_run"], &end["planned_archive"]), (&Value::Bool(false), &Value::Null));
    assert!(std::path::Path::new(end["archive"].as_str().expect("an archive")).is_dir());
}

#[test]
fn on_the_server_that_still_has_it_the_whole_plan_is_shown_before_the_refusal() {
    let stage = stage();
    stage.backup();
    ends(&stage, &["col", "rm", "Chat", "--yes", "-q"], 0);
    stage.sandbox.clear_requests();
    let output = ends(&stage, &["col", "restore", "--latest", "--dry-run"], 4);
    settled(&stage).bind(|| insta::assert_snapshot!("a_whole_plan_before_the_refusal", shown(&output)));
    assert_eq!(stage.sandbox.writing_requests(), 0);

    let output = ends(&stage, &["col", "restore", "--latest", "--dry-run", "--json"], 4);
    let plan = event(&output, "restore_planned");
    let of = |at: usize| &plan["collections"][at];
    assert_eq!(
        (&of(0)["name"], &of(0)["action"], &of(0)["objects_read"]),
        (&"Article".into(), &"refuse".into(), &true.into())
    );
    assert_eq!((&of(0)["there"]["objects"], &of(0)["there"]["aliases"][0]), (&40.into(), &"Now".into()));
    assert_eq!((&of(1)["action"], &of(1)["there"], &of(1)["objects"]), (&"create".into(), &Value::Null, &3.into()));
    assert_eq!((&plan["refusals"][0]["kind"], &plan["refusals"][0]["there"]), (&"exists".into(), &"Article".into()));
    assert_eq!(event(&output, "run_finished")["status"], "refused");
}

#[test]
fn what_differs_in_the_schema_that_is_there_is_named_property_by_property() {
    let stage = Stage::new(Sandbox::builder().collection(
        r#"{"class":"Part","vectorizer":"none","properties":[{"name":"a","dataType":["text"]},{"name":"b","dataType":["int"]}]}"#,
    ));
    stage.backup();
    ends(&stage, &["col", "rm", "Part", "--yes", "-q"], 0);
    ends(&stage, &["col", "create", "Part", "--property", "a:int", "--property", "c:text", "-y", "-q"], 0);
    let output = ends(&stage, &["col", "restore", "--latest", "--dry-run"], 4);
    settled(&stage).bind(|| insta::assert_snapshot!("a_schema_that_differs", shown(&output)));
}

#[test]
fn a_run_that_is_refused_shows_its_plan_and_reads_no_objects_for_it() {
    let stage = stage();
    stage.backup();
    let output = ends(&stage, &["col", "restore", "--latest"], 4);
    settled(&stage).bind(|| insta::assert_snapshot!("a_refused_run_with_its_plan", shown(&output)));
    let output = ends(&stage, &["col", "restore", "--latest", "--json"], 4);
    assert_eq!(event(&output, "restore_planned")["collections"][0]["objects_read"], false);
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn a_backup_of_schemas_and_a_restore_without_an_archive_in_a_row_are_a_plan() {
    let stage = stage();
    let output = ends(&stage, &["col", "backup", "--schema-only"], 0);
    settled(&stage).bind(|| insta::assert_snapshot!("a_backup_of_schemas", shown(&output)));
    let output = ends(&stage, &["col", "restore", "--dry-run"], 4);
    settled(&stage).bind(|| insta::assert_snapshot!("a_plan_for_the_newest_of_schemas", shown(&output)));
    for name in ["Article", "Chat"] {
        ends(&stage, &["col", "rm", name, "--yes", "-q"], 0);
    }
    let output = ends(&stage, &["col", "restore", "--dry-run"], 0);
    assert!(printed(&output).starts_with("Would restore 2 collections"), "{}", printed(&output));
    // A real one goes on asking for a choice.
    ends(&stage, &["col", "restore"], 2);
    ends(&stage, &["col", "restore", "--latest"], 4);
}

#[test]
fn an_archive_without_vectors_is_named_so_never_latest_and_announced() {
    let stage = stage();
    let full = stage.backup();
    let output = ends(&stage, &["col", "backup", "--skip-vectors", "--json"], 0);
    let archive = event(&output, "run_finished")["archive"].as_str().expect("an archive").to_owned();
    assert!(archive.contains("all_no-vectors_"), "{archive}");
    let names = ["--rename", "Article=A2", "--rename", "Chat=C2", "--dry-run"];
    let latest = ends(&stage, &[&["col", "restore", "--latest"][..], &names].concat(), 0);
    assert!(printed(&latest).contains(full.file_name().and_then(|name| name.to_str()).expect("text")));
    let without = ends(&stage, &[&["col", "restore", &archive][..], &names].concat(), 0);
    settled(&stage).bind(|| insta::assert_snapshot!("a_plan_without_vectors", shown(&without)));
    std::fs::remove_dir_all(&full).expect("removed");
    let none = ends(&stage, &["col", "restore", "--latest"], 4);
    settled(&stage).bind(|| insta::assert_snapshot!("nothing_latest_without_vectors", shown(&none)));
    let skipped = ends(&stage, &[&["col", "restore", "--latest", "--skip-vectors"][..], &names].concat(), 0);
    assert!(printed(&skipped).contains("_no-vectors_"), "{}", printed(&skipped));
}

#[test]
fn a_plan_of_tenants_says_which_are_activated_and_counts_none_as_nothing() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 5, 3, 4).in_tenants(4));
    let output = ends(&stage, &["col", "backup", "--dry-run"], 0);
    settled(&stage).bind(|| insta::assert_snapshot!("a_plan_of_tenants", shown(&output)));
    assert_eq!(stage.sandbox.writing_requests(), 0);
    let output = ends(&stage, &["col", "backup", "--dry-run", "--json"], 0);
    assert_eq!(event(&output, "run_finished")["collections"][0]["tenants"], 4);
}

#[test]
fn a_name_is_found_by_one_rule_and_what_it_was_taken_for_is_said() {
    let stage = stage();
    let archive = stage.backup();
    let archive = archive.to_str().expect("text");
    for typed in ["article", "Now"] {
        let output = ends(&stage, &["col", "backup", typed, "--json"], 0);
        assert_eq!(event(&output, "run_finished")["collections"][0]["name"], "Article");
        let output = ends(&stage, &["col", "backup", typed], 0);
        assert!(said(&output).contains("Article"), "{}", said(&output));
        assert!(printed(&ends(&stage, &["col", "ls", typed], 0)).contains("Article"));
        assert!(printed(&ends(&stage, &["col", "show", typed], 0)).contains("Article"));
    }
    ends(&stage, &["col", "verify", archive, "--only", "article"], 0);
    ends(&stage, &["archive", "cat", archive, "article"], 0);
    ends(&stage, &["col", "restore", archive, "--only", "article", "--name", "A2", "--dry-run"], 0);
    stage.sandbox.clear_requests();
    // What removes is told the collection itself, in full.
    for verb in ["rm", "clear"] {
        let alias = ends(&stage, &["col", verb, "Now", "--yes"], 4);
        assert!(said(&alias).contains("it is an alias of Article"), "{}", said(&alias));
        let loose = ends(&stage, &["col", verb, "article", "--yes"], 4);
        assert!(said(&loose).contains("there is no article: Article is taken for it"), "{}", said(&loose));
        assert!(said(&loose).contains("--yes covers only names typed in full"), "{}", said(&loose));
        ends(&stage, &["col", verb, "ARTICLE", "--yes"], 4);
    }
    assert_eq!(stage.sandbox.writing_requests(), 0);
    ends(&stage, &["col", "rm", "article", "--yes", "--expect-count", "40"], 0);
    assert_eq!(stage.sandbox.collections(), ["Chat"]);
}

#[test]
fn a_backup_of_what_is_not_counted_is_not_announced_as_one_of_no_objects() {
    let class = r#"{"class":"Mt","multiTenancyConfig":{"enabled":true}}"#;
    let object =
        r#"{"class":"Mt","id":"00000000-0000-0000-0000-000000000001","tenant":"a","properties":{},"vector":[1]}"#;
    let builder =
        Sandbox::builder().seeded("Article", 40, 4, 7).collection(class).tenant("Mt", "a", "HOT").object(object);
    let stage = Stage::new(builder);
    let inactive = sandbox::Change::Tenant("Mt".into(), "a".into(), Some("COLD"));
    stage.sandbox.faults().now(&inactive);
    let output = ends(&stage, &["col", "backup", "--dry-run"], 0);
    settled(&stage).bind(|| insta::assert_snapshot!("a_plan_of_what_is_not_counted", shown(&output)));
    let end = event(&ends(&stage, &["col", "backup", "--dry-run", "--json"], 0), "run_finished");
    let counted = |at: usize| end["collections"][at]["counts_verified"].clone();
    assert_eq!((counted(0), counted(1)), (Value::Null, Value::Bool(false)), "{end}");
}

#[test]
fn a_restore_that_cannot_write_values_back_says_so_beside_what_it_compared() {
    let class = r#"{"class":"Hashed","vectorizer":"none","properties":[
        {"name":"t","dataType":["text"]},{"name":"h","dataType":["blobHash"]}]}"#;
    let object =
        r#"{"class":"Hashed","id":"00000000-0000-0000-0000-000000000001","properties":{"t":"x","h":"aGVsbG8="}}"#;
    let stage = Stage::new(Sandbox::builder().collection(class).object(object));
    let archive = stage.backup();
    let arguments = ["col", "restore", archive.to_str().expect("text"), "--name", "Copy"];
    let plan = ends(&stage, &[&arguments[..], &["--dry-run"]].concat(), 0);
    settled(&stage).bind(|| insta::assert_snapshot!("a_plan_without_values_of_blob_hashes", shown(&plan)));
    let done = ends(&stage, &[&arguments[..], &["--yes"]].concat(), 0);
    settled(&stage).bind(|| insta::assert_snapshot!("a_restore_without_values_of_blob_hashes", shown(&done)));
}

#[test]
fn a_reference_that_a_rename_leads_away_says_where_to_and_how_it_stays() {
    let stage = stage_with_reference();
    let archive = stage.backup();
    let restore = ["col", "restore", archive.to_str().expect("text"), "--only", "Author", "--dry-run"];
    let refused =
        "refused: wrote refers to Article, here R_Article by --rename, which is neither chosen nor on the server";
    let keeps = "--rename Article=Article keeps what is referred to under its own name, if the server has that";
    for (renames, name) in [(&["*=R_*"][..], "R_Article"), (&["Author=R_Author", "Article=R2"], "R2")] {
        let renames: Vec<&str> = renames.iter().flat_map(|rename| ["--rename", *rename]).collect();
        let output = ends(&stage, &[&restore[..], &renames].concat(), 4);
        assert!(printed(&output).contains(&refused.replace("R_Article", name)), "{}", printed(&output));
        assert!(said(&output).contains(keeps), "{}", said(&output));
    }
    ends(&stage, &[&restore[..], &["--rename", "*=R_*", "--rename", "Article=Article"]].concat(), 0);
    let output = ends(&stage, &restore, 4);
    assert!(!said(&output).contains("by --rename") && !said(&output).contains("keeps what"), "{}", said(&output));
}

fn stage_with_reference() -> Stage {
    let author = r#"{"class":"Author","vectorizer":"none","properties":[{"name":"wrote","dataType":["Article"]}]}"#;
    Stage::new(Sandbox::builder().collection(r#"{"class":"Article","vectorizer":"none"}"#).collection(author))
}

#[test]
fn a_tenant_that_is_there_can_be_given_another_name_whichever_flag_named_it() {
    let many = r#"{"class":"Mt","vectorizer":"none","multiTenancyConfig":{"enabled":true}}"#;
    let plain = r#"{"class":"Plain","vectorizer":"none"}"#;
    let stage = Stage::new(Sandbox::builder().collection(plain).collection(many).tenant("Mt", "m1", "HOT"));
    let archive = stage.backup();
    let restore = ["col", "restore", archive.to_str().expect("text"), "--dry-run"];
    for tenants in
        [&["--only", "Plain", "--name", "Mt", "--into-tenant", "m1"][..], &["--only", "Mt", "--tenant", "m1"]]
    {
        let output = ends(&stage, &[&restore[..], tenants].concat(), 4);
        let hint = "hint: give it another name: --tenant OLD=NEW, or --into-tenant NEW";
        assert!(said(&output).contains(hint), "{}", said(&output));
    }
}

#[test]
fn a_folder_of_archives_is_no_archive_and_how_all_of_them_are_checked_is_said() {
    let stage = stage();
    let archive = stage.backup();
    let folder = archive.parent().expect("a folder").to_str().expect("text");
    let output = ends(&stage, &["archive", "check", folder], 6);
    let hint = "`elysiactl archive check FOLDER/*` checks all archives of a folder";
    assert!(said(&output).contains("is not an archive") && said(&output).contains(hint), "{}", said(&output));
}
