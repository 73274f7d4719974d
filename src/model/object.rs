//! One object as the server printed it, with the places of what elysiactl needs to know about it.

use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::{ObjectId, json, room_for};

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
    /// The value of `tenant`, without its quotes: listings print none, a single object of a tenant has one. Empty if
    /// there is none.
    pub tenant: Range<usize>,
    /// The first member, as printed between its quotes, that no server up to 1.40 has; empty if there is none.
    pub unknown: Range<usize>,
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

    /// The tenant printed in it, if any.
    #[must_use]
    pub fn tenant(&self) -> Option<&[u8]> {
        Some(&self.text[self.places.tenant.clone()]).filter(|tenant| !tenant.is_empty())
    }

    /// The name of the first member that no known server has, as printed.
    #[must_use]
    pub fn unknown_member(&self) -> Option<&[u8]> {
        Some(&self.text[self.places.unknown.clone()]).filter(|name| !name.is_empty())
    }

    /// Name and text of each vector present, in printed order. The unnamed vector's name is `default`.
    pub fn vectors(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.places.vectors.iter().map(|v| {
            let name = v.name.clone().map_or(Self::UNNAMED_VECTOR.as_bytes(), |at| &self.text[at]);
            (name, &self.text[v.value.clone()])
        })
    }

    /// The same object without its named vectors of these names; `None` if it has none of them. Everything else keeps its
    /// bytes.
    #[must_use]
    pub fn without_vectors(&self, names: &[String]) -> Option<Self> {
        let is_named = |at: &Range<usize>| names.iter().any(|name| name.as_bytes() == &self.text[at.clone()]);
        let gone = |vector: &VectorText| vector.name.as_ref().is_some_and(is_named);
        if names.is_empty() || !self.places.vectors.iter().any(gone) {
            return None;
        }
        let mut cuts: Vec<Range<usize>> = Vec::new();
        for vector in self.places.vectors.iter().filter(|vector| gone(vector)) {
            let name = vector.name.clone().unwrap_or_default();
            let reached = cuts.last().map_or(0, |cut| cut.end);
            cuts.push(member(&self.text, name.start.saturating_sub(1)..vector.value.end, reached));
        }
        Some(self.without(&cuts))
    }

    /// The same object without its properties of these names; `None` if it has none of them. Everything else keeps its bytes.
    #[must_use]
    pub fn without_properties(&self, is_gone: impl Fn(&[u8]) -> bool) -> Option<Self> {
        let start = self.places.properties.start;
        // What was split is UTF-8.
        let properties = std::str::from_utf8(self.properties()).unwrap_or_default();
        let mut cuts: Vec<Range<usize>> = Vec::new();
        // Where the last property ends that stays.
        let mut kept = start + 1;
        for (name, at) in json::placed_members(properties) {
            let at = start + at.start..start + at.end;
            if !is_gone(name.as_bytes()) {
                kept = at.end;
                continue;
            }
            let reached = cuts.last().map_or(kept, |cut| cut.end.max(kept));
            let cut = member(&self.text, at, reached);
            // Neighbors are one cut, so that there are no more of them than of what stays.
            match cuts.last_mut().filter(|last| last.end == cut.start) {
                Some(last) => last.end = cut.end,
                None => cuts.push(cut),
            }
        }
        (!cuts.is_empty()).then(|| self.without(&cuts))
    }

    /// The same object without these bytes.
    fn without(&self, cuts: &[Range<usize>]) -> Self {
        let left = self.text.len() - cuts.iter().map(Range::len).sum::<usize>();
        let mut text = Vec::with_capacity(room_for(left));
        let mut from = 0;
        for cut in cuts {
            text.extend_from_slice(&self.text[from..cut.start]);
            from = cut.end;
        }
        text.extend_from_slice(&self.text[from..]);
        let before = |place: usize| cuts.iter().filter(|cut| cut.end <= place).map(Range::len).sum::<usize>();
        let moved = |at: &Range<usize>| at.start - before(at.start)..at.end - before(at.end);
        let is_there = |vector: &&VectorText| !cuts.iter().any(|cut| cut.contains(&vector.value.start));
        let vectors = self.places.vectors.iter().filter(is_there);
        let vectors =
            vectors.map(|v| VectorText { name: v.name.as_ref().map(moved), value: moved(&v.value) }).collect();
        let places = ObjectText {
            class: moved(&self.places.class),
            properties: moved(&self.places.properties),
            vectors,
            tenant: moved(&self.places.tenant),
            unknown: moved(&self.places.unknown),
        };
        Self { text: text.into(), places, ..self.clone() }
    }
}

/// What to cut out of an object's text for a member to be gone: with the comma before it, or the one behind it where it is
/// the first one left. Up to `reached` everything is cut already, or kept.
fn member(text: &[u8], at: Range<usize>, reached: usize) -> Range<usize> {
    let is_mark = |b: &u8| !b.is_ascii_whitespace();
    let before = text[reached..at.start].iter().rposition(is_mark).map(|n| reached + n);
    if let Some(comma) = before.filter(|n| text[*n] == b',') {
        return comma..at.end;
    }
    let behind = text[at.end..].iter().position(is_mark).map(|n| at.end + n);
    let end = behind.filter(|n| text[*n] == b',').map_or(at.end, |comma| comma + 1);
    at.start..end
}

/// Numbers in the first innermost list: the dimensions of a vector, or of each vector of a multi-vector.
#[must_use]
pub fn dimensions(text: &[u8]) -> u64 {
    let inner = memchr::memchr(b']', text).map_or(text, |end| &text[..end]);
    let inner = memchr::memrchr(b'[', inner).map_or(inner, |start| &inner[start + 1..]);
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

    fn object(vectors: &[(&str, &str)], gap: &str) -> RawObject {
        let (mut text, mut places) = (String::from("{\"class\":\""), ObjectText::default());
        let put = |text: &mut String, piece: &str| {
            let start = text.len();
            text.push_str(piece);
            start..text.len()
        };
        places.class = put(&mut text, "A");
        put(&mut text, "\",\"vectors\":{");
        for (n, (name, value)) in vectors.iter().enumerate() {
            put(&mut text, &format!("{gap}{}{gap}\"", if n > 0 { "," } else { "" }));
            let name = put(&mut text, name);
            put(&mut text, &format!("\"{gap}:{gap}"));
            let value = put(&mut text, value);
            places.vectors.push(VectorText { name: Some(name), value });
        }
        put(&mut text, &format!("{gap}}},\"properties\":"));
        places.properties = put(&mut text, "{\"n\":1}");
        text.push('}');
        RawObject { id: ObjectId(1), updated_ms: None, text: text.into(), places }
    }

    #[test]
    fn properties_are_cut_out_and_the_rest_keeps_its_bytes() {
        let members = [r#""a":1"#, r#""b":{"a":[2,"}"]}"#, r#""c":"\\\"x""#, r#""d":null"#];
        for (comma, open) in [(",", ""), (" ,\t", " ")] {
            let properties = format!("{{{open}{}{open}}}", members.join(comma));
            let mut text = String::from("{\"class\":\"A\",\"properties\":");
            let at = text.len()..text.len() + properties.len();
            text = text + &properties + ",\"vector\":[1,2]}";
            let value = text.len() - 6..text.len() - 1;
            let vectors = [VectorText { name: None, value }].into();
            let places = ObjectText { class: 10..11, properties: at, vectors, ..ObjectText::default() };
            let whole = RawObject { id: ObjectId(1), updated_ms: None, text: text.into(), places };
            for gone in 0..16_u8 {
                let is_gone = |name: &[u8]| gone & (1 << (name[0] - b'a')) > 0;
                let Some(cut) = whole.without_properties(is_gone) else {
                    assert_eq!(gone, 0);
                    continue;
                };
                let value: serde_json::Value = serde_json::from_slice(&cut.text).expect("still JSON");
                let left: Vec<&str> = members.into_iter().filter(|one| !is_gone(&one.as_bytes()[1..])).collect();
                let there: serde_json::Value = serde_json::from_str(&format!("{{{}}}", left.join(","))).expect("JSON");
                assert_eq!(value["properties"], there, "{gone}");
                assert_eq!(serde_json::from_slice::<serde_json::Value>(cut.properties()).expect("JSON"), there);
                assert_eq!(cut.vectors().collect::<Vec<_>>(), [(&b"default"[..], &b"[1,2]"[..])]);
                assert_eq!(&cut.text[cut.places.class.clone()], b"A");
                if comma == "," && open.is_empty() {
                    assert_eq!(cut.properties(), format!("{{{}}}", left.join(",")).as_bytes(), "as a server prints it");
                }
            }
        }
    }

    #[test]
    fn vectors_are_cut_out_and_the_rest_keeps_its_bytes() {
        let all = [("a", "[1,2]"), ("b", "[[3],[4]]"), ("c", "[5]")];
        for gone in 1..8_usize {
            let names: Vec<String> =
                all.iter().enumerate().filter(|(n, _)| gone & (1 << n) > 0).map(|(_, v)| v.0.to_owned()).collect();
            let left: Vec<_> = all.into_iter().filter(|(name, _)| !names.iter().any(|n| n == name)).collect();
            for gap in ["", " "] {
                let cut = object(&all, gap).without_vectors(&names).expect("has some of them");
                let text: serde_json::Value = serde_json::from_slice(&cut.text).expect("still JSON");
                assert_eq!(text["vectors"].as_object().expect("an object").len(), left.len(), "{names:?} {text}");
                let found: Vec<_> = cut.vectors().collect();
                let left: Vec<_> = left.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
                assert_eq!((found, cut.properties()), (left, &b"{\"n\":1}"[..]));
                assert_eq!(&cut.text[cut.places.class.clone()], b"A");
            }
        }
        let names = ["d".to_owned(), RawObject::UNNAMED_VECTOR.to_owned()];
        assert_eq!(object(&all, "").without_vectors(&names), None, "nothing of it is copied");
    }
}
