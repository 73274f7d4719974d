//! Properties: their names, data types and defaults.

use super::State;
use crate::behaviour::{Behaviour, Release};
use crate::json::{Json, object};

const PRIMITIVES: [&str; 9] =
    ["text", "int", "number", "boolean", "date", "uuid", "geoCoordinates", "phoneNumber", "blob"];
const ARRAYS: [&str; 7] = ["text[]", "int[]", "number[]", "boolean[]", "date[]", "uuid[]", "object[]"];

/// Whether a text is `[_A-Za-z][_0-9A-Za-z]{0,limit}`.
pub(super) fn is_name(text: &str, limit: usize) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
        && letters.all(|c| c == '_' || c.is_ascii_alphanumeric())
        && text.len() <= limit + 1
}

/// The properties with all that the server fills in; the error is the server's.
pub(super) fn complete_all(ours: Behaviour, state: &State, class: &str, given: &Json) -> Result<Json, String> {
    let Some(given) = given.as_array() else { return Ok(Json::Null) };
    let mut names: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for property in given {
        let property = complete(ours, state, class, property)?;
        let name = property.text("name").unwrap_or("").to_lowercase();
        if names.contains(&name) {
            return Err(conflict(class, property.text("name").unwrap_or("")));
        }
        names.push(name);
        all.push(property);
    }
    Ok(Json::Array(all))
}

pub(super) fn conflict(class: &str, name: &str) -> String {
    format!("class \"{class}\": conflict for property \"{name}\": already in use or provided multiple times")
}

/// One property.
pub(super) fn complete(ours: Behaviour, state: &State, class: &str, given: &Json) -> Result<Json, String> {
    let name = lower_first(given.text("name").unwrap_or(""));
    check_name(ours, &name)?;
    let mut types: Vec<String> = match given.get("dataType") {
        Some(Json::Array(types)) => types.iter().filter_map(|t| t.as_text().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    check_types(ours, state, class, &name, &types)?;
    let mut tokenization = given.text("tokenization").filter(|t| !t.is_empty()).map(str::to_owned);
    if let [only] = types.as_mut_slice()
        && matches!(only.as_str(), "string" | "string[]")
    {
        *only = only.replace("string", "text");
        tokenization = Some(if tokenization.as_deref() == Some("field") { "field" } else { "whitespace" }.to_owned());
    }
    let first = types.first().cloned().unwrap_or_default();
    let is_text = matches!(first.as_str(), "text" | "text[]");
    if !is_text && tokenization.is_some() {
        let word = if ours.release >= Release::V1_28 { "tokenization" } else { "Tokenization" };
        return Err(format!("{word} is not allowed for data type '{first}'"));
    }
    let mut property = object! {"dataType": types.into_iter().map(Json::from).collect::<Vec<_>>()};
    if let Some(text) = given.text("description").filter(|t| !t.is_empty()) {
        property.set("description", text);
    }
    let flag = |option: &str, default: bool| match given.get(option) {
        Some(Json::Bool(set)) => *set,
        _ => default,
    };
    property.set("indexFilterable", flag("indexFilterable", true));
    if ours.range_filters() {
        property.set("indexRangeFilters", flag("indexRangeFilters", false));
    }
    property.set("indexSearchable", flag("indexSearchable", is_text));
    if let Some(config) = given.get("moduleConfig").filter(|c| !c.is_null()) {
        property.set("moduleConfig", config.clone());
    }
    property.set("name", name.as_str());
    if matches!(first.as_str(), "object" | "object[]") {
        let nested = given.get("nestedProperties").and_then(Json::as_array).unwrap_or(&[]);
        if nested.is_empty() {
            return Err(format!(
                "property '{name}': at least one nested property is required for data type object/object[]"
            ));
        }
        check_nested_words(ours, &name, nested)?;
        let nested: Result<Vec<Json>, String> = nested.iter().map(|n| complete(ours, state, class, n)).collect();
        property.set("nestedProperties", nested?);
    }
    for option in ["textAnalyzer", "disableDuplicatedReferences"] {
        if let Some(value) = given.get(option).filter(|v| !v.is_null() && ours.release >= Release::V1_39) {
            property.set(option, value.clone());
        }
    }
    if is_text {
        property.set("tokenization", tokenization.unwrap_or_else(|| "word".to_owned()));
    }
    Ok(property)
}

/// Nested texts are cut into words in fewer ways.
fn check_nested_words(ours: Behaviour, name: &str, nested: &[Json]) -> Result<(), String> {
    let is_known = |word: &str| ["", "word", "lowercase", "whitespace", "field"].contains(&word);
    let words = nested.iter().map(|n| (n.text("name").unwrap_or(""), n.text("tokenization").unwrap_or("")));
    let unknown = words.enumerate().find(|(_, (_, word))| !is_known(word));
    unknown.map_or(Ok(()), |(at, (inner, word))| {
        Err(if ours.release == Release::V1_24 {
            let place = format!("properties.0.nestedProperties.{at}.tokenization");
            format!("{place} in body should be one of [word lowercase whitespace field]")
        } else {
            format!("property '{name}.{inner}': Tokenization '{word}' is not allowed for data type 'text'")
        })
    })
}

/// The name with its first letter in lower case.
pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What names of properties do not end with, as the server's own indexes do.
const RESERVED_ENDS: [&str; 6] =
    ["_searchable", "_temp", "_rangeable", "_propertyLength", "_nullState", "__meta_count"];

/// Whether the server takes a property name.
pub(crate) fn check_name(ours: Behaviour, name: &str) -> Result<(), String> {
    if !is_name(name, 230) {
        let stop = if ours.release == Release::V1_24 { "." } else { "" };
        return Err(format!(
            "'{name}' is not a valid property name. Property names in Weaviate are restricted to valid GraphQL names, \
             which must be “/[_A-Za-z][_0-9A-Za-z]{{0,230}}/”{stop}"
        ));
    }
    if matches!(name, "id" | "_id" | "_additional") {
        return Err(format!("'{name}' is a reserved property name"));
    }
    let reserved = RESERVED_ENDS.iter().find(|end| ours.release >= Release::V1_39 && name.ends_with(**end));
    if let Some(end) = reserved {
        return Err(format!("'{name}' is not a valid property name: suffix '{end}' is reserved for internal indices"));
    }
    Ok(())
}

fn check_types(ours: Behaviour, state: &State, class: &str, name: &str, types: &[String]) -> Result<(), String> {
    let Some(first) = types.first() else {
        return Err(format!("property '{name}': invalid dataType: dataType cannot be empty"));
    };
    if first.chars().next().is_some_and(char::is_uppercase) {
        return if types.iter().all(|t| t == class || state.collections.contains_key(t)) {
            Ok(())
        } else if ours.release == Release::V1_24 {
            Err(format!("property '{name}': invalid dataType: reference property to nonexistent class"))
        } else {
            Err("bad request: reference property to nonexistent class".to_owned())
        };
    }
    let known = types.len() == 1
        && (PRIMITIVES.contains(&first.as_str())
            || ARRAYS.contains(&first.as_str())
            || matches!(first.as_str(), "object" | "string" | "string[]")
            || first == "blobHash" && ours.blob_hash());
    if known {
        return Ok(());
    }
    Err(if ours.release == Release::V1_24 {
        format!("property '{name}': invalid dataType: Unknown primitive data type '{first}'")
    } else {
        let types = types.join(" ");
        format!("property '{name}': invalid dataType: [{types}]: unknown primitive data type '{first}'")
    })
}
