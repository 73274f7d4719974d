//! References: checked in objects, appended unchecked in batches.

use serde_json::{Value, json};

use crate::ask::{Failure, Server, class, id, same};

const FROM: &str = "ConformanceFrom";
const TO: &str = "ConformanceTo";

fn beacon(class: &str, number: u64) -> String {
    format!("weaviate://localhost/{class}/{}", id(number))
}

async fn append(server: &Server, items: &[(String, String)]) -> Result<Vec<Value>, Failure> {
    let items: Vec<Value> = items.iter().map(|(from, to)| json!({"from": from, "to": to})).collect();
    let reply = server.post("/v1/batch/references", &Value::Array(items)).await?.want(200)?.json();
    Ok(reply.as_array().cloned().unwrap_or_default())
}

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    server.drop_class(FROM).await?;
    server.fresh(&class(TO, &[("t", "text")])).await?;
    server.fresh(&class(FROM, &[("t", "text"), ("to", TO)])).await?;
    server.write(&[json!({"class": TO, "id": id(1)})]).await?;
    let missing = json!({"class": FROM, "id": id(1), "properties": {"to": [{"beacon": beacon(TO, 0x63)}]}});
    let wanted = format!("invalid cref: 'cref' {FROM}:to: no object with id {} found", id(0x63));
    same("a target that is not there", &server.failure(&missing.to_string()).await?, &Some(wanted))?;
    let with_href = json!({"beacon": beacon(TO, 1), "href": "/v1/objects/ignored"});
    server
        .write(&[
            json!({"class": FROM, "id": id(1), "properties": {"to": [with_href]}}),
            json!({"class": FROM, "id": id(2)}),
        ])
        .await?;
    let source = |number: u64, property: &str| format!("{}/{property}", beacon(FROM, number));
    let replies = append(
        &server,
        &[
            (source(1, "to"), beacon(TO, 1)),
            (source(2, "to"), beacon(TO, 0x61)),
            (source(9, "to"), beacon(TO, 1)),
            (format!("{}/to", beacon("ConformanceNowhere", 1)), beacon(TO, 1)),
        ],
    )
    .await?;
    let statuses: Vec<&str> = replies.iter().filter_map(|r| r["result"]["status"].as_str()).collect();
    same("statuses", &statuses, &["SUCCESS", "SUCCESS", "FAILED", "FAILED"])?;
    same("echo of a failed one", &replies[2].get("from").is_some(), &(version >= (1, 39)))?;
    let why = &replies[2]["result"]["errors"]["error"][0]["message"];
    same("source", why, &format!("ref batch: object with id {} not found", id(9)))?;
    let page = server.get(&format!("/v1/objects?class={FROM}&limit=5&after=")).await?.want(200)?.json();
    let one = |n: u64| json!({"beacon": beacon(TO, n), "href": format!("/v1/objects/{TO}/{}", id(n))});
    same("appended", &page["objects"][0]["properties"]["to"], &json!([one(1), one(1)]))?;
    same("dangling", &page["objects"][1]["properties"]["to"], &json!([one(0x61)]))?;
    server.post("/v1/batch/references", &json!([])).await?.want(422)?.says("length cannot be 0")?;
    let no_uri = json!([{"from": "x", "to": beacon(TO, 1)}]);
    same("code", &server.post("/v1/batch/references", &no_uri).await?.want(422)?.json()["code"], &601)?;
    let path = format!("/v1/objects/{FROM}/{}/references/to", id(1));
    server.put(&path, &json!([{"beacon": beacon(TO, 1)}])).await?.want(200)?;
    let read = server.get(&format!("/v1/objects/{FROM}/{}", id(1))).await?.want(200)?.json();
    same("replaced", &read["properties"]["to"], &json!([one(1)]))?;
    server.put(&path, &json!([{"beacon": beacon(TO, 0x61)}])).await?.want(422)?;
    server.drop_class(FROM).await?;
    server.drop_class(TO).await
}
