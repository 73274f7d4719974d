//! Where archives lie, and the files of runs, by flags and environment. Whoever works with them never asks where a place came
//! from.

use std::path::{Path, PathBuf};

use super::{Env, Failure};
use crate::archive::{archives, location};
use crate::event::Class;
use crate::ops::StateFolders;

/// The folder of archives where nothing names one.
const DEFAULT_FOLDER: &str = "./backups";
/// Our directory in the user's folder for state.
const OURS: &str = "elysiactl";
/// The variable that names the folder of archives.
const ARCHIVES: &str = "ELYSIACTL_ARCHIVE_DIR";

/// The folder of archives, unless a flag names another.
pub(super) fn folder(env: &Env) -> Result<PathBuf, Failure> {
    let Some(typed) = env.raw(ARCHIVES) else { return Ok(DEFAULT_FOLDER.into()) };
    location::typed(&typed, env.home()).map_err(|why| Failure::new(Class::Usage, format!("{ARCHIVES}: {why}")))
}

/// The archive meant: a path, or else a name in the folder of archives.
pub(super) fn place(archive: &Path, env: &Env) -> Result<PathBuf, Failure> {
    Ok(location::named(&*archives(), &folder(env)?, archive))
}

/// The folder that a flag names, or else the folder of archives.
pub(super) fn named_or_folder(named: Option<&PathBuf>, env: &Env) -> Result<PathBuf, Failure> {
    named.map_or_else(|| folder(env), |named| Ok(named.clone()))
}

/// Where files about runs lie: the folder named, or else ours in the user's folder for state.
pub(super) fn state_folders(named: Option<&Path>, env: &Env) -> Result<StateFolders, Failure> {
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

/// Where locks lie, for commands that write no other files about their runs.
pub(super) fn locks(env: &Env) -> Result<PathBuf, Failure> {
    Ok(state_alone(env)?.locks)
}

/// Where files about runs lie, for commands that have no flag for it.
pub(super) fn state_alone(env: &Env) -> Result<StateFolders, Failure> {
    state_folders(None, env).map_err(|failure| {
        let hint = if cfg!(windows) { "set LOCALAPPDATA" } else { "set XDG_STATE_HOME or HOME" };
        Failure { hints: vec![hint.into()], ..failure }
    })
}
