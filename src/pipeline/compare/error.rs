//! Why a comparison stopped.

use super::side::LeftError;
use crate::pipeline::{activation, scan};

/// Why a comparison stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The right side.
    #[error(transparent)]
    Right(#[from] scan::Error),
    /// The left side.
    #[error(transparent)]
    Left(#[from] Box<LeftError>),
    /// Tenants could not be activated, or not be deactivated.
    #[error(transparent)]
    Activation(#[from] activation::Error),
    /// A thread ended without saying why: a bug.
    #[error("a thread stopped without a reason")]
    Thread,
}
