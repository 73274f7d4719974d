//! Opening a sealed archive: its manifest, its set of files, its index. No name in it is trusted.

mod files;

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::checkpoint::Checkpoint;
use super::digest::{Hash, RunDigest};
use super::disk::{Disk, Folder, Opened, Stamp};
use super::error::{Damage, DiskOp, Error, on, twice};
use super::format::{self, Refused, RunLine};
use super::index::{Index, RUNS, Run, cover_exactly_once};
use super::lines::read_line;
use super::manifest::{self, CollectionEntry, FileEntry, Manifest, PartEntry, SelectionEntry, TenantEntry, path_of};
use super::names;
use super::part_reader::PartReader;
use super::stored::HashedFile;
use crate::model::fold::{self, Layout};
use crate::model::{CLASS_BYTES, Schema, Sieve, TENANTS_BYTES, TENANTS_VALUES};

/// The largest document of aliases or roles a reader takes, in bytes.
const DOCUMENT_BYTES: u64 = 16 << 20;
/// The largest list of checksums, in bytes.
const SUMS_BYTES: u64 = 80 << 20;
/// Values in a document of aliases or roles.
const DOCUMENT_VALUES: u32 = 250_000;
/// The longest line of an index, in bytes; ours have about 400.
const INDEX_LINE_BYTES: usize = 4 << 10;

/// A sealed archive, opened for reading.
pub struct Archive {
    folder: Arc<dyn Folder>,
    path: PathBuf,
    manifest: Manifest,
    strays: Vec<String>,
    /// The parts that were opened so far: what is read of one later has to be what was proven first.
    stamps: Mutex<BTreeMap<String, Stamp>>,
}

impl Archive {
    /// Opens an archive and proves its manifest and the set and sizes of its files; what is in them is proven by reading
    /// them.
    pub fn open(disk: &Arc<dyn Disk>, path: &Path) -> Result<Self, Error> {
        let (archive, damages) = Self::open_damaged(disk, path, 1)?;
        damages.into_iter().next().map_or(Ok(archive), Err)
    }

    /// The same for who wants to know all that is damaged: an archive whose manifest is proven, and what is wrong with the
    /// set and sizes of its files, `at_most` of it.
    pub fn open_damaged(disk: &Arc<dyn Disk>, path: &Path, at_most: usize) -> Result<(Self, Vec<Error>), Error> {
        let (folder, manifest) = twice(&path.join(names::MANIFEST), || open_manifest(&**disk, path))?;
        let folder = Arc::from(folder);
        let files::Found { strays, damages } = files::check(&*folder, path, &manifest, at_most)?;
        Ok((Self { folder, path: path.to_owned(), manifest, strays, stamps: Mutex::default() }, damages))
    }

    /// The archive's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its collections, in the order of the plan.
    #[must_use]
    pub fn collections(&self) -> &[CollectionEntry] {
        &self.manifest.collections
    }

    /// Files that are no part of it and do it no harm, by their path in it.
    #[must_use]
    pub fn strays(&self) -> &[String] {
        &self.strays
    }

    /// A collection's schema, proven.
    pub fn schema(&self, collection: &CollectionEntry) -> Result<Schema, Error> {
        let path = path_of(collection, names::SCHEMA);
        twice(&self.path.join(&path), || self.schema_at(collection, &path))
    }

    fn schema_at(&self, collection: &CollectionEntry, path: &str) -> Result<Schema, Error> {
        let text = self.document_at(path)?.ok_or_else(|| Error::damaged(self.path.join(path), Damage::Missing))?;
        let schema =
            Schema::parse(text).map_err(|e| Error::damaged(self.path.join(path), Damage::Json(e.to_string())))?;
        if schema.name.as_str() != collection.name || schema.multi_tenant != collection.multi_tenant {
            return Err(Error::damaged(self.path.join(path), Damage::Sums("schema and manifest")));
        }
        Ok(schema)
    }

    /// A document of the archive (`aliases.json`, `roles.json`, `collections/…/tenants.json` …), proven; `None` if it
    /// has none.
    pub fn document(&self, path: &str) -> Result<Option<Bytes>, Error> {
        twice(&self.path.join(path), || self.document_at(path))
    }

    fn document_at(&self, path: &str) -> Result<Option<Bytes>, Error> {
        let Some(entry) = self.manifest.file(path) else { return Ok(None) };
        let at = self.path.join(path);
        let Opened { content: file, bytes: size, .. } = self.open_file(entry)?;
        let bytes = read_whole(file, size, longest(path), &at)?;
        if Hash(Sha256::digest(&bytes).into()) != entry.sha256 {
            return Err(Error::damaged(at, Damage::Hash));
        }
        Ok(Some(bytes.into()))
    }

    /// The error for a proven document that says something else than such documents do.
    #[must_use]
    pub fn not_read(&self, path: &str, error: &serde_json::Error) -> Error {
        Error::damaged(self.path.join(path), Damage::Json(error.to_string()))
    }

    /// Proves every file that is neither an index nor a part: schemas, aliases, roles, tenants and `SHA256SUMS`.
    pub fn prove_documents(&self) -> Result<(), Error> {
        self.document_proofs().find_map(Result::err).map_or(Ok(()), Err)
    }

    /// The same, one proof for each of these files, made as it is asked for.
    pub fn document_proofs(&self) -> impl Iterator<Item = Result<(), Error>> {
        let of_collection = |entry: &CollectionEntry| {
            [
                self.schema(entry).map(drop),
                self.prove_schema_before(entry),
                self.trusted(&path_of(entry, names::TENANTS), &fold::TENANTS, TENANTS_VALUES),
            ]
        };
        let aliases = std::iter::once_with(|| self.trusted(names::ALIASES, &fold::ALIASES, DOCUMENT_VALUES));
        let roles = std::iter::once_with(|| self.trusted(names::ROLES, &fold::ROLES, DOCUMENT_VALUES));
        let sums = std::iter::once_with(|| self.prove_sums());
        self.manifest.collections.iter().flat_map(of_collection).chain(aliases).chain(roles).chain(sums)
    }

    fn prove_schema_before(&self, entry: &CollectionEntry) -> Result<(), Error> {
        let before = path_of(entry, names::SCHEMA_BEFORE);
        if entry.schema_changed {
            twice(&self.path.join(&before), || self.schema_at(entry, &before))?;
        }
        Ok(())
    }

    /// What decides whether an object is among those that were selected. The schema is that of the collection.
    pub fn sieve(&self, selection: &SelectionEntry, schema: &Schema) -> Result<Option<Sieve>, Error> {
        selection.sieve(schema).map_err(|what| Error::damaged(self.path.join(names::MANIFEST), what))
    }

    fn prove_sums(&self) -> Result<(), Error> {
        let sums = manifest::sums(self.manifest.files.iter().filter(|file| file.path != names::SUMS));
        if self.document(names::SUMS)?.as_deref() == Some(sums.as_bytes()) {
            return Ok(());
        }
        Err(Error::damaged(self.path.join(names::SUMS), Damage::Sums("checksums and manifest")))
    }

    /// Proves a document that servers would take, if it is there.
    fn trusted(&self, path: &str, layout: &'static Layout, most_values: u32) -> Result<(), Error> {
        let Some(text) = self.document(path)? else { return Ok(()) };
        fold::check(&text, layout, most_values)
            .map_err(|misread| Error::damaged(self.path.join(path), Damage::Misread(misread)))
    }

    /// Proves the bytes of a part alone, for a collection whose schema or index is damaged.
    pub fn prove_bytes(&self, collection: &CollectionEntry, part: &PartEntry) -> Result<(), Error> {
        let path = path_of(collection, &part.file);
        let at = self.path.join(&path);
        let entry = self.manifest.file(&path).ok_or_else(|| Error::damaged(&at, Damage::Missing))?;
        let mut file = HashedFile::new(self.open_file(entry)?.content, entry.bytes);
        std::io::copy(&mut file, &mut std::io::sink()).map_err(on(DiskOp::Read, &at))?;
        let (bytes, sha256) = file.finish();
        if bytes != entry.bytes {
            return Err(Error::damaged(at, Damage::Size { declared: entry.bytes, found: bytes }));
        }
        if sha256 == entry.sha256 { Ok(()) } else { Err(Error::damaged(at, Damage::Hash)) }
    }

    /// A collection's runs by tenant and `from`, proven: they cover every key exactly once, and agree with the manifest.
    /// None if only the schema was kept.
    pub fn runs(&self, collection: &CollectionEntry) -> Result<Index, Error> {
        let path = path_of(collection, names::INDEX);
        let Some(entry) = self.manifest.file(&path) else { return Ok(Index::default()) };
        let at = self.path.join(&path);
        twice(&at, || self.runs_of(collection, entry, &at))
    }

    fn runs_of(&self, collection: &CollectionEntry, entry: &FileEntry, at: &Path) -> Result<Index, Error> {
        let file = self.open_file(entry)?.content;
        let runs = self.read_index(HashedFile::new(file, entry.bytes), entry, at)?;
        if !cover_exactly_once(&runs) {
            return Err(Error::damaged(at, Damage::Coverage));
        }
        self.agree(collection, &runs).map_err(|what| Error::damaged(at, what))?;
        Ok(Index::of(runs))
    }

    fn read_index(&self, file: HashedFile, entry: &FileEntry, at: &Path) -> Result<Vec<Run>, Error> {
        let mut from = BufReader::new(file);
        let (mut runs, mut line, mut number) = (Vec::new(), Vec::new(), 0);
        while read_line(&mut from, &mut line, INDEX_LINE_BYTES).map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidData => {
                Error::damaged_line(at, number + 1, Damage::Limit { limit: INDEX_LINE_BYTES as u64 })
            }
            _ => Error::disk(DiskOp::Read, at, 0, e),
        })? {
            number += 1;
            let damaged = |what| Error::damaged_line(at, number, what);
            if number > RUNS {
                return Err(damaged(Damage::Limit { limit: RUNS }));
            }
            let line: RunLine = serde_json::from_slice(&line).map_err(|e| damaged(Damage::Json(e.to_string())))?;
            runs.push(line.into_run(self.manifest.codec).map_err(damaged)?);
        }
        let (bytes, sha256) = from.into_inner().finish();
        if bytes != entry.bytes {
            return Err(Error::damaged(at, Damage::Size { declared: entry.bytes, found: bytes }));
        }
        if sha256 != entry.sha256 {
            return Err(Error::damaged(at, Damage::Hash));
        }
        Ok(runs)
    }

    /// Tenants and parts add up to what the manifest says of them.
    fn agree(&self, collection: &CollectionEntry, runs: &[Run]) -> Result<(), Damage> {
        let mut parts = BTreeMap::<u32, (u64, u64, u64, u64)>::new();
        for run in runs {
            if let Some(part) = run.part {
                let sum = parts.entry(part).or_default();
                *sum = (
                    sum.0.saturating_add(run.objects),
                    sum.1.saturating_add(run.bytes),
                    sum.2 + 1,
                    sum.3.saturating_add(run.stored_bytes),
                );
            }
        }
        let codec = self.manifest.codec;
        let declared = collection.parts.iter().map(|part| {
            let stored = self.manifest.file(&path_of(collection, &part.file)).map_or(0, |file| file.bytes);
            let number = names::part_number(&part.file, codec).unwrap_or(u32::MAX);
            (number, (part.objects, part.bytes, part.runs, stored))
        });
        if !declared.eq(parts) {
            return Err(Damage::Sums("runs and parts"));
        }
        let tenants = runs.chunk_by(|a, b| a.tenant == b.tenant).map(|of_tenant| {
            let mut sum = RunDigest::default();
            for run in of_tenant {
                sum.add(run.digest.hash());
            }
            TenantEntry {
                tenant: of_tenant[0].tenant.clone().map(String::from),
                objects: of_tenant.iter().fold(0, |n, run| n.saturating_add(run.objects)),
                bytes: of_tenant.iter().fold(0, |n, run| n.saturating_add(run.bytes)),
                digest: sum.hash(),
            }
        });
        if !tenants.eq(collection.tenants.iter().cloned()) {
            return Err(Damage::Sums("runs and tenants"));
        }
        let left_out = runs.iter().fold(0_u64, |sum, run| sum.saturating_add(run.left_out));
        let declared =
            collection.selection.as_ref().map_or(0, |one| one.objects_read.saturating_sub(collection.objects));
        if left_out == declared { Ok(()) } else { Err(Damage::Selection) }
    }

    /// The places among the runs of a collection of those inside one of its parts, in the order of the file.
    #[must_use]
    pub fn inside<'a>(&self, part: &PartEntry, runs: &'a Index) -> &'a [usize] {
        names::part_number(&part.file, self.manifest.codec).map_or(&[], |number| runs.inside(number))
    }

    /// Opens a part of a collection. `runs` are the collection's, as `runs` gave them.
    pub fn part(&self, collection: &CollectionEntry, part: &PartEntry, runs: &Index) -> Result<PartReader, Error> {
        let path = path_of(collection, &part.file);
        let at = self.path.join(&path);
        let entry = self.manifest.file(&path).ok_or_else(|| Error::damaged(&at, Damage::Missing))?;
        let inside: Vec<Run> = self.inside(part, runs).iter().map(|at| runs[*at].clone()).collect();
        let mut end = 0u64;
        for run in &inside {
            if run.offset != end {
                return Err(Error::damaged(&at, Damage::Sums("offsets of runs")));
            }
            end = end.saturating_add(run.stored_bytes);
        }
        if end != entry.bytes {
            return Err(Error::damaged(&at, Damage::Sums("offsets of runs")));
        }
        let file = self.open_same(entry)?;
        let reader = PartReader::new(at, self.manifest.codec, entry.clone(), inside, file);
        Ok(reader.kept_in(Arc::clone(&self.folder)))
    }

    /// Opens a part; the same file in the same state as the first time.
    fn open_same(&self, entry: &FileEntry) -> Result<Box<dyn Read + Send>, Error> {
        let opened = self.open_file(entry)?;
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if stamps.insert(entry.path.clone(), opened.stamp).is_some_and(|first| first != opened.stamp) {
            return Err(Error::damaged(self.path.join(&entry.path), Damage::Replaced));
        }
        Ok(opened.content)
    }

    fn open_file(&self, entry: &FileEntry) -> Result<Opened, Error> {
        let at = self.path.join(&entry.path);
        let opened = self.folder.open(&entry.path).map_err(|e| refused_open(e, &at))?;
        if opened.bytes != entry.bytes {
            return Err(Error::damaged(at, Damage::Size { declared: entry.bytes, found: opened.bytes }));
        }
        Ok(opened)
    }
}

/// The most bytes of a document, by its path in the archive.
fn longest(path: &str) -> u64 {
    match path.rsplit('/').next().unwrap_or_default() {
        names::SCHEMA | names::SCHEMA_BEFORE => CLASS_BYTES,
        names::TENANTS => TENANTS_BYTES,
        names::SUMS => SUMS_BYTES,
        _ => DOCUMENT_BYTES,
    }
}

fn open_dir(disk: &dyn Disk, path: &Path) -> Result<Box<dyn Folder>, Error> {
    use std::io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
    let named = || path.to_owned();
    disk.open_folder(path).map_err(|e| match e.kind() {
        NotFound => Error::NotFound { path: named() },
        NotADirectory => Error::NotAnArchive { path: named() },
        InvalidInput => Error::IsLink { path: named() },
        _ => Error::disk(DiskOp::Open, path, 0, e),
    })
}

/// Opens the directory of an archive that is not sealed.
pub(super) fn unsealed_folder(disk: &dyn Disk, path: &Path) -> Result<Box<dyn Folder>, Error> {
    let folder = open_dir(disk, path)?;
    match folder.open(names::MANIFEST) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(folder),
        Ok(_) => Err(Error::Sealed { path: path.to_owned() }),
        Err(e) => Err(refused_open(e, &path.join(names::MANIFEST))),
    }
}

/// Opens an archive's directory and proves its manifest, and nothing else.
pub(super) fn open_manifest(disk: &dyn Disk, path: &Path) -> Result<(Box<dyn Folder>, Manifest), Error> {
    use std::io::ErrorKind::NotFound;
    let named = || path.to_owned();
    let folder = open_dir(disk, path)?;
    let at = path.join(names::MANIFEST);
    let opened = match folder.open(names::MANIFEST) {
        Err(e) if e.kind() == NotFound => return Err(unsealed(&*folder, path)),
        opened => opened,
    };
    let opened = opened.map_err(|e| refused_open(e, &at))?;
    if opened.bytes > format::MANIFEST_BYTES {
        return Err(Error::damaged(&at, Damage::Limit { limit: format::MANIFEST_BYTES }));
    }
    let mut first = Some(opened.content);
    let again = || first.take().map_or_else(|| folder.open(names::MANIFEST).map(|opened| opened.content), Ok);
    let read = format::read(again, opened.bytes).map_err(on(DiskOp::Read, &at))?;
    let manifest = read.map_err(|refused| match refused {
        Refused::Damaged(what) => Error::damaged(&at, what),
        Refused::Newer { format, tool_version } => {
            Error::NewerFormat { path: named(), major: format.major, minor: format.minor, tool_version }
        }
    })?;
    Ok((folder, manifest))
}

fn refused_open(error: std::io::Error, at: &Path) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::damaged(at, Damage::Missing),
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::NotADirectory => Error::damaged(at, Damage::NotRegular),
        _ => Error::disk(DiskOp::Open, at, 0, error),
    }
}

/// Reads a file of known size into memory; more or less than that, or than the limit, is damage.
pub(super) fn read_whole(file: Box<dyn Read + Send>, size: u64, limit: u64, at: &Path) -> Result<Vec<u8>, Error> {
    if size > limit {
        return Err(Error::damaged(at, Damage::Limit { limit }));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(size + 1).read_to_end(&mut bytes).map_err(on(DiskOp::Read, at))?;
    let found = bytes.len() as u64;
    if found == size { Ok(bytes) } else { Err(Error::damaged(at, Damage::Size { declared: size, found })) }
}

/// A directory without a manifest: an unsealed archive if it has a journal.
fn unsealed(folder: &dyn Folder, path: &Path) -> Error {
    match checkpoint(folder, path) {
        Ok(read) => Error::Unsealed { path: path.to_owned(), parts: read.parts(), objects: read.objects() },
        Err(e) => e,
    }
}

/// The journal of an unsealed archive.
pub(super) fn checkpoint(folder: &dyn Folder, path: &Path) -> Result<Checkpoint, Error> {
    let at = path.join(names::CHECKPOINT);
    match folder.open(names::CHECKPOINT) {
        Ok(opened) => Checkpoint::read(BufReader::new(opened.content), &at),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Error::NotAnArchive { path: path.to_owned() }),
        Err(e) => Err(refused_open(e, &at)),
    }
}

#[cfg(test)]
mod tests;
