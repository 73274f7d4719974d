//! A journal: append-only, a record a line, each line with its own checksum. A torn tail is ignored, a bad line before
//! a good one is damage. What a record is, others say.

use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk::Disk;
use super::error::{Damage, DiskOp, Error, on};
use super::growing::GrowingFile;
use super::lines::read_line;
use super::names;

/// What a line begins with; 16 hex digits of the record's blake3 follow.
const CHECK: &str = "{\"check\":\"";
/// What stands between the digits and the record.
const RECORD: &str = "\",\"record\":";
/// Digits of a line's checksum.
const CHECK_DIGITS: usize = 16;
/// The longest line of a journal, in bytes (the header's options are the longest).
const LINE_BYTES: usize = 16 << 20;

fn check(record: &[u8]) -> String {
    blake3::hash(record).to_hex()[..CHECK_DIGITS].to_owned()
}

/// A journal being written.
pub(super) struct Journal(GrowingFile);

impl Journal {
    /// Begins the journal of a directory with its first record, durably.
    pub(super) fn create(disk: &dyn Disk, dir: &Path, first: &impl Serialize) -> Result<Self, Error> {
        let mut journal = Self(GrowingFile::create(disk, dir.join(names::CHECKPOINT))?);
        journal.append(first)?;
        journal.sync()?;
        disk.sync_dir(dir).map_err(on(DiskOp::SyncDir, dir))?;
        Ok(journal)
    }

    /// Resumes the journal of a directory: hands every record to `take`, as [`read`] does, and keeps them. What was torn
    /// off is cut: the good lines are written anew, and the new file takes the old one's place only once it is durable.
    pub(super) fn resume<T: DeserializeOwned>(
        disk: &dyn Disk,
        dir: &Path,
        mut take: impl FnMut(T) -> Option<()>,
    ) -> Result<Self, Error> {
        let path = dir.join(names::CHECKPOINT);
        let folder = disk.open_folder(dir).map_err(on(DiskOp::Open, dir))?;
        let old = folder.open(names::CHECKPOINT).map_err(on(DiskOp::Open, &path))?.content;
        let mut anew = GrowingFile::beside(disk, path.clone())?;
        read_lines(BufReader::new(old), &path, |line, record| {
            anew.put(line)?;
            Ok(take(record))
        })?;
        anew.take_place(disk)?;
        Ok(Self(anew))
    }

    /// Adds a record; it is durable after `sync`.
    pub(super) fn append(&mut self, record: &impl Serialize) -> Result<(), Error> {
        self.push(record)?;
        if self.is_full() { self.0.flush() } else { Ok(()) }
    }

    /// Adds a record in memory alone; whoever asks must look at `is_full`.
    pub(super) fn push(&mut self, record: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_vec(record).map_err(|e| Error::disk(DiskOp::Write, self.0.path(), 0, e.into()))?;
        for piece in [CHECK.as_bytes(), check(&text).as_bytes(), RECORD.as_bytes(), &text, b"}\n"] {
            self.0.gather(piece);
        }
        Ok(())
    }

    /// Whether enough has gathered to be handed to the disk.
    pub(super) fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// Makes every record so far durable.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        self.0.sync()
    }
}

/// The first record of a journal, if its line is whole; the others are left for [`read`].
pub(super) fn first<T: DeserializeOwned>(mut from: impl BufRead) -> Option<T> {
    let mut line = Vec::new();
    read_line(&mut from, &mut line, LINE_BYTES).ok()?;
    parse_line(line.strip_suffix(b"\n")?)
}

/// Hands every record of a journal to `take`, which says `None` to one that contradicts those before it. Gives whether
/// the tail was torn off. `path` is only for errors.
pub(super) fn read<T: DeserializeOwned>(
    from: impl BufRead,
    path: &Path,
    mut take: impl FnMut(T) -> Option<()>,
) -> Result<bool, Error> {
    read_lines(from, path, |_, record| Ok(take(record)))
}

/// The same with each good line, its end included.
fn read_lines<T: DeserializeOwned>(
    mut from: impl BufRead,
    path: &Path,
    mut take: impl FnMut(&[u8], T) -> Result<Option<()>, Error>,
) -> Result<bool, Error> {
    let (mut line, mut number, mut bad) = (Vec::new(), 0, None);
    while read_line(&mut from, &mut line, LINE_BYTES).map_err(|e| bad_read(e, path, number + 1))? {
        number += 1;
        let whole = line.strip_suffix(b"\n");
        match (whole.and_then(parse_line), bad) {
            (None, _) => bad = bad.or(Some(number)),
            (Some(_), Some(bad)) => return Err(Error::damaged_line(path, bad, Damage::JournalLine)),
            (Some(record), None) => {
                take(&line, record)?.ok_or_else(|| Error::damaged_line(path, number, Damage::JournalOrder))?;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{CRASHES, SimDisk};
    use super::*;

    const DIR: &str = "/runs";

    /// A directory whose journal holds the numbers below `n`, and the bytes of it.
    fn written(n: u64) -> (SimDisk, Vec<u8>) {
        let disk = SimDisk::recording();
        disk.create_dir(Path::new(DIR)).expect("a directory");
        disk.sync_dir(Path::new("/")).expect("synced");
        let mut journal = Journal::create(&disk, Path::new(DIR), &0_u64).expect("a journal");
        for number in 1..n {
            journal.append(&number).expect("kept");
        }
        journal.sync().expect("durable");
        let bytes = disk.read(&Path::new(DIR).join(names::CHECKPOINT));
        (disk, bytes)
    }

    fn numbers(disk: &SimDisk) -> (Vec<u64>, bool) {
        let path = Path::new(DIR).join(names::CHECKPOINT);
        let mut found = Vec::new();
        let bytes = disk.read(&path);
        let torn = read(&*bytes, &path, |number| {
            found.push(number);
            Some(())
        });
        (found, torn.expect("no damage"))
    }

    #[test]
    fn a_torn_journal_is_carried_on_where_its_last_whole_line_ended() {
        let (_, bytes) = written(4);
        for cut in 0..bytes.len() {
            let (disk, _) = written(4);
            disk.set(&Path::new(DIR).join(names::CHECKPOINT), Some(bytes[..cut].to_vec()));
            let mut before = Vec::new();
            let mut journal = Journal::resume(&disk, Path::new(DIR), |number: u64| {
                before.push(number);
                Some(())
            })
            .expect("carried on");
            journal.append(&99_u64).expect("kept");
            journal.sync().expect("durable");
            before.push(99);
            assert_eq!(numbers(&disk), (before, false), "cut at {cut}");
        }
    }

    #[test]
    fn a_power_cut_while_a_journal_is_carried_on_loses_no_line_of_it() {
        let (disk, _) = written(50);
        let before = disk.crashes().len();
        let mut journal = Journal::resume(&disk, Path::new(DIR), |_: u64| Some(())).expect("carried on");
        journal.append(&50_u64).expect("kept");
        journal.sync().expect("durable");
        let crashes = disk.crashes();
        assert!(crashes.len() >= before + 5 * CRASHES.len());
        for (step, how, left) in crashes.into_iter().skip(before) {
            let (found, _) = numbers(&left);
            assert!(found.len() >= 50 && found.iter().zip(0..).all(|(a, b)| *a == b), "{step} {how:?}: {found:?}");
            // Whatever the cut left beside it is in nobody's way.
            let left: Arc<dyn Disk> = Arc::new(left);
            Journal::resume(&*left, Path::new(DIR), |_: u64| Some(())).expect("carried on once more");
        }
    }

    #[test]
    fn a_journal_with_a_bad_line_before_a_good_one_is_not_carried_on() {
        let (disk, mut bytes) = written(4);
        bytes[20] ^= 1;
        disk.set(&Path::new(DIR).join(names::CHECKPOINT), Some(bytes.clone()));
        let refused = Journal::resume(&disk, Path::new(DIR), |_: u64| Some(()));
        assert!(matches!(refused, Err(Error::Damaged { .. })));
        assert_eq!(disk.read(&Path::new(DIR).join(names::CHECKPOINT)), bytes, "and is left as it was");
    }
}
