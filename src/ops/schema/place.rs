//! Places in a class document: finds them by pattern, names them by path, takes them out. Pure.

use serde_json::Value;

/// Keys from the top. A property is named by its `name`, not by its number.
pub(in crate::ops) type Path = Vec<String>;

/// A place found.
pub(in crate::ops) struct Place<'a> {
    /// Where it is.
    pub path: Path,
    /// What stands there.
    pub value: &'a Value,
    /// The object it stands in.
    pub within: &'a Value,
}

/// Every place a pattern matches. A pattern is keys from the top, joined by dots, the first of which may stand for many:
/// `@property` for every property, nested ones included, `@top` for those of the top level alone; `@vector` for the unnamed vector (the document itself) and
/// each named one; `@hnsw`, `@flat` and `@hfresh` for every settings of such an index, those inside of `dynamic` too.
pub(in crate::ops) fn places<'a>(document: &'a Value, pattern: &str) -> Vec<Place<'a>> {
    let (first, rest) = pattern.split_once('.').unwrap_or((pattern, ""));
    let starts = match first {
        "@property" => properties(document),
        "@top" => properties(document).into_iter().filter(|(path, _)| path.len() == 2).collect(),
        "@vector" => vectors(document),
        "@hnsw" | "@flat" | "@hfresh" => {
            let kind = first.trim_start_matches('@');
            let found = indexes(document).into_iter().filter(|(of, ..)| *of == kind);
            found.map(|(_, path, settings)| (path, settings)).collect()
        }
        _ => return below(Vec::new(), document, pattern).into_iter().collect(),
    };
    starts.into_iter().filter_map(|(path, start)| below(path, start, rest)).collect()
}

fn below<'a>(mut path: Path, start: &'a Value, keys: &str) -> Option<Place<'a>> {
    let (mut value, mut within) = (start, start);
    for key in keys.split('.') {
        within = value;
        value = value.get(key)?;
        path.push(key.to_owned());
    }
    Some(Place { path, value, within })
}

/// Every property with its path, parents first.
pub(in crate::ops) fn properties(document: &Value) -> Vec<(Path, &Value)> {
    fn list<'a>(within: &'a Value, key: &str, path: &[String], found: &mut Vec<(Path, &'a Value)>) {
        for property in within[key].as_array().into_iter().flatten() {
            let name = property["name"].as_str().unwrap_or_default();
            let path: Path = path.iter().map(String::as_str).chain([key, name]).map(str::to_owned).collect();
            found.push((path.clone(), property));
            list(property, "nestedProperties", &path, found);
        }
    }
    let mut found = Vec::new();
    list(document, "properties", &[], &mut found);
    found
}

/// The document itself, which holds the unnamed vector's settings, and each named vector.
pub(in crate::ops) fn vectors(document: &Value) -> Vec<(Path, &Value)> {
    let named = document["vectorConfig"].as_object().into_iter().flatten();
    let named = named.map(|(name, vector)| (vec!["vectorConfig".to_owned(), name.clone()], vector));
    std::iter::once((Vec::new(), document)).chain(named).collect()
}

/// Kind, path and settings of every vector index. An index without a kind is `hnsw`, the servers' default.
fn indexes(document: &Value) -> Vec<(&str, Path, &Value)> {
    let mut found = Vec::new();
    for (mut path, holder) in vectors(document) {
        let kind = holder["vectorIndexType"].as_str().filter(|kind| !kind.is_empty()).unwrap_or("hnsw");
        let settings = &holder["vectorIndexConfig"];
        path.push("vectorIndexConfig".to_owned());
        for inner in ["hnsw", "flat"] {
            if kind == "dynamic" && settings[inner].is_object() {
                found.push((inner, path.iter().cloned().chain([inner.to_owned()]).collect(), &settings[inner]));
            }
        }
        if settings.is_object() {
            found.push((kind, path, settings));
        }
    }
    found
}

/// The element of a list of properties that has this name.
pub(in crate::ops) fn named<'a>(list: &'a [Value], name: &str) -> Option<&'a Value> {
    list.iter().find(|element| element["name"] == name)
}

/// What stands at a path.
pub(in crate::ops) fn at<'a>(document: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, key| match value {
        Value::Array(list) => named(list, key),
        other => other.get(key),
    })
}

/// Takes out what stands at a path, an element of a list by its name. The order of what is left stays.
pub(in crate::ops) fn take(document: &mut Value, path: &[String]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(document, |value, key| match value {
        Value::Array(elements) => elements.iter_mut().find(|element| element["name"] == key.as_str()),
        other => other.get_mut(key),
    })?;
    match parent {
        // Not `remove`, which would put the last key in its place.
        Value::Object(members) => members.shift_remove(last),
        Value::Array(elements) => {
            let at = elements.iter().position(|element| element["name"] == last.as_str())?;
            Some(elements.remove(at))
        }
        _ => None,
    }
}

/// Puts a value at a path, an element of a list by its name; objects that lack on the way are made. Whether there was a way.
pub(in crate::ops) fn put(document: &mut Value, path: &[String], value: Value) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut at = document;
    for key in parents {
        let next = match at {
            Value::Array(elements) => elements.iter_mut().find(|element| element["name"] == key.as_str()),
            Value::Object(members) => {
                let below = members.entry(key.clone()).or_insert(Value::Null);
                if below.is_null() {
                    *below = Value::Object(serde_json::Map::new());
                }
                Some(below)
            }
            _ => None,
        };
        let Some(next) = next else { return false };
        at = next;
    }
    let Value::Object(members) = at else { return false };
    members.insert(last.clone(), value);
    true
}

/// Whether a setting is off: false, nothing, zero, or an object that says it is not enabled.
pub(in crate::ops) fn is_off(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.is_empty() || members.get("enabled") == Some(&Value::Bool(false)),
        Value::Number(number) => number.as_f64() == Some(0.0),
        other => is_nothing(other),
    }
}

/// Whether a value is as good as absent: what servers print differently for the same thing.
pub(in crate::ops) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Bytes of a value that are shown.
const SHOWN_BYTES: usize = 60;

/// A value as JSON, cut if it is long.
pub(in crate::ops) fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().find(|(at, _)| *at >= SHOWN_BYTES) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// A path for people. Names of properties and vectors below which it goes on become `*`, so that equal ones can be told
/// once.
pub(in crate::ops) fn shape(path: &[String]) -> String {
    let mut shown: Vec<&str> = Vec::with_capacity(path.len());
    for (at, key) in path.iter().enumerate() {
        let list = at > 0 && ["properties", "nestedProperties", "vectorConfig"].contains(&path[at - 1].as_str());
        let inside = at % 2 == 1 && at + 1 < path.len();
        shown.push(if list && inside { "*" } else { key });
    }
    shown.join(".")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn taking_out_keeps_the_order_of_the_rest() {
        let mut document =
            json!({"properties": [{"name": "p", "x": 1, "nestedProperties": [{"name": "q", "a": 1, "b": 2, "c": 3}]}]});
        let path = ["properties", "p", "nestedProperties", "q", "a"].map(str::to_owned);
        assert_eq!(at(&document, &path), Some(&json!(1)));
        assert_eq!(take(&mut document, &path), Some(json!(1)));
        assert_eq!(at(&document, &path[..4]).map(ToString::to_string).as_deref(), Some(r#"{"name":"q","b":2,"c":3}"#));
        assert_eq!(take(&mut document, &path), None);
        assert_eq!(take(&mut document, &path[..4]).map(|q| q["c"].clone()), Some(json!(3)));
        assert_eq!(document["properties"][0]["nestedProperties"], json!([]));
        assert_eq!(take(&mut document, &["no".to_owned(), "where".to_owned()]), None);
    }

    #[test]
    fn putting_in_makes_what_lacks_and_no_elements() {
        let mut document = json!({"a": null, "properties": [{"name": "p"}], "n": 1});
        let mut put_in = |path: &str| {
            let path: Path = path.split('.').map(str::to_owned).collect();
            put(&mut document, &path, json!(true))
        };
        assert!(put_in("a.b.c") && put_in("properties.p.x.y"));
        assert!(!put_in("properties.q.x") && !put_in("n.x"));
        assert_eq!(document, json!({"a": {"b": {"c": true}}, "properties": [{"name": "p", "x": {"y": true}}], "n": 1}));
    }

    #[test]
    fn off_is_not_the_same_as_nothing() {
        for value in
            [json!(null), json!(false), json!(0), json!(""), json!([]), json!({}), json!({"enabled": false, "x": 1})]
        {
            assert!(is_off(&value), "{value}");
        }
        for value in [json!(true), json!(1), json!("x"), json!([1]), json!({"enabled": true}), json!({"x": 1})] {
            assert!(!is_off(&value), "{value}");
        }
        assert!(!is_nothing(&json!(0)) && !is_nothing(&json!({"enabled": false})));
    }

    #[test]
    fn shapes_hide_names_but_not_the_last() {
        let shaped = |path: &str| shape(&path.split('.').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(shaped("properties.a.nestedProperties.b.x"), "properties.*.nestedProperties.*.x");
        assert_eq!(shaped("vectorConfig.v.vectorIndexConfig.rq"), "vectorConfig.*.vectorIndexConfig.rq");
        // A property may have the name of a list.
        assert_eq!(shaped("properties.properties.x"), "properties.*.x");
        assert_eq!(shaped("properties.a"), "properties.a");
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let value = json!("ä".repeat(100));
        assert!(short(&value).ends_with("ä…") && short(&value).len() < 70);
    }
}
