//! The states of the recordings made with three nodes.

use sandbox::{Builder, Sandbox};
use serde_json::{Value, json};

use super::{class, id};
use crate::{Failure, send};

/// A cluster of three in the state a recording assumes.
pub(crate) async fn build(stem: &str, builder: Builder, recorded: &Value) -> Result<Sandbox, Failure> {
    let shards = |name: &str, factor: u32| {
        let mut document = class(name, &[("n", "int"), ("s", "text")]);
        document["shardingConfig"] = json!({"desiredCount": 3});
        document["replicationConfig"] = json!({"factor": factor});
        document.to_string()
    };
    let mut tenants = class("M1", &[("n", "int")]);
    tenants["multiTenancyConfig"] = json!({"enabled": true});
    let builder = builder.nodes(3).collection(&shards("A1", 1)).collection(&shards("A3", 3));
    let builder = builder.collection(&shards("Ro1", 1)).collection(&shards("Xoff", 3));
    let sandbox = builder.collection(&tenants.to_string()).start().await;
    send(&sandbox, "POST", "/v1/schema/M1/tenants", &json!([{"name": "t1"}])).await?;
    sandbox.settle("M1", "t1", "node3");
    objects(stem, &sandbox, recorded).await?;
    freeze(stem, &sandbox).await?;
    let description = recorded["cluster"].as_str().unwrap_or("");
    if description.contains("node3 restarted") || stem == "shards_frozen_after_node_restart" {
        sandbox.faults().node_down("node3");
        sandbox.faults().node_up("node3");
    } else if description.contains("nodes 2 and 3 down") {
        sandbox.faults().node_down("node2");
        sandbox.faults().node_down("node3");
    } else if description.contains("node3 down (") {
        sandbox.faults().node_down("node3");
    }
    if stem == "batch_rf3_readonly_quorum_failed" {
        sandbox.faults().node_down("node3");
        sandbox.faults().node_up("node3");
    }
    Ok(sandbox)
}

async fn write(sandbox: &Sandbox, objects: &[Value]) -> Result<(), Failure> {
    send(sandbox, "POST", "/v1/batch/objects", &json!({"objects": objects})).await.map(|_| ())
}

async fn objects(stem: &str, sandbox: &Sandbox, recorded: &Value) -> Result<(), Failure> {
    let listed = &recorded["response"]["body"]["objects"][0];
    if stem.starts_with("list_rf1") || stem.starts_with("list_rf3_drift") {
        let class = if stem.starts_with("list_rf3") { "Xoff" } else { "A1" };
        let mut lost = json!({"class": class, "id": id(1), "properties": {"n": 1}});
        sandbox.place(class, &id(1), 2);
        if class == "Xoff" {
            lost["id"] = "39cf2bab-7b06-c031-05e2-3091ac0a62c8".into();
        }
        write(sandbox, &[lost]).await?;
        if let Some(id) = listed["id"].as_str() {
            sandbox.place(class, id, 0);
            let object = json!({"class": class, "id": id, "properties": listed["properties"]});
            write(sandbox, &[object]).await?;
        }
        sandbox.faults().lacks("node3", class, "39cf2bab-7b06-c031-05e2-3091ac0a62c8");
    }
    if stem.contains("partial") {
        let mut all = Vec::new();
        for n in 0..4000 {
            sandbox.place("A1", &id(n), if n < 2613 { 0 } else { 2 });
            all.push(json!({"class": "A1", "id": id(n), "properties": {}}));
        }
        write(sandbox, &all).await?;
    }
    if stem.starts_with("get_object_rf1") {
        sandbox.place("A1", "96ffdd80-2f5c-14dd-3562-0632db2b9f53", 2);
    }
    // Which node an object was on can be told from what became of it.
    let sent = recorded["request"]["body"]["objects"].as_array().map_or(&[][..], Vec::as_slice);
    let became = recorded["response"]["body"].as_array().map_or(&[][..], Vec::as_slice);
    for (object, reply) in sent.iter().zip(became) {
        let (class, id) = (object["class"].as_str().unwrap_or(""), object["id"].as_str().unwrap_or(""));
        let remote = stem.contains("false_success") && reply["result"]["status"] == "SUCCESS";
        sandbox.place(class, id, usize::from(remote));
    }
    Ok(())
}

async fn freeze(stem: &str, sandbox: &Sandbox) -> Result<(), Failure> {
    let classes = match stem {
        _ if stem.starts_with("batch_rf1_readonly") => &["A1", "Ro1"][..],
        _ if stem.starts_with("batch_rf3_readonly") || stem.starts_with("shards_frozen") => &["A3"],
        _ => &[],
    };
    for class in classes {
        for shard in sandbox.shards(class) {
            let path = format!("/v1/schema/{class}/shards/{shard}");
            send(sandbox, "PUT", &path, &json!({"status": "READONLY"})).await?;
        }
    }
    Ok(())
}
