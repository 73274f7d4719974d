//! What `--set` makes of a vector: another index, another compression, another vectorizer. Pure.

use serde_json::{Value, json};

use super::keys::{INDEX_CONFIG, INDEX_TYPE, IndexKind, VECTORIZER};
use super::values::NONE;
use crate::model::DROPPED_VECTOR;
use crate::ops::schema::place::{Path, at, is_nothing, put, take, vectors};

/// The index of a vector that says nothing about it.
const DEFAULT_INDEX: IndexKind = IndexKind::Hnsw;
/// What compresses the vectors of an index; one of them is on at most.
const QUANTIZERS: [&str; 4] = ["pq", "bq", "sq", "rq"];
/// Says that an index has no compression, whatever the server does by default.
const SKIP_DEFAULT: &str = "skipDefaultQuantization";
/// The server's note that a compression is its default.
const TRACK_DEFAULT: &str = "trackDefaultQuantization";
/// How an index measures, whichever it is.
const DISTANCE: &str = "distance";
/// Whether what is stored are lists of vectors.
const LISTS: &str = "multivector";

/// The vectors of a collection by their places, but for those that are being dropped: the unnamed one is the document
/// itself. `name`: only this one.
pub(in crate::ops) fn places(document: &Value, name: Option<&str>) -> Vec<Path> {
    let has_unnamed = is_nothing(&document["vectorConfig"]) || !is_nothing(&document[INDEX_TYPE]);
    let is_one = |path: &Path| match (path.last(), name) {
        (found, Some(name)) => found.is_some_and(|found| found == name),
        (None, None) => has_unnamed,
        (Some(_), None) => true,
    };
    let vectors = vectors(document).into_iter();
    let kept = vectors.filter(|(path, holder)| is_one(path) && holder[INDEX_TYPE] != DROPPED_VECTOR);
    kept.map(|(path, _)| path).collect()
}

/// The indexes of a vector, those inside of a dynamic one too: kind and place.
pub(in crate::ops) fn indexes(document: &Value, vector: &[String]) -> Vec<(IndexKind, Path)> {
    let holder = at(document, vector).unwrap_or(&Value::Null);
    let Some(kind) = kind_of(holder) else { return Vec::new() };
    let own: Path = vector.iter().cloned().chain([INDEX_CONFIG.to_owned()]).collect();
    let mut found = vec![(kind, own.clone())];
    if kind == IndexKind::Dynamic {
        for inner in [IndexKind::Hnsw, IndexKind::Flat] {
            found.push((inner, own.iter().cloned().chain([inner.name().to_owned()]).collect()));
        }
    }
    found
}

/// The kind of a vector's index, if it is known.
fn kind_of(holder: &Value) -> Option<IndexKind> {
    match holder[INDEX_TYPE].as_str() {
        None | Some("") => Some(DEFAULT_INDEX),
        Some(word) => IndexKind::parse(word),
    }
}

/// Gives a vector another index. Of its settings those stay that the other has too: the distance, whether it is made for
/// lists of vectors, and what a dynamic one holds of it.
pub(super) fn set_index(document: &mut Value, vector: &[String], word: &str) {
    let (Some(to), Some(holder)) = (IndexKind::parse(word), at(document, vector)) else { return };
    let from = kind_of(holder);
    let old = holder[INDEX_CONFIG].clone();
    let path = |last: &str| -> Path { vector.iter().cloned().chain([last.to_owned()]).collect() };
    put(document, &path(INDEX_TYPE), Value::from(word));
    if from == Some(to) {
        return;
    }
    let part = |kind: IndexKind| match from {
        Some(from) if from == kind => Some(old.clone()),
        Some(IndexKind::Dynamic) => old.get(kind.name()).cloned(),
        _ => None,
    };
    let mut new = match to {
        IndexKind::Dynamic => {
            let inner = [IndexKind::Hnsw, IndexKind::Flat].into_iter();
            let inner = inner.filter_map(|kind| Some((kind.name().to_owned(), part(kind).filter(Value::is_object)?)));
            Value::Object(inner.collect())
        }
        kind => part(kind).filter(Value::is_object).unwrap_or_else(|| json!({})),
    };
    // Of a dynamic index the servers go by its own distance, whatever is printed inside of it.
    if !is_nothing(&old[DISTANCE]) {
        new[DISTANCE] = old[DISTANCE].clone();
    }
    // One that is off is what any index is anyway.
    if old[LISTS]["enabled"] == true && is_nothing(&new[LISTS]) {
        new[LISTS] = old[LISTS].clone();
    }
    if is_nothing(&new) {
        take(document, &path(INDEX_CONFIG));
    } else {
        put(document, &path(INDEX_CONFIG), new);
    }
}

/// Whether an index of this kind can be compressed so.
fn compresses(kind: IndexKind, quantizer: &str) -> bool {
    match kind {
        IndexKind::Hnsw => true,
        IndexKind::Flat => [NONE, "bq", "rq"].contains(&quantizer),
        // It is always compressed, in its own way; the other one is what it is made of.
        IndexKind::Hfresh | IndexKind::Dynamic => false,
    }
}

/// Switches one compression on, and the others off, in each index of a vector that can have it. Whether any can.
pub(super) fn set_quantizer(document: &mut Value, vector: &[String], quantizer: &str) -> bool {
    let indexes = indexes(document, vector);
    let able = indexes.into_iter().filter(|(kind, _)| compresses(*kind, quantizer));
    let able: Vec<Path> = able.map(|(_, path)| path).collect();
    for index in &able {
        let key = |keys: &[&str]| -> Path {
            index.iter().map(String::as_str).chain(keys.iter().copied()).map(str::to_owned).collect()
        };
        for other in QUANTIZERS.into_iter().filter(|other| *other != quantizer) {
            let enabled = key(&[other, "enabled"]);
            if at(document, &enabled) == Some(&Value::Bool(true)) {
                put(document, &enabled, Value::Bool(false));
            }
        }
        take(document, &key(&[TRACK_DEFAULT]));
        if quantizer == NONE {
            put(document, &key(&[SKIP_DEFAULT]), Value::Bool(true));
        } else {
            put(document, &key(&[quantizer, "enabled"]), Value::Bool(true));
        }
    }
    !able.is_empty()
}

/// The vectorizer of a vector, if it has one.
pub(super) fn vectorizer_of(holder: &Value) -> Option<String> {
    let module = match &holder[VECTORIZER] {
        Value::String(module) => Some(module.clone()),
        Value::Object(of) => of.keys().next().cloned(),
        _ => None,
    };
    module.filter(|module| !module.is_empty() && module != NONE)
}

/// Gives vectors another vectorizer, and takes out what the ones before were told, where nothing reads it any more. Gives
/// these, each once.
pub(super) fn set_vectorizer(document: &mut Value, vectors: &[Path], to: &str) -> Vec<String> {
    let mut before: Vec<String> = Vec::new();
    for vector in vectors {
        let Some(holder) = at(document, vector) else { continue };
        let was = vectorizer_of(holder);
        if was.as_deref() == Some(to) || (was.is_none() && to == NONE) {
            continue;
        }
        before.extend(was);
        let path: Path = vector.iter().cloned().chain([VECTORIZER.to_owned()]).collect();
        let value = if vector.is_empty() { Value::from(to) } else { json!({to: {}}) };
        put(document, &path, value);
    }
    before.sort_unstable();
    before.dedup();
    let used = vectorizers(document);
    for module in before.iter().filter(|module| !used.contains(module)) {
        take(document, &["moduleConfig".to_owned(), module.clone()]);
        for property in document["properties"].as_array_mut().into_iter().flatten() {
            take(property, &["moduleConfig".to_owned(), module.clone()]);
        }
    }
    before
}

/// The vectorizers of a collection.
fn vectorizers(document: &Value) -> Vec<String> {
    vectors(document).into_iter().filter_map(|(_, holder)| vectorizer_of(holder)).collect()
}
