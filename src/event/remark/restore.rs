//! What is to be known about a collection that is restored, before and after.
#![expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]

use serde::Serialize;

use crate::model::{KeyChange, ObjectId, Subset, TenantName};

/// A fact about a collection that is restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RestoreRemark {
    /// It becomes a tenant of a collection with tenants.
    BecomesTenant { tenant: TenantName },
    /// A tenant of it becomes a plain collection.
    BecomesPlain { tenant: TenantName },
    /// Its tenants are added to the collection that is there.
    TenantsToAdd,
    /// Its tenants were added to the collection that was there.
    TenantsAdded,
    /// Properties that the collection lacks are added to it.
    PropertiesToAdd { properties: Vec<String> },
    /// Properties that the collection lacked were added to it.
    PropertiesAdded { properties: Vec<String> },
    /// Which of two objects is newer is told by their update times, which a restore sets anew.
    NewerByTimes,
    /// Objects that are replaced are kept before, in an archive below this folder.
    ReplacedToKeep { objects: u64, folder: String },
    /// Objects that were replaced were kept before, in this archive.
    ReplacedKept { objects: u64, archive: String },
    /// Earlier attempts of the run kept in these archives what they replaced.
    ReplacedBefore { archives: Vec<String> },
    /// Objects were there with another content, and stay.
    ConflictsKept { objects: u64 },
    /// Objects were to be written, and were not: somebody wrote there since the plan.
    MovedMeanwhile { objects: u64 },
    /// The longest time in which what somebody wrote was overwritten unseen.
    WriteWindow { ms: u64 },
    /// Objects that were written are not what was sent any more: somebody wrote there since.
    ChangedSince { objects: u64 },
    /// Tenants are inactive in the end, as none is created in the state that the archive gives.
    TenantsRestated { tenants: u64, first: TenantName, state: String },
    /// Tenants that are not in the archive are not created.
    TenantsLeftOut { tenants: u64, first: TenantName },
    /// Tenants are not in the state of the archive.
    TenantsOtherwise { tenants: u64, first: TenantName },
    /// Tenants were removed by somebody.
    TenantsRemoved { tenants: u64, first: TenantName },
    /// The archive spells its name as no server does.
    NameUnfit { name: String },
    /// Values that no server takes back are left out.
    BlobHashesLeftOut { properties: Vec<String> },
    /// Integers that no server takes become the nearest ones that it does.
    IntegersClamped,
    /// Vectors are left out; `made`: the server makes new ones.
    VectorsLeftOut { made: bool },
    /// The archive holds no vectors; `made`: the server makes new ones.
    VectorsNotArchived { made: bool },
    /// Objects get vectors made by the server.
    VectorsMade { objects: u64 },
    /// The server makes the vectors of those of the objects referred to.
    VectorsByReference,
    /// Objects referred to are not in the archive: vectors made of them are lost.
    ReferredGone { objects: u64, collection: String, first: ObjectId },
    /// Vectors come in several lengths: those of `vector`, most objects first, and `more_lengths` not listed.
    VectorLengths {
        vector: String,
        lengths: Vec<(u64, u64)>,
        more_lengths: u64,
        tenant: Option<TenantName>,
        more: u64,
        odd: u64,
    },
    /// So many of its objects in the archive are restored.
    Selected { selection: Subset, objects: u64, of: u64 },
    /// The archive holds so many of the objects that there were.
    SelectionArchived { selection: Subset, objects: u64, of: u64 },
    /// The archive holds its schema alone.
    SchemaArchived,
    /// A setting says where a module sends what it is given.
    LeadsOn { key: String, to: String },
    /// Settings that were asked for, and a class document if one was, do not change what is there.
    SettingsNotApplied { settings: Vec<String>, file: bool },
    /// Vectorisers were left out of its settings on demand.
    VectorizersLeftOut { modules: Vec<String> },
    /// That objects expire was left out of its settings on demand.
    ExpiryLeftOut,
    /// Objects expire, and their age counts anew.
    AgeCountsAnew,
    /// Objects expire by a property, which keeps its value.
    ExpiresBy { property: String },
    /// Objects have expired before they are written.
    ExpiredAlready { objects: u64 },
    /// Objects expired while they were restored.
    ExpiredMeanwhile,
    /// Compressions have to be trained anew.
    ToTrain { kinds: Vec<String> },
    /// Compressions are on and trained; `unseen`: tenants of which it is not known.
    Trained { kinds: Vec<String>, unseen: u64 },
    /// Compressions are on, and these shards are not compressed.
    Untrained { kinds: Vec<String>, shards: u64, of: u64, why: Untrained, unseen: u64 },
    /// Compressions are on, and the key may not start their training.
    TrainingForbidden { kinds: Vec<String> },
    /// Compressions are on, and whether anything is compressed is not known.
    TrainingUnknown { kinds: Vec<String>, error: String },
    /// The same, and their training was not started.
    TrainingUnstarted { kinds: Vec<String>, error: String },
    /// The same, as no shard is open.
    NoShardOpen { kinds: Vec<String> },
    /// The archive holds no roles.
    NoRolesArchived,
    /// The archive may lack aliases.
    AliasesMayBeMissing,
    /// The archive may lack roles.
    RolesMayBeMissing,
    /// References were written after their objects.
    ReferencesAfter { references: u64 },
    /// Rejected objects are there, but for what was refused of them.
    RejectedYetThere { objects: u64 },
    /// Objects were refused for the length of a vector, and are stored and equal.
    LengthRefusedYetStored { objects: u64 },
    /// Objects were refused, and are stored and equal.
    RefusedYetStored { objects: u64 },
    /// The server did not say whether it stored objects, and they are there and equal.
    UnsaidYetStored { objects: u64 },
    /// An earlier run restored it: nothing was sent, and nothing compared.
    RestoredBefore,
    /// The server counts another number than was written.
    WrittenOtherwise { written: u64, counted: u64 },
    /// What was written was neither counted nor compared.
    Unproven { reason: String },
    /// The server added to the schema while objects were written.
    SchemaGrew { changes: Vec<KeyChange>, more: usize },
}

/// Why a compression is not trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Untrained {
    /// It needs so many objects in a shard.
    TooFewObjects { needed: u64, largest: u64 },
    /// It was asked for and is not over.
    NotOver { seconds: u64 },
}
