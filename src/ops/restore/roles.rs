//! The roles of an archive: made where they are missing, and never changed where they exist.

mod allowed;

use std::collections::BTreeMap;

use serde_json::Value;

pub use allowed::Allowed;

use super::RestoreRefusal;
use super::aliases::{answered, created};
use crate::archive::Archive;
use crate::event::RoleRemark;
use crate::model::Renames;
use crate::ops::{Error, WriteAccess};
use crate::weaviate::{Client, Error as WireError, Listed, Named, Rights};

/// Roles that servers have by themselves, in all versions up to 1.40.
const BUILT_IN: [&str; 4] = ["admin", "root", "viewer", "read-only"];

/// Actions that a server is asked about at most; there are some forty.
const MOST_ACTIONS: usize = 200;

/// The document that holds them.
const ROLES: &str = "roles.json";

/// What is done about one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleStep {
    /// It is made.
    Create,
    /// It is there with the same permissions.
    Same,
    /// It is there with other permissions, and stays as it is.
    Differs,
    /// Whether it is there cannot be known, since the key may not see it: it is made, which changes none that is there.
    Hidden,
}

/// A role of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRole {
    /// Its name.
    pub name: String,
    /// Whether permissions follow collections to their new names.
    pub follows: bool,
    /// What is done.
    pub step: RoleStep,
    /// The permission for it that lacks, if it is known that one does.
    pub lacks: Option<&'static str>,
    /// What is sent.
    document: Value,
}

impl PlannedRole {
    /// What it allows, if it is made.
    #[must_use]
    pub fn allows(&self) -> Vec<Allowed> {
        let makes = matches!(self.step, RoleStep::Create | RoleStep::Hidden);
        if makes { allowed::allowed(&self.document) } else { Vec::new() }
    }

    /// What is done.
    #[must_use]
    pub fn remark(&self) -> RoleRemark {
        let (role, follows, lacks) = (self.name.clone(), self.follows, self.lacks);
        match self.step {
            RoleStep::Create => RoleRemark::RoleToCreate { role, follows, lacks },
            RoleStep::Same => RoleRemark::RoleThere { role },
            RoleStep::Differs => RoleRemark::RoleDiffers { role },
            RoleStep::Hidden => RoleRemark::RoleToCreateUnseen { role, follows, lacks },
        }
    }
}

/// The roles in an archive, but for those that servers have by themselves; `None` if it holds none.
pub(super) fn archived(archive: &Archive) -> Result<Option<Vec<Value>>, crate::archive::Error> {
    let Some(text) = archive.document(ROLES)? else { return Ok(None) };
    let listed: Vec<Value> = serde_json::from_slice(&text).map_err(|error| archive.not_read(ROLES, &error))?;
    let own = |role: &Value| role["name"].as_str().is_some_and(|name| !BUILT_IN.contains(&name));
    Ok(Some(listed.into_iter().filter(own).collect()))
}

/// Looks what is to be done about these roles, and what stands against it: a server without roles, since they were asked
/// for, or one that does not know what they allow. A role that the server does not list is asked for by its name, since a
/// list leaves out what the key may not see.
pub(super) async fn plan(
    client: &Client,
    archived: Vec<Value>,
    rights: Option<&Rights>,
    renames: &Renames,
    server: &str,
) -> Result<(Vec<PlannedRole>, Vec<RestoreRefusal>), Error> {
    if archived.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let there: Vec<Value> = match client.roles().await? {
        Listed::Seen(text) => serde_json::from_slice(&text).unwrap_or_default(),
        Listed::Forbidden => Vec::new(),
        // Where a key has rights, there are roles.
        Listed::Nothing if rights.is_some() => Vec::new(),
        Listed::Nothing => return Ok((Vec::new(), vec![RestoreRefusal::NoRoles { server: server.to_owned() }])),
    };
    let mut planned = Vec::with_capacity(archived.len());
    for mut document in archived {
        let follows = follow(&mut document["permissions"], renames);
        let name = document["name"].as_str().unwrap_or_default().to_owned();
        let known = match there.iter().find(|role| role["name"] == document["name"]) {
            Some(role) => Named::There(role.clone()),
            None => by_name(client, &name).await?,
        };
        let step = match known {
            Named::Missing => RoleStep::Create,
            Named::There(known) if permissions(&known) == permissions(&document) => RoleStep::Same,
            Named::There(_) => RoleStep::Differs,
            Named::Hidden => RoleStep::Hidden,
        };
        let makes = matches!(step, RoleStep::Create | RoleStep::Hidden);
        let may = rights.is_none_or(|rights| rights.have("create_roles"));
        let lacks = (makes && !may).then_some("create_roles");
        planned.push(PlannedRole { name, follows, step, lacks, document });
    }
    let refused = unknown(client, &planned, server).await?;
    Ok((planned, refused))
}

/// Roles to be made with actions that the server does not know: it would refuse them at the very end of the run. Each action
/// is asked about once.
async fn unknown(client: &Client, planned: &[PlannedRole], server: &str) -> Result<Vec<RestoreRefusal>, Error> {
    let mut asked: BTreeMap<String, bool> = BTreeMap::new();
    let mut refused = Vec::new();
    for role in planned {
        let mut actions: Vec<String> = Vec::new();
        for action in role.allows().into_iter().map(|allowed| allowed.action) {
            let is_known = match asked.get(&action) {
                Some(is_known) => *is_known,
                None if asked.len() >= MOST_ACTIONS => true,
                None => client.knows_action(&action).await?,
            };
            asked.insert(action.clone(), is_known);
            if !is_known && !actions.contains(&action) {
                actions.push(action);
            }
        }
        if !actions.is_empty() {
            refused.push(RestoreRefusal::RoleUnknown { role: role.name.clone(), actions, server: server.to_owned() });
        }
    }
    Ok(refused)
}

/// A role as the server has it.
async fn by_name(client: &Client, name: &str) -> Result<Named<Value>, Error> {
    Ok(match client.role(name).await? {
        Named::There(text) => Named::There(serde_json::from_slice(&text).unwrap_or(Value::Null)),
        Named::Missing => Named::Missing,
        Named::Hidden => Named::Hidden,
    })
}

/// Has permissions that name a renamed collection name it as it is called now. Patterns stay as they are.
fn follow(permissions: &mut Value, renames: &Renames) -> bool {
    let mut follows = false;
    for permission in permissions.as_array_mut().into_iter().flatten() {
        for domain in permission.as_object_mut().into_iter().flat_map(|p| p.values_mut()) {
            let Some(collection) = domain.get_mut("collection") else { continue };
            if let Some(new) = collection.as_str().and_then(|name| renames.get(name)) {
                *collection = Value::from(new.as_str());
                follows = true;
            }
        }
    }
    follows
}

/// The permissions in an order of their own: servers list them in any.
fn permissions(role: &Value) -> Vec<String> {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(members.into_iter().collect())
            }
            other => other.clone(),
        }
    }
    let listed = role["permissions"].as_array().into_iter().flatten();
    let mut texts: Vec<String> = listed.map(|permission| sorted(permission).to_string()).collect();
    texts.sort_unstable();
    texts
}

/// The status of a role that is there already.
const CONFLICT: u16 = 409;

/// What is to be known of a role after it was to be made, by what became of the request and by what asking for it gave; and
/// whether it is there as it was, as far as can be seen.
fn outcome(planned: &PlannedRole, sent: Result<(), WireError>, now: Named<Value>) -> (bool, RoleRemark) {
    let role = planned.name.clone();
    let is_there = |error: &WireError| error.status() == Some(CONFLICT);
    match (now, sent) {
        (Named::There(now), sent) if permissions(&now) == permissions(&planned.document) => match sent {
            Err(error) if is_there(&error) => (true, RoleRemark::RoleThere { role }),
            _ => (true, RoleRemark::RoleCreated { role }),
        },
        (Named::Hidden, Ok(())) => (true, RoleRemark::RoleUnseen { role }),
        (Named::Hidden, Err(error)) if is_there(&error) => (false, RoleRemark::RoleStays { role }),
        (Named::Hidden, Err(error)) if !error.is_no() => {
            (false, RoleRemark::RoleUnknown { role, error: error.to_string() })
        }
        (_, Err(error)) => (false, RoleRemark::RoleNotCreated { role, error: error.to_string() }),
        (_, Ok(())) => (false, RoleRemark::RoleOtherwise { role }),
    }
}

/// Makes the roles that are missing and reads them back; what became of each, and whether all that was asked for is there.
pub(super) async fn make(access: WriteAccess<'_>, planned: &[PlannedRole]) -> Result<(Vec<RoleRemark>, bool), Error> {
    let (mut remarks, mut all) = (Vec::new(), true);
    for role in planned {
        access.go_on()?;
        match role.step {
            RoleStep::Same => continue,
            RoleStep::Differs => {
                all = false;
                remarks.push(role.remark());
                continue;
            }
            RoleStep::Create | RoleStep::Hidden => {}
        }
        let ask = async || access.ask(by_name(access.client, &role.name)).await;
        let sent = created(async || access.writer.create_role(&role.document).await, ask).await?;
        let now = answered(ask().await)?;
        let (done, remark) = outcome(role, sent, now.unwrap_or(Named::Missing));
        all &= done;
        remarks.push(remark);
    }
    Ok((remarks, all))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn permissions_follow_a_collection_to_its_new_name_and_patterns_do_not() {
        let mut renames = Renames::default();
        renames.insert("Article".parse().expect("a name"), "New".parse().expect("a name"));
        let mut list = json!([
            {"action": "read_data", "data": {"collection": "Article", "tenant": "*"}},
            {"action": "read_collections", "collections": {"collection": "Art*"}},
            {"action": "read_nodes", "nodes": {"verbosity": "minimal"}},
        ]);
        assert!(follow(&mut list, &renames));
        assert_eq!(list[0]["data"]["collection"], "New");
        assert_eq!(list[1]["collections"]["collection"], "Art*");
        assert!(!follow(&mut json!([{"action": "manage_roles", "roles": {"role": "*"}}]), &renames));
    }

    #[test]
    fn the_order_of_permissions_and_of_their_members_says_nothing() {
        let one = json!({"permissions": [{"action": "a", "data": {"x": 1, "y": 2}}, {"action": "b"}]});
        let two = json!({"permissions": [{"action": "b"}, {"data": {"y": 2, "x": 1}, "action": "a"}]});
        assert_eq!(permissions(&one), permissions(&two));
        assert_ne!(permissions(&one), permissions(&json!({"permissions": [{"action": "b"}]})));
    }
}
