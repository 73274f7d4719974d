//! A file that grows by small pieces, which gather in memory before the disk gets them; resumed, after a kill, by a new
//! one beside it that takes its place.

use std::path::{Path, PathBuf};

use super::disk::{Disk, WriteFile};
use super::durable::{sync_parent, unfinished};
use super::error::{DiskOp, Error, on};

/// Pieces are handed to the disk when this many bytes have gathered.
pub(super) const PENDING_BYTES: usize = 256 << 10;

/// A file that grows.
pub(super) struct GrowingFile {
    file: Box<dyn WriteFile>,
    path: PathBuf,
    pending: Vec<u8>,
}

impl GrowingFile {
    /// Makes the file. Its name is durable only once somebody syncs its directory.
    pub(super) fn create(disk: &dyn Disk, path: PathBuf) -> Result<Self, Error> {
        let file = disk.create_file(&path).map_err(on(DiskOp::CreateFile, &path))?;
        Ok(Self { file, path, pending: Vec::new() })
    }

    /// Makes a file that is to take the place of the one at `path`. What an earlier try left beside that one goes.
    pub(super) fn beside(disk: &dyn Disk, path: PathBuf) -> Result<Self, Error> {
        remove_beside(disk, &path)?;
        let file = disk.create_file(&unfinished(&path)).map_err(on(DiskOp::CreateFile, &path))?;
        Ok(Self { file, path, pending: Vec::new() })
    }

    /// Makes a file begun `beside` another durable, and then gives it that one's name. It grows on.
    pub(super) fn take_place(&mut self, disk: &dyn Disk) -> Result<(), Error> {
        self.sync()?;
        disk.rename(&unfinished(&self.path), &self.path).map_err(on(DiskOp::Rename, &self.path))?;
        sync_parent(disk, &self.path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds bytes in memory alone; whoever asks must look at `is_full`.
    pub(super) fn gather(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Whether enough has gathered to be handed to the disk.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= PENDING_BYTES
    }

    /// Adds bytes; a large piece goes straight to the disk.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.pending.len() + bytes.len() < PENDING_BYTES {
            self.gather(bytes);
            return Ok(());
        }
        self.flush()?;
        let needed = bytes.len() as u64;
        self.file.write_all(bytes).map_err(|e| Error::disk(DiskOp::Write, &self.path, needed, e))
    }

    /// Hands what has gathered to the disk.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        let needed = self.pending.len() as u64;
        self.file.write_all(&self.pending).map_err(|e| Error::disk(DiskOp::Write, &self.path, needed, e))?;
        self.pending.clear();
        Ok(())
    }

    /// Makes everything so far durable.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        self.flush()?;
        self.file.sync().map_err(on(DiskOp::Sync, &self.path))
    }
}

/// Removes what was to take the place of the file at `path`, if there is any.
pub(super) fn remove_beside(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    let beside = unfinished(path);
    if disk.look(&beside).map_err(on(DiskOp::Look, &beside))?.is_some() {
        disk.remove_file(&beside).map_err(on(DiskOp::Remove, &beside))?;
    }
    Ok(())
}
