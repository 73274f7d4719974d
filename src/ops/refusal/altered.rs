//! Why a collection is not what an earlier run left.

use serde::Serialize;

use crate::model::{KeyChange, TenantName};

/// What is wrong with a collection that an earlier run made, or was about to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Altered {
    /// It is not there.
    #[error("it is gone")]
    Gone,
    /// It is another one than the run was about to make.
    #[error("it is another one: {}", KeyChange::listed(differences))]
    AnotherOne { differences: Vec<KeyChange> },
    /// It is not what the run made any more.
    #[error("{}", KeyChange::listed(differences))]
    Changed { differences: Vec<KeyChange> },
    /// It has no tenants, and the run added some.
    #[error("it has no tenants any more: somebody removed it and made another one")]
    NoTenants,
    /// It has tenants, and the run made none.
    #[error("it has tenants, which no run made ({first} first)")]
    HasTenants { first: TenantName },
    /// It holds objects, and the run wrote none.
    #[error("it holds objects, which no run wrote: {objects}")]
    HoldsObjects { objects: u64 },
    /// Whether it is empty could not be asked.
    #[error("whether it is empty cannot be asked: {reason}")]
    MayHoldObjects { reason: String },
    /// Its shards are others.
    #[error("it was removed and made again by somebody else (its shards are others)")]
    OtherShards,
    /// Its objects were not created while the run wrote.
    #[error("its objects were not created while that run wrote, but by somebody else")]
    OtherObjects,
    /// The objects of a tenant were not created while the run wrote.
    #[error("the objects of its tenant {tenant} were not created while that run wrote, but by somebody else")]
    OtherTenant { tenant: TenantName },
}
