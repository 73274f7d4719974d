//! Which vectors a collection's objects have, and of how many dimensions.

use std::collections::BTreeMap;

use crate::model::RawObject;

/// Names a collection may have; more are not recorded, so that odd objects cannot fill the memory.
const NAMES: usize = 1024;

/// Vectors seen, in the order they were first seen. A collection has few, so a list is faster than a map.
#[derive(Debug, Default)]
pub(super) struct Vectors(Vec<(Box<[u8]>, u64)>);

impl Vectors {
    /// Notes the vectors of an object; only a name's first one is looked into.
    pub(super) fn see(&mut self, object: &RawObject) {
        for (name, text) in object.vectors() {
            if self.0.iter().all(|(known, _)| **known != *name) && self.0.len() < NAMES {
                self.0.push((name.into(), dimensions(text)));
            }
        }
    }

    /// Names and dimensions so far.
    pub(super) fn known(&self) -> BTreeMap<String, u64> {
        self.0.iter().map(|(name, size)| (String::from_utf8_lossy(name).into_owned(), *size)).collect()
    }
}

/// Numbers in the first innermost list: the dimensions of a vector, or of each vector of a multi-vector.
fn dimensions(text: &[u8]) -> u64 {
    let inner = text.iter().position(|b| *b == b']').map_or(text, |end| &text[..end]);
    let inner = inner.iter().rposition(|b| *b == b'[').map_or(inner, |start| &inner[start + 1..]);
    if inner.trim_ascii().is_empty() {
        return 0;
    }
    memchr::memchr_iter(b',', inner).count() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_of_vectors_and_multi_vectors() {
        for (text, size) in [("[1,2.5,-3e1]", 3), ("[1]", 1), ("[[1,2],[3,4],[5,6]]", 2), ("[]", 0), ("[[]]", 0)] {
            assert_eq!(dimensions(text.as_bytes()), size, "{text}");
        }
    }
}
