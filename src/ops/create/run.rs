//! Carries out the plan of a creation: the collection, what the server made of it, its tenants.

use std::collections::BTreeMap;

use super::{CreationOutcome, CreationStopped, PreparedCreation};
use crate::archive::claims::Claim;
use crate::event::{CollectionResult, CreationRemark, Event, Op, Remark, RunResult, Status};
use crate::model::TenantName;
use crate::ops::restore::RestoreRefusal;
use crate::ops::run::claim::Claiming;
use crate::ops::schema::{Applied, Made, NotMade, complete, create_tenants, made, remarks_of, until_there};
use crate::ops::{Error, Session};
use crate::weaviate::{TenantState, Writer};

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
    let plan = &prepared.plan;
    let not_sent = |error| CreationStopped { error, perhaps_there: None };
    let perhaps = |error| CreationStopped { error, perhaps_there: Some(plan.name.clone()) };
    session.events.emit(Event::PlanMade { collections: plan.listed() });
    session.events.emit(Event::CollectionStarted { collection: plan.name.clone(), objects: Some(0) });
    let _claim = claim(writer, session, &prepared).await.map_err(not_sent)?;
    if session.unless_stopped(writer.client().schema(&plan.name)).await.map_err(not_sent)?.is_some() {
        return Err(not_sent(taken(&prepared)));
    }
    if let Err(NotMade { error, perhaps_there }) =
        until_there(writer, session, &prepared.fit, || taken(&prepared)).await
    {
        // Where it cannot be asked, it is better to name what may not be there than to leave it unsaid.
        let there = perhaps_there && !matches!(writer.client().schema(&plan.name).await, Ok(None));
        return Err(if there { perhaps(error) } else { not_sent(error) });
    }
    let (mut remarks, additions) = compared(writer, &prepared).await.map_err(perhaps)?;
    let missing = tenants(writer, session, &prepared).await.map_err(perhaps)?;
    remarks.extend(prepared.rewritten.iter().cloned().chain(prepared.tenants_remark.clone()).map(Remark::from));
    let result = CollectionResult { tenants: plan.tenants.len() as u64, ..CollectionResult::of(plan.name.clone()) };
    session.events.emit(Event::CollectionFinished(result.clone()));
    let status = if missing.is_empty() { Status::Ok } else { Status::Incomplete };
    let result = RunResult {
        retries: writer.client().retries(),
        rate_limit: writer.client().rate_limit(),
        ..RunResult::of(Op::Create, status, None, vec![result])
    };
    Ok(CreationOutcome { result, remarks, additions, missing, topology_unchecked: plan.topology_unchecked.clone() })
}

async fn claim(writer: &Writer, session: &Session, prepared: &PreparedCreation) -> Result<Claim, Error> {
    let (locks, targets) = (&*prepared.options.state.locks, vec![prepared.plan.name.clone()]);
    Claiming { client: writer.client(), session, locks, targets, shards: Vec::new() }.take(Op::Create).await
}

fn taken(prepared: &PreparedCreation) -> Error {
    let (collection, there) = (prepared.plan.name.clone(), prepared.plan.name.clone());
    Error::CannotCreate { refusals: vec![RestoreRefusal::Exists { collection, there }] }
}

/// Compares what the server made with what it was asked for: what is not so, and may be, and what it added.
async fn compared(writer: &Writer, prepared: &PreparedCreation) -> Result<(Vec<Remark>, Vec<String>), Error> {
    let fit = &prepared.fit;
    let there = complete(writer, fit).await?;
    match made(&fit.asked, &prepared.options.schema, &there, &prepared.target()) {
        Made::Same { additions, applied } => {
            let all: Vec<Applied> = fit.applied.iter().cloned().chain(applied).collect();
            Ok((remarks_of(&all).collect(), additions))
        }
        Made::Other { differences } => {
            Err(Error::MadeOtherwise { collection: prepared.plan.name.clone(), differences })
        }
    }
}

/// Creates the tenants, and reads them back; gives what is not as it was asked.
async fn tenants(
    writer: &Writer,
    session: &Session,
    prepared: &PreparedCreation,
) -> Result<Vec<CreationRemark>, Error> {
    let (collection, wanted) = (&prepared.plan.name, &prepared.plan.tenants);
    create_tenants(writer, session, collection, wanted).await?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let there: BTreeMap<TenantName, TenantState> = session
        .unless_stopped(writer.client().tenants(collection))
        .await?
        .into_iter()
        .map(|tenant| (tenant.name, tenant.state))
        .collect();
    let lacking = wanted.iter().filter(|tenant| !there.contains_key(&tenant.name)).count() as u64;
    let other = |state: Option<&TenantState>, wanted: &TenantState| state.is_some_and(|state| state != wanted);
    let otherwise = wanted.iter().filter(|tenant| other(there.get(&tenant.name), &tenant.state)).count() as u64;
    let of = wanted.len() as u64;
    let lacking = (lacking > 0).then_some(CreationRemark::TenantsNotThere { tenants: lacking, of });
    let otherwise = (otherwise > 0).then_some(CreationRemark::TenantsNotAsAsked { tenants: otherwise, of });
    Ok(lacking.into_iter().chain(otherwise).collect())
}
