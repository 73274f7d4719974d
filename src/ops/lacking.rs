//! Permissions that the roles of a key do not give, as far as the server tells of them. Pure.

use crate::model::{CollectionName, TenantName};
use crate::ops::schema::Fit;
use crate::ops::{Error, Lack, LackOf, SomeTenants};
use crate::weaviate::{Rights, Tenant};

/// Tenants that are named one by one.
const TENANTS_NAMED: usize = 5;

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
