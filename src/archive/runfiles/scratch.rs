//! The books of rehearsals: which scratch collections may exist, written down before they are created, so that the next
//! run removes what a killed one left.

use std::collections::BTreeMap;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::super::disk::{Disk, Folder, Lock};
use super::super::durable::sync_parent;
use super::super::error::{DiskOp, Error, on};
use super::super::journal;
use super::super::names::{CHECKPOINT, LOCK};
use super::earlier::runs_of;
use super::{RunAbout, RunFiles, RunRecord};
use crate::event::Op;
use crate::model::{CollectionName, address};

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
        let path = self.files.path().to_owned();
        self.files.close();
        remove(&*self.disk, &path, self.lock)
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
        remove(&*self.disk, &self.path, self.lock)
    }
}

/// Removes the files of a rehearsal. The lock goes last: as long as there is a journal, nobody else takes it.
fn remove(disk: &dyn Disk, dir: &Path, lock: Box<dyn Lock>) -> Result<(), Error> {
    for name in [CHECKPOINT, LOCK] {
        let path = dir.join(name);
        disk.remove_file(&path).map_err(on(DiskOp::Remove, &path))?;
    }
    disk.remove_dir(dir).map_err(on(DiskOp::Remove, dir))?;
    drop(lock);
    sync_parent(disk, dir)
}

/// What a journal of a rehearsal tells.
struct Told {
    names: BTreeMap<CollectionName, Timestamp>,
    server_url: String,
    started: Timestamp,
}

/// What the journal of a run tells; `None` if it cannot be read, is not there any more, or is of no rehearsal.
fn told(folder: &dyn Folder, name: &str) -> Option<Told> {
    let journal = format!("{name}/{CHECKPOINT}");
    let mut from = BufReader::new(folder.open(&journal).ok()?.content);
    let Some(RunRecord::Header(RunAbout { op: Op::Rehearsal, server_url, started, .. })) = journal::first(&mut from)
    else {
        return None;
    };
    let mut names = BTreeMap::new();
    let read = journal::read(from, Path::new(&journal), |record| {
        match record {
            RunRecord::Scratch { target, at } => drop(names.insert(target, at)),
            RunRecord::ScratchGone { target } => drop(names.remove(&target)),
            _ => {}
        }
        Some(())
    });
    read.is_ok().then_some(Told { names, server_url, started })
}

/// The journals of rehearsals that runs left which were killed, of whichever server. Those that cannot be read are passed
/// over, and those of runs that come to their end meanwhile.
pub fn left_scratches(
    disk: &Arc<dyn Disk>,
    runs: &Path,
    server_url: &str,
    now: Timestamp,
) -> Result<Vec<LeftScratch>, Error> {
    let Some((folder, names)) = runs_of(&**disk, runs)? else { return Ok(Vec::new()) };
    let mut left = Vec::new();
    for name in names {
        let Some(Told { names: scratches, started, .. }) = told(&*folder, &name) else { continue };
        if scratches.is_empty() && now.as_second() - started.as_second() < JUST_BEGUN_SECONDS {
            continue;
        }
        let path = runs.join(&name);
        let at = path.join(LOCK);
        let lock = match disk.lock(&at) {
            // Held: that run is at work.
            Ok(None) => continue,
            // It was at work, and is done.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            lock => lock.map_err(on(DiskOp::Lock, &at))?,
        };
        let Some(lock) = lock else { continue };
        // Until it was locked, the run may have gone on.
        match told(&*folder, &name) {
            Some(Told { names, server_url: url, .. }) => {
                let is_of_this_address = address(&url) == address(server_url);
                left.push(LeftScratch { names, is_of_this_address, path, disk: Arc::clone(disk), lock });
            }
            // What is left of one that is done is this lock alone.
            None if matches!(disk.look(&path.join(CHECKPOINT)), Ok(None)) => {
                let _ = disk.remove_file(&at);
                let _ = disk.remove_dir(&path);
            }
            None => {}
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use super::*;
    use crate::archive::disk::Kind;
    use crate::archive::{OsDisk, WriteFile};

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

    /// The disk of the machine, on which something happens right before a lock is taken.
    struct BeforeLock(Mutex<Option<Box<dyn FnOnce() + Send>>>);

    impl Disk for BeforeLock {
        fn create_dir(&self, path: &Path) -> io::Result<()> {
            OsDisk.create_dir(path)
        }
        fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
            OsDisk.create_file(path)
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
            if let Some(happens) = self.0.lock().expect("whole").take() {
                happens();
            }
            OsDisk.lock(path)
        }
        fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
            OsDisk.open_folder(path)
        }
    }

    #[test]
    fn a_rehearsal_that_ends_or_goes_on_while_it_is_looked_at_is_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let (runs, os): (_, Arc<dyn Disk>) = (folder.path().join("runs"), Arc::new(OsDisk));
        let scratch = CollectionName::scratch(&"A".parse().expect("a name"), 1);
        let begun = || {
            let mut book = ScratchBook::create(Arc::clone(&os), &runs, about("http://a")).expect("a book");
            let target = scratch[0].clone();
            book.note(&RunRecord::Scratch { target, at: Timestamp::UNIX_EPOCH }).expect("noted");
            book
        };
        let left = |happens: Box<dyn FnOnce() + Send>| {
            let disk: Arc<dyn Disk> = Arc::new(BeforeLock(Mutex::new(Some(happens))));
            left_scratches(&disk, &runs, "http://a", Timestamp::now()).expect("read")
        };
        // It comes to its end.
        let book = begun();
        assert!(left(Box::new(move || book.remove().expect("removed"))).is_empty());
        assert_eq!(std::fs::read_dir(&runs).expect("a folder").count(), 0);
        // The same, but for its lock and its directory.
        let book = begun();
        let path = book.files.path().to_owned();
        let ends = move || {
            std::fs::remove_file(path.join(CHECKPOINT)).expect("removed");
            drop(book);
        };
        assert!(left(Box::new(ends)).is_empty());
        assert_eq!(std::fs::read_dir(&runs).expect("a folder").count(), 0, "nothing is left behind");
        // It goes on, and is killed.
        let (mut book, target) = (begun(), scratch[1].clone());
        let goes_on = move || {
            book.note(&RunRecord::Scratch { target, at: Timestamp::UNIX_EPOCH }).expect("noted");
        };
        let found = left(Box::new(goes_on));
        assert_eq!(found[0].names.len(), 2, "what it wrote down last counts too");
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
