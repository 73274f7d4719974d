//! Carries out `col verify`: names first, then one collection after the other.

use std::path::PathBuf;
use std::sync::Arc;

use super::names::{self, Chosen};
use super::{CompareOptions, Compared, Differs, Pair, VerifyOptions, VerifyOutcome, compare_collection, schema};
use crate::archive::{Archive, Content, Error as ArchiveError};
use crate::event::{
    CollectionResult, ComparisonRemark, Event, Op, PlannedCollection, Remark, SchemaDifference, Status, Warning,
};
use crate::model::{CollectionName, Renames, Schema, TenantMap, path_text};
use crate::ops::activation::ActivationBooks;
use crate::ops::server::{self, Needs};
use crate::ops::{Error, Session, WriteAccess, blocking, prove};
use crate::pipeline::compare::Comparer;
use crate::weaviate::Writer;

/// What a run gathered so far.
#[derive(Default)]
struct VerifyGathered {
    /// Where it is written down whom this run activates.
    books: ActivationBooks,
    results: Vec<CollectionResult>,
    differences: Vec<Differs>,
    schema_differences: Vec<(CollectionName, SchemaDifference)>,
    remarks: Vec<(CollectionName, Remark)>,
    unchecked: Option<String>,
    /// Something differs, or could not be compared.
    incomplete: bool,
}

/// Compares every collection chosen, and refuses before the first one if the server lacks any of them. Sends reading
/// requests only, but for those that activate inactive tenants, and deactivate them.
///
/// # Errors
///
/// The archive is damaged or lacks what was chosen, a collection is not on the server, or the server cannot be reached or
/// is not whole. Differences are no error: they are in the outcome.
pub async fn run(client: &Writer, session: &Session, options: VerifyOptions) -> Result<VerifyOutcome, Error> {
    let access = WriteAccess::new(client, session);
    let (archive, archived) = open(access.session, options.archive.clone()).await?;
    let (chosen, renames) = names::choose(archived, &archive, &options)?;
    let server_version = server::look(access.reading, Needs::Reads).await?.meta.version.text;
    let schemas = access.ask(access.client.schemas()).await?;
    let aliases = access.aliases().await?;
    let live = names::live(&chosen, &schemas, &aliases)?;
    server::are_active(access.reading, &live).await?;
    access.events.emit(Event::PlanMade { collections: planned(&archive, &chosen, &live, &options) });
    let schemas_only = chosen.iter().all(|chosen| archive.collections()[chosen.at].content == Content::SchemaOnly);
    let mut gathered =
        VerifyGathered { books: ActivationBooks::below(options.state.as_ref()), ..VerifyGathered::default() };
    for (chosen, live) in chosen.into_iter().zip(&live) {
        access.go_on()?;
        verify_one(access, &archive, chosen, live, &options, &renames, &mut gathered).await?;
    }
    let status = if gathered.incomplete { Status::Incomplete } else { Status::Ok };
    let path = path_text(archive.path());
    let result = access.result(Op::Verify, status, Some(path), gathered.results);
    Ok(VerifyOutcome {
        result,
        url: access.client.url().to_owned(),
        server_version,
        differences: gathered.differences,
        schema_differences: gathered.schema_differences,
        schemas_only,
        remarks: gathered.remarks,
        topology_unchecked: gathered.unchecked,
    })
}

/// The archive and its schemas, proven, and everything else in it but indexes and parts.
async fn open(session: &Session, path: PathBuf) -> Result<(Arc<Archive>, Vec<Schema>), Error> {
    let archive = prove::open(session, path).await?;
    let read = Arc::clone(&archive);
    let schemas = blocking("open", move || {
        read.collections().iter().map(|entry| read.schema(entry)).collect::<Result<_, ArchiveError>>()
    });
    Ok((archive, schemas.await?))
}

/// What of a collection is to be read: nothing is known of a sample, or of some tenants; a collection that is not compared
/// has no numbers either.
fn planned(archive: &Archive, chosen: &[Chosen], live: &[Schema], options: &VerifyOptions) -> Vec<PlannedCollection> {
    let one = |(chosen, live): (&Chosen, &Schema)| {
        let entry = &archive.collections()[chosen.at];
        let whole = is_read_whole(chosen, live, options);
        let known = |number: u64| Some(number).filter(|_| whole);
        PlannedCollection {
            objects: known(entry.objects),
            bytes: known(entry.bytes),
            ..PlannedCollection::of(chosen.target.clone())
        }
    };
    chosen.iter().zip(live).map(one).collect()
}

fn is_read_whole(chosen: &Chosen, live: &Schema, options: &VerifyOptions) -> bool {
    options.sample.is_none()
        && options.filter.is_none()
        && options.tenants.is_same()
        && fit_together(&chosen.schema, live, &options.tenants)
}

async fn verify_one(
    access: WriteAccess<'_>,
    archive: &Arc<Archive>,
    chosen: Chosen,
    live: &Schema,
    options: &VerifyOptions,
    renames: &Renames,
    gathered: &mut VerifyGathered,
) -> Result<(), Error> {
    let whole = is_read_whole(&chosen, live, options);
    let Chosen { at, schema, target } = chosen;
    let entry = &archive.collections()[at];
    let objects = Some(entry.objects).filter(|_| whole);
    access.events.emit(Event::CollectionStarted { collection: target.clone(), objects });
    let mut diff = schema::compare(&schema, live, renames, &options.tenants);
    let mut remarks = Vec::new();
    let mut result = CollectionResult::of(target.clone());
    if entry.content == Content::SchemaOnly {
        // Nothing but the schema is compared, so whatever differs in it is what was asked for.
        diff.broken.append(&mut diff.other);
        remarks.push(ComparisonRemark::SchemaCompared);
    } else if !fit_together(&schema, live, &options.tenants) {
        remarks.push(ComparisonRemark::OfAnotherKind);
        gathered.incomplete = true;
    } else {
        let indexed = prove::index(archive, at).await?;
        let (archive, tenants) = (Arc::clone(archive), options.tenants.clone());
        let pair = Pair::archived(archive, at, indexed, target.clone(), tenants);
        let same = Comparer::new(pair.schema(), renames.clone(), false);
        let compared = {
            let options = compare_options(options, same, gathered);
            Box::pin(compare_collection(access.reading, Some(access.writer), pair, &options)).await?
        };
        compared.tell(&access.events, &target);
        remarks.extend(compared.remarks.iter().cloned());
        remarks.extend(compared.may_have_expired(live));
        compared.fill(&mut result);
        (result.objects, result.bytes, result.tenants) =
            (compared.found.objects, compared.found.bytes, compared.tenants);
        result.sample_of = options.sample.map(|_| entry.objects);
        let selects = options.filter.is_some() || entry.selection.is_some();
        result.left_out = selects.then_some(compared.found.aside);
        gathered.incomplete |= !compared.agrees();
        gathered.take(access.session, compared);
    }
    gathered.incomplete |= !diff.broken.is_empty();
    gathered.schema_differences.extend(diff.broken.into_iter().map(|differs| (target.clone(), differs)));
    let remarks = diff.other.into_iter().map(Remark::from).chain(remarks.into_iter().map(Remark::from));
    gathered.remarks.extend(remarks.map(|remark| (target.clone(), remark)));
    access.events.emit(Event::CollectionFinished(result.clone()));
    gathered.results.push(result);
    Ok(())
}

/// The options for the next collection: the limit holds for all of them together.
fn compare_options(options: &VerifyOptions, comparer: Comparer, gathered: &VerifyGathered) -> CompareOptions {
    CompareOptions {
        sample: options.sample,
        filter: options.filter.clone(),
        limit: options.limit - gathered.differences.len().min(options.limit),
        jobs: options.jobs,
        seed: options.seed,
        states: true,
        ..CompareOptions::new(comparer, options.memory_bytes, options.patience, gathered.books.clone())
    }
}

/// Whether what is compared has tenants on both sides, or on neither.
fn fit_together(archived: &Schema, live: &Schema, tenants: &TenantMap) -> bool {
    match tenants {
        TenantMap::Same | TenantMap::Only(_) => archived.multi_tenant == live.multi_tenant,
        TenantMap::IntoTenant(_) => !archived.multi_tenant && live.multi_tenant,
        TenantMap::IntoPlain(_) => archived.multi_tenant && !live.multi_tenant,
    }
}

impl VerifyGathered {
    fn take(&mut self, session: &Session, compared: Compared) {
        self.differences.extend(compared.differences);
        if let (None, Some(reason)) = (&self.unchecked, compared.unchecked) {
            session.events.warn(Warning::TopologyUnchecked { reason: reason.clone() });
            self.unchecked = Some(reason);
        }
    }
}
