//! `col clear` at a terminal and without one: what is typed, and what follows. The questions themselves are those of
//! `col rm`.

use std::time::Duration;

use sandbox::{Change, Sandbox};
use serde_json::Value;

use crate::support::binary::Stage;
use crate::support::terminal::Terminal;

const NAME: &str = "Type the collection's name: ";
const SURE: &str = "Go on? [y/N] ";

/// Two collections; an archive holds the first one.
fn stage() -> Stage {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 4, 7).seeded("Chat", 3, 4, 8));
    let output = stage.run(&["col", "backup", "-q", "Article"]);
    assert_eq!(output.status.code(), Some(0));
    stage
}

fn counts(stage: &Stage) -> [u64; 2] {
    ["Article", "Chat"].map(|name| stage.sandbox.count(name, None))
}

fn nothing_was_sent(stage: &Stage) {
    assert_eq!((stage.sandbox.writing_requests(), counts(stage)), (0, [40, 3]));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_plan_is_shown_and_the_exact_name_empties() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "clear", "Article"]);
    let plan = terminal.waits_for(NAME);
    assert!(plan.contains("Article  40 objects") && plan.contains("newest archive that holds it"), "{plan}");
    assert!(plan.contains("deleted by their ids") && plan.contains("Empty Article with its 40 objects?"), "{plan}");
    terminal.types("Article\n");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("Cleared 1 collection, 40 objects") && !rest.contains(SURE), "{rest}");
    assert_eq!((stage.sandbox.collections(), counts(&stage)), (vec!["Article".to_owned(), "Chat".to_owned()], [0, 3]));
}

#[test]
fn anything_but_the_exact_name_empties_nothing() {
    for answer in ["\n", "article\n", "Articl\n", "Articles\n", "Article \n", "y\n", "Art\nicle\n", "*\n"] {
        let stage = stage();
        let mut terminal = Terminal::open(&stage, &["col", "clear", "Article"]);
        terminal.waits_for(NAME);
        terminal.types(answer);
        let (code, rest) = terminal.ends();
        assert_eq!(code, 4, "{answer:?}: {rest}");
        nothing_was_sent(&stage);
    }
}

#[test]
fn control_d_and_control_c_empty_nothing() {
    for (key, code) in [('d', 4), ('c', 130)] {
        let stage = stage();
        let mut terminal = Terminal::open(&stage, &["col", "clear", "Chat", "--method", "recreate"]);
        terminal.waits_for(NAME);
        terminal.types("Chat\n");
        terminal.waits_for(SURE);
        terminal.session.send_control(key).expect("sent");
        let (ended, rest) = terminal.ends();
        assert_eq!(ended, code, "{rest}");
        nothing_was_sent(&stage);
        assert!(!stage.archives().join(".safety").exists(), "nothing is saved either");
    }
}

#[test]
fn a_collection_is_chosen_from_a_list_where_none_is_named() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "clear"]);
    let list = terminal.waits_for("3 objects");
    assert!(list.contains("Collection to empty") && list.contains("40 objects"), "{list}");
    // The second one.
    terminal.types("\u{1b}[B\n");
    let question = terminal.waits_for(NAME);
    assert!(question.contains("Empty Chat with its 3 objects?"), "{question}");
    terminal.types("Article\n");
    assert_eq!(terminal.ends().0, 4);
    nothing_was_sent(&stage);
}

#[test]
fn a_count_that_moved_is_asked_for_again() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "clear", "Article", "--method", "recreate"]);
    terminal.waits_for(NAME);
    stage.sandbox.faults().now(&Change::Write(r#"{"class":"Article","properties":{},"vector":[1,2,3,4]}"#.into()));
    terminal.types("Article\n");
    let again = terminal.waits_for(NAME);
    assert!(again.contains("with its 41 objects?"), "{again}");
    assert_eq!(stage.sandbox.writing_requests(), 0);
    terminal.types("Article\n");
    // The archive held everything, and does not any more.
    let sure = terminal.waits_for(SURE);
    assert!(sure.contains("holds 40 objects, and the server 41. What it does not hold cannot come back."), "{sure}");
    terminal.types("y\n");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(counts(&stage), [0, 3]);
}

#[test]
fn whoever_ends_it_at_a_question_is_never_shown_that_it_clears() {
    for question in 1..=2 {
        let stage = stage();
        let mut terminal = Terminal::open(&stage, &["col", "clear", "Chat"]);
        terminal.waits_for(NAME);
        if question == 2 {
            terminal.types("Chat\n");
            terminal.waits_for(SURE);
        }
        std::thread::sleep(Duration::from_millis(600));
        terminal.session.send_control('c').expect("sent");
        let (code, rest) = terminal.ends();
        assert_eq!(code, 130, "{rest}");
        assert!(rest.contains("interrupted; nothing was changed") && !rest.contains("clearing"), "{rest}");
        assert_eq!((stage.sandbox.writing_requests(), counts(&stage)), (0, [40, 3]));
    }
}

#[test]
fn without_a_terminal_it_takes_yes_and_full_names() {
    let stage = stage();
    for (arguments, code) in [
        (&["col", "clear", "Article"][..], 4),
        (&["col", "clear"], 4),
        (&["col", "clear", "--yes"], 2),
        (&["col", "clear", "--dry-run"], 2),
        (&["col", "clear", "A*", "--yes"], 4),
        (&["col", "clear", "A*", "--yes", "--expect-count", "41"], 4),
        (&["col", "clear", "Article", "--yes", "--expect-count", "39"], 4),
        (&["col", "clear", "Article", "--yes", "--tenant", "t"], 4),
        (&["col", "clear", "Nope", "--yes"], 4),
        (&["col", "clear", "Article", "--tenant", "t", "--delete-schema"], 2),
        (&["col", "clear", "Article", "--method", "drop"], 2),
        (&["col", "clear", "Article", "--dry-run"], 0),
        (&["col", "clear", "*", "--dry-run"], 0),
    ] {
        let output = stage.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        nothing_was_sent(&stage);
    }
    let output = stage.run(&["col", "clear", "*", "--yes", "--expect-count", "43", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let last: Value = serde_json::from_str(said.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (last["op"].as_str(), last["objects"].as_u64(), last["exit_code"].as_u64()),
        (Some("clear"), Some(43), Some(0))
    );
    assert_eq!(counts(&stage), [0, 0]);
}

#[test]
fn a_backup_first_is_what_the_clear_rests_on() {
    let stage = stage();
    let folder = stage.archives().join("first");
    let to = folder.to_str().expect("text");
    let output = stage.run(&["col", "clear", "Chat", "--yes", "--backup-first", to]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.contains("Backed up 1 collection, 3 objects") && said.contains("Cleared 1 collection, 3 objects"),
        "{said}"
    );
    let archives: Vec<_> = std::fs::read_dir(&folder).expect("a folder").collect();
    assert_eq!((archives.len(), counts(&stage)), (1, [40, 0]));
}

#[test]
fn delete_schema_is_what_rm_does() {
    let stage = stage();
    let output = stage.run(&["col", "clear", "Chat", "--yes", "--delete-schema"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(stage.sandbox.collections(), ["Article"]);
}

#[test]
fn one_that_is_empty_already_is_not_asked_for() {
    let stage = Stage::new(Sandbox::builder().collection(r#"{"class":"Article"}"#));
    let (code, rest) = Terminal::open(&stage, &["col", "clear", "Article"]).ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("empty already") && !rest.contains(NAME), "{rest}");
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn what_comes_into_one_that_was_shown_as_empty_stays() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 4, 7).collection(r#"{"class":"Empty"}"#));
    let late = r#"{"class":"Empty","id":"00000000-0000-0000-0000-000000000001","properties":{}}"#;
    let write = sandbox::Kind::Change(sandbox::Change::Write(late.to_owned()));
    stage.sandbox.faults().add(sandbox::Fault::new(write).on("DELETE", "/v1/batch/objects").times(1));
    let output = stage.run(&["col", "clear", "Article", "Empty", "--yes", "--expect-count", "40"]);
    let text = crate::support::binary::said(&output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("Empty"), "{text}");
    assert_eq!(["Article", "Empty"].map(|name| stage.sandbox.count(name, None)), [0, 1], "{text}");
}
