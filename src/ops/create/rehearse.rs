//! Before anybody is asked: the collection is created under a scratch name, with its tenants, compared, and removed.

use std::collections::BTreeSet;

use super::PreparedCreation;
use crate::event::Warning;
use crate::ops::restore::RestoreRefusal;
use crate::ops::schema::{Rehearsal, Rehearsed, Subject, Unmakeable, sweep};
use crate::ops::{Error, Session, WriteAccess};
use crate::weaviate::Writer;

/// Rehearses what the plan creates; what the server does not make as it is to be is refused. What killed runs left behind
/// is removed in any case.
///
/// # Errors
///
/// The server does not take the collection, or cannot be reached.
pub async fn rehearse(
    writer: &Writer,
    session: &Session,
    mut prepared: PreparedCreation,
) -> Result<PreparedCreation, Error> {
    let access = WriteAccess::new(writer, session);
    let state = prepared.options.state.clone();
    if !prepared.options.rehearse {
        sweep(access, &state).await?;
        return Ok(prepared);
    }
    let rights = prepared.rights.clone();
    let mut rehearsal = Rehearsal::open(access, &state, prepared.server.target(), rights.as_ref()).await?;
    let pending = BTreeSet::new();
    let (fit, archived, tenants) = (&prepared.fit, &prepared.options.schema, &prepared.plan.tenants);
    let found = rehearsal.one(&Subject { fit, archived, pending: &pending, tenants, strict: false }).await;
    rehearsal.close().await;
    prepared.plan.rehearsed = match found? {
        Ok(_) => Rehearsed::Done,
        // The key may create it, and remove nothing: that is no reason against it.
        Err(Unmakeable::NoScratchName { lacks, .. }) => {
            access.events.warn(Warning::NotRehearsed { lacks: lacks.to_owned() });
            Rehearsed::NotAllowed { lacks }
        }
        Err(why) => {
            let (name, document) = (prepared.plan.name.clone(), &prepared.options.schema.text);
            let refusals = vec![RestoreRefusal::unmakeable(name, why, document)];
            return Err(Error::CannotCreate { refusals });
        }
    };
    Ok(prepared)
}
