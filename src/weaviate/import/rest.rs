//! Objects sent over REST, each as the server once printed it but for what is changed in it, and what the answer says of each.

use std::collections::HashMap;

use bytes::Bytes;
use reqwest::Method;

use super::{Fate, ImportReply, MostAttempts};
use crate::model::fold;
use crate::model::{CollectionName, Members, ObjectId, RawObject, Stamped, TenantName};
use crate::weaviate::Error;
use crate::weaviate::ask::Ask;
use crate::weaviate::body::{Body, Shape};
use crate::weaviate::client::Client;
use crate::weaviate::pieces::{Pieces, SHARED_BYTES};
use crate::weaviate::results::results;

/// The answer repeats every object and escapes some characters as six: it is at most this many times as long.
pub(in crate::weaviate) const ECHO: u64 = 6;
/// What an answer may hold beside its objects, in bytes.
pub(in crate::weaviate) const ANSWER_MARGIN: u64 = 4 << 20;
/// Where objects go.
const PATH: &str = "/v1/batch/objects";
/// What is told about a request.
pub(super) const ROUTE: &str = "POST /v1/batch/objects";
/// Bytes by which the text that is sent for an object may be longer without another allocation: another name, a tenant.
const ROOM_TO_CHANGE: usize = 96;
/// What stands around the objects of a request.
const AROUND: [&[u8]; 2] = [b"{\"objects\":[", b"]}"];

/// The body of a request that is being put together. Objects that are long are not copied.
#[derive(Debug)]
pub(super) struct BatchBody {
    class: String,
    /// What ends each object.
    end: String,
    /// Whether objects go with their vectors.
    vectors: bool,
    /// Whether there is no object in it yet.
    is_empty: bool,
    body: Pieces,
}

impl BatchBody {
    /// Nothing yet, with room for these objects.
    pub(super) fn new<'a>(
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        vectors: bool,
        objects: impl Iterator<Item = &'a RawObject>,
    ) -> Self {
        let copied = |bytes: usize| Some(bytes).filter(|bytes| *bytes < SHARED_BYTES).unwrap_or_default();
        let mut body = Pieces::with_room(objects.map(|object| copied(object.text.len()) + ROOM_TO_CHANGE).sum());
        body.push(AROUND[0]);
        let end = tenant.map_or_else(|| "}".to_owned(), |tenant| format!(",\"tenant\":\"{tenant}\"}}"));
        Self { class: collection.to_string(), end, vectors, is_empty: true, body }
    }

    /// Adds an object, with these properties in the place of its own if there are any.
    pub(super) fn push(&mut self, object: &RawObject, properties: Option<String>) -> Result<(), serde_json::Error> {
        if !std::mem::take(&mut self.is_empty) {
            self.body.push(b",");
        }
        let properties = properties.map(Bytes::from);
        if self.vectors && object.tenant().is_none() && object.unknown_member().is_none() {
            self.splice(object, properties);
        } else {
            self.build(object, properties)?;
        }
        self.body.push(self.end.as_bytes());
        Ok(())
    }

    /// The text as it stands up to its last brace, but for its class and properties. There is no other member in it that
    /// servers know.
    fn splice(&mut self, object: &RawObject, properties: Option<Bytes>) {
        let (text, places) = (&object.text, &object.places);
        let mut changes = vec![(&places.class, Bytes::copy_from_slice(self.class.as_bytes()))];
        changes.extend(properties.map(|new| (&places.properties, new)));
        // `class` may stand before or behind `properties`.
        changes.sort_by_key(|(at, _)| at.start);
        let mut from = 0;
        for (at, with) in changes {
            self.body.share(text.slice(from..at.start));
            self.body.share(with);
            from = at.end;
        }
        self.body.share(text.slice(from..text.len() - 1));
    }

    /// A text made of the members that servers know, up to its last brace. The tenant is not taken from it.
    fn build(&mut self, object: &RawObject, mut properties: Option<Bytes>) -> Result<(), serde_json::Error> {
        let members: Members<'_> = serde_json::from_slice(&object.text)?;
        let mut before = b'{';
        for (key, value) in members.iter() {
            let value = match key {
                "vector" | "vectors" if !self.vectors => continue,
                "class" => Bytes::from(format!("\"{}\"", self.class)),
                "properties" => properties.take().unwrap_or_else(|| object.text.slice_ref(value.as_bytes())),
                _ if key != "tenant" && fold::OBJECT.contains(&key) => object.text.slice_ref(value.as_bytes()),
                _ => continue,
            };
            self.body.push(&[std::mem::replace(&mut before, b','), b'"']);
            self.body.push(key.as_bytes());
            self.body.push(b"\":");
            self.body.share(value);
        }
        Ok(())
    }

    /// Its length in bytes, once it is whole.
    pub(super) fn bytes(&self) -> u64 {
        self.body.bytes() + AROUND[1].len() as u64
    }

    /// The whole request.
    pub(super) fn whole(mut self) -> Pieces {
        self.body.push(AROUND[1]);
        self.body.finish()
    }
}

/// Sends the objects of these ids.
pub(super) async fn send(
    client: &Client,
    ids: &[ObjectId],
    body: BatchBody,
    most: MostAttempts,
) -> Result<ImportReply, Error> {
    let max_bytes = body.bytes().saturating_mul(ECHO).saturating_add(ANSWER_MARGIN);
    let ask = Ask::with_body(Method::POST, PATH, Bytes::new());
    let MostAttempts { all: attempts, stalled: stalls } = most;
    let ask = Ask { body: Some(body.whole()), shape: Shape::Results, max_bytes, attempts, stalls, ..ask };
    match client.send(&ask).await {
        Ok(answer) => Ok(match answer.body {
            Body::Whole(body) => judged(ids, &body),
            Body::TooLarge => judged(ids, &[]),
        }),
        Err(Error::Rejected { status: 413, .. }) => Ok(ImportReply::TooLarge),
        Err(Error::Rejected { status, message, .. }) => Ok(ImportReply::Refused { status, message }),
        Err(error) => Err(error),
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
