//! What is emptied is what was planned, agreed to and backed up: whatever changed since is a refusal that says what.

use elysiactl::ops::{NotBackedUp, PlanChange};

use super::*;
use crate::rm::held::backed_up_before_now;

/// Nothing is sent; what changed.
async fn is_refused(world: &World, plan: ClearPlan) -> PlanChange {
    world.sandbox.clear_requests();
    let (done, _) = run(world, plan).await;
    let stopped = done.expect_err("refused");
    assert_eq!((stopped.class(), world.sandbox.writing_requests()), (Class::Refused, 0), "{:?}", stopped.error);
    let Error::NotAsPlanned { what, .. } = stopped.error else { panic!("{:?}", stopped.error) };
    what
}

#[tokio::test]
async fn what_moved_since_it_was_agreed_to_is_not_dropped() {
    let world = world(articles());
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    world.sandbox.faults().now(&Change::Write(article(1)));
    let events = elysiactl::event::Events::none();
    let (client, session) = (world.client(events.clone()), world.session(events));
    let now = clear::recount(&client, &session, &plan.collections[0], None).await.expect("a count").objects;
    assert_eq!((plan.collections[0].all_objects(), now), (Some(OBJECTS), Some(OBJECTS + 1)));
    world.sandbox.clear_requests();
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("refused");
    assert!(
        matches!(&stopped.error, Error::NotAsPlanned { what: PlanChange::Objects { now, .. }, .. } if *now == OBJECTS + 1),
        "{:?}",
        stopped.error
    );
    assert_eq!((world.sandbox.writing_requests(), world.sandbox.count("Article", None)), (0, OBJECTS + 1));
    assert_eq!(stopped.untouched, [name("Article")]);
}

#[tokio::test]
async fn another_number_than_was_agreed_to_is_no_agreement() {
    let world = world(articles());
    for wish in [Wish::Recreate, Wish::Delete] {
        let mut plan = planned(&world, one(wish, options(&world, &["Article"]))).await.expect("a plan");
        plan.collections[0].agreed = Some(OBJECTS - 1);
        world.sandbox.clear_requests();
        let (done, _) = run(&world, plan).await;
        assert!(matches!(done.expect_err("refused").error, Error::Moved { .. }));
        assert_eq!((world.sandbox.writing_requests(), world.sandbox.count("Article", None)), (0, OBJECTS));
    }
}

#[tokio::test]
async fn what_the_backup_does_not_hold_any_more_is_not_emptied() {
    let world = world(articles());
    let archive: std::path::PathBuf = world.backup(world.options()).await.result.archive.expect("an archive").into();
    let held = async || {
        let mut plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
        plan.must_be_held_in(archive.clone(), jiff::Timestamp::UNIX_EPOCH);
        plan
    };
    let changed = world.sandbox.objects("Article", None).remove(7);
    let mut changed: Value = serde_json::from_str(&changed).expect("an object");
    changed["properties"]["title"] = "edited".into();
    world.sandbox.faults().now(&Change::Write(changed.to_string()));
    world.sandbox.clear_requests();
    let (done, _) = run(&world, held().await).await;
    let stopped = done.expect_err("refused");
    let Error::NotAsPlanned { what: PlanChange::NotBackedUp { why }, .. } = &stopped.error else {
        panic!("{:?}", stopped.error)
    };
    assert_eq!(*why, NotBackedUp::Written);
    assert_eq!((world.sandbox.writing_requests(), world.sandbox.count("Article", None)), (0, OBJECTS));
}

#[tokio::test]
async fn what_the_backup_holds_is_emptied() {
    let world = world(articles());
    let archive = world.backup(world.options()).await.result.archive.expect("an archive");
    let mut plan = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    plan.must_be_held_in(archive.into(), jiff::Timestamp::UNIX_EPOCH);
    let (done, _) = run(&world, plan).await;
    assert_eq!((done.expect("done").result.status, world.sandbox.count("Article", None)), (Status::Ok, 0));
}

#[tokio::test]
async fn what_is_gone_since_it_was_planned_is_not_made_again() {
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = world(Sandbox::builder().seeded("Article", 5, 3, 4));
        let plan = planned(&world, one(wish, options(&world, &["Article"]))).await.expect("a plan");
        world.sandbox.faults().now(&Change::Drop("Article".into()));
        assert_eq!(is_refused(&world, plan).await, PlanChange::Gone, "{wish:?}");
        assert!(world.sandbox.collections().is_empty());
    }
}

#[tokio::test]
async fn what_the_backup_was_not_about_is_not_emptied() {
    let world = world(Sandbox::builder().seeded("Article", 5, 3, 4).seeded("Author", 5, 3, 5));
    let mut author = world.options();
    author.selection.take = vec!["Author".into()];
    let archive = world.backup(author).await.result.archive.expect("an archive");
    let mut plan = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    plan.must_be_held_in(archive.into(), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(is_refused(&world, plan).await, PlanChange::NotInBackup);
    assert_eq!(world.sandbox.count("Article", None), 5);
}

#[tokio::test]
async fn an_archive_that_was_said_to_hold_all_of_it_holds_it_still_or_nothing_is_emptied() {
    let object = r#"{"class":"Few","id":"00000000-0000-4000-8000-000000000001","properties":{"t":"T"},"vector":[1,2]}"#;
    for is_gone in [true, false] {
        let world = world(Sandbox::builder().collection(r#"{"class":"Few"}"#).object(object));
        let archive = backed_up_before_now(&world).await;
        let plan = planned(&world, one(Wish::Recreate, options(&world, &["Few"]))).await.expect("a plan");
        let changed = if is_gone {
            std::fs::remove_dir_all(&archive).expect("removed");
            is_refused(&world, plan).await
        } else {
            let unanswered = Fault::new(Kind::status(422, "no sort")).on("GET", "/v1/objects").query("sort=");
            world.sandbox.faults().add(unanswered);
            is_refused(&world, plan).await
        };
        let named = match changed {
            PlanChange::HeldGone { archive } if is_gone => archive,
            PlanChange::HeldUnknown { archive } if !is_gone => archive,
            other => panic!("{is_gone}: {other:?}"),
        };
        assert_eq!((named, world.sandbox.count("Few", None)), (archive, 1));
    }
}
