//! A disk in memory that forgets what was not synced, and fails when told.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Cursor, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::{Disk, Entry, Folder, Kind, Lock, Opened, Stamp, WriteFile};

/// How the disk fails at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::archive) enum Fault {
    /// With this error.
    Error(ErrorKind),
    /// A write takes half, and the next one finds no space. Other calls find no space at once.
    Short,
}

/// What a power cut leaves of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::archive) enum Crash {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// Names, but no bytes.
    Names,
    /// Names, and zeros for bytes.
    Zeros,
    /// Names, and half of the bytes.
    Half,
    /// Bytes, but no names.
    Bytes,
}

pub(in crate::archive) const CRASHES: [Crash; 6] =
    [Crash::Nothing, Crash::Everything, Crash::Names, Crash::Zeros, Crash::Half, Crash::Bytes];

#[derive(Debug, Clone, Default)]
struct Inode {
    data: Vec<u8>,
    synced: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Dir,
    File(usize),
}

#[derive(Debug, Clone, Default)]
pub(in crate::archive) struct State {
    inodes: Vec<Inode>,
    live: BTreeMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
    locked: BTreeSet<PathBuf>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    short: bool,
    /// The state after each call, if asked for.
    history: Option<Vec<State>>,
}

#[derive(Debug, Clone, Default)]
pub(in crate::archive) struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the disk")
    }

    /// Fails at the `at`-th call from now, from 0.
    pub(in crate::archive) fn fail_at(at: u64, fault: Fault) -> Self {
        Self(Arc::new(Mutex::new(State { fault: Some((at, fault)), ..State::default() })))
    }

    /// Fails at the `at`-th call from now, from 0; `None`: never any more.
    pub(in crate::archive) fn fail_later(&self, fault: Option<(u64, Fault)>) {
        let mut state = self.state();
        state.short = false;
        state.fault = fault.map(|(at, fault)| (state.calls + at, fault));
    }

    /// A disk of its own with the same on it.
    pub(in crate::archive) fn twin(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// Begins to remember the state after each call.
    pub(in crate::archive) fn record(&self) {
        self.state().history = Some(Vec::new());
    }

    pub(in crate::archive) fn recording() -> Self {
        Self(Arc::new(Mutex::new(State { history: Some(Vec::new()), ..State::default() })))
    }

    /// The same disk after the power came back: what is there is durable, its calls are counted from here on, and the state
    /// after each is remembered.
    pub(in crate::archive) fn again(self) -> Self {
        {
            let mut state = self.state();
            state.durable = state.live.clone();
            state.inodes.iter_mut().for_each(|inode| inode.synced = inode.data.len());
            (state.calls, state.fault, state.history) = (0, None, Some(Vec::new()));
        }
        self
    }

    /// A copy of the disk that fails at the `at`-th call from now, from 0.
    pub(in crate::archive) fn failing(&self, at: u64, fault: Fault) -> Self {
        let state = self.state();
        let fault = Some((state.calls + at, fault));
        Self(Arc::new(Mutex::new(State { fault, history: None, ..state.clone() })))
    }

    pub(in crate::archive) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// The disks that power cuts would leave, after every call and in every way.
    pub(in crate::archive) fn crashes(&self) -> Vec<(usize, Crash, SimDisk)> {
        let history = self.state().history.clone().unwrap_or_default();
        let each = history.iter().enumerate();
        each.flat_map(|(step, state)| CRASHES.map(|how| (step, how, state.crashed(how)))).collect()
    }

    /// Files below `path`.
    pub(in crate::archive) fn files(&self, path: &Path) -> Vec<PathBuf> {
        let is_file = |(path, node): (&PathBuf, &Node)| matches!(node, Node::File(_)).then(|| path.clone());
        self.state().live.iter().filter(|(at, _)| at.starts_with(path)).filter_map(is_file).collect()
    }

    pub(in crate::archive) fn read(&self, path: &Path) -> Vec<u8> {
        let state = self.state();
        match state.live.get(path) {
            Some(Node::File(at)) => state.inodes[*at].data.clone(),
            _ => panic!("{} is not there", path.display()),
        }
    }

    /// Replaces, makes or (`None`) removes a file, behind everybody's back.
    pub(in crate::archive) fn set(&self, path: &Path, data: Option<Vec<u8>>) {
        let mut state = self.state();
        match (data, state.live.get(path).copied()) {
            (None, _) => drop(state.live.remove(path)),
            (Some(data), Some(Node::File(at))) => state.inodes[at].data = data,
            (Some(data), _) => {
                let at = state.inodes.len();
                state.inodes.push(Inode { synced: data.len(), data });
                state.live.insert(path.to_owned(), Node::File(at));
            }
        }
    }

    /// Changes a file in place; faster than `read` and `set`.
    pub(in crate::archive) fn edit(&self, path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        if let Some(Node::File(at)) = state.live.get(path).copied() {
            edit(&mut state.inodes[at].data);
        }
    }

    /// Counts a call, fails if it is its turn, else does the work and remembers the state.
    fn call<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        let number = state.calls;
        state.calls += 1;
        match state.fault {
            Some((at, Fault::Error(kind))) if at == number => return Err(kind.into()),
            Some((at, Fault::Short)) if at == number => return Err(ErrorKind::StorageFull.into()),
            _ => {}
        }
        let result = work(&mut state)?;
        if state.history.is_some() {
            let now = State { history: None, ..state.clone() };
            state.history.iter_mut().for_each(|history| history.push(now.clone()));
        }
        Ok(result)
    }
}

impl State {
    fn crashed(&self, how: Crash) -> SimDisk {
        let mut left = State { inodes: self.inodes.clone(), ..State::default() };
        let names = matches!(how, Crash::Nothing | Crash::Bytes);
        left.live = if names { self.durable.clone() } else { self.live.clone() };
        for inode in &mut left.inodes {
            let (synced, len) = (inode.synced, inode.data.len());
            match how {
                Crash::Everything | Crash::Bytes => {}
                Crash::Nothing | Crash::Names => inode.data.truncate(synced),
                Crash::Zeros => inode.data[synced..].fill(0),
                Crash::Half => inode.data.truncate(usize::midpoint(synced, len)),
            }
        }
        // What is left is on the disk.
        left.inodes.iter_mut().for_each(|inode| inode.synced = inode.data.len());
        left.durable = left.live.clone();
        SimDisk(Arc::new(Mutex::new(left)))
    }

    fn parent_exists(&self, path: &Path) -> io::Result<()> {
        let root = path.parent().is_none_or(|parent| parent == Path::new("/"));
        let there = path.parent().is_some_and(|parent| self.live.get(parent) == Some(&Node::Dir));
        if root || there { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<()> {
        self.parent_exists(path)?;
        if self.live.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.live.insert(path.to_owned(), node);
        Ok(())
    }
}

struct SimFile(SimDisk, usize);

impl io::Write for SimFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let short = {
            let mut state = self.0.state();
            let due = state.fault == Some((state.calls, Fault::Short)) && bytes.len() > 1;
            if std::mem::take(&mut state.short) {
                return Err(ErrorKind::StorageFull.into());
            }
            if due {
                state.fault = None;
                state.short = true;
            }
            due
        };
        let taken = if short { bytes.len() / 2 } else { bytes.len() };
        self.0.call(|state| {
            state.inodes[self.1].data.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for SimFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.call(|state| {
            let inode = &mut state.inodes[self.1];
            inode.synced = inode.data.len();
            Ok(())
        })
    }
}

struct SimLock(SimDisk, PathBuf);

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.state().locked.remove(&self.1);
    }
}

struct SimFolder(SimDisk, PathBuf);

impl Folder for SimFolder {
    fn list(&self, below: &str, at_most: usize) -> io::Result<Vec<Entry>> {
        let dir = self.1.join(below);
        let dir = dir.components().collect::<PathBuf>();
        self.0.call(|state| {
            if state.live.get(&dir) != Some(&Node::Dir) {
                return Err(ErrorKind::NotFound.into());
            }
            let inside = state.live.iter().filter(|(path, _)| path.parent() == Some(&dir));
            let entry = |(path, node): (&PathBuf, &Node)| {
                let (kind, bytes) = match node {
                    Node::Dir => (Kind::Dir, 0),
                    Node::File(at) => (Kind::File, state.inodes[*at].data.len() as u64),
                };
                Entry { name: path.file_name().map(OsString::from).unwrap_or_default(), kind, bytes }
            };
            Ok(inside.map(entry).take(at_most + 1).collect())
        })
    }

    fn open(&self, file: &str) -> io::Result<Opened> {
        let path = self.1.join(file);
        self.0.call(|state| match state.live.get(&path) {
            Some(Node::File(at)) => {
                let data = state.inodes[*at].data.clone();
                let bytes = data.len() as u64;
                let stamp = Stamp([i128::try_from(*at).unwrap_or_default(), 0, 0]);
                Ok(Opened { content: Box::new(Cursor::new(data)), bytes, stamp })
            }
            Some(Node::Dir) => Err(ErrorKind::InvalidInput.into()),
            None => Err(ErrorKind::NotFound.into()),
        })
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|state| state.add(path, Node::Dir))
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let at = self.call(|state| {
            let at = state.inodes.len();
            state.add(path, Node::File(at))?;
            state.inodes.push(Inode::default());
            Ok(at)
        })?;
        Ok(Box::new(SimFile(self.clone(), at)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|state| {
            let node = state.live.remove(from).ok_or(ErrorKind::NotFound)?;
            state.live.insert(to.to_owned(), node);
            Ok(())
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|state| {
            let inside = |at: &Path| at.parent() == Some(path);
            state.durable.retain(|at, _| !inside(at));
            let now: Vec<_> = state.live.iter().filter(|(at, _)| inside(at)).map(|(at, n)| (at.clone(), *n)).collect();
            state.durable.extend(now);
            Ok(())
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call(|state| state.live.remove(path).map(drop).ok_or(ErrorKind::NotFound.into()))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|state| {
            if state.live.keys().any(|other| other.parent() == Some(path)) {
                return Err(ErrorKind::DirectoryNotEmpty.into());
            }
            state.live.remove(path).map(drop).ok_or(ErrorKind::NotFound.into())
        })
    }

    fn look(&self, path: &Path) -> io::Result<Option<(Kind, u64)>> {
        self.call(|state| {
            Ok(state.live.get(path).map(|node| match node {
                Node::Dir => (Kind::Dir, 0),
                Node::File(at) => (Kind::File, state.inodes[*at].data.len() as u64),
            }))
        })
    }

    fn free_space(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.call(|state| {
            if !state.live.contains_key(path) {
                let at = state.inodes.len();
                state.add(path, Node::File(at))?;
                state.inodes.push(Inode::default());
            }
            Ok(state.locked.insert(path.to_owned()))
        })
        .map(|taken| taken.then(|| Box::new(SimLock(self.clone(), path.to_owned())) as Box<dyn Lock>))
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        self.call(|state| Ok(state.locked.contains(path)))
    }

    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        self.call(|state| match state.live.get(path) {
            Some(Node::Dir) => Ok(()),
            Some(Node::File(_)) => Err(ErrorKind::NotADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        })?;
        Ok(Box::new(SimFolder(self.clone(), path.to_owned())))
    }
}
