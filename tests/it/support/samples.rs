//! One of each event and warning.

use elysiactl::event::{
    AliasRemark, CollectionResult, Difference, Event, FieldDiff, MergeResult, NotKeptReason, Op, PlannedCollection,
    RateLimit, RestorePlanned, RunResult, SavedSchema, SkipReason, Status, Warning,
};
use elysiactl::model::{CollectionName, KeyChange, ObjectId, Reason};
use elysiactl::render::Moment;

/// A moment this many milliseconds into a run that began at a fixed time.
pub(crate) fn at(milliseconds: u64) -> Moment {
    let start: jiff::Timestamp = "2026-11-23T04:12:00Z".parse().expect("a time");
    let elapsed = std::time::Duration::from_millis(milliseconds);
    Moment { time: start.checked_add(elapsed).expect("a time"), elapsed }
}

pub(crate) fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

pub(crate) fn planned(text: &str, objects: Option<u64>) -> PlannedCollection {
    PlannedCollection { objects, bytes: objects.map(|objects| objects * 1_000), ..PlannedCollection::of(name(text)) }
}

pub(crate) fn page(collection: &str, objects: u64) -> Event {
    Event::PageScanned { collection: name(collection), tenant: None, objects, bytes: objects * 1_000 }
}

pub(crate) fn started(collection: &str, objects: Option<u64>) -> Event {
    Event::CollectionStarted { collection: name(collection), objects }
}

pub(crate) fn result(collection: &str, objects: u64) -> CollectionResult {
    CollectionResult {
        objects,
        bytes: objects * 1_000,
        digest: Some("0123456789abcdef".repeat(4)),
        changed_seen: Some(0),
        counts_verified: Some(true),
        ..CollectionResult::of(name(collection))
    }
}

pub(crate) fn run(op: Op, status: Status, collections: Vec<CollectionResult>) -> RunResult {
    let objects = collections.iter().map(|collection| collection.objects).sum();
    RunResult {
        op,
        dry_run: false,
        status,
        exit_code: 0,
        archive: Some("./backups/Article_full_20261123_041200".into()),
        planned_archive: None,
        collections,
        objects,
        resumed_objects: 0,
        bytes: objects * 1_000,
        seconds: 12.5,
        objects_per_second: 9_600.0,
        rate_limit: None,
        retries: 0,
        peak_memory_bytes: Some(96 << 20),
        errors: Vec::new(),
    }
}

pub(crate) fn warnings() -> Vec<Warning> {
    let collection = || name("Article");
    let tenant = || "tenant-1".parse().expect("a tenant");
    vec![
        Warning::KeyOverHttp { host: "weaviate.example".into() },
        Warning::SecretReadableByAll { path: "/etc/key".into() },
        Warning::WritableByAll { path: "/tmp/archives".into() },
        Warning::ReplicasMove { collection: name("Article"), moves: 2 },
        Warning::MovesAwaited { collection: name("Article"), tenants: 2 },
        Warning::NodesMissing { nodes: vec!["node3".into()] },
        Warning::TopologyUnchecked { reason: "the key may not ask".into() },
        Warning::CountUnchecked { collection: collection(), reason: "GraphQL is off".into() },
        Warning::NotKept { file: "collections/Article/objects-000004.jsonl".into(), reason: NotKeptReason::Missing },
        Warning::NothingToResume { folder: "./backups".into() },
        Warning::SealedAlready {
            archive: "./backups/all_full_20261123_041200".into(),
            sealed: jiff::Timestamp::UNIX_EPOCH,
        },
        Warning::TaskRuns { collection: collection(), task: "reindex".into() },
        Warning::CollectionSkipped { collection: collection(), reason: SkipReason::Removed },
        Warning::TenantsSkipped {
            collection: collection(),
            tenants: 3,
            first: tenant(),
            reason: SkipReason::Offloaded,
        },
        Warning::TenantsChanged { collection: collection(), added: 1, deleted: 2, first: tenant() },
        Warning::TenantsStayActive {
            collection: collection(),
            tenants: 2,
            first: tenant(),
            reason: "gone".into(),
            noted: true,
        },
        Warning::TenantsLeftActive { collection: collection(), tenants: 1, first: tenant() },
        Warning::TenantsNotKnownAgain { collection: collection(), tenants: 1, first: tenant() },
        Warning::VectorUnprintable { collection: collection() },
        Warning::ReplicaOlder { collection: collection(), objects: 389 },
        Warning::ReplicasDisagree { collection: collection(), objects: 2 },
        Warning::ReplicasUncompared { collection: collection(), reason: "GraphQL is closed".into() },
        Warning::VectorsDropped { collection: collection(), vectors: vec!["title".into()] },
        Warning::ObjectBeyondLimit { collection: collection(), bytes: 300 << 20 },
        Warning::CountMismatch { collection: collection(), listed: 2_613, counted: 4_000 },
        Warning::NothingSelected { collection: collection(), objects: 2_200 },
        Warning::ObjectsVanished { collection: collection(), objects: 2_200 },
        Warning::WrittenMismatch { collection: collection(), written: 20_000, counted: 15_473 },
        Warning::RefusedYetStored { collection: collection(), reason: "update prop-specific indices: no".into() },
        Warning::ObjectsExpired { collection: collection(), objects: 100 },
        Warning::ReplicasDiffer { collection: collection(), counted: 3_999, on_any_replica: 4_000 },
        Warning::SchemaGrew {
            collection: collection(),
            changes: vec![KeyChange::Added { key: "properties.zip".into() }],
            more: 1,
        },
        Warning::MissingUnasked { collection: collection(), objects: 90_000 },
        Warning::WritesRefused { collection: collection(), reason: "store is read-only".into() },
        Warning::SentAgain { collection: collection(), objects: 500, reason: "its tenant t1 is gone".into() },
        Warning::RoleAllows {
            role: "reader".into(),
            permissions: vec!["delete_data on collection * (deletes, everything!)".into()],
        },
        Warning::MembersNotSent { collection: collection(), objects: 12, first: "later".into() },
        Warning::NameTaken { typed: "Now".into(), collection: collection(), is_alias: true },
        Warning::NameTaken { typed: "article".into(), collection: collection(), is_alias: false },
        Warning::ScratchInUse { collection: collection(), objects: 5 },
        Warning::ScratchStays { collection: collection(), reason: "it is still there".into() },
        Warning::NotRehearsed { lacks: "delete_collections".into() },
        Warning::CreatedStays { collection: collection(), reason: "it holds objects".into() },
        Warning::ScratchRemoved { collection: collection() },
        Warning::AliasesUnfit { aliases: 2, first: "../\u{1b}[2J".into() },
        Warning::StrayFile { path: "collections/\u{1b}[2J".into() },
    ]
}

fn restore_planned() -> RestorePlanned {
    let at = |text: &str| text.parse().expect("a time");
    RestorePlanned {
        archive: "./backups/Article_full_20261123_041200".into(),
        started: at("2026-11-23T04:12:00Z"),
        sealed: at("2026-11-23T04:12:10Z"),
        backup_seconds: Some(10.0),
        collections: Vec::new(),
        aliases: vec![AliasRemark::AliasToCreate { alias: name("Now"), target: name("Article"), lacks: None }],
        roles: Vec::new(),
        refusals: Vec::new(),
    }
}

pub(crate) fn events() -> Vec<Event> {
    let collection = || name("Article");
    let tenant = || "tenant-1".parse().expect("a tenant");
    let mut events = vec![
        Event::RunStarted { op: Op::Backup, dry_run: false, version: "0.1.0" },
        Event::PlanMade { collections: vec![planned("Article", Some(10_000)), planned("Chat", None)] },
        Event::RestorePlanned(restore_planned()),
        started("Article", Some(10_000)),
        Event::TenantStarted { collection: collection(), tenant: tenant() },
        Event::Resumed { collection: collection(), objects: 800, bytes: 800_000 },
        Event::PageScanned { collection: collection(), tenant: Some(tenant()), objects: 500, bytes: 500_000 },
        Event::PagesDropped { collection: collection(), objects: 100, bytes: 100_000 },
        Event::PartSealed {
            collection: collection(),
            part: "objects-000000.jsonl.zst".into(),
            objects: 400,
            bytes: 400_000,
            stored_bytes: 150_000,
        },
        Event::Retrying {
            route: "GET /v1/objects".into(),
            attempt: 1,
            wait_ms: 250,
            reason: "503 Service Unavailable".into(),
        },
        Event::PaceChanged { collection: collection(), page_objects: 1_000, in_flight: 4 },
        Event::TopologyChanged { collection: collection(), whole: false, reason: "node2 does not answer".into() },
        Event::CheckpointSaved { collection: collection(), objects: 400 },
        Event::CollectionFinished(result("Article", 10_000)),
        Event::Verified { collection: collection(), objects: 10_000, ok: true },
        Event::ObjectRejected {
            collection: collection(),
            tenant: None,
            id: ObjectId(7),
            reason: "vector lengths don't match".into(),
        },
        Event::BatchImported { collection: collection(), tenant: None, objects: 500, bytes: 500_000, rejected: 1 },
        Event::ObjectsDeleted { collection: collection(), tenant: None, objects: 5_000 },
        Event::ObjectDiffers {
            collection: collection(),
            tenant: None,
            id: ObjectId(7),
            kind: Difference::Different,
            fields: vec![FieldDiff {
                field: "vectors.default[17]".into(),
                left: Some("0.25".into()),
                right: Some("0.5".into()),
            }],
        },
        Event::Creating { collection: name("Article"), nth: 3, of: 30, rehearsal: false },
        Event::CollectionFinished(CollectionResult {
            left_out: Some(3),
            rejected: 2,
            rejected_reasons: vec![Reason {
                reason: "invalid text property".into(),
                objects: 2,
                first_id: Some(ObjectId(7)),
            }],
            merged: Some(MergeResult { added: 1, replaced: 2, equal: 3, kept: 4, moved: 5, window_ms: 6 }),
            only_left: Some(1),
            only_right: Some(2),
            different: Some(3),
            sample_of: Some(1_000),
            schema: Some(SavedSchema { properties: 3, vectors: vec!["title".into()], multi_tenant: true }),
            schema_saved: Some("./backups/.safety/Author_schema_1/collections/Author/schema.json".into()),
            ..result("Author", 10)
        }),
    ];
    events.extend(warnings().into_iter().map(Event::Warning));
    let finished = run(Op::Backup, Status::Ok, vec![result("Article", 10_000)]);
    let rate_limit = Some(RateLimit { requests_per_second: 8.0, turned_away: 4 });
    events.push(Event::RunFinished(RunResult { rate_limit, ..finished }));
    events
}
