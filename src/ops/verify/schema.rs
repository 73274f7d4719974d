//! Compares an archived schema with a live one: what objects need must be there, anything else is only said. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::event::SchemaDifference;
use crate::model::{Renames, Schema, TenantMap};

/// How two schemas differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SchemaDiff {
    /// What the live one lacks or has in another type.
    pub(super) broken: Vec<SchemaDifference>,
    /// What is new or set in another way.
    pub(super) other: Vec<SchemaDifference>,
}

/// Parts of a class document that say nothing about how objects are kept, or that are compared one by one.
const NOT_SETTINGS: [&str; 4] = ["class", "properties", "shardingConfig", "replicationConfig"];

/// The same of a property.
const NOT_SETTINGS_OF_A_PROPERTY: [&str; 3] = ["name", "dataType", "nestedProperties"];

/// The setting that says whether a collection has tenants.
const TENANCY: &str = "multiTenancyConfig";

/// What a live collection lacks, or has in another type, of what archived objects need.
pub(in crate::ops) fn lacks(archived: &Schema, live: &Schema, renames: &Renames) -> Vec<SchemaDifference> {
    let mut lacks = compare(archived, live, renames, &TenantMap::Same).broken;
    if has_unnamed_vector(archived) && !has_unnamed_vector(live) {
        lacks.push(SchemaDifference::NoUnnamedVector);
    }
    lacks
}

/// Everything in which a live schema is not the archived one.
pub(in crate::ops) fn differs(
    archived: &Schema,
    live: &Schema,
    renames: &Renames,
    tenants: &TenantMap,
) -> Vec<SchemaDifference> {
    let SchemaDiff { broken, other } = compare(archived, live, renames, tenants);
    broken.into_iter().chain(other).collect()
}

fn has_unnamed_vector(schema: &Schema) -> bool {
    serde_json::from_slice::<Value>(&schema.text).is_ok_and(|document| !is_off(&document["vectorIndexType"]))
}

/// Compares them. That one has tenants and the other has none is no difference where `tenants` asks for just that.
pub(super) fn compare(archived: &Schema, live: &Schema, renames: &Renames, tenants: &TenantMap) -> SchemaDiff {
    let mut diff = SchemaDiff::default();
    if archived.text == live.text && renames.is_empty() {
        return diff;
    }
    let parse = |schema: &Schema| serde_json::from_slice::<Value>(&schema.text).unwrap_or(Value::Null);
    let (mut ours, mut theirs) = (parse(archived), parse(live));
    without_dropped(&mut ours, archived);
    without_dropped(&mut theirs, live);
    let of_another_kind = matches!(tenants, TenantMap::IntoTenant(_) | TenantMap::IntoPlain(_));
    if archived.multi_tenant != live.multi_tenant && !of_another_kind {
        diff.broken.push(SchemaDifference::TenancySwitched);
    }
    properties("", &ours["properties"], &theirs["properties"], renames, &mut diff);
    for name in kept(archived).filter(|name| !kept(live).any(|other| other == *name)) {
        diff.broken.push(SchemaDifference::NoVector { vector: name.clone() });
    }
    for name in kept(live).filter(|name| !kept(archived).any(|other| other == *name)) {
        diff.other.push(SchemaDifference::MoreVector { vector: name.clone() });
    }
    let mut settings = settings(&ours, &theirs, &NOT_SETTINGS);
    settings.retain(|name| name != TENANCY || !of_another_kind);
    if !settings.is_empty() {
        diff.other.push(SchemaDifference::Settings { settings });
    }
    diff
}

/// The named vectors that are not being dropped.
fn kept(schema: &Schema) -> impl Iterator<Item = &String> {
    schema.named_vectors.iter().filter(|name| !schema.dropped_vectors.contains(name))
}

fn without_dropped(document: &mut Value, schema: &Schema) {
    if let Some(vectors) = document.get_mut("vectorConfig").and_then(Value::as_object_mut) {
        vectors.retain(|name, _| !schema.dropped_vectors.contains(name));
    }
}

/// The members of two objects that differ, but for those in `without`.
fn settings(ours: &Value, theirs: &Value, without: &[&str]) -> Vec<String> {
    let names = |side: &Value| side.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    let names: BTreeSet<String> = names(ours).into_iter().chain(names(theirs)).collect();
    let differs = |key: &String| !without.contains(&key.as_str()) && !same(&ours[key.as_str()], &theirs[key.as_str()]);
    names.into_iter().filter(differs).collect()
}

/// Whether two settings are the same. One that is off or empty is the same as none: servers of other versions do not
/// print it.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(our), Value::Object(their)) => {
            let names: BTreeSet<&String> = our.keys().chain(their.keys()).collect();
            names.into_iter().all(|name| same(&ours[name.as_str()], &theirs[name.as_str()]))
        }
        _ => ours == theirs || (is_off(ours) && is_off(theirs)),
    }
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.values().all(is_off),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn properties(path: &str, ours: &Value, theirs: &Value, renames: &Renames, diff: &mut SchemaDiff) {
    let list = |side: &'_ Value| side.as_array().cloned().unwrap_or_default();
    let (ours, theirs) = (list(ours), list(theirs));
    let twin = |of: &Value, among: &[Value]| among.iter().find(|p| p["name"] == of["name"]).cloned();
    let name = |of: &Value| format!("{path}{}", of["name"].as_str().unwrap_or_default());
    for property in &ours {
        let Some(live) = twin(property, &theirs) else {
            diff.broken.push(SchemaDifference::NoProperty { property: name(property) });
            continue;
        };
        let (was, is) = (types(property, renames), types(&live, &Renames::default()));
        if was != is {
            diff.broken.push(SchemaDifference::OtherType { property: name(property), archived: was, live: is });
        }
        let settings = settings(property, &live, &NOT_SETTINGS_OF_A_PROPERTY);
        if !settings.is_empty() {
            diff.other.push(SchemaDifference::PropertySettings { property: name(property), settings });
        }
        let below = name(property) + ".";
        properties(&below, &property["nestedProperties"], &live["nestedProperties"], renames, diff);
    }
    for property in theirs.iter().filter(|property| twin(property, &ours).is_none()) {
        diff.other.push(SchemaDifference::MoreProperty { property: name(property) });
    }
}

/// The data types of a property in order of their names; collections under their new names.
fn types(property: &Value, renames: &Renames) -> Vec<String> {
    let texts = property["dataType"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut types: Vec<String> =
        texts.map(|text| renames.get(text).map_or_else(|| text.to_owned(), ToString::to_string)).collect();
    types.sort_unstable();
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARCHIVED: &str = r#"{"class":"A","vectorizer":"none","properties":[{"name":"p","dataType":["text"]},
        {"name":"to","dataType":["A","B"]},
        {"name":"o","dataType":["object"],"nestedProperties":[{"name":"x","dataType":["int"]}]}],"vectorConfig":{"v":{}}}"#;

    fn against(old: &str, new: &str, renames: &[(&str, &str)]) -> SchemaDiff {
        let schema = |text: String| Schema::parse(text.into()).expect("a schema");
        let mut named = Renames::default();
        for (old, new) in renames {
            named.insert(old.parse().expect("a name"), new.parse().expect("a name"));
        }
        compare(&schema(ARCHIVED.into()), &schema(ARCHIVED.replace(old, new)), &named, &TenantMap::Same)
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn other_type(property: &str, archived: &[&str], live: &[&str]) -> SchemaDifference {
        SchemaDifference::OtherType { property: property.into(), archived: texts(archived), live: texts(live) }
    }

    #[test]
    fn what_objects_need_is_broken_when_it_is_not_there() {
        for (old, new, found) in [
            (r#"{"name":"p","dataType":["text"]},"#, "", SchemaDifference::NoProperty { property: "p".into() }),
            (r#"["text"]"#, r#"["int"]"#, other_type("p", &["text"], &["int"])),
            (r#"["int"]"#, r#"["number"]"#, other_type("o.x", &["int"], &["number"])),
            (r#"["A","B"]"#, r#"["A"]"#, other_type("to", &["A", "B"], &["A"])),
            (r#"{"v":{}}"#, r#"{"w":{}}"#, SchemaDifference::NoVector { vector: "v".into() }),
            (
                r#""class":"A","#,
                r#""class":"A","multiTenancyConfig":{"enabled":true},"#,
                SchemaDifference::TenancySwitched,
            ),
        ] {
            let diff = against(old, new, &[]);
            assert!(diff.broken.contains(&found), "{diff:?}");
        }
    }

    #[test]
    fn objects_with_an_unnamed_vector_need_one() {
        let schema = |text: &str| Schema::parse(text.to_owned().into()).expect("a schema");
        let unnamed = schema(r#"{"class":"A","vectorIndexType":"hnsw"}"#);
        let named = schema(r#"{"class":"A","vectorIndexType":"","vectorConfig":{"v":{}}}"#);
        assert_eq!(lacks(&unnamed, &named, &Renames::default()), [SchemaDifference::NoUnnamedVector]);
        assert_eq!(lacks(&unnamed, &unnamed, &Renames::default()), []);
        assert_eq!(lacks(&named, &unnamed, &Renames::default()), [SchemaDifference::NoVector { vector: "v".into() }]);
    }

    #[test]
    fn additions_and_settings_are_only_said() {
        let diff = against(r#""properties":["#, r#""properties":[{"name":"q","dataType":["int"]},"#, &[]);
        assert_eq!(
            (diff.broken.len(), diff.other.as_slice()),
            (0, &[SchemaDifference::MoreProperty { property: "q".into() }][..])
        );
        let diff = against(r#""vectorizer":"none""#, r#""vectorizer":"text2vec-x""#, &[]);
        let settings = |name: &str| SchemaDifference::Settings { settings: texts(&[name]) };
        assert_eq!((diff.broken.len(), diff.other.as_slice()), (0, &[settings("vectorizer")][..]));
        assert_eq!(against("", "", &[]), SchemaDiff::default());
    }

    #[test]
    fn what_is_set_in_another_way_in_a_property_is_said() {
        let tokenized =
            r#"{"name":"p","tokenization":"field","description":"d","indexFilterable":false,"dataType":["text"]}"#;
        let diff = against(r#"{"name":"p","dataType":["text"]}"#, tokenized, &[]);
        let differ = |property: &str, settings: &[&str]| SchemaDifference::PropertySettings {
            property: property.into(),
            settings: texts(settings),
        };
        let found = differ("p", &["description", "tokenization"]);
        assert_eq!((diff.broken.len(), diff.other.as_slice()), (0, &[found][..]), "off is the same as none");
        let diff = against(r#"{"name":"x","#, r#"{"name":"x","indexFilterable":true,"#, &[]);
        assert_eq!(diff.other, [differ("o.x", &["indexFilterable"])]);
    }

    #[test]
    fn settings_that_are_off_are_the_same_as_none() {
        let off = r#""class":"A","description":"","multiTenancyConfig":{"enabled":false},"moduleConfig":{"x":{}},"#;
        assert_eq!(against(r#""class":"A","#, off, &[]), SchemaDiff::default());
        let diff = against(r#""class":"A","#, r#""class":"A","description":"mine","#, &[]);
        assert_eq!(diff.other, [SchemaDifference::Settings { settings: texts(&["description"]) }]);
    }

    #[test]
    fn a_collection_of_another_kind_is_no_difference_where_it_was_asked_for() {
        let schema = |text: String| Schema::parse(text.into()).expect("a schema");
        let with = r#""class":"A","multiTenancyConfig":{"enabled":true,"autoTenantCreation":true},"#;
        let (plain, tenants) = (schema(ARCHIVED.into()), schema(ARCHIVED.replace(r#""class":"A","#, with)));
        let name = || "t".parse().expect("a name");
        let compared = |map| compare(&plain, &tenants, &Renames::default(), &map);
        assert_eq!(compared(TenantMap::IntoTenant(name())), SchemaDiff::default());
        assert_eq!(compared(TenantMap::Same).broken, [SchemaDifference::TenancySwitched]);
    }

    #[test]
    fn references_are_compared_under_the_new_names() {
        let renames = [("A", "A2"), ("B", "C")];
        assert_eq!(against(r#"["A","B"]"#, r#"["C","A2"]"#, &renames), SchemaDiff::default());
        assert_eq!(against("", "", &renames).broken.len(), 1, "it still points to the old ones");
    }
}
