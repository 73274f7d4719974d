//! Runs before this one: what they dropped, left awake, or did not get to the end of.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
use std::path::Path;

use super::super::disk::Disk;
use super::super::error::{DiskOp, Error, on};
use super::super::names::CHECKPOINT;
use super::{RunAbout, RunHistory, TargetHistory};
use crate::event::Op;
use crate::model::{CollectionName, TenantName};

/// Runs looked through at most.
const RUNS: usize = 20_000;

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
        if damage.is_some() || !history.about.as_ref().is_some_and(|a| a.op == op && a.server_url == server_url) {
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
    newest_first(disk, runs, |history, damage| {
        if damage.is_some() || history.about.as_ref().is_none_or(|about| about.server_url != server_url) {
            return;
        }
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
        let mut followed = false;
        for target in &targets {
            followed |= !seen.insert((about.server_url.clone(), target.clone()));
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
            Some(about) if about.op == op && about.server_url == server_url => {
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
