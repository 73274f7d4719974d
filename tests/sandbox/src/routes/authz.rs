//! Roles and the caller's own name (`weaviate-rest.md` section 11).

use crate::auth::{Domain, Role, allow};
use crate::call::{Call, Reply, either};
use crate::json::{Json, object};
use crate::state::Core;

fn reader() -> Json {
    let data = object! {"collection": "Sec", "object": "*", "tenant": "*"};
    object! {
        "name": "backupReader",
        "permissions": vec![
            object! {"action": "read_collections", "collections": object! {"collection": "Sec"}},
            object! {"action": "read_data", "data": data},
        ]
    }
}

/// The roles there are: those every server has, one for the tests of keys, and those that were made.
fn all(core: &Core) -> Vec<Json> {
    let builtin =
        ["admin", "root", "viewer"].map(|name| object! {"name": name, "permissions": Json::Array(Vec::new())});
    builtin.into_iter().chain([reader()]).chain(core.read().roles.iter().cloned()).collect()
}

/// Makes a role: 201, or 409 if there is one of its name.
pub(super) fn create(core: &Core, call: &Call) -> Reply {
    either(try_create(core, call))
}

fn try_create(core: &Core, call: &Call) -> Result<Reply, Reply> {
    allow(call, "create_roles", Domain::Roles)?;
    let given = call.json("body")?;
    let name = given.text("name").unwrap_or("").to_owned();
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
    match allow(call, "read_roles", Domain::Roles) {
        Ok(()) => Reply::json(200, &Json::Array(all(core))),
        Err(refused) => refused,
    }
}

pub(super) fn role(core: &Core, call: &Call) -> Reply {
    if let Err(refused) = allow(call, "read_roles", Domain::Roles) {
        return refused;
    }
    let found = all(core).into_iter().find(|r| r.text("name") == Some(call.param("name")));
    found.filter(|_| !core.settings.keys.is_empty()).map_or_else(|| Reply::empty(404), |role| Reply::json(200, &role))
}

pub(super) fn own_info(_: &Core, call: &Call) -> Reply {
    if call.user.anonymous {
        return Reply::empty(401);
    }
    let roles = match call.user.role {
        Role::Root => Json::Array(vec![object! {"name": "root"}]),
        Role::Viewer => Json::Array(vec![object! {"name": "viewer"}]),
        Role::Without(lacking) => Json::Array(vec![most(lacking)]),
        Role::Sees(tenant) => {
            let tenants = object! {"collection": "*", "tenant": tenant};
            let sees = object! {"action": "read_tenants", "tenants": tenants};
            Json::Array(vec![most("read_tenants"), object! {"name": "sees", "permissions": vec![sees]}])
        }
        Role::None => Json::Null,
    };
    Reply::json(200, &object! {"groups": Json::Null, "roles": roles, "username": &call.user.name})
}

/// A role that allows everything about collections but one action.
fn most(lacking: &str) -> Json {
    let mut permissions = Vec::new();
    for domain in ["collections", "data", "tenants"] {
        for verb in ["create", "read", "update", "delete"] {
            let action = format!("{verb}_{domain}");
            if action != lacking {
                permissions.push(Json::Object(vec![
                    ("action".to_owned(), Json::from(action.as_str())),
                    (domain.to_owned(), object! {"collection": "*", "object": "*", "tenant": "*"}),
                ]));
            }
        }
    }
    object! {"name": "most", "permissions": Json::Array(permissions)}
}
