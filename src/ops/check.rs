//! `archive check`: structure, counts, order and every byte of an archive, without a server.

use std::path::PathBuf;
use std::sync::Arc;

use super::prove::{self, Reading};
use super::{Error, Session};
use crate::archive::manifest::CollectionEntry;
use crate::archive::{Archive, Manifest};
use crate::event::{CollectionResult, Event, Op, PlannedCollection, RunResult, Status};
use crate::model::{TenantMap, path_text};

/// What to check.
#[derive(Debug, Clone)]
pub struct Options {
    /// The archive's directory.
    pub archive: PathBuf,
    /// Threads to use.
    pub readers: usize,
}

/// An archive that was read to its last byte and found whole.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The result in numbers.
    pub result: RunResult,
    /// Its manifest.
    pub manifest: Manifest,
    /// Files that are no part of it and do it no harm.
    pub strays: Vec<String>,
}

/// Reads the whole archive. The first thing found wrong is the error; nothing is written.
pub async fn run(session: &Session, options: Options) -> Result<Outcome, Error> {
    let archive = prove::open(session, options.archive).await?;
    session.events.emit(Event::PlanMade { collections: planned(archive.manifest()) });
    let mut collections = Vec::new();
    for at in 0..archive.collections().len() {
        collections.push(collection(session, &archive, at, options.readers).await?);
    }
    let result = RunResult::of(Op::ArchiveCheck, Status::Ok, Some(path_text(archive.path())), collections);
    Ok(Outcome { result, manifest: archive.manifest().clone(), strays: archive.strays().to_vec() })
}

fn planned(manifest: &Manifest) -> Vec<PlannedCollection> {
    let one = |c: &CollectionEntry| {
        let name = c.name.parse().ok()?;
        Some(PlannedCollection { objects: Some(c.objects), bytes: Some(c.bytes), ..PlannedCollection::of(name) })
    };
    manifest.collections.iter().filter_map(one).collect()
}

async fn collection(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    readers: usize,
) -> Result<CollectionResult, Error> {
    let indexed = prove::index(archive, at).await?;
    let entry = &archive.collections()[at];
    let name = indexed.schema.name.clone();
    session.events.emit(Event::CollectionStarted { collection: name.clone(), objects: Some(entry.objects) });
    let reading = Reading { readers, says: true, tenants: TenantMap::Same, done: Arc::default() };
    prove::parts(session, archive, at, &indexed, reading, Arc::new(|_, _, _| {})).await?;
    let result = prove::archived(name.clone(), entry);
    session.events.emit(Event::Verified { collection: name, objects: entry.objects, ok: true });
    session.events.emit(Event::CollectionFinished(result.clone()));
    Ok(result)
}
