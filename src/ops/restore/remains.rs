//! Whether what stands on the server is what an earlier run left there. A name proves nothing: the collection, or a tenant
//! of it, may have been removed and recreated by somebody else, or the URL may lead to another server by now. A plain
//! collection is known by the names of its shards, tenants by when their objects were created.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::tenants::ChosenTenants;
use crate::archive::RunHistory;
use crate::archive::runfiles::TargetHistory;
use crate::model::{CollectionName, KeyRange, Stamped, TenantMap, TenantName};
use crate::ops::bounds::ASKED_AT_ONCE;
use crate::ops::{Altered, Error, ReadAccess, live_collections};
use crate::weaviate::Tenant;

/// Objects looked at in one place.
const OBJECTS: u32 = 3;
/// How much earlier than the first answer says an object may have been created, in ms: one that is sent again after a
/// request without an answer keeps its time on some servers.
const BEFORE_MS: i64 = 10 * 60 * 1_000;
/// How much later than the last answer says, in ms: the requests that were on their way when the run was killed.
const IN_FLIGHT_MS: i64 = 2 * 60 * 1_000;

/// A collection that an earlier run made, or added tenants to.
pub(super) struct Remains<'a> {
    pub(super) access: ReadAccess<'a>,
    pub(super) target: &'a CollectionName,
    pub(super) multi_tenant: bool,
    pub(super) tenants: &'a ChosenTenants,
    pub(super) map: &'a TenantMap,
}

impl Remains<'_> {
    /// Why it cannot be what that run left, if so. What cannot be asked proves nothing.
    pub(super) async fn other(&self, run: &RunHistory) -> Result<Option<Altered>, Error> {
        let history = run.targets.get(self.target).filter(|history| history.is_there());
        let Some(history) = history else { return Ok(None) };
        if let Some(same) = self.has_its_shards(history).await? {
            return Ok((!same).then_some(Altered::OtherShards));
        }
        let stamps = history.imported.iter().filter_map(|run| run.stamped);
        // Once the run got to its end nothing is written any more, and others may have written.
        let Some(stamped) = stamps.reduce(Stamped::joined).filter(|_| !run.complete) else { return Ok(None) };
        let mut places = self.places(history);
        if self.multi_tenant {
            let live = self.access.ask(self.access.client.tenants(self.target)).await?;
            // Nobody is activated for a plan.
            let live = live.into_iter().filter(Tenant::is_active).map(|tenant| Some(tenant.name));
            let made: Vec<_> = self.tenants.made.iter().map(|tenant| Some(tenant.name.clone())).collect();
            places =
                live.filter(|t| made.contains(t)).map(|t| (t.clone(), places.remove(&t).unwrap_or_default())).collect();
        }
        let looks = places.iter().map(|(tenant, ranges)| async move {
            let own = self.access.ask(self.is_own(tenant.as_ref(), ranges, stamped)).await?;
            Ok::<_, Error>((!own).then_some(tenant))
        });
        let others: Vec<_> = stream::iter(looks).buffered(ASKED_AT_ONCE).try_collect().await?;
        Ok(others.into_iter().flatten().next().map(|tenant| match tenant {
            None => Altered::OtherObjects,
            Some(tenant) => Altered::OtherTenant { tenant: tenant.clone() },
        }))
    }

    /// Whether its shards are those that it was created with; `None` if that is not known.
    async fn has_its_shards(&self, history: &TargetHistory) -> Result<Option<bool>, Error> {
        if self.multi_tenant {
            return Ok(None);
        }
        live_collections::has_any_shard(self.access, self.target, &history.shards).await
    }

    /// The stretches of ids that hold something of that run, by the tenant's name on the server.
    fn places(&self, history: &TargetHistory) -> BTreeMap<Option<TenantName>, Vec<KeyRange>> {
        let mut places: BTreeMap<_, Vec<KeyRange>> = BTreeMap::new();
        for run in history.imported.iter().filter(|run| run.objects + run.stored > 0) {
            if let Some(tenant) = self.map.target(run.tenant.as_ref()) {
                places.entry(tenant).or_default().push(run.covers);
            }
        }
        places
    }

    /// Whether any object that is looked at was created by that run, or there is none.
    async fn is_own(
        &self,
        tenant: Option<&TenantName>,
        ranges: &[KeyRange],
        stamped: Stamped,
    ) -> Result<bool, crate::weaviate::Error> {
        let earliest = stamped.first_ms - BEFORE_MS;
        let mut nothing = true;
        for range in ranges.first().into_iter().chain(ranges.last()) {
            let found = self.access.client.times_behind(self.target, tenant, range.from, OBJECTS).await?;
            let mut found =
                found.into_iter().filter(|times| range.contains(times.id)).map(|times| times.created_ms).peekable();
            nothing &= found.peek().is_none();
            if found.any(|at| (earliest..=stamped.last_ms).contains(&at)) {
                return Ok(true);
            }
        }
        if !nothing {
            return Ok(false);
        }
        // Nothing of it was written down, or that is gone: what else is there may have been on its way.
        let latest = stamped.last_ms + IN_FLIGHT_MS;
        let found = self.access.client.times_behind(self.target, tenant, None, OBJECTS).await?;
        Ok(found.is_empty() || found.iter().any(|times| (earliest..=latest).contains(&times.created_ms)))
    }
}
