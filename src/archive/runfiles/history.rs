//! Reading the journal of a run back: what is safely done, and what may exist on the server.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::super::digest::Hash;
use super::super::disk::Disk;
use super::super::error::{DiskOp, Error, on};
use super::super::journal;
use super::super::names::CHECKPOINT;
use super::{RunAbout, RunRecord};
use crate::event::Op;
use crate::model::{CollectionName, KeyRange, TenantName};

/// Runs looked through at most.
const RUNS: usize = 20_000;

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
    /// The archive with the copy of its schema, if it was to be dropped.
    pub dropping: Option<String>,
    /// The tenants that are added to it, if it existed before.
    pub joined: Option<Vec<TenantName>>,
    /// SHA-256 of the schema it was created with; `None`: whether it exists is not known.
    pub created: Option<Hash>,
    /// Runs of ids that need not be sent again, in the order they were done.
    pub imported: Vec<Imported>,
    /// Whether all of it was sent: objects written and objects refused.
    pub finished: Option<(u64, u64)>,
    /// Whether it was compared with the archive, and with what result.
    pub verified: Option<bool>,
}

impl TargetHistory {
    /// Whether objects may be written to it.
    fn is_there(&self) -> bool {
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
    /// Tenants that were woken, by collection, and whether they may still be awake.
    pub woken: BTreeMap<CollectionName, BTreeMap<TenantName, bool>>,
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
                return self.targets.insert(target, begun(collection, None)).is_none().then_some(());
            }
            RunRecord::Joining { collection, target, tenants } => {
                let joined = TargetHistory { joined: Some(tenants), ..begun(collection, None) };
                return self.targets.insert(target, joined).is_none().then_some(());
            }
            RunRecord::Dropping { target, safety } => {
                let begun = begun(target.clone(), Some(safety));
                return self.targets.insert(target, begun).is_none().then_some(());
            }
            RunRecord::Created { target, schema_sha256 } => {
                return self.targets.get_mut(&target)?.created.replace(schema_sha256).is_none().then_some(());
            }
            RunRecord::Imported { target, tenant, from, to, objects, rejected } => {
                let target = self.targets.get_mut(&target).filter(|t| t.is_there() && t.finished.is_none())?;
                target.imported.push(Imported { tenant, covers: KeyRange { from, to }, objects, rejected });
            }
            RunRecord::Finished { target, objects, rejected } => {
                let target = self.targets.get_mut(&target).filter(|t| t.is_there())?;
                return target.finished.replace((objects, rejected)).is_none().then_some(());
            }
            RunRecord::Verified { target, ok } => {
                self.targets.get_mut(&target).filter(|t| t.is_there())?.verified = Some(ok);
            }
            RunRecord::Waking { target, tenants } => {
                self.woken.entry(target).or_default().extend(tenants.into_iter().map(|tenant| (tenant, true)));
            }
            RunRecord::Asleep { target, tenants } => {
                let woken = self.woken.get_mut(&target)?;
                for tenant in tenants {
                    *woken.get_mut(&tenant)? = false;
                }
            }
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
        imported: Vec::new(),
        finished: None,
        verified: None,
    }
}

/// Where the newest run of this kind on this server that was to drop a collection saved its schema, for those that did
/// not get as far as having it there again. Runs whose journal cannot be read are passed over.
pub fn dropped_by(
    disk: &dyn Disk,
    runs: &Path,
    op: Op,
    server_url: &str,
) -> Result<BTreeMap<CollectionName, String>, Error> {
    let (mut dropped, mut seen) = (BTreeMap::new(), BTreeSet::new());
    newest_first(disk, runs, server_url, |history| {
        if history.about.as_ref().is_none_or(|about| about.op != op) {
            return;
        }
        for (target, TargetHistory { dropping, created, .. }) in history.targets {
            if let (Some(safety), true) = (dropping, seen.insert(target.clone()))
                && created.is_none()
            {
                dropped.insert(target, safety);
            }
        }
    })?;
    Ok(dropped)
}

/// Tenants on this server, by collection, that the newest run which woke them did not put back to sleep: it was killed.
/// Runs whose journal cannot be read are passed over.
pub fn left_awake(
    disk: &dyn Disk,
    runs: &Path,
    server_url: &str,
) -> Result<BTreeMap<CollectionName, BTreeSet<TenantName>>, Error> {
    let mut newest: BTreeMap<CollectionName, BTreeMap<TenantName, bool>> = BTreeMap::new();
    newest_first(disk, runs, server_url, |history| {
        for (collection, tenants) in history.woken {
            let known = newest.entry(collection).or_default();
            for (tenant, awake) in tenants {
                known.entry(tenant).or_insert(awake);
            }
        }
    })?;
    let awake = |tenants: BTreeMap<TenantName, bool>| {
        tenants.into_iter().filter_map(|(tenant, awake)| awake.then_some(tenant)).collect::<BTreeSet<_>>()
    };
    let left = newest.into_iter().map(|(collection, tenants)| (collection, awake(tenants)));
    Ok(left.filter(|(_, tenants)| !tenants.is_empty()).collect())
}

/// Reads the journals of the runs on this server, the newest first. Directories that are no runs, and runs whose journal
/// cannot be read, are passed over.
fn newest_first(disk: &dyn Disk, runs: &Path, server_url: &str, mut each: impl FnMut(RunHistory)) -> Result<(), Error> {
    if disk.look(runs).map_err(on(DiskOp::Look, runs))?.is_none() {
        return Ok(());
    }
    let folder = disk.open_folder(runs).map_err(on(DiskOp::Open, runs))?;
    let entries = folder.list("", RUNS).map_err(on(DiskOp::List, runs))?;
    // The names are UUIDs that begin with the time: the newest comes last.
    let mut names: Vec<String> = entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    for name in names {
        let path = format!("{name}/{CHECKPOINT}");
        let Ok((file, _)) = folder.open(&path) else { continue };
        let Ok(history) = RunHistory::read(BufReader::new(file), &runs.join(path)) else { continue };
        if history.about.as_ref().is_some_and(|about| about.server_url == server_url) {
            each(history);
        }
    }
    Ok(())
}
