//! `/v1/aliases` (`weaviate-rest.md` section 12).

use crate::auth::{Domain, allow};
use crate::call::{Call, Reply, either};
use crate::json::{Json, object};
use crate::state::{Core, upper_first};

fn shown(alias: &str, class: &str) -> Json {
    object! {"alias": alias, "class": class}
}

pub(super) fn list(core: &Core, call: &Call) -> Reply {
    let class = call.ask("class").filter(|c| !c.is_empty()).map(upper_first);
    let state = core.read();
    let seen =
        state.aliases.iter().filter(|(_, c)| call.user.may("read_aliases") && class.as_ref().is_none_or(|w| w == *c));
    Reply::json(200, &object! {"aliases": seen.map(|(alias, class)| shown(alias, class)).collect::<Vec<_>>()})
}

pub(super) fn one(core: &Core, call: &Call) -> Reply {
    let alias = upper_first(call.param("alias"));
    let state = core.read();
    state.aliases.get(&alias).map_or_else(|| Reply::empty(404), |class| Reply::json(200, &shown(&alias, class)))
}

pub(super) fn create(core: &Core, call: &Call) -> Reply {
    either(try_create(core, call))
}

fn try_create(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("body")?;
    let (alias, class) =
        (upper_first(given.text("alias").unwrap_or("")), upper_first(given.text("class").unwrap_or("")));
    allow(call, "create_aliases", Domain::Collections(&class))?;
    let mut state = core.write();
    if !state.cluster.has_majority() {
        return Err(Reply::error(500, &state.cluster.no_leader()));
    }
    if !state.collections.contains_key(&class) {
        return Err(Reply::error(422, &format!("validation: target class \"{class}\" does not exist")));
    }
    if state.aliases.contains_key(&alias) {
        return Err(Reply::error(422, &format!("create alias: alias {alias} already exists")));
    }
    if state.collections.contains_key(&alias) {
        return Err(Reply::error(422, &format!("create alias: class {alias} already exists")));
    }
    state.aliases.insert(alias.clone(), class.clone());
    Ok(Reply::json(200, &shown(&alias, &class)))
}

pub(super) fn update(core: &Core, call: &Call) -> Reply {
    either(try_update(core, call))
}

fn try_update(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("body")?;
    let alias = upper_first(call.param("alias"));
    let class = upper_first(given.text("class").unwrap_or(""));
    allow(call, "update_aliases", Domain::Collections(&class))?;
    let mut state = core.write();
    if !state.aliases.contains_key(&alias) {
        return Err(Reply::empty(404));
    }
    if !state.collections.contains_key(&class) {
        return Err(Reply::error(422, &format!("validation: target class \"{class}\" does not exist")));
    }
    state.aliases.insert(alias.clone(), class.clone());
    Ok(Reply::json(200, &shown(&alias, &class)))
}

pub(super) fn remove(core: &Core, call: &Call) -> Reply {
    let alias = upper_first(call.param("alias"));
    if let Err(refused) = allow(call, "delete_aliases", Domain::Collections(&alias)) {
        return refused;
    }
    let there = core.write().aliases.remove(&alias).is_some();
    Reply::empty(if there { 204 } else { 404 })
}
