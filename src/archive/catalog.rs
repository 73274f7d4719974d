//! The archives in a folder: what each one holds, as its manifest says. What is in them is not proven here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::content::Content;
use super::disk::{Disk, Kind};
use super::error::{DiskOp, Error, on};
use super::manifest::Manifest;
use super::reader::open_manifest;
use super::resume::{self, Unfinished};
use crate::model::address;

/// Entries of a folder looked through at most.
const ENTRIES: usize = 20_000;
/// Archives with vectors kept of each collection that somebody asks about.
const HOLDERS_KEPT: usize = 8;
/// Names of collections kept of an archive.
const NAMES_KEPT: usize = 8;

/// A sealed archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its directory.
    pub path: PathBuf,
    /// When its manifest was written, UTC.
    pub sealed: Timestamp,
    /// The most that was kept of any of its collections.
    pub content: Content,
    /// Collections in it.
    pub collections: usize,
    /// Names of the first of them, at most eight.
    pub names: Vec<String>,
    /// Objects in all of them.
    pub objects: u64,
    /// Plain bytes of those objects.
    pub bytes: u64,
    /// Whether it holds a part of the objects on purpose, of any of its collections.
    pub is_selection: bool,
}

/// What a folder of archives holds.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Sealed archives, the newest first.
    pub sealed: Vec<Found>,
    /// Archives that are unsealed, damaged or unreadable, by path, and why.
    pub unusable: Vec<(PathBuf, Error)>,
}

/// Looks at every archive in a folder. Hidden directories, links and what is no archive are passed over.
pub fn list(disk: &dyn Disk, folder: &Path) -> Result<Catalog, Error> {
    look_through(disk, folder, |manifest| Some(content_of(manifest, |_| true).unwrap_or(Content::SchemaOnly)))
}

/// The newest sealed archive that holds at least this much: of `collection`, if one is named. One that holds a part of the
/// objects on purpose is none.
pub fn latest(
    disk: &dyn Disk,
    folder: &Path,
    collection: Option<&str>,
    least: Content,
) -> Result<Option<Found>, Error> {
    let wanted = |name: &str| collection.is_none_or(|collection| collection == name);
    let enough = |manifest: &Manifest| {
        let content = content_of(manifest, wanted).filter(|content| much(*content) >= much(least));
        content.filter(|_| !manifest.is_selection())
    };
    let mut sealed = look_through(disk, folder, enough)?.sealed;
    // Of two sealed in one instant the one that holds more.
    sealed.sort_by_key(|found| std::cmp::Reverse((found.sealed, much(found.content))));
    Ok(sealed.into_iter().next())
}

/// The archives in a folder whose run was interrupted, or goes on, the one begun last first. What cannot be read is passed
/// over.
pub fn unsealed(disk: &dyn Disk, folder: &Path) -> Result<Vec<Unfinished>, Error> {
    let mut found: Vec<Unfinished> =
        archives(disk, folder)?.iter().filter_map(|path| resume::look(disk, path).ok()).collect();
    found.sort_by(|a, b| (b.header.started, &b.path).cmp(&(a.header.started, &a.path)));
    Ok(found)
}

/// A sealed archive that holds collections of a server with their objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its directory.
    pub path: PathBuf,
    /// When its manifest was written, UTC.
    pub sealed: Timestamp,
    /// Those of the collections that were asked about.
    pub names: Vec<String>,
}

/// The archives of the server at `url`, however it is spelled, that hold any of these collections with their objects, as their manifests say, the
/// newest first: of each collection the newest eight with vectors, the newest without, the newest with a part of its objects
/// alone, and the newest of another collection of its name. `names`: what is asked about, with the shards it has, where they are known.
pub fn holders(
    disk: &dyn Disk,
    folder: &Path,
    url: &str,
    names: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Holder>, Error> {
    type Newest = Vec<(Timestamp, PathBuf)>;
    let mut of_each: BTreeMap<&str, [Newest; 4]> = BTreeMap::new();
    for path in archives(disk, folder)? {
        let Ok((_, manifest)) = open_manifest(disk, &path) else { continue };
        if address(&manifest.source.url) != address(url) {
            continue;
        }
        for entry in &manifest.collections {
            let Some((name, shards)) = names.get_key_value(&entry.name) else { continue };
            let [full, without, part, other] = of_each.entry(name).or_default();
            let (kept, most) = match entry.content {
                Content::SchemaOnly => continue,
                _ if entry.is_of_other_shards(shards) => (other, 1),
                _ if entry.selection.is_some() => (part, 1),
                Content::Full => (full, HOLDERS_KEPT),
                Content::NoVectors => (without, 1),
            };
            kept.push((manifest.sealed, path.clone()));
            kept.sort_by(|a, b| b.cmp(a));
            kept.truncate(most);
        }
    }
    let mut holders: BTreeMap<(Timestamp, PathBuf), Vec<String>> = BTreeMap::new();
    for (name, kept) in of_each {
        for at in kept.into_iter().flatten() {
            holders.entry(at).or_default().push(name.to_owned());
        }
    }
    let holder = |((sealed, path), names)| Holder { path, sealed, names };
    Ok(holders.into_iter().rev().map(holder).collect())
}

/// What was kept of the collections named like this; `None` if there are none.
fn content_of(manifest: &Manifest, wanted: impl Fn(&str) -> bool) -> Option<Content> {
    manifest.collections.iter().filter(|c| wanted(&c.name)).map(|c| c.content).max_by_key(|content| much(*content))
}

/// How much was kept, in order.
fn much(content: Content) -> u8 {
    match content {
        Content::Full => 2,
        Content::NoVectors => 1,
        Content::SchemaOnly => 0,
    }
}

/// Reads the manifests of a folder, one after the other, and keeps the facts of those that `content` says something of.
fn look_through(
    disk: &dyn Disk,
    folder: &Path,
    content: impl Fn(&Manifest) -> Option<Content>,
) -> Result<Catalog, Error> {
    let mut catalog = Catalog::default();
    for path in archives(disk, folder)? {
        match open_manifest(disk, &path) {
            Ok((_, manifest)) => catalog.sealed.extend(content(&manifest).map(|kept| facts(path, &manifest, kept))),
            Err(Error::NotAnArchive { .. } | Error::NotFound { .. }) => {}
            Err(why) => catalog.unusable.push((path, why)),
        }
    }
    // Of two sealed in one instant the one with the later name is the newer: its name counts on.
    catalog.sealed.sort_by(|a, b| (b.sealed, &b.path).cmp(&(a.sealed, &a.path)));
    Ok(catalog)
}

/// The directories in a folder that may be archives, by name.
fn archives(disk: &dyn Disk, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let real = disk.follow(folder).map_err(|e| no_folder(e, folder))?;
    let opened = disk.open_folder(&real).map_err(|e| no_folder(e, folder))?;
    let mut entries = opened.list("", ENTRIES).map_err(on(DiskOp::List, folder))?;
    if entries.len() > ENTRIES {
        return Err(Error::TooMany { path: folder.to_owned(), limit: ENTRIES });
    }
    entries.retain(|entry| entry.kind == Kind::Dir && !entry.name.as_encoded_bytes().starts_with(b"."));
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries.into_iter().map(|entry| folder.join(entry.name)).collect())
}

fn facts(path: PathBuf, manifest: &Manifest, content: Content) -> Found {
    let all = &manifest.collections;
    Found {
        path,
        sealed: manifest.sealed,
        content,
        collections: all.len(),
        names: all.iter().take(NAMES_KEPT).map(|c| c.name.clone()).collect(),
        objects: all.iter().fold(0, |sum, c| sum.saturating_add(c.objects)),
        bytes: all.iter().fold(0, |sum, c| sum.saturating_add(c.bytes)),
        is_selection: manifest.is_selection(),
    }
}

fn no_folder(error: std::io::Error, folder: &Path) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound { path: folder.to_owned() },
        std::io::ErrorKind::NotADirectory => Error::OutputIsFile { path: folder.to_owned() },
        _ => Error::disk(DiskOp::Open, folder, 0, error),
    }
}

#[cfg(test)]
mod tests;
