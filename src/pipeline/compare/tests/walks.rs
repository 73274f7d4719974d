//! The walk over two texts finds what a comparison of their values finds: the same fields in the same order, with the same
//! stretches of them.

use super::*;

/// Names of all types, and one of none.
const NAMES: [&str; 19] =
    ["t", "ts", "i", "is", "n", "ns", "b", "d", "ds", "u", "us", "g", "ph", "bl", "h", "to", "o", "os", "unknown"];

/// One of the spellings of a number that is one value, or nearly.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "0",
            "-0",
            "0.0",
            "-0.0",
            "0e5",
            "1",
            "1.0",
            "1e0",
            "10e-1",
            "1E+0",
            "100",
            "1e2",
            "0.1",
            "1e-1",
            "0.10",
            "9007199254740993",
            "9007199254740992",
            "9223372036854775807",
            "9223372036854774784",
            "-9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "1e308",
            "5e-324",
            "2.4e-324",
            "52.3932696",
            "52.39327",
            "0.10000000000000000555111512312578270211815834045410156250",
            "123456789012345678901234567890",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
    ]
}

/// A string as it may be printed, with escapes that can be spared.
fn text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "",
        "a",
        "A",
        "\\u0061",
        "a\\/b",
        "a/b",
        "\\ud834\\udd1e",
        "𝄞",
        "\\n",
        "\\u000a",
        "\\\"",
        "\\u0022",
        "é",
        "e\u{301}",
        "2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05.000+00:00",
        "2024-01-02T04:04:05+01:00",
        "2024\\u002d01-02T03:04:05Z",
        "2016-12-31T23:59:60Z",
        "ABCDEF12-0000-4000-8000-00000000abcd",
        "abcdef12-0000-4000-8000-00000000ABCD",
        "\\u0041bcdef12-0000-4000-8000-00000000abcd",
    ]);
    prop_oneof![
        words.prop_map(|word| format!("\"{word}\"")),
        ".{0,3}".prop_map(|text| Value::from(text).to_string()),
        "x{190,230}[ab]".prop_map(|text| format!("\"{text}\"")),
    ]
}

fn beacon() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        r#"{"beacon":"weaviate://localhost/B/1","href":"/v1/objects/B/1"}"#,
        r#"{"href":"/v1/objects/B/1","beacon":"weaviate://elsewhere/B/1"}"#,
        r#"{"beacon":"weaviate:\/\/localhost/C/1"}"#,
        r#"{"beacon":"weaviate://localhost/\u0042/1"}"#,
        r#"{"beacon":"weaviate://localhost/1"}"#,
        r#"{"beacon":"weaviate://localhost/B/1","b\u0065acon":"weaviate://localhost/C/1"}"#,
        r#"{"beacon":1}"#,
        r#"{"beacon":"else"}"#,
        r"{}",
    ])
    .prop_map(str::to_owned)
}

/// Any JSON, with white space, names in any order, names that are escaped and names that stand twice.
fn json_text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec!["null", "true", "false", "[]", "{}", " [ ] "]).prop_map(str::to_owned);
    let leaf = prop_oneof![words, number(), text(), beacon()];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = prop::sample::select(vec![
            "a",
            "b",
            "\\u0061",
            "d",
            "i",
            "u",
            "n",
            "o",
            "latitude",
            "longitude",
            "l\\u0061titude",
            "input",
            "beacon",
            "é",
        ]);
        let member = (name, inner.clone()).prop_map(|(name, value)| format!("\"{name}\" :{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|list| format!("[{}]", list.join(" , "))),
            prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// Properties of an object. Names stand once each there, as a page or a line with one twice is refused before.
fn properties_text() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let value = prop_oneof![json_text(), number(), text(), beacon()];
    let members = prop::collection::hash_map(prop::sample::select(NAMES.to_vec()), value, 0..6);
    members.prop_map(|members| members.into_iter().collect())
}

fn printed(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// The same properties, some of them with another value, in another order, or gone.
fn pairs() -> impl Strategy<Value = [String; 2]> {
    (properties_text(), properties_text(), any::<u32>(), any::<bool>()).prop_map(|(ours, others, changes, in_order)| {
        let change = |at: usize, bit: usize| changes >> (at * 3 + bit) & 1 == 1;
        let mut theirs: Vec<_> =
            ours.iter().enumerate().filter(|(at, _)| !change(*at, 0)).map(|(_, m)| m.clone()).collect();
        for (at, (name, value)) in others.into_iter().enumerate() {
            match theirs.iter_mut().find(|(other, _)| *other == name) {
                Some(member) if change(at, 1) => member.1 = value,
                None if change(at, 2) => theirs.push((name, value)),
                _ => {}
            }
        }
        let mut ours = ours;
        if in_order {
            ours.sort();
            theirs.sort();
        }
        [printed(&ours), printed(&theirs)]
    })
}

/// Whether some object in a text has a name twice: what is shown of it is its text, and a value has one of them.
fn has_name_twice(text: &str) -> bool {
    let members: Vec<_> = json::members(text).collect();
    let twice = |at: usize| members[..at].iter().any(|(name, _)| json::is_same_string(name, members[at].0));
    (0..members.len()).any(twice)
        || members.iter().any(|(_, value)| has_name_twice(value))
        || json::elements(text).any(has_name_twice)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn texts_are_compared_as_their_values_are(sides in pairs(), renamed in any::<bool>(), clamp_ints in any::<bool>()) {
        let renames: &[(&str, &str)] = if renamed { &[("B", "C"), ("C", "B")] } else { &[] };
        let comparer = comparer(renames, clamp_ints);
        let objects = sides.each_ref().map(|text| object(&format!("\"properties\":{text}")));
        let found = comparer.fields(&objects[0], &objects[1], Vectors::Compare);
        let expected = oracle::differing(&comparer.renames, clamp_ints, &comparer.members, sides.each_ref().map(String::as_str));
        if sides.iter().any(|text| has_name_twice(text)) {
            let names = |fields: &[FieldDiff]| fields.iter().map(|field| field.field.clone()).collect::<Vec<_>>();
            prop_assert_eq!(names(&found), names(&expected));
        } else {
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn very_many_members_in_no_order_are_said_not_to_be_compared() {
    let many = |first: usize| {
        let members: Vec<String> =
            (0..=value::MEMBERS_HELD).rev().map(|n| format!("\"a{n}\":{}", n.min(first))).collect();
        format!("\"properties\":{{\"o\":{{{}}}}}", members.join(","))
    };
    let diff = comparer(&[], false).fields(&object(&many(1)), &object(&many(2)), Vectors::Compare);
    let words = "65537 members, not in order: not compared";
    assert_eq!((diff.len(), diff[0].field.as_str()), (1, "properties.o"));
    assert_eq!((diff[0].left.as_deref(), diff[0].right.as_deref()), (Some(words), Some(words)));
    // In the order in which servers print them there may be any number.
    let ordered = |last: usize| {
        let members: Vec<String> = (0..=value::MEMBERS_HELD).map(|n| format!("\"a{n:07}\":{}", n.min(last))).collect();
        format!("\"properties\":{{\"o\":{{{}}}}}", members.join(","))
    };
    let last = value::MEMBERS_HELD;
    let diff = comparer(&[], false).fields(&object(&ordered(last)), &object(&ordered(last - 1)), Vectors::Compare);
    assert_eq!((diff.len(), diff[0].field.clone()), (1, format!("properties.o.a{last:07}")));
}
