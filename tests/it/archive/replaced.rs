//! Archives that somebody changes between their proof and their use: what is sent is what was proven, or nothing is
//!.

use std::path::{Path, PathBuf};

use elysiactl::archive::{Codec, Damage, Error as ArchiveError};
use elysiactl::event::{Class, Status};
use elysiactl::ops::backup::BackupOptions;
use elysiactl::ops::{Error, Hint};
use sandbox::Sandbox;

use crate::support::world::{World, world};

async fn archive(codec: Codec, seed: u64) -> (World, PathBuf) {
    let source = world(Sandbox::builder().seeded("Article", 300, 3, seed));
    let outcome = source.backup(BackupOptions { codec, jobs: Some(1), ..source.options() }).await;
    (source, outcome.result.archive.expect("an archive").into())
}

fn part(archive: &Path) -> PathBuf {
    let folder = std::fs::read_dir(archive.join("collections")).expect("a folder").next().expect("one").expect("one");
    let mut files = std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
    files.find(|path| path.to_str().is_some_and(|name| name.contains("objects-"))).expect("a part")
}

/// Plans, has the only part changed, runs the plan: it ends with exit 6, and no object was sent.
async fn is_noticed(codec: Codec, what: &str, change: impl Fn(&Path)) {
    let (_source, archive) = archive(codec, 4).await;
    let target = world(Sandbox::builder());
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan");
    change(&part(&archive));
    let error = target.run_plan(plan).await.0.expect_err(what).error;
    let Error::Archive(ArchiveError::Damaged { what: Damage::Replaced, .. }) = &error else {
        panic!("{what}: {error:?}")
    };
    assert_eq!((error.class(), error.hints()), (Class::Archive, vec![Hint::ArchiveInUse]), "{what}");
    let sent = target.sandbox.requests().into_iter().filter(|seen| seen.path == "/v1/batch/objects").count();
    assert_eq!((sent, target.sandbox.count("Article", None)), (0, 0), "{what}");
}

#[tokio::test]
async fn a_part_that_another_file_took_the_place_of_is_not_sent() {
    for codec in [Codec::None, Codec::Zstd] {
        Box::pin(is_noticed(codec, "another file", |part| {
            let text = std::fs::read(part).expect("a part");
            let beside = part.with_extension("new");
            std::fs::write(&beside, text).expect("written");
            std::fs::rename(&beside, part).expect("renamed");
        }))
        .await;
    }
}

#[tokio::test]
async fn a_part_that_is_written_to_after_its_proof_is_not_sent() {
    Box::pin(is_noticed(Codec::None, "one digit", |part| {
        // Sound JSON of the same length: only the sum of the whole part would tell, after it was sent.
        let text = std::fs::read_to_string(part).expect("a part");
        let at = text.find("\"vector\":[").expect("a vector") + 10;
        let digit = text[at..].find(|c: char| c.is_ascii_digit()).expect("a digit") + at;
        let other = if text.as_bytes()[digit] == b'1' { "2" } else { "1" };
        std::fs::write(part, text[..digit].to_owned() + other + &text[digit + 1..]).expect("written");
    }))
    .await;
}

#[tokio::test]
async fn an_archive_whose_place_another_one_takes_is_restored_as_it_was_proven() {
    let ((source, archive), (_other, wrong)) = (archive(Codec::None, 4).await, archive(Codec::None, 5).await);
    let target = world(Sandbox::builder());
    let plan = target.restore_plan(target.restore_options(&archive)).await.expect("a plan");
    std::fs::rename(&archive, archive.with_extension("away")).expect("renamed");
    std::os::unix::fs::symlink(&wrong, &archive).expect("a link");
    let outcome = target.run_plan(plan).await.0.expect("a restore");
    assert_eq!(outcome.result.status, Status::Ok);
    let ids = |world: &World| {
        let line = |line: String| line.split("\"vector\"").nth(1).map(str::to_owned);
        world.sandbox.objects("Article", None).into_iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(ids(&target), ids(&source));
}
