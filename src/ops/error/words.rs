//! Words that errors are made of.

use std::time::Duration;

use crate::model::{CollectionName, TenantName, counted};
use crate::ops::refusal::RestoreRefusal;

pub(super) fn no_tenant(tenant: &TenantName, skipped: Option<&str>) -> String {
    match skipped {
        Some(reason) => format!("the archive names tenant {tenant} and does not hold it: {reason}"),
        None => format!("no collection that was chosen has a tenant {tenant}"),
    }
}

pub(super) fn each(refusals: &[RestoreRefusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The same about a collection that is created alone.
pub(super) fn each_alone(refusals: &[RestoreRefusal]) -> String {
    let words = |refusal: &RestoreRefusal| match refusal {
        RestoreRefusal::MissingTarget { collection, property, target } => {
            format!("{collection}: {property} refers to {target}, which is not on the server")
        }
        other => other.to_string(),
    };
    refusals.iter().map(words).collect::<Vec<_>>().join("; ")
}

/// The time waited, in words; nothing for no time.
pub(super) fn after(waited: Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(" (waited {} s)", waited.as_secs()) }
}

/// A number of objects.
pub(super) fn objects(number: Option<u64>) -> String {
    match number {
        Some(number) => counted(number, "object"),
        None => "a number of objects that is not known".to_owned(),
    }
}

/// Names, one after the other.
pub(super) fn listed(names: &[CollectionName]) -> String {
    names.iter().map(CollectionName::as_str).collect::<Vec<_>>().join(", ")
}
