//! Resuming a backup that was interrupted: which archive, whether it is the same run, and the proof of what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{BackupOptions, BackupOutcome, gone};
use crate::archive::digest::ObjectDigest;
use crate::archive::manifest::Skipped;
use crate::archive::resume::{is_held, look, schema_begun, tidy_sealed};
use crate::archive::{self, Archive, CollectionWriter, Content, Damage, Noted, Unfinished, catalog};
use crate::event::{CollectionResult, Event, NotKeptReason, Op, RunResult, SkipReason, Status, Warning};
use crate::model::{CollectionName, ObjectId, Schema, TenantName, address, path_text};
use crate::ops::drift::{Drift, drift};
use crate::ops::{BackupDiffers, Error, Session, blocking, prove};
use crate::pipeline::limits;
use crate::pipeline::load::{self, Look, prove_part};
use crate::pipeline::store::UNWRITABLE_IDS;

/// Which interrupted backup is resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// Its archive; `None`: the newest that fits.
    pub archive: Option<PathBuf>,
    /// Whether what is backed up, and how, is as it was then, whatever the options say; otherwise it has to be the same.
    pub as_before: bool,
}

/// A backup that was interrupted and fits the one that is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// Its archive.
    pub archive: PathBuf,
    /// When it began.
    pub started: Timestamp,
    /// Parts that are safe in it, as its journal says.
    pub parts: u64,
    /// Objects in them.
    pub objects: u64,
}

impl Interrupted {
    pub(super) fn of(unfinished: &Unfinished) -> Self {
        Self {
            archive: unfinished.path.clone(),
            started: unfinished.header.started,
            parts: unfinished.checkpoint.parts(),
            objects: unfinished.checkpoint.objects(),
        }
    }
}

/// The options of a run that decide what its archive holds.
const OF_CONTENT: [(&str, BackupDiffers); 10] = [
    ("collections", BackupDiffers::Collections),
    ("exclude", BackupDiffers::Excluded),
    ("tenants", BackupDiffers::Tenants),
    ("content", BackupDiffers::Content),
    ("compress", BackupDiffers::Compression),
    ("where", BackupDiffers::Filter),
    ("fields", BackupDiffers::Fields),
    ("sample", BackupDiffers::Sample),
    ("sample_seed", BackupDiffers::SampleSeed),
    ("limit", BackupDiffers::Limit),
];

/// The first thing that an interrupted run has otherwise: what, how it was, how it is wanted.
fn misfit(
    found: &Unfinished,
    url: &str,
    version: &str,
    options: &BackupOptions,
) -> Option<(BackupDiffers, String, String)> {
    let header = &found.header;
    if address(&header.source_url) != address(url) {
        return Some((BackupDiffers::Server, header.source_url.clone(), url.to_owned()));
    }
    if header.server_version != version {
        return Some((BackupDiffers::ServerVersion, header.server_version.clone(), version.to_owned()));
    }
    other_content(&header.options, options)
}

/// The first thing that a run's options have otherwise, of those that decide what its archive holds.
fn other_content(archived: &Map<String, Value>, options: &BackupOptions) -> Option<(BackupDiffers, String, String)> {
    if options.resume.as_ref().is_some_and(|resume| resume.as_before) {
        return None;
    }
    let wanted = options.record();
    let absent = |key: &str| if key == "tenants" { "[]" } else { "nothing" };
    let shown =
        |of: &Map<String, Value>, key: &str| of.get(key).map_or_else(|| absent(key).to_owned(), Value::to_string);
    let differs = |(key, what): &(&str, BackupDiffers)| {
        let (archived, wanted) = (shown(archived, key), shown(&wanted, key));
        (archived != wanted).then_some((*what, archived, wanted))
    };
    OF_CONTENT.iter().find_map(differs)
}

/// The interrupted backup that is to be resumed. `None`: none fits, and none was named.
pub(super) async fn find(
    session: &Session,
    resume: &Resume,
    url: &str,
    version: &str,
    options: &BackupOptions,
) -> Result<Option<Unfinished>, Error> {
    let Some(path) = resume.archive.clone() else {
        let newest = newest(session, url, version, options, true).await?;
        if newest.is_none() {
            let folder = path_text(&options.folder);
            session.events.warn(Warning::NothingToResume { folder });
        }
        return Ok(newest);
    };
    let disk = Arc::clone(&session.archives);
    let found = session.unless_stopped(blocking("look", move || look(&*disk, &path))).await?;
    match misfit(&found, url, version, options) {
        None => Ok(Some(found)),
        Some((what, archived, wanted)) => Err(Error::OtherBackup { archive: found.path, what, archived, wanted }),
    }
}

/// The newest interrupted backup in the folder of archives that fits. Archives that cannot be read are passed over, and,
/// unless they are `wanted` all the same, those that a run writes at the moment.
pub(super) async fn newest(
    session: &Session,
    url: &str,
    version: &str,
    options: &BackupOptions,
    wanted: bool,
) -> Result<Option<Unfinished>, Error> {
    let (disk, folder) = (Arc::clone(&session.archives), options.folder.clone());
    let list = move || match catalog::unsealed(&*disk, &folder) {
        Err(archive::Error::NotFound { .. }) => Ok(Vec::new()),
        found => found,
    };
    let mut fitting = session.unless_stopped(blocking("list archives", list)).await?;
    fitting.retain(|unfinished| misfit(unfinished, url, version, options).is_none());
    let disk = Arc::clone(&session.archives);
    // A folder that others fill may hold up whoever looks into it: never on an async thread.
    let first = move || Ok::<_, Error>(fitting.into_iter().find(|found| wanted || !is_held(&*disk, &found.path)));
    session.unless_stopped(blocking("look at locks", first)).await
}

/// What is backed up, and how, becomes what it was then.
pub(super) fn adopt(options: &mut BackupOptions, found: &Unfinished) -> Result<(), Error> {
    let of = &found.header.options;
    let list = |key: &str| -> Vec<String> {
        of.get(key).and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
    };
    options.selection.take = list("collections");
    options.selection.exclude = list("exclude");
    options.tenants = list("tenants").into_iter().filter_map(|name| name.parse().ok()).collect();
    options.content = of.get("content").and_then(|c| serde_json::from_value(c.clone()).ok()).unwrap_or(options.content);
    options.codec = found.header.codec;
    let damaged = |_| archive::Error::Damaged { path: found.path.clone(), line: None, what: Damage::Selection };
    options.subset = serde_json::from_value(Value::Object(of.clone())).map_err(damaged)?;
    Ok(())
}

/// The collections of an interrupted run as they are now.
pub(super) struct Resumable {
    /// As they are to be read on: those that were begun with the schema they were begun with, as far as they still fit it.
    pub(super) schemas: Vec<Schema>,
    /// Those that are not there any more.
    pub(super) removed: Vec<Skipped>,
    /// Those of which nothing that is kept is resumed, and why.
    pub(super) given_up: BTreeMap<CollectionName, NotKeptReason>,
}

/// Holds the collections of an interrupted run against those that are `live`. There must be one left.
pub(super) async fn standing(session: &Session, found: &Unfinished, live: Vec<Schema>) -> Result<Resumable, Error> {
    let mut live: BTreeMap<CollectionName, Schema> = live.into_iter().map(|s| (s.name.clone(), s)).collect();
    let begun: BTreeMap<&str, &str> =
        found.checkpoint.collections.iter().map(|(folder, kept)| (kept.name.as_str(), folder.as_str())).collect();
    let (mut schemas, mut removed) = (Vec::with_capacity(found.header.collections.len()), Vec::new());
    let (mut given_up, mut first) = (BTreeMap::new(), None);
    for name in &found.header.collections {
        let name = named(&found.path, name)?;
        let Some(now) = live.remove(&name) else {
            let kept = begun.get(name.as_str()).and_then(|folder| found.checkpoint.collections.get(*folder));
            let objects = kept.iter().flat_map(|kept| kept.parts.values()).map(|part| part.objects).sum();
            // What was read whole may be the last there is of it: a new backup leaves this archive as it is.
            if objects > 0 && kept.is_some_and(|kept| kept.was_closed) {
                return Err(Error::LastCopy { archive: found.path.clone(), collection: name, objects });
            }
            given_up.insert(name.clone(), NotKeptReason::Removed);
            removed.push(gone::skipped(&name, SkipReason::RemovedSince { objects }));
            first.get_or_insert(name);
            continue;
        };
        let Some(folder) = begun.get(name.as_str()).map(|folder| (*folder).to_owned()) else {
            schemas.push(now);
            continue;
        };
        let (disk, found) = (Arc::clone(&session.archives), found.clone());
        let before = blocking("read a schema", move || schema_begun(&*disk, &found, &folder)).await?;
        if let Drift::Broke { what } = drift(&before, &now) {
            let changed = Error::SchemaChanged { collection: name.clone(), what };
            given_up.insert(name, NotKeptReason::Changed { error: changed.to_string() });
            schemas.push(now);
            continue;
        }
        schemas.push(before);
    }
    match first {
        Some(collection) if schemas.is_empty() => Err(Error::Vanished { collection }),
        _ => Ok(Resumable { schemas, removed, given_up }),
    }
}

/// Objects of a tenant that are looked for again on the server.
pub(super) const FIRST_OBJECTS: usize = 2;

/// The first objects that are kept of a tenant, in one of its runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct First {
    /// Where that run begins, exclusively.
    pub(super) from: Option<ObjectId>,
    /// Their ids and update times, [`FIRST_OBJECTS`] at most.
    pub(super) objects: Vec<(ObjectId, Option<i64>)>,
}

/// What an interrupted run had kept of a collection, proven.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// Objects that look written since the run began.
    pub(super) changed: u64,
    /// Objects that are kept without a vector the server cannot print.
    pub(super) unprintable: BTreeSet<(Option<TenantName>, ObjectId)>,
    /// First ids of objects with an integer that a restore could not write.
    pub(super) unwritable: BTreeSet<ObjectId>,
    /// The names of its shards, if they were known.
    pub(super) shards: Vec<String>,
    /// All of it was read, and the server was whole at the end.
    pub(super) was_closed: bool,
    /// By what its tenants are known again.
    pub(super) firsts: BTreeMap<TenantName, First>,
}

/// Reads every part that an interrupted run had sealed, and drops those that are not what was sealed: each is named.
pub(super) async fn prove(
    session: &Session,
    mut writer: CollectionWriter,
    noted: Noted,
    content: Content,
    changed_since_ms: Option<i64>,
) -> Result<(CollectionWriter, Kept), Error> {
    let Noted { parts, incomplete, shards, was_closed } = noted;
    let schema = writer.schema().clone();
    let mut kept = Kept { shards, was_closed, ..Kept::default() };
    let (cancel, events) = (session.cancel.clone(), session.events.clone());
    let prove = move || {
        let (digest, mut bad) = (ObjectDigest::new(&schema, content), Vec::new());
        let since = changed_since_ms.unwrap_or(i64::MAX);
        for (file, part) in parts {
            let (mut changed, mut unprintable, mut unwritable) = (0, BTreeSet::new(), BTreeSet::new());
            let mut firsts: BTreeMap<TenantName, First> = BTreeMap::new();
            let reader = writer.read_part(&part)?;
            let runs = reader.runs().to_vec();
            let proven = prove_part(reader, &schema.name, &digest, Look::Structure, |object, at| {
                changed += u64::from(object.updated_ms.is_some_and(|at| at >= since));
                let run = &runs[at.run];
                writer.see_kept(run, object);
                if let Some(tenant) = &run.tenant {
                    let from = run.covers.from;
                    let new = || First { from, objects: Vec::with_capacity(FIRST_OBJECTS) };
                    let first = firsts.entry(tenant.clone()).or_insert_with(new);
                    if first.from == from && first.objects.len() < FIRST_OBJECTS {
                        first.objects.push((object.id, object.updated_ms));
                    }
                }
                let named = (runs[at.run].tenant.clone(), object.id);
                if !incomplete.is_empty() && incomplete.contains(&named) {
                    unprintable.insert(named);
                }
                if unwritable.len() < UNWRITABLE_IDS && limits::holds_unwritable_integer(&schema, object) {
                    unwritable.insert(object.id);
                }
                !cancel.is_cancelled()
            });
            match proven {
                Ok(()) => {
                    // Part by part: a large archive takes its time.
                    let left_out: u64 = part.runs.iter().map(|run| run.left_out).sum();
                    let (objects, bytes) = (part.objects + left_out, part.bytes);
                    events.emit(Event::Resumed { collection: schema.name.clone(), objects, bytes });
                    kept.changed += changed;
                    for (tenant, first) in firsts {
                        kept.firsts.entry(tenant).or_insert(first);
                    }
                    kept.unprintable.append(&mut unprintable);
                    kept.unwritable.append(&mut unwritable);
                }
                Err(load::Error::Stopped) => return Err(Error::Interrupted),
                Err(load::Error::Archive(error @ archive::Error::Damaged { .. })) => {
                    bad.push((file, NotKeptReason::Damaged { error: error.to_string() }));
                }
                Err(load::Error::Archive(error)) => return Err(error.into()),
                Err(error @ load::Error::Line { .. }) => {
                    bad.push((file, NotKeptReason::Damaged { error: error.to_string() }));
                }
            }
        }
        for (part, _) in &bad {
            writer.discard_part(part)?;
        }
        let bad: Vec<_> = bad.into_iter().map(|(part, why)| (writer.path_of(&part), why)).collect();
        Ok((writer, kept, bad))
    };
    let (writer, kept, bad) = blocking("prove what is kept", prove).await?;
    for (file, reason) in bad {
        session.events.warn(Warning::NotKept { file, reason });
    }
    Ok((writer, kept))
}

/// The result of a backup that lacked nothing, or its last steps at most: its archive is sealed, and what the run left beside
/// the manifest goes. Nothing is read of server or parts, and a warning says so. `None` if the archive is not sealed. `url`:
/// the server that is meant, without credentials.
///
/// # Errors
///
/// [`Error::OtherBackup`] if the archive is of another server, or of other things than `options` say.
pub async fn sealed_already(
    session: &Session,
    path: &Path,
    url: &str,
    options: &BackupOptions,
) -> Result<Option<BackupOutcome>, Error> {
    let (disk, path) = (Arc::clone(&session.archives), path.to_owned());
    let finish = move || {
        match look(&*disk, &path) {
            Err(archive::Error::Sealed { .. }) => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok(None),
        }
        Archive::open(&disk, &path).map(|archive| Some((path, archive.manifest().clone())))
    };
    let Some((path, manifest)) = blocking("look", finish).await? else { return Ok(None) };
    let from = manifest.source.url.trim_end_matches('/');
    let other_server =
        (address(from) != address(url)).then(|| (BackupDiffers::Server, from.to_owned(), url.to_owned()));
    if let Some((what, archived, wanted)) = other_server.or_else(|| other_content(&manifest.options, options)) {
        return Err(Error::OtherBackup { archive: path, what, archived, wanted });
    }
    let (disk, place) = (Arc::clone(&session.archives), path.clone());
    blocking("finish", move || tidy_sealed(&*disk, &place)).await?;
    session.events.warn(Warning::SealedAlready { archive: path_text(&path), sealed: manifest.sealed });
    let whole = manifest.skipped.is_empty()
        && manifest.incomplete.is_empty()
        && manifest
            .collections
            .iter()
            .all(|c| !c.consistency.count_mismatch && c.consistency.vanished.is_none() && !c.replicas_differ());
    let mut collections = Vec::new();
    for entry in &manifest.collections {
        let name = named(&path, &entry.name)?;
        collections
            .push(CollectionResult { changed_seen: entry.consistency.changed_seen, ..prove::archived(name, entry) });
    }
    let status = if whole { Status::Ok } else { Status::Incomplete };
    let result = RunResult::of(Op::Backup, status, Some(path_text(&path)), collections);
    let result = RunResult { resumed_objects: result.objects, ..result };
    Ok(Some(BackupOutcome { result, manifest, left_behind: Vec::new() }))
}

/// A name that an archive, or its journal, gives a collection.
fn named(archive: &Path, name: &str) -> Result<CollectionName, archive::Error> {
    let damaged =
        || archive::Error::Damaged { path: archive.to_owned(), line: None, what: Damage::Name(name.to_owned()) };
    name.parse().map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Checkpoint, CheckpointHeader, Codec, RunAbout, manifest};
    use crate::event::Class;
    use crate::ops::Hint;

    #[tokio::test]
    async fn a_journal_that_names_what_no_server_has_is_damaged() {
        let header = CheckpointHeader {
            format: manifest::Format { major: 1, minor: 1 },
            tool: RunAbout::this_tool(),
            run_id: String::new(),
            started: Timestamp::UNIX_EPOCH,
            source_url: String::new(),
            server_version: String::new(),
            codec: Codec::None,
            collections: vec!["../Article".into()],
            options: Map::new(),
            server_time_ms: None,
        };
        let found = Unfinished { path: "/a".into(), header, checkpoint: Checkpoint::default() };
        let error = standing(&Session::default(), &found, Vec::new()).await.err().expect("a hostile name");
        let is_named = |what: &Damage| *what == Damage::Name("../Article".into());
        assert!(matches!(&error, Error::Archive(archive::Error::Damaged { what, .. }) if is_named(what)), "{error:?}");
        assert_eq!((error.class(), error.hints()), (Class::Archive, vec![Hint::ArchiveDamaged]));
    }
}
