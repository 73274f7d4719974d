//! `checkpoint.jsonl` of a run that writes to a server.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::digest::Hash;
use super::super::manifest::Tool;
use super::super::runfiles::{FirstObject, RunAbout, RunRecord};
use super::stand_as;
use crate::event::Op;
use crate::model::{CollectionName, ObjectId, Stamped, TenantName};

stand_as! { RunRecord => Record, RunAbout => About, FirstObject => First, Stamped => Times }

#[derive(Serialize, Deserialize)]
#[serde(remote = "RunRecord", tag = "kind")]
enum Record {
    #[serde(rename = "header")]
    Header(RunAbout),
    #[serde(rename = "intent")]
    Intent { collection: CollectionName, target: CollectionName },
    #[serde(rename = "joining")]
    Joining { collection: CollectionName, target: CollectionName, tenants: Vec<TenantName> },
    #[serde(rename = "replacing")]
    Replacing { archive: String },
    #[serde(rename = "dropping")]
    Dropping { target: CollectionName, safety: String },
    #[serde(rename = "undone")]
    Undone { target: CollectionName },
    #[serde(rename = "created")]
    Created {
        target: CollectionName,
        schema_sha256: Hash,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shards: Vec<String>,
    },
    #[serde(rename = "imported")]
    Imported {
        target: CollectionName,
        tenant: Option<TenantName>,
        from: Option<ObjectId>,
        to: Option<ObjectId>,
        objects: u64,
        rejected: u64,
        #[serde(default, skip_serializing_if = "is_zero")]
        rejected_bytes: u64,
        #[serde(default, skip_serializing_if = "is_zero")]
        stored: u64,
        #[serde(default, skip_serializing_if = "is_zero")]
        references: u64,
        #[serde(default, skip_serializing_if = "is_zero")]
        refused_equal: u64,
        #[serde(default, skip_serializing_if = "is_zero")]
        unsaid_equal: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stamped: Option<Stamped>,
    },
    #[serde(rename = "again")]
    Again { target: CollectionName },
    #[serde(rename = "gone")]
    Gone { target: CollectionName },
    #[serde(rename = "finished")]
    Finished { target: CollectionName, objects: u64, rejected: u64 },
    #[serde(rename = "verified")]
    Verified {
        target: CollectionName,
        ok: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
    },
    #[serde(rename = "waking")]
    Activating {
        target: CollectionName,
        tenants: Vec<TenantName>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        firsts: BTreeMap<TenantName, FirstObject>,
    },
    #[serde(rename = "asleep")]
    Deactivated { target: CollectionName, tenants: Vec<TenantName> },
    #[serde(rename = "scratch")]
    Scratch { target: CollectionName, at: Timestamp },
    #[serde(rename = "scratch_gone")]
    ScratchGone { target: CollectionName },
    #[serde(rename = "complete")]
    Complete,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RunAbout")]
struct About {
    op: Op,
    tool: Tool,
    run_id: Uuid,
    started: Timestamp,
    server_url: String,
    server_version: String,
    archive: String,
    archive_run_id: String,
    options: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FirstObject")]
struct First {
    id: ObjectId,
    updated_ms: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Stamped")]
struct Times {
    first_ms: i64,
    last_ms: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
