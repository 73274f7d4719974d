//! What became of a run and of each of its collections.

use serde::Serialize;

use super::{Op, Status};
use crate::model::{CollectionName, RawObject, Reason, Schema};

/// What became of one collection; part of `run_finished`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CollectionResult {
    /// The collection.
    pub name: CollectionName,
    /// Tenants read, 0 for a plain collection.
    pub tenants: u64,
    /// Objects stored or compared.
    pub objects: u64,
    /// Objects that were read and left out, as they were not selected; absent where all were wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
    /// Plain bytes of those objects, line ends included.
    pub bytes: u64,
    /// The content digest, 64 lower-case hex digits; `None` where no objects were read on purpose.
    pub digest: Option<String>,
    /// Objects the target refused.
    pub rejected: u64,
    /// Why, the commonest reason first; a few at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected_reasons: Vec<Reason>,
    /// Objects that look written during the run; a lower bound. `None` where it does not apply.
    pub changed_seen: Option<u64>,
    /// Whether the server's own count was held against the objects; `Some(false)` where it could not be asked, `None` where
    /// nothing was to be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts_verified: Option<bool>,
    /// Objects of the archive that the server lacks; `None` where nothing was compared, as in the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_left: Option<u64>,
    /// Objects of the server that the archive lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_right: Option<u64>,
    /// Objects whose content differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub different: Option<u64>,
    /// How its objects met those that were there; `None` where it was not merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged: Option<MergeResult>,
    /// Objects that a sample was taken of; `None` where all were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_of: Option<u64>,
    /// What was saved of its schema, where that is all that was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<SavedSchema>,
    /// The class document that was saved before the collection was dropped; `None` where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_saved: Option<String>,
}

impl CollectionResult {
    /// The result of a collection of which nothing was read yet.
    #[must_use]
    pub fn of(name: CollectionName) -> Self {
        Self {
            name,
            tenants: 0,
            objects: 0,
            left_out: None,
            bytes: 0,
            digest: None,
            rejected: 0,
            rejected_reasons: Vec::new(),
            changed_seen: None,
            counts_verified: None,
            only_left: None,
            only_right: None,
            different: None,
            merged: None,
            sample_of: None,
            schema: None,
            schema_saved: None,
        }
    }
}

/// How the objects of an archive met those of a collection that was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct MergeResult {
    /// Objects that were added.
    pub added: u64,
    /// Objects that took the place of others.
    pub replaced: u64,
    /// Objects that were there with the same content.
    pub equal: u64,
    /// Objects that were there with another content, and stayed.
    pub kept: u64,
    /// Objects that were to be added, or to replace others, and were not: somebody wrote there since the plan.
    pub moved: u64,
    /// The longest time from the last look at an object to the answer to the request that wrote it, in ms: what somebody
    /// wrote in between is overwritten unseen.
    pub window_ms: u64,
}

/// What a schema says, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavedSchema {
    /// Properties, nested ones left aside.
    pub properties: u64,
    /// Names of the vectors; the unnamed one is `default`.
    pub vectors: Vec<String>,
    /// Whether it has tenants; the tenants themselves are not saved with it.
    pub multi_tenant: bool,
}

impl SavedSchema {
    /// What this schema says.
    #[must_use]
    pub fn of(schema: &Schema) -> Self {
        let document: serde_json::Value = serde_json::from_slice(&schema.text).unwrap_or_default();
        let unnamed = document["vectorIndexType"].as_str().is_some_and(|kind| !kind.is_empty());
        let unnamed = unnamed.then(|| RawObject::UNNAMED_VECTOR.to_owned());
        Self {
            properties: document["properties"].as_array().map_or(0, |all| all.len() as u64),
            vectors: unnamed.into_iter().chain(schema.named_vectors.iter().cloned()).collect(),
            multi_tenant: schema.multi_tenant,
        }
    }
}

/// What a server lets through, learned from the requests it turned away.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RateLimit {
    /// Requests a second that it answered while it turned others away.
    pub requests_per_second: f64,
    /// Requests that it turned away (429); each was sent again.
    pub turned_away: u64,
}

/// The summary line of a run, and the last line of `--json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunResult {
    /// Which operation.
    pub op: Op,
    /// Whether nothing was done, and the numbers are what would be.
    pub dry_run: bool,
    /// How it ended.
    pub status: Status,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// The archive's directory, where there is one.
    pub archive: Option<String>,
    /// Where a dry run would put an archive.
    pub planned_archive: Option<String>,
    /// Each collection, in the order of the plan.
    pub collections: Vec<CollectionResult>,
    /// Objects in total.
    pub objects: u64,
    /// Those of them that an interrupted run had done and this one resumed.
    pub resumed_objects: u64,
    /// Plain bytes in total.
    pub bytes: u64,
    /// Wall time of the run in seconds, without the time a person was asked.
    pub seconds: f64,
    /// `objects` without `resumed_objects`, by `seconds`.
    pub objects_per_second: f64,
    /// Requests sent again.
    pub retries: u64,
    /// What the server lets through, if it turned enough requests away to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// The process's highest resident memory in bytes; `None` where the platform does not tell.
    pub peak_memory_bytes: Option<u64>,
    /// What went wrong, the innermost cause last; empty unless the run failed or was refused.
    pub errors: Vec<String>,
}

impl RunResult {
    /// The result of a run over these collections. What only its end knows (times, exit code, memory) is left at 0.
    #[must_use]
    pub fn of(op: Op, status: Status, archive: Option<String>, collections: Vec<CollectionResult>) -> Self {
        Self {
            op,
            dry_run: false,
            status,
            exit_code: 0,
            archive,
            planned_archive: None,
            objects: collections.iter().map(|c| c.objects).sum(),
            resumed_objects: 0,
            bytes: collections.iter().map(|c| c.bytes).sum(),
            collections,
            seconds: 0.0,
            objects_per_second: 0.0,
            retries: 0,
            rate_limit: None,
            peak_memory_bytes: None,
            errors: Vec::new(),
        }
    }
}
