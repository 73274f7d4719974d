//! `POST /v1/batch/objects`.

use crate::auth::allow_data;
use crate::call::{Call, Failing, Reply, either, errors};
use crate::fold;
use crate::json::{Json, object};
use crate::limits;
use crate::objects::{Item, Level as Asked, Wish, prepare, put, refuse_dates};
use crate::print::{self, Style};
use crate::state::{Collection, Core, State, now, upper_first};

/// How a batch is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Level {
    pub(crate) wish: Wish,
    /// The objects that fail, whatever they are.
    pub(crate) failing: Option<Failing>,
}

pub(super) fn create(core: &Core, call: &Call) -> Reply {
    either(try_create(core, call))
}

/// The consistency level of a call.
pub(super) fn level(call: &Call) -> Result<Option<Asked>, Reply> {
    match call.ask("consistency_level").filter(|l| !l.is_empty()) {
        None => Ok(None),
        Some("ONE") => Ok(Some(Asked::One)),
        Some("QUORUM") => Ok(Some(Asked::Quorum)),
        Some("ALL") => Ok(Some(Asked::All)),
        Some(other) => {
            let why =
                format!("unrecognized consistency level '{other}', try one of the following: ['ONE', 'QUORUM', 'ALL']");
            Err(Reply::error(400, &why))
        }
    }
}

fn try_create(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let body = call.json("body", &fold::BATCH)?;
    let objects = body.get("objects").cloned().unwrap_or(Json::Null);
    let items = objects.as_array().unwrap_or(&[]);
    for (at, item) in items.iter().enumerate() {
        check_shape(core, item, "Object.objects.")?;
        if let Some(id) = item.text("id").filter(|id| !is_format_uuid(id)) {
            let why = format!("body.objects.{at}.id in body must be of type uuid: \"{id}\"");
            return Err(Reply::coded(422, 601, &why));
        }
    }
    let level = Level {
        wish: Wish { asked: call.arrival.asked, level: level(call)?, several: true },
        failing: call.arrival.failing.clone(),
    };
    for item in items {
        let (class, tenant) = (upper_first(item.text("class").unwrap_or("")), item.text("tenant").unwrap_or(""));
        allow_data(call, "update_data", &class, tenant)?;
        allow_data(call, "create_data", &class, tenant)?;
    }
    if items.is_empty() {
        let why = "invalid param 'objects': cannot be empty, need at least one object for batching";
        return Err(Reply::error(422, why));
    }
    let leader = core.read().cluster.has_majority();
    if !leader {
        let why = format!("failed to execute query: {}", core.read().cluster.no_leader());
        return Err(Reply::error(500, &why));
    }
    if core.ours.item_without_class_empties_reply() && items.iter().any(|i| i.text("class").unwrap_or("").is_empty()) {
        return Err(Reply::empty(200));
    }
    {
        // Where no object at all may come, the answer is about the batch.
        let state = core.read();
        if let Some(most) = state.limits.objects.filter(|_| limits::kept_out(&state, items).iter().all(|out| *out)) {
            let coded = crate::operator::limit("objects", usize::try_from(most).unwrap_or(usize::MAX));
            return Err(Reply::json(coded.status, &coded.body));
        }
    }
    let mut out = Vec::with_capacity(call.body.len() + items.len() * 128);
    let written = write_into(core, &mut core.write(), &objects, &level);
    print::json(&mut out, &written, Style::Html);
    Ok(Reply::printed(200, out))
}

/// The format the framework asks of ids: hex digits, dashes allowed in their places.
pub(super) fn is_format_uuid(text: &str) -> bool {
    matches!(text.len(), 0 | 32 | 36) && (text.is_empty() || crate::store::parse_id(text).is_some())
}

/// What the framework refuses before the server sees it: vectors that are none.
pub(super) fn check_shape(core: &Core, item: &Json, path: &str) -> Result<(), Reply> {
    let wrong = |what: &str, field: &str, kind: &str| {
        let why = format!("json: cannot unmarshal {what} into Go struct field {path}{field} of type {kind}");
        Reply::coded(400, 400, &format!("parsing body body from \"\" failed, because {why}"))
    };
    match item.get("vector") {
        None | Some(Json::Null) => {}
        Some(Json::Array(numbers)) => {
            if let Some(bad) = numbers.iter().find(|n| !fits(n)) {
                return Err(wrong(&named(bad), "vector", "float32"));
            }
        }
        Some(other) => return Err(wrong(&named(other), "vector", "models.C11yVector")),
    }
    for (_, vector) in item.get("vectors").and_then(Json::as_object).unwrap_or(&[]) {
        for entry in vector.as_array().unwrap_or(&[]) {
            let rows = entry.as_array().filter(|_| core.ours.multi_vectors());
            let bad = rows.map_or_else(|| (!fits(entry)).then_some(entry), |row| row.iter().find(|n| !fits(n)));
            if let Some(bad) = bad {
                return Err(wrong(&named(bad), "vectors", "float32"));
            }
        }
    }
    Ok(())
}

fn fits(value: &Json) -> bool {
    matches!(value, Json::Number(text) if text.parse::<f32>().is_ok_and(f32::is_finite))
}

fn named(value: &Json) -> String {
    match value {
        Json::Number(text) => format!("number {text}"),
        Json::Text(_) => "string".to_owned(),
        Json::Array(_) => "array".to_owned(),
        Json::Object(_) => "object".to_owned(),
        Json::Bool(_) => "bool".to_owned(),
        Json::Null => "null".to_owned(),
    }
}

/// Writes the objects one by one; gives the array of what became of each.
pub(crate) fn write_into(core: &Core, state: &mut State, objects: &Json, level: &Level) -> Json {
    let time = now();
    let wish = Wish { several: true, ..level.wish };
    let mut replies = Vec::new();
    let batch = objects.as_array().unwrap_or(&[]);
    let kept_out = limits::kept_out(state, batch);
    let beyond = limits::beyond(state.limits.objects.unwrap_or_default());
    for ((at, raw), kept_out) in (1_u64..).zip(batch).zip(kept_out) {
        let mut item = Item::read(raw);
        let planned = match &level.failing {
            Some(Failing::Places(one_in, text)) => at.is_multiple_of((*one_in).max(1)).then_some(text),
            Some(Failing::Ids(one_in, text)) => {
                let id = raw.text("id").and_then(crate::store::parse_id);
                id.is_some_and(|id| id.is_multiple_of(u128::from(*one_in).max(1))).then_some(text)
            }
            Some(Failing::Added(..)) | None => None,
        };
        let outcome = match planned {
            Some(text) => Err(text.clone()),
            None if kept_out => Err(beyond.clone()),
            None if state.limits.is_suspended(raw.text("class").unwrap_or_default()) => {
                Err("namespace is suspended".to_owned())
            }
            None => prepare(core, state, &mut item).and_then(|()| {
                refuse_dates(state, &item, wish)?;
                let stored = item.stored(time, time);
                put(core, state, &item, stored, wish)
            }),
        };
        let stored_all_the_same = match &level.failing {
            Some(Failing::Added(one_in, text)) if at.is_multiple_of((*one_in).max(1)) => Err(text.clone()),
            _ => Ok(()),
        };
        let outcome = outcome.map(|_| ()).and(stored_all_the_same);
        let mut reply = item.echo(time, time);
        reply.set("deprecations", Json::Null);
        reply.set("result", result(outcome.err().as_deref()));
        replies.push(reply);
    }
    let tenants = |c: &mut Collection| c.tenants.iter_mut().flatten().for_each(|(_, tenant)| tenant.space.settle());
    for collection in state.collections.values_mut() {
        collection.whole.settle();
        tenants(collection);
    }
    Json::Array(replies)
}

/// `{"status":"SUCCESS"}`, or the failure with its text.
pub(super) fn result(failure: Option<&str>) -> Json {
    match failure {
        None => object! {"status": "SUCCESS"},
        Some(text) => object! {"errors": errors(text), "status": "FAILED"},
    }
}
