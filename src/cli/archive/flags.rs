//! The flags of `archive show`, `archive check` and `archive cat`.

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, ValueHint};

use crate::cli::args::memory_limit;

/// Show what an archive holds
///
/// Reads the manifest alone: collections, counts, digests, when and from where it was made, and what is not in it.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// The archive's directory
    #[arg(value_hint = ValueHint::AnyPath)]
    pub archive: PathBuf,
}

/// Check every byte of an archive against its manifest
///
/// Reads all of it: structure, hashes, counts, order and digests. Damaged files are named, and the rest is read all the
/// same. Needs no server.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// The archives' directories
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
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
pub(in crate::cli) struct CatArgs {
    /// The archive's directory
    #[arg(value_hint = ValueHint::AnyPath)]
    pub archive: PathBuf,
    /// The collection to print [default: all]
    pub collection: Option<String>,
    /// Memory for lines and buffers, such as 64MiB [default: 128 MiB, or a quarter of the container's limit]
    #[arg(long, value_name = "SIZE", value_parser = memory_limit)]
    pub memory_limit: Option<ByteSize>,
}
