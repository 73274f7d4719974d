//! The one budget of bytes in memory: a permit is taken before a page is asked for, travels with the batch, and comes
//! back when the batch is stored. This bounds memory whatever the sizes of collection, page and object.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits are counted in this many bytes, so that they fit `u32`.
const UNIT_BYTES: u64 = 1 << 10;

/// Ordinary pages never take more than this together: enough to keep a server and a disk busy, and reached within the
/// first second, so that the peak does not depend on how long a run is.
const FLOW_BYTES: u64 = 26 << 20;

/// A budget of bytes, shared by everything that holds pages.
#[derive(Debug, Clone)]
pub struct Budget {
    permits: Arc<Semaphore>,
    units: u32,
    flow: Arc<Semaphore>,
    flow_units: u32,
}

/// A share of the budget; dropping it gives it back.
#[derive(Debug)]
pub struct Share {
    permit: OwnedSemaphorePermit,
    flow: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// A budget of `bytes`, at least one unit and at most 4 TiB.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self::with_flow(bytes, FLOW_BYTES)
    }

    /// The same, of which ordinary pages may take `flow_bytes` together.
    #[must_use]
    pub fn with_flow(bytes: u64, flow_bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX >> 3).clamp(1, u32::MAX >> 3);
        let flow_units = u32::try_from(flow_bytes / UNIT_BYTES).unwrap_or(units).clamp(1, units);
        let semaphore = |units: u32| Arc::new(Semaphore::new(units as usize));
        Self { permits: semaphore(units), units, flow: semaphore(flow_units), flow_units }
    }

    /// All there is, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::from(self.units) * UNIT_BYTES
    }

    /// What ordinary pages may take together, in bytes.
    #[must_use]
    pub fn flow_bytes(&self) -> u64 {
        u64::from(self.flow_units) * UNIT_BYTES
    }

    /// Waits for a share of `bytes`, or of all that ordinary pages may take if that is less. Shares are given in the
    /// order of asking.
    pub async fn take(&self, bytes: u64) -> Share {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.flow_units);
        let flow = acquire(&self.flow, units).await;
        Share { permit: acquire(&self.permits, units).await, flow: Some(flow) }
    }

    /// The same for somebody who holds a share of `held` bytes already: both together are no more than ordinary pages may
    /// take, so that it is not waited for what the same one holds.
    pub async fn take_beside(&self, held: u64, bytes: u64) -> Share {
        let left = self.flow_bytes().saturating_sub(held);
        if left == 0 {
            return Share { permit: acquire(&self.permits, 0).await, flow: None };
        }
        self.take(bytes.min(left)).await
    }

    /// Waits for the whole budget: nothing else is in memory then.
    pub async fn take_all(&self) -> Share {
        Share { permit: acquire(&self.permits, self.units).await, flow: None }
    }

    /// Bytes not taken at the moment.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.permits.available_permits() as u64 * UNIT_BYTES
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, units: u32) -> OwnedSemaphorePermit {
    loop {
        // The semaphore is never closed, so the loop body runs once.
        if let Ok(permit) = Arc::clone(semaphore).acquire_many_owned(units).await {
            return permit;
        }
    }
}

impl Share {
    /// The size of this share in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.permit.num_permits() as u64 * UNIT_BYTES
    }

    /// Adds another share of the same budget.
    pub fn join(&mut self, other: Self) {
        self.permit.merge(other.permit);
        match (&mut self.flow, other.flow) {
            (Some(ours), Some(theirs)) => ours.merge(theirs),
            (ours, theirs) => *ours = ours.take().or(theirs),
        }
    }

    /// Gives back what is beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let keep = usize::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(usize::MAX).max(1);
        for permit in self.flow.iter_mut().chain([&mut self.permit]) {
            if let Some(surplus) = permit.num_permits().checked_sub(keep) {
                drop(permit.split(surplus));
            }
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
    async fn a_share_beside_another_never_waits_for_that_one() {
        let budget = Budget::new(64 << 10);
        let mut share = budget.take(40 << 10).await;
        share.join(budget.take_beside(share.bytes(), 40 << 10).await);
        assert_eq!((share.bytes(), budget.free_bytes()), (64 << 10, 0));
        share.join(budget.take_beside(share.bytes(), 40 << 10).await);
        assert_eq!(share.bytes(), 64 << 10);
        drop(share);
        assert_eq!((budget.free_bytes(), budget.take(u64::MAX).await.bytes()), (64 << 10, 64 << 10));
    }

    #[tokio::test]
    async fn more_than_everything_is_everything() {
        let budget = Budget::new(64 << 10);
        let share = budget.take(u64::MAX).await;
        assert_eq!((share.bytes(), budget.free_bytes()), (64 << 10, 0));
        drop(share);
        let budget = Budget::new(FLOW_BYTES * 3);
        let share = budget.take(u64::MAX).await;
        assert_eq!(share.bytes(), FLOW_BYTES, "what ordinary pages may take");
        drop(share);
        assert_eq!(budget.take_all().await.bytes(), FLOW_BYTES * 3);
    }
}
