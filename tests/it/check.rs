//! `archive check`: damage of every kind is found, and told apart.

use std::path::{Path, PathBuf};

use elysiactl::archive::{Codec, Error as ArchiveError};
use elysiactl::event::Class;
use elysiactl::ops::Error;
use elysiactl::ops::backup::Options;
use sandbox::Sandbox;

use crate::tier;
use crate::world::{World, world};

/// One bit in so many is flipped on every commit, each one by night.
const BITS: usize = 61;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

async fn small(codec: Codec) -> (World, PathBuf) {
    let world = world(Sandbox::builder().seeded("Article", 4, 2, 1));
    let outcome = world.backup(Options { codec, ..world.options() }).await;
    let archive = outcome.result.archive.expect("an archive").into();
    (world, archive)
}

/// The archive must be refused as such: exit 6.
async fn is_damaged(world: &World, archive: &Path, what: &str) {
    match world.check(archive).await {
        Err(error) => assert_eq!(error.class(), Class::Archive, "{what}: {error}"),
        Ok(_) => panic!("{what}: not found"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flipped_bits_are_found_wherever_they_are() {
    let step = tier::step(BITS);
    for codec in [Codec::None, Codec::Zstd, Codec::Gzip, Codec::Lz4] {
        let (world, archive) = small(codec).await;
        let mut flips = 0;
        for file in files(&archive) {
            let good = std::fs::read(&file).expect("a file");
            for bit in (0..good.len() * 8).step_by(step) {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                std::fs::write(&file, &bad).expect("a file");
                is_damaged(&world, &archive, &format!("{codec:?}, bit {bit} of {}", file.display())).await;
                flips += 1;
            }
            std::fs::write(&file, &good).expect("a file");
        }
        assert!(flips > 500, "{flips}");
        eprintln!("{codec:?}: {flips} bits");
        world.check(&archive).await.expect("sound again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cut_and_every_byte_too_many_is_found() {
    let step = tier::step(7);
    for codec in [Codec::None, Codec::Zstd, Codec::Gzip, Codec::Lz4] {
        let (world, archive) = small(codec).await;
        for file in files(&archive) {
            let good = std::fs::read(&file).expect("a file");
            for length in (0..good.len()).rev().step_by(step) {
                std::fs::write(&file, &good[..length]).expect("a file");
                is_damaged(&world, &archive, &format!("{codec:?}, {} cut at {length}", file.display())).await;
            }
            for more in ["\n", "{}", "\0"] {
                std::fs::write(&file, [good.as_slice(), more.as_bytes()].concat()).expect("a file");
                is_damaged(&world, &archive, &format!("{codec:?}, {more:?} behind {}", file.display())).await;
            }
            std::fs::write(&file, &good).expect("a file");
        }
    }
}

#[tokio::test]
async fn missing_extra_and_swapped_files_are_found() {
    let world = world(Sandbox::builder().seeded("Article", 4, 2, 1).seeded("Other", 4, 2, 2));
    let archive: PathBuf = world.backup(world.options()).await.result.archive.expect("an archive").into();
    for file in files(&archive) {
        let good = std::fs::read(&file).expect("a file");
        std::fs::remove_file(&file).expect("removed");
        is_damaged(&world, &archive, &format!("without {}", file.display())).await;
        std::fs::write(&file, &good).expect("a file");
    }
    let stray = archive.join("collections/Article/objects-000009.jsonl");
    std::fs::write(&stray, "").expect("a file");
    is_damaged(&world, &archive, "a part too many").await;
    std::fs::remove_file(&stray).expect("removed");
    let [one, two] = ["Article", "Other"].map(|c| archive.join(format!("collections/{c}/objects-000000.jsonl")));
    let swap = archive.join("swap");
    for (from, to) in [(&one, &swap), (&two, &one), (&swap, &two)] {
        std::fs::rename(from, to).expect("renamed");
    }
    is_damaged(&world, &archive, "swapped parts").await;
}

#[tokio::test]
async fn what_an_editor_or_a_kill_leaves_beside_a_manifest_is_no_damage() {
    let (world, archive) = small(Codec::None).await;
    for stray in [".DS_Store", ".lock"] {
        std::fs::write(archive.join(stray), "x").expect("a file");
    }
    let outcome = world.check(&archive).await.expect("sound");
    assert_eq!(outcome.strays.len(), 2);
}

#[tokio::test]
async fn an_archive_without_a_manifest_is_no_backup() {
    let (world, archive) = small(Codec::None).await;
    std::fs::remove_file(archive.join("manifest.json")).expect("removed");
    is_damaged(&world, &archive, "no manifest").await;
}

#[tokio::test]
async fn what_is_not_there_or_no_archive_is_told_apart() {
    let (world, archive) = small(Codec::None).await;
    let missing = world.check(&archive.join("nothing")).await.expect_err("missing");
    assert_eq!(missing.class(), Class::Usage);
    let other = world.folder.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    let other = world.check(&other).await.expect_err("no archive");
    assert!(matches!(other, Error::Archive(ArchiveError::NotAnArchive { .. })), "{other:?}");
}
