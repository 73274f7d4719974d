//! Which streams there are and what they look like, decided once; all that verbs print goes through here.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use console::Term;
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use super::Env;
use super::args::{Colour, OutputArgs};
use super::failure::{Failure, exit_code};
use crate::event::Class;
use crate::render::{Bars, HarmlessJson, Json, Logs, Pause, Paused, Render, Text, columns, harmless, wrap};

/// Bytes gathered before results are written.
const BUFFER_BYTES: usize = 128 * 1024;

/// What is shown on stderr while a run is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bars, on a terminal.
    Bars,
    /// A line now and then, without one.
    Lines,
    /// Warnings only.
    Hidden,
}

/// The way out: results on stdout, all else on stderr.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Out {
    json: bool,
    quiet: bool,
    progress: Progress,
    colour: bool,
    asks: bool,
    /// Stdout is a terminal.
    shown: bool,
    screen: MultiProgress,
    pause: Pause,
}

impl Out {
    pub(super) fn new(flags: &OutputArgs, env: &Env) -> Self {
        // Whoever cannot see a question must not be waited for.
        let asks = io::stdin().is_terminal() && io::stderr().is_terminal();
        let terminal = io::stderr().is_terminal() && env.raw("TERM").is_none_or(|term| term != "dumb");
        let progress = match (flags.quiet || flags.no_progress, terminal) {
            (true, _) => Progress::Hidden,
            (false, true) => Progress::Bars,
            (false, false) => Progress::Lines,
        };
        let colour = match flags.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && !env.is_set("NO_COLOR"),
        };
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let shown = io::stdout().is_terminal();
        Self { json: flags.json, quiet: flags.quiet, progress, colour, asks, shown, screen, pause: Pause::default() }
    }

    /// Whether results are to be JSON.
    #[must_use]
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether a person waits for words: neither `--json` nor `-q`.
    #[must_use]
    pub fn wants_words(&self) -> bool {
        !self.json && !self.quiet
    }

    /// Whether there is a person who can be asked: stdin and stderr are a terminal.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// Takes the bars off the screen and keeps it still until the value is dropped.
    pub(super) fn pause(&self) -> Paused {
        // A screen that cannot be tidied cannot be drawn on either.
        self.pause.begin(|| drop(self.screen.clear()))
    }

    /// Whether somebody is being asked, for those who outlive a borrow of this.
    pub(super) fn pauses(&self) -> Pause {
        self.pause.clone()
    }

    /// The renderers of a running command.
    pub(super) fn renderers(&self) -> Vec<Box<dyn Render>> {
        let on_stderr: Box<dyn Render> = match self.progress {
            Progress::Bars => Box::new(Bars::on_stderr(self.screen.clone(), self.colour)),
            Progress::Lines => Box::new(Text::new(io::stderr()).fitting(stderr_columns)),
            Progress::Hidden => Box::new(Text::warnings_only(io::stderr()).fitting(stderr_columns)),
        };
        let mut renderers = vec![self.pause.around(on_stderr)];
        if self.json {
            renderers.push(if self.shown {
                Box::new(Json::new(HarmlessJson::new(io::stdout())))
            } else {
                Box::new(Json::new(io::stdout()))
            });
        }
        renderers
    }

    /// The renderers of a reading command: what it prints on stdout is one document, so only warnings are shown.
    pub(super) fn warnings() -> Vec<Box<dyn Render>> {
        vec![Box::new(Text::warnings_only(io::stderr()).fitting(stderr_columns))]
    }

    /// What keeps the bars away from what others write to stderr.
    pub(super) fn screen(&self) -> MultiProgress {
        self.screen.clone()
    }

    /// Where the log goes.
    pub(super) fn logs(&self) -> Logs {
        Logs::around(self.screen.clone())
    }

    pub(super) fn colour(&self) -> bool {
        self.colour
    }

    /// A writer for JSON results (`archive cat`): locked and buffered, byte for byte as they are unless a terminal shows
    /// them. Errors go through [`Failure::from_stdout`].
    #[must_use]
    pub fn results(&self) -> Box<dyn Write> {
        let buffered = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
        if self.shown { Box::new(HarmlessJson::new(buffered)) } else { Box::new(buffered) }
    }

    /// How wide results may be: no wider than the terminal that shows them.
    pub(super) fn columns(&self) -> Option<usize> {
        columns(&Term::stdout()).filter(|_| self.shown)
    }

    /// Prints text as the result, around the bars.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let text = fitting(&harmless(text), self.columns());
        let written = self.screen.suspend(|| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        });
        written.map_err(|e| Failure::from_stdout(&e))
    }

    /// Prints one JSON document as the result.
    pub fn document(&self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(document);
        let text = text.map_err(|error| Failure::from_error(Class::Bug, &error))? + "\n";
        let mut results = self.results();
        results.write_all(text.as_bytes()).and_then(|()| results.flush()).map_err(|e| Failure::from_stdout(&e))
    }

    /// Tells a person something on stderr, around the bars.
    pub fn note(&self, text: &str) {
        self.put(&harmless(text));
    }

    /// The same for text that holds nothing but what is plain and colours.
    fn put(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        // Where stderr is closed, nobody is told.
        let _ = self.screen.suspend(|| io::stderr().lock().write_all(fitting(text, stderr_columns()).as_bytes()));
    }

    /// Tells why a command failed, and gives the exit code.
    #[must_use]
    pub fn failure(&self, failure: &Failure) -> ExitCode {
        if failure.class != Class::ReaderGone {
            self.put(&failure.text(self.colour));
        }
        exit_code(failure.class)
    }
}

/// How wide stderr is, if it is a terminal.
pub(super) fn stderr_columns() -> Option<usize> {
    columns(&Term::stderr())
}

/// The text with lines that are no wider than a terminal.
pub(super) fn fitting(text: &str, columns: Option<usize>) -> String {
    columns.map_or_else(|| text.to_owned(), |columns| wrap(text, columns))
}
