//! The ledger of a run: which keys of each space are covered, with which mark, and what is still open. Pure.
//!
//! A space is a plain collection, or one tenant of a collection that has some. A mark is the number of questions about the
//! server that had been asked when something was read: a good answer to question *n* proves all with a mark below *n*.
//! Whatever is in doubt is dropped by its mark, and nothing else is.

mod units;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

use super::{KeyRange, ObjectId, TenantName};

pub use units::Units;

/// Earlier states kept of one stretch. A question follows an answer, so what is in doubt has one of the last two marks.
const STATES_A_STRETCH: usize = 3;
/// A stretch whose mark is lower than the highest of all by more than this is proven.
const MARKS_OPEN: u64 = 2;

/// A space: `None` in a plain collection.
pub type Space = Option<TenantName>;

/// A stretch by its space and the key that it begins behind.
pub type StretchKey = (Space, Option<ObjectId>);

/// Keys that stand covered already were to be covered once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap;

/// A stretch of keys that is covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered<T> {
    /// The keys.
    pub keys: KeyRange,
    /// The highest mark of what was read of it.
    pub mark: u64,
    /// What is known of it.
    pub facts: T,
}

/// The earlier states of a stretch that grew lately.
#[derive(Debug)]
struct States<T> {
    earlier: VecDeque<Covered<T>>,
    /// The mark of what joined last: the stretch's own.
    joined: u64,
}

/// Stretches of keys, never overlapping, by space and then by their first key. One map, since a map in it for each tenant
/// would take 3 KB of each, most of it unused.
#[derive(Debug)]
pub struct Coverage<T> {
    stretches: BTreeMap<StretchKey, Covered<T>>,
    /// Where stretches stood before something of a higher mark joined them.
    grown: BTreeMap<StretchKey, States<T>>,
    /// The highest mark of all that joined.
    highest: u64,
}

impl<T> Default for Coverage<T> {
    fn default() -> Self {
        Self { stretches: BTreeMap::new(), grown: BTreeMap::new(), highest: 0 }
    }
}

impl<T: Clone> Coverage<T> {
    /// Covers a new stretch.
    ///
    /// # Errors
    /// [`Overlap`]: nothing was taken.
    pub fn begin(&mut self, space: Space, keys: KeyRange, mark: u64, facts: T) -> Result<StretchKey, Overlap> {
        let key = (space, keys.from);
        let before = self.stretches.range(..=&key).next_back().filter(|((of, _), _)| *of == key.0);
        if before.is_some_and(|(_, before)| Some(before.keys.end()) > keys.from) || self.meets_later(&key, &keys) {
            return Err(Overlap);
        }
        self.stretches.insert(key.clone(), Covered { keys, mark, facts });
        Ok(key)
    }

    /// Lets a stretch stand for more keys: those of `by`, which begins where it ends. `None`: there is no such stretch.
    ///
    /// # Errors
    /// [`Overlap`]: nothing was taken.
    pub fn extend(&mut self, key: &StretchKey, by: KeyRange, mark: u64) -> Result<Option<()>, Overlap> {
        if self.meets_later(&(key.0.clone(), by.from), &by) {
            return Err(Overlap);
        }
        let Some(covered) = self.stretches.get_mut(key) else { return Ok(None) };
        if mark > covered.mark {
            if mark > self.highest {
                self.highest = mark;
                self.grown.retain(|_, states| states.joined + MARKS_OPEN >= mark);
            }
            let fresh = || States { earlier: VecDeque::new(), joined: mark };
            let states = self.grown.entry(key.clone()).or_insert_with(fresh);
            states.joined = mark;
            if states.earlier.len() == STATES_A_STRETCH {
                states.earlier.pop_front();
            }
            states.earlier.push_back(covered.clone());
            covered.mark = mark;
        }
        covered.keys.to = by.to;
        Ok(Some(()))
    }

    /// What there was of a stretch when it held nothing of this mark or a higher one; `None` if it never was, or if that is
    /// forgotten.
    fn before(&self, key: &StretchKey, mark: u64) -> Option<&Covered<T>> {
        self.grown.get(key)?.earlier.iter().rev().find(|earlier| earlier.mark < mark)
    }

    /// Takes a stretch back to `earlier`, or takes it away.
    pub fn take_back(&mut self, key: &StretchKey, earlier: Option<Covered<T>>) {
        self.grown.remove(key);
        match earlier {
            Some(earlier) => self.stretches.insert(key.clone(), earlier),
            None => self.stretches.remove(key),
        };
    }

    /// Takes back everything with this mark or a higher one: whole stretches, and what joined others since, as far as it is
    /// known where that begins. What it leaves open is in [`Coverage::gaps`].
    pub fn drop_since(&mut self, mark: u64) {
        let doubtful = self.in_doubt(mark).map(|(key, earlier)| (key.clone(), earlier.cloned()));
        for (key, earlier) in doubtful.collect::<Vec<_>>() {
            self.take_back(&key, earlier);
        }
    }

    /// The stretches with this mark or a higher one, each with what there was of it before, `None` if nothing, or if that is forgotten.
    pub fn in_doubt(&self, mark: u64) -> impl Iterator<Item = (&StretchKey, Option<&Covered<T>>)> {
        let doubtful = self.stretches.iter().filter(move |(_, covered)| covered.mark >= mark);
        doubtful.map(move |(key, _)| (key, self.before(key, mark)))
    }

    /// A stretch.
    #[must_use]
    pub fn get(&self, key: &StretchKey) -> Option<&Covered<T>> {
        self.stretches.get(key)
    }

    /// What is known of a stretch.
    pub fn facts_mut(&mut self, key: &StretchKey) -> Option<&mut T> {
        self.stretches.get_mut(key).map(|covered| &mut covered.facts)
    }

    /// Stretches in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stretches.len()
    }

    /// Whether nothing is covered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// All stretches, by space in byte order, then by their first key.
    pub fn iter(&self) -> impl Iterator<Item = (&StretchKey, &Covered<T>)> {
        self.stretches.iter()
    }

    /// The spaces of which anything is covered.
    pub fn spaces(&self) -> impl Iterator<Item = Option<&TenantName>> {
        let mut last = None;
        let spaces = self.stretches.keys().map(|(space, _)| space.as_ref());
        spaces.filter(move |space| last.replace(*space) != Some(*space))
    }

    /// The stretches of one space, by their first key.
    pub fn of(&self, space: Option<&TenantName>) -> impl Iterator<Item = &Covered<T>> {
        let first = (space.cloned(), None);
        self.stretches.range(first..).take_while(move |((of, _), _)| of.as_ref() == space).map(|(_, covered)| covered)
    }

    /// The keys of a space that nothing covers, in order.
    #[must_use]
    pub fn gaps(&self, space: Option<&TenantName>) -> Vec<KeyRange> {
        KeyRange::gaps(self.of(space).map(|covered| &covered.keys))
    }

    /// Whether a stretch of the same space that begins behind `key` begins before `keys` end.
    fn meets_later(&self, key: &StretchKey, keys: &KeyRange) -> bool {
        let later = self.stretches.range((Excluded(key), Unbounded)).next().filter(|((of, _), _)| *of == key.0);
        later.is_some_and(|((_, from), _)| *from < Some(keys.end()))
    }
}

#[cfg(test)]
mod tests;
