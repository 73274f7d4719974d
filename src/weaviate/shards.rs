//! What the shards of a plain collection say about themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Error;
use super::ask::{Ask, SHARDS_VALUES_MAX};
use super::client::Client;
use crate::model::CollectionName;

/// Longest time for one attempt: with a node away the server may hang.
const SHARDS_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests sent at most: what it answers is looked at by a person, who can ask again.
const SHARDS_ATTEMPTS: u32 = 2;

/// A shard, in the server's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardState {
    /// Its name.
    pub name: String,
    /// `READY`, `READONLY`, `INDEXING` …; `None` where the shard does not answer.
    pub status: Option<String>,
    /// The same by node, where the version says so (1.40).
    #[serde(rename(deserialize = "per_node_status"), default)]
    pub nodes: Option<BTreeMap<String, String>>,
    /// Vectors that wait to be indexed, where the version says so.
    #[serde(rename(deserialize = "vectorQueueSize"), default)]
    pub vector_queue: Option<u64>,
}

impl Client {
    /// The shards of a plain collection, sorted by name. Never for a multi-tenant one, whose shards are its tenants: most
    /// versions cannot list those.
    pub async fn shard_states(&self, collection: &CollectionName) -> Result<Vec<ShardState>, Error> {
        let path = format!("/v1/schema/{collection}/shards");
        let ask = Ask { timeout: Some(SHARDS_TIMEOUT), attempts: SHARDS_ATTEMPTS, ..Ask::get(path) };
        let body = self.fetch(&ask).await?;
        ask.bounded(&body, SHARDS_VALUES_MAX)?;
        let mut shards: Vec<ShardState> =
            serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of shards"))?;
        shards.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(shards)
    }
}
