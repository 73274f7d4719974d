//! The plan of a clear: what is there, how it will be emptied, what is in the way. Sends reading requests only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::due::is_due;
use super::may::May;
use super::method::{MethodFacts, choose};
use super::unfinished::{dropped, saved};
use super::{ClearOptions, ClearPlan, ClearRefusal, CollectionClear, Method, NotRepeatable, Unfinished, Wish};
use crate::event::{ClearRemark, Remark};
use crate::model::{CollectionName, Renames, Schema, Selection};
use crate::ops::activation::{ActivationBooks, EarlierRuns, LeftActive};
use crate::ops::bounds::ASKED_AT_ONCE;
use crate::ops::firsts::Firsts;
use crate::ops::held::{Doomed, HeldIn, held_in, hold_again};
use crate::ops::live_collections::{self, Recounted, Standing, all_tenants_are_seen, look_at};
use crate::ops::protected::is_protected;
use crate::ops::schema::{Applied, Fit, Made, Rehearsed, fit, is_by_auto_schema, made, remade, remarks_of, trained};
use crate::ops::server::{self, PlannedServer};
use crate::ops::{Error, Lack, PlanChange, ReadAccess, Session, select};
use crate::weaviate::{Client, Count, Rights, Tenant};

/// Looks at the collections and says how they would be emptied. Sends reading requests only.
///
/// # Errors
///
/// Nothing is chosen, something chosen cannot or must not be emptied, or the server cannot be reached or is not whole.
pub async fn plan(client: &Client, session: &Session, mut options: ClearOptions) -> Result<ClearPlan, Error> {
    let access = ReadAccess { client, session };
    // Whatever is named twice is meant once: a server that is asked to create a tenant twice creates it not at all.
    let (mut tenants, mut names) = (BTreeSet::new(), BTreeSet::new());
    options.tenants.retain(|tenant| tenants.insert(tenant.clone()));
    options.selection.take.retain(|name| names.insert(name.clone()));
    let server = server::look_to_change(access).await?;
    let all = access.ask(access.client.schemas()).await?;
    let dropped = dropped(access.session, &options.state.runs, access.client.url()).await?;
    let (chosen, gone) = chosen(access, &all, &dropped, &options).await?;
    let protected: Vec<CollectionName> =
        chosen.iter().chain(gone.iter().map(|u| &u.schema)).map(|s| s.name.clone()).filter(is_protected).collect();
    if !protected.is_empty() && !options.allow_protected {
        return Err(Error::Protected { names: protected });
    }
    if !options.tenants.is_empty() && chosen.len() != 1 {
        return Err(refused(vec![ClearRefusal::TenantsOfMany { collections: chosen.len() }]));
    }
    let mut standings = look_at(access, &chosen, &all).await?;
    live_collections::refuse_held(access, &options.state.locks, &standings, &all).await?;
    let rights = access.ask(access.client.rights()).await?;
    let key_rights = rights.clone();
    let rights = rights.as_ref();
    live_collections::note_unseen_aliases(rights, &server.meta.version, &mut standings);
    if options.tenants.is_empty() {
        all_tenants_are_seen(rights, &standings)?;
    }
    let books = ActivationBooks::Locked(options.state.clone(), EarlierRuns::default());
    let planning = ClearPlanning { access, options: &options, server: &server, rights, dropped: &dropped, books };
    // Writers disturb nobody who deletes by ids.
    let again = if options.wish == Wish::Delete {
        BTreeMap::new()
    } else {
        live_collections::count_again(access, &standings).await?
    };

    let (mut planned, mut refusals) = (Vec::new(), Vec::new());
    let looked = standings.into_iter().map(|standing| {
        let again = again.get(standing.name()).and_then(Count::exact);
        planning.plan_one(standing, again)
    });
    let looked: Vec<_> = stream::iter(looked).buffered(ASKED_AT_ONCE).try_collect().await?;
    for one in looked {
        match one {
            Ok(one) => planned.push(one),
            Err(refusal) => refusals.push(refusal),
        }
    }
    for unfinished in gone {
        match planning.plan_gone(unfinished) {
            Ok(one) => planned.push(one),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if !refusals.is_empty() {
        return Err(refused(refusals));
    }
    let doomed: Vec<Doomed<'_>> =
        planned.iter().filter(|planned| planned.exists).map(CollectionClear::doomed).collect();
    let mut held = held_in(access, &options.folder, &doomed).await?;
    for one in &mut planned {
        one.standing.held_in = held.remove(one.name());
    }
    // What is gone comes first: others may refer to it, and could not be created before it.
    planned.sort_by(|a, b| (a.exists, a.name()).cmp(&(b.exists, b.name())));
    for planned in planned.iter_mut().filter(|planned| is_due(planned)) {
        planned.rehearsed = if options.rehearse { Rehearsed::Due } else { Rehearsed::Skipped };
    }
    Ok(ClearPlan {
        url: access.client.url().to_owned(),
        server_version: server.meta.version.text.clone(),
        topology_unchecked: planned.iter().find_map(|p| p.standing.topology_unchecked.clone()),
        collections: planned,
        options,
        must_hold: None,
        server,
        rights: key_rights,
    })
}

/// Counts again what will be gone, and holds it against the archive that was named.
///
/// # Errors
///
/// Its tenants are not in the states that were planned; the server or the archive cannot be read.
pub async fn recount(
    client: &Client,
    session: &Session,
    planned: &CollectionClear,
    named: Option<&HeldIn>,
) -> Result<Recounted, Error> {
    let access = ReadAccess { client, session };
    if !planned.exists {
        return Ok(Recounted { objects: planned.all_objects(), held_in: named.cloned() });
    }
    if let Some(tenants) = &planned.tenants {
        // Counting would activate one that was deactivated meanwhile, where the server is set so.
        let now = access.ask(access.client.tenants(planned.name())).await?;
        let now: BTreeMap<_, _> = now.iter().map(|tenant| (&tenant.name, &tenant.state)).collect();
        if let Some(other) = tenants.iter().find(|tenant| now.get(&tenant.name) != Some(&&tenant.state)) {
            let what = PlanChange::Tenant { tenant: other.name.clone() };
            return Err(Error::NotAsPlanned { collection: planned.name().clone(), what });
        }
    }
    let now = live_collections::count(access, planned.name(), planned.counted()).await?;
    let held_in = hold_again(access, &planned.doomed(), named).await?;
    Ok(Recounted { objects: now.exact().filter(|_| planned.inactive() == 0), held_in })
}

fn refused(refusals: Vec<ClearRefusal>) -> Error {
    Error::CannotClear { refusals }
}

/// The collections that are meant, and those among the names that are gone since an earlier run dropped them.
async fn chosen(
    access: ReadAccess<'_>,
    all: &[Schema],
    dropped: &BTreeMap<CollectionName, PathBuf>,
    options: &ClearOptions,
) -> Result<(Vec<Schema>, Vec<Unfinished>), Error> {
    let aliases = access.aliases().await?;
    let (mut take, mut gone) = (Vec::new(), Vec::new());
    for text in &options.selection.take {
        let earlier = match text.parse::<CollectionName>() {
            Ok(name) if !all.iter().any(|schema| schema.name == name) => match dropped.get(&name) {
                Some(archive) => saved(access.session, archive.clone(), &name).await?,
                None => None,
            },
            _ => None,
        };
        match earlier {
            Some(earlier) => gone.push(earlier),
            None => take.push(text.clone()),
        }
    }
    if take.is_empty() && !gone.is_empty() {
        return Ok((Vec::new(), gone));
    }
    let selection = Selection { take, exclude: options.selection.exclude.clone() };
    Ok((select::choose_and_tell(access.session, all.to_vec(), &selection, &aliases, select::Alias::Refuses)?, gone))
}

/// What every collection is looked at with.
struct ClearPlanning<'a> {
    access: ReadAccess<'a>,
    options: &'a ClearOptions,
    server: &'a PlannedServer,
    rights: Option<&'a Rights>,
    /// Where unfinished runs saved what they dropped.
    dropped: &'a BTreeMap<CollectionName, PathBuf>,
    /// What runs left that activate tenants.
    books: ActivationBooks,
}

impl ClearPlanning<'_> {
    /// One collection that is there.
    async fn plan_one(
        &self,
        mut standing: Standing,
        again: Option<u64>,
    ) -> Result<Result<CollectionClear, ClearRefusal>, Error> {
        let (name, options) = (standing.schema.name.clone(), self.options);
        let moved = standing.objects.exact().zip(again).filter(|(before, after)| before != after);
        let earlier = self.earlier(&standing).await;
        if let Some(refusal) = earlier.as_ref().and_then(|earlier| self.belongs_to_others(earlier, &standing)) {
            return Ok(Err(refusal));
        }
        let left_active = self.left_active(&mut standing).await?;
        let (unfinished, missing) = earlier.map_or_else(Default::default, |earlier| self.left_of(earlier, &standing));
        let tenants = match self.tenants(&standing, &missing) {
            Ok(tenants) => tenants,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let fit = self.fit(unfinished.as_ref().map_or(&standing.schema, |u| &u.schema));
        let some_tenants = !options.tenants.is_empty();
        let objects = match &tenants {
            Some(tenants) if some_tenants => {
                standing.firsts = Firsts::of_named(self.access, &name, tenants).await?;
                live_collections::count(self.access, &name, Some(tenants)).await?
            }
            _ => standing.objects.clone(),
        };
        let plain = !standing.schema.multi_tenant;
        let read_only =
            if plain { self.access.ask(self.access.client.read_only_shards(&name)).await? } else { Vec::new() };
        let inactive = tenants.iter().flatten().filter(|tenant| !tenant.is_active()).count();
        let offloaded = tenants.iter().flatten().filter(|tenant| !tenant.can_be_created()).count();
        let allowed = self.rights.map(|rights| {
            let (schema, tenants, missing) = (&standing.schema, tenants.as_deref(), &missing[..]);
            May { rights, schema, fit: &fit, tenants, missing, some_tenants }
        });
        let may_not_delete = match allowed.as_ref().map(May::not_delete) {
            Some(Some(lack)) => Some(lack),
            _ => self.may_not_delete(&name, plain).await?,
        };
        let facts = MethodFacts {
            objects: objects.exact(),
            moved,
            may_not_recreate: match &allowed {
                Some(allowed) => allowed.not_recreate(),
                // Where nothing is told of its roles, a key that may not delete objects may hardly drop them.
                None => may_not_delete.as_ref().map(|_| Lack::on("delete_collections", &name)),
            },
            may_not_delete,
            not_recreated: (!some_tenants).then(|| not_recreated(&standing, &fit)).flatten(),
            aliases_hidden: self.may_hide_aliases(&standing),
            read_only,
            unfinished: unfinished.is_some(),
            inactive,
            offloaded,
            some_tenants,
            recreates_tenants: inactive > 0 || !missing.is_empty(),
            unrehearsed: !options.rehearse,
            tenants_stay: (!self.server.meta.version.at_least(1, 32)).then(|| self.server.meta.version.to_string()),
            ..MethodFacts::default()
        };
        Ok(choose(&name, options.wish, &facts).map(|(method, why)| {
            let loses = loses(&standing, &fit, &facts, method);
            let planned = CollectionClear::of(standing, fit, facts, method, why);
            CollectionClear { tenants, some_tenants, objects, loses, unfinished, missing, left_active, ..planned }
        }))
    }

    /// Whether the server may have aliases that the key may not see, of this or another collection. Before 1.32 there are none.
    fn may_hide_aliases(&self, standing: &Standing) -> bool {
        let hidden = self.rights.is_some_and(|rights| !rights.show_all_aliases());
        standing.aliases_unseen || (hidden && self.server.meta.version.at_least(1, 32))
    }

    /// Whether a run that was killed left any of its tenants active. They are planned as inactive, which they will be.
    async fn left_active(&self, standing: &mut Standing) -> Result<bool, Error> {
        let (access, name) = (self.access, standing.schema.name.clone());
        let Some(tenants) = &mut standing.tenants else { return Ok(false) };
        let before = tenants.clone();
        let left = LeftActive::find(access, &self.books, &name, tenants).await?;
        if *tenants != before {
            let counts = live_collections::tenant_counts(access, &name, tenants).await?;
            standing.firsts = Firsts::of_whole(access, &name, &counts).await?;
            standing.objects = counts.into_iter().map(|(_, count)| count).sum();
        }
        Ok(!left.is_empty())
    }

    /// One that is gone since an earlier run dropped it.
    fn plan_gone(&self, unfinished: Unfinished) -> Result<CollectionClear, ClearRefusal> {
        let fit = self.fit(&unfinished.schema);
        let name = unfinished.schema.name.clone();
        let (schema, tenants) = (&unfinished.schema, unfinished.tenants.as_deref());
        let may_not_recreate = self.rights.and_then(|rights| {
            May { rights, schema, fit: &fit, tenants, missing: &[], some_tenants: false }.not_recreate()
        });
        let facts = MethodFacts { unfinished: true, may_not_recreate, ..MethodFacts::default() };
        let (method, why) = choose(&name, self.options.wish, &facts)?;
        let tenants = unfinished.tenants.clone();
        let standing =
            Standing { objects: Count::Exact(0), tenants: tenants.clone(), ..Standing::of(unfinished.schema.clone()) };
        let unfinished = Some(unfinished);
        Ok(CollectionClear {
            tenants,
            unfinished,
            exists: false,
            ..CollectionClear::of(standing, fit, facts, method, why)
        })
    }

    fn fit(&self, schema: &Schema) -> Fit {
        fit(schema, &Renames::default(), &self.server.target())
    }

    /// The tenants that are emptied. One that an earlier run removed is as good as there.
    fn tenants(&self, standing: &Standing, missing: &[Tenant]) -> Result<Option<Vec<Tenant>>, ClearRefusal> {
        let (collection, wanted) = (standing.schema.name.clone(), &self.options.tenants);
        let Some(there) = &standing.tenants else {
            let refusal = ClearRefusal::NotMultiTenant { collection };
            return if wanted.is_empty() { Ok(None) } else { Err(refusal) };
        };
        if wanted.is_empty() {
            return Ok(Some(there.clone()));
        }
        let mut found = Vec::with_capacity(wanted.len());
        for name in wanted {
            match there.iter().find(|tenant| tenant.name == *name) {
                Some(tenant) => found.push(tenant.clone()),
                None if missing.iter().any(|tenant| tenant.name == *name) => {}
                None => return Err(ClearRefusal::UnknownTenant { collection, tenant: name.clone() }),
            }
        }
        Ok(Some(found))
    }

    /// What an earlier run saved of a collection that is there, if any did. So nothing depends on a copy that cannot be read.
    async fn earlier(&self, standing: &Standing) -> Option<Unfinished> {
        let archive = self.dropped.get(standing.name())?;
        saved(self.access.session, archive.clone(), standing.name()).await.ok()?
    }

    /// What an earlier run saved of a collection that is there, but that the server made up, or that the run only began to
    /// make again; or, of one that is there as it was saved, the tenants it lacks. What somebody made meanwhile is theirs,
    /// whatever was saved.
    fn left_of(&self, earlier: Unfinished, standing: &Standing) -> (Option<Unfinished>, Vec<Tenant>) {
        let asked = self.fit(&earlier.schema);
        match made(&asked.asked, &earlier.schema, &standing.schema, &self.server.target()) {
            Made::Same { .. } if self.is_half_made(&asked, &earlier, standing) => (Some(earlier), Vec::new()),
            Made::Same { .. } => {
                let there = standing.tenants.as_deref().unwrap_or_default();
                let lacks = |tenant: &Tenant| !there.iter().any(|t| t.name == tenant.name);
                (None, earlier.tenants.into_iter().flatten().filter(lacks).collect())
            }
            Made::Other { .. }
                if is_by_auto_schema(&standing.schema) || self.is_half_made(&asked, &earlier, standing) =>
            {
                (Some(earlier), Vec::new())
            }
            Made::Other { .. } => (None, Vec::new()),
        }
    }

    /// That a collection which the run that is resumed had dropped is there, as somebody created it since, and that it holds
    /// objects: they are not what was to go. What auto-schema created holds what was written to the one that was.
    fn belongs_to_others(&self, earlier: &Unfinished, standing: &Standing) -> Option<ClearRefusal> {
        let both_known = !earlier.shards.is_empty() && !standing.shards.is_empty();
        let is_another = both_known && !earlier.shards.iter().any(|shard| standing.shards.contains(shard));
        let objects = standing.objects.exact();
        let is_theirs = is_another && objects != Some(0) && !is_by_auto_schema(&standing.schema);
        (self.options.resumes && is_theirs)
            .then(|| ClearRefusal::BelongsToOthers { collection: standing.name().clone(), objects })
    }

    /// Whether a collection is what the first of two requests makes of what was saved, and no more: named vectors beside an
    /// unnamed one, or the words that keep the server from compressing, take a second one.
    fn is_half_made(&self, asked: &Fit, earlier: &Unfinished, standing: &Standing) -> bool {
        let is = |document: &str| {
            let made = remade(document, &earlier.schema, &standing.schema, &self.server.target());
            matches!(made, Made::Same { .. })
        };
        let explicit = asked.without_default_compression();
        let first = [explicit.as_ref(), Some(asked).filter(|fit| fit.then.is_some())];
        !is(&asked.asked) && first.into_iter().flatten().any(|fit| is(&fit.create))
    }

    /// A dry-run delete deletes nothing, and shows whether the key might. For tenants only its roles can tell.
    async fn may_not_delete(&self, name: &CollectionName, plain: bool) -> Result<Option<Lack>, Error> {
        let asked = plain && self.access.ask(self.access.client.may_delete(name)).await? == Some(false);
        Ok(asked.then(|| Lack::on("delete_data", name)))
    }
}

fn not_recreated(standing: &Standing, fit: &Fit) -> Option<NotRepeatable> {
    let refused = fit.refused.first().cloned().map(|refusal| NotRepeatable::Refused(Box::new(refusal)));
    // What the server has stored and would not take back is a setting of the collection all the same.
    let lost = || fit.applied.iter().find(|applied| applied.is_setting_lost()).map(Applied::loss);
    let twin = || standing.twin.clone().map(|alias| NotRepeatable::AliasOfItsName { alias });
    refused.or_else(|| lost().map(NotRepeatable::SettingLost)).or_else(twin)
}

/// What emptying it so loses that is no object. Inactive tenants are removed and created again either way.
pub(super) fn loses(standing: &Standing, fit: &Fit, facts: &MethodFacts, method: Method) -> Vec<Remark> {
    let mut loses = Vec::new();
    if facts.offloaded > 0 {
        loses.push(ClearRemark::OffloadedToInactive { tenants: facts.offloaded as u64 }.into());
    }
    if facts.some_tenants || method == Method::Delete {
        return loses;
    }
    loses.extend(remarks_of(&fit.applied));
    if !trained(&standing.schema).is_empty() {
        loses.push(ClearRemark::TrainingToGo.into());
    }
    if !facts.read_only.is_empty() {
        loses.push(ClearRemark::ShardsToOpen { shards: facts.read_only.clone() }.into());
    }
    loses
}
