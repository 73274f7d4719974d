//! Runs that dropped a collection and were killed before it was there again: what they saved is found by their journals.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Unfinished;
use crate::archive::{self, Archive, Disk, runfiles};
use crate::event::Op;
use crate::model::CollectionName;
use crate::ops::{Error, Session, blocking};
use crate::weaviate::Tenant;

/// What the newest unfinished run on this server saved of a collection that it dropped.
pub(super) async fn unfinished(
    session: &Session,
    runs: &Path,
    url: &str,
    name: &CollectionName,
) -> Result<Option<Unfinished>, Error> {
    let (disk, runs, url, name) = (Arc::clone(&session.disk), runs.to_owned(), url.to_owned(), name.clone());
    blocking("earlier runs", move || {
        let Some(safety) = runfiles::dropped_by(&disk, &runs, Op::Clear, &url, &name)? else { return Ok(None) };
        read(&disk, PathBuf::from(safety), &name)
    })
    .await
}

fn read(disk: &Arc<dyn Disk>, path: PathBuf, name: &CollectionName) -> Result<Option<Unfinished>, archive::Error> {
    let archive = Archive::open(disk, &path)?;
    let Some(entry) = archive.collections().iter().find(|entry| entry.name == name.as_str()) else { return Ok(None) };
    let schema = archive.schema(entry)?;
    let tenants = archive.document(&format!("collections/{}/tenants.json", entry.folder))?;
    let tenants = tenants.and_then(|text| serde_json::from_slice::<Vec<Tenant>>(&text).ok());
    Ok(Some(Unfinished { archive: path, schema, tenants }))
}
