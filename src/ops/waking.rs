//! The books of runs that wake tenants: a journal for this run, and what a killed one left awake.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::restore::StateFolders;
use super::{Error, Session, blocking, journalling};
use crate::archive::{Lock, RunAbout, runfiles};
use crate::model::{CollectionName, TenantName};
use crate::pipeline::waking::{self, WakeJournal};

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

/// Tenants that killed runs on this server woke and did not put back.
pub(super) async fn left_awake(
    session: &Session,
    runs: &Path,
    url: &str,
) -> Result<BTreeMap<CollectionName, BTreeSet<TenantName>>, Error> {
    let (disk, runs, url) = (Arc::clone(&session.disk), runs.to_owned(), url.to_owned());
    blocking("earlier runs", move || runfiles::left_awake(&*disk, &runs, &url)).await
}
