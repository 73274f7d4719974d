//! A proxy that turns requests away, or fails each path once: nothing changes but the time of a run.

use std::path::{Path, PathBuf};

use elysiactl::event::{Events, RunResult, Status};
use elysiactl::ops::clear::{self, Wish};
use elysiactl::ops::verify;
use elysiactl::weaviate::{RetryPolicy, Writer};
use sandbox::{Builder, Fault, Kind, Sandbox};

use crate::support::world::{QUICK, World, verify_options, world};

const OBJECTS: u64 = 120;
const TENANTS: u64 = 6;

/// Two plain collections with an alias.
fn library() -> Builder {
    Sandbox::builder().seeded("Article", OBJECTS, 3, 4).seeded("Book", OBJECTS, 2, 5).alias("Paper", "Article")
}

/// Tenants, of which every second one is inactive.
fn rented() -> Builder {
    Sandbox::builder().seeded("Rented", 9, 2, 3).in_tenants(TENANTS)
}

fn digests(result: &RunResult) -> Vec<Option<String>> {
    result.collections.iter().map(|collection| collection.digest.clone()).collect()
}

/// What a server holds of these collections, by the digests of a backup without faults.
async fn held(world: &World) -> Vec<Option<String>> {
    world.sandbox.faults().clear();
    let (done, _) = world.try_backup(world.options()).await;
    digests(&done.expect("a backup without faults").result)
}

fn archive_of(result: &RunResult) -> PathBuf {
    result.archive.clone().expect("an archive").into()
}

async fn clear(world: &World, wish: Wish) -> Result<clear::ClearOutcome, String> {
    let (client, session) = (world.client(Events::none()), world.session(Events::none()));
    let options = clear::ClearOptions {
        selection: elysiactl::model::Selection::default(),
        tenants: Vec::new(),
        wish,
        allow_protected: false,
        folder: world.options().folder,
        state: world.state(),
        memory_bytes: 16 << 20,
        patience: world.options().patience,
        rehearse: true,
        resumes: false,
    };
    let plan = clear::plan(&client, &session, options).await.map_err(|error| format!("{error:?}"))?;
    clear::run(&Writer::new(client), &session, plan).await.map_err(|stop| format!("{stop:?}"))
}

/// Every verb under a fault: exit 0, and the server and the archives hold what they would hold without it.
async fn every_verb_ends_as_without(source: fn() -> Builder, policy: RetryPolicy, fault: &dyn Fn() -> Fault) {
    let with = |world: World| World { policy, ..world };
    let about = |what: &str| format!("{what} under {:?}", fault());
    let clean = world(source());
    let wanted = held(&clean).await;

    let backed_up = with(world(source()));
    backed_up.sandbox.faults().add(fault());
    let (done, _) = backed_up.try_backup(backed_up.options()).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{}: {:?}", about("backup"), stopped.error));
    assert_eq!((outcome.result.status, digests(&outcome.result)), (Status::Ok, wanted.clone()), "{}", about("backup"));
    assert!(backed_up.sandbox.faults().struck() > 0, "{}", about("backup"));
    let archive = archive_of(&outcome.result);

    backed_up.sandbox.faults().clear();
    backed_up.sandbox.faults().add(fault());
    let compare = verify::VerifyOptions { state: Some(backed_up.state()), ..verify_options(&archive) };
    let (done, _) = backed_up.try_verify(compare).await;
    let verified = done.unwrap_or_else(|error| panic!("{}: {error:?}", about("verify")));
    assert_eq!(verified.result.status, Status::Ok, "{}", about("verify"));

    let target = with(world(Sandbox::builder()));
    target.sandbox.faults().add(fault());
    restores(&target, &archive, &about("restore")).await;
    assert_eq!(held(&target).await, wanted, "{}", about("restore"));

    for wish in [Wish::Recreate, Wish::Delete] {
        let emptied = with(world(source()));
        emptied.sandbox.faults().add(fault());
        let done = clear(&emptied, wish).await.unwrap_or_else(|error| panic!("{}: {error}", about("clear")));
        assert_eq!(done.result.status, Status::Ok, "{}", about("clear"));
        emptied.sandbox.faults().clear();
        for collection in &done.result.collections {
            let left = emptied.sandbox.objects(collection.name.as_str(), None);
            assert!(left.is_empty(), "{}: {} of {}", about("clear"), left.len(), collection.name);
        }
    }
}

async fn restores(target: &World, archive: &Path, about: &str) {
    let plan = target.restore_plan(target.restore_options(archive)).await;
    let plan = plan.unwrap_or_else(|error| panic!("{about}: {error:?}"));
    let (done, _) = target.run_plan(plan).await;
    let done = done.unwrap_or_else(|stopped| panic!("{about}: {:?}", stopped.error));
    assert_eq!(done.result.status, Status::Ok, "{about}: {:?}", done.remarks);
}

fn later() -> Kind {
    Kind::Status { status: 429, headers: vec![("retry-after".into(), "1".into())], body: String::new() }
}

#[tokio::test]
async fn a_429_on_each_path_once_changes_nothing_but_the_time() {
    every_verb_ends_as_without(library, QUICK, &|| Fault::new(Kind::status(429, "")).once_a_path()).await;
    every_verb_ends_as_without(rented, QUICK, &|| Fault::new(later()).once_a_path()).await;
}

#[tokio::test]
async fn a_502_on_each_path_once_changes_nothing_but_the_time() {
    every_verb_ends_as_without(library, QUICK, &|| Fault::new(Kind::bad_gateway()).once_a_path()).await;
    every_verb_ends_as_without(rented, QUICK, &|| Fault::new(Kind::bad_gateway()).once_a_path()).await;
}

#[tokio::test]
async fn a_503_on_each_path_once_changes_nothing_but_the_time() {
    every_verb_ends_as_without(library, QUICK, &|| Fault::new(Kind::status(503, "")).once_a_path()).await;
    every_verb_ends_as_without(rented, QUICK, &|| Fault::new(Kind::status(503, "")).once_a_path()).await;
}

#[tokio::test]
async fn a_proxy_that_lets_few_requests_a_second_through_changes_nothing_but_the_time_and_is_named() {
    let policy = RetryPolicy { budget_floor: 0, budget_percent: 0, ..RetryPolicy::default() };
    let world = World { policy, ..world(library()) };
    let wanted = held(&world).await;
    world.sandbox.faults().add(Fault::new(Kind::status(429, "")).beyond(8));
    let options = elysiactl::ops::backup::BackupOptions { page_objects: Some(10), ..world.options() };
    let (done, _) = world.try_backup(options).await;
    let result = done.expect("a backup").result;
    assert_eq!((result.status, digests(&result)), (Status::Ok, wanted.clone()));
    let limit = result.rate_limit.expect("the limit");
    assert!((3.0..17.0).contains(&limit.requests_per_second) && limit.turned_away >= 3, "{limit:?}");
    let archive = archive_of(&result);
    let target = World { policy, ..crate::support::world::world(Sandbox::builder()) };
    target.sandbox.faults().add(Fault::new(Kind::status(429, "")).beyond(8));
    restores(&target, &archive, "8 requests a second").await;
    assert_eq!(held(&target).await, wanted);
}
