//! Taking back what is in doubt: whole parts, journal first.

use std::collections::BTreeSet;

use super::super::checkpoint::Record;
use super::super::durable::sync_parent;
use super::super::error::{DiskOp, Error, on};
use super::super::names;
use super::super::part::RunKey;
use super::super::runs::Kept;
use super::CollectionWriter;
use crate::model::TenantName;

/// What was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Objects that no longer count.
    pub objects: u64,
    /// Their plain bytes.
    pub bytes: u64,
}

impl CollectionWriter {
    /// Removes every part, open or sealed, that holds a run whose mark is at least `mark`, with all runs in it, and empty
    /// runs of such a mark. What it leaves open is in `gaps`.
    pub fn discard_since(&mut self, mark: u64) -> Result<Dropped, Error> {
        self.guarded(|writer| writer.discard(|kept| kept.mark >= mark))
    }

    /// Removes every part, open or sealed, that holds a run of one of these tenants, with all runs in it, and their empty
    /// runs. What it leaves open, of other tenants too, is in `gaps`.
    pub fn discard_tenants(&mut self, tenants: &BTreeSet<TenantName>) -> Result<Dropped, Error> {
        let theirs = |kept: &Kept| kept.run.tenant.as_ref().is_some_and(|tenant| tenants.contains(tenant));
        self.guarded(|writer| writer.discard(theirs))
    }

    pub(super) fn discard(&mut self, doubtful: impl Fn(&Kept) -> bool) -> Result<Dropped, Error> {
        let parts: BTreeSet<u32> =
            self.runs.iter().filter(|kept| doubtful(kept)).filter_map(|kept| kept.run.part).collect();
        let falls = |kept: &&Kept| kept.run.part.map_or_else(|| doubtful(kept), |part| parts.contains(&part));
        let mut dropped = Dropped::default();
        let mut fallen = Vec::new();
        for kept in self.runs.iter().filter(falls) {
            dropped.objects += kept.run.objects;
            dropped.bytes += kept.run.bytes;
            let journalled = kept.journalled && kept.run.part.is_none();
            fallen.push(((kept.run.tenant.clone(), kept.run.covers.from), journalled));
        }
        self.journal_fallen(&parts, &fallen)?;
        for (key, _) in &fallen {
            self.runs.remove(key);
        }
        self.empties.retain(|key| self.runs.get(key).is_some());
        self.remove_parts(&parts)?;
        Ok(dropped)
    }

    /// The journal first, so that it never promises a part that is gone.
    fn journal_fallen(&self, parts: &BTreeSet<u32>, fallen: &[(RunKey, bool)]) -> Result<(), Error> {
        let mut journal = self.shared.journal();
        let sealed = parts.iter().filter(|part| self.parts.contains_key(part));
        for number in sealed {
            let part = names::part(*number, self.shared.codec);
            journal.append(&Record::DropPart { folder: self.folder.clone(), part })?;
        }
        for ((tenant, from), _) in fallen.iter().filter(|(_, journalled)| *journalled) {
            let (tenant, from) = (tenant.clone(), *from);
            journal.append(&Record::DropEmpty { folder: self.folder.clone(), tenant, from })?;
        }
        journal.sync()
    }

    fn remove_parts(&mut self, parts: &BTreeSet<u32>) -> Result<(), Error> {
        for lane in self.lanes.values_mut() {
            if let Some(part) = lane.part.take_if(|part| parts.contains(&part.number)) {
                part.discard()?;
            }
            lane.run.take_if(|key| self.runs.get(key).is_none());
        }
        let disk = &*self.shared.disk;
        for number in parts {
            if self.parts.remove(number).is_some() {
                let path = self.dir.join(names::part(*number, self.shared.codec));
                disk.remove_file(&path).map_err(on(DiskOp::Remove, &path))?;
            }
        }
        if parts.is_empty() { Ok(()) } else { sync_parent(disk, &self.dir.join(names::INDEX)) }
    }
}
