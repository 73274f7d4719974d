//! The tenants of a collection in the archive and on the server: which are compared, which are missing, and which sleep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::collection::{CompareOptions, Pair};
use super::remarks::{objects, tenants};
use crate::archive::RunAbout;
use crate::event::{Op, Warning};
use crate::model::TenantName;
use crate::ops::waking::{self, Journalled, WakeBooks};
use crate::ops::{Error, Session, blocking};
use crate::pipeline::compare::Tenants;
use crate::pipeline::waking::Waking;
use crate::weaviate::{Count, Tenant, TenantState, Writer};

/// What is known of the tenants before they are compared.
#[derive(Default)]
pub(super) struct Facing {
    /// For the stage.
    pub(super) tenants: Tenants,
    /// Those that can be counted, as nobody has to be woken for it; `None` for a plain collection.
    pub(super) awake: Option<Vec<TenantName>>,
    /// Tenants that are to be compared and are there.
    pub(super) compared: u64,
    /// What is to be known, each as a clause.
    pub(super) remarks: Vec<String>,
    /// The server has other tenants than the archive.
    pub(super) differ: bool,
    /// Held as long as tenants may be woken.
    journalled: Option<Journalled>,
}

/// Looks who is there. Wakes nobody.
pub(super) async fn face(
    client: &Writer,
    session: &Session,
    pair: &Pair,
    options: &CompareOptions,
) -> Result<Facing, Error> {
    let mut listed = session.unless_stopped(client.tenants(&pair.target)).await?;
    if let WakeBooks::In(state) | WakeBooks::Locked(state) = &options.books {
        let left = waking::left_awake(session, &state.runs, client.url()).await?.remove(&pair.target);
        asleep_again(session, pair, &mut listed, &left.unwrap_or_default());
    }
    let mut facing = Facing::default();
    let archived = archived(pair).await?;
    let live: BTreeMap<&TenantName, &TenantState> = listed.iter().map(|tenant| (&tenant.name, &tenant.state)).collect();
    let (mut sleepers, mut awake, mut moved) = (BTreeSet::new(), Vec::new(), Vec::new());
    for (name, state) in &archived {
        match live.get(name) {
            None => drop(facing.tenants.absent.insert(name.clone())),
            Some(TenantState::Hot) => awake.push(name.clone()),
            Some(TenantState::Cold) => drop(sleepers.insert(name.clone())),
            Some(_) => drop(facing.tenants.out_of_reach.insert(name.clone())),
        }
        if let (Some(then), Some(now)) = (state, live.get(name))
            && then != *now
        {
            moved.push(name);
        }
    }
    facing.compared = (archived.len() - facing.tenants.absent.len()) as u64;
    if options.states
        && let Some(first) = moved.first()
    {
        let moved = tenants(moved.len());
        facing.remarks.push(format!("{moved} in another state than in the archive ({first} first)"));
    }
    if let Some(first) = facing.tenants.absent.first() {
        let absent = tenants(facing.tenants.absent.len());
        facing.remarks.push(format!("the server lacks {absent} of the archive ({first} first)"));
        facing.differ = true;
    }
    if pair.tenants.is_same() {
        strangers(client, session, pair, &listed, &archived, &mut facing).await?;
    }
    facing.awake = Some(awake);
    if !sleepers.is_empty() {
        let journalled = match &options.books {
            WakeBooks::In(state) | WakeBooks::Locked(state) => {
                let is_locked = matches!(options.books, WakeBooks::Locked(_));
                let targets = if is_locked { Vec::new() } else { vec![pair.target.clone()] };
                Some(waking::begin(session, state, client.url(), targets, about(client, session, pair)).await?)
            }
            WakeBooks::NotNeeded => None,
            WakeBooks::Nowhere => return Err(Error::NoRunFolder { collection: pair.target.clone() }),
        };
        let journal = journalled.as_ref().map(|journalled| Arc::clone(&journalled.journal));
        let waking = Waking::new(client.clone(), pair.target.clone(), Some(sleepers), journal);
        (facing.tenants.waking, facing.journalled) = (Some(Arc::new(waking)), journalled);
    }
    Ok(facing)
}

/// The tenants of the archive that are chosen, by their names on the server, with their states where these are known.
async fn archived(pair: &Pair) -> Result<BTreeMap<TenantName, Option<TenantState>>, Error> {
    let (archive, at) = (Arc::clone(&pair.archive), pair.at);
    let states = blocking("tenants", move || {
        let path = format!("collections/{}/tenants.json", archive.collections()[at].folder);
        archive.document(&path)
    })
    .await?;
    let states: Vec<Tenant> = states.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let states: BTreeMap<TenantName, TenantState> = states.into_iter().map(|t| (t.name, t.state)).collect();
    let entry = &pair.archive.collections()[pair.at];
    let chosen = entry.tenants.iter().filter_map(|tenant| {
        let name: Option<TenantName> = tenant.tenant.as_ref().and_then(|name| name.parse().ok());
        let target = pair.tenants.target(name.as_ref())??;
        Some((target, name.and_then(|name| states.get(&name).cloned())))
    });
    Ok(chosen.collect())
}

/// Tenants that a killed run left awake count as asleep, and are put back by this one.
fn asleep_again(session: &Session, pair: &Pair, listed: &mut [Tenant], left: &BTreeSet<TenantName>) {
    let mut awake = Vec::new();
    for tenant in listed.iter_mut().filter(|t| t.state == TenantState::Hot && left.contains(&t.name)) {
        tenant.state = TenantState::Cold;
        awake.push(tenant.name.clone());
    }
    if let Some(first) = awake.first().cloned() {
        let (collection, tenants) = (pair.target.clone(), awake.len() as u64);
        session.events.warn(Warning::TenantsLeftAwake { collection, tenants, first });
    }
}

/// Tenants of the server that the archive does not hold. Those it names as skipped are no difference.
async fn strangers(
    client: &Writer,
    session: &Session,
    pair: &Pair,
    listed: &[Tenant],
    archived: &BTreeMap<TenantName, Option<TenantState>>,
    facing: &mut Facing,
) -> Result<(), Error> {
    let entry = &pair.archive.collections()[pair.at];
    let skipped: BTreeSet<&str> = pair
        .archive
        .manifest()
        .skipped
        .iter()
        .filter_map(|skipped| skipped.tenant.as_deref().filter(|_| skipped.collection == entry.name))
        .collect();
    let strange = listed.iter().filter(|tenant| !archived.contains_key(&tenant.name));
    let (known, strange): (Vec<&Tenant>, Vec<&Tenant>) =
        strange.partition(|tenant| skipped.contains(tenant.name.as_str()));
    if let Some(first) = known.first() {
        let known = tenants(known.len());
        facing.remarks.push(format!("not compared, as the archive does not hold them: {known} ({} first)", first.name));
    }
    let Some(first) = strange.first() else { return Ok(()) };
    let awake: Vec<TenantName> =
        strange.iter().filter(|t| t.state == TenantState::Hot).map(|t| t.name.clone()).collect();
    let counts = session.unless_stopped(client.tenant_counts(&pair.target, &awake)).await?;
    let counted: Option<u64> = counts.iter().map(Count::exact).sum();
    let holding = match counted.filter(|_| awake.len() == strange.len()) {
        Some(counted) => format!(", {}", objects(counted)),
        None => String::new(),
    };
    let strange = tenants(strange.len());
    facing
        .remarks
        .push(format!("the server has {strange} that the archive does not hold ({} first{holding})", first.name));
    facing.differ = true;
    Ok(())
}

fn about(client: &Writer, session: &Session, pair: &Pair) -> RunAbout {
    RunAbout {
        op: Op::Verify,
        tool: RunAbout::this_tool(),
        run_id: uuid::Uuid::now_v7(),
        started: session.clock.now(),
        server_url: client.url().to_owned(),
        server_version: String::new(),
        archive: pair.archive.path().display().to_string(),
        archive_run_id: pair.archive.manifest().run_id.clone(),
        options: serde_json::Map::new(),
    }
}
