//! Creates the collections of a plan, before any object is written, and compares what the server made of each.

use super::before::Stage;
use super::{Collection, RestoreRefusal, Server, tenants};
use crate::event::{Remark, RestoreRemark, SettingRemark};
use crate::model::{Renames, Schema, TenantName};
use crate::ops::schema::{Applied, Fit, Made, NotMade, complete, made, remarks_of, until_there};
use crate::ops::{Altered, Error, Session, verify};
use crate::weaviate::{Client, Count, Writer};

/// What was created.
#[derive(Debug, Clone)]
pub(super) struct Created {
    /// The schema as the server has it now.
    pub(super) schema: Schema,
    /// What the server made of its own, and what it dropped.
    pub(super) remarks: Vec<Remark>,
}

/// A collection that exists, and to which tenants are added. `own`: those that an earlier run added.
pub(super) async fn join(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
    own: &[TenantName],
) -> Result<Created, Error> {
    let target = &collection.planned.target;
    let schema = session.unless_stopped(writer.client().schema(target)).await?;
    let schema = schema.ok_or_else(|| Error::Vanished { collection: target.clone() })?;
    // Somebody may have looked at the plan for long. What was there then must be there, and nobody may have taken a name:
    // servers take a tenant that exists for one that was created.
    let lacks = verify::lacks(&collection.asked, &schema, &Renames::default());
    let refusals =
        tenants::joins(writer.client(), &collection.indexed.schema, &schema, &collection.tenants, lacks, own);
    let refusals = session.unless_stopped(refusals).await?;
    if !refusals.is_empty() {
        return Err(Error::CannotRestore { refusals, chosen: 1 });
    }
    Ok(Created { schema, remarks: vec![RestoreRemark::TenantsAdded.into()] })
}

/// Creates one collection. Nothing of that name may exist, but for what an earlier run has begun. It is not as it should be
/// before it was finished.
pub(super) async fn begin(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
    server: &Server,
) -> Result<(), NotMade> {
    let not_sent = |error| NotMade { error, perhaps_there: false };
    let there = session.unless_stopped(writer.client().schema(&collection.planned.target)).await.map_err(not_sent)?;
    let Some(there) = there else {
        return until_there(writer, session, &collection.fit, || taken(collection)).await;
    };
    if collection.before.stage == Stage::Nothing {
        return Err(not_sent(taken(collection)));
    }
    let begun = Begun { fit: &collection.fit, asked: &collection.asked, there: &there };
    match begun.other(writer.client(), session, server).await.map_err(not_sent)? {
        Some(what) => Err(not_sent(not_as_left(collection, what))),
        None => Ok(()),
    }
}

/// A collection that an earlier run was about to create, and that is there.
pub(super) struct Begun<'a> {
    pub(super) fit: &'a Fit,
    pub(super) asked: &'a Schema,
    pub(super) there: &'a Schema,
}

impl Begun<'_> {
    /// Why it cannot be what that run began, if so: that one asked for nothing else, and wrote nothing into it.
    pub(super) async fn other(
        &self,
        client: &Client,
        session: &Session,
        server: &Server,
    ) -> Result<Option<Altered>, Error> {
        // What comes after the first request is looked at when all is finished.
        if let Made::Other { differences } = made(&self.fit.create, self.asked, self.there, &server.target()) {
            return Ok(Some(Altered::AnotherOne { differences }));
        }
        let name = &self.there.name;
        if self.there.multi_tenant {
            let tenants = session.unless_stopped(client.tenants(name)).await?;
            return Ok(tenants.first().map(|first| Altered::HasTenants { first: first.name.clone() }));
        }
        let counts = session.unless_stopped(client.counts(std::slice::from_ref(name))).await?;
        Ok(match counts.into_iter().next().unwrap_or_else(Count::not_given) {
            Count::Exact(0) => None,
            Count::Exact(objects) => Some(Altered::HoldsObjects { objects }),
            Count::Unknown { reason } => Some(Altered::MayHoldObjects { reason }),
        })
    }
}

/// Looks again at a collection that an earlier run created: it is what that one made, and at most grew since. What was
/// compared already only has to be there.
pub(super) async fn again(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
    server: &Server,
) -> Result<Created, Error> {
    let there = session.unless_stopped(writer.client().schema(&collection.planned.target)).await?;
    let Some(schema) = there else { return Err(not_as_left(collection, Altered::Gone)) };
    if collection.before.verified || collection.before.over {
        return Ok(Created { schema, remarks: Vec::new() });
    }
    match compared(collection, schema, server) {
        Err(Error::MadeOtherwise { differences, .. }) => Err(not_as_left(collection, Altered::Changed { differences })),
        other => other,
    }
}

/// What is wrong with a collection that an earlier run created, if anything.
pub(super) fn other(fit: &Fit, asked: &Schema, there: Option<&Schema>, server: &Server) -> Option<Altered> {
    let Some(there) = there else { return Some(Altered::Gone) };
    match made(&fit.asked, asked, there, &server.target()) {
        Made::Same { .. } => None,
        Made::Other { differences } => Some(Altered::Changed { differences }),
    }
}

pub(super) fn not_as_left(collection: &Collection, what: Altered) -> Error {
    let (archived, there) = (collection.planned.archived.clone(), collection.planned.target.clone());
    let refusal = RestoreRefusal::NotAsLeft { collection: archived, there, what };
    Error::CannotRestore { refusals: vec![refusal], chosen: 1 }
}

/// Adds what is missing, which may need other collections, and compares.
pub(super) async fn finish(writer: &Writer, collection: &Collection, server: &Server) -> Result<Created, Error> {
    let schema = complete(writer, &collection.fit).await?;
    compared(collection, schema, server)
}

fn taken(collection: &Collection) -> Error {
    let (archived, there) = (collection.planned.archived.clone(), collection.planned.target.clone());
    Error::CannotRestore { refusals: vec![RestoreRefusal::Exists { collection: archived, there }], chosen: 1 }
}

fn compared(collection: &Collection, schema: Schema, server: &Server) -> Result<Created, Error> {
    let fit = &collection.fit;
    match made(&fit.asked, &collection.asked, &schema, &server.target()) {
        Made::Same { additions, applied } => {
            let all: Vec<Applied> = fit.applied.iter().cloned().chain(applied).collect();
            let added = (!additions.is_empty()).then_some(SettingRemark::SettingsAdded { settings: additions });
            let remarks = remarks_of(&all).chain(added.map(Remark::from)).collect();
            Ok(Created { schema, remarks })
        }
        Made::Other { differences } => {
            Err(Error::MadeOtherwise { collection: collection.planned.target.clone(), differences })
        }
    }
}
