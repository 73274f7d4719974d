//! One object as the server printed it, with the places of what elysiactl needs to know about it.

use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::ObjectId;

/// Where a vector stands in an object's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorText {
    /// The name's bytes inside the text, without quotes; `None` for the unnamed vector, whose name is `default`.
    pub name: Option<Range<usize>>,
    /// The value's bytes: `[…]` with brackets, nested for a multi-vector.
    pub value: Range<usize>,
}

/// Byte ranges into an object's text. All of them lie inside it and on character borders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectText {
    /// The value of `class`, without its quotes.
    pub class: Range<usize>,
    /// The value of `properties`, braces included; empty if the object has none.
    pub properties: Range<usize>,
    /// The vectors present (not null, not empty), in printed order. One needs no memory of its own.
    pub vectors: SmallVec<[VectorText; 1]>,
}

/// An object as the server printed it, never re-encoded, with its id and the places found while splitting the page.
/// Cloning is cheap: the text is a slice of the page it came in, and keeps that page alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject {
    /// The object's id.
    pub id: ObjectId,
    /// `lastUpdateTimeUnix`: the server's clock, milliseconds since 1970; `None` if the server printed none.
    pub updated_ms: Option<i64>,
    /// The object's JSON, from `{` to `}`, on one line.
    pub text: Bytes,
    /// Where things stand in `text`.
    pub places: ObjectText,
}

impl RawObject {
    /// The name of the vector a class without named vectors has.
    pub const UNNAMED_VECTOR: &'static str = "default";

    /// The text of `properties`, braces included.
    #[must_use]
    pub fn properties(&self) -> &[u8] {
        &self.text[self.places.properties.clone()]
    }

    /// Name and text of each vector present, in printed order. The unnamed vector's name is `default`.
    pub fn vectors(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.places.vectors.iter().map(|v| {
            let name = v.name.clone().map_or(Self::UNNAMED_VECTOR.as_bytes(), |at| &self.text[at]);
            (name, &self.text[v.value.clone()])
        })
    }
}

/// Numbers in the first innermost list: the dimensions of a vector, or of each vector of a multi-vector.
#[must_use]
pub fn dimensions(text: &[u8]) -> u64 {
    let inner = text.iter().position(|b| *b == b']').map_or(text, |end| &text[..end]);
    let inner = inner.iter().rposition(|b| *b == b'[').map_or(inner, |start| &inner[start + 1..]);
    if inner.trim_ascii().is_empty() {
        return 0;
    }
    memchr::memchr_iter(b',', inner).count() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_of_vectors_and_multi_vectors() {
        for (text, size) in [("[1,2.5,-3e1]", 3), ("[1]", 1), ("[[1,2],[3,4],[5,6]]", 2), ("[]", 0), ("[[]]", 0)] {
            assert_eq!(dimensions(text.as_bytes()), size, "{text}");
        }
    }
}
