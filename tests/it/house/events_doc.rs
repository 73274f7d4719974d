//! docs/events.md against the events themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::samples;

type Fields = BTreeMap<String, BTreeSet<String>>;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file").replace("\r\n", "\n")
}

/// Headings of one level that are a name in backticks, with the first column of the table below each.
fn documented(text: &str, heading: &str) -> Fields {
    let mut fields = Fields::new();
    let mut current = None;
    for line in text.lines() {
        if line.starts_with('#') {
            let name = line.strip_prefix(heading).and_then(|rest| rest.strip_prefix('`')?.strip_suffix('`'));
            current = name.map(str::to_owned);
            fields.extend(current.clone().map(|name| (name, BTreeSet::new())));
        } else if let (Some(name), Some(row)) = (&current, line.strip_prefix("| `")) {
            let field = row.split('`').next().expect("a field").to_owned();
            fields.entry(name.clone()).or_default().insert(field);
        }
    }
    fields
}

fn printed(values: impl Iterator<Item = Value>, tag: &str, common: &[&str]) -> Fields {
    let members = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    let without = |fields: BTreeSet<String>| fields.into_iter().filter(|f| f != tag && !common.contains(&f.as_str()));
    values.map(|value| (value[tag].as_str().expect("a name").to_owned(), without(members(&value)).collect())).collect()
}

/// The variants of an enum, as printed, read from the source: so that a new one cannot be forgotten in the samples.
fn variants(of: &str) -> BTreeSet<String> {
    let source = read("src/event.rs");
    let body =
        source.split(&format!("pub enum {of} {{")).nth(1).expect("the enum").split("\n}").next().expect("its end");
    let lines =
        body.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with(char::is_uppercase));
    lines.map(|line| snake(line.split(|c: char| !c.is_alphanumeric()).next().expect("a name"))).collect()
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(character.to_lowercase());
    }
    text
}

#[test]
fn every_event_and_every_field_is_documented() {
    let events = samples::events().into_iter().map(|event| serde_json::to_value(event).expect("JSON"));
    let mut events = printed(events.filter(|event| event["event"] != "warning"), "event", &[]);
    events.insert("warning".into(), ["warning".to_owned()].into());
    assert_eq!(
        events.keys().cloned().collect::<BTreeSet<_>>(),
        variants("Event"),
        "tests/it/support/samples.rs has one of each"
    );
    assert_eq!(documented(&read("docs/events.md"), "### "), events);
}

#[test]
fn every_warning_and_every_field_is_documented() {
    let warnings = samples::warnings().into_iter().map(|warning| serde_json::to_value(warning).expect("JSON"));
    let warnings = printed(warnings, "warning", &[]);
    assert_eq!(
        warnings.keys().cloned().collect::<BTreeSet<_>>(),
        variants("Warning"),
        "tests/it/support/samples.rs has one of each"
    );
    assert_eq!(documented(&read("docs/events.md"), "#### "), warnings);
}

/// The facts of one source, each with the names of what it holds.
fn facts(source: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for body in source.split("#[serde(tag = \"code\"").skip(1) {
        let body = body.split_once(" {\n").and_then(|(_, rest)| rest.split_once("\n}")).expect("an enum").0;
        let lines = body.lines().map(str::trim).filter(|line| !line.starts_with("///"));
        let mut rest = &*lines.collect::<Vec<_>>().join(" ");
        while let Some(begin) = rest.find(|c: char| c.is_ascii_uppercase()) {
            rest = &rest[begin..];
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            let inner = behind.trim_start().strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let fields = inner.map_or("", |(inner, _)| inner).split(' ').filter_map(|word| word.strip_suffix(':'));
            found.push((snake(name), fields.map(str::to_owned).collect()));
            rest = inner.map_or(behind, |(_, behind)| behind);
        }
    }
    found
}

#[test]
fn every_fact_is_documented_with_what_it_holds() {
    let sources = super::layering::sources("src/event/remark");
    let all: Vec<_> = sources.iter().flat_map(|(_, text)| facts(text)).collect();
    let told: Fields = all.iter().map(|(code, fields)| (code.clone(), fields.iter().cloned().collect())).collect();
    assert_eq!(told.len(), all.len(), "one code for several facts");
    let page = read("docs/events.md");
    let table = page.split_once("\n## Facts\n").expect("the chapter").1;
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.split(" | ").collect();
        let code = cells[0].trim_end_matches('`').to_owned();
        Some((code, cells[1].split(", ").filter(|f| *f != "–").map(|f| f.replace('`', "")).collect()))
    };
    assert_eq!(table.lines().filter_map(row).collect::<Fields>(), told);
}
