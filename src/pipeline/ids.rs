//! Lists the ids of one collection or tenant, without vectors, in stretches that are deleted one after the other.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::fetch::{Approach, Fetch};
use super::pacer::{Limits, PAGE_BYTES, Pacer};
use super::replicas::ReplicaCheck;
use super::scan::Error;
use crate::event::Events;
use crate::model::{CollectionName, ObjectId, RawObject, TenantName};
use crate::weaviate::Client;

/// Objects of a stretch whose times are kept.
pub const KNOWN: usize = 8;

/// Ids that follow one another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The ids, ascending.
    pub ids: Vec<ObjectId>,
    /// The first of them ([`KNOWN`] at most), each with the time it was updated, by the server's clock in ms, if it says so:
    /// by them what is there is known again.
    pub known: Vec<(ObjectId, i64)>,
    /// The latest time any of them was updated, by the server's clock in ms, if any says so.
    pub updated_ms: Option<i64>,
    /// Objects among them whose ids were left out, since they were updated too late.
    pub newer: u64,
    /// The latest time that any of those was updated, by the server's clock in ms; `None` if one of them does not say.
    pub newest_ms: Option<i64>,
    /// Objects among them whose ids were left out, since their replicas hold different versions.
    pub differing: u64,
}

impl Stretch {
    fn take(&mut self, object: &RawObject, until_ms: Option<i64>) {
        if until_ms.is_some_and(|until| object.updated_ms.is_none_or(|at| at > until)) {
            self.newest_ms = latest((self.newer, self.newest_ms), object.updated_ms);
            self.newer += 1;
            return;
        }
        self.ids.push(object.id);
        if self.ids.len() <= KNOWN {
            self.known.extend(object.updated_ms.map(|at| (object.id, at)));
        }
        self.updated_ms = self.updated_ms.max(object.updated_ms);
    }
}

/// The latest of some times and one more, if each of them is known: `before` are their number and the latest of them.
#[must_use]
pub fn latest((times, before): (u64, Option<i64>), at: Option<i64>) -> Option<i64> {
    let before = if times == 0 { Some(i64::MIN) } else { before };
    before.zip(at).map(|(before, at)| before.max(at))
}

/// What to list, and how much at once.
#[derive(Debug)]
pub struct Ids {
    /// The server.
    pub client: Client,
    /// The collection.
    pub collection: CollectionName,
    /// The tenant, in a multi-tenant collection.
    pub tenant: Option<TenantName>,
    /// Ids in a stretch at most.
    pub most: usize,
    /// What pages are taken from.
    pub budget: Budget,
    /// Where events go.
    pub events: Events,
    /// Objects updated after this time, by the server's clock in ms, are counted and left out; `None`: none are.
    pub until_ms: Option<i64>,
    /// Whether each page is no larger than `most`.
    pub closely: bool,
    /// Compares the replicas of each page before it is read, and leaves out what differs on them; `None` where the latest
    /// times do not matter.
    pub replicas: Option<ReplicaCheck>,
}

impl Ids {
    /// Lists everything there is and hands it on, until the end, until nobody takes it, or until `stop` is cancelled.
    pub async fn run(&self, stretches: mpsc::Sender<Stretch>, stop: &CancellationToken) -> Result<(), Error> {
        let limits = Limits {
            // What is to be known as late as possible is not read far ahead.
            fixed_page_objects: u32::try_from(self.most).ok().filter(|_| self.closely),
            most_in_flight: 1,
            page_bytes: PAGE_BYTES.min(self.budget.bytes() / 2),
        };
        let (pacer, pages) = (Mutex::new(Pacer::new(limits, None)), AtomicU64::new(0));
        let fetch = Fetch {
            client: &self.client,
            collection: &self.collection,
            tenant: self.tenant.as_ref(),
            vectors: false,
            budget: &self.budget,
            pacer: &pacer,
            pages: &pages,
            begun: Instant::now(),
            events: &self.events,
            replicas: self.replicas.as_ref(),
        };
        let (mut after, mut approach) = (None, Approach::default());
        let mut open = Stretch::default();
        loop {
            let page = tokio::select! {
                page = fetch.page(after, &mut approach, u32::MAX) => page?,
                () = stop.cancelled() => return Ok(()),
            };
            for object in &page.objects {
                if self.replicas.as_ref().is_some_and(|replicas| replicas.differs(self.tenant.as_ref(), object.id)) {
                    open.differing += 1;
                    continue;
                }
                open.take(object, self.until_ms);
                if open.ids.len() >= self.most {
                    let full = std::mem::take(&mut open);
                    if stretches.send(full).await.is_err() {
                        return Ok(());
                    }
                }
            }
            after = page.objects.last().map(|object| object.id).or(after);
            // What comes after a short page is found by the count, and by the next look.
            if !page.full {
                break;
            }
        }
        if !open.ids.is_empty() || open.newer + open.differing > 0 {
            let _ = stretches.send(open).await;
        }
        Ok(())
    }
}
