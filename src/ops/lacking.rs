//! Permissions that the roles of a key do not give, as far as the server tells of them. Pure.

use serde::Serialize;

use crate::model::{CollectionName, TenantName, counted};
use crate::ops::Error;
use crate::ops::schema::Fit;
use crate::weaviate::{Rights, Tenant};

/// Tenants that are named one by one.
const TENANTS_NAMED: usize = 5;

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
    pub(super) fn on(action: &'static str, collection: &CollectionName) -> Self {
        Self { action, on: collection.clone(), of: LackOf::Collection }
    }
}

/// What the roles of a key lack for one collection; without tenants, the permission for all of it is meant.
pub(super) struct Lacking<'a> {
    pub(super) rights: &'a Rights,
    /// By its name on the server.
    pub(super) collection: &'a CollectionName,
    pub(super) multi_tenant: bool,
}

impl Lacking<'_> {
    /// The permission on all of the collection: what is about data, or tenants, about all of them.
    pub(super) fn whole(&self, action: &'static str) -> Option<Lack> {
        if self.rights.allow_all(action, self.collection) {
            return None;
        }
        let some = self.multi_tenant && self.rights.allow(action, self.collection);
        let of = if some { LackOf::EveryTenant } else { LackOf::Collection };
        Some(Lack { of, ..Lack::on(action, self.collection) })
    }

    /// The permission on each of these tenants.
    pub(super) fn tenants<'t>(
        &self,
        action: &'static str,
        tenants: impl IntoIterator<Item = &'t TenantName>,
    ) -> Option<Lack> {
        let may = |tenant: &&TenantName| self.rights.allow_tenant(action, self.collection, tenant);
        let mut denied = tenants.into_iter().filter(|tenant| !may(tenant));
        let mut first: Vec<TenantName> = denied.by_ref().take(TENANTS_NAMED).cloned().collect();
        if first.is_empty() {
            return None;
        }
        first.sort_unstable();
        let count = (first.len() + denied.count()) as u64;
        let some = self.rights.allow(action, self.collection);
        let of = if some { LackOf::Tenants(SomeTenants { count, first }) } else { LackOf::Collection };
        Some(Lack { of, ..Lack::on(action, self.collection) })
    }
}

/// A collection that is about to be created, with its tenants.
pub(super) struct Making<'a> {
    pub(super) rights: &'a Rights,
    pub(super) fit: &'a Fit,
    pub(super) multi_tenant: bool,
    /// Whether its objects are to expire.
    pub(super) expires: bool,
    /// Tenants that are created.
    pub(super) tenants: &'a [Tenant],
}

impl Making<'_> {
    /// What lacks for other things, by the same name.
    pub(super) fn lacking(&self) -> Lacking<'_> {
        Lacking { rights: self.rights, collection: &self.fit.target, multi_tenant: self.multi_tenant }
    }

    /// What lacks to create the collection, without its tenants. That it can be read afterwards is looked at elsewhere.
    pub(super) fn collection(&self) -> Vec<Lack> {
        let later = self.fit.then.is_some() || !self.fit.added.is_empty();
        let needed = [
            Some("create_collections"),
            later.then_some("update_collections"),
            // Whoever creates a collection whose objects expire has them deleted.
            self.expires.then_some("delete_data"),
        ];
        needed.into_iter().flatten().filter_map(|action| self.lacking().whole(action)).collect()
    }

    /// What lacks to create its tenants, and to see that they are there.
    pub(super) fn tenants(&self) -> Vec<Lack> {
        let names = || self.tenants.iter().map(|tenant| &tenant.name);
        let needed = ["create_tenants", "read_tenants"];
        needed.into_iter().filter_map(|action| self.lacking().tenants(action, names())).collect()
    }
}

/// Goes on if nothing lacks.
///
/// # Errors
///
/// [`Error::NotAllowed`] with all that lacks.
pub(super) fn nothing_lacks(lacks: impl IntoIterator<Item = Lack>) -> Result<(), Error> {
    let lacks: Vec<Lack> = lacks.into_iter().collect();
    if lacks.is_empty() { Ok(()) } else { Err(Error::NotAllowed { lacks }) }
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
