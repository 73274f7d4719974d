//! Ranges cover the key space exactly once, or the gaps say where they do not.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::Codec;
use super::super::digest::Hash;
use super::super::format::RunLine;
use super::super::testing::range;
use super::*;

fn run(from: Option<u128>, to: Option<u128>) -> Run {
    Run::empty(None, range(from, to))
}

#[test]
fn nothing_read_is_one_gap_and_everything_read_is_none() {
    assert_eq!(KeyRange::gaps(&[]), [KeyRange::ALL]);
    assert_eq!(KeyRange::gaps(&[KeyRange::ALL]), []);
    assert_eq!(KeyRange::gaps(&[range(None, Some(u128::MAX))]), []);
    assert_eq!(KeyRange::gaps(&[range(Some(3), Some(5))]), [range(None, Some(3)), range(Some(5), None)]);
}

#[test]
fn runs_out_of_order_overlapping_or_apart_are_noticed() {
    assert!(cover_exactly_once(&[run(None, Some(5)), run(Some(5), None)]));
    for bad in [
        vec![run(Some(5), None), run(None, Some(5))],
        vec![run(None, Some(5)), run(Some(4), None)],
        vec![run(None, Some(5)), run(Some(6), None)],
        vec![run(Some(0), None)],
        vec![run(None, Some(5))],
        vec![run(None, None), run(None, None)],
    ] {
        assert!(!cover_exactly_once(&bad), "{bad:?}");
    }
}

proptest! {
    /// Any cuts of the space, some of the pieces lost: pieces and gaps together cover everything exactly once.
    #[test]
    fn pieces_and_gaps_cover_every_key_exactly_once(
        cuts in proptest::collection::btree_set(prop_oneof![any::<u128>(), 0..4u128, Just(u128::MAX - 1)], 0..12),
        lost in any::<u16>(),
    ) {
        let mut cuts: BTreeSet<u128> = cuts;
        cuts.remove(&u128::MAX);
        let bounds: Vec<Option<u128>> = std::iter::once(None).chain(cuts.into_iter().map(Some)).collect();
        let pieces = bounds.iter().enumerate().map(|(i, from)| run(*from, bounds.get(i + 1).copied().flatten()));
        let pieces: Vec<Run> = pieces.collect();
        prop_assert!(cover_exactly_once(&pieces));
        let kept: Vec<Run> = pieces.iter().enumerate().filter(|(i, _)| lost >> i & 1 == 0).map(|(_, r)| r.clone()).collect();
        let found = KeyRange::gaps(kept.iter().map(|r| &r.covers));
        prop_assert_eq!(found.is_empty(), kept.len() == pieces.len());
        let mut all: Vec<Run> = kept.into_iter().chain(found.into_iter().map(|g| Run::empty(None, g))).collect();
        all.sort_by_key(|r| r.covers.from);
        prop_assert!(cover_exactly_once(&all));
    }

    #[test]
    fn a_run_survives_its_line(from in any::<Option<u128>>(), part in any::<u16>(), bytes in 2..u64::MAX, n in any::<u128>()) {
        let first = ObjectId(n | 1 << 127);
        let from = from.map(|f| ObjectId(f >> 1));
        let mut digest = RunDigest::default();
        digest.add(Hash([7; 32]));
        let run = Run {
            tenant: Some("t".parse().expect("a tenant")),
            covers: KeyRange { from, to: None },
            first_id: Some(first),
            last_id: Some(first),
            objects: 1,
            part: Some(u32::from(part)),
            offset: bytes / 3,
            bytes,
            stored_bytes: bytes / 2,
            digest,
            left_out: 3,
        };
        let text = serde_json::to_string(&RunLine::new(&run, Codec::Zstd)).expect("a line");
        let line: RunLine = serde_json::from_str(&text).expect("a run");
        prop_assert_eq!(line.into_run(Codec::Zstd), Ok(run));
    }
}

#[test]
fn the_runs_of_a_part_are_found_in_the_order_of_its_file() {
    let one = |n: u32, part: Option<u32>, offset: u64| {
        let tenant = format!("t{n:03}").parse().ok();
        Run { part, offset, ..Run::empty(tenant, KeyRange::ALL) }
    };
    let all = (0..100).map(|n| one(n, (n % 3 > 0).then_some(n % 3), u64::from(n * 37 % 100)));
    let index = Index::of(all.collect());
    for part in [1, 2] {
        let offsets: Vec<u64> = index.inside(part).iter().map(|at| index[*at].offset).collect();
        assert!(offsets.len() == 33 && offsets.is_sorted(), "{offsets:?}");
        assert!(index.inside(part).iter().all(|at| index[*at].part == Some(part)));
    }
    assert_eq!(index.inside(3), [0; 0]);
}
