//! What stands on disk, format version 1 (docs/archive-format.md), apart from the types that the program works with: a
//! rename of those changes no file.
//!
//! Most of what is here says how a type of today is written (`serde(remote)`), and the compiler holds that no member is
//! forgotten. If such a member or variant gets another name, the one on disk stays here in quotes:
//! `#[serde(rename = "old")]`. If a type is no longer made of what stands on disk, its struct here stands for itself and is
//! converted, as [`manifest`] does with what was skipped. Hashes, ids, names, times, URLs and operations stand as their texts. The tests
//! hold every member and every word.

mod checkpoint;
mod claim;
mod index;
mod manifest;
mod plain;
mod rejected;
mod run;
mod sealed;
mod skipped;

use super::manifest::Format;

pub(super) use checkpoint::Record;
pub(super) use claim::{Claimed, Grown};
pub(super) use index::RunLine;
pub(super) use rejected::{Refusal, RejectedLine};
pub(super) use sealed::{MANIFEST_BYTES, Refused, from_bytes, read, to_bytes};

/// The version that is written.
pub(super) const FORMAT: Format = Format { major: 1, minor: 3 };

/// Has types of today written and read as the structs behind the arrows say.
macro_rules! stand_as {
    ($($live:ty => $frozen:ident),* $(,)?) => {
        $(
            impl serde::Serialize for $live {
                fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    $frozen::serialize(self, to)
                }
            }
            impl<'de> serde::Deserialize<'de> for $live {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    $frozen::deserialize(from)
                }
            }
        )*
    };
}
use stand_as;

#[cfg(test)]
mod tests;
