//! The flags of `col verify` with their help, and what they come to.
#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, ValueHint};

use crate::cli::args::{Rename, TenantArgs, WhereArgs, collection_name, jobs, memory_limit, rename, share};
use crate::cli::settings::{place, state_folders};
use crate::cli::{Env, Failure, memory};
use crate::event::Class;
use crate::model::{CollectionName, Selection};
use crate::ops::bounds;
use crate::ops::verify::{self, VerifyOptions};

/// Compare an archive with live collections, object by object
///
/// Reads every object of the archive and of the collections on the server, and names what is missing, extra or
/// different. What it reads of the archive is checked on the way. Makes no changes, but inactive tenants are activated, a
/// few at a time, and deactivated again.
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The archive's directory
    #[arg(value_hint = ValueHint::AnyPath)]
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
    #[command(flatten)]
    pub filter: WhereArgs,
    /// Compare about this share of the objects only, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub sample: Option<f64>,
    /// Name at most N differing objects; all are counted
    #[arg(long, value_name = "N", default_value_t = verify::VerifyOptions::LIMIT)]
    pub limit: usize,
    /// Requests in flight at most, up to 256 [default: decided while running]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Memory for pages and buffers, such as 64MiB [default: 128 MiB, or a quarter of the container's limit]
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub memory_limit: Option<ByteSize>,
    /// Folder for the files of runs [default: elysiactl/runs below XDG_STATE_HOME or ~/.local/state]
    ///
    /// They name the tenants that a run activates. The next run deactivates those that a killed one left active.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub run_dir: Option<PathBuf>,
}

pub(super) fn options(args: &VerifyArgs, env: &Env) -> Result<VerifyOptions, Failure> {
    let twice = |name| Failure::new(Class::Usage, format!("--rename gives {name} two names"));
    Ok(VerifyOptions {
        archive: place(&args.archive, env)?,
        selection: Selection { take: args.only.clone(), exclude: Vec::new() },
        name: args.name.clone(),
        renames: Rename::all(&args.rename).map_err(twice)?,
        tenants: args.tenants.map()?,
        state: state_folders(args.run_dir.as_deref(), env).ok(),
        filter: args.filter.resolve()?,
        sample: args.sample,
        limit: args.limit,
        jobs: args.jobs.map(Into::into),
        memory_bytes: args.memory_limit.map_or_else(memory::default_limit, |size| size.as_u64()),
        patience: bounds::PATIENCE,
        seed: uuid::Uuid::new_v4().as_u64_pair().0,
    })
}
