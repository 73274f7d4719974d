//! Which objects a deletion leaves: what no backup holds, or what came after they were counted.

use super::CollectionClear;
use super::delete::Passed;
use super::unchanged::Proven;
use crate::event::{ClearRemark, MoreThan, NewerThan};

/// Which objects stay while one collection is emptied by deleting.
pub(super) struct Stays {
    /// Objects updated after this time, by the server's clock in ms, stay.
    pub(super) until_ms: Option<i64>,
    why: Why,
}

enum Why {
    /// They could not be counted.
    Uncounted,
    /// This many objects were counted, of which none is newer than `last_ms`. `agreed`: as many as somebody agreed to lose;
    /// otherwise `planned` were shown, if they were counted. `sorted`: which ones they are has been told apart.
    Counted { objects: u64, last_ms: i64, sorted: bool, agreed: bool, planned: Option<u64> },
    /// The backup holds this many.
    BackedUp(u64),
}

impl Stays {
    pub(super) fn new(planned: &CollectionClear, proven: &Proven) -> Self {
        match (&proven.backed_up, planned.agreed) {
            (Some(backed_up), _) => {
                Self { until_ms: Some(backed_up.since.until_ms), why: Why::BackedUp(backed_up.objects) }
            }
            (None, agreed) => {
                let [until_ms, last_ms] = proven.counted_ms;
                let planned = planned.all_objects();
                match agreed.or(proven.objects) {
                    Some(objects) => {
                        let agreed = agreed.is_some();
                        let why = Why::Counted { objects, last_ms, sorted: false, agreed, planned };
                        Self { until_ms: Some(until_ms), why }
                    }
                    None => Self { until_ms: Some(last_ms), why: Why::Uncounted },
                }
            }
        }
    }

    /// Whether some of what a pass left is to go as well. The server's clock is known to the second: what was written in the
    /// one of the count stays at first, and goes if no more was listed than was agreed to. What is newer stays for good.
    /// `before`: objects that passes before this one deleted.
    pub(super) fn may_go_too(&mut self, passed: &Passed, before: u64) -> bool {
        let Why::Counted { objects, last_ms, sorted, .. } = &mut self.why else { return false };
        // What was written anew may be another tenant's, made in the second of the count.
        *sorted |= passed.moved > 0;
        if passed.newer == 0 || std::mem::replace(sorted, true) || before + passed.listed > *objects {
            return false;
        }
        self.until_ms = passed.newest_ms.map(|newest| newest.min(*last_ms)).or(self.until_ms);
        true
    }

    /// What is to be known, and whether the collection is as empty as it was meant to be.
    pub(super) fn told(&self, passed: &Passed) -> (Vec<ClearRemark>, bool) {
        let some = |objects: u64| Some(objects).filter(|objects| *objects > 0);
        let (most, newer, more) = match self.why {
            Why::Uncounted => (None, NewerThan::TheLook, MoreThan::Planned),
            Why::Counted { objects, agreed: false, planned, .. } => {
                (planned, NewerThan::TheCount { objects }, MoreThan::Planned)
            }
            Why::Counted { objects, .. } => {
                (Some(objects), NewerThan::TheConfirmation { objects }, MoreThan::Confirmed)
            }
            Why::BackedUp(objects) => (Some(objects), NewerThan::TheComparison, MoreThan::BackedUp),
        };
        let beyond = most.and_then(|most| some(passed.deleted.saturating_sub(most)));
        let remarks = [
            some(passed.newer).map(|objects| ClearRemark::NewerStay { objects, than: newer }),
            some(passed.differing).map(|objects| ClearRemark::OtherVersionsStay { objects }),
            passed.uncompared.clone().map(|reason| ClearRemark::DeletedByOneReplica { reason }),
            beyond.map(|objects| ClearRemark::MoreDeleted { objects, than: more }),
        ];
        let told_only = matches!(self.why, Why::Counted { agreed: false, .. });
        let whole = passed.stay() == 0 && (told_only || beyond.is_none());
        (remarks.into_iter().flatten().collect(), whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(objects: u64) -> Stays {
        let why = Why::Counted { objects, last_ms: 3_000, sorted: false, agreed: true, planned: None };
        Stays { until_ms: Some(1_000), why }
    }

    #[test]
    fn only_what_was_written_in_the_second_of_the_count_goes_after_all_and_once() {
        let passed = |listed, newer, newest_ms| Passed { deleted: 5, listed, newer, newest_ms, ..Passed::default() };
        let mut stays = agreed(10);
        assert!(stays.may_go_too(&passed(10, 5, Some(2_000)), 0), "all were there when they were counted");
        assert_eq!(stays.until_ms, Some(2_000));
        assert!(!stays.may_go_too(&passed(10, 5, Some(2_500)), 0), "what comes then is newer");
        let mut stays = agreed(10);
        assert!(stays.may_go_too(&passed(10, 5, Some(9_000)), 0));
        assert_eq!(stays.until_ms, Some(3_000), "an edit, or one that came for another that somebody deleted, stays");
        assert!(!agreed(10).may_go_too(&passed(11, 5, Some(2_000)), 0), "which ones came later is not known");
        assert!(!agreed(10).may_go_too(&passed(1, 1, Some(2_000)), 10), "all that were agreed to are gone");
        let mut stays = agreed(10);
        assert!(!stays.may_go_too(&Passed { moved: 1, ..passed(10, 0, None) }, 0));
        assert!(!stays.may_go_too(&passed(5, 5, Some(2_000)), 5), "others came in the place of what was listed");
        let mut stays = agreed(10);
        assert!(stays.may_go_too(&passed(10, 5, None), 0));
        assert_eq!(stays.until_ms, Some(1_000), "what does not say when it was written stays");
        let mut others = Stays { until_ms: Some(1_000), why: Why::BackedUp(10) };
        assert!(!others.may_go_too(&passed(10, 5, Some(2_000)), 0), "what a backup lacks stays");
    }

    #[test]
    fn what_stayed_and_what_went_beyond_is_said() {
        let passed = |deleted, newer| Passed { deleted, newer, ..Passed::default() };
        assert_eq!(agreed(10).told(&passed(10, 0)), (Vec::new(), true));
        let (said, whole) = agreed(1).told(&passed(1, 2));
        let than = NewerThan::TheConfirmation { objects: 1 };
        assert_eq!((said, whole), (vec![ClearRemark::NewerStay { objects: 2, than }], false));
        let (said, whole) = agreed(10).told(&passed(12, 0));
        let than = MoreThan::Confirmed;
        assert_eq!((said, whole), (vec![ClearRemark::MoreDeleted { objects: 2, than }], false));
        let backed_up = Stays { until_ms: Some(1_000), why: Why::BackedUp(10) };
        let found = Passed { deleted: 9, differing: 1, uncompared: Some("no".into()), ..Passed::default() };
        let (said, whole) = backed_up.told(&found);
        let one_replica = ClearRemark::DeletedByOneReplica { reason: "no".into() };
        assert_eq!((said, whole), (vec![ClearRemark::OtherVersionsStay { objects: 1 }, one_replica], false));
        assert!(backed_up.told(&Passed { differing: 0, ..found }).1, "that nothing was compared is only said");
        let why = Why::Counted { objects: 12, last_ms: 3_000, sorted: false, agreed: false, planned: Some(10) };
        let counted = Stays { until_ms: Some(1_000), why };
        assert!(counted.told(&passed(12, 0)).1, "it was meant to be empty");
        let (said, whole) = counted.told(&passed(12, 1));
        let newer = ClearRemark::NewerStay { objects: 1, than: NewerThan::TheCount { objects: 12 } };
        let more = ClearRemark::MoreDeleted { objects: 2, than: MoreThan::Planned };
        assert_eq!((said, whole), (vec![newer, more], false));
        let uncounted = Stays { until_ms: Some(3_000), why: Why::Uncounted };
        assert_eq!(uncounted.told(&passed(12, 0)), (Vec::new(), true));
    }
}
