//! The first objects of a few tenants, by which a multi-tenant collection is known again. Its shards are named as its tenants,
//! so that they tell nothing of one that was removed and recreated in between. Sends reading requests only.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, ReadAccess};
use crate::model::{CollectionName, ObjectId, TenantName};
use crate::weaviate::{Count, Error as WireError, Tenant};

/// Tenants of a whole collection whose first objects are kept, if as many have any.
const KEPT: usize = 4;
/// Tenants that somebody named, whose first objects are kept at most.
const NAMED_KEPT: usize = 100;
/// Objects of a tenant that are kept at most: writers update, delete and insert some of them.
const OBJECTS_KEPT: u32 = 16;

/// First objects of tenants, each with the time of its creation (the server's clock, in ms since 1970).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Firsts(BTreeMap<TenantName, BTreeSet<(ObjectId, i64)>>);

/// What became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Became {
    /// Each tenant has one that it had, as far as it can be asked.
    Same,
    /// Some tenants alone have others; the first of these tenants.
    Differ(TenantName),
    /// All of the tenants have others; the first of them.
    Others(TenantName),
}

impl Firsts {
    /// Those of a whole collection: of a few of its tenants that are active, by their counts.
    pub(super) async fn of_whole(
        access: ReadAccess<'_>,
        name: &CollectionName,
        counts: &[(TenantName, Count)],
    ) -> Result<Self, Error> {
        let filled = counts.iter().filter(|(_, count)| *count != Count::Exact(0)).take(KEPT);
        Self::kept(access, name, filled.map(|(tenant, _)| tenant)).await
    }

    /// Those of tenants that somebody named, as far as they are active.
    pub(super) async fn of_named(
        access: ReadAccess<'_>,
        name: &CollectionName,
        tenants: &[Tenant],
    ) -> Result<Self, Error> {
        let active = tenants.iter().filter(|tenant| tenant.is_active()).take(NAMED_KEPT);
        Self::kept(access, name, active.map(|tenant| &tenant.name)).await
    }

    async fn kept(
        access: ReadAccess<'_>,
        name: &CollectionName,
        tenants: impl Iterator<Item = &TenantName>,
    ) -> Result<Self, Error> {
        let mut kept = BTreeMap::new();
        for tenant in tenants {
            match ask(access, name, tenant).await {
                Ok(firsts) if firsts.is_empty() => {}
                Ok(firsts) => _ = kept.insert(tenant.clone(), firsts),
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Err(error) => not_told(name, tenant, &error),
            }
        }
        Ok(Self(kept))
    }

    /// Looks at them again, in those of `tenants` that are active; one that is not is left inactive. What the server refuses to
    /// tell proves nothing; that it does not answer is an error.
    pub(super) async fn became(
        &self,
        access: ReadAccess<'_>,
        name: &CollectionName,
        tenants: &[Tenant],
    ) -> Result<Became, Error> {
        let (mut same, mut others) = (0_usize, Vec::new());
        for (tenant, before) in &self.0 {
            let active = tenants.iter().any(|there| there.name == *tenant && there.is_active());
            if !active {
                continue;
            }
            match ask(access, name, tenant).await {
                Ok(now) if now.is_disjoint(before) => others.push(tenant.clone()),
                Ok(_) => same += 1,
                Err(error) if error.wire().is_some_and(WireError::is_no) => not_told(name, tenant, &error),
                Err(error) => return Err(error),
            }
        }
        Ok(match (others.into_iter().next(), same) {
            (None, _) => Became::Same,
            (Some(tenant), 0) => Became::Others(tenant),
            (Some(tenant), _) => Became::Differ(tenant),
        })
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether none of its tenants is among these.
    pub(super) fn are_gone_from(&self, tenants: &[Tenant]) -> bool {
        !self.0.keys().any(|name| tenants.iter().any(|tenant| tenant.name == *name))
    }
}

async fn ask(
    access: ReadAccess<'_>,
    name: &CollectionName,
    tenant: &TenantName,
) -> Result<BTreeSet<(ObjectId, i64)>, Error> {
    let firsts = access.ask(access.client.first_objects(name, tenant, None, OBJECTS_KEPT)).await?;
    Ok(firsts.into_iter().map(|first| (first.id, first.created_ms)).collect())
}

fn not_told(name: &CollectionName, tenant: &TenantName, error: &Error) {
    tracing::debug!(collection = %name, %tenant, %error, "its first objects cannot be asked for");
}
