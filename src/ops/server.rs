//! What every plan asks first: whether the server is ready, who it is, and whether it lets be done what is wanted.

use super::{Error, Session};
use crate::model::{CollectionName, Schema};
use crate::weaviate::{Client, IdleNamespace, ServerFacts};

/// What an operation does to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// It reads; what it changes, such as tenants that it activates, it can do without.
    Reads,
    /// It changes collections or objects.
    Writes,
}

/// Looks at a server before anything is planned. One whose operational mode forbids what is wanted is refused at once.
pub(super) async fn look(client: &Client, session: &Session, needs: Needs) -> Result<ServerFacts, Error> {
    session.unless_stopped(client.ready()).await?;
    let facts = session.unless_stopped(client.facts()).await?;
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
pub(super) async fn are_active(client: &Client, session: &Session, schemas: &[Schema]) -> Result<(), Error> {
    let idle = session.unless_stopped::<_, Error>(async { Ok(idle_namespaces(client, schemas).await) }).await?;
    let is_idle = |name: &&CollectionName| idle.iter().any(|namespace| namespace.holds(name));
    let collections: Vec<String> =
        schemas.iter().map(|schema| &schema.name).filter(is_idle).map(ToString::to_string).collect();
    if collections.is_empty() { Ok(()) } else { Err(Error::InIdleNamespace { collections }) }
}
