//! The screen of a run on a terminal: a line for each collection at work, one for all of them, redrawn ten times a
//! second at most. What is drawn is made here as text; indicatif puts it on the terminal and takes it off again.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use console::{measure_text_width, truncate_str};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::progress::{Progress, Tally};
use super::terminal::Stderr;
use super::{Moment, Render, words, wrap};
use crate::event::Event;

/// A run shorter than this draws no bars.
const QUIET_FOR: Duration = Duration::from_millis(250);
/// Redraws a second at most.
const DRAWS_PER_SECOND: u8 = 10;
/// Collections drawn at once; with more at work their number is given.
const COLLECTIONS_DRAWN: usize = 8;
/// Columns of the widest line.
const WIDEST: usize = 110;
/// Columns of the longest name.
const NAME_COLUMNS: usize = 24;
/// From this many columns on, counts are written out.
const FULL_COUNTS: usize = 100;
/// Columns of the shortest bar.
const SHORTEST_BAR: usize = 4;
/// Between two columns.
const GAP: &str = "  ";
/// Share, counts, rate, bytes and time left: which of them to keep first where not all fit.
const BY_WORTH: [usize; 5] = [0, 4, 1, 2, 3];

/// How the terminal is to be used.
pub struct Look {
    /// Whether colours may be used.
    pub colour: bool,
    /// Asks for the terminal's width in columns; it may change at any time.
    pub columns: Box<dyn Fn() -> usize + Send>,
}

/// Bars on a terminal.
pub struct Bars {
    screen: MultiProgress,
    out: Box<dyn Write + Send>,
    bar: Option<ProgressBar>,
    look: Look,
    progress: Progress,
}

impl Bars {
    /// Draws on stderr through `screen`, which the log shares.
    #[must_use]
    pub fn on_stderr(screen: MultiProgress, colour: bool) -> Self {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(Stderr::new()), DRAWS_PER_SECOND);
        let look = Look { colour, columns: Box::new(Stderr::columns) };
        Self::new(screen, target, Box::new(io::stderr()), look)
    }

    /// Draws on any terminal; what is told above the bars is written to `out`, the same terminal.
    #[must_use]
    pub fn new(screen: MultiProgress, target: ProgressDrawTarget, out: Box<dyn Write + Send>, look: Look) -> Self {
        screen.set_draw_target(target);
        Self { screen, out, bar: None, look, progress: Progress::default() }
    }

    fn draw(&mut self, at: Moment) {
        // One bar whose message has many lines: a frame is one draw, never half of an old and half of a new one.
        let bar = self.bar.get_or_insert_with(|| {
            let lines = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            self.screen.add(ProgressBar::no_length().with_style(lines))
        });
        let columns = (self.look.columns)().saturating_sub(1).clamp(20, WIDEST);
        bar.set_message(frame(&self.progress, at, columns, self.look.colour));
    }
}

/// Lines that a sentence about trouble takes at most.
const TROUBLE_LINES: usize = 4;

impl Render for Bars {
    fn event(&mut self, event: &Event, at: Moment) -> io::Result<()> {
        self.progress.take(event, at);
        match event {
            Event::Warning(warning) => {
                let label = if self.look.colour { "\u{1b}[33mwarning:\u{1b}[0m" } else { "warning:" };
                let line = wrap(&format!("{label} {}", words::warning(warning)), (self.look.columns)());
                // `MultiProgress::println` ends no line: with no bar below, what is shown next would wipe out its last one.
                self.screen.suspend(|| self.out.write_all(format!("{line}\n").as_bytes()))
            }
            _ => Ok(()),
        }
    }

    fn tick(&mut self, at: Moment) -> io::Result<()> {
        self.progress.tick(at);
        if at.elapsed >= QUIET_FOR && self.progress.is_under_way() {
            self.draw(at);
        }
        Ok(())
    }

    fn finish(&mut self, _: Moment) -> io::Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.screen.clear()
    }
}

/// All lines of the screen.
fn frame(progress: &Progress, at: Moment, columns: usize, colour: bool) -> String {
    let (finished, collections) = progress.finished();
    let title = match collections {
        _ if progress.creating().is_some() => progress.creating().unwrap_or_default(),
        0 => progress.verb().into(),
        1 => "total".into(),
        _ if progress.verb() == "verifying" => format!("verified {finished}/{collections}"),
        _ => format!("total {finished}/{collections}"),
    };
    let drawn: Vec<_> = progress.at_work().take(COLLECTIONS_DRAWN).collect();
    let longest = drawn.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let names = longest.max(title.chars().count()).min(NAME_COLUMNS);
    let columns_of = Columns { all: columns, names, colour, bytes: progress.has_bytes() };
    let line = |name: &str, tally: &Tally| line(name, tally, at, columns_of);

    let mut lines: Vec<String> = drawn.iter().map(|(name, tally)| line(name, tally)).collect();
    let more = progress.at_work().count().saturating_sub(drawn.len());
    if more > 0 {
        lines.push(format!("… and {more} more at work"));
    }
    // One collection is its own total.
    if collections != 1 || drawn.is_empty() {
        lines.push(line(&title, &progress.total()));
    }
    if let Some(trouble) = progress.trouble(at) {
        lines.extend(wrapped(&trouble, columns));
    }
    lines.join("\n")
}

/// A sentence on as many lines as it needs, and no more than [`TROUBLE_LINES`]; a longer word is cut.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let is_full = lines.len() == TROUBLE_LINES;
        match lines.last_mut() {
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= columns => {
                *line = format!("{line} {word}");
            }
            Some(line) if is_full => {
                *line = truncate_str(&format!("{line} …"), columns, "…").into_owned();
                break;
            }
            _ => lines.push(truncate_str(word, columns, "…").into_owned()),
        }
    }
    lines
}

#[derive(Clone, Copy)]
struct Columns {
    all: usize,
    names: usize,
    colour: bool,
    /// Whether bytes are counted.
    bytes: bool,
}

/// `Article  ━━━━━━╸     45 %  45.0k/100.0k  12.3k/s  1.2 GiB  ETA 12s`; on a narrow terminal the least telling
/// columns are left out.
fn line(name: &str, tally: &Tally, at: Moment, columns: Columns) -> String {
    let shortened = truncate_str(name, columns.names, "…");
    let padding = columns.names.saturating_sub(measure_text_width(&shortened));
    let mut line = format!("{shortened}{:padding$}", "");

    let share = tally.share().map_or_else(String::new, |share| format!("{} %", share / 10));
    let left = tally.left(at.elapsed).map_or_else(String::new, |left| format!("ETA {}", words::span(left)));
    let rate = words::rate(tally.rate(at.elapsed), "");
    let counts = match columns.all {
        FULL_COUNTS.. => format!("{:>23}", counts(tally, words::count)),
        _ => format!("{:>13}", counts(tally, words::short)),
    };
    let facts = [
        format!("{share:>5}"),
        counts,
        format!("{rate:>8}"),
        if columns.bytes { format!("{:>10}", words::size(tally.bytes)) } else { String::new() },
        format!("{left:<10}"),
    ];
    let mut room = columns.all.saturating_sub(columns.names);
    let mut shown = [false; 5];
    for fact in BY_WORTH {
        let needed = facts[fact].chars().count() + GAP.len();
        shown[fact] = needed <= room;
        room = room.saturating_sub(if shown[fact] { needed } else { 0 });
    }
    // A String takes every write.
    if room >= GAP.len() + SHORTEST_BAR {
        let _ = write!(line, "{GAP}{}", bar(tally.share(), room - GAP.len(), columns.colour));
    }
    for (fact, _) in facts.iter().zip(shown).filter(|(_, shown)| *shown) {
        let _ = write!(line, "{GAP}{fact}");
    }
    truncate_str(line.trim_end(), columns.all, "").into()
}

fn counts(tally: &Tally, number: fn(u64) -> String) -> String {
    let done = number(tally.objects);
    tally.expected.map_or(done.clone(), |expected| format!("{done}/{}", number(expected)))
}

/// A bar of `room` columns; empty while the end is unknown.
fn bar(share: Option<u64>, room: usize, colour: bool) -> String {
    let Some(share) = share else {
        return " ".repeat(room);
    };
    let halves = usize::try_from(share).unwrap_or(0) * room * 2 / 1_000;
    let (full, half) = (halves / 2, halves % 2);
    let (done, rest) = (format!("{}{}", "━".repeat(full), "╸".repeat(half)), "─".repeat(room - full - half));
    if colour { format!("\u{1b}[36m{done}\u{1b}[0;2m{rest}\u{1b}[0m") } else { done + &rest }
}
