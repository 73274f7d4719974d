//! Objects that the server, or what stands before it, does not take: each is named, and all others are there.

use super::*;

#[tokio::test]
async fn objects_that_stay_refused_are_named_and_the_others_are_there() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::FailIds(10, "invalid text property".into())));
    let (done, events) = target.try_restore(batches(&target, &archive)).await;
    let outcome = done.expect("an end");
    let lines = target.lines(&archive, "Article");
    let expected: Vec<String> = lines.iter().map(|l| id_of(l)).filter(|id| is_tenth(id)).collect();
    assert!(!expected.is_empty());
    let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
    let mut rejected: Vec<String> = text.lines().map(id_of).collect();
    rejected.sort_unstable();
    assert_eq!(rejected, expected);
    let line: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(line["reason"], "invalid text property");
    assert!(lines.contains(&line["object"].to_string()) || lines.iter().any(|l| text.contains(l)), "its own bytes");
    let said = events.iter().filter(|e| matches!(e, Event::ObjectRejected { .. })).count();
    let collection = &outcome.result.collections[0];
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert_eq!((collection.rejected, collection.only_left), (expected.len() as u64, Some(expected.len() as u64)));
    let [reason] = &collection.rejected_reasons[..] else { panic!("one reason: {:?}", collection.rejected_reasons) };
    assert_eq!((reason.reason.as_str(), reason.objects), ("invalid text property", collection.rejected));
    assert!(reason.first_id.is_some_and(|id| expected.contains(&id.to_string())), "{reason:?}");
    assert_eq!((collection.objects + collection.rejected, said), (OBJECTS, expected.len()));
    assert_eq!(target.sandbox.count("Article", None), OBJECTS - collection.rejected);
}

fn is_tenth(id: &str) -> bool {
    uuid::Uuid::try_parse(id).expect("an id").as_u128().is_multiple_of(10)
}

/// 100,000 objects by night; a build for development takes its time over them.
#[tokio::test]
async fn one_object_in_a_hundred_refused_is_exactly_those_named() {
    let objects = tier::amount("ELYSIACTL_TEST_OBJECTS", [5_000, 100_000, 100_000]);
    let (_from, archive) = backed_up(Sandbox::builder().seeded("Article", objects, 3, 4)).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::FailIds(100, "invalid text property".into())));
    let (done, _) = target.try_restore(target.restore_options(&archive)).await;
    let outcome = done.expect("an end");
    let is_hundredth = |id: &String| uuid::Uuid::try_parse(id).expect("an id").as_u128().is_multiple_of(100);
    let expected: Vec<String> =
        target.lines(&archive, "Article").iter().map(|l| id_of(l)).filter(is_hundredth).collect();
    let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
    let mut rejected: Vec<String> = text.lines().map(id_of).collect();
    rejected.sort_unstable();
    assert!(expected.len() as u64 > objects / 200, "{} of {objects}", expected.len());
    assert_eq!((rejected, outcome.result.status), (expected.clone(), Status::Incomplete));
    assert_eq!(target.sandbox.count("Article", None), objects - expected.len() as u64);
}

#[tokio::test]
async fn every_object_refused_is_every_object_named() {
    let (_from, archive) = backed_up(Sandbox::builder().seeded("Article", 60, 3, 4)).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::FailObjects(1, "new node has a vector with length 3".into())));
    let (done, _) = target.try_restore(batches(&target, &archive)).await;
    let outcome = done.expect("an end");
    let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
    assert_eq!((outcome.result.status, text.lines().count()), (Status::Incomplete, 60));
    assert_eq!((outcome.result.objects, target.sandbox.count("Article", None)), (0, 0));
}

#[tokio::test]
async fn a_proxy_that_takes_small_requests_only_gets_small_ones() {
    let (_from, archive) = backed_up(articles()).await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::RefuseBodiesOver(4_000)));
    let outcome = target.restore(batches(&target, &archive)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS));
}

#[tokio::test]
async fn one_object_no_request_can_carry_is_named() {
    let (_from, archive) = backed_up(
        Sandbox::builder()
            .collection(r#"{"class":"A","vectorizer":"none"}"#)
            .object(
                r#"{"class":"A","id":"00000000-0000-0000-0000-000000000001","properties":{"t":"small"},"vector":[1]}"#,
            )
            .object(&format!(
                r#"{{"class":"A","id":"00000000-0000-0000-0000-000000000002","properties":{{"t":"{}"}},"vector":[1]}}"#,
                "x".repeat(5_000)
            )),
    )
    .await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::RefuseBodiesOver(4_000)));
    let (done, _) = target.try_restore(target.restore_options(&archive)).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 1));
    let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
    assert!(text.contains("too large"), "{text}");
}
