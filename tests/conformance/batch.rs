//! Writing: what fails alone, what fails whole, what is replaced.

use serde_json::{Value, json};

use crate::ask::{Failure, Server, class, id, same};

const NAME: &str = "ConformanceBatch";
const MADE_UP: &str = "ConformanceMadeUp";

pub(crate) async fn check(url: &str, version: (u32, u32)) -> Result<(), Failure> {
    let server = Server::new(url);
    let kinds = [
        ("t", "text"),
        ("ts", "text[]"),
        ("i", "int"),
        ("is", "int[]"),
        ("n", "number"),
        ("b", "boolean"),
        ("d", "date"),
        ("u", "uuid"),
        ("bl", "blob"),
        ("g", "geoCoordinates"),
        ("p", "phoneNumber"),
    ];
    server.fresh(&class(NAME, &kinds)).await?;
    items(&server, version).await?;
    whole(&server, version).await?;
    replaced(&server, version).await?;
    auto_created(&server, version).await?;
    server.drop_class(NAME).await
}

async fn items(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let wrong =
        |kind: &str, name: &str, why: &str| format!("invalid {kind} property '{name}' on class '{NAME}': {why}");
    for (properties, message) in [
        ("\"t\":5", wrong("text", "t", "not a string, but json.Number")),
        ("\"ts\":\"x\"", wrong("text array", "ts", "not a text array, but string")),
        ("\"i\":\"abc\"", wrong("integer", "i", "requires an integer, the given value is 'abc'")),
        ("\"i\":1.5", wrong("integer", "i", "the JSON number '1.5' could not be converted to an int")),
        ("\"n\":\"a\"", wrong("number", "n", "requires a float, the given value is 'a'")),
        ("\"b\":\"x\"", wrong("boolean", "b", "not a bool, but string")),
        (
            "\"d\":\"2024-01-01\"",
            wrong("date", "d", "requires a string with a RFC3339 formatted date, but the given value is '2024-01-01'"),
        ),
        ("\"u\":\"zz\"", wrong("uuid", "u", "requires a string of UUID format, but the given value is 'zz'")),
        ("\"bl\":\"%%%\"", wrong("blob", "bl", "not a valid blob base64 string")),
        (
            "\"g\":{\"latitude\":1}",
            wrong("geoCoordinates", "g", "geoCoordinates is missing required field 'longitude'"),
        ),
        ("\"p\":{\"input\":5}", wrong("phoneNumber", "p", "phoneNumber.input must be a string")),
    ] {
        let object = format!("{{\"class\":\"{NAME}\",\"id\":\"{}\",\"properties\":{{{properties}}}}}", id(0xf0));
        same(properties, &server.failure(&object).await?, &Some(message))?;
        let read = server.get(&format!("/v1/objects/{NAME}/{}", id(0xf0))).await?;
        same("a failed one is not stored", &read.status, &404)?;
    }
    let mixed = server.failure(&format!("{{\"class\":\"{NAME}\",\"properties\":{{\"is\":[1,null]}}}}")).await?;
    // Which of two checks comes first differs from call to call.
    let mixed = mixed.unwrap_or_default();
    same(&mixed, &(mixed.contains("property 'is' on class") && mixed.contains("<nil>")), &true)?;
    let tenant = server.failure(&format!("{{\"class\":\"{NAME}\",\"tenant\":\"a\"}}")).await?;
    let wanted = format!("class {NAME} has multi-tenancy disabled, but request was with tenant");
    same("tenant", &tenant, &Some(wanted))?;
    let other = server.failure("{\"class\":\"Conformance-Bad\",\"properties\":{}}").await?.unwrap_or_default();
    same(&other, &other.ends_with("class 'Conformance-Bad' not present in schema"), &true)?;
    let level = server.post("/v1/batch/objects?consistency_level=ALL", &json!({"objects": [{"class": NAME}]})).await?;
    let level = level.want(200)?.json();
    same("level ALL alone", &level[0]["result"]["status"], &if version >= (1, 32) { "SUCCESS" } else { "FAILED" })?;
    let reply = server.write_text(&format!("[{{\"class\":\"{NAME}\",\"id\":\"{}\",\"properties\":{{\"t\":\"x\"}},\"creationTimeUnix\":1000,\"vectorWeights\":null}}]", id(0xf1))).await?;
    let late = reply[0]["creationTimeUnix"].as_i64().is_some_and(|t| t > 1_600_000_000_000);
    same("times cannot be sent", &late, &true)?;
    same("deprecations", &reply[0]["deprecations"], &Value::Null)
}

async fn whole(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let bad = json!({"objects": [{"class": NAME, "id": id(0xe1)}, {"class": NAME, "id": "notauuid"}]});
    let refused = server.post("/v1/batch/objects", &bad).await?.want(422)?;
    same("code", &refused.json()["code"], &601)?;
    refused.says("body.objects.1.id in body must be of type uuid: \"notauuid\"")?;
    server.get(&format!("/v1/objects/{NAME}/{}", id(0xe1))).await?.want(404)?;
    server.post("/v1/batch/objects", &json!({"objects": []})).await?.want(422)?.says("cannot be empty")?;
    let level = server.post("/v1/batch/objects?consistency_level=FOO", &json!({"objects": [{"class": NAME}]})).await?;
    level.want(400)?.says("unrecognized consistency level 'FOO'")?;
    let half = server.send(reqwest::Method::POST, "/v1/batch/objects", Some("{\"objects\":[{\"class\":")).await?;
    half.want(400)?.says("parsing body body from \"\" failed, because unexpected EOF")?;
    let nameless = server.post("/v1/batch/objects", &json!({"objects": [{"id": id(0xe2)}]})).await?.want(200)?;
    same("an item without class empties the reply", &nameless.text.is_empty(), &(version >= (1, 28)))
}

async fn replaced(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    let path = format!("/v1/objects/{NAME}/{}", id(1));
    let read = async |what: &str| -> Result<Value, Failure> {
        let reply = server.get(&format!("{path}?include=vector")).await?;
        Ok(reply.want(200).map_err(|why| format!("{what}: {why}"))?.json())
    };
    server.write(&[json!({"class": NAME, "id": id(1), "properties": {"t": "a", "n": 1}, "vector": [1, 2]})]).await?;
    let first = read("first").await?;
    server.write(&[json!({"class": NAME, "id": id(1), "properties": {"t": "b"}})]).await?;
    let second = read("second").await?;
    same("replaced whole", &second["properties"], &json!({"t": "b"}))?;
    same("the vector too", &second.get("vector").is_some(), &false)?;
    let twice = [
        json!({"class": NAME, "id": id(2), "properties": {"n": 1}}),
        json!({"class": NAME, "id": id(2), "properties": {"n": 2}}),
    ];
    server.write(&twice).await?;
    let last = server.get(&format!("/v1/objects/{NAME}/{}", id(2))).await?.want(200)?.json();
    same("the last of two wins", &last["properties"]["n"], &2)?;
    server.post("/v1/objects", &json!({"class": NAME, "id": id(1)})).await?.want(422)?.says("already exists")?;
    let put =
        server.put(&path, &json!({"class": NAME, "id": id(1), "properties": {"t": "c"}, "vector": [3, 4]})).await?;
    put.want(200)?;
    same("put keeps the creation", &read("put").await?["creationTimeUnix"], &second["creationTimeUnix"])?;
    let later = second["creationTimeUnix"].as_i64() >= first["creationTimeUnix"].as_i64();
    same("a batch does not", &later, &true)?;
    let merging = server
        .send(reqwest::Method::PATCH, &path, Some(&json!({"class": NAME, "properties": {"n": 7}}).to_string()))
        .await?;
    merging.want(204)?;
    let merged = read("patch").await?;
    same("merged", &merged["properties"], &json!({"n": 7, "t": "c"}))?;
    same("patch keeps the vector", &merged["vector"], &json!([3, 4]))?;
    let missing =
        server.put(&format!("/v1/objects/{NAME}/{}", id(0xd1)), &json!({"class": NAME, "id": id(0xd1)})).await?;
    same("put of nothing", &missing.status, &if version >= (1, 39) { 404 } else { 500 })?;
    server.get(&format!("/v1/objects/{NAME}/nouuid")).await?.want(422)?.says("id in path must be of type uuid")?;
    server.send(reqwest::Method::HEAD, &path, None).await?.want(204)?;
    server.delete(&path).await?.want(204)?;
    server.delete(&path).await?.want(204)?;
    server.send(reqwest::Method::HEAD, &path, None).await?.want(404)?;
    Ok(())
}

async fn auto_created(server: &Server, version: (u32, u32)) -> Result<(), Failure> {
    server.drop_class(MADE_UP).await?;
    server.write(&[json!({"class": MADE_UP, "id": id(1), "properties": {"a": 1, "b": "x", "d": "2024-01-01T00:00:00Z", "o": {"k": [true]}}, "vector": [1, 2]})]).await?;
    let document = server.get(&format!("/v1/schema/{MADE_UP}")).await?.want(200)?.json();
    let mut kinds: Vec<String> = document["properties"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|p| format!("{}:{}", p["name"], p["dataType"][0]))
        .collect();
    kinds.sort();
    same("kinds", &kinds.join(" "), &"\"a\":\"number\" \"b\":\"text\" \"d\":\"date\" \"o\":\"object\"")?;
    let object = server.get(&format!("/v1/objects/{MADE_UP}/{}?include=vector", id(1))).await?.want(200)?.json();
    if version >= (1, 40) {
        same("named vector", &object["vectors"], &json!({"default": [1, 2]}))?;
    } else if version == (1, 24) {
        same("vector", &object["vector"], &json!([1, 2]))?;
    }
    server.drop_class(MADE_UP).await
}
