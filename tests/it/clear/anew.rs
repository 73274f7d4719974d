//! What stands under the name is not always what was planned, and an archive does not hold what was written since.

use super::tenants::with_tenants;
use super::*;

/// Somebody removes these tenants and makes them anew, each with as many objects of the same ids, loaded at another time.
fn made_anew(world: &World, tenants: &[&str]) {
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
async fn is_refused(world: &World, plan: Plan) -> Error {
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
        made_anew(&world, &["a", "b"]);
        let error = is_refused(&world, plan).await;
        assert!(matches!(error, Error::MadeAnew { .. }), "{wish:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_named_tenant_that_was_made_anew_with_as_many_objects_is_not_emptied() {
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = with_tenants().await;
        let named = |tenants: &[&str]| tenants.iter().map(|t| t.parse().expect("a name")).collect();
        let options = Options { tenants: named(&["a", "b"]), ..one(wish, options(&world, &["Many"])) };
        let plan = planned(&world, options).await.expect("a plan");
        made_anew(&world, &["b"]);
        let error = is_refused(&world, plan).await;
        assert!(
            matches!(&error, Error::TenantMadeAnew { tenant, .. } if tenant.as_str() == "b"),
            "{wish:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn one_tenant_of_several_made_anew_stops_a_drop_and_no_deletion_by_ids() {
    let world = with_tenants().await;
    let plan = planned(&world, one(Wish::Recreate, options(&world, &["Many"]))).await.expect("a plan");
    made_anew(&world, &["b"]);
    let error = is_refused(&world, plan).await;
    assert!(matches!(&error, Error::TenantMadeAnew { tenant, .. } if tenant.as_str() == "b"), "{error:?}");
    let plan = planned(&world, one(Wish::Delete, options(&world, &["Many"]))).await.expect("a plan");
    made_anew(&world, &["b"]);
    let (done, _) = run(&world, plan).await;
    assert_eq!(done.expect("an end").result.status, Status::Ok);
}

#[tokio::test]
async fn what_is_written_after_an_archive_was_said_to_hold_all_of_it_is_not_emptied() {
    let object = r#"{"class":"Few","id":"00000000-0000-4000-8000-000000000001","properties":{"t":"T"},"vector":[1,2]}"#;
    for wish in [Wish::Recreate, Wish::Delete] {
        let world = world(Sandbox::builder().collection(r#"{"class":"Few"}"#).object(object));
        crate::held::backed_up_before_now(&world).await;
        let plan = planned(&world, one(wish, options(&world, &["Few"]))).await.expect("a plan");
        let named = plan.collections[0].standing.held_in.as_ref().expect("an archive");
        assert_eq!(named.covers, elysiactl::event::Covers::Everything);
        world.sandbox.faults().now(&Change::Write(object.replace("\"T\"", "\"late\"")));
        world.sandbox.clear_requests();
        let (done, _) = run(&world, plan).await;
        let stopped = done.expect_err("refused");
        let said = stopped.error.to_string();
        assert!(said.contains("it was written to after ") && said.contains(" was said to hold all of it"), "{said}");
        assert_eq!((stopped.class(), world.sandbox.writing_requests()), (Class::Refused, 0), "{wish:?}");
        assert_eq!(world.sandbox.count("Few", None), 1);
    }
}
