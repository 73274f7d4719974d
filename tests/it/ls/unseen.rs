//! What a key may not see is said not to be known, and never taken for nothing; and `-q` still says why a run ends with 3.

use std::process::Output;

use elysiactl::archive::{Disk, OsDisk};
use sandbox::{Change, Fault, Kind, Role, Sandbox};

use crate::support::binary::{Stage, said};
use crate::support::shown::settled;

fn with_key(stage: &Stage, key: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        stage.command(arguments).env("WEAVIATE_API_KEY", key).output().expect("the binary runs");
    (status.code(), String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned())
}

const HIDDEN: &str = "its aliases are not known: the key may not see them all (read_aliases)";

/// A collection with an alias; one key sees it, the other does not.
fn stage() -> Stage {
    let builder = Sandbox::builder().seeded("Article", 5, 2, 1).seeded("Book", 3, 2, 1).alias("Current", "Article");
    let builder = builder.key("rootkey", "root", Role::Root).key("blindkey", "blind", Role::Without("read_aliases"));
    Stage::new(builder.key("nokey", "no", Role::None))
}

#[test]
fn aliases_that_the_key_may_not_see_are_not_said_to_be_none() {
    let stage = stage();
    let (code, text, _) = with_key(&stage, "blindkey", &["col", "show", "Article"]);
    assert_eq!(code, Some(0), "{text}");
    settled(&stage).bind(|| insta::assert_snapshot!("one_whose_aliases_are_hidden", text));
    for (key, aliases, seen) in [("blindkey", "null", "[]"), ("rootkey", "[\"Current\"]", "[\"Current\"]")] {
        let (_, text, _) = with_key(&stage, key, &["col", "show", "Article", "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((shown["aliases"].to_string(), shown["aliases_seen"].to_string()), (aliases.into(), seen.into()));
    }
    let (_, text, _) = with_key(&stage, "rootkey", &["col", "show", "Book"]);
    assert!(text.contains("Aliases     none\n"), "{text}");
    for verb in ["rm", "clear"] {
        let (code, text, _) = with_key(&stage, "blindkey", &["col", verb, "Article", "--dry-run"]);
        assert!(code == Some(0) && text.contains(HIDDEN), "{verb}: {text}");
        let (code, text, _) = with_key(&stage, "rootkey", &["col", verb, "Article", "--dry-run"]);
        assert!(code == Some(0) && text.contains("alias Current") && !text.contains("not known"), "{verb}: {text}");
    }
}

#[test]
fn a_collection_that_a_hidden_alias_may_keep_from_coming_back_is_not_dropped_unless_that_is_meant() {
    let builder = Sandbox::builder().seeded("Article", 1_200, 2, 1).seeded("Book", 3, 2, 1).alias("ARTICLE", "Book");
    let blind = Role::Without("read_aliases");
    let stage = Stage::new(builder.key("rootkey", "root", Role::Root).key("blindkey", "blind", blind));
    let plan =
        |key: &str, flags: &[&str]| with_key(&stage, key, &[&["col", "clear", "Article", "--dry-run"], flags].concat());
    let (code, text, _) = plan("rootkey", &["--method", "recreate"]);
    assert_eq!(code, Some(4), "seen, and refused: {text}");
    let (code, text, _) = plan("blindkey", &["--method", "recreate"]);
    assert_eq!(code, Some(0), "{text}");
    settled(&stage).bind(|| insta::assert_snapshot!("a_drop_that_a_hidden_alias_may_hinder", text));
    let (code, text, _) = plan("blindkey", &[]);
    assert_eq!(code, Some(0), "{text}");
    settled(&stage).bind(|| insta::assert_snapshot!("a_deletion_as_an_alias_may_be_hidden", text));
    let (code, text, more) = with_key(&stage, "blindkey", &["col", "clear", "Article", "-y"]);
    assert_eq!(code, Some(0), "{text}{more}");
    assert_eq!((stage.sandbox.collections().len(), stage.sandbox.objects("Article", None).len()), (2, 0));
}

#[test]
fn a_plan_that_shows_what_is_there_says_that_its_aliases_are_not_known() {
    let stage = stage();
    assert_eq!(with_key(&stage, "rootkey", &["col", "backup", "-q", "Article"]).0, Some(0));
    let archive = stage.made().remove(0);
    let restore = ["col", "restore", archive.to_str().expect("text"), "--dry-run"];
    let (code, text, more) = with_key(&stage, "blindkey", &restore);
    assert_eq!(code, Some(4), "{text}{more}");
    assert!(format!("{text}{more}").contains(&format!("its schema is the archive's; {HIDDEN}")), "{text}{more}");
    let (_, text, more) = with_key(&stage, "rootkey", &restore);
    assert!(format!("{text}{more}").contains("its schema is the archive's; alias Current\n"), "{text}{more}");
}

#[test]
fn a_removal_names_the_alias_that_stands_for_nothing_now() {
    let stage = stage();
    let (code, text, _) = with_key(&stage, "rootkey", &["col", "rm", "Article", "-y"]);
    assert_eq!(code, Some(0), "{text}");
    settled(&stage).bind(|| insta::assert_snapshot!("an_alias_of_nothing", text));
    let (code, text, _) = with_key(&stage, "blindkey", &["col", "rm", "Book", "-y"]);
    assert_eq!(code, Some(0), "{text}");
    settled(&stage).bind(|| insta::assert_snapshot!("hidden_aliases_of_nothing", text));
}

#[test]
fn an_empty_listing_says_that_the_key_may_see_none() {
    let stage = stage();
    for flags in [&[][..], &["--json"]] {
        let (code, _, warned) = with_key(&stage, "nokey", &[&["col", "ls"], flags].concat());
        assert_eq!(code, Some(0), "{warned}");
        assert!(warned.contains("the server has none, or the key's roles show it none"), "{warned}");
    }
    let (_, _, warned) = with_key(&stage, "rootkey", &["col", "ls"]);
    assert_eq!(warned, "");
}

#[test]
fn a_quiet_run_that_ends_with_3_says_why_in_one_line() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 5, 2, 1));
    let archive = stage.backup();
    let verify = |flags: &[&str]| {
        let command = [&["col", "verify", archive.to_str().expect("text")], flags].concat();
        stage.run(&command)
    };
    assert_eq!(said(&verify(&["-q"])), "", "nothing is wrong yet");
    let first = stage.sandbox.objects("Article", None).remove(0);
    let object: serde_json::Value = serde_json::from_str(&first).expect("JSON");
    let id = object["id"].as_str().expect("an id").to_owned();
    stage.sandbox.faults().now(&Change::Delete("Article".into(), None, id));
    let output = verify(&["-q"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{}", said(&output));
    let line = said(&output);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.starts_with("warning: differences found: 1 collection"), "{line}");
    assert!(line.ends_with("; 1 object in the archive and not on the server\n"), "{line}");
    assert_eq!(said(&verify(&["-q", "--json"])), "", "the events say it");
}

#[test]
fn a_key_for_another_pair_of_variables_is_not_sent_and_the_hint_names_the_right_one() {
    let stage = stage();
    let mut command = stage.command(&["col", "ls"]);
    command.env_remove("WEAVIATE_URL").env("WCD_URL", stage.sandbox.url()).env("WEAVIATE_API_KEY", "rootkey");
    let output = command.output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    settled(&stage).bind(|| insta::assert_snapshot!("a_key_for_another_pair", said(&output)));
    let output = command.env("WCD_API_KEY", "rootkey").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_backup_that_another_run_works_on_is_not_to_be_carried_on() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 2, 1));
    stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", "/v1/objects").after(2));
    let output = stage.run(&["col", "backup", "--batch-size", "10", "--jobs", "1"]);
    settled(&stage).bind(|| insta::assert_snapshot!("a_backup_that_can_be_carried_on", said(&output)));
    stage.sandbox.faults().clear();
    let archive = stage.made().remove(0);
    let held = OsDisk.lock(&archive.join(".lock")).expect("a lock").expect("free");
    let resume = format!("--resume={}", archive.display());
    let output = stage.run(&["col", "backup", &resume]);
    assert_eq!(output.status.code(), Some(8), "{}", said(&output));
    settled(&stage).bind(|| insta::assert_snapshot!("a_backup_that_another_run_holds", said(&output)));
    drop(held);
}
