//! What bounds runs of more than one kind, unless their options say otherwise.

use std::time::Duration;

/// Bytes that pages, batches and buffers may take.
pub const MEMORY_BYTES: u64 = 128 << 20;
/// How long a server that is not whole, or does not do what it was asked, is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Requests in flight at most that read or write objects.
pub const MOST_JOBS: usize = 8;
/// Requests in flight at most, of which so many were asked for.
pub(in crate::ops) fn jobs(asked: Option<usize>) -> usize {
    asked.unwrap_or(MOST_JOBS).max(1)
}

/// Differences between an archive and a server that are listed.
pub(in crate::ops) const DIFFERENCES_LISTED: usize = 100;
/// Small questions about collections or tenants that are asked at once.
pub(in crate::ops) const ASKED_AT_ONCE: usize = 8;
/// Rounds without progress before a server that keeps breaking is given up.
pub(in crate::ops) const MOST_ROUNDS: u32 = 50;
