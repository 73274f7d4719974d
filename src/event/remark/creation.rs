//! What is to be known about a collection that is created from a document and a list of tenants.
#![expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]

use serde::Serialize;

/// A fact about a collection that is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CreationRemark {
    /// A property gets another name: none begins with a capital on a server.
    PropertyRenamed { property: String, now: String },
    /// A property gets the type that servers keep for it.
    PropertyRetyped { property: String, was: &'static str, now: &'static str, tokenization: String },
    /// `indexInverted` is left out, as newer settings stand beside it.
    IndexInvertedLeftOut { property: String },
    /// `indexInverted` becomes the settings that it stands for.
    IndexInvertedSplit { property: String, filterable: bool, searchable: bool },
    /// Tenants are created inactive, since none is created offloaded.
    TenantsToInactive { tenants: u64 },
    /// Tenants are not there.
    TenantsNotThere { tenants: u64, of: u64 },
    /// Tenants are in another state than was asked for.
    TenantsNotAsAsked { tenants: u64, of: u64 },
}
