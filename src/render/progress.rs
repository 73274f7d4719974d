//! How far a run is, added up from its events: what both the bars and the lines of text show.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Moment, words};
use crate::event::{Event, Op, PlannedCollection};
use crate::model::CollectionName;

/// Over how long a rate is measured.
const WINDOW: Duration = Duration::from_secs(10);
/// Between two samples of a rate.
const SAMPLE: Duration = Duration::from_millis(500);
/// How long a retry stays on the screen after its wait is over.
const NOTICE: Duration = Duration::from_secs(3);

/// How far one collection, or all of them, are.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Objects expected, where known.
    pub expected: Option<u64>,
    /// Objects seen.
    pub objects: u64,
    /// Their plain bytes.
    pub bytes: u64,
    samples: VecDeque<(Duration, u64)>,
}

impl Tally {
    fn take(&mut self, objects: u64, bytes: u64) {
        self.objects += objects;
        self.bytes += bytes;
    }

    fn give_back(&mut self, objects: u64, bytes: u64) {
        self.objects = self.objects.saturating_sub(objects);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    fn sample(&mut self, at: Duration) {
        if self.samples.back().is_some_and(|(last, _)| at.saturating_sub(*last) < SAMPLE) {
            return;
        }
        self.samples.push_back((at, self.objects));
        while self.samples.len() > 2 && self.samples[1].0 + WINDOW <= at {
            self.samples.pop_front();
        }
    }

    /// Objects a second over the last ten seconds; unknown for the first half second.
    pub(super) fn rate(&self, at: Duration) -> Option<u64> {
        let (since, before) = *self.samples.front()?;
        let milliseconds = at.saturating_sub(since).as_millis();
        if milliseconds < SAMPLE.as_millis() {
            return None;
        }
        let done = u128::from(self.objects.saturating_sub(before));
        u64::try_from(done * 1_000 / milliseconds).ok()
    }

    /// Time left at this rate, where both the end and the rate are known.
    pub(super) fn left(&self, at: Duration) -> Option<Duration> {
        let rate = self.rate(at).filter(|rate| *rate > 0)?;
        Some(Duration::from_secs(self.expected?.saturating_sub(self.objects).div_ceil(rate)))
    }

    /// Per mille done, at most 1,000.
    pub(super) fn share(&self) -> Option<u64> {
        let expected = u128::from(self.expected?);
        let done = u128::from(self.objects) * 1_000;
        Some(done.checked_div(expected).and_then(|share| u64::try_from(share).ok()).unwrap_or(1_000).min(1_000))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Done,
}

#[derive(Debug)]
struct Lane {
    stage: Stage,
    began: Duration,
    tally: Tally,
}

/// How far a run is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    op: Option<Op>,
    lanes: HashMap<CollectionName, Lane>,
    at_work: Vec<CollectionName>,
    finished: usize,
    total: Tally,
    trouble: Option<(Duration, String)>,
    broken: Option<String>,
}

impl Progress {
    /// Takes one event into account.
    pub(super) fn take(&mut self, event: &Event, at: Moment) {
        match event {
            Event::RunStarted { op, .. } => self.op = Some(*op),
            Event::PlanMade { collections } => self.plan(collections),
            Event::CollectionStarted { collection, objects } => {
                let lane = self.lane(collection);
                (lane.stage, lane.began) = (Stage::Running, at.elapsed);
                lane.tally.expected = objects.or(lane.tally.expected);
                lane.tally.sample(at.elapsed);
                self.at_work.push(collection.clone());
            }
            Event::PageScanned { collection, objects, bytes, .. } => {
                self.lane(collection).tally.take(*objects, *bytes);
                self.total.take(*objects, *bytes);
            }
            Event::PagesDropped { collection, objects, bytes } => {
                self.lane(collection).tally.give_back(*objects, *bytes);
                self.total.give_back(*objects, *bytes);
            }
            Event::CollectionFinished(result) => {
                self.at_work.retain(|name| *name != result.name);
                let lane = self.lane(&result.name);
                lane.stage = Stage::Done;
                lane.tally.expected = Some(lane.tally.objects);
                self.finished += 1;
            }
            Event::Retrying { route, attempt, wait_ms, reason } => {
                let until = at.elapsed + Duration::from_millis(*wait_ms) + NOTICE;
                let (route, reason) = (words::plain(route), words::plain(reason));
                self.trouble = Some((until, format!("attempt {attempt} of {route} failed: {reason}; trying again")));
            }
            Event::TopologyChanged { collection, whole, reason } => {
                let text = || format!("the server is not whole ({collection}: {}); waiting", words::plain(reason));
                self.broken = (!whole).then(text);
            }
            _ => {}
        }
    }

    /// Takes samples for the rates.
    pub(super) fn tick(&mut self, at: Moment) {
        self.total.sample(at.elapsed);
        for name in &self.at_work {
            if let Some(lane) = self.lanes.get_mut(name) {
                lane.tally.sample(at.elapsed);
            }
        }
    }

    fn plan(&mut self, collections: &[PlannedCollection]) {
        for planned in collections {
            self.lane(&planned.name).tally.expected = planned.objects;
        }
    }

    fn lane(&mut self, name: &CollectionName) -> &mut Lane {
        let lane = || Lane { stage: Stage::Waiting, began: Duration::ZERO, tally: Tally::default() };
        self.lanes.entry(name.clone()).or_insert_with(lane)
    }

    /// Everything together. Its end is known once that of every collection is.
    pub(super) fn total(&self) -> Tally {
        let expected = self.lanes.values().map(|lane| lane.tally.expected).sum();
        Tally { expected: if self.lanes.is_empty() { None } else { expected }, ..self.total.clone() }
    }

    /// The collections being worked on, the longest-running first.
    pub(super) fn at_work(&self) -> impl Iterator<Item = (&CollectionName, &Tally)> {
        self.at_work.iter().filter_map(|name| Some((name, &self.lanes.get(name)?.tally)))
    }

    /// When work on a collection began, since the start of the run.
    pub(super) fn began(&self, name: &CollectionName) -> Duration {
        self.lanes.get(name).map_or(Duration::ZERO, |lane| lane.began)
    }

    /// Collections finished, and collections in all.
    pub(super) fn finished(&self) -> (usize, usize) {
        (self.finished, self.lanes.len())
    }

    pub(super) fn is_backup(&self) -> bool {
        self.op == Some(Op::Backup)
    }

    /// What is being done, in one word.
    pub(super) fn verb(&self) -> &'static str {
        match self.op {
            Some(Op::Backup) => "backing up",
            Some(Op::ArchiveCheck) => "checking",
            None => "starting",
        }
    }

    /// What the run waits for, if it waits: a server that is not whole, or a request that failed just now.
    pub(super) fn trouble(&self, at: Moment) -> Option<&str> {
        let retry = self.trouble.as_ref().filter(|(until, _)| at.elapsed < *until);
        self.broken.as_deref().or(retry.map(|(_, text)| text.as_str()))
    }
}
