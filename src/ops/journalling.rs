//! The files of a run that writes: its claim, its directory, and lines in its journal, off the async threads.

use std::sync::Arc;

use uuid::Uuid;

use super::run::claim::Claiming;
use super::{Error, Session, StateFolders, blocking};
use crate::archive::claims::Claim;
use crate::archive::runfiles::Forget;
use crate::archive::{self, RunAbout, RunFiles, RunHistory, RunRecord};
use crate::event::Op;
use crate::model::TenantMap;

/// Claims the collections of a run, then makes its directory and begins its journal.
pub(super) async fn begin(
    claiming: Claiming<'_>,
    state: &StateFolders,
    about: RunAbout,
) -> Result<(Claim, RunFiles), Error> {
    let session = claiming.session;
    let claim = claiming.take(about.op).await?;
    Ok((claim, create(session, state, about).await?))
}

/// Makes the directory of a run and begins its journal.
pub(super) async fn create(session: &Session, state: &StateFolders, about: RunAbout) -> Result<RunFiles, Error> {
    let (disk, runs) = (Arc::clone(&session.disk), state.runs.clone());
    blocking("run files", move || RunFiles::create(disk, &runs, about)).await.map_err(Error::of_run_files)
}

/// A run whose files are taken up: what [`RunFiles::resume`] wants to know of it.
pub(super) struct Taken {
    pub(super) run_id: Uuid,
    pub(super) tenants: TenantMap,
    pub(super) looked: RunHistory,
    pub(super) forget: Forget,
}

/// Claims the collections of a run, then takes up the files of an earlier one; `None` if it has gone on since it was looked
/// at.
pub(super) async fn resume(
    claiming: Claiming<'_>,
    state: &StateFolders,
    taken: Taken,
) -> Result<Option<(Claim, RunFiles)>, Error> {
    let (disk, runs) = (Arc::clone(&claiming.session.disk), state.runs.clone());
    let claim = claiming.take(Op::Restore).await?;
    let resume = move || {
        let Taken { run_id, tenants, looked, forget } = taken;
        RunFiles::resume(disk, &runs, run_id, &tenants, &looked, &forget)
    };
    Ok(blocking("run files", resume).await.map_err(Error::of_run_files)?.map(|files| (claim, files)))
}

/// Writes a line into the journal, durably.
pub(super) async fn record(files: &mut Option<RunFiles>, record: RunRecord) -> Result<(), Error> {
    let Some(mut journal) = files.take() else { return Err(Error::Stage { what: "journal".into() }) };
    let write = move || {
        let written = journal.record(&record).and_then(|()| journal.sync());
        Ok::<_, archive::Error>((journal, written))
    };
    let (journal, written) = blocking("journal", write).await?;
    *files = Some(journal);
    written.map_err(|e| Error::from(e).of_run_files())
}
