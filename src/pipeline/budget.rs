//! The one budget of bytes in memory: a permit is taken before a page is asked for, travels with the batch, and comes
//! back when the batch is stored. This bounds memory whatever the sizes of collection, page and object.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are counted in this many bytes, so that they fit `u32`.
const UNIT_BYTES: u64 = 1 << 10;

/// A budget of bytes, shared by everything that holds pages.
#[derive(Debug, Clone)]
pub struct Budget {
    permits: Arc<Semaphore>,
    units: u32,
}

/// A share of the budget; dropping it gives it back.
#[derive(Debug)]
pub struct Share {
    permit: OwnedSemaphorePermit,
}

impl Budget {
    /// A budget of `bytes`, at least one unit and at most 4 TiB.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX >> 3).clamp(1, u32::MAX >> 3);
        Self { permits: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// All there is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::from(self.units) * UNIT_BYTES
    }

    /// Waits for a share of `bytes`, or of the whole budget if that is less. Shares are given in the order of asking.
    pub async fn take(&self, bytes: u64) -> Share {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.units);
        loop {
            // The semaphore is never closed, so the loop body runs once.
            if let Ok(permit) = Arc::clone(&self.permits).acquire_many_owned(units).await {
                return Share { permit };
            }
        }
    }

    /// Bytes not taken at the moment.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.permits.available_permits() as u64 * UNIT_BYTES
    }
}

impl Share {
    /// The size of this share in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.permit.num_permits() as u64 * UNIT_BYTES
    }

    /// Gives back what is beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let keep = usize::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(usize::MAX).max(1);
        if let Some(surplus) = self.permit.num_permits().checked_sub(keep) {
            drop(self.permit.split(surplus));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shares_come_back_when_dropped_and_when_shrunk() {
        let budget = Budget::new(1 << 20);
        let mut share = budget.take(512 << 10).await;
        assert_eq!(budget.free_bytes(), 512 << 10);
        share.shrink_to(1000);
        assert_eq!((share.bytes(), budget.free_bytes()), (1 << 10, 1023 << 10));
        drop(share);
        assert_eq!(budget.free_bytes(), budget.bytes());
    }

    #[tokio::test]
    async fn more_than_everything_is_everything() {
        let budget = Budget::new(64 << 10);
        let share = budget.take(u64::MAX).await;
        assert_eq!((share.bytes(), budget.free_bytes()), (64 << 10, 0));
    }
}
