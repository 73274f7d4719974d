//! Which objects a deletion leaves: what no backup holds, or what came after they were counted.

use super::CollectionClear;
use super::delete::Passed;
use super::unchanged::Proven;
use crate::model::counted;

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

    /// What is to be known, each as a clause, and whether the collection is as empty as it was meant to be.
    pub(super) fn told(&self, passed: &Passed) -> (Vec<String>, bool) {
        let many = |objects: u64| counted(objects, "object");
        let (most, written, than) = match &self.why {
            Why::Uncounted => (None, "written after the run had looked at it".to_owned(), ""),
            Why::Counted { objects, agreed: false, planned, .. } => {
                let written = format!("written after {} had been counted, or in that second", many(*objects));
                (*planned, written, "there was when it was planned, as somebody writes to it")
            }
            Why::Counted { objects, .. } => {
                let confirmed = if *objects == 1 { "was confirmed" } else { "were confirmed" };
                let written = format!("written after {} {confirmed}, or in that second", many(*objects));
                (Some(*objects), written, "was confirmed")
            }
            Why::BackedUp(objects) => {
                let written = "written after the comparison with the backup, which does not hold them";
                (Some(*objects), written.to_owned(), "the backup holds")
            }
        };
        let mut remarks = Vec::new();
        if passed.newer > 0 {
            remarks.push(format!("not empty: {} {written}: not deleted", many(passed.newer)));
        }
        if passed.differing > 0 {
            let objects = many(passed.differing);
            remarks.push(format!("not empty: {objects} with other versions on other replicas: not deleted, as the backup holds one of them"));
        }
        if let Some(reason) = &passed.uncompared {
            remarks.push(format!(
                "deleted as one replica listed it, which could not be compared with the others: {reason}"
            ));
        }
        let more = most.and_then(|most| passed.deleted.checked_sub(most)).filter(|more| *more > 0);
        if let Some(more) = more {
            remarks.push(format!("more was deleted than {than}: {}", many(more)));
        }
        let told_only = matches!(self.why, Why::Counted { agreed: false, .. });
        (remarks, passed.stay() == 0 && (told_only || more.is_none()))
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
        assert_eq!(said, ["not empty: 2 objects written after 1 object was confirmed, or in that second: not deleted"]);
        assert!(!whole);
        let (said, whole) = agreed(10).told(&passed(12, 0));
        assert_eq!((&said[..], whole), (&["more was deleted than was confirmed: 2 objects".to_owned()][..], false));
        let backed_up = Stays { until_ms: Some(1_000), why: Why::BackedUp(10) };
        let found = Passed { deleted: 9, differing: 1, uncompared: Some("no".into()), ..Passed::default() };
        let (said, whole) = backed_up.told(&found);
        assert!(!whole && said.len() == 2 && said[0].contains("1 object with other versions"), "{said:?}");
        assert!(backed_up.told(&Passed { differing: 0, ..found }).1, "that nothing was compared is only said");
        let why = Why::Counted { objects: 12, last_ms: 3_000, sorted: false, agreed: false, planned: Some(10) };
        let counted = Stays { until_ms: Some(1_000), why };
        assert!(counted.told(&passed(12, 0)).1, "it was meant to be empty");
        let (said, whole) = counted.told(&passed(12, 1));
        assert_eq!(
            said[0],
            "not empty: 1 object written after 12 objects had been counted, or in that second: not deleted"
        );
        assert!(!whole && said.len() == 2, "{said:?}");
        let uncounted = Stays { until_ms: Some(3_000), why: Why::Uncounted };
        assert_eq!(uncounted.told(&passed(12, 0)), (Vec::new(), true));
    }
}
