//! A restore that the server refuses while it creates collections: those that this run made, and nobody wrote to, are
//! removed again, so that a refusal leaves nothing.

use super::earlier_run::Stage;
use super::{Collection, RestoreRefusal};
use crate::archive::RunRecord;
use crate::event::Warning;
use crate::model::CollectionName;
use crate::ops::run::journal::Journalled;
use crate::ops::schema::Unmakeable;
use crate::ops::server::PlannedServer;
use crate::ops::taking_back::{TakingBack, WhyStays};
use crate::ops::{Error, WriteAccess};

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

    /// Removes one that is what this run made, and empty; why it stays, if it does.
    async fn remove_if_own(&self, collection: &Collection) -> Result<Option<WhyStays>, Error> {
        let (access, target) = (self.access, &collection.planned.target);
        if self.unsure.contains(target) {
            return Ok(access.client.schema(target).await?.map(|_| WhyStays::Unsure));
        }
        let (fit, asked, tenants) = (&collection.fit, &collection.asked, &collection.tenants.made[..]);
        TakingBack { access, fit, asked, tenants, server: self.server.target() }.remove().await
    }
}
