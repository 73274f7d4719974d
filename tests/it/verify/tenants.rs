//! `col verify` of multi-tenant collections: each tenant is compared with its own, and nobody stays active.

use std::path::{Path, PathBuf};

use elysiactl::event::{Class, Difference, Event, Op, Status, Warning};
use elysiactl::model::{Selection, TenantMap};
use elysiactl::ops::Hint;
use elysiactl::ops::verify::{VerifyOptions, VerifyOutcome};
use elysiactl::pipeline::activation::ACTIVE_AT_ONCE;
use sandbox::{Builder, Change, Fault, Kind, PageFault, Role, Sandbox};

use crate::backup::tenants::{CLASS, activated, archive_of, id, is_look, named, tenants};
use crate::support::said::said_of;
use crate::support::world::{World, verify_options, world};

async fn backed_up(world: &World) -> PathBuf {
    archive_of(&world.try_backup(world.options()).await.0.expect("a backup"))
}

fn options(world: &World, archive: &Path) -> VerifyOptions {
    VerifyOptions { state: Some(world.state()), ..verify_options(archive) }
}

async fn verified(world: &World, archive: &Path) -> VerifyOutcome {
    world.verify(options(world, archive)).await
}

fn some() -> Builder {
    let all = [("a", "HOT"), ("b", "COLD"), ("c", "HOT")];
    tenants(Sandbox::builder().collection(CLASS), &all, 30).tenant("Mt", "empty", "HOT")
}

/// Kind, tenant and number of each difference.
fn found(outcome: &VerifyOutcome) -> Vec<(Difference, String, String)> {
    let one = |d: &elysiactl::ops::verify::Differs| {
        (d.kind, d.tenant.as_ref().map(ToString::to_string).unwrap_or_default(), d.id.to_string())
    };
    outcome.differences.iter().map(one).collect()
}

pub(crate) fn write(tenant: &str, number: usize, title: &str) -> Change {
    let id = id(number);
    Change::Write(format!(
        r#"{{"class":"Mt","tenant":"{tenant}","id":"{id}","properties":{{"title":"{title}"}},"vector":[{number},1]}}"#
    ))
}

#[tokio::test]
async fn equal_tenants_agree_and_those_asleep_sleep_again() {
    let world = world(some());
    let archive = backed_up(&world).await;
    world.sandbox.clear_requests();
    let outcome = verified(&world, &archive).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?} {:?}", outcome.remarks, outcome.differences);
    let collection = &outcome.result.collections[0];
    assert_eq!((collection.objects, collection.tenants, collection.digest.is_some()), (90, 4, true));
    assert_eq!(world.sandbox.tenants("Mt")[1], ("b".to_owned(), "COLD"));
    let writing: Vec<_> = world.sandbox.requests().into_iter().filter(|r| r.writing).map(|r| r.path).collect();
    assert_eq!(writing, ["/v1/schema/Mt/tenants"; 2], "one to wake, one to put back");
}

#[tokio::test]
async fn nothing_is_written_where_all_are_awake() {
    let world = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 5));
    let archive = backed_up(&world).await;
    let outcome = verified(&world, &archive).await;
    assert_eq!(outcome.result.status, Status::Ok);
    assert_eq!(world.sandbox.writing_requests(), 0);
    assert!(!world.state().runs.exists());
}

#[tokio::test]
async fn what_differs_in_one_tenant_is_found_there() {
    let world = world(some());
    let archive = backed_up(&world).await;
    let faults = world.sandbox.faults();
    faults.now(&write("a", 3, "changed"));
    faults.now(&Change::Delete("Mt".into(), Some("c".into()), id(4)));
    faults.now(&write("empty", 9, "new"));
    faults.now(&Change::Tenant("Mt".into(), "b".into(), Some("HOT")));
    faults.now(&write("b", 5, "changed asleep"));
    faults.now(&write("b", 500, "new asleep"));
    faults.now(&Change::Tenant("Mt".into(), "b".into(), Some("COLD")));
    let outcome = verified(&world, &archive).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    let place = |kind, tenant: &str, number| (kind, tenant.to_owned(), id(number));
    assert_eq!(
        found(&outcome),
        [
            place(Difference::Different, "a", 3),
            place(Difference::Different, "b", 5),
            place(Difference::OnlyRight, "b", 500),
            place(Difference::OnlyLeft, "c", 4),
            place(Difference::OnlyRight, "empty", 9),
        ]
    );
}

#[tokio::test]
async fn a_swap_between_tenants_is_found() {
    let world = world(some());
    let archive = backed_up(&world).await;
    let faults = world.sandbox.faults();
    // The same id on both sides, and an object that moved.
    faults.now(&write("a", 3, "c 3"));
    faults.now(&write("c", 3, "a 3"));
    faults.now(&Change::Delete("Mt".into(), Some("a".into()), id(7)));
    faults.now(&write("empty", 7, "a 7"));
    let outcome = verified(&world, &archive).await;
    let place = |kind, tenant: &str, number| (kind, tenant.to_owned(), id(number));
    assert_eq!(
        found(&outcome),
        [
            place(Difference::Different, "a", 3),
            place(Difference::OnlyLeft, "a", 7),
            place(Difference::Different, "c", 3),
            place(Difference::OnlyRight, "empty", 7),
        ]
    );
}

#[tokio::test]
async fn tenants_that_one_side_lacks_are_named() {
    let world = world(some());
    let archive = backed_up(&world).await;
    let faults = world.sandbox.faults();
    faults.now(&Change::Tenant("Mt".into(), "a".into(), None));
    faults.now(&Change::Tenant("Mt".into(), "new".into(), Some("HOT")));
    faults.now(&write("new", 1, "new"));
    let outcome = verified(&world, &archive).await;
    assert_eq!((outcome.result.status, outcome.result.collections[0].only_left), (Status::Incomplete, Some(30)));
    let said = |text: &str| said_of(&outcome.remarks).iter().any(|said| said.contains(text));
    assert!(said("the server lacks tenant a of the archive"), "{:?}", outcome.remarks);
    assert!(said("the server has tenant new that the archive does not hold, 1 object"), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn another_state_is_said_and_no_difference() {
    let world = world(some());
    let archive = backed_up(&world).await;
    world.sandbox.faults().now(&Change::Tenant("Mt".into(), "c".into(), Some("COLD")));
    let outcome = verified(&world, &archive).await;
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    let said =
        said_of(&outcome.remarks).iter().any(|text| text.contains("tenant c in another state than in the archive"));
    assert!(said, "{:?}", outcome.remarks);
    assert_eq!(world.sandbox.tenants("Mt")[2].1, "COLD");
}

#[tokio::test]
async fn where_the_key_may_not_wake_tenants_they_are_not_compared() {
    let mut world = world(some().key("rootkey", "root", Role::Root).key("readkey", "reader", Role::Viewer));
    world.key = Some("rootkey");
    let archive = backed_up(&world).await;
    world.key = Some("readkey");
    let outcome = verified(&world, &archive).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 60));
    let said = said_of(&outcome.remarks)
        .iter()
        .any(|text| text.contains("not compared: tenant b, 30 objects in the archive: inactive, and the key"));
    assert!(said, "{:?}", outcome.remarks);
}

#[tokio::test]
async fn of_many_that_sleep_few_are_awake_at_any_time() {
    let names: Vec<String> = (0..200).map(|n| format!("t{n:03}")).collect();
    let all: Vec<(&str, &'static str)> =
        names.iter().enumerate().map(|(n, name)| (name.as_str(), if n % 4 == 0 { "HOT" } else { "COLD" })).collect();
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 3));
    let archive = backed_up(&world).await;
    let outcome = verified(&world, &archive).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 600), "{:?}", outcome.remarks);
    let most = world.sandbox.most_activated();
    assert!((1..=ACTIVE_AT_ONCE).contains(&most), "{most} awake at once");
    assert_eq!(world.sandbox.tenants("Mt").iter().filter(|(_, state)| *state == "COLD").count(), 150);
}

#[tokio::test]
async fn what_a_killed_run_left_awake_sleeps_afterwards() {
    let world = world(some());
    let archive = backed_up(&world).await;
    world.sandbox.faults().now(&Change::Tenant("Mt".into(), "b".into(), Some("HOT")));
    world.killed_run(Op::Verify, &[activated(&["b"])]);
    let (done, events) = world.try_verify(options(&world, &archive)).await;
    assert_eq!(done.expect("compared").result.status, Status::Ok);
    let said = |e: &Event| matches!(e, Event::Warning(Warning::TenantsLeftActive { tenants: 1, .. }));
    assert!(events.iter().any(said));
    assert_eq!(world.sandbox.tenants("Mt")[1], ("b".to_owned(), "COLD"));
}

#[tokio::test]
async fn chosen_tenants_are_compared_with_those_that_were_named() {
    let world = world(some());
    let archive = backed_up(&world).await;
    world.sandbox.faults().now(&write("c", 3, "changed"));
    let only = |old: &str, new: &str| {
        let name = |text: &str| text.parse().expect("a name");
        TenantMap::Only([(name(old), name(new))].into())
    };
    let same = VerifyOptions { tenants: only("a", "a"), ..options(&world, &archive) };
    assert_eq!(world.verify(same).await.result.status, Status::Ok);
    let other = VerifyOptions { tenants: only("a", "c"), limit: 5, ..options(&world, &archive) };
    let outcome = world.verify(other).await;
    assert_eq!(outcome.result.collections[0].different, Some(30), "each says whose it is");
    assert_eq!(outcome.differences.len(), 5);
    let nobody = VerifyOptions { tenants: only("x", "a"), ..options(&world, &archive) };
    let error = world.try_verify(nobody).await.0.expect_err("unknown");
    assert!(matches!(error, elysiactl::ops::Error::UnknownTenant { .. }), "{error:?}");
}

#[tokio::test]
async fn thousands_of_small_tenants_take_one_page_each_and_one_count_a_hundred() {
    let names: Vec<String> = (0..2_000).map(|n| format!("t{n:04}")).collect();
    let all: Vec<(&str, &'static str)> =
        names.iter().enumerate().map(|(n, name)| (name.as_str(), if n % 20 == 19 { "COLD" } else { "HOT" })).collect();
    let world = world(tenants(Sandbox::builder().collection(CLASS), &all, 3));
    let archive = backed_up(&world).await;
    world.sandbox.clear_requests();
    let outcome = verified(&world, &archive).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 6_000), "{:?}", outcome.remarks);
    let seen = world.sandbox.requests();
    let number = |path: &str| seen.iter().filter(|request| request.path == path).count();
    // Each of those that are activated is looked at once, to be known again.
    let looks = seen.iter().filter(|request| is_look(&request.query)).count();
    assert_eq!((number("/v1/objects") - looks, looks), (2_000, 100));
    let windows = seen.iter().filter(|r| r.writing).count() / 2;
    assert_eq!(number("/v1/graphql"), 1 + 19 + windows, "one to see whether it can be asked, and one for each window");
    assert!(windows <= 100, "{windows}");
}

#[tokio::test]
async fn where_nobody_may_count_tenants_are_read_to_the_empty_page() {
    let world = world(some());
    let archive = backed_up(&world).await;
    for path in ["/v1/graphql", "/v1/batch/objects"] {
        world.sandbox.faults().add(Fault::new(Kind::status(403, "no")).path(path));
    }
    world.sandbox.clear_requests();
    let (done, events) = world.try_verify(options(&world, &archive)).await;
    let outcome = done.expect("compared");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 90), "{:?}", outcome.remarks);
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::CountUnchecked { .. }))), "{events:?}");
    let pages = world.sandbox.requests().into_iter().filter(|r| r.path == "/v1/objects" && !is_look(&r.query));
    assert_eq!(pages.filter(|r| r.query.contains("tenant=b")).count(), 2, "asked once more, behind the last object");
}

#[tokio::test]
async fn an_object_that_a_page_hides_is_found_by_the_count() {
    let world = world(some());
    let archive = backed_up(&world).await;
    world.sandbox.faults().now(&write("empty", 9, "new"));
    let hidden = Fault::new(Kind::Page(PageFault::Empty)).on("GET", "/v1/objects").query("tenant=empty").times(1);
    world.sandbox.faults().add(hidden);
    let outcome = verified(&world, &archive).await;
    assert_eq!(found(&outcome), [(Difference::OnlyRight, "empty".to_owned(), id(9))]);
}

#[tokio::test]
async fn tenants_that_come_and_go_meanwhile_are_named() {
    let world = world(some());
    let archive = backed_up(&world).await;
    let at_the_count = |change: Change| Fault::new(Kind::Change(change)).on("POST", "/v1/graphql").nth(2);
    let faults = world.sandbox.faults();
    faults.add(at_the_count(Change::Tenant("Mt".into(), "c".into(), None)));
    faults.add(at_the_count(Change::Tenant("Mt".into(), "new".into(), Some("HOT"))));
    let outcome = verified(&world, &archive).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert_eq!(outcome.result.collections[0].only_left, Some(30), "it was read once more, as it could not be counted");
    for text in ["tenant new created while", "tenant c removed while"] {
        assert!(said_of(&outcome.remarks).iter().any(|said| said.contains(text)), "{text}: {:?}", outcome.remarks);
    }
}

#[tokio::test]
async fn a_tenant_that_somebody_puts_to_sleep_meanwhile_is_left_to_them() {
    let world = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("c", "HOT")], 30));
    let archive = backed_up(&world).await;
    let inactive = Change::Tenant("Mt".into(), "c".into(), Some("COLD"));
    world.sandbox.faults().add(Fault::new(Kind::Change(inactive)).on("POST", "/v1/graphql").nth(2));
    let outcome = verified(&world, &archive).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 30));
    let said =
        said_of(&outcome.remarks).iter().any(|r| r.contains("tenant c, 30 objects in the archive: the server says"));
    assert!(said, "{:?}", outcome.remarks);
    assert_eq!(world.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_missing_object_of_a_tenant_that_goes_while_it_is_asked_for_is_missing() {
    let world = world(some());
    let archive = backed_up(&world).await;
    world.sandbox.faults().now(&Change::Delete("Mt".into(), Some("c".into()), id(4)));
    let gone = Change::Tenant("Mt".into(), "c".into(), None);
    world.sandbox.faults().add(Fault::new(Kind::Change(gone)).on("GET", &format!("/v1/objects/Mt/{}", id(4))));
    let outcome = verified(&world, &archive).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, 90), "{:?}", outcome.remarks);
    assert!(outcome.result.collections[0].only_left >= Some(1));
}

#[tokio::test]
async fn a_plain_collection_is_compared_with_a_tenant_and_a_tenant_with_a_plain_collection() {
    let plain = CLASS.replace("\"multiTenancyConfig\":{\"enabled\":true},", "").replace("Mt", "Plain");
    let mut builder = some().collection(&plain);
    for number in 0..30 {
        let id = id(number);
        builder = builder.object(&format!(
            r#"{{"class":"Plain","id":"{id}","properties":{{"title":"a {number}"}},"vector":[{number},1]}}"#
        ));
    }
    let world = world(builder);
    let archive = backed_up(&world).await;
    let name = |text: &str| text.parse().expect("a name");
    let from = |take: &str, new: &str, tenants: TenantMap| VerifyOptions {
        selection: Selection { take: vec![take.to_owned()], exclude: Vec::new() },
        name: Some(new.parse().expect("a name")),
        tenants,
        ..options(&world, &archive)
    };
    for (tenant, status) in [("a", Status::Ok), ("c", Status::Incomplete)] {
        let into_tenant = world.verify(from("Plain", "Mt", TenantMap::IntoTenant(name(tenant)))).await;
        let into_plain = world.verify(from("Mt", "Plain", TenantMap::IntoPlain(name(tenant)))).await;
        for outcome in [&into_tenant, &into_plain] {
            assert_eq!(outcome.result.objects, 30);
            assert_eq!(outcome.result.collections[0].different, Some(if tenant == "a" { 0 } else { 30 }));
        }
        assert_eq!(into_tenant.result.status, status, "{:?}", into_tenant.schema_differences);
        assert_eq!(into_plain.result.status, status, "{:?}", into_plain.schema_differences);
    }
    let neither = world.verify(from("Plain", "Mt", TenantMap::Same)).await;
    assert_eq!((neither.result.status, neither.result.objects), (Status::Incomplete, 0));
}

#[tokio::test]
async fn a_tenant_that_the_archive_lacks_is_refused_with_names_like_it() {
    let world = world(some());
    let archive = backed_up(&world).await;
    let nobody = TenantMap::IntoPlain("emptu".parse().expect("a name"));
    let error =
        world.try_verify(VerifyOptions { tenants: nobody, ..options(&world, &archive) }).await.0.expect_err("unknown");
    assert_eq!(error.class(), Class::Refused);
    assert_eq!(error.hints(), [Hint::DidYouMeanTenants(named(&["empty"]))]);
}

#[tokio::test]
async fn a_collection_without_tenants_agrees_until_it_has_one() {
    let world = world(Sandbox::builder().collection(CLASS));
    let archive = backed_up(&world).await;
    let outcome = verified(&world, &archive).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 0), "{:?}", outcome.remarks);
    assert!(outcome.result.collections[0].digest.is_some());
    world.sandbox.faults().now(&Change::Tenant("Mt".into(), "new".into(), Some("COLD")));
    let outcome = verified(&world, &archive).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    let said =
        said_of(&outcome.remarks).iter().any(|r| r == "the server has tenant new that the archive does not hold");
    assert!(said, "{:?}", outcome.remarks);
}
