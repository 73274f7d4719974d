//! Roles and the caller's own name.

use crate::auth::{Domain, Role, refusal};
use crate::behaviour::Release;
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

/// Actions of permissions, each since a version, in the order in which the server names them.
const ACTIONS: [(Release, &[&str]); 6] = [
    (
        Release::V1_28,
        &[
            "manage_backups",
            "read_cluster",
            "create_data",
            "read_data",
            "update_data",
            "delete_data",
            "read_nodes",
            "create_roles",
            "read_roles",
            "update_roles",
            "delete_roles",
            "create_collections",
            "read_collections",
            "update_collections",
            "delete_collections",
            "assign_and_revoke_users",
        ],
    ),
    (Release::V1_32, &["create_users"]),
    (Release::V1_28, &["read_users"]),
    (Release::V1_32, &["update_users", "delete_users"]),
    (Release::V1_28, &["create_tenants", "read_tenants", "update_tenants", "delete_tenants"]),
    (
        Release::V1_32,
        &[
            "create_replicate",
            "read_replicate",
            "update_replicate",
            "delete_replicate",
            "create_aliases",
            "read_aliases",
            "update_aliases",
            "delete_aliases",
            "assign_and_revoke_groups",
            "read_groups",
        ],
    ),
];
/// Those that are newer.
const NEWER_ACTIONS: [&str; 4] = ["create_mcp", "read_mcp", "update_mcp", "manage_namespaces"];

/// Refuses an action that the version does not know, before anything else is looked at.
fn known(core: &Core, place: &str, action: &str) -> Result<(), Reply> {
    let release = core.ours.release;
    let older = ACTIONS.iter().filter(|(since, _)| release >= *since).flat_map(|(_, actions)| actions.iter());
    let newer = NEWER_ACTIONS.iter().filter(|_| release >= Release::V1_39);
    let all: Vec<&str> = older.chain(newer).copied().collect();
    if all.contains(&action) {
        return Ok(());
    }
    Err(Reply::coded(422, 606, &format!("{place} in body should be one of [{}]", all.join(" "))))
}

/// Whether a role has a permission; only what comes before that question is played.
pub(super) fn has_permission(core: &Core, call: &Call) -> Reply {
    let try_has = || {
        let given = call.json("body", &fold::PERMISSION)?;
        known(core, "action", given.text("action").unwrap_or(""))?;
        allow_role(call, "read_roles", call.param("name"))?;
        Ok(Reply::json(200, &Json::from(false)))
    };
    either(try_has())
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
    let permissions = given.get("permissions").and_then(Json::as_array).unwrap_or_default();
    for (at, permission) in permissions.iter().enumerate() {
        known(core, &format!("permissions.{at}.action"), permission.text("action").unwrap_or(""))?;
    }
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
        Role::Only(_)
        | Role::Without(_)
        | Role::Sees(_)
        | Role::DataOf(..)
        | Role::Named(_)
        | Role::Exactly(_)
        | Role::Shown(_) => Json::Array(vec![role("some")]),
        Role::None => Json::Null,
    };
    Reply::json(200, &object! {"groups": Json::Null, "roles": roles, "username": &call.user.name})
}
