//! A restore that the server refuses while it creates collections: those that this run made, and nobody wrote to, are
//! removed again, so that a refusal leaves nothing.

use std::time::Duration;

use super::before::Stage;
use super::{Collection, Refusal};
use crate::archive::{RunFiles, RunRecord};
use crate::model::CollectionName;
use crate::ops::dropping::{Dropped, drop_collection};
use crate::ops::schema::Unmakeable;
use crate::ops::{Error, Session, journalling, standing};
use crate::weaviate::{Count, Writer};

/// How long a collection that was dropped may take to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why the server does not make what is to be made, if that is what stopped the run.
pub(super) fn unmakeable(error: &Error, work: &[Collection]) -> Option<Refusal> {
    let archived = |target: &CollectionName| {
        let of = work.iter().find(|collection| collection.planned.target == *target);
        of.map_or_else(|| target.clone(), |collection| collection.planned.archived.clone())
    };
    let (target, why) = match error {
        Error::NotCreated { collection, source } | Error::TenantsNotCreated { collection, source, .. } => {
            (collection, Unmakeable::of(source)?)
        }
        Error::MadeOtherwise { collection, differences } => {
            (collection, Unmakeable::Otherwise { differences: differences.clone() })
        }
        _ => return None,
    };
    Some(Refusal::Unmakeable { collection: archived(target), why })
}

/// Removes what this run created, the last one first. Those that were removed, and whether all were.
pub(super) async fn undo(
    writer: &Writer,
    session: &Session,
    work: &[Collection],
    made: &[CollectionName],
    files: &mut Option<RunFiles>,
) -> (Vec<CollectionName>, bool) {
    let mut undone = Vec::new();
    for name in made.iter().rev() {
        let own = |collection: &&Collection| collection.planned.target == *name;
        let Some(collection) = work.iter().find(own).filter(|c| !c.joins && c.before.stage == Stage::Nothing) else {
            continue;
        };
        match one(writer, session, collection, files).await {
            Ok(true) => undone.push(name.clone()),
            Ok(false) => {}
            Err(error) => tracing::warn!(collection = %name, %error, "what was created cannot be removed again"),
        }
    }
    let all = undone.len() == made.len();
    (undone, all)
}

/// Removes one that is empty; whether it is gone.
async fn one(
    writer: &Writer,
    session: &Session,
    collection: &Collection,
    files: &mut Option<RunFiles>,
) -> Result<bool, Error> {
    let target = &collection.planned.target;
    if let Some(there) = writer.schema(target).await? {
        let tenants = if there.multi_tenant { Some(writer.tenants(target).await?) } else { None };
        let foreign = |name: &crate::model::TenantName| !collection.tenants.made.iter().any(|made| made.name == *name);
        if tenants.iter().flatten().any(|tenant| foreign(&tenant.name)) {
            return Ok(false);
        }
        // Inactive tenants are this run's own, which has written nothing yet.
        if standing::count(writer, session, target, tenants.as_deref()).await? != Count::Exact(0) {
            return Ok(false);
        }
        if drop_collection(writer, session, &there, &[], PATIENCE).await? != Dropped::Gone {
            return Ok(false);
        }
    }
    journalling::record(files, RunRecord::Undone { target: target.clone() }).await?;
    Ok(true)
}
