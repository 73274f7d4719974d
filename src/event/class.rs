//! What kind of thing stopped a run.

/// What kind of thing stopped a run: data for whoever sets exit codes (`cli/failure.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// An invariant of elysiactl does not hold.
    Bug,
    /// A flag, a setting or a file named in one makes no sense.
    Usage,
    /// Everything ran, but objects are missing, skipped or different.
    Incomplete,
    /// Not done on purpose: not confirmed, in the way of something, nothing to do it to.
    Refused,
    /// The server cannot be reached, is not whole, refuses the key, or kept failing.
    Server,
    /// The archive is damaged, unsealed or of an unknown version.
    Archive,
    /// The local disk or a local file.
    Disk,
    /// Another run holds the lock.
    Locked,
    /// A signal stopped the run.
    Interrupted,
    /// Whoever read the results has gone, and so nobody wants the rest.
    ReaderGone,
}
