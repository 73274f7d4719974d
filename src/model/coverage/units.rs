//! The same for work that is cut into units beforehand, each done whole or not at all.

use std::collections::BTreeMap;

/// Which units are done, and what was found in them. What is proven is added up at once, so that memory does not grow with
/// the number of units.
pub struct Units<T> {
    /// By unit: whether it needs no more reading, as things stand.
    done: Vec<bool>,
    /// Found in units that are proven.
    proven: T,
    /// By unit what was found in it with which mark, as long as that is not proven.
    open: BTreeMap<usize, (u64, T)>,
    /// Adds what was found in one unit to what was found in others.
    add: Add<T>,
}

type Add<T> = Box<dyn Fn(&mut T, T) + Send + Sync>;

impl<T: Clone + Default> Units<T> {
    /// So many units, none of them done. `add` adds up what is found.
    #[must_use]
    pub fn new(units: usize, add: impl Fn(&mut T, T) + Send + Sync + 'static) -> Self {
        Self { done: vec![false; units], proven: T::default(), open: BTreeMap::new(), add: Box::new(add) }
    }

    /// Units that are still to be done.
    #[must_use]
    pub fn todo(&self) -> Vec<usize> {
        self.done.iter().enumerate().filter(|(_, done)| !**done).map(|(unit, _)| unit).collect()
    }

    /// A unit was done with this mark. All with a mark lower than `proven_below` are proven by now.
    pub fn take(&mut self, unit: usize, mark: u64, found: T, proven_below: u64) {
        self.done[unit] = true;
        self.open.insert(unit, (mark, found));
        self.settle(proven_below);
    }

    /// All with a lower mark than this are proven.
    fn settle(&mut self, proven_below: u64) {
        for (unit, (mark, found)) in std::mem::take(&mut self.open) {
            if mark < proven_below {
                (self.add)(&mut self.proven, found);
            } else {
                self.open.insert(unit, (mark, found));
            }
        }
    }

    /// Takes back what was done with this mark or a higher one, of what is not proven; all below it is.
    pub fn drop_since(&mut self, mark: u64) {
        self.settle(mark);
        for unit in std::mem::take(&mut self.open).into_keys() {
            self.done[unit] = false;
        }
    }

    /// Takes back everything, whether proven or not.
    pub fn drop_all(&mut self) {
        self.proven = T::default();
        self.open.clear();
        self.done.fill(false);
    }

    /// Everything found, whether proven or not.
    #[must_use]
    pub fn total(&self) -> T {
        let mut total = self.proven.clone();
        for (_, found) in self.open.values() {
            (self.add)(&mut total, found.clone());
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_doubt_is_done_again_and_what_is_proven_never() {
        let mut units = Units::new(4, |sum: &mut u64, more| *sum += more);
        units.take(0, 1, 1, 2);
        units.take(1, 2, 20, 2);
        units.take(2, 4, 300, 2);
        assert_eq!((units.todo(), units.total()), (vec![3], 321));
        units.drop_since(3);
        assert_eq!((units.todo(), units.total()), (vec![2, 3], 21));
        units.drop_since(0);
        assert_eq!(units.todo(), [2, 3], "a proven unit is not in doubt again");
        units.drop_all();
        assert_eq!((units.todo().len(), units.total()), (4, 0));
    }
}
