//! A run's journal as a handle: a clone for each task and thread that writes into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use crate::archive::{self, RunFiles, RunRecord};
use crate::model::{CollectionName, Reason};

/// Why a journal could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk, or a call that failed before.
    #[error(transparent)]
    Files(#[from] archive::Error),
    /// The thread that was to write ended without saying why: a bug. Nothing is written after it.
    #[error("a thread stopped without a reason")]
    Thread,
}

/// The files of one run, one writer at a time, in the order in which they asked. Clones are the same files.
#[derive(Clone)]
pub struct RunJournal {
    path: Arc<Path>,
    files: Arc<Mutex<RunFiles>>,
}

impl RunJournal {
    /// Writes into the files of this run.
    #[must_use]
    pub fn new(files: RunFiles) -> Self {
        Self { path: files.path().into(), files: Arc::new(Mutex::new(files)) }
    }

    /// The run's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record, durably. Whoever stops waiting for it loses nothing: a record that was begun is written.
    pub async fn record(&self, record: RunRecord) -> Result<(), Error> {
        self.off_the_tasks(move |files| files.record(&record).and_then(|()| files.sync())).await
    }

    /// Removes the run's directory. Nothing may be recorded afterwards.
    pub async fn remove(&self) -> Result<(), Error> {
        self.off_the_tasks(RunFiles::remove).await
    }

    /// The file of refused objects, if there are any.
    pub async fn rejected(&self) -> Option<PathBuf> {
        self.files.lock().await.rejected()
    }

    /// Why objects of a collection were refused, the commonest reason first. Told once.
    pub async fn take_reasons(&self, collection: &CollectionName) -> Vec<Reason> {
        self.files.lock().await.take_reasons(collection)
    }

    /// The files, for a thread that may block. Nobody else writes while they are held.
    pub fn blocking(&self) -> MutexGuard<'_, RunFiles> {
        self.files.blocking_lock()
    }

    async fn off_the_tasks<F>(&self, call: F) -> Result<(), Error>
    where
        F: FnOnce(&mut RunFiles) -> Result<(), archive::Error> + Send + 'static,
    {
        let mut files = Arc::clone(&self.files).lock_owned().await;
        Ok(tokio::task::spawn_blocking(move || call(&mut files)).await.map_err(|_| Error::Thread)??)
    }
}

impl std::fmt::Debug for RunJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RunJournal").field(&self.path).finish()
    }
}
