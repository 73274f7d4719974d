//! A plan of `col restore` in words: before the question, and as the result of a dry run.

use std::fmt::Write;

use crate::archive::Content;
use crate::cli::closing;
use crate::ops::restore::{Plan, Planned, PlannedAlias, PlannedRole};
use crate::render::{count, counted, plain, shell_path, size};

/// Collections without remarks listed one by one.
const COLLECTIONS_LISTED: usize = 50;

/// All of it: server, archive and collections.
pub(super) fn text(plan: &Plan) -> String {
    let mut text = String::new();
    let mut facts = vec![
        ("Server", plain(&closing::server(&plan.url, &plan.server_version))),
        ("Archive", shell_path(&plan.archive)),
    ];
    let unchecked = plan.topology_unchecked.as_ref();
    facts.extend(
        unchecked.map(|why| ("Unchecked", plain(&format!("whether every node of the server is there: {why}")))),
    );
    for (label, fact) in facts {
        // A String takes every write.
        let _ = writeln!(text, "{label:<12}{fact}");
    }
    format!("{text}\n{}{}\n", carried_on(plan), collections(plan))
}

/// The run that is carried on, what is there of it, and what of that is not trusted; or that there is none.
pub(super) fn carried_on(plan: &Plan) -> String {
    let Some(carried) = &plan.carries_on else {
        if !plan.refusals.is_empty() {
            return String::new();
        }
        let none = "  There is no unfinished run of this to carry on: a new one is begun.\n";
        return if plan.options.resume { none.to_owned() } else { String::new() };
    };
    let (run, there, of) = (&carried.run, count(carried.objects), counted(carried.of, "object"));
    let mut text = format!("  Carries on {run}: {there} of {of} are there.\n");
    if carried.complete {
        text.push_str("  It got to its end: nothing is left to do but to count once more.\n");
    }
    for (name, objects, reason) in &carried.again {
        let clause = plain(&format!("{name}: all of it is sent again, as {reason}"));
        // A String takes every write.
        let _ = writeln!(text, "  Not trusted, {}: {clause}", counted(*objects, "object"));
    }
    text
}

/// The collections, each with what will be different below it.
pub(super) fn collections(plan: &Plan) -> String {
    let names = |p: &Planned| {
        let archived = Some(&p.archived).filter(|name| **name != p.target);
        archived.map_or_else(String::new, |name| format!("{name} -> ")) + p.target.as_str()
    };
    let longest = plan.collections.iter().map(|p| names(p).len()).max().unwrap_or(0).min(60);
    let (mut text, mut unlisted) = (String::new(), 0);
    for (at, planned) in plan.collections.iter().enumerate() {
        let remarks = remarks(plan, planned);
        if at >= COLLECTIONS_LISTED && remarks.is_empty() {
            unlisted += 1;
            continue;
        }
        let what = match (plan.options.data, planned.content) {
            (false, _) | (_, Content::SchemaOnly) => "the schema alone".into(),
            (true, _) => format!("{}, {}", counted(planned.objects, "object"), size(planned.bytes)),
        };
        let what = what + &tenants(planned);
        let _ = writeln!(text, "  {:<longest$}  {what}", names(planned));
        for remark in remarks {
            let _ = writeln!(text, "      {}", plain(&remark));
        }
    }
    if unlisted > 0 {
        let _ = writeln!(text, "  … and {} more", count(unlisted));
    }
    let beside = plan.aliases.iter().map(PlannedAlias::clause).chain(plan.roles.iter().map(PlannedRole::clause));
    for clause in beside {
        let _ = writeln!(text, "  {}", plain(&clause));
    }
    text
}

/// How many tenants there are, if any.
fn tenants(planned: &Planned) -> String {
    match planned.tenants {
        (0, _) => String::new(),
        (all, 0) => format!(", {}", counted(all, "tenant")),
        (all, asleep) => format!(", {} ({} asleep afterwards)", counted(all, "tenant"), count(asleep)),
    }
}

fn remarks(plan: &Plan, planned: &Planned) -> Vec<String> {
    let mut remarks = planned.remarks.clone();
    if planned.refused_integers > 0 && !plan.options.clamp_ints {
        let objects = counted(planned.refused_integers, "object");
        remarks.push(format!("{objects} will be rejected for integers the server refuses; --clamp-ints changes those"));
    }
    remarks
}

/// One line before a run that asks nobody.
pub(super) fn headline(plan: &Plan) -> String {
    let objects = if plan.options.data {
        counted(plan.collections.iter().map(|p| p.objects).sum(), "object")
    } else {
        "the schemas alone".into()
    };
    let archive = shell_path(&plan.archive);
    let restoring = format!("Restoring {} into {}, {objects}, from {archive}\n", many(plan), plain(&plan.url));
    restoring + &carried_on(plan)
}

/// The question.
pub(super) fn question(plan: &Plan) -> String {
    match &plan.carries_on {
        Some(carried) => plain(&format!("Carry on {} into {}?", carried.run, plan.url)),
        None => plain(&format!("Restore {} into {}?", many(plan), plan.url)),
    }
}

fn many(plan: &Plan) -> String {
    counted(plan.collections.len() as u64, "collection")
}
