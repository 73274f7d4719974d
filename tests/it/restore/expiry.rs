//! Collections whose objects expire: what has expired already is counted before it is written, and where objects went
//! the server's clean-up is named.

use std::path::PathBuf;

use elysiactl::event::{Event, Status, Warning};
use elysiactl::ops::restore::RestoreOptions;
use sandbox::{Builder, Change, Fault, Kind, Sandbox};
use serde_json::{Value, json};

use crate::support::said::{said_of, words};
use crate::support::world::{World, verify_options, world};

const LIVE: u64 = 25;
const EXPIRED: u64 = 30;

fn class(on: &str) -> Value {
    json!({"class": "Short", "vectorizer": "none",
        "properties": [{"name": "t", "dataType": ["text"]}, {"name": "until", "dataType": ["date"]}],
        "objectTtlConfig": {"enabled": true, "deleteOn": on, "defaultTtl": 60}})
}

fn objects() -> impl Iterator<Item = String> {
    (0..LIVE + EXPIRED).map(|number| {
        let until = if number < LIVE { "2999-01-01T00:00:00Z" } else { "2001-01-01T00:00:00Z" };
        json!({"class": "Short", "id": format!("{number:08x}-0000-4000-8000-000000000000"),
            "properties": {"t": "x", "until": until}})
        .to_string()
    })
}

fn source(on: &str) -> World {
    let builder = Sandbox::builder().ttl().collection(&class(on).to_string());
    world(objects().fold(builder, |builder: Builder, object| builder.object(&object)))
}

async fn archived(source: &World) -> PathBuf {
    source.backup(source.options()).await.result.archive.expect("an archive").into()
}

#[tokio::test]
async fn a_plan_counts_what_has_expired_and_says_how_to_keep_it() {
    let source = source("until");
    let archive = archived(&source).await;
    let target = world(Sandbox::builder().ttl());
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan").plan;
    let remarks = words(&plan.collections[0].remarks);
    let told = |words: &str| remarks.iter().any(|remark| remark.contains(words));
    assert!(told("30 objects have expired already") && told("--set objectTtl=off"), "{remarks:?}");
    assert!(told("expire by their property until"), "{remarks:?}");
    // With the advice nothing expires, and nothing is said.
    let kept = RestoreOptions {
        settings: vec!["objectTtl=off".parse().expect("a setting")],
        ..target.restore_options(&archive)
    };
    let outcome = target.restore(kept).await;
    target.sandbox.faults().now(&Change::Expire);
    assert_eq!((outcome.result.status, target.sandbox.count("Short", None)), (Status::Ok, LIVE + EXPIRED));
    assert!(!said_of(&outcome.remarks).iter().any(|text| text.contains("have expired")), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn what_has_expired_is_not_called_restored_though_the_server_still_shows_it() {
    let source = source("until");
    let archive = archived(&source).await;
    for verify in [true, false] {
        let target = world(Sandbox::builder().ttl());
        let (done, events) = target.try_restore(RestoreOptions { verify, ..target.restore_options(&archive) }).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
        assert_eq!(target.sandbox.count("Short", None), LIVE + EXPIRED, "its schedule has not come round");
        assert_eq!(outcome.result.status, Status::Incomplete, "{:?}", outcome.remarks);
        let told = |e: &Event| matches!(e, Event::Warning(Warning::ObjectsExpired { objects: EXPIRED, .. }));
        assert!(events.iter().any(told));
    }
}

#[tokio::test]
async fn ages_by_the_servers_own_times_count_anew() {
    let source = source("_creationTimeUnix");
    let archive = archived(&source).await;
    let target = world(Sandbox::builder().ttl());
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan").plan;
    let remarks = words(&plan.collections[0].remarks);
    assert!(remarks.iter().any(|remark| remark.contains("age counts from this restore")), "{remarks:?}");
    assert!(!remarks.iter().any(|remark| remark.contains("expired already")), "{remarks:?}");
}

#[tokio::test]
async fn objects_that_expire_while_they_are_restored_are_missing_for_a_reason() {
    let source = source("until");
    let archive = archived(&source).await;
    let target = world(Sandbox::builder().ttl());
    target.sandbox.faults().add(Fault::new(Kind::Change(Change::Expire)).on("POST", "/v1/graphql").times(1));
    let (done, _) = target.try_restore(target.restore_options(&archive)).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    let missing = outcome.result.collections[0].only_left;
    assert_eq!((outcome.result.status, missing), (Status::Incomplete, Some(EXPIRED)), "{:?}", outcome.remarks);
    let why = |text: &String| text.contains("expire (objectTtlConfig), which may be why");
    assert!(said_of(&outcome.remarks).iter().any(why), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn a_comparison_names_expiry_where_objects_are_missing_and_only_there() {
    let source = source("until");
    let archive = archived(&source).await;
    let why = |text: &String| text.contains("expire (objectTtlConfig), which may be why");
    let same = source.verify(verify_options(&archive)).await;
    assert!(same.result.status == Status::Ok && !said_of(&same.remarks).iter().any(why), "{:?}", same.remarks);
    source.sandbox.faults().now(&Change::Expire);
    let differs = source.verify(verify_options(&archive)).await;
    assert_eq!(differs.result.collections[0].only_left, Some(EXPIRED));
    assert!(said_of(&differs.remarks).iter().any(why), "{:?}", differs.remarks);
}
