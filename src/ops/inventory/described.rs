//! What a class document says about vectors and properties, for people. Pure, and never fails: what is not as expected
//! is left out, since the document itself is always there to look at.

use serde::Serialize;
use serde_json::Value;

use super::Dimensions;
use crate::model::RawObject;

/// Levels of nested properties that are looked into; a server allows any number.
const DEEPEST: usize = 16;
/// The keys of quantisers in an index's settings.
const QUANTIZERS: [&str; 4] = ["pq", "bq", "sq", "rq"];

/// A vector of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vector {
    /// Its name; `default` for the unnamed one.
    pub name: String,
    /// Whether it is a named one.
    pub named: bool,
    /// Whether it is many vectors an object.
    pub multi: bool,
    /// What makes it; `none` if the client does.
    pub vectorizer: Option<String>,
    /// The kind of index; `None` if it is not indexed.
    pub index_type: Option<String>,
    /// How distance is measured.
    pub distance: Option<String>,
    /// Quantisers that are on, such as `rq` or `flat bq`.
    pub quantizer: Option<String>,
    /// Dimensions seen in a sample; `None` where no sample was taken.
    pub dimensions: Option<Dimensions>,
}

/// A property of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name, behind those it is nested in and dots.
    pub path: String,
    /// Its types; for a reference the collections it may point to.
    pub types: Vec<String>,
    /// Whether it is a reference.
    pub reference: bool,
    /// How text is cut into words.
    pub tokenization: Option<String>,
    /// Which indexes it has: `filterable`, `searchable`, `range`.
    pub indexes: Vec<&'static str>,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The vectors of a class document: the unnamed one, then the named ones by name.
pub(super) fn vectors(document: &Value) -> Vec<Vector> {
    let unnamed = text(&document["vectorIndexType"]).map(|_| {
        let name = RawObject::UNNAMED_VECTOR.to_owned();
        Vector { vectorizer: text(&document["vectorizer"]), named: false, ..vector(name, document) }
    });
    let named = document["vectorConfig"].as_object().into_iter().flatten();
    let mut named: Vec<Vector> = named
        .map(|(name, config)| {
            let vectorizer = config["vectorizer"].as_object().and_then(|v| v.keys().next().cloned());
            Vector { vectorizer, ..vector(name.clone(), config) }
        })
        .collect();
    named.sort_by(|a, b| a.name.cmp(&b.name));
    unnamed.into_iter().chain(named).collect()
}

/// What stands beside `vectorIndexType`, for the whole class as for a named vector.
fn vector(name: String, config: &Value) -> Vector {
    let index = &config["vectorIndexConfig"];
    let skipped = index["skip"].as_bool().unwrap_or(false);
    Vector {
        name,
        named: true,
        multi: index["multivector"]["enabled"].as_bool().unwrap_or(false),
        vectorizer: None,
        index_type: text(&config["vectorIndexType"]).filter(|_| !skipped),
        distance: text(&index["distance"]).filter(|_| !skipped),
        quantizer: quantizer(index),
        dimensions: None,
    }
}

/// The quantisers that are on; those of the two halves of a dynamic index with the half's name.
fn quantizer(index: &Value) -> Option<String> {
    let on = |part: &Value, half: &str| -> Vec<String> {
        let is_on = |name: &&&str| part[**name]["enabled"].as_bool().unwrap_or(false);
        QUANTIZERS.iter().filter(is_on).map(|name| format!("{half}{name}")).collect()
    };
    let found = [on(index, ""), on(&index["hnsw"], "hnsw "), on(&index["flat"], "flat ")].concat();
    (!found.is_empty()).then(|| found.join(", "))
}

/// The properties of a class document, each followed by those nested in it.
pub(super) fn properties(document: &Value) -> Vec<Property> {
    let mut found = Vec::new();
    below("", &document["properties"], 0, &mut found);
    found
}

fn below(prefix: &str, properties: &Value, depth: usize, found: &mut Vec<Property>) {
    for property in properties.as_array().into_iter().flatten() {
        let Some(name) = text(&property["name"]) else { continue };
        let path = format!("{prefix}{name}");
        let types: Vec<String> = property["dataType"].as_array().into_iter().flatten().filter_map(text).collect();
        let flags =
            [("filterable", "indexFilterable"), ("searchable", "indexSearchable"), ("range", "indexRangeFilters")];
        let on = flags.into_iter().filter(|(_, key)| property[key].as_bool().unwrap_or(false));
        found.push(Property {
            // Everything else begins with a small letter.
            reference: types.iter().any(|t| t.rsplit(':').next().is_some_and(|t| t.starts_with(char::is_uppercase))),
            types,
            tokenization: text(&property["tokenization"]),
            indexes: on.map(|(word, _)| word).collect(),
            path: path.clone(),
        });
        if depth < DEEPEST {
            below(&format!("{path}."), &property["nestedProperties"], depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unnamed_vector_stands_beside_named_ones() {
        let document = json!({
            "vectorIndexType": "hnsw", "vectorizer": "none",
            "vectorIndexConfig": {"distance": "cosine", "pq": {"enabled": true}, "bq": {"enabled": false}},
            "vectorConfig": {
                "b": {"vectorIndexType": "dynamic", "vectorizer": {"text2vec-openai": {"model": "x"}},
                      "vectorIndexConfig": {"distance": "dot", "flat": {"bq": {"enabled": true}}, "hnsw": {"rq": {"enabled": true}}}},
                "a": {"vectorIndexType": "hnsw", "vectorizer": {"none": {}},
                      "vectorIndexConfig": {"skip": true, "distance": "cosine", "multivector": {"enabled": true}}}},
        });
        let found = vectors(&document);
        let brief: Vec<_> = found
            .iter()
            .map(|v| {
                (v.name.as_str(), v.named, v.vectorizer.as_deref(), v.index_type.as_deref(), v.quantizer.as_deref())
            })
            .collect();
        assert_eq!(
            brief,
            [
                ("default", false, Some("none"), Some("hnsw"), Some("pq")),
                ("a", true, Some("none"), None, None),
                ("b", true, Some("text2vec-openai"), Some("dynamic"), Some("hnsw rq, flat bq")),
            ]
        );
        assert!(found[1].multi && !found[2].multi);
        assert_eq!(found[2].distance.as_deref(), Some("dot"));
    }

    #[test]
    fn nested_properties_follow_theirs_and_references_are_told_apart() {
        let document = json!({"properties": [
            {"name": "o", "dataType": ["object"], "nestedProperties": [{"name": "i", "dataType": ["int"]}]},
            {"name": "r", "dataType": ["A", "ns:B"]},
            {"name": "t", "dataType": ["text"], "tokenization": "word", "indexFilterable": true, "indexSearchable": true},
        ]});
        let found = properties(&document);
        let paths: Vec<_> = found.iter().map(|p| (p.path.as_str(), p.reference)).collect();
        assert_eq!(paths, [("o", false), ("o.i", false), ("r", true), ("t", false)]);
        assert_eq!(
            (found[3].indexes.as_slice(), found[3].tokenization.as_deref()),
            (&["filterable", "searchable"][..], Some("word"))
        );
    }

    #[test]
    fn nonsense_is_left_out() {
        for document in
            [json!(null), json!([]), json!({"properties": 3, "vectorConfig": []}), json!({"properties": [1, {}]})]
        {
            assert!(vectors(&document).is_empty() && properties(&document).is_empty());
        }
    }
}
