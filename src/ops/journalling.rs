//! The files of a run that writes: its locks, its directory, and lines in its journal, off the async threads.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use super::restore::StateFolders;
use super::{Error, Session, blocking};
use crate::archive::{self, Lock, RunAbout, RunFiles, RunHistory, RunRecord, runfiles};
use crate::model::{CollectionName, TenantMap};

/// Locks every target on this server, then makes the run's directory and begins its journal.
pub(super) async fn begin(
    session: &Session,
    state: &StateFolders,
    url: &str,
    targets: Vec<CollectionName>,
    about: RunAbout,
) -> Result<(Vec<Box<dyn Lock>>, RunFiles), Error> {
    let (disk, state, url) = (Arc::clone(&session.disk), state.clone(), url.to_owned());
    let begin = move || {
        let locks = lock_all(&*disk, &state.locks, &url, &targets)?;
        let files = RunFiles::create(disk, &state.runs, about)?;
        Ok::<_, archive::Error>((locks, files))
    };
    blocking("run files", begin).await.map_err(Error::of_run_files)
}

/// A run whose files are taken up: what [`RunFiles::resume`] wants to know of it.
pub(super) struct Taken {
    pub(super) run_id: Uuid,
    pub(super) tenants: TenantMap,
    pub(super) looked: RunHistory,
    pub(super) again: Vec<CollectionName>,
}

/// Locks every target on this server, then takes up the files of a run; `None` if it has gone on since it was looked at.
pub(super) async fn resume(
    session: &Session,
    state: &StateFolders,
    url: &str,
    targets: Vec<CollectionName>,
    taken: Taken,
) -> Result<Option<(Vec<Box<dyn Lock>>, RunFiles)>, Error> {
    let (disk, state, url) = (Arc::clone(&session.disk), state.clone(), url.to_owned());
    let resume = move || {
        let locks = lock_all(&*disk, &state.locks, &url, &targets)?;
        let Taken { run_id, tenants, looked, again } = taken;
        let files = RunFiles::resume(disk, &state.runs, run_id, &tenants, &looked, &again)?;
        Ok::<_, archive::Error>(files.map(|files| (locks, files)))
    };
    blocking("run files", resume).await.map_err(Error::of_run_files)
}

fn lock_all(
    disk: &dyn archive::Disk,
    locks: &Path,
    url: &str,
    targets: &[CollectionName],
) -> Result<Vec<Box<dyn Lock>>, archive::Error> {
    targets.iter().map(|target| runfiles::lock(disk, locks, url, target)).collect()
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
