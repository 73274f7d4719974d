//! What a user sees when an archive cannot be made, and that no failure of the disk and no power cut ever leaves a
//! manifest over missing data.

use std::io::ErrorKind;

use sha2::{Digest, Sha256};

use super::super::digest::Hash;
use super::super::testing::{CODECS, Crash, Fault, SimDisk, backup, facts, header, read_all, schema, writer};
use super::super::{Archive, Damage, OsDisk};
use super::*;

const STEM: &str = "Article_full_20261123_041200";

fn create(folder: &Path) -> Result<ArchiveWriter, Error> {
    ArchiveWriter::create(Arc::new(OsDisk), folder, STEM, Codec::None, header())
}

fn sealed_on_disk(folder: &Path) -> PathBuf {
    let mut archive = create(folder).expect("an archive");
    let collection = archive.collection(&schema("Article", false), Content::SchemaOnly).expect("begun");
    archive.seal(vec![collection.close(None).expect("closed")], facts()).expect("sealed").path
}

#[test]
fn a_missing_folder_is_made_and_a_taken_name_counts_on() {
    let temp = tempfile::tempdir().expect("a directory");
    let folder = temp.path().join("a/b");
    let (one, two) = (create(&folder).expect("one"), create(&folder).expect("two"));
    assert_eq!(one.path(), folder.join(STEM));
    assert_eq!(two.path(), folder.join(format!("{STEM}_2")));
    assert_eq!(place(&OsDisk, &folder, STEM), folder.join(format!("{STEM}_3")), "what a plan says");
    assert_eq!(place(&OsDisk, &folder.join("none"), STEM), folder.join("none").join(STEM));
}

#[test]
fn a_file_or_an_archive_is_no_folder_for_archives() {
    let temp = tempfile::tempdir().expect("a directory");
    let file = temp.path().join("file");
    std::fs::write(&file, "").expect("written");
    assert!(matches!(create(&file), Err(Error::OutputIsFile { path }) if path == file));
    assert!(matches!(create(&file.join("below")), Err(Error::OutputIsFile { path }) if path == file));
    let sealed = sealed_on_disk(temp.path());
    assert!(matches!(create(&sealed), Err(Error::OutputIsArchive { path }) if path == sealed));
    let unsealed = create(temp.path()).expect("unsealed");
    assert!(matches!(create(unsealed.path()), Err(Error::OutputIsArchive { .. })));
    assert!(matches!(
        ArchiveWriter::create(Arc::new(OsDisk), temp.path(), "../x", Codec::None, header()),
        Err(Error::Broken { what: Broken::Stem(_), .. })
    ));
}

#[test]
fn a_second_writer_is_locked_out_until_the_first_is_gone() {
    let temp = tempfile::tempdir().expect("a directory");
    let archive = create(temp.path()).expect("an archive");
    let path = archive.path().to_owned();
    assert!(matches!(lock(&OsDisk, &path), Err(Error::Locked { path: held }) if held == path));
    drop(archive);
    assert!(lock(&OsDisk, &path).is_ok());
}

#[test]
fn a_lock_or_journal_left_beside_a_manifest_is_no_damage() {
    let temp = tempfile::tempdir().expect("a directory");
    let path = sealed_on_disk(temp.path());
    for stray in [".lock", "checkpoint.jsonl", ".DS_Store", "collections/.DS_Store"] {
        std::fs::write(path.join(stray), "x").expect("written");
    }
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let archive = Archive::open(&disk, &path).expect("open");
    let mut strays = archive.strays().to_vec();
    strays.sort();
    assert_eq!(strays, [".DS_Store", ".lock", "checkpoint.jsonl", "collections/.DS_Store"]);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt;
    fn check(path: &Path, found: &mut usize) {
        let mode = std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        *found += 1;
        if path.is_dir() {
            std::fs::read_dir(path).expect("listed").for_each(|entry| check(&entry.expect("an entry").path(), found));
        }
    }
    let temp = tempfile::tempdir().expect("a directory");
    let _open = create(&temp.path().join("out")).expect("an archive");
    sealed_on_disk(&temp.path().join("out"));
    let mut found = 0;
    check(&temp.path().join("out"), &mut found);
    assert_eq!(found, 11);
}

#[test]
fn sums_are_as_sha256sum_reads_them() {
    let temp = tempfile::tempdir().expect("a directory");
    let path = sealed_on_disk(temp.path());
    let sums = std::fs::read_to_string(path.join("SHA256SUMS")).expect("sums");
    for line in sums.lines() {
        let (digits, file) = line.split_once("  ").expect("two columns");
        let bytes = std::fs::read(path.join(file)).expect("the file");
        assert_eq!(digits, super::super::digest::Hash(Sha256::digest(bytes).into()).to_string());
    }
    assert_eq!(sums.lines().count(), 1);
}

fn is_right(error: &Error, fault: Fault) -> bool {
    match fault {
        Fault::Short | Fault::Error(ErrorKind::StorageFull) => matches!(error, Error::NoSpace { .. }),
        Fault::Error(ErrorKind::PermissionDenied) => matches!(error, Error::PermissionDenied { .. }),
        Fault::Error(ErrorKind::ReadOnlyFilesystem) => matches!(error, Error::ReadOnly { .. }),
        Fault::Error(_) => matches!(error, Error::Io { .. }),
    }
}

/// T4: every call fails once, in every way.
#[test]
fn a_failing_disk_is_named_and_never_leaves_a_manifest_over_missing_data() {
    let whole = SimDisk::default();
    backup(Arc::new(whole.clone()), Codec::None).expect("sealed");
    let faults = [
        Fault::Error(ErrorKind::Other),
        Fault::Error(ErrorKind::StorageFull),
        Fault::Error(ErrorKind::PermissionDenied),
        Fault::Error(ErrorKind::ReadOnlyFilesystem),
        Fault::Short,
    ];
    let (mut failed, calls) = (0, whole.calls());
    for fault in faults {
        for at in 0..calls {
            let sim = SimDisk::fail_at(at, fault);
            let disk: Arc<dyn Disk> = Arc::new(sim.clone());
            let result = backup(Arc::clone(&disk), Codec::None);
            let found = read_all(&disk, &Path::new("/backups").join(STEM));
            match result {
                Ok(sealed) => assert!(!sealed.left_behind.is_empty() || at + 1 >= calls - 1, "call {at} {fault:?}"),
                Err(error) => {
                    failed += 1;
                    assert!(is_right(&error, fault), "call {at} {fault:?}: {error:?}");
                    assert!(!matches!(found, Err(Error::Damaged { .. })), "call {at} {fault:?}: {found:?}");
                }
            }
            if let Ok(found) = found {
                assert_eq!(found.len(), 6, "call {at} {fault:?}");
            }
        }
    }
    assert!(failed > 4 * usize::try_from(calls).expect("a small number"), "{failed}");
}

/// T3: a power cut after every call, with everything a disk may forget.
#[test]
fn a_power_cut_leaves_a_whole_archive_or_an_unsealed_one_with_every_part_it_promises() {
    let recording = SimDisk::recording();
    backup(Arc::new(recording.clone()), Codec::None).expect("sealed");
    let path = Path::new("/backups").join(STEM);
    let (mut whole, mut unsealed, crashes) = (0, 0, recording.crashes());
    for (step, how, sim) in &crashes {
        let disk: Arc<dyn Disk> = Arc::new(sim.clone());
        match read_all(&disk, &path) {
            Ok(found) => {
                assert_eq!(found.len(), 6, "step {step} {how:?}");
                whole += 1;
            }
            Err(Error::Unsealed { parts, .. }) => {
                keeps_its_promises(sim, &path, parts, *how);
                unsealed += 1;
            }
            Err(Error::NotFound { .. } | Error::NotAnArchive { .. }) => assert!(*step < 15, "step {step} {how:?}"),
            Err(error) => panic!("step {step} {how:?}: {error:?}"),
        }
    }
    assert!(whole > 10 && unsealed > 300, "{whole} whole, {unsealed} unsealed of {}", crashes.len());
}

fn keeps_its_promises(sim: &SimDisk, path: &Path, parts: u64, how: Crash) {
    let journal = sim.read(&path.join("checkpoint.jsonl"));
    let checkpoint = super::super::Checkpoint::read(&journal[..], path).expect("a journal");
    assert_eq!(checkpoint.parts(), parts);
    for (folder, collection) in &checkpoint.collections {
        for part in collection.parts.values() {
            let bytes = sim.read(&path.join("collections").join(folder).join(&part.file));
            assert_eq!(Sha256::digest(bytes)[..], part.sha256.0, "{how:?}");
        }
    }
}

#[test]
fn every_codec_is_read_back_whole() {
    for codec in CODECS {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::default());
        let sealed = backup(Arc::clone(&disk), codec).expect("sealed");
        assert_eq!(read_all(&disk, &sealed.path).expect("whole").len(), 6, "{codec:?}");
        assert_eq!(sealed.manifest.collections[0].parts.len(), 3);
    }
}

#[test]
fn a_collection_of_another_archive_is_not_sealed() {
    let disk = Arc::new(SimDisk::default());
    let (mut one, mut two) = (writer(disk.clone(), Codec::None).expect("one"), writer(disk, Codec::None).expect("two"));
    let article = schema("Article", false);
    let _mine = one.collection(&article, Content::SchemaOnly).expect("begun");
    let other = two.collection(&article, Content::SchemaOnly).expect("begun");
    let broken = |refused: Result<(), Error>| match refused {
        Err(Error::Broken { what, .. }) => what,
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(broken(one.collection(&article, Content::Full).map(drop)), Broken::Collections, "begun twice");
    assert_eq!(broken(one.put_aliases(b"not json")), Broken::Document);
    one.put_aliases(b"{}").expect("kept");
    assert_eq!(broken(one.put_aliases(b"{}")), Broken::Document, "twice");
    let closed = vec![other.close(None).expect("closed")];
    assert_eq!(broken(one.seal(closed, facts()).map(drop)), Broken::Collections, "closed by another");
}

#[test]
fn a_file_that_is_gone_before_the_manifest_names_it_is_told_and_nothing_is_sealed() {
    let sim = SimDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let mut archive = writer(Arc::clone(&disk), Codec::None).expect("an archive");
    let closed = archive.collection(&schema("Article", false), Content::SchemaOnly).expect("begun").close(None);
    let (path, gone) = (archive.path().to_owned(), archive.path().join("collections/Article/schema.json"));
    sim.set(&gone, None);
    let refused = archive.seal(vec![closed.expect("closed")], facts());
    let told = matches!(&refused, Err(Error::Broken { path, what: Broken::Counts }) if *path == gone);
    assert!(told, "{refused:?}");
    assert!(matches!(read_all(&disk, &path), Err(Error::Unsealed { .. })));
}

#[test]
fn a_manifest_that_no_reader_would_take_is_not_written() {
    let sim = SimDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let archive = writer(Arc::clone(&disk), Codec::None).expect("an archive");
    let sums = FileEntry { path: "SHA256SUMS".into(), bytes: 0, sha256: Hash([0; 32]) };
    let manifest = archive.manifest(Vec::new(), vec![sums.clone(), sums], facts());
    let refused = archive.put_manifest(&manifest);
    let Err(Error::Broken { what: Broken::Manifest(what), .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(what, Damage::NamedTwice("SHA256SUMS".into()));
    assert!(matches!(read_all(&disk, archive.path()), Err(Error::Unsealed { .. })));
}

#[test]
fn a_name_that_is_taken_in_every_number_is_told() {
    let disk = SimDisk::default();
    let folder = Path::new("/backups");
    disk.create_dir(folder).expect("made");
    let numbered = (2..=COPIES).map(|copy| format!("{STEM}_{copy}"));
    for taken in std::iter::once(STEM.to_owned()).chain(numbered) {
        disk.create_dir(&folder.join(taken)).expect("made");
    }
    let refused = create_dir_of(&disk, folder, STEM);
    assert!(matches!(refused, Err(Error::Broken { what: Broken::Numbers, .. })), "{refused:?}");
}
