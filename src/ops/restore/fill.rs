//! Writes the objects of one collection: load, import and the run's journal side by side, on bounded channels.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Collection, Options, survey};
use crate::archive::{Archive, RunFiles, RunRecord};
use crate::event::{Event, Events};
use crate::model::CollectionName;
use crate::ops::{Error, Session, prove};
use crate::pipeline::BATCHES_WAITING;
use crate::pipeline::budget::Budget;
use crate::pipeline::import::{Done, Import};
use crate::pipeline::load::{self, BadPart, Load};
use crate::pipeline::pacer::{BATCH_BYTES, Limits, Pacer};
use crate::pipeline::rewrite::Rewrite;
use crate::weaviate::Writer;

/// Results that may wait for the journal. Few, since they hold the objects that were rejected, outside the budget.
const RESULTS_WAITING: usize = 4;
/// One batch never weighs more than this share of the budget: it takes that several times over, sent and answered.
const BATCH_SHARE: u64 = 4;
/// What batches on their way may take of the budget together, in bytes.
pub(super) const FLOW_BYTES: u64 = 56 << 20;
/// Batches that may be in memory for each request in flight.
const BATCHES_A_REQUEST: u64 = 3;

/// What became of the objects of one collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Filled {
    /// Objects dealt with: stored or rejected.
    pub(super) objects: u64,
    /// Objects the server refused for good.
    pub(super) rejected: u64,
    /// Plain bytes of those, line ends included.
    pub(super) rejected_bytes: u64,
}

/// What it takes to fill collections.
pub(super) struct Fill<'a> {
    pub(super) client: &'a Writer,
    pub(super) session: &'a Session,
    pub(super) options: &'a Options,
    pub(super) archive: &'a Arc<Archive>,
    pub(super) budget: &'a Budget,
}

impl Fill<'_> {
    /// Writes every object of a collection. The journal is handed back in any case, with what was written until then.
    pub(super) async fn run(
        &self,
        collection: &Collection,
        files: RunFiles,
    ) -> (Filled, Option<RunFiles>, Result<(), Error>) {
        // Cancelled when the run is told to stop, and when one side fails.
        let stop = self.session.cancel.child_token();
        let pacer = Arc::new(Mutex::new(self.pacer(collection)));
        let (batches, waiting) = mpsc::channel(BATCHES_WAITING);
        let (results, judged) = mpsc::channel(RESULTS_WAITING);
        let load = self.load(collection, &pacer, &stop);
        let loading = tokio::task::spawn_blocking(move || load.run(&batches));
        let journal = Journal::new(collection, files, self.session.events.clone());
        let journalling = tokio::task::spawn_blocking({
            let stop = stop.clone();
            move || journal.take_all(judged, &stop)
        });
        let imported = self.import(collection, &pacer).run(waiting, results, &stop).await;
        if imported.is_err() {
            stop.cancel();
        }
        let loaded = loading.await;
        let (files, filled, written) = match journalling.await {
            Ok((files, filled, written)) => (Some(files), filled, written),
            Err(_) => (None, Filled::default(), Ok(())),
        };
        let done = self.judge(collection, written, loaded, imported, files.is_some());
        (filled, files, done)
    }

    /// The first cause among the errors of the three sides.
    fn judge(
        &self,
        collection: &Collection,
        written: Result<(), crate::archive::Error>,
        loaded: Result<Result<(), Box<BadPart>>, tokio::task::JoinError>,
        imported: Result<(), crate::pipeline::import::Error>,
        journal_lives: bool,
    ) -> Result<(), Error> {
        written?;
        if !journal_lives {
            return Err(Error::Stage { what: "journal".into() });
        }
        match loaded {
            Err(_) => return Err(Error::Stage { what: "load".into() }),
            Ok(Ok(())) => {}
            Ok(Err(bad)) => match *bad {
                BadPart { error: load::Error::Stopped, .. } => {}
                BadPart { part, error } => {
                    let entry = &self.archive.collections()[collection.at];
                    return Err(prove::wrong(self.archive, entry, &part, error));
                }
            },
        }
        // What fails in the grace after a stop is the stop's.
        if self.session.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        imported.map_err(|source| Error::Import { collection: collection.planned.target.clone(), source })
    }

    fn pacer(&self, collection: &Collection) -> Pacer {
        let most_in_flight = self.options.jobs.unwrap_or(Options::MOST_JOBS).max(1);
        let share = self.budget.bytes() / (most_in_flight as u64 * BATCHES_A_REQUEST);
        let limits = Limits {
            fixed_page_objects: self.options.batch_objects,
            most_in_flight,
            page_bytes: BATCH_BYTES.min(share),
        };
        let entry = &self.archive.collections()[collection.at];
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let mean = (entry.objects > 0).then(|| entry.bytes as f64 / entry.objects as f64);
        Pacer::new(limits, mean).sending_at_most(self.budget.bytes() / BATCH_SHARE)
    }

    fn load(&self, collection: &Collection, pacer: &Arc<Mutex<Pacer>>, stop: &CancellationToken) -> Load {
        Load {
            archive: Arc::clone(self.archive),
            at: collection.at,
            schema: collection.indexed.schema.clone(),
            runs: Arc::clone(&collection.indexed.runs),
            digest: collection.indexed.digest.clone(),
            budget: self.budget.clone(),
            pacer: Arc::clone(pacer),
            stop: stop.clone(),
        }
    }

    fn import(&self, collection: &Collection, pacer: &Arc<Mutex<Pacer>>) -> Import {
        let schema = &collection.indexed.schema;
        let Options { clamp_ints, vectors, .. } = *self.options;
        Import {
            client: self.client.clone(),
            collection: collection.planned.target.clone(),
            rewrite: Rewrite::new(schema, &collection.renames, clamp_ints, vectors),
            vectorised: survey::vectorised(schema),
            pacer: Arc::clone(pacer),
            most_in_flight: self.options.jobs.unwrap_or(Options::MOST_JOBS).max(1),
            patience: self.options.patience,
            events: self.session.events.clone(),
        }
    }
}

/// Writes down what became of every batch.
struct Journal {
    files: RunFiles,
    target: CollectionName,
    runs: Arc<Vec<crate::archive::Run>>,
    /// Objects dealt with, and rejected ones, of each run that is not done.
    open: BTreeMap<usize, Filled>,
    filled: Filled,
    events: Events,
}

impl Journal {
    fn new(collection: &Collection, files: RunFiles, events: Events) -> Self {
        Self {
            files,
            target: collection.planned.target.clone(),
            runs: Arc::clone(&collection.indexed.runs),
            open: BTreeMap::new(),
            filled: Filled::default(),
            events,
        }
    }

    /// Takes results until the channel closes. An error cancels `stop`, so that nothing more is sent.
    fn take_all(
        mut self,
        mut results: mpsc::Receiver<Done>,
        stop: &CancellationToken,
    ) -> (RunFiles, Filled, Result<(), crate::archive::Error>) {
        let mut written = Ok(());
        while let Some(done) = results.blocking_recv() {
            if written.is_ok() {
                written = self.take(&done);
                if written.is_err() {
                    stop.cancel();
                }
            }
        }
        let synced = self.files.sync();
        (self.files, self.filled, written.and(synced))
    }

    fn take(&mut self, done: &Done) -> Result<(), crate::archive::Error> {
        let rejected = done.rejected.len() as u64;
        self.filled.objects += done.objects;
        self.filled.rejected += rejected;
        self.filled.rejected_bytes += done.rejected.iter().map(|r| r.object.len() as u64 + 1).sum::<u64>();
        for object in &done.rejected {
            self.files.reject(&self.target, object.tenant.as_ref(), object.id, &object.reason, &object.object)?;
            self.events.emit(Event::ObjectRejected {
                collection: self.target.clone(),
                tenant: object.tenant.clone(),
                id: object.id,
                reason: object.reason.clone(),
            });
        }
        let open = self.open.entry(done.lane).or_default();
        open.objects += done.objects;
        open.rejected += rejected;
        let Some(run) = self.runs.get(done.lane).filter(|run| run.objects == open.objects) else { return Ok(()) };
        let record = RunRecord::Imported {
            target: self.target.clone(),
            tenant: run.tenant.clone(),
            from: run.covers.from,
            to: run.covers.to,
            objects: open.objects - open.rejected,
            rejected: open.rejected,
        };
        self.open.remove(&done.lane);
        self.files.record(&record)?;
        self.files.sync()?;
        self.events.emit(Event::CheckpointSaved { collection: self.target.clone(), objects: self.filled.objects });
        Ok(())
    }
}
