//! A file that appears under its name only when every byte of it is on the disk: temporary name, sync, rename, sync
//! of the directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::digest::Hash;
use super::disk::{Disk, Kind, WriteFile};
use super::error::{DiskOp, Error, on};
use super::names;

/// A file on its way.
pub(super) struct DurableFile {
    disk: Arc<dyn Disk>,
    file: Box<dyn WriteFile>,
    unfinished: PathBuf,
    path: PathBuf,
    hasher: Sha256,
    bytes: u64,
}

/// What became durable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    pub(super) bytes: u64,
    pub(super) sha256: Hash,
}

impl DurableFile {
    pub(super) fn create(disk: &Arc<dyn Disk>, path: PathBuf) -> Result<Self, Error> {
        let unfinished = unfinished(&path);
        let file = disk.create_file(&unfinished).map_err(on(DiskOp::CreateFile, &path))?;
        Ok(Self { disk: Arc::clone(disk), file, unfinished, path, hasher: Sha256::new(), bytes: 0 })
    }

    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let needed = bytes.len() as u64;
        self.file.write_all(bytes).map_err(|e| Error::disk(DiskOp::Write, &self.path, needed, e))?;
        self.hasher.update(bytes);
        self.bytes += needed;
        Ok(())
    }

    /// Makes it durable under its name.
    pub(super) fn finish(mut self) -> Result<Stored, Error> {
        self.file.sync().map_err(on(DiskOp::Sync, &self.path))?;
        drop(self.file);
        self.disk.rename(&self.unfinished, &self.path).map_err(on(DiskOp::Rename, &self.path))?;
        sync_parent(&*self.disk, &self.path)?;
        Ok(Stored { bytes: self.bytes, sha256: Hash(self.hasher.finalize().into()) })
    }

    /// Throws it away.
    pub(super) fn discard(self) -> Result<(), Error> {
        drop(self.file);
        self.disk.remove_file(&self.unfinished).map_err(on(DiskOp::Remove, &self.unfinished))
    }
}

/// What a file is called as long as it is not finished.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(names::UNFINISHED);
    unfinished.into()
}

/// Writes a whole document durably.
pub(super) fn put(disk: &Arc<dyn Disk>, path: PathBuf, bytes: &[u8]) -> Result<Stored, Error> {
    let mut file = DurableFile::create(disk, path)?;
    file.write(bytes)?;
    file.finish()
}

/// Makes the entries of the directory that holds `path` durable.
pub(super) fn sync_parent(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    disk.sync_dir(parent).map_err(on(DiskOp::SyncDir, parent))
}

/// Makes a directory and those above it, as far as they are missing.
pub(super) fn create_missing(disk: &dyn Disk, folder: &Path) -> Result<(), Error> {
    let mut missing = Vec::new();
    for path in folder.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        match disk.look(path).map_err(on(DiskOp::Look, path))? {
            None => missing.push(path),
            Some((Kind::Dir, _)) => break,
            Some(_) => return Err(Error::OutputIsFile { path: path.to_owned() }),
        }
    }
    for path in missing.into_iter().rev() {
        match disk.create_dir(path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => other.map_err(on(DiskOp::CreateDir, path))?,
        }
        sync_parent(disk, path)?;
    }
    Ok(())
}
