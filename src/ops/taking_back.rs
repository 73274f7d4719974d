//! Takes back a creation: a collection that this run made is removed again, if it is certain that it is this run's own, and
//! empty.

use std::time::Duration;

use super::dropping::{Dropped, drop_collection};
use super::firsts::Firsts;
use super::schema::{Fit, Made, Target, made};
use super::{Error, WriteAccess, live_collections};
use crate::model::{Schema, TenantName};
use crate::weaviate::{Count, Tenant, Topology, Writer, phrases};

/// How long a collection that was dropped may take to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// A collection that this run created, or of which the server left a half when it refused it. Nothing of its name was there
/// right before the request.
pub(super) struct TakingBack<'a> {
    pub(super) access: WriteAccess<'a>,
    pub(super) fit: &'a Fit,
    /// What was to be made, as the fit has it from.
    pub(super) asked: &'a Schema,
    /// The tenants that this run makes: inactive ones are its own, as long as it has written nothing.
    pub(super) tenants: &'a [Tenant],
    pub(super) server: Target<'a>,
}

impl TakingBack<'_> {
    /// Removes it; why it stays, if it does. It is counted while the server is whole: with a node away a count is that of
    /// what is left. What has no index holds nothing, and has no shards to ask for.
    pub(super) async fn remove(&self) -> Result<Option<WhyStays>, Error> {
        let (access, target) = (self.access, &self.fit.target);
        let stays = |why| Ok(Some(why));
        let Some(there) = access.client.schema(target).await? else { return Ok(None) };
        if there.name != *target {
            return stays(WhyStays::Alias);
        }
        let is = |document: &str| matches!(made(document, self.asked, &there, &self.server), Made::Same { .. });
        if !is(&self.fit.create) && !is(&self.fit.asked) {
            return stays(WhyStays::Another);
        }
        let tenants = if there.multi_tenant { Some(access.client.tenants(target).await?) } else { None };
        let foreign = |name: &TenantName| !self.tenants.iter().any(|made| made.name == *name);
        if tenants.iter().flatten().any(|tenant| foreign(&tenant.name)) {
            return stays(WhyStays::Tenants);
        }
        let before = whole(access.writer, &there).await;
        let shards = match live_collections::count(access.reading, target, tenants.as_deref()).await? {
            Count::Exact(0) => {
                let Some(shards) = before else { return stays(WhyStays::NotWhole) };
                if whole(access.writer, &there).await.as_ref() != Some(&shards) {
                    return stays(WhyStays::NotWholeOrRemade);
                }
                shards
            }
            Count::Exact(_) => return stays(WhyStays::Objects),
            Count::Unknown { reason } if phrases::is_no_index(&reason) => Vec::new(),
            Count::Unknown { .. } if before.is_none() => return stays(WhyStays::NotWhole),
            Count::Unknown { .. } => return stays(WhyStays::Uncounted),
        };
        match drop_collection(access, &there, &shards, &Firsts::default(), PATIENCE).await? {
            Dropped::Gone => Ok(None),
            Dropped::Back => stays(WhyStays::Remade),
        }
    }
}

/// Why a collection that this run created is not removed again.
#[derive(Debug, thiserror::Error)]
pub(super) enum WhyStays {
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
