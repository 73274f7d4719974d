//! What became of objects that were to be restored, in numbers.

use std::collections::BTreeMap;

use crate::pipeline::import::{Done, FoundEqual, Merged};

/// What became of the objects of one collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Filled {
    /// Objects dealt with: stored or rejected.
    pub(crate) objects: u64,
    /// Objects the server refused for good.
    pub(crate) rejected: u64,
    /// Plain bytes of those, line ends included.
    pub(crate) rejected_bytes: u64,
    /// Rejected objects that are on the server all the same, without some of their references or lists of dates.
    pub(crate) stored: u64,
    /// References that were written after their objects.
    pub(crate) references: u64,
    /// Objects that the server did not call stored and that are there all the same, as they should be: not among the rejected.
    pub(crate) found: FoundEqual,
    /// How they met those that were there, in a merge.
    pub(crate) merged: Merged,
    /// Objects on the server in tenants that are inactive.
    pub(crate) inactive: u64,
}

impl Filled {
    /// Objects on the server.
    pub(crate) fn there(&self) -> u64 {
        self.objects - self.rejected + self.stored
    }

    pub(crate) fn add(&mut self, done: &Done) {
        self.objects += done.objects;
        self.rejected += done.rejected.len() as u64;
        self.rejected_bytes += done.rejected.iter().map(|r| r.object.len() as u64 + 1).sum::<u64>();
        self.stored += done.rejected.iter().filter(|r| r.stored).count() as u64;
        self.references += done.references;
        self.found = self.found.plus(done.found);
        self.merged = self.merged.plus(done.merged);
    }

    /// What became of these objects and of others.
    pub(crate) fn plus(self, others: Self) -> Self {
        Self {
            objects: self.objects + others.objects,
            rejected: self.rejected + others.rejected,
            rejected_bytes: self.rejected_bytes + others.rejected_bytes,
            stored: self.stored + others.stored,
            references: self.references + others.references,
            found: self.found.plus(others.found),
            merged: self.merged.plus(others.merged),
            inactive: self.inactive + others.inactive,
        }
    }

    /// The same objects, and what became of their references in a pass of its own.
    pub(crate) fn referred(self, pass: Self) -> Self {
        Self {
            rejected: self.rejected + pass.rejected,
            rejected_bytes: self.rejected_bytes + pass.rejected_bytes,
            stored: self.stored + pass.stored,
            references: self.references + pass.references,
            ..self
        }
    }
}

/// What became of each run of which objects were not all called stored, by the run's place.
pub(crate) type ObjectsOfRuns = BTreeMap<usize, Filled>;
