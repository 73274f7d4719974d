//! A named vector that is dropped: at first only the schema says so.

use crate::json::{Json, object, parse};
use crate::state::State;

/// The schema says that the vector is being dropped.
pub(super) fn mark(state: &mut State, class: &str, vector: &str) {
    let Some(collection) = state.collection_mut(class) else { return };
    let Some(vectors) = collection.document.get_mut("vectorConfig") else { return };
    let vectorizer = vectors.at(&[vector, "vectorizer"]).cloned().unwrap_or(Json::Null);
    vectors.set(vector, object! {"vectorIndexType": "none", "vectorizer": vectorizer});
}

/// An object of a plain collection loses the vector, or all do.
pub(super) fn strip(state: &mut State, class: &str, vector: &str, only: Option<u128>) {
    let Some(collection) = state.collection_mut(class) else { return };
    let Ok(space) = collection.space_mut(None) else { return };
    let chosen = |id: u128| only.is_none_or(|only| only == id);
    let holding: Vec<_> = space.store.walk(None).filter(|(id, _)| chosen(*id)).collect();
    for (id, entry) in holding {
        let mut stored = entry.stored();
        let Some(Ok(mut vectors)) = stored.vectors.as_ref().map(|text| parse(text.as_bytes())) else { continue };
        vectors.remove(vector);
        stored.vectors = Some(crate::print::text(&vectors));
        space.store.put(id, stored);
    }
}

/// The schema does not name the vector any more.
pub(super) fn forget(state: &mut State, class: &str, vector: &str) {
    if let Some(vectors) = state.collection_mut(class).and_then(|c| c.document.get_mut("vectorConfig")) {
        vectors.remove(vector);
    }
}
