//! `col create`: one empty collection from a class document, with its tenants.

mod plan;
mod rehearse;
mod run;
mod stored;

use crate::event::{CreationRemark, PlannedCollection, Remark, RunResult};
use crate::model::{CollectionName, Schema};
use crate::ops::schema::{Fit, Rehearsed};
use crate::ops::server::PlannedServer;
use crate::ops::{Error, StateFolders};
use crate::weaviate::{Rights, Tenant};

pub use plan::plan;
pub use rehearse::rehearse;
pub use run::run;

/// What to create.
#[derive(Debug, Clone)]
pub struct CreationOptions {
    /// The class document.
    pub schema: Schema,
    /// Another name than the document's.
    pub name: Option<CollectionName>,
    /// Tenants to create; only for a multi-tenant collection.
    pub tenants: Vec<Tenant>,
    /// Where locks by server and collection lie, and the journals of runs.
    pub state: StateFolders,
    /// Whether it is first created under a scratch name.
    pub rehearse: bool,
}

impl CreationOptions {
    /// An empty collection of this class document, without tenants, tried out first.
    #[must_use]
    pub fn new(schema: Schema, state: StateFolders) -> Self {
        Self { schema, name: None, tenants: Vec::new(), state, rehearse: true }
    }
}

/// What a collection will be, in words of its class document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// Each property's name and data types.
    pub properties: Vec<(String, String)>,
    /// Each vector's name, its index and its vectorizer; `None` where the document leaves it to the server.
    pub vectors: Vec<(String, Option<String>, Option<String>)>,
    /// Copies of every object, where the document says so.
    pub replicas: Option<u64>,
    /// Shards, where the document says so.
    pub shards: Option<u64>,
    /// Whether it has tenants.
    pub multi_tenant: bool,
}

/// What a creation will do.
#[derive(Debug, Clone)]
pub struct CreationPlan {
    /// The server's URL without credentials.
    pub url: String,
    /// Its version, as it prints it.
    pub server_version: String,
    /// The collection's name on the server.
    pub name: CollectionName,
    /// What it will be.
    pub shape: Shape,
    /// Tenants that will be created, with the states that a server creates them in.
    pub tenants: Vec<Tenant>,
    /// What will not be as the document or the list of tenants says.
    pub remarks: Vec<Remark>,
    /// Whether it was tried out that the server makes it.
    pub rehearsed: Rehearsed,
    /// Why it is not known whether the server is whole, if so.
    pub topology_unchecked: Option<String>,
}

impl CreationPlan {
    /// The collection as events and `--json` show it.
    #[must_use]
    pub fn listed(&self) -> Vec<PlannedCollection> {
        vec![PlannedCollection { objects: Some(0), ..PlannedCollection::of(self.name.clone()) }]
    }
}

/// A plan, with all that was found out to make it.
#[derive(Debug, Clone)]
pub struct PreparedCreation {
    /// The plan.
    pub plan: CreationPlan,
    options: CreationOptions,
    fit: Fit,
    /// What of the document servers keep otherwise.
    rewritten: Vec<CreationRemark>,
    /// What will be different about the tenants.
    tenants_remark: Option<CreationRemark>,
    server: PlannedServer,
    /// What the key may do, where that is known.
    rights: Option<Rights>,
}

/// A creation that came to its end.
#[derive(Debug, Clone)]
pub struct CreationOutcome {
    /// The result in numbers.
    pub result: RunResult,
    /// What is not as it was asked.
    pub remarks: Vec<Remark>,
    /// Settings that the document leaves open and the server chose.
    pub additions: Vec<String>,
    /// What is missing: then the run is incomplete.
    pub missing: Vec<CreationRemark>,
    /// Why it is not known whether the server was whole, if so.
    pub topology_unchecked: Option<String>,
}

/// A creation that stopped before its end.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct CreationStopped {
    /// Why.
    #[source]
    pub error: Error,
    /// The collection, if it may be there since this run.
    pub perhaps_there: Option<CollectionName>,
}
