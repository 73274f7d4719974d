//! Cuts the comparison of a collection into units: one part of the archive each, with the keys its runs stand for.
//! Runs without objects are added to their neighbours, so that no key is left out. Pure.

use std::collections::BTreeMap;

use crate::archive::Run;
use crate::model::KeyRange;

/// One run that holds objects, and the keys to compare with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The run's place in the list; `None` where no run holds objects.
    pub run: Option<usize>,
    /// Its own keys and those of the empty runs beside it.
    pub covers: KeyRange,
    /// Objects in it.
    pub objects: u64,
}

/// What one worker compares in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The part's place in the collection's list of parts; `None` for a collection without objects.
    pub part: Option<usize>,
    /// Its runs in the order of the file.
    pub segments: Vec<Segment>,
}

/// The units of a plain collection whose runs these are, sorted by `from` and covering every key once. Parts are taken
/// in the order of their numbers.
#[must_use]
pub fn units(runs: &[Run]) -> Vec<Unit> {
    let mut segments: Vec<(u32, u64, Segment)> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        match (run.part, segments.last_mut()) {
            (Some(part), last) => {
                // What lies before the first run with objects belongs to it.
                let from = if last.is_none() { None } else { run.covers.from };
                let covers = KeyRange { from, to: run.covers.to };
                segments.push((part, run.offset, Segment { run: Some(at), covers, objects: run.objects }));
            }
            (None, Some((_, _, last))) => last.covers.to = run.covers.to,
            (None, None) => {}
        }
    }
    if segments.is_empty() {
        return vec![Unit { part: None, segments: vec![Segment { run: None, covers: KeyRange::ALL, objects: 0 }] }];
    }
    let mut parts: BTreeMap<u32, Vec<(u64, Segment)>> = BTreeMap::new();
    for (part, offset, segment) in segments {
        parts.entry(part).or_default().push((offset, segment));
    }
    let unit = |(at, mut segments): (usize, Vec<(u64, Segment)>)| {
        segments.sort_by_key(|(offset, _)| *offset);
        Unit { part: Some(at), segments: segments.into_iter().map(|(_, segment)| segment).collect() }
    };
    parts.into_values().enumerate().map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::digest::RunDigest;
    use crate::model::ObjectId;

    fn run(from: u128, to: u128, part: Option<u32>, offset: u64) -> Run {
        let id = |n: u128| (n > 0).then_some(ObjectId(n));
        let objects = if part.is_some() { 2 } else { 0 };
        Run {
            tenant: None,
            covers: KeyRange { from: id(from), to: id(to) },
            first_id: None,
            last_id: None,
            objects,
            part,
            offset,
            bytes: 0,
            stored_bytes: 0,
            digest: RunDigest::default(),
        }
    }

    #[test]
    fn empty_runs_join_their_neighbours_and_parts_keep_the_order_of_the_file() {
        let runs = [
            run(0, 10, None, 0),
            run(10, 20, Some(4), 9),
            run(20, 30, None, 0),
            run(30, 40, Some(1), 0),
            run(40, 50, Some(4), 0),
            run(50, 0, None, 0),
        ];
        let number = |id: Option<ObjectId>| id.map_or(0, |id| id.0);
        let of = |unit: &Unit| -> Vec<(Option<usize>, u128, u128)> {
            unit.segments.iter().map(|s| (s.run, number(s.covers.from), number(s.covers.to))).collect()
        };
        let units = units(&runs);
        assert_eq!(units.iter().map(|unit| unit.part).collect::<Vec<_>>(), [Some(0), Some(1)]);
        assert_eq!(of(&units[0]), [(Some(3), 30, 40)]);
        assert_eq!(of(&units[1]), [(Some(4), 40, 0), (Some(1), 0, 30)], "every key is in one segment");
    }

    #[test]
    fn a_collection_without_objects_is_one_unit_over_all_keys() {
        for runs in [&[][..], &[run(0, 9, None, 0), run(9, 0, None, 0)]] {
            let all = Segment { run: None, covers: KeyRange::ALL, objects: 0 };
            assert_eq!(units(runs), [Unit { part: None, segments: vec![all] }]);
        }
    }
}
