//! What stands under the name is not always what was planned, and an archive does not hold what was written since.

use elysiactl::ops::PlanChange;

use super::tenants::with_tenants;
use super::*;

/// Somebody removes these tenants and makes them anew, each with as many objects of the same ids, loaded at another time.
fn recreated(world: &World, tenants: &[&str]) {
    for tenant in tenants {
        let objects = world.sandbox.objects("Many", Some(tenant));
        for state in [None, Some("HOT")] {
            world.sandbox.faults().now(&Change::Tenant("Many".into(), (*tenant).into(), state));
        }
        for object in objects {
            let mut object: Value = serde_json::from_str(&object).expect("an object");
            object["tenant"] = (*tenant).into();
            world.sandbox.faults().now(&Change::Write(object.to_string()));
        }
    }
    world.sandbox.clear_requests();
}

/// Nothing is sent, and of the tenants a and b each has its two objects.
async fn is_refused(world: &World, plan: ClearPlan) -> Error {
    let (done, _) = run(world, plan).await;
    let stopped = done.expect_err("refused");
    assert_eq!((stopped.class(), world.sandbox.writing_requests()), (Class::Refused, 0), "{:?}", stopped.error);
    assert_eq!(["a", "b"].map(|t| world.sandbox.count("Many", Some(t))), [2, 2]);
    stopped.error
}

#[tokio::test]
async fn a_collection_whose_tenants_were_made_anew_with_as_many_objects_is_not_emptied() {
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = with_tenants().await;
        let plan = planned(&world, one(wish, options(&world, &["Many"]))).await.expect("a plan");
        recreated(&world, &["a", "b"]);
        let error = is_refused(&world, plan).await;
        assert!(matches!(error, Error::TenantRecreated { .. }), "{wish:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_named_tenant_that_was_made_anew_with_as_many_objects_is_not_emptied() {
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = with_tenants().await;
        let named = |tenants: &[&str]| tenants.iter().map(|t| t.parse().expect("a name")).collect();
        let options = ClearOptions { tenants: named(&["a", "b"]), ..one(wish, options(&world, &["Many"])) };
        let plan = planned(&world, options).await.expect("a plan");
        recreated(&world, &["b"]);
        let error = is_refused(&world, plan).await;
        assert!(
            matches!(&error, Error::TenantRecreated { tenant, .. } if tenant.as_str() == "b"),
            "{wish:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn one_tenant_of_several_made_anew_stops_a_drop_and_no_deletion_by_ids() {
    let world = with_tenants().await;
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Many"]))).await.expect("a plan");
    recreated(&world, &["b"]);
    let error = is_refused(&world, plan).await;
    assert!(matches!(&error, Error::TenantRecreated { tenant, .. } if tenant.as_str() == "b"), "{error:?}");
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Many"]))).await.expect("a plan");
    recreated(&world, &["b"]);
    let (done, _) = run(&world, plan).await;
    assert_eq!(done.expect("an end").result.status, Status::Ok);
}

#[tokio::test]
async fn what_is_written_after_an_archive_was_said_to_hold_all_of_it_is_not_emptied() {
    let object = r#"{"class":"Few","id":"00000000-0000-4000-8000-000000000001","properties":{"t":"T"},"vector":[1,2]}"#;
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = world(Sandbox::builder().collection(r#"{"class":"Few"}"#).object(object));
        let archive = crate::rm::held::backed_up_before_now(&world).await;
        let plan = planned(&world, one(wish, options(&world, &["Few"]))).await.expect("a plan");
        let named = plan.collections[0].standing.held_in.as_ref().expect("an archive");
        assert_eq!(named.covers, elysiactl::event::Covers::Everything);
        world.sandbox.faults().now(&Change::Write(object.replace("\"T\"", "\"late\"")));
        world.sandbox.clear_requests();
        let (done, _) = run(&world, plan).await;
        let stopped = done.expect_err("refused");
        let Error::NotAsPlanned { what: PlanChange::WrittenSinceHeld { archive: named }, .. } = &stopped.error else {
            panic!("{:?}", stopped.error)
        };
        assert_eq!(*named, archive);
        assert_eq!((stopped.class(), world.sandbox.writing_requests()), (Class::Refused, 0), "{wish:?}");
        assert_eq!(world.sandbox.count("Few", None), 1);
    }
}

#[tokio::test]
async fn a_writer_that_sends_first_objects_again_or_deletes_them_stops_nothing() {
    let first = r#"{"class":"Many","id":"00000000-0000-0000-0000-000000000001","properties":{},"tenant":"a"}"#;
    let world = with_tenants().await;
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Many"]))).await.expect("a plan");
    world.sandbox.faults().now(&Change::Write(first.to_owned()));
    world.sandbox.faults().now(&Change::Write(first.replace(r#""a""#, r#""b""#)));
    let (done, _) = run(&world, plan).await;
    assert_eq!(done.expect("an end").result.status, Status::Ok);
}

#[tokio::test]
async fn inactive_tenants_of_a_collection_made_anew_after_some_of_them_went_are_left() {
    let object = r#"{"class":"Lot","id":"00000000-0000-0000-0000-000000000001","properties":{},"tenant":"TENANT"}"#;
    let mut builder = Sandbox::builder().collection(r#"{"class":"Lot","multiTenancyConfig":{"enabled":true}}"#);
    let inactive: Vec<String> = (0..101).map(|n| format!("c{n:03}")).collect();
    for tenant in inactive.iter().map(String::as_str).chain(["a"]) {
        builder = builder.tenant("Lot", tenant, "HOT");
    }
    for tenant in inactive.iter().map(String::as_str).chain(["a"]) {
        builder = builder.object(&object.replace("TENANT", tenant));
    }
    let world = world(builder);
    let set = |tenant: &str, state| Change::Tenant("Lot".into(), tenant.into(), state);
    for tenant in &inactive {
        world.sandbox.faults().now(&set(tenant, Some("COLD")));
    }
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Lot"]))).await.expect("a plan");
    // The others are those of the new collection, as it were.
    for (method, state) in [("DELETE", None), ("POST", Some("HOT"))] {
        let at = Fault::new(Kind::Change(set("a", state))).on(method, "/v1/schema/Lot/tenants").nth(1);
        world.sandbox.faults().add(at);
    }
    let (done, _) = run(&world, plan).await;
    let error = done.expect_err("refused").error;
    assert!(matches!(&error, Error::TenantRecreated { tenant, .. } if tenant.as_str() == "a"), "{error:?}");
    world.sandbox.faults().now(&set("c100", Some("HOT")));
    assert_eq!(world.sandbox.count("Lot", Some("c100")), 1);
}

#[tokio::test]
async fn what_is_made_anew_while_it_is_deleted_keeps_what_comes_with_the_same_ids() {
    // 5,000 go at once.
    let world = world(Sandbox::builder().seeded("Article", 5_001, 3, 4));
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Article"]))).await.expect("a plan");
    let anew = Fault::new(Kind::Change(Change::Anew("Article".into()))).on("DELETE", "/v1/batch/objects").nth(1);
    world.sandbox.faults().add(anew);
    let (done, _) = run(&world, plan).await;
    let stopped = done.expect_err("refused");
    assert!(matches!(stopped.error, Error::Recreated { .. }), "{:?}", stopped.error);
    assert_eq!((stopped.class(), world.sandbox.count("Article", None)), (Class::Server, 1));
}

#[tokio::test]
async fn a_tenant_that_is_made_anew_while_it_is_deleted_keeps_what_comes_with_the_same_ids() {
    let world = with_tenants().await;
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Many"]))).await.expect("a plan");
    let (objects, name) = (world.sandbox.objects("Many", Some("b")), || ("Many".to_owned(), "b".to_owned()));
    // Once it is listed, and before its ids are deleted, when it is looked at from the first of them on.
    let at = |change| Fault::new(Kind::Change(change)).on("GET", "/v1/objects").query("0000&tenant=b").times(1);
    for state in [None, Some("HOT")] {
        world.sandbox.faults().add(at(Change::Tenant(name().0, name().1, state)));
    }
    for object in objects {
        let mut object: Value = serde_json::from_str(&object).expect("an object");
        object["tenant"] = "b".into();
        world.sandbox.faults().add(at(Change::Write(object.to_string())));
    }
    let (done, _) = run(&world, plan).await;
    let outcome = done.expect("an end");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 2));
    let said = "not empty: 2 objects written after 4 objects had been counted, or in that second: not deleted";
    assert!(said_of(&outcome.remarks).iter().any(|text| text == said), "{:?}", outcome.remarks);
    assert_eq!(["a", "b"].map(|t| world.sandbox.count("Many", Some(t))), [0, 2]);
}
