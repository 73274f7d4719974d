//! The state of the recordings of what an operator forbids.

use sandbox::{Builder, Change, Sandbox};
use serde_json::{Value, json};

use crate::compare::difference;
use crate::{Failure, ask};

fn class(name: &str) -> String {
    json!({"class": name, "vectorizer": "none", "properties": [{"name": "t", "dataType": ["text"]}]}).to_string()
}

fn changed(stem: &str, builder: Builder) -> Builder {
    let change = match stem {
        "limit_collections" => Change::Limit("collections", 3),
        "limit_shards" => Change::Limit("shards", 1),
        "limit_tenants" => Change::Limit("tenants", 2),
        "limit_objects_batch" | "limit_objects_some" => Change::Limit("objects", 5),
        "restriction_vector_index" => Change::VectorIndexes(&["hnsw"]),
        "factor_most" => Change::MostReplicas(1),
        _ if stem.starts_with("mode_read_only") => Change::Mode("ReadOnly"),
        _ if stem.starts_with("mode_write_only") => Change::Mode("WriteOnly"),
        _ => return builder,
    };
    builder.change(change)
}

/// Brings a sandbox into the state that a recording assumes, asks the same, and compares.
pub(crate) async fn replay(stem: &str, recorded: &Value) -> Result<(), Failure> {
    let tenants = json!({"class": "M", "vectorizer": "none", "multiTenancyConfig": {"enabled": true}}).to_string();
    let builder = Sandbox::builder().collection(&class("A")).collection(&tenants).tenant("M", "a", "HOT");
    let builder = builder.tenant("M", "b", "HOT");
    let builder = if stem.starts_with("suspended") || stem == "namespaces" {
        let states = [("alpha", "active"), ("beta", "suspended")];
        let builder = builder.collection(&class("beta:Doc"));
        states.into_iter().fold(builder, |builder, (name, state)| builder.change(Change::Namespace(name.into(), state)))
    } else {
        let object = json!({"class": "A", "id": "00000000-0000-0000-0000-000000000001", "properties": {"t": "x"}});
        builder.collection(&class("C3")).object(&object.to_string())
    };
    let sandbox = changed(stem, builder).start().await;
    let reply = ask(&sandbox.url(), &recorded["request"], &[]).await?;
    let status = recorded["response"]["status"].as_u64().unwrap_or(0);
    if u64::from(reply.0) != status {
        return Err(format!("status {} instead of {status}: {}", reply.0, reply.1).into());
    }
    let body = if reply.1.is_empty() { Value::Null } else { serde_json::from_str(&reply.1)? };
    difference(&recorded["response"]["body"], &body).map_or(Ok(()), |why| Err(why.into()))
}
