//! The books of runs that activate tenants: a journal for this run, and what a killed one left active.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::run::claim::Claiming;
use super::run::journal::Journalled;
use super::{Error, ReadAccess, Session, StateFolders, WriteAccess, blocking};
use crate::archive::runfiles::{ActivatedTenants, FirstObject};
use crate::archive::{RunAbout, runfiles};
use crate::event::{Op, Warning};
use crate::model::{CollectionName, TenantName, path_text};
use crate::pipeline::activation::{self, Activation};
use crate::weaviate::{Client, Tenant, TenantState, Writer};

/// How long tenants are asked for again that the server does not deactivate while it moves replicas of theirs.
const MOVES_PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two such requests.
const MOVES_PAUSE: Duration = Duration::from_secs(2);
/// How long deactivating tenants may take at the end of a run.
const DEACTIVATION: Duration = Duration::from_secs(8);
/// What is said of a server that answered that it did something, and did not.
pub(super) const NOT_DONE: &str = "the server did not do it";
/// Tenants that are looked at at once whether they are those that were left active.
const TENANTS_LOOKED_AT: usize = 8;

impl From<activation::Error> for Error {
    fn from(error: activation::Error) -> Self {
        match error {
            activation::Error::Wire(error) => Self::Wire(error),
            activation::Error::Journal(error) => error.into(),
        }
    }
}

/// The tenants of one collection that this run activates where it needs them, and deactivates. Whom it activates is written
/// down where somebody else may use them: then it has claimed the collection too, as two runs would deactivate what the
/// other one reads.
pub(super) struct Activating {
    collection: CollectionName,
    pub(super) activation: Arc<Activation>,
    journalled: Option<Journalled>,
}

impl Activating {
    /// Nothing is written down: the tenants are this run's own. `inactive`: as [`ActivationBooks::activating`] has it.
    pub(super) fn own(
        writer: &Writer,
        collection: &CollectionName,
        inactive: Option<Arc<BTreeSet<TenantName>>>,
    ) -> Self {
        let activation = Activation::new(writer.clone(), collection.clone(), inactive, None);
        Self { collection: collection.clone(), activation: Arc::new(activation), journalled: None }
    }

    /// Deactivates whoever is still active because of this run, however it ended; how many could not be. A journal that
    /// tells nothing any more is removed, or each run would leave one for all later runs to read.
    pub(super) async fn deactivate(&self, session: &Session) -> u64 {
        let Self { collection, activation, journalled } = self;
        let reason = match self.deactivate_after_moves(session).await {
            Ok(Ok(())) if !activation.active().await.is_empty() => NOT_DONE.to_owned(),
            Ok(Ok(())) => {
                if let Some(journalled) = journalled
                    && activation.left_nothing().await
                    && let Err(error) = journalled.journal.remove().await
                {
                    // It does no harm where it is.
                    tracing::warn!(%collection, %error, "the journal of activated tenants cannot be removed");
                }
                return 0;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not done in {} s", DEACTIVATION.as_secs()),
        };
        let active = activation.active().await;
        let Some(first) = active.first().cloned() else { return 0 };
        let (collection, tenants, noted) = (collection.clone(), active.len() as u64, journalled.is_some());
        session.events.warn(Warning::TenantsStayActive { collection, tenants, first, reason, noted });
        tenants
    }

    /// Deactivates whoever is still active; while the server moves replicas of theirs, it is asked again and again.
    async fn deactivate_after_moves(
        &self,
        session: &Session,
    ) -> Result<Result<(), activation::Error>, tokio::time::error::Elapsed> {
        let give_up = tokio::time::Instant::now() + MOVES_PATIENCE;
        let mut told = false;
        loop {
            let done = tokio::time::timeout(DEACTIVATION, self.activation.deactivate_all()).await?;
            let blocked = done.as_ref().is_err_and(activation::Error::is_blocked_by_move);
            if !blocked || tokio::time::Instant::now() >= give_up || session.cancel.is_cancelled() {
                return Ok(done);
            }
            if !std::mem::replace(&mut told, true) {
                let (collection, tenants) = (self.collection.clone(), self.activation.active().await.len() as u64);
                session.events.warn(Warning::MovesAwaited { collection, tenants });
            }
            tokio::select! {
                () = tokio::time::sleep(MOVES_PAUSE) => {}
                () = session.cancel.cancelled() => {}
            }
        }
    }

    /// Deactivates whoever a round that was cut short left active. What fails is tried again by the next one, or at the end.
    pub(super) async fn deactivate_between(&self, session: &Session) {
        let deactivating = tokio::time::timeout(DEACTIVATION, self.activation.deactivate_all());
        // A run that is told to stop does it once, at its end.
        if let Err(error) = session.unless_stopped(async { deactivating.await.unwrap_or(Ok(())) }).await {
            tracing::warn!(collection = %self.collection, %error, "tenants cannot be deactivated yet");
        }
    }
}

/// Where runs that activate tenants write down whom. All collections of a run share one.
#[derive(Debug, Clone, Default)]
pub(super) enum ActivationBooks {
    /// Below these folders.
    In(StateFolders, EarlierRuns),
    /// The same, for a run that has locked the collection already.
    Locked(StateFolders, EarlierRuns),
    /// Nowhere: there is no such place, and nobody may be activated.
    #[default]
    Nowhere,
    /// Nowhere: the tenants are the run's own.
    NotNeeded,
}

impl ActivationBooks {
    /// Below these folders, if there are any.
    pub(super) fn below(state: Option<&StateFolders>) -> Self {
        state.map_or(Self::Nowhere, |state| Self::In(state.clone(), EarlierRuns::default()))
    }

    /// The folders, and what earlier runs left.
    pub(super) fn folders(&self) -> Option<(&StateFolders, &EarlierRuns)> {
        match self {
            Self::In(state, earlier) | Self::Locked(state, earlier) => Some((state, earlier)),
            Self::Nowhere | Self::NotNeeded => None,
        }
    }

    /// What activates tenants of a collection from now on, with a claim and a journal where they are needed. Only for runs
    /// that have somebody to activate. `archive`: its place and its run. `inactive`: those that are to be inactive whenever
    /// they are not needed; `None`: whoever it is asked to activate.
    pub(super) async fn activating(
        &self,
        access: WriteAccess<'_>,
        (op, archive, archive_run_id): (Op, &Path, &str),
        collection: &CollectionName,
        inactive: Option<Arc<BTreeSet<TenantName>>>,
    ) -> Result<Activating, Error> {
        let (state, targets) = match self {
            Self::In(state, _) => (state, vec![collection.clone()]),
            Self::Locked(state, _) => (state, Vec::new()),
            Self::NotNeeded => return Ok(Activating::own(access.writer, collection, inactive)),
            Self::Nowhere => return Err(Error::NoRunFolder { collection: collection.clone() }),
        };
        let (archive, archive_run_id) = (path_text(archive), archive_run_id.to_owned());
        let about = RunAbout::new(op, access.clock.now(), access.client.url());
        let about = RunAbout { archive, archive_run_id, ..about };
        let claim = Claiming::of(access.reading, &state.locks, targets).take_briefly(op).await?;
        let journalled = Journalled::create(access.session, state, about, claim).await?;
        let journal = Some(journalled.journal.clone());
        let activation = Arc::new(Activation::new(access.writer.clone(), collection.clone(), inactive, journal));
        Ok(Activating { collection: collection.clone(), activation, journalled: Some(journalled) })
    }
}

/// The collections whose tenants runs before this one left active. Their journals are read once in a run, when the first
/// collection with tenants is looked at, and anew for those collections alone in which somebody was left: a run that
/// goes on beside this one deactivates its tenants meanwhile.
#[derive(Debug, Clone, Default)]
pub(super) struct EarlierRuns(Arc<OnceCell<BTreeSet<CollectionName>>>);

impl EarlierRuns {
    /// The tenants that were left active in this collection.
    async fn left_active(
        &self,
        session: &Session,
        state: &StateFolders,
        url: &str,
        collection: &CollectionName,
    ) -> Result<ActivatedTenants, Error> {
        let read = async || {
            let (disk, runs, url) = (Arc::clone(&session.local), state.runs.clone(), url.to_owned());
            blocking("earlier runs", move || runfiles::left_active(&*disk, &runs, &url)).await
        };
        let collections = async || Ok::<_, Error>(read().await?.into_keys().collect());
        if !self.0.get_or_try_init(collections).await?.contains(collection) {
            return Ok(ActivatedTenants::new());
        }
        Ok(read().await?.remove(collection).unwrap_or_default())
    }
}

/// The tenants of a collection that killed runs on this server activated and did not deactivate.
#[derive(Debug, Default)]
pub(super) struct LeftActive {
    /// Those that still are active, each with the object that it was known again by.
    still: BTreeMap<TenantName, FirstObject>,
    /// Those of whose names some are active that may be others: recreated, or on another server behind the URL. They may be
    /// in use.
    others: BTreeSet<TenantName>,
    /// The rest: somebody deactivated them, or removed them.
    no_more: BTreeSet<TenantName>,
}

impl LeftActive {
    /// Looks who was left active and still is, and has them listed as inactive: that is what they should be. Nobody, where
    /// nothing is written down.
    pub(super) async fn find(
        access: ReadAccess<'_>,
        books: &ActivationBooks,
        collection: &CollectionName,
        listed: &mut [Tenant],
    ) -> Result<Self, Error> {
        let Some((state, earlier)) = books.folders() else { return Ok(Self::default()) };
        let mut left = earlier.left_active(access.session, state, access.client.url(), collection).await?;
        let active = listed.iter_mut().filter(|tenant| tenant.is_active());
        let active: Vec<_> =
            active.filter_map(|tenant| left.remove(&tenant.name).map(|first| (tenant, first))).collect();
        let looks = active.into_iter().map(async |(tenant, first)| {
            let known = match first {
                Some(first) => access.ask(is_first(access.client, collection, &tenant.name, first)).await?,
                None => false,
            };
            Ok::<_, Error>((tenant, first.filter(|_| known)))
        });
        let looked: Vec<_> = stream::iter(looks).buffered(TENANTS_LOOKED_AT).try_collect().await?;
        let mut found = Self { no_more: left.into_keys().collect(), ..Self::default() };
        for (tenant, first) in looked {
            if let Some(first) = first {
                tenant.state = TenantState::Cold;
                found.still.insert(tenant.name.clone(), first);
            } else {
                found.others.insert(tenant.name.clone());
            }
        }
        Ok(found)
    }

    /// Whether there is nothing to put right.
    pub(super) fn is_empty(&self) -> bool {
        self.still.is_empty() && self.others.is_empty() && self.no_more.is_empty()
    }

    /// Deactivates who still is active, as far as it is proven who they are. Of all others it is written down that they are
    /// nobody's business any more, or they would be deactivated once somebody activates them for good reason.
    pub(super) async fn put_right(self, session: &Session, activating: &Activating) -> Result<(), Error> {
        let Activating { collection, activation, .. } = activating;
        if let Some(first) = self.others.first().cloned() {
            let (collection, tenants) = (collection.clone(), self.others.len() as u64);
            session.events.warn(Warning::TenantsNotKnownAgain { collection, tenants, first });
        }
        let gone: BTreeSet<TenantName> = self.no_more.into_iter().chain(self.others).collect();
        activation.write_off(&gone).await?;
        let Some(first) = self.still.keys().next().cloned() else { return Ok(()) };
        let (name, tenants) = (collection.clone(), self.still.len() as u64);
        session.events.warn(Warning::TenantsLeftActive { collection: name, tenants, first });
        activation.take_over(self.still).await?;
        activating.deactivate_between(session).await;
        Ok(())
    }
}

/// Whether this is the first object of a tenant, as it was written then. What does not answer proves nothing.
async fn is_first(
    client: &Client,
    collection: &CollectionName,
    tenant: &TenantName,
    first: FirstObject,
) -> Result<bool, Error> {
    match client.first_object(collection, tenant).await {
        Ok(found) => Ok(found.is_some_and(|found| (found.id, found.updated_ms) == (first.id, first.updated_ms))),
        Err(error) => {
            tracing::debug!(%collection, %tenant, %error, "its first object cannot be asked for");
            Ok(false)
        }
    }
}
