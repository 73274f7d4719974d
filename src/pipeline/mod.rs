//! The stages between server and archive, and the value that travels between them.

pub mod keyspace;
pub mod pacer;
pub mod split;
