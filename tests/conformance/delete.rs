//! Batch deletes: counted first, capped, and silent about what is not there.

use reqwest::Method;
use serde_json::{Value, json};

use crate::ask::{Failure, Reply, Server, class, id, same};

const NAME: &str = "ConformanceDelete";
const ALL: u64 = 10_050;
/// Objects of one batch.
const BATCH: u64 = 2_010;

async fn delete(server: &Server, body: &Value) -> Result<Reply, Failure> {
    server.send(Method::DELETE, "/v1/batch/objects", Some(&body.to_string())).await
}

fn all(dry: bool) -> Value {
    json!({"match": {"class": NAME, "where": {"path": ["id"], "operator": "Like", "valueText": "*"}}, "dryRun": dry})
}

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    let mut document = class(NAME, &[("n", "int")]);
    document["vectorIndexConfig"] = json!({"skip": true});
    server.fresh(&document).await?;
    for first in (0..ALL).step_by(usize::try_from(BATCH)?) {
        let objects: Vec<Value> =
            (first..first + BATCH).map(|n| json!({"class": NAME, "id": id(n + 1), "properties": {"n": n}})).collect();
        server.write(&objects).await?;
    }
    filters(&server, version).await?;
    let dry = delete(&server, &all(true)).await?.want(200)?.json();
    same("dry matches", &dry["results"]["matches"], &ALL)?;
    same("dry successful", &dry["results"]["successful"], &0)?;
    same("limit", &dry["results"]["limit"], &10_000)?;
    same("time", &dry.get("deletionTimeUnixMilli").is_some(), &(version >= (1, 28)))?;
    let real = delete(&server, &all(false)).await?.want(200)?.json();
    same("matches", &real["results"]["matches"], &ALL)?;
    same("successful", &real["results"]["successful"], &10_000)?;
    let rest = delete(&server, &all(false)).await?.want(200)?.json();
    same("rest", &rest["results"]["successful"], &(ALL - 10_000))?;
    let none = delete(&server, &all(false)).await?.want(200)?.json();
    same("none", &none["results"]["matches"], &0)?;
    refusals(&server, version).await?;
    server.drop_class(NAME).await
}

async fn filters(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let nil = "00000000-0000-0000-0000-000000000000";
    for (filter, matches) in [
        (json!({"path": ["id"], "operator": "NotEqual", "valueText": nil}), ALL),
        (json!({"path": ["_id"], "operator": "GreaterThanEqual", "valueText": nil}), ALL),
        (json!({"path": ["id"], "operator": "ContainsAny", "valueTextArray": [id(1), id(2), id(0xfff_ffff)]}), 2),
        (json!({"path": ["id"], "operator": "Equal", "valueText": id(5)}), 1),
        (json!({"path": ["n"], "operator": "LessThan", "valueInt": 10}), 10),
    ] {
        let body = json!({"match": {"class": NAME, "where": filter}, "dryRun": true, "output": "minimal"});
        let reply = delete(server, &body).await?.want(200)?.json();
        same(&filter.to_string(), &reply["results"]["matches"], &matches)?;
        same("objects", &reply["results"]["objects"], &Value::Null)?;
    }
    let few = json!({"path": ["n"], "operator": "LessThan", "valueInt": 1});
    let mut body = json!({"match": {"class": NAME, "where": few}, "dryRun": true, "output": "verbose"});
    body["deletionTimeUnixMilli"] = 1_795_405_661_869_i64.into();
    let reply = delete(server, &body).await?.want(200)?.json();
    same("verbose", &reply["results"]["objects"], &json!([{"id": id(1), "status": "DRYRUN"}]))?;
    same("operands", &reply["match"]["where"]["operands"], &Value::Null)?;
    if version >= (1, 28) {
        same("time", &reply["deletionTimeUnixMilli"], &1_795_405_661_869_i64)?;
    }
    Ok(())
}

async fn refusals(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let status = if matches!(version, (1, 28 | 32)) { 500 } else { 422 };
    let mut unknown = all(true);
    unknown["match"]["class"] = "ConformanceNowhere".into();
    delete(server, &unknown).await?.want(status)?.says("ConformanceNowhere")?;
    delete(server, &json!({"match": {"class": NAME}})).await?.want(status)?.says("empty match.where clause")?;
    delete(server, &json!({})).await?.want(status)?.says("empty match clause")?;
    let mut tenant = all(true);
    tenant["output"] = "bogus".into();
    let output = delete(server, &tenant).await?;
    output.want(if version == (1, 24) { 422 } else { 500 })?.says("invalid output: \"bogus\"")?;
    Ok(())
}
