//! `col backup` against the sandbox: what comes in is what lies in the archive.

use elysiactl::archive::manifest::LimitKind;
use elysiactl::archive::{Archive, Codec, Content, Error as ArchiveError};
use elysiactl::event::{Event, Events, Status, Warning};
use elysiactl::model::Selection;
use elysiactl::ops::backup::BackupOptions;
use elysiactl::ops::{Error, Hint};
use sandbox::{Builder, Change, Sandbox};

use crate::support::world::{World, world};

fn id(n: u32) -> String {
    format!("00000000-0000-0000-0000-{n:012x}")
}

fn object(class: &str, id: &str, rest: &str) -> String {
    format!(r#"{{"class":"{class}","id":"{id}",{rest}}}"#)
}

/// Every data type, vectors of every kind, references, objects without vectors, the first and the last id there can be.
fn everything() -> Builder {
    let types = r#"{"class":"Types","vectorizer":"none","properties":[
        {"name":"text","dataType":["text"]},{"name":"texts","dataType":["text[]"]},{"name":"i","dataType":["int"]},
        {"name":"is","dataType":["int[]"]},{"name":"n","dataType":["number"]},{"name":"b","dataType":["boolean"]},
        {"name":"d","dataType":["date"]},{"name":"u","dataType":["uuid"]},{"name":"g","dataType":["geoCoordinates"]},
        {"name":"ph","dataType":["phoneNumber"]},{"name":"bl","dataType":["blob"]},
        {"name":"o","dataType":["object"],"nestedProperties":[{"name":"x","dataType":["text"]}]}]}"#;
    let properties = r#""properties":{"text":"a<b>&c   \u0000 😀 \\ \" /","texts":["","x"],"i":42,
        "is":[1,9007199254740992],"n":1e-7,"b":false,"d":"2024-01-02T03:04:05.123456789Z",
        "u":"abcdef12-0000-4000-8000-00000000abcd","g":{"latitude":52.39327,"longitude":4.837426},"bl":"aGVsbG8=",
        "o":{"x":"y"}}"#;
    let named = r#"{"class":"Named","properties":[{"name":"t","dataType":["text"]}],"vectorConfig":{
        "a":{"vectorizer":{"none":{}},"vectorIndexType":"hnsw"},"b":{"vectorizer":{"none":{}},"vectorIndexType":"flat"}}}"#;
    let multi = r#"{"class":"Multi","vectorConfig":{"colbert":{"vectorizer":{"none":{}},"vectorIndexType":"hnsw",
        "vectorIndexConfig":{"multivector":{"enabled":true}}}}}"#;
    let source = r#"{"class":"Source","vectorizer":"none","properties":[{"name":"to","dataType":["Named"]}]}"#;
    let beacon = format!(r#""properties":{{"to":[{{"beacon":"weaviate://localhost/Named/{}"}}]}}"#, id(1));
    let mut builder = Sandbox::builder().collection(types).collection(named).collection(multi).collection(source);
    for (class, id, rest) in [
        ("Types", id(0), r#""properties":{},"vector":[1,-0.0,1e21,1e-7,0.1]"#),
        ("Types", id(1), properties),
        ("Types", "ffffffff-ffff-ffff-ffff-ffffffffffff".into(), r#""properties":{"n":5e-324},"vector":[1,2,3,4,5]"#),
        ("Named", id(1), r#""properties":{"t":"x"},"vectors":{"a":[1,2],"b":[3,4,5]}"#),
        ("Named", id(2), r#""properties":{},"vectors":{"b":[0.5,0.25,1]}"#),
        ("Named", id(3), r#""properties":{}"#),
        ("Multi", id(1), r#""properties":{},"vectors":{"colbert":[[1,2],[3,4]]}"#),
        ("Source", id(1), beacon.as_str()),
        ("Source", id(2), r#""properties":{}"#),
    ] {
        builder = builder.object(&object(class, &id, rest));
    }
    builder
}

#[tokio::test]
async fn every_type_and_kind_of_vector_is_kept_byte_for_byte() {
    let world = world(everything());
    assert_eq!(world.sandbox.count("Types", None), 3, "the server took every object");
    let outcome = world.backup(world.options()).await;
    assert_eq!(outcome.result.status, Status::Ok);
    let objects: Vec<(String, u64)> =
        outcome.result.collections.iter().map(|c| (c.name.to_string(), c.objects)).collect();
    assert_eq!(objects, [("Multi".into(), 1), ("Named".into(), 3), ("Source".into(), 2), ("Types".into(), 3)]);
    let vectors: Vec<_> = outcome.manifest.collections.iter().map(|c| c.vectors.clone()).collect();
    assert_eq!(vectors[0], [("colbert".into(), 2)].into());
    assert_eq!(vectors[1], [("a".into(), 2), ("b".into(), 3)].into());
    assert_eq!(vectors[3], [("default".into(), 5)].into());
    assert_eq!(world.sandbox.writing_requests(), 0, "a backup only reads");
}

#[tokio::test]
async fn every_codec_holds_the_same_objects_and_digests() {
    let world = world(everything());
    let mut digests = Vec::new();
    for codec in [Codec::None, Codec::Zstd, Codec::Gzip, Codec::Lz4] {
        let outcome = world.backup(BackupOptions { codec, ..world.options() }).await;
        digests.push(outcome.result.collections.into_iter().map(|c| c.digest).collect::<Vec<_>>());
    }
    assert!(digests.windows(2).all(|w| w[0] == w[1]), "{digests:?}");
    assert_eq!(world.archives().len(), 4, "every run makes an archive of its own");
}

#[tokio::test]
async fn many_objects_are_read_once_each_whatever_the_page_and_the_jobs() {
    let world = world(Sandbox::builder().seeded("Article", 6_003, 4, 11));
    let mut digests = Vec::new();
    for (jobs, page_objects) in [(None, None), (Some(1), Some(97)), (Some(6), Some(50)), (Some(3), Some(10_000))] {
        let outcome = world.backup(BackupOptions { jobs, page_objects, ..world.options() }).await;
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 6_003));
        digests.push(outcome.result.collections[0].digest.clone());
    }
    assert!(digests.windows(2).all(|w| w[0] == w[1]), "{digests:?}");
}

#[tokio::test]
async fn ids_that_lie_close_together_are_shared_among_workers_too() {
    let mut builder = Sandbox::builder().collection(r#"{"class":"Dense","vectorizer":"none"}"#);
    for n in 0..3_000 {
        builder = builder.object(&object("Dense", &id(n), r#""properties":{}"#));
    }
    let world = world(builder);
    let outcome = world.backup(BackupOptions { jobs: Some(4), page_objects: Some(20), ..world.options() }).await;
    assert_eq!(outcome.result.objects, 3_000);
}

#[tokio::test]
async fn more_collections_than_one_question_counts_are_counted_and_kept() {
    let mut builder = Sandbox::builder();
    for n in 0..130 {
        builder = builder.seeded(&format!("C{n:03}"), n % 7, 2, n);
    }
    let world = world(builder);
    let outcome = world.backup(world.options()).await;
    assert_eq!((outcome.result.status, outcome.result.collections.len()), (Status::Ok, 130));
    assert!(outcome.result.archive.expect("an archive").contains("all_full_"));
}

#[tokio::test]
async fn without_vectors_and_without_objects_the_archive_says_so() {
    let world = world(everything());
    let whole = world.backup(world.options()).await;
    let without = world.backup(BackupOptions { content: Content::NoVectors, ..world.options() }).await;
    assert!(without.result.bytes < whole.result.bytes);
    let archive = std::path::PathBuf::from(without.result.archive.expect("an archive"));
    assert!(world.lines(&archive, "Named").iter().all(|line| !line.contains("vectors\":{")));
    let schema = world.backup(BackupOptions { content: Content::SchemaOnly, ..world.options() }).await;
    assert_eq!((schema.result.objects, schema.result.collections[0].digest.as_ref()), (0, None));
    let archive = std::path::PathBuf::from(schema.result.archive.expect("an archive"));
    assert!(archive.to_string_lossy().contains("all_schema_"));
    let opened = Archive::open(&world.disk, &archive).expect("an archive");
    assert_eq!(opened.schema(&opened.collections()[3]).expect("a schema").name.as_str(), "Types");
}

#[tokio::test]
async fn a_server_that_says_nothing_about_its_roles_is_backed_up() {
    let world = world(Sandbox::builder().version("1.28.16").seeded("Plain", 5, 2, 1));
    let outcome = world.backup(world.options()).await;
    assert_eq!((outcome.result.status, outcome.result.objects, outcome.result.retries), (Status::Ok, 5, 0));
}

#[tokio::test]
async fn objects_whose_vector_cannot_be_printed_are_kept_without_it_and_named() {
    let world = world(Sandbox::builder().seeded("Article", 300, 4, 3));
    let ids: Vec<String> = world
        .sandbox
        .objects("Article", None)
        .iter()
        .map(|o| serde_json::from_str::<serde_json::Value>(o).expect("JSON")["id"].as_str().expect("id").to_owned())
        .collect();
    for n in [0, 150, 151, 299] {
        world.sandbox.faults().now(&Change::Unprintable("Article".into(), ids[n].clone()));
    }
    let (done, events) = world.try_backup(BackupOptions { page_objects: Some(64), ..world.options() }).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 300));
    let named: Vec<&str> = outcome.manifest.incomplete.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(named, [0, 150, 151, 299].map(|n| ids[n].as_str()));
    let archive = std::path::PathBuf::from(outcome.result.archive.expect("an archive"));
    world.check(&archive).await.expect("a sound archive");
    let without = world.lines(&archive, "Article").iter().filter(|line| !line.contains("\"vector\":[")).count();
    assert_eq!(without, 4, "every other object has its vector");
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::VectorUnprintable { .. }))));
}

#[tokio::test]
async fn a_server_with_a_lower_page_limit_is_read_all_the_same() {
    for version in ["1.24", "1.28", "1.40"] {
        let world =
            world(Sandbox::builder().version(version).query_maximum_results(100).seeded("Article", 1_500, 2, 5));
        assert_eq!(world.backup(world.options()).await.result.objects, 1_500, "{version}");
        let outcome = world.backup(BackupOptions { page_objects: Some(5_000), ..world.options() }).await;
        assert_eq!(outcome.result.objects, 1_500, "{version}");
    }
}

#[tokio::test]
async fn integers_that_no_server_takes_back_are_named_as_a_limit() {
    let world = world(
        Sandbox::builder()
            .collection(r#"{"class":"Big","vectorizer":"none","properties":[{"name":"i","dataType":["int"]}]}"#)
            .object(&object("Big", &id(1), r#""properties":{"i":9223372036854775807}"#))
            .object(&object("Big", &id(2), r#""properties":{"i":7}"#)),
    );
    let outcome = world.backup(world.options()).await;
    assert_eq!(outcome.result.status, Status::Ok, "a limit is no failure");
    let limit = outcome.manifest.limits.iter().find(|l| l.kind == LimitKind::Integers).expect("a limit");
    assert_eq!((limit.collection.as_deref(), limit.first_ids.as_slice()), (Some("Big"), &[id(1)][..]));
}

#[tokio::test]
async fn an_empty_collection_is_a_backup_too() {
    let world = world(Sandbox::builder().collection(r#"{"class":"Empty","vectorizer":"none"}"#));
    let outcome = world.backup(world.options()).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 0));
    assert!(outcome.result.collections[0].digest.is_some());
}

#[tokio::test]
async fn every_version_is_read() {
    for version in ["1.24", "1.28", "1.32", "1.39", "1.40"] {
        let world = world(Sandbox::builder().version(version).seeded("Article", 400, 3, 9));
        let outcome = world.backup(world.options()).await;
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 400), "{version}");
    }
}

#[tokio::test]
async fn without_graphql_or_its_permission_the_count_comes_from_elsewhere() {
    let world = world(Sandbox::builder().graphql(false).seeded("Article", 400, 3, 9));
    let outcome = world.backup(world.options()).await;
    assert_eq!(outcome.manifest.collections[0].counts.before, Some(400));
}

#[tokio::test]
async fn names_and_globs_choose_and_what_is_not_there_is_said() {
    let builder = Sandbox::builder().seeded("Article", 3, 2, 1).seeded("Author", 3, 2, 2).seeded("Zoo", 3, 2, 3);
    let world = world(builder);
    let pick = |take: &[&str], exclude: &[&str]| BackupOptions {
        selection: Selection {
            take: take.iter().map(|t| (*t).to_owned()).collect(),
            exclude: exclude.iter().map(|t| (*t).to_owned()).collect(),
        },
        ..world.options()
    };
    let outcome = world.backup(pick(&["A*"], &["Author"])).await;
    assert_eq!(outcome.result.collections.len(), 1);
    let (done, _) = world.try_backup(pick(&["Articel"], &[])).await;
    let error = done.expect_err("refused").error;
    assert!(matches!(&error, Error::UnknownCollection { .. }) && matches!(&error.hints()[0], Hint::DidYouMean(_)));
    let (done, _) = world.try_backup(pick(&["X*"], &[])).await;
    assert!(matches!(done.expect_err("refused").error, Error::NothingMatched { .. }));
    assert_eq!(world.archives().len(), 1, "a refused run makes nothing");
}

#[tokio::test]
async fn an_output_that_is_a_file_or_an_archive_is_refused() {
    let world = world(Sandbox::builder().seeded("Article", 3, 2, 1));
    let made = world.backup(world.options()).await.result.archive.expect("an archive");
    let (done, _) = world.try_backup(BackupOptions { folder: made.into(), ..world.options() }).await;
    assert!(matches!(done.expect_err("refused").error, Error::Archive(ArchiveError::OutputIsArchive { .. })));
    let file = world.folder.path().join("file");
    std::fs::write(&file, "x").expect("a file");
    let (done, _) = world.try_backup(BackupOptions { folder: file, ..world.options() }).await;
    assert!(matches!(done.expect_err("refused").error, Error::Archive(ArchiveError::OutputIsFile { .. })));
}

#[tokio::test]
async fn a_plan_writes_nothing_and_sends_nothing_that_writes() {
    let world: World = world(Sandbox::builder().seeded("Article", 50, 2, 1));
    let (client, session) = (world.client(Events::none()), world.session(Events::none()));
    let plan = elysiactl::ops::backup::plan(&client, &session, world.options()).await.expect("a plan");
    assert_eq!(plan.collections[0].objects, Some(50));
    assert!(plan.collections[0].bytes().is_some_and(|b| b > 50 * 50) && plan.free_bytes.is_some());
    assert!(world.archives().is_empty() && !world.options().folder.exists());
    assert_eq!(world.sandbox.writing_requests(), 0);
}
