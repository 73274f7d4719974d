//! Words that errors are made of.

use std::time::Duration;

use crate::model::{CollectionName, TenantName, count, counted};

/// Names listed at most, where there may be thousands.
const NAMES_LISTED: usize = 10;

pub(super) fn no_tenant(tenant: &TenantName, is_skipped: bool) -> String {
    if is_skipped {
        format!("the archive names tenant {tenant} and does not hold it")
    } else {
        format!("no collection that was chosen has a tenant {tenant}")
    }
}

/// The time waited, in words; nothing for no time.
pub(super) fn after(waited: Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(" (waited {} s)", waited.as_secs()) }
}

/// That objects may have gone by themselves.
pub(super) fn expires_too(expires: bool) -> &'static str {
    if expires { "; objects of it expire (objectTtlConfig), which may be why" } else { "" }
}

/// A number of objects.
pub(super) fn objects(number: Option<u64>) -> String {
    match number {
        Some(number) => counted(number, "object"),
        None => "a number of objects that is not known".to_owned(),
    }
}

/// Clauses, one after the other.
pub(super) fn joined(clauses: &[impl ToString]) -> String {
    clauses.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The other name that a collection gets, if it does.
pub(super) fn as_target(collection: &CollectionName, target: &CollectionName) -> String {
    if collection == target { String::new() } else { format!(" or {target}") }
}

/// The first of some names, and how many more there are.
pub(super) fn some(names: &[String]) -> String {
    let mut some: Vec<String> = names.iter().take(NAMES_LISTED).cloned().collect();
    if let Some(more @ 1..) = names.len().checked_sub(NAMES_LISTED) {
        some.push(format!("{} more", count(more as u64)));
    }
    some.join(", ")
}

/// Names, one after the other.
pub(super) fn listed(names: &[CollectionName]) -> String {
    names.iter().map(CollectionName::as_str).collect::<Vec<_>>().join(", ")
}
