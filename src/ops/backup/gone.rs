//! A collection that its owner removes, or makes again, while it is backed up: it costs the other ones nothing.

use super::CollectionBackup;
use crate::archive::manifest::Skipped;
use crate::event::SkipReason;
use crate::model::{CollectionName, Schema};
use crate::ops::{Error, ReadAccess};
use crate::pipeline::scan;
use crate::weaviate::Error as WireError;

/// What became of a collection that could not be read to its end.
pub(super) enum Fate {
    /// It is not there any more.
    Removed,
    /// It is another one now, of this schema, or was not there for a moment.
    Anew(Box<Schema>),
}

impl Fate {
    /// The collection as it is to be read from the start; nothing was counted of it.
    pub(super) fn planned(self) -> Option<CollectionBackup> {
        match self {
            Self::Removed => None,
            Self::Anew(schema) => {
                Some(CollectionBackup { schema: *schema, objects: None, object_bytes: None, tenants: None })
            }
        }
    }

    /// Why it is left out, if nothing more is tried.
    pub(super) fn reason(&self) -> SkipReason {
        match self {
            Self::Removed => SkipReason::Removed,
            Self::Anew(_) => SkipReason::ChangedEachTime,
        }
    }
}

/// What became of a collection, if the server says that this is why reading it failed; otherwise the error itself.
pub(super) async fn fate(access: ReadAccess<'_>, name: &CollectionName, error: Error) -> Result<(Fate, Error), Error> {
    let is_another = match &error {
        Error::Vanished { .. } | Error::SchemaChanged { .. } => true,
        Error::Wire(wire) | Error::Scan { source: scan::Error::Wire(wire), .. } if wire.status().is_some() => {
            matches!(wire.root(), WireError::NotFound { .. }) && !wire.root().is_missing_route()
        }
        Error::NotWhole { .. } => false,
        _ => return Err(error),
    };
    match access.ask(access.client.schema(name)).await {
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(_) => Err(error),
        Ok(Some(now)) if now.name == *name && is_another => Ok((Fate::Anew(Box::new(now)), error)),
        Ok(Some(now)) if now.name == *name => Err(error),
        Ok(_) => Ok((Fate::Removed, Error::Vanished { collection: name.clone() })),
    }
}

/// A collection that exists, or did, and is not in the archive.
pub(super) fn skipped(collection: &CollectionName, reason: SkipReason) -> Skipped {
    Skipped { collection: collection.to_string(), tenant: None, reason }
}
