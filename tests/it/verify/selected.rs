//! `col verify` of an archive that is a selection, and `--where`: what was not selected is nobody's difference, and what would
//! be by now is one.

use std::path::PathBuf;

use elysiactl::event::{Difference, Status};
use elysiactl::model::{SampleShare, Subset};
use elysiactl::ops::Error;
use elysiactl::ops::backup::BackupOptions;
use elysiactl::ops::verify::{VerifyOptions, VerifyOutcome};
use sandbox::{Builder, Change, Sandbox};

use crate::backup::selected::filtered;
use crate::support::world::{World, verify_options, world};

const OBJECTS: u64 = 120;

fn id(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

fn article(n: u64, year: u64, title: &str) -> String {
    let id = id(n);
    format!(r#"{{"class":"Article","id":"{id}","properties":{{"title":"{title}","year":{year}}},"vector":[{n},1,3]}}"#)
}

/// Objects of the years 2000 to 2019, over and over.
fn articles() -> Builder {
    let document = r#"{"class":"Article","vectorizer":"none","properties":[{"name":"title","dataType":["text"]},{"name":"year","dataType":["int"]}]}"#;
    let builder = Sandbox::builder().collection(document);
    (1..=OBJECTS).fold(builder, |builder, n| builder.object(&article(n, 2_000 + n % 20, "x")))
}

async fn archive(world: &World, subset: Subset) -> PathBuf {
    let options = BackupOptions { page_objects: Some(20), jobs: Some(2), subset, ..world.options() };
    world.backup(options).await.result.archive.expect("an archive").into()
}

fn write(world: &World, object: String) {
    world.sandbox.faults().now(&Change::Write(object));
}

fn delete(world: &World, n: u64) {
    world.sandbox.faults().now(&Change::Delete("Article".into(), None, id(n)));
}

fn found(outcome: &VerifyOutcome) -> Vec<(String, Difference)> {
    outcome.differences.iter().map(|differs| (differs.id.to_string(), differs.kind)).collect()
}

/// Of those from 2010 on two become older, one gets another title, one goes and one comes; of the others one becomes newer, one
/// gets another title, one goes and one comes.
fn change(world: &World) {
    write(world, article(10, 1_990, "x"));
    write(world, article(11, 2_003, "x"));
    write(world, article(31, 2_011, "y"));
    write(world, article(21, 2_001, "y"));
    write(world, article(2, 2_012, "x"));
    delete(world, 32);
    delete(world, 9);
    write(world, article(200, 2_015, "x"));
    write(world, article(201, 2_001, "x"));
}

/// What of that is a difference where objects from 2010 on are meant.
fn expected(new_match: Difference) -> Vec<(String, Difference)> {
    vec![
        (id(2), new_match),
        (id(10), Difference::Different),
        (id(11), Difference::Different),
        (id(31), Difference::Different),
        (id(32), Difference::OnlyLeft),
        (id(200), Difference::OnlyRight),
    ]
}

#[tokio::test]
async fn beyond_a_selection_only_what_would_be_selected_is_extra() {
    let world = world(articles());
    let archive = archive(&world, filtered("year >= 2010")).await;
    let outcome = world.verify(verify_options(&archive)).await;
    assert_eq!((outcome.result.status, outcome.result.collections[0].left_out), (Status::Ok, Some(60)));
    change(&world);
    let outcome = world.verify(verify_options(&archive)).await;
    // That an object was one of 2002 the archive does not know.
    assert_eq!(found(&outcome), expected(Difference::OnlyRight));
    assert_eq!(outcome.result.status, Status::Incomplete);
}

#[tokio::test]
async fn of_a_whole_archive_what_matches_on_either_side_is_compared() {
    let world = world(articles());
    let archive = archive(&world, Subset::default()).await;
    let of = |filter: &str| VerifyOptions { filter: filtered(filter).filter, ..verify_options(&archive) };
    let outcome = world.verify(of("year >= 2010")).await;
    let result = &outcome.result.collections[0];
    assert_eq!((outcome.result.status, result.objects, result.left_out), (Status::Ok, 60, Some(60)));
    assert_eq!(result.digest, None, "not all was compared");
    assert_eq!(result.counts_verified, Some(true), "all was read");
    change(&world);
    let outcome = world.verify(of("year >= 2010")).await;
    assert_eq!(found(&outcome), expected(Difference::Different));
    let outcome = world.verify(of("year = 2018")).await;
    assert_eq!((outcome.result.status, found(&outcome)), (Status::Ok, Vec::new()));
    let refused = world.try_verify(of("yaer = 2018")).await.0.expect_err("refused");
    assert!(matches!(refused, Error::Unfit { .. }), "{refused:?}");
}

#[tokio::test]
async fn what_was_cut_out_of_the_archive_is_not_compared() {
    let world = world(articles());
    let subset = Subset { fields: vec!["title".into()], ..filtered("year >= 2010") };
    let archive = archive(&world, subset).await;
    write(&world, article(31, 2_019, "x"));
    let outcome = world.verify(verify_options(&archive)).await;
    assert_eq!((outcome.result.status, found(&outcome)), (Status::Ok, Vec::new()), "another year");
    write(&world, article(31, 2_019, "y"));
    assert_eq!(found(&world.verify(verify_options(&archive)).await), [(id(31), Difference::Different)]);
    let of = |filter: &str| VerifyOptions { filter: filtered(filter).filter, ..verify_options(&archive) };
    let outcome = world.verify(of("title = 'x'")).await;
    assert_eq!(found(&outcome), [(id(31), Difference::Different)], "it was one");
    let refused = world.try_verify(of("year > 2010")).await.0.expect_err("refused");
    let Error::Unfit { source, .. } = refused else { panic!("{refused:?}") };
    assert!(matches!(&*source, elysiactl::model::Unfit::NotKept { property } if property == "year"), "{source:?}");
}

#[tokio::test]
async fn of_a_sample_the_same_objects_are_looked_for() {
    let world = world(articles());
    let sample = SampleShare { share: "30%".parse().expect("a share"), seed: 9 };
    let archive = archive(&world, Subset { sample: Some(sample), ..Subset::default() }).await;
    let (mut inside, mut outside) = (None, None);
    for n in 200..400 {
        let takes = sample.takes(None, id(n).parse().expect("an id"));
        let first = if takes { &mut inside } else { &mut outside };
        first.get_or_insert(n);
    }
    let (inside, outside) = (inside.expect("one"), outside.expect("one"));
    write(&world, article(outside, 2_000, "x"));
    assert_eq!(world.verify(verify_options(&archive)).await.result.status, Status::Ok);
    write(&world, article(inside, 2_000, "x"));
    assert_eq!(found(&world.verify(verify_options(&archive)).await), [(id(inside), Difference::OnlyRight)]);
}
