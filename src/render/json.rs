//! Events as NDJSON: one object a line, each line flushed, `time` first. docs/events.md is the contract.

use std::io::{self, Write};

use super::{Moment, Render};
use crate::event::Event;

/// Prints every event as one line of JSON.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
}

impl<W: Write + Send> Json<W> {
    /// Prints to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Render for Json<W> {
    fn event(&mut self, event: &Event, at: Moment) -> io::Result<()> {
        // One write a line, so that a reader never sees half of one.
        let mut line = format!("{{\"time\":\"{:.3}\",", at.time).into_bytes();
        let object = serde_json::to_vec(event)?;
        line.extend_from_slice(object.strip_prefix(b"{").unwrap_or(&object));
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }

    fn tick(&mut self, _: Moment) -> io::Result<()> {
        Ok(())
    }

    fn holds_results(&self) -> bool {
        true
    }

    fn finish(&mut self, _: Moment) -> io::Result<()> {
        self.out.flush()
    }
}
