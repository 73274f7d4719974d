//! The binary at a pseudo-terminal, which it has to leave as it was.

use std::time::Duration;

use rexpect::process::WaitStatus;
use rexpect::session::{Options, PtySession, spawn_with_options};
use rustix::termios::{LocalModes, tcgetattr};

use crate::support::binary::Stage;

/// How long any answer may take; far more than it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// `elysiactl` with these arguments at a terminal of its own.
pub(crate) struct Terminal {
    pub(crate) session: PtySession,
    handle: std::fs::File,
    before: LocalModes,
}

impl Terminal {
    pub(crate) fn open(stage: &Stage, arguments: &[&str]) -> Self {
        Self::of(stage.command(arguments))
    }

    /// Any command at a terminal of its own.
    pub(crate) fn of(mut command: std::process::Command) -> Self {
        command.stdin(std::process::Stdio::inherit());
        let milliseconds = u64::try_from(PATIENCE.as_millis()).expect("a number");
        let session = spawn_with_options(command, Options::new().timeout_ms(Some(milliseconds))).expect("a terminal");
        let handle = session.process().get_file_handle().expect("a handle");
        // rexpect turns the echo off, and nothing else.
        let before = tcgetattr(&handle).expect("modes").local_modes - LocalModes::ECHO;
        Self { session, handle, before }
    }

    pub(crate) fn waits_for(&mut self, text: &str) -> String {
        self.session.exp_string(text).unwrap_or_else(|e| panic!("{text:?} never came: {e}"))
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.session.send(keys).expect("sent");
        self.session.flush().expect("sent");
    }

    /// Reads to the end, and gives the exit code with what was shown since the last wait.
    pub(crate) fn ends(mut self) -> (i32, String) {
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
