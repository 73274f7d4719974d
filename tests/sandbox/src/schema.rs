//! Class documents: created, checked, completed with the server's defaults, changed.

mod auto;
mod defaults;
mod property;

pub(crate) use auto::{check_elements, guess_class, guess_property};
pub(crate) use property::{check_name, lower_first};

use crate::behaviour::{Behaviour, Release};
use crate::cluster::Cluster;
use crate::json::{Json, object};
use crate::operator::Operator;
use crate::state::{Collection, Core, Space, State, upper_first};

/// The distances that indexes know.
const DISTANCES: [&str; 5] = ["cosine", "dot", "l2-squared", "manhattan", "hamming"];

/// Creates a class from a document; gives the stored document, or the server's complaint.
pub(crate) fn create(core: &Core, state: &mut State, given: &Json) -> Result<Json, String> {
    if !state.cluster.has_majority() {
        return Err(state.cluster.no_leader());
    }
    let name = upper_first(given.text("class").unwrap_or(""));
    check_class_name(core.ours, state, &name)?;
    let document = complete(core, state, &name, given, true)?;
    let tenants = document.at(&["multiTenancyConfig", "enabled"]).is_some_and(Json::is_true);
    let mut collection = Collection {
        name: name.clone(),
        document,
        whole: Space::default(),
        tenants: tenants.then(Default::default),
        trained: false,
        half_made: false,
    };
    let factor = collection.factor();
    let count = collection.document.at(&["shardingConfig", "actualCount"]).and_then(Json::as_i64).unwrap_or(1);
    let nodes: Vec<usize> = (0..state.cluster.nodes.len()).collect();
    for number in 0..usize::try_from(count).unwrap_or(1) {
        let first = nodes[number % nodes.len()];
        collection.whole.shards.push(state.cluster.shard(None, first, factor));
    }
    // The shards of tenants, and with them the indexes, come later.
    let flaw = if tenants { None } else { unmade(&collection.document) };
    if let Some(why) = flaw {
        collection.half_made = true;
        collection.whole.shards.clear();
        state.collections.insert(name, collection);
        return Err(format!("updating db: TYPE_ADD_CLASS: apply add class: create index: init shard: {why}"));
    }
    let answer = collection.document.clone();
    state.collections.insert(name, collection);
    Ok(answer)
}

/// What no shard is made with, and nobody looks at before the class is written down; the error is the server's.
fn unmade(document: &Json) -> Option<String> {
    let named = document.get("vectorConfig").and_then(Json::as_object).unwrap_or(&[]);
    let vectors = std::iter::once(document).chain(named.iter().map(|(_, vector)| vector));
    let distances = vectors.filter_map(|vector| vector.at(&["vectorIndexConfig", "distance"]).and_then(Json::as_text));
    let unknown = distances.into_iter().find(|distance| !DISTANCES.contains(distance))?;
    let known = r#"["cosine", "dot", "l2-squared", "manhattan","hamming"]"#;
    Some(format!("init vector index: unrecognized distance metric \"{unknown}\",choose one of {known}"))
}

fn check_class_name(ours: Behaviour, state: &State, name: &str) -> Result<(), String> {
    let short = name.split_once(':').map_or(name, |(_, short)| short);
    let fits = property::is_name(short, 254) && short.starts_with(|c: char| c.is_ascii_uppercase());
    if !fits {
        return Err(format!("'{name}' is not a valid class name"));
    }
    if state.collections.contains_key(name) {
        let quoted = if ours.release == Release::V1_24 { format!("\"{name}\"") } else { name.to_owned() };
        return Err(format!("class name {quoted} already exists"));
    }
    if let Some(similar) = state.collections.keys().find(|k| k.eq_ignore_ascii_case(name)) {
        return Err(if ours.release == Release::V1_24 {
            format!(
                "class name \"{name}\" already exists as a permutation of: \"{similar}\". class names must be unique when lowercased"
            )
        } else {
            format!("class already exists: found similar class \"{similar}\"")
        });
    }
    if state.aliases.contains_key(name) {
        return Err(format!("alias name {name} already exists"));
    }
    if let Some(similar) = state.aliases.keys().find(|k| k.eq_ignore_ascii_case(name)) {
        return Err(format!("class already exists: found similar alias \"{similar}\""));
    }
    Ok(())
}

/// The document as it is stored, with every default; the error is the server's, empty where its handler panics.
fn complete(core: &Core, state: &State, name: &str, given: &Json, new: bool) -> Result<Json, String> {
    let ours = core.ours;
    let tenants = given.at(&["multiTenancyConfig", "enabled"]).is_some_and(Json::is_true);
    if new && tenants && given.get("shardingConfig").is_some_and(|s| !s.is_null()) {
        return Err("cannot have both shardingConfig and multiTenancyConfig".to_owned());
    }
    let named = given.get("vectorConfig").and_then(Json::as_object).is_some_and(|v| !v.is_empty());
    let legacy = ["vectorizer", "vectorIndexType", "vectorIndexConfig"]
        .iter()
        .any(|n| given.get(n).is_some_and(|v| !v.is_null() && v.as_text() != Some("")));
    if new && named && legacy && ours.mixed_vectors() {
        return Err("creating a class with both a class level vector index and named vectors is forbidden".to_owned());
    }
    if new && named && !legacy {
        let modules = given.get("moduleConfig").and_then(Json::as_object).unwrap_or(&[]);
        if let Some((absent, _)) = modules.iter().find(|(module, _)| !core.settings.modules.contains(module)) {
            let panics = ours.release == Release::V1_24;
            return Err(if panics { String::new() } else { format!("module with name {absent} doesn't exist") });
        }
    }
    if given.at(&["objectTtlConfig", "enabled"]).is_some_and(Json::is_true)
        && ours.release >= Release::V1_39
        && !core.settings.ttl
    {
        return Err("ObjectTTLConfig: enabling objectTTL requires a running background scheduler. Set \
                    OBJECTS_TTL_DELETE_SCHEDULE to activate it"
            .to_owned());
    }
    let properties = property::complete_all(ours, state, name, given.get("properties").unwrap_or(&Json::Null))?;
    let replication = defaults::replication(ours, given.get("replicationConfig"));
    check_factor(&replication, &state.cluster)?;
    let mut document = object! {"class": name};
    if let Some(text) = given.text("description").filter(|t| !t.is_empty()) {
        document.set("description", text);
    }
    document.set("invertedIndexConfig", defaults::inverted_index(ours, given.get("invertedIndexConfig")));
    if let Some(config) = given.get("moduleConfig").filter(|c| !c.is_null()) {
        document.set("moduleConfig", config.clone());
    }
    let ttl = given.get("objectTtlConfig").filter(|ttl| ttl.get("enabled").is_some_and(Json::is_true));
    if let Some(ttl) = ttl.filter(|_| ours.release >= Release::V1_39) {
        document.set("objectTtlConfig", ttl.clone());
    }
    document.set("multiTenancyConfig", defaults::multi_tenancy(ours, given.get("multiTenancyConfig")));
    document.set("properties", properties);
    if ours.release < Release::V1_39 {
        document.set("replicationConfig", replication.clone());
    }
    let alive = state.cluster.members();
    document.set("shardingConfig", defaults::sharding(given.get("shardingConfig"), alive, tenants));
    if named {
        document.set("vectorConfig", named_vectors(core, &state.operator, given)?);
    }
    if !named || legacy {
        let kind = given.text("vectorIndexType").filter(|t| !t.is_empty()).unwrap_or("hnsw");
        let default = state.operator.default_vectorizer.unwrap_or("none");
        let vectorizer = given.text("vectorizer").filter(|t| !t.is_empty()).unwrap_or(default);
        check_vectorizer(core, vectorizer)?;
        document.set(
            "vectorIndexConfig",
            defaults::vector_index(ours, &state.operator, kind, given.get("vectorIndexConfig"))?,
        );
        document.set("vectorIndexType", kind);
        document.set("vectorizer", vectorizer);
    }
    if ours.release >= Release::V1_39 {
        document.set("replicationConfig", replication);
    }
    if new {
        state.operator.compress(&mut document);
    }
    Ok(document)
}

fn check_factor(replication: &Json, cluster: &Cluster) -> Result<(), String> {
    let factor = replication.get("factor").and_then(Json::as_i64).unwrap_or(1);
    let nodes = cluster.nodes.len();
    if usize::try_from(factor).unwrap_or(usize::MAX) > nodes {
        return Err(format!(
            "init sharding state: could not find enough weaviate nodes for replication: {nodes} available, {factor} requested"
        ));
    }
    Ok(())
}

fn check_vectorizer(core: &Core, name: &str) -> Result<(), String> {
    if name == "none" || core.settings.modules.iter().any(|m| m == name) {
        return Ok(());
    }
    Err(format!("vectorizer: no module with name \"{name}\" present"))
}

fn named_vectors(core: &Core, operator: &Operator, given: &Json) -> Result<Json, String> {
    let mut all = Vec::new();
    for (name, config) in given.get("vectorConfig").and_then(Json::as_object).unwrap_or(&[]) {
        if !property::is_name(name, 229) {
            return Err(format!(
                "'{name}' is not a valid vector name. Vector names in Weaviate are restricted to valid GraphQL names, which must be “/[_A-Za-z][_0-9A-Za-z]{{0,229}}/”."
            ));
        }
        let vectorizer = config.get("vectorizer").cloned().unwrap_or_else(|| object! {"none": object! {}});
        for (module, _) in vectorizer.as_object().unwrap_or(&[]) {
            check_vectorizer(core, module).map_err(|e| format!("target vector \"{name}\": {e}"))?;
        }
        let kind = config.text("vectorIndexType").filter(|t| !t.is_empty()).unwrap_or("hnsw");
        let index = defaults::vector_index(core.ours, operator, kind, config.get("vectorIndexConfig"))
            .map_err(|e| format!("target vector \"{name}\": {e}"))?;
        let entry = object! {"vectorIndexConfig": index, "vectorIndexType": kind, "vectorizer": vectorizer};
        all.push((name.clone(), entry));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Json::Object(all))
}

/// Changes what may be changed; `None` when there is no such class.
pub(crate) fn update(core: &Core, state: &mut State, name: &str, given: &Json) -> Result<Option<Json>, String> {
    let Some(name) = state.resolve(name).map(str::to_owned) else { return Ok(None) };
    let Some(old) = state.collections.get(&name).map(|c| c.document.clone()) else { return Ok(None) };
    let mut given = given.clone();
    given.remove("properties");
    let mut document = complete(core, state, &name, &given, false)?;
    for kept in ["properties", "shardingConfig"] {
        document.set(kept, old.get(kept).cloned().unwrap_or(Json::Null));
    }
    if let Some(collection) = state.collections.get_mut(&name) {
        collection.document = document.clone();
        collection.trained |= trains(collection);
    }
    Ok(Some(document))
}

/// Whether settings that are sent start a training that succeeds: with objects, and with enough of them for `pq`.
fn trains(collection: &Collection) -> bool {
    let on = |kind: &str| collection.document.at(&["vectorIndexConfig", kind, "enabled"]).is_some_and(Json::is_true);
    let tenants = collection.tenants.iter().flatten().map(|(_, tenant)| tenant.space.store.len()).max();
    let objects = collection.whole.store.len().max(tenants.unwrap_or(0));
    (on("sq") && objects > 0) || (on("pq") && objects >= 256)
}

/// Adds a property to a class.
pub(crate) fn add_property(ours: Behaviour, state: &mut State, class: &str, given: &Json) -> Result<Json, String> {
    let Some(name) = state.resolve(class).map(str::to_owned) else {
        return Err(if ours.release == Release::V1_24 {
            "class not found".to_owned()
        } else {
            format!("class \"{}\": not found", upper_first(class))
        });
    };
    let property = property::complete(ours, state, &name, given)?;
    let wanted = property.text("name").unwrap_or("").to_owned();
    let Some(document) = state.collections.get_mut(&name).map(|c| &mut c.document) else {
        return Ok(property);
    };
    let mut all = document.get("properties").and_then(Json::as_array).unwrap_or(&[]).to_vec();
    if all.iter().any(|p| p.text("name").is_some_and(|n| n.eq_ignore_ascii_case(&wanted))) {
        return Err(property::conflict(&name, &wanted));
    }
    all.push(property.clone());
    document.set("properties", all);
    Ok(property)
}

/// The property of that name in a class document.
pub(crate) fn find_property<'a>(document: &'a Json, name: &str) -> Option<&'a Json> {
    document.get("properties").and_then(Json::as_array)?.iter().find(|p| p.text("name") == Some(name))
}
