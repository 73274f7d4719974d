//! References on their way to objects that are on the server already.

use bytes::Bytes;
use reqwest::Method;

use super::Error;
use super::ask::Ask;
use super::body::{Body, Shape};
use super::import::rest::{ANSWER_MARGIN, ECHO};
use super::results::outcomes;
use super::send::Unknown;
use super::writer::Writer;

/// What came of sending references.
#[derive(Debug)]
pub enum ReferReply {
    /// What became of each reference, in their order: `None` if it was added, else the server's words.
    Judged(Vec<Option<String>>),
    /// The answer does not say of each what became of it.
    Unsaid,
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
    /// Sends a body `[{"from":…,"to":…}]` of so many references. Sent once: references are added to those that are there, so
    /// whoever sends them again doubles them. Targets are not looked for, unless the collection has tenants.
    pub async fn refer(&self, body: Bytes, references: usize) -> Result<ReferReply, Error> {
        let sent_bytes = body.len() as u64;
        let ask = Ask {
            shape: Shape::Any,
            max_bytes: sent_bytes.saturating_mul(ECHO).saturating_add(ANSWER_MARGIN),
            expected_bytes: sent_bytes,
            ..Ask::with_body(Method::POST, "/v1/batch/references", body)
        };
        match self.client().send_once(&ask).await {
            Ok(answer) => {
                let body = if let Body::Whole(body) = answer.body { body } else { Bytes::new() };
                let judged = outcomes(&body).filter(|outcomes| outcomes.len() == references);
                Ok(judged.map_or(ReferReply::Unsaid, ReferReply::Judged))
            }
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
