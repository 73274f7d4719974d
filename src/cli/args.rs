//! The tree of commands and flags with their help. A flag is here only once it works; docs/commands is made from this.
#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

mod clear;
mod create;
mod inventory;
mod tenants;
mod values;

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::model::{CollectionName, TenantName};
use crate::ops::restore::{Origin, Setting};
use crate::ops::verify;

pub(super) use clear::{ClearArgs, MethodArg};
pub(super) use create::{CreateArgs, Distance, Index};
pub(super) use inventory::{ColShowArgs, LsArgs};
pub(super) use tenants::{TenantArgs, each_once};
pub use values::Compression;
pub(super) use values::Rename;
use values::{at_least_one, collection_name, jobs, memory_limit, rename, setting, share, stall_timeout};

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
/// server printed it, puts them back on that server or another one, and proves that nothing is missing.
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

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Work with the collections of a server
    #[command(subcommand, visible_alias = "collection", arg_required_else_help = true)]
    Col(Box<ColCommand>),
    /// Work with archives on disk, without a server
    #[command(subcommand, arg_required_else_help = true)]
    Archive(ArchiveCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum ColCommand {
    Ls(LsArgs),
    Show(ColShowArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Verify(VerifyArgs),
    Create(CreateArgs),
    Rm(RmArgs),
    Clear(ClearArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum ArchiveCommand {
    Show(ShowArgs),
    Check(CheckArgs),
    Cat(CatArgs),
}

/// Back up collections into a new archive
///
/// Reads every object of the collections named (of all collections, if none is named) and writes them, with their
/// schemas, into a new directory below DIR. The archive is sealed only when the server was whole from the
/// first page to the last; counts that do not agree with what was read end with exit 3. An archive without a manifest is
/// incomplete.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is there or not")]
pub(super) struct BackupArgs {
    /// Collections to back up; `*`, `?`, `[…]` and `{a,b}` match as in a shell [default: all]
    #[arg(value_name = "NAME|GLOB")]
    pub collections: Vec<String>,
    /// Folder for archives; each backup is a new directory in it [env: ELYSIACTL_ARCHIVE_DIR] [default: ./backups]
    ///
    /// The folder is made if it is missing.
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// Leave out a collection, by name or glob; may be repeated
    #[arg(long, value_name = "NAME|GLOB")]
    pub exclude: Vec<String>,
    /// Back up only this tenant of multi-tenant collections; may be repeated
    ///
    /// Collections that have none of the tenants named are left out.
    #[arg(long, value_name = "TENANT", conflicts_with = "schema_only")]
    pub tenant: Vec<TenantName>,
    /// Carry on an interrupted backup: the newest one that fits, or with =ARCHIVE this one
    ///
    /// What is sealed in it is proven and kept, and the rest is read. Without names and options of content everything is as
    /// it was then. If none fits, a new backup begins.
    #[arg(long, value_name = "ARCHIVE", num_args = 0..=1, require_equals = true, value_hint = ValueHint::DirPath)]
    #[expect(clippy::option_option, reason = "not given, given alone, given with a value")]
    pub resume: Option<Option<PathBuf>>,
    /// Back up the schemas alone, no objects
    #[arg(long, conflicts_with = "skip_vectors")]
    pub schema_only: bool,
    /// Back up objects without their vectors
    #[arg(long)]
    pub skip_vectors: bool,
    /// Back up objects; this is the default
    #[arg(long, hide_short_help = true, conflicts_with = "schema_only")]
    pub include_data: bool,
    /// Back up vectors; this is the default
    #[arg(long, hide_short_help = true, conflicts_with_all = ["schema_only", "skip_vectors"])]
    pub include_vectors: bool,
    /// Compress the files; without a value with zstd [default: plain JSON lines]
    #[arg(short = 'z', long, value_name = "CODEC", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "zstd", hide_possible_values = false)]
    pub compress: Option<Compression>,
    /// Requests in flight at most, up to 256 [default: decided while running]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Objects asked for in one page [default: decided while running]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one)]
    pub batch_size: Option<NonZeroU32>,
    /// Memory for pages and buffers, such as 64MiB [default: 128 MiB, or a quarter of the container's limit]
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub memory_limit: Option<ByteSize>,
    /// Folder for the files of runs: which sleeping tenants were woken, so that the next run puts back what a killed one
    /// left awake [default: elysiactl/runs below XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub run_dir: Option<PathBuf>,
    /// Back up although nodes are missing, if every shard has a majority of its replicas on the others (exit 3)
    ///
    /// For a node that is lost for good. The archive names the missing nodes. A write that reached only them is not in it. A
    /// shard with too few replicas left is refused all the same (exit 5).
    #[arg(long)]
    pub allow_missing_nodes: bool,
    /// Show what would be backed up, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Restore an archive into new collections
///
/// Creates the collections of the archive on the server, writes every object with its id and vectors, and compares the
/// result with the archive. A collection that exists already is never touched: restore under another name instead. Only
/// tenants named by --tenant or --into-tenant are added to one that exists, if it has none of these names. On a terminal
/// the plan is shown first and one question asked; without a terminal none.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is there or not")]
pub(super) struct RestoreArgs {
    /// The archive: its directory, or its name in the folder of archives [default: choose from a list]
    ///
    /// The folder of archives is ELYSIACTL_ARCHIVE_DIR, or else ./backups.
    #[arg(value_hint = ValueHint::DirPath)]
    pub archive: Option<PathBuf>,
    /// Take the newest archive with objects and their vectors (with --skip-vectors the newest with objects); with =NAME the
    /// newest one that holds this collection
    ///
    /// All of its collections are restored; --only takes some of them.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, conflicts_with = "archive")]
    #[arg(default_missing_value = "")]
    pub latest: Option<String>,
    /// Restore only this collection, by name or glob; may be repeated
    #[arg(long, value_name = "NAME|GLOB")]
    pub only: Vec<String>,
    /// Leave out these collections, by name or glob; may be repeated
    #[arg(long, value_name = "NAME|GLOB")]
    pub exclude: Vec<String>,
    /// Restore the only collection chosen under this name
    #[arg(long, value_name = "NEW", conflicts_with = "rename")]
    pub name: Option<CollectionName>,
    /// Restore the collection OLD as NEW, or all with '*=Staging*'; may be repeated
    ///
    /// With one * on each side it is a pattern for every collection of the archive that has no OLD=NEW of its own: what the *
    /// stands for is kept. References, aliases and roles follow. Add OLD=OLD for one that keeps its name.
    #[arg(long, value_name = "OLD=NEW", value_parser = rename)]
    pub rename: Vec<Rename>,
    #[command(flatten)]
    pub tenants: TenantArgs,
    /// Create the collections alone, without objects
    #[arg(long, conflicts_with_all = ["skip_vectors", "revectorize", "clamp_ints"])]
    pub skip_data: bool,
    /// Restore objects without their vectors
    #[arg(long)]
    pub skip_vectors: bool,
    /// Let the server make the vectors of objects that lack them; this may cost money
    #[arg(long)]
    pub revectorize: bool,
    /// With --revectorize, let the collection's modules send objects and keys to this address; may be repeated
    ///
    /// A schema may name where a module sends its requests, with the key of the module. Scheme, host and port have to be
    /// the same.
    #[arg(long, value_name = "URL", requires = "revectorize")]
    pub allow_endpoint: Vec<Origin>,
    /// Change integers that the server would refuse into the nearest ones it takes
    #[arg(long)]
    pub clamp_ints: bool,
    /// Requests in flight at most, up to 256 [default: decided while running]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Objects of one batch [default: decided while running]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one)]
    pub batch_size: Option<NonZeroU32>,
    /// Memory for batches and buffers, such as 64MiB [default: 128 MiB, or a quarter of the container's limit]
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub memory_limit: Option<ByteSize>,
    /// Aliases that the archive knows: make those that are missing (keep), also give those that exist to the restored
    /// collections (overwrite), or leave all alone (skip)
    #[arg(long, value_enum, value_name = "POLICY", default_value = "keep", hide_possible_values = true)]
    pub alias: AliasArg,
    /// Make the roles of the archive that the server lacks
    ///
    /// Roles that exist are not changed. Users, their keys, and who has which role are never brought back.
    #[arg(long)]
    pub with_roles: bool,
    /// Restore with another setting: vectorizer=none or objectTtl=off; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<Setting>,
    /// Do not compare the result with the archive
    #[arg(long)]
    pub no_verify: bool,
    /// Folder for the files of runs: what was done, and the objects that were refused
    ///
    /// Each run makes a directory of its own in it [default: elysiactl/runs below XDG_STATE_HOME or ~/.local/state, on
    /// Windows below LOCALAPPDATA].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub run_dir: Option<PathBuf>,
    /// Carry on a restore of the same that did not get to its end
    ///
    /// What it wrote is not sent again; what it left half-made is finished. Archive, server and what is restored must be
    /// the same; --jobs, --batch-size, --memory-limit and --no-verify may be others. Without an archive the newest such
    /// restore to this server is meant. If there is none, a new one is begun.
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub creating: CreatingArgs,
}

/// How what is about to be created is tried out, shown and asked about.
#[derive(Debug, Args)]
pub(super) struct CreatingArgs {
    /// Do not try out first, under scratch names, whether the server takes what is created
    #[arg(long)]
    pub no_rehearsal: bool,
    /// Show what would be created, and make no changes; nothing is rehearsed
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Show what an archive holds
///
/// Reads the manifest alone: collections, counts, digests, when and from where it was made, and what is not in it.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The archive's directory
    #[arg(value_hint = ValueHint::DirPath)]
    pub archive: PathBuf,
}

/// Check every byte of an archive against its manifest
///
/// Reads all of it: structure, hashes, counts, order and digests. What is damaged is named, file by file, and the rest
/// read all the same. Needs no server.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The archives' directories
    #[arg(required = true, value_hint = ValueHint::DirPath)]
    pub archive: Vec<PathBuf>,
    /// Memory for lines and buffers, such as 64MiB [default: 128 MiB, or a quarter of the container's limit]
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub memory_limit: Option<ByteSize>,
}

/// Print the objects of an archive, one JSON object a line
///
/// Each part of the archive (of some 64 MiB) is proven before a line of it is printed. At the first one that is damaged it
/// ends with exit code 6; what was printed of the parts before stands. `archive check` proves all of them.
#[derive(Debug, Args)]
pub(super) struct CatArgs {
    /// The archive's directory
    #[arg(value_hint = ValueHint::DirPath)]
    pub archive: PathBuf,
    /// The collection to print [default: all]
    pub collection: Option<String>,
    /// Memory for lines and buffers, such as 64MiB [default: 128 MiB, or a quarter of the container's limit]
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub memory_limit: Option<ByteSize>,
}

/// Compare an archive with live collections, object by object
///
/// Reads every object of the archive and of the collections on the server, and names what is missing, extra or
/// different. What it reads of the archive is checked on the way. Sends reading requests only, but for tenants that
/// sleep: they are woken a few at a time and put back.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The archive's directory
    #[arg(value_hint = ValueHint::DirPath)]
    pub archive: PathBuf,
    /// The name on the server of the only collection compared
    #[arg(long, value_name = "NEW", value_parser = collection_name)]
    pub name: Option<CollectionName>,
    /// A collection that has another name on the server, or all with '*=Staging*'; may be repeated
    #[arg(long, value_name = "OLD=NEW", value_parser = rename)]
    pub rename: Vec<Rename>,
    /// Compare only this collection of the archive, by name or glob; may be repeated [default: all]
    #[arg(long, value_name = "NAME|GLOB")]
    pub only: Vec<String>,
    #[command(flatten)]
    pub tenants: TenantArgs,
    /// Compare only about this share of the objects, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub sample: Option<f64>,
    /// Name so many differing objects at most; all are counted
    #[arg(long, value_name = "N", default_value_t = verify::VerifyOptions::LIMIT)]
    pub limit: usize,
    /// Requests in flight at most, up to 256 [default: decided while running]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Memory for pages and buffers, such as 64MiB [default: 128 MiB, or a quarter of the container's limit]
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub memory_limit: Option<ByteSize>,
    /// Folder for the files of runs: which sleeping tenants were woken, so that the next run puts back what a killed one
    /// left awake [default: elysiactl/runs below XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub run_dir: Option<PathBuf>,
}

/// What becomes of aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AliasArg {
    Keep,
    Overwrite,
    Skip,
}

/// Remove collections with everything in them
///
/// Shows each collection with its objects, tenants, references and aliases, and the newest archive that holds it; then
/// asks for its name, typed out, and once more above 10,000 objects or unless an archive holds everything. Its schema and
/// the list of its tenants are saved in .safety in the folder of archives before it is dropped; its objects are not:
/// back it up first. `col create --schema-file` makes the collection again, empty.
#[derive(Debug, Args)]
pub(super) struct RmArgs {
    /// Collections to remove; `*`, `?`, `[…]` and `{a,b}` match as in a shell
    #[arg(value_name = "NAME|GLOB", required = true)]
    pub collections: Vec<String>,
    /// Folder for archives, which .safety is in [env: ELYSIACTL_ARCHIVE_DIR] [default: ./backups]
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    /// Go on only if the collections hold exactly so many objects together
    #[arg(long, value_name = "N")]
    pub expect_count: Option<u64>,
    /// Remove collections whose names belong to systems: ELYSIACTL_*, ELYSIA_*, *_SYSTEM, .internal*
    #[arg(long)]
    pub allow_protected: bool,
    /// Show what would be removed, and send nothing that writes
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; for names typed in full, for a glob only with --expect-count
    #[arg(short, long, visible_alias = "force")]
    pub yes: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArgs {
    /// The server [env: WEAVIATE_URL] [default: http://localhost:8080]
    ///
    /// Without a scheme https is used, and http for this machine. If neither --url nor WEAVIATE_URL is given, WCD_URL
    /// is used together with WCD_API_KEY.
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub url: Option<String>,
    /// Read the API key from a file, `-` for stdin; otherwise it comes from the environment [env: WEAVIATE_API_KEY]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub api_key_file: Option<PathBuf>,
    // Refused with advice: what stands on a command line can be read by every user of the machine.
    #[arg(long, global = true, hide = true, num_args = 0..=1, default_missing_value = "", allow_hyphen_values = true)]
    pub api_key: Option<String>,
    /// Send a header with every request: NAME=@env:VAR or NAME=@file:PATH; may be repeated
    ///
    /// NAME=VALUE is taken only for headers that hold no secret.
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    pub header: Vec<String>,
    /// Trust the certificates in this PEM file as well
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca_cert: Option<PathBuf>,
    /// Show this certificate (PEM) to the server
    #[arg(long, global = true, value_name = "FILE", requires = "client_key", value_hint = ValueHint::FilePath)]
    pub client_cert: Option<PathBuf>,
    /// The private key (PEM) of --client-cert
    #[arg(long, global = true, value_name = "FILE", requires = "client_cert", value_hint = ValueHint::FilePath)]
    pub client_key: Option<PathBuf>,
    /// Do not check the server's certificate
    #[arg(long, global = true)]
    pub insecure: bool,
    /// Give up an answer in which nothing moves for this long; there is no total time limit
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = stall_timeout)]
    pub stall_timeout: Duration,
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
    /// When to use colours; NO_COLOR turns them off too
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
