//! What `col clear` is to do.

use std::path::PathBuf;

use super::named_or_folder;
use super::restore::state_folders;
use crate::cli::args::{ClearArgs, MethodArg, each_once};
use crate::cli::{Env, Failure, memory};
use crate::model::{Selection, TenantName};
use crate::ops::StateFolders;
use crate::ops::clear::Wish;

/// What `col clear` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct ClearSettings {
    /// Which collections; none: to be chosen.
    pub selection: Selection,
    /// Which tenants; none: all.
    pub tenants: Vec<TenantName>,
    /// Which way.
    pub wish: Wish,
    /// Where to back up first, if anywhere.
    pub backup_first: Option<PathBuf>,
    /// The folder of archives.
    pub folder: PathBuf,
    /// Objects that there have to be.
    pub expect_count: Option<u64>,
    /// Whether protected names may be emptied.
    pub allow_protected: bool,
    /// Bytes that pages may take.
    pub memory_limit: u64,
    /// Where files about runs lie.
    pub state: StateFolders,
    /// Carry on the last one, if it did not get to its end.
    pub resume: bool,
    /// Try out first that the server takes back what is dropped.
    pub rehearse: bool,
    /// Only plan.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
}

impl ClearSettings {
    pub(in crate::cli) fn resolve(args: &ClearArgs, env: &Env) -> Result<Self, Failure> {
        Ok(Self {
            selection: Selection { take: args.collections.clone(), exclude: Vec::new() },
            tenants: each_once(&args.tenant)?,
            wish: match args.method {
                MethodArg::Auto => Wish::Auto,
                MethodArg::Recreate => Wish::Recreate,
                MethodArg::Delete => Wish::Delete,
            },
            backup_first: args.backup_first.clone(),
            folder: named_or_folder(args.output.as_ref(), env)?,
            expect_count: args.expect_count,
            allow_protected: args.allow_protected,
            memory_limit: args.memory_limit.map_or_else(memory::default_limit, |size| size.as_u64()),
            state: state_folders(args.run_dir.as_deref(), env)?,
            resume: args.resume,
            rehearse: !args.no_rehearsal,
            dry_run: args.dry_run,
            yes: args.yes,
        })
    }
}
