//! Counts: exact, or said to be unknown.

use super::server::{Act, Server, ok, recorded};
use crate::model::{CollectionName, TenantName};
use crate::weaviate::{Count, Error};

fn names(count: usize) -> Vec<CollectionName> {
    (0..count).map(|n| format!("C{n}").parse().expect("a name")).collect()
}

fn unknown(reason: &str) -> Count {
    Count::Unknown { reason: reason.into() }
}

#[tokio::test]
async fn a_hundred_collections_are_counted_in_one_request() {
    let server = Server::start(|_, request| {
        let aliases = request.body.matches("{meta{count}}").count();
        let counts: Vec<String> = (0..aliases).map(|n| format!(r#""c{n}":[{{"meta":{{"count":{n}}}}}]"#)).collect();
        Act::Answer(ok(&format!(r#"{{"data":{{"Aggregate":{{{}}}}}}}"#, counts.join(","))))
    })
    .await;
    let counts = server.client().counts(&names(150)).await.expect("counts");
    assert_eq!((counts.len(), &counts[99], &counts[149]), (150, &Count::Exact(99), &Count::Exact(49)));
    assert_eq!(server.count("POST /v1/graphql"), 2);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_multi_tenant_collection_is_unknown_and_spoils_no_other() {
    let text = r#"{"data":{"Aggregate":{"c0":[{"meta":{"count":7}}],"c1":null}},"errors":[{"message":"class C1 has
        multi-tenancy enabled","path":["Aggregate","c1"]}]}"#;
    let server = Server::saying(ok(&text.replace("\n        ", " "))).await;
    let counts = server.client().counts(&names(2)).await.expect("counts");
    assert_eq!(counts, [Count::Exact(7), unknown("class C1 has multi-tenancy enabled")]);
}

#[tokio::test]
async fn a_collection_that_is_gone_spoils_no_other() {
    let server = Server::start(|_, request| {
        Act::Answer(match (request.line.starts_with("DELETE"), request.body.contains("C1")) {
            (true, _) => recorded("delete_unknown_class"),
            (false, true) => recorded("aggregate_unknown_class"),
            (false, false) => ok(r#"{"data":{"Aggregate":{"c0":[{"meta":{"count":7}}]}}}"#),
        })
    })
    .await;
    let counts = server.client().counts(&names(2)).await.expect("counts");
    assert_eq!(counts[0], Count::Exact(7));
    assert!(matches!(&counts[1], Count::Unknown { reason } if reason.contains("Nope")), "{counts:?}");
}

#[tokio::test]
async fn where_graphql_is_closed_a_dry_run_counts() {
    let server = Server::start(|_, request| {
        let deletes = request.line.starts_with("DELETE /v1/batch/objects");
        assert!(!deletes || request.body.contains(r#""dryRun":true"#), "{request:?}");
        let dry_run = "cluster/delete_dryrun_rf1_one_node_down_partial";
        Act::Answer(recorded(if deletes { dry_run } else { "auth_403_aggregate" }))
    })
    .await;
    let counts = server.client().counts(&names(2)).await.expect("counts");
    assert_eq!(counts, [Count::Exact(2613), Count::Exact(2613)]);
}

#[tokio::test]
async fn a_name_that_graphql_cannot_say_is_counted_by_a_dry_run() {
    let server = Server::saying(recorded("cluster/delete_dryrun_rf1_one_node_down_partial")).await;
    let names = ["ns:Article".parse().expect("a name")];
    assert_eq!(server.client().counts(&names).await.expect("counts"), [Count::Exact(2613)]);
    assert!(server.requests()[0].body.contains("ns:Article"));
}

#[tokio::test]
async fn a_key_that_may_not_count_leaves_the_count_unknown() {
    let server = Server::saying(recorded("auth_403_aggregate")).await;
    let counts = server.client().counts(&names(1)).await.expect("an answer");
    assert!(matches!(&counts[0], Count::Unknown { .. }));
}

#[tokio::test]
async fn a_shard_that_is_away_is_no_count() {
    for record in ["cluster/aggregate_rf1_one_node_down__v1.28", "cluster/aggregate_tenant_one_node_down_error"] {
        let server = Server::saying(recorded(record)).await;
        let error = server.client().counts(&names(1)).await.expect_err("no count");
        assert!(matches!(error, Error::Exhausted { attempts: 2, .. }), "{error:?}");
    }
}

fn tenants(count: usize) -> Vec<TenantName> {
    (0..count).map(|n| format!("t-{n}").parse().expect("a name")).collect()
}

#[tokio::test]
async fn a_hundred_tenants_are_counted_in_one_request() {
    let server = Server::start(|_, request| {
        let aliases = request.body.matches("{meta{count}}").count();
        assert_eq!(request.body.matches("(tenant:").count(), aliases, "{}", request.body);
        let counts: Vec<String> = (0..aliases).map(|n| format!(r#""c{n}":[{{"meta":{{"count":{n}}}}}]"#)).collect();
        Act::Answer(ok(&format!(r#"{{"data":{{"Aggregate":{{{}}}}}}}"#, counts.join(","))))
    })
    .await;
    let counts = server.client().tenant_counts(&names(1)[0], &tenants(150)).await.expect("counts");
    assert_eq!((counts.len(), &counts[99], &counts[149]), (150, &Count::Exact(99), &Count::Exact(49)));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn where_graphql_is_closed_a_dry_run_counts_each_tenant_until_one_may_not_be() {
    let server = Server::start(|_, request| {
        let record = if request.line.starts_with("DELETE") && request.line.ends_with("tenant=t-0") {
            "cluster/delete_dryrun_rf1_one_node_down_partial"
        } else {
            "auth_403_aggregate"
        };
        Act::Answer(recorded(record))
    })
    .await;
    let counts = server.client().tenant_counts(&names(1)[0], &tenants(50)).await.expect("counts");
    assert_eq!((counts.len(), &counts[0]), (50, &Count::Exact(2613)));
    assert!(counts[1..].iter().all(|count| matches!(count, Count::Unknown { .. })));
    assert_eq!(server.count("DELETE"), 2);
}
