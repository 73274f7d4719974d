//! Compares a collection's schema before and after it was read. Additions are taken over; a changed type means that
//! the objects read first may not fit the schema kept. Pure.

use serde_json::Value;

use crate::model::{DROPPED_VECTOR, Schema};

/// What happened to a schema meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Drift {
    /// Nothing.
    None,
    /// Properties, vectors or settings were added or set anew.
    Grew,
    /// Something objects depend on changed or went away.
    Broke { what: SchemaDrift },
}

/// What of a collection changed while it was read, that objects depend on. Names of properties are JSON texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum SchemaDrift {
    /// Whether it has tenants.
    #[error("multi-tenancy was switched")]
    Tenancy,
    /// The number of its shards.
    #[error("the number of shards changed")]
    Shards,
    /// Properties that decide how objects enter the digest.
    #[error("reference or blobHash properties were added")]
    DigestedProperties,
    /// A property is gone.
    #[error("property {property} went away")]
    PropertyGone { property: String },
    /// A property has another type.
    #[error("property {property} changed its type")]
    PropertyType { property: String },
    /// A vector is another one, or gone.
    #[error("vector {vector:?} changed or went away")]
    Vector { vector: String },
    /// Its vectorizer.
    #[error("the vectorizer changed")]
    Vectorizer,
    /// It is another one: its shards are others.
    #[error("it was dropped and recreated")]
    Remade,
    /// Another run carried the backup on.
    #[error("another run carried the backup on")]
    Resumed,
    /// Its settings were sent as they were, and the server has others now.
    #[error("its settings were sent again, unchanged, and are not the same since")]
    SettingsNotKept,
}

pub(super) fn drift(before: &Schema, after: &Schema) -> Drift {
    if before.text == after.text {
        return Drift::None;
    }
    let parse = |schema: &Schema| serde_json::from_slice::<Value>(&schema.text).unwrap_or(Value::Null);
    let (old, new) = (parse(before), parse(after));
    if old == new {
        return Drift::None;
    }
    let broke = |what| Drift::Broke { what };
    if before.multi_tenant != after.multi_tenant {
        return broke(SchemaDrift::Tenancy);
    }
    if before.shards.is_some() && before.shards != after.shards {
        return broke(SchemaDrift::Shards);
    }
    if (&before.references, &before.blob_hashes) != (&after.references, &after.blob_hashes) {
        // They decide how objects enter the digest, and the first ones have entered it already.
        return broke(SchemaDrift::DigestedProperties);
    }
    if let Some(what) = members(&old["properties"], &new["properties"]) {
        return broke(what);
    }
    for (name, vector) in old["vectorConfig"].as_object().into_iter().flatten() {
        let now = &new["vectorConfig"][name];
        if vector["vectorIndexType"] == DROPPED_VECTOR && (now.is_null() || now == vector) {
            // It was left out of every object, be the server done with dropping it or not.
            continue;
        }
        if now["vectorIndexType"] != vector["vectorIndexType"] || now["vectorizer"] != vector["vectorizer"] {
            return broke(SchemaDrift::Vector { vector: name.clone() });
        }
    }
    if old["vectorizer"] != new["vectorizer"] {
        return broke(SchemaDrift::Vectorizer);
    }
    Drift::Grew
}

/// The first property of `old` whose type is another in `new`, nested ones included.
fn members(old: &Value, new: &Value) -> Option<SchemaDrift> {
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let now = list(new);
    list(old).iter().find_map(|property| {
        let name = &property["name"];
        let Some(twin) = now.iter().find(|p| p["name"] == *name) else {
            return Some(SchemaDrift::PropertyGone { property: name.to_string() });
        };
        let kinds = |p: &Value| {
            let mut kinds = list(&p["dataType"]);
            kinds.sort_by_key(Value::to_string);
            kinds
        };
        // A reference property may gain targets; any other change of type is a break.
        let (was, is) = (kinds(property), kinds(twin));
        let kept = was == is || (was.iter().all(|k| is.contains(k)) && is.len() > was.len());
        if kept {
            members(&property["nestedProperties"], &twin["nestedProperties"])
        } else {
            Some(SchemaDrift::PropertyType { property: name.to_string() })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"{"class":"A","vectorizer":"none","properties":[{"name":"p","dataType":["text"]},
        {"name":"o","dataType":["object"],"nestedProperties":[{"name":"x","dataType":["int"]}]}],"vectorConfig":{"v":{"vectorIndexType":"hnsw"}}}"#;

    fn against(change: (&str, &str)) -> Drift {
        let schema = |text: String| Schema::parse(text.into()).expect("a schema");
        drift(&schema(BEFORE.into()), &schema(BEFORE.replace(change.0, change.1)))
    }

    #[test]
    fn nothing_and_spelling_are_no_drift() {
        assert_eq!(against(("", "")), Drift::None);
        assert_eq!(against((r#""class":"A","#, r#""class": "A", "#)), Drift::None);
    }

    #[test]
    fn additions_are_growth() {
        assert_eq!(against((r#""properties":["#, r#""properties":[{"name":"q","dataType":["int"]},"#)), Drift::Grew);
        assert_eq!(against((r#""vectorizer":"none""#, r#""vectorizer":"none","description":"x""#)), Drift::Grew);
        assert_eq!(against((r#""vectorConfig":{"#, r#""vectorConfig":{"w":{"vectorIndexType":"flat"},"#)), Drift::Grew);
    }

    #[test]
    fn a_vector_that_is_being_dropped_may_go_and_none_other() {
        let schema = |index: &str| Schema::parse(BEFORE.replace("hnsw", index).into()).expect("a schema");
        let gone = Schema::parse(BEFORE.replace(r#""v":{"vectorIndexType":"hnsw"}"#, "").into()).expect("a schema");
        assert_eq!(drift(&schema("none"), &gone), Drift::Grew);
        for (before, after) in
            [(schema("hnsw"), schema("none")), (schema("hnsw"), gone), (schema("none"), schema("hnsw"))]
        {
            assert!(matches!(drift(&before, &after), Drift::Broke { .. }), "{after:?}");
        }
    }

    #[test]
    fn changed_types_break() {
        let broke = |old: &str, new: &str| match against((old, new)) {
            Drift::Broke { what } => what,
            other => panic!("{old} {new}: {other:?}"),
        };
        let property = |name: &str| format!("\"{name}\"");
        assert_eq!(broke(r#"["text"]"#, r#"["int"]"#), SchemaDrift::PropertyType { property: property("p") });
        assert_eq!(broke(r#"["int"]"#, r#"["number"]"#), SchemaDrift::PropertyType { property: property("x") });
        let text = r#"{"name":"p","dataType":["text"]},"#;
        assert_eq!(broke(text, ""), SchemaDrift::PropertyGone { property: property("p") });
        assert_eq!(broke("hnsw", "flat"), SchemaDrift::Vector { vector: "v".into() });
        assert_eq!(broke(r#""vectorizer":"none""#, r#""vectorizer":"text2vec-openai""#), SchemaDrift::Vectorizer);
        let class = |more: &str| format!(r#""class":"A",{more}"#);
        let switched = class(r#""multiTenancyConfig":{"enabled":true},"#);
        assert_eq!(broke(r#""class":"A","#, &switched), SchemaDrift::Tenancy);
        for kind in ["B", "blobHash"] {
            let more = format!(r#"{text}{{"name":"q","dataType":["{kind}"]}},"#);
            assert_eq!(broke(text, &more), SchemaDrift::DigestedProperties, "{kind}");
        }
        let of_shards = |count: u32| {
            let class = class(&format!(r#""shardingConfig":{{"actualCount":{count},"desiredCount":{count}}},"#));
            Schema::parse(BEFORE.replace(r#""class":"A","#, &class).into()).expect("a schema")
        };
        let what = drift(&of_shards(1), &of_shards(2));
        assert!(matches!(what, Drift::Broke { what: SchemaDrift::Shards }), "{what:?}");
    }

    #[test]
    fn what_changed_is_told() {
        for (what, told) in [
            (SchemaDrift::Tenancy, "multi-tenancy was switched"),
            (SchemaDrift::Shards, "the number of shards changed"),
            (SchemaDrift::DigestedProperties, "reference or blobHash properties were added"),
            (SchemaDrift::PropertyGone { property: "\"p\"".into() }, "property \"p\" went away"),
            (SchemaDrift::PropertyType { property: "\"p\"".into() }, "property \"p\" changed its type"),
            (SchemaDrift::Vector { vector: "v".into() }, "vector \"v\" changed or went away"),
            (SchemaDrift::Vectorizer, "the vectorizer changed"),
            (SchemaDrift::Remade, "it was dropped and recreated"),
            (SchemaDrift::Resumed, "another run carried the backup on"),
            (SchemaDrift::SettingsNotKept, "its settings were sent again, unchanged, and are not the same since"),
        ] {
            assert_eq!(what.to_string(), told);
        }
    }
}
