//! References on their way to objects that are on the server already.

use bytes::Bytes;
use reqwest::Method;

use super::Error;
use super::ask::Ask;
use super::body::{Body, Shape};
use super::import::{ANSWER_MARGIN, ECHO};
use super::send::Unknown;
use super::writer::Writer;

/// What came of sending references.
#[derive(Debug)]
pub enum ReferReply {
    /// Status 200 with this body: one result for each reference in their order, if the server keeps its word. It may also
    /// be empty, or short, or something else: then nobody knows which were added.
    Answer(Bytes),
    /// 413: the request is too large for the server, or for a proxy before it; nothing was added.
    TooLarge,
    /// The request as a whole was refused (400, 422 and other 4xx); nothing was added.
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// Nobody knows whether it was carried out, or is still being.
    Unknown(Unknown),
}

impl Writer {
    /// Sends a body `[{"from":…,"to":…}]`. Sent once: references are added to those that are there, so whoever sends them
    /// again doubles them. Targets are not looked for, unless the collection has tenants.
    pub async fn refer(&self, body: Bytes) -> Result<ReferReply, Error> {
        let sent_bytes = body.len() as u64;
        let ask = Ask {
            shape: Shape::Any,
            max_bytes: sent_bytes.saturating_mul(ECHO).saturating_add(ANSWER_MARGIN),
            expected_bytes: sent_bytes,
            ..Ask::with_body(Method::POST, "/v1/batch/references", body)
        };
        match self.client().send_once(&ask).await {
            Ok(answer) => match answer.body {
                Body::Whole(body) => Ok(ReferReply::Answer(body)),
                Body::TooLarge => Ok(ReferReply::Answer(Bytes::new())),
            },
            Err(failure) if failure.passing => {
                Ok(ReferReply::Unknown(Unknown { error: failure.error, retry_after: failure.retry_after }))
            }
            Err(failure) => match failure.error {
                Error::Rejected { status: 413, .. } => Ok(ReferReply::TooLarge),
                Error::Rejected { status, message, .. } => Ok(ReferReply::Refused { status, message }),
                error => Err(error),
            },
        }
    }
}
