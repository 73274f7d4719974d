//! One object by its id.

use bytes::Bytes;

use super::Error;
use super::attempt::Ask;
use super::body::Body;
use super::client::Client;
use crate::model::{CollectionName, ObjectId, TenantName};

/// The largest object that is fetched, in bytes.
const OBJECT_BYTES_MAX: u64 = 256 << 20;

impl Client {
    /// One object with its vectors, as the server prints it, without the line end after it; `None` if it has none of
    /// that id. With several replicas a quorum is asked, which also repairs a replica that lacks it
    /// (weaviate-cluster.md). A tenant's object is printed with a member `tenant`.
    pub async fn object(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        id: ObjectId,
    ) -> Result<Option<Bytes>, Error> {
        let tenant = tenant.map(|tenant| format!("&tenant={tenant}")).unwrap_or_default();
        let path = format!("/v1/objects/{collection}/{id}?include=vector{tenant}");
        // The id stays out of what is told.
        let route = format!("GET /v1/objects/{collection}/…").into();
        let ask = Ask { route, max_bytes: OBJECT_BYTES_MAX, ..Ask::get(path) };
        match self.send_doubting_404(&ask).await {
            Ok(answer) => match answer.body {
                Body::Whole(text) => Ok(Some(text.slice_ref(text.trim_ascii()))),
                Body::TooLarge => Err(ask.bad_answer("too large")),
            },
            Err(error @ Error::NotFound { .. }) if !error.is_missing_route() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
