//! Trained quantizers after a restore: the server is asked to train them, and what came of it is said.

use std::path::PathBuf;

use elysiactl::event::Status;
use sandbox::{Change, Fault, Kind, Sandbox};
use serde_json::{Value, json};

use crate::support::said::said_of;
use crate::support::world::{World, world};

fn class(kind: &str) -> Value {
    json!({"class": "Small", "vectorizer": "none", "properties": [{"name": "t", "dataType": ["text"]}],
        "vectorIndexConfig": {kind: {"enabled": true}}})
}

async fn archived(kind: &str, objects: u64) -> (World, PathBuf) {
    let builder = Sandbox::builder().collection(&class(kind).to_string());
    let object = |number: u64| {
        json!({"class": "Small", "id": format!("{number:08x}-0000-4000-8000-000000000000"), "properties": {"t": "x"},
            "vector": [number % 7, 1]})
        .to_string()
    };
    let source = world((0..objects).fold(builder, |builder, number| builder.object(&object(number))));
    let outcome = source.backup(source.options()).await;
    (source, outcome.result.archive.expect("an archive").into())
}

#[tokio::test]
async fn compression_is_trained_after_a_restore_and_said_to_be_only_if_it_is() {
    for (kind, objects, told) in [
        ("sq", 20, "compressed: sq is trained"),
        ("pq", 300, "compressed: pq is trained"),
        ("pq", 20, "not compressed in 1 of 1 shards: pq is on; training needs 256 objects"),
    ] {
        let (_source, archive) = archived(kind, objects).await;
        let target = world(Sandbox::builder());
        let outcome = target.restore(target.restore_options(&archive)).await;
        assert_eq!(outcome.result.status, Status::Ok);
        let said = said_of(&outcome.remarks).iter().any(|text| text.starts_with(told));
        assert!(said, "{kind} {objects}: {:?}", outcome.remarks);
        let sent =
            target.sandbox.requests().iter().filter(|r| r.method == "PUT" && r.path == "/v1/schema/Small").count();
        assert_eq!(sent, 1, "the settings go once, unchanged");
    }
}

#[tokio::test]
async fn without_a_trained_quantizer_nothing_is_sent_again() {
    let (_source, archive) = archived("bq", 20).await;
    let target = world(Sandbox::builder());
    let outcome = target.restore(target.restore_options(&archive)).await;
    assert!(!said_of(&outcome.remarks).iter().any(|text| text.contains("compressed")), "{:?}", outcome.remarks);
    assert!(!target.sandbox.requests().iter().any(|r| r.method == "PUT"));
}

#[tokio::test]
async fn what_is_not_known_of_compression_is_not_called_trained_and_what_changed_is_told() {
    let tenants = json!({"class": "Small", "vectorizer": "none", "multiTenancyConfig": {"enabled": true},
        "vectorIndexConfig": {"sq": {"enabled": true}}});
    let object = |tenant: &str| {
        json!({"class": "Small", "tenant": tenant, "properties": {"t": "x"}, "vector": [1, 2]}).to_string()
    };
    for (states, told) in [
        (["COLD", "COLD"], "whether it is compressed is not known, sq is on: none of its shards is open"),
        (["HOT", "COLD"], "compressed: sq is trained; of 1 inactive tenant it is not known"),
    ] {
        let builder = Sandbox::builder().collection(&tenants.to_string()).tenant("Small", "a", "HOT");
        let source = world(builder.tenant("Small", "b", "HOT").object(&object("a")).object(&object("b")));
        for (name, state) in ["a", "b"].iter().zip(states) {
            source.sandbox.faults().now(&Change::Tenant("Small".into(), (*name).into(), Some(state)));
        }
        let options = elysiactl::ops::backup::BackupOptions { state: Some(source.state()), ..source.options() };
        let archive: PathBuf =
            Box::pin(source.try_backup(options)).await.0.expect("a backup").result.archive.expect("an archive").into();
        let target = world(Sandbox::builder());
        let (done, _) = target.try_restore(target.restore_options(&archive)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{states:?}: {:?}", stopped.error));
        assert!(said_of(&outcome.remarks).iter().any(|text| text == told), "{states:?}: {:?}", outcome.remarks);
    }
    // A key that may not look, and one that may not start it, are told apart.
    let (_source, archive) = archived("sq", 20).await;
    for (method, path, told) in [
        ("GET", "/v1/nodes/Small", "whether it is compressed is not known"),
        ("PUT", "/v1/schema/Small", "may not start its training (update_collections)"),
    ] {
        let target = world(Sandbox::builder());
        target.sandbox.faults().add(Fault::new(Kind::status(403, "no")).on(method, path));
        let (done, _) = target.try_restore(target.restore_options(&archive)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{path}: {:?}", stopped.error));
        assert!(said_of(&outcome.remarks).iter().any(|text| text.contains(told)), "{path}: {:?}", outcome.remarks);
    }
    // Sent again unchanged, and somebody changed them in that moment.
    let target = world(Sandbox::builder());
    let changed = Kind::Change(Change::Describe("Small".into(), "mine"));
    target.sandbox.faults().add(Fault::new(changed).on("PUT", "/v1/schema/Small"));
    target.sandbox.faults().add(Fault::new(Kind::status(200, "{}")).on("PUT", "/v1/schema/Small"));
    let (done, _) = target.try_restore(target.restore_options(&archive)).await;
    let outcome = done.expect("an end");
    assert_eq!(outcome.result.status, Status::Incomplete);
    let told = "its settings were sent again, unchanged, and are not the same since";
    assert!(said_of(&outcome.remarks).iter().any(|text| text.contains(told)), "{:?}", outcome.remarks);
    // Gone when its settings were to be sent.
    let target = world(Sandbox::builder());
    let gone = Kind::Change(Change::Drop("Small".into()));
    target.sandbox.faults().add(Fault::new(gone).on("PUT", "/v1/schema/Small"));
    let (done, _) = target.try_restore(target.restore_options(&archive)).await;
    assert!(done.is_err() || done.is_ok_and(|outcome| outcome.result.status != Status::Ok));
}
