//! When objects were created.

use serde::Deserialize;

use super::Error;
use super::attempt::{Ask, LISTING_BYTES_MAX};
use super::body::Body;
use super::client::Client;
use crate::model::{CollectionName, ObjectId, TenantName};

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    objects: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: ObjectId,
    creation_time_unix: i64,
}

impl Client {
    /// The first objects behind an id, `limit` at most, and when each was created, in ms since 1970 by the server's clock.
    /// Nothing where they are too large to be listed.
    pub async fn created_times(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        after: Option<ObjectId>,
        limit: u32,
    ) -> Result<Vec<(ObjectId, i64)>, Error> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let tenant = tenant.map(|tenant| format!("&tenant={tenant}")).unwrap_or_default();
        let path = format!("/v1/objects?class={collection}&limit={limit}&after={after}{tenant}");
        let ask = Ask { max_bytes: LISTING_BYTES_MAX, ..Ask::get(path) };
        let Body::Whole(body) = self.send(&ask).await?.body else { return Ok(Vec::new()) };
        let listing: Listing = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("no list of objects"))?;
        Ok(listing.objects.into_iter().map(|listed| (listed.id, listed.creation_time_unix)).collect())
    }
}
