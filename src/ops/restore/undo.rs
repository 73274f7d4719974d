//! A restore that the server refuses while it creates collections: those that this run made, and nobody wrote to, are
//! removed again, so that a refusal leaves nothing.

use std::time::Duration;

use super::earlier_run::Stage;
use super::{Collection, RestoreRefusal};
use crate::archive::RunRecord;
use crate::event::Warning;
use crate::model::{CollectionName, Schema, TenantName};
use crate::ops::dropping::{Dropped, drop_collection};
use crate::ops::firsts::Firsts;
use crate::ops::run::journal::Journalled;
use crate::ops::schema::{Made, Unmakeable, made};
use crate::ops::server::PlannedServer;
use crate::ops::{Error, WriteAccess, live_collections};
use crate::weaviate::{Count, Topology, Writer};

/// How long a collection that was dropped may take to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the server does not make, by its name there, and why, if that is what stopped the run.
pub(super) fn unmakeable(error: &Error, work: &[Collection]) -> Option<(CollectionName, RestoreRefusal)> {
    let (target, why) = match error {
        Error::NotCreated { collection, source } | Error::TenantsNotCreated { collection, source, .. } => {
            (collection, Unmakeable::of(source)?)
        }
        Error::MadeOtherwise { collection, differences } => {
            (collection, Unmakeable::Otherwise { differences: differences.clone() })
        }
        _ => return None,
    };
    let collection = work.iter().find(|collection| collection.planned.target == *target);
    let archived = collection.map_or(target, |collection| &collection.planned.archived).clone();
    let document = collection.map(|collection| &collection.asked.text[..]).unwrap_or_default();
    Some((target.clone(), RestoreRefusal::unmakeable(archived, why, document)))
}

/// What a refused run created.
pub(super) struct Undoing<'a> {
    pub(super) access: WriteAccess<'a>,
    pub(super) server: &'a PlannedServer,
    pub(super) work: &'a [Collection],
    /// Collections that exist since this run, in the order they were made.
    pub(super) made: &'a [CollectionName],
    /// Those among them of which it is not known who made them.
    pub(super) unsure: &'a [CollectionName],
}

impl Undoing<'_> {
    /// Removes what this run created, the last one first, and tells of what stays. Those that were removed, and whether all
    /// were. `refused`: the collection that the server did not make, whose intent is taken back as well.
    pub(super) async fn run(&self, refused: &CollectionName, journalled: &Journalled) -> (Vec<CollectionName>, bool) {
        let mut undone = Vec::new();
        for name in self.made.iter().rev() {
            let Some(collection) = self.own(name) else { continue };
            let stays = match self.remove_if_own(collection).await {
                Ok(None) => journalled.record(RunRecord::Undone { target: name.clone() }).await.err(),
                Ok(Some(why)) => {
                    self.stays(name, why.to_string());
                    continue;
                }
                Err(error) => Some(error),
            };
            match stays {
                None => undone.push(name.clone()),
                Some(error) => self.stays(name, error.to_string()),
            }
        }
        if !self.made.contains(refused)
            && self.own(refused).is_some()
            && matches!(self.access.client.schema(refused).await, Ok(None))
        {
            // It is said already why the run stopped.
            let _ = journalled.record(RunRecord::Undone { target: refused.clone() }).await;
        }
        let all = undone.len() == self.made.len();
        (undone, all)
    }

    fn stays(&self, name: &CollectionName, reason: String) {
        self.access.events.warn(Warning::CreatedStays { collection: name.clone(), reason });
    }

    /// One that this run was to create.
    fn own(&self, name: &CollectionName) -> Option<&Collection> {
        let own = self.work.iter().find(|collection| collection.planned.target == *name);
        own.filter(|collection| collection.mode.is_created() && collection.before.stage == Stage::Nothing)
    }

    /// Removes one that is what this run made, and empty; why it stays, if it does. It is counted while the server is whole:
    /// with a node away a count is that of what is left.
    async fn remove_if_own(&self, collection: &Collection) -> Result<Option<WhyStays>, Error> {
        let (access, target) = (self.access, &collection.planned.target);
        let stays = |why| Ok(Some(why));
        let Some(there) = access.client.schema(target).await? else { return Ok(None) };
        if self.unsure.contains(target) {
            return stays(WhyStays::Unsure);
        }
        if there.name != *target {
            return stays(WhyStays::Alias);
        }
        let is = |document: &str| {
            matches!(made(document, &collection.asked, &there, &self.server.target()), Made::Same { .. })
        };
        if !is(&collection.fit.create) && !is(&collection.fit.asked) {
            return stays(WhyStays::Another);
        }
        let Some(shards) = whole(access.writer, &there).await else { return stays(WhyStays::NotWhole) };
        let tenants = if there.multi_tenant { Some(access.client.tenants(target).await?) } else { None };
        let foreign = |name: &TenantName| !collection.tenants.made.iter().any(|made| made.name == *name);
        if tenants.iter().flatten().any(|tenant| foreign(&tenant.name)) {
            return stays(WhyStays::Tenants);
        }
        // Inactive tenants are this run's own, which has written nothing yet.
        match live_collections::count(access.reading, target, tenants.as_deref()).await? {
            Count::Exact(0) => {}
            Count::Exact(_) => return stays(WhyStays::Objects),
            Count::Unknown { .. } => return stays(WhyStays::Uncounted),
        }
        if whole(access.writer, &there).await.as_ref() != Some(&shards) {
            return stays(WhyStays::NotWholeOrRemade);
        }
        match drop_collection(access, &there, &shards, &Firsts::default(), PATIENCE).await? {
            Dropped::Gone => Ok(None),
            Dropped::Back => stays(WhyStays::Remade),
        }
    }
}

/// Why a collection that this run created is not removed again.
#[derive(Debug, thiserror::Error)]
enum WhyStays {
    #[error("the server did not answer when it was created, so it may be somebody else's")]
    Unsure,
    #[error("its name is an alias now")]
    Alias,
    #[error("it is not what this run created any more")]
    Another,
    #[error("the server is not whole")]
    NotWhole,
    #[error("somebody added tenants to it")]
    Tenants,
    #[error("it holds objects")]
    Objects,
    #[error("whether it is empty is not known")]
    Uncounted,
    #[error("the server is not whole, or it was recreated")]
    NotWholeOrRemade,
    #[error("somebody made another one of that name")]
    Remade,
}

/// The shards of a collection, as far as they are told, while nothing of it is away.
async fn whole(writer: &Writer, schema: &Schema) -> Option<Vec<String>> {
    match writer.client().topology(schema).await {
        Topology::Whole { shards, .. } | Topology::Unchecked { shards, .. } => Some(shards),
        Topology::Broken { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::WhyStays;

    #[test]
    fn why_a_collection_stays_is_told() {
        for (why, told) in [
            (WhyStays::Unsure, "the server did not answer when it was created, so it may be somebody else's"),
            (WhyStays::Alias, "its name is an alias now"),
            (WhyStays::Another, "it is not what this run created any more"),
            (WhyStays::NotWhole, "the server is not whole"),
            (WhyStays::Tenants, "somebody added tenants to it"),
            (WhyStays::Objects, "it holds objects"),
            (WhyStays::Uncounted, "whether it is empty is not known"),
            (WhyStays::NotWholeOrRemade, "the server is not whole, or it was recreated"),
            (WhyStays::Remade, "somebody made another one of that name"),
        ] {
            assert_eq!(why.to_string(), told);
        }
    }
}
