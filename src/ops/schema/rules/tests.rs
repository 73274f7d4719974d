//! Every rule, on both sides of the version it turns at.

use serde_json::{Value, json};

use super::super::testing::version;
use super::*;

/// A document that holds one setting: `at` is a path as rules have it, `@property` and indexes with one of each.
fn document(at: &str, value: &Value) -> Value {
    let (first, rest) = at.split_once('.').expect("more than one key");
    let nested = rest.split('.').rev().fold(value.clone(), |inner, key| json!({ key: inner }));
    match first {
        "@property" => {
            json!({"properties": [{"name": "o", "nestedProperties": [merged(json!({"name": "p"}), nested)]}]})
        }
        "@vector" => json!({"vectorConfig": {"v": nested}}),
        "@hnsw" | "@flat" | "@hfresh" => {
            json!({"vectorIndexType": first.trim_start_matches('@'), "vectorIndexConfig": nested})
        }
        _ => json!({ first: nested }),
    }
}

fn merged(mut into: Value, from: Value) -> Value {
    let (Some(members), Value::Object(more)) = (into.as_object_mut(), from) else { panic!("objects") };
    members.extend(more);
    into
}

/// Setting, value, the last version without and the first with what the rules turn on, what each does to it (`None`:
/// no rule), and what is lost on the first side.
type Case = (&'static str, Value, [&'static str; 2], [Option<Then>; 2], Option<Loss>);

const DROPPED: [Option<Then>; 2] = [Some(Then::Dropped), None];
const REFUSED: [Option<Then>; 2] = [Some(Then::Refused), None];
const DECIDED: [Option<Then>; 2] = [None, Some(Then::Decided)];
const BOTH: [Option<Then>; 2] = [Some(Then::Dropped), Some(Then::Decided)];
const EVERY: [Option<Then>; 2] = [Some(Then::LeftOut), Some(Then::LeftOut)];

#[expect(clippy::too_many_lines, reason = "one table")]
fn cases() -> Vec<Case> {
    let off = || json!({"enabled": false, "x": 1});
    let on = || json!({"enabled": true});
    let strategy = "replicationConfig.deletionStrategy";
    let time = || json!("TimeBasedResolution");
    let left_out = [Some(Then::LeftOut), None];
    vec![
        (strategy, time(), ["1.24.26", "1.28.0"], left_out, Some(Loss::DefaultDeletionStrategy)),
        (strategy, time(), ["1.25.25", "1.25.26"], left_out, Some(Loss::DefaultDeletionStrategy)),
        (strategy, time(), ["1.26.10", "1.26.11"], left_out, Some(Loss::DefaultDeletionStrategy)),
        (strategy, time(), ["1.27.4", "1.27.5"], left_out, Some(Loss::DefaultDeletionStrategy)),
        (strategy, json!("DeleteOnConflict"), ["1.24.25", "1.24.26"], DROPPED, Some(Loss::OnlyDeletionStrategy)),
        (strategy, json!("DeleteOnConflict"), ["1.26.6", "1.26.7"], DROPPED, Some(Loss::OnlyDeletionStrategy)),
        ("@property.bucketGeneration", json!(2), ["1.24.0", "1.40.0"], EVERY, None),
        ("@property.searchableBlockmax", json!(true), ["1.24.0", "1.40.0"], EVERY, None),
        ("@vector.vectorIndexType", json!("dynamic"), ["1.24.26", "1.25.0"], REFUSED, None),
        ("@vector.vectorIndexType", json!("hfresh"), ["1.35.23", "1.36.0"], REFUSED, None),
        ("@vector.vectorIndexType", json!("none"), ["1.40.0", "2.0.0"], [Some(Then::Refused); 2], None),
        ("@vector.vectorIndexType", json!("spfresh"), ["1.40.0", "1.41.0"], REFUSED, None),
        ("@vector.vectorIndexType", json!("flat"), ["1.24.0", "1.40.0"], [None, None], None),
        ("@property.dataType", json!(["blobHash"]), ["1.36.23", "1.37.0"], REFUSED, None),
        ("@property.dataType", json!(["varchar"]), ["1.40.0", "1.41.0"], REFUSED, None),
        ("@property.dataType", json!(["Article", "Author"]), ["1.24.0", "1.40.0"], [None, None], None),
        ("@property.dataType", json!(["space:Article"]), ["1.24.0", "1.40.0"], [None, None], None),
        ("@property.tokenization", json!("kagome_kr"), ["1.25.6", "1.25.7"], REFUSED, None),
        ("@property.tokenization", json!("kagome_ja"), ["1.27.27", "1.28.0"], REFUSED, None),
        ("@property.tokenization", json!("gse_ch"), ["1.29.11", "1.30.0"], REFUSED, None),
        ("@property.tokenization", json!("klingon"), ["1.40.0", "1.41.0"], REFUSED, None),
        ("@property.tokenization", json!(""), ["1.24.0", "1.40.0"], [None, None], None),
        ("@hnsw.rq", json!({"enabled": true, "bits": 1}), ["1.32.27", "1.33.0"], REFUSED, None),
        ("@hnsw.rq", json!({"enabled": true, "bits": 4}), ["1.38.11", "1.39.0"], REFUSED, None),
        ("@hnsw.rq", json!({"enabled": false, "bits": 4}), ["1.31.22", "1.32.0"], DROPPED, None),
        ("@hnsw.rq", json!({"enabled": true, "bits": 8}), ["1.31.22", "1.32.0"], REFUSED, None),
        ("@hnsw.sq", off(), ["1.25.34", "1.26.0"], DROPPED, None),
        ("@hnsw.sq", on(), ["1.25.34", "1.26.0"], REFUSED, None),
        ("@flat.sq", off(), ["1.25.34", "1.26.0"], DROPPED, None),
        ("@flat.sq", on(), ["1.25.34", "1.26.0"], REFUSED, None),
        ("@flat.rq", off(), ["1.33.18", "1.34.0"], DROPPED, None),
        ("@flat.rq", on(), ["1.33.18", "1.34.0"], REFUSED, None),
        ("@hnsw.multivector", off(), ["1.28.16", "1.29.0"], DROPPED, None),
        ("@hnsw.multivector", on(), ["1.28.16", "1.29.0"], REFUSED, None),
        ("@hnsw.multivector.muvera", off(), ["1.30.23", "1.31.0"], DROPPED, None),
        ("@hnsw.multivector.muvera", on(), ["1.30.23", "1.31.0"], REFUSED, None),
        ("@hfresh.multivector", off(), ["1.39.0", "1.40.0"], DROPPED, None),
        ("@hfresh.multivector", on(), ["1.39.0", "1.40.0"], REFUSED, None),
        ("@hnsw.filterStrategy", json!("sweeping"), ["1.26.18", "1.27.0"], DROPPED, None),
        ("@hnsw.filterStrategy", json!("acorn"), ["1.26.18", "1.27.0"], DROPPED, Some(Loss::OnlyFilterStrategy)),
        ("@hnsw.skipDefaultQuantization", json!(true), ["1.32.4", "1.32.5"], DROPPED, None),
        ("@hnsw.trackDefaultQuantization", json!(true), ["1.32.4", "1.32.5"], BOTH, None),
        ("@flat.skipDefaultQuantization", json!(true), ["1.34.20", "1.35.0"], DROPPED, None),
        ("@flat.trackDefaultQuantization", json!(true), ["1.34.20", "1.35.0"], BOTH, None),
        ("@property.textAnalyzer", json!({}), ["1.36.23", "1.37.0"], DROPPED, None),
        ("@property.textAnalyzer", json!({"asciiFold": true}), ["1.36.23", "1.37.0"], REFUSED, None),
        ("invertedIndexConfig.stopwordPresets", json!({}), ["1.36.23", "1.37.0"], DROPPED, None),
        ("invertedIndexConfig.stopwordPresets", json!({"a": ["b"]}), ["1.36.23", "1.37.0"], REFUSED, None),
        ("invertedIndexConfig.tokenizerUserDict", json!([]), ["1.34.0", "1.34.1"], DROPPED, None),
        ("invertedIndexConfig.tokenizerUserDict", json!([{}]), ["1.34.0", "1.34.1"], REFUSED, None),
        ("@property.indexRangeFilters", json!(false), ["1.25.34", "1.26.0"], DROPPED, None),
        ("@property.indexRangeFilters", json!(true), ["1.25.34", "1.26.0"], DROPPED, Some(Loss::RangeIndex)),
        ("invertedIndexConfig.usingBlockMaxWAND", json!(false), ["1.29.11", "1.30.0"], BOTH, None),
        ("replicationConfig.asyncEnabled", json!(false), ["1.25.34", "1.26.0"], DROPPED, None),
        ("replicationConfig.asyncEnabled", json!(true), ["1.25.34", "1.26.0"], DROPPED, Some(Loss::BackgroundRepair)),
        ("replicationConfig.asyncEnabled", json!(true), ["1.37.14", "1.38.0"], DECIDED, None),
        (
            "replicationConfig.asyncConfig",
            json!({"frequency": 1}),
            ["1.34.12", "1.34.13"],
            DROPPED,
            Some(Loss::RepairPace),
        ),
        (
            "replicationConfig.asyncConfig",
            json!({"frequency": 1}),
            ["1.35.5", "1.35.6"],
            DROPPED,
            Some(Loss::RepairPace),
        ),
        ("replicationConfig.asyncConfig.maxWorkers", json!(3), ["1.37.2", "1.37.3"], [None, Some(Then::Dropped)], None),
        (
            "replicationConfig.asyncConfig.aliveNodesCheckingFrequency",
            json!(3),
            ["1.37.2", "1.37.3"],
            [None, Some(Then::Dropped)],
            None,
        ),
        ("multiTenancyConfig.autoTenantCreation", json!(false), ["1.24.26", "1.25.0"], DROPPED, None),
        (
            "multiTenancyConfig.autoTenantCreation",
            json!(true),
            ["1.24.26", "1.25.0"],
            DROPPED,
            Some(Loss::AutoTenantCreation),
        ),
        ("multiTenancyConfig.autoTenantActivation", json!(false), ["1.25.1", "1.25.2"], DROPPED, None),
        (
            "multiTenancyConfig.autoTenantActivation",
            json!(true),
            ["1.25.1", "1.25.2"],
            DROPPED,
            Some(Loss::AutoTenantActivation),
        ),
        ("objectTtlConfig.enabled", json!(false), ["1.34.20", "1.35.0"], DROPPED, None),
        ("objectTtlConfig.enabled", json!(true), ["1.34.20", "1.35.0"], DROPPED, Some(Loss::Expiry)),
        ("@property.disableDuplicatedReferences", json!(false), ["1.35.23", "1.36.0"], DROPPED, None),
        (
            "@property.disableDuplicatedReferences",
            json!(true),
            ["1.35.23", "1.36.0"],
            DROPPED,
            Some(Loss::UniqueReferences),
        ),
    ]
}

#[test]
fn every_rule_turns_at_its_version() {
    for (at, value, versions, expected, lost) in cases() {
        let document = document(at, &value);
        for (text, expected) in versions.iter().zip(expected) {
            let hits = hits(&document, &version(text));
            let mine: Vec<&Hit<'_>> = hits.iter().filter(|hit| at.contains(hit.rule.at)).collect();
            assert!(mine.len() <= 1, "{at} {value} on {text}: more than one rule");
            assert_eq!(mine.first().map(|hit| hit.rule.then), expected, "{at} {value} on {text}");
        }
        let hits = hits(&document, &version(versions[0]));
        let found = hits.iter().filter(|hit| at.contains(hit.rule.at)).find_map(|hit| hit.rule.lost);
        assert_eq!(found, lost, "{at} {value} on {}", versions[0]);
    }
}

#[test]
fn no_rule_is_without_a_case() {
    let beside = json!({"properties": [{"name": "p", "indexInverted": true, "indexFilterable": true}]});
    let documents: Vec<(Value, [&str; 2])> =
        cases().into_iter().map(|(at, value, versions, ..)| (document(at, &value), versions)).collect();
    let reserved = json!({"properties": [{"name": "a_searchable"}]});
    let documents = [documents, vec![(beside, ["1.24.0", "1.40.0"]), (reserved, ["1.32.27", "1.39.0"])]].concat();
    let mut met: Vec<&Rule> = Vec::new();
    for (document, versions) in &documents {
        met.extend(versions.iter().flat_map(|text| hits(document, &version(text))).map(|hit| hit.rule));
    }
    let unmet: Vec<&Rule> = TABLE.iter().copied().flatten().filter(|rule| !met.contains(rule)).collect();
    assert!(unmet.is_empty(), "{unmet:#?}");
}

#[test]
fn names_that_servers_keep_for_their_indexes_are_refused_at_the_top_alone() {
    let document = json!({"properties": [{"name": "a_temp"}, {"name": "o", "nestedProperties": [{"name": "b_temp"}]},
        {"name": "temp"}]});
    let paths = |text: &str| -> Vec<String> {
        hits(&document, &version(text)).into_iter().map(|hit| hit.path.join(".")).collect()
    };
    assert_eq!(paths("1.32.27"), Vec::<String>::new());
    assert_eq!(paths("1.40.0"), ["properties.a_temp.name"]);
}

#[test]
fn a_backport_holds_for_its_own_line_only() {
    let since = Since(&[(25, 26), (26, 11), (28, 0)]);
    let known = |text| since.knows(&version(text));
    assert!(known("1.25.26") && known("1.26.11") && known("1.28.0") && known("1.40.0") && known("2.0.0"));
    assert!(!known("1.24.99") && !known("1.25.25") && !known("1.26.10") && !known("1.27.99"));
    assert_eq!((since.text().as_deref(), Since(&[(39, 2)]).text().as_deref()), (Some("1.28"), Some("1.39.2")));
}

#[test]
fn indexes_are_found_wherever_they_are() {
    let index = json!({"sq": {"enabled": true}});
    let document = json!({
        "vectorIndexType": "dynamic", "vectorIndexConfig": {"hnsw": index, "flat": index},
        "vectorConfig": {"a": {"vectorIndexType": "hnsw", "vectorIndexConfig": index}},
    });
    let mut found: Vec<String> =
        hits(&document, &version("1.25.0")).into_iter().map(|hit| hit.path.join(".")).collect();
    found.sort();
    assert_eq!(
        found,
        ["vectorConfig.a.vectorIndexConfig.sq", "vectorIndexConfig.flat.sq", "vectorIndexConfig.hnsw.sq"]
    );
}
