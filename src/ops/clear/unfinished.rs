//! Runs that dropped a collection and were killed before it was there again: what they saved is found by their journals.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::Unfinished;
use crate::archive::{self, Archive, Disk, runfiles};
use crate::event::Op;
use crate::model::{CollectionName, TenantName, path_of_text};
use crate::ops::{Error, RunName, Session, blocking};
use crate::weaviate::Tenant;

/// A clear that did not get to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOpen {
    /// The run.
    pub run: RunName,
    /// What it was to empty.
    pub collections: Vec<CollectionName>,
    /// The tenants it was to empty of the only collection; none: all of it.
    pub tenants: Vec<TenantName>,
    /// Whether it was to delete the objects of each of them by their ids, and to drop nothing.
    pub deletes: bool,
}

/// The last clear on this server, if it did not get to its end.
///
/// # Errors
///
/// The folder of runs cannot be read.
pub async fn left_open(session: &Session, runs: PathBuf, url: &str) -> Result<Option<LeftOpen>, Error> {
    let (disk, url) = (Arc::clone(&session.local), url.to_owned());
    let last = blocking("earlier runs", move || runfiles::last_unfinished(&*disk, &runs, Op::Clear, &url)).await?;
    Ok(last.map(|about| {
        let listed = || about.options.get("collections").and_then(Value::as_array).into_iter().flatten();
        let name = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let tenant = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        LeftOpen {
            deletes: listed().next().is_some() && listed().all(|one| one["method"] == "delete"),
            run: RunName::of(&about),
            collections: listed().filter_map(|one| name(&one["collection"])).collect(),
            tenants: listed().filter_map(|one| one["tenants"].as_array()).flatten().filter_map(tenant).collect(),
        }
    }))
}

/// The archives in which unfinished runs on this server saved the schemas of collections that they dropped.
pub(super) async fn dropped(
    session: &Session,
    runs: &Path,
    url: &str,
) -> Result<BTreeMap<CollectionName, PathBuf>, Error> {
    let (disk, runs, url) = (Arc::clone(&session.local), runs.to_owned(), url.to_owned());
    blocking("earlier runs", move || {
        let dropped = runfiles::dropped_by(&*disk, &runs, Op::Clear, &url)?;
        Ok::<_, archive::Error>(dropped.into_iter().map(|(name, safety)| (name, path_of_text(&safety))).collect())
    })
    .await
}

/// What lies in such an archive.
pub(super) async fn saved(
    session: &Session,
    path: PathBuf,
    name: &CollectionName,
) -> Result<Option<Unfinished>, Error> {
    let (disk, name) = (Arc::clone(&session.archives), name.clone());
    blocking("safety copy", move || read(&disk, path, &name)).await
}

fn read(disk: &Arc<dyn Disk>, path: PathBuf, name: &CollectionName) -> Result<Option<Unfinished>, archive::Error> {
    let archive = Archive::open(disk, &path)?;
    let Some(entry) = archive.collections().iter().find(|entry| entry.name == name.as_str()) else { return Ok(None) };
    let schema = archive.schema(entry)?;
    let tenants = archive.document(&format!("collections/{}/tenants.json", entry.folder))?;
    let tenants = tenants.and_then(|text| serde_json::from_slice::<Vec<Tenant>>(&text).ok());
    let shards = entry.shards.clone();
    Ok(Some(Unfinished { archive: path, schema, tenants, shards }))
}
