//! A plan of `col rm` in words: before the questions, and as the result of a dry run.

use std::fmt::Write;

use crate::cli::clear::plan::in_tenants;
use crate::cli::{closing, held};
use crate::ops::remove::{CollectionRemoval, RemovalPlan};
use crate::ops::safety;
use crate::render::{count, counted, plain, shell_path};
use crate::weaviate::Count;

/// References and aliases of a collection listed one by one.
const LISTED: usize = 10;

/// All of it: server, collections, and where schemas are saved.
pub(super) fn text(plan: &RemovalPlan) -> String {
    let mut text = String::new();
    let saved = shell_path(plan.options.folder.join(safety::FOLDER));
    let mut facts = vec![
        ("Server", closing::server(&plan.url, &plan.server_version)),
        ("Saves", format!("the schemas in {saved}, no objects")),
    ];
    let unchecked = plan.topology_unchecked.as_ref();
    facts.extend(
        unchecked.map(|why| ("Unchecked", plain(&format!("whether every node of the server is there: {why}")))),
    );
    for (label, fact) in facts {
        // A String takes every write.
        let _ = writeln!(text, "{label:<12}{fact}");
    }
    format!("{text}\n{}\n", collections(plan))
}

/// The collections, each with what hangs on it below it.
pub(super) fn collections(plan: &RemovalPlan) -> String {
    let longest = plan.collections.iter().map(|p| p.standing.name().as_str().len()).max().unwrap_or(0).min(60);
    let mut text = String::new();
    for planned in &plan.collections {
        let _ = writeln!(text, "  {:<longest$}  {}", planned.standing.name().as_str(), what(planned));
        for remark in remarks(planned) {
            let _ = writeln!(text, "      {}", plain(&remark));
        }
    }
    text
}

fn what(planned: &CollectionRemoval) -> String {
    let standing = &planned.standing;
    let objects = match &standing.objects {
        Count::Exact(objects) => counted(*objects, "object"),
        Count::Unknown { .. } => "objects not counted".into(),
    };
    let Some(tenants) = &standing.tenants else { return objects };
    in_tenants(&objects, tenants.len() as u64, standing.inactive())
}

fn remarks(planned: &CollectionRemoval) -> Vec<String> {
    let standing = &planned.standing;
    let mut remarks = Vec::new();
    if standing.inactive() > 0 {
        let inactive = counted(standing.inactive(), "tenant");
        remarks.push(format!("not counted, and removed too: {inactive} not active"));
    }
    remarks.push(held::line(standing.held_in.as_ref()));
    let reference = |(from, property): &(_, String)| format!("{from}.{property} refers to it, and will dangle");
    let alias = |alias: &String| format!("the alias {alias} stands for it, and will stand for nothing");
    remarks.extend(listed(&standing.referenced_by, reference));
    remarks.extend(listed(&standing.aliases, alias));
    remarks.extend(standing.aliases_unseen.then(|| closing::unseen_aliases(&standing.aliases)));
    remarks
}

fn listed<T>(all: &[T], words: impl Fn(&T) -> String) -> Vec<String> {
    let mut lines: Vec<String> = all.iter().take(LISTED).map(words).collect();
    if let Some(more @ 1..) = all.len().checked_sub(LISTED) {
        lines.push(format!("so do {} more", count(more as u64)));
    }
    lines
}

/// One line before a run that asks nobody.
pub(super) fn headline(plan: &RemovalPlan) -> String {
    let many = counted(plan.collections.len() as u64, "collection");
    let objects = plan.objects().map(|objects| format!(", {}", counted(objects, "object"))).unwrap_or_default();
    plain(&format!("Removing {many}{objects} from {}", plan.url)) + "\n"
}
