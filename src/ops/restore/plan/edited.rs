//! A class document that is asked for in place of the archived one: edited by a person, for what no setting reaches. Pure.

use serde_json::Value;

use super::super::{RestoreRefusal, SchemaFile};
use crate::event::{Remark, SchemaDifference};
use crate::model::{CollectionName, Renames, Schema};
use crate::ops::Error;
use crate::ops::schema::alterations;
use crate::ops::schema::place::at;
use crate::ops::schema::settings::{indexes, vector_places};
use crate::ops::verify::lacks;

/// An archived schema that gives way to an edited one.
pub(super) struct Edited {
    /// The edited one, under the archived name.
    pub(super) schema: Schema,
    /// What is otherwise in it.
    pub(super) changed: Vec<Remark>,
    /// What it cannot hold of what is archived.
    pub(super) differs: Vec<SchemaDifference>,
}

impl Edited {
    /// What stands against it, where there are objects to hold.
    pub(super) fn refused(&self, collection: &CollectionName) -> Option<RestoreRefusal> {
        let (collection, differs) = (collection.clone(), self.differs.clone());
        (!differs.is_empty()).then_some(RestoreRefusal::FileDoesNotFit { collection, differs })
    }
}

/// A class document from a file in place of an archived schema, which becomes `target` on the server.
pub(super) fn in_place_of(file: &SchemaFile, archived: &Schema, target: &CollectionName) -> Result<Edited, Error> {
    let (class, collection) = (&file.schema.name, &archived.name);
    if ![collection, target].iter().any(|name| name.as_str().eq_ignore_ascii_case(class.as_str())) {
        let (class, collection) = (class.clone(), collection.clone());
        return Err(Error::SchemaOfAnother { class, collection, target: target.clone() });
    }
    let before: Value = serde_json::from_slice(&archived.text).unwrap_or(Value::Null);
    let mut document: Value = serde_json::from_slice(&file.schema.text).unwrap_or(Value::Null);
    under(&mut document, class, collection);
    let schema = Schema::parse(document.to_string().into()).unwrap_or_else(|_| file.schema.clone());
    let changed = alterations(&before, &document);
    let differs = differs(archived, &before, &schema, &document);
    Ok(Edited { schema, changed, differs })
}

/// Gives the document, and its references to itself, the archived name: renames go by that.
fn under(document: &mut Value, class: &CollectionName, name: &CollectionName) {
    document["class"] = Value::from(name.as_str());
    for property in document.get_mut("properties").and_then(Value::as_array_mut).into_iter().flatten() {
        for data_type in property.get_mut("dataType").and_then(Value::as_array_mut).into_iter().flatten() {
            if *data_type == class.as_str() {
                *data_type = Value::from(name.as_str());
            }
        }
    }
}

/// What an edited document lacks, or has of another kind, of what archived objects need.
fn differs(archived: &Schema, before: &Value, edited: &Schema, document: &Value) -> Vec<SchemaDifference> {
    let vectors = |document: &Value| vector_places(document, None);
    let has_unnamed = |document: &Value| vectors(document).iter().any(Vec::is_empty);
    let mut differs = lacks(archived, edited, &Renames::default());
    // A document that says nothing about its vector has one.
    differs.retain(|differs| *differs != SchemaDifference::NoUnnamedVector);
    differs.extend((has_unnamed(before) && !has_unnamed(document)).then_some(SchemaDifference::NoUnnamedVector));
    let is_of_lists = |document: &Value, vector: &[String]| {
        let own = indexes(document, vector).into_iter().next();
        own.and_then(|(_, index)| at(document, &index)).is_some_and(|index| index["multivector"]["enabled"] == true)
    };
    let there = vectors(document);
    let other = vectors(before)
        .into_iter()
        .filter(|vector| there.contains(vector) && is_of_lists(before, vector) != is_of_lists(document, vector));
    let named =
        other.map(|vector| SchemaDifference::OtherVectors { vector: vector.last().cloned().unwrap_or_default() });
    differs.extend(named);
    differs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(document: &Value) -> Schema {
        Schema::parse(document.to_string().into()).expect("a schema")
    }

    fn name(text: &str) -> CollectionName {
        text.parse().expect("a name")
    }

    fn edited(archived: &Value, document: &Value) -> Result<Edited, Error> {
        let file = SchemaFile { path: "f.json".into(), schema: schema(document) };
        in_place_of(&file, &schema(archived), &name("New"))
    }

    #[test]
    fn the_class_is_the_archived_or_the_new_one_and_references_to_itself_follow() {
        let archived = json!({"class": "Old", "properties": [{"name": "self", "dataType": ["Old"]}]});
        for class in ["Old", "New", "new"] {
            let document = json!({"class": class, "properties": [{"name": "self", "dataType": [class]}]});
            let edited = edited(&archived, &document).expect("its own");
            assert_eq!((edited.schema.name.as_str(), edited.schema.references.len()), ("Old", 1), "{class}");
            assert_eq!((edited.changed.len(), edited.differs.len()), (0, 0), "{class}: {:?}", edited.differs);
        }
        let other = edited(&archived, &json!({"class": "Other"})).err();
        assert!(matches!(other, Some(Error::SchemaOfAnother { .. })), "{other:?}");
    }

    #[test]
    fn what_does_not_hold_the_objects_is_told_one_by_one() {
        let archived = json!({"class": "Old", "properties": [{"name": "a", "dataType": ["int"]},
            {"name": "b", "dataType": ["text"]},
            {"name": "o", "dataType": ["object"], "nestedProperties": [{"name": "n", "dataType": ["text"]}]}],
            "vectorIndexType": "hnsw", "vectorConfig": {"v": {"vectorIndexType": "hnsw"}, "w": {"vectorIndexType": "hnsw"}}});
        let document = json!({"class": "Old", "properties": [{"name": "a", "dataType": ["number"]},
            {"name": "o", "dataType": ["object"], "nestedProperties": []}, {"name": "more", "dataType": ["text"]}],
            "multiTenancyConfig": {"enabled": true},
            "vectorConfig": {"v": {"vectorIndexType": "hnsw", "vectorIndexConfig": {"multivector": {"enabled": true}}}}});
        let found = edited(&archived, &document).expect("its own");
        let property = |property: &str| SchemaDifference::NoProperty { property: property.into() };
        for expected in [
            SchemaDifference::TenancySwitched,
            SchemaDifference::OtherType {
                property: "a".into(),
                archived: vec!["int".into()],
                live: vec!["number".into()],
            },
            property("b"),
            property("o.n"),
            SchemaDifference::NoVector { vector: "w".into() },
            SchemaDifference::NoUnnamedVector,
            SchemaDifference::OtherVectors { vector: "v".into() },
        ] {
            assert!(found.differs.contains(&expected), "{expected:?}: {:?}", found.differs);
        }
        assert_eq!(found.differs.len(), 7, "{:?}", found.differs);
        assert!(found.refused(&name("Old")).is_some());
        let silent = json!({"class": "Old", "properties": []});
        let plain = json!({"class": "Old", "properties": null, "vectorIndexType": "hnsw", "vectorizer": "none"});
        assert!(
            edited(&plain, &silent).expect("its own").refused(&name("Old")).is_none(),
            "it has a vector all the same"
        );
    }
}
