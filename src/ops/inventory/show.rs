//! One collection in full.

use serde_json::value::RawValue;

use super::counting::count;
use super::described::{properties, vectors};
use super::list::{document, shards, tenants};
use super::sample::{Sample, sample};
use super::{ListedServer, Nodes, Shown};
use crate::model::{CollectionName, Schema, similar};
use crate::ops::Error;
use crate::weaviate::{Aliases, Client, Listed, ShardState};

/// Describes and counts a collection, named by itself or by an alias.
///
/// # Errors
///
/// The collection does not exist, or the server cannot be reached or refuses to show it.
pub async fn show(client: &Client, name: &CollectionName) -> Result<Shown, Error> {
    client.ready().await?;
    let (meta, schema, aliases, rights) =
        tokio::join!(client.meta(), client.schema(name), client.aliases(), client.rights());
    let (meta, listed) = (meta?, aliases?);
    // No look fails for want of the rights; whether they show every alias is not known then.
    let told = rights.is_ok();
    let rights = rights.unwrap_or_default();
    let Some(schema) = schema? else { return Err(unknown(client, name, pairs(listed)).await?) };
    let has_aliases = listed != Listed::Nothing;
    let aliases_known = has_aliases && told && !listed.may_lack(rights.as_ref(), &schema.name);
    let aliases_seen = of(&schema.name, pairs(listed));
    let (counted, listed) =
        tokio::join!(count(client, std::slice::from_ref(&schema), rights.as_ref()), list_shards(client, &schema));
    let counted = counted?;
    let (shards_each, shards_reason) = listed;
    let one = counted.collections.into_iter().next().ok_or(Error::Stage { what: "count".into() })?;
    let each = one.tenants.as_deref().unwrap_or_default();
    // Only a tenant that is active is read: reading another one might activate it.
    let fullest = each.iter().filter(|t| t.objects > Some(0)).max_by_key(|t| t.objects);
    let tenant = fullest.map(|tenant| tenant.name.clone());
    let seen = one.objects.objects_seen;
    let looked_at = if (schema.multi_tenant && tenant.is_none()) || seen == Some(0) {
        Sample::default()
    } else {
        let doubtful = matches!(counted.topology, Nodes::Broken { .. });
        sample(client, &schema, tenant.as_ref(), doubtful).await
    };
    let document = document(&schema);
    let mut vectors = vectors(&document);
    for vector in &mut vectors {
        vector.dimensions = looked_at.of_vector(&vector.name);
    }
    Ok(Shown {
        server: ListedServer { url: client.url().to_owned(), version: meta.version.text },
        topology: counted.topology,
        asked_by_alias: (!is_its_name(name, &schema.name)).then(|| name.clone()),
        objects: one.objects,
        size: looked_at.size(tenant, seen),
        aliases: aliases_known.then(|| aliases_seen.clone()),
        aliases_seen,
        has_aliases,
        multi_tenant: schema.multi_tenant,
        tenants: one.tenants.as_deref().map(tenants),
        tenants_each: one.tenants.unwrap_or_default(),
        shards: shards(&schema),
        shards_each,
        shards_reason,
        replicas: schema.replicas,
        vectors,
        properties: properties(&document),
        schema: verbatim(&schema)?,
        name: schema.name,
    })
}

fn pairs(listed: Listed<Aliases>) -> Vec<(String, CollectionName)> {
    listed.seen().map(|aliases| aliases.pairs).unwrap_or_default()
}

/// Why a name leads nowhere: an alias whose collection is gone, or no collection at all.
async fn unknown(
    client: &Client,
    name: &CollectionName,
    aliases: Vec<(String, CollectionName)>,
) -> Result<Error, Error> {
    let schemas = client.schemas().await?;
    let names: Vec<&CollectionName> = schemas.iter().map(|schema| &schema.name).collect();
    let mut similar = similar(name.as_str(), &names);
    similar.retain(|other| other != name);
    let alias_of = aliases.into_iter().find(|(alias, _)| alias == name.as_str()).map(|(_, collection)| collection);
    Ok(match alias_of {
        Some(collection) => Error::DanglingAlias { name: name.clone(), collection },
        None => Error::UnknownCollection { name: name.to_string(), alias_of: None, similar },
    })
}

/// Servers take the first letter of a name in either case.
fn is_its_name(asked: &CollectionName, name: &CollectionName) -> bool {
    asked.as_str().eq_ignore_ascii_case(name.as_str())
}

fn of(collection: &CollectionName, pairs: Vec<(String, CollectionName)>) -> Vec<String> {
    let mut names: Vec<String> =
        pairs.into_iter().filter(|(_, class)| class == collection).map(|(alias, _)| alias).collect();
    names.sort_unstable();
    names
}

/// The shards of a plain collection, or why they are not listed.
async fn list_shards(client: &Client, schema: &Schema) -> (Option<Vec<ShardState>>, Option<String>) {
    if schema.multi_tenant {
        return (None, None);
    }
    match client.shard_states(&schema.name).await {
        Ok(shards) => (Some(shards), None),
        Err(error) => (None, Some(error.to_string())),
    }
}

fn verbatim(schema: &Schema) -> Result<Box<RawValue>, Error> {
    let text = String::from_utf8_lossy(&schema.text).into_owned();
    RawValue::from_string(text).map_err(|_| Error::Stage { what: "schema".into() })
}
