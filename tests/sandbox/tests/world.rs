//! What goes on behind a client's back: nodes that return, writers that do not stop, writes that land late.

use std::time::Duration;

use sandbox::{Change, Fault, Kind, Sandbox};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

const A3: &str = r#"{"class":"A3","vectorizer":"none","shardingConfig":{"desiredCount":3},"replicationConfig":{"factor":3},"properties":[{"name":"n","dataType":["int"]}]}"#;

fn id(number: u64) -> String {
    format!("00000000-0000-0000-0000-{number:012x}")
}

fn object(class: &str, number: u64) -> Value {
    json!({"class": class, "id": id(number), "properties": {"n": number}})
}

async fn send(url: &str, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
    let request = reqwest::Client::new().request(method.parse()?, format!("{url}{path}"));
    let text = request.header("content-type", "application/json").body(body.to_string()).send().await?.text().await?;
    Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn all(class: &str, dry: bool) -> Value {
    json!({"match": {"class": class, "where": {"path": ["id"], "operator": "Like", "valueText": "*"}}, "dryRun": dry})
}

#[tokio::test]
async fn a_delete_without_a_time_is_undone_when_the_node_returns() -> Result<(), Failure> {
    for (time, left) in [(None, 5), (Some(1_795_405_661_869_i64), 0)] {
        let sandbox = Sandbox::builder().nodes(3).collection(A3).start().await;
        let url = sandbox.url();
        let objects: Vec<Value> = (1..=5).map(|n| object("A3", n)).collect();
        send(&url, "POST", "/v1/batch/objects", &json!({"objects": objects})).await?;
        sandbox.faults().node_down("node3");
        let mut body = all("A3", false);
        body["deletionTimeUnixMilli"] = time.into();
        let deleted = send(&url, "DELETE", "/v1/batch/objects", &body).await?;
        assert_eq!(deleted["results"]["successful"], 5);
        assert_eq!(sandbox.count("A3", None), 0);
        sandbox.faults().node_up("node3");
        assert_eq!(sandbox.count("A3", None), left);
    }
    Ok(())
}

#[tokio::test]
async fn replicas_that_differ_list_differently_and_dry_run_sees_them_all() -> Result<(), Failure> {
    let sandbox = Sandbox::builder().nodes(3).collection(A3).start().await;
    let objects: Vec<Value> = (1..=5).map(|n| object("A3", n)).collect();
    send(&sandbox.url(), "POST", "/v1/batch/objects", &json!({"objects": objects})).await?;
    sandbox.faults().lacks("node3", "A3", &id(2));
    let path = "/v1/objects?class=A3&limit=10&after=";
    let whole = send(&sandbox.url(), "GET", path, &Value::Null).await?;
    let less = send(&sandbox.node_url("node3"), "GET", path, &Value::Null).await?;
    assert_eq!((&whole["totalResults"], &less["totalResults"]), (&json!(5), &json!(4)));
    let dry = send(&sandbox.node_url("node3"), "DELETE", "/v1/batch/objects", &all("A3", true)).await?;
    assert_eq!(dry["results"]["matches"], 5);
    sandbox.faults().now(&Change::Repair);
    let repaired = send(&sandbox.node_url("node3"), "GET", path, &Value::Null).await?;
    assert_eq!(repaired["totalResults"], 5);
    Ok(())
}

#[tokio::test]
async fn a_freeze_reaches_the_other_replicas_late() -> Result<(), Failure> {
    let sandbox = Sandbox::builder().nodes(3).collection(A3).start().await;
    let url = sandbox.url();
    sandbox.faults().now(&Change::FreezeLag(Duration::from_secs(3600)));
    let shard = sandbox.shards("A3")[0].clone();
    send(&url, "PUT", &format!("/v1/schema/A3/shards/{shard}"), &json!({"status": "READONLY"})).await?;
    let shards = send(&url, "GET", "/v1/schema/A3/shards", &Value::Null).await?;
    let frozen = shards.as_array().and_then(|s| s.iter().find(|s| s["name"] == shard.as_str())).cloned();
    let seen = &frozen.unwrap_or_default()["per_node_status"];
    assert_eq!(seen, &json!({"node1": "READONLY", "node2": "READY", "node3": "READY"}));
    Ok(())
}

#[tokio::test]
async fn a_writer_through_a_drop_brings_the_class_back() -> Result<(), Failure> {
    let sandbox = Sandbox::builder().seeded("Busy", 10, 2, 1).start().await;
    sandbox.faults().now(&Change::WriterThroughDrop("Busy".to_owned(), vec![object("Busy", 1).to_string()]));
    send(&sandbox.url(), "DELETE", "/v1/schema/Busy", &Value::Null).await?;
    assert_eq!(sandbox.count("Busy", None), 1);
    let kind = &send(&sandbox.url(), "GET", "/v1/schema/Busy", &Value::Null).await?["properties"][0]["dataType"][0];
    assert_eq!(kind, "number");
    Ok(())
}

#[tokio::test]
async fn a_write_can_land_after_the_client_gave_up() -> Result<(), Failure> {
    let sandbox = Sandbox::builder().seeded("Late", 10, 0, 1).start().await;
    let late = Kind::LandsLate(Duration::from_millis(50));
    sandbox.faults().add(Fault::new(late).on("POST", "/v1/batch/objects").times(1));
    let body = json!({"objects": [object("Late", 1)]});
    assert!(send(&sandbox.url(), "POST", "/v1/batch/objects", &body).await.is_err());
    assert_eq!(sandbox.count("Late", None), 10);
    while sandbox.count("Late", None) == 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(sandbox.count("Late", None), 11);
    Ok(())
}

#[tokio::test]
async fn some_objects_of_a_batch_fail_and_a_504_can_hide_a_success() -> Result<(), Failure> {
    let sandbox = Sandbox::builder().seeded("Some", 0, 0, 1).start().await;
    let failing = Kind::FailObjects(3, "not enough memory".to_owned());
    sandbox.faults().add(Fault::new(failing).on("POST", "/v1/batch/objects").times(1));
    let body = json!({"objects": (1..=9).map(|n| object("Some", n)).collect::<Vec<_>>()});
    let reply = send(&sandbox.url(), "POST", "/v1/batch/objects", &body).await?;
    let failed = reply.as_array().map(|r| r.iter().filter(|r| r["result"]["status"] == "FAILED").count());
    assert_eq!((failed, sandbox.count("Some", None)), (Some(3), 6));
    let hidden = Kind::AppliedThen { status: 504, body: "gateway timeout".to_owned() };
    sandbox.faults().add(Fault::new(hidden).on("POST", "/v1/batch/objects").nth(1));
    send(&sandbox.url(), "POST", "/v1/batch/objects", &body).await?;
    assert_eq!(sandbox.requests().last().map(|seen| seen.status), Some(504));
    assert_eq!(sandbox.count("Some", None), 9);
    assert_eq!(sandbox.writing_requests(), 2);
    Ok(())
}
