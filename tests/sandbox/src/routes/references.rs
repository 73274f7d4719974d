//! References: appended in batches, replaced one property at a time (`weaviate-rest.md` section 6.3).

use super::batch::result;
use crate::auth::{Domain, allow};
use crate::call::{Call, Reply, either};
use crate::json::{Json, object, parse};
use crate::objects::find_target;
use crate::print;
use crate::schema::find_property;
use crate::state::{Core, State, now};
use crate::store::{dashed, parse_id};
use crate::values::{Place, normalise, reference, split_beacon};

pub(super) fn append(core: &Core, call: &Call) -> Reply {
    either(try_append(core, call))
}

fn try_append(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let body = call.json("body")?;
    let items = body.as_array().unwrap_or(&[]);
    if items.is_empty() {
        let why = "invalid params: length cannot be 0, need at least one reference for batching";
        return Err(Reply::error(422, why));
    }
    for (item, name) in items.iter().flat_map(|i| [(i, "from"), (i, "to")]) {
        let text = item.text(name).unwrap_or("");
        if !text.contains("://") {
            return Err(Reply::coded(422, 601, &format!("{name} in body must be of type uri: \"{text}\"")));
        }
    }
    allow(call, "update_data", Domain::Data("*"))?;
    let mut state = core.write();
    let replies: Vec<Json> = items
        .iter()
        .map(|item| {
            let outcome = append_one(&mut state, item);
            let mut reply = object! {};
            if outcome.is_ok() || core.ours.failed_references_echo() {
                reply.set("from", item.text("from").unwrap_or(""));
                let whole = outcome.as_ref().ok().map(String::as_str);
                reply.set("to", whole.or(item.text("to")).unwrap_or(""));
            }
            reply.set("result", result(outcome.err().as_deref()));
            reply
        })
        .collect();
    Ok(Reply::json(200, &Json::Array(replies)))
}

/// Class, id and property of `weaviate://localhost/Class/id/property`.
fn source(from: &str) -> Option<(&str, u128, &str)> {
    let mut parts = from.strip_prefix("weaviate://localhost/")?.split('/');
    let (class, id, property) = (parts.next()?, parts.next()?, parts.next()?);
    Some((class, parse_id(id)?, property))
}

/// Appends one reference; gives the target's beacon, with its class.
fn append_one(state: &mut State, item: &Json) -> Result<String, String> {
    let (class, id, property) = source(item.text("from").unwrap_or("")).ok_or("invalid source beacon")?;
    let (target, target_id) = split_beacon(item.text("to").unwrap_or("")).ok_or("invalid target beacon")?;
    let Some(collection) = state.collection(class) else {
        return Err(format!("source class \"{class}\" not found in schema"));
    };
    let (class, tenant) = (collection.name.clone(), item.text("tenant").filter(|t| !t.is_empty()));
    let known = find_property(&collection.document, property).cloned();
    let space = collection.space(tenant)?;
    let there = space.store.get(id);
    let missing = || format!("ref batch: object with id {} not found", dashed(id));
    let target = match (target, &known) {
        (Some(target), _) => target.to_owned(),
        (None, Some(known)) => find_target(state, tenant, known, None, target_id).unwrap_or_default(),
        (None, None) => String::new(),
    };
    let mut stored = there.ok_or_else(missing)?.stored();
    let mut properties = parse(stored.properties.as_bytes()).unwrap_or(Json::Null);
    let mut all = properties.get(property).and_then(Json::as_array).unwrap_or(&[]).to_vec();
    if all.is_empty() && properties.get(property).is_some() {
        return Err(format!("ref batch: property '{property}' holds an empty list"));
    }
    all.push(reference(&target, target_id));
    properties.set(property, all);
    print::sort(&mut properties);
    stored.properties = print::text(&properties);
    stored.updated = now();
    if let Some(Ok(space)) = state.collection_mut(&class).map(|c| c.space_mut(tenant)) {
        // Trap 7: an unknown property is reported, and the beacon is stored on the object anyway.
        space.store.put(id, stored);
    }
    if known.is_none() {
        return Err(format!("ref batch: property '{property}' not found in schema"));
    }
    Ok(format!("weaviate://localhost/{target}/{}", dashed(target_id)))
}

pub(super) fn replace(core: &Core, call: &Call) -> Reply {
    either(try_replace(core, call))
}

fn try_replace(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let body = call.json("body")?;
    let (class, name) = (call.param("class"), call.param("property"));
    allow(call, "update_data", Domain::Data(class))?;
    let mut state = core.write();
    let Some(collection) = state.collection(class) else { return Err(Reply::empty(404)) };
    let Some(property) = find_property(&collection.document, name) else {
        return Err(Reply::error(
            422,
            &format!("no such prop with name '{name}' found in class '{class}' in the schema"),
        ));
    };
    let find = |class: Option<&str>, id: u128| find_target(&state, call.tenant(), property, class, id);
    let place = Place { class: &collection.name, name, property, find: &find };
    let list = normalise(&place, &body).map_err(|why| Reply::error(422, &format!("validate: {why}")))?;
    let id = parse_id(call.param("id"));
    let space = collection.space(call.tenant()).map_err(|why| Reply::error(422, &why))?;
    let Some((id, there)) = id.and_then(|id| space.store.get(id).map(|there| (id, there))) else {
        return Err(Reply::empty(404));
    };
    let mut stored = there.stored();
    let mut properties = parse(stored.properties.as_bytes()).unwrap_or(Json::Null);
    properties.set(name, list);
    print::sort(&mut properties);
    stored.properties = print::text(&properties);
    stored.updated = now();
    if let Some(Ok(space)) = state.collection_mut(class).map(|c| c.space_mut(call.tenant())) {
        space.store.put(id, stored);
    }
    Ok(Reply::empty(200))
}
