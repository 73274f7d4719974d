//! One written object: read, checked, completed, and put where it belongs.

use crate::cluster::{Cluster, Condition};
use crate::json::{Json, object};
use crate::print::{self, Style};
use crate::schema;
use crate::state::{Collection, Core, Space, State, upper_first};
use crate::store::{Stored, dashed, parse_id};
use crate::values::{Place, normalise};

/// The consistency a write asks for, and through which node.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wish {
    pub(crate) asked: usize,
    /// `None` when it was not said.
    pub(crate) level: Option<Level>,
    /// Others are written by the same request.
    pub(crate) several: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    One,
    Quorum,
    All,
}

/// An object read from a request.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) class: String,
    pub(crate) id: u128,
    /// The id as it was sent, for the echo.
    pub(crate) id_text: String,
    pub(crate) tenant: Option<String>,
    /// `null` becomes an empty object.
    pub(crate) properties: Json,
    pub(crate) vector: Option<Vec<f32>>,
    pub(crate) vectors: Option<Json>,
}

impl Item {
    /// Reads an item whose shape was checked before; an id is made up where there is none.
    pub(crate) fn read(raw: &Json) -> Self {
        let given = raw.text("id").filter(|t| !t.is_empty());
        let id = given.and_then(parse_id).unwrap_or_else(|| uuid::Uuid::new_v4().as_u128());
        let mut properties = match raw.get("properties") {
            None | Some(Json::Null) => object! {},
            Some(given) => given.clone(),
        };
        print::sort(&mut properties);
        let mut vectors = raw.get("vectors").filter(|v| v.as_object().is_some_and(|o| !o.is_empty())).cloned();
        if let Some(vectors) = &mut vectors {
            print::sort(vectors);
            floats(vectors);
        }
        Self {
            class: upper_first(raw.text("class").unwrap_or("")),
            id,
            id_text: given.map_or_else(|| dashed(id), str::to_owned),
            tenant: raw.text("tenant").filter(|t| !t.is_empty()).map(str::to_owned),
            properties,
            vector: raw.get("vector").and_then(Json::as_array).map(|v| v.iter().map(float).collect()),
            vectors,
        }
    }

    /// The object as write replies show it, without `result`.
    pub(crate) fn echo(&self, created: i64, updated: i64) -> Json {
        let mut echo = object! {};
        if !self.class.is_empty() {
            echo.set("class", &self.class);
        }
        echo.set("creationTimeUnix", created);
        echo.set("id", &self.id_text);
        echo.set("lastUpdateTimeUnix", updated);
        let mut properties = self.properties.clone();
        strip_href(&mut properties);
        echo.set("properties", properties);
        if let Some(tenant) = &self.tenant {
            echo.set("tenant", tenant);
        }
        if let Some(vector) = self.vector.as_ref().filter(|v| !v.is_empty()) {
            echo.set("vector", Json::Array(vector.iter().map(|f| print::number32(*f)).collect()));
        }
        if let Some(vectors) = &self.vectors {
            echo.set("vectors", vectors.clone());
        }
        echo
    }

    /// The object as it is kept.
    pub(crate) fn stored(&self, created: i64, updated: i64) -> Stored {
        let mut vector = Vec::new();
        let some = self.vector.as_ref().filter(|v| !v.is_empty());
        if let Some(values) = some {
            print::vector(&mut vector, values);
        }
        let mut properties = Vec::new();
        print::json(&mut properties, &self.properties, Style::Plain);
        Stored {
            created,
            updated,
            properties: String::from_utf8_lossy(&properties).into_owned(),
            vector: some.map(|_| String::from_utf8_lossy(&vector).into_owned()),
            vectors: self.vectors.as_ref().map(print::text),
        }
    }

    /// Length of each vector by name; of the first row for multi-vectors.
    fn lengths(&self) -> Vec<(String, usize)> {
        let unnamed = self.vector.iter().map(|v| (String::new(), v.len()));
        let named = self.vectors.iter().filter_map(Json::as_object).flatten().map(|(name, value)| {
            let rows = value.as_array().unwrap_or(&[]);
            let row = rows.first().and_then(Json::as_array);
            (name.clone(), row.map_or(rows.len(), <[Json]>::len))
        });
        unnamed.chain(named).collect()
    }
}

fn float(value: &Json) -> f32 {
    match value {
        Json::Number(text) => text.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

/// Respells every number as a float32.
fn floats(value: &mut Json) {
    match value {
        Json::Number(text) => *value = print::number32(text.parse().unwrap_or(0.0)),
        Json::Array(items) => items.iter_mut().for_each(floats),
        Json::Object(members) => members.iter_mut().for_each(|(_, m)| floats(m)),
        _ => {}
    }
}

/// Write replies show references without `href`.
fn strip_href(properties: &mut Json) {
    let Json::Object(members) = properties else { return };
    for (_, member) in members {
        if let Json::Array(items) = member {
            items.iter_mut().filter(|i| i.get("beacon").is_some()).for_each(|i| i.remove("href"));
        }
    }
}

/// Checks an item and completes it: class and properties are made up where auto-schema may.
pub(crate) fn prepare(core: &Core, state: &mut State, item: &mut Item) -> Result<(), String> {
    settle_class(core, state, item)?;
    if item.properties.as_object().is_none() {
        return Err(format!("could not recognize object's properties: {}", crate::values::shown(&item.properties)));
    }
    if core.settings.auto_schema {
        settle_properties(core, state, item)?;
    }
    settle_tenant(core, state, item)?;
    check_properties(state, item)?;
    check_vectors(core, state, item)
}

fn settle_class(core: &Core, state: &mut State, item: &mut Item) -> Result<(), String> {
    if item.class.is_empty() {
        return Err("the given class is empty, class '' not present in schema".to_owned());
    }
    if let Some(class) = state.resolve(&item.class) {
        item.class = class.to_owned();
        return Ok(());
    }
    let missing = format!("class '{}' not present in schema", item.class);
    if !core.settings.auto_schema {
        return Err(missing);
    }
    let class = item.class.clone();
    schema::guess_class(core, state, &class)
        .map_err(|why| if core.ours.release == crate::Release::V1_24 { format!("{why}, {missing}") } else { missing })
}

fn settle_properties(core: &Core, state: &mut State, item: &mut Item) -> Result<(), String> {
    let Json::Object(members) = &mut item.properties else { return Ok(()) };
    for (name, value) in members {
        *name = schema::lower_first(name);
        let known = state.collection(&item.class).is_some_and(|c| schema::find_property(&c.document, name).is_some());
        let complaint = schema::check_elements(&item.class, name, value);
        let old = core.ours.release == crate::Release::V1_24;
        if let (Some(complaint), false) = (&complaint, old) {
            return Err(complaint.clone());
        }
        if !known {
            if let Err(why) = schema::check_name(core.ours, name) {
                return Err(if old {
                    format!("{why}, {}", unknown_property(&item.class, name))
                } else {
                    format!("auto-schema: update collection: {why}")
                });
            }
            let property = schema::guess_property(name, value, false);
            schema::add_property(core.ours, state, &item.class, &property)?;
        }
        if let Some(complaint) = complaint {
            let property = state.collection(&item.class).and_then(|c| schema::find_property(&c.document, name));
            let find = |_: Option<&str>, _: u128| None;
            let place = property.map(|property| Place { class: &item.class, name, property, find: &find });
            let second = place.and_then(|place| normalise(&place, value).err());
            return Err(second.map_or(complaint.clone(), |second| format!("{complaint}, {second}")));
        }
    }
    Ok(())
}

fn unknown_property(class: &str, name: &str) -> String {
    format!(
        "no such prop with name '{name}' found in class '{class}' in the schema. Check your schema files for which \
         properties in this class are available"
    )
}

/// Makes or activates the tenant where the class says so.
fn settle_tenant(core: &Core, state: &mut State, item: &Item) -> Result<(), String> {
    let Some(collection) = state.collections.get_mut(&item.class) else { return Ok(()) };
    if let Some(name) = item.tenant.as_deref() {
        let missing = collection.tenants.as_ref().is_some_and(|t| !t.contains_key(name));
        if missing && core.ours.automatic_tenants() && collection.wants("autoTenantCreation") {
            crate::routes::tenants::add(&mut state.cluster, collection, name, "HOT");
        }
        crate::routes::tenants::wake(core, collection, Some(name));
    }
    collection.space(item.tenant.as_deref()).map(|_| ())
}

fn check_properties(state: &State, item: &mut Item) -> Result<(), String> {
    let Some(collection) = state.collections.get(&item.class) else { return Ok(()) };
    let Json::Object(members) = &item.properties else { return Ok(()) };
    let tenant = item.tenant.clone();
    let mut all = Vec::with_capacity(members.len());
    for (name, value) in members {
        let name = schema::lower_first(name);
        let Some(property) = schema::find_property(&collection.document, &name) else {
            return Err(unknown_property(&item.class, &name));
        };
        if value.is_null() {
            continue;
        }
        let find = |class: Option<&str>, id: u128| find_target(state, tenant.as_deref(), property, class, id);
        let place = Place { class: &item.class, name: &name, property, find: &find };
        all.push((name.clone(), normalise(&place, value)?));
    }
    item.properties = Json::Object(all);
    print::sort(&mut item.properties);
    Ok(())
}

/// The class a reference's target is in, if it is there.
pub(crate) fn find_target(
    state: &State,
    tenant: Option<&str>,
    property: &Json,
    class: Option<&str>,
    id: u128,
) -> Option<String> {
    let classes: Vec<&str> = match class {
        Some(class) => vec![class],
        None => property.get("dataType").and_then(Json::as_array)?.iter().filter_map(Json::as_text).collect(),
    };
    classes.into_iter().find(|class| state.has(class, tenant, id)).map(str::to_owned)
}

fn check_vectors(core: &Core, state: &mut State, item: &mut Item) -> Result<(), String> {
    let ours = core.ours;
    if ours.empty_vector_is_none() && item.vector.as_ref().is_some_and(Vec::is_empty) {
        item.vector = None;
    }
    let Some(collection) = state.collections.get(&item.class) else { return Ok(()) };
    let document = &collection.document;
    let named = document.get("vectorConfig").and_then(Json::as_object);
    let unnamed = document.get("vectorIndexType").is_some();
    let made = core.settings.made_length;
    if made > 0 && item.vector.is_none() && document.text("vectorizer").is_some_and(|v| v != "none") {
        item.vector = Some(vec![0.25; made]);
    }
    if let (Some(vector), false, true) = (&item.vector, unnamed, ours.refuses_vector_without_index()) {
        let only = named.filter(|n| n.len() == 1 && n[0].0 == "default");
        if only.is_none() || !ours.auto_class_names_its_vector() {
            return Err(format!("collection {} configuration does not have single vector index", item.class));
        }
        let vector = Json::Array(vector.iter().map(|f| print::number32(*f)).collect());
        item.vectors = Some(object! {"default": vector});
        item.vector = None;
    }
    for (name, _) in item.vectors.iter().filter_map(Json::as_object).flatten() {
        let known = named.is_some_and(|n| n.iter().any(|(n, _)| n == name));
        if !known && (ours.refuses_unknown_named_vector() || named.is_none() && ours.refuses_vector_without_index()) {
            return Err(format!("collection {} does not have configuration for vector {name}", item.class));
        }
    }
    let skips = document.at(&["vectorIndexConfig", "skip"]).is_some_and(Json::is_true);
    let Some(space) = collection.space(item.tenant.as_deref()).ok() else { return Ok(()) };
    for (name, length) in item.lengths() {
        let Some(&there) = space.lengths.get(&name).filter(|t| **t > 0 && !skips) else { continue };
        if there != length {
            let more = if ours.vector_length_text_is_long() {
                ": vector dimensions do not match the index dimensions"
            } else {
                ""
            };
            let index = if name.is_empty() { String::new() } else { format!(" for target vector {name}") };
            return Err(format!(
                "Validate vector index{index} for {}: new node has a vector with length {length}. Existing nodes have \
                 vectors with length {there}{more}",
                dashed(item.id)
            ));
        }
    }
    Ok(())
}

/// What a node says of an empty list of dates that it is sent by another one: whoever has the only replica of an object
/// reads its lists of dates as lists of texts, and an empty list is one of anything.
pub(crate) fn refuse_dates(state: &State, item: &Item, wish: Wish) -> Result<(), String> {
    let Some(collection) = state.collections.get(&item.class) else { return Ok(()) };
    let space = collection.space(item.tenant.as_deref())?;
    let shard = space.shards.get(state.cluster.shard_of(&collection.name, item.id, space.shards.len()));
    let is_alone_elsewhere =
        shard.is_some_and(|shard| shard.replicas.len() == 1 && shard.replicas[0].node != wish.asked);
    let is_list_of_dates = |name: &str| {
        let properties = collection.document.get("properties").and_then(Json::as_array).unwrap_or(&[]);
        let property = properties.iter().find(|property| property.text("name") == Some(name));
        property.and_then(|p| p.get("dataType")?.as_array()?.first()).is_some_and(|t| *t == Json::from("date[]"))
    };
    let mut values = item.properties.as_object().unwrap_or(&[]).iter();
    let empty = values.any(|(name, value)| value.as_array().is_some_and(<[Json]>::is_empty) && is_list_of_dates(name));
    if is_alone_elsewhere && empty {
        return Err("parse as time array, expected []interface{} got []interface {}".to_owned());
    }
    Ok(())
}

/// Puts a prepared object into its shard; `Ok(false)` when the server says it did and did not.
pub(crate) fn put(core: &Core, state: &mut State, item: &Item, stored: Stored, wish: Wish) -> Result<bool, String> {
    let State { collections, cluster, .. } = state;
    let Some(collection) = collections.get_mut(&item.class) else { return Ok(false) };
    let reach = reach(core, cluster, collection, item.tenant.as_deref(), item.id, wish)?;
    if reach.lies {
        return Ok(false);
    }
    let class = collection.name.clone();
    let skips = collection.document.at(&["vectorIndexConfig", "skip"]).is_some_and(Json::is_true);
    let space = collection.space_mut(item.tenant.as_deref())?;
    if space.store.get(item.id).is_none() {
        for node in reach.missed {
            cluster.set_absent(&class, node, item.id, true);
        }
    }
    let number = space.store.len();
    space.store.put(item.id, stored);
    // The store took it; the index may not.
    let mut refused = None;
    for (name, length) in item.lengths().into_iter().filter(|(_, length)| *length > 0 && !skips) {
        let Space { lengths, met, .. } = space;
        let there = *lengths.get(&name).unwrap_or_else(|| met.entry(name).or_insert(length));
        if there != length {
            refused.get_or_insert(format!(
                "insert to vector index: insert doc id {number} to vector index: find and connect neighbors: at level 0: \
                 pick entrypoint at level beginning: calculate distance between insert node and entrypoint: {there} vs \
                 {length}: vector lengths don't match"
            ));
        }
    }
    if !wish.several {
        space.settle();
    }
    refused.map_or(Ok(true), Err)
}

/// Which replicas a write reaches.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// Nodes that do not take it.
    pub(crate) missed: Vec<usize>,
    /// The reply says success and nothing is stored.
    pub(crate) lies: bool,
}

/// Whether a write of this id may happen, in the words of each version.
pub(crate) fn reach(
    core: &Core,
    cluster: &Cluster,
    collection: &Collection,
    tenant: Option<&str>,
    id: u128,
    wish: Wish,
) -> Result<Reach, String> {
    let ours = core.ours;
    let space = collection.space(tenant)?;
    let Some(shard) = space.shards.get(cluster.shard_of(&collection.name, id, space.shards.len())) else {
        return Ok(Reach::default());
    };
    let replicas = shard.replicas.len();
    if replicas == 1 {
        if wish.level == Some(Level::All) && !ours.level_all_works_alone() {
            return Err("broadcast: cannot reach enough replicas".to_owned());
        }
        let replica = &shard.replicas[0];
        if !cluster.is_up(replica.node) {
            return Err(Cluster::shard_error(&cluster.nodes[replica.node], &shard.name, &collection.name));
        }
        let remote = replica.node != wish.asked;
        if replica.is_readonly() && !(remote && ours.remote_readonly_lies()) {
            return Err(ours.readonly_text().to_owned());
        }
        return Ok(Reach { missed: Vec::new(), lies: replica.is_readonly() });
    }
    let there = shard.replicas.iter().filter(|r| cluster.condition(r.node) != Condition::Down).count();
    let all = if ours.level_all_ignores_absent() { there } else { replicas };
    let required = match wish.level.unwrap_or(Level::Quorum) {
        Level::One => 1,
        Level::Quorum => replicas / 2 + 1,
        Level::All => all,
    };
    let up: Vec<_> = shard.replicas.iter().filter(|r| cluster.is_up(r.node)).collect();
    let got = up.iter().filter(|r| !r.is_readonly()).count();
    if got >= required {
        let missed = shard.replicas.iter().filter(|r| !cluster.is_up(r.node) || r.is_readonly());
        return Ok(Reach { missed: missed.map(|r| r.node).collect(), lies: false });
    }
    let frozen: Vec<String> = up
        .iter()
        .filter(|r| r.is_readonly())
        .map(|r| format!("replica \"{0}\": \"{0}\": read only \"{1}\"", cluster.nodes[r.node].name, shard.name))
        .collect();
    Err(match (frozen.is_empty(), ours.omits_lost_shards()) {
        (false, true) => {
            format!("cannot reach enough replicas: required {required} replicas, got {got}: {}", frozen.join("; "))
        }
        (false, false) => "broadcast: cannot reach enough replicas".to_owned(),
        (true, _) => {
            let level = if wish.level == Some(Level::All) { "ALL" } else { "QUORUM" };
            format!("cannot achieve consistency level \"{level}\": cannot reach enough replicas")
        }
    })
}
