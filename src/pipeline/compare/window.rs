//! The tenants that are active for one worker: the next few of its unit that are inactive, activated with one request, counted
//! with another, and deactivated when the worker is past them.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::comparison::Round;
use super::error::Error;
use super::units::Segment;
use crate::model::TenantName;
use crate::pipeline::activation::{Late, Window};
use crate::pipeline::scan;

/// Runs ahead of the worker that are looked at for tenants to be activated: who is far ahead would be active for long.
const RUNS_AHEAD: usize = 64;
/// How long a tenant is waited for that is said to be inactive. Not long: each run of one that somebody else deactivates is
/// waited for anew.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// What is active, with what was counted of it.
pub(super) struct ActiveAhead<'a> {
    round: &'a Round,
    window: Window,
    counts: BTreeMap<TenantName, u64>,
}

impl<'a> ActiveAhead<'a> {
    pub(super) fn new(round: &'a Round) -> Self {
        Self { round, window: Window::default(), counts: BTreeMap::new() }
    }

    /// Lets go of everybody.
    pub(super) async fn close(&mut self) -> Result<(), Error> {
        self.counts.clear();
        if let Some(activation) = &self.round.comparison.tenants.activation {
            activation.deactivate(std::mem::take(&mut self.window)).await?;
        }
        Ok(())
    }

    /// Has this tenant active, and if it was not yet, the next ones with it: `ahead` begins with its run. Whether it can be
    /// activated.
    pub(super) async fn reach(&mut self, ahead: &[Segment], tenant: &TenantName) -> Result<bool, Error> {
        let comparison = &self.round.comparison;
        let Some(activation) = &comparison.tenants.activation else { return Ok(true) };
        let refused = &comparison.tenants.activation_refused;
        if self.window.holds(tenant) || refused.get().is_some() {
            return Ok(self.window.holds(tenant));
        }
        self.close().await?;
        let ahead = ahead.iter().take(RUNS_AHEAD).filter(|segment| comparison.left.takes(segment));
        let next = activation.next_few(ahead.filter_map(|segment| segment.tenant.as_ref()));
        match activation.activate(&next).await {
            Ok(window) => self.window = window,
            Err(error) => {
                let Some(reason) = error.refusal() else { return Err(error.into()) };
                refused.get_or_init(|| reason);
                return Ok(false);
            }
        }
        self.count(&next).await?;
        Ok(true)
    }

    /// Counts those that were activated. Once nothing can be counted, nothing is asked any more.
    async fn count(&mut self, tenants: &[TenantName]) -> Result<(), Error> {
        let comparison = &self.round.comparison;
        if comparison.tenants.inactive_uncounted.load(Ordering::SeqCst) {
            return Ok(());
        }
        let _slot = self.round.slots.take().await;
        let counts = comparison.client.tenant_counts(&comparison.target, tenants).await.map_err(scan::Error::Wire)?;
        let known = tenants.iter().zip(&counts).filter_map(|(name, count)| Some((name.clone(), count.exact()?)));
        self.counts = known.collect();
        if self.counts.is_empty() {
            comparison.tenants.inactive_uncounted.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    /// The objects of a tenant that is active, if they could be counted.
    pub(super) fn counted(&self, tenant: &TenantName) -> Option<u64> {
        self.counts.get(tenant).copied()
    }

    /// Waits before a tenant that is said to be inactive is asked again; `false` once patience is over. `late`: what it was
    /// waited for with so far.
    pub(super) async fn wait(&self, late: &mut Option<Late>) -> bool {
        let Some(pause) = late.get_or_insert_with(|| Late::within(PATIENCE)).next_pause() else { return false };
        tokio::time::sleep(pause).await;
        true
    }
}
