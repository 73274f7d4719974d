//! What is to be known about a collection that is emptied, before and after.
#![expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]

use serde::Serialize;

use super::Remark;
use crate::model::KeyChange;

/// A fact about a collection that is emptied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClearRemark {
    /// Offloaded tenants will be inactive.
    OffloadedToInactive { tenants: u64 },
    /// Offloaded tenants are inactive now.
    OffloadedInactive { tenants: u64 },
    /// What compressions have learned goes, and is learned again from new objects.
    TrainingToGo,
    /// Read-only shards take writes again.
    ShardsToOpen { shards: Vec<String> },
    /// Objects that somebody wrote meanwhile went into a collection created by auto-schema, and are gone with it.
    AutoSchemaDropped { objects: u64 },
    /// It is not what it was.
    NotWhatItWas { differences: Vec<KeyChange> },
    /// Something of it is not as before.
    NotAsBefore { loss: Box<Remark> },
    /// Objects are there.
    NotEmpty { objects: u64, why: WhyLeft },
    /// Whether it is empty could not be asked.
    MayNotBeEmpty { reason: String },
    /// Objects could not be deleted.
    NotDeleted { objects: u64, reason: Option<String> },
    /// Objects were not deleted, as they are newer than what was to go.
    NewerStay { objects: u64, than: NewerThan },
    /// Objects were not deleted, as the backup holds another version of them, that of another replica.
    OtherVersionsStay { objects: u64 },
    /// One replica was listed, which could not be compared with the others.
    DeletedByOneReplica { reason: String },
    /// More was deleted than there should have been.
    MoreDeleted { objects: u64, than: MoreThan },
}

/// Why objects are there still, or again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyLeft {
    /// They came since it was recreated.
    SinceRecreated,
    /// They came since its tenants were recreated.
    SinceTenantsRecreated,
    /// Other replicas hold them than the one that was asked.
    ReplicasDiffer,
    /// It is still being written to, or they cannot be deleted.
    StillWritten,
}

/// What objects that stay are newer than.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NewerThan {
    /// The first look at the collection.
    TheLook,
    /// The count.
    TheCount { objects: u64 },
    /// The number that somebody confirmed.
    TheConfirmation { objects: u64 },
    /// The comparison with the backup.
    TheComparison,
}

/// What there should have been at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MoreThan {
    /// What there was when it was planned.
    Planned,
    /// What was confirmed.
    Confirmed,
    /// What the backup holds.
    BackedUp,
}
