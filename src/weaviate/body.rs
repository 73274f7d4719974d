//! An answer's body in one buffer: bounded in size, watched for progress, judged for being whole.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::{Instant, timeout_at};

use super::skim::Skim;
use super::{retry, said};
use crate::model::{LARGE_BYTES, room_for};

/// Bytes that count as progress within one stall timeout; less is a drip that would never end.
const PROGRESS_BYTES: usize = 1024;

/// What is kept of a list of results at most, in bytes: ids and the server's words about each object.
const SKIMMED_BYTES_MAX: usize = 4 << 20;

/// What came of reading a body.
#[derive(Debug)]
pub(super) enum Body {
    /// All of it.
    Whole(Bytes),
    /// It is longer than was allowed; the rest was not read and the connection is dropped.
    TooLarge,
}

/// Why a body ended early.
pub(super) enum Cut {
    /// No progress for this long.
    Stalled(Duration),
    /// The connection failed.
    Transport(reqwest::Error),
}

/// Where a body goes.
pub(super) enum Room {
    /// All of it, into a buffer that is empty.
    Buffer(BytesMut),
    /// What is read of a list of results.
    Skim(Box<Skim>),
}

impl Default for Room {
    fn default() -> Self {
        Self::Buffer(BytesMut::new())
    }
}

impl Room {
    /// Makes room for so many bytes of the body, before the first of them.
    fn reserve(&mut self, bytes: usize) {
        match self {
            Self::Buffer(buffer) if buffer.capacity() < bytes => *buffer = BytesMut::with_capacity(room_for(bytes)),
            _ => {}
        }
    }

    /// Takes the next bytes; whether what is kept of the body is still within its bounds.
    fn take(&mut self, chunk: &[u8]) -> bool {
        match self {
            Self::Buffer(buffer) => {
                let wanted = buffer.len() + chunk.len();
                // Beyond that it grows by doubling, as a mapping does without a copy.
                if wanted > buffer.capacity() && wanted >= LARGE_BYTES && wanted < room_for(wanted) {
                    let small = std::mem::replace(buffer, BytesMut::with_capacity(room_for(wanted)));
                    buffer.extend_from_slice(&small);
                }
                buffer.extend_from_slice(chunk);
                true
            }
            Self::Skim(skim) => {
                skim.take(chunk);
                skim.bytes() <= SKIMMED_BYTES_MAX
            }
        }
    }

    fn finish(self) -> Bytes {
        match self {
            Self::Buffer(buffer) => buffer.freeze(),
            Self::Skim(skim) => skim.finish(),
        }
    }
}

/// Reads a body of at most `max` bytes. `expected` pre-sizes its room where the server does not tell the length.
pub(super) async fn read(
    mut response: reqwest::Response,
    mut room: Room,
    max: u64,
    expected: u64,
    stall: Duration,
) -> Result<Body, Cut> {
    if response.content_length().is_some_and(|length| length > max) {
        return Ok(Body::TooLarge);
    }
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let expected = response.content_length().unwrap_or(expected);
    room.reserve(usize::try_from(expected).unwrap_or(0).min(max));
    let (mut deadline, mut fresh, mut taken) = (Instant::now() + stall, 0, 0);
    loop {
        let Ok(read) = timeout_at(deadline, response.chunk()).await else {
            return Err(Cut::Stalled(stall));
        };
        let Some(chunk) = read.map_err(Cut::Transport)? else {
            return Ok(Body::Whole(room.finish()));
        };
        taken += chunk.len();
        if taken > max || !room.take(&chunk) {
            return Ok(Body::TooLarge);
        }
        fresh += chunk.len();
        if fresh >= PROGRESS_BYTES {
            (deadline, fresh) = (Instant::now() + stall, 0);
        }
    }
}

/// What an answer with status 200 must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing is known about it.
    Any,
    /// A list of results, of which the ids and the results are kept. The splitter judges it.
    Results,
    /// A page: empty, or one JSON object by its first and last byte. The splitter judges the rest.
    Page,
    /// A JSON document without an error in it.
    Json,
    /// The same, or nothing: what the server sends for an object whose vector it cannot print.
    JsonOrEmpty,
    /// The same, and without a GraphQL error that names a passing state; other errors are the caller's.
    GraphQl,
}

#[derive(Deserialize)]
struct Trouble {
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Reply {
    errors: Option<IgnoredAny>,
}

/// Whether a JSON object begins with an error.
fn is_error(body: &[u8]) -> bool {
    body.get(1..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"error\""))
}

/// Whether `body` has the shape; otherwise what is wrong with it.
pub(super) fn judge(shape: Shape, body: &[u8]) -> Result<(), &'static str> {
    let body = body.trim_ascii();
    match shape {
        Shape::Page if body.first().is_some_and(|b| *b != b'{') => Err("the page is not a JSON object"),
        Shape::Page if body.last().is_some_and(|b| *b != b'}') => Err("the page is cut off"),
        Shape::Page if is_error(body) => Err("an error with status 200"),
        Shape::Any | Shape::Results | Shape::Page => Ok(()),
        Shape::JsonOrEmpty if body.is_empty() => Ok(()),
        Shape::JsonOrEmpty => judge(Shape::Json, body),
        Shape::GraphQl => judge(Shape::Json, body).and_then(|()| match serde_json::from_slice::<Reply>(body) {
            Ok(Reply { errors: Some(_) }) if retry::is_temporary(&said::message(body)) => {
                Err("an error with status 200")
            }
            _ => Ok(()),
        }),
        Shape::Json if body.is_empty() => Err("the body is empty"),
        Shape::Json if body.first() == Some(&b'{') => match serde_json::from_slice::<Trouble>(body) {
            Ok(Trouble { error: None }) => Ok(()),
            Ok(Trouble { error: Some(_) }) => Err("an error with status 200"),
            Err(_) => Err("not valid JSON"),
        },
        Shape::Json => serde_json::from_slice::<IgnoredAny>(body).map(|_| ()).map_err(|_| "not valid JSON"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_not_copied_with_every_piece_of_it() {
        let (mut room, mut capacities) = (Room::default(), std::collections::BTreeSet::new());
        let piece = [b'x'; 16 << 10];
        for _ in 0..(40 << 20) / piece.len() {
            assert!(room.take(&piece));
            if let Room::Buffer(buffer) = &room {
                capacities.insert(buffer.capacity());
            }
        }
        assert!(capacities.len() < 12, "{capacities:?}");
        assert_eq!(room.finish().len(), 40 << 20);
    }

    #[test]
    fn very_many_words_of_refusal_leave_no_object_silent() {
        let words = "the server minds this \\u003c\\\"é𝄞\\\" ".repeat(400);
        let one = |n: usize| {
            format!(
                r#"{{"id":"{n}","properties":{{"t":"{words}"}},"result":{{"errors":{{"error":[{{"message":"{words}"}}]}}}}}}"#
            )
        };
        let answer = format!("[{}]", (0..1_000).map(one).collect::<Vec<_>>().join(","));
        assert!(answer.len() > 3 * SKIMMED_BYTES_MAX);
        for chunk in [97, 16 << 10] {
            let mut room = Room::Skim(Box::default());
            assert!(answer.as_bytes().chunks(chunk).all(|chunk| room.take(chunk)));
            let kept: Vec<serde_json::Value> = serde_json::from_slice(&room.finish()).expect("JSON");
            assert_eq!(kept.len(), 1_000);
            for (n, object) in kept.iter().enumerate() {
                let message = object["result"]["errors"]["error"][0]["message"].as_str().expect("words");
                assert_eq!(object["id"], n.to_string());
                assert!(message.len() >= 200 && message.starts_with("the server minds this <\"é𝄞\" the"), "{message}");
            }
        }
    }

    #[test]
    fn a_page_is_empty_or_one_object() {
        for good in ["", "\n", "{\"objects\":[]}\n", " {} "] {
            assert_eq!(judge(Shape::Page, good.as_bytes()), Ok(()), "{good:?}");
        }
        for bad in ["<html>", "{\"objects\":[{},", "{\"error\":[{\"message\":\"x\"}]}", "{ \"error\":1}", "[]", "{} x"]
        {
            assert!(judge(Shape::Page, bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_graphql_error_that_passes_is_no_answer() {
        let said = |text| format!("{{\"data\":null,\"errors\":[{{\"message\":\"{text}\"}}]}}");
        assert_eq!(judge(Shape::GraphQl, said("Cannot query field").as_bytes()), Ok(()));
        assert!(judge(Shape::GraphQl, said("no read replica found").as_bytes()).is_err());
    }

    #[test]
    fn a_document_is_valid_json_without_an_error() {
        for good in ["[]", "{\"a\":1}\n", "{\"errors\":[]}"] {
            assert_eq!(judge(Shape::Json, good.as_bytes()), Ok(()), "{good:?}");
        }
        assert_eq!(judge(Shape::JsonOrEmpty, b"\n"), Ok(()));
        assert!(judge(Shape::JsonOrEmpty, b"{\"a\":").is_err());
        for bad in ["", "{\"a\":", "{} x", "<html>", "{\"a\":1,\"error\":[{\"message\":\"x\"}]}"] {
            assert!(judge(Shape::Json, bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
