//! The order in which collections are restored, those that others refer to first, and which references have to wait
//! for what comes later. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::RestoreRefusal;
use crate::model::{CollectionName, Renames, Schema};
use crate::ops::select::capital;

/// Where a collection stands on the way through its references.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Not,
    /// It is on the way down: who meets it again has found a circle, and goes on without it.
    Open,
    Done,
}

/// A reference property's name and a collection it refers to, as the archive calls it.
pub(in crate::ops) type Reference = (String, String);

/// A reference property whose targets are not all there when its collection's objects are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its name.
    pub(super) property: String,
    /// A collection it refers to is created after its own, so the property is added after that.
    pub(super) added: bool,
    /// The place in the order of the last collection it waits for; its own place if that is all it waits for.
    pub(super) until: usize,
}

/// A collection in the order of the restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its place among the schemas.
    pub(super) at: usize,
    /// Its references that wait, in the order of the schema.
    pub(super) waiting: Vec<Waiting>,
}

/// The turns of `schemas`; otherwise as they stand. `live` says whether the server has a collection of this name, which
/// counts for references to collections that were not chosen; `filled`, by place, whether a chosen one gets objects.
pub(super) fn order(
    schemas: &[Schema],
    live: &dyn Fn(&CollectionName) -> bool,
    filled: &dyn Fn(usize) -> bool,
    renames: &Renames,
) -> Result<Vec<Turn>, Vec<RestoreRefusal>> {
    let chosen: BTreeMap<&str, usize> = schemas.iter().enumerate().map(|(at, s)| (s.name.as_str(), at)).collect();
    let mut refused = Vec::new();
    // Property and chosen target of every collection.
    let mut needs: Vec<Vec<(String, usize)>> = Vec::with_capacity(schemas.len());
    for schema in schemas {
        let mut own = Vec::new();
        for (property, target) in references(schema) {
            match chosen.get(target.as_str()) {
                Some(other) => own.push((property, *other)),
                None if target.parse().is_ok_and(|target| live(renames.of(&target))) => {}
                None => refused.push(missing_target(schema, (property, target), renames)),
            }
        }
        needs.push(own);
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let sequence = sorted(&needs.iter().map(|own| own.iter().map(|(_, other)| *other).collect()).collect::<Vec<_>>());
    let mut places = vec![0; schemas.len()];
    sequence.iter().enumerate().for_each(|(place, at)| places[*at] = place);
    let turn = |at: usize| Turn { at, waiting: waiting(places[at], &needs[at], &places, filled) };
    Ok(sequence.into_iter().map(turn).collect())
}

/// The references of the collection at `place` that wait.
fn waiting(place: usize, needs: &[(String, usize)], places: &[usize], filled: &dyn Fn(usize) -> bool) -> Vec<Waiting> {
    let mut found: Vec<Waiting> = Vec::new();
    for (property, target) in needs {
        // A collection that gets no objects is never complete; nothing is gained by waiting for it either.
        if places[*target] < place && filled(*target) {
            continue;
        }
        let added = places[*target] > place;
        let until = if filled(*target) { places[*target].max(place) } else { place };
        match found.iter_mut().find(|waiting| waiting.property == *property) {
            Some(known) => (known.added, known.until) = (known.added || added, known.until.max(until)),
            None => found.push(Waiting { property: property.clone(), added, until }),
        }
    }
    found
}

/// References to collections that are not there, of a collection that is created alone. To itself it may refer.
pub(in crate::ops) fn missing(
    schema: &Schema,
    live: &dyn Fn(&CollectionName) -> bool,
    renames: &Renames,
) -> Vec<RestoreRefusal> {
    let there =
        |target: &str| target == schema.name.as_str() || target.parse().is_ok_and(|target| live(renames.of(&target)));
    let missing = references(schema).into_iter().filter(|(_, target)| !there(target));
    missing.map(|reference| missing_target(schema, reference, renames)).collect()
}

fn missing_target(schema: &Schema, (property, target): Reference, renames: &Renames) -> RestoreRefusal {
    // The capital that every server makes of a first letter is no other name.
    let other_name = |old: &CollectionName| Some(renames.of(old)).filter(|new| **new != capital(old)).cloned();
    let new_name = target.parse().ok().and_then(|old| other_name(&old));
    RestoreRefusal::MissingTarget { collection: schema.name.clone(), property, target, renamed: new_name }
}

/// The references of a collection: each property with each collection it refers to.
pub(in crate::ops) fn references(schema: &Schema) -> Vec<Reference> {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let mut found = Vec::new();
    for property in document["properties"].as_array().into_iter().flatten() {
        let name = property["name"].as_str().unwrap_or_default();
        if !schema.references.iter().any(|reference| reference == name) {
            continue;
        }
        let targets = property["dataType"].as_array().into_iter().flatten().filter_map(Value::as_str);
        found.extend(targets.map(|target| (name.to_owned(), target.to_owned())));
    }
    found
}

/// Depth first, without recursion since chains may be long: everything after what it needs, but for the circles.
fn sorted(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut visits = vec![Visit::Not; needs.len()];
    let mut order = Vec::with_capacity(needs.len());
    for start in 0..needs.len() {
        if visits[start] != Visit::Not {
            continue;
        }
        visits[start] = Visit::Open;
        // Each with the number of its references already followed.
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((at, followed)) = way.last_mut() {
            let Some(&next) = needs[*at].get(*followed) else {
                visits[*at] = Visit::Done;
                order.push(*at);
                way.pop();
                continue;
            };
            *followed += 1;
            if visits[next] == Visit::Not {
                visits[next] = Visit::Open;
                way.push((next, 0));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::ops::schema::testing::{name, schema};

    /// Collections `C0`, `C1`, … each with a reference property `r<n>` to each of some of them.
    fn schemas(needs: &[Vec<usize>]) -> Vec<Schema> {
        let one = |(at, needs): (usize, &Vec<usize>)| {
            let to = |other: &usize| json!({"name": format!("r{other}"), "dataType": [format!("C{other}")]});
            let text = json!({"name": "t", "dataType": ["text"]});
            let properties: Vec<Value> = std::iter::once(text).chain(needs.iter().map(to)).collect();
            schema(&json!({"class": format!("C{at}"), "properties": properties}))
        };
        needs.iter().enumerate().map(one).collect()
    }

    fn ordered(needs: &[Vec<usize>]) -> Vec<Turn> {
        order(&schemas(needs), &|_| false, &|_| true, &Renames::default()).expect("every target is chosen")
    }

    fn places(turns: &[Turn]) -> Vec<usize> {
        turns.iter().map(|turn| turn.at).collect()
    }

    fn waits(property: &str, added: bool, until: usize) -> Waiting {
        Waiting { property: property.to_owned(), added, until }
    }

    #[test]
    fn without_references_the_order_stays() {
        assert_eq!(places(&ordered(&[vec![], vec![], vec![]])), [0, 1, 2]);
        let turns = ordered(&[vec![2, 1], vec![], vec![1]]);
        assert_eq!(places(&turns), [1, 2, 0]);
        assert!(turns.iter().all(|turn| turn.waiting.is_empty()), "each finds its targets complete");
    }

    #[test]
    fn references_to_itself_wait_but_are_created_at_once() {
        assert_eq!(ordered(&[vec![0]]), [Turn { at: 0, waiting: vec![waits("r0", false, 0)] }]);
    }

    #[test]
    fn of_a_circle_only_those_wait_that_point_forward() {
        let turns = ordered(&[vec![1], vec![2], vec![0], vec![0]]);
        assert_eq!(places(&turns), [2, 1, 0, 3]);
        assert_eq!(turns[0].waiting, [waits("r0", true, 2)]);
        assert!(turns[1..].iter().all(|turn| turn.waiting.is_empty()));
    }

    #[test]
    fn a_property_with_several_targets_waits_for_the_last_of_them() {
        let text = |targets: &[&str]| json!([{"name": "r", "dataType": targets}]);
        let collections = [("A", text(&["B", "A", "X"])), ("B", text(&["A", "C"])), ("C", json!([]))];
        let schemas = collections.map(|(class, properties)| schema(&json!({"class": class, "properties": properties})));
        let live = |collection: &CollectionName| *collection == name("X");
        let turns = order(&schemas, &live, &|_| true, &Renames::default()).expect("an order");
        assert_eq!(places(&turns), [2, 1, 0]);
        assert_eq!(turns[1].waiting, [waits("r", true, 2)]);
        assert_eq!(turns[2].waiting, [waits("r", false, 2)]);
    }

    #[test]
    fn nobody_waits_for_a_collection_that_gets_no_objects_but_it_is_not_complete_either() {
        let turns = order(&schemas(&[vec![1], vec![]]), &|_| false, &|at| at != 1, &Renames::default());
        let turns = turns.expect("an order");
        assert_eq!((places(&turns), &turns[1].waiting), (vec![1, 0], &vec![waits("r1", false, 1)]));
    }

    #[test]
    fn a_target_must_be_chosen_or_on_the_server_under_its_new_name() {
        let chosen = schemas(&[vec![7]]);
        let mut renames = Renames::default();
        renames.insert(name("C7"), name("D"));
        let order = |there: &str| order(&chosen, &|live| *live == name(there), &|_| true, &renames);
        assert_eq!(order("D"), Ok(vec![Turn { at: 0, waiting: vec![] }]));
        let missing = |renames: &Renames| super::missing(&chosen[0], &|_| false, renames)[0].to_string();
        let refused = order("C7").expect_err("it would lead to D");
        let told = "C0: r7 refers to C7, here D by --rename, which is neither chosen nor on the server";
        assert_eq!((refused[0].to_string().as_str(), missing(&renames).as_str()), (told, told));
        let told = "C0: r7 refers to C7, which is neither chosen nor on the server";
        assert_eq!(missing(&Renames::default()), told);
        renames.insert(name("C7"), name("C7"));
        assert_eq!(missing(&renames), told);
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        const LONG: usize = 100_000;
        let needs: Vec<Vec<usize>> = (0..LONG).map(|at| if at + 1 < LONG { vec![at + 1] } else { vec![] }).collect();
        assert!(sorted(&needs).iter().rev().copied().eq(0..LONG));
    }

    proptest! {
        #[test]
        fn what_is_needed_comes_first_and_everything_once(
            edges in proptest::collection::vec((0_usize..20, 0_usize..20), 0..60),
            turn in Just((0..20).collect::<Vec<usize>>()).prop_shuffle(),
        ) {
            // Edges go down a random order, so there is no circle.
            let mut needs = vec![Vec::new(); 20];
            for (a, b) in edges.into_iter().filter(|(a, b)| a != b) {
                needs[turn[a.max(b)]].push(turn[a.min(b)]);
            }
            let turns = ordered(&needs);
            prop_assert_eq!(turns.iter().map(|turn| turn.at).collect::<BTreeSet<_>>().len(), 20);
            prop_assert!(turns.iter().all(|turn| turn.waiting.is_empty()));
        }

        #[test]
        fn whatever_refers_to_whatever_a_reference_waits_if_and_only_if_its_target_is_not_complete(
            edges in proptest::collection::vec((0_usize..12, 0_usize..12), 0..60),
        ) {
            let mut needs = vec![Vec::new(); 12];
            for (a, b) in edges {
                if !needs[a].contains(&b) {
                    needs[a].push(b);
                }
            }
            let turns = ordered(&needs);
            let mut place = [0; 12];
            turns.iter().enumerate().for_each(|(at, turn)| place[turn.at] = at);
            prop_assert_eq!(turns.iter().map(|turn| turn.at).collect::<BTreeSet<_>>().len(), 12);
            for turn in &turns {
                for target in &needs[turn.at] {
                    let known = turn.waiting.iter().find(|waiting| waiting.property == format!("r{target}"));
                    let (own, its) = (place[turn.at], place[*target]);
                    let expected = (its >= own).then(|| waits(&format!("r{target}"), its > own, its));
                    prop_assert_eq!(known, expected.as_ref());
                }
            }
        }
    }
}
