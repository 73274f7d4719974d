//! What the roles of a key do not let it do of emptying a collection. Pure.

use crate::model::{Schema, TenantName};
use crate::ops::Lack;
use crate::ops::lacking::{Lacking, Making};
use crate::ops::schema::{Fit, expires};
use crate::weaviate::{Rights, Tenant};

/// One collection that is to be emptied, or some of its tenants.
pub(super) struct May<'a> {
    pub(super) rights: &'a Rights,
    pub(super) schema: &'a Schema,
    pub(super) fit: &'a Fit,
    /// Tenants that are emptied; `None` in a plain collection.
    pub(super) tenants: Option<&'a [Tenant]>,
    /// Tenants that an earlier run removed, and that are created.
    pub(super) missing: &'a [Tenant],
    /// Not all of its tenants are emptied.
    pub(super) some_tenants: bool,
}

impl May<'_> {
    fn lacking(&self) -> Lacking<'_> {
        let multi_tenant = self.tenants.is_some();
        Lacking { rights: self.rights, collection: &self.schema.name, multi_tenant }
    }

    /// What lacks to empty it by deleting what is listed. Tenants that are not active are removed and created again.
    pub(super) fn not_delete(&self) -> Option<Lack> {
        let lacking = self.lacking();
        let Some(tenants) = self.tenants else {
            return lacking.whole("delete_data").or_else(|| lacking.whole("read_data"));
        };
        let names = |active| {
            let of = tenants.iter().filter(move |tenant| tenant.is_active() == active);
            of.map(|tenant| &tenant.name)
        };
        let mut lack = lacking.tenants("delete_data", names(true));
        if names(true).next().is_some() {
            lack = lack.or_else(|| lacking.whole("read_data"));
        }
        lack.or_else(|| lacking.tenants("delete_tenants", names(false)))
            .or_else(|| lacking.tenants("create_tenants", names(false).chain(self.missing.iter().map(|t| &t.name))))
    }

    /// What lacks to drop it, or its tenants, and to create that again.
    pub(super) fn not_recreate(&self) -> Option<Lack> {
        let lacking = self.lacking();
        let all: Vec<&TenantName> = self.tenants.into_iter().flatten().chain(self.missing).map(|t| &t.name).collect();
        if self.some_tenants {
            let mut actions = ["delete_tenants", "create_tenants"].into_iter();
            return actions.find_map(|action| lacking.tenants(action, all.iter().copied()));
        }
        let Self { rights, fit, .. } = *self;
        let (multi_tenant, expires) = (lacking.multi_tenant, expires(self.schema));
        let making = Making { rights, fit, multi_tenant, expires, tenants: &[] };
        let recreated = || making.collection().into_iter().next();
        let dropped = lacking.whole("delete_collections");
        dropped.or_else(recreated).or_else(|| lacking.tenants("create_tenants", all))
    }
}
