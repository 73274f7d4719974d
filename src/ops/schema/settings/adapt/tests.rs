//! Class documents with other settings: what changes, what stays, and what nothing has.

use serde_json::json;

use super::*;

fn settings(texts: &[&str]) -> Vec<Setting> {
    texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
}

fn schema(document: &Value) -> Schema {
    Schema::parse(document.to_string().into()).expect("a schema")
}

fn adapted(document: &Value, texts: &[&str]) -> (Value, Vec<Remark>) {
    let Adapted { schema, changed } = adapt(&schema(document), &settings(texts));
    (serde_json::from_slice(&schema.text).expect("JSON"), changed)
}

/// What stands at a path afterwards.
fn after(document: &Value, texts: &[&str], path: &str) -> Value {
    let path: Path = path.split('.').map(str::to_owned).collect();
    at(&adapted(document, texts).0, &path).cloned().unwrap_or_default()
}

fn nothing_has(document: &Value, text: &str) -> Option<Vec<String>> {
    unused(&[schema(document)], &settings(&[text])).map(|unused| unused.there)
}

#[test]
fn every_vectorizer_goes_and_other_modules_stay() {
    let (document, changed) = adapted(
        &json!({"class": "A", "vectorizer": "text2vec-openai",
            "moduleConfig": {"text2vec-openai": {"model": "x"}, "generative-openai": {}},
            "properties": [{"name": "t", "dataType": ["text"], "moduleConfig": {"text2vec-openai": {"skip": true}}}]}),
        &["vectorizer=none"],
    );
    assert_eq!(document["vectorizer"], "none");
    assert_eq!(document["moduleConfig"], json!({"generative-openai": {}}));
    assert_eq!(document["properties"][0]["moduleConfig"], json!({}));
    assert_eq!(changed, [RestoreRemark::VectorizersLeftOut { modules: vec!["text2vec-openai".into()] }.into()]);
    let (document, changed) = adapted(
        &json!({"class": "A", "vectorConfig": {"a": {"vectorizer": {"text2vec-cohere": {"m": 1}}},
            "b": {"vectorizer": {"none": {}}}}}),
        &["vectorizer=none"],
    );
    assert_eq!(document["vectorConfig"]["a"]["vectorizer"], json!({"none": {}}));
    assert_eq!(document.get("vectorizer"), None);
    assert_eq!(changed.len(), 1);
}

#[test]
fn the_vectorizer_of_one_vector_is_another_and_what_others_use_stays() {
    let document = json!({"class": "A", "vectorConfig": {"a": {"vectorizer": {"text2vec-x": {"m": 1}}},
        "b": {"vectorizer": {"text2vec-x": {"m": 2}}}},
        "properties": [{"name": "t", "dataType": ["text"], "moduleConfig": {"text2vec-x": {"skip": true}}}]});
    let (one, changed) = adapted(&document, &["vectorConfig.a.vectorizer=none"]);
    assert_eq!(one["vectorConfig"]["a"]["vectorizer"], json!({"none": {}}));
    assert_eq!(one["vectorConfig"]["b"], document["vectorConfig"]["b"]);
    assert_eq!(one["properties"], document["properties"]);
    assert!(!changed.is_empty());
    let both = ["vectorConfig.a.vectorizer=none", "vectorConfig.b.vectorizer=text2vec-y"];
    let (both, _) = adapted(&document, &both);
    assert_eq!(both["vectorConfig"]["b"]["vectorizer"], json!({"text2vec-y": {}}));
    assert_eq!(both["properties"][0]["moduleConfig"], json!({}));
}

#[test]
fn what_has_nothing_to_change_stays_byte_for_byte() {
    let text =
        r#"{"class":"A", "vectorizer":"none","objectTtlConfig":{"enabled":false},"replicationConfig":{"factor":2}}"#;
    let schema = Schema::parse(text.into()).expect("a schema");
    let Adapted { schema: after, changed } =
        adapt(&schema, &settings(&["vectorizer=none", "objectTtl=off", "replicationFactor=2", "B.shards=3"]));
    assert_eq!((after.text, changed), (schema.text, Vec::new()));
    let (document, changed) = adapted(&json!({"class": "A", "objectTtlConfig": {"enabled": true}}), &["objectTtl=off"]);
    assert_eq!((document.get("objectTtlConfig"), changed.len()), (None, 1));
}

#[test]
fn what_servers_do_not_print_is_not_asked_for() {
    let document = json!({"class": "A", "description": "d", "invertedIndexConfig": {"indexNullState": true}});
    let (after, _) = adapted(&document, &["description=", "invertedIndexConfig.indexNullState=false"]);
    assert_eq!(after, json!({"class": "A", "invertedIndexConfig": {}}));
    let texts = ["invertedIndexConfig.indexTimestamps=false", "multiTenancyConfig.autoTenantCreation=false"];
    assert_eq!(adapted(&document, &texts), (document.clone(), Vec::new()), "it is off as it is");
    let words = json!({"class": "A", "properties": [{"name": "t", "dataType": ["text"]}]});
    assert_eq!(
        after_of(&words, "indexFilterable=false"),
        json!({"name": "t", "dataType": ["text"], "indexFilterable": false})
    );
}

fn after_of(document: &Value, text: &str) -> Value {
    adapted(document, &[text]).0["properties"][0].clone()
}

#[test]
fn shards_are_another_number_with_nothing_derived_from_the_old_one() {
    let document = json!({"class": "A", "shardingConfig": {"virtualPerPhysical": 128, "desiredCount": 1,
        "actualCount": 1, "desiredVirtualCount": 128, "actualVirtualCount": 128, "key": "_id"}});
    let (after, _) = adapted(&document, &["shards=3"]);
    assert_eq!(after["shardingConfig"], json!({"virtualPerPhysical": 128, "desiredCount": 3, "key": "_id"}));
    let tenants = json!({"class": "A", "multiTenancyConfig": {"enabled": true}});
    assert_eq!(nothing_has(&tenants, "shards=3"), Some(Vec::new()));
    assert_eq!(nothing_has(&document, "shards=3"), None);
}

#[test]
fn what_is_for_one_counts_more_than_what_is_for_all() {
    let document =
        json!({"class": "A", "vectorConfig": {"a": {"vectorIndexType": "hnsw"}, "b": {"vectorIndexType": "hnsw"}}});
    let texts = ["vectorConfig.b.vectorIndexType=hfresh", "vectorIndexType=flat"];
    assert_eq!(after(&document, &texts, "vectorConfig.a.vectorIndexType"), "flat");
    assert_eq!(after(&document, &texts, "vectorConfig.b.vectorIndexType"), "hfresh");
    let texts = ["a.description=other", "description=every"].map(|text| text.replacen("a.", "A.", 1));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(after(&document, &texts, "description"), "other");
    assert_eq!(after(&document, &["B.description=other"], "description"), Value::Null);
    assert_eq!(unused(&[schema(&document)], &settings(&texts)), None, "the one for all is answered by the other");
}

#[test]
fn another_index_keeps_what_it_has_too() {
    let hnsw = json!({"class": "A", "vectorIndexType": "hnsw", "vectorIndexConfig": {"distance": "dot", "ef": 7}});
    let config = |document: &Value, to: &str| after(document, &[&format!("vectorIndexType={to}")], "vectorIndexConfig");
    assert_eq!(config(&hnsw, "flat"), json!({"distance": "dot"}));
    assert_eq!(config(&hnsw, "hfresh"), json!({"distance": "dot"}));
    assert_eq!(config(&hnsw, "dynamic"), json!({"hnsw": {"distance": "dot", "ef": 7}, "distance": "dot"}));
    assert_eq!(config(&hnsw, "hnsw"), hnsw["vectorIndexConfig"]);
    let dynamic = json!({"class": "A", "vectorIndexType": "dynamic", "vectorIndexConfig": {"distance": "dot",
        "threshold": 5, "hnsw": {"distance": "cosine", "ef": 7}, "flat": {"bq": {"enabled": true}}}});
    assert_eq!(config(&dynamic, "hnsw"), json!({"distance": "dot", "ef": 7}));
    assert_eq!(config(&dynamic, "flat"), json!({"bq": {"enabled": true}, "distance": "dot"}));
    let lists = json!({"class": "A", "vectorConfig": {"a": {"vectorIndexType": "hnsw",
        "vectorIndexConfig": {"multivector": {"enabled": true}}}}});
    let kept = after(&lists, &["vectorIndexType=hfresh"], "vectorConfig.a.vectorIndexConfig");
    assert_eq!(kept, json!({"multivector": {"enabled": true}}), "what is stored are lists of vectors");
    // Without a word the index is hnsw.
    assert_eq!(after(&json!({"class": "A"}), &["vectorIndexType=flat"], "vectorIndexType"), "flat");
}

#[test]
fn one_quantizer_is_on_at_most() {
    let hnsw = json!({"class": "A", "vectorIndexType": "hnsw", "vectorIndexConfig": {"trackDefaultQuantization": true,
        "rq": {"enabled": true, "bits": 8}, "pq": {"enabled": false, "segments": 4}}});
    let config = |document: &Value, text: &str| after(document, &[text], "vectorIndexConfig");
    assert_eq!(
        config(&hnsw, "quantizer=pq"),
        json!({"rq": {"enabled": false, "bits": 8}, "pq": {"enabled": true, "segments": 4}})
    );
    assert_eq!(
        config(&hnsw, "quantizer=none"),
        json!({"rq": {"enabled": false, "bits": 8}, "pq": {"enabled": false, "segments": 4}, "skipDefaultQuantization": true})
    );
    let dynamic =
        json!({"class": "A", "vectorIndexType": "dynamic", "vectorIndexConfig": {"flat": {"bq": {"enabled": true}}}});
    assert_eq!(
        config(&dynamic, "quantizer=rq"),
        json!({"flat": {"bq": {"enabled": false}, "rq": {"enabled": true}}, "hnsw": {"rq": {"enabled": true}}})
    );
    // A flat index has none that is trained: there the other one of a dynamic index gets it alone.
    assert_eq!(
        config(&dynamic, "quantizer=pq"),
        json!({"flat": {"bq": {"enabled": true}}, "hnsw": {"pq": {"enabled": true}}})
    );
    let flat = json!({"class": "A", "vectorIndexType": "flat"});
    assert_eq!(nothing_has(&flat, "quantizer=pq"), Some(Vec::new()));
    assert_eq!(nothing_has(&flat, "quantizer=bq"), None);
    assert_eq!(nothing_has(&json!({"class": "A", "vectorIndexType": "hfresh"}), "quantizer=none"), Some(Vec::new()));
}

#[test]
fn settings_of_an_index_are_set_where_it_has_them() {
    let document = json!({"class": "A", "vectorConfig": {"h": {"vectorIndexType": "hnsw", "vectorIndexConfig": {"ef": -1}},
        "f": {"vectorIndexType": "flat", "vectorIndexConfig": {}},
        "d": {"vectorIndexType": "dynamic", "vectorIndexConfig": {"hnsw": {}, "flat": {}}}}});
    let (all, changed) = adapted(&document, &["vectorIndexConfig.ef=64"]);
    assert_eq!(all["vectorConfig"]["h"]["vectorIndexConfig"], json!({"ef": 64}));
    assert_eq!(all["vectorConfig"]["f"]["vectorIndexConfig"], json!({}));
    assert_eq!(all["vectorConfig"]["d"]["vectorIndexConfig"], json!({"hnsw": {"ef": 64}, "flat": {}}));
    assert_eq!(changed.len(), 2);
    let (all, _) = adapted(&document, &["vectorIndexConfig.distance=dot"]);
    let dynamic = json!({"hnsw": {"distance": "dot"}, "flat": {"distance": "dot"}, "distance": "dot"});
    assert_eq!(all["vectorConfig"]["d"]["vectorIndexConfig"], dynamic, "it does not contradict itself");
    let (all, _) = adapted(&document, &["vectorIndexConfig.hnsw.maxConnections=8"]);
    assert_eq!(all["vectorConfig"]["d"]["vectorIndexConfig"]["hnsw"], json!({"maxConnections": 8}));
    assert_eq!(all["vectorConfig"]["h"], document["vectorConfig"]["h"]);
    assert_eq!(
        nothing_has(&document, "vectorConfig.f.vectorIndexConfig.ef=1"),
        Some(vec!["d".into(), "f".into(), "h".into()])
    );
    assert_eq!(nothing_has(&document, "vectorConfig.x.quantizer=rq").map(|there| there.len()), Some(3));
    // The index that another setting gives it counts.
    let both = settings(&["vectorConfig.f.vectorIndexConfig.ef=1", "vectorConfig.f.vectorIndexType=hnsw"]);
    assert_eq!(unused(&[schema(&document)], &both), None);
}

#[test]
fn settings_of_properties_are_set_for_those_that_can_have_them() {
    let document = json!({"class": "A", "properties": [
        {"name": "t", "dataType": ["text"], "tokenization": "word", "indexSearchable": true},
        {"name": "n", "dataType": ["int[]"]},
        {"name": "r", "dataType": ["B"]},
        {"name": "o", "dataType": ["object"], "nestedProperties": [{"name": "t", "dataType": ["text[]"], "tokenization": "word"}]}]});
    let (all, changed) = adapted(&document, &["tokenization=field"]);
    assert_eq!(all["properties"][0]["tokenization"], "field");
    assert_eq!(all["properties"][3]["nestedProperties"][0]["tokenization"], "field");
    assert_eq!(all["properties"][1], document["properties"][1]);
    assert_eq!(changed.len(), 2, "{changed:?}");
    let (words, _) = adapted(&document, &["tokenization=trigram"]);
    assert_eq!(words["properties"][0]["tokenization"], "trigram");
    assert_eq!(words["properties"][3], document["properties"][3], "no server takes that for a nested one");
    let (one, _) = adapted(&document, &["properties.o.nestedProperties.t.tokenization=field"]);
    assert_eq!(one["properties"][0], document["properties"][0]);
    assert_eq!(one["properties"][3]["nestedProperties"][0]["tokenization"], "field");
    let (all, _) = adapted(&document, &["indexRangeFilters=true", "indexFilterable=false"]);
    assert_eq!(
        all["properties"][1],
        json!({"name": "n", "dataType": ["int[]"], "indexRangeFilters": true, "indexFilterable": false})
    );
    assert_eq!(all["properties"][2], document["properties"][2], "references are not indexed so");
    assert_eq!(all["properties"][0].get("indexRangeFilters"), None);
    let there = nothing_has(&document, "properties.x.tokenization=word");
    assert_eq!(there, Some(["n", "o", "o.t", "r", "t"].map(str::to_owned).to_vec()));
    assert_eq!(
        after(&document, &["properties.t.textAnalyzer={\"asciiFold\":true}"], "properties.t.textAnalyzer.asciiFold"),
        true
    );
}

#[test]
fn settings_of_modules_stand_where_they_are_read() {
    let document = json!({"class": "A", "vectorizer": "text2vec-x", "vectorIndexType": "hnsw", "moduleConfig": {"text2vec-x": {"model": "5"}},
        "vectorConfig": {"a": {"vectorizer": {"text2vec-x": {}}}}, "properties": [{"name": "t", "dataType": ["text"]}]});
    let (all, _) = adapted(&document, &["moduleConfig.text2vec-x.model=7"]);
    assert_eq!(all["moduleConfig"]["text2vec-x"]["model"], "7", "it was a text");
    assert_eq!(all["vectorConfig"]["a"]["vectorizer"]["text2vec-x"]["model"], 7);
    let (all, _) = adapted(&document, &["vectorConfig.a.vectorizer.text2vec-x.model=7"]);
    assert_eq!(all["moduleConfig"], document["moduleConfig"]);
    let (all, _) =
        adapted(&document, &["moduleConfig.generative-x.model=m", "properties.t.moduleConfig.text2vec-x.skip=true"]);
    assert_eq!(all["moduleConfig"]["generative-x"], json!({"model": "m"}));
    assert_eq!(all["properties"][0]["moduleConfig"], json!({"text2vec-x": {"skip": true}}));
    assert_eq!(nothing_has(&document, "moduleConfig.text2vec-y.model=m"), Some(Vec::new()));
    assert_eq!(
        nothing_has(&document, "vectorConfig.a.vectorizer.text2vec-y.model=m").map(|there| there.len()),
        Some(1)
    );
}

#[test]
fn a_vector_that_is_being_dropped_is_left_alone() {
    let document =
        json!({"class": "A", "vectorConfig": {"a": {"vectorIndexType": "none"}, "b": {"vectorIndexType": "hnsw"}}});
    assert_eq!(after(&document, &["vectorIndexType=flat"], "vectorConfig.a.vectorIndexType"), "none");
    assert_eq!(after(&document, &["vectorIndexType=flat"], "vectorConfig.b.vectorIndexType"), "flat");
}

#[test]
fn the_replicas_that_are_wanted_are_those_of_the_collection() {
    let name = |text: &str| text.parse::<CollectionName>().expect("a name");
    let all = settings(&["replicationFactor=2", "B.replicationFactor=3", "shards=4"]);
    assert_eq!(wanted_replicas(&all, &name("A")), Some(2));
    assert_eq!(wanted_replicas(&all, &name("B")), Some(3));
    assert_eq!(wanted_replicas(&[], &name("B")), None);
}
