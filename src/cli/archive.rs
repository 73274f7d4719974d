//! `archive show`, `archive check` and `archive cat`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;

use super::args::{CatArgs, CheckArgs, ShowArgs};
use super::connect::session;
use super::explain::explain;
use super::{Env, Failure, Finished, Out, closing, run_with_events, settings, show};
use crate::archive::{Archive, Disk, OsDisk};
use crate::event::Op;
use crate::ops::cat::CatError;
use crate::ops::{cat, check};

/// The archive meant: a path, or else a name in the folder of archives.
pub(super) fn place(archive: &Path, env: &Env) -> PathBuf {
    place_in(&settings::folder(env), archive)
}

/// A path, or else a name in this folder of archives.
pub(super) fn place_in(folder: &Path, archive: &Path) -> PathBuf {
    let inside = folder.join(archive);
    if !archive.exists() && archive.components().count() == 1 && inside.exists() { inside } else { archive.to_owned() }
}

pub(super) fn show(args: &ShowArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let archive = Archive::open(&disk, &place(&args.archive, env)).map_err(|e| explain(&e.into()))?;
    if out.json() {
        out.document(archive.manifest())?;
    } else {
        out.text(&show::text(archive.path(), archive.manifest()))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn check(args: &CheckArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let archive = place(&args.archive, env);
    run_with_events(out, Op::ArchiveCheck, false, async |events, cancel| {
        let readers = available_parallelism().map_or(1, usize::from);
        let session = session(events, cancel);
        let outcome = check::run(&session, check::Options { archive, readers }).await.map_err(|e| explain(&e))?;
        let source = &outcome.manifest.source;
        let closing = closing::of(&outcome.manifest, closing::server(&source.url, &source.server_version));
        Ok(Finished { result: outcome.result, closing })
    })
}

pub(super) fn cat(args: &CatArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let mut lines = out.results();
    let done = cat::run(&disk, &place(&args.archive, env), args.collection.as_deref(), &mut lines);
    done.map_err(|e| match e {
        CatError::Archive(e) => explain(&e),
        CatError::Output(e) => Failure::from_stdout(&e),
    })?;
    Ok(ExitCode::SUCCESS)
}
