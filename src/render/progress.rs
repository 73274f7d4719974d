//! How far a run is, added up from its events: what both the bars and the lines of text show.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Moment, words};
use crate::event::{Compares, Counted, Event, Op, OpFacts, PlannedCollection, Warning};
use crate::model::CollectionName;

/// Over how long a rate is measured.
const WINDOW: Duration = Duration::from_secs(10);
/// Between two samples of a rate.
const SAMPLE: Duration = Duration::from_millis(500);
/// How long a retry stays on the screen after its wait is over.
const NOTICE: Duration = Duration::from_secs(3);

/// A run that does nothing for so long is told to stand still.
const STILL: Duration = Duration::from_secs(10);

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

    /// Nothing more will come.
    fn settle(&mut self) {
        self.expected = Some(self.objects);
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

    /// Whether as many objects as expected were seen.
    fn is_full(&self) -> bool {
        self.expected.is_some_and(|expected| self.objects >= expected)
    }

    /// Per mille done, at most 1,000.
    pub(super) fn share(&self) -> Option<u64> {
        let expected = u128::from(self.expected?);
        let done = u128::from(self.objects) * 1_000;
        Some(done.checked_div(expected).and_then(|share| u64::try_from(share).ok()).unwrap_or(1_000).min(1_000))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LaneState {
    Waiting,
    Running,
    Done,
}

#[derive(Debug)]
struct Lane {
    state: LaneState,
    began: Duration,
    tally: Tally,
    /// The comparison at the end of a restore, once it has begun.
    comparison: Option<Tally>,
    compared: bool,
}

impl Lane {
    fn is_written(&self) -> bool {
        self.state == LaneState::Done || self.tally.is_full()
    }

    /// What is being done with it now.
    fn now(&self) -> &Tally {
        self.comparison.as_ref().unwrap_or(&self.tally)
    }
}

/// How far a run is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    op: Option<Op>,
    lanes: HashMap<CollectionName, Lane>,
    at_work: Vec<CollectionName>,
    finished: usize,
    total: Tally,
    /// All comparisons of a restore together.
    compared: Tally,
    trouble: Option<(Duration, String)>,
    /// When something came last that is no failure.
    moved: Duration,
    broken: Option<String>,
    /// Which collection is being created, of how many, and whether under a scratch name; until something else begins.
    creating: Option<(u64, u64, bool)>,
}

impl Progress {
    /// Takes one event into account.
    pub(super) fn take(&mut self, event: &Event, at: Moment) {
        if !matches!(event, Event::Retrying { .. }) {
            self.moved = at.elapsed;
        }
        match event {
            Event::RunStarted { op, .. } => self.op = Some(*op),
            Event::Creating { nth, of, rehearsal, .. } => self.creating = Some((*nth, *of, *rehearsal)),
            Event::PlanMade { collections } => {
                self.creating = None;
                self.plan(collections);
                // The time of reading the archive and of a question is not that of the work.
                if self.compares() {
                    self.total.samples.clear();
                    self.total.sample(at.elapsed);
                }
            }
            Event::CollectionStarted { collection, objects } => {
                self.creating = None;
                self.leave(collection);
                let lane = self.lane(collection);
                (lane.state, lane.began) = (LaneState::Running, at.elapsed);
                lane.tally.expected = objects.or(lane.tally.expected);
                lane.tally.sample(at.elapsed);
                self.at_work.push(collection.clone());
            }
            // A restore writes batches; the pages it reads are those of the comparison afterwards.
            Event::PageScanned { collection, objects, bytes, .. } if self.compares() => {
                let tally = self.compare(collection, at);
                tally.take(*objects, *bytes);
                // The server may hold more than was written.
                tally.expected = tally.expected.map(|expected| expected.max(tally.objects));
                self.compared.take(*objects, *bytes);
            }
            Event::PagesDropped { collection, objects, bytes } if self.compares() => {
                self.compare(collection, at).give_back(*objects, *bytes);
                self.compared.give_back(*objects, *bytes);
            }
            Event::PageScanned { collection, objects, bytes, .. }
            | Event::BatchImported { collection, objects, bytes, .. } => {
                self.lane(collection).tally.take(*objects, *bytes);
                self.total.take(*objects, *bytes);
            }
            // They came before, so that they say nothing about the pace.
            Event::Resumed { collection, objects, bytes } => {
                let lane = self.lane(collection);
                lane.tally.take(*objects, *bytes);
                lane.tally.samples.clear();
                lane.tally.sample(at.elapsed);
                self.total.take(*objects, *bytes);
                self.total.samples.clear();
                self.total.sample(at.elapsed);
            }
            Event::ObjectsDeleted { collection, objects, .. } => {
                self.lane(collection).tally.take(*objects, 0);
                self.total.take(*objects, 0);
            }
            Event::PagesDropped { collection, objects, bytes } => {
                self.lane(collection).tally.give_back(*objects, *bytes);
                self.total.give_back(*objects, *bytes);
            }
            Event::Warning(Warning::CollectionSkipped { collection, .. }) => {
                self.leave(collection);
                let lane = self.lane(collection);
                (lane.state, lane.tally.expected) = (LaneState::Done, Some(lane.tally.objects));
            }
            Event::CollectionFinished(result) => {
                self.at_work.retain(|name| *name != result.name);
                let lane = self.lane(&result.name);
                lane.state = LaneState::Done;
                lane.tally.expected = Some(lane.tally.objects);
                self.finished += 1;
            }
            Event::Verified { collection, .. } if self.compares() => {
                self.compare(collection, at).settle();
                self.lane(collection).compared = true;
                self.at_work.retain(|name| name != collection);
            }
            Event::Verified { collection, ok: false, .. } if self.is_of_archive() => self.leave(collection),
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

    fn facts(&self) -> Option<OpFacts> {
        self.op.map(Op::facts)
    }

    /// Whether what is written is compared in the end: pages are read for that alone.
    fn compares(&self) -> bool {
        self.facts().is_some_and(|op| op.compares == Compares::Afterwards)
    }

    /// A collection is not at work any more, or begins from the start: it keeps nobody waiting.
    fn leave(&mut self, collection: &CollectionName) {
        self.at_work.retain(|name| name != collection);
        let of = format!("({collection}: ");
        self.broken.take_if(|text| text.contains(&of));
    }

    /// Takes samples for the rates.
    pub(super) fn tick(&mut self, at: Moment) {
        self.total.sample(at.elapsed);
        if self.is_comparing() {
            self.compared.sample(at.elapsed);
        }
        for name in &self.at_work {
            if let Some(lane) = self.lanes.get_mut(name) {
                lane.comparison.as_mut().unwrap_or(&mut lane.tally).sample(at.elapsed);
            }
        }
    }

    /// The comparison of a collection, which has begun at the latest now.
    fn compare(&mut self, collection: &CollectionName, at: Moment) -> &mut Tally {
        if self.lane(collection).comparison.is_none() {
            self.compared.sample(at.elapsed);
            if !self.at_work.contains(collection) {
                self.at_work.push(collection.clone());
            }
        }
        let lane = self.lane(collection);
        let expected = lane.tally.expected;
        lane.comparison.get_or_insert_with(|| {
            let mut tally = Tally { expected, ..Tally::default() };
            tally.sample(at.elapsed);
            tally
        })
    }

    fn plan(&mut self, collections: &[PlannedCollection]) {
        for planned in collections {
            self.lane(&planned.name).tally.expected = planned.objects;
        }
    }

    fn lane(&mut self, name: &CollectionName) -> &mut Lane {
        let lane = || Lane {
            state: LaneState::Waiting,
            began: Duration::ZERO,
            tally: Tally::default(),
            comparison: None,
            compared: false,
        };
        self.lanes.entry(name.clone()).or_insert_with(lane)
    }

    /// Whether a restore has written everything and compares it now.
    fn is_comparing(&self) -> bool {
        self.lanes.values().any(|lane| lane.comparison.is_some()) && self.lanes.values().all(Lane::is_written)
    }

    /// Everything together; when a restore has written all of it, the comparisons together. Its end is known once that
    /// of every collection is.
    pub(super) fn total(&self) -> Tally {
        let of = |tally: &Tally| tally.expected;
        let comparing = self.is_comparing();
        let expected: Option<u64> = self
            .lanes
            .values()
            .map(|lane| if comparing { lane.comparison.as_ref().map_or(of(&lane.tally), of) } else { of(&lane.tally) })
            .sum();
        let done = if comparing { &self.compared } else { &self.total };
        Tally { expected: if self.lanes.is_empty() { None } else { expected }, ..done.clone() }
    }

    /// The collections being worked on with a word for each, the longest-running first.
    pub(super) fn at_work(&self) -> impl Iterator<Item = (Cow<'_, str>, &Tally)> {
        self.at_work.iter().filter_map(|name| {
            let lane = self.lanes.get(name)?;
            let label = match lane.comparison {
                Some(_) => format!("verifying {name}").into(),
                None => name.as_str().into(),
            };
            Some((label, lane.now()))
        })
    }

    /// When work on a collection began, since the start of the run.
    pub(super) fn began(&self, name: &CollectionName) -> Duration {
        self.lanes.get(name).map_or(Duration::ZERO, |lane| lane.began)
    }

    /// Collections finished, and collections in all.
    pub(super) fn finished(&self) -> (usize, usize) {
        let compared = || self.lanes.values().filter(|lane| lane.compared).count();
        (if self.is_comparing() { compared() } else { self.finished }, self.lanes.len())
    }

    /// Whether something is done already: what takes objects away first asks whether it may, and nothing must look as if it
    /// had begun.
    pub(super) fn is_under_way(&self) -> bool {
        self.facts().is_none_or(|op| op.counted == Counted::Bytes) || self.finished().1 > 0
    }

    /// Whether `cli` has told more about the plan than its event does.
    pub(super) fn is_told(&self) -> bool {
        self.facts().is_some_and(|op| op.plans)
    }

    /// Whether what is verified is an archive, by itself.
    pub(super) fn is_of_archive(&self) -> bool {
        self.facts().is_some_and(|op| !op.server)
    }

    /// Whether collections are dealt with as a whole: then no object and no byte of theirs is counted on the way.
    pub(super) fn is_of_wholes(&self) -> bool {
        self.facts().is_some_and(|op| op.counted == Counted::Collections)
    }

    /// Whether the bytes of objects are known on the way.
    pub(super) fn has_bytes(&self) -> bool {
        self.facts().is_none_or(|op| op.counted != Counted::Objects)
    }

    /// Which collection is being created, while nothing else is done.
    pub(super) fn creating(&self) -> Option<String> {
        let (nth, of, rehearsal) = self.creating?;
        let verb = if rehearsal { "rehearsing" } else { "creating" };
        Some(format!("{verb} {} of {}", words::count(nth), words::count(of)))
    }

    /// What is being done, in one word.
    pub(super) fn verb(&self) -> &'static str {
        match self.facts() {
            Some(_) if self.compares() && self.is_comparing() => Op::Verify.facts().deed[1],
            // What a plan reads is not sent, and not counted.
            Some(_) if self.compares() && self.lanes.is_empty() => "reading the archive",
            Some(op) => op.deed[1],
            None => "starting",
        }
    }

    /// What the run waits for, if it waits: a server that is not whole, or a request that failed just now; or how long
    /// nothing has come of what it does.
    pub(super) fn trouble(&self, at: Moment) -> Option<Cow<'_, str>> {
        if let Some(broken) = &self.broken {
            return Some(broken.into());
        }
        if let Some((_, text)) = self.trouble.as_ref().filter(|(until, _)| at.elapsed < *until) {
            return Some(text.into());
        }
        let still = at.elapsed.saturating_sub(self.moved);
        let is_still = still >= STILL && !self.at_work.is_empty();
        is_still.then(|| format!("no progress for {}", words::span(still)).into())
    }
}
