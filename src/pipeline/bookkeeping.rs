//! What became of the objects that are sent to a server, written into the run's journal, a stretch of a run of ids at a time:
//! what a run that is killed has done is not done again. Blocks, on a thread of its own.

mod filled;
mod notes;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::BatchOrigin;
use super::import::{Changed, Done, FoundEqual, Pass, Stamps};
use super::journal::RunJournal;
use super::marks::Marks;
use crate::archive::{Error as ArchiveError, Index, Run, RunRecord};
use crate::event::{Difference, Event, Events};
use crate::model::coverage::Space;
use crate::model::{CollectionName, KeyRange, TenantName};

pub(crate) use filled::{Filled, ObjectsOfRuns};
pub(crate) use notes::{Notes, Partly, in_order};

/// Results that may wait for the journal. Few, since they hold the objects that were rejected, outside the budget.
pub(crate) const RESULTS_WAITING: usize = 4;

/// Writes down what became of every batch.
pub(crate) struct Bookkeeping {
    pub(crate) journal: RunJournal,
    pub(crate) target: CollectionName,
    pub(crate) runs: Arc<Index>,
    /// The objects of them that are dealt with; `None`: all.
    pub(crate) only: Option<Arc<Marks>>,
    pub(crate) pass: Pass,
    /// Of runs whose references wait for a pass of their own.
    pub(crate) before_references: ObjectsOfRuns,
    /// What became of each run that is not done.
    pub(crate) notes: Notes,
    pub(crate) began: Instant,
    pub(crate) filled: Filled,
    /// Objects that an earlier run has dealt with.
    pub(crate) before: u64,
    /// Tenants that are to be inactive, by their names on the server.
    pub(crate) inactive: Arc<BTreeSet<TenantName>>,
    /// Who deactivates them once their runs were judged.
    pub(crate) over: mpsc::Sender<usize>,
    /// When what was written so far was created.
    pub(crate) stamps: Arc<Stamps>,
    pub(crate) events: Events,
}

impl Bookkeeping {
    /// Takes results until the channel closes. An error cancels `stop`, so that nothing more is sent. Lets go of `over` in the
    /// end: it is waited for.
    pub(crate) fn take_all(
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
        for Changed { id, fields } in done.changed.iter().cloned() {
            let kind = if fields.is_some() { Difference::Different } else { Difference::OnlyLeft };
            self.events.emit(Event::ObjectDiffers {
                collection: self.target.clone(),
                tenant: done.space.clone(),
                id,
                kind,
                fields: fields.unwrap_or_default(),
            });
        }
        let BatchOrigin::Archived { run: number } = done.origin else { return Ok(()) };
        let Some(run) = self.runs.get(number).cloned() else { return Ok(()) };
        let mut filled = Filled::default();
        filled.add(done);
        let objects = self.only.as_ref().map_or(run.objects, |only| only.number(number, run.objects));
        let Some(over) = self.notes.take(number, run.covers, objects, (done.covers, filled)) else {
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
