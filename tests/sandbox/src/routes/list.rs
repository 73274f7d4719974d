//! `GET /v1/objects`: pages behind an exclusive cursor, in id order.

use std::sync::Arc;

use crate::auth::refusal_of_data;
use crate::call::{Call, Reply, either};
use crate::faults::PageFault;
use crate::state::{Core, State};
use crate::store::{Entry, parse_id};

/// The server's page size where none is said.
const DEFAULT_LIMIT: u64 = 25;
/// First guess of a page's bytes per object.
const BYTES_PER_OBJECT: usize = 1024;

type Page = Vec<(u128, Entry)>;

pub(super) fn list(core: &Core, call: &Call) -> Reply {
    either(page(core, call))
}

fn page(core: &Core, call: &Call) -> Result<Reply, Reply> {
    let limit = whole_number(call, "limit")?;
    let offset = whole_number(call, "offset")?.unwrap_or(0);
    let vectors = include(call)?;
    let after = call.ask("after");
    let Some(class) = call.ask("class").filter(|c| !c.is_empty()) else {
        if after.is_some_and(|a| !a.is_empty()) {
            let text = "list objects: after parameter not allowed, cursor must be specific to one class, set class query param";
            return Err(Reply::error(500, text));
        }
        return everything(core, call, limit.unwrap_or(DEFAULT_LIMIT), vectors);
    };
    if let Some(text) = refusal_of_data(call, "read_data", class, "") {
        return Err(Reply::error(403, &format!("msg:{text} code:403 err:{text}")));
    }
    if !core.plan.is_ready() || core.read().collection(class).is_none() {
        return Err(Reply::empty(404));
    }
    let cursor = cursor(call, after, limit, offset)?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    check_maximum(core, offset, limit)?;
    super::tenants::activate_for_reading(core, class, call.tenant());
    let state = core.read();
    let Some(collection) = state.collection(class) else { return Err(Reply::empty(404)) };
    state.limits.listing(&collection.name)?;
    let search = |status: u16, why: &str| {
        Reply::error(status, &format!("msg:search index {} code:{status} err:{why}", collection.name.to_lowercase()))
    };
    let space = collection.space(call.tenant()).map_err(|why| search(crate::state::status_of(&why), &why))?;
    let tenants = collection.tenants.is_some();
    if let Some(why) = state.cluster.read_error(core.ours, &collection.name, &space.shards, tenants) {
        return Err(search(500, &why));
    }
    let sieve = state.cluster.sieve(&collection.name, &space.shards, call.arrival.asked);
    if let Some(order) = by_update_time(call) {
        let mut all: Page = space.store.walk(None).filter(|(id, _)| sieve.is_open() || sieve.shows(*id)).collect();
        all.sort_by_key(|(id, entry)| (entry.updated(), *id));
        if order == Order::Descending {
            all.reverse();
        }
        let page: Page =
            all.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(take(limit)).collect();
        return Ok(print(&state, &collection.name, &page, vectors, None, ""));
    }
    let start = if call.arrival.page == Some(PageFault::Repeat) { None } else { cursor };
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let take = take(limit);
    let mut shown = space.store.walk(start).filter(|(id, _)| sieve.is_open() || sieve.shows(*id)).skip(skip);
    let mut page: Page = match (call.arrival.page, cursor) {
        (Some(PageFault::Repeat), Some(cursor)) => {
            let behind: Page = shown.take_while(|(id, _)| *id <= cursor).collect();
            behind[behind.len().saturating_sub(take)..].to_vec()
        }
        (Some(PageFault::TooMany), _) => shown.take(take.saturating_add(1)).collect(),
        _ => shown.by_ref().take(take).collect(),
    };
    for (id, entry) in &mut page {
        if let Some(older) = state.cluster.stale(&collection.name, call.arrival.asked, *id) {
            *entry = Entry::Stored(Arc::new(older.clone()));
        }
    }
    let stranger = call.arrival.page.and_then(|fault| distort(fault, &mut page));
    let also = if let Some(PageFault::Also(text)) = call.arrival.page { text } else { "" };
    Ok(print(&state, &collection.name, &page, vectors, stranger, also))
}

/// Which end of a sorted listing comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

/// The order of a listing that is sorted by the time of the last update. No other sort is known here.
fn by_update_time(call: &Call) -> Option<Order> {
    call.ask("sort").filter(|path| *path == "_lastUpdateTimeUnix")?;
    Some(if call.ask("order") == Some("desc") { Order::Descending } else { Order::Ascending })
}

fn take(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Without a class the server lists objects of all classes, one class after the other.
fn everything(core: &Core, call: &Call, limit: u64, vectors: bool) -> Result<Reply, Reply> {
    check_maximum(core, 0, limit)?;
    let state = core.read();
    let mut objects = Vec::new();
    for collection in state.collections.values().filter(|c| c.tenants.is_none() && call.user.may("read_data")) {
        let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(objects.len());
        for (id, entry) in collection.whole.store.walk(None).take(left) {
            let mut out = Vec::new();
            entry.print(&mut out, &collection.name, id, None, vectors);
            objects.push(out);
        }
    }
    let mut out = b"{\"deprecations\":null,\"objects\":[".to_vec();
    out.extend_from_slice(&objects.join(&b','));
    out.extend_from_slice(b"]}");
    Ok(Reply::printed(200, out))
}

/// Changes a page; gives the place of the object that pretends to be of another class.
fn distort(fault: PageFault, page: &mut Page) -> Option<usize> {
    let middle = page.len() / 2;
    match fault {
        PageFault::Backwards => page.reverse(),
        PageFault::Skip if page.len() > 1 => drop(page.remove(middle)),
        PageFault::Duplicate if !page.is_empty() => page.insert(middle, page[middle].clone()),
        PageFault::Empty => page.clear(),
        PageFault::WrongClass => return Some(middle),
        _ => {}
    }
    None
}

fn print(state: &State, class: &str, page: &Page, vectors: bool, stranger: Option<usize>, also: &str) -> Reply {
    let nan = |id: u128| state.unprintable.contains(&(class.to_owned(), id));
    if vectors && !state.unprintable.is_empty() && page.iter().any(|(id, _)| nan(*id)) {
        return Reply::empty(200);
    }
    let mut out = Vec::with_capacity(page.len() * BYTES_PER_OBJECT + 64);
    out.extend_from_slice(b"{\"deprecations\":[],\"objects\":[");
    for (at, (id, entry)) in page.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let class = if stranger == Some(at) { "Stranger" } else { class };
        entry.print(&mut out, class, *id, None, vectors);
        if !also.is_empty() {
            out.pop();
            out.extend_from_slice(also.as_bytes());
            out.push(b'}');
        }
        if at == 0 {
            out.reserve(out.len() * page.len() + page.len() * 64);
        }
    }
    out.push(b']');
    if !page.is_empty() {
        out.extend_from_slice(format!(",\"totalResults\":{}", page.len()).as_bytes());
    }
    out.push(b'}');
    Reply::printed(200, out)
}

fn whole_number(call: &Call, name: &str) -> Result<Option<u64>, Reply> {
    let Some(text) = call.ask(name).filter(|t| !t.is_empty()) else { return Ok(None) };
    match text.parse::<i64>() {
        // The server panics over a negative limit, and its recovery answers 200 with nothing.
        Ok(number) if number < 0 => Err(Reply::empty(200)),
        Ok(number) => Ok(u64::try_from(number).ok()),
        Err(_) => Err(Reply::coded(422, 601, &format!("{name} in query must be of type int64: \"{text}\""))),
    }
}

/// Whether vectors are asked for.
pub(super) fn include(call: &Call) -> Result<bool, Reply> {
    let mut vectors = false;
    for part in call.ask("include").unwrap_or("").split(',').filter(|p| !p.is_empty()) {
        match part {
            "vector" => vectors = true,
            "classification" | "interpretation" | "nearestNeighbors" | "featureProjection" => {}
            other => return Err(Reply::error(400, &format!("unrecognized property '{other}' in ?include list"))),
        }
    }
    Ok(vectors)
}

fn cursor(call: &Call, after: Option<&str>, limit: Option<u64>, offset: u64) -> Result<Option<u128>, Reply> {
    let Some(after) = after.filter(|a| !a.is_empty()) else { return Ok(None) };
    let wrong =
        |why: String| Err(Reply::error(422, &format!("msg:cursor api: invalid 'after' parameter code:400 err:{why}")));
    if limit.is_none() {
        return wrong("limit parameter must be set".to_owned());
    }
    if offset > 0 {
        return wrong("offset cannot be set with after and limit parameters".to_owned());
    }
    if call.ask("sort").is_some_and(|s| !s.is_empty()) {
        return wrong("sort cannot be set with after and limit parameters".to_owned());
    }
    if let Some(id) = parse_id(after) {
        return Ok(Some(id));
    }
    let why = if matches!(after.len(), 32 | 36 | 38 | 45) {
        "invalid UUID format".to_owned()
    } else {
        format!("invalid UUID length: {}", after.len())
    };
    wrong(format!("after parameter '{after}' is not a valid uuid: {why}"))
}

fn check_maximum(core: &Core, offset: u64, limit: u64) -> Result<(), Reply> {
    let maximum = core.settings.maximum;
    if offset.saturating_add(limit) <= maximum {
        return Ok(());
    }
    let more = if core.ours.limit_error_names_values() {
        format!(
            ": the total limit calculated from the provided offset '{offset}' and limit '{limit}' exceeds the configured \
             value for QUERY_MAXIMUM_RESULTS '{maximum}'. If you've supplied a negative offset or limit, this may be an \
             underflow error"
        )
    } else {
        String::new()
    };
    Err(Reply::error(422, &format!("msg:offset or limit code:400 err:query maximum results exceeded{more}")))
}
