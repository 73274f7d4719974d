//! A look at the first object that a server lists.

use std::collections::BTreeMap;

use crate::model::{CollectionName, RawObject, TenantName, dimensions};
use crate::pipeline::split::{self, Expected};
use crate::weaviate::{Client, Error, PageReply, PageRequest};

/// The longest object that is looked at, in bytes.
const OBJECT_BYTES: u64 = 16 << 20;

/// How long the vectors of a collection are, or of one of its tenants, by their names: those of the first object. Nothing where
/// there is none, or it cannot be looked at.
pub(crate) async fn live_lengths(
    client: &Client,
    collection: &CollectionName,
    tenant: Option<&TenantName>,
) -> Result<BTreeMap<String, u64>, Error> {
    let page = PageRequest { collection, tenant, after: None, limit: 1, vectors: true, max_bytes: OBJECT_BYTES };
    let PageReply::Body(body) = client.page(&page).await? else { return Ok(BTreeMap::new()) };
    let objects = split::page(&body, Expected { collection, after: None, limit: 1 }).unwrap_or_default();
    let vectors = objects.iter().flat_map(RawObject::vectors);
    Ok(vectors.map(|(name, text)| (String::from_utf8_lossy(name).into_owned(), dimensions(text))).collect())
}
