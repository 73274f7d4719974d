//! The splitter against recorded pages, nasty text and a full parser.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Expected, SplitError, line, page};
use crate::model::{CollectionName, ObjectId, RawObject};

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn split(body: &[u8], collection: &str) -> Result<Vec<RawObject>, SplitError> {
    page(&Bytes::copy_from_slice(body), Expected { collection: &name(collection), after: None, limit: 10_000 })
}

fn check_against_full_parse(body: &[u8], collection: &str) {
    let objects = split(body, collection).expect("a good page");
    let full: Value = serde_json::from_slice(body).expect("JSON");
    let expected = full["objects"].as_array().cloned().unwrap_or_default();
    assert_eq!(objects.len(), expected.len());
    for (object, expected) in objects.iter().zip(expected) {
        assert_eq!(serde_json::from_slice::<Value>(&object.text).expect("JSON"), expected);
        assert_eq!(object.id.to_string(), expected["id"].as_str().expect("id").to_lowercase());
        assert_eq!(object.updated_ms, expected["lastUpdateTimeUnix"].as_i64());
        let properties = serde_json::from_slice(object.properties()).unwrap_or(Value::Null);
        assert_eq!(properties, expected["properties"]);
        let mut vectors = serde_json::Map::new();
        for (vector, text) in object.vectors() {
            vectors.insert(String::from_utf8_lossy(vector).into(), serde_json::from_slice(text).expect("JSON"));
        }
        let mut wanted = expected["vectors"].as_object().cloned().unwrap_or_default();
        wanted.insert("default".into(), expected["vector"].clone());
        wanted.retain(|_, v| !matches!(v, Value::Null) && *v != json!([]) && *v != json!({}));
        assert_eq!(vectors, wanted);
        assert_eq!(line(&object.text, &name(collection)).as_ref(), Ok(object));
    }
}

#[test]
fn recorded_pages_are_split_as_a_full_parser_would() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/raw-pages");
    let mut pages = 0;
    for entry in std::fs::read_dir(folder).expect("raw pages").map(|e| e.expect("entry").path()) {
        if entry.extension().is_some_and(|e| e == "json") {
            let body = std::fs::read(&entry).expect("a page");
            let full: Value = serde_json::from_slice(&body).expect("JSON");
            let class = full["objects"][0]["class"].as_str().unwrap_or("Empty").to_owned();
            check_against_full_parse(&body, &class);
            pages += 1;
        }
    }
    assert!(pages >= 6, "only {pages} recorded pages found");
}

const ID: &str = "00000000-0000-0000-0000-000000000001";

fn with_member(member: &str) -> Vec<u8> {
    format!(r#"{{"objects":[{{"class":"A","id":"{ID}",{member}}}]}}"#).into_bytes()
}

#[test]
fn nasty_values_pass_untouched() {
    for member in [
        r#""properties":{"a":"quote \" brace } bracket ] slash \\","b":["]","}"]}"#,
        r#""properties":{"n":[1e400,-0.0,1E5,100000,0.30000000000000004,-0]},"vector":[1,-0,1e-7]"#,
        r#""properties":{"u":"\u0000\ud83d\ude00"},"vector":null"#,
        r#""properties":{},"vector":[],"vectors":{"a":[[1,2],[3,4]],"b":null,"c":[1.5]}"#,
        r#""properties":null,"vectors":{}"#,
        r#""unknownFutureField":{"x":[{"y":[[[]]]}]},"properties":{"x":[1,"]",2]}"#,
    ] {
        let body = with_member(member);
        let object = split(&body, "A").expect(member).remove(0);
        assert_eq!(object.text, body[12..body.len() - 2], "{member}");
    }
}

#[test]
fn every_cut_page_is_refused() {
    let body = with_member(r#""properties":{"a":"b\\","n":[1,2]},"vectors":{"x":[[1],[2]]}"#);
    for end in 0..body.len() {
        assert!(split(&body[..end], "A").is_err(), "cut at {end}");
    }
}

#[test]
fn answers_that_lie_are_refused() {
    let two = |a: &str, b: &str| format!(r#"{{"objects":[{{"class":"A","id":"{a}"}},{{"class":"A","id":"{b}"}}]}}"#);
    let second = "00000000-0000-0000-0000-000000000002";
    assert!(split(two(ID, second).as_bytes(), "A").is_ok());
    assert!(matches!(split(two(second, ID).as_bytes(), "A"), Err(SplitError::Order { .. })), "backwards");
    assert!(matches!(split(two(ID, ID).as_bytes(), "A"), Err(SplitError::Order { .. })), "doubled");
    assert!(matches!(split(two(ID, second).as_bytes(), "B"), Err(SplitError::OtherCollection { .. })));
    let body = Bytes::from(two(ID, second));
    let a = name("A");
    let expected = Expected { collection: &a, after: Some(ObjectId(1)), limit: 10 };
    assert!(matches!(page(&body, expected), Err(SplitError::Order { .. })), "at the cursor");
    let expected = Expected { collection: &a, after: None, limit: 1 };
    assert_eq!(page(&body, expected), Err(SplitError::TooMany { found: 2, limit: 1 }));
}

#[test]
fn what_is_not_whole_json_is_refused() {
    for (body, why) in
        [(&b""[..], "empty"), (br#"{"objects":[]} {}"#, "text behind the page"), (b"<html>busy</html>", "HTML")]
    {
        assert!(matches!(split(body, "A"), Err(SplitError::Structure { .. })), "{why}: {:?}", split(body, "A"));
    }
    let deep = format!(r#""properties":{}{}"#, "[".repeat(200), "]".repeat(200));
    for member in
        [r#""vector":[1,2}"#, r#""vector":[NaN]"#, r#""properties":{"a":tru}"#, "\"properties\":{\"a\":\n1}", &deep]
    {
        let refused = split(&with_member(member), "A");
        assert!(matches!(refused, Err(SplitError::Structure { .. })), "{member}: {refused:?}");
    }
}

#[test]
fn what_is_not_utf_8_is_refused_with_its_place() {
    assert_eq!(split(b"{\"objects\":[],\"x\":\"\xff\"}", "A"), Err(SplitError::Encoding { at: 19 }));
}

#[test]
fn members_that_are_missing_doubled_or_of_another_kind_are_named() {
    for (body, named) in [
        (&b"{}"[..], "objects"),
        (br#"{"error":[{"message":"with status 200"}]}"#, "objects"),
        (br#"{"objects":{}}"#, "objects"),
        (br#"{"objects":[],"objects":[]}"#, "objects"),
        (br#"{"objects":[{"class":"A"}]}"#, "id"),
        (br#"{"objects":[{"id":"00000000-0000-0000-0000-000000000001"}]}"#, "class"),
        (br#"{"objects":[{"class":"A","id":"zz"}]}"#, "id"),
        (br#"{"objects":[{"class":"A","id":7}]}"#, "id"),
    ] {
        let refused = split(body, "A");
        assert!(matches!(refused, Err(SplitError::Member { member, .. }) if member == named), "{named}: {refused:?}");
    }
    for (text, named) in [
        (r#""vector":[1,2],"vector":[3]"#, "vector"),
        (r#""properties":{},"properties":{}"#, "properties"),
        (r#""id":"00000000-0000-0000-0000-000000000002""#, "id"),
        (r#""lastUpdateTimeUnix":1.5"#, "lastUpdateTimeUnix"),
    ] {
        let refused = split(&with_member(text), "A");
        assert!(matches!(refused, Err(SplitError::Member { member, .. }) if member == named), "{text}: {refused:?}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((".*", inner), 0..6).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_page_is_split_as_a_full_parser_would(
        objects in prop::collection::vec((any::<u128>(), any_json(), any_json(), prop::collection::vec(any::<f32>(), 0..9)), 0..6),
    ) {
        let mut objects = objects;
        objects.sort_by_key(|o| o.0);
        objects.dedup_by_key(|o| o.0);
        let objects: Vec<Value> = objects.into_iter().map(|(id, properties, more, vector)| json!({
            "class": "A", "id": ObjectId(id).to_string(), "lastUpdateTimeUnix": 5, "more": more,
            "properties": {"p": properties}, "vector": vector, "vectors": {"x": vector, "y": [vector]},
        })).collect();
        check_against_full_parse(json!({"deprecations": [], "objects": objects}).to_string().as_bytes(), "A");
    }

    #[test]
    fn any_bytes_end_in_an_answer(body in prop::collection::vec(prop::sample::select(&b"{}[]\",:\\0-9eE. \nobjectsclassid"[..]), 0..200)) {
        let _ = split(&body, "A");
    }
}

#[test]
fn a_member_that_a_server_takes_for_a_known_one_is_refused() {
    for name in ["Class", "cl\\u0061ss", "cla\u{17f}s", "ID", "PROPERTIES", "Vectors", "vectorweights", "Tenant"] {
        let known = crate::model::fold::taken_for(name.as_bytes(), &crate::model::fold::OBJECT).expect("a member");
        for body in [with_member(&format!(r#""{name}":1"#)), with_member(&format!(r#""x":{{}},"{name}":{{"a":"b"}}"#))]
        {
            let found = split(&body, "A");
            let right =
                matches!(&found, Err(SplitError::Folds { member, printed, .. }) if *member == known && printed == name);
            assert!(right, "{name}: {found:?}");
        }
    }
    assert!(matches!(split(br#"{"Objects":[],"objects":[]}"#, "A"), Err(SplitError::Folds { member: "objects", .. })));
}

#[test]
fn a_member_a_property_or_a_vector_that_is_there_twice_is_refused() {
    for member in [r#""tenant":"a","tenant":"a""#, r#""creationTimeUnix":1,"creationTimeUnix":1"#, r#""class":"A""#] {
        assert!(matches!(split(&with_member(member), "A"), Err(SplitError::Member { .. })), "{member}");
    }
    for (member, twice) in [
        (r#""properties":{"a":1,"a":2}"#, "a"),
        (r#""properties":{"b":1,"a":2,"b":3}"#, "b"),
        (r#""properties":{"Title":1,"title":2}"#, "title"),
        (r#""properties":{"title":1,"Title":2}"#, "Title"),
        (r#""properties":{"titl\u0065":1}"#, "titl\\u0065"),
        (r#""vectors":{"v":[1],"v":[2]}"#, "v"),
        (r#""vectors":{"v":[1],"u":[],"v":null}"#, "v"),
        (r#""vectors":{"\u0076":[1]}"#, "\\u0076"),
    ] {
        let found = split(&with_member(member), "A");
        assert!(matches!(&found, Err(SplitError::Name { name, .. }) if name == twice), "{member}: {found:?}");
    }
    for member in [
        r#""properties":{"B":1,"a":2,"c":{"x":1,"x":2,"X":3}},"vectors":{"V":[1],"v":[2]}"#,
        r#""properties":{"class":1,"id":2,"Tenant":[{"Class":1}]},"later":1,"later":2"#,
    ] {
        assert!(split(&with_member(member), "A").is_ok(), "{member}");
    }
}

#[test]
fn a_name_that_is_there_twice_among_very_many_is_found() {
    let last = super::names::NAMES_HELD;
    let of = |more: &str| {
        let members: Vec<String> = (0..=last).rev().map(|n| format!("\"a{n}\":0")).collect();
        let members = members.join(",");
        split(&with_member(&format!("\"properties\":{{{members},{more}}}")), "A")
    };
    assert!(of("\"b\":1").is_ok());
    for twice in [format!("A{last}"), "a77777".to_owned()] {
        let found = of(&format!("\"{twice}\":1"));
        assert!(matches!(&found, Err(SplitError::Name { name, .. }) if *name == twice), "{found:?}");
    }
}

#[test]
fn more_vectors_or_names_in_a_reference_than_are_held_are_refused() {
    let vectors = |last: u32| {
        let vectors: Vec<String> = (0..=last).map(|n| format!("\"v{n:05}\":[1]")).collect();
        split(&with_member(&format!("\"vectors\":{{{}}}", vectors.join(","))), "A")
    };
    assert_eq!(vectors(super::VECTORS_MOST - 1).expect("a page")[0].vectors().count(), super::VECTORS_MOST as usize);
    assert!(matches!(
        vectors(super::VECTORS_MOST),
        Err(SplitError::ManyNames { what: "vector", limit: super::VECTORS_MOST, .. })
    ));
    let members: Vec<String> = (0..1 << 16).map(|n| format!("\"a{n}\":0")).collect();
    let members = members.join(",");
    let list = format!("\"properties\":{{\"to\":[{{\"beacon\":\"x\",{members}}}]}}");
    let found = super::references(&split(&with_member(&list), "A").expect("a page")[0], |name| name == b"to");
    assert!(matches!(found, Err(SplitError::ManyNames { what: "member", .. })), "{found:?}");
}

#[test]
fn references_are_spelled_as_servers_print_them() {
    let of = |list: &str| {
        let body = with_member(&format!(r#""properties":{{"n":{list},"to":{list}}}"#));
        super::references(&split(&body, "A").expect("a page")[0], |name| name == b"to")
    };
    let beacon = r#""beacon":"weaviate://localhost/B/00000000-0000-0000-0000-000000000001""#;
    for list in [
        "[]".to_owned(),
        "null".to_owned(),
        format!("[{{{beacon}}}]"),
        format!(r#"[{{{beacon},"href":"/v1/objects/B/1"}},{{{beacon}}}]"#),
        format!(r#"[{{{beacon},"later":"x"}}]"#),
        r#""beacon""#.to_owned(),
    ] {
        assert_eq!(of(&list), Ok(()), "{list}");
    }
    for list in [
        format!(r#"[{{{beacon},"Beacon":"x"}}]"#),
        format!(r#"[{{{beacon},"be\u0061con":"x"}}]"#),
        format!(r"[{{{beacon},{beacon}}}]"),
        format!(r#"[{{{beacon},"HREF":"x"}}]"#),
    ] {
        assert!(matches!(of(&list), Err(SplitError::Folds { .. } | SplitError::Name { .. })), "{list}");
    }
}

#[test]
fn an_object_of_another_tenant_is_refused() {
    let of = |member: &str, tenant: Option<&str>| {
        let tenant = tenant.map(|tenant| tenant.parse().expect("a name"));
        super::of_tenant(&split(&with_member(member), "A").expect("a page")[0], tenant.as_ref())
    };
    assert_eq!(of(r#""tenant":"t""#, Some("t")), Ok(()));
    assert_eq!(of(r#""x":1"#, Some("t")), Ok(()));
    assert_eq!(of(r#""tenant":"""#, None), Ok(()));
    for (member, tenant) in
        [(r#""tenant":"t""#, None), (r#""tenant":"u""#, Some("t")), (r#""tenant":"\u0074""#, Some("t"))]
    {
        assert!(matches!(of(member, tenant), Err(SplitError::OtherTenant { .. })), "{member}");
    }
}
