//! Has the replicas of a page compared before it is read, so that what is listed from one of them is what all of them
//! hold, and books what was found.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::scan::Error;
use crate::model::{ObjectId, RawObject};
use crate::weaviate::{Client, Held, PageRequest, Replicas};

/// Objects compared in one question.
const OBJECTS_A_QUESTION: u32 = 1_000;
/// Pauses before objects whose replicas do not agree are compared again: a write reaches the last one a moment later.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

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
    findings: Mutex<ReplicaFindings>,
}

impl ReplicaCheck {
    /// A check of a collection that is read from this time on (the server's clock, ms).
    #[must_use]
    pub fn new(since_ms: Option<i64>) -> Self {
        Self { since_ms, findings: Mutex::default() }
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> ReplicaFindings {
        self.book().clone()
    }

    fn book(&self) -> MutexGuard<'_, ReplicaFindings> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the objects compared that the page is about to show. Gives them as they were on the replica that is read.
    pub(super) async fn before(&self, client: &Client, page: &PageRequest<'_>) -> Result<Vec<Held>, Error> {
        let (mut held, mut left, mut after) = (Vec::new(), page.limit, page.after);
        while left > 0 && self.book().closed.is_none() {
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
        book.compared += first.len() as u64;
        book.differing += differing.len() as u64;
        book.first_differing = differing.first().copied().into_iter().chain(book.first_differing).min();
        Ok(Some(first))
    }

    async fn ask(&self, client: &Client, page: &PageRequest<'_>) -> Result<Option<Vec<Held>>, Error> {
        match client.compare_replicas(page).await? {
            Replicas::Objects(held) => Ok(Some(held)),
            Replicas::Closed { reason } => {
                self.book().closed.get_or_insert(reason);
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
        self.book().older += older;
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
}
