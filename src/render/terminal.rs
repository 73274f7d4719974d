//! The terminal under the bars: stderr, with the cursor left where an echoed `^C` does no harm.

use std::io;

use console::Term;
use indicatif::TermLike;

/// The narrowest terminal that lines are made to fit; in a narrower one nothing can be read anyway.
const NARROWEST: usize = 20;

/// The width of a stream in columns, if it is a terminal that knows its own.
#[must_use]
pub fn columns(stream: &Term) -> Option<usize> {
    let size = if stream.is_term() { stream.size_checked() } else { None };
    size.map(|(_, columns)| usize::from(columns)).filter(|columns| *columns >= NARROWEST)
}

/// stderr as indicatif draws on it. Between two draws the cursor stands at the left of the last line: at the right,
/// where indicatif leaves it, the terminal's echo of `^C` would begin a new line and leave an old bar behind.
#[derive(Debug)]
pub(super) struct Stderr(Term);

impl Stderr {
    pub(super) fn new() -> Self {
        Self(Term::buffered_stderr())
    }

    /// The width in columns.
    pub(super) fn columns() -> usize {
        usize::from(Term::stderr().size().1)
    }
}

impl TermLike for Stderr {
    fn width(&self) -> u16 {
        TermLike::width(&self.0)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.0)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        // indicatif panics over an error of a terminal that has gone (a hangup), and bars are no reason to stop.
        let _ = self.0.flush();
        Ok(())
    }
}
