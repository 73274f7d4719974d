//! `col restore --merge`: what is there and what the archive holds meet object by object, and the policy decides.

mod refused;
mod writers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::event::{Event, MergeResult, PlannedMerge, Status};
use elysiactl::ops::restore::{ConflictPolicy, Merge, RestoreOptions, RestoreOutcome, RunChoice};
use elysiactl::ops::{Error, RunDiffers};
use sandbox::{Builder, Change, Fault, Kind, Sandbox};

use crate::backup::tenants::{archive_of, id};
use crate::support::said::words;
use crate::support::world::{World, world};

pub(super) const CLASS: &str = r#"{"class":"A","vectorizer":"none","vectorIndexType":"flat",
    "properties":[{"name":"title","dataType":["text"]},{"name":"to","dataType":["A"]}]}"#;

/// Objects by their numbers: `10..20` are gone after the backup, `20..30` written by somebody, `60..70` added.
const OBJECTS: usize = 60;

pub(super) fn object(number: usize, title: &str) -> String {
    let (at, first) = (id(number), id(0));
    // Servers look for the object that is referred to.
    let to = if number == 0 { String::new() } else { format!(r#"{{"beacon":"weaviate://localhost/A/{first}"}}"#) };
    let length = title.len();
    format!(
        r#"{{"class":"A","id":"{at}","properties":{{"title":"{title} {number}","to":[{to}]}},"vector":[{number},1,{length}]}}"#
    )
}

pub(super) fn some() -> Builder {
    (0..OBJECTS).fold(Sandbox::builder().collection(CLASS), |all, n| all.object(&object(n, "archived")))
}

/// A server that went on after its backup, and the archive.
pub(super) async fn moved_on(builder: Builder) -> (World, PathBuf) {
    let world = world(builder);
    let archive = archive_of(&world.backup(world.options()).await);
    for n in 10..20 {
        world.sandbox.faults().now(&Change::Delete("A".into(), None, id(n)));
    }
    for n in (20..30).chain(OBJECTS..OBJECTS + 10) {
        world.sandbox.faults().now(&Change::Write(object(n, "live")));
    }
    world.sandbox.clear_requests();
    (world, archive)
}

pub(super) fn merging(world: &World, archive: &Path, on_conflict: ConflictPolicy) -> RestoreOptions {
    RestoreOptions {
        merge: Some(Merge { on_conflict, ..Merge::default() }),
        folder: world.options().folder,
        ..world.restore_options(archive)
    }
}

/// Title and vector of each object, by id.
pub(super) fn content(world: &World) -> BTreeMap<String, String> {
    let one = |text: String| {
        let object: serde_json::Value = serde_json::from_str(&text).expect("an object");
        let id = object["id"].as_str().expect("an id").to_owned();
        (id, format!("{} {} {}", object["properties"]["title"], object["properties"]["to"], object["vector"]))
    };
    world.sandbox.objects("A", None).into_iter().map(one).collect()
}

/// The titles of some objects.
pub(super) fn titles(world: &World, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let live = content(world);
    let title = |text: &String| text.trim_start_matches('"').split(' ').next().expect("a word").to_owned();
    numbers.into_iter().map(|n| live.get(&id(n)).map_or_else(|| "gone".to_owned(), title)).collect()
}

pub(super) fn all(title: &str, times: usize) -> Vec<String> {
    vec![title.to_owned(); times]
}

/// The archives of what was replaced.
pub(super) fn kept(world: &World) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(world.options().folder.join(".safety")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.to_string_lossy().contains("A_replaced_")).collect()
}

pub(super) async fn merged(world: &World, options: RestoreOptions) -> (RestoreOutcome, Vec<Event>) {
    let (done, events) = Box::pin(world.try_restore(options)).await;
    (done.unwrap_or_else(|stopped| panic!("the merge stopped: {:?}", stopped.error)), events)
}

pub(super) fn result(outcome: &RestoreOutcome) -> MergeResult {
    MergeResult { window_ms: 0, ..outcome.result.collections[0].merged.expect("a merge") }
}

const PLANNED: PlannedMerge = PlannedMerge { new: 10, equal: 40, different: 10, replaced: 0, only_on_server: 10 };

#[tokio::test]
async fn a_plan_to_merge_compares_every_object_and_writes_nothing() {
    let (world, archive) = moved_on(some()).await;
    for (policy, replaced) in [
        (ConflictPolicy::Fail, 0),
        (ConflictPolicy::Skip, 0),
        (ConflictPolicy::Overwrite, 10),
        // All that was written after the backup is newer.
        (ConflictPolicy::Newer, 0),
    ] {
        let plan = world.restore_plan(merging(&world, &archive, policy)).await.expect("a plan").plan;
        let planned = &plan.collections[0];
        assert_eq!(planned.merge, Some(PlannedMerge { replaced, ..PLANNED }), "{policy:?}");
        assert_eq!(planned.objects, 10 + replaced);
        assert_eq!(plan.differences.len(), 10, "the others of one side are no difference");
        assert_eq!(plan.refusals.is_empty(), policy != ConflictPolicy::Fail);
    }
    assert_eq!(world.sandbox.writing_requests(), 0);
    assert!(kept(&world).is_empty());
}

#[tokio::test]
async fn what_differs_stays_where_it_is_to_be_skipped() {
    let (world, archive) = moved_on(some()).await;
    let before = content(&world);
    let (outcome, _) = merged(&world, merging(&world, &archive, ConflictPolicy::Skip)).await;
    assert_eq!(result(&outcome), MergeResult { added: 10, equal: 40, kept: 10, ..MergeResult::default() });
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 10));
    assert_eq!(titles(&world, 10..20), all("archived", 10));
    let after = content(&world);
    assert!(before.iter().all(|(id, text)| after.get(id) == Some(text)), "nothing that was there is touched");
    assert!(kept(&world).is_empty(), "nothing was replaced");
    let sent: usize = world.sandbox.requests().iter().filter(|r| r.path == "/v1/batch/objects").count();
    assert!(sent > 0 && sent <= 3, "equal objects are not sent: {sent} requests");
}

#[tokio::test]
async fn what_is_replaced_is_kept_first_and_comes_back() {
    let (world, archive) = moved_on(some()).await;
    let before = content(&world);
    let (outcome, events) = merged(&world, merging(&world, &archive, ConflictPolicy::Overwrite)).await;
    assert_eq!(result(&outcome), MergeResult { added: 10, replaced: 10, equal: 40, ..MergeResult::default() });
    assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
    assert!(!events.iter().any(|event| matches!(event, Event::ObjectDiffers { .. })));
    assert_eq!(titles(&world, 10..30), all("archived", 20));
    let [undo] = kept(&world).try_into().expect("one archive");
    let said = words(&outcome.remarks.iter().map(|(_, remark)| remark.clone()).collect::<Vec<_>>());
    assert!(said.iter().any(|remark| remark.contains("10 objects were replaced") && remark.contains("A_replaced_")));
    world.check(&undo).await.expect("a sound archive");
    assert_eq!(world.lines(&undo, "A").len(), 10);

    let (undone, _) = merged(&world, merging(&world, &undo, ConflictPolicy::Overwrite)).await;
    assert_eq!(result(&undone), MergeResult { replaced: 10, ..MergeResult::default() });
    let after = content(&world);
    assert!(before.iter().all(|(id, text)| after.get(id) == Some(text)), "as it was before");
    assert_eq!(after.len(), before.len() + 10, "but for what was added");
}

#[tokio::test]
async fn a_merge_that_is_done_again_finds_everything_there() {
    let (world, archive) = moved_on(some()).await;
    merged(&world, merging(&world, &archive, ConflictPolicy::Overwrite)).await;
    world.sandbox.clear_requests();
    let (outcome, _) = merged(&world, merging(&world, &archive, ConflictPolicy::Overwrite)).await;
    assert_eq!(result(&outcome), MergeResult { equal: 60, ..MergeResult::default() });
    assert_eq!(world.sandbox.writing_requests(), 0, "{:?}", world.sandbox.requests());
    assert_eq!(kept(&world).len(), 1);
}

#[tokio::test]
async fn the_newer_of_two_objects_stays() {
    let target = world((0..20).fold(Sandbox::builder().collection(CLASS), |all, n| all.object(&object(n, "old"))));
    tokio::time::sleep(Duration::from_millis(5)).await;
    let source = world(some());
    let archive = archive_of(&source.backup(source.options()).await);
    tokio::time::sleep(Duration::from_millis(5)).await;
    for n in 10..20 {
        target.sandbox.faults().now(&Change::Write(object(n, "new")));
    }
    let prepared = target.restore_plan(merging(&target, &archive, ConflictPolicy::Newer)).await.expect("a plan");
    let planned = &prepared.plan.collections[0];
    let expected = PlannedMerge { new: 40, equal: 0, different: 20, replaced: 10, only_on_server: 0 };
    assert_eq!(planned.merge, Some(expected));
    let said = words(&planned.remarks);
    assert!(said.iter().any(|remark| remark.contains("a restore, and any copy, sets these anew")), "{said:?}");
    let outcome = target.run_plan(prepared).await.0.expect("a merge");
    let expected = MergeResult { added: 40, replaced: 10, kept: 10, ..MergeResult::default() };
    assert_eq!((result(&outcome), outcome.result.status), (expected, Status::Ok));
    assert_eq!(titles(&target, 0..20), [all("archived", 10), all("new", 10)].concat());
}

#[tokio::test]
async fn a_merge_that_was_killed_goes_on_where_it_was() {
    for policy in [ConflictPolicy::Skip, ConflictPolicy::Overwrite] {
        let (world, archive) = moved_on(some()).await;
        let options = RestoreOptions { batch_objects: Some(3), jobs: Some(1), ..merging(&world, &archive, policy) };
        world.sandbox.faults().add(Fault::new(Kind::status(403, "no")).on("POST", "/v1/batch/objects").after(2));
        let stopped =
            Box::pin(world.try_restore(options.clone())).await.0.expect_err("a key that may not write any more");
        assert!(stopped.created.is_empty() && stopped.joined.len() == 1, "{stopped:?}");
        assert_eq!(stopped.kept, kept(&world).pop(), "it is told where what was replaced lies");
        assert_eq!(stopped.kept.is_some(), policy == ConflictPolicy::Overwrite);
        world.sandbox.faults().clear();
        let other = RestoreOptions { merge: Some(Merge::default()), resume: true, ..options.clone() };
        let Error::OtherRun { differs, .. } = world.refused(other).await else { panic!("another choice") };
        assert!(matches!(&differs[..], [RunDiffers::Choice(RunChoice::Merge)]), "{differs:?}");
        let (outcome, _) = merged(&world, RestoreOptions { resume: true, ..options.clone() }).await;
        assert_eq!(outcome.result.status, Status::Ok, "{:?}", outcome.remarks);
        let differing = if policy == ConflictPolicy::Skip { "live" } else { "archived" };
        assert_eq!(
            titles(&world, 0..70),
            [all("archived", 20), all(differing, 10), all("archived", 30), all("live", 10)].concat()
        );
        // Once it got to its end, it is another one that is resumed.
        let (again, _) = merged(&world, RestoreOptions { resume: true, ..options }).await;
        assert_eq!((result(&again).added, result(&again).replaced), (0, 0));
    }
}

#[tokio::test]
async fn a_collection_that_is_not_there_is_created() {
    let source = world(some());
    let archive = archive_of(&source.backup(source.options()).await);
    let target = world(Sandbox::builder());
    let outcome = target.restore(merging(&target, &archive, ConflictPolicy::Fail)).await;
    assert_eq!((outcome.result.objects, outcome.result.collections[0].merged), (60, None));
    target.equals(&archive, "A", "A");
}

#[tokio::test]
async fn properties_that_lack_are_added_only_where_that_is_said() {
    let source = world(some());
    let archive = archive_of(&source.backup(source.options()).await);
    let document =
        r#"{"class":"A","vectorizer":"none","vectorIndexType":"flat","properties":[{"name":"to","dataType":["A"]}]}"#;
    let target = world(Sandbox::builder().collection(document));
    let mut options = merging(&target, &archive, ConflictPolicy::Fail);
    let plan = target.restore_plan(options.clone()).await.expect("a plan").plan;
    assert_eq!(plan.refusals.len(), 1, "{:?}", plan.refusals);
    options.merge = Some(Merge { add_properties: true, ..Merge::default() });
    let plan = target.restore_plan(options.clone()).await.expect("a plan").plan;
    let said = words(&plan.collections[0].remarks);
    assert!(said.iter().any(|remark| remark.contains("are added to the collection that is there: title")), "{said:?}");
    let (outcome, _) = merged(&target, options).await;
    assert_eq!((result(&outcome).added, outcome.result.status), (60, Status::Ok), "{:?}", outcome.remarks);
    assert_eq!(titles(&target, 0..60), all("archived", 60));
}

#[tokio::test]
async fn tenants_are_merged_one_by_one_and_missing_ones_are_made() {
    let mt = r#"{"class":"A","vectorizer":"none","vectorIndexType":"flat","multiTenancyConfig":{"enabled":true},"properties":[{"name":"title","dataType":["text"]}]}"#;
    let of = |tenant: &str, n: usize, title: &str| {
        let id = id(n);
        format!(
            r#"{{"class":"A","tenant":"{tenant}","id":"{id}","properties":{{"title":"{title}"}},"vector":[{n},2]}}"#
        )
    };
    let tenants = [("here", "HOT"), ("gone", "HOT"), ("asleep", "COLD")];
    let builder = tenants.iter().fold(Sandbox::builder().collection(mt), |all, (tenant, state)| {
        (0..20).fold(all.tenant("A", tenant, state), |all, n| all.object(&of(tenant, n, "archived")))
    });
    let source = world(builder);
    let archive = archive_of(&source.try_backup(source.options()).await.0.expect("a backup"));
    let target = world(Sandbox::builder().collection(mt).tenant("A", "here", "HOT").tenant("A", "other", "HOT"));
    for n in 10..30 {
        target.sandbox.faults().now(&Change::Write(of("here", n, "live")));
    }
    target.sandbox.faults().now(&Change::Write(of("other", 1, "live")));
    let (outcome, _) = merged(&target, merging(&target, &archive, ConflictPolicy::Overwrite)).await;
    let expected = MergeResult { added: 50, replaced: 10, ..MergeResult::default() };
    assert_eq!((result(&outcome), outcome.result.status), (expected, Status::Ok), "{:?}", outcome.remarks);
    let states: BTreeMap<String, &str> = target.sandbox.tenants("A").into_iter().collect();
    let expected = [("asleep", "COLD"), ("gone", "HOT"), ("here", "HOT"), ("other", "HOT")];
    assert_eq!(states, expected.map(|(tenant, state)| (tenant.to_owned(), state)).into());
    for (tenant, objects) in [("asleep", 20), ("gone", 20), ("here", 30), ("other", 1)] {
        assert_eq!(target.sandbox.count("A", Some(tenant)), objects, "{tenant}");
    }
    let [undo] = kept(&target).try_into().expect("one archive");
    target.check(&undo).await.expect("a sound archive");
    let before = target.lines(&undo, "A");
    assert!(before.len() == 10 && before.iter().all(|line| line.contains("live")), "{before:?}");
}
