//! Vectors of several lengths in one collection: a server stores them all if the first request brings them, though its
//! index takes one length and the answer says FAILED of the others. What comes back, what is said of it.

use std::path::{Path, PathBuf};

use elysiactl::archive::{Archive, OsDisk};
use elysiactl::event::Status;
use elysiactl::ops::restore::RestoreOptions;
use sandbox::{Builder, Fault, Kind, Sandbox};
use serde_json::{Value, json};

use crate::support::said::{said_of, words};
use crate::support::world::{World, world};

/// Objects of the usual length; so many are sent that several requests are needed.
const USUAL: u64 = 600;

fn id(number: u64) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

fn object(number: u64, length: usize, tenant: Option<&str>) -> Value {
    let mut object = json!({"class": "Mixed", "id": id(number), "properties": {"t": format!("t{number}")},
        "vector": vec![number % 7; length]});
    if let Some(tenant) = tenant {
        object["tenant"] = tenant.into();
    }
    object
}

/// A collection whose objects of odd lengths, the ones with the lowest ids, were written by its first request.
async fn filled(builder: Builder, odd: u64, tenant: Option<&str>) -> World {
    let properties = json!([{"name": "t", "dataType": ["text"]}, {"name": "to", "dataType": ["Mixed"]}]);
    let class = json!({"class": "Mixed", "vectorizer": "none", "properties": properties,
        "multiTenancyConfig": {"enabled": tenant.is_some()}});
    let builder = builder.collection(&class.to_string());
    let source = world(tenant.iter().fold(builder, |builder, name| builder.tenant("Mixed", name, "HOT")));
    // The usual ones first: that they come last by id is what a restore meets.
    let usual = (odd..odd + USUAL).map(|number| object(number, 5, tenant));
    let all: Vec<Value> = usual.chain((0..odd).map(|number| object(number, 10, tenant))).collect();
    let url = format!("{}/v1/batch/objects", source.sandbox.url());
    let answer = reqwest::Client::new().post(url).json(&json!({"objects": all})).send().await.expect("an answer");
    let results: Vec<Value> = answer.json().await.expect("JSON");
    let failed = results.iter().filter(|result| result["result"]["status"] != "SUCCESS").count();
    assert_eq!(failed as u64, odd, "the server says that it refused what it stored");
    assert_eq!(source.sandbox.count("Mixed", tenant), USUAL + odd);
    source
}

async fn archived(source: &World) -> PathBuf {
    let (done, _) = Box::pin(source.try_backup(source.options())).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("the backup stopped: {:?}", stopped.error));
    outcome.result.archive.expect("an archive").into()
}

/// One request for each of so few objects, so that whatever comes first decides.
fn options(target: &World, archive: &Path, batch: u32) -> RestoreOptions {
    RestoreOptions { batch_objects: Some(batch), jobs: Some(2), ..target.restore_options(archive) }
}

#[tokio::test]
async fn objects_of_an_odd_length_come_back_though_the_server_says_that_it_refused_them() {
    for (odd, batch) in [(1, 100), (1, 1), (40, 7)] {
        let source = filled(Sandbox::builder(), odd, None).await;
        let archive = archived(&source).await;
        let target = world(Sandbox::builder());
        let outcome = target.restore(options(&target, &archive, batch)).await;
        let collection = &outcome.result.collections[0];
        let told = (outcome.result.status, collection.rejected, collection.objects, outcome.rejected.is_some());
        assert_eq!(
            told,
            (Status::Incomplete, 0, USUAL + odd, false),
            "{odd} odd ones, batches of {batch}: {:?}",
            outcome.remarks
        );
        let said = |words: &str| said_of(&outcome.remarks).iter().any(|text| text.contains(words));
        assert!(said("yet stored and equal") && said("vectors differ in length"), "{:?}", outcome.remarks);
        assert!(!said("the server counts"), "{:?}", outcome.remarks);
    }
}

#[tokio::test]
async fn a_tenant_is_led_by_its_usual_length_too() {
    let source = filled(Sandbox::builder(), 3, Some("t1")).await;
    let archive = archived(&source).await;
    let target = world(Sandbox::builder());
    let (done, _) = target.try_restore(options(&target, &archive, 50)).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!(
        (outcome.result.status, outcome.result.objects),
        (Status::Incomplete, USUAL + 3),
        "{:?}",
        outcome.remarks
    );
    assert_eq!(target.sandbox.objects("Mixed", Some("t1")).len() as u64, USUAL + 3);
    assert!(said_of(&outcome.remarks).iter().any(|text| text.contains("of tenant t1")), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn the_lengths_stand_in_the_manifest_and_in_the_plan() {
    let source = filled(Sandbox::builder(), 2, None).await;
    let archive = archived(&source).await;
    let opened = Archive::open(&(std::sync::Arc::new(OsDisk) as _), &archive).expect("an archive");
    let [entry] = &opened.collections()[0].vector_lengths[..] else { panic!("one vector is mixed") };
    let lengths: Vec<(u64, u64)> = entry.lengths.iter().map(|one| (one.length, one.objects)).collect();
    assert_eq!((entry.vector.as_str(), &entry.tenant, lengths), ("default", &None, vec![(5, USUAL), (10, 2)]));
    let target = world(Sandbox::builder());
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan").plan;
    let remarks = words(&plan.collections[0].remarks);
    let told = "vectors differ in length (default: 5 in 600 objects, 10 in 2 objects)";
    assert!(remarks.iter().any(|remark| remark.contains(told)), "{remarks:?}");
    // Of one length nothing is said.
    let uniform = world(Sandbox::builder().seeded("Article", 50, 3, 4));
    let archive = archived(&uniform).await;
    let opened = Archive::open(&(std::sync::Arc::new(OsDisk) as _), &archive).expect("an archive");
    assert!(opened.collections()[0].vector_lengths.is_empty());
}

#[tokio::test]
async fn what_cannot_come_back_is_rejected_by_name_and_nothing_else_is() {
    let source = filled(Sandbox::builder(), 4, None).await;
    let archive = archived(&source).await;
    let target = world(Sandbox::builder());
    // A proxy takes no request of that size: the usual length goes ahead alone, and the others come too late.
    let small = Fault::new(Kind::status(413, "too large")).on("POST", "/v1/batch/objects").times(4);
    target.sandbox.faults().add(small);
    let (done, _) = target.try_restore(options(&target, &archive, 100)).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    let collection = &outcome.result.collections[0];
    assert_eq!((outcome.result.status, collection.rejected), (Status::Incomplete, 4), "{:?}", outcome.remarks);
    assert_eq!(target.sandbox.count("Mixed", None), USUAL);
    let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
    assert!((0..4).all(|number| text.contains(&id(number))) && text.lines().count() == 4, "{text}");
    assert!(!said_of(&outcome.remarks).iter().any(|text| text.contains("the server counts")), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn an_object_that_is_refused_after_it_was_stored_is_read_back_and_not_called_rejected() {
    let source = world(Sandbox::builder().seeded("Article", 300, 3, 4));
    let archive = archived(&source).await;
    let target = world(Sandbox::builder());
    let fault = Fault::new(Kind::FailAdded(1, "update prop-specific indices: no".into()));
    target.sandbox.faults().add(fault.on("POST", "/v1/batch/objects"));
    let outcome = target.restore(RestoreOptions { jobs: Some(1), ..options(&target, &archive, 100) }).await;
    let told = (outcome.result.status, outcome.result.collections[0].rejected, outcome.result.objects);
    assert_eq!(told, (Status::Incomplete, 0, 300), "stored, and not proven to be found: {:?}", outcome.remarks);
    assert!(
        said_of(&outcome.remarks).iter().any(|text| text.starts_with("300 objects refused by the server, yet stored"))
    );
}

#[tokio::test]
async fn an_object_that_cannot_be_read_back_stays_rejected_and_that_is_said() {
    let source = world(Sandbox::builder().seeded("Article", 30, 3, 4));
    let archive = archived(&source).await;
    let target = world(Sandbox::builder());
    let fault = Fault::new(Kind::FailIds(2, "invalid object: no".into()));
    target.sandbox.faults().add(fault.on("POST", "/v1/batch/objects"));
    target.sandbox.faults().add(Fault::new(Kind::status(403, "no")).on("GET", "/v1/objects/Article/"));
    let options = RestoreOptions { verify: false, ..target.restore_options(&archive) };
    let (done, _) = target.try_restore(options).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!(outcome.result.status, Status::Incomplete);
    let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
    assert!(text.lines().count() as u64 == outcome.result.collections[0].rejected && text.lines().count() > 0);
}

/// Every object refers to the next one.
async fn linked(source: &World, objects: u64) {
    let beacon = |number: u64| format!("weaviate://localhost/Mixed/{}", id(number));
    let link = |number| json!({"from": format!("{}/to", beacon(number)), "to": beacon((number + 1) % objects)});
    let links: Vec<Value> = (0..objects).map(link).collect();
    let url = format!("{}/v1/batch/references", source.sandbox.url());
    let answer = reqwest::Client::new().post(url).json(&links).send().await.expect("an answer");
    let results: Vec<Value> = answer.json().await.expect("JSON");
    assert!(results.iter().all(|result| result["result"]["status"] == "SUCCESS"), "{:?}", results.first());
}

/// Objects of a server that refer to nothing.
fn unlinked(world: &World) -> usize {
    let lines = world.sandbox.objects("Mixed", None);
    lines.iter().filter(|line| serde_json::from_str::<Value>(line).expect("JSON")["properties"]["to"].is_null()).count()
}

#[tokio::test]
async fn what_leads_does_not_take_the_place_of_what_an_earlier_attempt_finished() {
    let source = filled(Sandbox::builder(), 20, None).await;
    linked(&source, USUAL + 20).await;
    let archive = archived(&source).await;
    let target = world(Sandbox::builder());
    let options = RestoreOptions {
        verify: false,
        jobs: Some(1),
        patience: std::time::Duration::from_millis(100),
        ..options(&target, &archive, 50)
    };
    // The first two requests of references get through, and then the server is gone.
    target.sandbox.faults().add(Fault::new(Kind::ResetBefore).on("POST", "/v1/batch/").after(6));
    let (done, _) = target.try_restore(options.clone()).await;
    assert!(done.is_err(), "it was stopped");
    target.sandbox.faults().clear();
    let plan = target.restore_plan(RestoreOptions { resume: true, ..options }).await.expect("a plan");
    let done = plan.plan.resumes.as_ref().map_or(0, |carried| carried.objects);
    assert!((50..USUAL).contains(&done), "{done} were done");
    let (outcome, _) = target.run_plan(plan).await;
    let outcome = outcome.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!(
        (outcome.result.status, outcome.result.objects),
        (Status::Incomplete, USUAL + 20),
        "{:?}",
        outcome.remarks
    );
    assert_eq!((unlinked(&source), unlinked(&target)), (0, 0));
}

#[tokio::test]
async fn objects_without_the_vector_do_not_count_as_those_of_its_usual_length() {
    let named = |name: &str| json!({name: {"vectorizer": {"none": {}}, "vectorIndexType": "hnsw"}});
    let mut config = named("a");
    config["b"] = named("b")["b"].clone();
    let class = json!({"class": "Mixed", "vectorConfig": config, "properties": [{"name": "t", "dataType": ["text"]}]});
    let source = world(Sandbox::builder().collection(&class.to_string()));
    let one = |number: u64, name: &str, length: usize| json!({"class": "Mixed", "id": id(number), "properties": {"t": "x"}, "vectors": {name: vec![number % 7; length]}});
    let mut all: Vec<Value> = (301..301 + USUAL).map(|number| one(number, "a", 5)).collect();
    all.push(one(300, "a", 10));
    all.extend((0..300).map(|number| one(number, "b", 3)));
    let url = format!("{}/v1/batch/objects", source.sandbox.url());
    reqwest::Client::new().post(url).json(&json!({"objects": all})).send().await.expect("an answer");
    assert_eq!(source.sandbox.count("Mixed", None), USUAL + 301);
    let archive = archived(&source).await;
    let target = world(Sandbox::builder());
    let (done, _) = target.try_restore(options(&target, &archive, 100)).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    let told = (outcome.result.status, outcome.result.collections[0].rejected, outcome.result.objects);
    assert_eq!(told, (Status::Incomplete, 0, USUAL + 301), "{:?}", outcome.remarks);
}

#[tokio::test]
async fn an_odd_object_that_is_refused_for_something_else_is_sent_again() {
    // Without an index every length is taken.
    let class = json!({"class": "Mixed", "vectorizer": "none", "vectorIndexConfig": {"skip": true},
        "properties": [{"name": "t", "dataType": ["text"]}]});
    let all = (0..40).map(|number| object(number, if number < 4 { 10 } else { 5 }, None).to_string());
    let source = world(all.fold(Sandbox::builder().collection(&class.to_string()), |b, one| b.object(&one)));
    let archive = archived(&source).await;
    let target = world(Sandbox::builder());
    // What goes ahead is refused, and so are the odd ones at first.
    let busy = Fault::new(Kind::FailObjects(1, "put object: something was in the way".into()));
    target.sandbox.faults().add(busy.on("POST", "/v1/batch/objects").times(2));
    let (done, _) = target.try_restore(RestoreOptions { jobs: Some(1), ..options(&target, &archive, 4) }).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    let told = (outcome.result.status, outcome.result.collections[0].rejected, target.sandbox.count("Mixed", None));
    assert_eq!(told, (Status::Ok, 0, 40), "{:?}", outcome.remarks);
}
