//! Creates the collections of a plan, before any object is written, and compares what the server made of each.

use super::earlier_run::Stage;
use super::{Collection, RestoreRefusal};
use crate::event::{Remark, SettingRemark};
use crate::model::Schema;
use crate::ops::schema::{Fit, LeftBehind, Made, NotMade, as_asked, complete, made, until_there};
use crate::ops::server::PlannedServer;
use crate::ops::{Altered, Error, ReadAccess, WriteAccess};
use crate::weaviate::{Count, Writer};

/// What was created.
#[derive(Debug, Clone)]
pub(super) struct Created {
    /// The schema as the server has it now.
    pub(super) schema: Schema,
    /// What the server made of its own, and what it dropped.
    pub(super) remarks: Vec<Remark>,
}

/// Creates one collection. Nothing of that name may exist, but for what an earlier run has begun. It is not as it should be
/// before it was finished.
pub(super) async fn begin(
    access: WriteAccess<'_>,
    collection: &Collection,
    server: &PlannedServer,
) -> Result<(), NotMade> {
    let not_sent = |error| NotMade { error, left: LeftBehind::Nothing };
    let there = access.ask(access.client.schema(&collection.planned.target)).await.map_err(not_sent)?;
    let Some(there) = there else {
        return until_there(access, &collection.fit, || taken(collection)).await;
    };
    if collection.before.stage == Stage::Nothing {
        return Err(not_sent(taken(collection)));
    }
    let begun = Begun { fit: &collection.fit, asked: &collection.asked, there: &there };
    match begun.other(access.reading, server).await.map_err(not_sent)? {
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
    pub(super) async fn other(&self, access: ReadAccess<'_>, server: &PlannedServer) -> Result<Option<Altered>, Error> {
        // What comes after the first request is looked at when all is finished.
        if let Made::Other { differences } = made(&self.fit.create, self.asked, self.there, &server.target()) {
            return Ok(Some(Altered::AnotherOne { differences }));
        }
        let name = &self.there.name;
        if self.there.multi_tenant {
            let tenants = access.ask(access.client.tenants(name)).await?;
            return Ok(tenants.first().map(|first| Altered::HasTenants { first: first.name.clone() }));
        }
        Ok(match access.count(name).await? {
            Count::Exact(0) => None,
            Count::Exact(objects) => Some(Altered::HoldsObjects { objects }),
            Count::Unknown { reason } => Some(Altered::MayHoldObjects { reason }),
        })
    }
}

/// Looks again at a collection that an earlier run created: it is what that one made, and at most grew since. What was
/// compared already only has to be there.
pub(super) async fn again(
    access: WriteAccess<'_>,
    collection: &Collection,
    server: &PlannedServer,
) -> Result<Created, Error> {
    let there = access.ask(access.client.schema(&collection.planned.target)).await?;
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
pub(super) fn other(fit: &Fit, asked: &Schema, there: Option<&Schema>, server: &PlannedServer) -> Option<Altered> {
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
pub(super) async fn finish(writer: &Writer, collection: &Collection, server: &PlannedServer) -> Result<Created, Error> {
    let schema = complete(writer, &collection.fit).await?;
    compared(collection, schema, server)
}

fn taken(collection: &Collection) -> Error {
    let (archived, there) = (collection.planned.archived.clone(), collection.planned.target.clone());
    Error::CannotRestore { refusals: vec![RestoreRefusal::Exists { collection: archived, there }], chosen: 1 }
}

fn compared(collection: &Collection, schema: Schema, server: &PlannedServer) -> Result<Created, Error> {
    let (remarks, settings) = as_asked(&collection.fit, &collection.asked, &schema, &server.target())?;
    let added = (!settings.is_empty()).then_some(SettingRemark::SettingsAdded { settings });
    Ok(Created { remarks: remarks.chain(added.map(Remark::from)).collect(), schema })
}
