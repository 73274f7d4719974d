//! How long vectors are. A server's index takes vectors of one length, the one it meets first; yet it may store objects
//! whose vector its index refuses, so a collection may hold several lengths of one vector.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::object::dimensions;
use super::{RawObject, TenantName};

/// Names of vectors that are told apart; more are not counted, so that odd objects cannot fill the memory.
const NAMES: usize = 1_024;
/// Pairs of a name and a length that are told apart in one place; more are not counted.
const PAIRS: usize = 2_048;

/// Names of vectors by number, each kept once.
#[derive(Debug, Clone, Default)]
pub struct VectorNames(Vec<Box<[u8]>>);

impl VectorNames {
    /// The number of a name; `None` if there are too many. `likely`: where to look first.
    fn number(&mut self, name: &[u8], likely: usize) -> Option<u16> {
        let is = |known: &[u8]| *known == *name;
        let at = if self.0.get(likely).is_some_and(|known| is(known)) {
            Some(likely)
        } else {
            self.0.iter().position(|known| is(known))
        };
        let at = at.or_else(|| {
            (self.0.len() < NAMES).then(|| {
                self.0.push(name.into());
                self.0.len() - 1
            })
        });
        at.and_then(|at| u16::try_from(at).ok())
    }
}

/// Objects that have a vector of this name and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    name: u16,
    length: u64,
    objects: u64,
}

/// How many objects have a vector of each name and length. Names are those of the [`VectorNames`] it was counted with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VectorLengths(SmallVec<[Pair; 1]>);

/// A vector that objects of one place have in several lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixedLengths {
    /// Its name; the unnamed one is `default`.
    pub vector: String,
    /// Lengths and the objects that have it in this length, most objects first, at least two.
    pub lengths: Vec<(u64, u64)>,
}

impl MixedLengths {
    /// The length that most objects have.
    #[must_use]
    pub fn usual(&self) -> u64 {
        self.lengths.first().map_or(0, |(length, _)| *length)
    }

    /// Objects that have it in that length.
    #[must_use]
    pub fn usual_objects(&self) -> u64 {
        self.lengths.first().map_or(0, |(_, objects)| *objects)
    }

    /// How long it is in an object; `None` if that has none of it.
    #[must_use]
    pub fn length_in(&self, object: &RawObject) -> Option<u64> {
        let text = object.vectors().find(|(name, _)| *name == self.vector.as_bytes()).map(|(_, text)| text);
        text.map(dimensions)
    }

    /// Objects that have it in another length.
    #[must_use]
    pub fn odd_objects(&self) -> u64 {
        self.lengths.iter().skip(1).map(|(_, objects)| objects).sum()
    }
}

impl VectorLengths {
    /// Counts the vectors of an object.
    pub fn see(&mut self, names: &mut VectorNames, object: &RawObject) {
        for (at, (name, text)) in object.vectors().enumerate() {
            if let Some(name) = names.number(name, at) {
                self.add_pair(Pair { name, length: dimensions(text), objects: 1 });
            }
        }
    }

    /// Adds what was counted elsewhere with the same names.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|pair| self.add_pair(*pair));
    }

    fn add_pair(&mut self, new: Pair) {
        match self.0.iter().position(|pair| (pair.name, pair.length) == (new.name, new.length)) {
            Some(at) => self.0[at].objects += new.objects,
            None if self.0.len() < PAIRS => self.0.push(new),
            None => {}
        }
    }

    /// The vectors that come in more than one length, by name.
    #[must_use]
    pub fn mixed(&self, names: &VectorNames) -> Vec<MixedLengths> {
        // Nearly always one of each.
        if self.0.len() < 2 {
            return Vec::new();
        }
        let mut by_name: BTreeMap<u16, Vec<(u64, u64)>> = BTreeMap::new();
        for pair in &self.0 {
            by_name.entry(pair.name).or_default().push((pair.length, pair.objects));
        }
        let several = by_name.into_iter().filter(|(_, lengths)| lengths.len() > 1).map(|(name, mut lengths)| {
            lengths.sort_by_key(|(length, objects)| (std::cmp::Reverse(*objects), *length));
            let name = names.0.get(usize::from(name)).map_or(&b""[..], |name| name);
            MixedLengths { vector: String::from_utf8_lossy(name).into_owned(), lengths }
        });
        let mut several: Vec<MixedLengths> = several.collect();
        several.sort_by(|a, b| a.vector.cmp(&b.vector));
        several
    }
}

/// The tenants (`None`: the whole of a plain collection) whose objects have vectors in several lengths. Mostly empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MixedSpaces(BTreeMap<Option<TenantName>, Vec<MixedLengths>>);

impl MixedSpaces {
    /// Takes note of a tenant; nothing is kept of one without such vectors.
    pub fn insert(&mut self, tenant: Option<TenantName>, mixed: Vec<MixedLengths>) {
        if !mixed.is_empty() {
            self.0.insert(tenant, mixed);
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each with what is mixed in it, by tenant.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&TenantName>, &[MixedLengths])> {
        self.0.iter().map(|(tenant, mixed)| (tenant.as_ref(), mixed.as_slice()))
    }

    /// What is mixed in a tenant, if anything.
    #[must_use]
    pub fn of(&self, tenant: Option<&TenantName>) -> Option<&[MixedLengths]> {
        if self.is_empty() { None } else { self.0.get(&tenant.cloned()).map(Vec::as_slice) }
    }
}

/// Whether an object has a vector of another length than most.
#[must_use]
pub fn is_odd(mixed: &[MixedLengths], object: &RawObject) -> bool {
    mixed.iter().any(|one| one.length_in(object).is_some_and(|length| length != one.usual()))
}

#[cfg(test)]
mod tests {
    use super::super::{ObjectText, VectorText};
    use super::*;

    fn object(vectors: &[(&str, &str)]) -> RawObject {
        let (mut text, mut places) = (String::new(), ObjectText::default());
        for (name, value) in vectors {
            let at = text.len();
            text.extend([*name, *value]);
            let value = at + name.len()..text.len();
            places.vectors.push(VectorText { name: Some(at..at + name.len()), value });
        }
        RawObject {
            id: "00000000-0000-0000-0000-000000000001".parse().expect("an id"),
            updated_ms: None,
            text: text.into(),
            places,
        }
    }

    #[test]
    fn lengths_are_counted_by_name_and_only_those_that_differ_are_told() {
        let mut names = VectorNames::default();
        let mut counted = VectorLengths::default();
        let usual = object(&[("a", "[1,2]"), ("m", "[[1,2,3],[4,5,6]]")]);
        let odd = object(&[("a", "[1,2]"), ("m", "[[1,2]]")]);
        for one in [&usual, &usual, &odd, &object(&[])] {
            counted.see(&mut names, one);
        }
        let mixed = counted.mixed(&names);
        assert_eq!(mixed, [MixedLengths { vector: "m".into(), lengths: vec![(3, 2), (2, 1)] }]);
        assert_eq!((mixed[0].usual(), mixed[0].odd_objects()), (3, 1));
        assert!(is_odd(&mixed, &odd) && !is_odd(&mixed, &usual));
        let mut both = VectorLengths::default();
        both.add(&counted);
        both.add(&counted);
        assert_eq!(both.mixed(&names)[0].lengths, [(3, 4), (2, 2)]);
        let mut spaces = MixedSpaces::default();
        spaces.insert(None, Vec::new());
        assert!(spaces.is_empty() && spaces.of(None).is_none());
        spaces.insert(None, mixed.clone());
        assert_eq!((spaces.of(None), spaces.iter().count()), (Some(&mixed[..]), 1));
    }

    #[test]
    fn however_many_names_and_lengths_there_are_memory_has_an_end() {
        let mut names = VectorNames::default();
        let mut counted = VectorLengths::default();
        for number in 0..NAMES * 3 {
            let (name, vector) = (format!("v{number}"), format!("[{}1]", "1,".repeat(number)));
            counted.see(&mut names, &object(&[(&name, "[1]"), ("x", &vector)]));
        }
        assert_eq!((names.0.len(), counted.0.len()), (NAMES, PAIRS));
    }
}
