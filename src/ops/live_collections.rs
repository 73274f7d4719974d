//! What is known of a live collection that is to be emptied or removed: what is in it, what hangs on it, what holds a copy
//! of it. Sends reading requests only.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::bounds::ASKED_AT_ONCE;
use super::firsts::{Became, Firsts};
use super::held::{self, Doomed, HeldIn};
use super::run::claim::Claiming;
use super::{Error, PlanChange, ReadAccess, Session, server};
use crate::event::Warning;
use crate::model::{CollectionName, Schema, TenantName};
use crate::pipeline::guard::Whole;
use crate::weaviate::{Client, Count, Listed, Rights, Tenant, Version};

/// Time between two counts that tell whether somebody writes.
const COUNTS_APART: Duration = Duration::from_millis(500);
/// The first version with aliases.
const ALIASES_SINCE: (u64, u64) = (1, 32);

/// What is known of one collection.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its schema.
    pub schema: Schema,
    /// Its objects; of a multi-tenant collection those of the active tenants.
    pub objects: Count,
    /// Its tenants with their states, sorted by name; `None` in a plain collection.
    pub tenants: Option<Vec<Tenant>>,
    /// Reference properties of other collections that point here: collection and property.
    pub referenced_by: Vec<(CollectionName, String)>,
    /// Aliases that stand for it.
    pub aliases: Vec<String>,
    /// Whether more aliases may stand for it, which the key may not see.
    pub aliases_unseen: bool,
    /// An alias, of whatever collection, that is this one's name in another spelling: the two can be, but once the
    /// collection is dropped, no server takes it beside that alias again.
    pub twin: Option<String>,
    /// The archive that holds most of it.
    pub held_in: Option<HeldIn>,
    /// Names of its shards, sorted; empty if they are not known, or if it is multi-tenant.
    pub shards: Vec<String>,
    /// First objects of some of its tenants that are active; none in a plain collection.
    pub firsts: Firsts,
    /// Why it is not known whether the server is whole, if so.
    pub topology_unchecked: Option<String>,
}

impl Standing {
    /// A collection of which nothing is known but its schema.
    pub(super) fn of(schema: Schema) -> Self {
        Self {
            schema,
            objects: Count::Unknown { reason: String::new() },
            tenants: None,
            referenced_by: Vec::new(),
            aliases: Vec::new(),
            aliases_unseen: false,
            twin: None,
            held_in: None,
            shards: Vec::new(),
            firsts: Firsts::default(),
            topology_unchecked: None,
        }
    }

    /// The collection.
    #[must_use]
    pub fn name(&self) -> &CollectionName {
        &self.schema.name
    }

    /// Tenants that are not active: their objects are not in the count.
    #[must_use]
    pub fn inactive(&self) -> u64 {
        let tenants = self.tenants.iter().flatten();
        tenants.filter(|tenant| !tenant.is_active()).count() as u64
    }

    /// All of it, as what is about to be lost.
    pub(super) fn doomed(&self) -> Doomed<'_> {
        Doomed {
            name: self.name(),
            objects: self.all_objects(),
            tenants: self.tenants.as_deref(),
            shards: &self.shards,
        }
    }

    /// Its objects, if all of them are counted.
    #[must_use]
    pub fn all_objects(&self) -> Option<u64> {
        self.objects.exact().filter(|_| self.inactive() == 0)
    }
}

/// What a collection is right now, of the things that may have changed since it was looked at.
#[derive(Debug, Clone)]
pub(super) struct Now {
    pub(super) schema: Schema,
    pub(super) tenants: Option<Vec<Tenant>>,
    pub(super) objects: Count,
    pub(super) topology_unchecked: Option<String>,
}

/// Looks at the collections `chosen` among `all` of the server, and not yet which archive holds them. A collection that is
/// not whole is an error: what is away would come back.
pub(super) async fn look_at(access: ReadAccess<'_>, chosen: &[Schema], all: &[Schema]) -> Result<Vec<Standing>, Error> {
    server::are_active(access, chosen).await?;
    let listed = access.ask(access.client.aliases()).await?;
    let aliases_unseen = listed == Listed::Forbidden;
    let aliases = listed.seen().map(|aliases| aliases.pairs).unwrap_or_default();
    let one = async |schema: &Schema| {
        let (shards, topology_unchecked) = whole(access, schema).await?;
        let tenants = tenants(access, schema).await?;
        Ok::<_, Error>((shards, topology_unchecked, tenants))
    };
    let looked: Vec<_> = stream::iter(chosen.iter().map(one)).buffered(ASKED_AT_ONCE).try_collect().await?;
    let references = references(all);
    let mut found = Vec::with_capacity(chosen.len());
    for (schema, (shards, topology_unchecked, tenants)) in chosen.iter().zip(looked) {
        let is_twin = |alias: &str| alias.eq_ignore_ascii_case(schema.name.as_str());
        found.push(Standing {
            tenants,
            referenced_by: references.get(schema.name.as_str()).cloned().unwrap_or_default(),
            aliases: aliases.iter().filter(|(_, of)| *of == schema.name).map(|(alias, _)| alias.clone()).collect(),
            aliases_unseen,
            twin: aliases.iter().map(|(alias, _)| alias).find(|alias| is_twin(alias)).cloned(),
            shards,
            topology_unchecked,
            ..Standing::of(schema.clone())
        });
    }
    for task in access.try_ask(access.client.running_tasks()).await? {
        if let Some(standing) = found.iter().find(|s| task.collection.as_deref() == Some(s.schema.name.as_str())) {
            access.events.warn(Warning::TaskRuns { collection: standing.schema.name.clone(), task: task.kind });
        }
    }
    let unchecked = found.iter().find_map(|standing| standing.topology_unchecked.clone());
    if let Some(reason) = unchecked {
        access.events.warn(Warning::TopologyUnchecked { reason });
    }
    let plain: Vec<CollectionName> =
        found.iter().filter(|standing| standing.tenants.is_none()).map(|standing| standing.name().clone()).collect();
    let mut counts = access.ask(access.client.counts(&plain)).await?.into_iter();
    for standing in &mut found {
        standing.objects = match &standing.tenants {
            Some(tenants) => {
                let name = &standing.schema.name;
                let counts = tenant_counts(access, name, tenants).await?;
                standing.firsts = Firsts::of_whole(access, name, &counts).await?;
                counts.into_iter().map(|(_, count)| count).sum()
            }
            None => counts.next().ok_or_else(|| Error::Stage { what: "count".into() })?,
        };
    }
    Ok(found)
}

/// Notes where aliases may be left out of the list, since the key may not read them all.
pub(super) fn note_unseen_aliases(rights: Option<&Rights>, server: &Version, found: &mut [Standing]) {
    for standing in found {
        let hides = server.at_least(ALIASES_SINCE.0, ALIASES_SINCE.1)
            && rights.is_some_and(|rights| !rights.show_aliases(standing.name()));
        standing.aliases_unseen |= hides;
    }
}

/// Refuses collections with tenants that are not listed for the key. What its roles do not tell, cannot be known.
pub(super) fn all_tenants_are_seen(rights: Option<&Rights>, found: &[Standing]) -> Result<(), Error> {
    let unseen = |standing: &&Standing| {
        standing.schema.multi_tenant && rights.is_some_and(|rights| !rights.show_tenants(standing.name()))
    };
    match found.iter().find(unseen) {
        Some(standing) => Err(Error::TenantsUnseen { collection: standing.name().clone() }),
        None => Ok(()),
    }
}

/// Whether every shard answers: the names of the shards, and why that is not known, if so.
async fn whole(access: ReadAccess<'_>, schema: &Schema) -> Result<(Vec<String>, Option<String>), Error> {
    let topology = access.try_ask(access.client.topology(schema)).await?;
    let Whole { shards, unchecked, .. } = Whole::judge(topology, &schema.name)?;
    Ok((shards, unchecked))
}

/// The tenants of a collection with their states; `None` in a plain one.
async fn tenants(access: ReadAccess<'_>, schema: &Schema) -> Result<Option<Vec<Tenant>>, Error> {
    if !schema.multi_tenant {
        return Ok(None);
    }
    access.ask(access.client.tenants(&schema.name)).await.map(Some)
}

/// The objects of each tenant that is active: counting would activate the others, where the server is set so.
pub(super) async fn tenant_counts(
    access: ReadAccess<'_>,
    name: &CollectionName,
    tenants: &[Tenant],
) -> Result<Vec<(TenantName, Count)>, Error> {
    let active = Tenant::active(tenants);
    let counts = access.ask(access.client.tenant_counts(name, &active)).await?;
    Ok(active.into_iter().zip(counts).collect())
}

/// The objects of the active tenants, together.
async fn count_tenants(access: ReadAccess<'_>, name: &CollectionName, tenants: &[Tenant]) -> Result<Count, Error> {
    let counts = tenant_counts(access, name, tenants).await?;
    Ok(counts.into_iter().map(|(_, count)| count).sum())
}

/// Counts a plain collection, or these tenants of a multi-tenant one, as far as they are active.
pub(super) async fn count(
    access: ReadAccess<'_>,
    name: &CollectionName,
    tenants: Option<&[Tenant]>,
) -> Result<Count, Error> {
    if let Some(tenants) = tenants {
        return count_tenants(access, name, tenants).await;
    }
    access.count(name).await
}

/// Counts the collections once more, after a moment: a count that moves tells that somebody writes.
pub(super) async fn count_again(
    access: ReadAccess<'_>,
    found: &[Standing],
) -> Result<BTreeMap<CollectionName, Count>, Error> {
    tokio::time::sleep(COUNTS_APART).await;
    let plain: Vec<CollectionName> =
        found.iter().filter(|standing| standing.tenants.is_none()).map(|standing| standing.name().clone()).collect();
    let counts = access.ask(access.client.counts(&plain)).await?;
    let mut again: BTreeMap<_, _> = plain.into_iter().zip(counts).collect();
    for standing in found {
        if let Some(tenants) = &standing.tenants {
            again.insert(standing.name().clone(), count_tenants(access, standing.name(), tenants).await?);
        }
    }
    Ok(again)
}

/// Refuses collections that another run of this machine is at work on. `all`: what the server has.
pub(super) async fn refuse_held(
    access: ReadAccess<'_>,
    locks: &Path,
    found: &[Standing],
    all: &[Schema],
) -> Result<(), Error> {
    let targets = found.iter().map(|standing| standing.name().clone()).collect();
    let shards = found.iter().flat_map(|standing| standing.shards.clone()).collect();
    Claiming { access, locks, targets, shards }.refuse_held(all).await
}

/// Whether a plain collection has any of these shards: it is another one, recreated, if not. `None` if the server does not
/// tell.
pub(super) async fn has_any_shard(
    access: ReadAccess<'_>,
    name: &CollectionName,
    known: &[String],
) -> Result<Option<bool>, Error> {
    if known.is_empty() {
        return Ok(None);
    }
    let shards = match access.try_ask(access.client.shard_states(name)).await? {
        Ok(shards) => shards,
        Err(error) if !error.is_no() => return Err(error.into()),
        Err(error) => {
            tracing::debug!(collection = %name, %error, "its shards cannot be asked for");
            return Ok(None);
        }
    };
    // Right after a creation not every node may have known of all of them.
    let any = shards.iter().any(|shard| known.contains(&shard.name));
    Ok((!shards.is_empty()).then_some(any))
}

/// What was said before somebody was asked, as it is after the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recounted {
    /// Objects that are about to be lost; `None` where not all of them can be counted.
    pub objects: Option<u64>,
    /// The archive that was named, and how much of them it holds now.
    pub held_in: Option<HeldIn>,
}

/// Counts a collection again, and holds it against the archive that was named.
///
/// # Errors
///
/// It went away, or is another one than was planned; the server or the archive cannot be read.
pub async fn recount(
    client: &Client,
    session: &Session,
    before: &Standing,
    named: Option<&HeldIn>,
) -> Result<Recounted, Error> {
    let access = ReadAccess { client, session };
    let objects = now(access, before).await?.objects.exact().filter(|_| before.inactive() == 0);
    let held_in = held::hold_again(access, &before.doomed(), named).await?;
    Ok(Recounted { objects, held_in })
}

/// Looks at a collection again: it must be the same one, with the same tenants in their states, and whole.
pub(super) async fn now(access: ReadAccess<'_>, before: &Standing) -> Result<Now, Error> {
    let name = before.name();
    let there = access.ask(access.client.schema(name)).await?;
    let schema =
        there.filter(|there| there.name == *name).ok_or_else(|| Error::Vanished { collection: name.clone() })?;
    let (shards, topology_unchecked) = whole(access, &schema).await?;
    let others = !shards.is_empty() && !before.shards.is_empty() && shards != before.shards;
    if others || schema.multi_tenant != before.schema.multi_tenant {
        return Err(Error::Recreated { collection: name.clone() });
    }
    let tenants = tenants(access, &schema).await?;
    if let Some(tenants) = &tenants {
        // Of one that is not active nothing is counted: what came with it would go unseen.
        if before.tenants.as_ref().is_some_and(|before| before != tenants) {
            let (collection, what) = (name.clone(), PlanChange::Tenants);
            return Err(Error::NotAsPlanned { collection, what });
        }
        match before.firsts.became(access, name, tenants).await? {
            Became::Same => {}
            Became::Others(tenant) | Became::Differ(tenant) => {
                return Err(Error::TenantRecreated { collection: name.clone(), tenant });
            }
        }
    }
    let objects = count(access, name, tenants.as_deref()).await?;
    Ok(Now { schema, tenants, objects, topology_unchecked })
}

/// Reference properties in other collections, by the collection that they may point to. Each document is read once, however
/// many collections are looked at.
fn references(all: &[Schema]) -> HashMap<String, Vec<(CollectionName, String)>> {
    let mut found: HashMap<String, Vec<(CollectionName, String)>> = HashMap::new();
    for schema in all.iter().filter(|schema| !schema.references.is_empty()) {
        let document: serde_json::Value = serde_json::from_slice(&schema.text).unwrap_or_default();
        for property in document["properties"].as_array().into_iter().flatten() {
            let types = property["dataType"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
            let targets: BTreeSet<&str> = types.filter(|target| *target != schema.name.as_str()).collect();
            let Some(name) = property["name"].as_str() else { continue };
            for target in targets {
                found.entry(target.to_owned()).or_default().push((schema.name.clone(), name.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Schema {
        Schema::parse(text.to_owned().into()).expect("a schema")
    }

    #[test]
    fn references_from_elsewhere_are_found() {
        let all = [
            schema(r#"{"class":"A","properties":[{"name":"self","dataType":["A"]}]}"#),
            schema(
                r#"{"class":"B","properties":[{"name":"to","dataType":["C","A"]},{"name":"t","dataType":["text"]}]}"#,
            ),
            schema(r#"{"class":"C","properties":[{"name":"to","dataType":["B"]}]}"#),
        ];
        let name = |text: &str| -> CollectionName { text.parse().expect("a name") };
        let found = references(&all);
        assert_eq!(found["A"], [(name("B"), "to".to_owned())], "its own is not counted");
        assert_eq!((found["B"][0].0.clone(), found["C"][0].0.clone()), (name("C"), name("B")));
        assert!(!references(&all[..1]).contains_key("A"));
    }
}
