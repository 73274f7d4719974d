//! Between the drop of a collection and its making again: what the server does then, who writes then, and where it ends there.

use super::*;
use crate::support::said::said_of;

#[tokio::test]
async fn a_drop_is_believed_by_what_is_there_and_asked_for_once() {
    for (kind, gone) in [
        (Kind::AppliedThen { status: 504, body: String::new() }, true),
        (Kind::ResetAfter, true),
        (Kind::ResetBefore, false),
        (Kind::status(503, ""), false),
        (Kind::status(400, r#"{"error":[{"message":"leader not found"}]}"#), false),
        (Kind::status(403, r#"{"error":[{"message":"forbidden"}]}"#), false),
    ] {
        let world = world(articles());
        let before = schema(&world, "Article").await;
        world.sandbox.faults().add(Fault::new(kind.clone()).on("DELETE", "/v1/schema/Article"));
        let options =
            ClearOptions { patience: Duration::from_millis(300), ..one(Wish::Recreate, options(&world, &["Article"])) };
        let plan = planned(&world, options).await.expect("a plan");
        let (done, _) = run(&world, plan).await;
        let drops =
            world.sandbox.requests().into_iter().filter(|r| r.method == "DELETE" && r.path == "/v1/schema/Article");
        // A gateway that says that it could not reach the server is asked again, once the same shards are seen to stand.
        let asked = if kind == Kind::status(503, "") { 3 } else { 1 };
        assert_eq!(drops.count(), asked, "{kind:?}");
        assert_eq!(done.is_ok(), gone, "{kind:?}: {done:?}");
        assert_eq!(world.sandbox.count("Article", None), if gone { 0 } else { OBJECTS }, "{kind:?}");
        assert_eq!(schema(&world, "Article").await, before, "{kind:?}");
        if let Err(stopped) = done {
            assert!(matches!(stopped.error, Error::NotDropped { .. }), "{:?}", stopped.error);
            assert!(stopped.dropped.is_none());
        }
    }
}

#[tokio::test]
async fn a_drop_that_a_gateway_gave_up_and_that_comes_later_is_told_and_found() {
    let world = world(articles());
    let before = schema(&world, "Article").await;
    let gave_up = Kind::status(504, "<html>gateway timeout</html>");
    world.sandbox.faults().add(Fault::new(gave_up).on("DELETE", "/v1/schema/Article"));
    let wanted =
        ClearOptions { patience: Duration::from_millis(200), ..one(Wish::Recreate, options(&world, &["Article"])) };
    let plan = planned(&world, wanted).await.expect("a plan");
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("not dropped yet");
    assert!(matches!(stopped.error, Error::NotDropped { .. }), "{:?}", stopped.error);
    assert_eq!(
        (stopped.class(), stopped.partly, stopped.untouched),
        (Class::Server, Some(name("Article")), Vec::new())
    );
    world.sandbox.faults().clear();
    world.sandbox.faults().now(&Change::Drop("Article".into()));
    let plan = planned(&world, options(&world, &["Article"])).await.expect("it is found");
    assert!(!plan.collections[0].exists && plan.collections[0].unfinished.is_some());
    let (done, _) = run(&world, plan).await;
    assert_eq!(done.expect("done").result.status, Status::Ok);
    assert_eq!(schema(&world, "Article").await, before);
}

#[tokio::test]
async fn a_collection_that_could_not_be_made_again_is_made_again_by_the_next_run() {
    let world = world(articles());
    let before = schema(&world, "Article").await;
    let on_create = |kind| Fault::new(kind).on("POST", "/v1/schema").exactly();
    world.sandbox.faults().add(on_create(Kind::status(500, "disk")));
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("not created");
    let (lost, copy) = stopped.dropped.expect("it is gone, and that is said");
    assert!(lost == name("Article") && copy.schema.exists());
    assert!(world.sandbox.collections().is_empty());
    assert_eq!(stopped.error.class(), Class::Server);

    world.sandbox.faults().clear();
    let plan = planned(&world, options(&world, &["Article", "Article"])).await.expect("a plan for what is gone");
    assert_eq!(plan.collections.len(), 1, "named twice, it is meant once");
    assert!(!plan.collections[0].exists && plan.collections[0].unfinished.is_some());
    let (done, _) = run(&world, plan).await;
    assert_eq!(done.expect("done").result.status, Status::Ok);
    assert_eq!((schema(&world, "Article").await, world.sandbox.count("Article", None)), (before, 0));
    let again = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    assert!(again.collections[0].unfinished.is_none(), "what was finished is not begun again");
}

#[tokio::test]
async fn what_the_server_made_up_after_a_kill_is_found_and_replaced() {
    let world = world(articles());
    let before = schema(&world, "Article").await;
    world.sandbox.faults().add(Fault::new(Kind::status(500, "disk")).on("POST", "/v1/schema").exactly());
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    let (done, _) = run(&world, plan).await;
    done.expect_err("not created");
    world.sandbox.faults().clear();
    world.sandbox.faults().now(&Change::Write(article(1)));
    assert_ne!(schema(&world, "Article").await, before, "the server guessed");
    let plan = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    assert!(plan.collections[0].exists && plan.collections[0].unfinished.is_some());
    let (done, _) = run(&world, plan).await;
    done.expect("done");
    assert_eq!((schema(&world, "Article").await, world.sandbox.count("Article", None)), (before, 0));
}

#[tokio::test]
async fn a_writer_that_never_stops_through_the_drop_is_said_with_what_was_saved() {
    let world = world(articles());
    let before = schema(&world, "Article").await;
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    world.sandbox.faults().now(&Change::WriterThroughDrop("Article".into(), vec![article(1), article(2)]));
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("made up again and again");
    assert!(matches!(stopped.error, Error::AutoCreated { .. }), "{:?}", stopped.error);
    let (lost, copy) = stopped.dropped.expect("what was dropped is said");
    assert!(lost == name("Article") && copy.schema.exists());
    world.sandbox.faults().now(&Change::WriterThroughDrop("Article".into(), Vec::new()));
    let outcome = cleared(&world, options(&world, &["Article"])).await;
    assert_eq!((outcome.result.status, schema(&world, "Article").await), (Status::Ok, before));
}

#[tokio::test]
async fn a_writer_through_the_drop_never_leaves_a_guessed_schema() {
    let world = world(articles());
    let before = schema(&world, "Article").await;
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    world.sandbox.faults().now(&Change::WriterThroughOneDrop("Article".into(), vec![article(1), article(2)]));
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("done");
    assert_eq!(schema(&world, "Article").await, before);
    assert!(
        said_of(&outcome.remarks).iter().any(|text| text.contains("created by auto-schema")),
        "{:?}",
        outcome.remarks
    );
}

#[tokio::test]
async fn a_collection_that_somebody_creates_right_after_the_drop_is_theirs() {
    let world = world(articles());
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    let theirs =
        r#"{"class":"Article","description":"made by a migration","properties":[{"name":"other","dataType":["int"]}]}"#;
    world.sandbox.faults().now(&Change::CreatorAfterDrop("Article".into(), theirs.into()));
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("theirs");
    assert!(matches!(stopped.error, Error::Recreated { .. }), "{:?}", stopped.error);
    assert_eq!(stopped.class(), Class::Server, "ours is gone");
    let (lost, copy) = stopped.dropped.expect("it is gone, and that is said");
    assert!(lost == name("Article") && copy.schema.exists());
    assert_eq!(schema(&world, "Article").await["description"], "made by a migration");
    let drops = world.sandbox.requests().into_iter().filter(|r| r.method == "DELETE" && r.path == "/v1/schema/Article");
    assert_eq!(drops.count(), 1);
}

#[tokio::test]
async fn what_somebody_made_after_a_kill_is_theirs() {
    let world = world(articles());
    world.sandbox.faults().add(Fault::new(Kind::status(500, "disk")).on("POST", "/v1/schema").exactly());
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Article"]))).await.expect("a plan");
    let (done, _) = run(&world, plan).await;
    done.expect_err("not created");
    world.sandbox.faults().clear();
    call(&world, "POST", "/v1/schema", r#"{"class":"Article","properties":[{"name":"mine","dataType":["text"]}]}"#)
        .await;
    let before = schema(&world, "Article").await;
    let plan = planned(&world, options(&world, &["Article"])).await.expect("a plan");
    assert!(plan.collections[0].unfinished.is_none() && plan.collections[0].is_empty());
    let (done, _) = run(&world, plan).await;
    done.expect("done");
    assert_eq!(schema(&world, "Article").await, before);
}
