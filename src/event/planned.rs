//! What a plan says of each collection, as events and `--json` show it (docs/events.md).

use jiff::Timestamp;
use serde::Serialize;

use super::{AliasRemark, Remark, RoleRemark, SchemaDifference};
use crate::model::{CollectionName, Subset, TenantName};

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
    /// Nothing: it is of another collection of that name. None of its shards is one of those on the server, which is
    /// another one by now, or where the collection was recreated.
    OtherCollection,
    /// Objects without their vectors.
    NoVectors,
    /// Only those objects, or properties of them, that were selected when it was made.
    Selection,
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

/// What a restore would do and what stands against it, whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RestorePlanned {
    /// The archive's directory.
    pub archive: String,
    /// When its backup began, UTC.
    pub started: Timestamp,
    /// When it was sealed, UTC.
    pub sealed: Timestamp,
    /// Seconds that the backup took for what is restored, by its share of the bytes; `None` if that is nothing.
    pub backup_seconds: Option<f64>,
    /// Its collections that are chosen, in the order they are restored.
    pub collections: Vec<PlannedRestore>,
    /// What becomes of aliases.
    pub aliases: Vec<AliasRemark>,
    /// What becomes of roles.
    pub roles: Vec<RoleRemark>,
    /// What stands against it; if there is anything here, nothing is sent.
    pub refusals: Vec<PlannedRefusal>,
}

/// What a restore does with one collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedRestore {
    /// Its name on the server.
    pub name: CollectionName,
    /// Its name in the archive.
    pub archived: CollectionName,
    /// What the archive kept of it: `full`, `no_vectors` or `schema`.
    pub content: &'static str,
    /// What is done: `create`, `add_tenants`, `merge`, `resume`, or `refuse` where something stands against it.
    pub action: &'static str,
    /// Objects that are written.
    pub objects: u64,
    /// Their plain bytes in the archive.
    pub bytes: u64,
    /// Tenants that are made.
    pub tenants: u64,
    /// Those of them that are inactive in the end.
    pub inactive_tenants: u64,
    /// What will be different from the source.
    pub differs: Vec<Remark>,
    /// Objects that the server makes vectors for.
    pub to_vectorise: u64,
    /// Objects with an integer that the server refuses.
    pub refused_integers: u64,
    /// Whether its objects were read for the plan: otherwise the two numbers before are not known.
    pub objects_read: bool,
    /// What stands on the server in its place; null if nothing does.
    pub there: Option<PlannedThere>,
    /// How its objects meet those that are there; absent if it is not merged, or they were not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<PlannedMerge>,
}

/// How the objects of an archive meet those of a collection that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlannedMerge {
    /// Objects that the server lacks: they are added.
    pub new: u64,
    /// Objects that are there with the same content: nothing is sent.
    pub equal: u64,
    /// Objects that are there with another content.
    pub different: u64,
    /// Those of them that are replaced; the others stay as they are.
    pub replaced: u64,
    /// Objects of the server that the archive lacks: they stay as they are.
    pub only_on_server: u64,
}

/// What stands on the server where a collection is to be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedThere {
    /// Its name, as the server spells it.
    pub name: CollectionName,
    /// Its objects, with tenants those of the active ones; `None` if they are not counted.
    pub objects: Option<u64>,
    /// Its tenants; `None` if it has none by its nature, or they are not known.
    pub tenants: Option<u64>,
    /// Those of them that are not active: their objects are not counted.
    pub inactive_tenants: Option<u64>,
    /// How its schema differs from the archive's; empty if it does not.
    pub schema_differs: Vec<SchemaDifference>,
    /// Aliases that stand for it.
    pub aliases: Vec<String>,
    /// Whether more may stand for it, which the key may not see.
    pub aliases_unseen: bool,
}

/// Something that stands against a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedRefusal {
    /// The same in words.
    pub text: String,
    /// `kind` and what belongs to it.
    #[serde(flatten)]
    pub facts: serde_json::Value,
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
    /// What of its objects is wanted; absent if all are. How many that are is known when they are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<Subset>,
}

impl PlannedCollection {
    /// A collection of which nothing else is known yet.
    #[must_use]
    pub fn of(name: CollectionName) -> Self {
        Self { name, objects: None, bytes: None, held_in: None, selection: None }
    }
}
