//! Which archive is restored: named, the newest, or chosen from a list.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::flags::{RestoreSettings, Source};
use crate::archive::catalog::{self, Catalog, Found};
use crate::archive::{self, Content, archives, location};
use crate::cli::explain::{Verb, explain};
use crate::cli::{Failure, Out, confirm};
use crate::event::Class;
use crate::ops::{Session, restore};
use crate::render::{counted, date, plain, shell_path, size};

/// Unusable archives named in the advice.
const UNUSABLE_NAMED: usize = 5;

/// The archive to restore.
pub(super) async fn archive(
    settings: &RestoreSettings,
    out: &Out,
    cancel: &CancellationToken,
) -> Result<PathBuf, Failure> {
    let folder = &settings.folder;
    match &settings.source {
        Source::Named(path) => {
            let (folder, path) = (folder.clone(), path.clone());
            read(cancel, move || Ok(location::named(&*archives(), &folder, &path))).await
        }
        Source::Latest(collection) => latest(settings, collection.clone(), cancel).await,
        Source::Open if settings.dry_run => newest(folder, cancel).await,
        Source::Open if out.asks() => choose(folder, out, cancel).await,
        Source::Open => Err(Failure::new(Class::Usage, "no archive is named")
            .hint("name one, or take the newest with --latest or --latest=NAME")),
    }
}

/// The archive of the newest restore that did not get to its end, if one is to be resumed and nobody said which.
pub(super) async fn left_open(
    settings: &RestoreSettings,
    session: &Session,
    url: &str,
) -> Result<Option<PathBuf>, Failure> {
    if !settings.options.resume || settings.source != Source::Open {
        return Ok(None);
    }
    restore::left_open(session, settings.options.state.runs.clone(), url).await.map_err(|e| explain(Verb::Restore, &e))
}

/// What a dry run says first where no archive is named. `is_left_open`: it is that of a run that stopped.
pub(super) fn unnamed(archive: &Path, is_left_open: bool) -> String {
    let which = if is_left_open { "that of the restore that stopped" } else { "the newest one" };
    format!("No archive is named: this is a plan for {which}, {}\n", shell_path(archive))
}

/// The newest archive with vectors; where none are wanted, the newest with objects.
async fn latest(
    settings: &RestoreSettings,
    collection: Option<String>,
    cancel: &CancellationToken,
) -> Result<PathBuf, Failure> {
    let (folder, vectors) = (settings.folder.clone(), settings.options.vectors);
    let (looked_in, wanted) = (folder.clone(), collection.clone());
    let look = move || {
        let of = |content| catalog::latest(&*archives(), &looked_in, wanted.as_deref(), content);
        let with_vectors = if vectors { of(Content::Full)? } else { None };
        let with_objects = if with_vectors.is_none() { of(Content::NoVectors)? } else { None };
        Ok((with_vectors, with_objects))
    };
    let what = if vectors { "objects and their vectors" } else { "objects" };
    let what = collection.map_or_else(|| format!(" with {what}"), |name| format!(" with {what} of {name:?}"));
    match read(cancel, look).await? {
        (Some(found), _) => Ok(found.path),
        (None, Some(found)) if !vectors => Ok(found.path),
        (None, Some(without)) => {
            let path = shell_path(&without.path);
            Err(none(&folder, &what).hint(format!("{path} holds objects without vectors: name it to restore those")))
        }
        (None, None) => Err(none(&folder, &what)),
    }
}

/// The newest sealed archive, whatever it holds: for a plan that nothing follows.
async fn newest(folder: &Path, cancel: &CancellationToken) -> Result<PathBuf, Failure> {
    let looked_in = folder.to_owned();
    let found = read(cancel, move || catalog::latest(&*archives(), &looked_in, None, Content::SchemaOnly)).await?;
    found.map(|found| found.path).ok_or_else(|| none(folder, ""))
}

/// Lets a person choose among all sealed archives.
async fn choose(folder: &Path, out: &Out, cancel: &CancellationToken) -> Result<PathBuf, Failure> {
    let looked_in = folder.to_owned();
    let Catalog { mut sealed, unusable } = read(cancel, move || catalog::list(&*archives(), &looked_in)).await?;
    let named = |failure: Failure, (path, why): &(PathBuf, archive::Error)| {
        failure.hint(format!("{} cannot be restored: {why}", shell_path(path)))
    };
    if sealed.is_empty() {
        return Err(unusable.iter().take(UNUSABLE_NAMED).fold(none(folder, ""), named));
    }
    let prompt = match unusable.len() {
        0 => "Archive to restore".into(),
        n => format!("Archive to restore ({} not shown: unsealed or damaged)", counted(n as u64, "archive")),
    };
    let chosen = confirm::choose(out, cancel, &prompt, items(&sealed)).await?;
    Ok(sealed.swap_remove(chosen).path)
}

fn none(folder: &Path, what: &str) -> Failure {
    let folder = shell_path(folder);
    Failure::new(Class::Refused, format!("there is no sealed archive{what} in {folder}"))
        .hint("name an archive, or its folder in the environment variable ELYSIACTL_ARCHIVE_DIR")
}

/// Reads the folder of archives off the async threads, unless the run is told to stop.
async fn read<T: Send + 'static>(
    cancel: &CancellationToken,
    work: impl FnOnce() -> Result<T, archive::Error> + Send + 'static,
) -> Result<T, Failure> {
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => match done {
            Ok(done) => done.map_err(|e| explain(Verb::Restore, &e.into())),
            Err(panic) => {
                let panic = anyhow::Error::new(panic).context("cannot read the folder of archives");
                Err(Failure::of(Class::Bug)(panic))
            }
        },
        () = cancel.cancelled() => Err(Failure::new(Class::Interrupted, "interrupted; nothing was changed")),
    }
}

/// A line for each archive: name, time, collections, objects.
fn items(sealed: &[Found]) -> Vec<String> {
    let name = |found: &Found| plain(&found.path.file_name().unwrap_or_default().to_string_lossy());
    let longest = sealed.iter().map(|found| name(found).chars().count()).max().unwrap_or(0);
    let item = |found: &Found| {
        let collections = counted(found.collections as u64, "collection");
        let what = match found.content {
            Content::SchemaOnly => "no objects".into(),
            Content::NoVectors => format!("{}, {}, no vectors", counted(found.objects, "object"), size(found.bytes)),
            Content::Full => format!("{}, {}", counted(found.objects, "object"), size(found.bytes)),
        };
        let selected = if found.is_selection { ", a selection" } else { "" };
        let sealed = date(found.sealed);
        format!("{:<longest$}  {sealed}  {collections}, {what}{selected}", name(found))
    };
    sealed.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_an_archive_holds() {
        let found = |name: &str, content, collections| Found {
            path: Path::new("/backups").join(name),
            sealed: "2026-11-23T04:12:00.5Z".parse().expect("a time"),
            content,
            collections,
            names: Vec::new(),
            objects: 100_000,
            bytes: 420 << 20,
            is_selection: name.contains("selected"),
        };
        let all = [
            found("Article_full_20261123_041200", Content::Full, 1),
            found("all_selected_1", Content::Full, 1),
            found("all_full_1", Content::NoVectors, 12),
            found("x\u{1b}[2J", Content::SchemaOnly, 2),
        ];
        assert_eq!(
            items(&all),
            [
                "Article_full_20261123_041200  2026-11-23 04:12:00Z  1 collection, 100,000 objects, 420.0 MiB",
                "all_selected_1                2026-11-23 04:12:00Z  1 collection, 100,000 objects, 420.0 MiB, a selection",
                "all_full_1                    2026-11-23 04:12:00Z  12 collections, 100,000 objects, 420.0 MiB, no vectors",
                r"x\u{1b}[2J                    2026-11-23 04:12:00Z  2 collections, no objects",
            ]
        );
    }
}
