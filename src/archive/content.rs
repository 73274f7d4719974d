//! What of a collection is in an archive.

/// What a collection's objects were kept of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Objects with their vectors.
    Full,
    /// Objects without vectors.
    NoVectors,
    /// Only the schema.
    SchemaOnly,
}
