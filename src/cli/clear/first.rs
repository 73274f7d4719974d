//! The backup before a clear: a run of its own, whose archive the clear then rests on.

use std::path::{Path, PathBuf};

use crate::archive::{self, Codec};
use crate::cli::connect::session;
use crate::cli::explain::explain;
use crate::cli::removal::{self, Consent};
use crate::cli::{ClearSettings, Connect, Failure, Finished, Out, backup, closing, run_with_events};
use crate::event::{Class, Op, Status};
use crate::ops::backup::{Options, plan, run};
use crate::weaviate::Writer;

/// Backs up what is to be emptied. The archive, if it holds everything; otherwise nothing may be emptied.
pub(super) fn back_up(
    settings: &ClearSettings,
    folder: PathBuf,
    consent: Consent,
    connect: &Connect,
    run_dir: Option<&Path>,
    out: &Out,
) -> Result<PathBuf, Failure> {
    if settings.selection.take.is_empty() {
        return Err(Failure::new(Class::Usage, "--backup-first needs the names of the collections"));
    }
    let mut archive = None;
    run_with_events(out, Op::Backup, async |events, cancel| {
        removal::somebody_agrees(out, consent)?;
        let client = connect.client(&events)?;
        let session = session(events, cancel);
        let options = Options {
            folder,
            selection: settings.selection.clone(),
            content: archive::Content::Full,
            codec: Codec::None,
            jobs: None,
            page_objects: None,
            memory_bytes: settings.memory_limit,
            part_age: Options::PART_AGE,
            patience: Options::PATIENCE,
            tenants: settings.tenants.clone(),
            state: Some(settings.state.clone()),
            resume: None,
        };
        let planned = plan(&client, &session, options).await.map_err(|e| explain(&e))?;
        let server = closing::server(&planned.url, &planned.server_version);
        let outcome = run(&Writer::new(client), &session, planned).await;
        let outcome = outcome.map_err(|e| backup::stopped(e, |path| backup::resume_command(path, run_dir, connect)))?;
        if outcome.result.status != Status::Ok {
            return Err(Failure::new(Class::Refused, "the backup does not hold everything; nothing was emptied")
                .hint("`elysiactl archive show` says what is not in it")
                .after(outcome.result));
        }
        archive = outcome.result.archive.clone().map(PathBuf::from);
        Ok(Finished { closing: closing::of(&outcome.manifest, server), result: outcome.result })
    })?;
    archive.ok_or_else(|| Failure::new(Class::Bug, "the backup has no archive"))
}
