//! The disk of the machine, with files that are not as good as they should be.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use elysiactl::archive::{Disk, Folder, Kind, Lock, OsDisk, WriteFile};

/// Every file that is made is what this makes of it.
pub(crate) struct DiskOf<F: Fn(Box<dyn WriteFile>) -> Box<dyn WriteFile>>(pub(crate) F);

impl<F: Fn(Box<dyn WriteFile>) -> Box<dyn WriteFile> + Send + Sync> Disk for DiskOf<F> {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        OsDisk.create_dir(path)
    }
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        Ok((self.0)(OsDisk.create_file(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        OsDisk.sync_dir(path)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove_file(path)
    }
    fn look(&self, path: &Path) -> io::Result<Option<(Kind, u64)>> {
        OsDisk.look(path)
    }
    fn free_space(&self, path: &Path) -> io::Result<u64> {
        OsDisk.free_space(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        OsDisk.lock(path)
    }
    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        OsDisk.open_folder(path)
    }
}

/// The disk of the machine until it is gone: after so many calls every one fails, as if the process were killed there.
#[derive(Clone)]
pub(crate) struct GoneAfter {
    calls: Arc<AtomicU64>,
    last: u64,
}

impl GoneAfter {
    pub(crate) fn calls(last: u64) -> Self {
        Self { calls: Arc::new(AtomicU64::new(0)), last }
    }

    /// Whether any call failed.
    pub(crate) fn is_gone(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.last
    }

    fn call(&self) -> io::Result<()> {
        let before = self.calls.fetch_add(1, Ordering::SeqCst);
        if before < self.last { Ok(()) } else { Err(io::Error::other("the disk is gone")) }
    }
}

struct GoneFile(GoneAfter, Box<dyn WriteFile>);

impl io::Write for GoneFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.call()?;
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

impl WriteFile for GoneFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.call()?;
        self.1.sync()
    }
}

impl Disk for GoneAfter {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call().and_then(|()| OsDisk.create_dir(path))
    }
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.call()?;
        Ok(Box::new(GoneFile(self.clone(), OsDisk.create_file(path)?)))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call().and_then(|()| OsDisk.rename(from, to))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call().and_then(|()| OsDisk.sync_dir(path))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call().and_then(|()| OsDisk.remove_file(path))
    }
    fn look(&self, path: &Path) -> io::Result<Option<(Kind, u64)>> {
        self.call().and_then(|()| OsDisk.look(path))
    }
    fn free_space(&self, path: &Path) -> io::Result<u64> {
        OsDisk.free_space(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.call().and_then(|()| OsDisk.lock(path))
    }
    fn follow(&self, path: &Path) -> io::Result<PathBuf> {
        OsDisk.follow(path)
    }
    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        self.call().and_then(|()| OsDisk.open_folder(path))
    }
}
