//! `archive check`: structure, counts, order and every byte of an archive, without a server. What is damaged is gathered,
//! each file once, and the rest is read all the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;

use super::damages::Damages;
pub use super::damages::MOST_DAMAGES;
use super::prove;
use super::run::bounds::MEMORY_BYTES;
use super::{Error, Session, blocking, restore};
use crate::archive::manifest::CollectionEntry;
use crate::archive::{Archive, Manifest};
use crate::event::{CollectionResult, Event, Op, PlannedCollection, RunResult, Status, Warning};
use crate::model::path_text;

/// What to check.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// The archive's directory.
    pub archive: PathBuf,
    /// Threads to use.
    pub readers: usize,
    /// What lines may take, in bytes.
    pub memory_bytes: u64,
}

impl CheckOptions {
    /// Every byte of an archive, with a thread for each processor.
    #[must_use]
    pub fn new(archive: impl AsRef<Path>) -> Self {
        let readers = available_parallelism().map_or(1, usize::from);
        Self { archive: archive.as_ref().to_owned(), readers, memory_bytes: MEMORY_BYTES }
    }
}

/// An archive that was read to its last byte and found whole.
#[derive(Debug, Clone)]
pub struct CheckOutcome {
    /// The result in numbers.
    pub result: RunResult,
    /// Its manifest.
    pub manifest: Manifest,
    /// Files that are no part of it and do it no harm.
    pub strays: Vec<String>,
}

/// Reads the whole archive. What is damaged is the error, up to [`MOST_DAMAGES`] files of it; nothing is written.
///
/// # Errors
///
/// The archive cannot be read, or is damaged: the first damage of each file is named.
pub async fn run(session: &Session, options: CheckOptions) -> Result<CheckOutcome, Error> {
    let damages = Arc::new(Damages::default());
    let archive = open(session, options.archive, &damages).await?;
    session.events.emit(Event::PlanMade { collections: planned(archive.manifest()) });
    aliases(session, &archive, &damages).await?;
    let mut collections = Vec::new();
    for at in 0..archive.collections().len() {
        if damages.are_enough() {
            break;
        }
        collections.extend(collection(session, &archive, at, (options.readers, options.memory_bytes), &damages).await?);
    }
    damages.result(&archive)?;
    let result = RunResult::of(Op::ArchiveCheck, Status::Ok, Some(path_text(archive.path())), collections);
    Ok(CheckOutcome { result, manifest: archive.manifest().clone(), strays: archive.strays().to_vec() })
}

/// Opens the archive, and proves everything in it but indexes and parts.
async fn open(session: &Session, path: PathBuf, damages: &Arc<Damages>) -> Result<Arc<Archive>, Error> {
    let (disk, gathered) = (Arc::clone(&session.archives), Arc::clone(damages));
    let open = move || {
        let (archive, found) = Archive::open_damaged(&disk, &path, MOST_DAMAGES)?;
        let documents = archive.document_proofs().filter_map(Result::err);
        for error in found.into_iter().chain(documents) {
            gathered.take(error.into())?;
        }
        Ok::<_, Error>(archive)
    };
    let archive = blocking("open", open).await?;
    prove::warn_of_strays(session, &archive);
    Ok(Arc::new(archive))
}

/// Reads the aliases, and says which of them no server takes.
async fn aliases(session: &Session, archive: &Arc<Archive>, damages: &Damages) -> Result<(), Error> {
    let reader = Arc::clone(archive);
    let mut archived = match blocking("aliases", move || restore::aliases::archived(&reader)).await {
        Ok(archived) => archived,
        Err(error) => return damages.take(error),
    };
    archived.retain(|(alias, _)| !restore::aliases::is_fit(alias));
    if let Some((first, _)) = archived.first() {
        session.events.warn(Warning::AliasesUnfit { aliases: archived.len() as u64, first: first.clone() });
    }
    Ok(())
}

fn planned(manifest: &Manifest) -> Vec<PlannedCollection> {
    let one = |c: &CollectionEntry| {
        let name = c.name.parse().ok()?;
        Some(PlannedCollection { objects: Some(c.objects), bytes: Some(c.bytes), ..PlannedCollection::of(name) })
    };
    manifest.collections.iter().filter_map(one).collect()
}

/// One collection; `None` if it is damaged.
async fn collection(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    (readers, memory_bytes): (usize, u64),
    damages: &Arc<Damages>,
) -> Result<Option<CollectionResult>, Error> {
    let entry = &archive.collections()[at];
    let verified = |collection, objects, ok| session.events.emit(Event::Verified { collection, objects, ok });
    let indexed = match prove::index(archive, at).await {
        Ok(indexed) => indexed,
        Err(error) => {
            damages.take(error)?;
            bytes_alone(session, archive, at, damages).await?;
            if let Ok(name) = entry.name.parse() {
                verified(name, 0, false);
            }
            return Ok(None);
        }
    };
    // A list that cannot be read is one that cannot be restored.
    if let Err(error) = prove::tenants(archive, at).await {
        damages.take(error)?;
    }
    let name = indexed.schema.name.clone();
    session.events.emit(Event::CollectionStarted { collection: name.clone(), objects: Some(entry.objects) });
    let objects = prove::all_parts(session, archive, at, &indexed, (readers, memory_bytes), damages).await?;
    // A file that was missing when the archive was opened is no news here, and damage of this collection all the same.
    let folder = archive.path().join("collections").join(&entry.folder);
    let in_parts: u64 = entry.parts.iter().map(|part| part.objects).sum();
    let ok = !damages.touch(&folder) && objects == in_parts;
    verified(name.clone(), objects, ok);
    let result = ok.then(|| prove::archived(name, entry));
    if let Some(result) = &result {
        session.events.emit(Event::CollectionFinished(result.clone()));
    }
    Ok(result)
}

/// Reads the parts of a collection whose schema or index is damaged, as far as their hashes tell.
async fn bytes_alone(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    damages: &Arc<Damages>,
) -> Result<(), Error> {
    let (archive, damages, cancel) = (Arc::clone(archive), Arc::clone(damages), session.cancel.clone());
    let prove = move || {
        let entry = &archive.collections()[at];
        for part in &entry.parts {
            if cancel.is_cancelled() {
                return Err(Error::Interrupted);
            }
            if let Err(error) = archive.prove_bytes(entry, part) {
                damages.take(error.into())?;
            }
        }
        Ok(())
    };
    blocking("read parts", prove).await
}
