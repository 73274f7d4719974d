//! Decides whether the counts of a collection prove that what was listed is all there was. Pure.

/// What is known about one collection after it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// The server's count before the first page, if it could be asked.
    pub(super) before: Option<u64>,
    /// The same after the last page.
    pub(super) after: Option<u64>,
    /// Objects listed.
    pub(super) listed: u64,
    /// Listed objects that look written during the run: a lower bound of the writes.
    pub(super) changed: u64,
}

/// What the counts say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything agrees, or could not be asked.
    Agrees,
    /// Writers explain the difference.
    Live,
    /// Nothing explains the difference.
    Disagrees {
        /// The count that was expected.
        counted: u64,
    },
}

/// Every object that existed throughout is listed once. So what is listed lies between the smaller count, less what
/// was deleted behind the cursor, and the larger one, plus what was inserted and deleted again. Each such write shows
/// in the counts or among the changed objects; a difference larger than both together has no explanation.
pub(super) fn judge(evidence: Evidence) -> Verdict {
    let Evidence { before, after, listed, changed } = evidence;
    let (Some(low), Some(high)) = (before.min(after).or(before.max(after)), before.max(after)) else {
        return Verdict::Agrees;
    };
    if low == high && listed == low {
        return if changed == 0 { Verdict::Agrees } else { Verdict::Live };
    }
    let writes_seen = (high - low) + changed;
    let apart = listed.saturating_sub(high).max(low.saturating_sub(listed));
    if apart <= writes_seen && writes_seen > 0 {
        Verdict::Live
    } else {
        Verdict::Disagrees { counted: after.unwrap_or(high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_judged() {
        let disagrees = |counted| Verdict::Disagrees { counted };
        for (before, after, listed, changed, verdict) in [
            (Some(10), Some(10), 10, 0, Verdict::Agrees),
            (Some(0), Some(0), 0, 0, Verdict::Agrees),
            (None, None, 7, 0, Verdict::Agrees),
            (Some(10), Some(10), 9, 0, disagrees(10)),
            (Some(10), Some(10), 11, 0, disagrees(10)),
            (Some(10), None, 9, 0, disagrees(10)),
            (Some(10), Some(10), 10, 3, Verdict::Live),
            (Some(10), Some(14), 12, 2, Verdict::Live),
            (Some(10), Some(14), 14, 4, Verdict::Live),
            (Some(14), Some(10), 12, 0, Verdict::Live),
            (Some(4_000), Some(4_000), 2_613, 5, disagrees(4_000)),
            (Some(4_000), Some(4_001), 2_613, 5, disagrees(4_001)),
        ] {
            let evidence = Evidence { before, after, listed, changed };
            assert_eq!(judge(evidence), verdict, "{evidence:?}");
        }
    }
}
