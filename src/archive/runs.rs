//! The runs of a collection while it is written: one small entry each, never overlapping.

use std::collections::BTreeMap;

use super::error::Broken;
use super::index::{self, Run};
use super::part::RunKey;
use crate::model::{KeyRange, ObjectId, TenantName};

/// A run and what the writer must know about it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) run: Run,
    /// The highest mark of its stretches.
    pub(super) mark: u64,
    /// Whether the journal knows it.
    pub(super) journalled: bool,
}

/// All runs, by tenant and `from`.
#[derive(Debug, Default)]
pub(super) struct Runs {
    by_tenant: BTreeMap<Option<TenantName>, BTreeMap<Option<ObjectId>, Kept>>,
    number: u64,
}

impl Runs {
    /// Begins a run without objects.
    pub(super) fn begin(&mut self, tenant: Option<&TenantName>, covers: KeyRange, mark: u64) -> Result<RunKey, Broken> {
        if self.number >= index::RUNS {
            return Err(Broken::Numbers);
        }
        let of_tenant = self.by_tenant.entry(tenant.cloned()).or_default();
        let before = of_tenant.range(..=covers.from).next_back();
        if before.is_some_and(|(_, kept)| Some(index::end(&kept.run.covers)) > covers.from)
            || meets_later(of_tenant, &covers)
        {
            return Err(Broken::Overlap);
        }
        let run = Run::empty(tenant.cloned(), covers);
        of_tenant.insert(covers.from, Kept { run, mark, journalled: false });
        self.number += 1;
        Ok((tenant.cloned(), covers.from))
    }

    /// Takes in a run that an earlier process kept, with mark 0.
    pub(super) fn take_over(&mut self, run: Run) -> Result<(), Broken> {
        let key = self.begin(run.tenant.as_ref(), run.covers, 0)?;
        *self.get_mut(&key)? = Kept { run, mark: 0, journalled: true };
        Ok(())
    }

    /// Lets a run stand for the keys up to the end of `by`, which begins where it ends.
    pub(super) fn extend(&mut self, key: &RunKey, by: KeyRange, mark: u64) -> Result<(), Broken> {
        let of_tenant = self.by_tenant.get_mut(&key.0).ok_or(Broken::Counts)?;
        if meets_later(of_tenant, &by) {
            return Err(Broken::Overlap);
        }
        let kept = of_tenant.get_mut(&key.1).ok_or(Broken::Counts)?;
        kept.run.covers.to = by.to;
        kept.mark = kept.mark.max(mark);
        Ok(())
    }

    pub(super) fn get(&self, key: &RunKey) -> Option<&Kept> {
        self.by_tenant.get(&key.0)?.get(&key.1)
    }

    pub(super) fn get_mut(&mut self, key: &RunKey) -> Result<&mut Kept, Broken> {
        self.by_tenant.get_mut(&key.0).and_then(|runs| runs.get_mut(&key.1)).ok_or(Broken::Counts)
    }

    pub(super) fn remove(&mut self, key: &RunKey) {
        let Some(of_tenant) = self.by_tenant.get_mut(&key.0) else { return };
        if of_tenant.remove(&key.1).is_some() {
            self.number -= 1;
        }
        // A tenant without runs is not in the archive.
        if of_tenant.is_empty() {
            self.by_tenant.remove(&key.0);
        }
    }

    /// All runs, by tenant in byte order, then by `from`.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Kept> {
        self.by_tenant.values().flat_map(BTreeMap::values)
    }

    /// The tenants seen.
    pub(super) fn tenants(&self) -> impl Iterator<Item = Option<&TenantName>> {
        self.by_tenant.keys().map(Option::as_ref)
    }

    /// The runs of one tenant, by `from`.
    pub(super) fn of(&self, tenant: Option<&TenantName>) -> impl Iterator<Item = &Run> {
        self.by_tenant.get(&tenant.cloned()).into_iter().flat_map(BTreeMap::values).map(|kept| &kept.run)
    }
}

/// Whether a run that begins after `covers` does begins before `covers` ends.
fn meets_later(of_tenant: &BTreeMap<Option<ObjectId>, Kept>, covers: &KeyRange) -> bool {
    use std::ops::Bound::{Excluded, Unbounded};
    let later = of_tenant.range((Excluded(covers.from), Unbounded)).next();
    later.is_some_and(|(from, _)| *from < Some(index::end(covers)))
}
