//! `col backup`: settings in, plan shown, operation, summary out.

pub(super) mod flags;

use std::path::Path;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use self::flags::{BackupArgs, BackupSettings};
use super::args::ConnectionArgs;
use super::explain::{Verb, explain};
use super::runtime::nothing;
use super::{Connect, Env, Failure, Finished, Out, closing, confirm, run_with_events};
use crate::archive;
use crate::event::{ActivationRefusal, Class, CollectionResult, Event, Op, RunResult, SavedSchema, Status};
use crate::model::path_text;
use crate::ops::backup::{
    self, BackupOptions, BackupOutcome, BackupPlan, BackupStopped, Interrupted, LeftInactive, Resume,
};
use crate::ops::exposed::warn_of_open_folders;
use crate::ops::{Error, Session};
use crate::render::{Closing, Done, Label, Note, Objects, date, plain, shell_path, size};
use crate::weaviate::{Client, Writer};

pub(super) fn run(args: &BackupArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let connect = Connect::resolve(connection, env)?;
    let settings = BackupSettings::resolve(args, env)?;
    run_with_events(out, Op::Backup, settings.dry_run, async |events, cancel| {
        let client = connect.client(Verb::Backup, &events)?;
        let session = Session::new(events, cancel.clone());
        let runs = settings.options.state.iter().map(|state| state.runs.clone());
        warn_of_open_folders(&session, runs.chain([settings.options.folder.clone()]).collect()).await;
        let missing = if args.allow_missing_nodes { " --allow-missing-nodes" } else { "" };
        let resume = |archive: &Path| resume_command(archive, args.run_dir.as_deref(), &connect) + missing;
        if let Some(sealed) = sealed_already(&session, &settings, &client).await? {
            return Ok(sealed);
        }
        let mut planned = plan(&client, &session, &cancel, settings.options.clone()).await?;
        if let Some(interrupted) = planned.interrupted.clone().filter(|_| !settings.dry_run)
            && resumes(out, &cancel, &interrupted, &resume).await?
        {
            let resume = Some(Resume { archive: Some(interrupted.archive), as_before: false });
            planned = plan(&client, &session, &cancel, BackupOptions { resume, ..settings.options.clone() }).await?;
        }
        if settings.dry_run {
            session.events.emit(Event::PlanMade { collections: planned.listed() });
            return Ok(would(&planned));
        }
        if out.wants_words() {
            out.note(&headline(&planned));
        }
        let server = closing::server(&planned.url, &planned.server_version);
        let outcome = backup::run(&Writer::new(client), &session, planned).await.map_err(|e| stopped(e, resume))?;
        Ok(Finished { closing: done(&outcome, server), result: outcome.result })
    })
}

async fn plan(
    client: &Client,
    session: &Session,
    cancel: &CancellationToken,
    options: BackupOptions,
) -> Result<BackupPlan, Failure> {
    tokio::select! {
        planned = backup::plan(client, session, options) => planned.map_err(|e| explain(Verb::Backup, &e)),
        () = cancel.cancelled() => Err(Failure::new(Class::Interrupted, "interrupted; nothing was written")),
    }
}

/// What there is to say if the archive that is to be resumed lacked nothing but its last steps.
async fn sealed_already(
    session: &Session,
    settings: &BackupSettings,
    client: &Client,
) -> Result<Option<Finished>, Failure> {
    let named = settings.options.resume.as_ref().and_then(|resume| resume.archive.as_ref());
    let Some(path) = named.filter(|_| !settings.dry_run) else { return Ok(None) };
    let sealed = backup::sealed_already(session, path, client.url(), &settings.options)
        .await
        .map_err(|e| explain(Verb::Backup, &e))?;
    Ok(sealed.map(|outcome| {
        let source = &outcome.manifest.source;
        let server = closing::server(&source.url, &source.server_version);
        Finished { closing: Closing { done: Done::Before, ..done(&outcome, server) }, result: outcome.result }
    }))
}

/// What there is to say of an archive that is sealed.
pub(super) fn done(outcome: &BackupOutcome, server: String) -> Closing {
    let archive = outcome.result.archive.as_deref();
    let next = vec![closing::check_command(archive)];
    Closing { next, ..closing::of(&outcome.manifest, archive) }.with(Label::Server, Some(server))
}

/// Whether an interrupted backup is resumed instead of a new one being made: a person is asked, others are told how.
async fn resumes(
    out: &Out,
    cancel: &CancellationToken,
    found: &Interrupted,
    resume: impl Fn(&Path) -> String,
) -> Result<bool, Failure> {
    let about = format!("{} was interrupted; {} are safe in it", shell_path(&found.archive), kept(found));
    if out.asks() {
        let question = confirm::Question::yes_unless_no(&format!("{about}. Resume it?"));
        return confirm::answer(out, cancel, question).await;
    }
    if out.wants_words() {
        out.note(&format!("{about}. Resume it with: {}\n", resume(&found.archive)));
    }
    Ok(false)
}

/// The objects that an interrupted backup holds.
fn kept(found: &Interrupted) -> String {
    format!("{} in {}", closing::counted(found.objects, "object"), closing::counted(found.parts, "part"))
}

/// The command that resumes a backup. `run_dir`: the folder of runs, where it was named.
pub(super) fn resume_command(archive: &Path, run_dir: Option<&Path>, connect: &Connect) -> String {
    let command = format!("elysiactl col backup --resume={}", shell_path(archive));
    command + &closing::path_flag("--run-dir", run_dir) + &connect.url_flag(&connect.url)
}

/// Before the run: one line on what, from where, to where, and what the key may not see.
fn headline(plan: &BackupPlan) -> String {
    let (objects, bytes) = (total(plan, |p| p.objects), total(plan, backup::CollectionBackup::bytes));
    let mut text =
        format!("Backing up {} from {}", closing::counted(plan.collections.len() as u64, "collection"), plan.url);
    if let Some(objects) = objects {
        text = text + ", " + &closing::counted(objects, "object");
    }
    let tenants = plan.collections.iter().filter_map(|planned| planned.tenants);
    let (all, inactive) =
        tenants.fold((0, 0), |(all, inactive), t| (all + t.active + t.inactive, inactive + t.inactive));
    if all > 0 {
        text = text + ", " + &closing::counted(all, "tenant");
    }
    if inactive > 0 {
        text = format!("{text} ({inactive} inactive, activated a few at a time and deactivated again)");
    }
    if let Some(bytes) = bytes.filter(|b| *b > 0) {
        text = text + ", about " + &size(bytes);
    }
    if !plan.options.subset.is_all() {
        text = plain(&format!("{text}, and keeping of them: {}", plan.options.subset));
    }
    text = match &plan.resumes {
        None => format!("{text}, into {}", shell_path(&plan.archive)),
        Some(found) => format!(
            "{text}; resuming {}, begun {}, with {} in it",
            shell_path(&plan.archive),
            date(found.started),
            kept(found)
        ),
    };
    let mut text = text + "\n";
    for remark in closing::limits(&plan.limits) {
        text = text + &plain(&format!("{}: {}", remark.about, remark.text)) + "\n";
    }
    text
}

fn total(plan: &BackupPlan, of: impl Fn(&backup::CollectionBackup) -> Option<u64>) -> Option<u64> {
    plan.collections.iter().map(of).sum()
}

/// What a dry run says.
fn would(plan: &BackupPlan) -> Finished {
    // One that is resumed is there already.
    let resumed = plan.resumes.is_some();
    let schemas_only = plan.options.content == archive::Content::SchemaOnly;
    let one = |p: &backup::CollectionBackup| CollectionResult {
        tenants: p.tenants.map_or(0, |tenants| tenants.active + tenants.inactive),
        schema: schemas_only.then(|| SavedSchema::of(&p.schema)),
        objects: p.objects.unwrap_or(0),
        bytes: p.bytes().unwrap_or(0),
        // No number at all, which the field for it cannot say.
        counts_verified: (!schemas_only && p.objects.is_none()).then_some(false),
        ..CollectionResult::of(p.schema.name.clone())
    };
    let collections: Vec<CollectionResult> = plan.collections.iter().map(one).collect();
    let result = RunResult::of(
        Op::Backup,
        if plan.skipped.is_empty() && plan.left_inactive.is_empty() && plan.topology.missing.is_empty() {
            Status::Ok
        } else {
            Status::Incomplete
        },
        resumed.then(|| path_text(&plan.archive)),
        collections,
    );
    let result = RunResult { planned_archive: (!resumed).then(|| path_text(&plan.archive)), ..result };
    let objects = match total(plan, |p| p.objects) {
        _ if schemas_only => Objects::SchemasOnly,
        Some(_) => Objects::Counted,
        None => Objects::Uncounted,
    };
    let unchecked = plan.topology.reason.as_ref().filter(|_| plan.topology.missing.is_empty());
    let skipped = closing::skipped(&plan.skipped).into_iter().chain(plan.left_inactive.iter().map(stay));
    let closing = Closing { done: Done::Planned(None), objects, ..Closing::default() }
        .with(Label::Server, Some(closing::server(&plan.url, &plan.server_version)))
        .with(Label::Archive, Some(shell_path(&plan.archive) + if resumed { "" } else { " (planned)" }))
        .with(Label::Free, plan.free_bytes.map(|free| size(free) + " on that disk"))
        .with(Label::Unchecked, closing::unchecked(unchecked))
        .with(Label::Selection, selection(plan))
        .with_notes(Label::Note, plan.collections.iter().filter_map(activates))
        .with_notes(Label::Limits, closing::limits(&plan.limits))
        .with_notes(Label::Skipped, skipped)
        .with_notes(Label::Incomplete, closing::missing_nodes(&plan.topology.missing));
    Finished { result, closing }
}

/// What of the objects is kept, where not all are.
fn selection(plan: &BackupPlan) -> Option<String> {
    let subset = Some(&plan.options.subset).filter(|subset| !subset.is_all())?;
    Some(plain(&format!("{subset}; all objects are read, and how many are kept is known then")))
}

/// What a backup does with tenants that cannot be read as they are.
fn activates(planned: &backup::CollectionBackup) -> Option<Note> {
    let inactive = planned.tenants.map(|tenants| tenants.inactive).filter(|inactive| *inactive > 0)?;
    let tenants = closing::counted(inactive, "inactive tenant");
    let text = format!("{tenants} would be activated, a few at a time, read and counted, and deactivated again");
    Some(Note { about: planned.schema.name.to_string(), text })
}

/// Tenants that a backup leaves out.
fn stay(left: &LeftInactive) -> Note {
    let tenants = closing::counted(left.tenants, "inactive tenant");
    let why = match &left.why {
        ActivationRefusal::Server { cause } => &**cause,
        _ => "the key has no right to (update_tenants)",
    };
    let text = format!("{tenants} ({} first), which cannot be activated: {why}", left.first);
    Note { about: left.collection.to_string(), text }
}

/// A run that stopped: the error, what it left, and the command that carries it on.
pub(super) fn stopped(stopped: BackupStopped, resume: impl Fn(&Path) -> String) -> Failure {
    let failure = explain(Verb::Backup, &stopped.error);
    match stopped.archive {
        // Nothing was left to read.
        Some(path) if matches!(stopped.error, Error::Vanished { .. }) => {
            failure.hint(format!("there is nothing in the archive, and it is not sealed: {}", shell_path(&path)))
        }
        // Another run is at work on it, and nothing of it is left by this one.
        Some(_) if matches!(stopped.error, Error::Archive(archive::Error::Locked { .. })) => failure,
        Some(path) => failure
            .hint(format!(
                "the archive is not complete; what was sealed in it is kept. Resume it with: {}",
                resume(&path)
            ))
            .after(RunResult { archive: Some(path_text(&path)), ..nothing(Op::Backup) }),
        None => failure,
    }
}
