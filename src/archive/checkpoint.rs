//! The journal of an unsealed archive: what is safe so far. Append-only; each line carries its own checksum; a torn tail
//! is ignored, a bad line before a good one is damage.

mod replay;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::codec::Codec;
use super::digest::Hash;
use super::disk::{Disk, WriteFile};
use super::error::{DiskOp, Error, on};
use super::index::RunLine;
use super::manifest::{Content, Format, Tool};
use super::names;
use crate::model::{ObjectId, TenantName};

pub use replay::{Checkpoint, CheckpointCollection, CheckpointPart};

/// What a line begins with; 16 hex digits of the record's blake3 follow.
const CHECK: &str = "{\"check\":\"";
/// What stands between the digits and the record.
const RECORD: &str = "\",\"record\":";
/// Digits of a line's checksum.
const CHECK_DIGITS: usize = 16;
/// Records are handed to the disk when this many bytes have gathered.
const PENDING_BYTES: usize = 256 << 10;

/// What a journal is about; a run may only be resumed if all of this still holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointHeader {
    /// The archive's format.
    pub format: Format,
    /// What wrote it.
    pub tool: Tool,
    /// The run (a UUID).
    pub run_id: String,
    /// When it started, UTC.
    pub started: Timestamp,
    /// The server's URL without credentials.
    pub source_url: String,
    /// The server's version.
    pub server_version: String,
    /// The parts' compression.
    pub codec: Codec,
    /// The collections of the plan.
    pub collections: Vec<String>,
    /// The run's options.
    pub options: Map<String, Value>,
}

/// One line of the journal. Frozen with the format version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Record {
    /// The first line.
    Header(CheckpointHeader),
    /// A collection was begun and its schema is safe.
    Collection { name: String, folder: String, content: Content, multi_tenant: bool, schema_sha256: Hash },
    /// A run: an empty one counts at once, another one with its part.
    Run { folder: String, run: RunLine },
    /// A part is safe, with the `runs` runs that stand before it.
    Part {
        folder: String,
        part: String,
        objects: u64,
        bytes: u64,
        runs: u64,
        stored_bytes: u64,
        sha256: Hash,
        vectors: BTreeMap<String, u64>,
    },
    /// A part is about to be removed and its runs no longer count.
    DropPart { folder: String, part: String },
    /// An empty run no longer counts.
    DropEmpty { folder: String, tenant: Option<TenantName>, from: Option<ObjectId> },
    /// A collection is complete, and its index safe.
    Closed { folder: String },
}

fn check(record: &[u8]) -> String {
    blake3::hash(record).to_hex()[..CHECK_DIGITS].to_owned()
}

/// The journal being written.
pub(super) struct Journal {
    file: Box<dyn WriteFile>,
    path: PathBuf,
    pending: Vec<u8>,
}

impl Journal {
    /// Begins a journal with its header, durably.
    pub(super) fn create(disk: &dyn Disk, dir: &std::path::Path, header: CheckpointHeader) -> Result<Self, Error> {
        let path = dir.join(names::CHECKPOINT);
        let file = disk.create_file(&path).map_err(on(DiskOp::CreateFile, &path))?;
        let mut journal = Self { file, path, pending: Vec::new() };
        journal.append(&Record::Header(header))?;
        journal.sync()?;
        disk.sync_dir(dir).map_err(on(DiskOp::SyncDir, dir))?;
        Ok(journal)
    }

    /// Adds a record; it is durable after `sync`.
    pub(super) fn append(&mut self, record: &Record) -> Result<(), Error> {
        let text = serde_json::to_vec(record).map_err(|e| Error::disk(DiskOp::Write, &self.path, 0, e.into()))?;
        self.pending.extend_from_slice(CHECK.as_bytes());
        self.pending.extend_from_slice(check(&text).as_bytes());
        self.pending.extend_from_slice(RECORD.as_bytes());
        self.pending.extend_from_slice(&text);
        self.pending.extend_from_slice(b"}\n");
        if self.pending.len() >= PENDING_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), Error> {
        let needed = self.pending.len() as u64;
        self.file.write_all(&self.pending).map_err(|e| Error::disk(DiskOp::Write, &self.path, needed, e))?;
        self.pending.clear();
        Ok(())
    }

    /// Makes every record so far durable.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        self.write()?;
        self.file.sync().map_err(on(DiskOp::Sync, &self.path))
    }
}

/// The record of a line without its line end, if its checksum is right.
pub(super) fn parse_line(line: &[u8]) -> Option<Record> {
    let rest = line.strip_prefix(CHECK.as_bytes())?;
    let (digits, rest) = rest.split_at_checked(CHECK_DIGITS)?;
    let record = rest.strip_prefix(RECORD.as_bytes())?.strip_suffix(b"}")?;
    if check(record).as_bytes() != digits {
        return None;
    }
    serde_json::from_slice(record).ok()
}

#[cfg(test)]
mod tests;
