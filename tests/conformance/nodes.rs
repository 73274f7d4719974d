//! Nodes and shards, and shards that take no writes.

use serde_json::{Value, json};

use crate::ask::{Failure, Server, class, id, same};

const NAME: &str = "ConformanceShards";

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    let mut document = class(NAME, &[("n", "int")]);
    document["shardingConfig"] = json!({"desiredCount": 3});
    server.fresh(&document).await?;
    let few = server.get("/v1/nodes").await?.want(200)?.json();
    same("status", &few["nodes"][0]["status"], &"HEALTHY")?;
    same("no shards", &few["nodes"][0]["shards"], &Value::Null)?;
    // 1.34.5 is the first that tells it.
    if version != (1, 34) {
        same("mode", &few["nodes"][0].get("operationalMode").is_some(), &(version >= (1, 35)))?;
    }
    let all = server.get(&format!("/v1/nodes/{NAME}?output=verbose")).await?.want(200)?.json();
    let shards = all["nodes"][0]["shards"].as_array().cloned().unwrap_or_default();
    same("shards", &shards.len(), &3)?;
    same("stats", &all["nodes"][0]["stats"]["shardCount"], &3)?;
    same("class", &shards[0]["class"], &NAME)?;
    same("vectorIndexingStatus", &shards[0]["vectorIndexingStatus"], &"READY")?;
    let of_all = server.get("/v1/nodes?output=verbose").await?.want(200)?.json();
    let of_all = of_all["nodes"][0]["shards"].as_array().cloned().unwrap_or_default();
    same("among all shards", &of_all.iter().filter(|shard| shard["class"] == NAME).count(), &3)?;
    server.get("/v1/nodes/ConformanceNowhere?output=verbose").await?.want(404)?.says("not found")?;
    server.get("/v1/nodes?output=bogus").await?.want(422)?.says("invalid output: \"bogus\"")?;
    if version >= (1, 28) {
        let voters = server.get("/v1/cluster/statistics").await?.want(200)?.json();
        let voter = &voters["statistics"][0]["raft"]["latestConfiguration"][0]["id"];
        same("voter", voter, &few["nodes"][0]["name"])?;
    }
    freeze(&server, version).await?;
    server.drop_class(NAME).await
}

async fn freeze(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let path = format!("/v1/schema/{NAME}/shards");
    server.write(&[json!({"class": NAME, "id": id(1), "properties": {"n": 1}})]).await?;
    let shards = server.get(&path).await?.want(200)?.json();
    let shards = shards.as_array().cloned().unwrap_or_default();
    same("shards", &shards.len(), &3)?;
    same("per node", &shards[0].get("per_node_status").is_some(), &(version >= (1, 40)))?;
    for shard in &shards {
        same("ready", &shard["status"], &"READY")?;
        let path = format!("{path}/{}", shard["name"].as_str().unwrap_or(""));
        let frozen = server.put(&path, &json!({"status": "READONLY"})).await?.want(200)?.json();
        same("echo", &frozen, &json!({"status": "READONLY"}))?;
    }
    let failed = server.failure(&json!({"class": NAME, "id": id(2)}).to_string()).await?.unwrap_or_default();
    same(&failed, &failed.contains("store is read-only"), &true)?;
    same("why", &failed.contains("manually set by user"), &(version >= (1, 28)))?;
    let single = server.post("/v1/objects", &json!({"class": NAME, "id": id(3)})).await?.want(500)?;
    single.says("store is read-only")?;
    let delete = json!({"match": {"class": NAME, "where": {"path": ["id"], "operator": "Like", "valueText": "*"}}, "output": "verbose"});
    let delete =
        server.send(reqwest::Method::DELETE, "/v1/batch/objects", Some(&delete.to_string())).await?.want(200)?.json();
    same("matches", &delete["results"]["matches"], &1)?;
    same("each frozen shard fails once", &delete["results"]["failed"], &3)?;
    same("still listed", &server.ids(&format!("class={NAME}&limit=5&after=")).await?, &[id(1)])?;
    let unknown = server.put(&format!("{path}/nope"), &json!({"status": "READY"})).await?;
    same("unknown shard", &unknown.status, &if version >= (1, 39) { 200 } else { 422 })?;
    server.get("/v1/schema/ConformanceNowhere/shards").await?.want(404)?;
    Ok(())
}
