//! The books of runs that wake tenants: a journal for this run, and what a killed one left awake.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::restore::StateFolders;
use super::{Error, Session, blocking, journalling};
use crate::archive::{Lock, RunAbout, runfiles};
use crate::event::Warning;
use crate::model::{CollectionName, TenantName};
use crate::pipeline::waking::{self, WakeJournal, Waking};

/// How long putting tenants back to sleep may take at the end of a run.
const PUT_BACK: Duration = Duration::from_secs(8);

impl From<waking::Error> for Error {
    fn from(error: waking::Error) -> Self {
        match error {
            waking::Error::Wire(error) => Self::Wire(error),
            waking::Error::Journal(error) => Self::Archive(error),
            waking::Error::Thread => Self::Stage { what: "waking".into() },
        }
    }
}

/// A run's journal, and the locks of the collections whose tenants it may wake: two runs would put to sleep what the
/// other one reads.
pub(super) struct Journalled {
    pub(super) journal: Arc<WakeJournal>,
    _locks: Vec<Box<dyn Lock>>,
}

/// Locks the collections and begins the journal. Only for runs that have somebody to wake.
pub(super) async fn begin(
    session: &Session,
    state: &StateFolders,
    url: &str,
    collections: Vec<CollectionName>,
    about: RunAbout,
) -> Result<Journalled, Error> {
    let (locks, files) = journalling::begin(session, state, url, collections, about).await?;
    Ok(Journalled { journal: Arc::new(WakeJournal::new(files)), _locks: locks })
}

/// Puts back whoever is still awake because of this run, however it ended; how many could not be.
pub(super) async fn put_back(session: &Session, collection: &CollectionName, waking: &Waking) -> u64 {
    let reason = match tokio::time::timeout(PUT_BACK, waking.put_back_all()).await {
        Ok(Ok(())) => return 0,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("not done in {} s", PUT_BACK.as_secs()),
    };
    let awake = waking.awake().await;
    let Some(first) = awake.first().cloned() else { return 0 };
    let (collection, tenants) = (collection.clone(), awake.len() as u64);
    session.events.warn(Warning::TenantsStayAwake { collection, tenants, first, reason });
    tenants
}

/// Puts back whoever a round that was cut short left awake. What fails is tried again by the next one, or at the end.
pub(super) async fn put_back_between(session: &Session, collection: &CollectionName, waking: &Waking) {
    // A run that is told to stop does it once, at its end.
    let bounded = async { tokio::time::timeout(PUT_BACK, waking.put_back_all()).await.unwrap_or(Ok(())) };
    if let Err(error) = session.unless_stopped(bounded).await {
        tracing::warn!(%collection, %error, "tenants cannot be put back yet");
    }
}

/// Where runs that wake tenants write down whom.
#[derive(Debug, Clone)]
pub(super) enum WakeBooks {
    /// Below these folders.
    In(StateFolders),
    /// The same, for a run that has locked the collection already.
    Locked(StateFolders),
    /// Nowhere: there is no such place, and nobody may be woken.
    Nowhere,
    /// Nowhere: the tenants are the run's own.
    NotNeeded,
}

/// Tenants that killed runs on this server woke and did not put back.
pub(super) async fn left_awake(
    session: &Session,
    runs: &Path,
    url: &str,
) -> Result<BTreeMap<CollectionName, BTreeSet<TenantName>>, Error> {
    let (disk, runs, url) = (Arc::clone(&session.disk), runs.to_owned(), url.to_owned());
    blocking("earlier runs", move || runfiles::left_awake(&*disk, &runs, &url)).await
}
