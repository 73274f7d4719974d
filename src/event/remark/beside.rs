//! What becomes, and what became, of aliases and roles.
#![expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]

use serde::Serialize;

use crate::model::CollectionName;

/// A fact about an alias. `target`: the restored collection; `lacks`: the permission that the key is known to lack for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AliasRemark {
    /// It will be created.
    AliasToCreate { alias: CollectionName, target: CollectionName, lacks: Option<&'static str> },
    /// It stands for another collection, and will be moved.
    AliasToMove { alias: CollectionName, was: CollectionName, target: CollectionName, lacks: Option<&'static str> },
    /// It stands for another collection, and will not be moved.
    AliasToKeep { alias: CollectionName, of: CollectionName, target: CollectionName },
    /// It stands for the collection already.
    AliasThere { alias: CollectionName, target: CollectionName },
    /// It is there, and the key may not see what it stands for: it stays as it is.
    AliasHidden { alias: CollectionName, target: CollectionName },
    /// The server has no aliases.
    NoAliases { alias: CollectionName, server: String },
    /// It stands for the restored collection, and no longer for `was`.
    AliasSet { alias: CollectionName, was: Option<CollectionName> },
    /// The server took it, and the key may not see what it stands for.
    AliasUnseen { alias: CollectionName },
    /// It could not be set.
    AliasNotSet { alias: CollectionName, error: String },
    /// What it stands for is not known.
    AliasUnknown { alias: CollectionName, error: String },
    /// It stands for something else, whatever the server answered.
    AliasOtherwise { alias: CollectionName },
    /// It was to stay with another collection, and did.
    AliasStays { alias: CollectionName, of: CollectionName },
    /// Somebody moved it since the plan.
    AliasMovedSince { alias: CollectionName, of: CollectionName },
    /// It is gone since the plan.
    AliasGoneSince { alias: CollectionName, was: CollectionName },
    /// The key may not see it any more.
    AliasHiddenSince { alias: CollectionName, was: CollectionName },
    /// It was not moved, as not everything was restored as it was.
    AliasNotMoved { alias: CollectionName, was: CollectionName },
}

/// A fact about a role. `lacks`: the permission that the key is known to lack for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RoleRemark {
    /// It will be created; `follows`: with collections under their new names.
    RoleToCreate { role: String, follows: bool, lacks: Option<&'static str> },
    /// The same, unless it is there, which the key may not see.
    RoleToCreateUnseen { role: String, follows: bool, lacks: Option<&'static str> },
    /// It is there already.
    RoleThere { role: String },
    /// It is there with other permissions, and stays as it is.
    RoleDiffers { role: String },
    /// It was created.
    RoleCreated { role: String },
    /// The server took it, and the key may not see it.
    RoleUnseen { role: String },
    /// It is there, the key may not see it, and it stays as it is.
    RoleStays { role: String },
    /// Whether it is there is not known.
    RoleUnknown { role: String, error: String },
    /// It could not be created.
    RoleNotCreated { role: String, error: String },
    /// It is not there as it was, whatever the server answered.
    RoleOtherwise { role: String },
}
