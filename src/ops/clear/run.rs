//! Carries out a plan: collections one after the other, each proven empty before the next one is begun.

use std::time::Duration;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::delete::{Delete, Passed};
use super::inactive;
use super::recreate::Recreate;
use super::stays::Stays;
use super::tenants::{self, Recreating};
use super::unchanged::{Proven, Unchanged};
use super::{ClearOutcome, ClearPlan, ClearStopped, CollectionClear, Method};
use crate::archive::digest::Hash;
use crate::archive::{RunAbout, RunRecord, location};
use crate::event::{ClearRemark, CollectionResult, Event, Op, Remark, Status, Warning, WhyLeft};
use crate::model::{CollectionName, Schema, ServerClock, path_text};
use crate::ops::activation::{ActivationBooks, EarlierRuns};
use crate::ops::run::claim::Claiming;
use crate::ops::run::journal::Journalled;
use crate::ops::safety::{self, SafetyCopy};
use crate::ops::{Error, PlanChange, ReadAccess, Session, WriteAccess, live_collections};
use crate::pipeline::guard::{self, Guard};
use crate::weaviate::{Count, Error as WireError, PageReply, PageRequest, Tenant, Writer};

/// Rounds of listing and deleting before a collection counts as one that is being written to.
const DELETING_ROUNDS: u32 = 3;
/// Pauses before a count that is not zero is believed: the last deletions may still be on their way.
const COUNT_PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(2)];
/// Pauses before objects are listed again of which a request to delete them failed, where none may be sent twice.
const AGAIN_PAUSES: [Duration; 12] = {
    let s = Duration::from_secs;
    [Duration::from_millis(250), s(1), s(2), s(4), s(8), s(8), s(8), s(8), s(8), s(8), s(8), s(8)]
};
/// Bytes of the one page that shows whether anything is left where nothing can be counted.
const LAST_PAGE_BYTES: u64 = 64 << 20;

/// What a run gathered so far.
#[derive(Default)]
struct ClearGathered {
    results: Vec<CollectionResult>,
    remarks: Vec<(CollectionName, Remark)>,
    saved: Vec<(CollectionName, SafetyCopy)>,
    done: Vec<CollectionName>,
    dropped: Option<(CollectionName, SafetyCopy)>,
    partly: Option<CollectionName>,
    unchecked: Option<String>,
    incomplete: bool,
}

impl ClearGathered {
    fn remark(&mut self, name: &CollectionName, remarks: impl IntoIterator<Item = ClearRemark>) {
        self.remarks.extend(remarks.into_iter().map(|remark| (name.clone(), remark.into())));
    }
}

/// Runs a plan to its end. It asks nothing again, and refuses what is not as it was planned.
///
/// # Errors
///
/// [`ClearStopped`] says why, and what was emptied, dropped and saved until then; a later run can resume it.
pub async fn run(writer: &Writer, session: &Session, plan: ClearPlan) -> Result<ClearOutcome, ClearStopped> {
    let access = WriteAccess::new(writer, session);
    access.events.emit(Event::PlanMade { collections: plan.listed() });
    let mut gathered = ClearGathered { unchecked: plan.topology_unchecked.clone(), ..ClearGathered::default() };
    let (run_dir, done) = match begin(access.reading, &plan).await {
        Err(error) => (None, Err(error)),
        Ok(journalled) => {
            let books = ActivationBooks::Locked(plan.options.state.clone(), EarlierRuns::default());
            let run_dir = journalled.journal.path().to_owned();
            let run = ClearRun { access, plan: &plan, books, journalled };
            (Some(run_dir), Box::pin(run.carry_out(&mut gathered)).await)
        }
    };
    let status = if gathered.incomplete { Status::Incomplete } else { Status::Ok };
    let result = access.result(Op::Clear, status, None, gathered.results.clone());
    match done {
        Ok(()) => Ok(ClearOutcome {
            result,
            saved: gathered.saved,
            remarks: gathered.remarks,
            uncounted: plan.collections.iter().any(CollectionClear::is_uncounted),
            run_dir: run_dir.unwrap_or_default(),
            topology_unchecked: gathered.unchecked,
        }),
        Err(error) => {
            let begun = |name: &CollectionName| {
                gathered.done.contains(name)
                    || gathered.partly.as_ref() == Some(name)
                    || gathered.dropped.as_ref().is_some_and(|(dropped, _)| dropped == name)
            };
            let untouched = plan.collections.iter().map(|p| p.name().clone()).filter(|name| !begun(name)).collect();
            Err(ClearStopped {
                error,
                run_dir,
                done: gathered.done,
                dropped: gathered.dropped,
                partly: gathered.partly,
                untouched,
                safe_in: plan.must_hold.clone(),
                partial: Box::new(result),
            })
        }
    }
}

/// Claims the collections, makes the run's directory and begins its journal.
async fn begin(access: ReadAccess<'_>, plan: &ClearPlan) -> Result<Journalled, Error> {
    let state = &plan.options.state;
    let claiming = Claiming {
        shards: plan.collections.iter().flat_map(|p| p.standing.shards.clone()).collect(),
        ..Claiming::of(access, &state.locks, plan.collections.iter().map(|p| p.name().clone()).collect())
    };
    let method = |planned: &CollectionClear| if planned.method == Method::Recreate { "recreate" } else { "delete" };
    let tenants = |planned: &CollectionClear| planned.some_tenants.then(|| plan.options.tenants.clone());
    let one = |p: &CollectionClear| json!({"collection": p.name(), "method": method(p), "tenants": tenants(p)});
    let collections = plan.collections.iter().map(one).collect();
    let about = RunAbout {
        server_version: plan.server_version.clone(),
        archive: path_text(&plan.options.folder),
        options: Map::from_iter([("collections".to_owned(), Value::Array(collections))]),
        ..RunAbout::new(Op::Clear, access.clock.now(), &plan.url)
    };
    Journalled::begin(claiming, state, about).await
}

struct ClearRun<'a> {
    access: WriteAccess<'a>,
    plan: &'a ClearPlan,
    books: ActivationBooks,
    journalled: Journalled,
}

impl ClearRun<'_> {
    async fn carry_out(&self, gathered: &mut ClearGathered) -> Result<(), Error> {
        let meta = self.access.ask(self.access.client.meta()).await?;
        let clock = ServerClock::new(meta.server_time_ms, &self.access.clock);
        for planned in &self.plan.collections {
            self.access.go_on()?;
            Box::pin(self.clear_one(planned, clock, gathered)).await?;
        }
        self.journalled.record(RunRecord::Complete).await
    }

    async fn clear_one(
        &self,
        planned: &CollectionClear,
        clock: ServerClock,
        gathered: &mut ClearGathered,
    ) -> Result<(), Error> {
        let name = planned.name().clone();
        let objects = planned.objects.exact();
        self.access.events.emit(Event::CollectionStarted { collection: name.clone(), objects });
        let mut result = CollectionResult::of(name.clone());
        result.tenants = planned.tenants.as_ref().map_or(0, |tenants| tenants.len() as u64);
        let unchanged = self.unchanged(planned, clock);
        let mut proven = Proven::default();
        if planned.left_active {
            inactive::put_right(self.access, &self.books, &self.plan.options.folder, &name).await?;
        }
        if planned.exists {
            self.until_whole(&mut self.guard(&planned.standing.schema)).await?;
            proven = unchanged.before().await?;
        }
        result.objects = match planned.method {
            Method::Recreate if planned.some_tenants => self.tenants(&unchanged, &proven, gathered).await?,
            Method::Recreate => self.recreate(&unchanged, &proven, gathered).await?,
            Method::Delete => self.delete(&unchanged, &proven, gathered).await?,
        };
        result.counts_verified = planned.is_uncounted().then_some(false);
        let saved = gathered.saved.iter().find(|(saved, _)| *saved == name);
        result.schema_saved = saved.map(|(_, copy)| path_text(&copy.schema));
        gathered.partly = None;
        self.access.events.emit(Event::CollectionFinished(result.clone()));
        gathered.results.push(result);
        gathered.done.push(name);
        Ok(())
    }

    fn unchanged<'p>(&'p self, planned: &'p CollectionClear, clock: ServerClock) -> Unchanged<'p> {
        let Self { access, plan, books, .. } = self;
        Unchanged { access: *access, plan, planned, clock, books }
    }

    fn guard(&self, schema: &Schema) -> Guard {
        self.access.guard(schema.clone(), self.plan.options.patience)
    }

    async fn until_whole(&self, guard: &mut Guard) -> Result<(), Error> {
        match guard.until_whole().await {
            Err(guard::Error::Removed { collection }) => {
                Err(Error::NotAsPlanned { collection, what: PlanChange::Gone })
            }
            done => Ok(done?),
        }
    }

    /// Drops and makes again; the objects that went.
    async fn recreate(
        &self,
        unchanged: &Unchanged<'_>,
        proven: &Proven,
        gathered: &mut ClearGathered,
    ) -> Result<u64, Error> {
        let planned = unchanged.planned;
        let name = planned.name().clone();
        let copy = self.saved(planned, gathered).await?;
        unchanged.at_the_drop(proven).await?;
        self.dropping(&name, &copy).await?;
        // From here on it is seen through, whoever asks to stop: a second signal ends it at once.
        let through = Session { cancel: CancellationToken::new(), ..self.access.session.clone() };
        let recreate = Recreate { access: WriteAccess::new(self.access.writer, &through), plan: self.plan, planned };
        let created = match recreate.drop().await {
            Ok(created) => created,
            Err(error) => {
                // Whether it was dropped is not known where the server does not answer.
                let there = matches!(self.access.client.schema(&name).await, Ok(Some(_)));
                if there {
                    gathered.partly = may_still_happen(&error).then_some(name);
                } else {
                    gathered.dropped = Some((name, copy));
                }
                return Err(error);
            }
        };
        gathered.dropped = Some((name.clone(), copy));
        let again = recreate.create(created).await?;
        self.created(planned).await?;
        (gathered.dropped, gathered.partly) = (None, Some(name.clone()));
        gathered.incomplete |= again.is_other;
        gathered.remark(&name, again.remarks);
        // The plan was perhaps shown to nobody.
        let not_as_before = |loss: &Remark| ClearRemark::NotAsBefore { loss: Box::new(loss.clone()) };
        let lost = planned.loses.iter().map(|loss| (name.clone(), not_as_before(loss).into()));
        gathered.remarks.extend(lost);
        let objects = proven.objects.unwrap_or(0);
        self.access.events.emit(Event::ObjectsDeleted { collection: name.clone(), tenant: None, objects });
        let Some(schema) = self.access.client.schema(&name).await? else {
            return Err(Error::Vanished { collection: name });
        };
        let left = self.left(&schema, planned.tenants.as_deref()).await?;
        self.told_left(left, WhyLeft::SinceRecreated, &name, gathered);
        Ok(objects)
    }

    /// Seals a copy of what is about to be dropped. What an earlier run saved is saved again.
    async fn saved(&self, planned: &CollectionClear, gathered: &mut ClearGathered) -> Result<SafetyCopy, Error> {
        let from = safety::From {
            url: &self.plan.url,
            server_version: &self.plan.server_version,
            topology_unchecked: self.plan.topology_unchecked.as_deref(),
        };
        let tenants = planned.all_tenants();
        // What an earlier run dropped is known by what that one noted.
        let shards = planned.unfinished.as_ref().map_or(&planned.standing.shards, |earlier| &earlier.shards);
        let folder = &self.plan.options.folder;
        let copy =
            safety::save(self.access.session, folder, from, planned.schema(), shards, tenants.as_deref()).await?;
        gathered.saved.push((planned.name().clone(), copy.clone()));
        Ok(copy)
    }

    /// Writes down that it is about to be dropped, and where the copy of it is.
    async fn dropping(&self, name: &CollectionName, copy: &SafetyCopy) -> Result<(), Error> {
        // Whoever reads this may be somewhere else.
        let safety = path_text(&location::lasting(&copy.archive));
        self.journalled.record(RunRecord::Dropping { target: name.clone(), safety }).await
    }

    /// Writes down that nothing of it is away any more.
    async fn created(&self, planned: &CollectionClear) -> Result<(), Error> {
        let schema_sha256 = Hash(Sha256::digest(planned.fit.create.as_bytes()).into());
        let created = RunRecord::Created { target: planned.name().clone(), schema_sha256, shards: Vec::new() };
        self.journalled.record(created).await
    }

    /// Removes these tenants and creates them again, and creates those that an earlier run left away.
    async fn recreate_tenants(
        &self,
        unchanged: &Unchanged<'_>,
        proven: &Proven,
        tenants: &[Tenant],
        gathered: &mut ClearGathered,
    ) -> Result<(), Error> {
        let (planned, backed_up) = (unchanged.planned, proven.backed_up.as_ref());
        if tenants.is_empty() && planned.missing.is_empty() {
            return Ok(());
        }
        let name = planned.name();
        let copy = self.saved(planned, gathered).await?;
        unchanged.are_there(tenants).await?;
        self.dropping(name, &copy).await?;
        let (access, patience) = (self.access, self.plan.options.patience);
        let (mut made, mut removed) = (false, false);
        let inactive = if backed_up.is_some() { unchanged.inactive_tenants().await? } else { None };
        let held_in = inactive.as_ref().zip(backed_up);
        let recreating = Recreating { access, collection: name, patience, unchanged, proven, inactive: held_in };
        let again = async {
            let missing = tenants::create(self.access.writer, name, &planned.missing).await?;
            made = true;
            Ok::<_, Error>(missing + recreating.run(tenants, &mut removed).await?)
        };
        let again = again.await;
        if let Some(inactive) = inactive {
            inactive.end().await;
        }
        let refused = again.as_ref().is_err_and(|error| error.wire().is_some_and(WireError::is_no));
        if removed || (!planned.missing.is_empty() && (made || !refused)) {
            gathered.partly = Some(name.clone());
        }
        if again.is_err() && made && !removed {
            // Nothing of it is away: the next run has nothing to make good.
            self.created(planned).await?;
        }
        let offloaded = again?;
        let wanted: Vec<Tenant> = planned.missing.iter().chain(tenants).cloned().collect();
        if let Some(tenant) = tenants::lacking(self.access.reading, name, &wanted).await? {
            return Err(Error::TenantLacks { collection: name.clone(), tenant });
        }
        if offloaded > 0 {
            gathered.remark(name, [ClearRemark::OffloadedInactive { tenants: offloaded as u64 }]);
        }
        self.created(planned).await
    }

    /// Drops and makes again some tenants; the objects that went, as far as they could be counted.
    async fn tenants(
        &self,
        unchanged: &Unchanged<'_>,
        proven: &Proven,
        gathered: &mut ClearGathered,
    ) -> Result<u64, Error> {
        let planned = unchanged.planned;
        let (name, wanted) = (planned.name().clone(), planned.tenants.as_deref().unwrap_or_default());
        self.recreate_tenants(unchanged, proven, wanted, gathered).await?;
        let objects = proven.objects.unwrap_or(0);
        self.access.events.emit(Event::ObjectsDeleted { collection: name.clone(), tenant: None, objects });
        let left = self.left(&planned.standing.schema, Some(wanted)).await?;
        self.told_left(left, WhyLeft::SinceTenantsRecreated, &name, gathered);
        Ok(objects)
    }

    /// Deletes what is listed, round by round, until nothing is left but what has to stay; the objects deleted.
    async fn delete(
        &self,
        unchanged: &Unchanged<'_>,
        proven: &Proven,
        gathered: &mut ClearGathered,
    ) -> Result<u64, Error> {
        let (planned, backed_up) = (unchanged.planned, proven.backed_up.as_ref());
        let mut stays = Stays::new(planned, proven);
        let (name, schema) = (planned.name().clone(), &planned.standing.schema);
        let mut passed = Passed::default();
        // An inactive tenant can be emptied without being activated by being recreated.
        let inactive: Vec<Tenant> = planned.tenants.iter().flatten().filter(|t| !t.is_active()).cloned().collect();
        self.recreate_tenants(unchanged, proven, &inactive, gathered).await?;
        unchanged.is_the_same().await?;
        let begun = gathered.partly.replace(name.clone()).is_some();
        let mut left = Count::Exact(0);
        let (mut round, mut pauses) = (1, AGAIN_PAUSES.iter());
        let mut unanswered = false;
        'rounds: while round <= DELETING_ROUNDS {
            if round > 1 {
                unchanged.same_shards().await?;
            }
            let before = passed.deleted;
            passed = Passed { deleted: before, ..Passed::default() };
            for tenant in Tenant::spaces(planned.tenants.as_deref()) {
                let delete = Delete {
                    access: self.access,
                    collection: &name,
                    tenant,
                    unchanged,
                    memory_bytes: self.plan.options.memory_bytes,
                    clock: unchanged.clock,
                    until_ms: stays.until_ms,
                    closely: backed_up.is_some(),
                    replicated: schema.replicas > 1,
                };
                if let Err(error) = Box::pin(delete.pass(&mut passed)).await {
                    if backed_up.is_some()
                        && error.wire().is_some_and(|wire| !wire.is_no())
                        && let Some(pause) = pauses.next()
                    {
                        // What was listed is listed anew before it is asked for again.
                        tracing::warn!(collection = %name, %error, "a request failed, listing again");
                        tokio::time::sleep(*pause).await;
                        unanswered = true;
                        continue 'rounds;
                    }
                    // What the server refused at once it did not do.
                    let is_no = error.wire().is_some_and(WireError::is_no);
                    let sent_none = matches!(error, Error::Recreated { .. }) || is_no;
                    let untouched = !begun && !unanswered && passed.deleted == 0 && sent_none;
                    gathered.partly = gathered.partly.take().filter(|_| !untouched);
                    return Err(error);
                }
            }
            round += 1;
            if stays.may_go_too(&passed, before) {
                continue;
            }
            left = self.left(schema, planned.tenants.as_deref()).await?;
            if left.exact().is_some_and(|left| left <= passed.stay()) {
                break;
            }
            tracing::warn!(collection = %name, ?left, "not empty yet");
        }
        if passed.failed > 0 {
            let stay = ClearRemark::NotDeleted { objects: passed.failed, reason: passed.reason.clone() };
            gathered.remark(&name, [stay]);
        }
        let (remarks, whole) = stays.told(&passed);
        gathered.incomplete |= !whole;
        gathered.remark(&name, remarks);
        if left.exact().is_none_or(|left| left > passed.stay()) {
            // What is deleted is what the replica of one node lists.
            let unlisted = passed.listed == 0 && schema.replicas > 1;
            let why = if unlisted { WhyLeft::ReplicasDiffer } else { WhyLeft::StillWritten };
            self.told_left(left, why, &name, gathered);
        }
        Ok(passed.deleted)
    }

    /// What is left, while the server is whole. Where nothing can be counted, a listing tells.
    async fn left(&self, schema: &Schema, tenants: Option<&[Tenant]>) -> Result<Count, Error> {
        let mut guard = self.guard(schema);
        let mut left = Count::Exact(0);
        for pause in COUNT_PAUSES {
            tokio::time::sleep(pause).await;
            self.until_whole(&mut guard).await?;
            left = live_collections::count(self.access.reading, &schema.name, tenants).await?;
            if let Count::Unknown { .. } = &left {
                left = self.listed(schema, tenants).await?.unwrap_or(left);
            }
            if guard.ask().await && left == Count::Exact(0) {
                break;
            }
        }
        Ok(left)
    }

    /// Zero if a first page shows no objects, at least one if it does.
    async fn listed(&self, schema: &Schema, tenants: Option<&[Tenant]>) -> Result<Option<Count>, Error> {
        for tenant in Tenant::spaces(tenants) {
            let (collection, max_bytes) = (&schema.name, LAST_PAGE_BYTES);
            let page = PageRequest { collection, tenant, after: None, limit: 1, vectors: false, max_bytes };
            let body = match self.access.try_ask(self.access.client.page(&page)).await? {
                Ok(PageReply::Body(body)) => body,
                // Who may drop and create a collection may perhaps not read it.
                Err(error) if error.is_no() => return Ok(None),
                Ok(_) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let Ok(page) = serde_json::from_slice::<Value>(&body) else { return Ok(None) };
            match page["objects"].as_array().map(Vec::len) {
                Some(0) => {}
                Some(objects) => return Ok(Some(Count::Exact(objects as u64))),
                None => return Ok(None),
            }
        }
        Ok(Some(Count::Exact(0)))
    }

    fn told_left(&self, left: Count, why: WhyLeft, name: &CollectionName, gathered: &mut ClearGathered) {
        match left {
            Count::Exact(0) => {}
            Count::Exact(objects) => {
                gathered.incomplete = true;
                gathered.remark(name, [ClearRemark::NotEmpty { objects, why }]);
            }
            Count::Unknown { reason } => {
                gathered.incomplete = true;
                gathered.remark(name, [ClearRemark::MayNotBeEmpty { reason: reason.clone() }]);
                self.access.events.warn(Warning::CountUnchecked { collection: name.clone(), reason });
            }
        }
    }
}

/// Whether a drop that failed may be carried out later: nobody answered it, or it was taken and the collection is there still.
fn may_still_happen(error: &Error) -> bool {
    matches!(error, Error::NotDropped { source: None | Some(WireError::Exhausted { .. }), .. })
}
