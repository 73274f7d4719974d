//! Roles and the caller's own name (`weaviate-rest.md` section 11).

use crate::auth::{Domain, Role, allow};
use crate::call::{Call, Reply};
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

fn all() -> Vec<Json> {
    let builtin =
        ["admin", "root", "viewer"].map(|name| object! {"name": name, "permissions": Json::Array(Vec::new())});
    builtin.into_iter().chain([reader()]).collect()
}

pub(super) fn roles(core: &Core, call: &Call) -> Reply {
    if core.settings.keys.is_empty() && core.ours.roles_panic() {
        return Reply::empty(200);
    }
    if core.settings.keys.is_empty() {
        return Reply::json(200, &Json::Array(Vec::new()));
    }
    match allow(call, "read_roles", Domain::Roles) {
        Ok(()) => Reply::json(200, &Json::Array(all())),
        Err(refused) => refused,
    }
}

pub(super) fn role(core: &Core, call: &Call) -> Reply {
    if let Err(refused) = allow(call, "read_roles", Domain::Roles) {
        return refused;
    }
    let found = all().into_iter().find(|r| r.text("name") == Some(call.param("name")));
    found.filter(|_| !core.settings.keys.is_empty()).map_or_else(|| Reply::empty(404), |role| Reply::json(200, &role))
}

pub(super) fn own_info(_: &Core, call: &Call) -> Reply {
    if call.user.anonymous {
        return Reply::empty(401);
    }
    let roles = match call.user.role {
        Role::Root => Json::Array(vec![object! {"name": "root"}]),
        Role::Viewer => Json::Array(vec![object! {"name": "viewer"}]),
        Role::None => Json::Null,
    };
    Reply::json(200, &object! {"groups": Json::Null, "roles": roles, "username": &call.user.name})
}
