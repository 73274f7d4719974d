//! Giving up a collection that was begun: nothing of it is to be in the archive.

use std::path::Path;

use super::super::disk::{Disk, Kind};
use super::super::durable::sync_parent;
use super::super::error::{Broken, Damage, DiskOp, Error, on};
use super::super::format::Record;
use super::super::names;
use super::ArchiveWriter;
use crate::model::CollectionName;

/// Entries of a collection's folder that are removed at most.
const ENTRIES: usize = 1 << 20;

impl ArchiveWriter {
    /// Gives up a collection that was begun, with everything that was kept of it; what wrote it must be dropped. It may be
    /// begun anew. The journal is told first, so that whoever carries the run on removes what is left of its folder.
    pub fn give_up(&mut self, collection: &CollectionName) -> Result<(), Error> {
        let Some(folder) = self.begun.remove(collection) else {
            return Err(Error::broken(self.path(), Broken::Collections));
        };
        let mut journal = self.shared.journal();
        journal.append(&Record::Gone { folder: folder.clone() })?;
        journal.sync()?;
        drop(journal);
        self.folders.remove(&folder.to_ascii_lowercase());
        remove_folder(&*self.shared.disk, &self.path().join(names::COLLECTIONS).join(folder))
    }
}

/// Removes the folder of a collection that the journal does not know, or calls gone. What no run writes is not removed.
pub(in crate::archive) fn remove_folder(disk: &dyn Disk, dir: &Path) -> Result<(), Error> {
    let folder = disk.open_folder(dir).map_err(on(DiskOp::Open, dir))?;
    let entries = folder.list("", ENTRIES).map_err(on(DiskOp::List, dir))?;
    if entries.len() > ENTRIES {
        return Err(Error::TooMany { path: dir.to_owned(), limit: ENTRIES });
    }
    drop(folder);
    for entry in entries {
        let (path, name) = (dir.join(&entry.name), entry.name.to_string_lossy());
        let ours =
            matches!(&*name, names::SCHEMA | names::SCHEMA_BEFORE | names::TENANTS | names::INDEX | names::DS_STORE)
                || name.starts_with("objects-")
                || name.ends_with(names::UNFINISHED);
        if !ours || entry.kind != Kind::File {
            return Err(Error::damaged(path, Damage::Unknown));
        }
        disk.remove_file(&path).map_err(on(DiskOp::Remove, &path))?;
    }
    disk.sync_dir(dir).map_err(on(DiskOp::SyncDir, dir))?;
    disk.remove_dir(dir).map_err(on(DiskOp::Remove, dir))?;
    sync_parent(disk, dir)
}
