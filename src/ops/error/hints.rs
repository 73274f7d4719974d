//! What a person can do about an error, as data; the words are made by `cli`.

use super::Error;
use crate::archive::{self, Damage};
use crate::model::{CollectionName, TenantName};
use crate::ops::Unmakeable;
use crate::ops::refusal::{ClearRefusal, Lack, LackOf, RestoreRefusal};
use crate::pipeline::{import, scan};
use crate::weaviate::{self, TlsCause};

/// What a connection says whose host cannot be found.
const NO_NAME: &str = "dns error";
/// What a proxy says over HTTP to clients that showed no certificate.
const CLIENT_CERTIFICATE_WANTED: &str = "No required SSL certificate was sent";
/// What is said of an answer that is no HTTP: a server that speaks TLS answers so to plain HTTP.
const NOT_HTTP: &str = "not HTTP";
/// What servers and proxies answer to plain HTTP on a port for HTTPS.
const HTTPS_WANTED: [&str; 2] = ["HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port"];

/// What a person can do; the words are made by `cli`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// One of these was perhaps meant.
    DidYouMean(Vec<CollectionName>),
    /// The name is an alias of this collection.
    IsAlias(CollectionName),
    /// `elysiactl col ls` shows what is there.
    ListCollections,
    /// The key may see only part of the collections.
    MaybeNotAllowed,
    /// Check URL and port.
    CheckUrl,
    /// Give a key.
    GiveKey,
    /// The key that was given is not known to the server.
    OtherKey,
    /// The host's name cannot be resolved.
    CheckName,
    /// What answers speaks plain HTTP.
    UseHttp,
    /// What answers may speak HTTPS alone.
    UseHttps,
    /// The server answered before, and is gone.
    ServerGone,
    /// The key lacks permissions.
    GrantPermission,
    /// Servers list objects, also those of a single tenant, only to a key that may read all tenants.
    ReadEveryTenant,
    /// `--tenant`, with those that the key may do it to.
    NameTenants,
    /// `--no-verify`.
    WithoutComparison,
    /// Wait until every node is back, then run again.
    WaitForNodes,
    /// `--allow-missing-nodes`: every shard has enough replicas on the nodes that are there.
    AllowMissingNodes,
    /// Free space, name another folder, or compress.
    MakeRoom,
    /// Name another folder.
    OtherFolder,
    /// Have the files of runs and their locks lie elsewhere.
    OtherStateFolder,
    /// Restore each under another name, or remove what is there.
    OtherNames,
    /// Name the authority that signed the server's certificate.
    CheckCertificate,
    /// Write the address with a name that the server's certificate is for.
    OtherServerName,
    /// The server's certificate has run out, or a clock is wrong.
    RenewCertificate,
    /// Show a certificate of one's own, which the server trusts.
    ShowClientCertificate,
    /// The client certificate and its key do not belong together, or are no PEM.
    PairClientCertificate,
    /// The machine has no certificates of authorities.
    InstallCertificates,
    /// Run again.
    RunAgain,
    /// Read the archive elsewhere: the disk, its cable or the memory here fails at times.
    OtherMachine,
    /// Give more memory: a line is longer than this.
    RaiseMemoryLimit {
        /// What there is room for, in bytes.
        longest: u64,
    },
    /// Let nobody touch the archive meanwhile.
    ArchiveInUse,
    /// Take an archive from another copy, or back up again.
    ArchiveDamaged,
    /// The archive was never sealed; carry it on, or back up again.
    BackUpAgain,
    /// A version of elysiactl that reads the format.
    Upgrade(String),
    /// Another run works on it.
    WaitForOtherRun,
    /// `--limit`-like settings of the server: smaller pages.
    SmallerPages,
    /// The server's `QUERY_MAXIMUM_RESULTS`.
    RaisePageLimit,
    /// Leave the collection out, or make its object smaller.
    ExcludeCollection,
    /// The server takes no writes: disk, memory, or somebody set its shards read-only.
    MakeWritable,
    /// A collection was created that is of no use and in the way of the next run.
    RemoveCollection(CollectionName),
    /// Restore under another name, or remove what is there.
    OtherName,
    /// `--revectorize`.
    Revectorize,
    /// `--allow-endpoint`, with these that can be allowed.
    AllowEndpoint(Vec<String>),
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
    /// Stop what writes to it.
    StopWriters,
    /// `--method delete`, which writers do not disturb.
    DeleteInstead,
    /// Stop what writes to it before it is dropped.
    WritersFirst,
    /// `--method recreate`, which read-only shards do not disturb.
    RecreateInstead,
    /// Tenants that are active are emptied by deleting.
    WakeTenants,
    /// `col ls` and `col show` list tenants.
    ListTenants,
    /// The manifest lists those of an archive.
    ListArchivedTenants,
    /// These look like it.
    DidYouMeanTenants(Vec<TenantName>),
    /// Leave aliases alone.
    SkipAliases,
    /// Remove an alias whose name a collection is to have, in whatever spelling.
    RemoveAlias,
    /// Leave aliases that exist as they are, or let the key see them.
    KeepAliases,
    /// Have the server delete what expires, or restore a collection whose objects do not.
    NoObjectTtl,
    /// Without `--resume` a new run is begun.
    WithoutResume,
    /// Remove what an unfinished run left.
    RemoveWhatWasLeft,
    /// Restore without roles.
    WithoutRoles,
    /// Give the tenant another name.
    OtherTenant,
    /// Name a folder for the files of runs.
    NameRunFolder,
    /// `--no-rehearsal`.
    WithoutRehearsal,
    /// `--allow-protected`.
    AllowProtected,
    /// What the server's operator can change so that it takes what it refused.
    ChangeServer(weaviate::LastingCause),
    /// This is a bug.
    Report,
}

impl Error {
    /// What a person can do, the most likely first.
    #[must_use]
    pub fn hints(&self) -> Vec<Hint> {
        if let Some(error) = self.wire() {
            return match self {
                Self::NotCreated { .. } if is_about_ttl(error) => vec![Hint::NoObjectTtl],
                _ => wire_hints(error),
            };
        }
        match self {
            _ if self.is_bug() => vec![Hint::Report],
            Self::Archive(e) | Self::RunFiles(e @ archive::Error::NoSpace { .. }) => archive_hints(e),
            Self::RunFiles(_) => vec![Hint::OtherStateFolder],
            Self::Scan { source: scan::Error::NoPageAllowed { .. }, .. } => vec![Hint::RaisePageLimit],
            Self::Scan { source: scan::Error::ObjectTooLarge { .. }, .. } => vec![Hint::ExcludeCollection],
            Self::Scan { source: scan::Error::Page { .. }, .. } => vec![Hint::SmallerPages, Hint::RunAgain],
            Self::Line { .. } | Self::Import { source: import::Error::Text(_), .. } => vec![Hint::ArchiveDamaged],
            Self::Damages { damages, .. } => {
                let mut hints = Vec::new();
                add(&mut hints, damages.iter().flat_map(Self::hints));
                hints
            }
            Self::Scan { .. }
            | Self::Vanished { .. }
            | Self::Moved { .. }
            | Self::BeingWritten { .. }
            | Self::MadeAnew { .. }
            | Self::TenantMadeAnew { .. }
            | Self::NotDropped { source: None, .. }
            | Self::TenantStays { .. }
            | Self::TenantLacks { .. }
            | Self::NotAsPlanned { .. }
            | Self::SchemaChanged { .. }
            | Self::Import { source: import::Error::Unjudged | import::Error::Removed, .. } => vec![Hint::RunAgain],
            Self::Import { .. } | Self::ReadOnly { .. } => vec![Hint::MakeWritable],
            Self::MadeOtherwise { collection, .. } => vec![Hint::RemoveCollection(collection.clone())],
            Self::Protected { .. } => vec![Hint::AllowProtected],
            Self::InIdleNamespace { .. } => vec![Hint::ChangeServer(weaviate::LastingCause::Suspended)],
            Self::ModeForbids { mode } => vec![Hint::ChangeServer(weaviate::LastingCause::Mode(*mode))],
            Self::TenantsUnseen { .. } => vec![Hint::GrantPermission],
            Self::NotAllowed { lacks } => {
                let mut hints = Vec::new();
                add(&mut hints, lacks.iter().flat_map(lack_hints));
                hints
            }
            // What alone helps helps here too. All else is about a collection that is not there any more.
            Self::Lost { source, .. } => {
                source.hints().into_iter().filter(|hint| matches!(hint, Hint::ChangeServer(_))).collect()
            }
            Self::CannotClear { refusals } => clear_hints(refusals),
            Self::MadeUp { .. } => vec![Hint::StopWriters],
            Self::OneNameForMany { .. } | Self::SameName { .. } | Self::BadRename { .. } => vec![Hint::RenameEach],
            Self::NotInArchive { similar, .. } if !similar.is_empty() => vec![Hint::DidYouMean(similar.clone())],
            Self::NotInArchive { .. } => vec![Hint::ShowArchive],
            Self::Wire(_)
            | Self::NotCreated { .. }
            | Self::TenantsNotCreated { .. }
            | Self::NotDropped { .. }
            | Self::Stage { .. }
            | Self::BadGlob { .. }
            | Self::Interrupted
            | Self::NotMultiTenant { .. }
            | Self::NotPlain { .. }
            | Self::NothingToDo { excluded: true }
            | Self::UnknownTenant { skipped: Some(_), .. } => Vec::new(),
            Self::UnknownCollection { alias_of: Some(collection), .. } => vec![Hint::IsAlias(collection.clone())],
            Self::UnknownCollection { similar, .. } if !similar.is_empty() => vec![Hint::DidYouMean(similar.clone())],
            Self::UnknownCollection { .. }
            | Self::DanglingAlias { .. }
            | Self::MissingCollections { .. }
            | Self::NothingMatched { .. } => vec![Hint::ListCollections],
            Self::UnknownTenant { similar, .. } if !similar.is_empty() => {
                vec![Hint::DidYouMeanTenants(similar.clone())]
            }
            Self::UnknownTenant { archived: true, .. } => vec![Hint::ListArchivedTenants],
            Self::UnknownTenant { .. } => vec![Hint::ListTenants],
            Self::NoRunFolder { .. } => vec![Hint::NameRunFolder],
            Self::NothingToDo { excluded: false } => vec![Hint::MaybeNotAllowed, Hint::CheckUrl],
            Self::NotWhole { .. } => vec![Hint::WaitForNodes],
            Self::NodesMissing { .. } => vec![Hint::WaitForNodes, Hint::AllowMissingNodes],
            Self::NotEnoughSpace { .. } => vec![Hint::MakeRoom],
            Self::CannotRestore { refusals, chosen } | Self::Unfinished { refusals, chosen, .. } => {
                refusal_hints(refusals, *chosen)
            }
            Self::OtherRun { .. } | Self::OtherBackup { .. } | Self::LastCopy { .. } => vec![Hint::WithoutResume],
            Self::WentOn { .. } => vec![Hint::WaitForOtherRun],
            Self::CannotCreate { refusals } => refusal_hints(refusals, 1),
        }
    }
}

/// One hint for each kind of refusal.
fn clear_hints(refusals: &[ClearRefusal]) -> Vec<Hint> {
    use ClearRefusal as R;
    let mut hints = Vec::new();
    for refusal in refusals {
        let hint = match refusal {
            R::Unmakeable { why, .. } => {
                add(&mut hints, unmakeable_hints(why).into_iter().chain([Hint::DeleteInstead]));
                continue;
            }
            R::BeingWritten { .. } => {
                add(&mut hints, [Hint::DeleteInstead, Hint::WritersFirst]);
                continue;
            }
            R::NotAllowed { lack } => {
                add(&mut hints, lack_hints(lack));
                continue;
            }
            R::NotMadeAgain { .. } => Hint::DeleteInstead,
            R::ReadOnly { .. } => Hint::RecreateInstead,
            R::UnknownTenant { .. } => Hint::ListTenants,
            R::TenantsStay { .. } => Hint::WakeTenants,
            R::NotMultiTenant { .. } | R::TenantsOfMany { .. } | R::BelongsToOthers { .. } => continue,
        };
        add(&mut hints, [hint]);
    }
    hints
}

/// Adds those of these hints that are not among them yet.
fn add(hints: &mut Vec<Hint>, more: impl IntoIterator<Item = Hint>) {
    for hint in more {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
}

/// What can be done about a permission that lacks.
fn lack_hints(lack: &Lack) -> Vec<Hint> {
    let first = match lack.of {
        LackOf::Tenants(_) => Some(Hint::NameTenants),
        LackOf::EveryTenant if lack.action == "read_data" => Some(Hint::ReadEveryTenant),
        _ => None,
    };
    first.into_iter().chain([Hint::GrantPermission]).collect()
}

/// What can be done where a server does not make a collection.
fn unmakeable_hints(why: &Unmakeable) -> Vec<Hint> {
    match (why, why.cause()) {
        (Unmakeable::NoScratchName { .. }, _) => vec![Hint::WithoutRehearsal],
        (_, Some(cause)) => vec![Hint::ChangeServer(cause.clone())],
        (Unmakeable::Refused { status: Some(401 | 403), .. }, None) => vec![Hint::GrantPermission],
        (_, None) => Vec::new(),
    }
}

/// One hint for each kind of refusal, and at the end what to do without them.
fn refusal_hints(refusals: &[RestoreRefusal], chosen: usize) -> Vec<Hint> {
    // --name is for one collection alone.
    let other_name = if chosen > 1 { Hint::OtherNames } else { Hint::OtherName };
    let mut hints = Vec::new();
    let mut modules: Vec<String> = Vec::new();
    let mut collections: Vec<CollectionName> = Vec::new();
    let (mut origins, mut leads_on): (Vec<String>, bool) = (Vec::new(), false);
    for refusal in refusals {
        match refusal {
            RestoreRefusal::Module { module, .. } => modules.push(module.clone()),
            RestoreRefusal::Unmakeable { why, .. } => {
                let of_ttl = matches!(why.cause(), Some(cause) if cause.setting() == Some(TTL_SCHEDULE));
                let own = if of_ttl { vec![Hint::NoObjectTtl] } else { unmakeable_hints(why) };
                for hint in own {
                    if !hints.contains(&hint) {
                        hints.push(hint);
                    }
                }
            }
            RestoreRefusal::Unsupported { .. } if !hints.contains(&Hint::NewerServer) => hints.push(Hint::NewerServer),
            RestoreRefusal::MissingTarget { .. } if !hints.contains(&Hint::ChooseTargets) => {
                hints.push(Hint::ChooseTargets);
            }
            RestoreRefusal::Endpoint { endpoint, .. } => {
                leads_on = true;
                origins.extend(endpoint.origin.as_ref().map(ToString::to_string));
            }
            RestoreRefusal::WouldVectorise { .. } if !hints.contains(&Hint::Revectorize) => {
                hints.push(Hint::Revectorize);
            }
            RestoreRefusal::AliasTaken { .. }
            | RestoreRefusal::AliasSimilar { .. }
            | RestoreRefusal::AliasUnfit { .. }
                if !hints.contains(&Hint::SkipAliases) =>
            {
                hints.push(Hint::SkipAliases);
            }
            RestoreRefusal::AliasHidden { .. } if !hints.contains(&Hint::KeepAliases) => hints.push(Hint::KeepAliases),
            RestoreRefusal::NotAsLeft { .. } if !hints.contains(&Hint::RemoveWhatWasLeft) => {
                hints.push(Hint::RemoveWhatWasLeft);
            }
            RestoreRefusal::NoRoles { .. } | RestoreRefusal::RoleUnknown { .. }
                if !hints.contains(&Hint::WithoutRoles) =>
            {
                hints.push(Hint::WithoutRoles);
            }
            RestoreRefusal::MayNotWake { .. }
            | RestoreRefusal::TargetUnreadable { .. }
            | RestoreRefusal::Unreadable { .. }
                if !hints.contains(&Hint::GrantPermission) =>
            {
                hints.push(Hint::GrantPermission);
            }
            RestoreRefusal::NotAllowed { lack, .. } => {
                let compares = (lack.action == "read_data").then_some(Hint::WithoutComparison);
                add(&mut hints, lack_hints(lack).into_iter().chain(compares));
            }
            RestoreRefusal::TenantExists { .. } if !hints.contains(&Hint::OtherTenant) => hints.push(Hint::OtherTenant),
            RestoreRefusal::Exists { .. } if !hints.contains(&other_name) => hints.push(other_name.clone()),
            RestoreRefusal::IsAlias { .. } if !hints.contains(&Hint::RemoveAlias) => {
                hints.retain(|hint| *hint != other_name);
                hints.extend([other_name.clone(), Hint::RemoveAlias]);
            }
            _ => {}
        }
        collections.extend(refusal.collection().cloned());
    }
    if leads_on {
        origins.sort_unstable();
        origins.dedup();
        hints.push(Hint::AllowEndpoint(origins));
    }
    modules.sort_unstable();
    modules.dedup();
    collections.sort_unstable();
    collections.dedup();
    if !modules.is_empty() {
        hints.push(Hint::EnableModules(modules));
    }
    if !collections.is_empty() && collections.len() < chosen {
        hints.push(Hint::LeaveOut(collections));
    }
    hints
}

/// The setting that lets a server delete what expires.
const TTL_SCHEDULE: &str = "OBJECTS_TTL_DELETE_SCHEDULE";

/// Whether a server without a schedule for deleting what expires refused a collection whose objects do. No route tells
/// beforehand whether it has one.
fn is_about_ttl(error: &weaviate::Error) -> bool {
    error.message().is_some_and(|message| message.contains(TTL_SCHEDULE))
}

fn wire_hints(error: &weaviate::Error) -> Vec<Hint> {
    use weaviate::Error as E;
    if let Some(cause) = error.lasting() {
        return vec![Hint::ChangeServer(cause.clone())];
    }
    let says_https = |text: &str| HTTPS_WANTED.iter().any(|words| text.contains(words));
    let wants_certificate = |text: &str| text.contains(CLIENT_CERTIFICATE_WANTED);
    match error.root() {
        _ if error.message().is_some_and(says_https) => vec![Hint::UseHttps],
        _ if error.message().is_some_and(wants_certificate) => vec![Hint::ShowClientCertificate],
        E::NotWeaviate { what, .. } if wants_certificate(what) => vec![Hint::ShowClientCertificate],
        E::Unreachable { .. } if matches!(error, E::Exhausted { .. }) => vec![Hint::ServerGone],
        E::Unreachable { reason, .. } if reason.contains(NO_NAME) => vec![Hint::CheckName],
        E::NotWeaviate { what, .. } if says_https(what) => vec![Hint::UseHttps],
        E::NotWeaviate { what, .. } if what == NOT_HTTP => vec![Hint::UseHttps, Hint::CheckUrl],
        E::Unreachable { .. } | E::NotWeaviate { .. } | E::Redirected { .. } => vec![Hint::CheckUrl],
        E::Tls { cause, .. } => match cause {
            TlsCause::NoTls => vec![Hint::UseHttp],
            TlsCause::OtherName => vec![Hint::OtherServerName],
            TlsCause::OutOfDate => vec![Hint::RenewCertificate],
            TlsCause::WantsClientCertificate => vec![Hint::ShowClientCertificate],
            TlsCause::Untrusted => vec![Hint::CheckCertificate],
            TlsCause::Other => vec![Hint::CheckUrl],
        },
        E::Certificate { what, .. } if *what == weaviate::CLIENT_CERTIFICATE => vec![Hint::PairClientCertificate],
        E::Certificate { .. } => vec![Hint::CheckCertificate],
        E::Setup { .. } => vec![Hint::InstallCertificates],
        E::Unauthorized { key_sent: true, .. } => vec![Hint::OtherKey],
        E::Unauthorized { .. } => vec![Hint::GiveKey],
        E::Forbidden { .. } => vec![Hint::GrantPermission],
        E::NotReady { closes: true, .. } => vec![Hint::UseHttps, Hint::WaitForNodes],
        E::NotReady { .. } => vec![Hint::WaitForNodes],
        E::Server { .. } | E::Stalled { .. } | E::Lost { .. } | E::BadAnswer { .. } => vec![Hint::RunAgain],
        _ => Vec::new(),
    }
}

fn archive_hints(error: &archive::Error) -> Vec<Hint> {
    use archive::Error as E;
    match error {
        E::Unsealed { .. } => vec![Hint::BackUpAgain],
        E::NewerFormat { tool_version, .. } => vec![Hint::Upgrade(tool_version.clone())],
        // That of a run: the archive is as good as before.
        E::Damaged { what: Damage::JournalLine | Damage::JournalOrder, .. } => Vec::new(),
        E::Damaged { what: Damage::Replaced, .. } => vec![Hint::ArchiveInUse],
        E::Damaged { .. } => vec![Hint::ArchiveDamaged],
        E::NoSpace { .. } => vec![Hint::MakeRoom],
        E::LineTooLong { longest, .. } => vec![Hint::RaiseMemoryLimit { longest: *longest }],
        E::Unsteady { .. } => vec![Hint::OtherMachine],
        E::ReadOnly { .. } | E::PermissionDenied { .. } | E::OutputIsFile { .. } | E::OutputIsArchive { .. } => {
            vec![Hint::OtherFolder]
        }
        E::Locked { .. } | E::Claimed(_) => vec![Hint::WaitForOtherRun],
        E::Broken { .. } => vec![Hint::Report],
        E::NotAnArchive { .. } | E::NotFound { .. } | E::TooMany { .. } => vec![Hint::NameArchive],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
