//! `col create`.

/// The same through the binary.
mod binary;
/// `col create`: what is asked for is what the server has, and nothing that exists is touched.
mod created;
