//! Resuming an archive that a run left unsealed: its lock, its journal, and what still lies where the journal says.
//! Whatever else lies there of the run is thrown away, and each thing that was more than a scrap is named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::checkpoint::{Checkpoint, CheckpointCollection, CheckpointPart};
use super::collection::CollectionWriter;
use super::digest::Hash;
use super::disk::{Disk, Entry, Folder, Kind};
use super::durable::{self, sync_parent};
use super::error::{Damage, DiskOp, Error, on};
use super::format::{FORMAT, Record};
use super::header::CheckpointHeader;
use super::journal::Journal;
use super::names;
use super::reader::{self, open_manifest, read_whole, unsealed_folder};
use super::shared::Shared;
use super::writer::{self, ArchiveWriter, RunHeader};
use crate::event::NotKeptReason;
use crate::model::{CLASS_BYTES, CollectionName, ObjectId, Schema, TenantName};

/// Entries of one directory of an archive looked through at most.
const ENTRIES: usize = 1 << 20;

/// An archive that a run left unsealed, as its journal tells. Nothing of it is proven.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// Its directory.
    pub path: PathBuf,
    /// What the run was about.
    pub header: CheckpointHeader,
    /// What it kept.
    pub checkpoint: Checkpoint,
}

/// Looks at an archive that is not sealed, and changes nothing. A sealed one is [`Error::Sealed`], and one whose run was
/// over before its journal had begun is [`Error::Unsealed`] with nothing in it.
pub fn look(disk: &dyn Disk, path: &Path) -> Result<Unfinished, Error> {
    let folder = unsealed_folder(disk, path)?;
    let mut checkpoint = reader::checkpoint(&*folder, path)?;
    let nothing = || Error::Unsealed { path: path.to_owned(), parts: 0, objects: 0 };
    let header = checkpoint.header.take().ok_or_else(nothing)?;
    if header.format.major != FORMAT.major {
        let tool_version = header.tool.version.clone();
        let (major, minor) = (header.format.major, header.format.minor);
        return Err(Error::NewerFormat { path: path.to_owned(), major, minor, tool_version });
    }
    Ok(Unfinished { path: path.to_owned(), header, checkpoint })
}

/// Whether a run writes this archive at the moment. Makes no file, whatever lies in the place of the lock.
pub fn is_held(disk: &dyn Disk, path: &Path) -> bool {
    disk.is_locked(&path.join(names::LOCK)).unwrap_or(false)
}

/// The schema that a collection of an unsealed archive was begun with, proven.
pub fn schema_begun(disk: &dyn Disk, unfinished: &Unfinished, folder: &str) -> Result<Schema, Error> {
    let Some(kept) = unfinished.checkpoint.collections.get(folder) else {
        return Err(Error::damaged(unfinished.path.join(folder), Damage::Missing));
    };
    let dir = unfinished.path.join(names::COLLECTIONS).join(folder);
    let opened = disk.open_folder(&dir).map_err(on(DiskOp::Open, &dir))?;
    begun_with(&*opened, &dir, kept).map(|(schema, _)| schema)
}

/// A run that is resumed.
pub struct Resumed {
    /// The archive.
    pub writer: ArchiveWriter,
    /// What the run was about.
    pub header: CheckpointHeader,
    /// Files that were thrown away, by their path in the archive, and why.
    pub dropped: Vec<(String, NotKeptReason)>,
    /// The collections it had begun.
    pub begun: Begun,
}

/// The collections that a run had begun, with what its journal says of each.
#[derive(Debug, Default)]
pub struct Begun(BTreeMap<CollectionName, (String, CheckpointCollection)>);

impl ArchiveWriter {
    /// Takes the lock of an unsealed archive and resumes its journal. What lies there and is not known to be safe is
    /// removed; what the journal promises and is not there no longer counts.
    pub fn resume(disk: Arc<dyn Disk>, path: &Path, now: Timestamp) -> Result<Resumed, Error> {
        let folder = unsealed_folder(&*disk, path)?;
        let lock = writer::lock(&*disk, path)?;
        // Only now: who held the lock until here may have sealed it.
        let Unfinished { header, .. } = look(&*disk, path)?;
        let mut checkpoint = Checkpoint::default();
        let mut journal = Journal::resume(&*disk, path, |record| checkpoint.take(record))?;
        journal.append(&Record::Resumed { at: now })?;
        checkpoint.take(Record::Resumed { at: now });
        let mut dropped = scraps(&*disk, path, &*folder, "")?;
        let collections = path.join(names::COLLECTIONS);
        if disk.look(&collections).map_err(on(DiskOp::Look, &collections))?.is_none() {
            disk.create_dir(&collections).map_err(on(DiskOp::CreateDir, &collections))?;
            sync_parent(&*disk, &collections)?;
        }
        for entry in list(&*folder, names::COLLECTIONS, &collections)? {
            let (Some(name), Kind::Dir) = (entry.name.to_str().filter(|name| names::is_folder(name)), entry.kind)
            else {
                return Err(Error::damaged(collections.join(&entry.name), Damage::Unknown));
            };
            let kept = checkpoint.collections.get_mut(name);
            let is_known = kept.is_some();
            let not_kept = tidy(&*disk, path, &*folder, name, kept, &mut journal)?;
            if !is_known {
                writer::remove_folder(&*disk, &collections.join(name))?;
            }
            // Of what was given up nothing is missed.
            if !checkpoint.gone.contains(name) {
                dropped.extend(not_kept);
            }
        }
        let mut begun = BTreeMap::new();
        for (name, kept) in std::mem::take(&mut checkpoint.collections) {
            let dir = collections.join(&name);
            if disk.look(&dir).map_err(on(DiskOp::Look, &dir))?.is_none() {
                return Err(Error::damaged(dir, Damage::Missing));
            }
            let collection = kept.name.parse().map_err(|_| Error::damaged(&dir, Damage::Name(kept.name.clone())))?;
            begun.insert(collection, (name, kept));
        }
        journal.sync()?;
        let codec = header.codec;
        let shared = Arc::new(Shared::new(disk, path.to_owned(), codec, journal));
        let writer = ArchiveWriter::carried(shared, lock, run_header(&header, &checkpoint.resumed, path)?);
        Ok(Resumed { writer, header, dropped, begun: Begun(begun) })
    }

    /// Gives up a collection that the run had begun, with everything that was kept of it; whether it had begun it.
    pub fn give_up_begun(&mut self, begun: &mut Begun, collection: &CollectionName) -> Result<bool, Error> {
        let Some((folder, _)) = begun.0.remove(collection) else { return Ok(false) };
        self.begun(collection, &folder);
        self.give_up(collection).map(|()| true)
    }

    /// Resumes a collection that the run had begun, with what else the journal says of it; `None` if it was not.
    pub fn resume_collection(
        &mut self,
        begun: &mut Begun,
        collection: &CollectionName,
    ) -> Result<Option<ResumedCollection>, Error> {
        let Some((folder, kept)) = begun.0.remove(collection) else { return Ok(None) };
        let shared = Arc::clone(self.shared());
        let dir = shared.path.join(names::COLLECTIONS).join(&folder);
        let opened = shared.disk.open_folder(&dir).map_err(on(DiskOp::Open, &dir))?;
        let (schema, found_in) = begun_with(&*opened, &dir, &kept)?;
        let path = dir.join(names::SCHEMA);
        if found_in == names::SCHEMA_BEFORE {
            // It had grown, which is found out anew.
            durable::put(&shared.disk, path, &schema.text)?;
            let before = dir.join(names::SCHEMA_BEFORE);
            shared.disk.remove_file(&before).map_err(on(DiskOp::Remove, &before))?;
            sync_parent(&*shared.disk, &before)?;
        }
        self.begun(&schema.name, &folder);
        let writer = CollectionWriter::carried(shared, &schema, &kept, folder)?;
        let noted =
            Noted { parts: kept.parts, incomplete: kept.incomplete, shards: kept.shards, was_closed: kept.was_closed };
        Ok(Some(ResumedCollection { writer, noted }))
    }
}

/// A collection that is resumed.
pub struct ResumedCollection {
    /// What writes it; its parts are not proven.
    pub writer: CollectionWriter,
    /// What the journal says of it.
    pub noted: Noted,
}

/// What the journal says of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// The parts that `writer` holds, by file name.
    pub parts: BTreeMap<String, CheckpointPart>,
    /// Objects that were to be kept without a vector that the server cannot print; whether they are is for `writer` to say.
    pub incomplete: BTreeSet<(Option<TenantName>, ObjectId)>,
    /// The names of its shards, if it is a plain one and they were known.
    pub shards: Vec<String>,
    /// The run had read all of it.
    pub was_closed: bool,
}

fn run_header(header: &CheckpointHeader, resumed: &[Timestamp], path: &Path) -> Result<RunHeader, Error> {
    let bad = |what: &str| Error::damaged(path.join(names::CHECKPOINT), Damage::Name(what.to_owned()));
    let collections: Result<_, _> = header.collections.iter().map(|name| name.parse().map_err(|_| bad(name))).collect();
    let mut options = header.options.clone();
    // Readers may want to know that the source was not read in one go.
    options.insert("resumed".into(), resumed.iter().map(ToString::to_string).collect());
    Ok(RunHeader {
        run_id: Uuid::parse_str(&header.run_id).map_err(|_| bad(&header.run_id))?,
        started: header.started,
        source_url: header.source_url.clone(),
        server_version: header.server_version.clone(),
        collections: collections?,
        options,
        server_time_ms: header.server_time_ms,
    })
}

fn list(folder: &dyn Folder, below: &str, at: &Path) -> Result<Vec<Entry>, Error> {
    let mut entries = folder.list(below, ENTRIES).map_err(on(DiskOp::List, at))?;
    if entries.len() > ENTRIES {
        return Err(Error::TooMany { path: at.to_owned(), limit: ENTRIES });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Removes what is written once more anyway, and what was still being written, from one directory.
fn scraps(
    disk: &dyn Disk,
    path: &Path,
    folder: &dyn Folder,
    below: &str,
) -> Result<Vec<(String, NotKeptReason)>, Error> {
    const WRITTEN_ANEW: [&str; 5] = [names::ALIASES, names::ROLES, names::SUMS, names::TENANTS, names::INDEX];
    let dir = path.join(below);
    let mut dropped = Vec::new();
    for entry in list(folder, below, &dir)?.into_iter().filter(|entry| entry.kind == Kind::File) {
        let Some(name) = entry.name.to_str() else { continue };
        let unfinished = name.ends_with(names::UNFINISHED);
        if !unfinished && !WRITTEN_ANEW.contains(&name) {
            continue;
        }
        let at = dir.join(name);
        disk.remove_file(&at).map_err(on(DiskOp::Remove, &at))?;
        if unfinished && name.starts_with("objects-") {
            dropped.push((format!("{below}/{name}"), NotKeptReason::Unfinished));
        }
    }
    disk.sync_dir(&dir).map_err(on(DiskOp::SyncDir, &dir))?;
    Ok(dropped)
}

/// Leaves in a collection's folder what the journal knows to be safe and nothing else, and in `kept` only what is there.
fn tidy(
    disk: &dyn Disk,
    path: &Path,
    folder: &dyn Folder,
    name: &str,
    kept: Option<&mut CheckpointCollection>,
    journal: &mut Journal,
) -> Result<Vec<(String, NotKeptReason)>, Error> {
    let below = format!("{}/{name}", names::COLLECTIONS);
    let dir = path.join(&below);
    let mut dropped = scraps(disk, path, folder, &below)?;
    let mut there = BTreeMap::new();
    for entry in list(folder, &below, &dir)? {
        let file = entry.name.to_string_lossy().into_owned();
        match file.as_str() {
            names::SCHEMA | names::SCHEMA_BEFORE | names::DS_STORE => {}
            part if part.starts_with("objects-") && entry.kind == Kind::File => {
                there.insert(file, entry.bytes);
            }
            // Nobody but the run writes here: what else lies here is not ours to remove.
            _ => return Err(Error::damaged(dir.join(&entry.name), Damage::Unknown)),
        }
    }
    let mut gone = Vec::new();
    let mut none = BTreeMap::new();
    let parts = kept.map_or(&mut none, |kept| &mut kept.parts);
    parts.retain(|file, part| {
        let why = match there.get(file) {
            None => NotKeptReason::Missing,
            Some(bytes) if *bytes != part.stored_bytes => NotKeptReason::OtherSize,
            Some(_) => return true,
        };
        gone.push((file.clone(), why));
        false
    });
    // The journal first, so that it never promises a part that is gone.
    for (part, _) in &gone {
        journal.append(&Record::DropPart { folder: name.to_owned(), part: part.clone() })?;
    }
    journal.sync()?;
    for file in there.keys().filter(|file| !parts.contains_key(*file)) {
        let at = dir.join(file);
        disk.remove_file(&at).map_err(on(DiskOp::Remove, &at))?;
        if gone.iter().all(|(named, _)| named != file) {
            gone.push((file.clone(), NotKeptReason::NotInJournal));
        }
    }
    disk.sync_dir(&dir).map_err(on(DiskOp::SyncDir, &dir))?;
    dropped.extend(gone.into_iter().map(|(file, why)| (format!("{below}/{file}"), why)));
    Ok(dropped)
}

/// The schema that a collection was begun with, and the file that holds it: if it had grown, the one beside it.
fn begun_with(folder: &dyn Folder, dir: &Path, kept: &CheckpointCollection) -> Result<(Schema, &'static str), Error> {
    for name in [names::SCHEMA_BEFORE, names::SCHEMA] {
        let at = dir.join(name);
        let opened = match folder.open(name) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            opened => opened.map_err(on(DiskOp::Open, &at))?,
        };
        let text = read_whole(opened.content, opened.bytes, CLASS_BYTES, &at)?;
        if Hash(Sha256::digest(&text).into()) == kept.schema_sha256 {
            let schema = Schema::parse(text.into()).map_err(|e| Error::damaged(&at, Damage::Json(e.to_string())))?;
            if schema.name.as_str() != kept.name || schema.multi_tenant != kept.multi_tenant {
                return Err(Error::damaged(&at, Damage::Sums("schema and journal")));
            }
            return Ok((schema, name));
        }
    }
    Err(Error::damaged(dir.join(names::SCHEMA), Damage::Hash))
}

/// Removes what a run left beside the manifest of an archive that it had sealed: nothing else of it was left to do.
pub fn tidy_sealed(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    let (folder, _) = open_manifest(disk, path)?;
    let lock = writer::lock(disk, path)?;
    for name in [names::CHECKPOINT, names::LOCK] {
        let at = path.join(name);
        if folder.open(name).is_ok() {
            disk.remove_file(&at).map_err(on(DiskOp::Remove, &at))?;
        }
    }
    drop(lock);
    disk.sync_dir(path).map_err(on(DiskOp::SyncDir, path))
}

#[cfg(test)]
mod tests;
