//! Creates the collections of a plan, before any object is written, and compares what the server made of each.

use super::applied::{Applied, clauses};
use super::made::{Made, made};
use super::{Collection, Refusal, Server};
use crate::model::Schema;
use crate::ops::{Error, Session};
use crate::weaviate::{Error as WireError, Writer};

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

/// Why a collection was not created as it should be.
#[derive(Debug)]
pub(super) struct NotMade {
    pub(super) error: Error,
    /// A request went out that was perhaps carried out: what is there now may be of this run.
    pub(super) perhaps_there: bool,
}

/// Creates one collection. Nothing of that name may exist.
pub(super) async fn create(
    client: &Writer,
    session: &Session,
    collection: &Collection,
    server: &Server,
) -> Result<Created, NotMade> {
    let not_sent = |error| NotMade { error, perhaps_there: false };
    if session.unless_stopped(client.schema(&collection.planned.target)).await.map_err(not_sent)?.is_some() {
        return Err(not_sent(taken(collection)));
    }
    until_there(client, session, collection).await?;
    complete(client, collection, server).await.map_err(|error| NotMade { error, perhaps_there: true })
}

fn taken(collection: &Collection) -> Error {
    let (archived, there) = (collection.planned.archived.clone(), collection.planned.target.clone());
    Error::CannotRestore { refusals: vec![Refusal::Exists { collection: archived, there }], chosen: 1 }
}

/// Adds what no server takes in the first request, and compares what the server made. Once begun it is seen through: a
/// collection that exists half would be worse than a moment of waiting.
async fn complete(client: &Writer, collection: &Collection, server: &Server) -> Result<Created, Error> {
    let (target, fit) = (&collection.planned.target, &collection.fit);
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
async fn until_there(client: &Writer, session: &Session, collection: &Collection) -> Result<(), NotMade> {
    let target = &collection.planned.target;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Err(source) = client.create_collection(&collection.fit.create).await else { return Ok(()) };
        let perhaps = |error| NotMade { error, perhaps_there: true };
        let refused = matches!(
            source.root(),
            WireError::Rejected { .. } | WireError::Forbidden { .. } | WireError::Unauthorized { .. }
        );
        // The first refusal is an answer: nothing was made, and what is there is somebody else's. A later one may mean
        // that an earlier request got through.
        let unanswered = !refused || attempt > 1;
        let there = match session.unless_stopped(client.schema(target)).await {
            Ok(there) => there.is_some(),
            Err(Error::Interrupted) => return Err(perhaps(Error::Interrupted)),
            // What is told is why it was not created.
            Err(_) => false,
        };
        match (there, unanswered) {
            (true, true) => return Ok(()),
            (true, false) => return Err(NotMade { error: taken(collection), perhaps_there: false }),
            (false, _) => {}
        }
        if refused || attempt == CREATE_ATTEMPTS {
            return Err(perhaps(Error::NotCreated { collection: target.clone(), source }));
        }
        tracing::warn!(%target, %source, attempt, "creating was not answered, and the collection is not there");
    }
}
