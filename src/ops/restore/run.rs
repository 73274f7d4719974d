//! Carries out a restore's plan: creates every collection, fills one after the other, counts, reads the schemas again,
//! and compares the content.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::create::{self, Created};
use super::fill::{FLOW_BYTES, Fill, Filled, RejectedOfRuns};
use super::{Collection, Options, Outcome, Plan, Prepared, Stopped, aliases, roles, survey, tenants};
use crate::archive::digest::Hash;
use crate::archive::{Lock, RunAbout, RunFiles, RunRecord};
use crate::event::{CollectionResult, Event, Op, RunResult, Status, Warning};
use crate::model::{CollectionName, TenantName};
use crate::ops::schema::{NotMade, grown};
use crate::ops::verify::{CompareOptions, Differs, Pair, compare_collection};
use crate::ops::waking::WakeBooks;
use crate::ops::{Error, Session, journalling};
use crate::pipeline::budget::Budget;
use crate::pipeline::import::Pass;
use crate::pipeline::watch::Watch;
use crate::weaviate::{Client, Count, Writer};

/// Everything but the budget of batches that a run holds in memory: sockets, line buffers and codecs.
const OTHER_MEMORY_BYTES: u64 = 24 << 20;
/// The least that batches may take.
const LEAST_BATCH_BYTES: u64 = 4 << 20;
/// Pauses before a count that is not what was written is believed: the last writes may still be on their way.
const COUNT_PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(2)];

/// What a run gathered so far.
struct Gathered {
    files: Option<RunFiles>,
    locks: Vec<Box<dyn Lock>>,
    created: BTreeMap<CollectionName, Created>,
    /// Collections that exist since this run, but not as they should.
    half_made: Vec<CollectionName>,
    /// Tenants that were added, or begun to be, to collections that existed before.
    joined: BTreeMap<CollectionName, Vec<TenantName>>,
    filled: BTreeMap<CollectionName, Filled>,
    results: Vec<CollectionResult>,
    remarks: Vec<(CollectionName, String)>,
    about_roles: Vec<String>,
    differences: Vec<Differs>,
    unchecked: Option<String>,
    /// Something is not as it was: rejected, different, or a schema that grew.
    incomplete: bool,
}

/// Runs a plan to its end. With an error, what was created and written stays, and is named.
pub async fn run(client: &Writer, session: &Session, prepared: Prepared) -> Result<Outcome, Stopped> {
    let plan = &prepared.plan;
    session.events.emit(Event::PlanMade { collections: plan.listed() });
    let mut gathered = Gathered {
        files: None,
        locks: Vec::new(),
        created: BTreeMap::new(),
        half_made: Vec::new(),
        joined: BTreeMap::new(),
        filled: BTreeMap::new(),
        results: Vec::new(),
        remarks: Vec::new(),
        about_roles: Vec::new(),
        differences: Vec::new(),
        unchecked: plan.topology_unchecked.clone(),
        incomplete: false,
    };
    let done = Box::pin(Run { client, session, plan, prepared: &prepared }.all(&mut gathered)).await;
    let run_dir = gathered.files.as_ref().map(|files| files.path().to_owned());
    let status = if gathered.incomplete { Status::Incomplete } else { Status::Ok };
    let result = || {
        let archive = Some(plan.archive.display().to_string());
        RunResult { retries: client.retries(), ..RunResult::of(Op::Restore, status, archive, gathered.results.clone()) }
    };
    match done {
        Ok(()) => Ok(Outcome {
            result: result(),
            rejected: gathered.files.as_ref().and_then(RunFiles::rejected),
            run_dir: run_dir.unwrap_or_default(),
            remarks: gathered.remarks,
            about_roles: gathered.about_roles,
            differences: gathered.differences,
            topology_unchecked: gathered.unchecked,
        }),
        Err(error) => {
            let written = |name: &CollectionName| gathered.filled.get(name).map_or(0, Filled::there);
            let own = |name: &&CollectionName| !gathered.joined.contains_key(name);
            let created = gathered.created.keys().filter(own).chain(&gathered.half_made);
            let created = created.map(|name| (name.clone(), written(name))).collect();
            let joined = gathered.joined.iter().map(|(name, tenants)| (name.clone(), tenants.clone(), written(name)));
            Err(Stopped { error, run_dir, created, joined: joined.collect(), partial: Some(Box::new(result())) })
        }
    }
}

/// A collection whose objects are written, but not proven yet.
struct Underway<'a> {
    collection: &'a Collection,
    created: Created,
    watch: Watch,
    filled: Filled,
    rejected: RejectedOfRuns,
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

/// What is worth knowing about references, each as a clause.
fn about_references(filled: Filled) -> Vec<String> {
    let after = match filled.references {
        0 => None,
        1 => Some("1 reference was written after its object".to_owned()),
        references => Some(format!("{references} references were written after their objects")),
    };
    let stored = match filled.stored {
        0 => None,
        1 => Some("1 rejected object is there all the same, without some of its references".to_owned()),
        stored => Some(format!("{stored} rejected objects are there all the same, without some of their references")),
    };
    after.into_iter().chain(stored).collect()
}

struct Run<'a> {
    client: &'a Writer,
    session: &'a Session,
    plan: &'a Plan,
    prepared: &'a Prepared,
}

impl Run<'_> {
    async fn all(&self, gathered: &mut Gathered) -> Result<(), Error> {
        self.begin(gathered).await?;
        for collection in &self.prepared.work {
            self.going()?;
            self.create(collection, gathered).await?;
        }
        // What refers to collections that were not there yet.
        for collection in self.prepared.work.iter().filter(|collection| collection.is_finished_later()) {
            self.going()?;
            self.finish(collection, gathered).await?;
        }
        let memory = self.plan.options.memory_bytes.saturating_sub(OTHER_MEMORY_BYTES).max(LEAST_BATCH_BYTES);
        let budget = Budget::with_flow(memory, FLOW_BYTES);
        let work = &self.prepared.work;
        let after: Vec<usize> = work.iter().enumerate().map(|(at, collection)| collection.complete_after(at)).collect();
        for some in together(&after) {
            self.some(&work[some], &budget, gathered).await?;
        }
        let (about, all) = aliases::set(self.client, self.session, &self.plan.aliases, !gathered.incomplete).await?;
        gathered.remarks.extend(about);
        gathered.incomplete |= !all;
        let (about, all) = roles::make(self.client, self.session, &self.plan.roles).await?;
        gathered.about_roles = about;
        gathered.incomplete |= !all;
        journalling::record(&mut gathered.files, RunRecord::Complete).await
    }

    fn going(&self) -> Result<(), Error> {
        if self.session.cancel.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Takes the locks and makes the run's directory.
    async fn begin(&self, gathered: &mut Gathered) -> Result<(), Error> {
        let targets = self.prepared.work.iter().map(|c| c.planned.target.clone()).collect();
        let (plan, about) = (self.plan, self.about());
        let (locks, files) = journalling::begin(self.session, &plan.options.state, &plan.url, targets, about).await?;
        (gathered.locks, gathered.files) = (locks, Some(files));
        Ok(())
    }

    fn about(&self) -> RunAbout {
        let (plan, options) = (self.plan, &self.plan.options);
        let archive_at = options.archive_at.display().to_string();
        let names = self.prepared.work.iter().map(|c| [&c.planned.archived, &c.planned.target]).collect::<Vec<_>>();
        let options = json!({
            "collections": names, "tenants": options.tenants, "data": options.data, "vectors": options.vectors,
            "revectorize": options.revectorize, "clamp_ints": options.clamp_ints, "verify": options.verify,
            "jobs": options.jobs, "batch_size": options.batch_objects, "memory_bytes": options.memory_bytes,
        });
        RunAbout {
            op: Op::Restore,
            tool: RunAbout::this_tool(),
            run_id: uuid::Uuid::now_v7(),
            started: self.prepared.started,
            server_url: plan.url.clone(),
            server_version: plan.server_version.clone(),
            archive: archive_at,
            archive_run_id: self.prepared.archive.manifest().run_id.clone(),
            options: match options {
                Value::Object(options) => options,
                _ => Map::new(),
            },
        }
    }

    async fn create(&self, collection: &Collection, gathered: &mut Gathered) -> Result<(), Error> {
        let planned = &collection.planned;
        if collection.joins {
            return self.join(collection, gathered).await;
        }
        let (collection_name, target) = (planned.archived.clone(), planned.target.clone());
        journalling::record(
            &mut gathered.files,
            RunRecord::Intent { collection: collection_name, target: target.clone() },
        )
        .await?;
        match create::begin(self.client, self.session, collection).await {
            Ok(()) => gathered.half_made.push(target),
            Err(NotMade { error, perhaps_there }) => {
                // Where it cannot be asked, it is better to name what may not be there than to leave it unsaid.
                let there = async || match self.session.unless_stopped(self.client.schema(&planned.target)).await {
                    Ok(there) => there.is_some(),
                    Err(_) => true,
                };
                if perhaps_there && there().await {
                    gathered.half_made.push(target);
                }
                return Err(error);
            }
        }
        if collection.is_finished_later() { Ok(()) } else { self.finish(collection, gathered).await }
    }

    /// Adds tenants to a collection that exists.
    async fn join(&self, collection: &Collection, gathered: &mut Gathered) -> Result<(), Error> {
        let (archived, target) = (collection.planned.archived.clone(), collection.planned.target.clone());
        let created = create::join(self.client, self.session, collection).await?;
        let tenants: Vec<TenantName> = collection.tenants.made.iter().map(|tenant| tenant.name.clone()).collect();
        let record = RunRecord::Joining { collection: archived, target: target.clone(), tenants: tenants.clone() };
        journalling::record(&mut gathered.files, record).await?;
        gathered.joined.insert(target.clone(), tenants);
        tenants::make(self.client, self.session, collection).await?;
        let remarks = collection.remarks.iter().chain(&created.remarks);
        gathered.remarks.extend(remarks.map(|remark| (target.clone(), remark.clone())));
        gathered.created.insert(target, created);
        Ok(())
    }

    /// Makes a collection that was begun what it should be.
    async fn finish(&self, collection: &Collection, gathered: &mut Gathered) -> Result<(), Error> {
        let target = &collection.planned.target;
        let created = create::finish(self.client, collection, &self.prepared.server).await?;
        let schema_sha256 = Hash(Sha256::digest(collection.fit.asked.as_bytes()).into());
        journalling::record(&mut gathered.files, RunRecord::Created { target: target.clone(), schema_sha256 }).await?;
        let remarks = collection.remarks.iter().chain(&created.remarks);
        gathered.remarks.extend(remarks.map(|remark| (target.clone(), remark.clone())));
        gathered.half_made.retain(|name| name != target);
        gathered.created.insert(target.clone(), created);
        if collection.asked.multi_tenant {
            tenants::make(self.client, self.session, collection).await?;
        }
        Ok(())
    }

    /// Fills collections and proves them, once all their references are written.
    async fn some(&self, collections: &[Collection], budget: &Budget, gathered: &mut Gathered) -> Result<(), Error> {
        let mut filled = Vec::with_capacity(collections.len());
        for collection in collections {
            self.going()?;
            filled.push(self.fill_one(collection, budget, gathered).await?);
        }
        for underway in filled.iter_mut().filter(|underway| underway.collection.refers_last()) {
            self.going()?;
            let Underway { collection, rejected, .. } = underway;
            let pass = self.fill(collection, Pass::References, rejected, budget, gathered).await?;
            underway.filled = underway.filled.referred(pass);
            gathered.filled.insert(collection.planned.target.clone(), underway.filled);
        }
        for underway in filled {
            self.going()?;
            self.prove(underway, gathered).await?;
        }
        Ok(())
    }

    /// Writes the objects of one collection.
    async fn fill_one<'c>(
        &self,
        collection: &'c Collection,
        budget: &Budget,
        gathered: &mut Gathered,
    ) -> Result<Underway<'c>, Error> {
        let planned = &collection.planned;
        let (name, session) = (planned.target.clone(), self.session);
        session.events.emit(Event::CollectionStarted { collection: name.clone(), objects: Some(planned.objects) });
        let Some(created) = gathered.created.get(&name).cloned() else {
            return Err(Error::Stage { what: "create".into() });
        };
        let mut watch = Watch::new(Client::clone(self.client), created.schema.clone(), session.events.clone());
        let (mut filled, mut rejected) = (Filled::default(), RejectedOfRuns::new());
        if collection.data {
            self.until_whole(&mut watch).await?;
            // The shards of a collection with tenants are the tenants, which were just made.
            if !collection.asked.multi_tenant {
                self.writable(&name).await?;
            }
            let pass = if collection.refers_last() { Pass::Objects } else { Pass::All };
            filled = self.fill(collection, pass, &mut rejected, budget, gathered).await?;
        }
        Ok(Underway { collection, created, watch, filled, rejected })
    }

    /// Counts and compares what one collection became.
    async fn prove(&self, underway: Underway<'_>, gathered: &mut Gathered) -> Result<(), Error> {
        let Underway { collection, created, mut watch, filled, .. } = underway;
        let planned = &collection.planned;
        let name = planned.target.clone();
        let tenants = collection.tenants.made.len() as u64;
        let mut result = CollectionResult { tenants, bytes: planned.bytes, ..CollectionResult::of(name.clone()) };
        if collection.data {
            let Filled { objects, rejected, .. } = filled;
            let record = RunRecord::Finished { target: name.clone(), objects: objects - rejected, rejected };
            journalling::record(&mut gathered.files, record).await?;
            (result.objects, result.rejected) = (objects - rejected, rejected);
            result.bytes = planned.bytes.saturating_sub(filled.rejected_bytes);
            gathered.incomplete |= rejected > 0;
            gathered.remarks.extend(about_references(filled).into_iter().map(|remark| (name.clone(), remark)));
            self.count(collection, filled, &mut watch, gathered).await?;
            self.read_again(collection, &created, gathered).await?;
            if self.plan.options.verify {
                self.compare(collection, &mut result, gathered).await?;
            }
            gathered.unchecked = gathered.unchecked.take().or(watch.unchecked().map(str::to_owned));
        }
        let wrong = tenants::settle(self.client, self.session, collection).await?;
        gathered.incomplete |= !wrong.is_empty();
        gathered.remarks.extend(wrong.into_iter().map(|wrong| (name.clone(), wrong)));
        self.session.events.emit(Event::CollectionFinished(result.clone()));
        gathered.results.push(result);
        Ok(())
    }

    /// A write to a read-only shard may be answered with SUCCESS and lost: such shards are looked for first.
    async fn writable(&self, name: &CollectionName) -> Result<(), Error> {
        let shards = self.session.unless_stopped(self.client.read_only_shards(name)).await?;
        if shards.is_empty() { Ok(()) } else { Err(Error::ReadOnly { collection: name.clone(), shards }) }
    }

    async fn fill(
        &self,
        collection: &Collection,
        pass: Pass,
        rejected: &mut RejectedOfRuns,
        budget: &Budget,
        gathered: &mut Gathered,
    ) -> Result<Filled, Error> {
        let Some(files) = gathered.files.take() else { return Err(Error::Stage { what: "journal".into() }) };
        let (client, session, options, archive) =
            (self.client, self.session, &self.plan.options, &self.prepared.archive);
        let fill = Fill { client, session, options, archive, budget };
        let (filled, files, done) = fill.run(collection, pass, rejected, files).await;
        gathered.files = files;
        if pass != Pass::References {
            gathered.filled.insert(collection.planned.target.clone(), filled);
        }
        done?;
        let expected = collection.planned.objects;
        if filled.objects != expected {
            return Err(Error::Stage { what: format!("{} of {expected} objects were dealt with", filled.objects) });
        }
        Ok(filled)
    }

    /// SUCCESS is trusted only with the count: it must be what was written, taken while the server is whole.
    async fn count(
        &self,
        collection: &Collection,
        filled: Filled,
        watch: &mut Watch,
        gathered: &mut Gathered,
    ) -> Result<(), Error> {
        // Nobody is woken to be counted, if all are compared.
        let asleep_too = !self.plan.options.verify;
        let written = filled.there() - if asleep_too { 0 } else { filled.asleep };
        let name = &collection.planned.target;
        let mut counted = Count::Unknown { reason: "no count in the answer".into() };
        for pause in COUNT_PAUSES {
            tokio::time::sleep(pause).await;
            self.until_whole(watch).await?;
            counted = if collection.asked.multi_tenant {
                tenants::count(self.client, self.session, collection, asleep_too).await?
            } else {
                let counts = self.session.unless_stopped(self.client.counts(std::slice::from_ref(name))).await?;
                counts.into_iter().next().unwrap_or(counted)
            };
            // A count is only worth something while the server is whole.
            if watch.ask().await && counted.exact().is_none_or(|counted| counted == written) {
                break;
            }
        }
        self.until_whole(watch).await?;
        match counted {
            Count::Exact(counted) if counted != written => {
                gathered.incomplete = true;
                let text = format!("{written} objects were written, but the server counts {counted}");
                gathered.remarks.push((name.clone(), text));
                self.session.events.warn(Warning::CountMismatch { collection: name.clone(), listed: written, counted });
            }
            // The comparison lists them all, and warns itself.
            Count::Unknown { .. } if self.plan.options.verify => {}
            Count::Unknown { reason } => {
                let text = format!("what was written was neither counted nor compared: {reason}");
                gathered.remarks.push((name.clone(), text));
                self.session.events.warn(Warning::CountUnchecked { collection: name.clone(), reason });
            }
            Count::Exact(_) => {}
        }
        Ok(())
    }

    /// What auto-schema invented while objects were written.
    async fn read_again(
        &self,
        collection: &Collection,
        created: &Created,
        gathered: &mut Gathered,
    ) -> Result<(), Error> {
        let name = created.schema.name.clone();
        let now = self.session.unless_stopped(self.client.schema(&name)).await?;
        let Some(now) = now else { return Err(Error::Vanished { collection: name }) };
        if let Some(what) = grown(&created.schema, &now) {
            // A collection that was there before has others who write to it.
            gathered.incomplete |= !collection.joins;
            gathered
                .remarks
                .push((name.clone(), format!("the server added to the schema while objects were written: {what}")));
            self.session.events.warn(Warning::SchemaGrew { collection: name, what });
        }
        Ok(())
    }

    async fn compare(
        &self,
        collection: &Collection,
        result: &mut CollectionResult,
        gathered: &mut Gathered,
    ) -> Result<(), Error> {
        let options = &self.plan.options;
        let pair = Pair {
            archive: Arc::clone(&self.prepared.archive),
            at: collection.at,
            schema: collection.indexed.schema.clone(),
            runs: Arc::clone(&collection.indexed.runs),
            target: collection.planned.target.clone(),
            tenants: options.tenants.clone(),
        };
        let made_vectors = if options.revectorize { survey::vectorised(&collection.asked) } else { Vec::new() };
        let compare = CompareOptions {
            renames: collection.renames.clone(),
            vectors: options.vectors,
            clamp_ints: options.clamp_ints,
            made_vectors,
            sample: None,
            limit: options.differences_listed,
            jobs: options.jobs,
            memory_bytes: options.memory_bytes,
            patience: options.patience,
            seed: 0,
            books: WakeBooks::NotNeeded,
            states: false,
        };
        let compared = compare_collection(self.client, self.session, pair, &compare).await?;
        let (name, ok) = (&collection.planned.target, compared.agrees());
        gathered.remarks.extend(compared.remarks.into_iter().map(|remark| (name.clone(), remark)));
        gathered.differences.extend(compared.differences);
        gathered.differences.truncate(options.differences_listed);
        result.digest = compared.digest;
        (result.missing, result.extra) = (Some(compared.missing), Some(compared.extra));
        result.different = Some(compared.different);
        gathered.incomplete |= !ok;
        journalling::record(&mut gathered.files, RunRecord::Verified { target: name.clone(), ok }).await
    }

    async fn until_whole(&self, watch: &mut Watch) -> Result<(), Error> {
        let Options { patience, .. } = self.plan.options;
        if watch.wait_until_whole(patience, &self.session.cancel).await {
            return Ok(());
        }
        self.going()?;
        let reason = watch.trouble().unwrap_or("it keeps losing nodes").to_owned();
        Err(Error::NotWhole { collection: watch.collection().clone(), reason, waited: patience })
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

    #[test]
    fn remarks_about_references_count() {
        assert!(about_references(Filled { objects: 7, rejected: 1, ..Filled::default() }).is_empty());
        let some = |references, stored| about_references(Filled { stored, references, ..Filled::default() });
        assert_eq!(
            some(1, 1),
            [
                "1 reference was written after its object",
                "1 rejected object is there all the same, without some of its references"
            ]
        );
        assert_eq!(
            some(2, 3),
            [
                "2 references were written after their objects",
                "3 rejected objects are there all the same, without some of their references"
            ]
        );
    }
}
