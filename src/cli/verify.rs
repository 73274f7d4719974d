//! `col verify`: flags in, operation, what differs out.

pub(super) mod flags;

use std::process::ExitCode;

use self::flags::{VerifyArgs, options};
use super::args::ConnectionArgs;
use super::explain::{Verb, explain};
use super::{Connect, Env, Failure, Finished, Out, closing, run_with_events};
use crate::event::{CollectionResult, Difference, Op};
use crate::model::CollectionName;
use crate::ops::Session;
use crate::ops::exposed::warn_of_open_folders;
use crate::ops::verify::{self, Differs, VerifyOutcome};
use crate::render::{Closing, Label, Note, Objects, count, remark, schema_difference};
use crate::weaviate::Writer;

pub(super) fn run(args: &VerifyArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let connect = Connect::resolve(connection, env)?;
    let options = options(args, env)?;
    run_with_events(out, Op::Verify, false, async |events, cancel| {
        let client = connect.client(Verb::Verify, &events)?;
        let session = Session::new(events, cancel);
        let runs = options.state.iter().map(|state| state.runs.clone());
        warn_of_open_folders(&session, runs.chain([options.archive.clone()]).collect()).await;
        let outcome =
            verify::run(&Writer::new(client), &session, options).await.map_err(|e| explain(Verb::Verify, &e))?;
        let closing = said(&outcome);
        Ok(Finished { result: outcome.result, closing })
    })
}

fn said(outcome: &VerifyOutcome) -> Closing {
    let schema = |(about, differs): &(CollectionName, _)| Note {
        about: about.to_string(),
        text: schema_difference(Op::Verify, differs),
    };
    let note = |(about, fact): &(CollectionName, _)| Note { about: about.to_string(), text: remark(Op::Verify, fact) };
    let objects = if outcome.schemas_only { Objects::SchemasOnly } else { Objects::Counted };
    Closing { objects, ..Closing::default() }
        .with(Label::Server, Some(closing::server(&outcome.url, &outcome.server_version)))
        .with(Label::Unchecked, closing::unchecked(outcome.topology_unchecked.as_ref()))
        .with_notes(Label::Differences, outcome.differences.iter().map(difference))
        .with(Label::Differences, more(outcome))
        .with_notes(Label::Schema, outcome.schema_differences.iter().map(schema))
        .with_notes(Label::Note, outcome.remarks.iter().map(note))
}

/// What the list of differences does not show.
fn more(outcome: &VerifyOutcome) -> Option<String> {
    let listed = &outcome.differences;
    if let Some(more) = not_listed(differing(&outcome.result.collections), listed.len()) {
        return Some(more + ": `--limit N` names more of them, `--json` tells more fields");
    }
    let fields = listed.iter().any(|differs| differs.fields.len() > 1);
    fields.then(|| "`--json` tells more fields".to_owned())
}

/// Objects that differ in any way.
pub(super) fn differing(collections: &[CollectionResult]) -> u64 {
    let of = |c: &CollectionResult| [c.only_left, c.only_right, c.different].into_iter().flatten().sum::<u64>();
    collections.iter().map(of).sum()
}

/// How many objects stand behind a list that does not name all; nothing where none is named.
pub(super) fn not_listed(differing: u64, listed: usize) -> Option<String> {
    let more = differing.saturating_sub(listed as u64);
    (listed > 0 && more > 0).then(|| format!("… and {} more", count(more)))
}

/// One object in a line: its first field that differs.
pub(super) fn difference(differs: &Differs) -> Note {
    let tenant = differs.tenant.as_ref().map(|tenant| format!(", tenant {tenant}")).unwrap_or_default();
    let about = format!("{}{tenant} {}", differs.collection, differs.id);
    let text = match (differs.kind, differs.fields.as_slice()) {
        (Difference::OnlyLeft, _) => "missing on the server".into(),
        (Difference::OnlyRight, _) => "not in the archive".into(),
        (_, []) => "different".into(),
        (_, [first, more @ ..]) => {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
            let more = match more.len() {
                0 => String::new(),
                more => format!(", and {}", closing::counted(more as u64, "more field")),
            };
            format!("{}: archived {}, live {}{more}", first.field, side(&first.left), side(&first.right))
        }
    };
    Note { about, text }
}
