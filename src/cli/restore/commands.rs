//! The commands that a restore ends with: the one that compares, and the one that carries it on.

use std::path::Path;

use super::flags::{chosen, given};
use crate::archive::location;
use crate::cli::Connect;
use crate::cli::closing::path_flag;
use crate::ops::restore::RestoreOptions;
use crate::render::shell_path;

/// The command that compares what was restored with its archive.
pub(super) fn verify(archive: &Path, options: &RestoreOptions, url: &str, connect: &Connect) -> String {
    let command = format!("elysiactl col verify {}{}", shell_path(archive), chosen(options));
    command + &connect.url_flag(url)
}

/// The command that resumes a restore which did not get to its end. `run_dir`: the folder of runs, where it was named.
pub(super) fn resume(options: &RestoreOptions, run_dir: Option<&Path>, url: &str, connect: &Connect) -> String {
    let archive = shell_path(location::lasting(&options.archive));
    let command = format!("elysiactl col restore {archive}{}", given(options));
    command + &path_flag("--run-dir", run_dir) + " --resume" + &connect.url_flag(url)
}
