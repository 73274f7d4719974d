//! The flags of `col ls`.

use clap::Args;

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
