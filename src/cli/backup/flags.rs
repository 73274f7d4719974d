//! The flags of `col backup` with their help, and what they come to.
#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, ValueEnum, ValueHint};

use crate::archive::{Codec, Content, archives, location};
use crate::cli::args::{Compression, SubsetArgs, at_least_one, each_once, jobs, memory_limit};
use crate::cli::settings::{named_or_folder, state_folders};
use crate::cli::{Env, Failure, memory};
use crate::event::Class;
use crate::model::{Selection, TenantName};
use crate::ops::backup::{BackupOptions, Resume};
use crate::ops::bounds;

/// Back up collections into a new archive
///
/// Reads every object of the collections named (of all collections, if none is named) and writes them, with their
/// schemas, into a new directory below DIR. The archive is sealed only when the server was whole from the
/// first page to the last; counts that do not agree with what was read end with exit 3. An archive without a manifest is
/// incomplete.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is there or not")]
pub(in crate::cli) struct BackupArgs {
    /// Collections to back up; `*`, `?`, `[…]` and `{a,b}` match as in a shell [default: all]
    #[arg(value_name = "NAME|GLOB")]
    pub collections: Vec<String>,
    /// Folder for archives; each backup is a new directory in it [env: ELYSIACTL_ARCHIVE_DIR] [default: ./backups]
    ///
    /// The folder is created if it is missing.
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub output: Option<PathBuf>,
    /// Leave out a collection, by name or glob; may be repeated
    #[arg(long, value_name = "NAME|GLOB")]
    pub exclude: Vec<String>,
    /// Back up only this tenant of multi-tenant collections; may be repeated
    ///
    /// Collections that have none of the tenants named are left out.
    #[arg(long, value_name = "TENANT", conflicts_with = "schema_only")]
    pub tenant: Vec<TenantName>,
    #[command(flatten)]
    pub subset: SubsetArgs,
    /// Resume an interrupted backup: the newest one that fits, or with =ARCHIVE this one
    ///
    /// What is sealed in it is proven and kept, and the rest is read. Without names and options of content everything is as
    /// it was then. If none fits, a new backup begins.
    #[arg(long, value_name = "ARCHIVE", num_args = 0..=1, require_equals = true, value_hint = ValueHint::AnyPath)]
    #[expect(clippy::option_option, reason = "not given, given alone, given with a value")]
    pub resume: Option<Option<PathBuf>>,
    /// Back up the schemas alone, no objects
    #[arg(long, conflicts_with_all = ["skip_vectors", "where", "fields", "sample", "limit"])]
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
    /// Folder for the files of runs [default: elysiactl/runs below XDG_STATE_HOME or ~/.local/state]
    ///
    /// They name the tenants that a run activates. The next run deactivates those that a killed one left active.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub run_dir: Option<PathBuf>,
    /// Back up although nodes are missing, if every shard has a majority of its replicas on the others (exit 3)
    ///
    /// For a node that is lost for good. The archive names the missing nodes. A write that reached only them is not in it. A
    /// shard with too few replicas left is refused all the same (exit 5).
    #[arg(long)]
    pub allow_missing_nodes: bool,
    /// Show what would be backed up, and make no changes
    #[arg(long)]
    pub dry_run: bool,
}

/// What `col backup` is to do.
#[derive(Debug, Clone)]
pub(in crate::cli) struct BackupSettings {
    /// Only plan.
    pub dry_run: bool,
    /// All else.
    pub(in crate::cli) options: BackupOptions,
}

impl BackupSettings {
    pub(in crate::cli) fn resolve(args: &BackupArgs, env: &Env) -> Result<Self, Failure> {
        codec_is_no_collection(args)?;
        let folder = named_or_folder(args.output.as_ref(), env)?;
        let subset = args.subset.resolve()?;
        let as_before = args.collections.is_empty()
            && subset.is_all()
            && args.exclude.is_empty()
            && args.tenant.is_empty()
            && args.compress.is_none()
            && !(args.schema_only || args.skip_vectors || args.include_data || args.include_vectors);
        let resume = args.resume.as_ref().map(|named| {
            let archive = named.as_ref().map(|named| location::named(&*archives(), &folder, named));
            Resume { archive, as_before }
        });
        let options = BackupOptions {
            folder,
            selection: Selection { take: args.collections.clone(), exclude: args.exclude.clone() },
            tenants: each_once(&args.tenant)?,
            subset,
            content: match (args.schema_only, args.skip_vectors) {
                (true, _) => Content::SchemaOnly,
                (false, true) => Content::NoVectors,
                (false, false) => Content::Full,
            },
            codec: match args.compress {
                None => Codec::None,
                Some(Compression::Zstd) => Codec::Zstd,
                Some(Compression::Gzip) => Codec::Gzip,
                Some(Compression::Lz4) => Codec::Lz4,
            },
            jobs: args.jobs.map(Into::into),
            page_objects: args.batch_size.map(Into::into),
            memory_bytes: args.memory_limit.map_or_else(memory::default_limit, |size| size.as_u64()),
            part_age: BackupOptions::PART_AGE,
            patience: bounds::PATIENCE,
            // Without such a place everything can be backed up but tenants that sleep.
            state: state_folders(args.run_dir.as_deref(), env).ok(),
            allow_missing_nodes: args.allow_missing_nodes,
            resume,
        };
        Ok(Self { dry_run: args.dry_run, options })
    }
}

/// `-z zstd` looks as if it chose a codec, and would look for a collection.
fn codec_is_no_collection(args: &BackupArgs) -> Result<(), Failure> {
    let codec = |name: &&String| Compression::value_variants().iter().any(|known| is_named(*known, name));
    match args.collections.iter().find(codec) {
        Some(codec) if args.compress.is_some() => {
            Err(Failure::new(Class::Usage, format!("{codec:?} stands where a collection is named"))
                .hint(format!("a codec is part of its flag: --compress={codec} or -z={codec}")))
        }
        _ => Ok(()),
    }
}

fn is_named(codec: Compression, name: &str) -> bool {
    codec.to_possible_value().is_some_and(|known| known.matches(name, false))
}
