//! The state each group of recordings assumes.

use sandbox::{Builder, Operator, Sandbox};
use serde_json::{Value, json};

use crate::{Failure, send};

/// The shard name in the recordings about a read-only class.
const RECORDED_SHARD: &str = "0PAHawYsqpUR";

/// Names in recorded paths and what they are here.
pub(crate) fn renamed(sandbox: &Sandbox) -> Vec<(String, String)> {
    sandbox.shards("Ro").first().map(|name| (RECORDED_SHARD.to_owned(), name.clone())).into_iter().collect()
}

fn class(name: &str, properties: &[(&str, &str)]) -> Value {
    let properties: Vec<Value> =
        properties.iter().map(|(name, kind)| json!({"name": name, "dataType": [kind]})).collect();
    json!({"class": name, "vectorizer": "none", "properties": properties})
}

fn id(number: u64) -> String {
    format!("00000000-0000-0000-0000-{number:012x}")
}

/// A sandbox in the state a recording assumes.
pub(crate) async fn build(stem: &str, version: &str, cluster: bool, recorded: &Value) -> Result<Sandbox, Failure> {
    let mut builder = Sandbox::builder().version(version);
    if stem.starts_with("auth") {
        builder = builder.with_keys();
    }
    if stem.contains("autoschema_off") {
        builder = builder.auto_schema(false);
    }
    if cluster {
        return cluster::build(stem, builder, recorded).await;
    }
    let sandbox = alone(stem, builder, recorded).start().await;
    sandbox.operate(operator(stem));
    after(stem, &sandbox).await?;
    Ok(sandbox)
}

/// What the operator of the recorded server had set.
fn operator(stem: &str) -> Operator {
    let nothing = Operator::default();
    match stem {
        "schema_create_collections_limit" => Operator { most_collections: Some(1), ..nothing },
        "tenants_create_limit" => Operator { most_tenants: Some(2), ..nothing },
        "schema_create_shards_limit" => Operator { most_shards: Some(2), ..nothing },
        "schema_create_index_type_not_allowed" => Operator { index_types: Some(&["hnsw", "dynamic"]), ..nothing },
        "schema_create_compression_not_allowed" => Operator { compressions: Some(&["rq-8"]), ..nothing },
        "schema_create_tokenizer_off" => Operator { tokenizers_off: true, ..nothing },
        "schema_create_default_quantization" | "schema_create_skip_default_quantization" => {
            Operator { rq_by_default: true, ..nothing }
        }
        _ => nothing,
    }
}

#[path = "cluster.rs"]
mod cluster;
#[path = "lasting.rs"]
pub(crate) mod lasting;

fn alone(stem: &str, builder: Builder, recorded: &Value) -> Builder {
    let sent = recorded["request"].to_string();
    let path = recorded["request"]["path"].as_str().unwrap_or("");
    let about = |name: &str| {
        sent.contains(&format!("\"{name}\""))
            || path.contains(name)
            || sent.contains(&format!("/{name}/"))
            || sent.contains(&format!("{{{name}"))
    };
    if matches!(stem, "schema_create_collections_limit" | "tenants_create_limit") {
        return builder.collection(r#"{"class":"Limited","multiTenancyConfig":{"enabled":true}}"#);
    }
    let creates = stem.starts_with("schema_create") && !stem.contains("exists");
    if creates || matches!(stem, "schema_empty" | "schema_recreate_mt_from_get" | "schema_recreate_dangling_ref") {
        return builder;
    }
    if about("Del") || about("MyAlias") || stem.starts_with("alias") {
        return del(stem, builder);
    }
    if about("As") {
        return filled(
            builder.query_maximum_results(100).collection(&class("As", &[("n", "int")]).to_string()),
            "As",
            250,
        );
    }
    if about("MT") || about("Mt3") {
        return tenants(stem, builder);
    }
    if about("Ro") {
        let object = json!({"class": "Ro", "id": id(1), "properties": {"n": 1}, "vector": [1, 2]});
        return builder.collection(&class("Ro", &[("n", "int")]).to_string()).object(&object.to_string());
    }
    if about("AllTypes") {
        return all_types(stem, builder);
    }
    if about("RefA") {
        return references(stem, builder);
    }
    if about("Named") || about("Colbert") || about("Mixed") {
        return vectors(stem, builder);
    }
    let empty = match () {
        () if about("Lengths") => Some(class("Lengths", &[("t", "text")])),
        () if about("Sec") => Some(class("Sec", &[("t", "text")])),
        () if about("Hash") => Some(class("Hash", &[("h", "blobHash")])),
        () if about("Vz") => Some(
            json!({"class": "Vz", "vectorizer": "text2vec-openai", "properties": [{"name": "t", "dataType": ["text"]}]}),
        ),
        () if about("Shards3") => {
            Some(json!({"class": "Shards3", "vectorizer": "none", "shardingConfig": {"desiredCount": 3}}))
        }
        () => None,
    };
    match empty {
        Some(document) => builder.collection(&document.to_string()),
        None => jeopardy(stem, builder),
    }
}

fn jeopardy(stem: &str, builder: Builder) -> Builder {
    let fresh = stem.starts_with("schema_");
    let properties: &[_] = if fresh { &[("question", "text")] } else { &[("question", "text"), ("points", "int")] };
    let mut builder = builder.collection(&class("Jeopardy", properties).to_string());
    let ids = [
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-0000000000ff",
        "10000000-0000-4000-8000-000000000000",
        "7fffffff-ffff-4fff-bfff-ffffffffffff",
        "80000000-0000-4000-8000-000000000000",
        "ffffffff-ffff-4fff-bfff-ffffffffffff",
    ];
    if fresh || stem == "list_empty_class" || stem == "list_no_class" {
        return builder;
    }
    for (number, id) in ids.iter().enumerate() {
        let first = ["0", "0.1", "0.2", "0.3", "0.4", "0.5"][number];
        let vector: Value = serde_json::from_str(&format!("[{first},0.2,0.3]")).unwrap_or_default();
        let object = json!({"class": "Jeopardy", "id": id, "vector": vector,
            "properties": {"question": format!("q{number}"), "points": number}});
        builder = builder.object(&object.to_string());
    }
    builder
}

fn del(stem: &str, builder: Builder) -> Builder {
    let builder = builder.collection(&class("Del", &[("n", "int"), ("t", "text")]).to_string());
    let objects = match stem {
        "aggregate_count" => 0,
        "delete_real_all" => 39,
        _ => 50,
    };
    filled(builder, "Del", objects)
}

fn filled(mut builder: Builder, class: &str, objects: u64) -> Builder {
    for n in 0..objects {
        let object = json!({"class": class, "id": id(0x1000 + n), "properties": {"n": n}});
        builder = builder.object(&object.to_string());
    }
    builder
}

fn tenants(stem: &str, mut builder: Builder) -> Builder {
    let tenants = |name: &str| {
        let mut document = class(name, &[("n", "int")]);
        document["multiTenancyConfig"] = json!({"enabled": true, "autoTenantCreation": true});
        document.to_string()
    };
    builder = builder.collection(&tenants("MT")).collection(&tenants("Mt3"));
    let objects = if stem == "aggregate_count_tenant" { 3 } else { 2 };
    for n in 1..=objects {
        let vector = json!([2 * n - 1, 2 * n]);
        let object = json!({"class": "MT", "tenant": "t1", "id": id(n), "properties": {"n": n}, "vector": vector});
        builder = builder.object(&object.to_string());
    }
    builder
}

fn all_types(stem: &str, builder: Builder) -> Builder {
    let kinds = [
        ("t", "text"),
        ("ta", "text[]"),
        ("i", "int"),
        ("ia", "int[]"),
        ("n", "number"),
        ("na", "number[]"),
        ("b", "boolean"),
        ("ba", "boolean[]"),
        ("d", "date"),
        ("da", "date[]"),
        ("u", "uuid"),
        ("ua", "uuid[]"),
        ("g", "geoCoordinates"),
        ("p", "phoneNumber"),
        ("bl", "blob"),
    ];
    let mut document = class("AllTypes", &kinds);
    let text = json!({"name": "x", "dataType": ["text"]});
    let deep =
        json!({"name": "deep", "dataType": ["object[]"], "nestedProperties": [{"name": "y", "dataType": ["int"]}]});
    let inner = json!([text, {"name": "i", "dataType": ["int"]}, {"name": "d", "dataType": ["date"]}, deep]);
    if let Some(properties) = document["properties"].as_array_mut() {
        properties.push(json!({"name": "o", "dataType": ["object"], "nestedProperties": inner}));
        properties.push(json!({"name": "oa", "dataType": ["object[]"], "nestedProperties": [text]}));
    }
    let builder = builder.collection(&document.to_string());
    if stem != "get_all_types" {
        return builder;
    }
    let recorded = std::fs::read_to_string(crate::root().join("batch_all_types.json")).unwrap_or_default();
    let recorded: Value = serde_json::from_str(&recorded).unwrap_or_default();
    builder.object(&recorded["request"]["body"]["objects"][0].to_string())
}

fn references(stem: &str, mut builder: Builder) -> Builder {
    let refers = class("RefA", &[("t", "text"), ("toB", "RefB")]);
    builder = builder.collection(&class("RefB", &[("t", "text")]).to_string()).collection(&refers.to_string());
    builder = builder.object(&json!({"class": "RefB", "id": id(1), "properties": {}}).to_string());
    let to_b = json!([{"beacon": format!("weaviate://localhost/RefB/{}", id(1))}]);
    let lists = stem == "list_refs";
    let objects = if lists {
        vec![
            (2, json!({"t": "a", "toB": to_b})),
            (4, json!({"toB": to_b})),
            (6, json!({"toB": to_b})),
            (7, json!({"toB": []})),
        ]
    } else {
        vec![(2, json!({"t": "a"})), (3, json!({"t": "b"}))]
    };
    for (number, properties) in objects {
        builder = builder.object(&json!({"class": "RefA", "id": id(number), "properties": properties}).to_string());
    }
    builder
}

fn vectors(stem: &str, mut builder: Builder) -> Builder {
    let text = json!([{"name": "t", "dataType": ["text"]}]);
    let none = json!({"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"});
    let named = json!({"class": "Named", "properties": text, "vectorConfig": {"title": none, "body": none}});
    let mut multi = none.clone();
    multi["vectorIndexConfig"] = json!({"multivector": {"enabled": true}});
    let colbert = json!({"class": "Colbert", "properties": text, "vectorConfig": {"mv": multi}});
    builder = builder.collection(&named.to_string()).collection(&colbert.to_string());
    builder = builder.collection(&class("Mixed", &[("t", "text")]).to_string());
    let objects = match stem {
        "list_named_vectors" => vec![
            json!({"class": "Named", "id": id(1), "properties": {"t": "a"}, "vectors": {"title": [1, 2, 3], "body": [0.5, 0.25]}}),
            json!({"class": "Named", "id": id(2), "properties": {"t": "b"}, "vectors": {"title": [4, 5, 6]}}),
            json!({"class": "Named", "id": id(3), "properties": {"t": "c"}}),
        ],
        "list_multivector" => vec![
            json!({"class": "Colbert", "id": id(1), "properties": {"t": "a"}, "vectors": {"mv": [[1, 2], [3, 4], [5, 6.5]]}}),
        ],
        _ => Vec::new(),
    };
    objects.iter().fold(builder, |builder, object| builder.object(&object.to_string()))
}

/// What a recording assumes and only requests can bring about.
async fn after(stem: &str, sandbox: &Sandbox) -> Result<(), Failure> {
    if stem == "ready__v1.39" {
        sandbox.faults().not_ready(1);
    }
    if stem.starts_with("alias") && stem != "alias_create" && !stem.contains("v1.24") {
        send(sandbox, "POST", "/v1/aliases", &json!({"alias": "MyAlias", "class": "Del"})).await?;
    }
    if stem == "aliases_list_after_class_delete" {
        send(sandbox, "DELETE", "/v1/schema/Del", &Value::Null).await?;
    }
    if stem.contains("readonly") && stem != "shard_set_readonly" {
        let shard = sandbox.shards("Ro").first().cloned().unwrap_or_default();
        send(sandbox, "PUT", &format!("/v1/schema/Ro/shards/{shard}"), &json!({"status": "READONLY"})).await?;
    }
    if sandbox.collections().contains(&"MT".to_owned()) && stem != "tenants_create" {
        let tenants = json!([{"name": "t1"}, {"name": "t2", "activityStatus": "COLD"}, {"name": "t4"}]);
        send(sandbox, "POST", "/v1/schema/MT/tenants", &tenants).await?;
        let tenants = json!([{"name": "a"}, {"name": "b", "activityStatus": "COLD"}]);
        send(sandbox, "POST", "/v1/schema/Mt3/tenants", &tenants).await?;
        let document: Value = serde_json::from_str(&send(sandbox, "GET", "/v1/schema/MT", &Value::Null).await?)?;
        if document["multiTenancyConfig"]["autoTenantCreation"] == true {
            let mut document = document;
            document["multiTenancyConfig"]["autoTenantCreation"] = false.into();
            send(sandbox, "PUT", "/v1/schema/MT", &document).await?;
        }
    }
    if stem == "list_mixed_vectors" {
        let mut document: Value = serde_json::from_str(&send(sandbox, "GET", "/v1/schema/Mixed", &Value::Null).await?)?;
        document["vectorConfig"] = json!({"extra": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"}});
        send(sandbox, "PUT", "/v1/schema/Mixed", &document).await?;
        let object = json!({"class": "Mixed", "id": id(1), "properties": {"t": "x"}, "vector": [1, 2], "vectors": {"extra": [3, 4, 5]}});
        send(sandbox, "POST", "/v1/batch/objects", &json!({"objects": [object]})).await?;
    }
    Ok(())
}
