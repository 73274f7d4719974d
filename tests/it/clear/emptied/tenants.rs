//! Multi-tenant collections and single tenants: their names and states are there afterwards, their objects are not.

use crate::support::said::said_of;
use elysiactl::archive::RunRecord;
use elysiactl::event::{Op, Warning};
use elysiactl::model::TenantName;
use elysiactl::ops::{NotBackedUp, PlanChange};

use super::*;

/// A collection with three tenants of two objects, one of them inactive.
pub(super) async fn with_tenants() -> World {
    with_tenants_on("1.40").await
}

async fn with_tenants_on(version: &str) -> World {
    let document = r#"{"class":"Many","multiTenancyConfig":{"enabled":true,"autoTenantCreation":true}}"#;
    let mut builder = Sandbox::builder().version(version).collection(document);
    for tenant in ["a", "b", "c"] {
        builder = builder.tenant("Many", tenant, "HOT");
    }
    for tenant in ["a", "b", "c"] {
        for n in 1..=2 {
            let id = format!("00000000-0000-0000-0000-{n:012}");
            builder = builder.object(&format!(
                r#"{{"class":"Many","id":"{id}","tenant":"{tenant}","properties":{{}},"vector":[1,{n}]}}"#
            ));
        }
    }
    let world = world(builder);
    call(&world, "PUT", "/v1/schema/Many/tenants", r#"[{"name":"c","activityStatus":"COLD"}]"#).await;
    world
}

#[tokio::test]
async fn tenants_are_there_again_with_their_states() {
    for wish in [Wish::Recreate, Wish::Delete, Wish::Auto] {
        let world = with_tenants().await;
        let (before, states) = (schema(&world, "Many").await, tenants(&world, "Many").await);
        assert_eq!(states.iter().filter(|t| t.state == TenantState::Cold).count(), 1);
        let plan = planned(&world, one(wish, options(&world, &["Many"]))).await.expect("a plan");
        assert_eq!(plan.collections[0].objects, Count::Exact(4), "of those that are awake");
        let (done, _) = run(&world, plan).await;
        let outcome = done.expect("done");
        assert_eq!((outcome.result.status, outcome.result.collections[0].tenants), (Status::Ok, 3), "{wish:?}");
        assert_eq!(outcome.result.collections[0].counts_verified, Some(false), "more went than was counted");
        assert_eq!((schema(&world, "Many").await, tenants(&world, "Many").await), (before, states), "{wish:?}");
        call(&world, "PUT", "/v1/schema/Many/tenants", r#"[{"name":"c","activityStatus":"HOT"}]"#).await;
        for tenant in ["a", "b", "c"] {
            assert_eq!(world.sandbox.count("Many", Some(tenant)), 0, "{wish:?} {tenant}");
        }
    }
}

#[tokio::test]
async fn one_tenant_is_emptied_and_the_others_keep_what_they_have() {
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = with_tenants().await;
        let states = tenants(&world, "Many").await;
        let options =
            ClearOptions { tenants: vec!["b".parse().expect("a name")], ..one(wish, options(&world, &["Many"])) };
        let outcome = cleared(&world, options).await;
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 2));
        assert_eq!(tenants(&world, "Many").await, states);
        assert_eq!(["a", "b"].map(|t| world.sandbox.count("Many", Some(t))), [2, 0]);
    }
}

#[tokio::test]
async fn tenants_that_were_left_away_are_created_by_the_next_run() {
    for (wish, tenant) in [(Wish::Recreate, None), (Wish::Recreate, Some("b")), (Wish::Delete, None)] {
        let world = with_tenants().await;
        let (before, states) = (schema(&world, "Many").await, tenants(&world, "Many").await);
        let wanted = || {
            let tenants = tenant.iter().map(|t: &&str| t.parse().expect("a name")).collect();
            ClearOptions { tenants, ..one(wish, options(&world, &["Many"])) }
        };
        let plan = planned(&world, wanted()).await.expect("a plan");
        world.sandbox.faults().add(Fault::new(Kind::status(500, "disk")).on("POST", "/v1/schema/Many/tenants"));
        let (done, _) = run(&world, plan).await;
        done.expect_err("tenants are away");
        assert!(tenants(&world, "Many").await.len() < 3, "{wish:?}");

        world.sandbox.faults().clear();
        let plan = planned(&world, wanted()).await.expect("a plan");
        assert!(!plan.collections[0].missing.is_empty() && plan.collections[0].unfinished.is_none(), "{wish:?}");
        let (done, _) = run(&world, plan).await;
        assert_eq!(done.expect("done").result.status, Status::Ok);
        assert_eq!((schema(&world, "Many").await, tenants(&world, "Many").await), (before, states), "{wish:?}");
        let others = if tenant.is_some() { 2 } else { 0 };
        assert_eq!((world.sandbox.count("Many", Some("a")), world.sandbox.count("Many", Some("b"))), (others, 0));
        let again = planned(&world, options(&world, &["Many"])).await.expect("a plan");
        assert!(again.collections[0].missing.is_empty(), "what was finished is not begun again");
    }
}

#[tokio::test]
async fn a_server_that_gives_removed_tenants_their_objects_back_is_not_asked_to_remove_them() {
    let world = with_tenants_on("1.24").await;
    let states = tenants(&world, "Many").await;
    let only = |wish, tenant: &str| ClearOptions {
        tenants: vec![tenant.parse().expect("a name")],
        ..one(wish, options(&world, &["Many"]))
    };
    for options in [only(Wish::Recreate, "b"), only(Wish::Auto, "c"), one(Wish::Delete, options(&world, &["Many"]))] {
        let error = refused(&world, options).await;
        let Error::CannotClear { refusals } = &error else { panic!("{error:?}") };
        assert!(matches!(refusals.as_slice(), [clear::ClearRefusal::TenantsStay { .. }]), "{refusals:?}");
        assert_eq!((error.class(), error.hints()), (Class::Refused, vec![Hint::ActivateTenants]));
    }
    let outcome = cleared(&world, only(Wish::Auto, "b")).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 2));
    assert_eq!(["a", "b"].map(|t| world.sandbox.count("Many", Some(t))), [2, 0]);
    let outcome = cleared(&world, options(&world, &["Many"])).await;
    assert_eq!((outcome.result.status, tenants(&world, "Many").await), (Status::Ok, states), "dropped as a whole");
    call(&world, "PUT", "/v1/schema/Many/tenants", r#"[{"name":"c","activityStatus":"HOT"}]"#).await;
    assert_eq!(["a", "b", "c"].map(|t| world.sandbox.count("Many", Some(t))), [0, 0, 0]);
}

#[tokio::test]
async fn a_tenant_that_the_server_says_it_removed_and_did_not_is_told_and_keeps_what_it_has() {
    let world = with_tenants().await;
    world.sandbox.faults().add(Fault::new(Kind::status(200, "")).on("DELETE", "/v1/schema/Many/tenants"));
    let wanted = ClearOptions { tenants: vec!["b".parse().expect("a name")], ..options(&world, &["Many"]) };
    let plan = planned(&world, one(Wish::Recreate, wanted)).await.expect("a plan");
    let (done, _) = run(&world, plan).await;
    let error = done.expect_err("it stays").error;
    assert!(matches!(&error, Error::TenantStays { tenant, .. } if tenant.as_str() == "b"), "{error:?}");
    assert_eq!((error.class(), error.hints()), (Class::Server, vec![Hint::RunAgain]));
    assert_eq!(["a", "b"].map(|t| world.sandbox.count("Many", Some(t))), [2, 2]);
}

#[tokio::test]
async fn a_tenant_that_the_server_says_it_created_and_did_not_is_told_and_made_by_the_next_run() {
    let world = with_tenants().await;
    world.sandbox.faults().add(Fault::new(Kind::status(200, "[]")).on("POST", "/v1/schema/Many/tenants"));
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Many"]))).await.expect("a plan");
    let (done, _) = run(&world, plan).await;
    let error = done.expect_err("no tenant").error;
    assert!(matches!(&error, Error::TenantLacks { tenant, .. } if tenant.as_str() == "a"), "{error:?}");
    assert_eq!((error.class(), error.hints()), (Class::Server, vec![Hint::RunAgain]));
    world.sandbox.faults().clear();
    let outcome = cleared(&world, options(&world, &["Many"])).await;
    assert_eq!((outcome.result.status, tenants(&world, "Many").await.len()), (Status::Ok, 3));
}

/// To remove `a` and `b`, and create them again.
async fn two_tenants(world: &World, patience: Duration) -> ClearPlan {
    let tenants = ["a", "b"].map(|tenant| tenant.parse().expect("a name")).to_vec();
    let wanted = ClearOptions { tenants, patience, ..options(world, &["Many"]) };
    planned(world, one(Wish::Recreate, wanted)).await.expect("a plan")
}

#[tokio::test]
async fn tenants_are_not_removed_again_before_the_first_request_must_be_over() {
    let world = with_tenants().await;
    let plan = two_tenants(&world, Duration::from_secs(9)).await;
    world.sandbox.clear_requests();
    world.sandbox.faults().add(Fault::new(Kind::bad_gateway()).on("DELETE", "/v1/schema/Many/tenants").times(1));
    let (done, _) = run(&world, plan).await;
    assert_eq!(done.expect("done").result.status, Status::Ok);
    let seen = world.sandbox.requests();
    let sent: Vec<_> = seen.iter().filter(|r| r.method == "DELETE" && r.path.contains("tenants")).collect();
    assert_eq!(sent.len(), 2);
    let waited = sent[1].at.duration_since(sent[0].at);
    assert!(waited >= Duration::from_millis(1_400), "a sixth of the patience, and not {waited:?}");
}

#[tokio::test]
async fn tenants_that_a_late_request_removed_after_all_are_not_called_emptied() {
    let world = with_tenants().await;
    let plan = two_tenants(&world, Duration::from_secs(1)).await;
    // They are created, and gone again by the time they are looked for.
    let gone = Kind::Change(Change::Tenant("Many".into(), "b".into(), None));
    world.sandbox.faults().add(Fault::new(gone).on("GET", "/v1/schema/Many/tenants").after(4));
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("one is gone");
    assert!(
        matches!(&stopped.error, Error::TenantLacks { tenant, .. } if tenant.as_str() == "b"),
        "{:?}",
        stopped.error
    );
    world.sandbox.faults().clear();
    let plan = planned(&world, options(&world, &["Many"])).await.expect("a plan");
    assert_eq!(plan.collections[0].missing.len(), 1, "the next run creates it");
}

#[tokio::test]
async fn tenants_that_are_gone_and_not_taken_back_are_no_mere_refusal() {
    let world = with_tenants().await;
    let plan = two_tenants(&world, Duration::from_secs(1)).await;
    let limit = Kind::Change(Change::Limit("tenants", 1));
    world.sandbox.faults().add(Fault::new(limit).on("DELETE", "/v1/schema/Many/tenants"));
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("a limit");
    assert!(stopped.error.class() == Class::Refused, "{:?}", stopped.error);
    assert_eq!((stopped.class(), stopped.partly), (Class::Server, Some(name("Many"))));
    // Refused before anything was removed, it is one.
    let world = with_tenants().await;
    let plan = two_tenants(&world, Duration::from_secs(1)).await;
    let mode = Kind::Change(Change::Mode("ReadOnly"));
    world.sandbox.faults().add(Fault::new(mode).on("DELETE", "/v1/schema/Many/tenants"));
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("a mode");
    assert_eq!((stopped.class(), stopped.partly), (Class::Refused, None), "{:?}", stopped.error);
}

#[tokio::test]
async fn a_tenant_that_is_named_twice_is_emptied_once() {
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = with_tenants().await;
        let states = tenants(&world, "Many").await;
        let twice = ["b", "b"].map(|tenant| tenant.parse().expect("a name")).to_vec();
        let wanted = ClearOptions { tenants: twice, ..one(wish, options(&world, &["Many", "Many"])) };
        let plan = planned(&world, wanted).await.expect("a plan");
        assert_eq!((plan.collections.len(), &plan.collections[0].objects), (1, &Count::Exact(2)), "{wish:?}");
        let (done, _) = run(&world, plan).await;
        assert_eq!(done.expect("done").result.collections[0].tenants, 1);
        assert_eq!(tenants(&world, "Many").await, states);
        assert_eq!(["a", "b"].map(|t| world.sandbox.count("Many", Some(t))), [2, 0]);
    }
}

#[tokio::test]
async fn a_tenant_that_sleeps_and_is_not_what_it_was_is_not_removed_by_a_clear_that_deletes() {
    // Seen at the first look of the run, at the one before that is written down, and at the one right before it is removed.
    for (look, status) in [(1, Some("HOT")), (1, None), (2, None), (3, Some("HOT")), (3, None)] {
        let world = with_tenants().await;
        let plan = planned(&world, one(Wish::Delete, options(&world, &["Many"]))).await.expect("a plan");
        let other = Kind::Change(Change::Tenant("Many".into(), "c".into(), status));
        world.sandbox.faults().add(Fault::new(other).on("GET", "/v1/schema/Many/tenants").nth(look));
        world.sandbox.clear_requests();
        let (done, _) = run(&world, plan).await;
        let stopped = done.expect_err("refused");
        let is_c = |tenant: &TenantName| tenant.as_str() == "c";
        let said =
            matches!(&stopped.error, Error::NotAsPlanned { what: PlanChange::Tenant { tenant }, .. } if is_c(tenant));
        assert!(said, "{look} {status:?}: {:?}", stopped.error);
        assert_eq!((stopped.class(), stopped.partly.as_ref()), (Class::Refused, None), "{look} {status:?}");
        assert_eq!(world.sandbox.writing_requests(), 0, "{look} {status:?}");
        assert_eq!(tenants(&world, "Many").await.len(), if status.is_some() { 3 } else { 2 }, "not made again");
        let again = planned(&world, options(&world, &["Many"])).await.expect("a plan");
        assert_eq!(again.collections[0].missing, [], "{look} {status:?}: nor by the next run");
    }
}

#[tokio::test]
async fn what_is_written_to_a_tenant_before_it_is_removed_is_not_lost_and_other_tenants_are_no_hindrance() {
    let world = with_tenants().await;
    let plan = two_tenants(&world, Duration::from_secs(5)).await;
    let late =
        r#"{"class":"Many","id":"00000000-0000-0000-0000-000000000009","tenant":"b","properties":{},"vector":[3,4]}"#;
    let write = Kind::Change(Change::Write(late.to_owned()));
    world.sandbox.faults().add(Fault::new(write).on("POST", "/v1/graphql").nth(2));
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("refused");
    let Error::NotAsPlanned { what: PlanChange::TenantObjects { tenant, before, now }, .. } = &stopped.error else {
        panic!("{:?}", stopped.error)
    };
    assert_eq!((tenant.as_str(), *before, *now), ("b", 2, 3));
    assert_eq!((stopped.class(), stopped.partly), (Class::Refused, None));
    assert_eq!(["a", "b"].map(|t| world.sandbox.count("Many", Some(t))), [2, 3]);
    world.sandbox.faults().clear();
    let plan = two_tenants(&world, Duration::from_secs(5)).await;
    world.sandbox.faults().now(&Change::Tenant("Many".into(), "new".into(), Some("HOT")));
    let (done, _) = run(&world, plan).await;
    assert_eq!(done.expect("done").result.objects, 5);
    assert_eq!(["a", "b"].map(|t| world.sandbox.count("Many", Some(t))), [0, 0]);
}

#[tokio::test]
async fn who_is_put_to_sleep_in_word_alone_after_a_comparison_is_named_and_nothing_is_emptied() {
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = with_tenants().await;
        let mut plan = planned(&world, one(wish, options(&world, &["Many"]))).await.expect("a plan");
        let backup = world.try_backup(world.options()).await.0.expect("a backup").result.archive.expect("an archive");
        plan.must_be_held_in(backup.into(), jiff::Timestamp::UNIX_EPOCH);
        let lie = Fault::new(Kind::status(200, "[]")).on("PUT", "/v1/schema/Many/tenants").after(1);
        world.sandbox.faults().add(lie);
        let (done, events) = run(&world, plan).await;
        let stopped = done.expect_err("refused");
        let Error::NotAsPlanned { what: PlanChange::NotBackedUp { why }, .. } = &stopped.error else {
            panic!("{:?}", stopped.error)
        };
        assert_eq!(*why, NotBackedUp::TenantsStayActive);
        let named =
            |e: &&Event| matches!(e, Event::Warning(Warning::TenantsStayActive { tenants: 1, noted: true, .. }));
        assert_eq!(events.iter().filter(named).count(), 1, "{wish:?}: {events:?}");
        assert_eq!(["a", "b", "c"].map(|t| world.sandbox.count("Many", Some(t))), [2, 2, 2], "{wish:?}");
        world.sandbox.faults().clear();
        let plan = planned(&world, one(wish, options(&world, &["Many"]))).await.expect("a plan");
        assert_eq!(plan.collections[0].inactive(), 1, "it is known to be asleep by nature");
    }
}

/// A run woke the tenant that sleeps, and was killed.
async fn with_one_left_awake() -> World {
    let world = with_tenants().await;
    world.sandbox.faults().now(&Change::Tenant("Many".into(), "c".into(), Some("HOT")));
    let tenants = vec!["c".parse().expect("a name")];
    let waking = RunRecord::Activating { target: name("Many"), tenants, firsts: std::collections::BTreeMap::new() };
    world.killed_run(Op::Verify, &[waking]);
    world
}

#[tokio::test]
async fn what_a_killed_run_left_awake_is_planned_as_asleep_and_sleeps_afterwards() {
    for (wish, is_backed_up) in [Wish::Recreate, Wish::Delete].into_iter().flat_map(|w| [(w, false), (w, true)]) {
        let world = with_one_left_awake().await;
        world.sandbox.clear_requests();
        let mut plan = planned(&world, one(wish, options(&world, &["Many"]))).await.expect("a plan");
        assert_eq!((plan.collections[0].inactive(), &plan.collections[0].objects), (1, &Count::Exact(4)), "{wish:?}");
        assert_eq!(
            (world.sandbox.writing_requests(), tenants(&world, "Many").await[2].state == TenantState::Hot),
            (0, true)
        );
        if is_backed_up {
            // It puts the tenant back itself.
            let (backup, _) = world.try_backup(world.options()).await;
            plan.must_be_held_in(
                backup.expect("a backup").result.archive.expect("an archive").into(),
                jiff::Timestamp::UNIX_EPOCH,
            );
        }
        let (done, events) = run(&world, plan).await;
        assert_eq!(done.expect("done").result.status, Status::Ok, "{wish:?}");
        let told = events.iter().any(|e| matches!(e, Event::Warning(Warning::TenantsLeftActive { tenants: 1, .. })));
        assert_eq!(told, !is_backed_up, "{wish:?}");
        let states: Vec<_> = tenants(&world, "Many").await.into_iter().map(|tenant| tenant.state).collect();
        assert_eq!(states, [TenantState::Hot, TenantState::Hot, TenantState::Cold], "{wish:?}");
        call(&world, "PUT", "/v1/schema/Many/tenants", r#"[{"name":"c","activityStatus":"HOT"}]"#).await;
        assert_eq!(["a", "b", "c"].map(|t| world.sandbox.count("Many", Some(t))), [0, 0, 0], "{wish:?}");
        let again = planned(&world, options(&world, &["Many"])).await.expect("a plan");
        assert_eq!(
            again.collections[0].inactive(),
            0,
            "{wish:?}: it was put right, and whoever wakes it now has reason to"
        );
    }
}

#[tokio::test]
async fn that_an_offloaded_tenant_comes_back_inactive_stands_in_the_plan_of_each_way() {
    for (wish, named) in [(Wish::Recreate, true), (Wish::Recreate, false), (Wish::Delete, true), (Wish::Delete, false)]
    {
        let world = with_tenants().await;
        world.sandbox.faults().now(&Change::Tenant("Many".into(), "c".into(), Some("FROZEN")));
        let tenants_of = if named { vec!["c".parse().expect("a name")] } else { Vec::new() };
        let options = ClearOptions { tenants: tenants_of, ..one(wish, options(&world, &["Many"])) };
        let plan = planned(&world, options).await.expect("a plan");
        let lost = ClearRemark::OffloadedToInactive { tenants: 1 }.into();
        assert!(plan.collections[0].loses.contains(&lost), "{wish:?} {named}");
        let (done, _) = run(&world, plan).await;
        let outcome = done.expect("done");
        assert!(said_of(&outcome.remarks).iter().any(|text| text.contains("offloaded")), "{:?}", outcome.remarks);
        assert_eq!(tenants(&world, "Many").await[2].state, TenantState::Cold, "{wish:?} {named}");
    }
}
