//! docs/inventory.md against what `--json` prints.

use std::collections::BTreeSet;

use sandbox::Sandbox;
use serde_json::Value;

use crate::support::binary::{Stage, said};

/// The fields in the table below a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/inventory.md");
    let text = std::fs::read_to_string(path).expect("a page").replace("\r\n", "\n");
    let (_, section) = text.split_once(&format!("## `{heading}`\n")).expect("a section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let fields = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    fields.map(str::to_owned).collect()
}

fn members(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn every_field_is_documented_and_every_documented_field_is_printed() {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 3, 4, 7));
    let document = |arguments: &[&str]| -> Value {
        let output = stage.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).expect("one document")
    };
    let listing = document(&["col", "ls", "--json"]);
    assert_eq!(members(&listing), documented("listing"));
    assert_eq!(members(&listing["collections"][0]), documented("collection"));
    assert_eq!(members(&document(&["col", "show", "Article", "--json"])), documented("shown"));
}
