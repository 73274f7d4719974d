//! `col verify`: an archive against live collections, by content.

mod collection;
mod names;
mod run;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::archive::manifest::{CollectionEntry, Incomplete};
use crate::archive::{Archive, Content};
use crate::event::{Difference, FieldDiff, Remark, RunResult, SchemaDifference};
use crate::model::{CollectionName, Filter, ObjectId, Renames, Schema, Selection, Subset, TenantMap, TenantName};
use crate::ops::run::bounds::{DIFFERENCES_LISTED, MEMORY_BYTES, PATIENCE};
use crate::ops::{Error, StateFolders, prove, subset};
use crate::pipeline::compare::{ArchivedSide, Left, LeftError, Place, Sample, Sieves, units};
use crate::pipeline::load;
use crate::pipeline::long_lines::LongLines;
use crate::pipeline::parts::Indexed;
use crate::weaviate::TenantState;

pub(in crate::ops) use collection::{CompareOptions, Compared, compare_collection};
pub use run::run;
pub(in crate::ops) use schema::{differs, lacks};

/// What to compare with what.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The archive's directory.
    pub archive: PathBuf,
    /// Which of its collections; names and globs as the archive calls them.
    pub selection: Selection,
    /// The name on the server of the only collection chosen.
    pub name: Option<CollectionName>,
    /// Names on the server by those in the archive.
    pub renames: Renames,
    /// Which tenants, and their names on the server.
    pub tenants: TenantMap,
    /// Only objects that it is true of, in the archive or on the server; `None`: all.
    pub filter: Option<Filter>,
    /// The share of the objects to compare, above 0 and at most 1; `None`: all.
    pub sample: Option<f64>,
    /// Differences listed at most.
    pub limit: usize,
    /// Requests in flight at most; `None`: the pacer decides.
    pub jobs: Option<usize>,
    /// Bytes that pages and buffers may take.
    pub memory_bytes: u64,
    /// How long a server with a node away is waited for.
    pub patience: Duration,
    /// Drives which objects a sample takes.
    pub seed: u64,
    /// Where the journals of runs lie that activate tenants. `None`: there is no such place, and nobody is activated.
    pub state: Option<StateFolders>,
}

impl VerifyOptions {
    /// Differences listed at most, unless `limit` says otherwise.
    pub const LIMIT: usize = DIFFERENCES_LISTED;

    /// Every object of an archive against the collections of the same names. Inactive tenants are left out and named: to
    /// activate them takes a place for journals (`state`).
    #[must_use]
    pub fn new(archive: impl Into<PathBuf>) -> Self {
        Self {
            archive: archive.into(),
            selection: Selection::default(),
            name: None,
            renames: Renames::default(),
            tenants: TenantMap::Same,
            filter: None,
            sample: None,
            limit: Self::LIMIT,
            jobs: None,
            memory_bytes: MEMORY_BYTES,
            patience: PATIENCE,
            seed: 0,
            state: None,
        }
    }
}

/// One object that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differs {
    /// The collection, by its name on the server.
    pub collection: CollectionName,
    /// The tenant, in a multi-tenant collection.
    pub tenant: Option<TenantName>,
    /// The object.
    pub id: ObjectId,
    /// How.
    pub kind: Difference,
    /// Where, if both sides have it.
    pub fields: Vec<FieldDiff>,
}

/// A comparison that came to its end, whatever it found.
#[derive(Debug, Clone)]
pub struct VerifyOutcome {
    /// The result in numbers: `Ok` if nothing differs, else `Incomplete`.
    pub result: RunResult,
    /// The server's URL without credentials.
    pub url: String,
    /// Its version, as it prints it.
    pub server_version: String,
    /// The first differences, up to the limit, by collection and id.
    pub differences: Vec<Differs>,
    /// How the live schemas differ, where that counts as a difference.
    pub schema_differences: Vec<(CollectionName, SchemaDifference)>,
    /// Whether the archive holds the schemas alone of all that was chosen.
    pub schemas_only: bool,
    /// What was compared and what not, and what else is to be known.
    pub remarks: Vec<(CollectionName, Remark)>,
    /// Why it is not known whether the server was whole, if so.
    pub topology_unchecked: Option<String>,
}

/// A collection of an archive, and the live one to compare it with: all that a comparison has to know of the left side.
pub(in crate::ops) struct Pair {
    archive: Arc<Archive>,
    /// The collection's place in it.
    at: usize,
    /// Its archived schema, and its runs.
    indexed: Indexed,
    /// Its name on the server.
    target: CollectionName,
    /// Which of its tenants, and their names on the server.
    tenants: TenantMap,
}

/// Why the left side cannot be read, as an operation's error.
fn left_unread(error: LeftError) -> Error {
    match error {
        LeftError::Archive { source: load::Error::Stopped, .. } => Error::Interrupted,
        LeftError::Archive { source: load::Error::Archive(e), .. } => e.into(),
        LeftError::Archive { path, source: load::Error::Line { line, source } } => Error::Line { path, line, source },
    }
}

impl Pair {
    /// A collection at this place of an archive, and the live one of this name. `tenants`: which of its, and their names there.
    pub(in crate::ops) fn archived(
        archive: Arc<Archive>,
        at: usize,
        indexed: Indexed,
        target: CollectionName,
        tenants: TenantMap,
    ) -> Self {
        Self { archive, at, indexed, target, tenants }
    }

    fn schema(&self) -> &Schema {
        &self.indexed.schema
    }

    fn entry(&self) -> &CollectionEntry {
        &self.archive.collections()[self.at]
    }

    fn holds_objects(&self) -> bool {
        self.entry().content != Content::SchemaOnly
    }

    fn holds_vectors(&self) -> bool {
        self.entry().content == Content::Full
    }

    fn objects(&self) -> u64 {
        self.entry().objects
    }

    fn bytes(&self) -> u64 {
        self.entry().bytes
    }

    fn digest(&self) -> Option<String> {
        self.entry().digest.map(|digest| digest.to_string())
    }

    /// Where the left side comes from, and the run that it comes from, for journals.
    fn source(&self) -> (&Path, &str) {
        (self.archive.path(), self.archive.manifest().run_id.as_str())
    }

    /// The left side, or a share of it, drawn from a seed.
    fn left(&self, sample: Option<(f64, u64)>, lines: LongLines) -> Left {
        let Indexed { schema, runs, .. } = self.indexed.clone();
        let units = units(&runs, schema.multi_tenant, &self.tenants);
        let sample = sample.map(|(share, seed)| Sample::new(&units, share, seed));
        let archive = Arc::clone(&self.archive);
        Left::new(ArchivedSide { archive, at: self.at, schema, runs, lines }, units, sample)
    }

    /// The subset of the objects that the archive holds; `None`: all.
    fn subset(&self) -> Option<Subset> {
        self.entry().selection.as_ref().and_then(|selection| selection.subset().ok())
    }

    /// What is compared, where that is not everything.
    fn sieves(&self, options: &CompareOptions) -> Result<Sieves, Error> {
        if let Some(sieves) = &options.sieves {
            return Ok(sieves.clone());
        }
        let held = match &self.entry().selection {
            Some(selection) => self.archive.sieve(selection, self.schema())?.map(Arc::new),
            None => None,
        };
        let asked = Subset { filter: options.filter.clone(), ..Subset::default() };
        let kept = self.entry().selection.as_ref().map(|selection| selection.fields.as_slice()).unwrap_or_default();
        Ok(Sieves { held, taken: None, asked: subset::of_kept(&asked, self.schema(), kept)? })
    }

    /// Objects that lack their vectors, by tenant on the server and id.
    fn without_vectors(&self) -> BTreeSet<Place> {
        let name = &self.entry().name;
        let of_this = self.archive.manifest().incomplete.iter().filter(|incomplete| incomplete.collection == *name);
        let place = |incomplete: &Incomplete| {
            let tenant = incomplete.tenant.as_ref().and_then(|tenant| tenant.parse().ok());
            Some((self.tenants.target(tenant.as_ref())?, incomplete.id.parse().ok()?))
        };
        of_this.filter_map(place).collect()
    }

    /// The tenants that are chosen, by their names on the server, with their states where these are known.
    async fn archived_tenants(&self) -> Result<BTreeMap<TenantName, Option<TenantState>>, Error> {
        let states = prove::tenants(&self.archive, self.at).await?;
        let states: BTreeMap<TenantName, TenantState> = states.into_iter().map(|t| (t.name, t.state)).collect();
        let chosen = self.entry().tenants.iter().filter_map(|tenant| {
            let name: Option<TenantName> = tenant.tenant.as_ref().and_then(|name| name.parse().ok());
            let target = self.tenants.target(name.as_ref())??;
            Some((target, name.and_then(|name| states.get(&name).cloned())))
        });
        Ok(chosen.collect())
    }

    /// The tenants that the archive says it left out.
    fn left_out(&self) -> impl Iterator<Item = TenantName> {
        let name = &self.entry().name;
        let of_this = self.archive.manifest().skipped.iter().filter(move |skipped| skipped.collection == *name);
        of_this.filter_map(|skipped| skipped.tenant.as_ref()?.parse().ok())
    }
}
