//! Which vectors a collection's objects have, and of how many dimensions.

use std::collections::BTreeMap;

use crate::model::{RawObject, dimensions};

/// Names a collection may have; more are not recorded, so that odd objects cannot fill the memory.
const NAMES: usize = 1024;

/// Vectors seen, in the order they were first seen. A collection has few, so a list is faster than a map.
#[derive(Debug, Default)]
pub(super) struct Vectors(Vec<(Box<[u8]>, u64)>);

impl Vectors {
    /// Notes the vectors of an object; only a name's first one is looked into.
    pub(super) fn see(&mut self, object: &RawObject) {
        for (name, text) in object.vectors() {
            self.note(name, || dimensions(text));
        }
    }

    /// Takes in what an earlier process saw.
    pub(super) fn take_over(&mut self, known: &BTreeMap<String, u64>) {
        for (name, size) in known {
            self.note(name.as_bytes(), || *size);
        }
    }

    fn note(&mut self, name: &[u8], size: impl FnOnce() -> u64) {
        if self.0.iter().all(|(known, _)| **known != *name) && self.0.len() < NAMES {
            self.0.push((name.into(), size()));
        }
    }

    /// Names and dimensions so far.
    pub(super) fn known(&self) -> BTreeMap<String, u64> {
        self.0.iter().map(|(name, size)| (String::from_utf8_lossy(name).into_owned(), *size)).collect()
    }
}
