//! Why an operation stopped, as data: the error itself, the class that decides the exit code, and what a person can do.

mod change;
mod hints;
mod lost;
mod table;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;

use crate::archive;
use crate::event::SkipReason;
use crate::model::{CollectionName, KeyChange, ShellWord, TenantName, Unfit, count, counted};
use crate::ops::RunName;
use crate::ops::drift::SchemaDrift;
use crate::ops::refusal::{BackupDiffers, ClearRefusal, Lack, RestoreRefusal, RunDiffers};
use crate::pipeline::{import, scan};
use crate::weaviate;
use words::{after, as_target, expires_too, joined, listed, no_tenant, objects, some};

pub use change::{NotBackedUp, PlanChange};
pub use hints::Hint;
pub use lost::{Instead, Lost};

/// Why an operation stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact, and a field's name says what it is of it")]
pub enum Error {
    /// The server.
    #[error(transparent)]
    Wire(#[from] weaviate::Error),
    /// The archive or the disk under it.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The files of this run, or the lock of a collection, cannot be written.
    #[error(transparent)]
    RunFiles(archive::Error),
    /// Reading objects.
    #[error("cannot read {collection}")]
    Scan { collection: CollectionName, source: scan::Error },
    /// A glob that is none.
    #[error("{glob:?} is not a valid glob")]
    BadGlob { glob: String, source: globset::Error },
    /// A collection has no such objects as are to be selected.
    #[error("the selection does not fit {collection}")]
    Unfit { collection: CollectionName, source: Box<Unfit> },
    /// A selection that takes nothing.
    #[error("nothing is selected: of {} none is what was asked for", counted(*objects, "object"))]
    NothingSelected {
        /// Objects that were read.
        objects: u64,
    },
    /// A name no collection has.
    #[error("there is no collection {name:?}")]
    UnknownCollection {
        name: String,
        /// The collection it stands for, if it is an alias.
        alias_of: Option<CollectionName>,
        similar: Vec<CollectionName>,
    },
    /// An alias whose collection is gone.
    #[error("{name} is an alias of {collection}, which does not exist")]
    DanglingAlias { name: CollectionName, collection: CollectionName },
    /// A tenant that none of the collections chosen has.
    #[error("{}", no_tenant(tenant, skipped.is_some()))]
    UnknownTenant {
        tenant: TenantName,
        /// Whether it was to come from an archive.
        archived: bool,
        /// Why the archive does not hold it, if it names it all the same.
        skipped: Option<SkipReason>,
        similar: Vec<TenantName>,
    },
    /// Tenants are inactive, and there is no folder for the journal that says which of them were activated.
    #[error("{collection} has inactive tenants, and there is no folder to write down which of them are activated")]
    NoRunFolder { collection: CollectionName },
    /// A plain collection was to become a tenant, and one that was named, or each that was chosen, has tenants itself.
    #[error("{collection} has tenants itself")]
    NotPlain { collection: CollectionName },
    /// Tenants were named, and a collection that was named too has none.
    #[error("{collection} has no tenants")]
    NotMultiTenant { collection: CollectionName },
    /// A glob that matches nothing.
    #[error("no collection matches {glob:?}")]
    NothingMatched { glob: String, collections: usize },
    /// No collection is left.
    #[error("{}", if *excluded { "every collection is excluded" } else { "the server shows no collections" })]
    NothingToDo {
        /// Whether `--exclude` took the last one away.
        excluded: bool,
    },
    /// The server's operational mode forbids what is wanted; nothing was done.
    #[error("{}", weaviate::LastingCause::Mode(*mode))]
    ModeForbids { mode: weaviate::OperationalMode },
    /// Collections are in a namespace that is not active (suspended, for instance), so that nothing of them can be read.
    #[error("in a namespace that is suspended, or not active: {}", collections.join(", "))]
    InIdleNamespace { collections: Vec<String> },
    /// Part of the server is away.
    #[error("part of {collection} cannot be read: {reason}{}", after(*waited))]
    NotWhole {
        collection: CollectionName,
        /// What is wrong, in few words.
        reason: String,
        waited: Duration,
    },
    /// Nodes are missing, and every shard that is wanted has enough replicas on the others.
    #[error("nodes are missing: {}; every shard has a majority of its replicas on the others", nodes.join(", "))]
    NodesMissing { nodes: Vec<String> },
    /// The archive would not fit.
    #[error("{} has {} free, the archive needs about {}", ShellWord::path(folder), ByteSize(*free), ByteSize(*needed))]
    NotEnoughSpace {
        folder: PathBuf,
        /// Bytes it would take, estimated.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The collection went away meanwhile.
    #[error("{collection} was removed meanwhile")]
    Vanished { collection: CollectionName },
    /// A backup cannot be resumed without what may be the last there is of a collection.
    #[error(
        "{collection} was removed, and {} has {}, all of it: resumed, the backup would lose them",
        ShellWord::path(archive), counted(*objects, "object")
    )]
    LastCopy {
        /// The archive that is not sealed.
        archive: PathBuf,
        collection: CollectionName,
        objects: u64,
    },
    /// The schema changed in a way objects depend on.
    #[error("{collection} changed while it was read: {what}")]
    SchemaChanged { collection: CollectionName, what: SchemaDrift },
    /// Writing objects.
    #[error("cannot write {collection}")]
    Import {
        /// The collection, by its name on the server.
        collection: CollectionName,
        source: import::Error,
    },
    /// The server did not create a collection.
    #[error("{collection} could not be created")]
    NotCreated {
        /// The collection, by its name on the server.
        collection: CollectionName,
        source: weaviate::Error,
    },
    /// A collection is still there after it was dropped.
    #[error("{collection} could not be removed{}", if source.is_none() { ": it is still there" } else { "" })]
    NotDropped {
        collection: CollectionName,
        /// Why, if the server said so or did not answer.
        source: Option<weaviate::Error>,
    },
    /// A collection has not as many objects any more as somebody agreed to lose.
    #[error(
        "{collection} had {} when this was confirmed, and has {} now{}",
        objects(Some(*was)),
        objects(*now),
        expires_too(*expires)
    )]
    Moved {
        collection: CollectionName,
        was: u64,
        /// Objects there are; `None` if that cannot be asked.
        now: Option<u64>,
        /// The server removes objects of it by itself when they expire.
        expires: bool,
    },
    /// The number of objects moves: somebody writes to a collection that was to go.
    #[error("{collection} is being written to ({}, then {})", counted(*before, "object"), count(*after))]
    BeingWritten { collection: CollectionName, before: u64, after: u64 },
    /// Another collection of the same name has taken its place.
    #[error("{collection} was removed and recreated meanwhile")]
    Recreated { collection: CollectionName },
    /// The first objects of a tenant are others than they were.
    #[error(
        "tenant {tenant} of {collection} was removed and recreated meanwhile, or what it held first was written again"
    )]
    TenantRecreated { collection: CollectionName, tenant: TenantName },
    /// Collections were removed by somebody while they were restored.
    #[error("{}", lost.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Lost {
        /// What became of each; at least one.
        lost: Vec<Lost>,
        /// What ended the run: it may be about something else, as the removal may have come before it unnoticed.
        source: Box<Error>,
    },
    /// An unsealed archive is not what is to be resumed.
    #[error("{} is another backup: {what} was {archived} there and is {wanted} now", ShellWord::path(archive))]
    OtherBackup { archive: PathBuf, what: BackupDiffers, archived: String, wanted: String },
    /// A tenant is still there after it was deleted.
    #[error("tenant {tenant} of {collection} could not be removed")]
    TenantStays { collection: CollectionName, tenant: TenantName },
    /// A tenant is not there again, or not in the state it was in.
    #[error("tenant {tenant} of {collection} is not there as it was")]
    TenantLacks { collection: CollectionName, tenant: TenantName },
    /// A collection cannot be emptied, or not as it was asked for.
    #[error("cannot clear: {}", joined(refusals))]
    CannotClear { refusals: Vec<ClearRefusal> },
    /// A collection was to go as a whole, and of its tenants the key sees some alone: the others would go unseen.
    #[error(
        "{collection}: the key's roles show it only some of the tenants (read_tenants), and any others would go unseen"
    )]
    TenantsUnseen { collection: CollectionName },
    /// Something changed between the plan and the moment it was to be carried out; nothing was done to it.
    #[error("{collection} is not as it was when it was planned: {what}")]
    NotAsPlanned { collection: CollectionName, what: PlanChange },
    /// A collection was dropped, and whenever it was to be recreated the server had made up another one for somebody who
    /// writes to it.
    #[error(
        "{collection} was dropped, and concurrent writes had it created by auto-schema each time ({attempts} attempts)"
    )]
    AutoCreated { collection: CollectionName, attempts: u32 },
    /// The roles of the key do not let it do what is wanted; nothing was done.
    #[error("the key may not {}", lacks.iter().map(ToString::to_string).collect::<Vec<_>>().join("; nor "))]
    NotAllowed { lacks: Vec<Lack> },
    /// Names that are not removed or emptied by accident.
    #[error("protected: {}", listed(names))]
    Protected { names: Vec<CollectionName> },
    /// The server made something else of a collection than was asked for. It has no objects.
    #[error("the server made something else of {collection} than was asked for: {}", KeyChange::listed(differences))]
    MadeOtherwise {
        /// The collection, by its name on the server.
        collection: CollectionName,
        differences: Vec<KeyChange>,
    },
    /// Shards that take no writes.
    #[error("{collection} has read-only shards: {}", shards.join(", "))]
    ReadOnly {
        /// The collection, by its name on the server.
        collection: CollectionName,
        shards: Vec<String>,
    },
    /// A name no collection of the archive has.
    #[error("the archive holds no collection {name:?}")]
    NotInArchive { name: String, similar: Vec<CollectionName> },
    /// A setting that nothing has which is chosen.
    #[error("--set {setting} changes nothing: nothing that is chosen has such a setting{}{}", if there.is_empty() { "" } else { "; there are " }, some(there))]
    SettingUnused {
        setting: String,
        /// The vectors or properties that there are, where one was named.
        there: Vec<String>,
    },
    /// One class document was given for several collections.
    #[error("one class document for {collections} collections (--schema-file)")]
    OneSchemaForMany { collections: usize },
    /// The class document that was given is another collection's.
    #[error(
        "the class document in --schema-file is of {class}, and not of {collection}{}",
        as_target(collection, target)
    )]
    SchemaOfAnother { class: CollectionName, collection: CollectionName, target: CollectionName },
    /// One name was given for several collections.
    #[error("one name for {collections} collections")]
    OneNameForMany { collections: usize },
    /// Two collections would get one name.
    #[error("{} and {} would both be named {name}", collections[0], collections[1])]
    SameName {
        name: CollectionName,
        /// The collections, as the archive calls them.
        collections: [CollectionName; 2],
    },
    /// A pattern that makes no name of one that it matches.
    #[error("{pattern} makes {name:?} of {collection}, which is no collection's name")]
    BadRename { collection: CollectionName, pattern: String, name: String },
    /// Collections the server does not have, more than one.
    #[error("the server has no collections named {}", listed(names))]
    MissingCollections {
        /// Their names on the server.
        names: Vec<CollectionName>,
    },
    /// A signal asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// A line of an archive is not what it should be.
    #[error("{} line {line}: {source}", ShellWord::path(path))]
    Line { path: PathBuf, line: u64, source: crate::pipeline::split::SplitError },
    /// Several files of an archive are not what was sealed.
    #[error("{}: {}{} files are damaged", ShellWord::path(archive), if *all { "" } else { "at least " }, damages.len())]
    Damages {
        archive: PathBuf,
        /// What is wrong with each, in the order it was found.
        damages: Vec<Error>,
        /// Whether these are all.
        all: bool,
    },
    /// The server cannot hold what the archive has, or not by this version of elysiactl.
    #[error("cannot restore: {}", joined(refusals))]
    CannotRestore { refusals: Vec<RestoreRefusal>, chosen: usize },
    /// What is in the way is what an earlier run of the same left, which did not get to its end.
    #[error("cannot restore: {}; that is what {run} left, which did not get to its end", joined(refusals))]
    Unfinished { run: RunName, refusals: Vec<RestoreRefusal>, chosen: usize },
    /// A run was to be resumed, and the one there is was about something else.
    #[error("{run} did not get to its end, and is not what is asked for now: {}", joined(differs))]
    OtherRun { run: RunName, differs: Vec<RunDiffers> },
    /// The run that was to be resumed was so by somebody else, since it was looked at.
    #[error("{run} was resumed elsewhere since it was looked at")]
    WentOn { run: RunName },
    /// The server cannot hold a collection as it was described.
    #[error("cannot create {}", joined(refusals))]
    CannotCreate { refusals: Vec<RestoreRefusal> },
    /// A collection was created, but not all of its tenants.
    #[error("{collection} was created, but only {} of its {}", count(*created as u64), counted(*all as u64, "tenant"))]
    TenantsNotCreated {
        collection: CollectionName,
        /// Tenants known to be created.
        created: usize,
        all: usize,
        source: weaviate::Error,
    },
    /// A stage ended without saying why: a bug.
    #[error("a stage stopped without a reason: {what}")]
    Stage { what: String },
}

impl Error {
    /// An error met at the files of a run: a disk that cannot be written there is not that of the archives.
    pub(super) fn of_run_files(self) -> Self {
        use archive::Error as E;
        match self {
            Self::Archive(
                e @ (E::NoSpace { .. }
                | E::ReadOnly { .. }
                | E::PermissionDenied { .. }
                | E::Io { .. }
                | E::OutputIsFile { .. }),
            ) => Self::RunFiles(e),
            other => other,
        }
    }

    /// The failure of the wire behind it, if that is what it is.
    pub(crate) fn wire(&self) -> Option<&weaviate::Error> {
        match self {
            Self::Wire(e)
            | Self::Scan { source: scan::Error::Wire(e), .. }
            | Self::Import { source: import::Error::Wire(e), .. }
            | Self::NotCreated { source: e, .. }
            | Self::TenantsNotCreated { source: e, .. }
            | Self::NotDropped { source: Some(e), .. } => Some(e),
            _ => None,
        }
    }
}
