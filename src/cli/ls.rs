//! `col ls`: flags in, operation, a table or a document out.

pub(super) mod flags;

use std::process::ExitCode;

use self::flags::LsArgs;
use super::args::ConnectionArgs;
use super::explain::{Verb, explain};
use super::runtime::read;
use super::{Connect, Env, Failure, Out};
use crate::model::Selection;
use crate::ops::inventory::{self, CountDoubt, CountState, Listed, Listing, Nodes, Objects};
use crate::render::{count, counted, plain, table};

/// Collections whose count is not certain that are named one by one.
const REASONS: usize = 5;

pub(super) fn run(args: &LsArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let connect = Connect::resolve(connection, env)?;
    let selection = Selection { take: args.collections.clone(), exclude: Vec::new() };
    let listing = read(out, async |events| {
        let client = connect.client(Verb::List, &events)?;
        let listing = inventory::list(&client, &selection).await.map_err(|e| explain(Verb::List, &e))?;
        listing.taken.iter().cloned().for_each(|taken| events.warn(taken));
        Ok(listing)
    })?;
    let about = listing.collections.iter().map(|one| (one.name.as_str(), &one.objects));
    if listing.is_partial {
        out.note("warning: the key's roles show it only some collections (read_collections), and any others are not listed\n");
    }
    if listing.collections.is_empty() && !listing.is_partial {
        out.note("warning: no collection is listed: the server has none, or the key's roles show it none (read_collections)\n");
    }
    out.note(&warnings(&listing.topology, about));
    if out.json() {
        out.document(&listing)?;
    } else {
        out.text(&text(&listing, out.columns()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is not as it should be: the server first, then the collections that could not be counted.
pub(super) fn warnings<'a>(topology: &Nodes, collections: impl Iterator<Item = (&'a str, &'a Objects)>) -> String {
    let mut lines = Vec::new();
    match topology {
        Nodes::Whole { .. } => {}
        Nodes::Broken { reason } => {
            lines.push(format!("part of the server is away, so counts may be too low: {}", plain(reason)));
        }
        Nodes::Unchecked { reason } => {
            lines.push(format!("cannot ask whether every node of the server is there: {}", plain(reason)));
        }
    }
    // What the server said once need not be said of every collection.
    let known = |objects: &&Objects| match objects.count {
        CountState::Exact | CountState::ActiveTenants => false,
        CountState::Unchecked => matches!(topology, Nodes::Whole { .. }),
        CountState::Unknown => true,
    };
    let uncertain: Vec<_> = collections.filter(|(_, objects)| known(objects)).collect();
    for (name, objects) in uncertain.iter().take(REASONS) {
        let state = if objects.count == CountState::Unknown { "not counted" } else { "count unchecked" };
        let why = objects.count_reason.as_ref().map(|why| format!(": {}", plain(&doubt(why)))).unwrap_or_default();
        lines.push(format!("{}: {state}{why}", plain(name)));
    }
    let more = uncertain.len().saturating_sub(REASONS);
    if more > 0 {
        lines.push(format!(
            "the same for {}; --json names each with its reason",
            counted(more as u64, "more collection")
        ));
    }
    lines.iter().flat_map(|line| ["warning: ", line, "\n"]).collect()
}

/// Why a count is not exact, as a clause.
fn doubt(doubt: &CountDoubt) -> String {
    match doubt {
        CountDoubt::NotCounted { reason } => reason.clone(),
        CountDoubt::NoAnswer { seconds } => format!("no answer in {seconds} s"),
        CountDoubt::TenantsNotListed { reason } => format!("its tenants are not listed: {reason}"),
        CountDoubt::TenantsHidden => {
            "the key's roles show it only some of the tenants, or none (read_tenants)".to_owned()
        }
        CountDoubt::Away { reason } => format!("part of the server is away: {reason}"),
        CountDoubt::MayBeAway { reason } => format!("it is not known whether every node was there: {reason}"),
        CountDoubt::TenantsNotCounted { tenants, active, why } => {
            format!("{tenants} of {active} active tenants were not counted: {}", self::doubt(why))
        }
        CountDoubt::TenantsNotActive { tenants, total } => format!("{tenants} of {total} tenants are not active"),
    }
}

fn text(listing: &Listing, columns: Option<usize>) -> String {
    let headers = ["Collection", "Objects", "Tenants", "Vectors", "Index", "Shards", "Replicas"];
    table(&headers, &[1, 5, 6], listing.collections.iter().map(row), columns)
}

fn row(one: &Listed) -> Vec<String> {
    vec![
        plain(one.name.as_str()),
        number(&one.objects),
        tenants(one),
        listed(&one.vectors),
        listed(&one.index_types),
        one.shards.map_or_else(dash, |shards| count(shards.into())),
        count(one.replicas.into()),
    ]
}

/// The objects, with what the number is where it is not simply all of them.
pub(super) fn number(objects: &Objects) -> String {
    match (objects.objects_seen, objects.count) {
        (None, _) | (_, CountState::Unknown) => "unknown".into(),
        (Some(seen), CountState::Exact) => count(seen),
        (Some(seen), CountState::ActiveTenants) => format!("{} in active tenants", count(seen)),
        (Some(seen), CountState::Unchecked) => format!("{} (unchecked)", count(seen)),
    }
}

fn tenants(one: &Listed) -> String {
    match &one.tenants {
        Some(tenants) if tenants.not_hot == 0 => count(tenants.total),
        Some(tenants) => format!("{} ({} not active)", count(tenants.total), count(tenants.not_hot)),
        None if one.multi_tenant => "unknown".into(),
        None => dash(),
    }
}

/// What stands where there is nothing to say.
pub(super) fn dash() -> String {
    "–".into()
}

/// Values of the server in one cell.
pub(super) fn listed(values: &[String]) -> String {
    if values.is_empty() { dash() } else { values.iter().map(|v| plain(v)).collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests;
