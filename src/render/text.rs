//! The screen of a run without a terminal: a line every ten seconds, and one for each collection that is done.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use super::progress::Progress;
use super::{Moment, Render, words, wrap};
use crate::event::{CollectionResult, Event, PlannedCollection};

/// Up to so many collections, each one that is finished gets a line.
const COLLECTIONS_A_LINE_EACH: usize = 20;
/// Between two lines about how far things are.
const EVERY: Duration = Duration::from_secs(10);

/// Lines of text; with `progress` off only warnings.
pub struct Text<W> {
    out: W,
    lines: bool,
    /// How wide the terminal is, if there is one.
    columns: fn() -> Option<usize>,
    said: Duration,
    progress: Progress,
}

impl<W: Write + Send> Text<W> {
    /// Says how far things are, and warns.
    pub fn new(out: W) -> Self {
        Self { out, lines: true, columns: || None, said: Duration::ZERO, progress: Progress::default() }
    }

    /// Only warns.
    pub fn warnings_only(out: W) -> Self {
        Self { lines: false, ..Self::new(out) }
    }

    /// The same with lines that fit a terminal; its width may change at any time.
    #[must_use]
    pub fn fitting(self, columns: fn() -> Option<usize>) -> Self {
        Self { columns, ..self }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let line = words::harmless(line);
        let line = (self.columns)().map_or_else(|| line.clone(), |columns| wrap(&line, columns));
        self.out.write_all(format!("{line}\n").as_bytes())?;
        self.out.flush()
    }

    /// Hundreds of small collections do not need a line each.
    fn is_worth_a_line(&self, result: &CollectionResult, at: Moment) -> bool {
        let took = at.elapsed.saturating_sub(self.progress.began(&result.name));
        self.progress.finished().1 <= COLLECTIONS_A_LINE_EACH || took >= Duration::from_secs(1)
    }

    fn finished(&self, result: &CollectionResult, at: Moment) -> String {
        let took = at.elapsed.saturating_sub(self.progress.began(&result.name));
        let (finished, all) = self.progress.finished();
        if self.progress.is_of_wholes() {
            return format!("{}: done, took {} ({finished} of {all})", result.name, words::span(took));
        }
        if let Some(schema) = &result.schema {
            return format!("{}: its schema, {} ({finished} of {all})", result.name, words::saved_schema(schema));
        }
        let has_bytes = self.progress.has_bytes();
        let size = if has_bytes { format!(", {}", words::size(result.bytes)) } else { String::new() };
        let objects = words::counted(result.objects, "object");
        // What is only counted is not known where inactive tenants are not.
        let least = if !has_bytes && result.counts_verified == Some(false) { "at least " } else { "" };
        format!("{}: {least}{objects}{size}, took {} ({finished} of {all})", result.name, words::span(took))
    }

    fn how_far(&self, at: Moment) -> String {
        if let Some(creating) = self.progress.creating() {
            let trouble = self.progress.trouble(at).map(|trouble| format!(": {trouble}")).unwrap_or_default();
            return format!("{} {creating} collections{trouble}", words::span(at.elapsed));
        }
        let total = self.progress.total();
        let (finished, all) = self.progress.finished();
        let mut facts = vec![match total.expected.zip(total.share()) {
            Some((expected, share)) => {
                let (done, expected) = (words::count(total.objects), words::counted(expected, "object"));
                format!("{done} of {expected} ({} %)", share / 10)
            }
            None => words::counted(total.objects, "object"),
        }];
        facts.push(format!("{finished} of {}", words::counted(all as u64, "collection")));
        facts.extend(self.progress.has_bytes().then(|| words::size(total.bytes)));
        facts.push(words::rate(total.rate(at.elapsed), " objects"));
        facts.extend(total.left(at.elapsed).map(|left| format!("about {} left", words::span(left))));
        facts.extend(self.progress.trouble(at).map(Cow::into_owned));
        format!("{} {}: {}", words::span(at.elapsed), self.progress.verb(), facts.join(", "))
    }
}

fn planned(verb: &str, collections: &[PlannedCollection]) -> String {
    let names = words::counted(collections.len() as u64, "collection");
    match collections.iter().map(|planned| planned.objects).sum::<Option<u64>>() {
        Some(objects) => format!("{verb} {names}, {} expected", words::counted(objects, "object")),
        None => format!("{verb} {names}"),
    }
}

impl<W: Write + Send> Render for Text<W> {
    fn event(&mut self, event: &Event, at: Moment) -> io::Result<()> {
        self.progress.take(event, at);
        match event {
            Event::Warning(warning) => self.say(&format!("warning: {}", words::warning(warning))),
            Event::PlanMade { collections } if self.lines && !self.progress.is_told() => {
                self.say(&planned(self.progress.verb(), collections))
            }
            Event::CollectionFinished(result) if self.lines && self.is_worth_a_line(result, at) => {
                self.say(&self.finished(result, at))
            }
            Event::Verified { collection, objects, ok: false } if self.lines && self.progress.is_of_archive() => {
                self.say(&format!("{collection}: damaged, {} proven", words::counted(*objects, "object")))
            }
            Event::TopologyChanged { .. } if self.lines => {
                let text = self.progress.trouble(at).unwrap_or("the server is whole again".into()).into_owned();
                self.say(&text)
            }
            _ => Ok(()),
        }
    }

    fn tick(&mut self, at: Moment) -> io::Result<()> {
        self.progress.tick(at);
        if !self.lines || at.elapsed.saturating_sub(self.said) < EVERY {
            return Ok(());
        }
        self.said = at.elapsed;
        let line = self.how_far(at);
        self.say(&line)
    }

    fn finish(&mut self, _: Moment) -> io::Result<()> {
        self.out.flush()
    }
}
