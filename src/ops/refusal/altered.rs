//! Why a collection is not what an earlier run left.

use serde::Serialize;

use crate::model::{KeyChange, TenantName};

/// What is wrong with a collection that an earlier run made, or was about to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Altered {
    #[error("it is gone")]
    Gone,
    #[error("it is another one: {}", KeyChange::listed(differences))]
    AnotherOne { differences: Vec<KeyChange> },
    #[error("{}", KeyChange::listed(differences))]
    Changed { differences: Vec<KeyChange> },
    #[error("it has tenants, which no run made ({first} first)")]
    HasTenants { first: TenantName },
    #[error("it holds objects, which no run wrote: {objects}")]
    HoldsObjects { objects: u64 },
    #[error("whether it is empty cannot be asked: {reason}")]
    MayHoldObjects { reason: String },
    #[error("it was removed and made again by somebody else (its shards are others)")]
    OtherShards,
    #[error("its objects were not created while that run wrote, but by somebody else")]
    OtherObjects,
    #[error("the objects of its tenant {tenant} were not created while that run wrote, but by somebody else")]
    OtherTenant { tenant: TenantName },
}
