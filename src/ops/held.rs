//! Which archive holds what somebody is about to lose, and how surely: by what its manifest says, by its files and their
//! sizes, and by the server's shards, counts and times; of collections with tenants by a few first objects. An archive that
//! would hold everything is read for its newest object. No more is compared. Sends reading requests only.

mod tenants;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use tenants::{Whose, whose};

use super::bounds::ASKED_AT_ONCE;
use super::{Error, PlanChange, ReadAccess, Session, blocking};
use crate::archive::manifest::{CollectionEntry, Manifest};
use crate::archive::{self, Archive, Content, catalog};
use crate::event::{Covers, PlannedCopy};
use crate::model::{CLOCK_STEP_MS, CollectionName, TenantName, path_text};
use crate::pipeline::peek::newest_archived;
use crate::weaviate::Tenant;

/// Objects of a collection up to which the server is asked when the newest was written: it looks at each for the answer.
pub const MOST_LOOKED_AT: u64 = 10_000;
/// Tenants of a collection up to which it is asked, one after the other.
const TENANTS_LOOKED_AT: usize = 100;

/// A sealed archive that holds objects of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldIn {
    /// Its directory.
    pub path: PathBuf,
    /// When it was sealed.
    pub sealed: Timestamp,
    /// Objects in it, of those tenants that are about to be lost.
    pub archived: u64,
    /// Objects on the server; `None` if they are not all counted.
    pub live: Option<u64>,
    /// How much of them it holds.
    pub covers: Covers,
    /// When the newest of them was written, in ms since 1970 by the server's clock; `None` where there was none, or where it
    /// was not asked.
    pub newest_ms: Option<i64>,
}

impl HeldIn {
    /// The same once the number of objects on the server is another one: what moved it was written since.
    pub fn moved_to(&mut self, live: Option<u64>) {
        self.live = live;
        self.covers = match (&self.covers, live) {
            (Covers::Everything | Covers::ChangesUnknown | Covers::WrittenSince { .. }, Some(live))
                if self.archived < live =>
            {
                Covers::Fewer
            }
            (Covers::Everything | Covers::ChangesUnknown, None) => Covers::Uncounted,
            (Covers::Everything, Some(_)) => Covers::ChangesUnknown,
            (same, _) => same.clone(),
        };
    }

    /// As events and `--json` show it.
    #[must_use]
    pub fn listed(&self) -> PlannedCopy {
        PlannedCopy {
            archive: path_text(&self.path),
            sealed: self.sealed,
            archived_objects: self.archived,
            server_objects: self.live,
            covers: self.covers.clone(),
        }
    }
}

/// What somebody is about to lose of one collection.
pub(super) struct Doomed<'a> {
    pub(super) name: &'a CollectionName,
    /// Its objects, if all of them are counted.
    pub(super) objects: Option<u64>,
    /// Its tenants, or those of them that it is about; `None` in a plain collection.
    pub(super) tenants: Option<&'a [Tenant]>,
    /// The names of its shards; none if they are not known, or if it has tenants.
    pub(super) shards: &'a [String],
}

/// When the newest object was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Newest {
    /// In ms since 1970, by the server's clock.
    At(i64),
    /// There is no object.
    Nothing,
    /// It was not asked, or not answered.
    Unknown,
}

/// The facts that an archive is held against.
struct HeldFacts {
    objects: Option<u64>,
    tenants: Option<Vec<TenantName>>,
    shards: Vec<String>,
    newest: Newest,
}

/// Looks for the archives in a folder that hold what is about to be lost, by the names of the collections and of their shards.
/// Of each the newest that holds everything; if there is none, the newest with vectors; if there is none either, the newest;
/// and only where there is nothing else, the newest of another collection of that name.
pub(super) async fn held_in(
    access: ReadAccess<'_>,
    folder: &Path,
    doomed: &[Doomed<'_>],
) -> Result<BTreeMap<CollectionName, HeldIn>, Error> {
    let names: BTreeMap<_, _> = doomed.iter().map(|one| (one.name.to_string(), one.shards.to_vec())).collect();
    let (disk, place, url) = (Arc::clone(&access.archives), folder.to_owned(), access.client.url().to_owned());
    let look = move || match catalog::holders(&*disk, &place, &url, &names) {
        // There is none yet, or none that can be read: then nothing holds them.
        Err(archive::Error::NotFound { .. } | archive::Error::OutputIsFile { .. }) => Ok(Vec::new()),
        found => found,
    };
    let holders = blocking("catalog", look).await?;
    let held: BTreeSet<&str> = holders.iter().flat_map(|holder| holder.names.iter().map(String::as_str)).collect();
    let facts = doomed.iter().filter(|one| held.contains(one.name.as_str())).map(async |one| {
        let newest = newest(access, one).await?;
        let tenants = one.tenants.map(|tenants| tenants.iter().map(|tenant| tenant.name.clone()).collect());
        let shards = one.shards.to_vec();
        Ok::<_, Error>((one.name.clone(), HeldFacts { objects: one.objects, tenants, shards, newest }))
    });
    let facts: Vec<_> = stream::iter(facts).buffered(ASKED_AT_ONCE).collect().await;
    let facts: BTreeMap<CollectionName, HeldFacts> = facts.into_iter().collect::<Result<_, _>>()?;
    let (facts, holders) = (Arc::new(facts), Arc::new(holders));
    let mut judged: BTreeMap<(CollectionName, PathBuf), Whose> = BTreeMap::new();
    // Each time round at least one more of the holders, which are few, is known to be of another collection.
    loop {
        let (disk, holders, known) = (Arc::clone(&access.archives), Arc::clone(&holders), Arc::clone(&facts));
        let others = judged.iter().filter(|(_, whose)| **whose == Whose::Other).map(|(at, _)| at.clone()).collect();
        let compare = move || Ok::<_, Error>(hold_against(&disk, &holders, &known, &others));
        let mut found = blocking("archives", compare).await?;
        let mut again = false;
        for (name, held) in found.iter_mut().filter(|(_, held)| held.covers == Covers::Everything) {
            let Some(tenants) = facts.get(name).and_then(|facts| facts.tenants.as_deref()) else { continue };
            if held.live == Some(0) {
                continue;
            }
            let at = (name.clone(), held.path.clone());
            let verdict = match judged.get(&at) {
                Some(verdict) => *verdict,
                None => whose(access, &held.path, name, tenants, held.live == Some(held.archived)).await?,
            };
            judged.insert(at, verdict);
            match verdict {
                Whose::Same => {}
                Whose::Unknown => held.covers = Covers::ChangesUnknown,
                Whose::Other => again = true,
            }
        }
        if again {
            continue;
        }
        for (name, held) in found.iter_mut().filter(|(_, held)| held.covers == Covers::Everything) {
            if held.live != Some(0) && !is_newest_archived(access.session, name, held, facts.get(name)).await? {
                held.covers = Covers::ChangesUnknown;
            }
        }
        return Ok(found);
    }
}

/// Whether the newest object that an archive holds is the newest on the server.
async fn is_newest_archived(
    session: &Session,
    name: &CollectionName,
    held: &HeldIn,
    facts: Option<&HeldFacts>,
) -> Result<bool, Error> {
    let (disk, path, name) = (Arc::clone(&session.archives), held.path.clone(), name.to_string());
    let tenants = facts.and_then(|facts| facts.tenants.clone());
    let read = move || Ok::<_, Error>(newest_archived(&disk, &path, &name, tenants.as_deref()));
    let archived = blocking("archives", read).await?;
    Ok(archived.is_some() && archived == held.newest_ms)
}

/// What the archive that was named holds now. What was written since it was named is not in it, and one that is gone by now
/// holds nothing. Whether the number of objects moved is for who counts to say.
pub(super) async fn hold_again(
    access: ReadAccess<'_>,
    doomed: &Doomed<'_>,
    named: Option<&HeldIn>,
) -> Result<Option<HeldIn>, Error> {
    let Some(named) = named else { return Ok(None) };
    let mut held = named.clone();
    if held.covers == Covers::Everything && held.live != Some(0) {
        let (disk, manifest) = (Arc::clone(&access.archives), held.path.join(archive::MANIFEST));
        let there = blocking("archives", move || Ok::<_, Error>(matches!(disk.look(&manifest), Ok(Some(_))))).await?;
        if !there {
            return Ok(None);
        }
        match newest(access, doomed).await? {
            Newest::At(at) if held.newest_ms.is_none_or(|before| before < at) => {
                held.newest_ms = Some(at);
                held.covers = written_since(at);
            }
            Newest::At(at) if held.newest_ms == Some(at) => {}
            Newest::At(_) | Newest::Nothing | Newest::Unknown => held.covers = Covers::ChangesUnknown,
        }
    }
    Ok(Some(held))
}

/// Refuses what was written to after it was said that an archive holds all of it: nobody agreed to lose that.
pub(super) async fn is_held_still(
    access: ReadAccess<'_>,
    doomed: &Doomed<'_>,
    named: Option<&HeldIn>,
) -> Result<(), Error> {
    let Some(was) = named else { return Ok(()) };
    let archive = was.path.clone();
    let what = match hold_again(access, doomed, named).await? {
        Some(now) if now.covers == was.covers => return Ok(()),
        Some(HeldIn { covers: Covers::WrittenSince { .. }, .. }) => PlanChange::WrittenSinceHeld { archive },
        Some(_) => PlanChange::HeldUnknown { archive },
        None => PlanChange::HeldGone { archive },
    };
    Err(Error::NotAsPlanned { collection: doomed.name.clone(), what })
}

/// Asks when something was written last, where that is cheap. No plan fails for want of the answer.
async fn newest(access: ReadAccess<'_>, doomed: &Doomed<'_>) -> Result<Newest, Error> {
    let few = doomed.objects.is_some_and(|objects| objects <= MOST_LOOKED_AT);
    let asked = Tenant::spaces(doomed.tenants);
    if !few || asked.len() > TENANTS_LOOKED_AT {
        return Ok(Newest::Unknown);
    }
    let mut newest = Newest::Nothing;
    for tenant in asked {
        let answer = access.client.newest_update(doomed.name, tenant);
        let answered = access.try_ask(answer).await?;
        newest = match (answered, newest) {
            (Ok(Some(at)), Newest::At(before)) => Newest::At(at.max(before)),
            (Ok(Some(at)), _) => Newest::At(at),
            (Ok(None), before) => before,
            (Err(_), _) => return Ok(Newest::Unknown),
        };
    }
    Ok(newest)
}

/// Opens the archives, the newest first, and holds each against what is known. One whose files are not all there, with their
/// sizes, holds nothing. `others`: collections in archives that are known to be others than those on the server.
fn hold_against(
    disk: &Arc<dyn archive::Disk>,
    holders: &[catalog::Holder],
    facts: &BTreeMap<CollectionName, HeldFacts>,
    others: &BTreeSet<(CollectionName, PathBuf)>,
) -> BTreeMap<CollectionName, HeldIn> {
    let mut found: BTreeMap<CollectionName, HeldIn> = BTreeMap::new();
    let settled = |found: &BTreeMap<CollectionName, HeldIn>, name: &CollectionName| {
        found.get(name).is_some_and(|held| held.covers == Covers::Everything)
    };
    for holder in holders {
        let wanted: Vec<(&CollectionName, &HeldFacts)> = facts
            .iter()
            .filter(|(name, _)| holder.names.iter().any(|held| held == name.as_str()))
            .filter(|(name, _)| !settled(&found, name))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let Ok(archive) = Archive::open(disk, &holder.path) else { continue };
        for (name, facts) in wanted {
            let Some(entry) = archive.collections().iter().find(|entry| entry.name == name.as_str()) else { continue };
            let manifest = archive.manifest();
            let is_other = others.contains(&(name.clone(), holder.path.clone()));
            let (archived, covers) = covers(manifest, entry, facts, is_other);
            if found.get(name).is_none_or(|held| rank(&held.covers) < rank(&covers)) {
                let (path, sealed, live) = (holder.path.clone(), manifest.sealed, facts.objects);
                let newest_ms = if let Newest::At(at) = facts.newest { Some(at) } else { None };
                found.insert(name.clone(), HeldIn { path, sealed, archived, live, covers, newest_ms });
            }
        }
    }
    found
}

/// Which of two archives is named rather than the other; of equal ones the newer.
fn rank(covers: &Covers) -> u8 {
    match covers {
        Covers::OtherCollection => 0,
        Covers::NoVectors | Covers::Selection => 1,
        Covers::Everything => 3,
        _ => 2,
    }
}

/// How many of the objects an archive holds, and whether that is all there is. Pure.
fn covers(manifest: &Manifest, entry: &CollectionEntry, facts: &HeldFacts, is_other: bool) -> (u64, Covers) {
    let of_interest = |tenant: Option<&str>| match &facts.tenants {
        None => true,
        Some(live) => live.iter().any(|name| Some(name.as_str()) == tenant),
    };
    let held = entry.tenants.iter().filter(|tenant| of_interest(tenant.tenant.as_deref()));
    let archived = held.clone().fold(0_u64, |sum, tenant| sum.saturating_add(tenant.objects));
    let held: BTreeSet<&str> = held.filter_map(|tenant| tenant.tenant.as_deref()).collect();
    let lacking: Vec<&TenantName> =
        facts.tenants.iter().flatten().filter(|tenant| !held.contains(tenant.as_str())).collect();
    let same = |collection: &str| collection == entry.name;
    let in_part = manifest.skipped.iter().any(|skipped| same(&skipped.collection) && skipped.tenant.is_none())
        || manifest.incomplete.iter().any(|one| same(&one.collection) && of_interest(one.tenant.as_deref()))
        || entry.consistency.count_mismatch
        || entry.replicas_differ();
    let covers = match (lacking.first(), facts.objects) {
        _ if is_other || entry.is_of_other_shards(&facts.shards) => Covers::OtherCollection,
        _ if entry.selection.is_some() => Covers::Selection,
        _ if entry.content != Content::Full => Covers::NoVectors,
        (Some(first), _) => Covers::LacksTenants { tenants: lacking.len() as u64, first: (*first).clone() },
        (None, Some(live)) if archived < live => Covers::Fewer,
        _ if in_part => Covers::Incomplete,
        (None, None) => Covers::Uncounted,
        (None, Some(0)) => Covers::Everything,
        (None, Some(_)) => since(manifest.source.server_time_ms, facts.newest),
    };
    (archived, covers)
}

/// Whether something was written since an archive was begun, by the clock of the server alone: that of the machine which made
/// the archive may have been any.
fn since(begun_ms: Option<i64>, newest: Newest) -> Covers {
    let (at, begun) = match (newest, begun_ms) {
        (Newest::Nothing, _) => return Covers::Everything,
        (Newest::At(at), Some(begun)) => (at, begun),
        (Newest::Unknown, _) | (_, None) => return Covers::ChangesUnknown,
    };
    match at.saturating_sub(begun) {
        ..0 => Covers::Everything,
        // The server tells the time in whole seconds, and took a moment to do so.
        after if after >= 2 * CLOCK_STEP_MS => written_since(at),
        _ => Covers::ChangesUnknown,
    }
}

fn written_since(at_ms: i64) -> Covers {
    Timestamp::from_millisecond(at_ms).map_or(Covers::ChangesUnknown, |newest| Covers::WrittenSince { newest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_clock_of_the_server_tells_what_was_written_since() {
        let written = |ms| Covers::WrittenSince { newest: Timestamp::from_millisecond(ms).expect("a time") };
        assert_eq!(since(Some(60_000), Newest::At(59_999)), Covers::Everything);
        assert_eq!(since(Some(60_000), Newest::At(60_000)), Covers::ChangesUnknown, "within the second");
        assert_eq!(since(Some(60_000), Newest::At(62_000)), written(62_000));
        assert_eq!(since(None, Newest::At(0)), Covers::ChangesUnknown, "an archive that does not tell");
        assert_eq!(since(Some(0), Newest::Unknown), Covers::ChangesUnknown);
        assert_eq!(since(None, Newest::Nothing), Covers::Everything);
    }
}
