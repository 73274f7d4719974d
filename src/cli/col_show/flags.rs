//! The flags of `col show`.

use clap::Args;

use crate::cli::args::collection_name;
use crate::model::CollectionName;

/// Show one collection: schema, counts, shards, tenants, aliases, size
///
/// The size and the dimensions of vectors come from a page of up to 100 objects. Makes no changes, and activates no
/// tenant. With --json the server's own schema is in the document, byte for byte.
#[derive(Debug, Args)]
pub(in crate::cli) struct ColShowArgs {
    /// The collection, or an alias of it
    #[arg(value_name = "NAME", value_parser = collection_name)]
    pub collection: CollectionName,
}
