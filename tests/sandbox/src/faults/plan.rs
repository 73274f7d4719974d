//! The rules in force and the counts that decide which of them strikes.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Change, Fault, Kind, When};
use crate::seeded::mix;

const SECOND: Duration = Duration::from_secs(1);

/// The faults of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    armed: Vec<Armed>,
    changes: Vec<(u64, Change)>,
    seed: u64,
    requests: u64,
    draws: u64,
    not_ready: u64,
    struck: u64,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    matched: u64,
    struck: u64,
    /// Paths that were asked for.
    paths: BTreeSet<String>,
    /// When the second began that is counted, and the requests in it.
    second: Option<(Instant, u64)>,
}

impl Armed {
    /// Whether this request is beyond what the second holds.
    fn is_beyond(&mut self, a_second: u64) -> bool {
        let now = Instant::now();
        let (began, requests) = self.second.filter(|(began, _)| began.elapsed() < SECOND).unwrap_or((now, 0));
        self.second = Some((began, (requests + 1).min(a_second)));
        requests >= a_second
    }
}

/// What happens to one request.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) changes: Vec<Change>,
}

impl Plan {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.lock().armed.push(Armed { fault, matched: 0, struck: 0, paths: BTreeSet::new(), second: None });
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.armed.clear();
        inner.changes.clear();
        inner.not_ready = 0;
    }

    pub(crate) fn seed(&self, seed: u64) {
        let mut inner = self.lock();
        inner.seed = seed;
        inner.draws = 0;
    }

    pub(crate) fn at(&self, request: u64, change: Change) {
        self.lock().changes.push((request, change));
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// How often a rule struck.
    pub(crate) fn struck(&self) -> u64 {
        self.lock().struck
    }

    pub(crate) fn set_not_ready(&self, calls: u64) {
        self.lock().not_ready = calls;
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.lock().not_ready == 0
    }

    /// Answers one `ready` call; false while it says no.
    pub(crate) fn ask_ready(&self) -> bool {
        let mut inner = self.lock();
        let ready = inner.not_ready == 0;
        inner.not_ready = inner.not_ready.saturating_sub(1);
        ready
    }

    /// Counts a request and says what happens to it.
    pub(crate) fn strike(&self, method: &str, path: &str, query: &str, writing: bool) -> Struck {
        let mut inner = self.lock();
        inner.requests += 1;
        let now = inner.requests;
        let mut struck = Struck::default();
        inner.changes.retain(|(at, change)| {
            let due = *at <= now;
            if due {
                struck.changes.push(change.clone());
            }
            !due
        });
        let (seed, mut draws, mut blows) = (inner.seed, inner.draws, 0);
        for armed in &mut inner.armed {
            let fault = armed.fault.clone();
            let meant = fault.method.as_deref().is_none_or(|m| m == method)
                && path.starts_with(&fault.path)
                && (!fault.exact || path == fault.path)
                && fault.query.as_deref().is_none_or(|q| query.contains(q))
                && fault.writing.is_none_or(|w| w == writing);
            if !meant {
                continue;
            }
            armed.matched += 1;
            let strikes = match fault.when {
                When::Nth(n) => armed.matched == n,
                When::After(n) => armed.matched > n,
                When::Chance(per_mille) => {
                    draws += 1;
                    mix(seed, draws) % 1000 < per_mille
                }
                When::OnceAPath => armed.paths.insert(format!("{method} {path}")),
                When::Beyond(a_second) => armed.is_beyond(a_second),
            };
            if strikes && armed.struck < fault.times {
                armed.struck += 1;
                blows += 1;
                struck.kinds.push(fault.kind);
            }
        }
        inner.draws = draws;
        inner.struck += blows;
        struck
    }
}
