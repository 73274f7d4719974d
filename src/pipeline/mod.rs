//! The stages between server and archive, and the value that travels between them.

pub mod split;
