//! Tenants that sleep, and that a backup has to hold: woken a few at a time, asked whether anything was written to them
//! since they were compared with it, and put back.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::since::BackedUp;
use crate::event::Op;
use crate::model::{CollectionName, TenantName};
use crate::ops::bounds::ASKED_AT_ONCE;
use crate::ops::waking::{self, Journalled, LeftAwake, WakeBooks};
use crate::ops::{Error, Session};
use crate::pipeline::waking::{AWAKE_AT_ONCE, Late, Waking};
use crate::weaviate::Writer;

/// How long a tenant is waited for that was woken and is said to be asleep.
const PATIENCE: Duration = Duration::from_secs(5);

/// Puts back the tenants of one collection that runs which were killed left awake. This run has locked it already.
pub(super) async fn put_right(
    writer: &Writer,
    session: &Session,
    books: &WakeBooks,
    folder: &Path,
    collection: &CollectionName,
) -> Result<(), Error> {
    let Some((state, _)) = books.folders() else { return Ok(()) };
    let mut listed = session.unless_stopped(writer.tenants(collection)).await?;
    let left = LeftAwake::find(writer, session, books, collection, &mut listed).await?;
    if left.is_empty() {
        return Ok(());
    }
    let about = waking::about(Op::Verify, session, writer.url(), folder, String::new());
    let journalled = waking::begin(writer, session, state, Vec::new(), about).await?;
    let journal = Some(journalled.journal.clone());
    let waking = Waking::new(writer.clone(), collection.clone(), Some(BTreeSet::new()), journal);
    let right = left.put_right(session, collection, &waking).await;
    waking::put_back(session, collection, &waking, Some(&journalled)).await;
    right
}

/// The tenants of one collection that are emptied and sleep.
pub(super) struct Sleepers<'a> {
    writer: &'a Writer,
    session: &'a Session,
    collection: &'a CollectionName,
    waking: Waking,
    journalled: Journalled,
}

impl<'a> Sleepers<'a> {
    /// Begins a journal of who is woken. The run has locked the collection already.
    pub(super) async fn begin(
        writer: &'a Writer,
        session: &'a Session,
        books: &WakeBooks,
        archive: &Path,
        collection: &'a CollectionName,
        asleep: Vec<TenantName>,
    ) -> Result<Self, Error> {
        let Some((state, _)) = books.folders() else {
            return Err(Error::NoRunFolder { collection: collection.clone() });
        };
        let about = waking::about(Op::Verify, session, writer.url(), archive, String::new());
        let journalled = waking::begin(writer, session, state, Vec::new(), about).await?;
        let journal = Some(journalled.journal.clone());
        let waking = Waking::new(writer.clone(), collection.clone(), Some(asleep.into_iter().collect()), journal);
        Ok(Self { writer, session, collection, waking, journalled })
    }

    /// The backup holds all that these tenants hold. They sleep again afterwards.
    pub(super) async fn hold(&self, tenants: &[TenantName], backed_up: &BackedUp) -> Result<(), Error> {
        for few in tenants.chunks(AWAKE_AT_ONCE) {
            let awake = self.session.unless_stopped(self.waking.wake(few)).await?;
            let held = self.few(few, backed_up).await;
            let put_back = self.waking.put_back(awake).await;
            held?;
            put_back?;
        }
        Ok(())
    }

    async fn few(&self, tenants: &[TenantName], backed_up: &BackedUp) -> Result<(), Error> {
        let newest = tenants.iter().map(|tenant| self.newest_ms(tenant));
        let newest: Vec<Option<i64>> = stream::iter(newest).buffered(ASKED_AT_ONCE).try_collect().await?;
        let counts = self.session.unless_stopped(self.writer.tenant_counts(self.collection, tenants)).await?;
        for ((tenant, newest), count) in tenants.iter().zip(newest).zip(counts) {
            let held = backed_up.tenants.get(tenant).copied().unwrap_or(0);
            let compared = backed_up.newest_asleep.get(tenant).copied();
            if newest > compared || count.exact().is_some_and(|now| now != held) {
                let what = format!("its tenant {tenant} was written to after it was compared with the backup");
                return Err(Error::NotAsPlanned { collection: self.collection.clone(), what });
            }
        }
        Ok(())
    }

    /// Not every node hears at once that a tenant was woken.
    async fn newest_ms(&self, tenant: &TenantName) -> Result<Option<i64>, Error> {
        let mut late = Late::within(PATIENCE);
        loop {
            let asked = self.session.unless_stopped(self.writer.newest_update(self.collection, Some(tenant))).await;
            match asked {
                Err(Error::Wire(error)) if error.tenant_trouble().is_some() => match late.next_pause() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error.into()),
                },
                asked => return asked,
            }
        }
    }

    /// Puts back whoever is awake still.
    pub(super) async fn end(self) {
        waking::put_back(self.session, self.collection, &self.waking, Some(&self.journalled)).await;
    }
}
