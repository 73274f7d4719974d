//! A permission that the roles of a key do not give, as data.

use serde::Serialize;

use crate::model::{CollectionName, TenantName, counted};

/// A permission that the key lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{action} on {on}{of}")]
pub struct Lack {
    /// The permission, as servers call it.
    pub action: &'static str,
    /// The collection, by its name on the server.
    pub on: CollectionName,
    /// Of which part of it.
    pub of: LackOf,
}

/// The part of a collection that a permission lacks on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LackOf {
    /// All of it.
    Collection,
    /// These tenants. The key has it on others.
    Tenants(SomeTenants),
    /// It takes the permission on all tenants at once, and the key has it on some.
    EveryTenant,
}

/// Tenants, the first of them by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SomeTenants {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<TenantName>,
}

impl std::fmt::Display for LackOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Collection => Ok(()),
            Self::EveryTenant => f.write_str(" for all of its tenants"),
            Self::Tenants(SomeTenants { count, first }) => {
                let names: Vec<&str> = first.iter().map(TenantName::as_str).collect();
                let more = match count.saturating_sub(first.len() as u64) {
                    0 => String::new(),
                    more => format!(" and {}", counted(more, "other")),
                };
                write!(f, " for its {} {}{more}", if *count == 1 { "tenant" } else { "tenants" }, names.join(", "))
            }
        }
    }
}

impl Lack {
    /// The permission on a whole collection.
    pub(in crate::ops) fn on(action: &'static str, collection: &CollectionName) -> Self {
        Self { action, on: collection.clone(), of: LackOf::Collection }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_names_the_tenants_or_the_collection() {
        let lack = |of| Lack { of, ..Lack::on("read_data", &"Mt".parse().expect("a name")) }.to_string();
        let some = |count, names: &[&str]| {
            let first = names.iter().map(|name| name.parse().expect("a name")).collect();
            LackOf::Tenants(SomeTenants { count, first })
        };
        assert_eq!(lack(LackOf::Collection), "read_data on Mt");
        assert_eq!(lack(LackOf::EveryTenant), "read_data on Mt for all of its tenants");
        assert_eq!(lack(some(1, &["b"])), "read_data on Mt for its tenant b");
        assert_eq!(lack(some(2, &["b", "c"])), "read_data on Mt for its tenants b, c");
        assert_eq!(lack(some(1_202, &["b", "c"])), "read_data on Mt for its tenants b, c and 1,200 others");
    }
}
