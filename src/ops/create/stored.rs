//! What every server makes of a class document before it keeps it (its `usecases/schema`): so it is asked for at once, and
//! what is made can be compared with what was asked. Pure.

use serde_json::{Map, Value};

use crate::event::CreationRemark;
use crate::model::Schema;
use crate::ops::Error;

/// The document as a server keeps it, and what is not as it says.
pub(super) fn as_stored(schema: &Schema) -> Result<(Schema, Vec<CreationRemark>), Error> {
    let bug = |_| Error::Stage { what: "class document".into() };
    let mut document: Value = serde_json::from_slice(&schema.text).map_err(bug)?;
    let properties = document.get_mut("properties").and_then(Value::as_array_mut);
    let remarks: Vec<CreationRemark> = properties
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
        .flat_map(|property| [renamed(property), retyped(property), reindexed(property)])
        .flatten()
        .collect();
    if remarks.is_empty() {
        return Ok((schema.clone(), remarks));
    }
    let schema =
        Schema::parse(document.to_string().into()).map_err(|_| Error::Stage { what: "class document".into() })?;
    Ok((schema, remarks))
}

fn name(property: &Map<String, Value>) -> String {
    property.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// No property begins with a capital.
fn renamed(property: &mut Map<String, Value>) -> Option<CreationRemark> {
    let old = name(property);
    let first = old.chars().next().filter(char::is_ascii_uppercase)?;
    let new = format!("{}{}", first.to_ascii_lowercase(), &old[1..]);
    property.insert("name".into(), new.clone().into());
    Some(CreationRemark::PropertyRenamed { property: old, now: new })
}

/// `string` has been another way to write `text` since 1.19.
fn retyped(property: &mut Map<String, Value>) -> Option<CreationRemark> {
    let [Value::String(old)] = property.get("dataType")?.as_array()?.as_slice() else { return None };
    let (old, new) = match old.as_str() {
        "string" => ("string", "text"),
        "string[]" => ("string[]", "text[]"),
        _ => return None,
    };
    let tokenization = match property.get("tokenization").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        None | Some("word") => "whitespace".to_owned(),
        Some(other) => other.to_owned(),
    };
    property.insert("dataType".into(), Value::from(vec![new]));
    property.insert("tokenization".into(), tokenization.clone().into());
    Some(CreationRemark::PropertyRetyped { property: name(property), was: old, now: new, tokenization })
}

/// `indexInverted` has been two settings since 1.19; where one of these is given, it counts for nothing.
fn reindexed(property: &mut Map<String, Value>) -> Option<CreationRemark> {
    const NEW: [&str; 3] = ["indexFilterable", "indexSearchable", "indexRangeFilters"];
    let filterable = property.remove("indexInverted").and_then(|inverted| inverted.as_bool())?;
    let is_set = |key: &&str| property.get(*key).is_some_and(|value| !value.is_null());
    if NEW.iter().any(is_set) {
        return Some(CreationRemark::IndexInvertedLeftOut { property: name(property) });
    }
    let first = property.get("dataType").and_then(|types| types.get(0)).and_then(Value::as_str);
    let searchable = matches!(first, Some("text" | "text[]")) && filterable;
    property.insert("indexFilterable".into(), filterable.into());
    property.insert("indexSearchable".into(), searchable.into());
    Some(CreationRemark::IndexInvertedSplit { property: name(property), filterable, searchable })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(properties: &str) -> (Value, Vec<CreationRemark>) {
        let text = format!(r#"{{"class":"A","properties":{properties}}}"#);
        let schema = Schema::parse(text.into()).expect("a schema");
        let (schema, remarks) = as_stored(&schema).expect("a document");
        let document: Value = serde_json::from_slice(&schema.text).expect("JSON");
        (document["properties"].clone(), remarks)
    }

    #[test]
    fn a_document_that_servers_keep_as_it_is_stays_as_it_is() {
        let (properties, remarks) =
            stored(r#"[{"name":"title","dataType":["text"]},{"name":"by","dataType":["String"]}]"#);
        assert_eq!(remarks, []);
        assert_eq!(properties[1]["dataType"], Value::from(vec!["String"]));
    }

    #[test]
    fn what_servers_write_otherwise_is_asked_for_so_and_said() {
        let (properties, remarks) = stored(
            r#"[{"name":"Title","dataType":["string"]},{"name":"tags","dataType":["string[]"],"tokenization":"field"},
                {"name":"n","dataType":["int"],"indexInverted":true},{"name":"t","dataType":["text"],"indexInverted":false},
                {"name":"u","dataType":["text"],"indexInverted":false,"indexSearchable":true}]"#,
        );
        let expected = serde_json::json!([
            {"name":"title","dataType":["text"],"tokenization":"whitespace"},
            {"name":"tags","dataType":["text[]"],"tokenization":"field"},
            {"name":"n","dataType":["int"],"indexFilterable":true,"indexSearchable":false},
            {"name":"t","dataType":["text"],"indexFilterable":false,"indexSearchable":false},
            {"name":"u","dataType":["text"],"indexSearchable":true},
        ]);
        assert_eq!(properties, expected);
        assert_eq!(remarks.len(), 6, "{remarks:?}");
    }
}
