//! Why a server refused objects, added up: it says the same of many in words that differ by an id or a number. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ObjectId;

/// Kinds of words that are told apart; what comes after so many different ones is added up as others.
const KINDS_MAX: usize = 50;
/// Kinds that are listed.
const LISTED_MAX: usize = 10;
/// Characters of a server's words that are kept.
const WORDS_MAX: usize = 300;

/// Words that a server refused objects with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The words, as they were said of the first of these objects; cut if long. Of the rest of the reasons: `others`.
    pub reason: String,
    /// Objects of which the server said so.
    pub objects: u64,
    /// The first of them; `None` for the rest of the reasons.
    pub first_id: Option<ObjectId>,
}

/// The reasons of one collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons {
    kinds: BTreeMap<String, Reason>,
    others: u64,
}

impl Reasons {
    /// Adds what was said of an object.
    pub fn add(&mut self, words: &str, id: ObjectId) {
        let words: String = words.chars().take(WORDS_MAX).collect();
        let kind = kind(&words);
        if let Some(reason) = self.kinds.get_mut(&kind) {
            reason.objects += 1;
        } else if self.kinds.len() < KINDS_MAX {
            self.kinds.insert(kind, Reason { reason: words, objects: 1, first_id: Some(id) });
        } else {
            self.others += 1;
        }
    }

    /// The reasons, the commonest first, and at the end how many objects had others.
    #[must_use]
    pub fn listed(&self) -> Vec<Reason> {
        let mut all: Vec<Reason> = self.kinds.values().cloned().collect();
        all.sort_by(|a, b| b.objects.cmp(&a.objects).then_with(|| a.first_id.cmp(&b.first_id)));
        let unlisted = all.split_off(LISTED_MAX.min(all.len()));
        let objects = self.others + unlisted.iter().map(|reason| reason.objects).sum::<u64>();
        let others = Reason { reason: "others".to_owned(), objects, first_id: None };
        all.extend((objects > 0).then_some(others));
        all
    }
}

/// The words without what differs from object to object: ids and numbers.
fn kind(words: &str) -> String {
    let of_an_id = |character: char| character.is_ascii_hexdigit() || character == '-';
    let mut kind = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|character| of_an_id(character) != of_an_id(first)).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        let varies = of_an_id(first) && piece.contains(|character: char| character.is_ascii_digit());
        kind.push_str(if varies { "#" } else { piece });
        rest = behind;
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_by_an_id_or_a_number_is_one_reason_and_the_commonest_is_first() {
        let mut reasons = Reasons::default();
        reasons.add("no vector", ObjectId(9));
        for id in 1..=3 {
            reasons.add(&format!("no object 00000000-0000-4000-8000-00000000000{id} at {id}.5"), ObjectId(id));
        }
        let listed = reasons.listed();
        assert_eq!(listed.len(), 2, "{listed:?}");
        assert_eq!((listed[0].objects, listed[0].first_id), (3, Some(ObjectId(1))));
        assert_eq!(listed[0].reason, "no object 00000000-0000-4000-8000-000000000001 at 1.5");
        assert_eq!((listed[1].reason.as_str(), listed[1].objects), ("no vector", 1));
    }

    #[test]
    fn however_many_reasons_there_are_few_are_kept_and_every_object_is_counted() {
        let mut reasons = Reasons::default();
        let word = |n: u32| (0..=n % 97).map(|_| 'x').collect::<String>() + &"y".repeat(n as usize / 97);
        for n in 0..1_000 {
            reasons.add(&(word(n) + &"long".repeat(1_000)), ObjectId(u128::from(n)));
        }
        let listed = reasons.listed();
        assert_eq!((listed.len(), reasons.kinds.len()), (LISTED_MAX + 1, KINDS_MAX));
        assert_eq!(listed.iter().map(|reason| reason.objects).sum::<u64>(), 1_000);
        assert!(listed.iter().all(|reason| reason.reason.chars().count() <= WORDS_MAX));
        assert_eq!(listed[LISTED_MAX].reason, "others");
    }
}
