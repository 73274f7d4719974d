//! Creates the collections of a plan, before any object is written, and compares what the server made of each.

use super::{Collection, Refusal, Server, tenants};
use crate::model::{Renames, Schema};
use crate::ops::schema::{Applied, Made, NotMade, clauses, complete, made, until_there};
use crate::ops::{Error, Session, verify};
use crate::weaviate::Writer;

/// What was created.
#[derive(Debug, Clone)]
pub(super) struct Created {
    /// The schema as the server has it now.
    pub(super) schema: Schema,
    /// What the server made of its own, and what it dropped, each as a clause.
    pub(super) remarks: Vec<String>,
}

/// A collection that exists, and to which tenants are added.
pub(super) async fn join(writer: &Writer, session: &Session, collection: &Collection) -> Result<Created, Error> {
    let target = &collection.planned.target;
    let schema = session.unless_stopped(writer.schema(target)).await?;
    let schema = schema.ok_or_else(|| Error::Vanished { collection: target.clone() })?;
    // Somebody may have looked at the plan for long. What was there then must be there, and nobody may have taken a name:
    // servers take a tenant that exists for one that was created.
    let lacks = verify::lacks(&collection.asked, &schema, &Renames::default());
    let refusals = tenants::joins(writer, &collection.indexed.schema, &schema, &collection.tenants, lacks);
    let refusals = session.unless_stopped(refusals).await?;
    if !refusals.is_empty() {
        return Err(Error::CannotRestore { refusals, chosen: 1 });
    }
    Ok(Created { schema, remarks: vec!["tenants were added to the collection that was there".to_owned()] })
}

/// Creates one collection. Nothing of that name may exist. It is not as it should be before it was finished.
pub(super) async fn begin(writer: &Writer, session: &Session, collection: &Collection) -> Result<(), NotMade> {
    let not_sent = |error| NotMade { error, perhaps_there: false };
    if session.unless_stopped(writer.schema(&collection.planned.target)).await.map_err(not_sent)?.is_some() {
        return Err(not_sent(taken(collection)));
    }
    until_there(writer, session, &collection.fit, || taken(collection)).await
}

/// Adds what is missing, which may need other collections, and compares.
pub(super) async fn finish(writer: &Writer, collection: &Collection, server: &Server) -> Result<Created, Error> {
    let schema = complete(writer, &collection.fit).await?;
    compared(collection, schema, server)
}

fn taken(collection: &Collection) -> Error {
    let (archived, there) = (collection.planned.archived.clone(), collection.planned.target.clone());
    Error::CannotRestore { refusals: vec![Refusal::Exists { collection: archived, there }], chosen: 1 }
}

fn compared(collection: &Collection, schema: Schema, server: &Server) -> Result<Created, Error> {
    let fit = &collection.fit;
    match made(&fit.asked, &collection.asked, &schema, &server.target()) {
        Made::Same { additions, applied } => {
            let all: Vec<Applied> = fit.applied.iter().cloned().chain(applied).collect();
            let mut remarks = clauses(&all);
            if !additions.is_empty() {
                remarks.push(format!("settings that the server added: {}", additions.join(", ")));
            }
            Ok(Created { schema, remarks })
        }
        Made::Other { differences } => {
            Err(Error::MadeOtherwise { collection: collection.planned.target.clone(), differences })
        }
    }
}
