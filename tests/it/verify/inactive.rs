//! `col verify` where tenants sleep: whoever is activated sleeps again, whatever goes wrong, and nobody else is touched.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use elysiactl::archive::WriteFile;
use elysiactl::event::{Class, Event, Events, Op, Status, Warning};
use elysiactl::model::TenantMap;
use elysiactl::ops::Error;
use elysiactl::ops::verify::VerifyOptions;
use elysiactl::pipeline::activation::ACTIVE_AT_ONCE;
use sandbox::{Builder, Change, Fault, Kind, PageFault, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::backup::tenants::{CLASS, activated, archive_of, id, named, tenants};
use crate::support::disk_of::DiskOf;
use crate::support::said::said_of;
use crate::support::world::{World, verify_options, world};
use crate::verify::tenants::write;

const PAGES: &str = "/v1/objects";
const STATES: &str = "/v1/schema/Mt/tenants";

async fn backed_up(world: &World) -> PathBuf {
    // In one part, so that one worker comes by all of them.
    let one = elysiactl::ops::backup::BackupOptions { jobs: Some(1), ..world.options() };
    let archive = archive_of(&world.try_backup(one).await.0.expect("a backup"));
    // What the backup woke is its own affair.
    std::fs::remove_dir_all(world.state().runs).expect("run files");
    archive
}

fn options(world: &World, archive: &Path) -> VerifyOptions {
    VerifyOptions { state: Some(world.state()), ..verify_options(archive) }
}

fn night() -> Builder {
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "COLD"), ("d", "COLD")];
    tenants(Sandbox::builder().collection(CLASS), &all, 30)
}

fn inactive(world: &World) -> Vec<String> {
    let all = world.sandbox.tenants("Mt").into_iter();
    all.filter(|(_, state)| *state == "COLD").map(|(name, _)| name).collect()
}

/// One tenant, under its own name.
fn only(tenant: &str) -> TenantMap {
    let name = named(&[tenant]).remove(0);
    TenantMap::Only([(name.clone(), name)].into())
}

/// Tenants that the next run would put back.
fn left_active(world: &World) -> Vec<String> {
    let url = world.client(Events::none()).url().to_owned();
    let left = elysiactl::archive::runfiles::left_active(&*world.disk, &world.state().runs, &url).expect("journals");
    left.into_values().flatten().map(|(tenant, _)| tenant.to_string()).collect()
}

fn set(world: &World, tenant: &str, state: Option<&'static str>) {
    world.sandbox.faults().now(&Change::Tenant("Mt".into(), tenant.into(), state));
}

#[tokio::test]
async fn an_interrupted_run_leaves_nobody_awake() {
    for moment in [(PAGES, "tenant=b", "GET"), ("/v1/graphql", "", "POST"), (STATES, "", "PUT")] {
        let world = world(night());
        let archive = backed_up(&world).await;
        let (path, query, method) = moment;
        // Of the questions for counts, the one about those that were just activated.
        let nth = if method == "POST" { 2 } else { 1 };
        world
            .sandbox
            .faults()
            .add(Fault::new(Kind::Delay(Duration::from_millis(600))).on(method, path).query(query).nth(nth));
        let struck = world.sandbox.faults().struck() + 1;
        let ((done, _), ()) = tokio::join!(world.try_verify(options(&world, &archive)), async {
            world.struck(struck).await;
            world.cancel.cancel();
        });
        assert_eq!(done.expect_err("interrupted").class(), Class::Interrupted, "{moment:?}");
        // A request that was given up may still be carried out.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(
            (inactive(&world), left_active(&world)),
            (vec!["b".into(), "c".into(), "d".into()], vec![]),
            "{moment:?}"
        );
    }
}

/// A file of which it takes a while until it is durable.
struct SlowFile(Box<dyn WriteFile>);

impl io::Write for SlowFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl WriteFile for SlowFile {
    fn sync(&mut self) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(200));
        self.0.sync()
    }
}

#[tokio::test]
async fn interrupted_at_any_moment_the_journal_knows_who_sleeps() {
    let mut world = world(night());
    let archive = backed_up(&world).await;
    world.disk = Arc::new(DiskOf(|file| Box::new(SlowFile(file))));
    for milliseconds in (50..1_000).step_by(100) {
        world.cancel = CancellationToken::new();
        let ((done, _), ()) = tokio::join!(world.try_verify(options(&world, &archive)), async {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            world.cancel.cancel();
        });
        let interrupted = done.as_ref().is_err_and(|error| error.class() == Class::Interrupted);
        assert!(interrupted || done.is_ok(), "after {milliseconds} ms: {done:?}");
        assert_eq!((inactive(&world).len(), left_active(&world)), (3, vec![]), "after {milliseconds} ms");
    }
}

#[tokio::test]
async fn whoever_a_killed_run_left_awake_is_put_back_whether_compared_or_not() {
    let world = world(night());
    let archive = backed_up(&world).await;
    world.killed_run(Op::Verify, &[activated(&["c", "d", "stranger"])]);
    for tenant in ["c", "d", "stranger"] {
        set(&world, tenant, Some("HOT"));
    }
    let (done, events) = world.try_verify(VerifyOptions { tenants: only("c"), ..options(&world, &archive) }).await;
    assert_eq!(done.expect("compared").result.status, Status::Ok);
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsLeftActive { tenants: 2, .. }));
    assert!(events.iter().any(said), "{events:?}");
    // One without objects is nobody that is known again.
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsNotKnownAgain { tenants: 1, .. }));
    assert!(events.iter().any(said), "{events:?}");
    assert_eq!(inactive(&world), ["b", "c", "d"]);
    assert_eq!(left_active(&world), [""; 0]);
}

#[tokio::test]
async fn a_tenant_that_is_awake_for_good_reason_stays_so() {
    let world = world(night());
    let archive = backed_up(&world).await;
    // A killed run woke it, a person put it back: that is found out while it sleeps.
    world.killed_run(Op::Verify, &[activated(&["b"])]);
    let done = world.verify(VerifyOptions { tenants: only("a"), ..options(&world, &archive) }).await;
    assert_eq!((done.result.status, left_active(&world)), (Status::Ok, vec![]));
    set(&world, "b", Some("HOT"));
    let (done, events) = world.try_verify(options(&world, &archive)).await;
    assert_eq!(done.expect("compared").result.status, Status::Ok);
    assert!(!events.iter().any(|e| matches!(e, Event::Warning(_))), "{events:?}");
    assert_eq!(inactive(&world), ["c", "d"]);
}

#[tokio::test]
async fn a_class_that_wakes_tenants_by_itself_has_them_asleep_afterwards() {
    let auto = CLASS.replace("true}", "true,\"autoTenantActivation\":true}");
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "COLD")];
    let world = world(tenants(Sandbox::builder().collection(&auto), &all, 30));
    let archive = backed_up(&world).await;
    let outcome = world.verify(options(&world, &archive)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 90));
    // Those that are not chosen are not touched, not even to be counted.
    world.sandbox.clear_requests();
    assert_eq!(
        world.verify(VerifyOptions { tenants: only("a"), ..options(&world, &archive) }).await.result.status,
        Status::Ok
    );
    assert_eq!(world.sandbox.writing_requests(), 0);
    assert_eq!(inactive(&world), ["b", "c"]);
}

#[tokio::test]
async fn offloaded_tenants_are_not_compared_and_named() {
    let world = world(night());
    let archive = backed_up(&world).await;
    set(&world, "c", Some("FROZEN"));
    let outcome = world.verify(options(&world, &archive)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 90));
    assert_eq!((outcome.result.collections[0].tenants, outcome.result.collections[0].only_left), (3, Some(0)));
    let said = said_of(&outcome.remarks)
        .iter()
        .any(|r| r == "not compared: tenant c, 30 objects in the archive: offloaded to other storage, or on the way");
    assert!(said, "{:?}", outcome.remarks);
    assert_eq!(world.sandbox.tenants("Mt")[2], ("c".to_owned(), "FROZEN"));
}

#[tokio::test]
async fn a_tenant_that_the_archive_says_it_left_out_is_no_difference() {
    let world = world(night().tenant("Mt", "far", "FROZEN"));
    let archive = backed_up(&world).await;
    set(&world, "far", Some("HOT"));
    let outcome = world.verify(options(&world, &archive)).await;
    assert_eq!(outcome.result.status, Status::Ok);
    let said =
        said_of(&outcome.remarks).iter().any(|r| r == "not compared, as the archive does not hold them: tenant far");
    assert!(said, "{:?}", outcome.remarks);
}

#[tokio::test]
async fn a_node_that_hears_late_of_a_waking_is_asked_again() {
    let late = r#"{"error":[{"message":"msg:search index mt code:422 err:tenant not active: 'b'"}]}"#;
    for (times, status, objects) in [(3, Status::Ok, 120), (u64::MAX, Status::Incomplete, 90)] {
        let world = world(night());
        let archive = backed_up(&world).await;
        world.sandbox.faults().add(Fault::new(Kind::status(422, late)).on("GET", PAGES).query("tenant=b").times(times));
        let outcome = world.verify(options(&world, &archive)).await;
        assert_eq!((outcome.result.status, outcome.result.objects), (status, objects), "{:?}", outcome.remarks);
        let said = said_of(&outcome.remarks)
            .iter()
            .any(|r| r.contains("tenant b, 30 objects in the archive: the server says"));
        assert_eq!(said, status == Status::Incomplete, "{:?}", outcome.remarks);
        assert_eq!(inactive(&world), ["b", "c", "d"]);
    }
}

#[tokio::test]
async fn who_cannot_be_put_back_is_named_and_put_back_by_the_next_run() {
    let world = world(night());
    let archive = backed_up(&world).await;
    world.sandbox.faults().add(Fault::new(Kind::status(500, "disk")).on("PUT", STATES).after(1));
    let (done, events) = world.try_verify(options(&world, &archive)).await;
    assert!(done.is_err(), "{done:?}");
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsStayActive { tenants: 3, .. }));
    assert!(events.iter().any(said), "{events:?}");
    assert_eq!((inactive(&world), left_active(&world)), (vec![], vec!["b".to_owned(), "c".into(), "d".into()]));
    world.sandbox.faults().clear();
    assert_eq!(world.verify(options(&world, &archive)).await.result.status, Status::Ok);
    assert_eq!((inactive(&world).len(), left_active(&world)), (3, vec![]));
}

#[tokio::test]
async fn who_is_put_to_sleep_in_word_alone_is_named_and_put_back_by_the_next_run() {
    let world = world(night());
    let archive = backed_up(&world).await;
    world.sandbox.faults().add(Fault::new(Kind::status(200, "[]")).on("PUT", STATES).after(1));
    let (done, events) = world.try_verify(options(&world, &archive)).await;
    let outcome = done.expect("compared");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 120));
    let said = |e: &Event| {
        let Event::Warning(Warning::TenantsStayActive { tenants: 3, reason, noted, .. }) = e else { return false };
        *noted && reason == "the server did not do it"
    };
    assert!(events.iter().any(said), "{events:?}");
    assert_eq!((inactive(&world), left_active(&world)), (vec![], vec!["b".to_owned(), "c".into(), "d".into()]));
    world.sandbox.faults().clear();
    let (done, events) = world.try_verify(options(&world, &archive)).await;
    assert_eq!(done.expect("compared").result.status, Status::Ok);
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsLeftActive { tenants: 3, .. }));
    assert!(events.iter().any(said), "{events:?}");
    assert_eq!((inactive(&world).len(), left_active(&world)), (3, vec![]));
}

#[tokio::test]
async fn who_sleeps_once_it_is_asked_again_is_no_news() {
    let world = world(night());
    let archive = backed_up(&world).await;
    world.sandbox.faults().add(Fault::new(Kind::status(200, "[]")).on("PUT", STATES).nth(2));
    let (done, events) = world.try_verify(options(&world, &archive)).await;
    assert_eq!(done.expect("compared").result.status, Status::Ok);
    assert!(!events.iter().any(|e| matches!(e, Event::Warning(Warning::TenantsStayActive { .. }))), "{events:?}");
    assert_eq!((inactive(&world).len(), left_active(&world)), (3, vec![]));
}

#[tokio::test]
async fn a_tenant_that_goes_while_others_sleep_with_it_is_missing() {
    let world = world(night());
    let archive = backed_up(&world).await;
    let gone = Change::Tenant("Mt".into(), "c".into(), None);
    world.sandbox.faults().add(Fault::new(Kind::Change(gone)).on("GET", PAGES).query("tenant=b").times(1));
    let outcome = world.verify(options(&world, &archive)).await;
    let collection = &outcome.result.collections[0];
    assert_eq!(
        (outcome.result.status, collection.only_left, collection.only_right),
        (Status::Incomplete, Some(30), Some(0))
    );
    let said = said_of(&outcome.remarks).iter().any(|r| r == "tenant c removed while the collection was compared");
    assert!(said, "{:?}", outcome.remarks);
    assert_eq!((inactive(&world), left_active(&world)), (vec!["b".into(), "d".into()], vec![]));
}

#[tokio::test]
async fn a_page_that_lies_about_a_sleeping_tenant_is_found_by_its_count() {
    let world = world(night());
    let archive = backed_up(&world).await;
    set(&world, "c", Some("HOT"));
    world.sandbox.faults().now(&write("c", 77, "extra"));
    set(&world, "c", Some("COLD"));
    // The page with what the archive does not hold says that there is nothing.
    let hidden = Fault::new(Kind::Page(PageFault::Empty)).on("GET", PAGES).query(&format!("after={}", id(29)));
    world.sandbox.faults().add(hidden.times(1));
    let first = Fault::new(Kind::Page(PageFault::Skip)).on("GET", PAGES).query("tenant=c").times(1);
    world.sandbox.faults().add(first);
    let outcome = world.verify(options(&world, &archive)).await;
    assert_eq!((outcome.result.status, outcome.result.collections[0].only_right), (Status::Incomplete, Some(1)));
}

#[tokio::test]
async fn a_node_that_goes_away_while_tenants_are_awake_costs_a_round_and_leaves_nobody_awake() {
    let names: Vec<String> = (0..60).map(|n| format!("t{n:03}")).collect();
    let all: Vec<(&str, &'static str)> = names.iter().map(|name| (name.as_str(), "COLD")).collect();
    let world = world(tenants(Sandbox::builder().nodes(3).collection(CLASS), &all, 5));
    let archive = backed_up(&world).await;
    world.sandbox.faults().now(&Change::Hang(Duration::from_millis(500)));
    world.sandbox.faults().in_requests(25, Change::NodeDown("node3".into()));
    let ((done, events), ()) = tokio::join!(world.try_verify(options(&world, &archive)), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.sandbox.faults().node_up("node3");
    });
    let outcome = done.expect("compared");
    assert!(events.iter().any(|e| matches!(e, Event::TopologyChanged { whole: false, .. })));
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 300), "{:?}", outcome.remarks);
    assert!(world.sandbox.most_activated() <= ACTIVE_AT_ONCE);
    assert_eq!((inactive(&world).len(), left_active(&world)), (60, vec![]));
}

#[tokio::test]
async fn two_runs_do_not_put_to_sleep_what_the_other_reads() {
    let world = world(night());
    let archive = backed_up(&world).await;
    world
        .sandbox
        .faults()
        .add(Fault::new(Kind::Delay(Duration::from_secs(1))).on("GET", PAGES).query("tenant=b").times(1));
    let struck = world.sandbox.faults().struck() + 1;
    let ((first, _), second) = tokio::join!(world.try_verify(options(&world, &archive)), async {
        world.struck(struck).await;
        world.try_verify(options(&world, &archive)).await
    });
    assert_eq!(first.expect("compared").result.status, Status::Ok);
    let (refused, events) = second;
    assert_eq!(refused.expect_err("locked").class(), Class::Locked);
    assert!(!events.iter().any(|e| matches!(e, Event::Warning(_))), "{events:?}");
    assert_eq!(inactive(&world), ["b", "c", "d"]);
}

#[tokio::test]
async fn without_a_place_to_write_it_down_nobody_is_woken() {
    let world = world(night());
    let archive = backed_up(&world).await;
    world.sandbox.clear_requests();
    let (done, _) = world.try_verify(verify_options(&archive)).await;
    assert!(matches!(done, Err(Error::NoRunFolder { .. })), "{done:?}");
    assert_eq!(world.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn of_a_sample_only_those_are_woken_that_are_in_it() {
    let names: Vec<String> = (0..100).map(|n| format!("t{n:03}")).collect();
    let all: Vec<(&str, &'static str)> = names.iter().map(|name| (name.as_str(), "COLD")).collect();
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 3));
    let archive = backed_up(&world).await;
    world.sandbox.clear_requests();
    let outcome = world.verify(VerifyOptions { sample: Some(0.1), ..options(&world, &archive) }).await;
    assert_eq!((outcome.result.status, outcome.result.collections[0].sample_of), (Status::Ok, Some(300)));
    let compared = usize::try_from(outcome.result.objects).expect("few") / 3;
    assert!((1..50).contains(&compared), "{compared}");
    // A request names a tenant in some 40 bytes.
    let states = world.sandbox.requests().into_iter().filter(|r| r.writing).map(|r| r.bytes).sum::<u64>();
    assert!(states < 2 * 50 * compared as u64, "{states} bytes about {compared} tenants");
    assert_eq!(inactive(&world).len(), 100);
}
