//! Objects that expire: `objectTtlConfig` with a property of dates (`usecases/object_ttl` of 1.40).

use crate::json::{Json, parse};
use crate::state::{Collection, Space, State, now};

/// Removes every object that has expired, of tenants that are active too.
pub(crate) fn expire(state: &mut State) {
    let now_ms = now();
    for collection in state.collections.values_mut() {
        let Collection { document, whole, tenants, .. } = collection;
        let Some(settings) = document.get("objectTtlConfig").filter(|s| s.get("enabled").is_some_and(Json::is_true))
        else {
            continue;
        };
        let on = settings.text("deleteOn").unwrap_or("").trim().to_owned();
        let after_ms = settings.get("defaultTtl").and_then(Json::as_i64).unwrap_or(0) * 1_000;
        let active = tenants.iter_mut().flatten().filter(|(_, tenant)| tenant.status == "HOT");
        let spaces = std::iter::once(whole).chain(active.map(|(_, tenant)| &mut tenant.space));
        spaces.for_each(|space| sweep(space, &on, after_ms, now_ms));
    }
}

fn sweep(space: &mut Space, on: &str, after_ms: i64, now_ms: i64) {
    let mut expired = Vec::new();
    for (id, entry) in space.store.walk(None) {
        let stored = entry.stored();
        let from_ms = match on {
            "_creationTimeUnix" => Some(stored.created),
            "_lastUpdateTimeUnix" => Some(stored.updated),
            property => {
                let properties = parse(stored.properties.as_bytes()).unwrap_or(Json::Null);
                let time = properties.text(property).and_then(|text| text.parse::<jiff::Timestamp>().ok());
                time.map(jiff::Timestamp::as_millisecond)
            }
        };
        if from_ms.is_some_and(|from_ms| from_ms + after_ms <= now_ms) {
            expired.push(id);
        }
    }
    for id in expired {
        space.store.remove(id);
    }
}
