//! The requests seen, for asserting what a client sent.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

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
    /// Requests with this method and path that were being answered when it came, itself included.
    pub beside: usize,
    /// When it had come.
    pub at: Instant,
    /// True for anything that can change the server's data.
    pub writing: bool,
    /// Whether it is about a scratch collection, which a rehearsal makes and removes.
    pub rehearsing: bool,
}

/// The log of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Log {
    seen: Mutex<Vec<Seen>>,
    /// Requests that are being answered, by method and path.
    flying: Mutex<Vec<(String, String)>>,
}

/// A request while it is being answered.
#[derive(Debug)]
pub(crate) struct Flying<'a> {
    log: &'a Log,
    route: (String, String),
}

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        let mut flying = self.log.flying.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = flying.iter().position(|route| *route == self.route) {
            flying.swap_remove(at);
        }
    }
}

impl Log {
    pub(crate) fn push(&self, seen: Seen) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    /// Counts a request until the guard is dropped; and how many there are like it.
    pub(crate) fn begin(&self, method: &str, path: &str) -> (Flying<'_>, usize) {
        let route = (method.to_owned(), path.to_owned());
        let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        flying.push(route.clone());
        let beside = flying.iter().filter(|other| **other == route).count();
        (Flying { log: self, route }, beside)
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
        ("POST", _) if path.ends_with("/has-permission") => false,
        ("DELETE", "/v1/batch/objects") => {
            !crate::json::parse(body).is_ok_and(|b| b.get("dryRun").is_some_and(crate::json::Json::is_true))
        }
        _ => true,
    }
}
