//! Whether a collection can be read although nodes are missing: from the replicas that are left, if they are a majority of
//! each shard's.

use std::collections::{BTreeMap, BTreeSet};

use super::{Blip, Facts, HEALTHY, Nodes, Shard, Statistics, Topology, listed, members, verdict};
use crate::model::Schema;
use crate::weaviate::Client;

/// Shards named at most.
const SHARDS_NAMED: usize = 5;

/// What is left of a server of which nodes are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduced {
    /// Whole if no node is missing, or if every shard of the collection has a majority of its replicas left; its nodes are
    /// those that are there.
    pub topology: Topology,
    /// The voters that are not there, sorted: none if all are, or if what is left is not enough.
    pub missing: Vec<String>,
    /// What a question was asked again for, if any was: the answers say nothing about a moment ago then.
    pub blip: Option<String>,
}

impl Client {
    /// Looks as [`Client::topology`] does, but for a server of which nodes are missing: then it counts how many replicas of
    /// each shard the others hold. The replicas of tenants are not asked for: as many as nodes are missing may be gone.
    pub async fn topology_without_nodes(&self, schema: &Schema) -> Reduced {
        let name = &schema.name;
        let seen = &Blip::new();
        let (statistics, nodes) = tokio::join!(
            self.question::<Statistics>("/v1/cluster/statistics".into(), seen),
            self.question::<Nodes>("/v1/nodes".into(), seen),
        );
        let missing = missing(&statistics, &nodes);
        if missing.is_empty() {
            let (topology, blip) = self.topology_and_blip(schema).await;
            return Reduced { topology, missing, blip: seen.get().cloned().or(blip) };
        }
        let (placed, shards) = tokio::join!(
            self.question_of::<Nodes>(schema, format!("/v1/nodes/{name}?output=verbose"), seen),
            self.question_of::<Vec<Shard>>(schema, format!("/v1/schema/{name}/shards"), seen),
        );
        let (away, blip) = (listed(&missing), seen.get().cloned());
        let judged = placed.and_then(|placed| shards.map(|shards| left(schema, missing.len(), placed, shards)));
        match judged {
            Ok(Ok(shards)) => {
                let there = nodes.iter().flat_map(|nodes| nodes.nodes.iter().flatten());
                let mut there: Vec<String> = there.map(|node| node.name.clone()).collect();
                there.sort_unstable();
                Reduced { topology: Topology::Whole { nodes: there, shards }, missing, blip }
            }
            Ok(Err(reason)) => {
                let reason = format!("away: {away}; {reason}");
                Reduced { topology: Topology::Broken { reason }, missing: Vec::new(), blip }
            }
            // What cannot be asked is not proven to be enough.
            Err(_) => {
                let members = members(&statistics, &nodes);
                Reduced { topology: verdict(members, [Ok(()), Ok(())], Vec::new()), missing: Vec::new(), blip }
            }
        }
    }
}

/// The voters that are not among the nodes, if all of these are well and known; else none.
fn missing(statistics: &Facts<Statistics>, nodes: &Facts<Nodes>) -> Vec<String> {
    let (Ok(statistics), Ok(nodes)) = (statistics, nodes) else { return Vec::new() };
    let nodes = nodes.nodes.as_deref().unwrap_or_default();
    let names: BTreeSet<&String> = nodes.iter().map(|node| &node.name).collect();
    let raft = statistics.statistics.iter().flatten().filter_map(|one| one.raft.as_ref());
    let voters: BTreeSet<&String> =
        raft.flat_map(|raft| raft.latest_configuration.iter().flatten()).map(|voter| &voter.id).collect();
    let well = nodes.iter().all(|node| node.status.as_deref() == Some(HEALTHY));
    if names.is_empty() || !well || !names.is_subset(&voters) {
        return Vec::new();
    }
    voters.difference(&names).map(|name| (*name).clone()).collect()
}

/// The shards, if each has a majority of its replicas on nodes that are there; else what lacks.
fn left(
    schema: &Schema,
    missing: usize,
    placed: Option<Nodes>,
    shards: Option<Vec<Shard>>,
) -> Result<Vec<String>, String> {
    let replicas = schema.replicas as usize;
    let majority = replicas / 2 + 1;
    let (Some(placed), Some(shards)) = (placed, shards) else {
        // Its shards are its tenants.
        let enough = replicas.saturating_sub(missing) >= majority;
        let why = format!("its tenants have {replicas} {} each, and some may have lost too many", copies(replicas));
        return if enough { Ok(Vec::new()) } else { Err(why) };
    };
    let mut there: BTreeMap<String, usize> = shards.into_iter().map(|shard| (shard.name, 0)).collect();
    for node in placed.nodes.into_iter().flatten() {
        let ours = |shard: &Shard| shard.class.as_deref().is_none_or(|class| class == schema.name.as_str());
        let own: BTreeSet<String> = node.shards.into_iter().flatten().filter(ours).map(|shard| shard.name).collect();
        for shard in own {
            *there.entry(shard).or_default() += 1;
        }
    }
    let expected = schema.shards.unwrap_or_default() as usize;
    if there.len() < expected.max(1) {
        return Err(format!("{} of {expected} shards are known", there.len()));
    }
    let lacking: Vec<String> = there
        .iter()
        .filter(|(_, copies)| **copies < majority)
        .map(|(shard, copies)| format!("{} ({copies} of {replicas})", super::super::said::harmless(shard)))
        .collect();
    if lacking.is_empty() {
        return Ok(there.into_keys().collect());
    }
    let more = lacking.len().saturating_sub(SHARDS_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<String> = lacking.into_iter().take(SHARDS_NAMED).collect();
    Err(format!("too few replicas are left of the shards {}{more}", named.join(", ")))
}

fn copies(many: usize) -> &'static str {
    if many == 1 { "replica" } else { "replicas" }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(replicas: u32, placed: &Value, listed: &Value) -> Result<Vec<String>, String> {
        let document = json!({"class": "A", "replicationConfig": {"factor": replicas},
            "shardingConfig": {"desiredCount": 2, "actualCount": 2}});
        let schema = Schema::parse(document.to_string().into()).expect("a schema");
        let placed = serde_json::from_value(placed.clone()).expect("nodes");
        let shards = serde_json::from_value(listed.clone()).expect("shards");
        left(&schema, 1, Some(placed), Some(shards))
    }

    #[test]
    fn a_shard_needs_a_majority_of_its_replicas() {
        let listed = json!([{"name": "x"}, {"name": "y", "status": "READY"}]);
        let node = |name: &str, shards: &[&str]| {
            let shards: Vec<Value> = shards.iter().map(|shard| json!({"name": shard, "class": "A"})).collect();
            json!({"name": name, "status": "HEALTHY", "shards": shards})
        };
        let two = json!({"nodes": [node("n1", &["x", "y"]), node("n2", &["x", "y"])]});
        assert_eq!(of(3, &two, &listed), Ok(vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(of(2, &two, &listed), Ok(vec!["x".to_owned(), "y".to_owned()]));
        let one = json!({"nodes": [node("n1", &["y"]), node("n2", &["y"])]});
        assert_eq!(of(3, &one, &listed), Err("too few replicas are left of the shards x (0 of 3)".to_owned()));
        let few = json!({"nodes": [node("n1", &["x", "y"]), node("n2", &["y"])]});
        assert_eq!(of(3, &few, &listed), Err("too few replicas are left of the shards x (1 of 3)".to_owned()));
        // One of two is no majority: what it lacks would not be seen.
        let alone = json!({"nodes": [node("n1", &["x"]), node("n2", &["y"])]});
        assert_eq!(
            of(2, &alone, &listed),
            Err("too few replicas are left of the shards x (1 of 2), y (1 of 2)".to_owned())
        );
        assert!(of(1, &alone, &listed).is_ok(), "both shards are on nodes that are there");
        assert_eq!(of(3, &two, &json!([])).map(|shards| shards.len()), Ok(2));
        assert_eq!(of(3, &json!({"nodes": []}), &json!([])), Err("0 of 2 shards are known".to_owned()));
    }

    #[test]
    fn tenants_may_lose_as_many_replicas_as_nodes_are_missing() {
        let tenants = |replicas: u32, missing: usize| {
            let document = json!({"class": "A", "replicationConfig": {"factor": replicas},
                "multiTenancyConfig": {"enabled": true}});
            let schema = Schema::parse(document.to_string().into()).expect("a schema");
            left(&schema, missing, None, None)
        };
        assert_eq!(tenants(3, 1), Ok(Vec::new()));
        for (replicas, missing) in [(1, 1), (2, 1), (3, 2)] {
            assert!(tenants(replicas, missing).is_err(), "{replicas} {missing}");
        }
    }
}
