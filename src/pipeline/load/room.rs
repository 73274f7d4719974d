//! Room for the lines that are to be sent: from the budget of batches, so that a long one waits until others are gone.

use std::sync::{Arc, Mutex, PoisonError};

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
    share: Arc<Mutex<Option<Share>>>,
}

impl Room {
    pub(super) fn new(budget: &Budget, most: usize, stop: &CancellationToken) -> Self {
        Self { budget: budget.clone(), most, stop: stop.clone(), share: Arc::default() }
    }

    /// Where the line's share is until its object gets one of its own.
    pub(super) fn share(&self) -> Arc<Mutex<Option<Share>>> {
        Arc::clone(&self.share)
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
                share = self.budget.take(self.most as u64) => Some(share),
                () = self.stop.cancelled() => None,
            }
        });
        *self.share.lock().unwrap_or_else(PoisonError::into_inner) = share;
        self.most
    }

    fn end(&mut self) {
        self.share.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
