//! API keys and what their roles may do, with the server's own refusals.

use crate::call::{Call, Reply};
use crate::json::{Json, object};
use crate::state::Settings;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Root,
    /// Reading only.
    Viewer,
    /// These actions, on everything.
    Only(&'static [&'static str]),
    /// Everything but this action, such as `update_tenants`.
    Without(&'static str),
    /// Everything, but of tenants it sees this one alone.
    Sees(&'static str),
    /// Everything, but these actions on the data of this tenant alone.
    DataOf(&'static [&'static str], &'static str),
    /// Everything, but of collections it is shown this one alone.
    Shown(&'static str),
    /// Everything, but of collections only on those with a name that begins so.
    Named(&'static str),
    /// Everything, but of collections only on this one.
    Exactly(&'static str),
    /// Nothing.
    None,
}

/// What there is to do, as far as the sandbox knows of it.
const ACTIONS: [&str; 22] = [
    "create_roles",
    "read_roles",
    "update_roles",
    "delete_roles",
    "read_cluster",
    "read_nodes",
    "create_collections",
    "read_collections",
    "update_collections",
    "delete_collections",
    "create_data",
    "read_data",
    "update_data",
    "delete_data",
    "create_tenants",
    "read_tenants",
    "update_tenants",
    "delete_tenants",
    "create_aliases",
    "read_aliases",
    "update_aliases",
    "delete_aliases",
];

impl Role {
    pub(crate) fn may(self, action: &str) -> bool {
        match self {
            Self::Root | Self::Sees(_) | Self::DataOf(..) | Self::Shown(_) | Self::Named(_) | Self::Exactly(_) => true,
            Self::Without(lacking) => action != lacking,
            Self::Viewer => action.starts_with("read_"),
            Self::Only(actions) => actions.contains(&action),
            Self::None => false,
        }
    }

    /// Its permissions, as servers print them.
    pub(crate) fn permissions(self) -> Json {
        let mine = ACTIONS.iter().filter(|action| self.may(action));
        Json::Array(mine.map(|action| self.permission(action)).collect())
    }

    fn permission(self, action: &str) -> Json {
        let domain = action.split('_').next_back().unwrap_or_default();
        let of_collection = |more: &[&str]| {
            let all = match self {
                Self::Named(beginning) => format!("{beginning}*"),
                Self::Exactly(name) => name.to_owned(),
                _ => "*".to_owned(),
            };
            let members = std::iter::once("collection").chain(more.iter().copied());
            Json::Object(
                members
                    .map(|member| {
                        (member.to_owned(), Json::from(if member == "collection" { all.as_str() } else { "*" }))
                    })
                    .collect(),
            )
        };
        let mut permission = object! {"action": action};
        let about = match (domain, self) {
            ("collections", Self::Shown(only)) if action == "read_collections" => object! {"collection": only},
            ("collections", _) => of_collection(&[]),
            ("data", Self::DataOf(actions, only)) if actions.contains(&action) => {
                object! {"collection": "*", "object": "*", "tenant": only}
            }
            ("data", _) => of_collection(&["object", "tenant"]),
            ("tenants", Self::Sees(only)) => object! {"collection": "*", "tenant": only},
            ("tenants", _) => of_collection(&["tenant"]),
            ("aliases", _) => of_collection(&["alias"]),
            ("nodes", _) => object! {"collection": "*", "verbosity": "verbose"},
            ("roles", _) => object! {"role": "*", "scope": "all"},
            _ => return permission,
        };
        permission.set(domain, about);
        permission
    }
}

/// An API key, the user behind it and the user's role.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) user: String,
    pub(crate) role: Role,
}

/// The user behind a call.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) anonymous: bool,
}

impl User {
    fn anyone() -> Self {
        Self { name: "anonymous".to_owned(), role: Role::Root, anonymous: true }
    }

    pub(crate) fn may(&self, action: &str) -> bool {
        self.role.may(action)
    }

    /// Whether a collection is among those that it may read.
    pub(crate) fn is_shown(&self, collection: &str) -> bool {
        self.may("read_collections") && if let Role::Shown(only) = self.role { only == collection } else { true }
    }

    /// Whether a tenant is among those that are listed for it.
    pub(crate) fn sees(&self, tenant: &str) -> bool {
        if let Role::Sees(only) = self.role { only == tenant } else { true }
    }
}

/// Finds the user of a request; the error is the 401.
pub(crate) fn identify(settings: &Settings, path: &str, header: Option<&str>) -> Result<User, Reply> {
    if settings.keys.is_empty() || path.starts_with("/v1/.well-known/") {
        return Ok(User::anyone());
    }
    let Some(header) = header else {
        let how = "anonymous access not enabled. Please authenticate through one of the available methods: [API-keys]";
        return Err(Reply::coded(401, 401, how).plain_text());
    };
    let text = header.strip_prefix("Bearer ").unwrap_or(header);
    match settings.keys.iter().find(|k| k.text == text) {
        Some(key) => Ok(User { name: key.user.clone(), role: key.role, anonymous: false }),
        None => Err(Reply::coded(401, 401, "unauthorized: invalid api key").plain_text()),
    }
}

/// The part of the server a permission is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Domain<'a> {
    /// Objects of a class.
    Data(&'a str),
    /// A class.
    Collections(&'a str),
    /// The tenants of a class.
    Tenants(&'a str),
    /// An alias, by the class it stands for and its name.
    Aliases(&'a str, &'a str),
    /// The nodes.
    Nodes,
    /// A role, by its name.
    Roles(&'a str),
}

/// The sentence of a refusal.
pub(crate) fn refusal(call: &Call, action: &str, domain: Domain<'_>) -> Option<String> {
    let named = match (call.user.role, domain) {
        (Role::Named(beginning), Domain::Collections(class) | Domain::Tenants(class)) => class.starts_with(beginning),
        (Role::Exactly(name), Domain::Collections(class) | Domain::Tenants(class)) => class == name,
        _ => true,
    };
    if named && call.user.may(action) {
        return None;
    }
    let what = match domain {
        Domain::Data(class) => format!("Domain: data, Collection: {class}, Tenant: *, Object: *"),
        Domain::Collections(class) => format!("Domain: collections, Collection: {class}"),
        Domain::Tenants(class) => format!("Domain: tenants, Collection: {class}, Tenant: *"),
        Domain::Nodes => "Domain: nodes, Verbosity: minimal".to_owned(),
        Domain::Aliases(class, alias) => format!("Domain: aliases, Collection: {class}, Alias: {alias}"),
        Domain::Roles(role) => format!("Domain: roles, Role: {role}"),
    };
    let user = &call.user.name;
    Some(format!(
        "rbac: authorization, forbidden action: user '{user}' has insufficient permissions to {action} [[{what}]]"
    ))
}

/// The sentence of a refusal to do something to objects of a tenant; empty: to whatever there is.
pub(crate) fn refusal_of_data(call: &Call, action: &str, class: &str, tenant: &str) -> Option<String> {
    match call.user.role {
        Role::DataOf(actions, only) if actions.contains(&action) && tenant != only => {
            let (user, tenant) = (&call.user.name, if tenant.is_empty() { "*" } else { tenant });
            Some(format!(
                "rbac: authorization, forbidden action: user '{user}' has insufficient permissions to {action} [[Domain: data, Collection: {class}, Tenant: {tenant}, Object: *]]"
            ))
        }
        _ => refusal(call, action, Domain::Data(class)),
    }
}

/// Refuses with 403 what the user may not do to objects of a tenant.
pub(crate) fn allow_data(call: &Call, action: &str, class: &str, tenant: &str) -> Result<(), Reply> {
    refusal_of_data(call, action, class, tenant).map_or(Ok(()), |text| Err(Reply::error(403, &text)))
}

/// Refuses with 403 what the user may not do.
pub(crate) fn allow(call: &Call, action: &str, domain: Domain<'_>) -> Result<(), Reply> {
    refusal(call, action, domain).map_or(Ok(()), |text| Err(Reply::error(403, &text)))
}
