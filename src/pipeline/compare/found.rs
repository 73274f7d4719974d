//! What a comparison found, bounded: numbers of everything, and the differing objects with the smallest ids.

use std::collections::BTreeMap;

use crate::event::{Difference, FieldDiff};
use crate::model::{ObjectId, RawObject, TenantName};
use crate::pipeline::marks::{MOST_IDS_OF_A_UNIT, Marks};

/// Where an object lies: its tenant on the server, in a multi-tenant collection, and its id.
pub type Place = (Option<TenantName>, ObjectId);

/// How one object differs, and where, if both sides have it.
pub type Differing = (Difference, Vec<FieldDiff>);

/// What was found, in one unit or in all of them.
#[derive(Debug, Default, Clone)]
pub struct Found {
    /// Objects of the archive that were compared.
    pub objects: u64,
    /// Their plain bytes, line ends included.
    pub bytes: u64,
    /// Objects the server lacks, also when asked for each.
    pub only_left: u64,
    /// Objects the archive lacks.
    pub only_right: u64,
    /// Objects whose content differs.
    pub different: u64,
    /// Objects asked for by their id, since the listing lacks them.
    pub asked: u64,
    /// Objects the listing lacks that were not asked for; they count as missing.
    pub unasked: u64,
    /// Objects compared without vectors, since the archive lacks those.
    pub without_vectors: u64,
    /// Objects compared without a vector that the archive lacks and the server was let make.
    pub made_vectors: u64,
    /// Live objects that were read and are not to be compared.
    pub aside: u64,
    /// Live objects that look written meanwhile.
    pub changed: u64,
    /// Live objects that are part of no count.
    pub uncounted: u64,
    /// Objects of inactive tenants, as the server counted them while they were active for us.
    pub counted_inactive: u64,
    /// Tenants that could not be read, with the objects the archive holds of each; none of these was compared.
    pub out_of_reach: BTreeMap<TenantName, u64>,
    /// The latest update time of the objects that were compared, by the server's clock in ms.
    pub newest_ms: Option<i64>,
    /// The latest update time of the objects that were compared of each inactive tenant, by the server's clock in ms.
    pub newest_inactive: BTreeMap<TenantName, i64>,
    /// The first of the differing objects, by tenant and id.
    pub differing: BTreeMap<Place, Differing>,
    /// Objects that differ and are to be replaced on the right.
    pub to_replace: u64,
    /// Plain bytes of all that is marked, line ends included.
    pub marked_bytes: u64,
    /// Those that the right side lacks, if they are to be written there.
    pub marked_new: Marks,
    /// Those that are to be replaced.
    pub marked_replaced: Marks,
    /// The highest mark of the answers this rests on.
    pub mark: u64,
}

impl Found {
    /// Books an object that differs, and keeps it if it is among the first `limit`.
    pub(super) fn differs(&mut self, at: Place, kind: Difference, fields: Vec<FieldDiff>, limit: usize) {
        match kind {
            Difference::OnlyLeft => self.only_left += 1,
            Difference::OnlyRight => self.only_right += 1,
            Difference::Different => self.different += 1,
        }
        self.keep(at, (kind, fields), limit);
    }

    fn keep(&mut self, at: Place, differing: Differing, limit: usize) {
        if self.differing.len() >= limit && self.differing.last_key_value().is_none_or(|(last, _)| *last < at) {
            return;
        }
        self.differing.insert(at, differing);
        if self.differing.len() > limit {
            self.differing.pop_last();
        }
    }

    /// Marks an object of this run that the right side lacks.
    pub(super) fn mark_new(&mut self, run: usize, left: &RawObject) {
        self.marked_bytes += left.text.len() as u64 + 1;
        self.marked_new.note(run, left.id, MOST_IDS_OF_A_UNIT);
    }

    /// Marks an object of this run that is to be replaced.
    pub(super) fn mark_replaced(&mut self, run: usize, left: &RawObject) {
        self.to_replace += 1;
        self.marked_bytes += left.text.len() as u64 + 1;
        self.marked_replaced.note(run, left.id, MOST_IDS_OF_A_UNIT);
    }

    /// Takes in what was found elsewhere.
    pub fn add(&mut self, other: Self, limit: usize) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.only_left += other.only_left;
        self.only_right += other.only_right;
        self.different += other.different;
        self.asked += other.asked;
        self.unasked += other.unasked;
        self.without_vectors += other.without_vectors;
        self.made_vectors += other.made_vectors;
        self.aside += other.aside;
        self.changed += other.changed;
        self.uncounted += other.uncounted;
        self.counted_inactive += other.counted_inactive;
        for (tenant, objects) in other.out_of_reach {
            *self.out_of_reach.entry(tenant).or_default() += objects;
        }
        self.newest_ms = self.newest_ms.max(other.newest_ms);
        for (tenant, at) in other.newest_inactive {
            self.note_newest(&tenant, at);
        }
        self.to_replace += other.to_replace;
        self.marked_bytes += other.marked_bytes;
        self.marked_new.add(other.marked_new);
        self.marked_replaced.add(other.marked_replaced);
        self.mark = self.mark.max(other.mark);
        for (at, differing) in other.differing {
            self.keep(at, differing, limit);
        }
    }

    /// An object of an inactive tenant was updated at this time.
    pub(super) fn note_newest(&mut self, tenant: &TenantName, at: i64) {
        match self.newest_inactive.get_mut(tenant) {
            Some(newest) => *newest = at.max(*newest),
            None => drop(self.newest_inactive.insert(tenant.clone(), at)),
        }
    }

    /// Live objects found.
    #[must_use]
    pub fn listed(&self) -> u64 {
        self.objects - self.only_left + self.only_right + self.aside
    }

    /// Whether both sides have the same content.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.only_left + self.only_right + self.different == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_ids_are_kept_and_all_are_counted() {
        let mut found = Found::default();
        for id in [5, 3, 9, 1, 7] {
            found.differs((None, ObjectId(id)), Difference::OnlyRight, Vec::new(), 3);
        }
        let mut other = Found::default();
        other.differs((None, ObjectId(4)), Difference::OnlyLeft, Vec::new(), 3);
        found.add(other, 3);
        let kept: Vec<u128> = found.differing.keys().map(|(_, id)| id.0).collect();
        assert_eq!((kept.as_slice(), found.only_right, found.only_left), (&[1, 3, 4][..], 5, 1));
        let mut none = Found::default();
        none.differs((None, ObjectId(1)), Difference::OnlyRight, Vec::new(), 0);
        assert!(none.differing.is_empty() && !none.agrees());
    }
}
