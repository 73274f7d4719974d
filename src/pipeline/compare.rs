//! Compares the objects of an archive with the live ones: a merge of two streams sorted by id, in constant memory.
//! Bytes first; only where they differ are both sides parsed and judged by value.

mod excerpt;
mod found;
mod live;
mod long;
mod merge;
mod part;
mod sample;
mod stage;
mod units;
mod value;
mod vectors;
mod window;

use serde_json::Value;

use crate::event::FieldDiff;
use crate::model::{RawObject, Renames, Schema};
use value::{Members, Walk};

pub use found::{Differing, Found, Place};
pub use part::Source;
pub use sample::Sample;
pub use stage::{Error, Stage, Tenants};
pub use units::{Unit, units};

/// Fields named of one object at most.
const FIELDS_NAMED: usize = 20;
/// Properties of more bytes than this have their lists of references compared without being parsed as a whole.
const LONG_PROPERTIES: usize = 1 << 20;

/// What is to be compared of the vectors of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vectors {
    /// All of them.
    Compare,
    /// None: one side has none on purpose.
    Skip,
    /// The server cannot print the live ones.
    Unprintable,
}

/// Decides whether two objects of one collection have the same content.
#[derive(Debug)]
pub struct Comparer {
    members: Members,
    renames: Renames,
    clamp_ints: bool,
    /// Names of vectors that the server makes where an archived object lacks them.
    made_vectors: Vec<String>,
    /// Names of vectors that are left aside, since a server was dropping them when they were archived.
    dropped_vectors: Vec<String>,
    /// Equal bytes may mean different things: a reference to a collection that got another name.
    bytes_may_lie: bool,
}

impl Comparer {
    /// For objects of a collection with this schema in the archive. `renames` holds for the targets of references;
    /// `clamp_ints`: archived integers that no server takes back count as the nearest ones it takes.
    #[must_use]
    pub fn new(archived: &Schema, renames: Renames, clamp_ints: bool) -> Self {
        let bytes_may_lie = !renames.is_empty() && !archived.references.is_empty();
        Self {
            members: value::members(archived),
            renames,
            clamp_ints,
            made_vectors: Vec::new(),
            dropped_vectors: archived.dropped_vectors.clone(),
            bytes_may_lie,
        }
    }

    /// The same, where the server was let make vectors of these names for objects that lack them.
    #[must_use]
    pub fn with_made_vectors(self, made_vectors: Vec<String>) -> Self {
        Self { made_vectors, ..self }
    }

    /// Whether an archived object lacks a vector that the server was let make.
    pub(super) fn lacks_made_vector(&self, archived: &RawObject) -> bool {
        let has = |name: &String| archived.vectors().any(|(other, _)| other == name.as_bytes());
        !self.made_vectors.iter().all(has)
    }

    /// Where two objects differ, at most 20 fields; nowhere if they have the same content. Ids, names of collections
    /// and times are not content.
    #[must_use]
    pub fn fields(&self, archived: &RawObject, live: &RawObject, vectors: Vectors) -> Vec<FieldDiff> {
        let mut walk = Walk::new(&self.renames, self.clamp_ints);
        if self.bytes_may_lie || archived.properties() != live.properties() {
            self.properties(archived, live, &mut walk);
        }
        match vectors {
            Vectors::Compare => {
                vectors::compare(archived, live, [&self.made_vectors, &self.dropped_vectors], &mut walk.found);
            }
            Vectors::Skip => {}
            Vectors::Unprintable => {
                let shown = archived.vectors().next().map(|(_, text)| vectors::extent(text));
                walk.found.push("vectors", shown, Some("not printable (NaN or Inf)".into()));
            }
        }
        walk.found.fields
    }

    fn properties(&self, archived: &RawObject, live: &RawObject, walk: &mut Walk<'_>) {
        let parse = |text: &[u8]| match text {
            b"" => Some(serde_json::Map::new()),
            text => match serde_json::from_slice(text) {
                Ok(Value::Object(members)) => Some(members),
                Ok(Value::Null) => Some(serde_json::Map::new()),
                _ => None,
            },
        };
        if archived.properties().len().max(live.properties().len()) > LONG_PROPERTIES
            && let (Some(mut ours), Some(mut theirs)) = (long::split(archived), long::split(live))
        {
            long::leave_out_equal(&self.members, &mut ours, &mut theirs);
            long::references(&self.members, &mut ours, &mut theirs, walk);
            if let (Some(ours), Some(theirs)) = (long::parsed(&ours), long::parsed(&theirs)) {
                walk.members("properties", &self.members, &ours, &theirs);
                return;
            }
        }
        match (parse(archived.properties()), parse(live.properties())) {
            (Some(ours), Some(theirs)) => walk.members("properties", &self.members, &ours, &theirs),
            _ if archived.properties() == live.properties() => {}
            _ => {
                let text = |bytes: &[u8]| Some(String::from_utf8_lossy(bytes).into_owned());
                walk.found.push("properties", text(archived.properties()), text(live.properties()));
            }
        }
    }
}

/// The fields found so far, bounded in number and size.
#[derive(Debug, Default)]
struct Fields {
    fields: Vec<FieldDiff>,
}

impl Fields {
    fn push(&mut self, field: &str, archived: Option<String>, live: Option<String>) {
        if self.is_full() {
            return;
        }
        let (archived, live) = excerpt::both(archived, live);
        self.fields.push(FieldDiff { field: field.to_owned(), archived, live });
    }

    /// Two lists of different length: what is shown of them may not reach to where one of them ends.
    fn push_lists(&mut self, field: &str, archived: &[Value], live: &[Value]) {
        let before = self.fields.len();
        let text = |list: &[Value]| Some(Value::from(list).to_string());
        self.push(field, text(archived), text(live));
        for field in &mut self.fields[before..] {
            let sides = [(&mut field.archived, archived.len()), (&mut field.live, live.len())];
            for (shown, length) in sides.into_iter().filter_map(|(shown, length)| Some((shown.as_mut()?, length))) {
                *shown = format!("{shown} ({})", counted(length, "element"));
            }
        }
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
