//! The tenants of a collection in the archive and on the server: which are compared, which are missing, and which are inactive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{CompareOptions, Pair};
use crate::event::{ComparisonRemark, Op};
use crate::model::TenantName;
use crate::ops::activation::{self, ActivationBooks, Journalled, LeftActive};
use crate::ops::{Error, Session};
use crate::pipeline::activation::Activation;
use crate::pipeline::compare::Tenants;
use crate::weaviate::{Count, Tenant, TenantState, Writer};

/// What is known of the tenants before they are compared.
#[derive(Default)]
pub(super) struct Facing {
    /// For the stage.
    pub(super) tenants: Tenants,
    /// Those that can be counted, as nobody has to be activated for it; `None` for a plain collection.
    pub(super) active: Option<Vec<TenantName>>,
    /// Tenants that are to be compared and are there.
    pub(super) compared: BTreeSet<TenantName>,
    /// What is to be known.
    pub(super) remarks: Vec<ComparisonRemark>,
    /// The server has other tenants than the archive.
    pub(super) differ: bool,
    /// All that the server has, and that the archive says it left out.
    known: BTreeSet<TenantName>,
    /// Held as long as tenants may be activated.
    pub(super) journalled: Option<Journalled>,
}

/// Looks who is there. Activates nobody.
pub(super) async fn face(
    client: &Writer,
    session: &Session,
    pair: &Pair,
    options: &CompareOptions,
) -> Result<Facing, Error> {
    let mut listed = session.unless_stopped(client.client().tenants(&pair.target)).await?;
    let left = LeftActive::find(client.client(), session, &options.books, &pair.target, &mut listed).await?;
    let mut facing = Facing::default();
    let archived = pair.archived_tenants().await?;
    let live: BTreeMap<&TenantName, &TenantState> = listed.iter().map(|tenant| (&tenant.name, &tenant.state)).collect();
    let (mut inactive, mut active, mut moved) = (BTreeSet::new(), Vec::new(), Vec::new());
    for (name, then) in &archived {
        let now = live.get(name).copied();
        match now {
            None => drop(facing.tenants.absent.insert(name.clone())),
            Some(TenantState::Hot) => active.push(name.clone()),
            Some(TenantState::Cold) => drop(inactive.insert(name.clone())),
            Some(_) => drop(facing.tenants.out_of_reach.insert(name.clone())),
        }
        if now.is_some() {
            facing.compared.insert(name.clone());
        }
        let reached = matches!(now, Some(TenantState::Hot | TenantState::Cold));
        if reached && then.is_some() && then.as_ref() != now {
            moved.push(name);
        }
    }
    if let Some(first) = moved.first().filter(|_| options.states) {
        let (tenants, first) = (moved.len() as u64, (*first).clone());
        facing.remarks.push(ComparisonRemark::TenantsInOtherStates { tenants, first });
    }
    if !facing.tenants.absent.is_empty() {
        // No comparison fails for want of the answer.
        let rights = session.unless_stopped(client.client().rights()).await.unwrap_or_default();
        if rights.is_some_and(|rights| !rights.show_tenants(&pair.target)) {
            facing.tenants.unseen = std::mem::take(&mut facing.tenants.absent);
        }
        facing.differ = true;
    }
    if let Some(first) = facing.tenants.absent.first() {
        let (tenants, first) = (facing.tenants.absent.len() as u64, first.clone());
        facing.remarks.push(ComparisonRemark::TenantsMissing { tenants, first });
    }
    facing.known = listed.iter().map(|tenant| tenant.name.clone()).chain(pair.left_out()).collect();
    if pair.tenants.is_same() {
        strangers(client, session, pair, &listed, &archived, &mut facing).await?;
    }
    facing.active = Some(active);
    // A sample is not counted.
    facing.tenants.inactive_uncounted.store(options.sample.is_some(), Ordering::SeqCst);
    if !(inactive.is_empty() && left.is_empty()) {
        let activation = facing.activation(client, session, pair, options, inactive).await?;
        left.put_right(session, &pair.target, &activation).await?;
    }
    Ok(facing)
}

impl Facing {
    /// Has tenants activated from now on, with a lock and a journal where they are needed.
    async fn activation(
        &mut self,
        client: &Writer,
        session: &Session,
        pair: &Pair,
        options: &CompareOptions,
        inactive: BTreeSet<TenantName>,
    ) -> Result<Arc<Activation>, Error> {
        let targets = match &options.books {
            ActivationBooks::In(state, _) => Some((state, vec![pair.target.clone()])),
            ActivationBooks::Locked(state, _) => Some((state, Vec::new())),
            ActivationBooks::NotNeeded => None,
            ActivationBooks::Nowhere => return Err(Error::NoRunFolder { collection: pair.target.clone() }),
        };
        if let Some((state, targets)) = targets {
            let (archive, run_id) = pair.source();
            let about = activation::about(Op::Verify, session, client.client().url(), archive, run_id);
            self.journalled = Some(activation::begin(client.client(), session, state, targets, about).await?);
        }
        let journal = self.journalled.as_ref().map(|journalled| journalled.journal.clone());
        let inactive = Some(Arc::new(inactive));
        let activation = Arc::new(Activation::new(client.clone(), pair.target.clone(), inactive, journal));
        self.tenants.activation = Some(Arc::clone(&activation));
        Ok(activation)
    }

    /// Says which tenants came and went since the first look.
    pub(super) fn see(&mut self, listed: Vec<Tenant>, pair_is_same: bool) {
        let now: BTreeSet<TenantName> = listed.into_iter().map(|tenant| tenant.name).collect();
        let came: Vec<&TenantName> = now.difference(&self.known).filter(|_| pair_is_same).collect();
        let went: Vec<&TenantName> = self.compared.difference(&now).collect();
        let came = some(&came).map(|(tenants, first)| ComparisonRemark::TenantsCame { tenants, first });
        let went = some(&went).map(|(tenants, first)| ComparisonRemark::TenantsWent { tenants, first });
        self.differ |= came.is_some() || went.is_some();
        self.remarks.extend(came.into_iter().chain(went));
    }
}

/// How many there are, and the first; `None` if there are none.
fn some(names: &[&TenantName]) -> Option<(u64, TenantName)> {
    names.first().map(|first| (names.len() as u64, (*first).clone()))
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
    let skipped: BTreeSet<TenantName> = pair.left_out().collect();
    let strange = listed.iter().filter(|tenant| !archived.contains_key(&tenant.name));
    let (known, strange): (Vec<&Tenant>, Vec<&Tenant>) = strange.partition(|tenant| skipped.contains(&tenant.name));
    if let Some(first) = known.first() {
        let (tenants, first) = (known.len() as u64, first.name.clone());
        facing.remarks.push(ComparisonRemark::TenantsNotArchived { tenants, first });
    }
    let Some(first) = strange.first() else { return Ok(()) };
    let active: Vec<TenantName> =
        strange.iter().filter(|t| t.state == TenantState::Hot).map(|t| t.name.clone()).collect();
    let counts = session.unless_stopped(client.client().tenant_counts(&pair.target, &active)).await?;
    let counted: Option<u64> = counts.iter().map(Count::exact).sum();
    let objects = counted.filter(|_| active.len() == strange.len());
    let (tenants, first) = (strange.len() as u64, first.name.clone());
    facing.remarks.push(ComparisonRemark::TenantsUnknown { tenants, first, objects });
    facing.differ = true;
    Ok(())
}
