//! Which collections runs of this machine are at work on: each run holds one locked file that names its server and its
//! collections, however many these are.
//!
//! In the folder of locks lie `gate`, which is held for the moment in which a run looks at the others and adds itself, and
//! for each run `<id>.lock`, locked as long as the run lives, and `<id>.jsonl`, what it claims: a `Claimed`, then a line
//! for what became known later. What a killed run left is removed by the next one.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use uuid::Uuid;

use super::claimant::{Claimant, Held, Use};
use super::disk::{Disk, Folder, Lock, WriteFile};
use super::durable::create_missing;
use super::error::{DiskOp, Error, on};
use super::format::{Claimed, Grown};
use crate::model::{CollectionName, ServerIdentity};

/// The file that is locked while claims are looked at and made.
const GATE: &str = "gate";
/// How long the gate is waited for: others hold it for some milliseconds.
const GATE_WAIT: Duration = Duration::from_secs(10);
/// Time between two tries to take the gate.
const GATE_PAUSE: Duration = Duration::from_millis(5);
/// Files in the folder of locks that are looked at.
const MOST_FILES: usize = 100_000;
/// The longest claim, in bytes: 100,000 collections with their shards take less.
const CLAIM_BYTES: u64 = 64 << 20;
/// What the name of a run's lock ends with.
const LOCK: &str = ".lock";
/// What the name of a run's claim ends with.
const CLAIM: &str = ".jsonl";

impl From<Held> for Error {
    fn from(held: Held) -> Self {
        Self::Claimed(Box::new(held))
    }
}

/// The collections that this run holds, until it is dropped.
pub struct Claim {
    disk: Arc<dyn Disk>,
    /// What it claims, and the lock: whoever finds the lock held and no claim knows that the run is about to end.
    files: [PathBuf; 2],
    content: Option<Box<dyn WriteFile>>,
    known: BTreeSet<String>,
    _lock: Box<dyn Lock>,
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Claim {
    /// Claims collections of a server; `locks` is made if missing. Held by another run: [`Error::Claimed`]. Names that
    /// differ in case only are one, since servers take such for one collection. Blocks.
    pub fn take(
        disk: &Arc<dyn Disk>,
        locks: &Path,
        by: Claimant,
        server: ServerIdentity,
        collections: Vec<CollectionName>,
        purpose: Use,
    ) -> Result<Self, Error> {
        create_missing(&**disk, locks)?;
        let _gate = gate(&**disk, locks)?;
        if let Some(held) = look(&**disk, locks, &server, &collections, purpose)? {
            return Err(held.into());
        }
        let id = Uuid::now_v7();
        let files = [CLAIM, LOCK].map(|end| locks.join(format!("{id}{end}")));
        let [claim_file, lock_file] = &files;
        let lock = disk.lock(lock_file).map_err(on(DiskOp::Lock, lock_file))?;
        let lock = lock.ok_or_else(|| Error::Locked { path: lock_file.clone() })?;
        let known = server.shards.clone();
        let content = disk.create_file(claim_file).map_err(on(DiskOp::CreateFile, claim_file));
        // Whatever fails from here on leaves nothing behind.
        let mut claim = Self { disk: Arc::clone(disk), files: files.clone(), content: None, known, _lock: lock };
        claim.content = Some(content?);
        claim.line(&Claimed { by, server, collections, purpose })?;
        Ok(claim)
    }

    /// Adds shards of a collection that this run has made, by which it is known through any URL.
    pub fn add_shards(&mut self, shards: &[String]) -> Result<(), Error> {
        let new: Vec<String> = shards.iter().filter(|shard| self.known.insert((*shard).clone())).cloned().collect();
        if new.is_empty() { Ok(()) } else { self.line(&Grown { shards: new }) }
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let path = &self.files[0];
        let mut text = serde_json::to_vec(line).map_err(|e| Error::disk(DiskOp::Write, path, 0, e.into()))?;
        text.push(b'\n');
        let Some(content) = &mut self.content else { return Ok(()) };
        content.write_all(&text).map_err(|e| Error::disk(DiskOp::Write, path, text.len() as u64, e))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.content = None;
        for file in &self.files {
            // What stays is removed by the next run.
            let _ = self.disk.remove_file(file);
        }
    }
}

/// The first of these collections that a run which is still at work holds, so that they cannot be changed. Removes what ended runs left of theirs. Blocks.
pub fn held(
    disk: &dyn Disk,
    locks: &Path,
    server: &ServerIdentity,
    collections: &[CollectionName],
) -> Result<Option<Held>, Error> {
    if disk.look(locks).map_err(on(DiskOp::Look, locks))?.is_none() {
        return Ok(None);
    }
    let _gate = gate(disk, locks)?;
    look(disk, locks, server, collections, Use::Changes)
}

/// Whether any run is at work, or was killed, as far as the folder tells. Changes nothing. Blocks.
pub fn anybody(disk: &dyn Disk, locks: &Path) -> Result<bool, Error> {
    if disk.look(locks).map_err(on(DiskOp::Look, locks))?.is_none() {
        return Ok(false);
    }
    let folder = disk.open_folder(locks).map_err(on(DiskOp::Open, locks))?;
    let entries = folder.list("", MOST_FILES).map_err(on(DiskOp::List, locks))?;
    Ok(entries.iter().any(|entry| entry.name.to_str().is_some_and(|name| name.ends_with(LOCK))))
}

/// Waits for the gate and takes it.
fn gate(disk: &dyn Disk, locks: &Path) -> Result<Box<dyn Lock>, Error> {
    let path = locks.join(GATE);
    let give_up = Instant::now() + GATE_WAIT;
    loop {
        if let Some(gate) = disk.lock(&path).map_err(on(DiskOp::Lock, &path))? {
            return Ok(gate);
        }
        if Instant::now() >= give_up {
            return Err(Error::Locked { path });
        }
        std::thread::sleep(GATE_PAUSE);
    }
}

/// Looks at the claims of the others, behind the gate; removes those of runs that are no more.
fn look(
    disk: &dyn Disk,
    locks: &Path,
    server: &ServerIdentity,
    collections: &[CollectionName],
    purpose: Use,
) -> Result<Option<Held>, Error> {
    let folder = disk.open_folder(locks).map_err(on(DiskOp::Open, locks))?;
    let entries = folder.list("", MOST_FILES).map_err(on(DiskOp::List, locks))?;
    let wanted: BTreeSet<String> = collections.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
    let mut found = None;
    let names: BTreeSet<String> = entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
    // A run has its lock before its claim, and both behind the gate.
    let lost = |id: &&str| !names.contains(&format!("{id}{LOCK}"));
    for id in names.iter().filter_map(|name| name.strip_suffix(CLAIM)).filter(lost) {
        let _ = disk.remove_file(&locks.join(format!("{id}{CLAIM}")));
    }
    for id in names.iter().filter_map(|name| name.strip_suffix(LOCK)) {
        let [lock_file, claim_file] = [LOCK, CLAIM].map(|end| locks.join(format!("{id}{end}")));
        if let Some(lock) = disk.lock(&lock_file).map_err(on(DiskOp::Lock, &lock_file))? {
            for file in [&claim_file, &lock_file] {
                let _ = disk.remove_file(file);
            }
            drop(lock);
            continue;
        }
        // The run may come to its end meanwhile.
        let Some((claimed, server_then)) = read(&*folder, &claim_file, &format!("{id}{CLAIM}"))? else { continue };
        let same = |name: &&CollectionName| wanted.contains(&name.as_str().to_ascii_lowercase());
        if let Some(name) = claimed.collections.iter().find(same)
            && purpose.excludes(claimed.purpose)
            && server.may_be(&server_then)
        {
            found = found.or(Some(Held { collection: name.clone(), by: claimed.by }));
        }
    }
    Ok(found)
}

/// What a run claims, with all that it knows of its server by now; `None` if it is gone.
fn read(folder: &dyn Folder, path: &Path, name: &str) -> Result<Option<(Claimed, ServerIdentity)>, Error> {
    let opened = match folder.open(name) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(on(DiskOp::Open, path)(error)),
    };
    let mut text = Vec::new();
    opened.content.take(CLAIM_BYTES).read_to_end(&mut text).map_err(on(DiskOp::Read, path))?;
    // The last line may be on its way.
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let claimed = lines.next().and_then(|first| serde_json::from_slice::<Claimed>(first).ok());
    // A run that lives, and that does not say what it is about, may be about anything.
    let Some(mut claimed) = claimed else { return Err(Error::Locked { path: path.to_owned() }) };
    let mut server = std::mem::take(&mut claimed.server);
    for line in lines {
        if let Ok(Grown { shards }) = serde_json::from_slice(line) {
            server.shards.extend(shards);
        }
    }
    Ok(Some((claimed, server)))
}

#[cfg(test)]
mod tests;
