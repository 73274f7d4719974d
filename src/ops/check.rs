//! `archive check`: structure, counts, order and every byte of an archive, without a server.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Error, Session, blocking};
use crate::archive::digest::ObjectDigest;
use crate::archive::manifest::{CollectionEntry, PartEntry};
use crate::archive::{Archive, Content, Manifest, Run};
use crate::event::{CollectionResult, Event, Events, Op, PlannedCollection, RunResult, Status, Warning};
use crate::model::{CollectionName, Schema};
use crate::pipeline::load;

/// Parts read at once, at most: each is one thread's work.
const MOST_READERS: usize = 4;
/// Objects between two events.
const OBJECTS_AN_EVENT: u64 = 5_000;

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
    let (disk, path) = (Arc::clone(&session.disk), options.archive);
    let archive = blocking("open", move || {
        let archive = Archive::open(&disk, &path)?;
        archive.prove_documents()?;
        Ok::<_, crate::archive::Error>(archive)
    })
    .await?;
    let archive = Arc::new(archive);
    for path in archive.strays() {
        session.events.warn(Warning::StrayFile { path: path.clone() });
    }
    session.events.emit(Event::PlanMade { collections: planned(archive.manifest()) });
    let mut collections = Vec::new();
    for at in 0..archive.collections().len() {
        collections.push(collection(session, &archive, at, options.readers).await?);
    }
    let result = RunResult::of(Op::ArchiveCheck, Status::Ok, Some(archive.path().display().to_string()), collections);
    Ok(Outcome { result, manifest: archive.manifest().clone(), strays: archive.strays().to_vec() })
}

fn planned(manifest: &Manifest) -> Vec<PlannedCollection> {
    let one = |c: &CollectionEntry| {
        let name = c.name.parse().ok()?;
        Some(PlannedCollection { name, objects: Some(c.objects), bytes: Some(c.bytes) })
    };
    manifest.collections.iter().filter_map(one).collect()
}

/// What the threads that read one collection share.
struct Job {
    archive: Arc<Archive>,
    at: usize,
    schema: Schema,
    runs: Vec<Run>,
    digest: ObjectDigest,
    parts: Mutex<VecDeque<PartEntry>>,
    session: Session,
}

async fn collection(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    readers: usize,
) -> Result<CollectionResult, Error> {
    let (archive, shared) = (Arc::clone(archive), session.clone());
    let job = blocking("index", move || {
        let entry = &archive.collections()[at];
        let (schema, runs) = (archive.schema(entry)?, archive.runs(entry)?);
        let digest = ObjectDigest::new(&schema, entry.content);
        let parts = Mutex::new(entry.parts.iter().cloned().collect());
        Ok::<_, crate::archive::Error>(Job {
            archive: Arc::clone(&archive),
            at,
            schema,
            runs,
            digest,
            parts,
            session: shared,
        })
    })
    .await?;
    let job = Arc::new(job);
    let entry = &job.archive.collections()[at];
    let name = job.schema.name.clone();
    session.events.emit(Event::CollectionStarted { collection: name.clone(), objects: Some(entry.objects) });
    let threads = readers.clamp(1, MOST_READERS).min(entry.parts.len().max(1));
    let reading = (0..threads).map(|_| {
        let job = Arc::clone(&job);
        blocking("read parts", move || job.read())
    });
    futures_util::future::try_join_all(reading).await?;
    let digest = entry.digest.map(|d| d.to_string()).filter(|_| entry.content != Content::SchemaOnly);
    let result = CollectionResult {
        name: name.clone(),
        tenants: entry.tenants.iter().filter(|t| t.tenant.is_some()).count() as u64,
        objects: entry.objects,
        bytes: entry.bytes,
        digest,
        rejected: 0,
        changed_seen: None,
    };
    session.events.emit(Event::Verified { collection: name, objects: entry.objects, ok: true });
    session.events.emit(Event::CollectionFinished(result.clone()));
    Ok(result)
}

impl Job {
    /// Reads parts until none is left, another thread has failed, or the run is cancelled.
    fn read(&self) -> Result<(), Error> {
        let next = || self.parts.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        while let Some(part) = next() {
            if self.session.cancel.is_cancelled() {
                return Err(Error::Interrupted);
            }
            if let Err(e) = self.part(&part) {
                self.parts.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return Err(e);
            }
        }
        Ok(())
    }

    fn part(&self, part: &PartEntry) -> Result<(), Error> {
        let entry = &self.archive.collections()[self.at];
        let reader = self.archive.part(entry, part, &self.runs)?;
        let mut progress =
            Progress { events: &self.session.events, collection: &self.schema.name, objects: 0, bytes: 0 };
        let proven = load::prove_part(reader, &self.schema.name, &self.digest, |object, _| {
            progress.add(object.text.len() as u64 + 1);
        });
        progress.say();
        proven.map_err(|e| match e {
            load::Error::Archive(e) => Error::Archive(e),
            load::Error::Line { line, source } => {
                let path = self.archive.path().join("collections").join(&entry.folder).join(&part.file);
                Error::Line { path, line, source }
            }
        })
    }
}

/// Events about what was read, not one per object.
struct Progress<'a> {
    events: &'a Events,
    collection: &'a CollectionName,
    objects: u64,
    bytes: u64,
}

impl Progress<'_> {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
        if self.objects == OBJECTS_AN_EVENT {
            self.say();
        }
    }

    fn say(&mut self) {
        let (objects, bytes) = (std::mem::take(&mut self.objects), std::mem::take(&mut self.bytes));
        if objects > 0 {
            self.events.emit(Event::PageScanned { collection: self.collection.clone(), tenant: None, objects, bytes });
        }
    }
}
