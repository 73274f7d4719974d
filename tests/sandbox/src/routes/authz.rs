//! Roles and the caller's own name (`weaviate-rest.md` section 11).

use crate::auth::{Domain, Role, refusal};
use crate::call::{Call, Reply, either};
use crate::fold;
use crate::json::{Json, object};
use crate::state::Core;

/// The roles there are: those every server has, and those that were made.
fn all(core: &Core) -> Vec<Json> {
    let builtin =
        ["admin", "root", "viewer"].map(|name| object! {"name": name, "permissions": Json::Array(Vec::new())});
    builtin.into_iter().chain(core.read().roles.iter().cloned()).collect()
}

/// The sentence before every refusal that is about roles.
fn allow_role(call: &Call, action: &str, role: &str) -> Result<(), Reply> {
    let text = refusal(call, action, Domain::Roles(role));
    text.map_or(Ok(()), |text| {
        let before = "can only create roles with less or equal permissions as the current user";
        Err(Reply::error(403, &format!("{before}: {text}")))
    })
}

/// Makes a role: 201, or 409 if there is one of its name. With authentication off it is 200 without a body, as
/// the handler panics.
pub(super) fn create(core: &Core, call: &Call) -> Reply {
    either(try_create(core, call))
}

fn try_create(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("body", &fold::ROLE)?;
    let name = given.text("name").unwrap_or("").to_owned();
    if core.settings.keys.is_empty() {
        return Ok(Reply::empty(200));
    }
    allow_role(call, "create_roles", &name)?;
    if all(core).iter().any(|role| role.text("name") == Some(name.as_str())) {
        return Err(Reply::error(409, &format!("role with name {name} already exists")));
    }
    core.write().roles.push(given);
    Ok(Reply::empty(201))
}

pub(super) fn roles(core: &Core, call: &Call) -> Reply {
    if core.settings.keys.is_empty() && core.ours.roles_panic() {
        return Reply::empty(200);
    }
    if core.settings.keys.is_empty() {
        return Reply::json(200, &Json::Array(Vec::new()));
    }
    // What may not be read is left out without a word.
    let shown = if call.user.may("read_roles") { all(core) } else { Vec::new() };
    Reply::json(200, &Json::Array(shown))
}

pub(super) fn role(core: &Core, call: &Call) -> Reply {
    // Whether it is there or not.
    if let Err(refused) = allow_role(call, "read_roles", call.param("name")) {
        return refused;
    }
    let found = all(core).into_iter().find(|r| r.text("name") == Some(call.param("name")));
    found.filter(|_| !core.settings.keys.is_empty()).map_or_else(|| Reply::empty(404), |role| Reply::json(200, &role))
}

pub(super) fn own_info(_: &Core, call: &Call) -> Reply {
    if call.user.anonymous {
        return Reply::empty(401);
    }
    let role = |name: &str| object! {"name": name, "permissions": call.user.role.permissions()};
    let roles = match call.user.role {
        Role::Root => Json::Array(vec![role("root")]),
        Role::Viewer => Json::Array(vec![role("viewer")]),
        Role::Only(_) | Role::Without(_) | Role::Sees(_) | Role::Named(_) | Role::Exactly(_) | Role::Shown(_) => {
            Json::Array(vec![role("some")])
        }
        Role::None => Json::Null,
    };
    Reply::json(200, &object! {"groups": Json::Null, "roles": roles, "username": &call.user.name})
}
