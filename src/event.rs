//! What a run says while it works: numbers and names, no prose, one event per page or part. These types are the
//! interface of `--json` (docs/events.md). No event but `ObjectRejected` and `ObjectDiffers` carries an object's id.
//! The result of a run is its return value; with nobody listening nothing changes.

mod backlog;
mod class;
mod handle;
mod op;
mod planned;
mod remark;
mod result;
mod skipped;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{CollectionName, KeyChange, ObjectId, TenantName};

pub use backlog::{Backlog, MOST_WAITING};
pub use class::Class;
pub use handle::{EventReceiver, Events};
pub use op::{Compares, Counted, Op, OpFacts, Sides};
pub use planned::{
    Covers, PlannedCollection, PlannedCopy, PlannedMerge, PlannedRefusal, PlannedRestore, PlannedThere, RestorePlanned,
};
pub use remark::{
    AliasRemark, ClearRemark, ComparisonRemark, CreationRemark, Loss, MoreThan, NewerThan, OutOfReach, Remark,
    RestoreRemark, RoleRemark, SchemaDifference, SettingRemark, Untrained, WhyLeft,
};
pub use result::{CollectionResult, MergeResult, RateLimit, RunResult, SavedSchema};
pub use skipped::{ActivationRefusal, NotKeptReason, SkipReason};

/// How a run ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Done and proven (exit 0).
    Ok,
    /// Ran to its end, but objects are missing, skipped or different (exit 3).
    Incomplete,
    /// Not started: refused or not confirmed (exit 2 and 4).
    Refused,
    /// Stopped by an error.
    Failed,
    /// Stopped by a signal, can be resumed (exit 130).
    Interrupted,
}

/// How an object on the server differs from the one in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// Only the left side has it: in a verify the archive.
    OnlyLeft,
    /// Only the right side has it: in a verify the server.
    OnlyRight,
    /// Both have it, with different content.
    Different,
}

/// One place where an object differs. The values are JSON texts, cut at 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDiff {
    /// Where: `properties.title`, `properties.address.city`, `vectors.default[17]`.
    pub field: String,
    /// What the left side holds, in a verify the archive; `None` if nothing.
    pub left: Option<String>,
    /// What the right side holds, in a verify the server; `None` if nothing.
    pub right: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Event {
    /// A run begins.
    RunStarted {
        op: Op,
        /// Whether it only shows what would be done.
        dry_run: bool,
        version: &'static str,
    },
    /// What will be done is known.
    PlanMade {
        /// The collections in order, with the objects expected in each (`None`: not known).
        collections: Vec<PlannedCollection>,
    },
    /// What a restore would do is known, before `PlanMade`.
    RestorePlanned(RestorePlanned),
    /// A collection begins.
    CollectionStarted {
        collection: CollectionName,
        /// Objects expected, where known.
        objects: Option<u64>,
    },
    /// Objects of a collection were dealt with by an earlier part of this run, and are not sent or read again.
    Resumed {
        /// The collection, by its name on the server.
        collection: CollectionName,
        objects: u64,
        /// Their plain bytes, line ends included.
        bytes: u64,
    },
    /// A tenant begins.
    TenantStarted { collection: CollectionName, tenant: TenantName },
    /// A page was read from the server, or a stretch of a part from an archive.
    PageScanned {
        collection: CollectionName,
        tenant: Option<TenantName>,
        /// Objects on the page.
        objects: u64,
        /// Plain bytes of those objects.
        bytes: u64,
    },
    /// Pages read earlier are in doubt and will be read again: they no longer count.
    PagesDropped {
        collection: CollectionName,
        /// Objects that no longer count.
        objects: u64,
        /// Their plain bytes.
        bytes: u64,
    },
    /// A part is durable.
    PartSealed {
        collection: CollectionName,
        /// The file's name inside the collection's folder.
        part: Arc<str>,
        /// Objects in it.
        objects: u64,
        /// Bytes before compression.
        bytes: u64,
        /// Bytes on disk.
        stored_bytes: u64,
    },
    /// A request failed and is sent again.
    Retrying {
        /// What was asked, without host, query and ids.
        route: Arc<str>,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Milliseconds until the next one.
        wait_ms: u64,
        reason: String,
    },
    /// The pacer changed its mind.
    PaceChanged {
        collection: CollectionName,
        /// Objects asked for in one page.
        page_objects: u64,
        /// Requests in flight.
        in_flight: u64,
    },
    /// Whether the server is whole has changed.
    TopologyChanged {
        collection: CollectionName,
        /// Whether every shard answers now.
        whole: bool,
        /// What is wrong, in few words; empty if whole.
        reason: String,
    },
    /// The journal knows about everything sealed so far.
    CheckpointSaved {
        collection: CollectionName,
        /// Objects that a resumed run would not read again.
        objects: u64,
    },
    /// A collection is about to be created.
    Creating {
        /// The collection, by its name in the end.
        collection: CollectionName,
        /// Which one it is of those to be created, from 1.
        nth: u64,
        /// How many there are.
        of: u64,
        /// It is created under a scratch name, to see whether the server takes it, and removed again.
        rehearsal: bool,
    },
    /// A collection is done.
    CollectionFinished(CollectionResult),
    /// Something was proven about an archive.
    Verified {
        collection: CollectionName,
        /// Objects compared; of a check of an archive, those in parts that were proven.
        objects: u64,
        /// Whether everything agreed.
        ok: bool,
    },
    /// The target refused an object.
    ObjectRejected {
        collection: CollectionName,
        tenant: Option<TenantName>,
        id: ObjectId,
        /// The server's words, cut at 500 characters.
        reason: String,
    },
    /// A batch was written; every object of it was judged.
    BatchImported {
        /// The collection, by its name on the server.
        collection: CollectionName,
        tenant: Option<TenantName>,
        /// Objects dealt with, the rejected ones included.
        objects: u64,
        /// Plain bytes of those objects in the archive.
        bytes: u64,
        /// Objects the target refused for good.
        rejected: u64,
    },
    /// Objects were deleted, or were in what was dropped.
    ObjectsDeleted {
        collection: CollectionName,
        /// The tenant, where its objects were deleted alone.
        tenant: Option<TenantName>,
        objects: u64,
    },
    /// An object differs between archive and server.
    ObjectDiffers {
        /// The collection, by its name on the server.
        collection: CollectionName,
        tenant: Option<TenantName>,
        id: ObjectId,
        /// How.
        kind: Difference,
        /// What differs, if both sides have the object.
        fields: Vec<FieldDiff>,
    },
    /// Something a person should know that stops nothing.
    Warning(Warning),
    /// The run is over; always the last event.
    RunFinished(RunResult),
}

/// Something a person should know that stops nothing, as data; the words are made by `render`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "warning", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Warning {
    /// The key crosses the network in the clear.
    KeyOverHttp { host: String },
    /// Everybody on this machine may read a file with a secret in it.
    SecretReadableByAll { path: String },
    /// Everybody on this machine may write to a file or a folder that is trusted.
    WritableByAll {
        /// The file or folder.
        path: String,
    },
    /// Whether the server is whole could not be asked.
    TopologyUnchecked { reason: String },
    /// Nodes are missing, as was allowed: what the others hold is read.
    NodesMissing { nodes: Vec<String> },
    /// The number of objects could not be asked.
    CountUnchecked { collection: CollectionName, reason: String },
    /// Something that an interrupted run had written is not kept; what it held is read again.
    NotKept {
        /// The file, by its path in the archive.
        file: String,
        reason: NotKeptReason,
    },
    /// No interrupted run fits the one that is wanted: it begins anew.
    NothingToResume {
        /// The folder that was searched.
        folder: String,
    },
    /// The backup that was to be resumed is sealed: nothing was read of it or of the server.
    SealedAlready {
        archive: String,
        /// When it was sealed.
        sealed: Timestamp,
    },
    /// The server works on a collection in the background; until that is done it refuses to delete it, or tenants of it.
    TaskRuns {
        collection: CollectionName,
        /// What runs, in the server's word, such as `reindex`.
        task: String,
    },
    /// Replicas of a collection are being moved between nodes: until that is over, the server deactivates none of the tenants
    /// whose replicas they are.
    ReplicasMove {
        collection: CollectionName,
        /// Replicas on their way.
        moves: u64,
    },
    /// Tenants stay active for a while: the server moves replicas of theirs. It is asked again until they are inactive.
    MovesAwaited {
        collection: CollectionName,
        /// Tenants that are still active.
        tenants: u64,
    },
    /// A collection is left out: it was removed, or recreated, while the backup ran.
    CollectionSkipped { collection: CollectionName, reason: SkipReason },
    /// Tenants are left out: they cannot be read.
    TenantsSkipped { collection: CollectionName, tenants: u64, first: TenantName, reason: SkipReason },
    /// Tenants came or went while a collection was read. Those that came were read too.
    TenantsChanged {
        collection: CollectionName,
        /// How many came.
        added: u64,
        /// How many went.
        deleted: u64,
        first: TenantName,
    },
    /// Tenants that were activated could not be deactivated.
    TenantsStayActive {
        collection: CollectionName,
        tenants: u64,
        first: TenantName,
        reason: String,
        /// Whether it is written down, so that the next backup or comparison of the collection puts them back.
        noted: bool,
    },
    /// Tenants that a killed run left active: they are deactivated.
    TenantsLeftActive { collection: CollectionName, tenants: u64, first: TenantName },
    /// Tenants of the names of some that a killed run left active are active, and may be others by now: recreated, written to,
    /// or on another server behind the URL. They stay as they are, and nothing more is said of them.
    TenantsNotKnownAgain { collection: CollectionName, tenants: u64, first: TenantName },
    /// An object was saved without its vectors, since the server cannot print them.
    VectorUnprintable { collection: CollectionName },
    /// Vectors of a collection are being dropped by the server, which takes them out of one object after the other. They are
    /// left out of the archive.
    VectorsDropped { collection: CollectionName, vectors: Vec<String> },
    /// One object is larger than the memory limit and was fetched alone.
    ObjectBeyondLimit {
        collection: CollectionName,
        /// Its size in bytes.
        bytes: u64,
    },
    /// Counts before, listed and after do not agree, and no writer explains it.
    CountMismatch {
        collection: CollectionName,
        /// Objects listed.
        listed: u64,
        /// Objects counted.
        counted: u64,
    },
    /// A backup was to keep a part of the objects, and none of a collection is of it.
    NothingSelected {
        collection: CollectionName,
        /// Objects that were read.
        objects: u64,
    },
    /// Objects were deleted while a backup ran, before they were read.
    ObjectsVanished {
        collection: CollectionName,
        /// At least so many.
        objects: u64,
    },
    /// A restore wrote another number of objects than the server counts afterwards.
    WrittenMismatch {
        collection: CollectionName,
        /// Objects the server said it stored.
        written: u64,
        /// Objects counted.
        counted: u64,
    },
    /// The server refused objects that it had stored all the same, equal to the archive's; its indexes may lack them.
    RefusedYetStored {
        collection: CollectionName,
        /// Its words about the first of them.
        reason: String,
    },
    /// Objects that were restored have expired (objectTtlConfig): the server removes them, or has.
    ObjectsExpired {
        collection: CollectionName,
        /// Objects that had expired before they were written; others did since.
        objects: u64,
    },
    /// Replicas of a collection hold different objects; one of them was read.
    ReplicasDiffer {
        collection: CollectionName,
        /// Objects counted.
        counted: u64,
        /// Objects that at least one replica holds.
        on_any_replica: u64,
    },
    /// Objects were older on the replica that was read than on others. The server repaired them before they were read.
    ReplicaOlder { collection: CollectionName, objects: u64 },
    /// Replicas of some objects hold different versions, also after the server compared them several times.
    ReplicasDisagree {
        collection: CollectionName,
        /// How many objects.
        objects: u64,
    },
    /// Replicas could not be compared: what was read is what one of them listed.
    ReplicasUncompared { collection: CollectionName, reason: String },
    /// The server's schema of a collection gained something during the import, guessed from what was written.
    SchemaGrew {
        /// The collection, by its name on the server.
        collection: CollectionName,
        /// What was added or changed: the first keys.
        changes: Vec<KeyChange>,
        /// How many there are beyond.
        more: usize,
    },
    /// Too many objects are missing to ask for each of them once more.
    MissingUnasked {
        /// The collection, by its name on the server.
        collection: CollectionName,
        /// Objects that were not asked for.
        objects: u64,
    },
    /// The server takes no writes at the moment; they are tried again.
    WritesRefused {
        /// The collection, by its name on the server.
        collection: CollectionName,
        reason: String,
    },
    /// Nothing of what an unfinished run wrote into a collection is trusted any more: all of it is sent again.
    SentAgain {
        /// The collection, by its name on the server.
        collection: CollectionName,
        /// Objects that were written down as there.
        objects: u64,
        reason: String,
    },
    /// Objects of an archive with members that no known server has; these members are not sent.
    MembersNotSent {
        /// The collection, as the archive calls it.
        collection: CollectionName,
        objects: u64,
        /// The name of one such member, as printed.
        first: String,
    },
    /// A name that was typed is no collection's, and was taken for this one.
    NameTaken {
        typed: String,
        collection: CollectionName,
        /// It is an alias of the collection; otherwise its first letter is of another case.
        is_alias: bool,
    },
    /// A role that is to be made allows what is to be looked at twice.
    RoleAllows {
        role: String,
        /// Each permission: action, what it is on, and why it is to be looked at, if it is.
        permissions: Vec<String>,
    },
    /// A scratch collection that a rehearsal created could not be removed: the next run on this server does it.
    ScratchStays { collection: CollectionName, reason: String },
    /// It was not tried out whether the server makes what is to be made: the key may not do so under another name.
    NotRehearsed { lacks: String },
    /// A collection that a refused restore had created, and that stays.
    CreatedStays { collection: CollectionName, reason: String },
    /// Objects were written to a scratch collection that an earlier run left: it is not removed, and a person has to see to it.
    ScratchInUse {
        collection: CollectionName,
        /// Objects in it.
        objects: u64,
    },
    /// A scratch collection that an earlier run left was removed.
    ScratchRemoved { collection: CollectionName },
    /// Aliases of an archive whose names are none that a server takes: a restore refuses them.
    AliasesUnfit { aliases: u64, first: String },
    /// A file that is no part of an archive, but does not harm it.
    StrayFile {
        /// Its path in the archive.
        path: String,
    },
}
