//! What a class document says that no copy can carry over: ages, and what an index learnt. Pure.

use serde_json::Value;

use super::place::{is_off, vectors};
use crate::model::Schema;

/// Compressions that an index learns from its objects. The others need none.
const TRAINED: [&str; 2] = ["pq", "sq"];

/// Whether objects are removed by the server when they reach an age.
pub(in crate::ops) fn expires(schema: &Schema) -> bool {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    !is_off(&document["objectTtlConfig"])
}

/// The compressions of its indexes that are trained, each once.
pub(in crate::ops) fn trained(schema: &Schema) -> Vec<String> {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let on = |settings: &Value, kind: &str| settings[kind]["enabled"] == Value::Bool(true);
    let mut found: Vec<String> = Vec::new();
    for (_, holder) in vectors(&document) {
        let settings = &holder["vectorIndexConfig"];
        let kinds = TRAINED.iter().filter(|kind| on(settings, kind) || on(&settings["hnsw"], kind));
        found.extend(kinds.map(|kind| (*kind).to_owned()));
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Schema {
        Schema::parse(text.to_owned().into()).expect("a schema")
    }

    #[test]
    fn ages_and_training_are_seen() {
        assert!(expires(&schema(r#"{"class":"A","objectTtlConfig":{"enabled":true,"defaultTtl":60}}"#)));
        assert!(!expires(&schema(r#"{"class":"A","objectTtlConfig":{"enabled":false}}"#)));
        assert!(!expires(&schema(r#"{"class":"A"}"#)));
        let text = r#"{"class":"A","vectorIndexConfig":{"pq":{"enabled":true},"bq":{"enabled":true}},
            "vectorConfig":{"v":{"vectorIndexConfig":{"hnsw":{"sq":{"enabled":true}}}}}}"#;
        assert_eq!(trained(&schema(text)), ["pq", "sq"]);
        assert!(trained(&schema(r#"{"class":"A","vectorIndexConfig":{"pq":{"enabled":false}}}"#)).is_empty());
    }
}
