//! A ledger under any reading: whatever is dropped is open again, and nothing that is proven is lost.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Keys of the small space that these tests read.
const KEYS: u8 = 32;

fn space(number: u8) -> Space {
    number.checked_sub(1).map(|number| format!("tenant{number}").parse().expect("a name"))
}

fn range(from: u8, to: u8) -> KeyRange {
    let edge = |at: u8| (at > 0 && at < KEYS).then_some(ObjectId(u128::from(at)));
    KeyRange { from: edge(from), to: edge(to) }
}

fn keys(range: &KeyRange) -> std::ops::Range<u8> {
    let edge = |at: Option<ObjectId>, open: u8| at.map_or(open, |id| u8::try_from(id.0).expect("a small key"));
    edge(range.from, 0)..edge(range.to, KEYS)
}

/// What a reader did: it read the next keys of a gap, and joined them to the stretch that they follow, if it may.
#[derive(Debug, Clone)]
enum Step {
    Read { space: u8, gap: usize, length: u8, joins: bool },
    Ask,
    DropFrom(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let read = (0..3u8, any::<prop::sample::Index>(), 1..8u8, any::<bool>());
    prop_oneof![
        8 => read.prop_map(|(space, gap, length, joins)| Step::Read { space, gap: gap.index(64), length, joins }),
        3 => Just(Step::Ask),
        1 => (0..3u64).prop_map(Step::DropFrom),
    ]
}

/// By space and key: with which mark it was read.
type Truth = BTreeMap<(u8, u8), u64>;

/// What is covered and what is open are every key exactly once, and what is covered was read with such a mark at most.
fn holds(coverage: &Coverage<u64>, truth: &Truth) -> Result<(), TestCaseError> {
    for number in 0..3 {
        let of = space(number);
        let mut seen = [0u8; KEYS as usize];
        for covered in coverage.of(of.as_ref()) {
            let mut objects = 0;
            for key in keys(&covered.keys) {
                seen[usize::from(key)] += 1;
                let mark = truth.get(&(number, key)).copied();
                prop_assert!(
                    mark.is_some_and(|mark| mark <= covered.mark),
                    "{key} of {number}: {mark:?} in {covered:?}"
                );
                objects += 1;
            }
            prop_assert_eq!(covered.facts, objects, "facts go with the keys");
        }
        for gap in coverage.gaps(of.as_ref()) {
            keys(&gap).for_each(|key| seen[usize::from(key)] += 1);
        }
        prop_assert_eq!(seen, [1; KEYS as usize]);
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_dropped_is_open_again_and_nothing_proven_is_lost(steps in prop::collection::vec(step(), 1..80)) {
        let (mut coverage, mut truth, mut mark) = (Coverage::default(), Truth::new(), 1);
        for step in steps {
            match step {
                Step::Ask => mark += 1,
                Step::Read { space: number, gap, length, joins } => {
                    let of = space(number);
                    let gaps = coverage.gaps(of.as_ref());
                    let Some(gap) = gaps.get(gap % gaps.len().max(1)).map(keys) else { continue };
                    let end = gap.end.min(gap.start + length);
                    let read = range(gap.start, end);
                    let before = coverage.of(of.as_ref()).find(|covered| joins && covered.keys.meets(&read));
                    let key = match before.map(|covered| (of.clone(), covered.keys.from)) {
                        Some(key) => {
                            prop_assert_eq!(coverage.extend(&key, read, mark), Ok(Some(())));
                            key
                        }
                        None => coverage.begin(of, read, mark, 0).expect("it lies in a gap"),
                    };
                    *coverage.facts_mut(&key).expect("it is there") += u64::from(end - gap.start);
                    truth.extend((gap.start..end).map(|key| ((number, key), mark)));
                }
                Step::DropFrom(back) => {
                    let since = mark.saturating_sub(back);
                    coverage.drop_since(since);
                    let covered = |number: u8, key: u8| {
                        let of = space(number);
                        !coverage.gaps(of.as_ref()).iter().any(|gap| keys(gap).contains(&key))
                    };
                    for ((number, key), read) in &truth {
                        prop_assert!(!covered(*number, *key) || *read < since, "{key} of {number} is in doubt");
                        // Further back than the last two questions nobody can be in doubt.
                        let is_lost = *read < since && back <= 1 && !covered(*number, *key);
                        prop_assert!(!is_lost, "{key} of {number} was proven: {read} < {since}");
                    }
                    truth.retain(|(number, key), _| covered(*number, *key));
                    // Whoever drops has asked: what is read from now on has a higher mark.
                    mark += 1;
                }
            }
            holds(&coverage, &truth)?;
        }
    }
}

#[test]
fn keys_are_covered_once() {
    let mut coverage = Coverage::default();
    let key = coverage.begin(None, range(4, 8), 1, ()).expect("free");
    for taken in [range(0, 5), range(5, 6), range(7, 12), range(4, 8), range(0, KEYS)] {
        assert_eq!(coverage.begin(None, taken, 1, ()), Err(Overlap), "{taken:?}");
    }
    coverage.begin(space(1), range(0, KEYS), 1, ()).expect("another space");
    coverage.begin(None, range(10, 12), 1, ()).expect("free");
    assert_eq!(coverage.extend(&key, range(8, 11), 1), Err(Overlap));
    assert_eq!(coverage.extend(&key, range(8, 10), 1), Ok(Some(())));
    assert_eq!(coverage.extend(&(space(2), None), range(8, 10), 1), Ok(None), "there is no such stretch");
    assert_eq!(coverage.gaps(None), [range(0, 4), range(12, KEYS)]);
    assert_eq!((coverage.spaces().count(), coverage.len(), coverage.is_empty()), (2, 3, false));
}
