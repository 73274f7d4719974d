//! Tenants that sleep: woken a few at a time, written down before, and put back right after.

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
use crate::model::{CollectionName, TenantName};
use crate::weaviate::{self, Tenant, TenantState, Writer};

/// Tenants of one collection that are awake at once because of us.
pub const AWAKE_AT_ONCE: usize = 32;
/// Tenants that one worker has woken for itself at once: one request wakes them all.
pub const TENANTS_A_WINDOW: usize = 8;
/// Tenants that were just woken whose first objects are asked for at once.
const FIRSTS_AT_ONCE: usize = 4;
/// Longest time until it is looked whether tenants sleep that the server says it put to sleep: the next time that others
/// are put back. Seconds, so that whoever wakes one for good reason is not taken for a server that did not do it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often tenants are put to sleep that are seen active afterwards, before they are left so.
const PUT_BACK_TRIES: usize = 2;

/// Waits for a tenant that was woken and is said to be asleep: not every node hears of it at once. Its pauses double; when
/// they are over it is somebody else who has it sleep. A backup has no use for it: it reads other tenants meanwhile, and
/// in its next round wakes anew whoever was asleep.
#[derive(Debug)]
pub struct Late {
    begun: Instant,
    patience: Duration,
    pause: Duration,
}

impl Late {
    /// The first and the longest pause.
    const PAUSE: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

    /// Begins to wait, for this long.
    #[must_use]
    pub fn within(patience: Duration) -> Self {
        Self { begun: Instant::now(), patience, pause: Self::PAUSE[0] }
    }

    /// The next pause; `None` once patience is over.
    pub fn next_pause(&mut self) -> Option<Duration> {
        let pause = self.pause;
        self.pause = (pause * 2).min(Self::PAUSE[1]);
        (self.begun.elapsed() < self.patience).then_some(pause)
    }
}

/// Why tenants could not be woken, or not be put back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server.
    #[error(transparent)]
    Wire(#[from] weaviate::Error),
    /// The journal that says what was woken.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

impl Error {
    /// Whether tenants stay active since replicas of theirs are being moved, which passes.
    #[must_use]
    pub fn is_blocked_by_move(&self) -> bool {
        matches!(self, Self::Wire(error) if weaviate::is_blocked_by_move(error))
    }
}

/// The tenants of one collection that sleep, and those of them that are awake for us at the moment.
#[derive(Debug)]
pub struct Waking {
    writer: Writer,
    collection: CollectionName,
    /// `None`: whoever it is asked to wake.
    sleepers: Option<BTreeSet<TenantName>>,
    /// `None` where what is woken is the run's own and goes with it.
    journal: Option<RunJournal>,
    permits: Arc<Semaphore>,
    /// Held while the server is told, so that nobody reads a tenant too early.
    awake: Mutex<Holders>,
    /// The journal also tells what became of tenants that another run had woken.
    tells_of_others: AtomicBool,
}

/// Who may be awake because of us.
#[derive(Debug)]
struct Holders {
    /// How many hold each one awake.
    all: BTreeMap<TenantName, usize>,
    /// Those that nobody holds and that the server says it put to sleep: not seen asleep yet.
    told: BTreeSet<TenantName>,
    /// When it was looked last whether they are.
    looked: Instant,
}

/// Tenants that are held awake, until they are handed to [`Waking::put_back`]. Those that are dropped instead stay awake
/// until [`Waking::put_back_all`].
#[derive(Debug, Default)]
pub struct Awake {
    tenants: Vec<TenantName>,
    permits: Option<OwnedSemaphorePermit>,
}

impl Awake {
    /// Whether it holds this tenant.
    #[must_use]
    pub fn holds(&self, tenant: &TenantName) -> bool {
        self.tenants.contains(tenant)
    }

    /// Whether it holds nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }
}

impl Waking {
    /// `sleepers`: the tenants that are to sleep whenever they are not needed; `None`: whoever it is asked to wake.
    #[must_use]
    pub fn new(
        writer: Writer,
        collection: CollectionName,
        sleepers: Option<BTreeSet<TenantName>>,
        journal: Option<RunJournal>,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(AWAKE_AT_ONCE));
        Self {
            writer,
            collection,
            sleepers,
            journal,
            permits,
            awake: Mutex::new(Holders { all: BTreeMap::new(), told: BTreeSet::new(), looked: Instant::now() }),
            tells_of_others: AtomicBool::new(false),
        }
    }

    /// Whether a tenant has to be woken before it is used.
    #[must_use]
    pub fn sleeps(&self, tenant: &TenantName) -> bool {
        self.sleepers.as_ref().is_none_or(|sleepers| sleepers.contains(tenant))
    }

    /// Wakes those of the tenants that sleep, at most [`AWAKE_AT_ONCE`] of them, and waits while too many others are
    /// awake: whoever holds some must put them back before asking for more. One that is gone is left out.
    pub async fn wake(&self, tenants: &[TenantName]) -> Result<Awake, Error> {
        let mut wanted: Vec<TenantName> = tenants.iter().filter(|tenant| self.sleeps(tenant)).cloned().collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted.truncate(AWAKE_AT_ONCE);
        if wanted.is_empty() {
            return Ok(Awake::default());
        }
        let permits = u32::try_from(wanted.len()).unwrap_or(1);
        // Nobody closes it.
        let permits = Arc::clone(&self.permits).acquire_many_owned(permits).await.ok();
        let mut awake = self.awake.lock().await;
        // Nobody holds what a request was begun for that was given up: whether it is awake is not known.
        let is_held = |tenant: &TenantName| awake.all.get(tenant).is_some_and(|holders| *holders > 0);
        let asleep: Vec<TenantName> = wanted.iter().filter(|tenant| !is_held(tenant)).cloned().collect();
        if !asleep.is_empty() {
            // Before anything else: whatever comes of it, they may be awake.
            for tenant in &asleep {
                awake.all.entry(tenant.clone()).or_insert(0);
                awake.told.remove(tenant);
            }
            self.record(|target| waking(target, asleep.clone())).await?;
            if let Err(error) = self.set(&asleep, &TenantState::Hot).await {
                if matches!(&error, Error::Wire(refused) if refused.is_auth() || refused.lasting().is_some()) {
                    // Who may not wake them, for the key or for the server's mode, may not put them back either, and need not.
                    self.record(|target| RunRecord::Asleep { target, tenants: asleep.clone() }).await?;
                    awake.all.retain(|tenant, _| !asleep.contains(tenant));
                }
                return Err(error);
            }
        }
        for tenant in &wanted {
            *awake.all.entry(tenant.clone()).or_insert(0) += 1;
        }
        let held = Awake { tenants: wanted, permits };
        drop(awake);
        self.note_firsts(&asleep).await?;
        Ok(held)
    }

    /// Writes down by which object each of the tenants that were woken just now is known again. One that has none, or does not
    /// answer, will not be known again, and so not be put back by a later run if this one is killed.
    async fn note_firsts(&self, woken: &[TenantName]) -> Result<(), Error> {
        if self.journal.is_none() || woken.is_empty() {
            return Ok(());
        }
        let looks: Vec<BoxFuture<'_, _>> = woken.iter().map(|tenant| self.first_of(tenant).boxed()).collect();
        let firsts: Vec<_> = stream::iter(looks).buffered(FIRSTS_AT_ONCE).collect().await;
        // Of one that was put back meanwhile it is not said that it is awake.
        let awake = self.awake.lock().await;
        let there = |(tenant, _): &(TenantName, FirstObject)| awake.all.contains_key(tenant);
        let firsts: BTreeMap<_, _> = firsts.into_iter().flatten().filter(there).collect();
        if firsts.is_empty() {
            return Ok(());
        }
        let tenants = firsts.keys().cloned().collect();
        self.record(|target| RunRecord::Waking { target, tenants, firsts }).await
    }

    async fn first_of(&self, tenant: &TenantName) -> Option<(TenantName, FirstObject)> {
        let first = self.writer.first_object(&self.collection, tenant).await.ok().flatten()?;
        Some((tenant.clone(), FirstObject { id: first.id, updated_ms: first.updated_ms }))
    }

    /// Lets go of tenants; those that nobody else holds go back to sleep, and with them whoever could not be put back
    /// before. While replicas are being moved the server deactivates none of their tenants: these are tried again with the
    /// next ones, and so are those that are seen active although the server said that it put them to sleep.
    pub async fn put_back(&self, held: Awake) -> Result<(), Error> {
        let mut awake = self.awake.lock().await;
        for tenant in &held.tenants {
            if let Some(holders) = awake.all.get_mut(tenant) {
                *holders = holders.saturating_sub(1);
            }
        }
        let Holders { all, told, .. } = &*awake;
        let free = all.iter().filter(|(tenant, holders)| **holders == 0 && !told.contains(*tenant));
        let free = free.map(|(tenant, _)| tenant.clone()).collect();
        match self.let_sleep(&mut awake, free).await {
            Err(error) if error.is_blocked_by_move() => {
                tracing::debug!(collection = %self.collection, %error, "tenants stay active while replicas move");
            }
            other => other?,
        }
        drop(held.permits);
        if awake.looked.elapsed() >= LOOK_EVERY { self.look(&mut awake).await } else { Ok(()) }
    }

    /// Takes over tenants that are awake because of a run that was killed, each known again by this object: they are put back
    /// with all others.
    pub async fn take_over(&self, tenants: BTreeMap<TenantName, FirstObject>) -> Result<(), Error> {
        let mut awake = self.awake.lock().await;
        let list = tenants.keys().cloned().collect();
        self.tells_of_others.store(true, Ordering::Relaxed);
        let firsts = tenants.clone();
        self.record(|target| RunRecord::Waking { target, tenants: list, firsts }).await?;
        for tenant in tenants.into_keys() {
            awake.told.remove(&tenant);
            awake.all.entry(tenant).or_insert(0);
        }
        Ok(())
    }

    /// Writes down that tenants are nobody's business any more which a run that was killed left awake: somebody put them back,
    /// removed them, or made others of their names.
    pub async fn write_off(&self, tenants: &BTreeSet<TenantName>) -> Result<(), Error> {
        if tenants.is_empty() {
            return Ok(());
        }
        let list: Vec<TenantName> = tenants.iter().cloned().collect();
        self.tells_of_others.store(true, Ordering::Relaxed);
        self.record(|target| waking(target, list.clone())).await?;
        self.record(|target| RunRecord::Asleep { target, tenants: list.clone() }).await
    }

    /// Puts back whatever is awake, whoever holds it: for the end of a run, however it came. Who is seen active although the
    /// server said that it did it is among those that [`Waking::awake`] gives afterwards.
    pub async fn put_back_all(&self) -> Result<(), Error> {
        let mut awake = self.awake.lock().await;
        for _ in 0..PUT_BACK_TRIES {
            let Holders { all, told, .. } = &*awake;
            let left = all.keys().filter(|tenant| !told.contains(*tenant)).cloned().collect();
            self.let_sleep(&mut awake, left).await?;
            self.look(&mut awake).await?;
        }
        Ok(())
    }

    /// Whether its journal tells nothing that the next run would not see on the server: whoever it woke sleeps again, and
    /// it says nothing about tenants that an earlier run left awake, and still tells of.
    pub async fn left_nothing(&self) -> bool {
        !self.tells_of_others.load(Ordering::Relaxed) && self.awake.lock().await.all.is_empty()
    }

    /// The tenants that are awake because of us at the moment, or were not seen asleep since.
    pub async fn awake(&self) -> Vec<TenantName> {
        self.awake.lock().await.all.keys().cloned().collect()
    }

    /// Has the server put tenants to sleep. That they sleep is written down once it was seen.
    async fn let_sleep(&self, awake: &mut Holders, tenants: Vec<TenantName>) -> Result<(), Error> {
        if tenants.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.set(&tenants, &TenantState::Cold).await {
            // Tenants of a collection that was removed are not active, and those of one that is made again are others.
            if !self.writer.is_removed(&self.collection).await {
                return Err(error);
            }
            return self.sleep(awake, &tenants.into_iter().collect()).await;
        }
        match self.journal {
            Some(_) => awake.told.extend(tenants),
            // In the end whoever they belong to looks at the states of all of them.
            None => awake.all.retain(|tenant, _| !tenants.contains(tenant)),
        }
        Ok(())
    }

    /// Looks who of those that the server says it put to sleep sleeps, or is gone. The others are as if nobody had said it.
    async fn look(&self, awake: &mut Holders) -> Result<(), Error> {
        awake.looked = Instant::now();
        if awake.told.is_empty() {
            return Ok(());
        }
        let listed = match self.writer.tenants(&self.collection).await {
            Ok(listed) => listed,
            Err(_) if self.writer.is_removed(&self.collection).await => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut asleep = awake.told.clone();
        for tenant in listed.iter().filter(|tenant| tenant.state == TenantState::Hot) {
            if asleep.remove(&tenant.name) {
                tracing::debug!(collection = %self.collection, tenant = %tenant.name, "active, after it was put to sleep");
            }
        }
        self.sleep(awake, &asleep).await?;
        awake.told.clear();
        Ok(())
    }

    /// Writes down that tenants are not awake because of us any more.
    async fn sleep(&self, awake: &mut Holders, tenants: &BTreeSet<TenantName>) -> Result<(), Error> {
        if tenants.is_empty() {
            return Ok(());
        }
        self.record(|target| RunRecord::Asleep { target, tenants: tenants.iter().cloned().collect() }).await?;
        awake.all.retain(|tenant, _| !tenants.contains(tenant));
        awake.told.retain(|tenant| !tenants.contains(tenant));
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
    /// every reading with 500, and opens them only when they go to sleep and are woken again.
    async fn set(&self, tenants: &[TenantName], state: &TenantState) -> Result<(), Error> {
        let in_state = |name: &TenantName| Tenant { name: name.clone(), state: state.clone() };
        let wanted: Vec<Tenant> = tenants.iter().map(in_state).collect();
        let refused = match self.writer.set_tenant_states(&self.collection, &wanted).await {
            Ok(()) => return Ok(()),
            Err(refused @ weaviate::Error::Rejected { .. }) => refused,
            Err(other) => return Err(other.into()),
        };
        let there: BTreeSet<TenantName> =
            self.writer.tenants(&self.collection).await?.into_iter().map(|tenant| tenant.name).collect();
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

/// Who is about to be woken, of which nothing is seen yet.
fn waking(target: CollectionName, tenants: Vec<TenantName>) -> RunRecord {
    RunRecord::Waking { target, tenants, firsts: BTreeMap::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_with_patience() {
        let mut late = Late::within(Duration::from_secs(60));
        let pauses: Vec<Duration> = std::iter::from_fn(|| late.next_pause()).take(7).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1_000, 1_000].map(Duration::from_millis));
        assert_eq!(Late::within(Duration::ZERO).next_pause(), None);
    }
}
