//! A journal read back whole, torn, and tampered with.

use std::path::Path;

use proptest::prelude::*;

use super::super::testing::{SimDisk, backup, begun, objects, range};
use super::super::{Codec, Damage, Error};
use super::*;

fn read(bytes: &[u8]) -> Result<Checkpoint, Error> {
    Checkpoint::read(bytes, Path::new("checkpoint.jsonl"))
}

/// Two parts sealed, one of them discarded, one empty run.
fn journal() -> Vec<u8> {
    let (disk, archive, mut collection) = begun(false);
    collection.append(0, None, range(None, Some(9)), &objects([1, 9]), 1).expect("kept");
    collection.seal_parts().expect("sealed");
    collection.append(0, None, range(Some(9), Some(20)), &objects([10]), 2).expect("kept");
    collection.seal_parts().expect("sealed");
    collection.append(0, None, range(Some(20), Some(30)), &[], 1).expect("kept");
    collection.seal_parts().expect("sealed");
    assert_eq!(collection.discard_since(2).expect("dropped").objects, 1);
    disk.read(&archive.path().join("checkpoint.jsonl"))
}

#[test]
fn what_is_safe_is_known_after_a_crash() {
    let checkpoint = read(&journal()).expect("a journal");
    let header = checkpoint.header.as_ref().expect("a header");
    assert_eq!((header.source_url.as_str(), header.server_version.as_str()), ("http://localhost:8080", "1.32.0"));
    assert_eq!((checkpoint.parts(), checkpoint.objects(), checkpoint.torn), (1, 2, false));
    let collection = &checkpoint.collections["Article"];
    assert_eq!(collection.parts["objects-000000.jsonl"].runs[0].covers, range(None, Some(9)));
    assert_eq!(collection.empty.len(), 1);
}

#[test]
fn a_journal_torn_anywhere_tells_no_more_than_it_knows() {
    let whole = journal();
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', &whole).map(|at| at + 1).collect();
    for cut in 0..whole.len() {
        let checkpoint = read(&whole[..cut]).expect("a torn tail is no damage");
        assert_eq!(checkpoint.torn, cut != 0 && !ends.contains(&cut), "{cut}");
        let zeros: Vec<u8> = whole[..cut].iter().copied().chain(std::iter::repeat_n(0, 40)).collect();
        assert_eq!(read(&zeros).expect("neither are zeros").objects(), checkpoint.objects());
    }
}

#[test]
fn a_flipped_bit_before_the_last_line_is_damage() {
    let mut bytes = journal();
    let last = memchr::memrchr(b'\n', &bytes[..bytes.len() - 1]).expect("lines") + 1;
    for at in 0..last {
        // A lost line end makes two lines one, which is bad and not the last one either.
        bytes[at] ^= 1 << (at % 8);
        let refused = read(&bytes);
        let is_damage = matches!(
            refused,
            Err(Error::Damaged { line: Some(_), what: Damage::JournalLine | Damage::JournalOrder, .. })
        );
        let tail = at + 1 == last || !bytes[..last].contains(&b'\n');
        assert!(is_damage || (tail && refused.is_ok_and(|r| r.torn)), "{at}");
        bytes[at] ^= 1 << (at % 8);
    }
}

#[test]
fn records_that_contradict_each_other_are_damage() {
    let whole = journal();
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    for (drop, _) in lines.iter().enumerate().take(lines.len() - 1) {
        let rest: Vec<u8> =
            lines.iter().enumerate().filter(|(i, _)| *i != drop).flat_map(|(_, l)| l.to_vec()).collect();
        let tolerable = drop + 2 >= lines.len() || lines[drop].windows(11).any(|w| w == b"\"objects\":0");
        assert!(read(&rest).is_err() || tolerable, "line {drop}");
    }
    let twice: Vec<u8> = [lines[0], lines[0]].concat();
    assert!(matches!(read(&twice), Err(Error::Damaged { line: Some(2), what: Damage::JournalOrder, .. })));
}

#[test]
fn a_sealed_archive_keeps_no_journal() {
    let disk = std::sync::Arc::new(SimDisk::default());
    let sealed = backup(disk.clone(), Codec::None).expect("sealed");
    assert!(disk.files(&sealed.path).iter().all(|f| !f.ends_with("checkpoint.jsonl") && !f.ends_with(".lock")));
    assert!(sealed.left_behind.is_empty());
}

proptest! {
    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
        let mut after = journal();
        after.extend_from_slice(&bytes);
        let _ = read(&after);
    }
}
