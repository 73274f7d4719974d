//! The flags of `col restore` with their help, what they come to, and how they are given again.
#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{Args, ValueEnum, ValueHint};
use secrecy::SecretString;

use crate::cli::args::{CreatingArgs, Rename, SubsetArgs, TenantArgs, at_least_one, jobs, memory_limit, rename};
use crate::cli::schema_file::class_document;
use crate::cli::settings::{folder, state_folders};
use crate::cli::{Env, Failure, memory};
use crate::event::Class;
use crate::model::{CollectionName, Renames, Selection};
use crate::ops::bounds;
use crate::ops::restore::{AliasPolicy, ConflictPolicy, Merge, Origin, RestoreOptions, SchemaFile, Setting};
use crate::render::{quoted, shell_path};

/// Restore an archive into new collections
///
/// Creates the collections of the archive on the server, writes every object with its id and vectors, and compares the
/// result with the archive. A collection that exists is changed only with --merge; without it, tenants named by --tenant
/// or --into-tenant are added to a collection that has none of these names. On a terminal the plan is shown first, and one
/// question asked. Without a terminal there is no question.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is there or not")]
pub(in crate::cli) struct RestoreArgs {
    /// The archive: its directory, or its name in the folder of archives [default: choose from a list]
    ///
    /// The folder of archives is ELYSIACTL_ARCHIVE_DIR, or ./backups.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub archive: Option<PathBuf>,
    /// Restore the newest archive with objects and vectors; with =NAME the newest one that holds this collection
    ///
    /// All of its collections are restored; --only takes some of them. With --skip-vectors the archive needs no vectors.
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
    #[command(flatten)]
    pub subset: SubsetArgs,
    /// Create the collections alone, without objects
    #[arg(long, conflicts_with_all = ["skip_vectors", "revectorize", "clamp_ints", "where", "fields", "sample", "limit"])]
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
    /// Aliases of the archive: create the missing ones (keep), also move the existing ones to the restored collections
    /// (overwrite), or leave all alone (skip)
    #[arg(long, value_enum, value_name = "POLICY", default_value = "keep", hide_possible_values = true)]
    pub alias: AliasArg,
    /// Create the roles of the archive that the server lacks
    ///
    /// Roles that exist are not changed. Users, their keys, and who has which role are never restored.
    #[arg(long)]
    pub with_roles: bool,
    /// Restore the only collection chosen by the class document in this file, `-` for stdin
    ///
    /// For what no --set reaches: edit a copy of the schema.json in the archive. What cannot hold the archived objects is
    /// refused: a property or vector that is gone, another data type, switched multi-tenancy.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub schema_file: Option<PathBuf>,
    /// Restore with another setting, such as replicationFactor=1 or vectorizer=none; may be repeated
    ///
    /// KEY is a path in the class document, such as invertedIndexConfig.bm25.b, or a short name: replicationFactor, shards,
    /// quantizer (none, pq, bq, sq or rq) or objectTtl (off, or seconds). Settings of vectors, such as vectorizer,
    /// vectorIndexType and vectorIndexConfig.ef, are set for every vector, those of properties, such as tokenization, for
    /// every property that can have them; vectorConfig.NAME.KEY and properties.NAME.KEY are for one alone.
    /// COLLECTION.KEY=VALUE is for one of several collections, by its name in the archive. The plan shows what is changed.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<Setting>,
    /// Merge into collections that exist: add the objects that they lack
    ///
    /// Every object is compared with the one that is there, before the plan is shown: with --dry-run that is all. Objects
    /// with the same content are not sent; --on-conflict decides about the others. Those that the archive lacks stay as they
    /// are. A collection that does not exist is created.
    #[arg(long, conflicts_with = "skip_data")]
    pub merge: bool,
    /// With --merge, what becomes of objects that are there with another content: refuse the plan (fail), leave them (skip),
    /// replace them (overwrite), or those that were updated earlier than the archive's (newer)
    ///
    /// What is replaced is sealed first in an archive of its own, in .safety in the folder of archives. Restoring that with
    /// --merge --on-conflict overwrite puts it back. newer goes by the times of the last updates, which a restore sets anew.
    #[arg(
        long,
        value_enum,
        value_name = "POLICY",
        default_value = "fail",
        hide_possible_values = true,
        requires = "merge"
    )]
    pub on_conflict: ConflictArg,
    /// With --merge, add the properties that a collection lacks
    #[arg(long, requires = "merge")]
    pub add_properties: bool,
    /// With --merge, refuse any difference between the schemas, not only what the objects need
    #[arg(long, requires = "merge")]
    pub strict: bool,
    /// Do not compare the result with the archive
    #[arg(long)]
    pub no_verify: bool,
    /// Folder for the files of runs: what was done, and the objects that were refused
    ///
    /// Each run makes a directory of its own in it [default: elysiactl/runs below XDG_STATE_HOME or ~/.local/state, on
    /// Windows below LOCALAPPDATA].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub run_dir: Option<PathBuf>,
    /// Resume an unfinished restore
    ///
    /// What it wrote is not sent again; what it left half-done is finished. Archive, server and what is restored must be
    /// the same; --jobs, --batch-size, --memory-limit and --no-verify may differ. Without an archive the newest unfinished
    /// restore to this server is resumed. If there is none, a new one begins.
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub creating: CreatingArgs,
}

/// What becomes of aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AliasArg {
    Keep,
    Overwrite,
    Skip,
}

/// What becomes of objects that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ConflictArg {
    Fail,
    Skip,
    Overwrite,
    Newer,
}

/// Differences the comparison lists at most.
const DIFFERENCES_LISTED: usize = 20;

/// Which archive is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Source {
    /// This one: a path, or a name in the folder of archives.
    Named(PathBuf),
    /// The newest with objects, of this collection if one is named.
    Latest(Option<String>),
    /// Nobody said.
    Open,
}

/// What `col restore` is to do.
#[derive(Debug, Clone)]
pub(in crate::cli) struct RestoreSettings {
    /// The archive.
    pub source: Source,
    /// The folder that holds archives.
    pub folder: PathBuf,
    /// The folder of runs, where it was named.
    pub run_dir: Option<PathBuf>,
    /// Only plan.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
    /// All else; the archive is not chosen yet.
    pub(in crate::cli) options: RestoreOptions,
}

impl RestoreArgs {
    fn merging(&self) -> Option<Merge> {
        let on_conflict = match self.on_conflict {
            ConflictArg::Fail => ConflictPolicy::Fail,
            ConflictArg::Skip => ConflictPolicy::Skip,
            ConflictArg::Overwrite => ConflictPolicy::Overwrite,
            ConflictArg::Newer => ConflictPolicy::Newer,
        };
        let merge = Merge { on_conflict, add_properties: self.add_properties, strict: self.strict };
        Some(merge).filter(|_| self.merge)
    }
}

impl RestoreSettings {
    pub(in crate::cli) fn resolve(args: &RestoreArgs, env: &Env) -> Result<Self, Failure> {
        let folder = folder(env)?;
        Ok(Self {
            source: match (&args.archive, &args.latest) {
                (Some(archive), _) => Source::Named(archive.clone()),
                (None, Some(collection)) => Source::Latest(Some(collection.clone()).filter(|name| !name.is_empty())),
                (None, None) => Source::Open,
            },
            folder: folder.clone(),
            run_dir: args.run_dir.clone(),
            dry_run: args.creating.dry_run,
            yes: args.creating.yes,
            options: RestoreOptions {
                archive: PathBuf::new(),
                selection: Selection { take: args.only.clone(), exclude: args.exclude.clone() },
                name: args.name.clone(),
                renames: renames(&args.rename)?,
                tenants: args.tenants.map()?,
                subset: args.subset.resolve()?,
                data: !args.skip_data,
                vectors: !args.skip_vectors,
                revectorize: args.revectorize,
                allowed_endpoints: args.allow_endpoint.clone(),
                key_headers: Vec::new(),
                clamp_ints: args.clamp_ints,
                aliases: match args.alias {
                    AliasArg::Keep => AliasPolicy::Keep,
                    AliasArg::Overwrite => AliasPolicy::Overwrite,
                    AliasArg::Skip => AliasPolicy::Skip,
                },
                roles: args.with_roles,
                schema_file: args.schema_file.clone().map(schema_file).transpose()?,
                settings: settings(&args.set)?,
                merge: args.merging(),
                folder,
                verify: !args.no_verify,
                jobs: args.jobs.map(Into::into),
                batch_objects: args.batch_size.map(Into::into),
                memory_bytes: args.memory_limit.map_or_else(memory::default_limit, |size| size.as_u64()),
                patience: bounds::PATIENCE,
                state: state_folders(args.run_dir.as_deref(), env)?,
                differences_listed: DIFFERENCES_LISTED,
                resume: args.resume,
                looks_anyway: args.creating.dry_run,
                rehearse: !args.creating.no_rehearsal,
            },
        })
    }

    /// The options for this archive. `headers`: what is sent along with every request.
    pub(in crate::cli) fn of(&self, archive: PathBuf, headers: &[(String, SecretString)]) -> RestoreOptions {
        let key_headers = headers.iter().map(|(name, _)| name.clone()).collect();
        RestoreOptions { archive, key_headers, ..self.options.clone() }
    }
}

fn renames(given: &[Rename]) -> Result<Renames, Failure> {
    Rename::all(given).map_err(|twice| Failure::new(Class::Usage, format!("--rename names {twice} twice")))
}

fn schema_file(path: PathBuf) -> Result<SchemaFile, Failure> {
    Ok(SchemaFile { schema: class_document(&path)?, path })
}

fn settings(given: &[Setting]) -> Result<Vec<Setting>, Failure> {
    match Setting::contradiction(given) {
        Some((one, other)) => Err(Failure::new(Class::Usage, format!("--set says both {one} and {other}"))),
        None => Ok(given.to_vec()),
    }
}

/// The flags that ask for the same again, but for the archive; each with a blank before it.
pub(super) fn given(options: &RestoreOptions) -> String {
    let mut text = chosen(options);
    let conflicts = |policy| options.merge.is_some_and(|merge| merge.on_conflict == policy);
    let flags = [
        (!options.data, "--skip-data"),
        (!options.vectors, "--skip-vectors"),
        (options.revectorize, "--revectorize"),
        (options.clamp_ints, "--clamp-ints"),
        (options.roles, "--with-roles"),
        (options.aliases == AliasPolicy::Overwrite, "--alias overwrite"),
        (options.aliases == AliasPolicy::Skip, "--alias skip"),
        (options.merge.is_some(), "--merge"),
        (conflicts(ConflictPolicy::Skip), "--on-conflict skip"),
        (conflicts(ConflictPolicy::Overwrite), "--on-conflict overwrite"),
        (conflicts(ConflictPolicy::Newer), "--on-conflict newer"),
        (options.merge.is_some_and(|merge| merge.add_properties), "--add-properties"),
        (options.merge.is_some_and(|merge| merge.strict), "--strict"),
        (!options.verify, "--no-verify"),
    ];
    if !options.subset.is_all() {
        text = text + " " + &options.subset.to_string();
    }
    for (_, flag) in flags.iter().filter(|(given, _)| *given) {
        text = text + " " + flag;
    }
    if let Some(file) = &options.schema_file {
        text = text + " --schema-file " + &shell_path(&file.path);
    }
    for setting in &options.settings {
        text = text + " --set " + &quoted(&setting.to_string());
    }
    for origin in &options.allowed_endpoints {
        text = text + " --allow-endpoint " + &quoted(&origin.to_string());
    }
    if let Some(jobs) = options.jobs {
        text = text + " --jobs " + &jobs.to_string();
    }
    if let Some(objects) = options.batch_objects {
        text = text + " --batch-size " + &objects.to_string();
    }
    text
}

/// Those of them that choose collections and tenants, and name them.
pub(super) fn chosen(options: &RestoreOptions) -> String {
    let mut flags = String::new();
    for chosen in &options.selection.take {
        flags = flags + " --only " + &quoted(chosen);
    }
    if let Some(name) = &options.name {
        flags = flags + " --name " + &quoted(name.as_str());
    }
    for (old, new) in options.renames.pairs() {
        flags = flags + " --rename " + &quoted(&format!("{old}={new}"));
    }
    for pattern in options.renames.patterns() {
        flags = flags + " --rename " + &quoted(&pattern.to_string());
    }
    flags + &TenantArgs::of(&options.tenants)
}

#[cfg(test)]
mod tests;
