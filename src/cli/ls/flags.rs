//! The flags of `col ls`.

use clap::Args;

/// List the collections of a server
///
/// Shows the objects, tenants, vectors, kinds of index, shards and replicas of each. An unqualified count is exact; any
/// other says what it covers. Makes no changes, and activates no tenant.
#[derive(Debug, Args)]
pub(in crate::cli) struct LsArgs {
    /// Collections to list; `*`, `?`, `[…]` and `{a,b}` match as in a shell [default: all]
    #[arg(value_name = "NAME|GLOB")]
    pub collections: Vec<String>,
}
