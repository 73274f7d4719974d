//! What `col restore` is to do, and where the files of its run lie.

use std::path::{Path, PathBuf};

use super::folder;
use crate::cli::args::{AliasArg, Rename, RestoreArgs};
use crate::cli::{Env, Failure, memory};
use crate::event::Class;
use crate::model::{CollectionName, Renames, Selection, TenantMap};
use crate::ops::StateFolders;
use crate::ops::restore::{AliasPolicy, Origin, Setting};

/// Our directory in the user's folder for state.
const OURS: &str = "elysiactl";

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
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct RestoreSettings {
    /// The archive.
    pub source: Source,
    /// The folder that holds archives.
    pub folder: PathBuf,
    /// Which of its collections.
    pub selection: Selection,
    /// The new name of the only collection chosen.
    pub name: Option<CollectionName>,
    /// New names by old ones.
    pub renames: Renames,
    /// Which tenants, and their names on the server.
    pub tenants: TenantMap,
    /// With objects.
    pub data: bool,
    /// With vectors.
    pub vectors: bool,
    /// Whether the server may make vectors.
    pub revectorize: bool,
    /// Where modules may send objects beside their own places.
    pub allowed_endpoints: Vec<Origin>,
    /// Whether integers may be changed.
    pub clamp_ints: bool,
    /// Requests in flight at most; `None` = the pacer decides.
    pub jobs: Option<usize>,
    /// Objects of a batch; `None` = the pacer decides.
    pub batch_size: Option<u32>,
    /// Bytes for batches and buffers.
    pub memory_limit: u64,
    /// What becomes of aliases.
    pub aliases: AliasPolicy,
    /// Whether missing roles are made.
    pub roles: bool,
    /// Settings that are wanted otherwise.
    pub set: Vec<Setting>,
    /// Compare afterwards.
    pub verify: bool,
    /// Where files about runs lie.
    pub state: StateFolders,
    /// The folder of runs, where it was named.
    pub run_dir: Option<PathBuf>,
    /// Carry on a run that did not get to its end.
    pub resume: bool,
    /// Try out first that the server makes the collections.
    pub rehearse: bool,
    /// Only plan.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
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
            selection: Selection { take: args.only.clone(), exclude: args.exclude.clone() },
            name: args.name.clone(),
            renames: renames(&args.rename)?,
            tenants: args.tenants.map()?,
            data: !args.skip_data,
            vectors: !args.skip_vectors,
            revectorize: args.revectorize,
            allowed_endpoints: args.allow_endpoint.clone(),
            clamp_ints: args.clamp_ints,
            jobs: args.jobs.map(Into::into),
            batch_size: args.batch_size.map(Into::into),
            memory_limit: args.memory_limit.map_or_else(memory::default_limit, |size| size.as_u64()),
            aliases: match args.alias {
                AliasArg::Keep => AliasPolicy::Keep,
                AliasArg::Overwrite => AliasPolicy::Overwrite,
                AliasArg::Skip => AliasPolicy::Skip,
            },
            roles: args.with_roles,
            set: args.set.clone(),
            verify: !args.no_verify,
            state: state_folders(args.run_dir.as_deref(), env)?,
            run_dir: args.run_dir.clone(),
            resume: args.resume,
            rehearse: !args.creating.no_rehearsal,
            dry_run: args.creating.dry_run,
            yes: args.creating.yes,
        })
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
