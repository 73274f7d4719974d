//! Room for the lines that are to be sent: from the budget of batches, so that a long one waits until others are gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::archive::LineRoom;
use crate::pipeline::budget::{Budget, Share};
use crate::pipeline::long_lines::LEAST_LONGEST_BYTES;

/// The line that is being read.
pub(super) struct Room {
    budget: Budget,
    most: usize,
    stop: CancellationToken,
    /// What the same reading holds of the budget meanwhile, in bytes.
    held: u64,
    share: LineShare,
}

/// The share of the line that is being read, if it is long. Clones show the same.
#[derive(Clone, Default)]
pub(super) struct LineShare(Arc<Mutex<Option<Share>>>);

impl LineShare {
    /// Its size in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.lock().as_ref().map_or(0, Share::bytes)
    }

    /// Gives it back.
    pub(super) fn give_back(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Share>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    pub(super) fn new(budget: &Budget, most: usize, stop: &CancellationToken) -> Self {
        Self { budget: budget.clone(), most, stop: stop.clone(), held: 0, share: LineShare::default() }
    }

    /// The same beside another line, which is held until this reading has ended.
    pub(super) fn beside(self, line: &LineShare) -> Self {
        Self { held: line.bytes(), ..self }
    }

    /// Where the line's share is until its object gets one of its own.
    pub(super) fn share(&self) -> LineShare {
        self.share.clone()
    }
}

impl LineRoom for Room {
    fn grow(&mut self, held: usize) -> usize {
        if held < LEAST_LONGEST_BYTES {
            return LEAST_LONGEST_BYTES.min(self.most);
        }
        if held >= self.most {
            return held;
        }
        // After a stop whoever is shown the line wants no more.
        let share = Handle::current().block_on(async {
            tokio::select! {
                share = self.budget.take_beside(self.held, self.most as u64) => Some(share),
                () = self.stop.cancelled() => None,
            }
        });
        *self.share.lock() = share;
        self.most
    }

    fn end(&mut self) {
        self.share.give_back();
    }
}
