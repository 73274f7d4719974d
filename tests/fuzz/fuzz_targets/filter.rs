//! `model::Filter`: whatever is typed is refused with a place in it, or holds of an object what a parse of its text says, and
//! never takes it down.
#![no_main]

use bytes::Bytes;
use elysiactl::model::{CollectionName, Filter, Schema};
use elysiactl::pipeline::split;
use libfuzzer_sys::fuzz_target;

const SCHEMA: &str = r#"{"class":"A","properties":[{"name":"t","dataType":["text"]},{"name":"n","dataType":["int"]},
    {"name":"d","dataType":["date"]},{"name":"b","dataType":["boolean"]},{"name":"l","dataType":["text[]"]},
    {"name":"o","dataType":["object"],"nestedProperties":[{"name":"t","dataType":["text"]}]}]}"#;
const OBJECT: &str = r#"{"class":"A","creationTimeUnix":1,"id":"00000000-0000-4000-8000-000000000001",
    "lastUpdateTimeUnix":2,"properties":{"t":"a\"\u00e4b","n":-7,"d":"2024-05-01T00:00:00Z","l":["a","b"],"o":{"t":"x"}}}"#;

fuzz_target!(|text: &str| {
    let filter = match text.parse::<Filter>() {
        Ok(filter) => filter,
        Err(error) => {
            assert!(text.is_char_boundary(error.at) && error.column() <= text.chars().count() + 1, "{error}");
            return;
        }
    };
    let schema = Schema::parse(SCHEMA.into()).expect("a schema");
    let Ok(bound) = filter.bind(&schema) else { return };
    let collection: CollectionName = "A".parse().expect("a name");
    let line = Bytes::from(OBJECT.replace('\n', ""));
    let object = split::line(&line, &collection).expect("an object");
    let is_true = bound.is_true_of(&object);
    // What is true of it is not true when negated. Longer or deeper by that, it may be refused.
    let Ok(negated) = format!("not ({text})").parse::<Filter>() else { return };
    let negated = negated.bind(&schema).expect("it names the same");
    assert!(!(is_true && negated.is_true_of(&object)), "{text}");
});
