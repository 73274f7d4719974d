//! Trained quantizers after a restore: the server is asked to train them, and what came of it is said.

use std::path::PathBuf;

use elysiactl::event::Status;
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::world::{World, world};

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
        let said = outcome.remarks.iter().any(|(_, text)| text.starts_with(told));
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
    assert!(!outcome.remarks.iter().any(|(_, text)| text.contains("compressed")), "{:?}", outcome.remarks);
    assert!(!target.sandbox.requests().iter().any(|r| r.method == "PUT"));
}
