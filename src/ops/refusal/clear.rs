//! What stands against emptying a collection, as data.

use super::{Lack, RestoreRefusal};
use crate::event::SettingRemark;
use crate::model::{CollectionName, TenantName, count, counted};
use crate::ops::schema::Unmakeable;
use crate::weaviate::{LastingCause, LimitOf};

/// Why a collection cannot be emptied, or not the way that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum ClearRefusal {
    /// Tenants were named, and it has none.
    #[error("{collection} has no tenants")]
    NotMultiTenant { collection: CollectionName },
    /// A tenant that it does not have.
    #[error("{collection} has no tenant {tenant}")]
    UnknownTenant { collection: CollectionName, tenant: TenantName },
    /// Tenants were named for several collections.
    #[error("tenants of {collections} collections")]
    TenantsOfMany { collections: usize },
    /// Somebody writes to it, and whoever writes to a collection that is gone has the server make up another one.
    #[error(
        "{collection} is being written to ({}, then {}): dropped now, auto-schema would create another one",
        counted(*before, "object"),
        count(*after)
    )]
    BeingWritten { collection: CollectionName, before: u64, after: u64 },
    /// The run that is resumed dropped it, and what is there by its name holds objects of somebody else. Who created it is not
    /// always known: that run may have been killed between creating it and writing so down.
    #[error(
        "{collection} was dropped by the run that is resumed; what is there now was written since, by somebody else: it holds \
         {}; to empty that too, clear it without --resume",
        objects.map_or("objects".to_owned(), |objects| counted(objects, "object"))
    )]
    BelongsToOthers {
        collection: CollectionName,
        /// Its objects, where they can be counted.
        objects: Option<u64>,
    },
    /// The key may not do it.
    #[error("the key may not {lack}")]
    NotAllowed { lack: Lack },
    /// The server would not take its schema back.
    #[error("{collection} could not be created again")]
    NotRecreated { collection: CollectionName, why: NotRepeatable },
    /// The server does not make it again: that was tried out under a scratch name.
    #[error("{collection} {}: {why}", unproven(why))]
    Unmakeable { collection: CollectionName, why: Unmakeable },
    /// Tenants would have to be removed and created again, and would have their objects again.
    #[error("{collection}: Weaviate {server} keeps what a tenant held when it is removed and created again")]
    TenantsStay { collection: CollectionName, server: String },
    /// Shards that take no deletions.
    #[error("{collection} has read-only shards: {}", shards.join(", "))]
    ReadOnly { collection: CollectionName, shards: Vec<String> },
}

/// Why a server would not take back a schema that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum NotRepeatable {
    /// It would refuse it.
    Refused(Box<RestoreRefusal>),
    /// A setting of it would be another one.
    SettingLost(SettingRemark),
    /// An alias differs from the name in case alone.
    AliasOfItsName { alias: String },
}

/// What a rehearsal that failed says. A limit of collections leaves no room to try it, though dropping it would make some.
fn unproven(why: &Unmakeable) -> &'static str {
    match why.cause() {
        Some(LastingCause::UsageLimit { of: LimitOf::Collections, .. }) => {
            "cannot be tried under a scratch name, for which the server has no room"
        }
        _ => "could not be created again",
    }
}
