//! The content digest: equal digests prove equal content, whatever the order of reading
//! (docs/archive-format.md).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::content::Content;
use crate::model::fold::is_property;
use crate::model::{DigestMode, Members, RawObject, Schema};

/// What is gathered of an object at most, in bytes.
const INPUT_BYTES: usize = 1 << 20;

/// 32 bytes that print as 64 lower-case hex digits: a SHA-256, a blake3 hash, or a sum of those.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Hash {
    /// Reads exactly 64 lower-case hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not 64 lower-case hex digits"))
    }
}

/// A sum of object digests, read as little-endian integers, modulo 2^256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunDigest([u64; 4]);

impl RunDigest {
    /// Takes in one object's digest, or another sum.
    pub fn add(&mut self, hash: Hash) {
        let (words, _) = hash.0.as_chunks::<8>();
        let mut carry = false;
        for (word, more) in self.0.iter_mut().zip(words) {
            let (sum, first) = word.overflowing_add(u64::from_le_bytes(*more));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = first || second;
        }
    }

    /// The sum as 32 little-endian bytes.
    #[must_use]
    pub fn hash(self) -> Hash {
        let mut bytes = [0; 32];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *to = word.to_le_bytes();
        }
        Hash(bytes)
    }
}

/// The digest of a collection: of each tenant's name, number of objects and sum, in byte order of the names. A plain
/// collection is one tenant with an empty name.
#[must_use]
pub fn collection_digest<'a>(tenants: impl IntoIterator<Item = (&'a str, u64, Hash)>) -> Hash {
    let mut hasher = blake3::Hasher::new();
    for (tenant, objects, sum) in tenants {
        hasher.update(&(tenant.len() as u64).to_le_bytes());
        hasher.update(tenant.as_bytes());
        hasher.update(&objects.to_le_bytes());
        hasher.update(&sum.0);
    }
    Hash(*hasher.finalize().as_bytes())
}

/// What is hashed of an object, gathered first: blake3 is three times as fast on one piece as on many. What is long goes
/// into the hash piece by piece, and is not held.
#[derive(Debug, Clone, Default)]
struct Input {
    gathered: Vec<u8>,
    hasher: Option<Box<blake3::Hasher>>,
}

impl Input {
    fn add(&mut self, bytes: &[u8]) {
        if self.gathered.len() + bytes.len() <= INPUT_BYTES {
            return self.gathered.extend_from_slice(bytes);
        }
        let hasher = self.hasher.get_or_insert_default();
        hasher.update(&self.gathered).update(bytes);
        self.gathered.clear();
    }

    /// The hash of what was added since the last one.
    fn hash(&mut self) -> Hash {
        let hash = match self.hasher.take() {
            Some(mut hasher) => hasher.update(&self.gathered).finalize(),
            None => blake3::hash(&self.gathered),
        };
        self.gathered.clear();
        Hash(*hash.as_bytes())
    }
}

/// LP(x): the length as u64, then the bytes.
fn put(input: &mut Input, bytes: &[u8]) {
    input.add(&(bytes.len() as u64).to_le_bytes());
    input.add(bytes);
}

/// Makes the digests of one collection's objects.
#[derive(Debug, Clone)]
pub struct ObjectDigest {
    members: Option<Arc<Special>>,
    vectors: bool,
    input: Input,
}

/// Which members of `properties` do not enter as they stand.
#[derive(Debug, Clone)]
struct Special {
    references: BTreeSet<String>,
    blob_hashes: BTreeSet<String>,
}

/// `properties` of an object that are not a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("properties are not a JSON object")]
pub struct BadProperties;

impl ObjectDigest {
    /// For the objects of a collection with this schema, with or without their vectors.
    #[must_use]
    pub fn new(schema: &Schema, content: Content) -> Self {
        let members = (schema.digest_mode() == DigestMode::Members).then(|| {
            let set = |names: &[String]| names.iter().cloned().collect();
            Arc::new(Special { references: set(&schema.references), blob_hashes: set(&schema.blob_hashes) })
        });
        Self { members, vectors: content == Content::Full, input: Input::default() }
    }

    /// Whether a property of this name holds references; `None` if none does.
    #[must_use]
    pub fn references(&self) -> Option<impl Fn(&[u8]) -> bool + use<>> {
        let members = self.members.clone().filter(|members| !members.references.is_empty())?;
        Some(move |name: &[u8]| members.references.iter().any(|reference| is_property(reference, name)))
    }

    /// The digest of one object.
    pub fn of(&mut self, object: &RawObject) -> Result<Hash, BadProperties> {
        let input = &mut self.input;
        // An object that could not be read may have left something.
        *input = Input { gathered: std::mem::take(&mut input.gathered), hasher: None };
        input.gathered.clear();
        input.add(&object.id.0.to_be_bytes());
        match &self.members {
            None => {
                input.add(&[0]);
                put(input, object.properties());
            }
            Some(members) => members.put(input, object.properties())?,
        }
        if self.vectors {
            put_vectors(input, object);
        }
        Ok(input.hash())
    }
}

fn put_vectors(input: &mut Input, object: &RawObject) {
    // Servers print names in byte order, so the list for sorting is rarely needed.
    if object.vectors().is_sorted_by(|a, b| a.0 <= b.0) {
        for (name, text) in object.vectors() {
            put(input, name);
            put(input, text);
        }
        return;
    }
    let mut vectors: Vec<_> = object.vectors().collect();
    vectors.sort_by_key(|(name, _)| *name);
    for (name, text) in vectors {
        put(input, name);
        put(input, text);
    }
}

impl Special {
    fn put(&self, input: &mut Input, properties: &[u8]) -> Result<(), BadProperties> {
        let printed: Option<Members<'_>> = match properties {
            b"" => None,
            text => serde_json::from_slice(text).map_err(|_| BadProperties)?,
        };
        let members = printed.into_iter().flat_map(Members::iter).filter(|(key, _)| !self.blob_hashes.contains(*key));
        input.add(&[1]);
        input.add(&u32::try_from(members.clone().count()).map_err(|_| BadProperties)?.to_le_bytes());
        for (key, value) in members {
            put(input, key.as_bytes());
            let targets = if self.references.contains(key) { beacons(value) } else { None };
            put(input, targets.as_deref().unwrap_or(value).as_bytes());
        }
        Ok(())
    }
}

/// `Collection/id` of each beacon, joined by newlines; `None` if this is not a list of beacons, whose text then enters
/// as it stands. One after the other, since there may be a hundred thousand.
fn beacons(value: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Reference<'a> {
        #[serde(borrow)]
        beacon: Cow<'a, str>,
    }
    struct Targets;
    impl<'de> Visitor<'de> for Targets {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of references")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<String>, A::Error> {
            let mut targets = Some(String::new());
            while let Some(reference) = list.next_element::<Reference<'de>>()? {
                let target = reference.beacon.strip_prefix("weaviate://").and_then(|rest| rest.split_once('/'));
                targets = targets.zip(target).map(|(mut targets, (_host, target))| {
                    targets.push_str(target);
                    targets.push('\n');
                    targets
                });
            }
            Ok(targets)
        }
    }
    let mut from = serde_json::Deserializer::from_str(value);
    let mut targets = from.deserialize_seq(Targets).ok()??;
    from.end().ok()?;
    targets.pop();
    Some(targets)
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
