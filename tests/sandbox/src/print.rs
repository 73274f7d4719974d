//! JSON text as Go's encoder prints it: sorted members where it prints a map, shortest floats, its own escapes.

use std::io::Write;

use crate::json::Json;

/// How a value is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Members in the order they have; `<`, `>` and `&` as they are.
    Plain,
    /// Members in the order they have; `<`, `>` and `&` escaped, as in batch replies.
    Html,
}

/// Prints a value.
pub(crate) fn json(out: &mut Vec<u8>, value: &Json, style: Style) {
    match value {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Number(text) => out.extend_from_slice(text.as_bytes()),
        Json::Text(text) => string(out, text, style),
        Json::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                json(out, item, style);
            }
            out.push(b']');
        }
        Json::Object(members) => {
            out.push(b'{');
            for (i, (name, member)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                string(out, name, style);
                out.push(b':');
                json(out, member, style);
            }
            out.push(b'}');
        }
    }
}

/// The value as text, members in the order they have.
pub(crate) fn text(value: &Json) -> String {
    let mut out = Vec::new();
    json(&mut out, value, Style::Plain);
    String::from_utf8_lossy(&out).into_owned()
}

/// Sorts the members of every object in the value by name, as Go prints maps.
pub(crate) fn sort(value: &mut Json) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(sort),
        Json::Object(members) => {
            members.sort_by(|a, b| a.0.cmp(&b.0));
            for (_, member) in members {
                sort(member);
            }
        }
        _ => {}
    }
}

/// Prints a string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str, style: Style) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let skip = match byte {
            b'"' | b'\\' | 0..=0x1f => 1,
            b'<' | b'>' | b'&' if style == Style::Html => 1,
            0xe2 if bytes[at..].starts_with(&[0xe2, 0x80]) && matches!(bytes.get(at + 2), Some(0xa8 | 0xa9)) => 3,
            _ => continue,
        };
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + skip;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            0xe2 if bytes[at + 2] == 0xa8 => out.extend_from_slice(b"\\u2028"),
            0xe2 => out.extend_from_slice(b"\\u2029"),
            _ => drop(write!(out, "\\u{byte:04x}")),
        }
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// Prints a float64 as Go does: shortest, exponent below 1e-6 and from 1e21.
pub(crate) fn float64(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        exponent(out, &format!("{value:e}"));
    } else {
        drop(write!(out, "{value}"));
    }
}

/// Prints a float32 as Go does.
pub(crate) fn float32(out: &mut Vec<u8>, value: f32) {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        exponent(out, &format!("{value:e}"));
    } else {
        drop(write!(out, "{value}"));
    }
}

/// `1e21` becomes `1e+21`; negative exponents are the same in both languages.
fn exponent(out: &mut Vec<u8>, text: &str) {
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => drop(write!(out, "{digits}e+{power}")),
        _ => out.extend_from_slice(text.as_bytes()),
    }
}

/// Prints a vector.
pub(crate) fn vector(out: &mut Vec<u8>, values: &[f32]) {
    out.push(b'[');
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        float32(out, *value);
    }
    out.push(b']');
}

/// Text of a float64, for values that stay JSON.
pub(crate) fn number(value: f64) -> Json {
    let mut out = Vec::new();
    float64(&mut out, value);
    Json::Number(String::from_utf8_lossy(&out).into())
}

/// Text of a float32, for values that stay JSON.
pub(crate) fn number32(value: f32) -> Json {
    let mut out = Vec::new();
    float32(&mut out, value);
    Json::Number(String::from_utf8_lossy(&out).into())
}
