//! `/v1/schema`: classes listed, created, changed and dropped.

use crate::auth::{Domain, allow, refusal};
use crate::behaviour::Release;
use crate::call::{Call, Reply, either};
use crate::faults::{Change, apply_to};
use crate::fold;
use crate::json::{Json, object, parse};
use crate::schema;
use crate::state::{Core, upper_first};

pub(super) fn list(core: &Core, call: &Call) -> Reply {
    let state = core.read();
    if !state.cluster.has_majority() {
        let why = format!("could not read schema with strong consistency: {}", state.cluster.no_leader());
        return Reply::error(500, &why);
    }
    let seen = state.collections.values().filter(|c| call.user.is_shown(&c.name));
    Reply::json(200, &object! {"classes": seen.map(|c| c.document.clone()).collect::<Vec<_>>()})
}

pub(super) fn one(core: &Core, call: &Call) -> Reply {
    let class = call.param("class");
    if let Err(refused) = allow(call, "read_collections", Domain::Collections(class)) {
        return refused;
    }
    let state = core.read();
    if !state.cluster.has_majority() {
        return Reply::error(500, &format!("failed to execute query: {}", state.cluster.no_leader()));
    }
    if !core.ours.schema_is_case_tolerant() && !state.collections.contains_key(class) {
        return Reply::empty(404);
    }
    state.collection(class).map_or_else(|| Reply::empty(404), |c| Reply::json(200, &c.document))
}

pub(super) fn create(core: &Core, call: &Call) -> Reply {
    either(try_create(core, call))
}

fn try_create(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("objectClass", &fold::CLASS)?;
    allow(call, "create_collections", Domain::Collections(&upper_first(given.text("class").unwrap_or(""))))?;
    check_strategy(core, &given)?;
    targets_are_readable(call, &given)?;
    stands_against(core, &given)?;
    match schema::create(core, &mut core.write(), &given) {
        Ok(document) => Ok(Reply::json(200, &document)),
        Err(why) if why.is_empty() => Err(Reply::empty(200)),
        Err(why) => Err(Reply::schema_error(core.ours, 422, &why)),
    }
}

/// Whoever may not read a collection may not have properties refer to it.
fn targets_are_readable(call: &Call, given: &Json) -> Result<(), Reply> {
    for property in given.get("properties").and_then(Json::as_array).unwrap_or_default() {
        for target in property.get("dataType").and_then(Json::as_array).unwrap_or_default() {
            let Some(target) = target.as_text().filter(|target| target.starts_with(char::is_uppercase)) else {
                continue;
            };
            if let Some(text) = refusal(call, "read_collections", Domain::Collections(target)) {
                let name = property.text("name").unwrap_or("");
                return Err(Reply::error(403, &format!("property '{name}': invalid dataType: [{target}]: {text}")));
            }
        }
    }
    Ok(())
}

/// What the operator's settings refuse: what they forbid, and then a collection too many.
fn stands_against(core: &Core, given: &Json) -> Result<(), Reply> {
    let state = core.read();
    match state.operator.stand_against(given) {
        Some(Ok(why)) => return Err(Reply::schema_error(core.ours, 422, &why)),
        Some(Err(coded)) => return Err(Reply::json(coded.status, &coded.body)),
        None => {}
    }
    let most = state.operator.most_collections.filter(|most| state.collections.len() >= *most);
    most.map_or(Ok(()), |most| {
        let coded = crate::operator::limit("collections", most);
        Err(Reply::json(coded.status, &coded.body))
    })
}

/// The framework refuses words it does not know before the server sees them.
fn check_strategy(core: &Core, given: &Json) -> Result<(), Reply> {
    let known: &[&str] = if core.ours.time_based_resolution() {
        &["NoAutomatedResolution", "DeleteOnConflict", "TimeBasedResolution"]
    } else {
        &["NoAutomatedResolution", "DeleteOnConflict"]
    };
    let strategy = given.at(&["replicationConfig", "deletionStrategy"]).and_then(Json::as_text);
    if strategy.is_none_or(|s| known.contains(&s)) {
        return Ok(());
    }
    let text = format!("replicationConfig.deletionStrategy in body should be one of [{}]", known.join(" "));
    Err(Reply::coded(422, 606, &text))
}

pub(super) fn update(core: &Core, call: &Call) -> Reply {
    either(try_update(core, call))
}

fn try_update(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("objectClass", &fold::CLASS)?;
    let class = call.param("class");
    allow(call, "update_collections", Domain::Collections(class))?;
    check_strategy(core, &given)?;
    match schema::update(core, &mut core.write(), class, &given) {
        Ok(Some(document)) => Ok(Reply::json(200, &document)),
        Ok(None) => Err(Reply::empty(404)),
        Err(why) => Err(Reply::schema_error(core.ours, 422, &why)),
    }
}

pub(super) fn remove(core: &Core, call: &Call) -> Reply {
    let class = call.param("class");
    if let Err(refused) = allow(call, "delete_collections", Domain::Collections(class)) {
        return refused;
    }
    let mut state = core.write();
    if !state.cluster.has_majority() {
        return Reply::error(400, &state.cluster.no_leader());
    }
    if let Err(refused) = state.limits.dropping(class) {
        return refused;
    }
    // An alias is not followed, and whatever is not there is dropped with 200 too.
    let name = upper_first(class);
    state.collections.remove(&name);
    state.kept.retain(|(class, _), _| *class != name);
    let (revived, once) = state.revived.get(&name).cloned().unwrap_or_default();
    if once {
        state.revived.remove(&name);
    }
    if let Some(document) = state.replaced.remove(&name)
        && let Ok(document) = parse(document.as_bytes())
    {
        let _ = schema::create(core, &mut state, &document);
    }
    // Their request comes before any that is sent now.
    for object in revived {
        apply_to(core, &mut state, &Change::Write(object));
    }
    Reply::empty(200)
}

pub(super) fn add_property(core: &Core, call: &Call) -> Reply {
    either(try_add_property(core, call))
}

fn try_add_property(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("body", &fold::PROPERTY)?;
    let class = call.param("class");
    allow(call, "update_collections", Domain::Collections(class))?;
    let mut state = core.write();
    if !state.cluster.has_majority() {
        let why = state.cluster.no_leader();
        return Err(Reply::schema_error(core.ours, 422, &why));
    }
    if core.ours.release == Release::V1_24 && !state.collections.contains_key(class) {
        return Err(Reply::error(422, "class not found"));
    }
    match schema::add_property(core.ours, &mut state, class, &given) {
        Ok(property) => Ok(Reply::json(200, &property)),
        Err(why) => Err(Reply::schema_error(core.ours, 422, &why)),
    }
}
