//! Has the replicas of a page compared before it is read, so that what is listed from one of them is what all of them
//! hold, and books what was found.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::scan::Error;
use crate::model::{ObjectId, RawObject, TenantName};
use crate::weaviate::{Client, Held, PageRequest, Replicas};

/// Objects compared in one question.
const OBJECTS_A_QUESTION: u32 = 1_000;
/// Pauses before objects whose replicas do not agree are compared again: a write reaches the last one a moment later.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Objects whose replicas differ that are kept by their ids. Beyond, each time one is met counts.
const MOST_DIFFERING: usize = 100_000;

/// What is known of the replicas of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaFindings {
    /// Objects whose replicas were compared, those that were read twice included.
    pub compared: u64,
    /// Objects that were older on the replica that was read, and were repaired before it was read.
    pub older: u64,
    /// Objects whose replicas still differ after they were compared several times.
    pub differing: u64,
    /// The first of these, by id.
    pub first_differing: Option<ObjectId>,
    /// Why replicas, or some of them, could not be compared.
    pub closed: Option<String>,
}

/// Compares the replicas of one collection.
#[derive(Debug, Default)]
pub struct ReplicaCheck {
    /// Objects updated at or after this time (the server's clock, ms) may have been written between two questions.
    since_ms: Option<i64>,
    book: Mutex<Book>,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Book {
    findings: ReplicaFindings,
    /// Objects whose replicas differed when they were last compared.
    differing: BTreeSet<(Option<TenantName>, ObjectId)>,
    /// Such objects beyond those.
    more: u64,
}

impl Book {
    /// Books what comparing the objects behind `after`, up to `last`, gave: whatever was found of these before is over.
    fn compared(
        &mut self,
        tenant: Option<&TenantName>,
        after: Option<ObjectId>,
        last: Option<ObjectId>,
        ids: &[ObjectId],
    ) {
        let tenant = tenant.cloned();
        let range = |id: ObjectId| after.is_none_or(|after| id > after) && last.is_none_or(|last| id <= last);
        self.differing.retain(|(of, id)| *of != tenant || !range(*id));
        for id in ids {
            if self.differing.len() < MOST_DIFFERING {
                self.differing.insert((tenant.clone(), *id));
            } else {
                self.more += 1;
            }
        }
    }
}

impl ReplicaCheck {
    /// A check of a collection that is read from this time on (the server's clock, ms).
    #[must_use]
    pub fn new(since_ms: Option<i64>) -> Self {
        Self { since_ms, book: Mutex::default() }
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> ReplicaFindings {
        let book = self.book();
        ReplicaFindings {
            differing: book.differing.len() as u64 + book.more,
            first_differing: book.differing.iter().map(|(_, id)| *id).min(),
            ..book.findings.clone()
        }
    }

    /// Whether the replicas of an object still differed when they were last compared. Where more differ than are kept by
    /// their ids, all others are taken for such.
    pub(super) fn differs(&self, tenant: Option<&TenantName>, id: ObjectId) -> bool {
        let book = self.book();
        book.more > 0 || (!book.differing.is_empty() && book.differing.contains(&(tenant.cloned(), id)))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the objects compared that the page is about to show. Gives them as they were on the replica that is read.
    pub(super) async fn before(&self, client: &Client, page: &PageRequest<'_>) -> Result<Vec<Held>, Error> {
        let (mut held, mut left, mut after) = (Vec::new(), page.limit, page.after);
        while left > 0 && self.book().findings.closed.is_none() {
            let limit = left.min(OBJECTS_A_QUESTION);
            let Some(found) = self.compare(client, &PageRequest { after, limit, ..*page }).await? else { break };
            let ends = found.len() < limit as usize;
            after = found.last().map(|held| held.id).or(after);
            held.extend(found);
            left -= limit;
            if ends {
                break;
            }
        }
        Ok(held)
    }

    /// One question, asked again where replicas do not agree at once. The times are those of the first answer.
    async fn compare(&self, client: &Client, page: &PageRequest<'_>) -> Result<Option<Vec<Held>>, Error> {
        let Some(first) = self.ask(client, page).await? else { return Ok(None) };
        let doubtful = |held: &[Held]| held.iter().filter(|one| !one.agrees).map(|one| one.id).collect::<Vec<_>>();
        let mut differing = doubtful(&first);
        for pause in PAUSES {
            if differing.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            let Some(again) = self.ask(client, page).await? else { return Ok(None) };
            let still = doubtful(&again);
            // What came since is not what differed before.
            differing.retain(|id| still.contains(id));
        }
        let mut book = self.book();
        book.findings.compared += first.len() as u64;
        let last = first.last().map(|held| held.id).filter(|_| first.len() >= page.limit as usize);
        book.compared(page.tenant, page.after, last, &differing);
        Ok(Some(first))
    }

    async fn ask(&self, client: &Client, page: &PageRequest<'_>) -> Result<Option<Vec<Held>>, Error> {
        match client.compare_replicas(page).await? {
            Replicas::Objects(held) => Ok(Some(held)),
            Replicas::Closed { reason } => {
                self.book().findings.closed.get_or_insert(reason);
                Ok(None)
            }
        }
    }

    /// Books what the page shows against what was held before.
    pub(super) fn after(&self, held: &[Held], objects: &[RawObject]) {
        let since = self.since_ms.unwrap_or(i64::MAX);
        let mut held = held.iter().peekable();
        let mut older = 0;
        for object in objects {
            while held.next_if(|one| one.id < object.id).is_some() {}
            let Some(before) = held.next_if(|one| one.id == object.id) else { continue };
            older += u64::from(object.updated_ms.is_some_and(|now| now > before.updated_ms && now < since));
        }
        self.book().findings.older += older;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectText;

    #[test]
    fn what_was_older_before_it_was_read_is_counted_and_what_is_written_meanwhile_is_not() {
        let object = |id: u128, updated_ms: i64| RawObject {
            id: ObjectId(id),
            updated_ms: Some(updated_ms),
            text: "{}".into(),
            places: ObjectText::default(),
        };
        let held = |id: u128, updated_ms: i64| Held { id: ObjectId(id), updated_ms, agrees: true };
        let check = ReplicaCheck::new(Some(100));
        let before = [held(1, 5), held(2, 5), held(3, 5), held(4, 5), held(9, 5)];
        check.after(&before, &[object(1, 5), object(2, 7), object(3, 100), object(5, 8), object(9, 4)]);
        assert_eq!(check.findings(), ReplicaFindings { older: 1, ..ReplicaFindings::default() });
    }

    #[test]
    fn an_object_whose_replicas_differ_counts_once_and_no_more_once_they_agree() {
        let check = ReplicaCheck::new(None);
        let [a, b] = ["a", "b"].map(|name| name.parse::<TenantName>().expect("a tenant"));
        let book = |tenant, after: Option<u128>, last: Option<u128>, ids: &[u128]| {
            let ids: Vec<ObjectId> = ids.iter().copied().map(ObjectId).collect();
            check.book().compared(tenant, after.map(ObjectId), last.map(ObjectId), &ids);
            let found = check.findings();
            (found.differing, found.first_differing.map(|id| id.0))
        };
        assert_eq!(book(Some(&a), None, Some(10), &[3, 7]), (2, Some(3)));
        assert_eq!(book(Some(&a), Some(2), Some(8), &[3, 7]), (2, Some(3)), "read again");
        assert_eq!(book(Some(&b), None, None, &[5]), (3, Some(3)));
        assert_eq!(book(Some(&a), None, Some(3), &[]), (2, Some(5)), "the first one agrees by now");
        assert_eq!(book(Some(&a), Some(7), None, &[]), (2, Some(5)), "the cursor itself is not looked at");
        assert_eq!(book(Some(&a), None, None, &[]), (1, Some(5)));
    }
}
