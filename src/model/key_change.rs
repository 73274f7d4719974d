//! One key in which two class documents differ.

use serde::Serialize;

/// A key that is not in both class documents with the same value. `key` is a path with dots, values are JSON texts, cut if
/// long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyChange {
    /// It has another value.
    #[error("{key} is {now}, not {was}")]
    Other {
        /// The key.
        key: String,
        /// The value that was expected.
        was: String,
        /// The value it has.
        now: String,
    },
    /// It is not there.
    #[error("{key} {was} is missing")]
    Missing {
        /// The key.
        key: String,
        /// The value that was expected.
        was: String,
    },
    /// Nobody asked for it.
    #[error("{key} was added")]
    Added {
        /// The key.
        key: String,
    },
}

impl KeyChange {
    /// Some of them in one line.
    #[must_use]
    pub fn listed(changes: &[Self]) -> String {
        changes.iter().map(Self::to_string).collect::<Vec<_>>().join("; ")
    }
}
