//! `col restore` at a terminal: the list of archives. Whatever a person does there, nothing is sent, and the terminal
//! is left as it was.

mod question;

use std::time::Duration;

use rexpect::process::{Signal, WaitStatus};
use rexpect::session::{Options, PtySession, spawn_with_options};
use rustix::termios::{LocalModes, tcgetattr};
use sandbox::Sandbox;

use crate::binary::{Stage, said};

/// How long any answer may take; far more than it does.
const PATIENCE: Duration = Duration::from_secs(60);
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

/// `elysiactl` with these arguments at a terminal of its own.
struct Terminal {
    session: PtySession,
    handle: std::fs::File,
    before: LocalModes,
}

impl Terminal {
    fn open(stage: &Stage, arguments: &[&str]) -> Self {
        let mut command = stage.command(arguments);
        command.stdin(std::process::Stdio::inherit());
        let milliseconds = u64::try_from(PATIENCE.as_millis()).expect("a number");
        let session = spawn_with_options(command, Options::new().timeout_ms(Some(milliseconds))).expect("a terminal");
        let handle = session.process().get_file_handle().expect("a handle");
        // rexpect turns the echo off, and nothing else.
        let before = tcgetattr(&handle).expect("modes").local_modes - LocalModes::ECHO;
        Self { session, handle, before }
    }

    fn waits_for(&mut self, text: &str) -> String {
        self.session.exp_string(text).unwrap_or_else(|e| panic!("{text:?} never came: {e}"))
    }

    fn types(&mut self, keys: &str) {
        self.session.send(keys).expect("sent");
        self.session.flush().expect("sent");
    }

    /// Reads to the end, and gives the exit code with what was shown since the last wait.
    fn ends(mut self) -> (i32, String) {
        let rest = self.session.exp_eof().expect("it ends");
        let modes = tcgetattr(&self.handle).expect("modes").local_modes - LocalModes::ECHO;
        assert_eq!(modes, self.before, "the terminal is left as it was");
        let shown = rest.rfind("\u{1b}[?25h") >= rest.rfind("\u{1b}[?25l");
        assert!(shown, "the cursor is left hidden: {rest:?}");
        match self.session.process().wait().expect("a status") {
            WaitStatus::Exited(_, code) => (code, rest),
            other => panic!("{other:?}: {rest}"),
        }
    }
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
    assert!(rest.contains("nothing was chosen; nothing was sent"), "{rest}");
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
    assert!(rest.contains("interrupted; nothing was sent") && !rest.contains("safe place"), "{rest}");
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
    assert!(said(&none).contains("no sealed archive with objects of \"Nothing\""), "{}", said(&none));
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
