//! `col restore` at a terminal: the list of archives. Whatever a person does there, nothing is sent, and the terminal
//! is left as it was.

mod question;

use rexpect::process::Signal;
use sandbox::Sandbox;

use crate::support::binary::{Stage, said};
use crate::support::terminal::Terminal;

const LIST: &str = "Archive to restore:";
const ESCAPE: &str = "\u{1b}";

/// A server with two collections, and an archive of each; that of `Chat` is the newer one.
fn stage() -> Stage {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 40, 4, 7).seeded("Chat", 3, 4, 8));
    for name in ["Article", "Chat"] {
        let output = stage.run(&["col", "backup", "-q", name]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    stage
}

#[test]
fn the_list_shows_every_archive_newest_first() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "restore"]);
    terminal.waits_for(LIST);
    terminal.waits_for("> Chat_full_");
    terminal.waits_for("1 collection, 3 objects");
    terminal.waits_for("Article_full_");
    terminal.waits_for("1 collection, 40 objects");
    terminal.types(ESCAPE);
    let (code, rest) = terminal.ends();
    assert_eq!(code, 4, "{rest}");
    assert!(rest.contains("nothing was chosen; nothing was changed"), "{rest}");
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn control_c_in_the_list_ends_the_run_and_tidies_the_terminal() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "restore"]);
    terminal.waits_for(LIST);
    terminal.waits_for("40 objects");
    terminal.session.send_control('c').expect("sent");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 130, "{rest}");
    assert!(rest.contains("interrupted; nothing was changed") && !rest.contains("safe place"), "{rest}");
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn a_signal_from_elsewhere_tidies_the_terminal_too() {
    let stage = stage();
    let mut terminal = Terminal::open(&stage, &["col", "restore"]);
    terminal.waits_for(LIST);
    terminal.waits_for("40 objects");
    terminal.session.process_mut().signal(Signal::SIGTERM).expect("sent");
    let (code, rest) = terminal.ends();
    assert_eq!(code, 130, "{rest}");
}

#[test]
fn without_an_archive_to_choose_nobody_is_asked() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 3, 4, 7));
    let terminal = Terminal::open(&stage, &["col", "restore"]);
    assert_eq!(terminal.ends().0, 2, "there is no folder");

    std::fs::create_dir_all(stage.archives().join("Article_full_1")).expect("a directory");
    std::fs::write(stage.archives().join("Article_full_1/checkpoint.jsonl"), "").expect("a journal");
    let terminal = Terminal::open(&stage, &["col", "restore"]);
    let (code, rest) = terminal.ends();
    assert_eq!(code, 4, "{rest}");
    assert!(rest.contains("there is no sealed archive in"), "{rest}");
    assert!(rest.contains("Article_full_1 cannot be restored"), "{rest}");
}

#[test]
fn without_a_terminal_an_archive_must_be_named() {
    let stage = stage();
    let output = stage.run(&["col", "restore"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("--latest=NAME"), "{}", said(&output));

    let none = stage.run(&["col", "restore", "--latest=Nothing"]);
    assert_eq!(none.status.code(), Some(4), "{}", said(&none));
    assert!(said(&none).contains("no sealed archive with objects and their vectors of \"Nothing\""), "{}", said(&none));
    assert_eq!(stage.sandbox.writing_requests(), 0);
}

#[test]
fn without_a_home_the_folder_for_runs_must_be_named() {
    let stage = stage();
    let output = stage.command(&["col", "restore", "--latest"]).env_remove("XDG_STATE_HOME").output();
    let output = output.expect("the binary runs");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("--run-dir DIR"), "{}", said(&output));
}
