//! Writes the objects of one collection: load, import and the run's journal side by side, on bounded channels.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::merge::kept::{KeptArchive, present};
use super::{Collection, RestoreOptions, survey, tenants};
use crate::archive::Archive;
use crate::ops::{Error, WriteAccess, prove};
use crate::pipeline::activation::runs::{ActivateRuns, RUNS_JUDGED_WAITING};
use crate::pipeline::bookkeeping::{Bookkeeping, Filled, Notes, ObjectsOfRuns, RESULTS_WAITING};
use crate::pipeline::budget::Budget;
use crate::pipeline::import::{self, Done, Import, Merging, Pass, Stamps};
use crate::pipeline::journal::{self, RunJournal};
use crate::pipeline::load::{self, BadPart, Load};
use crate::pipeline::long_lines::{LongLines, longest_line};
use crate::pipeline::marks::Marks;
use crate::pipeline::pacer::{BATCH_BYTES, Limits, Pacer};
use crate::pipeline::replaced::{KNOWN_WAITING, know_again};
use crate::pipeline::rewrite::Rewrite;
use crate::pipeline::{BATCHES_WAITING, Batch};

/// One batch never weighs more than this share of the budget: it takes that several times over, sent and answered.
const BATCH_SHARE: u64 = 4;
/// The same of a merge, in bytes: the smaller a batch, the shorter the time in which what somebody writes is overwritten unseen.
const MERGED_BATCH_BYTES: u64 = 256 << 10;
/// What batches on their way may take of the budget together, in bytes.
pub(super) const FLOW_BYTES: u64 = 56 << 20;
/// Threads that read what was kept: lines of it may be as long as any.
const KEPT_READERS: usize = 4;
/// Batches that may be in memory for each request in flight.
const BATCHES_A_REQUEST: u64 = 3;

/// What came of reading an archive on a thread.
pub(super) type Loaded = Result<Result<(), Box<BadPart>>, tokio::task::JoinError>;

/// What it takes to fill collections.
pub(super) struct Fill<'a> {
    pub(super) access: WriteAccess<'a>,
    pub(super) options: &'a RestoreOptions,
    pub(super) archive: &'a Arc<Archive>,
    pub(super) budget: &'a Budget,
    pub(super) journal: &'a RunJournal,
    /// What the live objects are taken from that a merge looks at.
    pub(super) live: &'a Budget,
    /// What is replaced by a merge.
    pub(super) kept: Option<&'a KeptArchive>,
}

impl Fill<'_> {
    /// Writes every object of a collection that no earlier run has written, or, in a pass of their own, the references
    /// that wait: `objects` is then what became of them in the pass before. However it ends, what was dealt with until then is told.
    pub(super) async fn run(
        &self,
        collection: &Collection,
        pass: Pass,
        objects: &mut ObjectsOfRuns,
    ) -> (Filled, Result<(), Error>) {
        // Cancelled when the run is told to stop, and when one side fails.
        let stop = self.access.cancel.child_token();
        let pacer = Arc::new(Mutex::new(self.pacer(collection)));
        let (batches, read) = mpsc::channel(BATCHES_WAITING);
        let (results, judged) = mpsc::channel(RESULTS_WAITING);
        let (over, runs_judged) = mpsc::channel(RUNS_JUDGED_WAITING);
        let stamps = Arc::new(Stamps::default());
        let only = collection.merge.as_ref().map(|merge| Arc::clone(&merge.marked));
        let load = Arc::new(self.load(collection, pass, only.clone(), &pacer, &stop));
        let loading = tokio::task::spawn_blocking({
            let load = Arc::clone(&load);
            move || load.run(&batches)
        });
        let bookkeeping = Bookkeeping {
            journal: self.journal.clone(),
            target: collection.planned.target.clone(),
            runs: Arc::clone(&collection.taken.wanted),
            only,
            pass,
            before_references: std::mem::take(objects),
            notes: Notes::after(&collection.before.partly),
            began: Instant::now(),
            filled: Filled::default(),
            before: collection.before.filled.objects,
            inactive: collection.tenants.inactive(),
            over,
            stamps: Arc::clone(&stamps),
            events: self.access.events.clone(),
        };
        let journalling = tokio::task::spawn_blocking({
            let stop = stop.clone();
            move || bookkeeping.take_all(judged, &stop)
        });
        let import = self.import(collection, pass, &pacer, stamps);
        let importing = async |batches| {
            let imported = self.known_first(collection, &import, batches, results, &stop).await;
            if imported.is_err() {
                stop.cancel();
            }
            imported
        };
        let activating = tenants::activating(self.access.writer, collection);
        let (activated, imported) = match &activating {
            Some(activating) => {
                let (on, batches) = mpsc::channel(BATCHES_WAITING);
                let activate = ActivateRuns::new(Arc::clone(&activating.activation));
                tokio::join!(activate.run(load.ahead(), read, on, runs_judged, &stop), importing(batches))
            }
            None => (Ok(()), importing(read).await),
        };
        let loaded = loading.await;
        let (filled, written) = match journalling.await {
            Ok((filled, before_references, written)) => {
                *objects = before_references;
                (filled, written.map_err(|error| journal::Error::Files(error).into()))
            }
            Err(_) => (Filled::default(), Err(journal::Error::Thread.into())),
        };
        if let Some(activating) = activating {
            // However it ended. What fails here is put right, or told, when the states are looked at in the end.
            activating.deactivate(self.access.session).await;
        }
        (filled, activated.map_err(Error::from).and(self.judge_all(collection, written, loaded, imported)))
    }

    /// What ended the reading of the archive, if that is not that the run was told to stop.
    pub(super) fn judge(&self, collection: &Collection, loaded: Loaded) -> Result<(), Error> {
        match loaded {
            Err(_) => return Err(Error::Stage { what: "load".into() }),
            Ok(Ok(())) => {}
            Ok(Err(bad)) => match *bad {
                BadPart { error: load::Error::Stopped, .. } => {}
                bad => return Err(prove::wrong(self.archive, collection.at, bad)),
            },
        }
        Ok(())
    }

    /// The first cause among the errors of the three sides.
    fn judge_all(
        &self,
        collection: &Collection,
        written: Result<(), Error>,
        loaded: Loaded,
        imported: Result<(), Error>,
    ) -> Result<(), Error> {
        written?;
        self.judge(collection, loaded)?;
        // What fails in the grace after a stop is the stop's.
        self.access.go_on()?;
        imported
    }

    /// Imports batches; in a merge that replaces objects each is told first which of its were kept.
    async fn known_first(
        &self,
        collection: &Collection,
        import: &Import,
        batches: mpsc::Receiver<Batch>,
        results: mpsc::Sender<Done>,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let name = &collection.planned.target;
        let failed = |source| match source {
            import::Error::Present(source) => Error::Scan { collection: name.clone(), source },
            source => Error::Import { collection: name.clone(), source },
        };
        let Some((kept, at)) = self.kept.and_then(|kept| Some((kept, kept.of(name)?.0))) else {
            return import.run(batches, results, stop).await.map_err(failed);
        };
        let lines = LongLines::within(self.options.memory_bytes, KEPT_READERS);
        let reading = kept.read(at, lines).await?;
        let (told, objects) = mpsc::channel(KNOWN_WAITING);
        let (on, known) = mpsc::channel(BATCHES_WAITING);
        let read = tokio::task::spawn_blocking(move || reading.read(&told));
        let (met, imported) = tokio::join!(know_again(objects, batches, on, stop), import.run(known, results, stop));
        imported.map_err(failed)?;
        match read.await {
            Ok(Err(bad)) if !matches!(bad.error, load::Error::Stopped) => Err(prove::wrong(&kept.archive, at, *bad)),
            Ok(_) if met => Ok(()),
            _ => Err(Error::Stage { what: "kept".into() }),
        }
    }

    fn pacer(&self, collection: &Collection) -> Pacer {
        let most_in_flight = self.options.import().most_in_flight;
        let share = self.budget.bytes() / (most_in_flight as u64 * BATCHES_A_REQUEST);
        let most = if collection.merge.is_some() { MERGED_BATCH_BYTES } else { BATCH_BYTES };
        let limits =
            Limits { fixed_page_objects: self.options.batch_objects, most_in_flight, page_bytes: most.min(share) };
        let entry = &self.archive.collections()[collection.at];
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let mean = (entry.objects > 0).then(|| entry.bytes as f64 / entry.objects as f64);
        Pacer::new(limits, mean).sending_at_most(self.budget.bytes() / BATCH_SHARE)
    }

    /// `only`: the objects that are wanted, in a merge.
    pub(super) fn load(
        &self,
        collection: &Collection,
        pass: Pass,
        only: Option<Arc<Marks>>,
        pacer: &Arc<Mutex<Pacer>>,
        stop: &CancellationToken,
    ) -> Load {
        let runs = collection.indexed.runs.len();
        let done =
            only.as_ref().map_or_else(|| Arc::clone(&collection.before.done), |only| Arc::new(only.unmarked(runs)));
        // Where others have objects, no vector leads them.
        let mixed = if pass == Pass::References || only.is_some() {
            Arc::default()
        } else {
            Arc::clone(&collection.survey.mixed)
        };
        Load {
            archive: Arc::clone(self.archive),
            at: collection.at,
            schema: collection.indexed.schema.clone(),
            runs: Arc::clone(&collection.indexed.runs),
            wanted: Arc::clone(&collection.taken.wanted),
            sieve: collection.taken.sieve.clone(),
            digest: collection.indexed.digest.clone(),
            tenants: self.options.tenants.clone(),
            done,
            mixed,
            only,
            judged: Arc::new(
                collection.before.partly.iter().map(|(at, partly)| (*at, partly.ranges.clone())).collect(),
            ),
            budget: self.budget.clone(),
            longest_line: longest_line(self.options.memory_bytes),
            pacer: Arc::clone(pacer),
            stop: stop.clone(),
        }
    }

    fn import(&self, collection: &Collection, pass: Pass, pacer: &Arc<Mutex<Pacer>>, stamps: Arc<Stamps>) -> Import {
        let schema = &collection.indexed.schema;
        let RestoreOptions { clamp_ints, vectors, .. } = *self.options;
        Import {
            client: self.access.writer.clone(),
            collection: collection.planned.target.clone(),
            rewrite: Rewrite::new(schema, &collection.renames, clamp_ints, vectors).deferring(collection.deferred()),
            pass,
            vectorised: survey::vectorised(&collection.asked),
            mixed: Arc::clone(&collection.survey.mixed),
            comparer: collection.comparer(self.options),
            pacer: Arc::clone(pacer),
            stamps,
            merging: collection.merge.as_ref().map(|merge| Merging {
                marked: Arc::clone(&merge.marked),
                present: present(self.access.reading, self.options, collection, self.live),
                reads_back: self.options.verify,
            }),
            options: self.options.import(),
            events: self.access.events.clone(),
        }
    }
}
