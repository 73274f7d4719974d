//! The plan of a restore: what is in the archive, what the server can hold, what is in the way. Reads every byte that
//! would be sent, and sends reading requests only.

mod carried;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use self::carried::{Looked, asked, carried_on, in_words};
use super::before::{Before, Own};
use super::order::{Turn, Waiting, order};
use super::survey::{Survey, survey};
use super::tenants::{self, Tenants};
use super::{AliasPolicy, Collection, Options, Plan, Planned, PlannedRole, Prepared, Refusal, Server};
use super::{aliases, resume, roles, settings};
use crate::archive::manifest::LimitKind;
use crate::archive::{Archive, Content};
use crate::event::Warning;
use crate::model::{CollectionName, Renames, Schema};
use crate::ops::chosen::{self, Chosen};
use crate::ops::prove::{self, Indexed};
use crate::ops::schema::{self, Fit, clauses, fit};
use crate::ops::{Error, Session, blocking, verify};
use crate::weaviate::{Aliases, Client, Listed, Topology};

/// Looks at archive and server, and says what a restore would do. Sends reading requests only.
pub async fn plan(client: &Client, session: &Session, options: Options) -> Result<Prepared, Error> {
    let archive = prove::open(session, options.archive.clone()).await?;
    let Chosen { collections, renames } = choose(&archive, &options).await?;
    client.ready().await?;
    let meta = client.meta().await?;
    let server = Server { nodes: client.node_count().await?, meta };
    let topology_unchecked = members(client, session, &collections).await?;
    let asked = asked(client, &options, &archive, &collections, &renames);
    let there_now = client.schemas().await?;
    let mut resuming = if options.resume { carried_on(session, &options, &asked, &there_now).await? } else { None };
    let wished = |s: &Schema| settings::apply(&tenants::of_kind(s, &options.tenants), &options.settings);
    let (schemas, changed): (Vec<Schema>, Vec<Vec<String>>) = collections.iter().map(|(_, s)| wished(s)).unzip();
    let mut people = Vec::with_capacity(schemas.len());
    for (at, _) in &collections {
        people.push(tenants::chosen(&archive, *at, &options.tenants).await?);
    }
    let joined = |schema: &Schema| {
        let target = renames.of(&schema.name);
        let may = resume::may_join(resuming.as_ref(), target, &options.tenants);
        there_now.iter().find(|there| may && there.multi_tenant && there.name == *target)
    };
    let joined: Vec<Option<&Schema>> = schemas.iter().map(joined).collect();
    let there = client.aliases().await?;
    let own = |target: &CollectionName| resuming.as_ref().is_some_and(|r| r.began(target));
    let mut refusals = in_the_way(&there, &there_now, &schemas, &joined, &renames, &own);
    for ((schema, joined), tenants) in schemas.iter().zip(&joined).zip(&people) {
        let Some(there) = joined else { continue };
        let differs = verify::lacks(schema, there, &renames);
        let own = resume::joined(resuming.as_ref(), &there.name).unwrap_or_default();
        refusals.extend(tenants::joins(client, schema, there, tenants, differs, own).await?);
    }
    refusals.extend(Box::pin(may_not_wake(client, &archive, &options, &collections, &people, &renames)).await?);
    let live: BTreeSet<CollectionName> = there_now.iter().map(|s| s.name.clone()).collect();
    let (aliases, roles, remarks) =
        beside(client, &there, &archive, &options, &renames, &schemas, &live, &server).await?;
    refusals.extend(aliases.refused);
    let roles = roles.unwrap_or_else(|refused| {
        refusals.push(refused);
        Vec::new()
    });
    let filled = |place: usize| archive.collections()[collections[place].0].content != Content::SchemaOnly;
    let turns = order(&schemas, &|name| live.contains(name), &filled, &renames).unwrap_or_else(|more| {
        refusals.extend(more);
        Vec::new()
    });
    let mut fits = Vec::new();
    for (schema, joined) in schemas.iter().zip(&joined) {
        let fit = fit(schema, &renames, &server.target());
        // What exists is not made.
        refusals.extend(fit.refused.iter().filter(|_| joined.is_none()).cloned());
        fits.push(fit);
    }
    if let Some(resuming) = &resuming {
        let looked = Looked { client, session, server: &server, resuming, live: &there_now };
        refusals.extend(looked.all(&turns, &schemas, &fits).await?);
    }
    // What can be known without reading the objects is told at once.
    if !refusals.is_empty() {
        return Err(in_words(session, &options, asked, refusals, schemas.len()).await);
    }

    let mut planned = Vec::new();
    for Turn { at: place, waiting } in turns {
        let (at, _) = collections[place];
        let indexed = prove::index(&archive, at).await?;
        let target = renames.of(&schemas[place].name);
        let own = Own { client, session, target, runs: &indexed.runs, tenants: &people[place], map: &options.tenants };
        let before = own.look(resuming.as_mut()).await?;
        let data = options.data && archive.collections()[at].content != Content::SchemaOnly;
        // Whether a server makes vectors is for the collection to say that the objects go to.
        let asked = joined[place].unwrap_or(&schemas[place]);
        let done = Arc::clone(&before.done);
        let found = if data {
            survey(session, &archive, at, &indexed, asked, &options, done).await?
        } else {
            Survey::default()
        };
        let fit = fits[place].clone().adding_later(added(&waiting));
        let tenants = people[place].clone();
        let mut described = describe(&archive, at, indexed, fit, found, &renames, &options, data, tenants);
        let about = changed[place].iter().cloned().chain(limits_of(&schemas[place]));
        let about: Vec<String> = about.chain(remarks_of(&remarks, &described.planned.target)).collect();
        if joined[place].is_some() {
            described.planned.remarks.insert(0, "its tenants are added to the collection that is there".to_owned());
        }
        described.planned.remarks.extend(about.iter().cloned());
        described.remarks.extend(about);
        let (asked, joins) = (asked.clone(), joined[place].is_some());
        planned.push(Collection { asked, waiting, joins, before, ..described });
    }
    refuse(planned.iter().filter_map(|c| vectoriser(c, &options)).collect(), schemas.len())?;
    let plan = Plan {
        url: client.url().to_owned(),
        server_version: server.meta.version.text.clone(),
        archive: options.archive.clone(),
        collections: planned.iter().map(|c| c.planned.clone()).collect(),
        aliases: aliases.planned,
        roles,
        topology_unchecked,
        carries_on: resuming.as_ref().map(|resuming| resuming.said(&planned)),
        options,
    };
    Ok(Prepared { plan, archive, work: planned, server, started: session.clock.now(), asked, resuming })
}

/// Chooses among the collections of an archive.
async fn choose(archive: &Arc<Archive>, options: &Options) -> Result<Chosen, Error> {
    let (archive, options) = (Arc::clone(archive), options.clone());
    let choose = move || {
        let schemas = archive.collections().iter().map(|entry| archive.schema(entry)).collect::<Result<Vec<_>, _>>()?;
        let Options { selection, name, renames, tenants, .. } = &options;
        chosen::choose(schemas, selection, name.as_ref(), renames)?.of_tenants(&archive, tenants, selection)
    };
    blocking("choose", choose).await
}

/// The properties that are added once all collections exist.
fn added(waiting: &[Waiting]) -> impl Iterator<Item = &str> {
    waiting.iter().filter(|waiting| waiting.added).map(|waiting| waiting.property.as_str())
}

/// What stands beside the collections: aliases, roles, and clauses about collections whose aliases cannot be.
type Beside = (aliases::Found, Result<Vec<PlannedRole>, Refusal>, Vec<(CollectionName, String)>);

#[expect(clippy::too_many_arguments, reason = "one step of `plan`, which holds them all")]
async fn beside(
    client: &Client,
    there: &Listed<Aliases>,
    archive: &Arc<Archive>,
    options: &Options,
    renames: &Renames,
    schemas: &[Schema],
    live: &BTreeSet<CollectionName>,
    server: &Server,
) -> Result<Beside, Error> {
    let (reading, with_roles) = (Arc::clone(archive), options.roles);
    let read = blocking("aliases and roles", move || {
        let roles = if with_roles { roles::archived(&reading)? } else { None };
        Ok::<_, crate::archive::Error>((aliases::archived(&reading)?, roles))
    });
    let (archived, archived_roles) = read.await?;
    let made: Vec<CollectionName> = schemas.iter().map(|schema| renames.of(&schema.name).clone()).collect();
    let (live, version) = (live.iter().cloned().collect::<Vec<_>>(), &server.meta.version.text);
    // Only where something is to be made beside the collections is it worth a question what the key may do.
    let beside = archived_roles.is_some() || (!archived.is_empty() && options.aliases != AliasPolicy::Skip);
    let rights = if beside { client.rights().await.unwrap_or_default() } else { None };
    let rights = rights.as_ref();
    let looking = aliases::Looking {
        client,
        listed: there,
        rights,
        policy: options.aliases,
        renames,
        made: &made,
        live: &live,
        server: version,
    };
    let mut found = looking.plan(archived).await?;
    let mut remarks = std::mem::take(&mut found.remarks);
    remarks.extend(unseen(archive, options, schemas, renames));
    let roles = if let Some(archived) = archived_roles {
        roles::plan(client, archived, rights, renames, version).await?
    } else {
        let nothing = made.first().filter(|_| options.roles);
        remarks.extend(nothing.map(|name| (name.clone(), "the archive holds no roles".to_owned())));
        Ok(Vec::new())
    };
    Ok((found, roles, remarks))
}

/// That the archive need not hold what was kept from the key of the backup, where that is asked for.
fn unseen(
    archive: &Archive,
    options: &Options,
    schemas: &[Schema],
    renames: &Renames,
) -> Vec<(CollectionName, String)> {
    let of = |kind| archive.manifest().limits.iter().filter(move |limit| limit.kind == kind);
    let mut remarks = Vec::new();
    for limit in of(LimitKind::Aliases).filter(|_| options.aliases != AliasPolicy::Skip) {
        let about = |schema: &&Schema| limit.collection.as_ref().is_none_or(|name| *name == schema.name.as_str());
        let text = "aliases may lack: the key of the backup could not see them all".to_owned();
        remarks.extend(schemas.iter().find(about).map(|schema| (renames.of(&schema.name).clone(), text)));
    }
    let roles = of(LimitKind::Roles).next().and(schemas.first()).filter(|_| options.roles);
    let text = "roles may lack: the key of the backup could not see them all".to_owned();
    remarks.extend(roles.map(|schema| (renames.of(&schema.name).clone(), text)));
    remarks
}

fn remarks_of(remarks: &[(CollectionName, String)], target: &CollectionName) -> Vec<String> {
    remarks.iter().filter(|(of, _)| of == target).map(|(_, remark)| remark.clone()).collect()
}

/// What will not be as it was, by the schema alone.
fn limits_of(schema: &Schema) -> Vec<String> {
    let expires = schema::expires(schema);
    let expires = expires.then(|| "objects expire, and their age counts anew from this restore".to_owned());
    let trained = schema::trained(schema);
    let trained =
        (!trained.is_empty()).then(|| format!("compression is trained anew by the server: {}", trained.join(", ")));
    expires.into_iter().chain(trained).collect()
}

fn refuse(refusals: Vec<Refusal>, chosen: usize) -> Result<(), Error> {
    if refusals.is_empty() { Ok(()) } else { Err(Error::CannotRestore { refusals, chosen }) }
}

/// Refuses a server with a node away; says why it cannot be asked, if so.
async fn members(client: &Client, session: &Session, collections: &[(usize, Schema)]) -> Result<Option<String>, Error> {
    match client.members().await {
        Topology::Whole { .. } => Ok(None),
        Topology::Unchecked { reason, .. } => {
            session.events.warn(Warning::TopologyUnchecked { reason: reason.clone() });
            Ok(Some(reason))
        }
        Topology::Broken { reason } => match collections.first() {
            Some((_, schema)) => {
                Err(Error::NotWhole { collection: schema.name.clone(), reason, waited: Duration::ZERO })
            }
            None => Ok(Some(reason)),
        },
    }
}

/// Targets that exist, under any spelling, or that are names of aliases. `own`: whether an earlier run has begun it, which
/// this one carries on; then it may be there.
fn in_the_way(
    aliases: &Listed<Aliases>,
    live: &[Schema],
    schemas: &[Schema],
    joined: &[Option<&Schema>],
    renames: &Renames,
    own: &dyn Fn(&CollectionName) -> bool,
) -> Vec<Refusal> {
    let aliases = if let Listed::Seen(aliases) = aliases { &aliases.pairs[..] } else { &[] };
    let mut refusals = Vec::new();
    for (schema, _) in schemas.iter().zip(joined).filter(|(_, joined)| joined.is_none()) {
        let target = renames.of(&schema.name);
        let same = |name: &str| name.eq_ignore_ascii_case(target.as_str());
        let mine = own(target) && live.iter().any(|s| s.name == *target);
        // An alias may be beside what exists in another spelling: it is in the way of what is to be made.
        if let Some(there) = live.iter().find(|s| same(s.name.as_str()) && !(mine && s.name == *target)) {
            refusals.push(Refusal::Exists { collection: schema.name.clone(), there: there.name.clone() });
        } else if let Some((alias, of)) = aliases.iter().find(|(alias, _)| !mine && same(alias)) {
            // As the server spells it, which may be otherwise.
            let alias = alias.parse().unwrap_or_else(|_| target.clone());
            refusals.push(Refusal::IsAlias { collection: schema.name.clone(), alias, of: of.clone() });
        }
    }
    refusals
}

/// Tenants that sleep and that the key may not wake. Its rights are only asked for where somebody has to be woken.
async fn may_not_wake(
    client: &Client,
    archive: &Archive,
    options: &Options,
    collections: &[(usize, Schema)],
    people: &[Tenants],
    renames: &Renames,
) -> Result<Vec<Refusal>, Error> {
    let filled = |at: usize| options.data && archive.collections()[at].content != Content::SchemaOnly;
    let all = collections.iter().zip(people);
    let asleep: Vec<_> = all.filter(|((at, _), tenants)| filled(*at) && tenants.asleep() > 0).collect();
    let rights = if asleep.is_empty() { None } else { client.rights().await? };
    let Some(rights) = rights else { return Ok(Vec::new()) };
    let refusal =
        |(schema, tenants): (&Schema, &Tenants)| tenants.may_not_wake(&schema.name, renames.of(&schema.name), &rights);
    Ok(asleep.into_iter().filter_map(|((_, schema), tenants)| refusal((schema, tenants))).collect())
}

/// Objects that would be sent to a vectoriser cost money, or fail: only when asked for.
fn vectoriser(collection: &Collection, options: &Options) -> Option<Refusal> {
    let objects = collection.planned.to_vectorise;
    let refused = objects > 0 && !options.revectorize;
    refused.then(|| Refusal::WouldVectorise { collection: collection.planned.archived.clone(), objects })
}

#[expect(clippy::too_many_arguments, reason = "what is known about one collection, gathered once")]
fn describe(
    archive: &Archive,
    at: usize,
    indexed: Indexed,
    fit: Fit,
    found: Survey,
    renames: &Renames,
    options: &Options,
    data: bool,
    tenants: Tenants,
) -> Collection {
    let entry = &archive.collections()[at];
    let schema = &indexed.schema;
    let mut remarks = tenants.remarks(&options.tenants);
    if data && !schema.blob_hashes.is_empty() {
        let names = schema.blob_hashes.join(", ");
        remarks.push(format!("the blobHash values of {names} cannot be written back and are left out"));
    }
    if data && found.refused_integers > 0 && options.clamp_ints {
        remarks.push("integers beyond ±9223372036854774784 become the nearest ones that the server takes".to_owned());
    }
    if data && entry.content == Content::Full && !options.vectors && !entry.vectors.is_empty() {
        let made = found.to_vectorise > 0;
        let what = if made { "vectors are left out, and the server makes new ones" } else { "vectors are left out" };
        remarks.push(what.to_owned());
    }
    if found.to_vectorise > 0 && options.vectors {
        let objects = if found.to_vectorise == 1 { "object gets" } else { "objects get" };
        remarks.push(format!("{} {objects} vectors made by the server", found.to_vectorise));
    }
    if options.data && entry.content == Content::SchemaOnly {
        remarks.push("the archive holds its schema alone".to_owned());
    }
    let planned = Planned {
        archived: schema.name.clone(),
        target: renames.of(&schema.name).clone(),
        content: entry.content,
        objects: if data { tenants.objects } else { 0 },
        bytes: if data { tenants.bytes } else { 0 },
        tenants: (tenants.made.len() as u64, tenants.asleep() as u64),
        remarks: clauses(&fit.applied).into_iter().chain(remarks.clone()).collect(),
        to_vectorise: found.to_vectorise,
        refused_integers: found.refused_integers,
    };
    let (asked, renames, waiting, before) = (schema.clone(), renames.clone(), Vec::new(), Before::default());
    Collection { at, indexed, asked, fit, planned, remarks, renames, waiting, data, tenants, joins: false, before }
}
