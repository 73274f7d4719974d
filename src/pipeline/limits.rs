//! Finds the values that a server prints but would refuse to take back: integers near 2^63 (weaviate-rest.md, trap 14).

use serde_json::Value;

use crate::model::{RawObject, Schema};

/// The largest integer that survives a round trip: the largest `float64` below 2^63.
const LARGEST_INTEGER: f64 = 9_223_372_036_854_774_784.0;
/// Numbers of fewer digits are far below the limit.
const DIGITS_OF_INTEREST: usize = 19;

/// Whether an object holds an integer that a restore could not write. `schema` tells whether integers are there at all;
/// nested objects are looked into.
#[must_use]
pub fn holds_unwritable_integer(schema: &Schema, object: &RawObject) -> bool {
    if !has_long_digits(object.properties()) {
        return false;
    }
    serde_json::from_slice(object.properties()).is_ok_and(|properties| beyond(&properties, "", &schema.integers))
}

/// Whether a run of `DIGITS_OF_INTEREST` digits stands anywhere. Looks at one byte in nineteen, then around it.
fn has_long_digits(text: &[u8]) -> bool {
    let digit = |b: &&u8| b.is_ascii_digit();
    (DIGITS_OF_INTEREST - 1..text.len()).step_by(DIGITS_OF_INTEREST).any(|at| {
        let before = text[..at].iter().rev().take_while(digit).count();
        let from_here = text[at..].iter().take_while(digit).count();
        from_here > 0 && before + from_here >= DIGITS_OF_INTEREST
    })
}

/// Whether an integer at one of the dotted paths in `integers` is too large.
fn beyond(value: &Value, path: &str, integers: &[String]) -> bool {
    match value {
        Value::Number(n) => {
            n.as_f64().is_some_and(|n| n.abs() > LARGEST_INTEGER) && integers.iter().any(|known| known == path)
        }
        Value::Array(values) => values.iter().any(|value| beyond(value, path, integers)),
        Value::Object(members) => members.iter().any(|(name, value)| {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            beyond(value, &below, integers)
        }),
        _ => false,
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
    fn other_long_digits_are_no_alarm() {
        assert!(!holds(r#"{"i":9223372036854774784}"#));
        assert!(!holds(r#"{"i":123456789012345678}"#));
        assert!(!holds(r#"{"n":9223372036854776000}"#), "a number property");
        assert!(!holds(r#"{"o":{"n":9223372036854776000}}"#), "a nested number property");
        assert!(!holds(r#"{"t":"99999999999999999999999999"}"#));
        assert!(!holds("{}"));
    }
}
