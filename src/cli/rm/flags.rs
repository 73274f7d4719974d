//! The flags of `col rm` with their help, and what they come to.
#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::settings::{locks, named_or_folder};
use crate::cli::{Env, Failure};
use crate::model::Selection;
use crate::ops::bounds;
use crate::ops::remove::RemovalOptions;

/// Remove collections with everything in them
///
/// Shows each collection with its objects, tenants, dependent references and aliases, and the newest archive that holds
/// it. Then asks for its name, typed out, and once more above 10,000 objects or unless an archive holds everything. Before
/// the drop its schema and the list of its tenants are saved in .safety in the folder of archives. Its objects are not
/// saved: back it up first. `col create --schema-file` creates the collection again, empty.
#[derive(Debug, Args)]
pub(in crate::cli) struct RmArgs {
    /// Collections to remove; `*`, `?`, `[…]` and `{a,b}` match as in a shell
    #[arg(value_name = "NAME|GLOB", required = true)]
    pub collections: Vec<String>,
    /// Folder for archives, which .safety is in [env: ELYSIACTL_ARCHIVE_DIR] [default: ./backups]
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub output: Option<PathBuf>,
    /// Proceed only if the collections hold exactly N objects together
    #[arg(long, value_name = "N")]
    pub expect_count: Option<u64>,
    /// Remove collections whose names belong to systems: ELYSIACTL_*, ELYSIA_*, *_SYSTEM, .internal*
    #[arg(long)]
    pub allow_protected: bool,
    /// Show what would be removed, and make no changes
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; for names typed in full, for a glob only with --expect-count
    #[arg(short, long, visible_alias = "force")]
    pub yes: bool,
}

/// What `col rm` is to do.
#[derive(Debug, Clone)]
pub(in crate::cli) struct RmSettings {
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
