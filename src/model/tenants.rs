//! Which tenants of an archive a run is about, and what they are called on the server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TenantName;

/// Tenants of an archive and their names on the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantMap {
    /// All of them under their names; a plain collection stays plain.
    #[default]
    Same,
    /// Only these, by their names in the archive.
    Only(BTreeMap<TenantName, TenantName>),
    /// A plain collection, as this tenant of a multi-tenant one.
    IntoTenant(TenantName),
    /// This tenant, as a plain collection.
    IntoPlain(TenantName),
}

impl TenantMap {
    /// Where what the archive holds of a tenant (`None`: of a plain collection) is on the server: in a plain collection
    /// (`Some(None)`), in that tenant, or (`None`) nowhere, as it is not chosen.
    #[must_use]
    pub fn target(&self, archived: Option<&TenantName>) -> Option<Option<TenantName>> {
        match (self, archived) {
            (Self::Same, archived) => Some(archived.cloned()),
            (Self::Only(names), Some(archived)) => names.get(archived).map(|name| Some(name.clone())),
            (Self::IntoTenant(name), None) => Some(Some(name.clone())),
            (Self::IntoPlain(name), Some(archived)) if name == archived => Some(None),
            _ => None,
        }
    }

    /// Whether all that the archive holds of a collection is chosen, under the same names.
    #[must_use]
    pub fn is_same(&self) -> bool {
        *self == Self::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_find_their_places() {
        let name = |text: &str| -> TenantName { text.parse().expect("a name") };
        let (a, b) = (name("a"), name("b"));
        assert_eq!(TenantMap::Same.target(Some(&a)), Some(Some(a.clone())));
        assert_eq!(TenantMap::Same.target(None), Some(None));
        let only = TenantMap::Only(BTreeMap::from([(a.clone(), b.clone())]));
        assert_eq!((only.target(Some(&a)), only.target(Some(&b))), (Some(Some(b.clone())), None));
        assert_eq!(only.target(None), None);
        assert_eq!(TenantMap::IntoTenant(a.clone()).target(None), Some(Some(a.clone())));
        let plain = TenantMap::IntoPlain(a.clone());
        assert_eq!((plain.target(Some(&a)), plain.target(Some(&b))), (Some(None), None));
    }
}
