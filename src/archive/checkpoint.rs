//! The journal of an unsealed archive, read back: what is safe so far.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::path::Path;

use jiff::Timestamp;

use super::content::Content;
use super::digest::Hash;
use super::error::Error;
use super::format::Record;
use super::header::CheckpointHeader;
use super::index::Run;
use super::journal;
use super::names;
use crate::model::{ObjectId, TenantName};

/// A part the journal knows to be safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointPart {
    /// Its file's name in the collection's folder.
    pub file: String,
    /// Objects in it.
    pub objects: u64,
    /// Bytes before compression.
    pub bytes: u64,
    /// Bytes on disk.
    pub stored_bytes: u64,
    /// SHA-256 of the stored bytes.
    pub sha256: Hash,
    /// Its runs, in the order of the file.
    pub runs: Vec<Run>,
    /// Vectors known when it was sealed, with their dimensions.
    pub vectors: BTreeMap<String, u64>,
}

/// A collection of an unsealed archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointCollection {
    /// Its name.
    pub name: String,
    /// What is kept of it.
    pub content: Content,
    /// Whether it has tenants.
    pub multi_tenant: bool,
    /// SHA-256 of its schema when it was begun.
    pub schema_sha256: Hash,
    /// Its safe parts by file name.
    pub parts: BTreeMap<String, CheckpointPart>,
    /// Its empty runs by tenant and `from`.
    pub empty: BTreeMap<(Option<TenantName>, Option<ObjectId>), Run>,
    /// Whether it is complete.
    pub closed: bool,
    /// Whether all that counts of it was read by a process that got to its end.
    pub was_closed: bool,
    /// The names of its shards, if it is a plain one and they were known.
    pub shards: Vec<String>,
    /// Objects kept without a vector that the server cannot print, be they in safe parts or not.
    pub incomplete: BTreeSet<(Option<TenantName>, ObjectId)>,
    /// The highest number a part of it ever had, plus one.
    pub next_part: u32,
    /// Runs whose part has not come yet.
    waiting: Vec<Run>,
}

/// What a journal says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    /// What it is about; `None` if not even its first line is whole.
    pub header: Option<CheckpointHeader>,
    /// Collections by folder.
    pub collections: BTreeMap<String, CheckpointCollection>,
    /// Folders of collections that were given up and not begun anew: what is left of them is to be removed.
    pub gone: BTreeSet<String>,
    /// When others carried the run on, the first time first.
    pub resumed: Vec<Timestamp>,
    /// Whether its tail was torn off.
    pub torn: bool,
}

impl Checkpoint {
    /// Reads a journal. `path` is only for errors.
    pub fn read(from: impl BufRead, path: &Path) -> Result<Self, Error> {
        let mut checkpoint = Self::default();
        checkpoint.torn = journal::read(from, path, |record| checkpoint.take(record))?;
        checkpoint.forget_waiting();
        Ok(checkpoint)
    }

    /// Runs whose part never came are not safe.
    pub(super) fn forget_waiting(&mut self) {
        self.collections.values_mut().for_each(|c| c.waiting.clear());
    }

    /// Safe parts in all collections.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.collections.values().map(|c| c.parts.len() as u64).sum()
    }

    /// Objects in them.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.collections.values().flat_map(|c| c.parts.values()).map(|p| p.objects).sum()
    }

    pub(super) fn take(&mut self, record: Record) -> Option<()> {
        let codec = self.header.as_ref().map(|h| h.codec);
        match record {
            Record::Header(header) => {
                let first = self.header.is_none();
                self.header = Some(header);
                first.then_some(())
            }
            Record::Collection { name, folder, content, multi_tenant, schema_sha256 } => {
                codec?;
                let begun = CheckpointCollection {
                    name,
                    content,
                    multi_tenant,
                    schema_sha256,
                    parts: BTreeMap::new(),
                    empty: BTreeMap::new(),
                    closed: false,
                    was_closed: false,
                    shards: Vec::new(),
                    incomplete: BTreeSet::new(),
                    next_part: 0,
                    waiting: Vec::new(),
                };
                self.gone.remove(&folder);
                (names::is_folder(&folder) && self.collections.insert(folder, begun).is_none()).then_some(())
            }
            Record::Run { folder, run } => {
                let collection = self.collections.get_mut(&folder)?;
                collection.was_closed = false;
                collection.run(run.into_run(codec?).ok()?)
            }
            Record::Part { folder, part, objects, bytes, runs, stored_bytes, sha256, vectors } => {
                let number = names::part_number(&part, codec?)?;
                let collection = self.collections.get_mut(&folder)?;
                collection.next_part = collection.next_part.max(number + 1);
                let of_part = std::mem::take(&mut collection.waiting);
                let adds_up = of_part.len() as u64 == runs
                    && of_part.iter().map(|r| r.objects).sum::<u64>() == objects
                    && of_part.iter().map(|r| r.bytes).sum::<u64>() == bytes
                    && of_part.iter().map(|r| r.stored_bytes).sum::<u64>() == stored_bytes;
                let sealed =
                    CheckpointPart { file: part.clone(), objects, bytes, stored_bytes, sha256, runs: of_part, vectors };
                (adds_up && collection.parts.insert(part, sealed).is_none()).then_some(())
            }
            Record::DropPart { folder, part } => self.collections.get_mut(&folder)?.parts.remove(&part).map(|_| ()),
            Record::DropEmpty { folder, tenant, from } => {
                self.collections.get_mut(&folder)?.empty.remove(&(tenant, from)).map(|_| ())
            }
            Record::Closed { folder } => {
                let collection = self.collections.get_mut(&folder)?;
                let once = !collection.closed;
                (collection.closed, collection.was_closed) = (true, true);
                once.then_some(())
            }
            Record::Gone { folder } => {
                self.collections.remove(&folder)?;
                self.gone.insert(folder);
                Some(())
            }
            Record::Shards { folder, shards } => {
                self.collections.get_mut(&folder)?.shards = shards;
                Some(())
            }
            Record::Incomplete { folder, tenant, ids } => {
                let collection = self.collections.get_mut(&folder)?;
                collection.incomplete.extend(ids.into_iter().map(|id| (tenant.clone(), id)));
                Some(())
            }
            Record::Resumed { at } => {
                codec?;
                self.forget_waiting();
                self.collections.values_mut().for_each(|c| c.closed = false);
                self.resumed.push(at);
                Some(())
            }
        }
    }
}

impl CheckpointCollection {
    fn run(&mut self, run: Run) -> Option<()> {
        if run.part.is_some() {
            self.waiting.push(run);
            return Some(());
        }
        self.empty.insert((run.tenant.clone(), run.covers.from), run).is_none().then_some(())
    }
}

#[cfg(test)]
mod tests;
