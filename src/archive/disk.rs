//! The seam to the file system: every disk call of the archive goes through `Disk`, so that tests can make each of
//! them fail. `OsDisk` is the real one.

mod os;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

pub use os::OsDisk;

/// What a directory entry is. Links are never followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A pipe, socket or device.
    Other,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes, if a file.
    pub bytes: u64,
}

/// A file that is open for reading.
pub struct Opened {
    /// Its bytes, from the first one on.
    pub content: Box<dyn io::Read + Send>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Which file it is, and in which state.
    pub stamp: Stamp,
}

/// Tells a file from one that was put in its place, and from itself after somebody wrote to it: device, number and time of
/// the last writing, as far as the platform tells. Made of the open file, so that nothing fits in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp(pub [i128; 3]);

/// A file being written.
pub trait WriteFile: io::Write + Send {
    /// Makes everything written so far durable. A failure is final: it must not be tried again.
    fn sync(&mut self) -> io::Result<()>;
}

/// A held lock; dropping it lets go.
pub trait Lock: Send + Sync {}

/// A directory held open for reading; paths are relative to it, `/` between names, and no link is followed.
pub trait Folder: Send + Sync {
    /// The entries of a directory below (`""`: this one), in no order; stops after `at_most` + 1 entries.
    fn list(&self, below: &str, at_most: usize) -> io::Result<Vec<Entry>>;

    /// Opens a regular file. Anything else is `ErrorKind::InvalidInput`; a pipe does not block.
    fn open(&self, file: &str) -> io::Result<Opened>;
}

/// The file system. Files are made 0600 and directories 0700, from the very beginning.
pub trait Disk: Send + Sync {
    /// Makes a directory; it must not exist.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a file; it must not exist.
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;
    /// Renames a file inside one directory, replacing what has that name. Who still writes to it goes on writing to it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a directory's entries durable; does nothing where the platform cannot.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// What is at a path, and its size; `None` if nothing. A link at the end is followed, since users may keep their
    /// folder of archives behind one.
    fn look(&self, path: &Path) -> io::Result<Option<(Kind, u64)>>;
    /// Bytes a user may still write on the file system of `path`.
    fn free_space(&self, path: &Path) -> io::Result<u64>;
    /// Takes the exclusive lock of a regular file, which is made if missing; `None` if another holds it. One whose process
    /// was killed holds it no longer. Anything else of that name, a link too, is `ErrorKind::InvalidInput`, and a pipe does
    /// not block.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// Whether another holds the lock of a file. Makes no file, and opens it as [`Disk::lock`] does.
    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        Ok(self.look(path)?.is_some() && self.lock(path)?.is_none())
    }
    /// Where a path leads when every link in it is followed. A disk without links has nothing to follow.
    fn follow(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    /// Whether everybody may write to what is at a path; never on a platform without such modes.
    fn others_may_write(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }
    /// Opens a directory for reading. A symbolic link is `ErrorKind::InvalidInput`.
    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>>;
}
