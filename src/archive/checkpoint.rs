//! The journal of an unsealed archive: what is safe so far.

mod replay;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::codec::Codec;
use super::digest::Hash;
use super::index::RunLine;
use super::manifest::{Content, Format, Tool};
use crate::model::{ObjectId, TenantName};

pub use replay::{Checkpoint, CheckpointCollection, CheckpointPart};

/// What a journal is about; a run may only be resumed if all of this still holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointHeader {
    /// The archive's format.
    pub format: Format,
    /// What wrote it.
    pub tool: Tool,
    /// The run (a UUID).
    pub run_id: String,
    /// When it started, UTC.
    pub started: Timestamp,
    /// The server's URL without credentials.
    pub source_url: String,
    /// The server's version.
    pub server_version: String,
    /// The parts' compression.
    pub codec: Codec,
    /// The collections of the plan.
    pub collections: Vec<String>,
    /// The run's options.
    pub options: Map<String, Value>,
    /// The server's clock when the run was planned, in whole seconds, as ms since 1970.
    #[serde(default)]
    pub server_time_ms: Option<i64>,
}

/// One line of the journal. Frozen with the format version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Record {
    /// The first line.
    Header(CheckpointHeader),
    /// A collection was begun and its schema is safe.
    Collection { name: String, folder: String, content: Content, multi_tenant: bool, schema_sha256: Hash },
    /// A run: an empty one counts at once, another one with its part.
    Run { folder: String, run: RunLine },
    /// A part is safe, with the `runs` runs that stand before it.
    Part {
        folder: String,
        part: String,
        objects: u64,
        bytes: u64,
        runs: u64,
        stored_bytes: u64,
        sha256: Hash,
        vectors: BTreeMap<String, u64>,
    },
    /// A part is about to be removed and its runs no longer count.
    DropPart { folder: String, part: String },
    /// An empty run no longer counts.
    DropEmpty { folder: String, tenant: Option<TenantName>, from: Option<ObjectId> },
    /// A collection is complete, and its index safe.
    Closed { folder: String },
    /// A collection is given up: all of its folder is about to be removed. It may be begun anew.
    Gone { folder: String },
    /// The names of a plain collection's shards: one that is dropped and made anew has others.
    Shards { folder: String, shards: Vec<String> },
    /// Objects that the server could not print whole, so that they are kept without a vector.
    Incomplete { folder: String, tenant: Option<TenantName>, ids: Vec<ObjectId> },
    /// Another process carries the run on from here. Runs whose part has not come are lost, and no collection is complete.
    Resumed { at: Timestamp },
}

#[cfg(test)]
mod tests;
