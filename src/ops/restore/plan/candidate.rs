//! A collection of the archive on its way into a plan: each step adds what it finds out.

use std::sync::Arc;

use super::super::merge::{Meeting, MergeWork};
use super::super::order::{Turn, Waiting};
use super::super::survey::{CENTROID, Survey, Surveyed, survey};
use super::super::taken::TakenObjects;
use super::super::tenants::{self, ChosenTenants};
use super::super::{
    Collection, CollectionRestore, RestoreRefusal, Resuming, comparer, earlier_run::Own, mode::RestoreMode,
};
use super::Planning;
use super::adaptation::{not_applied, too_few_nodes};
use super::edited::in_place_of;
use crate::archive::Content;
use crate::event::{Remark, RestoreRemark};
use crate::model::{CollectionName, Schema};
use crate::ops::schema::endpoints::{Endpoint, endpoints};
use crate::ops::schema::settings::{Adapted, adapt};
use crate::ops::schema::{self, Fit, expiry, fit, remarks_of};
use crate::ops::{Error, archive_selection, prove, subset};
use crate::pipeline::parts::Indexed;

/// What is read for a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looks {
    /// The objects of the archive.
    pub(super) objects: bool,
    /// Those on the server too, where they are merged.
    pub(super) both_sides: bool,
}

/// What is known of a collection while the plan is made.
pub(super) struct Candidate {
    /// Its place in the archive's list.
    pub(super) at: usize,
    /// Its name on the server.
    pub(super) target: CollectionName,
    /// The schema that is asked for: the archived one, unless it becomes a collection of another kind or is to have other
    /// settings.
    pub(super) schema: Schema,
    /// What was set otherwise in it.
    pub(super) changed: Vec<Remark>,
    /// Which of its tenants come back.
    pub(super) tenants: ChosenTenants,
    /// How it meets what is there.
    pub(super) mode: RestoreMode,
    /// The schema made to fit the server.
    pub(super) fit: Fit,
    /// Its references to collections that are not complete when its objects are written.
    pub(super) waiting: Vec<Waiting>,
    /// With objects.
    pub(super) data: bool,
}

impl Candidate {
    /// What is known of it by the archive, the options and the server's schemas.
    pub(super) async fn new(
        planning: &Planning<'_>,
        at: usize,
        archived: &Schema,
        resuming: Option<&Resuming>,
    ) -> Result<Self, Error> {
        let Planning { access, archive, options, renames, server, live, .. } = planning;
        let target = renames.of(&archived.name).clone();
        let data = options.data && archive.collections()[at].content != Content::SchemaOnly;
        let mode = RestoreMode::of(options, live, &target, resuming.is_some_and(|resuming| resuming.began(&target)));
        let edited = options.schema_file.as_ref().map(|file| in_place_of(file, archived, &target)).transpose()?;
        let wanted = edited.as_ref().map_or(archived, |edited| &edited.schema);
        let Adapted { schema, changed: set } = adapt(&tenants::of_kind(wanted, &options.tenants), &options.settings);
        let changed = edited.iter().flat_map(|edited| edited.changed.iter().cloned()).chain(set).collect();
        // What is there has to hold what is archived, whatever is asked for.
        let (schema, changed) = if mode.is_created() {
            (schema, changed)
        } else {
            (tenants::of_kind(archived, &options.tenants), not_applied(changed, options))
        };
        let mut fit = fit(&schema, renames, &server.target());
        fit.refused.extend(edited.filter(|_| data).and_then(|edited| edited.refused(&archived.name)));
        fit.refused.extend(too_few_nodes(&schema, &options.settings, server.target().nodes));
        let mut tenants = tenants::chosen(archive, at, &options.tenants).await?;
        if mode.is_merge() && mode.asked(&schema).multi_tenant {
            tenants = tenants.beside(&access.ask(access.client.tenants(&target)).await?);
        }
        Ok(Self { at, fit, tenants, data, waiting: Vec::new(), mode, target, schema, changed })
    }

    /// Vectors that are in another length where it is to be merged.
    pub(super) async fn other_lengths(&self, planning: &Planning<'_>) -> Result<Option<RestoreRefusal>, Error> {
        match self.meeting(planning) {
            Some(meeting) => meeting.other_lengths().await,
            None => Ok(None),
        }
    }

    fn meeting<'m>(&'m self, planning: &Planning<'m>) -> Option<Meeting<'m>> {
        let Planning { access, archive, options, .. } = *planning;
        let (RestoreMode::Merge(there), Some(merge), true) = (&self.mode, options.merge, self.data) else {
            return None;
        };
        let (at, archived, tenants) = (self.at, &self.schema.name, &self.tenants);
        Some(Meeting { access, archive, at, archived, there, tenants, options, merge })
    }

    /// That only a part of its objects, or of their properties, would be merged.
    pub(super) fn merges_a_selection(&self, planning: &Planning<'_>) -> Option<RestoreRefusal> {
        let archived = planning.archive.collections()[self.at].selection.as_ref();
        let is_part = archived.is_some_and(|one| !one.fields.is_empty()) || !planning.options.subset.is_all();
        let is_merged = self.mode.is_merge() && self.data && is_part;
        is_merged.then(|| RestoreRefusal::SelectionMerged { collection: self.schema.name.clone() })
    }

    /// The collection with all that a run needs.
    pub(super) async fn into_collection(
        self,
        planning: &Planning<'_>,
        remarks: &[(CollectionName, Remark)],
        looks: Looks,
        resuming: Option<&mut Resuming>,
    ) -> Result<Collection, Error> {
        let Planning { access, archive, options, renames, .. } = *planning;
        let indexed = prove::index(archive, self.at).await?;
        let entry = &archive.collections()[self.at];
        // Whether a server makes vectors is for the collection to say that the objects go to.
        let asked = self.mode.asked(&self.schema).clone();
        let surveyed = Surveyed { archive, at: self.at, indexed: &indexed, asked: &asked };
        let own = |runs| Own { access, target: &self.target, runs, tenants: &self.tenants, map: &options.tenants };
        let kept = entry.selection.as_ref().map(|selection| selection.fields.as_slice()).unwrap_or_default();
        let merge = if looks.both_sides { self.merge(planning, &indexed).await? } else { None };
        let sieve = subset::of_kept(&options.subset, &indexed.schema, kept)?.filter(|_| self.data && looks.objects);
        let (found, taken, before) = if let Some(sieve) = sieve {
            // What is taken of the runs that an earlier run has sent is known only once they are read.
            let (found, taken) = surveyed.take(access.session, options, sieve).await?;
            let before = own(&taken.wanted).look(resuming, false).await?;
            (found, taken, before)
        } else {
            let before = own(&indexed.runs).look(resuming, self.mode.is_merge()).await?;
            let done = match &merge {
                Some(merge) => Arc::new(merge.marked.unmarked(indexed.runs.len())),
                None => Arc::clone(&before.done),
            };
            let only = merge.as_ref().map(|merge| Arc::clone(&merge.marked));
            let found = if self.data && looks.objects {
                survey(access.session, &surveyed, options, (done, only), None).await?
            } else {
                Survey::default()
            };
            (found, TakenObjects::all(&indexed.runs), before)
        };
        let mut facts = self.remarks(planning, &indexed.schema, &found);
        let of = self.tenants.objects;
        let selects = taken.sieve.is_some();
        let (objects, bytes) = match &merge {
            Some(merge) => (merge.planned.new + merge.planned.replaced, merge.bytes),
            None if selects => taken.sums(options),
            None if self.data => (of, self.tenants.bytes),
            None => (0, 0),
        };
        facts.extend(selects.then(|| RestoreRemark::Selected { selection: options.subset.clone(), objects, of }));
        let document = serde_json::from_slice(&asked.text).unwrap_or_default();
        let endpoints = endpoints(&document);
        facts.extend(endpoints.iter().map(Endpoint::remark));
        let mut said: Vec<Remark> = facts.into_iter().map(Remark::from).collect();
        said.extend(self.changed.iter().cloned());
        said.extend(limits_of(&self.schema).into_iter().map(Remark::from));
        said.extend(remarks.iter().filter(|(of, _)| *of == self.target).map(|(_, remark)| remark.clone()));
        let (action, met) = self.mode.planned();
        let (tenants, data) = (self.tenants, self.data);
        let planned = CollectionRestore {
            archived: indexed.schema.name.clone(),
            target: self.target,
            content: archive.collections()[self.at].content,
            objects,
            left_out: selects.then(|| of.saturating_sub(objects)),
            bytes,
            tenants: (tenants.made.len() as u64, tenants.inactive().len() as u64),
            remarks: met
                .into_iter()
                .chain(merge.iter().flat_map(|merge| merge.facts(&options.folder)))
                .map(Remark::from)
                .chain(remarks_of(&self.fit.applied))
                .chain(said.iter().cloned())
                .collect(),
            to_vectorise: found.to_vectorise,
            endpoints,
            refused_integers: found.refused_integers,
            unwritten: if data { indexed.schema.blob_hashes.clone() } else { Vec::new() },
            unread: data && !looks.objects,
            action,
            there: None,
            merge: merge.as_ref().map(|merge| merge.planned),
        };
        Ok(Collection {
            at: self.at,
            indexed,
            survey: found,
            taken,
            asked,
            fit: self.fit,
            planned,
            remarks: said,
            renames: renames.clone(),
            waiting: self.waiting,
            data,
            tenants,
            mode: self.mode,
            merge,
            before,
        })
    }

    /// How its objects meet those that are there, if it is merged.
    async fn merge(&self, planning: &Planning<'_>, indexed: &Indexed) -> Result<Option<MergeWork>, Error> {
        let Some(meeting) = self.meeting(planning) else { return Ok(None) };
        let comparer = comparer(indexed, planning.renames, self.mode.asked(&self.schema), planning.options);
        meeting.compare(indexed, comparer, &self.fit.asked).await.map(Some)
    }

    /// What will be different for other reasons than the fit of its schema.
    fn remarks(&self, planning: &Planning<'_>, archived: &Schema, found: &Survey) -> Vec<RestoreRemark> {
        let (options, data) = (planning.options, self.data);
        let entry = &planning.archive.collections()[self.at];
        let mut remarks = self.tenants.remarks(&options.tenants);
        if archive_selection::capital(&archived.name) != archived.name {
            remarks.push(RestoreRemark::NameUnfit { name: archived.name.to_string() });
        }
        if let Some(selection) = entry.selection.as_ref().filter(|_| data) {
            // What cannot be understood was refused with the manifest.
            let (objects, of) = (entry.objects, selection.objects_read);
            let selection = selection.subset().unwrap_or_default();
            remarks.push(RestoreRemark::SelectionArchived { selection, objects, of });
        }
        if data && !archived.blob_hashes.is_empty() {
            remarks.push(RestoreRemark::BlobHashesLeftOut { properties: archived.blob_hashes.clone() });
        }
        if data && found.refused_integers > 0 && options.clamp_ints {
            remarks.push(RestoreRemark::IntegersClamped);
        }
        if data && entry.content == Content::Full && !options.vectors && !entry.vectors.is_empty() {
            remarks.push(RestoreRemark::VectorsLeftOut { made: found.to_vectorise > 0 });
        }
        if data && entry.content == Content::NoVectors {
            remarks.push(RestoreRemark::VectorsNotArchived { made: found.to_vectorise > 0 });
        }
        if found.to_vectorise > 0 && options.vectors {
            remarks.push(RestoreRemark::VectorsMade { objects: found.to_vectorise });
        }
        remarks.extend(found.remarks());
        if options.data && entry.content == Content::SchemaOnly {
            remarks.push(RestoreRemark::SchemaArchived);
        }
        remarks
    }
}

/// Brings the candidates into the order of their references.
pub(super) fn in_order(candidates: Vec<Candidate>, turns: Vec<Turn>) -> Vec<Candidate> {
    let mut places: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let candidate = |Turn { at, waiting }: Turn| {
        let known = places[at].take()?;
        let added = waiting.iter().filter(|waiting| waiting.added).map(|waiting| waiting.property.as_str());
        // The properties that are added once all collections exist.
        let fit = known.fit.adding_later(added);
        Some(Candidate { fit, waiting, ..known })
    };
    turns.into_iter().filter_map(candidate).collect()
}

/// What will not be as it was, by the schema alone.
fn limits_of(schema: &Schema) -> Vec<RestoreRemark> {
    let expires = expiry::ages(schema);
    let kinds = schema::trained(schema);
    let trained = (!kinds.is_empty()).then_some(RestoreRemark::ToTrain { kinds });
    let centroid = String::from_utf8_lossy(&schema.text).contains(CENTROID);
    let centroid = centroid.then_some(RestoreRemark::VectorsByReference);
    expires.into_iter().chain(trained).chain(centroid).collect()
}
