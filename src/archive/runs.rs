//! The runs of a collection while it is written: one small entry each, never overlapping.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use super::error::Broken;
use super::index::{self, Run};
use super::part::RunKey;
use crate::model::{KeyRange, TenantName, VectorLengths};

/// A run and what the writer must know about it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) run: Run,
    /// The highest mark of its stretches.
    pub(super) mark: u64,
    /// Whether the journal knows it.
    pub(super) journalled: bool,
    /// Lengths of its objects' vectors, by the writer's names.
    pub(super) lengths: VectorLengths,
}

/// All runs, by tenant and `from`: one map, since a map in it for each tenant would take 3 KB of each, most of it unused.
#[derive(Debug, Default)]
pub(super) struct Runs(BTreeMap<RunKey, Kept>);

impl Runs {
    /// Begins a run without objects.
    pub(super) fn begin(&mut self, tenant: Option<&TenantName>, covers: KeyRange, mark: u64) -> Result<RunKey, Broken> {
        if self.0.len() as u64 >= index::RUNS {
            return Err(Broken::Numbers);
        }
        let key = (tenant.cloned(), covers.from);
        let before = self.0.range(..=&key).next_back().filter(|((of, _), _)| *of == key.0);
        if before.is_some_and(|(_, kept)| Some(index::end(&kept.run.covers)) > covers.from)
            || self.meets_later(&key, &covers)
        {
            return Err(Broken::Overlap);
        }
        let run = Run::empty(key.0.clone(), covers);
        let fresh = Kept { run, mark, journalled: false, lengths: VectorLengths::default() };
        self.0.insert(key.clone(), fresh);
        Ok(key)
    }

    /// Takes in a run that an earlier process kept, with mark 0.
    pub(super) fn take_over(&mut self, run: Run) -> Result<(), Broken> {
        let key = self.begin(run.tenant.as_ref(), run.covers, 0)?;
        *self.get_mut(&key)? = Kept { run, mark: 0, journalled: true, lengths: VectorLengths::default() };
        Ok(())
    }

    /// Lets a run stand for the keys up to the end of `by`, which begins where it ends.
    pub(super) fn extend(&mut self, key: &RunKey, by: KeyRange, mark: u64) -> Result<(), Broken> {
        if self.meets_later(&(key.0.clone(), by.from), &by) {
            return Err(Broken::Overlap);
        }
        let kept = self.get_mut(key)?;
        kept.run.covers.to = by.to;
        kept.mark = kept.mark.max(mark);
        Ok(())
    }

    /// Puts a run back as it was before it was removed, unknown to the journal.
    pub(super) fn put_back(&mut self, run: Run, mark: u64, lengths: VectorLengths) {
        self.0.insert((run.tenant.clone(), run.covers.from), Kept { run, mark, journalled: false, lengths });
    }

    pub(super) fn get(&self, key: &RunKey) -> Option<&Kept> {
        self.0.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &RunKey) -> Result<&mut Kept, Broken> {
        self.0.get_mut(key).ok_or(Broken::Counts)
    }

    /// A tenant without runs is not in the archive.
    pub(super) fn remove(&mut self, key: &RunKey) {
        self.0.remove(key);
    }

    /// All runs, by tenant in byte order, then by `from`.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Kept> {
        self.0.values()
    }

    /// The tenants seen.
    pub(super) fn tenants(&self) -> impl Iterator<Item = Option<&TenantName>> {
        let mut last = None;
        self.0.keys().map(|(tenant, _)| tenant.as_ref()).filter(move |tenant| last.replace(*tenant) != Some(*tenant))
    }

    /// The runs of one tenant, by `from`.
    pub(super) fn of(&self, tenant: Option<&TenantName>) -> impl Iterator<Item = &Run> {
        let first = (tenant.cloned(), None);
        let from = self.0.range(first..).take_while(move |((of, _), _)| of.as_ref() == tenant);
        from.map(|(_, kept)| &kept.run)
    }

    /// Whether a run of the same tenant that begins after `key` does begins before `covers` ends.
    fn meets_later(&self, key: &RunKey, covers: &KeyRange) -> bool {
        let later = self.0.range((Excluded(key), Unbounded)).next().filter(|((of, _), _)| *of == key.0);
        later.is_some_and(|((_, from), _)| *from < Some(index::end(covers)))
    }
}
