//! `col verify` where a comparison could overlook something, or stop for no good reason.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use elysiactl::archive::Content;
use elysiactl::event::{Class, Difference, Event, Op, Status};
use elysiactl::model::Selection;
use elysiactl::ops::verify::{VerifyOptions, VerifyOutcome};
use elysiactl::ops::{Error, SchemaDrift, backup};
use sandbox::{Change, Fault, Kind, PageFault, Sandbox};

use crate::support::world::{World, verify_options, world};
use elysiactl::render::remark;

const OBJECTS: u64 = 600;

fn id(n: u64) -> String {
    format!("00000000-0000-0000-0000-{n:012x}")
}

fn article(n: u64) -> String {
    format!(r#"{{"class":"Article","id":"{}","properties":{{"t":"x"}},"vector":[{n},1,3]}}"#, id(n))
}

/// Small objects with ids from 1.
fn articles(objects: u64) -> sandbox::Builder {
    let document = r#"{"class":"Article","vectorizer":"none","properties":[{"name":"t","dataType":["text"]}]}"#;
    (1..=objects).fold(Sandbox::builder().collection(document), |builder, n| builder.object(&article(n)))
}

async fn archive(world: &World) -> PathBuf {
    backed_up(world, backup::BackupOptions { page_objects: Some(20), jobs: Some(4), ..world.options() }).await
}

async fn backed_up(world: &World, options: backup::BackupOptions) -> PathBuf {
    let archive = world.backup(options).await.result.archive.expect("an archive");
    world.sandbox.clear_requests();
    archive.into()
}

fn remarks(outcome: &VerifyOutcome) -> String {
    let schema = outcome.schema_differences.iter().map(|(about, differs)| (about, differs.clone().into()));
    let all = schema.chain(outcome.remarks.iter().map(|(about, fact)| (about, fact.clone())));
    all.map(|(about, fact)| format!("{about}: {}", remark(Op::Verify, &fact))).collect::<Vec<_>>().join("\n")
}

fn extra(outcome: &VerifyOutcome) -> Option<u64> {
    outcome.result.collections[0].only_right
}

#[tokio::test]
async fn new_objects_behind_the_last_archived_id_are_extra_in_a_sample_too() {
    let world = world(articles(OBJECTS));
    let archive = archive(&world).await;
    for n in OBJECTS + 1..=OBJECTS + 40 {
        world.sandbox.faults().now(&Change::Write(article(n)));
    }
    for sample in [None, Some(1.0)] {
        let outcome = world.verify(VerifyOptions { sample, ..verify_options(&archive) }).await;
        assert_eq!((outcome.result.status, extra(&outcome)), (Status::Incomplete, Some(40)), "{sample:?}");
    }
}

/// Numbers of the requests of a comparison with one worker, from 1: the first page, the last count, the last of all.
async fn course(world: &World, archive: &std::path::Path) -> (u64, u64, u64) {
    world.sandbox.clear_requests();
    world.verify(VerifyOptions { jobs: Some(1), ..verify_options(archive) }).await;
    let seen = world.sandbox.requests();
    let number = |at: Option<usize>| at.expect("such a request") as u64 + 1;
    let page = number(seen.iter().position(|seen| seen.path == "/v1/objects"));
    let count = number(seen.iter().rposition(|seen| seen.path == "/v1/graphql"));
    (page, count, seen.len() as u64)
}

#[tokio::test]
async fn what_is_deleted_behind_the_cursor_is_found_missing_when_the_count_tells() {
    let world = world(articles(OBJECTS));
    let archive = archive(&world).await;
    let (_, count, _) = course(&world, &archive).await;
    for n in 1..=50 {
        world.sandbox.faults().in_requests(count, Change::Delete("Article".into(), None, id(n)));
    }
    let (done, events) = world.try_verify(VerifyOptions { jobs: Some(1), ..verify_options(&archive) }).await;
    let outcome = done.expect("compared");
    let result = &outcome.result.collections[0];
    assert_eq!((outcome.result.status, result.only_left, &result.digest), (Status::Incomplete, Some(50), &None));
    assert!(events.iter().any(|e| matches!(e, Event::PagesDropped { .. })), "it was compared once more");
}

#[tokio::test]
async fn a_count_that_moves_every_time_is_told_and_is_no_agreement() {
    let world = world(articles(OBJECTS));
    let archive = archive(&world).await;
    let (page, count, all) = course(&world, &archive).await;
    let delete = || Change::Delete("Article".into(), None, id(7));
    let faults = world.sandbox.faults();
    faults.in_requests(count, delete());
    // It is back for the second time of reading, and gone again before its count.
    faults.in_requests(all + 1, Change::Write(article(7)));
    faults.in_requests(all + 1 + count - page, delete());
    let (done, events) = world.try_verify(VerifyOptions { jobs: Some(1), ..verify_options(&archive) }).await;
    let outcome = done.expect("compared");
    let result = &outcome.result.collections[0];
    assert_eq!((result.only_left, &result.digest), (Some(0), &None), "{}", remarks(&outcome));
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(remarks(&outcome).contains("count went from 600 to 599 meanwhile"), "{}", remarks(&outcome));
    assert!(events.iter().any(|e| matches!(e, Event::Verified { ok: false, .. })));
}

#[tokio::test]
async fn a_collection_that_is_made_again_while_it_is_compared_is_an_error_and_no_difference() {
    let world = world(articles(OBJECTS));
    let archive = archive(&world).await;
    // Whoever writes next makes it again, by auto-schema.
    let again = Change::All(vec![Change::Drop("Article".into()), Change::Write(article(1))]);
    world.sandbox.faults().add(Fault::new(Kind::Change(again)).on("GET", "/v1/objects").nth(2));
    let (done, events) = world.try_verify(VerifyOptions { jobs: Some(1), ..verify_options(&archive) }).await;
    let error = done.expect_err("another collection");
    let Error::SchemaChanged { collection, what: SchemaDrift::Remade } = &error else { panic!("{error:?}") };
    assert_eq!(collection.as_str(), "Article");
    assert_eq!(error.class(), Class::Server);
    assert!(!events.iter().any(|event| matches!(event, Event::ObjectDiffers { .. })), "{events:?}");
}

#[tokio::test]
async fn an_object_deleted_on_another_replica_is_missing_and_no_failure() {
    let world = world(articles(OBJECTS));
    let archive = archive(&world).await;
    world.sandbox.faults().now(&Change::Delete("Article".into(), None, id(7)));
    let conflict = r#"{"error":[{"message":"repo: object by id: cannot achieve consistency level \"QUORUM\": read repair error: conflict: object has been deleted on another replica"}]}"#;
    let path = format!("/v1/objects/Article/{}", id(7));
    world.sandbox.faults().add(Fault::new(Kind::status(500, conflict)).on("GET", &path));
    let outcome = world.verify(verify_options(&archive)).await;
    let found: Vec<_> = outcome.differences.iter().map(|d| (d.id.to_string(), d.kind)).collect();
    assert_eq!(found, [(id(7), Difference::OnlyLeft)]);
    let asked = world.sandbox.requests().iter().filter(|seen| seen.path == path).count();
    assert_eq!((asked, outcome.result.retries), (1, 0), "it is not asked again");
}

#[tokio::test]
async fn an_object_that_pages_skip_and_that_cannot_be_printed_differs_by_its_vectors() {
    let world = world(articles(OBJECTS));
    let archive = archive(&world).await;
    let at = |n: u64| format!("/v1/objects/Article/{}", id(n));
    world.sandbox.faults().add(Fault::new(Kind::Page(PageFault::Skip)).on("GET", "/v1/objects").query("limit").nth(3));
    world.verify(verify_options(&archive)).await;
    let seen = world.sandbox.requests();
    let skipped = (1..=OBJECTS).find(|n| seen.iter().any(|seen| seen.path == at(*n))).expect("a skipped object");
    // The page is cut around such an object, so the skip would not hit it again: it answers as if it could not be printed.
    let faults = world.sandbox.faults();
    faults.clear();
    faults.now(&Change::Delete("Article".into(), None, id(skipped)));
    let text = format!(r#"{{"class":"Article","id":"{}","properties":{{"t":"x"}}}}"#, id(skipped));
    faults.add(Fault::new(Kind::status(200, "")).on("GET", &at(skipped)).query("include=vector"));
    faults.add(Fault::new(Kind::status(200, &text)).on("GET", &at(skipped)));
    let outcome = world.verify(verify_options(&archive)).await;
    let found: Vec<_> = outcome.differences.iter().map(|d| (d.id.to_string(), d.fields[0].field.as_str())).collect();
    assert_eq!(found, [(id(skipped), "vectors")]);
}

#[tokio::test]
async fn one_job_is_one_request_while_missing_objects_are_asked_for() {
    let world = world(articles(100));
    let archive = archive(&world).await;
    for n in 1..=20 {
        world.sandbox.faults().now(&Change::Delete("Article".into(), None, id(n)));
    }
    let pause = Duration::from_millis(40);
    world.sandbox.faults().add(Fault::new(Kind::Delay(pause)).on("GET", "/v1/objects/Article/"));
    let begun = Instant::now();
    let outcome = world.verify(VerifyOptions { jobs: Some(1), ..verify_options(&archive) }).await;
    assert_eq!(outcome.result.collections[0].only_left, Some(20));
    assert!(begun.elapsed() >= pause * 20, "they were asked for side by side: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_plan_promises_nothing_that_is_not_read() {
    let tenants = r#"{"class":"Rooms","vectorizer":"none","multiTenancyConfig":{"enabled":true}}"#;
    let world = world(articles(300).collection(tenants));
    let archive = backed_up(
        &world,
        backup::BackupOptions { content: Content::Full, selection: only("Article"), ..world.options() },
    )
    .await;
    let schemas = schemas(&world, "Article").await;
    let planned = async |options: VerifyOptions| {
        let (done, events) = world.try_verify(options).await;
        let outcome = done.expect("compared");
        let plan = events.iter().find_map(|event| match event {
            Event::PlanMade { collections } => Some((collections[0].objects, collections[0].bytes.is_some())),
            _ => None,
        });
        (plan.expect("a plan"), outcome)
    };
    assert_eq!(planned(verify_options(&archive)).await.0, (Some(300), true));
    assert_eq!(planned(VerifyOptions { sample: Some(0.1), ..verify_options(&archive) }).await.0, (None, false));
    let to_rooms = VerifyOptions { name: Some("Rooms".parse().expect("a name")), ..verify_options(&archive) };
    let (plan, outcome) = planned(to_rooms).await;
    assert_eq!((plan, outcome.result.status), ((None, false), Status::Incomplete));
    assert!(remarks(&outcome).contains("multi-tenancy is switched"), "{}", remarks(&outcome));
    let outcome = world.verify(verify_options(&schemas)).await;
    assert_eq!((outcome.result.status, outcome.schemas_only), (Status::Ok, true), "{}", remarks(&outcome));
}

fn only(class: &str) -> Selection {
    Selection { take: vec![class.into()], exclude: Vec::new() }
}

async fn schemas(world: &World, class: &str) -> PathBuf {
    let options = backup::BackupOptions { content: Content::SchemaOnly, selection: only(class), ..world.options() };
    let (done, _) = world.try_backup(options).await;
    done.expect("a backup").result.archive.expect("an archive").into()
}

#[tokio::test]
async fn a_schema_alone_that_is_set_in_another_way_does_not_agree() {
    let document = |class: &str, property: &str| {
        format!(
            r#"{{"class":"{class}","vectorizer":"none","properties":[{{"name":"t","dataType":["text"]{property}}}]}}"#
        )
    };
    let builder =
        Sandbox::builder().collection(&document("A", "")).collection(&document("B", r#","tokenization":"field""#));
    let world = world(builder);
    let archive = schemas(&world, "A").await;
    let outcome = world.verify(verify_options(&archive)).await;
    assert_eq!(outcome.result.status, Status::Ok, "{}", remarks(&outcome));
    let outcome =
        world.verify(VerifyOptions { name: Some("B".parse().expect("a name")), ..verify_options(&archive) }).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(remarks(&outcome).contains("B: settings of property t differ: tokenization"), "{}", remarks(&outcome));
}

#[tokio::test]
async fn damage_in_what_stands_beside_the_objects_is_an_error_too() {
    let world = world(articles(30));
    let archive = archive(&world).await;
    for name in ["aliases.json", "SHA256SUMS"] {
        let path = archive.join(name);
        let sound = std::fs::read(&path).expect("a file");
        let mut text = sound.clone();
        text[0] ^= 1;
        std::fs::write(&path, text).expect("written");
        let error = world.try_verify(verify_options(&archive)).await.0.expect_err("damaged");
        assert_eq!(error.class(), Class::Archive, "{name}: {error:?}");
        std::fs::write(&path, sound).expect("written");
    }
}

#[tokio::test]
async fn a_count_that_a_leaving_node_swallows_is_asked_again() {
    let document = r#"{"class":"Article","vectorizer":"none","shardingConfig":{"desiredCount":3}}"#;
    let mut builder = Sandbox::builder().nodes(3).collection(document);
    for n in 1..=90 {
        builder = builder.object(&article(n));
    }
    let world = world(builder);
    let archive = archive(&world).await;
    let (_, last, _) = course(&world, &archive).await;
    let seen = world.sandbox.requests();
    let first = seen.iter().position(|seen| seen.path == "/v1/graphql").expect("a count") as u64 + 1;
    for count in [first, last] {
        let faults = world.sandbox.faults();
        faults.now(&Change::Hang(Duration::from_millis(200)));
        faults.in_requests(count, Change::NodeDown("node3".into()));
        // As many as a count is tried.
        faults.add(
            Fault::new(Kind::status(500, "no node")).on("POST", "/v1/graphql").after(u64::from(count == last)).times(3),
        );
        let options = VerifyOptions { jobs: Some(1), ..verify_options(&archive) };
        let ((done, events), ()) = tokio::join!(world.try_verify(options), async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            world.sandbox.faults().node_up("node3");
        });
        let outcome = done.expect("whole in the end");
        assert_eq!(outcome.result.status, Status::Ok, "{}", remarks(&outcome));
        assert!(events.iter().any(|e| matches!(e, Event::TopologyChanged { whole: false, .. })));
        faults.clear();
    }
}

/// Requests for single objects.
fn single(world: &World) -> usize {
    world.sandbox.requests().iter().filter(|r| r.path.starts_with("/v1/objects/Article/")).count()
}

#[tokio::test]
async fn of_many_missing_objects_a_few_are_asked_for_where_the_counts_prove_the_others() {
    let world = world(articles(OBJECTS));
    let archive = archive(&world).await;
    for n in 1..=OBJECTS - 7 {
        world.sandbox.faults().now(&Change::Delete("Article".into(), None, id(n)));
    }
    let outcome = world.verify(verify_options(&archive)).await;
    assert_eq!(outcome.result.collections[0].only_left, Some(OBJECTS - 7));
    assert!((1..=200).contains(&single(&world)), "each takes two, of at most a hundred: {}", single(&world));
    assert!(!remarks(&outcome).contains("one by one"), "{}", remarks(&outcome));
}

#[tokio::test]
async fn missing_objects_that_the_counts_do_not_prove_are_each_asked_for() {
    let world = world(articles(OBJECTS));
    let archive = archive(&world).await;
    for n in 1..=300 {
        world.sandbox.faults().now(&Change::Delete("Article".into(), None, id(n)));
    }
    // A listing that leaves out what is there, whenever it is asked.
    world.sandbox.faults().add(Fault::new(Kind::Page(PageFault::Skip)).on("GET", "/v1/objects"));
    let outcome = world.verify(verify_options(&archive)).await;
    let collection = &outcome.result.collections[0];
    assert_eq!((collection.only_left, collection.different), (Some(300), Some(0)), "{}", remarks(&outcome));
    assert!(single(&world) >= 600, "{}", single(&world));
}
