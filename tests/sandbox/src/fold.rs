//! Requests as Go's `encoding/json` decodes them into structs: a member is taken for the field of its name, or else for
//! one that equals it but for the case of its letters; of several the last one wins, and objects are joined.

use crate::json::Json;

/// What a request is decoded into.
#[derive(Debug)]
pub(crate) enum Struct {
    /// A struct with these fields. What is none of them is ignored, and left where it is.
    Fields(&'static [(&'static str, &'static Struct)]),
    /// A map of such values.
    Map(&'static Struct),
    /// A slice of such values.
    Slice(&'static Struct),
    /// `interface{}`, or a plain value.
    Any,
}

use Struct::{Any, Fields, Map, Slice};

impl Struct {
    pub(crate) fn decoded(&self, value: Json) -> Json {
        match (self, value) {
            (Fields(fields), Json::Object(members)) => {
                let mut decoded: Vec<(String, Json)> = Vec::new();
                for (name, value) in members {
                    let Some((field, inner)) = taken_for(&name, fields) else {
                        decoded.push((name, value));
                        continue;
                    };
                    let value = inner.decoded(value);
                    match decoded.iter_mut().find(|(there, _)| there == field) {
                        Some((_, there)) => inner.join(there, value),
                        None => decoded.push(((*field).to_owned(), value)),
                    }
                }
                Json::Object(decoded)
            }
            (Map(inner), Json::Object(members)) => {
                Json::Object(members.into_iter().map(|(name, value)| (name, inner.decoded(value))).collect())
            }
            (Slice(inner), Json::Array(items)) => {
                Json::Array(items.into_iter().map(|item| inner.decoded(item)).collect())
            }
            (_, other) => other,
        }
    }

    /// Decodes a second value into what holds one already.
    fn join(&self, there: &mut Json, value: Json) {
        match (self, value) {
            (_, Json::Null) => {}
            (Fields(_) | Map(_), Json::Object(members)) if there.as_object().is_some() => {
                for (name, value) in members {
                    there.set(&name, value);
                }
            }
            (_, value) => *there = value,
        }
    }
}

fn taken_for<'a>(
    name: &str,
    fields: &'a [(&'static str, &'static Struct)],
) -> Option<&'a (&'static str, &'static Struct)> {
    let exact = fields.iter().find(|(field, _)| *field == name);
    exact.or_else(|| fields.iter().find(|(field, _)| equal_fold(field, name)))
}

/// `strings.EqualFold`, for a first text in ASCII.
fn equal_fold(field: &str, name: &str) -> bool {
    let small = |c: char| match c {
        'ſ' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    field.chars().map(small).eq(name.chars().map(small))
}

pub(crate) static OBJECT: Struct = Fields(&[
    ("class", &Any),
    ("creationTimeUnix", &Any),
    ("id", &Any),
    ("lastUpdateTimeUnix", &Any),
    ("properties", &Any),
    ("tenant", &Any),
    ("vector", &Any),
    ("vectorWeights", &Any),
    ("vectors", &Any),
]);
pub(crate) static BATCH: Struct = Fields(&[("fields", &Any), ("objects", &Slice(&OBJECT))]);
pub(crate) static REFERENCES: Struct =
    Slice(&Fields(&[("from", &Any), ("to", &Any), ("tenant", &Any), ("beacon", &Any), ("href", &Any)]));
pub(crate) static ALIAS: Struct = Fields(&[("alias", &Any), ("class", &Any)]);
pub(crate) static TENANTS: Struct = Slice(&Fields(&[("name", &Any), ("activityStatus", &Any)]));
pub(crate) static SHARD: Struct = Fields(&[("status", &Any)]);
pub(crate) static QUERY: Struct = Fields(&[("query", &Any), ("operationName", &Any), ("variables", &Any)]);
pub(crate) static DELETE: Struct = Fields(&[
    ("match", &Fields(&[("class", &Any), ("where", &Any)])),
    ("output", &Any),
    ("dryRun", &Any),
    ("deletionTimeUnixMilli", &Any),
]);
pub(crate) static ROLE: Struct = Fields(&[("name", &Any), ("permissions", &Slice(&PERMISSION))]);
pub(crate) static PERMISSION: Struct = Fields(&[
    ("action", &Any),
    ("aliases", &Fields(&[("alias", &Any), ("collection", &Any)])),
    ("collections", &Fields(&[("collection", &Any)])),
    ("data", &Fields(&[("collection", &Any), ("object", &Any), ("tenant", &Any)])),
    ("nodes", &Fields(&[("collection", &Any), ("verbosity", &Any)])),
    ("roles", &Fields(&[("role", &Any), ("scope", &Any)])),
    ("tenants", &Fields(&[("collection", &Any), ("tenant", &Any)])),
    ("users", &Fields(&[("users", &Any)])),
]);
pub(crate) static PROPERTY: Struct = Fields(&[
    ("name", &Any),
    ("dataType", &Any),
    ("description", &Any),
    ("indexFilterable", &Any),
    ("indexInverted", &Any),
    ("indexRangeFilters", &Any),
    ("indexSearchable", &Any),
    ("moduleConfig", &Any),
    ("nestedProperties", &Slice(&NESTED_PROPERTY)),
    ("textAnalyzer", &TEXT_ANALYZER),
    ("tokenization", &Any),
]);
static NESTED_PROPERTY: Struct = Fields(&[
    ("name", &Any),
    ("dataType", &Any),
    ("description", &Any),
    ("indexFilterable", &Any),
    ("indexRangeFilters", &Any),
    ("indexSearchable", &Any),
    ("nestedProperties", &Slice(&NESTED_PROPERTY)),
    ("textAnalyzer", &TEXT_ANALYZER),
    ("tokenization", &Any),
]);
static TEXT_ANALYZER: Struct = Fields(&[("asciiFold", &Any), ("asciiFoldIgnore", &Any), ("stopwordPreset", &Any)]);
static INVERTED_INDEX: Struct = Fields(&[
    ("bm25", &Fields(&[("b", &Any), ("k1", &Any)])),
    ("cleanupIntervalSeconds", &Any),
    ("indexNullState", &Any),
    ("indexPropertyLength", &Any),
    ("indexTimestamps", &Any),
    ("stopwordPresets", &Any),
    ("stopwords", &Fields(&[("additions", &Any), ("preset", &Any), ("removals", &Any)])),
    (
        "tokenizerUserDict",
        &Slice(&Fields(&[
            ("replacements", &Slice(&Fields(&[("source", &Any), ("target", &Any)]))),
            ("tokenizer", &Any),
        ])),
    ),
    ("usingBlockMaxWAND", &Any),
]);
static OBJECT_TTL: Struct =
    Fields(&[("defaultTtl", &Any), ("deleteOn", &Any), ("enabled", &Any), ("filterExpiredObjects", &Any)]);
static ASYNC_REPLICATION: Struct = Fields(&[
    ("diffBatchSize", &Any),
    ("diffPerNodeTimeout", &Any),
    ("frequency", &Any),
    ("frequencyWhilePropagating", &Any),
    ("hashtreeHeight", &Any),
    ("loggingFrequency", &Any),
    ("prePropagationTimeout", &Any),
    ("propagationBatchSize", &Any),
    ("propagationConcurrency", &Any),
    ("propagationDelay", &Any),
    ("propagationLimit", &Any),
    ("propagationTimeout", &Any),
]);
static REPLICATION: Struct = Fields(&[
    ("asyncConfig", &ASYNC_REPLICATION),
    ("asyncEnabled", &Any),
    ("deletionStrategy", &Any),
    ("factor", &Any),
]);
pub(crate) static CLASS: Struct = Fields(&[
    ("class", &Any),
    ("description", &Any),
    ("invertedIndexConfig", &INVERTED_INDEX),
    ("moduleConfig", &Any),
    ("multiTenancyConfig", &Fields(&[("enabled", &Any), ("autoTenantCreation", &Any), ("autoTenantActivation", &Any)])),
    ("objectTtlConfig", &OBJECT_TTL),
    ("properties", &Slice(&PROPERTY)),
    ("replicationConfig", &REPLICATION),
    ("shardingConfig", &Any),
    ("vectorConfig", &Map(&Fields(&[("vectorizer", &Any), ("vectorIndexType", &Any), ("vectorIndexConfig", &Any)]))),
    ("vectorIndexConfig", &Any),
    ("vectorIndexType", &Any),
    ("vectorizer", &Any),
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{object, parse};

    #[test]
    fn the_last_member_that_is_taken_for_a_field_wins() {
        for text in [
            r#"{"class":"Copy","Class":"Victim"}"#,
            r#"{"class":"Copy","cl\u0061ss":"Victim"}"#,
            r#"{"cla\u017fs":"Copy","CLASS":"Victim"}"#,
            r#"{"Class":"Copy","class":"Victim"}"#,
            r#"{"class":"A","Class":"Copy","class":"Victim","Class":null}"#,
        ] {
            let decoded = OBJECT.decoded(parse(text.as_bytes()).expect("JSON"));
            assert_eq!(decoded.text("class"), Some("Victim"), "{text}");
        }
        let free = parse(br#"{"properties":{"Class":1,"class":2}}"#).expect("JSON");
        assert_eq!(OBJECT.decoded(free.clone()), free);
    }

    #[test]
    fn objects_that_are_taken_for_one_field_are_joined() {
        let text = br#"{"multiTenancyConfig":{"enabled":true},"MultiTenancyConfig":{"AutoTenantCreation":true}}"#;
        let decoded = CLASS.decoded(parse(text).expect("JSON"));
        let joined = object! {"enabled": true, "autoTenantCreation": true};
        assert_eq!(decoded.get("multiTenancyConfig"), Some(&joined));
        let text = br#"{"InvertedIndexConfig":{"BM25":{"K1":2}},"objectTtlConfig":{"DefaultTTL":60},
            "replicationConfig":{"asyncConfig":{"HashtreeHeight":9}},
            "properties":[{"TextAnalyzer":{"AsciiFold":true}}]}"#;
        let decoded = CLASS.decoded(parse(text).expect("JSON"));
        for path in [
            &["invertedIndexConfig", "bm25", "k1"][..],
            &["objectTtlConfig", "defaultTtl"],
            &["replicationConfig", "asyncConfig", "hashtreeHeight"],
        ] {
            assert!(decoded.at(path).is_some(), "{path:?}");
        }
        let property = &decoded.get("properties").and_then(Json::as_array).expect("properties")[0];
        assert!(property.at(&["textAnalyzer", "asciiFold"]).is_some());
    }
}
