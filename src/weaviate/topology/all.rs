//! The same questions about many collections at once: three requests, however many there are.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Blip, Doubt, Facts, Nodes, Statistics, Topology, judge_placed, members, verdict};
use crate::model::Schema;
use crate::weaviate::Client;

/// Longest time for the list of all shards: with thousands of active tenants it is megabytes.
const ALL_SHARDS_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether a server and its collections are whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topologies {
    /// The nodes themselves, whatever they hold.
    pub server: Topology,
    /// Each collection, in the order they were given.
    pub collections: Vec<Topology>,
    /// What a question was asked again for, if any was: the answers say nothing about a moment ago then.
    pub blip: Option<String>,
}

impl Client {
    /// Looks whether the nodes are there and hold every shard of these collections. Of a multi-tenant collection only
    /// the nodes are asked about: its shards are its tenants, which fail honestly. Weaker than [`Client::topology`] in
    /// one thing: a collection of which no node lists a shard is unchecked, not broken, since a key that may not ask
    /// sees the same.
    pub async fn topologies(&self, schemas: &[Schema]) -> Topologies {
        let blip = &Blip::new();
        let (statistics, nodes, placed) = tokio::join!(
            self.question::<Statistics>("/v1/cluster/statistics".into(), blip),
            self.question::<Nodes>("/v1/nodes".into(), blip),
            self.question_within::<Nodes>("/v1/nodes?output=verbose".into(), ALL_SHARDS_TIMEOUT, blip),
        );
        let members = members(&statistics, &nodes);
        let listed: BTreeSet<&str> = placed.iter().flat_map(classes).collect();
        let one = |schema: &Schema| {
            let found = placed.as_ref().map_err(Clone::clone);
            let judged = found.and_then(|found| judge(schema, found, &listed, &members));
            verdict(members.clone(), [judged, Ok(())], Vec::new())
        };
        let collections = schemas.iter().map(one).collect();
        let server = verdict(members.clone(), [Ok(()), Ok(())], Vec::new());
        Topologies { server, collections, blip: blip.get().cloned() }
    }
}

/// The collections of which a node lists a shard.
fn classes(nodes: &Nodes) -> impl Iterator<Item = &str> {
    let shards = nodes.nodes.iter().flatten().flat_map(|node| node.shards.iter().flatten());
    shards.filter_map(|shard| shard.class.as_deref())
}

fn judge(schema: &Schema, placed: &Nodes, listed: &BTreeSet<&str>, members: &Facts<BTreeSet<String>>) -> Facts<()> {
    if schema.multi_tenant {
        return Ok(());
    }
    if !listed.contains(schema.name.as_str()) {
        return Err(Doubt::Closed("the nodes list no shards of it to this key".to_owned()));
    }
    judge_placed(schema, Some(placed), &Ok(None), members)
}
