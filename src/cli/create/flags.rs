//! The flags of `col create` with their help.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::args::{CreatingArgs, at_least_one, collection_name, property};
use crate::model::CollectionName;

/// Create an empty collection
///
/// Takes a class document, such as the schema.json of an archive or of a safety copy, or a name and a few flags. What the
/// server cannot hold is refused before anything is sent, and what it created is compared with what was asked for. On a
/// terminal the plan is shown first, and one question asked. Without a terminal there is no question.
#[derive(Debug, Args)]
pub(in crate::cli) struct CreateArgs {
    /// Its name; with --schema-file another one than in the file
    #[arg(required_unless_present = "schema_file", value_parser = collection_name)]
    pub name: Option<CollectionName>,
    /// Create it from the class document in this file, `-` for stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["property", "vectorizer", "index", "distance", "replicas", "shards", "multi_tenant"])]
    pub schema_file: Option<PathBuf>,
    /// Create the tenants listed in this file too, such as the tenants.json of a safety copy
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tenants_file: Option<PathBuf>,
    /// A property and its data type, such as title:text or author:Author; may be repeated
    #[arg(long, value_name = "NAME:TYPE", value_parser = property)]
    pub property: Vec<(String, String)>,
    /// The module that makes vectors [default: none]
    #[arg(long, value_name = "none|MODULE")]
    pub vectorizer: Option<String>,
    /// The vector index [default: the server's]
    #[arg(long, value_enum)]
    pub index: Option<Index>,
    /// How the index measures distance [default: the server's, cosine]
    #[arg(long, value_enum)]
    pub distance: Option<Distance>,
    /// Copies of every object [default: the server's]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub replicas: Option<NonZeroU32>,
    /// Shards [default: one for each node]
    #[arg(long, value_name = "N", conflicts_with = "multi_tenant", value_parser = at_least_one)]
    pub shards: Option<NonZeroU32>,
    /// Keep the objects of each tenant apart
    #[arg(long)]
    pub multi_tenant: bool,
    #[command(flatten)]
    pub creating: CreatingArgs,
}

/// A vector index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Index {
    Hnsw,
    Flat,
    Dynamic,
}

/// A measure of distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Distance {
    Cosine,
    Dot,
    L2Squared,
    Hamming,
    Manhattan,
}
