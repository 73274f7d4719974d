//! What is not resumed: a backup of other things, of another server, or one that another run writes or has finished.

use elysiactl::ops::{BackupDiffers, SchemaDrift};
use elysiactl::weaviate::Writer;

use super::*;

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
    let mut fewer = options(&world);
    fewer.selection.exclude = vec!["Draft".into()];
    let of_tenants = BackupOptions { tenants: vec!["a".parse().expect("a name")], ..options(&world) };
    let mut found = Vec::new();
    for other in [some, fewer, of_tenants, without, packed] {
        let error = world.try_backup(named(other.clone())).await.0.expect_err("refused").error;
        assert_eq!(error.class(), Class::Refused);
        let Error::OtherBackup { what, .. } = error else { panic!("{error:?}") };
        found.push(what);
        if what == BackupDiffers::Tenants {
            continue;
        }
        // Without a name, one that does not fit is no reason to stop.
        let newest = BackupOptions { resume: Some(Resume { archive: None, as_before: false }), ..other };
        let (done, events) = world.try_backup(newest).await;
        let made = done.expect("a new backup").result.archive.expect("an archive");
        assert_ne!(Path::new(&made), archive);
        assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::NothingToResume { .. }))));
    }
    assert_eq!(
        found,
        [
            BackupDiffers::Collections,
            BackupDiffers::Excluded,
            BackupDiffers::Tenants,
            BackupDiffers::Content,
            BackupDiffers::Compression,
        ]
    );
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
    // The same one, after an update.
    let meta = r#"{"hostname":"http://[::]:8080","modules":{},"version":"1.39.0"}"#;
    first.sandbox.faults().add(Fault::new(Kind::status(200, meta)).on("GET", "/v1/meta"));
    let error = first.try_backup(this_one(&first, &archive)).await.0.expect_err("refused").error;
    assert!(matches!(&error, Error::OtherBackup { what: BackupDiffers::ServerVersion, .. }), "{error:?}");
}

#[tokio::test]
async fn an_archive_that_another_run_put_in_its_place_since_the_plan_is_not_carried_on() {
    let world = world(library());
    let (first, other) = (interrupted(&world, 9).await, interrupted(&world, 9).await);
    let (events, cut) = (elysiactl::event::Events::none(), this_one(&world, &first));
    let (client, session) = (world.client(events.clone()), world.session(events));
    let plan = backup::plan(&client, &session, cut).await.expect("a plan");
    std::fs::remove_dir_all(&first).expect("removed");
    std::fs::rename(&other, &first).expect("renamed");
    let stopped = backup::run(&Writer::new(client), &session, plan).await.expect_err("another run's");
    let error = stopped.error;
    assert!(matches!(&error, Error::OtherBackup { what: BackupDiffers::Run, .. }), "{error:?}");
    assert_eq!(error.class(), Class::Refused);
}

#[tokio::test]
async fn what_another_run_carried_on_with_another_schema_since_the_plan_is_not_mixed() {
    let world = world(library());
    let archive = interrupted(&world, 9).await;
    let events = elysiactl::event::Events::none();
    let (client, session) = (world.client(events.clone()), world.session(events));
    let plan = backup::plan(&client, &session, this_one(&world, &archive)).await.expect("a plan");
    // Another run begins the last collection, which has other words by then, and is interrupted as well.
    world.sandbox.faults().now(&Change::Describe("Draft".into(), "new words"));
    let cut = Fault::new(Kind::status(403, "{}")).on("GET", PAGES).query("class=Draft").after(2);
    world.sandbox.faults().add(cut);
    world.try_backup(this_one(&world, &archive)).await.0.expect_err("an interruption");
    world.sandbox.faults().clear();
    let error = backup::run(&Writer::new(client), &session, plan).await.expect_err("another run's").error;
    let Error::SchemaChanged { collection, what: SchemaDrift::Resumed } = &error else { panic!("{error:?}") };
    assert_eq!(collection.as_str(), "Draft");
    world.nothing_is_sealed();
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
    let mut found = Vec::new();
    for (url, content) in [(&elsewhere, Content::Full), (&url, Content::SchemaOnly)] {
        let wanted = BackupOptions { content, ..again(&world) };
        let error = backup::sealed_already(&session, &archive, url, &wanted).await.expect_err("another backup");
        let Error::OtherBackup { what, .. } = error else { panic!("{error:?}") };
        found.push(what);
        assert!(archive.join("checkpoint.jsonl").exists(), "nothing is touched");
    }
    assert_eq!(found, [BackupDiffers::Server, BackupDiffers::Content]);
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
    assert_eq!(fresh.resumes, None);
    let carried = backup::plan(&client, &session, again(&world)).await.expect("a plan");
    let found = carried.resumes.clone().expect("an archive");
    assert!(found.objects > 0 && found.parts > 0 && found.archive == archive);
    assert_eq!((carried.archive, carried.interrupted), (archive.clone(), None));
    assert_eq!(std::fs::read(archive.join("checkpoint.jsonl")).expect("a journal"), before);
    assert_eq!(world.sandbox.writing_requests(), 0);
}
