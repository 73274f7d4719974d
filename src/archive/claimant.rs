//! Who holds collections of a server, and for what.

use jiff::Timestamp;

use crate::event::Op;
use crate::model::CollectionName;

/// A run that holds collections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// Which operation.
    pub op: Op,
    /// The process.
    pub pid: u32,
    /// When the run started, UTC.
    pub started: Timestamp,
    /// The server's URL without credentials, as that run was given it.
    pub server_url: String,
}

/// What a run does to the collections that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Use {
    /// It writes to them, empties or removes them: nobody else may be at work on them.
    #[default]
    Changes,
    /// It activates inactive tenants and deactivates them again: no other run may do that.
    Wakes,
    /// It reads all of them: nobody may change them.
    Reads,
}

impl Use {
    /// Whether two runs keep each other out.
    pub(super) fn excludes(self, other: Self) -> bool {
        self == Self::Changes || other == Self::Changes || (self, other) == (Self::Wakes, Self::Wakes)
    }
}

/// A collection that another run holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The collection, as this run calls it.
    pub collection: CollectionName,
    /// The run that holds it.
    pub by: Claimant,
}

impl Held {
    /// The same as a clause.
    pub(super) fn said(&self) -> String {
        let Claimant { op, pid, started, server_url } = &self.by;
        let (collection, verb) = (&self.collection, op.verb());
        let started = started.strftime("%Y-%m-%d %H:%M:%SZ");
        format!("{collection} is in use by another run: {verb} on {server_url}, process {pid}, started {started}")
    }
}
