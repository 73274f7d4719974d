//! One batch of objects on its way to the server: the hot path of a restore.

use bytes::Bytes;
use reqwest::Method;

use super::Error;
use super::ask::Ask;
use super::body::{Body, Shape};
use super::pieces::Pieces;
use super::writer::Writer;
use crate::model::{CollectionName, ObjectId};

/// The answer repeats every object and escapes some characters as six: it is at most this many times as long.
pub(super) const ECHO: u64 = 6;
/// What an answer may hold beside its objects, in bytes.
pub(super) const ANSWER_MARGIN: u64 = 4 << 20;

/// What came of sending a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportReply {
    /// Status 200 with this body, of which the ids and the results are left: one result for each object, if the server keeps
    /// its word. It may also be empty, or short, or something else: which objects were stored is for the caller to read from it.
    Answer(Bytes),
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
    pub async fn merge(&self, collection: &CollectionName, id: ObjectId, body: Bytes) -> Result<(), Error> {
        // The id stays out of what is told.
        let route = format!("PATCH /v1/objects/{collection}/…").into();
        let ask = Ask { route, ..Ask::with_body(Method::PATCH, &format!("/v1/objects/{collection}/{id}"), body) };
        self.client().send(&Ask { shape: Shape::Any, good: CHANGED, ..ask }).await.map(|_| ())
    }

    /// Sends a body `{"objects":[…]}`. Writing is by id, so the same batch can be sent again, and is after failures
    /// that may pass; it may then have been carried out more than once, to the same effect. After `stalls` attempts
    /// without an answer in time it is given up, or earlier if the policy says so.
    pub async fn import(&self, body: Pieces, stalls: u32) -> Result<ImportReply, Error> {
        let max_bytes = body.bytes().saturating_mul(ECHO).saturating_add(ANSWER_MARGIN);
        let ask = Ask::with_body(Method::POST, "/v1/batch/objects", Bytes::new());
        let ask = Ask { body: Some(body), shape: Shape::Results, max_bytes, stalls, ..ask };
        match self.client().send(&ask).await {
            Ok(answer) => match answer.body {
                Body::Whole(body) => Ok(ImportReply::Answer(body)),
                Body::TooLarge => Ok(ImportReply::Answer(Bytes::new())),
            },
            Err(Error::Rejected { status: 413, .. }) => Ok(ImportReply::TooLarge),
            Err(Error::Rejected { status, message, .. }) => Ok(ImportReply::Refused { status, message }),
            Err(error) => Err(error),
        }
    }
}
