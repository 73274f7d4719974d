//! A plan of `col clear` in words: before the questions, and as the result of a dry run.

use std::fmt::Write;

use crate::cli::words::why_method;
use crate::cli::{closing, held, rehearsal};
use crate::event::Op;
use crate::ops::clear::{ClearPlan, CollectionClear, Method};
use crate::ops::safety;
use crate::render::{count, counted, plain, remark, shell_path};
use crate::weaviate::Count;

/// References, aliases and tenants of a collection listed one by one.
const LISTED: usize = 10;

/// All of it: server, collections, and where schemas are saved.
pub(super) fn text(plan: &ClearPlan) -> String {
    let mut text = String::new();
    let mut facts = vec![("Server", closing::server(&plan.url, &plan.server_version))];
    if plan.collections.iter().any(|p| !p.is_empty() && p.is_saved()) {
        let saved = shell_path(plan.options.folder.join(safety::FOLDER));
        facts.push(("Saves", format!("the schemas in {saved}, no objects")));
    }
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

/// The collections, each with how it is emptied and what hangs on it below it.
pub(super) fn collections(plan: &ClearPlan) -> String {
    let longest = plan.collections.iter().map(|p| p.name().as_str().len()).max().unwrap_or(0).min(60);
    let mut text = String::new();
    for planned in &plan.collections {
        let _ = writeln!(text, "  {:<longest$}  {}", planned.name().as_str(), what(planned));
        for remark in remarks(planned) {
            let _ = writeln!(text, "      {}", plain(&remark));
        }
    }
    text
}

/// The collection, or the tenants of it, in a question.
pub(super) fn subject(planned: &CollectionClear) -> String {
    let tenants = planned.tenants.as_deref().unwrap_or_default();
    match tenants {
        [one] if planned.some_tenants => format!("tenant {} of {}", one.name, planned.name()),
        _ if planned.some_tenants => format!("{} of {}", counted(tenants.len() as u64, "tenant"), planned.name()),
        _ => planned.name().to_string(),
    }
}

fn what(planned: &CollectionClear) -> String {
    if planned.is_empty() {
        return "empty already".into();
    }
    let objects = match &planned.objects {
        Count::Exact(objects) => counted(*objects, "object"),
        Count::Unknown { .. } => "objects not counted".into(),
    };
    let Some(tenants) = &planned.tenants else { return objects };
    in_tenants(&objects, tenants.len() as u64, planned.inactive())
}

/// Objects of the tenants that are active; the others cannot be counted.
pub(in crate::cli) fn in_tenants(objects: &str, tenants: u64, inactive: u64) -> String {
    match (tenants - inactive, inactive) {
        (_, 0) => format!("{objects} in {}", counted(tenants, "tenant")),
        (0, _) => format!("objects not counted in {}", counted(inactive, "inactive tenant")),
        (active, _) => format!("{objects} in {} of {}", counted(active, "active tenant"), count(tenants)),
    }
}

fn remarks(planned: &CollectionClear) -> Vec<String> {
    let standing = &planned.standing;
    let mut remarks = Vec::new();
    if planned.is_empty() {
        return remarks;
    }
    if let Some(unfinished) = &planned.unfinished {
        let from = shell_path(&unfinished.archive);
        let there =
            if planned.exists { "what is there now was created by auto-schema: it is dropped" } else { "it is gone" };
        remarks.push(format!("an earlier run dropped it and did not finish; {there}, and it is created from {from}"));
    } else {
        let way = match (planned.method, planned.some_tenants) {
            (Method::Recreate, false) => "dropped and created again",
            (Method::Recreate, true) => "the tenants are removed and created again",
            (Method::Delete, _) => "the objects are deleted by their ids",
        };
        remarks.push(format!("{way}: {}", why_method(&planned.why)));
    }
    remarks.extend(rehearsal::clause(planned.rehearsed));
    if planned.may_stay_dropped() {
        let name = planned.name();
        remarks.push(format!(
            "no rehearsal shows it: an alias that differs from {name} in case alone, which the key may not see (read_aliases), \
             would keep {name} from being created again until it is removed"
        ));
    }
    if !planned.missing.is_empty() {
        let names: Vec<&str> = planned.missing.iter().take(LISTED).map(|t| t.name.as_str()).collect();
        let many = counted(planned.missing.len() as u64, "tenant");
        remarks.push(format!(
            "an earlier run removed {many} and did not finish: created again, empty: {}",
            names.join(", ")
        ));
    }
    if planned.some_tenants {
        let names: Vec<&str> = planned.tenants.iter().flatten().take(LISTED).map(|t| t.name.as_str()).collect();
        remarks.push(format!("tenants: {}", names.join(", ")));
    }
    if planned.inactive() > 0 {
        let inactive = counted(planned.inactive(), "tenant");
        let how = if planned.method == Method::Delete { ", removed and created again" } else { "" };
        remarks.push(format!("not counted, and emptied too: {inactive} not active{how}"));
    }
    remarks.extend(planned.loses.iter().map(|loss| format!("not as before: {}", remark(Op::Clear, loss))));
    remarks.push(held::line(standing.held_in.as_ref()));
    let references = standing.referenced_by.iter().take(LISTED);
    remarks.extend(references.map(|(from, property)| format!("{from}.{property} refers to it, and will dangle")));
    if let Some(more @ 1..) = standing.referenced_by.len().checked_sub(LISTED) {
        remarks.push(format!("so do {} more", count(more as u64)));
    }
    if !standing.aliases.is_empty() {
        let names = standing.aliases.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
        remarks.push(format!("stays as it is: alias {names}"));
    }
    remarks.extend(standing.aliases_unseen.then(|| closing::unseen_aliases(&standing.aliases)));
    remarks
}

/// One line before a run that asks nobody.
pub(super) fn headline(plan: &ClearPlan) -> String {
    let many = counted(plan.collections.len() as u64, "collection");
    let objects: Option<u64> = plan.collections.iter().map(CollectionClear::all_objects).sum();
    let objects = objects.map(|objects| format!(", {}", counted(objects, "object"))).unwrap_or_default();
    plain(&format!("Emptying {many}{objects} on {}", plan.url)) + "\n"
}
