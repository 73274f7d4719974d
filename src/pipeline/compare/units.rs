//! Cuts the comparison of a collection into units: one part of the archive each, with the keys its runs stand for.
//! Runs without objects are added to their neighbours of the same tenant, so that no key is left out. Pure.

use std::collections::BTreeMap;

use crate::archive::Run;
use crate::model::{KeyRange, TenantMap, TenantName};

/// Tenants without objects that are compared in one go, at most.
const EMPTY_TENANTS_A_UNIT: usize = 256;

/// One run that holds objects, and the keys to compare with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The run's place in the list; `None` where no run of the tenant holds objects.
    pub run: Option<usize>,
    /// Where it is compared with: a tenant or (`None`) a plain collection.
    pub tenant: Option<TenantName>,
    /// Its tenant by its name on the left.
    pub left_tenant: Option<TenantName>,
    /// Whether it is compared at all.
    pub wanted: bool,
    /// Its own keys and those of the empty runs beside it.
    pub covers: KeyRange,
    /// Objects in it.
    pub objects: u64,
}

/// What one worker compares in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The part's place in the collection's list of parts; `None` for what holds no objects.
    pub part: Option<usize>,
    /// Its runs in the order of the file.
    pub segments: Vec<Segment>,
}

/// The units of a collection whose runs these are, sorted by tenant and `from` and covering every key once. Parts are
/// taken in the order of their numbers. A plain collection (not `multi_tenant`) has keys even if it has no runs.
#[must_use]
pub fn units(runs: &[Run], multi_tenant: bool, tenants: &TenantMap) -> Vec<Unit> {
    let mut parts: BTreeMap<u32, Vec<(u64, Segment)>> = BTreeMap::new();
    let mut empty: Vec<Segment> = Vec::new();
    let mut first = 0;
    for of_tenant in runs.chunk_by(|a, b| a.tenant == b.tenant) {
        let target = tenants.target(of_tenant[0].tenant.as_ref());
        let found = segments(of_tenant, first, target.as_ref());
        first += of_tenant.len();
        if found.is_empty() && target.is_some() {
            empty.push(nothing(target.flatten(), of_tenant[0].tenant.clone()));
        }
        for (part, offset, segment) in found {
            parts.entry(part).or_default().push((offset, segment));
        }
    }
    if runs.is_empty()
        && !multi_tenant
        && let Some(tenant) = tenants.target(None)
    {
        empty.push(nothing(tenant, None));
    }
    let unit = |(at, mut segments): (usize, Vec<(u64, Segment)>)| {
        segments.sort_by_key(|(offset, _)| *offset);
        Unit { part: Some(at), segments: segments.into_iter().map(|(_, segment)| segment).collect() }
    };
    let without = empty.chunks(EMPTY_TENANTS_A_UNIT).map(|chunk| Unit { part: None, segments: chunk.to_vec() });
    parts.into_values().enumerate().map(unit).chain(without).collect()
}

/// The segments of one tenant with their parts and offsets. `first`: the place of its first run among all.
fn segments(runs: &[Run], first: usize, target: Option<&Option<TenantName>>) -> Vec<(u32, u64, Segment)> {
    let mut found: Vec<(u32, u64, Segment)> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        match (run.part, found.last_mut()) {
            (Some(part), last) => {
                // What lies before the first run with objects belongs to it.
                let from = if last.is_none() { None } else { run.covers.from };
                let segment = Segment {
                    run: Some(first + at),
                    tenant: target.cloned().flatten(),
                    left_tenant: run.tenant.clone(),
                    wanted: target.is_some(),
                    covers: KeyRange { from, to: run.covers.to },
                    objects: run.objects,
                };
                found.push((part, run.offset, segment));
            }
            (None, Some((_, _, last))) => last.covers.to = run.covers.to,
            (None, None) => {}
        }
    }
    found
}

fn nothing(tenant: Option<TenantName>, left_tenant: Option<TenantName>) -> Segment {
    Segment { run: None, tenant, left_tenant, wanted: true, covers: KeyRange::ALL, objects: 0 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

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
            left_out: 0,
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
        let units = units(&runs, false, &TenantMap::Same);
        assert_eq!(units.iter().map(|unit| unit.part).collect::<Vec<_>>(), [Some(0), Some(1)]);
        assert_eq!(of(&units[0]), [(Some(3), 30, 40)]);
        assert_eq!(of(&units[1]), [(Some(4), 40, 0), (Some(1), 0, 30)], "every key is in one segment");
    }

    #[test]
    fn tenants_are_apart_and_those_without_objects_are_compared_too() {
        let of = |tenant: &str, run: Run| Run { tenant: Some(tenant.parse().expect("a name")), ..run };
        let runs = [
            of("a", run(0, 10, Some(0), 0)),
            of("a", run(10, 0, None, 0)),
            of("b", run(0, 0, None, 0)),
            of("c", run(0, 10, None, 0)),
            of("c", run(10, 0, Some(0), 9)),
        ];
        let names = |unit: &Unit| -> Vec<String> {
            unit.segments.iter().map(|s| s.tenant.as_ref().map(ToString::to_string).unwrap_or_default()).collect()
        };
        let all = units(&runs, true, &TenantMap::Same);
        assert_eq!(all.iter().map(names).collect::<Vec<_>>(), [vec!["a", "c"], vec!["b"]]);
        assert!(all[0].segments.iter().all(|s| s.covers == KeyRange::ALL), "{all:?}");
        let only = TenantMap::Only(BTreeMap::from([("c".parse().expect("a name"), "x".parse().expect("a name"))]));
        let some = units(&runs, true, &only);
        assert_eq!(some.len(), 1, "the empty one is not chosen");
        assert_eq!(some[0].segments.iter().map(|s| s.wanted).collect::<Vec<_>>(), [false, true]);
        assert_eq!(names(&some[0]), ["", "x"]);
    }

    #[test]
    fn a_collection_without_tenants_has_no_keys() {
        assert_eq!(units(&[], true, &TenantMap::Same), []);
    }

    #[test]
    fn a_collection_without_objects_is_one_unit_over_all_keys() {
        for runs in [&[][..], &[run(0, 9, None, 0), run(9, 0, None, 0)]] {
            let all = nothing(None, None);
            assert_eq!(units(runs, false, &TenantMap::Same), [Unit { part: None, segments: vec![all] }]);
        }
    }

    /// Tenants with cuts of their keys; the number between two cuts is the part, 0 for no objects.
    fn archives() -> impl Strategy<Value = Vec<Run>> {
        let tenant = prop::collection::vec((1u128..1_000, 0u32..4), 0..6);
        let tenants = prop::collection::btree_map("[a-e]{1,2}", (tenant, 0u32..4), 0..6);
        tenants.prop_map(|tenants| {
            let (mut runs, mut offsets) = (Vec::new(), [0u64; 4]);
            for (name, (mut cuts, last)) in tenants {
                cuts.sort_unstable();
                cuts.dedup_by_key(|(at, _)| *at);
                let ends = cuts.iter().map(|(at, part)| (*at, *part)).chain([(0, last)]);
                let mut from = 0;
                for (to, part) in ends {
                    let place = usize::try_from(part).expect("small");
                    offsets[place] += 1;
                    let run = run(from, to, part.checked_sub(1), offsets[place]);
                    runs.push(Run { tenant: Some(name.parse().expect("a name")), ..run });
                    from = to;
                }
            }
            runs
        })
    }

    proptest! {
        #[test]
        fn every_key_of_every_tenant_is_in_one_segment(runs in archives(), chosen in prop::collection::vec(any::<bool>(), 6)) {
            let names: BTreeSet<TenantName> = runs.iter().filter_map(|run| run.tenant.clone()).collect();
            let wanted: BTreeMap<TenantName, TenantName> =
                names.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(n, _)| (n.clone(), n.clone())).collect();
            let units = units(&runs, true, &TenantMap::Only(wanted.clone()));
            let mut covered: BTreeMap<&TenantName, Vec<KeyRange>> = BTreeMap::new();
            let mut of_file: Vec<usize> = Vec::new();
            for unit in &units {
                let places: Vec<usize> = unit.segments.iter().filter_map(|segment| segment.run).collect();
                prop_assert!(places.is_sorted_by_key(|run| runs[*run].offset), "in the order of the file");
                prop_assert!(places.windows(2).all(|two| runs[two[0]].part == runs[two[1]].part), "of one part");
                of_file.extend(places);
                for segment in unit.segments.iter().filter(|segment| segment.wanted) {
                    let tenant = segment.tenant.as_ref().expect("a tenant");
                    prop_assert!(segment.run.is_none_or(|run| runs[run].tenant.as_ref() == Some(tenant)));
                    covered.entry(tenant).or_default().push(segment.covers);
                }
            }
            of_file.sort_unstable();
            let holding: Vec<usize> = (0..runs.len()).filter(|run| runs[*run].part.is_some()).collect();
            prop_assert_eq!(of_file, holding, "a part is read as a whole, whoever is wanted");
            prop_assert_eq!(covered.keys().copied().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
            for ranges in covered.values_mut() {
                ranges.sort_unstable_by_key(|range| range.from);
                prop_assert!(ranges[0].from.is_none() && ranges[ranges.len() - 1].to.is_none());
                prop_assert!(ranges.windows(2).all(|two| two[0].meets(&two[1])), "{:?}", ranges);
            }
        }
    }
}
