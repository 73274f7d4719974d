//! `col restore` of multi-tenant collections: every tenant comes back with its objects and in its state.

mod added;
mod chosen;
mod faults;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::event::Status;
use elysiactl::model::{TenantMap, TenantName};
use elysiactl::ops::Error;
use elysiactl::ops::backup::BackupOutcome as BackedUp;
use elysiactl::ops::restore::{RestoreOptions, RestoreRefusal};
use elysiactl::pipeline::activation::ACTIVE_AT_ONCE;
use sandbox::{Builder, Change, Fault, Kind, Sandbox};

use crate::backup::tenants::{CLASS, archive_of, tenants};
use crate::support::said::said_of;
use crate::support::world::{World, verify_options, world};

fn name(text: &str) -> TenantName {
    text.parse().expect("a name")
}

fn only(pairs: &[(&str, &str)]) -> TenantMap {
    TenantMap::Only(pairs.iter().map(|(old, new)| (name(old), name(new))).collect())
}

/// What the archive holds of a tenant, or of a plain collection: texts without times and class, by id.
fn archived(world: &World, archive: &Path, class: &str, tenant: Option<&str>) -> Vec<String> {
    let mut out = Vec::new();
    elysiactl::ops::cat::run(&world.disk, archive, Some(class), 128 << 20, &mut out).expect("lines");
    let text = String::from_utf8(out).expect("text");
    let lines = text.lines().filter(|line| match tenant {
        Some(tenant) => line.starts_with(&format!("{{\"tenant\":\"{tenant}\",")),
        None => !line.starts_with("{\"tenant\""),
    });
    plain(lines.map(str::to_owned))
}

fn plain(lines: impl Iterator<Item = String>) -> Vec<String> {
    let by_id: BTreeMap<String, String> = lines
        .map(|line| {
            let mut object: serde_json::Value = serde_json::from_str(&line).expect("an object");
            let members = object.as_object_mut().expect("an object");
            for member in ["class", "creationTimeUnix", "lastUpdateTimeUnix", "tenant"] {
                members.shift_remove(member);
            }
            let id = object["id"].as_str().expect("an id").to_owned();
            (id, object.to_string().replace("/Mt2/", "/Mt/"))
        })
        .collect();
    by_id.into_values().collect()
}

fn live(world: &World, class: &str, tenant: Option<&str>) -> Vec<String> {
    plain(world.sandbox.objects(class, tenant).into_iter())
}

/// Every tenant of the archive is the live one of this collection, and has its state.
fn equals(source: &World, target: &World, archive: &Path, class: &str) {
    let states = source.sandbox.tenants("Mt");
    assert_eq!(target.sandbox.tenants(class), states);
    for (tenant, _) in states {
        let tenant = Some(tenant.as_str());
        assert!(archived(source, archive, "Mt", tenant) == live(target, class, tenant), "{tenant:?}");
    }
}

async fn backed_up(world: &World) -> PathBuf {
    let outcome: BackedUp = world.try_backup(world.options()).await.0.expect("a backup");
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.manifest.skipped);
    archive_of(&outcome)
}

fn some() -> Builder {
    let all = [("awake", "HOT"), ("night", "COLD"), ("other", "HOT"), ("sleepy", "COLD")];
    tenants(Sandbox::builder().collection(CLASS), &all, 25).tenant("Mt", "empty", "HOT").tenant("Mt", "void", "COLD")
}

#[tokio::test]
async fn every_tenant_comes_back_with_its_objects_and_in_its_state() {
    let source = world(some());
    let archive = backed_up(&source).await;
    for version in ["1.24.26", "1.28.16", "1.40.0-dev"] {
        let target = world(Sandbox::builder().version(version));
        let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("restored");
        assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
        assert_eq!((outcome.result.objects, outcome.result.collections[0].tenants), (100, 6));
        assert!(outcome.result.collections[0].digest.is_some(), "compared, and equal");
        equals(&source, &target, &archive, "Mt");
        let verified = target.verify(verify_options_of(&target, &archive)).await;
        assert_eq!(verified.result.status, Status::Ok, "{:?}", verified.remarks);
    }
}

fn verify_options_of(world: &World, archive: &Path) -> elysiactl::ops::verify::VerifyOptions {
    elysiactl::ops::verify::VerifyOptions { state: Some(world.state()), ..verify_options(archive) }
}

#[tokio::test]
async fn of_many_that_sleep_few_are_awake_at_any_time() {
    let names: Vec<String> = (0..200).map(|n| format!("t{n:03}")).collect();
    let all: Vec<(&str, &'static str)> = names.iter().map(|name| (name.as_str(), "COLD")).collect();
    let source = world(tenants(Sandbox::builder().collection(CLASS), &all, 3));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 600), "{:?}", outcome.remarks);
    equals(&source, &target, &archive, "Mt");
    let most = target.sandbox.most_activated();
    assert!((1..=ACTIVE_AT_ONCE).contains(&most), "{most} awake at once");
}

#[tokio::test]
async fn a_class_that_wakes_tenants_by_itself_has_them_asleep_in_the_end() {
    let auto = CLASS.replace("true}", "true,\"autoTenantActivation\":true}");
    let source = world(tenants(Sandbox::builder().collection(&auto), &[("a", "HOT"), ("b", "COLD")], 10));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("restored");
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    equals(&source, &target, &archive, "Mt");
}

#[tokio::test]
async fn references_inside_of_tenants_come_back_also_of_those_that_sleep() {
    let class = CLASS.replace(
        r#""properties":["#,
        r#""properties":[{"name":"home","dataType":["Place"]},{"name":"friend","dataType":["Mt"]},"#,
    );
    let place = r#"{"class":"Place","properties":[{"name":"t","dataType":["text"]}]}"#;
    let object = |class: &str, tenant: Option<&str>, number: u32, properties: &str| {
        let tenant = tenant.map(|t| format!(r#""tenant":"{t}","#)).unwrap_or_default();
        format!(
            r#"{{"class":"{class}",{tenant}"id":"00000000-0000-4000-8000-{number:012}","properties":{{{properties}}}}}"#
        )
    };
    let beacon =
        |class: &str, n: u32| format!(r#"{{"beacon":"weaviate://localhost/{class}/00000000-0000-4000-8000-{n:012}"}}"#);
    let mut builder = Sandbox::builder().collection(place).collection(&class);
    builder = builder.object(&object("Place", None, 1, r#""t":"here""#));
    for (tenant, state) in [("day", "HOT"), ("night", "COLD")] {
        builder = builder.tenant("Mt", tenant, state);
        for number in (1..=40).rev() {
            let home = format!(r#""title":"{tenant}","home":[{}]"#, beacon("Place", 1));
            // Those with higher numbers are there already.
            let friends = [number + 1, number + 2, number + 1].into_iter().filter(|n| *n <= 40);
            let friends = friends.map(|n| beacon("Mt", n)).collect::<Vec<_>>().join(",");
            let friend = if friends.is_empty() { String::new() } else { format!(r#","friend":[{friends}]"#) };
            builder = builder.object(&object("Mt", Some(tenant), number, &(home + &friend)));
        }
    }
    let source = world(builder);
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let mut options = target.restore_options(&archive);
    options.renames.insert("Mt".parse().expect("a name"), "Mt2".parse().expect("a name"));
    let outcome = target.try_restore(options).await.0.expect("restored");
    assert_eq!(outcome.result.status, Status::Ok, "{:?} {:?}", outcome.remarks, outcome.differences);
    equals(&source, &target, &archive, "Mt2");
}

#[tokio::test]
async fn chosen_tenants_come_back_under_the_names_that_were_given() {
    let source = world(some());
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let options =
        RestoreOptions { tenants: only(&[("night", "day"), ("other", "other")]), ..target.restore_options(&archive) };
    let outcome = target.try_restore(options).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 50), "{:?}", outcome.remarks);
    let states = target.sandbox.tenants("Mt");
    assert_eq!(states, [("day".to_owned(), "COLD"), ("other".to_owned(), "HOT")]);
    assert!(archived(&source, &archive, "Mt", Some("night")) == live(&target, "Mt", Some("day")));
    assert!(archived(&source, &archive, "Mt", Some("other")) == live(&target, "Mt", Some("other")));

    let nobody = RestoreOptions { tenants: only(&[("nobody", "nobody")]), ..target.restore_options(&archive) };
    assert!(matches!(target.refused(nobody).await, Error::UnknownTenant { .. }));
}

#[tokio::test]
async fn a_lost_tenant_is_added_to_the_collection_that_is_there() {
    let source = world(some());
    let archive = backed_up(&source).await;
    source.sandbox.faults().now(&Change::Tenant("Mt".into(), "night".into(), None));
    let before = live(&source, "Mt", Some("other"));
    let lost = RestoreOptions { tenants: only(&[("night", "night")]), ..source.restore_options(&archive) };
    let outcome = source.try_restore(lost.clone()).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 25), "{:?}", outcome.remarks);
    assert!(archived(&source, &archive, "Mt", Some("night")) == live(&source, "Mt", Some("night")));
    assert_eq!(live(&source, "Mt", Some("other")), before);
    assert!(source.sandbox.tenants("Mt").contains(&("night".to_owned(), "COLD")));

    source.sandbox.clear_requests();
    let Error::CannotRestore { refusals, .. } = source.refused(lost).await else { panic!("a refusal") };
    assert!(
        matches!(&refusals[..], [RestoreRefusal::TenantExists { tenant, .. }] if tenant.as_str() == "night"),
        "{refusals:?}"
    );
    let beside = RestoreOptions { tenants: only(&[("night", "copy")]), ..source.restore_options(&archive) };
    let outcome = source.try_restore(beside).await.0.expect("restored");
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert!(archived(&source, &archive, "Mt", Some("night")) == live(&source, "Mt", Some("copy")));

    let all = source.restore_options(&archive);
    let Error::CannotRestore { refusals, .. } = source.refused(all).await else { panic!("a refusal") };
    assert!(matches!(&refusals[..], [RestoreRefusal::Exists { .. }]), "without names nothing is added: {refusals:?}");
}

#[tokio::test]
async fn tenants_are_not_added_to_a_collection_that_cannot_hold_them() {
    let source = world(some());
    let archive = backed_up(&source).await;
    let other = CLASS.replace("\"text\"", "\"int\"");
    let target = world(Sandbox::builder().collection(&other));
    let options = RestoreOptions { tenants: only(&[("night", "night")]), ..target.restore_options(&archive) };
    let Error::CannotRestore { refusals, .. } = target.refused(options).await else { panic!("a refusal") };
    assert!(matches!(&refusals[..], [RestoreRefusal::DoesNotFit { .. }]), "{refusals:?}");
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_plain_collection_becomes_a_tenant_and_a_tenant_a_plain_collection() {
    let source = world(some().seeded("Plain", 60, 4, 3));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let mut options =
        RestoreOptions { tenants: TenantMap::IntoTenant(name("one")), ..target.restore_options(&archive) };
    options.selection.take = vec!["Plain".into()];
    let outcome = target.try_restore(options).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 60), "{:?}", outcome.remarks);
    assert!(archived(&source, &archive, "Plain", None) == live(&target, "Plain", Some("one")));

    let mut options =
        RestoreOptions { tenants: TenantMap::IntoPlain(name("sleepy")), ..target.restore_options(&archive) };
    options.selection.take = vec!["Mt".into()];
    let outcome = target.try_restore(options).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 25), "{:?}", outcome.remarks);
    assert!(target.sandbox.tenants("Mt").is_empty());
    assert!(archived(&source, &archive, "Mt", Some("sleepy")) == live(&target, "Mt", None));
}

#[tokio::test]
async fn a_plan_sends_nothing_that_writes() {
    let source = world(some());
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan");
    assert_eq!((plan.plan.collections[0].tenants, plan.plan.collections[0].objects), ((6, 3), 100));
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn an_interrupted_run_lets_tenants_sleep() {
    let source = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "COLD"), ("b", "COLD")], 300));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let slow = Fault::new(Kind::Delay(Duration::from_millis(150))).on("POST", "/v1/batch/objects");
    target.sandbox.faults().add(slow);
    let stop = async {
        while target.sandbox.most_activated() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        target.cancel.cancel();
    };
    let options = RestoreOptions { batch_objects: Some(20), ..target.restore_options(&archive) };
    let ((done, _), ()) = tokio::join!(target.try_restore(options), stop);
    assert!(matches!(done.expect_err("stopped").error, Error::Interrupted));
    assert!(target.sandbox.tenants("Mt").iter().all(|(_, state)| *state == "COLD"));
}

#[tokio::test]
async fn a_tenant_that_goes_while_it_is_filled_is_named() {
    let source = world(tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "HOT")], 100));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let gone = Change::Tenant("Mt".into(), "b".into(), None);
    target.sandbox.faults().add(Fault::new(Kind::Change(gone)).on("POST", "/v1/batch/objects").nth(3));
    let options = RestoreOptions { batch_objects: Some(20), ..target.restore_options(&archive) };
    let outcome = target.try_restore(options).await.0.expect("to its end");
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(
        said_of(&outcome.remarks).iter().any(|text| text.contains("the server lacks tenant ")),
        "{:?}",
        outcome.remarks
    );
    assert!(archived(&source, &archive, "Mt", Some("a")) == live(&target, "Mt", Some("a")));
}

#[tokio::test]
async fn offloaded_tenants_are_named_and_not_made() {
    let all = [("away", "FROZEN"), ("here", "HOT")];
    let source = world(tenants(Sandbox::builder().modules(&["offload-s3"]).collection(CLASS), &all, 5));
    let archive = archive_of(&source.try_backup(source.options()).await.0.expect("a backup"));
    let target = world(Sandbox::builder());
    let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("restored");
    let said = said_of(&outcome.remarks).iter().any(|text| text.contains("1 tenant is not in the archive"));
    assert!(said, "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.tenants("Mt"), [("here".to_owned(), "HOT")]);
}
