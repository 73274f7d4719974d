//! A class document with the settings that are wanted otherwise, and what that changed. Pure.

use serde_json::Value;

use super::keys::{
    About, FACTOR, Holder, INDEX_TYPE, IndexKind, QUANTIZER, SHARDS, SettingKey, TOKENIZATION, TTL, VECTORIZER,
};
use super::setting::Setting;
use super::values::{NONE, OFF, Takes, meant};
use super::vector::{indexes, places as vectors, set_index, set_quantizer, set_vectorizer, vectorizer_of};
use crate::event::{Remark, RestoreRemark};
use crate::model::{CollectionName, Schema};
use crate::ops::schema::alterations::alterations;
use crate::ops::schema::place::{Path, at, is_off, properties, put, take};

/// What servers work out from the number of shards that is wanted.
const SHARDS_DERIVED: [&str; 3] = ["actualCount", "desiredVirtualCount", "actualVirtualCount"];
/// How nested texts can be cut into words, of all the ways there are (`usecases/schema/validation.go`).
const NESTED: [&str; 4] = ["word", "lowercase", "whitespace", "field"];
/// How the keys begin of what servers print only where it is on.
const SILENT_OFF: &str = "invertedIndexConfig.index";
/// How the keys begin of what is off unless a document says otherwise.
const OFF_ANYWAY: [&str; 4] = [SILENT_OFF, "multiTenancyConfig.", "objectTtlConfig.", "replicationConfig."];
/// Modules that make vectors.
const VECTORIZERS: [&str; 2] = ["2vec-", "2multivec-"];

/// A schema with settings that are wanted otherwise.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Adapted {
    pub(in crate::ops) schema: Schema,
    /// What is changed by them.
    pub(in crate::ops) changed: Vec<Remark>,
}

/// A setting that nothing has which is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) struct UnusedSetting {
    pub(in crate::ops) setting: Setting,
    /// The vectors, or properties, that there are, where one was named.
    pub(in crate::ops) there: Vec<String>,
}

/// The schema with these settings, and what they changed. One without anything to change stays byte for byte.
pub(in crate::ops) fn adapt(schema: &Schema, settings: &[Setting]) -> Adapted {
    let same = || Adapted { schema: schema.clone(), changed: Vec::new() };
    let settings = of_collection(settings, &schema.name);
    if settings.is_empty() {
        return same();
    }
    let mut document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let (mut changed, mut before): (Vec<Remark>, Option<Value>) = (Vec::new(), None);
    for (setting, key) in &settings {
        let wholly = key.about == About::All;
        let said = match (key.row.key, setting.value.as_str()) {
            // These have words of their own, and come first.
            (VECTORIZER, NONE) if wholly => without_vectorizers(&mut document),
            (TTL, OFF) => without_expiry(&mut document),
            _ => {
                before.get_or_insert_with(|| document.clone());
                put_in(&mut document, setting, key);
                None
            }
        };
        changed.extend(said.map(Remark::from));
    }
    if let Some(before) = before {
        changed.extend(alterations(&before, &document));
    }
    if changed.is_empty() {
        return same();
    }
    let adapted = Schema::parse(document.to_string().into());
    adapted.map_or_else(|_| same(), |schema| Adapted { schema, changed })
}

/// The first setting that nothing has in any of these schemas.
pub(in crate::ops) fn unused(schemas: &[Schema], settings: &[Setting]) -> Option<UnusedSetting> {
    let has = |setting: &Setting, schema: &Schema| {
        let mut document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
        // What has the index, or the vectorizer, that another setting gives it.
        let all = of_collection(settings, &schema.name);
        let is_used = all.iter().any(|(one, key)| put_in(&mut document, one, key) && *one == setting);
        // What is for this collection alone counted more.
        is_used || (is_for(setting, &schema.name) && !all.iter().any(|(one, _)| *one == setting))
    };
    let unused = settings.iter().find(|setting| !schemas.iter().any(|schema| has(setting, schema)))?;
    let concerned = schemas.iter().filter(|schema| is_for(unused, &schema.name));
    let mut there: Vec<String> = match unused.found().map(|key| key.about) {
        Some(About::Vector(_)) => concerned.flat_map(|schema| schema.named_vectors.clone()).collect(),
        Some(About::Property(_)) => concerned.flat_map(property_names).collect(),
        _ => Vec::new(),
    };
    there.sort_unstable();
    there.dedup();
    Some(UnusedSetting { setting: unused.clone(), there })
}

/// The properties of a collection, nested ones below those that they are in.
fn property_names(schema: &Schema) -> Vec<String> {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    properties(&document).into_iter().map(|(path, _)| named_properties(&path).join(".")).collect()
}

/// The number of replicas that is wanted for a collection, if any is.
pub(in crate::ops) fn wanted_replicas(settings: &[Setting], collection: &CollectionName) -> Option<u64> {
    let settings = of_collection(settings, collection);
    settings.iter().find(|(_, key)| key.row.key == FACTOR).and_then(|(setting, _)| setting.value.parse().ok())
}

/// Whether a setting is for this collection, among others perhaps.
fn is_for(setting: &Setting, collection: &CollectionName) -> bool {
    setting.of.as_ref().is_none_or(|of| of.as_str().eq_ignore_ascii_case(collection.as_str()))
}

/// What is wanted of one collection, in the order in which it is done: first what decides what there is to set, and what is
/// for all before what is for one. What is for this collection alone counts more than what is for all.
fn of_collection<'a>(settings: &'a [Setting], collection: &CollectionName) -> Vec<(&'a Setting, SettingKey)> {
    let own =
        |key: &str| settings.iter().any(|other| other.of.is_some() && is_for(other, collection) && other.key == key);
    let concerned = settings.iter().filter(|setting| is_for(setting, collection));
    let concerned = concerned.filter(|setting| setting.of.is_some() || !own(&setting.key));
    let mut all: Vec<(&Setting, SettingKey)> = concerned.filter_map(|one| Some((one, one.found()?))).collect();
    all.sort_by_key(|(setting, key)| {
        let turn = match (key.row.key, setting.value.as_str()) {
            (VECTORIZER, NONE) if key.about == About::All => 0,
            (TTL, OFF) => 0,
            (INDEX_TYPE, _) => 1,
            (VECTORIZER, _) => 2,
            (QUANTIZER, _) => 3,
            _ => 4,
        };
        (turn, key.about != About::All || key.inner.is_some())
    });
    all
}

/// Puts a setting into a document. Whether there is anything that has it.
fn put_in(document: &mut Value, setting: &Setting, key: &SettingKey) -> bool {
    let (row, text) = (key.row, setting.value.as_str());
    match row.key {
        INDEX_TYPE => {
            let vectors = vectors_of(document, key);
            for vector in &vectors {
                set_index(document, vector, text);
            }
            return !vectors.is_empty();
        }
        VECTORIZER => {
            let vectors = vectors_of(document, key);
            set_vectorizer(document, &vectors, text);
            return !vectors.is_empty();
        }
        QUANTIZER => {
            let vectors = vectors_of(document, key);
            return vectors.iter().filter(|vector| set_quantizer(document, vector, text)).count() > 0;
        }
        _ => {}
    }
    let places = places(document, key, text);
    for place in &places {
        let there = at(document, place);
        match meant(row.takes, text, there) {
            Some(Value::Bool(false)) if there.is_none() && is_off_anyway(row.key) => {}
            // Off, it is not printed.
            Some(Value::Bool(false)) if row.key.starts_with(SILENT_OFF) => drop(take(document, place)),
            Some(value) => drop(put(document, place, value)),
            None => drop(take(document, place)),
        }
    }
    if row.key == SHARDS && !places.is_empty() {
        for derived in SHARDS_DERIVED {
            take(document, &["shardingConfig".to_owned(), derived.to_owned()]);
        }
    }
    !places.is_empty()
}

/// Whether a collection has it switched off if it says nothing of it.
fn is_off_anyway(key: &str) -> bool {
    OFF_ANYWAY.iter().any(|begin| key.starts_with(begin))
}

fn vectors_of(document: &Value, key: &SettingKey) -> Vec<Path> {
    match &key.about {
        About::Vector(name) => vectors(document, Some(name)),
        About::All | About::Property(_) => vectors(document, None),
    }
}

/// Where a setting stands in a document, or would.
fn places(document: &Value, key: &SettingKey, text: &str) -> Vec<Path> {
    let below = |path: &[String], rest: &str| -> Path {
        path.iter().cloned().chain(rest.split('.').map(str::to_owned)).collect()
    };
    match key.row.of {
        Holder::Collection if key.row.takes == Takes::Anything => modules(document, key),
        Holder::Plain if document["multiTenancyConfig"]["enabled"] == true => Vec::new(),
        Holder::Collection | Holder::Plain => vec![below(&[], key.row.key)],
        // Only of a vector that is named: where its module's settings stand.
        Holder::Vector => {
            let vectors = vectors_of(document, key).into_iter();
            let uses = |path: &Path| at(document, path).and_then(vectorizer_of).as_ref() == key.open.first();
            vectors.filter(uses).map(|path| below(&path, &key.text_below())).collect()
        }
        Holder::Index(kinds) => {
            let of = |vector: Path| of_indexes(indexes(document, &vector), kinds, key.inner);
            let rest = key.row.key.split_once('.').map(|(_, rest)| rest).unwrap_or_default();
            vectors_of(document, key).into_iter().flat_map(of).map(|index| below(&index, rest)).collect()
        }
        Holder::Property(types) => {
            let fits = |property: &Value| match property["dataType"][0].as_str() {
                Some(word) if types.is_empty() => word.starts_with(|c: char| c.is_ascii_lowercase()),
                Some(word) => types.contains(&word.trim_end_matches("[]")),
                None => false,
            };
            let is_meant = |path: &Path, property: &Value| match &key.about {
                About::Property(names) => named_properties(path) == *names,
                _ => fits(property) && (path.len() == 2 || key.row.key != TOKENIZATION || NESTED.contains(&text)),
            };
            let all = properties(document).into_iter();
            all.filter(|(path, property)| is_meant(path, property)).map(|(path, _)| below(&path, key.row.key)).collect()
        }
        Holder::OneProperty => {
            let About::Property(names) = &key.about else { return Vec::new() };
            let all = properties(document).into_iter();
            all.filter(|(path, _)| named_properties(path) == *names)
                .map(|(path, _)| below(&path, &key.text_below()))
                .collect()
        }
    }
}

/// The names in the path of a property.
fn named_properties(path: &[String]) -> Vec<String> {
    path.iter().skip(1).step_by(2).cloned().collect()
}

/// Those of a vector's indexes that have a setting. `inner`: only that one inside of a dynamic one. What a dynamic one has
/// itself, as the distance, is set inside of it too, so that it does not contradict itself.
fn of_indexes(indexes: Vec<(IndexKind, Path)>, kinds: &[IndexKind], inner: Option<IndexKind>) -> Vec<Path> {
    let is_meant = |at: usize, kind: IndexKind| match inner {
        Some(inner) => at > 0 && kind == inner,
        None => kinds.contains(&kind),
    };
    indexes.into_iter().enumerate().filter(|(at, (kind, _))| is_meant(*at, *kind)).map(|(_, (_, path))| path).collect()
}

/// Where settings of a module stand: beside the vectors that it makes, or in the collection for a module that makes none.
fn modules(document: &Value, key: &SettingKey) -> Vec<Path> {
    let [module, rest @ ..] = key.open.as_slice() else { return Vec::new() };
    let path = |before: &[String]| -> Path { before.iter().chain([module]).chain(rest).cloned().collect() };
    let users = vectors(document, None).into_iter();
    let users = users.filter(|vector| at(document, vector).and_then(vectorizer_of).as_ref() == Some(module));
    let mut places: Vec<Path> = users
        .map(|mut vector| {
            vector.push(if vector.is_empty() { "moduleConfig" } else { VECTORIZER }.to_owned());
            path(&vector)
        })
        .collect();
    let own = path(&["moduleConfig".to_owned()]);
    let is_there = !document["moduleConfig"][module.as_str()].is_null();
    let makes_vectors = VECTORIZERS.iter().any(|part| module.contains(part));
    if (is_there || !makes_vectors) && !places.contains(&own) {
        places.push(own);
    }
    places
}

/// Takes the vectorizers out, and the settings of their modules, which nothing else reads.
fn without_vectorizers(document: &mut Value) -> Option<RestoreRemark> {
    let vectors = vectors(document, None);
    let modules = set_vectorizer(document, &vectors, NONE);
    (!modules.is_empty()).then_some(RestoreRemark::VectorizersLeftOut { modules })
}

fn without_expiry(document: &mut Value) -> Option<RestoreRemark> {
    let taken = take(document, &[TTL.to_owned()]);
    taken.is_some_and(|ttl| !is_off(&ttl)).then_some(RestoreRemark::ExpiryLeftOut)
}

#[cfg(test)]
mod tests;
