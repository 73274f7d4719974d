//! How often a server may break under a run that reads it. Pure.

use super::bounds::MOST_ROUNDS;

/// Rounds of reading: those after which more is kept than ever before do not count, so that a run of hours is not ended by
/// moments.
#[derive(Debug)]
pub(super) struct Rounds {
    left: u32,
    most_kept: u64,
}

impl Rounds {
    pub(super) fn new() -> Self {
        Self { left: MOST_ROUNDS, most_kept: 0 }
    }

    /// Whether there may be another round, with so many objects kept by now.
    pub(super) fn another(&mut self, kept: u64) -> bool {
        if kept > self.most_kept {
            (self.left, self.most_kept) = (MOST_ROUNDS, kept);
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_get_on_are_not_counted_and_others_come_to_an_end() {
        let mut rounds = Rounds::new();
        assert!((0..1_000).all(|kept| rounds.another(kept)));
        let more = (0..1_000).filter(|_| rounds.another(900)).count();
        assert_eq!(more, 49, "one of 50 is behind it");
        assert!(rounds.another(1_001), "it got on after all");
    }
}
