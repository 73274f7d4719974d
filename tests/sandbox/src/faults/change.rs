//! Changes of the server's world, at once or at a request count.

use std::time::Duration;

use super::vectors;
use crate::cluster::{Cluster, Condition};
use crate::json::{Json, parse};
use crate::state::{Core, State};
use crate::store::parse_id;

/// Something that happens to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A node is gone and the others have noticed.
    NodeDown(String),
    /// A node is gone and nobody has noticed yet: connections to it are refused.
    NodeUnreachable(String),
    /// A node is back and still loading.
    NodeLoading(String),
    /// A node is back. Its shards are no longer read-only, and what was deleted meanwhile without a time is back too
    /// where the collection resolves conflicts by time.
    NodeUp(String),
    /// All replicas hold the same again.
    Repair,
    /// A node's replica lacks an object: collection, id, node.
    Lacks(String, String, String),
    /// Somebody writes an object (JSON, as in a batch), and this node's replica does not hear of it.
    WritePast(String, String),
    /// The replicas of an object never agree: collection, id.
    Conflict(String, String),
    /// The vector of an object holds NaN: collection, id.
    Unprintable(String, String),
    /// Somebody writes an object (JSON, as in a batch).
    Write(String),
    /// Somebody deletes an object: collection, tenant, id.
    Delete(String, Option<String>, String),
    /// Somebody drops a named vector: the schema says so at once, objects lose it one by one. Collection, vector.
    DropVector(String, String),
    /// An object loses a vector that is being dropped: collection, vector, id.
    StripVector(String, String, String),
    /// A vector is dropped: no object has it, and the schema does not name it. Collection, vector.
    VectorDropped(String, String),
    /// Somebody puts a tenant of a collection into a status, makes it, or (`None`) removes it.
    Tenant(String, String, Option<&'static str>),
    /// The server removes what has expired, as it does by its schedule.
    Expire,
    /// Several at once: no request comes between them.
    All(Vec<Change>),
    /// Somebody drops a collection.
    Drop(String),
    /// Somebody drops a collection and makes it anew from the same documents: its shards have other names.
    Anew(String),
    /// Somebody changes the description of a collection: collection, text.
    Describe(String, &'static str),
    /// Replicas on other nodes take a shard's new status that much later.
    FreezeLag(Duration),
    /// Calls that hang have their connection dropped after so long (60 s if not said).
    Hang(Duration),
    /// Right after this collection is dropped, somebody who did not notice writes these objects.
    WriterThroughDrop(String, Vec<String>),
    /// The same, only once.
    WriterThroughOneDrop(String, Vec<String>),
    /// Right after this collection is dropped, somebody creates another one of that name: collection, class document.
    CreatorAfterDrop(String, String),
    /// The operator sets `OPERATIONAL_MODE`.
    Mode(&'static str),
    /// The operator sets a usage limit: what it counts (`objects`, `collections`, `tenants`, `shards`), and the limit.
    Limit(&'static str, u64),
    /// The operator sets `ALLOWED_VECTOR_INDEX_TYPES`.
    VectorIndexes(&'static [&'static str]),
    /// The operator sets `REPLICATION_MAXIMUM_FACTOR`.
    MostReplicas(i64),
    /// A namespace comes into a state: `active`, `suspended`.
    Namespace(String, &'static str),
}

/// Carries a change out.
pub(crate) fn apply(core: &Core, change: &Change) {
    apply_to(core, &mut core.write(), change);
}

/// The same while nobody else gets in between.
pub(crate) fn apply_to(core: &Core, state: &mut State, change: &Change) {
    match change {
        Change::Write(text) => {
            if let Ok(item) = parse(text.as_bytes()) {
                let batch = Json::Array(vec![item]);
                crate::routes::batch::write_into(core, state, &batch, &crate::routes::batch::Level::default());
            }
        }
        Change::WritePast(node, text) => {
            let item = parse(text.as_bytes()).unwrap_or(Json::Null);
            let (class, id) = (item.text("class").unwrap_or("").to_owned(), item.text("id").and_then(parse_id));
            let (Some(id), Some(node)) = (id, state.cluster.number(node)) else { return };
            let space = state.collection(&class).and_then(|c| c.space(None).ok());
            let before = space.and_then(|space| space.store.get(id)).map(|entry| entry.stored());
            apply_to(core, state, &Change::Write(text.clone()));
            if let Some(before) = before {
                state.cluster.set_stale(&class, node, id, before);
            }
        }
        Change::Conflict(class, id) => {
            if let Some(id) = parse_id(id) {
                state.cluster.set_conflict(class, id);
            }
        }
        Change::NodeDown(name) => set(state, name, Condition::Down),
        Change::NodeUnreachable(name) => set(state, name, Condition::Unreachable),
        Change::NodeLoading(name) => set(state, name, Condition::Loading),
        Change::NodeUp(name) => {
            set(state, name, Condition::Up);
            come_back(state, name);
        }
        Change::Mode(mode) => state.limits.mode = mode,
        Change::Limit("objects", most) => state.limits.objects = Some(*most),
        Change::Limit(what, most) => {
            let most = usize::try_from(*most).ok();
            match *what {
                "collections" => state.operator.most_collections = most,
                "tenants" => state.operator.most_tenants = most,
                "shards" => state.operator.most_shards = most,
                other => panic!("nothing limits {other}"),
            }
        }
        Change::VectorIndexes(allowed) => state.operator.index_types = Some(allowed),
        Change::MostReplicas(most) => state.operator.most_replicas = Some(*most),
        Change::Namespace(name, now) => drop(state.limits.namespaces.insert(name.clone(), now)),
        Change::Repair => state.cluster.repair(),
        Change::Lacks(class, id, node) => {
            if let (Some(id), Some(node)) = (parse_id(id), state.cluster.number(node)) {
                state.cluster.set_absent(class, node, id, true);
            }
        }
        Change::Unprintable(class, id) => {
            state.unprintable.extend(parse_id(id).map(|id| (class.clone(), id)));
        }
        Change::Delete(class, tenant, id) => {
            let space = state.collection_mut(class).and_then(|c| c.space_mut(tenant.as_deref()).ok());
            if let (Some(space), Some(id)) = (space, parse_id(id)) {
                space.store.remove(id);
            }
        }
        Change::DropVector(class, vector) => vectors::mark(state, class, vector),
        Change::StripVector(class, vector, id) => vectors::strip(state, class, vector, parse_id(id)),
        Change::VectorDropped(class, vector) => {
            vectors::strip(state, class, vector, None);
            vectors::forget(state, class, vector);
        }
        Change::Expire => crate::expiry::expire(state),
        Change::Describe(class, text) => {
            if let Some(collection) = state.collection_mut(class) {
                collection.document.set("description", *text);
            }
        }
        Change::Drop(class) => {
            state.collections.remove(class);
        }
        Change::All(changes) => changes.iter().for_each(|change| apply_to(core, state, change)),
        Change::Anew(class) => rename_shards(state, class),
        Change::Tenant(class, name, Some(status)) => {
            let there = state.collection(class).and_then(|c| c.tenants.as_ref()).is_some_and(|t| t.contains_key(name));
            if !there {
                crate::routes::tenants::make(state, class, name);
            }
            crate::routes::tenants::set(state, class, name, status);
        }
        Change::Tenant(class, name, None) => {
            if let Some(tenants) = state.collection_mut(class).and_then(|c| c.tenants.as_mut()) {
                tenants.remove(name);
            }
        }
        Change::Hang(hang) => state.cluster.hang = *hang,
        Change::FreezeLag(lag) => state.cluster.freeze_lag = *lag,
        Change::WriterThroughDrop(class, objects) => {
            state.revived.insert(class.clone(), (objects.clone(), false));
        }
        Change::CreatorAfterDrop(class, document) => {
            state.replaced.insert(class.clone(), document.clone());
        }
        Change::WriterThroughOneDrop(class, objects) => {
            state.revived.insert(class.clone(), (objects.clone(), true));
        }
    }
}

fn set(state: &mut State, name: &str, condition: Condition) {
    if let Some(number) = state.cluster.number(name) {
        state.cluster.nodes[number].condition = condition;
    }
}

fn rename_shards(state: &mut State, class: &str) {
    for shard in state.collection_mut(class).into_iter().flat_map(|c| &mut c.whole.shards) {
        shard.name = shard.name.chars().rev().collect();
    }
}

/// What a returning node brings: READY shards, and objects whose deletion it did not see.
fn come_back(state: &mut State, name: &str) {
    let Some(node) = state.cluster.number(name) else { return };
    for collection in state.collections.values_mut() {
        collection.shards_mut().for_each(|shard| Cluster::forget_status(shard, node));
    }
    for buried in std::mem::take(&mut state.cluster.buried) {
        let Some(collection) = state.collections.get_mut(&buried.class) else { continue };
        let strategy = collection.document.at(&["replicationConfig", "deletionStrategy"]).and_then(Json::as_text);
        if strategy != Some("TimeBasedResolution") {
            continue;
        }
        if let Ok(space) = collection.space_mut(buried.tenant.as_deref())
            && space.store.get(buried.id).is_none()
        {
            space.store.put(buried.id, buried.object);
        }
    }
}
