//! `col backup`.

/// Vectors that the server is dropping while a collection is read.
mod dropped_vectors;
/// `col backup` while owners remove collections or tenants, or make them again.
mod gone;
/// `col backup`: what comes in is what lies in the archive.
mod objects;
/// `col backup --resume`: an interrupted backup ends as an unbroken one would.
#[cfg(unix)]
mod resumed;
/// `col backup --where`: a part of the objects, and everything read all the same.
pub(crate) mod selected;
/// `col backup` of multi-tenant collections: every tenant, and afterwards each is as it was.
pub(crate) mod tenants;
