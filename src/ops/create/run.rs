//! Carries out the plan of a creation: the collection, what the server made of it, its tenants.

use super::{CreationOutcome, CreationStopped, PreparedCreation};
use crate::archive::claims::Claim;
use crate::event::{CollectionResult, CreationRemark, Event, Op, Remark, Status, Warning};
use crate::ops::restore::RestoreRefusal;
use crate::ops::run::claim::Claiming;
use crate::ops::schema::{
    LeftBehind, NotMade, WrongTenants, as_asked, complete, create_tenants, until_there, wrong_tenants,
};
use crate::ops::taking_back::TakingBack;
use crate::ops::{Error, Session, WriteAccess};
use crate::weaviate::Writer;

/// Runs a plan to its end.
///
/// # Errors
///
/// [`CreationStopped`] says why, and whether the collection may be there now.
pub async fn run(
    writer: &Writer,
    session: &Session,
    prepared: PreparedCreation,
) -> Result<CreationOutcome, CreationStopped> {
    let access = WriteAccess::new(writer, session);
    let plan = &prepared.plan;
    let not_sent = |error| CreationStopped { error, perhaps_there: None };
    let perhaps = |error| CreationStopped { error, perhaps_there: Some(plan.name.clone()) };
    access.events.emit(Event::PlanMade { collections: plan.listed() });
    access.events.emit(Event::CollectionStarted { collection: plan.name.clone(), objects: Some(0) });
    let _claim = claim(access, &prepared).await.map_err(not_sent)?;
    if access.ask(access.client.schema(&plan.name)).await.map_err(not_sent)?.is_some() {
        return Err(not_sent(taken(&prepared)));
    }
    if let Err(NotMade { error, left }) = until_there(access, &prepared.fit, || taken(&prepared)).await {
        let there = match left {
            LeftBehind::Nothing => false,
            LeftBehind::Half => !is_taken_back(access, &prepared).await,
            // Where it cannot be asked, it is better to name what may not be there than to leave it unsaid.
            LeftBehind::Unsure => !matches!(access.client.schema(&plan.name).await, Ok(None)),
        };
        return Err(if there { perhaps(error) } else { not_sent(error) });
    }
    let there = complete(access.writer, &prepared.fit).await.map_err(perhaps)?;
    let as_asked = as_asked(&prepared.fit, &prepared.options.schema, &there, &prepared.server.target());
    let (remarks, additions) = as_asked.map_err(perhaps)?;
    let missing = tenants(access, &prepared).await.map_err(perhaps)?;
    let more = prepared.rewritten.iter().cloned().chain(prepared.tenants_remark.clone()).map(Remark::from);
    let remarks = remarks.chain(more).collect();
    let result = CollectionResult { tenants: plan.tenants.len() as u64, ..CollectionResult::of(plan.name.clone()) };
    access.events.emit(Event::CollectionFinished(result.clone()));
    let status = if missing.is_empty() { Status::Ok } else { Status::Incomplete };
    let result = access.result(Op::Create, status, None, vec![result]);
    Ok(CreationOutcome { result, remarks, additions, missing, topology_unchecked: plan.topology_unchecked.clone() })
}

async fn claim(access: WriteAccess<'_>, prepared: &PreparedCreation) -> Result<Claim, Error> {
    let (locks, targets) = (&*prepared.options.state.locks, vec![prepared.plan.name.clone()]);
    Claiming::of(access.reading, locks, targets).take(Op::Create).await
}

fn taken(prepared: &PreparedCreation) -> Error {
    let (collection, there) = (prepared.plan.name.clone(), prepared.plan.name.clone());
    Error::CannotCreate { refusals: vec![RestoreRefusal::Exists { collection, there }] }
}

/// Removes what a refused request left, and tells why it stays, if it does.
async fn is_taken_back(access: WriteAccess<'_>, prepared: &PreparedCreation) -> bool {
    let (fit, asked, server) = (&prepared.fit, &prepared.options.schema, prepared.server.target());
    let reason = match (TakingBack { access, fit, asked, tenants: &[], server }).remove().await {
        Ok(None) => return true,
        Ok(Some(why)) => why.to_string(),
        Err(error) => error.to_string(),
    };
    access.events.warn(Warning::CreatedStays { collection: fit.target.clone(), reason });
    false
}

/// Creates the tenants, and reads them back; gives what is not as it was asked.
async fn tenants(access: WriteAccess<'_>, prepared: &PreparedCreation) -> Result<Vec<CreationRemark>, Error> {
    let (collection, wanted) = (&prepared.plan.name, &prepared.plan.tenants);
    create_tenants(access, collection, wanted).await?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let WrongTenants { state, gone } = wrong_tenants(access.reading, collection, wanted).await?;
    let (otherwise, lacking) = (state.len() as u64, gone.len() as u64);
    let of = wanted.len() as u64;
    let lacking = (lacking > 0).then_some(CreationRemark::TenantsNotThere { tenants: lacking, of });
    let otherwise = (otherwise > 0).then_some(CreationRemark::TenantsNotAsAsked { tenants: otherwise, of });
    Ok(lacking.into_iter().chain(otherwise).collect())
}
