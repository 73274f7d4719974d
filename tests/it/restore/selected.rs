//! `col restore --where`, `--sample`, `--limit`, `--fields`: what is taken of an archive is there, and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use elysiactl::event::{Class, Remark, RestoreRemark, Status};
use elysiactl::model::{SampleShare, Subset};
use elysiactl::ops::backup::BackupOptions;
use elysiactl::ops::restore::{ConflictPolicy, Merge, RestoreOptions, RestoreOutcome, RestoreRefusal, RunChoice};
use elysiactl::ops::{Error, RunDiffers};
use sandbox::{Builder, Change, Fault, Kind, Sandbox};
use serde_json::Value;

use crate::backup::selected::filtered;
use crate::backup::tenants::{CLASS, tenants};
use crate::support::world::{World, world};

const OBJECTS: u64 = 300;

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", OBJECTS, 3, 4)
}

async fn archived(builder: Builder, subset: Subset) -> (World, PathBuf) {
    let world = world(builder);
    let options = BackupOptions { page_objects: Some(40), jobs: Some(3), subset, ..world.options() };
    let (done, _) = world.try_backup(options).await;
    (world, done.expect("a backup").result.archive.expect("an archive").into())
}

fn taking(world: &World, archive: &Path, subset: Subset) -> RestoreOptions {
    RestoreOptions { batch_objects: Some(25), jobs: Some(2), subset, ..world.restore_options(archive) }
}

/// Objects by tenant, id and properties: what times and order have no part in.
fn contents(lines: Vec<String>) -> BTreeSet<String> {
    let plain = |line: String| {
        let object: Value = serde_json::from_str(&line).expect("an object");
        format!("{} {} {} {}", object["tenant"], object["id"], object["properties"], object["vector"])
    };
    lines.into_iter().map(plain).collect()
}

/// Restores, and holds what is there against what `keeps` takes of the archive's lines.
async fn restored(target: &World, archive: &Path, subset: Subset, keeps: impl Fn(&Value) -> bool) -> RestoreOutcome {
    let (done, _) = target.try_restore(taking(target, archive, subset.clone())).await;
    let outcome = done.unwrap_or_else(|stopped| panic!("{subset}: {:?}", stopped.error));
    let mut lines = target.lines_in_order(archive, "Article");
    lines.retain(|line| keeps(&serde_json::from_str(line).expect("an object")));
    let (wanted, there) = (contents(lines), contents(target.sandbox.objects("Article", None)));
    assert_eq!(wanted, there, "{subset}");
    let result = &outcome.result.collections[0];
    assert_eq!(result.objects, wanted.len() as u64, "{subset}");
    assert_eq!((result.only_left, result.only_right, result.different), (Some(0), Some(0), Some(0)), "{subset}");
    assert_eq!((outcome.result.status, result.digest.clone()), (Status::Ok, None), "{subset}: a part was compared");
    outcome
}

#[tokio::test]
async fn what_is_selected_is_there_and_nothing_else() {
    let (_from, archive) = archived(articles(), Subset::default()).await;
    let sample = SampleShare { share: "20%".parse().expect("a share"), seed: 3 };
    let count = |object: &Value| object["properties"]["count"].as_u64().expect("a number");
    let id = |object: &Value| object["id"].as_str().expect("an id").parse().expect("an id");
    let target = || world(Sandbox::builder());
    let outcome = restored(&target(), &archive, filtered("count >= 200"), |one| count(one) >= 200).await;
    assert_eq!(outcome.result.collections[0].left_out, Some(200));
    restored(&target(), &archive, filtered("count = 299"), |one| count(one) == 299).await;
    let of_sample = Subset { sample: Some(sample), ..Subset::default() };
    restored(&target(), &archive, of_sample, |one| sample.takes(None, id(one))).await;
    // The objects are numbered by their ids.
    for limit in [1, 40, 77, 299, 300, 1_000] {
        let first = Subset { limit: Some(limit), ..Subset::default() };
        restored(&target(), &archive, first, |one| count(one) < limit).await;
    }
    let both = Subset { limit: Some(50), ..filtered("count >= 200 or count < 10") };
    restored(&target(), &archive, both, |one| count(one) < 10 || (200..240).contains(&count(one))).await;
}

#[tokio::test]
async fn the_plan_says_how_many_of_how_many_and_what_the_archive_is_a_selection_of() {
    let (_from, archive) = archived(articles(), filtered("count >= 100")).await;
    let target = world(Sandbox::builder());
    let subset = filtered("count < 150");
    let prepared = target.restore_plan(taking(&target, &archive, subset.clone())).await.expect("a plan");
    let planned = &prepared.plan.collections[0];
    assert_eq!((planned.objects, planned.left_out), (50, Some(150)));
    let says = |remark: RestoreRemark| planned.remarks.contains(&Remark::from(remark));
    assert!(says(RestoreRemark::Selected { selection: subset.clone(), objects: 50, of: 200 }), "{:?}", planned.remarks);
    let made = filtered("count >= 100");
    assert!(says(RestoreRemark::SelectionArchived { selection: made, objects: 200, of: 300 }), "{:?}", planned.remarks);
    assert_eq!(target.sandbox.writing_requests(), 0);
    restored(&target, &archive, subset, |one| one["properties"]["count"].as_u64() < Some(150)).await;
    // All of a selection is restored as any archive is, and compared with what it is.
    let target = world(Sandbox::builder());
    let outcome = target.restore(target.restore_options(&archive)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 200));
    assert!(outcome.result.collections[0].digest.is_some());
}

#[tokio::test]
async fn fields_are_restored_alone_and_compared_alone() {
    let (_from, archive) = archived(articles(), Subset::default()).await;
    let target = world(Sandbox::builder());
    let subset = Subset { fields: vec!["title".into()], ..filtered("count >= 290") };
    let (done, _) = target.try_restore(taking(&target, &archive, subset)).await;
    let outcome = done.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 10));
    for line in target.sandbox.objects("Article", None) {
        let object: Value = serde_json::from_str(&line).expect("an object");
        assert_eq!(object["properties"].as_object().expect("properties").keys().collect::<Vec<_>>(), ["title"]);
    }
    // Of an archive that holds some properties alone nothing else can be asked.
    let (_from, archive) = archived(articles(), Subset { fields: vec!["title".into()], ..Subset::default() }).await;
    let target = world(Sandbox::builder());
    for subset in [filtered("count > 1"), Subset { fields: vec!["count".into()], ..Subset::default() }] {
        let refused = target.restore_plan(taking(&target, &archive, subset)).await.expect_err("refused");
        assert!(matches!(&refused, Error::Unfit { .. }) && refused.class() == Class::Refused, "{refused:?}");
    }
}

#[tokio::test]
async fn a_selection_that_takes_nothing_is_refused_before_anything_is_created() {
    let (_from, archive) = archived(articles(), Subset::default()).await;
    let target = world(Sandbox::builder());
    let refused = target.restore_plan(taking(&target, &archive, filtered("count < 0"))).await.expect_err("refused");
    assert!(matches!(refused, Error::NothingSelected { objects: OBJECTS }), "{refused:?}");
    assert_eq!((refused.class(), target.sandbox.writing_requests()), (Class::Refused, 0));
    let refused = target.restore_plan(taking(&target, &archive, filtered("cuont < 0"))).await.expect_err("refused");
    assert!(matches!(refused, Error::Unfit { .. }), "{refused:?}");
}

#[tokio::test]
async fn objects_that_come_while_a_selection_is_restored_are_told() {
    let (_from, archive) = archived(articles(), filtered("count >= 100")).await;
    let target = world(Sandbox::builder());
    // It is none that the archive was made of, and stands where nothing should.
    let stranger =
        r#"{"class":"Article","id":"ffffffff-0000-4000-8000-000000000001","properties":{"count":1},"vector":[1,2,3]}"#;
    let at = Fault::new(Kind::Change(Change::Write(stranger.to_owned()))).on("POST", "/v1/batch/objects").nth(2);
    target.sandbox.faults().add(at);
    let (done, _) = target.try_restore(taking(&target, &archive, Subset::default())).await;
    let outcome = done.expect("restored");
    assert_eq!((outcome.result.status, outcome.result.collections[0].only_right), (Status::Incomplete, Some(1)));
}

#[tokio::test]
async fn tenants_are_taken_from_in_their_order() {
    let builder = tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "COLD"), ("c", "HOT")], 20);
    let (_from, archive) = archived(builder, Subset::default()).await;
    for (subset, of_each) in [
        (filtered("title like '% 1_'"), [10, 10, 10]),
        (filtered("title = 'b 7'"), [0, 1, 0]),
        (Subset { limit: Some(25), ..Subset::default() }, [20, 5, 0]),
        (Subset { limit: Some(12), ..filtered("title like '% 1_'") }, [10, 2, 0]),
    ] {
        let target = world(Sandbox::builder());
        let (done, _) = target.try_restore(taking(&target, &archive, subset.clone())).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{subset}: {:?}", stopped.error));
        let objects = ["a", "b", "c"].map(|tenant| target.sandbox.objects("Mt", Some(tenant)).len());
        assert_eq!((objects, outcome.result.status), (of_each, Status::Ok), "{subset}");
        let states: Vec<&str> = target.sandbox.tenants("Mt").into_iter().map(|(_, state)| state).collect();
        assert_eq!(states, ["HOT", "COLD", "HOT"]);
    }
}

#[tokio::test]
async fn a_restore_of_a_selection_is_resumed_as_that_one_alone() {
    let (_from, archive) = archived(articles(), Subset::default()).await;
    let subset = Subset { limit: Some(180), ..filtered("count >= 50") };
    for n in [2, 4, 6] {
        let target = world(Sandbox::builder());
        let fault = Fault::new(Kind::status(403, "{}")).on("POST", "/v1/batch/objects").after(n);
        target.sandbox.faults().add(fault);
        target.try_restore(taking(&target, &archive, subset.clone())).await.0.expect_err("stopped");
        target.sandbox.faults().clear();
        let other = RestoreOptions { resume: true, ..taking(&target, &archive, filtered("count >= 60")) };
        let refused = target.restore_plan(other).await.expect_err("another one");
        let Error::OtherRun { differs, .. } = refused else { panic!("{refused:?}") };
        assert_eq!(differs, [RunDiffers::Choice(RunChoice::Subset)]);
        let again = RestoreOptions { resume: true, ..taking(&target, &archive, subset.clone()) };
        let prepared = target.restore_plan(again).await.expect("a plan");
        let resumed = prepared.plan.resumes.clone().expect("a run");
        assert!(resumed.of == 180 && (1..180).contains(&resumed.objects), "{n}: {resumed:?}");
        let (done, _) = target.run_plan(prepared).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 180), "{n}");
        assert_eq!(target.sandbox.count("Article", None), 180);
    }
}

#[tokio::test]
async fn some_properties_alone_and_a_part_of_an_archive_are_not_merged() {
    let merge = Merge { on_conflict: ConflictPolicy::Overwrite, add_properties: false, strict: false };
    let (_from, archive) = archived(articles(), Subset::default()).await;
    let (_from, titles) = archived(articles(), Subset { fields: vec!["title".into()], ..Subset::default() }).await;
    let (_from, some) = archived(articles(), filtered("count >= 290")).await;
    let target = world(articles());
    let merging =
        |archive: &Path, subset: Subset| RestoreOptions { merge: Some(merge), ..taking(&target, archive, subset) };
    for options in [merging(&archive, filtered("count < 5")), merging(&titles, Subset::default())] {
        let prepared = target.restore_plan(options).await.expect("a plan");
        let against = &prepared.plan.refusals;
        assert!(matches!(against.as_slice(), [RestoreRefusal::SelectionMerged { .. }]), "{against:?}");
    }
    assert_eq!(target.sandbox.writing_requests(), 0);
    // Whole objects are, and what else is there is told of as ever.
    let prepared = target.restore_plan(merging(&some, Subset::default())).await.expect("a plan");
    let planned = prepared.plan.collections[0].merge.expect("a merge");
    assert_eq!((planned.equal, planned.new, planned.only_on_server), (10, 0, OBJECTS - 10));
}
