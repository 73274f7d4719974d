//! The file of refused objects: a line for each, written, read back, and carried on after a kill.

use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::disk::{Disk, WriteFile};
use super::super::error::{DiskOp, Error, on};
use super::super::journal::PENDING_BYTES;
use super::super::lines::{OBJECT_BYTES, read_line};
use super::super::names;
use crate::model::{CollectionName, ObjectId, TenantName};

/// The objects the server refused, one a line.
const REJECTED: &str = "rejected.jsonl";
/// The longest line, in bytes: an object, and what stands before it.
const LINE_BYTES: usize = OBJECT_BYTES + (64 << 10);

/// What stands before the object in a line of refused objects.
#[derive(Serialize)]
pub(super) struct Refusal<'a> {
    pub(super) collection: &'a CollectionName,
    pub(super) tenant: Option<&'a TenantName>,
    pub(super) id: ObjectId,
    pub(super) reason: &'a str,
}

/// The file of refused objects.
pub(super) struct Rejected {
    file: Box<dyn WriteFile>,
    path: PathBuf,
    pending: Vec<u8>,
    unsynced: bool,
}

impl Rejected {
    pub(super) fn create(disk: &dyn Disk, dir: &Path) -> Result<Self, Error> {
        let path = dir.join(REJECTED);
        let file = disk.create_file(&path).map_err(on(DiskOp::CreateFile, &path))?;
        disk.sync_dir(dir).map_err(on(DiskOp::SyncDir, dir))?;
        Ok(Self { file, path, pending: Vec::new(), unsynced: false })
    }

    /// Carries on the file of a directory: lines that `keep` does not want are left out, and the new file takes the old
    /// one's place only once it is durable. `None` if there is none, or nothing is kept: then there is none any more.
    pub(super) fn resume(
        disk: &dyn Disk,
        dir: &Path,
        mut keep: impl FnMut(&Line) -> bool,
    ) -> Result<Option<Self>, Error> {
        let (path, unfinished) = (dir.join(REJECTED), dir.join(format!("{REJECTED}{}", names::UNFINISHED)));
        if disk.look(&unfinished).map_err(on(DiskOp::Look, &unfinished))?.is_some() {
            disk.remove_file(&unfinished).map_err(on(DiskOp::Remove, &unfinished))?;
        }
        if disk.look(&path).map_err(on(DiskOp::Look, &path))?.is_none() {
            return Ok(None);
        }
        let file = disk.create_file(&unfinished).map_err(on(DiskOp::CreateFile, &path))?;
        let (mut carried, mut kept) = (Self { file, path, pending: Vec::new(), unsynced: true }, false);
        read(disk, dir, |line, text| {
            if !keep(line) {
                return Ok(());
            }
            kept = true;
            carried.put(text)
        })?;
        carried.sync()?;
        if kept {
            disk.rename(&unfinished, &carried.path).map_err(on(DiskOp::Rename, &carried.path))?;
        } else {
            disk.remove_file(&carried.path).map_err(on(DiskOp::Remove, &carried.path))?;
            disk.remove_file(&unfinished).map_err(on(DiskOp::Remove, &unfinished))?;
        }
        disk.sync_dir(dir).map_err(on(DiskOp::SyncDir, dir))?;
        Ok(kept.then_some(carried))
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn add(&mut self, refusal: &Refusal<'_>, object: &[u8]) -> Result<(), Error> {
        self.unsynced = true;
        let text = serde_json::to_vec(refusal).map_err(|e| Error::disk(DiskOp::Write, &self.path, 0, e.into()))?;
        self.put(text.strip_suffix(b"}").unwrap_or(&text))?;
        self.put(b",\"object\":")?;
        self.put(object)?;
        self.put(b"}\n")
    }

    /// Gathers small pieces; a large one goes straight to the disk.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.pending.len() + bytes.len() < PENDING_BYTES {
            self.pending.extend_from_slice(bytes);
            return Ok(());
        }
        self.write()?;
        let needed = bytes.len() as u64;
        self.file.write_all(bytes).map_err(|e| Error::disk(DiskOp::Write, &self.path, needed, e))
    }

    fn write(&mut self) -> Result<(), Error> {
        let needed = self.pending.len() as u64;
        self.file.write_all(&self.pending).map_err(|e| Error::disk(DiskOp::Write, &self.path, needed, e))?;
        self.pending.clear();
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.unsynced) {
            return Ok(());
        }
        self.write()?;
        self.file.sync().map_err(on(DiskOp::Sync, &self.path))
    }
}

/// What a line says about its object, but for the server's words.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) collection: CollectionName,
    pub(super) tenant: Option<TenantName>,
    pub(super) id: ObjectId,
}

/// Hands on every whole line of a directory's file, its end included; none if there is no such file. What was torn off is
/// passed over: nothing counts it.
pub(super) fn read(
    disk: &dyn Disk,
    dir: &Path,
    mut each: impl FnMut(&Line, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let path = dir.join(REJECTED);
    let folder = disk.open_folder(dir).map_err(on(DiskOp::Open, dir))?;
    let file = match folder.open(REJECTED) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(on(DiskOp::Open, &path))?.0,
    };
    let (mut from, mut text) = (BufReader::new(file), Vec::new());
    while read_line(&mut from, &mut text, LINE_BYTES).map_err(|e| Error::disk(DiskOp::Read, &path, 0, e))? {
        let Some(whole) = text.strip_suffix(b"\n") else { continue };
        if let Ok(line) = serde_json::from_slice::<Line>(whole) {
            each(&line, &text)?;
        }
    }
    Ok(())
}
