//! What the key may do, where the server has roles and tells.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Error;
use super::ask::Ask;
use super::client::Client;
use crate::model::{CollectionName, ObjectId, TenantName};

/// The permissions of the roles of a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights(Vec<Permission>);

/// One permission: an action, and the patterns of what it is about. What a permission does not narrow is `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Permission {
    action: String,
    collection: String,
    tenant: String,
    object: String,
    alias: String,
    role: String,
    /// About roles: only those whose permissions the key has itself.
    matching: bool,
}

impl Rights {
    /// Whether an action on a collection, such as `delete_collections`, is among them; of data and tenants, for any tenant.
    #[must_use]
    pub fn allow(&self, action: &str, collection: &CollectionName) -> bool {
        self.on(action, collection).next().is_some()
    }

    /// Whether an action on the data or the tenants of a collection is among them for every tenant. A plain collection takes
    /// that, and so does the list of objects, also of a single tenant (Weaviate 1.40, `usecases/objects/query.go`).
    #[must_use]
    pub fn allow_all(&self, action: &str, collection: &CollectionName) -> bool {
        self.on(action, collection).any(|permission| permission.tenant == "*")
    }

    /// Whether an action on the data of a tenant, or on a tenant itself, is among them.
    #[must_use]
    pub fn allow_tenant(&self, action: &str, collection: &CollectionName, tenant: &TenantName) -> bool {
        self.on(action, collection).any(|permission| matches_pattern(&permission.tenant, tenant.as_str()))
    }

    /// Whether an action is among them for anything at all.
    #[must_use]
    pub fn have(&self, action: &str) -> bool {
        self.all(action).next().is_some()
    }

    /// Whether the list of collections shows all there are: those that its roles do not name are left out without a word.
    #[must_use]
    pub fn show_collections(&self) -> bool {
        self.all("read_collections").any(|permission| permission.collection == "*")
    }

    /// Whether a list of aliases shows all that a collection has.
    #[must_use]
    pub fn show_aliases(&self, of: &CollectionName) -> bool {
        let mut all = self.all("read_aliases");
        all.any(|permission| permission.alias == "*" && matches_pattern(&permission.collection, of.as_str()))
    }

    /// Whether a list of aliases shows all there are, whatever they stand for.
    #[must_use]
    pub fn show_all_aliases(&self) -> bool {
        self.all("read_aliases").any(|permission| permission.alias == "*" && permission.collection == "*")
    }

    /// Whether a list of roles shows all there are. A server lists those that the key may read whatever they allow, and
    /// only if there is none of these, those that it may read since it has their permissions itself.
    #[must_use]
    pub fn show_roles(&self) -> bool {
        let reads = |matching| self.all("read_roles").filter(move |permission| permission.matching == matching);
        let matching = reads(false).next().is_none();
        reads(matching).any(|permission| permission.role == "*")
    }

    /// Whether all tenants of a collection are listed for the key: those that its roles do not name are left out of the
    /// list without a word.
    #[must_use]
    pub fn show_tenants(&self, of: &CollectionName) -> bool {
        let mut all = self.all("read_tenants");
        all.any(|permission| permission.tenant == "*" && matches_pattern(&permission.collection, of.as_str()))
    }

    /// Those for an action, but for such as are about single objects: no request of ours names one beforehand.
    fn all(&self, action: &str) -> impl Iterator<Item = &Permission> {
        self.0.iter().filter(move |permission| permission.action == action && permission.object == "*")
    }

    fn on(&self, action: &str, collection: &CollectionName) -> impl Iterator<Item = &Permission> {
        self.all(action).filter(move |permission| matches_pattern(&permission.collection, collection.as_str()))
    }
}

/// Whether a name is meant by a pattern, in which `*` stands for any text. Servers take other regular expressions as well:
/// such a one may mean any name, so that nobody is refused for it.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    if pattern.contains(|c: char| !(c.is_ascii_alphanumeric() || "_-:*".contains(c))) {
        return true;
    }
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
        ask.bounded(&body, RIGHTS_VALUES_MAX)?;
        let read: OwnInfo = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("nothing about the key"))?;
        let permissions = read.roles.iter().flatten().flat_map(|role| role.permissions.iter().flatten());
        let permissions: Vec<Permission> = permissions.filter_map(one).collect();
        Ok((!permissions.is_empty()).then_some(Rights(permissions)))
    }
}

/// Values in what a server tells of a key, at most.
const RIGHTS_VALUES_MAX: u32 = 250_000;
/// Longest time for one attempt of a dry run: with a node away it may hang.
const DRY_RUN_TIMEOUT: Duration = Duration::from_secs(15);

impl Client {
    /// Whether the key may read a collection's schema, asked by its name: a server says 403 whether it is there or not.
    pub async fn may_read_schema(&self, collection: &CollectionName) -> Result<bool, Error> {
        match self.schema(collection).await {
            Err(Error::Forbidden { .. }) => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Whether the key may read a collection's objects: a server says 403 whether it is there or not, and whatever else it
    /// says, it says afterwards. A key that it does not know, and a gateway's answer, tell nothing.
    pub async fn may_read_objects(&self, collection: &CollectionName) -> Result<bool, Error> {
        let ask = Ask::get(format!("/v1/objects?class={collection}&limit=1"));
        match self.fetch(&ask).await {
            Err(Error::Forbidden { .. }) => Ok(false),
            Err(error) if error.status().is_none_or(|status| matches!(status, 401 | 429 | 502..=504)) => Err(error),
            _ => Ok(true),
        }
    }

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
            Err(Error::NotFound { .. } | Error::Rejected { .. } | Error::Lasting { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A permission from the server's document, which holds its patterns under the name of its domain.
fn one(permission: &Value) -> Option<Permission> {
    let action = permission["action"].as_str()?.to_owned();
    let text = |domain: &str, member: &str| permission[domain][member].as_str();
    let domains = ["collections", "data", "tenants", "nodes", "aliases"];
    let collection = domains.iter().find_map(|domain| text(domain, "collection"));
    let or_all = |pattern: Option<&str>| pattern.unwrap_or("*").to_owned();
    Some(Permission {
        action,
        collection: or_all(collection),
        tenant: or_all(text("tenants", "tenant").or_else(|| text("data", "tenant"))),
        object: or_all(text("data", "object")),
        alias: or_all(text("aliases", "alias")),
        role: or_all(text("roles", "role")),
        matching: text("roles", "scope") == Some("match"),
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
            ("Art[a-z]+", "Chunk", true),
        ] {
            assert_eq!(matches_pattern(pattern, name), meant, "{pattern} {name}");
        }
    }

    fn rights(permissions: &Value) -> Rights {
        Rights(permissions.as_array().expect("a list").iter().filter_map(one).collect())
    }

    #[test]
    fn a_list_of_aliases_shows_all_of_a_collection_or_may_not() {
        let (article, chunk) = ("Article".parse().expect("a name"), "Chunk".parse().expect("a name"));
        for (aliases, of_article, of_chunk) in [
            (json!({"collection": "*", "alias": "*"}), true, true),
            (json!({"collection": "Art*", "alias": "*"}), true, false),
            (json!({"collection": "*", "alias": "Live*"}), false, false),
            (json!({}), true, true),
        ] {
            let rights = rights(&json!([{"action": "read_aliases", "aliases": aliases}]));
            assert_eq!(
                (rights.show_aliases(&article), rights.show_aliases(&chunk)),
                (of_article, of_chunk),
                "{aliases}"
            );
        }
        let others = rights(&json!([{"action": "read_collections", "collections": {"collection": "*"}}]));
        assert!(!others.show_aliases(&article) && others.allow("read_collections", &article));
        assert!(!others.have("read_aliases") && others.have("read_collections"));
    }

    #[test]
    fn a_list_of_roles_shows_all_or_may_not() {
        let reads = |role: &str, scope: &str| json!({"action": "read_roles", "roles": {"role": role, "scope": scope}});
        for (permissions, all) in [
            (json!([reads("*", "all")]), true),
            (json!([reads("*", "match")]), true),
            (json!([reads("edit*", "all")]), false),
            (json!([reads("edit*", "all"), reads("*", "match")]), false),
            (json!([{"action": "read_roles", "roles": {"role": "*"}}]), true),
            (json!([{"action": "create_roles", "roles": {"role": "*"}}]), false),
        ] {
            assert_eq!(rights(&permissions).show_roles(), all, "{permissions}");
        }
    }

    #[test]
    fn a_role_about_some_tenants_shows_not_all_of_them() {
        let right = |tenant: &str| {
            let tenants = json!({"collection": "Mt*", "tenant": tenant});
            one(&json!({"action": "read_tenants", "tenants": tenants})).expect("a right")
        };
        let (mt, other): (CollectionName, CollectionName) = ("Mt1".parse().expect("a"), "Other".parse().expect("a"));
        assert!(Rights(vec![right("a"), right("*")]).show_tenants(&mt));
        assert!(!Rights(vec![right("a"), right("b*")]).show_tenants(&mt));
        assert!(!Rights(vec![right("*")]).show_tenants(&other));
        assert!(Rights(vec![right("a")]).allow("read_tenants", &mt));
    }

    #[test]
    fn data_of_some_tenants_is_neither_all_nor_none() {
        let data = |collection: &str, tenant: &str, object: &str| {
            let about = json!({"collection": collection, "tenant": tenant, "object": object});
            json!({"action": "read_data", "data": about})
        };
        let (mt, other): (CollectionName, CollectionName) = ("Mt1".parse().expect("a"), "Other".parse().expect("a"));
        let (a, b): (TenantName, TenantName) = ("a1".parse().expect("a name"), "b1".parse().expect("a name"));
        let some = rights(&json!([data("Mt*", "a*", "*"), data("Mt1", "b1", "one")]));
        assert!(some.allow("read_data", &mt) && some.allow_tenant("read_data", &mt, &a));
        assert!(!some.allow_all("read_data", &mt) && !some.allow_tenant("read_data", &mt, &b), "of one object alone");
        assert!(!some.allow("read_data", &other) && !some.allow_tenant("delete_data", &mt, &a));
        let all = rights(&json!([data("Mt1", "*", "*")]));
        assert!(all.allow_all("read_data", &mt) && all.allow_tenant("read_data", &mt, &b));
    }
}
