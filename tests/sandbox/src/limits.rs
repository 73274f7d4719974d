//! What an operator can forbid while requests come: the operational mode, more objects, suspended namespaces. The answers
//! are those of 1.40 (`tests/fixtures/transcripts/lasting`).

use std::collections::BTreeMap;

use axum::http::Method;

use crate::call::Reply;
use crate::json::{Json, object};
use crate::state::State;
use crate::store::parse_id;

/// What is forbidden at the moment; nothing by itself.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// `OPERATIONAL_MODE`
    pub(crate) mode: &'static str,
    /// `MAXIMUM_ALLOWED_OBJECTS_COUNT`
    pub(crate) objects: Option<u64>,
    /// Namespaces and their states.
    pub(crate) namespaces: BTreeMap<String, &'static str>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { mode: "ReadWrite", objects: None, namespaces: BTreeMap::new() }
    }
}

const SUSPENDED: &str = "namespace is suspended";

impl Limits {
    /// The answer to a request that the mode forbids.
    pub(crate) fn mode_forbids(&self, method: &Method, path: &str) -> Option<Reply> {
        let root = path.trim_start_matches("/v1/").split('/').next().unwrap_or_default();
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        let words = match self.mode {
            "ReadOnly" if !reads && !["backups", "graphql", "mcp"].contains(&root) => {
                "read-only mode is enabled temporally at the config level: write operations are not allowed during this time"
            }
            "ScaleOut" if !reads && !["backups", "graphql", "replication", "mcp"].contains(&root) => {
                "scale-out mode is enabled temporally at the config level: write operations (besides /replication) are not \
                 allowed during this time"
            }
            "WriteOnly"
                if reads
                    && !["backups", "cluster", "nodes", "replication", ".well-known", "meta", "mcp"]
                        .contains(&root) =>
            {
                "write-only mode is enabled temporally at the config level: read operations are not allowed during this time"
            }
            _ => return None,
        };
        Some(Reply::error(503, words))
    }

    /// Whether the namespace of a collection is suspended.
    pub(crate) fn is_suspended(&self, class: &str) -> bool {
        let namespace = class.split_once(':').map(|(namespace, _)| namespace);
        namespace.is_some_and(|namespace| self.namespaces.get(namespace) == Some(&"suspended"))
    }

    /// The answer to a listing of a collection in a suspended namespace.
    pub(crate) fn listing(&self, class: &str) -> Result<(), Reply> {
        if !self.is_suspended(class) {
            return Ok(());
        }
        let index = class.to_lowercase();
        Err(Reply::error(500, &format!("msg:search index {index} code:500 err:{SUSPENDED}")))
    }

    /// The answer to dropping it.
    pub(crate) fn dropping(&self, class: &str) -> Result<(), Reply> {
        if self.is_suspended(class) { Err(Reply::error(400, SUSPENDED)) } else { Ok(()) }
    }

    /// `GET /v1/namespaces`
    pub(crate) fn list(&self) -> Reply {
        let one =
            |(name, state): (&String, &&'static str)| object! {"home_node": "node1", "name": name, "state": *state};
        Reply::json(200, &Json::Array(self.namespaces.iter().map(one).collect()))
    }
}

/// Which objects of a batch the limit keeps out. A server asks for each shard's share of it by itself, and takes none of a
/// share that would be too many (`adapters/repos/db/shard_write_batch_objects.go`).
pub(crate) fn kept_out(state: &State, batch: &[Json]) -> Vec<bool> {
    let Some(most) = state.limits.objects else { return vec![false; batch.len()] };
    let share = |item: &Json| {
        let (class, tenant) =
            (item.text("class").unwrap_or_default().to_owned(), item.text("tenant").map(str::to_owned));
        let space = state.collection(&class).and_then(|collection| collection.space(tenant.as_deref()).ok());
        let id = item.text("id").and_then(parse_id).unwrap_or_default();
        let shard = state.cluster.shard_of(&class, id, space.map_or(1, |space| space.shards.len()));
        (class, tenant, shard)
    };
    let mut shares: BTreeMap<_, u64> = BTreeMap::new();
    for item in batch {
        *shares.entry(share(item)).or_default() += 1;
    }
    let there = objects(state);
    batch.iter().map(|item| there + shares[&share(item)] > most).collect()
}

/// What is said of an object beyond the limit.
pub(crate) fn beyond(most: u64) -> String {
    format!("objects count limit of {most} reached for this instance.")
}

/// Objects of all collections and tenants.
pub(crate) fn objects(state: &State) -> u64 {
    let spaces = state.collections.values().flat_map(|collection| {
        let tenants = collection.tenants.iter().flatten().map(|(_, tenant)| &tenant.space);
        tenants.chain(std::iter::once(&collection.whole)).map(|space| space.store.walk(None).count() as u64)
    });
    spaces.sum()
}
