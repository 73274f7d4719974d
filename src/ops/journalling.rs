//! The files of a run that writes: its locks, its directory, and lines in its journal, off the async threads.

use std::sync::Arc;

use super::restore::StateFolders;
use super::{Error, Session, blocking};
use crate::archive::{self, Lock, RunAbout, RunFiles, RunRecord, runfiles};
use crate::model::CollectionName;

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
        let mut locks = Vec::new();
        for target in &targets {
            locks.push(runfiles::lock(&*disk, &state.locks, &url, target)?);
        }
        let files = RunFiles::create(disk, &state.runs, about)?;
        Ok::<_, archive::Error>((locks, files))
    };
    blocking("run files", begin).await
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
    Ok(written?)
}
