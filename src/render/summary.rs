//! The closing words of a run: what was done, where it is, what is missing, what to do next.

mod closing;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

pub use closing::{Closing, Done, Label, Note, Objects};

use super::words;
use crate::event::{
    CollectionResult, Compares, Counted, MergeResult, Op, OpFacts, RateLimit, RunResult, Sides, Status,
};
use crate::model::{CollectionName, Reason, shell_text};

/// Columns of a label and the room behind it.
pub(super) const LABEL_COLUMNS: usize = 12;
/// Collections listed one by one; the rest is in the manifest.
const COLLECTIONS_LISTED: usize = 20;
/// Remarks of one kind listed one by one.
const REMARKS_LISTED: usize = 20;

/// Reasons of refused objects listed one by one.
const REASONS_LISTED: usize = 5;
/// The labels of what a run that is not complete may be about, the weightiest first.
const BY_WEIGHT: [Label; 7] =
    [Label::Incomplete, Label::Skipped, Label::Counts, Label::Replicas, Label::Changed, Label::Limits, Label::Note];

/// The summary as text; ends with a line break.
#[must_use]
pub fn summary(result: &RunResult, closing: &Closing) -> String {
    let mut text = headline(result, closing);
    match &closing.done {
        Done::Planned(Some(plan)) => text = text + plan + "\n",
        _ if closing.objects == Objects::SchemasOnly => text.push_str(&schemas(&result.collections)),
        _ if is_of_wholes(result.op) => {}
        _ => text.push_str(&table(&result.collections, closing.is_planned())),
    }
    let mut label_before = "";
    for (label, lines) in lines(result, closing) {
        let listed = if label < Label::Saved { usize::MAX } else { REMARKS_LISTED };
        let more = lines.len().saturating_sub(listed);
        let more = (more > 0).then(|| format!("… and {more} more"));
        for line in lines.into_iter().take(listed).chain(more) {
            let shown = if label.text() == label_before { "" } else { label.text() };
            // A String takes every write.
            let _ = writeln!(text, "{shown:<LABEL_COLUMNS$}{}", words::sentence(&line));
            label_before = label.text();
        }
    }
    if !closing.next.is_empty() {
        let _ = writeln!(text, "\nNext: {}", closing.next.join("\n      "));
    }
    text
}

/// All lines: those of the closing, and what the result says beside them.
fn lines(result: &RunResult, closing: &Closing) -> BTreeMap<Label, Vec<String>> {
    let mut lines = closing.lines.clone();
    let mut add = |label, facts: Vec<String>| {
        if !facts.is_empty() {
            lines.entry(label).or_insert(facts);
        }
    };
    let of_plan = closing.is_planned() && result.op != Op::Restore;
    add(Label::Archive, result.archive.iter().filter(|_| !of_plan).map(|path| shell_text(path)).collect());
    if let [CollectionResult { digest: Some(digest), .. }] = result.collections.as_slice() {
        add(Label::Digest, vec![digest.clone()]);
    }
    add(Label::Written, changed(&result.collections).into_iter().collect());
    if result.retries > 0 {
        add(Label::Retries, vec![words::counted(result.retries, "request") + " sent again"]);
    }
    if let Some(RateLimit { requests_per_second, turned_away }) = result.rate_limit {
        let turned_away = words::counted(turned_away, "request");
        let text = format!("about {requests_per_second:.0} requests/s; the server turned {turned_away} away (429)");
        add(Label::RateLimit, vec![text]);
    }
    let memory = result.peak_memory_bytes.filter(|_| !closing.is_planned() && !is_of_wholes(result.op));
    add(Label::Memory, memory.map(|bytes| words::size(bytes) + " at most").into_iter().collect());
    add(Label::Rejected, rejected(result, closing).into_iter().collect());
    add(Label::Reasons, reasons(&result.collections));
    add(Label::Merged, merged(&result.collections).into_iter().collect());
    add(Label::Compared, compared(result, closing).into_iter().collect());
    for (label, what) in differing(result) {
        if !(closing.missing_are_rejected && label == Label::Missing) {
            add(label, vec![what]);
        }
    }
    lines
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
    parts.extend(differing(result).map(|(_, what)| what));
    let schema = closing.lines(Label::Schema).first();
    parts.extend(schema.map(|first| format!("schemas differ: {}", words::sentence(first))));
    if parts.len() == 1 {
        let mut remarks = BY_WEIGHT.into_iter().flat_map(|label| closing.lines(label));
        parts.extend(remarks.next().map(|first| words::sentence(first)));
        let more = remarks.count() as u64;
        parts.extend((more > 0).then(|| words::counted(more, "more remark") + " without -q"));
    }
    Some(parts.join("; "))
}

/// Whether collections are dealt with as a whole, not object by object.
fn is_of_wholes(op: Op) -> bool {
    op.facts().counted != Counted::Bytes
}

fn is_sample(result: &RunResult) -> bool {
    result.collections.iter().any(|collection| collection.sample_of.is_some())
}

/// That what was written was compared and found equal; findings have lines of their own. Without a digest something was left
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
    let OpFacts { compares, sides: Sides { left, right, .. }, .. } = result.op.facts();
    (compares == Compares::Afterwards && result.status == Status::Ok && all)
        .then(|| format!("{what} is on {right} as in {left}{but}"))
}

/// Whether objects of the archive are not on the server.
fn lacks_objects(result: &RunResult) -> bool {
    result.collections.iter().any(|collection| collection.rejected + collection.only_left.unwrap_or(0) > 0)
}

/// Whether a comparison found that anything differs.
fn differs(result: &RunResult, closing: &Closing) -> bool {
    !closing.lines(Label::Schema).is_empty() || differing(result).next().is_some()
}

fn capitalized(words: &str) -> String {
    let (first, rest) = words.split_at(words.len().min(1));
    first.to_uppercase() + rest
}

fn headline(result: &RunResult, closing: &Closing) -> String {
    let (is_planned, is_before) = (closing.is_planned(), closing.done == Done::Before);
    let OpFacts { deed: [deed, _, done], compares, .. } = result.op.facts();
    let compares_alone = compares == Compares::Alone;
    let done = match (result.op, result.status) {
        _ if is_planned => format!("Would {deed}"),
        (_, Status::Ok) if compares_alone && is_sample(result) => "No differences in the sample:".to_owned(),
        (_, Status::Ok) if compares_alone => "No differences:".to_owned(),
        _ if compares_alone && differs(result, closing) => "Differences found:".to_owned(),
        _ if compares_alone => "Not everything was compared:".to_owned(),
        (Op::Backup, Status::Ok) if is_before => "Backed up before, nothing was done now:".to_owned(),
        (Op::Backup, _) if is_before => "Backed up before, but not everything; nothing was done now:".to_owned(),
        (Op::ArchiveCheck, Status::Ok) => "Archive OK:".to_owned(),
        (Op::ArchiveCheck, _) => "Checked:".to_owned(),
        (_, Status::Ok) => capitalized(done),
        (Op::Rm, _) => "Removed, but not for good:".to_owned(),
        (Op::Clear, _) => "Cleared, but not empty:".to_owned(),
        (Op::Backup, _) => "Backed up, but not everything:".to_owned(),
        (Op::Restore, _) if lacks_objects(result) => "Restored, but not everything:".to_owned(),
        _ => capitalized(done) + ", with findings:",
    };
    let collections = words::counted(result.collections.len() as u64, "collection");
    let objects = words::counted(result.objects, "object");
    let size = words::size(result.bytes);
    let uncounted = closing.objects == Objects::Uncounted;
    if closing.objects == Objects::SchemasOnly {
        let end = if is_planned { "; nothing was written" } else { "" };
        return format!("{done} {collections}, the schemas alone{end}\n\n");
    }
    let took = Duration::try_from_secs_f64(result.seconds).unwrap_or_default();
    let time = if took < Duration::from_secs(60) { format!("{:.1}s", took.as_secs_f64()) } else { words::span(took) };
    if is_of_wholes(result.op) {
        let objects = if uncounted { String::new() } else { format!(", {objects}") };
        let end = if is_planned { "; nothing was changed".to_owned() } else { format!(" in {time}") };
        return format!("{done} {collections}{objects}{end}\n\n");
    }
    if is_planned && uncounted {
        return format!("{done} {collections}, not all of whose objects are counted; nothing was written\n\n");
    }
    if is_planned {
        return format!("{done} {collections}, {objects}, about {size}; nothing was written\n\n");
    }
    if is_before {
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

fn changed(collections: &[CollectionResult]) -> Option<String> {
    let seen = collections.iter().filter_map(|collection| collection.changed_seen).sum::<u64>();
    let objects = words::counted(seen, "object");
    (seen > 0).then(|| format!("at least {objects} written while the run was under way"))
}

/// How the objects of all collections that were merged met those that were there.
fn merged(collections: &[CollectionResult]) -> Option<String> {
    let all: Vec<MergeResult> = collections.iter().filter_map(|collection| collection.merged).collect();
    if all.is_empty() {
        return None;
    }
    let sum = |of: fn(&MergeResult) -> u64| all.iter().map(of).sum::<u64>();
    let kinds = [
        (sum(|merge| merge.added), "added"),
        (sum(|merge| merge.replaced), "replaced"),
        (sum(|merge| merge.equal), "equal before"),
        (sum(|merge| merge.kept), "kept as they were"),
        (sum(|merge| merge.moved), "not written, as somebody wrote there"),
    ];
    let met = kinds.into_iter().filter(|(objects, what)| *objects > 0 || *what == "added");
    Some(met.map(|(objects, what)| format!("{} {what}", words::count(objects))).collect::<Vec<_>>().join(", "))
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
fn differing(result: &RunResult) -> impl Iterator<Item = (Label, String)> {
    let Sides { left, right, .. } = result.op.facts().sides;
    let sum = |of: fn(&CollectionResult) -> Option<u64>| result.collections.iter().filter_map(of).sum::<u64>();
    let kinds = [
        (Label::Missing, sum(|c| c.only_left), format!("in {left} and not on {right}")),
        (Label::Extra, sum(|c| c.only_right), format!("on {right} and not in {left}")),
        (Label::Different, sum(|c| c.different), "with other content".to_owned()),
    ];
    let met = kinds.into_iter().filter(|(_, objects, _)| *objects > 0);
    met.map(|(label, objects, what)| (label, words::counted(objects, "object") + " " + &what))
}
