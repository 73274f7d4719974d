//! The journal of a run that writes: with its claim, begun or resumed.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::claim::Claiming;
use super::{Session, StateFolders, blocking};
use crate::archive::claims::Claim;
use crate::archive::runfiles::Forget;
use crate::archive::{RunAbout, RunFiles, RunHistory, RunRecord};
use crate::event::Op;
use crate::model::TenantMap;
use crate::ops::Error;
use crate::pipeline::journal::{self, RunJournal};

impl From<journal::Error> for Error {
    fn from(error: journal::Error) -> Self {
        match error {
            journal::Error::Files(error) => Self::Archive(error).of_run_files(),
            journal::Error::Thread => Self::Stage { what: "journal".into() },
        }
    }
}

/// A run's journal, and its claim of the collections that it is about, held until this is dropped.
pub(in crate::ops) struct Journalled {
    pub(in crate::ops) journal: RunJournal,
    claim: Arc<Mutex<Claim>>,
}

/// A run whose files are taken up: what [`RunFiles::resume`] wants to know of it.
pub(in crate::ops) struct Taken {
    pub(in crate::ops) op: Op,
    pub(in crate::ops) run_id: Uuid,
    pub(in crate::ops) tenants: TenantMap,
    pub(in crate::ops) looked: RunHistory,
    pub(in crate::ops) forget: Forget,
}

impl Journalled {
    fn new(files: RunFiles, claim: Claim) -> Self {
        Self { journal: RunJournal::new(files), claim: Arc::new(Mutex::new(claim)) }
    }

    /// Claims the collections of a run, then makes its directory and begins its journal.
    pub(in crate::ops) async fn begin(
        claiming: Claiming<'_>,
        state: &StateFolders,
        about: RunAbout,
    ) -> Result<Self, Error> {
        let session = claiming.access.session;
        let claim = claiming.take(about.op).await?;
        Self::create(session, state, about, claim).await
    }

    /// Makes the directory of a run that has claimed its collections, and begins its journal.
    pub(in crate::ops) async fn create(
        session: &Session,
        state: &StateFolders,
        about: RunAbout,
        claim: Claim,
    ) -> Result<Self, Error> {
        let (disk, runs) = (Arc::clone(&session.local), state.runs.clone());
        let created = blocking("run files", move || RunFiles::create(disk, &runs, about)).await;
        created.map(|files| Self::new(files, claim)).map_err(Error::of_run_files)
    }

    /// Claims the collections of a run, then takes up the files of an earlier one; `None` if it has gone on since it was
    /// looked at.
    pub(in crate::ops) async fn resume(
        claiming: Claiming<'_>,
        state: &StateFolders,
        taken: Taken,
    ) -> Result<Option<Self>, Error> {
        let (disk, runs) = (Arc::clone(&claiming.access.local), state.runs.clone());
        let claim = claiming.take(taken.op).await?;
        let resume = move || {
            let Taken { run_id, tenants, looked, forget, .. } = taken;
            RunFiles::resume(disk, &runs, run_id, &tenants, &looked, &forget)
        };
        let resumed = blocking("run files", resume).await.map_err(Error::of_run_files)?;
        Ok(resumed.map(|files| Self::new(files, claim)))
    }

    /// Writes a line into the journal, durably.
    pub(in crate::ops) async fn record(&self, record: RunRecord) -> Result<(), Error> {
        Ok(self.journal.record(record).await?)
    }

    /// Adds shards of a collection that this run has made to what it claims.
    pub(in crate::ops) async fn add_shards(&self, shards: Vec<String>) -> Result<(), Error> {
        let claim = Arc::clone(&self.claim);
        blocking("locks", move || claim.lock().unwrap_or_else(PoisonError::into_inner).add_shards(&shards)).await
    }
}
