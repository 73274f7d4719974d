//! Servers that go away in the middle of a restore, of every kind of collection, and come back.

use std::path::Path;
use std::pin::Pin;

use elysiactl::event::{Events, Status};
use elysiactl::model::TenantMap;
use elysiactl::ops::restore::RestoreOptions;
use elysiactl::weaviate::Writer;
use sandbox::{Change, Fault, Kind, Sandbox};

use super::{articles, held, in_runs, resume_collection, sent, small, stopped, written_down};
use crate::backup::tenants::{CLASS, tenants};
use crate::restore::references;
use crate::support::said::said_of;
use crate::support::tier;
use crate::support::world::{World, world};

/// How the server goes away: with the request, or once it is carried out. Of one that only reads both are the same.
const WAYS: [Kind; 2] = [Kind::ResetBefore, Kind::ResetAfter];

/// Stops a restore after every `step`-th request in turn (by night after each one), in both ways where the next one writes,
/// and carries it on; how many were stopped.
async fn stops(
    step: usize,
    make: impl Fn() -> World,
    options: impl Fn(&World) -> RestoreOptions,
    check: impl Fn(&World, &str),
) -> usize {
    let (mut broken, mut writing) = (0, Vec::new());
    for kind in WAYS {
        let is_first = kind == WAYS[0];
        let points = std::mem::take(&mut writing).into_iter();
        let every = (0..).step_by(tier::step(step)).take_while(|_| is_first);
        for requests in points.chain(every) {
            let target = make();
            let options = options(&target);
            let how = format!("{kind:?} after {requests} requests");
            let plan = target.restore_plan(options.clone()).await.unwrap_or_else(|e| panic!("{how}: {e:?}"));
            target.sandbox.faults().add(Fault::new(kind.clone()).after(requests));
            let done = target.run_plan(plan).await.0;
            target.sandbox.faults().clear();
            if stopped(done, &how).is_none() {
                check(&target, &how);
                if is_first {
                    break;
                }
                continue;
            }
            if is_first && target.sandbox.requests().iter().find(|seen| seen.status == 0).is_some_and(|cut| cut.writing)
            {
                writing.push(requests);
            }
            broken += 1;
            let (outcome, _) = resume_collection(&target, &options, &how).await;
            assert_eq!(outcome.result.status, Status::Ok, "{how}: {:?} {:?}", outcome.remarks, outcome.differences);
            for collection in &outcome.result.collections {
                assert_eq!((collection.only_left, collection.only_right), (Some(0), Some(0)), "{how}: {collection:?}");
            }
            check(&target, &how);
        }
    }
    tier::said(&format!("{broken} restores were stopped and carried on"));
    broken
}

fn same(source: &World, target: &World, class: &str, tenant: Option<&str>, how: &str) {
    assert!(held(source, class, tenant, &[]) == held(target, class, tenant, &[]), "{how}: {class} {tenant:?} differs");
}

#[tokio::test]
async fn progress_never_falls_from_one_failed_attempt_to_the_next() {
    // One run of ids: an attempt that does not get to its end has no whole one to write down.
    let source = world(Sandbox::builder().seeded("Article", 150, 3, 4));
    let archive: std::path::PathBuf = source.backup(source.options()).await.result.archive.expect("an archive").into();
    let target = world(Sandbox::builder());
    let options = RestoreOptions { jobs: Some(3), ..small(&target, &archive) };
    let (mut before, mut attempts, mut sent_in_all) = (0, 0, 0);
    loop {
        let plan =
            target.restore_plan(RestoreOptions { resume: attempts > 0, ..options.clone() }).await.expect("a plan");
        let there = target.sandbox.count("Article", None);
        if attempts > 0 {
            assert_eq!(plan.plan.resumes.as_ref().map(|carried| (carried.objects, carried.of)), Some((there, 150)));
        }
        // The second batch of each attempt is refused for good: what is under way beside it comes back out of order.
        let broken = Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/objects");
        target.sandbox.faults().add(broken.clone().nth(2));
        target.sandbox.faults().add(broken.after(3));
        let (done, events) = target.run_plan(plan).await;
        target.sandbox.faults().clear();
        (attempts, sent_in_all) = (attempts + 1, sent_in_all + sent(&events));
        if done.is_ok() {
            break;
        }
        let now = written_down(&target, &options).expect("a run");
        assert!(now >= before && now == target.sandbox.count("Article", None), "{before}, then {now}");
        before = now;
        assert!(attempts < 100, "it gets on");
    }
    assert_eq!(sent_in_all, 150, "nothing twice, in {attempts} attempts");
    assert!(attempts > 5 && held(&source, "Article", None, &[]) == held(&target, "Article", None, &[]));
}

#[tokio::test]
async fn a_collection_is_carried_on_after_any_request() {
    let (source, archive) = articles(120).await;
    let empty = || world(Sandbox::builder());
    let broken = stops(
        2,
        empty,
        |target| small(target, &archive),
        |target, how| {
            same(&source, target, "Article", None, how);
        },
    );
    let broken = broken.await;
    assert!(broken > 3, "{broken}");
}

#[tokio::test]
async fn references_to_itself_are_never_doubled() {
    let (source, archive) = in_runs(references::web(Sandbox::builder()).await).await;
    let empty = || world(Sandbox::builder());
    let broken = stops(
        9,
        empty,
        |target| small(target, &archive),
        |target, how| {
            same(&source, target, "Web", None, how);
        },
    );
    let broken = broken.await;
    assert!(broken > 3, "{broken}");
}

#[tokio::test]
async fn references_in_a_circle_are_never_doubled_under_new_names_either() {
    let (source, archive) = in_runs(references::circle(&["Left", "Right"], "1.40").await).await;
    let names = [("Left", "LeftNew"), ("Right", "RightNew")];
    let renamed = |target: &World| {
        let mut options = small(target, &archive);
        for (old, new) in names {
            options.renames.insert(old.parse().expect("a name"), new.parse().expect("a name"));
        }
        options
    };
    let check = |target: &World, how: &str| {
        for (old, new) in names {
            assert!(held(target, new, None, &names) == held(&source, old, None, &[]), "{how}: {new} differs");
        }
    };
    let broken = stops(23, || world(Sandbox::builder()), renamed, check).await;
    assert!(broken > 3, "{broken}");
}

#[tokio::test]
async fn a_collection_that_takes_two_requests_to_be_made_is_finished_or_made() {
    let class = r#"{"class":"Mix","vectorizer":"none","properties":[{"name":"t","dataType":["text"]}]}"#;
    let object = r#"{"class":"Mix","id":"00000000-0000-0000-0000-000000000001","properties":{"t":"x"},"vector":[1,2],"vectors":{"n":[3]}}"#;
    let source = world(Sandbox::builder().collection(class));
    let (name, writer) = ("Mix".parse().expect("a name"), Writer::new(source.client(Events::none())));
    let schema = writer.client().schema(&name).await.expect("an answer").expect("a schema");
    let mut both: serde_json::Value = serde_json::from_slice(&schema.text).expect("JSON");
    both["vectorConfig"] = serde_json::json!({"n": {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"}});
    writer.update_collection(&name, &both.to_string()).await.expect("named vectors beside it");
    source.sandbox.faults().now(&Change::Write(object.into()));
    let (source, archive) = in_runs(source).await;
    let empty = || world(Sandbox::builder());
    let broken = stops(
        1,
        empty,
        |target| small(target, &archive),
        |target, how| {
            same(&source, target, "Mix", None, how);
        },
    );
    let broken = broken.await;
    assert!(broken > 8, "{broken}");
}

/// Tenants that are active and that sleep, with references inside each.
fn with_tenants() -> World {
    let class = CLASS.replace(r#""properties":["#, r#""properties":[{"name":"friend","dataType":["Mt"]},"#);
    let mut builder = Sandbox::builder().collection(&class);
    for (tenant, state) in [("day", "HOT"), ("late", "HOT"), ("night", "COLD"), ("sleepy", "COLD"), ("void", "COLD")] {
        builder = builder.tenant("Mt", tenant, state);
        // A server takes no reference to what is not there yet.
        for number in (1..=20_u32).rev() {
            if tenant == "void" {
                break;
            }
            let beacon = |n: u32| format!(r#"{{"beacon":"weaviate://localhost/Mt/00000000-0000-4000-8000-{n:012}"}}"#);
            let friends = [number + 1, number + 2, number + 1].into_iter().filter(|n| *n <= 20);
            let friends = friends.map(beacon).collect::<Vec<_>>().join(",");
            let friend = if friends.is_empty() { String::new() } else { format!(r#","friend":[{friends}]"#) };
            builder = builder.object(&format!(
                r#"{{"class":"Mt","tenant":"{tenant}","id":"00000000-0000-4000-8000-{number:012}","properties":{{"title":"{tenant} {number}"{friend}}}}}"#
            ));
        }
    }
    world(builder)
}

fn all_tenants(source: &World, target: &World, how: &str) {
    assert_eq!(target.sandbox.tenants("Mt"), source.sandbox.tenants("Mt"), "{how}");
    for (tenant, _) in source.sandbox.tenants("Mt") {
        same(source, target, "Mt", Some(&tenant), how);
    }
}

#[tokio::test]
async fn tenants_come_back_with_their_references_and_in_their_states() {
    let (source, archive) = in_runs(with_tenants()).await;
    let empty = || world(Sandbox::builder());
    let broken =
        stops(9, empty, |target| small(target, &archive), |target, how| all_tenants(&source, target, how)).await;
    assert!(broken > 3, "{broken}");
}

#[tokio::test]
async fn what_was_refused_and_found_before_references_came_is_told_by_the_run_that_goes_on() {
    let (source, archive) = in_runs(with_tenants()).await;
    let target = world(Sandbox::builder());
    let options = small(&target, &archive);
    let plan = target.restore_plan(options.clone()).await.expect("a plan");
    let stored = Kind::FailAdded(1, "update prop-specific indices: no".into());
    target.sandbox.faults().add(Fault::new(stored).on("POST", "/v1/batch/objects"));
    // All is written and counted, and nothing can be compared.
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("GET", "/v1/objects").exactly());
    let (done, _) = target.run_plan(plan).await;
    let stopped = done.expect_err("it stops at the comparison");
    target.sandbox.faults().clear();
    assert_eq!(written_down(&target, &options), Some(80), "with their references: {:?}", stopped.error);
    let (outcome, events) = resume_collection(&target, &options, "after the last reference").await;
    assert_eq!((outcome.result.status, sent(&events)), (Status::Incomplete, 0), "{:?}", outcome.remarks);
    let said = |text: &str| text.starts_with("80 objects refused by the server, yet stored and equal");
    assert!(said_of(&outcome.remarks).iter().any(|text| said(text)), "{:?}", outcome.remarks);
    all_tenants(&source, &target, "in the end");
}

fn only(pairs: &[(&str, &str)]) -> TenantMap {
    let name = |text: &str| text.parse().expect("a name");
    TenantMap::Only(pairs.iter().map(|(old, new)| (name(old), name(new))).collect())
}

#[tokio::test]
async fn chosen_tenants_are_carried_on_in_a_new_collection() {
    let (source, archive) = in_runs(with_tenants()).await;
    let options = |target: &World| RestoreOptions {
        tenants: only(&[("night", "other"), ("day", "day")]),
        ..small(target, &archive)
    };
    let check = |target: &World, how: &str| {
        assert_eq!(target.sandbox.tenants("Mt"), [("day".to_owned(), "HOT"), ("other".to_owned(), "COLD")], "{how}");
        for (old, new) in [("night", "other"), ("day", "day")] {
            assert!(held(&source, "Mt", Some(old), &[]) == held(target, "Mt", Some(new), &[]), "{how}: {new} differs");
        }
    };
    let broken = stops(9, || world(Sandbox::builder()), options, check).await;
    assert!(broken > 3, "{broken}");
}

/// A server that has lost two tenants of those in the archive.
fn without_two() -> World {
    let target = with_tenants();
    for tenant in ["night", "late"] {
        target.sandbox.faults().now(&Change::Tenant("Mt".into(), tenant.into(), None));
    }
    target
}

#[tokio::test]
async fn tenants_that_are_added_to_a_collection_are_carried_on_there() {
    let (source, archive) = in_runs(with_tenants()).await;
    let options = |target: &World| RestoreOptions {
        tenants: only(&[("night", "night"), ("late", "late")]),
        ..small(target, &archive)
    };
    let broken = stops(9, without_two, options, |target, how| all_tenants(&source, target, how)).await;
    assert!(broken > 3, "{broken}");
}

#[tokio::test]
async fn a_collection_that_becomes_a_tenant_is_carried_on() {
    let (source, archive) = articles(60).await;
    let options = |target: &World| RestoreOptions {
        tenants: TenantMap::IntoTenant("one".parse().expect("a name")),
        ..small(target, &archive)
    };
    let broken = stops(
        4,
        || world(Sandbox::builder()),
        options,
        |target, how| {
            assert!(held(&source, "Article", None, &[]) == held(target, "Article", Some("one"), &[]), "{how}");
        },
    );
    let broken = broken.await;
    assert!(broken > 3, "{broken}");
}

#[tokio::test]
async fn several_collections_with_aliases_are_carried_on() {
    let builder = Sandbox::builder().seeded("Article", 40, 3, 4).seeded("Author", 40, 4, 5).seeded("Zoo", 1, 2, 6);
    let builder = tenants(builder.collection(CLASS), &[("a", "HOT"), ("b", "COLD")], 5);
    let (source, archive) = in_runs(world(builder.alias("ARTICLE", "Article").alias("Old", "Author"))).await;
    let check = |target: &World, how: &str| {
        for class in ["Article", "Author", "Zoo"] {
            same(&source, target, class, None, how);
        }
        all_tenants(&source, target, how);
        assert_eq!(target.sandbox.aliases(), source.sandbox.aliases(), "{how}");
    };
    let broken = stops(23, || world(Sandbox::builder()), |target| small(target, &archive), check).await;
    assert!(broken > 3, "{broken}");
}

/// A restore that is stopped again and again, whenever it has done a little.
fn again_and_again(archive: &Path) -> Pin<Box<dyn Future<Output = (World, u32)> + '_>> {
    Box::pin(async move {
        let target = world(Sandbox::builder());
        let options = small(&target, archive);
        for round in 0.. {
            let how = format!("round {round}");
            let options = if round == 0 { options.clone() } else { super::resumed(&options) };
            let plan = target.restore_plan(options).await.unwrap_or_else(|e| panic!("{how}: {e:?}"));
            let kind = WAYS[round as usize % WAYS.len()].clone();
            target.sandbox.faults().add(Fault::new(kind).after(20 + 4 * u64::from(round)));
            let done = target.run_plan(plan).await.0;
            target.sandbox.faults().clear();
            if stopped(done, &how).is_none() {
                return (target, round);
            }
            assert!(round < 200, "it never ends");
        }
        unreachable!()
    })
}

#[tokio::test]
async fn what_was_carried_on_is_carried_on_again() {
    let (source, archive) = articles(150).await;
    let (target, rounds) = again_and_again(&archive).await;
    assert!(rounds > 1, "{rounds}");
    same(&source, &target, "Article", None, "in the end");
}
