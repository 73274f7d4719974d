//! The real file system.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Disk, Folder, Kind, Lock, WriteFile};

/// The mode's bit that lets everybody write.
#[cfg(unix)]
const OTHERS_WRITE: u32 = 0o002;

/// The machine's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsDisk;

struct OsFile(File);

impl Write for OsFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for OsFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

/// The lock lives as long as the descriptor.
struct OsLock(#[expect(dead_code, reason = "held, never read")] File);

impl Lock for OsLock {}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn take(file: File) -> io::Result<Option<Box<dyn Lock>>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(Box::new(OsLock(file)))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

fn kind(of: fs::FileType) -> Kind {
    if of.is_file() {
        Kind::File
    } else if of.is_dir() {
        Kind::Dir
    } else if of.is_symlink() {
        Kind::Link
    } else {
        Kind::Other
    }
}

impl Disk for OsDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder.create(path)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
        Ok(Box::new(OsFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if cfg!(windows) {
            return Ok(());
        }
        match folder::open_dir(path)?.sync_all() {
            // Some network and user-space file systems cannot sync a directory at all.
            Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            other => other,
        }
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn look(&self, path: &Path) -> io::Result<Option<(Kind, u64)>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some((kind(found.file_type()), found.len()))),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        fs4::available_space(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        take(folder::open_lock(path, true)?)
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        match folder::open_lock(path, false) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            opened => Ok(take(opened?)?.is_none()),
        }
    }

    fn follow(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    #[cfg(unix)]
    fn others_may_write(&self, path: &Path) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        Ok(fs::metadata(path)?.mode() & OTHERS_WRITE != 0)
    }

    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        folder::open(path)
    }
}

#[cfg(unix)]
mod folder {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use rustix::fs::{self as at, AtFlags, CWD, FileType, Mode, OFlags};

    use super::super::{Entry, Folder, Kind, Opened, Stamp};
    use super::not_regular;

    struct OsFolder(OwnedFd);

    const DIR: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
    /// `NONBLOCK`, so that opening a pipe returns at once; it has no effect on regular files.
    const NO_HARM: OFlags = OFlags::NONBLOCK.union(OFlags::NOFOLLOW).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
    const FILE: OFlags = OFlags::RDONLY.union(NO_HARM);
    /// For writing, since some network file systems lock nothing else; nothing is ever written.
    const LOCK: OFlags = OFlags::WRONLY.union(NO_HARM);

    /// A link answers ELOOP to `NOFOLLOW` on a file, and ENOTDIR together with `DIRECTORY`.
    fn open_at(dir: &OwnedFd, name: &str, flags: OFlags) -> io::Result<OwnedFd> {
        at::openat(dir, name, flags, Mode::empty()).map_err(|e| match e {
            rustix::io::Errno::LOOP | rustix::io::Errno::NXIO => not_regular(),
            other => other.into(),
        })
    }

    /// Opens the file of a lock, and makes it if it may and there is none.
    pub(super) fn open_lock(path: &Path, make: bool) -> io::Result<File> {
        use rustix::io::Errno;
        let flags = if make { LOCK | OFlags::CREATE } else { LOCK };
        let file = at::openat(CWD, path, flags, Mode::RUSR | Mode::WUSR).map_err(|e| match e {
            Errno::LOOP | Errno::NXIO | Errno::ISDIR => not_regular(),
            other => other.into(),
        })?;
        let file = File::from(file);
        if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
    }

    /// Opens a directory, and nothing else, so that its entries can be made durable.
    pub(super) fn open_dir(path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(File::from(at::openat(CWD, path, flags, Mode::empty())?))
    }

    pub(super) fn open(path: &Path) -> io::Result<Box<dyn Folder>> {
        // Rebuilt from its components, since a trailing slash would make the system follow a link.
        let plain: std::path::PathBuf = path.components().collect();
        let plain = if plain.as_os_str().is_empty() { Path::new(".") } else { &plain };
        let found = at::statat(CWD, plain, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
            return Err(not_regular());
        }
        Ok(Box::new(OsFolder(at::openat(CWD, plain, DIR, Mode::empty())?)))
    }

    impl OsFolder {
        fn below(&self, path: &str) -> io::Result<OwnedFd> {
            let mut dir = self.0.try_clone()?;
            for name in path.split('/').filter(|name| !name.is_empty()) {
                dir = open_at(&dir, name, DIR)?;
            }
            Ok(dir)
        }
    }

    impl Folder for OsFolder {
        fn list(&self, below: &str, at_most: usize) -> io::Result<Vec<Entry>> {
            let dir = self.below(below)?;
            let mut entries = Vec::new();
            for found in at::Dir::read_from(&dir)? {
                let found = found?;
                let name = found.file_name();
                if name == c"." || name == c".." {
                    continue;
                }
                let stat = at::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
                let kind = match FileType::from_raw_mode(stat.st_mode) {
                    FileType::RegularFile => Kind::File,
                    FileType::Directory => Kind::Dir,
                    FileType::Symlink => Kind::Link,
                    _ => Kind::Other,
                };
                let name = OsStr::from_bytes(name.to_bytes()).to_owned();
                entries.push(Entry { name, kind, bytes: u64::try_from(stat.st_size).unwrap_or(0) });
                if entries.len() > at_most {
                    break;
                }
            }
            Ok(entries)
        }

        fn open(&self, file: &str) -> io::Result<Opened> {
            let (below, name) = file.rsplit_once('/').unwrap_or(("", file));
            let file = File::from(open_at(&self.below(below)?, name, FILE)?);
            let found = file.metadata()?;
            if !found.is_file() {
                return Err(not_regular());
            }
            let written = i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
            let stamp = Stamp([found.dev().into(), found.ino().into(), written]);
            Ok(Opened { content: Box::new(file), bytes: found.len(), stamp })
        }
    }
}

#[cfg(not(unix))]
mod folder {
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::path::{Path, PathBuf};
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::super::{Entry, Folder, Kind, Opened, Stamp};
    use super::{kind, not_regular};

    pub(super) fn open_lock(path: &Path, make: bool) -> io::Result<File> {
        match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => return Err(not_regular()),
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        OpenOptions::new().write(true).create(make).truncate(false).open(path)
    }

    pub(super) fn open_dir(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    /// Without directory handles: every step is looked at before it is taken.
    struct OsFolder(PathBuf);

    pub(super) fn open(path: &Path) -> io::Result<Box<dyn Folder>> {
        match kind(fs::symlink_metadata(path)?.file_type()) {
            Kind::Dir => Ok(Box::new(OsFolder(path.to_owned()))),
            Kind::Link => Err(io::Error::from(io::ErrorKind::InvalidInput)),
            _ => Err(io::Error::from(io::ErrorKind::NotADirectory)),
        }
    }

    impl OsFolder {
        fn below(&self, path: &str) -> io::Result<PathBuf> {
            let mut at = self.0.clone();
            for name in path.split('/').filter(|name| !name.is_empty()) {
                at.push(name);
                if kind(fs::symlink_metadata(&at)?.file_type()) == Kind::Link {
                    return Err(io::Error::from(io::ErrorKind::InvalidInput));
                }
            }
            Ok(at)
        }
    }

    impl Folder for OsFolder {
        fn list(&self, below: &str, at_most: usize) -> io::Result<Vec<Entry>> {
            let mut entries = Vec::new();
            for found in fs::read_dir(self.below(below)?)? {
                let found = found?;
                let bytes = found.metadata()?.len();
                entries.push(Entry { name: found.file_name(), kind: kind(found.file_type()?), bytes });
                if entries.len() > at_most {
                    break;
                }
            }
            Ok(entries)
        }

        fn open(&self, file: &str) -> io::Result<Opened> {
            let path = self.below(file)?;
            let file = File::open(path)?;
            let found = file.metadata()?;
            if !found.is_file() {
                return Err(io::Error::from(io::ErrorKind::InvalidInput));
            }
            let since = |time: io::Result<SystemTime>| {
                let time = time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                time.and_then(|time| i128::try_from(time.as_nanos()).ok()).unwrap_or_default()
            };
            let stamp = Stamp([0, since(found.created()), since(found.modified())]);
            Ok(Opened { content: Box::new(file), bytes: found.len(), stamp })
        }
    }
}
