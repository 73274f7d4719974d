//! The file of refused objects: a line for each, written, read back, and resumed after a kill.

use std::io::{BufReader, ErrorKind};
use std::path::Path;

use super::super::disk::Disk;
use super::super::error::{DiskOp, Error, on};
use super::super::format::{Refusal, RejectedLine};
use super::super::growing::{GrowingFile, remove_beside};
use super::super::lines::{OBJECT_BYTES, read_line};

/// The objects the server refused, one a line.
const REJECTED: &str = "rejected.jsonl";
/// The longest line, in bytes: an object, and what stands before it.
const LINE_BYTES: usize = OBJECT_BYTES + (64 << 10);

/// The file of refused objects.
pub(super) struct Rejected {
    file: GrowingFile,
    unsynced: bool,
}

impl Rejected {
    pub(super) fn create(disk: &dyn Disk, dir: &Path) -> Result<Self, Error> {
        let file = GrowingFile::create(disk, dir.join(REJECTED))?;
        disk.sync_dir(dir).map_err(on(DiskOp::SyncDir, dir))?;
        Ok(Self { file, unsynced: false })
    }

    /// Resumes the file of a directory: lines that `keep` does not want are left out, and the new file takes the old
    /// one's place only once it is durable. `None` if there is none, or nothing is kept: then there is none any more.
    pub(super) fn resume(
        disk: &dyn Disk,
        dir: &Path,
        mut keep: impl FnMut(&RejectedLine) -> bool,
    ) -> Result<Option<Self>, Error> {
        let path = dir.join(REJECTED);
        if disk.look(&path).map_err(on(DiskOp::Look, &path))?.is_none() {
            remove_beside(disk, &path)?;
            return Ok(None);
        }
        let (mut file, mut kept) = (GrowingFile::beside(disk, path)?, false);
        read(disk, dir, |line, text| {
            if !keep(line) {
                return Ok(());
            }
            kept = true;
            file.put(text)
        })?;
        if kept {
            file.take_place(disk)?;
            return Ok(Some(Self { file, unsynced: false }));
        }
        disk.remove_file(file.path()).map_err(on(DiskOp::Remove, file.path()))?;
        remove_beside(disk, file.path())?;
        disk.sync_dir(dir).map_err(on(DiskOp::SyncDir, dir))?;
        Ok(None)
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn add(&mut self, refusal: &Refusal<'_>, object: &[u8]) -> Result<(), Error> {
        self.unsynced = true;
        let text = serde_json::to_vec(refusal).map_err(|e| Error::disk(DiskOp::Write, self.path(), 0, e.into()))?;
        for piece in [text.strip_suffix(b"}").unwrap_or(&text), b",\"object\":", object, b"}\n"] {
            self.file.put(piece)?;
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.unsynced) { self.file.sync() } else { Ok(()) }
    }
}

/// Hands on every whole line of a directory's file, its end included; none if there is no such file. What was torn off is
/// passed over: nothing counts it.
pub(super) fn read(
    disk: &dyn Disk,
    dir: &Path,
    mut each: impl FnMut(&RejectedLine, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let path = dir.join(REJECTED);
    let folder = disk.open_folder(dir).map_err(on(DiskOp::Open, dir))?;
    let file = match folder.open(REJECTED) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(on(DiskOp::Open, &path))?.content,
    };
    let (mut from, mut text) = (BufReader::new(file), Vec::new());
    while read_line(&mut from, &mut text, LINE_BYTES).map_err(|e| Error::disk(DiskOp::Read, &path, 0, e))? {
        let Some(whole) = text.strip_suffix(b"\n") else { continue };
        if let Ok(line) = serde_json::from_slice::<RejectedLine>(whole) {
            each(&line, &text)?;
        }
    }
    Ok(())
}
