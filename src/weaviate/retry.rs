//! When to ask again, and how long to wait first. Pure: what is given decides, nothing is waited for or looked up here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Bounds of asking again. The default is the real thing; tests shorten it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Upper bound of the first wait; it doubles with every attempt.
    pub base: Duration,
    /// Upper bound of any wait that the server did not ask for.
    pub cap: Duration,
    /// Longest wait that a server's `Retry-After` can ask for.
    pub retry_after_cap: Duration,
    /// Requests sent for one question, the first included.
    pub attempts: u32,
    /// The same, as long as the server has never answered: a wrong address is told soon.
    pub first_attempts: u32,
    /// The same, for answers that stall: the caller can ask for less.
    pub stalled_attempts: u32,
    /// The same, for counts, which have another way to be found out.
    pub count_attempts: u32,
    /// Retries a run has in any case.
    pub budget_floor: u64,
    /// Further retries, in percent of the questions asked.
    pub budget_percent: u64,
    /// Longest wait for a server that says it is not ready.
    pub ready_wait: Duration,
    /// Pause between two looks at such a server.
    pub ready_pause: Duration,
    /// Longest time for one question about the topology: a server with a hung node answers after 20 s or not at all.
    pub question_timeout: Duration,
    /// Requests sent for one question about the topology, before what fails is taken for a part that is away. Those that
    /// get no answer in time are bounded by `stalled_questions`.
    pub question_attempts: u32,
    /// The same, for those that get no answer in time.
    pub stalled_questions: u32,
    /// Longest time that one question goes on being turned away (429) and sent again.
    pub turn_wait: Duration,
    /// Requests a second that a run does not fall below by itself when it is turned away.
    pub slowest_pace: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(30),
            retry_after_cap: Duration::from_secs(120),
            attempts: 12,
            first_attempts: 4,
            stalled_attempts: 3,
            count_attempts: 4,
            budget_floor: 200,
            budget_percent: 20,
            ready_wait: Duration::from_secs(60),
            ready_pause: Duration::from_millis(500),
            question_timeout: Duration::from_secs(2),
            question_attempts: 6,
            stalled_questions: 2,
            turn_wait: Duration::from_secs(600),
            slowest_pace: 2,
        }
    }
}

/// What a status means for asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Asking again gives the same answer.
    Final,
    /// It may pass.
    Transient,
}

/// Waits of a question that is turned away double so often at most: the pace of the run does the rest.
pub(super) const TURNS_MAX: u32 = 5;

/// Temporary states that come with a status of 4xx, or as a GraphQL error.
const TEMPORARY: [&str; 4] =
    ["leader not found", "resolve node name", "cannot reach enough replicas", "no read replica found"];

/// Whether the server's words name a state that passes.
pub(super) fn is_temporary(message: &str) -> bool {
    TEMPORARY.iter().any(|text| message.contains(text))
}

/// What a single object's answer of 500 says when one replica holds it and another one knows that it was deleted, and the
/// collection does not resolve that: up to 1.32 by default, and for good.
const DELETED_ELSEWHERE: &str = "object has been deleted on another replica";

/// Whether the server's words say that an object is deleted on some replicas and left on others.
pub(super) fn is_deleted_elsewhere(message: &str) -> bool {
    message.contains(DELETED_ELSEWHERE)
}

/// Judges a status other than 2xx with the server's words.
pub(super) fn judge(status: u16, message: &str) -> Verdict {
    let passes = match status {
        500 if is_deleted_elsewhere(message) => false,
        401 | 403 | 501 | 505 => false,
        408 | 425 | 429 | 500..=599 => true,
        status => (400..=499).contains(&status) && is_temporary(message),
    };
    if passes { Verdict::Transient } else { Verdict::Final }
}

/// Whether only the server's words tell what a status means.
pub(super) fn needs_words(status: u16) -> bool {
    (400..=499).contains(&status) && !matches!(status, 401 | 403 | 408 | 413 | 425 | 429)
}

/// The wait after failed attempt number `attempt` (from 1): anything up to base × 2^(attempt-1) or the cap ("full
/// jitter", which spreads many workers best), but not less than what the server asked for. `draw` is random.
pub(super) fn wait(policy: &RetryPolicy, attempt: u32, draw: u64, asked: Option<Duration>) -> Duration {
    let doubled = policy.base.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
    let ceiling = doubled.min(policy.cap).as_micros();
    let drawn = (u128::from(draw) * (ceiling + 1)) >> 64;
    let jitter = Duration::from_micros(u64::try_from(drawn).unwrap_or(u64::MAX));
    jitter.max(asked.unwrap_or_default().min(policy.retry_after_cap))
}

/// Reads `Retry-After`: seconds or an HTTP date. A date means something only against `now`, the server's own clock.
pub(super) fn retry_after(value: &str, now: Option<Timestamp>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    Some(Duration::try_from(http_date(value)?.duration_since(now?)).unwrap_or_default())
}

/// Reads an HTTP date, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(value.trim()).ok().map(|zoned| zoned.timestamp())
}

/// The retries a run may still spend, so that a dying server is not hammered.
#[derive(Debug, Default)]
pub(super) struct Budget {
    questions: AtomicU64,
    retries: AtomicU64,
}

impl Budget {
    /// A question is asked for the first time.
    pub(super) fn question(&self) {
        self.questions.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one retry out of the budget; false if it is used up.
    pub(super) fn take(&self, policy: &RetryPolicy) -> bool {
        let earned = self.questions.load(Ordering::Relaxed).saturating_mul(policy.budget_percent) / 100;
        let limit = policy.budget_floor.saturating_add(earned);
        let spend = |spent: u64| (spent < limit).then_some(spent + 1);
        self.retries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
    }

    /// Retries so far.
    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }
}

/// A seeded source of random numbers (splitmix64) that many tasks can share.
#[derive(Debug)]
pub(super) struct Dice(AtomicU64);

impl Dice {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

    pub(super) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(super) fn draw(&self) -> u64 {
        let mut x = self.0.fetch_add(Self::STEP, Ordering::Relaxed).wrapping_add(Self::STEP);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_final_or_pass() {
        for status in [408, 425, 429, 500, 502, 503, 504, 507, 520, 599] {
            assert_eq!(judge(status, ""), Verdict::Transient, "{status}");
        }
        for status in [300, 307, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 501, 505] {
            assert_eq!(judge(status, "class not found"), Verdict::Final, "{status}");
        }
    }

    #[test]
    fn a_deletion_that_only_some_replicas_know_of_does_not_pass() {
        let said = "repo: object by id: cannot achieve consistency level \"QUORUM\": read repair error: conflict: object \
            has been deleted on another replica";
        assert_eq!(judge(500, said), Verdict::Final);
        assert_eq!(judge(500, "cannot achieve consistency level \"QUORUM\""), Verdict::Transient);
    }

    #[test]
    fn temporary_states_that_come_as_4xx_pass() {
        let said = [
            "leader not found, can not resolve nodes [node3,node2]",
            "shard MdBaywmDjJba: resolve node name \"node3\" to host",
            "broadcast: cannot reach enough replicas",
            "msg:search index m1 code:500 err:no read replica found",
        ];
        for text in said {
            assert_eq!([400, 404, 422].map(|s| judge(s, text)), [Verdict::Transient; 3], "{text}");
            assert_eq!(judge(403, text), Verdict::Final);
        }
    }

    #[test]
    fn waits_stay_within_their_bounds_and_use_them() {
        let (policy, dice) = (RetryPolicy::default(), Dice::new(7));
        for attempt in [1, 2, 5, 9, 10, 12, 40, u32::MAX] {
            let ceiling = (policy.base * 2_u32.pow((attempt - 1).min(15))).min(policy.cap);
            let draws: Vec<Duration> = (0..10_000).map(|_| wait(&policy, attempt, dice.draw(), None)).collect();
            assert!(draws.iter().all(|d| *d <= ceiling), "attempt {attempt}");
            assert!(draws.iter().any(|d| *d < ceiling / 100) && draws.iter().any(|d| *d > ceiling / 100 * 99));
            let mean = draws.iter().sum::<Duration>() / 10_000;
            assert!(mean > ceiling * 45 / 100 && mean < ceiling * 55 / 100, "attempt {attempt}: {mean:?}");
        }
    }

    #[test]
    fn the_seed_alone_decides_the_jitter() {
        let draws = |seed| {
            [(); 5].map(|()| ()).map({
                let dice = Dice::new(seed);
                move |()| dice.draw()
            })
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn the_server_can_ask_for_more_time_up_to_a_cap() {
        let policy = RetryPolicy::default();
        assert_eq!(wait(&policy, 1, 0, Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(wait(&policy, 1, 0, Some(Duration::from_secs(99_999))), policy.retry_after_cap);
        assert_eq!(wait(&policy, 1, u64::MAX, Some(Duration::ZERO)), policy.base);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().expect("a time");
        assert_eq!(retry_after(" 3 ", Some(now)), Some(Duration::from_secs(3)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", Some(now)), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", Some(now)), Some(Duration::ZERO));
        assert_eq!(["", "soon", "-1", "1.5"].map(|text| retry_after(text, Some(now))), [None; 4]);
    }

    #[test]
    fn the_budget_is_a_floor_and_a_share_of_the_questions() {
        let policy = RetryPolicy { budget_floor: 2, budget_percent: 20, ..RetryPolicy::default() };
        let budget = Budget::default();
        assert_eq!([(); 3].map(|()| budget.take(&policy)), [true, true, false]);
        (0..10).for_each(|_| budget.question());
        assert_eq!([(); 3].map(|()| budget.take(&policy)), [true, true, false]);
        assert_eq!(budget.retries(), 4);
    }
}
