//! Fetches one page, whatever it takes: smaller pages for large objects, a quarter for an answer beyond its share of
//! memory, halves around an object whose vector the server cannot print, another try for an answer that lies.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::Page;
use super::budget::{Budget, Share};
use super::pacer::{Ask, Came, Pacer};
use super::replicas::ReplicaCheck;
use super::scan::Error;
use super::split::{self, Expected};
use crate::event::{Events, Warning};
use crate::model::{CollectionName, ObjectId, RawObject, TenantName};
use crate::weaviate::{Client, EmptyBodies, PageReply, PageRequest};

/// Answers that make no sense in a row before the scan gives up.
const NONSENSE_IN_A_ROW: u32 = 3;
/// Pause before an answer that made no sense is asked for again, times the number of such answers in a row.
const NONSENSE_PAUSE: Duration = Duration::from_millis(200);
/// One page in so many is parsed in full, beside the structural split.
const PAGES_A_FULL_PARSE: u64 = 100;
/// The largest single object that is fetched at all, in bytes.
pub(super) const MOST_OBJECT_BYTES: u64 = 256 << 20;

/// What is asked, of whom, and within which bounds.
#[derive(Debug)]
pub(super) struct Fetch<'a> {
    pub(super) client: &'a Client,
    pub(super) collection: &'a CollectionName,
    pub(super) tenant: Option<&'a TenantName>,
    pub(super) vectors: bool,
    pub(super) budget: &'a Budget,
    pub(super) pacer: &'a Mutex<Pacer>,
    pub(super) pages: &'a AtomicU64,
    /// When the scan began.
    pub(super) begun: Instant,
    pub(super) events: &'a Events,
    /// Compares the replicas of each page before it is read; `None` where there is one.
    pub(super) replicas: Option<&'a ReplicaCheck>,
}

/// A page that was accepted.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) objects: Vec<RawObject>,
    /// Whether there were as many objects as asked for; otherwise the collection ends here.
    pub(super) full: bool,
    /// The one object on this page was fetched without its vector, since the server cannot print it.
    pub(super) unprintable: bool,
    /// Last, so that it outlives the objects.
    pub(super) page: Page,
}

/// What a reply means for the next request for the same cursor.
enum Outcome {
    Page(Fetched),
    /// Ask again, for at most so many objects.
    Again(Option<u32>),
    /// The one object at the cursor has a vector that cannot be printed.
    Unprintable,
}

/// How a worker approaches an object with an unprintable vector: pages no larger than this.
#[derive(Debug, Default)]
pub(super) struct Approach(Option<u32>);

impl Fetch<'_> {
    pub(super) fn pacer(&self) -> MutexGuard<'_, Pacer> {
        self.pacer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page after `after`, of `most` objects at most.
    pub(super) async fn page(
        &self,
        after: Option<ObjectId>,
        approach: &mut Approach,
        most: u32,
    ) -> Result<Fetched, Error> {
        let (mut nonsense, mut empty) = (0, EmptyBodies::default());
        let mut held = None;
        loop {
            let mut ask = self.pacer().ask();
            ask.objects = ask.objects.min(approach.0.unwrap_or(u32::MAX)).min(most).max(1);
            if let (Some(replicas), None) = (self.replicas, &held) {
                let (collection, tenant, limit) = (self.collection, self.tenant, ask.objects);
                let page = PageRequest { collection, tenant, after, limit, vectors: false, max_bytes: 0 };
                // Boxed: the future of a page is part of every other one.
                held = Some(Box::pin(replicas.before(self.client, &page)).await?);
            }
            let outcome = match self.attempt(after, ask, self.vectors).await {
                Err(Error::Page { source, .. }) if nonsense + 1 < NONSENSE_IN_A_ROW => {
                    nonsense += 1;
                    tracing::warn!(%source, nonsense, "an answer makes no sense, asking again");
                    tokio::time::sleep(NONSENSE_PAUSE * nonsense).await;
                    continue;
                }
                other => other?,
            };
            match outcome {
                Outcome::Page(page) => {
                    if let (Some(replicas), Some(held)) = (self.replicas, &held) {
                        replicas.after(held, &page.objects);
                    }
                    return Ok(page);
                }
                Outcome::Again(limit) => approach.0 = limit.or(approach.0),
                Outcome::Unprintable if empty.ask_again().await => {}
                Outcome::Unprintable => {
                    *approach = Approach::default();
                    let ask = Ask { objects: 1, bytes: ask.bytes };
                    return match self.attempt(after, ask, false).await? {
                        Outcome::Page(page) => Ok(Fetched { unprintable: !page.objects.is_empty(), ..page }),
                        _ => Err(Error::EmptyBody { collection: self.collection.clone() }),
                    };
                }
            }
        }
    }

    async fn attempt(&self, after: Option<ObjectId>, ask: Ask, vectors: bool) -> Result<Outcome, Error> {
        let mut share = self.budget.take(ask.bytes).await;
        let started = Instant::now();
        match self.request(after, ask.objects, vectors, share.bytes()).await {
            Ok(PageReply::Body(body)) => {
                let page = Came {
                    asked: ask.objects,
                    objects: 0,
                    bytes: body.len() as u64,
                    took: started.elapsed(),
                    at: self.begun.elapsed(),
                };
                share.shrink_to(page.bytes);
                self.accept(body, after, page, share).map(Outcome::Page)
            }
            Ok(PageReply::Empty) if !vectors => Err(Error::EmptyBody { collection: self.collection.clone() }),
            Ok(PageReply::Empty) if ask.objects == 1 => Ok(Outcome::Unprintable),
            Ok(PageReply::Empty) => Ok(Outcome::Again(Some(ask.objects / 2))),
            Ok(PageReply::TooLarge) => {
                drop(share);
                if self.pacer().too_large(ask.objects) {
                    Ok(Outcome::Again(None))
                } else {
                    self.alone(after, vectors).await
                }
            }
            Ok(PageReply::LimitTooHigh) => {
                let less = self.pacer().limit_refused(ask.objects);
                if less {
                    Ok(Outcome::Again(None))
                } else {
                    Err(Error::NoPageAllowed { collection: self.collection.clone() })
                }
            }
            // That a tenant is inactive or gone says nothing about the pace.
            Err(e) if e.tenant_trouble().is_some() => Err(e.into()),
            Err(e) => {
                let mut pacer = self.pacer();
                pacer.failed();
                // Pages that come too slowly are asked for in quarters; a server that is gone is not.
                if e.is_stalled() && pacer.too_large(ask.objects) { Ok(Outcome::Again(None)) } else { Err(e.into()) }
            }
        }
    }

    async fn request(
        &self,
        after: Option<ObjectId>,
        limit: u32,
        vectors: bool,
        max_bytes: u64,
    ) -> Result<PageReply, crate::weaviate::Error> {
        let (collection, tenant) = (self.collection, self.tenant);
        self.client.page(&PageRequest { collection, tenant, after, limit, vectors, max_bytes }).await
    }

    /// One object larger than any share: with the whole budget, and beyond it if need be, but then alone and said.
    async fn alone(&self, after: Option<ObjectId>, vectors: bool) -> Result<Outcome, Error> {
        let mut share = self.budget.take_all().await;
        let started = Instant::now();
        match self.request(after, 1, vectors, MOST_OBJECT_BYTES.max(share.bytes())).await? {
            PageReply::Body(body) => {
                let bytes = body.len() as u64;
                if bytes > share.bytes() {
                    self.events.warn(Warning::ObjectBeyondLimit { collection: self.collection.clone(), bytes });
                }
                share.shrink_to(bytes);
                let page = Came { asked: 1, objects: 0, bytes, took: started.elapsed(), at: self.begun.elapsed() };
                self.accept(body, after, page, share).map(Outcome::Page)
            }
            PageReply::Empty if vectors => Ok(Outcome::Unprintable),
            _ => Err(Error::ObjectTooLarge { collection: self.collection.clone(), bytes: MOST_OBJECT_BYTES }),
        }
    }

    fn accept(&self, body: Bytes, after: Option<ObjectId>, page: Came, share: Share) -> Result<Fetched, Error> {
        let wrong = |source| Error::Page { collection: self.collection.clone(), source };
        let expected = Expected { collection: self.collection, after, limit: page.asked };
        let objects = split::page(&body, expected).map_err(wrong)?;
        objects.iter().try_for_each(|object| split::of_tenant(object, self.tenant)).map_err(wrong)?;
        if self.pages.fetch_add(1, Ordering::Relaxed).is_multiple_of(PAGES_A_FULL_PARSE) {
            let parsed = serde_json::from_slice::<IgnoredAny>(&body);
            parsed.map_err(|e| wrong(split::SplitError::Structure { at: e.column() }))?;
        }
        self.pacer().came(Came { objects: objects.len() as u64, ..page });
        let full = objects.len() == page.asked as usize;
        let page = Page::of(self.client.clone(), body, share);
        Ok(Fetched { objects, full, unprintable: false, page })
    }
}
