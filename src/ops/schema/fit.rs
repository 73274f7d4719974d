//! From the class document in an archive to what is sent to a server: new names, and the rules for its version. Pure.

use serde_json::Value;

use super::applied::Applied;
use super::place::{Path, is_nothing, short, take, vectors};
use super::rules::{MIXED_VECTORS, Then, hits};
use crate::event::Loss;
use crate::model::{CollectionName, DROPPED_VECTOR, Renames, Schema};
use crate::ops::refusal::RestoreRefusal;
use crate::weaviate::Version;

/// What is known of the server that a collection is to be made on.
#[derive(Debug, Clone, Copy)]
pub(in crate::ops) struct Target<'a> {
    /// Its version.
    pub version: &'a Version,
    /// Names of the modules it has enabled.
    pub modules: &'a [String],
    /// Its nodes; `None` if the key may not ask.
    pub nodes: Option<usize>,
}

/// A class document that was made to fit a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) struct Fit {
    /// The collection's name on the server.
    pub target: CollectionName,
    /// The class document for `POST /v1/schema`.
    pub create: String,
    /// The class document for `PUT /v1/schema/{target}` right after: named vectors that join an unnamed one.
    pub then: Option<String>,
    /// What `POST /v1/schema/{target}/properties` adds after that, once the collections they refer to are there: name and
    /// document of each property.
    pub added: Vec<(String, String)>,
    /// All of it in one class document: what the server will have been sent in the end.
    pub asked: String,
    /// What will not be as it was.
    pub applied: Vec<Applied>,
    /// What stands against it. If there is anything here, nothing may be sent.
    pub refused: Vec<RestoreRefusal>,
}

impl Fit {
    /// The same in more steps: these properties are added later, since they refer to collections that are created after
    /// this one.
    pub(in crate::ops) fn adding_later<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            let path = ["properties".to_owned(), name.to_owned()];
            let mut taken = None;
            for text in std::iter::once(&mut self.create).chain(&mut self.then) {
                let mut document: Value = serde_json::from_str(text).unwrap_or(Value::Null);
                taken = take(&mut document, &path);
                *text = document.to_string();
            }
            self.added.extend(taken.map(|property| (name.to_owned(), property.to_string())));
        }
        self
    }

    /// The same for a server that compresses vectors by default, of which the collection is to have none: created without,
    /// in words that the server keeps to, and put as it was right after. `None` where there is no such way.
    pub(in crate::ops) fn without_default_compression(&self) -> Option<Self> {
        if self.then.is_some() {
            return None;
        }
        let mut document: Value = serde_json::from_str(&self.asked).unwrap_or(Value::Null);
        let mut switched = 0;
        for path in uncompressed(&document) {
            let settings = path.iter().try_fold(&mut document, |value, key| value.get_mut(key));
            if let Some(settings) = settings.and_then(Value::as_object_mut) {
                settings.insert(SKIP_DEFAULT.to_owned(), Value::Bool(true));
                switched += 1;
            }
        }
        let then = Some(self.asked.clone());
        (switched > 0).then(|| Self { create: document.to_string(), then, ..self.clone() })
    }
}

/// Says that a collection has no compression, whatever the server does by default.
const SKIP_DEFAULT: &str = "skipDefaultQuantization";
/// What compresses the vectors of an index.
const COMPRESSIONS: [&str; 4] = ["pq", "bq", "sq", "rq"];

/// Where the settings of the vector indexes stand that have no compression on.
fn uncompressed(document: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    for (mut path, holder) in vectors(document) {
        path.push("vectorIndexConfig".to_owned());
        let settings = &holder["vectorIndexConfig"];
        let inner = ["hnsw", "flat"].into_iter().filter(|inner| settings[*inner].is_object());
        let mut all: Vec<(Path, &Value)> =
            inner.map(|inner| (path.iter().cloned().chain([inner.to_owned()]).collect(), &settings[inner])).collect();
        if all.is_empty() {
            all.push((path, settings));
        }
        let on = |settings: &Value| COMPRESSIONS.iter().any(|kind| settings[kind]["enabled"] == true);
        found.extend(
            all.into_iter().filter(|(_, settings)| settings.is_object() && !on(settings)).map(|(path, _)| path),
        );
    }
    found
}

/// Makes a stored schema fit a server. Every key stays as it is unless a rule says otherwise.
pub(in crate::ops) fn fit(schema: &Schema, renames: &Renames, target: &Target<'_>) -> Fit {
    let collection = &schema.name;
    let mut document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let mut applied = Vec::new();
    let mut refused = Vec::new();
    if schema.multi_tenant {
        // Servers print one for a collection with tenants, and refuse to take it back.
        take(&mut document, &["shardingConfig".to_owned()]);
    }
    let mut left_out = Vec::new();
    applied.extend(without_dropped_vectors(&mut document, schema));
    for hit in hits(&document, target.version) {
        match hit.rule.then {
            Then::Refused => refused.push(unsupported(collection, &hit.path, hit.value, hit.since(), target)),
            Then::Dropped => applied.push(Applied::new(&hit.path, hit.value, None, hit.rule.lost)),
            Then::LeftOut => {
                applied.push(Applied::new(&hit.path, hit.value, None, hit.rule.lost));
                left_out.push(hit.path);
            }
            // Known only once it is made.
            Then::Decided => {}
        }
    }
    for path in left_out {
        take(&mut document, &path);
    }
    refused.extend(missing_modules(collection, &document, target));
    applied.extend(without_absent_modules(&mut document, target));
    applied.extend(without_idle_vectorizers(&mut document, target));
    applied.extend(lower_factor(&mut document, target));
    name_vectorizer(&mut document);
    rename(&mut document, renames.of(collection), renames);
    let mixed = is_mixed(&document);
    if mixed && !MIXED_VECTORS.knows(target.version) {
        let path = ["vectorConfig".to_owned()];
        let value = Value::from("beside an unnamed vector");
        refused.push(unsupported(collection, &path, &value, Some("1.31".to_owned()), target));
    }
    let asked = document.to_string();
    let (create, then) = if mixed {
        take(&mut document, &["vectorConfig".to_owned()]);
        (document.to_string(), Some(asked.clone()))
    } else {
        (asked.clone(), None)
    };
    Fit { target: renames.of(collection).clone(), create, then, added: Vec::new(), asked, applied, refused }
}

/// Takes out the vectors that a server was dropping when the schema was read: no server takes such a vector back, and the
/// one that was dropping them has none of them in the end.
fn without_dropped_vectors(document: &mut Value, schema: &Schema) -> Vec<Applied> {
    let one = |name: &String| {
        let path = ["vectorConfig".to_owned(), name.clone()];
        take(document, &path).map(|_| {
            let path = [path[0].clone(), path[1].clone(), "vectorIndexType".to_owned()];
            Applied {
                key: path.join("."),
                ..Applied::new(&path, &Value::from(DROPPED_VECTOR), None, Some(Loss::DroppedVector))
            }
        })
    };
    let applied: Vec<Applied> = schema.dropped_vectors.iter().filter_map(one).collect();
    if !applied.is_empty() && is_nothing(&document["vectorConfig"]) {
        take(document, &["vectorConfig".to_owned()]);
    }
    applied
}

fn unsupported(
    collection: &CollectionName,
    path: &[String],
    value: &Value,
    since: Option<String>,
    target: &Target<'_>,
) -> RestoreRefusal {
    let server = target.version.to_string();
    RestoreRefusal::Unsupported {
        collection: collection.clone(),
        key: path.join("."),
        value: short(value),
        since,
        server,
    }
}

/// Says that nothing makes vectors, where the document says nothing about that: a server would take its default module, and
/// have what is written vectorised, perhaps for money.
fn name_vectorizer(document: &mut Value) {
    if document.is_object() && is_nothing(&document["vectorConfig"]) && is_nothing(&document["vectorizer"]) {
        document["vectorizer"] = Value::from("none");
    }
}

/// Whether a collection has an unnamed vector and named ones. No server takes both in one request.
fn is_mixed(document: &Value) -> bool {
    !is_nothing(&document["vectorConfig"]) && !is_nothing(&document["vectorIndexType"])
}

/// Vectorisers that the server has not enabled. It would refuse the collection.
fn missing_modules(collection: &CollectionName, document: &Value, target: &Target<'_>) -> Vec<RestoreRefusal> {
    let mut refused = Vec::new();
    for (mut path, holder) in vectors(document) {
        path.push("vectorizer".to_owned());
        for module in chosen(holder) {
            if !module.is_empty() && module != "none" && !target.modules.contains(&module) {
                let (collection, key) = (collection.clone(), path.join("."));
                refused.push(RestoreRefusal::Module { collection, key, module });
            }
        }
    }
    refused
}

/// Takes out the settings of modules that the server has not enabled. For a collection of named vectors it would refuse
/// them (1.24 falls over them, and answers nothing); for one that has an unnamed vector it does not mind them.
fn without_absent_modules(document: &mut Value, target: &Target<'_>) -> Vec<Applied> {
    let is_named = !is_nothing(&document["vectorConfig"]) && is_nothing(&document["vectorIndexType"]);
    let modules = document["moduleConfig"].as_object().into_iter().flatten().map(|(module, _)| module.clone());
    let absent: Vec<String> = modules.filter(|module| !target.modules.contains(module)).collect();
    if !is_named || absent.is_empty() {
        return Vec::new();
    }
    let lost = Some(Loss::ModuleNotEnabled);
    let one = |module: String| {
        let path = ["moduleConfig".to_owned(), module];
        take(document, &path).map(|was| Applied::new(&path, &was, None, lost))
    };
    let applied = absent.into_iter().filter_map(one).collect();
    if is_nothing(&document["moduleConfig"]) {
        take(document, &["moduleConfig".to_owned()]);
    }
    applied
}

/// Takes out of properties what is meant for a vectorizer that makes none of the collection's vectors. Nothing reads it, and
/// a server that has the module enabled would refuse it.
fn without_idle_vectorizers(document: &mut Value, target: &Target<'_>) -> Vec<Applied> {
    let used: Vec<String> = vectors(document).into_iter().flat_map(|(_, holder)| chosen(holder)).collect();
    let is_idle = |module: &String| {
        let makes_vectors = module.contains("2vec-") || module.contains("2multivec-");
        makes_vectors && target.modules.contains(module) && !used.contains(module)
    };
    let mut applied = Vec::new();
    for property in document.get_mut("properties").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = property["name"].as_str().unwrap_or_default().to_owned();
        let modules = property["moduleConfig"].as_object().into_iter().flatten().map(|(module, _)| module.clone());
        for module in modules.filter(is_idle).collect::<Vec<_>>() {
            if let Some(was) = take(property, &["moduleConfig".to_owned(), module.clone()]) {
                let path = ["properties".to_owned(), name.clone(), "moduleConfig".to_owned(), module];
                applied.push(Applied::new(&path, &was, None, None));
            }
        }
    }
    applied
}

/// The vectorizer of a vector: one, if any.
fn chosen(holder: &Value) -> Vec<String> {
    match &holder["vectorizer"] {
        Value::String(name) => vec![name.clone()],
        Value::Object(members) => members.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// More replicas than nodes: as many as there are nodes.
fn lower_factor(document: &mut Value, target: &Target<'_>) -> Option<Applied> {
    let most = u64::try_from(target.nodes?).ok()?.max(1);
    let factor = document.pointer_mut("/replicationConfig/factor")?;
    if factor.as_u64()? <= most {
        return None;
    }
    let was = std::mem::replace(factor, Value::from(most));
    let path = ["replicationConfig", "factor"].map(str::to_owned);
    Some(Applied::new(&path, &was, Some(factor), Some(Loss::TooFewNodes)))
}

/// The collection's new name, and those of the collections it refers to.
fn rename(document: &mut Value, name: &CollectionName, renames: &Renames) {
    if let Some(class) = document.get_mut("class") {
        *class = Value::from(name.as_str());
    }
    // References are properties of the top level only.
    // Not by index, which would put a null where there is no such key.
    for property in document.get_mut("properties").and_then(Value::as_array_mut).into_iter().flatten() {
        for data_type in property.get_mut("dataType").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(new) = data_type.as_str().and_then(|old| renames.get(old)) {
                *data_type = Value::from(new.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests;
