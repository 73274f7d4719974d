//! What a run leaves behind, held against the model: every object there was before, text by text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use elysiactl::archive::Archive;
use sandbox::Seen;
use serde_json::Value;

use super::table::End;
use super::verbs::Ended;
use crate::support::world::World;

/// The objects of each collection, by their texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model(BTreeMap<String, Vec<String>>);

impl Model {
    pub(crate) fn of(world: &World) -> Self {
        let objects = |name: String| (name.clone(), world.sandbox.objects(&name, None));
        Self(world.sandbox.collections().into_iter().map(objects).collect())
    }

    pub(crate) fn objects(&self, collection: &str) -> &[String] {
        self.0.get(collection).map_or(&[], Vec::as_slice)
    }
}

/// Nothing was written, and everything is there as it was, unless the fault itself took it away.
pub(super) fn untouched(world: &World, before: &Model) -> Result<(), String> {
    let after = Model::of(world);
    for (collection, objects) in &after.0 {
        if objects != before.objects(collection) {
            return Err(format!("{collection} is not what it was"));
        }
    }
    only(world, &[])
}

/// Only these requests may change data: method and path.
fn only(world: &World, allowed: &[(&str, &str)]) -> Result<(), String> {
    let is_allowed = |seen: &Seen| allowed.contains(&(seen.method.as_str(), seen.path.as_str()));
    match world.sandbox.requests().iter().find(|seen| seen.writing && !is_allowed(seen)) {
        Some(seen) => Err(format!("{} {} was sent", seen.method, seen.path)),
        None => Ok(()),
    }
}

pub(super) fn backup(world: &World, before: &Model, end: End) -> Result<(), String> {
    untouched(world, before)?;
    let sealed: Vec<_> = world.archives().into_iter().filter(|path| Archive::open(&world.disk, path).is_ok()).collect();
    match (end, sealed.as_slice()) {
        (End::Whole, [archive]) => {
            let stored = world.lines(archive, "Article");
            let live = before.objects("Article");
            if stored == live { Ok(()) } else { Err(format!("{} objects of {}", stored.len(), live.len())) }
        }
        (End::Whole, _) => Err(format!("{} archives", sealed.len())),
        (_, []) => Ok(()),
        (_, _) => Err("sealed after a failure".into()),
    }
}

/// What an object is, whenever and wherever it was written.
pub(crate) fn content(text: &str) -> (String, String) {
    let mut object: Value = serde_json::from_str(text).expect("an object");
    let members = object.as_object_mut().expect("an object");
    for member in ["creationTimeUnix", "lastUpdateTimeUnix"] {
        members.remove(member);
    }
    (members["id"].as_str().expect("an id").to_owned(), object.to_string())
}

pub(super) fn restore(world: &World, before: &Model, end: End, archive: &Path) -> Result<(), String> {
    only(world, &[("POST", "/v1/schema"), ("POST", "/v1/batch/objects")])?;
    let after = Model::of(world);
    if after.objects("Bystander") != before.objects("Bystander") {
        return Err("a bystander was touched".into());
    }
    let archived: BTreeMap<String, String> = world.lines(archive, "Article").iter().map(|text| content(text)).collect();
    let live: BTreeMap<String, String> = after.objects("Article").iter().map(|text| content(text)).collect();
    if live.len() != after.objects("Article").len() {
        return Err("an object is there twice".into());
    }
    if let Some((id, _)) = live.iter().find(|(id, text)| archived.get(*id) != Some(text)) {
        return Err(format!("{id} is not what the archive holds"));
    }
    if end == End::Whole && live.len() != archived.len() {
        return Err(format!("{} objects of {}", live.len(), archived.len()));
    }
    Ok(())
}

/// Empty and still there; or not begun, or named as begun, and what is left of it unchanged.
pub(super) fn clear(world: &World, before: &Model, ended: &Ended) -> Result<(), String> {
    let of = "/v1/schema/Article";
    only(world, &[("DELETE", "/v1/batch/objects"), ("DELETE", of), ("POST", "/v1/schema")])?;
    let after = Model::of(world);
    if after.objects("Bystander") != before.objects("Bystander") {
        return Err("a bystander was touched".into());
    }
    let is_there = after.0.contains_key("Article");
    if ended.end == End::Whole {
        return match after.objects("Article").len() {
            0 if is_there => Ok(()),
            left => Err(format!("{left} objects are left, and the collection is there: {is_there}")),
        };
    }
    let all: BTreeSet<&String> = before.objects("Article").iter().collect();
    if !after.objects("Article").iter().all(|left| all.contains(left)) {
        return Err("what is left is not what it was".into());
    }
    let [dropped, partly] = ["dropped: Some(", "partly: Some("].map(|said| ended.said.contains(said));
    let is_begun = after.objects("Article").len() < all.len();
    match (is_begun, is_there) {
        (true, _) if !dropped && !partly => Err(format!("what was begun is not named: {}", ended.said)),
        _ => Ok(()),
    }
}
