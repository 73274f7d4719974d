//! `col ls` and `col show`.

/// `col ls` and `col show`: what is there, and how far its numbers can be trusted.
mod tables;
/// What a key may not see, and what `-q` still says.
mod unseen;
