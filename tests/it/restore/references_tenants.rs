//! References of objects with tenants: a server looks for their targets in the same tenant, also when they are added to
//! objects that are there. So they come in a pass of their own, and one that leads nowhere cannot be brought back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use elysiactl::event::Events;
use elysiactl::model::{KeyRange, RawObject, Renames, Schema, TenantName};
use elysiactl::pipeline::budget::Budget;
use elysiactl::pipeline::compare::Comparer;
use elysiactl::pipeline::import::{Done, Import, ImportOptions, Pass};
use elysiactl::pipeline::pacer::{Limits, Pacer};
use elysiactl::pipeline::rewrite::Rewrite;
use elysiactl::pipeline::{Batch, BatchOrigin, Objects, Page, split};
use elysiactl::weaviate::Writer;
use sandbox::{Fault, Kind, Sandbox};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::restore::references::{beacon, id};
use crate::support::world::{World, world};

const TENANTS: [&str; 2] = ["t1", "t2"];
const OBJECTS: u64 = 60;
const SIZE: usize = 11;

fn schema() -> Schema {
    let document = json!({"class": "Old", "vectorizer": "none", "multiTenancyConfig": {"enabled": true}, "properties": [
        {"name": "t", "dataType": ["text"]}, {"name": "to", "dataType": ["Old"]}, {"name": "plain", "dataType": ["Plain"]}]});
    Schema::parse(document.to_string().into()).expect("a schema")
}

/// A server with the collections and tenants, and one object without tenants that can be referred to.
fn server(version: &str) -> World {
    let mut document: Value = serde_json::from_slice(&schema().text).expect("JSON");
    (document["class"], document["properties"][1]["dataType"]) = (json!("New"), json!(["New"]));
    let plain = json!({"class": "Plain", "id": id(0), "properties": {"t": "x"}});
    let text = json!({"class": "Plain", "vectorizer": "none", "properties": [{"name": "t", "dataType": ["text"]}]});
    let builder = Sandbox::builder().version(version).collection(&text.to_string()).collection(&document.to_string());
    let builder = builder.object(&plain.to_string());
    world(TENANTS.iter().fold(builder, |builder, tenant| builder.tenant("New", tenant, "HOT")))
}

/// An object as an archive holds it, whose references are to these objects.
fn object(number: u64, to: &[u64], plain: &[u64]) -> RawObject {
    let list = |class: &str, numbers: &[u64]| {
        numbers.iter().map(|number| json!({"beacon": beacon(class, *number)})).collect::<Vec<_>>()
    };
    let properties = json!({"t": format!("number {number}"), "to": list("Old", to), "plain": list("Plain", plain)});
    let line = json!({"class": "Old", "id": id(number), "properties": properties, "vector": [number, 0.5]});
    split::line(&line.to_string().into(), &"Old".parse().expect("a name")).expect("a line")
}

/// The objects of a tenant: each refers to objects before and behind it, twice to one of them.
fn objects(tenant: &str) -> Vec<RawObject> {
    let offset = if tenant == "t1" { 0 } else { 1_000 };
    let to = |n: u64| [n + 7, n * 3, n + 7].map(|n| offset + n % OBJECTS);
    (0..OBJECTS).map(|n| object(offset + n, &to(n)[..(n % 4).min(3) as usize], &[0])).collect()
}

/// Sends batches through an import with that pass.
async fn import(world: &World, pass: Pass, deferred: &[&str], batches: Vec<(&str, Vec<RawObject>)>) -> Vec<Done> {
    let (schema, mut renames) = (schema(), Renames::default());
    renames.insert(schema.name.clone(), "New".parse().expect("a name"));
    let deferred = deferred.iter().map(|name| (*name).to_owned()).collect();
    let limits = Limits { fixed_page_objects: None, most_in_flight: 3, page_bytes: 1 << 20 };
    let import = Import {
        client: Writer::new(world.client(Events::none())),
        collection: "New".parse().expect("a name"),
        rewrite: Rewrite::new(&schema, &renames, false, true).deferring(deferred),
        pass,
        vectorised: Vec::new(),
        mixed: Arc::default(),
        comparer: Comparer::new(&schema, renames.clone(), false),
        pacer: Arc::new(Mutex::new(Pacer::new(limits, None))),
        stamps: Arc::default(),
        merging: None,
        options: ImportOptions { most_in_flight: 3, patience: Duration::from_secs(5) },
        events: Events::none(),
    };
    let (sender, waiting) = mpsc::channel(2);
    let (results, mut done) = mpsc::channel(2);
    let budget = Budget::new(64 << 20);
    let sending = async move {
        for (run, (tenant, objects)) in batches.into_iter().enumerate() {
            let share = budget.take(1_000).await;
            let batch = Batch {
                space: tenant.parse::<TenantName>().ok(),
                covers: KeyRange { from: None, to: None },
                bytes: objects.iter().map(|object| object.text.len() as u64).sum(),
                objects: Objects::new(objects, Page::from_file(share)),
                origin: BatchOrigin::Archived { run },
                known: Vec::new(),
            };
            sender.send(batch).await.expect("somebody takes it");
        }
    };
    let gathering = async {
        let mut all = Vec::new();
        while let Some(one) = done.recv().await {
            all.push(one);
        }
        all
    };
    let stop = CancellationToken::new();
    let ((), imported, all) = tokio::join!(sending, import.run(waiting, results, &stop), gathering);
    imported.expect("an end");
    all
}

fn batches() -> Vec<(&'static str, Vec<RawObject>)> {
    let some = |tenant: &'static str| {
        let objects = objects(tenant);
        objects.chunks(SIZE).map(|some| (tenant, some.to_vec())).collect::<Vec<_>>()
    };
    TENANTS.into_iter().flat_map(some).collect()
}

/// Id and targets of every object of a tenant on the server.
fn there(world: &World, tenant: &str) -> Vec<(String, Vec<String>, Vec<String>)> {
    let one = |line: &String| {
        let object: Value = serde_json::from_str(line).expect("an object");
        let list = |name: &str| {
            let list = object["properties"][name].as_array().cloned().unwrap_or_default();
            list.iter().map(|one| one["beacon"].as_str().expect("a beacon").to_owned()).collect::<Vec<_>>()
        };
        (object["id"].as_str().expect("an id").to_owned(), list("to"), list("plain"))
    };
    world.sandbox.objects("New", Some(tenant)).iter().map(one).collect()
}

fn expected(tenant: &str) -> Vec<(String, Vec<String>, Vec<String>)> {
    let one = |object: RawObject| {
        let parsed: Value = serde_json::from_slice(&object.text).expect("JSON");
        let list = |name: &str| {
            let list = parsed["properties"][name].as_array().expect("a list").iter();
            list.map(|one| one["beacon"].as_str().expect("a beacon").replace("/Old/", "/New/")).collect::<Vec<_>>()
        };
        (object.id.to_string(), list("to"), list("plain"))
    };
    let mut all: Vec<_> = objects(tenant).into_iter().map(one).collect();
    all.sort();
    all
}

const ALL: [&str; 2] = ["to", "plain"];

#[tokio::test]
async fn in_a_pass_of_their_own_they_find_their_targets_in_every_tenant() {
    for version in ["1.24", "1.32", "1.40"] {
        for fault in [
            None,
            Some(Kind::ResetAfter),
            Some(Kind::FailAdded(3, "ref batch: oops".into())),
            Some(Kind::KeepResults(2)),
        ] {
            let world = server(version);
            let first = import(&world, Pass::Objects, &ALL, batches()).await;
            assert!(first.iter().all(|done| done.rejected.is_empty() && done.references == 0));
            assert!(there(&world, "t2").iter().all(|(_, to, plain)| to.is_empty() && plain.is_empty()));
            if let Some(kind) = fault.clone() {
                world.sandbox.faults().add(Fault::new(kind).on("POST", "/v1/batch/references").nth(3));
            }
            let second = import(&world, Pass::References, &ALL, batches()).await;
            assert!(second.iter().all(|done| done.rejected.is_empty()), "{version} {fault:?}: {second:?}");
            let written: u64 = second.iter().map(|done| done.references).sum();
            let all: usize =
                TENANTS.iter().flat_map(|t| expected(t)).map(|(_, to, plain)| to.len() + plain.len()).sum();
            assert_eq!(written, all as u64);
            for tenant in TENANTS {
                assert_eq!(there(&world, tenant), expected(tenant), "{version} {fault:?} {tenant}");
            }
        }
    }
}

#[tokio::test]
async fn one_that_leads_nowhere_or_into_another_tenant_is_left_out_and_its_object_named() {
    let world = server("1.40");
    let all = || {
        let whole = object(1, &[2, 1], &[0]);
        vec![
            ("t1", vec![whole, object(2, &[1, 99, 2], &[0]), object(3, &[1_000, 3], &[])]),
            ("t2", vec![object(1_000, &[], &[77])]),
        ]
    };
    let first = import(&world, Pass::Objects, &ALL, all()).await;
    assert!(first.iter().all(|done| done.rejected.is_empty()));
    world.sandbox.clear_requests();
    let second = import(&world, Pass::References, &ALL, all()).await;
    let rejected = second.iter().flat_map(|done| &done.rejected);
    let named: BTreeMap<_, _> = rejected.map(|one| (one.id.to_string(), (one.stored, one.reason.clone()))).collect();
    let said = |class: &str, number: u64, tenant: &str| {
        let object = id(number);
        let words = format!("target: object {class}/{object} not found for tenant {tenant:?}");
        (true, format!("stored without some of its references: {words}"))
    };
    let expected =
        [(id(2), said("New", 99, "t1")), (id(3), said("New", 1_000, "t1")), (id(1_000), said("Plain", 77, ""))];
    assert_eq!(named, expected.into());
    let to = |number: u64, targets: &[u64], plain: bool| {
        let plain: Vec<String> = plain.then(|| beacon("Plain", 0)).into_iter().collect();
        (id(number), targets.iter().map(|n| beacon("New", *n)).collect::<Vec<_>>(), plain)
    };
    let mut expected = vec![to(1, &[2, 1], true), to(2, &[1, 2], true), to(3, &[3], false)];
    expected.sort();
    assert_eq!(there(&world, "t1"), expected);
    assert_eq!(there(&world, "t2"), [to(1_000, &[], false)]);
    let objects = world.sandbox.requests().iter().filter(|request| request.path == "/v1/batch/objects").count();
    assert_eq!(objects, 0, "nothing was doubtful");
}

#[tokio::test]
async fn objects_that_were_rejected_before_are_not_rejected_twice() {
    let world = server("1.32");
    let refused = Fault::new(Kind::FailIds(5, "invalid text property".into())).on("POST", "/v1/batch/objects");
    world.sandbox.faults().add(refused);
    let first = import(&world, Pass::Objects, &ALL, batches()).await;
    let rejected: Vec<String> = first.iter().flat_map(|done| &done.rejected).map(|one| one.id.to_string()).collect();
    assert!(rejected.len() > 10 && first.iter().flat_map(|done| &done.rejected).all(|one| !one.stored));
    let second = import(&world, Pass::References, &ALL, batches()).await;
    let again = second.iter().flat_map(|done| &done.rejected);
    // Those that are there may refer to those that are not.
    assert!(again.clone().all(|one| one.stored && !rejected.contains(&one.id.to_string())), "{again:?}");
    for tenant in TENANTS {
        for (id, to, plain) in there(&world, tenant) {
            let (_, expected_to, expected_plain) =
                expected(tenant).into_iter().find(|(one, ..)| *one == id).expect("it");
            let there = |target: &String| !rejected.iter().any(|gone| target.ends_with(gone));
            assert_eq!((to, plain), (expected_to.into_iter().filter(there).collect(), expected_plain), "{id}");
        }
    }
}

#[tokio::test]
async fn a_target_that_is_complete_goes_with_its_object_and_its_tenant() {
    for version in ["1.24", "1.40"] {
        let world = server(version);
        let objects = vec![("t1", vec![object(1, &[], &[0, 0]), object(2, &[], &[77, 0])])];
        let done = import(&world, Pass::All, &[], objects).await;
        let [only] = done.as_slice() else { panic!("{done:?}") };
        let rejected: Vec<_> = only.rejected.iter().map(|one| (one.id.to_string(), one.stored)).collect();
        assert_eq!((rejected, only.references), (vec![(id(2), true)], 1));
        let both = |number: u64, plain: &[u64]| {
            (id(number), vec![], plain.iter().map(|n| beacon("Plain", *n)).collect::<Vec<_>>())
        };
        let mut expected = vec![both(1, &[0, 0]), both(2, &[0])];
        expected.sort();
        assert_eq!(there(&world, "t1"), expected);
    }
}
