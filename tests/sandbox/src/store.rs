//! Objects in id order: what was written, laid over what a seed makes.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::print;
use crate::seeded::Seeded;

/// An object as it is kept: printed pieces, ready to be listed.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Milliseconds since 1970.
    pub(crate) updated: i64,
    pub(crate) properties: String,
    pub(crate) vector: Option<String>,
    pub(crate) vectors: Option<String>,
}

/// An object of a store, wherever it comes from.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Stored(Arc<Stored>),
    Seeded(Arc<Seeded>, u64),
}

impl Entry {
    pub(crate) fn created(&self) -> i64 {
        match self {
            Self::Stored(object) => object.created,
            Self::Seeded(seeded, index) => seeded.created(*index),
        }
    }

    pub(crate) fn updated(&self) -> i64 {
        match self {
            Self::Stored(object) => object.updated,
            Self::Seeded(seeded, index) => seeded.created(*index),
        }
    }

    pub(crate) fn properties(&self) -> String {
        match self {
            Self::Stored(object) => object.properties.clone(),
            Self::Seeded(seeded, index) => {
                let mut out = Vec::new();
                seeded.properties(&mut out, *index);
                String::from_utf8_lossy(&out).into_owned()
            }
        }
    }

    /// A copy that can be changed and put back.
    pub(crate) fn stored(&self) -> Stored {
        match self {
            Self::Stored(object) => Stored::clone(object),
            Self::Seeded(seeded, index) => {
                let mut vector = Vec::new();
                seeded.vector(&mut vector, *index);
                Stored {
                    created: self.created(),
                    updated: self.updated(),
                    properties: self.properties(),
                    vector: (seeded.dimensions() > 0).then(|| String::from_utf8_lossy(&vector).into_owned()),
                    vectors: None,
                }
            }
        }
    }

    /// Prints the object as lists and single reads do.
    pub(crate) fn print(&self, out: &mut Vec<u8>, class: &str, id: u128, tenant: Option<&str>, vectors: bool) {
        out.extend_from_slice(b"{\"class\":\"");
        out.extend_from_slice(class.as_bytes());
        out.extend_from_slice(b"\",\"creationTimeUnix\":");
        out.extend_from_slice(self.created().to_string().as_bytes());
        out.extend_from_slice(b",\"id\":\"");
        out.extend_from_slice(dashed(id).as_bytes());
        out.extend_from_slice(b"\",\"lastUpdateTimeUnix\":");
        out.extend_from_slice(self.updated().to_string().as_bytes());
        out.extend_from_slice(b",\"properties\":");
        match self {
            Self::Stored(object) => out.extend_from_slice(object.properties.as_bytes()),
            Self::Seeded(seeded, index) => seeded.properties(out, *index),
        }
        if let Some(tenant) = tenant {
            out.extend_from_slice(b",\"tenant\":");
            print::string(out, tenant, print::Style::Plain);
        }
        if vectors {
            match self {
                Self::Stored(object) => {
                    if let Some(vector) = &object.vector {
                        out.extend_from_slice(b",\"vector\":");
                        out.extend_from_slice(vector.as_bytes());
                    }
                }
                Self::Seeded(seeded, index) if seeded.dimensions() > 0 => {
                    out.extend_from_slice(b",\"vector\":");
                    seeded.vector(out, *index);
                }
                Self::Seeded(..) => {}
            }
        }
        out.extend_from_slice(b",\"vectorWeights\":null");
        if let (true, Self::Stored(object)) = (vectors, self)
            && let Some(named) = &object.vectors
        {
            out.extend_from_slice(b",\"vectors\":");
            out.extend_from_slice(named.as_bytes());
        }
        out.push(b'}');
    }
}

/// The objects of a collection or of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Store {
    base: Option<Arc<Seeded>>,
    /// Written objects; `None` hides an object of the base.
    own: BTreeMap<u128, Option<Arc<Stored>>>,
    /// Objects of the base that `own` replaces or hides.
    covered: u64,
    /// Objects in `own` that are there.
    held: u64,
}

impl Store {
    pub(crate) fn seeded(base: impl Into<Arc<Seeded>>) -> Self {
        Self { base: Some(base.into()), ..Self::default() }
    }

    pub(crate) fn len(&self) -> u64 {
        self.base.as_ref().map_or(0, |b| b.len()) - self.covered + self.held
    }

    /// Objects that had reached the disk at a time: only those count in `/v1/nodes`, and deletions not at all.
    pub(crate) fn flushed(&self, before: i64) -> u64 {
        let own = self.own.values().flatten().filter(|object| object.updated < before).count();
        self.base.as_ref().map_or(0, |b| b.len()) + own as u64
    }

    pub(crate) fn get(&self, id: u128) -> Option<Entry> {
        match self.own.get(&id) {
            Some(Some(object)) => Some(Entry::Stored(Arc::clone(object))),
            Some(None) => None,
            None => {
                let base = self.base.as_ref()?;
                base.place(id).map(|index| Entry::Seeded(Arc::clone(base), index))
            }
        }
    }

    /// Replaces the object of that id, or adds it.
    pub(crate) fn put(&mut self, id: u128, object: Stored) {
        self.lay(id, Some(Arc::new(object)));
    }

    /// Takes the object of that id away; false when there was none.
    pub(crate) fn remove(&mut self, id: u128) -> bool {
        let there = self.get(id).is_some();
        if there {
            self.lay(id, None);
        }
        there
    }

    fn lay(&mut self, id: u128, object: Option<Arc<Stored>>) {
        let in_base = self.base.as_ref().is_some_and(|b| b.place(id).is_some());
        let held = u64::from(object.is_some());
        let before = if object.is_none() && !in_base { self.own.remove(&id) } else { self.own.insert(id, object) };
        match before {
            Some(Some(_)) => self.held -= 1,
            Some(None) => {}
            None => self.covered += u64::from(in_base),
        }
        self.held += held;
    }

    /// The objects whose id is above `after`, ascending; all of them without it.
    pub(crate) fn walk(&self, after: Option<u128>) -> impl Iterator<Item = (u128, Entry)> + '_ {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut own = self.own.range((from, Bound::Unbounded)).peekable();
        let mut index = self.base.as_ref().map_or(0, |b| after.map_or(0, |id| b.above(id)));
        std::iter::from_fn(move || {
            loop {
                let made = self.base.as_ref().filter(|b| index < b.len()).map(|b| (b, b.id(index)));
                match (own.peek(), made) {
                    (Some(&(&id, slot)), made) if made.is_none_or(|(_, made)| id <= made) => {
                        index += u64::from(made.is_some_and(|(_, made)| made == id));
                        own.next();
                        if let Some(object) = slot {
                            return Some((id, Entry::Stored(Arc::clone(object))));
                        }
                    }
                    (_, Some((base, id))) => {
                        index += 1;
                        return Some((id, Entry::Seeded(Arc::clone(base), index - 1)));
                    }
                    _ => return None,
                }
            }
        })
    }
}

/// The id in lower case with dashes.
pub(crate) fn dashed(id: u128) -> String {
    uuid::Uuid::from_u128(id).hyphenated().to_string()
}

/// Reads an id with or without dashes, in any case.
pub(crate) fn parse_id(text: &str) -> Option<u128> {
    let plain = text.len() == 36 || text.len() == 32;
    plain.then(|| uuid::Uuid::try_parse(text).ok()).flatten().map(|id| id.as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Stored {
        Stored { created: 1, updated: 1, properties: "{}".to_owned(), vector: None, vectors: None }
    }

    #[test]
    fn writes_lie_over_the_seeded_objects() {
        let mut store = Store::seeded(Seeded::new(1, 100, 2, 0));
        let ids: Vec<u128> = store.walk(None).map(|(id, _)| id).collect();
        assert!(ids.is_sorted() && ids.len() == 100);
        store.put(ids[3], object());
        store.put(ids[3] + 1, object());
        assert!(store.remove(ids[5]));
        assert!(!store.remove(ids[5]));
        assert!(store.remove(ids[3] + 1));
        store.put(ids[6] + 1, object());
        assert_eq!(store.len(), 100);
        assert_eq!(store.walk(None).count(), 100);
        assert_eq!(store.walk(Some(ids[4])).next().map(|(id, _)| id), Some(ids[6]));
        assert!(matches!(store.get(ids[3]), Some(Entry::Stored(_))));
        assert!(store.get(ids[5]).is_none());
    }
}
