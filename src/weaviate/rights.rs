//! What the key may do, where the server has roles and tells.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Error;
use super::attempt::Ask;
use super::client::Client;
use crate::model::{CollectionName, ObjectId};

/// The permissions of the roles of a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights(Vec<Right>);

/// One permission.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Right {
    action: String,
    /// The pattern of collections it is about.
    collections: String,
    /// Whether it is about all of their tenants.
    all_tenants: bool,
}

impl Rights {
    /// Whether an action on a collection, such as `delete_collections`, is among them.
    #[must_use]
    pub fn allow(&self, action: &str, collection: &CollectionName) -> bool {
        self.of(action, collection).next().is_some()
    }

    /// Whether all tenants of a collection are listed for the key: those that its roles do not name are left out of the
    /// list without a word.
    #[must_use]
    pub fn see_all_tenants(&self, collection: &CollectionName) -> bool {
        self.of("read_tenants", collection).any(|right| right.all_tenants)
    }

    fn of<'a>(&'a self, action: &'a str, collection: &'a CollectionName) -> impl Iterator<Item = &'a Right> {
        let meant =
            move |right: &&Right| right.action == action && matches_pattern(&right.collections, collection.as_str());
        self.0.iter().filter(meant)
    }
}

/// Whether a name is meant by a pattern, in which `*` stands for any text.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[derive(Deserialize)]
struct OwnInfo {
    roles: Option<Vec<Role>>,
}

#[derive(Deserialize)]
struct Role {
    permissions: Option<Vec<Value>>,
}

impl Client {
    /// The rights of the key; `None` where the version has no roles (before 1.28), where they are off, or where nothing is
    /// told of them.
    pub async fn rights(&self) -> Result<Option<Rights>, Error> {
        let ask = Ask::get("/v1/users/own-info");
        let body = match self.fetch(&ask).await {
            Err(error) if error.is_auth() || matches!(error.status(), Some(404 | 405 | 422 | 501)) => return Ok(None),
            other => other?,
        };
        let read: OwnInfo = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("nothing about the key"))?;
        let permissions = read.roles.iter().flatten().flat_map(|role| role.permissions.iter().flatten());
        let permissions: Vec<Right> = permissions.filter_map(one).collect();
        Ok((!permissions.is_empty()).then_some(Rights(permissions)))
    }
}

/// Longest time for one attempt of a dry run: with a node away it may hang (weaviate-cluster.md §2).
const DRY_RUN_TIMEOUT: Duration = Duration::from_secs(15);

impl Client {
    /// Whether the key may delete objects of a plain collection, by a dry-run delete, which deletes nothing; `None` where
    /// that cannot be told.
    pub async fn may_delete(&self, collection: &CollectionName) -> Result<Option<bool>, Error> {
        let filter = json!({"path": ["id"], "operator": "Equal", "valueText": ObjectId(0).to_string()});
        let body = json!({"match": {"class": collection, "where": filter}, "dryRun": true, "output": "minimal"});
        let ask = Ask {
            timeout: Some(DRY_RUN_TIMEOUT),
            attempts: self.policy().count_attempts,
            ..Ask::with_body(Method::DELETE, "/v1/batch/objects", body.to_string())
        };
        match self.fetch(&ask).await {
            Ok(_) => Ok(Some(true)),
            Err(Error::Forbidden { .. }) => Ok(Some(false)),
            Err(Error::NotFound { .. } | Error::Rejected { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn one(permission: &Value) -> Option<Right> {
    let action = permission["action"].as_str()?.to_owned();
    let domains = ["collections", "data", "tenants", "nodes"];
    let pattern = domains.iter().find_map(|domain| permission[*domain]["collection"].as_str());
    let tenants = permission["tenants"]["tenant"].as_str();
    Some(Right {
        action,
        collections: pattern.unwrap_or("*").to_owned(),
        all_tenants: tenants.is_none_or(|tenants| tenants == "*"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_roles_are_understood() {
        for (pattern, name, meant) in [
            ("*", "Article", true),
            ("Article", "Article", true),
            ("Article", "Articles", false),
            ("Art*", "Article", true),
            ("*le", "Article", true),
            ("A*c*e", "Article", true),
            ("A*x*e", "Article", false),
            ("Art*le", "Artle", true),
            ("Article*e", "Article", false),
        ] {
            assert_eq!(matches_pattern(pattern, name), meant, "{pattern} {name}");
        }
    }

    #[test]
    fn a_role_about_some_tenants_shows_not_all_of_them() {
        let right = |tenant: &str| {
            let tenants = json!({"collection": "Mt*", "tenant": tenant});
            one(&json!({"action": "read_tenants", "tenants": tenants})).expect("a right")
        };
        let (mt, other): (CollectionName, CollectionName) = ("Mt1".parse().expect("a"), "Other".parse().expect("a"));
        assert!(Rights(vec![right("a"), right("*")]).see_all_tenants(&mt));
        assert!(!Rights(vec![right("a"), right("b*")]).see_all_tenants(&mt));
        assert!(!Rights(vec![right("*")]).see_all_tenants(&other));
        assert!(Rights(vec![right("a")]).allow("read_tenants", &mt));
    }
}
