//! Batches of which a part fails: what stays refused is rejected by name and counted once, what is stored on another try
//! is not, and exit 0 means that all is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::event::{Event, Status};
use elysiactl::ops::restore::RestoreOptions;
use sandbox::{Fault, Kind, Sandbox};

use crate::support::world::{World, world};

const OBJECTS: u64 = 600;
const BATCH: u32 = 50;
/// Times an object is sent at most.
const ATTEMPTS: usize = 3;

async fn archive() -> (World, PathBuf) {
    let source = world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4));
    let outcome = source.backup(source.options()).await;
    (source, outcome.result.archive.expect("an archive").into())
}

fn options(target: &World, archive: &Path) -> RestoreOptions {
    let patience = Duration::from_millis(500);
    RestoreOptions { batch_objects: Some(BATCH), jobs: Some(2), patience, ..target.restore_options(archive) }
}

fn on_batches(kind: Kind) -> Fault {
    Fault::new(kind).on("POST", "/v1/batch/objects")
}

fn id(line: &str) -> u128 {
    let object: serde_json::Value = serde_json::from_str(line).expect("an object");
    uuid::Uuid::try_parse(object["id"].as_str().expect("an id")).expect("an id").as_u128()
}

fn ids<'a>(lines: impl IntoIterator<Item = &'a str>) -> BTreeSet<u128> {
    lines.into_iter().map(id).collect()
}

#[tokio::test]
async fn what_stays_refused_is_rejected_by_name_and_everything_else_is_there() {
    let (source, archive) = archive().await;
    let stored = source.lines(&archive, "Article");
    let all = ids(stored.iter().map(String::as_str));
    // About one in a hundred, every second one, all of them.
    for of in [97, 2, 1] {
        let target = world(Sandbox::builder());
        target.sandbox.faults().add(on_batches(Kind::FailIds(of, "invalid object: no".into())));
        let (done, events) = target.try_restore(options(&target, &archive)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("1 in {of}: {:?}", stopped.error));
        let refused: BTreeSet<u128> = all.iter().copied().filter(|id| id.is_multiple_of(u128::from(of))).collect();
        let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
        assert_eq!(ids(text.lines()), refused, "1 in {of}");
        assert_eq!(text.lines().count(), refused.len(), "none is named twice");
        let live = target.sandbox.objects("Article", None);
        let there = ids(live.iter().map(String::as_str));
        assert!(there.is_disjoint(&refused) && there.len() + refused.len() == all.len(), "1 in {of}");
        let collection = &outcome.result.collections[0];
        assert_eq!((outcome.result.status, collection.rejected), (Status::Incomplete, refused.len() as u64), "exit 3");
        assert_eq!(collection.objects + collection.rejected, OBJECTS, "none is counted twice");
        let told: u64 =
            events.iter().map(|e| if let Event::BatchImported { objects, .. } = e { *objects } else { 0 }).sum();
        assert_eq!(told, OBJECTS, "what the bars show");
    }
}

#[tokio::test]
async fn what_is_stored_on_another_try_is_not_rejected() {
    let (_source, archive) = archive().await;
    for (one_in, times) in [(25, 2), (2, 2), (1, 2), (7, 1)] {
        let target = world(Sandbox::builder());
        // A batch fails in part or as a whole, and what is left of it again; the third try is the last.
        let fault = on_batches(Kind::FailObjects(one_in, "put object: oops".into()));
        target.sandbox.faults().add(fault.after(2).times(times));
        let outcome = target.restore(RestoreOptions { jobs: Some(1), ..options(&target, &archive) }).await;
        assert_eq!(target.sandbox.faults().struck(), times);
        let rejected = outcome.result.collections[0].rejected;
        assert_eq!((outcome.result.status, rejected, outcome.rejected), (Status::Ok, 0, None), "1 in {one_in}: exit 0");
        assert_eq!((outcome.result.objects, target.sandbox.count("Article", None)), (OBJECTS, OBJECTS));
    }
}

#[tokio::test]
async fn only_what_failed_is_sent_again() {
    let (_source, archive) = archive().await;
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_batches(Kind::FailIds(97, "invalid object: no".into())));
    target.sandbox.clear_requests();
    let (done, _) = target.try_restore(RestoreOptions { jobs: Some(1), ..options(&target, &archive) }).await;
    let rejected = done.expect("an end").result.collections[0].rejected;
    let sent: Vec<u64> =
        target.sandbox.requests().iter().filter(|r| r.path == "/v1/batch/objects").map(|r| r.bytes).collect();
    let whole = usize::try_from(OBJECTS / u64::from(BATCH)).expect("few");
    let most = whole + usize::try_from(rejected).expect("few") * (ATTEMPTS - 1);
    assert!(rejected > 0 && sent.len() > whole && sent.len() <= most, "{} requests, {most} at most", sent.len());
    let largest = sent.iter().max().expect("a request");
    assert!(sent.iter().filter(|bytes| *bytes * 2 < *largest).count() >= ATTEMPTS - 1, "{sent:?}");
}
