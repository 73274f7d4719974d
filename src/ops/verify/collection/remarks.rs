//! What is to be known about the comparison of a collection, beyond its numbers, each as a clause. Pure.

use std::collections::BTreeMap;

use super::CompareOptions;
use crate::archive::Content;
use crate::archive::manifest::CollectionEntry;
use crate::model::TenantName;
use crate::pipeline::compare::{Found, Stage};
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
    entry: &CollectionEntry,
    stage: &Stage,
    found: &Found,
    options: &CompareOptions,
    miscount: Option<Miscount>,
) -> Vec<String> {
    let mut remarks = Vec::new();
    if !stage.vectors {
        let why = if entry.content == Content::Full { "" } else { ", which the archive does not hold" };
        remarks.push(format!("compared without vectors{why}"));
    }
    if options.sample.is_some() {
        remarks.push(format!("a sample: {} of {} compared", found.objects, objects(entry.objects)));
    }
    if found.without_vectors > 0 {
        let objects = objects(found.without_vectors);
        remarks.push(format!("{objects} compared without vectors, which the server could not print for the archive"));
    }
    if found.made_vectors > 0 {
        let objects = objects(found.made_vectors);
        remarks.push(format!("{objects} got vectors from the server, which were not compared"));
    }
    if !stage.left.schema.blob_hashes.is_empty() {
        let names = stage.left.schema.blob_hashes.join(", ");
        remarks.push(format!("not compared, since no server takes back their values: blobHash properties {names}"));
    }
    remarks.extend(out_of_reach(stage, found));
    if found.changed > 0 {
        remarks.push(format!("at least {} written while the collection was compared", objects(found.changed)));
    }
    if found.unasked > 0 && stage.asks_each() {
        let was = if found.unasked == 1 { "was" } else { "were" };
        remarks.push(format!("{} of the missing objects {was} not asked for one by one", found.unasked));
    }
    let listed = objects(found.listed());
    remarks.extend(miscount.map(|miscount| match miscount {
        Miscount::Unexplained { counted } => {
            format!("{listed} listed, but the server counts {counted}, and no writer explains it")
        }
        Miscount::Unseen { before: Some(before), after } if before != after => {
            format!("{listed} listed, but the server's count went from {before} to {after} meanwhile")
        }
        Miscount::Unseen { after, .. } => {
            format!("{listed} listed, but the server counts {after}, and objects are being written")
        }
    }));
    remarks
}

/// What comparing the replicas found.
pub(super) fn replicas(found: &ReplicaFindings) -> Vec<String> {
    let older = (found.older > 0).then(|| {
        format!("{} older on the replica that was listed; the server repaired it first", objects(found.older))
    });
    let differing = (found.differing > 0)
        .then(|| format!("the replicas of {} hold different versions; one was listed", objects(found.differing)));
    let closed = found
        .closed
        .as_ref()
        .map(|reason| format!("listed from one replica, which could not be compared with the others: {reason}"));
    [older, differing, closed].into_iter().flatten().collect()
}

pub(super) fn objects(number: u64) -> String {
    format!("{number} object{}", if number == 1 { "" } else { "s" })
}

/// So many tenants, with the name of the first.
pub(super) fn tenants(number: usize, first: &TenantName) -> String {
    match number {
        1 => format!("tenant {first}"),
        more => format!("{more} tenants ({first} first)"),
    }
}

/// The tenants that were not compared, by the reason.
fn out_of_reach(stage: &Stage, found: &Found) -> Vec<String> {
    let reason = |tenant: &TenantName| {
        if stage.tenants.out_of_reach.contains(tenant) {
            "offloaded to other storage, or on the way"
        } else if stage.tenants.unseen.contains(tenant) {
            "not listed, and may be there: the key's roles show it only some of the tenants (read_tenants)"
        } else if let Some(refused) =
            stage.tenants.activation_refused.get().filter(|_| stage.tenants.is_inactive(tenant))
        {
            refused.as_str()
        } else {
            "the server says that it is not active"
        }
    };
    let mut groups: BTreeMap<&str, (Vec<&TenantName>, u64)> = BTreeMap::new();
    for (tenant, kept) in &found.out_of_reach {
        let (names, objects) = groups.entry(reason(tenant)).or_default();
        names.push(tenant);
        *objects += kept;
    }
    let clause = |(reason, (names, kept)): (&str, (Vec<&TenantName>, u64))| {
        format!("not compared: {}, {} in the archive: {reason}", tenants(names.len(), names[0]), objects(kept))
    };
    groups.into_iter().map(clause).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2].map(objects), ["0 objects", "1 object", "2 objects"]);
        let first = "a".parse().expect("a name");
        assert_eq!([1, 2].map(|n| tenants(n, &first)), ["tenant a", "2 tenants (a first)"]);
    }
}
