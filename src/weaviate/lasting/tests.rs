//! Refusals in the words of servers, and what lasts of them.

use bytes::Bytes;

use super::*;

fn of(status: u16, body: &str) -> Option<LastingCause> {
    LastingCause::of_answer(status, body.as_bytes(), &said::message(body.as_bytes()), None)
}

fn said_in(status: u16, words: &str) -> Option<LastingCause> {
    of(status, &serde_json::json!({"error": [{"message": words}]}).to_string())
}

#[test]
fn a_code_counts_more_than_the_words_whatever_the_operator_wrote() {
    let limit = r#"{"errorCode":"USAGE_LIMIT_EXCEEDED","limit":"collections","message":"please upgrade","value":3}"#;
    let cause = of(429, limit).expect("a cause");
    assert_eq!(cause, LastingCause::UsageLimit { of: LimitOf::Collections, value: Some(3) });
    assert_eq!(cause.setting(), Some("MAXIMUM_ALLOWED_COLLECTIONS_COUNT"));
    let other = of(429, r#"{"errorCode":"USAGE_LIMIT_EXCEEDED","limit":"aliases"}"#).expect("a cause");
    assert_eq!(other, LastingCause::UsageLimit { of: LimitOf::Other("aliases".into()), value: None });
    assert_eq!((other.setting(), other.is_set_at_runtime()), (None, false));
    let restriction = r#"{"allowed":["hnsw","flat"],"errorCode":"CONFIG_NOT_ALLOWED","message":"no",
        "restriction":"vector_index_type","value":"dynamic"}"#;
    let cause = of(422, restriction).expect("a cause");
    assert_eq!(cause.to_string(), "the server does not allow dynamic as vector index type (allowed: hnsw, flat)");
    assert_eq!((cause.setting(), cause.is_set_at_runtime()), (Some("ALLOWED_VECTOR_INDEX_TYPES"), true));
    assert_eq!(of(429, r#"{"errorCode":"SLOW_DOWN","message":"m"}"#), None);
    assert_eq!(of(429, r#"{"message":"too many requests"}"#), None);
}

#[test]
fn modes_are_known_by_their_words_with_503_alone() {
    let read_only = "read-only mode is enabled temporally at the config level: write operations are not allowed";
    assert_eq!(said_in(503, read_only), Some(LastingCause::Mode(OperationalMode::ReadOnly)));
    assert_eq!(said_in(503, "scale-out mode is enabled x"), Some(LastingCause::Mode(OperationalMode::ScaleOut)));
    assert_eq!(said_in(503, "write-only mode is enabled"), Some(LastingCause::Mode(OperationalMode::WriteOnly)));
    assert_eq!((said_in(500, read_only), said_in(503, "store is read-only"), said_in(503, "")), (None, None, None));
    assert_eq!(OperationalMode::parse("ScaleOut"), Some(OperationalMode::ScaleOut));
    assert_eq!(OperationalMode::parse("Elsewhere"), None);
}

#[test]
fn the_words_of_the_server_name_what_is_switched_off_reserved_or_out_of_bounds() {
    for (status, words, cause, setting) in [
        (
            422,
            "the Japanese tokenizer is not enabled; set 'ENABLE_TOKENIZER_KAGOME_JA' to 'true' to enable",
            LastingCause::SwitchedOff { setting: "ENABLE_TOKENIZER_KAGOME_JA" },
            Some("ENABLE_TOKENIZER_KAGOME_JA"),
        ),
        (
            422,
            "invalid replication factor: setup caps replication at 1: got 3",
            LastingCause::ReplicationFactor { most: Some(1), least: None },
            Some("REPLICATION_MAXIMUM_FACTOR"),
        ),
        (
            422,
            "invalid replication factor: setup requires a minimum replication factor of 2: got 1",
            LastingCause::ReplicationFactor { most: None, least: Some(2) },
            Some("REPLICATION_MINIMUM_FACTOR"),
        ),
        (
            422,
            "'a_temp' is not a valid property name: suffix '_temp' is reserved for internal indices",
            LastingCause::ReservedName,
            None,
        ),
        (500, "put object: namespace is suspended", LastingCause::Suspended, None),
        (401, "unauthorized: instance suspended", LastingCause::Suspended, None),
        (403, "user 'root' must be namespaced on a namespaces-enabled cluster", LastingCause::NeedsNamespace, None),
        (422, "desiredCount is limited to 1 (got 3)", LastingCause::OneShard, None),
    ] {
        assert_eq!(said_in(status, words), Some(cause.clone()), "{words}");
        assert_eq!(cause.setting(), setting, "{words}");
    }
    assert_eq!(said_in(503, "namespace is resuming"), None);
    assert_eq!(said_in(401, "unauthorized: instance resuming, retry shortly"), None);
}

#[test]
fn words_that_the_request_itself_holds_prove_nothing() {
    let words = "invalid text property: got 'our namespace is suspended today'";
    let body = serde_json::json!({"error": [{"message": words}]}).to_string();
    let cause = |sent: &'static [u8]| {
        let sent = Bytes::from_static(sent).into();
        LastingCause::of_answer(422, body.as_bytes(), words, Some(&sent))
    };
    assert_eq!(cause(br#"{"objects":[{"t":"our namespace is suspended today"}]}"#), None);
    assert_eq!(cause(br#"{"objects":[{"t":"our n\u0061mespace \u0069s suspended today"}]}"#), None);
    assert_eq!(cause(b"{}"), Some(LastingCause::Suspended));
    // A longer refusal of one object that repeats what the object holds.
    let echo = "invalid value 'objects count limit of 3 reached for this instance.' of 't' in class A";
    for sent in [
        r#"{"t":"objects count limit of 3 reached for this instance."}"#,
        r#"{"t":"objects c\u006funt limit of 3 reached for this inst\u0061nce."}"#,
    ] {
        assert_eq!(LastingCause::of_result(&echo.replace("'objects", "objects"), sent.as_bytes()), None, "{sent}");
    }
    let quoted = br#"{"t":"namespace is suspended"}"#;
    assert_eq!(LastingCause::of_result("no date: namespace is suspended", quoted), None);
}

#[test]
fn escapes_are_resolved_whatever_stands_behind_them() {
    for (json, plain) in [
        (&br#"a\u0041\n\"\\u"#[..], &b"aA\n\"\\u"[..]),
        (br"\u00e9\ud83d\ude00", b"???"),
        (br"\u00", b"?"),
        (br"\", b""),
    ] {
        assert_eq!(unescaped(json), plain, "{}", String::from_utf8_lossy(json));
    }
}

#[test]
fn a_limit_is_read_from_the_words_about_one_object() {
    let objects = LastingCause::UsageLimit { of: LimitOf::Objects, value: Some(100) };
    for words in [
        "objects count limit of 100 reached for this instance.",
        "shard abc: objects count limit of 100 reached for this instance.",
    ] {
        assert_eq!(LastingCause::of_result(words, b"{}"), Some(objects.clone()), "{words}");
    }
    assert_eq!(LastingCause::of_result("namespace is suspended", b"{}"), Some(LastingCause::Suspended));
    for words in ["invalid property", "word count limit of 3 reached for this instance.", " count limit of x reached"] {
        assert_eq!(LastingCause::of_result(words, b"{}"), None, "{words}");
    }
}
