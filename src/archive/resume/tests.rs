//! A run that ended anywhere, by a power cut or a disk that fails, is resumed to the archive that an unbroken one makes.

use std::io::ErrorKind;

use super::super::testing::{
    Crash, Fault, SimDisk, backup, begun, facts, objects, range, read_all, schema, tenant, time,
};
use super::super::{ArchiveWriter, Codec, Content, Sealed};
use super::*;
use crate::model::ObjectId;

const STEM: &str = "/backups/Article_full_20261123_041200";
/// What `backup` keeps.
const IDS: [u128; 6] = [0, 2, 3, 50, 55, u128::MAX];

fn resume(disk: &SimDisk) -> Result<Resumed, Error> {
    ArchiveWriter::resume(Arc::new(disk.clone()), Path::new(STEM), time())
}

/// Carries the backup on to its end; `None` if there is nothing to resume.
fn finish(disk: &SimDisk) -> Result<Option<Sealed>, Error> {
    let Resumed { writer: mut archive, mut begun, .. } = match resume(disk) {
        Ok(resumed) => resumed,
        Err(Error::NotFound { .. } | Error::NotAnArchive { .. } | Error::Unsealed { objects: 0, .. }) => {
            return Ok(None);
        }
        Err(Error::Sealed { path }) => {
            tidy_sealed(disk, &path)?;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let article = schema("Article", false);
    let carried = archive.resume_collection(&mut begun, &article.name)?;
    archive.put_aliases(br#"{"aliases":[]}"#)?;
    let mut collection = match carried {
        Some(carried) => {
            assert_eq!(carried.writer.schema().text, article.text);
            carried.writer
        }
        None => archive.collection(&article, Content::Full)?,
    };
    for gap in collection.gaps(None) {
        let inside = objects(IDS.into_iter().filter(|id| gap.contains(ObjectId(*id))));
        collection.append(0, None, gap, &inside, 9)?;
    }
    collection.seal_parts()?;
    archive.seal(vec![collection.close(None)?], facts()).map(Some)
}

fn carried(resumed: &mut Resumed, name: &str) -> ResumedCollection {
    let name = name.parse().expect("a name");
    resumed.writer.resume_collection(&mut resumed.begun, &name).expect("there").expect("begun")
}

fn unbroken() -> Hash {
    let sealed = backup(Arc::new(SimDisk::default()), Codec::None).expect("sealed");
    sealed.manifest.collections[0].digest.expect("a digest")
}

/// The archive is whole, proven, and says what an unbroken one says; but for the very first steps, there is one.
fn is_whole(disk: &SimDisk, step: usize, about: &dyn std::fmt::Debug) -> bool {
    let as_disk: Arc<dyn Disk> = Arc::new(disk.clone());
    match read_all(&as_disk, Path::new(STEM)) {
        Ok(found) => {
            assert_eq!(found.len(), IDS.len(), "{about:?}");
            let archive = super::super::Archive::open(&as_disk, Path::new(STEM)).expect("opened");
            assert_eq!(archive.collections()[0].digest, Some(unbroken()), "{about:?}");
            true
        }
        Err(error) => {
            assert!(
                step < 15
                    && matches!(
                        error,
                        Error::NotFound { .. } | Error::NotAnArchive { .. } | Error::Unsealed { objects: 0, .. }
                    ),
                "{about:?}: {error:?}"
            );
            false
        }
    }
}

/// T3: every state that a power cut may leave is whole already, or is resumed to a whole archive.
#[test]
fn a_backup_cut_anywhere_is_carried_on_to_the_same_archive() {
    let recording = SimDisk::recording();
    backup(Arc::new(recording.clone()), Codec::None).expect("sealed");
    let (crashes, mut carried) = (recording.crashes(), 0);
    for (step, how, disk) in &crashes {
        let about = (step, how);
        let finished = finish(disk).unwrap_or_else(|error| panic!("{about:?}: {error:?}"));
        carried += usize::from(finished.is_some());
        is_whole(disk, *step, &about);
    }
    assert!(carried > 300, "{carried} of {}", crashes.len());
}

/// A backup that loses what it read last, and reads it again.
fn backup_with_doubt(disk: SimDisk, codec: Codec) -> Result<Sealed, Error> {
    let mut archive = super::super::testing::writer(Arc::new(disk), codec)?;
    archive.put_aliases(br#"{"aliases":[]}"#)?;
    let mut collection = archive.collection(&schema("Article", false), Content::Full)?;
    collection.append(0, None, range(None, Some(2)), &objects([0, 2]), 1)?;
    collection.append(0, None, range(Some(2), Some(50)), &objects([3, 50]), 2)?;
    collection.append(1, None, range(Some(50), Some(52)), &[], 1)?;
    collection.append(1, None, range(Some(52), Some(60)), &objects([55]), 2)?;
    collection.append(2, None, range(Some(60), Some(80)), &[], 1)?;
    collection.append(2, None, range(Some(80), None), &objects([u128::MAX]), 1)?;
    collection.seal_parts()?;
    collection.discard_since(2)?;
    for gap in collection.gaps(None) {
        let inside = objects(IDS.into_iter().filter(|id| gap.contains(ObjectId(*id))));
        collection.append(0, None, gap, &inside, 3)?;
    }
    collection.seal_parts()?;
    archive.seal(vec![collection.close(None)?], facts())
}

/// T3 and T4 while pages are taken back: whatever call is the last one, the archive is whole or can be resumed.
#[test]
fn a_backup_cut_while_it_takes_pages_back_is_carried_on_to_the_same_archive() {
    for codec in [Codec::None, Codec::Zstd] {
        let recording = SimDisk::recording();
        let sealed = backup_with_doubt(recording.clone(), codec).expect("sealed");
        assert_eq!(sealed.manifest.collections[0].digest, Some(unbroken()));
        let mut carried = 0;
        for (step, how, disk) in recording.crashes() {
            let finished = finish(&disk).unwrap_or_else(|error| panic!("{step} {how:?}: {error:?}"));
            carried += usize::from(finished.is_some());
            is_whole(&disk, step, &(step, how));
        }
        assert!(carried > 300, "{carried}");
        for at in 0..recording.calls() {
            let disk = SimDisk::fail_at(at, Fault::Error(ErrorKind::Other));
            if let Err(error) = backup_with_doubt(disk.clone(), codec) {
                assert!(matches!(error, Error::Io { .. }), "call {at}: {error:?}");
                finish(&disk).unwrap_or_else(|error| panic!("call {at}: {error:?}"));
                is_whole(&disk, usize::try_from(at).expect("small"), &at);
            }
        }
    }
}

/// A backup from a cluster: what it read last was short, and it noticed.
fn backup_with_short_pages(disk: SimDisk) -> Result<Sealed, Error> {
    let mut archive = super::super::testing::writer(Arc::new(disk), Codec::None)?;
    archive.put_aliases(br#"{"aliases":[]}"#)?;
    let mut collection = archive.collection(&schema("Article", false), Content::Full)?;
    collection.await_proof();
    collection.append(0, None, range(None, Some(2)), &objects([0, 2]), 1)?;
    collection.append(1, None, range(Some(60), None), &objects([u128::MAX]), 1)?;
    collection.note_proven(2)?;
    collection.append(0, None, range(Some(2), Some(50)), &objects([3]), 2)?;
    collection.append(2, None, range(Some(50), Some(60)), &[], 2)?;
    collection.seal_parts()?;
    collection.discard_since(2)?;
    for gap in collection.gaps(None) {
        let inside = objects(IDS.into_iter().filter(|id| gap.contains(ObjectId(*id))));
        collection.append(0, None, gap, &inside, 3)?;
    }
    collection.seal_parts()?;
    archive.seal(vec![collection.close(None)?], facts())
}

/// However a run from a cluster ends, its journal tells of no page that was never proven.
#[test]
fn whenever_a_backup_is_cut_no_short_page_counts() {
    let recording = SimDisk::recording();
    let sealed = backup_with_short_pages(recording.clone()).expect("sealed");
    assert_eq!(sealed.manifest.collections[0].digest, Some(unbroken()));
    let mut kept = 0;
    for (step, how, disk) in recording.crashes() {
        let Ok(unfinished) = look(&disk, Path::new(STEM)) else { continue };
        for collection in unfinished.checkpoint.collections.values() {
            let runs = collection.parts.values().flat_map(|part| &part.runs).chain(collection.empty.values());
            for run in runs {
                let there = IDS.into_iter().filter(|id| run.covers.contains(ObjectId(*id))).count() as u64;
                assert_eq!(run.objects, there, "{step} {how:?}: {:?}", run.covers);
                kept += 1;
            }
        }
        finish(&disk).unwrap_or_else(|error| panic!("{step} {how:?}: {error:?}"));
        is_whole(&disk, step, &(step, how));
    }
    assert!(kept > 50, "{kept}");
}

/// The same for a run that is resumed and cut once more, at every call of the second one.
#[test]
fn a_backup_cut_twice_is_carried_on_to_the_same_archive() {
    let recording = SimDisk::recording();
    backup(Arc::new(recording.clone()), Codec::None).expect("sealed");
    let mut states = 0;
    for (step, how, disk) in
        recording.crashes().into_iter().filter(|(step, how, _)| *how != Crash::Everything && step % 23 == 3)
    {
        disk.record();
        finish(&disk).unwrap_or_else(|error| panic!("{step} {how:?}: {error:?}"));
        for (second, again, disk) in disk.crashes() {
            let about = (step, how, second, again);
            finish(&disk).unwrap_or_else(|error| panic!("{about:?}: {error:?}"));
            is_whole(&disk, step, &about);
            states += 1;
        }
    }
    assert!(states > 1_500, "{states}");
}

/// T4: a disk that fails at any call of the resuming leaves what can be resumed again.
#[test]
fn a_disk_that_fails_while_a_backup_is_carried_on_spoils_nothing() {
    let recording = SimDisk::recording();
    backup(Arc::new(recording.clone()), Codec::None).expect("sealed");
    let mut failed = 0;
    for (step, how, cut) in
        recording.crashes().into_iter().filter(|(step, how, _)| *how == Crash::Nothing && step % 9 == 4)
    {
        for fault in [
            Fault::Error(ErrorKind::Other),
            Fault::Error(ErrorKind::StorageFull),
            Fault::Error(ErrorKind::PermissionDenied),
            Fault::Short,
        ] {
            for at in 0.. {
                let disk = cut.twin();
                disk.fail_later(Some((at, fault)));
                let before = disk.calls();
                let done = finish(&disk);
                let about = (step, how, at, fault);
                if let Err(error) = &done {
                    failed += 1;
                    assert!(!matches!(error, Error::Damaged { .. } | Error::Broken { .. }), "{about:?}: {error:?}");
                }
                let calls = disk.calls() - before;
                disk.fail_later(None);
                finish(&disk).unwrap_or_else(|error| panic!("{about:?}: {error:?}"));
                is_whole(&disk, step, &about);
                if calls <= at {
                    break;
                }
            }
        }
    }
    assert!(failed > 500, "{failed}");
}

#[test]
fn what_the_journal_does_not_know_and_what_is_not_as_it_says_is_named_and_read_again() {
    let (disk, archive, mut collection) = begun(false);
    for (part, id) in [1, 10, 20, 30].into_iter().enumerate() {
        let from = (part > 0).then_some([0, 9, 19, 29][part]);
        collection.append(0, None, range(from, Some([9, 19, 29, 39][part])), &objects([id]), 1).expect("kept");
        collection.seal_parts().expect("sealed");
    }
    collection.append(0, None, range(Some(39), Some(49)), &objects([40]), 1).expect("kept");
    let dir = Path::new(STEM).join("collections/Article");
    let part = |number: u32| dir.join(format!("objects-{number:06}.jsonl"));
    drop((archive, collection));
    disk.set(&part(0), None);
    disk.edit(&part(1), |bytes| bytes.push(b' '));
    disk.set(&part(7), Some(b"{}\n".to_vec()));
    let mut resumed = resume(&disk).expect("carried on");
    let file = |number: u32, end: &str| format!("collections/Article/objects-{number:06}.jsonl{end}");
    let mut dropped = resumed.dropped.clone();
    dropped.sort();
    assert_eq!(
        dropped,
        [
            (file(0, ""), NotKeptReason::Missing),
            (file(1, ""), NotKeptReason::OtherSize),
            (file(4, ".tmp"), NotKeptReason::Unfinished),
            (file(7, ""), NotKeptReason::NotInJournal)
        ]
    );
    let ResumedCollection { writer: mut collection, noted } = carried(&mut resumed, "Article");
    assert_eq!(collection.gaps(None), [range(None, Some(19)), range(Some(39), None)]);
    assert_eq!(disk.files(&dir), [part(2), part(3), dir.join("schema.json")]);
    let parts: Vec<&str> = noted.parts.keys().map(String::as_str).collect();
    assert_eq!(parts, ["objects-000002.jsonl", "objects-000003.jsonl"]);
    let mut reader = collection.read_part(&noted.parts[parts[0]]).expect("opened");
    assert!(reader.next_line().expect("a line").is_some());
    reader.finish().expect("proven");
    assert_eq!(collection.discard_part(parts[1]).expect("dropped").objects, 1);
    assert_eq!(collection.gaps(None), [range(None, Some(19)), range(Some(29), None)]);
    // Numbers are not given twice, so that nothing of an earlier part is ever taken for a later one.
    let sealed =
        collection.append(0, None, range(None, Some(19)), &objects([1, 10]), 2).and_then(|_| collection.seal_parts());
    assert_eq!(&*sealed.expect("sealed")[0].part, "objects-000004.jsonl");
}

#[test]
fn a_part_whose_bytes_changed_is_found_when_it_is_read_again() {
    let (disk, archive, mut collection) = begun(false);
    collection.append(0, None, range(None, Some(9)), &objects([1, 2]), 1).expect("kept");
    collection.seal_parts().expect("sealed");
    drop((archive, collection));
    disk.edit(&Path::new(STEM).join("collections/Article/objects-000000.jsonl"), |bytes| bytes[40] ^= 1);
    let mut resumed = resume(&disk).expect("carried on");
    let ResumedCollection { writer: collection, noted } = carried(&mut resumed, "Article");
    let refused = collection.read_part(&noted.parts["objects-000000.jsonl"]).expect("opened").finish();
    assert!(matches!(refused, Err(Error::Damaged { what: Damage::Hash, .. })), "{refused:?}");
}

#[test]
fn tenants_share_parts_and_what_is_incomplete_is_remembered() {
    let (disk, archive, mut collection) = begun(true);
    let names: Vec<_> = ["a", "b", "c"].map(tenant).into();
    collection.note_incomplete(Some(&names[1]), vec![ObjectId(7)]).expect("noted");
    for name in &names {
        collection.append(0, Some(name), range(None, None), &objects([7]), 1).expect("kept");
    }
    collection.seal_parts().expect("sealed");
    drop((archive, collection));
    let mut resumed = resume(&disk).expect("carried on");
    let ResumedCollection { writer: collection, noted: Noted { incomplete, .. }, .. } =
        carried(&mut resumed, "Article");
    assert_eq!(incomplete.into_iter().collect::<Vec<_>>(), [(Some(names[1].clone()), ObjectId(7))]);
    assert_eq!(collection.tenants().into_iter().collect::<Vec<_>>(), names);
    assert!(names.iter().all(|name| collection.gaps(Some(name)).is_empty()));
}

#[test]
fn only_an_unsealed_archive_that_nobody_writes_is_carried_on() {
    let (disk, archive, _collection) = begun(false);
    assert!(matches!(resume(&disk), Err(Error::Locked { .. })));
    drop(archive);
    drop(resume(&disk).expect("carried on"));
    let sealed = Arc::new(SimDisk::default());
    backup(Arc::clone(&sealed) as Arc<dyn Disk>, Codec::None).expect("sealed");
    assert!(matches!(resume(&sealed), Err(Error::Sealed { .. })));
    assert!(matches!(look(&*sealed, Path::new(STEM)), Err(Error::Sealed { .. })));
    assert!(matches!(look(&*sealed, Path::new("/backups")), Err(Error::NotAnArchive { .. })));
    disk.set(&Path::new(STEM).join("collections/Article/mine.txt"), Some(b"keep me".to_vec()));
    assert!(matches!(resume(&disk), Err(Error::Damaged { what: Damage::Unknown, .. })));
    assert_eq!(disk.read(&Path::new(STEM).join("collections/Article/mine.txt")), b"keep me");
}

#[test]
fn what_an_unsealed_archive_holds_can_be_looked_at() {
    let (disk, archive, mut collection) = begun(false);
    collection.append(0, None, range(None, Some(9)), &objects([1, 2]), 1).expect("kept");
    collection.seal_parts().expect("sealed");
    collection.note_shards(&["x".into()]).expect("noted");
    let before = disk.calls();
    let found = look(&*disk, Path::new(STEM)).expect("unsealed, whoever writes it");
    assert_eq!((found.checkpoint.parts(), found.checkpoint.objects()), (1, 2));
    assert_eq!(found.checkpoint.collections["Article"].shards, ["x"]);
    assert_eq!(schema_begun(&*disk, &found, "Article").expect("a schema").name.as_str(), "Article");
    assert!(schema_begun(&*disk, &found, "Book").is_err());
    assert!(disk.calls() > before);
    drop((archive, collection));
}

/// A backup that gives up a collection half-way, begins it anew, and gives up that one, too.
fn backup_that_gives_up(disk: SimDisk) -> Result<Sealed, Error> {
    let mut archive = super::super::testing::writer(Arc::new(disk), Codec::None)?;
    archive.put_aliases(br#"{"aliases":[]}"#)?;
    let gone = schema("Gone", false);
    for n in [1, 2] {
        let mut half = archive.collection(&gone, Content::Full)?;
        half.append(0, None, range(None, Some(2)), &objects(0..=n), 1)?;
        half.seal_parts()?;
        half.append(0, None, range(Some(2), Some(9)), &objects([3, 4, 9]), 2)?;
        drop(half);
        archive.give_up(&gone.name)?;
    }
    assert!(archive.give_up(&gone.name).is_err(), "it is not there any more");
    let mut collection = archive.collection(&schema("Article", false), Content::Full)?;
    collection.append(0, None, range(None, None), &objects(IDS), 1)?;
    collection.seal_parts()?;
    archive.seal(vec![collection.close(None)?], facts())
}

#[test]
fn of_a_collection_that_was_given_up_nothing_is_left_wherever_the_backup_was_cut() {
    let none_of_it = |disk: &SimDisk| {
        assert!(!disk.files(Path::new(STEM)).iter().any(|file| file.to_string_lossy().contains("Gone")));
    };
    let gone = "Gone".parse().expect("a name");
    let recording = SimDisk::recording();
    assert_eq!(backup_that_gives_up(recording.clone()).expect("sealed").manifest.collections.len(), 1);
    none_of_it(&recording);
    let mut carried = 0;
    for (step, how, disk) in recording.crashes() {
        let Ok(Resumed { mut writer, mut begun, dropped, .. }) = resume(&disk) else { continue };
        let lost = |(file, why): &(String, NotKeptReason)| file.contains("Gone") && *why == NotKeptReason::Missing;
        assert!(!dropped.iter().any(lost), "{step} {how:?}: {dropped:?}");
        // Its owner removed it, whether this run had noticed or not.
        let had_begun = writer.give_up_begun(&mut begun, &gone).unwrap_or_else(|e| panic!("{step} {how:?}: {e:?}"));
        drop((writer, begun));
        carried += usize::from(had_begun);
        let finished = finish(&disk).unwrap_or_else(|error| panic!("{step} {how:?}: {error:?}"));
        assert!(finished.is_some(), "{step} {how:?}");
        none_of_it(&disk);
        assert!(is_whole(&disk, step, &(step, how)));
    }
    assert!(carried > 20, "{carried}");
}
