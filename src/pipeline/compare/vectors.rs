//! Vectors: the same text, or the same `float32` at every place. Their order does not matter, their names do.

use serde_json::value::RawValue;

use super::{Fields, counted};
use crate::model::RawObject;

/// Live vectors of the names `made` are no difference where the archived object has none, and those of the names `dropped`
/// never are.
pub(super) fn compare(archived: &RawObject, live: &RawObject, [made, dropped]: [&[String]; 2], found: &mut Fields) {
    let is_among = |names: &[String], name: &[u8]| names.iter().any(|other| other.as_bytes() == name);
    for (name, ours) in archived.vectors().filter(|(name, _)| !is_among(dropped, name)) {
        let theirs = live.vectors().find(|(other, _)| *other == name).map(|(_, text)| text);
        if theirs != Some(ours) {
            let field = field(name);
            match theirs {
                Some(theirs) => values(&field, ours, theirs, found),
                None => found.push(&field, Some(extent(ours)), None),
            }
        }
    }
    for (name, theirs) in live.vectors().filter(|(name, _)| !is_among(dropped, name)) {
        if !is_among(made, name) && !archived.vectors().any(|(other, _)| other == name) {
            found.push(&field(name), None, Some(extent(theirs)));
        }
    }
}

fn field(name: &[u8]) -> String {
    format!("vectors.{}", String::from_utf8_lossy(name))
}

fn elements(text: &[u8]) -> Option<Vec<&RawValue>> {
    serde_json::from_slice(text).ok()
}

fn is_nested(elements: &[&RawValue]) -> bool {
    elements.first().is_some_and(|first| first.get().starts_with('['))
}

/// How large a vector is, in words.
pub(super) fn extent(text: &[u8]) -> String {
    match elements(text) {
        Some(elements) if is_nested(&elements) => counted(elements.len(), "vector"),
        Some(elements) => counted(elements.len(), "dimension"),
        None => String::from_utf8_lossy(text).into_owned(),
    }
}

/// Names the first place where two vectors differ, if they do.
fn values(field: &str, ours: &[u8], theirs: &[u8], found: &mut Fields) {
    let (Some(our), Some(their)) = (elements(ours), elements(theirs)) else {
        return found.push(field, Some(extent(ours)), Some(extent(theirs)));
    };
    if our.len() != their.len() || is_nested(&our) != is_nested(&their) {
        return found.push(field, Some(extent(ours)), Some(extent(theirs)));
    }
    for (at, (our, their)) in our.iter().zip(&their).enumerate() {
        if same(our.get(), their.get()) {
            continue;
        }
        let place = format!("{field}[{at}]");
        if our.get().starts_with('[') && their.get().starts_with('[') {
            let before = found.fields.len();
            values(&place, our.get().as_bytes(), their.get().as_bytes(), found);
            if found.fields.len() == before {
                continue;
            }
            return;
        }
        return found.push(&place, Some(our.get().to_owned()), Some(their.get().to_owned()));
    }
}

/// Whether two texts are the same `float32`; read from the text, since by way of `float64` it would be rounded twice.
fn same(ours: &str, theirs: &str) -> bool {
    let read = |text: &str| text.parse::<f32>().ok().filter(|number| number.is_finite()).map(f32::to_bits);
    ours == theirs || read(ours).is_some_and(|ours| read(theirs) == Some(ours))
}
