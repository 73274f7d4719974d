//! The rules in force and the counts that decide which of them strikes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Change, Fault, Kind, When};
use crate::seeded::mix;

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
        self.lock().armed.push(Armed { fault, matched: 0, struck: 0 });
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
            let fault = &armed.fault;
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
            };
            if strikes && armed.struck < fault.times {
                armed.struck += 1;
                blows += 1;
                struck.kinds.push(fault.kind.clone());
            }
        }
        inner.draws = draws;
        inner.struck += blows;
        struck
    }
}
