//! What is wrong with a filter, and where.

use std::fmt;

/// A filter that cannot be read, or does not fit a collection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} (column {})", self.column())]
pub struct FilterError {
    /// The filter as it was typed.
    pub filter: String,
    /// The place in it, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub what: FilterProblem,
}

impl FilterError {
    /// The place in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.filter.get(..self.at).map_or(0, |before| before.chars().count()) + 1
    }
}

/// What is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum FilterProblem {
    /// Something else should stand here.
    #[error("{wanted} is missing here{}", Instead(found))]
    Missing {
        /// What should.
        wanted: &'static str,
        /// What stands there; empty at the end.
        found: String,
    },
    /// The filter goes on where it should end.
    #[error("`and`, `or` or the end is missing here{}", Instead(found))]
    NoEnd { found: String },
    /// A character that means nothing.
    #[error("{found:?} means nothing in a filter")]
    Character { found: char },
    /// A text, or a quoted name, without its last quote.
    #[error("the quote that begins here does not end")]
    Unclosed,
    /// A backslash before a character that it says nothing about.
    #[error("`\\{found}` is no escape: \\\\ \\' \\\" \\n \\r \\t and \\u0041 are")]
    Escape { found: String },
    /// A number that no computer can hold.
    #[error("{found} is no number")]
    Number { found: String },
    /// `@` with a name that means nothing.
    #[error("there is no @{found}: @created and @updated are")]
    Special { found: String },
    /// `null` where a value belongs.
    #[error("nothing is equal to null: write `is null` or `is not null`")]
    ComparedWithNull,
    /// A filter that is too long, too deep, or has too many parts.
    #[error("more than {limit} {of} in a filter")]
    TooMuch { limit: usize, of: &'static str },
    /// A property that the collection does not have.
    #[error("the collection has no property {property:?}")]
    UnknownProperty {
        /// With those around it, between dots.
        property: String,
        similar: Vec<String>,
    },
    /// A property that nothing can be inside of, or that a filter does not look into.
    #[error("{property} is of type {kind}: a filter does not look into it")]
    NotInside { property: String, kind: String },
    /// A comparison that makes no sense for the type of a property.
    #[error("{property} is of type {kind}: {allowed}")]
    Type { property: String, kind: String, allowed: &'static str },
    /// A value that is not of the type of the property.
    #[error("{property} is of type {kind}, which is compared with {wanted}")]
    Value { property: String, kind: String, wanted: &'static str },
}

/// What stands somewhere instead of something else.
struct Instead<'a>(&'a str);

impl fmt::Display for Instead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str(", at the end") } else { write!(f, ", before `{}`", self.0) }
    }
}
