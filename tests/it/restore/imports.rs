//! Batches on their way to a server that is slow, short of something, behind a proxy, or that blames an object in words
//! that may mean itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::event::{Class, Event, Status, Warning};
use elysiactl::ops::restore::{RestoreOptions, RestoreOutcome};
use sandbox::{Builder, Fault, Kind, Sandbox, Seen};

use crate::support::world::{World, world};

const OBJECTS: u64 = 700;
const SHORT: Duration = Duration::from_millis(200);

fn articles(objects: u64) -> Builder {
    Sandbox::builder().seeded("Article", objects, 3, 4)
}

async fn archive_of(builder: Builder) -> (World, PathBuf) {
    let world = world(builder);
    let outcome = world.backup(world.options()).await;
    (world, outcome.result.archive.expect("an archive").into())
}

/// Batches of 50 objects, two at a time, and little patience.
fn batches(target: &World, archive: &Path) -> RestoreOptions {
    RestoreOptions { batch_objects: Some(50), jobs: Some(2), patience: SHORT, ..target.restore_options(archive) }
}

fn on_batches(kind: Kind) -> Fault {
    Fault::new(kind).on("POST", "/v1/batch/objects")
}

fn sent(target: &World) -> Vec<Seen> {
    target.sandbox.requests().into_iter().filter(|r| r.path == "/v1/batch/objects").collect()
}

/// The objects that were rejected are those whose ids are multiples of `of`, and all others are there.
fn only_multiples_are_rejected(outcome: &RestoreOutcome, target: &World, archive: &Path, of: u128) {
    let id = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        uuid::Uuid::try_parse(value["id"].as_str().expect("an id")).expect("an id").as_u128()
    };
    let all = target.lines(archive, "Article");
    let mut expected: Vec<u128> = all.iter().map(|l| id(l)).filter(|id| id.is_multiple_of(of)).collect();
    let text = std::fs::read_to_string(outcome.rejected.as_ref().expect("a file")).expect("text");
    let mut rejected: Vec<u128> = text.lines().map(id).collect();
    expected.sort_unstable();
    rejected.sort_unstable();
    assert!(!expected.is_empty());
    assert_eq!((outcome.result.status, rejected), (Status::Incomplete, expected.clone()));
    assert_eq!(target.sandbox.count("Article", None), (all.len() - expected.len()) as u64);
}

#[tokio::test]
async fn a_server_short_of_memory_gets_fewer_requests_at_once() {
    let (_from, archive) = archive_of(articles(OBJECTS)).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::Delay(Duration::from_millis(20))));
    target.sandbox.faults().add(on_batches(Kind::FailObjects(1, "not enough memory".into())).nth(6));
    let options =
        RestoreOptions { batch_objects: Some(10), patience: Duration::from_secs(10), ..batches(&target, &archive) };
    let (done, events) = target.try_restore(options).await;
    assert_eq!(done.expect("an end").result.status, Status::Ok);
    let beside: Vec<usize> = sent(&target).iter().map(|r| r.beside).collect();
    assert!(beside[..6].contains(&2), "two at once in the beginning: {beside:?}");
    assert!(beside[12..40].iter().all(|n| *n == 1), "and one after it said so: {beside:?}");
    let changes = events.iter().filter(|e| matches!(e, Event::PaceChanged { .. })).count();
    assert!(changes <= 3, "{changes} changes of the pace");
}

#[tokio::test]
async fn a_batch_that_takes_too_long_goes_in_pieces() {
    let (_from, archive) = archive_of(articles(OBJECTS)).await;
    let target = World { stall: Duration::from_millis(700), ..world(Sandbox::builder()) };
    target.sandbox.faults().add(on_batches(Kind::SlowBodiesOver(8_000, Duration::from_secs(4))));
    let outcome = target.restore(batches(&target, &archive)).await;
    let found = (outcome.result.status, outcome.result.objects, outcome.rejected);
    assert_eq!(found, (Status::Ok, OBJECTS, None));
}

#[tokio::test]
async fn a_server_that_never_answers_a_batch_ends_the_run() {
    let (_from, archive) = archive_of(articles(12)).await;
    let target = World { stall: Duration::from_millis(300), ..world(Sandbox::builder()) };
    target.sandbox.faults().add(on_batches(Kind::SlowBodiesOver(0, Duration::from_secs(60))));
    let (done, _) = target.try_restore(batches(&target, &archive)).await;
    assert_eq!(done.expect_err("no answer").error.class(), Class::Server);
}

#[tokio::test]
async fn a_limit_of_a_proxy_is_met_a_few_times_and_not_again() {
    let (_from, archive) = archive_of(articles(3_000)).await;
    for (fixed, limit) in [(None, 20_000), (Some(50), 4_000)] {
        let target = world(Sandbox::builder());
        target.sandbox.faults().add(on_batches(Kind::RefuseBodiesOver(limit)));
        let options = RestoreOptions { batch_objects: fixed, ..batches(&target, &archive) };
        let outcome = target.restore(options).await;
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 3_000));
        let (all, refused) = (sent(&target).len(), sent(&target).iter().filter(|r| r.status == 413).count());
        assert!((1..=10).contains(&refused), "{fixed:?}: {refused} of {all} requests were refused");
    }
}

#[tokio::test]
async fn a_refusal_that_repeats_an_objects_own_words_is_about_that_object() {
    let (_from, archive) = archive_of(articles(OBJECTS)).await;
    let target = world(Sandbox::builder());
    let said = "invalid date property 'mode': this is read only";
    target.sandbox.faults().add(on_batches(Kind::FailIds(25, said.into())));
    let (done, events) = target.try_restore(batches(&target, &archive)).await;
    let outcome = done.expect("an end");
    only_multiples_are_rejected(&outcome, &target, &archive, 25);
    assert!(std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text").contains(said));
    let told = events.iter().any(|e| matches!(e, Event::Warning(Warning::WritesRefused { .. })));
    assert!(!told, "the server does take writes");
}

#[tokio::test]
async fn a_part_of_all_objects_that_no_node_takes_ends_the_run() {
    let (_from, archive) = archive_of(articles(OBJECTS)).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::FailIds(3, "dial tcp 10.0.0.3:7001: connection refused".into())));
    let (done, _) = target.try_restore(batches(&target, &archive)).await;
    assert_eq!(done.expect_err("a node is away").error.class(), Class::Server);
}

#[tokio::test]
async fn objects_that_meet_a_broken_connection_are_sent_until_it_is_there_again() {
    let (_from, archive) = archive_of(articles(OBJECTS)).await;
    for said in [
        "put object: read tcp: connection reset by peer",
        "unexpected EOF",
        "dial tcp 10.0.0.3:7001: i/o timeout",
        "shard is shutting down",
        "write tcp: broken pipe",
        "store not ready",
    ] {
        let target = world(Sandbox::builder());
        target.sandbox.faults().add(on_batches(Kind::FailIds(4, said.into())).times(12));
        let options = RestoreOptions { patience: Duration::from_secs(2), ..batches(&target, &archive) };
        let outcome = target.restore(options).await;
        let found = (outcome.result.status, outcome.result.objects, outcome.rejected);
        assert_eq!(found, (Status::Ok, OBJECTS, None), "{said}");
    }
}

/// Every second object has no vector, and the server has a vectorizer.
fn half_to_vectorise(objects: u32) -> Builder {
    let builder = Sandbox::builder().modules(&["text2vec-openai"]);
    let builder = builder.collection(r#"{"class":"V","vectorizer":"text2vec-openai"}"#);
    (0..objects).fold(builder, |builder, n| {
        let vector = if n % 2 == 0 { r#","vector":[1]"# } else { "" };
        builder.object(&format!(r#"{{"class":"V","id":"00000000-0000-0000-0000-{n:012}","properties":{{}}{vector}}}"#))
    })
}

fn vectorising(target: &World, archive: &Path) -> RestoreOptions {
    RestoreOptions { revectorize: true, patience: SHORT, verify: false, ..target.restore_options(archive) }
}

#[tokio::test]
async fn a_vectoriser_that_is_away_is_not_told_as_a_server_that_takes_no_writes() {
    let (_from, archive) = archive_of(half_to_vectorise(20)).await;
    let fails = |said: &str| on_batches(Kind::FailObjects(1, said.into()));
    for (said, ends) in [("vectorize: dial tcp: connection refused", false), ("store is read-only", true)] {
        let target = world(Sandbox::builder().modules(&["text2vec-openai"]));
        // Objects without a vector go in the second request of a batch; the first one is stored.
        target.sandbox.faults().add(fails(said).after(u64::from(!ends)));
        let options = RestoreOptions { batch_objects: Some(20), jobs: Some(1), ..vectorising(&target, &archive) };
        let (done, events) = target.try_restore(options).await;
        let told = events.iter().any(|e| matches!(e, Event::Warning(Warning::WritesRefused { .. })));
        assert_eq!(told, ends, "{said}");
        match done {
            Ok(outcome) => {
                assert_eq!((ends, outcome.result.status, outcome.result.objects), (false, Status::Incomplete, 10));
                let rejected = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
                assert_eq!(rejected.lines().filter(|line| line.contains(said)).count(), 10);
            }
            Err(stopped) => assert_eq!((ends, stopped.error.class()), (true, Class::Server), "{said}"),
        }
    }
}

#[tokio::test]
async fn batches_grow_though_half_of_their_objects_travel_apart() {
    let (_from, archive) = archive_of(half_to_vectorise(400)).await;
    let target = world(Sandbox::builder().modules(&["text2vec-openai"]));
    let (done, _) = target.try_restore(vectorising(&target, &archive)).await;
    assert_eq!(done.expect("restored").result.objects, 400);
    let requests = sent(&target).len();
    assert!(requests < 40, "{requests} requests; without growing it would be 80");
}

#[tokio::test]
async fn without_vectors_no_object_travels_apart() {
    let (_from, archive) = archive_of(half_to_vectorise(6)).await;
    let target = world(Sandbox::builder().modules(&["text2vec-openai"]));
    let options = RestoreOptions { vectors: false, ..vectorising(&target, &archive) };
    let (done, _) = target.try_restore(options).await;
    assert_eq!((done.expect("restored").result.objects, sent(&target).len()), (6, 1));
}
