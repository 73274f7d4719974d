//! What the roles of the key do not let it do of what is to be created and filled. Servers say so only when they are asked to
//! do it, which is too late for a plan. Where nothing is told of roles, nothing is known.

use super::super::{RestoreRefusal, Resuming};
use super::{Candidate, Planning};
use crate::model::CollectionName;
use crate::ops::Lack;
use crate::ops::lacking::Making;
use crate::ops::schema::expires;
use crate::weaviate::Rights;

impl Planning<'_> {
    /// What the roles of the key lack for creating, filling and comparing the collections.
    pub(super) fn may_not(&self, candidates: &[Candidate], resuming: Option<&Resuming>) -> Vec<RestoreRefusal> {
        let Some(rights) = self.rights else { return Vec::new() };
        let over = resuming.is_some_and(|resuming| resuming.kept.history.complete);
        let of = |candidate: &Candidate| {
            let (there, collection) = (was_made(resuming, &candidate.target), candidate.schema.name.clone());
            let lacks = self.lacks(rights, candidate, there, over);
            lacks.into_iter().map(move |lack| RestoreRefusal::NotAllowed { collection: collection.clone(), lack })
        };
        candidates.iter().flat_map(of).collect()
    }

    /// `was_made`: an earlier run made it, and its tenants. `over`: that run got to its end, and nothing is left to write.
    fn lacks(&self, rights: &Rights, candidate: &Candidate, was_made: bool, over: bool) -> Vec<Lack> {
        let Candidate { schema, fit, tenants, mode, data, .. } = candidate;
        let multi_tenant = mode.asked(schema).multi_tenant;
        let tenants_made = &tenants.made;
        let making = Making { rights, fit, multi_tenant, expires: expires(schema), tenants: tenants_made };
        let mut lacks = if was_made { Vec::new() } else { mode.lacks(&making) };
        let lacking = making.lacking();
        if *data && tenants.objects > 0 && !over {
            let of_tenants = |action| lacking.tenants(action, tenants_made.iter().map(|tenant| &tenant.name));
            // A batch takes both.
            let needed = ["create_data", "update_data"].into_iter();
            lacks.extend(
                needed.filter_map(|action| if multi_tenant { of_tenants(action) } else { lacking.whole(action) }),
            );
        }
        if *data && self.options.verify {
            lacks.extend(lacking.whole("read_data"));
        }
        lacks
    }

    /// The tenants of a collection that are inactive, and that the key may not activate.
    pub(super) fn may_not_activate(&self, candidates: &[Candidate]) -> Vec<RestoreRefusal> {
        let Some(rights) = self.rights else { return Vec::new() };
        let refusal = |candidate: &Candidate| {
            candidate.tenants.may_not_activate(&candidate.schema.name, &candidate.target, rights)
        };
        candidates.iter().filter(|candidate| candidate.data).filter_map(refusal).collect()
    }
}

/// Whether an earlier run, which is resumed, made a collection or added tenants to it.
fn was_made(resuming: Option<&Resuming>, target: &CollectionName) -> bool {
    let history = resuming.and_then(|resuming| resuming.kept.history.targets.get(target));
    history.is_some_and(crate::archive::runfiles::TargetHistory::is_there)
}

/// What stands against creating a collection, by the roles of the key.
pub(in crate::ops) fn not_allowed(collection: &CollectionName, making: &Making<'_>) -> Vec<RestoreRefusal> {
    let lacks = making.collection().into_iter().chain(making.tenants());
    lacks.map(|lack| RestoreRefusal::NotAllowed { collection: collection.clone(), lack }).collect()
}
