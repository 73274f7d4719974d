//! Names that may have been meant by one that does not exist. Pure.

use std::fmt::Display;

/// Names suggested for one that does not exist.
const SUGGESTIONS: usize = 3;

/// Names that differ in case only, then those that begin alike, then those a few letters away.
#[must_use]
pub fn similar<N: Display + Ord + Clone>(text: &str, names: &[&N]) -> Vec<N> {
    let lower = text.to_lowercase();
    let mut ranked: Vec<(usize, &N)> = names
        .iter()
        .filter_map(|name| {
            let other = name.to_string().to_lowercase();
            let begins_alike = !lower.is_empty() && (other.starts_with(&lower) || lower.starts_with(&other));
            let distance = if begins_alike { usize::from(other != lower) } else { edits(&lower, &other) };
            (distance <= 2.min(lower.len() / 2)).then_some((distance, *name))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().take(SUGGESTIONS).map(|(_, name)| name.clone()).collect()
}

/// Levenshtein distance in bytes; the texts are names of at most 255 letters.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let next = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}
