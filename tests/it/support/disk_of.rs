//! The disk of the machine, with files that are not as good as they should be.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use elysiactl::archive::{Disk, Entry, Folder, Kind, Lock, Opened, OsDisk, WriteFile};

/// What a disk leaves to the machine's.
macro_rules! calls_of_the_machine {
    () => {
        fn create_dir(&self, path: &Path) -> io::Result<()> {
            OsDisk.create_dir(path)
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
        fn remove_dir(&self, path: &Path) -> io::Result<()> {
            OsDisk.remove_dir(path)
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
    };
}

/// Every file that is made is what this makes of it.
pub(crate) struct DiskOf<F: Fn(Box<dyn WriteFile>) -> Box<dyn WriteFile>>(pub(crate) F);

impl<F: Fn(Box<dyn WriteFile>) -> Box<dyn WriteFile> + Send + Sync> Disk for DiskOf<F> {
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        Ok((self.0)(OsDisk.create_file(path)?))
    }
    calls_of_the_machine!();
    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        OsDisk.open_folder(path)
    }
}

/// The disk of the machine, where every write of a file is done by this.
pub(crate) fn written_by<F>(write: F) -> impl Disk
where
    F: Fn(&mut dyn WriteFile, &[u8]) -> io::Result<usize> + Clone + Send + Sync + 'static,
{
    DiskOf(move |file| Box::new(WrittenBy(file, write.clone())) as Box<dyn WriteFile>)
}

struct WrittenBy<F>(Box<dyn WriteFile>, F);

impl<F: Fn(&mut dyn WriteFile, &[u8]) -> io::Result<usize>> io::Write for WrittenBy<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.1)(&mut *self.0, bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<F: Fn(&mut dyn WriteFile, &[u8]) -> io::Result<usize> + Send> WriteFile for WrittenBy<F> {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

/// The disk of the machine, where what is read of a file is what this makes of it: its name, what it holds, its size.
pub(crate) struct ReadsOf<F>(pub(crate) Arc<F>);

/// A directory on it.
struct FolderOf<F>(Box<dyn Folder>, Arc<F>);

type File = Box<dyn io::Read + Send>;

impl<F: Fn(&str, File, u64) -> File + Send + Sync> Folder for FolderOf<F> {
    fn list(&self, below: &str, at_most: usize) -> io::Result<Vec<Entry>> {
        self.0.list(below, at_most)
    }
    fn open(&self, file: &str) -> io::Result<Opened> {
        let opened = self.0.open(file)?;
        Ok(Opened { content: (self.1)(file, opened.content, opened.bytes), ..opened })
    }
}

impl<F: Fn(&str, File, u64) -> File + Send + Sync + 'static> Disk for ReadsOf<F> {
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        OsDisk.create_file(path)
    }
    calls_of_the_machine!();
    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        Ok(Box::new(FolderOf(OsDisk.open_folder(path)?, Arc::clone(&self.0))))
    }
}

/// The disk of the machine until it is gone: after so many calls every one fails, as if the process were killed there.
#[derive(Clone)]
pub(crate) struct GoneAfter {
    left: Arc<AtomicI64>,
    /// Calls that only look count, and fail, too.
    looks: bool,
}

impl GoneAfter {
    /// After so many calls of any kind.
    pub(crate) fn calls(last: i64) -> Self {
        Self { left: Arc::new(AtomicI64::new(last)), looks: true }
    }

    /// After so many calls that change something, or take a lock.
    pub(crate) fn changes(last: i64) -> Self {
        Self { looks: false, ..Self::calls(last) }
    }

    /// From now on.
    pub(crate) fn now(&self) {
        self.left.store(0, Ordering::SeqCst);
    }

    /// Whether any call failed.
    pub(crate) fn is_gone(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    fn call<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 { Err(ErrorKind::StorageFull.into()) } else { work() }
    }

    fn look_at<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.looks { self.call(work) } else { work() }
    }
}

struct GoneFile(GoneAfter, Box<dyn WriteFile>);

impl io::Write for GoneFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.clone().call(|| self.1.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

impl WriteFile for GoneFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.clone().call(|| self.1.sync())
    }
}

impl Disk for GoneAfter {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|| OsDisk.create_dir(path))
    }
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let file = self.call(|| OsDisk.create_file(path))?;
        Ok(Box::new(GoneFile(self.clone(), file)))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|| OsDisk.rename(from, to))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|| OsDisk.sync_dir(path))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call(|| OsDisk.remove_file(path))
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|| OsDisk.remove_dir(path))
    }
    fn look(&self, path: &Path) -> io::Result<Option<(Kind, u64)>> {
        self.look_at(|| OsDisk.look(path))
    }
    fn free_space(&self, path: &Path) -> io::Result<u64> {
        OsDisk.free_space(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.call(|| OsDisk.lock(path))
    }
    fn follow(&self, path: &Path) -> io::Result<PathBuf> {
        OsDisk.follow(path)
    }
    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        self.look_at(|| OsDisk.open_folder(path))
    }
}
