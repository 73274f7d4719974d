//! Why a comparison stopped.

use std::path::PathBuf;

use crate::model::ShellWord;
use crate::pipeline::{activation, load, scan};

/// Why a comparison stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A live side.
    #[error(transparent)]
    Live(#[from] scan::Error),
    /// An archive's side.
    #[error("{}", ShellWord::path(path))]
    Archive {
        /// The part.
        path: PathBuf,
        /// What is wrong with it.
        source: load::Error,
    },
    /// Tenants could not be activated, or not be deactivated.
    #[error(transparent)]
    Activation(#[from] activation::Error),
    /// A thread ended without saying why: a bug.
    #[error("a thread stopped without a reason")]
    Thread,
}
