//! Settings of a collection that a person wants otherwise (`--set`). Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::event::RestoreRemark;
use crate::model::Schema;
use crate::ops::schema::place::{is_off, take, vectors};

/// One such setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// No vectorizer: vectors are what the objects bring.
    NoVectorizer,
    /// Objects do not expire.
    NoObjectTtl,
}

/// The schema with these settings, and what they changed.
pub(super) fn apply(schema: &Schema, settings: &[Setting]) -> (Schema, Vec<RestoreRemark>) {
    let mut document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let mut changed = Vec::new();
    for setting in settings {
        match setting {
            Setting::NoVectorizer => changed.extend(without_vectorizers(&mut document)),
            Setting::NoObjectTtl => {
                let taken = take(&mut document, &["objectTtlConfig".to_owned()]);
                if taken.is_some_and(|ttl| !is_off(&ttl)) {
                    changed.push(RestoreRemark::ExpiryLeftOut);
                }
            }
        }
    }
    if changed.is_empty() {
        return (schema.clone(), changed);
    }
    (Schema::parse(document.to_string().into()).unwrap_or_else(|_| schema.clone()), changed)
}

/// Takes the vectorizer out, and the settings of their modules, which nothing else reads.
fn without_vectorizers(document: &mut Value) -> Option<RestoreRemark> {
    let mut modules: Vec<String> = Vec::new();
    let places: Vec<_> = vectors(document).into_iter().map(|(path, _)| path).collect();
    for path in places {
        let below = path.iter().try_fold(&mut *document, |value, key| value.get_mut(key));
        let Some(holder) = below else { continue };
        match &holder["vectorizer"] {
            Value::String(module) if !module.is_empty() && module != "none" => {
                modules.push(module.clone());
                holder["vectorizer"] = json!("none");
            }
            Value::Object(of) if of.keys().any(|module| module != "none") => {
                modules.extend(of.keys().cloned());
                holder["vectorizer"] = json!({"none": {}});
            }
            _ => {}
        }
    }
    modules.sort_unstable();
    modules.dedup();
    for module in &modules {
        take(document, &["moduleConfig".to_owned(), module.clone()]);
        for property in document["properties"].as_array_mut().into_iter().flatten() {
            take(property, &["moduleConfig".to_owned(), module.clone()]);
        }
    }
    (!modules.is_empty()).then_some(RestoreRemark::VectorizersLeftOut { modules })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(document: &Value, settings: &[Setting]) -> (Value, Vec<RestoreRemark>) {
        let (schema, changed) = apply(&Schema::parse(document.to_string().into()).expect("a schema"), settings);
        (serde_json::from_slice(&schema.text).expect("JSON"), changed)
    }

    #[test]
    fn every_vectoriser_goes_and_other_modules_stay() {
        let (document, changed) = applied(
            &json!({"class": "A", "vectorizer": "text2vec-openai",
                "moduleConfig": {"text2vec-openai": {"model": "x"}, "generative-openai": {}},
                "properties": [{"name": "t", "dataType": ["text"], "moduleConfig": {"text2vec-openai": {"skip": true}}}]}),
            &[Setting::NoVectorizer],
        );
        assert_eq!(document["vectorizer"], "none");
        assert_eq!(document["moduleConfig"], json!({"generative-openai": {}}));
        assert_eq!(document["properties"][0]["moduleConfig"], json!({}));
        assert_eq!(changed, [RestoreRemark::VectorizersLeftOut { modules: vec!["text2vec-openai".into()] }]);
        let (document, changed) = applied(
            &json!({"class": "A", "vectorConfig": {"a": {"vectorizer": {"text2vec-cohere": {"m": 1}}},
                "b": {"vectorizer": {"none": {}}}}}),
            &[Setting::NoVectorizer],
        );
        assert_eq!(document["vectorConfig"]["a"]["vectorizer"], json!({"none": {}}));
        assert_eq!(changed.len(), 1);
    }

    #[test]
    fn what_has_nothing_to_change_stays_byte_for_byte() {
        let text = r#"{"class":"A", "vectorizer":"none","objectTtlConfig":{"enabled":false}}"#;
        let schema = Schema::parse(text.into()).expect("a schema");
        let (after, changed) = apply(&schema, &[Setting::NoVectorizer, Setting::NoObjectTtl]);
        assert_eq!((after.text, changed), (schema.text, Vec::new()));
        let (document, changed) =
            applied(&json!({"class": "A", "objectTtlConfig": {"enabled": true}}), &[Setting::NoObjectTtl]);
        assert_eq!((document.get("objectTtlConfig"), changed.len()), (None, 1));
    }
}
