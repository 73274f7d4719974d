//! Inactive tenants: activated a few at a time, written down before, and deactivated right after. Beside what reads and
//! writes, never inside it: it sends requests that write.

mod late;
pub mod runs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::journal::{self, RunJournal};
use crate::archive::RunRecord;
use crate::archive::runfiles::FirstObject;
use crate::event::ActivationRefusal;
use crate::model::{CollectionName, TenantName};
use crate::weaviate::{self, Tenant, TenantState, Writer};

pub use late::Late;

/// Tenants of one collection that are active at once because of us.
pub const ACTIVE_AT_ONCE: usize = 32;
/// Tenants of one window: one request activates them all.
pub const TENANTS_A_WINDOW: usize = 8;
/// Tenants that were just activated whose first objects are asked for at once.
const FIRSTS_AT_ONCE: usize = 4;
/// Longest time until it is looked whether tenants are inactive that the server says it deactivated: the next time that others
/// are. Seconds, so that whoever activates one for good reason is not taken for a server that did not do it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often tenants are deactivated that are seen active afterwards, before they are left so.
const DEACTIVATION_TRIES: usize = 2;

/// Why tenants could not be activated, or not be deactivated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server.
    #[error(transparent)]
    Wire(#[from] weaviate::Error),
    /// The journal that says what was activated.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

impl Error {
    /// Why the server activates no tenant, for the key or for its own mode; `None` if it failed for another reason.
    #[must_use]
    pub fn refusal(&self) -> Option<ActivationRefusal> {
        let Self::Wire(error) = self else { return None };
        let cause = error.lasting().map(|cause| ActivationRefusal::Server { cause: cause.to_string().into() });
        cause.or_else(|| error.is_auth().then_some(ActivationRefusal::Key))
    }

    /// Whether tenants stay active since replicas of theirs are being moved, which passes.
    #[must_use]
    pub fn is_blocked_by_move(&self) -> bool {
        matches!(self, Self::Wire(error) if weaviate::is_blocked_by_move(error))
    }
}

/// The inactive tenants of one collection, and those of them that are active for us at the moment. Whoever holds a [`Window`]
/// hands it to [`Activation::deactivate`] before asking for another one, or each may wait for what the other holds;
/// [`runs::ActivateRuns`] does otherwise, and says why it may.
#[derive(Debug)]
pub struct Activation {
    writer: Writer,
    collection: CollectionName,
    /// `None`: whoever it is asked to activate.
    inactive: Option<Arc<BTreeSet<TenantName>>>,
    /// `None` where what is activated is the run's own and goes with it.
    journal: Option<RunJournal>,
    permits: Arc<Semaphore>,
    /// Held while the server is told, so that nobody reads a tenant too early.
    active: Mutex<Holders>,
    /// The journal also tells what became of tenants that another run had activated.
    tells_of_others: AtomicBool,
}

/// Who may be active because of us.
#[derive(Debug)]
struct Holders {
    /// How many hold each one active.
    all: BTreeMap<TenantName, usize>,
    /// Those that nobody holds and that the server says it deactivated: not seen inactive yet.
    told: BTreeSet<TenantName>,
    /// When it was looked last whether they are.
    looked: Instant,
}

/// Tenants that are held active, until they are handed to [`Activation::deactivate`]. Those that are dropped instead stay
/// active until [`Activation::deactivate_all`].
#[derive(Debug, Default)]
pub struct Window {
    tenants: Vec<TenantName>,
    permits: Option<OwnedSemaphorePermit>,
}

impl Window {
    /// Whether it holds this tenant.
    #[must_use]
    pub fn holds(&self, tenant: &TenantName) -> bool {
        self.tenants.contains(tenant)
    }
}

impl Activation {
    /// `inactive`: the tenants that are to be so whenever they are not needed; `None`: whoever it is asked to activate.
    #[must_use]
    pub fn new(
        writer: Writer,
        collection: CollectionName,
        inactive: Option<Arc<BTreeSet<TenantName>>>,
        journal: Option<RunJournal>,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(ACTIVE_AT_ONCE));
        Self {
            writer,
            collection,
            inactive,
            journal,
            permits,
            active: Mutex::new(Holders { all: BTreeMap::new(), told: BTreeSet::new(), looked: Instant::now() }),
            tells_of_others: AtomicBool::new(false),
        }
    }

    /// Whether a tenant has to be activated before it is used.
    #[must_use]
    pub fn is_inactive(&self, tenant: &TenantName) -> bool {
        self.inactive.as_ref().is_none_or(|inactive| inactive.contains(tenant))
    }

    /// The tenants of the next window: the first few of these that are inactive.
    #[must_use]
    pub fn next_few<'a>(&self, ahead: impl Iterator<Item = &'a TenantName>) -> Vec<TenantName> {
        let mut few: Vec<TenantName> = Vec::new();
        for tenant in ahead.filter(|tenant| self.is_inactive(tenant)) {
            if few.contains(tenant) {
                continue;
            }
            if few.len() == TENANTS_A_WINDOW {
                break;
            }
            few.push(tenant.clone());
        }
        few
    }

    /// Activates those of the tenants that are inactive, at most [`ACTIVE_AT_ONCE`] of them, and waits while too many others are
    /// active. One that is gone is left out.
    pub async fn activate(&self, tenants: &[TenantName]) -> Result<Window, Error> {
        let mut wanted: Vec<TenantName> = tenants.iter().filter(|tenant| self.is_inactive(tenant)).cloned().collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted.truncate(ACTIVE_AT_ONCE);
        if wanted.is_empty() {
            return Ok(Window::default());
        }
        let permits = u32::try_from(wanted.len()).unwrap_or(1);
        // Nobody closes it.
        let permits = Arc::clone(&self.permits).acquire_many_owned(permits).await.ok();
        let mut active = self.active.lock().await;
        // Nobody holds what a request was begun for that was given up: whether it is active is not known.
        let is_held = |tenant: &TenantName| active.all.get(tenant).is_some_and(|holders| *holders > 0);
        let asked: Vec<TenantName> = wanted.iter().filter(|tenant| !is_held(tenant)).cloned().collect();
        if !asked.is_empty() {
            // Before anything else: whatever comes of it, they may be active.
            for tenant in &asked {
                active.all.entry(tenant.clone()).or_insert(0);
                active.told.remove(tenant);
            }
            self.record(|target| activating(target, asked.clone())).await?;
            if let Err(error) = self.set(&asked, &TenantState::Hot).await {
                if error.refusal().is_some() {
                    // Who may not activate them, for the key or for the server's mode, may not deactivate them either, and need not.
                    self.record(|target| RunRecord::Deactivated { target, tenants: asked.clone() }).await?;
                    active.all.retain(|tenant, _| !asked.contains(tenant));
                }
                return Err(error);
            }
        }
        for tenant in &wanted {
            *active.all.entry(tenant.clone()).or_insert(0) += 1;
        }
        let window = Window { tenants: wanted, permits };
        drop(active);
        self.note_firsts(&asked).await?;
        Ok(window)
    }

    /// Writes down by which object each of the tenants that were activated just now is known again. One that has none, or does
    /// not answer, will not be known again, and so not be deactivated by a later run if this one is killed.
    async fn note_firsts(&self, activated: &[TenantName]) -> Result<(), Error> {
        if self.journal.is_none() || activated.is_empty() {
            return Ok(());
        }
        let looks: Vec<BoxFuture<'_, _>> = activated.iter().map(|tenant| self.first_of(tenant).boxed()).collect();
        let firsts: Vec<_> = stream::iter(looks).buffered(FIRSTS_AT_ONCE).collect().await;
        // Of one that was deactivated meanwhile it is not said that it is active.
        let active = self.active.lock().await;
        let there = |(tenant, _): &(TenantName, FirstObject)| active.all.contains_key(tenant);
        let firsts: BTreeMap<_, _> = firsts.into_iter().flatten().filter(there).collect();
        if firsts.is_empty() {
            return Ok(());
        }
        let tenants = firsts.keys().cloned().collect();
        self.record(|target| RunRecord::Activating { target, tenants, firsts }).await
    }

    async fn first_of(&self, tenant: &TenantName) -> Option<(TenantName, FirstObject)> {
        let first = self.writer.client().first_object(&self.collection, tenant).await.ok().flatten()?;
        Some((tenant.clone(), FirstObject { id: first.id, updated_ms: first.updated_ms }))
    }

    /// Has tenants active while something is done. If that fails they stay so until [`Activation::deactivate_all`].
    pub async fn with<T, E: From<Error>>(
        &self,
        tenants: &[TenantName],
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let window = self.activate(tenants).await?;
        let done = work.await?;
        self.deactivate(window).await?;
        Ok(done)
    }

    /// Lets go of tenants; those that nobody else holds are deactivated, and with them whoever could not be before. While
    /// replicas are being moved the server deactivates none of their tenants: these are tried again with the next ones, and so
    /// are those that are seen active although the server said that it deactivated them.
    pub async fn deactivate(&self, window: Window) -> Result<(), Error> {
        let mut active = self.active.lock().await;
        for tenant in &window.tenants {
            if let Some(holders) = active.all.get_mut(tenant) {
                *holders = holders.saturating_sub(1);
            }
        }
        let Holders { all, told, .. } = &*active;
        let free = all.iter().filter(|(tenant, holders)| **holders == 0 && !told.contains(*tenant));
        let free = free.map(|(tenant, _)| tenant.clone()).collect();
        match self.shut(&mut active, free).await {
            Err(error) if error.is_blocked_by_move() => {
                tracing::debug!(collection = %self.collection, %error, "tenants stay active while replicas move");
            }
            other => other?,
        }
        drop(window.permits);
        if active.looked.elapsed() >= LOOK_EVERY { self.look(&mut active).await } else { Ok(()) }
    }

    /// Takes over tenants that are active because of a run that was killed, each known again by this object: they are
    /// deactivated with all others.
    pub async fn take_over(&self, tenants: BTreeMap<TenantName, FirstObject>) -> Result<(), Error> {
        let mut active = self.active.lock().await;
        let list = tenants.keys().cloned().collect();
        self.tells_of_others.store(true, Ordering::Relaxed);
        let firsts = tenants.clone();
        self.record(|target| RunRecord::Activating { target, tenants: list, firsts }).await?;
        for tenant in tenants.into_keys() {
            active.told.remove(&tenant);
            active.all.entry(tenant).or_insert(0);
        }
        Ok(())
    }

    /// Writes down that tenants are nobody's business any more which a run that was killed left active: somebody deactivated
    /// them, removed them, or made others of their names.
    pub async fn write_off(&self, tenants: &BTreeSet<TenantName>) -> Result<(), Error> {
        if tenants.is_empty() {
            return Ok(());
        }
        let list: Vec<TenantName> = tenants.iter().cloned().collect();
        self.tells_of_others.store(true, Ordering::Relaxed);
        self.record(|target| activating(target, list.clone())).await?;
        self.record(|target| RunRecord::Deactivated { target, tenants: list.clone() }).await
    }

    /// Deactivates whatever is active, whoever holds it: for the end of a run, however it came. Who is seen active although the
    /// server said that it did it is among those that [`Activation::active`] gives afterwards.
    pub async fn deactivate_all(&self) -> Result<(), Error> {
        let mut active = self.active.lock().await;
        for _ in 0..DEACTIVATION_TRIES {
            let Holders { all, told, .. } = &*active;
            let left = all.keys().filter(|tenant| !told.contains(*tenant)).cloned().collect();
            self.shut(&mut active, left).await?;
            self.look(&mut active).await?;
        }
        Ok(())
    }

    /// Whether its journal tells nothing that the next run would not see on the server: whoever it activated is inactive again,
    /// and it says nothing about tenants that an earlier run left active, and still tells of.
    pub async fn left_nothing(&self) -> bool {
        !self.tells_of_others.load(Ordering::Relaxed) && self.active.lock().await.all.is_empty()
    }

    /// The tenants that are active because of us at the moment, or were not seen inactive since.
    pub async fn active(&self) -> Vec<TenantName> {
        self.active.lock().await.all.keys().cloned().collect()
    }

    /// Has the server deactivate tenants. That they are inactive is written down once it was seen.
    async fn shut(&self, active: &mut Holders, tenants: Vec<TenantName>) -> Result<(), Error> {
        if tenants.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.set(&tenants, &TenantState::Cold).await {
            // Tenants of a collection that was removed are not active, and those of one that is recreated are others.
            if !self.writer.client().is_removed(&self.collection).await {
                return Err(error);
            }
            return self.note_inactive(active, &tenants.into_iter().collect()).await;
        }
        match self.journal {
            Some(_) => active.told.extend(tenants),
            // In the end whoever they belong to looks at the states of all of them.
            None => active.all.retain(|tenant, _| !tenants.contains(tenant)),
        }
        Ok(())
    }

    /// Looks who of those that the server says it deactivated is inactive, or gone. The others are as if nobody had said it.
    async fn look(&self, active: &mut Holders) -> Result<(), Error> {
        active.looked = Instant::now();
        if active.told.is_empty() {
            return Ok(());
        }
        let listed = match self.writer.client().tenants(&self.collection).await {
            Ok(listed) => listed,
            Err(_) if self.writer.client().is_removed(&self.collection).await => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut inactive = active.told.clone();
        for tenant in listed.iter().filter(|tenant| tenant.state == TenantState::Hot) {
            if inactive.remove(&tenant.name) {
                tracing::debug!(collection = %self.collection, tenant = %tenant.name, "active, after it was deactivated");
            }
        }
        self.note_inactive(active, &inactive).await?;
        active.told.clear();
        Ok(())
    }

    /// Writes down that tenants are not active because of us any more.
    async fn note_inactive(&self, active: &mut Holders, tenants: &BTreeSet<TenantName>) -> Result<(), Error> {
        if tenants.is_empty() {
            return Ok(());
        }
        self.record(|target| RunRecord::Deactivated { target, tenants: tenants.iter().cloned().collect() }).await?;
        active.all.retain(|tenant, _| !tenants.contains(tenant));
        active.told.retain(|tenant| !tenants.contains(tenant));
        Ok(())
    }

    async fn record(&self, record: impl FnOnce(CollectionName) -> RunRecord) -> Result<(), Error> {
        match &self.journal {
            Some(journal) => Ok(journal.record(record(self.collection.clone())).await?),
            None => Ok(()),
        }
    }

    /// One name that is gone makes the server refuse all of them: then only those that are there are asked for. 1.28
    /// takes the states of the others all the same and opens none of their shards: it says that they are `HOT`, answers
    /// every reading with 500, and opens them only when they are deactivated and activated again.
    async fn set(&self, tenants: &[TenantName], state: &TenantState) -> Result<(), Error> {
        let in_state = |name: &TenantName| Tenant { name: name.clone(), state: state.clone() };
        let wanted: Vec<Tenant> = tenants.iter().map(in_state).collect();
        let refused = match self.writer.set_tenant_states(&self.collection, &wanted).await {
            Ok(()) => return Ok(()),
            Err(refused @ weaviate::Error::Rejected { .. }) => refused,
            Err(other) => return Err(other.into()),
        };
        let there: BTreeSet<TenantName> =
            self.writer.client().tenants(&self.collection).await?.into_iter().map(|tenant| tenant.name).collect();
        let left: Vec<Tenant> = wanted.iter().filter(|tenant| there.contains(&tenant.name)).cloned().collect();
        if left.is_empty() {
            return Ok(());
        }
        if left.len() == wanted.len() {
            return Err(refused.into());
        }
        if *state == TenantState::Hot {
            let shut: Vec<Tenant> =
                left.iter().map(|tenant| Tenant { state: TenantState::Cold, ..tenant.clone() }).collect();
            self.writer.set_tenant_states(&self.collection, &shut).await?;
        }
        Ok(self.writer.set_tenant_states(&self.collection, &left).await?)
    }
}

/// Who is about to be activated, of which nothing is seen yet.
fn activating(target: CollectionName, tenants: Vec<TenantName>) -> RunRecord {
    RunRecord::Activating { target, tenants, firsts: BTreeMap::new() }
}
