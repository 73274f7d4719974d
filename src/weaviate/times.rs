//! When objects were created and written last, and when something was written last to a collection.

use std::time::Duration;

use serde::Deserialize;

use super::Error;
use super::ask::{Ask, LISTING_BYTES_MAX};
use super::body::Body;
use super::client::Client;
use crate::model::{CollectionName, ObjectId, TenantName};

/// Longest time for the first object of a tenant.
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);
/// Its longest answer, decoded: several are asked for beside the pages that have a budget.
const FIRST_BYTES_MAX: u64 = 256 * 1024;
/// The longest answer with several first objects, and with one that is large; one is asked for at a time.
const FIRSTS_BYTES_MAX: u64 = 1 << 20;
const FIRST_ALONE_BYTES_MAX: u64 = 8 << 20;

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    objects: Vec<ObjectTimes>,
}

/// When an object was created and written last, in ms since 1970 by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ObjectTimes {
    /// The object.
    pub id: ObjectId,
    /// Its creation.
    #[serde(rename = "creationTimeUnix")]
    pub created_ms: i64,
    /// Its last update.
    #[serde(rename = "lastUpdateTimeUnix")]
    pub updated_ms: i64,
}

/// A question for a list of objects of a collection, or of one of its tenants. A single object may be a large one.
fn list(collection: &CollectionName, tenant: Option<&TenantName>, query: &str) -> Ask {
    let tenant = tenant.map(|tenant| format!("&tenant={tenant}")).unwrap_or_default();
    let path = format!("/v1/objects?class={collection}&{query}{tenant}");
    Ask { max_bytes: LISTING_BYTES_MAX, ..Ask::get(path) }
}

fn listed(ask: &Ask, body: &[u8]) -> Result<Vec<ObjectTimes>, Error> {
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
        Ok(listed(&ask, &body)?.first().map(|newest| newest.updated_ms))
    }

    /// The first object of a tenant, with its times: by it the tenant is known again. Asked once, and for a moment only; nothing
    /// where it is too large to be looked at for that.
    pub async fn first_object(
        &self,
        collection: &CollectionName,
        tenant: &TenantName,
    ) -> Result<Option<ObjectTimes>, Error> {
        let ask = list(collection, Some(tenant), "limit=1&after=");
        let ask = Ask { timeout: Some(FIRST_TIMEOUT), attempts: 1, max_bytes: FIRST_BYTES_MAX, ..ask };
        let Body::Whole(body) = self.send(&ask).await?.body else { return Ok(None) };
        Ok(listed(&ask, &body)?.first().copied())
    }

    /// The first objects of a tenant behind an id, with their times: `most` of them, or one alone where they are large; none
    /// where that is very large.
    pub async fn first_objects(
        &self,
        collection: &CollectionName,
        tenant: &TenantName,
        after: Option<ObjectId>,
        most: u32,
    ) -> Result<Vec<ObjectTimes>, Error> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let several = list(collection, Some(tenant), &format!("limit={most}&after={after}"));
        let ask = Ask { max_bytes: FIRSTS_BYTES_MAX, ..several };
        if let Body::Whole(body) = self.send(&ask).await?.body {
            return listed(&ask, &body);
        }
        let alone = list(collection, Some(tenant), &format!("limit=1&after={after}"));
        let ask = Ask { max_bytes: FIRST_ALONE_BYTES_MAX, ..alone };
        let Body::Whole(body) = self.send(&ask).await?.body else { return Ok(Vec::new()) };
        listed(&ask, &body)
    }

    /// The first objects behind an id, `limit` at most, with their times. Nothing where they are too large to be listed.
    pub async fn times_behind(
        &self,
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        after: Option<ObjectId>,
        limit: u32,
    ) -> Result<Vec<ObjectTimes>, Error> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let ask = list(collection, tenant, &format!("limit={limit}&after={after}"));
        let Body::Whole(body) = self.send(&ask).await?.body else { return Ok(Vec::new()) };
        listed(&ask, &body)
    }
}
