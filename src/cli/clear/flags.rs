//! The flags of `col clear` with their help, and what they come to.
#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, ValueEnum, ValueHint};

use crate::cli::args::{each_once, memory_limit};
use crate::cli::settings::{named_or_folder, state_folders};
use crate::cli::{Env, Failure, memory};
use crate::model::{Selection, TenantName};
use crate::ops::bounds;
use crate::ops::clear::{ClearOptions, Wish};

/// Which way objects go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum MethodArg {
    /// Whatever fits; the plan says which, and why
    Auto,
    /// Drop the collection and create it again from its schema: as fast for any number of objects
    Recreate,
    /// List the objects and delete them by their ids: touches nothing else, and what is written meanwhile stays
    Delete,
}

/// Empty collections, and keep their schema, aliases and tenants
///
/// Shows each collection with its objects, how they will be removed, dependent references and aliases, and the newest
/// archive that holds it. Then asks for its name, typed out, and once more above 10,000 objects or unless an archive holds
/// everything. Afterwards the collection is counted: exit 0 means that it is empty, and that its schema and its tenants
/// with their states are as before.
///
/// Before anybody is asked, what would be dropped is rehearsed: created under a scratch name, with its tenants, compared,
/// and removed. If the server would not take it back as it is, its objects are deleted instead, or nothing is done.
///
/// Before a collection is dropped, its schema is saved in .safety in the folder of archives. If the run is killed before
/// the collection is there again, running it once more creates it.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is there or not")]
pub(in crate::cli) struct ClearArgs {
    /// Collections to empty; `*`, `?`, `[…]` and `{a,b}` match as in a shell [default: choose from a list]
    #[arg(value_name = "NAME|GLOB")]
    pub collections: Vec<String>,
    /// Empty only this tenant of the only collection named; may be repeated
    #[arg(long, value_name = "TENANT", conflicts_with_all = ["delete_schema", "backup_first"])]
    pub tenant: Vec<TenantName>,
    /// How the objects are removed
    #[arg(long, value_name = "METHOD", value_enum, default_value = "auto", conflicts_with = "delete_schema")]
    pub method: MethodArg,
    /// Keep the collection itself; this is the default
    #[arg(long, hide_short_help = true, conflicts_with = "delete_schema")]
    pub keep_schema: bool,
    /// Remove the collection itself too, as `col rm` does
    #[arg(long)]
    pub delete_schema: bool,
    /// Back up into an archive in DIR first, and proceed only if it holds everything
    ///
    /// That is checked once more right before anything is removed.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::AnyPath, conflicts_with_all = ["delete_schema", "dry_run"])]
    pub backup_first: Option<PathBuf>,
    /// Folder for archives, which .safety is in [env: ELYSIACTL_ARCHIVE_DIR] [default: ./backups]
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub output: Option<PathBuf>,
    /// Proceed only if the collections hold exactly N objects together
    #[arg(long, value_name = "N")]
    pub expect_count: Option<u64>,
    /// Empty collections whose names belong to systems: ELYSIACTL_*, ELYSIA_*, *_SYSTEM, .internal*
    #[arg(long)]
    pub allow_protected: bool,
    /// Memory for pages, such as 64MiB [default: 128 MiB, or a quarter of the container's limit]
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub memory_limit: Option<ByteSize>,
    /// Folder for the files of runs: what was done
    ///
    /// Each run makes a directory of its own in it, and looks there for runs that did not finish [default:
    /// elysiactl/runs below XDG_STATE_HOME or ~/.local/state, on Windows below LOCALAPPDATA].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub run_dir: Option<PathBuf>,
    /// Resume the last clear on this server, if it is unfinished
    ///
    /// If there is none, nothing is done (exit code 4). Without names its collections, and its tenants, are meant. It asks
    /// again, for what is left: a collection that it dropped is created again, one that is not empty is emptied. With --yes
    /// the names are still needed, or --expect-count.
    #[arg(long, conflicts_with_all = ["delete_schema", "backup_first"])]
    pub resume: bool,
    /// Skip the rehearsal, which first creates what would be dropped under a scratch name
    ///
    /// For keys that may create nothing under another name. A collection is then dropped only with --method recreate, and
    /// that the server takes its schema back is not proven.
    #[arg(long, conflicts_with = "delete_schema")]
    pub no_rehearsal: bool,
    /// Show what would be emptied and how, and make no changes; what would be dropped is not rehearsed
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; for names typed in full, for a glob only with --expect-count
    #[arg(short, long, visible_alias = "force")]
    pub yes: bool,
}

/// What `col clear` is to do. No collection in its options: one is to be chosen.
#[derive(Debug, Clone)]
pub(in crate::cli) struct ClearSettings {
    /// Where to back up first, if anywhere.
    pub backup_first: Option<PathBuf>,
    /// Objects that there have to be.
    pub expect_count: Option<u64>,
    /// Resume the last one, if it is unfinished.
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
