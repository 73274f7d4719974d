//! One collection from server to parts: rounds of scanning until every key is covered, the server was whole all the
//! time, and the counts agree or writers explain why they do not.

mod replicas;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::missing;
use super::resume::Kept;
use super::{BackupOptions, CollectionBackup};
use crate::archive::manifest::TenantsChanged;
use crate::archive::{ClosedCollection, CollectionWriter, Content};
use crate::event::{Event, NotKeptReason, SkipReason, Warning};
use crate::model::{KeyRange, ObjectId, PlaceOfObject, Schema, Sieve, TenantName};
use crate::ops::bounds;
use crate::ops::drift::{Drift, SchemaDrift, drift};
use crate::ops::proof::{self, Evidence, Verdict};
use crate::ops::rounds::Rounds;
use crate::ops::{Error, ReadAccess, WriteAccess, blocking};
use crate::pipeline::budget::Budget;
use crate::pipeline::guard::{self, Guard, Mark};
use crate::pipeline::keyspace::Stretch;
use crate::pipeline::pacer::{Limits, PAGE_BYTES};
use crate::pipeline::replicas::{ReplicaCheck, ReplicaFindings};
use crate::pipeline::scan::{self, Scan, Scanned};
use crate::pipeline::store::Store;
use crate::pipeline::{BATCHES_WAITING, Batch};
use crate::weaviate::Client;

pub(super) use replicas::AnyReplica;

/// Longest time that a run which fails, or is told to stop, waits to hear whether the server is whole. What is not proven
/// by then is not kept.
const LAST_QUESTION: Duration = Duration::from_secs(3);
/// Pages that may be in memory for each request in flight: on the wire, waiting, being written.
const PAGES_A_REQUEST: u64 = 3;

/// A collection that was read to its end.
pub(super) struct Collected {
    pub(super) closed: ClosedCollection,
    pub(super) counts: (Option<u64>, Option<u64>),
    /// Objects that this run read, those that were read twice included.
    pub(super) read: u64,
    pub(super) changed: u64,
    pub(super) mismatch: Option<u64>,
    /// Objects that were there in the plan, and neither came into the archive nor are there now; at least so many.
    pub(super) vanished: Option<u64>,
    pub(super) any_replica: AnyReplica,
    /// What comparing the replicas found; `None` where there is one.
    pub(super) replicas: Option<ReplicaFindings>,
    pub(super) unprintable: Vec<(Option<TenantName>, ObjectId)>,
    pub(super) more_unprintable: u64,
    pub(super) unwritable: Vec<ObjectId>,
    pub(super) unchecked: Option<String>,
    /// The last object that is kept, where enough were: what lies behind it was not read to its end.
    pub(super) until: Option<PlaceOfObject>,
    pub(super) nodes: Vec<String>,
    /// Nodes that were missing, as was allowed.
    pub(super) missing: BTreeSet<String>,
    pub(super) schema: Schema,
    /// Tenants that were not read, and why.
    pub(super) skipped: Vec<(TenantName, SkipReason)>,
    pub(super) tenants_changed: TenantsChanged,
    /// Tenants that could not be deactivated.
    pub(super) left_active: u64,
    /// Shards that take no writes.
    pub(super) read_only: Vec<String>,
}

/// Reads one collection.
pub(super) struct Collect<'a> {
    pub(super) access: WriteAccess<'a>,
    pub(super) options: &'a BackupOptions,
    pub(super) budget: &'a Budget,
    pub(super) planned: &'a CollectionBackup,
    /// What an interrupted run had kept.
    pub(super) kept: Kept,
    pub(super) changed_since_ms: Option<i64>,
    /// Compares the replicas of each page before it is read; `None` where there is one.
    pub(super) replicas: Option<Arc<ReplicaCheck>>,
    /// What of the objects is wanted; `None`: all.
    pub(super) sieve: Option<Arc<Sieve>>,
}

impl Collect<'_> {
    pub(super) fn guard(&self) -> Guard {
        let guard = self.access.guard(self.planned.schema.clone(), self.options.patience);
        let mut guard = guard.allowing_missing_nodes(self.options.allow_missing_nodes);
        if !self.kept.shards.is_empty() {
            guard.expect_shards(self.kept.shards.clone());
        }
        guard
    }

    /// A sink, with what an interrupted run had noticed about the objects in `writer`.
    pub(super) fn store(&self, writer: CollectionWriter) -> Store {
        let mut store =
            Store::new(writer, self.options.part_age, self.planned.schema.clone(), self.access.events.clone());
        store.unwritable.clone_from(&self.kept.unwritable);
        store.of(self.sieve.clone()).at_most(self.options.subset.limit)
    }

    /// Takes over what an interrupted run kept, with what was seen of it; all of it is dropped if it may lack objects and
    /// nothing would show that: the journals of earlier builds may tell of pages that were never proven, and where nobody
    /// counts, the end does not prove them either.
    pub(super) async fn take_over(
        &self,
        store: Store,
        guard: &Guard,
        countable: bool,
    ) -> Result<(Store, Scanned), Error> {
        let mut store = store;
        if !self.holds_the_first(&store) {
            let file = store.writer.folder();
            self.access.events.warn(Warning::NotKept { file, reason: NotKeptReason::NotTheFirst });
            return Ok((self.drop_all(store).await?, Scanned::default()));
        }
        // A server of one node answers a page whole or not at all.
        if guard.nodes().len() + guard.missing().len() > 1 {
            store.await_proof(guard.proven());
        }
        if countable || self.kept.was_closed || guard.nodes().len() < 2 || store.writer.is_empty() {
            let (changed, unprintable) = (self.kept.changed, self.kept.unprintable.clone());
            return Ok((store, Scanned { changed, unprintable, ..Scanned::default() }));
        }
        let file = store.writer.folder();
        self.access.events.warn(Warning::NotKept { file, reason: NotKeptReason::Uncounted });
        Ok((self.drop_all(store).await?, Scanned::default()))
    }

    /// Whether what an interrupted run kept begins with the first object and lacks none in between, where that matters: with
    /// tenants that is not looked at, and nothing is kept.
    fn holds_the_first(&self, store: &Store) -> bool {
        if self.options.subset.limit.is_none() || store.writer.is_empty() {
            return true;
        }
        !self.planned.schema.multi_tenant && store.writer.gaps(None).iter().all(|gap| gap.end() == ObjectId::MAX)
    }

    /// Writes down by which names a collection is known again, if this run is the first one to ask.
    async fn note_shards(&self, mut store: Store, guard: &Guard) -> Result<Store, Error> {
        let shards = guard.shards().to_vec();
        if shards.is_empty() || !self.kept.shards.is_empty() {
            return Ok(store);
        }
        blocking("note shards", move || store.writer.note_shards(&shards).map(|()| store)).await
    }

    /// Reads everything of a plain collection into `writer` and closes it.
    pub(super) async fn run(&self, writer: CollectionWriter) -> Result<Collected, Error> {
        let schema = &self.planned.schema;
        let mut guard = self.guard();
        let mut store = self.store(writer);
        self.until_whole(&mut guard).await?;
        store = self.note_shards(store, &guard).await?;
        let before = self.count().await?;
        let (mut store, mut seen) = self.take_over(store, &guard, before.is_some()).await?;
        let carried = store.writer.totals().read();
        let mut again = true;
        let mut rounds = Rounds::new();
        while rounds.another(store.writer.noted_objects()) {
            store = self.read(store, &mut guard, &mut seen).await?;
            let after;
            (store, after) = self.or_keep_proven(store, &mut guard, self.count()).await?;
            let listed = store.writer.totals().read();
            let verdict = if store.is_full() {
                // The rest was not read, and counts are of all.
                Verdict::Agrees
            } else {
                proof::judge(Evidence { before, after, listed, changed: seen.changed })
            };
            if !guard.ask().await {
                // The last pages, or the count, may be partial.
                store = self.mend(store, &mut guard).await?;
            } else if matches!(verdict, Verdict::Disagrees { .. })
                // Emptied since an interrupted run read it: what that run kept may be the last there is.
                && !(carried > 0 && after == Some(0))
                && std::mem::take(&mut again)
            {
                tracing::warn!(collection = %schema.name, listed, ?verdict, "counts disagree, reading once more");
                store = self.drop_all(store).await?;
                seen = Scanned::default();
            } else {
                let counts = (before, after);
                store = self.note_proven(store).await?;
                return self.finish(store, &guard, seen, counts, verdict).await;
            }
        }
        Err(guard.not_whole().into())
    }

    /// Everything was read and the server was whole: reads the schema again and closes the collection.
    async fn finish(
        &self,
        store: Store,
        guard: &Guard,
        seen: Scanned,
        counts: (Option<u64>, Option<u64>),
        verdict: Verdict,
    ) -> Result<Collected, Error> {
        let schema = &self.planned.schema;
        self.not_remade(guard)?;
        let mismatch = self.mismatch(verdict, &store);
        let any_replica = Box::pin(self.any_replica()).await?;
        // Only worth a remark: whoever may not ask is told nothing.
        let read_only = match self.access.ask(self.access.client.read_only_shards(&schema.name)).await {
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            shards => shards.unwrap_or_default(),
        };
        let closed = self.close(store, guard, seen, None).await?;
        Ok(Collected { counts, mismatch, any_replica, read_only, ..closed })
    }

    /// Reads the schema again and closes the collection, with the document about its `tenants`, if it has any. What only a
    /// plain collection, or only tenants have to tell, is left open.
    pub(super) async fn close(
        &self,
        mut store: Store,
        guard: &Guard,
        seen: Scanned,
        tenants: Option<Vec<u8>>,
    ) -> Result<Collected, Error> {
        let schema = self.schema_after().await?;
        let unwritable = store.unwritable.iter().copied().collect();
        let mut unprintable = seen.unprintable;
        unprintable.retain(|named| !store.left_out_unprintable.contains(named));
        let changed_schema = (schema.text != self.planned.schema.text).then(|| schema.clone());
        let until = store.is_full().then(|| store.writer.last_kept()).flatten();
        let close = move || {
            if store.is_full() && tenants.is_none() {
                store.cover_rest([None])?;
            }
            tenants.map_or(Ok(()), |tenants| store.writer.put_tenants(&tenants))?;
            store.writer.close(changed_schema.as_ref())
        };
        Ok(Collected {
            closed: blocking("close", close).await?,
            counts: (None, None),
            read: seen.objects,
            changed: seen.changed,
            mismatch: None,
            vanished: None,
            any_replica: AnyReplica::Agrees,
            replicas: self.replica_findings(),
            unprintable: unprintable.into_iter().collect(),
            more_unprintable: seen.more_unprintable,
            unwritable,
            unchecked: guard.unchecked().map(str::to_owned),
            until,
            nodes: guard.nodes().to_vec(),
            missing: guard.missing().clone(),
            schema,
            skipped: Vec::new(),
            tenants_changed: TenantsChanged::default(),
            left_active: 0,
            read_only: Vec::new(),
        })
    }

    /// Rounds until no key is left: each reads what no kept run covers, and ends early when the server breaks.
    async fn read(&self, mut store: Store, guard: &mut Guard, seen: &mut Scanned) -> Result<Store, Error> {
        let mut rounds = Rounds::new();
        while rounds.another(store.writer.noted_objects()) {
            let todo = store.writer.gaps(None);
            if todo.is_empty() || store.is_full() {
                return Ok(store);
            }
            store = self.round(store, &todo, guard, seen).await?;
            if guard.trouble().is_some() {
                store = self.mend(store, guard).await?;
            }
        }
        Err(guard.not_whole().into())
    }

    /// One round: scan and store side by side, the guard beside both. Every part is sealed at its end.
    async fn round(
        &self,
        store: Store,
        todo: &[KeyRange],
        guard: &mut Guard,
        seen: &mut Scanned,
    ) -> Result<Store, Error> {
        let todo: Vec<Stretch> = todo.iter().map(|range| Stretch { space: 0, range: *range }).collect();
        let (scan, full) = (self.scan(guard.mark()), store.full.clone());
        self.beside(store, guard, async |reading, batches| {
            let read = async |reading: &CancellationToken| scan.run(&todo, reading, batches, seen).await;
            until_full(&reading, &full, read).await.map_err(|source| self.unread(source))
        })
        .await
    }

    /// Lets `read` fill the store on a thread of its own, with the guard beside both. Every part is sealed at the end.
    /// Whoever is told to stop meanwhile keeps what is proven, as with any error. The token that `read` gets is cancelled when
    /// the server breaks, and when the run is told to stop.
    pub(super) async fn beside(
        &self,
        store: Store,
        guard: &mut Guard,
        read: impl AsyncFnOnce(CancellationToken, mpsc::Sender<Batch>) -> Result<(), Error>,
    ) -> Result<Store, Error> {
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
        let storing = tokio::task::spawn_blocking(move || {
            let mut store = store.take_all(receiver)?;
            store.seal_parts()?;
            Ok::<_, crate::archive::Error>(store)
        });
        let read = guard.beside(async |reading| read(reading, sender).await).await?;
        let stored = storing.await.map_err(|_| Error::Stage { what: "store".into() })?;
        // The sink's own error comes first: a scan that finds it gone only says that.
        let store = stored?;
        match read {
            Ok(()) if self.access.cancel.is_cancelled() => {
                self.keep_proven(store, guard).await;
                return Err(Error::Interrupted);
            }
            Ok(()) => {}
            // What was read stays in doubt, and the next round asks again, as long as there is trouble to explain it.
            Err(Error::Scan { source: scan::Error::Wire(e), .. } | Error::Wire(e)) if guard.explains(&e).await => {}
            Err(error) => {
                self.keep_proven(store, guard).await;
                return Err(error);
            }
        }
        Ok(store)
    }

    /// The run ends with an error, or is told to stop: what counts for one that resumes it is what was read while the
    /// server was whole.
    pub(super) async fn keep_proven(&self, store: Store, guard: &mut Guard) {
        let whole = guard.trouble().is_none() && guard.ask_last(LAST_QUESTION).await;
        let kept =
            if whole { self.note_proven(store).await } else { self.drop_doubtful(store, guard.doubtful_from()).await };
        if let Err(error) = kept {
            tracing::warn!(%error, "what is in doubt could not be taken out of the archive");
        }
    }

    /// Asks for something while the store is open: if that fails, what is proven is kept.
    pub(super) async fn or_keep_proven<T>(
        &self,
        store: Store,
        guard: &mut Guard,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Result<(Store, T), Error> {
        match asked.await {
            Ok(found) => Ok((store, found)),
            Err(error) => {
                self.keep_proven(store, guard).await;
                Err(error)
            }
        }
    }

    /// Tells the journal what is proven by now.
    pub(super) async fn note_proven(&self, mut store: Store) -> Result<Store, Error> {
        blocking("note what is proven", move || store.note_proven().map(|()| store)).await
    }

    pub(super) fn unread(&self, source: scan::Error) -> Error {
        Error::Scan { collection: self.planned.schema.name.clone(), source }
    }

    pub(super) fn scan(&self, mark: Mark) -> Scan {
        // Which objects are the first is known only where they come one after the other.
        let most_in_flight = if self.options.subset.limit.is_some() { 1 } else { bounds::jobs(self.options.jobs) };
        let share = self.budget.bytes() / (most_in_flight as u64 * PAGES_A_REQUEST);
        Scan {
            client: Client::clone(self.access.client),
            collection: self.planned.schema.name.clone(),
            references: self.planned.schema.references.clone().into(),
            tenants: Arc::new([]),
            vectors: self.options.content == Content::Full,
            expected_objects: self.planned.objects,
            counted: self.planned.objects.is_some(),
            first_worker: 0,
            object_bytes: self.planned.object_bytes,
            limits: Limits {
                fixed_page_objects: self.options.page_objects,
                most_in_flight,
                page_bytes: PAGE_BYTES.min(share),
            },
            budget: self.budget.clone(),
            mark,
            changed_since_ms: self.changed_since_ms,
            events: self.access.events.clone(),
            replicas: self.replicas.clone(),
        }
    }

    async fn drop_doubtful(&self, mut store: Store, mark: u64) -> Result<Store, Error> {
        tracing::trace!(collection = %self.planned.schema.name, mark, "cut: what is in doubt since this question is read again");
        blocking("drop what is in doubt", move || store.drop_since(mark).map(|()| store)).await
    }

    /// Drops what is in doubt, so that it is read again, and waits until the server is whole.
    pub(super) async fn mend(&self, store: Store, guard: &mut Guard) -> Result<Store, Error> {
        let store = self.drop_doubtful(store, guard.doubtful_from()).await?;
        self.until_whole(guard).await?;
        Ok(store)
    }

    async fn drop_all(&self, store: Store) -> Result<Store, Error> {
        self.drop_doubtful(store, 0).await
    }

    pub(super) async fn until_whole(&self, guard: &mut Guard) -> Result<(), Error> {
        match guard.until_whole().await {
            Ok(()) => self.not_remade(guard),
            Err(error @ guard::Error::NotWhole { .. }) => {
                let schema = [&self.planned.schema];
                Err(Box::pin(missing::allowable(self.access.client, schema)).await.unwrap_or_else(|| error.into()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the shards are those of the collection that is read.
    fn not_remade(&self, guard: &Guard) -> Result<(), Error> {
        if !guard.is_remade() {
            return Ok(());
        }
        let (collection, what) = (self.planned.schema.name.clone(), SchemaDrift::Remade);
        Err(Error::SchemaChanged { collection, what })
    }

    pub(super) async fn count(&self) -> Result<Option<u64>, Error> {
        Ok(self.access.count(&self.planned.schema.name).await?.exact())
    }

    fn mismatch(&self, verdict: Verdict, store: &Store) -> Option<u64> {
        let Verdict::Disagrees { counted } = verdict else { return None };
        let (collection, listed) = (self.planned.schema.name.clone(), store.writer.totals().read());
        self.access.events.warn(Warning::CountMismatch { collection, listed, counted });
        Some(counted)
    }

    /// The schema as it is now; additions are taken over.
    pub(super) async fn schema_after(&self) -> Result<Schema, Error> {
        let before = &self.planned.schema;
        let collection = before.name.clone();
        let after = self.access.ask(self.access.client.schema(&collection)).await?;
        let Some(after) = after else { return Err(Error::Vanished { collection }) };
        match drift(before, &after) {
            Drift::None => Ok(before.clone()),
            Drift::Grew => Ok(after),
            Drift::Broke { what } => Err(Error::SchemaChanged { collection, what }),
        }
    }
}

/// Reads until that is done or, as enough is kept, wanted no more. What `read` is given is cancelled then, and with `reading`.
pub(super) async fn until_full<T>(
    reading: &CancellationToken,
    full: &CancellationToken,
    read: impl AsyncFnOnce(&CancellationToken) -> T,
) -> T {
    let reading = reading.child_token();
    let _stops = reading.clone().drop_guard();
    let stop = async {
        full.cancelled().await;
        reading.cancel();
        std::future::pending::<T>().await
    };
    tokio::select! {
        read = read(&reading) => read,
        never = stop => never,
    }
}

/// A collection of which only the schema is kept: read again, so that the archive does not hold an old one.
pub(super) async fn schema_only(
    access: ReadAccess<'_>,
    planned: &CollectionBackup,
    writer: CollectionWriter,
) -> Result<ClosedCollection, Error> {
    let collection = planned.schema.name.clone();
    access.events.emit(Event::CollectionStarted { collection: collection.clone(), objects: None });
    let after = access.ask(access.client.schema(&collection)).await?;
    let Some(after) = after else { return Err(Error::Vanished { collection }) };
    let changed = (drift(&planned.schema, &after) != Drift::None).then_some(after);
    blocking("close", move || writer.close(changed.as_ref())).await
}
