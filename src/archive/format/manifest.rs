//! `manifest.json`. Members stand in this order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::codec::Codec;
use super::super::content::Content;
use super::super::digest::Hash;
use super::super::manifest as today;
use super::stand_as;

stand_as! {
    today::Manifest => Manifest,
    today::Format => Format,
    today::Tool => Tool,
    today::Source => Source,
    today::TopologyRecord => Topology,
    today::TopologyState => TopologyState,
    today::CollectionEntry => Collection,
    today::TenantEntry => Sums,
    today::VectorLengthsEntry => VectorLengths,
    today::LengthEntry => Length,
    today::PartEntry => Part,
    today::Counts => Counts,
    today::Consistency => Consistency,
    today::ReadMode => ReadMode,
    today::TenantsChanged => TenantsChanged,
    today::ReplicaRecord => ReplicaCheck,
    today::SelectionEntry => Selection,
    today::SampleEntry => Sample,
    today::UntilEntry => Until,
    today::Limit => Limit,
    today::LimitKind => LimitKind,
    today::Incomplete => Incomplete,
    today::FileEntry => File,
    Codec => CodecName,
    Content => ContentName,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::Manifest")]
struct Manifest {
    format: today::Format,
    tool: today::Tool,
    run_id: String,
    source: today::Source,
    started: Timestamp,
    sealed: Timestamp,
    options: Map<String, Value>,
    codec: Codec,
    collections: Vec<today::CollectionEntry>,
    limits: Vec<today::Limit>,
    skipped: Vec<today::Skipped>,
    incomplete: Vec<today::Incomplete>,
    files: Vec<today::FileEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::Format")]
struct Format {
    major: u32,
    minor: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::Tool")]
struct Tool {
    name: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::Source")]
struct Source {
    url: String,
    server_version: String,
    topology: today::TopologyRecord,
    /// Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server_time_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::TopologyRecord")]
struct Topology {
    state: today::TopologyState,
    reason: Option<String>,
    nodes: Vec<String>,
    /// Since 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::TopologyState")]
enum TopologyState {
    #[serde(rename = "whole")]
    Whole,
    #[serde(rename = "unchecked")]
    Unchecked,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Codec")]
enum CodecName {
    #[serde(rename = "none")]
    None,
    #[serde(rename = "zstd")]
    Zstd,
    #[serde(rename = "gzip")]
    Gzip,
    #[serde(rename = "lz4")]
    Lz4,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Content")]
enum ContentName {
    #[serde(rename = "full")]
    Full,
    #[serde(rename = "no_vectors")]
    NoVectors,
    #[serde(rename = "schema")]
    SchemaOnly,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::CollectionEntry")]
struct Collection {
    name: String,
    folder: String,
    multi_tenant: bool,
    replicas: u32,
    content: Content,
    objects: u64,
    bytes: u64,
    digest: Option<Hash>,
    tenants: Vec<today::TenantEntry>,
    vectors: BTreeMap<String, u64>,
    /// Since 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    vector_lengths: Vec<today::VectorLengthsEntry>,
    /// Since 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shards: Vec<String>,
    parts: Vec<today::PartEntry>,
    counts: today::Counts,
    consistency: today::Consistency,
    schema_changed: bool,
    /// Since 1.1.
    #[serde(default, skip_serializing_if = "today::TenantsChanged::is_empty")]
    tenants_changed: today::TenantsChanged,
    /// Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replica_check: Option<today::ReplicaRecord>,
    /// Since 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    selection: Option<today::SelectionEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::SelectionEntry")]
struct Selection {
    #[serde(rename = "where")]
    filter: Option<String>,
    fields: Vec<String>,
    limit: Option<u64>,
    sample: Option<today::SampleEntry>,
    objects_read: u64,
    until: Option<today::UntilEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::SampleEntry")]
struct Sample {
    share: String,
    seed: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::UntilEntry")]
struct Until {
    tenant: Option<String>,
    id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::TenantEntry")]
struct Sums {
    tenant: Option<String>,
    objects: u64,
    bytes: u64,
    digest: Hash,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::VectorLengthsEntry")]
struct VectorLengths {
    tenant: Option<String>,
    vector: String,
    lengths: Vec<today::LengthEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::LengthEntry")]
struct Length {
    length: u64,
    objects: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::PartEntry")]
struct Part {
    file: String,
    objects: u64,
    bytes: u64,
    runs: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::Counts")]
struct Counts {
    before: Option<u64>,
    after: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::Consistency")]
struct Consistency {
    mode: today::ReadMode,
    inserted: Option<u64>,
    updated: Option<u64>,
    deleted: Option<u64>,
    changed_seen: Option<u64>,
    count_mismatch: bool,
    on_any_replica: Option<u64>,
    /// Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vanished: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::ReadMode")]
enum ReadMode {
    #[serde(rename = "live")]
    Live,
    #[serde(rename = "frozen")]
    Frozen,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::TenantsChanged")]
struct TenantsChanged {
    added: Vec<String>,
    deleted: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::ReplicaRecord")]
struct ReplicaCheck {
    compared: u64,
    repaired: u64,
    differing: u64,
    counts_moved: bool,
    reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::Limit")]
struct Limit {
    kind: today::LimitKind,
    collection: Option<String>,
    properties: Vec<String>,
    objects: Option<u64>,
    first_ids: Vec<String>,
}

/// The first four since 1.0, the others since 1.1.
#[derive(Serialize, Deserialize)]
#[serde(remote = "today::LimitKind")]
enum LimitKind {
    #[serde(rename = "creation_times")]
    CreationTimes,
    #[serde(rename = "api_keys")]
    ApiKeys,
    #[serde(rename = "blob_hash")]
    BlobHash,
    #[serde(rename = "integers")]
    Integers,
    #[serde(rename = "object_ttl")]
    ObjectTtl,
    #[serde(rename = "compression")]
    Compression,
    #[serde(rename = "read_only")]
    ReadOnly,
    #[serde(rename = "aliases")]
    Aliases,
    #[serde(rename = "roles")]
    Roles,
    #[serde(rename = "dropped_vectors")]
    DroppedVectors,
    #[serde(rename = "collections")]
    Collections,
    /// Whatever a later version knows.
    #[serde(other, rename = "other")]
    Other,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::Incomplete")]
struct Incomplete {
    collection: String,
    tenant: Option<String>,
    id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "today::FileEntry")]
struct File {
    path: String,
    bytes: u64,
    sha256: Hash,
}
