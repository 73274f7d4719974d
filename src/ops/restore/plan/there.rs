//! What stands on the server where collections are to be restored, for whoever reads the plan.

use std::collections::BTreeMap;

use super::{Candidate, Planning};
use crate::event::PlannedThere;
use crate::model::{CollectionName, Schema};
use crate::ops::verify;
use crate::weaviate::{Count, Listed, Tenant};

/// Tenants of a collection that are counted at most: more would take longer than a person waits for a plan.
const TENANTS_COUNTED: usize = 1_000;

impl Planning<'_> {
    /// What stands in the place of each candidate, in any spelling of its name. What cannot be asked is not known: no plan
    /// fails for want of it.
    pub(super) async fn there(&self, candidates: &[Candidate]) -> BTreeMap<CollectionName, PlannedThere> {
        let same = |target: &CollectionName, schema: &&Schema| {
            schema.name == *target || schema.name.as_str().eq_ignore_ascii_case(target.as_str())
        };
        let live = |candidate: &Candidate| {
            let exact = self.live.schemas.iter().find(|schema| schema.name == candidate.target);
            exact.or_else(|| self.live.schemas.iter().find(|schema| same(&candidate.target, schema)))
        };
        let pairs: Vec<(&Candidate, &Schema)> = candidates.iter().filter_map(|c| Some((c, live(c)?))).collect();
        let plain = pairs.iter().map(|(_, schema)| *schema).filter(|schema| !schema.multi_tenant);
        let plain: Vec<CollectionName> = plain.map(|schema| schema.name.clone()).collect();
        let counts = self.access.client.counts(&plain).await.unwrap_or_default();
        let counts: BTreeMap<CollectionName, Count> = plain.into_iter().zip(counts).collect();
        let mut found = BTreeMap::new();
        for (candidate, schema) in pairs {
            let counted = counts.get(&schema.name).and_then(Count::exact);
            let mut there = self.beside(candidate, schema, counted);
            if schema.multi_tenant {
                self.count_tenants(schema, &mut there).await;
            }
            found.insert(candidate.target.clone(), there);
        }
        found
    }

    /// One that is there, without its tenants.
    fn beside(&self, candidate: &Candidate, schema: &Schema, objects: Option<u64>) -> PlannedThere {
        let pairs = if let Listed::Seen(aliases) = &self.live.aliases { &aliases.pairs[..] } else { &[] };
        PlannedThere {
            name: schema.name.clone(),
            objects,
            tenants: None,
            inactive_tenants: None,
            schema_differs: verify::differs(&candidate.schema, schema, self.renames, &self.options.tenants),
            aliases: pairs.iter().filter(|(_, of)| *of == schema.name).map(|(alias, _)| alias.clone()).collect(),
            aliases_unseen: self.live.aliases.may_lack(self.rights, &schema.name),
        }
    }

    async fn count_tenants(&self, schema: &Schema, there: &mut PlannedThere) {
        let Ok(tenants) = self.access.client.tenants(&schema.name).await else { return };
        let active = Tenant::active(&tenants);
        there.tenants = Some(tenants.len() as u64);
        there.inactive_tenants = Some((tenants.len() - active.len()) as u64);
        if active.len() <= TENANTS_COUNTED {
            // Of those that are active: counting would activate the others.
            let counts = self.access.client.tenant_counts(&schema.name, &active).await;
            there.objects = counts.ok().and_then(|counts| counts.into_iter().sum::<Count>().exact());
        }
    }
}
