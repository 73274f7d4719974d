//! `col rm`: what is named is gone, its schema is saved, and nothing else is touched, whatever happens on the way.

use std::time::Duration;

use elysiactl::archive::{Archive, catalog};
use elysiactl::event::{Class, Event, Events, Status, Warning};
use elysiactl::model::Selection;
use elysiactl::ops::remove::{self, RemovalOptions, RemovalOutcome, RemovalPlan, RemovalStopped};
use elysiactl::ops::{Error, Hint, PlanChange};
use elysiactl::weaviate::{Count, Writer};
use sandbox::{Builder, Change, Fault, Kind, Role, Sandbox};

use crate::support::world::{World, world};

const VERSIONS: [&str; 5] = ["1.24", "1.28", "1.32", "1.39", "1.40"];

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", 300, 3, 4)
}

fn options(world: &World, take: &[&str]) -> RemovalOptions {
    RemovalOptions {
        selection: Selection { take: take.iter().map(|t| (*t).to_owned()).collect(), exclude: Vec::new() },
        allow_protected: false,
        folder: world.options().folder,
        locks: world.folder.path().join("state/locks"),
        patience: Duration::from_millis(700),
    }
}

async fn try_plan(world: &World, options: RemovalOptions) -> Result<RemovalPlan, Error> {
    let events = Events::none();
    remove::plan(&world.client(events.clone()), &world.session(events), options).await
}

async fn plan(world: &World, take: &[&str]) -> RemovalPlan {
    try_plan(world, options(world, take)).await.unwrap_or_else(|e| panic!("no plan: {e:?}"))
}

async fn run(world: &World, plan: RemovalPlan) -> Result<RemovalOutcome, RemovalStopped> {
    let events = Events::none();
    remove::run(&Writer::new(world.client(events.clone())), &world.session(events), plan).await
}

async fn removed(world: &World, take: &[&str]) -> RemovalOutcome {
    let plan = plan(world, take).await;
    run(world, plan).await.unwrap_or_else(|stopped| panic!("it stopped: {:?}", stopped.error))
}

/// What is sent to drop something.
fn drops(world: &World) -> Vec<String> {
    let all = world.sandbox.requests().into_iter();
    all.filter(|seen| seen.method == "DELETE" && seen.path.starts_with("/v1/schema/")).map(|seen| seen.path).collect()
}

fn on_drop(kind: Kind) -> Fault {
    Fault::new(kind).on("DELETE", "/v1/schema/")
}

#[tokio::test]
async fn a_collection_is_gone_and_its_schema_is_kept_byte_for_byte() {
    for version in VERSIONS {
        let world = world(articles().version(version).seeded("Chat", 7, 3, 5));
        let shown = world.client(Events::none()).schema(&"Article".parse().expect("a name")).await;
        let shown = shown.expect("an answer").expect("a schema").text;
        let outcome = removed(&world, &["Article"]).await;
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 300), "{version}");
        assert_eq!(world.sandbox.collections(), ["Chat"], "{version}");
        assert_eq!((world.sandbox.count("Chat", None), drops(&world)), (7, vec!["/v1/schema/Article".to_owned()]));
        assert_eq!(world.sandbox.writing_requests(), 1, "{version}");
        let [(_, saved)] = outcome.saved.as_slice() else { panic!("{:?}", outcome.saved) };
        assert_eq!(std::fs::read(&saved.schema).expect("a file"), shown, "{version}");
        assert_eq!(outcome.result.collections[0].schema_saved, Some(saved.schema.display().to_string()));
        assert!(saved.archive.starts_with(world.options().folder.join(".safety")));
        world.check(&saved.archive).await.expect("a sound archive");
        let latest =
            catalog::latest(&*world.disk, &world.options().folder, None, elysiactl::archive::Content::SchemaOnly)
                .expect("a folder");
        assert_eq!(latest, None, "a safety copy is no backup");
    }
}

#[tokio::test]
async fn the_plan_knows_what_is_there_and_what_hangs_on_it() {
    let referring = |class: &str, more: &str| {
        let property = r#"{"name":"to","dataType":["Article"]}"#;
        format!(r#"{{"class":"{class}","vectorizer":"none","properties":[{property}{more}]}}"#)
    };
    let world = world(
        Sandbox::builder()
            .collection(r#"{"class":"Article","vectorizer":"none"}"#)
            .collection(&referring("B", r#",{"name":"b","dataType":["B"]}"#))
            .collection(&referring("C", ""))
            .object(r#"{"class":"Article","properties":{}}"#),
    );
    alias(&world, "Now", "Article").await;
    let archive = world.backup(world.options()).await.result.archive.expect("an archive");
    world.sandbox.clear_requests();
    let plan = plan(&world, &["Article", "C"]).await;
    assert_eq!(world.sandbox.writing_requests(), 0);
    let article = &plan.collections[0].standing;
    assert_eq!((article.objects.clone(), plan.objects()), (Count::Exact(1), Some(1)));
    let from: Vec<_> = article.referenced_by.iter().map(|(from, property)| format!("{from}.{property}")).collect();
    assert_eq!(from, ["B.to"], "C goes too");
    assert_eq!(article.aliases, ["Now"]);
    assert_eq!(article.held_in.as_ref().map(|held| held.path.display().to_string()), Some(archive));
}

async fn alias(world: &World, alias: &str, class: &str) {
    let body = format!(r#"{{"alias":"{alias}","class":"{class}"}}"#);
    let sent = reqwest::Client::new().post(format!("{}/v1/aliases", world.sandbox.url()));
    let sent = sent.header("content-type", "application/json").body(body).send().await.expect("an answer");
    assert!(sent.status().is_success());
}

#[tokio::test]
async fn an_archive_of_another_server_or_without_objects_holds_nothing() {
    let world = world(articles());
    let schema_only = elysiactl::archive::Content::SchemaOnly;
    world.backup(elysiactl::ops::backup::BackupOptions { content: schema_only, ..world.options() }).await;
    assert_eq!(plan(&world, &["Article"]).await.collections[0].standing.held_in, None);
    let other = crate::support::world::world(articles());
    other.backup(elysiactl::ops::backup::BackupOptions { folder: world.options().folder, ..other.options() }).await;
    assert_eq!(plan(&world, &["Article"]).await.collections[0].standing.held_in, None);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_and_nothing_is_sent() {
    let world = world(articles().seeded("ELYSIA_Config", 1, 2, 3).seeded("Chat_system", 1, 2, 3));
    alias(&world, "Now", "Article").await;
    world.sandbox.clear_requests();
    for (name, words) in [
        ("Now", "there is no collection \"Now\""),
        ("ARTICLE", "there is no collection \"ARTICLE\""),
        ("Nothing", "there is no collection"),
        ("Z*", "no collection matches"),
        ("ELYSIA_Config", "protected: ELYSIA_Config"),
        ("*", "protected: Chat_system, ELYSIA_Config"),
    ] {
        let error = try_plan(&world, options(&world, &[name])).await.expect_err("refused");
        assert_eq!(error.class(), Class::Refused, "{name}: {error:?}");
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
    let protected = try_plan(&world, options(&world, &["*"])).await.expect_err("refused");
    assert!(matches!(&protected, Error::Protected { names } if names.len() == 2), "{protected:?}");
    assert_eq!(protected.hints(), [Hint::AllowProtected]);
    let alias = try_plan(&world, options(&world, &["Now"])).await.expect_err("refused");
    assert!(matches!(alias, Error::UnknownCollection { alias_of: Some(of), .. } if of.as_str() == "Article"));
    assert_eq!(world.sandbox.writing_requests(), 0);
    let all = RemovalOptions { allow_protected: true, ..options(&world, &["*_system", "ELYSIA*"]) };
    let plan = try_plan(&world, all).await.expect("a plan");
    run(&world, plan).await.expect("removed");
    assert_eq!(world.sandbox.collections(), ["Article"]);
}

#[tokio::test]
async fn a_drop_whose_answer_is_lost_is_seen_to_be_done_and_is_not_sent_again() {
    for kind in [
        Kind::AppliedThen { status: 504, body: "gateway timeout".into() },
        Kind::ResetAfter,
        Kind::LandsLate(Duration::from_millis(250)),
    ] {
        let world = world(articles());
        world.sandbox.faults().add(on_drop(kind.clone()));
        let outcome = removed(&world, &["Article"]).await;
        assert_eq!(outcome.result.status, Status::Ok, "{kind:?}");
        assert!(world.sandbox.collections().is_empty() && drops(&world).len() == 1, "{kind:?}: {:?}", drops(&world));
    }
}

#[tokio::test]
async fn a_drop_that_is_never_carried_out_is_an_error_and_the_schema_is_saved() {
    for kind in [Kind::status(504, "gateway timeout"), Kind::ResetBefore, Kind::status(200, "")] {
        let world = world(articles());
        world.sandbox.faults().add(on_drop(kind.clone()));
        let plan = plan(&world, &["Article"]).await;
        let stopped = run(&world, plan).await.expect_err("still there");
        assert!(matches!(stopped.error, Error::NotDropped { .. }), "{kind:?}: {:?}", stopped.error);
        assert_eq!(stopped.error.class(), Class::Server, "{kind:?}");
        assert!(stopped.removed.is_empty() && stopped.left.len() == 1);
        assert!(stopped.saved.is_some_and(|saved| saved.schema.is_file()), "{kind:?}");
        assert_eq!((world.sandbox.count("Article", None), drops(&world).len()), (300, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn a_collection_that_a_writer_brings_back_is_said() {
    let object = r#"{"class":"Article","properties":{"title":"again"}}"#.to_owned();
    for version in VERSIONS {
        let world = world(articles().version(version));
        world.sandbox.faults().now(&Change::WriterThroughDrop("Article".into(), vec![object.clone()]));
        let outcome = removed(&world, &["Article"]).await;
        assert_eq!(outcome.result.status, Status::Incomplete, "{version}");
        assert_eq!(outcome.back.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Article"], "{version}");
        assert_eq!((world.sandbox.count("Article", None), drops(&world).len()), (1, 1), "{version}");
    }
    // Some time after it was seen to be gone.
    let world = world(articles());
    let before = plan(&world, &["Article"]).await;
    world.sandbox.clear_requests();
    run(&world, before).await.expect("removed");
    let asked = world.sandbox.requests().len() as u64;
    let world = crate::support::world::world(articles());
    let plan = plan(&world, &["Article"]).await;
    world.sandbox.faults().in_requests(asked, Change::Write(object));
    assert_eq!(run(&world, plan).await.expect("removed").back.len(), 1);
}

#[tokio::test]
async fn a_key_that_may_read_but_not_delete_removes_nothing() {
    for version in ["1.32", "1.40"] {
        // Where its roles are told, the plan refuses (`may_not`).
        let untold = Fault::new(Kind::status(404, "no")).on("GET", "/v1/users/own-info");
        let mut world = world(articles().version(version).key("canary-read", "reader", Role::Viewer).fault(untold));
        world.key = Some("canary-read");
        let plan = plan(&world, &["Article"]).await;
        let stopped = run(&world, plan).await.expect_err("refused");
        assert_eq!(stopped.error.class(), Class::Server, "{:?}", stopped.error);
        let source = std::error::Error::source(&stopped.error).expect("a cause").to_string();
        assert!(source.contains("not allowed") && source.contains("delete_collections"), "{source}");
        assert_eq!((world.sandbox.count("Article", None), stopped.removed.len()), (300, 0));
    }
}

#[tokio::test]
async fn with_a_node_away_nothing_is_removed() {
    let three = |factor: u32| {
        let document =
            format!(r#"{{"class":"Article","vectorizer":"none","replicationConfig":{{"factor":{factor}}}}}"#);
        Sandbox::builder().nodes(3).collection(&document)
    };
    for factor in [1, 3] {
        let world = world(three(factor));
        let before = plan(&world, &["Article"]).await;
        world.sandbox.faults().node_down("node3");
        let error = try_plan(&world, options(&world, &["Article"])).await.expect_err("refused");
        assert!(matches!(error, Error::NotWhole { .. }), "{error:?}");
        let stopped = run(&world, before).await.expect_err("went away after the plan");
        assert!(matches!(stopped.error, Error::NotWhole { .. }), "{:?}", stopped.error);
        assert_eq!(world.sandbox.writing_requests(), 0, "factor {factor}");
    }
}

#[tokio::test]
async fn what_is_being_written_to_is_not_removed() {
    let write = || Change::Write(r#"{"class":"Article","properties":{"title":"new"},"vector":[1,2,3]}"#.into());
    let world = world(articles());
    // Between the two counts of a plan.
    world.sandbox.faults().add(Fault::new(Kind::Change(write())).on("POST", "/v1/graphql").nth(2));
    let error = try_plan(&world, options(&world, &["Article"])).await.expect_err("refused");
    assert!(matches!(error, Error::BeingWritten { before: 300, after: 301, .. }), "{error:?}");
    assert_eq!(error.class(), Class::Refused);
    // After it: nobody was asked for a number, as with --yes.
    let before = plan(&world, &["Article"]).await;
    world.sandbox.faults().now(&write());
    let stopped = run(&world, before).await.expect_err("refused");
    assert!(matches!(stopped.error, Error::BeingWritten { before: 301, after: 302, .. }), "{:?}", stopped.error);
    assert_eq!((world.sandbox.writing_requests(), world.sandbox.collections()), (0, vec!["Article".to_owned()]));
}

#[tokio::test]
async fn what_changed_since_it_was_agreed_is_not_removed() {
    let write = Change::Write(r#"{"class":"Article","properties":{"title":"new"},"vector":[1,2,3]}"#.into());
    let world = world(articles());
    let mut before = plan(&world, &["Article"]).await;
    world.sandbox.faults().now(&write);
    before.collections[0].agreed = Some(300);
    let stopped = run(&world, before.clone()).await.expect_err("moved");
    assert!(matches!(stopped.error, Error::Moved { was: 300, now: Some(301), .. }), "{:?}", stopped.error);
    assert_eq!((stopped.error.class(), world.sandbox.writing_requests()), (Class::Refused, 0));
    // It went away, or another one took its place.
    world.sandbox.faults().now(&Change::Drop("Article".into()));
    let stopped = run(&world, before.clone()).await.expect_err("gone");
    assert!(matches!(stopped.error, Error::Vanished { .. }), "{:?}", stopped.error);
    world.sandbox.faults().now(&write);
    before.collections[0].agreed = None;
    let stopped = run(&world, before).await.expect_err("another one");
    assert!(matches!(stopped.error, Error::Recreated { .. }), "{:?}", stopped.error);
    assert_eq!(world.sandbox.writing_requests(), 0);
    // What stands still goes.
    assert_eq!(removed(&world, &["Article"]).await.result.objects, 1);
}

#[tokio::test]
async fn of_several_the_first_that_fails_stops_the_rest() {
    let world = world(articles().seeded("Book", 5, 2, 1).seeded("Chat", 7, 2, 1));
    alias(&world, "Now", "Article").await;
    alias(&world, "Read", "Book").await;
    world
        .sandbox
        .faults()
        .add(Fault::new(Kind::status(422, r#"{"error":[{"message":"no"}]}"#)).on("DELETE", "/v1/schema/Book"));
    let plan = plan(&world, &["*"]).await;
    let stopped = run(&world, plan).await.expect_err("refused");
    assert_eq!(stopped.error.class(), Class::Refused, "{:?}", stopped.error);
    let names =
        |names: Vec<&elysiactl::model::CollectionName>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(stopped.removed.iter().map(|(name, _)| name).collect()), ["Article"]);
    assert_eq!(names(stopped.left.iter().collect()), ["Book", "Chat"]);
    assert_eq!(stopped.dangling.iter().map(|(alias, of)| format!("{alias} {of}")).collect::<Vec<_>>(), ["Now Article"]);
    assert_eq!(stopped.partial.expect("a result").collections.len(), 1);
    assert_eq!(world.sandbox.collections(), ["Book", "Chat"]);
}

#[tokio::test]
async fn tenants_are_counted_where_awake_and_saved_with_their_states() {
    for version in ["1.24", "1.40"] {
        let world = world(
            Sandbox::builder()
                .version(version)
                .collection(r#"{"class":"Mt","vectorizer":"none","multiTenancyConfig":{"enabled":true}}"#),
        );
        let path = format!("{}/v1/schema/Mt/tenants", world.sandbox.url());
        let tenants: Vec<String> = (0..250)
            .map(|n| format!(r#"{{"name":"t{n}","activityStatus":"{}"}}"#, if n == 7 { "COLD" } else { "HOT" }))
            .collect();
        let body = format!("[{}]", tenants.join(","));
        let sent = reqwest::Client::new().post(path).header("content-type", "application/json").body(body).send().await;
        assert!(sent.expect("an answer").status().is_success());
        for n in [1, 249] {
            world
                .sandbox
                .faults()
                .now(&Change::Write(format!(r#"{{"class":"Mt","tenant":"t{n}","properties":{{}}}}"#)));
        }
        world.sandbox.clear_requests();
        let plan = plan(&world, &["Mt"]).await;
        let standing = &plan.collections[0].standing;
        assert_eq!(
            (standing.objects.clone(), standing.inactive(), plan.objects()),
            (Count::Exact(2), 1, None),
            "{version}"
        );
        let outcome = run(&world, plan).await.expect("removed");
        assert_eq!(outcome.result.collections[0].tenants, 250);
        let file = outcome.saved[0].1.tenants.clone().expect("a list of tenants");
        let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON");
        let cold = |t: &&serde_json::Value| t["activityStatus"] == "COLD";
        assert_eq!(
            saved.as_array().map(|all| (all.len(), all.iter().filter(cold).count())),
            Some((250, 1)),
            "{version}"
        );
        assert!(Archive::open(&world.disk, &outcome.saved[0].1.archive).is_ok(), "{version}");
        assert_eq!(world.sandbox.writing_requests(), 1, "{version}");
    }
}

#[tokio::test]
async fn without_a_saved_schema_nothing_is_dropped() {
    let world = world(articles());
    std::fs::create_dir_all(world.options().folder).expect("a folder");
    std::fs::write(world.options().folder.join(".safety"), "a file").expect("a file");
    let plan = plan(&world, &["Article"]).await;
    let stopped = run(&world, plan).await.expect_err("no place");
    assert_eq!((stopped.error.class(), stopped.saved), (Class::Disk, None));
    assert_eq!(world.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn two_runs_do_not_touch_the_same_collection() {
    let world = world(articles());
    let plan = plan(&world, &["Article"]).await;
    let held = world.held_by_another_run("ARTICLE");
    let stopped = run(&world, plan.clone()).await.expect_err("held");
    let refused = try_plan(&world, options(&world, &["Article"])).await.expect_err("held");
    for error in [stopped.error, refused] {
        assert_eq!((error.class(), world.sandbox.writing_requests()), (Class::Locked, 0));
        let said = error.to_string();
        assert!(said.contains("ARTICLE") && said.contains("process 4711, started 2026-01-02 03:04:05Z"), "{said}");
    }
    drop(held);
    run(&world, plan).await.expect("removed");
}

#[tokio::test]
async fn told_to_stop_it_drops_nothing_more() {
    let world = world(articles().seeded("Book", 5, 2, 1));
    let plan = plan(&world, &["*"]).await;
    world.cancel.cancel();
    let stopped = run(&world, plan).await.expect_err("interrupted");
    assert_eq!((stopped.error.class(), world.sandbox.writing_requests()), (Class::Interrupted, 0));
    assert_eq!(stopped.left.len(), 2);
}

#[tokio::test]
async fn where_counting_is_closed_the_number_is_not_known_and_it_is_said() {
    let world = world(articles());
    world.sandbox.faults().add(Fault::new(Kind::status(403, "")).on("POST", "/v1/graphql"));
    world.sandbox.faults().add(Fault::new(Kind::status(403, "")).on("DELETE", "/v1/batch/objects"));
    let (events, mut receiver) = Events::channel();
    let planned =
        remove::plan(&world.client(events.clone()), &world.session(events), options(&world, &["Article"])).await;
    assert_eq!(planned.expect("a plan").objects(), None);
    let told = std::iter::from_fn(|| receiver.try_recv());
    let told: Vec<Event> = told.filter(|e| matches!(e, Event::Warning(Warning::CountUnchecked { .. }))).collect();
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn one_that_was_made_anew_or_written_to_after_the_plan_is_not_removed() {
    let tenants = Sandbox::builder().seeded("Article", 5, 3, 4).in_tenants(2);
    for (builder, tenant) in [(tenants, Some("t000000")), (articles(), None)] {
        let world = world(builder);
        for tenant in ["t000000", "t000001"].into_iter().filter(|_| tenant.is_some()) {
            world.sandbox.faults().now(&Change::Tenant("Article".into(), tenant.into(), Some("HOT")));
        }
        crate::rm::held::backed_up_before_now(&world).await;
        let plan = plan(&world, &["Article"]).await;
        let held = plan.collections[0].standing.held_in.as_ref().map(|held| held.covers.clone());
        assert_eq!(held, Some(elysiactl::event::Covers::Everything));
        let objects = world.sandbox.objects("Article", tenant);
        for state in [None, Some("HOT")].into_iter().filter(|_| tenant.is_some()) {
            world.sandbox.faults().now(&Change::Tenant("Article".into(), "t000000".into(), state));
        }
        let written = if tenant.is_some() { &objects[..] } else { &objects[..1] };
        for object in written {
            let mut object: serde_json::Value = serde_json::from_str(object).expect("an object");
            if let Some(tenant) = tenant {
                object["tenant"] = tenant.into();
            }
            world.sandbox.faults().now(&Change::Write(object.to_string()));
        }
        world.sandbox.clear_requests();
        let stopped = run(&world, plan).await.expect_err("refused");
        assert_eq!((stopped.error.class(), world.sandbox.writing_requests()), (Class::Refused, 0));
        let is_told = match &stopped.error {
            Error::TenantRecreated { tenant: anew, .. } => tenant == Some(anew.as_str()),
            Error::NotAsPlanned { what: PlanChange::WrittenSinceHeld { .. }, .. } => tenant.is_none(),
            _ => false,
        };
        assert!(is_told, "{:?}", stopped.error);
        assert_eq!(world.sandbox.collections(), ["Article"]);
    }
}

#[tokio::test]
async fn what_came_with_a_tenant_that_sleeps_since_the_plan_is_not_removed() {
    let world = world(Sandbox::builder().seeded("Article", 5, 3, 4).in_tenants(2));
    for (tenant, status) in [("t000000", "HOT"), ("t000001", "HOT")] {
        world.sandbox.faults().now(&Change::Tenant("Article".into(), tenant.into(), Some(status)));
    }
    let objects = world.sandbox.objects("Article", Some("t000000"));
    let plan = plan(&world, &["Article"]).await;
    world.sandbox.faults().now(&Change::Tenant("Article".into(), "new".into(), Some("HOT")));
    for object in objects {
        let mut object: serde_json::Value = serde_json::from_str(&object).expect("an object");
        object["tenant"] = "new".into();
        world.sandbox.faults().now(&Change::Write(object.to_string()));
    }
    world.sandbox.faults().now(&Change::Tenant("Article".into(), "new".into(), Some("COLD")));
    world.sandbox.clear_requests();
    let events = Events::none();
    let (client, session) = (world.client(events.clone()), world.session(events));
    let asked = elysiactl::ops::live_collections::recount(&client, &session, &plan.collections[0].standing, None).await;
    let stopped = run(&world, plan).await.expect_err("refused");
    for error in [asked.expect_err("refused"), stopped.error] {
        assert!(matches!(&error, Error::NotAsPlanned { what: PlanChange::Tenants, .. }), "{error:?}");
        assert_eq!(error.class(), Class::Refused);
    }
    assert_eq!((world.sandbox.writing_requests(), world.sandbox.collections().len()), (0, 1));
}
