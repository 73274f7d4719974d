//! The tenants of a restore: which of the archive's come back and under which names, made before the objects, and in the
//! state they had in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Collection, Refusal};
use crate::archive::Archive;
use crate::event::Warning;
use crate::model::{Schema, TenantMap, TenantName};
use crate::ops::schema::place::take;
use crate::ops::{Error, Session, blocking};
use crate::pipeline::waking::Waking;
use crate::pipeline::windows::Windows;
use crate::weaviate::{Count, Tenant, TenantState, Writer};

/// Tenants created, or put into their states, in one request.
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
}

impl Tenants {
    pub(super) fn asleep(&self) -> usize {
        self.made.iter().filter(|tenant| tenant.state == TenantState::Cold).count()
    }

    /// Tenants that are awake whenever they are asked.
    fn awake(&self) -> Vec<TenantName> {
        self.made.iter().filter(|tenant| tenant.state == TenantState::Hot).map(|tenant| tenant.name.clone()).collect()
    }

    /// What is to be known about them, each as a clause.
    pub(super) fn remarks(&self, map: &TenantMap) -> Vec<String> {
        let mut remarks = Vec::new();
        if let TenantMap::IntoTenant(tenant) = map {
            remarks.push(format!("it becomes the tenant {tenant}"));
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
    let reading = Arc::clone(archive);
    let listed = blocking("tenants", move || {
        reading.document(&format!("collections/{}/tenants.json", reading.collections()[at].folder))
    })
    .await?;
    let listed: Vec<Tenant> = listed.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let states: BTreeMap<&TenantName, &TenantState> = listed.iter().map(|t| (&t.name, &t.state)).collect();
    let mut tenants = Tenants::default();
    let mut held = BTreeSet::new();
    for entry in &archive.collections()[at].tenants {
        let archived: Option<TenantName> = entry.tenant.as_ref().and_then(|name| name.parse().ok());
        let Some(target) = map.target(archived.as_ref()) else { continue };
        tenants.objects += entry.objects;
        tenants.bytes += entry.bytes;
        if let Some(name) = target {
            let asleep = archived.as_ref().is_some_and(|name| states.get(name) == Some(&&TenantState::Cold));
            let state = if asleep { TenantState::Cold } else { TenantState::Hot };
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

/// Whether tenants may be added to a collection that exists, and what stands against it.
pub(super) async fn joins(
    client: &crate::weaviate::Client,
    archived: &Schema,
    live: &Schema,
    tenants: &Tenants,
    differs: Vec<String>,
) -> Result<Vec<Refusal>, Error> {
    let collection = archived.name.clone();
    if !differs.is_empty() {
        return Ok(vec![Refusal::DoesNotFit { collection, there: live.name.clone(), differs }]);
    }
    let there: BTreeSet<TenantName> = client.tenants(&live.name).await?.into_iter().map(|t| t.name).collect();
    let taken = tenants.made.iter().filter(|tenant| there.contains(&tenant.name));
    let refusal = |tenant: &Tenant| Refusal::TenantExists {
        collection: collection.clone(),
        there: live.name.clone(),
        tenant: tenant.name.clone(),
    };
    Ok(taken.map(refusal).collect())
}

/// Makes the tenants: those that are to sleep asleep, so that never all are awake.
pub(super) async fn make(writer: &Writer, session: &Session, collection: &Collection) -> Result<(), Error> {
    let target = &collection.planned.target;
    let all = collection.tenants.made.len();
    for (number, chunk) in collection.tenants.made.chunks(TENANTS_A_REQUEST).enumerate() {
        if session.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let (collection, created) = (target.clone(), number * TENANTS_A_REQUEST);
        let not_all = |source| Error::TenantsNotCreated { collection, created, all, source };
        writer.create_tenants(target, chunk).await.map_err(not_all)?;
    }
    let there: BTreeSet<Tenant> = writer.tenants(target).await?.into_iter().collect();
    match collection.tenants.made.iter().find(|tenant| !there.contains(tenant)) {
        Some(lacking) => Err(Error::TenantLacks { collection: target.clone(), tenant: lacking.name.clone() }),
        None => Ok(()),
    }
}

/// What wakes the tenants that sleep while their objects are written; `None` if none does.
pub(super) fn windows(writer: &Writer, collection: &Collection) -> Option<Arc<Windows>> {
    let asleep = collection.tenants.made.iter().filter(|tenant| tenant.state == TenantState::Cold);
    let sleepers: BTreeSet<TenantName> = asleep.map(|tenant| tenant.name.clone()).collect();
    let target = collection.planned.target.clone();
    (!sleepers.is_empty()).then(|| Arc::new(Windows::new(Waking::new(writer.clone(), target, Some(sleepers), None))))
}

/// Counts the objects of the tenants that are awake. Nobody is woken for it.
pub(super) async fn count(writer: &Writer, session: &Session, collection: &Collection) -> Result<Count, Error> {
    let awake = collection.tenants.awake();
    let counts = session.unless_stopped(writer.tenant_counts(&collection.planned.target, &awake)).await?;
    let mut all = 0;
    for count in counts {
        match count {
            Count::Exact(objects) => all += objects,
            unknown @ Count::Unknown { .. } => return Ok(unknown),
        }
    }
    Ok(Count::Exact(all))
}

/// Puts the tenants into the states they had. A class that wakes them by itself has them awake after every reading and
/// writing. What could not be put right, as a clause.
pub(super) async fn settle(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
) -> Result<Option<String>, Error> {
    if collection.tenants.made.is_empty() {
        return Ok(None);
    }
    let target = &collection.planned.target;
    let wrong = async || {
        let there = session.unless_stopped(writer.tenants(target)).await?;
        let there: BTreeMap<TenantName, TenantState> = there.into_iter().map(|t| (t.name, t.state)).collect();
        let differs = |tenant: &&Tenant| there.get(&tenant.name) != Some(&tenant.state);
        Ok::<_, Error>(collection.tenants.made.iter().filter(differs).cloned().collect::<Vec<Tenant>>())
    };
    let mut left = wrong().await?;
    for chunk in left.chunks(TENANTS_A_REQUEST) {
        if let Err(error) = session.unless_stopped(writer.set_tenant_states(target, chunk)).await {
            tracing::warn!(%target, %error, "tenants cannot be put into their states");
        }
    }
    if !left.is_empty() {
        left = wrong().await?;
    }
    let Some(first) = left.first() else { return Ok(None) };
    let (tenants, are) = plural(left.len());
    if first.state == TenantState::Cold {
        let (collection, tenants, first) = (target.clone(), left.len() as u64, first.name.clone());
        let reason = "the server did not do it".to_owned();
        session.events.warn(Warning::TenantsStayAwake { collection, tenants, first, reason });
    }
    Ok(Some(format!("{tenants} {are} not in the state of the archive ({} first)", first.name)))
}
