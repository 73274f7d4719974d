//! Which operation a run is.

use serde::{Deserialize, Serialize};

/// Which operation a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Op {
    /// `col backup`
    Backup,
    /// `archive check`
    ArchiveCheck,
    /// `col restore`
    Restore,
    /// `col verify`
    Verify,
    /// `col rm`
    Rm,
    /// `col clear`
    Clear,
    /// `col create`
    Create,
    /// A rehearsal: it stands in journals alone, never in an event.
    Rehearsal,
}

impl Op {
    /// The command, as it is typed.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Backup => "col backup",
            Self::ArchiveCheck => "archive check",
            Self::Restore => "col restore",
            Self::Verify => "col verify",
            Self::Rm => "col rm",
            Self::Clear => "col clear",
            Self::Create => "col create",
            Self::Rehearsal => "a rehearsal",
        }
    }
}
