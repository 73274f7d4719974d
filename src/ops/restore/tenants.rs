//! The tenants of a restore: which of the archive's come back and under which names, made before the objects, and in the
//! state they had in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Collection, RestoreRefusal};
use crate::archive::Archive;
use crate::event::{RestoreRemark, Warning};
use crate::model::{CollectionName, Schema, TenantMap, TenantName, number_and_first};
use crate::ops::activation::{Activating, NOT_DONE};
use crate::ops::schema::place::take;
use crate::ops::schema::{WrongTenants, create_tenants, wrong_tenants};
use crate::ops::{Error, WriteAccess, prove};
use crate::pipeline::activation::TENANTS_A_WINDOW;
use crate::weaviate::{Count, Rights, Tenant, TenantState, Writer};

/// Tenants put into their states in one request.
const TENANTS_A_REQUEST: usize = 100;

/// The tenants of one collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ChosenTenants {
    /// Those that are made, by their names on the server, in the state they are to have in the end: active or inactive.
    pub(super) made: Vec<Tenant>,
    /// Those of a merge that are there already, in the state that they have there.
    pub(super) there: Vec<Tenant>,
    /// Objects of all of them, and their plain bytes.
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// Tenants that the archive names and does not hold.
    pub(super) left_out: Vec<TenantName>,
    /// Tenants that come back inactive, as the state that the archive gives is none to make one in: the archive's words.
    pub(super) restated: Vec<(TenantName, TenantState)>,
}

impl ChosenTenants {
    /// Those that are to be inactive whenever they are not needed.
    pub(super) fn inactive(&self) -> Arc<BTreeSet<TenantName>> {
        Arc::new(self.of(&TenantState::Cold).into_iter().collect())
    }

    /// The same where some may be there already: these are not made.
    pub(super) fn beside(mut self, listed: &[Tenant]) -> Self {
        let live: BTreeMap<&TenantName, &Tenant> = listed.iter().map(|tenant| (&tenant.name, tenant)).collect();
        let (there, made): (Vec<Tenant>, Vec<Tenant>) =
            self.made.into_iter().partition(|tenant| live.contains_key(&tenant.name));
        self.there = there.iter().filter_map(|tenant| live.get(&tenant.name).map(|live| (*live).clone())).collect();
        self.restated.retain(|(name, _)| !live.contains_key(name));
        Self { made, ..self }
    }

    /// What stands against a merge into those that are there: none that is not active can be looked into.
    pub(super) fn out_of_reach(&self, collection: &CollectionName, there: &CollectionName) -> Option<RestoreRefusal> {
        let inactive = self.there.iter().filter(|tenant| !tenant.is_active());
        let (tenants, first) = number_and_first(inactive.map(|tenant| &tenant.name))?;
        let (collection, there) = (collection.clone(), there.clone());
        Some(RestoreRefusal::TenantsInactive { collection, there, tenants, first })
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
        Some(RestoreRefusal::MayNotActivate { collection: collection.clone(), tenants: denied.count() + 1, first })
    }

    /// The names on the server of those that are made.
    pub(super) fn names(&self) -> impl Iterator<Item = &TenantName> {
        self.made.iter().map(|tenant| &tenant.name)
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
        let left_out = number_and_first(&self.left_out);
        remarks.extend(left_out.map(|(tenants, first)| RestoreRemark::TenantsLeftOut { tenants, first }));
        remarks
    }
}

/// What of the tenants of a collection is chosen. For a collection that is plain and stays so there is nothing in it but
/// its objects.
pub(super) async fn chosen(archive: &Arc<Archive>, at: usize, map: &TenantMap) -> Result<ChosenTenants, Error> {
    let listed = prove::tenants(archive, at).await?;
    let states: BTreeMap<&TenantName, &TenantState> = listed.iter().map(|t| (&t.name, &t.state)).collect();
    let mut tenants = ChosenTenants::default();
    let mut held = BTreeSet::new();
    for entry in &archive.collections()[at].tenants {
        let archived: Option<TenantName> = entry.tenant.as_ref().and_then(|name| name.parse().ok());
        let Some(target) = map.target(archived.as_ref()) else { continue };
        tenants.objects += entry.objects;
        tenants.bytes += entry.bytes;
        if let Some(name) = target {
            let state =
                archived.as_ref().and_then(|name| states.get(name)).map_or(TenantState::Hot, |was| (*was).clone());
            let was = Tenant { name, state };
            tenants.made.push(was.as_created());
            tenants.restated.extend(Some(was).filter(|was| !was.can_be_created()).map(|was| (was.name, was.state)));
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

/// Makes the tenants: those that are to be inactive so from the start, so that never all are active. Of those that an earlier
/// run made, which this one resumes, whoever was left in another state is put back into its own.
pub(super) async fn make(access: WriteAccess<'_>, collection: &Collection) -> Result<(), Error> {
    let target = &collection.planned.target;
    if collection.mode.may_have_tenants(&collection.before) {
        let WrongTenants { state, gone } = wrong_tenants(access.reading, target, &collection.tenants.made).await?;
        create_tenants(access, target, &gone).await?;
        for chunk in state.chunks(TENANTS_A_REQUEST) {
            access.ask(access.writer.set_tenant_states(target, chunk)).await?;
        }
    } else {
        create_tenants(access, target, &collection.tenants.made).await?;
    }
    let there: BTreeSet<Tenant> = access.client.tenants(target).await?.into_iter().collect();
    match collection.tenants.made.iter().find(|tenant| !there.contains(tenant)) {
        Some(lacking) => Err(Error::TenantLacks { collection: target.clone(), tenant: lacking.name.clone() }),
        None => Ok(()),
    }
}

/// What activates the tenants that are to be inactive; `None` if none is.
pub(super) fn activating(writer: &Writer, collection: &Collection) -> Option<Activating> {
    let inactive = collection.tenants.inactive();
    (!inactive.is_empty()).then(|| Activating::own(writer, &collection.planned.target, Some(inactive)))
}

/// Counts the objects of the tenants that are active. `all`: also of those that are inactive, which are activated for it.
pub(super) async fn count(access: WriteAccess<'_>, collection: &Collection, all: bool) -> Result<Count, Error> {
    let there = access.ask(access.client.tenants(&collection.planned.target)).await?;
    let there: BTreeSet<TenantName> = there.into_iter().map(|tenant| tenant.name).collect();
    // One that somebody removed has no objects any more.
    let of = |state| collection.tenants.of(&state).into_iter().filter(|name| there.contains(name)).collect::<Vec<_>>();
    let active = of(TenantState::Hot);
    let active = access.ask(access.client.tenant_counts(&collection.planned.target, &active)).await?;
    let active: Count = active.into_iter().sum();
    if !all || active.exact().is_none() {
        return Ok(active);
    }
    Ok([active, count_inactive(access, collection, &of(TenantState::Cold)).await?].into_iter().sum())
}

/// Counts the objects of the tenants that are inactive, a few of them at a time.
async fn count_inactive(
    access: WriteAccess<'_>,
    collection: &Collection,
    inactive: &[TenantName],
) -> Result<Count, Error> {
    let Some(activating) = activating(access.writer, collection) else { return Ok(Count::Exact(0)) };
    let target = &collection.planned.target;
    let counting = async {
        let mut all = Vec::new();
        for tenants in inactive.chunks(TENANTS_A_WINDOW) {
            let counts = async { Ok::<_, Error>(access.client.tenant_counts(target, tenants).await?) };
            all.extend(activating.activation.with(tenants, counts).await?);
        }
        Ok::<_, Error>(all.into_iter().sum())
    };
    let counted = access.ask(counting).await;
    // However it ended. Who stays active is told when the states are looked at in the end.
    activating.deactivate(access.session).await;
    counted
}

/// Puts the tenants into the states they had. A class that activates them by itself has them active after every reading and
/// writing. What could not be put right.
pub(super) async fn settle(access: WriteAccess<'_>, collection: &Collection) -> Result<Vec<RestoreRemark>, Error> {
    if collection.tenants.made.is_empty() {
        return Ok(Vec::new());
    }
    let target = &collection.planned.target;
    let mut left = wrong_tenants(access.reading, target, &collection.tenants.made).await?;
    let mut said = NOT_DONE.to_owned();
    for chunk in left.state.chunks(TENANTS_A_REQUEST) {
        if let Err(error) = access.ask(access.writer.set_tenant_states(target, chunk)).await {
            said = error.to_string();
        }
    }
    if !left.state.is_empty() {
        left = wrong_tenants(access.reading, target, &collection.tenants.made).await?;
    }
    let inactive = left.state.iter().filter(|tenant| tenant.state == TenantState::Cold).map(|tenant| &tenant.name);
    if let Some((tenants, first)) = number_and_first(inactive) {
        let collection = target.clone();
        access.events.warn(Warning::TenantsStayActive { collection, tenants, first, reason: said, noted: false });
    }
    let state = number_and_first(left.state.iter().map(|tenant| &tenant.name));
    let state = state.map(|(tenants, first)| RestoreRemark::TenantsOtherwise { tenants, first });
    let gone = number_and_first(left.gone.iter().map(|tenant| &tenant.name));
    let gone = gone.map(|(tenants, first)| RestoreRemark::TenantsRemoved { tenants, first });
    Ok(state.into_iter().chain(gone).collect())
}
