//! `col rm`: whole collections, gone with everything in them, their schemas saved first.

mod plan;
mod run;

use std::path::PathBuf;
use std::time::Duration;

use crate::event::{Class, PlannedCollection, RunResult};
use crate::model::{CollectionName, Selection};
use crate::ops::Error;
use crate::ops::held::HeldIn;
use crate::ops::live_collections::Standing;
use crate::ops::run::ARCHIVES;
use crate::ops::run::bounds::PATIENCE;
use crate::ops::safety::SafetyCopy;

pub use plan::plan;
pub use run::run;

/// What to remove.
#[derive(Debug, Clone)]
pub struct RemovalOptions {
    /// Which collections; names and globs.
    pub selection: Selection,
    /// Whether names that belong to systems may be removed.
    pub allow_protected: bool,
    /// The folder of archives, which `.safety` is in.
    pub folder: PathBuf,
    /// Where locks by server and collection lie.
    pub locks: PathBuf,
    /// How long a server that does not do what it was asked is waited for.
    pub patience: Duration,
}

impl RemovalOptions {
    /// These collections.
    #[must_use]
    pub fn new(selection: Selection, locks: impl Into<PathBuf>) -> Self {
        let (folder, locks) = (PathBuf::from(ARCHIVES), locks.into());
        Self { selection, allow_protected: false, folder, locks, patience: PATIENCE }
    }
}

/// One collection of a plan.
#[derive(Debug, Clone)]
pub struct CollectionRemoval {
    /// What is there, and what hangs on it.
    pub standing: Standing,
    /// The number of objects that somebody agreed to lose; if it is another one when the collection is to be dropped, it
    /// is not. `None`: whatever there is.
    pub agreed: Option<u64>,
}

/// What a removal will do.
#[derive(Debug, Clone)]
pub struct RemovalPlan {
    /// The server's URL without credentials.
    pub url: String,
    /// Its version, as it prints it.
    pub server_version: String,
    /// The collections, in the order they are removed.
    pub collections: Vec<CollectionRemoval>,
    /// Why it is not known whether the server is whole, if so.
    pub topology_unchecked: Option<String>,
    /// The options it was made with.
    pub options: RemovalOptions,
}

impl RemovalPlan {
    /// The collections as events and `--json` show them.
    #[must_use]
    pub fn listed(&self) -> Vec<PlannedCollection> {
        let one = |p: &CollectionRemoval| PlannedCollection {
            objects: p.standing.all_objects(),
            held_in: p.standing.held_in.as_ref().map(HeldIn::listed),
            ..PlannedCollection::of(p.standing.name().clone())
        };
        self.collections.iter().map(one).collect()
    }

    /// Objects of all collections together; `None` if those of one are not known, or not all of them.
    #[must_use]
    pub fn objects(&self) -> Option<u64> {
        self.collections.iter().map(|planned| planned.standing.all_objects()).sum()
    }
}

/// A removal that came to its end.
#[derive(Debug, Clone)]
pub struct RemovalOutcome {
    /// The result in numbers.
    pub result: RunResult,
    /// What was saved of each collection before it was dropped.
    pub saved: Vec<(CollectionName, SafetyCopy)>,
    /// Collections that are there again: somebody who writes to them had the server make them up.
    pub back: Vec<CollectionName>,
    /// Aliases that stand for nothing now, each with the collection that it stood for.
    pub dangling: Vec<(String, CollectionName)>,
    /// Collections that are gone, for which aliases may have stood that the key may not see.
    pub aliases_unseen: Vec<CollectionName>,
    /// Why it is not known whether the server was whole, if so.
    pub topology_unchecked: Option<String>,
}

/// A removal that stopped before its end.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct RemovalStopped {
    /// Why.
    #[source]
    pub error: Error,
    /// What was removed, and what was saved of each.
    pub removed: Vec<(CollectionName, SafetyCopy)>,
    /// What was saved of the collection that it stopped at, if it got that far: it may be gone, or go later.
    pub saved: Option<SafetyCopy>,
    /// What was not removed, the one that it stopped at first.
    pub left: Vec<CollectionName>,
    /// Aliases that stand for nothing now, each with the collection that it stood for.
    pub dangling: Vec<(String, CollectionName)>,
    /// Collections that are gone, for which aliases may have stood that the key may not see.
    pub aliases_unseen: Vec<CollectionName>,
    /// The result so far.
    pub partial: Option<Box<RunResult>>,
}

impl RemovalStopped {
    /// What kind of failure it is. Once something is gone, nothing is merely refused.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.error.class() {
            Class::Refused if !self.removed.is_empty() => Class::Server,
            class => class,
        }
    }
}
