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
    doubtful(&server, version).await?;
    server.drop_class(FROM).await?;
    tenants(&server).await?;
    server.drop_class(TO).await?;
    order(&server).await
}

/// What is said to have failed, and was added all the same; and what spoils the answer for others.
async fn doubtful(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let to = |property: &str, number: u64| (format!("{}/{property}", beacon(FROM, 3)), beacon(TO, number));
    server.write(&[json!({"class": FROM, "id": id(3), "properties": {"to": []}})]).await?;
    let replies = append(server, &[to("to", 1)]).await?;
    let why = replies[0]["result"]["errors"]["error"][0]["message"].as_str().unwrap_or_default().to_owned();
    same("onto an empty list", &why.contains("is present, but not a ref"), &true)?;
    let stored = async || {
        let read = server.get(&format!("/v1/objects/{FROM}/{}", id(3))).await?.want(200)?.json();
        Ok::<_, Failure>(read["properties"]["to"].as_array().map(Vec::len))
    };
    same("added all the same", &stored().await?, &Some(1))?;
    server.write(&[json!({"class": FROM, "id": id(3)})]).await?;
    same("an object that is sent again replaces them", &stored().await?, &None)?;
    let nowhere = (to("to", 1).0, beacon("ConformanceNowhere", 1));
    let why = append(server, &[nowhere]).await?[0]["result"]["errors"]["error"][0]["message"].clone();
    let named = if version < (1, 28) { "ConformanceNowhere" } else { FROM };
    same("a class that is not there", &why, &format!("target class \"{named}\" not found in schema"))?;
    let spoilt = (to("to", 1).0, format!("weaviate://localhost/{TO}/nowhere"));
    let results = match version {
        (1, 28..39) => 0,
        (1, ..28) => 1,
        _ => 2,
    };
    same(
        "results beside a beacon that cannot be read",
        &append(server, &[to("to", 1), spoilt]).await?.len(),
        &results,
    )?;
    same("and what was added", &stored().await?, &if results == 0 { None } else { Some(1) })
}

/// Where the source has tenants, targets are looked for in the same one.
async fn tenants(server: &Server) -> Result<(), Failure> {
    let mut document = class(FROM, &[("to", TO), ("own", FROM)]);
    document["multiTenancyConfig"] = json!({"enabled": true});
    server.fresh(&document).await?;
    let path = format!("/v1/schema/{FROM}/tenants");
    server.post(&path, &json!([{"name": "t1"}, {"name": "t2"}])).await?.want(200)?;
    let object = |tenant: &str, n: u64| json!({"class": FROM, "id": id(n), "tenant": tenant});
    server.write(&[object("t1", 1), object("t1", 2), object("t2", 3)]).await?;
    let source = |property: &str| format!("{}/{property}", beacon(FROM, 1));
    let items = [("own", beacon(FROM, 2)), ("own", beacon(FROM, 3)), ("to", beacon(TO, 1)), ("to", beacon(TO, 0x61))];
    let items = items.map(|(property, to)| json!({"from": source(property), "to": to, "tenant": "t1"}));
    let replies = server.post("/v1/batch/references", &json!(items)).await?.want(200)?.json();
    let why = |at: usize| replies[at]["result"]["errors"]["error"][0]["message"].as_str().unwrap_or("").to_owned();
    let missing = |class: &str, n: u64, tenant: &str| {
        format!("target: object {class}/{} not found for tenant \"{tenant}\"", id(n))
    };
    let wanted = [String::new(), missing(FROM, 3, "t1"), String::new(), missing(TO, 0x61, "")];
    same("targets", &[why(0), why(1), why(2), why(3)], &wanted)?;
    let read = server.get(&format!("/v1/objects/{FROM}/{}?tenant=t1", id(1))).await?.want(200)?.json();
    let added = ["own", "to"].map(|property| read["properties"][property].as_array().map(Vec::len));
    same("added", &added, &[Some(1), Some(1)])?;
    server.drop_class(FROM).await
}

/// The references of one request are added in its order, also in a class of several shards.
async fn order(server: &Server) -> Result<(), Failure> {
    let mut document = class(FROM, &[("own", FROM)]);
    document["shardingConfig"] = json!({"desiredCount": 3});
    server.fresh(&document).await?;
    let spread = |n: u64| format!("{:08x}-0000-0000-0000-{n:012x}", n * 0x2f00_0001 % 0xffff_fffb);
    let objects: Vec<Value> = (0..12).map(|n| json!({"class": FROM, "id": spread(n)})).collect();
    server.write(&objects).await?;
    // Objects take turns, and each list has repeats.
    let turns: Vec<(u64, u64)> = (0..600).map(|n| (n * 7 % 12, n * n % 31)).collect();
    let beacon = |n: u64| format!("weaviate://localhost/{FROM}/{}", spread(n));
    let items: Vec<_> = turns.iter().map(|(from, to)| (format!("{}/own", beacon(*from)), beacon(*to))).collect();
    append(server, &items).await?;
    for number in 0..12 {
        let read = server.get(&format!("/v1/objects/{FROM}/{}", spread(number))).await?.want(200)?.json();
        let list = read["properties"]["own"].as_array().cloned().unwrap_or_default();
        let got: Vec<&str> = list.iter().filter_map(|one| one["beacon"].as_str()).collect();
        let wanted: Vec<String> = turns.iter().filter(|(from, _)| *from == number).map(|(_, to)| beacon(*to)).collect();
        same("order", &got, &wanted)?;
    }
    server.drop_class(FROM).await
}
