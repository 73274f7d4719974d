//! A file system in memory: enough to write an archive, change it, and read it again.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use elysiactl::archive::{Disk, Entry, Folder, Kind, Lock, Opened as OpenedFile, Stamp, WriteFile};

/// Paths and their bytes; a directory has none. Clones share them.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<PathBuf, Option<Vec<u8>>>>>);

struct Held;
impl Lock for Held {}

struct Written(Memory, PathBuf);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(Some(file)) = self.0.all().get_mut(&self.1) {
            file.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for Written {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Opened(Memory, PathBuf);

impl Memory {
    fn all(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Option<Vec<u8>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same files, which can be changed on their own.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.all().clone())))
    }

    /// A file's bytes.
    #[must_use]
    pub fn read(&self, path: &Path) -> Vec<u8> {
        self.all().get(path).cloned().flatten().unwrap_or_default()
    }

    /// Makes or replaces a file.
    pub fn set(&self, path: &Path, bytes: Vec<u8>) {
        self.all().insert(path.to_owned(), Some(bytes));
    }

    fn make(&self, path: &Path, what: Option<Vec<u8>>) -> io::Result<()> {
        match self.all().insert(path.to_owned(), what) {
            None => Ok(()),
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }
}

impl Disk for Memory {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.make(path, None)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.make(path, Some(Vec::new()))?;
        Ok(Box::new(Written(self.clone(), path.to_owned())))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut all = self.all();
        let file = all.remove(from).ok_or(io::ErrorKind::NotFound)?;
        all.insert(to.to_owned(), file);
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.all().remove(path).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.remove_file(path)
    }

    fn look(&self, path: &Path) -> io::Result<Option<(Kind, u64)>> {
        let all = self.all();
        Ok(all.get(path).map(|file| file.as_ref().map_or((Kind::Dir, 0), |bytes| (Kind::File, bytes.len() as u64))))
    }

    fn free_space(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.set(path, Vec::new());
        Ok(Some(Box::new(Held)))
    }

    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        match self.all().get(path) {
            Some(None) => Ok(Box::new(Opened(self.clone(), path.to_owned()))),
            Some(Some(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Folder for Opened {
    fn list(&self, below: &str, at_most: usize) -> io::Result<Vec<Entry>> {
        let at = if below.is_empty() { self.1.clone() } else { self.1.join(below) };
        let all = self.0.all();
        if !matches!(all.get(&at), Some(None)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = all.iter().filter(|(path, _)| path.parent() == Some(at.as_path())).map(|(path, file)| Entry {
            name: path.file_name().unwrap_or_default().to_owned(),
            kind: if file.is_some() { Kind::File } else { Kind::Dir },
            bytes: file.as_ref().map_or(0, |bytes| bytes.len() as u64),
        });
        Ok(inside.take(at_most.saturating_add(1)).collect())
    }

    fn open(&self, file: &str) -> io::Result<OpenedFile> {
        // What is asked for must be a name inside: a reader that asks for more has trusted a manifest.
        assert!(!file.starts_with('/') && file.split('/').all(|name| !matches!(name, "" | "." | "..")), "{file:?}");
        match self.0.all().get(&self.1.join(file)) {
            Some(Some(bytes)) => Ok(OpenedFile {
                content: Box::new(Cursor::new(bytes.clone())),
                bytes: bytes.len() as u64,
                stamp: Stamp::default(),
            }),
            Some(None) => Err(io::ErrorKind::InvalidInput.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
