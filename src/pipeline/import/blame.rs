//! Tells a server that takes no writes from an object that the server does not take: both may use the same words, since
//! a refusal may repeat what stands in the object.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::group::Outcome;
use crate::weaviate::Fate;
use crate::weaviate::phrases::not_now;

/// So many objects are always believed to be at fault themselves.
const FEW_ACCUSED: u64 = 20;
/// Beyond that, one in so many of the objects written lately.
const ONE_IN: u64 = 8;
/// What is meant by lately, in objects: past this many, older ones count half.
const LATELY: u64 = 4_096;

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    /// Nothing speaks of another time.
    Plain,
    /// Only objects do whose words are known to be about themselves.
    Objects,
    /// The server may take this at another time.
    NotNow {
        /// All it said.
        reason: &'a str,
        /// The words in it that mean so.
        words: &'static str,
        /// Nothing of the group was stored.
        whole: bool,
    },
}

/// What is known about words that were waited out in vain while other objects were stored.
#[derive(Debug, Default)]
pub(super) struct Blame(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    words: BTreeSet<&'static str>,
    accused: u64,
    stored: u64,
}

impl Blame {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the answer for a group means. `made`: the server makes vectors for it.
    pub(super) fn judge<'a>(&self, outcome: &'a Outcome, made: bool) -> Verdict<'a> {
        let fates = match outcome {
            Outcome::Slow => return Verdict::Plain,
            Outcome::Whole(reason) => {
                let not_now = not_now(reason, made).map(|words| Verdict::NotNow { reason, words, whole: true });
                return not_now.unwrap_or(Verdict::Plain);
            }
            Outcome::Judged(fates) => fates,
        };
        let whole = !fates.contains(&Fate::Stored);
        let refused = fates.iter().filter_map(|fate| match fate {
            Fate::Refused(reason) => not_now(reason, made).map(|words| (reason.as_str(), words)),
            _ => None,
        });
        let known = self.known();
        let mut verdict = Verdict::Plain;
        for (reason, words) in refused {
            if whole || !known.words.contains(words) {
                return Verdict::NotNow { reason, words, whole };
            }
            verdict = Verdict::Objects;
        }
        verdict
    }

    /// These words were waited out in vain while other objects were stored.
    pub(super) fn learn(&self, words: &'static str) {
        self.known().words.insert(words);
    }

    /// Objects of a group were stored, and others are given up for words that may mean the server. Whether these can
    /// still be the objects' own fault: with a shard or a node away it is a good part of all objects.
    pub(super) fn book(&self, stored: u64, accused: u64) -> bool {
        let mut known = self.known();
        if known.words.is_empty() {
            return true;
        }
        known.stored += stored;
        known.accused += accused;
        if known.stored + known.accused > LATELY {
            known.stored /= 2;
            known.accused /= 2;
        }
        accused == 0 || known.accused <= FEW_ACCUSED.max(known.stored / ONE_IN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(fates: &[Option<&str>]) -> Outcome {
        let fate = |said: Option<&str>| said.map_or(Fate::Stored, |said| Fate::Refused(said.to_owned()));
        Outcome::Judged(fates.iter().copied().map(fate).collect())
    }

    #[test]
    fn words_that_were_waited_out_are_about_objects_only_where_others_are_stored() {
        let blame = Blame::default();
        let said = Some("this is read only");
        let mixed = judged(&[None, said]);
        assert!(matches!(blame.judge(&mixed, false), Verdict::NotNow { whole: false, .. }));
        blame.learn("read only");
        assert_eq!(blame.judge(&mixed, false), Verdict::Objects);
        assert!(matches!(blame.judge(&judged(&[said, said]), false), Verdict::NotNow { whole: true, .. }));
        let other = judged(&[None, said, Some("EOF")]);
        assert!(matches!(blame.judge(&other, false), Verdict::NotNow { words: "EOF", whole: false, .. }));
        assert_eq!(blame.judge(&judged(&[None, Some("no such property")]), false), Verdict::Plain);
    }

    #[test]
    fn a_third_of_all_objects_is_no_fault_of_the_objects() {
        let blame = Blame::default();
        assert!(blame.book(1_000_000, 0));
        blame.learn("EOF");
        assert!(blame.book(40, 20));
        assert!(!blame.book(40, 20));
        let blame = Blame::default();
        blame.learn("EOF");
        assert!((0..100_000).all(|_| blame.book(99, 1)), "one in a hundred, for as long as it takes");
    }
}
