//! Reading the journal of a run back: what is safely done, and what may exist on the server.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use super::super::digest::Hash;
use super::super::error::Error;
use super::super::journal;
use super::{RunAbout, RunRecord};
use crate::model::{CollectionName, KeyRange, Stamped, TenantName};

/// A run of ids, or a stretch of one, that the server has judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The tenant, in a multi-tenant collection.
    pub tenant: Option<TenantName>,
    /// The ids.
    pub covers: KeyRange,
    /// Objects written.
    pub objects: u64,
    /// Objects refused.
    pub rejected: u64,
    /// Plain bytes of those in the archive.
    pub rejected_bytes: u64,
    /// Refused objects that are on the server all the same.
    pub stored: u64,
    /// References that were written after their objects.
    pub references: u64,
    /// Objects written that the server called refused, and that were read back equal.
    pub refused_equal: u64,
    /// The same where the server did not say what became of them.
    pub unsaid_equal: u64,
    /// When the objects that its attempt had written by then were created.
    pub stamped: Option<Stamped>,
}

/// What became of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHistory {
    /// Its name in the archive.
    pub collection: CollectionName,
    /// The archive with the copy of its schema, if it was to be dropped.
    pub dropping: Option<String>,
    /// The tenants that are added to it, if it existed before.
    pub joined: Option<Vec<TenantName>>,
    /// SHA-256 of the schema it was created with; `None`: whether it exists is not known.
    pub created: Option<Hash>,
    /// The names of its shards, where they are known.
    pub shards: Vec<String>,
    /// Runs of ids, or stretches of them, that need not be sent again, in the order they were done.
    pub imported: Vec<Imported>,
    /// Whether all of it was sent: objects written and objects refused.
    pub finished: Option<(u64, u64)>,
    /// Whether it was compared with the archive, and with what result.
    pub verified: Option<bool>,
    /// The digest of what is there, if nothing differed and there is one.
    pub digest: Option<String>,
}

impl TargetHistory {
    /// Whether objects may be written to it.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.created.is_some() || self.joined.is_some()
    }
}

/// What the journal of a run says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunHistory {
    /// What the run is about; `None` if not even its first line is whole.
    pub about: Option<RunAbout>,
    /// Collections by their name on the server.
    pub targets: BTreeMap<CollectionName, TargetHistory>,
    /// Archives of what was replaced.
    pub replaced: Vec<String>,
    /// Whether nothing is left to do.
    pub complete: bool,
    /// Whether the journal's tail was torn off.
    pub torn: bool,
}

impl RunHistory {
    /// Reads a journal. `path` is only for errors.
    pub fn read(from: impl BufRead, path: &Path) -> Result<Self, Error> {
        let (history, error) = Self::read_partly(from, path);
        error.map_or(Ok(history), Err)
    }

    /// Nothing of what was written into a collection counts any more.
    fn forget(&mut self, target: &CollectionName) {
        if let Some(target) = self.targets.get_mut(target) {
            target.imported.clear();
            (target.finished, target.verified, target.digest) = (None, None, None);
        }
    }

    /// The same, and what was understood until an error.
    pub(super) fn read_partly(from: impl BufRead, path: &Path) -> (Self, Option<Error>) {
        let mut history = Self::default();
        match journal::read(from, path, |record| history.take(record)) {
            Ok(torn) => (Self { torn, ..history }, None),
            Err(error) => (history, Some(error)),
        }
    }

    pub(super) fn take(&mut self, record: RunRecord) -> Option<()> {
        let is_header = matches!(record, RunRecord::Header(_));
        if self.complete || self.about.is_some() == is_header {
            return None;
        }
        match record {
            RunRecord::Header(about) => self.about = Some(about),
            RunRecord::Intent { collection, target } => {
                return self.targets.insert(target, begun(collection, None)).is_none().then_some(());
            }
            RunRecord::Joining { collection, target, tenants } => {
                let joined = TargetHistory { joined: Some(tenants), ..begun(collection, None) };
                return self.targets.insert(target, joined).is_none().then_some(());
            }
            RunRecord::Replacing { archive } => self.replaced.push(archive),
            RunRecord::Dropping { target, safety } => {
                let begun = begun(target.clone(), Some(safety));
                return self.targets.insert(target, begun).is_none().then_some(());
            }
            RunRecord::Undone { target } => drop(self.targets.remove(&target)?),
            RunRecord::Created { target, schema_sha256, shards } => {
                let target = self.targets.get_mut(&target)?;
                target.shards = shards;
                return target.created.replace(schema_sha256).is_none().then_some(());
            }
            RunRecord::Imported {
                target,
                tenant,
                from,
                to,
                objects,
                rejected,
                rejected_bytes,
                stored,
                references,
                refused_equal,
                unsaid_equal,
                stamped,
            } => {
                let target = self.targets.get_mut(&target).filter(|t| t.is_there() && t.finished.is_none())?;
                let covers = KeyRange { from, to };
                target.imported.push(Imported {
                    tenant,
                    covers,
                    objects,
                    rejected,
                    rejected_bytes,
                    stored,
                    references,
                    refused_equal,
                    unsaid_equal,
                    stamped,
                });
            }
            RunRecord::Again { target } => {
                self.targets.get(&target).filter(|t| t.is_there())?;
                self.forget(&target);
            }
            RunRecord::Gone { target } => return self.targets.remove(&target).map(drop),
            RunRecord::Finished { target, objects, rejected } => {
                let target = self.targets.get_mut(&target).filter(|t| t.is_there())?;
                return target.finished.replace((objects, rejected)).is_none().then_some(());
            }
            RunRecord::Verified { target, ok, digest } => {
                let target = self.targets.get_mut(&target).filter(|t| t.is_there())?;
                (target.verified, target.digest) = (Some(ok), digest.filter(|_| ok));
            }
            // Who is active is read apart, of all runs together.
            RunRecord::Activating { .. } | RunRecord::Deactivated { .. }
            // Those are in journals of their own.
            | RunRecord::Scratch { .. }
            | RunRecord::ScratchGone { .. } => {}
            RunRecord::Complete => self.complete = true,
        }
        Some(())
    }
}

fn begun(collection: CollectionName, dropping: Option<String>) -> TargetHistory {
    TargetHistory {
        collection,
        dropping,
        joined: None,
        created: None,
        shards: Vec::new(),
        imported: Vec::new(),
        finished: None,
        verified: None,
        digest: None,
    }
}
