//! Creates a collection from a class document that was made to fit, and waits until it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::applied::{Applied, remarks_of};
use super::fit::{Fit, Target};
use super::made::{Made, made};
use crate::event::Remark;
use crate::model::{CollectionName, Schema, TenantName};
use crate::ops::{Error, ReadAccess, WriteAccess};
use crate::weaviate::{Error as WireError, Tenant, TenantState, Writer, phrases};

/// Requests sent to create one collection, or to add one property, as long as none is answered.
const CREATE_ATTEMPTS: u32 = 3;
/// What is told about a request to create a collection that is sent again.
const CREATE_ROUTE: &str = "POST /v1/schema";
/// Tenants created in one request.
const TENANTS_A_REQUEST: usize = 100;

/// Why a collection was not created as it should be.
#[derive(Debug)]
pub(in crate::ops) struct NotMade {
    pub(in crate::ops) error: Error,
    pub(in crate::ops) left: LeftBehind,
}

/// What a request to create a collection left, that did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum LeftBehind {
    /// What is there, if anything, is not of this run.
    Nothing,
    /// It was perhaps carried out: what is there now may be of this run.
    Unsure,
    /// The server refused it, and has what was not there before.
    Half,
}

/// Asks until the collection is there; `taken` is the error for one that somebody else made.
pub(in crate::ops) async fn until_there(
    access: WriteAccess<'_>,
    fit: &Fit,
    taken: impl Fn() -> Error,
) -> Result<(), NotMade> {
    let perhaps = |error| NotMade { error, left: LeftBehind::Unsure };
    match begin(access, fit).await.map_err(perhaps)? {
        CreateAnswer::There => Ok(()),
        CreateAnswer::Taken => Err(NotMade { error: taken(), left: LeftBehind::Nothing }),
        CreateAnswer::HalfMade(source) => {
            let error = Error::NotCreated { collection: fit.target.clone(), source };
            Err(NotMade { error, left: LeftBehind::Half })
        }
        CreateAnswer::Refused(source) | CreateAnswer::Unanswered(source) => {
            Err(perhaps(Error::NotCreated { collection: fit.target.clone(), source }))
        }
    }
}

/// What became of a request to create a collection.
#[derive(Debug)]
pub(in crate::ops) enum CreateAnswer {
    /// It is there.
    There,
    /// Somebody else made one of that name.
    Taken,
    /// The server refused it: nothing was made.
    Refused(WireError),
    /// The server refused it for what was asked, and has it all the same: it writes a collection down before it makes what
    /// holds the objects. It is of no use.
    HalfMade(WireError),
    /// The server did not answer, or only that it cannot at the moment, as often as it was asked.
    Unanswered(WireError),
}

/// Whether a request to create a collection may still be carried out, without an answer to anybody.
#[derive(Debug, Default)]
pub(in crate::ops) struct Late(bool);

impl Late {
    pub(in crate::ops) fn may_come(&self) -> bool {
        self.0
    }
}

/// Asks until the collection is there (see [`begin_or_late`]).
pub(in crate::ops) async fn begin(access: WriteAccess<'_>, fit: &Fit) -> Result<CreateAnswer, Error> {
    begin_or_late(access, fit, &mut Late::default()).await
}

/// Asks until the collection is there. Only the server knows whether a request without an answer was carried out, and it may
/// be carried out late; so it is looked for before it is asked for again.
pub(in crate::ops) async fn begin_or_late(
    access: WriteAccess<'_>,
    fit: &Fit,
    late: &mut Late,
) -> Result<CreateAnswer, Error> {
    let (target, route) = (&fit.target, Arc::from(CREATE_ROUTE));
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Err(source) = access.writer.create_collection(&fit.create).await else { return Ok(CreateAnswer::There) };
        let refused = is_refusal(&source);
        // The first refusal for a name that is taken is an answer: what is there is somebody else's. A later one may mean
        // that an earlier request got through.
        let unanswered = !refused || attempt > 1;
        late.0 |= !refused;
        let there = match access.ask(access.client.schema(target)).await {
            Ok(there) => there.is_some(),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            // What is told is why it was not created.
            Err(_) => false,
        };
        match (there, unanswered) {
            (true, _) if is_about_what_was_asked(&source) => return Ok(CreateAnswer::HalfMade(source)),
            (true, true) => {
                // The one request without an answer was carried out; of several, another one may still be.
                late.0 = attempt > 1 + u32::from(refused);
                return Ok(CreateAnswer::There);
            }
            (true, false) => return Ok(CreateAnswer::Taken),
            (false, _) if refused => return Ok(CreateAnswer::Refused(source)),
            (false, _) => {}
        }
        tracing::warn!(%target, %source, attempt, "creating was not answered, and the collection is not there");
        let again = match source.status() {
            Some(_) => access.client.wait_to_retry(&route, attempt, &source.root().to_string()).await,
            None => attempt < CREATE_ATTEMPTS,
        };
        if !again {
            return Ok(CreateAnswer::Unanswered(source));
        }
    }
}

/// Adds what no server takes in the first request, and gives the schema as the server has it now. Once begun it is seen
/// through: a collection that exists half would be worse than a moment of waiting.
pub(in crate::ops) async fn complete(writer: &Writer, fit: &Fit) -> Result<Schema, Error> {
    let target = &fit.target;
    if let Some(then) = &fit.then {
        writer
            .update_collection(target, then)
            .await
            .map_err(|source| Error::NotCreated { collection: target.clone(), source })?;
    }
    for (name, document) in &fit.added {
        add_property(writer, target, name, document).await?;
    }
    let schema = writer.client().schema(target).await?;
    schema.ok_or_else(|| Error::Vanished { collection: target.clone() })
}

/// Compares a collection that was created, `there`, with what was asked for: what is not so, and may be, and the settings that
/// the server added.
pub(in crate::ops) fn as_asked(
    fit: &Fit,
    archived: &Schema,
    there: &Schema,
    target: &Target<'_>,
) -> Result<(impl Iterator<Item = Remark> + use<>, Vec<String>), Error> {
    match made(&fit.asked, archived, there, target) {
        Made::Same { additions, applied } => {
            let all: Vec<Applied> = fit.applied.iter().cloned().chain(applied).collect();
            Ok((remarks_of(&all), additions))
        }
        Made::Other { differences } => Err(Error::MadeOtherwise { collection: fit.target.clone(), differences }),
    }
}

/// Asks until the collection has the property. As with the collection itself, it is looked for before it is asked for
/// again. Whether it is as it should be shows when all is compared.
async fn add_property(writer: &Writer, target: &CollectionName, name: &str, document: &str) -> Result<(), Error> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Err(source) = writer.add_property(target, document).await else { return Ok(()) };
        let there =
            writer.client().schema(target).await?.ok_or_else(|| Error::Vanished { collection: target.clone() })?;
        if there.references.iter().any(|known| known == name) {
            return Ok(());
        }
        if is_refusal(&source) || attempt == CREATE_ATTEMPTS {
            return Err(Error::NotCreated { collection: target.clone(), source });
        }
        tracing::warn!(%target, name, %source, attempt, "adding a property was not answered, and it is not there");
    }
}

/// Creates tenants in the states given. Whether all are there is for the caller to look.
pub(in crate::ops) async fn create_tenants(
    access: WriteAccess<'_>,
    collection: &CollectionName,
    tenants: &[Tenant],
) -> Result<(), Error> {
    let (mut created, all) = (0, tenants.len());
    for chunk in tenants.chunks(TENANTS_A_REQUEST) {
        let failed = |source| Error::TenantsNotCreated { collection: collection.clone(), created, all, source };
        tokio::select! {
            done = access.writer.create_tenants(collection, chunk) => done.map_err(failed)?,
            () = access.cancel.cancelled() => return Err(Error::Interrupted),
        }
        created += chunk.len();
    }
    Ok(())
}

/// Tenants that are not as they should be.
#[derive(Default)]
pub(in crate::ops) struct WrongTenants {
    /// There, in another state than the one given.
    pub(in crate::ops) state: Vec<Tenant>,
    pub(in crate::ops) gone: Vec<Tenant>,
}

/// Which of these tenants are not there, or in another state.
pub(in crate::ops) async fn wrong_tenants(
    access: ReadAccess<'_>,
    collection: &CollectionName,
    wanted: &[Tenant],
) -> Result<WrongTenants, Error> {
    let there = access.ask(access.client.tenants(collection)).await?;
    let there: BTreeMap<TenantName, TenantState> = there.into_iter().map(|t| (t.name, t.state)).collect();
    let mut wrong = WrongTenants::default();
    for tenant in wanted {
        match there.get(&tenant.name) {
            None => wrong.gone.push(tenant.clone()),
            Some(state) if *state != tenant.state => wrong.state.push(tenant.clone()),
            Some(_) => {}
        }
    }
    Ok(wrong)
}

/// Whether a class document was refused for what stands in it, and not as its name is taken, nor by a limit or a role.
fn is_about_what_was_asked(error: &WireError) -> bool {
    let is_refused = error.status() == Some(422) && error.is_refused() && error.lasting().is_none();
    is_refused && !phrases::is_name_taken(error.message().unwrap_or_default())
}

/// Whether an error is an answer: the server says no.
fn is_refusal(error: &WireError) -> bool {
    error.is_refused() || error.is_auth()
}
