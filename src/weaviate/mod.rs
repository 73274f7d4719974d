//! The wire: everything elysiactl asks a Weaviate server over REST, through one `send` that alone retries.

mod aliases;
mod attempt;
mod body;
mod client;
mod connection;
mod count;
mod delete;
mod error;
mod facts;
mod identity;
mod import;
mod lasting;
mod meta;
mod newest;
mod object;
mod pace;
mod page;
mod ready;
mod references;
mod replicas;
mod retry;
mod rights;
mod said;
mod schema;
mod seen;
mod shards;
mod tenants;
mod topology;
mod transport;
mod writer;

#[cfg(test)]
mod tests;

pub use aliases::Aliases;
pub use client::Client;
pub use connection::Connection;
pub use count::Count;
pub use delete::{Deleted, Doomed};
pub use error::{Bound, Error, Tried};
pub use facts::{IdleNamespace, RunningTask, ServerFacts};
pub use import::ImportReply;
pub use lasting::{LastingCause, LimitOf, OperationalMode};
pub use meta::{Meta, Version};
pub use object::{EmptyBodies, PrintedObject};
pub use page::{PageReply, PageRequest};
pub use references::{ReferReply, Unknown};
pub use replicas::{Held, Replicas};
pub use reqwest::{Url, header::HeaderName};
pub use retry::RetryPolicy;
pub use rights::Rights;
pub use seen::{Listed, Named};
pub use shards::ShardState;
pub use tenants::{Tenant, TenantState, TenantTrouble};
pub use topology::{Topologies, Topology};
pub use writer::Writer;
