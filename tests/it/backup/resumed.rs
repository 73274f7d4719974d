//! A backup that was interrupted is carried on: it ends as an unbroken one would, reads no more than it must, and is not
//! taken for another one.

mod made_again;
mod tenants_kept;

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use elysiactl::archive::{Archive, Content, Error as ArchiveError, OsDisk};
use elysiactl::event::{Class, Event, NotKeptReason, Status, Warning};
use elysiactl::ops::backup::{self, BackupOptions, BackupOutcome, Resume};
use elysiactl::ops::{BackupDiffers, Error};
use sandbox::{Builder, Change, Fault, Kind, Sandbox};

use crate::backup::tenants::{CLASS, equals, tenants};
use crate::support::binary::{Stage, archived_digests, lines, said};
use crate::support::disk_of::GoneAfter;
use crate::support::terminal::Terminal;
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
async fn carried_on(world: &World) -> BackupOutcome {
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
            _ => carried_on(&world).await,
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
            tokio::time::sleep(Duration::from_secs(1)).await;
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
    let outcome = carried_on(&world).await;
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
        let outcome = carried_on(&world).await;
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
    let outcome = carried_on(&plain).await;
    assert_eq!((outcome.result.status, outcome.manifest.collections[0].objects), (Status::Incomplete, 120));
    let multi_tenant = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 90));
    let archive = interrupted(&multi_tenant, 3).await;
    assert!(archive.join("collections").exists());
    empty(&multi_tenant, "Mt", Some("a"));
    empty(&multi_tenant, "Mt", Some("b"));
    let outcome = carried_on(&multi_tenant).await;
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
async fn another_backup_is_not_carried_on_and_what_differs_is_said() {
    let world = world(library());
    let archive = interrupted(&world, 9).await;
    let named = |options: BackupOptions| BackupOptions {
        resume: Some(Resume { archive: Some(archive.clone()), as_before: false }),
        ..options
    };
    let mut some = options(&world);
    some.selection.take = vec!["Article".into()];
    let without = BackupOptions { content: Content::NoVectors, ..options(&world) };
    let packed = BackupOptions { codec: elysiactl::archive::Codec::Zstd, ..options(&world) };
    for (other, differs) in
        [(some, BackupDiffers::Collections), (without, BackupDiffers::Content), (packed, BackupDiffers::Compression)]
    {
        let error = world.try_backup(named(other.clone())).await.0.expect_err("refused").error;
        assert!(matches!(&error, Error::OtherBackup { what, .. } if *what == differs), "{error:?}");
        assert_eq!(error.class(), Class::Refused);
        // Without a name, one that does not fit is no reason to stop.
        let newest = BackupOptions { resume: Some(Resume { archive: None, as_before: false }), ..other };
        let (done, events) = world.try_backup(newest).await;
        let made = done.expect("a new backup").result.archive.expect("an archive");
        assert_ne!(Path::new(&made), archive);
        assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::NothingToResume { .. }))));
    }
    // How fast it was read does not matter.
    let other =
        BackupOptions { jobs: Some(1), page_objects: Some(7), memory_bytes: 32 << 20, ..named(options(&world)) };
    let outcome = world.try_backup(other).await.0.expect("carried on");
    world.proves(&outcome, Content::Full).await;
}

#[tokio::test]
async fn another_server_or_version_is_not_read_on_from() {
    let first = world(library());
    let archive = interrupted(&first, 9).await;
    let elsewhere = world(library());
    let error = elsewhere.try_backup(this_one(&elsewhere, &archive)).await.0.expect_err("refused").error;
    assert!(matches!(&error, Error::OtherBackup { what: BackupDiffers::Server, .. }), "{error:?}");
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

#[tokio::test]
async fn nobody_carries_on_what_another_run_writes_or_what_is_sealed() {
    let world = world(library());
    let archive = interrupted(&world, 9).await;
    let held = elysiactl::archive::Disk::lock(&OsDisk, &archive.join(".lock")).expect("a lock").expect("free");
    let error = world.try_backup(this_one(&world, &archive)).await.0.expect_err("locked").error;
    assert!(
        matches!(&error, Error::Archive(ArchiveError::Locked { .. })) && error.class() == Class::Locked,
        "{error:?}"
    );
    drop(held);
    let outcome = world.try_backup(this_one(&world, &archive)).await.0.expect("carried on");
    // A kill right before the end leaves these two.
    for left in [".lock", "checkpoint.jsonl"] {
        std::fs::write(archive.join(left), b"").expect("written");
    }
    let session = world.session(elysiactl::event::Events::none());
    let wanted = this_one(&world, &archive);
    let (url, elsewhere) = (world.sandbox.url(), "http://127.0.0.1:1".to_owned());
    for (url, content, what) in
        [(&elsewhere, Content::Full, BackupDiffers::Server), (&url, Content::SchemaOnly, BackupDiffers::Content)]
    {
        let wanted = BackupOptions { content, ..again(&world) };
        let error = backup::sealed_already(&session, &archive, url, &wanted).await.expect_err("another backup");
        assert!(matches!(&error, Error::OtherBackup { what: found, .. } if *found == what), "{error:?}");
        assert!(archive.join("checkpoint.jsonl").exists(), "nothing is touched");
    }
    let sealed = backup::sealed_already(&session, &archive, &url, &wanted).await;
    let sealed = sealed.expect("looked").expect("sealed");
    assert_eq!(sealed.result.resumed_objects, sealed.result.objects, "none of it was done by this run");
    assert_eq!(digests(&sealed), digests(&outcome));
    assert_eq!(sealed.result.status, Status::Ok);
    assert!(!archive.join("checkpoint.jsonl").exists() && !archive.join(".lock").exists());
    let error = world.try_backup(this_one(&world, &archive)).await.0.expect_err("sealed").error;
    assert!(matches!(&error, Error::Archive(ArchiveError::Sealed { .. })) && error.class() == Class::Refused);
}

#[tokio::test]
async fn a_plan_names_what_it_carries_on_or_could_and_writes_nothing() {
    let world = world(library());
    let archive = interrupted(&world, 9).await;
    let before = std::fs::read(archive.join("checkpoint.jsonl")).expect("a journal");
    let events = elysiactl::event::Events::none();
    let (client, session) = (world.client(events.clone()), world.session(events));
    let held = elysiactl::archive::Disk::lock(&OsDisk, &archive.join(".lock")).expect("a lock").expect("free");
    let running = backup::plan(&client, &session, options(&world)).await.expect("a plan");
    assert_eq!(running.interrupted, None, "another run writes it");
    drop(held);
    let mut fresh = backup::plan(&client, &session, options(&world)).await.expect("a plan");
    // Another test that starts a program has the lock, too, until that program runs.
    while fresh.interrupted.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        fresh = backup::plan(&client, &session, options(&world)).await.expect("a plan");
    }
    assert_eq!(fresh.interrupted.as_ref().map(|found| &found.archive), Some(&archive));
    assert_eq!(fresh.carries_on, None);
    let carried = backup::plan(&client, &session, again(&world)).await.expect("a plan");
    let found = carried.carries_on.clone().expect("an archive");
    assert!(found.objects > 0 && found.parts > 0 && found.archive == archive);
    assert_eq!((carried.archive, carried.interrupted), (archive.clone(), None));
    assert_eq!(std::fs::read(archive.join("checkpoint.jsonl")).expect("a journal"), before);
    assert_eq!(world.sandbox.writing_requests(), 0);
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

/// The archives that a run had begun to write down: one that is killed before leaves a folder with nothing in it to carry on.
fn begun(stage: &Stage) -> Vec<PathBuf> {
    let holds = |path: &Path| path.metadata().is_ok_and(|file| file.len() > 0);
    let is_begun = |path: &PathBuf| ["checkpoint.jsonl", "manifest.json"].iter().any(|file| holds(&path.join(file)));
    stage.made().into_iter().filter(is_begun).collect()
}

/// T2: killed at blind moments, carried on and killed again, until it is done.
#[test]
fn killed_and_carried_on_until_it_is_done_it_equals_an_unbroken_one() {
    let kills = tier::amount("ELYSIACTL_TEST_KILLS", [20, 500, 5_000]);
    let stage = Stage::new(library());
    let clean = stage.backup();
    stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(3))));
    let whole = Instant::now();
    stage.backup();
    let whole = whole.elapsed();
    let (mut killed, mut round) = (0, 0_u32);
    while killed < kills {
        let before = begun(&stage);
        let mut archive = None;
        loop {
            round += 1;
            let resume =
                archive.as_ref().map_or("--resume".to_owned(), |path: &PathBuf| format!("--resume={}", path.display()));
            let mut child = stage
                .command(&["col", "backup", "-q", "--batch-size", "10", "--jobs", "2", &resume])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts");
            // Moments all over the run, and some after its end.
            std::thread::sleep(whole * (round * 37 % 120) / 100);
            let in_time = child.try_wait().expect("a state").is_none();
            child.kill().expect("killed or over");
            let output = child.wait_with_output().expect("an end");
            archive = archive.or_else(|| begun(&stage).into_iter().find(|path| !before.contains(path)));
            if !in_time {
                assert_eq!(output.status.code(), Some(0), "{}", said(&output));
                break;
            }
            killed += 1;
        }
        let archive = archive.expect("an archive");
        assert_eq!(begun(&stage).len(), before.len() + 1, "each is carried on, none is begun anew");
        assert_eq!(archived_digests(&archive), archived_digests(&clean), "after {killed} kills");
        let checked = stage.run(&["archive", "check", archive.to_str().expect("text")]);
        assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    }
    eprintln!("{killed} kills in {round} runs");
}

#[test]
fn an_interrupted_run_says_how_to_carry_it_on_and_the_next_one_names_it() {
    let stage = Stage::new(library());
    stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(9));
    let first = stage.run(&["col", "backup", "--batch-size", "40"]);
    assert_eq!(first.status.code(), Some(5));
    let archive = stage.made().remove(0);
    let line = format!("elysiactl col backup --resume={}", archive.display());
    assert!(said(&first).contains(&line), "{}", said(&first));
    stage.sandbox.faults().clear();
    let other = stage.run(&["col", "backup"]);
    assert_eq!(other.status.code(), Some(0));
    assert!(said(&other).contains("was interrupted") && said(&other).contains(&line), "{}", said(&other));
    let dry = stage.run(&["--json", "col", "backup", "--resume", "--dry-run"]);
    assert_eq!(lines(&dry.stdout).last().expect("a line")["archive"].as_str(), archive.to_str());
    let stem = archive.file_name().and_then(|name| name.to_str()).expect("a name");
    let carried = stage.run(&["col", "backup", &format!("--resume={stem}")]);
    assert_eq!(carried.status.code(), Some(0), "{}", said(&carried));
    assert!(said(&carried).contains("carrying on"), "{}", said(&carried));
    let once_more = stage.run(&["col", "backup", &format!("--resume={stem}")]);
    assert_eq!(once_more.status.code(), Some(0), "it is done: {}", said(&once_more));
    let nothing = stage.run(&["col", "backup", "--resume"]);
    assert_eq!(nothing.status.code(), Some(0));
    assert!(said(&nothing).contains("a new one begins"), "{}", said(&nothing));
}

#[test]
fn the_line_that_carries_a_backup_on_repeats_the_address_and_the_folder_that_were_typed() {
    for is_first in [false, true] {
        let stage = Stage::new(library());
        let (url, runs, folder) = (stage.sandbox.url(), stage.folder.path().join("runs"), stage.archives());
        let folder = folder.to_str().expect("text");
        let backup_first = ["col", "clear", "Article", "--yes", "--backup-first", folder];
        // One page of each collection is the plan's.
        let (command, planned) = if is_first { (&backup_first[..], 1) } else { (&["col", "backup"][..], 4) };
        stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(planned));
        let typed = ["--url", &url, "--run-dir", runs.to_str().expect("text")];
        let output = stage.run(&[command, &typed].concat());
        assert_eq!(output.status.code(), Some(5), "{}", said(&output));
        let line = format!(
            "elysiactl col backup --resume={} --run-dir {} --url {url}",
            stage.made().remove(0).display(),
            runs.display()
        );
        assert!(said(&output).contains(&line), "{}", said(&output));
    }
}

#[test]
fn at_a_terminal_an_interrupted_backup_is_offered_with_one_question() {
    for (answer, archives) in [("\n", 1), ("y\n", 1), ("n\n", 2)] {
        let stage = Stage::new(library());
        stage.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(9));
        let first = stage.run(&["col", "backup", "--batch-size", "40"]);
        assert_eq!(first.status.code(), Some(5), "{}", said(&first));
        stage.sandbox.faults().clear();
        let mut terminal = Terminal::open(&stage, &["col", "backup"]);
        let asked = terminal.waits_for("[Y/n] ");
        assert!(asked.contains("was interrupted; ") && asked.contains(" are safe in it. Carry it on? "), "{asked}");
        terminal.types(answer);
        let (code, rest) = terminal.ends();
        assert_eq!((code, stage.made().len()), (0, archives), "{answer:?}: {rest}");
        assert_eq!(rest.contains("carrying on"), archives == 1, "{rest}");
        for made in stage.made().iter().filter(|made| archives == 1 || made.join("manifest.json").exists()) {
            let checked = stage.run(&["archive", "check", made.to_str().expect("text")]);
            assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
        }
    }
}
