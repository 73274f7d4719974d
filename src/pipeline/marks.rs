//! Which objects of an archive a comparison leaves something to do for, run by run. Pure, and bounded: where there are too
//! many to be named, all of a run are looked at again.

use std::collections::{BTreeMap, BTreeSet};

use crate::archive::Run;
use crate::model::ObjectId;

/// Ids that are kept at most, of 16 bytes each.
const MOST_IDS: usize = 1 << 19;
/// Ids that are kept of one unit of a comparison at most: several are compared at once.
pub(super) const MOST_IDS_OF_A_UNIT: usize = 1 << 15;

/// Objects of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ids {
    /// These.
    These(Vec<ObjectId>),
    /// Too many to be named.
    All,
}

/// Objects, by the places of their runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    runs: BTreeMap<usize, Ids>,
    /// Ids that are kept.
    kept: usize,
}

impl Marks {
    /// Marks an object of a run.
    pub(super) fn note(&mut self, run: usize, id: ObjectId, most: usize) {
        let room = self.kept < most;
        match self.runs.entry(run).or_insert_with(|| Ids::These(Vec::new())) {
            Ids::These(ids) if room => {
                ids.push(id);
                self.kept += 1;
            }
            _ => self.all_of(run),
        }
    }

    fn all_of(&mut self, run: usize) {
        if let Some(Ids::These(ids)) = self.runs.insert(run, Ids::All) {
            self.kept -= ids.len();
        }
    }

    /// These and others.
    pub fn add(&mut self, others: Self) {
        for (run, ids) in others.runs {
            match (self.runs.get_mut(&run), ids) {
                (Some(Ids::All), _) => {}
                (Some(Ids::These(kept)), Ids::These(more)) if self.kept + more.len() <= MOST_IDS => {
                    self.kept += more.len();
                    kept.extend(more);
                }
                (None, Ids::These(more)) if self.kept + more.len() <= MOST_IDS => {
                    self.kept += more.len();
                    self.runs.insert(run, Ids::These(more));
                }
                _ => self.all_of(run),
            }
        }
    }

    /// The same, to be asked: the ids of a run come in any order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for ids in self.runs.values_mut() {
            if let Ids::These(ids) = ids {
                ids.sort_unstable();
                ids.dedup();
            }
        }
        self
    }

    /// Whether an object is marked. Asked once they are sorted.
    #[must_use]
    pub fn holds(&self, run: usize, id: ObjectId) -> bool {
        match self.runs.get(&run) {
            None => false,
            Some(Ids::All) => true,
            Some(Ids::These(ids)) => ids.binary_search(&id).is_ok(),
        }
    }

    /// Whether the marked objects of a run are named, and not simply all that it holds.
    #[must_use]
    pub fn names(&self, run: usize) -> bool {
        matches!(self.runs.get(&run), Some(Ids::These(_)))
    }

    /// How many objects of a run are marked, of all that it holds.
    #[must_use]
    pub fn number(&self, run: usize, objects: u64) -> u64 {
        match self.runs.get(&run) {
            None => 0,
            Some(Ids::All) => objects,
            Some(Ids::These(ids)) => ids.len() as u64,
        }
    }

    /// How many objects are marked, of these runs.
    #[must_use]
    pub fn total(&self, runs: &[Run]) -> u64 {
        self.runs.keys().filter_map(|at| Some(self.number(*at, runs.get(*at)?.objects))).sum()
    }

    /// Whether no object is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The runs, of so many, of which no object is marked.
    #[must_use]
    pub fn unmarked(&self, runs: usize) -> BTreeSet<usize> {
        (0..runs).filter(|run| !self.runs.contains_key(run)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(ids: &[(usize, u128)]) -> Marks {
        ids.iter().fold(Marks::default(), |mut all, (run, id)| {
            all.note(*run, ObjectId(*id), usize::MAX);
            all
        })
    }

    #[test]
    fn what_was_marked_is_known_again_and_nothing_else() {
        let mut all = marked(&[(3, 9), (3, 5)]);
        all.add(marked(&[(3, 7), (5, 1)]));
        let all = all.sorted();
        for (run, id, holds) in [(3, 5, true), (3, 7, true), (3, 9, true), (3, 6, false), (5, 1, true), (4, 5, false)] {
            assert_eq!(all.holds(run, ObjectId(id)), holds, "{run} {id}");
        }
        assert_eq!([3, 4, 5].map(|run| all.number(run, 100)), [3, 0, 1]);
        assert_eq!(all.unmarked(6), [0, 1, 2, 4].into());
        assert!(!all.is_empty() && Marks::default().is_empty());
        assert!(all.names(3) && !all.names(4));
    }

    #[test]
    fn too_many_to_be_named_are_all_of_their_run() {
        let mut all = Marks::default();
        for id in 0..3 {
            all.note(1, ObjectId(id), 3);
        }
        all.note(2, ObjectId(0), 3);
        assert_eq!((all.number(1, 50), all.number(2, 50)), (3, 50));
        assert!(all.names(1) && !all.names(2));
        all.note(1, ObjectId(3), 3);
        assert_eq!((all.number(1, 50), all.kept), (50, 0));
        all.note(4, ObjectId(3), 3);
        assert_eq!((all.number(4, 50), all.kept), (1, 1), "there is room again");
        let many = Marks { runs: [(7, Ids::These(vec![ObjectId(1); MOST_IDS]))].into(), kept: MOST_IDS };
        all.add(many);
        assert_eq!(all.number(7, 1 << 20), 1 << 20);
        assert!(all.kept <= MOST_IDS);
    }
}
