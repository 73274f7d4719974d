//! `archive show`, `archive check` and `archive cat`.

use std::process::ExitCode;

use super::args::{CatArgs, CheckArgs, ShowArgs};
use super::{Failure, Out, run_with_events};
use crate::event::{Class, Op};

pub(super) fn show(args: &ShowArgs, _out: &Out) -> Result<ExitCode, Failure> {
    Err(not_yet().because(args.archive.display().to_string()))
}

pub(super) fn check(args: &CheckArgs, out: &Out) -> Result<ExitCode, Failure> {
    run_with_events(out, Op::ArchiveCheck, async |_events, _cancel| {
        Err(not_yet().because(args.archive.display().to_string()))
    })
}

pub(super) fn cat(args: &CatArgs, _out: &Out) -> Result<ExitCode, Failure> {
    let what = args.collection.clone().unwrap_or_else(|| args.archive.display().to_string());
    Err(not_yet().because(what))
}

fn not_yet() -> Failure {
    Failure::new(Class::Bug, "this build cannot read archives yet")
}
