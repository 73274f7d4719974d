//! Tells a server that takes no writes from an object that the server does not take: both may use the same words, since
//! a refusal may repeat what stands in the object.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::group::{Fate, Outcome};

/// States of the server: frozen, or short of memory, disk or files, of which each active tenant
/// keeps several open.
const STATE: [&str; 5] = ["read-only", "read only", "not enough memory", "no space left", "too many open files"];
/// A node is away.
const CLUSTER: [&str; 5] =
    ["resolve node name", "cannot reach enough replicas", "leader not found", "no read replica found", "local index"];
/// A connection broke: between two nodes, or between a node and a vectoriser.
const CONNECTION: [&str; 8] = [
    "connection refused",
    "connection reset by peer",
    "broken pipe",
    "context deadline exceeded",
    "i/o timeout",
    "EOF",
    "shutting down",
    "not ready",
];
/// A vector has another length than the index takes: in the words of every version and kind of index.
const LENGTHS: [&str; 3] = ["lengths don't match", "vector with length", "dimension"];
/// So many objects are always believed to be at fault themselves.
const FEW_ACCUSED: u64 = 20;
/// Beyond that, one in so many of the objects written lately.
const ONE_IN: u64 = 8;
/// What is meant by lately, in objects: past this many, older ones count half.
const LATELY: u64 = 4_096;

/// The words in what a server said that mean "not now". Where it makes vectors (`made`), a connection may have broken
/// between it and the vectoriser, which is no reason to wait with writing.
pub(super) fn not_now(reason: &str, made: bool) -> Option<&'static str> {
    let connection = CONNECTION.iter().filter(|_| !made);
    STATE.iter().chain(&CLUSTER).chain(connection).find(|words| says(reason, words)).copied()
}

/// Whether what a server said is about the length of a vector.
pub(super) fn is_about_lengths(reason: &str) -> bool {
    LENGTHS.iter().any(|words| reason.contains(words))
}

/// Whether the words stand in the text as words: "EOF" is no part of "GEOFENCE".
fn says(text: &str, words: &str) -> bool {
    let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    text.match_indices(words).any(|(at, _)| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + words.len()..]);
        !letter(before.last()) && !letter(after.first())
    })
}

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
    fn words_are_found_as_words_and_a_vectorisers_do_not_count() {
        for said in [
            "store is read-only due to: memory pressure",
            "put object: unexpected EOF",
            "dial tcp 10.0.0.1:7001: i/o timeout",
            "read tcp: connection reset by peer",
            "shard is shutting down",
            "store not ready",
            "write: broken pipe",
            "open /data/c/t1/proplengths.tmp: too many open files",
        ] {
            assert!(not_now(said, false).is_some(), "{said}");
        }
        assert_eq!(not_now("invalid property 'GEOFENCE'", false), None);
        assert_eq!(not_now("vectorize: dial tcp: connection refused", true), None);
        assert_eq!(not_now("store is read-only", true), Some("read-only"));
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
