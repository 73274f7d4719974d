//! What `col restore` is to do, and where the files of its run lie.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::folder;
use crate::cli::args::{AliasArg, Rename, RestoreArgs};
use crate::cli::{Env, Failure, memory};
use crate::event::Class;
use crate::model::{Renames, Selection};
use crate::ops::restore::{AliasPolicy, RestoreOptions};
use crate::ops::{StateFolders, bounds};

/// Our directory in the user's folder for state.
const OURS: &str = "elysiactl";

/// Differences the comparison lists at most.
const DIFFERENCES_LISTED: usize = 20;

/// Which archive is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// This one: a path, or a name in the folder of archives.
    Named(PathBuf),
    /// The newest with objects, of this collection if one is named.
    Latest(Option<String>),
    /// Nobody said.
    Open,
}

/// What `col restore` is to do.
#[derive(Debug, Clone)]
pub struct RestoreSettings {
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

impl RestoreSettings {
    pub(in crate::cli) fn resolve(args: &RestoreArgs, env: &Env) -> Result<Self, Failure> {
        Ok(Self {
            source: match (&args.archive, &args.latest) {
                (Some(archive), _) => Source::Named(archive.clone()),
                (None, Some(collection)) => Source::Latest(Some(collection.clone()).filter(|name| !name.is_empty())),
                (None, None) => Source::Open,
            },
            folder: folder(env)?,
            run_dir: args.run_dir.clone(),
            dry_run: args.creating.dry_run,
            yes: args.creating.yes,
            options: RestoreOptions {
                archive: PathBuf::new(),
                archive_at: PathBuf::new(),
                selection: Selection { take: args.only.clone(), exclude: args.exclude.clone() },
                name: args.name.clone(),
                renames: renames(&args.rename)?,
                tenants: args.tenants.map()?,
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
                settings: args.set.clone(),
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
        RestoreOptions {
            archive_at: std::path::absolute(&archive).unwrap_or_else(|_| archive.clone()),
            archive,
            key_headers: headers.iter().map(|(name, _)| name.clone()).collect(),
            ..self.options.clone()
        }
    }
}

fn renames(given: &[Rename]) -> Result<Renames, Failure> {
    Rename::all(given).map_err(|twice| Failure::new(Class::Usage, format!("--rename names {twice} twice")))
}

/// Where files about runs lie: the folder named, or else ours in the user's folder for state.
pub(in crate::cli) fn state_folders(named: Option<&Path>, env: &Env) -> Result<StateFolders, Failure> {
    let from = |name: &str| env.raw(name).map(PathBuf::from);
    let state = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else {
        // A relative one is to be ignored, says the specification.
        let xdg = from("XDG_STATE_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| from("HOME").map(|home| home.join(".local/state")))
    };
    // Locks lie in one place, whatever a run calls its own: two runs have to meet there.
    let ours = match (state.map(|state| state.join(OURS)), named) {
        (Some(ours), Some(dir)) => return Ok(StateFolders { runs: dir.to_owned(), locks: ours.join("locks") }),
        (None, Some(dir)) => return Ok(StateFolders { runs: dir.to_owned(), locks: dir.join("locks") }),
        (ours, None) => ours,
    };
    let Some(ours) = ours else {
        let home = if cfg!(windows) { "LOCALAPPDATA is" } else { "neither XDG_STATE_HOME nor HOME is" };
        return Err(Failure::new(Class::Usage, "there is no folder for the files of this run")
            .because(format!("{home} set"))
            .hint("name one with --run-dir DIR"));
    };
    Ok(StateFolders { runs: ours.join("runs"), locks: ours.join("locks") })
}

#[cfg(test)]
mod tests;
