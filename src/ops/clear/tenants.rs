//! Tenants: recreated after they, or their collection, were dropped.

use std::time::{Duration, Instant};

use super::inactive::InactiveTenants;
use super::since::BackedUp;
use super::unchanged::{Proven, Unchanged};
use crate::event::Event;
use crate::model::{CollectionName, TenantName};
use crate::ops::dropping::{DROPS, before_next};
use crate::ops::{Error, ReadAccess, WriteAccess};
use crate::pipeline::activation::ACTIVE_AT_ONCE;
use crate::weaviate::{Error as WireError, Tenant, Writer};

/// Tenants created or deleted in one request.
const TENANTS_A_REQUEST: usize = 100;

/// Between two looks at whether tenants are gone, where a gateway answered in the place of the server.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Creates tenants with the states they had. Those that were offloaded are inactive afterwards: how many, is returned.
pub(super) async fn create(writer: &Writer, collection: &CollectionName, tenants: &[Tenant]) -> Result<usize, Error> {
    let mut offloaded = 0;
    for chunk in tenants.chunks(TENANTS_A_REQUEST) {
        offloaded += chunk.iter().filter(|tenant| !tenant.can_be_created()).count();
        writer.create_tenants(collection, &chunk.iter().map(Tenant::as_created).collect::<Vec<_>>()).await?;
    }
    Ok(offloaded)
}

/// Tenants that are removed with everything in them and created again.
pub(super) struct Recreating<'a> {
    pub(super) access: WriteAccess<'a>,
    pub(super) collection: &'a CollectionName,
    /// How long a server that does not do what it was asked is waited for.
    pub(super) patience: Duration,
    /// Looks at them once more before they go.
    pub(super) unchanged: &'a Unchanged<'a>,
    /// What was proven of them.
    pub(super) proven: &'a Proven,
    /// What has to hold what those that are inactive hold, and what activates them to see it.
    pub(super) inactive: Option<(&'a InactiveTenants<'a>, &'a BackedUp)>,
}

impl Recreating<'_> {
    /// Goes chunk by chunk, so that at no time more than one chunk of them is away; how many were offloaded. `removed`: whether
    /// any may be gone, also when it fails.
    pub(super) async fn run(&self, tenants: &[Tenant], removed: &mut bool) -> Result<usize, Error> {
        let Self { access, collection, .. } = self;
        let mut offloaded = 0;
        // What was asked has to be true still when they go.
        let most = if self.inactive.is_some() { ACTIVE_AT_ONCE } else { TENANTS_A_REQUEST };
        for chunk in tenants.chunks(most) {
            access.go_on()?;
            self.unchanged.at_the_removal(chunk, self.proven, self.inactive).await?;
            let names: Vec<TenantName> = chunk.iter().map(|tenant| tenant.name.clone()).collect();
            let deleted = self.delete(&names).await;
            // What the server refused it did not do.
            *removed |= !deleted.as_ref().is_err_and(|error| error.wire().is_some_and(WireError::is_no));
            let left = deleted?;
            if let Some(tenant) = names.iter().find(|name| left.iter().any(|there| there.name == **name)) {
                return Err(Error::TenantStays { collection: (*collection).clone(), tenant: tenant.clone() });
            }
            offloaded += create(access.writer, collection, chunk).await?;
            for tenant in names {
                access.events.emit(Event::TenantStarted { collection: (*collection).clone(), tenant });
            }
        }
        Ok(offloaded)
    }

    /// Deletes tenants, and lists those there are then. Where a gateway answered in the place of the server they are deleted
    /// again only once nothing of the last request can be on its way: it would remove what is created after it.
    async fn delete(&self, names: &[TenantName]) -> Result<Vec<Tenant>, Error> {
        let delete = async || (self.access.writer.delete_tenants(self.collection, names).await, Instant::now());
        let (mut asked, mut sent) = delete().await;
        let mut requests = 1;
        loop {
            let failed = match asked {
                Err(error) if !error.is_gateway() => return Err(error.into()),
                other => other.err(),
            };
            let left = self.access.client.tenants(self.collection).await?;
            let stays = left.iter().any(|there| names.contains(&there.name));
            let Some(error) = failed.filter(|_| stays) else { return Ok(left) };
            let wait = before_next(self.patience).saturating_sub(sent.elapsed());
            if wait > Duration::ZERO {
                tokio::time::sleep(wait.min(LOOK_AGAIN)).await;
                asked = Err(error);
            } else if requests < DROPS {
                (asked, sent) = delete().await;
                requests += 1;
            } else {
                return Err(error.into());
            }
        }
    }
}

/// Tenants that are not there as they should be, by name and state; `None` if all are.
pub(super) async fn lacking(
    access: ReadAccess<'_>,
    collection: &CollectionName,
    wanted: &[Tenant],
) -> Result<Option<TenantName>, Error> {
    let there = access.ask(access.client.tenants(collection)).await?;
    let is = |tenant: &Tenant, there: &Tenant| tenant.name == there.name && tenant.is_active() == there.is_active();
    let as_wanted = |tenant: &&Tenant| there.iter().any(|there| is(tenant, there));
    Ok(wanted.iter().find(|tenant| !as_wanted(tenant)).map(|tenant| tenant.name.clone()))
}
