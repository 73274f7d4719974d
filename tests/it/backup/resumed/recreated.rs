//! Collections that somebody removed, or removed and recreated, while their backup was interrupted.

use elysiactl::archive::Content;
use elysiactl::event::{Class, Event, NotKeptReason, SkipReason, Status, Warning};
use elysiactl::ops::backup::{BackupOptions, Resume};
use elysiactl::ops::{Error, Hint};
use elysiactl::weaviate::Writer;
use sandbox::{Change, Fault, Kind};

use super::{NAMES, PAGES, STATES, equals, interrupted, library, resumed, this_one, with_tenants};
use crate::support::world::world;

#[tokio::test]
async fn of_a_collection_with_tenants_that_was_made_again_meanwhile_nothing_old_is_sealed() {
    for all in [true, false] {
        let world = with_tenants();
        world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).query("tenant=e"));
        let stopped =
            world.try_backup(BackupOptions { jobs: Some(1), ..world.options() }).await.0.expect_err("an interruption");
        world.sandbox.faults().clear();
        // As many objects as before, with other ids; their number proves nothing.
        for (name, state) in STATES.iter().filter(|(name, _)| all || *name == "a") {
            world.sandbox.faults().now(&Change::Tenant("Mt".into(), (*name).into(), None));
            world.sandbox.faults().now(&Change::Tenant("Mt".into(), (*name).into(), Some("HOT")));
            for n in 0..50 {
                let id = format!("11111111-0000-4000-8000-0000000000{n:02}");
                let object =
                    format!(r#"{{"class":"Mt","tenant":"{name}","id":"{id}","properties":{{}},"vector":[1,2]}}"#);
                world.sandbox.faults().now(&Change::Write(object));
            }
            world.sandbox.faults().now(&Change::Tenant("Mt".into(), (*name).into(), Some(state)));
        }
        let resume = Some(Resume { archive: None, as_before: true });
        let (done, events) = world.try_backup(BackupOptions { resume, ..world.options() }).await;
        assert_eq!(done.expect("a backup").result.objects, 300);
        let said = |event: &Event| {
            matches!(event, Event::Warning(Warning::NotKept { reason: NotKeptReason::TenantsChanged { .. }, .. }))
        };
        assert!(events.iter().any(said), "{events:?}");
        equals(&world, &stopped.archive.expect("an archive"), &STATES.map(|(name, _)| name)).await;
    }
}

#[tokio::test]
async fn a_collection_that_is_made_anew_is_not_mixed_with_what_was_read_of_the_old_one() {
    let remade = world(library());
    let archive = interrupted(&remade, 9).await;
    let (client, article) = (remade.client(elysiactl::event::Events::none()), "Article".parse().expect("a name"));
    let schema = client.schema(&article).await.expect("asked").expect("there");
    let objects = remade.sandbox.objects("Article", None);
    remade.sandbox.faults().now(&Change::Drop("Article".into()));
    let document = String::from_utf8(schema.text.to_vec()).expect("text");
    Writer::new(client).create_collection(&document).await.expect("made");
    for object in objects {
        remade.sandbox.faults().now(&Change::Write(object));
    }
    let (done, events) = remade.try_backup(this_one(&remade, &archive)).await;
    let outcome = done.expect("carried on");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 480));
    let said = |event: &Event| matches!(event, Event::Warning(Warning::NotKept { file, .. }) if file == "Article");
    assert!(events.iter().any(said), "{events:?}");
    remade.proves(&outcome, Content::Full).await;
}

#[tokio::test]
async fn a_collection_that_was_removed_meanwhile_is_left_out_and_named_when_the_others_are_carried_on() {
    let world = world(library());
    let archive = interrupted(&world, 9).await;
    world.sandbox.faults().now(&Change::Drop("Draft".into()));
    let (done, events) = world.try_backup(this_one(&world, &archive)).await;
    let outcome = done.expect("carried on");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 360));
    assert!(resumed(&events) > 0);
    let skipped = &outcome.manifest.skipped;
    assert!(matches!(&skipped[..], [one] if one.collection == "Draft" && one.tenant.is_none()), "{skipped:?}");
    assert_eq!(skipped[0].reason, SkipReason::RemovedSince { objects: 0 });
    let said = |event: &Event| matches!(event, Event::Warning(Warning::CollectionSkipped { .. }));
    assert_eq!(events.iter().filter(|event| said(event)).count(), 1);
    assert!(!archive.join("collections").join("Draft").exists());
    world.check(&archive).await.expect("a sound archive");
}

#[tokio::test]
async fn what_was_read_whole_of_a_collection_that_was_removed_since_is_not_thrown_away() {
    let world = world(library());
    let archive = interrupted(&world, 9).await;
    let parts = || std::fs::read_dir(archive.join("collections").join("Article")).expect("a folder").count();
    let before = parts();
    world.sandbox.faults().now(&Change::Drop("Article".into()));
    let error = world.try_backup(this_one(&world, &archive)).await.0.expect_err("the last copy").error;
    assert!(
        matches!(&error, Error::LastCopy { objects: 120, collection, .. } if collection.as_str() == "Article"),
        "{error:?}"
    );
    assert_eq!((error.class(), error.hints()), (Class::Refused, vec![Hint::WithoutResume]));
    world.nothing_is_sealed();
    assert_eq!(parts(), before);
}

#[tokio::test]
async fn a_backup_of_which_nothing_is_left_is_not_sealed() {
    // Nothing was read to its end when it was interrupted, or the first collection was.
    for (pages, was_read) in [(4, false), (9, true)] {
        let world = world(library());
        let archive = interrupted(&world, pages).await;
        for name in NAMES {
            world.sandbox.faults().now(&Change::Drop(name.into()));
        }
        let error = world.try_backup(this_one(&world, &archive)).await.0.expect_err("nothing to read").error;
        let (Error::Vanished { collection } | Error::LastCopy { collection, .. }) = &error else {
            panic!("{error:?}");
        };
        assert_eq!((collection.as_str(), matches!(error, Error::LastCopy { .. })), ("Article", was_read));
        world.nothing_is_sealed();
    }
}
