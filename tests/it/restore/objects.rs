//! `col restore`: what lies in the archive is what the server holds afterwards, whatever happens on the way.

mod rejected;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use elysiactl::event::{Class, Event, Status, Warning};
use elysiactl::model::Selection;
use elysiactl::ops::Error;
use elysiactl::ops::restore::{RestoreOptions, RestoreRefusal};
use sandbox::{Builder, Change, Fault, Kind, Sandbox};
use serde_json::Value;

use crate::support::said::said_of;
use crate::support::tier;
use crate::support::world::{World, world};

const OBJECTS: u64 = 700;

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", OBJECTS, 3, 4)
}

/// A server with an archive of everything on it.
async fn backed_up(builder: Builder) -> (World, PathBuf) {
    let world = world(builder);
    let outcome = world.backup(world.options()).await;
    (world, outcome.result.archive.expect("an archive").into())
}

/// An archive of `source`, and an empty server of a version.
fn moved(source: Builder, version: &str) -> Pin<Box<dyn Future<Output = (World, PathBuf, World)>>> {
    let target = Sandbox::builder().version(version).modules(&[]);
    Box::pin(async move {
        let (from, archive) = backed_up(source).await;
        (from, archive, world(target))
    })
}

fn batches(target: &World, archive: &Path) -> RestoreOptions {
    RestoreOptions { batch_objects: Some(50), jobs: Some(2), ..target.restore_options(archive) }
}

fn named(options: RestoreOptions, name: &str) -> RestoreOptions {
    RestoreOptions { name: Some(name.parse().expect("a name")), ..options }
}

fn id_of(line: &str) -> String {
    let value: Value = serde_json::from_str(line).expect("JSON");
    value["id"].as_str().expect("an id").to_owned()
}

fn on_batches(kind: Kind) -> Fault {
    Fault::new(kind).on("POST", "/v1/batch/objects")
}

#[tokio::test]
async fn an_archive_becomes_the_collection_it_was_made_of() {
    let (_from, archive, target) = moved(articles(), "1.40").await;
    let outcome = target.restore(target.restore_options(&archive)).await;
    let collection = &outcome.result.collections[0];
    assert_eq!((outcome.result.status, collection.objects, collection.rejected), (Status::Ok, OBJECTS, 0));
    assert_eq!((collection.only_left, collection.only_right, collection.different), (Some(0), Some(0), Some(0)));
    assert!(collection.digest.is_some());
    assert_eq!(outcome.rejected, None);
}

#[tokio::test]
async fn beside_the_original_it_gets_another_name_and_is_equal() {
    let (world, archive) = backed_up(articles()).await;
    let outcome = world.restore(named(world.restore_options(&archive), "article2")).await;
    assert_eq!(outcome.result.status, Status::Ok);
    assert_eq!(world.sandbox.collections(), ["Article", "Article2"]);
    assert_eq!(world.sandbox.count("Article", None), OBJECTS);
}

#[tokio::test]
async fn references_follow_the_new_names_and_their_targets_come_first() {
    let b = "00000000-0000-0000-0000-0000000000b1";
    let a = |n: u32, to: &str| {
        format!(r#"{{"class":"A","id":"00000000-0000-0000-0000-{n:012}","properties":{{"to":[{to}]}},"vector":[1]}}"#)
    };
    let beacon = format!(r#"{{"beacon":"weaviate://localhost/B/{b}"}}"#);
    let builder = Sandbox::builder()
        .collection(r#"{"class":"B","vectorizer":"none","properties":[{"name":"t","dataType":["text"]}]}"#)
        .collection(r#"{"class":"A","vectorizer":"none","properties":[{"name":"to","dataType":["B"]}]}"#)
        .object(&format!(r#"{{"class":"B","id":"{b}","properties":{{"t":"x"}},"vector":[1]}}"#))
        .object(&a(1, &beacon))
        .object(&a(2, &format!("{beacon},{beacon}")));
    let (world, archive) = backed_up(builder).await;
    let mut options = world.restore_options(&archive);
    for (old, new) in [("A", "A2"), ("B", "B2")] {
        options.renames.insert(old.parse().expect("a name"), new.parse().expect("a name"));
    }
    let outcome = world.restore(options).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    let names: Vec<_> = outcome.result.collections.iter().map(|c| c.name.to_string()).collect();
    assert_eq!(names, ["B2", "A2"]);
    let second = &world.sandbox.objects("A2", None)[1];
    assert_eq!(second.matches(&format!("weaviate://localhost/B2/{b}")).count(), 2, "{second}");
}

#[tokio::test]
async fn what_is_in_the_way_is_refused_before_anything_is_written() {
    let (world, archive) = backed_up(articles()).await;
    for name in ["Article", "article", "ARTICLE"] {
        world.sandbox.clear_requests();
        let error = world.refused(named(world.restore_options(&archive), name)).await;
        let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(refusals.as_slice(), [RestoreRefusal::Exists { .. }]), "{refusals:?}");
        assert_eq!((error.class(), world.sandbox.writing_requests()), (Class::Refused, 0));
    }
}

#[tokio::test]
async fn what_the_target_cannot_hold_is_refused_before_anything_is_written() {
    let multi = r#"{"class":"M","vectorConfig":{"c":{"vectorizer":{"none":{}},"vectorIndexType":"hnsw","vectorIndexConfig":{"multivector":{"enabled":true}}}}}"#;
    let openai = r#"{"class":"V","vectorizer":"text2vec-openai"}"#;
    for (document, version) in [(multi, "1.28"), (openai, "1.32")] {
        let source = Sandbox::builder().modules(&["text2vec-openai"]).collection(document);
        let (_from, archive, target) = moved(source, version).await;
        let error = target.refused(target.restore_options(&archive)).await;
        assert!(matches!(error, Error::CannotRestore { .. }), "{document}: {error:?}");
        assert_eq!((error.class(), target.sandbox.writing_requests()), (Class::Refused, 0), "{document}");
    }
}

#[tokio::test]
async fn objects_without_a_vector_are_never_sent_to_a_vectoriser_unasked() {
    let builder = || Sandbox::builder().modules(&["text2vec-openai"]);
    let source = builder()
        .collection(r#"{"class":"V","vectorizer":"text2vec-openai"}"#)
        .object(r#"{"class":"V","id":"00000000-0000-0000-0000-000000000001","properties":{},"vector":[1]}"#)
        .object(r#"{"class":"V","id":"00000000-0000-0000-0000-000000000002","properties":{}}"#);
    let (_from, archive) = backed_up(source).await;
    let target = world(builder().makes_vectors(1));
    let error = target.refused(target.restore_options(&archive)).await;
    let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(refusals.as_slice(), [RestoreRefusal::WouldVectorise { objects: 1, .. }]), "{refusals:?}");
    assert_eq!(target.sandbox.writing_requests(), 0);

    let options = RestoreOptions { revectorize: true, ..target.restore_options(&archive) };
    let (done, _) = target.try_restore(options).await;
    let outcome = done.expect("restored");
    assert_eq!(
        (outcome.result.objects, outcome.result.status),
        (2, Status::Ok),
        "a vector that was wanted is no finding"
    );
    assert_eq!(outcome.result.collections[0].digest, None, "but it is not the archive's content either");
    assert!(
        said_of(&outcome.remarks).iter().any(|text| text.contains("got vectors from the server")),
        "{:?}",
        outcome.remarks
    );
    let sent = target.sandbox.requests().iter().filter(|r| r.path == "/v1/batch/objects").count();
    assert_eq!(sent, 2, "objects without a vector travel apart");
}

#[tokio::test]
async fn a_damaged_archive_sends_no_writing_request() {
    let (_from, archive, target) = moved(articles(), "1.40").await;
    let part = archive.join("collections/Article/objects-000000.jsonl");
    let mut bytes = std::fs::read(&part).expect("a part");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&part, bytes).expect("damage");
    let error = target.refused(target.restore_options(&archive)).await;
    assert_eq!((error.class(), target.sandbox.writing_requests()), (Class::Archive, 0), "{error:?}");
}

#[tokio::test]
async fn a_plan_writes_nothing_anywhere() {
    let (_from, archive, target) = moved(articles(), "1.40").await;
    let before = target.files();
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan");
    assert_eq!((plan.plan.collections[0].objects, target.sandbox.writing_requests()), (OBJECTS, 0));
    assert_eq!(target.files(), before);
}

#[tokio::test]
async fn what_passes_is_waited_out_and_the_copy_is_equal() {
    let (_from, archive) = backed_up(articles()).await;
    for kind in [
        Kind::status(500, "oops"),
        Kind::bad_gateway(),
        Kind::status(503, ""),
        Kind::too_many("0"),
        Kind::AppliedThen { status: 504, body: String::new() },
        Kind::status(422, r#"{"error":[{"message":"leader not found"}]}"#),
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::LandsLate(Duration::from_millis(100)),
        Kind::Cut(900),
        Kind::CutCloseDelimited(900),
        Kind::Stall(300, Duration::from_secs(5)),
        Kind::EmptyBody,
        Kind::Garbage("]".into()),
        Kind::ErrorIn200("shard is busy".into()),
        Kind::KeepResults(7),
        Kind::FailObjects(3, "context deadline exceeded".into()),
        Kind::FailObjects(1, "store is read-only due to: memory pressure".into()),
        Kind::Delay(Duration::from_millis(50)),
    ] {
        for nth in [1, 5] {
            let target = world(Sandbox::builder());
            target.sandbox.faults().add(on_batches(kind.clone()).nth(nth));
            let outcome = target.restore(batches(&target, &archive)).await;
            let collection = &outcome.result.collections[0];
            let found = (outcome.result.status, collection.objects, collection.rejected, outcome.rejected.is_some());
            assert_eq!(found, (Status::Ok, OBJECTS, 0, false), "{kind:?} at batch {nth}");
        }
    }
}

#[tokio::test]
async fn what_does_not_pass_ends_with_one_error_and_says_what_is_there() {
    let (_from, archive) = backed_up(articles()).await;
    for (kind, after) in [
        (Kind::status(500, "oops"), 3),
        (Kind::status(401, ""), 0),
        (Kind::status(403, r#"{"error":[{"message":"forbidden"}]}"#), 3),
        (Kind::redirect("http://elsewhere.invalid/"), 0),
        (Kind::EmptyBody, 3),
        (Kind::ErrorIn200("no".into()), 3),
        (Kind::FailObjects(1, "not enough memory".into()), 3),
        (Kind::Die, 3),
    ] {
        let target = world(Sandbox::builder());
        target.sandbox.faults().add(on_batches(kind.clone()).after(after));
        let options = RestoreOptions { patience: Duration::from_millis(200), ..batches(&target, &archive) };
        let (done, _) = target.try_restore(options).await;
        let stopped = done.expect_err("no answer");
        assert_eq!(stopped.error.class(), Class::Server, "{kind:?}: {:?}", stopped.error);
        let [(name, written)] = stopped.created.as_slice() else { panic!("{:?}", stopped.created) };
        assert_eq!(name.as_str(), "Article");
        assert!(*written <= target.sandbox.count("Article", None), "{kind:?}: only what is there is said");
        assert!(stopped.run_dir.is_some_and(|dir| dir.join("checkpoint.jsonl").exists()));
    }
}

#[tokio::test]
async fn a_read_only_shard_is_found_before_anything_is_written_to_it() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    let read_only = r#"[{"name":"abc","status":"READONLY","vectorQueueSize":0}]"#;
    target.sandbox.faults().add(Fault::new(Kind::status(200, read_only)).on("GET", "/v1/schema/Article/shards"));
    let (done, _) = target.try_restore(batches(&target, &archive)).await;
    let stopped = done.expect_err("read-only");
    assert!(matches!(stopped.error, Error::ReadOnly { .. }), "{:?}", stopped.error);
    assert!(!target.sandbox.requests().iter().any(|r| r.path == "/v1/batch/objects"));
}

#[tokio::test]
async fn success_that_stored_nothing_is_found_by_the_count() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    let gone = target.lines(&archive, "Article").iter().map(|l| id_of(l)).next().expect("an id");
    let plan =
        target.restore_plan(RestoreOptions { verify: false, ..batches(&target, &archive) }).await.expect("a plan");
    // Creating and looking at the collection takes fewer requests than this, and then 14 batches follow.
    target.sandbox.faults().in_requests(24, Change::Delete("Article".into(), None, gone));
    let (done, events) = target.run_plan(plan).await;
    let outcome = done.expect("an end");
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::WrittenMismatch { .. }))));
}

#[tokio::test]
async fn a_property_that_the_server_invented_is_said() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    let foreign = r#"{"class":"Article","id":"00000000-0000-0000-0000-000000000001","properties":{"invented":"x"},"vector":[1,2,3]}"#;
    let plan = target.restore_plan(batches(&target, &archive)).await.expect("a plan");
    target.sandbox.faults().in_requests(20, Change::Write(foreign.into()));
    let (done, events) = target.run_plan(plan).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.collections[0].only_right), (Status::Incomplete, Some(1)));
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::SchemaGrew { .. }))), "{events:?}");
}

#[tokio::test]
async fn creating_that_was_carried_out_but_not_answered_is_not_done_twice() {
    for kind in [
        Kind::AppliedThen { status: 504, body: String::new() },
        Kind::ResetAfter,
        Kind::ResetBefore,
        Kind::status(503, ""),
    ] {
        let (_from, archive, target) = moved(articles(), "1.40").await;
        target.sandbox.faults().add(Fault::new(kind.clone()).on("POST", "/v1/schema").nth(1));
        let outcome = target.restore(target.restore_options(&archive)).await;
        assert_eq!(outcome.result.status, Status::Ok, "{kind:?}");
    }
}

#[tokio::test]
async fn a_collection_that_somebody_else_made_meanwhile_is_not_called_ours() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    let body = r#"{"error":[{"message":"class name Article already exists"}]}"#.to_owned();
    target.sandbox.faults().add(Fault::new(Kind::AppliedThen { status: 422, body }).on("POST", "/v1/schema").exactly());
    let (done, _) = target.try_restore(batches(&target, &archive)).await;
    let stopped = done.expect_err("in the way");
    assert!(matches!(&stopped.error, Error::CannotRestore { .. }), "{:?}", stopped.error);
    assert!(stopped.created.is_empty(), "{:?}", stopped.created);
}

#[tokio::test]
async fn a_collection_the_server_refuses_to_create_is_refused_and_named() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    let body = r#"{"error":[{"message":"objectTtlConfig needs a scheduler"}]}"#;
    target.sandbox.faults().add(Fault::new(Kind::status(422, body)).on("POST", "/v1/schema").exactly());
    let (done, _) = target.try_restore(batches(&target, &archive)).await;
    let stopped = done.expect_err("refused");
    let Error::CannotRestore { refusals, .. } = &stopped.error else { panic!("{:?}", stopped.error) };
    assert!(matches!(&refusals[..], [RestoreRefusal::Unmakeable { .. }]), "{refusals:?}");
    assert_eq!((stopped.error.class(), stopped.created.len()), (Class::Refused, 0));
}

#[tokio::test]
async fn a_stop_leaves_what_is_there_and_says_it() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::Delay(Duration::from_millis(60))));
    let cancel = target.cancel.clone();
    let options = RestoreOptions { batch_objects: Some(10), ..batches(&target, &archive) };
    // Some of it is written by then, however slow the machine is.
    let (done, ()) = tokio::join!(target.try_restore(options), async {
        while target.sandbox.count("Article", None) < 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    });
    let stopped = done.0.expect_err("stopped");
    assert_eq!(stopped.error.class(), Class::Interrupted);
    let [(name, written)] = stopped.created.as_slice() else { panic!("{:?}", stopped.created) };
    assert_eq!((name.as_str(), *written), ("Article", target.sandbox.count("Article", None)));
    assert!(*written < OBJECTS, "it was stopped on the way");
}

#[tokio::test]
async fn two_runs_never_write_into_one_target() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::Delay(Duration::from_millis(30))));
    let one = async || {
        let plan = target.restore_plan(batches(&target, &archive)).await?;
        target.run_plan(plan).await.0.map_err(|stopped| stopped.error)
    };
    let both = tokio::join!(one(), one());
    // Whichever comes first writes; the other finds the lock held, or the collection there.
    let (done, refused): (Vec<_>, Vec<_>) = [both.0, both.1].into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), target.sandbox.count("Article", None)), (1, OBJECTS), "{refused:?}");
    let class = refused.into_iter().find_map(Result::err).expect("a refusal").class();
    assert!(matches!(class, Class::Locked | Class::Refused), "{class:?}");
    target.equals(&archive, "Article", "Article");
}

#[tokio::test]
async fn a_node_that_is_away_is_refused_before_anything_is_written() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder().nodes(3));
    target.sandbox.faults().node_down("node3");
    let error = target.refused(target.restore_options(&archive)).await;
    assert_eq!((error.class(), target.sandbox.writing_requests()), (Class::Server, 0));
}

#[tokio::test]
async fn schemas_alone_objects_without_vectors_and_no_data_each_do_what_they_say() {
    let (from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    let options = RestoreOptions { data: false, ..target.restore_options(&archive) };
    let (done, _) = target.try_restore(options).await;
    assert_eq!((done.expect("done").result.status, target.sandbox.count("Article", None)), (Status::Ok, 0));

    let target = world(Sandbox::builder());
    let options = RestoreOptions { vectors: false, ..target.restore_options(&archive) };
    let (done, _) = target.try_restore(options).await;
    let outcome = done.expect("done");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS));
    assert!(!target.sandbox.objects("Article", None)[0].contains("\"vector\":"));

    let selection = Selection { take: vec!["Nope".into()], ..Selection::default() };
    let options = RestoreOptions { selection, ..from.restore_options(&archive) };
    let error = from.refused(options).await;
    assert!(matches!(error, Error::NotInArchive { .. }), "{error:?}");
}

#[tokio::test]
async fn every_text_a_server_printed_comes_back_byte_for_byte() {
    let texts = [
        r#""a":-0,"b":1e+21,"c":0.1,"d":5e-324"#,
        r#""t":"\u0000 \u2028 \" \\ 😀 <&>""#,
        r#""deep":{"a":{"b":{"c":[1,[2,[3]]]}}}"#.replace("[1,[2,[3]]]", "1").leak(),
        r#""empty":"","list":[]"#,
    ];
    let mut builder = Sandbox::builder().collection(r#"{"class":"A","vectorizer":"none"}"#);
    for (n, text) in texts.iter().enumerate() {
        let object = format!(
            r#"{{"class":"A","id":"00000000-0000-0000-0000-{n:012}","properties":{{{text}}},"vector":[-0,1e-7,3.4028235e38]}}"#
        );
        builder = builder.object(&object);
    }
    let large = format!(
        r#"{{"class":"A","id":"ffffffff-ffff-ffff-ffff-ffffffffffff","properties":{{"t":"{}"}}}}"#,
        "é".repeat(500_000)
    );
    let (_from, archive, target) = moved(builder.object(&large), "1.40").await;
    let outcome = target.restore(target.restore_options(&archive)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 5));
}

#[tokio::test]
async fn many_small_faults_from_a_seed_never_cost_an_object() {
    let (_from, archive) = backed_up(articles()).await;
    for seed in 0..6 {
        let target = world(Sandbox::builder());
        target.sandbox.faults().mix(seed, 40);
        let options = RestoreOptions { batch_objects: Some(40), ..batches(&target, &archive) };
        let plan = match target.restore_plan(options).await {
            Ok(plan) => plan,
            Err(error) => {
                assert_eq!(
                    (error.class(), target.sandbox.writing_requests()),
                    (Class::Server, 0),
                    "seed {seed}: {error:?}"
                );
                continue;
            }
        };
        match target.run_plan(plan).await.0 {
            Ok(outcome) if outcome.result.status == Status::Ok => target.equals(&archive, "Article", "Article"),
            Ok(outcome) => {
                let collection = &outcome.result.collections[0];
                let accounted = collection.objects + collection.rejected;
                assert_eq!(accounted, OBJECTS, "seed {seed}: {collection:?}");
            }
            Err(stopped) => assert_eq!(stopped.error.class(), Class::Server, "seed {seed}: {:?}", stopped.error),
        }
    }
}

#[tokio::test]
async fn a_collection_that_became_something_else_gets_no_objects_and_is_named() {
    let (_from, archive, target) = moved(articles(), "1.40").await;
    let other = r#"{"class":"Article","vectorizer":"none","vectorIndexType":"flat","properties":[],"invertedIndexConfig":{"bm25":{"b":0.1,"k1":1.2}}}"#;
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan");
    // The first look finds nothing, twice as a 404 is doubted; the next one finds what the server made.
    target.sandbox.faults().add(Fault::new(Kind::status(200, other)).on("GET", "/v1/schema/Article").after(2));
    let stopped = target.run_plan(plan).await.0.expect_err("something else");
    assert!(matches!(stopped.error, Error::MadeOtherwise { .. }), "{:?}", stopped.error);
    assert_eq!((stopped.error.class(), stopped.created.len()), (Class::Refused, 1));
    assert!(!target.sandbox.requests().iter().any(|r| r.path == "/v1/batch/objects"));
}
