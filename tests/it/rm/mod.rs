//! `col rm`.

/// The same through the binary.
mod binary;
/// What is said of the archives that hold what is about to be removed.
pub(crate) mod held;
/// `col rm` at a terminal: what is typed, and what follows.
#[cfg(unix)]
mod prompts;
/// `col rm`: what is named is gone, its schema is saved, and nothing else is touched.
mod removed;
