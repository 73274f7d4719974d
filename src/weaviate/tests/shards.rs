//! A node away: seen before a page is believed.

use super::server::{Act, Server, ok, recorded, reply};
use crate::model::Schema;
use crate::weaviate::{TenantState, Topologies, Topology};

fn schema(shards: u32, replicas: u32) -> Schema {
    let text = format!(
        r#"{{"class":"A1","shardingConfig":{{"actualCount":{shards}}},"replicationConfig":{{"factor":{replicas}}}}}"#
    );
    Schema::parse(text.into()).expect("a schema")
}

fn nodes(names: &[&str], shards: &[&str]) -> Vec<u8> {
    let shards: Vec<String> = shards.iter().map(|s| format!(r#"{{"name":"{s}","class":"A1"}}"#)).collect();
    let node = |n: &&str| format!(r#"{{"name":"{n}","status":"HEALTHY","shards":[{}]}}"#, shards.join(","));
    ok(&format!(r#"{{"nodes":[{}]}}"#, names.iter().map(node).collect::<Vec<_>>().join(",")))
}

fn voters(names: &[&str]) -> Vec<u8> {
    let voters: Vec<String> = names.iter().map(|n| format!(r#"{{"id":"{n}"}}"#)).collect();
    ok(&format!(r#"{{"statistics":[{{"raft":{{"latestConfiguration":[{}]}}}}]}}"#, voters.join(",")))
}

/// Answers of a cluster to the four questions.
#[derive(Clone)]
struct Cluster {
    statistics: Vec<u8>,
    nodes: Vec<u8>,
    placed: Vec<u8>,
    statuses: Vec<u8>,
}

/// One node with one shard, all well.
fn well() -> Cluster {
    Cluster {
        statistics: voters(&["n1"]),
        nodes: nodes(&["n1"], &[]),
        placed: nodes(&["n1"], &["s1"]),
        statuses: ok(r#"[{"name":"s1","status":"READY"}]"#),
    }
}

async fn seen(cluster: Cluster, schema: &Schema) -> Topology {
    let server = Server::start(move |_, request| {
        let answer = match request.line.as_str() {
            "GET /v1/cluster/statistics" => &cluster.statistics,
            "GET /v1/nodes" => &cluster.nodes,
            "GET /v1/nodes/A1?output=verbose" => &cluster.placed,
            "GET /v1/schema/A1/shards" => &cluster.statuses,
            other => panic!("{other}"),
        };
        if answer.is_empty() { Act::Stall(Vec::new()) } else { Act::Answer(answer.clone()) }
    })
    .await;
    server.client().topology(schema).await
}

fn broken(topology: &Topology, what: &str) -> bool {
    matches!(topology, Topology::Broken { reason } if reason.contains(what))
}

fn unchecked(topology: &Topology) -> bool {
    matches!(topology, Topology::Unchecked { .. })
}

#[tokio::test]
async fn a_collection_is_whole_while_every_shard_answers() {
    let whole = seen(well(), &schema(1, 1)).await;
    assert!(matches!(&whole, Topology::Whole { nodes, .. } if *nodes == ["n1"]), "{whole:?}");
    let three = ["n1", "n2", "n3"];
    let replicated = Cluster {
        statistics: voters(&three),
        nodes: nodes(&["n3", "n1", "n2"], &[]),
        placed: nodes(&three, &["s1", "s2"]),
        statuses: ok(r#"[{"name":"s1","status":"READY"},{"name":"s2","status":"READONLY"}]"#),
    };
    let found = seen(replicated, &schema(2, 3)).await;
    assert!(matches!(&found, Topology::Whole { nodes, .. } if *nodes == three), "{found:?}");
}

#[tokio::test]
async fn a_node_away_is_seen_by_each_question_alone() {
    let schema = schema(3, 1);
    let three = ["node1", "node2", "node3"];
    let whole = Cluster {
        statistics: voters(&three),
        nodes: nodes(&three, &[]),
        placed: nodes(&["node1"], &["s1", "s2", "s3"]),
        statuses: ok(r#"[{"name":"a","status":"READY"},{"name":"b","status":"READY"},{"name":"c","status":"READY"}]"#),
    };
    assert!(matches!(seen(whole.clone(), &schema).await, Topology::Whole { .. }));
    let no_voter = Cluster {
        statistics: recorded("cluster/cluster_statistics_one_node_down"),
        nodes: recorded("cluster/nodes_minimal_one_node_down_detected"),
        ..whole.clone()
    };
    assert!(broken(&seen(no_voter, &schema).await, "away: node3"));
    let placed = Cluster { placed: recorded("cluster/nodes_verbose_class_one_node_down"), ..whole.clone() };
    assert!(broken(&seen(placed, &schema).await, "2 of 3 shards answer"));
    let statuses = Cluster { statuses: recorded("cluster/shards_rf1_one_node_down_no_status"), ..whole.clone() };
    assert!(broken(&seen(statuses, &schema).await, "1 of 3 shards have no status"));
    let statuses = Cluster { statuses: recorded("cluster/shards_rf1_one_node_down__v1.28"), ..whole };
    assert!(broken(&seen(statuses, &schema).await, "resolve node name"));
}

#[tokio::test]
async fn a_sick_node_a_missing_replica_and_a_dropped_collection_are_broken() {
    let sick = ok(r#"{"nodes":[{"name":"n1","status":"UNHEALTHY"}]}"#);
    assert!(broken(&seen(Cluster { nodes: sick, ..well() }, &schema(1, 1)).await, "not healthy: n1"));
    assert!(broken(&seen(well(), &schema(1, 3)).await, "1 of 3 shard replicas answer"));
    let dropped = Cluster { placed: recorded("extra/nodes_verbose_unknown_class"), ..well() };
    assert!(broken(&seen(dropped, &schema(1, 1)).await, "not found"));
}

#[tokio::test]
async fn a_question_without_an_answer_in_time_is_broken() {
    let hung = [
        Cluster { statistics: Vec::new(), ..well() },
        Cluster { nodes: Vec::new(), ..well() },
        Cluster { placed: Vec::new(), ..well() },
        Cluster { statuses: Vec::new(), ..well() },
    ];
    for cluster in hung {
        assert!(broken(&seen(cluster, &schema(1, 1)).await, "no progress"));
    }
    for answer in [reply(500, "", "oops"), ok("<html>"), ok(""), ok("{\"nodes\":null,\"statistics\":null}")] {
        let cluster = Cluster { statistics: answer.clone(), nodes: answer, ..well() };
        assert!(broken(&seen(cluster, &schema(1, 1)).await, ""));
    }
}

#[tokio::test]
async fn a_question_that_is_lost_once_is_asked_again_and_nothing_is_broken() {
    let faults: [fn() -> Act; 5] = [
        || Act::Reset,
        || Act::Cut(Vec::new()),
        || Act::Answer(reply(429, "retry-after: 1\r\n", "")),
        || Act::Answer(reply(502, "", "<html>")),
        || Act::Answer(reply(503, "", "")),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let well = well();
        let server = Server::start(move |_, request| {
            static SEEN: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
            let mut seen = SEEN.lock().expect("no panic");
            let asked = format!("{n} {}", request.line);
            if !seen.contains(&asked) {
                seen.push(asked);
                return fault();
            }
            Act::Answer(match request.line.as_str() {
                "GET /v1/cluster/statistics" => well.statistics.clone(),
                "GET /v1/nodes" => well.nodes.clone(),
                "GET /v1/nodes/A1?output=verbose" => well.placed.clone(),
                _ => well.statuses.clone(),
            })
        })
        .await;
        let topology = server.client().topology(&schema(1, 1)).await;
        assert!(matches!(topology, Topology::Whole { .. }), "fault {n}: {topology:?}");
        // Only what was still open.
        assert_eq!(server.requests().len(), 8, "fault {n}");
    }
}

#[tokio::test]
async fn a_key_or_version_that_cannot_ask_leaves_it_unchecked() {
    let (forbidden, missing) = (|| reply(403, "", ""), || recorded("extra/nonexistent_path"));
    let schema = schema(1, 1);
    assert!(unchecked(&seen(Cluster { statistics: missing(), ..well() }, &schema).await));
    assert!(unchecked(&seen(Cluster { statuses: forbidden(), ..well() }, &schema).await));
    let no_rights = Cluster { nodes: forbidden(), placed: recorded("extra/auth_403_nodes"), ..well() };
    assert!(unchecked(&seen(no_rights, &schema).await));
    let filtered = Cluster { placed: recorded("extra/auth_403_nodes"), ..well() };
    assert!(unchecked(&seen(filtered, &schema).await));
}

#[tokio::test]
async fn what_is_seen_broken_counts_even_where_the_rest_cannot_be_asked() {
    let schema = schema(3, 1);
    let closed = || reply(403, "", "");
    let placed = recorded("cluster/nodes_verbose_class_one_node_down");
    let seen_placed = Cluster { statistics: closed(), nodes: closed(), placed, statuses: closed() };
    assert!(broken(&seen(seen_placed, &schema).await, "2 of 3"));
    let gone = Cluster { placed: nodes(&["n1"], &[]), statuses: ok(r#"[{"name":"s1"}]"#), ..well() };
    assert!(broken(&seen(gone, &schema).await, "no status"));
    let hung = Cluster { statistics: Vec::new(), nodes: closed(), ..well() };
    assert!(broken(&seen(hung, &schema).await, "no progress"));
}

#[tokio::test]
async fn the_tenants_of_a_collection_are_not_asked_one_by_one() {
    let text = r#"{"class":"A1","multiTenancyConfig":{"enabled":true},"shardingConfig":{"actualCount":0}}"#;
    let schema = Schema::parse(text.into()).expect("a schema");
    let cluster = Cluster { placed: reply(500, "", ""), statuses: recorded("shards_list_mt__v1.39"), ..well() };
    assert!(matches!(seen(cluster, &schema).await, Topology::Whole { .. }));
}

async fn all_seen(cluster: Cluster, schemas: &[Schema]) -> Topologies {
    let server = Server::start(move |_, request| {
        Act::Answer(match request.line.as_str() {
            "GET /v1/cluster/statistics" => cluster.statistics.clone(),
            "GET /v1/nodes" => cluster.nodes.clone(),
            "GET /v1/nodes?output=verbose" => cluster.placed.clone(),
            other => panic!("{other}"),
        })
    })
    .await;
    let found = server.client().topologies(schemas).await;
    assert_eq!(server.requests().len(), 3);
    found
}

#[tokio::test]
async fn many_collections_are_looked_at_in_three_questions() {
    let other = Schema::parse(r#"{"class":"B1","shardingConfig":{"actualCount":1}}"#.into()).expect("a schema");
    let tenants = Schema::parse(r#"{"class":"T1","multiTenancyConfig":{"enabled":true}}"#.into()).expect("a schema");
    let schemas = [schema(1, 1), schema(2, 1), other, tenants];
    let found = all_seen(well(), &schemas).await;
    assert!(matches!(found.server, Topology::Whole { .. }));
    assert!(matches!(found.collections[0], Topology::Whole { .. }));
    assert!(broken(&found.collections[1], "1 of 2 shards answer"));
    assert!(unchecked(&found.collections[2]), "a key that may not ask sees no shards either");
    assert!(matches!(found.collections[3], Topology::Whole { .. }));
    let sick = ok(r#"{"nodes":[{"name":"n1","status":"UNHEALTHY"}]}"#);
    let found = all_seen(Cluster { nodes: sick, ..well() }, &schemas).await;
    assert!(broken(&found.server, "not healthy") && found.collections.iter().all(|one| broken(one, "not healthy")));
    let found = all_seen(Cluster { statistics: reply(403, "", ""), ..well() }, &schemas[..1]).await;
    assert!(unchecked(&found.server) && unchecked(&found.collections[0]));
}

#[tokio::test]
async fn shards_and_tenants_are_listed_in_order_with_their_states() {
    let name = "A1".parse().expect("a name");
    let server = Server::saying(recorded("cluster/shards_rf1_one_node_down_no_status")).await;
    let shards = server.client().shard_states(&name).await.expect("shards");
    assert_eq!(shards.iter().filter(|shard| shard.status.is_none()).count(), 1);
    assert!(shards.is_sorted_by(|a, b| a.name <= b.name));
    let text = r#"[{"name":"b","activityStatus":"HOT"},{"name":"a","activityStatus":"FREEZING"},{"name":"c","activityStatus":"COLD"}]"#;
    let tenants = Server::saying(ok(text)).await.client().tenants(&name).await.expect("tenants");
    let states: Vec<_> = tenants.iter().map(|tenant| (tenant.name.as_str(), tenant.state.clone())).collect();
    assert_eq!(
        states,
        [("a", TenantState::Other("FREEZING".into())), ("b", TenantState::Hot), ("c", TenantState::Cold)]
    );
}
