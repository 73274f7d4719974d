//! What all commands have of flags, and the values that flags may have. A flag is there only once it works; docs/commands is
//! made from them.
#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

mod subset;
mod tenants;
mod values;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, ValueEnum, ValueHint};

use super::Command;
pub(super) use super::connect::ConnectionArgs;

pub(super) use subset::{SubsetArgs, WhereArgs};
pub(super) use tenants::{TenantArgs, each_once};
pub(super) use values::{
    Compression, Rename, at_least_one, collection_name, jobs, memory_limit, property, rename, share,
};

/// The widest line of help.
const HELP_COLUMNS: usize = 100;
const EXIT_CODES: &str = "\
Exit codes:
  0    done and proven
  1    a bug in elysiactl
  2    wrong usage or configuration
  3    ran to its end, but something is missing, skipped or different
  4    refused: not confirmed, the target exists, is protected, or nothing matched
  5    the server cannot be reached, is not whole, refused the key, or kept failing
  6    the archive is damaged, unsealed or of an unknown version
  7    the local disk or a local file
  8    locked by another run
  130  interrupted; can be run again";

/// Back up, restore, verify and list Weaviate collections
///
/// elysiactl copies collections from a running Weaviate server into plain files over the REST API, every object as the
/// server printed it, restores them to that server or another one, and proves that nothing is missing.
///
/// Results go to stdout, everything else to stderr.
#[derive(Debug, Parser)]
#[command(name = "elysiactl", version, max_term_width = HELP_COLUMNS, disable_help_subcommand = true)]
#[command(subcommand_required = true, arg_required_else_help = true, after_long_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// How what is about to be created is tried out, shown and asked about.
#[derive(Debug, Args)]
pub(super) struct CreatingArgs {
    /// Skip the rehearsal, which first creates everything under scratch names to see whether the server takes it
    #[arg(long)]
    pub no_rehearsal: bool,
    /// Show what would be created, and make no changes; nothing is rehearsed
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Print JSON on stdout: events, one a line, or one document
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log each request to stderr; -vv logs retries, pace and topology too
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Write the log to FILE as well, at least as much as -v logs; FILE is created with mode 0600, or appended to
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub log_file: Option<PathBuf>,
    /// When to use colors; NO_COLOR turns them off too
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Colour,
    /// Draw no progress bars and print no progress lines
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    Auto,
    Always,
    Never,
}
