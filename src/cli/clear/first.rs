//! The backup before a clear: a run of its own, whose archive the clear then rests on.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::flags::ClearSettings;
use crate::archive::{self, Codec};
use crate::cli::explain::{Verb, explain};
use crate::cli::removal::{self, Consent};
use crate::cli::{Connect, Failure, Finished, Out, backup, closing, run_with_events};
use crate::event::{Class, Op, RunResult, Status};
use crate::model::{Subset, path_of_text, shell_text};
use crate::ops::backup::{BackupOptions, plan, run};
use crate::ops::{Session, bounds};
use crate::render::{Closing, Label};
use crate::weaviate::Writer;

/// Things the backup lacks that are named in the error: `archive show` lists them all.
const NAMED: usize = 10;

/// Backs up what is to be emptied. The archive, if it holds everything; otherwise nothing may be emptied.
pub(super) fn back_up(
    settings: &ClearSettings,
    folder: PathBuf,
    consent: Consent,
    connect: &Connect,
    run_dir: Option<&Path>,
    out: &Out,
) -> Result<(PathBuf, Timestamp), Failure> {
    if settings.options.selection.take.is_empty() {
        return Err(Failure::new(Class::Usage, "--backup-first needs the names of the collections"));
    }
    let mut archive = None;
    run_with_events(out, Op::Backup, false, async |events, cancel| {
        removal::somebody_agrees(out, consent)?;
        let client = connect.client(Verb::Backup, &events)?;
        let session = Session::new(events, cancel);
        let options = BackupOptions {
            folder,
            selection: settings.options.selection.clone(),
            subset: Subset::default(),
            content: archive::Content::Full,
            codec: Codec::None,
            jobs: None,
            page_objects: None,
            memory_bytes: settings.options.memory_bytes,
            part_age: BackupOptions::PART_AGE,
            patience: bounds::PATIENCE,
            tenants: settings.options.tenants.clone(),
            allow_missing_nodes: false,
            state: Some(settings.options.state.clone()),
            resume: None,
        };
        let planned = plan(&client, &session, options).await.map_err(|e| explain(Verb::Backup, &e))?;
        let server = closing::server(&planned.url, &planned.server_version);
        let outcome = run(&Writer::new(client), &session, planned).await;
        let outcome = outcome.map_err(|e| backup::stopped(e, |path| backup::resume_command(path, run_dir, connect)))?;
        if outcome.result.status != Status::Ok {
            return Err(not_everything(&closing::of(&outcome.manifest, None), outcome.result));
        }
        archive = outcome.result.archive.clone().map(|path| (path_of_text(&path), outcome.manifest.sealed));
        let closing = Closing { next: Vec::new(), ..backup::done(&outcome, server) };
        Ok(Finished { closing, result: outcome.result })
    })?;
    archive.ok_or_else(|| Failure::new(Class::Bug, "the backup has no archive"))
}

/// The refusal after a backup that lacks something, with what it lacks and why.
fn not_everything(closing: &Closing, result: RunResult) -> Failure {
    let lacks: Vec<_> = closing.lines(Label::Skipped).iter().chain(closing.lines(Label::Incomplete)).collect();
    let message = if lacks.is_empty() {
        // Everything is in it, but tenants that were activated for it do not sleep again.
        "the server is not as it was before the backup; nothing was emptied"
    } else {
        "the backup does not hold everything; nothing was emptied"
    };
    let failure = Failure::new(Class::Refused, message);
    let failure = lacks.iter().take(NAMED).fold(failure, |failure, lacking| failure.because(lacking.as_str()));
    let failure = match lacks.len().checked_sub(NAMED) {
        Some(more) if more > 0 => failure.because(format!("and {more} more")),
        _ => failure,
    };
    let archive = shell_text(result.archive.as_deref().unwrap_or("ARCHIVE"));
    failure.hint(format!("`elysiactl archive show {archive}` says what is not in it")).after(result)
}
