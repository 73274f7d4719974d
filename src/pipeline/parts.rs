//! Reads every part of one collection of an archive and proves it, on a few threads, and shows each object to whoever
//! wants to know more about it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::load::{self, BadPart};
use super::long_lines::LongLines;
use super::marks::Marks;
use crate::archive::digest::ObjectDigest;
use crate::archive::manifest::PartEntry;
use crate::archive::{Archive, Index, Run};
use crate::event::{Event, Events};
use crate::model::{CollectionName, RawObject, Schema, TenantMap};

/// Parts read at once, at most: each is one thread's work.
const MOST_READERS: usize = 4;
/// Objects between two events.
const OBJECTS_AN_EVENT: u64 = 5_000;

/// What each object is shown to; it is called from several threads.
pub(crate) type Look = dyn Fn(&Schema, &RawObject, &Run) + Send + Sync;

/// What becomes of a part that is damaged: whether the others are read all the same, or the error that ends the reading.
pub(crate) type Judge<E> = dyn Fn(BadPart) -> Result<bool, E> + Send + Sync;

/// Schema and index of a collection, proven.
#[derive(Debug, Clone)]
pub(crate) struct Indexed {
    pub(crate) schema: Schema,
    pub(crate) runs: Arc<Index>,
    pub(crate) digest: ObjectDigest,
}

/// How a collection is read.
pub(crate) struct Reading {
    /// Threads, at most [`MOST_READERS`].
    pub(crate) readers: usize,
    /// What their lines may take, in bytes.
    pub(crate) memory_bytes: u64,
    /// Whether every line is parsed in full, and events say what was read.
    pub(crate) says: bool,
    /// The tenants wanted: parts that hold nothing of them are not read, objects of others not looked at.
    pub(crate) tenants: TenantMap,
    /// Runs that are not wanted any more, by their places in the index.
    pub(crate) done: Arc<BTreeSet<usize>>,
    /// The objects that are wanted; `None`: all.
    pub(crate) only: Option<Arc<Marks>>,
    /// What each object wanted is shown to.
    pub(crate) look: Arc<Look>,
}

impl Reading {
    /// Whether the objects of the run at this place are looked at.
    fn wants(&self, at: usize, run: &Run) -> bool {
        !self.done.contains(&at) && self.tenants.target(run.tenant.as_ref()).is_some()
    }
}

/// The parts of one collection that hold what is wanted, shared by the threads that read them.
pub(crate) struct Parts<E> {
    archive: Arc<Archive>,
    at: usize,
    indexed: Indexed,
    left: Mutex<VecDeque<PartEntry>>,
    threads: usize,
    reading: Reading,
    lines: LongLines,
    events: Events,
    /// Cancelled when the run is told to stop.
    stop: CancellationToken,
    judge: Box<Judge<E>>,
    /// Objects in the parts that were proven.
    proven: AtomicU64,
}

impl<E> Parts<E> {
    /// Those of the collection at `at` in the archive's list.
    pub(crate) fn new(
        archive: &Arc<Archive>,
        at: usize,
        indexed: &Indexed,
        reading: Reading,
        events: Events,
        stop: CancellationToken,
        judge: Box<Judge<E>>,
    ) -> Self {
        let runs = &indexed.runs;
        let wanted = |part: &&PartEntry| archive.inside(part, runs).iter().any(|at| reading.wants(*at, &runs[*at]));
        let parts: VecDeque<PartEntry> = archive.collections()[at].parts.iter().filter(wanted).cloned().collect();
        let threads = reading.readers.clamp(1, MOST_READERS).min(parts.len().max(1));
        let events = if reading.says { events } else { Events::none() };
        Self {
            archive: Arc::clone(archive),
            at,
            indexed: indexed.clone(),
            left: Mutex::new(parts),
            threads,
            lines: LongLines::within(reading.memory_bytes, threads),
            reading,
            events,
            stop,
            judge,
            proven: AtomicU64::new(0),
        }
    }

    /// On how many threads [`Parts::read`] is to be called.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Objects in the parts that were proven.
    pub(crate) fn proven(&self) -> u64 {
        self.proven.load(Ordering::Relaxed)
    }

    /// Reads parts until none is left, another thread has failed, enough is damaged, or the run is told to stop. Blocks.
    pub(crate) fn read(&self) -> Result<(), E> {
        while let Some(part) = self.next() {
            let Err(error) = self.part(&part) else {
                self.proven.fetch_add(part.objects, Ordering::Relaxed);
                continue;
            };
            let goes_on = (self.judge)(BadPart { part, error });
            if !matches!(goes_on, Ok(true)) {
                self.left.lock().unwrap_or_else(PoisonError::into_inner).clear();
                goes_on?;
            }
        }
        Ok(())
    }

    fn next(&self) -> Option<PartEntry> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn part(&self, part: &PartEntry) -> Result<(), load::Error> {
        let entry = &self.archive.collections()[self.at];
        let Indexed { schema, runs, digest } = &self.indexed;
        let reader = self.archive.part(entry, part, runs)?.within(Box::new(self.lines.room()));
        let places = self.archive.inside(part, runs);
        let wanted: Vec<bool> = places.iter().map(|at| self.reading.wants(*at, &runs[*at])).collect();
        // What is only to be sent was sealed as it is, or its sums do not agree.
        let parse = if self.reading.says { load::Look::Full } else { load::Look::Structure };
        let mut progress = ProofProgress { events: &self.events, collection: &schema.name, objects: 0, bytes: 0 };
        let proven = load::prove_part(reader, &schema.name, digest, parse, |object, at| {
            if wanted[at.run] {
                let place = places[at.run];
                if self.reading.only.as_ref().is_none_or(|only| only.holds(place, object.id)) {
                    (self.reading.look)(schema, object, &runs[place]);
                }
            }
            progress.add(object.text.len() as u64 + 1);
            !self.stop.is_cancelled()
        });
        progress.say();
        proven
    }
}

/// Events about what was read, not one per object.
struct ProofProgress<'a> {
    events: &'a Events,
    collection: &'a CollectionName,
    objects: u64,
    bytes: u64,
}

impl ProofProgress<'_> {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
        if self.objects == OBJECTS_AN_EVENT {
            self.say();
        }
    }

    fn say(&mut self) {
        let (objects, bytes) = (std::mem::take(&mut self.objects), std::mem::take(&mut self.bytes));
        if objects > 0 {
            self.events.emit(Event::PageScanned { collection: self.collection.clone(), tenant: None, objects, bytes });
        }
    }
}
