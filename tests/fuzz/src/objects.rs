//! What the splitter says of an object, against what a parser says of the same text.

use elysiactl::model::RawObject;
use serde_json::Value;

/// Panics where they differ. An object whose keys come twice, or are written with escapes, is left alone: no server
/// prints such, and a parser takes the last one.
pub fn same(object: &RawObject) {
    let Ok(value) = serde_json::from_slice::<Value>(&object.text) else { return };
    let text = std::str::from_utf8(&object.text).expect("text");
    if text.contains('\\') {
        return;
    }
    let members = value.as_object().expect("an object");
    let id = members.get("id").and_then(Value::as_str).expect("an id");
    assert!(id.eq_ignore_ascii_case(&object.id.to_string()), "{id} {}", object.id);
    if !object.properties().is_empty() {
        let properties: Value = serde_json::from_slice(object.properties()).expect("properties");
        assert_eq!(Some(&properties), members.get("properties"));
    }
    for (name, vector) in object.vectors() {
        let vector: Value = serde_json::from_slice(vector).expect("a vector");
        let name = std::str::from_utf8(name).expect("a name");
        let unnamed = name == "default" && members.get("vector") == Some(&vector);
        let named = members.get("vectors").and_then(|all| all.get(name));
        // A name that comes twice among the vectors: the parser knows the last one only.
        let doubled = text.matches(&format!("\"{name}\"")).count() > 1;
        assert!(unnamed || named == Some(&vector) || doubled, "{name} {vector}");
    }
}
