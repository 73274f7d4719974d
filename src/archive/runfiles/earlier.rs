//! Runs before this one: what they dropped, left active, or did not get to the end of.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::super::disk::{Disk, Folder};
use super::super::error::{DiskOp, Error, on};
use super::super::journal;
use super::super::names::CHECKPOINT;
use super::{FirstObject, RunAbout, RunHistory, RunRecord, TargetHistory};
use crate::event::Op;
use crate::model::{CollectionName, TenantName, address};

/// Runs looked through at most: of each its name is in memory, some 100 bytes.
const RUNS: usize = 100_000;

/// Where the newest run of this kind on this server that was to drop a collection saved its schema, for those that did
/// not get as far as having it there again. Runs whose journal cannot be read are passed over.
pub fn dropped_by(
    disk: &dyn Disk,
    runs: &Path,
    op: Op,
    server_url: &str,
) -> Result<BTreeMap<CollectionName, String>, Error> {
    let (mut dropped, mut seen) = (BTreeMap::new(), BTreeSet::new());
    newest_first(disk, runs, |history, damage| {
        if damage.is_some() || !history.about.as_ref().is_some_and(|a| a.op == op && a.is_about(server_url)) {
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

/// Tenants that a run activated, with the first object that it saw in each, if it saw one.
pub type ActivatedTenants = BTreeMap<TenantName, Option<FirstObject>>;

/// Tenants on this server, by collection, that the newest run which activated them did not deactivated: it was killed.
/// Runs whose journal cannot be read are passed over. The journals are read from the oldest run to the newest, a line at
/// a time, so that in memory are only those that are active by what was read so far, whatever the runs did.
pub fn left_active(
    disk: &dyn Disk,
    runs: &Path,
    server_url: &str,
) -> Result<BTreeMap<CollectionName, ActivatedTenants>, Error> {
    let mut active = StillActive::default();
    let Some((folder, names)) = runs_of(disk, runs)? else { return Ok(active.0) };
    for name in names.iter().rev() {
        let path = format!("{name}/{CHECKPOINT}");
        // What cannot be opened cannot be read.
        let Ok(opened) = folder.open(&path) else { continue };
        let mut from = BufReader::new(opened.content);
        let may_say = |about: &RunAbout| wakes(about.op) && about.is_about(server_url);
        match journal::first(&mut from) {
            Some(RunRecord::Header(about)) if may_say(&about) => {}
            _ => continue,
        }
        if let Some(run) = TenantsSaid::read(from, &runs.join(path), &active) {
            active.take(run);
        }
    }
    Ok(active.0)
}

/// Whether runs of this kind write down whom they activate. A restore activates tenants that it made itself, and its journal, which
/// may be large, says nothing of them.
fn wakes(op: Op) -> bool {
    op != Op::Restore
}

/// Tenants that are active by what was read so far; no collection is without any.
#[derive(Default)]
struct StillActive(BTreeMap<CollectionName, ActivatedTenants>);

impl StillActive {
    fn holds(&self, collection: &CollectionName, tenant: &TenantName) -> bool {
        self.0.get(collection).is_some_and(|tenants| tenants.contains_key(tenant))
    }

    fn insert(&mut self, collection: CollectionName, tenant: TenantName, first: Option<FirstObject>) {
        self.0.entry(collection).or_default().insert(tenant, first);
    }

    fn remove(&mut self, collection: &CollectionName, tenant: &TenantName) {
        if let Some(tenants) = self.0.get_mut(collection) {
            tenants.remove(tenant);
            if tenants.is_empty() {
                self.0.remove(collection);
            }
        }
    }

    fn take(&mut self, run: TenantsSaid) {
        for (collection, tenants) in &run.inactive.0 {
            for tenant in tenants.keys() {
                self.remove(collection, tenant);
            }
        }
        for (collection, tenants) in run.active.0 {
            self.0.entry(collection).or_default().extend(tenants);
        }
    }
}

/// What one run says of tenants in the end.
#[derive(Default)]
struct TenantsSaid {
    active: StillActive,
    /// Of those that were active before it.
    inactive: StillActive,
}

impl TenantsSaid {
    /// Reads the rest of a journal; `None` if it cannot be read to its end.
    fn read(from: impl BufRead, path: &Path, before: &StillActive) -> Option<Self> {
        let mut said = Self::default();
        let read = journal::read(from, path, |record| {
            match record {
                RunRecord::Activating { target, tenants, firsts } => {
                    for tenant in tenants {
                        let first = firsts.get(&tenant).copied();
                        said.active.insert(target.clone(), tenant, first);
                    }
                }
                RunRecord::Deactivated { target, tenants } => {
                    for tenant in tenants {
                        said.active.remove(&target, &tenant);
                        if before.holds(&target, &tenant) {
                            said.inactive.insert(target.clone(), tenant, None);
                        }
                    }
                }
                _ => {}
            }
            Some(())
        });
        read.is_ok().then_some(said)
    }
}

/// A run that may have left something on its server.
#[derive(Debug)]
pub struct EarlierRun {
    /// What it is about.
    pub about: RunAbout,
    /// Its collections, by their names on the server.
    pub targets: BTreeSet<CollectionName>,
    /// Whether it got to its end.
    pub complete: bool,
    /// Why its journal cannot be read to its end, if so.
    pub damage: Option<Error>,
}

/// The last runs of this kind, on whatever server, the newest first. One that a newer run followed on the same server, with
/// any of the same collections, is not among them, and none that is known to have begun nothing.
pub fn last_runs(disk: &dyn Disk, runs: &Path, op: Op) -> Result<Vec<EarlierRun>, Error> {
    let (mut found, mut seen, mut failed) = (Vec::new(), BTreeSet::new(), None);
    newest_first(disk, runs, |history, damage| {
        let Some(about) = history.about else {
            // What cannot be read at all may be the very run that is looked for.
            failed = failed.take().or(damage);
            return;
        };
        let targets: BTreeSet<CollectionName> = history.targets.into_keys().collect();
        let (mut followed, server) = (false, address(&about.server_url));
        for target in &targets {
            followed |= !seen.insert((server.clone(), target.clone()));
        }
        if about.op == op && !followed && (damage.is_some() || !targets.is_empty()) {
            found.push(EarlierRun { about, targets, complete: history.complete, damage });
        }
    })?;
    failed.map_or(Ok(found), Err)
}

/// What the last run of this kind on this server is about, if it did not get to its end.
pub fn last_unfinished(disk: &dyn Disk, runs: &Path, op: Op, server_url: &str) -> Result<Option<RunAbout>, Error> {
    let (mut last, mut failed) = (None, None);
    newest_first(disk, runs, |history, damage| {
        let RunHistory { about, complete, .. } = history;
        match about {
            Some(about) if about.op == op && about.is_about(server_url) => {
                last.get_or_insert((!complete).then_some(about));
            }
            Some(_) => {}
            None => failed = failed.take().or(damage),
        }
    })?;
    failed.map_or(Ok(last.flatten()), Err)
}

/// Reads the journals of runs, the newest first, each as far as it can be read. Directories that are no runs are passed
/// over.
fn newest_first(disk: &dyn Disk, runs: &Path, mut each: impl FnMut(RunHistory, Option<Error>)) -> Result<(), Error> {
    let Some((folder, names)) = runs_of(disk, runs)? else { return Ok(()) };
    for name in names {
        let path = format!("{name}/{CHECKPOINT}");
        match folder.open(&path) {
            Ok(opened) => {
                let (history, damage) = RunHistory::read_partly(BufReader::new(opened.content), &runs.join(path));
                each(history, damage);
            }
            Err(error) if matches!(error.kind(), NotFound | InvalidInput | NotADirectory) => {}
            Err(error) => each(RunHistory::default(), Some(on(DiskOp::Open, &runs.join(path))(error))),
        }
    }
    Ok(())
}

/// A folder, and the names in it.
pub(super) type Listed = (Box<dyn Folder>, Vec<String>);

/// The folder of runs, and what lies in it, the newest first; `None` if there is no such folder.
pub(super) fn runs_of(disk: &dyn Disk, runs: &Path) -> Result<Option<Listed>, Error> {
    if disk.look(runs).map_err(on(DiskOp::Look, runs))?.is_none() {
        return Ok(None);
    }
    let folder = disk.open_folder(runs).map_err(on(DiskOp::Open, runs))?;
    let entries = folder.list("", RUNS).map_err(on(DiskOp::List, runs))?;
    // The newest may be among those that were not listed.
    if entries.len() > RUNS {
        let why = io::Error::other(format!("more than {RUNS} runs lie in it"));
        return Err(on(DiskOp::List, runs)(why));
    }
    // The names are UUIDs that begin with the time: the newest comes last.
    let mut names: Vec<String> = entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(Some((folder, names)))
}
