//! `/v1/nodes` and `/v1/cluster/statistics`.

use crate::auth::{Domain, allow};
use crate::behaviour::Release;
use crate::call::{Call, Reply, either};
use crate::cluster::Condition;
use crate::json::{Json, object};
use crate::state::{Collection, Core, State};

pub(super) fn all(core: &Core, call: &Call) -> Reply {
    either(answer(core, call, None))
}

pub(super) fn of_class(core: &Core, call: &Call) -> Reply {
    either(answer(core, call, Some(call.param("class"))))
}

fn answer(core: &Core, call: &Call, class: Option<&str>) -> Result<Reply, Reply> {
    let verbose = match call.ask("output").filter(|o| !o.is_empty()) {
        None | Some("minimal") => false,
        Some("verbose") => true,
        Some(other) => {
            let text = format!("invalid output: \"{other}\", possible values are: \"minimal\", \"verbose\"");
            return Err(Reply::error(422, &text));
        }
    };
    if !verbose {
        allow(call, "read_nodes", Domain::Nodes)?;
    }
    let state = core.read();
    let only = match class {
        None => None,
        Some(class) => {
            Some(state.collection(class).ok_or_else(|| Reply::error(404, &format!("class \"{class}\" not found")))?)
        }
    };
    let unreachable = state.cluster.nodes.iter().any(|n| n.condition == Condition::Unreachable);
    if unreachable && core.ours.release <= Release::V1_28 {
        return Err(Reply::error(500, "connect: connection refused"));
    }
    let nodes: Vec<Json> = (0..state.cluster.nodes.len())
        .filter(|&n| state.cluster.condition(n) != Condition::Down)
        .map(|n| node(core, call, &state, n, verbose, only))
        .collect();
    Ok(Reply::json(200, &object! {"nodes": nodes}))
}

fn node(core: &Core, call: &Call, state: &State, number: usize, verbose: bool, only: Option<&Collection>) -> Json {
    let ours = core.ours;
    let mut entry = object! {"batchStats": object! {"queueLength": 0_usize, "ratePerSecond": 3_usize}};
    if !ours.operational_mode() {
        entry.set("gitHash", "unknown");
    }
    entry.set("name", &state.cluster.nodes[number].name);
    if ours.operational_mode() {
        entry.set("operationalMode", state.limits.mode);
    }
    let condition = state.cluster.condition(number);
    let majority = state.cluster.has_majority();
    let health = match condition {
        Condition::Unreachable | Condition::Down => "UNAVAILABLE",
        Condition::Up if majority => "HEALTHY",
        Condition::Up | Condition::Loading => "UNHEALTHY",
    };
    if !verbose || condition == Condition::Unreachable {
        entry.set("shards", Json::Null);
    } else {
        let may_see = call.user.may("read_nodes");
        let collections = state.collections.values().filter(|c| may_see && only.is_none_or(|o| o.name == c.name));
        let mut shards = Vec::new();
        let mut objects = 0;
        for collection in collections.filter(|_| condition == Condition::Up) {
            for (shard, count) in collection.counted(&state.cluster) {
                let Some(replica) = shard.replicas.iter().find(|r| r.node == number) else { continue };
                objects += count;
                let mut one = object! {};
                if ours.replica_numbers() {
                    one.set("asyncReplicationStatus", Json::Array(Vec::new()));
                }
                one.set("class", &collection.name);
                one.set("compressed", collection.trained);
                one.set("loaded", true);
                one.set("name", &shard.name);
                if ours.replica_numbers() {
                    one.set("numberOfReplicas", shard.replicas.len());
                }
                one.set("objectCount", usize::try_from(count).unwrap_or(0));
                if ours.replica_numbers() {
                    one.set("replicationFactor", collection.factor());
                }
                one.set("vectorIndexingStatus", replica.status());
                one.set("vectorQueueLength", 0_usize);
                shards.push(one);
            }
        }
        let totals = object! {"objectCount": usize::try_from(objects).unwrap_or(0), "shardCount": shards.len()};
        entry.set("shards", shards);
        entry.set("stats", totals);
    }
    entry.set("status", health);
    entry.set("version", ours.release.text());
    entry
}

pub(super) fn statistics(core: &Core, call: &Call) -> Reply {
    if let Err(refused) = allow(call, "read_cluster", Domain::Nodes) {
        return refused;
    }
    let state = core.read();
    let nodes = &state.cluster.nodes;
    let voters: Vec<Json> = nodes
        .iter()
        .enumerate()
        .map(|(n, node)| {
            let address = format!("127.0.0.1:{}", 28502 + n * 10);
            object! {"address": address, "id": &node.name, "suffrage": 0_usize}
        })
        .collect();
    let reachable: Vec<usize> = (0..nodes.len()).filter(|&n| state.cluster.is_up(n)).collect();
    let leader = reachable.first().copied().unwrap_or(0);
    let statistics: Vec<Json> = reachable
        .iter()
        .map(|&n| {
            let role = if n == leader { "Leader" } else { "Follower" };
            let raft = object! {
                "appliedIndex": "44", "commitIndex": "44", "fsmPending": "0", "lastContact": "0", "lastLogIndex": "44",
                "lastLogTerm": "2", "lastSnapshotIndex": "0", "lastSnapshotTerm": "0", "latestConfiguration": voters.clone(),
                "latestConfigurationIndex": "0", "numPeers": (nodes.len() - 1).to_string(), "protocolVersion": "3",
                "protocolVersionMax": "3", "protocolVersionMin": "0", "snapshotVersionMax": "1",
                "snapshotVersionMin": "0", "state": role, "term": "2",
            };
            object! {
                "bootstrapped": true, "candidates": object! {}, "dbLoaded": true, "isVoter": true,
                "leaderAddress": format!("127.0.0.1:{}", 28502 + leader * 10), "leaderId": &nodes[leader].name,
                "name": &nodes[n].name, "open": true, "raft": raft, "ready": true, "status": "HEALTHY",
            }
        })
        .collect();
    // It says so with a dead voter too.
    Reply::json(200, &object! {"statistics": statistics, "synchronized": true})
}

/// Replicas on their way from node to node: switched off, as it is by default.
pub(super) fn movements(_: &Core, _: &Call) -> Reply {
    Reply::empty(501)
}
