//! The stages between server and archive, and the value that travels between them on a bounded channel.

pub mod activation;
mod batch;
pub(crate) mod bookkeeping;
pub mod budget;
pub mod compare;
mod fetch;
pub mod guard;
pub mod ids;
pub mod import;
pub mod journal;
pub mod keyspace;
pub mod limits;
pub mod load;
pub mod long_lines;
pub mod marks;
pub mod pacer;
pub(crate) mod parts;
pub(crate) mod peek;
pub mod present;
pub mod replaced;
pub mod replicas;
pub mod rewrite;
pub mod scan;
mod slots;
pub mod split;
pub mod store;

pub use batch::{BATCHES_WAITING, Batch, BatchOrigin, Objects, Page};
