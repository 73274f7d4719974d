//! Writes the objects of one collection: load, import and the run's journal side by side, on bounded channels.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::filled::{Filled, ObjectsOfRuns};
use super::notes::Notes;
use super::{Collection, RestoreOptions, survey, tenants};
use crate::archive::{Archive, Error as ArchiveError, Index, Run, RunRecord};
use crate::event::{Event, Events};
use crate::model::coverage::Space;
use crate::model::{CollectionName, KeyRange, TenantName};
use crate::ops::{Error, Session, activation, prove};
use crate::pipeline::activation::runs::{ActivateRuns, RUNS_JUDGED_WAITING};
use crate::pipeline::budget::Budget;
use crate::pipeline::compare::Comparer;
use crate::pipeline::import::{self, Done, FoundEqual, Import, Pass, Stamps};
use crate::pipeline::journal::{self, RunJournal};
use crate::pipeline::load::{self, BadPart, Load};
use crate::pipeline::long_lines::longest_line;
use crate::pipeline::pacer::{BATCH_BYTES, Limits, Pacer};
use crate::pipeline::rewrite::Rewrite;
use crate::pipeline::{BATCHES_WAITING, BatchOrigin};
use crate::weaviate::Writer;

/// Results that may wait for the journal. Few, since they hold the objects that were rejected, outside the budget.
const RESULTS_WAITING: usize = 4;
/// One batch never weighs more than this share of the budget: it takes that several times over, sent and answered.
const BATCH_SHARE: u64 = 4;
/// What batches on their way may take of the budget together, in bytes.
pub(super) const FLOW_BYTES: u64 = 56 << 20;
/// Batches that may be in memory for each request in flight.
const BATCHES_A_REQUEST: u64 = 3;

/// What it takes to fill collections.
pub(super) struct Fill<'a> {
    pub(super) client: &'a Writer,
    pub(super) session: &'a Session,
    pub(super) options: &'a RestoreOptions,
    pub(super) archive: &'a Arc<Archive>,
    pub(super) budget: &'a Budget,
    pub(super) journal: &'a RunJournal,
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
        let stop = self.session.cancel.child_token();
        let pacer = Arc::new(Mutex::new(self.pacer(collection)));
        let (batches, read) = mpsc::channel(BATCHES_WAITING);
        let (results, judged) = mpsc::channel(RESULTS_WAITING);
        let (over, runs_judged) = mpsc::channel(RUNS_JUDGED_WAITING);
        let stamps = Arc::new(Stamps::default());
        let load = Arc::new(self.load(collection, pass, &pacer, &stop));
        let loading = tokio::task::spawn_blocking({
            let load = Arc::clone(&load);
            move || load.run(&batches)
        });
        let bookkeeping = Bookkeeping {
            journal: self.journal.clone(),
            target: collection.planned.target.clone(),
            runs: Arc::clone(&collection.indexed.runs),
            pass,
            before_references: std::mem::take(objects),
            notes: Notes::after(&collection.before.partly),
            began: Instant::now(),
            filled: Filled::default(),
            before: collection.before.filled.objects,
            inactive: collection.tenants.inactive(),
            over,
            stamps: Arc::clone(&stamps),
            events: self.session.events.clone(),
        };
        let journalling = tokio::task::spawn_blocking({
            let stop = stop.clone();
            move || bookkeeping.take_all(judged, &stop)
        });
        let import = self.import(collection, pass, &pacer, stamps);
        let importing = async |batches| {
            let imported = import.run(batches, results, &stop).await;
            if imported.is_err() {
                stop.cancel();
            }
            imported
        };
        let activation = tenants::activation(self.client, collection);
        let (activated, imported) = match &activation {
            Some(activation) => {
                let (on, batches) = mpsc::channel(BATCHES_WAITING);
                let activate = ActivateRuns::new(Arc::clone(activation));
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
        if let Some(activation) = activation {
            // However it ended. What fails here is put right, or told, when the states are looked at in the end.
            activation::deactivate(self.session, &collection.planned.target, &activation, None).await;
        }
        (filled, activated.map_err(Error::from).and(self.judge(collection, written, loaded, imported)))
    }

    /// The first cause among the errors of the three sides.
    fn judge(
        &self,
        collection: &Collection,
        written: Result<(), Error>,
        loaded: Result<Result<(), Box<BadPart>>, tokio::task::JoinError>,
        imported: Result<(), import::Error>,
    ) -> Result<(), Error> {
        written?;
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
        let most_in_flight = self.options.import().most_in_flight;
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

    fn load(&self, collection: &Collection, pass: Pass, pacer: &Arc<Mutex<Pacer>>, stop: &CancellationToken) -> Load {
        Load {
            archive: Arc::clone(self.archive),
            at: collection.at,
            schema: collection.indexed.schema.clone(),
            runs: Arc::clone(&collection.indexed.runs),
            digest: collection.indexed.digest.clone(),
            tenants: self.options.tenants.clone(),
            done: Arc::clone(&collection.before.done),
            mixed: if pass == Pass::References { Arc::default() } else { Arc::clone(&collection.survey.mixed) },
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
        let RestoreOptions { clamp_ints, vectors, revectorize, .. } = *self.options;
        let vectorised = survey::vectorised(&collection.asked);
        let made = if revectorize { vectorised.clone() } else { Vec::new() };
        let comparer = Comparer::new(schema, collection.renames.clone(), clamp_ints).with_made_vectors(made);
        Import {
            client: self.client.clone(),
            collection: collection.planned.target.clone(),
            rewrite: Rewrite::new(schema, &collection.renames, clamp_ints, vectors).deferring(collection.deferred()),
            pass,
            vectorised,
            mixed: Arc::clone(&collection.survey.mixed),
            comparer,
            pacer: Arc::clone(pacer),
            stamps,
            options: self.options.import(),
            events: self.session.events.clone(),
        }
    }
}

/// Writes down what became of every batch.
struct Bookkeeping {
    journal: RunJournal,
    target: CollectionName,
    runs: Arc<Index>,
    pass: Pass,
    /// Of runs whose references wait for a pass of their own.
    before_references: ObjectsOfRuns,
    /// What became of each run that is not done.
    notes: Notes,
    began: Instant,
    filled: Filled,
    /// Objects that an earlier run has dealt with.
    before: u64,
    /// Tenants that are to be inactive, by their names on the server.
    inactive: Arc<BTreeSet<TenantName>>,
    /// Who deactivates them once their runs were judged.
    over: mpsc::Sender<usize>,
    /// When what was written so far was created.
    stamps: Arc<Stamps>,
    events: Events,
}

impl Bookkeeping {
    /// Takes results until the channel closes. An error cancels `stop`, so that nothing more is sent. Lets go of `over` in the
    /// end: it is waited for.
    fn take_all(
        mut self,
        mut results: mpsc::Receiver<Done>,
        stop: &CancellationToken,
    ) -> (Filled, ObjectsOfRuns, Result<(), ArchiveError>) {
        let mut written = Ok(());
        while let Some(done) = results.blocking_recv() {
            if written.is_ok() {
                written = self.take(&done);
                if written.is_err() {
                    stop.cancel();
                }
            }
        }
        // However it ended: what is judged need not be sent again.
        let written = written.and_then(|()| {
            let left = self.notes.all();
            self.note(left)
        });
        let synced = self.journal.blocking().sync();
        (self.filled, self.before_references, written.and(synced))
    }

    /// Writes down stretches of runs that are under way. Objects without the references that belong to them are not judged
    /// before these are.
    fn note(&mut self, pieces: Vec<(usize, (KeyRange, Filled))>) -> Result<(), ArchiveError> {
        if self.pass != Pass::All {
            return Ok(());
        }
        for (at, (covers, filled)) in pieces {
            if let Some(run) = self.runs.get(at).cloned() {
                self.imported(&run, covers, filled)?;
            }
        }
        Ok(())
    }

    fn imported(&mut self, run: &Run, covers: KeyRange, filled: Filled) -> Result<(), ArchiveError> {
        let Filled { objects, rejected, rejected_bytes, stored, references, found, .. } = filled;
        self.journal.blocking().record(&RunRecord::Imported {
            target: self.target.clone(),
            tenant: run.tenant.clone(),
            from: covers.from,
            to: covers.to,
            objects: objects - rejected,
            rejected,
            rejected_bytes,
            stored,
            references,
            refused_equal: found.refused + found.lengths,
            unsaid_equal: found.unsaid,
            stamped: self.stamps.seen(),
        })
    }

    /// All of a run was judged: its tenant may be deactivated, if it is to be inactive.
    fn over(&mut self, number: usize, space: &Space, over: Filled) {
        if space.as_ref().is_some_and(|tenant| self.inactive.contains(tenant)) {
            self.filled.inactive += over.there();
            // Who deactivates may have ended: then all of them are deactivated after the run.
            let _ = self.over.blocking_send(number);
        }
    }

    fn take(&mut self, done: &Done) -> Result<(), ArchiveError> {
        self.filled.add(done);
        for object in &done.rejected {
            let mut files = self.journal.blocking();
            files.reject(&self.target, object.tenant.as_ref(), object.id, &object.reason, &object.object)?;
            drop(files);
            self.events.emit(Event::ObjectRejected {
                collection: self.target.clone(),
                tenant: object.tenant.clone(),
                id: object.id,
                reason: object.reason.clone(),
            });
        }
        let BatchOrigin::Archived { run: number } = done.origin else { return Ok(()) };
        let Some(run) = self.runs.get(number).cloned() else { return Ok(()) };
        let mut filled = Filled::default();
        filled.add(done);
        let Some(over) = self.notes.take(number, run.covers, run.objects, (done.covers, filled)) else {
            let due = if self.pass == Pass::All { self.notes.due(self.began.elapsed()) } else { Vec::new() };
            if due.is_empty() {
                return Ok(());
            }
            self.note(due)?;
            return self.saved();
        };
        self.over(number, &done.space, over.now);
        // Objects without the references that belong to them are not all of the run.
        if self.pass == Pass::Objects {
            if over.now.rejected > 0 || over.now.found != FoundEqual::default() {
                self.before_references.insert(number, over.now);
            }
            return Ok(());
        }
        for (covers, filled) in over.pieces {
            let filled = self.before_references.remove(&number).map_or(filled, |objects| objects.referred(filled));
            self.imported(&run, covers, filled)?;
        }
        self.saved()
    }

    /// Makes what was written down durable, and says so.
    fn saved(&mut self) -> Result<(), ArchiveError> {
        self.journal.blocking().sync()?;
        self.events.emit(Event::CheckpointSaved {
            collection: self.target.clone(),
            objects: self.before + self.filled.objects,
        });
        Ok(())
    }
}
