//! `checkpoint.jsonl` of an archive that is not sealed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::codec::Codec;
use super::super::content::Content;
use super::super::digest::Hash;
use super::super::header::CheckpointHeader;
use super::super::manifest::{Format, Tool};
use super::index::RunLine;
use super::stand_as;
use crate::model::{ObjectId, TenantName};

stand_as! { CheckpointHeader => Header }

#[derive(Serialize, Deserialize)]
#[serde(remote = "CheckpointHeader")]
struct Header {
    format: Format,
    tool: Tool,
    run_id: String,
    started: Timestamp,
    source_url: String,
    server_version: String,
    codec: Codec,
    collections: Vec<String>,
    options: Map<String, Value>,
    /// Since 1.1.
    #[serde(default)]
    server_time_ms: Option<i64>,
}

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(in crate::archive) enum Record {
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
    /// The names of a plain collection's shards: one that is dropped and recreated has others.
    Shards { folder: String, shards: Vec<String> },
    /// Objects that the server could not print whole, so that they are kept without a vector.
    Incomplete { folder: String, tenant: Option<TenantName>, ids: Vec<ObjectId> },
    /// Another process carries the run on from here. Runs whose part has not come are lost, and no collection is complete.
    Resumed { at: Timestamp },
}
