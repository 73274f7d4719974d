//! The plan of a creation: what the server will make of a class document, and what is in the way. Sends reading requests
//! only.

use serde_json::Value;

use super::stored::as_stored;
use super::{CreationOptions, CreationPlan, PreparedCreation, Shape};
use crate::event::{CreationRemark, Remark};
use crate::model::{CollectionName, Renames};
use crate::ops::archive_selection::capital;
use crate::ops::lacking::Making;
use crate::ops::restore::{Readable, RestoreRefusal, missing, not_allowed, taken_by, without_hidden};
use crate::ops::schema::endpoints::{Endpoint, endpoints};
use crate::ops::schema::{Rehearsed, expires, fit, remarks_of};
use crate::ops::server::{self};
use crate::ops::{Error, ReadAccess, Session};
use crate::weaviate::{Client, Tenant};

/// Looks at the server, and says what a creation would do. Sends reading requests only.
///
/// # Errors
///
/// The collection exists, the server cannot hold it as it is described, or cannot be reached or is not whole.
pub async fn plan(client: &Client, session: &Session, mut options: CreationOptions) -> Result<PreparedCreation, Error> {
    let access = ReadAccess { client, session };
    let (stored, rewritten) = as_stored(&options.schema)?;
    options.schema = stored;
    let server = server::look_to_change(access).await?;
    let schema = &options.schema;
    let name = capital(options.name.as_ref().unwrap_or(&schema.name));
    let mut renames = Renames::default();
    renames.insert(schema.name.clone(), name.clone());
    let topology_unchecked = access.whole(access.client.members(), &name).await?.unchecked;

    let aliases = access.aliases().await?;
    let live: Vec<CollectionName> =
        access.ask(access.client.schemas()).await?.into_iter().map(|schema| schema.name).collect();
    let fit = fit(schema, &renames, &server.target());
    let rights = access.ask(access.client.rights()).await?;
    let mut refusals: Vec<RestoreRefusal> = taken_by(&name, &name, &live, &aliases).into_iter().collect();
    let mut reading = Readable::new(access.client, rights.as_ref());
    let unreadable = access.ask(reading.refusals(schema, &name, &renames, |_| false)).await?;
    let missing = missing(schema, &|name| live.contains(name), &renames);
    let missing = without_hidden(missing, &unreadable);
    refusals.extend(unreadable.into_iter().chain(missing));
    refusals.extend(rights.as_ref().into_iter().flat_map(|rights| {
        let (multi_tenant, expires) = (schema.multi_tenant, expires(schema));
        not_allowed(&name, &Making { rights, fit: &fit, multi_tenant, expires, tenants: &options.tenants })
    }));
    refusals.extend(fit.refused.iter().cloned());
    if !refusals.is_empty() {
        return Err(Error::CannotCreate { refusals });
    }
    let changed = options.tenants.iter().filter(|tenant| !tenant.can_be_created()).count() as u64;
    let tenants_remark = (changed > 0).then_some(CreationRemark::TenantsToInactive { tenants: changed });
    let leads = endpoints(&serde_json::from_str(&fit.asked).unwrap_or_default());
    let leads = leads.iter().map(Endpoint::remark).map(Remark::from);
    let fitted = remarks_of(&fit.applied).chain(leads);
    let rewritten_too = rewritten.iter().cloned().map(Remark::from);
    let remarks = rewritten_too.chain(fitted).chain(tenants_remark.clone().map(Remark::from)).collect();
    let plan = CreationPlan {
        url: access.client.url().to_owned(),
        server_version: server.meta.version.text.clone(),
        shape: shape(&fit.asked),
        name,
        tenants: options.tenants.iter().map(Tenant::as_created).collect(),
        remarks,
        rehearsed: if options.rehearse { Rehearsed::Due } else { Rehearsed::Skipped },
        topology_unchecked,
    };
    Ok(PreparedCreation { plan, options, fit, rewritten, tenants_remark, server, rights })
}

fn shape(document: &str) -> Shape {
    let document: Value = serde_json::from_str(document).unwrap_or(Value::Null);
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let types = |property: &Value| {
        let types = property["dataType"].as_array().into_iter().flatten().filter_map(Value::as_str);
        types.collect::<Vec<_>>().join(" or ")
    };
    let properties = document["properties"].as_array().into_iter().flatten();
    let named = document["vectorConfig"].as_object().into_iter().flatten();
    let mut vectors: Vec<_> = named
        .map(|(name, vector)| {
            let vectorizer = vector["vectorizer"].as_object().and_then(|one| one.keys().next().cloned());
            (name.clone(), text(&vector["vectorIndexType"]), vectorizer)
        })
        .collect();
    let unnamed = (text(&document["vectorIndexType"]), text(&document["vectorizer"]));
    if vectors.is_empty() || unnamed.0.is_some() {
        vectors.insert(0, ("default".to_owned(), unnamed.0, unnamed.1));
    }
    let sharding = &document["shardingConfig"];
    Shape {
        properties: properties.filter_map(|p| Some((text(&p["name"])?, types(p)))).collect(),
        vectors,
        replicas: document["replicationConfig"]["factor"].as_u64(),
        shards: sharding["desiredCount"].as_u64().or_else(|| sharding["actualCount"].as_u64()),
        multi_tenant: document["multiTenancyConfig"]["enabled"] == true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_what_the_document_says() {
        let document = r#"{"class":"A","properties":[{"name":"t","dataType":["text"]},{"name":"r","dataType":["B","C"]}],
            "vectorConfig":{"v":{"vectorIndexType":"flat","vectorizer":{"none":{}}}},"replicationConfig":{"factor":3},
            "shardingConfig":{"desiredCount":2},"multiTenancyConfig":{"enabled":true}}"#;
        let own = |text: &str| text.to_owned();
        assert_eq!(
            shape(document),
            Shape {
                properties: vec![(own("t"), own("text")), (own("r"), own("B or C"))],
                vectors: vec![(own("v"), Some(own("flat")), Some(own("none")))],
                replicas: Some(3),
                shards: Some(2),
                multi_tenant: true,
            }
        );
        let bare = Shape { vectors: vec![(own("default"), None, None)], ..Shape::default() };
        assert_eq!(shape(r#"{"class":"A","properties":null,"vectorConfig":null}"#), bare);
    }
}
