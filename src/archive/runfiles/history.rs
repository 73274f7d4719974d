//! Reading the journal of a run back: what is safely done, and what may exist on the server.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use super::super::digest::Hash;
use super::super::error::Error;
use super::super::journal;
use super::{RunAbout, RunRecord};
use crate::model::{CollectionName, KeyRange, TenantName};

/// A run of ids that the server has judged.
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
}

/// What became of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHistory {
    /// Its name in the archive.
    pub collection: CollectionName,
    /// SHA-256 of the schema it was created with; `None`: whether it exists is not known.
    pub created: Option<Hash>,
    /// Runs of ids that need not be sent again, in the order they were done.
    pub imported: Vec<Imported>,
    /// Whether all of it was sent: objects written and objects refused.
    pub finished: Option<(u64, u64)>,
    /// Whether it was compared with the archive, and with what result.
    pub verified: Option<bool>,
}

/// What the journal of a run says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunHistory {
    /// What the run is about; `None` if not even its first line is whole.
    pub about: Option<RunAbout>,
    /// Collections by their name on the server.
    pub targets: BTreeMap<CollectionName, TargetHistory>,
    /// Whether nothing is left to do.
    pub complete: bool,
    /// Whether the journal's tail was torn off.
    pub torn: bool,
}

impl RunHistory {
    /// Reads a journal. `path` is only for errors.
    pub fn read(from: impl BufRead, path: &Path) -> Result<Self, Error> {
        let mut history = Self::default();
        history.torn = journal::read(from, path, |record| history.take(record))?;
        Ok(history)
    }

    fn take(&mut self, record: RunRecord) -> Option<()> {
        let is_header = matches!(record, RunRecord::Header(_));
        if self.complete || self.about.is_some() == is_header {
            return None;
        }
        match record {
            RunRecord::Header(about) => self.about = Some(about),
            RunRecord::Intent { collection, target } => {
                let begun =
                    TargetHistory { collection, created: None, imported: Vec::new(), finished: None, verified: None };
                return self.targets.insert(target, begun).is_none().then_some(());
            }
            RunRecord::Created { target, schema_sha256 } => {
                return self.targets.get_mut(&target)?.created.replace(schema_sha256).is_none().then_some(());
            }
            RunRecord::Imported { target, tenant, from, to, objects, rejected } => {
                let target = self.targets.get_mut(&target).filter(|t| t.created.is_some() && t.finished.is_none())?;
                target.imported.push(Imported { tenant, covers: KeyRange { from, to }, objects, rejected });
            }
            RunRecord::Finished { target, objects, rejected } => {
                let target = self.targets.get_mut(&target).filter(|t| t.created.is_some())?;
                return target.finished.replace((objects, rejected)).is_none().then_some(());
            }
            RunRecord::Verified { target, ok } => {
                self.targets.get_mut(&target).filter(|t| t.created.is_some())?.verified = Some(ok);
            }
            RunRecord::Complete => self.complete = true,
        }
        Some(())
    }
}
