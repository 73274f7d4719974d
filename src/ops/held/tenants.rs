//! Whether a collection with tenants is the one that an archive is of. Its shards are named as its tenants, so that only its
//! objects tell: the first ones of a few tenants, and when they were written.

use std::path::Path;
use std::sync::Arc;

use crate::model::{CollectionName, TenantName};
use crate::ops::{Error, ReadAccess, blocking};
use crate::pipeline::peek::first_archived;

/// Whose an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of the collection that is there.
    Same,
    /// Of another one of its name.
    Other,
    /// That is not known.
    Unknown,
}

/// Holds the first objects in an archive against those on the server. Meant for an archive with all the objects that the
/// counts and times of the server tell of: if none was written or deleted since, each first object is what it was.
/// `is_as_many`: none was deleted, or it is another collection.
pub(super) async fn whose(
    access: ReadAccess<'_>,
    path: &Path,
    name: &CollectionName,
    tenants: &[TenantName],
    is_as_many: bool,
) -> Result<Whose, Error> {
    let (disk, at, wanted) = (Arc::clone(&access.archives), path.to_owned(), tenants.to_vec());
    let collection = name.clone();
    let look = move || Ok::<_, Error>(first_archived(&disk, &at, &collection, &wanted));
    let archived = match blocking("archives", look).await? {
        Ok(archived) => archived,
        Err(error) => {
            tracing::debug!(%name, %error, "the first objects of an archive cannot be read");
            return Ok(Whose::Unknown);
        }
    };
    let mut others = 0_usize;
    for (tenant, first) in archived {
        match access.try_ask(access.client.first_object(name, &tenant)).await? {
            Ok(Some(live)) if (live.id, live.updated_ms) == (first.id, first.updated_ms) => return Ok(Whose::Same),
            Ok(Some(_)) => others += 1,
            Ok(None) => {}
            Err(error) => tracing::debug!(%name, %tenant, %error, "its first object cannot be asked for"),
        }
    }
    Ok(if others > 0 && is_as_many { Whose::Other } else { Whose::Unknown })
}
