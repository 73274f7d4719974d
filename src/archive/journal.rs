//! A journal: append-only, a record a line, each line with its own checksum. A torn tail is ignored, a bad line before
//! a good one is damage. What a record is, others say.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk::{Disk, WriteFile};
use super::error::{Damage, DiskOp, Error, on};
use super::lines::read_line;
use super::names;

/// What a line begins with; 16 hex digits of the record's blake3 follow.
const CHECK: &str = "{\"check\":\"";
/// What stands between the digits and the record.
const RECORD: &str = "\",\"record\":";
/// Digits of a line's checksum.
const CHECK_DIGITS: usize = 16;
/// Records are handed to the disk when this many bytes have gathered.
pub(super) const PENDING_BYTES: usize = 256 << 10;
/// The longest line of a journal, in bytes (the header's options are the longest).
const LINE_BYTES: usize = 16 << 20;

fn check(record: &[u8]) -> String {
    blake3::hash(record).to_hex()[..CHECK_DIGITS].to_owned()
}

/// A journal being written.
pub(super) struct Journal {
    file: Box<dyn WriteFile>,
    path: PathBuf,
    pending: Vec<u8>,
}

impl Journal {
    /// Begins the journal of a directory with its first record, durably.
    pub(super) fn create(disk: &dyn Disk, dir: &Path, first: &impl Serialize) -> Result<Self, Error> {
        let path = dir.join(names::CHECKPOINT);
        let file = disk.create_file(&path).map_err(on(DiskOp::CreateFile, &path))?;
        let mut journal = Self { file, path, pending: Vec::new() };
        journal.append(first)?;
        journal.sync()?;
        disk.sync_dir(dir).map_err(on(DiskOp::SyncDir, dir))?;
        Ok(journal)
    }

    /// Adds a record; it is durable after `sync`.
    pub(super) fn append(&mut self, record: &impl Serialize) -> Result<(), Error> {
        self.push(record)?;
        if self.is_full() { self.write() } else { Ok(()) }
    }

    /// Adds a record in memory alone; whoever asks must look at `is_full`.
    pub(super) fn push(&mut self, record: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_vec(record).map_err(|e| Error::disk(DiskOp::Write, &self.path, 0, e.into()))?;
        self.pending.extend_from_slice(CHECK.as_bytes());
        self.pending.extend_from_slice(check(&text).as_bytes());
        self.pending.extend_from_slice(RECORD.as_bytes());
        self.pending.extend_from_slice(&text);
        self.pending.extend_from_slice(b"}\n");
        Ok(())
    }

    /// Whether enough has gathered to be handed to the disk.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= PENDING_BYTES
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

/// Hands every record of a journal to `take`, which says `None` to one that contradicts those before it. Gives whether
/// the tail was torn off. `path` is only for errors.
pub(super) fn read<T: DeserializeOwned>(
    mut from: impl BufRead,
    path: &Path,
    mut take: impl FnMut(T) -> Option<()>,
) -> Result<bool, Error> {
    let (mut line, mut number, mut bad) = (Vec::new(), 0, None);
    while read_line(&mut from, &mut line, LINE_BYTES).map_err(|e| bad_read(e, path, number + 1))? {
        number += 1;
        let whole = line.strip_suffix(b"\n");
        match (whole.and_then(parse_line), bad) {
            (None, _) => bad = bad.or(Some(number)),
            (Some(_), Some(bad)) => return Err(Error::damaged_line(path, bad, Damage::JournalLine)),
            (Some(record), None) => {
                take(record).ok_or_else(|| Error::damaged_line(path, number, Damage::JournalOrder))?;
            }
        }
    }
    Ok(bad.is_some())
}

/// The record of a line without its line end, if its checksum is right.
fn parse_line<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let rest = line.strip_prefix(CHECK.as_bytes())?;
    let (digits, rest) = rest.split_at_checked(CHECK_DIGITS)?;
    let record = rest.strip_prefix(RECORD.as_bytes())?.strip_suffix(b"}")?;
    if check(record).as_bytes() != digits {
        return None;
    }
    serde_json::from_slice(record).ok()
}

fn bad_read(error: io::Error, path: &Path, line: u64) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => Error::damaged_line(path, line, Damage::Limit { limit: LINE_BYTES as u64 }),
        _ => Error::disk(DiskOp::Read, path, 0, error),
    }
}
