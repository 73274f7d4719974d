//! What tests share: a sandbox with the operations on it, the binary, a terminal, disks that fail, archives that somebody changed.

/// The binary with an empty environment.
pub(crate) mod binary;
/// The disk of the machine, with files that are worse.
pub(crate) mod disk_of;
/// Archives changed by somebody who can compute checksums.
#[cfg(unix)]
pub(crate) mod forged;
pub(crate) mod said;
/// One of each event and warning, for the tests above.
pub(crate) mod samples;
pub(crate) mod shown;
/// The binary at a pseudo-terminal.
#[cfg(unix)]
pub(crate) mod terminal;
/// How much of the long tests is run.
pub(crate) mod tier;
/// A sandbox, a folder for archives, and the operations on both.
pub(crate) mod world;
