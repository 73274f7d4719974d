//! One object by its id.

use std::time::Duration;

use bytes::Bytes;

use super::Error;
use super::ask::Ask;
use super::body::{Body, Shape};
use super::client::Client;
use super::retry;
use crate::model::{CollectionName, ObjectId, TenantName};

/// The largest object that is fetched, in bytes.
const OBJECT_BYTES_MAX: u64 = 256 << 20;
/// Answers without a body in a row before an object is taken for one that cannot be printed: where one body in five is
/// lost, two in a row are nothing rare, and a lost body must not cost a vector.
const EMPTY_BODIES: u32 = 6;
/// Pause before the last of them is asked for: a proxy that loses bodies may be better by then.
const EMPTY_BODY_PAUSE: Duration = Duration::from_millis(200);

/// Counts answers without a body about one object.
#[derive(Debug, Default)]
pub struct EmptyBodies(u32);

impl EmptyBodies {
    /// Another one came: whether it is worth asking again. If not, the object has a vector that cannot be printed.
    pub async fn ask_again(&mut self) -> bool {
        self.0 += 1;
        if self.0 + 1 == EMPTY_BODIES {
            tokio::time::sleep(EMPTY_BODY_PAUSE).await;
        }
        self.0 < EMPTY_BODIES
    }
}

/// An object as the server prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedObject {
    /// Its text, without the line end after it.
    pub text: Bytes,
    /// It is printed without its vectors, since the server cannot print those (NaN or Inf).
    pub unprintable: bool,
}

impl Client {
    /// One object with its vectors, if they can be printed; `None` if the server has none of that id. With several
    /// replicas a quorum is asked, which also repairs a replica that lacks it. One that is deleted
    /// on some replicas and left on others, where the server does not resolve that, is none: a listing may still show it.
    /// A tenant's object is printed with a member `tenant`.
    pub async fn object(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        id: ObjectId,
    ) -> Result<Option<PrintedObject>, Error> {
        let mut empty = EmptyBodies::default();
        loop {
            match self.printed(collection, tenant, id, true).await? {
                Some(text) if text.is_empty() => {}
                found => return Ok(found.map(|text| PrintedObject { text, unprintable: false })),
            }
            if !empty.ask_again().await {
                break;
            }
        }
        let found = self.printed(collection, tenant, id, false).await?;
        Ok(found.map(|text| PrintedObject { text, unprintable: true }))
    }

    /// The text of one object; with vectors it is empty if the server cannot print them.
    async fn printed(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        id: ObjectId,
        vectors: bool,
    ) -> Result<Option<Bytes>, Error> {
        let include = vectors.then(|| "include=vector".to_owned());
        let tenant = tenant.map(|tenant| format!("tenant={tenant}"));
        let query = include.into_iter().chain(tenant).collect::<Vec<_>>().join("&");
        let path = format!("/v1/objects/{collection}/{id}?{query}");
        // The id stays out of what is told.
        let route = format!("GET /v1/objects/{collection}/…").into();
        let shape = if vectors { Shape::JsonOrEmpty } else { Shape::Json };
        let ask = Ask { route, shape, max_bytes: OBJECT_BYTES_MAX, ..Ask::get(path) };
        match self.send_doubting_404(&ask).await {
            Ok(answer) => match answer.body {
                Body::Whole(text) => Ok(Some(text.slice_ref(text.trim_ascii()))),
                Body::TooLarge => Err(ask.bad_answer("too large")),
            },
            Err(error @ Error::NotFound { .. }) if !error.is_missing_route() => Ok(None),
            Err(Error::Rejected { message, .. }) if retry::is_deleted_elsewhere(&message) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
