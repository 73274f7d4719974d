//! `/v1/schema/{class}/shards`: what state the shards are in, and freezing them.

use crate::auth::{Domain, allow};
use crate::behaviour::Release;
use crate::call::{Call, Reply, either};
use crate::cluster::{Cluster, shard_status};
use crate::fold;
use crate::json::{Json, object};
use crate::state::Core;

pub(super) fn list(core: &Core, call: &Call) -> Reply {
    either(try_list(core, call))
}

fn try_list(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let class = call.param("class");
    allow(call, "read_collections", Domain::Collections(class))?;
    let state = core.read();
    let Some(collection) = state.collection(class).filter(|collection| !collection.half_made) else {
        let tail = if core.ours.release == Release::V1_24 { "" } else { ": not found" };
        let why = format!("cannot get shards status for a non-existing index for {class}{tail}");
        return Err(Reply::error(404, &why));
    };
    let cold = collection.tenants.iter().flatten().find(|(_, t)| t.status != "HOT");
    if let Some((name, _)) = cold.filter(|_| call.tenant().is_none()) {
        inactive(core.ours.release, name)?;
    }
    let lost = collection.shards().find_map(|s| state.cluster.lost(s).map(|node| (s, node)));
    if let Some((shard, node)) = lost
        && core.ours.release < Release::V1_40
    {
        let why = format!("shard {}: {}", shard.name, Cluster::shard_error(node, &shard.name, &collection.name));
        return Err(Reply::error(if core.ours.omits_lost_shards() { 500 } else { 404 }, &why));
    }
    let hot = |name: &str| collection.tenants.as_ref().is_none_or(|t| t.get(name).is_none_or(|t| t.status == "HOT"));
    let shards = collection.shards().filter(|s| call.tenant().is_none_or(|t| t == s.name) && hot(&s.name));
    let all: Vec<Json> = shards.map(|s| shard_status(&state.cluster, core.ours, s)).collect();
    Ok(Reply::json(200, &Json::Array(all)))
}

/// Most versions cannot list the shards of a class with inactive tenants (trap 22).
fn inactive(release: Release, tenant: &str) -> Result<(), Reply> {
    match release {
        Release::V1_24 => Err(Reply::error(404, &format!("shard {tenant}: not found"))),
        Release::V1_28 => Err(Reply::dropped()),
        Release::V1_39 => {
            let why = format!("shard {tenant}: status code: 500 body: (local {tenant} shard not found\n)");
            Err(Reply::error(500, &why))
        }
        Release::V1_32 | Release::V1_40 => Ok(()),
    }
}

pub(super) fn update(core: &Core, call: &Call) -> Reply {
    either(try_update(core, call))
}

fn try_update(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let given = call.json("body", &fold::SHARD)?;
    let (class, name) = (call.param("class"), call.param("shard"));
    allow(call, "update_collections", Domain::Collections(class))?;
    let status = given.text("status").unwrap_or("");
    let mut state = core.write();
    if !state.cluster.has_majority() {
        return Err(Reply::error(500, &state.cluster.no_leader()));
    }
    let class = state.resolve(class).unwrap_or(class).to_owned();
    let state = &mut *state;
    let Some(collection) = state.collections.get_mut(&class) else {
        return Err(Reply::error(422, &format!("class \"{class}\": not found")));
    };
    match collection.shards_mut().find(|s| s.name == name) {
        Some(shard) => match status {
            "READONLY" => state.cluster.set_status(shard, call.arrival.asked, "READONLY"),
            "READY" => state.cluster.set_status(shard, call.arrival.asked, "READY"),
            _ => {}
        },
        None if core.ours.accepts_unknown_shard() => {}
        None => {
            let why = format!("class {class} has no physical shard \"{name}\": shard not found");
            return Err(Reply::error(422, &why));
        }
    }
    Ok(Reply::json(200, &object! {"status": status}))
}
