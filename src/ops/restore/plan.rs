//! The plan of a restore: what is in the archive, what the server can hold, what is in the way. Reads every byte that
//! would be sent, and sends reading requests only. What stands against it is part of the plan.

mod adaptation;
mod aliases_roles;
mod candidate;
mod carried;
mod centroid;
mod edited;
mod may;
mod readable;
mod there;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::aliases_roles::AliasesAndRoles;
use self::candidate::{Candidate, Looks, in_order};
use self::carried::{asked, left_by, resumed_run};
pub(in crate::ops) use self::may::not_allowed;
pub(in crate::ops) use self::readable::{Readable, without_hidden};
use super::earlier_run::Stage;
use super::merge;
use super::mode::Live;
use super::order::order;
use super::{
    ArchiveFacts, Collection, Endpoint, PreparedRestore, RestoreOptions, RestorePlan, RestoreRefusal, Resuming,
};
use crate::archive::{Archive, Content};
use crate::model::{CollectionName, Renames, Schema};
use crate::ops::archive_selection::{self, ChosenCollections};
use crate::ops::schema::Rehearsed;
use crate::ops::server::{self, PlannedServer};
use crate::ops::verify::Differs;
use crate::ops::{Error, ReadAccess, Session, blocking, prove};
use crate::weaviate::{Client, Rights};

/// What every step of making a plan looks at.
struct Planning<'a> {
    access: ReadAccess<'a>,
    archive: &'a Arc<Archive>,
    options: &'a RestoreOptions,
    renames: &'a Renames,
    server: &'a PlannedServer,
    live: &'a Live,
    /// What the key may do, where that is known.
    rights: Option<&'a Rights>,
}

/// What is known before objects are read.
struct Judged {
    /// In the order of their references, if there is one.
    candidates: Vec<Candidate>,
    beside: AliasesAndRoles,
    refusals: Vec<RestoreRefusal>,
}

/// Looks at archive and server, and says what a restore would do, and what stands against it. Sends reading requests only.
///
/// # Errors
///
/// The archive is damaged or lacks what was chosen, or the server cannot be reached or read. What stands against the
/// restore itself is in the plan, and refused by `run`.
pub async fn plan(client: &Client, session: &Session, options: RestoreOptions) -> Result<PreparedRestore, Error> {
    let access = ReadAccess { client, session };
    let archive = prove::open(access.session, options.archive.clone()).await?;
    let ChosenCollections { collections, renames } = choose(&archive, &options).await?;
    let server = server::look_to_change(access).await?;
    let topology_unchecked = match collections.first() {
        Some((_, schema)) => access.whole(access.client.members(), &schema.name).await?.unchecked,
        None => None,
    };
    let asked = asked(access.client, &options, &archive, &collections, &renames);
    let live = Live { schemas: access.client.schemas().await?, aliases: access.client.aliases().await? };
    let rights = access.ask(access.client.rights()).await?;
    let mut resuming = Box::pin(resumed_run(access, &options, &asked, &live.schemas)).await?;
    let planning = Planning {
        access,
        archive: &archive,
        options: &options,
        renames: &renames,
        server: &server,
        live: &live,
        rights: rights.as_ref(),
    };
    let Judged { candidates, beside, mut refusals } = Box::pin(planning.judge(&collections, resuming.as_ref())).await?;
    let unfinished = left_by(access.session, &options, &asked, &refusals).await;
    // A run that cannot be is told so at once; what its objects hold is for a dry run to find out.
    let (refused, looks) = (!refusals.is_empty(), refusals.is_empty() || options.looks_anyway);
    let mut there = planning.there(&candidates).await;
    let mut work: Vec<Collection> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let resuming = resuming.as_mut().filter(|_| !refused);
        let stands = refusals.iter().any(|refusal| refusal.collection() == Some(&candidate.schema.name));
        let looks = Looks { objects: looks, both_sides: looks && !stands };
        work.push(Box::pin(candidate.into_collection(&planning, &beside.remarks, looks, resuming)).await?);
    }
    if looks {
        Box::pin(planning.name_gone(&mut work)).await?;
        something_is_taken(&work)?;
    }
    refusals.extend(work.iter().filter_map(|collection| would_vectorise(collection, &options)));
    refusals.extend(work.iter().flat_map(|collection| leads_on(collection, &options)));
    refusals.extend(work.iter().flat_map(|collection| merge::against(collection, &options)));
    for collection in &mut work {
        collection.planned.there = there.remove(&collection.planned.target);
        collection.planned.action = action(collection, &refusals);
    }
    let resumes = resuming.as_ref().filter(|_| !refused).map(|resuming| resuming.said(&work));
    let plan = RestorePlan {
        url: access.client.url().to_owned(),
        server_version: server.meta.version.text.clone(),
        archive: options.archive.clone(),
        about: ArchiveFacts::of(archive.manifest()),
        made: access.clock.now(),
        collections: work.iter().map(|collection| collection.planned.clone()).collect(),
        aliases: beside.aliases,
        roles: beside.roles,
        topology_unchecked,
        rehearsed: if options.rehearse { Rehearsed::Due } else { Rehearsed::Skipped },
        resumes,
        refusals,
        differences: differences(&work, options.differences_listed),
        unfinished,
        options,
    };
    Ok(PreparedRestore { plan, archive, work, server, rights, started: access.clock.now(), asked, resuming })
}

/// The first objects that are there with another content, of all collections that are merged.
fn differences(work: &[Collection], most: usize) -> Vec<Differs> {
    work.iter()
        .filter_map(|collection| collection.merge.as_ref())
        .flat_map(|m| m.differing.clone())
        .take(most)
        .collect()
}

/// Refuses a selection that takes nothing.
fn something_is_taken(work: &[Collection]) -> Result<(), Error> {
    let with_data = || work.iter().filter(|collection| collection.data && collection.taken.sieve.is_some());
    let objects = with_data().map(|collection| collection.tenants.objects).sum();
    let is_nothing = with_data().all(|collection| collection.planned.objects == 0);
    if with_data().next().is_some() && is_nothing { Err(Error::NothingSelected { objects }) } else { Ok(()) }
}

/// Chooses among the collections of an archive.
async fn choose(archive: &Arc<Archive>, options: &RestoreOptions) -> Result<ChosenCollections, Error> {
    let (archive, options) = (Arc::clone(archive), options.clone());
    let choose = move || {
        let schemas = archive.collections().iter().map(|entry| archive.schema(entry)).collect::<Result<Vec<_>, _>>()?;
        let RestoreOptions { selection, name, renames, tenants, .. } = &options;
        let chosen = archive_selection::choose(schemas, selection, name.as_ref(), renames)?;
        let chosen = chosen.of_tenants(&archive, tenants, selection)?;
        adaptation::refuse_unfit(&archive, &chosen, &options)?;
        Ok::<_, Error>(chosen)
    };
    blocking("choose", choose).await
}

impl Planning<'_> {
    /// Brings together what is known of each collection without reading its objects, and what stands against restoring it.
    async fn judge(&self, collections: &[(usize, Schema)], resuming: Option<&Resuming>) -> Result<Judged, Error> {
        let mut candidates = Vec::with_capacity(collections.len());
        for (at, archived) in collections {
            candidates.push(Candidate::new(self, *at, archived, resuming).await?);
        }
        let mut refusals = Vec::new();
        for candidate in &candidates {
            let Candidate { schema, tenants, mode, .. } = candidate;
            let asked = (self.options, self.renames);
            let against = mode.against(self.access.client, self.live, schema, tenants, asked, resuming);
            let against = against.await?;
            if against.is_empty() {
                refusals.extend(candidate.other_lengths(self).await?);
            }
            refusals.extend(against);
        }
        refusals.extend(candidates.iter().filter_map(|candidate| candidate.merges_a_selection(self)));
        refusals.extend(self.may_not_activate(&candidates));
        let mut beside = AliasesAndRoles::look(self, &candidates).await?;
        refusals.append(&mut beside.refused);
        let turns = self.turns(&candidates);
        let ordered = turns.is_ok();
        let (candidates, missing) = match turns {
            Ok(turns) => (in_order(candidates, turns), Vec::new()),
            Err(missing) => (candidates, missing),
        };
        let unreadable = Box::pin(self.unreadable(&candidates)).await?;
        refusals.extend(without_hidden(missing, &unreadable));
        refusals.extend(unreadable);
        refusals.extend(self.may_not(&candidates, resuming));
        // What exists is not made.
        let made = candidates.iter().filter(|candidate| candidate.mode.is_created());
        refusals.extend(made.flat_map(|candidate| candidate.fit.refused.iter().cloned()));
        if let Some(resuming) = resuming.filter(|_| ordered) {
            refusals.extend(self.not_as_left(&candidates, resuming).await?);
        }
        Ok(Judged { candidates, beside, refusals })
    }

    /// The order of the collections, by their references; the references that lead nowhere, if there are any.
    fn turns(&self, candidates: &[Candidate]) -> Result<Vec<super::order::Turn>, Vec<RestoreRefusal>> {
        let live: BTreeSet<&CollectionName> = self.live.schemas.iter().map(|schema| &schema.name).collect();
        let archived = self.archive.collections();
        let filled = |place: usize| archived[candidates[place].at].content != Content::SchemaOnly;
        let schemas: Vec<Schema> = candidates.iter().map(|candidate| candidate.schema.clone()).collect();
        order(&schemas, &|name| live.contains(name), &filled, self.renames)
    }
}

/// What is done with a collection.
fn action(collection: &Collection, refusals: &[RestoreRefusal]) -> &'static str {
    let archived = &collection.planned.archived;
    let against = |refusal: &RestoreRefusal| refusal.collection().is_none_or(|about| about == archived);
    match collection.before.stage {
        _ if refusals.iter().any(against) => "refuse",
        Stage::Begun | Stage::There => "resume",
        Stage::Nothing => collection.planned.action,
    }
}

/// Where a module would send objects, and its key, without a word of the operator: the archive says where, not they.
fn leads_on(collection: &Collection, options: &RestoreOptions) -> Vec<RestoreRefusal> {
    let planned = &collection.planned;
    let sends = options.revectorize && planned.to_vectorise > 0;
    let unknown = planned.endpoints.iter().filter(|e| sends && !e.is_allowed(&options.allowed_endpoints));
    let refusal = |e: &Endpoint| RestoreRefusal::Endpoint { collection: planned.archived.clone(), endpoint: e.clone() };
    unknown.map(refusal).collect()
}

/// Objects that would be sent to a vectorizer cost money, or fail: only when asked for.
fn would_vectorise(collection: &Collection, options: &RestoreOptions) -> Option<RestoreRefusal> {
    let objects = collection.planned.to_vectorise;
    let refused = objects > 0 && !options.revectorize;
    refused.then(|| RestoreRefusal::WouldVectorise { collection: collection.planned.archived.clone(), objects })
}
