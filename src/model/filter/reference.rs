//! The same filters, evaluated slowly on parsed values: what the fast way is held against.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::value::Number;
use super::{Literal, LiteralValue, Order, PlaceName, Syntax, TestSyntax};

/// Whether a filter that fits the properties of `document` is true of a parsed object; `None`: unknown.
pub(super) fn judge(syntax: &Syntax, document: &Value, object: &Value) -> Option<bool> {
    match syntax {
        Syntax::All(parts) => {
            let all: Vec<_> = parts.iter().map(|part| judge(part, document, object)).collect();
            if all.contains(&Some(false)) {
                Some(false)
            } else if all.contains(&None) {
                None
            } else {
                Some(true)
            }
        }
        Syntax::Any(parts) => {
            let all: Vec<_> = parts.iter().map(|part| judge(part, document, object)).collect();
            if all.contains(&Some(true)) {
                Some(true)
            } else if all.contains(&None) {
                None
            } else {
                Some(false)
            }
        }
        Syntax::Not(part) => judge(part, document, object).map(|truth| !truth),
        Syntax::Test { place, test } => {
            let (value, kind) = match &place.name {
                PlaceName::Id => (object["id"].clone(), "uuid".to_owned()),
                PlaceName::Created => (millis(&object["creationTimeUnix"]), "date".to_owned()),
                PlaceName::Updated => (millis(&object["lastUpdateTimeUnix"]), "date".to_owned()),
                PlaceName::Property(names) => property(names, document, object),
            };
            self::test(test, &kind, &value)
        }
    }
}

fn millis(value: &Value) -> Value {
    let at = value.as_i64().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    at.map_or(Value::Null, |at| Value::String(at.to_string()))
}

fn property(names: &[String], document: &Value, object: &Value) -> (Value, String) {
    let (mut value, mut properties, mut kind) = (&object["properties"], &document["properties"], String::new());
    for name in names {
        value = &value[name];
        let property = properties.as_array().and_then(|all| all.iter().find(|one| one["name"] == name.as_str()));
        let property = property.expect("a property of the schema");
        kind = property["dataType"][0].as_str().expect("a type").to_owned();
        properties = &property["nestedProperties"];
    }
    (value.clone(), kind)
}

fn test(test: &TestSyntax, kind: &str, value: &Value) -> Option<bool> {
    if value.is_null() {
        return matches!(test, TestSyntax::Null).then_some(true);
    }
    match test {
        TestSyntax::Null => Some(false),
        TestSyntax::Compare(order, literal) => Some(holds(*order, compare(kind, value, literal))),
        TestSyntax::In(literals) => Some(literals.iter().any(|literal| compare(kind, value, literal).is_eq())),
        TestSyntax::Contains(literal) => Some(match kind.strip_suffix("[]") {
            Some(kind) => value.as_array()?.iter().any(|element| compare(kind, element, literal).is_eq()),
            None => value.as_str()?.contains(text(literal)),
        }),
        TestSyntax::Like(literal) => {
            let pattern: Vec<char> = text(literal).chars().collect();
            let value: Vec<char> = value.as_str()?.chars().collect();
            Some(like(&pattern, &value))
        }
    }
}

fn like(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        (['%', rest @ ..], text) => (0..=text.len()).any(|taken| like(rest, &text[taken..])),
        (['_', rest @ ..], [_, behind @ ..]) => like(rest, behind),
        (['\\', wanted, rest @ ..] | [wanted, rest @ ..], [there, behind @ ..]) => {
            wanted == there && like(rest, behind)
        }
        (_, []) => false,
    }
}

fn text(literal: &Literal) -> &str {
    if let LiteralValue::Text(text) = &literal.value { text } else { panic!("a text") }
}

fn holds(order: Order, ordering: Ordering) -> bool {
    match order {
        Order::Equal => ordering == Ordering::Equal,
        Order::Unequal => ordering != Ordering::Equal,
        Order::Less => ordering == Ordering::Less,
        Order::AtMost => ordering != Ordering::Greater,
        Order::More => ordering == Ordering::Greater,
        Order::AtLeast => ordering != Ordering::Less,
    }
}

fn compare(kind: &str, value: &Value, literal: &Literal) -> Ordering {
    match kind {
        "uuid" => {
            let lower = |text: &str| text.to_lowercase();
            lower(value.as_str().expect("a uuid")).cmp(&lower(text(literal)))
        }
        "date" => {
            let moment = |text: &str| -> Timestamp {
                if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() }.parse().expect("a time")
            };
            moment(value.as_str().expect("a date")).cmp(&moment(text(literal)))
        }
        "boolean" => {
            let LiteralValue::Flag(flag) = literal.value else { panic!("a flag") };
            value.as_bool().expect("a flag").cmp(&flag)
        }
        "int" | "number" => {
            let LiteralValue::Number(number) = literal.value else { panic!("a number") };
            #[expect(clippy::cast_precision_loss, reason = "small ones")]
            let float = match number {
                Number::Integer(integer) => integer as f64,
                Number::Float(float) => float,
            };
            match (value.as_i64(), number) {
                (Some(one), Number::Integer(other)) => i128::from(one).cmp(&other),
                _ => value.as_f64().expect("a number").partial_cmp(&float).expect("no NaN"),
            }
        }
        _ => value.as_str().expect("a text").cmp(text(literal)),
    }
}
