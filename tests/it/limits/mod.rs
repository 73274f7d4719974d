//! Memory and time: what is large, swells or is slow.

/// Answers and files that would become many times their size in memory, or are nested without end.
#[cfg(target_os = "linux")]
mod bombs;
/// Objects of many megabytes, within the memory allowed.
mod large_objects;
/// Servers and disks that are slow: nothing is given up, and nothing piles up.
mod slow;
