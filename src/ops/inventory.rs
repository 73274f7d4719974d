//! `col ls` and `col show`: what a server holds, counted and described. Sends reading requests only.
//!
//! ```text
//! list: schemas -> select -> whole? -> counts -> still whole? -> Listing
//! show: schema  -> the same for one, with shards, tenants, aliases and a sample of objects -> Shown
//! ```
//!
//! What is serialised here is documented in docs/inventory.md.

mod counting;
mod described;
mod list;
mod sample;
mod show;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::event::Warning;
use crate::model::{CollectionName, TenantName};
use crate::weaviate::{ShardState, TenantState, Topology};

pub use described::{Property, Vector};
pub use list::list;
pub use sample::{Dimensions, Size};
pub use show::show;

/// The server that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedServer {
    /// Its URL without credentials.
    pub url: String,
    /// Its version, as it prints it.
    pub version: String,
}

/// Whether the nodes of the server were there, before and after counting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Nodes {
    /// All of them.
    Whole {
        /// Their names, sorted.
        nodes: Vec<String>,
    },
    /// Something is away, so that counts may be too low.
    Broken {
        /// What, in few words.
        reason: String,
    },
    /// It could not be asked.
    Unchecked {
        /// Why, in few words.
        reason: String,
    },
}

impl From<Topology> for Nodes {
    fn from(topology: Topology) -> Self {
        match topology {
            Topology::Whole { nodes, .. } => Self::Whole { nodes },
            Topology::Broken { reason } => Self::Broken { reason },
            Topology::Unchecked { reason, .. } => Self::Unchecked { reason },
        }
    }
}

/// How far a number of objects can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CountState {
    /// All objects, while every shard was there.
    Exact,
    /// All objects of the tenants that are active; the others cannot be counted.
    ActiveTenants,
    /// What the server counts; there may be more.
    Unchecked,
    /// Nothing was counted.
    Unknown,
}

/// How many objects there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Objects {
    /// All of them, and `None` unless that is certain.
    pub objects: Option<u64>,
    /// Those that were counted, certain or not.
    pub objects_seen: Option<u64>,
    /// What they are.
    pub count: CountState,
    /// Why the count is not exact.
    pub count_reason: Option<CountDoubt>,
}

/// Why a count is not exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum CountDoubt {
    /// The server did not count, and said this.
    NotCounted { reason: String },
    /// The server did not answer in time.
    NoAnswer { seconds: u64 },
    /// The tenants were not listed.
    TenantsNotListed { reason: String },
    /// The key's roles may hide tenants from it.
    TenantsHidden,
    /// Nodes or shards are away.
    Away { reason: String },
    /// Nobody knows whether nodes were away.
    MayBeAway { reason: String },
    /// Some active tenants were not counted.
    TenantsNotCounted {
        tenants: usize,
        /// Active tenants.
        active: usize,
        /// Why the first of them was not.
        why: Box<CountDoubt>,
    },
    /// Some tenants are not active, and so cannot be counted.
    TenantsNotActive {
        tenants: usize,
        /// Tenants in all.
        total: usize,
    },
}

impl Objects {
    fn exact(objects: u64) -> Self {
        Self { objects: Some(objects), objects_seen: Some(objects), count: CountState::Exact, count_reason: None }
    }

    fn seen(objects: u64, count: CountState, reason: CountDoubt) -> Self {
        Self { objects: None, objects_seen: Some(objects), count, count_reason: Some(reason) }
    }

    fn unknown(reason: CountDoubt) -> Self {
        Self { objects: None, objects_seen: None, count: CountState::Unknown, count_reason: Some(reason) }
    }
}

/// How many tenants a collection has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tenants {
    /// All of them.
    pub total: u64,
    /// Those that are not active, whose objects cannot be counted.
    pub not_hot: u64,
    /// Tenants by what they are doing, in the server's words.
    #[serde(serialize_with = "by_word")]
    pub states: BTreeMap<TenantState, u64>,
}

fn by_word<S: Serializer>(states: &BTreeMap<TenantState, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(states.iter().map(|(state, tenants)| (state.as_str(), tenants)))
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OneTenant {
    /// Its name.
    pub name: TenantName,
    /// What it is doing, in the server's words.
    pub state: TenantState,
    /// Its objects; `None` if they were not counted.
    pub objects: Option<u64>,
}

/// The collections of a server.
#[derive(Debug, Clone, Serialize)]
pub struct Listing {
    /// The server.
    pub server: ListedServer,
    /// Whether its nodes were there.
    pub topology: Nodes,
    /// Whether the server may have collections that the key's roles do not show it: they are left out without a word.
    pub is_partial: bool,
    /// The collections chosen, by name.
    pub collections: Vec<Listed>,
    /// What typed names were taken for that are no names of collections.
    #[serde(skip)]
    pub taken: Vec<Warning>,
}

/// One collection of a listing.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: CollectionName,
    /// Its objects.
    #[serde(flatten)]
    pub objects: Objects,
    /// Whether it has tenants.
    pub multi_tenant: bool,
    /// Its tenants; `None` if it has none by its nature, or they may not be listed.
    pub tenants: Option<Tenants>,
    /// Names of its vectors, the unnamed one first, as `default`.
    pub vectors: Vec<String>,
    /// Their kinds of index, each once.
    pub index_types: Vec<String>,
    /// Shards; `None` if multi-tenant.
    pub shards: Option<u32>,
    /// How many nodes hold each shard.
    pub replicas: u32,
}

/// One collection in full.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The server.
    pub server: ListedServer,
    /// Whether its nodes were there.
    pub topology: Nodes,
    /// The alias that was asked for, if it was one.
    pub asked_by_alias: Option<CollectionName>,
    /// The collection's name.
    pub name: CollectionName,
    /// Its objects.
    #[serde(flatten)]
    pub objects: Objects,
    /// How much room they take, estimated; `None` without objects that could be read.
    pub size: Option<Size>,
    /// Names that stand for it, sorted; `None` where the version has none or the key may not read them all.
    pub aliases: Option<Vec<String>>,
    /// Those among them that the server lists for the key.
    pub aliases_seen: Vec<String>,
    /// Whether the version has aliases.
    #[serde(skip)]
    pub has_aliases: bool,
    /// Whether it has tenants.
    pub multi_tenant: bool,
    /// How many tenants it has; `None` if it has none by its nature, or they may not be listed.
    pub tenants: Option<Tenants>,
    /// Each tenant, by name; empty where there are none to see.
    pub tenants_each: Vec<OneTenant>,
    /// How many shards it should have; `None` if multi-tenant.
    pub shards: Option<u32>,
    /// The shards that are listed; `None` if multi-tenant, or where that cannot be asked.
    pub shards_each: Option<Vec<ShardState>>,
    /// Why the shards are not listed, though it has some.
    pub shards_reason: Option<String>,
    /// How many nodes hold each shard.
    pub replicas: u32,
    /// Its vectors, the unnamed one first.
    pub vectors: Vec<Vector>,
    /// Its properties in the order of the schema, nested ones behind theirs.
    #[serde(skip)]
    pub properties: Vec<Property>,
    /// The server's class document, its own bytes.
    pub schema: Box<RawValue>,
}
