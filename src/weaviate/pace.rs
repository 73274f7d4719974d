//! How many requests a second a server takes, learned from its refusals (429). Pure: it is told what happened and when,
//! and says how long the next request has to wait. Nothing is held back until a question is turned away twice in a row:
//! one that is answered when it is asked again says nothing about a pace. Then the pace is what got through lately; it
//! falls by a fifth with every further refusal, and grows slowly while there is none.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::RateLimit;

/// The stretch that answers are counted over.
const WINDOW: Duration = Duration::from_secs(1);
/// Answers within the window that are remembered: more a second than any limit that is worth learning.
const WINDOW_ANSWERS: usize = 2_000;
/// Refusals so close together are one: requests on their way at the same time.
const ONE_REFUSAL: Duration = Duration::from_secs(1);
/// What is left of the pace after a refusal.
const FALL: f64 = 0.8;
/// Time between two steps up, as long as the pace is below what was turned away.
const STEP: Duration = Duration::from_secs(1);
/// The same at most, near a pace that was turned away before: it doubles with every refusal there.
const STEP_MAX: Duration = Duration::from_secs(16);
/// A step up: this share of the pace for each quiet second, and at least one request a second.
const RISE: f64 = 0.1;
/// Quiet seconds that count at most.
const QUIET_MAX: f64 = 10.0;
/// What is near a pace that was turned away.
const NEAR: f64 = 0.9;
/// Beyond so many requests a second nothing is held back any more.
const FREE: f64 = 1_000.0;
/// Refusals that make a limit: fewer may be chance.
const LIMIT_REFUSALS: u64 = 3;
/// The share of the pace that questions about the topology may take.
const WATCH_SHARE: f64 = 0.25;
/// Longest pause between two rounds of such questions.
const WATCH_PAUSE_MAX: Duration = Duration::from_secs(15);

/// The pace of a run. Times are since the run began.
#[derive(Debug)]
pub(super) struct Pace {
    /// Requests a second; `None` while nothing is held back.
    rate: Option<f64>,
    /// The pace does not fall below this by itself: a question that is turned away waits longer each time anyway.
    slowest: f64,
    /// When the next request may go out.
    next: Duration,
    /// When answers came that were not refusals, within the window.
    answers: VecDeque<Duration>,
    /// When the pace fell last, and when it rose last.
    fell: Option<Duration>,
    rose: Duration,
    last_refusal: Duration,
    /// What got through when it fell last.
    ceiling: f64,
    step: Duration,
    refusals: u64,
    /// What gets through a second, over the falls so far.
    learned: Option<f64>,
}

impl Pace {
    pub(super) fn new(slowest: u32) -> Self {
        Self {
            rate: None,
            slowest: f64::from(slowest).max(0.1),
            next: Duration::ZERO,
            answers: VecDeque::new(),
            fell: None,
            rose: Duration::ZERO,
            last_refusal: Duration::ZERO,
            ceiling: 0.0,
            step: STEP,
            refusals: 0,
            learned: None,
        }
    }

    /// Takes a place for one request: how long it has to wait.
    pub(super) fn reserve(&mut self, now: Duration) -> Duration {
        self.rise(now);
        let Some(rate) = self.rate else { return Duration::ZERO };
        let at = self.next.max(now);
        self.next = at + Duration::from_secs_f64(1.0 / rate);
        at.saturating_sub(now)
    }

    /// An answer came that was no refusal.
    pub(super) fn answered(&mut self, now: Duration) {
        if self.answers.len() == WINDOW_ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back(now);
    }

    /// A request was turned away. Whether it was so `again`, after a first refusal of the same question: a single one says
    /// nothing about a pace. The new pace, if it changed.
    pub(super) fn turned_away(&mut self, now: Duration, again: bool) -> Option<f64> {
        self.refusals += 1;
        if !again {
            return None;
        }
        self.last_refusal = now;
        if self.fell.is_some_and(|fell| now < fell + ONE_REFUSAL) {
            return None;
        }
        let through = self.through(now);
        if let Some(rate) = self.rate {
            self.learned = Some(self.learned.map_or(through, |learned| f64::midpoint(learned, through)));
            // It was turned away where it was before: the next try comes later.
            self.step = if rate >= self.ceiling * NEAR { (self.step * 2).min(STEP_MAX) } else { STEP };
        }
        let fallen = self.rate.map_or(through, |rate| (rate * FALL).min(through)).max(self.slowest);
        (self.rate, self.fell, self.rose, self.ceiling) = (Some(fallen), Some(now), now, through.max(fallen));
        self.next = self.next.min(now + WINDOW).max(now);
        self.rate
    }

    /// Requests a second, while the run is held back.
    #[cfg(test)]
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// How long to rest between two rounds of so many questions that only watch, so that work is not starved.
    pub(super) fn rest(&self, questions: u32) -> Duration {
        let rest = self.rate.map_or(0.0, |rate| f64::from(questions) / (rate * WATCH_SHARE));
        Duration::from_secs_f64(rest.min(WATCH_PAUSE_MAX.as_secs_f64()))
    }

    /// What the server lets through, if it turned requests away often enough to tell.
    pub(super) fn limit(&self) -> Option<RateLimit> {
        let known = self.refusals >= LIMIT_REFUSALS;
        let requests_per_second = self.learned.filter(|_| known)?;
        let requests_per_second = (requests_per_second * 10.0).round() / 10.0;
        Some(RateLimit { requests_per_second, turned_away: self.refusals })
    }

    /// Answers a second within the window.
    fn through(&mut self, now: Duration) -> f64 {
        let since = now.saturating_sub(WINDOW);
        while self.answers.front().is_some_and(|at| *at < since) {
            self.answers.pop_front();
        }
        f64::from(u32::try_from(self.answers.len()).unwrap_or(u32::MAX)) / WINDOW.as_secs_f64()
    }

    fn rise(&mut self, now: Duration) {
        while let Some(rate) = self.rate {
            let step = if rate < self.ceiling * NEAR { STEP } else { self.step };
            if now < self.rose + step {
                return;
            }
            self.rose += step;
            let quiet = self.rose.saturating_sub(self.last_refusal).as_secs_f64().clamp(1.0, QUIET_MAX);
            let risen = rate + (rate * RISE * quiet).max(1.0);
            self.rate = (risen < FREE).then_some(risen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limiter that lets so many through in each second of its own, and many workers that send as soon as they may.
    /// Refused and passed in `seconds`, and the pace in the end.
    fn run(limit: u32, seconds: u64, workers: usize) -> (u32, u32, Pace) {
        let mut pace = Pace::new(1);
        let (mut passed, mut refused, mut second, mut in_second) = (0, 0, u64::MAX, 0);
        let mut free: Vec<(Duration, bool)> = vec![(Duration::ZERO, false); workers];
        loop {
            free.sort_unstable();
            let (now, again) = free[0];
            if now.as_secs() >= seconds {
                return (passed, refused, pace);
            }
            let at = now + pace.reserve(now);
            if at.as_secs() != second {
                (second, in_second) = (at.as_secs(), 0);
            }
            in_second += 1;
            let answer = at + Duration::from_millis(5);
            if in_second > limit {
                refused += 1;
                pace.turned_away(answer, again);
                free[0] = (answer + Duration::from_millis(50), true);
            } else {
                passed += 1;
                pace.answered(answer);
                free[0] = (answer, false);
            }
        }
    }

    #[test]
    fn nothing_is_held_back_before_a_refusal() {
        let mut pace = Pace::new(1);
        assert!((0..10_000).all(|n| pace.reserve(Duration::from_millis(n)).is_zero()));
        assert_eq!((pace.rate(), pace.rest(4), pace.limit()), (None, Duration::ZERO, None));
    }

    #[test]
    fn most_of_what_a_limit_allows_gets_through_and_little_is_refused() {
        for limit in [4, 8, 20, 100] {
            let (passed, refused, pace) = run(limit, 60, 8);
            assert!(passed >= limit * 60 * 6 / 10, "{limit}/s: {passed} got through");
            assert!(refused <= passed / 2 + 24, "{limit}/s: {refused} refused, {passed} got through");
            let learned = pace.limit().expect("a limit").requests_per_second;
            assert!((0.5..1.6).contains(&(learned / f64::from(limit))), "{limit}/s: {learned}");
        }
    }

    #[test]
    fn one_refusal_is_forgotten_within_a_minute_and_makes_no_limit() {
        let mut pace = Pace::new(2);
        (0..3).for_each(|n| pace.answered(Duration::from_millis(n)));
        assert_eq!(pace.turned_away(Duration::from_millis(9), false), None);
        assert_eq!(pace.turned_away(Duration::from_millis(10), true), Some(3.0));
        let waits: Vec<Duration> = (0..60).map(|s| pace.reserve(Duration::from_secs(s))).collect();
        assert!(waits.iter().all(|wait| *wait < Duration::from_secs(1)) && pace.rate().is_none(), "{waits:?}");
        assert_eq!(pace.limit(), None);
    }

    #[test]
    fn refusals_of_requests_on_their_way_together_count_as_one_and_none_goes_below_the_slowest() {
        let mut pace = Pace::new(2);
        let falls = (0..20).filter(|n| pace.turned_away(Duration::from_millis(*n), true).is_some()).count();
        assert_eq!((falls, pace.rate()), (1, Some(2.0)));
        for s in 1..100 {
            pace.turned_away(Duration::from_secs(s * 2), true);
            assert!(pace.rate().is_some_and(|rate| rate >= 2.0));
        }
    }

    #[test]
    fn watching_takes_a_quarter_of_the_pace_and_rests_for_a_bounded_time() {
        let mut pace = Pace::new(1);
        (0..4).for_each(|n| pace.answered(Duration::from_millis(n)));
        pace.turned_away(Duration::from_millis(10), true);
        assert_eq!(pace.rest(4), Duration::from_secs(4));
        assert_eq!(pace.rest(1_000), WATCH_PAUSE_MAX);
    }
}
