//! What is the same and what is not, type by type, and that spelling never matters.

mod oracle;
mod walks;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::pipeline::split;

const TYPES: &str = r#"{"class":"A","properties":[
    {"name":"t","dataType":["text"]},{"name":"ts","dataType":["text[]"]},{"name":"i","dataType":["int"]},
    {"name":"is","dataType":["int[]"]},{"name":"n","dataType":["number"]},{"name":"ns","dataType":["number[]"]},
    {"name":"b","dataType":["boolean"]},{"name":"d","dataType":["date"]},{"name":"ds","dataType":["date[]"]},
    {"name":"u","dataType":["uuid"]},{"name":"us","dataType":["uuid[]"]},{"name":"g","dataType":["geoCoordinates"]},
    {"name":"ph","dataType":["phoneNumber"]},{"name":"bl","dataType":["blob"]},{"name":"h","dataType":["blobHash"]},
    {"name":"to","dataType":["B","C"]},
    {"name":"o","dataType":["object"],"nestedProperties":[{"name":"d","dataType":["date"]},{"name":"i","dataType":["int"]},
        {"name":"o","dataType":["object"],"nestedProperties":[{"name":"u","dataType":["uuid"]}]}]},
    {"name":"os","dataType":["object[]"],"nestedProperties":[{"name":"n","dataType":["number"]}]}]}"#;

fn object(rest: &str) -> RawObject {
    let line = format!(r#"{{"class":"A","id":"00000000-0000-0000-0000-000000000001",{rest}}}"#);
    split::line(&Bytes::from(line), &"A".parse().expect("a name")).expect("an object")
}

fn comparer(renames: &[(&str, &str)], clamp_ints: bool) -> Comparer {
    let mut named = Renames::default();
    for (old, new) in renames {
        named.insert(old.parse().expect("a name"), new.parse().expect("a name"));
    }
    Comparer::new(&Schema::parse(Bytes::from_static(TYPES.as_bytes())).expect("a schema"), named, clamp_ints)
}

fn fields(archived: &str, live: &str) -> Vec<String> {
    let (archived, live) = (object(archived), object(live));
    comparer(&[], false).fields(&archived, &live, Vectors::Compare).into_iter().map(|f| f.field).collect()
}

fn properties(archived: &str, live: &str) -> Vec<String> {
    fields(&format!(r#""properties":{{{archived}}}"#), &format!(r#""properties":{{{live}}}"#))
}

#[test]
fn another_spelling_is_the_same() {
    for (archived, live) in [
        (r#""t":"a/é""#, r#""t":"a\/\u00e9""#),
        (r#""t":"a","b":true"#, r#""b": true, "t" :"a""#),
        (r#""t":null"#, ""),
        ("", r#""o":null"#),
        (r#""i":1"#, r#""i":1.0"#),
        (r#""i":10"#, r#""i":1e1"#),
        (r#""is":[1,2]"#, r#""is":[1e0,2.0]"#),
        (r#""n":0.1"#, r#""n":1e-1"#),
        (r#""ns":[100]"#, r#""ns":[1E2]"#),
        (r#""i":9007199254740993"#, r#""i":9007199254740992"#),
        (r#""d":"2024-01-02T03:04:05Z""#, r#""d":"2024-01-02T03:04:05.000+00:00""#),
        (r#""d":"2024-01-02T03:04:05.12+02:00""#, r#""d":"2024-01-02T03:04:05.120+02:00""#),
        (r#""ds":["2024-01-02T03:04:05Z"]"#, r#""ds":["2024-01-02T03:04:05+00:00"]"#),
        (r#""u":"ABCDEF12-0000-4000-8000-00000000abcd""#, r#""u":"abcdef12-0000-4000-8000-00000000ABCD""#),
        (r#""us":["A0000000-0000-4000-8000-000000000000"]"#, r#""us":["a0000000-0000-4000-8000-000000000000"]"#),
        (r#""g":{"latitude":52.3932696,"longitude":4.8}"#, r#""g":{"longitude":4.80,"latitude":52.39327}"#),
        (
            r#""ph":{"input":"020 1234567","defaultCountry":"NL","valid":true}"#,
            r#""ph":{"defaultCountry":"NL","input":"020 1234567","valid":false,"national":1}"#,
        ),
        (r#""h":"aa""#, r#""h":"bb""#),
        (r#""h":"aa""#, ""),
        (
            r#""to":[{"beacon":"weaviate://localhost/B/1","href":"/v1/objects/B/1"}]"#,
            r#""to":[{"beacon":"weaviate://localhost/B/1"}]"#,
        ),
        (r#""to":[{"beacon":"weaviate://localhost/B/1"}]"#, r#""to":[{"beacon":"weaviate://elsewhere/B/1"}]"#),
        (r#""o":{"d":"2024-01-01T00:00:00Z","i":1}"#, r#""o":{"i":1.0,"d":"2024-01-01T00:00:00.0Z"}"#),
        (
            r#""o":{"o":{"u":"A0000000-0000-4000-8000-000000000000"}}"#,
            r#""o":{"o":{"u":"a0000000-0000-4000-8000-000000000000"}}"#,
        ),
        (r#""os":[{"n":1},{"n":2}]"#, r#""os":[{"n":1.0},{"n":2}]"#),
        (r#""unknown":{"a":[1]}"#, r#""unknown":{"a":[1.0]}"#),
    ] {
        assert_eq!(properties(archived, live), [""; 0], "{archived} and {live}");
        assert_eq!(properties(live, archived), [""; 0], "{live} and {archived}");
    }
}

#[test]
fn another_value_is_named_with_its_place() {
    for (archived, live, field) in [
        (r#""t":"a""#, r#""t":"A""#, "t"),
        (r#""t":"""#, "", "t"),
        (r#""t":"2024-01-01T00:00:00Z""#, r#""t":"2024-01-01T00:00:00+00:00""#, "t"),
        (r#""t":"A0000000-0000-4000-8000-000000000000""#, r#""t":"a0000000-0000-4000-8000-000000000000""#, "t"),
        (r#""ts":["a","b"]"#, r#""ts":["a","c"]"#, "ts[1]"),
        (r#""ts":["a","a","b"]"#, r#""ts":["a","b","b"]"#, "ts[1]"),
        (r#""ts":["a"]"#, r#""ts":["a","a"]"#, "ts"),
        (r#""ts":[]"#, "", "ts"),
        (r#""to":[]"#, "", "to"),
        ("", r#""to":[]"#, "to"),
        (r#""o":{"d":null}"#, r#""o":{}"#, "o.d"),
        (r#""o":{}"#, r#""o":{"d":null}"#, "o.d"),
        (r#""os":[{"n":null}]"#, r#""os":[{}]"#, "os[0].n"),
        (r#""o":{"d":null}"#, "", "o"),
        (r#""i":1"#, r#""i":2"#, "i"),
        (r#""i":9223372036854775807"#, r#""i":9223372036854774784"#, "i"),
        (r#""n":0.1"#, r#""n":0.10000000000000002"#, "n"),
        (r#""n":0"#, r#""n":-0.0"#, "n"),
        (r#""ns":[1,0]"#, r#""ns":[1,-0]"#, "ns[1]"),
        (r#""n":1"#, r#""n":"1""#, "n"),
        (r#""b":true"#, r#""b":false"#, "b"),
        (r#""d":"2024-01-02T03:04:05Z""#, r#""d":"2024-01-02T03:04:06Z""#, "d"),
        (r#""d":"2024-01-02T03:04:05Z""#, r#""d":"2024-01-02T04:04:05+01:00""#, "d"),
        (r#""d":"2016-12-31T23:59:60Z""#, r#""d":"2016-12-31T23:59:59Z""#, "d"),
        (r#""u":"a0000000-0000-4000-8000-000000000000""#, r#""u":"b0000000-0000-4000-8000-000000000000""#, "u"),
        (r#""g":{"latitude":1,"longitude":2}"#, r#""g":{"latitude":1,"longitude":2.0000002}"#, "g.longitude"),
        (
            r#""ph":{"input":"1","defaultCountry":"NL"}"#,
            r#""ph":{"input":"1","defaultCountry":"DE"}"#,
            "ph.defaultCountry",
        ),
        (r#""ph":{"input":"1"}"#, r#""ph":{"input":"2"}"#, "ph.input"),
        (r#""bl":"aGVsbG8=""#, r#""bl":"aGVsbG8""#, "bl"),
        (r#""to":[{"beacon":"weaviate://localhost/B/1"}]"#, r#""to":[{"beacon":"weaviate://localhost/C/1"}]"#, "to[0]"),
        (r#""to":[{"beacon":"weaviate://localhost/B/1"}]"#, "", "to"),
        (
            r#""to":[{"beacon":"weaviate://localhost/B/1"},{"beacon":"weaviate://localhost/B/1"}]"#,
            r#""to":[{"beacon":"weaviate://localhost/B/1"}]"#,
            "to",
        ),
        (r#""o":{"i":1,"o":{"u":"a"}}"#, r#""o":{"i":1,"o":{"u":"b"}}"#, "o.o.u"),
        (r#""o":{"d":"x"}"#, r#""o":{}"#, "o.d"),
        (r#""o":{}"#, "", "o"),
        (r#""os":[{"n":1},{"n":2}]"#, r#""os":[{"n":1},{"n":3}]"#, "os[1].n"),
        (r#""unknown":1"#, r#""unknown":2"#, "unknown"),
    ] {
        let expected = [format!("properties.{field}")];
        assert_eq!(properties(archived, live), expected, "{archived} and {live}");
        assert_eq!(properties(live, archived), expected, "{live} and {archived}");
    }
}

#[test]
fn vectors_are_compared_by_name_and_as_float32() {
    let same = [
        (r#""vector":[1,2.50,1e-1]"#, r#""vector":[1.0,25e-1, 0.1]"#),
        (r#""vector":[0.100000001490116]"#, r#""vector":[0.1]"#),
        (r#""vector":null"#, r#""vectors":{}"#),
        (r#""vector":[]"#, r#""properties":{}"#),
        (r#""vectors":{"a":[1],"b":[2]}"#, r#""vectors":{"b":[2],"a":[1]}"#),
        (r#""vectors":{"a":[[1,2],[3]]}"#, r#""vectors":{"a":[[1.0,2],[3]]}"#),
    ];
    for (archived, live) in same {
        assert_eq!(fields(archived, live), [""; 0], "{archived} and {live}");
    }
    for (archived, live, field) in [
        (r#""vector":[1,2,3]"#, r#""vector":[1,2.0000002,4]"#, "default[1]"),
        (r#""vector":[0]"#, r#""vector":[-0]"#, "default[0]"),
        (r#""vector":[1,2]"#, r#""vector":[1,2,3]"#, "default"),
        (r#""vector":[1,2]"#, r#""vector":null"#, "default"),
        (r#""vectors":{"a":[1]}"#, r#""vectors":{"b":[1]}"#, "a"),
        (r#""vectors":{"a":[[1,2],[3,4]]}"#, r#""vectors":{"a":[[1,2],[3,5]]}"#, "a[1][1]"),
        (r#""vectors":{"a":[[1,2],[3,4]]}"#, r#""vectors":{"a":[[1,2],[3]]}"#, "a[1]"),
        (r#""vectors":{"a":[[1,2],[3,4]]}"#, r#""vectors":{"a":[[1,2]]}"#, "a"),
        (r#""vectors":{"a":[[1]]}"#, r#""vectors":{"a":[1]}"#, "a"),
    ] {
        assert_eq!(fields(archived, live)[0], format!("vectors.{field}"), "{archived} and {live}");
    }
    let diff = comparer(&[], false).fields(&object(r#""vector":[1,2]"#), &object(r#""vector":[1]"#), Vectors::Compare);
    assert_eq!((diff[0].left.as_deref(), diff[0].right.as_deref()), (Some("2 dimensions"), Some("1 dimension")));
}

#[test]
fn vectors_are_left_out_or_named_as_unprintable_when_told_so() {
    let (archived, live) = (object(r#""vector":[1,2]"#), object(r#""properties":{}"#));
    assert!(comparer(&[], false).fields(&archived, &live, Vectors::Skip).is_empty());
    let diff = comparer(&[], false).fields(&archived, &live, Vectors::Unprintable);
    assert_eq!((diff.len(), diff[0].field.as_str()), (1, "vectors"));
}

#[test]
fn references_are_followed_to_the_new_names_and_equal_bytes_may_differ() {
    let to = |collection: &str| {
        object(&format!(r#""properties":{{"to":[{{"beacon":"weaviate://localhost/{collection}/1"}}]}}"#))
    };
    let renamed = comparer(&[("B", "C"), ("C", "B")], false);
    assert!(renamed.fields(&to("B"), &to("C"), Vectors::Compare).is_empty());
    assert!(renamed.fields(&to("C"), &to("B"), Vectors::Compare).is_empty());
    assert_eq!(renamed.fields(&to("B"), &to("B"), Vectors::Compare).len(), 1, "it points to what was C");
    assert!(renamed.fields(&to("D"), &to("D"), Vectors::Compare).is_empty());
}

#[test]
fn what_stands_in_a_reference_without_a_beacon_is_compared_as_json() {
    assert_eq!(properties(r#""to":{"a":0}"#, r#""to":{"a":0.0}"#), [""; 0]);
    assert_eq!(properties(r#""to":{"a":0}"#, r#""to":{"a":1}"#).len(), 1);
    let beacon = r#""to":[{"beacon":"weaviate://localhost/B/00000000-0000-0000-0000-000000000001"}]"#;
    assert_eq!(properties(beacon, r#""to":[{"a":0}]"#).len(), 1);
}

#[test]
fn clamped_integers_count_as_the_bound_in_integer_properties_only() {
    let clamped = comparer(&[], true);
    let differ = |archived: &str, live: &str| {
        let side = |text: &str| object(&format!(r#""properties":{{{text}}}"#));
        !clamped.fields(&side(archived), &side(live), Vectors::Compare).is_empty()
    };
    assert!(!differ(r#""i":9223372036854775807"#, r#""i":9223372036854774784"#));
    assert!(!differ(r#""is":[-9223372036854775808]"#, r#""is":[-9223372036854774784]"#));
    assert!(!differ(r#""o":{"i":9223372036854775807}"#, r#""o":{"i":9223372036854774784}"#));
    assert!(!differ(r#""i":9223372036854775807"#, r#""i":9223372036854776000"#), "a server that did take it");
    assert!(differ(r#""n":9223372036854775807"#, r#""n":9223372036854774784"#));
    assert!(differ(r#""i":9223372036854774784"#, r#""i":9223372036854775807"#), "the live one is never clamped");
}

#[test]
fn two_long_values_never_look_the_same() {
    let shown = |archived: &str, live: &str| {
        let side = |text: &str| object(&format!(r#""properties":{{{text}}}"#));
        let diff = comparer(&[], false).fields(&side(archived), &side(live), Vectors::Compare);
        (diff[0].left.clone().expect("shown"), diff[0].right.clone().expect("shown"))
    };
    let long = |end: &str| format!(r#""t":"{}{end}""#, "lorem ipsum ".repeat(100));
    let (archived, live) = shown(&long("1"), &long("2"));
    assert!(archived.starts_with('…') && archived.ends_with("ipsum 1\"") && live.ends_with("ipsum 2\""), "{archived}");
    let list = |length: usize| format!(r#""is":{:?}"#, vec![7; length]);
    let (archived, live) = shown(&list(1), &list(500));
    assert_eq!(archived, "[7] (1 element)");
    assert!(live.ends_with("… (500 elements)"), "{live}");
}

#[test]
fn long_values_and_many_fields_are_cut() {
    let long = "é".repeat(500);
    let (archived, live) = (format!(r#""properties":{{"t":"{long}"}}"#), r#""properties":{"t":"x"}"#);
    let diff = comparer(&[], false).fields(&object(&archived), &object(live), Vectors::Compare);
    assert_eq!(diff[0].left.as_deref().map(|text| text.chars().count()), Some(excerpt::VALUE_CHARS + 1));
    let many = |offset: u32| (0..50).map(|n| format!(r#""p{n}":{}"#, n + offset)).collect::<Vec<_>>().join(",");
    assert_eq!(properties(&many(0), &many(1)).len(), FIELDS_NAMED);
    let list = |n: u32| format!(r#""is":{:?}"#, (n..n + 50).collect::<Vec<_>>());
    assert_eq!(properties(&list(0), &list(1)).len(), FIELDS_NAMED);
}

/// A JSON text of a value, spelled with blanks, escapes and zeros that say nothing.
fn spelled(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::Number(number) => match number.to_string() {
            text if text.contains(['e', 'E', '.']) => text,
            text => text + ".0",
        },
        Value::String(text) => {
            let escaped: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            format!("\"{}\"", escaped.concat())
        }
        Value::Array(values) => format!("[ {} ]", values.iter().map(spelled).collect::<Vec<_>>().join(" , ")),
        Value::Object(members) => {
            let one = |(name, value): (&String, &Value)| format!("{} : {}", Value::from(name.as_str()), spelled(value));
            format!("{{ {} }}", members.iter().rev().map(one).collect::<Vec<_>>().join(" , "))
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e300..1e300f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,4}", inner, 0..5).prop_map(|m| json!(m)),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_is_itself_in_every_spelling(names in prop::collection::hash_map("[a-z]{1,2}", values(), 0..6)) {
        let value = json!(names);
        let archived = object(&format!(r#""properties":{value}"#));
        let live = object(&format!(r#""properties":{}"#, spelled(&value)));
        prop_assert_eq!(comparer(&[("B", "X")], false).fields(&archived, &archived, Vectors::Compare), []);
        prop_assert_eq!(comparer(&[], true).fields(&archived, &live, Vectors::Compare), []);
        prop_assert_eq!(comparer(&[], false).fields(&live, &archived, Vectors::Compare), []);
    }

    #[test]
    fn a_vector_differs_exactly_where_a_bit_does(bits in prop::collection::vec(any::<u32>(), 1..20), at in any::<prop::sample::Index>()) {
        let numbers: Vec<f32> = bits.iter().map(|b| f32::from_bits(*b)).map(|f| if f.is_finite() { f } else { 1.5 }).collect();
        let text = |numbers: &[f32]| {
            let list: Vec<String> = numbers.iter().map(|n| format!("{n:e}")).collect();
            format!(r#""vector":[{}]"#, list.join(","))
        };
        let at = at.index(numbers.len());
        let mut other = numbers.clone();
        other[at] = f32::from_bits(numbers[at].to_bits() ^ 1);
        prop_assume!(other[at].is_finite());
        prop_assert_eq!(fields(&text(&numbers), &text(&numbers)), [""; 0]);
        prop_assert_eq!(fields(&text(&numbers), &text(&other)), [format!("vectors.default[{at}]")]);
    }
}

#[test]
fn the_same_text_that_is_no_json_is_not_called_the_same_where_references_have_other_names() {
    let members =
        r#""properties":{"n":1e400,"to":[{"beacon":"weaviate://localhost/B/00000000-0000-0000-0000-000000000002"}]}"#;
    let (archived, live) = (object(members), object(members));
    let renamed = comparer(&[("B", "New")], false).fields(&archived, &live, Vectors::Compare);
    let [only] = renamed.as_slice() else { panic!("{renamed:?}") };
    assert_eq!((only.field.as_str(), only.right.as_deref()), ("properties", Some(NO_JSON)));
    assert!(comparer(&[], false).fields(&archived, &live, Vectors::Compare).is_empty(), "the bytes tell");
}
