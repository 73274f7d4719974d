//! A backup while nodes are missing: whether what is left is enough, and what is said of it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::CollectionBackup;
use crate::archive::manifest::TopologyRecord;
use crate::event::Warning;
use crate::model::Schema;
use crate::ops::{Error, ReadAccess};
use crate::weaviate::{Client, Reduced, Topology};

/// The nodes that are missing, if each of these collections can be read all the same.
pub(super) async fn bearable<'a>(
    client: &Client,
    schemas: impl IntoIterator<Item = &'a Schema>,
) -> Result<BTreeSet<String>, Error> {
    let mut all = BTreeSet::new();
    for schema in schemas {
        let Reduced { topology, missing, .. } = client.topology_without_nodes(schema).await;
        if let Topology::Broken { reason } = topology {
            return Err(Error::NotWhole { collection: schema.name.clone(), reason, waited: Duration::ZERO });
        }
        all.extend(missing);
    }
    Ok(all)
}

/// The error that says that the flag would help, if it would: nodes are missing, and the others hold enough.
pub(super) async fn allowable<'a>(client: &Client, schemas: impl IntoIterator<Item = &'a Schema>) -> Option<Error> {
    let nodes = bearable(client, schemas).await.ok().filter(|nodes| !nodes.is_empty())?;
    Some(Error::NodesMissing { nodes: nodes.into_iter().collect() })
}

/// What is known of a server of which nodes may be missing, before anything is read; each collection is looked at.
pub(super) async fn record(
    access: ReadAccess<'_>,
    collections: &[CollectionBackup],
) -> Result<Option<TopologyRecord>, Error> {
    let schemas = collections.iter().map(|planned| &planned.schema);
    let missing: Vec<String> = access.ask(bearable(access.client, schemas)).await?.into_iter().collect();
    if missing.is_empty() {
        return Ok(None);
    }
    access.events.warn(Warning::NodesMissing { nodes: missing.clone() });
    Ok(Some(TopologyRecord::new(Some(reason(&missing)), Vec::new(), missing)))
}

/// Why a server was not whole, for whoever reads the manifest.
pub(super) fn reason(missing: &[String]) -> String {
    format!("nodes were missing: {}; every shard had a majority of its replicas on the others", missing.join(", "))
}
