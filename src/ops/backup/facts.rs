//! What a backup's manifest and result say about a collection that was read: counts, consistency, what can never be
//! kept, what is incomplete.

use super::Remarks;
use super::collect::{AnyReplica, Collected};
use crate::archive::CollectionFacts;
use crate::archive::manifest::{
    Consistency, Counts, Incomplete, Limit, LimitKind, ReadMode, ReplicaRecord, SelectionEntry, Skipped,
};
use crate::event::CollectionResult;
use crate::model::{Schema, Subset};
use crate::ops::schema::expiry::Expiry;
use crate::ops::schema::{expires, trained};

/// The facts that go into the collection's entry.
pub(super) fn facts(collected: &Collected, subset: &Subset) -> CollectionFacts {
    let (before, after) = collected.counts;
    CollectionFacts {
        counts: Counts { before, after },
        consistency: Consistency {
            mode: ReadMode::Live,
            changed_seen: Some(collected.changed),
            count_mismatch: collected.mismatch.is_some(),
            vanished: collected.vanished,
            on_any_replica: match collected.any_replica {
                AnyReplica::More { on_any_replica, .. } => Some(on_any_replica),
                AnyReplica::Agrees | AnyReplica::Moved => None,
            },
            ..Consistency::default()
        },
        tenants_changed: collected.tenants_changed.clone(),
        replica_check: collected.replicas.as_ref().map(|found| ReplicaRecord {
            compared: found.compared,
            repaired: found.older,
            differing: found.differing,
            counts_moved: collected.any_replica == AnyReplica::Moved,
            reason: found.closed.clone(),
        }),
        selection: (!subset.is_all())
            .then(|| SelectionEntry::of(subset, collected.closed.totals().read(), collected.until.clone())),
    }
}

/// Whether counts and replicas agree, as far as they could be asked.
pub(super) fn agrees(collected: &Collected) -> bool {
    let differs = matches!(collected.any_replica, AnyReplica::More { .. });
    collected.mismatch.is_none()
        && collected.vanished.is_none()
        && !differs
        && collected.replicas.as_ref().is_none_or(|found| found.differing == 0)
}

/// Objects that the plan counted, of which the archive holds fewer, as fewer are there now: somebody deleted them before
/// they were read. At least so many, as others may have come meanwhile. Tenants that went are told by name instead, and
/// objects that expire go by themselves.
pub(super) fn vanished(agreed: Option<u64>, collected: &Collected) -> Option<u64> {
    let told = !collected.tenants_changed.deleted.is_empty() || expires(&collected.schema) || collected.until.is_some();
    let agreed = agreed.filter(|_| !told)?;
    gone(agreed, collected.closed.totals().read(), collected.counts.1?)
}

fn gone(agreed: u64, listed: u64, after: u64) -> Option<u64> {
    Some(agreed.saturating_sub(listed).min(agreed.saturating_sub(after))).filter(|objects| *objects > 0)
}

/// What goes into the manifest's lists.
pub(super) fn remarks(collected: &Collected) -> Remarks {
    let name = collected.schema.name.to_string();
    let mut limits = schema_limits(&collected.schema);
    if !collected.read_only.is_empty() {
        limits.push(limit(&collected.schema, LimitKind::ReadOnly, collected.read_only.clone()));
    }
    if !collected.unwritable.is_empty() {
        limits.push(Limit {
            first_ids: collected.unwritable.iter().map(ToString::to_string).collect(),
            ..limit(&collected.schema, LimitKind::Integers, collected.schema.integers.clone())
        });
    }
    let incomplete = collected.unprintable.iter();
    let incomplete = incomplete.map(|(tenant, id)| Incomplete {
        collection: name.clone(),
        tenant: tenant.clone().map(String::from),
        id: id.to_string(),
    });
    let skipped = collected.skipped.iter().map(|(tenant, reason)| Skipped {
        collection: name.clone(),
        tenant: Some(tenant.to_string()),
        reason: reason.clone(),
    });
    Remarks { limits, incomplete: incomplete.collect(), skipped: skipped.collect() }
}

/// Limits that the schema alone shows.
pub(super) fn schema_limits(schema: &Schema) -> Vec<Limit> {
    let mut limits = Vec::new();
    if !schema.blob_hashes.is_empty() {
        limits.push(limit(schema, LimitKind::BlobHash, schema.blob_hashes.clone()));
    }
    if expires(schema) {
        let property = Expiry::of(schema).map(|expiry| expiry.property().to_owned());
        limits.push(limit(schema, LimitKind::ObjectTtl, property.into_iter().collect()));
    }
    if !schema.dropped_vectors.is_empty() {
        limits.push(limit(schema, LimitKind::DroppedVectors, schema.dropped_vectors.clone()));
    }
    let trained = trained(schema);
    if !trained.is_empty() {
        limits.push(limit(schema, LimitKind::Compression, trained));
    }
    limits
}

/// A limit of a collection, with the properties, or whatever else bears the names, that it is about.
fn limit(schema: &Schema, kind: LimitKind, properties: Vec<String>) -> Limit {
    Limit { properties, ..Limit::of(kind, Some(schema.name.to_string())) }
}

/// Limits that hold for every archive.
pub(super) fn general_limits() -> Vec<Limit> {
    [LimitKind::CreationTimes, LimitKind::ApiKeys].map(|kind| Limit::of(kind, None)).into()
}

/// The collection's line of the result.
pub(super) fn result(collected: &Collected, subset: &Subset) -> CollectionResult {
    let totals = collected.closed.totals();
    let tenants = totals.tenants.iter().filter(|tenant| tenant.tenant.is_some()).count() as u64;
    CollectionResult {
        tenants,
        objects: totals.objects,
        left_out: (!subset.is_all()).then_some(totals.left_out),
        bytes: totals.bytes,
        digest: totals.digest.map(|d| d.to_string()),
        changed_seen: Some(collected.changed),
        // What lies behind the last object that is wanted was counted, and not read.
        counts_verified: collected.until.is_none().then_some(collected.counts.1.is_some()),
        ..CollectionResult::of(collected.schema.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_neither_in_the_archive_nor_on_the_server_has_vanished() {
        for (agreed, listed, after, found) in [
            (3_000, 800, 0, Some(2_200)),
            (3_000, 3_000, 0, None),
            (3_000, 2_990, 3_005, None),
            (3_000, 2_999, 2_999, Some(1)),
            (3_000, 0, 2_500, Some(500)),
            (0, 5, 5, None),
        ] {
            assert_eq!(gone(agreed, listed, after), found, "{agreed} {listed} {after}");
        }
    }
}
