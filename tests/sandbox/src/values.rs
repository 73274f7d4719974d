//! Property values: checked against their data type and turned into what the server prints.

mod date;
mod phone;

pub(crate) use date::is_date;

use base64::Engine;

use crate::json::{Json, object};
use crate::print;
use crate::store::dashed;

/// A value as Go's `%v` shows it.
pub(crate) fn shown(value: &Json) -> String {
    match value {
        Json::Null => "<nil>".to_owned(),
        Json::Bool(set) => set.to_string(),
        Json::Number(text) => text.to_string(),
        Json::Text(text) => text.clone(),
        Json::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Json::Object(members) => {
            let mut members: Vec<String> = members.iter().map(|(n, v)| format!("{n}:{}", shown(v))).collect();
            members.sort();
            format!("map[{}]", members.join(" "))
        }
    }
}

/// The name of a value's Go type.
fn go_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "<nil>",
        Json::Bool(_) => "bool",
        Json::Number(_) => "json.Number",
        Json::Text(_) => "string",
        Json::Array(_) => "[]interface {}",
        Json::Object(_) => "map[string]interface {}",
    }
}

/// Any spelling of a UUID the server takes.
pub(crate) fn is_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

/// What a value is checked against.
pub(crate) struct Place<'a> {
    pub(crate) class: &'a str,
    /// The property's name, with the names of those around it.
    pub(crate) name: &'a str,
    pub(crate) property: &'a Json,
    /// Whether a class holds an object; the class may be missing in the beacon.
    pub(crate) find: &'a dyn Fn(Option<&str>, u128) -> Option<String>,
}

/// The value as it is stored; the error is the server's.
pub(crate) fn normalise(place: &Place<'_>, value: &Json) -> Result<Json, String> {
    let types = place.property.get("dataType").and_then(Json::as_array).unwrap_or(&[]);
    let kind = types.first().and_then(Json::as_text).unwrap_or("");
    if kind.starts_with(char::is_uppercase) {
        return references(place, value);
    }
    let wrong = |word: &str, why: String| {
        Err(format!("invalid {word} property '{}' on class '{}': {why}", place.name, place.class))
    };
    if let Some(element) = kind.strip_suffix("[]") {
        return array(place, element, value);
    }
    let bad = |what: &str| format!("{what}, but {}", go_type(value));
    match (kind, value) {
        ("text" | "string", Json::Text(_)) | ("boolean", Json::Bool(_)) => Ok(value.clone()),
        ("text" | "string", _) => wrong("text", bad("not a string")),
        ("boolean", _) => wrong("boolean", bad("not a bool")),
        ("int", Json::Number(text)) => match integer(text) {
            Some(number) => Ok(number),
            None => wrong("integer", format!("the JSON number '{text}' could not be converted to an int")),
        },
        ("int", _) => wrong("integer", format!("requires an integer, the given value is '{}'", shown(value))),
        ("number", Json::Number(text)) if value.as_f64().is_none() => {
            wrong("number", format!("the JSON number '{text}' could not be converted to a float."))
        }
        ("number", _) => match value.as_f64() {
            Some(number) => Ok(print::number(number)),
            None => wrong("number", format!("requires a float, the given value is '{}'", shown(value))),
        },
        ("date", _) => match value.as_text().and_then(date::normalised) {
            Some(text) => Ok(text.into()),
            None => wrong(
                "date",
                format!("requires a string with a RFC3339 formatted date, but the given value is '{}'", shown(value)),
            ),
        },
        ("uuid", _) => match value.as_text().and_then(|t| uuid::Uuid::try_parse(t).ok()) {
            Some(id) => Ok(id.hyphenated().to_string().into()),
            None => {
                wrong("uuid", format!("requires a string of UUID format, but the given value is '{}'", shown(value)))
            }
        },
        ("blob", Json::Text(text)) if base64::engine::general_purpose::STANDARD.decode(text).is_ok() => {
            Ok(value.clone())
        }
        ("blob", Json::Text(_)) => wrong("blob", "not a valid blob base64 string".to_owned()),
        ("blob", _) => wrong("blob", bad("not a blob base64 string")),
        ("blobHash", Json::Text(text)) => Ok(blob_hash(text).into()),
        ("geoCoordinates", _) => geo(value).or_else(|why| wrong("geoCoordinates", why)),
        ("phoneNumber", _) => phone::parsed(value).or_else(|why| wrong("phoneNumber", why)),
        ("object", _) => nested(place, value).or_else(|why| wrong("object", why)),
        _ => Ok(value.clone()),
    }
}

/// An int goes through float64 on the server, and must be written without point and exponent.
fn integer(text: &str) -> Option<Json> {
    let number: i64 = text.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "losing digits beyond 2^53 is what the server does")]
    Some(print::number(number as f64))
}

fn array(place: &Place<'_>, element: &str, value: &Json) -> Result<Json, String> {
    let (class, name) = (place.class, place.name);
    let word = if element == "int" { "integer" } else { element };
    if element == "object" {
        let wrong = |why: String| format!("invalid object[] property '{name}' on class '{class}': {why}");
        let items = value.as_array().ok_or_else(|| wrong(format!("not an object array, but {}", go_type(value))))?;
        let items = items.iter().enumerate();
        let all: Result<Vec<Json>, String> = items
            .map(|(at, item)| nested(place, item).map_err(|e| wrong(format!("invalid object '{at}' in array: {e}"))))
            .collect();
        return all.map(Json::Array);
    }
    let wrong = |why: String| format!("invalid {word} array property '{name}' on class '{class}': {why}");
    let article = if word == "integer" { "an" } else { "a" };
    let items = value.as_array().ok_or_else(|| wrong(format!("not {article} {word} array, but {}", go_type(value))))?;
    let one = object! {"dataType": vec![Json::from(element)]};
    let all: Result<Vec<Json>, String> =
        items.iter().map(|item| normalise(&Place { property: &one, ..*place }, item)).collect();
    // The server says "integer" for arrays of numbers too.
    let said = if element == "number" { "integer" } else { word };
    all.map(Json::Array).map_err(|_| wrong(format!("invalid {said} array value: {}", shown(value))))
}

fn geo(value: &Json) -> Result<Json, String> {
    if value.as_object().is_none() {
        return Err(format!("geoCoordinates must be a map, but got: {}", go_type(value)));
    }
    let mut found = object! {};
    for name in ["latitude", "longitude"] {
        let part = value.get(name).ok_or_else(|| format!("geoCoordinates is missing required field '{name}'"))?;
        let Json::Number(text) = part else {
            return Err(format!("invalid {name}: must be json.Number or float, but got {}", go_type(part)));
        };
        found.set(name, print::number32(text.parse().unwrap_or(0.0)));
    }
    Ok(found)
}

fn nested(place: &Place<'_>, value: &Json) -> Result<Json, String> {
    let Json::Object(members) = value else {
        return Err(format!("object must be a map, but got: {}", go_type(value)));
    };
    let known = place.property.get("nestedProperties").and_then(Json::as_array).unwrap_or(&[]);
    let mut all = Vec::new();
    for (name, member) in members.iter().filter(|(_, m)| !m.is_null()) {
        let full = format!("{}.{name}", place.name);
        let member = match known.iter().find(|p| p.text("name") == Some(name)) {
            Some(property) => normalise(&Place { property, name: &full, ..*place }, member)
                .map_err(|e| format!("property '{full}': {e}"))?,
            None => loose(member),
        };
        all.push((name.clone(), member));
    }
    Ok(Json::Object(all))
}

/// A value nothing is known about: its numbers are float64.
fn loose(value: &Json) -> Json {
    match value {
        Json::Number(_) => value.as_f64().map_or_else(|| value.clone(), print::number),
        Json::Array(items) => Json::Array(items.iter().map(loose).collect()),
        Json::Object(members) => Json::Object(members.iter().map(|(n, m)| (n.clone(), loose(m))).collect()),
        _ => value.clone(),
    }
}

fn references(place: &Place<'_>, value: &Json) -> Result<Json, String> {
    let items = value.as_array().ok_or_else(|| format!("reference property is not a slice {}", shown(value)))?;
    let mut all = Vec::new();
    for item in items {
        let beacon = item.text("beacon").unwrap_or("");
        let (class, id) = split_beacon(beacon).ok_or_else(|| {
            let path = beacon.strip_prefix("weaviate://localhost/").unwrap_or(beacon);
            format!("invalid cref URI: path must be of format '<class>/<uuid>', but got '{path}'")
        })?;
        let Some(class) = (place.find)(class, id) else {
            let (owner, name) = (place.class, place.name);
            return Err(format!("invalid cref: 'cref' {owner}:{name}: no object with id {} found", dashed(id)));
        };
        all.push(reference(&class, id));
    }
    Ok(Json::Array(all))
}

/// Class and id of `weaviate://localhost/Class/id`, or of the older form without the class.
pub(crate) fn split_beacon(beacon: &str) -> Option<(Option<&str>, u128)> {
    let path = beacon.strip_prefix("weaviate://localhost/")?;
    match path.split_once('/') {
        Some((class, id)) => Some((Some(class), crate::store::parse_id(id)?)),
        None => Some((None, crate::store::parse_id(path)?)),
    }
}

/// A reference as it is listed.
pub(crate) fn reference(class: &str, id: u128) -> Json {
    let id = dashed(id);
    object! {"beacon": format!("weaviate://localhost/{class}/{id}"), "href": format!("/v1/objects/{class}/{id}")}
}

/// Stands for the server's SHA-256: 64 hex digits that depend on the text, and differ when hashed again.
fn blob_hash(text: &str) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let part = |n| crate::seeded::mix(state, n);
    format!("{:016x}{:016x}{:016x}{:016x}", part(0), part(1), part(2), part(3))
}
