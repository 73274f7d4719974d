//! Deleting: objects by their ids or all of them, tenants, whole collections.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Error;
use super::ask::Ask;
use super::body::Shape;
use super::writer::Writer;
use crate::model::{CollectionName, ObjectId, TenantName};

/// Values in the result of a deletion at most: some for each of 10,000 objects that stayed.
const DELETED_VALUES_MAX: u32 = 500_000;
/// Characters of the server's words on one failure that are kept.
const REASON_CHARS: usize = 200;

/// Which objects to delete.
#[derive(Debug, Clone, Copy)]
pub enum Doomed<'a> {
    /// These.
    Ids(&'a [ObjectId]),
    /// Whatever there is; the server takes at most `QUERY_MAXIMUM_RESULTS` at once (10,000 unless set).
    All,
}

/// What a request to delete objects did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Objects that met the filter, also beyond the server's limit.
    pub matches: u64,
    /// Objects deleted.
    pub successful: u64,
    /// Objects, or shards, that could not be.
    pub failed: u64,
    /// What was said of the first failure.
    pub reason: Option<String>,
}

#[derive(Deserialize)]
struct Reply {
    results: Option<Results>,
}

#[derive(Deserialize)]
struct Results {
    matches: u64,
    successful: u64,
    failed: u64,
    objects: Option<Vec<Failed>>,
}

#[derive(Deserialize)]
struct Failed {
    #[serde(default)]
    errors: Value,
}

/// How often a request is sent that fails in a way that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// Once: whoever asks looks again first.
    One,
    /// As often as any other.
    All,
}

impl Writer {
    /// Deletes objects of a collection or of one tenant. `at_ms` is the time of the deletion by the server's clock, in
    /// ms: without it a replica that was away brings everything back. Objects that are not
    /// there are none of `matches`, so it can be asked again, and is after failures that may pass, if `tries` allow it.
    pub async fn delete_objects(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        doomed: Doomed<'_>,
        at_ms: i64,
        tries: Tries,
    ) -> Result<Deleted, Error> {
        let filter = match doomed {
            Doomed::Ids(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                json!({"path": ["id"], "operator": "ContainsAny", "valueTextArray": ids})
            }
            Doomed::All => json!({"path": ["id"], "operator": "Like", "valueText": "*"}),
        };
        let body = json!({
            "match": {"class": collection, "where": filter}, "output": "minimal", "dryRun": false,
            "deletionTimeUnixMilli": at_ms,
        });
        let path = match tenant {
            Some(tenant) => format!("/v1/batch/objects?tenant={tenant}"),
            None => "/v1/batch/objects".to_owned(),
        };
        let mut ask = Ask::with_body(Method::DELETE, &path, body.to_string());
        if tries == Tries::One {
            ask.attempts = 1;
        }
        let body = self.client().fetch(&ask).await?;
        ask.bounded(&body, DELETED_VALUES_MAX)?;
        let reply: Reply = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("no result of a deletion"))?;
        let Some(Results { matches, successful, failed, objects }) = reply.results else {
            return Err(ask.bad_answer("no result of a deletion"));
        };
        let reason = objects.into_iter().flatten().next().map(|failed| {
            let words = failed.errors.pointer("/error/0/message").and_then(Value::as_str);
            let words = words.map_or_else(|| failed.errors.to_string(), str::to_owned);
            self.client().safe(&words.chars().take(REASON_CHARS).collect::<String>())
        });
        Ok(Deleted { matches, successful, failed, reason })
    }

    /// Drops a collection with everything in it; succeeds too where there is none. Sent once: a request without an
    /// answer may be carried out later, when the collection was perhaps recreated. So read it back, then decide.
    pub async fn drop_collection(&self, collection: &CollectionName) -> Result<(), Error> {
        self.once(Method::DELETE, format!("/v1/schema/{collection}"), None).await
    }

    /// Deletes tenants with everything in them; names that are no tenants are passed over. Sent once, as
    /// [`Writer::drop_collection`] is.
    pub async fn delete_tenants(&self, collection: &CollectionName, tenants: &[TenantName]) -> Result<(), Error> {
        self.once(Method::DELETE, format!("/v1/schema/{collection}/tenants"), Some(json!(tenants))).await
    }

    /// Asks once for something whose answer may have no body.
    pub(super) async fn once(&self, method: Method, path: String, body: Option<Value>) -> Result<(), Error> {
        let route = format!("{method} {path}").into();
        let body = body.map(|body| Bytes::from(body.to_string()).into());
        let ask = Ask { method, route, body, attempts: 1, shape: Shape::Any, ..Ask::get(path) };
        self.client().send(&ask).await.map(|_| ())
    }
}
