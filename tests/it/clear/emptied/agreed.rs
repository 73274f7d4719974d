//! Deleting by ids takes what was agreed to, and not what comes after that.

use super::*;

/// To delete as many as there are.
async fn agreed(world: &World) -> ClearPlan {
    let mut plan = planned(world, one(Wish::Delete, options(world, &["Article"]))).await.expect("a plan");
    plan.collections[0].agreed = plan.collections[0].all_objects();
    plan
}

fn writes(object: &str) -> Fault {
    Fault::new(Kind::Change(Change::Write(object.to_owned()))).on("DELETE", "/v1/batch/objects").times(1)
}

#[tokio::test]
async fn what_comes_after_a_count_was_agreed_to_stays() {
    let world = world(articles());
    let plan = agreed(&world).await;
    world.sandbox.faults().add(writes(&article(1)));
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, OBJECTS));
    assert_eq!(world.sandbox.count("Article", None), 1);
    let said = "not empty: 1 object written after 1,500 objects were confirmed, or in that second: not deleted";
    assert!(said_of(&outcome.remarks).iter().any(|text| text == said), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn what_was_written_in_the_second_before_the_count_goes_as_agreed() {
    let world = world(articles());
    world.sandbox.faults().now(&Change::Write(article(1)));
    let (done, _) = run(&world, agreed(&world).await).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS + 1), "{:?}", outcome.remarks);
    assert_eq!((world.sandbox.count("Article", None), outcome.remarks.len()), (0, 0));
}

#[tokio::test]
async fn what_comes_before_the_look_goes_where_no_number_was_agreed_to_and_what_comes_later_stays() {
    let world = world(articles());
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan");
    world.sandbox.faults().now(&Change::Write(article(1)));
    world.sandbox.faults().add(writes(&article(2)));
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, OBJECTS + 1));
    assert_eq!(world.sandbox.count("Article", None), 1);
    let said = "not empty: 1 object written after 1,501 objects had been counted, or in that second: not deleted";
    assert!(said_of(&outcome.remarks).iter().any(|text| text == said), "{:?}", outcome.remarks);
    let said = "more was deleted than there was when it was planned, as somebody writes to it: 1 object";
    assert!(said_of(&outcome.remarks).iter().any(|text| text == said), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn another_collection_of_the_name_with_as_many_objects_is_not_emptied() {
    let document = r#"{"class":"Article","vectorizer":"none","properties":[{"name":"title","dataType":["text"]}]}"#;
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = world(Sandbox::builder().collection(document).object(&article(1)));
        let plan = planned(&world, one(wish, options(&world, &["Article"]))).await.expect("a plan");
        world.sandbox.faults().now(&Change::Drop("Article".into()));
        call(&world, "POST", "/v1/schema", document).await;
        world.sandbox.faults().now(&Change::Write(article(2)));
        world.sandbox.clear_requests();
        let (done, _) = run(&world, plan).await;
        let stopped = done.expect_err("refused");
        assert!(matches!(stopped.error, Error::Recreated { .. }), "{wish:?}: {:?}", stopped.error);
        assert_eq!((stopped.class(), world.sandbox.writing_requests()), (Class::Refused, 0), "{wish:?}");
        assert_eq!(world.sandbox.count("Article", None), 1, "{wish:?}");
    }
}
