//! The tenants of a restore: which of the archive's come back and under which names, made before the objects, and in the
//! state they had in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Collection, RestoreRefusal};
use crate::archive::Archive;
use crate::event::{RestoreRemark, SchemaDifference, Warning};
use crate::model::{CollectionName, Schema, TenantMap, TenantName};
use crate::ops::proof::sum;
use crate::ops::schema::create_tenants;
use crate::ops::schema::place::take;
use crate::ops::{Error, Session, activation, prove};
use crate::pipeline::activation::{Activation, TENANTS_A_WINDOW};
use crate::weaviate::{Count, Rights, Tenant, TenantState, Writer};

/// Tenants put into their states in one request.
const TENANTS_A_REQUEST: usize = 100;

/// The tenants of one collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tenants {
    /// Those that are made, by their names on the server, in the state they are to have in the end: active or inactive.
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
    /// Those that are to be inactive whenever they are not needed.
    pub(super) fn inactive(&self) -> Arc<BTreeSet<TenantName>> {
        Arc::new(self.of(&TenantState::Cold).into_iter().collect())
    }

    /// Why they cannot be filled, where the roles of the key say that it may not activate them. Where nothing is told of its
    /// roles, that is found out when the first one is to be activated.
    pub(super) fn may_not_activate(
        &self,
        collection: &CollectionName,
        target: &CollectionName,
        rights: &Rights,
    ) -> Option<RestoreRefusal> {
        let inactive = self.of(&TenantState::Cold);
        let mut denied = inactive.iter().filter(|name| !rights.allow_tenant("update_tenants", target, name));
        let first = denied.next()?.clone();
        Some(RestoreRefusal::MayNotWake { collection: collection.clone(), tenants: denied.count() + 1, first })
    }

    /// Those that are to be in a state in the end.
    fn of(&self, state: &TenantState) -> Vec<TenantName> {
        self.made.iter().filter(|tenant| tenant.state == *state).map(|tenant| tenant.name.clone()).collect()
    }

    /// What is to be known about them.
    pub(super) fn remarks(&self, map: &TenantMap) -> Vec<RestoreRemark> {
        let mut remarks = Vec::new();
        if let TenantMap::IntoTenant(tenant) = map {
            remarks.push(RestoreRemark::BecomesTenant { tenant: tenant.clone() });
        }
        if let TenantMap::IntoPlain(tenant) = map {
            remarks.push(RestoreRemark::BecomesPlain { tenant: tenant.clone() });
        }
        if let Some((first, state)) = self.restated.first() {
            let (tenants, first, state) = (self.restated.len() as u64, first.clone(), state.as_str().to_owned());
            remarks.push(RestoreRemark::TenantsRestated { tenants, first, state });
        }
        if let Some(first) = self.left_out.first() {
            let (tenants, first) = (self.left_out.len() as u64, first.clone());
            remarks.push(RestoreRemark::TenantsLeftOut { tenants, first });
        }
        remarks
    }
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
    differs: Vec<SchemaDifference>,
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

/// Makes the tenants: those that are to be inactive so from the start, so that never all are active. Of those that an earlier
/// run made, which this one resumes, whoever was left in another state is put back into its own.
pub(super) async fn make(writer: &Writer, session: &Session, collection: &Collection) -> Result<(), Error> {
    let target = &collection.planned.target;
    if collection.before.is_there() {
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
    let there: BTreeSet<Tenant> = writer.client().tenants(target).await?.into_iter().collect();
    match collection.tenants.made.iter().find(|tenant| !there.contains(tenant)) {
        Some(lacking) => Err(Error::TenantLacks { collection: target.clone(), tenant: lacking.name.clone() }),
        None => Ok(()),
    }
}

/// What activates the tenants that are to be inactive; `None` if none is.
pub(super) fn activation(writer: &Writer, collection: &Collection) -> Option<Arc<Activation>> {
    let (inactive, target) = (collection.tenants.inactive(), collection.planned.target.clone());
    (!inactive.is_empty()).then(|| Arc::new(Activation::new(writer.clone(), target, Some(inactive), None)))
}

/// Counts the objects of the tenants that are active, and of those that are inactive if they are to be activated for it.
pub(super) async fn count(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
    inactive_too: bool,
) -> Result<Count, Error> {
    let there = session.unless_stopped(writer.client().tenants(&collection.planned.target)).await?;
    let there: BTreeSet<TenantName> = there.into_iter().map(|tenant| tenant.name).collect();
    // One that somebody removed has no objects any more.
    let of = |state| collection.tenants.of(&state).into_iter().filter(|name| there.contains(name)).collect::<Vec<_>>();
    let active = of(TenantState::Hot);
    let active =
        sum(session.unless_stopped(writer.client().tenant_counts(&collection.planned.target, &active)).await?);
    if !inactive_too || active.exact().is_none() {
        return Ok(active);
    }
    Ok(sum(vec![active, count_inactive(writer, session, collection, &of(TenantState::Cold)).await?]))
}

/// Counts the objects of the tenants that are inactive, a few of them at a time.
async fn count_inactive(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
    inactive: &[TenantName],
) -> Result<Count, Error> {
    let Some(activation) = activation(writer, collection) else { return Ok(Count::Exact(0)) };
    let target = &collection.planned.target;
    let counting = async {
        let mut all = Vec::new();
        for tenants in inactive.chunks(TENANTS_A_WINDOW) {
            let counts = async { Ok::<_, Error>(writer.client().tenant_counts(target, tenants).await?) };
            all.push(sum(activation.with(tenants, counts).await?));
        }
        Ok::<_, Error>(sum(all))
    };
    let counted = session.unless_stopped(counting).await;
    // However it ended. Who stays active is told when the states are looked at in the end.
    activation::deactivate(session, target, &activation, None).await;
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
    let there = session.unless_stopped(writer.client().tenants(&collection.planned.target)).await?;
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

/// Puts the tenants into the states they had. A class that activates them by itself has them active after every reading and
/// writing. What could not be put right.
pub(super) async fn settle(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
) -> Result<Vec<RestoreRemark>, Error> {
    if collection.tenants.made.is_empty() {
        return Ok(Vec::new());
    }
    let target = &collection.planned.target;
    let mut left = wrong(writer, session, collection).await?;
    let mut said = activation::NOT_DONE.to_owned();
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
    let state = left
        .state
        .first()
        .map(|first| RestoreRemark::TenantsOtherwise { tenants: left.state.len() as u64, first: first.name.clone() });
    let gone = left
        .gone
        .first()
        .map(|first| RestoreRemark::TenantsRemoved { tenants: left.gone.len() as u64, first: first.clone() });
    Ok(state.into_iter().chain(gone).collect())
}
