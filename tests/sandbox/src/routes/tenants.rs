//! `/v1/schema/{class}/tenants`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::auth::{Domain, allow};
use crate::behaviour::Release;
use crate::call::{Call, Reply, either};
use crate::cluster::Cluster;
use crate::fold;
use crate::json::{Json, object};
use crate::seeded::{Seeded, mix};
use crate::state::{Collection, Core, Space, State, Tenant};
use crate::store::Store;

/// The status as it is kept and read back; `None` for words the version does not know.
fn status(core: &Core, word: &str) -> Option<&'static str> {
    match word {
        "HOT" => Some("HOT"),
        "COLD" => Some("COLD"),
        "FROZEN" => Some("FROZEN"),
        "ACTIVE" if core.ours.new_tenant_words() => Some("HOT"),
        "INACTIVE" if core.ours.new_tenant_words() => Some("COLD"),
        "OFFLOADED" if core.ours.new_tenant_words() => Some("FROZEN"),
        _ => None,
    }
}

/// Adds a tenant with a shard of its name.
pub(crate) fn add(cluster: &mut Cluster, collection: &mut Collection, name: &str, status: &'static str) {
    let factor = collection.factor();
    let nodes = cluster.nodes.len() as u64;
    let first = name.bytes().fold(0, |state, byte| mix(state, u64::from(byte))) % nodes;
    let shard = cluster.shard(Some(name), usize::try_from(first).unwrap_or(0), factor);
    let space = Space { shards: vec![shard], ..Space::default() };
    collection.tenants.get_or_insert_default().insert(name.to_owned(), Tenant { status, closed: false, space });
}

/// Adds an active tenant to a collection by name.
pub(crate) fn make(state: &mut State, class: &str, name: &str) {
    if let Some(collection) = state.collections.get_mut(class) {
        add(&mut state.cluster, collection, name, "HOT");
    }
}

/// Adds so many tenants that all have the same objects, every second one inactive.
pub(crate) fn fill(state: &mut State, class: &str, tenants: u64, objects: &Arc<Seeded>) {
    let Some(collection) = state.collections.get_mut(class) else { return };
    for n in 0..tenants {
        let name = format!("t{n:06}");
        add(&mut state.cluster, collection, &name, if n % 2 == 0 { "HOT" } else { "COLD" });
        if let Some(tenant) = collection.tenants.as_mut().and_then(|tenants| tenants.get_mut(&name)) {
            tenant.space.lengths.insert(String::new(), objects.dimensions());
            tenant.space.store = Store::seeded(Arc::clone(objects));
        }
    }
}

/// Puts a tenant into a status.
pub(crate) fn set(state: &mut State, class: &str, name: &str, status: &'static str) {
    let tenants = state.collections.get_mut(class).and_then(|collection| collection.tenants.as_mut());
    if let Some(tenant) = tenants.and_then(|tenants| tenants.get_mut(name)) {
        tenant.status = status;
    }
}

/// Activates a tenant that is touched, where the class says so.
pub(crate) fn wake(core: &Core, collection: &mut Collection, tenant: Option<&str>) {
    if !core.ours.automatic_tenants() || !collection.wants("autoTenantActivation") {
        return;
    }
    if let Some(tenant) = tenant.and_then(|name| collection.tenants.as_mut()?.get_mut(name)) {
        tenant.status = "HOT";
    }
}

/// As [`activate`], without keeping readers out when there is nothing to do.
pub(crate) fn activate_for_reading(core: &Core, class: &str, tenant: Option<&str>) {
    let inactive = core.read().collection(class).is_some_and(|c| tenant.is_some() && c.space(tenant).is_err());
    if inactive && let Some(collection) = core.write().collection_mut(class) {
        wake(core, collection, tenant);
    }
}

/// The tenants of a class, or the server's complaint that there are none.
fn tenants<'a>(core: &Core, state: &'a State, class: &str) -> Result<&'a BTreeMap<String, Tenant>, Reply> {
    if !state.cluster.has_majority() {
        return Err(Reply::error(422, &state.cluster.no_leader()));
    }
    let old = core.ours.release == Release::V1_24;
    let prefix = if old { "" } else { "failed to execute query: could not get tenants: could not get tenants: " };
    let Some(collection) = state.collection(class) else {
        let why = if old { format!("class \"{class}\": not found") } else { format!("{prefix}class not found") };
        return Err(Reply::error(422, &why));
    };
    let why = format!("{prefix}multi-tenancy is not enabled for class \"{}\"", collection.name);
    collection.tenants.as_ref().ok_or_else(|| Reply::error(422, &why))
}

fn shown(name: &str, tenant: &Tenant) -> Json {
    object! {"activityStatus": tenant.status, "name": name}
}

pub(super) fn list(core: &Core, call: &Call) -> Reply {
    let class = call.param("class");
    if let Err(refused) = allow(call, "read_tenants", Domain::Tenants(class)) {
        return refused;
    }
    let state = core.read();
    either(tenants(core, &state, class).map(|all| {
        // The server's order is random; sorted by a hash it cannot be relied on either.
        let mut all: Vec<_> = all.iter().filter(|(name, _)| call.user.sees(name)).collect();
        all.sort_by_key(|(name, _)| name.bytes().fold(7, |state, byte| mix(state, u64::from(byte))));
        Reply::json(200, &Json::Array(all.into_iter().map(|(name, tenant)| shown(name, tenant)).collect()))
    }))
}

pub(super) fn one(core: &Core, call: &Call) -> Reply {
    let state = core.read();
    let name = call.param("tenant");
    either(tenants(core, &state, call.param("class")).and_then(|all| {
        all.get(name).map(|tenant| Reply::json(200, &shown(name, tenant))).ok_or_else(|| Reply::empty(404))
    }))
}

pub(super) fn exists(core: &Core, call: &Call) -> Reply {
    let state = core.read();
    let there = tenants(core, &state, call.param("class")).is_ok_and(|all| all.contains_key(call.param("tenant")));
    Reply::empty(if there { 200 } else { 404 })
}

/// A tenant as it was asked for: its name, and its status if one was given.
type Wanted = (String, Option<&'static str>);

/// The tenants of a body, each with its status if one was given.
fn read(core: &Core, call: &Call) -> Result<(Json, Vec<Wanted>), Reply> {
    let given = call.json("body", &fold::TENANTS)?;
    let mut all = Vec::new();
    for (at, tenant) in given.as_array().unwrap_or(&[]).iter().enumerate() {
        let name = tenant.text("name").unwrap_or("").to_owned();
        let word = tenant.text("activityStatus").filter(|w| !w.is_empty());
        let known = word.map(|word| {
            status(core, word).ok_or_else(|| {
                let words = if core.ours.new_tenant_words() {
                    "ACTIVE INACTIVE OFFLOADED OFFLOADING ONLOADING HOT COLD FROZEN FREEZING UNFREEZING"
                } else {
                    "HOT WARM COLD FROZEN"
                };
                Reply::coded(422, 606, &format!("activityStatus in body should be one of [{words}]"))
            })
        });
        let known = known.transpose()?;
        let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !letters || name.is_empty() || name.len() > 64 {
            let whose = if core.ours.release == Release::V1_24 {
                "tenant name".to_owned()
            } else {
                format!(" '{name}' is not a valid tenant name.")
            };
            let why = format!(
                "tenant name at index {at}: {whose} should only contain alphanumeric characters (a-z, A-Z, 0-9), \
                 underscore (_), and hyphen (-), with a length between 1 and 64 characters"
            );
            return Err(Reply::error(422, &why));
        }
        if known == Some("FROZEN") && !core.settings.modules.iter().any(|m| m == "offload-s3") {
            return Err(Reply::error(422, "can't offload tenants, because offload-s3 module is not enabled"));
        }
        all.push((name, known));
    }
    Ok((given, all))
}

pub(super) fn create(core: &Core, call: &Call) -> Reply {
    either(try_create(core, call))
}

fn try_create(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let class = call.param("class");
    allow(call, "create_tenants", Domain::Tenants(class))?;
    let (given, wanted) = read(core, call)?;
    let mut state = core.write();
    tenants(core, &state, class)?;
    let mut names: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let twice = names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b);
    if let Some((twice, _)) = twice.filter(|_| core.ours.refuses_tenant_twice()) {
        return Err(Reply::error(422, &format!("tenant name {twice} existed multiple times")));
    }
    let name = state.resolve(class).unwrap_or(class).to_owned();
    let state = &mut *state;
    let there = state.collections.get(&name).and_then(|collection| collection.tenants.as_ref());
    let all = there.map_or(0, BTreeMap::len)
        + wanted.iter().filter(|(name, _)| !there.is_some_and(|there| there.contains_key(name))).count();
    if let Some(most) = state.operator.most_tenants.filter(|most| all > *most) {
        let coded = crate::operator::limit("tenants", most);
        return Err(Reply::json(coded.status, &coded.body));
    }
    if let Some(collection) = state.collections.get_mut(&name) {
        for (name, status) in &wanted {
            if !collection.tenants.as_ref().is_some_and(|t| t.contains_key(name)) {
                add(&mut state.cluster, collection, name, status.unwrap_or("HOT"));
                let kept = state.kept.remove(&(collection.name.clone(), name.clone()));
                let tenant = collection.tenants.as_mut().and_then(|tenants| tenants.get_mut(name));
                if let (Some(kept), Some(tenant)) = (kept, tenant) {
                    tenant.space.store = kept.store;
                }
            }
        }
    }
    Ok(Reply::json(200, &sorted(given)))
}

fn sorted(mut given: Json) -> Json {
    crate::print::sort(&mut given);
    given
}

pub(super) fn update(core: &Core, call: &Call) -> Reply {
    either(try_update(core, call))
}

fn try_update(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let class = call.param("class");
    allow(call, "update_tenants", Domain::Tenants(class))?;
    let (given, wanted) = read(core, call)?;
    let mut state = core.write();
    let there = tenants(core, &state, class)?;
    let gone = wanted.iter().find(|(name, _)| !there.contains_key(name)).map(|(name, _)| name.clone());
    let shard_not_found =
        |name: &str| Reply::error(422, &format!("updating schema: TYPE_UPDATE_TENANT: shard not found: {name}"));
    if let Some(name) = gone.as_ref().filter(|_| !core.ours.half_updates_tenants()) {
        return Err(shard_not_found(name));
    }
    let (mut activated, mut inactive) = (0, 0);
    if let Some(tenants) = state.collection_mut(class).and_then(|c| c.tenants.as_mut()) {
        for (name, status) in &wanted {
            if let (Some(tenant), Some(status)) = (tenants.get_mut(name), status) {
                activated += usize::from(tenant.status != "HOT" && *status == "HOT");
                inactive += usize::from(tenant.status == "HOT" && *status != "HOT");
                let opens = tenant.status != "HOT" && *status == "HOT";
                tenant.closed = if opens { gone.is_some() } else { tenant.closed && *status == "HOT" };
                tenant.status = status;
            }
        }
    }
    state.activated[0] = (state.activated[0] + activated).saturating_sub(inactive);
    state.activated[1] = state.activated[1].max(state.activated[0]);
    match gone {
        Some(name) => Err(shard_not_found(&format!("[{name}]"))),
        None => Ok(Reply::json(200, &sorted(given))),
    }
}

pub(super) fn remove(core: &Core, call: &Call) -> Reply {
    either(try_remove(core, call))
}

fn try_remove(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let class = call.param("class");
    allow(call, "delete_tenants", Domain::Tenants(class))?;
    let given = call.json("tenants", &fold::TENANTS)?;
    let mut state = core.write();
    tenants(core, &state, class)?;
    let class = state.resolve(class).unwrap_or(class).to_owned();
    let mut removed = Vec::new();
    if let Some(tenants) = state.collection_mut(&class).and_then(|c| c.tenants.as_mut()) {
        for name in given.as_array().unwrap_or(&[]).iter().filter_map(Json::as_text) {
            removed.extend(tenants.remove(name).map(|tenant| ((class.clone(), name.to_owned()), tenant.space)));
        }
    }
    if core.ours.removed_tenants_come_back() {
        state.kept.extend(removed);
    }
    Ok(Reply::empty(200))
}
