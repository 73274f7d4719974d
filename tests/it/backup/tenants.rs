//! `col backup` of multi-tenant collections: every tenant is kept, and afterwards each is as it was.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use elysiactl::archive::{Archive, RunRecord};
use elysiactl::event::{ActivationRefusal, Event, Op, SkipReason, Status, Warning};
use elysiactl::model::{CollectionName, TenantName};
use elysiactl::ops::Error;
use elysiactl::ops::backup::{BackupOptions, BackupOutcome};
use elysiactl::pipeline::activation::{ACTIVE_AT_ONCE, TENANTS_A_WINDOW};
use sandbox::{Builder, Change, Fault, Kind, Role, Sandbox};

use crate::support::world::{World, world};

pub(crate) const CLASS: &str = r#"{"class":"Mt","multiTenancyConfig":{"enabled":true},
    "properties":[{"name":"title","dataType":["text"]}]}"#;

pub(crate) fn id(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

fn mt() -> CollectionName {
    "Mt".parse().expect("a name")
}

/// What a run writes down before it activates tenants.
pub(crate) fn activated(tenants: &[&str]) -> RunRecord {
    RunRecord::Activating { target: mt(), tenants: named(tenants), firsts: BTreeMap::new() }
}

/// Whether it is the question for the first object of a tenant that was activated, by which it is known again.
pub(crate) fn is_look(query: &str) -> bool {
    query.contains("&limit=1&after=&tenant=")
}

/// Objects of the same ids in each of these tenants.
pub(crate) fn tenants(mut builder: Builder, tenants: &[(&str, &'static str)], objects: usize) -> Builder {
    for (name, status) in tenants {
        builder = builder.tenant("Mt", name, status);
        for number in 0..objects {
            let id = id(number);
            builder = builder.object(&format!(
                r#"{{"class":"Mt","tenant":"{name}","id":"{id}","properties":{{"title":"{name} {number}"}},"vector":[{number},1]}}"#
            ));
        }
    }
    builder
}

pub(crate) fn named(names: &[&str]) -> Vec<TenantName> {
    names.iter().map(|name| name.parse().expect("a name")).collect()
}

pub(crate) fn archive_of(outcome: &BackupOutcome) -> PathBuf {
    PathBuf::from(outcome.result.archive.clone().expect("an archive"))
}

/// Every tenant of the archive holds what the server's holds, text by text.
pub(crate) async fn equals(world: &World, archive: &std::path::Path, expected: &[&str]) {
    world.check(archive).await.expect("a sound archive");
    let mut stored: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut out = Vec::new();
    elysiactl::ops::cat::run(&world.disk, archive, Some("Mt"), 128 << 20, &mut out).expect("lines");
    for line in String::from_utf8(out).expect("text").lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("an object");
        let text = |member: &str| object[member].as_str().expect("a text").to_owned();
        let plain = line.replacen(&format!("\"tenant\":\"{}\",", text("tenant")), "", 1);
        let before = stored.entry(text("tenant")).or_default().insert(text("id"), plain);
        assert_eq!(before, None, "an object comes twice");
    }
    let opened = Archive::open(&world.disk, archive).expect("an archive");
    let entry = opened.collections().iter().find(|c| c.name == "Mt").expect("the collection");
    let names: Vec<&str> = entry.tenants.iter().filter_map(|t| t.tenant.as_deref()).collect();
    assert_eq!(names, expected);
    for name in names {
        let live = world.sandbox.objects("Mt", Some(name));
        let kept: Vec<String> = stored.remove(name).unwrap_or_default().into_values().collect();
        assert_eq!(kept, live, "tenant {name}");
    }
    assert!(stored.is_empty());
}

/// Names and states in the archive's list of tenants.
fn listed(world: &World, archive: &std::path::Path) -> Vec<(String, String)> {
    let opened = Archive::open(&world.disk, archive).expect("an archive");
    let text = opened.document("collections/Mt/tenants.json").expect("proven").expect("a list");
    let list: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    list.iter().map(|tenant| (text(&tenant["name"]), text(&tenant["activityStatus"]))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test]
async fn every_tenant_is_kept_and_those_asleep_sleep_again() {
    let all = [("awake", "HOT"), ("empty", "HOT"), ("night", "COLD"), ("other", "HOT"), ("sleepy", "COLD")];
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 25));
    let (done, events) = world.try_backup(world.options()).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 125));
    assert_eq!(outcome.result.collections[0].tenants, 5);
    let archive = archive_of(&outcome);
    equals(&world, &archive, &["awake", "empty", "night", "other", "sleepy"]).await;
    assert_eq!(listed(&world, &archive), pairs(&all));
    assert_eq!(world.sandbox.tenants("Mt"), all.map(|(name, state)| (name.to_owned(), state)));
    assert_eq!(world.sandbox.most_activated(), 2);
    let started = events.iter().filter(|e| matches!(e, Event::TenantStarted { .. })).count();
    assert_eq!(started, 5);
    let files: Vec<_> = std::fs::read_dir(archive.join("collections/Mt")).expect("a folder").collect();
    assert!(files.len() <= 3 + 8, "small tenants share parts");
}

#[tokio::test]
async fn nobody_is_woken_and_nothing_written_down_where_all_are_awake() {
    let world = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 3));
    let outcome = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!(outcome.result.status, Status::Ok);
    assert_eq!(world.sandbox.writing_requests(), 0);
    assert!(!world.state().runs.exists());
}

#[tokio::test]
async fn a_plan_wakes_nobody() {
    let auto = CLASS.replace("true}", "true,\"autoTenantActivation\":true}");
    let world = world(tenants(Sandbox::builder().collection(&auto), &[("a", "HOT"), ("b", "COLD")], 3));
    let (events, _receiver) = elysiactl::event::Events::channel();
    let (client, session) = (world.client(events.clone()), world.session(events));
    let plan = elysiactl::ops::backup::plan(&client, &session, world.options()).await.expect("a plan");
    let planned = &plan.collections[0];
    assert_eq!(planned.tenants.map(|t| (t.active, t.inactive, t.out_of_reach)), Some((1, 1, 0)));
    assert_eq!(planned.objects, None, "nobody knows without waking");
    assert_eq!(world.sandbox.tenants("Mt")[1].1, "COLD");
    assert_eq!(world.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_class_that_wakes_tenants_by_itself_has_them_asleep_afterwards() {
    let auto = CLASS.replace("true}", "true,\"autoTenantActivation\":true}");
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "COLD")];
    let world = world(tenants(Sandbox::builder().collection(&auto), &all, 3));
    let outcome = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 9));
    assert_eq!(world.sandbox.tenants("Mt"), all.map(|(name, state)| (name.to_owned(), state)));
}

#[tokio::test]
async fn many_small_tenants_are_read_with_one_page_each_and_few_awake() {
    let names: Vec<String> = (0..300).map(|n| format!("t{n:03}")).collect();
    let all: Vec<(&str, &'static str)> =
        names.iter().enumerate().map(|(n, name)| (name.as_str(), if n % 3 == 0 { "COLD" } else { "HOT" })).collect();
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 4));
    let outcome = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 1_200));
    equals(&world, &archive_of(&outcome), &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let most = world.sandbox.most_activated();
    assert!(most <= ACTIVE_AT_ONCE, "{most} awake at once");
    let inactive = world.sandbox.tenants("Mt").iter().filter(|(_, state)| *state == "COLD").count();
    assert_eq!(inactive, 100);
    let seen = world.sandbox.requests();
    let looks = seen.iter().filter(|r| is_look(&r.query)).count();
    assert!((100..=103).contains(&looks), "{looks} looks at those that were woken");
    let pages = seen.iter().filter(|r| r.method == "GET" && r.path == "/v1/objects").count() - looks;
    assert!(pages <= 310, "{pages} pages");
    let counts = seen.iter().filter(|r| r.path == "/v1/graphql").count();
    assert!(counts <= 2 + 4 + 100_usize.div_ceil(TENANTS_A_WINDOW), "{counts} questions for counts");
}

#[tokio::test]
async fn offloaded_tenants_are_named_and_the_rest_is_kept() {
    let all = [("away", "FROZEN"), ("here", "HOT")];
    let world = world(tenants(Sandbox::builder().modules(&["offload-s3"]).collection(CLASS), &all, 5));
    let (done, events) = world.try_backup(world.options()).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 5));
    let skipped = &outcome.manifest.skipped[0];
    assert_eq!((skipped.tenant.as_deref(), &skipped.reason), (Some("away"), &SkipReason::Offloaded));
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsSkipped { tenants: 1, .. }));
    assert!(events.iter().any(said));
    equals(&world, &archive_of(&outcome), &["here"]).await;
    assert_eq!(listed(&world, &archive_of(&outcome)), pairs(&all));
}

#[tokio::test]
async fn only_the_tenants_named_are_kept() {
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "COLD")];
    let world = world(tenants(Sandbox::builder().seeded("Plain", 3, 2, 1).collection(CLASS), &all, 5));
    let options = BackupOptions { tenants: named(&["b"]), ..world.options() };
    let outcome = world.try_backup(options).await.0.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 5));
    assert_eq!(outcome.manifest.collections.len(), 1, "the plain one has no tenant b");
    equals(&world, &archive_of(&outcome), &["b"]).await;
    assert_eq!(world.sandbox.most_activated(), 1, "nobody else is touched");

    let nobody = BackupOptions { tenants: named(&["x"]), ..world.options() };
    let error = world.try_backup(nobody).await.0.expect_err("no tenant").error;
    assert!(matches!(error, Error::UnknownTenant { .. }), "{error:?}");
    let mut plain = BackupOptions { tenants: named(&["b"]), ..world.options() };
    plain.selection.take = vec!["Plain".into(), "Mt".into()];
    let error = world.try_backup(plain).await.0.expect_err("a plain one").error;
    assert!(matches!(error, Error::NotMultiTenant { .. }), "{error:?}");
}

#[tokio::test]
async fn a_tenant_removed_while_it_is_read_is_not_in_the_archive_and_one_added_is() {
    let all = [("a", "HOT"), ("b", "HOT"), ("c", "HOT")];
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 400));
    let page = |tenant: &str| {
        Fault::new(Kind::Delay(Duration::from_millis(40))).on("GET", "/v1/objects").query(&format!("tenant={tenant}"))
    };
    world.sandbox.faults().add(page("b"));
    let change = |change| Fault::new(Kind::Change(change)).on("GET", "/v1/objects").query("tenant=b").nth(3);
    world.sandbox.faults().add(change(Change::Tenant("Mt".into(), "b".into(), None)));
    world.sandbox.faults().add(change(Change::Tenant("Mt".into(), "d".into(), Some("HOT"))));
    let (done, events) = world.try_backup(BackupOptions { page_objects: Some(50), ..world.options() }).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 800));
    let archive = archive_of(&outcome);
    equals(&world, &archive, &["a", "c", "d"]).await;
    let changed = &outcome.manifest.collections[0].tenants_changed;
    assert_eq!((changed.added.as_slice(), changed.deleted.as_slice()), (&["d".to_owned()][..], &["b".to_owned()][..]));
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsChanged { added: 1, deleted: 1, .. }));
    assert!(events.iter().any(said));
    assert_eq!(listed(&world, &archive), pairs(&[("a", "HOT"), ("c", "HOT"), ("d", "HOT")]));
}

#[tokio::test]
async fn a_sleeping_tenant_removed_before_it_is_woken_does_not_keep_those_beside_it_shut() {
    for version in ["1.24.26", "1.28.16", "1.40.0"] {
        let all = [("a", "COLD"), ("b", "COLD"), ("c", "COLD"), ("d", "HOT")];
        let world = world(tenants(Sandbox::builder().version(version).collection(CLASS), &all, 60));
        let gone = Change::Tenant("Mt".into(), "b".into(), None);
        world.sandbox.faults().add(Fault::new(Kind::Change(gone)).on("PUT", "/v1/schema/Mt/tenants").nth(1));
        let outcome = world.try_backup(world.options()).await.0.expect("a backup");
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 180), "{version}");
        equals(&world, &archive_of(&outcome), &["a", "c", "d"]).await;
        let states = world.sandbox.tenants("Mt").into_iter().map(|(name, state)| (name, state.to_owned()));
        assert_eq!(states.collect::<Vec<_>>(), pairs(&[("a", "COLD"), ("c", "COLD"), ("d", "HOT")]), "{version}");
    }
}

#[tokio::test]
async fn a_tenant_put_to_sleep_by_others_meanwhile_is_read_all_the_same() {
    let all = [("a", "HOT"), ("b", "HOT")];
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 200));
    let inactive = Change::Tenant("Mt".into(), "b".into(), Some("COLD"));
    let fault = Fault::new(Kind::Change(inactive)).on("GET", "/v1/objects").query("tenant=b").nth(2);
    world.sandbox.faults().add(fault);
    let outcome =
        world.try_backup(BackupOptions { page_objects: Some(50), ..world.options() }).await.0.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 400));
    equals(&world, &archive_of(&outcome), &["a", "b"]).await;
    assert_eq!(world.sandbox.tenants("Mt")[1].1, "COLD", "as others want it");
}

#[tokio::test]
async fn where_the_key_may_not_wake_tenants_they_are_named() {
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "COLD")];
    let builder = Sandbox::builder().collection(CLASS).key("readkey", "reader", Role::Viewer);
    let mut world = world(tenants(builder, &all, 5));
    world.key = Some("readkey");
    let outcome = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 5));
    let skipped: Vec<_> = outcome.manifest.skipped.iter().map(|s| (s.tenant.as_deref(), s.reason.clone())).collect();
    let why = SkipReason::NotActivated { why: ActivationRefusal::Key };
    assert_eq!(skipped, [(Some("b"), why.clone()), (Some("c"), why)]);
    equals(&world, &archive_of(&outcome), &["a"]).await;
}

#[tokio::test]
async fn an_interrupted_run_puts_tenants_back_to_sleep() {
    let all = [("b", "COLD"), ("c", "COLD")];
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 200));
    let slow = Fault::new(Kind::Delay(Duration::from_millis(200))).on("GET", "/v1/objects");
    world.sandbox.faults().add(slow);
    let stop = async {
        while world.sandbox.most_activated() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.cancel.cancel();
    };
    let options = BackupOptions { page_objects: Some(20), ..world.options() };
    let ((done, _), ()) = tokio::join!(world.try_backup(options), stop);
    assert!(matches!(done.expect_err("stopped").error, Error::Interrupted));
    assert_eq!(world.sandbox.tenants("Mt"), all.map(|(name, state)| (name.to_owned(), state)));
}

#[tokio::test]
async fn what_a_killed_run_left_awake_sleeps_after_the_next_one() {
    // `d` was put back by the killed run; that it is active now is somebody's wish.
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "HOT"), ("d", "HOT")];
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 5));
    world.killed_run(
        Op::Backup,
        &[activated(&["c", "d"]), RunRecord::Deactivated { target: mt(), tenants: named(&["d"]) }],
    );
    let (done, events) = world.try_backup(world.options()).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 20));
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsLeftActive { tenants: 1, .. }));
    assert!(events.iter().any(said));
    let inactive = [("a", "HOT"), ("b", "COLD"), ("c", "COLD"), ("d", "HOT")];
    assert_eq!(world.sandbox.tenants("Mt"), inactive.map(|(name, state)| (name.to_owned(), state)));
    assert_eq!(listed(&world, &archive_of(&outcome)), pairs(&inactive));
    // Once put back it is nobody's business any more.
    world.sandbox.faults().now(&Change::Tenant("Mt".into(), "c".into(), Some("HOT")));
    world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!(world.sandbox.tenants("Mt")[2].1, "HOT");
}

#[tokio::test]
async fn who_is_put_to_sleep_in_word_alone_is_named_and_put_back_by_the_next_backup() {
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "COLD")];
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 20));
    let lie = Fault::new(Kind::status(200, "[]")).on("PUT", "/v1/schema/Mt/tenants").after(1);
    world.sandbox.faults().add(lie);
    let (done, events) = world.try_backup(world.options()).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 60));
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsStayActive { tenants: 2, .. }));
    assert!(events.iter().any(said), "{events:?}");
    world.sandbox.faults().clear();
    let (done, events) = world.try_backup(world.options()).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 60));
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsLeftActive { tenants: 2, .. }));
    assert!(events.iter().any(said), "{events:?}");
    assert_eq!(world.sandbox.tenants("Mt"), all.map(|(name, state)| (name.to_owned(), state)));
    assert_eq!(listed(&world, &archive_of(&outcome)), pairs(&all), "as they were before any was woken");
}

#[tokio::test]
async fn who_was_woken_by_one_spelling_of_the_address_is_put_back_by_another() {
    let mut world = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 5));
    world.killed_run(Op::Backup, &[activated(&["b"])]);
    world.respell();
    assert_eq!(world.try_backup(world.options()).await.0.expect("a backup").result.status, Status::Ok);
    assert_eq!(world.sandbox.tenants("Mt")[1].1, "COLD");
}

#[tokio::test]
async fn a_tenant_in_use_that_may_be_another_one_than_a_killed_run_woke_is_not_put_to_sleep() {
    for saw in [true, false] {
        let world = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "COLD")], 5));
        if saw {
            world.killed_run(Op::Backup, &[activated(&["b"])]);
            // Somebody makes it again, with an object of the same id: or it is another server behind the URL.
            world.sandbox.faults().now(&Change::Tenant("Mt".into(), "b".into(), None));
            world.sandbox.faults().now(&Change::Tenant("Mt".into(), "b".into(), Some("HOT")));
            let first = id(0);
            let object = format!(r#"{{"class":"Mt","tenant":"b","id":"{first}","properties":{{}},"vector":[1,2]}}"#);
            world.sandbox.faults().now(&Change::Write(object));
        } else {
            world.killed_before_it_looked(Op::Backup, &[activated(&["b"])]);
            world.sandbox.faults().now(&Change::Tenant("Mt".into(), "b".into(), Some("HOT")));
        }
        let said = |events: &[Event]| {
            let one = |event: &&Event| matches!(event, Event::Warning(Warning::TenantsNotKnownAgain { tenants: 1, first, .. }) if first.as_str() == "b");
            events.iter().filter(one).count()
        };
        let (done, events) = world.try_backup(world.options()).await;
        assert_eq!(done.expect("a backup").result.objects, if saw { 6 } else { 10 });
        assert_eq!((said(&events), world.sandbox.tenants("Mt")[1].1), (1, "HOT"), "{saw}: {events:?}");
        // It is said once.
        let (done, events) = world.try_backup(world.options()).await;
        assert_eq!(done.expect("a backup").result.status, Status::Ok);
        assert_eq!((said(&events), world.sandbox.tenants("Mt")[1].1), (0, "HOT"), "{saw}: {events:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_a_killed_run_woke_and_a_person_put_back_is_nobodys_business_any_more() {
    let world = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "COLD")], 5));
    world.killed_run(Op::Backup, &[activated(&["b"])]);
    // That it sleeps is found out by a run that has nothing to do with it.
    let only_a = BackupOptions { tenants: named(&["a"]), ..world.options() };
    world.try_backup(only_a).await.0.expect("a backup");
    // Somebody activates it for good reason.
    world.sandbox.faults().now(&Change::Tenant("Mt".into(), "b".into(), Some("HOT")));
    let (done, events) = world.try_backup(world.options()).await;
    assert_eq!(done.expect("a backup").result.objects, 10);
    assert!(!events.iter().any(|e| matches!(e, Event::Warning(Warning::TenantsLeftActive { .. }))), "{events:?}");
    assert_eq!(world.sandbox.tenants("Mt")[1].1, "HOT");
}

#[tokio::test]
async fn a_key_that_may_wake_no_more_costs_only_the_tenants_that_were_not_read_yet() {
    let names: Vec<String> = (0..3 * TENANTS_A_WINDOW).map(|n| format!("t{n:02}")).collect();
    let all: Vec<(&str, &'static str)> = names.iter().map(|name| (name.as_str(), "COLD")).collect();
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 3));
    // The first window activates and puts back.
    let refused = Fault::new(Kind::status(403, "no")).on("PUT", "/v1/schema/Mt/tenants").after(2);
    world.sandbox.faults().add(refused);
    let outcome = world.try_backup(BackupOptions { jobs: Some(1), ..world.options() }).await.0.expect("a backup");
    let skipped: Vec<&str> = outcome.manifest.skipped.iter().filter_map(|s| s.tenant.as_deref()).collect();
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 3 * TENANTS_A_WINDOW as u64));
    assert_eq!(skipped, names[TENANTS_A_WINDOW..].iter().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_count_that_does_not_agree_is_read_again_and_then_named() {
    let all = [("a", "HOT"), ("b", "HOT")];
    let mut page = String::from(r#"{"objects":["#);
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 30));
    // A list that leaves everything behind the first object out, and says nothing of it.
    let first = world.sandbox.objects("Mt", Some("b")).remove(0);
    write!(page, "{first}]}}").expect("written");
    let short = Kind::Status { status: 200, headers: Vec::new(), body: page };
    let lies = Fault::new(short).on("GET", "/v1/objects").query("tenant=b");
    world.sandbox.faults().add(lies.times(2));
    let outcome = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 60), "the second reading saw all");
    equals(&world, &archive_of(&outcome), &["a", "b"]).await;
}

/// What a 1.40 says of a tenant one of whose replicas is on its way to another node.
const MOVES: &str = r#"{"error":[{"message":"rpc error: code = Internal desc = updating schema: TYPE_UPDATE_TENANT: replica movement in progress: tenant \"b\" status change to COLD blocked; retry after movement completes"}]}"#;
/// What it lists meanwhile.
const LISTED: &str = r#"[{"collection":"Mt","id":"e1048b3d-b173-4404-9cf7-83b41563638c","shard":"b","sourceNode":"node3",
    "status":{"errors":[],"state":"HYDRATING"},"statusHistory":null,"targetNode":"node1","type":"MOVE"},
    {"collection":"Mt","shard":"a","status":{"errors":[],"state":"READY"},"type":"COPY"}]"#;

#[tokio::test]
async fn tenants_that_stay_active_while_replicas_move_are_deactivated_once_that_is_over() {
    let class = Sandbox::builder().nodes(3).collection(CLASS);
    let world = world(tenants(class, &[("a", "HOT"), ("b", "COLD")], 3));
    let faults = world.sandbox.faults();
    faults.add(Fault::new(Kind::status(200, LISTED)).on("GET", "/v1/replication/replicate/list"));
    // The first request activates.
    faults.add(Fault::new(Kind::status(422, MOVES)).on("PUT", "/v1/schema/Mt/tenants").after(1).times(2));
    let (done, events) = world.try_backup(world.options()).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!(outcome.result.status, Status::Ok);
    let told = |event: &Event| match event {
        Event::Warning(warning @ (Warning::ReplicasMove { .. } | Warning::MovesAwaited { .. })) => {
            Some(warning.clone())
        }
        _ => None,
    };
    let told: Vec<Warning> = events.iter().filter_map(told).collect();
    assert_eq!(
        told,
        [Warning::ReplicasMove { collection: mt(), moves: 1 }, Warning::MovesAwaited { collection: mt(), tenants: 1 }]
    );
    assert_eq!(world.sandbox.tenants("Mt"), [("a".to_owned(), "HOT"), ("b".to_owned(), "COLD")]);
}
