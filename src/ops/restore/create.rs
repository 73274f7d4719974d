//! Creates the collections of a plan, before any object is written, and compares what the server made of each.

use super::applied::{Applied, clauses};
use super::made::{Made, made};
use super::{Collection, Refusal, Server};
use crate::model::Schema;
use crate::ops::{Error, Session};
use crate::weaviate::{Client, Error as WireError};

/// Requests sent to create one collection, as long as none is answered.
const CREATE_ATTEMPTS: u32 = 3;

/// What was created.
#[derive(Debug, Clone)]
pub(super) struct Created {
    /// The schema as the server has it now.
    pub(super) schema: Schema,
    /// What the server made of its own, and what it dropped, each as a clause.
    pub(super) remarks: Vec<String>,
}

/// Creates one collection. Nothing of that name may exist.
pub(super) async fn create(
    client: &Client,
    session: &Session,
    collection: &Collection,
    server: &Server,
) -> Result<Created, Error> {
    let (target, fit) = (&collection.planned.target, &collection.fit);
    let exists = session.unless_stopped(client.schema(target)).await?;
    if exists.is_some() {
        return Err(Error::CannotRestore {
            refusals: vec![Refusal::Exists { collection: collection.planned.archived.clone(), there: target.clone() }],
            chosen: 1,
        });
    }
    // Once begun it is seen through: a collection that exists half would be worse than a moment of waiting.
    until_there(client, collection).await?;
    if let Some(then) = &fit.then {
        client
            .update_collection(target, then)
            .await
            .map_err(|source| Error::NotCreated { collection: target.clone(), source })?;
    }
    let Some(schema) = client.schema(target).await? else {
        return Err(Error::Vanished { collection: target.clone() });
    };
    match made(fit.asked(), &collection.indexed.schema, &schema, &server.target()) {
        Made::Same { additions, applied } => {
            let all: Vec<Applied> = fit.applied.iter().cloned().chain(applied).collect();
            let mut remarks = clauses(&all);
            if !additions.is_empty() {
                remarks.push(format!("settings that the server added: {}", additions.join(", ")));
            }
            Ok(Created { schema, remarks })
        }
        Made::Other { differences } => Err(Error::MadeOtherwise { collection: target.clone(), differences }),
    }
}

/// Asks until the collection is there. Only the server knows whether a request without an answer was carried out, and
/// it may be carried out late; so it is looked for before it is asked for again.
async fn until_there(client: &Client, collection: &Collection) -> Result<(), Error> {
    let target = &collection.planned.target;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Err(source) = client.create_collection(&collection.fit.create).await else { return Ok(()) };
        let refused = matches!(
            source.root(),
            WireError::Rejected { .. } | WireError::Forbidden { .. } | WireError::Unauthorized { .. }
        );
        // The first refusal is an answer. A later one may mean that an earlier request got through.
        let unanswered = !refused || attempt > 1;
        if unanswered && client.schema(target).await?.is_some() {
            return Ok(());
        }
        if refused || attempt == CREATE_ATTEMPTS {
            return Err(Error::NotCreated { collection: target.clone(), source });
        }
        tracing::warn!(%target, %source, attempt, "creating was not answered, and the collection is not there");
    }
}
