//! References: appended in batches, replaced one property at a time.

use super::batch::result;
use crate::auth::{Domain, allow};
use crate::behaviour::{BadBeacon, Release};
use crate::call::{Call, Failing, Reply, either};
use crate::fold;
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
    let body = call.json("body", &fold::REFERENCES)?;
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
    let is_bad = |item: &Json| split_beacon(item.text("to").unwrap_or("")).is_none();
    let bad = core.ours.bad_beacon();
    if bad == BadBeacon::EmptyReply && items.iter().any(is_bad) {
        return Ok(Reply::empty(200));
    }
    let mut state = core.write();
    let replies: Vec<Json> = (1_u64..)
        .zip(items.iter().filter(|item| bad != BadBeacon::LeftOut || !is_bad(item)))
        .map(|(at, item)| {
            let outcome = match planned(call, at, item) {
                Some((text, false)) => Err(text),
                Some((text, true)) => append_one(core, &mut state, item).and(Err(text)),
                None => append_one(core, &mut state, item),
            };
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

/// What a fault makes of an item: its text, and whether the reference is added all the same.
fn planned(call: &Call, at: u64, item: &Json) -> Option<(String, bool)> {
    match call.arrival.failing.as_ref()? {
        Failing::Places(one_in, text) => at.is_multiple_of((*one_in).max(1)).then(|| (text.clone(), false)),
        Failing::Added(one_in, text) => at.is_multiple_of((*one_in).max(1)).then(|| (text.clone(), true)),
        Failing::Ids(one_in, text) => {
            let (_, id, _) = source(item.text("from").unwrap_or(""))?;
            id.is_multiple_of(u128::from(*one_in).max(1)).then(|| (text.clone(), false))
        }
    }
}

/// Class, id and property of `weaviate://localhost/Class/id/property`.
fn source(from: &str) -> Option<(&str, u128, &str)> {
    let mut parts = from.strip_prefix("weaviate://localhost/")?.split('/');
    let (class, id, property) = (parts.next()?, parts.next()?, parts.next()?);
    Some((class, parse_id(id)?, property))
}

/// Appends one reference; gives the target's beacon, with its class.
fn append_one(core: &Core, state: &mut State, item: &Json) -> Result<String, String> {
    let (class, id, property) = source(item.text("from").unwrap_or("")).ok_or("invalid source beacon")?;
    let (target, target_id) = split_beacon(item.text("to").unwrap_or(""))
        .ok_or("invalid cref URI: 2nd path segment must be uuid, but got something else")?;
    let Some(collection) = state.collection(class) else {
        return Err(format!("source class \"{class}\" not found in schema"));
    };
    let (class, tenant) = (collection.name.clone(), item.text("tenant").filter(|t| !t.is_empty()));
    let known = find_property(&collection.document, property).cloned();
    let named = match (target, &known) {
        (Some(target), _) => target.to_owned(),
        (None, Some(known)) => only_type(known).unwrap_or_default().to_owned(),
        (None, None) => String::new(),
    };
    check_tenants(core, state, &class, tenant, id, &named, target_id)?;
    let space = state.collection(&class).ok_or("no class")?.space(tenant)?;
    let missing = || format!("ref batch: object with id {} not found", dashed(id));
    let mut stored = space.store.get(id).ok_or_else(missing)?.stored();
    let mut properties = parse(stored.properties.as_bytes()).unwrap_or(Json::Null);
    let before = properties.get(property).and_then(Json::as_array).map(<[Json]>::to_vec);
    let onto_empty = before.as_ref().is_some_and(Vec::is_empty);
    let mut all = before.unwrap_or_default();
    all.push(reference(&named, target_id));
    properties.set(property, all);
    print::sort(&mut properties);
    stored.properties = print::text(&properties);
    stored.updated = now();
    if let Some(Ok(space)) = state.collection_mut(&class).map(|c| c.space_mut(tenant)) {
        // Trap 7: what comes after this is reported, and the beacon is stored on the object anyway.
        space.store.put(id, stored);
    }
    if known.is_none() {
        return Err(format!("ref batch: property '{property}' not found in schema"));
    }
    if onto_empty {
        return Err(format!("ref batch: prop {property} is present, but not a ref, got: []interface {{}}"));
    }
    Ok(if named.is_empty() {
        format!("weaviate://localhost/{}", dashed(target_id))
    } else {
        format!("weaviate://localhost/{named}/{}", dashed(target_id))
    })
}

/// The only class that a property refers to.
fn only_type(property: &Json) -> Option<&str> {
    match property.get("dataType").and_then(Json::as_array) {
        Some([only]) => only.as_text(),
        _ => None,
    }
}

/// Classes are looked for, and where the source has tenants both objects too. Seen on 1.24, 1.28, 1.32, 1.39 and 1.40.
fn check_tenants(
    core: &Core,
    state: &State,
    class: &str,
    tenant: Option<&str>,
    id: u128,
    target: &str,
    target_id: u128,
) -> Result<(), String> {
    let has_tenants = |class: &str| state.collection(class).is_some_and(|c| c.tenants.is_some());
    if target.is_empty() {
        let what = "multi-target references require the class name in the target beacon url";
        return if has_tenants(class) { Err(what.to_owned()) } else { Ok(()) };
    }
    if state.collection(target).is_none() {
        // Newer servers name the wrong one.
        let named = if core.ours.release == Release::V1_24 { target } else { class };
        return Err(format!("target class \"{named}\" not found in schema"));
    }
    if !has_tenants(class) {
        let what =
            "invalid reference: cannot reference a multi-tenant enabled class from a non multi-tenant enabled class";
        return if has_tenants(target) { Err(what.to_owned()) } else { Ok(()) };
    }
    let there = |what: &str, class: &str, tenant: &str, id: u128| {
        let collection = state.collection(class).ok_or("no class")?;
        let wanted = Some(tenant).filter(|tenant| !tenant.is_empty());
        let space = collection.space(wanted).map_err(|why| {
            let at = if core.ours.release >= Release::V1_39 { "determine shard: " } else { "" };
            format!("{what}: get object {class}/{}: {at}{why}", dashed(id))
        })?;
        let missing = || format!("{what}: object {class}/{} not found for tenant \"{tenant}\"", dashed(id));
        space.store.get(id).map(|_| ()).ok_or_else(missing)
    };
    there("source", class, tenant.unwrap_or(""), id)?;
    there("target", target, tenant.filter(|_| has_tenants(target)).unwrap_or(""), target_id)
}

pub(super) fn replace(core: &Core, call: &Call) -> Reply {
    either(try_replace(core, call))
}

fn try_replace(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let body = call.json("body", &fold::REFERENCES)?;
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
