//! What a setting takes, and what of a class document a text is that was typed for it. Pure.

use serde_json::{Value, json};

/// What stands for nothing: no object of settings, no list.
pub(super) const OFF: &str = "off";
/// What is said of a vectorizer, or of a quantizer, that is not there.
pub(super) const NONE: &str = "none";
/// What the age of objects counts from, unless a document says otherwise.
const SINCE_CREATION: &str = "_creationTimeUnix";

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the variant says the fact")]
pub enum Takes {
    #[error("a whole number from 1")]
    Count,
    #[error("a number")]
    Number,
    #[error("true or false")]
    Switch,
    #[error("a text")]
    Text,
    #[error("one of {}", _0.join(", "))]
    OneOf(&'static [&'static str]),
    #[error("a JSON list, or off")]
    List,
    #[error("a JSON object, or off")]
    Object,
    #[error("off, or for how many seconds objects live")]
    Ttl,
    /// Whatever the document has there: settings of modules.
    #[error("a value")]
    Anything,
}

/// What a setting takes, if this is none of it.
pub(super) fn misfit(takes: Takes, text: &str) -> Option<Takes> {
    let read: Option<Value> = serde_json::from_str(text).ok();
    let is = |test: fn(&Value) -> bool| read.as_ref().is_some_and(test);
    let fits = match takes {
        Takes::Count => is(|value| value.as_u64().is_some_and(|number| number > 0)),
        Takes::Number => is(Value::is_number),
        Takes::Switch => is(Value::is_boolean),
        Takes::Text | Takes::Anything => true,
        Takes::OneOf(words) => words.contains(&text),
        Takes::List => text == OFF || is(Value::is_array),
        Takes::Object => text == OFF || is(Value::is_object),
        Takes::Ttl => text == OFF || is(|value| value.as_i64().is_some_and(|seconds| seconds > 0)),
    };
    (!fits).then_some(takes)
}

/// The value that is meant by a text, where the document has `there`; `None`: it has none any more.
pub(super) fn meant(takes: Takes, text: &str, there: Option<&Value>) -> Option<Value> {
    let read: Option<Value> = serde_json::from_str(text).ok();
    let as_typed = || Value::from(text);
    Some(match takes {
        Takes::OneOf(_) => as_typed(),
        // Servers print no empty text.
        Takes::Text => Some(read.filter(Value::is_string).unwrap_or_else(as_typed)).filter(|text| *text != "")?,
        Takes::Anything => {
            let fits = |value: &Value| match there {
                None | Some(Value::Null) => true,
                Some(there) => std::mem::discriminant(value) == std::mem::discriminant(there),
            };
            read.filter(fits).unwrap_or_else(as_typed)
        }
        Takes::Ttl | Takes::List | Takes::Object if text == OFF => return None,
        Takes::Ttl => {
            let since = there.and_then(|ttl| ttl["deleteOn"].as_str()).unwrap_or(SINCE_CREATION);
            let mut ttl = there.filter(|ttl| ttl.is_object()).cloned().unwrap_or_else(|| json!({}));
            ttl["deleteOn"] = Value::from(since);
            ttl["defaultTtl"] = read.unwrap_or_default();
            ttl["enabled"] = Value::from(true);
            ttl
        }
        Takes::Count | Takes::Number | Takes::Switch | Takes::List | Takes::Object => read.unwrap_or_else(as_typed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_setting_does_not_take_is_said() {
        for (takes, good, bad) in [
            (Takes::Count, "1", "0"),
            (Takes::Count, "12", "1.5"),
            (Takes::Number, "-1", "many"),
            (Takes::Switch, "true", "yes"),
            (Takes::OneOf(&["a", "b"]), "b", "c"),
            (Takes::List, "[1]", "{}"),
            (Takes::List, "off", ""),
            (Takes::Object, "{}", "[]"),
            (Takes::Ttl, "60", "0"),
            (Takes::Ttl, "off", "on"),
        ] {
            assert_eq!((misfit(takes, good), misfit(takes, bad)), (None, Some(takes)), "{takes}");
        }
        assert_eq!((misfit(Takes::Text, ""), misfit(Takes::Anything, "{")), (None, None));
    }

    #[test]
    fn a_text_is_what_the_document_has_there() {
        let (text, number, nothing) = (json!("x"), json!(1), Value::Null);
        for (takes, typed, there, value) in [
            (Takes::Text, "5", None, json!("5")),
            (Takes::Text, "\"5\"", None, json!("5")),
            (Takes::Number, "5", Some(&number), json!(5)),
            (Takes::Anything, "5", Some(&text), json!("5")),
            (Takes::Anything, "5", Some(&number), json!(5)),
            (Takes::Anything, "5", Some(&nothing), json!(5)),
            (Takes::Anything, "true", None, json!(true)),
            (Takes::Anything, "true", Some(&number), json!("true")),
            (Takes::Anything, "a b", None, json!("a b")),
        ] {
            assert_eq!(meant(takes, typed, there), Some(value), "{takes} {typed} {there:?}");
        }
        assert_eq!((meant(Takes::Text, "", Some(&text)), meant(Takes::Text, "\"\"", None)), (None, None));
        assert_eq!((meant(Takes::List, OFF, None), meant(Takes::Object, OFF, Some(&text))), (None, None));
    }

    #[test]
    fn a_time_to_live_keeps_what_it_counts_from() {
        let made = meant(Takes::Ttl, "60", None).expect("one");
        assert_eq!(made, json!({"deleteOn": "_creationTimeUnix", "defaultTtl": 60, "enabled": true}));
        let there = json!({"enabled": false, "deleteOn": "until", "filterExpiredObjects": true});
        let made = meant(Takes::Ttl, "60", Some(&there)).expect("one");
        assert_eq!(made, json!({"enabled": true, "deleteOn": "until", "filterExpiredObjects": true, "defaultTtl": 60}));
        assert_eq!(meant(Takes::Ttl, OFF, Some(&there)), None);
    }
}
