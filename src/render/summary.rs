//! The closing words of a run: what was done, where it is, what is missing, what to do next.

use std::fmt::Write;
use std::time::Duration;

use super::words;
use crate::event::{CollectionResult, Op, RateLimit, RunResult, Status};
use crate::model::{CollectionName, Reason, shell_text};

/// Collections listed one by one; the rest is in the manifest.
const COLLECTIONS_LISTED: usize = 20;
/// Remarks of one kind listed one by one.
const REMARKS_LISTED: usize = 20;

/// Reasons of refused objects listed one by one.
const REASONS_LISTED: usize = 5;

/// A remark about one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The collection, or another thing it is about.
    pub about: String,
    /// The remark, as a clause.
    pub text: String,
}

/// What the summary says beyond the result itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Closing {
    /// Nothing was done, the result is what would be.
    pub dry_run: bool,
    /// The archive was sealed before the run: nothing was done.
    pub sealed_already: bool,
    /// No objects were wanted, only schemas.
    pub schemas_only: bool,
    /// The server, without credentials, with its version.
    pub server: Option<String>,
    /// Bytes on disk, all files of the archive together.
    pub stored_bytes: Option<u64>,
    /// Where a dry run would put the archive.
    pub would_be: Option<String>,
    /// Bytes free in the folder of archives, where a dry run says so.
    pub free_bytes: Option<u64>,
    /// Why it is not known whether the server was whole; `None` where it was asked.
    pub topology_unchecked: Option<String>,
    /// What changed meanwhile, beyond the number in `changed_seen`.
    pub changes: Vec<Note>,
    /// What can never be kept.
    pub limits: Vec<Note>,
    /// What exists and was left out.
    pub skipped: Vec<Note>,
    /// What is kept in part.
    pub incomplete: Vec<Note>,
    /// Collections whose objects the server did not count.
    pub counts: Vec<Note>,
    /// What was found about replicas.
    pub replicas: Vec<Note>,
    /// The number of objects is not known, or not that of every collection.
    pub uncounted: bool,
    /// Class documents that were saved, by collection.
    pub schemas: Vec<Note>,
    /// The plan of a dry run in full, in place of the table.
    pub plan: Option<String>,
    /// The file that lists the objects the server refused.
    pub rejected: Option<String>,
    /// The objects that are missing are the ones that the server refused.
    pub missing_are_rejected: bool,
    /// What a restore could not write back, as `Collection.property`: it is in no comparison.
    pub unwritten: Vec<String>,
    /// The directory of the run's files.
    pub run_files: Option<String>,
    /// Objects that differ, by collection and id: all of them are listed.
    pub differences: Vec<Note>,
    /// What follows them: how many are not listed, and how to see more.
    pub more_differences: Option<String>,
    /// How schemas differ.
    pub schema_differences: Vec<Note>,
    /// What else is to be known: what is not as it was, what was not compared.
    pub notes: Vec<Note>,
    /// Commands to go on with.
    pub next: Vec<String>,
}

/// The summary as text; ends with a line break.
#[must_use]
pub fn summary(result: &RunResult, closing: &Closing) -> String {
    let mut text = headline(result, closing);
    match &closing.plan {
        Some(plan) => text = text + plan + "\n",
        None if closing.schemas_only => text.push_str(&schemas(&result.collections)),
        None if is_of_wholes(result.op) => {}
        None => text.push_str(&table(&result.collections, closing.dry_run)),
    }
    let mut facts: Vec<(&str, String)> = Vec::new();
    facts.extend(closing.server.iter().map(|server| ("Server", words::plain(server))));
    facts.extend(
        result
            .archive
            .iter()
            .filter(|_| result.op == Op::Restore || !closing.dry_run)
            .map(|path| ("Archive", archive(path, closing))),
    );
    facts.extend(closing.would_be.iter().map(|path| ("Would be", shell_text(path))));
    facts.extend(closing.free_bytes.map(|free| ("Free", words::size(free) + " on that disk")));
    if let [CollectionResult { digest: Some(digest), .. }] = result.collections.as_slice() {
        facts.push(("Digest", digest.clone()));
    }
    facts.extend(changed(&result.collections).map(|seen| ("Changed", seen)));
    facts.extend(
        closing
            .topology_unchecked
            .iter()
            .map(|why| ("Unchecked", format!("whether every node of the server was there: {}", words::plain(why)))),
    );
    if result.retries > 0 {
        facts.push(("Retries", words::counted(result.retries, "request") + " sent again"));
    }
    if let Some(RateLimit { requests_per_second, turned_away }) = result.rate_limit {
        let turned_away = words::counted(turned_away, "request");
        let text = format!("about {requests_per_second:.0} requests/s; the server turned {turned_away} away (429)");
        facts.push(("Rate limit", text));
    }
    facts.extend(
        result
            .peak_memory_bytes
            .filter(|_| !closing.dry_run && !is_of_wholes(result.op))
            .map(|bytes| ("Memory", words::size(bytes) + " at most")),
    );
    facts.extend(rejected(result, closing).map(|refused| ("Rejected", refused)));
    facts.extend(reasons(&result.collections).into_iter().map(|reason| ("Reasons", reason)));
    facts.extend(compared(result, closing).map(|agrees| ("Compared", agrees)));
    let told = |(label, _): &(&str, String)| closing.missing_are_rejected && *label == "Missing";
    facts.extend(differing(&result.collections).filter(|fact| !told(fact)));
    facts.extend(closing.differences.iter().map(|differs| ("Differences", line(differs))));
    facts.extend(closing.more_differences.iter().map(|more| ("Differences", more.clone())));
    for (label, remarks) in [
        ("Schema", &closing.schemas),
        ("Schema", &closing.schema_differences),
        ("Note", &closing.notes),
        ("Counts", &closing.counts),
        ("Replicas", &closing.replicas),
        ("Changed", &closing.changes),
        ("Limits", &closing.limits),
        ("Skipped", &closing.skipped),
        ("Incomplete", &closing.incomplete),
    ] {
        facts.extend(listed(remarks).map(|remark| (label, remark)));
    }
    facts.extend(closing.run_files.iter().map(|path| ("Run files", shell_text(path))));
    let mut label_before = "";
    for (label, fact) in facts {
        let shown = if label == label_before { "" } else { label };
        // A String takes every write.
        let _ = writeln!(text, "{shown:<12}{fact}");
        label_before = label;
    }
    if !closing.next.is_empty() {
        let _ = writeln!(text, "\nNext: {}", closing.next.join("\n      "));
    }
    text
}

/// What a run came to that is not as it should be, and why, in one line; `None` if everything is.
#[must_use]
pub fn verdict(result: &RunResult, closing: &Closing) -> Option<String> {
    if result.status == Status::Ok {
        return None;
    }
    let headline = headline(result, closing).trim_end().to_owned();
    let mut parts = vec![headline[..1].to_lowercase() + &headline[1..]];
    parts.extend(rejected(result, closing).map(|refused| format!("rejected: {refused}")));
    parts.extend(differing(&result.collections).map(|(_, what)| what));
    parts.extend(closing.schema_differences.first().map(|first| format!("schemas differ: {}", line(first))));
    if parts.len() == 1 {
        let all = [
            &closing.incomplete,
            &closing.skipped,
            &closing.counts,
            &closing.replicas,
            &closing.changes,
            &closing.limits,
            &closing.notes,
        ];
        let mut remarks = all.into_iter().flatten();
        parts.extend(remarks.next().map(line));
        let more = remarks.count() as u64;
        parts.extend((more > 0).then(|| words::counted(more, "more remark") + " without -q"));
    }
    Some(parts.join("; "))
}

/// Whether collections are dealt with as a whole, not object by object.
fn is_of_wholes(op: Op) -> bool {
    matches!(op, Op::Rm | Op::Clear | Op::Create)
}

fn is_sample(result: &RunResult) -> bool {
    result.collections.iter().any(|collection| collection.sample_of.is_some())
}

/// That a restore was compared and found equal; findings have lines of their own. Without a digest something was left
/// out of the comparison on purpose, which has a line of its own as well.
fn compared(result: &RunResult, closing: &Closing) -> Option<String> {
    let agrees = |c: &CollectionResult| c.only_left.zip(c.only_right).zip(c.different) == Some(((0, 0), 0));
    let all = !result.collections.is_empty() && result.collections.iter().all(agrees);
    let exact = result.collections.iter().all(|collection| collection.digest.is_some());
    let what = if exact { "every object" } else { "what was compared" };
    let but = match closing.unwritten.as_slice() {
        [] => String::new(),
        [first] => format!(", but without the values of {first} (blobHash: no server takes them back)"),
        [first, rest @ ..] => {
            format!(", but without the values of {first} and {} more (blobHash: no server takes them back)", rest.len())
        }
    };
    (result.op == Op::Restore && result.status == Status::Ok && all)
        .then(|| format!("{what} is on the server as in the archive{but}"))
}

/// Whether objects of the archive are not on the server.
fn lacks_objects(result: &RunResult) -> bool {
    result.collections.iter().any(|collection| collection.rejected + collection.only_left.unwrap_or(0) > 0)
}

/// Whether a comparison found that anything differs.
fn differs(result: &RunResult, closing: &Closing) -> bool {
    !closing.schema_differences.is_empty() || differing(&result.collections).next().is_some()
}

fn headline(result: &RunResult, closing: &Closing) -> String {
    let done = match (result.op, result.status, closing.dry_run) {
        (Op::Backup, _, true) => "Would back up",
        (Op::Backup, Status::Ok, false) if closing.sealed_already => "Backed up before, nothing was done now:",
        (Op::Backup, _, false) if closing.sealed_already => {
            "Backed up before, but not everything; nothing was done now:"
        }
        (Op::Backup, Status::Ok, false) => "Backed up",
        (Op::Backup, _, false) => "Backed up, but not everything:",
        (Op::Restore, _, true) => "Would restore",
        (Op::Restore, Status::Ok, false) => "Restored",
        (Op::Restore, _, false) if lacks_objects(result) => "Restored, but not everything:",
        (Op::Restore, _, false) => "Restored, with findings:",
        (Op::Verify, Status::Ok, _) if is_sample(result) => "The sample agrees:",
        (Op::Verify | Op::ArchiveCheck, Status::Ok, _) => "Everything agrees:",
        (Op::Verify, _, _) if differs(result, closing) => "Differences found:",
        (Op::Verify, _, _) => "Not everything was compared:",
        (Op::ArchiveCheck, _, _) => "Checked:",
        (Op::Rm, _, true) => "Would remove",
        (Op::Rm, Status::Ok, false) => "Removed",
        (Op::Rm, _, false) => "Removed, but not for good:",
        (Op::Create, _, true) => "Would create",
        (Op::Create, Status::Ok, false) => "Created",
        (Op::Create, _, false) => "Created, with findings:",
        (Op::Clear, _, true) => "Would clear",
        (Op::Clear, Status::Ok, false) => "Cleared",
        (Op::Clear, _, false) => "Cleared, but not empty:",
        (Op::Rehearsal, _, _) => "Rehearsed",
    };
    let collections = words::counted(result.collections.len() as u64, "collection");
    let objects = words::counted(result.objects, "object");
    let size = words::size(result.bytes);
    if closing.schemas_only {
        let end = if closing.dry_run { "; nothing was written" } else { "" };
        return format!("{done} {collections}, the schemas alone{end}\n\n");
    }
    let took = Duration::try_from_secs_f64(result.seconds).unwrap_or_default();
    let time = if took < Duration::from_secs(60) { format!("{:.1}s", took.as_secs_f64()) } else { words::span(took) };
    if is_of_wholes(result.op) {
        let objects = if closing.uncounted { String::new() } else { format!(", {objects}") };
        let end = if closing.dry_run { "; nothing was changed".to_owned() } else { format!(" in {time}") };
        return format!("{done} {collections}{objects}{end}\n\n");
    }
    if closing.dry_run && closing.uncounted {
        return format!("{done} {collections}, not all of whose objects are counted; nothing was written\n\n");
    }
    if closing.dry_run {
        return format!("{done} {collections}, {objects}, about {size}; nothing was written\n\n");
    }
    if closing.sealed_already {
        return format!("{done} {collections}, {objects}, {size}\n\n");
    }
    let mut text = format!("{done} {collections}, {objects}, {size} in {time}");
    if result.objects > 0 {
        let _ = write!(text, " ({} objects/s)", per_second(result));
    }
    if result.resumed_objects > 0 {
        let _ = write!(text, "; {} of them were done before", words::count(result.resumed_objects));
    }
    text + "\n\n"
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for people, never negative")]
fn per_second(result: &RunResult) -> String {
    words::count(result.objects_per_second.round() as u64)
}

fn table(collections: &[CollectionResult], dry_run: bool) -> String {
    let listed = &collections[..collections.len().min(COLLECTIONS_LISTED)];
    if collections.len() < 2 {
        return String::new();
    }
    let names = listed.iter().map(|c| c.name.as_str().len()).max().unwrap_or(0).max(10);
    let digests = listed.iter().any(|c| c.digest.is_some());
    let mut text = String::new();
    let mut row = |name: &str, objects: &str, size: &str, digest: &str| {
        let line = format!("  {name:<names$}  {objects:>13}  {size:>10}  {}", if digests { digest } else { "" });
        text.push_str(line.trim_end());
        text.push('\n');
    };
    row("Collection", "Objects", "Size", "Digest");
    for collection in listed {
        let digest = collection
            .digest
            .as_deref()
            .map_or("–".into(), |digest| digest.get(..16).unwrap_or(digest).to_owned() + "…");
        let (objects, size) = if dry_run && collection.counts_verified == Some(false) {
            ("not counted".to_owned(), "–".to_owned())
        } else {
            (words::count(collection.objects), words::size(collection.bytes))
        };
        row(collection.name.as_str(), &objects, &size, &digest);
    }
    if listed.len() < collections.len() {
        let _ = writeln!(text, "  … and {} more", collections.len() - listed.len());
    }
    text + "\n"
}

/// What was saved of each collection, where that is its schema alone.
fn schemas(collections: &[CollectionResult]) -> String {
    let listed = &collections[..collections.len().min(COLLECTIONS_LISTED)];
    let longest = listed.iter().map(|c| c.name.as_str().len()).max().unwrap_or(0).min(60);
    let mut text = String::new();
    for collection in listed {
        let Some(schema) = &collection.schema else { continue };
        // A String takes every write.
        let _ = writeln!(text, "  {:<longest$}  {}", collection.name.as_str(), words::saved_schema(schema));
    }
    if listed.len() < collections.len() && !text.is_empty() {
        let _ = writeln!(text, "  … and {} more", collections.len() - listed.len());
    }
    if text.is_empty() { text } else { text + "\n" }
}

fn archive(path: &str, closing: &Closing) -> String {
    let size = closing.stored_bytes.map(|bytes| format!(" ({} on disk)", words::size(bytes))).unwrap_or_default();
    shell_text(path) + &size
}

fn changed(collections: &[CollectionResult]) -> Option<String> {
    let seen = collections.iter().filter_map(|collection| collection.changed_seen).sum::<u64>();
    let objects = words::counted(seen, "object");
    (seen > 0).then(|| format!("at least {objects} written while the run was under way"))
}

fn rejected(result: &RunResult, closing: &Closing) -> Option<String> {
    let objects = result.collections.iter().map(|collection| collection.rejected).sum::<u64>();
    let place = closing.rejected.as_ref().map(|path| format!(", listed in {}", shell_text(path)));
    (objects > 0).then(|| words::counted(objects, "object") + &place.unwrap_or_default())
}

/// Why objects were refused, of all collections together, the commonest first.
fn reasons(collections: &[CollectionResult]) -> Vec<String> {
    let of_one =
        |c: &CollectionResult| c.rejected_reasons.iter().map(|r| (c.name.clone(), r.clone())).collect::<Vec<_>>();
    let mut all: Vec<_> = collections.iter().flat_map(of_one).collect();
    // What is only known to be others comes last, however many they are.
    all.sort_by_key(|(_, reason)| (reason.first_id.is_none(), std::cmp::Reverse(reason.objects)));
    let more = all.len().saturating_sub(REASONS_LISTED);
    let line = |(collection, reason): &(CollectionName, Reason)| {
        let first = reason.first_id.map(|id| format!(" (first {id})")).unwrap_or_default();
        format!("{} of {collection}: {}{first}", words::count(reason.objects), words::plain(&reason.reason))
    };
    let lines = all.iter().take(REASONS_LISTED).map(line);
    lines.chain((more > 0).then(|| format!("… and {more} more"))).collect()
}

/// How many objects differ, of each kind that was met.
fn differing(collections: &[CollectionResult]) -> impl Iterator<Item = (&'static str, String)> {
    let sum = |of: fn(&CollectionResult) -> Option<u64>| collections.iter().filter_map(of).sum::<u64>();
    let kinds = [
        ("Missing", sum(|c| c.only_left), "in the archive and not on the server"),
        ("Extra", sum(|c| c.only_right), "on the server and not in the archive"),
        ("Different", sum(|c| c.different), "with other content"),
    ];
    let met = kinds.into_iter().filter(|(_, objects, _)| *objects > 0);
    met.map(|(label, objects, what)| (label, words::counted(objects, "object") + " " + what))
}

fn listed(remarks: &[Note]) -> impl Iterator<Item = String> {
    let more = remarks.len().saturating_sub(REMARKS_LISTED);
    let lines = remarks.iter().take(REMARKS_LISTED);
    lines.map(line).chain((more > 0).then(|| format!("… and {more} more")))
}

fn line(remark: &Note) -> String {
    format!("{}: {}", words::sentence(&remark.about), words::sentence(&remark.text))
}
