//! The set of files of an archive: exactly those of the manifest, with their sizes, regular files all. A note that
//! somebody laid beside the manifest does no harm: nothing of it is ever opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::disk::{Entry, Folder, Kind};
use super::super::error::{Damage, DiskOp, Error};
use super::super::manifest::Manifest;
use super::super::names;
use crate::model::path_text;

/// Entries of a directory beyond the expected ones that are looked at before giving up.
const SPARE_ENTRIES: usize = 1000;

/// Names that mean something in an archive, so that one the manifest does not know is damage.
const OURS: [&str; 3] = [names::ALIASES, names::ROLES, names::SUMS];

/// What was found in the directory of an archive.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files that are no part of the archive and do it no harm, by their path in it.
    pub(super) strays: Vec<String>,
    /// What is damaged, `at_most` of it.
    pub(super) damages: Vec<Error>,
}

/// Looks at every entry, until so many damages are found.
pub(super) fn check(folder: &dyn Folder, path: &Path, manifest: &Manifest, at_most: usize) -> Result<Found, Error> {
    let mut set = FileSet {
        folder,
        path,
        missing: manifest.files.iter().map(|file| (file.path.as_str(), file.bytes)).collect(),
        found: Found::default(),
        at_most,
    };
    let folders: BTreeSet<&str> = manifest.collections.iter().map(|c| c.folder.as_str()).collect();
    set.visit("", |name| name == names::COLLECTIONS)?;
    if !folders.is_empty() {
        set.visit(names::COLLECTIONS, |name| folders.contains(name))?;
    }
    for name in folders {
        set.visit(&format!("{}/{name}", names::COLLECTIONS), |_| false)?;
    }
    let room = at_most.saturating_sub(set.found.damages.len());
    let missing = set.missing.keys().take(room).map(|missing| Error::damaged(path.join(missing), Damage::Missing));
    set.found.damages.extend(missing);
    Ok(set.found)
}

struct FileSet<'a> {
    folder: &'a dyn Folder,
    path: &'a Path,
    missing: BTreeMap<&'a str, u64>,
    found: Found,
    at_most: usize,
}

impl FileSet<'_> {
    /// Looks at a directory, which may hold the named directories.
    fn visit(&mut self, below: &str, is_folder: impl Fn(&str) -> bool) -> Result<(), Error> {
        use std::io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
        if self.found.damages.len() == self.at_most {
            return Ok(());
        }
        let at_most = self.missing.len() + SPARE_ENTRIES;
        let mut entries = match self.folder.list(below, at_most) {
            // What is missing with it is named at the end.
            Err(e) if e.kind() == NotFound => Vec::new(),
            Err(e) if matches!(e.kind(), InvalidInput | NotADirectory) => {
                self.damaged(self.path.join(below), Damage::NotRegular);
                return Ok(());
            }
            Err(e) => return Err(Error::disk(DiskOp::List, &self.path.join(below), 0, e)),
            Ok(entries) => entries,
        };
        if entries.len() > at_most {
            // What was not listed may be there all the same.
            let is_below =
                |path: &str| below.is_empty() || path.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'));
            self.missing.retain(|path, _| !is_below(path));
            self.damaged(self.path.join(below), Damage::Limit { limit: at_most as u64 });
            return Ok(());
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            if self.found.damages.len() == self.at_most {
                break;
            }
            if let Some(what) = self.entry(below, &entry, &is_folder) {
                self.damaged(self.path.join(below).join(&entry.name), what);
            }
        }
        Ok(())
    }

    fn damaged(&mut self, at: PathBuf, what: Damage) {
        self.found.damages.push(Error::damaged(at, what));
    }

    fn entry(&mut self, below: &str, entry: &Entry, is_folder: &impl Fn(&str) -> bool) -> Option<Damage> {
        let name = path_text(Path::new(&entry.name));
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if let Some(declared) = self.missing.remove(path.as_str()) {
            return match entry.kind {
                Kind::File if entry.bytes == declared => None,
                Kind::File => Some(Damage::Size { declared, found: entry.bytes }),
                _ => Some(Damage::NotRegular),
            };
        }
        if is_folder(&name) {
            return (entry.kind != Kind::Dir).then_some(Damage::NotRegular);
        }
        if path == names::MANIFEST {
            return None;
        }
        let beside = below.is_empty() && !OURS.contains(&name.as_str());
        if entry.kind == Kind::File && (beside || name == names::DS_STORE) {
            self.found.strays.push(path);
            return None;
        }
        Some(Damage::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::archive::disk::Opened;

    /// A directory that is overfull; all others are empty.
    struct Crowded(&'static str);

    impl Folder for Crowded {
        fn list(&self, below: &str, at_most: usize) -> io::Result<Vec<Entry>> {
            let one = |n: usize| Entry { name: n.to_string().into(), kind: Kind::File, bytes: 0 };
            Ok(if below == self.0 { (0..=at_most).map(one).collect() } else { Vec::new() })
        }

        fn open(&self, _: &str) -> io::Result<Opened> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn a_directory_with_too_many_files_hides_nothing_of_its_neighbours() {
        let (folder, path) = (Crowded("collections/A"), Path::new("/archive"));
        let missing = [("collections/A/x", 1), ("collections/AB/x", 1)].into();
        let mut set = FileSet { folder: &folder, path, missing, found: Found::default(), at_most: 9 };
        set.visit("collections/A", |_| false).expect("looked at");
        assert_eq!(set.missing.keys().collect::<Vec<_>>(), [&"collections/AB/x"]);
    }
}
