//! Where the files of runs lie.

use std::path::PathBuf;

/// The folder of archives, unless another one is named.
pub(in crate::ops) const ARCHIVES: &str = "backups";

/// Where files about runs lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFolders {
    /// Each run makes a directory of its own in here.
    pub runs: PathBuf,
    /// Locks by server and target.
    pub locks: PathBuf,
}
