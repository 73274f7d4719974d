//! What a role allows, permission by permission, and which of it is to be looked at twice. Pure.

use serde_json::Value;

/// One permission of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The action, as the server calls it.
    pub action: String,
    /// What it is allowed on: `collection Article, tenant *`.
    pub domain: String,
    /// Why it is to be looked at twice, each in a word or two; empty if it need not be.
    pub marks: Vec<&'static str>,
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.action, self.domain)?;
        if self.marks.is_empty() { Ok(()) } else { write!(f, " ({}!)", self.marks.join(", ")) }
    }
}

/// Kinds of things that are parts of another: that all of them are meant says little.
const PARTS: [&str; 3] = ["tenant", "object", "scope"];
/// What one permission names at most of its domain, in characters.
const DOMAIN_CHARS: usize = 120;

/// The permissions of a role's document, in its order.
pub(super) fn allowed(document: &Value) -> Vec<Allowed> {
    document["permissions"].as_array().into_iter().flatten().map(one).collect()
}

fn one(permission: &Value) -> Allowed {
    let action = permission["action"].as_str().unwrap_or_default().to_owned();
    let mut named = Vec::new();
    let mut everything = false;
    for (_, domain) in permission.as_object().into_iter().flatten().filter(|(key, _)| *key != "action") {
        for (key, value) in domain.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            everything |= value == "*" && !PARTS.contains(&key.as_str());
            named.push(format!("{key} {value}"));
        }
    }
    let says = |words: &[&str]| words.iter().any(|word| action.contains(word));
    let marks = [
        (says(&["role"]), "roles"),
        (says(&["user"]), "users"),
        (says(&["delete"]), "deletes"),
        (says(&["manage", "backup", "cluster"]), "manages"),
        (everything || named.is_empty(), "everything"),
    ];
    let marks = marks.into_iter().filter_map(|(is, mark)| is.then_some(mark)).collect();
    let domain = if named.is_empty() { "all there is".to_owned() } else { named.join(", ") };
    Allowed { action, domain: domain.chars().take(DOMAIN_CHARS).collect(), marks }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_on_roles_users_or_everything_or_deletes_is_marked() {
        let told = |permission: Value| one(&permission).to_string();
        for (permission, expected) in [
            (
                json!({"action": "read_data", "data": {"collection": "A", "tenant": "*", "object": "*"}}),
                "read_data on collection A, tenant *, object *",
            ),
            (
                json!({"action": "create_roles", "roles": {"role": "*", "scope": "all"}}),
                "create_roles on role *, scope all (roles, everything!)",
            ),
            (
                json!({"action": "delete_collections", "collections": {"collection": "*"}}),
                "delete_collections on collection * (deletes, everything!)",
            ),
            (
                json!({"action": "assign_and_revoke_users", "users": {"users": "x"}}),
                "assign_and_revoke_users on users x (users!)",
            ),
            (json!({"action": "manage_backups"}), "manage_backups on all there is (manages, everything!)"),
        ] {
            assert_eq!(told(permission), expected);
        }
    }
}
