//! The walk over a text finds exactly what a parser would build of it.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Texts that are JSON, nearly JSON, or nothing of the kind.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\\[\\]{},: \t]{1,3}",
        "-?[0-9]{1,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,4})?",
        "\"[a-z\\\\\"/bfnrtu0-9\u{1}é]{0,6}\"",
        "\"\\\\u[dD][89a-fA-F][0-9]{2}(\\\\u[dD][cCdDeEfF0][0-9a-f]{2})?\"",
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("[1,{\"a\":[]}]".to_owned()),
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

/// A list around a text, so that more of them are JSON.
fn listed() -> impl Strategy<Value = String> {
    prop::collection::vec(texts(), 0..4).prop_map(|texts| format!("[{}]", texts.join(",")))
}

/// The value that the walk finds in a text.
fn walked(text: &str) -> Value {
    match text.as_bytes()[0] {
        b'[' => elements(text).map(walked).collect(),
        b'{' => members(text).map(|(name, value)| (characters(name).collect::<String>(), walked(value))).collect(),
        b'"' => string(text).map(|printed| characters(printed).collect::<String>()).into(),
        _ => serde_json::from_str(text).expect("a number or a word"),
    }
}

proptest! {
    #[test]
    fn a_text_is_json_exactly_if_a_parser_takes_it(text in prop_oneof![texts(), listed()]) {
        let parsed = serde_json::from_str::<Value>(&text);
        prop_assert_eq!(is_valid(&text), parsed.is_ok(), "{:?}", parsed);
        if let Ok(value) = parsed {
            prop_assert_eq!(walked(text.trim()), value);
        }
    }

    #[test]
    fn no_text_stops_the_walk(text in prop_oneof![texts(), listed(), ".{0,20}"]) {
        let _ = (elements(&text).count(), members(&text).count(), canonical(&text).count(), has_names_in_order(&text));
        prop_assert!(characters(&text).count() <= text.len());
    }

    #[test]
    fn a_number_is_printed_as_a_parser_prints_it(text in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
        let parsed = serde_json::from_str::<Value>(&text);
        prop_assert_eq!(is_valid(&text), parsed.is_ok());
        if let Ok(value) = parsed {
            prop_assert_eq!(canonical(&text).collect::<String>(), value.to_string());
        }
    }
}

#[test]
fn what_a_parser_refuses_is_refused() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let long = |digits: usize| "9".repeat(digits);
    for text in [
        deep(127),
        deep(128),
        long(308),
        long(309),
        long(400),
        format!("0.{}1e400", "0".repeat(395)),
        format!("[1e309,{}]", long(3)),
        r#""\ud834\udd1e""#.into(),
        r#""\ud834""#.into(),
        r#""\ud834\n""#.into(),
        r#""\udd1e""#.into(),
        r#""\u00zz""#.into(),
        r#""\u+123""#.into(),
        r#""\u12é""#.into(),
        "\"\u{1f}\"".into(),
        "\"\u{7f}\"".into(),
        "[1,]".into(),
        r#"{"a":1,}"#.into(),
        r#"{"a" 1}"#.into(),
        "{1:1}".into(),
        "[1 2]".into(),
        "01".into(),
        "-01".into(),
        "-0".into(),
        "-".into(),
        "1.".into(),
        "1e".into(),
        "0e99999999999999999999".into(),
        "1e99999999999999999999".into(),
        "1e-99999999999999999999".into(),
        "+1".into(),
        "tru".into(),
        "truefalse".into(),
        String::new(),
        " \r\n\t1 ".into(),
        "1\u{c}".into(),
        "[[1]".into(),
        "[1}".into(),
    ] {
        let shown: String = text.chars().take(60).collect();
        assert_eq!(is_valid(&text), serde_json::from_str::<Value>(&text).is_ok(), "{shown:?}");
    }
}

#[test]
fn every_character_is_printed_as_a_parser_prints_it() {
    let text: String = (0..0x250).filter_map(char::from_u32).chain(['\u{2028}', '\u{ffff}', '𝄞']).collect();
    let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    let escaped = format!("\"{}\"", units.concat());
    assert_eq!(canonical(&escaped).collect::<String>(), Value::from(text).to_string());
}

#[test]
fn names_are_in_order_if_none_can_stand_twice() {
    for (object, expected) in [
        ("{}", true),
        (r#"{"a":1}"#, true),
        (r#"{"A":{"b":1,"a":1},"a":1}"#, true),
        (r#"{"a":1,"a":1}"#, false),
        (r#"{"b":1,"a":1}"#, false),
        (r#"{"\u0061":1}"#, false),
    ] {
        assert_eq!(has_names_in_order(object), expected, "{object}");
    }
    assert_eq!(PrintedName("\\u0061b"), PrintedName("ab"));
    assert_ne!(PrintedName("ab"), PrintedName("abc"));
}
