//! The routes, one file for each group.

mod aliases;
mod authz;
pub(crate) mod batch;
mod delete;
mod graphql;
mod health;
mod list;
mod nodes;
mod objects;
mod references;
mod router;
mod schema;
mod shards;
pub(crate) mod tenants;

pub(crate) use router::router;
