//! `POST /v1/graphql`: counts.

use crate::auth::{Domain, refusal};
use crate::behaviour::Release;
use crate::call::{Call, Reply, either};
use crate::cluster::{Cluster, Condition, Sieve};
use crate::fold;
use crate::graphql::{Count, Page, read};
use crate::json::{Json, object};
use crate::state::{Collection, Core, State};

pub(super) fn counts(core: &Core, call: &Call) -> Reply {
    either(try_counts(core, call))
}

fn error(message: &str, line: usize, column: usize, path: Json) -> Json {
    let place = object! {"column": column, "line": line};
    object! {"locations": vec![place], "message": message, "path": path}
}

fn try_counts(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let body = call.json("body", &fold::QUERY)?;
    if let Some(text) = refusal(call, "read_collections", Domain::Collections("*")) {
        let why = "due to GraphQL introspection, this role must have the permission to `read_collections` on `*` (all) collections";
        return Err(Reply::error(403, &format!("{why}: {text}")));
    }
    let query = body.text("query").unwrap_or("");
    if let Some(asked) = crate::graphql::read_page(query) {
        return page(core, call, &asked);
    }
    let state = core.read();
    if query.is_empty() {
        return Err(Reply::error(422, "query cannot be empty"));
    }
    if state.collections.is_empty() {
        let why =
            "no graphql provider present, this is most likely because no schema is present. Import a schema first!";
        return Err(Reply::error(422, why));
    }
    let fields = read(query).map_err(|wrong| {
        let error = error(&wrong.message, wrong.line, wrong.column, Json::Null);
        Reply::json(200, &object! {"errors": vec![error]})
    })?;
    let invalid: Vec<Json> = fields.iter().filter_map(|field| check(&state, field)).collect();
    if !invalid.is_empty() {
        return Err(Reply::json(200, &object! {"errors": invalid}));
    }
    let mut errors = Vec::new();
    let mut data = object! {};
    for field in &fields {
        let Some(collection) = state.collection(&field.class) else { continue };
        match count(core, call, &state, collection, field)? {
            Ok(count) => {
                let count = object! {"meta": object! {"count": usize::try_from(count).unwrap_or(0)}};
                data.set(&field.key, vec![count]);
            }
            Err(why) => {
                let path = vec![Json::from("Aggregate"), Json::from(&field.key)];
                errors.push(error(&why, field.line, field.column, path.into()));
                data.set(&field.key, Json::Null);
            }
        }
    }
    crate::print::sort(&mut data);
    let mut reply = object! {"data": object! {"Aggregate": data}};
    if !errors.is_empty() {
        reply.set("errors", errors);
    }
    Ok(Reply::json(200, &reply))
}

/// `Get` of ids and update times with `consistencyLevel:ALL`: the asked node's replica is shown as it was, and repaired.
fn page(core: &Core, call: &Call, asked: &Page) -> Result<Reply, Reply> {
    let mut state = core.write();
    let invalid = |why: &str| Reply::json(200, &object! {"errors": vec![error(why, 1, 6, Json::Null)]});
    let Some(collection) = state.collection(&asked.class).filter(|_| asked.consistency == "ALL") else {
        return Err(invalid(&format!("Cannot query field \"{}\" on type \"GetObjectsObj\".", asked.class)));
    };
    let (name, node) = (collection.name.clone(), call.arrival.asked);
    let field = |why: String| {
        let errors = vec![error(&why, 1, 6, vec![Json::from("Get"), Json::from(&asked.key)].into())];
        let found = Json::Object(vec![(asked.key.clone(), Json::Null)]);
        Reply::json(200, &object! {"data": object! {"Get": found}, "errors": errors})
    };
    let space = collection.space(asked.tenant.as_deref()).map_err(field)?;
    if let Some(why) = state.cluster.read_error(core.ours, &name, &space.shards, collection.tenants.is_some()) {
        return Err(field(why));
    }
    let sieve = state.cluster.sieve(&name, &space.shards, node);
    let after = crate::store::parse_id(&asked.after);
    let shown = space.store.walk(after).filter(|(id, _)| sieve.is_open() || sieve.shows(*id)).take(asked.limit);
    let held = |(id, entry): (u128, crate::store::Entry)| {
        // Up to 1.32 the answer shows what was repaired, from 1.39 on what was there before.
        let older = state.cluster.stale(&name, node, id).filter(|_| core.ours.release >= Release::V1_39);
        (id, older.map_or_else(|| entry.updated(), |older| older.updated))
    };
    let held: Vec<(u128, i64)> = shown.map(held).collect();
    let mut objects = Vec::with_capacity(held.len());
    for (id, updated) in held {
        let agrees = state.cluster.compare(&name, id);
        let additional = object! {
            "id": crate::store::dashed(id), "isConsistent": agrees, "lastUpdateTimeUnix": updated.to_string(),
        };
        objects.push(object! {"_additional": additional});
    }
    let found = Json::Object(vec![(asked.key.clone(), Json::from(objects))]);
    Ok(Reply::json(200, &object! {"data": object! {"Get": found}}))
}

/// What is wrong with a field before anything is counted.
fn check(state: &State, field: &Count) -> Option<Json> {
    let exact = state.collections.contains_key(&field.class) || state.aliases.contains_key(&field.class);
    let Some(collection) = state.collection(&field.class).filter(|_| exact) else {
        let why = format!("Cannot query field \"{}\" on type \"AggregateObjectsObj\".", field.class);
        return Some(error(&why, field.line, field.column, Json::Null));
    };
    if field.tenant.is_some() && collection.tenants.is_none() {
        let why = format!("Unknown argument \"tenant\" on field \"{}\" of type \"AggregateObjectsObj\".", field.class);
        return Some(error(&why, field.argument.0, field.argument.1, Json::Null));
    }
    None
}

/// The count, the server's complaint, or the end of the connection.
fn count(
    core: &Core,
    call: &Call,
    state: &State,
    collection: &Collection,
    field: &Count,
) -> Result<Result<u64, String>, Reply> {
    let space = match collection.space(field.tenant.as_deref()) {
        Ok(space) => space,
        Err(why) => return Ok(Err(why)),
    };
    let cluster = &state.cluster;
    let unnoticed = |c: Condition| matches!(c, Condition::Unreachable);
    let old = !core.ours.omits_lost_shards();
    let hangs = space.shards.iter().any(|s| s.replicas.iter().any(|r| unnoticed(cluster.condition(r.node))));
    if hangs && !old {
        return Err(Reply::dropped());
    }
    if let Some((shard, node)) = space.shards.iter().find_map(|s| cluster.lost(s).map(|node| (s, node))) {
        if old {
            let why = Cluster::shard_error(node, &shard.name, &collection.name);
            return Ok(Err(format!("shard {}: {why}", shard.name)));
        }
        if collection.tenants.is_some() {
            return Ok(Err("no read replica found".to_owned()));
        }
    }
    let sieve = cluster.sieve(&collection.name, &space.shards, call.arrival.asked);
    let asked = |n: usize| cluster.sieve(&collection.name, &space.shards, n);
    if sieve.is_open() && (old || (0..cluster.nodes.len()).all(|n| asked(n).is_open())) {
        return Ok(Ok(space.store.len()));
    }
    let count = |sieve: &Sieve<'_>| {
        let seen = |id: u128| sieve.shows(id) && (old || sieve.reaches(id));
        space.store.walk(None).filter(|(id, _)| seen(*id)).count() as u64
    };
    if old {
        return Ok(Ok(count(&sieve)));
    }
    // New versions ask every replica and give the most frequent number, else the median.
    let up = (0..cluster.nodes.len()).filter(|n| matches!(cluster.condition(*n), Condition::Up));
    let mut counts: Vec<u64> = up.map(|n| count(&asked(n))).collect();
    counts.sort_unstable();
    let times = |n: u64| counts.iter().filter(|c| **c == n).count();
    let most = counts.iter().copied().max_by_key(|n| times(*n)).filter(|n| times(*n) > 1);
    Ok(Ok(most.or(counts.get(counts.len() / 2).copied()).unwrap_or(0)))
}
