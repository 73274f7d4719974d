//! Lanes, runs, parts, marks and gaps, and every rule a caller may break.

use super::super::testing::{CODECS, backup, begun, facts, object, objects, range, read_all, schema, tenant};
use super::super::{Archive, ArchiveWriter, Codec, Disk};
use super::*;
use crate::model::ObjectId;

fn sealed(archive: ArchiveWriter, collection: CollectionWriter) -> CollectionEntry {
    let closed = collection.close(None).expect("closed");
    archive.seal(vec![closed], facts()).expect("sealed").manifest.collections.remove(0)
}

use super::super::manifest::CollectionEntry;

#[test]
fn stretches_that_meet_are_one_run_and_others_begin_a_new_one() {
    let (disk, archive, mut collection) = begun(false);
    for (from, to) in [(None, Some(4)), (Some(4), Some(9)), (Some(20), Some(30)), (Some(30), None)] {
        let ids = to.map_or(40, |to| to - 1);
        collection.append(0, None, range(from, to), &objects([ids]), 0).expect("kept");
    }
    assert_eq!(collection.gaps(None), [range(Some(9), Some(20))]);
    collection.append(0, None, range(Some(9), Some(20)), &[], 0).expect("kept");
    assert_eq!(collection.seal_parts().expect("sealed").len(), 1);
    let path = archive.path().to_owned();
    let entry = sealed(archive, collection);
    let disk: Arc<dyn Disk> = disk;
    let archive = Archive::open(&disk, &path).expect("open");
    let runs = archive.runs(&entry).expect("runs");
    let found: Vec<_> = runs.iter().map(|run| (run.covers, run.objects)).collect();
    assert_eq!(found, [(range(None, Some(9)), 2), (range(Some(9), Some(20)), 0), (range(Some(20), None), 2)]);
    assert_eq!(read_all(&disk, &path).expect("whole").len(), 4);
}

#[test]
fn lanes_write_parts_of_their_own() {
    let (_, _archive, mut collection) = begun(false);
    collection.append(0, None, range(None, Some(4)), &objects([1]), 0).expect("kept");
    collection.append(1, None, range(Some(9), None), &objects([10]), 0).expect("kept");
    collection.append(0, None, range(Some(4), Some(9)), &objects([5]), 0).expect("kept");
    let parts: Vec<_> =
        collection.seal_parts().expect("sealed").iter().map(|p| (p.part.to_string(), p.objects)).collect();
    assert_eq!(parts, [("objects-000000.jsonl".into(), 2), ("objects-000001.jsonl".into(), 1)]);
    assert_eq!(collection.gaps(None), []);
}

#[test]
fn ten_thousand_small_tenants_do_not_mean_ten_thousand_files() {
    let (disk, archive, mut collection) = begun(true);
    let names: Vec<_> = (0..300).map(|n| tenant(&format!("t{n:03}"))).collect();
    for name in &names {
        collection.append(0, Some(name), KeyRange::ALL, &objects([7]), 0).expect("kept");
    }
    assert_eq!(collection.seal_parts().expect("sealed").len(), 1);
    assert_eq!(collection.totals().tenants.len(), 300);
    collection.put_tenants(b"[]").expect("kept");
    let path = archive.path().to_owned();
    let entry = sealed(archive, collection);
    assert_eq!((entry.parts[0].runs, entry.objects), (300, 300));
    let disk: Arc<dyn Disk> = disk;
    assert_eq!(read_all(&disk, &path).expect("whole").len(), 300);
}

#[test]
fn a_part_is_closed_before_it_passes_64_mib() {
    let (_, _archive, mut collection) = begun(false);
    let big = |id| object(id, &format!(r#"{{"text":"{}"}}"#, "x".repeat(33 << 20)));
    assert_eq!(collection.append(0, None, range(None, Some(1)), &[big(1)], 0).expect("kept"), []);
    let closed = collection.append(0, None, range(Some(1), Some(2)), &[big(2)], 0).expect("kept");
    assert_eq!((closed.len(), closed[0].objects), (1, 1));
    assert!(closed[0].bytes < PART_BYTES && closed[0].bytes == closed[0].stored_bytes);
    assert_eq!(collection.gaps(None), [range(Some(2), None)]);
}

#[test]
fn pages_in_doubt_are_taken_back_and_nothing_else() {
    for codec in CODECS {
        let disk = Arc::new(super::super::testing::SimDisk::default());
        let mut archive = super::super::testing::writer(disk.clone(), codec).expect("an archive");
        let mut collection = archive.collection(&schema("Article", false), Content::Full).expect("begun");
        collection.append(0, None, range(None, Some(4)), &objects([1, 2]), 1).expect("kept");
        collection.seal_parts().expect("sealed");
        collection.append(0, None, range(Some(4), Some(9)), &objects([5]), 1).expect("kept");
        collection.append(0, None, range(Some(9), Some(20)), &objects([15]), 2).expect("kept");
        collection.seal_parts().expect("sealed");
        collection.append(1, None, range(Some(20), Some(30)), &[], 1).expect("kept");
        collection.append(1, None, range(Some(30), Some(40)), &objects([33]), 3).expect("kept");
        collection.append(2, None, range(Some(50), Some(60)), &[], 3).expect("kept");
        collection.append(3, None, range(Some(70), Some(75)), &objects([72, 73]), 1).expect("kept");
        collection.append(3, None, range(Some(80), Some(85)), &objects([82]), 2).expect("kept");
        let before = collection.totals();
        let dropped = collection.discard_since(2).expect("dropped");
        assert_eq!(dropped.objects, 3, "15, 33 and 82");
        assert_eq!(collection.totals().bytes + dropped.bytes, before.bytes);
        let open = [range(Some(9), Some(20)), range(Some(30), Some(70)), range(Some(75), None)];
        assert_eq!(collection.gaps(None), open, "the empty stretch before the page of 33 is proven");
        assert_eq!(disk.files(&archive.path().join("collections")).len(), 4, "schema and three parts");
        assert_eq!(collection.discard_since(2).expect("nothing left").objects, 0);
        collection.append(1, None, open[0], &objects([15]), 4).expect("kept");
        collection.append(1, None, open[1], &objects([33]), 4).expect("kept");
        collection.append(1, None, open[2], &objects([82]), 4).expect("kept");
        collection.seal_parts().expect("sealed");
        let path = archive.path().to_owned();
        let entry = sealed(archive, collection);
        assert_eq!((entry.objects, entry.digest), (8, before.digest), "the same objects as before");
        let disk: Arc<dyn Disk> = disk;
        assert_eq!(read_all(&disk, &path).expect("whole").len(), 8);
    }
}

#[test]
fn a_long_run_is_cut_at_the_last_good_answer() {
    let (disk, archive, mut collection) = begun(false);
    for second in 0..40_u128 {
        let covers = range((second > 0).then_some(second * 10), Some(second * 10 + 10));
        let mark = u64::try_from(second).expect("small") + 1;
        collection.append(0, None, covers, &objects([second * 10 + 1, second * 10 + 2]), mark).expect("kept");
    }
    assert_eq!(collection.discard_since(39).expect("dropped").objects, 4, "what was read since, of 80");
    assert_eq!(collection.gaps(None), [range(Some(380), None)]);
    assert_eq!(collection.discard_since(20).expect("dropped").objects, 76, "what is long proven is not cut");
    collection.append(0, None, KeyRange::ALL, &objects([1]), 41).expect("kept");
    collection.seal_parts().expect("sealed");
    let path = archive.path().to_owned();
    assert_eq!(sealed(archive, collection).objects, 1);
    let disk: Arc<dyn Disk> = disk;
    assert_eq!(read_all(&disk, &path).expect("whole").len(), 1);
}

#[test]
fn what_joined_a_run_late_is_taken_back_alone_whatever_joined_others_since() {
    let (_, _archive, mut collection) = begun(false);
    collection.append(0, None, range(None, Some(10)), &objects([1]), 5).expect("kept");
    collection.append(1, None, range(Some(50), Some(60)), &objects([51]), 6).expect("kept");
    collection.append(0, None, range(Some(10), Some(20)), &objects([11]), 7).expect("kept");
    collection.append(1, None, range(Some(60), Some(70)), &objects([61]), 8).expect("kept");
    assert_eq!(collection.discard_since(7).expect("dropped").objects, 2, "11 and 61");
    assert_eq!(collection.gaps(None), [range(Some(10), Some(50)), range(Some(60), None)]);
}

/// Parts and empty runs that the journal tells of.
fn noted(disk: &super::super::testing::SimDisk, archive: &ArchiveWriter) -> (usize, usize) {
    let unfinished = super::super::resume::look(disk, archive.path()).expect("a journal");
    let kept = &unfinished.checkpoint.collections["Article"];
    assert!(!unfinished.checkpoint.torn);
    (kept.parts.len(), kept.empty.len())
}

#[test]
fn the_journal_hears_of_a_page_once_it_is_proven_and_not_before() {
    let (disk, archive, mut collection) = begun(false);
    collection.await_proof();
    collection.append(0, None, range(None, Some(4)), &objects([1]), 1).expect("kept");
    collection.append(1, None, range(Some(4), Some(9)), &objects([5]), 2).expect("kept");
    collection.append(2, None, range(Some(9), Some(12)), &[], 1).expect("kept");
    collection.append(2, None, range(Some(12), Some(20)), &[], 2).expect("kept");
    assert_eq!(collection.seal_parts().expect("sealed").len(), 2);
    assert_eq!((noted(&disk, &archive), collection.noted_objects()), ((0, 0), 0));
    assert!(!collection.note_proven(1).expect("nothing"));
    assert!(collection.note_proven(2).expect("noted"));
    assert_eq!((noted(&disk, &archive), collection.noted_objects()), ((1, 0), 1));
    // What goes with a mark of 2 leaves the empty run as it was, once.
    assert_eq!(collection.discard_since(2).expect("dropped").objects, 1);
    assert_eq!(collection.gaps(None), [range(Some(4), Some(9)), range(Some(12), None)]);
    assert_eq!(noted(&disk, &archive), (1, 1));
    collection.append(0, None, range(Some(4), Some(9)), &objects([5]), 3).expect("kept");
    collection.append(0, None, range(Some(12), None), &objects([13]), 4).expect("kept");
    collection.seal_parts().expect("sealed");
    assert_eq!(noted(&disk, &archive), (1, 1));
    collection.note_proven(5).expect("noted");
    assert_eq!(noted(&disk, &archive), (2, 1));
    assert_eq!(sealed(archive, collection).objects, 3);
}

#[test]
fn a_part_that_loses_a_tenant_stays_as_unproven_as_it_was() {
    let (disk, archive, mut collection) = begun(true);
    collection.await_proof();
    for name in ["a", "b"] {
        collection.append(0, Some(&tenant(name)), KeyRange::ALL, &objects([7]), 1).expect("kept");
    }
    collection.seal_parts().expect("sealed");
    collection.discard_tenants(&[tenant("a")].into()).expect("dropped");
    assert_eq!((noted(&disk, &archive), collection.noted_objects()), ((0, 0), 0));
    collection.note_proven(2).expect("noted");
    assert_eq!((noted(&disk, &archive), collection.noted_objects()), ((1, 0), 1));
}

#[test]
fn tenants_that_are_taken_back_leave_the_others_of_their_part() {
    let (disk, archive, mut collection) = begun(true);
    let names: Vec<_> = (0..30).map(|n| tenant(&format!("t{n:02}"))).collect();
    for name in &names {
        collection.append(0, Some(name), KeyRange::ALL, &objects([7, 9]), 0).expect("kept");
    }
    collection.seal_parts().expect("sealed");
    let gone = names[3..5].iter().cloned().collect();
    assert_eq!(collection.discard_tenants(&gone).expect("dropped").objects, 4);
    assert_eq!(collection.tenants().len(), 28);
    for name in &gone {
        assert_eq!(collection.gaps(Some(name)), [KeyRange::ALL]);
        collection.append(0, Some(name), KeyRange::ALL, &objects([8]), 0).expect("kept");
    }
    collection.seal_parts().expect("sealed");
    collection.put_tenants(b"[]").expect("kept");
    let path = archive.path().to_owned();
    let entry = sealed(archive, collection);
    assert_eq!((entry.objects, entry.parts.len(), entry.tenants.len()), (58, 2, 30));
    let disk: Arc<dyn Disk> = disk;
    assert_eq!(read_all(&disk, &path).expect("whole").len(), 58);
}

#[test]
fn the_digest_does_not_depend_on_lanes_parts_and_codec() {
    let mut digests = std::collections::BTreeSet::new();
    for codec in CODECS {
        let disk = Arc::new(super::super::testing::SimDisk::default());
        digests.insert(backup(disk, codec).expect("sealed").manifest.collections[0].digest);
    }
    let (_, archive, mut collection) = begun(false);
    collection.append(3, None, KeyRange::ALL, &objects([0, 2, 3, 50, 55, u128::MAX]), 0).expect("kept");
    collection.seal_parts().expect("sealed");
    digests.insert(sealed(archive, collection).digest);
    assert_eq!(digests.len(), 1);
}

#[test]
fn every_broken_rule_is_an_error_and_ends_the_collection() {
    type Stretch = (Option<&'static str>, KeyRange, Vec<RawObject>);
    type Is = fn(&Broken) -> bool;
    let two_lines = RawObject { text: "{\n}".into(), ..object(3, "{}") };
    // Zeros that nobody reads take no memory.
    let too_long = RawObject { text: vec![0; OBJECT_BYTES].into(), ..object(4, "{}") };
    let cases: Vec<(Stretch, Is)> = vec![
        ((None, range(None, Some(9)), objects([2, 1])), |broken| *broken == Broken::IdOrder(ObjectId(1))),
        ((None, range(None, Some(9)), objects([2, 2])), |broken| *broken == Broken::IdOrder(ObjectId(2))),
        ((None, range(None, Some(9)), objects([10])), |broken| *broken == Broken::IdOrder(ObjectId(10))),
        ((None, range(Some(2), Some(9)), objects([2])), |broken| *broken == Broken::IdOrder(ObjectId(2))),
        ((None, range(Some(9), Some(8)), vec![]), |broken| *broken == Broken::Range),
        ((Some("t"), range(None, Some(9)), vec![]), |broken| *broken == Broken::Tenant),
        ((None, range(None, Some(9)), vec![two_lines]), |broken| *broken == Broken::Text(ObjectId(3))),
        ((None, range(None, Some(9)), vec![too_long]), |broken| *broken == Broken::TooLong(ObjectId(4))),
        ((None, range(Some(99), Some(102)), vec![]), |broken| *broken == Broken::Overlap),
        ((None, range(Some(105), None), vec![]), |broken| *broken == Broken::Overlap),
        ((None, range(Some(101), Some(102)), vec![]), |broken| *broken == Broken::Overlap),
    ];
    for ((of, covers, objects), is_it) in cases {
        let (_, _archive, mut collection) = begun(false);
        collection.append(0, None, range(Some(100), Some(110)), &[], 0).expect("kept");
        let of = of.map(tenant);
        let refused = collection.append(1, of.as_ref(), covers, &objects, 0);
        assert!(matches!(&refused, Err(Error::Broken { what, .. }) if is_it(what)), "{covers:?}: {refused:?}");
        assert!(matches!(collection.seal_parts(), Err(Error::Broken { what: Broken::AfterFailure, .. })));
        assert!(collection.close(None).is_err());
    }
}

#[test]
fn an_unfinished_collection_is_not_closed() {
    let refused = |collection: CollectionWriter| match collection.close(None) {
        Err(Error::Broken { what, .. }) => what,
        _ => panic!("closed"),
    };
    let (_, _archive, collection) = begun(false);
    assert_eq!(refused(collection), Broken::Gap);
    let (_, _archive, mut collection) = begun(false);
    collection.append(0, None, KeyRange::ALL, &objects([1]), 0).expect("kept");
    assert_eq!(refused(collection), Broken::OpenPart);
    let (_, _archive, mut collection) = begun(true);
    collection.append(0, Some(&tenant("a")), range(Some(1), None), &[], 0).expect("kept");
    assert_eq!(refused(collection), Broken::Gap);
}

#[test]
fn a_part_that_was_never_written_is_not_taken_back() {
    let (_, _archive, mut collection) = begun(false);
    for unknown in ["objects-000000.jsonl", "../objects-000000.jsonl"] {
        let refused = collection.discard_part(unknown);
        assert!(matches!(refused, Err(Error::Broken { what: Broken::Numbers, .. })), "{refused:?}");
    }
    collection.append(0, None, KeyRange::ALL, &objects([1]), 0).expect("nothing was harmed");
}

#[test]
fn the_last_key_of_all_needs_no_stretch_of_its_own() {
    let (_, archive, mut collection) = begun(false);
    collection.append(0, None, range(None, Some(u128::MAX)), &objects([u128::MAX]), 0).expect("kept");
    assert_eq!(collection.gaps(None), []);
    collection.append(0, None, range(Some(u128::MAX), None), &[], 0).expect("nothing to keep");
    collection.seal_parts().expect("sealed");
    assert_eq!(sealed(archive, collection).objects, 1);
}

#[test]
fn a_grown_schema_is_taken_over_and_the_earlier_one_kept() {
    let (disk, archive, mut collection) = begun(false);
    collection.append(0, None, KeyRange::ALL, &[], 0).expect("kept");
    let before = schema("Article", false);
    let text = String::from_utf8_lossy(&before.text).replace("[]", r#"[{"name":"new","dataType":["text"]}]"#);
    let after = Schema::parse(text.into()).expect("a schema");
    let closed = collection.close(Some(&after)).expect("closed");
    assert!(closed.schema_changed());
    let sealed = archive.seal(vec![closed], facts()).expect("sealed");
    let at = sealed.path.join("collections/Article");
    assert_eq!(disk.read(&at.join("schema.json")), after.text);
    assert_eq!(disk.read(&at.join("schema.before.json")), before.text);
    let disk: Arc<dyn Disk> = disk;
    assert_eq!(read_all(&disk, &sealed.path).expect("whole").len(), 0);
}

#[test]
fn vectors_are_named_with_their_dimensions() {
    let (_, archive, mut collection) = begun(false);
    let text =
        r#"{"id":"00000000-0000-0000-0000-000000000005","vectors":{"body":[1,2,3],"lines":[[1,2],[3,4]],"none":[]}}"#;
    let one = super::super::testing::split(&text.into()).expect("an object");
    collection.append(0, None, KeyRange::ALL, &[one], 0).expect("kept");
    collection.seal_parts().expect("sealed");
    let vectors: Vec<_> = sealed(archive, collection).vectors.into_iter().collect();
    assert_eq!(vectors, [("body".to_owned(), 3), ("lines".to_owned(), 2)]);
}

#[test]
fn a_schema_only_collection_holds_no_objects() {
    let disk = Arc::new(super::super::testing::SimDisk::default());
    let mut archive = super::super::testing::writer(disk.clone(), Codec::None).expect("an archive");
    let mut collection = archive.collection(&schema("Article", false), Content::SchemaOnly).expect("begun");
    let refused = collection.append(0, None, KeyRange::ALL, &[], 0);
    assert!(matches!(refused, Err(Error::Broken { what: Broken::SchemaOnly, .. })), "{refused:?}");
    let collection = archive.collection(&schema("Book", true), Content::SchemaOnly).expect("begun");
    let closed = collection.close(None).expect("closed");
    assert_eq!((closed.totals().objects, closed.totals().digest), (0, None));
    let refused = archive.seal(vec![closed], facts());
    assert!(matches!(refused, Err(Error::Broken { what: Broken::Collections, .. })), "Article was not closed");
}
