//! Reads the objects of a plain collection, or of tenants: workers take key ranges, fetch page after page, and hand
//! batches to a bounded channel. It knows nothing of files, and never takes its own silence for the end: what it read
//! is what the returned totals say, and the count is the proof.

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::fetch::{Approach, Fetch, Fetched};
use super::guard::Mark;
use super::keyspace::{Hold, Keyspace, Next, Stretch};
use super::pacer::{Limits, Pacer};
use super::replicas::ReplicaCheck;
use super::slots::Slots;
use super::split;
use super::{Batch, BatchOrigin, Objects};
use crate::event::{Event, Events, Warning};
use crate::model::fold::is_property;
use crate::model::{CollectionName, ObjectId, RawObject, TenantName};
use crate::weaviate::{Client, TenantTrouble};

pub use error::Error;

/// An idle worker looks for something to cut this often.
const IDLE_LOOK: Duration = Duration::from_millis(5);
/// Ids kept of objects whose vector the server cannot print; more are only counted.
pub const UNPRINTABLE_IDS: usize = 100_000;
/// What the first page of the first tenant asks for at most; a tenant that has more raises it for those behind it.
const FIRST_PAGE_OBJECTS: u32 = 64;
/// Fewer objects than this are not worth a second range.
const OBJECTS_WORTH_A_CUT: u64 = 2_000;

/// What to read and within which bounds.
#[derive(Debug)]
pub struct Scan {
    /// The server.
    pub client: Client,
    /// The collection.
    pub collection: CollectionName,
    /// Names of its properties that hold references.
    pub references: Arc<[String]>,
    /// The tenants that stretches name by their places here; none for a plain collection.
    pub tenants: Arc<[TenantName]>,
    /// Whether to ask for vectors.
    pub vectors: bool,
    /// Objects expected, where known: decides whether more than one range is worth while.
    pub expected_objects: Option<u64>,
    /// Whether a count will prove that nothing was overlooked, so that a short page may end a range. Otherwise only an
    /// empty one does.
    pub counted: bool,
    /// Mean size of an object in bytes, where known.
    pub object_bytes: Option<f64>,
    /// The number of the first worker; scans that share a sink have workers of their own.
    pub first_worker: usize,
    /// Bounds of the pace.
    pub limits: Limits,
    /// The budget that pages are taken from.
    pub budget: Budget,
    /// The mark that pages get.
    pub mark: Mark,
    /// Objects updated at or after this time (the server's clock, ms) look changed.
    pub changed_since_ms: Option<i64>,
    /// Where events go.
    pub events: Events,
    /// Compares the replicas of each page before it is read; `None` where there is one.
    pub replicas: Option<Arc<ReplicaCheck>>,
}

/// What a scan read, up to its end or to where it was cancelled.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Objects handed over.
    pub objects: u64,
    /// Their plain bytes, line ends included.
    pub bytes: u64,
    /// Objects that look written since `changed_since_ms`.
    pub changed: u64,
    /// Objects handed over without their vector, since the server cannot print it.
    pub unprintable: BTreeSet<(Option<TenantName>, ObjectId)>,
    /// Objects of that kind beyond what `unprintable` holds.
    pub more_unprintable: u64,
    /// The same by tenant, where there are any: objects handed over, and those that look written.
    pub of_tenants: BTreeMap<TenantName, [u64; 2]>,
    /// Tenants that could not be read to their end, and why.
    pub refused: BTreeMap<TenantName, TenantTrouble>,
}

/// What the workers of one scan share.
struct Shared<'a> {
    scan: &'a Scan,
    space: Mutex<Keyspace>,
    pacer: Mutex<Pacer>,
    slots: Slots,
    pages: AtomicU64,
    begun: Instant,
    seen: Mutex<Scanned>,
    reading: &'a CancellationToken,
    /// What the first page of a tenant asks for at most: servers take longer for a high limit, however little there is.
    first_page: AtomicU32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scan {
    /// Reads `todo` and sends it on, until everything is read or `reading` is cancelled. Lanes are numbered from
    /// `first_worker`.
    /// `seen` tells what was handed over, also after an error.
    pub async fn run(
        &self,
        todo: &[Stretch],
        reading: &CancellationToken,
        batches: mpsc::Sender<Batch>,
        seen: &mut Scanned,
    ) -> Result<(), Error> {
        let pacer = Pacer::new(self.limits, self.object_bytes);
        let small = self.expected_objects.is_some_and(|n| n < OBJECTS_WORTH_A_CUT);
        let pieces = if small { 1 } else { pacer.in_flight() };
        let shared = Shared {
            scan: self,
            space: Mutex::new(Keyspace::new(todo, pieces)),
            slots: Slots::new(pacer.in_flight()),
            pacer: Mutex::new(pacer),
            pages: AtomicU64::new(0),
            begun: Instant::now(),
            seen: Mutex::new(std::mem::take(seen)),
            reading,
            first_page: AtomicU32::new(FIRST_PAGE_OBJECTS),
        };
        let workers = (0..self.limits.most_in_flight.max(1)).map(|worker| shared.work(worker, &batches));
        let done = try_join_all(workers).await;
        *seen = shared.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.map(|_| ())
    }
}

impl Shared<'_> {
    fn fetch(&self, space: usize) -> Fetch<'_> {
        Fetch {
            client: &self.scan.client,
            collection: &self.scan.collection,
            tenant: self.scan.tenants.get(space),
            vectors: self.scan.vectors,
            budget: &self.scan.budget,
            pacer: &self.pacer,
            pages: &self.pages,
            begun: self.begun,
            events: &self.scan.events,
            replicas: self.scan.replicas.as_deref(),
        }
    }

    async fn work(&self, worker: usize, batches: &mpsc::Sender<Batch>) -> Result<(), Error> {
        let reading = self.reading;
        while !reading.is_cancelled() {
            let (in_flight, page_objects) = {
                let pacer = lock(&self.pacer);
                (pacer.in_flight(), pacer.ask().objects)
            };
            let next = if worker < in_flight { lock(&self.space).next(page_objects) } else { self.idle() };
            match next {
                Next::Done => return Ok(()),
                Next::Wait => tokio::select! {
                    () = reading.cancelled() => return Ok(()),
                    () = tokio::time::sleep(IDLE_LOOK) => {}
                },
                Next::Range(claim, stretch) => tokio::select! {
                    () = reading.cancelled() => return Ok(()),
                    read = self.read(worker, claim, stretch, batches) => read?,
                },
            }
        }
        Ok(())
    }

    fn prove_references(&self, objects: &[RawObject]) -> Result<(), Error> {
        let Scan { collection, references, .. } = self.scan;
        if references.is_empty() {
            return Ok(());
        }
        let is_reference = |name: &[u8]| references.iter().any(|reference| is_property(reference, name));
        let wrong = |source| Error::Page { collection: collection.clone(), source };
        objects.iter().try_for_each(|object| split::references(object, is_reference)).map_err(wrong)
    }

    /// What a worker beyond the requests allowed in flight does: wait, or stop when all is done.
    fn idle(&self) -> Next {
        if lock(&self.space).is_done() { Next::Done } else { Next::Wait }
    }

    /// Reads one range to its end. Dropped at any await when the scan is cancelled: what was sent is what counts.
    async fn read(
        &self,
        worker: usize,
        claim: Hold,
        stretch: Stretch,
        batches: &mpsc::Sender<Batch>,
    ) -> Result<(), Error> {
        let fetch = self.fetch(stretch.space);
        let mut approach = Approach::default();
        let mut after = stretch.range.from;
        let is_tenant = !self.scan.tenants.is_empty();
        let mut most = if is_tenant { self.first_page.load(Ordering::Relaxed) } else { u32::MAX };
        loop {
            let slot = self.slots.take().await;
            let page = match fetch.page(after, &mut approach, most).await {
                Err(error) => return self.give_up(claim, stretch.space, error),
                Ok(page) => page,
            };
            self.prove_references(&page.objects)?;
            if is_tenant && page.objects.len() as u64 >= u64::from(most) {
                self.first_page.fetch_max(most.saturating_mul(2), Ordering::Relaxed);
            }
            most = u32::MAX;
            self.slots.give_back(slot, &self.pacer, &self.scan.collection, &self.scan.events);
            let (batch, finished) = self.batch(worker, claim, stretch.space, page);
            after = batch.covers.to;
            // An empty stretch at the end of a range stands for no keys at all.
            if batch.covers.from != batch.covers.to || batch.covers.to.is_none() {
                self.send(batch, batches).await?;
            }
            if finished {
                return Ok(());
            }
        }
    }

    /// A tenant that is gone or inactive is no reason to stop reading the others: its keys stay uncovered.
    fn give_up(&self, claim: Hold, space: usize, error: Error) -> Result<(), Error> {
        let trouble = if let Error::Wire(error) = &error { error.tenant_trouble() } else { None };
        let (Some(trouble), Some(tenant)) = (trouble, self.scan.tenants.get(space)) else { return Err(error) };
        lock(&self.space).finish(claim);
        lock(&self.seen).refused.insert(tenant.clone(), trouble);
        Ok(())
    }

    /// Cuts a page off at the end of its range, which may have moved, and books it. Whether the range is finished.
    fn batch(&self, worker: usize, claim: Hold, space: usize, page: Fetched) -> (Batch, bool) {
        let Fetched { mut objects, full, unprintable, page } = page;
        let covers;
        let finished;
        {
            let mut space = lock(&self.space);
            let end = space.end(claim);
            let inside = objects.partition_point(|o| end.is_none_or(|end| o.id <= end));
            let beyond = inside < objects.len();
            objects.truncate(inside);
            let last = objects.last().map(|o| o.id);
            // A short page ends a range where a count can prove it; without one only an empty page does.
            let short = !full && self.scan.counted;
            finished = short || beyond || last.is_none() || last == end;
            covers = match last {
                Some(last) if !finished => space.advance(claim, last, objects.len() as u64),
                _ => space.finish(claim),
            };
        }
        let bytes = objects.iter().map(|o| o.text.len() as u64 + 1).sum();
        let batch = Batch {
            space: self.scan.tenants.get(space).cloned(),
            covers,
            objects: Objects::new(objects, page),
            bytes,
            origin: BatchOrigin::Live {
                worker: self.scan.first_worker + worker,
                mark: self.scan.mark.now(),
                unprintable,
            },
            known: Vec::new(),
        };
        (batch, finished)
    }

    /// Sends a batch on and books it. Nothing is booked that was not sent, wherever the scan is cancelled.
    async fn send(&self, batch: Batch, batches: &mpsc::Sender<Batch>) -> Result<(), Error> {
        let (objects, bytes) = (batch.objects.len() as u64, batch.bytes);
        let unprintable = matches!(batch.origin, BatchOrigin::Live { unprintable: true, .. });
        let since = self.scan.changed_since_ms.unwrap_or(i64::MAX);
        let changed = batch.objects.iter().filter(|o| o.updated_ms.is_some_and(|at| at >= since)).count() as u64;
        let (collection, tenant) = (self.scan.collection.clone(), batch.space.clone());
        let named = |o: &RawObject| (tenant.clone(), o.id);
        let ids: Vec<_> = if unprintable { batch.objects.iter().map(named).collect() } else { Vec::new() };
        batches.send(batch).await.map_err(|_| Error::SinkGone)?;
        {
            let mut seen = lock(&self.seen);
            seen.objects += objects;
            seen.bytes += bytes;
            seen.changed += changed;
            if let Some(tenant) = &tenant {
                let of_tenant = seen.of_tenants.entry(tenant.clone()).or_default();
                *of_tenant = [of_tenant[0] + objects, of_tenant[1] + changed];
            }
            if unprintable && seen.unprintable.is_empty() {
                self.scan.events.warn(Warning::VectorUnprintable { collection: collection.clone() });
            }
            if seen.unprintable.len() < UNPRINTABLE_IDS {
                seen.unprintable.extend(ids);
            } else {
                seen.more_unprintable += ids.len() as u64;
            }
        }
        self.scan.events.emit(Event::PageScanned { collection, tenant, objects, bytes });
        Ok(())
    }
}
