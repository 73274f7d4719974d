//! One collection for people: facts, then a table each of its properties, vectors, tenants and shards.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::ls::{dash, listed, number};
use crate::cli::closing;
use crate::ops::inventory::{OneTenant, Property, Shown, Size, Vector};
use crate::render::{count, counted, plain, size, table};
use crate::weaviate::{ShardState, TenantState};

/// Rows of shards at most: `--json` has them all.
const SHARDS: usize = 20;
/// Tenants of one state that are named.
const TENANTS: usize = 10;

pub(super) fn text(shown: &Shown, columns: Option<usize>) -> String {
    let mut text = String::new();
    for (label, fact) in facts(shown) {
        // A String takes every write.
        let _ = writeln!(text, "{label:<12}{fact}");
    }
    let tables = [
        properties(&shown.properties, columns),
        vectors(&shown.vectors, columns),
        tenants(shown, columns),
        shards(shown, columns),
    ];
    for table in tables.into_iter().flatten() {
        let _ = write!(text, "\n{table}");
    }
    text
}

fn facts(shown: &Shown) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Collection", plain(shown.name.as_str()))];
    if let Some(alias) = &shown.asked_by_alias {
        facts.push(("Asked by", format!("{} is an alias of {}", plain(alias.as_str()), plain(shown.name.as_str()))));
    }
    facts.push(("Server", closing::server(&shown.server.url, &shown.server.version)));
    facts.push(("Objects", number(&shown.objects)));
    facts.extend(shown.size.as_ref().map(|size| ("Size", room(size))));
    let aliases = match &shown.aliases {
        None if !shown.has_aliases => "none, this version has no aliases".into(),
        None if shown.aliases_seen.is_empty() => closing::UNSEEN_ALIASES.into(),
        None => format!("{}; others {}", listed(&shown.aliases_seen), closing::UNSEEN_ALIASES),
        Some(aliases) if aliases.is_empty() => "none".into(),
        Some(aliases) => listed(aliases),
    };
    facts.push(("Aliases", aliases));
    match &shown.tenants {
        Some(tenants) => {
            let states = tenants.states.iter().map(|(state, n)| format!("{} {}", count(*n), word(state)));
            let states = states.collect::<Vec<_>>().join(", ");
            let joint = if states.is_empty() { "" } else { ": " };
            facts.push(("Tenants", format!("{}{joint}{states}", count(tenants.total))));
        }
        None if shown.multi_tenant => facts.push(("Tenants", "unknown".into())),
        None => facts.push(("Tenants", "not multi-tenant".into())),
    }
    if let Some(shards) = shown.shards {
        let why = shown.shards_reason.as_ref().map(|why| format!(", not listed: {}", plain(why))).unwrap_or_default();
        facts.push(("Shards", format!("{}{why}", count(shards.into()))));
    }
    facts.push(("Replicas", count(shown.replicas.into())));
    facts
}

fn room(found: &Size) -> String {
    let objects = counted(found.sampled_objects, "object");
    let whose =
        found.tenant.as_ref().map(|tenant| format!(" of tenant {}", plain(tenant.as_str()))).unwrap_or_default();
    let mean = format!("{} an object (mean of {objects}{whose})", size(found.mean_bytes));
    match found.estimated_bytes {
        Some(bytes) => format!("about {} as JSON, {mean}", size(bytes)),
        None => mean,
    }
}

/// A tenant's state in plain words.
fn word(state: &TenantState) -> String {
    match state {
        TenantState::Hot => "active".into(),
        TenantState::Cold => "inactive".into(),
        TenantState::Frozen => "offloaded".into(),
        TenantState::Other(word) => plain(word),
    }
}

fn properties(properties: &[Property], columns: Option<usize>) -> Option<String> {
    let row = |property: &Property| {
        let arrow = if property.reference { "-> " } else { "" };
        vec![
            plain(&property.path),
            format!("{arrow}{}", listed(&property.types)),
            property.tokenization.as_deref().map_or_else(dash, plain),
            if property.indexes.is_empty() { dash() } else { property.indexes.join(", ") },
        ]
    };
    let headers = ["Property", "Type", "Tokenization", "Indexes"];
    (!properties.is_empty()).then(|| table(&headers, &[], properties.iter().map(row), columns))
}

fn vectors(vectors: &[Vector], columns: Option<usize>) -> Option<String> {
    let or_dash = |text: &Option<String>| text.as_deref().map_or_else(dash, plain);
    let row = |vector: &Vector| {
        let remark = match (vector.named, vector.multi) {
            (false, _) => " (unnamed)",
            (true, true) => " (multi)",
            (true, false) => "",
        };
        vec![
            format!("{}{remark}", plain(&vector.name)),
            or_dash(&vector.vectorizer),
            vector.index_type.as_deref().map_or_else(|| "not indexed".into(), plain),
            or_dash(&vector.distance),
            or_dash(&vector.quantizer),
            dimensions(vector),
        ]
    };
    let headers = ["Vector", "Vectorizer", "Index", "Distance", "Quantizer", "Dimensions"];
    (!vectors.is_empty()).then(|| table(&headers, &[5], vectors.iter().map(row), columns))
}

fn dimensions(vector: &Vector) -> String {
    match &vector.dimensions {
        None => dash(),
        Some(found) if found.seen.is_empty() => "none seen".into(),
        Some(found) => found.seen.iter().map(|n| count(*n)).collect::<Vec<_>>().join(" or "),
    }
}

/// Tenants by state; the first ones by name.
fn tenants(shown: &Shown, columns: Option<usize>) -> Option<String> {
    let states: BTreeSet<&TenantState> = shown.tenants_each.iter().map(|tenant| &tenant.state).collect();
    let rows = states.into_iter().flat_map(|state| {
        let all: Vec<&OneTenant> = shown.tenants_each.iter().filter(|tenant| tenant.state == *state).collect();
        let more = all.len().saturating_sub(TENANTS);
        let row = |tenant: &&OneTenant| {
            let objects = tenant.objects.map_or_else(|| "unknown".into(), count);
            vec![plain(tenant.name.as_str()), word(state), objects]
        };
        let rest = (more > 0).then(|| vec![format!("… {} more", count(more as u64)), word(state), String::new()]);
        all.iter().take(TENANTS).map(row).chain(rest).collect::<Vec<_>>()
    });
    (!shown.tenants_each.is_empty()).then(|| table(&["Tenant", "State", "Objects"], &[2], rows, columns))
}

fn shards(shown: &Shown, columns: Option<usize>) -> Option<String> {
    let all = shown.shards_each.as_ref().filter(|shards| !shards.is_empty())?;
    let row = |shard: &ShardState| {
        let nodes = shard.nodes.iter().flatten().map(|(node, status)| format!("{} {}", plain(node), plain(status)));
        let nodes: Vec<String> = nodes.collect();
        vec![
            plain(&shard.name),
            shard.status.as_deref().filter(|s| !s.is_empty()).map_or_else(|| "no answer".into(), plain),
            if nodes.is_empty() { dash() } else { nodes.join(", ") },
        ]
    };
    let more = all.len().saturating_sub(SHARDS);
    let rest = (more > 0).then(|| vec![format!("… {} more", count(more as u64)), String::new(), String::new()]);
    let rows = all.iter().take(SHARDS).map(row).chain(rest);
    Some(table(&["Shard", "Status", "By node"], &[], rows, columns))
}
