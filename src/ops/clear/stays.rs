//! Which objects a deletion leaves: what no backup holds, or what came after the count that somebody agreed to.

use super::Planned;
use super::delete::Passed;
use super::unchanged::Proven;
use crate::model::counted;

/// Which objects stay while one collection is emptied by deleting.
pub(super) struct Stays {
    /// Objects updated after this time, by the server's clock in ms, stay; `None`: none do.
    pub(super) until_ms: Option<i64>,
    why: Why,
}

enum Why {
    /// They go, whoever wrote them: it is only said that there were more than this.
    Planned(Option<u64>),
    /// This many objects were agreed to. `sorted`: which ones they are has been told apart.
    Agreed { objects: u64, sorted: bool },
    /// The backup holds this many.
    BackedUp(u64),
}

impl Stays {
    pub(super) fn new(planned: &Planned, proven: &Proven) -> Self {
        match (&proven.backed_up, planned.agreed) {
            (Some(backed_up), _) => {
                Self { until_ms: Some(backed_up.since.until_ms), why: Why::BackedUp(backed_up.objects) }
            }
            (None, Some(objects)) => {
                Self { until_ms: Some(proven.counted_ms), why: Why::Agreed { objects, sorted: false } }
            }
            (None, None) => Self { until_ms: None, why: Why::Planned(planned.all_objects()) },
        }
    }

    /// Whether what a pass left is to go as well. The server's clock is known to the second: what was written in the one
    /// before the count stays at first, and goes if there is no more than was agreed to.
    pub(super) fn may_go_too(&mut self, passed: &Passed) -> bool {
        let Why::Agreed { objects, sorted } = &mut self.why else { return false };
        if passed.newer == 0 || std::mem::replace(sorted, true) || passed.deleted + passed.newer > *objects {
            return false;
        }
        // What comes from now on is newer.
        self.until_ms = passed.newest_ms.or(self.until_ms);
        passed.newest_ms.is_some()
    }

    /// What is to be known, each as a clause, and whether the collection is as empty as it was meant to be.
    pub(super) fn told(&self, passed: &Passed) -> (Vec<String>, bool) {
        let many = |objects: u64| counted(objects, "object");
        let (most, written, than) = match &self.why {
            Why::Planned(most) => (*most, String::new(), "there was when it was planned, as somebody writes to it"),
            Why::Agreed { objects, .. } => {
                let written = format!("written after {} were confirmed", many(*objects));
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
        let more = most.and_then(|most| passed.deleted.checked_sub(most)).filter(|more| *more > 0);
        if let Some(more) = more {
            remarks.push(format!("more was deleted than {than}: {}", many(more)));
        }
        let told_only = matches!(self.why, Why::Planned(_));
        (remarks, passed.newer == 0 && (told_only || more.is_none()))
    }
}
