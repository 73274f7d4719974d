//! Reads the answer to a batch: what became of each object, or reference. Servers echo numbers that strict parsers cannot
//! read, so that nothing but ids, times and results is looked at.

use serde::Deserialize;

use crate::model::{Members, ObjectId};

/// What the server says became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// The object.
    pub(super) id: ObjectId,
    /// `None` if it was stored, else the server's words.
    pub(super) refused: Option<String>,
    /// The result says neither that it was stored nor that it failed: it has no status, or one such as PENDING.
    pub(super) unsaid: bool,
    /// When the server says it created the object, in ms since 1970 by its own clock.
    pub(super) created_ms: Option<i64>,
}

#[derive(Deserialize, Default)]
struct Outcome {
    status: Option<String>,
    errors: Option<Errors>,
}

#[derive(Deserialize)]
struct Errors {
    error: Option<Vec<Message>>,
}

#[derive(Deserialize)]
struct Message {
    message: Option<String>,
}

impl Outcome {
    /// Whether it says nothing of what became of the object.
    fn is_unsaid(&self) -> bool {
        let words = self.errors.iter().flat_map(|e| e.error.iter().flatten()).any(|m| m.message.is_some());
        !words && !matches!(self.status.as_deref(), Some("SUCCESS" | "FAILED"))
    }

    /// Only the word SUCCESS means that the object was stored.
    fn refused(self) -> Option<String> {
        let messages = self.errors.and_then(|e| e.error).into_iter().flatten().filter_map(|m| m.message);
        let words = messages.collect::<Vec<_>>().join("; ");
        match self.status.as_deref() {
            Some("SUCCESS") if words.is_empty() => None,
            _ if !words.is_empty() => Some(words),
            status => Some(format!("the result is {}", status.unwrap_or("missing"))),
        }
    }
}

/// The elements of an answer, if it is a whole list of objects.
fn elements(answer: &[u8]) -> Option<Vec<Members<'_>>> {
    serde_json::from_slice(answer).ok()
}

/// Reads the answer to `POST /v1/batch/objects`. An element without an id or a result is left out: nothing is known about
/// its object. `None` for what is no whole list.
pub(super) fn results(answer: &[u8]) -> Option<Vec<Written>> {
    let written = |element: Members<'_>| {
        let (mut id, mut outcome, mut created_ms) = (None, None, None);
        for (name, value) in element.iter() {
            match name {
                "id" => id = value.trim_matches('"').parse().ok(),
                "creationTimeUnix" => created_ms = value.parse().ok(),
                "result" => outcome = serde_json::from_str::<Outcome>(value).ok(),
                _ => {}
            }
        }
        let (id, outcome) = id.zip(outcome)?;
        Some(Written { id, unsaid: outcome.is_unsaid(), refused: outcome.refused(), created_ms })
    };
    Some(elements(answer)?.into_iter().filter_map(written).collect())
}

/// Reads the answer to `POST /v1/batch/references`: for each reference in its order `None` if it was added, else the
/// server's words. Servers before 1.39 do not repeat a reference that failed, so only the order tells which one it was.
/// `None` for what is no whole list.
pub(super) fn outcomes(answer: &[u8]) -> Option<Vec<Option<String>>> {
    let outcome = |element: Members<'_>| {
        let result = element.iter().filter(|(name, _)| *name == "result").last();
        let outcome = result.and_then(|(_, value)| serde_json::from_str::<Outcome>(value).ok());
        outcome.unwrap_or_default().refused()
    };
    Some(elements(answer)?.into_iter().map(outcome).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str) -> Option<Vec<Written>> {
        results(answer.as_bytes())
    }

    #[test]
    fn every_object_is_judged_by_its_own_result() {
        let body = r#"[{"class":"A","id":"00000000-0000-0000-0000-000000000001","properties":{"n":1E400},"result":{"status":"SUCCESS"}},
            {"id":"00000000-0000-0000-0000-000000000002","vector":[0.5],"deprecations":null,
             "result":{"errors":{"error":[{"message":"a"},{"message":"b"}]},"status":"FAILED"}},
            {"id":"00000000-0000-0000-0000-000000000003","result":{"status":"PENDING"}},
            {"id":"00000000-0000-0000-0000-000000000004","result":{}},
            {"id":"00000000-0000-0000-0000-000000000005","result":{"status":"SUCCESS","errors":{"error":[{"message":"c"}]}}}]
        "#;
        let results = read(body).expect("results");
        let unsaid: Vec<_> = results.iter().filter(|w| w.unsaid).map(|w| w.id.0).collect();
        assert_eq!(unsaid, [3, 4]);
        let refused: Vec<_> = results.into_iter().map(|w| (w.id.0, w.refused)).collect();
        let said = |text: &str| Some(text.to_owned());
        let expected = [
            (1, None),
            (2, said("a; b")),
            (3, said("the result is PENDING")),
            (4, said("the result is missing")),
            (5, said("c")),
        ];
        assert_eq!(refused, expected);
    }

    #[test]
    fn the_time_of_creation_is_told_where_it_is_one() {
        let body = r#"[{"creationTimeUnix":1700000000123,"id":"00000000-0000-0000-0000-000000000001","result":{"status":"SUCCESS"}},
            {"creationTimeUnix":"x","id":"00000000-0000-0000-0000-000000000002","result":{"status":"SUCCESS"}}]"#;
        let created: Vec<_> = read(body).expect("results").into_iter().map(|w| w.created_ms).collect();
        assert_eq!(created, [Some(1_700_000_000_123), None]);
    }

    #[test]
    fn an_element_without_id_or_result_says_nothing() {
        assert_eq!(
            read(r#"[{"id":"x","result":{"status":"SUCCESS"}},{"id":"00000000-0000-0000-0000-000000000001"},{}]"#),
            Some(vec![])
        );
        assert_eq!(read("[]"), Some(vec![]));
    }

    #[test]
    fn anything_but_a_whole_list_says_nothing() {
        for body in ["", "{}", r#"{"error":[{"message":"x"}]}"#, "[{}", "[{}] x", "<html>"] {
            assert!(read(body).is_none(), "{body}");
        }
    }

    #[test]
    fn references_are_judged_in_their_order_whatever_is_repeated_of_them() {
        let body = r#"[{"from":"a","result":{"status":"SUCCESS"},"to":"b"},{"result":{"errors":{"error":[{"message":"x"}]},
            "status":"FAILED"}},{"from":"a","to":"b"},{"result":[]},{"result":{"status":"SUCCESS"}}]"#;
        let said = |text: &str| Some(text.to_owned());
        let expected = [None, said("x"), said("the result is missing"), said("the result is missing"), None];
        assert_eq!(outcomes(body.as_bytes()), Some(expected.into()));
        assert_eq!(outcomes(b"[]"), Some(vec![]));
        for body in ["", "null", "[{}", r#"{"error":[{"message":"x"}]}"#, "[1]"] {
            assert!(outcomes(body.as_bytes()).is_none(), "{body}");
        }
    }
}
