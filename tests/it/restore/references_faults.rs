//! References that are added after their objects, on a server that fails, blames, or says nothing: whatever it did, no
//! reference is there twice, and none is lost.

use std::path::Path;
use std::time::Duration;

use elysiactl::event::{Class, Event, Status};
use elysiactl::ops::restore::{RestoreOptions, RestoreOutcome};
use sandbox::{Fault, Kind, Sandbox};
use serde_json::Value;

use crate::restore::references::{archive_of, batches, id, is_equal, targets, web};
use crate::support::said::said_of;
use crate::support::world::{World, world};

const ROUTE: &str = "/v1/batch/references";

fn on_references(kind: Kind) -> Fault {
    Fault::new(kind).on("POST", ROUTE)
}

fn sent(target: &World, path: &str) -> usize {
    target.sandbox.requests().iter().filter(|request| request.path == path).count()
}

/// Restores with faults on the requests of references.
async fn restored(archive: &Path, faults: impl IntoIterator<Item = Fault>) -> (World, RestoreOutcome) {
    let target = world(Sandbox::builder());
    faults.into_iter().for_each(|fault| target.sandbox.faults().add(fault));
    let (done, _) = target.try_restore(batches(&target, archive)).await;
    (target, done.unwrap_or_else(|stopped| panic!("the restore stopped: {:?}", stopped.error)))
}

#[tokio::test]
async fn what_passes_is_put_right_and_nothing_is_doubled() {
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    for kind in [
        Kind::ResetAfter,
        Kind::ResetBefore,
        Kind::LandsLate(Duration::from_millis(3)),
        Kind::status(503, ""),
        Kind::status(500, "oops"),
        Kind::bad_gateway(),
        Kind::too_many("0"),
        Kind::AppliedThen { status: 504, body: String::new() },
        Kind::AppliedThen { status: 500, body: "leader not found".into() },
        Kind::Cut(90),
        Kind::CutCloseDelimited(90),
        Kind::Stall(30, Duration::from_secs(5)),
        Kind::EmptyBody,
        Kind::Garbage("]".into()),
        Kind::ErrorIn200("shard is busy".into()),
        Kind::KeepResults(0),
        Kind::KeepResults(3),
        Kind::FailObjects(1, "store is read-only due to: memory pressure".into()),
        Kind::FailObjects(5, "store is read-only".into()),
        Kind::FailObjects(3, "ref batch: oops".into()),
        Kind::FailAdded(1, "ref batch: write inverted batch: oops".into()),
        Kind::FailAdded(4, "ref batch: oops".into()),
        Kind::FailIds(3, "ref batch: oops".into()),
    ] {
        for nth in [1, 4] {
            let (target, outcome) = restored(&archive, [on_references(kind.clone()).nth(nth)]).await;
            assert_eq!(outcome.result.status, Status::Ok, "{kind:?} at request {nth}: {:?}", outcome.differences);
            is_equal(&outcome);
            target.equals(&archive, "Web", "Web");
        }
    }
}

#[tokio::test]
async fn a_request_of_references_is_never_simply_sent_again() {
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    let (target, outcome) = restored(&archive, []).await;
    is_equal(&outcome);
    let (objects, references) = (sent(&target, "/v1/batch/objects"), sent(&target, ROUTE));
    let (target, outcome) = restored(&archive, [on_references(Kind::ResetAfter).nth(2)]).await;
    is_equal(&outcome);
    assert_eq!(sent(&target, "/v1/batch/objects"), objects + 1, "its objects took the place of what was there");
    assert_eq!(sent(&target, ROUTE), references + 1);
    assert_eq!(outcome.result.retries, 1);
}

#[tokio::test]
async fn what_does_not_pass_ends_with_one_error_and_says_what_is_there() {
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    for kind in [
        Kind::status(500, "oops"),
        Kind::ResetAfter,
        Kind::EmptyBody,
        Kind::KeepResults(1),
        Kind::status(401, ""),
        Kind::status(403, r#"{"error":[{"message":"forbidden"}]}"#),
        Kind::FailObjects(1, "store is read-only".into()),
        Kind::Die,
    ] {
        let target = world(Sandbox::builder());
        target.sandbox.faults().add(on_references(kind.clone()).after(2));
        let options = RestoreOptions { patience: Duration::from_millis(200), ..batches(&target, &archive) };
        let (done, _) = target.try_restore(options).await;
        let stopped = done.expect_err("no answer");
        assert_eq!(stopped.error.class(), Class::Server, "{kind:?}: {:?}", stopped.error);
        let [(name, written)] = stopped.created.as_slice() else { panic!("{:?}", stopped.created) };
        assert!(name.as_str() == "Web" && *written <= target.sandbox.count("Web", None), "{kind:?}");
    }
}

#[tokio::test]
async fn an_object_whose_references_stay_refused_is_there_without_them_and_named() {
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    let is_fifth = |number: &u64| uuid::Uuid::try_parse(&id(*number)).expect("an id").as_u128().is_multiple_of(5);
    for kind in [
        Kind::FailIds(5, "ref batch: property 'to' is odd".into()),
        // Said before anything is done: nothing is sent twice.
        Kind::FailIds(5, "target: object Web/x not found for tenant \"\"".into()),
    ] {
        let (target, outcome) = restored(&archive, [on_references(kind.clone())]).await;
        // Those without references are not sent there.
        let refused: Vec<u64> = (0..120).filter(is_fifth).filter(|n| n % 7 > 0 || n % 3 == 0).collect();
        assert!(refused.len() > 10);
        let text = std::fs::read_to_string(outcome.rejected.clone().expect("a file")).expect("text");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let mut named: Vec<&str> = lines.iter().map(|line| line["id"].as_str().expect("an id")).collect();
        let mut expected: Vec<String> = refused.iter().map(|number| id(*number)).collect();
        named.sort_unstable();
        expected.sort();
        assert_eq!(named, expected);
        let Kind::FailIds(_, said) = &kind else { panic!("{kind:?}") };
        assert_eq!(lines[0]["reason"], format!("stored without some of its references: {said}"));

        let (collection, count) = (&outcome.result.collections[0], refused.len() as u64);
        assert_eq!((outcome.result.status, collection.rejected), (Status::Incomplete, count));
        assert_eq!((collection.objects, target.sandbox.count("Web", None)), (120 - count, 120));
        assert_eq!(
            (collection.only_left, collection.only_right, collection.different),
            (Some(0), Some(0), Some(count))
        );
        let stored = format!("{count} rejected objects are there all the same, but for what was refused of them");
        assert!(said_of(&outcome.remarks).contains(&stored), "{:?}", outcome.remarks);
        assert!(!said_of(&outcome.remarks).iter().any(|text| text.contains("counts")), "{:?}", outcome.remarks);
        for number in 0..120 {
            let expected = if refused.contains(&number) { vec![] } else { targets(&source, "Web", number, "to") };
            assert_eq!(targets(&target, "Web", number, "to"), expected, "{number}");
        }
        if said.starts_with("target") {
            assert_eq!(sent(&target, "/v1/batch/objects"), sent(&target, ROUTE));
        }
    }
}

#[tokio::test]
async fn one_reference_that_spoils_every_answer_is_found_and_the_others_are_there() {
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    // Up to 1.32 a server panics over a beacon that it cannot read.
    let from = format!("{}/to", id(13));
    let (target, outcome) = restored(&archive, [on_references(Kind::PanicsOver(from))]).await;
    let collection = &outcome.result.collections[0];
    let found = (outcome.result.status, collection.rejected, collection.different);
    assert_eq!(found, (Status::Incomplete, 1, Some(1)), "{:?}", outcome.differences);
    let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
    assert!(text.contains(&id(13)) && text.contains("does not say what became of its references"), "{text}");
    for number in (0..120).filter(|number| *number != 13) {
        assert_eq!(targets(&target, "Web", number, "to"), targets(&source, "Web", number, "to"));
    }
}

#[tokio::test]
async fn a_proxy_that_takes_small_requests_only_gets_small_ones() {
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    let (target, outcome) = restored(&archive, [on_references(Kind::RefuseBodiesOver(2_000))]).await;
    is_equal(&outcome);
    target.equals(&archive, "Web", "Web");
    let refused = target.sandbox.requests().iter().filter(|r| r.path == ROUTE && r.status == 413).count();
    let all = sent(&target, ROUTE);
    assert!((1..=15).contains(&refused) && all > 40, "{refused} of {all} requests were refused");
}

#[tokio::test]
async fn many_small_faults_from_a_seed_never_double_a_reference() {
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    for seed in 0..8 {
        let target = world(Sandbox::builder());
        target.sandbox.faults().seed(seed);
        for kind in [
            Kind::status(500, "oops"),
            Kind::AppliedThen { status: 504, body: String::new() },
            Kind::ResetBefore,
            Kind::ResetAfter,
            Kind::Cut(100),
            Kind::KeepResults(2),
            Kind::FailObjects(7, "ref batch: oops".into()),
            Kind::FailAdded(5, "ref batch: oops".into()),
        ] {
            for route in [ROUTE, "/v1/batch/objects"] {
                target.sandbox.faults().add(Fault::new(kind.clone()).on("POST", route).chance(40));
            }
        }
        match target.try_restore(batches(&target, &archive)).await {
            (Ok(outcome), events) => {
                let collection = &outcome.result.collections[0];
                let told = events.iter().filter(|event| matches!(event, Event::ObjectRejected { .. })).count() as u64;
                assert_eq!((collection.objects + collection.rejected, told), (120, collection.rejected), "seed {seed}");
                let differing = (collection.only_left.unwrap_or(0), collection.different.unwrap_or(0));
                assert!(differing.0 + differing.1 <= collection.rejected, "seed {seed}: {differing:?}");
            }
            (Err(stopped), _) => assert_eq!(stopped.error.class(), Class::Server, "seed {seed}: {:?}", stopped.error),
        }
    }
}
