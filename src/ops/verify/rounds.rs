//! The books of a comparison: which units are done, what was found in them, and what of it can be trusted.

use std::collections::BTreeMap;

use crate::pipeline::compare::Found;
use crate::pipeline::watch::Proven;

/// What was found so far.
pub(super) struct Books {
    /// By unit: whether it needs no more reading, as things stand.
    done: Vec<bool>,
    /// Found in units that are proven.
    settled: Found,
    /// Found in units that rest on answers not proven yet.
    open: BTreeMap<usize, Found>,
    proven: Proven,
    limit: usize,
}

impl Books {
    pub(super) fn new(units: usize, proven: Proven, limit: usize) -> Self {
        Self { done: vec![false; units], settled: Found::default(), open: BTreeMap::new(), proven, limit }
    }

    /// Units that are still to be read.
    pub(super) fn todo(&self) -> Vec<usize> {
        self.done.iter().enumerate().filter(|(_, done)| !**done).map(|(unit, _)| unit).collect()
    }

    /// Books a unit, and settles what was proven meanwhile, so that memory does not grow with their number.
    pub(super) fn take(&mut self, unit: usize, found: Found) {
        self.done[unit] = true;
        self.open.insert(unit, found);
        self.settle();
    }

    fn settle(&mut self) {
        let below = self.proven.below();
        for (unit, found) in std::mem::take(&mut self.open) {
            if found.mark < below {
                self.settled.add(found, self.limit);
            } else {
                self.open.insert(unit, found);
            }
        }
    }

    /// Objects compared in what is not to be read again, as things stand.
    pub(super) fn kept(&self) -> u64 {
        self.settled.objects + self.open.values().map(|found| found.objects).sum::<u64>()
    }

    /// Forgets what rests on answers with this mark or a higher one.
    pub(super) fn drop_since(&mut self, mark: u64) {
        self.settle();
        let done = &mut self.done;
        self.open.retain(|unit, found| {
            done[*unit] = found.mark < mark;
            done[*unit]
        });
    }

    /// Forgets everything.
    pub(super) fn drop_all(&mut self) {
        self.settled = Found::default();
        self.open.clear();
        self.done.fill(false);
    }

    /// Everything found, whether proven or not.
    pub(super) fn total(&self) -> Found {
        let mut total = self.settled.clone();
        for found in self.open.values() {
            total.add(found.clone(), self.limit);
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(objects: u64, mark: u64) -> Found {
        Found { objects, mark, ..Found::default() }
    }

    #[test]
    fn what_is_in_doubt_is_done_again_and_what_is_proven_never() {
        let proven = Proven::default();
        let mut books = Books::new(4, proven.clone(), 10);
        books.take(0, found(1, 1));
        proven.set(2);
        books.take(1, found(20, 2));
        books.take(2, found(300, 4));
        assert_eq!((books.todo(), books.total().objects), (vec![3], 321));
        proven.set(3);
        books.drop_since(proven.below());
        assert_eq!((books.todo(), books.total().objects), (vec![2, 3], 21));
        books.drop_since(0);
        assert_eq!(books.todo(), [2, 3], "a proven unit is not in doubt again");
        books.drop_all();
        assert_eq!((books.todo().len(), books.total().objects), (4, 0));
    }
}
