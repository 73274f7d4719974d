//! What must hold inside a manifest before any other file is looked at: safe names, no doubles, sums that add up.

use std::collections::BTreeSet;

use super::super::codec::Codec;
use super::super::content::Content;
use super::super::digest::collection_digest;
use super::super::error::Damage;
use super::super::names;
use super::{CollectionEntry, Manifest};
use crate::model::{CollectionName, TenantName};

/// Refuses a manifest that contradicts itself or names what no archive of ours holds.
pub(in crate::archive) fn consistent(manifest: &Manifest) -> Result<(), Damage> {
    files(manifest)?;
    let mut folders = BTreeSet::new();
    let mut collections = BTreeSet::new();
    let mut expected = BTreeSet::from([names::SUMS.to_owned()]);
    for entry in &manifest.collections {
        entry.name.parse::<CollectionName>().map_err(|_| Damage::Name(entry.name.clone()))?;
        if !names::is_folder(&entry.folder) {
            return Err(Damage::Name(entry.folder.clone()));
        }
        if !folders.insert(entry.folder.to_ascii_lowercase()) || !collections.insert(&entry.name) {
            return Err(Damage::NamedTwice(entry.name.clone()));
        }
        tenants(entry)?;
        selection(entry)?;
        parts(entry, manifest.codec)?;
        let mut of = |file: &str| expected.insert(path_of(entry, file));
        of(names::SCHEMA);
        if entry.schema_changed {
            of(names::SCHEMA_BEFORE);
        }
        if entry.content != Content::SchemaOnly {
            of(names::INDEX);
        }
        for part in &entry.parts {
            of(&part.file);
        }
    }
    let optional = |path: &str| {
        path == names::ALIASES
            || path == names::ROLES
            || manifest.collections.iter().any(|c| c.multi_tenant && path == path_of(c, names::TENANTS))
    };
    for file in &manifest.files {
        if !expected.remove(&file.path) && !optional(&file.path) {
            return Err(Damage::Name(file.path.clone()));
        }
    }
    if expected.is_empty() { Ok(()) } else { Err(Damage::Sums("collections and files")) }
}

/// The path of a collection's file in the archive.
pub(in crate::archive) fn path_of(entry: &CollectionEntry, file: &str) -> String {
    format!("{}/{}/{file}", names::COLLECTIONS, entry.folder)
}

fn files(manifest: &Manifest) -> Result<(), Damage> {
    match manifest.files.windows(2).find(|pair| pair[0].path >= pair[1].path) {
        Some(pair) => Err(Damage::NamedTwice(pair[1].path.clone())),
        None => Ok(()),
    }
}

fn tenants(entry: &CollectionEntry) -> Result<(), Damage> {
    let ordered = entry.tenants.is_sorted_by(|a, b| a.tenant < b.tenant);
    let shape = match (entry.content, entry.multi_tenant) {
        (Content::SchemaOnly, _) => entry.tenants.is_empty() && entry.digest.is_none(),
        (_, true) => entry.tenants.iter().all(|t| t.tenant.is_some()),
        (_, false) => entry.tenants.len() == 1 && entry.tenants[0].tenant.is_none(),
    };
    for tenant in entry.tenants.iter().filter_map(|t| t.tenant.as_ref()) {
        tenant.parse::<TenantName>().map_err(|_| Damage::Name(tenant.clone()))?;
    }
    let objects = total(entry.tenants.iter().map(|t| t.objects));
    let bytes = total(entry.tenants.iter().map(|t| t.bytes));
    if !ordered || !shape || objects != Some(entry.objects) || bytes != Some(entry.bytes) {
        return Err(Damage::Sums("tenants"));
    }
    let of_tenants =
        collection_digest(entry.tenants.iter().map(|t| (t.tenant.as_deref().unwrap_or(""), t.objects, t.digest)));
    if entry.digest.is_some_and(|declared| declared != of_tenants)
        || (entry.digest.is_none() && entry.content != Content::SchemaOnly)
    {
        return Err(Damage::Digest);
    }
    Ok(())
}

fn selection(entry: &CollectionEntry) -> Result<(), Damage> {
    let Some(selection) = &entry.selection else { return Ok(()) };
    selection.subset()?;
    let is_kept = entry.content != Content::SchemaOnly && entry.objects <= selection.objects_read;
    let is_limited = selection.limit.is_none_or(|limit| entry.objects <= limit);
    if is_kept && is_limited { Ok(()) } else { Err(Damage::Selection) }
}

fn parts(entry: &CollectionEntry, codec: Codec) -> Result<(), Damage> {
    let mut last = None;
    for part in &entry.parts {
        let number = names::part_number(&part.file, codec).ok_or_else(|| Damage::Name(part.file.clone()))?;
        if last.is_some_and(|last| number <= last) {
            return Err(Damage::NamedTwice(part.file.clone()));
        }
        last = Some(number);
        if part.objects == 0 || part.runs == 0 || part.runs > part.objects {
            return Err(Damage::Sums("parts"));
        }
    }
    let objects = total(entry.parts.iter().map(|p| p.objects));
    let bytes = total(entry.parts.iter().map(|p| p.bytes));
    if objects == Some(entry.objects) && bytes == Some(entry.bytes) { Ok(()) } else { Err(Damage::Sums("parts")) }
}

fn total(mut numbers: impl Iterator<Item = u64>) -> Option<u64> {
    numbers.try_fold(0u64, u64::checked_add)
}
