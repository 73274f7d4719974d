//! Empty lists of dates: a node of a cluster refuses an object that holds one, if another node sends it, and takes the list
//! once the object is there.

use std::path::{Path, PathBuf};

use elysiactl::event::Status;
use elysiactl::ops::restore::RestoreOutcome;
use elysiactl::ops::verify;
use sandbox::{Builder, Fault, Kind, Sandbox};
use serde_json::{Value, json};

use crate::restore::references::{batches, beacon, id};
use crate::support::world::{World, verify_options, world};

const OBJECTS: usize = 90;
const TENANTS: [(&str, &str); 3] = [("a", "HOT"), ("b", "HOT"), ("c", "COLD")];

fn class(more: &Value) -> String {
    let of = |name: &str, kind: &str| json!({"name": name, "dataType": [kind]});
    let properties = [of("none", "date[]"), of("some", "date[]"), of("texts", "text[]"), of("to", "Diary")];
    let mut class = json!({"class": "Diary", "vectorizer": "none", "properties": properties});
    class.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    class.to_string()
}

/// Every second object has one list of dates that is empty and one that is not, every fourth refers to others.
fn filled(mut builder: Builder, tenant: Option<&str>) -> Builder {
    for number in 0..OBJECTS as u64 {
        let mut properties = json!({"some": ["2024-01-02T03:04:05Z"], "texts": []});
        if number % 2 == 0 {
            properties["none"] = json!([]);
        }
        if number % 4 == 2 {
            let to = [1, 1, 2].map(|before| json!({"beacon": beacon("Diary", number - before)}));
            properties["to"] = json!(to);
        }
        let mut object = json!({"class": "Diary", "id": id(number), "properties": properties, "vector": [number, 0.5]});
        if let Some(tenant) = tenant {
            object["tenant"] = tenant.into();
        }
        builder = builder.object(&object.to_string());
    }
    builder
}

/// A collection of three shards, or with three tenants, from a server of one node.
async fn archived(tenants: bool) -> (World, PathBuf) {
    let builder = if tenants {
        let mut builder = Sandbox::builder().collection(&class(&json!({"multiTenancyConfig": {"enabled": true}})));
        for (tenant, state) in TENANTS {
            builder = filled(builder.tenant("Diary", tenant, state), Some(tenant));
        }
        builder
    } else {
        filled(Sandbox::builder().collection(&class(&json!({"shardingConfig": {"desiredCount": 3}}))), None)
    };
    let source = world(builder);
    let outcome = source.try_backup(source.options()).await.0.expect("a backup");
    assert_eq!(outcome.result.objects, (OBJECTS * if tenants { TENANTS.len() } else { 1 }) as u64);
    let archive = outcome.result.archive.expect("an archive").into();
    (source, archive)
}

async fn restored(target: &World, archive: &Path) -> RestoreOutcome {
    let done = target.try_restore(batches(target, archive)).await.0;
    done.unwrap_or_else(|stopped| panic!("stopped: {:?}", stopped.error))
}

fn patches(target: &World) -> usize {
    target.sandbox.requests().iter().filter(|seen| seen.method == "PATCH").count()
}

/// Restores it, and everything comes back.
async fn same(target: &World, archive: &Path) {
    let outcome = restored(target, archive).await;
    assert_eq!((outcome.result.status, outcome.rejected.as_deref()), (Status::Ok, None), "{:?}", outcome.remarks);
    let state = Some(target.state());
    let compared = target.verify(verify::VerifyOptions { state, ..verify_options(archive) }).await;
    assert_eq!(compared.result.status, Status::Ok);
}

#[tokio::test]
async fn objects_with_empty_lists_of_dates_come_back_into_a_cluster() {
    for tenants in [false, true] {
        let (_source, archive) = archived(tenants).await;
        let alone = world(Sandbox::builder());
        same(&alone, &archive).await;
        assert_eq!(patches(&alone), 0, "where nothing is refused nothing follows");
        let cluster = world(Sandbox::builder().nodes(3));
        same(&cluster, &archive).await;
        let (set, all) = (patches(&cluster), OBJECTS / 2 * if tenants { TENANTS.len() } else { 1 });
        assert!(0 < set && set < all, "the asked node has some of them itself: {set} of {all}");
    }
}

#[tokio::test]
async fn a_list_of_dates_that_is_refused_to_the_end_is_named_with_its_object() {
    let (_source, archive) = archived(false).await;
    let cluster = world(Sandbox::builder().nodes(3));
    cluster.sandbox.faults().add(Fault::new(Kind::status(422, "no")).on("PATCH", "/v1/objects"));
    let outcome = restored(&cluster, &archive).await;
    let collection = &outcome.result.collections[0];
    assert_eq!((outcome.result.status, collection.rejected), (Status::Incomplete, patches(&cluster) as u64));
    let text = std::fs::read_to_string(outcome.rejected.expect("a file")).expect("text");
    assert_eq!(text.lines().count() as u64, collection.rejected);
    assert!(text.lines().all(|line| line.contains("stored without its empty lists of dates")), "{text}");
    assert_eq!(cluster.sandbox.objects("Diary", None).len(), OBJECTS, "they are there without: {text}");
}
