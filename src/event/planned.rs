//! What a plan says of each collection, as events and `--json` show it (docs/events.md).

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{CollectionName, TenantName};

/// How much of what a removal takes away an archive holds, as far as counts and times tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "covers", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Covers {
    /// As many objects or more, and none on the server was written since the archive was begun.
    Everything,
    /// Fewer objects.
    Fewer,
    /// Not every tenant.
    LacksTenants {
        /// How many it lacks.
        tenants: u64,
        /// The first of them, by name.
        first: TenantName,
    },
    /// Objects without their vectors.
    NoVectors,
    /// It says itself that something is missing in it.
    Incomplete,
    /// An object on the server was written since the archive was begun.
    WrittenSince {
        /// When the newest one was, by the server's clock.
        newest: Timestamp,
    },
    /// As many objects or more; whether any of them was written since is not known.
    ChangesUnknown,
    /// The objects on the server are not all counted.
    Uncounted,
    /// It is compared with the server, object by object, before anything is sent.
    Compared,
}

/// The archive that holds most of what a removal takes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedCopy {
    /// Its directory.
    pub archive: String,
    /// When it was sealed, UTC.
    pub sealed: Timestamp,
    /// Objects in it.
    pub archived_objects: u64,
    /// Objects on the server; `None` if they are not all counted.
    pub server_objects: Option<u64>,
    /// How much of them it holds.
    #[serde(flatten)]
    pub covers: Covers,
}

/// A collection in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedCollection {
    /// The collection.
    pub name: CollectionName,
    /// Objects expected, where known.
    pub objects: Option<u64>,
    /// Estimated plain bytes, where known.
    pub bytes: Option<u64>,
    /// In a removal: the archive that holds most of it; absent if none holds any of its objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_in: Option<PlannedCopy>,
}

impl PlannedCollection {
    /// A collection of which nothing else is known yet.
    #[must_use]
    pub fn of(name: CollectionName) -> Self {
        Self { name, objects: None, bytes: None, held_in: None }
    }
}
