//! `col clear`: empties live collections and keeps what they are.

mod delete;
mod due;
mod inactive;
mod may;
mod method;
mod plan;
mod recreate;
mod rehearse;
mod run;
mod since;
mod stays;
mod tenants;
mod unchanged;
mod unfinished;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::event::{Class, Covers, PlannedCollection, Remark, RunResult};
use crate::model::{CollectionName, Schema, Selection, TenantName};
use crate::ops::held::{Doomed, HeldIn};
use crate::ops::live_collections::Standing;
use crate::ops::run::ARCHIVES;
use crate::ops::run::bounds::{MEMORY_BYTES, PATIENCE};
use crate::ops::safety::SafetyCopy;
use crate::ops::schema::{Fit, Rehearsed};
use crate::ops::server::PlannedServer;
use crate::ops::{Error, StateFolders};
use crate::weaviate::{Count, Rights, Tenant};
use method::MethodFacts;

pub use crate::ops::refusal::{ClearRefusal, NotRepeatable};
pub use method::WhyMethod;
pub use plan::{plan, recount};
pub use rehearse::rehearse;
pub use run::run;
pub use unfinished::{LeftOpen, left_open};

/// Which way is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wish {
    /// Whatever fits the facts.
    #[default]
    Auto,
    /// [`Method::Recreate`], or a refusal.
    Recreate,
    /// [`Method::Delete`], or a refusal.
    Delete,
}

/// How a collection, or its tenants, is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Dropped with everything in it, and created again from its schema.
    Recreate,
    /// Its objects are listed and deleted by their ids.
    Delete,
}

/// What to empty, and how.
#[derive(Debug, Clone)]
pub struct ClearOptions {
    /// Which collections; names and globs.
    pub selection: Selection,
    /// Which tenants of the only collection chosen; none named: all of it.
    pub tenants: Vec<TenantName>,
    /// Which way.
    pub wish: Wish,
    /// Whether names that belong to systems may be emptied.
    pub allow_protected: bool,
    /// The folder of archives, which `.safety` is in.
    pub folder: PathBuf,
    /// Where the files of the run, and locks, lie.
    pub state: StateFolders,
    /// Bytes that pages may take.
    pub memory_bytes: u64,
    /// How long a server that does not do what it was asked is waited for.
    pub patience: Duration,
    /// Whether what is dropped is first created under a scratch name.
    pub rehearse: bool,
    /// Whether an earlier run is resumed: objects of a collection that somebody created once that run had dropped its
    /// own are not what was to go.
    pub resumes: bool,
}

impl ClearOptions {
    /// These collections, in the way that fits each, tried out first.
    #[must_use]
    pub fn new(selection: Selection, state: StateFolders) -> Self {
        Self {
            selection,
            tenants: Vec::new(),
            wish: Wish::Auto,
            allow_protected: false,
            folder: PathBuf::from(ARCHIVES),
            state,
            memory_bytes: MEMORY_BYTES,
            patience: PATIENCE,
            rehearse: true,
            resumes: false,
        }
    }
}

/// What an earlier run saved and did not bring back.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// The archive with the saved schema.
    pub archive: PathBuf,
    /// The schema it saved.
    pub(in crate::ops) schema: Schema,
    /// The tenants it saved.
    pub(in crate::ops) tenants: Option<Vec<Tenant>>,
    /// The names of the shards it had, sorted; none if it had tenants, or where an earlier build saved it.
    pub(in crate::ops) shards: Vec<String>,
}

/// One collection of a plan.
#[derive(Debug, Clone)]
pub struct CollectionClear {
    /// What is there, and what hangs on it.
    pub standing: Standing,
    /// The tenants that are emptied, with their states; all of them unless some were named. `None` in a plain collection.
    pub tenants: Option<Vec<Tenant>>,
    /// Whether only some of its tenants are emptied.
    pub some_tenants: bool,
    /// Objects that will be gone, as far as they can be counted.
    pub objects: Count,
    /// How.
    pub method: Method,
    /// Why so.
    pub why: WhyMethod,
    /// What will not be as it was.
    pub loses: Vec<Remark>,
    /// An earlier run dropped it and did not finish: it is made from what that one saved.
    pub unfinished: Option<Unfinished>,
    /// Tenants that an earlier run removed and did not create again: they are created, empty.
    pub missing: Vec<Tenant>,
    /// Whether the server has it now.
    pub exists: bool,
    /// Whether a run that was killed left something to put right about its tenants: of those that are active still, `tenants`
    /// says that they are inactive.
    left_active: bool,
    /// The objects somebody agreed to lose: with any other number nothing is done. `None` where none was named.
    pub agreed: Option<u64>,
    /// Whether it was tried out that the server takes it back.
    pub rehearsed: Rehearsed,
    fit: Fit,
    facts: MethodFacts,
}

impl CollectionClear {
    /// One that is there, all of which is emptied, as far as it is known what there is.
    fn of(standing: Standing, fit: Fit, facts: MethodFacts, method: Method, why: WhyMethod) -> Self {
        Self {
            tenants: None,
            some_tenants: false,
            objects: standing.objects.clone(),
            method,
            why,
            loses: Vec::new(),
            unfinished: None,
            missing: Vec::new(),
            exists: true,
            left_active: false,
            agreed: None,
            rehearsed: Rehearsed::NotNeeded,
            standing,
            fit,
            facts,
        }
    }

    /// The collection.
    #[must_use]
    pub fn name(&self) -> &CollectionName {
        self.standing.name()
    }

    /// The schema that it will have.
    fn schema(&self) -> &Schema {
        self.unfinished.as_ref().map_or(&self.standing.schema, |unfinished| &unfinished.schema)
    }

    /// Whether an alias that the key may not see could keep it from being created again once it is dropped.
    #[must_use]
    pub fn may_stay_dropped(&self) -> bool {
        self.method == Method::Recreate && !self.some_tenants && self.facts.aliases_hidden
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all_objects() == Some(0) && self.unfinished.is_none() && self.missing.is_empty()
    }

    /// The tenants whose objects are counted: those that are emptied, as far as they are there.
    fn counted(&self) -> Option<&[Tenant]> {
        let there = if self.unfinished.is_some() { &self.standing.tenants } else { &self.tenants };
        there.as_deref()
    }

    /// Whether a copy of its schema is saved first: something is away for a moment.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.method == Method::Recreate || self.inactive() > 0 || !self.missing.is_empty()
    }

    /// Every tenant that has to be there afterwards; `None` in a plain collection.
    fn all_tenants(&self) -> Option<Vec<Tenant>> {
        let there = match &self.unfinished {
            Some(unfinished) => unfinished.tenants.as_ref(),
            None => self.standing.tenants.as_ref(),
        };
        there.map(|there| there.iter().chain(&self.missing).cloned().collect())
    }

    /// Tenants that are emptied and are not active: their objects are not in the count.
    #[must_use]
    pub fn inactive(&self) -> u64 {
        self.tenants.iter().flatten().filter(|tenant| !tenant.is_active()).count() as u64
    }

    /// What is about to be lost.
    fn doomed(&self) -> Doomed<'_> {
        Doomed {
            name: self.name(),
            objects: self.all_objects(),
            tenants: self.tenants.as_deref(),
            shards: &self.standing.shards,
        }
    }

    /// The objects that will be gone, if all of them are counted.
    #[must_use]
    pub fn all_objects(&self) -> Option<u64> {
        self.objects.exact().filter(|_| self.inactive() == 0)
    }

    /// Whether more objects go than are counted.
    fn is_uncounted(&self) -> bool {
        self.all_objects().is_none() && (self.method == Method::Recreate || self.inactive() > 0)
    }
}

/// What will be emptied.
#[derive(Debug, Clone)]
pub struct ClearPlan {
    /// The server's URL without credentials.
    pub url: String,
    /// Its version, as it prints it.
    pub server_version: String,
    /// The collections, in the order of their names.
    pub collections: Vec<CollectionClear>,
    /// Why it is not known whether the server is whole, if so.
    pub topology_unchecked: Option<String>,
    /// The options it was made with.
    pub options: ClearOptions,
    /// The archive that has to hold everything at the moment of clearing.
    must_hold: Option<PathBuf>,
    server: PlannedServer,
    rights: Option<Rights>,
}

impl ClearPlan {
    /// Only what this archive holds, to the last object and byte, may be emptied. `sealed`: when that was sealed.
    pub fn must_be_held_in(&mut self, archive: PathBuf, sealed: Timestamp) {
        for planned in &mut self.collections {
            let objects = planned.all_objects();
            planned.standing.held_in = Some(HeldIn {
                path: archive.clone(),
                sealed,
                archived: objects.unwrap_or(0),
                live: objects,
                covers: Covers::Compared,
                newest_ms: None,
            });
        }
        self.must_hold = Some(archive);
    }

    /// The collections as events and `--json` show them.
    #[must_use]
    pub fn listed(&self) -> Vec<PlannedCollection> {
        let one = |p: &CollectionClear| PlannedCollection {
            objects: p.all_objects(),
            held_in: p.standing.held_in.as_ref().map(HeldIn::listed),
            ..PlannedCollection::of(p.name().clone())
        };
        self.collections.iter().map(one).collect()
    }
}

/// A run that came to its end.
#[derive(Debug, Clone)]
pub struct ClearOutcome {
    /// The result in numbers; `objects` are the ones that are gone.
    pub result: RunResult,
    /// The copies of the schemas that were dropped and recreated.
    pub saved: Vec<(CollectionName, SafetyCopy)>,
    /// What is to be known.
    pub remarks: Vec<(CollectionName, Remark)>,
    /// Whether it is not known how many objects are gone.
    pub uncounted: bool,
    /// The directory of the run's files.
    pub run_dir: PathBuf,
    /// Why it is not known whether the server was whole, if so.
    pub topology_unchecked: Option<String>,
}

/// A run that stopped before its end.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct ClearStopped {
    /// Why.
    #[source]
    pub error: Error,
    /// The directory of the run's files, if it got as far as making one.
    pub run_dir: Option<PathBuf>,
    /// Collections that are empty now.
    pub done: Vec<CollectionName>,
    /// The collection that was dropped and is not there again as it was, with the copy of its schema.
    pub dropped: Option<(CollectionName, SafetyCopy)>,
    /// The collection in work of which some objects may be gone, or which a drop that nobody answered may still take.
    pub partly: Option<CollectionName>,
    /// Collections nothing was done to.
    pub untouched: Vec<CollectionName>,
    /// The archive that was proven to hold the objects before they went, if the run was to rest on one.
    pub safe_in: Option<PathBuf>,
    /// The result so far.
    pub partial: Box<RunResult>,
}

impl ClearStopped {
    /// What kind of failure it is. Once something is gone, nothing is merely refused.
    #[must_use]
    pub fn class(&self) -> Class {
        let begun = self.dropped.is_some() || self.partly.is_some() || !self.done.is_empty();
        match self.error.class() {
            Class::Refused if begun => Class::Server,
            class => class,
        }
    }
}
