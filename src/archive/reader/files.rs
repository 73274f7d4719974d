//! The set of files of an archive: exactly those of the manifest, with their sizes, regular files all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::disk::{Entry, Folder, Kind};
use super::super::error::{Damage, DiskOp, Error};
use super::super::manifest::Manifest;
use super::super::names;

/// Entries of a directory beyond the expected ones that are looked at before giving up.
const SPARE_ENTRIES: usize = 1000;

/// Looks at every entry; the strays that do no harm.
pub(super) fn check(folder: &dyn Folder, path: &Path, manifest: &Manifest) -> Result<Vec<String>, Error> {
    let mut set = FileSet {
        folder,
        path,
        missing: manifest.files.iter().map(|file| (file.path.as_str(), file.bytes)).collect(),
        strays: Vec::new(),
    };
    let folders: BTreeSet<&str> = manifest.collections.iter().map(|c| c.folder.as_str()).collect();
    set.visit("", |name| name == names::COLLECTIONS)?;
    if !folders.is_empty() {
        set.visit(names::COLLECTIONS, |name| folders.contains(name))?;
    }
    for name in folders {
        set.visit(&format!("{}/{name}", names::COLLECTIONS), |_| false)?;
    }
    match set.missing.first_key_value() {
        None => Ok(set.strays),
        Some((missing, _)) => Err(Error::damaged(path.join(missing), Damage::Missing)),
    }
}

struct FileSet<'a> {
    folder: &'a dyn Folder,
    path: &'a Path,
    missing: BTreeMap<&'a str, u64>,
    strays: Vec<String>,
}

impl FileSet<'_> {
    /// Looks at a directory, which may hold the named directories.
    fn visit(&mut self, below: &str, is_folder: impl Fn(&str) -> bool) -> Result<(), Error> {
        use std::io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
        let at_most = self.missing.len() + SPARE_ENTRIES;
        let mut entries = match self.folder.list(below, at_most) {
            // What is missing with it is named at the end.
            Err(e) if e.kind() == NotFound => Vec::new(),
            Err(e) if matches!(e.kind(), InvalidInput | NotADirectory) => {
                return Err(Error::damaged(self.path.join(below), Damage::NotRegular));
            }
            Err(e) => return Err(Error::disk(DiskOp::List, &self.path.join(below), 0, e)),
            Ok(entries) => entries,
        };
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            self.entry(below, &entry, &is_folder)?;
        }
        Ok(())
    }

    fn entry(&mut self, below: &str, entry: &Entry, is_folder: &impl Fn(&str) -> bool) -> Result<(), Error> {
        let name = entry.name.to_string_lossy();
        let path = if below.is_empty() { name.clone().into_owned() } else { format!("{below}/{name}") };
        let damaged = |what| Err(Error::damaged(self.path.join(&path), what));
        if let Some(declared) = self.missing.get(path.as_str()).copied() {
            if entry.kind != Kind::File {
                return damaged(Damage::NotRegular);
            }
            if entry.bytes != declared {
                return damaged(Damage::Size { declared, found: entry.bytes });
            }
            self.missing.remove(path.as_str());
            return Ok(());
        }
        if is_folder(&name) {
            return if entry.kind == Kind::Dir { Ok(()) } else { damaged(Damage::NotRegular) };
        }
        if path == names::MANIFEST {
            return Ok(());
        }
        let harmless = path == names::LOCK || path == names::CHECKPOINT || name == names::DS_STORE;
        if entry.kind == Kind::File && harmless {
            self.strays.push(path);
            return Ok(());
        }
        damaged(Damage::Unknown)
    }
}
