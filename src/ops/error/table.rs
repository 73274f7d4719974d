//! What each error comes to, a row each: its class, which decides the exit code, and what a person can do about it.

use std::collections::BTreeSet;

use super::{Error, Hint};
use crate::archive::{self, Damage};
use crate::event::{Class, SchemaDifference};
use crate::model::CollectionName;
use crate::ops::Unmakeable;
use crate::ops::refusal::{ClearRefusal, Lack, LackOf, RestoreRefusal};
use crate::ops::schema::remedies::against_version;
use crate::ops::schema::settings::Setting;
use crate::pipeline::{import, scan};
use crate::weaviate::{self, LastingCause, TlsCause, phrases};

/// What a connection says whose host cannot be found.
const NO_NAME: &str = "dns error";
/// What a proxy says over HTTP to clients that showed no certificate.
const CLIENT_CERTIFICATE_WANTED: &str = "No required SSL certificate was sent";
/// What is said of an answer that is no HTTP: a server that speaks TLS answers so to plain HTTP.
const NOT_HTTP: &str = "not HTTP";
/// What servers and proxies answer to plain HTTP on a port for HTTPS.
const HTTPS_WANTED: [&str; 2] = ["HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port"];
/// The setting that lets a server delete what expires. No route tells beforehand whether it is set.
const TTL_SCHEDULE: &str = "OBJECTS_TTL_DELETE_SCHEDULE";

impl Error {
    /// What kind of failure this is; gives the exit code.
    #[must_use]
    pub fn class(&self) -> Class {
        self.row().0
    }

    /// What a person can do, the most likely first.
    #[must_use]
    pub fn hints(&self) -> Vec<Hint> {
        self.row().1
    }

    /// The table.
    fn row(&self) -> (Class, Vec<Hint>) {
        use Class::{Bug, Disk, Interrupted, Refused, Server, Usage};
        match self {
            // The operation is refused as it stands; whether something was done before is for the run to say.
            Self::Wire(e) if e.lasting().is_some() => (Refused, wire(e).1),
            Self::Wire(e)
            | Self::Scan { source: scan::Error::Wire(e), .. }
            | Self::Import { source: import::Error::Wire(e), .. } => wire(e),
            Self::NotCreated { source: e, .. } if e.message().is_some_and(|message| message.contains(TTL_SCHEDULE)) => {
                (answered(e), vec![Hint::NoObjectTtl])
            }
            Self::NotCreated { source: e, .. }
            | Self::TenantsNotCreated { source: e, .. }
            | Self::NotDropped { source: Some(e), .. } => (answered(e), wire(e).1),
            Self::Archive(e) | Self::RunFiles(e @ archive::Error::NoSpace { .. }) => archive(e),
            Self::RunFiles(e) => (archive(e).0, vec![Hint::OtherStateFolder]),
            Self::Line { .. } | Self::Import { source: import::Error::Text(_), .. } => {
                (Class::Archive, vec![Hint::ArchiveDamaged])
            }
            Self::Damages { damages, .. } => {
                // The archive's fault, if any of them is.
                let mut classes = damages.iter().map(Self::class);
                let first = classes.clone().next().unwrap_or(Class::Archive);
                let class = classes.find(|class| *class == Class::Archive).unwrap_or(first);
                (class, once(damages.iter().flat_map(Self::hints)))
            }
            Self::Stage { .. }
            | Self::Scan { source: scan::Error::SinkGone, .. }
            | Self::Import { source: import::Error::SinkGone, .. } => (Bug, vec![Hint::Report]),
            Self::Scan { source: scan::Error::NoPageAllowed { .. }, .. } => (Server, vec![Hint::RaisePageLimit]),
            Self::Scan { source: scan::Error::ObjectTooLarge { .. }, .. } => (Server, vec![Hint::ExcludeCollection]),
            Self::Scan { source: scan::Error::Page { .. }, .. } => (Server, vec![Hint::SmallerPages, Hint::RunAgain]),
            Self::Scan { .. }
            | Self::Import { source: import::Error::Unjudged | import::Error::Removed, .. }
            | Self::Vanished { .. }
            | Self::NotDropped { source: None, .. }
            | Self::TenantStays { .. }
            | Self::TenantLacks { .. }
            | Self::SchemaChanged { .. } => (Server, vec![Hint::RunAgain]),
            Self::Moved { .. }
            | Self::BeingWritten { .. }
            | Self::Recreated { .. }
            | Self::TenantRecreated { .. }
            | Self::NotAsPlanned { .. } => (Refused, vec![Hint::RunAgain]),
            Self::Import { .. } | Self::ReadOnly { .. } => (Server, vec![Hint::MakeWritable]),
            // What alone helps helps here too. All else is about a collection that is not there any more.
            Self::Lost { source, .. } => {
                (Server, source.hints().into_iter().filter(|hint| matches!(hint, Hint::ChangeServer(_))).collect())
            }
            Self::NotWhole { .. } => (Server, vec![Hint::WaitForNodes]),
            Self::NodesMissing { .. } => (Server, vec![Hint::WaitForNodes, Hint::AllowMissingNodes]),
            Self::NotEnoughSpace { .. } => (Disk, vec![Hint::MakeRoom]),
            Self::Interrupted => (Interrupted, Vec::new()),
            Self::BadGlob { .. } | Self::SchemaOfAnother { .. } => (Usage, Vec::new()),
            Self::NoRunFolder { .. } => (Usage, vec![Hint::NameRunFolder]),
            Self::OneNameForMany { .. } | Self::SameName { .. } | Self::BadRename { .. } => {
                (Usage, vec![Hint::RenameEach])
            }
            Self::OneSchemaForMany { .. } => (Usage, vec![Hint::ChooseOne]),
            Self::MadeOtherwise { collection, .. } => (Refused, vec![Hint::RemoveCollection(collection.clone())]),
            Self::Protected { .. } => (Refused, vec![Hint::AllowProtected]),
            Self::InIdleNamespace { .. } => (Refused, vec![Hint::ChangeServer(LastingCause::Suspended)]),
            Self::ModeForbids { mode } => (Refused, vec![Hint::ChangeServer(LastingCause::Mode(*mode))]),
            Self::TenantsUnseen { .. } => (Refused, vec![Hint::GrantPermission]),
            Self::NotAllowed { lacks } => (Refused, once(lacks.iter().flat_map(lacking))),
            Self::CannotClear { refusals } => (Refused, once(refusals.iter().flat_map(not_cleared))),
            // A document has no objects to merge.
            Self::CannotCreate { refusals } => {
                (Refused, not_restored(refusals, 1).into_iter().filter(|hint| *hint != Hint::Merge).collect())
            }
            Self::CannotRestore { refusals, chosen } | Self::Unfinished { refusals, chosen, .. } => {
                (Refused, not_restored(refusals, *chosen))
            }
            Self::AutoCreated { .. } => (Refused, vec![Hint::StopWriters]),
            Self::Unfit { source, .. } if !source.similar().is_empty() => {
                (Refused, vec![Hint::DidYouMeanProperties(source.similar().to_vec())])
            }
            Self::NotMultiTenant { .. }
            | Self::Unfit { .. }
            | Self::NothingSelected { .. }
            | Self::NotPlain { .. }
            | Self::NothingToDo { excluded: true }
            | Self::UnknownTenant { skipped: Some(_), .. } => (Refused, Vec::new()),
            Self::NothingToDo { excluded: false } => (Refused, vec![Hint::MaybeNotAllowed, Hint::CheckUrl]),
            Self::UnknownCollection { alias_of: Some(of), .. } => (Refused, vec![Hint::IsAlias(of.clone())]),
            Self::UnknownCollection { similar, .. } | Self::NotInArchive { similar, .. } if !similar.is_empty() => {
                (Refused, vec![Hint::DidYouMean(similar.clone())])
            }
            Self::NotInArchive { .. } | Self::SettingUnused { .. } => (Refused, vec![Hint::ShowArchive]),
            Self::UnknownCollection { .. }
            | Self::DanglingAlias { .. }
            | Self::MissingCollections { .. }
            | Self::NothingMatched { .. } => (Refused, vec![Hint::ListCollections]),
            Self::UnknownTenant { similar, .. } if !similar.is_empty() => {
                (Refused, vec![Hint::DidYouMeanTenants(similar.clone())])
            }
            Self::UnknownTenant { archived: true, .. } => (Refused, vec![Hint::ListArchivedTenants]),
            Self::UnknownTenant { .. } => (Refused, vec![Hint::ListTenants]),
            Self::OtherRun { .. } | Self::OtherBackup { .. } | Self::LastCopy { .. } => {
                (Refused, vec![Hint::WithoutResume])
            }
            Self::WentOn { .. } => (Refused, vec![Hint::WaitForOtherRun]),
        }
    }
}

/// The rows of the wire. What gave up comes to what the last failure does.
fn wire(error: &weaviate::Error) -> (Class, Vec<Hint>) {
    use Class::{Server, Usage};
    use weaviate::Error as E;
    if let Some(cause) = error.lasting() {
        return (Server, vec![Hint::ChangeServer(cause.clone())]);
    }
    let says_https = |text: &str| HTTPS_WANTED.iter().any(|words| text.contains(words));
    let wants_certificate = |text: &str| text.contains(CLIENT_CERTIFICATE_WANTED);
    let hint = match error.root() {
        E::Certificate { what, .. } if *what == weaviate::CLIENT_CERTIFICATE => {
            return (Usage, vec![Hint::PairClientCertificate]);
        }
        E::Certificate { .. } => return (Usage, vec![Hint::CheckCertificate]),
        E::Setup { .. } => return (Usage, vec![Hint::InstallCertificates]),
        E::Url { .. } | E::Header { .. } => return (Usage, Vec::new()),
        E::NotWeaviate { what, .. } if what == NOT_HTTP => return (Server, vec![Hint::UseHttps, Hint::CheckUrl]),
        E::NotReady { closes: true, .. } => return (Server, vec![Hint::UseHttps, Hint::WaitForNodes]),
        _ if error.message().is_some_and(says_https) => Hint::UseHttps,
        _ if error.message().is_some_and(wants_certificate) => Hint::ShowClientCertificate,
        E::NotWeaviate { what, .. } if wants_certificate(what) => Hint::ShowClientCertificate,
        E::NotWeaviate { what, .. } if says_https(what) => Hint::UseHttps,
        E::Unreachable { .. } if matches!(error, E::Exhausted { .. }) => Hint::ServerGone,
        E::Unreachable { reason, .. } if reason.contains(NO_NAME) => Hint::CheckName,
        E::Unreachable { .. } | E::NotWeaviate { .. } | E::Redirected { .. } => Hint::CheckUrl,
        E::Tls { cause, .. } => match cause {
            TlsCause::NoTls => Hint::UseHttp,
            TlsCause::OtherName => Hint::OtherServerName,
            TlsCause::OutOfDate => Hint::RenewCertificate,
            TlsCause::WantsClientCertificate => Hint::ShowClientCertificate,
            TlsCause::Untrusted => Hint::CheckCertificate,
            TlsCause::Other => Hint::CheckUrl,
        },
        E::Unauthorized { message, .. } if phrases::takes_no_keys(message) => Hint::SendNoKey,
        E::Unauthorized { key_sent: true, .. } => Hint::OtherKey,
        E::Unauthorized { .. } => Hint::GiveKey,
        E::Forbidden { .. } => Hint::GrantPermission,
        E::NotReady { .. } => Hint::WaitForNodes,
        E::Server { .. } | E::Stalled { .. } | E::Lost { .. } | E::BadAnswer { .. } => Hint::RunAgain,
        _ => return (Server, Vec::new()),
    };
    (Server, vec![hint])
}

/// The class of a change that failed: the server answered, and its answer was no, or it did not answer.
fn answered(error: &weaviate::Error) -> Class {
    if error.is_refused() { Class::Refused } else { wire(error).0 }
}

/// The rows of the archive and the disk under it.
fn archive(error: &archive::Error) -> (Class, Vec<Hint>) {
    use Class::{Archive, Bug, Disk, Locked, Refused, Usage};
    use archive::Error as E;
    match error {
        E::NotFound { .. } | E::TooMany { .. } => (Usage, vec![Hint::NameArchive]),
        E::Sealed { .. } => (Refused, Vec::new()),
        E::LineTooLong { longest, .. } => (Refused, vec![Hint::RaiseMemoryLimit { longest: *longest }]),
        E::NotAnArchive { .. } => (Archive, vec![Hint::NameArchive]),
        E::Unsealed { .. } => (Archive, vec![Hint::BackUpAgain]),
        E::NewerFormat { tool_version, .. } => (Archive, vec![Hint::Upgrade(tool_version.clone())]),
        // That of a run: the archive is as good as before.
        E::IsLink { .. } | E::Damaged { what: Damage::JournalLine | Damage::JournalOrder, .. } => (Archive, Vec::new()),
        E::Damaged { what: Damage::Replaced, .. } => (Archive, vec![Hint::ArchiveInUse]),
        E::Damaged { .. } => (Archive, vec![Hint::ArchiveDamaged]),
        E::Locked { .. } | E::Claimed(_) => (Locked, vec![Hint::WaitForOtherRun]),
        E::Broken { .. } => (Bug, vec![Hint::Report]),
        E::NoSpace { .. } => (Disk, vec![Hint::MakeRoom]),
        E::Unsteady { .. } => (Disk, vec![Hint::OtherMachine]),
        E::ReadOnly { .. } | E::PermissionDenied { .. } | E::OutputIsFile { .. } | E::OutputIsArchive { .. } => {
            (Disk, vec![Hint::OtherFolder])
        }
        _ => (Disk, Vec::new()),
    }
}

/// What can be done about a permission that lacks.
fn lacking(lack: &Lack) -> Vec<Hint> {
    match lack.of {
        LackOf::Tenants(_) => vec![Hint::NameTenants, Hint::GrantPermission],
        LackOf::EveryTenant if lack.action == "read_data" => vec![Hint::ReadEveryTenant, Hint::GrantPermission],
        _ => vec![Hint::GrantPermission],
    }
}

/// What can be done where a server does not make a collection.
fn not_made(why: &Unmakeable) -> Vec<Hint> {
    match (why, why.cause()) {
        (Unmakeable::NoScratchName { .. }, _) => vec![Hint::WithoutRehearsal],
        (_, Some(cause)) => vec![Hint::ChangeServer(cause.clone())],
        (Unmakeable::Refused { status: Some(401 | 403), .. }, None) => vec![Hint::GrantPermission],
        (_, None) => Vec::new(),
    }
}

/// What can be done about what stands against a clear.
fn not_cleared(refusal: &ClearRefusal) -> Vec<Hint> {
    use ClearRefusal as R;
    match refusal {
        R::Unmakeable { why, .. } => not_made(why).into_iter().chain([Hint::DeleteInstead]).collect(),
        R::BeingWritten { .. } => vec![Hint::DeleteInstead, Hint::WritersFirst],
        R::NotAllowed { lack } => lacking(lack),
        R::NotRecreated { .. } => vec![Hint::DeleteInstead],
        R::ReadOnly { .. } => vec![Hint::RecreateInstead],
        R::UnknownTenant { .. } => vec![Hint::ListTenants],
        R::TenantsStay { .. } => vec![Hint::ActivateTenants],
        R::NotMultiTenant { .. } | R::TenantsOfMany { .. } | R::BelongsToOthers { .. } => Vec::new(),
    }
}

/// What can be done about what stands against a restore, and at the end what to do without it.
fn not_restored(refusals: &[RestoreRefusal], chosen: usize) -> Vec<Hint> {
    use RestoreRefusal as R;
    // --name is for one collection alone.
    let other_name = || if chosen > 1 { Hint::OtherNames } else { Hint::OtherName };
    let (mut hints, mut modules, mut leads_on) = (Vec::new(), BTreeSet::new(), false);
    let mut adapted: Vec<(&RestoreRefusal, Setting)> = Vec::new();
    let (mut origins, mut collections, mut kept) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for refusal in refusals {
        collections.extend(refusal.collection().cloned());
        hints.extend(match refusal {
            R::Module { module, .. } => {
                modules.insert(module.clone());
                Vec::new()
            }
            R::Endpoint { endpoint, .. } => {
                leads_on = true;
                origins.extend(endpoint.origin.as_ref().map(ToString::to_string));
                Vec::new()
            }
            R::Unmakeable { why, .. } if why.cause().and_then(LastingCause::setting) == Some(TTL_SCHEDULE) => {
                vec![Hint::NoObjectTtl]
            }
            R::Unmakeable { why, help, .. } => {
                adapted.extend(help.iter().map(|setting| (refusal, setting.clone())));
                let fewer = matches!(why, Unmakeable::Tenants { cause: Some(_), .. }).then_some(Hint::FewerTenants);
                not_made(why).into_iter().chain(fewer).collect()
            }
            R::Unsupported { key, value, since, server, .. } => {
                adapted.extend(against_version(key, value, since.as_deref(), server).map(|setting| (refusal, setting)));
                vec![Hint::NewerServer]
            }
            R::TooFewNodes { nodes, .. } => {
                adapted.extend(format!("replicationFactor={nodes}").parse().ok().map(|setting| (refusal, setting)));
                Vec::new()
            }
            R::MissingTarget { target, renamed, .. } => {
                kept.extend(renamed.as_ref().and_then(|_| target.parse::<CollectionName>().ok()));
                vec![Hint::ChooseTargets]
            }
            R::WouldVectorise { .. } => vec![Hint::Revectorize],
            R::AliasTaken { .. } | R::AliasSimilar { .. } | R::AliasUnfit { .. } => vec![Hint::SkipAliases],
            R::AliasHidden { .. } => vec![Hint::KeepAliases],
            R::NotAsLeft { .. } => vec![Hint::RemoveWhatWasLeft],
            R::NoRoles { .. } | R::RoleUnknown { .. } => vec![Hint::WithoutRoles],
            R::MayNotActivate { .. } | R::TargetUnreadable { .. } | R::Unreadable { .. } => vec![Hint::GrantPermission],
            R::NotAllowed { lack, .. } if lack.action == "read_data" => {
                lacking(lack).into_iter().chain([Hint::WithoutComparison]).collect()
            }
            R::NotAllowed { lack, .. } => lacking(lack),
            R::TenantExists { .. } => vec![Hint::OtherTenant],
            R::SelectionMerged { .. } => vec![other_name()],
            R::Exists { .. } => vec![other_name(), Hint::Merge],
            R::Conflicts { .. } => vec![Hint::OnConflict],
            R::TenantsInactive { .. } => vec![Hint::ActivateFirst],
            R::WouldLose { .. } => vec![Hint::KeepConflicts],
            R::RefersLast { .. } | R::FileDoesNotFit { .. } => Vec::new(),
            R::IsAlias { .. } => vec![other_name(), Hint::RemoveAlias],
            R::DoesNotFit { differs, .. } => fitting(differs),
        });
    }
    hints.extend((!kept.is_empty()).then(|| Hint::KeepNames(kept.into_iter().collect())));
    hints.extend(leads_on.then(|| Hint::AllowEndpoint(origins.into_iter().collect())));
    hints.extend((!modules.is_empty()).then(|| Hint::EnableModules(modules.into_iter().collect())));
    hints.extend((!adapted.is_empty()).then(|| {
        let of_one = |(refusal, setting): (&RestoreRefusal, Setting)| match refusal.collection() {
            Some(of) if chosen > 1 => setting.for_collection(of),
            _ => setting,
        };
        Hint::Adapt(once(adapted.into_iter().map(of_one)))
    }));
    let leaves_some = !collections.is_empty() && collections.len() < chosen;
    hints.extend(leaves_some.then(|| Hint::LeaveOut(collections.into_iter().collect())));
    once(hints)
}

/// What helps where a collection that is there lacks something.
fn fitting(differs: &[SchemaDifference]) -> Vec<Hint> {
    let hint = |differs: &SchemaDifference| match differs {
        SchemaDifference::NoProperty { property } if !property.contains('.') => Some(Hint::AddProperties),
        SchemaDifference::TenancySwitched => Some(Hint::OtherTenancy),
        _ => None,
    };
    once(differs.iter().filter_map(hint))
}

/// Each of them once, where it first stands.
fn once<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    all.into_iter().fold(Vec::new(), |mut once, hint| {
        if !once.contains(&hint) {
            once.push(hint);
        }
        once
    })
}

#[cfg(test)]
mod tests;
