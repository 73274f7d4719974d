//! Servers that fail, lie or change while they are read, and disks that fail: whole or honest, never quietly less.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use elysiactl::archive::{Disk, Error as ArchiveError, Folder, Kind as EntryKind, Lock, OsDisk, WriteFile};
use elysiactl::event::{Class, Event, Status, Warning};
use elysiactl::ops::backup::BackupOptions;
use elysiactl::ops::{Error, Hint};
use sandbox::{Change, Fault, Kind, PageFault, Sandbox};

use crate::support::disk_of::written_by;
use crate::support::world::{World, world};

const OBJECTS: u64 = 700;

const ONE: &str = r#"{"class":"Article","id":"00000000-0000-0000-0000-000000000001","properties":{},"vector":[1]}"#;

fn article() -> World {
    world(Sandbox::builder().seeded("Article", OBJECTS, 3, 4))
}

fn pages(world: &World) -> BackupOptions {
    BackupOptions { page_objects: Some(50), jobs: Some(2), ..world.options() }
}

fn on_pages(kind: Kind) -> Fault {
    Fault::new(kind).on("GET", "/v1/objects")
}

#[tokio::test]
async fn what_passes_is_waited_out_and_the_archive_is_the_same() {
    let clean = article().backup(pages(&article())).await.result.collections[0].digest.clone();
    for kind in [
        Kind::status(500, "oops"),
        Kind::bad_gateway(),
        Kind::status(503, ""),
        Kind::status(504, ""),
        Kind::too_many("0"),
        Kind::too_many("Sun, 06 Nov 1994 08:49:37 GMT"),
        Kind::status(422, r#"{"error":[{"message":"leader not found, can not resolve nodes [node3]"}]}"#),
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::Cut(900),
        Kind::CutCloseDelimited(900),
        Kind::Stall(300, Duration::from_secs(5)),
        Kind::EmptyBody,
        Kind::Garbage("}}".into()),
        Kind::ErrorIn200("shard is busy".into()),
        Kind::Page(PageFault::Repeat),
        Kind::Page(PageFault::Backwards),
        Kind::Page(PageFault::WrongClass),
        Kind::Page(PageFault::Duplicate),
        Kind::Page(PageFault::TooMany),
        Kind::Page(PageFault::Skip),
        Kind::Page(PageFault::Empty),
        Kind::Delay(Duration::from_millis(50)),
    ] {
        for nth in [1, 2, 7] {
            let world = article();
            world.sandbox.faults().add(on_pages(kind.clone()).nth(nth));
            let outcome = world.backup(pages(&world)).await;
            let found = (outcome.result.status, outcome.result.collections[0].digest.clone());
            assert_eq!(found, (Status::Ok, clean.clone()), "{kind:?} at page {nth}");
        }
    }
}

/// Of the thousand seeds four lost two bodies in a row, and objects were saved, or compared, without their vectors.
#[tokio::test]
async fn a_few_lost_bodies_in_a_row_cost_no_vector() {
    let world = article();
    world.sandbox.faults().add(on_pages(Kind::EmptyBody).query("include=vector").after(3).times(5));
    let one_by_one = BackupOptions { page_objects: Some(1), jobs: Some(1), ..world.options() };
    let outcome = world.backup(one_by_one).await;
    assert_eq!((outcome.result.status, outcome.manifest.incomplete.len()), (Status::Ok, 0));
}

#[tokio::test]
async fn what_does_not_pass_ends_with_one_error_and_nothing_sealed() {
    for (kind, class) in [
        (Kind::status(500, "oops"), Class::Server),
        (Kind::status(401, r#"{"code":401,"message":"unauthorized: invalid api key"}"#), Class::Server),
        (Kind::status(403, r#"{"error":[{"message":"forbidden"}]}"#), Class::Server),
        (Kind::status(422, r#"{"error":[{"message":"no"}]}"#), Class::Server),
        (Kind::redirect("http://elsewhere.invalid/"), Class::Server),
        (Kind::Page(PageFault::Backwards), Class::Server),
        (Kind::ErrorIn200("shard is gone".into()), Class::Server),
        (Kind::Garbage("x".into()), Class::Server),
        (Kind::Die, Class::Server),
    ] {
        let world = article();
        // The plan's sample and a page get through.
        world.sandbox.faults().add(on_pages(kind.clone()).after(2));
        let (done, _) = world.try_backup(pages(&world)).await;
        let stopped = done.expect_err("a failure");
        assert_eq!(stopped.error.class(), class, "{kind:?}: {:?}", stopped.error);
        assert!(stopped.archive.is_some());
        world.nothing_is_sealed();
    }
}

#[tokio::test]
async fn a_refused_limit_whose_words_are_cut_off_does_not_end_the_backup() {
    for kind in [Kind::Cut(20), Kind::CutCloseDelimited(30), Kind::Stall(20, Duration::from_secs(20))] {
        let world = world(Sandbox::builder().query_maximum_results(60).seeded("Article", OBJECTS, 3, 4));
        // The first page that is refused is the one of 100.
        let options = || BackupOptions { page_objects: Some(100), jobs: Some(1), ..world.options() };
        world.sandbox.faults().add(on_pages(kind.clone()).query("limit=100").nth(1));
        let outcome = world.backup(options()).await;
        assert_eq!((outcome.result.status, world.sandbox.faults().struck()), (Status::Ok, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn a_page_that_always_lacks_an_object_is_told_by_the_count() {
    let world = article();
    world.sandbox.faults().add(on_pages(Kind::Page(PageFault::Skip)).query("include=vector"));
    let (done, events) = world.try_backup(pages(&world)).await;
    let outcome = done.expect("an archive");
    assert_eq!(outcome.result.status, Status::Incomplete, "exit 3, never 0");
    assert!(outcome.manifest.collections[0].consistency.count_mismatch);
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::CountMismatch { counted: OBJECTS, .. }))));
    assert!(events.iter().any(|e| matches!(e, Event::PagesDropped { .. })), "it was read once more");
}

#[tokio::test]
async fn a_refused_or_missing_key_is_told_with_what_to_do() {
    for (key, hint) in [(None, Hint::GiveKey), (Some("wrong"), Hint::OtherKey)] {
        let mut world = world(Sandbox::builder().with_keys().seeded("Article", 5, 2, 1));
        world.key = key;
        let (done, _) = world.try_backup(world.options()).await;
        let error = done.expect_err("refused").error;
        assert_eq!((error.class(), error.hints().remove(0)), (Class::Server, hint));
    }
    let mut world = world(Sandbox::builder().with_keys().seeded("Article", 5, 2, 1));
    world.key = Some("nonekey");
    let (done, _) = world.try_backup(world.options()).await;
    let error = done.expect_err("nothing to see").error;
    assert!(error.hints().contains(&Hint::MaybeNotAllowed), "{error:?}");
    world.key = Some("readkey");
    assert_eq!(world.backup(world.options()).await.result.status, Status::Ok);
}

#[tokio::test]
async fn a_server_that_takes_no_keys_is_to_be_sent_none() {
    for said in [
        // 1.24 to 1.32, and 1.40.
        "oidc auth is not configured, please try another auth scheme or set up weaviate with OIDC configured",
        "no authentication scheme is configured (API Key or OIDC), but an 'Authorization' header was provided. \
         Please configure an auth scheme or remove the header for anonymous access",
    ] {
        let mut world = article();
        world.key = Some("wrong");
        let body = format!(r#"{{"code":401,"message":"{said}"}}"#);
        world.sandbox.faults().add(Fault::new(Kind::status(401, &body)).on("GET", "/v1/meta"));
        let (done, _) = world.try_backup(world.options()).await;
        let error = done.expect_err("refused").error;
        assert_eq!((error.class(), error.hints()), (Class::Server, vec![Hint::SendNoKey]), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_ready_yet_is_waited_for_and_its_404_not_believed() {
    let world = article();
    world.sandbox.faults().not_ready(3);
    assert_eq!(world.backup(world.options()).await.result.status, Status::Ok);
    world.sandbox.faults().not_ready(100_000);
    let (done, _) = world.try_backup(world.options()).await;
    assert_eq!(done.expect_err("not ready").error.class(), Class::Server);
}

#[tokio::test]
async fn a_url_that_is_no_weaviate_is_told() {
    let world = article();
    world.sandbox.faults().add(Fault::new(Kind::status(200, "<html>It works!</html>")));
    let (done, _) = world.try_backup(world.options()).await;
    let error = done.expect_err("no Weaviate").error;
    assert_eq!((error.class(), error.hints()), (Class::Server, vec![Hint::CheckUrl]), "{error:?}");
}

#[tokio::test]
async fn objects_written_meanwhile_make_the_backup_live_and_it_says_so() {
    let world = article();
    let add = r#"{"class":"Article","id":"ffffffff-0000-0000-0000-000000000001","properties":{},"vector":[1,2,3]}"#;
    // Late enough to lie beyond the second in which the run began.
    world.sandbox.faults().add(on_pages(Kind::Delay(Duration::from_millis(400))));
    world.sandbox.faults().in_requests(25, Change::Write(add.into()));
    let (done, _) = world.try_backup(pages(&world)).await;
    let outcome = done.expect("an archive");
    assert_eq!(outcome.result.status, Status::Ok);
    let entry = &outcome.manifest.collections[0];
    assert_eq!((entry.counts.before, entry.counts.after), (Some(OBJECTS), Some(OBJECTS + 1)));
    assert_eq!(entry.consistency.changed_seen, Some(outcome.result.objects - OBJECTS));
}

#[tokio::test]
async fn a_collection_that_vanishes_leaves_nothing_sealed() {
    let world = article();
    world.sandbox.faults().in_requests(22, Change::Drop("Article".into()));
    let (done, _) = world.try_backup(pages(&world)).await;
    let error = done.expect_err("gone").error;
    assert!(matches!(error, Error::Vanished { .. }) && error.class() == Class::Server, "{error:?}");
    world.nothing_is_sealed();
}

#[tokio::test]
async fn of_a_collection_that_is_dropped_and_made_anew_nothing_old_is_sealed() {
    let world = world(Sandbox::builder().collection(r#"{"class":"Article","vectorizer":"none"}"#).object(ONE));
    let faults = world.sandbox.faults();
    faults.in_requests(22, Change::Drop("Article".into()));
    // Whoever writes next makes it anew, by auto-schema.
    faults.in_requests(23, Change::Write(ONE.into()));
    faults.add(on_pages(Kind::Delay(Duration::from_millis(1_200))));
    let (done, events) = world.try_backup(world.options()).await;
    assert_eq!(done.expect("a backup of the new one").result.objects, 1);
    let anew = |event: &Event| matches!(event, Event::Warning(Warning::NotKept { file, .. }) if file == "Article");
    assert!(events.iter().any(anew), "{events:?}");
}

#[tokio::test]
async fn one_object_larger_than_the_memory_limit_is_fetched_alone_and_said() {
    let big = "x".repeat(6 << 20);
    let object = |n: u32, text: &str| {
        format!(
            r#"{{"class":"Big","id":"00000000-0000-0000-0000-{n:012}","properties":{{"t":"{text}"}},"vector":[1]}}"#
        )
    };
    let document = r#"{"class":"Big","vectorizer":"none","properties":[{"name":"t","dataType":["text"]}]}"#;
    let mut builder = Sandbox::builder().collection(document);
    for n in 0..30 {
        builder = builder.object(&object(n, if n == 17 { &big } else { "small" }));
    }
    let world = world(builder);
    let (done, events) = world.try_backup(BackupOptions { memory_bytes: 1 << 20, ..world.options() }).await;
    let outcome = done.expect("an archive");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 30));
    let said = |e: &Event| matches!(e, Event::Warning(Warning::ObjectBeyondLimit { bytes, .. }) if *bytes > 6 << 20);
    assert!(events.iter().any(said), "{events:?}");
}

#[tokio::test]
async fn an_interrupted_backup_is_not_sealed_and_says_what_is_there() {
    let world = article();
    world.sandbox.faults().add(on_pages(Kind::Delay(Duration::from_millis(30))));
    let cancel = world.cancel.clone();
    let (done, ()) = tokio::join!(world.try_backup(pages(&world)), async {
        // The plan's sample, and some pages.
        world.struck(4).await;
        cancel.cancel();
    });
    let stopped = done.0.expect_err("interrupted");
    assert_eq!(stopped.error.class(), Class::Interrupted);
    let error = world.check(&stopped.archive.expect("an archive")).await.expect_err("unsealed");
    assert!(matches!(error, Error::Archive(ArchiveError::Unsealed { .. })), "{error:?}");
}

#[tokio::test]
async fn a_disk_that_fills_up_or_turns_read_only_is_told_and_nothing_is_sealed() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied] {
        for bytes in [0, 600, 20_000, 60_000] {
            let mut world = article();
            let left = Arc::new(AtomicU64::new(bytes));
            // A disk that is full, or read-only, after so many bytes.
            world.disk = Arc::new(written_by(move |file, bytes| {
                let take = |left: u64| left.checked_sub(bytes.len() as u64);
                match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
                    Ok(_) => file.write(bytes),
                    Err(_) => Err(kind.into()),
                }
            }));
            let (done, _) = world.try_backup(pages(&world)).await;
            let error = done.expect_err("a failing disk").error;
            assert_eq!(error.class(), Class::Disk, "{kind:?} after {bytes}: {error:?}");
            assert!(!error.hints().is_empty());
            world.nothing_is_sealed();
        }
    }
}

#[tokio::test]
async fn a_plan_that_cannot_fit_is_refused_before_anything_is_written() {
    struct Tiny;
    impl Disk for Tiny {
        fn create_dir(&self, _: &Path) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn create_file(&self, _: &Path) -> io::Result<Box<dyn WriteFile>> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn sync_dir(&self, _: &Path) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn remove_file(&self, _: &Path) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn remove_dir(&self, _: &Path) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn look(&self, path: &Path) -> io::Result<Option<(EntryKind, u64)>> {
            OsDisk.look(path)
        }
        fn free_space(&self, _: &Path) -> io::Result<u64> {
            Ok(1_000)
        }
        fn lock(&self, _: &Path) -> io::Result<Option<Box<dyn Lock>>> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn open_folder(&self, _: &Path) -> io::Result<Box<dyn Folder>> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
    let mut world = article();
    world.disk = Arc::new(Tiny);
    let (done, _) = world.try_backup(pages(&world)).await;
    let error = done.expect_err("no room").error;
    assert!(matches!(error, Error::NotEnoughSpace { free: 1_000, .. }), "{error:?}");
    assert_eq!(error.class(), Class::Disk);
}
