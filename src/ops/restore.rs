//! `col restore`: an archive into new live collections.

pub(in crate::ops) mod aliases;
mod begun;
mod create;
mod earlier_run;
mod fill;
mod lost;
mod merge;
mod mode;
mod options;
mod order;
mod plan;
mod rehearse;
mod remains;
mod resume;
mod roles;
mod run;
mod survey;
mod taken;
mod tenants;
mod undo;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::archive::{Archive, Content, Manifest};
use crate::event::{
    Class, PlannedCollection, PlannedMerge, PlannedRefusal, PlannedRestore, PlannedThere, Remark, RestorePlanned,
    RoleRemark, RunResult,
};
use crate::model::{CollectionName, Renames, Schema, TenantName, path_text};
use crate::ops::schema::{self, Rehearsed};
use crate::ops::server::PlannedServer;
use crate::ops::verify::Differs;
use crate::ops::{Error, RunName};
use crate::pipeline::compare::Comparer;
use crate::pipeline::parts::Indexed;
use crate::weaviate::Rights;

pub use crate::model::{InvalidOrigin, Origin};
pub use crate::ops::error::{Instead, Lost};
pub use crate::ops::refusal::RestoreRefusal;
pub use crate::ops::schema::endpoints::Endpoint;
pub use crate::ops::schema::settings::{InvalidSetting, Setting, Takes};
pub use aliases::{AliasStep, PlannedAlias};
pub use begun::as_begun;
use merge::MergeWork;
use mode::RestoreMode;
pub(super) use mode::taken_by;
pub use options::{AliasPolicy, ConflictPolicy, Merge, RestoreOptions, RunChoice, SchemaFile};
use order::Waiting;
pub(super) use order::{missing, references};
pub use plan::plan;
pub(super) use plan::{Readable, not_allowed, without_hidden};
pub use rehearse::rehearse;
use resume::Resuming;
pub use resume::{ResumedRestore, left_open};
pub use roles::{Allowed, PlannedRole, RoleStep};
pub use run::run;
use survey::Survey;
use taken::TakenObjects;

/// One collection of a plan.
#[derive(Debug, Clone)]
pub struct CollectionRestore {
    /// Its name in the archive.
    pub archived: CollectionName,
    /// Its name on the server.
    pub target: CollectionName,
    /// What the archive kept of it.
    pub content: Content,
    /// Objects that will be written.
    pub objects: u64,
    /// Objects of what is chosen that are not taken; `None` where all are.
    pub left_out: Option<u64>,
    /// Their plain bytes in the archive.
    pub bytes: u64,
    /// What will be different from the source.
    pub remarks: Vec<Remark>,
    /// Objects that will be sent to the server's vectorizer.
    pub to_vectorise: u64,
    /// Where its modules send what they are given, as far as its settings say so.
    pub endpoints: Vec<Endpoint>,
    /// Objects with an integer the server will refuse.
    pub refused_integers: u64,
    /// Properties whose values are not written, since no server takes them back (`blobHash`).
    pub unwritten: Vec<String>,
    /// Tenants that will be made, and how many of them will be inactive.
    pub tenants: (u64, u64),
    /// Its objects were not read, since something stands against the plan: what they hold is not known.
    pub unread: bool,
    /// What is done with it: `create`, `add_tenants`, `merge`, `resume`, or `refuse` where something stands against it.
    pub action: &'static str,
    /// What stands on the server in its place.
    pub there: Option<PlannedThere>,
    /// How its objects meet those that are there, if it is merged and they were compared.
    pub merge: Option<PlannedMerge>,
}

/// What is known of the archive that a plan is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveFacts {
    /// When its backup began.
    pub started: Timestamp,
    /// When it was sealed.
    pub sealed: Timestamp,
    /// The most that was kept of any of its collections.
    pub content: Content,
    /// Collections in it.
    pub collections: usize,
    /// Objects in all of them.
    pub objects: u64,
    /// Their plain bytes.
    pub bytes: u64,
}

impl ArchiveFacts {
    fn of(manifest: &Manifest) -> Self {
        let all = &manifest.collections;
        let any = |content| all.iter().any(|collection| collection.content == content);
        let content = [Content::Full, Content::NoVectors].into_iter().find(|content| any(*content));
        Self {
            started: manifest.started,
            sealed: manifest.sealed,
            content: content.unwrap_or(Content::SchemaOnly),
            collections: all.len(),
            objects: all.iter().fold(0, |sum, collection| sum.saturating_add(collection.objects)),
            bytes: all.iter().fold(0, |sum, collection| sum.saturating_add(collection.bytes)),
        }
    }
}

/// What a restore will do, and what stands against it. Making it reads every byte that would be sent, and sends nothing but
/// reading requests.
#[derive(Debug, Clone)]
pub struct RestorePlan {
    /// The server's URL without credentials.
    pub url: String,
    /// Its version, as it prints it.
    pub server_version: String,
    /// The archive's directory.
    pub archive: PathBuf,
    /// What is known of the archive.
    pub about: ArchiveFacts,
    /// When the plan was made.
    pub made: Timestamp,
    /// The collections, in the order they are restored.
    pub collections: Vec<CollectionRestore>,
    /// Aliases of the collections.
    pub aliases: Vec<PlannedAlias>,
    /// Roles, if they were asked for.
    pub roles: Vec<PlannedRole>,
    /// Why it is not known whether the server is whole, if so.
    pub topology_unchecked: Option<String>,
    /// Whether it was tried out that the server makes the collections.
    pub rehearsed: Rehearsed,
    /// The run that it resumes, if it does and nothing stands against that.
    pub resumes: Option<ResumedRestore>,
    /// What stands against it. If there is anything here, it cannot be carried out.
    pub refusals: Vec<RestoreRefusal>,
    /// The first objects that are there with another content, in a merge.
    pub differences: Vec<Differs>,
    /// The run that left what is in the way, if that is all that stands against it.
    pub unfinished: Option<RunName>,
    /// The options it was made with.
    pub options: RestoreOptions,
}

/// A plan, with all that was opened and read to make it.
#[derive(Clone)]
pub struct PreparedRestore {
    /// The plan.
    pub plan: RestorePlan,
    archive: Arc<Archive>,
    work: Vec<Collection>,
    server: PlannedServer,
    /// What the key may do, where that is known.
    rights: Option<Rights>,
    started: Timestamp,
    /// What the run is about, as its journal says it.
    asked: resume::Asked,
    resuming: Option<Resuming>,
}

/// What it takes to restore one collection.
#[derive(Debug, Clone)]
struct Collection {
    /// Its place in the archive's list.
    at: usize,
    indexed: Indexed,
    /// What was found in its objects.
    survey: Survey,
    /// Which of them are taken.
    taken: TakenObjects,
    /// The schema that is asked for: the archived one, unless it becomes a collection of another kind or is to have other
    /// settings; of a collection that exists the one it has.
    asked: Schema,
    fit: schema::Fit,
    planned: CollectionRestore,
    /// What will be different for other reasons than the fit of its schema.
    remarks: Vec<Remark>,
    renames: Renames,
    /// Its references to collections that are not complete when its objects are written.
    waiting: Vec<Waiting>,
    /// With objects.
    data: bool,
    tenants: tenants::ChosenTenants,
    /// How it meets what is there.
    mode: RestoreMode,
    /// What of it is written, if it is merged.
    merge: Option<MergeWork>,
    /// What an earlier run did to it, which this one resumes.
    before: earlier_run::Before,
}

impl PreparedRestore {
    /// The tenants that are added to a collection that is there; `None` if it is created.
    fn added(&self, target: &CollectionName) -> Option<Vec<TenantName>> {
        let collection = self.work.iter().find(|collection| collection.planned.target == *target)?;
        collection.mode.added(&collection.tenants)
    }
}

impl Collection {
    /// Whether something has to be added to it once every collection exists.
    fn is_finished_later(&self) -> bool {
        self.mode.is_created() && !self.fit.added.is_empty()
    }

    /// Objects that are dealt with: all that is chosen, or in a merge what was found to be done.
    fn to_deal_with(&self) -> u64 {
        self.merge.as_ref().map_or(self.planned.objects, |merge| merge.marked.total(&self.indexed.runs))
    }

    /// Whether its references wait until every object they may refer to is there: in a collection with tenants servers
    /// look for the target, in others they do not.
    fn refers_last(&self) -> bool {
        self.data && self.asked.multi_tenant && !self.waiting.is_empty()
    }

    /// The place in the plan of the collection it is complete after; `own` is its own place.
    fn complete_after(&self, own: usize) -> usize {
        let waits = self.waiting.iter().map(|waiting| waiting.until);
        if self.refers_last() { waits.fold(own, usize::max) } else { own }
    }

    /// Decides what is the same in the archive and on the server.
    fn comparer(&self, options: &RestoreOptions) -> Comparer {
        comparer(&self.indexed, &self.renames, &self.asked, options)
    }

    /// The reference properties that its objects are sent without.
    fn deferred(&self) -> Vec<String> {
        // All in one: what is refused then is refused once.
        if self.refers_last() {
            return self.indexed.schema.references.clone();
        }
        self.waiting.iter().map(|waiting| waiting.property.clone()).collect()
    }
}

/// Decides what is the same in a collection of an archive and in one on the server, of the schema that is `asked` for.
fn comparer(indexed: &Indexed, renames: &Renames, asked: &Schema, options: &RestoreOptions) -> Comparer {
    let made = if options.revectorize { survey::vectorised(asked) } else { Vec::new() };
    Comparer::new(&indexed.schema, renames.clone(), options.clamp_ints).with_made_vectors(made)
}

impl std::fmt::Debug for PreparedRestore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl RestorePlan {
    /// The collections as events and `--json` show them, by their names on the server.
    #[must_use]
    pub fn listed(&self) -> Vec<PlannedCollection> {
        let one = |p: &CollectionRestore| PlannedCollection {
            objects: Some(p.objects),
            selection: Some(&self.options.subset).filter(|subset| !subset.is_all()).cloned(),
            bytes: Some(p.bytes),
            ..PlannedCollection::of(p.target.clone())
        };
        self.collections.iter().map(one).collect()
    }

    /// How long the backup took for what is restored, by its share of the archive's bytes; `None` if that is nothing.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn backup_took(&self) -> Option<Duration> {
        let bytes: u64 = self.collections.iter().map(|planned| planned.bytes).sum();
        let took = Duration::try_from(self.about.sealed.duration_since(self.about.started)).ok()?;
        (bytes > 0 && self.about.bytes > 0).then(|| took.mul_f64((bytes as f64 / self.about.bytes as f64).min(1.0)))
    }

    /// All of it as events and `--json` show it. `words`: what is said of a refusal.
    #[must_use]
    pub fn told(&self, words: impl Fn(&RestoreRefusal) -> String) -> RestorePlanned {
        let refusal = |refusal: &RestoreRefusal| PlannedRefusal {
            text: words(refusal),
            facts: serde_json::to_value(refusal).unwrap_or_default(),
        };
        let one = |p: &CollectionRestore| PlannedRestore {
            name: p.target.clone(),
            archived: p.archived.clone(),
            content: match p.content {
                Content::Full => "full",
                Content::NoVectors => "no_vectors",
                Content::SchemaOnly => "schema",
            },
            action: p.action,
            objects: p.objects,
            bytes: p.bytes,
            tenants: p.tenants.0,
            inactive_tenants: p.tenants.1,
            differs: p.remarks.clone(),
            to_vectorise: p.to_vectorise,
            refused_integers: p.refused_integers,
            objects_read: !p.unread,
            there: p.there.clone(),
            merge: p.merge,
        };
        RestorePlanned {
            archive: path_text(&self.archive),
            started: self.about.started,
            sealed: self.about.sealed,
            backup_seconds: self.backup_took().map(|took| took.as_secs_f64()),
            collections: self.collections.iter().map(one).collect(),
            aliases: self.aliases.iter().map(PlannedAlias::remark).collect(),
            roles: self.roles.iter().map(PlannedRole::remark).collect(),
            refusals: self.refusals.iter().map(refusal).collect(),
        }
    }

    /// The error of a plan that something stands against.
    #[must_use]
    pub fn refused(&self) -> Option<Error> {
        let (refusals, chosen) = (self.refusals.clone(), self.collections.len());
        match &self.unfinished {
            _ if refusals.is_empty() => None,
            Some(run) => Some(Error::Unfinished { run: run.clone(), refusals, chosen }),
            None => Some(Error::CannotRestore { refusals, chosen }),
        }
    }
}

/// A restore that came to its end.
#[derive(Debug, Clone)]
pub struct RestoreOutcome {
    /// The result in numbers.
    pub result: RunResult,
    /// The directory of the run's files.
    pub run_dir: PathBuf,
    /// The file that lists the objects the server refused, if there are any.
    pub rejected: Option<PathBuf>,
    /// What is not as it was in the source.
    pub remarks: Vec<(CollectionName, Remark)>,
    /// What became of the roles.
    pub about_roles: Vec<RoleRemark>,
    /// The first differences that the comparison found, up to the limit.
    pub differences: Vec<Differs>,
    /// Why it is not known whether the server was whole, if so.
    pub topology_unchecked: Option<String>,
}

/// A restore that stopped before its end.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct RestoreStopped {
    /// Why.
    #[source]
    pub error: Error,
    /// The directory of the run's files, if it got as far as making one.
    pub run_dir: Option<PathBuf>,
    /// What somebody removed while objects were written to it: neither of the lists of what is there names it.
    pub lost: Vec<Lost>,
    /// What was created and, as the server refused the rest, removed again.
    pub undone: Vec<CollectionName>,
    /// What was created, with the objects known to be written.
    pub created: Vec<(CollectionName, u64)>,
    /// Collections that were there before, with the tenants that were added, or begun to be, and the objects known to be
    /// written to them.
    pub joined: Vec<(CollectionName, Vec<TenantName>, u64)>,
    /// The archive of what merges replace, if it was sealed: nothing is replaced before.
    pub kept: Option<PathBuf>,
    /// The result so far.
    pub partial: Option<Box<RunResult>>,
}

impl RestoreStopped {
    /// What kind of failure it is. What the server refuses after something was created is not merely refused.
    #[must_use]
    pub fn class(&self) -> Class {
        let begun = !self.created.is_empty() || !self.joined.is_empty();
        match self.error.class() {
            Class::Refused if begun && self.error.wire().is_some() => Class::Server,
            class => class,
        }
    }
}
