//! Finds the values that a server prints but would refuse to take back: integers near 2^63.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::model::{RawObject, Schema, json};

/// The largest integer that survives a round trip: the largest `float64` below 2^63.
pub const LARGEST_INTEGER: f64 = 9_223_372_036_854_774_784.0;
/// The same as text.
const LARGEST_TEXT: &str = "9223372036854774784";
/// Numbers of fewer digits are far below the limit.
const DIGITS_OF_INTEREST: usize = 19;

/// Whether an object holds an integer that a restore could not write. `schema` tells whether integers are there at all;
/// nested objects are looked into.
#[must_use]
pub fn holds_unwritable_integer(schema: &Schema, object: &RawObject) -> bool {
    if !has_long_digits(object.properties()) {
        return false;
    }
    let mut text = serde_json::Deserializer::from_slice(object.properties());
    Beyond { path: "", integers: &schema.integers }
        .deserialize(&mut text)
        .is_ok_and(|beyond| beyond && text.end().is_ok())
}

/// Whether a run of `DIGITS_OF_INTEREST` digits stands anywhere. Looks at one byte in nineteen, then around it.
pub(super) fn has_long_digits(text: &[u8]) -> bool {
    let digit = |b: &&u8| b.is_ascii_digit();
    (DIGITS_OF_INTEREST - 1..text.len()).step_by(DIGITS_OF_INTEREST).any(|at| {
        let before = text[..at].iter().rev().take_while(digit).count();
        let from_here = text[at..].iter().take_while(digit).count();
        from_here > 0 && before + from_here >= DIGITS_OF_INTEREST
    })
}

/// Whether an integer at one of the dotted paths in `integers` is too large. Builds nothing: a list of a few megabytes may
/// have millions of numbers.
#[derive(Clone, Copy)]
struct Beyond<'a> {
    path: &'a str,
    integers: &'a [String],
}

impl Beyond<'_> {
    fn is(self, number: f64) -> bool {
        number.abs() > LARGEST_INTEGER && self.integers.iter().any(|known| known == self.path)
    }
}

impl<'de> DeserializeSeed<'de> for Beyond<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Beyond<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    #[expect(clippy::cast_precision_loss, reason = "as servers read it")]
    fn visit_i64<E>(self, number: i64) -> Result<bool, E> {
        Ok(self.is(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "as servers read it")]
    fn visit_u64<E>(self, number: u64) -> Result<bool, E> {
        Ok(self.is(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<bool, E> {
        Ok(self.is(number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(beyond) = list.next_element_seed(self)? {
            found |= beyond;
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(name) = members.next_key::<String>()? {
            let below = if self.path.is_empty() { name } else { format!("{}.{name}", self.path) };
            found |= members.next_value_seed(Beyond { path: &below, ..self })?;
        }
        Ok(found)
    }
}

/// Appends the text of a property with every integer at one of the dotted paths brought into the range that the server
/// takes. All other text is kept. `value` is valid JSON.
pub(super) fn clamp(value: &str, path: &str, integers: &[String], to: &mut String) {
    if !has_long_digits(value.as_bytes()) {
        return to.push_str(value);
    }
    let comma = |at: usize| if at == 0 { "" } else { "," };
    match value.as_bytes().first() {
        Some(b'[') => {
            to.push('[');
            for (at, element) in json::elements(value).enumerate() {
                to.push_str(comma(at));
                clamp(element, path, integers, to);
            }
            to.push(']');
        }
        Some(b'{') => {
            to.push('{');
            for (at, (key, value)) in json::members(value).enumerate() {
                to.extend([comma(at), "\"", key, "\":"]);
                clamp(value, &format!("{path}.{key}"), integers, to);
            }
            to.push('}');
        }
        Some(b'-' | b'0'..=b'9') if integers.iter().any(|known| known == path) => match value.parse::<f64>() {
            Ok(number) if number > LARGEST_INTEGER => to.push_str(LARGEST_TEXT),
            Ok(number) if number < -LARGEST_INTEGER => to.extend(["-", LARGEST_TEXT]),
            _ => to.push_str(value),
        },
        _ => to.push_str(value),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::pipeline::split;

    fn holds(properties: &str) -> bool {
        let schema = Schema::parse(Bytes::from_static(
            br#"{"class":"A","properties":[{"name":"i","dataType":["int"]},{"name":"t","dataType":["text"]},
            {"name":"o","dataType":["object"],"nestedProperties":[{"name":"deep","dataType":["int[]"]},{"name":"n","dataType":["number"]}]}]}"#,
        ))
        .expect("a schema");
        let line = format!(r#"{{"class":"A","id":"00000000-0000-0000-0000-000000000001","properties":{properties}}}"#);
        holds_unwritable_integer(&schema, &split::line(&Bytes::from(line), &schema.name).expect("a line"))
    }

    #[test]
    fn integers_the_server_would_refuse_are_found() {
        assert!(holds(r#"{"i":9223372036854776000}"#));
        assert!(holds(r#"{"i":-9223372036854776000}"#));
        assert!(holds(r#"{"o":{"deep":[9223372036854776000]}}"#));
        assert!(holds(r#"{"pad":"xxxxxxxxxxxxx","i":9223372036854776000}"#));
    }

    #[test]
    fn integers_are_clamped_wherever_they_stand_and_nothing_else_is_touched() {
        let integers = ["i".to_owned(), "o.deep".to_owned()];
        let clamp = |value: &str, path: &str| {
            let mut text = String::new();
            super::clamp(value, path, &integers, &mut text);
            text
        };
        assert_eq!(clamp("9223372036854776000", "i"), LARGEST_TEXT);
        assert_eq!(clamp("[-9223372036854776000, 1]", "i"), format!("[-{LARGEST_TEXT},1]"));
        assert_eq!(
            clamp(r#"{"deep":[9223372036854776000],"n":9223372036854776000,"t":"9223372036854776000"}"#, "o"),
            format!(r#"{{"deep":[{LARGEST_TEXT}],"n":9223372036854776000,"t":"9223372036854776000"}}"#)
        );
        assert_eq!(clamp("9223372036854774784", "i"), LARGEST_TEXT);
        assert_eq!(clamp("1E5", "i"), "1E5");
    }

    #[test]
    fn other_long_digits_are_no_alarm() {
        assert!(!holds(r#"{"i":9223372036854774784}"#));
        assert!(!holds(r#"{"i":123456789012345678}"#));
        assert!(!holds(r#"{"n":9223372036854776000}"#), "a number property");
        assert!(!holds(r#"{"o":{"n":9223372036854776000}}"#), "a nested number property");
        assert!(!holds(r#"{"t":"99999999999999999999999999"}"#));
        assert!(!holds("{}"));
    }
}
