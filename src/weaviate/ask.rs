//! One question, and what may come back: an answer, or a failure that may pass or stays.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Method;

use super::Error;
use super::body::{Body, Shape};
use super::pieces::Pieces;

/// Longest JSON answer, decoded, that is neither a page nor a list of everything.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest list of all collections, decoded.
pub(super) const LISTING_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest answer about nodes and their shards, decoded: some 200,000 shards.
pub(super) const SHARDS_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Values in such an answer at most.
pub(super) const SHARDS_VALUES_MAX: u32 = 2_000_000;

/// One question.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Path and query, from `/v1` on.
    pub(super) path: String,
    /// What is told about it: method and path.
    pub(super) route: Arc<str>,
    pub(super) body: Option<Pieces>,
    pub(super) shape: Shape,
    /// The status of the answer that is wanted.
    pub(super) good: u16,
    pub(super) max_bytes: u64,
    /// Size of the answer, as far as it can be guessed.
    pub(super) expected_bytes: u64,
    /// Longest time for one attempt; `None`: as long as there is progress.
    pub(super) timeout: Option<Duration>,
    /// Requests sent at most; the policy may set a lower bound.
    pub(super) attempts: u32,
    /// The same, for those that stall.
    pub(super) stalls: u32,
}

impl Ask {
    /// A question for a JSON document. `path` must hold no query that is worth hiding.
    pub(super) fn get(path: impl Into<String>) -> Self {
        let path = path.into();
        let route = format!("GET {}", path.split('?').next().unwrap_or_default()).into();
        Self {
            method: Method::GET,
            path,
            route,
            body: None,
            shape: Shape::Json,
            good: 200,
            max_bytes: ANSWER_BYTES_MAX,
            expected_bytes: 0,
            timeout: None,
            attempts: u32::MAX,
            stalls: u32::MAX,
        }
    }

    /// A question that goes out in a JSON body.
    pub(super) fn with_body(method: Method, path: &str, body: impl Into<Bytes>) -> Self {
        let route = format!("{method} {path}").into();
        Self { method, body: Some(Pieces::from(body.into())), route, ..Self::get(path) }
    }

    /// Refuses an answer that holds more values than any honest one, before anything is built of it. Counts what may begin
    /// a value, in texts too.
    pub(super) fn bounded(&self, body: &[u8], most_values: u32) -> Result<(), Error> {
        let values = memchr::memchr3_iter(b',', b'{', b'[', body).count();
        if values > most_values as usize {
            return Err(self.bad_answer(format!("it holds more than {most_values} values")));
        }
        Ok(())
    }

    /// An answer that is not what was asked for.
    pub(super) fn bad_answer(&self, what: impl Into<String>) -> Error {
        Error::BadAnswer { route: self.route.clone(), what: what.into() }
    }
}

/// An answer with the status that is wanted.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Body,
    /// The server's clock, from its `Date` header.
    pub(super) server_time: Option<Timestamp>,
    /// What the question met before: the failure it was asked again for, unless it was only turned away (429).
    pub(super) after: Option<Box<Error>>,
}

/// A failed attempt.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about one failure")]
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether it may pass.
    pub(super) passing: bool,
    /// Whether what answered does not speak HTTP.
    pub(super) noise: bool,
    /// What `Retry-After` asks for.
    pub(super) retry_after: Option<Duration>,
    /// Whether the server, or what stands before it, turned the request away since there are too many (429): nothing was
    /// done, and being told to wait is no failure.
    pub(super) turned_away: bool,
    /// Whether the connection was closed before a byte of the answer came: most often it had been idle for too long.
    pub(super) stale: bool,
}

impl Failure {
    /// A failure that stays.
    pub(super) fn last(error: Error) -> Self {
        Self { error, passing: false, noise: false, retry_after: None, turned_away: false, stale: false }
    }

    /// A failure that may pass.
    pub(super) fn passing(error: Error) -> Self {
        Self { passing: true, ..Self::last(error) }
    }

    /// An answer that is no HTTP.
    pub(super) fn noise(error: Error) -> Self {
        Self { noise: true, ..Self::passing(error) }
    }
}
