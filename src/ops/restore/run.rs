//! Carries out a restore's plan: creates every collection, fills one after the other, counts, reads the schemas again,
//! and compares the content. A run that resumes an earlier one does the same, without what that one did.

mod begin;
mod prove;
mod train;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;

use super::create::{self, Created};
use super::earlier_run::Stage;
use super::fill::{FLOW_BYTES, Fill};
use super::lost;
use super::merge;
use super::merge::kept::KeptArchive;
use super::remains::Remains;
use super::{
    Collection, PreparedRestore, RestoreOutcome, RestorePlan, RestoreStopped, Resuming, aliases, roles, tenants, undo,
};
use crate::archive::RunRecord;
use crate::archive::digest::Hash;
use crate::event::{CollectionResult, Event, Op, Remark, RoleRemark, RunResult, Status};
use crate::model::{CollectionName, Schema, path_text};
use crate::ops::run::journal::Journalled;
use crate::ops::schema::{LeftBehind, NotMade};
use crate::ops::verify::Differs;
use crate::ops::{Error, Session, WriteAccess};
use crate::pipeline::bookkeeping::{Filled, ObjectsOfRuns};
use crate::pipeline::budget::Budget;
use crate::pipeline::guard::Guard;
use crate::pipeline::import::Pass;
use crate::pipeline::long_lines::OTHER_BYTES;
use crate::weaviate::Writer;

/// The least that batches may take.
const LEAST_BATCH_BYTES: u64 = 4 << 20;

/// What a run gathered so far.
#[derive(Default)]
struct RestoreGathered {
    created: BTreeMap<CollectionName, Created>,
    /// Collections that exist since this run, but not as they should.
    half_made: Vec<CollectionName>,
    /// Those of them that are there after requests that nobody answered: they may be somebody else's.
    unsure: Vec<CollectionName>,
    /// The names of the shards that objects were written to, of plain collections.
    shards: BTreeMap<CollectionName, Vec<String>>,
    filled: BTreeMap<CollectionName, Filled>,
    /// What merges replace.
    kept: Option<KeptArchive>,
    results: Vec<CollectionResult>,
    remarks: Vec<(CollectionName, Remark)>,
    about_roles: Vec<RoleRemark>,
    differences: Vec<Differs>,
    unchecked: Option<String>,
    /// Something is not as it was: rejected, different, or a schema that grew.
    incomplete: bool,
}

impl RestoreGathered {
    /// The collections that objects were written to, and that are not proven.
    fn underway(&self) -> Vec<lost::Underway<'_>> {
        let written = self.filled.iter().map(|(name, filled)| (name, filled.there()));
        let open = written.filter(|(name, written)| *written > 0 && self.results.iter().all(|r| r.name != **name));
        let one = |(name, written)| {
            let shards = self.shards.get(name).map(Vec::as_slice).unwrap_or_default();
            Some(lost::Underway { name, schema: &self.created.get(name)?.schema, shards, written })
        };
        open.filter_map(one).collect()
    }
}

/// Runs a plan to its end; one that something stands against is not begun. With an error, what was created and written
/// stays, and is named.
///
/// # Errors
///
/// [`RestoreStopped`] says why, and what was created and written until then; a later run can resume it.
pub async fn run(
    client: &Writer,
    session: &Session,
    prepared: PreparedRestore,
) -> Result<RestoreOutcome, RestoreStopped> {
    let access = WriteAccess::new(client, session);
    let plan = &prepared.plan;
    if let Some(error) = plan.refused() {
        return Err(RestoreStopped {
            error,
            run_dir: None,
            lost: Vec::new(),
            undone: Vec::new(),
            created: Vec::new(),
            joined: Vec::new(),
            kept: None,
            partial: None,
        });
    }
    access.events.emit(Event::PlanMade { collections: plan.listed() });
    let mut gathered = RestoreGathered { unchecked: plan.topology_unchecked.clone(), ..RestoreGathered::default() };
    let prepared = &prepared;
    let (journalled, done) = match Box::pin(begin::begin(access.reading, prepared)).await {
        Err(error) => (None, Err(error)),
        Ok(journalled) => {
            let memory = plan.options.memory_bytes.saturating_sub(OTHER_BYTES).max(LEAST_BATCH_BYTES);
            let merges = prepared.work.iter().any(|collection| collection.merge.is_some());
            let (budget, live) = if merges { (memory / 2, memory / 4) } else { (memory, 0) };
            let (budget, live) = (Budget::with_flow(budget, FLOW_BYTES), Budget::new(live));
            let run = RestoreRun { access, plan, prepared, journalled: &journalled, budget, live };
            let done = Box::pin(run.carry_out(&mut gathered)).await;
            (Some(journalled), done)
        }
    };
    let (done, undone, lost) = match done {
        Ok(()) => (Ok(()), Vec::new(), Vec::new()),
        Err(error) => {
            let (error, undone) = undone(access, prepared, error, &mut gathered, journalled.as_ref()).await;
            let lost = lost::lost(access.client, gathered.underway()).await;
            (Err(lost::named(error, &lost)), undone, lost)
        }
    };
    let run_dir = journalled.as_ref().map(|journalled| journalled.journal.path().to_owned());
    let status = if gathered.incomplete { Status::Incomplete } else { Status::Ok };
    let result = || {
        let archive = Some(path_text(&plan.archive));
        RunResult {
            resumed_objects: prepared.work.iter().map(|collection| collection.before.filled.there()).sum(),
            ..access.result(Op::Restore, status, archive, gathered.results.clone())
        }
    };
    match done {
        Ok(()) => Ok(RestoreOutcome {
            result: result(),
            rejected: match &journalled {
                Some(journalled) => journalled.journal.rejected().await,
                None => None,
            },
            run_dir: run_dir.unwrap_or_default(),
            remarks: gathered.remarks,
            about_roles: gathered.about_roles,
            differences: gathered.differences,
            topology_unchecked: gathered.unchecked,
        }),
        Err(error) => {
            let is_merged = |name: &CollectionName| {
                prepared.work.iter().any(|one| one.planned.target == *name && one.merge.is_some())
            };
            let written = |name: &CollectionName| {
                let filled = gathered.filled.get(name).copied().unwrap_or_default();
                if is_merged(name) { filled.merged.written() } else { filled.there() }
            };
            let is_there = |name: &CollectionName| !lost.iter().any(|lost| lost.collection == *name);
            let begun = gathered.created.keys().filter(|name| is_there(name));
            let (joined, created): (Vec<_>, Vec<_>) = begun.partition(|name| prepared.added(name).is_some());
            let created = created.into_iter().chain(&gathered.half_made);
            let created = created.map(|name| (name.clone(), written(name))).collect();
            let joined =
                joined.into_iter().filter_map(|name| Some((name.clone(), prepared.added(name)?, written(name))));
            Err(RestoreStopped {
                error,
                run_dir,
                lost: lost.clone(),
                undone,
                created,
                joined: joined.collect(),
                kept: gathered.kept.as_ref().map(KeptArchive::path),
                partial: Some(Box::new(result())),
            })
        }
    }
}

/// Removes again what this run created, if what stopped it is that the server does not make the rest, and nothing was
/// written yet: then it is a refusal that leaves nothing. What was removed.
async fn undone(
    access: WriteAccess<'_>,
    prepared: &PreparedRestore,
    error: Error,
    gathered: &mut RestoreGathered,
    journalled: Option<&Journalled>,
) -> (Error, Vec<CollectionName>) {
    let added = gathered.created.keys().any(|name| prepared.added(name).is_some());
    let begun = added || gathered.filled.values().any(|filled| filled.there() > 0);
    let work = &prepared.work;
    let unmakeable = undo::unmakeable(&error, work).filter(|_| !begun);
    let Some(((refused, refusal), journalled)) = unmakeable.zip(journalled) else { return (error, Vec::new()) };
    let made: Vec<CollectionName> = gathered.created.keys().chain(&gathered.half_made).cloned().collect();
    let (server, unsure) = (&prepared.server, &gathered.unsure);
    let undoing = undo::Undoing { access, server, work, made: &made, unsure };
    let (undone, all) = undoing.run(&refused, journalled).await;
    for name in &undone {
        gathered.created.remove(name);
        gathered.half_made.retain(|half_made| half_made != name);
    }
    // A key that is refused is told as such.
    let is_auth = error.wire().is_some_and(crate::weaviate::Error::is_auth);
    let error =
        if all && !is_auth { Error::CannotRestore { refusals: vec![refusal], chosen: work.len() } } else { error };
    (error, undone)
}

/// A collection whose objects are written, but not proven yet.
struct Unproven<'a> {
    collection: &'a Collection,
    created: Created,
    guard: Guard,
    filled: Filled,
    /// What became of them, run by run, where references wait for a pass of their own.
    objects: ObjectsOfRuns,
    /// When the writing of its objects began.
    began: Timestamp,
}

/// Collections that are filled before any of them is proven, by their places: where references wait for a pass of their
/// own, that comes after the last collection they may refer to. `after`: for each collection the place of the one that it
/// is complete after, mostly its own; then each is alone.
fn together(after: &[usize]) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut start = 0;
    while start < after.len() {
        let (mut at, mut last) = (start, start);
        while at <= last {
            last = last.max(after[at]);
            at += 1;
        }
        all.push(start..at);
        start = at;
    }
    all
}

struct RestoreRun<'a> {
    access: WriteAccess<'a>,
    plan: &'a RestorePlan,
    prepared: &'a PreparedRestore,
    journalled: &'a Journalled,
    budget: Budget,
    /// What live objects are taken from.
    live: Budget,
}

impl RestoreRun<'_> {
    async fn carry_out(&self, gathered: &mut RestoreGathered) -> Result<(), Error> {
        let work = &self.prepared.work;
        let created =
            |collection: &&Collection| collection.mode.is_created() && collection.before.stage != Stage::There;
        let of = work.iter().filter(created).count() as u64;
        let mut nth = 0;
        for collection in work {
            self.access.go_on()?;
            if created(&collection) {
                nth += 1;
                let collection = collection.planned.target.clone();
                self.access.events.emit(Event::Creating { collection, nth, of, rehearsal: false });
            }
            self.create(collection, gathered).await?;
        }
        // What refers to collections that were not there yet.
        for collection in self.prepared.work.iter().filter(|collection| collection.is_finished_later()) {
            if collection.before.stage == Stage::There {
                continue;
            }
            self.access.go_on()?;
            self.finish(collection, gathered).await?;
        }
        gathered.kept = self.keep_replaced(gathered).await?;
        let after: Vec<usize> = work.iter().enumerate().map(|(at, collection)| collection.complete_after(at)).collect();
        for some in together(&after) {
            Box::pin(self.fill_and_prove(&work[some], gathered)).await?;
        }
        if self.prepared.resuming.as_ref().is_some_and(|resuming| resuming.kept.history.complete) {
            return Ok(());
        }
        let (about, all) = aliases::set(self.access, &self.plan.aliases, !gathered.incomplete).await?;
        gathered.remarks.extend(about);
        gathered.incomplete |= !all;
        let (about, all) = roles::make(self.access, &self.plan.roles).await?;
        gathered.about_roles = about;
        gathered.incomplete |= !all;
        self.journalled.record(RunRecord::Complete).await
    }

    /// Seals what merges are about to replace, before anything is sent.
    async fn keep_replaced(&self, gathered: &RestoreGathered) -> Result<Option<KeptArchive>, Error> {
        let replaces = |collection: &&Collection| collection.merge.as_ref().is_some_and(|m| !m.replaced.is_empty());
        let work = self.prepared.work.iter().filter(replaces);
        let work: Vec<(&Collection, &Schema)> =
            work.filter_map(|one| Some((one, &gathered.created.get(&one.planned.target)?.schema))).collect();
        if work.is_empty() {
            return Ok(None);
        }
        let (access, options, archive) = (self.access, &self.plan.options, &self.prepared.archive);
        let (budget, journal, live) = (&self.budget, &self.journalled.journal, &self.live);
        let fill = Fill { access, options, archive, budget, journal, live, kept: None };
        let kept = Box::pin(merge::keep(&fill, self.plan, &work, live)).await?;
        self.journalled.record(RunRecord::Replacing { archive: path_text(&kept.path()) }).await?;
        Ok(Some(kept))
    }

    async fn create(&self, collection: &Collection, gathered: &mut RestoreGathered) -> Result<(), Error> {
        let planned = &collection.planned;
        let target = planned.target.clone();
        let stage = collection.before.stage;
        let found = match collection.mode.meet(self.access, collection, self.prepared.resuming.as_ref()).await? {
            None if stage == Stage::There => Some(create::again(self.access, collection, &self.prepared.server).await?),
            found => found,
        };
        if found.is_some() {
            self.is_as_left(collection).await?;
        }
        if stage == Stage::Nothing {
            self.journalled.record(collection.mode.record(collection)).await?;
        }
        if let Some(found) = found {
            return self.there(collection, found, gathered).await;
        }
        match create::begin(self.access, collection, &self.prepared.server).await {
            Ok(()) => gathered.half_made.push(target),
            Err(NotMade { error, left }) => {
                // Where it cannot be asked, it is better to name what may not be there than to leave it unsaid.
                let there = async || match self.access.ask(self.access.client.schema(&planned.target)).await {
                    Ok(there) => there.is_some(),
                    Err(_) => true,
                };
                match left {
                    LeftBehind::Nothing => {}
                    LeftBehind::Half => gathered.half_made.push(target),
                    LeftBehind::Unsure if !there().await => {}
                    LeftBehind::Unsure => {
                        gathered.unsure.push(target.clone());
                        gathered.half_made.push(target);
                    }
                }
                return Err(error);
            }
        }
        if collection.is_finished_later() { Ok(()) } else { self.finish(collection, gathered).await }
    }

    /// A collection is what it should be: its tenants are made, and objects may be written.
    async fn there(&self, collection: &Collection, made: Created, gathered: &mut RestoreGathered) -> Result<(), Error> {
        let target = &collection.planned.target;
        let remarks = collection.remarks.iter().chain(&made.remarks);
        gathered.remarks.extend(remarks.map(|remark| (target.clone(), remark.clone())));
        gathered.half_made.retain(|name| name != target);
        gathered.created.insert(target.clone(), made);
        gathered.filled.insert(target.clone(), collection.before.filled);
        if collection.asked.multi_tenant && !collection.before.over {
            tenants::make(self.access, collection).await?;
        }
        Ok(())
    }

    /// Makes a collection that was begun what it should be.
    async fn finish(&self, collection: &Collection, gathered: &mut RestoreGathered) -> Result<(), Error> {
        let target = &collection.planned.target;
        let created = create::finish(self.access.writer, collection, &self.prepared.server).await?;
        let schema_sha256 = Hash(Sha256::digest(collection.fit.asked.as_bytes()).into());
        let record =
            RunRecord::Created { target: target.clone(), schema_sha256, shards: self.shards(collection).await? };
        self.journalled.record(record).await?;
        self.there(collection, created, gathered).await
    }

    /// The names of its shards, by which it is known again; none where they cannot be asked for.
    async fn shards(&self, collection: &Collection) -> Result<Vec<String>, Error> {
        if collection.asked.multi_tenant {
            return Ok(Vec::new());
        }
        let asked = self.access.client.shard_states(&collection.planned.target);
        let shards = self.access.try_ask(asked).await?;
        Ok(shards.unwrap_or_default().into_iter().map(|shard| shard.name).collect())
    }

    /// Refuses what is not what the run that is resumed has left: somebody may have looked at the plan for long.
    async fn is_as_left(&self, collection: &Collection) -> Result<(), Error> {
        let Some(Resuming { kept, .. }) = &self.prepared.resuming else { return Ok(()) };
        let (target, tenants, map) = (&collection.planned.target, &collection.tenants, &self.plan.options.tenants);
        let (access, multi_tenant) = (self.access.reading, collection.asked.multi_tenant);
        let remains = Remains { access, target, multi_tenant, tenants, map };
        let what = collection.mode.altered(&remains, &kept.history).await?;
        what.map_or(Ok(()), |what| Err(create::not_as_left(collection, what)))
    }

    /// Fills collections and proves them, once all their references are written.
    async fn fill_and_prove(&self, collections: &[Collection], gathered: &mut RestoreGathered) -> Result<(), Error> {
        let mut filled = Vec::with_capacity(collections.len());
        for collection in collections {
            self.access.go_on()?;
            filled.push(self.fill_one(collection, gathered).await?);
        }
        for underway in filled.iter_mut().filter(|underway| underway.collection.refers_last()) {
            if underway.collection.before.finished {
                continue;
            }
            self.access.go_on()?;
            let Unproven { collection, objects, .. } = underway;
            let pass = self.fill(collection, Pass::References, objects, gathered).await?;
            underway.filled = underway.filled.referred(pass);
            gathered.filled.insert(collection.planned.target.clone(), underway.filled);
        }
        for underway in filled {
            self.access.go_on()?;
            Box::pin(self.prove(underway, gathered)).await?;
        }
        Ok(())
    }

    /// Writes the objects of one collection.
    async fn fill_one<'c>(
        &self,
        collection: &'c Collection,
        gathered: &mut RestoreGathered,
    ) -> Result<Unproven<'c>, Error> {
        let planned = &collection.planned;
        let (name, session) = (planned.target.clone(), self.access.session);
        let began = session.clock.now();
        session.events.emit(Event::CollectionStarted { collection: name.clone(), objects: Some(planned.objects) });
        let Some(created) = gathered.created.get(&name).cloned() else {
            return Err(Error::Stage { what: "create".into() });
        };
        let before = &collection.before;
        if before.filled.objects > 0 {
            let bytes = before.bytes(&collection.taken.wanted);
            let (objects, bytes) = (before.filled.objects, planned.bytes.min(bytes));
            session.events.emit(Event::Resumed { collection: name.clone(), objects, bytes });
        }
        let mut guard = self.access.guard(created.schema.clone(), self.plan.options.patience);
        let (mut filled, mut objects) = (before.filled, ObjectsOfRuns::new());
        if collection.data && !before.finished {
            guard.until_whole().await?;
            let shards = if collection.asked.multi_tenant { Vec::new() } else { guard.shards().to_vec() };
            gathered.shards.insert(name.clone(), shards);
            // From here on it is known as the same one through any URL.
            self.journalled.add_shards(guard.shards().to_vec()).await?;
            // The shards of a collection with tenants are the tenants, which were just made.
            if !collection.asked.multi_tenant {
                self.writable(&name).await?;
            }
            let pass = if collection.refers_last() { Pass::Objects } else { Pass::All };
            filled = self.fill(collection, pass, &mut objects, gathered).await?;
        }
        Ok(Unproven { collection, created, guard, filled, objects, began })
    }

    /// A write to a read-only shard may be answered with SUCCESS and lost: such shards are looked for first.
    async fn writable(&self, name: &CollectionName) -> Result<(), Error> {
        let shards = self.access.ask(self.access.client.read_only_shards(name)).await?;
        if shards.is_empty() { Ok(()) } else { Err(Error::ReadOnly { collection: name.clone(), shards }) }
    }

    async fn fill(
        &self,
        collection: &Collection,
        pass: Pass,
        objects: &mut ObjectsOfRuns,
        gathered: &mut RestoreGathered,
    ) -> Result<Filled, Error> {
        let (access, options, archive) = (self.access, &self.plan.options, &self.prepared.archive);
        let (budget, journal) = (&self.budget, &self.journalled.journal);
        let kept = gathered.kept.clone();
        let (live, kept) = (&self.live, kept.as_ref());
        let fill = Fill { access, options, archive, budget, journal, live, kept };
        let (filled, done) = fill.run(collection, pass, objects).await;
        let filled = if pass == Pass::References { filled } else { collection.before.filled.plus(filled) };
        if pass != Pass::References {
            gathered.filled.insert(collection.planned.target.clone(), filled);
        }
        done?;
        let before = if pass == Pass::References { collection.before.filled.objects } else { 0 };
        let expected = collection.to_deal_with() - before;
        if filled.objects != expected {
            return Err(Error::Stage { what: format!("{} of {expected} objects were dealt with", filled.objects) });
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_proven_alone_unless_references_wait_for_a_later_one() {
        assert!(together(&[]).is_empty());
        assert_eq!(together(&[0, 1, 2]), [0..1, 1..2, 2..3]);
        assert_eq!(together(&[0, 3, 2, 3, 4]), [0..1, 1..4, 4..5]);
        assert_eq!(together(&[1, 3, 2, 3, 4]), [0..4, 4..5]);
    }
}
