//! The plan of a backup: which collections, how many objects, how many bytes, where to. Reads only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::tenants::{out_of_reach, wants};
use super::{
    BackupOptions, BackupPlan, CollectionBackup, Interrupted, LeftInactive, PlannedTenants, aliases_roles, missing,
    resume,
};
use crate::archive::manifest::{Skipped, TopologyRecord};
use crate::archive::{self, Codec, Content, Disk};
use crate::event::{ActivationRefusal, SkipReason, Warning};
use crate::model::{CollectionName, Schema, TenantName, similar};
use crate::ops::lacking::{Lacking, nothing_lacks};
use crate::ops::select::{self, Alias};
use crate::ops::server::{self, Needs};
use crate::ops::{Error, ReadAccess, Session, blocking, subset};
use crate::pipeline::guard::Whole;
use crate::weaviate::{
    Client, Count, LastingCause, OperationalMode, PageReply, PageRequest, Rights, ServerFacts, Tenant, TenantState,
};

/// Collections asked about at once.
const COLLECTIONS_AT_ONCE: usize = 4;
/// Objects of the sample that the estimate is made from.
const SAMPLE_OBJECTS: u32 = 10;
/// The largest sample that is looked at, in bytes; objects beyond it give no estimate.
const SAMPLE_BYTES: u64 = 8 << 20;
/// What an archive takes beyond its objects: index, schemas, manifest.
const OVERHEAD: f64 = 1.02;

/// Tenants that are counted for a plan at most: more would take longer than a person waits for one.
const TENANTS_COUNTED: usize = 1_000;
/// Tenants that are looked at for a sample, at most.
const TENANTS_SAMPLED: usize = 5;

/// Looks at server and disk, and says what a backup would do. Sends reading requests only.
///
/// # Errors
///
/// Nothing is chosen, the server cannot be reached, is not whole or refuses, or the folder of archives cannot be used.
pub async fn plan(client: &Client, session: &Session, mut options: BackupOptions) -> Result<BackupPlan, Error> {
    let access = ReadAccess { client, session };
    let ServerFacts { meta, mode, moves, .. } = server::look(access, Needs::Reads).await?;
    let schemas = access.client.schemas().await?;
    let (url, version) = (access.client.url(), &meta.version.text);
    let (carried, interrupted) = match &options.resume {
        Some(wanted) => (resume::find(access.session, wanted, url, version, &options).await?, None),
        // Only worth a remark: a folder that cannot be read is told when it is written to.
        None => (None, resume::newest(access.session, url, version, &options, false).await.unwrap_or_default()),
    };
    let aliases = access.client.aliases().await?;
    let (mut removed, mut given_up) = (Vec::new(), BTreeMap::new());
    let (chosen, is_all) = if let Some(found) = &carried {
        resume::adopt(&mut options, found)?;
        let standing = resume::standing(access.session, found, schemas).await?;
        (removed, given_up) = (standing.removed, standing.given_up);
        (standing.schemas, false)
    } else {
        let all = schemas.len();
        let aliases = aliases.clone().seen().map(|a| a.pairs).unwrap_or_default();
        let chosen = select::choose_and_tell(access.session, schemas, &options.selection, &aliases, Alias::Follows)?;
        let is_all = chosen.len() == all && options.selection.take.is_empty();
        (chosen, is_all)
    };
    let (chosen, idle) = without_idle_namespaces(access.client, chosen).await;
    if chosen.is_empty() {
        return Err(Error::InIdleNamespace {
            collections: idle.iter().map(|skipped| skipped.collection.clone()).collect(),
        });
    }
    for schema in &chosen {
        subset::sieve(&options.subset, schema)?;
    }
    let (chosen, tenants) = of_tenants(access.client, &options, chosen).await?;
    for (collection, listed) in &tenants {
        let activates = listed.iter().any(|tenant| tenant.state == TenantState::Cold);
        let moves = moves.iter().filter(|one| one.collection == collection.as_str()).count() as u64;
        if activates && moves > 0 {
            access.events.warn(Warning::ReplicasMove { collection: collection.clone(), moves });
        }
    }
    let rights = access.client.rights().await;
    // Whose tenants are listed must be known. Otherwise no backup fails for want of this answer: what keeps the server from
    // giving it keeps it from giving others.
    let rights = if tenants.is_empty() { rights.unwrap_or_default() } else { rights? };
    all_can_be_read(rights.as_ref(), &options, &chosen)?;
    let unseen = unseen(rights.as_ref(), &options, &tenants);
    let skipped = chosen.iter().flat_map(|s| skipped(s, tenants.get(&s.name).into_iter().flatten()));
    let skipped: Vec<Skipped> = removed.into_iter().chain(idle).chain(skipped).chain(unseen).collect();
    let left_inactive = left_inactive(mode, rights.as_ref(), &tenants);
    let collections = describe(access, &options, chosen, &tenants, &left_inactive).await?;
    let topology = topology(access, &options, &collections).await?;
    let limits = aliases_roles::unseen(rights.as_ref(), &aliases, &collections, options.selection.take.is_empty());
    let names: Vec<_> = collections.iter().map(|c| c.schema.name.clone()).collect();
    let header = carried.as_ref().map(|found| &found.header);
    let started = header.map_or_else(|| access.clock.now(), |header| header.started);
    let stem = archive::stem(&names, is_all, options.content, !options.subset.is_all(), started);
    let archive = match &carried {
        Some(found) => found.path.clone(),
        None => place(&access.archives, &options.folder, &stem).await?,
    };
    let plan = BackupPlan {
        url: access.client.url().to_owned(),
        server_version: meta.version.text,
        archive,
        collections,
        skipped,
        left_inactive,
        given_up,
        limits,
        topology,
        free_bytes: free_bytes(&access.archives, &options.folder).await,
        resumes: carried.as_ref().map(Interrupted::of),
        interrupted: interrupted.as_ref().map(Interrupted::of),
        options,
        started,
        stem,
        server_time_ms: header.map_or(meta.server_time_ms, |header| header.server_time_ms),
        run_id: header.map(|header| header.run_id.clone()),
    };
    fits(&plan)?;
    Ok(plan)
}

/// Refuses collections whose objects the roles of the key do not let it list: none is left out without a word. A server lists
/// the objects of a single tenant only to a key that may read all tenants.
fn all_can_be_read(rights: Option<&Rights>, options: &BackupOptions, chosen: &[Schema]) -> Result<(), Error> {
    let Some(rights) = rights.filter(|_| options.content != Content::SchemaOnly) else { return Ok(()) };
    let lack = |s: &Schema| Lacking { rights, collection: &s.name, multi_tenant: s.multi_tenant }.whole("read_data");
    nothing_lacks(chosen.iter().filter_map(lack))
}

/// The collections that can be read, and those that cannot, as their namespace is not active.
async fn without_idle_namespaces(client: &Client, chosen: Vec<Schema>) -> (Vec<Schema>, Vec<Skipped>) {
    let idle = server::idle_namespaces(client, &chosen).await;
    let (mut left, mut skipped) = (Vec::new(), Vec::new());
    for schema in chosen {
        match idle.iter().find(|namespace| namespace.holds(&schema.name)) {
            None => left.push(schema),
            Some(namespace) => {
                let reason = SkipReason::IdleNamespace { state: namespace.state.as_str().into() };
                skipped.push(Skipped { collection: schema.name.to_string(), tenant: None, reason });
            }
        }
    }
    (left, skipped)
}

/// The tenants that will be left out, as the server's mode, or the key's roles, do not let inactive ones be activated.
fn left_inactive(mode: Option<OperationalMode>, rights: Option<&Rights>, tenants: &TenantsOf) -> Vec<LeftInactive> {
    let mode = mode.filter(|mode| !mode.writes());
    let of = |(collection, listed): (&CollectionName, &Vec<Tenant>)| {
        let inactive = || listed.iter().filter(|tenant| tenant.state == TenantState::Cold);
        // They are activated several in a request, which is refused as a whole.
        let may = |rights: &Rights| inactive().all(|t| rights.allow_tenant("update_tenants", collection, &t.name));
        let why = match mode {
            Some(mode) => ActivationRefusal::Server { cause: LastingCause::Mode(mode).to_string().into() },
            None if rights.is_some_and(|rights| !may(rights)) => ActivationRefusal::Key,
            None => return None,
        };
        let mut inactive = inactive();
        let first = inactive.next()?.name.clone();
        let (collection, tenants) = (collection.clone(), inactive.count() as u64 + 1);
        Some(LeftInactive { collection, tenants, first, why })
    };
    tenants.iter().filter_map(of).collect()
}

/// The tenants of multi-tenant collections, by collection.
type TenantsOf = BTreeMap<CollectionName, Vec<Tenant>>;

/// Lists the tenants of what was chosen. Where some are named, only collections that have any of them stay.
async fn of_tenants(
    client: &Client,
    options: &BackupOptions,
    chosen: Vec<Schema>,
) -> Result<(Vec<Schema>, TenantsOf), Error> {
    let (mut tenants, mut all) = (TenantsOf::new(), BTreeSet::new());
    if options.content == Content::SchemaOnly && options.tenants.is_empty() {
        return Ok((chosen, tenants));
    }
    for schema in chosen.iter().filter(|schema| schema.multi_tenant) {
        let mut listed = client.tenants(&schema.name).await?;
        all.extend(listed.iter().map(|tenant| tenant.name.clone()).filter(|_| !options.tenants.is_empty()));
        listed.retain(|tenant| wants(&options.tenants, &tenant.name));
        tenants.insert(schema.name.clone(), listed);
    }
    if options.tenants.is_empty() {
        return Ok((chosen, tenants));
    }
    for tenant in &options.tenants {
        if !tenants.values().flatten().any(|there| there.name == *tenant) {
            let similar = similar(tenant.as_str(), &all.iter().collect::<Vec<_>>());
            return Err(Error::UnknownTenant { tenant: tenant.clone(), archived: false, skipped: None, similar });
        }
    }
    let typed = |schema: &Schema| options.selection.take.iter().any(|name| name == schema.name.as_str());
    if let Some(plain) = chosen.iter().find(|schema| !schema.multi_tenant && typed(schema)) {
        return Err(Error::NotMultiTenant { collection: plain.name.clone() });
    }
    let has_any = |schema: &Schema| tenants.get(&schema.name).is_some_and(|listed| !listed.is_empty());
    Ok((chosen.into_iter().filter(has_any).collect(), tenants))
}

/// Tenants that cannot be read.
fn skipped<'a>(schema: &Schema, tenants: impl IntoIterator<Item = &'a Tenant>) -> Vec<Skipped> {
    let skip = |tenant: &Tenant| {
        let (collection, tenant_name) = (schema.name.to_string(), Some(tenant.name.to_string()));
        out_of_reach(tenant).map(|reason| Skipped { collection, tenant: tenant_name, reason })
    };
    tenants.into_iter().filter_map(skip).collect()
}

/// Collections of which not all tenants are listed for the key: what its roles do not name is left out of the list without
/// a word. Whoever names tenants has them all, or hears which one is not there.
fn unseen(rights: Option<&Rights>, options: &BackupOptions, tenants: &TenantsOf) -> Vec<Skipped> {
    let Some(rights) = rights.filter(|_| options.tenants.is_empty()) else { return Vec::new() };
    let skip = |name: &CollectionName| Skipped {
        collection: name.to_string(),
        tenant: None,
        reason: SkipReason::TenantsHidden,
    };
    tenants.keys().filter(|name| !rights.show_tenants(name)).map(skip).collect()
}

/// Counts and samples every collection.
async fn describe(
    access: ReadAccess<'_>,
    options: &BackupOptions,
    schemas: Vec<Schema>,
    tenants: &TenantsOf,
    left_inactive: &[LeftInactive],
) -> Result<Vec<CollectionBackup>, Error> {
    if options.content == Content::SchemaOnly {
        let planned = |schema| CollectionBackup { schema, objects: None, object_bytes: None, tenants: None };
        return Ok(schemas.into_iter().map(planned).collect());
    }
    for schema in schemas.iter().filter(|s| options.content == Content::Full && !s.dropped_vectors.is_empty()) {
        let (collection, vectors) = (schema.name.clone(), schema.dropped_vectors.clone());
        access.events.warn(Warning::VectorsDropped { collection, vectors });
    }
    let names: Vec<_> = schemas.iter().filter(|s| !s.multi_tenant).map(|s| s.name.clone()).collect();
    let counts = access.client.counts(&names).await?;
    for (name, count) in names.iter().zip(&counts) {
        if let Count::Unknown { reason } = count {
            access.events.warn(Warning::CountUnchecked { collection: name.clone(), reason: reason.clone() });
        }
    }
    let counts: BTreeMap<CollectionName, Count> = names.into_iter().zip(counts).collect();
    let describe_one = |schema: Schema| {
        let (count, tenants) = (counts.get(&schema.name).cloned(), tenants.get(&schema.name));
        async move {
            if let Some(tenants) = tenants {
                let stay = left_inactive.iter().any(|left| left.collection == schema.name);
                return describe_tenants(access.client, schema, tenants, options.content, stay).await;
            }
            let objects = count.as_ref().and_then(Count::exact);
            let object_bytes =
                if objects == Some(0) { None } else { sample(access.client, &schema, None, options.content).await? };
            Ok::<_, Error>(CollectionBackup { schema, objects, object_bytes, tenants: None })
        }
    };
    let planned = stream::iter(schemas).map(describe_one).buffered(COLLECTIONS_AT_ONCE);
    planned.try_collect().await
}

/// A multi-tenant collection. `inactive_stay`: no tenant can be activated. Nobody is activated for a plan: where some are inactive, the
/// number of objects is not known.
async fn describe_tenants(
    client: &Client,
    schema: Schema,
    tenants: &[Tenant],
    content: Content,
    inactive_stay: bool,
) -> Result<CollectionBackup, Error> {
    let active = Tenant::active(tenants);
    let inactive = tenants.iter().filter(|t| t.state == TenantState::Cold && !inactive_stay).count();
    let numbers = PlannedTenants {
        active: active.len() as u64,
        inactive: inactive as u64,
        out_of_reach: (tenants.len() - active.len() - inactive) as u64,
    };
    let objects = if inactive == 0 && active.len() <= TENANTS_COUNTED {
        client.tenant_counts(&schema.name, &active).await?.iter().map(Count::exact).sum()
    } else {
        None
    };
    let mut object_bytes = None;
    for tenant in active.iter().take(TENANTS_SAMPLED).filter(|_| objects != Some(0)) {
        if object_bytes.is_none() {
            object_bytes = sample(client, &schema, Some(tenant), content).await?;
        }
    }
    Ok(CollectionBackup { schema, objects, object_bytes, tenants: Some(numbers) })
}

/// The mean size of the first objects, in bytes.
async fn sample(
    client: &Client,
    schema: &Schema,
    tenant: Option<&TenantName>,
    content: Content,
) -> Result<Option<f64>, Error> {
    let ask = PageRequest {
        collection: &schema.name,
        tenant,
        after: None,
        limit: SAMPLE_OBJECTS,
        vectors: content == Content::Full,
        max_bytes: SAMPLE_BYTES,
    };
    let reply = match client.page(&ask).await {
        // It was deactivated, or removed, since it was listed.
        Err(error) if error.tenant_trouble().is_some() => return Ok(None),
        reply => reply?,
    };
    let PageReply::Body(body) = reply else { return Ok(None) };
    let expected = crate::pipeline::split::Expected { collection: &schema.name, after: None, limit: SAMPLE_OBJECTS };
    let Ok(objects) = crate::pipeline::split::page(&body, expected) else { return Ok(None) };
    let bytes: usize = objects.iter().map(|o| o.text.len() + 1).sum();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    Ok((!objects.is_empty()).then(|| bytes as f64 / objects.len() as f64))
}

/// Refuses a server with a node away before anything is written. One collection speaks for the nodes; each is asked
/// again on its own before it is read.
async fn topology(
    access: ReadAccess<'_>,
    options: &BackupOptions,
    collections: &[CollectionBackup],
) -> Result<TopologyRecord, Error> {
    let Some(first) = collections.first() else {
        return Ok(TopologyRecord::new(Some("nothing to read".into()), Vec::new(), Vec::new()));
    };
    if options.allow_missing_nodes
        && let Some(record) = Box::pin(missing::record(access, collections)).await?
    {
        return Ok(record);
    }
    let topology = access.client.topology(&first.schema);
    match access.whole(topology, &first.schema.name).await {
        Ok(Whole { nodes, unchecked, .. }) => Ok(TopologyRecord::new(unchecked, nodes, Vec::new())),
        Err(error @ Error::NotWhole { .. }) => {
            let schemas = collections.iter().map(|planned| &planned.schema);
            Err(Box::pin(missing::allowable(access.client, schemas)).await.unwrap_or(error))
        }
        Err(error) => Err(error),
    }
}

/// Where the archive will be, unless another run takes that place first.
async fn place(disk: &Arc<dyn Disk>, folder: &Path, stem: &str) -> Result<PathBuf, Error> {
    let (disk, folder, stem) = (Arc::clone(disk), folder.to_owned(), stem.to_owned());
    blocking("the folder of archives", move || Ok::<_, Error>(archive::place(&*disk, &folder, &stem))).await
}

/// Free space where the archive will be: of the nearest folder that exists.
async fn free_bytes(disk: &Arc<dyn Disk>, folder: &Path) -> Option<u64> {
    let (disk, folder) = (Arc::clone(disk), folder.to_owned());
    let ask = move || {
        let exists = |path: &&Path| disk.look(path).is_ok_and(|found| found.is_some());
        let place = folder.ancestors().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p }).find(exists);
        Ok::<_, Error>(place.and_then(|place| disk.free_space(place).ok()))
    };
    blocking("free space", ask).await.ok().flatten()
}

/// A plain archive is about as large as its estimate, so one that cannot fit is refused at once.
fn fits(plan: &BackupPlan) -> Result<(), Error> {
    let needed: u64 = plan.collections.iter().filter_map(CollectionBackup::bytes).sum();
    // What is there already was paid for; how much of it stays is not known yet.
    if plan.resumes.is_some() {
        return Ok(());
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    let needed = (needed as f64 * OVERHEAD) as u64;
    match plan.free_bytes {
        Some(free) if plan.options.codec == Codec::None && needed > free => {
            Err(Error::NotEnoughSpace { folder: plan.options.folder.clone(), needed, free })
        }
        _ => Ok(()),
    }
}
