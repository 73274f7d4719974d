//! What is emptied is what was planned: looked at again before anything is done to it, and once more right before the
//! request that takes it away.

use std::collections::BTreeMap;
use std::path::Path;

use super::inactive::InactiveTenants;
use super::since::{self, BackedUp, ComparedUntil};
use super::{ClearOptions, ClearPlan, CollectionClear, Method};
use crate::event::{Event, Warning};
use crate::model::{Renames, ServerClock, TenantMap, TenantName};
use crate::ops::activation::ActivationBooks;
use crate::ops::firsts::Became;
use crate::ops::held::is_held_still;
use crate::ops::schema::{self, expiry};
use crate::ops::verify::{CompareOptions, Pair, compare_collection};
use crate::ops::{Error, NotBackedUp, PlanChange, ReadAccess, Session, WriteAccess, live_collections, prove};
use crate::pipeline::compare::{Comparer, Found};
use crate::weaviate::{Count, Tenant, TenantState};

/// What a look at a collection proved before anything was done to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Proven {
    /// What the backup holds of it, if there has to be one.
    pub(super) backed_up: Option<BackedUp>,
    /// What was written up to the first of these times (the server's clock, ms since 1970) was counted with certainty, and
    /// what was written after the second was not.
    pub(super) counted_ms: [i64; 2],
    /// The objects there were, as far as they are active; `None` where they could not be counted.
    pub(super) objects: Option<u64>,
    /// How many of them each tenant has that is to be removed by its name and is active.
    tenants: BTreeMap<TenantName, u64>,
}

/// One collection of a plan, looked at again.
pub(super) struct Unchanged<'a> {
    pub(super) access: WriteAccess<'a>,
    pub(super) plan: &'a ClearPlan,
    pub(super) planned: &'a CollectionClear,
    pub(super) clock: ServerClock,
    pub(super) books: &'a ActivationBooks,
}

impl Unchanged<'_> {
    fn changed(&self, what: PlanChange) -> Error {
        Error::NotAsPlanned { collection: self.planned.name().clone(), what }
    }

    fn written(&self) -> Error {
        self.changed(PlanChange::Written)
    }

    /// It is still what it was when it was planned. A collection that is to be dropped has as many objects as were
    /// confirmed, and what a backup has to hold it holds.
    pub(super) async fn before(&self) -> Result<Proven, Error> {
        let planned = self.planned;
        let name = planned.name();
        self.schema().await?;
        // One that was deactivated meanwhile would be activated by counting it, where the server is set so.
        self.tenants().await?;
        let from_ms = self.clock.certain_ms();
        let tenants = self.counts(planned.tenants.as_deref().filter(|_| planned.some_tenants)).await?;
        let counted = match &tenants {
            Some(counts) => counts.values().cloned().sum(),
            None => live_collections::count(self.access.reading, name, planned.counted()).await?,
        };
        let mut proven = Proven {
            backed_up: None,
            counted_ms: [from_ms, self.clock.future_ms()],
            objects: counted.exact(),
            tenants: tenants.into_iter().flatten().filter_map(|(name, count)| Some((name, count.exact()?))).collect(),
        };
        if planned.agreed.is_some() || planned.method == Method::Recreate {
            self.as_many(planned.objects.exact(), proven.objects)?;
        }
        self.held_still().await?;
        if let Some(archive) = &self.plan.must_hold {
            let since = since::begin(self.access.reading, planned, self.clock).await?;
            proven.backed_up = Some(self.held(archive, since).await?);
            self.tenants().await?;
        }
        Ok(proven)
    }

    /// As many objects as before, where they can be counted, or as were agreed to.
    fn as_many(&self, before: Option<u64>, now: Option<u64>) -> Result<(), Error> {
        let (planned, schema) = (self.planned, &self.planned.standing.schema);
        if let Some(was) = planned.agreed {
            let (collection, expires) = (planned.name().clone(), schema::expires(schema));
            return if now == Some(was) { Ok(()) } else { Err(Error::Moved { collection, was, now, expires }) };
        }
        match (before, now) {
            (Some(before), Some(now)) if before != now => {
                let expires = schema::expires(schema);
                Err(self.changed(PlanChange::Objects { before, now, expires }))
            }
            _ => Ok(()),
        }
    }

    /// What was said of an archive that holds it is true still.
    async fn held_still(&self) -> Result<(), Error> {
        let (access, planned) = (self.access, self.planned);
        is_held_still(access.reading, &planned.doomed(), planned.standing.held_in.as_ref()).await
    }

    /// The objects of each of these tenants that is active.
    async fn counts(&self, tenants: Option<&[Tenant]>) -> Result<Option<BTreeMap<TenantName, Count>>, Error> {
        let Some(tenants) = tenants else { return Ok(None) };
        let counts = live_collections::tenant_counts(self.access.reading, self.planned.name(), tenants).await?;
        Ok(Some(counts.into_iter().collect()))
    }

    /// It is so still, right before it is dropped: nothing was written that the backup lacks, no setting was changed that
    /// the copy of its schema lacks, no tenant came or went. What takes longest is asked first.
    pub(super) async fn at_the_drop(&self, proven: &Proven) -> Result<(), Error> {
        if !self.planned.exists {
            return Ok(());
        }
        if let Some(backed_up) = &proven.backed_up {
            if let Some(inactive) = self.inactive_tenants().await? {
                let held = inactive.hold(&self.inactive(), backed_up).await;
                inactive.end().await;
                held?;
            }
            self.still_held(backed_up).await?;
        } else {
            let (name, counted) = (self.planned.name(), self.planned.counted());
            let now = live_collections::count(self.access.reading, name, counted).await?;
            self.as_many(proven.objects, now.exact())?;
            self.held_still().await?;
        }
        self.schema().await?;
        self.tenants().await
    }

    /// These tenants are still there, in their states, and hold what they held, or what the backup does. Asked right before
    /// they are removed.
    pub(super) async fn at_the_removal(
        &self,
        tenants: &[Tenant],
        proven: &Proven,
        inactive: Option<(&InactiveTenants<'_>, &BackedUp)>,
    ) -> Result<(), Error> {
        if let Some((inactive, backed_up)) = inactive {
            inactive.hold(&inactive_among(tenants), backed_up).await?;
        }
        for (tenant, now) in self.counts(Some(tenants)).await?.into_iter().flatten() {
            let was = proven.tenants.get(&tenant);
            if let (Some(was), Some(now)) = (was, now.exact())
                && *was != now
            {
                return Err(self.changed(PlanChange::TenantObjects { tenant, before: *was, now }));
            }
        }
        self.are_there(tenants).await
    }

    /// What activates the tenants that are emptied and are inactive; `None` where all are active.
    pub(super) async fn inactive_tenants(&self) -> Result<Option<InactiveTenants<'_>>, Error> {
        let (inactive, name) = (self.inactive(), self.planned.name());
        let Some(archive) = self.plan.must_hold.as_ref().filter(|_| !inactive.is_empty()) else { return Ok(None) };
        InactiveTenants::begin(self.access, self.books, archive, name, inactive).await.map(Some)
    }

    fn inactive(&self) -> Vec<TenantName> {
        inactive_among(self.planned.tenants.as_deref().unwrap_or_default())
    }

    /// Its schema is the one that was planned with, and saved.
    async fn schema(&self) -> Result<(), Error> {
        let name = self.planned.name();
        let Some(now) = self.access.ask(self.access.client.schema(name)).await? else {
            return Err(self.changed(PlanChange::Gone));
        };
        if now.text != self.planned.standing.schema.text {
            return Err(self.changed(PlanChange::Schema));
        }
        self.same_shards().await
    }

    /// It is not another one, recreated under the name since the plan: that one has other shards. What cannot be asked proves
    /// nothing, and tenants are their own shards: their first objects tell it.
    pub(super) async fn same_shards(&self) -> Result<(), Error> {
        let (name, before) = (self.planned.name(), &self.planned.standing.shards);
        if self.planned.standing.schema.multi_tenant {
            return Ok(());
        }
        match live_collections::has_any_shard(self.access.reading, name, before).await? {
            Some(false) => Err(Error::Recreated { collection: name.clone() }),
            Some(true) | None => Ok(()),
        }
    }

    /// Its tenants and their states are as they were. Whoever makes tenants disturbs nobody who deletes objects by their
    /// ids, or removes other tenants, unless a backup has to hold them.
    async fn tenants(&self) -> Result<(), Error> {
        let Some(before) = &self.planned.standing.tenants else { return Ok(()) };
        if self.planned.some_tenants || (self.planned.method == Method::Delete && self.plan.must_hold.is_none()) {
            return self.are_there(self.planned.tenants.as_deref().unwrap_or_default()).await;
        }
        let now = self.access.ask(self.access.client.tenants(self.planned.name())).await?;
        if now != *before {
            return Err(self.changed(PlanChange::Tenants));
        }
        self.same_firsts(before).await
    }

    /// Its tenants are those that were planned, and no others recreated under their names: those have other first objects.
    async fn same_firsts(&self, tenants: &[Tenant]) -> Result<(), Error> {
        let (planned, collection) = (self.planned, self.planned.name().clone());
        match (planned.standing.firsts.became(self.access.reading, &collection, tenants).await?, planned.method) {
            (Became::Same, _) => Ok(()),
            // Writers disturb nobody who deletes by ids.
            (Became::Differ(_), Method::Delete) if !planned.some_tenants => Ok(()),
            (Became::Differ(tenant) | Became::Others(tenant), _) => Err(Error::TenantRecreated { collection, tenant }),
        }
    }

    /// It is the collection that was planned, right before the first of its objects is deleted.
    pub(super) async fn is_the_same(&self) -> Result<(), Error> {
        self.same_shards().await?;
        self.same_firsts(self.planned.tenants.as_deref().unwrap_or_default()).await
    }

    pub(super) async fn are_there(&self, tenants: &[Tenant]) -> Result<(), Error> {
        if tenants.is_empty() {
            return Ok(());
        }
        let now = self.access.ask(self.access.client.tenants(self.planned.name())).await?;
        let now: BTreeMap<&TenantName, &TenantState> = now.iter().map(|t| (&t.name, &t.state)).collect();
        match tenants.iter().find(|tenant| now.get(&tenant.name) != Some(&&tenant.state)) {
            Some(tenant) => Err(self.changed(PlanChange::Tenant { tenant: tenant.name.clone() })),
            // Of a whole collection those tell that are active, whichever are looked at.
            None if !self.planned.some_tenants => {
                self.same_firsts(self.planned.tenants.as_deref().unwrap_or_default()).await
            }
            None => self.same_firsts(tenants).await,
        }
    }

    /// The archive holds every object that is there now, and no other.
    async fn held(&self, path: &Path, since: ComparedUntil) -> Result<BackedUp, Error> {
        let name = self.planned.name();
        let quiet = Session { events: self.access.events.only(is_about_states), ..self.access.session.clone() };
        let archive = prove::open(&quiet, path.to_owned()).await?;
        let place = archive.collections().iter().position(|entry| entry.name == name.as_str());
        let Some(at) = place else { return Err(self.changed(PlanChange::NotInBackup)) };
        let tenants = archive.collections()[at].tenants.iter();
        let tenants = tenants.filter_map(|t| Some((t.tenant.as_ref()?.parse().ok()?, t.objects))).collect();
        let indexed = prove::index(&archive, at).await?;
        let same = Comparer::new(&indexed.schema, Renames::default(), false);
        let pair = Pair::archived(archive, at, indexed, name.clone(), TenantMap::Same);
        let ClearOptions { memory_bytes, patience, .. } = self.plan.options;
        let options = CompareOptions::new(same, memory_bytes, patience, self.books.clone());
        let access = ReadAccess { client: self.access.client, session: &quiet };
        let compared = compare_collection(access, Some(self.access.writer), pair, &options).await?;
        if compared.agrees() && compared.digest.is_some() {
            if since.is_newest && compared.found.newest_ms.is_some_and(|newest| newest < since.until_ms) {
                return Err(self.changed(PlanChange::ListedOld));
            }
            let Found { objects, newest_inactive, .. } = compared.found;
            return Ok(BackedUp { since, objects, tenants, newest_inactive });
        }
        let differ = !compared.found.agrees();
        let why = match compared.remarks.into_iter().next() {
            // Nothing that was compared differs: the rest was put out of reach.
            Some(remark) if !differ => NotBackedUp::Found(remark),
            None if compared.left_active > 0 => NotBackedUp::TenantsStayActive,
            _ => NotBackedUp::Written,
        };
        let expired = expiry::may_be_why(&self.planned.standing.schema).filter(|_| compared.found.only_left > 0);
        Err(self.changed(PlanChange::NotBackedUp { why: expired.map_or(why, NotBackedUp::Found) }))
    }

    /// Nothing was written to what is active since it was compared with the backup: as many objects as then, and none newer.
    async fn still_held(&self, backed_up: &BackedUp) -> Result<(), Error> {
        let (planned, name) = (self.planned, self.planned.name());
        if !backed_up.since.is_newest {
            return Err(self.changed(PlanChange::WritesUnknown));
        }
        let newest = since::newest_ms(self.access.reading, planned).await?;
        if newest.is_some_and(|at| at > backed_up.since.until_ms) {
            return Err(self.written());
        }
        let counted = live_collections::count(self.access.reading, name, planned.counted()).await?;
        let inactive: u64 = self.inactive().iter().filter_map(|name| backed_up.tenants.get(name)).sum();
        let active = backed_up.objects.saturating_sub(inactive);
        if counted.exact().is_some_and(|now| now != active) { Err(self.written()) } else { Ok(()) }
    }
}

fn inactive_among(tenants: &[Tenant]) -> Vec<TenantName> {
    let inactive = tenants.iter().filter(|tenant| !tenant.is_active());
    inactive.map(|tenant| tenant.name.clone()).collect()
}

/// Whether it is about tenants that were activated: that is told, whoever activated them and what for.
fn is_about_states(event: &Event) -> bool {
    let Event::Warning(warning) = event else { return false };
    matches!(
        warning,
        Warning::TenantsStayActive { .. }
            | Warning::TenantsLeftActive { .. }
            | Warning::TenantsNotKnownAgain { .. }
            | Warning::MovesAwaited { .. }
    )
}
