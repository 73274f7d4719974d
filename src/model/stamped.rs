//! When objects were created, by the server's clock.

/// The first and the last time at which objects were created, in ms since 1970 by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamped {
    /// The first.
    pub first_ms: i64,
    /// The last.
    pub last_ms: i64,
}

impl Stamped {
    /// From the first of both to the last of both.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self { first_ms: self.first_ms.min(other.first_ms), last_ms: self.last_ms.max(other.last_ms) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spans_are_within_the_joined_one() {
        let (one, other) = (Stamped { first_ms: 3, last_ms: 5 }, Stamped { first_ms: 1, last_ms: 4 });
        assert_eq!(one.joined(other), Stamped { first_ms: 1, last_ms: 5 });
    }
}
