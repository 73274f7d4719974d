//! Looks which of some objects a server has, and in which state: walks its listing, and jumps over what nobody asked about.
//! A listing reads one replica: where there are several, what it lacks is asked for by its id, of a quorum of them.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use futures_util::future::try_join_all;

use super::budget::Budget;
use super::compare::Taken;
use super::fetch::{Approach, Fetch, Fetched};
use super::pacer::Pacer;
use super::replicas::ReplicaCheck;
use super::scan;
use crate::event::Events;
use crate::model::{CollectionName, ObjectId, TenantName};
use crate::weaviate::Client;

/// Objects that are looked at beside each other at most, where each takes a request of its own.
const BESIDE: usize = 8;
/// Fewer than so many objects are not worth another request beside.
const LEAST_BESIDE: usize = 64;
/// One wanted object in so many is near enough for larger pages.
const NEAR: usize = 4;
/// One in so many is worth pages of the same size: a request takes a server as long as listing some objects.
const FAR: usize = 16;
/// Objects that are listed at most for each that is wanted still.
const AHEAD: u32 = 4;

/// Looks at the objects of one collection.
#[derive(Debug)]
pub struct Present {
    /// The server.
    pub client: Client,
    /// The collection, by its name on the server.
    pub collection: CollectionName,
    /// What pages are taken from; nothing else may be held of it while one is waited for.
    pub budget: Budget,
    /// Bounds of pages.
    pub pacer: Mutex<Pacer>,
    /// Compares the replicas of each page before it is read; `None` where there is one.
    pub replicas: Option<ReplicaCheck>,
    /// Where events go.
    pub events: Events,
    /// Pages so far.
    pub pages: AtomicU64,
    /// When it began.
    pub begun: Instant,
}

impl Present {
    fn fetch<'a>(&'a self, tenant: Option<&'a TenantName>, vectors: bool) -> Fetch<'a> {
        Fetch {
            client: &self.client,
            collection: &self.collection,
            tenant,
            vectors,
            budget: &self.budget,
            pacer: &self.pacer,
            pages: &self.pages,
            begun: self.begun,
            events: &self.events,
            replicas: self.replicas.as_ref(),
        }
    }

    /// Looks at all of these objects, ids ascending; what is made of each, in their order. Several requests at once.
    pub(super) async fn all<T: Send>(
        &self,
        tenant: Option<&TenantName>,
        wanted: &[ObjectId],
        vectors: bool,
        look: impl Fn(usize, Option<&Taken>) -> T + Sync,
    ) -> Result<Vec<T>, scan::Error> {
        let each = wanted.len().div_ceil(BESIDE).max(LEAST_BESIDE);
        let look = &look;
        let lanes = wanted.chunks(each).enumerate().map(async |(lane, ids)| {
            self.some(tenant, ids, vectors, u64::MAX, |at, there| (look(lane * each + at, there), 0)).await
        });
        Ok(try_join_all(lanes).await?.into_iter().flatten().collect())
    }

    /// Looks at the first of these objects, ids ascending, until it keeps more than `most_bytes`, or has looked at all of
    /// them; what is made of each, in their order. `look` gives what is made of an object and the bytes that are kept of it. Beyond
    /// those bytes it keeps what one page holds.
    pub(super) async fn some<T: Send>(
        &self,
        tenant: Option<&TenantName>,
        wanted: &[ObjectId],
        vectors: bool,
        most_bytes: u64,
        look: impl Fn(usize, Option<&Taken>) -> (T, u64) + Sync,
    ) -> Result<Vec<T>, scan::Error> {
        let (fetch, mut approach) = (self.fetch(tenant, vectors), Approach::default());
        let (mut made, mut kept) = (Vec::with_capacity(wanted.len()), 0);
        let mut most = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        while made.len() < wanted.len() && kept <= most_bytes {
            let left = u32::try_from(wanted.len() - made.len()).unwrap_or(u32::MAX);
            let most_now = most.min(left.saturating_mul(AHEAD));
            let fetched = fetch.page(before(wanted[made.len()]), &mut approach, most_now).await?;
            let Fetched { objects, unprintable, page, .. } = fetched;
            let (listed, reached) = (objects.len(), objects.last().map_or(ObjectId::MAX, |last| last.id));
            let mut lacking = Vec::new();
            let mut objects = objects.into_iter().peekable();
            let first = made.len();
            for (at, id) in wanted.iter().enumerate().skip(first).take_while(|(_, id)| **id <= reached) {
                while objects.next_if(|object| object.id < *id).is_some() {}
                let there = objects.next_if(|object| object.id == *id);
                if there.is_none() && self.replicas.is_some() {
                    lacking.push(at);
                }
                let there = there.map(|object| Taken { object, unprintable });
                let (one, bytes) = look(at, there.as_ref());
                made.push(one);
                kept += bytes;
            }
            drop(objects);
            drop(page);
            for at in lacking {
                let there = self.one(tenant, wanted[at]).await?;
                let (one, bytes) = look(at, there.as_ref());
                made[at] = one;
                kept += bytes;
            }
            most = next(made.len() - first, listed);
        }
        Ok(made)
    }

    /// One object, by its id.
    pub(super) async fn one(&self, tenant: Option<&TenantName>, id: ObjectId) -> Result<Option<Taken>, scan::Error> {
        let printed = self.client.object(&self.collection, tenant, id).await?;
        printed.map(|printed| Taken::alone(printed, &self.collection)).transpose()
    }
}

/// The cursor that a listing begins behind with this id; `None`: from the very start.
fn before(id: ObjectId) -> Option<ObjectId> {
    id.0.checked_sub(1).map(ObjectId)
}

/// Objects to ask for next, after a page of `listed` ones that told of `known` wanted ones, there or not: more where most are
/// wanted, as many while a request costs more than what it lists in vain, and one alone where the next one is far.
fn next(known: usize, listed: usize) -> u32 {
    let most = match listed {
        _ if known * NEAR >= listed => listed.saturating_mul(2),
        _ if known * FAR >= listed => listed,
        _ => 1,
    };
    u32::try_from(most.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_how_near_the_wanted_objects_are() {
        let known = [0, 1, 2, 3, 10, 50].map(|known| next(known, 12));
        assert_eq!(known, [1, 12, 12, 24, 24, 24]);
        assert_eq!([next(1, 1), next(1, 17), next(0, 0)], [2, 1, 1]);
        assert_eq!((before(ObjectId(0)), before(ObjectId(5))), (None, Some(ObjectId(4))));
    }
}
