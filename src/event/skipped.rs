//! Why something is not in an archive, or what an interrupted run had written of it is not kept.
#![expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]

use serde::Serialize;

use crate::model::TenantName;

/// Why a collection or a tenant that exists, or did, is not in an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// The collection was removed before it was read to its end.
    Removed,
    /// The collection was recreated, or its schema changed, each time it was read.
    ChangedEachTime,
    /// The collection was removed before the backup was resumed, which had read objects of it.
    RemovedSince { objects: u64 },
    /// The collection is in a namespace that is not active, but in this state. Its name begins with that of the namespace.
    IdleNamespace { state: Box<str> },
    /// The key's roles may hide tenants from it.
    TenantsHidden,
    /// The tenant is offloaded to other storage.
    Offloaded,
    /// The tenant is in a state that is not known.
    NotActive { state: Box<str> },
    /// The tenant is inactive, and somebody else deactivates it each time it is activated.
    StaysInactive,
    /// The tenant is inactive, and cannot be activated.
    NotActivated { why: ActivationRefusal },
    /// What a build before format 1.2 said of it, or a code of a later one.
    Told { words: Box<str> },
}

/// Why inactive tenants cannot be activated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActivationRefusal {
    /// The server activates none, for this cause.
    Server { cause: Box<str> },
    /// The key may activate none.
    Key,
}

/// Why something that an interrupted run had written is not kept, but read again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotKeptReason {
    /// The file was still being written.
    Unfinished,
    /// The run ended before its journal could say that the file is safe.
    NotInJournal,
    /// The journal knows the file, and it is not there, or no file.
    Missing,
    /// The file has another size than the journal says.
    OtherSize,
    /// The file is damaged.
    Damaged { error: String },
    /// The collection is another one, or its schema is.
    Changed { error: String },
    /// The collection is not there any more.
    Removed,
    /// Tenants were recreated, or rewritten, since they were read.
    TenantsChanged { tenants: usize, first: TenantName },
    /// The server does not say how many objects there are, and a node may have been away.
    Uncounted,
    /// Only the first objects are wanted, and some of those are missing in between.
    NotTheFirst,
}
