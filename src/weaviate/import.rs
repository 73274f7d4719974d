//! Objects on their way to the server: the hot path of a restore. How they are sent, and what the answer says of each object,
//! is known here alone: whoever imports gives objects, and gets a fate for each.

pub(super) mod rest;

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;

use self::rest::BatchBody;
use super::Error;
use super::ask::Ask;
use super::body::Shape;
use super::writer::Writer;
use crate::model::{CollectionName, ObjectId, RawObject, Stamped, TenantName};

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

    /// The way into a collection, for all that is sent to it. `vectors`: whether objects go with their vectors.
    #[must_use]
    pub fn intake(&self, collection: &CollectionName, vectors: bool) -> Intake {
        Intake { writer: self.clone(), route: rest::ROUTE.into(), collection: collection.clone(), vectors }
    }
}

/// How often objects are sent at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MostAttempts {
    /// In all, but for those that are turned away (429).
    pub all: u32,
    /// Without an answer in time.
    pub stalled: u32,
}

impl MostAttempts {
    /// As often as the policy says.
    pub const ANY: Self = Self { all: u32::MAX, stalled: u32::MAX };
}

/// The way of objects into one collection.
#[derive(Debug)]
pub struct Intake {
    writer: Writer,
    route: Arc<str>,
    collection: CollectionName,
    vectors: bool,
}

impl Intake {
    /// What is told about a request.
    #[must_use]
    pub fn route(&self) -> &Arc<str> {
        &self.route
    }

    /// Nothing yet, with room for these objects, on its way into the collection or a tenant of it.
    #[must_use]
    pub fn outgoing<'a>(&self, tenant: Option<&TenantName>, objects: impl Iterator<Item = &'a RawObject>) -> Outgoing {
        Outgoing::new(&self.collection, tenant, self.vectors, objects)
    }

    /// Sends objects. Writing is by id, so the same can be sent again, and is after failures that may pass; it may then have
    /// been carried out more than once, to the same effect. After so many attempts it is given up, or earlier if the policy
    /// says so. That there was an answer says nothing of any object.
    pub async fn send(&self, Outgoing { ids, body }: Outgoing, most: MostAttempts) -> Result<ImportReply, Error> {
        rest::send(self.writer.client(), &ids, body, most).await
    }
}

/// Objects on their way into a collection, or into a tenant of it, in the form in which they are sent.
#[derive(Debug)]
pub struct Outgoing {
    ids: Vec<ObjectId>,
    body: BatchBody,
}

impl Outgoing {
    pub(crate) fn new<'a>(
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        vectors: bool,
        objects: impl Iterator<Item = &'a RawObject>,
    ) -> Self {
        Self { ids: Vec::new(), body: BatchBody::new(collection, tenant, vectors, objects) }
    }

    /// Adds an object, with these properties in the place of its own if there are any. Only a line that is no JSON fails,
    /// which the archive's proof excludes.
    pub fn push(&mut self, object: &RawObject, properties: Option<String>) -> Result<(), serde_json::Error> {
        self.ids.push(object.id);
        self.body.push(object, properties)
    }

    /// What is sent, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.body.bytes()
    }

    /// The request as text.
    #[cfg(test)]
    pub(crate) fn text(self) -> String {
        String::from_utf8(self.body.whole().concat()).expect("text")
    }
}
