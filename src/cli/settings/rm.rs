//! What `col rm` is to do.

use std::path::PathBuf;

use super::named_or_folder;
use super::restore::state_folders;
use crate::cli::args::RmArgs;
use crate::cli::{Env, Failure};
use crate::model::Selection;
use crate::ops::remove::RemovalOptions;
use crate::ops::{StateFolders, bounds};

/// What `col rm` is to do.
#[derive(Debug, Clone)]
pub struct RmSettings {
    /// Objects that there have to be.
    pub expect_count: Option<u64>,
    /// Only plan.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
    /// All else.
    pub(in crate::cli) options: RemovalOptions,
}

impl RmSettings {
    pub(in crate::cli) fn resolve(args: &RmArgs, env: &Env) -> Result<Self, Failure> {
        Ok(Self {
            expect_count: args.expect_count,
            dry_run: args.dry_run,
            yes: args.yes,
            options: RemovalOptions {
                selection: Selection { take: args.collections.clone(), exclude: Vec::new() },
                allow_protected: args.allow_protected,
                folder: named_or_folder(args.output.as_ref(), env)?,
                locks: locks(env)?,
                patience: bounds::PATIENCE,
            },
        })
    }
}

/// Where locks lie, for commands that write no other files about their runs.
pub(in crate::cli) fn locks(env: &Env) -> Result<PathBuf, Failure> {
    Ok(state_alone(env)?.locks)
}

/// Where files about runs lie, for commands that have no flag for it.
pub(in crate::cli) fn state_alone(env: &Env) -> Result<StateFolders, Failure> {
    state_folders(None, env).map_err(|failure| {
        let hint = if cfg!(windows) { "set LOCALAPPDATA" } else { "set XDG_STATE_HOME or HOME" };
        Failure { hints: vec![hint.into()], ..failure }
    })
}
