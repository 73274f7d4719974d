//! Rehearsal: what the server would not take back is not dropped, what it would not make is refused before anything is
//! created, and nothing of it stays behind.

use std::sync::Arc;
use std::time::Duration;

use elysiactl::event::{Class, Event, Events, Status};
use elysiactl::model::{CollectionName, Selection};
use elysiactl::ops::clear::{self, ClearOptions, ClearRefusal, Method, WhyMethod, Wish};
use elysiactl::ops::{Error, Hint, Rehearsed, Unmakeable, create, restore};
use elysiactl::weaviate::{RetryPolicy, Writer};
use sandbox::{Builder, Change, Fault, Kind, Operator, Role, Sandbox};
use serde_json::Value;

use crate::support::world::{QUICK, World, world};

mod resumed;
mod scratch;

const OBJECTS: u64 = 1_500;

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn options(world: &World, take: &[&str], wish: Wish) -> ClearOptions {
    ClearOptions {
        selection: Selection { take: take.iter().map(|t| (*t).to_owned()).collect(), exclude: Vec::new() },
        tenants: Vec::new(),
        wish,
        allow_protected: false,
        folder: world.options().folder,
        state: world.state(),
        memory_bytes: 16 << 20,
        patience: Duration::from_secs(5),
        rehearse: true,
        resumes: false,
    }
}

/// Plans a clear and rehearses it.
async fn rehearsed(world: &World, options: ClearOptions) -> Result<clear::ClearPlan, Error> {
    let client = world.client(Events::none());
    let session = world.session(Events::none());
    let plan = clear::plan(&client, &session, options).await.expect("a plan");
    clear::rehearse(&Writer::new(client), &session, plan).await
}

fn scratches(world: &World) -> Vec<String> {
    world.sandbox.collections().into_iter().filter(|name| name.contains("Rehearsal")).collect()
}

fn journals(world: &World) -> usize {
    std::fs::read_dir(world.state().runs).map_or(0, Iterator::count)
}

/// A collection that was made before something was changed on the server, and what was changed.
struct Scene {
    what: &'static str,
    builder: Builder,
    operator: Operator,
    setting: &'static str,
}

fn scenes() -> Vec<Scene> {
    let nothing = Operator::default;
    let of = |document: &str| Sandbox::builder().collection(document).object(r#"{"class":"Article","properties":{}}"#);
    let plain = || of(r#"{"class":"Article","vectorizer":"none"}"#);
    let scene = |what, builder, operator, setting| Scene { what, builder, operator, setting };
    vec![
        scene(
            "tokenizer",
            of(r#"{"class":"Article","properties":[{"name":"t","dataType":["text"],"tokenization":"kagome_ja"}]}"#),
            Operator { tokenizers_off: true, ..nothing() },
            "ENABLE_TOKENIZER_KAGOME_JA",
        ),
        scene(
            "collections",
            plain(),
            Operator { most_collections: Some(1), ..nothing() },
            "MAXIMUM_ALLOWED_COLLECTIONS_COUNT",
        ),
        scene(
            "shards",
            of(r#"{"class":"Article","vectorizer":"none","shardingConfig":{"desiredCount":3}}"#),
            Operator { most_shards: Some(2), ..nothing() },
            "MAXIMUM_ALLOWED_SHARDS_PER_COLLECTION",
        ),
        scene(
            "index types",
            of(r#"{"class":"Article","vectorizer":"none","vectorIndexType":"flat"}"#),
            Operator { index_types: Some(&["hnsw"]), ..nothing() },
            "ALLOWED_VECTOR_INDEX_TYPES",
        ),
        scene(
            "compressions",
            of(r#"{"class":"Article","vectorizer":"none","vectorIndexConfig":{"bq":{"enabled":true}}}"#),
            Operator { compressions: Some(&["rq-8"]), ..nothing() },
            "ALLOWED_COMPRESSION_TYPES",
        ),
        scene("replicas", plain(), Operator { least_replicas: Some(2), ..nothing() }, "REPLICATION_MINIMUM_FACTOR"),
    ]
}

#[tokio::test]
async fn what_the_server_would_not_take_back_is_not_dropped() {
    for Scene { what, builder, operator, setting } in scenes() {
        let world = world(builder);
        let before = world.sandbox.objects("Article", None);
        world.sandbox.operate(operator);
        let error = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect_err(what);
        assert_eq!(error.class(), Class::Refused, "{what}");
        let Error::CannotClear { refusals } = &error else { panic!("{what}: {error:?}") };
        let ClearRefusal::Unmakeable { why, .. } = &refusals[0] else { panic!("{what}: {refusals:?}") };
        let cause = why.cause().unwrap_or_else(|| panic!("{what}: {why:?}"));
        assert_eq!(cause.setting(), Some(setting), "{what}");
        assert_eq!(error.hints(), [Hint::ChangeServer(cause.clone()), Hint::DeleteInstead], "{what}");
        // By itself it goes the other way, and says why.
        let many = ClearOptions { rehearse: true, ..options(&world, &["Article"], Wish::Auto) };
        let plan = rehearsed(&world, many).await.expect("a plan");
        assert_eq!(plan.collections[0].method, Method::Delete, "{what}");
        assert_eq!(world.sandbox.objects("Article", None), before, "{what}");
        assert_eq!((scratches(&world).len(), journals(&world)), (0, 0), "{what}");
    }
}

#[tokio::test]
async fn by_itself_a_collection_that_would_not_come_back_is_emptied_by_deleting() {
    let world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
    world.sandbox.operate(Operator { most_collections: Some(1), ..Operator::default() });
    let plan = rehearsed(&world, options(&world, &["Article"], Wish::Auto)).await.expect("a plan");
    let planned = &plan.collections[0];
    assert_eq!((planned.method, planned.rehearsed), (Method::Delete, Rehearsed::NotNeeded));
    let WhyMethod::Instead(against) = &planned.why else { panic!("{:?}", planned.why) };
    assert!(against.to_string().contains("collections count limit of 1 reached"), "{against}");
    let client = world.client(Events::none());
    let outcome = clear::run(&Writer::new(client), &world.session(Events::none()), plan).await.expect("done");
    assert_eq!((outcome.result.status, world.sandbox.count("Article", None)), (Status::Ok, 0));
}

#[tokio::test]
async fn a_reference_to_what_is_gone_is_found_out() {
    let world = world(
        Sandbox::builder()
            .collection(r#"{"class":"C"}"#)
            .collection(r#"{"class":"Article","properties":[{"name":"to","dataType":["C"]}]}"#),
    );
    let client = Writer::new(world.client(Events::none()));
    client.drop_collection(&name("C")).await.expect("dropped");
    let error = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect_err("refused");
    assert!(error.to_string().contains("reference property to nonexistent class"), "{error}");
    assert_eq!(world.sandbox.collections(), ["Article"]);
}

#[tokio::test]
async fn more_tenants_than_are_allowed_now_are_found_out() {
    let mut builder = Sandbox::builder().collection(r#"{"class":"Many","multiTenancyConfig":{"enabled":true}}"#);
    for tenant in ["a", "b", "c"] {
        builder = builder.tenant("Many", tenant, "HOT");
    }
    let world = world(builder.tenant("Many", "d", "COLD"));
    world.sandbox.operate(Operator { most_tenants: Some(3), ..Operator::default() });
    // The sleeping one would be removed and created again whatever the method.
    for wish in [Wish::Recreate, Wish::Delete, Wish::Auto] {
        let error = rehearsed(&world, options(&world, &["Many"], wish)).await.expect_err("refused");
        let Error::CannotClear { refusals } = &error else { panic!("{error:?}") };
        let told = matches!(&refusals[0], ClearRefusal::Unmakeable { why: Unmakeable::Tenants { tenants: 4, cause: Some(cause), .. }, .. }
            if cause.setting() == Some("MAXIMUM_ALLOWED_TENANTS_PER_COLLECTION"));
        assert!(told, "{refusals:?}");
        assert_eq!((world.sandbox.tenants("Many").len(), scratches(&world).len()), (4, 0));
    }
}

#[tokio::test]
async fn what_the_server_would_make_something_else_of_is_not_dropped() {
    let world = world(Sandbox::builder().collection(r#"{"class":"Article","vectorizer":"none"}"#));
    world.sandbox.drop_vectors("Article");
    let error = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect_err("refused");
    let Error::CannotClear { refusals } = &error else { panic!("{error:?}") };
    let ClearRefusal::Unmakeable { why: Unmakeable::Otherwise { differences }, .. } = &refusals[0] else {
        panic!("{error}")
    };
    assert!(differences.iter().any(|d| d.to_string().contains("vectorIndexType")), "{differences:?}");
}

#[tokio::test]
async fn what_has_no_compression_has_none_afterwards_whatever_the_server_does_by_default() {
    let world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
    let client = world.client(Events::none());
    let document = async || -> Value {
        let schema = client.schema(&name("Article")).await.expect("an answer").expect("a collection");
        serde_json::from_slice(&schema.text).expect("JSON")
    };
    let before = document().await;
    world.sandbox.operate(Operator { rq_by_default: true, ..Operator::default() });
    let plan = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect("a plan");
    assert_eq!(plan.collections[0].rehearsed, Rehearsed::Done);
    let run = clear::run(&Writer::new(client.clone()), &world.session(Events::none()), plan).await.expect("done");
    assert_eq!(run.result.status, Status::Ok, "{:?}", run.remarks);
    assert_eq!(document().await["vectorIndexConfig"], before["vectorIndexConfig"]);
    assert_eq!(world.sandbox.count("Article", None), 0);
}

#[tokio::test]
async fn a_key_for_one_name_alone_cannot_rehearse_and_says_so() {
    for (beginning, may) in [("Article", true), ("Articl", true), ("Other", false)] {
        let mut world =
            world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4).key("k", "u", Role::Named(beginning)));
        world.key = Some("k");
        let client = world.client(Events::none());
        let session = world.session(Events::none());
        let Ok(plan) = clear::plan(&client, &session, options(&world, &["Article"], Wish::Recreate)).await else {
            assert!(!may, "{beginning}");
            continue;
        };
        let plan = clear::rehearse(&Writer::new(client), &session, plan).await.expect("a plan");
        assert_eq!(plan.collections[0].rehearsed, Rehearsed::Done, "{beginning}");
    }
    // A role for this very name alone.
    let mut world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4).key("k", "u", Role::Exactly("Article")));
    world.key = Some("k");
    let error = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect_err("refused");
    let Error::CannotClear { refusals } = &error else { panic!("{error:?}") };
    let told = matches!(&refusals[0], ClearRefusal::Unmakeable { why: Unmakeable::NoScratchName { lacks, .. }, .. }
        if *lacks == "create_collections");
    assert!(told, "{refusals:?}");
    assert_eq!(error.hints(), [Hint::WithoutRehearsal, Hint::DeleteInstead]);
    let plan = rehearsed(&world, options(&world, &["Article"], Wish::Auto)).await.expect("a plan");
    assert_eq!((plan.collections[0].method, world.sandbox.rehearsing_requests()), (Method::Delete, 0));
}

#[tokio::test]
async fn without_a_rehearsal_nothing_is_dropped_unasked() {
    let world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
    let without = |wish| ClearOptions { rehearse: false, ..options(&world, &["Article"], wish) };
    world.sandbox.clear_requests();
    let plan = rehearsed(&world, without(Wish::Auto)).await.expect("a plan");
    assert_eq!((plan.collections[0].method, plan.collections[0].rehearsed), (Method::Delete, Rehearsed::NotNeeded));
    let plan = rehearsed(&world, without(Wish::Recreate)).await.expect("a plan");
    assert_eq!((plan.collections[0].method, plan.collections[0].rehearsed), (Method::Recreate, Rehearsed::Skipped));
    assert_eq!((world.sandbox.writing_requests(), world.sandbox.rehearsing_requests()), (0, 0));
}

#[tokio::test]
async fn a_server_that_fails_for_a_moment_is_asked_again() {
    for status in [429, 502, 503] {
        let world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
        for method in ["POST", "DELETE"] {
            world.sandbox.faults().add(Fault::new(Kind::status(status, "")).on(method, "/v1/schema").times(1));
        }
        let plan = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect("a plan");
        assert_eq!(plan.collections[0].rehearsed, Rehearsed::Done, "{status}");
        // What was not answered may be carried out late: its journal stays for the next run.
        assert_eq!((scratches(&world).len(), journals(&world)), (0, usize::from(status != 429)), "{status}");
    }
}

#[tokio::test]
async fn a_restore_that_the_server_refuses_halfway_creates_nothing() {
    let there = world(
        Sandbox::builder()
            .collection(r#"{"class":"A"}"#)
            .collection(r#"{"class":"B","properties":[{"name":"t","dataType":["text"],"tokenization":"gse"}]}"#)
            .object(r#"{"class":"A","properties":{"x":"y"}}"#),
    );
    let archive = there.backup(there.options()).await.result.archive.expect("an archive");
    for (operator, of) in [
        (Operator { tokenizers_off: true, ..Operator::default() }, "B"),
        (Operator { most_collections: Some(1), ..Operator::default() }, "B"),
    ] {
        let world = world(Sandbox::builder());
        world.sandbox.operate(operator);
        let options = world.restore_options(std::path::Path::new(&archive));
        let prepared = world.restore_plan(options.clone()).await.expect("a plan");
        let writer = Writer::new(world.client(Events::none()));
        let error = restore::rehearse(&writer, &world.session(Events::none()), prepared.clone()).await.expect_err("no");
        let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
        assert_eq!(refusals.len(), 1, "{refusals:?}");
        assert_eq!(refusals[0].collection(), Some(&name(of)));
        assert!(matches!(&refusals[0], restore::RestoreRefusal::Unmakeable { why: Unmakeable::Refused { .. }, .. }));
        assert!(world.sandbox.collections().is_empty() && journals(&world) == 0);
        // Without one, what was made is removed again.
        let (done, _) = world.run_plan(prepared).await;
        let stopped = done.expect_err("refused");
        assert!(matches!(stopped.error, Error::CannotRestore { .. }), "{:?}", stopped.error);
        assert_eq!((stopped.undone, stopped.created), (vec![name("A")], vec![]));
        assert!(world.sandbox.collections().is_empty());
        // And nothing is in the way of the next try.
        world.sandbox.operate(Operator::default());
        let (done, _) = world.run_plan(world.restore_plan(options).await.expect("a plan")).await;
        assert_eq!(done.expect("restored").result.objects, 1);
    }
}

#[tokio::test]
async fn no_vectoriser_is_called_that_the_document_does_not_name() {
    let world = world(Sandbox::builder());
    world.sandbox.operate(Operator { default_vectorizer: Some("text2vec-openai"), ..Operator::default() });
    let schema = elysiactl::model::Schema::parse(r#"{"class":"A"}"#.as_bytes().to_vec().into()).expect("a schema");
    let options =
        create::CreationOptions { schema, name: None, tenants: Vec::new(), state: world.state(), rehearse: true };
    let (client, session) = (world.client(Events::none()), world.session(Events::none()));
    let prepared = create::plan(&client, &session, options).await.expect("a plan");
    let writer = Writer::new(client.clone());
    let prepared = create::rehearse(&writer, &session, prepared).await.expect("rehearsed");
    assert_eq!(prepared.plan.rehearsed, Rehearsed::Done);
    create::run(&writer, &session, prepared).await.expect("created");
    let made = client.schema(&name("A")).await.expect("an answer").expect("there");
    assert!(String::from_utf8_lossy(&made.text).contains(r#""vectorizer":"none""#));
}

/// A class document as the server shows it.
async fn document(world: &World, collection: &str) -> Value {
    let client = world.client(Events::none());
    let schema = client.schema(&name(collection)).await.expect("an answer").expect("a collection");
    serde_json::from_slice(&schema.text).expect("JSON")
}

#[tokio::test]
async fn a_collection_that_was_made_again_by_half_is_made_whole_by_the_next_run() {
    // Both take a second request, which fails.
    let mixed = r#"{"class":"Article","vectorizer":"none","vectorIndexType":"hnsw","vectorConfig":{"v":{"vectorizer":{"none":{}},"vectorIndexType":"hnsw"}}}"#;
    let source = Sandbox::builder().collection(r#"{"class":"Article","vectorizer":"none","vectorIndexType":"hnsw"}"#);
    let named = world(source.object(r#"{"class":"Article","properties":{"t":"x"},"vector":[1,2]}"#));
    let put = reqwest::Client::new().put(format!("{}/v1/schema/Article", named.sandbox.url()));
    let put = put.header("content-type", "application/json").body(mixed).send().await.expect("an answer");
    assert!(put.status().is_success(), "{:?}", put.text().await);
    let unnamed = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
    for (world, operator) in
        [(named, Operator::default()), (unnamed, Operator { rq_by_default: true, ..Operator::default() })]
    {
        let before = document(&world, "Article").await;
        world.sandbox.operate(operator);
        let plan = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect("a plan");
        world.sandbox.faults().add(Fault::new(Kind::status(500, "disk")).on("PUT", "/v1/schema/Article"));
        let writer = Writer::new(world.client(Events::none()));
        let stopped = clear::run(&writer, &world.session(Events::none()), plan).await.expect_err("half made");
        assert!(stopped.dropped.is_some() && stopped.class() == Class::Server, "{:?}", stopped.error);
        world.sandbox.faults().clear();
        assert_ne!(document(&world, "Article").await, before);
        let plan = rehearsed(&world, options(&world, &["Article"], Wish::Auto)).await.expect("a plan");
        assert!(plan.collections[0].unfinished.is_some(), "it is what the run left");
        let run = clear::run(&writer, &world.session(Events::none()), plan).await.expect("done");
        assert_eq!((run.result.status, world.sandbox.count("Article", None)), (Status::Ok, 0), "{:?}", run.remarks);
        let after = document(&world, "Article").await;
        for key in ["vectorConfig", "vectorIndexConfig", "vectorIndexType", "properties"] {
            assert_eq!(after[key], before[key], "{key}");
        }
        // Nothing is left of it: what is there now is nobody's leftover.
        let plan = rehearsed(&world, options(&world, &["Article"], Wish::Auto)).await.expect("a plan");
        assert!(plan.collections[0].unfinished.is_none());
    }
}

#[tokio::test]
async fn a_limiter_in_between_says_nothing_about_the_collection() {
    // It is asked until the retries of the run are used up.
    let policy = RetryPolicy { budget_floor: 20, ..QUICK };
    let world = World { policy, ..world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4)) };
    world.sandbox.faults().add(Fault::new(Kind::status(429, "slow down")).on("POST", "/v1/schema"));
    let error = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect_err("no answer");
    assert!(matches!(error, Error::Wire(_)) && error.class() == Class::Server, "{error:?}");
    assert_eq!(world.sandbox.collections(), ["Article"]);
}

#[tokio::test]
async fn where_there_is_no_room_for_one_more_collection_it_is_said_that_it_cannot_be_tried() {
    let world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
    world.sandbox.operate(Operator { most_collections: Some(1), ..Operator::default() });
    let error = rehearsed(&world, options(&world, &["Article"], Wish::Recreate)).await.expect_err("refused");
    let text = error.to_string();
    assert!(text.contains("Article cannot be tried under a scratch name") && !text.contains("again"), "{text}");
}

#[tokio::test]
async fn a_collection_that_moves_after_another_was_emptied_is_no_mere_refusal() {
    let world = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4).seeded("Book", OBJECTS, 3, 5));
    let plan = rehearsed(&world, options(&world, &["Article", "Book"], Wish::Recreate)).await.expect("a plan");
    let write = Change::Write(r#"{"class":"Book","properties":{"title":"late"},"vector":[1,2,3]}"#.into());
    world.sandbox.faults().add(Fault::new(Kind::Change(write)).on("DELETE", "/v1/schema/Article").nth(1));
    let writer = Writer::new(world.client(Events::none()));
    let stopped = clear::run(&writer, &world.session(Events::none()), plan).await.expect_err("it moved");
    assert!(matches!(stopped.error, Error::NotAsPlanned { .. }), "{:?}", stopped.error);
    assert_eq!((stopped.done.as_slice(), stopped.class()), ([name("Article")].as_slice(), Class::Server));
    assert_eq!(world.sandbox.count("Book", None), OBJECTS + 1);
}
