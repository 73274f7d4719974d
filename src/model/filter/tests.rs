//! What filters take, what is wrong with them, and that the fast way agrees with a slow one.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{ObjectId, ObjectText, RawObject, Schema};

fn document() -> Value {
    json!({"class": "A", "properties": [
        {"name": "title", "dataType": ["text"]},
        {"name": "year", "dataType": ["int"]},
        {"name": "price", "dataType": ["number"]},
        {"name": "open", "dataType": ["boolean"]},
        {"name": "at", "dataType": ["date"]},
        {"name": "ref", "dataType": ["uuid"]},
        {"name": "tags", "dataType": ["text[]"]},
        {"name": "years", "dataType": ["int[]"]},
        {"name": "in", "dataType": ["text"]},
        {"name": "writer", "dataType": ["Person"]},
        {"name": "place", "dataType": ["geoCoordinates"]},
        {"name": "all", "dataType": ["object[]"], "nestedProperties": [{"name": "x", "dataType": ["int"]}]},
        {"name": "deep", "dataType": ["object"], "nestedProperties": [
            {"name": "title", "dataType": ["text"]},
            {"name": "more", "dataType": ["object"], "nestedProperties": [{"name": "n", "dataType": ["int"]}]},
        ]},
    ]})
}

fn schema() -> Schema {
    Schema::parse(document().to_string().into()).expect("a schema")
}

fn raw(text: &str) -> RawObject {
    let value: Value = serde_json::from_str(text).expect("JSON");
    let at = text.find("\"properties\":").map(|at| at + "\"properties\":".len());
    // The properties are the last member here.
    let properties = at.map_or(0..0, |at| at..text.len() - 1);
    RawObject {
        id: value["id"].as_str().expect("an id").parse().expect("an id"),
        updated_ms: value["lastUpdateTimeUnix"].as_i64(),
        text: Bytes::copy_from_slice(text.as_bytes()),
        places: ObjectText { properties, ..ObjectText::default() },
    }
}

fn object(properties: &Value) -> RawObject {
    raw(&format!(
        r#"{{"class":"A","creationTimeUnix":1700000000000,"id":"0f6b1c2d-0000-4000-8000-000000000001","lastUpdateTimeUnix":1700000001000,"properties":{properties}}}"#
    ))
}

fn is_true(filter: &str, properties: &Value) -> bool {
    let bound = filter.parse::<Filter>().expect(filter).bind(&schema()).expect(filter);
    bound.is_true_of(&object(properties))
}

#[test]
fn comparisons_are_what_they_say() {
    let one = json!({
        "title": "The \"Kelvin\"\nsign", "year": 2020, "price": -0.5, "open": true, "at": "2024-05-01T01:00:00+02:00",
        "ref": "0F6B1C2D-0000-4000-8000-000000000002", "tags": ["a", "b\"c"], "years": [], "in": "x",
        "writer": [{"beacon": "weaviate://localhost/Person/0f6b1c2d-0000-4000-8000-000000000003"}],
        "place": {"latitude": 52.5, "longitude": 13.25}, "deep": {"title": "low", "more": {"n": 7}},
    });
    for (filter, expected) in [
        ("year = 2020", true),
        ("year == 2020.0 and not year != 2020", true),
        ("year > 2020", false),
        ("(year >= 2020 AND price < 0) or open = false", true),
        ("price <= -5e-1 and price >= -0.5e0", true),
        ("open = true", true),
        ("open in (false)", false),
        ("at = '2024-04-30T23:00:00Z'", true),
        ("at < \"2024-05-01\" and at >= \"2024-04-30\"", true),
        ("ref = '0f6b1c2d-0000-4000-8000-000000000002'", true),
        ("id = '0F6B1C2D-0000-4000-8000-000000000001'", true),
        ("id is null", false),
        ("@created >= '2023-11-14' and @updated = '2023-11-14T22:13:21Z'", true),
        ("title contains 'Kelvin'", true),
        (r#"title contains "\"Kelvin\"\n""#, true),
        (r#"title contains """Kelvin""" "#, true),
        ("title contains ''", true),
        ("title not contains 'kelvin'", true),
        ("title like 'The %sign'", true),
        ("title like 'The%s_gn'", true),
        ("title like 'The'", false),
        ("tags contains 'a' and tags contains 'b\\\"c'", true),
        ("tags contains 'b'", false),
        ("years contains 1", false),
        ("years is null", false),
        ("years is not null", true),
        ("`in` = 'x'", true),
        ("writer is not null", true),
        ("place.latitude > 52 and place.longitude = 13.25", true),
        ("place is null", false),
        ("deep.title = 'low' and deep.more.n in (1, 7)", true),
        ("deep.more.n not in (1, 7)", false),
        ("all is null", true),
        ("year in (1, 2, 2020)", true),
    ] {
        assert_eq!(is_true(filter, &one), expected, "{filter}");
    }
}

#[test]
fn what_is_missing_or_null_is_unknown() {
    for properties in
        [json!({}), json!({"title": null, "year": null, "tags": null, "deep": null}), json!({"deep": {}}), json!(null)]
    {
        for (filter, expected) in [
            ("year = 1", false),
            ("year != 1", false),
            ("not year = 1", false),
            ("year in (1)", false),
            ("year not in (1)", false),
            ("tags contains 'a'", false),
            ("not tags contains 'a'", false),
            ("title like '%'", false),
            ("year is null", true),
            ("year is not null", false),
            ("tags is null and deep.more.n is null", true),
            ("year = 1 or title is null", true),
            ("year = 1 and title is not null", false),
            ("not (year = 1 and title is not null)", true),
            ("not (year = 1 or title is null)", false),
        ] {
            assert_eq!(is_true(filter, &properties), expected, "{filter} of {properties}");
        }
    }
}

#[test]
fn big_integers_are_compared_exactly() {
    let one = json!({"year": 9_007_199_254_740_993_i64});
    assert!(!is_true("year = 9007199254740992", &one));
    assert!(is_true("year = 9007199254740993 and year > 9007199254740992", &one));
    assert!(is_true("year < 99999999999999999999999", &one));
}

#[test]
fn members_are_found_however_they_are_printed() {
    let bound = "year >= 2020 and deep.title = 'ä'".parse::<Filter>().expect("one").bind(&schema()).expect("fits");
    let spelled = r#"{"id":"0f6b1c2d-0000-4000-8000-000000000001","properties":{ "zzz" : [1,{"year":1}] , "Year":2021, "deep" : {"a":"}", "title" :"\u00e4"} }}"#;
    assert!(bound.is_true_of(&raw(spelled)));
}

fn problem(filter: &str) -> String {
    let error = match filter.parse::<Filter>() {
        Err(error) => error,
        Ok(parsed) => parsed.bind(&schema()).expect_err(filter),
    };
    format!("{}\n{}^ {error}\n", error.filter, " ".repeat(error.column() - 1))
}

#[test]
fn every_problem_says_where_it_is() {
    let filters = [
        "",
        "year >=",
        "year >= and open = true",
        "year 2020",
        "= 2020",
        "(year = 1",
        "year = 1)",
        "year = 1 open = true",
        "title = 'x",
        "title = 'x\\q'",
        "title = 'ä' and yaer = 2",
        "deep.titel = 'x'",
        "year.x = 1",
        "place.x = 1",
        "all.x = 1",
        "nothing = 1",
        "year = 'x'",
        "year = 12abc",
        "price = -.5",
        "Title = 'x'",
        "title = 5",
        "title = x",
        "title is x",
        "title = null",
        "title not = 'x'",
        "open > true",
        "open = 'true'",
        "at = '2024-13-01'",
        "at = 2024",
        "id = 'x'",
        "tags = 'a'",
        "tags contains 5",
        "year contains 5",
        "year like '5'",
        "writer = 'x'",
        "deep = 'x'",
        "year in ()",
        "year in (1 2)",
        "year in 1",
        "@made = 'x'",
        "year # 1",
        "in = 'x'",
    ];
    insta::assert_snapshot!(filters.map(problem).concat());
}

#[test]
fn every_problem_is_of_its_kind() {
    use FilterProblem as P;
    type Is = fn(&FilterProblem) -> bool;
    let problems: [(&str, usize, Is); 12] = [
        ("year >=", 8, |p| matches!(p, P::Missing { .. })),
        ("year = 1)", 9, |p| matches!(p, P::NoEnd { .. })),
        ("year # 1", 6, |p| matches!(p, P::Character { found: '#' })),
        ("title = 'x", 9, |p| matches!(p, P::Unclosed)),
        ("title = 'x\\q'", 11, |p| matches!(p, P::Escape { .. })),
        ("year = 1e999", 8, |p| matches!(p, P::Number { .. })),
        ("@made = 'x'", 1, |p| matches!(p, P::Special { .. })),
        ("title = null", 9, |p| matches!(p, P::ComparedWithNull)),
        ("title = 'ä' and yaer = 2", 17, |p| matches!(p, P::UnknownProperty { similar, .. } if similar[0] == "year")),
        ("year.x = 1", 1, |p| matches!(p, P::NotInside { .. })),
        ("tags = 'a'", 1, |p| matches!(p, P::Type { .. })),
        ("at = '2024-13-01'", 6, |p| matches!(p, P::Value { .. })),
    ];
    for (filter, column, is) in problems {
        let error = match filter.parse::<Filter>() {
            Err(error) => error,
            Ok(parsed) => parsed.bind(&schema()).expect_err(filter),
        };
        assert!(is(&error.what) && error.column() == column, "{filter}: {error:?} in column {}", error.column());
    }
}

#[test]
fn filters_are_bounded() {
    let long = format!("title = '{}'", "x".repeat(FILTER_BYTES));
    let deep = format!("{}year = 1{}", "(".repeat(FILTER_NESTING + 1), ")".repeat(FILTER_NESTING + 1));
    let nots = format!("{}year = 1", "not ".repeat(10_000));
    let values = format!("year in (1{})", ", 1".repeat(VALUES_IN));
    let tests = format!("year = 1{}", " or year = 1".repeat(TESTS));
    for filter in [long, deep, nots, values, tests] {
        let error = filter.parse::<Filter>().expect_err("too much");
        assert!(matches!(error.what, FilterProblem::TooMuch { .. }), "{error}");
    }
    let just = format!("{}year = 1{}", "(".repeat(FILTER_NESTING), ")".repeat(FILTER_NESTING));
    assert!(just.parse::<Filter>().is_ok());
}

fn word() -> impl Strategy<Value = String> {
    "[ab\"'\\\\\nä\u{1F600}]{0,4}"
}

fn spelled(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''").replace('\n', "\\n"))
}

fn order() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="])
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        (-3_i64..3).prop_map(|n| n.to_string()),
        (-3_i64..3).prop_map(|n| format!("{n}.5")),
        Just("1e0".to_owned())
    ]
}

fn day() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..4_u8).prop_map(|day| format!("2024-05-0{day}")),
        (1..4_u8, 0..3_u8).prop_map(|(day, hour)| format!("2024-05-0{day}T0{hour}:00:00+01:00")),
    ]
}

fn leaf() -> impl Strategy<Value = String> {
    let texts = prop::sample::select(vec!["title", "`in`", "deep.title"]);
    let numbers = prop::sample::select(vec!["year", "price", "deep.more.n"]);
    let places =
        prop::sample::select(vec!["title", "year", "tags", "deep", "deep.title", "place", "writer", "at", "open"]);
    prop_oneof![
        (texts.clone(), order(), word()).prop_map(|(place, order, text)| format!("{place} {order} {}", spelled(&text))),
        (texts.clone(), word()).prop_map(|(place, text)| format!("{place} contains {}", spelled(&text))),
        (texts, "[ab%_]{0,4}").prop_map(|(place, text)| format!("{place} like '{text}'")),
        (numbers.clone(), order(), number()).prop_map(|(place, order, number)| format!("{place} {order} {number}")),
        (numbers, prop::collection::vec(number(), 1..3))
            .prop_map(|(place, numbers)| format!("{place} in ({})", numbers.join(", "))),
        any::<bool>().prop_map(|flag| format!("open = {flag}")),
        (order(), day()).prop_map(|(order, day)| format!("at {order} '{day}'")),
        (order(), day()).prop_map(|(order, day)| format!("@updated {order} '{day}'")),
        word().prop_map(|text| format!("tags contains {}", spelled(&text))),
        (-3_i64..3).prop_map(|n| format!("years contains {n}")),
        places.prop_map(|place| format!("{place} is null")),
    ]
}

fn filter() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn or_null(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![1 => Just(None), 1 => Just(Some(Value::Null)), 4 => value.prop_map(Some)].boxed()
}

fn properties() -> impl Strategy<Value = Value> {
    let text = || word().prop_map(Value::from);
    let number = || prop_oneof![(-3_i64..3).prop_map(Value::from), (-3_i32..3).prop_map(|n| json!(f64::from(n) + 0.5))];
    let deep = (or_null(text()), or_null((-3_i64..3).prop_map(Value::from))).prop_map(|(title, n)| {
        let mut deep = json!({"other": [1, {"title": "no"}]});
        if let Some(title) = title {
            deep["title"] = title;
        }
        if let Some(n) = n {
            deep["more"] = json!({"n": n});
        }
        deep
    });
    let members = vec![
        ("title", or_null(text())),
        ("in", or_null(text())),
        ("year", or_null((-3_i64..3).prop_map(Value::from))),
        ("price", or_null(number())),
        ("open", or_null(any::<bool>().prop_map(Value::from))),
        ("at", or_null(day().prop_map(|day| if day.len() == 10 { format!("{day}T00:00:00Z") } else { day }.into()))),
        ("tags", or_null(prop::collection::vec(word(), 0..3).prop_map(Value::from))),
        ("years", or_null(prop::collection::vec(-3_i64..3, 0..3).prop_map(Value::from))),
        ("place", or_null(Just(json!({"latitude": 1.5, "longitude": 2})))),
        ("writer", or_null(Just(json!([{"beacon": "x"}])))),
        ("deep", or_null(deep)),
    ];
    let (names, values): (Vec<&str>, Vec<_>) = members.into_iter().unzip();
    values.prop_map(move |values| {
        let there = names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        Value::Object(there.collect())
    })
}

/// Escapes every character of the texts that may be escaped, so that nothing is compared as it is printed.
fn all_escaped(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let unit = |unit: u16| format!("\\u{unit:04X}");
            format!("\"{}\"", text.encode_utf16().map(unit).collect::<String>())
        }
        Value::Array(elements) => format!("[ {} ]", elements.iter().map(all_escaped).collect::<Vec<_>>().join(" ,")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("\"{name}\" : {}", all_escaped(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(" , "))
        }
        other => other.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_way_agrees_with_the_slow_one(text in filter(), properties in properties()) {
        let parsed: Filter = text.parse().expect("a filter");
        let bound = parsed.bind(&schema()).expect("it fits");
        let printed = object(&properties);
        let value: Value = serde_json::from_slice(&printed.text).expect("JSON");
        let slow = reference::judge(&parsed.tree, &document(), &value) == Some(true);
        prop_assert_eq!(bound.is_true_of(&printed), slow, "{} of {}", text, properties);
        let escaped = raw(&format!(
            r#"{{"id":"0f6b1c2d-0000-4000-8000-000000000001","lastUpdateTimeUnix":1700000001000,"properties":{}}}"#,
            all_escaped(&properties)
        ));
        prop_assert_eq!(bound.is_true_of(&escaped), slow, "{} of {}, escaped", text, properties);
    }

    #[test]
    fn nothing_that_is_typed_makes_it_panic(text in "[a-z0-9_.@<>=!'\"()\\\\`, ä-]{0,40}") {
        if let Ok(filter) = text.parse::<Filter>() {
            drop(filter.bind(&schema()));
        }
    }
}

#[test]
fn an_id_may_be_the_first_of_all() {
    let bound =
        "id = '00000000-0000-0000-0000-000000000000'".parse::<Filter>().expect("one").bind(&schema()).expect("fits");
    let object = RawObject { id: ObjectId(0), ..object(&json!({})) };
    assert!(bound.is_true_of(&object));
}
