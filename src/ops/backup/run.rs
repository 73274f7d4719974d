//! Carries out a backup's plan: collections one after the other, then aliases and roles, and the manifest last.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::collect::{Collect, Collected, schema_only};
use super::gone::{self, Fate};
use super::resume::{self, Kept};
use super::tenants::TenantsBackup;
use super::{
    BackupOutcome, BackupPlan, BackupStopped, CollectionBackup, Interrupted, Remarks, aliases_roles, facts, missing,
};
use crate::archive::claims::Claim;
use crate::archive::manifest::TopologyRecord;
use crate::archive::{
    ArchiveWriter, Begun, ClosedCollection, CollectionWriter, Content, Error as ArchiveError, Noted, Resumed,
    ResumedCollection, RunHeader, SealFacts,
};
use crate::event::{CollectionResult, Event, NotKeptReason, Op, RunResult, SavedSchema, Status, Warning};
use crate::model::{CLOCK_STEP_MS, Subset, path_text};
use crate::ops::activation::ActivationBooks;
use crate::ops::run::claim::Claiming;
use crate::ops::subset;
use crate::ops::{BackupDiffers, Error, SchemaDrift, Session, WriteAccess, blocking};
use crate::pipeline::budget::Budget;
use crate::pipeline::long_lines::OTHER_BYTES;
use crate::pipeline::replicas::ReplicaCheck;
use crate::weaviate::Writer;

/// The least that pages may take.
const LEAST_PAGES_BYTES: u64 = 4 << 20;

/// What a run gathered so far.
#[derive(Default)]
struct BackupGathered {
    closed: Vec<ClosedCollection>,
    results: Vec<CollectionResult>,
    resumed: u64,
    remarks: Remarks,
    mismatches: usize,
    left_active: u64,
    more_unprintable: u64,
    unchecked: Option<String>,
    nodes: BTreeSet<String>,
    /// Nodes that were missing, as was allowed.
    missing: BTreeSet<String>,
}

/// Runs a plan to its end. With an error the archive stays unsealed; what was sealed of it stays on disk.
///
/// # Errors
///
/// [`BackupStopped`] says why, and names the unsealed archive that it left: what is sealed in it is kept, and a later run
/// can resume it.
pub async fn run(client: &Writer, session: &Session, plan: BackupPlan) -> Result<BackupOutcome, BackupStopped> {
    let access = WriteAccess::new(client, session);
    access.events.emit(Event::PlanMade { collections: plan.listed() });
    let there = plan.resumes.as_ref().map(|interrupted| interrupted.archive.clone());
    let claim = claim(access, &plan).await;
    let _claim = claim.map_err(|error| BackupStopped { error, archive: there.clone() })?;
    let begun = match &plan.resumes {
        None => create(access.session, &plan).await.map(|writer| (writer, Begun::default())),
        Some(interrupted) => resume_archive(access.session, &plan, interrupted).await,
    };
    let (writer, begun) = begun.map_err(|error| BackupStopped { error, archive: there })?;
    let archive = Some(writer.path().to_owned());
    fill(access, plan, writer, begun).await.map_err(|error| BackupStopped { error, archive })
}

/// Reads every collection into the archive and seals it.
async fn fill(
    access: WriteAccess<'_>,
    plan: BackupPlan,
    mut writer: ArchiveWriter,
    mut begun: Begun,
) -> Result<BackupOutcome, Error> {
    let pages = plan.options.memory_bytes.saturating_sub(OTHER_BYTES).max(LEAST_PAGES_BYTES);
    let budget = Budget::new(pages);
    let books = ActivationBooks::below(plan.options.state.as_ref());
    let (mut gathered, mut last_lost) = (BackupGathered::default(), None);
    gathered.remarks.limits.clone_from(&plan.limits);
    gathered.missing.extend(plan.topology.missing.iter().cloned());
    // What is known of single tenants now is looked at again when they are read.
    gathered.remarks.skipped.extend(plan.skipped.iter().filter(|skipped| skipped.tenant.is_none()).cloned());
    for planned in &plan.collections {
        let (mut anew, agreed) = (None, planned.objects);
        loop {
            access.go_on()?;
            let again = anew.is_some();
            let planned = anew.as_ref().unwrap_or(planned);
            let one = One { access, plan: &plan, budget: &budget, planned, agreed, books: &books };
            let lost;
            (writer, begun, lost) = one.read(writer, begun, &mut gathered).await?;
            let Some((fate, error)) = lost else { break };
            let name = planned.schema.name.clone();
            let reason = fate.reason();
            // Whoever named tenants does not want a collection that has none now.
            let readable = |now: &CollectionBackup| now.schema.multi_tenant || plan.options.tenants.is_empty();
            let Some(now) = fate.planned().filter(|now| !again && readable(now)) else {
                gathered.remarks.skipped.push(gone::skipped(&name, reason.clone()));
                access.events.warn(Warning::CollectionSkipped { collection: name, reason });
                last_lost = Some(error);
                break;
            };
            let (file, reason) = (name.to_string(), NotKeptReason::Changed { error: error.to_string() });
            access.events.warn(Warning::NotKept { file, reason });
            anew = Some(now);
        }
    }
    if let Some(error) = last_lost.filter(|_| gathered.closed.is_empty()) {
        return Err(error);
    }
    let writer = aliases_roles::save(access, writer, &mut gathered.remarks.limits).await?;
    seal(access, plan, writer, gathered).await
}

/// Keeps runs of this machine from changing the collections while they are read.
async fn claim(access: WriteAccess<'_>, plan: &BackupPlan) -> Result<Option<Claim>, Error> {
    let Some(state) = plan.options.state.as_ref().filter(|_| plan.options.content != Content::SchemaOnly) else {
        return Ok(None);
    };
    let targets = plan.collections.iter().map(|planned| planned.schema.name.clone()).collect();
    Claiming::of(access.reading, &state.locks, targets).take_to_read(Op::Backup).await
}

async fn create(session: &Session, plan: &BackupPlan) -> Result<ArchiveWriter, Error> {
    let header = RunHeader {
        run_id: uuid::Uuid::now_v7(),
        started: plan.started,
        source_url: plan.url.clone(),
        server_version: plan.server_version.clone(),
        collections: plan.collections.iter().map(|c| c.schema.name.clone()).collect(),
        options: plan.options.record(),
        server_time_ms: plan.server_time_ms,
    };
    let (disk, folder, stem) = (Arc::clone(&session.archives), plan.options.folder.clone(), plan.stem.clone());
    let codec = plan.options.codec;
    blocking("create", move || ArchiveWriter::create(disk, &folder, &stem, codec, header)).await
}

/// Resumes the archive of an interrupted run.
async fn resume_archive(
    session: &Session,
    plan: &BackupPlan,
    interrupted: &Interrupted,
) -> Result<(ArchiveWriter, Begun), Error> {
    let (disk, path, now) = (Arc::clone(&session.archives), interrupted.archive.clone(), session.clock.now());
    let Resumed { writer, header, dropped, begun } =
        blocking("carry on", move || ArchiveWriter::resume(disk, &path, now)).await?;
    if plan.run_id.as_ref() != Some(&header.run_id) {
        let (archive, archived) = (interrupted.archive.clone(), header.run_id);
        return Err(Error::OtherBackup {
            archive,
            what: BackupDiffers::Run,
            archived,
            wanted: plan.run_id.clone().unwrap_or_default(),
        });
    }
    for (file, why) in dropped {
        session.events.warn(Warning::NotKept { file, reason: why });
    }
    give_up(session, plan, writer, begun).await
}

/// Gives up what an interrupted run had kept of collections that were removed since, or are not the same any more.
async fn give_up(
    session: &Session,
    plan: &BackupPlan,
    mut writer: ArchiveWriter,
    mut begun: Begun,
) -> Result<(ArchiveWriter, Begun), Error> {
    for (collection, reason) in &plan.given_up {
        let (collection, reason) = (collection.clone(), reason.clone());
        let name = collection.clone();
        let had_begun;
        (writer, begun, had_begun) = blocking("give up", move || {
            let had_begun = writer.give_up_begun(&mut begun, &name)?;
            Ok::<_, ArchiveError>((writer, begun, had_begun))
        })
        .await?;
        if reason == NotKeptReason::Removed {
            let of_it = |name: &str, tenant: Option<&str>| name == collection.as_str() && tenant.is_none();
            if let Some(skipped) = plan.skipped.iter().find(|s| of_it(&s.collection, s.tenant.as_deref())) {
                session.events.warn(Warning::CollectionSkipped { collection, reason: skipped.reason.clone() });
            }
        } else if had_begun {
            session.events.warn(Warning::NotKept { file: collection.to_string(), reason });
        }
    }
    Ok((writer, begun))
}

/// What it takes to read one collection.
struct One<'a> {
    access: WriteAccess<'a>,
    plan: &'a BackupPlan,
    budget: &'a Budget,
    planned: &'a CollectionBackup,
    /// Its objects by the count of the plan, also where it was recreated since.
    agreed: Option<u64>,
    books: &'a ActivationBooks,
}

/// A collection that was given up: what became of it, and the error that this was noticed by.
type GivenUp = Option<(Fate, Error)>;

impl One<'_> {
    /// Reads the collection, or gives it up if it was removed, or recreated, meanwhile.
    async fn read(
        &self,
        writer: ArchiveWriter,
        begun: Begun,
        gathered: &mut BackupGathered,
    ) -> Result<(ArchiveWriter, Begun, GivenUp), Error> {
        let (mut writer, begun, collection, carried) = self.begin(writer, begun).await?;
        let Err(error) = Box::pin(self.read_into(collection, carried, gathered)).await else {
            return Ok((writer, begun, None));
        };
        let name = self.planned.schema.name.clone();
        let lost = Box::pin(gone::fate(self.access.reading, &name, error)).await?;
        let writer = blocking("give up", move || writer.give_up(&name).map(|()| writer)).await?;
        Ok((writer, begun, Some(lost)))
    }

    async fn read_into(
        &self,
        collection: CollectionWriter,
        carried: Option<Noted>,
        gathered: &mut BackupGathered,
    ) -> Result<(), Error> {
        let Self { access, plan, planned, .. } = *self;
        let content = plan.options.content;
        if content == Content::SchemaOnly {
            let closed = schema_only(access.reading, planned, collection).await?;
            gathered.remarks.limits.extend(facts::schema_limits(&planned.schema));
            let schema = Some(SavedSchema::of(&planned.schema));
            gathered.finish(
                access.session,
                closed,
                CollectionResult { schema, ..CollectionResult::of(planned.schema.name.clone()) },
            );
            return Ok(());
        }
        let (name, objects) = (planned.schema.name.clone(), planned.objects);
        access.events.emit(Event::CollectionStarted { collection: name, objects });
        // The server's clock shows whole seconds: only what is written after that second was surely written meanwhile.
        let changed_since_ms = plan.server_time_ms.map(|at| at + CLOCK_STEP_MS);
        let (collection, kept) = match carried {
            None => (collection, Kept::default()),
            Some(noted) => resume::prove(access.session, collection, noted, content, changed_since_ms).await?,
        };
        let there = collection.totals();
        let replicas = (planned.schema.replicas > 1).then(|| Arc::new(ReplicaCheck::new(changed_since_ms)));
        let (options, budget) = (&plan.options, self.budget);
        let sieve = subset::sieve(&options.subset, &planned.schema)?;
        let collect = Collect { access, options, budget, planned, kept, changed_since_ms, replicas, sieve };
        let collected = if planned.schema.multi_tenant {
            Box::pin(TenantsBackup::new(collect, &plan.archive, self.books).run(collection)).await?
        } else {
            Box::pin(collect.run(collection)).await?
        };
        let read = collected.read;
        let collected = Collected {
            vanished: facts::vanished(self.agreed.map(|agreed| agreed.max(there.read())), &collected),
            ..collected
        };
        let in_all = collected.closed.totals().read();
        gathered.take(access.session, &options.subset, collected);
        // What was there and was dropped since is among those that were read.
        gathered.resumed += there.objects.min(in_all.saturating_sub(read));
        Ok(())
    }

    /// Begins the collection, or carries it on if the run had begun it.
    async fn begin(
        &self,
        mut writer: ArchiveWriter,
        mut begun: Begun,
    ) -> Result<(ArchiveWriter, Begun, CollectionWriter, Option<Noted>), Error> {
        let (schema, content) = (self.planned.schema.clone(), self.plan.options.content);
        let resume_archive = move || {
            let (collection, noted) = match writer.resume_collection(&mut begun, &schema.name)? {
                Some(ResumedCollection { writer, noted }) => (writer, Some(noted)),
                None => (writer.collection(&schema, content)?, None),
            };
            Ok::<_, ArchiveError>((writer, begun, collection, noted))
        };
        let (writer, begun, collection, noted) = blocking("begin", resume_archive).await?;
        // The plan read the schema without the lock.
        if collection.schema().text != self.planned.schema.text {
            let (collection, what) = (self.planned.schema.name.clone(), SchemaDrift::Resumed);
            return Err(Error::SchemaChanged { collection, what });
        }
        Ok((writer, begun, collection, noted))
    }
}

impl BackupGathered {
    fn take(&mut self, session: &Session, subset: &Subset, mut collected: Collected) {
        collected.closed.facts = facts::facts(&collected, subset);
        let (result, remarks) = (facts::result(&collected, subset), facts::remarks(&collected));
        self.remarks.limits.extend(remarks.limits);
        self.remarks.incomplete.extend(remarks.incomplete);
        self.remarks.skipped.extend(remarks.skipped);
        self.more_unprintable += collected.more_unprintable;
        if let Some(objects) = collected.vanished {
            let collection = collected.schema.name.clone();
            session.events.warn(Warning::ObjectsVanished { collection, objects });
        }
        let totals = collected.closed.totals();
        if totals.objects == 0 && totals.left_out > 0 {
            let (collection, objects) = (collected.schema.name.clone(), totals.left_out);
            session.events.warn(Warning::NothingSelected { collection, objects });
        }
        self.mismatches += usize::from(!facts::agrees(&collected));
        self.left_active += collected.left_active;
        self.unchecked = self.unchecked.take().or(collected.unchecked);
        self.nodes.extend(collected.nodes);
        self.missing.extend(collected.missing);
        self.finish(session, collected.closed, result);
    }

    fn finish(&mut self, session: &Session, closed: ClosedCollection, result: CollectionResult) {
        session.events.emit(Event::CollectionFinished(result.clone()));
        self.closed.push(closed);
        self.results.push(result);
    }

    /// Whether everything that exists is in the archive, whole.
    fn is_complete(&self) -> bool {
        self.remarks.skipped.is_empty()
            && self.remarks.incomplete.is_empty()
            && self.more_unprintable == 0
            && self.mismatches == 0
            && self.left_active == 0
            && self.missing.is_empty()
    }

    fn topology(&self, plan: &BackupPlan) -> TopologyRecord {
        let mut nodes: BTreeSet<String> = self.nodes.clone();
        nodes.extend(plan.topology.nodes.iter().cloned());
        let missing: Vec<String> = self.missing.iter().cloned().collect();
        let of_missing = (!missing.is_empty()).then(|| missing::reason(&missing));
        let of_plan = plan.topology.reason.clone().filter(|_| plan.topology.missing.is_empty());
        let reason = of_missing.or_else(|| self.unchecked.clone()).or(of_plan);
        TopologyRecord::new(reason, nodes.into_iter().collect(), missing)
    }
}

async fn seal(
    access: WriteAccess<'_>,
    plan: BackupPlan,
    writer: ArchiveWriter,
    gathered: BackupGathered,
) -> Result<BackupOutcome, Error> {
    let status = if gathered.is_complete() { Status::Ok } else { Status::Incomplete };
    let mut limits = facts::general_limits();
    let topology = gathered.topology(&plan);
    limits.extend(gathered.remarks.limits);
    let sealed = SealFacts {
        sealed: access.clock.now(),
        topology,
        limits,
        skipped: gathered.remarks.skipped,
        incomplete: gathered.remarks.incomplete,
    };
    let closed = gathered.closed;
    let sealed = blocking("seal", move || writer.seal(closed, sealed)).await?;
    let collections = gathered.results;
    let result = RunResult {
        resumed_objects: gathered.resumed,
        ..access.result(Op::Backup, status, Some(path_text(&sealed.path)), collections)
    };
    Ok(BackupOutcome { result, manifest: sealed.manifest, left_behind: sealed.left_behind })
}
