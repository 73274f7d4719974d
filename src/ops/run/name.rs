//! A run, as it is named to a person.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use crate::archive::RunAbout;

/// A run, as it is named to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunName {
    /// Its id; also the name of its directory.
    pub run_id: Uuid,
    /// When it started, UTC.
    pub started: Timestamp,
}

impl RunName {
    /// The name of the run that a journal is about.
    #[must_use]
    pub fn of(about: &RunAbout) -> Self {
        Self { run_id: about.run_id, started: about.started }
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} of {}", self.run_id, self.started.strftime("%Y-%m-%d %H:%M:%SZ"))
    }
}
