//! Every kind of error gives one exit code, and the advice that helps with it.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::event::SkipReason;
use crate::model::{CollectionName, TenantName};
use crate::ops::RunName;
use crate::ops::error::Lost;
use crate::pipeline::scan;

fn endpoint() -> crate::ops::restore::Endpoint {
    let (key, shown) = ("moduleConfig.m.baseURL".into(), "http://h/".into());
    crate::ops::restore::Endpoint { key, shown, origin: "http://h".parse().ok(), anywhere: true }
}

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn tenant() -> TenantName {
    "t".parse().expect("a name")
}

fn gives(error: &Error, class: Class, hints: &[Hint]) {
    assert_eq!((error.class(), error.hints().as_slice()), (class, hints), "{error:?}");
}

#[test]
fn what_the_wire_says() {
    use weaviate::Error as E;
    let (host, route) = ("h:1".into(), || "GET /v1/meta".into());
    let (reason, message) = (String::new, String::new);
    let waited = Duration::ZERO;
    let host = || std::sync::Arc::clone(&host);
    let tls = |cause| E::Tls { host: host(), cause, reason: reason() };
    let no_keys = |message: &str| E::Unauthorized { route: route(), message: message.into(), key_sent: true };
    let not_ready = |closes| E::NotReady { host: host(), waited, closes, last: reason() };
    for (error, class, hints) in [
        (E::Url { reason: "is empty" }, Class::Usage, &[][..]),
        (E::Header { name: "x".into() }, Class::Usage, &[]),
        (E::Certificate { what: "x", reason: reason() }, Class::Usage, &[Hint::CheckCertificate]),
        (
            E::Certificate { what: weaviate::CLIENT_CERTIFICATE, reason: reason() },
            Class::Usage,
            &[Hint::PairClientCertificate],
        ),
        (E::Setup { reason: reason() }, Class::Usage, &[Hint::InstallCertificates]),
        (E::Unreachable { host: host(), reason: reason(), tried: None }, Class::Server, &[Hint::ServerGone]),
        (tls(TlsCause::Untrusted), Class::Server, &[Hint::CheckCertificate]),
        (tls(TlsCause::OtherName), Class::Server, &[Hint::OtherServerName]),
        (tls(TlsCause::OutOfDate), Class::Server, &[Hint::RenewCertificate]),
        (tls(TlsCause::WantsClientCertificate), Class::Server, &[Hint::ShowClientCertificate]),
        (tls(TlsCause::NoTls), Class::Server, &[Hint::UseHttp]),
        (tls(TlsCause::Other), Class::Server, &[Hint::CheckUrl]),
        (E::NotWeaviate { host: host(), what: reason() }, Class::Server, &[Hint::CheckUrl]),
        (not_ready(false), Class::Server, &[Hint::WaitForNodes]),
        (not_ready(true), Class::Server, &[Hint::UseHttps, Hint::WaitForNodes]),
        (E::Redirected { route: route(), status: 307, to: reason() }, Class::Server, &[Hint::CheckUrl]),
        (E::Unauthorized { route: route(), message: message(), key_sent: false }, Class::Server, &[Hint::GiveKey]),
        (E::Unauthorized { route: route(), message: message(), key_sent: true }, Class::Server, &[Hint::OtherKey]),
        (no_keys("oidc auth is not configured, please try another auth scheme"), Class::Server, &[Hint::SendNoKey]),
        (no_keys("no authentication scheme is configured (API Key or OIDC), but"), Class::Server, &[Hint::SendNoKey]),
        (E::NotWeaviate { host: host(), what: "not HTTP".into() }, Class::Server, &[Hint::UseHttps, Hint::CheckUrl]),
        (E::Forbidden { route: route(), message: message() }, Class::Server, &[Hint::GrantPermission]),
        (E::NotFound { route: route(), message: message() }, Class::Server, &[]),
        (E::Rejected { route: route(), status: 422, message: message() }, Class::Server, &[]),
        (E::Server { route: route(), status: 500, message: message(), asks: None }, Class::Server, &[Hint::RunAgain]),
        (E::Stalled { route: route(), after: waited }, Class::Server, &[Hint::RunAgain]),
        (E::Lost { route: route(), reason: reason() }, Class::Server, &[Hint::RunAgain]),
        (E::BadAnswer { route: route(), what: reason() }, Class::Server, &[Hint::RunAgain]),
    ] {
        // What gave up says what the last failure says.
        let gave_up = |last| {
            let (attempts, elapsed, bound) = (8, Duration::ZERO, weaviate::Bound::Attempts);
            E::Exhausted { route: route(), attempts, elapsed, bound, last: Box::new(last) }
        };
        gives(&gave_up(error).into(), class, hints);
    }
}

#[test]
fn a_server_that_cannot_be_reached_at_first_is_looked_for_where_it_is_said_to_be() {
    use weaviate::Error as E;
    let unreachable =
        |reason: &str| -> Error { E::Unreachable { host: "h:1".into(), reason: reason.into(), tried: None }.into() };
    gives(&unreachable("tcp connect error: refused"), Class::Server, &[Hint::CheckUrl]);
    gives(&unreachable("dns error: no such name"), Class::Server, &[Hint::CheckName]);
    let message = "400 No required SSL certificate was sent".to_owned();
    let wanted = E::Rejected { route: "GET /".into(), status: 400, message };
    gives(&wanted.into(), Class::Server, &[Hint::ShowClientCertificate]);
    let message = "Client sent an HTTP request to an HTTPS server.".to_owned();
    let rejected = E::Rejected { route: "GET /".into(), status: 400, message: message.clone() };
    gives(&rejected.into(), Class::Server, &[Hint::UseHttps]);
    gives(&E::NotWeaviate { host: "h:1".into(), what: message }.into(), Class::Server, &[Hint::UseHttps]);
}

#[test]
fn a_server_that_says_no_to_a_change_is_a_refusal_and_one_that_does_not_answer_is_not() {
    let rejected = || weaviate::Error::Rejected { route: "POST /v1/schema".into(), status: 422, message: "no".into() };
    let lost = || weaviate::Error::Lost { route: "POST /v1/schema".into(), reason: "reset".into() };
    let not_created = |source| Error::NotCreated { collection: name("A"), source };
    gives(&not_created(rejected()), Class::Refused, &[]);
    gives(&not_created(lost()), Class::Server, &[Hint::RunAgain]);
    let message = "ObjectTTLConfig: a scheduler is needed. Set OBJECTS_TTL_DELETE_SCHEDULE to activate it".to_owned();
    let no_schedule = weaviate::Error::Rejected { route: "POST /v1/schema".into(), status: 422, message };
    gives(&not_created(no_schedule), Class::Refused, &[Hint::NoObjectTtl]);
    let not_dropped = |source| Error::NotDropped { collection: name("A"), source };
    gives(&not_dropped(Some(rejected())), Class::Refused, &[]);
    gives(&not_dropped(None), Class::Server, &[Hint::RunAgain]);
    let tenants = |source| Error::TenantsNotCreated { collection: name("A"), created: 1, all: 2, source };
    gives(&tenants(rejected()), Class::Refused, &[]);
    gives(&tenants(lost()), Class::Server, &[Hint::RunAgain]);
}

fn held() -> archive::Held {
    let by = archive::Claimant {
        op: crate::event::Op::Restore,
        pid: 1,
        started: jiff::Timestamp::UNIX_EPOCH,
        server_url: "http://a".into(),
    };
    archive::Held { collection: name("A"), by }
}

#[test]
fn a_refusal_that_lasts_is_refused_where_nothing_was_written_and_names_what_to_change() {
    let cause = || weaviate::LastingCause::Mode(weaviate::OperationalMode::ReadOnly);
    let (route, message) = (|| "POST /v1/schema".into(), String::new);
    let lasting =
        || weaviate::Error::Lasting { route: route(), status: 503, cause: Box::new(cause()), message: message() };
    let hint = [Hint::ChangeServer(cause())];
    gives(&lasting().into(), Class::Refused, &hint);
    let suspended = [Hint::ChangeServer(weaviate::LastingCause::Suspended)];
    gives(&Error::InIdleNamespace { collections: vec!["beta:Doc".into()] }, Class::Refused, &suspended);
    gives(&Error::ModeForbids { mode: weaviate::OperationalMode::ReadOnly }, Class::Refused, &hint);
    gives(&Error::NotCreated { collection: name("A"), source: lasting() }, Class::Refused, &hint);
    gives(&Error::NotDropped { collection: name("A"), source: Some(lasting()) }, Class::Refused, &hint);
    gives(&Error::Import { collection: name("A"), source: import::Error::Wire(lasting()) }, Class::Server, &hint);
}

#[test]
fn what_the_archive_and_its_disk_say() {
    use archive::Error as E;
    let path = || PathBuf::from("/a");
    let source = || std::io::Error::from(std::io::ErrorKind::Other);
    let op = archive::DiskOp::Write;
    let damaged = |what| E::Damaged { path: path(), line: None, what };
    let newer = E::NewerFormat { path: path(), major: 9, minor: 0, tool_version: "9.0.0".into() };
    for (error, class, hints) in [
        (E::NotFound { path: path() }, Class::Usage, &[Hint::NameArchive][..]),
        (E::TooMany { path: path(), limit: 1 }, Class::Usage, &[Hint::NameArchive]),
        (E::NotAnArchive { path: path() }, Class::Archive, &[Hint::NameArchive]),
        (E::IsLink { path: path() }, Class::Archive, &[]),
        (E::Unsealed { path: path(), parts: 0, objects: 0 }, Class::Archive, &[Hint::BackUpAgain]),
        (E::Sealed { path: path() }, Class::Refused, &[]),
        (newer, Class::Archive, &[Hint::Upgrade("9.0.0".into())]),
        (damaged(Damage::Hash), Class::Archive, &[Hint::ArchiveDamaged]),
        (damaged(Damage::Replaced), Class::Archive, &[Hint::ArchiveInUse]),
        // That of a run: the archive is as good as before.
        (damaged(Damage::JournalLine), Class::Archive, &[]),
        (damaged(Damage::JournalOrder), Class::Archive, &[]),
        (
            E::LineTooLong { path: "/a".into(), line: 1, longest: 12 },
            Class::Refused,
            &[Hint::RaiseMemoryLimit { longest: 12 }],
        ),
        (E::unsteady("/a", damaged(Damage::Hash)), Class::Disk, &[Hint::OtherMachine]),
        (E::NoSpace { path: path(), needed: 1, source: source() }, Class::Disk, &[Hint::MakeRoom]),
        (E::ReadOnly { path: path(), source: source() }, Class::Disk, &[Hint::OtherFolder]),
        (E::PermissionDenied { op, path: path(), source: source() }, Class::Disk, &[Hint::OtherFolder]),
        (E::Io { op, path: path(), source: source() }, Class::Disk, &[]),
        (E::OutputIsFile { path: path() }, Class::Disk, &[Hint::OtherFolder]),
        (E::OutputIsArchive { path: path() }, Class::Disk, &[Hint::OtherFolder]),
        (E::Locked { path: path() }, Class::Locked, &[Hint::WaitForOtherRun]),
        (E::Claimed(Box::new(held())), Class::Locked, &[Hint::WaitForOtherRun]),
        (E::Broken { path: path(), what: archive::Broken::Gap }, Class::Bug, &[Hint::Report]),
    ] {
        gives(&error.into(), class, hints);
    }
}

#[test]
fn names_that_cannot_be_meant() {
    let unknown = |alias_of, similar| Error::UnknownCollection { name: "x".into(), alias_of, similar };
    gives(&unknown(Some(name("A")), vec![name("B")]), Class::Refused, &[Hint::IsAlias(name("A"))]);
    gives(&unknown(None, vec![name("B")]), Class::Refused, &[Hint::DidYouMean(vec![name("B")])]);
    gives(&unknown(None, Vec::new()), Class::Refused, &[Hint::ListCollections]);
    let archived = |similar| Error::NotInArchive { name: "x".into(), similar };
    gives(&archived(vec![name("B")]), Class::Refused, &[Hint::DidYouMean(vec![name("B")])]);
    gives(&archived(Vec::new()), Class::Refused, &[Hint::ShowArchive]);
    let tenants = |archived, skipped, similar| Error::UnknownTenant { tenant: tenant(), archived, skipped, similar };
    gives(&tenants(true, Some(SkipReason::Offloaded), Vec::new()), Class::Refused, &[]);
    gives(&tenants(true, None, vec![tenant()]), Class::Refused, &[Hint::DidYouMeanTenants(vec![tenant()])]);
    gives(&tenants(true, None, Vec::new()), Class::Refused, &[Hint::ListArchivedTenants]);
    gives(&tenants(false, None, Vec::new()), Class::Refused, &[Hint::ListTenants]);
    gives(&Error::NothingToDo { excluded: true }, Class::Refused, &[]);
    let lacks = |action, of| Error::NotAllowed { lacks: vec![Lack { action, on: name("A"), of }] };
    let some = || LackOf::Tenants(crate::ops::SomeTenants { count: 1, first: vec![tenant()] });
    for (error, hints) in [
        (lacks("read_data", LackOf::Collection), vec![Hint::GrantPermission]),
        (lacks("read_data", LackOf::EveryTenant), vec![Hint::ReadEveryTenant, Hint::GrantPermission]),
        (lacks("delete_data", some()), vec![Hint::NameTenants, Hint::GrantPermission]),
    ] {
        gives(&error, Class::Refused, &hints);
    }
    gives(&Error::NothingToDo { excluded: false }, Class::Refused, &[Hint::MaybeNotAllowed, Hint::CheckUrl]);
    gives(&Error::OneNameForMany { collections: 2 }, Class::Usage, &[Hint::RenameEach]);
}

#[test]
fn what_others_do_meanwhile() {
    let collection = || name("A");
    let run = || RunName { run_id: uuid::Uuid::nil(), started: jiff::Timestamp::UNIX_EPOCH };
    let waited = Duration::ZERO;
    for (error, class, hints) in [
        (Error::Vanished { collection: collection() }, Class::Server, &[Hint::RunAgain][..]),
        (
            Error::SchemaChanged { collection: collection(), what: crate::ops::SchemaDrift::Shards },
            Class::Server,
            &[Hint::RunAgain],
        ),
        (
            Error::Moved { collection: collection(), was: 1, now: None, expires: true },
            Class::Refused,
            &[Hint::RunAgain],
        ),
        (
            Error::BadRename { collection: collection(), pattern: "A*=*".into(), name: String::new() },
            Class::Usage,
            &[Hint::RenameEach],
        ),
        (Error::BeingWritten { collection: collection(), before: 1, after: 2 }, Class::Refused, &[Hint::RunAgain]),
        (Error::Import { collection: collection(), source: import::Error::Removed }, Class::Server, &[Hint::RunAgain]),
        (
            Error::Lost {
                lost: vec![Lost { collection: collection(), written: 1, there: None }],
                source: Box::new(Error::Vanished { collection: collection() }),
            },
            Class::Server,
            &[],
        ),
        (Error::Recreated { collection: collection() }, Class::Refused, &[Hint::RunAgain]),
        (
            Error::TenantRecreated { collection: collection(), tenant: "t".parse().expect("a tenant") },
            Class::Refused,
            &[Hint::RunAgain],
        ),
        (
            Error::NotAsPlanned { collection: collection(), what: crate::ops::PlanChange::Gone },
            Class::Refused,
            &[Hint::RunAgain],
        ),
        (Error::AutoCreated { collection: collection(), attempts: 5 }, Class::Refused, &[Hint::StopWriters]),
        (Error::WentOn { run: run() }, Class::Refused, &[Hint::WaitForOtherRun]),
        (Error::OtherRun { run: run(), differs: Vec::new() }, Class::Refused, &[Hint::WithoutResume]),
        (
            Error::NotWhole { collection: collection(), reason: "x".into(), waited },
            Class::Server,
            &[Hint::WaitForNodes],
        ),
        (Error::NodesMissing { nodes: Vec::new() }, Class::Server, &[Hint::WaitForNodes, Hint::AllowMissingNodes]),
        (Error::ReadOnly { collection: collection(), shards: Vec::new() }, Class::Server, &[Hint::MakeWritable]),
        (
            Error::MadeOtherwise { collection: collection(), differences: Vec::new() },
            Class::Refused,
            &[Hint::RemoveCollection(name("A"))],
        ),
        (Error::NoRunFolder { collection: collection() }, Class::Usage, &[Hint::NameRunFolder]),
        (Error::TenantsUnseen { collection: name("A") }, Class::Refused, &[Hint::GrantPermission]),
        (Error::Protected { names: vec![name("A")] }, Class::Refused, &[Hint::AllowProtected]),
        (Error::NotEnoughSpace { folder: "/a".into(), needed: 2, free: 1 }, Class::Disk, &[Hint::MakeRoom]),
        (Error::Interrupted, Class::Interrupted, &[]),
        (Error::Stage { what: "x".into() }, Class::Bug, &[Hint::Report]),
    ] {
        gives(&error, class, hints);
    }
}

#[test]
fn pages_that_cannot_be_had() {
    let collection = || name("A");
    let of = |source| Error::Scan { collection: name("A"), source };
    gives(&of(scan::Error::NoPageAllowed { collection: collection() }), Class::Server, &[Hint::RaisePageLimit]);
    let large = scan::Error::ObjectTooLarge { collection: collection(), bytes: 1 };
    gives(&of(large), Class::Server, &[Hint::ExcludeCollection]);
    gives(&of(scan::Error::EmptyBody { collection: collection() }), Class::Server, &[Hint::RunAgain]);
    gives(&of(scan::Error::SinkGone), Class::Bug, &[Hint::Report]);
}

#[test]
fn what_stands_against_a_clear_is_advised_on_once_a_kind() {
    use ClearRefusal as R;
    let collection = || name("A");
    let refusals = || {
        vec![
            R::BeingWritten { collection: collection(), before: 1, after: 2 },
            R::NotRecreated {
                collection: collection(),
                why: crate::ops::refusal::NotRepeatable::AliasOfItsName { alias: "x".into() },
            },
            R::NotAllowed { lack: Lack { action: "delete_data", on: collection(), of: LackOf::Collection } },
            R::ReadOnly { collection: collection(), shards: Vec::new() },
            R::UnknownTenant { collection: collection(), tenant: tenant() },
            R::TenantsStay { collection: collection(), server: "1.24".into() },
            R::NotMultiTenant { collection: collection() },
            R::TenantsOfMany { collections: 2 },
        ]
    };
    let hints = [
        Hint::DeleteInstead,
        Hint::WritersFirst,
        Hint::GrantPermission,
        Hint::RecreateInstead,
        Hint::ListTenants,
        Hint::ActivateTenants,
    ];
    gives(&Error::CannotClear { refusals: refusals() }, Class::Refused, &hints);
}

#[test]
fn what_stands_against_a_restore_is_advised_on_once_a_kind() {
    use RestoreRefusal as R;
    let (collection, there) = (|| name("A"), || name("A"));
    let refusals = || {
        vec![
            R::Exists { collection: collection(), there: there() },
            R::IsAlias { collection: collection(), alias: name("N"), of: name("B") },
            R::AliasTaken { collection: collection(), alias: name("N"), by: name("B") },
            R::AliasUnfit { collection: collection(), alias: "../N".into() },
            R::AliasSimilar { collection: collection(), alias: name("N"), there: "n".into(), of: name("B") },
            R::AliasHidden { collection: collection(), alias: name("N") },
            R::NotAsLeft { collection: collection(), there: there(), what: crate::ops::Altered::Gone },
            R::MissingTarget {
                collection: collection(),
                property: "p".into(),
                target: "T".into(),
                renamed: Some(name("U")),
            },
            R::WouldVectorise { collection: collection(), objects: 1 },
            R::Endpoint { collection: collection(), endpoint: endpoint() },
            R::TenantExists { collection: collection(), there: there(), tenant: tenant() },
            R::NoRoles { server: "1.24".into() },
            R::RoleUnknown { role: "r".into(), actions: vec!["read_mcp".into()], server: "1.32".into() },
            R::Unreadable { collection: collection(), there: there() },
            R::TargetUnreadable { collection: collection(), property: "p".into(), target: name("T"), lacks: "x" },
            R::MayNotActivate { collection: collection(), tenants: 2, first: tenant() },
            R::TooFewNodes { collection: collection(), replicas: 3, nodes: 2 },
        ]
    };
    let hints = [
        Hint::OtherName,
        Hint::Merge,
        Hint::RemoveAlias,
        Hint::SkipAliases,
        Hint::KeepAliases,
        Hint::RemoveWhatWasLeft,
        Hint::ChooseTargets,
        Hint::Revectorize,
        Hint::OtherTenant,
        Hint::WithoutRoles,
        Hint::GrantPermission,
        Hint::KeepNames(vec![name("T")]),
        Hint::AllowEndpoint(vec!["http://h".into()]),
        Hint::Adapt(vec!["replicationFactor=2".parse().expect("a setting")]),
    ];
    gives(&Error::CannotRestore { refusals: refusals(), chosen: 1 }, Class::Refused, &hints);
    let without_merge: Vec<Hint> = hints.iter().filter(|hint| **hint != Hint::Merge).cloned().collect();
    gives(&Error::CannotCreate { refusals: refusals() }, Class::Refused, &without_merge);
    let many = Error::CannotRestore { refusals: refusals(), chosen: 4 }.hints();
    assert!(many.contains(&Hint::OtherNames) && !many.contains(&Hint::OtherName), "--name is for one: {many:?}");
    let run = RunName { run_id: uuid::Uuid::nil(), started: jiff::Timestamp::UNIX_EPOCH };
    gives(&Error::Unfinished { run, refusals: refusals(), chosen: 1 }, Class::Refused, &hints);
}

#[test]
fn a_disk_that_fails_under_the_files_of_a_run_is_not_that_of_the_archives() {
    let (path, source) = (|| PathBuf::from("/state"), || std::io::Error::from(std::io::ErrorKind::PermissionDenied));
    let denied = || archive::Error::PermissionDenied { op: archive::DiskOp::CreateDir, path: path(), source: source() };
    gives(&denied().into(), Class::Disk, &[Hint::OtherFolder]);
    let error = Error::from(denied()).of_run_files();
    assert!(matches!(error, Error::RunFiles(_)));
    gives(&error, Class::Disk, &[Hint::OtherStateFolder]);
    let locked = Error::from(archive::Error::Locked { path: path() }).of_run_files();
    gives(&locked, Class::Locked, &[Hint::WaitForOtherRun]);
}

#[test]
fn several_damages_give_each_hint_once_and_are_the_archives_fault_if_any_is() {
    let damaged = || Error::from(archive::Error::Damaged { path: "a".into(), line: None, what: Damage::Hash });
    let source = std::io::Error::from(std::io::ErrorKind::Other);
    let disk = Error::from(archive::Error::Io { op: archive::DiskOp::Read, path: "b".into(), source });
    let error = Error::Damages { archive: "x".into(), damages: vec![disk, damaged(), damaged()], all: true };
    gives(&error, Class::Archive, &[Hint::ArchiveDamaged]);
    assert_eq!(error.to_string(), "x: 3 files are damaged");
}

#[test]
fn refusals_are_listed_and_each_kind_has_its_hint_once() {
    let unsupported = |text: &str| RestoreRefusal::Unsupported {
        collection: name(text),
        key: "vectorIndexType".into(),
        value: "\"hfresh\"".into(),
        since: Some("1.36".into()),
        server: "1.32.27".into(),
    };
    let module = |text: &str| RestoreRefusal::Module {
        collection: name(text),
        key: "vectorizer".into(),
        module: "text2vec-x".into(),
    };
    let setting = |text: &str| text.parse().expect("a setting");
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
            Hint::Adapt(vec![setting("B.vectorIndexType=hnsw"), setting("A.vectorIndexType=hnsw")]),
            Hint::LeaveOut(vec![name("A"), name("B")]),
        ]
    );
}

#[test]
fn what_a_guard_says() {
    use crate::pipeline::guard::Error as E;
    let collection = || name("A");
    let not_whole = E::NotWhole { collection: collection(), reason: "x".into(), waited: Duration::ZERO };
    gives(&not_whole.into(), Class::Server, &[Hint::WaitForNodes]);
    gives(&E::Removed { collection: collection() }.into(), Class::Server, &[Hint::RunAgain]);
    gives(&E::Stopped.into(), Class::Interrupted, &[]);
    gives(&E::Thread.into(), Class::Bug, &[Hint::Report]);
}
