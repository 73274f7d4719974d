//! Filters over objects, as people type them: `year >= 2020 and lang = "en"`. Evaluated on the bytes of an object: of its
//! members only those that the filter names are looked at, and no vector is. Pure.
//!
//! A property that is missing or null makes a comparison neither true nor false but unknown, as in SQL; an object is kept
//! only if the whole filter is true.
//!
//! | a | b | `a and b` | `a or b` | `not a` |
//! | --- | --- | --- | --- | --- |
//! | true | true | true | true | false |
//! | true | false | false | true | false |
//! | true | unknown | unknown | true | false |
//! | false | false | false | false | true |
//! | false | unknown | false | unknown | true |
//! | unknown | unknown | unknown | unknown | unknown |
//!
//! `is null` and `is not null` alone are never unknown. A value that is not of the type that the schema gives it counts as
//! null.

mod bound;
mod parse;
mod problem;
mod tokens;
mod types;
mod value;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

pub use bound::BoundFilter;
pub use problem::{FilterError, FilterProblem};
use value::Number;

/// The longest filter, in bytes.
pub const FILTER_BYTES: usize = 64 << 10;
/// Parentheses and `not`s inside each other, at most.
const FILTER_NESTING: usize = 64;
/// Values in one `in (…)`, at most.
const VALUES_IN: usize = 1_000;
/// Comparisons in a filter, at most.
const TESTS: usize = 1_000;

/// A filter that can be read; whether it fits a collection is for [`Filter::bind`] to say.
#[derive(Debug, Clone)]
pub struct Filter {
    text: Arc<str>,
    tree: Arc<Syntax>,
}

impl Filter {
    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Filter {}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let wrong = |(at, what)| FilterError { filter: text.into(), at, what };
        let tree = parse::parse(text).map_err(wrong)?;
        Ok(Self { text: text.into(), tree: Arc::new(tree) })
    }
}

/// A place in a filter, in bytes, and what is wrong there.
type Wrong = (usize, FilterProblem);

/// A filter as it stands.
#[derive(Debug)]
enum Syntax {
    All(Vec<Syntax>),
    Any(Vec<Syntax>),
    Not(Box<Syntax>),
    Test { place: PlaceSyntax, test: TestSyntax },
}

/// What is compared.
#[derive(Debug)]
struct PlaceSyntax {
    at: usize,
    name: PlaceName,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PlaceName {
    /// The id of the object.
    Id,
    /// When it was created.
    Created,
    /// When it was written last.
    Updated,
    /// A property, or one inside it.
    Property(Vec<String>),
}

#[derive(Debug)]
enum TestSyntax {
    Null,
    Compare(Order, Literal),
    In(Vec<Literal>),
    Contains(Literal),
    Like(Literal),
}

/// How two values stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Order {
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

#[derive(Debug)]
struct Literal {
    at: usize,
    value: LiteralValue,
}

#[derive(Debug, Clone, PartialEq)]
enum LiteralValue {
    Text(String),
    Number(Number),
    Flag(bool),
}
