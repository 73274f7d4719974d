//! A plan of `col restore` in words: before the question, and as the result of a dry run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use crate::archive::Content;
use crate::cli::words::restore_refusal;
use crate::cli::{closing, rehearsal};
use crate::event::{Op, PlannedMerge, PlannedThere};
use crate::ops::restore::{ArchiveFacts, CollectionRestore, PlannedRole, RestorePlan};
use crate::render::{count, counted, date, plain, remark, schema_difference, shell_path, size, span};

/// Collections listed one by one; of the others only those that something stands against or that have to be weighed.
const COLLECTIONS_LISTED: usize = 50;
/// Aliases listed one by one.
const ALIASES_LISTED: usize = 50;
/// Different remarks about the others that are told apart, and those of them that are listed.
const REMARKS_KEPT: usize = 200;
const REMARKS_LISTED: usize = 10;

/// How much longer than a backup a restore takes: measured on servers from 1.24 to 1.40, by the index of the vectors.
const LONGER: &str = "restores took 4 to 14 (flat) and 15 to 43 (hnsw) times as long, as the server builds its index";

/// All of it: server, archive and collections.
pub(super) fn text(plan: &RestorePlan) -> String {
    let mut text = String::new();
    let mut facts =
        vec![("Server", closing::server(&plan.url, &plan.server_version)), ("Archive", shell_path(&plan.archive))];
    let unchecked = plan.topology_unchecked.as_ref();
    facts.extend(
        unchecked.map(|why| ("Unchecked", plain(&format!("whether every node of the server is there: {why}")))),
    );
    for (label, fact) in facts {
        // A String takes every write.
        let _ = writeln!(text, "{label:<12}{fact}");
    }
    format!("{text}{}{}{}\n", about(plan), resumed_run(plan), collections(plan))
}

/// What the archive holds, how old it is, and how long the backup of it took.
pub(super) fn about(plan: &RestorePlan) -> String {
    let ArchiveFacts { sealed, content, collections, objects, bytes, .. } = plan.about;
    let collections = counted(collections as u64, "collection");
    let holds = match content {
        Content::SchemaOnly => format!("the schemas of {collections}, no objects"),
        Content::NoVectors => format!("{collections}, {}, {}, no vectors", counted(objects, "object"), size(bytes)),
        Content::Full => format!("{collections}, {}, {}", counted(objects, "object"), size(bytes)),
    };
    let sealed_at = date(sealed);
    let mut text = format!("{:<12}{sealed_at}{}, with {holds}\n", "Sealed", ago(plan));
    if let Some(took) = plan.backup_took() {
        let restored: u64 = plan.collections.iter().map(|planned| planned.bytes).sum();
        let took = if took < Duration::from_secs(1) { "less than a second".to_owned() } else { span(took) };
        let line = format!("{} to send; its backup took {took}; {LONGER}", size(restored));
        // A String takes every write.
        let _ = writeln!(text, "{:<12}{line}", "Expect");
    }
    text + "\n"
}

/// How long ago the archive was sealed, in the largest unit that fits.
fn ago(plan: &RestorePlan) -> String {
    let seconds = plan.made.duration_since(plan.about.sealed).as_secs();
    let Ok(seconds) = u64::try_from(seconds) else { return String::new() };
    let (many, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!(", {} ago", counted(many, unit))
}

/// The run that is resumed, what is there of it, and what of that is not trusted; or that there is none.
pub(super) fn resumed_run(plan: &RestorePlan) -> String {
    let Some(carried) = &plan.resumes else {
        if !plan.refusals.is_empty() {
            return String::new();
        }
        let none = "  There is no unfinished run of this to resume: a new one begins.\n";
        return if plan.options.resume { none.to_owned() } else { String::new() };
    };
    if plan.options.merge.is_some() {
        return format!("  Resumes {}: all was compared with what is there now.\n", carried.run);
    }
    let (run, there, of) = (&carried.run, count(carried.objects), counted(carried.of, "object"));
    let mut text = format!("  Resumes {run}: {there} of {of} are there.\n");
    if carried.complete {
        let compare = if plan.options.verify { " and to compare" } else { "" };
        let _ = writeln!(text, "  It got to its end: nothing is left to do but to count{compare} once more.");
    }
    for (name, objects, reason) in &carried.again {
        let clause = plain(&format!("{name}: all of it is sent again, as {reason}"));
        // A String takes every write.
        let _ = writeln!(text, "  Not trusted, {}: {clause}", counted(*objects, "object"));
    }
    text
}

/// The collections, each with what will be different below it.
pub(super) fn collections(plan: &RestorePlan) -> String {
    let names = |p: &CollectionRestore| {
        let archived = Some(&p.archived).filter(|name| **name != p.target);
        archived.map_or_else(String::new, |name| format!("{name} -> ")) + p.target.as_str()
    };
    let longest = plan.collections.iter().map(|p| names(p).len()).max().unwrap_or(0).min(60);
    let (mut text, mut folded) = (String::new(), Folded::default());
    for (at, planned) in plan.collections.iter().enumerate() {
        let remarks = remarks(plan, planned);
        if at >= COLLECTIONS_LISTED && !weighs(plan, planned) {
            folded.add(remarks);
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
    text.push_str(&folded.text());
    for refusal in plan.refusals.iter().filter(|refusal| refusal.collection().is_none()) {
        let _ = writeln!(text, "  refused: {}", plain(&restore_refusal(refusal)));
    }
    for clause in rehearsal::clause(plan.rehearsed).into_iter().chain(keys_go_along(plan)) {
        let _ = writeln!(text, "  {}", plain(&clause));
    }
    for alias in plan.aliases.iter().take(ALIASES_LISTED) {
        let _ = writeln!(text, "  {}", plain(&remark(Op::Restore, &alias.remark().into())));
    }
    if let Some(more @ 1..) = plan.aliases.len().checked_sub(ALIASES_LISTED) {
        let _ = writeln!(text, "  … and {} more aliases; --json has all", count(more as u64));
    }
    for role in &plan.roles {
        let _ = writeln!(text, "  {}", plain(&remark(Op::Restore, &role.remark().into())));
        for allowed in role.allows() {
            let _ = writeln!(text, "      it allows {}", plain(&allowed.to_string()));
        }
    }
    text
}

/// Whether a collection is shown however many there are: something stands against it, or has to be weighed.
fn weighs(plan: &RestorePlan, planned: &CollectionRestore) -> bool {
    let refused = plan.refusals.iter().any(|refusal| refusal.collection() == Some(&planned.archived));
    refused || planned.to_vectorise > 0 || planned.refused_integers > 0 || !planned.endpoints.is_empty()
}

/// Collections that are not shown one by one, and what would be said of them.
#[derive(Default)]
struct Folded {
    collections: u64,
    remarks: BTreeMap<String, u64>,
    /// Remarks beyond those that are told apart.
    others: u64,
}

impl Folded {
    fn add(&mut self, remarks: Vec<String>) {
        self.collections += 1;
        for remark in remarks {
            if self.remarks.len() < REMARKS_KEPT || self.remarks.contains_key(&remark) {
                *self.remarks.entry(remark).or_default() += 1;
            } else {
                self.others += 1;
            }
        }
    }

    /// How many there are, and what is said of most of them.
    fn text(&self) -> String {
        if self.collections == 0 {
            return String::new();
        }
        let mut text = format!("  … and {} more; --json has all\n", count(self.collections));
        let mut remarks: Vec<(&String, u64)> = self.remarks.iter().map(|(remark, of)| (remark, *of)).collect();
        remarks.sort_by_key(|(_, of)| std::cmp::Reverse(*of));
        for (remark, of) in remarks.iter().take(REMARKS_LISTED) {
            // A String takes every write.
            let _ = writeln!(text, "      {} of them: {}", count(*of), plain(remark));
        }
        let unlisted = remarks.iter().skip(REMARKS_LISTED).map(|(_, of)| of).sum::<u64>() + self.others;
        if unlisted > 0 {
            let _ = writeln!(text, "      and {}", counted(unlisted, "other remark"));
        }
        text
    }
}

/// The headers of every request, where a module of the server may pass them on to who the archive names.
fn keys_go_along(plan: &RestorePlan) -> Option<String> {
    let anywhere = plan.collections.iter().flat_map(|p| &p.endpoints).filter(|endpoint| endpoint.anywhere);
    let places: BTreeSet<&str> = anywhere.map(|endpoint| endpoint.shown.as_str()).collect();
    let headers = &plan.options.key_headers;
    let to = places.into_iter().collect::<Vec<_>>().join(", ");
    (!headers.is_empty() && !to.is_empty())
        .then(|| format!("The headers {} go along: the server may pass them on to {to}", headers.join(", ")))
}

/// How many tenants there are, if any.
fn tenants(planned: &CollectionRestore) -> String {
    match planned.tenants {
        (0, _) => String::new(),
        (all, 0) => format!(", {}", counted(all, "tenant")),
        (all, inactive) => format!(", {} ({} inactive afterwards)", counted(all, "tenant"), count(inactive)),
    }
}

fn remarks(plan: &RestorePlan, planned: &CollectionRestore) -> Vec<String> {
    let mut remarks = refused(plan, planned);
    remarks.extend(planned.there.as_ref().map(there_now));
    remarks.extend(planned.merge.as_ref().map(met));
    remarks.extend(planned.remarks.iter().map(|fact| remark(Op::Restore, fact)));
    if planned.unread {
        remarks.push("its objects were not read: a dry run reads them, and says what they hold".to_owned());
    }
    if planned.refused_integers > 0 && !plan.options.clamp_ints {
        let objects = counted(planned.refused_integers, "object");
        remarks.push(format!("{objects} will be rejected for integers the server refuses; --clamp-ints changes those"));
    }
    remarks
}

/// What stands against a collection; that nothing does, where something stands against others.
fn refused(plan: &RestorePlan, planned: &CollectionRestore) -> Vec<String> {
    let about = format!("{}: ", planned.archived);
    let own = plan.refusals.iter().filter(|refusal| refusal.collection() == Some(&planned.archived));
    let own: Vec<String> = own
        .map(|refusal| {
            let text = restore_refusal(refusal);
            format!("refused: {}", text.strip_prefix(&about).unwrap_or(&text))
        })
        .collect();
    if own.is_empty() && !plan.refusals.is_empty() {
        return vec!["nothing stands against it".to_owned()];
    }
    own
}

/// How its objects meet those that are there.
fn met(merge: &PlannedMerge) -> String {
    let PlannedMerge { new, equal, different, replaced, only_on_server } = *merge;
    let replaced = match replaced {
        0 => String::new(),
        all if all == different => " (replaced)".to_owned(),
        some => format!(" ({} replaced, the others stay)", count(some)),
    };
    format!(
        "merge: {} new, {} equal, {} different{replaced}, {} only on the server",
        count(new),
        count(equal),
        count(different),
        count(only_on_server)
    )
}

/// What stands on the server in its place.
fn there_now(there: &PlannedThere) -> String {
    let objects = there.objects.map_or_else(|| "objects not counted".to_owned(), |n| counted(n, "object"));
    let tenants = there.tenants.map(|tenants| format!(" in {}", counted(tenants, "tenant"))).unwrap_or_default();
    let inactive = there.inactive_tenants.filter(|inactive| *inactive > 0);
    let inactive = inactive.map(|inactive| format!(" ({} inactive, not counted)", count(inactive))).unwrap_or_default();
    let schema = match there.schema_differs.as_slice() {
        [] => "its schema is the archive's".to_owned(),
        differs => {
            let differs =
                differs.iter().map(|differs| schema_difference(Op::Restore, differs)).collect::<Vec<_>>().join("; ");
            format!("its schema is another one: {differs}")
        }
    };
    let aliases = match there.aliases.as_slice() {
        [] => String::new(),
        [one] => format!("; alias {one}"),
        many => format!("; aliases {}", many.join(", ")),
    };
    let unseen =
        if there.aliases_unseen { format!("; {}", closing::unseen_aliases(&there.aliases)) } else { String::new() };
    format!("there now: {} with {objects}{tenants}{inactive}; {schema}{aliases}{unseen}", there.name)
}

/// One line before a run that asks nobody.
pub(super) fn headline(plan: &RestorePlan) -> String {
    let objects = if plan.options.data {
        counted(plan.collections.iter().map(|p| p.objects).sum(), "object")
    } else {
        "the schemas alone".into()
    };
    let archive = shell_path(&plan.archive);
    let restoring = format!("Restoring {} into {}, {objects}, from {archive}\n", many(plan), plain(&plan.url));
    restoring + &resumed_run(plan)
}

/// The question about roles that are to be looked at twice, if there are any.
pub(super) fn question_of_roles(plan: &RestorePlan) -> Option<String> {
    let marked = |role: &&PlannedRole| role.allows().iter().any(|allowed| !allowed.marks.is_empty());
    let names: Vec<&str> = plan.roles.iter().filter(marked).map(|role| role.name.as_str()).collect();
    let names = names.join(", ");
    (!names.is_empty()).then(|| plain(&format!("Create roles that allow what is marked with ! above ({names})?")))
}

/// The questions about collections of which objects are replaced, each with the name to be typed.
pub(super) fn questions_of_replacing(plan: &RestorePlan) -> Vec<(String, String)> {
    let replaced = |p: &CollectionRestore| {
        let objects = p.merge.map(|merge| merge.replaced).filter(|objects| *objects > 0)?;
        let text = format!("Replace {} in {}? Type the collection's name", counted(objects, "object"), p.target);
        Some((plain(&text), p.target.to_string()))
    };
    plan.collections.iter().filter_map(replaced).collect()
}

/// The question.
pub(super) fn question(plan: &RestorePlan) -> String {
    match &plan.resumes {
        Some(carried) => plain(&format!("Resume {} into {}?", carried.run, plan.url)),
        None => plain(&format!("Restore {} into {}?", many(plan), plan.url)),
    }
}

fn many(plan: &RestorePlan) -> String {
    counted(plan.collections.len() as u64, "collection")
}
