//! Splits a page into its objects without re-encoding a byte, and finds in each what elysiactl needs: id, class,
//! update time, properties, vectors. It reads structure only (nesting, strings, byte classes of numbers), which is an
//! order of magnitude faster than a parse; `scan` has one page in a hundred parsed in full beside it, `archive check`
//! every line. What it accepts must never be cut wrongly: every page must close, ids must ascend.

mod results;
mod text;

use bytes::Bytes;

use crate::model::{CollectionName, ObjectId, ObjectText, RawObject, VectorText};
pub use results::{Written, outcomes, results};
use text::{Structure, Text};

/// Why a page or a line was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// The text is not whole, or not JSON.
    #[error("not whole JSON at byte {at}")]
    Structure {
        /// Offset from the start of the page or line.
        at: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("not UTF-8 at byte {at}")]
    Encoding {
        /// Offset from the start of the page or line.
        at: usize,
    },
    /// A member every answer has is absent, doubled, or of another kind.
    #[error("member {member:?} is missing, doubled or of the wrong kind at byte {at}")]
    Member {
        /// The member.
        member: &'static str,
        /// Offset from the start of the page or line.
        at: usize,
    },
    /// An object of another collection.
    #[error("an object of collection {found:?} in an answer about {asked}")]
    OtherCollection {
        /// The collection asked for.
        asked: CollectionName,
        /// The class printed, cut at 100 characters.
        found: String,
    },
    /// Ids that do not ascend, or lie at or before the cursor.
    #[error("ids do not ascend: {id} comes after {previous}")]
    Order {
        /// The id before, or the cursor.
        previous: ObjectId,
        /// The id that should have been larger.
        id: ObjectId,
    },
    /// More objects than were asked for.
    #[error("{found} objects on a page of at most {limit}")]
    TooMany {
        /// Objects on the page.
        found: usize,
        /// Objects asked for.
        limit: u32,
    },
}

/// What a page must be to be accepted (reliability.md R17).
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The collection asked for.
    pub collection: &'a CollectionName,
    /// The cursor: every id is larger.
    pub after: Option<ObjectId>,
    /// Objects asked for at most.
    pub limit: u32,
}

/// Splits a page of `GET /v1/objects`. The objects are slices of `body`, in its order.
pub fn page(body: &Bytes, expected: Expected<'_>) -> Result<Vec<RawObject>, SplitError> {
    let mut objects = Vec::with_capacity(expected.limit.min(10_000) as usize);
    let mut previous = expected.after;
    let mut seen = false;
    let mut text = Text::new(body)?;
    let mut members = text.object()?;
    while let Some(key) = text.member(&mut members)? {
        if body[key] != *b"objects" {
            text.skip()?;
            continue;
        }
        if std::mem::replace(&mut seen, true) {
            return Err(SplitError::Member { member: "objects", at: text.at() });
        }
        if text.skip_null()? {
            continue;
        }
        let mut elements = text.array("objects")?;
        while text.element(&mut elements)? {
            let object = one(&mut text, body, expected.collection)?;
            if let Some(previous) = previous.filter(|p| object.id <= *p) {
                return Err(SplitError::Order { previous, id: object.id });
            }
            previous = Some(object.id);
            objects.push(object);
        }
    }
    text.end()?;
    if !seen {
        return Err(SplitError::Member { member: "objects", at: body.len() });
    }
    if objects.len() > expected.limit as usize {
        return Err(SplitError::TooMany { found: objects.len(), limit: expected.limit });
    }
    Ok(objects)
}

/// Splits one line of a part (without its line end).
pub fn line(line: &Bytes, collection: &CollectionName) -> Result<RawObject, SplitError> {
    let mut text = Text::new(line)?;
    let object = one(&mut text, line, collection)?;
    text.end()?;
    if object.text.len() == line.len() { Ok(object) } else { Err(SplitError::Structure { at: 0 }) }
}

/// Members of an object that may stand once only.
#[derive(Default)]
struct Found {
    id: Option<ObjectId>,
    class: Option<std::ops::Range<usize>>,
    updated_ms: Option<i64>,
    properties: Option<std::ops::Range<usize>>,
    vector: bool,
    vectors: bool,
}

fn one(text: &mut Text<'_>, body: &Bytes, collection: &CollectionName) -> Result<RawObject, SplitError> {
    let start = text.start()?;
    let mut places = ObjectText::default();
    let mut found = Found::default();
    let mut members = text.object()?;
    while let Some(key) = text.member(&mut members)? {
        let at = text.at();
        let doubled = |member| SplitError::Member { member, at };
        match &body[key] {
            b"id" => {
                let id = text.string("id")?;
                let id = std::str::from_utf8(&body[id]).ok().and_then(|id| id.parse().ok());
                let id: ObjectId = id.ok_or(doubled("id"))?;
                if found.id.replace(id).is_some() {
                    return Err(doubled("id"));
                }
            }
            b"class" => {
                let class = text.string("class")?;
                if body[class.clone()] != *collection.as_str().as_bytes() {
                    let found = String::from_utf8_lossy(&body[class]).chars().take(100).collect();
                    return Err(SplitError::OtherCollection { asked: collection.clone(), found });
                }
                if found.class.replace(class).is_some() {
                    return Err(doubled("class"));
                }
            }
            b"lastUpdateTimeUnix" => {
                let value = text.skip()?;
                let number = std::str::from_utf8(&body[value]).ok().and_then(|n| n.parse().ok());
                let number: i64 = number.ok_or(doubled("lastUpdateTimeUnix"))?;
                if found.updated_ms.replace(number).is_some() {
                    return Err(doubled("lastUpdateTimeUnix"));
                }
            }
            b"properties" => {
                let value = text.skip()?;
                if found.properties.replace(value).is_some() {
                    return Err(doubled("properties"));
                }
            }
            b"vector" => {
                let value = text.skip()?;
                if std::mem::replace(&mut found.vector, true) {
                    return Err(doubled("vector"));
                }
                if !is_absent(&body[value.clone()]) {
                    places.vectors.push(VectorText { name: None, value });
                }
            }
            b"vectors" => {
                if std::mem::replace(&mut found.vectors, true) {
                    return Err(doubled("vectors"));
                }
                named_vectors(text, body, &mut places)?;
            }
            _ => {
                text.skip()?;
            }
        }
    }
    let end = text.at();
    let missing = |member| SplitError::Member { member, at: start };
    let class = found.class.ok_or(missing("class"))?;
    let id = found.id.ok_or(missing("id"))?;
    if let Some(at) = memchr::memchr(b'\n', &body[start..end]) {
        // One line is one object: an answer printed over several lines cannot be stored as it is.
        return Err(SplitError::Structure { at: start + at });
    }
    places.class = class.start - start..class.end - start;
    places.properties = found.properties.map_or(0..0, |p| p.start - start..p.end - start);
    for vector in &mut places.vectors {
        vector.value = vector.value.start - start..vector.value.end - start;
        vector.name = vector.name.take().map(|n| n.start - start..n.end - start);
    }
    Ok(RawObject { id, updated_ms: found.updated_ms, text: body.slice(start..end), places })
}

fn named_vectors(text: &mut Text<'_>, body: &Bytes, places: &mut ObjectText) -> Result<(), SplitError> {
    if text.skip_null()? {
        return Ok(());
    }
    let mut members: Structure = text.object()?;
    while let Some(name) = text.member(&mut members)? {
        let value = text.skip()?;
        if !is_absent(&body[value.clone()]) {
            places.vectors.push(VectorText { name: Some(name), value });
        }
    }
    Ok(())
}

/// A vector that is missing, null, `[]` or `{}` is absent (design.md §2, content digest).
fn is_absent(value: &[u8]) -> bool {
    matches!(value, b"null" | b"[]" | b"{}")
}

#[cfg(test)]
mod tests;
