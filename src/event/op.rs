//! Which operation a run is, and what there is to know of each.

use serde::{Deserialize, Serialize};

/// Which operation a run is. Its words stand in events, in journals and in locks: none of them ever changes.
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

/// What is counted while an operation is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Objects and their bytes.
    Bytes,
    /// Objects alone.
    Objects,
    /// Nothing but collections: each is dealt with as a whole.
    Collections,
}

/// What is known of an operation wherever it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpFacts {
    /// The command, as it is typed.
    pub verb: &'static str,
    /// What it does meanwhile, in a word or two.
    pub doing: &'static str,
    /// What is counted meanwhile.
    pub counted: Counted,
    /// Whether its plan is shown before it begins.
    pub plans: bool,
    /// Whether what it wrote is compared afterwards.
    pub compares: bool,
    /// Whether a server takes part.
    pub server: bool,
}

impl Op {
    /// All that is known of it: a new operation is a variant and a row here.
    #[must_use]
    pub const fn facts(self) -> OpFacts {
        const fn writes(verb: &'static str, doing: &'static str, counted: Counted) -> OpFacts {
            OpFacts { verb, doing, counted, plans: true, compares: false, server: true }
        }
        const fn reads(verb: &'static str, doing: &'static str, server: bool) -> OpFacts {
            OpFacts { verb, doing, counted: Counted::Bytes, plans: false, compares: false, server }
        }
        match self {
            Self::Backup => writes("col backup", "backing up", Counted::Bytes),
            Self::ArchiveCheck => reads("archive check", "checking", false),
            Self::Restore => OpFacts { compares: true, ..writes("col restore", "restoring", Counted::Bytes) },
            Self::Verify => reads("col verify", "verifying", true),
            Self::Rm => writes("col rm", "removing", Counted::Collections),
            Self::Clear => writes("col clear", "clearing", Counted::Objects),
            Self::Create => writes("col create", "creating", Counted::Collections),
            Self::Rehearsal => writes("a rehearsal", "rehearsing", Counted::Collections),
        }
    }

    /// The command, as it is typed.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        self.facts().verb
    }
}
