//! The roles of an archive: made where they are missing, and never changed where they exist.

use serde_json::Value;

use super::Refusal;
use super::aliases::answered;
use crate::archive::Archive;
use crate::model::Renames;
use crate::ops::{Error, Session};
use crate::weaviate::{Client, Writer};

/// Roles that servers have by themselves, in all versions up to 1.40.
const BUILT_IN: [&str; 4] = ["admin", "root", "viewer", "read-only"];

/// What is done about one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleStep {
    /// It is made.
    Create,
    /// It is there with the same permissions.
    Same,
    /// It is there with other permissions, and stays as it is.
    Differs,
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
    /// What is sent.
    document: Value,
}

impl PlannedRole {
    /// What is done, as a clause.
    #[must_use]
    pub fn clause(&self) -> String {
        let names = if self.follows { ", for the collections under their new names" } else { "" };
        match self.step {
            RoleStep::Create => format!("the role {} is made{names}", self.name),
            RoleStep::Same => format!("the role {} is there already", self.name),
            RoleStep::Differs => format!("the role {} is there with other permissions and stays as it is", self.name),
        }
    }
}

/// The roles in an archive, but for those that servers have by themselves; `None` if it holds none.
pub(super) fn archived(archive: &Archive) -> Result<Option<Vec<Value>>, crate::archive::Error> {
    let Some(text) = archive.document("roles.json")? else { return Ok(None) };
    let listed: Vec<Value> = serde_json::from_slice(&text).unwrap_or_default();
    let own = |role: &Value| role["name"].as_str().is_some_and(|name| !BUILT_IN.contains(&name));
    Ok(Some(listed.into_iter().filter(own).collect()))
}

/// Looks what is to be done about these roles. A server without roles is a refusal, since they were asked for.
pub(super) async fn plan(
    client: &Client,
    archived: Vec<Value>,
    renames: &Renames,
    server: &str,
) -> Result<Result<Vec<PlannedRole>, Refusal>, Error> {
    if archived.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let Some(there) = client.roles().await? else {
        return Ok(Err(Refusal::NoRoles { server: server.to_owned() }));
    };
    let there: Vec<Value> = serde_json::from_slice(&there).unwrap_or_default();
    let planned = archived.into_iter().map(|mut document| {
        let follows = follow(&mut document["permissions"], renames);
        let known = there.iter().find(|role| role["name"] == document["name"]);
        let step = match known {
            None => RoleStep::Create,
            Some(known) if permissions(known) == permissions(&document) => RoleStep::Same,
            Some(_) => RoleStep::Differs,
        };
        PlannedRole { name: document["name"].as_str().unwrap_or_default().to_owned(), follows, step, document }
    });
    Ok(Ok(planned.collect()))
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

/// Makes the roles that are missing and reads them back; what became of each, and whether all that was asked for is there.
pub(super) async fn make(
    writer: &Writer,
    session: &Session,
    planned: &[PlannedRole],
) -> Result<(Vec<String>, bool), Error> {
    let (mut remarks, mut all) = (Vec::new(), true);
    for role in planned {
        if session.cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        match role.step {
            RoleStep::Same => continue,
            RoleStep::Differs => {
                all = false;
                remarks.push(role.clause());
                continue;
            }
            RoleStep::Create => {}
        }
        let sent = writer.create_role(&role.document).await;
        let now = answered(session.unless_stopped(writer.role(&role.name)).await)?;
        let now: Option<Value> = now.flatten().and_then(|text| serde_json::from_slice(&text).ok());
        let done = now.is_some_and(|now| permissions(&now) == permissions(&role.document));
        all &= done;
        remarks.push(match (done, sent) {
            (true, _) => format!("the role {} was made; no user has it yet", role.name),
            (false, Err(error)) => format!("the role {} could not be made: {error}", role.name),
            (false, Ok(())) => format!("the role {} is not there as it was, whatever the server answered", role.name),
        });
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
