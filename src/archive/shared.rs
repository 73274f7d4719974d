//! What the writers of one archive have in common.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::codec::Codec;
use super::disk::Disk;
use super::journal::Journal;

/// Shared by the writer of an archive, those of its collections, and the collections that are closed.
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) path: PathBuf,
    pub(super) codec: Codec,
    journal: Mutex<Journal>,
}

impl Shared {
    pub(super) fn new(disk: Arc<dyn Disk>, path: PathBuf, codec: Codec, journal: Journal) -> Self {
        Self { disk, path, codec, journal: Mutex::new(journal) }
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
