//! A plan of `col create` in words: before the question, and as the result of a dry run.

use std::fmt::Write;

use crate::cli::{closing, rehearsal};
use crate::event::Op;
use crate::ops::create::CreationPlan;
use crate::render::{count, plain, remark};
use crate::weaviate::TenantState;

/// Properties and vectors listed one by one.
const LISTED: usize = 50;
/// What a document leaves to the server.
const SERVERS_CHOICE: &str = "the server's choice";

/// All of it: server and collection.
pub(super) fn text(plan: &CreationPlan) -> String {
    let server = closing::server(&plan.url, &plan.server_version);
    let mut text = format!("{:<12}{server}\n", "Server");
    if let Some(why) = &plan.topology_unchecked {
        let unchecked = plain(&format!("whether every node of the server is there: {why}"));
        // A String takes every write.
        let _ = writeln!(text, "{:<12}{unchecked}", "Unchecked");
    }
    format!("{text}\n{}\n", collection(plan))
}

/// The collection: what it will hold and how, and what will be different.
pub(super) fn collection(plan: &CreationPlan) -> String {
    let shape = &plan.shape;
    let mut lines: Vec<(&str, String)> = Vec::new();
    lines.extend(listed(&shape.properties, |(name, kind)| format!("{name} {kind}")).map(|line| ("properties", line)));
    let vector = |(name, index, vectorizer): &(String, Option<String>, Option<String>)| {
        let index = index.as_deref().unwrap_or(SERVERS_CHOICE);
        let vectorizer = vectorizer.as_deref().unwrap_or(SERVERS_CHOICE);
        format!("{name}: index {index}, vectorizer {vectorizer}")
    };
    lines.extend(listed(&shape.vectors, vector).map(|line| ("vectors", line)));
    lines.extend(shape.replicas.map(|replicas| ("replicas", count(replicas))));
    lines.extend(shape.shards.filter(|_| !shape.multi_tenant).map(|shards| ("shards", count(shards))));
    if shape.multi_tenant {
        let inactive = plan.tenants.iter().filter(|tenant| tenant.state == TenantState::Cold).count() as u64;
        let tenants = match (plan.tenants.len() as u64, inactive) {
            (0, _) => "none yet".into(),
            (all, 0) => count(all),
            (all, inactive) => format!("{}, {} of them inactive", count(all), count(inactive)),
        };
        lines.push(("tenants", tenants));
    }
    let notes = plan.remarks.iter().map(|fact| remark(Op::Create, fact)).chain(rehearsal::clause(plan.rehearsed));
    lines.extend(notes.map(|note| ("note", note)));
    let mut text = format!("  {}\n", plan.name);
    let mut before = "";
    for (label, line) in lines {
        let shown = if label == before { "" } else { label };
        let _ = writeln!(text, "      {shown:<12}{}", plain(&line));
        before = label;
    }
    text
}

fn listed<T>(all: &[T], words: impl Fn(&T) -> String) -> impl Iterator<Item = String> {
    let more = all.len().saturating_sub(LISTED) as u64;
    let lines: Vec<String> = all.iter().take(LISTED).map(words).collect();
    lines.into_iter().chain((more > 0).then(|| format!("and {} more", count(more))))
}
