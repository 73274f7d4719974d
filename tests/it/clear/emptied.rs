//! `col clear`: what was asked for is empty afterwards and still what it was, or nothing was done to it, or it is said.

mod agreed;
mod anew;
mod backed_up;
mod changed;
mod dropped;
mod refusals;
mod tenants;

use std::time::Duration;

use elysiactl::event::{Class, ClearRemark, Event, Status};
use elysiactl::model::{CollectionName, Selection};
use elysiactl::ops::clear::{self, ClearOptions, ClearOutcome, ClearPlan, ClearRefusal, ClearStopped, Method, Wish};
use elysiactl::ops::{Error, Hint};
use elysiactl::weaviate::{Count, Tenant, TenantState, Writer};
use sandbox::{Builder, Change, Fault, Kind, Sandbox};
use serde_json::Value;

use crate::restore::references::circle;
use crate::support::said::said_of;
use crate::support::world::{World, drain, world};

const OBJECTS: u64 = 1_500;

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", OBJECTS, 3, 4)
}

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn options(world: &World, take: &[&str]) -> ClearOptions {
    let state = world.restore_options(world.folder.path()).state;
    let selection = Selection { take: take.iter().map(|t| (*t).to_owned()).collect(), exclude: Vec::new() };
    let (folder, patience) = (world.options().folder, Duration::from_secs(5));
    ClearOptions { folder, memory_bytes: 16 << 20, patience, ..ClearOptions::new(selection, state) }
}

async fn planned(world: &World, options: ClearOptions) -> Result<ClearPlan, Error> {
    let events = elysiactl::event::Events::none();
    clear::plan(&world.client(events.clone()), &world.session(events), options).await
}

async fn run(world: &World, plan: ClearPlan) -> (Result<ClearOutcome, ClearStopped>, Vec<Event>) {
    let (events, mut receiver) = elysiactl::event::Events::channel();
    let (client, session) = (world.client(events.clone()), world.session(events));
    let done = clear::run(&Writer::new(client), &session, plan).await;
    drop(session);
    (done, drain(&mut receiver))
}

async fn cleared(world: &World, options: ClearOptions) -> ClearOutcome {
    let plan = planned(world, options).await.expect("a plan");
    let (done, _) = run(world, plan).await;
    done.unwrap_or_else(|stopped| panic!("stopped: {stopped:?}"))
}

async fn schema(world: &World, collection: &str) -> Value {
    let client = world.client(elysiactl::event::Events::none());
    let schema = client.schema(&name(collection)).await.expect("an answer").expect("a collection");
    let mut document: Value = serde_json::from_slice(&schema.text).expect("JSON");
    // What a collection is told by its name and its nodes alone.
    document.as_object_mut().expect("an object").remove("shardingConfig");
    document
}

async fn refused(world: &World, options: ClearOptions) -> Error {
    world.sandbox.clear_requests();
    let error = planned(world, options).await.expect_err("a refusal");
    assert_eq!(world.sandbox.writing_requests(), 0, "{error:?}");
    error
}

async fn tenants(world: &World, collection: &str) -> Vec<Tenant> {
    let client = world.client(elysiactl::event::Events::none());
    client.tenants(&name(collection)).await.expect("tenants")
}

fn one(wish: Wish, options: ClearOptions) -> ClearOptions {
    ClearOptions { wish, ..options }
}

#[tokio::test]
async fn either_way_it_is_empty_and_still_what_it_was() {
    for (wish, method) in
        [(Wish::Recreate, Method::Recreate), (Wish::Delete, Method::Delete), (Wish::Auto, Method::Recreate)]
    {
        for version in ["1.24", "1.40"] {
            let world = world(articles().version(version));
            let before = schema(&world, "Article").await;
            let plan = planned(&world, one(wish, options(&world, &["Article"]))).await.expect("a plan");
            assert_eq!((plan.collections[0].method, &plan.collections[0].objects), (method, &Count::Exact(OBJECTS)));
            let (done, events) = run(&world, plan).await;
            let outcome = done.expect("done");
            assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS), "{wish:?} {version}");
            assert_eq!(world.sandbox.count("Article", None), 0);
            assert_eq!(schema(&world, "Article").await, before);
            let told: u64 =
                events.iter().map(|e| if let Event::ObjectsDeleted { objects, .. } = e { *objects } else { 0 }).sum();
            assert_eq!(told, OBJECTS, "what the bars show");
            assert_eq!(outcome.saved.len(), usize::from(method == Method::Recreate));
            for (_, copy) in &outcome.saved {
                let saved = std::fs::read(&copy.schema).expect("the copy");
                let mut saved: Value = serde_json::from_slice(&saved).expect("JSON");
                saved.as_object_mut().expect("an object").remove("shardingConfig");
                assert_eq!(saved, before);
                world.check(&copy.archive).await.expect("a sound archive");
            }
        }
    }
}

#[tokio::test]
async fn a_few_objects_are_deleted_and_nothing_else_is_touched() {
    let world = world(Sandbox::builder().seeded("Article", 700, 3, 4));
    let outcome = cleared(&world, options(&world, &["Article"])).await;
    assert_eq!((outcome.result.objects, outcome.saved.len()), (700, 0));
    let writing: Vec<_> = world.sandbox.requests().into_iter().filter(|r| r.method == "DELETE").collect();
    assert!(writing.iter().all(|r| r.path == "/v1/batch/objects"), "{writing:?}");
}

#[tokio::test]
async fn a_server_that_deletes_a_hundred_at_once_is_emptied_too() {
    let world = world(articles().query_maximum_results(100));
    let outcome = cleared(&world, one(Wish::Delete, options(&world, &["Article"]))).await;
    assert_eq!((outcome.result.objects, world.sandbox.count("Article", None)), (OBJECTS, 0));
}

#[tokio::test]
async fn an_empty_collection_is_done_at_once() {
    let world = world(Sandbox::builder().collection(r#"{"class":"Article"}"#));
    let plan = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    assert!(plan.collections[0].is_empty());
    let (done, _) = run(&world, plan).await;
    assert_eq!(done.expect("done").result.objects, 0);
}

#[tokio::test]
async fn the_plan_names_what_hangs_on_it_and_what_holds_it() {
    let builder = Sandbox::builder()
        .collection(r#"{"class":"Article","vectorizer":"none"}"#)
        .collection(r#"{"class":"Author","properties":[{"name":"wrote","dataType":["Article"]}]}"#)
        .collection(r#"{"class":"Other"}"#)
        .object(&article(1));
    let world = world(builder);
    let plan = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    let standing = &plan.collections[0].standing;
    assert_eq!(standing.referenced_by, [(name("Author"), "wrote".to_owned())]);
    assert!(standing.held_in.is_none());
    let archive = world.backup(world.options()).await.result.archive.expect("an archive");
    let plan = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    assert_eq!(
        plan.collections[0].standing.held_in.as_ref().map(|held| held.path.display().to_string()),
        Some(archive)
    );
}

#[tokio::test]
async fn what_is_refused_sends_nothing_that_writes() {
    let world = world(articles().collection(r#"{"class":"Chat_SYSTEM"}"#));
    for take in ["Nope", "ARTICLE"] {
        let error = refused(&world, options(&world, &[take])).await;
        assert!(matches!(error, Error::UnknownCollection { .. }) && error.class() == Class::Refused, "{error:?}");
    }
    // Its name has to be typed out, however it was found.
    let plan = planned(&world, options(&world, &["article"])).await.expect("a plan");
    assert_eq!(plan.collections[0].name(), &name("Article"));
    let error = refused(&world, options(&world, &["Z*"])).await;
    assert!(matches!(error, Error::NothingMatched { .. }), "{error:?}");
    assert_eq!((error.class(), error.hints()), (Class::Refused, vec![Hint::ListCollections]));
    // One of all is protected.
    for take in ["Chat_SYSTEM", "*"] {
        let error = refused(&world, options(&world, &[take])).await;
        assert!(matches!(&error, Error::Protected { names } if *names == [name("Chat_SYSTEM")]), "{error:?}");
        assert_eq!((error.class(), error.hints()), (Class::Refused, vec![Hint::AllowProtected]));
    }
}

#[tokio::test]
async fn an_alias_is_named_and_never_cleared_as_if_it_were_a_collection() {
    let world = world(articles());
    call(&world, "POST", "/v1/aliases", r#"{"alias":"Latest","class":"Article"}"#).await;
    let error = refused(&world, options(&world, &["Latest"])).await;
    assert!(
        matches!(&error, Error::UnknownCollection { alias_of: Some(of), .. } if *of == name("Article")),
        "{error:?}"
    );
    let plan = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    assert_eq!(plan.collections[0].standing.aliases, ["Latest"]);
    let (done, _) = run(&world, plan).await;
    done.expect("done");
    let client = world.client(elysiactl::event::Events::none());
    let behind = client.schema(&name("Latest")).await.expect("an answer").expect("the alias works again");
    assert_eq!(behind.name, name("Article"));
}

async fn call(world: &World, method: &str, path: &str, body: &str) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", world.sandbox.port())).await.expect("a connection");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
}

#[tokio::test]
async fn a_node_away_is_refused_before_anything_is_sent() {
    let world = world(Sandbox::builder().nodes(3).seeded("Article", 300, 3, 4));
    world.sandbox.faults().node_down("node3");
    let error = refused(&world, options(&world, &["Article"])).await;
    assert!(matches!(error, Error::NotWhole { .. }), "{error:?}");
}

#[tokio::test]
async fn read_only_shards_are_never_deleted_from_and_dropped_only_if_that_is_meant() {
    let world = world(articles());
    let shard = world.sandbox.shards("Article")[0].clone();
    call(&world, "PUT", &format!("/v1/schema/Article/shards/{shard}"), r#"{"status":"READONLY"}"#).await;
    for wish in [Wish::Delete, Wish::Auto] {
        let error = refused(&world, one(wish, options(&world, &["Article"]))).await;
        assert!(
            matches!(&error, Error::CannotClear { refusals } if matches!(refusals[0], ClearRefusal::ReadOnly { .. })),
            "{error:?}"
        );
    }
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    assert!(plan.collections[0].loses.contains(&ClearRemark::ShardsToOpen { shards: vec![shard] }.into()));
    let (done, _) = run(&world, plan).await;
    assert_eq!((done.expect("done").result.objects, world.sandbox.count("Article", None)), (OBJECTS, 0));
}

fn article(n: u64) -> String {
    format!(
        r#"{{"class":"Article","id":"00000000-0000-0000-0000-{n:012}","properties":{{"title":"late"}},"vector":[1,2,3]}}"#
    )
}

#[tokio::test]
async fn collections_in_a_circle_are_emptied_and_refer_to_one_another_still() {
    let world = circle(&["A", "B"], "1.40").await;
    let before = (schema(&world, "A").await, schema(&world, "B").await);
    let outcome = cleared(&world, one(Wish::Recreate, options(&world, &["A", "B"]))).await;
    assert_eq!(outcome.result.status, Status::Ok);
    assert_eq!((schema(&world, "A").await, schema(&world, "B").await), before);
    assert_eq!((world.sandbox.count("A", None), world.sandbox.count("B", None)), (0, 0));
}

#[tokio::test]
async fn what_is_written_while_it_is_deleted_is_deleted_too_or_said() {
    let world = world(articles());
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan");
    for n in 1..=3 {
        world.sandbox.faults().in_requests(6 + n * 3, Change::Write(article(n)));
    }
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    let left = world.sandbox.count("Article", None);
    assert_eq!(outcome.result.status, if left == 0 { Status::Ok } else { Status::Incomplete });

    for n in 1..400 {
        world.sandbox.faults().in_requests(n, Change::Write(article(100 + n)));
    }
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan");
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    assert_eq!(outcome.result.status, Status::Incomplete, "a writer that never stops");
    assert!(said_of(&outcome.remarks).iter().any(|text| text.starts_with("not empty")), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn a_server_that_says_it_deletes_and_does_not_is_not_asked_for_ever() {
    let world = world(articles());
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan");
    let lie = r#"{"results":{"matches":1500,"successful":1,"failed":0,"objects":null}}"#;
    world.sandbox.faults().add(Fault::new(Kind::status(200, lie)).on("DELETE", "/v1/batch/objects"));
    world.sandbox.clear_requests();
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(
        said_of(&outcome.remarks).iter().any(|text| text.contains("goes on finding as many")),
        "{:?}",
        outcome.remarks
    );
    assert!(world.sandbox.writing_requests() <= 6, "two for each of three rounds");
    assert_eq!(world.sandbox.count("Article", None), OBJECTS);
}

#[tokio::test]
async fn a_replica_that_lacks_what_others_hold_is_named_as_the_cause() {
    let document = r#"{"class":"Article","vectorizer":"none","replicationConfig":{"factor":3}}"#;
    let world = world(Sandbox::builder().nodes(3).collection(document).object(&article(1)).object(&article(2)));
    for n in 1..=2 {
        world.sandbox.faults().lacks("node1", "Article", &format!("00000000-0000-0000-0000-{n:012}"));
    }
    let outcome = cleared(&world, one(Wish::Delete, options(&world, &["Article"]))).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 0));
    let told = |text: &str| text.contains("2 objects are there") && text.contains("its replica lacks what others hold");
    assert!(said_of(&outcome.remarks).iter().any(|text| told(text)), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn deletions_that_fail_are_said_with_the_servers_words() {
    let world = world(articles());
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan");
    let shard = world.sandbox.shards("Article")[0].clone();
    call(&world, "PUT", &format!("/v1/schema/Article/shards/{shard}"), r#"{"status":"READONLY"}"#).await;
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 0));
    assert!(said_of(&outcome.remarks).iter().any(|text| text.contains("read-only")), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn passing_faults_are_waited_out() {
    for kind in [
        Kind::status(500, "oops"),
        Kind::bad_gateway(),
        Kind::too_many("0"),
        Kind::AppliedThen { status: 504, body: String::new() },
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::EmptyBody,
        Kind::Garbage("]".into()),
    ] {
        let world = world(articles());
        world.sandbox.faults().add(Fault::new(kind.clone()).on("DELETE", "/v1/batch/objects").nth(2).times(2));
        let outcome = cleared(&world, one(Wish::Delete, options(&world, &["Article"]))).await;
        assert_eq!((outcome.result.status, world.sandbox.count("Article", None)), (Status::Ok, 0), "{kind:?}");
    }
}

#[tokio::test]
async fn a_stop_leaves_what_is_left_and_says_it() {
    let world = world(Sandbox::builder().seeded("Article", 12_000, 3, 4));
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan");
    world.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(300))).on("DELETE", "/v1/batch/objects"));
    let ((done, _), ()) = tokio::join!(run(&world, plan), async {
        // The first deletion is under way.
        world.struck(1).await;
        world.cancel.cancel();
    });
    let stopped = done.expect_err("stopped");
    assert_eq!((stopped.error.class(), stopped.partly), (Class::Interrupted, Some(name("Article"))));
    assert!(world.sandbox.count("Article", None) > 0);
}

#[tokio::test]
async fn two_runs_never_clear_one_collection() {
    let world = world(articles());
    let (first, second) = (
        planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan"),
        planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan"),
    );
    world.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(300))).on("DELETE", "/v1/batch/objects"));
    let ((one, _), (two, _)) = tokio::join!(run(&world, first), async {
        world.struck(1).await;
        run(&world, second).await
    });
    one.expect("done");
    let stopped = two.expect_err("locked");
    assert_eq!((stopped.error.class(), stopped.untouched.len()), (Class::Locked, 1));
}
