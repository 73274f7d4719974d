//! The words for numbers that are not certain.

use super::*;

fn objects(count: CountState, seen: Option<u64>) -> Objects {
    let exact = count == CountState::Exact;
    Objects {
        objects: seen.filter(|_| exact),
        objects_seen: seen,
        count,
        count_reason: (!exact).then(|| CountDoubt::NotCounted { reason: "GraphQL: not\u{1b}[2J allowed".into() }),
    }
}

#[test]
fn only_a_certain_number_stands_alone() {
    let words = [
        (CountState::Exact, Some(1_234)),
        (CountState::ActiveTenants, Some(1_234)),
        (CountState::Unchecked, Some(1_234)),
        (CountState::Unknown, None),
        (CountState::Exact, Some(0)),
    ]
    .map(|(state, seen)| number(&objects(state, seen)));
    assert_eq!(words, ["1,234", "1,234 in active tenants", "1,234 (unchecked)", "unknown", "0"]);
}

#[test]
fn what_is_uncertain_is_said_once_and_in_few_lines() {
    let whole = Nodes::Whole { nodes: vec!["node1".into()] };
    let many: Vec<_> = (0..200).map(|n| (format!("C{n}"), objects(CountState::Unknown, None))).collect();
    let said = warnings(&whole, many.iter().map(|(name, objects)| (name.as_str(), objects)));
    insta::assert_snapshot!(said);
    let broken = Nodes::Broken { reason: "away: node3".into() };
    let unchecked = objects(CountState::Unchecked, Some(7));
    let said = warnings(&broken, [("A", &unchecked), ("B", &unchecked)].into_iter());
    assert_eq!(said, "warning: part of the server is away, so counts may be too low: away: node3\n");
    assert_eq!(warnings(&whole, [("A", &objects(CountState::Exact, Some(1)))].into_iter()), "");
}
