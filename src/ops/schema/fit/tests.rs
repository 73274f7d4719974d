//! What is sent, what is said about it, and what is refused.

use serde_json::{Value, json};

use super::super::applied::remarks_of;
use super::super::testing::{measured, name, schema, version};
use super::*;
use crate::event::{Remark, SettingRemark};

const NEW: &str = "1.40.0";

/// Fits a document to a server of one node without modules.
fn fitted(document: &Value, on: &str) -> Fit {
    fitted_as(document, on, &[], &Renames::default())
}

fn fitted_as(document: &Value, on: &str, modules: &[&str], renames: &Renames) -> Fit {
    let modules: Vec<String> = modules.iter().map(|module| (*module).to_owned()).collect();
    let target = Target { version: &version(on), modules: &modules, nodes: Some(1) };
    fit(&schema(document), renames, &target)
}

fn remarks(fit: &Fit) -> Vec<Remark> {
    remarks_of(&fit.applied).collect()
}

fn lost(key: &str, was: &str, now: Option<&str>, loss: Loss) -> Remark {
    let (key, was, now) = (key.to_owned(), was.to_owned(), now.map(str::to_owned));
    SettingRemark::SettingLost { key, was, now, loss: Some(loss) }.into()
}

fn refusals(fit: &Fit) -> Vec<String> {
    fit.refused.iter().map(ToString::to_string).collect()
}

#[test]
fn a_document_that_fits_is_sent_as_it_stands() {
    let text = r#"{"z":1,"class":"A","unknownToUs":{"b":[1.50,{"a":null}]},"properties":null,"vectorizer":"none"}"#;
    let schema = Schema::parse(text.into()).expect("a schema");
    let target = Target { version: &version(NEW), modules: &[], nodes: None };
    let fit = fit(&schema, &Renames::default(), &target);
    assert_eq!(fit.create, text.replace("1.50", "1.5"));
    assert_eq!((fit.then, fit.applied.len(), fit.refused.len()), (None, 0, 0));
}

#[test]
fn a_new_name_reaches_the_class_and_its_references() {
    let mut renames = Renames::default();
    renames.insert(name("A"), name("B"));
    renames.insert(name("B"), name("A"));
    let properties = json!([{"name": "A", "dataType": ["B", "C", "A"]}]);
    let document = json!({"class": "A", "vectorizer": "none", "properties": properties});
    let fit = fitted_as(&document, NEW, &[], &renames);
    assert_eq!(fit.target, name("B"));
    assert_eq!(fit.create, r#"{"class":"B","vectorizer":"none","properties":[{"name":"A","dataType":["A","C","B"]}]}"#);
}

#[test]
fn what_the_server_would_refuse_or_the_last_one_noted_is_left_out() {
    let property = json!({"name": "p", "dataType": ["int"], "bucketGeneration": 2, "indexInverted": true,
        "indexFilterable": true, "searchableBlockmax": true, "indexSearchable": false});
    let document = json!({"class": "A", "vectorizer": "none", "properties": [property],
        "replicationConfig": {"deletionStrategy": "TimeBasedResolution", "factor": 1}});
    let left = r#"[{"name":"p","dataType":["int"],"indexFilterable":true,"indexSearchable":false}]"#;
    let sent = |on| fitted(&document, on).create;
    let sent_there =
        format!(r#"{{"class":"A","vectorizer":"none","properties":{left},"replicationConfig":{{"factor":1}}}}"#);
    assert_eq!(sent("1.24.26"), sent_there);
    assert!(sent(NEW).ends_with(r#"{"deletionStrategy":"TimeBasedResolution","factor":1}}"#));
    let alone = json!({"class": "A", "properties": [{"name": "p", "indexInverted": true}]});
    assert!(fitted(&alone, NEW).create.contains("indexInverted"));
}

#[test]
fn no_vectoriser_is_left_to_the_server() {
    let sent = |document: &Value| -> Value { serde_json::from_str(&fitted(document, NEW).create).expect("JSON") };
    for document in [json!({"class": "A"}), json!({"class": "A", "vectorizer": "", "vectorConfig": {}})] {
        assert_eq!(sent(&document)["vectorizer"], "none", "{document}");
    }
    let named = json!({"class": "A", "vectorConfig": {"v": {"vectorizer": {"none": {}}, "vectorIndexType": "flat"}}});
    assert_eq!(sent(&named), named, "it has no unnamed vector");
}

#[test]
fn a_collection_without_compression_can_be_created_without_whatever_the_default() {
    let hnsw = |rq: bool| json!({"rq": {"enabled": rq}, "skipDefaultQuantization": false});
    let document = |index: Value| json!({"class": "A", "vectorizer": "none", "vectorIndexConfig": index});
    let fit = fitted(&document(hnsw(false)), NEW);
    let explicit = fit.without_default_compression().expect("a way");
    assert!(explicit.create.contains(r#""skipDefaultQuantization":true"#) && explicit.then == Some(fit.asked.clone()));
    assert_eq!(explicit.asked, fit.asked);
    assert_eq!(fitted(&document(hnsw(true)), NEW).without_default_compression(), None, "it is compressed");
    let inner = fitted(&document(json!({"hnsw": hnsw(true), "flat": {"bq": {"enabled": false}}})), NEW);
    let inner = inner.without_default_compression().expect("a way").create;
    assert!(inner.contains(r#""flat":{"bq":{"enabled":false},"skipDefaultQuantization":true}"#), "{inner}");
}

#[test]
fn replicas_are_as_many_as_nodes_allow() {
    let document = json!({"class": "A", "vectorizer": "none", "replicationConfig": {"factor": 3}});
    let fit = fitted(&document, NEW);
    assert_eq!(fit.create, r#"{"class":"A","vectorizer":"none","replicationConfig":{"factor":1}}"#);
    assert_eq!(remarks(&fit), [lost("replicationConfig.factor", "3", Some("1"), Loss::TooFewNodes)]);
    for nodes in [Some(3), Some(5), None] {
        let target = Target { version: &version(NEW), modules: &[], nodes };
        let fit = super::fit(&schema(&document), &Renames::default(), &target);
        assert!(fit.applied.is_empty() && fit.create.contains(r#""factor":3"#), "{nodes:?}");
    }
}

#[test]
fn named_vectors_beside_an_unnamed_one_come_second() {
    let document = json!({"class": "A", "vectorConfig": {"v": {"vectorIndexType": "flat", "vectorizer": {"none": {}}}},
        "vectorIndexType": "hnsw", "vectorizer": "none"});
    let fit = fitted(&document, "1.31.0");
    assert_eq!(fit.create, r#"{"class":"A","vectorIndexType":"hnsw","vectorizer":"none"}"#);
    assert_eq!(fit.asked, document.to_string());
    assert!(fit.refused.is_empty());
    assert_eq!(
        refusals(&fitted(&document, "1.30.23")),
        [r#"A: vectorConfig "beside an unnamed vector" needs Weaviate 1.31 or later, the server is 1.30.23"#]
    );
    let named_only = json!({"class": "A", "vectorConfig": {"v": {"vectorIndexType": "flat"}}, "vectorIndexType": ""});
    let unnamed_only = json!({"class": "A", "vectorConfig": {}, "vectorIndexType": "hnsw"});
    for document in [named_only, unnamed_only] {
        let fit = fitted(&document, "1.24.26");
        assert_eq!((fit.asked.as_str(), fit.then.is_none(), fit.refused.len()), (fit.create.as_str(), true, 0));
    }
}

#[test]
fn properties_that_are_added_later_are_in_no_earlier_request_and_under_their_new_names() {
    let document = json!({"class": "A", "properties": [
            {"name": "t", "dataType": ["text"]}, {"name": "r", "dataType": ["B", "C"]}, {"name": "s", "dataType": ["A"]}],
        "vectorConfig": {"v": {"vectorIndexType": "flat"}}, "vectorIndexType": "hnsw"});
    let mut renames = Renames::default();
    for (old, new) in [("A", "A2"), ("B", "B2")] {
        renames.insert(name(old), name(new));
    }
    let later = fitted_as(&document, NEW, &[], &renames).adding_later(["r", "nope"]);
    let names = |text: &str| {
        let document: Value = serde_json::from_str(text).expect("JSON");
        let properties = document["properties"].as_array().expect("a list").iter();
        (properties.map(|p| p["name"].clone()).collect::<Vec<_>>(), document["vectorConfig"].is_null())
    };
    assert_eq!(names(&later.create), (vec![json!("t"), json!("s")], true));
    assert_eq!(names(later.then.as_deref().expect("a second step")), (vec![json!("t"), json!("s")], false));
    assert_eq!(names(&later.asked), (vec![json!("t"), json!("r"), json!("s")], false));
    assert_eq!(later.added, [("r".to_owned(), r#"{"name":"r","dataType":["B2","C"]}"#.to_owned())]);
}

#[test]
fn a_vectoriser_that_is_not_enabled_is_refused() {
    let vector = |module: &str| json!({"vectorIndexType": "hnsw", "vectorizer": {module: {"model": "m"}}});
    let document = json!({"class": "A", "vectorizer": "text2vec-x", "moduleConfig": {"generative-y": {}},
        "vectorConfig": {"v": vector("text2vec-z"), "w": vector("none")}});
    let found = refusals(&fitted(&document, NEW));
    assert_eq!(
        found,
        [
            r#"A: vectorizer needs the module "text2vec-x", which the server has not enabled"#,
            r#"A: vectorConfig.v.vectorizer needs the module "text2vec-z", which the server has not enabled"#,
        ]
    );
    assert!(fitted_as(&document, NEW, &["text2vec-x", "text2vec-z"], &Renames::default()).refused.is_empty());
    for fine in [json!("none"), json!(""), Value::Null] {
        assert!(fitted(&json!({"class": "A", "vectorizer": fine}), NEW).refused.is_empty());
    }
}

#[test]
fn the_shards_of_a_collection_with_tenants_are_left_out() {
    let document =
        json!({"class": "A", "shardingConfig": {"desiredCount": 0}, "multiTenancyConfig": {"enabled": true}});
    let fit = fitted(&document, NEW);
    assert_eq!((fit.refused.as_slice(), fit.applied.as_slice()), (&[][..], &[][..]));
    assert!(!fit.create.contains("shardingConfig") && fit.create.contains("multiTenancyConfig"), "{}", fit.create);
}

#[test]
fn a_refusal_names_key_value_and_version() {
    let document = json!({"class": "A", "properties": [{"name": "h", "dataType": ["blobHash"]}],
        "vectorIndexType": "dynamic", "vectorIndexConfig": {"hnsw": {"rq": {"enabled": true, "bits": 8}}}});
    assert_eq!(
        refusals(&fitted(&document, "1.31.0")),
        [
            r#"A: properties.h.dataType ["blobHash"] needs Weaviate 1.37 or later, the server is 1.31.0"#,
            r#"A: vectorIndexConfig.hnsw.rq {"enabled":true,"bits":8} needs Weaviate 1.32 or later, the server is 1.31.0"#,
        ]
    );
    let dropped = json!({"class": "A", "vectorIndexType": "none"});
    assert_eq!(
        refusals(&fitted(&dropped, NEW)),
        [r#"A: vectorIndexType "none" is nothing that Weaviate 1.40.0 can create"#]
    );
    assert!(fitted(&document, NEW).refused.is_empty());
}

#[test]
fn settings_of_modules_that_are_not_there_are_left_out_beside_named_vectors_alone() {
    let named = json!({"v": {"vectorIndexType": "hnsw", "vectorizer": {"none": {}}}});
    let modules = json!({"generative-y": {"model": "m"}, "reranker-x": {}});
    let document = |more: Value| {
        let mut document = json!({"class": "A", "moduleConfig": modules});
        document.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        document
    };
    let alone = document(json!({"vectorConfig": named}));
    let some = fitted_as(&alone, NEW, &["reranker-x"], &Renames::default());
    assert!(some.create.contains(r#""moduleConfig":{"reranker-x":{}}"#), "{}", some.create);
    assert_eq!(remarks(&some), [lost("moduleConfig.generative-y", r#"{"model":"m"}"#, None, Loss::ModuleNotEnabled)]);
    assert!(!fitted(&alone, NEW).create.contains("moduleConfig"));
    assert!(!fitted(&alone, "1.24.26").create.contains("moduleConfig"));
    let unnamed = [json!({"vectorizer": "none"}), json!({"vectorIndexType": "hnsw", "vectorConfig": named})];
    for fine in unnamed.map(document) {
        let fit = fitted(&fine, NEW);
        assert!(fit.asked.contains("generative-y") && fit.applied.is_empty(), "{}", fit.asked);
    }
}

#[test]
fn what_a_property_says_to_a_vectoriser_that_makes_no_vector_is_left_out_where_it_is_enabled() {
    let property = json!({"name": "t", "dataType": ["text"],
        "moduleConfig": {"text2vec-x": {"skip": true}, "text2vec-z": {"skip": true}, "other": {}}});
    let document = json!({"class": "A", "properties": [property],
        "vectorConfig": {"v": {"vectorIndexType": "hnsw", "vectorizer": {"text2vec-z": {}}}}});
    let fit = fitted_as(&document, NEW, &["text2vec-x", "text2vec-z"], &Renames::default());
    assert!(fit.create.contains(r#""moduleConfig":{"text2vec-z":{"skip":true},"other":{}}"#), "{}", fit.create);
    assert_eq!(remarks(&fit), [SettingRemark::SettingsUnkept { keys: vec!["text2vec-x".to_owned()] }.into()]);
    let without = fitted_as(&document, NEW, &["text2vec-z"], &Renames::default());
    assert!(without.create.contains("text2vec-x") && without.applied.is_empty());
}

#[test]
fn real_documents_fit_where_they_were_made() {
    for file in measured() {
        for (stored, _) in &file.pairs {
            let target = Target { version: &file.version, modules: &[], nodes: Some(1) };
            let fit = fit(&schema(stored), &Renames::default(), &target);
            assert_eq!(refusals(&fit), Vec::<String>::new(), "{} {}", file.file, stored["class"]);
        }
    }
}
