//! The question before a restore: what is typed, what follows, and that nothing is drawn or sent while it waits.

use std::time::{Duration, Instant};

use super::{LIST, stage};
use crate::support::binary::{Stage, said};
use crate::support::terminal::Terminal;

const QUESTION: &str = "[Y/n] ";
const ENTER: &str = "\r";
const AS_ARTICLE_2: [&str; 5] = ["col", "restore", "--latest=Article", "--name", "Article2"];

fn asked(stage: &Stage) -> Terminal {
    let mut terminal = Terminal::open(stage, &AS_ARTICLE_2);
    let plan = terminal.waits_for(QUESTION);
    assert!(plan.contains("Article -> Article2  40 objects"), "{plan}");
    assert!(plan.contains("Restore 1 collection into http://"), "{plan}");
    terminal
}

fn is_restored(stage: &Stage, name: &str, objects: u64) {
    assert_eq!(stage.sandbox.count(name, None), objects);
}

fn nothing_was_sent(stage: &Stage) {
    assert_eq!(stage.sandbox.writing_requests(), 0);
    let runs = std::fs::read_dir(stage.folder.path().join("state/elysiactl/runs"));
    assert_eq!(runs.map_or(0, Iterator::count), 0, "not even run files are left");
}

#[test]
fn yes_and_an_empty_answer_restore() {
    for answer in ["y\n", "yes\n", "\n"] {
        let stage = stage();
        let mut terminal = asked(&stage);
        terminal.types(answer);
        let (code, rest) = terminal.ends();
        assert_eq!(code, 0, "{answer:?}: {rest}");
        assert!(rest.contains("Restored 1 collection, 40 objects"), "{rest}");
        is_restored(&stage, "Article2", 40);
    }
}

#[test]
fn anything_else_restores_nothing() {
    for answer in ["n\n", "no\n", "yess\n", " \n", "Article2\n"] {
        let stage = stage();
        let mut terminal = asked(&stage);
        terminal.types(answer);
        let (code, rest) = terminal.ends();
        assert_eq!(code, 4, "{answer:?}: {rest}");
        assert!(rest.contains("not confirmed; nothing was changed"), "{rest}");
        nothing_was_sent(&stage);
    }
}

#[test]
fn control_d_is_no_answer_and_control_c_ends_the_run() {
    for (key, code, words) in
        [('d', 4, "no answer; nothing was changed"), ('c', 130, "interrupted; nothing was changed")]
    {
        let stage = stage();
        let mut terminal = asked(&stage);
        terminal.session.send_control(key).expect("sent");
        let (ended, rest) = terminal.ends();
        assert_eq!(ended, code, "^{key}: {rest}");
        assert!(rest.contains(words) && !rest.contains("safe place"), "^{key}: {rest}");
        nothing_was_sent(&stage);
    }
}

#[test]
fn nothing_is_drawn_while_the_question_waits() {
    let stage = stage();
    let mut terminal = asked(&stage);
    let since = Instant::now();
    let mut drawn = String::new();
    // Longer than several draws of the bars take.
    while since.elapsed() < Duration::from_millis(600) {
        drawn.extend(terminal.session.try_read());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(drawn, "");
    terminal.types("n\n");
    assert_eq!(terminal.ends().0, 4);
}

#[test]
fn the_archive_chosen_from_the_list_is_the_one_restored() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "restore", "--rename", "Article=Article3"]);
    terminal.waits_for(LIST);
    terminal.waits_for("40 objects");
    terminal.types("j");
    terminal.waits_for("> Article_full_");
    terminal.types(ENTER);
    let plan = terminal.waits_for(QUESTION);
    assert!(plan.contains("Article -> Article3  40 objects"), "{plan}");
    terminal.types("y\n");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    is_restored(&stage, "Article3", 40);
}

#[test]
fn with_y_and_without_a_terminal_nobody_is_asked() {
    let stage = stage();
    let terminal = Terminal::open(&stage, &[&AS_ARTICLE_2[..], &["-y"]].concat());
    let (code, rest) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("Article -> Article2  40 objects") && !rest.contains(QUESTION), "{rest}");
    is_restored(&stage, "Article2", 40);

    let output = stage.run(&["col", "restore", "--latest=Article", "--name", "Article4"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("Restoring 1 collection into http://"), "{}", said(&output));
    is_restored(&stage, "Article4", 40);
}

#[test]
fn a_dry_run_asks_nobody_and_names_the_newest_archive() {
    let stage = stage();
    let terminal = Terminal::open(&stage, &["col", "restore", "--dry-run", "--rename", "Chat=Chat2"]);
    let (code, rest) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("Would restore 1 collection, 3 objects") && !rest.contains(QUESTION), "{rest}");
    assert!(rest.contains("Chat -> Chat2") && rest.contains("Chat_full_"), "{rest}");
    nothing_was_sent(&stage);
}
