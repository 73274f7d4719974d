//! What is compared, where that is not everything. Pure.

use std::sync::Arc;

use crate::model::{RawObject, Sieve, TenantName};

/// What decides which objects of either side are compared. Tenants have the names of the left side.
#[derive(Debug, Clone, Default)]
pub struct Sieves {
    /// What the left side holds of a whole. Nothing else of the right side is extra, and of its objects nothing else counts.
    pub held: Option<Arc<Sieve>>,
    /// What was taken of the left side, and should be all of the right one.
    pub taken: Option<Arc<Sieve>>,
    /// What is to be compared of both sides: what it keeps on either of them.
    pub asked: Option<Arc<Sieve>>,
}

impl Sieves {
    /// What counts of an object on the left; `None`: nothing, it is as if it was not there.
    pub(super) fn left(&self, tenant: Option<&TenantName>, object: RawObject) -> Option<RawObject> {
        match &self.taken {
            None => Some(object),
            Some(taken) if taken.keeps(tenant, &object) => Some(taken.cut(&object).unwrap_or(object)),
            Some(_) => None,
        }
    }

    /// What counts of an object on the right.
    pub(super) fn right(&self, object: RawObject) -> RawObject {
        self.held.as_ref().and_then(|held| held.cut(&object)).unwrap_or(object)
    }

    /// Whether an object is to be compared, of whichever side it is.
    pub(super) fn asks(&self, tenant: Option<&TenantName>, object: &RawObject) -> bool {
        self.asked.as_ref().is_none_or(|asked| asked.keeps(tenant, object))
    }

    /// Whether the left side would hold an object of the right one.
    pub(super) fn holds(&self, tenant: Option<&TenantName>, object: &RawObject) -> bool {
        self.held.as_ref().is_none_or(|held| held.keeps(tenant, object))
    }
}
