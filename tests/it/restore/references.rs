//! References on their way back: to the collection itself, in circles, under new names, to what is not there. Lists keep
//! their order and their repeats.

use std::path::{Path, PathBuf};

use elysiactl::event::{Class, Events, Remark, RestoreRemark, Status};
use elysiactl::model::Selection;
use elysiactl::ops::Error;
use elysiactl::ops::restore::{RestoreOptions, RestoreOutcome, RestoreRefusal};
use elysiactl::weaviate::{ReferReply, Writer};
use sandbox::{Builder, Fault, Kind, Sandbox};
use serde_json::{Value, json};

use crate::support::world::{World, verify_options, world};

const OBJECTS: u64 = 120;

pub(crate) fn id(number: u64) -> String {
    // Spread over the key space, and no multiple of one another.
    format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(0x9e37_79b1) & 0xffff_ffff)
}

pub(crate) fn beacon(class: &str, number: u64) -> String {
    format!("weaviate://localhost/{class}/{}", id(number))
}

/// The name of a property and its data types.
type Property = (&'static str, &'static [&'static str]);

/// A collection with these properties.
fn class(name: &str, properties: &[Property]) -> String {
    let property = |(name, types): &Property| json!({"name": name, "dataType": types});
    let properties: Vec<Value> = properties.iter().map(property).collect();
    json!({"class": name, "vectorizer": "none", "properties": properties}).to_string()
}

/// So many objects of a collection, numbered from 0, each with a text and a vector.
fn objects(mut builder: Builder, class: &str, objects: u64) -> Builder {
    for number in 0..objects {
        let text = format!("number {number} of {class}");
        let object = json!({"class": class, "id": id(number), "properties": {"t": text}, "vector": [number, 0.5]});
        builder = builder.object(&object.to_string());
    }
    builder
}

/// Adds references to objects of a server, in the order given: collection, number, property, beacon.
async fn link(world: &World, references: &[(&str, u64, &str, String)]) {
    let writer = Writer::new(world.client(Events::none()));
    let item = |(class, number, property, to): &(&str, u64, &str, String)| json!({"from": format!("{}/{property}", beacon(class, *number)), "to": to});
    for some in references.chunks(500) {
        let body = Value::Array(some.iter().map(item).collect()).to_string();
        let reply = writer.refer(body.into(), some.len()).await.expect("an answer");
        assert!(matches!(&reply, ReferReply::Judged(all) if all.iter().all(Option::is_none)), "{reply:?}");
    }
}

pub(crate) async fn archive_of(world: &World) -> PathBuf {
    world.backup(world.options()).await.result.archive.expect("an archive").into()
}

/// Small batches, several at once.
pub(crate) fn batches(target: &World, archive: &Path) -> RestoreOptions {
    RestoreOptions { batch_objects: Some(17), jobs: Some(3), ..target.restore_options(archive) }
}

fn renamed(mut options: RestoreOptions, names: &[&str]) -> RestoreOptions {
    for name in names {
        options.renames.insert(name.parse().expect("a name"), format!("{name}New").parse().expect("a name"));
    }
    options
}

/// A collection whose objects refer to one another: lists of 0 to 6, with repeats, to objects before and behind.
pub(crate) async fn web(builder: Builder) -> World {
    let properties: &[Property] = &[("t", &["text"]), ("to", &["Web"]), ("also", &["Web"])];
    let world = world(objects(builder.collection(&class("Web", properties)), "Web", OBJECTS));
    let mut references = Vec::new();
    for number in 0..OBJECTS {
        for step in 0..number % 7 {
            references.push(("Web", number, "to", beacon("Web", (number * 31 + step / 2 * 7) % OBJECTS)));
        }
        if number % 3 == 0 {
            references.push(("Web", number, "also", beacon("Web", number)));
        }
    }
    link(&world, &references).await;
    world
}

/// The targets of a property of an object on a server, in their order, without scheme and host.
pub(crate) fn targets(world: &World, class: &str, number: u64, property: &str) -> Vec<String> {
    let objects = world.sandbox.objects(class, None);
    let parsed = objects.iter().map(|line| serde_json::from_str::<Value>(line).expect("an object"));
    let object = parsed.into_iter().find(|object| object["id"] == id(number)).expect("the object");
    let list = object["properties"][property].as_array().cloned().unwrap_or_default();
    let target = |one: Value| one["beacon"].as_str().expect("a beacon")["weaviate://localhost/".len()..].to_owned();
    list.into_iter().map(target).collect()
}

/// Everything came, and nothing differs.
pub(crate) fn is_equal(outcome: &RestoreOutcome) {
    assert_eq!(outcome.result.status, Status::Ok, "{:?} {:?}", outcome.remarks, outcome.differences);
    for collection in &outcome.result.collections {
        let found = (collection.rejected, collection.only_left, collection.only_right, collection.different);
        assert_eq!(found, (0, Some(0), Some(0), Some(0)), "{}", collection.name);
        assert!(collection.digest.is_some());
    }
}

fn written_after(outcome: &RestoreOutcome, collection: &str) -> Option<u64> {
    outcome.remarks.iter().find_map(|(name, fact)| match fact {
        Remark::Restore(RestoreRemark::ReferencesAfter { references }) if name.as_str() == collection => {
            Some(*references)
        }
        _ => None,
    })
}

#[tokio::test]
async fn a_collection_that_refers_to_itself_comes_back_under_its_name_and_under_another() {
    let expected: u64 = (0..OBJECTS).map(|n| n % 7 + u64::from(n % 3 == 0)).sum();
    for version in ["1.24", "1.32", "1.40"] {
        let source = web(Sandbox::builder().version(version)).await;
        let archive = archive_of(&source).await;
        let target = world(Sandbox::builder().version(version));
        let outcome = target.restore(batches(&target, &archive)).await;
        is_equal(&outcome);
        assert_eq!(written_after(&outcome, "Web"), Some(expected));
    }
    // Beside the original, which the copy must not point to.
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    let options = RestoreOptions { name: Some("Web2".parse().expect("a name")), ..batches(&source, &archive) };
    is_equal(&source.restore(options).await);
    for number in 0..OBJECTS {
        let old = targets(&source, "Web", number, "to");
        let new: Vec<String> = old.iter().map(|target| target.replace("Web/", "Web2/")).collect();
        assert_eq!(targets(&source, "Web2", number, "to"), new);
    }
    let verified = source.verify(elysiactl::ops::verify::VerifyOptions {
        name: Some("Web2".parse().expect("a name")),
        ..verify_options(&archive)
    });
    assert_eq!(verified.await.result.status, Status::Ok);
}

/// `names` in a circle, each object of one refers to objects of the next.
pub(crate) async fn circle(names: &[&'static str], version: &str) -> World {
    let mut builder = Sandbox::builder().version(version);
    for name in names {
        builder = objects(builder.collection(&class(name, &[("t", &["text"])])), name, OBJECTS);
    }
    let world = world(builder);
    let writer = Writer::new(world.client(Events::none()));
    let mut references = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let next = names[(at + 1) % names.len()];
        let property = json!({"name": "next", "dataType": [next], "description": "the next one"}).to_string();
        writer.add_property(&name.parse().expect("a name"), &property).await.expect("a property");
        for number in 0..OBJECTS {
            let to = [number, (number + 1) % OBJECTS, number];
            references.extend(to.map(|to| (*name, number, "next", beacon(next, to))));
        }
    }
    link(&world, &references).await;
    world
}

#[tokio::test]
async fn circles_of_two_and_three_come_back_under_their_names_and_under_others() {
    for (names, version) in [(&["A", "B"][..], "1.24"), (&["A", "B"], "1.40"), (&["C", "B", "A"], "1.40")] {
        let source = circle(names, version).await;
        let archive = archive_of(&source).await;
        let target = world(Sandbox::builder().version(version));
        is_equal(&target.restore(batches(&target, &archive)).await);
        let outcome = source.restore(renamed(batches(&source, &archive), names)).await;
        is_equal(&outcome);
        let deferred =
            names.iter().filter_map(|name| written_after(&outcome, &format!("{name}New"))).collect::<Vec<_>>();
        assert_eq!(deferred, [OBJECTS * 3], "the others find their targets complete");
        for (at, name) in names.iter().enumerate() {
            let next = names[(at + 1) % names.len()];
            let expected = [7, 8, 7].map(|number| format!("{next}New/{}", id(number)));
            assert_eq!(targets(&source, &format!("{name}New"), 7, "next"), expected);
            assert_eq!(targets(&source, name, 7, "next"), expected.map(|target| target.replace("New/", "/")));
        }
    }
}

#[tokio::test]
async fn of_several_targets_one_in_a_circle_is_enough_to_wait() {
    let names: [(&str, &[Property]); 3] =
        [("Plain", &[("t", &["text"])]), ("A", &[("t", &["text"])]), ("B", &[("t", &["text"]), ("one", &["A"])])];
    let builder = names.iter().fold(Sandbox::builder(), |builder, (name, properties)| {
        objects(builder.collection(&class(name, properties)), name, OBJECTS)
    });
    let source = world(builder);
    let writer = Writer::new(source.client(Events::none()));
    let property = json!({"name": "any", "dataType": ["B", "Plain", "A"]}).to_string();
    writer.add_property(&"A".parse().expect("a name"), &property).await.expect("a property");
    let kinds = ["B", "Plain", "A", "Plain"];
    let any = |number: u64| kinds.map(|kind| ("A", number, "any", beacon(kind, (number + 3) % OBJECTS)));
    let one = |number: u64| ("B", number, "one", beacon("A", number));
    link(&source, &(0..OBJECTS).flat_map(any).chain((0..OBJECTS).map(one)).collect::<Vec<_>>()).await;
    let archive = archive_of(&source).await;

    let target = world(Sandbox::builder());
    let outcome = target.restore(renamed(batches(&target, &archive), &["A", "B", "Plain"])).await;
    is_equal(&outcome);
    let expected = ["BNew", "PlainNew", "ANew", "PlainNew"].map(|kind| format!("{kind}/{}", id(8)));
    assert_eq!(targets(&target, "ANew", 5, "any"), expected);
    let schema = target.client(Events::none()).schema(&"ANew".parse().expect("a name")).await.expect("an answer");
    let schema: Value = serde_json::from_slice(&schema.expect("a schema").text).expect("JSON");
    let any = schema["properties"].as_array().expect("a list").iter().find(|p| p["name"] == "any").expect("it");
    assert_eq!(any["dataType"], json!(["BNew", "PlainNew", "ANew"]));
}

#[tokio::test]
async fn references_to_objects_that_are_gone_come_back_as_they_were() {
    for version in ["1.24", "1.28", "1.32", "1.39", "1.40"] {
        let builder = Sandbox::builder().version(version).collection(&class("To", &[("t", &["text"])]));
        let properties: &[Property] = &[("t", &["text"]), ("to", &["To"]), ("own", &["From"])];
        let source =
            world(objects(objects(builder, "To", OBJECTS).collection(&class("From", properties)), "From", OBJECTS));
        let mut references = Vec::new();
        for number in 0..OBJECTS {
            // Each third object has one that leads nowhere, between two that do not.
            let middle = if number % 3 == 0 { OBJECTS + number } else { number };
            references.extend([number, middle, number].map(|to| ("From", number, "to", beacon("To", to))));
            references.push(("From", number, "own", beacon("From", OBJECTS * 2)));
        }
        link(&source, &references).await;
        let archive = archive_of(&source).await;
        let target = world(Sandbox::builder().version(version));
        let outcome = target.restore(renamed(batches(&target, &archive), &["From"])).await;
        is_equal(&outcome);
        assert_eq!(outcome.rejected, None);
        // Deferred ones of every object, and all of those with a target that is gone.
        assert_eq!(written_after(&outcome, "FromNew"), Some(OBJECTS + OBJECTS));
        let expected = [3, OBJECTS + 3, 3].map(|number| format!("To/{}", id(number)));
        assert_eq!(targets(&target, "FromNew", 3, "to"), expected);
    }
}

#[tokio::test]
async fn a_target_outside_of_the_archive_is_complete_and_what_it_lacks_is_no_matter() {
    let to =
        |objects_there| objects(Sandbox::builder().collection(&class("To", &[("t", &["text"])])), "To", objects_there);
    let properties: &[Property] = &[("t", &["text"]), ("to", &["To"])];
    let source = world(objects(to(OBJECTS).collection(&class("From", properties)), "From", OBJECTS));
    let one = |number: u64| ("From", number, "to", beacon("To", number));
    link(&source, &(0..OBJECTS).map(one).collect::<Vec<_>>()).await;
    let selection = Selection { take: vec!["From".into()], ..Selection::default() };
    let options = elysiactl::ops::backup::BackupOptions { selection, ..source.options() };
    let archive = PathBuf::from(source.backup(options).await.result.archive.expect("an archive"));

    let target = world(to(OBJECTS));
    let outcome = target.restore(batches(&target, &archive)).await;
    is_equal(&outcome);
    assert_eq!(written_after(&outcome, "From"), None, "all went with their objects");
    assert!(!target.sandbox.requests().iter().any(|r| r.path == "/v1/batch/references"));

    let target = world(to(OBJECTS / 2));
    let outcome = target.restore(batches(&target, &archive)).await;
    is_equal(&outcome);
    assert_eq!(written_after(&outcome, "From"), Some(OBJECTS / 2));
    assert_eq!(target.sandbox.count("To", None), OBJECTS / 2, "nothing else is written");

    let target = world(Sandbox::builder());
    let error = target.refused(batches(&target, &archive)).await;
    let Error::CannotRestore { refusals, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(refusals.as_slice(), [RestoreRefusal::MissingTarget { .. }]), "{refusals:?}");
    assert_eq!((error.class(), target.sandbox.writing_requests()), (Class::Refused, 0));
}

#[tokio::test]
async fn without_objects_a_circle_is_created_as_it_was() {
    let source = circle(&["A", "B", "C"], "1.40").await;
    let archive = archive_of(&source).await;
    let target = world(Sandbox::builder());
    let options = renamed(RestoreOptions { data: false, ..batches(&target, &archive) }, &["A", "B", "C"]);
    let (done, _) = target.try_restore(options).await;
    assert_eq!(done.expect("an end").result.status, Status::Ok);
    assert_eq!(target.sandbox.collections(), ["ANew", "BNew", "CNew"]);
    assert!(!target.sandbox.requests().iter().any(|r| r.path.starts_with("/v1/batch")));
}

#[tokio::test]
async fn a_property_that_is_added_is_there_once_whatever_happens_to_the_request() {
    let source = circle(&["A", "B"], "1.40").await;
    let archive = archive_of(&source).await;
    let on_properties = |kind| Fault::new(kind).on("POST", "/v1/schema/B/properties").nth(1);
    for kind in [
        Kind::AppliedThen { status: 504, body: String::new() },
        Kind::ResetAfter,
        Kind::ResetBefore,
        Kind::status(503, ""),
    ] {
        let target = world(Sandbox::builder());
        target.sandbox.faults().add(on_properties(kind.clone()));
        let outcome = target.restore(batches(&target, &archive)).await;
        is_equal(&outcome);
    }
    let target = world(Sandbox::builder());
    target.sandbox.faults().add(on_properties(Kind::status(422, r#"{"error":[{"message":"no more properties"}]}"#)));
    let (done, _) = target.try_restore(batches(&target, &archive)).await;
    let stopped = done.expect_err("refused");
    let refused = |refusal: &RestoreRefusal| refusal.to_string().contains("no more properties");
    let Error::CannotRestore { refusals, .. } = &stopped.error else { panic!("{:?}", stopped.error) };
    assert!(refusals.iter().any(refused), "{refusals:?}");
    // What the run had made was empty, and is undone.
    assert_eq!((stopped.error.class(), target.sandbox.collections()), (Class::Refused, Vec::new()));
    assert!(!target.sandbox.requests().iter().any(|r| r.path.starts_with("/v1/batch")));
}

#[tokio::test]
async fn a_property_that_the_server_makes_otherwise_is_found() {
    let source = circle(&["A", "B"], "1.40").await;
    let archive = archive_of(&source).await;
    let target = world(Sandbox::builder());
    // It says yes, and nothing is there.
    target.sandbox.faults().add(Fault::new(Kind::status(200, "{}")).on("POST", "/v1/schema/B/properties"));
    let (done, _) = target.try_restore(batches(&target, &archive)).await;
    let stopped = done.expect_err("another collection");
    let Error::CannotRestore { refusals, .. } = &stopped.error else { panic!("{:?}", stopped.error) };
    let found = |refusal: &RestoreRefusal| refusal.to_string().contains("properties.next");
    assert!(refusals.iter().any(found), "{refusals:?}");
    assert_eq!(target.sandbox.collections(), Vec::<String>::new());
    assert!(!target.sandbox.requests().iter().any(|r| r.path.starts_with("/v1/batch")));
}

#[tokio::test]
async fn under_new_names_a_comparison_finds_one_reference_more_less_or_in_another_place() {
    let source = web(Sandbox::builder()).await;
    let archive = archive_of(&source).await;
    let target = world(Sandbox::builder());
    is_equal(&target.restore(renamed(batches(&target, &archive), &["Web"])).await);
    let verify = async || {
        let mut options = verify_options(&archive);
        options.renames.insert("Web".parse().expect("a name"), "WebNew".parse().expect("a name"));
        let outcome = target.verify(options).await;
        (outcome.result.collections[0].different, outcome.differences.first().map(|d| d.id.to_string()))
    };
    assert_eq!(verify().await, (Some(0), None));
    let lists = |list: &[String]| {
        let beacon = |target: &String| json!({"beacon": format!("weaviate://localhost/{target}")});
        list.iter().map(beacon).collect::<Vec<_>>()
    };
    let whole = targets(&target, "WebNew", 6, "to");
    assert_eq!(whole.len(), 6);
    let rewrite = async |list: &[String]| {
        let object = json!({"class": "WebNew", "id": id(6), "vector": [6, 0.5],
            "properties": {"t": "number 6 of Web", "to": lists(list), "also": lists(&[format!("WebNew/{}", id(6))])}});
        target.sandbox.faults().now(&sandbox::Change::Write(object.to_string()));
        verify().await
    };
    assert_eq!(rewrite(&whole).await, (Some(0), None));
    let mut turned = whole.clone();
    turned.swap(1, 2);
    let mut doubled = whole.clone();
    doubled.push(whole[5].clone());
    let mut elsewhere = whole.clone();
    elsewhere[0] = format!("WebNew/{}", id(1));
    for other in [&turned, &doubled, &elsewhere, &whole[1..].to_vec(), &vec![]] {
        assert_eq!(rewrite(other).await, (Some(1), Some(id(6))), "{other:?}");
    }
    assert_eq!(rewrite(&whole).await, (Some(0), None));
}
