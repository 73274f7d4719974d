//! `col clear`.

/// `col clear`: what was asked for is empty afterwards and still what it was.
mod emptied;
/// `col clear` killed at any moment and run again.
#[cfg(unix)]
mod kills;
/// `col clear` at a terminal and without one.
#[cfg(unix)]
mod prompts;
/// Rehearsals: what would not come back, or not be made, is found out first, and leaves nothing.
mod rehearsal;
/// `col clear --resume`: the last clear, if it was stopped, is resumed by its own journal.
#[cfg(unix)]
mod resumed;
