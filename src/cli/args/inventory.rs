//! The flags of `col ls` and `col show`.

use clap::Args;

use super::values::collection_name;
use crate::model::CollectionName;

/// List the collections of a server
///
/// Counts the objects of each and shows its tenants, vectors, kinds of index, shards and replicas. Only a number that
/// is certain stands alone; what it is otherwise is said beside it. Sends reading requests only, and wakes no tenant.
#[derive(Debug, Args)]
pub(in crate::cli) struct LsArgs {
    /// Collections to list; `*`, `?`, `[…]` and `{a,b}` match as in a shell [default: all]
    #[arg(value_name = "NAME|GLOB")]
    pub collections: Vec<String>,
}

/// Show one collection: schema, counts, shards, tenants, aliases, size
///
/// The size and the dimensions of vectors come from a page of up to 100 objects. Sends reading requests only, and wakes
/// no tenant. With --json the server's own schema is in the document, byte for byte.
#[derive(Debug, Args)]
pub(in crate::cli) struct ColShowArgs {
    /// The collection, or an alias of it
    #[arg(value_name = "NAME", value_parser = collection_name)]
    pub collection: CollectionName,
}
