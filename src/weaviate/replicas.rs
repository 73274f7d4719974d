//! Asks the server to compare its replicas, page by page: a list reads one replica, and a replica that was away lists old
//! objects as if they were all there is.

use std::fmt::Write;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::Error;
use super::ask::Ask;
use super::body::Shape;
use super::client::Client;
use super::page::PageRequest;
use crate::model::ObjectId;

/// Longest time for one attempt. The server compares with every replica, and repairs what it finds, before it answers.
const COMPARE_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer, in bytes: about 150 for each object.
const ANSWER_BYTES: u64 = 8 << 20;

/// An object on the replica that was asked, as it was before its replicas were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The object.
    pub id: ObjectId,
    /// `lastUpdateTimeUnix`, ms since 1970.
    pub updated_ms: i64,
    /// Whether every replica holds the same now.
    pub agrees: bool,
}

/// What came of comparing replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replicas {
    /// The objects in order of their ids.
    Objects(Vec<Held>),
    /// Nobody can be asked.
    Closed {
        /// Why, in few words.
        reason: String,
    },
}

#[derive(Deserialize)]
struct Reply {
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    get: Option<Get>,
}

#[derive(Deserialize)]
struct Get {
    c: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "_additional")]
    additional: Additional,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Additional {
    id: ObjectId,
    last_update_time_unix: String,
    is_consistent: Option<bool>,
}

fn query(page: &PageRequest<'_>) -> String {
    let mut query = format!("{{Get{{c:{}(limit:{},after:\"", page.collection, page.limit);
    if let Some(after) = page.after {
        // A String takes every write.
        let _ = write!(query, "{after}");
    }
    query.push('"');
    if let Some(tenant) = page.tenant {
        let _ = write!(query, ",tenant:\"{tenant}\"");
    }
    query.push_str(",consistencyLevel:ALL){_additional{id lastUpdateTimeUnix isConsistent}}}}");
    json!({ "query": query }).to_string()
}

impl Client {
    /// Compares every object of a page with its other replicas, by the times of their last updates; the server repairs
    /// those that are older at once (seen on 1.40: the next list through the same node shows them as they should be).
    /// `vectors` and `max_bytes` of the page mean nothing here.
    pub async fn compare_replicas(&self, page: &PageRequest<'_>) -> Result<Replicas, Error> {
        if page.collection.as_str().contains(':') {
            return Ok(Replicas::Closed { reason: "GraphQL is closed in namespaces".to_owned() });
        }
        let ask = Ask::with_body(Method::POST, "/v1/graphql", query(page));
        let timeout = Some(COMPARE_TIMEOUT);
        let ask = Ask { shape: Shape::GraphQl, timeout, max_bytes: ANSWER_BYTES, ..ask };
        let body = match self.fetch(&ask).await {
            Err(
                Error::Forbidden { message, .. } | Error::NotFound { message, .. } | Error::Rejected { message, .. },
            ) => return Ok(Replicas::Closed { reason: message }),
            other => other?,
        };
        let reply: Reply = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of objects"))?;
        let Some(entries) = reply.data.and_then(|data| data.get).and_then(|get| get.c) else {
            return Ok(Replicas::Closed { reason: self.safe(&super::said::message(&body)) });
        };
        let held = |Entry { additional }: Entry| {
            let Additional { id, last_update_time_unix, is_consistent } = additional;
            let updated_ms = last_update_time_unix.parse().ok()?;
            Some(Held { id, updated_ms, agrees: is_consistent == Some(true) })
        };
        let held: Option<Vec<Held>> = entries.into_iter().map(held).collect();
        held.map(Replicas::Objects).ok_or_else(|| ask.bad_answer("an update time that is no number"))
    }
}
