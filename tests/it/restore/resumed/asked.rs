//! At a terminal a restore that did not get to its end is offered, with one question.

use sandbox::{Fault, Kind};

use super::kills::{held, restoring, stage};
use crate::support::binary::{Stage, said};
use crate::support::terminal::Terminal;

const QUESTION: &str = "[Y/n] ";

/// A server with half of a restore on it.
fn half(stage: &Stage, archive: &str) {
    // A key that is refused is not tried again.
    stage.sandbox.faults().add(Fault::new(Kind::status(401, "")).on("POST", "/v1/batch/objects").after(30));
    let output = stage.run(&restoring(archive, &[]));
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    stage.sandbox.faults().clear();
    stage.sandbox.clear_requests();
}

#[test]
fn it_is_offered_and_an_empty_answer_carries_it_on() {
    for flag in [&[][..], &["--resume"]] {
        let (stage, archive, expected) = stage();
        half(&stage, &archive);
        let mut terminal = Terminal::open(&stage, &restoring(&archive, flag));
        let plan = terminal.waits_for(QUESTION);
        assert!(plan.contains("Resumes run ") && plan.contains(" of 500 objects are there."), "{plan}");
        assert!(plan.contains("Resume run ") && !plan.contains("Restore 2 collections"), "one question: {plan}");
        terminal.types("\n");
        let (code, rest) = terminal.ends();
        assert!(code == 0 && !rest.contains(QUESTION), "{rest}");
        assert_eq!(held(&stage), expected);
    }
}

#[test]
fn a_no_leaves_everything_as_it_is() {
    let (stage, archive, _) = stage();
    half(&stage, &archive);
    let before = held(&stage);
    let mut terminal = Terminal::open(&stage, &restoring(&archive, &[]));
    terminal.waits_for(QUESTION);
    terminal.types("n\n");
    let (code, rest) = terminal.ends();
    assert_eq!((code, stage.sandbox.writing_requests()), (4, 0), "{rest}");
    assert_eq!(held(&stage), before);
}

#[test]
fn who_does_not_want_to_be_asked_is_told_the_line() {
    let (stage, archive, _) = stage();
    half(&stage, &archive);
    let terminal = Terminal::open(&stage, &restoring(&archive, &["--yes"]));
    let (code, rest) = terminal.ends();
    assert_eq!((code, stage.sandbox.writing_requests()), (4, 0), "{rest}");
    assert!(rest.contains("resumes that run"), "{rest}");
}

#[test]
fn who_begins_it_otherwise_is_told_the_line_that_carries_it_on() {
    for (begun, line) in [
        (&["--rename", "*=T*80"][..], "--rename '*=T*80'"),
        (&["--only", "Article", "--name", "Copy"], "--only Article --rename 'Article=Copy'"),
        (&["--alias", "skip", "--skip-vectors"], "--skip-vectors --alias skip"),
    ] {
        let (stage, archive, _) = stage();
        stage.sandbox.faults().add(Fault::new(Kind::status(401, "")).on("POST", "/v1/batch/objects").after(5));
        let output = stage.run(&restoring(&archive, begun));
        assert_eq!(output.status.code(), Some(5), "{}", said(&output));
        stage.sandbox.faults().clear();
        let output = stage.run(&["col", "restore", &archive, "--only", "Author", "--resume"]);
        let refused = said(&output);
        assert_eq!(output.status.code(), Some(4), "{refused}");
        let hint = refused.split('`').find(|part| part.starts_with("elysiactl col restore ")).expect("a line");
        assert!(hint.contains(line) && hint.ends_with(" --resume"), "{line}: {refused}");
        // What it prints does it, word by word.
        let words: Vec<&str> = hint.split(' ').skip(1).map(|word| word.trim_matches('\'')).collect();
        let output = stage.run(&words);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("Resumes run "), "{}", said(&output));
    }
}

#[test]
fn a_plan_of_what_stopped_does_not_call_its_archive_the_newest() {
    let (stage, archive, _) = stage();
    half(&stage, &archive);
    let output = stage.run(&["col", "restore", "--resume", "--dry-run"]);
    let words = said(&output);
    let told = "No archive is named: this is a plan for that of the restore that stopped, ";
    assert!(output.status.code() == Some(0) && words.contains(told), "{words}");
}
