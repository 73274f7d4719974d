//! How many files may be open at once.

/// Raises the limit to what this process may give itself. A run needs few files, however many collections it is about;
/// connections, and readers beside each other, come on top.
#[cfg(unix)]
pub(super) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// More is of no use, and some systems take no larger number (macOS: `OPEN_MAX`).
    const ENOUGH: u64 = 10_240;

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
    if current.is_some_and(|current| current < wanted) {
        // Where it is refused, it stays as it was.
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
            tracing::warn!(%error, "the limit of open files stays as it is");
        }
    }
}

#[cfg(not(unix))]
pub(super) fn raise_limit() {}
