//! Servers on which tenants come and go, activate late, or do not sleep again.

use std::time::Duration;

use elysiactl::event::{Event, Status, Warning};
use elysiactl::ops::restore::RestoreOptions;
use sandbox::{Change, Fault, Kind, Sandbox};

use super::chosen::by_hand;
use super::{archived, backed_up, equals, live};
use crate::backup::tenants::{CLASS, id, tenants};
use crate::support::said::said_of;
use crate::support::world::world;

const BATCHES: (&str, &str) = ("POST", "/v1/batch/objects");

fn status(name: &str, status: Option<&'static str>) -> Kind {
    Kind::Change(Change::Tenant("Mt".into(), name.into(), status))
}

#[tokio::test]
async fn a_tenant_that_is_not_awake_at_once_is_waited_for() {
    let source = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "COLD"), ("b", "HOT")], 30));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let late = Kind::FailObjects(1, "tenant not active: 'a'".into());
    target.sandbox.faults().add(Fault::new(late).on(BATCHES.0, BATCHES.1).times(5));
    let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 60), "{:?}", outcome.remarks);
    equals(&source, &target, &archive, "Mt");
}

#[tokio::test]
async fn a_tenant_that_somebody_has_sleep_is_given_up_after_a_while_and_the_others_are_not() {
    let target = world(Sandbox::builder());
    let states = r#"[{"name":"a","activityStatus":"HOT"},{"name":"b","activityStatus":"HOT"}]"#;
    let ids: Vec<u128> = (1..=100).collect();
    let archive = by_hand(&target, states, &[("a", 0, [None, None], &ids), ("b", 0, [None, None], &ids)]);
    target.sandbox.faults().add(Fault::new(status("a", Some("COLD"))).on(BATCHES.0, BATCHES.1).nth(2));
    let options = RestoreOptions {
        batch_objects: Some(20),
        jobs: Some(1),
        patience: Duration::from_secs(3),
        ..target.restore_options(&archive)
    };
    let begun = std::time::Instant::now();
    let outcome = target.try_restore(options).await.0.expect("to its end");
    assert!(begun.elapsed() < Duration::from_secs(20), "it is waited for once, not for each batch");
    let collection = &outcome.result.collections[0];
    assert_eq!((outcome.result.status, collection.rejected), (Status::Incomplete, 80));
    assert!(archived(&target, &archive, "Mt", Some("b")) == live(&target, "Mt", Some("b")));
    let rejected = std::fs::read_to_string(outcome.rejected.expect("a list")).expect("text");
    assert_eq!(rejected.lines().filter(|line| line.contains("tenant not active")).count(), 80);
    assert!(target.sandbox.tenants("Mt").iter().all(|(_, state)| *state == "HOT"), "as in the archive");
}

#[tokio::test]
async fn who_is_put_to_sleep_in_word_alone_is_named() {
    let source = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "COLD"), ("b", "HOT")], 30));
    let archive = backed_up(&source).await;
    for verify in [true, false] {
        let target = world(Sandbox::builder());
        let lie = Fault::new(Kind::status(200, "[]")).on("PUT", "/v1/schema/Mt/tenants").after(1);
        target.sandbox.faults().add(lie);
        let options = RestoreOptions { verify, ..target.restore_options(&archive) };
        let (done, events) = target.try_restore(options).await;
        let outcome = done.expect("restored");
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 60), "{:?}", outcome.remarks);
        let named =
            |e: &&Event| matches!(e, Event::Warning(Warning::TenantsStayActive { tenants: 1, noted: false, .. }));
        assert_eq!(events.iter().filter(named).count(), 1, "once: {events:?}");
    }
}

#[tokio::test]
async fn a_state_that_no_tenant_is_made_in_is_told_with_the_objects_there() {
    let target = world(Sandbox::builder());
    let states = r#"[{"name":"a","activityStatus":"FROZEN"},{"name":"b","activityStatus":"hot"}]"#;
    let ids: Vec<u128> = (1..=100).collect();
    let archive = by_hand(&target, states, &[("a", 0, [None, None], &ids), ("b", 0, [None, None], &ids)]);
    let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 200), "{:?}", outcome.remarks);
    assert!(target.sandbox.tenants("Mt").iter().all(|(_, state)| *state == "COLD"));
    let said =
        "2 tenants are inactive in the end, as no tenant is created in the state in the archive (a first, \"FROZEN\")";
    assert!(said_of(&outcome.remarks).iter().any(|text| text == said), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn what_is_refused_of_a_tenant_that_was_removed_is_told_in_the_servers_words_and_counted() {
    let states = r#"[{"name":"a","activityStatus":"HOT"},{"name":"b","activityStatus":"HOT"}]"#;
    let ids: Vec<u128> = (1..=100).collect();
    for verify in [true, false] {
        let target = world(Sandbox::builder());
        let archive = by_hand(&target, states, &[("a", 0, [None, None], &ids), ("b", 0, [None, None], &ids)]);
        target.sandbox.faults().add(Fault::new(status("b", None)).on(BATCHES.0, BATCHES.1).nth(7));
        let options =
            RestoreOptions { batch_objects: Some(20), jobs: Some(1), verify, ..target.restore_options(&archive) };
        let outcome = target.try_restore(options).await.0.expect("to its end");
        let collection = &outcome.result.collections[0];
        assert_eq!((outcome.result.status, collection.rejected), (Status::Incomplete, 80));
        let reasons: Vec<_> = collection.rejected_reasons.iter().map(|r| (r.objects, r.reason.as_str())).collect();
        assert_eq!(reasons, [(80, "tenant not found: \"b\"")], "one reason, and nothing that is not so");
        let told =
            said_of(&outcome.remarks).iter().any(|said| said == "120 objects were written, but the server counts 100");
        assert!(told, "{:?}", outcome.remarks);
    }
}

#[tokio::test]
async fn a_tenant_that_a_node_has_not_heard_of_is_asked_for_again_before_its_objects_are_called_not_stored() {
    let source = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 10));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let stored = Kind::FailAdded(1, "update prop-specific indices: no".into());
    target.sandbox.faults().add(Fault::new(stored).on(BATCHES.0, BATCHES.1));
    let unheard = Kind::status(422, r#"{"error":[{"message":"tenant not found: \"a\""}]}"#);
    let unheard = Fault::new(unheard).on("GET", "/v1/objects/Mt/").query("tenant=a").times(2);
    target.sandbox.faults().add(unheard);
    let options = RestoreOptions { jobs: Some(1), ..target.restore_options(&archive) };
    let outcome = target.try_restore(options).await.0.expect("restored");
    let rejected = outcome.result.collections[0].rejected;
    assert_eq!((outcome.result.status, rejected), (Status::Incomplete, 0), "{:?}", outcome.remarks);
    let said = |text: &str| text.starts_with("20 objects refused by the server, yet stored");
    assert!(said_of(&outcome.remarks).iter().any(|text| said(text)), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn a_server_out_of_files_is_no_fault_of_the_objects() {
    let source = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 30));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let full = Kind::FailObjects(1, "open /data/mt/a/proplengths.tmp: too many open files".into());
    target.sandbox.faults().add(Fault::new(full).on(BATCHES.0, BATCHES.1).times(6));
    let (done, events) = target.try_restore(target.restore_options(&archive)).await;
    let outcome = done.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.collections[0].rejected), (Status::Ok, 0));
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::WritesRefused { .. }))));
    equals(&source, &target, &archive, "Mt");
}

#[tokio::test]
async fn tenants_that_cannot_be_put_back_at_once_sleep_in_the_end() {
    let target = world(Sandbox::builder());
    let states = r#"[{"name":"a","activityStatus":"COLD"},{"name":"b","activityStatus":"COLD"}]"#;
    let archive = by_hand(&target, states, &[("a", 0, [None, None], &[1, 2, 3]), ("b", 0, [None, None], &[1, 2])]);
    // The first request activates them, the second one puts them back: it fails for good.
    let stays = Fault::new(Kind::status(422, "not now")).on("PUT", "/v1/schema/Mt/tenants");
    target.sandbox.faults().add(stays.nth(2));
    let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 5), "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.tenants("Mt"), [("a".to_owned(), "COLD"), ("b".to_owned(), "COLD")]);
}

#[tokio::test]
async fn states_are_put_right_also_where_a_tenant_is_gone() {
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "HOT"), ("d", "COLD")];
    let source = world(tenants(Sandbox::builder().collection(CLASS), &all, 5));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    // After everything was compared: the schema is read last, then the tenants.
    for change in [status("a", None), status("b", Some("HOT")), status("c", Some("COLD"))] {
        target.sandbox.faults().add(Fault::new(change).on("GET", "/v1/schema/Mt/tenants").nth(3));
    }
    let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("to its end");
    assert_eq!(outcome.result.status, Status::Incomplete);
    let states = target.sandbox.tenants("Mt");
    let states: Vec<(&str, &str)> = states.iter().map(|(name, state)| (name.as_str(), *state)).collect();
    assert_eq!(states, [("b", "COLD"), ("c", "HOT"), ("d", "COLD")]);
    assert!(
        said_of(&outcome.remarks).iter().any(|text| text == "1 tenant was removed meanwhile (a first)"),
        "{:?}",
        outcome.remarks
    );
}

#[tokio::test]
async fn without_a_comparison_those_asleep_are_counted_too() {
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "COLD")];
    let source = world(tenants(Sandbox::builder().collection(CLASS), &all, 5));
    let archive = backed_up(&source).await;
    for lost in [false, true] {
        let target = world(Sandbox::builder());
        if lost {
            // The server lost an object of a tenant that sleeps: it goes when somebody looks at it again.
            let gone = Kind::Change(Change::Delete("Mt".into(), Some("b".into()), id(2)));
            target.sandbox.faults().add(Fault::new(gone).on("POST", "/v1/graphql").nth(2));
        }
        let options = RestoreOptions { verify: false, ..target.restore_options(&archive) };
        let (done, events) = target.try_restore(options).await;
        let outcome = done.expect("to its end");
        let status = if lost { Status::Incomplete } else { Status::Ok };
        assert_eq!(outcome.result.status, status, "{:?}", outcome.remarks);
        let mismatch =
            |e: &Event| matches!(e, Event::Warning(Warning::WrittenMismatch { written: 15, counted: 14, .. }));
        assert_eq!(events.iter().any(mismatch), lost);
        assert_eq!(target.sandbox.tenants("Mt").iter().filter(|(_, state)| *state == "COLD").count(), 2);
    }
}
