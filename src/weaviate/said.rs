//! The server's words, made safe to show: taken out of its three error shapes, secrets and control characters away.

use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::model::is_plain;

/// Longest text taken over from a server, in characters.
const WORDS_CHARS: usize = 500;
/// Shorter secrets are not looked for in texts: they would match by chance.
const SECRET_MIN_BYTES: usize = 6;

/// Escapes what could steer a terminal and cuts at 500 characters.
pub(super) fn harmless(text: &str) -> String {
    let mut out = String::new();
    for (n, c) in text.trim().chars().enumerate() {
        if n == WORDS_CHARS {
            out.push('…');
            break;
        }
        if is_plain(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    out
}

/// The message in an error body: `{"error":[{"message":…}]}`, `{"code":…,"message":…}`, GraphQL's `errors`, or text.
pub(super) fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with('<') {
        return "an HTML page".to_owned();
    }
    let found = serde_json::from_slice::<Value>(body).ok().and_then(|value| words(&value));
    found.unwrap_or_else(|| text.into_owned())
}

/// Whether a body is a JSON document whose end is missing.
pub(super) fn is_cut(body: &[u8]) -> bool {
    let is_json = body.trim_ascii_start().first() == Some(&b'{');
    is_json && serde_json::from_slice::<IgnoredAny>(body).is_err_and(|error| error.is_eof())
}

/// The messages in a JSON error document, joined; `None` if it has none.
fn words(value: &Value) -> Option<String> {
    let list = |at: &str| -> Option<String> {
        let messages: Vec<&str> = value[at].as_array()?.iter().filter_map(|e| e["message"].as_str()).collect();
        (!messages.is_empty()).then(|| messages.join("; "))
    };
    list("error")
        .or_else(|| value["error"].as_str().map(str::to_owned))
        .or_else(|| list("errors"))
        .or_else(|| value["message"].as_str().map(str::to_owned))
}

/// How a password stands in a request. The one of a proxy comes from the environment and is nowhere else known here.
const BASIC: &str = "Basic ";
const REDACTED: &str = "[redacted]";

/// Takes every secret out of a text, should a server or a proxy have echoed one.
pub(super) fn without_secrets<'a>(text: &str, secrets: impl Iterator<Item = &'a SecretString>) -> String {
    let mut text = without_basic(text);
    for secret in secrets.map(ExposeSecret::expose_secret).filter(|s| s.len() >= SECRET_MIN_BYTES) {
        if text.contains(secret) {
            text = text.replace(secret, REDACTED);
        }
    }
    text
}

fn without_basic(text: &str) -> String {
    let mut parts = text.split(BASIC);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |known, rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=-_".contains(c))).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        known + BASIC + if word.len() < SECRET_MIN_BYTES { word } else { REDACTED } + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_shape_gives_its_message() {
        for (body, said) in [
            (r#"{"allowed":null,"error":[{"message":"a"},{"message":"b"}]}"#, "a; b"),
            (r#"{"code":601,"message":"c"}"#, "c"),
            (r#"{"data":null,"errors":[{"message":"d","path":null}]}"#, "d"),
            (r#"{"error":"e"}"#, "e"),
            ("<html>502</html>", "an HTML page"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(message(body.as_bytes()), said, "{body}");
        }
    }

    #[test]
    fn a_message_cannot_steer_the_terminal_or_flood_it() {
        assert_eq!(harmless("a\u{1b}[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\n\\u{202e}c");
        assert_eq!(harmless(&"x".repeat(9_999)).chars().count(), WORDS_CHARS + 1);
    }

    #[test]
    fn an_echoed_key_is_taken_out() {
        let key = SecretString::from("topsecret");
        let known = |text: &str| without_secrets(text, [&key].into_iter());
        assert_eq!(known("bad topsecret!"), "bad [redacted]!");
        assert_eq!(known("Basic bWU6cHc=\r\nBasic auth, Basic "), "Basic [redacted]\r\nBasic auth, Basic ");
    }
}
