//! What a comparison is about, and what the workers of one round share.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::SemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::found::Place;
use super::side::Left;
use super::{Comparer, Found, Sieves, Vectors};
use crate::event::{ActivationRefusal, Difference, Event, Events};
use crate::model::{CollectionName, RawObject, TenantName};
use crate::pipeline::activation::Activation;
use crate::pipeline::budget::Budget;
use crate::pipeline::fetch::Fetch;
use crate::pipeline::guard::Mark;
use crate::pipeline::pacer::{Limits, Pacer};
use crate::pipeline::replicas::ReplicaCheck;
use crate::pipeline::slots::Slots;
use crate::pipeline::{scan, split};
use crate::weaviate::{Client, PrintedObject};

/// Missing objects asked for in a collection; the others are missing unasked.
const MOST_ASKED: u64 = 10_000;
/// The same where a count may prove that the listing showed all there is: as many as may be a listing's whim. Each takes four
/// requests, so that a collection that was emptied would cost more than one that is whole.
const FIRST_ASKED: u64 = 100;

/// What to compare with what, and within which bounds.
pub struct Comparison {
    /// The server.
    pub client: Client,
    /// The left side.
    pub left: Arc<Left>,
    /// The collection on the right.
    pub target: CollectionName,
    /// Decides what is the same.
    pub comparer: Comparer,
    /// Decides what is compared.
    pub sieves: Sieves,
    /// Whether vectors are compared, and asked for.
    pub vectors: bool,
    /// Objects whose vectors the left side lacks since the server could not print them, by tenant on the right and id.
    pub without_vectors: BTreeSet<Place>,
    /// Whether a count of everything that is active will prove that nothing was overlooked, so that a short page may be the
    /// end.
    pub counted: bool,
    /// What is known of the tenants on the server.
    pub tenants: Tenants,
    /// Mean size of an object in bytes, where known.
    pub object_bytes: Option<f64>,
    /// Bounds of the pace; as many workers as it allows requests in flight.
    pub limits: Limits,
    /// The budget that pages are taken from.
    pub budget: Budget,
    /// The mark that answers get.
    pub mark: Mark,
    /// Objects updated at or after this time (the server's clock, ms) look changed.
    pub changed_since_ms: Option<i64>,
    /// What is marked, and which objects that differ are; `None`: nothing is.
    pub marking: Option<Replaces>,
    /// Differing objects to keep of each unit.
    pub limit: usize,
    /// Where events go.
    pub events: Events,
    /// Compares the replicas of each page before it is read; `None` where there is one.
    pub replicas: Option<ReplicaCheck>,
    /// Whether each missing object is asked for, as no count proves the listing.
    pub ask_each: AtomicBool,
    /// Missing objects asked for so far.
    pub asked: AtomicU64,
    /// Objects and bytes told of in events so far.
    pub told: [AtomicU64; 2],
}

/// Which objects that differ are to be replaced on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaces {
    /// None.
    Nothing,
    /// All.
    Everything,
    /// Those that were updated later on the left, by the times that the servers printed.
    Older,
}

impl Replaces {
    /// Whether an object that differs is replaced.
    pub(in crate::pipeline) fn takes(self, left: &RawObject, right: &RawObject) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Older => left.updated_ms > right.updated_ms && right.updated_ms.is_some(),
        }
    }
}

/// What is known of the tenants of a collection on the server, by their names there.
#[derive(Debug, Default)]
pub struct Tenants {
    /// Activates those that are inactive; `None` if none is.
    pub activation: Option<Arc<Activation>>,
    /// Tenants that are to be compared and that the server lacks.
    pub absent: BTreeSet<TenantName>,
    /// Tenants that cannot be read: offloaded to other storage, or on the way.
    pub out_of_reach: BTreeSet<TenantName>,
    /// Tenants that are not listed, which the key's roles may keep from it.
    pub unseen: BTreeSet<TenantName>,
    /// Why tenants cannot be activated, in few words: set once the server refuses to.
    pub activation_refused: OnceLock<ActivationRefusal>,
    /// Whether inactive tenants are not counted while they are active for us.
    pub inactive_uncounted: AtomicBool,
    /// Tenants that are active and part of no count any more.
    uncounted: Mutex<BTreeSet<TenantName>>,
}

impl Tenants {
    /// Whether a tenant has to be activated before it is read.
    #[must_use]
    pub fn is_inactive(&self, tenant: &TenantName) -> bool {
        self.activation.as_ref().is_some_and(|activation| activation.is_inactive(tenant))
    }

    /// From now on these are read to the empty page, as no count will prove where they end.
    pub fn leave_uncounted(&self, tenants: BTreeSet<TenantName>) {
        self.uncounted.lock().unwrap_or_else(PoisonError::into_inner).extend(tenants);
    }

    pub(super) fn is_uncounted(&self, tenant: &TenantName) -> bool {
        self.uncounted.lock().unwrap_or_else(PoisonError::into_inner).contains(tenant)
    }
}

/// An object of a server, and whether its vectors are missing since the server cannot print them.
#[derive(Debug)]
pub(in crate::pipeline) struct Taken {
    pub(in crate::pipeline) object: RawObject,
    pub(in crate::pipeline) unprintable: bool,
}

impl Taken {
    /// An object of this collection that the server printed alone.
    pub(in crate::pipeline) fn alone(printed: PrintedObject, collection: &CollectionName) -> Result<Self, scan::Error> {
        let PrintedObject { text, unprintable } = printed;
        let wrong = |source| scan::Error::Page { collection: collection.clone(), source };
        Ok(Self { object: split::line(&text, collection).map_err(wrong)?, unprintable })
    }
}

/// What the workers of one round share.
pub(super) struct Round {
    pub(super) comparison: Arc<Comparison>,
    pub(super) slots: Slots,
    pub(super) pacer: Mutex<Pacer>,
    pub(super) pages: AtomicU64,
    pub(super) begun: Instant,
    pub(super) todo: Mutex<VecDeque<usize>>,
    pub(super) reading: CancellationToken,
}

impl Comparison {
    /// How many of so many missing objects may still be asked for. `counted`: they lie where a count is taken.
    pub(super) fn may_ask(&self, wanted: u64, counted: bool) -> u64 {
        let most = if counted && !self.asks_each() { FIRST_ASKED } else { MOST_ASKED };
        let take = |asked: u64| Some(asked + wanted.min(most.saturating_sub(asked)));
        let before = self.asked.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).unwrap_or(most);
        wanted.min(most.saturating_sub(before))
    }

    /// Whether each missing object is asked for.
    #[must_use]
    pub fn asks_each(&self) -> bool {
        self.ask_each.load(Ordering::SeqCst)
    }

    /// From now on each missing object is asked for: the listing did not show all there is.
    pub fn ask_for_each(&self) {
        self.ask_each.store(true, Ordering::SeqCst);
    }

    /// Objects of one side alone to keep of each unit: in a merge that is no difference to be told of.
    pub(super) fn limit_of_one_sided(&self) -> usize {
        if self.marking.is_some() { 0 } else { self.limit }
    }

    pub(super) fn tell(&self, tenant: Option<TenantName>, objects: u64, bytes: u64) {
        if objects > 0 {
            self.told[0].fetch_add(objects, Ordering::SeqCst);
            self.told[1].fetch_add(bytes, Ordering::SeqCst);
            let collection = self.target.clone();
            self.events.emit(Event::PageScanned { collection, tenant, objects, bytes });
        }
    }

    /// Compares two objects of one id; the left one is of this run.
    pub(super) fn judge(
        &self,
        (tenant, run): (Option<&TenantName>, Option<usize>),
        left: &RawObject,
        right: &Taken,
        found: &mut Found,
    ) {
        let place = (tenant.cloned(), left.id);
        let kept_without = self.without_vectors.contains(&place);
        let vectors = Vectors::of(self.vectors && !kept_without, right.unprintable);
        found.without_vectors += u64::from(kept_without);
        found.made_vectors += u64::from(vectors == Vectors::Compare && self.comparer.lacks_made_vector(left));
        found.changed += u64::from(self.is_changed(&right.object));
        found.newest_ms = found.newest_ms.max(right.object.updated_ms);
        if let (Some(tenant), Some(at)) =
            (tenant.filter(|tenant| self.tenants.is_inactive(tenant)), right.object.updated_ms)
        {
            found.note_newest(tenant, at);
        }
        let fields = self.comparer.fields(left, &right.object, vectors);
        if !fields.is_empty() {
            if let (Some(replaces), Some(run)) = (self.marking, run)
                // What the server cannot print cannot be kept.
                && !right.unprintable
                && replaces.takes(left, &right.object)
            {
                found.mark_replaced(run, left);
            }
            found.differs(place, Difference::Different, fields, self.limit);
        }
    }

    pub(super) fn is_changed(&self, right: &RawObject) -> bool {
        let since = self.changed_since_ms.unwrap_or(i64::MAX);
        right.updated_ms.is_some_and(|at| at >= since)
    }
}

impl Round {
    pub(super) fn fetch<'a>(&'a self, tenant: Option<&'a TenantName>) -> Fetch<'a> {
        Fetch {
            client: &self.comparison.client,
            collection: &self.comparison.target,
            tenant,
            vectors: self.comparison.vectors,
            budget: &self.comparison.budget,
            pacer: &self.pacer,
            pages: &self.pages,
            begun: self.begun,
            events: &self.comparison.events,
            replicas: self.comparison.replicas.as_ref(),
        }
    }

    pub(super) fn give_back(&self, slot: Option<SemaphorePermit<'_>>) {
        self.slots.give_back(slot, &self.pacer, &self.comparison.target, &self.comparison.events);
    }
}
