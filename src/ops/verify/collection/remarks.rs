//! What is to be known about the comparison of a collection, beyond its numbers. Pure.

use std::collections::BTreeMap;

use super::{CompareOptions, Pair};
use crate::event::{ComparisonRemark, OutOfReach};
use crate::model::TenantName;
use crate::pipeline::compare::{Comparison, Found};
use crate::pipeline::replicas::ReplicaFindings;

/// What the server's counts say against the objects that were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum Miscount {
    /// It counts so many, and no writer explains it.
    Unexplained {
        /// The server's count.
        counted: u64,
    },
    /// Writers explain it, but everything found is the archive's, so what they wrote or removed was not seen.
    Unseen {
        /// The count before.
        before: Option<u64>,
        /// The count after.
        after: u64,
    },
}

pub(super) fn remarks(
    pair: &Pair,
    comparison: &Comparison,
    found: &Found,
    options: &CompareOptions,
    miscount: Option<Miscount>,
) -> Vec<ComparisonRemark> {
    let mut remarks = Vec::new();
    if !comparison.vectors {
        remarks.push(ComparisonRemark::ComparedWithoutVectors { archived: pair.holds_vectors() });
    }
    if options.sample.is_some() {
        remarks.push(ComparisonRemark::Sampled { compared: found.objects, of: pair.objects() });
    }
    if let Some(filter) = &options.filter {
        remarks.push(ComparisonRemark::Filtered { filter: filter.to_string(), others: found.aside });
    } else if let Some(selection) = pair.subset() {
        remarks.push(ComparisonRemark::Selection { selection, others: found.aside });
    }
    if found.without_vectors > 0 {
        remarks.push(ComparisonRemark::VectorsUnprintable { objects: found.without_vectors });
    }
    if found.made_vectors > 0 {
        remarks.push(ComparisonRemark::MadeVectorsUncompared { objects: found.made_vectors });
    }
    let blob_hashes = &pair.schema().blob_hashes;
    if !blob_hashes.is_empty() {
        let properties = blob_hashes.clone();
        remarks.push(ComparisonRemark::BlobHashesUncompared { properties });
    }
    remarks.extend(out_of_reach(comparison, found));
    if found.changed > 0 {
        remarks.push(ComparisonRemark::WrittenMeanwhile { objects: found.changed });
    }
    if found.unasked > 0 && comparison.asks_each() {
        remarks.push(ComparisonRemark::MissingUnasked { objects: found.unasked });
    }
    let listed = found.listed();
    remarks.extend(miscount.map(|miscount| match miscount {
        Miscount::Unexplained { counted } => ComparisonRemark::CountUnexplained { listed, counted },
        Miscount::Unseen { before: Some(before), after } if before != after => {
            ComparisonRemark::CountMoved { listed, before, after }
        }
        Miscount::Unseen { after, .. } => ComparisonRemark::CountUnseen { listed, counted: after },
    }));
    remarks
}

/// What comparing the replicas found.
pub(super) fn replicas(found: &ReplicaFindings) -> impl Iterator<Item = ComparisonRemark> {
    let some = |objects: u64| Some(objects).filter(|objects| *objects > 0);
    let older = some(found.older).map(|objects| ComparisonRemark::OlderOnReplica { objects });
    let differing = some(found.differing).map(|objects| ComparisonRemark::ReplicasDiffer { objects });
    let closed = found.closed.clone().map(|reason| ComparisonRemark::ReplicasUncompared { reason });
    [older, differing, closed].into_iter().flatten()
}

/// The tenants that were not compared, by the reason.
fn out_of_reach(comparison: &Comparison, found: &Found) -> impl Iterator<Item = ComparisonRemark> {
    let reason = |tenant: &TenantName| {
        if comparison.tenants.out_of_reach.contains(tenant) {
            OutOfReach::Offloaded
        } else if comparison.tenants.unseen.contains(tenant) {
            OutOfReach::Unseen
        } else if let Some(refused) =
            comparison.tenants.activation_refused.get().filter(|_| comparison.tenants.is_inactive(tenant))
        {
            OutOfReach::NotActivated { why: refused.clone() }
        } else {
            OutOfReach::NotActive
        }
    };
    let mut groups: BTreeMap<OutOfReach, (TenantName, u64, u64)> = BTreeMap::new();
    for (tenant, kept) in &found.out_of_reach {
        let (_, tenants, objects) = groups.entry(reason(tenant)).or_insert_with(|| (tenant.clone(), 0, 0));
        *tenants += 1;
        *objects += kept;
    }
    groups.into_iter().map(|(why, (first, tenants, objects))| ComparisonRemark::TenantsUncompared {
        tenants,
        first,
        objects,
        why,
    })
}
