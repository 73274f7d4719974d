//! `col clear --resume`: the last clear, if it was stopped, is resumed by its own journal, and asks as any clear does.

use std::time::Duration;

use sandbox::{Change, Fault, Kind, Sandbox};

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
    assert!(said.contains("--resume` resumes it from here"), "{said}");
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
        assert!(said(&output).contains("Resumes run "), "{}", said(&output));
        assert_eq!((stage.sandbox.count("Article", None), stage.sandbox.count("Author", None)), (0, 0), "{method}");
        assert_eq!(stage.sandbox.collections(), ["Article", "Author"], "{method}");
        let again = stage.run(&["col", "clear", "--resume", "--yes"]);
        assert_eq!(again.status.code(), Some(4), "nothing is left: {}", said(&again));
        assert!(said(&again).contains("no unfinished clear on this server to resume"), "{}", said(&again));
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
    let other = stage.run(&["col", "clear", "Mt", "--tenant", "b", "--resume", "--yes"]);
    assert_eq!(other.status.code(), Some(4), "{}", said(&other));
    assert!(said(&other).contains("of the tenants a"), "{}", said(&other));
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
    let output = stage.run(&["col", "clear", "Article", "--tenant", "a", "--resume", "--yes"]);
    assert!(output.status.code() == Some(4) && said(&output).contains("of all tenants"), "{}", said(&output));
    stage.sandbox.clear_requests();
    let output = stage.run(&["col", "clear", "Other", "--resume", "--yes"]);
    assert_eq!((output.status.code(), stage.sandbox.writing_requests()), (Some(4), 0), "{}", said(&output));
    assert!(said(&output).contains("it was to empty Article, Author"), "{}", said(&output));
}

/// A clear that is killed when it has dropped a collection.
fn killed(stage: &Stage, names: &[&str], dropped: &str) {
    stage.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/schema").after(names.len() as u64));
    let arguments: Vec<&str> = ["col", "clear"].iter().chain(names).copied().collect();
    let mut child =
        stage.command(&[&arguments[..], &["--yes", "--method", "recreate"]].concat()).spawn().expect("a child");
    let gone = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        !stage.sandbox.collections().iter().any(|there| there == dropped)
    });
    child.kill().expect("killed");
    child.wait().expect("an end");
    stage.sandbox.faults().clear();
    assert!(gone, "it was dropped");
}

/// A collection of one object, and one that refers to it.
fn referring(from: &str, to: &str) -> Stage {
    let referring =
        format!(r#"{{"class":"{from}","vectorizer":"none","properties":[{{"name":"to","dataType":["{to}"]}}]}}"#);
    let object =
        format!(r#"{{"class":"{to}","id":"00000000-0000-0000-0000-000000000001","properties":{{}},"vector":[1]}}"#);
    let referred = format!(r#"{{"class":"{to}","vectorizer":"none"}}"#);
    Stage::new(Sandbox::builder().collection(&referred).collection(&referring).object(&object))
}

#[test]
fn what_refers_to_a_collection_that_was_dropped_when_it_was_killed_is_emptied_after_it() {
    let stage = referring("Book", "Author");
    killed(&stage, &["Author", "Book"], "Author");
    let output = stage.run(&["col", "clear", "--method", "recreate", "--resume", "--yes", "--expect-count", "0"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!((stage.sandbox.collections().join(" "), stage.sandbox.count("Author", None)), ("Author Book".into(), 0));
}

#[test]
fn what_is_gone_is_made_again_before_what_refers_to_it_is_dropped() {
    let stage = referring("Alpha", "Zed");
    killed(&stage, &["Zed"], "Zed");
    let output = stage.run(&["col", "clear", "Alpha", "Zed", "--yes", "--method", "recreate"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!((stage.sandbox.collections().join(" "), stage.sandbox.count("Zed", None)), ("Alpha Zed".into(), 0));
}

#[test]
fn a_collection_that_was_dropped_when_it_was_killed_is_made_again() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 3, 7));
    killed(&stage, &["Article"], "Article");
    let output = stage.run(&["col", "clear", "--resume", "--yes", "--expect-count", "0"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!((stage.sandbox.collections(), stage.sandbox.count("Article", None)), (vec!["Article".to_owned()], 0));
}

#[test]
fn what_somebody_created_since_a_killed_run_dropped_it_is_not_emptied_by_a_resume() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 3, 7));
    let class = r#"{"class":"Article","properties":[{"name":"title","dataType":["text"]}]}"#;
    stage.sandbox.faults().now(&Change::CreatorAfterDrop("Article".to_owned(), class.to_owned()));
    let output = stage.run(&["col", "clear", "Article", "--yes", "--method", "recreate", "--no-rehearsal"]);
    assert!(said(&output).contains("somebody else created one of that name"), "{}", said(&output));
    let resume = ["col", "clear", "Article", "--method", "recreate", "--resume", "--yes"];
    let object = r#"{"class":"Article","id":"00000000-0000-4000-8000-000000000001","properties":{"title":"theirs"},"vector":[1,2,3]}"#;
    stage.sandbox.faults().now(&Change::Write(object.to_owned()));
    stage.sandbox.clear_requests();
    let output = stage.run(&resume);
    assert_eq!((output.status.code(), stage.sandbox.writing_requests()), (Some(4), 0), "{}", said(&output));
    assert!(said(&output).contains("written since, by somebody else: it holds 1 object"), "{}", said(&output));
    assert_eq!(stage.sandbox.count("Article", None), 1);
    let meant = stage.run(&["col", "clear", "Article", "--method", "recreate", "--yes"]);
    assert_eq!((meant.status.code(), stage.sandbox.count("Article", None)), (Some(0), 0), "{}", said(&meant));
}
