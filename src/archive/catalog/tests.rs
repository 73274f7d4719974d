//! Folders of archives: sealed, unsealed, damaged, hidden, and none at all.

use std::sync::Arc;
use std::time::Duration;

use super::super::testing::{Fault, SimDisk, facts as seal_facts, header, schema, time, writer};
use super::super::{ArchiveWriter, Codec, OsDisk, SealFacts};
use super::*;

const FOLDER: &str = "/backups";

/// An archive sealed so many minutes after the others, with these collections.
fn seal(disk: Arc<dyn Disk>, folder: &str, stem: &str, minutes: u64, names: &[&str], content: Content) {
    let mut archive = ArchiveWriter::create(disk, Path::new(folder), stem, Codec::None, header()).expect("an archive");
    let mut closed = Vec::new();
    for name in names {
        let mut collection = archive.collection(&schema(name, false), content).expect("a collection");
        if content != Content::SchemaOnly {
            let objects = super::super::testing::objects([1, 2, 3]);
            collection.append(0, None, super::super::testing::range(None, None), &objects, 1).expect("kept");
            collection.seal_parts().expect("sealed");
        }
        closed.push(collection.close(None).expect("closed"));
    }
    let sealed = time() + Duration::from_secs(60 * minutes);
    archive.seal(closed, SealFacts { sealed, ..seal_facts() }).expect("sealed");
}

fn folder() -> Arc<SimDisk> {
    let disk = Arc::new(SimDisk::default());
    seal(disk.clone(), FOLDER, "B_full_1", 2, &["B"], Content::Full);
    seal(disk.clone(), FOLDER, "A_full_1", 1, &["A", "B"], Content::Full);
    seal(disk.clone(), FOLDER, "A_no-vectors_2", 4, &["A", "C"], Content::NoVectors);
    seal(disk.clone(), FOLDER, "all_schema_1", 9, &["A", "B", "C"], Content::SchemaOnly);
    disk
}

fn names(found: &[Found]) -> Vec<&str> {
    found.iter().map(|f| f.path.file_name().and_then(|name| name.to_str()).expect("a name")).collect()
}

fn newest(disk: &SimDisk, collection: Option<&str>) -> Option<String> {
    let found = latest(disk, Path::new(FOLDER), collection, Content::Full).expect("a folder");
    found.map(|found| names(&[found])[0].to_owned())
}

#[test]
fn archives_come_newest_first_with_what_they_hold() {
    let catalog = list(&*folder(), Path::new(FOLDER)).expect("a folder");
    assert_eq!(names(&catalog.sealed), ["all_schema_1", "A_no-vectors_2", "B_full_1", "A_full_1"]);
    let of = |at: usize| {
        let found = &catalog.sealed[at];
        (found.content, found.collections, found.objects, found.bytes > 0)
    };
    assert_eq!(of(0), (Content::SchemaOnly, 3, 0, false));
    assert_eq!(of(1), (Content::NoVectors, 2, 6, true));
    assert_eq!(of(2), (Content::Full, 1, 3, true));
    assert_eq!(catalog.sealed[3].names, ["A", "B"]);
    assert!(catalog.unusable.is_empty());
}

#[test]
fn the_latest_is_never_a_schema_and_holds_the_collection_named() {
    let disk = folder();
    assert_eq!(newest(&disk, None).as_deref(), Some("B_full_1"));
    assert_eq!(newest(&disk, Some("B")).as_deref(), Some("B_full_1"));
    assert_eq!(newest(&disk, Some("A")).as_deref(), Some("A_full_1"), "a newer one has no vectors");
    assert_eq!(newest(&disk, Some("C")), None);
    assert_eq!(newest(&disk, Some("b")), None);
    let least = |content| {
        let found = latest(&*disk, Path::new(FOLDER), None, content).expect("a folder");
        found.map(|found| names(&[found])[0].to_owned())
    };
    assert_eq!(least(Content::NoVectors).as_deref(), Some("A_no-vectors_2"));
    assert_eq!(least(Content::SchemaOnly).as_deref(), Some("all_schema_1"));
}

#[test]
fn of_two_sealed_in_one_instant_the_one_that_holds_more_is_the_newest() {
    let disk = Arc::new(SimDisk::default());
    seal(disk.clone(), FOLDER, "A_full_1", 1, &["A"], Content::Full);
    seal(disk.clone(), FOLDER, "A_schema_1", 1, &["A"], Content::SchemaOnly);
    let found = latest(&*disk, Path::new(FOLDER), None, Content::SchemaOnly).expect("a folder").expect("one");
    assert_eq!(names(&[found]), ["A_full_1"]);
}

#[test]
fn holders_are_the_newest_of_each_collection_and_only_of_that_server() {
    let disk = folder();
    for n in 0..12 {
        seal(disk.clone(), FOLDER, &format!("D_full_{n}"), 20 + n, &["D"], Content::Full);
    }
    let asked = |url: &str, wanted: &[&str]| {
        let wanted = wanted.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
        let found = holders(&*disk, Path::new(FOLDER), url, &wanted).expect("a folder");
        let name = |holder: &Holder| holder.path.file_name().expect("a name").to_string_lossy().into_owned();
        found.iter().map(|holder| format!("{} {}", name(holder), holder.names.join(","))).collect::<Vec<_>>()
    };
    let url = header().source_url;
    assert_eq!(asked(&url, &["A", "B"]), ["A_no-vectors_2 A", "B_full_1 B", "A_full_1 A,B"]);
    assert_eq!(asked(&format!("{url}/"), &["C"]), ["A_no-vectors_2 C"]);
    let newest = asked(&url, &["D"]);
    assert_eq!((newest.len(), newest[0].as_str()), (HOLDERS_KEPT, "D_full_11 D"));
    assert_eq!(asked("http://elsewhere:8080", &["A"]), [""; 0]);
}

#[test]
fn of_two_sealed_at_once_the_second_is_the_newer() {
    let disk = Arc::new(SimDisk::default());
    for _ in 0..2 {
        seal(disk.clone(), FOLDER, "A_full_1", 1, &["A"], Content::Full);
    }
    assert_eq!(newest(&disk, None).as_deref(), Some("A_full_1_2"));
}

#[test]
fn unsealed_and_damaged_archives_are_named_and_the_rest_is_found() {
    let disk = folder();
    drop(writer(disk.clone(), Codec::None).expect("an archive that is never sealed"));
    disk.edit(Path::new("/backups/B_full_1/manifest.json"), |bytes| bytes[20] ^= 1);
    disk.create_dir(Path::new("/backups/notes")).expect("a directory");
    disk.set(Path::new("/backups/readme.txt"), Some(b"hello".to_vec()));
    let catalog = list(&*disk, Path::new(FOLDER)).expect("a folder");
    assert_eq!(names(&catalog.sealed), ["all_schema_1", "A_no-vectors_2", "A_full_1"]);
    let unusable: Vec<_> = catalog.unusable.iter().map(|(path, why)| (path.as_path(), why)).collect();
    assert!(
        matches!(
            unusable.as_slice(),
            [(_, Error::Unsealed { .. }), (damaged, Error::Damaged { .. })] if damaged.ends_with("B_full_1")
        ),
        "{unusable:?}"
    );
    assert_eq!(newest(&disk, Some("B")).as_deref(), Some("A_full_1"), "the damaged one is not chosen");
}

#[test]
fn hidden_folders_are_not_looked_into() {
    let disk = folder();
    seal(disk.clone(), "/backups/.safety", "A_full_9", 60, &["A"], Content::Full);
    let inside = disk.files(Path::new("/backups/.safety/A_full_9"));
    for path in inside {
        let hidden =
            Path::new("/backups/.A_full_9").join(path.strip_prefix("/backups/.safety/A_full_9").expect("in it"));
        disk.set(&hidden, Some(disk.read(&path)));
    }
    assert_eq!(newest(&disk, None).as_deref(), Some("B_full_1"));
}

#[test]
fn a_missing_folder_a_file_and_a_failing_disk_are_told_apart() {
    let disk = folder();
    let asked = |path: &str| list(&*disk, Path::new(path)).expect_err("no folder");
    assert!(matches!(asked("/nowhere"), Error::NotFound { .. }));
    disk.set(Path::new("/file"), Some(Vec::new()));
    assert!(matches!(asked("/file"), Error::OutputIsFile { .. }));
    for (at, op) in [(0, DiskOp::Open), (1, DiskOp::List)] {
        let disk = SimDisk::fail_at(1 + at, Fault::Error(std::io::ErrorKind::Other));
        disk.create_dir(Path::new(FOLDER)).expect("a directory");
        let failed = list(&disk, Path::new(FOLDER)).expect_err("a failing disk");
        assert!(matches!(failed, Error::Io { op: found, .. } if found == op), "{failed:?}");
    }
}

#[test]
fn a_folder_beyond_the_limit_is_refused_rather_than_looked_through_in_part() {
    let disk = SimDisk::default();
    disk.create_dir(Path::new(FOLDER)).expect("a directory");
    for n in 0..=ENTRIES {
        disk.set(&Path::new(FOLDER).join(n.to_string()), Some(Vec::new()));
    }
    assert!(matches!(list(&disk, Path::new(FOLDER)), Err(Error::TooMany { limit: ENTRIES, .. })));
}

#[cfg(unix)]
#[test]
fn the_folder_may_lie_behind_a_link_but_an_archive_may_not() {
    let place = tempfile::tempdir().expect("a folder");
    let (real, link) = (place.path().join("real"), place.path().join("link"));
    seal(Arc::new(OsDisk), real.to_str().expect("text"), "A_full_1", 1, &["A"], Content::Full);
    std::os::unix::fs::symlink(&real, &link).expect("a link");
    std::os::unix::fs::symlink("A_full_1", real.join("A_full_2")).expect("a link");
    let catalog = list(&OsDisk, &link).expect("a folder");
    assert_eq!(catalog.sealed.iter().map(|f| &f.path).collect::<Vec<_>>(), [&link.join("A_full_1")]);
}
