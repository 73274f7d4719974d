//! Inactive tenants that a backup has to hold: activated a few at a time, asked whether anything was written to them since
//! they were compared with it, and deactivated.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::since::BackedUp;
use crate::event::Op;
use crate::model::{CollectionName, TenantName};
use crate::ops::activation::{Activating, ActivationBooks, LeftActive};
use crate::ops::bounds::ASKED_AT_ONCE;
use crate::ops::{Error, PlanChange, WriteAccess};
use crate::pipeline::activation::{ACTIVE_AT_ONCE, Late};

/// How long a tenant is waited for that was activated and is said to be inactive.
const PATIENCE: Duration = Duration::from_secs(5);

/// Deactivates the tenants of one collection that runs which were killed left active. This run has locked it already.
pub(super) async fn put_right(
    access: WriteAccess<'_>,
    books: &ActivationBooks,
    folder: &Path,
    collection: &CollectionName,
) -> Result<(), Error> {
    let mut listed = access.ask(access.client.tenants(collection)).await?;
    let left = LeftActive::find(access.reading, books, collection, &mut listed).await?;
    if left.is_empty() {
        return Ok(());
    }
    let activating = books.activating(access, (Op::Verify, folder, ""), collection, Some(Arc::default())).await?;
    let right = left.put_right(access.session, &activating).await;
    activating.deactivate(access.session).await;
    right
}

/// The tenants of one collection that are emptied and inactive.
pub(super) struct InactiveTenants<'a> {
    access: WriteAccess<'a>,
    collection: &'a CollectionName,
    activating: Activating,
}

impl<'a> InactiveTenants<'a> {
    /// Begins a journal of who is activated. The run has locked the collection already.
    pub(super) async fn begin(
        access: WriteAccess<'a>,
        books: &ActivationBooks,
        archive: &Path,
        collection: &'a CollectionName,
        inactive: Vec<TenantName>,
    ) -> Result<Self, Error> {
        let inactive = Some(Arc::new(inactive.into_iter().collect()));
        let activating = books.activating(access, (Op::Verify, archive, ""), collection, inactive).await?;
        Ok(Self { access, collection, activating })
    }

    /// The backup holds all that these tenants hold. They are inactive again afterwards.
    pub(super) async fn hold(&self, tenants: &[TenantName], backed_up: &BackedUp) -> Result<(), Error> {
        for few in tenants.chunks(ACTIVE_AT_ONCE) {
            self.access.ask(self.activating.activation.with(few, self.few(few, backed_up))).await?;
        }
        Ok(())
    }

    async fn few(&self, tenants: &[TenantName], backed_up: &BackedUp) -> Result<(), Error> {
        let newest = tenants.iter().map(|tenant| self.newest_ms(tenant));
        let newest: Vec<Option<i64>> = stream::iter(newest).buffered(ASKED_AT_ONCE).try_collect().await?;
        let counts = self.access.ask(self.access.client.tenant_counts(self.collection, tenants)).await?;
        for ((tenant, newest), count) in tenants.iter().zip(newest).zip(counts) {
            let held = backed_up.tenants.get(tenant).copied().unwrap_or(0);
            let compared = backed_up.newest_inactive.get(tenant).copied();
            if newest > compared || count.exact().is_some_and(|now| now != held) {
                let what = PlanChange::TenantWritten { tenant: tenant.clone() };
                return Err(Error::NotAsPlanned { collection: self.collection.clone(), what });
            }
        }
        Ok(())
    }

    /// Not every node hears at once that a tenant was activated.
    async fn newest_ms(&self, tenant: &TenantName) -> Result<Option<i64>, Error> {
        let mut late = Late::within(PATIENCE);
        loop {
            let asked = self.access.ask(self.access.client.newest_update(self.collection, Some(tenant))).await;
            match asked {
                Err(Error::Wire(error)) if error.tenant_trouble().is_some() => match late.next_pause() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error.into()),
                },
                asked => return asked,
            }
        }
    }

    /// Deactivates whoever is active still.
    pub(super) async fn end(self) {
        self.activating.deactivate(self.access.session).await;
    }
}
