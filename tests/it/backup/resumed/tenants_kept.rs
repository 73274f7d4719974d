//! A collection with tenants whose backup was interrupted: what was kept of each is resumed.

use super::*;

#[tokio::test]
async fn tenants_are_carried_on_and_sleep_as_before() {
    for n in 2..14 {
        let world = with_tenants();
        world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).after(n));
        let (done, _) = world.try_backup(BackupOptions { page_objects: Some(20), ..options(&world) }).await;
        world.sandbox.faults().clear();
        let Err(stopped) = done else { continue };
        assert_eq!(world.sandbox.tenants("Mt"), STATES.map(|(name, state)| (name.to_owned(), state)), "{n}");
        let (done, events) = world.try_backup(again(&world)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 300), "{n}");
        let kept = resumed(&events);
        let scanned = events.iter().map(|e| if let Event::PageScanned { objects, .. } = e { *objects } else { 0 });
        assert_eq!(scanned.sum::<u64>() + kept, 300, "{n}: nothing is read that is safe");
        equals(&world, &stopped.archive.expect("an archive"), &STATES.map(|(name, _)| name)).await;
        assert_eq!(world.sandbox.tenants("Mt"), STATES.map(|(name, state)| (name.to_owned(), state)), "{n}");
    }
}

#[tokio::test]
async fn a_tenant_that_was_kept_and_changed_meanwhile_is_read_again_and_one_removed_is_left_out() {
    let world = with_tenants();
    world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).query("tenant=e"));
    let stopped =
        world.try_backup(BackupOptions { jobs: Some(1), ..world.options() }).await.0.expect_err("an interruption");
    world.sandbox.faults().clear();
    let changes = [
        Change::Write(
            r#"{"class":"Mt","tenant":"a","id":"00000000-0000-4000-8000-0000000000ff","properties":{},"vector":[1,2]}"#
                .into(),
        ),
        Change::Tenant("Mt".into(), "c".into(), None),
        Change::Tenant("Mt".into(), "b".into(), Some("HOT")),
    ];
    for change in &changes {
        world.sandbox.faults().now(change);
    }
    let resume = Some(Resume { archive: None, as_before: true });
    let (done, events) = world.try_backup(BackupOptions { resume, ..world.options() }).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 251));
    assert!(resumed(&events) > 0);
    equals(&world, &stopped.archive.expect("an archive"), &["a", "b", "d", "e", "f"]).await;
}
