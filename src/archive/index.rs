//! Runs: which objects lie where, how a line of `index.jsonl` says it, and that runs cover every key exactly once.

use std::collections::BTreeMap;
use std::ops::Deref;

use super::digest::RunDigest;
use crate::model::{KeyRange, ObjectId, TenantName};

/// Runs a collection may have. Writer and reader hold them in memory, about 250 bytes each.
pub(super) const RUNS: u64 = 1 << 22;

/// The objects of one tenant in one key range, sorted by id. All sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The tenant; `None` in a plain collection.
    pub tenant: Option<TenantName>,
    /// The keys it stands for.
    pub covers: KeyRange,
    /// Its first object's id.
    pub first_id: Option<ObjectId>,
    /// Its last object's id.
    pub last_id: Option<ObjectId>,
    /// Objects in it.
    pub objects: u64,
    /// The number of the part that holds it; `None` if it is empty.
    pub part: Option<u32>,
    /// Where its frame begins in the stored part.
    pub offset: u64,
    /// Its lines in plain text.
    pub bytes: u64,
    /// Its frame in the stored part.
    pub stored_bytes: u64,
    /// Sum of its objects' digests.
    pub digest: RunDigest,
    /// Objects among its keys that were read and are not in here, as they were not wanted. Since format 1.3.
    pub left_out: u64,
}

impl Run {
    /// A run without objects yet.
    #[cfg(test)]
    pub(super) fn empty(tenant: Option<TenantName>, covers: KeyRange) -> Self {
        Self {
            tenant,
            covers,
            first_id: None,
            last_id: None,
            objects: 0,
            part: None,
            offset: 0,
            bytes: 0,
            stored_bytes: 0,
            digest: RunDigest::default(),
            left_out: 0,
        }
    }
}

/// The runs of a collection, and which of them each part holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    runs: Vec<Run>,
    /// Places in `runs` by the number of the part, in the order of its file. Found once: a collection may have a million
    /// runs and thousands of parts.
    parts: BTreeMap<u32, Vec<usize>>,
}

impl Index {
    /// For runs by tenant and `from`.
    #[must_use]
    pub fn of(runs: Vec<Run>) -> Self {
        let mut parts: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, run) in runs.iter().enumerate() {
            if let Some(part) = run.part {
                parts.entry(part).or_default().push(at);
            }
        }
        for places in parts.values_mut() {
            places.sort_by_key(|at| runs[*at].offset);
        }
        Self { runs, parts }
    }

    /// The places among all runs of those inside a part, in the order of its file.
    pub(super) fn inside(&self, part: u32) -> &[usize] {
        self.parts.get(&part).map_or(&[], Vec::as_slice)
    }
}

impl Deref for Index {
    type Target = [Run];

    fn deref(&self) -> &[Run] {
        &self.runs
    }
}

/// Whether runs stand in order (tenant, then `from`), and those of each tenant cover every key exactly once.
pub(super) fn cover_exactly_once(runs: &[Run]) -> bool {
    let in_order = runs.is_sorted_by(|a, b| (&a.tenant, a.covers.from) < (&b.tenant, b.covers.from));
    in_order
        && runs.chunk_by(|a, b| a.tenant == b.tenant).all(|of_tenant| {
            of_tenant[0].covers.from.is_none()
                && of_tenant.windows(2).all(|pair| pair[1].covers.from == Some(pair[0].covers.end()))
                && of_tenant.last().is_some_and(|last| last.covers.end() == ObjectId::MAX)
        })
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
