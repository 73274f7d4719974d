//! Empties by deleting: lists the ids that are there and deletes them, stretch by stretch, the next one listed while this
//! one is deleted. Whatever comes meanwhile is found by the next round.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::unchanged::Unchanged;
use crate::event::Event;
use crate::model::{CollectionName, ObjectId, ServerClock, TenantName};
use crate::ops::{Error, WriteAccess};
use crate::pipeline::budget::Budget;
use crate::pipeline::ids::{Ids, Stretch, latest};
use crate::pipeline::replicas::ReplicaCheck;
use crate::weaviate::{Client, Doomed, Tries};

/// Ids deleted in one request. Servers delete at most `QUERY_MAXIMUM_RESULTS` (10,000 unless set) at once.
const IDS_A_REQUEST: usize = 5_000;
/// Stretches that are listed and wait.
const STRETCHES_WAITING: usize = 2;
/// What is said of ids that a server goes on finding after it deleted them.
const STAY: &str = "the server says that it deletes objects, and goes on finding as many";
/// Ids deleted in one request, and stretches that wait, where an object that is written meanwhile has to stay: what is
/// written between the list and the request goes unseen, so that the two follow each other closely.
const FRESH: (usize, usize) = (500, 1);

/// What one pass over everything listed did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Objects deleted.
    pub(super) deleted: u64,
    /// Objects that were listed.
    pub(super) listed: u64,
    /// Objects that were left, since they were written too late.
    pub(super) newer: u64,
    /// The latest time that any of those was updated, by the server's clock in ms; `None` if one of them does not say.
    pub(super) newest_ms: Option<i64>,
    /// Objects that were left, since their replicas hold different versions.
    pub(super) differing: u64,
    /// Why replicas could not be compared, where there are several and what is newest has to stay.
    pub(super) uncompared: Option<String>,
    /// Objects that were left for the next round: what was listed was written anew before it was deleted.
    pub(super) moved: u64,
    /// Objects, or shards, that could not be.
    pub(super) failed: u64,
    /// What was said of the first failure.
    pub(super) reason: Option<String>,
}

impl Passed {
    /// Objects that were listed and have to stay.
    pub(super) fn stay(&self) -> u64 {
        self.newer + self.differing
    }
}

/// Deletes objects of one collection, or of one of its tenants.
pub(super) struct Delete<'a> {
    pub(super) access: WriteAccess<'a>,
    pub(super) collection: &'a CollectionName,
    pub(super) tenant: Option<&'a TenantName>,
    /// Looks before each stretch whether the collection is the one that was planned.
    pub(super) unchanged: &'a Unchanged<'a>,
    pub(super) memory_bytes: u64,
    pub(super) clock: ServerClock,
    /// Objects updated after this time, by the server's clock in ms, stay; `None`: none do.
    pub(super) until_ms: Option<i64>,
    /// Whether the list and the deletion follow each other as closely as can be, since what is written between them goes
    /// unseen: a request that fails is not sent again before its ids are listed anew.
    pub(super) closely: bool,
    /// Whether there is more than one replica.
    pub(super) replicated: bool,
}

impl Delete<'_> {
    /// Lists everything that is there and deletes it. `passed` tells what was done, also when it fails.
    pub(super) async fn pass(&self, passed: &mut Passed) -> Result<(), Error> {
        let stop = self.access.cancel.child_token();
        let (most, waiting) = if self.closely { FRESH } else { (IDS_A_REQUEST, STRETCHES_WAITING) };
        let (sender, mut stretches) = mpsc::channel(waiting);
        let ids = Ids {
            client: Client::clone(self.access.client),
            collection: self.collection.clone(),
            tenant: self.tenant.cloned(),
            most,
            budget: Budget::new(self.memory_bytes),
            events: self.access.events.clone(),
            until_ms: self.until_ms,
            closely: self.closely,
            // A replica that was away lists objects as old as they once were.
            replicas: (self.replicated && self.closely).then(ReplicaCheck::default),
        };
        let listing = async {
            ids.run(sender, &stop).await.map_err(|source| Error::Scan { collection: self.collection.clone(), source })
        };
        let deleting = async {
            while let Some(stretch) = stretches.recv().await {
                self.stretch(&stretch, passed).await?;
                self.access.go_on()?;
            }
            Ok(())
        };
        let done = tokio::try_join!(listing, deleting).map(|_| ());
        CancellationToken::cancel(&stop);
        let closed = ids.replicas.as_ref().and_then(|replicas| replicas.findings().closed);
        passed.uncompared = passed.uncompared.take().or(closed);
        done?;
        self.access.go_on()
    }

    /// Whether the ids are still those of what was listed: another collection recreated may have the same ones. A plain one is
    /// refused then. Of a tenant, one of the first objects is as it was, or writers, or its owner, have written them all anew:
    /// the next list shows by their times which.
    async fn is_what_was_listed(&self, stretch: &Stretch) -> Result<bool, Error> {
        let (Some(tenant), Some((first, _))) = (self.tenant, stretch.known.first()) else {
            return self.unchanged.same_shards().await.map(|()| true);
        };
        let after = first.0.checked_sub(1).map(ObjectId);
        let most = u32::try_from(stretch.known.len()).unwrap_or(1);
        let now = self.access.client.first_objects(self.collection, tenant, after, most);
        let now = self.access.ask(now).await?;
        Ok(now.iter().any(|one| stretch.known.contains(&(one.id, one.updated_ms))))
    }

    /// Deletes these ids; a server with a lower limit takes them in several requests.
    async fn stretch(&self, stretch: &Stretch, passed: &mut Passed) -> Result<(), Error> {
        if stretch.newer > 0 {
            passed.newest_ms = latest((passed.newer, passed.newest_ms), stretch.newest_ms);
        }
        passed.newer += stretch.newer;
        passed.differing += stretch.differing;
        passed.listed += stretch.newer + stretch.differing + stretch.ids.len() as u64;
        if stretch.ids.is_empty() {
            return Ok(());
        }
        if !self.is_what_was_listed(stretch).await? {
            passed.moved += stretch.ids.len() as u64;
            return Ok(());
        }
        // A deletion must not be older than what it deletes: a replica that was away would bring that back.
        let at_ms = self.clock.now_ms().max(stretch.updated_ms.unwrap_or(i64::MIN));
        let mut matched = u64::MAX;
        loop {
            self.access.go_on()?;
            if matched < u64::MAX && self.tenant.is_none() {
                self.unchanged.same_shards().await?;
            }
            let doomed = Doomed::Ids(&stretch.ids);
            let tries = if self.closely { Tries::One } else { Tries::All };
            let done = self.access.writer.delete_objects(self.collection, self.tenant, doomed, at_ms, tries).await?;
            // Each request leaves fewer of these ids to find, or it did not do what it says.
            if done.matches >= matched {
                passed.failed += done.matches;
                passed.reason = passed.reason.take().or_else(|| Some(STAY.to_owned()));
                return Ok(());
            }
            matched = done.matches;
            passed.deleted += done.successful;
            if done.successful > 0 {
                self.access.events.emit(Event::ObjectsDeleted {
                    collection: self.collection.clone(),
                    tenant: self.tenant.cloned(),
                    objects: done.successful,
                });
            }
            if done.failed > 0 {
                passed.failed += done.failed;
                passed.reason = passed.reason.take().or(done.reason);
                return Ok(());
            }
            if done.successful == 0 || done.successful >= done.matches {
                return Ok(());
            }
        }
    }
}
