//! Vectors: the same text, or the same `float32` at every place. Their order does not matter, their names do. Their texts are
//! walked, and nothing is built of them.

use super::excerpt::VALUE_CHARS;
use super::{Fields, counted};
use crate::model::{RawObject, json};

/// Characters of a vector's name that are shown. Servers take 230.
const NAME_CHARS: usize = 256;

/// Vectors of the names `made` on the right are no difference where the object on the left has none, and those of the names
/// `dropped` never are.
pub(super) fn compare(left: &RawObject, right: &RawObject, [made, dropped]: [&[String]; 2], found: &mut Fields) {
    let is_among = |names: &[String], name: &[u8]| names.iter().any(|other| other.as_bytes() == name);
    for (name, ours) in left.vectors().filter(|(name, _)| !is_among(dropped, name)) {
        let theirs = right.vectors().find(|(other, _)| *other == name).map(|(_, text)| text);
        if theirs != Some(ours) {
            let field = field(name);
            match theirs {
                Some(theirs) => match (list(ours), list(theirs)) {
                    (Some(ours), Some(theirs)) => values(&field, ours, theirs, found),
                    _ => found.push(&field, Some(&extent(ours)), Some(&extent(theirs))),
                },
                None => found.push(&field, Some(&extent(ours)), None),
            }
        }
    }
    for (name, theirs) in right.vectors().filter(|(name, _)| !is_among(dropped, name)) {
        if !is_among(made, name) && !left.vectors().any(|(other, _)| other == name) {
            found.push(&field(name), None, Some(&extent(theirs)));
        }
    }
}

fn field(name: &[u8]) -> String {
    let name: String = String::from_utf8_lossy(name).chars().take(NAME_CHARS).collect();
    format!("vectors.{name}")
}

/// A text that is a list.
fn list(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    Some(text).filter(|text| text.starts_with('[') && json::is_valid(text))
}

fn is_nested(list: &str) -> bool {
    json::elements(list).next().is_some_and(|first| first.starts_with('['))
}

/// How large a vector is, in words.
pub(super) fn extent(text: &[u8]) -> String {
    match list(text) {
        Some(list) => extent_of(list),
        None => String::from_utf8_lossy(text).chars().take(VALUE_CHARS + 1).collect(),
    }
}

fn extent_of(list: &str) -> String {
    counted(json::elements(list).count(), if is_nested(list) { "vector" } else { "dimension" })
}

/// Names the first place where two vectors differ, if they do.
fn values(field: &str, ours: &str, theirs: &str, found: &mut Fields) {
    let length = |list: &str| json::elements(list).count();
    if length(ours) != length(theirs) || is_nested(ours) != is_nested(theirs) {
        return found.push(field, Some(&extent_of(ours)), Some(&extent_of(theirs)));
    }
    for (at, (our, their)) in json::elements(ours).zip(json::elements(theirs)).enumerate() {
        if same(our, their) {
            continue;
        }
        let place = format!("{field}[{at}]");
        if our.starts_with('[') && their.starts_with('[') {
            let before = found.fields.len();
            values(&place, our, their, found);
            if found.fields.len() == before {
                continue;
            }
            return;
        }
        return found.push(&place, Some(our), Some(their));
    }
}

/// Whether two texts are the same `float32`; read from the text, since by way of `float64` it would be rounded twice.
fn same(ours: &str, theirs: &str) -> bool {
    let read = |text: &str| text.parse::<f32>().ok().filter(|number| number.is_finite()).map(f32::to_bits);
    ours == theirs || read(ours).is_some_and(|ours| read(theirs) == Some(ours))
}
