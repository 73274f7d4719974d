//! `col backup --where`, `--fields`, `--sample`: everything is read and proven as ever, and what is kept is what an evaluation
//! of parsed objects keeps.

use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::archive::{Archive, Content, catalog};
use elysiactl::event::{Class, Covers, Event, NotKeptReason, Status, Warning};
use elysiactl::model::{SampleShare, Subset, TenantName, Unfit};
use elysiactl::ops::backup::{BackupOptions, BackupOutcome, Resume};
use elysiactl::ops::verify::VerifyOptions;
use elysiactl::ops::{BackupDiffers, Error, Hint};
use sandbox::{Builder, Change, Fault, Kind, PageFault, Sandbox};
use serde_json::Value;

use crate::backup::tenants::{CLASS, tenants};
use crate::rm::held::before_rm;
use crate::support::world::{World, verify_options, world};

const OBJECTS: u64 = 400;

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", OBJECTS, 3, 7)
}

pub(crate) fn filtered(filter: &str) -> Subset {
    Subset { filter: Some(filter.parse().expect("a filter")), ..Subset::default() }
}

fn sample(share: &str, seed: u64) -> Subset {
    Subset { sample: Some(SampleShare { share: share.parse().expect("a share"), seed }), ..Subset::default() }
}

fn options(world: &World, subset: Subset) -> BackupOptions {
    BackupOptions { page_objects: Some(30), jobs: Some(3), subset, ..world.options() }
}

fn archive_of(outcome: &BackupOutcome) -> PathBuf {
    outcome.result.archive.clone().expect("an archive").into()
}

/// What a filter keeps, by an evaluation of its own.
type Keeps<'a> = &'a dyn Fn(&Value) -> bool;

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).expect("an object")
}

/// The live objects that `keeps` takes, in order.
fn live(world: &World, class: &str, keeps: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut live = world.sandbox.objects(class, None);
    live.retain(|line| keeps(&parsed(line)));
    live.sort_by_key(|line| parsed(line)["id"].as_str().expect("an id").to_owned());
    live
}

#[tokio::test]
async fn what_is_kept_is_what_the_filter_is_true_of_byte_for_byte() {
    let world = world(articles());
    let number = |object: &Value| object["properties"]["count"].as_u64().expect("a number");
    let title = |object: &Value| object["properties"]["title"].as_str().expect("a text").to_owned();
    let day = |object: &Value| object["properties"]["day"].as_str().expect("a day").to_owned();
    let filters: [(&str, Keeps<'_>); 5] = [
        ("count >= 390", &|object| number(object) >= 390),
        ("title contains 'cedar' and not count in (1, 2, 3)", &|object| {
            title(object).contains("cedar") && !(1..=3).contains(&number(object))
        }),
        ("day < '2024-02-01'", &|object| day(object).as_str() < "2024-02"),
        ("count < 0", &|_| false),
        ("title is not null", &|_| true),
    ];
    for (filter, keeps) in filters {
        let outcome = world.backup(options(&world, filtered(filter))).await;
        let (archive, wanted) = (archive_of(&outcome), live(&world, "Article", keeps));
        assert_eq!(world.lines(&archive, "Article"), wanted, "{filter}");
        let result = &outcome.result.collections[0];
        let kept = wanted.len() as u64;
        assert_eq!((result.objects, result.left_out), (kept, Some(OBJECTS - kept)), "{filter}");
        assert_eq!(result.counts_verified, Some(true));
        let entry = &outcome.manifest.collections[0];
        assert_eq!((entry.counts.before, entry.counts.after), (Some(OBJECTS), Some(OBJECTS)));
        let selection = entry.selection.as_ref().expect("a selection");
        assert_eq!((selection.objects_read, selection.filter.as_deref()), (OBJECTS, Some(filter)));
        let name = archive.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(name.starts_with("Article_selected_") || name.starts_with("all_selected_"), "{name}");
    }
    assert_eq!(world.sandbox.writing_requests(), 0, "the server is only read");
}

#[tokio::test]
async fn fields_are_cut_out_of_the_line_and_the_rest_is_the_servers() {
    let world = world(articles());
    let subset =
        Subset { fields: vec!["count".into(), "title".into()], ..filtered("score is not null and count < 50") };
    let outcome = world.backup(options(&world, subset)).await;
    let archive = archive_of(&outcome);
    let lines = world.lines(&archive, "Article");
    assert_eq!(lines.len(), 50);
    for (line, whole) in lines.iter().zip(live(&world, "Article", |o| o["properties"]["count"].as_u64() < Some(50))) {
        let (mut object, kept) = (parsed(&whole), parsed(line));
        let names: Vec<&String> = kept["properties"].as_object().expect("an object").keys().collect();
        assert_eq!(names, ["count", "title"]);
        for gone in ["day", "score"] {
            object["properties"].as_object_mut().expect("an object").remove(gone);
        }
        assert_eq!(object, kept);
        let around = |text: &str| text.split_once("\"properties\"").map(|(before, _)| before.to_owned());
        assert_eq!(around(line), around(&whole), "what is not cut keeps its bytes");
    }
    let schema = Archive::open(&world.disk, &archive).expect("an archive");
    let schema = schema.schema(&schema.collections()[0]).expect("a schema");
    assert!(String::from_utf8_lossy(&schema.text).contains("\"score\""), "the schema stays whole");
}

#[tokio::test]
async fn a_sample_is_the_same_whoever_takes_it_and_however_pages_are_cut() {
    let world = world(articles());
    let mut kept = Vec::new();
    for (page_objects, jobs) in [(7, 1), (100, 4)] {
        let options =
            BackupOptions { page_objects: Some(page_objects), jobs: Some(jobs), ..options(&world, sample("10%", 5)) };
        let outcome = world.backup(options).await;
        kept.push(world.lines(&archive_of(&outcome), "Article"));
    }
    assert_eq!(kept[0], kept[1]);
    assert!((20..60).contains(&kept[0].len()), "{}", kept[0].len());
    let other = world.backup(options(&world, sample("10%", 6))).await;
    assert_ne!(world.lines(&archive_of(&other), "Article"), kept[0]);
    // Both together: those of the sample that the filter takes.
    let subset = Subset { sample: sample("10%", 5).sample, ..filtered("count < 200") };
    let both = world.lines(&archive_of(&world.backup(options(&world, subset)).await), "Article");
    let low = |line: &&String| parsed(line)["properties"]["count"].as_u64() < Some(200);
    assert_eq!(both, kept[0].iter().filter(low).cloned().collect::<Vec<_>>());
}

fn with_tenants() -> Builder {
    tenants(Sandbox::builder().collection(CLASS), &[("a", "HOT"), ("b", "COLD"), ("c", "HOT")], 30)
}

#[tokio::test]
async fn tenants_are_selected_from_as_plain_collections_are() {
    let world = world(with_tenants());
    let verified = async |archive: &Path| {
        world.check(archive).await.expect("sound");
        let options = VerifyOptions { state: Some(world.state()), ..verify_options(archive) };
        let outcome = world.verify(options).await;
        assert_eq!(outcome.result.status, Status::Ok, "{:?} {:?}", outcome.differences, outcome.remarks);
        outcome.result.collections[0].left_out
    };
    let outcome =
        world.try_backup(options(&world, filtered("title like '% 1_' or title = 'b 3'"))).await.0.expect("done");
    assert_eq!(verified(&archive_of(&outcome)).await, Some(90 - 31));
    let objects: Vec<_> = outcome.manifest.collections[0]
        .tenants
        .iter()
        .map(|one| (one.tenant.clone().expect("a name"), one.objects))
        .collect();
    assert_eq!(objects, [("a".into(), 10), ("b".into(), 11), ("c".into(), 10)]);
    assert_eq!(outcome.result.collections[0].left_out, Some(90 - 31));
    // A share is taken of each tenant by itself, though the ids are the same in all of them.
    let outcome = world.try_backup(options(&world, sample("50%", 0))).await.0.expect("done");
    let archive = archive_of(&outcome);
    verified(&archive).await;
    let lines = world.lines_in_order(&archive, "Mt");
    let of = |tenant: &str| -> Vec<String> {
        let of_it = lines.iter().map(|line| parsed(line)).filter(|one| one["tenant"] == tenant);
        of_it.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_ne!(of("a"), of("c"));
    let name: TenantName = "a".parse().expect("a tenant");
    let share = sample("50%", 0).sample.expect("a sample");
    assert!(of("a").iter().all(|id| share.takes(Some(&name), id.parse().expect("an id"))));
}

#[tokio::test]
async fn a_selection_that_fits_no_collection_is_refused_before_anything_is_read() {
    let world = world(articles());
    let fields = |name: &str| Subset { fields: vec![name.into()], ..Subset::default() };
    for (subset, similar) in [
        (filtered("cuont > 5"), Some("count")),
        (filtered("count > 'x'"), None),
        (filtered("zzz is null"), None),
        (fields("titel"), Some("title")),
    ] {
        world.sandbox.clear_requests();
        let is_filter = subset.filter.is_some();
        let error = world.try_backup(options(&world, subset)).await.0.expect_err("refused").error;
        let Error::Unfit { source, .. } = &error else { panic!("{error:?}") };
        assert!(if is_filter { matches!(**source, Unfit::Filter(_)) } else { matches!(**source, Unfit::Field { .. }) });
        let hints = similar.map(|name| Hint::DidYouMeanProperties(vec![name.into()])).into_iter().collect::<Vec<_>>();
        assert_eq!((error.class(), error.hints()), (Class::Refused, hints));
        assert!(!world.sandbox.requests().iter().any(|seen| seen.path == "/v1/objects"), "nothing was read");
        assert_eq!(world.archives(), Vec::<PathBuf>::new());
    }
}

/// Backs up until the server refuses every page after the `n`-th, then lets it answer again; the unsealed archive.
async fn interrupted(world: &World, options: BackupOptions, n: u64) -> PathBuf {
    world.sandbox.faults().add(Fault::new(Kind::status(403, "{}")).on("GET", "/v1/objects").after(n));
    let (done, _) = world.try_backup(options).await;
    let archive = done.expect_err("an interruption").archive.expect("an archive");
    world.sandbox.faults().clear();
    archive
}

fn again(options: BackupOptions, archive: &Path, as_before: bool) -> BackupOptions {
    BackupOptions { resume: Some(Resume { archive: Some(archive.to_owned()), as_before }), ..options }
}

#[tokio::test]
async fn a_resumed_selection_is_what_an_unbroken_one_is_and_reads_nothing_twice() {
    for subset in [filtered("count < 10"), filtered("count < 0"), filtered("count < 350")] {
        let clean = world(articles());
        let clean = clean.backup(options(&clean, subset.clone())).await;
        for n in [4, 7, 10] {
            let world = world(articles());
            let archive = interrupted(&world, options(&world, subset.clone()), n).await;
            let (done, events) = world.try_backup(again(options(&world, Subset::default()), &archive, true)).await;
            let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
            assert_eq!(outcome.result.collections[0].digest, clean.result.collections[0].digest, "{subset} {n}");
            assert_eq!(outcome.result.collections[0].left_out, clean.result.collections[0].left_out, "{subset} {n}");
            let selection = outcome.manifest.collections[0].selection.clone().expect("a selection");
            assert_eq!(selection.objects_read, OBJECTS);
            world.proves(&outcome, Content::Full).await;
            let scanned = events.iter().map(|e| if let Event::PageScanned { objects, .. } = e { *objects } else { 0 });
            assert!(scanned.sum::<u64>() < OBJECTS, "{subset} {n}: what was left out is not read again");
        }
    }
}

#[tokio::test]
async fn another_selection_is_not_carried_on() {
    let world = world(articles());
    let first = Subset { fields: vec!["count".into()], sample: sample("50%", 1).sample, ..filtered("count > 5") };
    let archive = interrupted(&world, options(&world, first.clone()), 6).await;
    let mut found = Vec::new();
    for other in [
        Subset::default(),
        Subset { filter: filtered("count > 6").filter, ..first.clone() },
        Subset { fields: Vec::new(), ..first.clone() },
        Subset { sample: None, ..first.clone() },
        Subset { sample: sample("50%", 2).sample, ..first.clone() },
        Subset { limit: Some(7), ..first.clone() },
    ] {
        let error =
            world.try_backup(again(options(&world, other), &archive, false)).await.0.expect_err("refused").error;
        assert_eq!(error.class(), Class::Refused);
        let Error::OtherBackup { what, .. } = error else { panic!("{error:?}") };
        found.push(what);
    }
    assert_eq!(
        found,
        [
            BackupDiffers::Filter,
            BackupDiffers::Filter,
            BackupDiffers::Fields,
            BackupDiffers::Sample,
            BackupDiffers::SampleSeed,
            BackupDiffers::Limit,
        ]
    );
    let outcome = world.try_backup(again(options(&world, first), &archive, false)).await.0.expect("carried on");
    world.proves(&outcome, Content::Full).await;
}

#[tokio::test]
async fn what_is_written_while_it_is_read_is_counted_whether_it_is_wanted_or_not() {
    let world = world(articles());
    let object =
        r#"{"class":"Article","id":"ffffffff-0000-4000-8000-000000000001","properties":{"count":0},"vector":[1,2,3]}"#;
    world.sandbox.faults().in_requests(12, Change::Write(object.to_owned()));
    let outcome = world.try_backup(options(&world, filtered("count < 0"))).await.0.expect("done");
    assert_eq!(outcome.result.status, Status::Ok);
    let entry = &outcome.manifest.collections[0];
    assert_eq!((entry.objects, entry.counts.after), (0, Some(OBJECTS + 1)));
    // A page that lacks objects is noticed as ever: the count is that of all there are.
    let world = self::world(articles());
    world.sandbox.faults().add(Fault::new(Kind::Page(PageFault::Skip)).on("GET", "/v1/objects").nth(5));
    let (done, events) = world.try_backup(options(&world, filtered("count < 0"))).await;
    let is_told = |event: &Event| matches!(event, Event::Warning(Warning::NothingSelected { objects: OBJECTS, .. }));
    assert!(events.iter().any(is_told), "{events:?}");
    let read =
        done.expect("read once more").manifest.collections[0].selection.clone().expect("a selection").objects_read;
    assert_eq!(read, OBJECTS, "{events:?}");
}

#[tokio::test]
async fn a_selection_is_never_the_latest_nor_holds_everything() {
    let world = world(articles());
    let full = archive_of(&world.backup(options(&world, Subset::default())).await);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let all = archive_of(&world.backup(options(&world, filtered("title is not null"))).await);
    let folder = world.options().folder;
    let latest =
        |least| catalog::latest(&*world.disk, &folder, None, least).expect("a folder").expect("an archive").path;
    assert_eq!((latest(Content::Full), latest(Content::SchemaOnly)), (full.clone(), full.clone()));
    let listed = catalog::list(&*world.disk, &folder).expect("a folder").sealed;
    let listed: Vec<_> = listed.iter().map(|found| (found.path.clone(), found.is_selection)).collect();
    assert_eq!(listed, [(all.clone(), true), (full.clone(), false)]);
    let held = before_rm(&world).await.expect("an archive");
    assert_eq!((held.path, held.covers), (full.clone(), Covers::Everything));
    std::fs::remove_dir_all(&full).expect("removed");
    let held = before_rm(&world).await.expect("an archive");
    assert_eq!((held.path, held.archived, held.covers), (all, OBJECTS, Covers::Selection));
    assert!(catalog::latest(&*world.disk, &folder, None, Content::SchemaOnly).expect("a folder").is_none());
}

fn first(limit: u64) -> Subset {
    Subset { limit: Some(limit), ..Subset::default() }
}

#[tokio::test]
async fn a_limit_keeps_the_first_by_id_and_reads_no_further_than_it_must() {
    let world = world(articles());
    let all = live(&world, "Article", |_| true);
    for (subset, page_objects) in [
        (first(1), 7),
        (first(50), 7),
        (first(50), 50),
        (first(50), 300),
        (Subset { limit: Some(20), ..filtered("count >= 100") }, 30),
        (first(OBJECTS), 30),
        (first(OBJECTS + 1), 30),
    ] {
        let limit = usize::try_from(subset.limit.expect("a limit")).expect("few");
        let from = if subset.filter.is_some() { 100 } else { 0 };
        let behind = |line: &&String| parsed(line)["properties"]["count"].as_u64() >= Some(from);
        let expected: Vec<String> = all.iter().filter(behind).take(limit).cloned().collect();
        world.sandbox.clear_requests();
        let options =
            BackupOptions { page_objects: Some(page_objects), jobs: Some(3), ..options(&world, subset.clone()) };
        let outcome = world.backup(options).await;
        assert_eq!(world.lines(&archive_of(&outcome), "Article"), expected, "{subset} {page_objects}");
        let entry = &outcome.manifest.collections[0];
        let selection = entry.selection.as_ref().expect("a selection");
        let is_full = expected.len() == limit;
        let last = expected.last().map(|line| parsed(line)["id"].as_str().expect("an id").to_owned());
        assert_eq!(selection.until.as_ref().map(|until| until.id.clone()), last.filter(|_| is_full), "{subset}");
        assert_eq!(outcome.result.collections[0].counts_verified, (!is_full).then_some(true));
        assert!(is_full || selection.objects_read == OBJECTS);
        if limit == 1 {
            assert!(selection.objects_read < OBJECTS / 2, "{} read", selection.objects_read);
        }
        assert_eq!((outcome.result.status, entry.counts.after), (Status::Ok, Some(OBJECTS)));
    }
}

#[tokio::test]
async fn beyond_a_limit_nothing_is_extra_and_before_it_everything() {
    let world = world(articles());
    let archive = archive_of(&world.backup(options(&world, first(50))).await);
    let write = |id: &str| {
        let object = format!(r#"{{"class":"Article","id":"{id}","properties":{{"count":0}},"vector":[1,2,3]}}"#);
        world.sandbox.faults().now(&Change::Write(object));
    };
    write("ffffffff-ffff-4fff-8fff-ffffffffffff");
    assert_eq!(world.verify(verify_options(&archive)).await.result.status, Status::Ok);
    write("00000000-0000-4000-8000-000000000001");
    let outcome = world.verify(verify_options(&archive)).await;
    assert_eq!((outcome.result.status, outcome.result.collections[0].only_right), (Status::Incomplete, Some(1)));
}

#[tokio::test]
async fn a_limit_takes_tenant_by_tenant_whatever_their_states() {
    let world = world(with_tenants());
    for (limit, of_each) in
        [(10, [10, 0, 0]), (30, [30, 0, 0]), (45, [30, 15, 0]), (75, [30, 30, 15]), (100, [30, 30, 30])]
    {
        let options = BackupOptions { page_objects: Some(8), ..options(&world, first(limit)) };
        let outcome = world.try_backup(options).await.0.expect("done");
        let archive = archive_of(&outcome);
        world.check(&archive).await.expect("sound");
        let objects: Vec<u64> = outcome.manifest.collections[0].tenants.iter().map(|one| one.objects).collect();
        assert_eq!((objects.as_slice(), outcome.result.status), (&of_each[..], Status::Ok), "{limit}");
        let verify = VerifyOptions { state: Some(world.state()), ..verify_options(&archive) };
        assert_eq!(world.verify(verify).await.result.status, Status::Ok, "{limit}");
        let states: Vec<&str> = world.sandbox.tenants("Mt").into_iter().map(|(_, state)| state).collect();
        assert_eq!(states, ["HOT", "COLD", "HOT"], "as they were");
    }
}

#[tokio::test]
async fn a_resumed_limit_keeps_the_same_objects() {
    let clean = world(articles());
    let clean = clean.backup(options(&clean, first(200))).await;
    for n in [3, 5, 7] {
        let world = world(articles());
        let archive = interrupted(&world, options(&world, first(200)), n).await;
        let (done, _) = world.try_backup(again(options(&world, Subset::default()), &archive, true)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("{n}: {:?}", stopped.error));
        assert_eq!(outcome.result.collections[0].digest, clean.result.collections[0].digest, "{n}");
        world.proves(&outcome, Content::Full).await;
    }
    // A part that was damaged meanwhile leaves a gap in between: then it is begun anew.
    let world = world(articles());
    let options = BackupOptions { part_age: Duration::ZERO, ..options(&world, first(200)) };
    let archive = interrupted(&world, options.clone(), 5).await;
    std::fs::write(archive.join("collections/Article/objects-000000.jsonl"), "no objects").expect("written");
    let (done, events) = world.try_backup(again(options, &archive, false)).await;
    let outcome = done.expect("read anew");
    let is_told =
        |event: &Event| matches!(event, Event::Warning(Warning::NotKept { reason: NotKeptReason::NotTheFirst, .. }));
    assert!(events.iter().any(is_told), "{events:?}");
    assert_eq!(outcome.result.collections[0].digest, clean.result.collections[0].digest);
    world.proves(&outcome, Content::Full).await;
}
