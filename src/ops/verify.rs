//! `col verify`: an archive against live collections, by content.

mod collection;
mod names;
mod run;
mod schema;
mod shares;

use std::path::PathBuf;
use std::time::Duration;

use crate::event::{Difference, FieldDiff, Remark, RunResult, SchemaDifference};
use crate::model::{CollectionName, ObjectId, Renames, Selection, TenantMap, TenantName};
use crate::ops::StateFolders;

pub(in crate::ops) use collection::{CompareOptions, Compared, Pair, compare_collection};
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
    pub const LIMIT: usize = 100;
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
