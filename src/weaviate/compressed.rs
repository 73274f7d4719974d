//! Whether the vector indexes of a collection are compressed, shard by shard.

use serde::Deserialize;

use super::Error;
use super::ask::Ask;
use super::client::Client;
use crate::model::CollectionName;

#[derive(Deserialize)]
struct Nodes {
    nodes: Option<Vec<Node>>,
}

#[derive(Deserialize)]
struct Node {
    shards: Option<Vec<Shard>>,
}

#[derive(Deserialize)]
struct Shard {
    class: Option<String>,
    #[serde(default)]
    compressed: bool,
}

/// Shards of a collection, counted on each node that holds one. Of a shard with several vectors a server says that it is
/// compressed if any of them is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CompressedShards {
    /// Those that are compressed.
    pub compressed: u64,
    /// All of them; tenants that are not active are not among them.
    pub all: u64,
}

impl Client {
    /// Asks which shards of a collection are compressed.
    pub async fn compressed(&self, collection: &CollectionName) -> Result<CompressedShards, Error> {
        let ask = Ask::get(format!("/v1/nodes/{collection}?output=verbose"));
        let body = self.fetch(&ask).await?;
        let nodes: Nodes = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of nodes"))?;
        let shards = nodes.nodes.into_iter().flatten().flat_map(|node| node.shards.unwrap_or_default());
        let ours = shards.filter(|shard| shard.class.as_deref() == Some(collection.as_str()));
        Ok(ours.fold(CompressedShards::default(), |sum, shard| CompressedShards {
            compressed: sum.compressed + u64::from(shard.compressed),
            all: sum.all + 1,
        }))
    }
}
