//! The disk of the machine, with files that are not as good as they should be.

use std::io;
use std::path::Path;

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
