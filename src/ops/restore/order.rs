//! The order in which collections are restored: those that others refer to come first. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Refusal;
use crate::model::{CollectionName, Renames, Schema};

/// Where a collection stands on the way through its references.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Not,
    /// It is on the way down: who meets it again has found a circle.
    Open,
    Done,
}

/// A reference property's name and a collection it refers to, as the archive calls it.
type Reference = (String, String);

/// Places of `schemas` in the order to restore them; otherwise as they stand. `live` says whether the server has a
/// collection of this name, which counts for references to collections that were not chosen.
pub(super) fn order(
    schemas: &[Schema],
    live: &dyn Fn(&CollectionName) -> bool,
    renames: &Renames,
) -> Result<Vec<usize>, Vec<Refusal>> {
    let chosen: BTreeMap<&str, usize> = schemas.iter().enumerate().map(|(at, s)| (s.name.as_str(), at)).collect();
    let mut refused = Vec::new();
    let mut needs: Vec<Vec<usize>> = Vec::with_capacity(schemas.len());
    for (at, schema) in schemas.iter().enumerate() {
        let mut own = Vec::new();
        for (property, target) in references(schema) {
            let collection = schema.name.clone();
            match chosen.get(target.as_str()) {
                Some(other) if *other == at => refused.push(Refusal::SelfReference { collection, property }),
                Some(other) => own.push(*other),
                None if target.parse().is_ok_and(|target| live(renames.of(&target))) => {}
                None => refused.push(Refusal::MissingTarget { collection, property, target }),
            }
        }
        needs.push(own);
    }
    let (order, cycles) = sorted(&needs);
    let name = |at: usize| schemas[at].name.clone();
    refused
        .extend(cycles.into_iter().map(|cycle| Refusal::Cycle { collections: cycle.into_iter().map(name).collect() }));
    if refused.is_empty() { Ok(order) } else { Err(refused) }
}

/// References to collections that are not there, of a collection that is created alone. To itself it may refer.
pub(in crate::ops) fn missing(
    schema: &Schema,
    live: &dyn Fn(&CollectionName) -> bool,
    renames: &Renames,
) -> Vec<Refusal> {
    let there =
        |target: &str| target == schema.name.as_str() || target.parse().is_ok_and(|target| live(renames.of(&target)));
    let missing = references(schema).into_iter().filter(|(_, target)| !there(target));
    let refused = |(property, target)| Refusal::MissingTarget { collection: schema.name.clone(), property, target };
    missing.map(refused).collect()
}

fn references(schema: &Schema) -> Vec<Reference> {
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

/// Depth first, without recursion since chains may be long: everything after what it needs, and the circles met.
fn sorted(needs: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut visits = vec![Visit::Not; needs.len()];
    let (mut order, mut cycles) = (Vec::with_capacity(needs.len()), Vec::new());
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
            match visits[next] {
                Visit::Not => {
                    visits[next] = Visit::Open;
                    way.push((next, 0));
                }
                Visit::Open => {
                    let circle = way.iter().skip_while(|(at, _)| *at != next).map(|(at, _)| *at).collect();
                    if !cycles.contains(&circle) {
                        cycles.push(circle);
                    }
                }
                Visit::Done => {}
            }
        }
    }
    (order, cycles)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::ops::schema::testing::{name, schema};

    /// Collections `C0`, `C1`, … each with a reference property to some of them.
    fn schemas(needs: &[Vec<usize>]) -> Vec<Schema> {
        let one = |(at, needs): (usize, &Vec<usize>)| {
            let targets: Vec<String> = needs.iter().map(|other| format!("C{other}")).collect();
            let properties = json!([{"name": "t", "dataType": ["text"]}, {"name": "r", "dataType": targets}]);
            schema(&json!({"class": format!("C{at}"), "properties": properties}))
        };
        needs.iter().enumerate().map(one).collect()
    }

    fn ordered(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<Refusal>> {
        order(&schemas(needs), &|_| false, &Renames::default())
    }

    #[test]
    fn without_references_the_order_stays() {
        assert_eq!(ordered(&[vec![], vec![], vec![]]), Ok(vec![0, 1, 2]));
        assert_eq!(ordered(&[vec![2, 1], vec![], vec![1]]), Ok(vec![1, 2, 0]));
    }

    #[test]
    fn itself_and_circles_are_refused() {
        let refused = ordered(&[vec![0], vec![2], vec![3], vec![1], vec![1]]).expect_err("refused");
        assert_eq!(
            refused,
            [
                Refusal::SelfReference { collection: name("C0"), property: "r".into() },
                Refusal::Cycle { collections: ["C1", "C2", "C3"].map(name).into() },
            ]
        );
        assert!(refused[1].to_string().starts_with("C1, C2, C3 refer to one another"));
    }

    #[test]
    fn a_target_must_be_chosen_or_on_the_server_under_its_new_name() {
        let chosen = schemas(&[vec![7]]);
        let mut renames = Renames::default();
        renames.insert(name("C7"), name("D"));
        assert_eq!(order(&chosen, &|live| *live == name("D"), &renames), Ok(vec![0]));
        let missing = Refusal::MissingTarget { collection: name("C0"), property: "r".into(), target: "C7".into() };
        assert_eq!(order(&chosen, &|live| *live == name("C7"), &renames), Err(vec![missing]));
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        const LONG: usize = 100_000;
        let needs: Vec<Vec<usize>> = (0..LONG).map(|at| if at + 1 < LONG { vec![at + 1] } else { vec![] }).collect();
        let (order, cycles) = sorted(&needs);
        assert!(order.iter().rev().copied().eq(0..LONG) && cycles.is_empty());
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
            let order = ordered(&needs).expect("an order");
            let mut place = [0; 20];
            order.iter().enumerate().for_each(|(at, one)| place[*one] = at);
            prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 20);
            for (one, needs) in needs.iter().enumerate() {
                prop_assert!(needs.iter().all(|other| place[*other] < place[one]));
            }
        }

        #[test]
        fn a_circle_is_always_found(size in 2_usize..15, from in 0_usize..15, extra in proptest::collection::vec((0_usize..15, 0_usize..15), 0..30)) {
            let mut needs = vec![Vec::new(); 15];
            for at in 0..size {
                needs[(from + at) % 15].push((from + (at + 1) % size) % 15);
            }
            for (a, b) in extra.into_iter().filter(|(a, b)| a != b) {
                needs[a].push(b);
            }
            let refused = ordered(&needs).expect_err("a circle");
            for refusal in &refused {
                let Refusal::Cycle { collections } = refusal else { return Err(TestCaseError::fail("no circle")) };
                let at = |c: &CollectionName| c.as_str()[1..].parse::<usize>().expect("a number");
                let next = collections.iter().cycle().skip(1);
                prop_assert!(collections.iter().zip(next).all(|(one, next)| needs[at(one)].contains(&at(next))));
            }
        }
    }
}
