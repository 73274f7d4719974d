//! What every plan asks first: whether the server is ready, who it is, and whether it lets be done what is wanted.

use super::{Error, ReadAccess};
use crate::model::{CollectionName, Schema};
use crate::ops::schema::Target;
use crate::weaviate::{Client, IdleNamespace, Meta, ServerFacts};

/// What an operation does to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// It reads; what it changes, such as tenants that it activates, it can do without.
    Reads,
    /// It changes collections or objects.
    Writes,
}

/// What a class document is made to fit.
#[derive(Debug, Clone)]
pub(super) struct PlannedServer {
    pub(super) meta: Meta,
    /// How many nodes it has; `None` where that is not told.
    pub(super) nodes: Option<usize>,
}

impl PlannedServer {
    pub(super) fn target(&self) -> Target<'_> {
        Target { version: &self.meta.version, modules: &self.meta.modules, nodes: self.nodes }
    }
}

/// Looks at a server that is to be changed.
pub(super) async fn look_to_change(access: ReadAccess<'_>) -> Result<PlannedServer, Error> {
    let ServerFacts { meta, nodes, .. } = look(access, Needs::Writes).await?;
    Ok(PlannedServer { meta, nodes })
}

/// Looks at a server before anything is planned. One whose operational mode forbids what is wanted is refused at once.
pub(super) async fn look(access: ReadAccess<'_>, needs: Needs) -> Result<ServerFacts, Error> {
    access.ask(access.client.ready()).await?;
    let facts = access.ask(access.client.facts()).await?;
    let allows = facts.mode.is_none_or(|mode| mode.reads() && (needs == Needs::Reads || mode.writes()));
    match facts.mode {
        Some(mode) if !allows => Err(Error::ModeForbids { mode }),
        _ => Ok(facts),
    }
}

/// Namespaces that are not active. Only a key above all namespaces sees names with one, so nobody else asks.
pub(super) async fn idle_namespaces(client: &Client, schemas: &[Schema]) -> Vec<IdleNamespace> {
    if schemas.iter().any(|schema| schema.name.as_str().contains(':')) {
        client.idle_namespaces().await
    } else {
        Vec::new()
    }
}

/// Refuses collections in namespaces that are not active: nothing of them can be read or changed.
pub(super) async fn are_active(access: ReadAccess<'_>, schemas: &[Schema]) -> Result<(), Error> {
    let idle = access.try_ask(idle_namespaces(access.client, schemas)).await?;
    let is_idle = |name: &&CollectionName| idle.iter().any(|namespace| namespace.holds(name));
    let collections: Vec<String> =
        schemas.iter().map(|schema| &schema.name).filter(is_idle).map(ToString::to_string).collect();
    if collections.is_empty() { Ok(()) } else { Err(Error::InIdleNamespace { collections }) }
}
