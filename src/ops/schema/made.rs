//! Did the server make what was asked, and did it stay so? Compares class documents key by key. Pure.

use serde_json::Value;

use super::applied::Applied;
use super::fit::Target;
use super::place::{self, Path, is_nothing, is_off, shape, short};
use super::rules::{NOTES, Then, hits};
use crate::event::Loss;
use crate::model::{KeyChange, Schema};

/// Changes named at most by [`grown`].
const CHANGES_NAMED: usize = 5;
/// The quantisers of a vector index: what a server's default may switch on.
const QUANTISERS: [&str; 4] = ["pq", "bq", "sq", "rq"];
/// Keys of a class document below which an addition makes another collection of it.
const RESHAPING: [&str; 8] = [
    "vectorizer",
    "vectorIndexType",
    "vectorIndexConfig",
    "vectorConfig",
    "moduleConfig",
    "multiTenancyConfig",
    "objectTtlConfig",
    "properties",
];
/// The layout of the text index, by which a search ranks. A server of 1.30 and later chooses it for what is new, whatever is
/// sent, and leaves what is older as it was.
const TEXT_INDEX: [&str; 2] = ["invertedIndexConfig", "usingBlockMaxWAND"];

/// What a server made of a class document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) enum Made {
    /// What was asked, but for what the rules allow.
    Same {
        /// Keys the server added, each once; `*` stands for the name of a property or vector.
        additions: Vec<String>,
        /// What is not as asked, and may be; with what the fit foretold.
        applied: Vec<Applied>,
    },
    /// Something else.
    Other {
        /// What is different; at least one.
        differences: Vec<KeyChange>,
    },
}

/// Compares what a server shows with what it was sent in the end (see [`super::fit::Fit::asked`]). Order does not matter,
/// numbers are compared by value, properties by name.
pub(in crate::ops) fn made(asked: &str, archived: &Schema, got: &Schema, target: &Target<'_>) -> Made {
    compared(asked, archived, got, target, false)
}

/// The same for a collection that takes the place of one it was on the same server: nothing may be added that changes what
/// is stored or what a search finds, no compression switched on, and no setting decided anew by the server.
pub(in crate::ops) fn remade(asked: &str, archived: &Schema, got: &Schema, target: &Target<'_>) -> Made {
    compared(asked, archived, got, target, true)
}

fn compared(asked: &str, archived: &Schema, got: &Schema, target: &Target<'_>, strict: bool) -> Made {
    let asked: Value = serde_json::from_str(asked).unwrap_or(Value::Null);
    let (archived, got) = (parse(archived), parse(got));
    let rules = hits(&asked, target.version);
    let mut applied = Vec::new();
    let mut differences = Vec::new();
    let mut additions: Vec<String> = Vec::new();
    for change in changes(&asked, &got) {
        let by_rule = rules.iter().find(|hit| {
            let gone = hit.rule.then == Then::Dropped && change.now.is_none();
            change.path.starts_with(&hit.path) && (gone || hit.rule.then == Then::Decided)
        });
        let lost = by_rule.map(|hit| hit.rule.lost);
        let by_default = quantised(&change, &asked, &got);
        // On its own server nothing explains that a setting becomes another one, but a note of the server's own.
        if strict && (by_default || change.reshapes() || lost.flatten().is_some()) {
            differences.push(change.told());
            continue;
        }
        let lost = lost.or_else(|| by_default.then_some(Some(Loss::DefaultCompression)));
        match (lost, change.was) {
            (Some(lost), was) => {
                applied.push(Applied::new(&change.path, was.unwrap_or(&Value::Null), change.now, lost));
            }
            // Left out on purpose, and named by the fit.
            (None, None) if place::at(&archived, &change.path).is_some() => {}
            (None, None) => {
                let addition = change.addition();
                if !additions.contains(&addition) {
                    additions.push(addition);
                }
            }
            (None, Some(_)) => differences.push(change.told()),
        }
    }
    if differences.is_empty() { Made::Same { additions, applied } } else { Made::Other { differences } }
}

/// What was added to a schema, or changed in it, between two looks at it, if anything: the first changes, and how many
/// there are beyond. Auto-schema adds properties to what others write to.
pub(in crate::ops) fn grown(before: &Schema, after: &Schema) -> Option<(Vec<KeyChange>, usize)> {
    if before.text == after.text {
        return None;
    }
    let (before, after) = (parse(before), parse(after));
    let mut changes = changes(&before, &after);
    changes.retain(|change| change.path.last().is_none_or(|key| !NOTES.contains(&key.as_str())));
    let named: Vec<KeyChange> = changes.iter().take(CHANGES_NAMED).map(Change::told).collect();
    (!named.is_empty()).then(|| (named, changes.len().saturating_sub(CHANGES_NAMED)))
}

fn parse(schema: &Schema) -> Value {
    serde_json::from_slice(&schema.text).unwrap_or(Value::Null)
}

/// One place where two documents differ.
pub(super) struct Change<'a> {
    pub(super) path: Path,
    /// `None`: the key is new.
    pub(super) was: Option<&'a Value>,
    /// `None`: the key is gone.
    pub(super) now: Option<&'a Value>,
}

impl Change<'_> {
    /// The key that was added, with its value if that is more than nothing.
    fn addition(&self) -> String {
        let value = self.now.filter(|now| !is_off(now) && !now.is_object());
        value.map_or_else(|| shape(&self.path), |value| format!("{} {}", shape(&self.path), short(value)))
    }

    /// Whether it is an addition that changes what is stored or what a search finds.
    fn reshapes(&self) -> bool {
        let first = self.path.first().map(String::as_str).unwrap_or_default();
        let reshaping = RESHAPING.contains(&first) || self.path == TEXT_INDEX;
        self.was.is_none() && self.now.is_some_and(|now| !is_off(now)) && reshaping
    }

    fn told(&self) -> KeyChange {
        let key = self.path.join(".");
        match (self.was.map(short), self.now.map(short)) {
            (Some(was), Some(now)) => KeyChange::Other { key, was, now },
            (Some(was), None) => KeyChange::Missing { key, was },
            (None, _) => KeyChange::Added { key },
        }
    }
}

/// Where two documents differ, as far down as both have objects or lists of properties.
pub(super) fn changes<'a>(was: &'a Value, now: &'a Value) -> Vec<Change<'a>> {
    let mut found = Vec::new();
    compare(was, now, &mut Vec::new(), &mut found);
    found
}

/// Goes down both documents as far as both have objects or lists of properties.
fn compare<'a>(was: &'a Value, now: &'a Value, path: &mut Path, found: &mut Vec<Change<'a>>) {
    let (Some(old), Some(new)) = (members(was), members(now)) else {
        if !equal(was, now) {
            found.push(Change { path: path.clone(), was: Some(was), now: Some(now).filter(|now| !now.is_null()) });
        }
        return;
    };
    let twin = |list: &[(&'a str, &'a Value)], key: &str| list.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    for (key, value) in &old {
        path.push((*key).to_owned());
        match twin(&new, key) {
            Some(other) => compare(value, other, path, found),
            None if value.is_null() || is_empty(value) => {}
            None => found.push(Change { path: path.clone(), was: Some(value), now: None }),
        }
        path.pop();
    }
    for (key, value) in &new {
        if twin(&old, key).is_none() && !value.is_null() && !is_empty(value) {
            path.push((*key).to_owned());
            found.push(Change { path: path.clone(), was: None, now: Some(value) });
            path.pop();
        }
    }
}

/// An object's members, or a list's elements by name if all have one. Nothing has none.
fn members(value: &Value) -> Option<Vec<(&str, &Value)>> {
    match value {
        Value::Object(members) => Some(members.iter().map(|(key, value)| (key.as_str(), value)).collect()),
        Value::Null => Some(Vec::new()),
        Value::Array(list) => list.iter().map(|element| Some((element.get("name")?.as_str()?, element))).collect(),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    (value.is_array() || value.is_object()) && is_nothing(value)
}

fn equal(a: &Value, b: &Value) -> bool {
    let none = |value: &Value| value.is_null() || is_empty(value);
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        _ => a == b || (none(a) && none(b)),
    }
}

/// Whether a quantiser differs because the server switched it on by default, which it then says beside it.
fn quantised(change: &Change<'_>, asked: &Value, got: &Value) -> bool {
    let Some(key) = change.path.iter().position(|key| QUANTISERS.contains(&key.as_str())) else { return false };
    let index = &change.path[..key];
    let noted = |document: &Value| {
        place::at(document, index).is_some_and(|settings| settings["trackDefaultQuantization"] == true)
    };
    let quantiser = &change.path[..=key];
    let was_off = place::at(asked, quantiser).is_none_or(is_off);
    was_off && place::at(got, quantiser).is_some_and(|now| !is_off(now)) && noted(got) && !noted(asked)
}

#[cfg(test)]
mod tests;
