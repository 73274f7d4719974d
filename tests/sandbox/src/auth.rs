//! API keys and what their roles may do, with the server's own refusals.

use crate::call::{Call, Reply};
use crate::state::Settings;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Root,
    /// Reading only.
    Viewer,
    /// Everything but this action, such as `update_tenants`.
    Without(&'static str),
    /// Everything, but of tenants it sees this one alone.
    Sees(&'static str),
    /// Nothing.
    None,
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
        match self.role {
            Role::Root | Role::Sees(_) => true,
            Role::Viewer => action.starts_with("read_"),
            Role::Without(lacking) => action != lacking,
            Role::None => false,
        }
    }
}

impl User {
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
    /// The nodes.
    Nodes,
    /// The roles.
    Roles,
}

/// The sentence of a refusal.
pub(crate) fn refusal(call: &Call, action: &str, domain: Domain<'_>) -> Option<String> {
    if call.user.may(action) {
        return None;
    }
    let what = match domain {
        Domain::Data(class) => format!("Domain: data, Collection: {class}, Tenant: *, Object: *"),
        Domain::Collections(class) => format!("Domain: collections, Collection: {class}"),
        Domain::Tenants(class) => format!("Domain: tenants, Collection: {class}, Tenant: *"),
        Domain::Nodes => "Domain: nodes, Verbosity: minimal".to_owned(),
        Domain::Roles => "Domain: roles, Role: *".to_owned(),
    };
    let user = &call.user.name;
    Some(format!(
        "rbac: authorization, forbidden action: user '{user}' has insufficient permissions to {action} [[{what}]]"
    ))
}

/// Refuses with 403 what the user may not do.
pub(crate) fn allow(call: &Call, action: &str, domain: Domain<'_>) -> Result<(), Reply> {
    refusal(call, action, domain).map_or(Ok(()), |text| Err(Reply::error(403, &text)))
}
