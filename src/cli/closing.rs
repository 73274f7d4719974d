//! The remarks of a manifest in words, for the closing summary and `archive show`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::archive::manifest::{CollectionEntry, Limit, LimitKind, Skipped, TenantsChanged, TopologyState};
use crate::archive::{Content, Manifest};
use crate::event::SkipReason;
use crate::model::shell_text;
use crate::render::{Closing, Label, Note, Objects, count, plain, shell_path, size, skip_reason};

pub(super) use crate::render::counted;

/// Lengths of a vector named at most.
const LENGTHS_NAMED: usize = 4;
/// What is said of aliases where the key may not see them all.
pub(super) const UNSEEN_ALIASES: &str = "not known: the key may not see them all (read_aliases)";

/// That more aliases may stand for a collection than those that are listed.
pub(super) fn unseen_aliases(listed: &[String]) -> String {
    format!("{} {UNSEEN_ALIASES}", if listed.is_empty() { "its aliases are" } else { "its other aliases are" })
}

/// Server and version in one phrase.
pub(super) fn server(url: &str, version: &str) -> String {
    plain(&format!("{url} (Weaviate {version})"))
}

/// That the server was not seen to be whole, and why.
pub(super) fn unchecked(why: Option<&String>) -> Option<String> {
    why.map(|why| plain(&format!("whether every node of the server was there: {why}")))
}

/// A flag with a path, a space before it, for a command that is to be typed next: nothing without a path.
pub(super) fn path_flag(flag: &str, path: Option<&Path>) -> String {
    path.map(|path| format!(" {flag} {}", shell_path(path))).unwrap_or_default()
}

/// The command that checks an archive.
pub(super) fn check_command(archive: Option<&str>) -> String {
    format!("elysiactl archive check {}", shell_text(archive.unwrap_or("ARCHIVE")))
}

/// Everything a manifest has to say beyond its numbers. `archive`: where it lies.
pub(super) fn of(manifest: &Manifest, archive: Option<&str>) -> Closing {
    let is_schema = |c: &CollectionEntry| c.content == Content::SchemaOnly;
    let schemas_only = !manifest.collections.is_empty() && manifest.collections.iter().all(is_schema);
    let stored = size(manifest.files.iter().map(|f| f.bytes).sum());
    let topology = &manifest.source.topology;
    let reason = topology.reason.clone().unwrap_or_default();
    let asked = topology.state == TopologyState::Whole || !topology.missing.is_empty();
    Closing { objects: if schemas_only { Objects::SchemasOnly } else { Objects::Counted }, ..Closing::default() }
        .with(Label::Archive, archive.map(|path| format!("{} ({stored} on disk)", shell_text(path))))
        .with(Label::Unchecked, unchecked(Some(&reason).filter(|_| !asked)))
        .with_notes(Label::Selection, manifest.collections.iter().filter_map(selection))
        .with_notes(Label::Counts, uncounted(manifest))
        .with_notes(Label::Replicas, manifest.collections.iter().filter_map(replicas))
        .with_notes(Label::Changed, manifest.collections.iter().filter_map(change))
        .with_notes(Label::Limits, limits(&manifest.limits).into_iter().chain(lengths(manifest)))
        .with_notes(Label::Skipped, skipped(&manifest.skipped))
        .with_notes(Label::Incomplete, incomplete(manifest))
}

fn change(entry: &CollectionEntry) -> Option<Note> {
    let mut clauses = Vec::new();
    if let (Some(before), Some(after)) = (entry.counts.before, entry.counts.after)
        && before != after
    {
        clauses.push(format!("{} before and {} after", counted(before, "object"), count(after)));
    }
    let TenantsChanged { added, deleted } = &entry.tenants_changed;
    if !added.is_empty() {
        clauses.push(format!("{} came meanwhile and were read too", counted(added.len() as u64, "tenant")));
    }
    if !deleted.is_empty() {
        clauses.push(format!("{} went meanwhile", counted(deleted.len() as u64, "tenant")));
    }
    if entry.schema_changed {
        clauses.push("the schema grew (schema.before.json is the earlier one)".into());
    }
    (!clauses.is_empty()).then(|| Note { about: entry.name.clone(), text: clauses.join("; ") })
}

/// What of a collection's objects was wanted, and how many that are.
fn selection(entry: &CollectionEntry) -> Option<Note> {
    let selection = entry.selection.as_ref()?;
    let of = format!("{} of {} read", count(entry.objects), counted(selection.objects_read, "object"));
    // What cannot be understood was refused with the manifest.
    let subset = selection.subset().map(|subset| subset.to_string()).unwrap_or_default();
    Some(Note { about: entry.name.clone(), text: format!("{of}: {subset}") })
}

/// The collections whose objects the server did not count.
fn uncounted(manifest: &Manifest) -> Vec<Note> {
    let uncounted = manifest.collections.iter().filter(|entry| entry.is_uncounted());
    let text = "not verified: the server did not say how many objects there are";
    uncounted.map(|entry| Note { about: entry.name.clone(), text: text.to_owned() }).collect()
}

fn replicas(entry: &CollectionEntry) -> Option<Note> {
    let found = entry.replica_check.as_ref()?;
    let mut clauses = Vec::new();
    if let Some(reason) = &found.reason {
        clauses.push(format!("read from one replica, which could not be compared with the others: {reason}"));
    }
    if found.repaired > 0 {
        let older = counted(found.repaired, "object");
        clauses.push(format!("{older} older on the replica that was read; the server repaired it first"));
    }
    if found.counts_moved {
        clauses.push("how many objects each replica holds could not be told while objects were written".to_owned());
    }
    (!clauses.is_empty()).then(|| Note { about: entry.name.clone(), text: clauses.join("; ") })
}

/// What can never be kept or was kept from the key, but for what is true of every archive.
pub(super) fn limits(limits: &[Limit]) -> Vec<Note> {
    limits.iter().filter_map(limit).collect()
}

/// Vectors that come in several lengths, a line for each collection.
fn lengths(manifest: &Manifest) -> impl Iterator<Item = Note> {
    manifest.collections.iter().filter_map(|c| {
        let first = c.vector_lengths.first()?;
        let each = first.lengths.iter().take(LENGTHS_NAMED);
        let each = each.map(|one| format!("{} in {}", one.length, counted(one.objects, "object")));
        let tenant = first.tenant.as_ref().map_or_else(String::new, |tenant| format!(" of tenant {tenant}"));
        let more = match c.vector_lengths.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more such"),
        };
        let each = each.collect::<Vec<_>>().join(", ");
        let text =
            format!("vectors differ in length ({}: {each}{tenant}{more}), and a vector index takes one", first.vector);
        Some(Note { about: c.name.clone(), text })
    })
}

fn limit(limit: &Limit) -> Option<Note> {
    let properties = limit.properties.join(", ");
    let text = match limit.kind {
        // True of every archive: the documentation says so, not every summary.
        LimitKind::CreationTimes | LimitKind::ApiKeys | LimitKind::Other => return None,
        LimitKind::BlobHash => format!("a restore cannot bring back the blobHash values of {properties}"),
        LimitKind::ObjectTtl if limit.properties.is_empty() => {
            "objects expire; after a restore their age counts from the restore".to_owned()
        }
        LimitKind::ObjectTtl => {
            format!(
                "objects expire by {properties}: a server removes those again that have expired when they are restored"
            )
        }
        LimitKind::Compression => format!("a restore has the server train its compression again: {properties}"),
        LimitKind::DroppedVectors => {
            format!("left out, since the server was dropping them when the collection was read: vectors {properties}")
        }
        LimitKind::ReadOnly => format!("shards take no writes, which a restore does not bring back: {properties}"),
        LimitKind::Integers => {
            let first = limit.first_ids.first().map(String::as_str).unwrap_or_default();
            format!("holds integers the server prints but will not take back (first in {first})")
        }
        LimitKind::Aliases => {
            "its aliases may not be in the archive: the key may not see them all (read_aliases)".to_owned()
        }
        LimitKind::Roles => "may not be in the archive: the key may not see them all (read_roles)".to_owned(),
        LimitKind::Collections => {
            "may be there and not in the archive: the key may not see them all (read_collections)".to_owned()
        }
    };
    let about = limit.collection.clone().unwrap_or_else(|| match limit.kind {
        LimitKind::Aliases => "Every collection".to_owned(),
        LimitKind::Roles => "Roles".to_owned(),
        LimitKind::Collections => "Other collections".to_owned(),
        _ => String::new(),
    });
    Some(Note { about, text })
}

/// Why things were left out; tenants that were for the same reason are named together.
pub(super) fn skipped(skipped: &[Skipped]) -> Vec<Note> {
    let mut together: BTreeMap<(&str, bool, &SkipReason), Vec<&str>> = BTreeMap::new();
    for Skipped { collection, tenant, reason } in skipped {
        let tenants = together.entry((collection, tenant.is_some(), reason)).or_default();
        tenants.extend(tenant.as_deref());
    }
    let named = |tenants: Vec<&str>| match tenants.as_slice() {
        [] => String::new(),
        [one] => format!(", tenant {one}"),
        [first, ..] => format!(", {} ({first} first)", counted(tenants.len() as u64, "tenant")),
    };
    let remark = |((collection, _, reason), tenants): ((&str, bool, &SkipReason), Vec<&str>)| Note {
        about: collection.to_owned() + &named(tenants),
        text: skip_reason(reason),
    };
    together.into_iter().map(remark).collect()
}

/// That nodes were missing, if any were.
pub(super) fn missing_nodes(missing: &[String]) -> Option<Note> {
    let text = format!(
        "missing while it was read: {}; every shard had a majority of its replicas on the others",
        missing.join(", ")
    );
    (!missing.is_empty()).then(|| Note { about: "Nodes".to_owned(), text })
}

fn incomplete(manifest: &Manifest) -> Vec<Note> {
    let objects = manifest.incomplete.iter().map(|i| Note {
        about: i.collection.clone(),
        text: format!("object {} is kept without its vectors, which the server cannot print (NaN or Inf)", i.id),
    });
    let of_ttl = |limit: &&Limit| limit.kind == LimitKind::ObjectTtl;
    let expires =
        |name: &str| manifest.limits.iter().filter(of_ttl).any(|limit| limit.collection.as_deref() == Some(name));
    let mismatched = manifest.collections.iter().filter(|c| c.consistency.count_mismatch).map(|c| Note {
        about: c.name.clone(),
        text: format!(
            "{} listed, but the server counts {}, and {}",
            counted(c.selection.as_ref().map_or(c.objects, |one| one.objects_read), "object"),
            count(c.counts.after.or(c.counts.before).unwrap_or(0)),
            if expires(&c.name) { "objects of it expire, which may be why" } else { "no writer explains it" }
        ),
    });
    let vanished = manifest.collections.iter().filter_map(|c| {
        let objects = counted(c.consistency.vanished?, "object");
        let text = format!("at least {objects} deleted by somebody before they were read, and not in the archive");
        Some(Note { about: c.name.clone(), text })
    });
    let differing = manifest.collections.iter().filter_map(|c| {
        let any = c.consistency.on_any_replica?;
        let (listed, any) = (counted(c.objects, "object"), count(any));
        let text = format!("replicas differ: {listed} listed, {any} on at least one replica");
        Some(Note { about: c.name.clone(), text })
    });
    let disagreeing = manifest.collections.iter().filter_map(|c| {
        let objects = c.replica_check.as_ref().map(|found| found.differing).filter(|objects| *objects > 0)?;
        let text = format!("the replicas of {} hold different versions; one was read", counted(objects, "object"));
        Some(Note { about: c.name.clone(), text })
    });
    let missing = missing_nodes(&manifest.source.topology.missing);
    missing.into_iter().chain(mismatched).chain(vanished).chain(differing).chain(disagreeing).chain(objects).collect()
}
