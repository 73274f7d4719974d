//! The words every layer shares: names, ids, key ranges, untouched objects. No I/O, no wire format, no file format.

pub mod coverage;
mod filter;
pub mod fold;
pub mod json;
mod key_change;
mod lengths;
mod members;
mod numbers;
mod object;
mod origin;
mod reasons;
mod renames;
mod room;
mod schema;
mod scratch;
mod server;
mod server_clock;
mod shown;
mod similar;
mod stamped;
mod subset;
mod tenants;
mod typed;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use filter::{BoundFilter, FILTER_BYTES, Filter, FilterError, FilterProblem};
pub use key_change::KeyChange;
pub use lengths::{MixedLengths, MixedSpaces, VectorLengths, VectorNames, is_odd};
pub use members::Members;
pub(crate) use numbers::number_and_first;
pub use numbers::{count, counted};
pub use object::{ObjectText, RawObject, VectorText, dimensions};
pub use origin::{InvalidOrigin, Origin};
pub use reasons::{Reason, Reasons};
pub use renames::{RenamePattern, Renames};
pub use room::{LARGE_BYTES, room_for};
pub use schema::{CLASS_BYTES, DROPPED_VECTOR, DigestMode, Schema, SchemaError};
pub use server::{ServerIdentity, address};
pub(crate) use server_clock::{CLOCK_STEP_MS, ServerClock};
pub use shown::{ShellWord, escaped, is_plain, path_of_text, path_text, scheme, shell_text};
pub use similar::similar;
pub use stamped::Stamped;
pub use subset::{NoShare, PlaceOfObject, SampleShare, Share, Sieve, Subset, Unfit};
pub use tenants::TenantMap;
pub use typed::{HOME, NotLocal, local_path};

/// The longest collection name a Weaviate server accepts, in characters.
const COLLECTION_NAME_CHARS: usize = 255;
/// The longest tenant name a Weaviate server accepts, in characters.
const TENANT_NAME_CHARS: usize = 64;

/// Tenants of one collection that are dealt with at most.
pub const MOST_TENANTS: usize = 1_000_000;
/// The longest list of so many tenants, in bytes, wherever it is read: each takes 110 bytes at most.
pub const TENANTS_BYTES: u64 = 128 << 20;
/// Values in such a list: three for each tenant, and the list.
pub const TENANTS_VALUES: u32 = 3_000_001;

/// A name that no server would accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a valid {kind} name")]
#[non_exhaustive]
pub struct InvalidName {
    /// What was to be named: `collection` or `tenant`.
    pub kind: &'static str,
    /// The text that was refused.
    pub name: String,
}

/// The name of a collection as the server prints it: first letter in upper case, at most 255 letters, digits and `_`,
/// optionally behind a namespace and a colon. Safe in a URL path; not safe as a folder name (see `archive`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CollectionName(Arc<str>);

/// The name of a tenant: 1 to 64 letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantName(Arc<str>);

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl FromStr for CollectionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (namespace, class) = text.split_once(':').unwrap_or(("n", text));
        let letter_first = class.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        let namespace_ok = !namespace.is_empty() && is_word(&namespace.replace('-', "_"));
        if letter_first && is_word(class) && text.len() <= COLLECTION_NAME_CHARS && namespace_ok {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName { kind: "collection", name: text.into() })
        }
    }
}

impl FromStr for TenantName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let characters_ok = is_word(&text.replace('-', "_"));
        if characters_ok && (1..=TENANT_NAME_CHARS).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName { kind: "tenant", name: text.into() })
        }
    }
}

macro_rules! name_conversions {
    ($name:ident) => {
        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }
    };
}
name_conversions!(CollectionName);
name_conversions!(TenantName);

/// An object's UUID as a number, so that byte order (the server's cursor order) is number order.
/// Every 128-bit value is legal, nil included. Prints in lower case with dashes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectId(pub u128);

impl ObjectId {
    /// `ffffffff-ffff-ffff-ffff-ffffffffffff`, the last id there can be.
    pub const MAX: Self = Self(u128::MAX);
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&uuid::Uuid::from_u128(self.0).hyphenated(), f)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        uuid::Uuid::try_parse(text).map(|id| Self(id.as_u128()))
    }
}

impl TryFrom<String> for ObjectId {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, uuid::Error> {
        text.parse()
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> String {
        id.to_string()
    }
}

/// A stretch of the UUID space: `from` exclusive (`None` = from the very start, nil UUID included), `to` inclusive
/// (`None` = to the very end). This is what the server's `after=` can express, and what `index.jsonl` stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyRange {
    /// Exclusive lower bound.
    pub from: Option<ObjectId>,
    /// Inclusive upper bound.
    pub to: Option<ObjectId>,
}

impl KeyRange {
    /// The whole UUID space.
    pub const ALL: Self = Self { from: None, to: None };

    /// Whether `id` lies in this range.
    #[must_use]
    pub fn contains(&self, id: ObjectId) -> bool {
        self.from.is_none_or(|from| id > from) && self.to.is_none_or(|to| id <= to)
    }

    /// Whether `next` begins exactly where this range ends.
    #[must_use]
    pub fn meets(&self, next: &Self) -> bool {
        self.to.is_some() && self.to == next.from
    }

    /// The last key; the end of the key space if there is no bound.
    #[must_use]
    pub fn end(&self) -> ObjectId {
        self.to.unwrap_or(ObjectId::MAX)
    }

    /// Whether no key lies in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from >= Some(self.end())
    }

    /// Its one spelling: no upper bound instead of the highest id.
    #[must_use]
    pub fn canonical(self) -> Self {
        Self { from: self.from, to: self.to.filter(|to| *to < ObjectId::MAX) }
    }

    /// The keys that ranges, sorted by `from` and not overlapping, leave uncovered.
    pub fn gaps<'a>(sorted: impl IntoIterator<Item = &'a Self>) -> Vec<Self> {
        let mut gaps = Vec::new();
        let mut done: Option<ObjectId> = None;
        for range in sorted {
            if range.from > done {
                gaps.push(Self { from: done, to: range.from });
            }
            done = done.max(Some(range.end()));
        }
        if done < Some(ObjectId::MAX) {
            gaps.push(Self { from: done, to: None });
        }
        gaps
    }
}

/// Which collections a run is about: names and globs to take, names and globs to leave out. Empty `take` = all.
/// Globs know `*`, `?`, `[…]` and `{a,b}`, and are matched with regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Names and globs to take, as typed.
    pub take: Vec<String>,
    /// Names and globs to leave out, as typed.
    pub exclude: Vec<String>,
}

/// A source of the wall clock (UTC), so that tests can set it. Durations are measured with `std::time::Instant`.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>);

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(jiff::Timestamp::now))
    }

    /// A clock that always shows `time`.
    #[must_use]
    pub fn fixed(time: jiff::Timestamp) -> Self {
        Self(Arc::new(move || time))
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collection_names_follow_the_servers_rule() {
        for good in ["Article", "a", "A_1", "ns:Article", "n-s:A"] {
            assert_eq!(good.parse::<CollectionName>().map(String::from), Ok(good.into()));
        }
        let long = "A".repeat(256);
        for bad in ["", "1A", "A-B", "A/B", "..", "A B", ":A", "ns:", "a:b:c", "Ä", long.as_str()] {
            assert!(bad.parse::<CollectionName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tenant_names_follow_the_servers_rule() {
        assert!("t-1_A".parse::<TenantName>().is_ok());
        for bad in ["", "a b", "a/b", &"t".repeat(65)] {
            assert!(bad.parse::<TenantName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ids_sort_like_their_text_and_print_in_lower_case() {
        let mut ids: Vec<ObjectId> = ["F0000000-0000-0000-0000-000000000000", "0f000000-0000-0000-0000-000000000001"]
            .iter()
            .map(|t| t.parse().expect("a uuid"))
            .collect();
        ids.sort_unstable();
        assert_eq!(ids[1].to_string(), "f0000000-0000-0000-0000-000000000000");
    }

    #[test]
    fn a_range_excludes_its_start_and_includes_its_end() {
        let range = KeyRange { from: Some(ObjectId(1)), to: Some(ObjectId(5)) };
        assert!(!range.contains(ObjectId(1)) && range.contains(ObjectId(5)) && !range.contains(ObjectId(6)));
        assert!(KeyRange::ALL.contains(ObjectId(0)) && KeyRange::ALL.contains(ObjectId::MAX));
        assert!(range.meets(&KeyRange { from: Some(ObjectId(5)), to: None }));
        assert!(!KeyRange::ALL.meets(&KeyRange::ALL));
    }
}
