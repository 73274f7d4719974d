//! The requests seen, for asserting what a client sent.

use std::sync::{Mutex, PoisonError};

/// One request and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: String,
    /// The status that was sent; 0 when the connection was cut before one.
    pub status: u16,
    /// Bytes of the request's body.
    pub bytes: u64,
    /// Bytes of the reply's body, as planned (a cut one may have sent fewer).
    pub reply_bytes: u64,
    /// True for anything that can change the server's data.
    pub writing: bool,
}

/// The log of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Log {
    seen: Mutex<Vec<Seen>>,
}

impl Log {
    pub(crate) fn push(&self, seen: Seen) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn clear(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Whether a request can change data: all but reads, counts and dry-run deletes.
pub(crate) fn is_writing(method: &str, path: &str, body: &[u8]) -> bool {
    match (method, path) {
        ("GET" | "HEAD" | "OPTIONS", _) | ("POST", "/v1/graphql") => false,
        ("DELETE", "/v1/batch/objects") => {
            !crate::json::parse(body).is_ok_and(|b| b.get("dryRun").is_some_and(crate::json::Json::is_true))
        }
        _ => true,
    }
}
