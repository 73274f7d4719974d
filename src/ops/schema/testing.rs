//! Versions, schemas and measured pairs of schemas for the tests of restore.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::model::{CollectionName, Schema};
use crate::weaviate::Version;

/// A version by its text, `major.minor.patch`.
pub(in crate::ops) fn version(text: &str) -> Version {
    let numbers: Vec<u64> = text.split(['.', '-']).take(3).map(|part| part.parse().expect("a number")).collect();
    Version { major: numbers[0], minor: numbers[1], patch: numbers[2], text: text.to_owned() }
}

/// A collection's name.
pub(in crate::ops) fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

/// A schema as an archive holds it.
pub(in crate::ops) fn schema(document: &Value) -> Schema {
    Schema::parse(document.to_string().into()).expect("a schema")
}

/// What real servers made of real class documents, sent as `fit` made them in November 2026: the document as one server
/// printed it, and as the other did afterwards.
pub(in crate::ops) struct Measured {
    /// The file.
    pub file: &'static str,
    /// The version of the server it was sent to.
    pub version: Version,
    /// Stored and made.
    pub pairs: Vec<(Value, Value)>,
}

/// Every measured file.
pub(in crate::ops) fn measured() -> Vec<Measured> {
    let files = [
        ("1.24-to-1.32", "1.32.27"),
        ("1.24-to-1.40", "1.40.0-dev"),
        ("1.32-to-1.24", "1.24.26"),
        ("1.32-to-1.40", "1.40.0-dev"),
        ("1.40-to-1.24", "1.24.26"),
        ("1.40-to-1.32", "1.32.27"),
        ("1.40-to-1.40-quantised", "1.40.0-dev"),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schemas");
    let pair = |line: &str| {
        let mut pair: Value = serde_json::from_str(line).expect("a pair");
        (pair["stored"].take(), pair["made"].take())
    };
    let read = |(file, text): (&'static str, &str)| {
        let lines = fs::read_to_string(folder.join(format!("{file}.jsonl"))).expect("a file of pairs");
        Measured { file, version: version(text), pairs: lines.lines().map(pair).collect() }
    };
    files.map(read).into()
}
