//! Compares the objects of two sides: a merge of two streams sorted by id, in constant memory.
//! Bytes first; only where they differ are both sides parsed and judged by value.

mod comparison;
mod error;
mod excerpt;
mod found;
mod merge;
mod sample;
mod shares;
mod side;
mod sieves;
mod units;
mod value;
mod vectors;
mod window;
mod work;

use crate::event::FieldDiff;
use crate::model::{RawObject, Renames, Schema, json};
use value::{Members, Path, Walk};

pub(in crate::pipeline) use comparison::Taken;
pub use comparison::{Comparison, Replaces, Tenants};
pub use error::Error;
pub use found::{Differing, Found, Place};
pub use sample::Sample;
pub(crate) use shares::Shares;
pub use side::{ArchivedSide, Left, LeftError};
pub use sieves::Sieves;
pub use units::{Unit, units};

/// Fields named of one object at most.
const FIELDS_NAMED: usize = 20;
/// Characters of a field's name that are shown.
const FIELD_CHARS: usize = 2_000;

/// What is to be compared of the vectors of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vectors {
    /// All of them.
    Compare,
    /// None: one side has none on purpose.
    Skip,
    /// The server cannot print those on the right.
    Unprintable,
}

impl Vectors {
    /// `wanted`: whether they are compared at all; `unprintable`: whether the server cannot print those on the right.
    pub(super) fn of(wanted: bool, unprintable: bool) -> Self {
        match (wanted, unprintable) {
            (false, _) => Self::Skip,
            (true, true) => Self::Unprintable,
            (true, false) => Self::Compare,
        }
    }
}

/// Decides whether two objects of one collection have the same content.
#[derive(Debug, Clone)]
pub struct Comparer {
    members: Members,
    renames: Renames,
    clamp_ints: bool,
    /// Names of vectors that the server makes where an object on the left lacks them.
    made_vectors: Vec<String>,
    /// Names of vectors that are left aside, since a server was dropping them when the left side was read.
    dropped_vectors: Vec<String>,
    /// Equal bytes may mean different things: a reference to a collection that got another name.
    bytes_may_lie: bool,
}

impl Comparer {
    /// For objects of a collection with this schema on the left. `renames` holds for the targets of references there;
    /// `clamp_ints`: integers there that no server takes back count as the nearest ones it takes.
    #[must_use]
    pub fn new(left: &Schema, renames: Renames, clamp_ints: bool) -> Self {
        let bytes_may_lie = !renames.is_empty() && !left.references.is_empty();
        Self {
            members: value::members(left),
            renames,
            clamp_ints,
            made_vectors: Vec::new(),
            dropped_vectors: left.dropped_vectors.clone(),
            bytes_may_lie,
        }
    }

    /// The same, where the server was let make vectors of these names for objects that lack them.
    #[must_use]
    pub fn with_made_vectors(self, made_vectors: Vec<String>) -> Self {
        Self { made_vectors, ..self }
    }

    /// The same, but for these properties.
    pub(super) fn leaving_out(&self, properties: &[String]) -> Self {
        let left_out = properties.iter().map(|name| (name.clone(), value::Kind::LeftOut));
        Self { members: self.members.clone().into_iter().chain(left_out).collect(), ..self.clone() }
    }

    /// Whether integers on the left may count as others than they are.
    #[must_use]
    pub fn clamps(&self) -> bool {
        self.clamp_ints
    }

    /// Whether an object on the left lacks a vector that the server was let make.
    pub(super) fn lacks_made_vector(&self, left: &RawObject) -> bool {
        let has = |name: &String| left.vectors().any(|(other, _)| other == name.as_bytes());
        !self.made_vectors.iter().all(has)
    }

    /// Where two objects differ, at most 20 fields; nowhere if they have the same content. Ids, names of collections
    /// and times are not content.
    #[must_use]
    pub fn fields(&self, left: &RawObject, right: &RawObject, vectors: Vectors) -> Vec<FieldDiff> {
        let mut walk = Walk::new(&self.renames, self.clamp_ints);
        if self.bytes_may_lie || left.properties() != right.properties() {
            self.properties(left, right, &mut walk);
        }
        match vectors {
            Vectors::Compare => {
                vectors::compare(left, right, [&self.made_vectors, &self.dropped_vectors], &mut walk.found);
            }
            Vectors::Skip => {}
            Vectors::Unprintable => {
                let shown = left.vectors().next().map(|(_, text)| vectors::extent(text));
                walk.found.push("vectors", shown.as_deref(), Some("not printable (NaN or Inf)"));
            }
        }
        walk.found.fields
    }

    fn properties(&self, left: &RawObject, right: &RawObject, walk: &mut Walk<'_>) {
        let sides = [left, right].map(|side| String::from_utf8_lossy(side.properties()));
        match sides.each_ref().map(|text| object(text)) {
            [Some(ours), Some(theirs)] => walk.members(&Path::of("properties"), &self.members, ours, theirs),
            _ if left.properties() == right.properties() => {
                // Whether references have the names they should have cannot be told of what cannot be read.
                if self.bytes_may_lie {
                    walk.found.push("properties", Some(&sides[0]), Some(NO_JSON));
                }
            }
            _ => walk.found.push("properties", Some(&sides[0]), Some(&sides[1])),
        }
    }
}

/// How properties are shown that are the same bytes on both sides, where the bytes alone do not tell.
const NO_JSON: &str = "the same text, which is not JSON";

/// The text of an object, empty if there is none; `None` for what is none.
fn object(properties: &str) -> Option<&str> {
    match properties.trim_ascii() {
        "" | "null" => Some("{}"),
        text => Some(text).filter(|text| text.starts_with('{') && json::is_valid(text)),
    }
}

/// The fields found so far, bounded in number and size.
#[derive(Debug, Default)]
struct Fields {
    fields: Vec<FieldDiff>,
}

impl Fields {
    /// A field whose values are shown in these words.
    fn push(&mut self, field: &str, left: Option<&str>, right: Option<&str>) {
        self.push_characters(field, left.map(str::chars), right.map(str::chars));
    }

    /// A field with these values, which are JSON.
    fn push_json(&mut self, field: &str, left: Option<&str>, right: Option<&str>) {
        self.push_characters(field, left.map(json::canonical), right.map(json::canonical));
    }

    /// Two lists of different length: what is shown of them may not reach to where one of them ends.
    fn push_lists(&mut self, field: &str, left: &str, right: &str) {
        let before = self.fields.len();
        self.push_json(field, Some(left), Some(right));
        for field in &mut self.fields[before..] {
            let sides = [(&mut field.left, left), (&mut field.right, right)];
            for (shown, list) in sides.into_iter().filter_map(|(shown, list)| Some((shown.as_mut()?, list))) {
                *shown = format!("{shown} ({})", counted(json::elements(list).count(), "element"));
            }
        }
    }

    fn push_characters<C>(&mut self, field: &str, left: Option<C>, right: Option<C>)
    where
        C: Iterator<Item = char> + Clone,
    {
        if self.is_full() {
            return;
        }
        let (left, right) = excerpt::both(left, right);
        let field = field.chars().take(FIELD_CHARS).collect();
        self.fields.push(FieldDiff { field, left, right });
    }

    fn is_full(&self) -> bool {
        self.fields.len() >= FIELDS_NAMED
    }
}

/// A number with the word that goes with it.
fn counted(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

#[cfg(test)]
mod tests;
