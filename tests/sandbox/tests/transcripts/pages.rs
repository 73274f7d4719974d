//! Pages of real servers, byte for byte.

use std::path::Path;

use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::{Failure, send};

/// The text without the thirteen digits of each timestamp.
fn untimed(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("TimeUnix\":") {
        let end = at + "TimeUnix\":".len();
        out.push_str(&rest[..end]);
        rest = rest[end..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out + rest
}

fn classes(name: &str) -> Vec<Value> {
    let property = |name: &str, kind: &str| json!({"name": name, "dataType": [kind]});
    let nested =
        |name: &str, kind: &str, inner: Value| json!({"name": name, "dataType": [kind], "nestedProperties": inner});
    let vector = json!({"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"});
    if name.contains("all-types") {
        let inner = json!([
            property("d", "date"),
            property("ds", "date[]"),
            property("i", "int"),
            property("n", "number"),
            property("t", "text"),
            property("u", "uuid"),
            nested("o", "object", json!([property("k", "text")])),
        ]);
        let kinds = [
            ("i", "int"),
            ("is_", "int[]"),
            ("n", "number"),
            ("ns", "number[]"),
            ("text", "text"),
            ("texts", "text[]"),
            ("d", "date"),
            ("ds", "date[]"),
            ("u", "uuid"),
            ("us", "uuid[]"),
            ("bl", "blob"),
            ("g", "geoCoordinates"),
            ("ph", "phoneNumber"),
            ("b", "boolean"),
            ("bs", "boolean[]"),
        ];
        let mut all: Vec<Value> = kinds.iter().map(|(n, k)| property(n, k)).collect();
        all.push(nested("o", "object", inner.clone()));
        all.push(nested("os", "object[]", inner));
        return vec![json!({"class": "RtAll", "vectorizer": "none", "properties": all})];
    }
    let kinds = [
        ("b", "boolean"),
        ("bl", "blob"),
        ("bs", "boolean[]"),
        ("d", "date"),
        ("ds", "date[]"),
        ("f", "number"),
        ("fs", "number[]"),
        ("g", "geoCoordinates"),
        ("i", "int"),
        ("is", "int[]"),
        ("t", "text"),
        ("ts", "text[]"),
        ("u", "uuid"),
        ("us", "uuid[]"),
    ];
    let mut all: Vec<Value> = kinds.iter().map(|(n, k)| property(n, k)).collect();
    all.push(nested("o", "object", json!([property("x", "text"), property("y", "number[]")])));
    let types = json!({"class": "BarTypes", "properties": all, "vectorConfig": {"body": vector, "title": vector}});
    let b = json!({"class": "BarB", "vectorizer": "none", "properties": [property("t", "text")]});
    let refers = [property("t", "text"), property("toB", "BarB"), property("toSelf", "BarA")];
    vec![types, b, json!({"class": "BarA", "vectorizer": "none", "properties": refers})]
}

/// Makes the objects that are only pointed at.
fn targets(page: &Value) -> Vec<Value> {
    let text = page.to_string();
    let beacons = text.split("\"beacon\":\"weaviate://localhost/").skip(1);
    beacons
        .filter_map(|rest| rest.split('"').next()?.split_once('/'))
        .map(|(class, id)| json!({"class": class, "id": id, "properties": {}}))
        .collect()
}

#[tokio::test]
async fn real_pages_are_printed_byte_for_byte() -> Result<(), Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/raw-pages");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        seen += 1;
        let recorded = std::fs::read_to_string(&path)?;
        let page: Value = serde_json::from_str(&recorded)?;
        let mut builder = Sandbox::builder().version(name.trim_start_matches('v'));
        for document in classes(&name) {
            builder = builder.collection(&document.to_string());
        }
        let sandbox = builder.start().await;
        let targets = targets(&page);
        if !targets.is_empty() {
            send(&sandbox, "POST", "/v1/batch/objects", &json!({"objects": targets})).await?;
        }
        // What goes back is the page's own text: a parser would respell its numbers.
        let start = recorded.find('[').and_then(|_| recorded.find("\"objects\":")).unwrap_or(0);
        let end = recorded.rfind(']').unwrap_or(0);
        let body = format!("{{{}]}}", &recorded[start..end]);
        let class = page["objects"][0]["class"].as_str().unwrap_or("BarTypes").to_owned();
        if page["objects"].as_array().is_some_and(|o| !o.is_empty()) {
            let body = respell(&body);
            let url = format!("{}/v1/batch/objects", sandbox.url());
            let reply = reqwest::Client::new().post(url).header("content-type", "application/json").body(body);
            let reply = reply.send().await?.text().await?;
            assert!(!reply.contains("FAILED"), "{name}: {reply}");
        }
        let vectors = if name.contains("without") { "" } else { "&include=vector" };
        let url = format!("{}/v1/objects?class={class}&limit=100{vectors}&after=", sandbox.url());
        let listed = reqwest::get(url).await?.text().await?;
        assert_eq!(untimed(&listed), untimed(&recorded), "{name}");
    }
    assert!(seen >= 7);
    Ok(())
}

/// Integers near 2^63 cannot be sent as they are listed (trap 14); these spellings give the same float64.
fn respell(body: &str) -> String {
    body.replace("-9223372036854776000", "-9223372036854775808").replace("9223372036854776000", "9223372036854775807")
}
