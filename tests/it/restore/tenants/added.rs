//! Tenants that are added to a collection that exists: what is there is never touched.

use elysiactl::event::{Event, Status, Warning};
use elysiactl::model::TenantMap;
use elysiactl::ops::Error;
use elysiactl::ops::restore::{RestoreOptions, RestoreRefusal};
use sandbox::{Change, Fault, Kind, Sandbox};

use super::{archived, backed_up, live, name, only, some};
use crate::backup::tenants::{CLASS, id, tenants};
use crate::support::said::words;
use crate::support::world::world;

/// Somebody's object in a tenant.
fn theirs(tenant: &str) -> Change {
    let id = id(3);
    Change::Write(format!(
        r#"{{"class":"Mt","tenant":"{tenant}","id":"{id}","properties":{{"title":"theirs"}},"vector":[7,7]}}"#
    ))
}

#[tokio::test]
async fn a_tenant_somebody_makes_while_the_plan_is_looked_at_is_left_alone() {
    let source = world(some());
    let archive = backed_up(&source).await;
    source.sandbox.faults().now(&Change::Tenant("Mt".into(), "night".into(), None));
    let options = RestoreOptions { tenants: only(&[("night", "night")]), ..source.restore_options(&archive) };
    let plan = source.restore_plan(options).await.expect("a plan");
    let said = words(&plan.plan.collections[0].remarks);
    assert!(said.iter().any(|remark| remark.contains("added to the collection that is there")), "{said:?}");

    source.sandbox.faults().now(&Change::Tenant("Mt".into(), "night".into(), Some("HOT")));
    source.sandbox.faults().now(&theirs("night"));
    let before = live(&source, "Mt", Some("night"));
    source.sandbox.clear_requests();
    let stopped = source.run_plan(plan).await.0.expect_err("a tenant that is there now");
    let Error::CannotRestore { refusals, .. } = &stopped.error else { panic!("{:?}", stopped.error) };
    assert!(matches!(&refusals[..], [RestoreRefusal::TenantExists { .. }]), "{refusals:?}");
    assert!(stopped.created.is_empty() && stopped.joined.is_empty(), "nothing of it is this run's");
    assert_eq!(live(&source, "Mt", Some("night")), before);
    assert_eq!(source.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn a_collection_that_was_made_anew_meanwhile_is_left_alone() {
    let source = world(some());
    let archive = backed_up(&source).await;
    let options = RestoreOptions { tenants: only(&[("night", "copy")]), ..source.restore_options(&archive) };
    let plan = source.restore_plan(options).await.expect("a plan");
    source.sandbox.faults().now(&Change::Drop("Mt".into()));
    source.sandbox.faults().now(&Change::Write(
        r#"{"class":"Mt","id":"00000000-0000-4000-8000-000000000001","properties":{"other":1}}"#.into(),
    ));
    let stopped = source.run_plan(plan).await.0.expect_err("another collection");
    assert!(matches!(stopped.error, Error::CannotRestore { .. }), "{:?}", stopped.error);
    assert!(source.sandbox.tenants("Mt").is_empty());
}

#[tokio::test]
async fn what_was_there_before_is_never_said_to_be_this_runs() {
    let source = world(some());
    let archive = backed_up(&source).await;
    source.sandbox.faults().add(Fault::new(Kind::status(403, "no")).on("POST", "/v1/batch/objects").nth(2));
    let options = RestoreOptions {
        tenants: only(&[("other", "other2"), ("awake", "awake2")]),
        batch_objects: Some(10),
        jobs: Some(1),
        ..source.restore_options(&archive)
    };
    let stopped = source.try_restore(options).await.0.expect_err("a key that may not write any more");
    assert!(stopped.created.is_empty(), "{:?}", stopped.created);
    let [(collection, tenants, objects)] = &stopped.joined[..] else { panic!("{:?}", stopped.joined) };
    assert_eq!((collection.as_str(), *objects), ("Mt", 10));
    assert_eq!(tenants, &[name("awake2"), name("other2")]);
}

#[tokio::test]
async fn a_plain_collection_is_added_as_one_more_tenant() {
    let source = world(some().seeded("Plain", 60, 4, 3));
    let archive = backed_up(&source).await;
    let document = r#"{"class":"Mt2","multiTenancyConfig":{"enabled":true},"vectorizer":"none","properties":[]}"#;
    let mut document: serde_json::Value = serde_json::from_str(document).expect("JSON");
    let schema = std::fs::read(archive.join("collections/Plain/schema.json")).expect("a schema");
    let schema: serde_json::Value = serde_json::from_slice(&schema).expect("JSON");
    document["properties"] = schema["properties"].clone();
    let target = world(Sandbox::builder().collection(&document.to_string()).tenant("Mt2", "old", "HOT"));
    let mut options =
        RestoreOptions { tenants: TenantMap::IntoTenant(name("new")), ..target.restore_options(&archive) };
    options.selection.take = vec!["Plain".into()];
    options.name = Some("Mt2".parse().expect("a name"));
    let outcome = target.try_restore(options).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 60), "{:?}", outcome.remarks);
    assert!(archived(&source, &archive, "Plain", None) == live(&target, "Mt2", Some("new")));
    assert_eq!(target.sandbox.count("Mt2", Some("old")), 0);
}

#[tokio::test]
async fn whether_vectors_are_made_is_asked_of_the_collection_that_is_there() {
    let without = r#"{"class":"Mt","tenant":"a","id":"00000000-0000-4000-8000-000000000001","properties":{}}"#;
    let source = world(Sandbox::builder().collection(CLASS).tenant("Mt", "a", "HOT").object(without));
    let archive = backed_up(&source).await;
    let makes = CLASS.replace(r#""class":"Mt","#, r#""class":"Mt","vectorizer":"text2vec-openai","#);
    let target = world(Sandbox::builder().modules(&["text2vec-openai"]).collection(&makes).makes_vectors(2));
    let options = RestoreOptions { tenants: only(&[("a", "a")]), ..target.restore_options(&archive) };
    let Error::CannotRestore { refusals, .. } = target.refused(options).await else { panic!("a refusal") };
    assert!(matches!(&refusals[..], [RestoreRefusal::WouldVectorise { objects: 1, .. }]), "{refusals:?}");
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn others_may_add_to_the_schema_meanwhile() {
    let source = world(some());
    let archive = backed_up(&source).await;
    let write = r#"{"class":"Mt","tenant":"other","id":"99999999-0000-4000-8000-000000000001",
        "properties":{"fresh":"x"},"vector":[1,1]}"#;
    let write = Change::Write(write.into());
    source.sandbox.faults().add(Fault::new(Kind::Change(write)).on("POST", "/v1/batch/objects").nth(1));
    let options = RestoreOptions { tenants: only(&[("night", "copy")]), ..source.restore_options(&archive) };
    let (done, events) = source.try_restore(options).await;
    let outcome = done.expect("restored");
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::SchemaGrew { .. }))), "said all the same");
}

#[tokio::test]
async fn what_a_server_kept_of_a_removed_tenant_is_found() {
    let builder = tenants(Sandbox::builder().version("1.24.26").collection(CLASS), &[("a", "HOT"), ("b", "COLD")], 5);
    let source = world(builder);
    let archive = backed_up(&source).await;
    source.sandbox.faults().now(&Change::Write(
        r#"{"class":"Mt","tenant":"a","id":"99999999-0000-4000-8000-000000000001","properties":{},"vector":[1,1]}"#
            .into(),
    ));
    let client = source.client(elysiactl::event::Events::none());
    let writer = elysiactl::weaviate::Writer::new(client);
    writer.delete_tenants(&"Mt".parse().expect("a name"), &[name("a")]).await.expect("removed");
    let options = RestoreOptions { tenants: only(&[("a", "a")]), ..source.restore_options(&archive) };
    let outcome = source.try_restore(options).await.0.expect("to its end");
    assert_eq!((outcome.result.status, outcome.result.collections[0].only_right), (Status::Incomplete, Some(1)));
}
