//! What counts as the same collection, measured on real servers, and what does not.

use serde_json::{Value, json};

use super::super::fit::fit;
use super::super::testing::{measured, schema, version};
use super::*;
use crate::model::{KeyChange, Renames};
use crate::weaviate::Version;

fn on(version: &Version) -> Target<'_> {
    Target { version, modules: &[], nodes: Some(1) }
}

fn compared(asked: &Value, got: &Value, text: &str) -> Made {
    made(&asked.to_string(), &schema(asked), &schema(got), &on(&version(text)))
}

fn differences(made: Made) -> Vec<String> {
    match made {
        Made::Other { differences } => differences.iter().map(ToString::to_string).collect(),
        Made::Same { .. } => Vec::new(),
    }
}

fn same() -> Made {
    Made::Same { additions: Vec::new(), applied: Vec::new() }
}

#[test]
fn what_real_servers_made_is_the_same() {
    for file in measured() {
        for (stored, got) in &file.pairs {
            let (stored, target) = (schema(stored), on(&file.version));
            let sent = fit(&stored, &Renames::default(), &target);
            let made = made(&sent.asked, &stored, &schema(got), &target);
            assert_eq!(differences(made), Vec::<String>::new(), "{} {}", file.file, stored.name);
        }
    }
}

/// Every scalar below a value, by path.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| leaves(value, &format!("{path}/{at}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn a_changed_setting_is_noticed_wherever_it_stands() {
    // The server decides these, whatever it is sent.
    let decided = ["asyncEnabled", "usingBlockMaxWAND", "trackDefaultQuantization"];
    let mut changed = 0;
    for file in measured().into_iter().filter(|file| file.file == "1.24-to-1.40" || file.file == "1.32-to-1.40") {
        for (stored, got) in &file.pairs {
            let mut paths = Vec::new();
            leaves(stored, "", &mut paths);
            for path in paths.iter().filter(|path| !decided.iter().any(|key| path.ends_with(key)) && *path != "/class")
            {
                let mut other = got.clone();
                // Lists of properties may stand in another order there: only where both have the same value is it changed.
                let Some(place) = other.pointer_mut(path) else { continue };
                if stored.pointer(path) != Some(place) {
                    continue;
                }
                *place = json!("something else");
                let stored = schema(stored);
                let sent = fit(&stored, &Renames::default(), &on(&file.version));
                let made = made(&sent.asked, &stored, &schema(&other), &on(&file.version));
                assert!(matches!(made, Made::Other { .. }), "{} {} {path}", file.file, stored.name);
                changed += 1;
            }
        }
    }
    assert!(changed > 500, "{changed}");
}

#[test]
fn order_and_spelling_do_not_matter() {
    let asked = json!({"class": "A", "properties": [{"name": "a", "dataType": ["int"]}, {"name": "b", "x": 1}],
        "moduleConfig": {}, "description": null, "n": 1_000_000_000_000_u64});
    let got =
        json!({"n": 1e12, "properties": [{"x": 1.0, "name": "b"}, {"name": "a", "dataType": ["int"]}], "class": "A"});
    assert_eq!(compared(&asked, &got, "1.40.0"), same());
    assert_eq!(
        compared(&json!({"class": "A", "properties": null}), &json!({"class": "A", "properties": []}), "1.40.0"),
        same()
    );
}

#[test]
fn differences_name_key_and_values() {
    let asked = json!({"class": "A", "properties": [{"name": "a", "dataType": ["B", "C"]}], "vectorizer": "none",
        "invertedIndexConfig": {"stopwords": {"preset": "en"}}, "list": [1, 2]});
    let got =
        json!({"class": "A", "properties": [{"name": "a", "dataType": ["C", "B"]}], "vectorizer": "x", "list": [1]});
    let Made::Other { differences: found } = compared(&asked, &got, "1.40.0") else { panic!("another one") };
    let kind = |change: &KeyChange| match change {
        KeyChange::Other { key, was, .. } => format!("{key} was {was}"),
        KeyChange::Missing { key, .. } => format!("{key} is gone"),
        KeyChange::Added { key } => format!("{key} is new"),
    };
    let kinds: Vec<String> = found.iter().map(kind).collect();
    assert_eq!((kinds[1].as_str(), kinds[2].as_str()), (r#"vectorizer was "none""#, "invertedIndexConfig is gone"));
    assert_eq!(
        differences(compared(&asked, &got, "1.40.0")),
        [
            r#"properties.a.dataType is ["C","B"], not ["B","C"]"#,
            r#"vectorizer is "x", not "none""#,
            r#"invertedIndexConfig {"stopwords":{"preset":"en"}} is missing"#,
            "list is [1], not [1,2]",
        ]
    );
    let missing = json!({"class": "A", "properties": [], "vectorizer": "none"});
    assert!(differences(compared(&asked, &missing, "1.40.0")).iter().any(|d| d.starts_with("properties.a {")));
}

#[test]
fn a_rule_excuses_a_missing_key_but_no_other_value() {
    let asked = json!({"class": "A", "objectTtlConfig": {"enabled": true}});
    let Made::Same { applied, additions } = compared(&asked, &json!({"class": "A"}), "1.32.27") else {
        panic!("dropped by a rule")
    };
    let told: Vec<_> = applied.iter().map(|one| (one.key.as_str(), one.now.as_deref(), one.lost)).collect();
    assert_eq!(told, [("objectTtlConfig", None, Some(Loss::Expiry))]);
    assert!(additions.is_empty());
    let changed = json!({"class": "A", "objectTtlConfig": {"enabled": false}});
    assert_eq!(differences(compared(&asked, &changed, "1.32.27")), ["objectTtlConfig.enabled is false, not true"]);
    assert_eq!(differences(compared(&asked, &json!({"class": "A"}), "1.35.0")).len(), 1);
}

#[test]
fn additions_are_listed_once_and_with_their_value() {
    let property = |name: &str| json!({"name": name, "dataType": ["int"]});
    let made_property = |name: &str| json!({"name": name, "dataType": ["int"], "indexRangeFilters": false});
    let asked = json!({"class": "A", "properties": [property("a"), property("b")]});
    let got = json!({"class": "A", "properties": [made_property("a"), made_property("b"), property("c")],
        "vectorIndexConfig": {"rq": {"enabled": false}}, "vectorIndexType": "hnsw"});
    let additions =
        ["properties.*.indexRangeFilters", "properties.c", "vectorIndexConfig", r#"vectorIndexType "hnsw""#];
    let additions = additions.map(str::to_owned).into();
    assert_eq!(compared(&asked, &got, "1.40.0"), Made::Same { additions, applied: Vec::new() });
}

#[test]
fn what_was_left_out_on_purpose_is_no_addition() {
    let archived = json!({"class": "A", "vectorizer": "none", "replicationConfig": {"deletionStrategy": "TimeBasedResolution", "factor": 1}});
    let got = json!({"class": "A", "vectorizer": "none", "replicationConfig": {"deletionStrategy": "NoAutomatedResolution", "factor": 1}});
    let version = version("1.24.26");
    let sent = fit(&schema(&archived), &Renames::default(), &on(&version));
    assert_eq!(made(&sent.asked, &schema(&archived), &schema(&got), &on(&version)), same());
}

#[test]
fn a_default_quantiser_is_excused_only_if_the_server_says_so() {
    let index = |enabled: bool, noted: bool| {
        json!({"class": "A", "vectorIndexType": "hnsw", "vectorIndexConfig":
            {"rq": {"enabled": enabled, "bits": 8}, "trackDefaultQuantization": noted}})
    };
    let Made::Same { applied, .. } = compared(&index(false, false), &index(true, true), "1.40.0") else {
        panic!("compressed by default")
    };
    assert_eq!(applied[0].lost, Some(Loss::DefaultCompression), "{applied:?}");
    assert_eq!(
        differences(compared(&index(false, false), &index(true, false), "1.40.0")),
        ["vectorIndexConfig.rq.enabled is true, not false"]
    );
    assert_eq!(differences(compared(&index(true, false), &index(false, true), "1.40.0")).len(), 1);
}

#[test]
fn a_text_index_of_another_layout_is_another_collection_on_its_own_server() {
    let of = |config: Value| json!({"class": "A", "vectorizer": "none", "invertedIndexConfig": config});
    let (older, newer) = (of(json!({"cleanupIntervalSeconds": 60})), of(json!({"usingBlockMaxWAND": true})));
    let chosen = of(json!({"usingBlockMaxWAND": false}));
    let again = |asked: &Value, got: &Value| {
        let version = version("1.40.0");
        differences(remade(&asked.to_string(), &schema(asked), &schema(got), &on(&version)))
    };
    assert_eq!(again(&of(json!({})), &newer), ["invertedIndexConfig.usingBlockMaxWAND was added"]);
    assert_eq!(again(&chosen, &newer), ["invertedIndexConfig.usingBlockMaxWAND is true, not false"]);
    assert_eq!(again(&newer, &newer), Vec::<String>::new());
    assert_eq!(again(&of(json!({})), &older), Vec::<String>::new(), "a default of the server is a note");
    assert_eq!(differences(compared(&chosen, &newer, "1.40.0")), Vec::<String>::new(), "a restore says it");
}

#[test]
fn growth_is_named_and_bounded() {
    let schema_of = |names: &[&str]| {
        let properties: Vec<Value> = names.iter().map(|name| json!({"name": name, "dataType": ["int"]})).collect();
        schema(&json!({"class": "A", "properties": properties}))
    };
    let before = schema_of(&["a", "b"]);
    assert_eq!(grown(&before, &schema_of(&["b", "a"])), None);
    assert_eq!(
        grown(&before, &schema_of(&["a", "b", "c"])),
        Some((vec![KeyChange::Added { key: "properties.c".into() }], 0))
    );
    let (many, more) = grown(&before, &schema_of(&["a", "c", "d", "e", "f", "g", "h"])).expect("grown");
    assert_eq!((many.len(), more), (5, 2), "{many:?}");
    assert!(matches!(&many[0], KeyChange::Missing { key, .. } if key == "properties.b"), "{many:?}");
    let noted = json!({"class": "A", "properties": [{"name": "a", "dataType": ["int"], "bucketGeneration": 3}]});
    assert_eq!(grown(&schema_of(&["a"]), &schema(&noted)), None);
}
