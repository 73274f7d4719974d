//! The one loop that every retried question goes through, within the policy's bounds and the run's budget: an attempt is
//! given to it, and judged by whoever makes it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Error;
use super::ask::{Answer, Ask, Failure};
use super::body::Body;
use super::client::Client;
use super::error::{Bound, Tried};
use super::retry;
use crate::event::Event;

/// What a server may still be doing for a request whose answer was lost is waited for, in first waits of the policy.
const WAITS_TO_MEND: u32 = 20;

/// A failure of a request that may have been carried out, in part or as a whole, or may be later.
#[derive(Debug)]
pub struct Unknown {
    /// The failure.
    pub error: Error,
    /// What `Retry-After` asks for.
    pub(super) retry_after: Option<Duration>,
}

/// What is asked, as far as asking it again goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeat<'a> {
    /// What is told about it.
    pub(super) route: &'a Arc<str>,
    /// Attempts at most; the policy may set a lower bound.
    pub(super) attempts: u32,
    /// The same, for those that stall.
    pub(super) stalls: u32,
}

impl Client {
    /// Asks, and asks again while the failure may pass, within the policy's bounds.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Answer, Error> {
        let repeat = Repeat { route: &ask.route, attempts: ask.attempts, stalls: ask.stalls };
        let (answer, after) = self.repeat(repeat, |nth| self.attempt(ask, nth)).await?;
        Ok(Answer { after, ..answer })
    }

    /// Makes an attempt, the `nth` from 1, and another while the failure may pass. With what came of the last one goes the
    /// failure before it, unless that was only a request turned away.
    pub(super) async fn repeat<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        what: Repeat<'_>,
        make: impl Fn(u32) -> F,
    ) -> Result<(T, Option<Box<Error>>), Error> {
        self.0.budget.question();
        let (started, mut attempt, mut stalls, mut turns, mut stale) = (Instant::now(), 0, 0, 0, false);
        let mut after = None;
        loop {
            let failure = match make(attempt + turns + 1).await {
                Ok(answer) => return Ok((answer, after)),
                Err(failure) => failure,
            };
            if !failure.passing {
                return Err(failure.error);
            }
            let tried = |attempts| Tried { attempts, elapsed: started.elapsed() };
            // Whatever it asks for: it was not carried out.
            if failure.turned_away {
                turns += 1;
                if started.elapsed() >= self.policy().turn_wait {
                    return Err(self.give_up(what.route, failure, tried(attempt + turns), Bound::Turn));
                }
                self.wait_for_turn(what.route, turns, &failure).await;
                continue;
            }
            attempt += 1;
            stalls += u32::from(failure.error.is_stalled());
            // An idle connection that the server had closed: a new one is taken at once, a single time.
            if failure.stale && what.attempts > 1 && !std::mem::replace(&mut stale, true) {
                self.0.again.fetch_add(1, Ordering::Relaxed);
                self.pause(what.route, attempt, Duration::ZERO, failure.error.to_string()).await;
                after = Some(Box::new(failure.error));
                continue;
            }
            // Stalls are bounded by the policy, and by the question where that is less.
            let last_stall = stalls >= what.stalls;
            let may = if last_stall { Err(Bound::Attempts) } else { self.may_retry(attempt, what.attempts, stalls) };
            if let Err(bound) = may {
                return Err(self.give_up(what.route, failure, tried(attempt + turns), bound));
            }
            let wait = retry::wait(self.policy(), attempt, self.0.dice.draw(), failure.retry_after);
            self.pause(what.route, attempt, wait, failure.error.to_string()).await;
            after = Some(Box::new(failure.error));
        }
    }

    /// Waits after a request was turned away, before it is sent again: the server's own wish, or a moment.
    async fn wait_for_turn(&self, route: &Arc<str>, turns: u32, failure: &Failure) {
        self.turned_away(turns);
        self.0.again.fetch_add(1, Ordering::Relaxed);
        let wait = retry::wait(self.policy(), turns.min(retry::TURNS_MAX), self.0.dice.draw(), failure.retry_after);
        self.pause(route, turns, wait, failure.error.to_string()).await;
    }

    /// Asks once, whatever comes; again only where it was turned away, and so not carried out.
    pub(super) async fn send_once(&self, ask: &Ask) -> Result<Answer, Failure> {
        self.0.budget.question();
        let (started, mut turns) = (Instant::now(), 0);
        loop {
            match self.attempt(ask, turns + 1).await {
                Err(failure) if failure.turned_away && started.elapsed() < self.policy().turn_wait => {
                    turns += 1;
                    self.wait_for_turn(&ask.route, turns, &failure).await;
                }
                done => return done,
            }
        }
    }

    /// Asks like [`Client::send`] and returns the whole body.
    pub(super) async fn fetch(&self, ask: &Ask) -> Result<Bytes, Error> {
        match self.send(ask).await?.body {
            Body::Whole(bytes) => Ok(bytes),
            Body::TooLarge => Err(ask.bad_answer("too large")),
        }
    }

    /// Takes a retry out of the run's budget, or says what speaks against it.
    fn may_retry(&self, attempt: u32, attempts_of_ask: u32, stalls: u32) -> Result<(), Bound> {
        let policy = self.policy();
        let attempts = if self.is_reached() { policy.attempts } else { policy.first_attempts };
        if attempts_of_ask == 1 {
            return Err(Bound::Once);
        }
        if attempt >= attempts.min(attempts_of_ask) || stalls >= policy.stalled_attempts {
            return Err(Bound::Attempts);
        }
        if self.0.budget.take(policy) { Ok(()) } else { Err(Bound::Budget { retries: self.0.budget.retries() }) }
    }

    fn give_up(&self, route: &Arc<str>, failure: Failure, tried: Tried, bound: Bound) -> Error {
        if self.is_reached() {
            let (route, Tried { attempts, elapsed }) = (route.clone(), tried);
            return Error::Exhausted { route, attempts, elapsed, bound, last: Box::new(failure.error) };
        }
        if failure.noise {
            return Error::NotWeaviate { host: self.host().clone(), what: "not HTTP".into() };
        }
        match failure.error {
            Error::Unreachable { host, reason, .. } => Error::Unreachable { host, reason, tried: Some(tried) },
            error => error,
        }
    }

    /// Waits before something is asked again that only the caller can judge, within the policy's bounds and the run's
    /// budget of retries. `attempt` counts the failed attempts, from 1. `false`, at once, if the bounds are reached.
    pub async fn wait_to_retry(&self, route: &Arc<str>, attempt: u32, reason: &str) -> bool {
        if self.may_retry(attempt, u32::MAX, 0).is_err() {
            return false;
        }
        let wait = retry::wait(self.policy(), attempt, self.0.dice.draw(), None);
        self.pause(route, attempt, wait, self.safe(reason)).await;
        true
    }

    /// The same after a request that was perhaps carried out, or is still being: what it does should be done before it is
    /// put right. `stalls` counts those of the failed attempts that got no answer in time.
    pub async fn wait_to_mend(&self, route: &Arc<str>, attempt: u32, stalls: u32, unknown: &Unknown) -> bool {
        if self.may_retry(attempt, u32::MAX, stalls).is_err() {
            return false;
        }
        let policy = self.policy();
        let least = policy.base.saturating_mul(WAITS_TO_MEND).max(unknown.retry_after.unwrap_or_default());
        let wait = retry::wait(policy, attempt, self.0.dice.draw(), Some(least));
        self.pause(route, attempt, wait, unknown.error.to_string()).await;
        true
    }

    /// Waits before objects are sent again that an answer refused one by one. This is bounded by their number, so it does
    /// not count against the run's budget of retries.
    pub async fn pause_to_retry(&self, route: &Arc<str>, attempt: u32, reason: &str) {
        self.0.again.fetch_add(1, Ordering::Relaxed);
        let wait = retry::wait(self.policy(), attempt, self.0.dice.draw(), None);
        self.pause(route, attempt, wait, self.safe(reason)).await;
    }

    /// Says that something is asked again, and waits.
    pub(super) async fn pause(&self, route: &Arc<str>, attempt: u32, wait: Duration, reason: String) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::trace!(%route, attempt, wait_ms, reason, "retry");
        self.0.events.emit(Event::Retrying { route: route.clone(), attempt, wait_ms, reason });
        tokio::time::sleep(wait).await;
    }
}
