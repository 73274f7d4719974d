//! What a restore has to know about the objects of an archive before it writes any: found while every byte is proven.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::Options;
use crate::archive::Archive;
use crate::event::Warning;
use crate::model::{RawObject, Schema};
use crate::ops::prove::{self, Indexed, Reading};
use crate::ops::{Error, Session};
use crate::pipeline::limits;

/// Threads that read an archive.
const READERS: usize = 4;
/// Characters of an unknown member's name that are shown.
const NAME_CHARS: usize = 60;

/// What was found in the objects of one collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Survey {
    /// Objects that lack a vector which the server would make.
    pub(super) to_vectorise: u64,
    /// Objects with an integer that the server refuses.
    pub(super) refused_integers: u64,
}

/// Names of the vectors that the server makes where an object lacks them. The unnamed one is `default`.
pub(super) fn vectorised(schema: &Schema) -> Vec<String> {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let made = |vectorizer: &Value| match vectorizer {
        Value::String(module) => !module.is_empty() && module != "none",
        Value::Object(modules) => modules.keys().any(|module| module != "none"),
        _ => false,
    };
    let named = document["vectorConfig"].as_object().into_iter().flatten();
    let named = named.filter(|(_, config)| made(&config["vectorizer"])).map(|(name, _)| name.clone());
    let unnamed = made(&document["vectorizer"]).then(|| RawObject::UNNAMED_VECTOR.to_owned());
    named.chain(unnamed).collect()
}

/// Proves every part of a collection that holds something chosen and not done, and looks at these objects. `asked`: the
/// schema it will have.
pub(super) async fn survey(
    session: &Session,
    archive: &Arc<Archive>,
    at: usize,
    indexed: &Indexed,
    asked: &Schema,
    options: &Options,
    done: Arc<BTreeSet<usize>>,
) -> Result<Survey, Error> {
    let (to_vectorise, refused_integers) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (vectorised, vectors) = (vectorised(asked), options.vectors);
    let (lacking, beyond) = (Arc::clone(&to_vectorise), Arc::clone(&refused_integers));
    let unknown = Arc::new(Mutex::new(None::<(u64, String)>));
    let unknown_too = Arc::clone(&unknown);
    let look = move |schema: &Schema, object: &RawObject| {
        if let Some(name) = object.unknown_member() {
            let mut unknown = unknown_too.lock().unwrap_or_else(PoisonError::into_inner);
            unknown.get_or_insert_with(|| (0, shown(name))).0 += 1;
        }
        let has = |name: &String| vectors && object.vectors().any(|(n, _)| n == name.as_bytes());
        if !vectorised.iter().all(has) {
            lacking.fetch_add(1, Ordering::Relaxed);
        }
        if limits::holds_unwritable_integer(schema, object) {
            beyond.fetch_add(1, Ordering::Relaxed);
        }
    };
    let reading = Reading { readers: READERS, says: false, tenants: options.tenants.clone(), done };
    prove::parts(session, archive, at, indexed, reading, Arc::new(look)).await?;
    let found = |counter: Arc<AtomicU64>| counter.load(Ordering::Relaxed);
    if let Some((objects, first)) = unknown.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let collection = indexed.schema.name.clone();
        session.events.warn(Warning::MembersNotSent { collection, objects, first });
    }
    Ok(Survey { to_vectorise: found(to_vectorise), refused_integers: found(refused_integers) })
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        vectorised(&Schema::parse(text.to_owned().into()).expect("a schema"))
    }

    #[test]
    fn vectors_with_a_vectoriser_are_named() {
        assert_eq!(of(r#"{"class":"A","vectorizer":"none"}"#), Vec::<String>::new());
        assert_eq!(of(r#"{"class":"A"}"#), Vec::<String>::new());
        assert_eq!(of(r#"{"class":"A","vectorizer":"text2vec-openai"}"#), ["default"]);
        let named = r#"{"class":"A","vectorConfig":{"a":{"vectorizer":{"none":{}}},"b":{"vectorizer":{"text2vec-openai":{"x":1}}}}}"#;
        assert_eq!(of(named), ["b"]);
    }
}
