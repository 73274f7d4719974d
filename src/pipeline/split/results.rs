//! Splits the answer to a batch: what became of each object, or reference. Structure only, as for pages: servers echo numbers that
//! strict parsers cannot read.

use bytes::Bytes;
use serde::Deserialize;

use super::SplitError;
use super::text::Text;
use crate::model::ObjectId;

/// What the server says became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The object.
    pub id: ObjectId,
    /// `None` if it was stored, else the server's words.
    pub refused: Option<String>,
    /// The result says neither that it was stored nor that it failed: it has no status, or one such as PENDING.
    pub unsaid: bool,
    /// When the server says it created the object, in ms since 1970 by its own clock.
    pub created_ms: Option<i64>,
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

/// Splits the answer to `POST /v1/batch/objects`. An element without an id or a result is left out: nothing is known
/// about its object.
pub fn results(body: &Bytes) -> Result<Vec<Written>, SplitError> {
    let mut written = Vec::new();
    let mut text = Text::new(body)?;
    let mut elements = text.array("results")?;
    while text.element(&mut elements)? {
        let (mut id, mut outcome, mut created_ms) = (None, None, None);
        let mut members = text.object()?;
        while let Some(key) = text.member(&mut members)? {
            match &body[key] {
                b"id" => {
                    let at = text.string("id")?;
                    id = std::str::from_utf8(&body[at]).ok().and_then(|id| id.parse().ok());
                }
                b"creationTimeUnix" => {
                    let at = text.skip()?;
                    created_ms = std::str::from_utf8(&body[at]).ok().and_then(|number| number.parse().ok());
                }
                b"result" => {
                    let at = text.skip()?;
                    outcome = serde_json::from_slice::<Outcome>(&body[at]).ok();
                }
                _ => {
                    text.skip()?;
                }
            }
        }
        if let (Some(id), Some(outcome)) = (id, outcome) {
            written.push(Written { id, unsaid: outcome.is_unsaid(), refused: outcome.refused(), created_ms });
        }
    }
    text.end()?;
    Ok(written)
}

/// Splits the answer to `POST /v1/batch/references`: for each reference in its order `None` if it was added, else the
/// server's words. Servers before 1.39 do not repeat a reference that failed, so only the order tells which one it was.
pub fn outcomes(body: &Bytes) -> Result<Vec<Option<String>>, SplitError> {
    let mut outcomes = Vec::new();
    let mut text = Text::new(body)?;
    let mut elements = text.array("results")?;
    while text.element(&mut elements)? {
        let mut outcome = Outcome::default();
        let mut members = text.object()?;
        while let Some(key) = text.member(&mut members)? {
            let is_result = &body[key] == b"result";
            let at = text.skip()?;
            if is_result {
                outcome = serde_json::from_slice(&body[at]).unwrap_or_default();
            }
        }
        outcomes.push(outcome.refused());
    }
    text.end()?;
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(body: &'static str) -> Result<Vec<Written>, SplitError> {
        results(&Bytes::from_static(body.as_bytes()))
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
        let results = split(body).expect("results");
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
        let created: Vec<_> = split(body).expect("results").into_iter().map(|w| w.created_ms).collect();
        assert_eq!(created, [Some(1_700_000_000_123), None]);
    }

    #[test]
    fn an_element_without_id_or_result_says_nothing() {
        assert_eq!(
            split(r#"[{"id":"x","result":{"status":"SUCCESS"}},{"id":"00000000-0000-0000-0000-000000000001"},{}]"#),
            Ok(vec![])
        );
        assert_eq!(split("[]"), Ok(vec![]));
    }

    #[test]
    fn anything_but_a_whole_list_is_an_error() {
        for body in ["", "{}", r#"{"error":[{"message":"x"}]}"#, "[{}", "[{}] x", "<html>"] {
            assert!(split(body).is_err(), "{body}");
        }
    }

    #[test]
    fn references_are_judged_in_their_order_whatever_is_repeated_of_them() {
        let body = r#"[{"from":"a","result":{"status":"SUCCESS"},"to":"b"},{"result":{"errors":{"error":[{"message":"x"}]},
            "status":"FAILED"}},{"from":"a","to":"b"},{"result":[]},{"result":{"status":"SUCCESS"}}]"#;
        let said = |text: &str| Some(text.to_owned());
        let expected = [None, said("x"), said("the result is missing"), said("the result is missing"), None];
        assert_eq!(outcomes(&Bytes::from_static(body.as_bytes())), Ok(expected.into()));
        assert_eq!(outcomes(&Bytes::from_static(b"[]")), Ok(vec![]));
        for body in ["", "null", "[{}", r#"{"error":[{"message":"x"}]}"#, "[1]"] {
            assert!(outcomes(&Bytes::from_static(body.as_bytes())).is_err(), "{body}");
        }
    }
}
