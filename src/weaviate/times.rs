//! When objects were created and written last, and when something was written last to a collection.

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
    last_update_time_unix: i64,
}

/// A question for a list of objects of a collection, or of one of its tenants. A single object may be a large one.
fn list(collection: &CollectionName, tenant: Option<&TenantName>, query: &str) -> Ask {
    let tenant = tenant.map(|tenant| format!("&tenant={tenant}")).unwrap_or_default();
    let path = format!("/v1/objects?class={collection}&{query}{tenant}");
    Ask { max_bytes: LISTING_BYTES_MAX, ..Ask::get(path) }
}

fn listed(ask: &Ask, body: &[u8]) -> Result<Vec<Listed>, Error> {
    let listing: Listing = serde_json::from_slice(body).map_err(|_| ask.bad_answer("no list of objects"))?;
    Ok(listing.objects)
}

impl Client {
    /// The newest update time among the objects of a collection, or of one of its tenants, in ms since 1970 by the server's
    /// clock; `None` if there are none. The server looks at every object for it: it is meant for small collections.
    pub async fn newest_update(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
    ) -> Result<Option<i64>, Error> {
        let ask = list(collection, tenant, "limit=1&sort=_lastUpdateTimeUnix&order=desc");
        let body = self.fetch(&ask).await?;
        Ok(listed(&ask, &body)?.first().map(|newest| newest.last_update_time_unix))
    }

    /// The first objects behind an id, `limit` at most, and when each was created, in ms since 1970 by the server's clock.
    /// Nothing where they are too large to be listed.
    pub async fn created_times(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        after: Option<ObjectId>,
        limit: u32,
    ) -> Result<Vec<(ObjectId, i64)>, Error> {
        let listed = self.first_behind(collection, tenant, after, limit).await?;
        Ok(listed.into_iter().map(|listed| (listed.id, listed.creation_time_unix)).collect())
    }

    /// The same, with when each was written last.
    pub async fn updated_times(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        after: Option<ObjectId>,
        limit: u32,
    ) -> Result<Vec<(ObjectId, i64)>, Error> {
        let listed = self.first_behind(collection, tenant, after, limit).await?;
        Ok(listed.into_iter().map(|listed| (listed.id, listed.last_update_time_unix)).collect())
    }

    async fn first_behind(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        after: Option<ObjectId>,
        limit: u32,
    ) -> Result<Vec<Listed>, Error> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let ask = list(collection, tenant, &format!("limit={limit}&after={after}"));
        let Body::Whole(body) = self.send(&ask).await?.body else { return Ok(Vec::new()) };
        listed(&ask, &body)
    }
}
