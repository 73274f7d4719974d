//! The tenants of a collection in the archive and on the server: which are compared, which are missing, and which are inactive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{CompareOptions, Pair};
use crate::event::{ComparisonRemark, Op};
use crate::model::{TenantName, number_and_first};
use crate::ops::activation::{Activating, LeftActive};
use crate::ops::{Error, ReadAccess, WriteAccess};
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
    /// What activates them, if any has to be.
    pub(super) activating: Option<Activating>,
}

/// Looks who is there. Activates nobody.
pub(super) async fn face(
    access: ReadAccess<'_>,
    writer: Option<&Writer>,
    pair: &Pair,
    options: &CompareOptions,
) -> Result<Facing, Error> {
    let mut listed = access.ask(access.client.tenants(&pair.target)).await?;
    let left = LeftActive::find(access, &options.books, &pair.target, &mut listed).await?;
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
    let moved = number_and_first(moved).filter(|_| options.states);
    facing.remarks.extend(moved.map(|(tenants, first)| ComparisonRemark::TenantsInOtherStates { tenants, first }));
    if !facing.tenants.absent.is_empty() {
        // No comparison fails for want of the answer.
        let rights = access.ask(access.client.rights()).await.unwrap_or_default();
        if rights.is_some_and(|rights| !rights.show_tenants(&pair.target)) {
            facing.tenants.unseen = std::mem::take(&mut facing.tenants.absent);
        }
        facing.differ = true;
    }
    let absent = number_and_first(&facing.tenants.absent);
    facing.remarks.extend(absent.map(|(tenants, first)| ComparisonRemark::TenantsMissing { tenants, first }));
    facing.known = listed.iter().map(|tenant| tenant.name.clone()).chain(pair.left_out()).collect();
    if pair.tenants.is_same() {
        strangers(access, pair, &listed, &archived, &mut facing).await?;
    }
    facing.active = Some(active);
    // A sample is not counted.
    facing.tenants.inactive_uncounted.store(options.sample.is_some(), Ordering::SeqCst);
    if !(inactive.is_empty() && left.is_empty()) {
        // From now on tenants are activated.
        let (path, run_id) = pair.source();
        let about = (Op::Verify, path, run_id);
        let Some(writer) = writer else { return Err(Error::NoRunFolder { collection: pair.target.clone() }) };
        let writing = WriteAccess { writer, reading: access };
        let activating = options.books.activating(writing, about, &pair.target, Some(Arc::new(inactive))).await?;
        facing.tenants.activation = Some(Arc::clone(&activating.activation));
        left.put_right(access.session, facing.activating.insert(activating)).await?;
    }
    Ok(facing)
}

impl Facing {
    /// Says which tenants came and went since the first look.
    pub(super) fn see(&mut self, listed: Vec<Tenant>, pair_is_same: bool) {
        let now: BTreeSet<TenantName> = listed.into_iter().map(|tenant| tenant.name).collect();
        let came = number_and_first(now.difference(&self.known).filter(|_| pair_is_same))
            .map(|(tenants, first)| ComparisonRemark::TenantsCame { tenants, first });
        let went = number_and_first(self.compared.difference(&now))
            .map(|(tenants, first)| ComparisonRemark::TenantsWent { tenants, first });
        self.differ |= came.is_some() || went.is_some();
        self.remarks.extend(came.into_iter().chain(went));
    }
}

/// Tenants of the server that the archive does not hold. Those it names as skipped are no difference.
async fn strangers(
    access: ReadAccess<'_>,
    pair: &Pair,
    listed: &[Tenant],
    archived: &BTreeMap<TenantName, Option<TenantState>>,
    facing: &mut Facing,
) -> Result<(), Error> {
    let skipped: BTreeSet<TenantName> = pair.left_out().collect();
    let strange = listed.iter().filter(|tenant| !archived.contains_key(&tenant.name));
    let (known, strange): (Vec<&Tenant>, Vec<&Tenant>) = strange.partition(|tenant| skipped.contains(&tenant.name));
    let known = number_and_first(known.iter().map(|tenant| &tenant.name));
    facing.remarks.extend(known.map(|(tenants, first)| ComparisonRemark::TenantsNotArchived { tenants, first }));
    let first = number_and_first(strange.iter().map(|tenant| &tenant.name));
    let Some((tenants, first)) = first else { return Ok(()) };
    let active: Vec<TenantName> =
        strange.iter().filter(|t| t.state == TenantState::Hot).map(|t| t.name.clone()).collect();
    let counts = access.ask(access.client.tenant_counts(&pair.target, &active)).await?;
    let counted: Option<u64> = counts.iter().map(Count::exact).sum();
    let objects = counted.filter(|_| active.len() == strange.len());
    facing.remarks.push(ComparisonRemark::TenantsUnknown { tenants, first, objects });
    facing.differ = true;
    Ok(())
}
