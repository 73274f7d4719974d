//! Somebody writes to a collection while it is merged into: what the policy protects is never lost.

use std::path::Path;

use elysiactl::event::{MergeResult, Status};
use elysiactl::ops::restore::{ConflictPolicy, RestoreOptions};
use sandbox::{Change, Fault, Kind, Seen};

use super::{all, kept, merging, moved_on, object, result, some, titles};
use crate::backup::tenants::id;
use crate::support::said::words;
use crate::support::world::World;

/// The place, among all listings of objects that a merge asks for, of the first one that this is true of.
async fn listing(policy: ConflictPolicy, fault: Option<Fault>, is_it: impl Fn(&[Seen], &Seen) -> bool) -> u64 {
    let (twin, archive) = moved_on(some()).await;
    let prepared = twin.restore_plan(in_small_batches(&twin, &archive, policy)).await.expect("a plan");
    if let Some(fault) = fault {
        twin.sandbox.faults().add(fault);
    }
    twin.sandbox.clear_requests();
    twin.run_plan(prepared).await.0.expect("a merge");
    let (mut before, mut listings) = (Vec::new(), 0);
    for request in twin.sandbox.requests() {
        if request.method == "GET" && request.path == "/v1/objects" {
            listings += 1;
            if is_it(&before, &request) {
                return listings;
            }
        }
        before.push(request);
    }
    panic!("no such listing: {before:?}");
}

/// One batch after the other, each so small that one request looks for its objects.
fn in_small_batches(world: &World, archive: &Path, policy: ConflictPolicy) -> RestoreOptions {
    RestoreOptions { batch_objects: Some(8), jobs: Some(1), ..merging(world, archive, policy) }
}

fn is_sent(before: &[Seen]) -> bool {
    before.iter().any(|one| one.path == "/v1/batch/objects")
}

fn on_listing(nth: u64, change: Change) -> Fault {
    Fault::new(Kind::Change(change)).on("GET", "/v1/objects").exactly().nth(nth)
}

#[tokio::test]
async fn what_somebody_writes_after_the_plan_is_not_replaced() {
    for policy in [ConflictPolicy::Skip, ConflictPolicy::Overwrite] {
        let (world, archive) = moved_on(some()).await;
        let prepared = world.restore_plan(merging(&world, &archive, policy)).await.expect("a plan");
        // One that was to be added, one that was to be replaced, and one that was equal.
        for n in [10, 20, 30] {
            world.sandbox.faults().now(&Change::Write(object(n, "later")));
        }
        let (done, _) = world.run_plan(prepared).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
        assert_eq!(titles(&world, [10, 30]), all("later", 2), "{policy:?}");
        let replaced = policy == ConflictPolicy::Overwrite;
        // What is replaced is what is there when it is kept: the later one is in the archive.
        let of = |numbers: &[usize]| titles(&world, numbers.iter().copied());
        assert_eq!(of(&[20]), all(if replaced { "archived" } else { "later" }, 1));
        let expected = MergeResult {
            added: 9,
            replaced: if replaced { 10 } else { 0 },
            equal: 40,
            kept: if replaced { 0 } else { 10 },
            moved: 1,
            window_ms: 0,
        };
        assert_eq!((result(&outcome), outcome.result.status), (expected, Status::Incomplete));
        let said = words(&outcome.remarks.iter().map(|(_, remark)| remark.clone()).collect::<Vec<_>>());
        assert!(said.iter().any(|remark| remark.contains("1 object was not written")), "{said:?}");
        if let Some(undo) = kept(&world).first() {
            assert!(world.lines(undo, "A").iter().any(|line| line.contains("later 20")));
        }
    }
}

#[tokio::test]
async fn what_somebody_writes_after_it_was_kept_is_not_replaced() {
    let (world, archive) = moved_on(some()).await;
    let prepared =
        world.restore_plan(in_small_batches(&world, &archive, ConflictPolicy::Overwrite)).await.expect("a plan");
    // The first page without vectors is asked for once everything is sealed.
    let write = Change::All(vec![
        Change::Write(object(20, "later")),
        Change::Write(object(10, "later")),
        Change::Delete("A".into(), None, id(21)),
    ]);
    let nth = listing(ConflictPolicy::Overwrite, None, |_, one| !one.query.contains("include=vector")).await;
    world.sandbox.faults().add(on_listing(nth, write));
    let (done, _) = world.run_plan(prepared).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!(titles(&world, [10, 20]), all("later", 2), "neither is lost");
    assert_eq!(titles(&world, 21..30), all("archived", 9));
    let expected = MergeResult { added: 10, replaced: 8, equal: 40, kept: 0, moved: 2, window_ms: 0 };
    assert_eq!((result(&outcome), outcome.result.status), (expected, Status::Incomplete));
    let [undo] = kept(&world).try_into().expect("one archive");
    let kept = world.lines(&undo, "A");
    assert!(kept.len() == 10 && kept.iter().all(|line| line.contains("live 2")), "{kept:?}");
}

#[tokio::test]
async fn what_somebody_writes_after_it_was_sent_is_told() {
    let (world, archive) = moved_on(some()).await;
    let nth = listing(ConflictPolicy::Skip, None, |before, _| is_sent(before)).await;
    let prepared = world.restore_plan(in_small_batches(&world, &archive, ConflictPolicy::Skip)).await.expect("a plan");
    world.sandbox.faults().add(on_listing(nth, Change::Write(object(12, "later"))));
    let (done, events) = world.run_plan(prepared).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!(outcome.result.status, Status::Incomplete);
    let said = words(&outcome.remarks.iter().map(|(_, remark)| remark.clone()).collect::<Vec<_>>());
    assert!(said.iter().any(|remark| remark.contains("1 object is not what was written any more")), "{said:?}");
    let told = events.iter().filter(|event| matches!(event, elysiactl::event::Event::ObjectDiffers { .. })).count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_merge_that_fails_while_it_keeps_replaces_nothing() {
    let (world, archive) = moved_on(some()).await;
    let before = super::content(&world);
    let prepared = world.restore_plan(merging(&world, &archive, ConflictPolicy::Overwrite)).await.expect("a plan");
    world.sandbox.clear_requests();
    let gone = Fault::new(Kind::status(503, "gone")).on("GET", "/v1/objects").times(1_000);
    world.sandbox.faults().add(gone);
    let stopped = world.run_plan(prepared).await.0.expect_err("a server that shows nothing");
    assert!(matches!(stopped.error, elysiactl::ops::Error::Scan { .. }), "{:?}", stopped.error);
    world.sandbox.faults().clear();
    assert_eq!(super::content(&world), before);
    assert_eq!(world.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn what_somebody_writes_before_a_batch_is_sent_again_is_not_replaced() {
    let fault = || Fault::new(Kind::status(503, "busy")).on("POST", "/v1/batch/objects").nth(1);
    let nth = listing(ConflictPolicy::Overwrite, Some(fault()), |before, _| is_sent(before)).await;
    let (world, archive) = moved_on(some()).await;
    let prepared =
        world.restore_plan(in_small_batches(&world, &archive, ConflictPolicy::Overwrite)).await.expect("a plan");
    world.sandbox.faults().add(fault());
    let write = Change::All(vec![Change::Write(object(20, "later")), Change::Write(object(10, "later"))]);
    world.sandbox.faults().add(on_listing(nth, write));
    let (done, _) = world.run_plan(prepared).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!(titles(&world, [10, 20]), all("later", 2), "neither is lost");
    let expected = MergeResult { added: 9, replaced: 9, equal: 40, moved: 2, ..MergeResult::default() };
    assert_eq!((result(&outcome), outcome.result.status), (expected, Status::Incomplete));
}

#[tokio::test]
async fn what_an_attempt_without_an_answer_has_stored_is_this_runs() {
    for kind in [Kind::ResetAfter, Kind::AppliedThen { status: 504, body: "late".into() }] {
        let (world, archive) = moved_on(some()).await;
        let prepared = world.restore_plan(merging(&world, &archive, ConflictPolicy::Overwrite)).await.expect("a plan");
        world.sandbox.faults().add(Fault::new(kind).on("POST", "/v1/batch/objects").nth(1));
        let (done, _) = world.run_plan(prepared).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
        let expected = MergeResult { added: 10, replaced: 10, equal: 40, ..MergeResult::default() };
        assert_eq!((result(&outcome), outcome.result.status), (expected, Status::Ok), "{:?}", outcome.remarks);
        assert_eq!(titles(&world, 10..30), all("archived", 20));
    }
}
