//! Reading from a server, or from an archive, that cannot be gone on with.

use std::io;
use std::time::Duration;

use elysiactl::archive::Error as ArchiveError;
use elysiactl::event::{Class, Events};
use elysiactl::ops::cat::{self, CatError};
use elysiactl::ops::{Error, Hint, backup, inventory};
use elysiactl::pipeline::scan;
use elysiactl::pipeline::split::SplitError;
use elysiactl::weaviate;
use sandbox::{Builder, Change, Fault, Kind, PageFault, Sandbox};

use super::is;
use crate::support::forged;
use crate::support::world::{World, world};

/// Of a line, where 64 MiB are allowed.
const LONGER_THAN_ALLOWED: usize = 24 << 20;
const STOPS: Duration = Duration::from_secs(60);
/// More than is fetched of any object.
const TOO_MANY_BYTES: u64 = 1 << 30;

fn articles() -> Builder {
    Sandbox::builder().seeded("Article", 200, 2, 1)
}

/// Why a backup of this server stops. Nothing of it passes for a backup.
async fn stopped(world: &World) -> Error {
    let options = backup::BackupOptions { jobs: Some(1), ..world.options() };
    let (done, _) = world.try_backup(options).await;
    let stopped = done.expect_err("a failure");
    world.nothing_is_sealed();
    stopped.error
}

/// The same, whose pages fail so from the third on; what was said of them.
async fn pages_that(kind: Kind) -> scan::Error {
    let world = World { stall: Duration::from_millis(300), ..world(articles()) };
    world.sandbox.faults().add(Fault::new(kind.clone()).on("GET", "/v1/objects").after(2));
    match stopped(&world).await {
        Error::Scan { collection, source } => {
            assert_eq!(collection.as_str(), "Article");
            source
        }
        other => panic!("{kind:?}: {other:?}"),
    }
}

/// Whether the advice about a failed scan is this.
fn advises(source: scan::Error, hints: &[Hint]) {
    is(&Error::Scan { collection: "Article".parse().expect("a name"), source }, Class::Server, hints);
}

#[tokio::test]
async fn a_key_that_is_refused_in_the_middle_of_a_backup_is_told_with_what_it_lacks() {
    let refused = pages_that(Kind::status(401, r#"{"code":401,"message":"expired"}"#)).await;
    assert!(matches!(refused, scan::Error::Wire(weaviate::Error::Unauthorized { .. })), "{refused:?}");
    advises(refused, &[Hint::GiveKey]);
    let forbidden = pages_that(Kind::status(403, r#"{"error":[{"message":"forbidden"}]}"#)).await;
    assert!(matches!(forbidden, scan::Error::Wire(weaviate::Error::Forbidden { .. })), "{forbidden:?}");
    advises(forbidden, &[Hint::GrantPermission]);
}

#[tokio::test]
async fn a_key_that_is_refused_before_anything_is_read_makes_no_archive() {
    let world = world(articles());
    world.sandbox.faults().add(Fault::new(Kind::status(401, "")).on("GET", "/v1/schema"));
    let error = stopped(&world).await;
    assert!(matches!(error, Error::Wire(weaviate::Error::Unauthorized { .. })), "{error:?}");
    is(&error, Class::Server, &[Hint::GiveKey]);
    assert!(world.archives().is_empty());
}

#[tokio::test]
async fn what_a_server_keeps_doing_is_the_last_thing_told_and_the_advice_is_to_run_again() {
    type Is = fn(&weaviate::Error) -> bool;
    let kept: [(Kind, Is); 4] = [
        (Kind::status(503, "busy"), |last| matches!(last, weaviate::Error::Server { status: 503, .. })),
        (Kind::Stall(10, STOPS), |last| matches!(last, weaviate::Error::Stalled { .. })),
        (Kind::ResetBefore, |last| matches!(last, weaviate::Error::Lost { .. })),
        (Kind::ErrorIn200("shard is gone".into()), |last| matches!(last, weaviate::Error::BadAnswer { .. })),
    ];
    for (kind, is_it) in kept {
        let source = pages_that(kind.clone()).await;
        let scan::Error::Wire(error) = &source else { panic!("{kind:?}: {source:?}") };
        assert!(matches!(error, weaviate::Error::Exhausted { .. }) && is_it(error.root()), "{kind:?}: {error:?}");
        advises(source, &[Hint::RunAgain]);
    }
}

#[tokio::test]
async fn pages_that_keep_making_no_sense_are_told_by_what_is_wrong_with_them() {
    type Is = fn(&SplitError) -> bool;
    let senseless: [(Kind, Is); 5] = [
        (Kind::Garbage("}}".into()), |wrong| matches!(wrong, SplitError::Structure { .. })),
        (Kind::Page(PageFault::Backwards), |wrong| matches!(wrong, SplitError::Order { .. })),
        (Kind::Page(PageFault::Duplicate), |wrong| matches!(wrong, SplitError::Order { .. })),
        (Kind::Page(PageFault::WrongClass), |wrong| matches!(wrong, SplitError::OtherCollection { .. })),
        (Kind::Page(PageFault::TooMany), |wrong| matches!(wrong, SplitError::TooMany { .. })),
    ];
    for (kind, is_it) in senseless {
        let source = pages_that(kind.clone()).await;
        let told = matches!(&source, scan::Error::Page { source, .. } if is_it(source));
        assert!(told, "{kind:?}: {source:?}");
        advises(source, &[Hint::SmallerPages, Hint::RunAgain]);
    }
}

#[tokio::test]
async fn an_object_whose_answer_is_always_empty_ends_the_backup_and_no_page_size_is_blamed() {
    let source = pages_that(Kind::EmptyBody).await;
    assert!(matches!(source, scan::Error::EmptyBody { .. }), "{source:?}");
    advises(source, &[Hint::RunAgain]);
}

#[tokio::test]
async fn a_server_that_allows_no_page_is_told_with_the_setting_to_raise() {
    let refused = r#"{"error":[{"message":"query maximum results exceeded"}]}"#;
    let source = pages_that(Kind::status(422, refused)).await;
    assert!(matches!(source, scan::Error::NoPageAllowed { .. }), "{source:?}");
    advises(source, &[Hint::RaisePageLimit]);
}

#[tokio::test]
async fn an_object_that_is_too_large_for_any_memory_ends_the_backup_of_its_collection() {
    let source = pages_that(Kind::Promises(TOO_MANY_BYTES)).await;
    assert!(matches!(source, scan::Error::ObjectTooLarge { bytes, .. } if bytes < TOO_MANY_BYTES), "{source:?}");
    advises(source, &[Hint::ExcludeCollection]);
}

#[tokio::test]
async fn an_alias_whose_collection_is_gone_is_told_apart_from_a_name_that_never_was() {
    let world = world(articles().alias("Now", "Article"));
    world.sandbox.faults().now(&Change::Drop("Article".into()));
    let show = async |name: &str| {
        let client = world.client(Events::none());
        inventory::show(&client, &name.parse().expect("a name")).await.expect_err("nothing to show")
    };
    let dangling = show("Now").await;
    assert!(matches!(&dangling, Error::DanglingAlias { collection, .. } if collection.as_str() == "Article"));
    is(&dangling, Class::Refused, &[Hint::ListCollections]);
    let unknown = show("Never").await;
    assert!(matches!(unknown, Error::UnknownCollection { alias_of: None, .. }), "{unknown:?}");
    is(&unknown, Class::Refused, &[Hint::ListCollections]);
}

/// A reader of `archive cat` that takes nothing.
struct Gone;

impl io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn cat_tells_a_reader_that_is_gone_from_an_archive_that_is_damaged() {
    let world = world(articles());
    let archive: std::path::PathBuf = world.backup(world.options()).await.result.archive.expect("an archive").into();
    let cat =
        |collection: Option<&str>, out: &mut dyn io::Write| cat::run(&world.disk, &archive, collection, 128 << 20, out);
    let gone = cat(None, &mut Gone);
    assert!(matches!(&gone, Err(CatError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe), "{gone:?}");

    let Err(CatError::Archive(unknown)) = cat(Some("Articel"), &mut io::sink()) else { panic!("an answer") };
    assert!(matches!(unknown, Error::NotInArchive { .. }), "{unknown:?}");
    is(&unknown, Class::Refused, &[Hint::DidYouMean(vec!["Article".parse().expect("a name")])]);
    let Err(CatError::Archive(unknown)) = cat(Some("Qqqqqqq"), &mut io::sink()) else { panic!("an answer") };
    is(&unknown, Class::Refused, &[Hint::ShowArchive]);

    let part = archive.join("collections/Article/objects-000000.jsonl");
    let whole = std::fs::read(&part).expect("a part");
    std::fs::write(&part, &whole[..whole.len() - 1]).expect("written");
    let Err(CatError::Archive(damaged)) = cat(None, &mut io::sink()) else { panic!("no damage") };
    assert!(matches!(damaged, Error::Archive(ArchiveError::Damaged { .. })), "{damaged:?}");
    is(&damaged, Class::Archive, &[Hint::ArchiveDamaged]);
}

#[tokio::test]
async fn a_line_that_there_is_no_memory_for_is_told_with_what_it_takes() {
    // One page, so that there is one run in the index.
    let world = world(Sandbox::builder().seeded("Article", 12, 2, 1));
    let archive: std::path::PathBuf = world.backup(world.options()).await.result.archive.expect("an archive").into();
    let is_first = std::cell::Cell::new(true);
    forged::lines(&archive, |line| {
        let gap = if is_first.take() { LONGER_THAN_ALLOWED } else { 0 };
        line.replacen('{', &format!("{{{}", " ".repeat(gap)), 1)
    });
    let long = cat::run(&world.disk, &archive, None, 64 << 20, &mut io::sink());
    let Err(CatError::Archive(long)) = long else { panic!("a line that there is no memory for") };
    assert!(matches!(long, Error::Archive(ArchiveError::LineTooLong { line: 1, .. })), "{long:?}");
    assert!(long.class() == Class::Refused && matches!(long.hints()[..], [Hint::RaiseMemoryLimit { .. }]), "{long:?}");
}
