//! `col restore`.

/// The stage that activates tenants while runs of theirs are written, by itself.
mod activation;
/// Collections restored with other settings than the archive has, and the settings that are offered.
mod adapted;
/// What stands beside the objects of a restore: aliases, roles, settings, and what is said of what cannot come back.
mod beside;
/// Compressions that are trained: started after a restore, or said not to be.
mod compression;
/// Empty lists of dates, on their way into a cluster.
mod date_lists;
/// Where modules send what they are given, as an archive says.
mod endpoints;
/// Collections whose objects expire: counted before they are written, named where they went.
mod expiry;
/// Batches of `col restore` that are too slow, too large, or refused in words that may mean the server.
mod imports;
/// `col restore --merge`: into collections that exist.
mod merged;
/// `col restore`: what lies in the archive is what the server holds afterwards.
mod objects;
/// Vectors of several lengths in one collection: all come back, or are named.
mod odd_vectors;
/// Batches of which a part fails: rejected by name, or stored on another try.
mod partial_batches;
/// `col restore` at a terminal: the list of archives, and what ends it.
#[cfg(unix)]
mod prompts;
/// References of `col restore`: to itself, in circles, to what is not there.
pub(crate) mod references;
/// The same on a server that fails, blames, or says nothing.
mod references_faults;
/// The same where objects have tenants, and targets are looked for.
mod references_tenants;
/// `col restore --resume`: whatever stopped a restore, resumed it ends as an unbroken one would.
mod resumed;
/// Class documents that are asked for in place of the archived one.
mod schema_files;
/// `col restore --where` and its like: a part of an archive.
mod selected;
/// `col restore` of multi-tenant collections: every tenant comes back with its objects and in its state.
mod tenants;
