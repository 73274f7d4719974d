//! The books of runs that wake tenants: a journal for this run, and what a killed one left awake.

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
use crate::pipeline::journal::RunJournal;
use crate::pipeline::waking::{self, Waking};
use crate::weaviate::{Client, Tenant, TenantState};

/// How long tenants are asked for again that the server does not deactivate while it moves replicas of theirs.
const MOVES_PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two such requests.
const MOVES_PAUSE: Duration = Duration::from_secs(2);
/// How long putting tenants back to sleep may take at the end of a run.
const PUT_BACK: Duration = Duration::from_secs(8);
/// What is said of a server that answered that it did something, and did not.
pub(super) const NOT_DONE: &str = "the server did not do it";
/// Tenants that are looked at at once whether they are those that were left awake.
const TENANTS_LOOKED_AT: usize = 8;

impl From<waking::Error> for Error {
    fn from(error: waking::Error) -> Self {
        match error {
            waking::Error::Wire(error) => Self::Wire(error),
            waking::Error::Journal(error) => error.into(),
        }
    }
}

/// A run's journal, and its claim of the collections whose tenants it may wake: two runs would put to sleep what the
/// other one reads.
pub(super) struct Journalled {
    pub(super) journal: RunJournal,
    _claim: Claim,
}

/// Claims the collections and begins the journal. Only for runs that have somebody to wake.
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

/// Puts back whoever is still awake because of this run, however it ended; how many could not be. A journal that tells
/// nothing any more is removed, or each run would leave one for all later runs to read.
pub(super) async fn put_back(
    session: &Session,
    collection: &CollectionName,
    waking: &Waking,
    journalled: Option<&Journalled>,
) -> u64 {
    let reason = match put_back_after_moves(session, collection, waking).await {
        Ok(Ok(())) if !waking.awake().await.is_empty() => NOT_DONE.to_owned(),
        Ok(Ok(())) => {
            if let Some(journalled) = journalled
                && waking.left_nothing().await
                && let Err(error) = journalled.journal.remove().await
            {
                // It does no harm where it is.
                tracing::warn!(%collection, %error, "the journal of tenants that were woken cannot be removed");
            }
            return 0;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("not done in {} s", PUT_BACK.as_secs()),
    };
    let awake = waking.awake().await;
    let Some(first) = awake.first().cloned() else { return 0 };
    let (collection, tenants, noted) = (collection.clone(), awake.len() as u64, journalled.is_some());
    session.events.warn(Warning::TenantsStayAwake { collection, tenants, first, reason, noted });
    tenants
}

/// Puts back whoever is still awake; while the server moves replicas of theirs, it is asked again and again.
async fn put_back_after_moves(
    session: &Session,
    collection: &CollectionName,
    waking: &Waking,
) -> Result<Result<(), waking::Error>, tokio::time::error::Elapsed> {
    let give_up = tokio::time::Instant::now() + MOVES_PATIENCE;
    let mut told = false;
    loop {
        let done = tokio::time::timeout(PUT_BACK, waking.put_back_all()).await?;
        let blocked = done.as_ref().is_err_and(waking::Error::is_blocked_by_move);
        if !blocked || tokio::time::Instant::now() >= give_up || session.cancel.is_cancelled() {
            return Ok(done);
        }
        if !std::mem::replace(&mut told, true) {
            let (collection, tenants) = (collection.clone(), waking.awake().await.len() as u64);
            session.events.warn(Warning::MovesAwaited { collection, tenants });
        }
        tokio::select! {
            () = tokio::time::sleep(MOVES_PAUSE) => {}
            () = session.cancel.cancelled() => {}
        }
    }
}

/// Puts back whoever a round that was cut short left awake. What fails is tried again by the next one, or at the end.
pub(super) async fn put_back_between(session: &Session, collection: &CollectionName, waking: &Waking) {
    // A run that is told to stop does it once, at its end.
    let bounded = async { tokio::time::timeout(PUT_BACK, waking.put_back_all()).await.unwrap_or(Ok(())) };
    if let Err(error) = session.unless_stopped(bounded).await {
        tracing::warn!(%collection, %error, "tenants cannot be put back yet");
    }
}

/// Where runs that wake tenants write down whom. All collections of a run share one.
#[derive(Debug, Clone, Default)]
pub(super) enum WakeBooks {
    /// Below these folders.
    In(StateFolders, EarlierRuns),
    /// The same, for a run that has locked the collection already.
    Locked(StateFolders, EarlierRuns),
    /// Nowhere: there is no such place, and nobody may be woken.
    #[default]
    Nowhere,
    /// Nowhere: the tenants are the run's own.
    NotNeeded,
}

impl WakeBooks {
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

/// The collections whose tenants runs before this one left awake. Their journals are read once in a run, when the first
/// collection with tenants is looked at, and anew for those collections alone in which somebody was left: a run that
/// goes on beside this one puts its tenants back meanwhile.
#[derive(Debug, Clone, Default)]
pub(super) struct EarlierRuns(Arc<OnceCell<BTreeSet<CollectionName>>>);

impl EarlierRuns {
    /// The tenants that were left awake in this collection.
    async fn left_awake(
        &self,
        session: &Session,
        state: &StateFolders,
        url: &str,
        collection: &CollectionName,
    ) -> Result<Woken, Error> {
        let read = async || {
            let (disk, runs, url) = (Arc::clone(&session.disk), state.runs.clone(), url.to_owned());
            blocking("earlier runs", move || runfiles::left_awake(&*disk, &runs, &url)).await
        };
        let collections = async || Ok::<_, Error>(read().await?.into_keys().collect());
        if !self.0.get_or_try_init(collections).await?.contains(collection) {
            return Ok(Woken::new());
        }
        Ok(read().await?.remove(collection).unwrap_or_default())
    }
}

/// What begins the journal of a run that only reads and wakes tenants for it.
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

/// The tenants of a collection that killed runs on this server woke and did not put back.
#[derive(Debug, Default)]
pub(super) struct LeftAwake {
    /// Those that still are awake, each with the object that it was known again by.
    still: BTreeMap<TenantName, FirstObject>,
    /// Those of whose names some are awake that may be others: made again, or on another server behind the URL. They may be
    /// in use.
    others: BTreeSet<TenantName>,
    /// The rest: somebody put them back, or removed them.
    no_more: BTreeSet<TenantName>,
}

impl LeftAwake {
    /// Looks who was left awake and still is, and has them listed as asleep: that is what they should be. Nobody, where
    /// nothing is written down.
    pub(super) async fn find(
        client: &Client,
        session: &Session,
        books: &WakeBooks,
        collection: &CollectionName,
        listed: &mut [Tenant],
    ) -> Result<Self, Error> {
        let Some((state, earlier)) = books.folders() else { return Ok(Self::default()) };
        let mut left = earlier.left_awake(session, state, client.url(), collection).await?;
        let awake = listed.iter_mut().filter(|tenant| tenant.state == TenantState::Hot);
        let awake: Vec<_> = awake.filter_map(|tenant| left.remove(&tenant.name).map(|first| (tenant, first))).collect();
        let looks = awake.into_iter().map(async |(tenant, first)| {
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

    /// Puts back who still is awake, as far as it is proven who they are. Of all others it is written down that they are nobody's
    /// business any more, or they would be put to sleep once somebody wakes them for good reason.
    pub(super) async fn put_right(
        self,
        session: &Session,
        collection: &CollectionName,
        waking: &Waking,
    ) -> Result<(), Error> {
        if let Some(first) = self.others.first().cloned() {
            let (collection, tenants) = (collection.clone(), self.others.len() as u64);
            session.events.warn(Warning::TenantsNotKnownAgain { collection, tenants, first });
        }
        let gone: BTreeSet<TenantName> = self.no_more.into_iter().chain(self.others).collect();
        waking.write_off(&gone).await?;
        let Some(first) = self.still.keys().next().cloned() else { return Ok(()) };
        let (name, tenants) = (collection.clone(), self.still.len() as u64);
        session.events.warn(Warning::TenantsLeftAwake { collection: name, tenants, first });
        waking.take_over(self.still).await?;
        put_back_between(session, collection, waking).await;
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
