//! The tenants of a restore: which of the archive's come back and under which names, made before the objects, and in the
//! state they had in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::before::Stage;
use super::{Collection, RestoreRefusal};
use crate::archive::Archive;
use crate::event::Warning;
use crate::model::{CollectionName, Schema, TenantMap, TenantName};
use crate::ops::proof::sum;
use crate::ops::schema::create_tenants;
use crate::ops::schema::place::take;
use crate::ops::{Error, Session, prove, waking};
use crate::pipeline::waking::{TENANTS_A_WINDOW, Waking};
use crate::pipeline::windows::Windows;
use crate::weaviate::{Count, Rights, Tenant, TenantState, Writer};

/// Tenants put into their states in one request.
const TENANTS_A_REQUEST: usize = 100;

/// The tenants of one collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tenants {
    /// Those that are made, by their names on the server, in the state they are to have in the end: awake or asleep.
    pub(super) made: Vec<Tenant>,
    /// Objects of them, and their plain bytes.
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Tenants that the archive names and does not hold.
    pub(super) left_out: Vec<TenantName>,
    /// Tenants that come back inactive, as the state that the archive gives is none to make one in: the archive's words.
    pub(super) restated: Vec<(TenantName, TenantState)>,
}

impl Tenants {
    pub(super) fn asleep(&self) -> usize {
        self.made.iter().filter(|tenant| tenant.state == TenantState::Cold).count()
    }

    /// Why they cannot be filled, where the roles of the key say that it may not wake them. Where nothing is told of its
    /// roles, that is found out when the first one is to be woken.
    pub(super) fn may_not_wake(
        &self,
        collection: &CollectionName,
        target: &CollectionName,
        rights: &Rights,
    ) -> Option<RestoreRefusal> {
        let asleep = self.made.iter().filter(|tenant| tenant.state == TenantState::Cold).map(|tenant| &tenant.name);
        let mut denied = asleep.filter(|name| !rights.allow_tenant("update_tenants", target, name));
        let first = denied.next()?.clone();
        Some(RestoreRefusal::MayNotWake { collection: collection.clone(), tenants: denied.count() + 1, first })
    }

    /// Those that are to be in a state in the end.
    fn of(&self, state: &TenantState) -> Vec<TenantName> {
        self.made.iter().filter(|tenant| tenant.state == *state).map(|tenant| tenant.name.clone()).collect()
    }

    /// What is to be known about them, each as a clause.
    pub(super) fn remarks(&self, map: &TenantMap) -> Vec<String> {
        let mut remarks = Vec::new();
        if let TenantMap::IntoTenant(tenant) = map {
            remarks.push(format!("it becomes the tenant {tenant} of a multi-tenant collection"));
        }
        if let TenantMap::IntoPlain(tenant) = map {
            remarks.push(format!("its tenant {tenant} becomes a plain collection"));
        }
        if let Some((first, state)) = self.restated.first() {
            let (tenants, are) = plural(self.restated.len());
            let word = state.as_str();
            remarks.push(format!(
                "{tenants} {are} inactive in the end, as the state in the archive is none to make one in ({first} first, {word:?})"
            ));
        }
        if let Some(first) = self.left_out.first() {
            let (tenants, are) = plural(self.left_out.len());
            remarks.push(format!("{tenants} {are} not in the archive and {are} not made ({first} first)"));
        }
        remarks
    }
}

fn plural(number: usize) -> (String, &'static str) {
    if number == 1 { ("1 tenant".to_owned(), "is") } else { (format!("{number} tenants"), "are") }
}

/// What of the tenants of a collection is chosen. For a collection that is plain and stays so there is nothing in it but
/// its objects.
pub(super) async fn chosen(archive: &Arc<Archive>, at: usize, map: &TenantMap) -> Result<Tenants, Error> {
    let listed = prove::tenants(archive, at).await?;
    let states: BTreeMap<&TenantName, &TenantState> = listed.iter().map(|t| (&t.name, &t.state)).collect();
    let mut tenants = Tenants::default();
    let mut held = BTreeSet::new();
    for entry in &archive.collections()[at].tenants {
        let archived: Option<TenantName> = entry.tenant.as_ref().and_then(|name| name.parse().ok());
        let Some(target) = map.target(archived.as_ref()) else { continue };
        tenants.objects += entry.objects;
        tenants.bytes += entry.bytes;
        if let Some(name) = target {
            let was = archived.as_ref().and_then(|name| states.get(name)).map_or(&TenantState::Hot, |was| was);
            let state = if *was == TenantState::Hot { TenantState::Hot } else { TenantState::Cold };
            if !matches!(was, TenantState::Hot | TenantState::Cold) {
                tenants.restated.push((name.clone(), was.clone()));
            }
            tenants.made.push(Tenant { name, state });
        }
        held.extend(archived);
    }
    if map.is_same() {
        tenants.left_out = listed.iter().filter(|t| !held.contains(&t.name)).map(|t| t.name.clone()).collect();
    }
    Ok(tenants)
}

/// The schema of a collection that becomes one of another kind: a tenant, or plain.
pub(super) fn of_kind(schema: &Schema, map: &TenantMap) -> Schema {
    let mut document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    match map {
        TenantMap::Same | TenantMap::Only(_) => return schema.clone(),
        TenantMap::IntoTenant(_) => {
            take(&mut document, &["shardingConfig".to_owned()]);
            document["multiTenancyConfig"] = serde_json::json!({"enabled": true});
        }
        TenantMap::IntoPlain(_) => {
            // Those of a collection with tenants say nothing about a plain one.
            take(&mut document, &["shardingConfig".to_owned()]);
            take(&mut document, &["multiTenancyConfig".to_owned()]);
        }
    }
    Schema::parse(document.to_string().into()).unwrap_or_else(|_| schema.clone())
}

/// Whether tenants may be added to a collection that exists, and what stands against it. `own`: those that an earlier run
/// added, which this one carries on.
pub(super) async fn joins(
    client: &crate::weaviate::Client,
    archived: &Schema,
    live: &Schema,
    tenants: &Tenants,
    differs: Vec<String>,
    own: &[TenantName],
) -> Result<Vec<RestoreRefusal>, Error> {
    let collection = archived.name.clone();
    if !differs.is_empty() {
        return Ok(vec![RestoreRefusal::DoesNotFit { collection, there: live.name.clone(), differs }]);
    }
    let there: BTreeSet<TenantName> = client.tenants(&live.name).await?.into_iter().map(|t| t.name).collect();
    let taken = tenants.made.iter().filter(|tenant| there.contains(&tenant.name) && !own.contains(&tenant.name));
    let refusal = |tenant: &Tenant| RestoreRefusal::TenantExists {
        collection: collection.clone(),
        there: live.name.clone(),
        tenant: tenant.name.clone(),
    };
    Ok(taken.map(refusal).collect())
}

/// Makes the tenants: those that are to sleep asleep, so that never all are awake. Of those that an earlier run made, which
/// this one carries on, whoever was left in another state is put back.
pub(super) async fn make(writer: &Writer, session: &Session, collection: &Collection) -> Result<(), Error> {
    let target = &collection.planned.target;
    if collection.before.stage == Stage::There {
        let Wrong { state, gone } = wrong(writer, session, collection).await?;
        let gone = |tenant: &&Tenant| gone.contains(&tenant.name);
        let gone: Vec<Tenant> = collection.tenants.made.iter().filter(gone).cloned().collect();
        create_tenants(writer, session, target, &gone).await?;
        for chunk in state.chunks(TENANTS_A_REQUEST) {
            session.unless_stopped(writer.set_tenant_states(target, chunk)).await?;
        }
    } else {
        create_tenants(writer, session, target, &collection.tenants.made).await?;
    }
    let there: BTreeSet<Tenant> = writer.tenants(target).await?.into_iter().collect();
    match collection.tenants.made.iter().find(|tenant| !there.contains(tenant)) {
        Some(lacking) => Err(Error::TenantLacks { collection: target.clone(), tenant: lacking.name.clone() }),
        None => Ok(()),
    }
}

/// The tenants that sleep whenever they are not needed; `None` if there are none.
fn sleepers(writer: &Writer, collection: &Collection) -> Option<Waking> {
    let asleep = collection.tenants.made.iter().filter(|tenant| tenant.state == TenantState::Cold);
    let sleepers: BTreeSet<TenantName> = asleep.map(|tenant| tenant.name.clone()).collect();
    let target = collection.planned.target.clone();
    (!sleepers.is_empty()).then(|| Waking::new(writer.clone(), target, Some(sleepers), None))
}

/// What wakes the tenants that sleep while their objects are written; `None` if none does.
pub(super) fn windows(writer: &Writer, collection: &Collection) -> Option<Arc<Windows>> {
    sleepers(writer, collection).map(|waking| Arc::new(Windows::new(waking)))
}

/// Counts the objects of the tenants that are awake, and of those that sleep if they are to be woken for it.
pub(super) async fn count(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
    asleep_too: bool,
) -> Result<Count, Error> {
    let there = session.unless_stopped(writer.tenants(&collection.planned.target)).await?;
    let there: BTreeSet<TenantName> = there.into_iter().map(|tenant| tenant.name).collect();
    // One that somebody removed has no objects any more.
    let of = |state| collection.tenants.of(&state).into_iter().filter(|name| there.contains(name)).collect::<Vec<_>>();
    let awake = of(TenantState::Hot);
    let awake = sum(session.unless_stopped(writer.tenant_counts(&collection.planned.target, &awake)).await?);
    if !asleep_too || awake.exact().is_none() {
        return Ok(awake);
    }
    Ok(sum(vec![awake, count_asleep(writer, session, collection, &of(TenantState::Cold)).await?]))
}

/// Counts the objects of the tenants that sleep, a few of them at a time.
async fn count_asleep(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
    asleep: &[TenantName],
) -> Result<Count, Error> {
    let Some(waking) = sleepers(writer, collection) else { return Ok(Count::Exact(0)) };
    let target = &collection.planned.target;
    let counting = async {
        let mut all = Vec::new();
        for tenants in asleep.chunks(TENANTS_A_WINDOW) {
            let awake = session.unless_stopped(waking.wake(tenants)).await?;
            all.push(sum(session.unless_stopped(writer.tenant_counts(target, tenants)).await?));
            session.unless_stopped(waking.put_back(awake)).await?;
        }
        Ok::<_, Error>(sum(all))
    };
    let counted = counting.await;
    // However it ended. Who stays awake is told when the states are looked at in the end.
    waking::put_back(session, target, &waking, None).await;
    counted
}

/// Tenants that are not as they should be.
#[derive(Default)]
struct Wrong {
    /// There, in another state than the one given.
    state: Vec<Tenant>,
    gone: Vec<TenantName>,
}

async fn wrong(writer: &Writer, session: &Session, collection: &Collection) -> Result<Wrong, Error> {
    let there = session.unless_stopped(writer.tenants(&collection.planned.target)).await?;
    let there: BTreeMap<TenantName, TenantState> = there.into_iter().map(|t| (t.name, t.state)).collect();
    let mut wrong = Wrong::default();
    for tenant in &collection.tenants.made {
        match there.get(&tenant.name) {
            None => wrong.gone.push(tenant.name.clone()),
            Some(state) if *state != tenant.state => wrong.state.push(tenant.clone()),
            Some(_) => {}
        }
    }
    Ok(wrong)
}

/// Puts the tenants into the states they had. A class that wakes them by itself has them awake after every reading and
/// writing. What could not be put right, each as a clause.
pub(super) async fn settle(writer: &Writer, session: &Session, collection: &Collection) -> Result<Vec<String>, Error> {
    if collection.tenants.made.is_empty() {
        return Ok(Vec::new());
    }
    let target = &collection.planned.target;
    let mut left = wrong(writer, session, collection).await?;
    let mut said = waking::NOT_DONE.to_owned();
    for chunk in left.state.chunks(TENANTS_A_REQUEST) {
        if let Err(error) = session.unless_stopped(writer.set_tenant_states(target, chunk)).await {
            said = error.to_string();
        }
    }
    if !left.state.is_empty() {
        left = wrong(writer, session, collection).await?;
    }
    if let Some(first) = left.state.iter().find(|tenant| tenant.state == TenantState::Cold) {
        let tenants = left.state.iter().filter(|tenant| tenant.state == TenantState::Cold).count() as u64;
        let (collection, first) = (target.clone(), first.name.clone());
        session.events.warn(Warning::TenantsStayAwake { collection, tenants, first, reason: said, noted: false });
    }
    let state = left.state.first().map(|first| {
        let (tenants, are) = plural(left.state.len());
        format!("{tenants} {are} not in the state of the archive ({} first)", first.name)
    });
    let gone = left.gone.first().map(|first| {
        let (tenants, were) = (plural(left.gone.len()).0, if left.gone.len() == 1 { "was" } else { "were" });
        format!("{tenants} {were} removed meanwhile ({first} first)")
    });
    Ok(state.into_iter().chain(gone).collect())
}
