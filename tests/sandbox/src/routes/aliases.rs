//! `/v1/aliases`.

use crate::auth::{Domain, allow};
use crate::behaviour::Release;
use crate::call::{Call, Reply, either};
use crate::fold;
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
    let Some(class) = state.aliases.get(&alias) else { return Reply::empty(404) };
    // So whoever may not read it learns all the same that it is there.
    match allow(call, "read_aliases", Domain::Aliases(class, &alias)) {
        Ok(()) => Reply::json(200, &shown(&alias, class)),
        Err(refused) => refused,
    }
}

pub(super) fn create(core: &Core, call: &Call) -> Reply {
    either(try_create(core, call))
}

fn try_create(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("body", &fold::ALIAS)?;
    let (alias, class) =
        (upper_first(given.text("alias").unwrap_or("")), upper_first(given.text("class").unwrap_or("")));
    allow(call, "create_aliases", Domain::Aliases(&class, &alias))?;
    let mut state = core.write();
    if !state.cluster.has_majority() {
        return Err(Reply::error(500, &state.cluster.no_leader()));
    }
    let newer = core.ours.release >= Release::V1_39;
    if !state.collections.contains_key(&class) {
        let text = format!("validation: target class \"{class}\" does not exist");
        return Err(Reply::error(422, if newer { &text } else { "class does not exist: bad request" }));
    }
    // Another alias takes the name in any spelling, a class only in its own.
    if state.aliases.keys().any(|there| there.eq_ignore_ascii_case(&alias)) {
        let before = if newer { "validation: " } else { "" };
        let text = format!("{before}updating schema: TYPE_CREATE_ALIAS: create alias: {alias}, alias already exists");
        return Err(Reply::error(422, &text));
    }
    if state.collections.contains_key(&alias) {
        let text = format!("updating schema: TYPE_CREATE_ALIAS: create alias: class {alias} already exists");
        return Err(Reply::error(if newer { 500 } else { 422 }, &text));
    }
    state.aliases.insert(alias.clone(), class.clone());
    Ok(Reply::json(200, &shown(&alias, &class)))
}

pub(super) fn update(core: &Core, call: &Call) -> Reply {
    either(try_update(core, call))
}

fn try_update(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("body", &fold::ALIAS)?;
    let alias = upper_first(call.param("alias"));
    let class = upper_first(given.text("class").unwrap_or(""));
    allow(call, "update_aliases", Domain::Aliases(&class, &alias))?;
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
    if let Err(refused) = allow(call, "delete_aliases", Domain::Aliases("*", &alias)) {
        return refused;
    }
    let there = core.write().aliases.remove(&alias).is_some();
    Reply::empty(if there { 204 } else { 404 })
}
