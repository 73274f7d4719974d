//! Writing an archive: its directory, its lock, its journal, and at the very end its manifest.

mod gone;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::codec::Codec;
use super::collection::{ClosedCollection, CollectionWriter};
use super::content::Content;
use super::disk::{Disk, Kind, Lock};
use super::durable::{self, sync_parent};
use super::error::{Broken, Damage, DiskOp, Error, on};
use super::format::{self, FORMAT, Record, Refused};
use super::header::CheckpointHeader;
use super::journal::Journal;
use super::manifest::{self, FileEntry, Incomplete, Limit, Manifest, Skipped, Source, Tool, TopologyRecord};
use super::names;
use super::shared::Shared;
use crate::model::{CollectionName, Schema};

/// Archives of one stem in one folder: `_2` to this number.
const COPIES: u32 = 10_000;

/// Where an archive of this stem is made next: the first of `stem`, `stem_2` … that is free.
#[must_use]
pub fn place(disk: &dyn Disk, folder: &Path, stem: &str) -> PathBuf {
    let places = (1..=COPIES).map(|copy| copy_of(folder, stem, copy));
    let mut free = places.filter(|path| !matches!(disk.look(path), Ok(Some(_))));
    free.next().unwrap_or_else(|| folder.join(stem))
}

fn copy_of(folder: &Path, stem: &str, copy: u32) -> PathBuf {
    if copy == 1 { folder.join(stem) } else { folder.join(format!("{stem}_{copy}")) }
}

/// What is known when a run starts, and what a resumed run must agree with.
#[derive(Debug, Clone)]
pub struct RunHeader {
    /// The run.
    pub run_id: Uuid,
    /// When it started.
    pub started: Timestamp,
    /// The server's URL without credentials.
    pub source_url: String,
    /// The server's version, as it prints it.
    pub server_version: String,
    /// The collections of the plan.
    pub collections: Vec<CollectionName>,
    /// The run's options, as the operation names them; no secrets.
    pub options: Map<String, Value>,
    /// The server's clock when the run was planned, in whole seconds, as ms since 1970.
    pub server_time_ms: Option<i64>,
}

/// What is known when a run ends.
#[derive(Debug, Clone)]
pub struct SealFacts {
    /// The time.
    pub sealed: Timestamp,
    /// Whether the server was whole all the time.
    pub topology: TopologyRecord,
    /// What can never be kept.
    pub limits: Vec<Limit>,
    /// What exists but is not in here.
    pub skipped: Vec<Skipped>,
    /// Objects kept without a vector the server cannot print.
    pub incomplete: Vec<Incomplete>,
}

/// A sealed archive.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// Its directory.
    pub path: PathBuf,
    /// What it says about itself.
    pub manifest: Manifest,
    /// Lock and journal if they could not be removed; they do no harm.
    pub left_behind: Vec<&'static str>,
}

/// Writes an archive. Every call may block on the disk. Dropped without `seal`, it leaves an unsealed archive with
/// everything the journal knows.
pub struct ArchiveWriter {
    shared: Arc<Shared>,
    lock: Box<dyn Lock>,
    header: RunHeader,
    folders: BTreeSet<String>,
    /// The collections begun, with their folders.
    begun: BTreeMap<CollectionName, String>,
    files: Vec<FileEntry>,
    /// Another process began it: a folder that its journal does not know yet may be there.
    carried: bool,
}

impl ArchiveWriter {
    /// Makes the directory `stem` (or `stem_2` …) in `folder`, which is made if missing, takes its lock and begins its
    /// journal.
    pub fn create(
        disk: Arc<dyn Disk>,
        folder: &Path,
        stem: &str,
        codec: Codec,
        header: RunHeader,
    ) -> Result<Self, Error> {
        if !names::is_stem(stem) {
            return Err(Error::broken(folder, Broken::Stem(stem.to_owned())));
        }
        prepare_folder(&*disk, folder)?;
        let path = create_dir_of(&*disk, folder, stem)?;
        let lock = lock(&*disk, &path)?;
        let collections = path.join(names::COLLECTIONS);
        disk.create_dir(&collections).map_err(on(DiskOp::CreateDir, &collections))?;
        let journal = Journal::create(&*disk, &path, &Record::Header(checkpoint_header(&header, codec)))?;
        let shared = Arc::new(Shared::new(disk, path, codec, journal));
        Ok(Self {
            shared,
            lock,
            header,
            folders: BTreeSet::new(),
            begun: BTreeMap::new(),
            files: Vec::new(),
            carried: false,
        })
    }

    /// Resumes what another process began.
    pub(super) fn carried(shared: Arc<Shared>, lock: Box<dyn Lock>, header: RunHeader) -> Self {
        let (folders, begun, files) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        Self { shared, lock, header, folders, begun, files, carried: true }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Books a collection that has its folder already.
    pub(super) fn begun(&mut self, name: &CollectionName, folder: &str) {
        self.folders.insert(folder.to_ascii_lowercase());
        self.begun.insert(name.clone(), folder.to_owned());
    }

    /// The archive's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Begins a collection: makes its folder and keeps its schema.
    pub fn collection(&mut self, schema: &Schema, content: Content) -> Result<CollectionWriter, Error> {
        if self.begun.contains_key(&schema.name) {
            return Err(Error::broken(self.path(), Broken::Collections));
        }
        let folder = names::folder(&schema.name, &self.folders);
        let dir = self.path().join(names::COLLECTIONS).join(&folder);
        match self.shared.disk.create_dir(&dir) {
            Err(e) if self.carried && e.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.map_err(on(DiskOp::CreateDir, &dir))?,
        }
        sync_parent(&*self.shared.disk, &dir)?;
        let stored = durable::put(&self.shared.disk, dir.join(names::SCHEMA), &schema.text)?;
        let mut journal = self.shared.journal();
        journal.append(&Record::Collection {
            name: schema.name.to_string(),
            folder: folder.clone(),
            content,
            multi_tenant: schema.multi_tenant,
            schema_sha256: stored.sha256,
        })?;
        journal.sync()?;
        drop(journal);
        self.begun(&schema.name, &folder);
        Ok(CollectionWriter::new(Arc::clone(&self.shared), schema, content, folder, stored))
    }

    /// Keeps the server's aliases, as it printed them.
    pub fn put_aliases(&mut self, json: &[u8]) -> Result<(), Error> {
        self.put(names::ALIASES, json)
    }

    /// Keeps the server's roles, as it printed them.
    pub fn put_roles(&mut self, json: &[u8]) -> Result<(), Error> {
        self.put(names::ROLES, json)
    }

    fn put(&mut self, name: &str, json: &[u8]) -> Result<(), Error> {
        let path = self.path().join(name);
        serde_json::from_slice::<serde::de::IgnoredAny>(json).map_err(|_| Error::broken(&path, Broken::Document))?;
        if self.files.iter().any(|file| file.path == name) {
            return Err(Error::broken(&path, Broken::Document));
        }
        let stored = durable::put(&self.shared.disk, path, json)?;
        self.files.push(FileEntry { path: name.to_owned(), bytes: stored.bytes, sha256: stored.sha256 });
        Ok(())
    }

    /// Seals the archive: checksums, then the manifest, then lock and journal go. Every collection begun and not given up must be
    /// in `closed`. After an error the archive counts as unsealed, unless only the last sync of the directory failed.
    pub fn seal(mut self, closed: Vec<ClosedCollection>, facts: SealFacts) -> Result<Sealed, Error> {
        let names: Vec<&CollectionName> = closed.iter().map(ClosedCollection::name).collect();
        let mine = closed.iter().all(|c| Arc::ptr_eq(&c.shared, &self.shared));
        if !mine || names.len() != self.begun.len() || !names.iter().all(|name| self.begun.contains_key(*name)) {
            return Err(Error::broken(self.path(), Broken::Collections));
        }
        let mut files = std::mem::take(&mut self.files);
        let mut collections = Vec::with_capacity(closed.len());
        for mut collection in closed {
            collection.entry.counts = collection.facts.counts;
            collection.entry.consistency = collection.facts.consistency;
            collection.entry.tenants_changed = collection.facts.tenants_changed;
            collection.entry.replica_check = collection.facts.replica_check;
            collection.entry.selection = collection.facts.selection;
            files.append(&mut collection.files);
            collections.push(collection.entry);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        self.check_present(&files)?;
        let sums = manifest::sums(&files);
        let stored = durable::put(&self.shared.disk, self.path().join(names::SUMS), sums.as_bytes())?;
        let sums = FileEntry { path: names::SUMS.to_owned(), bytes: stored.bytes, sha256: stored.sha256 };
        files.insert(files.partition_point(|file| file.path < sums.path), sums);
        let manifest = self.manifest(collections, files, facts);
        self.put_manifest(&manifest)?;
        let left_behind = self.tidy();
        let Self { shared, lock, .. } = self;
        drop(lock);
        Ok(Sealed { path: shared.path.clone(), manifest, left_behind })
    }

    /// Every file the manifest will name is there with its size.
    fn check_present(&self, files: &[FileEntry]) -> Result<(), Error> {
        for file in files {
            let path = self.path().join(&file.path);
            let found = self.shared.disk.look(&path).map_err(on(DiskOp::Look, &path))?;
            if found != Some((Kind::File, file.bytes)) {
                return Err(Error::broken(path, Broken::Counts));
            }
        }
        Ok(())
    }

    fn manifest(
        &self,
        collections: Vec<manifest::CollectionEntry>,
        files: Vec<FileEntry>,
        facts: SealFacts,
    ) -> Manifest {
        let header = &self.header;
        Manifest {
            format: FORMAT,
            tool: tool(),
            run_id: header.run_id.to_string(),
            source: Source {
                url: header.source_url.clone(),
                server_version: header.server_version.clone(),
                topology: facts.topology,
                server_time_ms: header.server_time_ms,
            },
            started: header.started,
            sealed: facts.sealed,
            options: header.options.clone(),
            codec: self.shared.codec,
            collections,
            limits: facts.limits,
            skipped: facts.skipped,
            incomplete: facts.incomplete,
            files,
        }
    }

    /// Nothing is written that a reader would refuse.
    fn put_manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        let path = self.path().join(names::MANIFEST);
        let bytes = format::to_bytes(manifest).map_err(|_| Error::broken(&path, Broken::Document))?;
        if bytes.len() as u64 > format::MANIFEST_BYTES {
            return Err(Error::broken(&path, Broken::Numbers));
        }
        match format::from_bytes(&bytes) {
            Ok(read) if read == *manifest => {}
            Ok(_) | Err(Refused::Newer { .. }) => return Err(Error::broken(&path, Broken::Document)),
            Err(Refused::Damaged(what)) => return Err(Error::broken(&path, Broken::Manifest(what))),
        }
        durable::put(&self.shared.disk, path, &bytes)?;
        Ok(())
    }

    /// The archive is sealed already, so what fails here is only named.
    fn tidy(&self) -> Vec<&'static str> {
        let disk = &*self.shared.disk;
        let removed = |name: &&str| disk.remove_file(&self.path().join(name)).is_err();
        let left = [names::CHECKPOINT, names::LOCK].into_iter().filter(removed).collect();
        // Unsynced, the two may come back after a power cut, which readers only mention.
        let _ = disk.sync_dir(self.path());
        left
    }
}

pub(super) use gone::remove_folder;

/// Takes the lock of an archive that is not sealed.
pub(super) fn lock(disk: &dyn Disk, archive: &Path) -> Result<Box<dyn Lock>, Error> {
    let path = archive.join(names::LOCK);
    let taken = disk.lock(&path).map_err(|e| match e.kind() {
        // Somebody else put it there.
        std::io::ErrorKind::InvalidInput => Error::damaged(&path, Damage::NotRegular),
        _ => Error::disk(DiskOp::Lock, &path, 0, e),
    })?;
    taken.ok_or_else(|| Error::Locked { path: archive.to_owned() })
}

pub(in crate::archive) fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn checkpoint_header(header: &RunHeader, codec: Codec) -> CheckpointHeader {
    CheckpointHeader {
        format: FORMAT,
        tool: tool(),
        run_id: header.run_id.to_string(),
        started: header.started,
        source_url: header.source_url.clone(),
        server_version: header.server_version.clone(),
        codec,
        collections: header.collections.iter().map(ToString::to_string).collect(),
        options: header.options.clone(),
        server_time_ms: header.server_time_ms,
    }
}

/// The folder of archives: made if missing, refused if it is a file or itself an archive.
fn prepare_folder(disk: &dyn Disk, folder: &Path) -> Result<(), Error> {
    let look = |path: &Path| disk.look(path).map_err(on(DiskOp::Look, path));
    match look(folder)? {
        Some((Kind::Dir, _)) => {}
        Some(_) => return Err(Error::OutputIsFile { path: folder.to_owned() }),
        None => return durable::create_missing(disk, folder),
    }
    for name in [names::MANIFEST, names::CHECKPOINT] {
        if look(&folder.join(name))?.is_some() {
            return Err(Error::OutputIsArchive { path: folder.to_owned() });
        }
    }
    Ok(())
}

fn create_dir_of(disk: &dyn Disk, folder: &Path, stem: &str) -> Result<PathBuf, Error> {
    for copy in 1..=COPIES {
        let path = copy_of(folder, stem, copy);
        match disk.create_dir(&path) {
            Ok(()) => {
                sync_parent(disk, &path)?;
                return Ok(path);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::disk(DiskOp::CreateDir, &path, 0, e)),
        }
    }
    Err(Error::broken(folder, Broken::Numbers))
}

#[cfg(test)]
mod tests;
