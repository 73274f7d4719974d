//! The collections of a server, each in a line.

use std::collections::BTreeMap;

use serde_json::Value;

use super::counting::{OneCounted, count};
use super::described::vectors;
use super::{Listed, ListedServer, Listing, OneTenant, Tenants};
use crate::model::{Schema, Selection};
use crate::ops::{Error, select};
use crate::weaviate::{Client, TenantState};

/// Lists and counts the collections chosen. A server without any gives an empty list, unless some were named.
///
/// # Errors
///
/// Nothing is chosen, or the server cannot be reached or refuses to list its collections.
pub async fn list(client: &Client, selection: &Selection) -> Result<Listing, Error> {
    client.ready().await?;
    let (meta, schemas, aliases, rights) =
        tokio::join!(client.meta(), client.schemas(), client.aliases(), client.rights());
    let (meta, schemas, aliases) = (meta?, schemas?, aliases?.seen().map(|a| a.pairs).unwrap_or_default());
    let taken = select::all_taken(&schemas, selection, &aliases, select::Alias::Follows);
    // No listing fails for want of this answer.
    let rights = rights.unwrap_or_default();
    let is_partial = rights.as_ref().is_some_and(|rights| !rights.show_collections());
    let chosen = if schemas.is_empty() && selection.take.is_empty() {
        Vec::new()
    } else {
        select::choose(schemas, selection, &aliases, select::Alias::Follows)?
    };
    let counted = count(client, &chosen, rights.as_ref()).await?;
    Ok(Listing {
        server: ListedServer { url: client.url().to_owned(), version: meta.version.text },
        topology: counted.topology,
        taken: taken.into_iter().map(select::TakenName::warning).collect(),
        is_partial,
        collections: chosen.iter().zip(counted.collections).map(|(schema, counted)| listed(schema, counted)).collect(),
    })
}

fn listed(schema: &Schema, counted: OneCounted) -> Listed {
    let vectors = vectors(&document(schema));
    let mut index_types: Vec<String> = Vec::new();
    for kind in vectors.iter().filter_map(|vector| vector.index_type.as_ref()) {
        if !index_types.contains(kind) {
            index_types.push(kind.clone());
        }
    }
    Listed {
        name: schema.name.clone(),
        objects: counted.objects,
        multi_tenant: schema.multi_tenant,
        tenants: counted.tenants.as_deref().map(tenants),
        vectors: vectors.into_iter().map(|vector| vector.name).collect(),
        index_types,
        shards: shards(schema),
        replicas: schema.replicas,
    }
}

/// The class document; it was parsed before, so it can be parsed.
pub(super) fn document(schema: &Schema) -> Value {
    serde_json::from_slice(&schema.text).unwrap_or_default()
}

/// How many shards a plain collection should have.
pub(super) fn shards(schema: &Schema) -> Option<u32> {
    schema.shards.filter(|_| !schema.multi_tenant)
}

/// How many tenants there are, and what they are doing.
pub(super) fn tenants(each: &[OneTenant]) -> Tenants {
    let mut states: BTreeMap<TenantState, u64> = BTreeMap::new();
    for tenant in each {
        *states.entry(tenant.state.clone()).or_default() += 1;
    }
    let total = each.len() as u64;
    Tenants { total, not_hot: total - states.get(&TenantState::Hot).copied().unwrap_or_default(), states }
}
