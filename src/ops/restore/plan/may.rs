//! What the roles of the key do not let it do of what is to be created and filled. Servers say so only when they are asked to
//! do it, which is too late for a plan. Where nothing is told of roles, nothing is known.

use super::super::{Refusal, Resuming};
use super::{Candidate, Planning};
use crate::model::CollectionName;
use crate::ops::Lack;
use crate::ops::lacking::Lacking;
use crate::ops::schema::{Fit, expires};
use crate::weaviate::{Rights, Tenant};

/// A collection that is about to be created, with its tenants.
pub(in crate::ops) struct Making<'a> {
    pub(in crate::ops) rights: &'a Rights,
    pub(in crate::ops) fit: &'a Fit,
    pub(in crate::ops) multi_tenant: bool,
    /// Whether its objects are to expire.
    pub(in crate::ops) expires: bool,
    /// Tenants that are created.
    pub(in crate::ops) tenants: &'a [Tenant],
}

impl Making<'_> {
    fn lacking(&self) -> Lacking<'_> {
        Lacking { rights: self.rights, collection: &self.fit.target, multi_tenant: self.multi_tenant }
    }

    /// What lacks to create the collection, without its tenants. That it can be read afterwards is looked at elsewhere.
    pub(in crate::ops) fn collection(&self) -> Vec<Lack> {
        let later = self.fit.then.is_some() || !self.fit.added.is_empty();
        let needed = [
            Some("create_collections"),
            later.then_some("update_collections"),
            // Whoever creates a collection whose objects expire has them deleted.
            self.expires.then_some("delete_data"),
        ];
        needed.into_iter().flatten().filter_map(|action| self.lacking().whole(action)).collect()
    }

    /// What lacks to create its tenants, and to see that they are there.
    pub(in crate::ops) fn tenants(&self) -> Vec<Lack> {
        let names = || self.tenants.iter().map(|tenant| &tenant.name);
        let needed = ["create_tenants", "read_tenants"];
        needed.into_iter().filter_map(|action| self.lacking().tenants(action, names())).collect()
    }
}

impl Planning<'_> {
    /// What the roles of the key lack for creating, filling and comparing the collections.
    pub(super) fn may_not(&self, candidates: &[Candidate], resuming: Option<&Resuming>) -> Vec<Refusal> {
        let Some(rights) = self.rights else { return Vec::new() };
        let over = resuming.is_some_and(|resuming| resuming.kept.history.complete);
        let of = |candidate: &Candidate| {
            let (there, collection) = (was_made(resuming, &candidate.target), candidate.schema.name.clone());
            let lacks = self.lacks(rights, candidate, there, over);
            lacks.into_iter().map(move |lack| Refusal::NotAllowed { collection: collection.clone(), lack })
        };
        candidates.iter().flat_map(of).collect()
    }

    /// `was_made`: an earlier run made it, and its tenants. `over`: that run got to its end, and nothing is left to write.
    fn lacks(&self, rights: &Rights, candidate: &Candidate, was_made: bool, over: bool) -> Vec<Lack> {
        let Candidate { schema, fit, tenants, joined, data, .. } = candidate;
        let multi_tenant = joined.is_some() || schema.multi_tenant;
        let tenants_made = &tenants.made;
        let making = Making { rights, fit, multi_tenant, expires: expires(schema), tenants: tenants_made };
        let mut lacks = Vec::new();
        if joined.is_none() && !was_made {
            lacks.extend(making.collection());
        }
        if !was_made {
            lacks.extend(making.tenants());
        }
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

    /// The tenants of a collection that sleep, and that the key may not wake.
    pub(super) fn may_not_wake(&self, candidates: &[Candidate]) -> Vec<Refusal> {
        let Some(rights) = self.rights else { return Vec::new() };
        let refusal =
            |candidate: &Candidate| candidate.tenants.may_not_wake(&candidate.schema.name, &candidate.target, rights);
        candidates.iter().filter(|candidate| candidate.data).filter_map(refusal).collect()
    }
}

/// Whether an earlier run, which is carried on, made a collection or added tenants to it.
fn was_made(resuming: Option<&Resuming>, target: &CollectionName) -> bool {
    let history = resuming.and_then(|resuming| resuming.kept.history.targets.get(target));
    history.is_some_and(crate::archive::runfiles::TargetHistory::is_there)
}

/// What stands against creating a collection, by the roles of the key.
pub(in crate::ops) fn not_allowed(collection: &CollectionName, making: &Making<'_>) -> Vec<Refusal> {
    let lacks = making.collection().into_iter().chain(making.tenants());
    lacks.map(|lack| Refusal::NotAllowed { collection: collection.clone(), lack }).collect()
}
