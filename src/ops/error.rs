//! Why an operation stopped, as data: the error itself, the class that decides the exit code, and what a person can do.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;

use crate::archive;
use crate::event::Class;
use crate::model::CollectionName;
use crate::ops::restore::Refusal;
use crate::pipeline::{import, scan};
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
    /// The collection went away meanwhile.
    #[error("{collection} was removed meanwhile")]
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
    /// Writing objects.
    #[error("cannot write {collection}")]
    Import {
        /// The collection, by its name on the server.
        collection: CollectionName,
        /// Why.
        source: import::Error,
    },
    /// The server did not create a collection.
    #[error("{collection} could not be created")]
    NotCreated {
        /// The collection, by its name on the server.
        collection: CollectionName,
        /// Why.
        source: weaviate::Error,
    },
    /// A collection is still there after it was dropped.
    #[error("{collection} could not be removed{}", if source.is_none() { ": it is still there" } else { "" })]
    NotDropped {
        /// The collection.
        collection: CollectionName,
        /// Why, if the server said so or did not answer.
        source: Option<weaviate::Error>,
    },
    /// A collection has not as many objects any more as somebody agreed to lose.
    #[error("{collection} had {} when this was confirmed, and has {} now", objects(Some(*was)), objects(*now))]
    Moved {
        /// The collection.
        collection: CollectionName,
        /// Objects agreed to.
        was: u64,
        /// Objects there are; `None` if that cannot be asked.
        now: Option<u64>,
    },
    /// Another collection of the same name has taken its place.
    #[error("{collection} was removed and made anew meanwhile")]
    MadeAnew {
        /// The collection.
        collection: CollectionName,
    },
    /// Names that are not removed or emptied by accident.
    #[error("protected: {}", listed(names))]
    Protected {
        /// The collections.
        names: Vec<CollectionName>,
    },
    /// The server made something else of a collection than was asked for. It has no objects.
    #[error("the server made something else of {collection} than was asked for: {}", differences.join("; "))]
    MadeOtherwise {
        /// The collection, by its name on the server.
        collection: CollectionName,
        /// What is different, each as a clause.
        differences: Vec<String>,
    },
    /// Shards that take no writes.
    #[error("{collection} has read-only shards: {}", shards.join(", "))]
    ReadOnly {
        /// The collection, by its name on the server.
        collection: CollectionName,
        /// Their names.
        shards: Vec<String>,
    },
    /// A name no collection of the archive has.
    #[error("the archive holds no collection {name:?}")]
    NotInArchive {
        /// As typed.
        name: String,
        /// Names that look like it.
        similar: Vec<CollectionName>,
    },
    /// One name was given for several collections.
    #[error("one name for {collections} collections")]
    OneNameForMany {
        /// Collections chosen.
        collections: usize,
    },
    /// Two collections would get one name.
    #[error("{} and {} would both be named {name}", collections[0], collections[1])]
    SameName {
        /// The name.
        name: CollectionName,
        /// The collections, as the archive calls them.
        collections: [CollectionName; 2],
    },
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
    #[error("{} line {line}: {source}", path.display())]
    Line {
        /// The part.
        path: PathBuf,
        /// The line in the part's plain text, from 1.
        line: u64,
        /// What is wrong with it.
        source: crate::pipeline::split::SplitError,
    },
    /// The server cannot hold what the archive has, or not by this version of elysiactl.
    #[error("cannot restore: {}", each(refusals))]
    CannotRestore {
        /// What stands against it; at least one.
        refusals: Vec<Refusal>,
        /// Collections chosen.
        chosen: usize,
    },
    /// The server cannot hold a collection as it was described.
    #[error("cannot create {}", each_alone(refusals))]
    CannotCreate {
        /// What stands against it; at least one.
        refusals: Vec<Refusal>,
    },
    /// A collection was created, but not all of its tenants.
    #[error("{collection} was created, but only {created} of its {all} tenants")]
    TenantsNotCreated {
        /// The collection.
        collection: CollectionName,
        /// Tenants known to be created.
        created: usize,
        /// Tenants wanted.
        all: usize,
        /// Why.
        source: weaviate::Error,
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
    /// The server takes no writes: disk, memory, or somebody set its shards read-only.
    MakeWritable,
    /// A collection was created that is of no use and in the way of the next run.
    RemoveCollection(CollectionName),
    /// Restore under another name, or remove what is there.
    OtherName,
    /// `--revectorize`.
    Revectorize,
    /// Give each collection a name of its own.
    RenameEach,
    /// Look at what the archive holds.
    ShowArchive,
    /// An archive is the directory with a manifest.
    NameArchive,
    /// Another server, or another version of it.
    NewerServer,
    /// Modules to enable on the server.
    EnableModules(Vec<String>),
    /// Restore the collections that are referred to as well.
    ChooseTargets,
    /// Restore the others, without these.
    LeaveOut(Vec<CollectionName>),
    /// `--allow-protected`.
    AllowProtected,
    /// This is a bug.
    Report,
}

impl Error {
    /// The failure of the wire behind it, if that is what it is.
    fn wire(&self) -> Option<&weaviate::Error> {
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

    /// Whether an invariant of elysiactl does not hold.
    fn is_bug(&self) -> bool {
        let sink_gone = matches!(
            self,
            Self::Scan { source: scan::Error::SinkGone, .. } | Self::Import { source: import::Error::SinkGone, .. }
        );
        sink_gone || matches!(self, Self::Stage { .. })
    }

    /// What kind of failure this is; gives the exit code.
    #[must_use]
    pub fn class(&self) -> Class {
        match (self, self.wire()) {
            // The server answered, and its answer was no.
            (Self::NotCreated { .. } | Self::NotDropped { .. } | Self::TenantsNotCreated { .. }, Some(e))
                if matches!(e.root(), weaviate::Error::Rejected { .. }) =>
            {
                return Class::Refused;
            }
            (_, Some(error)) => return wire_class(error),
            _ => {}
        }
        match self {
            _ if self.is_bug() => Class::Bug,
            Self::Archive(e) => archive_class(e),
            Self::BadGlob { .. } | Self::OneNameForMany { .. } | Self::SameName { .. } => Class::Usage,
            Self::UnknownCollection { .. }
            | Self::MissingCollections { .. }
            | Self::NotInArchive { .. }
            | Self::NothingMatched { .. }
            | Self::NothingToDo { .. }
            | Self::MadeOtherwise { .. }
            | Self::Protected { .. }
            | Self::Moved { .. }
            | Self::MadeAnew { .. }
            | Self::CannotCreate { .. }
            | Self::CannotRestore { .. } => Class::Refused,
            Self::NotEnoughSpace { .. } => Class::Disk,
            Self::Interrupted => Class::Interrupted,
            Self::Line { .. } | Self::Import { source: import::Error::Text(_), .. } => Class::Archive,
            _ => Class::Server,
        }
    }

    /// What a person can do, the most likely first.
    #[must_use]
    pub fn hints(&self) -> Vec<Hint> {
        if let Some(error) = self.wire() {
            return wire_hints(error);
        }
        match self {
            _ if self.is_bug() => vec![Hint::Report],
            Self::Archive(e) => archive_hints(e),
            Self::Scan { .. } => vec![Hint::SmallerPages, Hint::RunAgain],
            Self::Line { .. } | Self::Import { source: import::Error::Text(_), .. } => vec![Hint::ArchiveDamaged],
            Self::Vanished { .. }
            | Self::Moved { .. }
            | Self::MadeAnew { .. }
            | Self::NotDropped { source: None, .. }
            | Self::SchemaChanged { .. }
            | Self::Import { source: import::Error::Unjudged, .. } => vec![Hint::RunAgain],
            Self::Import { .. } | Self::ReadOnly { .. } => vec![Hint::MakeWritable],
            Self::MadeOtherwise { collection, .. } => vec![Hint::RemoveCollection(collection.clone())],
            Self::Protected { .. } => vec![Hint::AllowProtected],
            Self::OneNameForMany { .. } | Self::SameName { .. } => vec![Hint::RenameEach],
            Self::NotInArchive { similar, .. } if !similar.is_empty() => vec![Hint::DidYouMean(similar.clone())],
            Self::NotInArchive { .. } => vec![Hint::ShowArchive],
            Self::Wire(_)
            | Self::NotCreated { .. }
            | Self::TenantsNotCreated { .. }
            | Self::NotDropped { .. }
            | Self::Stage { .. }
            | Self::BadGlob { .. }
            | Self::Interrupted
            | Self::NothingToDo { excluded: true } => Vec::new(),
            Self::UnknownCollection { alias_of: Some(collection), .. } => vec![Hint::IsAlias(collection.clone())],
            Self::UnknownCollection { similar, .. } if !similar.is_empty() => vec![Hint::DidYouMean(similar.clone())],
            Self::UnknownCollection { .. } | Self::MissingCollections { .. } | Self::NothingMatched { .. } => {
                vec![Hint::ListCollections]
            }
            Self::NothingToDo { excluded: false } => vec![Hint::MaybeNotAllowed, Hint::CheckUrl],
            Self::NotWhole { .. } => vec![Hint::WaitForNodes],
            Self::NotEnoughSpace { .. } => vec![Hint::MakeRoom],
            Self::CannotRestore { refusals, chosen } => refusal_hints(refusals, *chosen),
            Self::CannotCreate { refusals } => refusal_hints(refusals, 1),
        }
    }
}

fn each(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The same about a collection that is created alone.
fn each_alone(refusals: &[Refusal]) -> String {
    let words = |refusal: &Refusal| match refusal {
        Refusal::MissingTarget { collection, property, target } => {
            format!("{collection}: {property} refers to {target}, which is not on the server")
        }
        other => other.to_string(),
    };
    refusals.iter().map(words).collect::<Vec<_>>().join("; ")
}

/// One hint for each kind of refusal, and at the end what to do without them.
fn refusal_hints(refusals: &[Refusal], chosen: usize) -> Vec<Hint> {
    let mut hints = Vec::new();
    let mut modules: Vec<String> = Vec::new();
    let mut collections: Vec<CollectionName> = Vec::new();
    for refusal in refusals {
        match refusal {
            Refusal::Module { module, .. } => modules.push(module.clone()),
            Refusal::Unsupported { .. } if !hints.contains(&Hint::NewerServer) => hints.push(Hint::NewerServer),
            Refusal::MissingTarget { .. } if !hints.contains(&Hint::ChooseTargets) => hints.push(Hint::ChooseTargets),
            Refusal::WouldVectorise { .. } if !hints.contains(&Hint::Revectorize) => hints.push(Hint::Revectorize),
            Refusal::Exists { .. } | Refusal::IsAlias { .. } if !hints.contains(&Hint::OtherName) => {
                hints.push(Hint::OtherName);
            }
            _ => {}
        }
        collections.extend(refusal.collections().iter().cloned());
    }
    modules.sort_unstable();
    modules.dedup();
    collections.sort_unstable();
    collections.dedup();
    if !modules.is_empty() {
        hints.push(Hint::EnableModules(modules));
    }
    if collections.len() < chosen {
        hints.push(Hint::LeaveOut(collections));
    }
    hints
}

/// The time waited, in words; nothing for no time.
fn after(waited: Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(" (waited {} s)", waited.as_secs()) }
}

/// A number of objects.
fn objects(number: Option<u64>) -> String {
    match number {
        Some(1) => "1 object".to_owned(),
        Some(number) => format!("{number} objects"),
        None => "a number of objects that is not known".to_owned(),
    }
}

/// Names, one after the other.
fn listed(names: &[CollectionName]) -> String {
    names.iter().map(CollectionName::as_str).collect::<Vec<_>>().join(", ")
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
        E::NotFound { .. } | E::TooMany { .. } => Class::Usage,
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
        E::NotAnArchive { .. } | E::NotFound { .. } | E::TooMany { .. } => vec![Hint::NameArchive],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_listed_and_each_kind_has_its_hint_once() {
        let name = |text: &str| text.parse::<CollectionName>().expect("a name");
        let unsupported = |text: &str| Refusal::Unsupported {
            collection: name(text),
            key: "vectorIndexType".into(),
            value: "\"hfresh\"".into(),
            since: Some("1.36".into()),
            server: "1.32.27".into(),
        };
        let module = |text: &str| Refusal::Module {
            collection: name(text),
            key: "vectorizer".into(),
            module: "text2vec-x".into(),
        };
        let refusals = vec![unsupported("B"), module("A"), unsupported("A"), module("B")];
        let error = Error::CannotRestore { refusals, chosen: 3 };
        assert_eq!(error.class(), Class::Refused);
        let text = error.to_string();
        assert!(text.starts_with("cannot restore: B: vectorIndexType \"hfresh\" needs Weaviate 1.36"), "{text}");
        assert_eq!(text.matches("; ").count(), 3);
        assert_eq!(
            error.hints(),
            [
                Hint::NewerServer,
                Hint::EnableModules(vec!["text2vec-x".into()]),
                Hint::LeaveOut(vec![name("A"), name("B")]),
            ]
        );
    }
}
