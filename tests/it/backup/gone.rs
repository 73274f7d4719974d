//! `col backup` while owners remove collections or tenants, or make them again: what is gone is named, and the rest is kept.

use std::time::Duration;

use elysiactl::archive::Content;
use elysiactl::event::{Event, Events, NotKeptReason, SkipReason, Status, Warning};
use elysiactl::ops::Error;
use elysiactl::ops::backup::{self, BackupOptions, BackupOutcome, BackupStopped};
use elysiactl::weaviate::Writer;
use sandbox::{Change, Fault, Kind, Sandbox};

use crate::backup::tenants::{CLASS, archive_of, tenants};
use crate::support::world::{World, drain, world};

const ONE: &str = r#"{"class":"Book","id":"00000000-0000-0000-0000-000000000001","properties":{},"vector":[1]}"#;

fn library() -> World {
    world(["Article", "Book", "Chat"].iter().fold(Sandbox::builder(), |b, name| b.seeded(name, 120, 3, 7)))
}

/// Whoever waits for a node that is away waits for good.
fn patient(world: &World) -> BackupOptions {
    BackupOptions { page_objects: Some(40), jobs: Some(1), patience: Duration::from_secs(3_600), ..world.options() }
}

/// Plans, and runs while something happens just before the run's n-th request.
async fn meanwhile(world: &World, n: u64, changes: &[Change]) -> (Result<BackupOutcome, BackupStopped>, Vec<Event>) {
    let (events, mut receiver) = Events::channel();
    let (client, session) = (world.client(events.clone()), world.session(events));
    let plan = backup::plan(&client, &session, patient(world)).await.expect("a plan");
    for (change, at) in changes.iter().zip(n..) {
        world.sandbox.faults().in_requests(at, change.clone());
    }
    let done = Box::pin(backup::run(&Writer::new(client.clone()), &session, plan)).await;
    drop((client, session));
    (done, drain(&mut receiver))
}

fn names(outcome: &BackupOutcome) -> Vec<&str> {
    outcome.manifest.collections.iter().map(|entry| entry.name.as_str()).collect()
}

fn says_left_out(events: &[Event], name: &str) -> bool {
    let said = |event: &Event| matches!(event, Event::Warning(Warning::CollectionSkipped { collection, .. }) if collection.as_str() == name);
    events.iter().any(said)
}

#[tokio::test]
async fn a_collection_that_its_owner_removes_meanwhile_does_not_cost_the_others() {
    let mut left_out = 0;
    for n in (1..40).step_by(2) {
        let world = library();
        let (done, events) = meanwhile(&world, n, &[Change::Drop("Book".into())]).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
        world.check(&archive_of(&outcome)).await.expect("a sound archive");
        assert!(outcome.manifest.collections.iter().all(|entry| entry.objects == 120), "{n}");
        if names(&outcome) == ["Article", "Book", "Chat"] {
            assert_eq!(outcome.result.status, Status::Ok, "{n}: it was read before");
            continue;
        }
        left_out += 1;
        assert_eq!((names(&outcome), outcome.result.status), (vec!["Article", "Chat"], Status::Incomplete), "{n}");
        let skipped = &outcome.manifest.skipped[0];
        let said = (skipped.collection.as_str(), skipped.tenant.as_deref(), &skipped.reason);
        assert_eq!(said, ("Book", None, &SkipReason::Removed), "{n}");
        assert!(says_left_out(&events, "Book"), "{n}: {events:?}");
        assert!(!archive_of(&outcome).join("collections/Book").exists(), "{n}");
    }
    assert!((5..19).contains(&left_out), "{left_out}");
}

#[tokio::test]
async fn with_only_the_schemas_the_same() {
    let world = library();
    let (client, session) = (world.client(Events::none()), world.session(Events::none()));
    let options = BackupOptions { content: Content::SchemaOnly, ..patient(&world) };
    let plan = backup::plan(&client, &session, options).await.expect("a plan");
    world.sandbox.faults().now(&Change::Drop("Book".into()));
    let outcome = backup::run(&Writer::new(client.clone()), &session, plan).await.expect("a backup");
    assert_eq!((names(&outcome), outcome.result.status), (vec!["Article", "Chat"], Status::Incomplete));
}

#[tokio::test]
async fn a_collection_with_tenants_that_is_removed_meanwhile_does_not_cost_the_others_and_nobody_is_left_awake() {
    let mut left_out = 0;
    for n in (1..40).step_by(2) {
        let states = [("a", "HOT"), ("b", "COLD"), ("c", "COLD")];
        let world = world(tenants(
            Sandbox::builder().seeded("Chat", 60, 3, 7).seeded("Nest", 60, 3, 7).collection(CLASS),
            &states,
            50,
        ));
        let (done, events) = meanwhile(&world, n, &[Change::Drop("Mt".into())]).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
        world.check(&archive_of(&outcome)).await.expect("a sound archive");
        let active = |event: &Event| matches!(event, Event::Warning(Warning::TenantsStayActive { .. }));
        assert!(!events.iter().any(active), "{n}: {events:?}");
        let runs = std::fs::read_dir(world.state().runs).map_or(0, Iterator::count);
        assert_eq!(runs, 0, "{n}: a journal would have the next run put tenants to sleep that are others by then");
        let kept = outcome.manifest.collections.iter().find(|entry| entry.name == "Mt").map(|entry| entry.objects);
        assert!(kept.is_none_or(|objects| objects == 150), "{n}: {kept:?}");
        assert_eq!(outcome.result.status == Status::Ok, kept.is_some(), "{n}");
        assert_eq!(says_left_out(&events, "Mt"), kept.is_none(), "{n}");
        left_out += usize::from(kept.is_none());
    }
    assert!(left_out > 4, "{left_out}");
}

#[tokio::test]
async fn a_tenant_that_its_owner_removes_meanwhile_costs_nothing_else() {
    let mut gone = 0;
    for n in (1..36).step_by(2) {
        let states = [("a", "HOT"), ("b", "COLD"), ("c", "HOT"), ("d", "COLD")];
        let world = world(tenants(Sandbox::builder().seeded("Nest", 60, 3, 7).collection(CLASS), &states, 50));
        let removed = if n % 4 == 1 { "c" } else { "d" };
        let (done, _) = meanwhile(&world, n, &[Change::Tenant("Mt".into(), removed.into(), None)]).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
        world.check(&archive_of(&outcome)).await.expect("a sound archive");
        let entry = outcome.manifest.collections.iter().find(|entry| entry.name == "Mt").expect("the collection");
        let of: Vec<(&str, u64)> =
            entry.tenants.iter().map(|t| (t.tenant.as_deref().unwrap_or_default(), t.objects)).collect();
        let whole = of.len() == 4;
        assert!(of.iter().all(|(_, objects)| *objects == 50), "{n}: {of:?}");
        assert!(whole || (of.len() == 3 && of.iter().all(|(name, _)| *name != removed)), "{n}: {of:?}");
        gone += usize::from(!whole);
    }
    assert!(gone > 2, "{gone}");
}

#[tokio::test]
async fn a_collection_that_is_made_again_meanwhile_is_read_anew_and_holds_nothing_old() {
    let mut anew = 0;
    for n in (1..40).step_by(2) {
        let world = library();
        // Whoever writes next makes it again, by auto-schema.
        let changes = [Change::All(vec![Change::Drop("Book".into()), Change::Write(ONE.into())])];
        let (done, events) = meanwhile(&world, n, &changes).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
        world.check(&archive_of(&outcome)).await.expect("a sound archive");
        let objects: Vec<u64> = outcome.manifest.collections.iter().map(|entry| entry.objects).collect();
        // What was there when it was planned is in no archive.
        let status = if objects[1] == 1 { Status::Incomplete } else { Status::Ok };
        assert_eq!((names(&outcome), outcome.result.status), (vec!["Article", "Book", "Chat"], status), "{n}");
        let vanished = outcome.manifest.collections[1].consistency.vanished;
        assert_eq!(vanished, (objects[1] == 1).then_some(119), "{n}");
        assert!(objects[0] == 120 && objects[2] == 120 && [1, 120].contains(&objects[1]), "{n}: {objects:?}");
        let said = |event: &Event| {
            matches!(event, Event::Warning(Warning::NotKept { reason: NotKeptReason::Changed { .. }, .. }))
        };
        assert_eq!(objects[1] == 1, events.iter().any(said), "{n}: {events:?}");
        anew += usize::from(objects[1] == 1);
    }
    assert!((5..19).contains(&anew), "{anew}");
}

#[tokio::test]
async fn an_error_that_has_another_cause_still_ends_the_backup() {
    let world = library();
    let fault = Fault::new(Kind::status(403, "{}")).on("GET", "/v1/objects").query("class=Book");
    world.sandbox.faults().add(fault);
    let (done, events) = world.try_backup(patient(&world)).await;
    assert!(matches!(done.expect_err("refused").error, Error::Scan { .. } | Error::Wire(_)));
    assert!(!says_left_out(&events, "Book"));
    world.nothing_is_sealed();
}
