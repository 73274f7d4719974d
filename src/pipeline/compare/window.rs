//! The tenants that are awake for one worker: the next few of its unit that sleep, woken with one request, counted with
//! another, and put back when the worker is past them.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::stage::{Error, Round};
use super::units::Segment;
use crate::model::TenantName;
use crate::pipeline::scan;
use crate::pipeline::waking::{self, Awake, Late, TENANTS_A_WINDOW, Waking};

/// Runs ahead of the worker that are looked at for tenants to be woken: who is far ahead would be awake for long.
const RUNS_AHEAD: usize = 64;
/// How long a tenant is waited for that is said to be asleep. Not long: each run of one that somebody else has sleep is
/// waited for anew.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// What is awake, with what was counted of it.
pub(super) struct Window<'a> {
    round: &'a Round,
    awake: Awake,
    counts: BTreeMap<TenantName, u64>,
}

impl<'a> Window<'a> {
    pub(super) fn new(round: &'a Round) -> Self {
        Self { round, awake: Awake::default(), counts: BTreeMap::new() }
    }

    fn waking(&self) -> Option<&'a Waking> {
        self.round.stage.tenants.waking.as_deref()
    }

    /// Lets go of everybody.
    pub(super) async fn close(&mut self) -> Result<(), Error> {
        self.counts.clear();
        if let Some(waking) = self.waking() {
            waking.put_back(std::mem::take(&mut self.awake)).await?;
        }
        Ok(())
    }

    /// Has this tenant awake, and if it was not yet, the next ones with it: `ahead` begins with its run. Whether it can be
    /// woken.
    pub(super) async fn reach(&mut self, ahead: &[Segment], tenant: &TenantName) -> Result<bool, Error> {
        let refused = &self.round.stage.tenants.waking_refused;
        let Some(waking) = self.waking() else { return Ok(true) };
        if self.awake.holds(tenant) || refused.get().is_some() {
            return Ok(self.awake.holds(tenant));
        }
        self.close().await?;
        let mut next: Vec<TenantName> = Vec::new();
        for segment in ahead.iter().take(RUNS_AHEAD).filter(|segment| self.round.stage.left.takes(segment)) {
            if let Some(tenant) = segment.tenant.as_ref().filter(|tenant| waking.sleeps(tenant))
                && next.len() < TENANTS_A_WINDOW
                && !next.contains(tenant)
            {
                next.push(tenant.clone());
            }
        }
        match waking.wake(&next).await {
            Ok(awake) => self.awake = awake,
            Err(waking::Error::Wire(error)) if error.is_auth() || error.lasting().is_some() => {
                let cause = error.lasting().map(|cause| format!("inactive, and cannot be activated: {cause}"));
                let reason = cause.unwrap_or_else(|| "asleep, and the key may not wake tenants".to_owned());
                refused.get_or_init(|| reason);
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
        self.count(&next).await?;
        Ok(true)
    }

    /// Counts those that were woken. Once nothing can be counted, nothing is asked any more.
    async fn count(&mut self, tenants: &[TenantName]) -> Result<(), Error> {
        let stage = &self.round.stage;
        if stage.tenants.sleepers_uncounted.load(Ordering::SeqCst) {
            return Ok(());
        }
        let _slot = self.round.slots.take().await;
        let counts = stage.client.tenant_counts(&stage.target, tenants).await.map_err(scan::Error::Wire)?;
        let known = tenants.iter().zip(&counts).filter_map(|(name, count)| Some((name.clone(), count.exact()?)));
        self.counts = known.collect();
        if self.counts.is_empty() {
            stage.tenants.sleepers_uncounted.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    /// The objects of a tenant that is awake, if they could be counted.
    pub(super) fn counted(&self, tenant: &TenantName) -> Option<u64> {
        self.counts.get(tenant).copied()
    }

    /// Waits before a tenant that is said to be asleep is asked again; `false` once patience is over. `late`: what it was
    /// waited for with so far.
    pub(super) async fn wait(&self, late: &mut Option<Late>) -> bool {
        let Some(pause) = late.get_or_insert_with(|| Late::within(PATIENCE)).next_pause() else { return false };
        tokio::time::sleep(pause).await;
        true
    }
}
