//! Member names against a reading of Go's rules that shares nothing with ours.

use proptest::prelude::*;

use super::*;

/// Every spelling of a name that a server takes for it is one of these, letter by letter.
fn spellings(letter: char) -> Vec<String> {
    let mut all = Vec::new();
    for one in [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()] {
        all.extend([one.to_string(), format!("\\u{:04x}", u32::from(one)), format!("\\u{:04X}", u32::from(one))]);
    }
    match letter.to_ascii_lowercase() {
        's' => all.extend(["ſ".to_owned(), "\\u017f".to_owned()]),
        'k' => all.extend(["\u{212a}".to_owned(), "\\u212A".to_owned()]),
        _ => {}
    }
    all
}

#[test]
fn every_letter_of_every_field_in_every_spelling_is_taken_for_the_field() {
    for field in OBJECT {
        for (at, letter) in field.char_indices() {
            for spelling in spellings(letter) {
                let printed = format!("{}{spelling}{}", &field[..at], &field[at + 1..]);
                assert_eq!(taken_for(printed.as_bytes(), &OBJECT), Some(field), "{printed}");
                let refused = refuse_other_spelling(printed.as_bytes(), &OBJECT).is_err();
                assert_eq!(refused, printed != field, "{printed}");
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_field_is_not_one() {
    for printed in
        ["classs", "clas", "klass", "cläss", "cl\\u00e4ss", "сlass", "class\\u0000", "\u{feff}class", "", "cla\\ud800s"]
    {
        assert_eq!(taken_for(printed.as_bytes(), &OBJECT), None, "{printed}");
    }
    assert_eq!(taken_for(b"\xffclass", &OBJECT), None);
}

#[test]
fn escapes_are_undone_as_go_undoes_them() {
    for (printed, name) in [
        (r#"a\"\\\/\b\f\n\r\tz"#, "a\"\\/\u{8}\u{c}\n\r\tz"),
        (r"\u0041\u00e4\u212a", "Aä\u{212a}"),
        (r"\ud83d\ude00", "😀"),
        (r"\ud83d", "\u{fffd}"),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud83dA", "\u{fffd}A"),
        (r"\ud83d\u0041", "\u{fffd}A"),
        (r"\u00", "\u{fffd}00"),
        (r"\u+123", "\u{fffd}+123"),
        (r"\xä\", "\u{fffd}ä\u{fffd}"),
        (r"\uäää", "\u{fffd}äää"),
    ] {
        assert_eq!(unescaped(printed), name, "{printed}");
    }
}

fn class(text: &str) -> Result<(), Misread> {
    check(text.as_bytes(), &CLASS, 1000)
}

#[test]
fn a_document_with_another_spelling_of_a_field_is_refused_at_every_level_that_has_fields() {
    for (text, member, printed) in [
        (r#"{"class":"A","Class":"B"}"#, "class", "Class"),
        (r#"{"Class":"A"}"#, "class", "Class"),
        (r#"{"clas\u0073":"A"}"#, "class", r"clas\u0073"),
        (r#"{"claſs":"A"}"#, "class", "claſs"),
        (r#"{"properties":[{"name":"a"},{"name":"b","Name":"c"}]}"#, "name", "Name"),
        (r#"{"properties":[{"nestedProperties":[{"nestedProperties":[{"DATATYPE":[]}]}]}]}"#, "dataType", "DATATYPE"),
        (r#"{"vectorConfig":{"v":{"Vectorizer":{}}}}"#, "vectorizer", "Vectorizer"),
        (r#"{"multiTenancyConfig":{"Enabled":true}}"#, "enabled", "Enabled"),
        (r#"{"replicationConfig":{"asyncConfig":{"Frequency":1}}}"#, "frequency", "Frequency"),
        (r#"{"invertedIndexConfig":{"bm25":{"B":1}}}"#, "b", "B"),
        ("{\"invertedIndexConfig\":{\"bm25\":{\"\u{212a}1\":1}}}", "k1", "\u{212a}1"),
    ] {
        assert_eq!(class(text), Err(Misread::Folds { member, printed: printed.to_owned() }), "{text}");
    }
    let role = r#"[{"name":"r","permissions":[{"action":"a","data":{"Collection":"*"}}]}]"#;
    assert!(matches!(check(role.as_bytes(), &ROLES, 100), Err(Misread::Folds { member: "collection", .. })));
    let aliases = r#"{"aliases":[{"alias":"a","class":"B","ALIAS":"c"}]}"#;
    assert!(matches!(check(aliases.as_bytes(), &ALIASES, 100), Err(Misread::Folds { member: "alias", .. })));
    let tenants = r#"[{"name":"a","activityStatus":"HOT"},{"nam\u0065":"b"}]"#;
    assert!(matches!(check(tenants.as_bytes(), &TENANTS, 100), Err(Misread::Folds { member: "name", .. })));
}

#[test]
fn names_that_servers_take_as_they_are_may_differ_by_case_alone_but_not_stand_twice() {
    for text in [
        r#"{"class":"A","moduleConfig":{"m":{"model":1,"Model":2}},"vectorConfig":{"v":{},"V":{}}}"#,
        r#"{"class":"A","vectorIndexConfig":{"Class":1,"class":2},"later":{"x":1,"X":[{"y":1}]}}"#,
        r#"{"class":"A","invertedIndexConfig":{"stopwordPresets":{"en":[],"EN":[]}},"properties":null}"#,
        "null",
        "[]",
    ] {
        assert_eq!(class(text), Ok(()), "{text}");
    }
    for (text, member) in [
        (r#"{"class":"A","class":"A"}"#, "class"),
        (r#"{"later":1,"later":2}"#, "later"),
        (r#"{"moduleConfig":{"m":{"a":1,"\u0061":2}}}"#, r"\u0061"),
        (r#"{"vectorConfig":{"v":{},"v":{}}}"#, "v"),
        (r#"{"later":[{"x":{"a":1,"a":1}}]}"#, "a"),
    ] {
        assert_eq!(class(text), Err(Misread::Twice { member: member.to_owned() }), "{text}");
    }
}

#[test]
fn a_document_is_walked_within_bounds() {
    let many = format!("[{}0]", "0,".repeat(1000));
    assert_eq!(class(&many), Err(Misread::Values { limit: 1000 }));
    let deep = "[".repeat(100_000);
    assert!(matches!(class(&deep), Err(Misread::Json(_))));
    for broken in ["", "{", r#"{"a":}"#, r#"{"a":1} x"#, r#"{"a\x":1}"#] {
        assert!(matches!(class(broken), Err(Misread::Json(_))), "{broken}");
    }
}

/// A name of a few letters, some of them escaped, or other than they look.
fn printed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(OBJECT.to_vec()).prop_map(str::to_owned),
        proptest::sample::select(vec![
            "C", "LASS", "ſ", "\u{212a}", "\\u0063", "\\u017F", "\\\\", "\\ud83d", "ä", "id"
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z_]{0,4}",
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

/// The same by other means: `serde_json` undoes the escapes, and the standard library folds by the full rules of Unicode,
/// of which only the two letters reach into ASCII.
fn by_other_means(printed: &str) -> Option<&'static str> {
    let name: String = serde_json::from_str(&format!("\"{printed}\"")).ok()?;
    let lower = |text: &str| text.replace('ſ', "s").to_lowercase();
    OBJECT.into_iter().find(|known| lower(known) == lower(&name))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn names_are_taken_as_by_other_means(printed in printed()) {
        let name: Result<String, _> = serde_json::from_str(&format!("\"{printed}\""));
        if let Ok(name) = name {
            prop_assert_eq!(unescaped(&printed), name);
            prop_assert_eq!(taken_for(printed.as_bytes(), &OBJECT), by_other_means(&printed));
        }
    }
}
