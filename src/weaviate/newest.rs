//! When something was written last to a collection.

use serde::Deserialize;

use super::Error;
use super::attempt::{Ask, LISTING_BYTES_MAX};
use super::client::Client;
use crate::model::{CollectionName, TenantName};

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    objects: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    last_update_time_unix: i64,
}

impl Client {
    /// The newest update time among the objects of a collection, or of one of its tenants, in ms since 1970 by the server's
    /// clock; `None` if there are none. The server looks at every object for it: it is meant for small collections.
    pub async fn newest_update(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
    ) -> Result<Option<i64>, Error> {
        let tenant = tenant.map(|tenant| format!("&tenant={tenant}")).unwrap_or_default();
        let sorted = "limit=1&sort=_lastUpdateTimeUnix&order=desc";
        let path = format!("/v1/objects?class={collection}&{sorted}{tenant}");
        // One object, which may be a large one.
        let ask = Ask { max_bytes: LISTING_BYTES_MAX, ..Ask::get(path) };
        let body = self.fetch(&ask).await?;
        let listing: Listing = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("no list of objects"))?;
        Ok(listing.objects.first().map(|newest| newest.last_update_time_unix))
    }
}
