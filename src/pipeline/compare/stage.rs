//! The stage itself: workers take units, read the archive's side and the server's side, merge them, and hand over what
//! they found. A result counts only when the answers it rests on are proven; that is for the operation to judge.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::{StreamExt, stream};
use tokio::sync::{SemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::live::{Live, Taken};
use super::part::{Piece, Source};
use super::{Comparer, Found, Vectors};
use crate::event::{Difference, Event, Events};
use crate::model::{CollectionName, ObjectId, RawObject};
use crate::pipeline::budget::Budget;
use crate::pipeline::fetch::Fetch;
use crate::pipeline::pacer::{Limits, Pacer};
use crate::pipeline::slots::Slots;
use crate::pipeline::watch::Mark;
use crate::pipeline::{load, scan, split};
use crate::weaviate::{Client, PrintedObject};

/// Pieces of a part that wait for the server's side; one more waits to be sent, and one is being compared.
const PIECES_WAITING: usize = 1;
/// Missing objects asked for at once, by each worker.
const ASKED_AT_ONCE: usize = 4;
/// Missing objects asked for in a collection; the others are missing unasked.
const MOST_ASKED: u64 = 10_000;

/// Why a comparison stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server's side.
    #[error(transparent)]
    Live(#[from] scan::Error),
    /// The archive's side.
    #[error("{}", path.display())]
    Archive {
        /// The part.
        path: PathBuf,
        /// What is wrong with it.
        source: load::Error,
    },
    /// A thread ended without saying why: a bug.
    #[error("a thread stopped without a reason")]
    Thread,
}

/// What to compare with what, and within which bounds.
pub struct Stage {
    /// The server.
    pub client: Client,
    /// The archive's side.
    pub source: Source,
    /// The collection on the server.
    pub target: CollectionName,
    /// Decides what is the same.
    pub comparer: Comparer,
    /// Whether vectors are compared, and asked for.
    pub vectors: bool,
    /// Objects whose vectors the archive lacks since the server could not print them.
    pub without_vectors: BTreeSet<ObjectId>,
    /// Whether a count will prove that nothing was overlooked, so that a short page may be the end.
    pub counted: bool,
    /// Mean size of an object in bytes, where known.
    pub object_bytes: Option<f64>,
    /// Bounds of the pace; as many workers as it allows requests in flight.
    pub limits: Limits,
    /// The budget that pages are taken from.
    pub budget: Budget,
    /// The mark that answers get.
    pub mark: Mark,
    /// Objects updated at or after this time (the server's clock, ms) look changed.
    pub changed_since_ms: Option<i64>,
    /// Differing objects to keep of each unit.
    pub limit: usize,
    /// Where events go.
    pub events: Events,
    /// Missing objects asked for so far.
    pub asked: AtomicU64,
    /// Objects and bytes told of in events so far.
    pub told: [AtomicU64; 2],
}

/// What the workers of one round share.
pub(super) struct Round {
    pub(super) stage: Arc<Stage>,
    pub(super) slots: Slots,
    pacer: Mutex<Pacer>,
    pages: AtomicU64,
    begun: Instant,
    todo: Mutex<VecDeque<usize>>,
    reading: CancellationToken,
}

impl Stage {
    /// Compares the units `todo`, by their places, and hands what was found in each to `done`, until all are compared,
    /// `reading` is cancelled, or something fails.
    pub async fn run(
        self: &Arc<Self>,
        todo: &[usize],
        reading: &CancellationToken,
        mut done: impl FnMut(usize, Found),
    ) -> Result<(), Error> {
        let workers = self.limits.most_in_flight.min(todo.len()).max(1);
        let pacer = Pacer::new(self.limits, self.object_bytes);
        let round = Arc::new(Round {
            stage: Arc::clone(self),
            slots: Slots::new(pacer.in_flight()),
            pacer: Mutex::new(pacer),
            pages: AtomicU64::new(0),
            begun: Instant::now(),
            todo: Mutex::new(todo.iter().copied().collect()),
            reading: reading.clone(),
        });
        let (sender, mut results) = mpsc::channel(workers);
        let mut running = JoinSet::new();
        for _ in 0..workers {
            running.spawn(Arc::clone(&round).work(sender.clone()));
        }
        drop(sender);
        // A dropped set stops its tasks: nothing goes on behind an error.
        loop {
            tokio::select! {
                biased;
                Some((unit, found)) = results.recv() => done(unit, found),
                Some(ended) = running.join_next() => ended.map_err(|_| Error::Thread)??,
                else => return Ok(()),
            }
        }
    }

    /// How many of so many missing objects may still be asked for.
    fn may_ask(&self, wanted: u64) -> u64 {
        let take = |asked: u64| Some(asked + wanted.min(MOST_ASKED.saturating_sub(asked)));
        let before = self.asked.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).unwrap_or(MOST_ASKED);
        wanted.min(MOST_ASKED.saturating_sub(before))
    }

    fn tell(&self, objects: u64, bytes: u64) {
        if objects > 0 {
            self.told[0].fetch_add(objects, Ordering::SeqCst);
            self.told[1].fetch_add(bytes, Ordering::SeqCst);
            let collection = self.target.clone();
            self.events.emit(Event::PageScanned { collection, tenant: None, objects, bytes });
        }
    }

    fn judge(&self, archived: &RawObject, live: &Taken, found: &mut Found) {
        let kept_without = self.without_vectors.contains(&archived.id);
        let vectors = match (self.vectors, kept_without, live.unprintable) {
            (false, _, _) | (_, true, _) => Vectors::Skip,
            (_, _, true) => Vectors::Unprintable,
            _ => Vectors::Compare,
        };
        found.without_vectors += u64::from(kept_without);
        found.made_vectors += u64::from(vectors == Vectors::Compare && self.comparer.lacks_made_vector(archived));
        found.changed += u64::from(self.is_changed(&live.object));
        let fields = self.comparer.fields(archived, &live.object, vectors);
        if !fields.is_empty() {
            found.differs(archived.id, Difference::Different, fields, self.limit);
        }
    }

    fn is_changed(&self, live: &RawObject) -> bool {
        let since = self.changed_since_ms.unwrap_or(i64::MAX);
        live.updated_ms.is_some_and(|at| at >= since)
    }
}

impl Round {
    pub(super) fn fetch(&self) -> Fetch<'_> {
        Fetch {
            client: &self.stage.client,
            collection: &self.stage.target,
            tenant: None,
            vectors: self.stage.vectors,
            budget: &self.stage.budget,
            pacer: &self.pacer,
            pages: &self.pages,
            begun: self.begun,
            events: &self.stage.events,
        }
    }

    pub(super) fn give_back(&self, slot: Option<SemaphorePermit<'_>>) {
        self.slots.give_back(slot, &self.pacer, &self.stage.target, &self.stage.events);
    }

    async fn work(self: Arc<Self>, results: mpsc::Sender<(usize, Found)>) -> Result<(), Error> {
        let next = || self.todo.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        while let Some(unit) = next() {
            let found = tokio::select! {
                () = self.reading.cancelled() => return Ok(()),
                found = self.unit(unit) => found?,
            };
            if results.send((unit, found)).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Compares one unit. What it found is worth something only when the part was proven to its end.
    async fn unit(&self, unit: usize) -> Result<Found, Error> {
        if !self.stage.source.wants(unit) {
            return Ok(Found::default());
        }
        let (sender, mut pieces) = mpsc::channel(PIECES_WAITING);
        let stage = Arc::clone(&self.stage);
        let reading = tokio::task::spawn_blocking(move || stage.source.read(unit, &sender));
        let mut merge = Merge {
            round: self,
            stage: &self.stage,
            live: Live::new(self),
            left: 0,
            told: [0; 2],
            found: Found::default(),
        };
        while let Some(piece) = pieces.recv().await {
            merge.take(piece).await?;
        }
        let path = || self.stage.source.path(unit);
        reading.await.map_err(|_| Error::Thread)?.map_err(|source| Error::Archive { path: path(), source })?;
        merge.tell();
        let mark = merge.found.mark.max(merge.live.mark);
        Ok(Found { mark, ..merge.found })
    }
}

/// Both sides of one unit.
struct Merge<'a> {
    round: &'a Round,
    stage: &'a Stage,
    live: Live<'a>,
    /// Objects the archive still holds of this stretch.
    left: u64,
    /// Objects and bytes told of.
    told: [u64; 2],
    found: Found,
}

impl Merge<'_> {
    async fn take(&mut self, piece: Piece) -> Result<(), Error> {
        match piece {
            Piece::Begin { from, objects } => {
                self.live.begin(from);
                self.left = objects;
            }
            Piece::Objects(objects) => {
                let mut missing = Vec::new();
                for archived in objects {
                    self.found.objects += 1;
                    self.found.bytes += archived.text.len() as u64 + 1;
                    if !self.meet(&archived).await? {
                        missing.push(archived);
                    }
                    self.left = self.left.saturating_sub(1);
                }
                self.ask(missing).await?;
                self.tell();
            }
            Piece::End { to } => {
                while let Some(extra) = self.live.up_to(to, 0).await? {
                    self.extra(&extra);
                }
            }
        }
        Ok(())
    }

    /// Finds the live object of the same id; what lies before it is extra. Whether there is one.
    async fn meet(&mut self, archived: &RawObject) -> Result<bool, Error> {
        while let Some(live) = self.live.up_to(Some(archived.id), self.left).await? {
            if live.object.id == archived.id {
                self.stage.judge(archived, &live, &mut self.found);
                return Ok(true);
            }
            self.extra(&live);
        }
        Ok(false)
    }

    fn extra(&mut self, live: &Taken) {
        self.found.changed += u64::from(self.stage.is_changed(&live.object));
        self.found.differs(live.object.id, Difference::Extra, Vec::new(), self.stage.limit);
    }

    /// Asks for each missing object by its id: a listing reads one replica, a single object is read by a quorum.
    async fn ask(&mut self, missing: Vec<RawObject>) -> Result<(), Error> {
        if missing.is_empty() {
            return Ok(());
        }
        let (round, stage) = (self.round, self.stage);
        let may = stage.may_ask(missing.len() as u64);
        let (asked, unasked) = missing.split_at(usize::try_from(may).unwrap_or(usize::MAX));
        let ask = |archived: RawObject| async move {
            let _slot = round.slots.take().await;
            let answer = stage.client.object(&stage.target, None, archived.id).await;
            answer.map(|printed| (archived, printed))
        };
        let mut answers = stream::iter(asked.to_vec()).map(ask).buffered(ASKED_AT_ONCE);
        while let Some(answer) = answers.next().await {
            let (archived, printed) = answer.map_err(scan::Error::Wire)?;
            self.found.asked += 1;
            self.found.mark = self.found.mark.max(stage.mark.now());
            let Some(PrintedObject { text, unprintable }) = printed else {
                self.found.differs(archived.id, Difference::Missing, Vec::new(), stage.limit);
                continue;
            };
            let wrong = |source| scan::Error::Page { collection: stage.target.clone(), source };
            let object = split::line(&text, &stage.target).map_err(wrong)?;
            stage.judge(&archived, &Taken { object, unprintable }, &mut self.found);
        }
        for archived in unasked {
            self.found.unasked += 1;
            self.found.differs(archived.id, Difference::Missing, Vec::new(), stage.limit);
        }
        Ok(())
    }

    fn tell(&mut self) {
        let now = [self.found.objects, self.found.bytes];
        self.stage.tell(now[0] - self.told[0], now[1] - self.told[1]);
        self.told = now;
    }
}
