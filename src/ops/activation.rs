//! The books of runs that activate tenants: a journal for this run, and what a killed one left active.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::run::claim::Claiming;
use super::run::journal;
use super::{Error, Session, StateFolders, blocking};
use crate::archive::claims::Claim;
use crate::archive::runfiles::{FirstObject, Woken};
use crate::archive::{RunAbout, runfiles};
use crate::event::{Op, Warning};
use crate::model::{CollectionName, TenantName, path_text};
use crate::pipeline::activation::{self, Activation};
use crate::pipeline::journal::RunJournal;
use crate::weaviate::{Client, Tenant, TenantState};

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

/// A run's journal, and its claim of the collections whose tenants it may activate: two runs would deactivate what the
/// other one reads.
pub(super) struct Journalled {
    pub(super) journal: RunJournal,
    _claim: Claim,
}

/// Claims the collections and begins the journal. Only for runs that have somebody to activate.
pub(super) async fn begin(
    client: &Client,
    session: &Session,
    state: &StateFolders,
    collections: Vec<CollectionName>,
    about: RunAbout,
) -> Result<Journalled, Error> {
    let claiming = Claiming { client, session, locks: &state.locks, targets: collections, shards: Vec::new() };
    let claim = claiming.take_briefly(about.op).await?;
    Ok(Journalled { journal: journal::create(session, state, about).await?, _claim: claim })
}

/// Deactivates whoever is still active because of this run, however it ended; how many could not be. A journal that tells
/// nothing any more is removed, or each run would leave one for all later runs to read.
pub(super) async fn deactivate(
    session: &Session,
    collection: &CollectionName,
    activation: &Activation,
    journalled: Option<&Journalled>,
) -> u64 {
    let reason = match deactivate_after_moves(session, collection, activation).await {
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
    session.events.warn(Warning::TenantsStayAwake { collection, tenants, first, reason, noted });
    tenants
}

/// Deactivates whoever is still active; while the server moves replicas of theirs, it is asked again and again.
async fn deactivate_after_moves(
    session: &Session,
    collection: &CollectionName,
    activation: &Activation,
) -> Result<Result<(), activation::Error>, tokio::time::error::Elapsed> {
    let give_up = tokio::time::Instant::now() + MOVES_PATIENCE;
    let mut told = false;
    loop {
        let done = tokio::time::timeout(DEACTIVATION, activation.deactivate_all()).await?;
        let blocked = done.as_ref().is_err_and(activation::Error::is_blocked_by_move);
        if !blocked || tokio::time::Instant::now() >= give_up || session.cancel.is_cancelled() {
            return Ok(done);
        }
        if !std::mem::replace(&mut told, true) {
            let (collection, tenants) = (collection.clone(), activation.active().await.len() as u64);
            session.events.warn(Warning::MovesAwaited { collection, tenants });
        }
        tokio::select! {
            () = tokio::time::sleep(MOVES_PAUSE) => {}
            () = session.cancel.cancelled() => {}
        }
    }
}

/// Deactivates whoever a round that was cut short left active. What fails is tried again by the next one, or at the end.
pub(super) async fn deactivate_between(session: &Session, collection: &CollectionName, activation: &Activation) {
    // A run that is told to stop does it once, at its end.
    let bounded = async { tokio::time::timeout(DEACTIVATION, activation.deactivate_all()).await.unwrap_or(Ok(())) };
    if let Err(error) = session.unless_stopped(bounded).await {
        tracing::warn!(%collection, %error, "tenants cannot be deactivated yet");
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
    ) -> Result<Woken, Error> {
        let read = async || {
            let (disk, runs, url) = (Arc::clone(&session.local), state.runs.clone(), url.to_owned());
            blocking("earlier runs", move || runfiles::left_active(&*disk, &runs, &url)).await
        };
        let collections = async || Ok::<_, Error>(read().await?.into_keys().collect());
        if !self.0.get_or_try_init(collections).await?.contains(collection) {
            return Ok(Woken::new());
        }
        Ok(read().await?.remove(collection).unwrap_or_default())
    }
}

/// What begins the journal of a run that only reads and activates tenants for it.
pub(super) fn about(op: Op, session: &Session, url: &str, archive: &Path, archive_run_id: String) -> RunAbout {
    RunAbout {
        op,
        tool: RunAbout::this_tool(),
        run_id: uuid::Uuid::now_v7(),
        started: session.clock.now(),
        server_url: url.to_owned(),
        server_version: String::new(),
        archive: path_text(archive),
        archive_run_id,
        options: serde_json::Map::new(),
    }
}

/// The tenants of a collection that killed runs on this server activated and did not deactivate.
#[derive(Debug, Default)]
pub(super) struct LeftActive {
    /// Those that still are active, each with the object that it was known again by.
    still: BTreeMap<TenantName, FirstObject>,
    /// Those of whose names some are active that may be others: made again, or on another server behind the URL. They may be
    /// in use.
    others: BTreeSet<TenantName>,
    /// The rest: somebody deactivated them, or removed them.
    no_more: BTreeSet<TenantName>,
}

impl LeftActive {
    /// Looks who was left active and still is, and has them listed as inactive: that is what they should be. Nobody, where
    /// nothing is written down.
    pub(super) async fn find(
        client: &Client,
        session: &Session,
        books: &ActivationBooks,
        collection: &CollectionName,
        listed: &mut [Tenant],
    ) -> Result<Self, Error> {
        let Some((state, earlier)) = books.folders() else { return Ok(Self::default()) };
        let mut left = earlier.left_active(session, state, client.url(), collection).await?;
        let active = listed.iter_mut().filter(|tenant| tenant.state == TenantState::Hot);
        let active: Vec<_> =
            active.filter_map(|tenant| left.remove(&tenant.name).map(|first| (tenant, first))).collect();
        let looks = active.into_iter().map(async |(tenant, first)| {
            let known = match first {
                Some(first) => session.unless_stopped(is_first(client, collection, &tenant.name, first)).await?,
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
    pub(super) async fn put_right(
        self,
        session: &Session,
        collection: &CollectionName,
        activation: &Activation,
    ) -> Result<(), Error> {
        if let Some(first) = self.others.first().cloned() {
            let (collection, tenants) = (collection.clone(), self.others.len() as u64);
            session.events.warn(Warning::TenantsNotKnownAgain { collection, tenants, first });
        }
        let gone: BTreeSet<TenantName> = self.no_more.into_iter().chain(self.others).collect();
        activation.write_off(&gone).await?;
        let Some(first) = self.still.keys().next().cloned() else { return Ok(()) };
        let (name, tenants) = (collection.clone(), self.still.len() as u64);
        session.events.warn(Warning::TenantsLeftAwake { collection: name, tenants, first });
        activation.take_over(self.still).await?;
        deactivate_between(session, collection, activation).await;
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
