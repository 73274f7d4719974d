//! Archives themselves: what finds damage, and what becomes of archives that somebody changed or made to do harm.

/// `archive check`: damage of every kind is found.
mod check;
/// Disks without room, real ones.
mod full_disk;
/// Archives made to do harm, through the binary.
#[cfg(unix)]
mod hostile;
/// Modes of what a run writes.
#[cfg(unix)]
mod modes;
/// Members that servers take for others than they are spelled as.
#[cfg(unix)]
mod other_spellings;
/// Archives that are read wrongly, once or always.
mod read_faults;
/// Archives that somebody changes while they are in use.
#[cfg(unix)]
mod replaced;
