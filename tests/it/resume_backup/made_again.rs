//! A collection with tenants that somebody removed and made again while its backup was interrupted.

use elysiactl::event::{Event, Warning};
use elysiactl::ops::backup::{Options, Resume};
use sandbox::{Change, Fault, Kind};

use super::{PAGES, STATES, equals, with_tenants};

#[tokio::test]
async fn of_a_collection_with_tenants_that_was_made_again_meanwhile_nothing_old_is_sealed() {
    for all in [true, false] {
        let world = with_tenants();
        world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", PAGES).query("tenant=e"));
        let stopped =
            world.try_backup(Options { jobs: Some(1), ..world.options() }).await.0.expect_err("an interruption");
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
        let (done, events) = world.try_backup(Options { resume, ..world.options() }).await;
        assert_eq!(done.expect("a backup").result.objects, 300);
        let said = |event: &Event| matches!(event, Event::Warning(Warning::NotKept { reason, .. }) if reason.contains("made again"));
        assert!(events.iter().any(said), "{events:?}");
        equals(&world, &stopped.archive.expect("an archive"), &STATES.map(|(name, _)| name)).await;
    }
}
