//! Tenants that sleep, while runs of theirs are written: woken before the first batch, put back once every run in the
//! window was judged.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::waking::{Awake, Error, TENANTS_A_WINDOW, Waking};
use crate::model::TenantName;

/// Runs, by their places in the index, whose tenants are awake.
#[derive(Debug)]
struct Window {
    open: BTreeSet<usize>,
    awake: Awake,
}

/// The windows of one collection. Who reads the archive opens them, who books the answers closes them.
#[derive(Debug)]
pub struct Windows {
    waking: Waking,
    open: Mutex<Vec<Window>>,
    failed: Mutex<Option<Error>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Windows {
    /// None is open yet.
    #[must_use]
    pub fn new(waking: Waking) -> Self {
        Self { waking, open: Mutex::new(Vec::new()), failed: Mutex::new(None) }
    }

    /// Wakes and puts back.
    #[must_use]
    pub fn waking(&self) -> &Waking {
        &self.waking
    }

    /// Makes sure that the tenant of the first of these runs is awake, and with it the next ones that sleep. `ahead`: that
    /// run and those read after it, by their places, with their tenants on the server. Waits while too many are awake.
    /// Whether all is well; otherwise [`Windows::failure`] tells.
    pub async fn enter<'a>(&self, ahead: impl Iterator<Item = (usize, &'a TenantName)>) -> bool {
        let mut ahead = ahead.peekable();
        let Some((first, tenant)) = ahead.peek() else { return true };
        if !self.waking.sleeps(tenant) || lock(&self.open).iter().any(|window| window.open.contains(first)) {
            return true;
        }
        let (mut tenants, mut open): (Vec<TenantName>, BTreeSet<usize>) = (Vec::new(), BTreeSet::new());
        for (run, tenant) in ahead.filter(|(_, tenant)| self.waking.sleeps(tenant)) {
            if !tenants.contains(tenant) {
                if tenants.len() == TENANTS_A_WINDOW {
                    break;
                }
                tenants.push(tenant.clone());
            }
            open.insert(run);
        }
        match self.waking.wake(&tenants).await {
            Ok(awake) => {
                lock(&self.open).push(Window { open, awake });
                true
            }
            Err(error) => {
                lock(&self.failed).get_or_insert(error);
                false
            }
        }
    }

    /// A run was judged: the last one of a window lets its tenants sleep. Those that cannot be put back now stay with
    /// [`Windows::waking`], and are tried again in the end.
    pub async fn done(&self, run: usize) {
        let over = {
            let mut windows = lock(&self.open);
            let at = windows.iter_mut().position(|window| window.open.remove(&run) && window.open.is_empty());
            at.map(|at| windows.swap_remove(at))
        };
        let Some(Window { awake, .. }) = over else { return };
        if let Err(error) = self.waking.put_back(awake).await {
            tracing::warn!(%error, "tenants are not put back to sleep yet");
        }
    }

    /// Why tenants could not be woken.
    pub fn failure(&self) -> Option<Error> {
        lock(&self.failed).take()
    }
}
