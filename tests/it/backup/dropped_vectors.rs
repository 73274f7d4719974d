//! A vector is being dropped (1.37 and newer): the schema says so, and objects lose it one by one. A backup of that time
//! was sealed, and nothing could restore it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use elysiactl::archive::manifest::{LimitKind, TopologyRecord, TopologyState};
use elysiactl::archive::{ArchiveWriter, Codec, Content, OsDisk, RunHeader, SealFacts};
use elysiactl::event::{Event, Events, Status, Warning};
use elysiactl::model::KeyRange;
use elysiactl::pipeline::split;
use sandbox::{Change, Sandbox};

use crate::support::said::words;
use crate::support::world::{World, verify_options, world};

const DOCUMENT: &str =
    r#"{"class":"Article","vectorConfig":{"a":{"vectorizer":{"none":{}}},"b":{"vectorizer":{"none":{}}}}}"#;
const OBJECTS: u128 = 40;

fn id(n: u128) -> String {
    uuid::Uuid::from_u128(n + 1).to_string()
}

fn two_vectors() -> World {
    let mut builder = Sandbox::builder().version("1.40").collection(DOCUMENT);
    for n in 0..OBJECTS {
        let id = id(n);
        let text =
            format!(r#"{{"class":"Article","id":"{id}","properties":{{"n":1}},"vectors":{{"a":[1,{n}],"b":[2]}}}}"#);
        builder = builder.object(&text);
    }
    world(builder)
}

fn change(world: &World, change: fn(String, String) -> Change) {
    world.sandbox.faults().now(&change("Article".into(), "a".into()));
}

/// Dropping has begun, and every second object has lost the vector.
fn half_dropped() -> World {
    let world = two_vectors();
    change(&world, Change::DropVector);
    for n in (0..OBJECTS).step_by(2) {
        world.sandbox.faults().now(&Change::StripVector("Article".into(), "a".into(), id(n)));
    }
    world
}

fn with_vector(lines: &[String], name: &str) -> usize {
    let has = |line: &&String| {
        let object: serde_json::Value = serde_json::from_str(line).expect("an object");
        object["vectors"][name].is_array()
    };
    lines.iter().filter(has).count()
}

fn archive_of(outcome: &elysiactl::ops::backup::BackupOutcome) -> PathBuf {
    outcome.result.archive.clone().expect("an archive").into()
}

/// The archive is restored, its objects have the other vector, and both servers agree with it.
async fn comes_back(world: &World, archive: &Path) {
    let target = crate::support::world::world(Sandbox::builder().version("1.40"));
    let mut options = target.restore_options(archive);
    options.verify = true;
    let plan = target.restore_plan(options).await.expect("it fits");
    let remarks = words(&plan.plan.collections[0].remarks);
    assert!(remarks.iter().any(|told| told.contains("being dropped")), "the plan says it: {remarks:?}");
    let (done, _) = target.run_plan(plan).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!((outcome.result.status, u128::from(outcome.result.objects)), (Status::Ok, OBJECTS));
    let objects = target.sandbox.objects("Article", None);
    assert_eq!((with_vector(&objects, "a"), with_vector(&objects, "b")), (0, 40));
    for compared in [world, &target] {
        let found = compared.verify(verify_options(archive)).await;
        assert_eq!(found.result.status, Status::Ok, "{:?} {:?}", found.differences, found.remarks);
    }
}

#[tokio::test]
async fn a_vector_that_is_being_dropped_is_left_out_of_every_object_and_named() {
    let world = half_dropped();
    let (done, events) = world.try_backup(world.options()).await;
    let outcome = done.expect("an archive");
    assert_eq!(outcome.result.status, Status::Ok);
    let told =
        |event: &Event| matches!(event, Event::Warning(Warning::VectorsDropped { vectors, .. }) if *vectors == ["a"]);
    assert_eq!(events.iter().filter(|event| told(event)).count(), 1, "{events:?}");
    let limit = outcome.manifest.limits.iter().find(|limit| limit.kind == LimitKind::DroppedVectors);
    assert_eq!(limit.expect("it is named").properties, ["a"]);
    let archive = archive_of(&outcome);
    world.check(&archive).await.expect("sound");
    let lines = world.lines(&archive, "Article");
    assert_eq!((with_vector(&lines, "a"), with_vector(&lines, "b")), (0, 40));
    assert_eq!(outcome.manifest.collections[0].vectors.keys().collect::<Vec<_>>(), ["b"]);
    comes_back(&world, &archive).await;
    change(&world, Change::VectorDropped);
    comes_back(&world, &archive).await;
}

#[tokio::test]
async fn a_drop_that_ends_during_the_backup_changes_nothing() {
    let world = half_dropped();
    world.sandbox.faults().in_requests(22, Change::VectorDropped("Article".into(), "a".into()));
    let options = elysiactl::ops::backup::BackupOptions { page_objects: Some(2), jobs: Some(1), ..world.options() };
    let (done, _) = world.try_backup(options).await;
    let outcome = done.expect("an archive");
    assert_eq!(outcome.result.status, Status::Ok);
    assert!(outcome.manifest.collections[0].schema_changed);
    let lines = world.lines(&archive_of(&outcome), "Article");
    assert_eq!((lines.len(), with_vector(&lines, "a"), with_vector(&lines, "b")), (40, 0, 40));
}

/// As builds before 0.2 sealed it: the marker in the schema, and what was left of the vector in the lines.
async fn of_an_older_build(world: &World) -> PathBuf {
    let name = "Article".parse().expect("a name");
    let schema = world.client(Events::none()).schema(&name).await.expect("answered").expect("there");
    assert_eq!(schema.dropped_vectors, ["a"]);
    let header = RunHeader {
        run_id: uuid::Uuid::now_v7(),
        started: jiff::Timestamp::now(),
        source_url: world.sandbox.url(),
        server_version: "1.40.0".into(),
        collections: vec![schema.name.clone()],
        options: serde_json::Map::new(),
        server_time_ms: None,
    };
    let folder = world.folder.path().join("older");
    let mut archive =
        ArchiveWriter::create(Arc::new(OsDisk), &folder, "Article_full", Codec::None, header).expect("begun");
    let mut collection = archive.collection(&schema, Content::Full).expect("begun");
    let mut objects: Vec<_> = world.sandbox.objects("Article", None);
    objects.sort_by_key(|line| line.find("\"id\":").map(|at| line[at..].to_owned()));
    let objects: Vec<_> =
        objects.into_iter().map(|line| split::line(&line.into(), &schema.name).expect("an object")).collect();
    collection.append(0, None, KeyRange::ALL, &objects, 0).expect("kept");
    collection.seal_parts().expect("sealed");
    let closed = vec![collection.close(None).expect("closed")];
    let facts = SealFacts {
        sealed: jiff::Timestamp::now(),
        topology: TopologyRecord { state: TopologyState::Whole, reason: None, nodes: Vec::new(), missing: Vec::new() },
        limits: Vec::new(),
        skipped: Vec::new(),
        incomplete: Vec::new(),
    };
    archive.seal(closed, facts).expect("sealed").path
}

#[tokio::test]
async fn an_archive_of_an_older_build_that_holds_half_of_such_a_vector_comes_back() {
    let world = half_dropped();
    let archive = of_an_older_build(&world).await;
    assert_eq!(with_vector(&world.lines(&archive, "Article"), "a"), 20);
    comes_back(&world, &archive).await;
    change(&world, Change::VectorDropped);
    comes_back(&world, &archive).await;
}
