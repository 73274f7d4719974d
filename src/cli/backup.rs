//! `col backup`: settings in, operation, summary out.

use std::process::ExitCode;

use super::args::{BackupArgs, ConnectionArgs};
use super::{BackupSettings, Connect, Env, Failure, Out, run_with_events};
use crate::event::{Class, Op};

pub(super) fn run(args: &BackupArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let connect = Connect::resolve(connection, env)?;
    let settings = BackupSettings::resolve(args, env);
    run_with_events(out, Op::Backup, async |_events, _cancel| {
        let what = format!("{} into {}", connect.url, settings.folder.display());
        Err(Failure::new(Class::Bug, "this build cannot back up yet").because(what))
    })
}
