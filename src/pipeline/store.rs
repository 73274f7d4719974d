//! The sink of a backup: writes batches into a collection's parts on a thread of its own, since compressing, hashing
//! and syncing block. It hands its writer back; only the operation, which knows both sides' totals, may seal.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::guard::Proven;
use super::scan::UNPRINTABLE_IDS;
use super::{Batch, BatchOrigin, limits};
use crate::archive::{CollectionWriter, Dropped, Error, SealedPart};
use crate::event::{Event, Events};
use crate::model::{ObjectId, RawObject, Schema, Sieve, TenantName};

/// Ids kept of objects that hold a value no server takes back; more are only counted.
pub const UNWRITABLE_IDS: usize = 10;

/// The lane of keys that are not read, as enough objects are kept.
const REST_LANE: usize = usize::MAX;

/// The sink of one collection, with what it noticed about the objects that passed.
pub struct Store {
    /// The open writer.
    pub writer: CollectionWriter,
    /// First ids of objects with an integer that a restore could not write.
    pub unwritable: BTreeSet<ObjectId>,
    /// What is proven, where pages are not worth anything before; `None`: what is sealed counts at once.
    proven: Option<Proven>,
    /// How long a part stays open at most while objects come.
    part_age: Duration,
    schema: Schema,
    /// What of the objects is wanted; `None`: all.
    sieve: Option<Arc<Sieve>>,
    /// Objects that are wanted at most; they have to come in order.
    limit: Option<u64>,
    /// Objects that are kept, where there is a limit.
    kept: u64,
    /// Cancelled once as many objects are kept as are wanted.
    pub full: CancellationToken,
    /// Objects that were left out and that lacked a vector which the server cannot print.
    pub left_out_unprintable: BTreeSet<(Option<TenantName>, ObjectId)>,
    events: Events,
}

impl Store {
    /// A sink that writes into `writer` and seals a part after `part_age`, if not earlier.
    #[must_use]
    pub fn new(writer: CollectionWriter, part_age: Duration, schema: Schema, events: Events) -> Self {
        Self {
            writer,
            unwritable: BTreeSet::new(),
            proven: None,
            part_age,
            schema,
            sieve: None,
            limit: None,
            kept: 0,
            full: CancellationToken::new(),
            left_out_unprintable: BTreeSet::new(),
            events,
        }
    }

    /// Only these objects are written; all are read, and count as that.
    #[must_use]
    pub fn of(self, sieve: Option<Arc<Sieve>>) -> Self {
        Self { sieve, ..self }
    }

    /// Only so many of them, the first that come.
    #[must_use]
    pub fn at_most(self, limit: Option<u64>) -> Self {
        let mut store = Self { limit, ..self };
        store.count_kept();
        store
    }

    /// Whether as many objects are kept as are wanted.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.kept >= limit)
    }

    fn count_kept(&mut self) {
        if self.limit.is_some() {
            self.kept = self.writer.totals().objects;
            self.full = CancellationToken::new();
            self.tell_full();
        }
    }

    fn tell_full(&self) {
        if self.is_full() {
            self.full.cancel();
        }
    }

    /// Nothing more of these spaces is wanted: what was not read of them is covered all the same, without objects. Blocks.
    pub fn cover_rest<'s>(&mut self, spaces: impl IntoIterator<Item = Option<&'s TenantName>>) -> Result<(), Error> {
        for space in spaces {
            for gap in self.writer.gaps(space) {
                self.writer.append(REST_LANE, space, gap, &[], 0)?;
            }
        }
        self.seal_parts()
    }

    /// From now on pages count for whoever resumes the run only once they are proven.
    pub fn await_proof(&mut self, proven: Proven) {
        self.writer.await_proof();
        self.proven = Some(proven);
    }

    /// Takes batches until the channel closes, then returns itself, parts still open. Blocks: run it on a thread of
    /// its own. A closed channel is not success.
    pub fn take_all(mut self, mut batches: mpsc::Receiver<Batch>) -> Result<Self, Error> {
        while let Some(batch) = batches.blocking_recv() {
            self.take(&batch)?;
        }
        Ok(self)
    }

    fn take(&mut self, batch: &Batch) -> Result<(), Error> {
        let wanted = self.wanted(batch);
        let objects = wanted.as_deref().unwrap_or(&batch.objects);
        let left_out = batch.objects.len() as u64 - objects.len() as u64;
        let without = self.without_dropped_vectors(objects);
        let objects = without.as_deref().unwrap_or(objects);
        for object in objects {
            if self.unwritable.len() < UNWRITABLE_IDS && limits::holds_unwritable_integer(&self.schema, object) {
                self.unwritable.insert(object.id);
            }
        }
        let (tenant, (worker, mark, unprintable)) = match batch.origin {
            BatchOrigin::Live { worker, mark, unprintable } => (batch.space.as_ref(), (worker, mark, unprintable)),
            // What is sealed is not in doubt.
            BatchOrigin::Archived { .. } | BatchOrigin::Leading { .. } => (batch.space.as_ref(), (0, 0, false)),
        };
        if unprintable {
            self.writer.note_incomplete(tenant, objects.iter().map(|object| object.id).collect())?;
        }
        let mut sealed = self.writer.append_wanted(worker, tenant, batch.covers, (objects, left_out), mark)?;
        sealed.extend(self.writer.seal_older(self.part_age)?);
        self.announce(sealed);
        self.note_proven()
    }

    /// The objects that are wanted, with what is wanted of them; `None`: all.
    fn wanted(&mut self, batch: &Batch) -> Option<Vec<RawObject>> {
        let sieve = self.sieve.as_ref()?;
        let is_unprintable = matches!(batch.origin, BatchOrigin::Live { unprintable: true, .. });
        let mut wanted = Vec::new();
        let room = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.kept));
        for object in batch.objects.iter() {
            if (wanted.len() as u64) < room && sieve.keeps(batch.space.as_ref(), object) {
                wanted.push(sieve.cut(object).unwrap_or_else(|| object.clone()));
            } else if is_unprintable && self.left_out_unprintable.len() < UNPRINTABLE_IDS {
                self.left_out_unprintable.insert((batch.space.clone(), object.id));
            }
        }
        self.kept += wanted.len() as u64;
        self.tell_full();
        Some(wanted)
    }

    /// Notes in the journal what is proven by now. Blocks.
    pub fn note_proven(&mut self) -> Result<(), Error> {
        if let Some(proven) = &self.proven
            && self.writer.note_proven(proven.below())?
        {
            self.saved();
        }
        Ok(())
    }

    /// The objects without the vectors that the server is dropping, if there are such: it takes them out of one object after
    /// the other, so what of them is left by now is not the collection's.
    fn without_dropped_vectors(&self, objects: &[RawObject]) -> Option<Vec<RawObject>> {
        let names = &self.schema.dropped_vectors;
        let without = |object: &RawObject| object.without_vectors(names).unwrap_or_else(|| object.clone());
        (!names.is_empty()).then(|| objects.iter().map(without).collect())
    }

    /// Seals every open part. Blocks.
    pub fn seal_parts(&mut self) -> Result<(), Error> {
        let sealed = self.writer.seal_parts()?;
        self.announce(sealed);
        Ok(())
    }

    /// Takes back what was read at `mark` or later. Blocks.
    pub fn drop_since(&mut self, mark: u64) -> Result<(), Error> {
        self.seal_parts()?;
        let dropped = self.writer.discard_since(mark)?;
        self.dropped(dropped);
        Ok(())
    }

    /// Takes back everything of these tenants. Blocks.
    pub fn drop_tenants(&mut self, tenants: &BTreeSet<TenantName>) -> Result<(), Error> {
        self.seal_parts()?;
        let dropped = self.writer.discard_tenants(tenants)?;
        self.dropped(dropped);
        Ok(())
    }

    fn dropped(&mut self, dropped: Dropped) {
        self.count_kept();
        let collection = self.schema.name.clone();
        self.events.emit(Event::PagesDropped { collection, objects: dropped.objects, bytes: dropped.bytes });
        self.saved();
    }

    fn saved(&self) {
        let (collection, objects) = (self.schema.name.clone(), self.writer.noted_objects());
        self.events.emit(Event::CheckpointSaved { collection, objects });
    }

    fn announce(&mut self, sealed: Vec<SealedPart>) {
        let any = !sealed.is_empty();
        for part in sealed {
            self.events.emit(Event::PartSealed {
                collection: self.schema.name.clone(),
                part: part.part,
                objects: part.objects,
                bytes: part.bytes,
                stored_bytes: part.stored_bytes,
            });
        }
        if any {
            self.saved();
        }
    }
}
