//! The journal of a run that writes: with its claim, begun or resumed.

use std::sync::Arc;

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

/// Claims the collections of a run, then makes its directory and begins its journal.
pub(in crate::ops) async fn begin(
    claiming: Claiming<'_>,
    state: &StateFolders,
    about: RunAbout,
) -> Result<(Claim, RunJournal), Error> {
    let session = claiming.session;
    let claim = claiming.take(about.op).await?;
    Ok((claim, create(session, state, about).await?))
}

/// Makes the directory of a run and begins its journal.
pub(in crate::ops) async fn create(
    session: &Session,
    state: &StateFolders,
    about: RunAbout,
) -> Result<RunJournal, Error> {
    let (disk, runs) = (Arc::clone(&session.local), state.runs.clone());
    let created = blocking("run files", move || RunFiles::create(disk, &runs, about)).await;
    created.map(RunJournal::new).map_err(Error::of_run_files)
}

/// A run whose files are taken up: what [`RunFiles::resume`] wants to know of it.
pub(in crate::ops) struct Taken {
    pub(in crate::ops) run_id: Uuid,
    pub(in crate::ops) tenants: TenantMap,
    pub(in crate::ops) looked: RunHistory,
    pub(in crate::ops) forget: Forget,
}

/// Claims the collections of a run, then takes up the files of an earlier one; `None` if it has gone on since it was looked
/// at.
pub(in crate::ops) async fn resume(
    claiming: Claiming<'_>,
    state: &StateFolders,
    taken: Taken,
) -> Result<Option<(Claim, RunJournal)>, Error> {
    let (disk, runs) = (Arc::clone(&claiming.session.local), state.runs.clone());
    let claim = claiming.take(Op::Restore).await?;
    let resume = move || {
        let Taken { run_id, tenants, looked, forget } = taken;
        RunFiles::resume(disk, &runs, run_id, &tenants, &looked, &forget)
    };
    let resumed = blocking("run files", resume).await.map_err(Error::of_run_files)?;
    Ok(resumed.map(|files| (claim, RunJournal::new(files))))
}

/// Writes a line into the journal, durably. There is one as soon as the run has begun.
pub(in crate::ops) async fn record(journal: Option<&RunJournal>, record: RunRecord) -> Result<(), Error> {
    let Some(journal) = journal else { return Err(Error::Stage { what: "journal".into() }) };
    Ok(journal.record(record).await?)
}
