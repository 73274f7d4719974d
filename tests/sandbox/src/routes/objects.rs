//! Single objects.

use super::batch::{check_shape, is_format_uuid, level};
use super::list::include;
use crate::auth::{Domain, allow};
use crate::call::{Call, Reply, either};
use crate::cluster::Cluster;
use crate::fold;
use crate::json::{Json, parse};
use crate::objects::{Item, Wish, prepare, put, reach, refuse_dates};
use crate::print;
use crate::state::{Core, State, now};
use crate::store::{Entry, parse_id};

fn id(call: &Call) -> Result<u128, Reply> {
    let text = call.param("id");
    let wrong = || Reply::coded(422, 601, &format!("id in path must be of type uuid: \"{text}\""));
    if is_format_uuid(text) { parse_id(text).ok_or_else(wrong) } else { Err(wrong()) }
}

fn find(state: &State, call: &Call, id: u128) -> Result<(String, Entry), Reply> {
    let Some(collection) = state.collection(call.param("class")) else { return Err(Reply::empty(404)) };
    let space = collection.space(call.tenant()).map_err(|why| Reply::error(422, &why))?;
    let shard = &space.shards[state.cluster.shard_of(&collection.name, id, space.shards.len())];
    if let Some(node) = state.cluster.lost(shard) {
        let why = Cluster::shard_error(node, &shard.name, &collection.name);
        let index = collection.name.to_lowercase();
        let why = format!("repo: object by id: search index {index}: get remote object: shard={}: {why}", shard.name);
        return Err(Reply::error(500, &why));
    }
    let entry = space.store.get(id).ok_or_else(|| Reply::empty(404))?;
    Ok((collection.name.clone(), entry))
}

pub(super) fn one(core: &Core, call: &Call) -> Reply {
    either(try_one(core, call))
}

fn try_one(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let id = id(call)?;
    let vectors = include(call)?;
    allow(call, "read_data", Domain::Data(call.param("class")))?;
    super::tenants::activate_for_reading(core, call.param("class"), call.tenant());
    let state = core.read();
    let (class, entry) = find(&state, call, id)?;
    if vectors && state.unprintable.contains(&(class.clone(), id)) {
        return Ok(Reply::empty(200));
    }
    let mut out = Vec::new();
    entry.print(&mut out, &class, id, call.tenant(), vectors);
    Ok(Reply::printed(200, out))
}

pub(super) fn exists(core: &Core, call: &Call) -> Reply {
    let found = id(call).and_then(|id| find(&core.read(), call, id));
    either(found.map(|_| Reply::empty(204)))
}

fn wish(call: &Call) -> Result<Wish, Reply> {
    Ok(Wish { asked: call.arrival.asked, level: level(call)?, several: false })
}

pub(super) fn create(core: &Core, call: &Call) -> Reply {
    either(try_create(core, call))
}

fn try_create(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let raw = call.json("body", &fold::OBJECT)?;
    check_shape(core, &raw, "Object.")?;
    if let Some(id) = raw.text("id").filter(|id| !is_format_uuid(id)) {
        return Err(Reply::coded(422, 601, &format!("id in body must be of type uuid: \"{id}\"")));
    }
    let mut item = Item::read(&raw);
    allow(call, "create_data", Domain::Data(&item.class))?;
    let mut state = core.write();
    if item.class.is_empty() {
        return Err(Reply::error(422, "invalid object: the given class is empty"));
    }
    if state.has(&item.class, item.tenant.as_deref(), item.id) {
        return Err(Reply::error(422, &format!("id '{}' already exists", item.id_text)));
    }
    store(core, &mut state, &mut item, wish(call)?, now())
}

/// Checks and stores an object; replies with it.
fn store(core: &Core, state: &mut State, item: &mut Item, wish: Wish, created: i64) -> Result<Reply, Reply> {
    let time = now();
    if let Err(why) = prepare(core, state, item) {
        return Err(if why.starts_with("Validate vector index") {
            Reply::error(500, &format!("{}store object in LSM store: {why}", put_prefix(state, item)))
        } else {
            Reply::error(422, &format!("invalid object: {why}"))
        });
    }
    let stored = item.stored(created, time);
    refuse_dates(state, item, wish)
        .and_then(|()| put(core, state, item, stored, wish))
        .map_err(|why| Reply::error(500, &format!("{}{why}", put_prefix(state, item))))?;
    Ok(Reply::json(200, &item.echo(created, time)))
}

fn put_prefix(state: &State, item: &Item) -> String {
    let space = state.collections.get(&item.class).and_then(|c| c.space(item.tenant.as_deref()).ok());
    let shard = space.and_then(|s| s.shards.get(state.cluster.shard_of(&item.class, item.id, s.shards.len())));
    let shard = shard.map_or("", |s| s.name.as_str());
    format!("put object: import into index {}: put local object: shard=\"{shard}\": ", item.class.to_lowercase())
}

pub(super) fn replace(core: &Core, call: &Call) -> Reply {
    either(try_replace(core, call))
}

fn try_replace(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let id = id(call)?;
    let raw = call.json("body", &fold::OBJECT)?;
    check_shape(core, &raw, "Object.")?;
    allow(call, "update_data", Domain::Data(call.param("class")))?;
    if raw.text("id").and_then(parse_id) != Some(id) {
        return Err(Reply::error(422, "invalid update: field 'id' is immutable"));
    }
    let mut item = Item::read(&raw);
    call.param("class").clone_into(&mut item.class);
    let mut state = core.write();
    let there = state.collection(&item.class).and_then(|c| c.space(item.tenant.as_deref()).ok()?.store.get(id));
    match there {
        Some(there) => store(core, &mut state, &mut item, wish(call)?, there.created()),
        None if core.ours.put_missing_is_404() => Err(Reply::empty(404)),
        None => Err(Reply::error(500, &format!("no object with id '{}'", item.id_text))),
    }
}

pub(super) fn merge(core: &Core, call: &Call) -> Reply {
    either(try_merge(core, call))
}

fn try_merge(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let id = id(call)?;
    let raw = call.json("body", &fold::OBJECT)?;
    check_shape(core, &raw, "Object.")?;
    allow(call, "update_data", Domain::Data(call.param("class")))?;
    let mut state = core.write();
    let mut item = Item::read(&raw);
    (item.class, item.id) = (call.param("class").to_owned(), id);
    let there = state.collection(&item.class).and_then(|c| c.space(item.tenant.as_deref()).ok()?.store.get(id));
    let Some(there) = there else { return Err(Reply::empty(404)) };
    prepare(core, &mut state, &mut item)
        .map_err(|why| Reply::error(422, &format!("msg:bad request code:400 err:{why}")))?;
    let mut stored = there.stored();
    let mut merged = parse(stored.properties.as_bytes()).unwrap_or(Json::Null);
    for (name, value) in item.properties.as_object().unwrap_or(&[]) {
        match (merged.get_mut(name), value) {
            (Some(Json::Array(there)), Json::Array(new)) if new.iter().any(|r| r.get("beacon").is_some()) => {
                there.extend(new.iter().cloned());
            }
            _ => merged.set(name, value.clone()),
        }
    }
    print::sort(&mut merged);
    let new = item.stored(stored.created, now());
    stored.properties = print::text(&merged);
    stored.updated = new.updated;
    stored.vector = new.vector.or(stored.vector);
    stored.vectors = new.vectors.or(stored.vectors);
    put(core, &mut state, &item, stored, wish(call)?)
        .map_err(|why| Reply::error(500, &format!("repo: {}{why}", put_prefix(&state, &item))))?;
    Ok(Reply::empty(204))
}

pub(super) fn remove(core: &Core, call: &Call) -> Reply {
    either(try_remove(core, call))
}

fn try_remove(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let id = id(call)?;
    let class = call.param("class");
    allow(call, "delete_data", Domain::Data(class))?;
    let mut state = core.write();
    let Some(collection) = state.collection(class) else {
        let why = format!("could not delete object from vector repo: delete from non-existing index for {class}");
        return Err(Reply::error(500, &why));
    };
    collection.space(call.tenant()).map_err(|why| Reply::error(422, &why))?;
    let index = collection.name.to_lowercase();
    let reached = reach(core, &state.cluster, collection, call.tenant(), id, wish(call)?).map_err(|why| {
        Reply::error(
            500,
            &format!("could not delete object from vector repo: delete object: delete from index {index}: {why}"),
        )
    })?;
    if let Some(Ok(space)) = state.collection_mut(class).map(|c| c.space_mut(call.tenant()))
        && !reached.lies
    {
        space.store.remove(id);
    }
    Ok(Reply::empty(204))
}
