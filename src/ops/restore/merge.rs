//! Merging into collections that exist: what stands against it, how the objects of both sides meet, and what is kept before it
//! is replaced.

mod keep;
pub(super) mod kept;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::create::Created;
use super::tenants::ChosenTenants;
use super::{Collection, ConflictPolicy, Merge, RestoreOptions, RestoreRefusal};
use crate::archive::{Archive, Content};
use crate::event::{Event, PlannedMerge, RestoreRemark, SchemaDifference};
use crate::model::{CollectionName, Renames, Schema, TenantMap, path_text};
use crate::ops::activation::ActivationBooks;
use crate::ops::verify::{CompareOptions, Compared, Differs, Pair, compare_collection, differs, lacks};
use crate::ops::{Error, ReadAccess, Session, WriteAccess, safety};
use crate::pipeline::compare::{Comparer, Replaces, Sieves};
use crate::pipeline::marks::Marks;
use crate::pipeline::parts::Indexed;
use crate::pipeline::peek;

pub(super) use keep::keep;

/// What of a collection is written into one that is there.
#[derive(Debug, Clone)]
pub(super) struct MergeWork {
    /// How its objects meet those that are there.
    pub(super) planned: PlannedMerge,
    /// Plain bytes of what is written.
    pub(super) bytes: u64,
    /// The objects that are written.
    pub(super) marked: Arc<Marks>,
    /// Those of them that replace others.
    pub(super) replaced: Arc<Marks>,
    /// Which objects that differ are replaced.
    pub(super) replaces: Replaces,
    /// The first objects that differ.
    pub(super) differing: Vec<Differs>,
    /// The properties that are added to the collection first, each with what is sent for it.
    pub(super) properties: Vec<(String, String)>,
}

impl MergeWork {
    /// What is to be known before it is done. `archives`: the folder of archives.
    pub(super) fn facts(&self, archives: &Path) -> impl Iterator<Item = RestoreRemark> + use<> {
        let properties: Vec<String> = self.properties.iter().map(|(name, _)| name.clone()).collect();
        let added = (!properties.is_empty()).then_some(RestoreRemark::PropertiesToAdd { properties });
        let is_newer = self.replaces == Replaces::Older && self.planned.different > 0;
        let (objects, folder) = (self.planned.replaced, path_text(&archives.join(safety::FOLDER)));
        let kept = (objects > 0).then_some(RestoreRemark::ReplacedToKeep { objects, folder });
        added.into_iter().chain(kept).chain(is_newer.then_some(RestoreRemark::NewerByTimes))
    }
}

/// A collection that is there, and what objects of an archive need of it.
pub(super) struct Unheld<'a> {
    pub(super) schema: &'a Schema,
    pub(super) there: &'a Schema,
    pub(super) renames: &'a Renames,
    pub(super) tenants: &'a TenantMap,
}

impl Unheld<'_> {
    /// What it lacks, if that stands against a merge.
    pub(super) fn refusal(&self, merge: Merge) -> Option<RestoreRefusal> {
        let Self { schema, there, renames, tenants } = *self;
        let mut found = lacks(schema, there, renames);
        if merge.add_properties {
            found.retain(|lack| !matches!(lack, SchemaDifference::NoProperty { property } if !property.contains('.')));
        }
        if merge.strict {
            let more = differs(schema, there, renames, tenants).into_iter().filter(|more| !found.contains(more));
            found = more.collect::<Vec<_>>().into_iter().chain(found.iter().cloned()).collect();
        }
        let (collection, there) = (schema.name.clone(), there.name.clone());
        (!found.is_empty()).then_some(RestoreRefusal::DoesNotFit { collection, there, differs: found })
    }
}

/// The properties that the collection lacks and that are added to it, as they are sent: those of `asked`, the class document
/// made to fit the server.
fn properties_to_add(asked: &str, there: &Schema) -> Vec<(String, String)> {
    let parse = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap_or(Value::Null);
    let (asked, there) = (parse(asked.as_bytes()), parse(&there.text));
    let list = |document: &Value| document["properties"].as_array().cloned().unwrap_or_default();
    let live = list(&there);
    let is_there = |property: &Value| live.iter().any(|other| other["name"] == property["name"]);
    let lacking = list(&asked).into_iter().filter(|property| !is_there(property));
    lacking.filter_map(|property| Some((property["name"].as_str()?.to_owned(), property.to_string()))).collect()
}

/// A collection of an archive, and the one that it is merged into.
pub(super) struct Meeting<'a> {
    pub(super) access: ReadAccess<'a>,
    pub(super) archive: &'a Arc<Archive>,
    /// Its place in the archive.
    pub(super) at: usize,
    /// Its name there.
    pub(super) archived: &'a CollectionName,
    /// The one that is there.
    pub(super) there: &'a Schema,
    pub(super) tenants: &'a ChosenTenants,
    pub(super) options: &'a RestoreOptions,
    pub(super) merge: Merge,
}

impl Meeting<'_> {
    /// Compares all objects with those that are there, and marks what is to be written. `asked`: the class document made to fit
    /// the server.
    pub(super) async fn compare(&self, indexed: &Indexed, comparer: Comparer, asked: &str) -> Result<MergeWork, Error> {
        let Self { access, archive, at, options, .. } = *self;
        let properties = if self.merge.add_properties { properties_to_add(asked, self.there) } else { Vec::new() };
        let quiet = Session { events: access.events.only(is_warning), ..access.session.clone() };
        let access = ReadAccess { client: access.client, session: &quiet };
        let (target, tenants) = (self.there.name.clone(), options.tenants.clone());
        let pair = Pair::archived(Arc::clone(archive), at, indexed.clone(), target, tenants);
        let replaces = self.merge.replaces();
        let compare = CompareOptions {
            vectors: options.vectors,
            limit: options.differences_listed,
            jobs: options.jobs,
            marking: Some(replaces),
            // All that is there counts, whatever the archive was made of.
            sieves: Some(Sieves::default()),
            ..CompareOptions::new(comparer, options.memory_bytes, options.patience, ActivationBooks::Nowhere)
        };
        let Compared { found, differences, .. } = Box::pin(compare_collection(access, None, pair, &compare)).await?;
        let planned = PlannedMerge {
            new: found.only_left,
            equal: found.objects.saturating_sub(found.only_left + found.different),
            different: found.different,
            replaced: found.to_replace,
            only_on_server: found.only_right,
        };
        let mut marked = found.marked_new;
        marked.add(found.marked_replaced.clone());
        Ok(MergeWork {
            planned,
            bytes: found.marked_bytes,
            marked: Arc::new(marked.sorted()),
            replaced: Arc::new(found.marked_replaced.sorted()),
            replaces,
            differing: differences,
            properties,
        })
    }

    /// Vectors that are there in another length than in the archive: a vector index takes one length.
    pub(super) async fn other_lengths(&self) -> Result<Option<RestoreRefusal>, Error> {
        let entry = &self.archive.collections()[self.at];
        if entry.content != Content::Full || !self.options.vectors {
            return Ok(None);
        }
        let (client, there) = (self.access.client, &self.there.name);
        let tenant = self.tenants.there.iter().find(|tenant| tenant.is_active()).map(|tenant| &tenant.name);
        if self.there.multi_tenant && tenant.is_none() {
            return Ok(None);
        }
        let live = self.access.ask(peek::live_lengths(client, there, tenant)).await?;
        let other = |(vector, live): (String, u64)| {
            // Where it comes in several lengths, the first object says little.
            let is_mixed = entry.vector_lengths.iter().any(|of| of.vector == vector);
            let archived = entry.vectors.get(&vector).copied().filter(|archived| *archived != live && !is_mixed)?;
            Some(SchemaDifference::OtherLength { vector, archived, live })
        };
        let differs: Vec<SchemaDifference> = live.into_iter().filter_map(other).collect();
        let (collection, there) = (self.archived.clone(), there.clone());
        Ok((!differs.is_empty()).then_some(RestoreRefusal::DoesNotFit { collection, there, differs }))
    }
}

fn is_warning(event: &Event) -> bool {
    matches!(event, Event::Warning(_))
}

/// What stands against a merge, once its objects were compared.
pub(super) fn against(collection: &Collection, options: &RestoreOptions) -> Vec<RestoreRefusal> {
    let (Some(merge), Some(work)) = (options.merge, &collection.merge) else { return Vec::new() };
    let (archived, there) = (collection.planned.archived.clone(), collection.planned.target.clone());
    let mut refusals = Vec::new();
    let PlannedMerge { different, replaced, .. } = work.planned;
    if merge.on_conflict == ConflictPolicy::Fail && different > 0 {
        let (collection, there) = (archived.clone(), there.clone());
        refusals.push(RestoreRefusal::Conflicts { collection, there, objects: different });
    }
    let without_vectors = !options.vectors || collection.planned.content == Content::NoVectors;
    let lost: Vec<String> = without_vectors
        .then(|| VECTORS.to_owned())
        .into_iter()
        .chain(collection.indexed.schema.blob_hashes.iter().cloned())
        .collect();
    if replaced > 0 && !lost.is_empty() {
        let (collection, there) = (archived.clone(), there.clone());
        refusals.push(RestoreRefusal::WouldLose { collection, there, objects: replaced, lost });
    }
    if collection.refers_last() {
        let properties = collection.deferred();
        refusals.push(RestoreRefusal::RefersLast { collection: archived, properties });
    }
    refusals
}

/// What objects lose that are replaced by ones without vectors.
const VECTORS: &str = "vectors";

/// Looks again at a collection that is merged into, right before the deed, and adds what it lacks, if that was asked for.
pub(super) async fn meet(access: WriteAccess<'_>, collection: &Collection) -> Result<Created, Error> {
    let target = &collection.planned.target;
    let read = async || {
        let schema = access.ask(access.client.schema(target)).await?;
        schema.ok_or_else(|| Error::Vanished { collection: target.clone() })
    };
    let schema = read().await?;
    let gone = lacks(&collection.asked, &schema, &Renames::default());
    if !gone.is_empty() {
        let (archived, there) = (collection.planned.archived.clone(), target.clone());
        let refusals = vec![RestoreRefusal::DoesNotFit { collection: archived, there, differs: gone }];
        return Err(Error::CannotRestore { refusals, chosen: 1 });
    }
    let properties = collection.merge.iter().flat_map(|merge| &merge.properties);
    let mut added = Vec::new();
    for (name, document) in properties {
        access.go_on()?;
        let sent = access.writer.add_property(target, document).await;
        sent.map_err(|source| Error::NotCreated { collection: target.clone(), source })?;
        added.push(name.clone());
    }
    if added.is_empty() {
        return Ok(Created { schema, remarks: Vec::new() });
    }
    let remarks = vec![RestoreRemark::PropertiesAdded { properties: added }.into()];
    Ok(Created { schema: read().await?, remarks })
}
