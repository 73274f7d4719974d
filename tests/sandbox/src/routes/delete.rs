//! `DELETE /v1/batch/objects`.

use super::batch::level;
use crate::auth::allow_data;
use crate::behaviour::Release;
use crate::call::{Call, Reply, either, errors};
use crate::cluster::{Buried, Condition};
use crate::filter;
use crate::fold;
use crate::json::{Json, object};
use crate::objects::{Wish, reach};
use crate::print::{self, Style};
use crate::state::{Core, State};
use crate::store::{Entry, dashed};

/// Go's zero time in milliseconds, echoed where no time was sent.
const NO_TIME: i64 = -62_135_596_800_000;

pub(super) fn remove(core: &Core, call: &Call) -> Reply {
    either(try_remove(core, call))
}

fn try_remove(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let body = call.json("body", &fold::DELETE)?;
    let bad = |why: &str| Reply::error(core.ours.bad_delete_status(), &format!("validate: {why}"));
    let wanted = body.get("match").filter(|m| !m.is_null()).ok_or_else(|| bad("empty match clause"))?;
    let class = wanted.text("class").filter(|c| !c.is_empty()).ok_or_else(|| bad("empty match.class clause"))?;
    allow_data(call, "delete_data", class, call.tenant().unwrap_or_default())?;
    let filter = wanted.get("where").filter(|w| !w.is_null()).ok_or_else(|| bad("empty match.where clause"))?;
    let output = body.text("output").filter(|o| !o.is_empty()).unwrap_or("minimal");
    let dry = body.get("dryRun").is_some_and(Json::is_true);
    let mut state = core.write();
    let Some(collection) = state.collection(class) else {
        return Err(bad(&if core.ours.release == Release::V1_24 {
            format!("class: {class} doesn't exist")
        } else {
            format!("failed to get class: {class}")
        }));
    };
    if state.limits.is_suspended(&collection.name) {
        let shard = collection.whole.shards.first().map_or("", |shard| shard.name.as_str());
        let why = format!(
            "batch delete objects: cannot find objects: find matching doc ids in shard \"{shard}\": namespace is suspended"
        );
        return Err(Reply::error(500, &why));
    }
    if !matches!(output, "minimal" | "verbose") {
        let why = format!("validate: invalid output: \"{output}\", possible values are: \"minimal\", \"verbose\"");
        return Err(Reply::error(core.ours.bad_delete_output_status(), &why));
    }
    let filter = filter::read(collection, filter)
        .map_err(|(fault, why)| Reply::error(if fault { 500 } else { core.ours.bad_delete_status() }, &why))?;
    let find = |why: &str| format!("batch delete objects: cannot find objects: {why}");
    let space = collection.space(call.tenant()).map_err(|why| Reply::error(422, &find(&why)))?;
    let several = collection.tenants.is_some();
    if let Some(why) = state.cluster.read_error(core.ours, &collection.name, &space.shards, several) {
        return Err(Reply::error(500, &find(&why)));
    }
    let name = collection.name.clone();
    let sieve = state.cluster.sieve(&name, &space.shards, call.arrival.asked);
    let limit = usize::try_from(core.settings.maximum).unwrap_or(usize::MAX);
    let mut matches = 0_usize;
    let mut chosen = Vec::new();
    for (id, entry) in space.store.walk(None).filter(|(id, e)| sieve.reaches(*id) && filter.meets(*id, e)) {
        matches += 1;
        if chosen.len() < limit {
            chosen.push((id, entry));
        }
    }
    let time = body.get("deletionTimeUnixMilli").and_then(Json::as_i64);
    let wish = Wish { asked: call.arrival.asked, level: level(call)?, several: true };
    let carried = carry_out(core, call, &mut state, &name, chosen, wish, dry, time);
    let mut reply = object! {};
    if core.ours.delete_says_time() {
        reply.set("deletionTimeUnixMilli", time.unwrap_or(NO_TIME));
    }
    reply.set("dryRun", dry);
    reply.set("match", echo(wanted));
    reply.set("output", output);
    let objects: Vec<Json> =
        carried.iter().filter(|c| output == "verbose" || c.failure.is_some()).map(Carried::shown).collect();
    let failed = carried.iter().filter(|c| c.failure.is_some()).count();
    let results = object! {
        "failed": failed, "limit": limit, "matches": matches,
        "objects": if objects.is_empty() { Json::Null } else { Json::Array(objects) },
        "successful": if dry { 0 } else { carried.len() - failed },
    };
    reply.set("results", results);
    let mut out = Vec::new();
    print::json(&mut out, &reply, Style::Html);
    Ok(Reply::printed(200, out))
}

/// The match as the server echoes it.
fn echo(wanted: &Json) -> Json {
    let mut echo = wanted.clone();
    if let Some(filter) = echo.get_mut("where")
        && filter.get("operands").is_none()
    {
        filter.set("operands", Json::Null);
    }
    print::sort(&mut echo);
    echo
}

/// What became of one object.
struct Carried {
    id: u128,
    dry: bool,
    failure: Option<String>,
}

impl Carried {
    fn shown(&self) -> Json {
        match &self.failure {
            // Failed ones carry no id.
            Some(text) => object! {"errors": errors(text), "status": "FAILED"},
            None => object! {"id": dashed(self.id), "status": if self.dry { "DRYRUN" } else { "SUCCESS" }},
        }
    }
}

fn is_frozen(why: &str) -> bool {
    why.starts_with("store is read-only")
}

/// Read-only shards fail once each, whether or not something in them matched.
fn frozen<'a>(core: &'a Core, call: &Call, state: &State, class: &str) -> impl Iterator<Item = String> + use<'a> {
    let lies = core.ours.remote_readonly_lies();
    let asked = call.arrival.asked;
    let space = state.collection(class).and_then(|c| c.space(call.tenant()).ok());
    let single =
        space.into_iter().flat_map(|s| &s.shards).filter_map(|s| s.replicas.first().filter(|_| s.replicas.len() == 1));
    let count = single.filter(|r| r.is_readonly() && (r.node == asked || !lies)).count();
    std::iter::repeat_n(core.ours.readonly_text().to_owned(), count)
}

#[expect(clippy::too_many_arguments, reason = "the parts of one request, used once")]
fn carry_out(
    core: &Core,
    call: &Call,
    state: &mut State,
    class: &str,
    chosen: Vec<(u128, Entry)>,
    wish: Wish,
    dry: bool,
    time: Option<i64>,
) -> Vec<Carried> {
    let tenant = call.tenant();
    let mut all = Vec::new();
    if !dry {
        all.extend(frozen(core, call, state, class).map(|why| Carried { id: 0, dry, failure: Some(why) }));
    }
    let one_away = (0..state.cluster.nodes.len()).any(|n| state.cluster.condition(n) != Condition::Up);
    for (id, entry) in chosen {
        let mut failure = None;
        if !dry {
            let State { collections, cluster, .. } = &mut *state;
            let Some(collection) = collections.get_mut(class) else { continue };
            match reach(core, cluster, collection, tenant, id, wish) {
                Err(why) if is_frozen(&why) => continue,
                Err(why) => failure = Some(why),
                Ok(reached) if reached.lies => {}
                Ok(_) => {
                    if one_away && time.is_none() && collection.factor() > 1 {
                        let (class, tenant) = (class.to_owned(), tenant.map(str::to_owned));
                        cluster.buried.push(Buried { class, tenant, id, object: entry.stored() });
                    }
                    if let Ok(space) = collection.space_mut(tenant) {
                        space.store.remove(id);
                    }
                }
            }
        }
        all.push(Carried { id, dry, failure });
    }
    all
}
