//! The server's counts around a comparison: of a plain collection, or of the active tenants. Inactive tenants
//! are counted by the comparison, while they are active for it.

use std::collections::BTreeSet;

use super::Comparing;
use crate::event::Warning;
use crate::model::TenantName;
use crate::ops::Error;
use crate::ops::bounds::MOST_ROUNDS;
use crate::pipeline::compare::Comparison;
use crate::weaviate::Count;

/// What is known before the first page.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountBefore {
    /// Whether there will be a count after the last page.
    pub(super) counted: bool,
    /// The count of a plain collection. Tenants are counted once, after the last page, and only if that does not agree
    /// with what was found around one more round.
    pub(super) objects: Option<u64>,
}

/// The count after the last page.
#[derive(Debug, Default)]
pub(super) struct CountAfter {
    /// Objects counted.
    pub(super) objects: Option<u64>,
    /// Tenants whose count is not known any more: they went, or were deactivated.
    pub(super) unknown: BTreeSet<TenantName>,
    /// Why not.
    reason: String,
}

impl Comparing<'_> {
    /// The count before the first page, given by a server that was whole before and after it.
    pub(super) async fn count_before(&mut self) -> Result<CountBefore, Error> {
        for _ in 0..MOST_ROUNDS {
            self.guard.until_whole().await?;
            if self.options.sample.is_some() {
                // It proves nothing of a sample.
                return Ok(CountBefore { counted: false, objects: None });
            }
            match self.first_count().await {
                Ok(count) => {
                    if !self.guard.ask().await {
                        continue;
                    }
                    if let Count::Unknown { reason } = &count {
                        self.warn(reason.clone());
                    }
                    let objects = count.exact();
                    let of_tenants = self.facing.active.is_some();
                    return Ok(CountBefore { counted: objects.is_some(), objects: objects.filter(|_| !of_tenants) });
                }
                Err(Error::Wire(e)) if self.guard.explains(&e).await => {}
                Err(e) => return Err(e),
            }
        }
        Err(self.guard.not_whole().into())
    }

    /// Counts a plain collection, or one tenant to see whether tenants can be counted.
    async fn first_count(&self) -> Result<Count, Error> {
        let Some(active) = &self.facing.active else { return self.access.count(&self.target).await };
        let Some(first) = active.first() else { return Ok(Count::Exact(0)) };
        let counts = self.access.client.tenant_counts(&self.target, std::slice::from_ref(first));
        Ok(self.access.ask(counts).await?.into_iter().next().unwrap_or_else(Count::not_given))
    }

    /// The count after the last page, where there is one.
    pub(super) async fn count_after(&self, counted: bool) -> Result<CountAfter, Error> {
        if !counted {
            return Ok(CountAfter::default());
        }
        let Some(active) = &self.facing.active else {
            let objects = self.first_count().await?.exact();
            return Ok(CountAfter { objects, ..CountAfter::default() });
        };
        let counts = self.access.ask(self.access.client.tenant_counts(&self.target, active)).await?;
        let (mut after, mut all) = (CountAfter::default(), 0);
        for (tenant, count) in active.iter().zip(counts) {
            match count {
                Count::Exact(objects) => all += objects,
                Count::Unknown { reason } => {
                    after.unknown.insert(tenant.clone());
                    after.reason = reason;
                }
            }
        }
        Ok(CountAfter { objects: Some(all), ..after })
    }

    /// From now on these tenants are part of no count, and are read to the empty page.
    pub(super) fn leave_uncounted(&mut self, comparison: &Comparison, tenants: BTreeSet<TenantName>) {
        if let Some(active) = &mut self.facing.active {
            active.retain(|tenant| !tenants.contains(tenant));
            comparison.tenants.leave_uncounted(tenants);
        }
    }

    /// Says that some tenants could not be counted to the end.
    pub(super) fn warn_of(&self, after: &CountAfter) {
        if !after.unknown.is_empty() {
            self.warn(after.reason.clone());
        }
    }

    fn warn(&self, reason: String) {
        self.uncounted.get_or_init(|| reason.clone());
        self.access.events.warn(Warning::CountUnchecked { collection: self.target.clone(), reason });
    }
}
