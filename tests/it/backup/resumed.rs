//! A backup that was interrupted is resumed: it ends as an unbroken one would, reads no more than it must, and is not
//! taken for another one.

mod another;
#[cfg(unix)]
mod program;
mod recreated;
mod tenants_kept;

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use elysiactl::archive::{Archive, Content, Error as ArchiveError, OsDisk};
use elysiactl::event::{Class, Event, NotKeptReason, Status, Warning};
use elysiactl::ops::Error;
use elysiactl::ops::backup::{self, BackupOptions, BackupOutcome, Resume};
use sandbox::{Builder, Change, Fault, Kind, Sandbox};

use crate::backup::tenants::{CLASS, equals, tenants};
use crate::support::disk_of::GoneAfter;
use crate::support::tier;
use crate::support::world::{World, world};

const PAGES: &str = "/v1/objects";
const NAMES: [&str; 4] = ["Article", "Book", "Chat", "Draft"];

fn library() -> Builder {
    NAMES.iter().fold(Sandbox::builder(), |builder, name| builder.seeded(name, 120, 3, 7))
}

fn options(world: &World) -> BackupOptions {
    BackupOptions { page_objects: Some(40), jobs: Some(2), ..world.options() }
}

fn again(world: &World) -> BackupOptions {
    BackupOptions { resume: Some(Resume { archive: None, as_before: false }), ..options(world) }
}

fn this_one(world: &World, archive: &Path) -> BackupOptions {
    BackupOptions { resume: Some(Resume { archive: Some(archive.to_owned()), as_before: true }), ..options(world) }
}

fn digests(outcome: &BackupOutcome) -> Vec<Option<String>> {
    outcome.result.collections.iter().map(|c| c.digest.clone()).collect()
}

/// Backs up until the server refuses every page after the `n`-th, then lets it answer again; the unsealed archive.
async fn interrupted(world: &World, n: u64) -> PathBuf {
    world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(n));
    let (done, _) = world.try_backup(options(world)).await;
    let archive = done.expect_err("an interruption").archive.expect("an archive");
    world.sandbox.faults().clear();
    world.sandbox.clear_requests();
    archive
}

/// The id of the first object of every collection.
fn first_id() -> String {
    let object: serde_json::Value =
        serde_json::from_str(&world(library()).sandbox.objects("Article", None)[0]).expect("JSON");
    object["id"].as_str().expect("an id").to_owned()
}

/// Carries the backup on. Another test that starts a program has the lock, too, until that program runs: then once more.
async fn resumed_run(world: &World) -> BackupOutcome {
    let started = Instant::now();
    loop {
        match world.try_backup(again(world)).await.0 {
            Ok(outcome) => return outcome,
            Err(stopped) => {
                let locked = matches!(stopped.error, Error::Archive(ArchiveError::Locked { .. }));
                assert!(locked && started.elapsed() < Duration::from_secs(20), "{:?}", stopped.error);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Objects that the run says were safe.
fn resumed(events: &[Event]) -> u64 {
    let objects = |event: &Event| if let Event::Resumed { objects, .. } = event { Some(*objects) } else { None };
    events.iter().filter_map(objects).sum()
}

#[tokio::test]
async fn a_backup_that_the_server_ended_is_carried_on_to_what_an_unbroken_one_is() {
    let clean = world(library());
    let clean = digests(&clean.backup(options(&clean)).await);
    for n in [5, 6, 9, 13, 18] {
        let world = world(library());
        let archive = interrupted(&world, n).await;
        let (done, events) = world.try_backup(again(&world)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
        assert_eq!((outcome.result.status, digests(&outcome)), (Status::Ok, clean.clone()), "{n}");
        assert_eq!(outcome.result.archive.as_deref(), archive.to_str());
        world.proves(&outcome, Content::Full).await;
        // Four samples, and what was not read; a short or an empty page ends each range.
        let kept = resumed(&events);
        assert!(kept > 0 && kept <= 40 * n, "{n}: {kept} kept");
        assert_eq!(outcome.result.resumed_objects, kept, "{n}: none of it counts as the speed of this run");
        let scanned = events.iter().map(|e| if let Event::PageScanned { objects, .. } = e { *objects } else { 0 });
        assert_eq!(scanned.sum::<u64>() + kept, 480, "{n}: nothing is read that is safe");
        let times = outcome.manifest.options["resumed"].as_array().expect("times");
        assert_eq!(times.len(), 1);
        assert!(outcome.manifest.collections.iter().all(|one| one.shards.len() == 1), "{n}: known again by its shards");
    }
}

#[tokio::test]
async fn a_backup_whose_disk_goes_away_at_any_call_is_carried_on() {
    let clean = world(library());
    let clean = digests(&clean.backup(options(&clean)).await);
    let step = i64::try_from(tier::step(3)).expect("few");
    let (mut last, mut cut) = (step, 0);
    loop {
        let mut world = world(library());
        let disk = GoneAfter::calls(last);
        world.disk = Arc::new(disk.clone());
        let (done, _) = world.try_backup(options(&world)).await;
        let gone = disk.is_gone();
        world.disk = Arc::new(OsDisk);
        let outcome = match done {
            // What fails beside the manifest does no harm.
            Ok(_) if world.archives().iter().all(|path| Archive::open(&world.disk, path).is_ok()) => {
                if !gone {
                    break;
                }
                last += 1;
                continue;
            }
            _ => resumed_run(&world).await,
        };
        assert_eq!((outcome.result.status, digests(&outcome)), (Status::Ok, clean.clone()), "{last}");
        if cut % 10 == 0 {
            world.proves(&outcome, Content::Full).await;
        }
        (last, cut) = (last + step, cut + 1);
    }
    assert!(cut > 20, "{cut}");
    eprintln!("{cut} disks went away and the backup was carried on");
}

#[tokio::test]
async fn of_a_collection_smaller_than_a_part_a_kill_leaves_what_was_read_a_while_ago() {
    let clean = world(library());
    let clean = digests(&clean.backup(options(&clean)).await);
    for (part_age, some) in [(Duration::ZERO, true), (BackupOptions::PART_AGE, false)] {
        let mut world = world(library());
        let disk = GoneAfter::calls(i64::MAX);
        world.disk = Arc::new(disk.clone());
        // The last page of the first collection does not come, and then the run is no more: nobody seals anything.
        world.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_secs(30))).on("GET", PAGES).after(6));
        let killed = BackupOptions { part_age, jobs: Some(1), ..options(&world) };
        let run = world.try_backup(killed);
        let ends = async {
            // Six pages have come, and the seventh is asked for; where parts are sealed by age, the first one is.
            let sealed = |path: &PathBuf| {
                std::fs::read_to_string(path.join("checkpoint.jsonl")).is_ok_and(|text| text.contains("objects-000000"))
            };
            world.struck(1).await;
            while some && !world.archives().iter().any(sealed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            disk.now();
        };
        tokio::select! {
            _ = run => panic!("{part_age:?}: it waits for a page"),
            () = ends => world.sandbox.faults().clear(),
        }
        world.disk = Arc::new(OsDisk);
        let (done, events) = world.try_backup(again(&world)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{part_age:?}: {:?}", stopped.error));
        assert_eq!((outcome.result.status, digests(&outcome)), (Status::Ok, clean.clone()), "{part_age:?}");
        assert_eq!(resumed(&events) > 0, some, "{part_age:?}: {} kept", resumed(&events));
        world.proves(&outcome, Content::Full).await;
    }
}

/// A kill may come just after a node went away, and before anybody noticed.
#[tokio::test]
async fn without_counts_nothing_of_a_cluster_is_trusted_that_was_not_read_to_its_end() {
    for (nodes, counts, trusted) in [(1, false, true), (3, true, true), (3, false, false)] {
        let how = format!("{nodes} nodes, counts: {counts}");
        let clean = world(library());
        let clean = digests(&clean.backup(options(&clean)).await);
        let world = world(library().nodes(nodes).graphql(counts));
        let may_not_count = || {
            let no = Fault::new(Kind::status(403, "{}")).on("DELETE", "/v1/batch/objects");
            world.sandbox.faults().add(no);
        };
        if !counts {
            may_not_count();
        }
        interrupted(&world, 11).await;
        if !counts {
            may_not_count();
        }
        let (done, events) = world.try_backup(again(&world)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{how}: {:?}", stopped.error));
        assert_eq!((outcome.result.status, digests(&outcome)), (Status::Ok, clean), "{how}");
        // Article was read to its end, Book was not: 120 objects were safe, and some.
        let kept = outcome.result.resumed_objects;
        assert!(if trusted { kept > 120 } else { kept == 120 }, "{how}: {kept}");
        let told = events
            .iter()
            .any(|e| matches!(e, Event::Warning(Warning::NotKept { reason: NotKeptReason::Uncounted, .. })));
        assert_eq!(told, !trusted, "{how}");
        world.proves(&outcome, Content::Full).await;
    }
}

#[tokio::test]
async fn a_backup_is_carried_on_by_another_spelling_of_the_servers_address() {
    let mut world = world(library());
    let archive = interrupted(&world, 9).await;
    world.respell();
    let (done, events) = world.try_backup(again(&world)).await;
    assert_eq!(done.expect("carried on").result.archive.as_deref(), archive.to_str());
    assert!(resumed(&events) > 0);
}

#[tokio::test]
async fn one_that_is_carried_on_may_be_interrupted_again() {
    let world = world(library());
    let archive = interrupted(&world, 6).await;
    for n in [7, 6, 5] {
        world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(n));
        let stopped = world.try_backup(again(&world)).await.0.expect_err("an interruption");
        assert_eq!(stopped.archive.as_ref(), Some(&archive));
        world.sandbox.faults().clear();
    }
    let outcome = resumed_run(&world).await;
    world.proves(&outcome, Content::Full).await;
    assert_eq!(outcome.manifest.options["resumed"].as_array().map(Vec::len), Some(4));
    assert_eq!(world.archives(), [archive]);
}

#[tokio::test]
async fn what_was_written_between_the_two_runs_is_not_lost() {
    for change in [
        Change::Write(
            r#"{"class":"Article","id":"00000000-0000-0000-0000-00000000000a","properties":{},"vector":[1,2,3]}"#
                .into(),
        ),
        Change::Delete("Article".into(), None, first_id()),
    ] {
        let world = world(library());
        interrupted(&world, 9).await;
        world.sandbox.faults().now(&change);
        let outcome = resumed_run(&world).await;
        // What was kept and deleted since is not in the archive any more, which is said.
        let vanished: u64 = outcome.manifest.collections.iter().filter_map(|c| c.consistency.vanished).sum();
        let status = if vanished > 0 { Status::Incomplete } else { Status::Ok };
        assert_eq!((outcome.result.status, matches!(change, Change::Delete(..))), (status, vanished == 1));
        world.proves(&outcome, Content::Full).await;
    }
}

/// Somebody deletes every object of a collection, or of a tenant of it.
fn empty(world: &World, class: &str, tenant: Option<&str>) {
    for object in world.sandbox.objects(class, tenant) {
        let object: serde_json::Value = serde_json::from_str(&object).expect("JSON");
        let id = object["id"].as_str().expect("an id").to_owned();
        world.sandbox.faults().now(&Change::Delete(class.into(), tenant.map(str::to_owned), id));
    }
}

#[tokio::test]
async fn what_is_kept_of_a_collection_that_was_emptied_since_is_not_thrown_away() {
    let plain = world(library());
    interrupted(&plain, 9).await;
    empty(&plain, "Article", None);
    let outcome = resumed_run(&plain).await;
    assert_eq!((outcome.result.status, outcome.manifest.collections[0].objects), (Status::Incomplete, 120));
    let multi_tenant = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 90));
    let archive = interrupted(&multi_tenant, 3).await;
    assert!(archive.join("collections").exists());
    empty(&multi_tenant, "Mt", Some("a"));
    empty(&multi_tenant, "Mt", Some("b"));
    let outcome = resumed_run(&multi_tenant).await;
    assert!(outcome.manifest.collections[0].objects >= 40, "{:?}", outcome.manifest.collections[0]);
    assert_eq!(outcome.result.status, Status::Incomplete);
}

#[tokio::test]
async fn a_sealed_part_that_changed_meanwhile_is_named_and_read_again() {
    let world = world(library());
    let archive = interrupted(&world, 13).await;
    let part = archive.join("collections/Article/objects-000000.jsonl");
    let mut file = std::fs::OpenOptions::new().write(true).open(&part).expect("a part");
    file.seek(SeekFrom::Start(100)).and_then(|_| file.write_all(b"~")).expect("written");
    let missing = archive.join("collections/Book/objects-000000.jsonl");
    std::fs::remove_file(missing).expect("removed");
    let (done, events) = world.try_backup(again(&world)).await;
    let outcome = done.expect("a backup");
    let named: Vec<&str> = events
        .iter()
        .filter_map(|e| if let Event::Warning(Warning::NotKept { file, .. }) = e { Some(file.as_str()) } else { None })
        .collect();
    assert_eq!(named, ["collections/Book/objects-000000.jsonl", "collections/Article/objects-000000.jsonl"]);
    world.proves(&outcome, Content::Full).await;
}

#[tokio::test]
async fn without_names_everything_is_as_it_was() {
    let world = world(library());
    let mut some =
        BackupOptions { codec: elysiactl::archive::Codec::Zstd, content: Content::NoVectors, ..options(&world) };
    some.selection.take = vec!["Article".into(), "Draft".into()];
    world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(5));
    let archive = world.try_backup(some).await.0.expect_err("an interruption").archive.expect("an archive");
    world.sandbox.faults().clear();
    let outcome = world.try_backup(this_one(&world, &archive)).await.0.expect("carried on");
    let names: Vec<_> = outcome.result.collections.iter().map(|c| c.name.to_string()).collect();
    assert_eq!(names, ["Article", "Draft"]);
    assert_eq!(outcome.manifest.codec, elysiactl::archive::Codec::Zstd);
    assert_eq!(outcome.manifest.collections[0].content, Content::NoVectors);
    world.proves(&outcome, Content::NoVectors).await;
}

const STATES: [(&str, &str); 6] =
    [("a", "HOT"), ("b", "COLD"), ("c", "HOT"), ("d", "COLD"), ("e", "COLD"), ("f", "HOT")];

fn with_tenants() -> World {
    world(tenants(Sandbox::builder().collection(CLASS), &STATES, 50))
}

#[tokio::test]
async fn an_object_kept_without_its_vector_is_named_after_it_was_carried_on() {
    let world = world(library());
    world.sandbox.faults().now(&Change::Unprintable("Article".into(), first_id()));
    let archive = interrupted(&world, 24).await;
    let (done, events) = world.try_backup(again(&world)).await;
    let outcome = done.expect("a backup");
    assert!(resumed(&events) >= 120, "Article was read before");
    assert_eq!(outcome.result.status, Status::Incomplete);
    let named: Vec<&str> = outcome.manifest.incomplete.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(named, [first_id()]);
    assert!(archive.join("manifest.json").exists());
}
