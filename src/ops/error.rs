//! Why an operation stopped, as data: the error itself, the class that decides the exit code, and what a person can do.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;

use crate::archive;
use crate::event::Class;
use crate::model::CollectionName;
use crate::pipeline::scan;
use crate::weaviate;

/// Why an operation stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server.
    #[error(transparent)]
    Wire(#[from] weaviate::Error),
    /// The archive or the disk under it.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// Reading objects.
    #[error("cannot read {collection}")]
    Scan {
        /// The collection.
        collection: CollectionName,
        /// Why.
        source: scan::Error,
    },
    /// A glob that is none.
    #[error("{glob:?} is not a valid glob")]
    BadGlob {
        /// As typed.
        glob: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A name no collection has.
    #[error("there is no collection {name:?}")]
    UnknownCollection {
        /// As typed.
        name: String,
        /// The collection it stands for, if it is an alias.
        alias_of: Option<CollectionName>,
        /// Names that look like it.
        similar: Vec<CollectionName>,
    },
    /// A glob that matches nothing.
    #[error("no collection matches {glob:?}")]
    NothingMatched {
        /// As typed.
        glob: String,
        /// Collections there are.
        collections: usize,
    },
    /// No collection is left.
    #[error("{}", if *excluded { "every collection is excluded" } else { "the server shows no collections" })]
    NothingToDo {
        /// Whether `--exclude` took the last one away.
        excluded: bool,
    },
    /// Part of the server is away.
    #[error("part of {collection} cannot be read: {reason}{}", after(*waited))]
    NotWhole {
        /// The collection.
        collection: CollectionName,
        /// What is wrong, in few words.
        reason: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The archive would not fit.
    #[error("{} has {} free, the archive needs about {}", folder.display(), ByteSize(*free), ByteSize(*needed))]
    NotEnoughSpace {
        /// The folder of archives.
        folder: PathBuf,
        /// Bytes it would take, estimated.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The collection went away while it was read.
    #[error("{collection} was removed while it was read")]
    Vanished {
        /// The collection.
        collection: CollectionName,
    },
    /// The schema changed in a way objects depend on.
    #[error("{collection} changed while it was read: {what}")]
    SchemaChanged {
        /// The collection.
        collection: CollectionName,
        /// What changed.
        what: String,
    },
    /// A signal asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// A line of an archive is not what it should be.
    #[error("{} line {line}: {source}", path.display())]
    Line {
        /// The part.
        path: PathBuf,
        /// The line in the part's plain text, from 1.
        line: u64,
        /// What is wrong with it.
        source: crate::pipeline::split::SplitError,
    },
    /// A stage ended without saying why: a bug.
    #[error("a stage stopped without a reason: {what}")]
    Stage {
        /// Which one.
        what: String,
    },
}

/// What a person can do; the words are made by `cli`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// One of these was perhaps meant.
    DidYouMean(Vec<CollectionName>),
    /// The name is an alias of this collection.
    IsAlias(CollectionName),
    /// `elysiactl col backup --dry-run` shows what is there.
    ListCollections,
    /// The key may see only part of the collections.
    MaybeNotAllowed,
    /// Check URL and port.
    CheckUrl,
    /// Give a key, or another one.
    GiveKey,
    /// The key lacks permissions.
    GrantPermission,
    /// Wait until every node is back, then run again.
    WaitForNodes,
    /// Free space, name another folder, or compress.
    MakeRoom,
    /// Name another folder.
    OtherFolder,
    /// Certificates.
    CheckCertificate,
    /// Run again.
    RunAgain,
    /// Take an archive from another copy, or back up again.
    ArchiveDamaged,
    /// The archive was never sealed; back up again.
    BackUpAgain,
    /// A version of elysiactl that reads the format.
    Upgrade(String),
    /// Another run works on it.
    WaitForOtherRun,
    /// `--limit`-like settings of the server: smaller pages.
    SmallerPages,
    /// An archive is the directory with a manifest.
    NameArchive,
    /// This is a bug.
    Report,
}

impl Error {
    /// What kind of failure this is; gives the exit code.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Wire(e) | Self::Scan { source: scan::Error::Wire(e), .. } => wire_class(e),
            Self::Archive(e) => archive_class(e),
            Self::Scan { source: scan::Error::SinkGone, .. } | Self::Stage { .. } => Class::Bug,
            Self::Scan { .. } | Self::NotWhole { .. } | Self::Vanished { .. } | Self::SchemaChanged { .. } => {
                Class::Server
            }
            Self::BadGlob { .. } => Class::Usage,
            Self::UnknownCollection { .. } | Self::NothingMatched { .. } | Self::NothingToDo { .. } => Class::Refused,
            Self::NotEnoughSpace { .. } => Class::Disk,
            Self::Interrupted => Class::Interrupted,
            Self::Line { .. } => Class::Archive,
        }
    }

    /// What a person can do, the most likely first.
    #[must_use]
    pub fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Wire(e) | Self::Scan { source: scan::Error::Wire(e), .. } => wire_hints(e),
            Self::Archive(e) => archive_hints(e),
            Self::Scan { source: scan::Error::SinkGone, .. } | Self::Stage { .. } => vec![Hint::Report],
            Self::Scan { .. } => vec![Hint::SmallerPages, Hint::RunAgain],
            Self::BadGlob { .. } | Self::Interrupted | Self::NothingToDo { excluded: true } => Vec::new(),
            Self::UnknownCollection { alias_of: Some(collection), .. } => vec![Hint::IsAlias(collection.clone())],
            Self::UnknownCollection { similar, .. } if !similar.is_empty() => vec![Hint::DidYouMean(similar.clone())],
            Self::UnknownCollection { .. } | Self::NothingMatched { .. } => vec![Hint::ListCollections],
            Self::NothingToDo { excluded: false } => vec![Hint::MaybeNotAllowed, Hint::CheckUrl],
            Self::NotWhole { .. } => vec![Hint::WaitForNodes],
            Self::NotEnoughSpace { .. } => vec![Hint::MakeRoom],
            Self::Vanished { .. } | Self::SchemaChanged { .. } => vec![Hint::RunAgain],
            Self::Line { .. } => vec![Hint::ArchiveDamaged],
        }
    }
}

/// The time waited, in words; nothing for no time.
fn after(waited: Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(" (waited {} s)", waited.as_secs()) }
}

fn wire_class(error: &weaviate::Error) -> Class {
    use weaviate::Error as E;
    match error.root() {
        E::Url { .. } | E::Header { .. } | E::Certificate { .. } => Class::Usage,
        E::Setup { .. } => Class::Bug,
        _ => Class::Server,
    }
}

fn wire_hints(error: &weaviate::Error) -> Vec<Hint> {
    use weaviate::Error as E;
    match error.root() {
        E::Unreachable { .. } | E::NotWeaviate { .. } | E::Redirected { .. } => vec![Hint::CheckUrl],
        E::Tls { .. } | E::Certificate { .. } => vec![Hint::CheckCertificate],
        E::Unauthorized { .. } => vec![Hint::GiveKey],
        E::Forbidden { .. } => vec![Hint::GrantPermission],
        E::NotReady { .. } => vec![Hint::WaitForNodes],
        E::Server { .. } | E::Stalled { .. } | E::Lost { .. } | E::BadAnswer { .. } => vec![Hint::RunAgain],
        _ => Vec::new(),
    }
}

fn archive_class(error: &archive::Error) -> Class {
    use archive::Error as E;
    match error {
        E::NotFound { .. } => Class::Usage,
        E::NotAnArchive { .. }
        | E::IsLink { .. }
        | E::Unsealed { .. }
        | E::NewerFormat { .. }
        | E::Damaged { .. }
        | E::Name(_) => Class::Archive,
        E::Locked { .. } => Class::Locked,
        E::Broken { .. } => Class::Bug,
        _ => Class::Disk,
    }
}

fn archive_hints(error: &archive::Error) -> Vec<Hint> {
    use archive::Error as E;
    match error {
        E::Unsealed { .. } => vec![Hint::BackUpAgain],
        E::NewerFormat { tool_version, .. } => vec![Hint::Upgrade(tool_version.clone())],
        E::Damaged { .. } => vec![Hint::ArchiveDamaged],
        E::NoSpace { .. } => vec![Hint::MakeRoom],
        E::ReadOnly { .. } | E::PermissionDenied { .. } | E::OutputIsFile { .. } | E::OutputIsArchive { .. } => {
            vec![Hint::OtherFolder]
        }
        E::Locked { .. } => vec![Hint::WaitForOtherRun],
        E::Broken { .. } => vec![Hint::Report],
        E::NotAnArchive { .. } | E::NotFound { .. } => vec![Hint::NameArchive],
        _ => Vec::new(),
    }
}
