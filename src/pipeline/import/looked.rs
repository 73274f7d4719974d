//! What the objects of a batch met where others have objects.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What an object of a batch meets where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// Nothing: it is sent.
    Nothing,
    /// What is kept elsewhere and may be replaced: it is sent.
    Kept,
    /// Something else, which stays.
    Other,
}

/// What is known of one object of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look {
    /// What it met when it was looked for first, or whatever was in its way later.
    pub(super) met: Option<Met>,
    /// Whether it was sent: it may be stored, whatever was answered.
    pub(super) sent: bool,
}

/// What the objects of one batch met.
#[derive(Debug)]
pub(super) struct Looked {
    objects: Mutex<Vec<Look>>,
    /// The longest time from a look to the answer to the request after it, in ms.
    longest_ms: AtomicU64,
}

impl Looked {
    pub(super) fn new(objects: usize) -> Self {
        Self { objects: Mutex::new(vec![Look::default(); objects]), longest_ms: AtomicU64::new(0) }
    }

    /// So much time lay between a look and the answer to the request after it.
    pub(super) fn took(&self, time: Duration) {
        self.longest_ms.fetch_max(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The same in ms, the longest so far.
    pub(super) fn longest_ms(&self) -> u64 {
        self.longest_ms.load(Ordering::Relaxed)
    }

    pub(super) fn objects(&self) -> MutexGuard<'_, Vec<Look>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects, by their places, that met this.
    pub(super) fn that_met(&self, what: Met) -> Vec<usize> {
        let objects = self.objects();
        objects.iter().enumerate().filter(|(_, look)| look.met == Some(what)).map(|(at, _)| at).collect()
    }
}
