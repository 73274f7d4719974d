//! `col backup`: live collections into a new archive.

mod aliases_roles;
mod collect;
mod facts;
mod gone;
mod missing;
mod plan;
mod resume;
mod run;
mod tenants;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::archive::manifest::{Incomplete, Limit, Skipped, TopologyRecord};
use crate::archive::{Codec, Content, Manifest};
use crate::event::{ActivationRefusal, NotKeptReason, PlannedCollection, RunResult};
use crate::model::{CollectionName, Schema, Selection, Subset, TenantName};
use crate::ops::run::ARCHIVES;
use crate::ops::run::bounds::{MEMORY_BYTES, PATIENCE};
use crate::ops::{Error, StateFolders};

pub use plan::plan;
pub use resume::{Interrupted, Resume, sealed_already};
pub use run::run;

/// What to back up, where to, and within which bounds.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// The folder that holds archives.
    pub folder: PathBuf,
    /// Which collections.
    pub selection: Selection,
    /// Only these tenants of them; all if there are none here.
    pub tenants: Vec<TenantName>,
    /// Which objects of them.
    pub subset: Subset,
    /// What to keep of them.
    pub content: Content,
    /// Compression of the parts.
    pub codec: Codec,
    /// Requests in flight at most; `None`: the pacer decides, up to [`bounds::MOST_JOBS`](crate::ops::bounds::MOST_JOBS).
    pub jobs: Option<usize>,
    /// Objects of a page; `None`: the pacer decides.
    pub page_objects: Option<u32>,
    /// Bytes that pages, buffers and codecs may take.
    pub memory_bytes: u64,
    /// How long a part stays open at most: what a run that is killed has read since then is read again.
    pub part_age: Duration,
    /// How long a server with a node away is waited for.
    pub patience: Duration,
    /// Where the journals of runs lie that activate tenants. `None`: there is no such place, and nobody is activated.
    pub state: Option<StateFolders>,
    /// Whether nodes may be missing, as long as every shard has a majority of its replicas on the others.
    pub allow_missing_nodes: bool,
    /// Which interrupted backup to resume; `None`: a new archive is made.
    pub resume: Option<Resume>,
}

impl Default for BackupOptions {
    /// All collections with all that is in them, uncompressed, into a new archive in the folder `backups`. Inactive tenants
    /// are left out and named: to activate them takes a place for journals (`state`).
    fn default() -> Self {
        Self {
            folder: PathBuf::from(ARCHIVES),
            selection: Selection::default(),
            tenants: Vec::new(),
            subset: Subset::default(),
            content: Content::Full,
            codec: Codec::None,
            jobs: None,
            page_objects: None,
            memory_bytes: MEMORY_BYTES,
            part_age: Self::PART_AGE,
            patience: PATIENCE,
            state: None,
            allow_missing_nodes: false,
            resume: None,
        }
    }
}

impl BackupOptions {
    /// How long a part stays open at most, unless `part_age` says otherwise. A fast server fills one in less.
    pub const PART_AGE: Duration = Duration::from_secs(60);

    /// The options as an archive remembers them.
    fn record(&self) -> Map<String, Value> {
        let record = json!({
            "collections": self.selection.take, "exclude": self.selection.exclude, "content": self.content,
            "compress": self.codec, "jobs": self.jobs, "batch_size": self.page_objects, "memory_bytes": self.memory_bytes,
        });
        let Value::Object(mut record) = record else { return Map::new() };
        if !self.tenants.is_empty() {
            record.insert("tenants".into(), json!(self.tenants));
        }
        if let Value::Object(subset) = json!(self.subset) {
            record.extend(subset);
        }
        record
    }
}

/// One collection of a plan.
#[derive(Debug, Clone)]
pub struct CollectionBackup {
    /// Its schema before the run.
    pub schema: Schema,
    /// Objects counted; `None`: could not be asked.
    pub objects: Option<u64>,
    /// Mean plain bytes of an object, from a sample; `None` if the collection is empty or only its schema is wanted.
    pub object_bytes: Option<f64>,
    /// Its tenants, if it has any by its nature and objects are wanted.
    pub tenants: Option<PlannedTenants>,
}

/// The tenants of a collection of a plan, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlannedTenants {
    /// Those that can be read as they are.
    pub active: u64,
    /// Those that are activated to be read, and deactivated.
    pub inactive: u64,
    /// Those that cannot be read.
    pub out_of_reach: u64,
}

/// Tenants of one collection that are inactive and cannot be activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftInactive {
    /// The collection.
    pub collection: CollectionName,
    /// How many.
    pub tenants: u64,
    /// The first of them, by name.
    pub first: TenantName,
    /// Why they cannot be activated.
    pub why: ActivationRefusal,
}

impl CollectionBackup {
    /// Estimated plain bytes, where known.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate"
        )]
        match (self.objects, self.object_bytes) {
            (Some(0), _) => Some(0),
            (Some(objects), Some(mean)) => Some((objects as f64 * mean) as u64),
            _ => None,
        }
    }
}

/// What a backup will do. Making it sends nothing but reading requests and writes nothing.
#[derive(Debug, Clone)]
pub struct BackupPlan {
    /// The server's URL without credentials.
    pub url: String,
    /// Its version, as it prints it.
    pub server_version: String,
    /// Where the archive will be, unless the name is taken meanwhile.
    pub archive: PathBuf,
    /// The collections, by name.
    pub collections: Vec<CollectionBackup>,
    /// What exists and will not be in the archive.
    pub skipped: Vec<Skipped>,
    /// Tenants that are inactive and cannot be activated, so that they will not be in the archive.
    pub left_inactive: Vec<LeftInactive>,
    /// Collections of which nothing is resumed that an interrupted run had kept, and why: they were removed meanwhile, or
    /// are not the same any more.
    pub given_up: BTreeMap<CollectionName, NotKeptReason>,
    /// What the key may not see, and so will not be in the archive if it exists.
    pub limits: Vec<Limit>,
    /// Whether the server is whole.
    pub topology: TopologyRecord,
    /// Bytes free in the folder of archives, where known.
    pub free_bytes: Option<u64>,
    /// The options it was made with; of a run that is resumed, those that decide what its archive holds.
    pub options: BackupOptions,
    /// The interrupted backup that is resumed.
    pub resumes: Option<Interrupted>,
    /// The newest interrupted backup that fits, if a new archive is made all the same.
    pub interrupted: Option<Interrupted>,
    started: Timestamp,
    stem: String,
    /// The server's clock when the plan was made, in whole seconds, as ms since 1970.
    server_time_ms: Option<i64>,
    /// The run that is resumed (a UUID).
    run_id: Option<String>,
}

impl BackupPlan {
    /// The collections as events and `--json` show them.
    #[must_use]
    pub fn listed(&self) -> Vec<PlannedCollection> {
        let one = |p: &CollectionBackup| PlannedCollection {
            objects: p.objects,
            bytes: p.bytes(),
            selection: Some(&self.options.subset).filter(|subset| !subset.is_all()).cloned(),
            ..PlannedCollection::of(p.schema.name.clone())
        };
        self.collections.iter().map(one).collect()
    }
}

/// A backup that came to its end.
#[derive(Debug, Clone)]
pub struct BackupOutcome {
    /// The result in numbers.
    pub result: RunResult,
    /// The archive's manifest.
    pub manifest: Manifest,
    /// Lock or journal files that could not be removed.
    pub left_behind: Vec<&'static str>,
}

/// A backup that stopped before its end.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct BackupStopped {
    /// Why.
    #[source]
    pub error: Error,
    /// The unsealed archive it left, if it got as far as making one.
    pub archive: Option<PathBuf>,
}

/// What one collection added to the manifest's lists.
#[derive(Debug, Default)]
struct Remarks {
    limits: Vec<Limit>,
    incomplete: Vec<Incomplete>,
    skipped: Vec<Skipped>,
}
