//! What of a collection is created again when it is emptied. Pure.

use super::{CollectionClear, Method};

/// What of a collection is created again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// Tenants of it.
    Tenants,
}

/// What of it is created again by its method.
pub(super) fn part(planned: &CollectionClear) -> Option<Part> {
    match planned.method {
        Method::Recreate if !planned.some_tenants => Some(Part::Whole),
        Method::Recreate => Some(Part::Tenants),
        Method::Delete => (planned.inactive() > 0 || !planned.missing.is_empty()).then_some(Part::Tenants),
    }
}

/// Whether anything of it is created again.
pub(super) fn is_due(planned: &CollectionClear) -> bool {
    part(planned).is_some()
}
