//! Whether a collection with tenants is the one that an archive is of. Its shards are named as its tenants, so that only its
//! objects tell: the first ones of a few tenants, and when they were written.

use std::path::Path;
use std::sync::Arc;

use super::archived::Archived;
use crate::archive::{self, Disk, Run};
use crate::model::{CollectionName, TenantName};
use crate::ops::{Error, Session, blocking};
use crate::weaviate::{Client, ObjectTimes};

/// Lines of one part of an archive looked through at most.
const LINES: usize = 50_000;
/// Tenants whose first objects are held against the server's at most.
const TENANTS: usize = 4;

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
    client: &Client,
    session: &Session,
    path: &Path,
    name: &CollectionName,
    tenants: &[TenantName],
    is_as_many: bool,
) -> Result<Whose, Error> {
    let (disk, at, wanted) = (Arc::clone(&session.archives), path.to_owned(), tenants.to_vec());
    let collection = name.clone();
    let look = move || Ok::<_, Error>(firsts(&disk, &at, &collection, &wanted));
    let archived = match blocking("archives", look).await? {
        Ok(archived) => archived,
        Err(error) => {
            tracing::debug!(%name, %error, "the first objects of an archive cannot be read");
            return Ok(Whose::Unknown);
        }
    };
    let mut others = 0_usize;
    for (tenant, first) in archived {
        let asked = async { Ok::<_, Error>(client.first_object(name, &tenant).await) };
        match session.unless_stopped(asked).await? {
            Ok(Some(live)) if (live.id, live.updated_ms) == (first.id, first.updated_ms) => return Ok(Whose::Same),
            Ok(Some(_)) => others += 1,
            Ok(None) => {}
            Err(error) => tracing::debug!(%name, %tenant, %error, "its first object cannot be asked for"),
        }
    }
    Ok(if others > 0 && is_as_many { Whose::Other } else { Whose::Unknown })
}

/// The first objects of some of these tenants, as an archive has them.
fn firsts(
    disk: &Arc<dyn Disk>,
    path: &Path,
    name: &CollectionName,
    wanted: &[TenantName],
) -> Result<Vec<(TenantName, ObjectTimes)>, archive::Error> {
    let mut found: Vec<(TenantName, ObjectTimes)> = Vec::new();
    let Some(archived) = Archived::open(disk, path, name.as_str())? else { return Ok(found) };
    let suits = |run: &Run| run.covers.from.is_none() && run.tenant.as_ref().is_some_and(|name| wanted.contains(name));
    let Some(part) = archived.parts(suits).next() else { return Ok(found) };
    let mut reader = archived.read(part, 0)?;
    let mut last = None;
    for _ in 0..LINES {
        let Some(line) = reader.next_line()? else { break };
        if last.replace(line.run) == Some(line.run) {
            continue;
        }
        let tenant = reader.runs().get(line.run).filter(|run| suits(run)).and_then(|run| run.tenant.clone());
        if let (Some(tenant), Ok(first)) = (tenant, serde_json::from_slice(&line.text)) {
            found.push((tenant, first));
        }
        if found.len() == TENANTS {
            break;
        }
    }
    Ok(found)
}
