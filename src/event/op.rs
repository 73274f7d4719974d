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

/// Whether an operation compares two sides by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compares {
    /// It compares nothing.
    Nothing,
    /// It compares what it wrote with what it was made of.
    Afterwards,
    /// It does nothing else.
    Alone,
}

/// What the two sides of a comparison are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// What is held against the right side.
    pub left: &'static str,
    /// What the right collection is on.
    pub right: &'static str,
    /// The right collection.
    pub collection: &'static str,
}

/// What is known of an operation wherever it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpFacts {
    /// The command, as it is typed.
    pub verb: &'static str,
    /// The deed in a word or two: to do it, doing it, and that it is done.
    pub deed: [&'static str; 3],
    /// What is counted meanwhile.
    pub counted: Counted,
    /// Whether its plan is shown before it begins.
    pub plans: bool,
    /// Whether it compares.
    pub compares: Compares,
    /// What it calls the sides of a comparison, and of two schemas.
    pub sides: Sides,
    /// Whether a server takes part.
    pub server: bool,
}

impl Op {
    /// All that is known of it: a new operation is a variant and a row here.
    #[must_use]
    pub const fn facts(self) -> OpFacts {
        const SIDES: Sides = Sides { left: "the archive", right: "the server", collection: "the live collection" };
        const fn writes(verb: &'static str, deed: [&'static str; 3], counted: Counted) -> OpFacts {
            OpFacts { verb, deed, counted, plans: true, compares: Compares::Nothing, sides: SIDES, server: true }
        }
        const fn reads(verb: &'static str, deed: [&'static str; 3], server: bool) -> OpFacts {
            OpFacts { plans: false, server, ..writes(verb, deed, Counted::Bytes) }
        }
        let verifying = reads("col verify", ["verify", "verifying", "verified"], true);
        let restoring = writes("col restore", ["restore", "restoring", "restored"], Counted::Bytes);
        match self {
            Self::Backup => writes("col backup", ["back up", "backing up", "backed up"], Counted::Bytes),
            Self::ArchiveCheck => reads("archive check", ["check", "checking", "checked"], false),
            Self::Restore => OpFacts { compares: Compares::Afterwards, ..restoring },
            Self::Verify => OpFacts { compares: Compares::Alone, ..verifying },
            Self::Rm => writes("col rm", ["remove", "removing", "removed"], Counted::Collections),
            Self::Clear => writes("col clear", ["clear", "clearing", "cleared"], Counted::Objects),
            Self::Create => writes("col create", ["create", "creating", "created"], Counted::Collections),
            Self::Rehearsal => writes("a rehearsal", ["rehearse", "rehearsing", "rehearsed"], Counted::Collections),
        }
    }

    /// The command, as it is typed.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        self.facts().verb
    }
}
