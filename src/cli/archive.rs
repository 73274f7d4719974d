//! `archive show`, `archive check` and `archive cat`.

pub(super) mod flags;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;

use bytesize::ByteSize;

use self::flags::{CatArgs, CheckArgs, ShowArgs};
use super::explain::{Verb, explain};
use super::settings::place;
use super::{Env, Failure, Finished, Out, closing, memory, run_with_events, show};
use crate::archive::{Archive, archives};
use crate::event::{Class, Op};
use crate::ops::cat::CatError;
use crate::ops::exposed::warn_of_open_folders;
use crate::ops::{Session, cat, check};

pub(super) fn show(args: &ShowArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let archive =
        Archive::open(&archives(), &place(&args.archive, env)?).map_err(|e| explain(Verb::Archive, &e.into()))?;
    if out.json() {
        out.document(archive.manifest())?;
    } else {
        out.text(&show::text(archive.path(), archive.manifest(), out.columns()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks one archive after the other, each a run of its own. The exit code is that of the first one that fails.
pub(super) fn check(args: &CheckArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let archives = args.archive.iter().map(|archive| place(archive, env)).collect::<Result<Vec<_>, _>>()?;
    let last = archives.len().saturating_sub(1);
    let mut first_failure = None;
    for (at, archive) in archives.into_iter().enumerate() {
        match check_one(archive, memory_bytes(args.memory_limit), out) {
            Ok(_) => {}
            Err(failure) if failure.class == Class::Interrupted => return Err(failure),
            Err(failure) if at == last && first_failure.is_none() => return Err(failure),
            Err(failure) => {
                let code = out.failure(&failure);
                first_failure.get_or_insert(code);
            }
        }
    }
    Ok(first_failure.unwrap_or(ExitCode::SUCCESS))
}

fn memory_bytes(limit: Option<ByteSize>) -> u64 {
    limit.map_or_else(memory::default_limit, |limit| limit.as_u64())
}

fn check_one(archive: PathBuf, memory_bytes: u64, out: &Out) -> Result<ExitCode, Failure> {
    run_with_events(out, Op::ArchiveCheck, false, async |events, cancel| {
        let readers = available_parallelism().map_or(1, usize::from);
        let session = Session::new(events, cancel);
        warn_of_open_folders(&session, vec![archive.clone()]).await;
        let outcome = check::run(&session, check::CheckOptions { archive, readers, memory_bytes })
            .await
            .map_err(|e| explain(Verb::Archive, &e))?;
        let closing = closing::of(&outcome.manifest, outcome.result.archive.as_deref());
        Ok(Finished { result: outcome.result, closing })
    })
}

pub(super) fn cat(args: &CatArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let mut lines = out.results();
    let memory = memory_bytes(args.memory_limit);
    let done = cat::run(&archives(), &place(&args.archive, env)?, args.collection.as_deref(), memory, &mut lines);
    done.map_err(|e| match e {
        CatError::Archive(e) => explain(Verb::Archive, &e),
        CatError::Output(e) => Failure::from_stdout(&e),
    })?;
    Ok(ExitCode::SUCCESS)
}
