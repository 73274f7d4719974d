//! `col restore --resume`: whatever stopped a restore, resumed it ends as an unbroken one would. Nothing is lost or
//! doubled, and nothing is sent again that was written down as done.

#[cfg(unix)]
mod asked;
mod disk;
mod facts;
#[cfg(unix)]
mod kills;
mod stops;
mod trust;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::archive::runfiles::{self, EarlierRun};
use elysiactl::event::{Event, Op, Status};
use elysiactl::ops::backup;
use elysiactl::ops::restore::{PreparedRestore, RestoreOptions, RestoreOutcome, RestoreStopped};
use sandbox::{Fault, Kind, Sandbox};
use serde_json::Value;

use crate::support::world::{World, world};

/// An archive in many runs of ids, with the server it was made of.
async fn in_runs(source: World) -> (World, PathBuf) {
    let options = backup::BackupOptions { page_objects: Some(5), jobs: Some(8), ..source.options() };
    // Whoever waits for a page has time to share what is ahead with others.
    source.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(8))).on("GET", "/v1/objects"));
    let outcome = source.try_backup(options).await.0.expect("a backup");
    source.sandbox.faults().clear();
    assert_eq!(outcome.result.status, Status::Ok);
    (source, outcome.result.archive.expect("an archive").into())
}

/// A collection without tenants, in many runs.
async fn articles(objects: u64) -> (World, PathBuf) {
    let (source, archive) = in_runs(world(Sandbox::builder().seeded("Article", objects, 3, 4))).await;
    assert!(batches_of_the_first_run(&archive) * 8 < objects, "several runs");
    (source, archive)
}

/// Batches after which the first run of ids of such a collection is done, and no other.
fn batches_of_the_first_run(archive: &Path) -> u64 {
    let index = std::fs::read_to_string(archive.join("collections/Article/index.jsonl")).expect("an index");
    let runs = index.lines().map(|line| serde_json::from_str::<Value>(line).expect("a run"));
    let first = runs.into_iter().find(|run| run["part"] == "objects-000000.jsonl").expect("a first part");
    first["objects"].as_u64().expect("a number").div_ceil(8)
}

/// Small batches, few at once, and little patience.
fn small(target: &World, archive: &Path) -> RestoreOptions {
    RestoreOptions {
        batch_objects: Some(8),
        jobs: Some(2),
        patience: Duration::from_millis(100),
        ..target.restore_options(archive)
    }
}

fn resumed(options: &RestoreOptions) -> RestoreOptions {
    RestoreOptions { resume: true, ..options.clone() }
}

/// Objects that the newest unfinished run in this world has written down as dealt with; `None` if there is no such run.
fn written_down(target: &World, options: &RestoreOptions) -> Option<u64> {
    let runs = &target.state().runs;
    let found = runfiles::last_runs(&*target.disk, runs, Op::Restore).expect("runs");
    let EarlierRun { about, .. } = found.first().filter(|run| !run.complete)?;
    let kept = runfiles::look(&*target.disk, runs, about.run_id, &options.tenants).expect("its files");
    let judged = kept.history.targets.values().flat_map(|target| &target.imported);
    Some(judged.map(|run| run.objects + run.rejected).sum())
}

/// The journal of the only run.
fn journal(target: &World) -> PathBuf {
    let mut runs = std::fs::read_dir(target.state().runs).expect("runs");
    let run = runs.next().expect("a run").expect("an entry").path();
    assert!(runs.next().is_none(), "one run");
    run.join("checkpoint.jsonl")
}

/// Changes records of the only run's journal, as if that run had written them so.
fn forge(target: &World, change: impl Fn(&str) -> String) {
    let journal = journal(target);
    let text = std::fs::read_to_string(&journal).expect("a journal");
    let forged = text.lines().map(|line| {
        let record = line.split_once("\"record\":").expect("a record").1.strip_suffix('}').expect("its end");
        let record = change(record);
        let check = blake3::hash(record.as_bytes()).to_hex();
        format!("{{\"check\":\"{}\",\"record\":{record}}}\n", &check[..16])
    });
    let forged: String = forged.collect();
    assert_ne!(forged, text);
    std::fs::write(journal, forged).expect("written");
}

fn sent(events: &[Event]) -> u64 {
    let objects = events.iter().map(|event| match event {
        Event::BatchImported { objects, .. } => *objects,
        _ => 0,
    });
    objects.sum()
}

/// Plans to resume, and gives the plan with the number of objects that it needs not send.
async fn plan_again(target: &World, options: &RestoreOptions) -> (PreparedRestore, u64) {
    let done = written_down(target, options).unwrap_or(0);
    let plan = target.restore_plan(resumed(options)).await.unwrap_or_else(|e| panic!("no plan: {e:?}"));
    (plan, done)
}

/// Carries a restore on to its end, and holds that it sent just what was not written down.
async fn resume_collection(target: &World, options: &RestoreOptions, how: &str) -> (RestoreOutcome, Vec<Event>) {
    let (plan, done) = plan_again(target, options).await;
    let all: u64 = plan.plan.collections.iter().map(|collection| collection.objects).sum();
    // A run that got to its end, and could not tell it.
    let done = if plan.plan.resumes.as_ref().is_some_and(|carried| carried.complete) { all } else { done };
    let (done_now, events) = target.run_plan(plan).await;
    let outcome = done_now.unwrap_or_else(|stopped| panic!("{how}: it stopped again: {:?}", stopped.error));
    assert_eq!(sent(&events), all - done, "{how}: just what was not written down is sent");
    assert!(outcome.result.resumed_objects <= done, "{how}: {} of {done}", outcome.result.resumed_objects);
    assert_eq!(outcome.result.objects + outcome.result.collections.iter().map(|c| c.rejected).sum::<u64>(), all);
    (outcome, events)
}

/// What a server holds of a collection or tenant: by id, without times, class and tenant, with other names put back.
fn held(world: &World, class: &str, tenant: Option<&str>, names: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for line in world.sandbox.objects(class, tenant) {
        let line = names.iter().fold(line, |line, (old, new)| line.replace(&format!("/{new}/"), &format!("/{old}/")));
        let mut object: Value = serde_json::from_str(&line).expect("an object");
        let members = object.as_object_mut().expect("an object");
        for member in ["class", "creationTimeUnix", "lastUpdateTimeUnix", "tenant"] {
            members.remove(member);
        }
        let id = object["id"].as_str().expect("an id").to_owned();
        assert!(found.insert(id, object).is_none(), "an id comes twice");
    }
    found
}

/// The error of a run that was to be stopped.
fn stopped(done: Result<RestoreOutcome, RestoreStopped>, how: &str) -> Option<RestoreStopped> {
    match done {
        Err(stopped) => Some(stopped),
        Ok(outcome) => {
            assert_eq!(outcome.result.status, Status::Ok, "{how}: {:?}", outcome.remarks);
            None
        }
    }
}
