//! `col create` through the binary: flags, files, stdin, the question, exit codes and `--json`.

use std::io::Write;
use std::process::{Output, Stdio};

use sandbox::Sandbox;

use crate::support::binary::{Stage, lines, said};
use crate::support::shown::settled;

const DOCUMENT: &str = r#"{"class":"Article","vectorizer":"none","properties":[{"name":"title","dataType":["text"]}]}"#;

fn stage() -> Stage {
    let stage = Stage::new(Sandbox::builder().seeded("Taken", 1, 2, 3));
    std::fs::write(stage.folder.path().join("schema.json"), DOCUMENT).expect("a file");
    stage
}

fn ends(stage: &Stage, arguments: &[&str], code: i32) -> (String, String) {
    let output = stage.run(&[&["col", "create"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    (String::from_utf8_lossy(&output.stdout).into_owned(), said(&output))
}

fn with_stdin(stage: &Stage, arguments: &[&str], text: &str) -> Output {
    let mut command = stage.command(&[&["col", "create"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    child.stdin.take().expect("its stdin").write_all(text.as_bytes()).expect("written");
    child.wait_with_output().expect("it ends")
}

#[test]
fn what_editors_and_older_schemas_hold_is_taken_as_the_server_takes_it() {
    let stage = stage();
    let document = r#"{"class":"Old","vectorizer":"none","properties":[{"name":"Title","dataType":["string"]},{"name":"Tags","dataType":["string[]"],"tokenization":"field"}]}"#;
    let file = stage.folder.path().join("old.json");
    std::fs::write(&file, format!("\u{feff}{document}")).expect("a file");
    let (_, said) = ends(&stage, &["--schema-file", "old.json", "--dry-run"], 0);
    assert_eq!(said, "");
    let (out, _) = ends(&stage, &["--schema-file", "old.json"], 0);
    settled(&stage).bind(|| insta::assert_snapshot!("an_older_schema", out));
    let (_, words) = ends(&stage, &["Flags", "--property", "Name:text", "--property", "size:int"], 0);
    assert!(!words.contains("error"), "{words}");
    let utf_16: Vec<u8> = [0xff, 0xfe].into_iter().chain(document.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    std::fs::write(&file, utf_16).expect("a file");
    let (_, words) = ends(&stage, &["--schema-file", "old.json"], 2);
    assert!(words.contains("UTF-16"), "{words}");
}

#[test]
fn flags_files_and_stdin_all_do() {
    let stage = stage();
    let (out, _) = ends(&stage, &["Chat", "--property", "text:text", "--property", "to:Taken", "--distance", "dot"], 0);
    settled(&stage).bind(|| insta::assert_snapshot!("one_created_by_flags", out));
    ends(&stage, &["--schema-file", "schema.json"], 0);
    ends(&stage, &["Other", "--schema-file", "schema.json"], 0);
    let output = with_stdin(&stage, &["Piped", "--schema-file", "-"], DOCUMENT);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    std::fs::write(stage.folder.path().join("t.json"), r#"[{"name":"a","activityStatus":"COLD"}]"#).expect("a file");
    let (out, _) = ends(&stage, &["Mt", "--multi-tenant", "--tenants-file", "t.json"], 0);
    settled(&stage).bind(|| insta::assert_snapshot!("one_created_with_tenants", out));
    assert_eq!(stage.sandbox.collections(), ["Article", "Chat", "Mt", "Other", "Piped", "Taken"]);
}

#[test]
fn what_cannot_be_meant_sends_nothing() {
    let stage = stage();
    for (arguments, code) in [
        (&[][..], 2),
        (&["no-name"], 2),
        (&["A", "--property", "a:nothing"], 2),
        (&["--schema-file", "no/such/file"], 2),
        (&["--schema-file", "-", "--tenants-file", "-"], 2),
        (&["--schema-file", "-", "--api-key-file", "-"], 2),
        (&["A", "--tenants-file", "schema.json"], 2),
        (&["taken"], 4),
        (&["A", "--property", "to:Lost"], 4),
        (&["A", "--vectorizer", "text2vec-nothing"], 4),
    ] {
        ends(&stage, arguments, code);
    }
    let (_, said) = ends(&stage, &["Taken"], 4);
    settled(&stage).bind(|| insta::assert_snapshot!("one_that_is_there_already", said));
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn a_dry_run_shows_the_plan_and_sends_nothing() {
    let stage = stage();
    let (out, _) = ends(&stage, &["Copy", "--schema-file", "schema.json", "--dry-run"], 0);
    settled(&stage).bind(|| insta::assert_snapshot!("a_plan_to_create", out));
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn events_tell_what_was_created() {
    let stage = stage();
    let (out, _) = ends(&stage, &["New", "--json"], 0);
    let events = lines(out.as_bytes());
    let names: Vec<&str> = events.iter().filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(names, ["run_started", "plan_made", "collection_started", "collection_finished", "run_finished"]);
    let end = events.last().expect("an end");
    assert_eq!((end["op"].as_str(), end["status"].as_str()), (Some("create"), Some("ok")));
}

#[cfg(unix)]
#[test]
fn at_a_terminal_one_question_is_asked() {
    use crate::support::terminal::Terminal;
    for (answer, code) in [("\n", 0), ("y\n", 0), ("n\n", 4), ("New\n", 4)] {
        let stage = stage();
        let mut terminal = Terminal::open(&stage, &["col", "create", "New", "--property", "title:text"]);
        let plan = terminal.waits_for("[Y/n] ");
        assert!(plan.contains("properties  title text") && plan.contains("Create New on http://"), "{plan}");
        assert_eq!(stage.sandbox.writing_requests(), 0);
        terminal.types(answer);
        let (ended, rest) = terminal.ends();
        assert_eq!(ended, code, "{answer:?}: {rest}");
        assert_eq!(stage.sandbox.writing_requests(), usize::from(code == 0), "{answer:?}");
    }
    let stage = stage();
    let (code, rest) = Terminal::open(&stage, &["col", "create", "New", "-y"]).ends();
    assert_eq!(code, 0, "{rest}");
    assert!(!rest.contains("[Y/n]"), "{rest}");
    for (key, code) in [('c', 130), ('d', 4)] {
        let mut terminal = Terminal::open(&stage, &["col", "create", "New2"]);
        terminal.waits_for("[Y/n] ");
        terminal.session.send_control(key).expect("sent");
        assert_eq!(terminal.ends().0, code, "^{key}");
    }
    assert_eq!(stage.sandbox.writing_requests(), 1);
}
