//! Objects on their way to the server: the hot path of a restore. What is sent, and what the answer says of each object, is
//! known here alone: whoever imports gives objects, and gets a fate for each.

mod outgoing;

use std::collections::HashMap;

use bytes::Bytes;
use reqwest::Method;

pub use self::outgoing::Outgoing;
use super::Error;
use super::ask::Ask;
use super::body::{Body, Shape};
use super::results::results;
use super::writer::Writer;
use crate::model::{CollectionName, ObjectId, RawObject, Stamped, TenantName};

/// The answer repeats every object and escapes some characters as six: it is at most this many times as long.
pub(super) const ECHO: u64 = 6;
/// What an answer may hold beside its objects, in bytes.
pub(super) const ANSWER_MARGIN: u64 = 4 << 20;

/// What became of one object in one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is stored.
    Stored,
    /// It was refused, in these words.
    Refused(String),
    /// The result that it has is none: the words for it.
    Unsaid(String),
    /// The answer says nothing about it.
    Silent,
}

/// What came of sending objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportReply {
    /// The server answered.
    Judged {
        /// The fate of each object, in the order in which they were sent.
        fates: Vec<Fate>,
        /// When the first and the last object that is stored were created, by the server's clock.
        created: Option<Stamped>,
    },
    /// 413: the batch is too large for the server, or for a proxy before it.
    TooLarge,
    /// The batch as a whole was refused (400, 422 and other 4xx); nothing of it was stored.
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
}

/// The status of an object that was changed.
const CHANGED: u16 = 204;

impl Writer {
    /// Sets properties of an object that is there, from a body with `class`, `id`, `properties` and, of a tenant, `tenant`.
    /// Everything else stays as it is. Can be asked again, and is after failures that may pass.
    pub async fn patch(&self, collection: &CollectionName, id: ObjectId, body: Bytes) -> Result<(), Error> {
        // The id stays out of what is told.
        let route = format!("PATCH /v1/objects/{collection}/…").into();
        let ask = Ask { route, ..Ask::with_body(Method::PATCH, &format!("/v1/objects/{collection}/{id}"), body) };
        self.client().send(&Ask { shape: Shape::Any, good: CHANGED, ..ask }).await.map(|_| ())
    }

    /// Nothing yet, with room for these objects, on its way into a collection or a tenant of it.
    #[must_use]
    pub fn outgoing<'a>(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        vectors: bool,
        objects: impl Iterator<Item = &'a RawObject>,
    ) -> Outgoing {
        Outgoing::new(collection, tenant, vectors, objects)
    }

    /// Sends objects. Writing is by id, so the same can be sent again, and is after failures that may pass; it may then have
    /// been carried out more than once, to the same effect. After `stalls` attempts without an answer in time it is given up,
    /// or earlier if the policy says so. A status of 200 alone says nothing of any object.
    pub async fn import(&self, outgoing: Outgoing, stalls: u32) -> Result<ImportReply, Error> {
        let max_bytes = outgoing.bytes().saturating_mul(ECHO).saturating_add(ANSWER_MARGIN);
        let (ids, body) = outgoing.whole();
        let ask = Ask::with_body(Method::POST, "/v1/batch/objects", Bytes::new());
        let ask = Ask { body: Some(body), shape: Shape::Results, max_bytes, stalls, ..ask };
        match self.client().send(&ask).await {
            Ok(answer) => Ok(match answer.body {
                Body::Whole(body) => judged(&ids, &body),
                Body::TooLarge => judged(&ids, &[]),
            }),
            Err(Error::Rejected { status: 413, .. }) => Ok(ImportReply::TooLarge),
            Err(Error::Rejected { status, message, .. }) => Ok(ImportReply::Refused { status, message }),
            Err(error) => Err(error),
        }
    }
}

/// What an answer says about each object. It may be empty, or short, or something else. Two results for one object must both
/// say that it is stored, and a refusal counts more than a result that says nothing.
fn judged(ids: &[ObjectId], answer: &[u8]) -> ImportReply {
    let results = results(answer).unwrap_or_default();
    let mut said: HashMap<ObjectId, Option<Fate>> = HashMap::with_capacity(results.len());
    let mut created: Option<Stamped> = None;
    for result in results {
        if let (None, Some(at)) = (&result.refused, result.created_ms.filter(|at| *at > 0)) {
            let Stamped { first_ms, last_ms } = created.unwrap_or(Stamped { first_ms: at, last_ms: at });
            created = Some(Stamped { first_ms: first_ms.min(at), last_ms: last_ms.max(at) });
        }
        let failed = result.refused.map(|words| if result.unsaid { Fate::Unsaid(words) } else { Fate::Refused(words) });
        let known = said.entry(result.id).or_insert(None);
        *known = weightier(known.take(), failed);
    }
    let fate = |id: &ObjectId| match said.remove(id) {
        Some(None) => Fate::Stored,
        Some(Some(failed)) => failed,
        None => Fate::Silent,
    };
    ImportReply::Judged { fates: ids.iter().map(fate).collect(), created }
}

/// What counts of two results for one object that was not stored in one of them; `None` is one that says that it was.
fn weightier(before: Option<Fate>, after: Option<Fate>) -> Option<Fate> {
    match (before, after) {
        (Some(Fate::Unsaid(_)), Some(refused @ Fate::Refused(_))) => Some(refused),
        (before, after) => before.or(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_results_for_one_object_the_refusal_counts_whichever_comes_first() {
        let unsaid = || Some(Fate::Unsaid("no status".into()));
        let refused = |words: &str| Some(Fate::Refused(words.into()));
        assert_eq!(weightier(unsaid(), refused("no")), refused("no"));
        assert_eq!(weightier(refused("no"), unsaid()), refused("no"));
        assert_eq!(weightier(refused("first"), refused("second")), refused("first"));
        assert_eq!((weightier(None, refused("no")), weightier(unsaid(), None)), (refused("no"), unsaid()));
        assert_eq!(weightier(None, None), None);
    }

    #[test]
    fn each_object_that_was_sent_has_a_fate_in_its_place() {
        let stored = |id: u32, at: u32| {
            format!(
                r#"{{"creationTimeUnix":{at},"id":"00000000-0000-0000-0000-{id:012}","result":{{"status":"SUCCESS"}}}}"#
            )
        };
        let answer = format!("[{},{},{}]", stored(3, 9), stored(1, 7), stored(5, 8));
        let ids: Vec<ObjectId> = [1, 2, 3].map(ObjectId).into();
        let created = Some(Stamped { first_ms: 7, last_ms: 9 });
        let fates = vec![Fate::Stored, Fate::Silent, Fate::Stored];
        assert_eq!(judged(&ids, answer.as_bytes()), ImportReply::Judged { fates, created });
        let nothing = ImportReply::Judged { fates: vec![Fate::Silent; 3], created: None };
        assert_eq!((judged(&ids, b""), judged(&ids, b"<html>")), (nothing.clone(), nothing));
    }
}
