//! The first objects of a few tenants, by which a multi-tenant collection is known again. Its shards are named as its tenants,
//! so that they tell nothing of one that was removed and made anew in between. Sends reading requests only.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Error, Session};
use crate::model::{CollectionName, ObjectId, TenantName};
use crate::weaviate::{Client, Count, Tenant, TenantState};

/// Tenants of a whole collection whose first objects are kept, at least if as many have one.
const KEPT: usize = 4;
/// Tenants of a whole collection that are asked for theirs at most: some may be too large to be looked at.
const ASKED: usize = 32;
/// Tenants named by somebody whose first objects are kept at most.
const NAMED_KEPT: usize = 1_000;
/// Tenants that are asked at once.
const ASKED_AT_ONCE: usize = 8;

/// First objects, each with the time of its creation (the server's clock, in ms since 1970): an update leaves both as they
/// are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Firsts(BTreeMap<TenantName, First>);

type First = (ObjectId, i64);

/// What became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Became {
    /// Each is what it was, as far as it can be asked for.
    Same,
    /// Those of some tenants alone are others; the first of these tenants.
    Differ(TenantName),
    /// All of them are others; the first of the tenants.
    Others(TenantName),
}

impl Firsts {
    /// Those of a whole collection: of a few of its tenants that are active, by their counts.
    pub(super) async fn of_whole(
        client: &Client,
        session: &Session,
        name: &CollectionName,
        counts: &[(TenantName, Count)],
    ) -> Result<Self, Error> {
        let filled = counts.iter().filter(|(_, count)| *count != Count::Exact(0)).take(ASKED);
        let names: Vec<&TenantName> = filled.map(|(tenant, _)| tenant).collect();
        let mut kept = BTreeMap::new();
        for few in names.chunks(KEPT) {
            let found = ask(client, session, name, few).await?;
            kept.extend(found.into_iter().filter_map(|(tenant, first)| Some((tenant, first?))));
            if kept.len() >= KEPT {
                break;
            }
        }
        Ok(Self(kept))
    }

    /// Those of tenants that somebody named, as far as they are active.
    pub(super) async fn of_named(
        client: &Client,
        session: &Session,
        name: &CollectionName,
        tenants: &[Tenant],
    ) -> Result<Self, Error> {
        let active = tenants.iter().filter(|tenant| tenant.state == TenantState::Hot).take(NAMED_KEPT);
        let names: Vec<&TenantName> = active.map(|tenant| &tenant.name).collect();
        let found = ask(client, session, name, &names).await?;
        Ok(Self(found.into_iter().filter_map(|(tenant, first)| Some((tenant, first?))).collect()))
    }

    /// Looks at them again: at those of `tenants` that are active. A tenant that is not is left asleep, and what cannot be
    /// asked proves nothing.
    pub(super) async fn became(
        &self,
        client: &Client,
        session: &Session,
        name: &CollectionName,
        tenants: &[Tenant],
    ) -> Result<Became, Error> {
        let active = tenants.iter().filter(|tenant| tenant.state == TenantState::Hot);
        let known: Vec<&TenantName> =
            active.map(|tenant| &tenant.name).filter(|tenant| self.0.contains_key(*tenant)).collect();
        let now = ask(client, session, name, &known).await?;
        let others = || now.iter().filter(|(tenant, first)| self.0.get(*tenant) != first.as_ref());
        Ok(match others().next() {
            None => Became::Same,
            Some((tenant, _)) if others().count() == now.len() => Became::Others(tenant.clone()),
            Some((tenant, _)) => Became::Differ(tenant.clone()),
        })
    }
}

/// The first object of each of these tenants that can be asked for it; `None` where there is none.
async fn ask(
    client: &Client,
    session: &Session,
    name: &CollectionName,
    tenants: &[&TenantName],
) -> Result<BTreeMap<TenantName, Option<First>>, Error> {
    let one = async |tenant: &TenantName| {
        let asked = async { Ok::<_, Error>(client.first_object(name, tenant).await) };
        Ok::<_, Error>(match session.unless_stopped(asked).await? {
            Ok(first) => Some((tenant.clone(), first.map(|first| (first.id, first.created_ms)))),
            Err(error) => {
                tracing::debug!(collection = %name, %tenant, %error, "its first object cannot be asked for");
                None
            }
        })
    };
    let asked = stream::iter(tenants.iter().copied().map(one)).buffered(ASKED_AT_ONCE);
    let found: Vec<_> = asked.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}
