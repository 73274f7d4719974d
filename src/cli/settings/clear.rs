//! What `col clear` is to do.

use std::path::PathBuf;

use super::named_or_folder;
use super::restore::state_folders;
use crate::cli::args::{ClearArgs, MethodArg, each_once};
use crate::cli::{Env, Failure, memory};
use crate::model::Selection;
use crate::ops::bounds;
use crate::ops::clear::{ClearOptions, Wish};

/// What `col clear` is to do. No collection in its options: one is to be chosen.
#[derive(Debug, Clone)]
pub struct ClearSettings {
    /// Where to back up first, if anywhere.
    pub backup_first: Option<PathBuf>,
    /// Objects that there have to be.
    pub expect_count: Option<u64>,
    /// Carry on the last one, if it did not get to its end.
    pub resume: bool,
    /// Only plan.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
    /// All else.
    pub(in crate::cli) options: ClearOptions,
}

impl ClearSettings {
    pub(in crate::cli) fn resolve(args: &ClearArgs, env: &Env) -> Result<Self, Failure> {
        Ok(Self {
            backup_first: args.backup_first.clone(),
            expect_count: args.expect_count,
            resume: args.resume,
            dry_run: args.dry_run,
            yes: args.yes,
            options: ClearOptions {
                selection: Selection { take: args.collections.clone(), exclude: Vec::new() },
                tenants: each_once(&args.tenant)?,
                wish: match args.method {
                    MethodArg::Auto => Wish::Auto,
                    MethodArg::Recreate => Wish::Recreate,
                    MethodArg::Delete => Wish::Delete,
                },
                allow_protected: args.allow_protected,
                folder: named_or_folder(args.output.as_ref(), env)?,
                state: state_folders(args.run_dir.as_deref(), env)?,
                memory_bytes: args.memory_limit.map_or_else(memory::default_limit, |size| size.as_u64()),
                patience: bounds::PATIENCE,
                rehearse: !args.no_rehearsal,
                resumes: args.resume,
            },
        })
    }
}
