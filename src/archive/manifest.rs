//! What an archive says about itself, as the program works with it. How it stands in `manifest.json` is in `format`.

mod check;
mod selection;

use crate::event::SkipReason;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::codec::Codec;
use super::content::Content;
use super::digest::Hash;

pub(super) use check::{consistent, path_of};
pub use selection::{SampleEntry, SelectionEntry, UntilEntry};

/// The version of the archive format. Readers refuse another major one and ignore what a newer minor one added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Raised when an older reader would misunderstand.
    pub major: u32,
    /// Raised when something was added.
    pub minor: u32,
}

/// What wrote the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// `elysiactl`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Whether the server was whole while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopologyState {
    /// Every shard answered, as far as the server's version can tell.
    Whole,
    /// It could not be asked.
    Unchecked,
}

/// The server's nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyRecord {
    /// Whether all of it was there.
    pub state: TopologyState,
    /// Why it could not be asked.
    pub reason: Option<String>,
    /// Names of the nodes, sorted.
    pub nodes: Vec<String>,
    /// Names of the nodes that were missing while it was read, as was allowed; every shard had a majority of its replicas on
    /// the others. Then the state is `unchecked`.
    pub missing: Vec<String>,
}

impl TopologyRecord {
    /// All of it was there, unless there is a reason why that is not known.
    #[must_use]
    pub fn new(reason: Option<String>, nodes: Vec<String>, missing: Vec<String>) -> Self {
        let state = if reason.is_none() { TopologyState::Whole } else { TopologyState::Unchecked };
        Self { state, reason, nodes, missing }
    }
}

/// Where the objects came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The server's URL without credentials.
    pub url: String,
    /// The server's version, as it prints it.
    pub server_version: String,
    /// The server's nodes.
    pub topology: TopologyRecord,
    /// The server's clock when the run was planned, in whole seconds, as ms since 1970; absent where the server does not tell
    /// the time. Since format 1.1.
    pub server_time_ms: Option<i64>,
}

/// One tenant, or the whole of a plain collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantEntry {
    /// Its name; null in a plain collection.
    pub tenant: Option<String>,
    /// Objects.
    pub objects: u64,
    /// Plain bytes of their lines, line ends included.
    pub bytes: u64,
    /// Sum of the objects' digests.
    pub digest: Hash,
}

/// A vector that objects of one tenant have in several lengths, though an index takes one. Since format 1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorLengthsEntry {
    /// The tenant; null in a plain collection.
    pub tenant: Option<String>,
    /// The vector's name.
    pub vector: String,
    /// Its lengths, most objects first.
    pub lengths: Vec<LengthEntry>,
}

/// One length of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LengthEntry {
    /// Numbers in it.
    pub length: u64,
    /// Objects that have it.
    pub objects: u64,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartEntry {
    /// The file's name in the collection's folder.
    pub file: String,
    /// Objects in it.
    pub objects: u64,
    /// Bytes before compression.
    pub bytes: u64,
    /// Runs in it.
    pub runs: u64,
}

/// What the server counted; null where it could not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Before the first page.
    pub before: Option<u64>,
    /// After the last page.
    pub after: Option<u64>,
}

/// How the source was while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadMode {
    /// It may have been written to.
    #[default]
    Live,
    /// Its shards were read-only.
    Frozen,
}

/// What is known about writes during the run; null where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consistency {
    /// Live or frozen.
    pub mode: ReadMode,
    /// Objects inserted.
    pub inserted: Option<u64>,
    /// Objects updated.
    pub updated: Option<u64>,
    /// Objects deleted.
    pub deleted: Option<u64>,
    /// Objects in the archive that look written during the run: a lower bound.
    pub changed_seen: Option<u64>,
    /// The counts differ from the objects listed, and no writer explains it.
    pub count_mismatch: bool,
    /// Objects that at least one replica holds, if these are not the ones counted: replicas differ, and the archive
    /// holds what one of them listed.
    pub on_any_replica: Option<u64>,
    /// Objects that were counted before the backup, and neither came into the archive nor were there when it was read to its
    /// end; at least so many.
    pub vanished: Option<u64>,
}

/// Tenants that came or went while a collection was read. Since format 1.1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TenantsChanged {
    /// Tenants that came; they were read too.
    pub added: Vec<String>,
    /// Tenants that went. One that was read to its end before is in the archive.
    pub deleted: Vec<String>,
}

impl TenantsChanged {
    /// Whether none did.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.deleted.is_empty()
    }
}

/// How the replicas of a collection compare. Since format 1.1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaRecord {
    /// Objects whose replicas were compared before they were read, those that were read twice included. 0: every object is
    /// what one replica listed.
    pub compared: u64,
    /// Objects that were older on the replica that was read; the server repaired them before they were read.
    pub repaired: u64,
    /// Objects whose replicas went on to differ: what is in here is what one of them listed.
    pub differing: u64,
    /// The number of objects moved while it was asked of all replicas, so it could not be compared.
    pub counts_moved: bool,
    /// Why replicas, or some of them, could not be compared.
    pub reason: Option<String>,
}

/// What only the operation knows about a collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CollectionFacts {
    /// What the server counted.
    pub counts: Counts,
    /// What is known about writes during the run.
    pub consistency: Consistency,
    /// Tenants that came or went.
    pub tenants_changed: TenantsChanged,
    /// How its replicas compare.
    pub replica_check: Option<ReplicaRecord>,
    /// What of its objects was wanted; `None`: all.
    pub selection: Option<SelectionEntry>,
}

/// One collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionEntry {
    /// Its real name.
    pub name: String,
    /// Its folder below `collections/`.
    pub folder: String,
    /// Whether it has tenants.
    pub multi_tenant: bool,
    /// Replicas of each shard on the source.
    pub replicas: u32,
    /// What was kept.
    pub content: Content,
    /// Objects.
    pub objects: u64,
    /// Plain bytes of their lines.
    pub bytes: u64,
    /// The content digest; null if only the schema was kept.
    pub digest: Option<Hash>,
    /// Tenants in byte order; one with a null name in a plain collection; none if only the schema was kept.
    pub tenants: Vec<TenantEntry>,
    /// Vectors by name with their dimensions, as the first object that has one shows them.
    pub vectors: BTreeMap<String, u64>,
    /// Vectors that objects of one tenant have in several lengths; absent if there are none. Since format 1.1.
    pub vector_lengths: Vec<VectorLengthsEntry>,
    /// The names that its shards had on the source, sorted: a collection that has none of them is another one. Absent where
    /// they are not known, and where it has tenants. Since format 1.1.
    pub shards: Vec<String>,
    /// Parts in order of their numbers.
    pub parts: Vec<PartEntry>,
    /// What the server counted.
    pub counts: Counts,
    /// What is known about writes during the run.
    pub consistency: Consistency,
    /// The schema grew during the run; `schema.before.json` is the earlier one.
    pub schema_changed: bool,
    /// Tenants that came or went during the run; absent if none did.
    pub tenants_changed: TenantsChanged,
    /// How its replicas compare; absent where there is one.
    pub replica_check: Option<ReplicaRecord>,
    /// What of its objects was wanted; absent where all were. Since format 1.3.
    pub selection: Option<SelectionEntry>,
}

impl CollectionEntry {
    /// Whether objects are in here that the server did not count.
    #[must_use]
    pub fn is_uncounted(&self) -> bool {
        let is_limited = self.selection.as_ref().is_some_and(|selection| selection.until.is_some());
        self.content != Content::SchemaOnly && self.counts.after.is_none() && !is_limited
    }

    /// Whether a collection with these shards is another one: recreated under the name since, or of another server. Nobody
    /// can tell where the shards of either are not known. One in common is enough: right after a creation not every node
    /// may have known of all.
    #[must_use]
    pub fn is_of_other_shards(&self, shards: &[String]) -> bool {
        !shards.is_empty() && !self.shards.is_empty() && !self.shards.iter().any(|shard| shards.contains(shard))
    }

    /// Whether the replicas of some objects went on to differ.
    #[must_use]
    pub fn replicas_differ(&self) -> bool {
        self.consistency.on_any_replica.is_some()
            || self.replica_check.as_ref().is_some_and(|found| found.differing > 0)
    }
}

/// What can never be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Creation and update times: a restore sets them anew.
    CreationTimes,
    /// Keys of users.
    ApiKeys,
    /// Values of `blobHash` properties.
    BlobHash,
    /// Integers the server prints but will not take back.
    Integers,
    /// The age of objects that expire: it counts anew from a restore. Since format 1.1.
    ObjectTtl,
    /// What the compression of an index learnt: a restore trains it anew. Since format 1.1.
    Compression,
    /// That shards take no writes: a restore makes them ready. Since format 1.1.
    ReadOnly,
    /// Aliases: the key could not see all there may be. Since format 1.1.
    Aliases,
    /// Roles: the key could not see all there may be. Since format 1.1.
    Roles,
    /// Named vectors that the server was dropping: left out of every object, and named. Since format 1.1.
    DroppedVectors,
    /// Other collections: all were wanted, and the key could not see all there may be. Since format 1.1.
    Collections,
    /// Something a newer version knows.
    Other,
}

/// A limit of what can be kept, where it was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Which one.
    pub kind: LimitKind,
    /// In which collection; null for all.
    pub collection: Option<String>,
    /// In which properties.
    pub properties: Vec<String>,
    /// Objects it was met in; null if not counted.
    pub objects: Option<u64>,
    /// The first of them.
    pub first_ids: Vec<String>,
}

impl Limit {
    /// A limit of a collection, or of all, met in objects that are not counted.
    #[must_use]
    pub fn of(kind: LimitKind, collection: Option<String>) -> Self {
        Self { kind, collection, properties: Vec::new(), objects: None, first_ids: Vec::new() }
    }
}

/// Objects that exist but are not in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The collection.
    pub collection: String,
    /// The tenant, if only that one.
    pub tenant: Option<String>,
    /// Why.
    pub reason: SkipReason,
}

/// An object that is in here without a vector the server cannot print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The collection.
    pub collection: String,
    /// The tenant, in a multi-tenant collection.
    pub tenant: Option<String>,
    /// The object's id.
    pub id: String,
}

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its path in the archive, `/` between names.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
}

/// The whole of it. `self_sha256` is not a member here: it is made and checked with the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The format version.
    pub format: Format,
    /// What wrote it.
    pub tool: Tool,
    /// The run that wrote it (a UUID).
    pub run_id: String,
    /// Where the objects came from.
    pub source: Source,
    /// When the run started, UTC.
    pub started: Timestamp,
    /// When the manifest was written, UTC.
    pub sealed: Timestamp,
    /// The run's options, as the operation names them.
    pub options: Map<String, Value>,
    /// The parts' compression.
    pub codec: Codec,
    /// The collections, in the order of the plan.
    pub collections: Vec<CollectionEntry>,
    /// What can never be kept.
    pub limits: Vec<Limit>,
    /// What exists but is not in here.
    pub skipped: Vec<Skipped>,
    /// Objects kept without a vector the server cannot print.
    pub incomplete: Vec<Incomplete>,
    /// Every file but the manifest, sorted by path.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Whether it holds a part of the objects on purpose, of any of its collections.
    #[must_use]
    pub fn is_selection(&self) -> bool {
        self.collections.iter().any(|entry| entry.selection.is_some())
    }

    /// The entry of a file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&FileEntry> {
        self.files.binary_search_by(|f| f.path.as_str().cmp(path)).ok().map(|at| &self.files[at])
    }
}

/// `SHA256SUMS`, as `sha256sum -c` reads it: every file but itself.
pub(super) fn sums<'a>(files: impl IntoIterator<Item = &'a FileEntry>) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{}  {}", file.sha256, file.path);
    }
    text
}
