//! Three nodes, one of them away: a partial listing never passes for a backup.

use std::sync::Arc;
use std::time::Duration;

use elysiactl::archive::OsDisk;
use elysiactl::event::{Class, Event, Events, Status, Warning};
use elysiactl::model::ObjectId;
use elysiactl::ops::backup::{self, BackupOptions};
use elysiactl::ops::{Error, Hint};
use elysiactl::weaviate::Writer;
use sandbox::{Change, Fault, Kind, Role, Sandbox};

use crate::support::disk_of::GoneAfter;
use crate::support::said::said_of;
use crate::support::world::{World, world};

const OBJECTS: u64 = 900;

fn three(version: &str, factor: u32) -> World {
    let document = format!(
        r#"{{"class":"Article","vectorizer":"none","shardingConfig":{{"desiredCount":3}},"replicationConfig":{{"factor":{factor}}}}}"#
    );
    let mut builder = Sandbox::builder().version(version).nodes(3).collection(&document);
    for n in 0..OBJECTS {
        let id = uuid::Uuid::from_u128(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834));
        builder = builder.object(&format!(r#"{{"class":"Article","id":"{id}","properties":{{}},"vector":[1,2]}}"#));
    }
    world(builder)
}

fn pages(world: &World) -> BackupOptions {
    BackupOptions { page_objects: Some(30), jobs: Some(2), patience: Duration::from_millis(2_500), ..world.options() }
}

#[tokio::test]
async fn a_node_that_is_away_before_the_run_is_refused_and_nothing_is_written() {
    for version in ["1.28", "1.32", "1.39", "1.40"] {
        for unnoticed in [false, true] {
            let world = three(version, 1);
            let faults = world.sandbox.faults();
            faults.now(&Change::Hang(Duration::from_secs(1)));
            if unnoticed {
                faults.node_unreachable("node3");
            } else {
                faults.node_down("node3");
            }
            let (done, _) = world.try_backup(pages(&world)).await;
            let error = done.expect_err("not whole").error;
            assert_eq!(error.class(), Class::Server, "{version}, {unnoticed}: {error:?}");
            assert!(world.archives().is_empty(), "{version}: nothing is made");
        }
    }
}

#[tokio::test]
async fn a_node_that_goes_away_for_good_during_the_run_leaves_nothing_sealed() {
    for version in ["1.32", "1.40"] {
        let world = three(version, 1);
        world.sandbox.faults().now(&Change::Hang(Duration::from_secs(1)));
        world.sandbox.faults().in_requests(25, Change::NodeDown("node3".into()));
        let (done, _) = world.try_backup(pages(&world)).await;
        let error = done.expect_err("not whole").error;
        assert_eq!(error.class(), Class::Server, "{version}: {error:?}");
        world.nothing_is_sealed();
    }
}

#[tokio::test]
async fn a_node_that_comes_back_during_the_run_ends_in_a_whole_backup() {
    for version in ["1.32", "1.40"] {
        let world = three(version, 1);
        world.sandbox.faults().now(&Change::Hang(Duration::from_secs(1)));
        world.sandbox.faults().in_requests(25, Change::NodeDown("node3".into()));
        let options = BackupOptions { patience: Duration::from_secs(30), ..pages(&world) };
        let ((done, events), ()) = tokio::join!(world.try_backup(options), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            world.sandbox.faults().node_up("node3");
        });
        let outcome = done.expect("whole");
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS), "{version}");
        assert!(events.iter().any(|e| matches!(e, Event::TopologyChanged { whole: false, .. })), "{version}");
        let archive = std::path::PathBuf::from(outcome.result.archive.expect("an archive"));
        world.check(&archive).await.expect("sound");
        assert_eq!(world.lines(&archive, "Article").len() as u64, OBJECTS);
    }
}

/// Reads that take some seconds, so that there are answers in between.
fn slowly(world: &World) -> BackupOptions {
    let slow = Fault::new(Kind::Delay(Duration::from_millis(300))).on("GET", "/v1/objects");
    world.sandbox.faults().add(slow);
    world.sandbox.faults().now(&Change::Hang(Duration::from_secs(1)));
    pages(world)
}

/// Objects read before the server broke, and objects dropped.
fn read_and_dropped(events: &[Event]) -> (u64, u64) {
    let broke = events.iter().position(|e| matches!(e, Event::TopologyChanged { whole: false, .. }));
    let objects = |event: &Event| if let Event::PageScanned { objects, .. } = event { *objects } else { 0 };
    let dropped = |event: &Event| if let Event::PagesDropped { objects, .. } = event { *objects } else { 0 };
    (events[..broke.expect("it broke")].iter().map(objects).sum(), events.iter().map(dropped).sum())
}

#[tokio::test]
async fn a_blip_costs_what_was_read_since_the_last_good_answer_and_no_more() {
    let world = three("1.40", 1);
    let options = BackupOptions { patience: Duration::from_secs(30), ..slowly(&world) };
    let ((done, events), ()) = tokio::join!(world.try_backup(options), async {
        tokio::time::sleep(Duration::from_millis(3_600)).await;
        world.sandbox.faults().node_down("node3");
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        world.sandbox.faults().node_up("node3");
    });
    let outcome = done.expect("whole");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS));
    let (read, dropped) = read_and_dropped(&events);
    assert!(read >= 400 && dropped > 0 && dropped <= read * 6 / 10, "{dropped} of {read} were dropped");
    let archive = std::path::PathBuf::from(outcome.result.archive.expect("an archive"));
    world.check(&archive).await.expect("sound");
    assert_eq!(world.lines(&archive, "Article").len() as u64, OBJECTS);
}

#[tokio::test]
async fn a_server_that_stays_away_leaves_what_is_proven_to_be_resumed() {
    let world = three("1.40", 1);
    let options = slowly(&world);
    let ((done, events), ()) = tokio::join!(world.try_backup(options.clone()), async {
        tokio::time::sleep(Duration::from_millis(3_600)).await;
        world.sandbox.faults().node_down("node3");
    });
    assert!(matches!(done.expect_err("away").error, Error::NotWhole { .. }));
    let (read, dropped) = read_and_dropped(&events);
    let archive = world.archives().remove(0);
    let left = elysiactl::archive::Archive::open(&world.disk, &archive);
    let Err(elysiactl::archive::Error::Unsealed { parts, objects, .. }) = left else { panic!("sealed") };
    assert!(parts > 0 && objects >= read * 4 / 10 && objects + dropped <= OBJECTS, "{objects} of {read} are safe");
    world.sandbox.faults().node_up("node3");
    world.sandbox.faults().clear();
    let resume = elysiactl::ops::backup::Resume { archive: Some(archive.clone()), as_before: true };
    let (done, _) = world.try_backup(BackupOptions { resume: Some(resume), ..options }).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS));
    assert!(outcome.result.resumed_objects >= objects, "what was safe is not read again");
    world.check(&archive).await.expect("sound");
}

/// Every run of keys that the journal of an unsealed archive tells of holds all objects of these keys.
fn holds_whole_runs(world: &World) {
    let archive = world.archives().remove(0);
    let unfinished = elysiactl::archive::resume::look(&OsDisk, &archive).expect("a journal");
    let id = |text: &String| -> u128 {
        let object: serde_json::Value = serde_json::from_str(text).expect("JSON");
        object["id"].as_str().expect("an id").parse::<uuid::Uuid>().expect("an id").as_u128()
    };
    let ids: Vec<u128> = world.sandbox.objects("Article", None).iter().map(id).collect();
    for collection in unfinished.checkpoint.collections.values() {
        for run in collection.parts.values().flat_map(|part| &part.runs).chain(collection.empty.values()) {
            let there = ids.iter().filter(|id| run.covers.contains(ObjectId(**id))).count() as u64;
            assert_eq!(run.objects, there, "{:?}", run.covers);
        }
    }
}

#[tokio::test]
async fn a_run_that_ends_while_a_node_is_away_keeps_no_short_page() {
    for killed in [false, true] {
        let mut world = three("1.40", 1);
        let options = BackupOptions { part_age: Duration::ZERO, ..slowly(&world) };
        let disk = GoneAfter::calls(i64::MAX);
        world.disk = Arc::new(disk.clone());
        let pages = async |more: usize| {
            let seen = || world.sandbox.requests().iter().filter(|seen| seen.path == "/v1/objects").count();
            let wanted = seen() + more;
            while seen() < wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ends = async {
            pages(8).await;
            world.sandbox.faults().node_down("node3");
            // Some of these lack what lies there.
            pages(4).await;
            if killed {
                disk.now();
            } else {
                world.cancel.cancel();
            }
        };
        let run = world.try_backup(options.clone());
        if killed {
            tokio::select! {
                _ = run => panic!("it reads for some seconds"),
                () = ends => {}
            }
        } else {
            let ((done, _), ()) = tokio::join!(run, ends);
            assert!(matches!(done.expect_err("stopped").error, Error::Interrupted));
        }
        world.disk = Arc::new(OsDisk);
        world.cancel = tokio_util::sync::CancellationToken::new();
        holds_whole_runs(&world);
        world.sandbox.faults().node_up("node3");
        world.sandbox.faults().clear();
        let resume = elysiactl::ops::backup::Resume { archive: world.archives().pop(), as_before: true };
        let (done, _) = world.try_backup(BackupOptions { resume: Some(resume), ..options }).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS));
    }
}

#[tokio::test]
async fn a_question_that_is_answered_well_only_when_it_is_asked_again_proves_no_page_of_before() {
    for (status, doubt) in [(502, true), (429, false)] {
        let world = three("1.40", 1);
        let options = slowly(&world);
        let blip = Fault::new(Kind::status(status, "")).on("GET", "/v1/cluster/statistics").after(3).times(1);
        world.sandbox.faults().add(blip);
        let (done, events) = world.try_backup(options).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{status}: {:?}", stopped.error));
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS), "{status}");
        let told = events.iter().any(|event| {
            matches!(event, Event::TopologyChanged { whole: false, reason, .. } if reason.contains("after a failure"))
        });
        let dropped = events.iter().any(|event| matches!(event, Event::PagesDropped { .. }));
        assert_eq!((told, dropped), (doubt, doubt), "{status}");
    }
}

#[tokio::test]
async fn a_run_that_is_turned_away_is_stopped_soon_wherever_it_waits() {
    // From the beginning, while it waits for the first answer; and later, while it reads and watches.
    for after in [0, 25] {
        let mut world = three("1.40", 1);
        world.policy.turn_wait = Duration::from_secs(120);
        let options = slowly(&world);
        let (client, session) = (world.client(Events::none()), world.session(Events::none()));
        let plan = backup::plan(&client, &session, options).await.expect("a plan");
        world.sandbox.faults().add(Fault::new(Kind::status(429, "")).path("/v1").after(after));
        let stop = async {
            let begun = std::time::Instant::now();
            while world.sandbox.faults().struck() < 40 && begun.elapsed() < Duration::from_secs(20) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            world.cancel.cancel();
        };
        let writer = Writer::new(client);
        let run = tokio::time::timeout(Duration::from_secs(60), backup::run(&writer, &session, plan));
        let (done, ()) = tokio::join!(Box::pin(run), stop);
        let done = done.expect("it ends long before the server takes a request again");
        assert!(matches!(done.expect_err("stopped").error, Error::Interrupted), "{after}");
    }
}

#[tokio::test]
async fn three_replicas_are_read_whole_while_all_nodes_are_there() {
    let world = three("1.40", 3);
    let outcome = world.backup(pages(&world)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS));
    assert_eq!(outcome.manifest.source.topology.nodes.len(), 3);
    assert_eq!(outcome.manifest.collections[0].replicas, 3);
}

#[tokio::test]
async fn a_node_lost_for_good_is_named_where_every_shard_has_replicas_left_and_the_error_names_the_flag() {
    let world = three("1.40", 3);
    world.sandbox.faults().node_down("node3");
    let error = world.try_backup(pages(&world)).await.0.expect_err("the flag was not given").error;
    assert!(matches!(&error, Error::NodesMissing { nodes } if *nodes == ["node3"]), "{error:?}");
    assert_eq!(error.hints(), [Hint::WaitForNodes, Hint::AllowMissingNodes]);
    assert!(world.archives().is_empty());
    let allowed = BackupOptions { allow_missing_nodes: true, ..pages(&world) };
    let (done, events) = world.try_backup(allowed).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, OBJECTS));
    let topology = &outcome.manifest.source.topology;
    assert_eq!(
        (&topology.missing[..], &topology.nodes[..]),
        (&["node3".to_owned()][..], &["node1".to_owned(), "node2".to_owned()][..])
    );
    let told = |event: &Event| matches!(event, Event::Warning(Warning::NodesMissing { nodes }) if *nodes == ["node3"]);
    assert_eq!(events.iter().filter(|event| told(event)).count(), 1);
    let archive = std::path::PathBuf::from(outcome.result.archive.expect("an archive"));
    world.check(&archive).await.expect("sound");
    // Nobody is missing: the flag changes nothing.
    world.sandbox.faults().node_up("node3");
    let outcome = world.backup(BackupOptions { allow_missing_nodes: true, ..pages(&world) }).await;
    assert_eq!((outcome.result.status, outcome.manifest.source.topology.missing.len()), (Status::Ok, 0));
}

#[tokio::test]
async fn a_shard_with_too_few_replicas_left_is_refused_by_name_whatever_is_allowed() {
    let world = three("1.40", 1);
    world.sandbox.faults().node_down("node3");
    let allowed = BackupOptions { allow_missing_nodes: true, ..pages(&world) };
    for options in [pages(&world), allowed] {
        let allowed = options.allow_missing_nodes;
        let error = world.try_backup(options).await.0.expect_err("not whole").error;
        let Error::NotWhole { reason, .. } = &error else { panic!("{error:?}") };
        assert_eq!((error.class(), error.hints()), (Class::Server, vec![Hint::WaitForNodes]));
        let named = world.sandbox.shards("Article").iter().any(|shard| reason.contains(&format!("{shard} (0 of 1)")));
        assert_eq!(named, allowed, "{reason}");
    }
    assert!(world.archives().is_empty());
    let tenants = r#"{"class":"Mt","multiTenancyConfig":{"enabled":true},"replicationConfig":{"factor":1}}"#;
    let world = world_of_three(tenants);
    world.sandbox.faults().node_down("node3");
    let options = BackupOptions { allow_missing_nodes: true, ..world.options() };
    let error = world.try_backup(options).await.0.expect_err("not whole").error;
    assert!(
        matches!(&error, Error::NotWhole { reason, .. } if reason.contains("its tenants have 1 replica each")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_node_lost_during_the_run_is_named_too() {
    let world = three("1.40", 3);
    world.sandbox.faults().in_requests(25, Change::NodeDown("node3".into()));
    let outcome = world.try_backup(BackupOptions { allow_missing_nodes: true, ..pages(&world) }).await.0;
    let outcome = outcome.unwrap_or_else(|stopped| panic!("{:?}", stopped.error));
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, OBJECTS));
    assert_eq!(outcome.manifest.source.topology.missing, ["node3"]);
}

fn world_of_three(document: &str) -> World {
    world(Sandbox::builder().version("1.40").nodes(3).collection(document))
}

#[tokio::test]
async fn what_may_not_be_asked_is_unchecked_and_said() {
    let mut world = world(Sandbox::builder().version("1.24").seeded("Article", 20, 2, 1));
    world.key = None;
    let outcome = world.backup(world.options()).await;
    let topology = outcome.manifest.source.topology;
    assert!(topology.reason.is_some(), "1.24 cannot be asked for its voters: {topology:?}");
}

#[tokio::test]
async fn an_error_names_the_collection_that_is_not_whole() {
    let world = three("1.40", 1);
    world.sandbox.faults().node_down("node2");
    let (done, _) = world.try_backup(pages(&world)).await;
    let error = done.expect_err("not whole").error;
    assert!(matches!(&error, Error::NotWhole { collection, .. } if collection.as_str() == "Article"), "{error:?}");
}

#[tokio::test]
async fn replicas_that_differ_are_told_even_where_list_and_count_agree() {
    let world = three("1.40", 3);
    let objects = world.sandbox.objects("Article", None);
    let lost: serde_json::Value = serde_json::from_str(&objects[5]).expect("JSON");
    let lost = lost["id"].as_str().expect("an id");
    for node in ["node1", "node2"] {
        world.sandbox.faults().now(&Change::Lacks("Article".into(), lost.to_owned(), node.into()));
    }
    let (done, events) = world.try_backup(pages(&world)).await;
    let outcome = done.expect("an archive");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, OBJECTS - 1));
    assert_eq!(outcome.manifest.collections[0].consistency.on_any_replica, Some(OBJECTS));
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::ReplicasDiffer { .. }))), "{events:?}");
}

/// An object of the collection, written anew past this node.
fn written_past(world: &World, node: &str, objects: usize) {
    for text in world.sandbox.objects("Article", None).into_iter().take(objects) {
        let mut object: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        object["properties"] = serde_json::json!({"t": "newest"});
        world.sandbox.faults().now(&Change::WritePast(node.into(), object.to_string()));
    }
}

fn newest(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.contains("newest")).count()
}

#[tokio::test]
async fn a_replica_that_missed_updates_is_noticed_and_what_is_read_is_the_newest() {
    for version in ["1.40", "1.32"] {
        let world = three(version, 3);
        written_past(&world, "node1", 38);
        // What was written within the second before the plan could be a writer's.
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        let (done, events) = world.try_backup(pages(&world)).await;
        let outcome = done.expect("an archive");
        assert_eq!(outcome.result.status, Status::Ok);
        let told = events.iter().find_map(|event| match event {
            Event::Warning(Warning::ReplicaOlder { objects, .. }) => Some(*objects),
            _ => None,
        });
        // Older versions answer with the repaired times, so nobody can tell.
        let noticed = if version == "1.40" { 38 } else { 0 };
        assert_eq!(told.unwrap_or_default(), noticed, "{version}");
        let found = outcome.manifest.collections[0].replica_check.clone().expect("several replicas");
        assert!(found.compared >= OBJECTS, "{}", found.compared);
        assert_eq!((found.repaired, found.differing, found.reason), (noticed, 0, None));
        let archive = std::path::PathBuf::from(outcome.result.archive.expect("an archive"));
        assert_eq!(newest(&world.lines(&archive, "Article")), 38);
    }
}

#[tokio::test]
async fn an_archive_is_compared_with_the_newest_version_whichever_replica_lists_it() {
    let world = three("1.40", 3);
    let archive = std::path::PathBuf::from(world.backup(pages(&world)).await.result.archive.expect("an archive"));
    written_past(&world, "node1", 38);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let found = world.verify(crate::support::world::verify_options(&archive)).await;
    assert_eq!(found.result.collections[0].different, Some(38), "the list through node1 shows the older ones");
    assert!(
        said_of(&found.remarks).iter().any(|text| text.contains("38 objects older on the replica")),
        "{:?}",
        found.remarks
    );
}

#[tokio::test]
async fn replicas_that_never_agree_are_named_and_the_backup_is_incomplete() {
    let world = three("1.40", 3);
    let object: serde_json::Value = serde_json::from_str(&world.sandbox.objects("Article", None)[3]).expect("JSON");
    let id = object["id"].as_str().expect("an id").to_owned();
    world.sandbox.faults().now(&Change::Conflict("Article".into(), id));
    let (done, events) = world.try_backup(pages(&world)).await;
    let outcome = done.expect("an archive");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Incomplete, OBJECTS));
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::ReplicasDisagree { objects: 1, .. }))));
    let archive = std::path::PathBuf::from(outcome.result.archive.expect("an archive"));
    let found = world.verify(crate::support::world::verify_options(&archive)).await;
    assert_eq!(found.result.status, Status::Incomplete, "{:?}", found.remarks);
}

#[tokio::test]
async fn replicas_that_cannot_be_compared_are_said_to_be_one() {
    let world = three("1.40", 3);
    world.sandbox.faults().add(Fault::new(Kind::status(403, "")).on("POST", "/v1/graphql"));
    let (done, events) = world.try_backup(pages(&world)).await;
    let outcome = done.expect("an archive");
    assert_eq!(outcome.result.status, Status::Ok);
    let told = events.iter().filter(|e| matches!(e, Event::Warning(Warning::ReplicasUncompared { .. }))).count();
    let found = outcome.manifest.collections[0].replica_check.clone().expect("several replicas");
    assert_eq!((told, found.compared, found.reason.is_some()), (1, 0, true), "{events:?}");
}

#[tokio::test]
async fn a_writer_is_no_difference_of_replicas() {
    let world = three("1.40", 3);
    let stop = tokio_util::sync::CancellationToken::new();
    let writing = async {
        for n in 0_u128.. {
            if stop.is_cancelled() {
                return n;
            }
            let id = uuid::Uuid::from_u128(n.wrapping_mul(0x1234_5678_9abc_def1_0203_0405_0607_0809));
            let text = format!(r#"{{"class":"Article","id":"{id}","properties":{{}},"vector":[1,2]}}"#);
            world.sandbox.faults().now(&Change::Write(text));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        0
    };
    let backup = async {
        let done = world.try_backup(pages(&world)).await;
        stop.cancel();
        done
    };
    let ((done, events), written) = tokio::join!(backup, writing);
    assert!(written > 20, "{written}");
    assert_eq!(done.expect("an archive").result.status, Status::Ok, "{events:?}");
}

#[tokio::test]
async fn counts_that_could_not_be_asked_are_said_not_to_be_verified() {
    let mut world =
        world(Sandbox::builder().graphql(false).key("readkey", "reader", Role::Viewer).seeded("Article", 40, 2, 1));
    world.key = Some("readkey");
    let outcome = world.try_backup(world.options()).await.0.expect("an archive");
    assert_eq!((outcome.result.status, outcome.result.collections[0].counts_verified), (Status::Ok, Some(false)));
    let archive = std::path::PathBuf::from(outcome.result.archive.expect("an archive"));
    let checked = world.check(&archive).await.expect("sound");
    assert_eq!(checked.result.collections[0].counts_verified, Some(false));
    let found = world.verify(crate::support::world::verify_options(&archive)).await;
    assert_eq!(found.result.collections[0].counts_verified, Some(false));
    assert!(said_of(&found.remarks).iter().any(|text| text.starts_with("counts not verified")), "{:?}", found.remarks);
    let shown = std::process::Command::new(env!("CARGO_BIN_EXE_elysiactl"))
        .args(["archive", "show"])
        .arg(&archive)
        .output()
        .expect("it runs");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("Counts      Article: not verified"), "{shown:?}");
}
