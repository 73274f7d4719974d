//! `col verify` against the sandbox: what differs is named, exactly, and nothing else ever is.

mod away;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::archive::{Codec, Content};
use elysiactl::event::{Class, Difference, Event, Op, Status, Warning};
use elysiactl::model::{CollectionName, Renames, Selection};
use elysiactl::ops::verify::{VerifyOptions, VerifyOutcome};
use elysiactl::ops::{Error, Hint, backup};
use sandbox::{Change, Fault, Kind, PageFault, Role, Sandbox};

use crate::support::world::{World, verify_options, world};
use elysiactl::render::remark;

const OBJECTS: u64 = 700;

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn id(n: u64) -> String {
    format!("00000000-0000-0000-0000-{n:012x}")
}

/// Small objects with ids from 1, in a collection of this name.
fn articles(class: &str, objects: u64) -> sandbox::Builder {
    let document = format!(
        r#"{{"class":"{class}","vectorizer":"none","properties":[{{"name":"t","dataType":["text"]}},
        {{"name":"at","dataType":["object"],"nestedProperties":[{{"name":"city","dataType":["text"]}}]}}]}}"#
    );
    (1..=objects)
        .fold(Sandbox::builder().collection(&document), |builder, n| builder.object(&article(class, n, "x", 1.0)))
}

fn article(class: &str, n: u64, text: &str, component: f32) -> String {
    format!(
        r#"{{"class":"{class}","id":"{}","properties":{{"t":"{text}","at":{{"city":"{n}"}}}},"vector":[{n},{component},3]}}"#,
        id(n)
    )
}

async fn backed_up(world: &World, options: backup::BackupOptions) -> PathBuf {
    world.backup(options).await.result.archive.expect("an archive").into()
}

async fn plain(world: &World) -> PathBuf {
    backed_up(world, world.options()).await
}

/// Several lanes, so several parts with several runs each.
fn many_parts(world: &World) -> backup::BackupOptions {
    backup::BackupOptions { page_objects: Some(20), jobs: Some(4), ..world.options() }
}

fn write(world: &World, object: &str) {
    world.sandbox.faults().now(&Change::Write(object.to_owned()));
}

fn delete(world: &World, class: &str, id: &str) {
    world.sandbox.faults().now(&Change::Delete(class.to_owned(), None, id.to_owned()));
}

/// Id, kind and fields of each difference.
fn found(outcome: &VerifyOutcome) -> Vec<(String, Difference, Vec<String>)> {
    let one = |d: &elysiactl::ops::verify::Differs| {
        (d.id.to_string(), d.kind, d.fields.iter().map(|f| f.field.clone()).collect())
    };
    outcome.differences.iter().map(one).collect()
}

fn remarks(outcome: &VerifyOutcome) -> String {
    let schema = outcome.schema_differences.iter().map(|(about, differs)| (about, differs.clone().into()));
    let all = schema.chain(outcome.remarks.iter().map(|(about, fact)| (about, fact.clone())));
    all.map(|(about, fact)| format!("{about}: {}", remark(Op::Verify, &fact))).collect::<Vec<_>>().join("\n")
}

/// The four changes that every kind of difference is made of.
fn change_four(world: &World) -> [(String, Difference, Vec<String>); 4] {
    write(world, &article("Article", 100, "x", 1.000_000_1));
    write(world, &article("Article", 200, "y", 1.0));
    delete(world, "Article", &id(300));
    write(world, &article("Article", OBJECTS + 1, "x", 1.0));
    [
        (id(100), Difference::Different, vec!["vectors.default[1]".into()]),
        (id(200), Difference::Different, vec!["properties.t".into()]),
        (id(300), Difference::OnlyLeft, Vec::new()),
        (id(OBJECTS + 1), Difference::OnlyRight, Vec::new()),
    ]
}

#[tokio::test]
async fn exactly_what_differs_is_named_whatever_the_parts_and_the_codec() {
    for codec in [Codec::None, Codec::Zstd, Codec::Gzip, Codec::Lz4] {
        let world = world(articles("Article", OBJECTS));
        let archive = backed_up(&world, backup::BackupOptions { codec, ..many_parts(&world) }).await;
        let expected = change_four(&world);
        for jobs in [Some(1), Some(3), None] {
            let outcome = world.verify(VerifyOptions { jobs, ..verify_options(&archive) }).await;
            assert_eq!(found(&outcome), expected, "{codec:?}");
            let result = &outcome.result.collections[0];
            assert_eq!((result.only_left, result.only_right, result.different), (Some(1), Some(1), Some(2)));
            assert_eq!((outcome.result.status, result.objects, &result.digest), (Status::Incomplete, OBJECTS, &None));
        }
        assert_eq!(world.sandbox.writing_requests(), 0, "it only reads");
        let shown = &world.verify(verify_options(&archive)).await.differences[1].fields[0];
        assert_eq!((shown.left.as_deref(), shown.right.as_deref()), (Some("\"x\""), Some("\"y\"")));
    }
}

#[tokio::test]
async fn many_parts_and_little_memory_find_the_same() {
    let world = world(Sandbox::builder().seeded("Article", 6_003, 16, 11));
    let archive =
        backed_up(&world, backup::BackupOptions { page_objects: Some(97), jobs: Some(6), ..world.options() }).await;
    for memory_bytes in [1, 40 << 20] {
        let outcome = world.verify(VerifyOptions { memory_bytes, ..verify_options(&archive) }).await;
        assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 6_003), "{memory_bytes}");
    }
}

#[tokio::test]
async fn a_copy_under_another_name_is_equal_with_its_references() {
    let mut builder = Sandbox::builder();
    for (class, to) in [("B", None), ("A", Some("B")), ("B2", None), ("A2", Some("B2")), ("Wrong", Some("B2"))] {
        let property = to.map_or_else(String::new, |to| format!(r#"{{"name":"to","dataType":["{to}"]}}"#));
        builder =
            builder.collection(&format!(r#"{{"class":"{class}","vectorizer":"none","properties":[{property}]}}"#));
        for n in 1..=30 {
            let other = if class == "Wrong" && n == 7 { 9 } else { n % 3 + 1 };
            let beacon = |to| format!(r#""to":[{{"beacon":"weaviate://localhost/{to}/{}"}}]"#, id(other));
            let to = to.map_or_else(String::new, beacon);
            builder = builder
                .object(&format!(r#"{{"class":"{class}","id":"{}","properties":{{{to}}},"vector":[{n}]}}"#, id(n)));
        }
    }
    let world = world(builder);
    let take =
        |names: &[&str]| Selection { take: names.iter().map(|n| (*n).to_owned()).collect(), exclude: Vec::new() };
    let archive = backed_up(&world, backup::BackupOptions { selection: take(&["A", "B"]), ..world.options() }).await;
    let mut renames = Renames::default();
    renames.insert(name("A"), name("A2"));
    renames.insert(name("B"), name("B2"));
    let options = VerifyOptions { renames, ..verify_options(&archive) };
    let outcome = world.verify(options.clone()).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 60), "{}", remarks(&outcome));
    let names: Vec<String> = outcome.result.collections.iter().map(|c| c.name.to_string()).collect();
    assert_eq!(names, ["A2", "B2"]);
    assert!(outcome.result.collections.iter().all(|c| c.digest.is_some()));
    // The only one chosen gets its name by `name`; its references follow the other pairs.
    let outcome =
        world.verify(VerifyOptions { selection: take(&["A"]), name: Some(name("Wrong")), ..options.clone() }).await;
    assert_eq!(found(&outcome), [(id(7), Difference::Different, vec!["properties.to[0]".into()])]);
    // Without the pair of the target, references to it differ, and so does the type of the property.
    let outcome = world
        .verify(VerifyOptions { selection: take(&["A"]), name: Some(name("A2")), ..verify_options(&archive) })
        .await;
    assert_eq!(outcome.result.collections[0].different, Some(30));
    assert!(
        remarks(&outcome).contains("property to is B in the archive and B2 on the server"),
        "{}",
        remarks(&outcome)
    );
}

#[tokio::test]
async fn the_limit_bounds_the_list_and_not_the_numbers() {
    let mut builder = articles("Article", 50);
    for n in 1..=50 {
        builder = builder.object(&format!(r#"{{"class":"Other","id":"{}","properties":{{}},"vector":[1]}}"#, id(n)));
    }
    let world = world(builder);
    let archive = plain(&world).await;
    for n in 1..=50 {
        delete(&world, "Article", &id(n));
        delete(&world, "Other", &id(n));
    }
    for limit in [0, 7, 60, 1_000] {
        let outcome = world.verify(VerifyOptions { limit, ..verify_options(&archive) }).await;
        let missing: Vec<Option<u64>> = outcome.result.collections.iter().map(|c| c.only_left).collect();
        assert_eq!(missing, [Some(50), Some(50)]);
        let expected = ["Article", "Other"].iter().flat_map(|class| (1..=50).map(move |n| (name(class), id(n))));
        let listed: Vec<_> = outcome.differences.iter().map(|d| (d.collection.clone(), d.id.to_string())).collect();
        assert_eq!(listed, expected.take(limit).collect::<Vec<_>>(), "{limit}");
    }
}

#[tokio::test]
async fn a_sample_compares_some_blocks_and_says_how_many() {
    let world = world(articles("Article", 2_000));
    let archive = backed_up(&world, many_parts(&world)).await;
    for n in (1..=2_000).step_by(10) {
        delete(&world, "Article", &id(n));
        write(&world, &article("Article", n + 1, "other", 1.0));
        write(
            &world,
            &format!(r#"{{"class":"Article","id":"00000000-0000-0000-0000-{n:06x}{:06x}","properties":{{}}}}"#, 1),
        );
    }
    let whole = world.verify(VerifyOptions { limit: 10_000, ..verify_options(&archive) }).await;
    let all = found(&whole);
    assert_eq!(all.len(), 600);
    for (sample, seed) in [(1e-9, 1), (0.2, 2), (0.2, 3), (1.0, 4)] {
        let options = VerifyOptions { sample: Some(sample), seed, limit: 10_000, ..verify_options(&archive) };
        let outcome = world.verify(options).await;
        let result = &outcome.result.collections[0];
        let sampled = elysiactl::model::count(result.objects);
        assert!(remarks(&outcome).contains(&format!("a sample: {sampled} of 2,000 objects")));
        if sample >= 1.0 {
            assert_eq!(found(&outcome), all, "a sample of everything finds everything");
        }
        assert!(result.objects > 0 && (sample < 1.0 || result.objects == 2_000), "{sample}: {}", result.objects);
        assert!(sample > 0.1 || result.objects <= 100, "one block");
        assert!(found(&outcome).iter().all(|one| all.contains(one)), "only what is true");
        let (missing, different) = (result.only_left.expect("compared"), result.different.expect("compared"));
        assert!(missing.abs_diff(result.objects / 10) <= 60 && different.abs_diff(result.objects / 10) <= 60);
        assert_eq!((outcome.result.status, &result.digest), (Status::Incomplete, &None));
    }
}

#[tokio::test]
async fn without_vectors_or_objects_only_the_rest_is_compared_and_it_is_said() {
    let world = world(articles("Article", 120));
    let without = backed_up(&world, backup::BackupOptions { content: Content::NoVectors, ..world.options() }).await;
    let schema = backed_up(&world, backup::BackupOptions { content: Content::SchemaOnly, ..world.options() }).await;
    write(&world, &article("Article", 5, "x", 9.0));
    let outcome = world.verify(verify_options(&without)).await;
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 120), "a vector that changed");
    assert!(outcome.result.collections[0].digest.is_some());
    assert!(remarks(&outcome).contains("compared without vectors"));
    write(&world, &article("Article", 6, "y", 1.0));
    assert_eq!(world.verify(verify_options(&without)).await.result.collections[0].different, Some(1));
    let outcome = world.verify(verify_options(&schema)).await;
    let result = &outcome.result.collections[0];
    assert_eq!((outcome.result.status, result.only_left, &result.digest), (Status::Ok, None, &None));
    assert!(remarks(&outcome).contains("no objects were compared"));
}

#[tokio::test]
async fn a_schema_that_lacks_something_is_told_and_what_it_has_more_is_only_said() {
    let document = |class: &str, more: &str| {
        format!(r#"{{"class":"{class}","vectorizer":"none","properties":[{{"name":"t","dataType":["text"]}}{more}]}}"#)
    };
    let more = r#",{"name":"n","dataType":["int"]}"#;
    let world = world(Sandbox::builder().collection(&document("A", more)).collection(&document("B", "")));
    let archive = backed_up(&world, backup::BackupOptions { content: Content::SchemaOnly, ..world.options() }).await;
    let against = |old: &str, new: &str| VerifyOptions {
        selection: Selection { take: vec![old.into()], exclude: Vec::new() },
        name: Some(name(new)),
        ..verify_options(&archive)
    };
    let outcome = world.verify(against("A", "B")).await;
    assert_eq!(outcome.result.status, Status::Incomplete);
    assert!(remarks(&outcome).contains("B: the live collection has no property n"), "{}", remarks(&outcome));
    let outcome = world.verify(against("B", "A")).await;
    assert_eq!(outcome.result.status, Status::Incomplete, "of a schema alone nothing else is compared");
    assert!(remarks(&outcome).contains("A: the live collection has a property n more"), "{}", remarks(&outcome));
    let archive = backed_up(&world, world.options()).await;
    let outcome = world.verify(VerifyOptions { archive, ..against("B", "A") }).await;
    assert_eq!((outcome.result.status, outcome.schema_differences.as_slice()), (Status::Ok, &[][..]));
    assert!(remarks(&outcome).contains("A: the live collection has a property n more"), "{}", remarks(&outcome));
}

#[tokio::test]
async fn names_that_make_no_sense_are_refused_before_anything_is_compared() {
    let world = world(articles("Article", 30).seeded("Zoo", 5, 2, 1).seeded("Yak", 5, 2, 1));
    let archive = plain(&world).await;
    let options = || verify_options(&archive);
    let refused = async |options: VerifyOptions| {
        world.sandbox.clear_requests();
        let error = world.try_verify(options).await.0.expect_err("refused");
        assert!(world.sandbox.requests().iter().all(|seen| !seen.path.starts_with("/v1/objects")), "{error:?}");
        error
    };
    let several = refused(VerifyOptions { name: Some(name("New")), ..options() }).await;
    assert!(matches!(several, Error::OneNameForMany { collections: 3 }), "{several:?}");
    assert_eq!((several.class(), several.hints()), (Class::Usage, vec![Hint::RenameEach]));
    let renamed = |pairs: &[(&str, &str)]| {
        let mut renames = Renames::default();
        for (old, new) in pairs {
            renames.insert(name(old), name(new));
        }
        VerifyOptions { renames, ..options() }
    };
    let twice = refused(renamed(&[("Zoo", "Yak")])).await;
    assert!(matches!(&twice, Error::SameName { .. }) && twice.class() == Class::Usage);
    let unknown = refused(renamed(&[("Zooo", "New")])).await;
    assert_eq!((unknown.class(), unknown.hints()), (Class::Refused, vec![Hint::DidYouMean(vec![name("Zoo")])]));
    for class in ["Zoo", "Yak"] {
        world.sandbox.faults().now(&Change::Drop(class.into()));
    }
    let missing = refused(options()).await;
    assert!(matches!(&missing, Error::MissingCollections { names } if *names == [name("Yak"), name("Zoo")]));
    assert_eq!((missing.class(), missing.hints()), (Class::Refused, vec![Hint::ListCollections]));
    let one = refused(renamed(&[("Zoo", "Article2"), ("Yak", "Article"), ("Article", "Article3")])).await;
    assert_eq!(one.class(), Class::Refused, "{one:?}");
}

#[tokio::test]
async fn an_object_that_a_page_skips_is_asked_for_and_not_missing() {
    for fault in [PageFault::Skip, PageFault::Empty] {
        let world = world(articles("Article", OBJECTS));
        let archive = backed_up(&world, many_parts(&world)).await;
        world.sandbox.faults().add(Fault::new(Kind::Page(fault)).on("GET", "/v1/objects").query("limit").nth(3));
        let outcome = world.verify(verify_options(&archive)).await;
        assert_eq!((outcome.result.status, found(&outcome).len()), (Status::Ok, 0), "{fault:?}: {}", remarks(&outcome));
        assert!(outcome.result.collections[0].digest.is_some());
        let asked =
            world.sandbox.requests().iter().filter(|seen| seen.path.starts_with("/v1/objects/Article/")).count();
        assert!(asked > 0, "{fault:?} was met");
    }
}

#[tokio::test]
async fn extra_objects_that_every_listing_lacks_are_told_by_the_count() {
    let world = world(articles("Article", 60));
    let archive = plain(&world).await;
    for n in 61..=63 {
        write(&world, &article("Article", n, "x", 1.0));
    }
    // One more object than the archive holds is asked for, so the first extra one is seen; those behind it never are.
    let behind = format!("after={}", id(61));
    world.sandbox.faults().add(Fault::new(Kind::Page(PageFault::Empty)).on("GET", "/v1/objects").query(&behind));
    let (done, events) = world.try_verify(verify_options(&archive)).await;
    let outcome = done.expect("compared");
    let result = &outcome.result.collections[0];
    assert_eq!((outcome.result.status, result.only_right, &result.digest), (Status::Incomplete, Some(1), &None));
    let mismatch = |e: &Event| matches!(e, Event::Warning(Warning::CountMismatch { listed: 61, counted: 63, .. }));
    assert!(events.iter().any(mismatch), "{events:?}");
    assert!(events.iter().any(|e| matches!(e, Event::PagesDropped { .. })), "it was compared once more");
    assert!(remarks(&outcome).contains("61 objects listed, but the server counts 63"), "{}", remarks(&outcome));
}

#[tokio::test]
async fn only_so_many_missing_objects_are_asked_for_one_by_one() {
    // Nobody counts, so that nothing else proves them missing.
    let builder = Sandbox::builder().graphql(false).key("readkey", "reader", Role::Viewer);
    let mut world = world(builder.seeded("Article", 10_400, 0, 3).seeded("Empty", 0, 0, 3));
    world.key = Some("readkey");
    let archive = backed_up(&world, backup::BackupOptions { content: Content::Full, ..world.options() }).await;
    let only = Selection { take: vec!["Article".into()], exclude: Vec::new() };
    let options = VerifyOptions { selection: only, name: Some(name("Empty")), ..verify_options(&archive) };
    let (done, events) = world.try_verify(options).await;
    let outcome = done.expect("compared");
    assert_eq!(
        (outcome.result.collections[0].only_left, outcome.differences.len()),
        (Some(10_400), VerifyOptions::LIMIT)
    );
    assert!(events.iter().any(|e| matches!(e, Event::Warning(Warning::MissingUnasked { objects: 400, .. }))));
    let seen = world.sandbox.requests();
    let asked: BTreeSet<&str> =
        seen.iter().map(|seen| seen.path.as_str()).filter(|path| path.starts_with("/v1/objects/Empty/")).collect();
    // What the server lost sight of for a moment is compared once more, and may ask for others.
    let again = events.iter().any(|e| matches!(e, Event::PagesDropped { .. }));
    assert!(asked.len() == 10_000 || (again && asked.len() > 10_000), "{} asked, once more: {again}", asked.len());
}

#[tokio::test]
async fn what_passes_is_waited_out() {
    let world = world(articles("Article", OBJECTS));
    let archive = plain(&world).await;
    for kind in [
        Kind::status(500, "oops"),
        Kind::bad_gateway(),
        Kind::too_many("0"),
        Kind::ResetAfter,
        Kind::Cut(900),
        Kind::EmptyBody,
        Kind::Garbage("}}".into()),
        Kind::Page(PageFault::Repeat),
        Kind::Page(PageFault::Backwards),
        Kind::Page(PageFault::WrongClass),
        Kind::Page(PageFault::TooMany),
    ] {
        for nth in [1, 4] {
            world.sandbox.faults().clear();
            world.sandbox.faults().add(Fault::new(kind.clone()).on("GET", "/v1/objects").nth(nth));
            let outcome = world.verify(verify_options(&archive)).await;
            assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, OBJECTS), "{kind:?} at {nth}");
        }
    }
}

#[tokio::test]
async fn vectors_that_cannot_be_printed_differ_unless_the_archive_lacks_them_too() {
    let world = world(articles("Article", 200));
    let archive = plain(&world).await;
    for n in [50, 200] {
        world.sandbox.faults().unprintable("Article", &id(n));
    }
    let outcome = world.verify(verify_options(&archive)).await;
    let unprintable = |n| (id(n), Difference::Different, vec!["vectors".to_owned()]);
    assert_eq!(found(&outcome), [unprintable(50), unprintable(200)]);
    let (done, _) = world.try_backup(world.options()).await;
    let kept = PathBuf::from(done.expect("a backup").result.archive.expect("an archive"));
    let outcome = world.verify(verify_options(&kept)).await;
    assert_eq!((outcome.result.status, found(&outcome).len()), (Status::Ok, 0));
    assert!(remarks(&outcome).contains("2 objects compared without vectors"), "{}", remarks(&outcome));
    assert_eq!(outcome.result.collections[0].digest, None, "not everything was compared");
}

fn part(archive: &Path) -> PathBuf {
    let folder = archive.join("collections/Article");
    let is_part = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("objects-"));
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).find(is_part).expect("a part")
}

#[tokio::test]
async fn a_damaged_archive_is_no_difference_but_an_error() {
    let world = world(articles("Article", OBJECTS));
    let archive = plain(&world).await;
    let part = part(&archive);
    let text = std::fs::read(&part).expect("a part");
    let at = text.windows(7).rposition(|w| w == br#""t":"x""#).expect("a text") + 5;
    let damage = |at: usize, byte: u8| {
        let mut text = text.clone();
        text[at] = byte;
        std::fs::write(&part, text).expect("written");
    };
    for (at, byte) in [(at, b'y'), (at - 5, b'}')] {
        damage(at, byte);
        for sample in [None, Some(0.5)] {
            let options = VerifyOptions { sample, ..verify_options(&archive) };
            let error = world.try_verify(options).await.0.expect_err("damaged");
            assert_eq!(error.class(), Class::Archive, "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_interrupted_comparison_says_so() {
    let world = world(articles("Article", OBJECTS));
    let archive = plain(&world).await;
    world.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(150))).on("GET", "/v1/objects"));
    let cancel = world.cancel.clone();
    let ((done, _), ()) = tokio::join!(world.try_verify(verify_options(&archive)), async {
        world.struck(1).await;
        cancel.cancel();
    });
    assert_eq!(done.expect_err("interrupted").class(), Class::Interrupted);
}

#[tokio::test]
async fn writes_meanwhile_are_differences_and_no_mismatch_of_counts() {
    let world = world(articles("Article", OBJECTS));
    let archive = plain(&world).await;
    world.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(400))).on("GET", "/v1/objects"));
    world.sandbox.faults().in_requests(14, Change::Write(article("Article", OBJECTS + 9, "x", 1.0)));
    let (done, events) = world.try_verify(verify_options(&archive)).await;
    let outcome = done.expect("compared");
    assert_eq!(found(&outcome).len() as u64, outcome.result.collections[0].only_right.expect("compared"));
    assert!(!events.iter().any(|e| matches!(e, Event::Warning(Warning::CountMismatch { .. }))), "{events:?}");
}
