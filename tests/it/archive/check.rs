//! `archive check`: damage of every kind is found, and told apart.

use std::path::{Path, PathBuf};

use elysiactl::archive::{Codec, Error as ArchiveError};
use elysiactl::event::{Class, Event, Events};
use elysiactl::ops::backup::BackupOptions;
use elysiactl::ops::{Error, check};
use sandbox::Sandbox;

use crate::support::tier;
use crate::support::world::{World, world};

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
    let outcome = world.backup(BackupOptions { codec, ..world.options() }).await;
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
async fn a_note_beside_the_manifest_is_no_damage_and_one_among_the_parts_is() {
    let (world, archive) = small(Codec::None).await;
    for note in ["where-it-came-from.txt", "README", "manifest.json.sig"] {
        std::fs::write(archive.join(note), "a note").expect("a file");
    }
    let outcome = world.check(&archive).await.expect("sound");
    assert_eq!(outcome.strays, ["README", "manifest.json.sig", "where-it-came-from.txt"]);
    for place in ["collections/note.txt", "collections/Article/note.txt", "roles.json", "aliases.json", "folder/x"] {
        let at = archive.join(place);
        std::fs::create_dir_all(at.parent().expect("a folder")).expect("a folder");
        let had = std::fs::read(&at).ok();
        if had.is_some() {
            continue;
        }
        std::fs::write(&at, "{}").expect("a file");
        is_damaged(&world, &archive, place).await;
        std::fs::remove_file(&at).expect("removed");
        let _ = std::fs::remove_dir(archive.join("folder"));
    }
    world.check(&archive).await.expect("sound again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_damaged_is_named_once_and_the_rest_is_read() {
    let builder = ["Article", "Book", "Chat"].iter().fold(Sandbox::builder(), |b, name| b.seeded(name, 4, 2, 1));
    let world = world(builder);
    let archive: PathBuf = world.backup(world.options()).await.result.archive.expect("an archive").into();
    let spoil = |file: &str| {
        let path = archive.join(file);
        let mut bytes = std::fs::read(&path).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).expect("written");
    };
    spoil("collections/Article/objects-000000.jsonl");
    spoil("collections/Book/schema.json");
    spoil("collections/Book/objects-000000.jsonl");
    spoil("collections/Chat/index.jsonl");
    std::fs::remove_file(archive.join("SHA256SUMS")).expect("removed");
    std::fs::write(archive.join("collections/x"), "x").expect("written");
    let error = world.check(&archive).await.expect_err("damage");
    let Error::Damages { damages, all: true, .. } = &error else { panic!("{error:?}") };
    let said: Vec<String> = damages.iter().map(ToString::to_string).collect();
    for file in [
        "Article/objects-000000",
        "Book/objects-000000",
        "Book/schema.json",
        "Chat/index.jsonl",
        "SHA256SUMS",
        "collections/x",
    ] {
        assert_eq!(said.iter().filter(|said| said.contains(file)).count(), 1, "{file}: {said:?}");
    }
    assert_eq!((said.len(), error.class()), (6, Class::Archive));
}

/// What a check says of each collection in the end: whether it is verified, with how many objects, and whether it is
/// called finished.
async fn verdicts(world: &World, archive: &Path) -> Vec<(String, u64, bool, bool)> {
    let (events, mut seen) = Events::channel();
    let options = check::CheckOptions { archive: archive.to_owned(), readers: 2, memory_bytes: 128 << 20 };
    let _ = check::run(&world.session(events), options).await;
    let (mut found, mut finished) = (Vec::new(), Vec::new());
    while let Some(event) = seen.try_recv() {
        match event {
            Event::Verified { collection, objects, ok } => found.push((collection.to_string(), objects, ok)),
            Event::CollectionFinished(result) => finished.push(result.name.to_string()),
            _ => {}
        }
    }
    let one = |(name, objects, ok)| {
        let is_finished = finished.contains(&name);
        (name, objects, ok, is_finished)
    };
    found.into_iter().map(one).collect()
}

#[tokio::test]
async fn what_was_not_looked_at_is_not_said_to_be_verified() {
    let world = world(Sandbox::builder().seeded("Article", 4, 2, 1).seeded("Other", 5, 2, 2));
    let archive: PathBuf = world.backup(world.options()).await.result.archive.expect("an archive").into();
    let whole = |name: &str, objects| (name.to_owned(), objects, true, true);
    let not = |name: &str| (name.to_owned(), 0, false, false);
    assert_eq!(verdicts(&world, &archive).await, [whole("Article", 4), whole("Other", 5)]);
    for file in files(&archive.join("collections/Article")) {
        let good = std::fs::read(&file).expect("a file");
        let is_part = file.to_string_lossy().contains("objects-");
        let damage: [&dyn Fn(); 3] = [
            &|| std::fs::remove_file(&file).expect("removed"),
            &|| std::fs::write(&file, &good[..good.len() / 2]).expect("cut"),
            &|| std::fs::write(&file, [b"x".as_slice(), &good[1..]].concat()).expect("changed"),
        ];
        for spoil in damage {
            spoil();
            let said = verdicts(&world, &archive).await;
            assert_eq!(said[1..], [whole("Other", 5)], "{}", file.display());
            assert!(!said[0].2 && !said[0].3, "{}: {said:?}", file.display());
            assert!(!is_part || said[0] == not("Article"), "{}: {said:?}", file.display());
            std::fs::write(&file, &good).expect("a file");
        }
    }
    let [one, two] = ["Article", "Other"].map(|c| archive.join(format!("collections/{c}/objects-000000.jsonl")));
    let swap = archive.with_extension("swap");
    for (from, to) in [(&one, &swap), (&two, &one), (&swap, &two)] {
        std::fs::rename(from, to).expect("renamed");
    }
    assert_eq!(verdicts(&world, &archive).await, [not("Article"), not("Other")]);
}

#[tokio::test]
async fn a_check_stops_after_so_many_damages_and_says_that_there_may_be_more() {
    let (world, archive) = small(Codec::None).await;
    for n in 0..40 {
        std::fs::write(archive.join(format!("collections/stray-{n}")), "x").expect("written");
    }
    let error = world.check(&archive).await.expect_err("damage");
    let Error::Damages { damages, all: false, .. } = &error else { panic!("{error:?}") };
    assert_eq!(damages.len(), elysiactl::ops::check::MOST_DAMAGES);
    assert!(error.to_string().contains("at least 20 files"), "{error}");
}

#[cfg(unix)]
#[test]
fn several_archives_are_checked_one_after_the_other_and_no_server_is_named() {
    use crate::support::binary::{Stage, lines, said};
    let stage = Stage::new(Sandbox::builder().seeded("Article", 4, 2, 1));
    let [one, two, three] = [stage.backup(), stage.backup(), stage.backup()];
    let part = two.join("collections/Article/objects-000000.jsonl");
    std::fs::write(&part, "x").expect("written");
    let paths = [&one, &two, &three].map(|path| path.to_str().expect("text"));
    let output = stage.run(&[&["archive", "check"], &paths[..]].concat());
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    // One name may begin with another: two backups in one second are told apart by a number behind it.
    let names = |path: &str| text.contains(&format!("{path} ("));
    assert!(names(paths[0]) && !names(paths[1]) && names(paths[2]), "{text}");
    assert!(!text.contains("Server"), "{text}");
    assert_eq!(said(&output).matches(paths[1]).count(), 1, "{}", said(&output));
    assert!(said(&output).contains("Article: damaged, 0 objects proven\n"), "{}", said(&output));
    assert_eq!(said(&output).matches("Article: 4 objects").count(), 2, "{}", said(&output));
    let output = stage.run(&[&["--json", "archive", "check"], &paths[..]].concat());
    let ends: Vec<i64> = lines(&output.stdout)
        .iter()
        .filter(|event| event["event"] == "run_finished")
        .map(|event| event["exit_code"].as_i64().expect("a code"))
        .collect();
    assert_eq!((output.status.code(), ends.as_slice()), (Some(6), [0, 6, 0].as_slice()));
    assert_eq!(stage.run(&["archive", "check", paths[0], paths[2]]).status.code(), Some(0));
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
