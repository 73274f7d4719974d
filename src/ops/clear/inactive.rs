//! Inactive tenants that a backup has to hold: activated a few at a time, asked whether anything was written to them since
//! they were compared with it, and deactivated.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::since::BackedUp;
use crate::event::Op;
use crate::model::{CollectionName, TenantName};
use crate::ops::activation::{self, ActivationBooks, Journalled, LeftActive};
use crate::ops::bounds::ASKED_AT_ONCE;
use crate::ops::{Error, PlanChange, Session};
use crate::pipeline::activation::{ACTIVE_AT_ONCE, Activation, Late};
use crate::weaviate::Writer;

/// How long a tenant is waited for that was activated and is said to be inactive.
const PATIENCE: Duration = Duration::from_secs(5);

/// Deactivates the tenants of one collection that runs which were killed left active. This run has locked it already.
pub(super) async fn put_right(
    writer: &Writer,
    session: &Session,
    books: &ActivationBooks,
    folder: &Path,
    collection: &CollectionName,
) -> Result<(), Error> {
    let Some((state, _)) = books.folders() else { return Ok(()) };
    let mut listed = session.unless_stopped(writer.client().tenants(collection)).await?;
    let left = LeftActive::find(writer.client(), session, books, collection, &mut listed).await?;
    if left.is_empty() {
        return Ok(());
    }
    let about = activation::about(Op::Verify, session, writer.client().url(), folder, String::new());
    let journalled = activation::begin(writer.client(), session, state, Vec::new(), about).await?;
    let journal = Some(journalled.journal.clone());
    let activation = Activation::new(writer.clone(), collection.clone(), Some(Arc::default()), journal);
    let right = left.put_right(session, collection, &activation).await;
    activation::deactivate(session, collection, &activation, Some(&journalled)).await;
    right
}

/// The tenants of one collection that are emptied and inactive.
pub(super) struct InactiveTenants<'a> {
    writer: &'a Writer,
    session: &'a Session,
    collection: &'a CollectionName,
    activation: Activation,
    journalled: Journalled,
}

impl<'a> InactiveTenants<'a> {
    /// Begins a journal of who is activated. The run has locked the collection already.
    pub(super) async fn begin(
        writer: &'a Writer,
        session: &'a Session,
        books: &ActivationBooks,
        archive: &Path,
        collection: &'a CollectionName,
        inactive: Vec<TenantName>,
    ) -> Result<Self, Error> {
        let Some((state, _)) = books.folders() else {
            return Err(Error::NoRunFolder { collection: collection.clone() });
        };
        let about = activation::about(Op::Verify, session, writer.client().url(), archive, String::new());
        let journalled = activation::begin(writer.client(), session, state, Vec::new(), about).await?;
        let journal = Some(journalled.journal.clone());
        let inactive = Some(Arc::new(inactive.into_iter().collect()));
        let activation = Activation::new(writer.clone(), collection.clone(), inactive, journal);
        Ok(Self { writer, session, collection, activation, journalled })
    }

    /// The backup holds all that these tenants hold. They are inactive again afterwards.
    pub(super) async fn hold(&self, tenants: &[TenantName], backed_up: &BackedUp) -> Result<(), Error> {
        for few in tenants.chunks(ACTIVE_AT_ONCE) {
            self.session.unless_stopped(self.activation.with(few, self.few(few, backed_up))).await?;
        }
        Ok(())
    }

    async fn few(&self, tenants: &[TenantName], backed_up: &BackedUp) -> Result<(), Error> {
        let newest = tenants.iter().map(|tenant| self.newest_ms(tenant));
        let newest: Vec<Option<i64>> = stream::iter(newest).buffered(ASKED_AT_ONCE).try_collect().await?;
        let counts = self.session.unless_stopped(self.writer.client().tenant_counts(self.collection, tenants)).await?;
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
            let asked =
                self.session.unless_stopped(self.writer.client().newest_update(self.collection, Some(tenant))).await;
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
        activation::deactivate(self.session, self.collection, &self.activation, Some(&self.journalled)).await;
    }
}
