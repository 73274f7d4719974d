//! A pass over the tenants of a collection that are still to be read: those that are active side by side, then those that
//! are inactive, a few at a time; and the books of what is known about each.

mod in_order;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{TenantsBackup, out_of_reach};
use crate::archive::CollectionWriter;
use crate::event::{ActivationRefusal, Event, SkipReason};
use crate::model::{KeyRange, TenantName};
use crate::ops::Error;
use crate::ops::proof::{self, Evidence, Verdict};
use crate::pipeline::Batch;
use crate::pipeline::activation::{ACTIVE_AT_ONCE, TENANTS_A_WINDOW};
use crate::pipeline::guard::{Guard, Mark};
use crate::pipeline::keyspace::Stretch;
use crate::pipeline::scan::{Scan, Scanned, UNPRINTABLE_IDS};
use crate::pipeline::store::Store;
use crate::weaviate::{Count, Tenant, TenantState, TenantTrouble};

/// Rounds in which a tenant is found inactive whenever it is read, the first included, before it is given up: each activates it
/// anew and reads others meanwhile, so that nobody waits for it in one place.
const TRIES: u32 = 5;
/// Tenants that are read before they are counted, at most.
const TENANTS_AT_ONCE: usize = 1_000;
/// Windows of active tenants side by side.
const WINDOWS_AT_ONCE: usize = ACTIVE_AT_ONCE / TENANTS_A_WINDOW;

/// Whether a tenant is wanted: all are, unless some were named.
pub(in crate::ops::backup) fn wants(named: &[TenantName], tenant: &TenantName) -> bool {
    named.is_empty() || named.contains(tenant)
}

/// What is known about the tenants of a collection.
pub(super) struct Books {
    /// The state that each tenant has while nobody reads it.
    states: BTreeMap<TenantName, TenantState>,
    /// Tenants that cannot be read, and why.
    pub(super) skipped: BTreeMap<TenantName, SkipReason>,
    /// Tenants that came since the first list.
    pub(super) added: BTreeSet<TenantName>,
    /// Tenants that went since they were first seen.
    pub(super) deleted: BTreeSet<TenantName>,
    /// Whether tenants can be counted.
    pub(super) countable: bool,
    /// What was listed and counted of each when it was last read, and whether that agrees.
    read: BTreeMap<TenantName, (u64, Option<u64>, Verdict)>,
    /// Counts did not agree once: from now on each tenant is read to the empty page and between two counts.
    careful: bool,
    /// Times a tenant could not be read.
    tries: BTreeMap<TenantName, u32>,
    /// Tenants that an interrupted run had kept something of: they are counted even if nothing is left to read.
    uncounted: BTreeSet<TenantName>,
    /// Tenants of which an interrupted run kept objects, and that have none any more: these may be the last there are.
    emptied: BTreeSet<TenantName>,
}

/// A tenant with the keys that are to be read of it.
#[derive(Debug, Clone)]
pub(super) struct Todo {
    tenant: TenantName,
    ranges: Vec<KeyRange>,
    /// Objects of it that were read already.
    kept: u64,
}

impl Books {
    pub(super) fn new(listed: Vec<Tenant>, named: &[TenantName]) -> Self {
        let mut books = Self {
            states: BTreeMap::new(),
            skipped: BTreeMap::new(),
            added: BTreeSet::new(),
            deleted: BTreeSet::new(),
            countable: false,
            read: BTreeMap::new(),
            careful: false,
            tries: BTreeMap::new(),
            uncounted: BTreeSet::new(),
            emptied: BTreeSet::new(),
        };
        for tenant in listed.into_iter().filter(|tenant| wants(named, &tenant.name)) {
            books.enter(tenant);
        }
        books
    }

    fn enter(&mut self, tenant: Tenant) {
        if let Some(reason) = out_of_reach(&tenant) {
            self.skipped.insert(tenant.name.clone(), reason);
        }
        self.states.insert(tenant.name, tenant.state);
    }

    /// What proves that tenants were read to their end, the way it stands.
    pub(super) fn proof(&self) -> TenantProof {
        match (self.countable, self.careful) {
            (false, _) => TenantProof::EmptyPage,
            (true, false) => TenantProof::Count,
            (true, true) => TenantProof::TwoCounts,
        }
    }

    pub(super) fn first_active(&self) -> Option<TenantName> {
        self.states.iter().find(|(_, state)| **state == TenantState::Hot).map(|(name, _)| name.clone())
    }

    /// Takes in the tenants that an interrupted run had kept something of. Gives those that are not there any more, or cannot
    /// be read: nothing of them is to be in the archive.
    pub(super) fn take_over(&mut self, kept: BTreeSet<TenantName>) -> BTreeSet<TenantName> {
        let there = |name: &TenantName| self.states.contains_key(name) && !self.skipped.contains_key(name);
        let (there, gone) = kept.into_iter().partition(there);
        self.uncounted = there;
        gone
    }

    /// Whether a tenant can be read as it is.
    pub(super) fn is_active(&self, tenant: &TenantName) -> bool {
        self.states.get(tenant) == Some(&TenantState::Hot)
    }

    fn is_inactive(&self, tenant: &TenantName) -> bool {
        self.states.get(tenant) == Some(&TenantState::Cold)
    }

    /// The tenants that are not covered yet, as far as they can be read.
    pub(super) fn todo(&self, writer: &CollectionWriter) -> Vec<Todo> {
        let left = self.states.keys().filter(|name| !self.skipped.contains_key(*name) && !self.deleted.contains(*name));
        let todo = left.map(|tenant| Todo {
            tenant: tenant.clone(),
            ranges: writer.gaps(Some(tenant)),
            kept: writer.read_of(Some(tenant)),
        });
        todo.filter(|todo| !todo.ranges.is_empty() || self.uncounted.contains(&todo.tenant)).collect()
    }

    /// The tenants that are there and can be read.
    pub(super) fn readable(&self) -> Vec<TenantName> {
        let left = self.states.keys().filter(|name| !self.skipped.contains_key(*name) && !self.deleted.contains(*name));
        left.cloned().collect()
    }

    /// Takes in what was found of tenants that were scanned.
    fn take(&mut self, scanned: &Scanned) {
        for (tenant, trouble) in &scanned.refused {
            let tries = self.tries.entry(tenant.clone()).or_default();
            *tries += 1;
            if *tries >= TRIES && *trouble == TenantTrouble::Inactive {
                self.skipped.insert(tenant.clone(), SkipReason::StaysInactive);
            }
        }
    }

    /// Tenants whose count did not agree at the first reading: their parts fall, and they are read again, once.
    pub(super) fn take_disagreeing(&mut self) -> BTreeSet<TenantName> {
        if self.careful || !self.disagree() {
            return BTreeSet::new();
        }
        self.careful = true;
        let disagrees = |read: &(u64, Option<u64>, Verdict)| matches!(read.2, Verdict::Disagrees { .. });
        let again = self.read.iter().filter(|(name, read)| disagrees(read) && !self.emptied.contains(*name));
        let again: BTreeSet<TenantName> = again.map(|(name, _)| name.clone()).collect();
        self.read.retain(|name, _| !again.contains(name));
        again
    }

    fn disagree(&self) -> bool {
        self.read.values().any(|(_, _, verdict)| matches!(verdict, Verdict::Disagrees { .. }))
    }

    /// Takes in the list of tenants as it is now: some came, some went, some were deactivated by others.
    pub(super) fn list(&mut self, now: Vec<Tenant>, named: &[TenantName]) {
        let now: BTreeMap<TenantName, Tenant> = now.into_iter().map(|tenant| (tenant.name.clone(), tenant)).collect();
        self.uncounted.retain(|name| now.contains_key(name));
        self.deleted = self.states.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
        for name in &self.deleted {
            self.skipped.remove(name);
        }
        for (name, tenant) in now {
            let refused = self.tries.contains_key(&name) && !self.skipped.contains_key(&name);
            if !self.states.contains_key(&name) && wants(named, &name) {
                self.added.insert(name);
                self.enter(tenant);
            } else if refused && self.states.get(&name) == Some(&TenantState::Hot) {
                self.enter(tenant);
            }
        }
    }

    /// Tenants that cannot be read any more and are not covered: nothing of them is to be in the archive.
    pub(super) fn cut_short(&self, writer: &CollectionWriter) -> BTreeSet<TenantName> {
        let gone = self.deleted.iter().chain(self.skipped.keys());
        let in_part = |tenant: &&TenantName| writer.has_runs(tenant) && !writer.gaps(Some(tenant)).is_empty();
        gone.filter(in_part).cloned().collect()
    }

    /// Objects listed and objects counted of all tenants together, if those of any do not agree.
    pub(super) fn mismatch(&self) -> Option<(u64, u64)> {
        let sum = |of: fn(&(u64, Option<u64>, Verdict)) -> u64| self.read.values().map(of).sum::<u64>();
        self.disagree().then(|| (sum(|read| read.0), sum(|read| read.1.unwrap_or(read.0))))
    }

    /// Objects counted, if every tenant that was read could be counted.
    pub(super) fn counted(&self) -> Option<u64> {
        self.read.values().map(|(_, counted, _)| *counted).sum()
    }

    /// The tenants with their states, for the archive: those that went without having been read are left out.
    pub(super) fn listed(&self) -> Vec<Tenant> {
        let there =
            self.states.iter().filter(|(name, _)| !self.deleted.contains(*name) || self.read.contains_key(*name));
        there.map(|(name, state)| Tenant { name: name.clone(), state: state.clone() }).collect()
    }
}

/// Tenants that were read and are to be counted.
struct Read<'a> {
    todo: &'a [Todo],
    /// Objects counted before they were read, where that was asked.
    before: BTreeMap<TenantName, Option<u64>>,
    scanned: Scanned,
}

impl Read<'_> {
    /// Those that were read to their end.
    fn whole(&self) -> impl Iterator<Item = &Todo> {
        self.todo.iter().filter(|todo| !self.scanned.refused.contains_key(&todo.tenant))
    }

    fn names(&self) -> Vec<TenantName> {
        self.whole().map(|todo| todo.tenant.clone()).collect()
    }
}

/// What proves that tenants were read to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TenantProof {
    /// A count afterwards: a short page may have been the last one.
    Count,
    /// The empty page, and counts before and afterwards: a count did not agree once.
    TwoCounts,
    /// The empty page alone: they cannot be counted.
    EmptyPage,
}

/// What came of a window.
enum WindowEnd<'a> {
    /// Tenants cannot be activated.
    Refused(ActivationRefusal),
    /// The tenants that were read, and their counts unless the reading was cut short.
    Read(Read<'a>, Option<BTreeMap<TenantName, Option<u64>>>),
}

/// Books what was read of tenants, and whether their counts agree with it.
fn book(books: &mut Books, read: &Read<'_>, counts: &BTreeMap<TenantName, Option<u64>>) {
    for Todo { tenant, kept, .. } in read.whole() {
        let [objects, changed] = read.scanned.of_tenants.get(tenant).copied().unwrap_or_default();
        let (before, after) = (read.before.get(tenant).copied().flatten(), counts.get(tenant).copied().flatten());
        let listed = kept + objects;
        let verdict = match (books.proof(), after) {
            // Nothing proves that the short page was the end.
            (TenantProof::Count, None) => Verdict::Disagrees { counted: listed },
            _ => proof::judge(Evidence { before, after, listed, changed }),
        };
        books.uncounted.remove(tenant);
        if *kept > 0 && after == Some(0) {
            books.emptied.insert(tenant.clone());
        }
        books.read.insert(tenant.clone(), (listed, after, verdict));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One pass.
pub(super) struct Pass<'a> {
    pub(super) tenants: &'a TenantsBackup<'a>,
    pub(super) mark: Mark,
    pub(super) proof: TenantProof,
}

impl Pass<'_> {
    /// Reads what is to be read. Parts are sealed at the end alone, so that small tenants share them.
    pub(super) async fn run(
        &self,
        store: Store,
        guard: &mut Guard,
        books: &mut Books,
        seen: &mut Scanned,
    ) -> Result<Store, Error> {
        let todo = books.todo(&store.writer);
        if self.tenants.collect.options.subset.limit.is_some() {
            return self.in_order(store, guard, books, &todo, seen).await;
        }
        let (inactive, active): (Vec<Todo>, Vec<Todo>) =
            todo.into_iter().partition(|todo| books.is_inactive(&todo.tenant));
        self.tenants
            .collect
            .beside(store, guard, async |reading, batches| {
                self.group(&active, books, &reading, &batches, seen).await?;
                let Some(why) = self.inactive(&inactive, books, &reading, &batches, seen).await? else {
                    return Ok(());
                };
                // What was read before the key lost the right is in the archive.
                let unread =
                    inactive.iter().map(|todo| &todo.tenant).filter(|tenant| !books.read.contains_key(*tenant));
                for tenant in unread {
                    books.skipped.insert(tenant.clone(), SkipReason::NotActivated { why: why.clone() });
                }
                Ok(())
            })
            .await
    }

    /// How many windows are open at once: each has a request in flight.
    fn windows(&self) -> usize {
        WINDOWS_AT_ONCE.min(self.tenants.collect.options.jobs.unwrap_or(WINDOWS_AT_ONCE)).max(1)
    }

    /// Reads inactive tenants, a few windows of a few at a time. Why they cannot be activated at all, if so.
    async fn inactive(
        &self,
        inactive: &[Todo],
        books: &mut Books,
        reading: &CancellationToken,
        batches: &mpsc::Sender<Batch>,
        seen: &mut Scanned,
    ) -> Result<Option<ActivationRefusal>, Error> {
        // The windows that are open have the first workers; one that is over leaves its own to the next.
        let slots: Mutex<Vec<usize>> = Mutex::new((0..self.windows()).rev().collect());
        let window = |todo| {
            let slots = &slots;
            async move {
                if reading.is_cancelled() {
                    return Ok(None);
                }
                let slot = lock(slots).pop().unwrap_or_default();
                let read = self.window(todo, slot, reading, batches).await;
                lock(slots).push(slot);
                read.map(Some)
            }
        };
        let mut windows = stream::iter(inactive.chunks(TENANTS_A_WINDOW)).map(window).buffer_unordered(self.windows());
        while let Some(window) = windows.next().await {
            match window? {
                None => {}
                Some(WindowEnd::Refused(reason)) => return Ok(Some(reason)),
                Some(WindowEnd::Read(mut read, counts)) => {
                    books.take(&read.scanned);
                    merge(seen, &mut read.scanned);
                    if let Some(counts) = counts {
                        book(books, &read, &counts);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Activates a few tenants, reads and counts them, and deactivates them.
    async fn window<'t>(
        &self,
        todo: &'t [Todo],
        slot: usize,
        reading: &CancellationToken,
        batches: &mpsc::Sender<Batch>,
    ) -> Result<WindowEnd<'t>, Error> {
        let names: Vec<TenantName> = todo.iter().map(|todo| todo.tenant.clone()).collect();
        let activation = &self.tenants.activating().await?.activation;
        let active = match activation.activate(&names).await {
            Ok(active) => active,
            Err(error) => return error.refusal().map(WindowEnd::Refused).ok_or_else(|| error.into()),
        };
        let before = self.counts_before(&names).await?;
        let mut scanned = Scanned::default();
        self.scan(todo, Some(slot), reading, batches, &mut scanned).await?;
        let read = Read { todo, before, scanned };
        let counts = if reading.is_cancelled() { None } else { Some(self.counts(&read.names()).await?) };
        activation.deactivate(active).await?;
        Ok(WindowEnd::Read(read, counts))
    }

    /// Reads active tenants, side by side, some at a time: they are counted while the next ones are read.
    async fn group(
        &self,
        todo: &[Todo],
        books: &mut Books,
        reading: &CancellationToken,
        batches: &mpsc::Sender<Batch>,
        seen: &mut Scanned,
    ) -> Result<(), Error> {
        let mut uncounted: Option<Read<'_>> = None;
        for todo in todo.chunks(TENANTS_AT_ONCE) {
            // The second time nothing is taken for granted: the empty page is the end, and there is a count before.
            let names: Vec<TenantName> = todo.iter().map(|todo| todo.tenant.clone()).collect();
            let before = self.counts_before(&names).await?;
            let mut scanned = Scanned::default();
            let scan = self.scan(todo, None, reading, batches, &mut scanned);
            let (read, judged) = tokio::join!(scan, self.judge(uncounted.take(), books));
            books.take(&scanned);
            merge(seen, &mut scanned);
            judged?;
            read?;
            if reading.is_cancelled() {
                return Ok(());
            }
            uncounted = Some(Read { todo, before, scanned });
        }
        self.judge(uncounted, books).await
    }

    async fn scan(
        &self,
        todo: &[Todo],
        window: Option<usize>,
        reading: &CancellationToken,
        batches: &mpsc::Sender<Batch>,
        scanned: &mut Scanned,
    ) -> Result<(), Error> {
        let collect = &self.tenants.collect;
        let names: Vec<TenantName> = todo.iter().map(|todo| todo.tenant.clone()).collect();
        for tenant in &names {
            let (collection, tenant) = (self.tenants.name().clone(), tenant.clone());
            collect.access.events.emit(Event::TenantStarted { collection, tenant });
        }
        let mut scan = Scan {
            tenants: names.into(),
            counted: self.proof == TenantProof::Count,
            ..collect.scan(self.mark.clone())
        };
        if let Some(slot) = window {
            // Windows side by side share out the requests that one scan may have in flight.
            scan.limits.most_in_flight = (scan.limits.most_in_flight / self.windows()).max(1);
            scan.first_worker = slot * scan.limits.most_in_flight;
        }
        let stretch = |(space, todo): (usize, &Todo)| {
            todo.ranges.iter().map(move |range| Stretch { space, range: *range }).collect::<Vec<_>>()
        };
        let stretches: Vec<Stretch> = todo.iter().enumerate().flat_map(stretch).collect();
        scan.run(&stretches, reading, batches.clone(), scanned).await.map_err(|source| collect.unread(source))
    }

    /// Counts tenants that were read and compares that with what was listed.
    async fn judge(&self, read: Option<Read<'_>>, books: &mut Books) -> Result<(), Error> {
        let Some(read) = read else { return Ok(()) };
        let counts = self.counts(&read.names()).await?;
        book(books, &read, &counts);
        Ok(())
    }

    /// Counts before they are read, where that is part of the proof.
    async fn counts_before(&self, names: &[TenantName]) -> Result<BTreeMap<TenantName, Option<u64>>, Error> {
        if self.proof == TenantProof::TwoCounts { self.counts(names).await } else { Ok(BTreeMap::new()) }
    }

    /// Their counts; none where they cannot be counted.
    async fn counts(&self, names: &[TenantName]) -> Result<BTreeMap<TenantName, Option<u64>>, Error> {
        if self.proof == TenantProof::EmptyPage {
            return Ok(BTreeMap::new());
        }
        let collect = &self.tenants.collect;
        let asked = collect.access.client.tenant_counts(self.tenants.name(), names);
        let counts = collect.access.ask(asked).await?;
        Ok(names.iter().cloned().zip(counts.iter().map(Count::exact)).collect())
    }
}

fn merge(seen: &mut Scanned, more: &mut Scanned) {
    seen.objects += more.objects;
    seen.bytes += more.bytes;
    seen.changed += more.changed;
    seen.more_unprintable += more.more_unprintable;
    for unprintable in std::mem::take(&mut more.unprintable) {
        if seen.unprintable.len() < UNPRINTABLE_IDS {
            seen.unprintable.insert(unprintable);
        } else {
            seen.more_unprintable += 1;
        }
    }
}
