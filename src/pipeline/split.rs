//! Splits a page into its objects without re-encoding a byte, and finds in each what elysiactl needs: id, class,
//! update time, properties, vectors. It reads structure only (nesting, strings, byte classes of numbers), which is an
//! order of magnitude faster than a parse; `scan` has one page in a hundred parsed in full beside it, `archive check`
//! every line. What it accepts must never be cut wrongly: every page must close, ids must ascend.

mod names;
mod text;

use std::ops::Range;

use bytes::Bytes;

use crate::model::fold::{self, Misread};
use crate::model::{CollectionName, ObjectId, ObjectText, RawObject, TenantName, VectorText};
use names::Taken;
use text::Text;

/// Vectors of an object at most: their places are held with it. Each would be an index of its own in the server.
const VECTORS_MOST: u32 = 1 << 14;

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
    /// A member that servers take for another one than it is spelled as.
    #[error("a server takes the member \"{printed}\" at byte {at} for \"{member}\"")]
    Folds {
        /// What it is taken for.
        member: &'static str,
        /// The name as it is printed, escapes and all, cut at 100 characters.
        printed: String,
        /// Offset from the start of the page or line.
        at: usize,
    },
    /// A property, or a named vector, that is there twice: a server takes one of them.
    #[error("the property or vector {name:?} is there twice, or spelled with escapes, at byte {at}")]
    Name {
        /// The name as it is printed, cut at 100 characters.
        name: String,
        /// Offset from the start of the page or line.
        at: usize,
    },
    /// More names in an object than are looked at.
    #[error("more than {limit} names of {what}s in an object at byte {at}")]
    ManyNames {
        /// What they name: a vector, or a member of a reference.
        what: &'static str,
        /// The most.
        limit: u32,
        /// Offset from the start of the page or line.
        at: usize,
    },
    /// An object of another tenant.
    #[error("an object of tenant {found:?} where another one's, or none's, belongs")]
    OtherTenant {
        /// The tenant printed, cut at 100 characters.
        found: String,
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

/// What a page must be to be accepted.
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
        if body[key.clone()] != *b"objects" {
            refuse_folded(&body[key.clone()], &["objects"], key.start)?;
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

/// Refuses an object whose references a server would read otherwise than they are spelled. `is_reference`: whether a
/// property of this name holds any.
pub fn references(object: &RawObject, is_reference: impl Fn(&[u8]) -> bool) -> Result<(), SplitError> {
    let properties = object.text.slice(object.places.properties.clone());
    if !properties.starts_with(b"{") {
        return Ok(());
    }
    let mut lists = Vec::new();
    names::each(&mut Text::new(&properties)?, &properties, Taken::FirstLower, |name, value| {
        if is_reference(&properties[name]) {
            lists.push(value);
        }
    })?;
    for at in lists {
        let list = &properties[at.clone()];
        if names::are_plain_references(list) {
            continue;
        }
        let at = object.places.properties.start + at.start;
        match fold::check(list, &fold::REFERENCES, u32::MAX) {
            Err(Misread::Folds { member, printed }) => return Err(SplitError::Folds { member, printed, at }),
            Err(Misread::Twice { member }) => return Err(SplitError::Name { name: member, at }),
            Err(Misread::Values { limit }) => return Err(SplitError::ManyNames { what: "member", limit, at }),
            // Not a list of references: the server is to judge it.
            _ => {}
        }
    }
    Ok(())
}

/// Refuses an object that names another tenant than the one it is read of. Listings name none.
pub fn of_tenant(object: &RawObject, tenant: Option<&TenantName>) -> Result<(), SplitError> {
    match object.tenant() {
        Some(printed) if tenant.is_none_or(|tenant| tenant.as_str().as_bytes() != printed) => {
            Err(SplitError::OtherTenant { found: cut(printed) })
        }
        _ => Ok(()),
    }
}

/// Members of an object that may stand once only.
#[derive(Default)]
struct Found {
    /// Which fields have been there, by their places in [`fold::OBJECT`].
    fields: u16,
    id: Option<ObjectId>,
    class: Option<Range<usize>>,
    updated_ms: Option<i64>,
    properties: Option<Range<usize>>,
}

fn one(text: &mut Text<'_>, body: &Bytes, collection: &CollectionName) -> Result<RawObject, SplitError> {
    let start = text.start()?;
    let mut places = ObjectText::default();
    let mut found = Found::default();
    let mut members = text.object()?;
    while let Some(key) = text.member(&mut members)? {
        let at = text.at();
        let name = &body[key.clone()];
        let Some(field) = fold::OBJECT.iter().position(|field| field.as_bytes() == name) else {
            refuse_folded(name, &fold::OBJECT, key.start)?;
            if places.unknown.is_empty() {
                places.unknown = key;
            }
            text.skip()?;
            continue;
        };
        let member = fold::OBJECT[field];
        let wrong = || SplitError::Member { member, at };
        if found.fields & 1 << field != 0 {
            return Err(wrong());
        }
        found.fields |= 1 << field;
        match member {
            "id" => {
                let id = text.string("id")?;
                let id = std::str::from_utf8(&body[id]).ok().and_then(|id| id.parse().ok());
                found.id = Some(id.ok_or_else(wrong)?);
            }
            "class" => {
                let class = text.string("class")?;
                if body[class.clone()] != *collection.as_str().as_bytes() {
                    return Err(SplitError::OtherCollection { asked: collection.clone(), found: cut(&body[class]) });
                }
                found.class = Some(class);
            }
            "tenant" => places.tenant = text.string("tenant")?,
            "lastUpdateTimeUnix" => {
                let value = text.skip()?;
                let number = std::str::from_utf8(&body[value]).ok().and_then(|n| n.parse().ok());
                found.updated_ms = Some(number.ok_or_else(wrong)?);
            }
            "properties" => found.properties = Some(properties(text, body)?),
            "vector" => {
                let value = text.skip()?;
                if !is_absent(&body[value.clone()]) {
                    places.vectors.push(VectorText { name: None, value });
                }
            }
            "vectors" => named_vectors(text, body, &mut places)?,
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
    let inside = |at: Range<usize>| if at.is_empty() { 0..0 } else { at.start - start..at.end - start };
    places.class = inside(class);
    places.properties = inside(found.properties.unwrap_or_default());
    places.tenant = inside(places.tenant);
    places.unknown = inside(places.unknown);
    for vector in &mut places.vectors {
        vector.value = inside(vector.value.clone());
        vector.name = vector.name.take().map(inside);
    }
    Ok(RawObject { id, updated_ms: found.updated_ms, text: body.slice(start..end), places })
}

/// Refuses a member that a server takes for one of `known`.
fn refuse_folded(name: &[u8], known: &[&'static str], at: usize) -> Result<(), SplitError> {
    match fold::refuse_other_spelling(name, known) {
        Err(Misread::Folds { member, printed }) => Err(SplitError::Folds { member, printed, at }),
        _ => Ok(()),
    }
}

/// The properties: `{…}` whose names stand once each, or any other value.
fn properties(text: &mut Text<'_>, body: &Bytes) -> Result<Range<usize>, SplitError> {
    let start = text.start()?;
    if body[start] == b'{' { names::each(text, body, Taken::FirstLower, |_, _| {}) } else { text.skip() }
}

fn named_vectors(text: &mut Text<'_>, body: &Bytes, places: &mut ObjectText) -> Result<(), SplitError> {
    if text.skip_null()? {
        return Ok(());
    }
    let mut at = text.start()?;
    let mut is_bounded = true;
    names::each(text, body, Taken::Exactly, |name, value| {
        if is_absent(&body[value.clone()]) {
            return;
        }
        if places.vectors.len() < VECTORS_MOST as usize {
            places.vectors.push(VectorText { name: Some(name), value });
        } else if std::mem::take(&mut is_bounded) {
            at = name.start;
        }
    })?;
    if is_bounded { Ok(()) } else { Err(SplitError::ManyNames { what: "vector", limit: VECTORS_MOST, at }) }
}

fn cut(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(100).collect()
}

/// A vector that is missing, null, `[]` or `{}` is absent.
fn is_absent(value: &[u8]) -> bool {
    matches!(value, b"null" | b"[]" | b"{}")
}

#[cfg(test)]
mod tests;
