//! `col clear --resume`: the last clear, if it was stopped, is carried on by its own journal, and asks as any clear does.

use std::time::Duration;

use sandbox::{Fault, Kind, Sandbox};

use crate::support::binary::{Stage, said};

/// Two collections, and a clear of both that was stopped when the first was empty.
fn stopped(method: &str) -> (Stage, String) {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 3, 7).seeded("Author", 40, 3, 8));
    let faults = stage.sandbox.faults();
    let (verb, path) = if method == "delete" { ("DELETE", "/v1/batch/objects") } else { ("DELETE", "/v1/schema/") };
    let author = Fault::new(Kind::status(401, "")).on(verb, path).after(2);
    faults.add(author);
    let output = stage.run(&["col", "clear", "Article", "Author", "--yes", "--method", method]);
    faults.clear();
    assert_eq!(output.status.code(), Some(5), "{method}: {}", said(&output));
    let said = said(&output);
    assert!(said.contains("--resume` carries it on from here"), "{said}");
    (stage, said)
}

#[test]
fn what_is_left_is_emptied_by_the_line_that_is_said() {
    for method in ["delete", "recreate"] {
        let (stage, words) = stopped(method);
        let line = words.split('`').find(|part| part.starts_with("elysiactl ")).expect("a command").to_owned();
        assert_eq!(line, format!("elysiactl col clear Article Author --method {method} --resume"));
        let mut arguments: Vec<&str> = line.split(' ').skip(1).collect();
        let without = stage.run(&arguments);
        assert_eq!(without.status.code(), Some(4), "it asks again: {}", said(&without));
        arguments.push("--yes");
        let output = stage.run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{method}: {}", said(&output));
        assert!(said(&output).contains("Carries on run "), "{}", said(&output));
        assert_eq!((stage.sandbox.count("Article", None), stage.sandbox.count("Author", None)), (0, 0), "{method}");
        assert_eq!(stage.sandbox.collections(), ["Article", "Author"], "{method}");
        let again = stage.run(&["col", "clear", "--resume", "--yes"]);
        assert_eq!(again.status.code(), Some(4), "nothing is left: {}", said(&again));
        assert!(said(&again).contains("no unfinished clear on this server to carry on"), "{}", said(&again));
    }
}

#[test]
fn a_clear_of_one_tenant_that_is_carried_on_twice_leaves_the_other_tenants_alone() {
    let builder = Sandbox::builder().collection(r#"{"class":"Mt","multiTenancyConfig":{"enabled":true}}"#);
    let builder = ["a", "b"].into_iter().fold(builder, |builder, tenant| {
        let id = "00000000-0000-0000-0000-000000000001";
        let object = format!(r#"{{"class":"Mt","id":"{id}","tenant":"{tenant}","properties":{{}},"vector":[1]}}"#);
        builder.tenant("Mt", tenant, "HOT").object(&object)
    });
    let stage = Stage::new(builder);
    stage.sandbox.faults().add(Fault::new(Kind::status(401, "")).on("DELETE", "/v1/batch/objects"));
    let output = stage.run(&["col", "clear", "Mt", "--tenant", "a", "--yes", "--method", "delete"]);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    stage.sandbox.faults().clear();
    let counts = || ["a", "b"].map(|tenant| stage.sandbox.count("Mt", Some(tenant)));
    for code in [0, 4, 4] {
        let output = stage.run(&["col", "clear", "Mt", "--resume", "--yes"]);
        assert_eq!((output.status.code(), counts()), (Some(code), [0, 1]), "{}", said(&output));
    }
}

#[test]
fn without_names_those_of_the_last_clear_are_meant_and_must_be_agreed_to() {
    let (stage, _) = stopped("delete");
    let left = stage.sandbox.count("Article", None) + stage.sandbox.count("Author", None);
    assert!(left > 0);
    stage.sandbox.clear_requests();
    let nobody = stage.run(&["col", "clear", "--resume", "--yes"]);
    assert_eq!((nobody.status.code(), stage.sandbox.writing_requests()), (Some(4), 0), "{}", said(&nobody));
    let dry = stage.run(&["col", "clear", "--resume", "--dry-run"]);
    assert_eq!((dry.status.code(), stage.sandbox.writing_requests()), (Some(0), 0), "{}", said(&dry));
    let output = stage.run(&["col", "clear", "--resume", "--yes", "--expect-count", &left.to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(stage.sandbox.count("Article", None) + stage.sandbox.count("Author", None), 0);
}

#[test]
fn what_was_to_be_deleted_by_ids_is_not_dropped_by_the_run_that_carries_it_on() {
    // So many that a clear which chooses for itself drops the collection.
    let stage = Stage::new(Sandbox::builder().seeded("Article", 1_500, 3, 7));
    stage.sandbox.faults().add(Fault::new(Kind::status(401, "")).on("DELETE", "/v1/batch/objects").after(1));
    let output = stage.run(&["col", "clear", "Article", "--yes", "--method", "delete"]);
    stage.sandbox.faults().clear();
    assert_eq!((output.status.code(), stage.sandbox.count("Article", None)), (Some(5), 1_500), "{}", said(&output));
    stage.sandbox.clear_requests();
    let output = stage.run(&["col", "clear", "--resume", "--yes", "--expect-count", "1500"]);
    assert_eq!((output.status.code(), stage.sandbox.count("Article", None)), (Some(0), 0), "{}", said(&output));
    let drops = |seen: &sandbox::Seen| seen.method == "DELETE" && seen.path == "/v1/schema/Article";
    assert!(!stage.sandbox.requests().iter().any(drops), "it was dropped");
}

#[test]
fn another_collection_than_it_was_about_is_refused() {
    let (stage, _) = stopped("delete");
    stage.sandbox.clear_requests();
    let output = stage.run(&["col", "clear", "Other", "--resume", "--yes"]);
    assert_eq!((output.status.code(), stage.sandbox.writing_requests()), (Some(4), 0), "{}", said(&output));
    assert!(said(&output).contains("it was to empty Article, Author"), "{}", said(&output));
}

#[test]
fn a_collection_that_was_dropped_when_it_was_killed_is_made_again() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 3, 7));
    stage.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/schema").after(1));
    let mut child =
        stage.command(&["col", "clear", "Article", "--yes", "--method", "recreate"]).spawn().expect("a child");
    let gone = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        stage.sandbox.collections().is_empty()
    });
    child.kill().expect("killed");
    child.wait().expect("an end");
    assert!(gone, "it was dropped");
    stage.sandbox.faults().clear();
    let output = stage.run(&["col", "clear", "--resume", "--yes", "--expect-count", "0"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!((stage.sandbox.collections(), stage.sandbox.count("Article", None)), (vec!["Article".to_owned()], 0));
}
