//! Reads every part of one collection of an archive and proves it, on a few threads, and shows each object to whoever
//! wants to know more about it.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::damages::Damages;
use super::{Error, Session, blocking};
use crate::archive::digest::ObjectDigest;
use crate::archive::manifest::{CollectionEntry, PartEntry};
use crate::archive::{Archive, Content, Index, Run};
use crate::event::{CollectionResult, Event, Events, Warning};
use crate::model::{CollectionName, RawObject, Schema, TenantMap};
use crate::pipeline::load;
use crate::pipeline::long_lines::LongLines;
use crate::weaviate::Tenant;

/// Parts read at once, at most: each is one thread's work.
const MOST_READERS: usize = 4;
/// Objects between two events.
const OBJECTS_AN_EVENT: u64 = 5_000;

/// What a proof shows each object to; it is called from several threads.
pub(super) type Look = dyn Fn(&Schema, &RawObject, &Run) + Send + Sync;

/// Schema and index of a collection, proven.
#[derive(Debug, Clone)]
pub(super) struct Indexed {
    pub(super) schema: Schema,
    pub(super) runs: Arc<Index>,
    pub(super) digest: ObjectDigest,
}

/// Opens an archive and proves everything in it but indexes and parts.
pub(super) async fn open(session: &Session, path: PathBuf) -> Result<Arc<Archive>, Error> {
    let disk = Arc::clone(&session.archives);
    let archive = blocking("open", move || {
        let archive = Archive::open(&disk, &path)?;
        archive.prove_documents()?;
        Ok::<_, crate::archive::Error>(archive)
    })
    .await?;
    warn_of_strays(session, &archive);
    Ok(Arc::new(archive))
}

pub(super) fn warn_of_strays(session: &Session, archive: &Archive) {
    for path in archive.strays() {
        session.events.warn(Warning::StrayFile { path: path.clone() });
    }
}

/// Reads schema and index of the collection at `at` in the archive's list.
pub(super) async fn index(archive: &Arc<Archive>, at: usize) -> Result<Indexed, Error> {
    let archive = Arc::clone(archive);
    blocking("index", move || {
        let entry = &archive.collections()[at];
        let (schema, runs) = (archive.schema(entry)?, archive.runs(entry)?);
        let digest = ObjectDigest::new(&schema, entry.content);
        Ok::<_, crate::archive::Error>(Indexed { schema, runs: Arc::new(runs), digest })
    })
    .await
}

/// The tenants that the source had, with their states; none if the collection has none by its nature. Those that were not
/// read are among them.
pub(super) async fn tenants(archive: &Arc<Archive>, at: usize) -> Result<Vec<Tenant>, Error> {
    let path = format!("collections/{}/tenants.json", archive.collections()[at].folder);
    let (reader, file) = (Arc::clone(archive), path.clone());
    let text = blocking("tenants", move || reader.document(&file)).await?;
    let Some(text) = text else { return Ok(Vec::new()) };
    Ok(serde_json::from_slice(&text).map_err(|error| archive.not_read(&path, &error))?)
}

/// What an archive says of a collection, as a result.
pub(super) fn archived(name: CollectionName, entry: &CollectionEntry) -> CollectionResult {
    CollectionResult {
        tenants: entry.tenants.iter().filter(|tenant| tenant.tenant.is_some()).count() as u64,
        objects: entry.objects,
        bytes: entry.bytes,
        digest: entry.digest.map(|digest| digest.to_string()).filter(|_| entry.content != Content::SchemaOnly),
        counts_verified: (entry.content != Content::SchemaOnly).then(|| !entry.is_uncounted()),
        ..CollectionResult::of(name)
    }
}

/// How a collection is read.
#[derive(Debug)]
pub(super) struct Reading {
    /// Threads, at most [`MOST_READERS`].
    pub(super) readers: usize,
    /// What their lines may take, in bytes.
    pub(super) memory_bytes: u64,
    /// Whether every line is parsed in full, and events say what was read.
    pub(super) says: bool,
    /// The tenants wanted: parts that hold nothing of them are not read, objects of others not looked at.
    pub(super) tenants: TenantMap,
    /// Runs that are not wanted any more, by their places in the index.
    pub(super) done: Arc<BTreeSet<usize>>,
}

impl Reading {
    /// Whether the objects of the run at this place are looked at.
    fn wants(&self, at: usize, run: &Run) -> bool {
        !self.done.contains(&at) && self.tenants.target(run.tenant.as_ref()).is_some()
    }
}

/// What the threads that read one collection share.
struct Job {
    archive: Arc<Archive>,
    at: usize,
    indexed: Indexed,
    parts: Mutex<VecDeque<PartEntry>>,
    session: Session,
    reading: Reading,
    look: Arc<Look>,
    lines: LongLines,
    /// Where damage is gathered; `None`: the first one ends the reading.
    damages: Option<Arc<Damages>>,
    /// Objects in the parts that were proven.
    proven: AtomicU64,
}

/// Reads every part that holds what is wanted. The first thing found wrong is the error.
pub(super) async fn parts(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    indexed: &Indexed,
    reading: Reading,
    look: Arc<Look>,
) -> Result<(), Error> {
    read_parts(session, archive, at, indexed, reading, look, None).await.map(|_| ())
}

/// Reads every part, and goes on with the others behind one that is damaged, until so many damages are found.
/// Gives the objects in those that were proven.
pub(super) async fn all_parts(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    indexed: &Indexed,
    readers: usize,
    memory_bytes: u64,
    damages: &Arc<Damages>,
) -> Result<u64, Error> {
    let reading = Reading { readers, memory_bytes, says: true, tenants: TenantMap::Same, done: Arc::default() };
    read_parts(session, archive, at, indexed, reading, Arc::new(|_, _, _| {}), Some(Arc::clone(damages))).await
}

async fn read_parts(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    indexed: &Indexed,
    reading: Reading,
    look: Arc<Look>,
    damages: Option<Arc<Damages>>,
) -> Result<u64, Error> {
    let runs = &indexed.runs;
    let wanted = |part: &&PartEntry| {
        let inside = archive.inside(part, runs);
        inside.iter().any(|at| reading.wants(*at, &runs[*at]))
    };
    let parts: VecDeque<PartEntry> = archive.collections()[at].parts.iter().filter(wanted).cloned().collect();
    let threads = reading.readers.clamp(1, MOST_READERS).min(parts.len().max(1));
    let job = Arc::new(Job {
        archive: Arc::clone(archive),
        at,
        indexed: indexed.clone(),
        parts: Mutex::new(parts),
        session: session.clone(),
        lines: LongLines::within(reading.memory_bytes, threads),
        reading,
        look,
        damages,
        proven: AtomicU64::new(0),
    });
    let reading = (0..threads).map(|_| {
        let job = Arc::clone(&job);
        blocking("read parts", move || job.read())
    });
    futures_util::future::try_join_all(reading).await?;
    Ok(job.proven.load(Ordering::Relaxed))
}

/// The error for a part that could not be proven.
pub(super) fn wrong(archive: &Archive, entry: &CollectionEntry, part: &PartEntry, error: load::Error) -> Error {
    match error {
        load::Error::Archive(e) => Error::Archive(e),
        load::Error::Stopped => Error::Interrupted,
        load::Error::Line { line, source } => {
            let path = archive.path().join("collections").join(&entry.folder).join(&part.file);
            Error::Line { path, line, source }
        }
    }
}

impl Job {
    /// Reads parts until none is left, another thread has failed, enough is damaged, or the run is cancelled.
    fn read(&self) -> Result<(), Error> {
        let enough = || self.damages.as_ref().is_some_and(|damages| damages.are_enough());
        let next = || if enough() { None } else { self.next_part() };
        while let Some(part) = next() {
            let judge = |e| match &self.damages {
                Some(damages) => damages.take(e),
                None => Err(e),
            };
            let proven = self.part(&part);
            if proven.is_ok() {
                self.proven.fetch_add(part.objects, Ordering::Relaxed);
            }
            if let Err(e) = proven.or_else(judge) {
                self.parts.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return Err(e);
            }
        }
        Ok(())
    }

    fn next_part(&self) -> Option<PartEntry> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn part(&self, part: &PartEntry) -> Result<(), Error> {
        let entry = &self.archive.collections()[self.at];
        let Indexed { schema, runs, digest } = &self.indexed;
        let reader = self.archive.part(entry, part, runs)?.within(Box::new(self.lines.room()));
        let places = self.archive.inside(part, runs);
        let wanted: Vec<bool> = places.iter().map(|at| self.reading.wants(*at, &runs[*at])).collect();
        let says = self.reading.says;
        let events = if says { self.session.events.clone() } else { Events::none() };
        // What is only to be sent was sealed as it is, or its sums do not agree.
        let parse = if says { load::Look::Full } else { load::Look::Structure };
        let mut progress = ProofProgress { events: &events, collection: &schema.name, objects: 0, bytes: 0 };
        let proven = load::prove_part(reader, &schema.name, digest, parse, |object, at| {
            if wanted[at.run] {
                (self.look)(schema, object, &runs[places[at.run]]);
            }
            progress.add(object.text.len() as u64 + 1);
            !self.session.cancel.is_cancelled()
        });
        progress.say();
        proven.map_err(|e| wrong(&self.archive, entry, part, e))
    }
}

/// Events about what was read, not one per object.
struct ProofProgress<'a> {
    events: &'a Events,
    collection: &'a CollectionName,
    objects: u64,
    bytes: u64,
}

impl ProofProgress<'_> {
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
