//! The books of rehearsals: which scratch collections may exist, written down before they are created, so that the next
//! run removes what a killed one left.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::super::disk::{Disk, Lock};
use super::super::durable::sync_parent;
use super::super::error::{DiskOp, Error, on};
use super::super::journal;
use super::super::names::{CHECKPOINT, LOCK};
use super::earlier::runs_of;
use super::{RunAbout, RunFiles, RunRecord};
use crate::event::Op;
use crate::model::CollectionName;

/// How old a journal without any scratch collection is before it counts as one that was left: a run may be about to take
/// its lock.
const JUST_BEGUN_SECONDS: i64 = 60;

/// The journal of a rehearsal in work. Its lock tells later runs that it is.
pub struct ScratchBook {
    disk: Arc<dyn Disk>,
    files: RunFiles,
    lock: Box<dyn Lock>,
}

impl ScratchBook {
    /// Begins the journal.
    pub fn create(disk: Arc<dyn Disk>, runs: &Path, about: RunAbout) -> Result<Self, Error> {
        let files = RunFiles::create(Arc::clone(&disk), runs, about)?;
        let path = files.path().join(LOCK);
        let lock = disk.lock(&path).map_err(on(DiskOp::Lock, &path))?.ok_or(Error::Locked { path })?;
        Ok(Self { disk, files, lock })
    }

    /// Adds a record, durably.
    pub fn note(&mut self, record: &RunRecord) -> Result<(), Error> {
        self.files.record(record)?;
        self.files.sync()
    }

    /// Removes all of it: nothing it tells of is there any more.
    pub fn remove(mut self) -> Result<(), Error> {
        let path = self.files.path().join(LOCK);
        self.disk.remove_file(&path).map_err(on(DiskOp::Remove, &path))?;
        self.files.remove()?;
        drop(self.lock);
        Ok(())
    }
}

/// What the journal of a rehearsal that is not in work tells of. It is locked, so that one run alone deals with it.
pub struct LeftScratch {
    /// The scratch collections that may exist, and when each was about to be created.
    pub names: BTreeMap<CollectionName, Timestamp>,
    /// Whether the server had the address then that was asked for. Otherwise it may be the same server all the same.
    pub is_of_this_address: bool,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    lock: Box<dyn Lock>,
}

impl LeftScratch {
    /// Removes the journal: nothing it tells of is there any more.
    pub fn remove(self) -> Result<(), Error> {
        for name in [LOCK, CHECKPOINT] {
            let path = self.path.join(name);
            self.disk.remove_file(&path).map_err(on(DiskOp::Remove, &path))?;
        }
        self.disk.remove_dir(&self.path).map_err(on(DiskOp::Remove, &self.path))?;
        drop(self.lock);
        sync_parent(&*self.disk, &self.path)
    }
}

/// The journals of rehearsals that runs left which were killed, of whichever server. Those that cannot be read are passed over.
pub fn left_scratches(
    disk: &Arc<dyn Disk>,
    runs: &Path,
    server_url: &str,
    now: Timestamp,
) -> Result<Vec<LeftScratch>, Error> {
    let Some((folder, names)) = runs_of(&**disk, runs)? else { return Ok(Vec::new()) };
    let mut left = Vec::new();
    for name in names {
        let Ok(opened) = folder.open(&format!("{name}/{CHECKPOINT}")) else { continue };
        let (path, mut from) = (runs.join(&name), BufReader::new(opened.content));
        let Some(RunRecord::Header(RunAbout { op: Op::Rehearsal, server_url: url, started, .. })) =
            journal::first(&mut from)
        else {
            continue;
        };
        let mut names = BTreeMap::new();
        let read = journal::read(from, &path, |record| {
            match record {
                RunRecord::Scratch { target, at } => drop(names.insert(target, at)),
                RunRecord::ScratchGone { target } => drop(names.remove(&target)),
                _ => {}
            }
            Some(())
        });
        let begins = names.is_empty() && now.as_second() - started.as_second() < JUST_BEGUN_SECONDS;
        if read.is_err() || begins {
            continue;
        }
        let lock = path.join(LOCK);
        // Held: that run is at work.
        if let Some(lock) = disk.lock(&lock).map_err(on(DiskOp::Lock, &lock))? {
            let is_of_this_address = url == server_url;
            left.push(LeftScratch { names, is_of_this_address, path, disk: Arc::clone(disk), lock });
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::OsDisk;

    fn about(url: &str) -> RunAbout {
        RunAbout {
            op: Op::Rehearsal,
            tool: RunAbout::this_tool(),
            run_id: uuid::Uuid::now_v7(),
            started: Timestamp::UNIX_EPOCH,
            server_url: url.to_owned(),
            server_version: String::new(),
            archive: String::new(),
            archive_run_id: String::new(),
            options: serde_json::Map::new(),
        }
    }

    #[test]
    fn what_a_killed_rehearsal_left_is_found_by_one_run_and_what_is_at_work_by_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let (runs, disk): (_, Arc<dyn Disk>) = (folder.path().join("runs"), Arc::new(OsDisk));
        let left = |url: &str| left_scratches(&disk, &runs, url, Timestamp::now()).expect("read");
        assert!(left("http://a").is_empty(), "there are no runs");
        let mut book = ScratchBook::create(Arc::clone(&disk), &runs, about("http://a")).expect("a book");
        let scratch = CollectionName::scratch(&"A".parse().expect("a name"), 1);
        for target in scratch.iter().take(2).cloned() {
            book.note(&RunRecord::Scratch { target, at: Timestamp::UNIX_EPOCH }).expect("noted");
        }
        book.note(&RunRecord::ScratchGone { target: scratch[0].clone() }).expect("noted");
        assert!(left("http://a").is_empty(), "it is at work");
        let path = book.files.path().to_owned();
        drop(book);
        let other = left("http://b");
        assert!(!other[0].is_of_this_address && other[0].names.len() == 1, "it may be the same server");
        drop(other);
        let mut found = left("http://a");
        assert!(left("http://a").is_empty(), "somebody deals with it");
        assert_eq!(found[0].names.keys().collect::<Vec<_>>(), [&scratch[1]]);
        found.remove(0).remove().expect("removed");
        assert!(!path.exists() && left("http://a").is_empty());
        let book = ScratchBook::create(disk.clone(), &runs, about("http://a")).expect("a book");
        book.remove().expect("removed");
        assert_eq!(std::fs::read_dir(&runs).expect("a folder").count(), 0);
    }
}
