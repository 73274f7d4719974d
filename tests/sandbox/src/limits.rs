//! What an operator can forbid: the operational mode, usage limits, restrictions of settings, suspended namespaces. The
//! answers are those of 1.40 (`tests/fixtures/transcripts/lasting`).

use std::collections::BTreeMap;

use axum::http::Method;

use crate::call::Reply;
use crate::json::{Json, object};
use crate::state::State;

/// What is forbidden at the moment; nothing by itself.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// `OPERATIONAL_MODE`
    pub(crate) mode: &'static str,
    /// Usage limits by what they count: `objects`, `collections`, `tenants`, `shards`.
    pub(crate) most: BTreeMap<&'static str, u64>,
    /// `ALLOWED_VECTOR_INDEX_TYPES`; empty: all.
    pub(crate) vector_indexes: Vec<&'static str>,
    /// `REPLICATION_MAXIMUM_FACTOR`
    pub(crate) factor: Option<i64>,
    /// Namespaces and their states.
    pub(crate) namespaces: BTreeMap<String, &'static str>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            mode: "ReadWrite",
            most: BTreeMap::new(),
            vector_indexes: Vec::new(),
            factor: None,
            namespaces: BTreeMap::new(),
        }
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

    /// The answer where there would be more of something than is allowed.
    pub(crate) fn beyond(&self, what: &'static str, there_will_be: u64) -> Result<(), Reply> {
        let Some(most) = self.most.get(what).filter(|most| there_will_be > **most) else { return Ok(()) };
        let message = format!("{what} count limit of {most} reached for this instance.");
        let most = i64::try_from(*most).unwrap_or(i64::MAX);
        let body = object! {"errorCode": "USAGE_LIMIT_EXCEEDED", "limit": what, "message": message, "value": most};
        Err(Reply::json(429, &body))
    }

    /// The answer to a class document that holds what is not allowed.
    pub(crate) fn class(&self, given: &Json, collections: u64) -> Result<(), Reply> {
        let refuse = |text: &str| {
            let error = vec![object! {"message": text}];
            Err(Reply::json(422, &object! {"allowed": Json::Null, "error": error}))
        };
        let factor = given.at(&["replicationConfig", "factor"]).and_then(Json::as_i64).unwrap_or(1);
        if let Some(most) = self.factor.filter(|most| factor > *most) {
            return refuse(&format!("invalid replication factor: setup caps replication at {most}: got {factor}"));
        }
        let kind = given.text("vectorIndexType").filter(|kind| !kind.is_empty()).unwrap_or("hnsw");
        if !self.vector_indexes.is_empty() && !self.vector_indexes.contains(&kind) {
            let allowed = self.vector_indexes.join(", ");
            let message = format!("{kind} is not allowed for vector_index_type. Allowed values: {allowed}.");
            let allowed: Vec<Json> = self.vector_indexes.iter().map(|kind| Json::from(*kind)).collect();
            let body = object! {
                "allowed": allowed, "error": Json::Null, "errorCode": "CONFIG_NOT_ALLOWED", "message": message,
                "restriction": "vector_index_type", "value": kind,
            };
            return Err(Reply::json(422, &body));
        }
        self.beyond("collections", collections + 1)?;
        let shards = given.at(&["shardingConfig", "desiredCount"]).and_then(Json::as_i64).unwrap_or(1);
        self.beyond("shards", u64::try_from(shards).unwrap_or(1))
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

/// Objects of all collections and tenants.
pub(crate) fn objects(state: &State) -> u64 {
    let spaces = state.collections.values().flat_map(|collection| {
        let tenants = collection.tenants.iter().flatten().map(|(_, tenant)| &tenant.space);
        tenants.chain(std::iter::once(&collection.whole)).map(|space| space.store.walk(None).count() as u64)
    });
    spaces.sum()
}
