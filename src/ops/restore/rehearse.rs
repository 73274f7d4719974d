//! Before anybody is asked, and before anything is created for good: what the plan creates is created under scratch names,
//! compared, and removed. Sends writing requests, which touch nothing of the user's.

use std::collections::BTreeSet;

use super::earlier_run::Stage;
use super::{Collection, PreparedRestore, RestoreRefusal};
use crate::event::{Event, Warning};
use crate::model::CollectionName;
use crate::ops::schema::{Rehearsal, Rehearsed, Subject, Unmakeable, sweep};
use crate::ops::{Error, Session, WriteAccess};
use crate::weaviate::{Tenant, Writer};

/// Up to so many collections are there at once under scratch names, which shows whether a limit leaves room for all of
/// them. Of more each document is tried once.
const MOST_HELD: usize = 8;

/// Rehearses what the plan creates; what the server does not make as it is to be is refused. What killed runs left behind
/// is removed in any case.
///
/// # Errors
///
/// The server does not take a collection as it has to be, or cannot be reached.
pub async fn rehearse(
    writer: &Writer,
    session: &Session,
    mut prepared: PreparedRestore,
) -> Result<PreparedRestore, Error> {
    let access = WriteAccess::new(writer, session);
    let state = prepared.plan.options.state.clone();
    let over = prepared.resuming.as_ref().is_some_and(|resuming| resuming.kept.history.complete);
    let created =
        |collection: &&Collection| collection.mode.is_created() && collection.before.stage != Stage::There && !over;
    let pending: Vec<&Collection> = prepared.work.iter().filter(created).collect();
    let mut work = Vec::with_capacity(pending.len());
    for collection in &pending {
        // What an earlier attempt began may have been created or not.
        let begun = collection.before.stage == Stage::Begun;
        if !begun || access.ask(access.client.schema(&collection.planned.target)).await?.is_none() {
            work.push(*collection);
        }
    }
    if work.is_empty() || !prepared.plan.options.rehearse {
        sweep(access, &state).await?;
        if work.is_empty() {
            prepared.plan.rehearsed = Rehearsed::NotNeeded;
        }
        return Ok(prepared);
    }
    let pending: BTreeSet<CollectionName> = pending.iter().map(|one| one.planned.target.clone()).collect();
    let (server, rights) = (prepared.server.clone(), prepared.rights.clone());
    let mut rehearsal = Rehearsal::open(access, &state, server.target(), rights.as_ref()).await?;
    let found = rehearse_each(&mut rehearsal, access.session, &work, &pending).await;
    rehearsal.close().await;
    let chosen = prepared.work.len();
    let (refusals, rehearsed) = found?;
    if !refusals.is_empty() {
        return Err(Error::CannotRestore { refusals, chosen });
    }
    if let Rehearsed::NotAllowed { lacks } = rehearsed {
        access.events.warn(Warning::NotRehearsed { lacks: lacks.to_owned() });
    }
    prepared.plan.rehearsed = rehearsed;
    Ok(prepared)
}

/// What stands against each, and how it was found out. `pending`: what is not there, or not known to be.
async fn rehearse_each(
    rehearsal: &mut Rehearsal<'_>,
    session: &Session,
    work: &[&Collection],
    pending: &BTreeSet<CollectionName>,
) -> Result<(Vec<RestoreRefusal>, Rehearsed), Error> {
    let (mut refusals, mut rehearsed) = (Vec::new(), Rehearsed::Done);
    for (at, collection) in work.iter().enumerate() {
        let (nth, of) = (at as u64 + 1, work.len() as u64);
        let target = collection.planned.target.clone();
        session.events.emit(Event::Creating { collection: target, nth, of, rehearsal: true });
        let tenants: &[Tenant] = if collection.asked.multi_tenant { &collection.tenants.made } else { &[] };
        let (fit, archived) = (&collection.fit, &collection.asked);
        let subject = Subject { fit, archived, pending, tenants, strict: false };
        let found =
            if work.len() <= MOST_HELD { rehearsal.hold(&subject).await? } else { rehearsal.one(&subject).await? };
        match found {
            Ok(_) => {}
            // The key may create what it is to create, and remove nothing: that is no reason against it.
            Err(Unmakeable::NoScratchName { lacks, .. }) => rehearsed = Rehearsed::NotAllowed { lacks },
            Err(why) => {
                let archived = collection.planned.archived.clone();
                refusals.push(RestoreRefusal::unmakeable(archived, why, &collection.asked.text));
            }
        }
    }
    Ok((refusals, rehearsed))
}
