//! The files of a run that writes to a server: a directory of its own with a journal of what is safely done, and the
//! objects the server refused. They are what a resumed run and a person go by.

mod carried;
mod earlier;
mod history;
mod rejected;
mod scratch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::digest::Hash;
use super::disk::Disk;
use super::durable::{create_missing, sync_parent};
use super::error::{Broken, DiskOp, Error, on};
use super::format::Refusal;
use super::journal::Journal;
use super::manifest::Tool;
use super::names::CHECKPOINT;
use crate::event::Op;
use crate::model::{CollectionName, ObjectId, Reason, Reasons, Stamped, TenantName, address};

pub use carried::{Forget, Kept, look};
pub use earlier::{ActivatedTenants, EarlierRun, dropped_by, last_runs, last_unfinished, left_active};
pub use history::{Imported, RunHistory, TargetHistory};
use rejected::Rejected;
pub use scratch::{LeftScratch, ScratchBook, left_scratches};

/// What a run is about; it may only be resumed if all of this still holds.
#[derive(Debug, Clone, PartialEq)]
pub struct RunAbout {
    /// Which operation.
    pub op: Op,
    /// What writes.
    pub tool: Tool,
    /// The run; also the name of its directory.
    pub run_id: Uuid,
    /// When it started, UTC.
    pub started: Timestamp,
    /// The server's URL without credentials.
    pub server_url: String,
    /// The server's version, as it prints it.
    pub server_version: String,
    /// The archive's directory, or the folder that copies of schemas are sealed in.
    pub archive: String,
    /// The run that wrote the archive, from its manifest; empty where none is read.
    pub archive_run_id: String,
    /// The run's options, as the operation names them; no secrets.
    pub options: Map<String, Value>,
}

impl RunAbout {
    /// A run that starts now: of no archive, on a server of unknown version, without options.
    #[must_use]
    pub fn new(op: Op, started: Timestamp, server_url: &str) -> Self {
        Self {
            op,
            tool: Self::this_tool(),
            run_id: Uuid::now_v7(),
            started,
            server_url: server_url.to_owned(),
            server_version: String::new(),
            archive: String::new(),
            archive_run_id: String::new(),
            options: Map::new(),
        }
    }

    /// What writes now: this version of elysiactl.
    #[must_use]
    pub fn this_tool() -> Tool {
        super::writer::tool()
    }

    /// Whether the run was about the server at this URL, however it was spelled.
    #[must_use]
    pub fn is_about(&self, server_url: &str) -> bool {
        address(&self.server_url) == address(server_url)
    }
}

/// One line of the journal. `target` is a collection by its name on the server.
#[derive(Debug, Clone, PartialEq)]
pub enum RunRecord {
    /// The first line.
    Header(RunAbout),
    /// A collection is about to be created; from here on it may exist.
    Intent {
        /// Its name in the archive.
        collection: CollectionName,
        /// Its name on the server.
        target: CollectionName,
    },
    /// Tenants are about to be added to a collection that exists; from here on they may be there.
    Joining {
        /// Its name in the archive.
        collection: CollectionName,
        /// The collection.
        target: CollectionName,
        /// The tenants, by their names on the server.
        tenants: Vec<TenantName>,
    },
    /// Objects are about to be replaced; from here on they may be in this archive alone.
    Replacing {
        /// The archive that holds them.
        archive: String,
    },
    /// A collection is about to be dropped, and recreated from its copy; from here on it may be gone.
    Dropping {
        /// The collection.
        target: CollectionName,
        /// The archive that holds its schema.
        safety: String,
    },
    /// What was created, and nothing was written to, was removed again.
    Undone {
        /// The collection.
        target: CollectionName,
    },
    /// The server has it.
    Created {
        /// The collection.
        target: CollectionName,
        /// SHA-256 of the schema that was sent.
        schema_sha256: Hash,
        /// The names of its shards, sorted: another collection of its name has other ones. Empty where they are not known,
        /// and of a multi-tenant one, whose shards are named as its tenants.
        shards: Vec<String>,
    },
    /// Every object of a run of ids, or of a stretch of one, was judged by the server.
    Imported {
        /// The collection.
        target: CollectionName,
        /// The tenant, in a multi-tenant collection.
        tenant: Option<TenantName>,
        /// What the run covers: exclusive, null = from the start.
        from: Option<ObjectId>,
        /// What the run covers: inclusive, null = to the end.
        to: Option<ObjectId>,
        /// Objects written.
        objects: u64,
        /// Objects refused.
        rejected: u64,
        /// Their plain bytes in the archive, line ends included.
        rejected_bytes: u64,
        /// Refused objects that are on the server all the same, without some of their references or lists of dates.
        stored: u64,
        /// References that were written after their objects.
        references: u64,
        /// Objects written that the server called refused; they were read back and are equal.
        refused_equal: u64,
        /// The same where the server did not say what became of them.
        unsaid_equal: u64,
        /// When the objects that this attempt has written into the collection so far were created: these are among them.
        stamped: Option<Stamped>,
    },
    /// Nothing of what was written into a collection counts any more: all of it is sent again.
    Again {
        /// The collection.
        target: CollectionName,
    },
    /// A collection that was created is gone from the server: it is begun anew, and what was written into it counts no more.
    Gone {
        /// The collection.
        target: CollectionName,
    },
    /// Every object of a collection was judged.
    Finished {
        /// The collection.
        target: CollectionName,
        /// Objects written.
        objects: u64,
        /// Objects refused.
        rejected: u64,
    },
    /// A collection was compared with the archive.
    Verified {
        /// The collection.
        target: CollectionName,
        /// Whether nothing differs.
        ok: bool,
        /// The content digest of what is there, where it is one: 64 lower-case hex digits.
        digest: Option<String>,
    },
    /// Inactive tenants are about to be activated; from here on they may be active.
    Activating {
        /// The collection.
        target: CollectionName,
        /// The tenants.
        tenants: Vec<TenantName>,
        /// The first objects that were seen in them once they were active, by which they are known again. Said once more with
        /// these, as soon as they are seen.
        firsts: BTreeMap<TenantName, FirstObject>,
    },
    /// Such tenants are inactive again.
    Deactivated {
        /// The collection.
        target: CollectionName,
        /// The tenants.
        tenants: Vec<TenantName>,
    },
    /// A scratch collection is about to be created; from here on it may exist.
    Scratch {
        /// Its name on the server.
        target: CollectionName,
        /// When.
        at: Timestamp,
    },
    /// Such a collection is gone.
    ScratchGone {
        /// Its name on the server.
        target: CollectionName,
    },
    /// Nothing is left to do.
    Complete,
}

/// The first object of a tenant. A tenant has no other identity than its objects: another one of its name, recreated or on
/// another server, does not have the same object written at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstObject {
    /// Its id.
    pub id: ObjectId,
    /// When it was written last, in ms since 1970 by the server's clock.
    pub updated_ms: i64,
}

/// The files of one run. Every call may block on the disk. After a call that failed, every other fails too.
pub struct RunFiles {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    journal: Journal,
    rejected: Option<Rejected>,
    /// Why, by collection.
    reasons: BTreeMap<CollectionName, Reasons>,
    failed: bool,
}

impl RunFiles {
    /// Makes the run's directory in `runs`, which is made if missing, and begins its journal.
    pub fn create(disk: Arc<dyn Disk>, runs: &Path, about: RunAbout) -> Result<Self, Error> {
        create_missing(&*disk, runs)?;
        let path = runs.join(about.run_id.to_string());
        disk.create_dir(&path).map_err(on(DiskOp::CreateDir, &path))?;
        sync_parent(&*disk, &path)?;
        let journal = Journal::create(&*disk, &path, &RunRecord::Header(about))?;
        Ok(Self { disk, path, journal, rejected: None, reasons: BTreeMap::new(), failed: false })
    }

    /// The run's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record to the journal; it is durable after `sync`.
    pub fn record(&mut self, record: &RunRecord) -> Result<(), Error> {
        self.guarded(|files| {
            files.journal.push(record)?;
            // Never the journal alone: what it counts as refused must be in the other file already.
            if files.journal.is_full() { files.sync_all() } else { Ok(()) }
        })
    }

    /// Keeps an object that the server refused, with the server's words. `object` is its line in the archive, without
    /// the line end. It is durable after `sync`.
    pub fn reject(
        &mut self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        id: ObjectId,
        reason: &str,
        object: &[u8],
    ) -> Result<(), Error> {
        self.guarded(|files| {
            if object.is_empty() || memchr::memchr(b'\n', object).is_some() {
                return Err(Error::broken(&files.path, Broken::Text(id)));
            }
            let rejected = match &mut files.rejected {
                Some(rejected) => rejected,
                none => none.insert(Rejected::create(&*files.disk, &files.path)?),
            };
            rejected.add(&Refusal { collection, tenant, id, reason }, object)?;
            files.reasons.entry(collection.clone()).or_default().add(reason, id);
            Ok(())
        })
    }

    /// Why objects of a collection were refused, the commonest reason first: all that are in the file. Told once.
    pub fn take_reasons(&mut self, collection: &CollectionName) -> Vec<Reason> {
        self.reasons.remove(collection).map(|reasons| reasons.listed()).unwrap_or_default()
    }

    /// Makes all records and refused objects so far durable.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.guarded(Self::sync_all)
    }

    fn sync_all(&mut self) -> Result<(), Error> {
        if let Some(rejected) = &mut self.rejected {
            rejected.sync()?;
        }
        self.journal.sync()
    }

    /// Every call after it fails.
    fn close(&mut self) {
        self.failed = true;
    }

    /// Removes the run's directory, if its journal is all there is in it: for a run that left nothing anybody would go by.
    /// Every call after it fails.
    pub fn remove(&mut self) -> Result<(), Error> {
        if self.rejected.is_some() {
            return Ok(());
        }
        self.failed = true;
        let journal = self.path.join(CHECKPOINT);
        self.disk.remove_file(&journal).map_err(on(DiskOp::Remove, &journal))?;
        self.disk.remove_dir(&self.path).map_err(on(DiskOp::Remove, &self.path))?;
        sync_parent(&*self.disk, &self.path)
    }

    /// The file of refused objects, if there are any.
    #[must_use]
    pub fn rejected(&self) -> Option<PathBuf> {
        self.rejected.as_ref().map(|rejected| rejected.path().to_owned())
    }

    /// A write that failed may have left half a line, and what comes after one is lost to every reader.
    fn guarded(&mut self, call: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if self.failed {
            return Err(Error::broken(&self.path, Broken::AfterFailure));
        }
        // Also if it never returns.
        self.failed = true;
        let done = call(self);
        self.failed = done.is_err();
        done
    }
}

#[cfg(test)]
mod tests;
