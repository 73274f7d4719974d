//! Log lines to stderr that never break the bars: each is written while the bars are taken off the screen.

use std::io::{self, Write};

use indicatif::MultiProgress;
use tracing_subscriber::fmt::MakeWriter;

use super::words::harmless;

/// Where the log goes.
#[derive(Debug, Clone)]
pub struct Logs {
    bars: MultiProgress,
}

impl Logs {
    /// Logs to stderr, around `bars`.
    #[must_use]
    pub fn around(bars: MultiProgress) -> Self {
        Self { bars }
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { bars: self.bars.clone(), text: Vec::new() }
    }
}

/// One log line, written as a whole when it is dropped.
#[derive(Debug)]
pub struct Line {
    bars: MultiProgress,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Values come here without escape characters: those that are left are the log's own colours.
        let text = String::from_utf8_lossy(&self.text);
        let pieces: Vec<String> = text.split('\u{1b}').map(harmless).collect();
        // A log nobody can read is no reason to stop.
        let _ = self.bars.suspend(|| io::stderr().lock().write_all(pieces.join("\u{1b}").as_bytes()));
    }
}
