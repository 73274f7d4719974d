//! How the memory of a comparison is shared out: readers of the archive on one side, pages of the server on the other.
//! Pure.

use crate::pipeline::long_lines::{LongLines, OTHER_BYTES};
use crate::pipeline::pacer::PAGE_BYTES;

/// What one reader of the archive holds: its codec, the buffer it fills, and the pieces that wait.
const READER_BYTES: u64 = 2 << 20;
/// Large objects that one reader holds at once: one that is read, and a piece each that waits, is to be sent, and is
/// compared.
const OBJECTS_A_READER: u64 = 4;
/// The least that pages may take.
const LEAST_PAGES_BYTES: u64 = 4 << 20;
/// Pages that may be in memory for each request in flight: on the wire, and being compared.
const PAGES_A_REQUEST: u64 = 2;
/// What the pages of all workers should weigh together. Each keeps its page while it is compared, whether a request is
/// in flight or not, so the pacer's own bound does not hold them.
const PAGES_BYTES: u64 = 12 << 20;
/// The least a page may weigh, where its share of the budget allows it.
const LEAST_PAGE_BYTES: u64 = 1 << 20;

/// Who gets what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Units compared at once, each with a reader of its own.
    pub(crate) workers: usize,
    /// What pages may take together.
    pub(crate) budget_bytes: u64,
    /// What one page should weigh.
    pub(crate) page_bytes: u64,
    /// The longest line that each reader holds without waiting for its turn.
    pub(crate) own_line_bytes: u64,
}

impl Shares {
    /// The shares of `memory_bytes`, for `jobs` workers at most. `object_bytes`: the mean size of an archived object.
    pub(crate) fn of(memory_bytes: u64, jobs: usize, object_bytes: u64) -> Self {
        let memory = memory_bytes.saturating_sub(OTHER_BYTES);
        let own_line_bytes = object_bytes + object_bytes / 4;
        let by_turns = own_line_bytes > LongLines::MOST_OWN_BYTES;
        let held = if by_turns { object_bytes } else { object_bytes.saturating_mul(OBJECTS_A_READER) };
        let reader = READER_BYTES.max(held);
        let workers = usize::try_from(memory / 2 / reader).unwrap_or(jobs).clamp(1, jobs.max(1));
        let budget_bytes = memory.saturating_sub(reader.saturating_mul(workers as u64)).max(LEAST_PAGES_BYTES);
        let share = budget_bytes / (workers as u64 * PAGES_A_REQUEST);
        let even = (PAGES_BYTES / workers as u64).max(LEAST_PAGE_BYTES);
        // A page holds an object or two in any case, or each would be fetched alone with the whole budget.
        let page_bytes = PAGE_BYTES.min(even.max(object_bytes.saturating_mul(2))).min(share);
        Self { workers, budget_bytes, page_bytes, own_line_bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn readers_and_pages_together_stay_within_the_limit() {
        for memory in [32, 64, 128, 1_024] {
            for object in [0, 1_000, MIB, 20 * MIB, 200 * MIB] {
                let shares = Shares::of(memory * MIB, 8, object);
                let held = if object > 6 * MIB { object } else { object * OBJECTS_A_READER };
                let readers = shares.workers as u64 * READER_BYTES.max(held);
                let whole = readers + shares.budget_bytes + OTHER_BYTES;
                assert!(whole <= memory * MIB || shares.workers == 1, "{memory} MiB, objects of {object}: {shares:?}");
                assert!(shares.page_bytes * PAGES_A_REQUEST * shares.workers as u64 <= shares.budget_bytes);
            }
        }
    }

    #[test]
    fn large_objects_are_compared_by_fewer_workers() {
        let workers = |object: u64| Shares::of(128 * MIB, 8, object).workers;
        assert_eq!([1_000, MIB, 4 * MIB, 20 * MIB].map(workers), [8, 8, 3, 2]);
    }

    #[test]
    fn many_workers_ask_for_small_pages() {
        let page = |jobs: usize, object: u64| Shares::of(128 * MIB, jobs, object).page_bytes;
        assert_eq!([page(1, 1_000), page(8, 1_000), page(100, 1_000)], [PAGE_BYTES, 12 * MIB / 8, MIB]);
        assert_eq!(page(8, 3 * MIB / 2), 3 * MIB);
    }
}
