//! Which tenants are chosen, and what of the archive is read for them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use elysiactl::archive::manifest::{TopologyRecord, TopologyState};
use elysiactl::archive::{ArchiveWriter, Codec, Content, RunHeader, SealFacts};
use elysiactl::event::{Class, SkipReason, Status};
use elysiactl::model::{KeyRange, ObjectId, Schema, TenantMap};
use elysiactl::ops::Error;
use elysiactl::ops::restore::RestoreOptions;
use elysiactl::pipeline::split;
use sandbox::Sandbox;

use super::{archived, backed_up, live, name, only, some};
use crate::backup::tenants::{CLASS, archive_of, tenants};
use crate::support::binary::{Stage, said};
use crate::support::world::{World, world};

/// A stretch of a tenant's keys, in the part of its lane: tenant, lane, bounds, ids.
pub(super) type Stretch<'a> = (&'a str, usize, [Option<u128>; 2], &'a [u128]);

/// An archive of one collection, as the backup of another server may have left it. Objects say whose they are.
pub(super) fn by_hand(world: &World, states: &str, stretches: &[Stretch<'_>]) -> PathBuf {
    let time = "2026-11-23T04:12:00Z".parse().expect("a time");
    let schema = Schema::parse(CLASS.to_owned().into()).expect("a schema");
    let header = RunHeader {
        run_id: uuid::Uuid::from_u128(7),
        started: time,
        source_url: "http://localhost:8080".into(),
        server_version: "1.32.0".into(),
        collections: vec![schema.name.clone()],
        options: serde_json::Map::new(),
        server_time_ms: None,
    };
    let folder = world.folder.path().join("archives");
    let mut archive =
        ArchiveWriter::create(Arc::clone(&world.disk), &folder, "Mt_full_1", Codec::None, header).expect("an archive");
    let mut collection = archive.collection(&schema, Content::Full).expect("a collection");
    for (tenant, lane, [from, to], ids) in stretches {
        let objects: Vec<_> = ids
            .iter()
            .map(|id| {
                let id = ObjectId(*id);
                let line = format!(
                    r#"{{"class":"Mt","creationTimeUnix":1,"id":"{id}","lastUpdateTimeUnix":1,"properties":{{"title":"{tenant} {id}"}},"vector":[1],"vectorWeights":null}}"#
                );
                split::line(&line.into(), &schema.name).expect("an object")
            })
            .collect();
        let covers = KeyRange { from: from.map(ObjectId), to: to.map(ObjectId) };
        collection.append(*lane, Some(&name(tenant)), covers, &objects, 0).expect("kept");
    }
    collection.seal_parts().expect("durable");
    collection.put_tenants(states.as_bytes()).expect("kept");
    let closed = collection.close(None).expect("closed");
    let facts = SealFacts {
        sealed: time,
        topology: TopologyRecord { state: TopologyState::Whole, reason: None, nodes: Vec::new(), missing: Vec::new() },
        limits: Vec::new(),
        skipped: Vec::new(),
        incomplete: Vec::new(),
    };
    archive.seal(vec![closed], facts).expect("sealed").path
}

/// Tenants of several runs each, in two parts.
fn two_parts(world: &World) -> PathBuf {
    let states = r#"[{"name":"a","activityStatus":"HOT"},{"name":"b","activityStatus":"COLD"},
        {"name":"c","activityStatus":"COLD"}]"#;
    by_hand(
        world,
        states,
        &[
            ("a", 0, [None, None], &[1, 2, 3]),
            ("b", 0, [None, Some(5)], &[1, 5]),
            ("c", 1, [None, Some(9)], &[2]),
            ("b", 1, [Some(5), None], &[6, 7]),
            ("c", 1, [Some(9), None], &[11]),
        ],
    )
}

fn damaged(part: &Path) {
    let mut bytes = std::fs::read(part).expect("a part");
    bytes[100] ^= 1;
    std::fs::write(part, bytes).expect("damage");
}

#[tokio::test]
async fn tenants_in_many_runs_and_parts_are_whole_again() {
    let target = world(Sandbox::builder());
    let archive = two_parts(&target);
    let outcome = target.try_restore(target.restore_options(&archive)).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 9), "{:?}", outcome.remarks);
    for tenant in ["a", "b", "c"] {
        assert_eq!(archived(&target, &archive, "Mt", Some(tenant)), live(&target, "Mt", Some(tenant)));
    }
    let states: Vec<_> = target.sandbox.tenants("Mt").into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["HOT", "COLD", "COLD"]);
}

#[tokio::test]
async fn damage_in_parts_of_others_does_not_keep_a_tenant_from_coming_back() {
    let target = world(Sandbox::builder());
    let archive = two_parts(&target);
    damaged(&archive.join("collections/Mt/objects-000001.jsonl"));
    let all = target.refused(target.restore_options(&archive)).await;
    assert_eq!(all.class(), Class::Archive, "{all:?}");
    let options = RestoreOptions { tenants: only(&[("a", "a")]), ..target.restore_options(&archive) };
    let outcome = target.try_restore(options).await.0.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 3), "{:?}", outcome.remarks);
    let other = RestoreOptions { tenants: only(&[("b", "b")]), ..target.restore_options(&archive) };
    assert_eq!(target.refused(other).await.class(), Class::Archive, "its own part is not whole");
}

#[tokio::test]
async fn what_other_tenants_hold_is_no_business_of_the_plan() {
    let class = CLASS.replace("]}", ",{\"name\":\"n\",\"dataType\":[\"int\"]}]}");
    let object = |tenant: &str, n: &str| {
        format!(
            r#"{{"class":"Mt","tenant":"{tenant}","id":"00000000-0000-4000-8000-000000000001","properties":{{"n":{n}}}}}"#
        )
    };
    let builder = Sandbox::builder().collection(&class).tenant("Mt", "a", "HOT").tenant("Mt", "b", "HOT");
    let source = world(builder.object(&object("a", "1")).object(&object("b", "9223372036854775807")));
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    for (tenant, refused) in [("a", 0), ("b", 1)] {
        let options = RestoreOptions { tenants: only(&[(tenant, tenant)]), ..target.restore_options(&archive) };
        let plan = target.restore_plan(options).await.expect("a plan");
        assert_eq!(plan.plan.collections[0].refused_integers, refused, "{tenant}");
    }
}

#[tokio::test]
async fn a_tenant_there_is_not_is_refused_with_names_that_look_like_it() {
    let all = [("away", "FROZEN"), ("night", "COLD"), ("other", "HOT")];
    let source = world(tenants(Sandbox::builder().modules(&["offload-s3"]).collection(CLASS), &all, 2));
    let archive = archive_of(&source.try_backup(source.options()).await.0.expect("a backup"));
    let target = world(Sandbox::builder());
    let refused = async |tenant: &str| {
        let options = RestoreOptions { tenants: only(&[(tenant, "new")]), ..target.restore_options(&archive) };
        let error = target.refused(options).await;
        assert_eq!(error.class(), Class::Refused);
        error
    };
    let Error::UnknownTenant { similar, .. } = refused("nihgt").await else { panic!("unknown") };
    assert_eq!(similar, [name("night")]);
    let error = refused("away").await;
    assert!(matches!(&error, Error::UnknownTenant { skipped: Some(SkipReason::Offloaded), .. }), "{error:?}");
    assert_eq!(error.to_string(), "the archive names tenant away and does not hold it");
    assert_eq!(target.sandbox.writing_requests(), 0);
}

#[tokio::test]
async fn with_nothing_plain_there_is_nothing_to_become_a_tenant() {
    let source = world(some());
    let archive = backed_up(&source).await;
    let target = world(Sandbox::builder());
    let options = RestoreOptions { tenants: TenantMap::IntoTenant(name("x")), ..target.restore_options(&archive) };
    let error = target.refused(options).await;
    assert!(matches!(error, Error::NotPlain { .. }) && error.class() == Class::Refused, "{error:?}");
}

#[test]
fn the_flags_say_what_they_cannot_mean() {
    let stage = Stage::new(some());
    assert_eq!(stage.run(&["col", "backup"]).status.code(), Some(0));
    let made = stage.made().remove(0);
    let archive = made.to_str().expect("text");
    let restore = |flags: &[&str]| {
        let output = stage.run(&[&["col", "restore", archive, "--name", "Mt2", "--dry-run"], flags].concat());
        (output.status.code(), said(&output))
    };
    for flags in [
        &["--into-plain"][..],
        &["--tenant", "night", "--tenant", "other", "--into-plain"],
        &["--tenant", "night=a", "--tenant", "other=a"],
        &["--tenant", "night", "--tenant", "night=b"],
        &["--tenant", "night=no name"],
        &["--tenant", "night="],
        &["--tenant", "night", "--into-tenant", "x"],
        &["--into-tenant", "x/y"],
    ] {
        let (code, text) = restore(flags);
        assert_eq!(code, Some(2), "{flags:?}: {text}");
    }
    let (code, text) = restore(&["--tenant", "nigth"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("no collection that was chosen has a tenant nigth") && text.contains("did you mean night?"));
    let (code, text) = restore(&["--tenant", "zzz"]);
    assert!(code == Some(4) && text.contains("the tenants of an archive: `jq"), "{text}");
    let (code, text) = restore(&["--tenant", "night=day", "--tenant", "other"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(stage.sandbox.collections() == ["Mt"], "a dry run makes nothing");
}
