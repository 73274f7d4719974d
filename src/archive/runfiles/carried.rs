//! Resuming the files of a run that was killed: its journal, and the refused objects that the journal counts.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use super::super::disk::Disk;
use super::super::error::{Damage, DiskOp, Error, on};
use super::super::format::RejectedLine;
use super::super::journal::Journal;
use super::super::names::CHECKPOINT;
use super::rejected::{self, Rejected};
use super::{RunFiles, RunHistory, RunRecord};
use crate::model::{CollectionName, KeyRange, ObjectId, Reasons, TenantMap, TenantName};

/// What the files of a run hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    /// What its journal says.
    pub history: RunHistory,
    /// Refused objects that are kept of those the journal counts, by collection.
    pub refused: BTreeMap<CollectionName, u64>,
}

/// What of an earlier run does not count any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forget {
    /// Collections that are there, and of which every object is sent again.
    pub again: Vec<CollectionName>,
    /// Collections that are gone from the server.
    pub gone: Vec<CollectionName>,
}

impl Forget {
    fn is_empty(&self) -> bool {
        self.again.is_empty() && self.gone.is_empty()
    }

    fn records(&self) -> Vec<RunRecord> {
        let gone = self.gone.iter().map(|target| RunRecord::Gone { target: target.clone() });
        gone.chain(self.again.iter().map(|target| RunRecord::Again { target: target.clone() })).collect()
    }
}

/// Reads the files of a run and changes nothing. `tenants`: the names that its tenants have on the server.
pub fn look(disk: &dyn Disk, runs: &Path, run_id: Uuid, tenants: &TenantMap) -> Result<Kept, Error> {
    let dir = runs.join(run_id.to_string());
    let path = dir.join(CHECKPOINT);
    let folder = disk.open_folder(&dir).map_err(on(DiskOp::Open, &dir))?;
    let file = folder.open(CHECKPOINT).map_err(on(DiskOp::Open, &path))?.content;
    let history = RunHistory::read(BufReader::new(file), &path)?;
    let (judged, mut refused) = (Judged::of(&history, tenants), BTreeMap::new());
    rejected::read(disk, &dir, |line, _| {
        if judged.holds(line) {
            *refused.entry(line.collection.clone()).or_default() += 1;
        }
        Ok(())
    })?;
    Ok(Kept { history, refused })
}

impl RunFiles {
    /// Takes up the files of a run where it was killed; `None` if its journal does not say what it did when it was
    /// `looked` at, since somebody else took it up. What was torn off the journal is cut; of the refused objects only those
    /// stay that the journal counts, since the others are sent again. `tenants`: the names that the run's tenants have on the server. After an error, or another kill, nothing that
    /// was durable is lost, and it can be taken up once more.
    pub fn resume(
        disk: Arc<dyn Disk>,
        runs: &Path,
        run_id: Uuid,
        tenants: &TenantMap,
        looked: &RunHistory,
        forget: &Forget,
    ) -> Result<Option<Self>, Error> {
        let path = runs.join(run_id.to_string());
        let mut history = RunHistory::default();
        let mut journal = Journal::resume(&*disk, &path, |record| history.take(record))?;
        history.torn = looked.torn;
        if history != *looked {
            return Ok(None);
        }
        for record in &forget.records() {
            journal.append(record)?;
            history.take(record.clone()).ok_or_else(|| Error::damaged(path.join(CHECKPOINT), Damage::JournalOrder))?;
        }
        if !forget.is_empty() {
            journal.sync()?;
        }
        let judged = Judged::of(&history, tenants);
        let mut reasons: BTreeMap<CollectionName, Reasons> = BTreeMap::new();
        let rejected = Rejected::resume(&*disk, &path, |line| {
            let holds = judged.holds(line);
            if holds {
                reasons.entry(line.collection.clone()).or_default().add(&line.reason, line.id);
            }
            holds
        })?;
        Ok(Some(Self { disk, path, journal, rejected, reasons, failed: false }))
    }
}

/// Runs of ids that the journal counts and of which objects were refused, in order, by collection and the tenant's name on
/// the server.
struct Judged(BTreeMap<(CollectionName, Option<TenantName>), Vec<KeyRange>>);

impl Judged {
    fn of(history: &RunHistory, tenants: &TenantMap) -> Self {
        let mut all: BTreeMap<_, Vec<KeyRange>> = BTreeMap::new();
        for (name, target) in &history.targets {
            for run in target.imported.iter().filter(|run| run.rejected > 0) {
                if let Some(tenant) = tenants.target(run.tenant.as_ref()) {
                    all.entry((name.clone(), tenant)).or_default().push(run.covers);
                }
            }
        }
        for runs in all.values_mut() {
            runs.sort_unstable_by_key(|run| run.from);
        }
        Self(all)
    }

    fn holds(&self, line: &RejectedLine) -> bool {
        let RejectedLine { collection, tenant, id, .. } = line;
        let runs = self.0.get(&(collection.clone(), tenant.clone()));
        runs.is_some_and(|runs| within(runs, *id))
    }
}

/// Whether an id lies in one of these ranges, which are in order and do not overlap.
fn within(ranges: &[KeyRange], id: ObjectId) -> bool {
    let behind = ranges.partition_point(|range| range.from.is_none_or(|from| from < id));
    behind.checked_sub(1).is_some_and(|last| ranges[last].contains(id))
}

#[cfg(test)]
mod tests;
