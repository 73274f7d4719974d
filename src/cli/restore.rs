//! `col restore`: settings in, an archive chosen, plan shown and confirmed, operation, summary out.

mod commands;
pub(super) mod flags;
mod plan;
mod source;

use std::process::ExitCode;

use self::flags::{RestoreArgs, RestoreSettings, Source};
use super::args::ConnectionArgs;
use super::explain::{Verb, explain};
use super::removal::{Consent, somebody_agrees};
use super::runtime::nothing;
use super::schema_file::stdin_is_read_once;
use super::verify::{difference, differing, not_listed};
use super::words::restore_refusal;
use super::{Connect, Env, Failure, Finished, Out, closing, confirm, run_with_events};
use crate::event::{Class, CollectionResult, Difference, Event, Op, RoleRemark, RunResult, Status};
use crate::model::{CollectionName, TenantName, path_text};
use crate::ops::exposed::warn_of_open_folders;
use crate::ops::restore::{self, Lost, PreparedRestore, RestoreOptions, RestoreOutcome, RestorePlan, RestoreStopped};
use crate::ops::verify::Differs;
use crate::ops::{Error, Session};
use crate::render::{Closing, Done, Label, Note, Objects, count, counted, remark, shell_path};
use crate::weaviate::{Client, Writer};

/// Collections named in the advice of a run that stopped.
const CREATED_NAMED: usize = 10;

pub(super) fn run(args: &RestoreArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    stdin_is_read_once([&args.schema_file, &connection.api_key_file])?;
    let connect = Connect::resolve(connection, env)?;
    let settings = RestoreSettings::resolve(args, env)?;
    run_with_events(out, Op::Restore, settings.dry_run, async |events, cancel| {
        let client = connect.client(Verb::Restore, &events)?;
        let session = Session::new(events, cancel.clone());
        let left_open = source::left_open(&settings, &session, client.url()).await?;
        let is_left_open = left_open.is_some();
        let archive = match left_open {
            Some(archive) => archive,
            None => source::archive(&settings, out, &cancel).await?,
        };
        if settings.dry_run && settings.source == Source::Open && out.wants_words() {
            out.note(&source::unnamed(&archive, is_left_open));
        }
        let beside = archive.parent().map(std::path::Path::to_owned);
        let folders = [archive.clone(), settings.options.state.runs.clone()].into_iter().chain(beside);
        warn_of_open_folders(&session, folders.collect()).await;
        let mut options = settings.of(archive, &connect.headers);
        let resume = commands::resume(&options, settings.run_dir.as_deref(), client.url(), &connect);
        let question = out.asks() && !settings.yes;
        let mut planned = planned(&client, &session, &options).await;
        // What somebody at a terminal is asked then is whether that run is to be resumed.
        let unfinished = |prepared: &PreparedRestore| prepared.plan.unfinished.is_some();
        if question && !settings.dry_run && planned.as_ref().is_ok_and(unfinished) {
            options.resume = true;
            planned = self::planned(&client, &session, &options).await;
        }
        let prepared = match planned {
            Ok(prepared) => prepared,
            Err(Error::OtherRun { run, differs }) => {
                let begun = restore::as_begun(&session, &options, client.url(), &run).await;
                let line = begun.map(|b| commands::resume(&b, settings.run_dir.as_deref(), client.url(), &connect));
                return Err(other_run(&Error::OtherRun { run, differs }, line.as_deref()));
            }
            Err(error) => return Err(refused(&error, &resume)),
        };
        let planned = &prepared.plan;
        session.events.emit(Event::RestorePlanned(planned.told(restore_refusal)));
        if let Some(error) = planned.refused() {
            session.events.emit(Event::PlanMade { collections: planned.listed() });
            if out.wants_words() && settings.dry_run {
                out.text(&plan::text(planned))?;
            } else if out.wants_words() {
                out.note(&plan::text(planned));
            }
            return Err(refused(&error, &resume));
        }
        if settings.dry_run {
            session.events.emit(Event::PlanMade { collections: prepared.plan.listed() });
            return Ok(would(&prepared.plan));
        }
        let replaces = plan::questions_of_replacing(&prepared.plan);
        if !replaces.is_empty() {
            somebody_agrees(out, Consent { yes: settings.yes, expected: None })?;
        }
        let writer = Writer::new(client);
        let rehearsed = restore::rehearse(&writer, &session, prepared).await;
        let prepared = rehearsed.map_err(|error| refused(&error, &resume))?;
        let planned = &prepared.plan;
        if question || (out.asks() && out.wants_words()) {
            out.note(&plan::text(planned));
        } else if out.wants_words() {
            out.note(&plan::headline(planned));
        }
        if question {
            for (text, name) in &replaces {
                confirm::ask(out, &cancel, confirm::Question::typed(text, name)).await?;
            }
            if replaces.is_empty() {
                confirm::ask(out, &cancel, confirm::Question::yes_unless_no(&plan::question(planned))).await?;
            }
            if let Some(question) = plan::question_of_roles(planned) {
                confirm::ask(out, &cancel, confirm::Question::no_unless_yes(&question)).await?;
            }
        }
        let server = closing::server(&planned.url, &planned.server_version);
        // A comparison by itself knows nothing of what was left out or changed on purpose.
        let made = planned.collections.iter().any(|collection| collection.to_vectorise > 0);
        let exact = planned.options.vectors && !planned.options.clamp_ints && !made;
        let verify = (!planned.options.verify && exact)
            .then(|| commands::verify(&planned.archive, &planned.options, &planned.url, &connect));
        let objects = if planned.options.data { Objects::Counted } else { Objects::SchemasOnly };
        let of = |p: &restore::CollectionRestore| {
            p.unwritten.iter().map(|name| format!("{}.{name}", p.target)).collect::<Vec<_>>()
        };
        let unwritten = planned.collections.iter().flat_map(of).collect();
        let outcome = restore::run(&writer, &session, prepared).await.map_err(|e| stopped(e, &resume))?;
        let next = verify.into_iter().collect();
        let closing = Closing { objects, unwritten, next, ..closing_of(&outcome) }.with(Label::Server, Some(server));
        Ok(Finished { result: outcome.result, closing })
    })
}

/// The plan, unless the run is told to stop while it is made.
async fn planned(client: &Client, session: &Session, options: &RestoreOptions) -> Result<PreparedRestore, Error> {
    tokio::select! {
        planned = restore::plan(client, session, options.clone()) => planned,
        () = session.cancel.cancelled() => Err(Error::Interrupted),
    }
}

/// A restore that was not begun. `resume`: the command that resumes what an earlier run left.
fn refused(error: &Error, resume: &str) -> Failure {
    match error {
        Error::Interrupted => Failure::new(Class::Interrupted, "interrupted; nothing was changed"),
        Error::Unfinished { .. } => {
            let mut failure = explain(Verb::Restore, error);
            failure.hints.insert(0, format!("`{resume}` resumes that run"));
            failure
        }
        other => explain(Verb::Restore, other),
    }
}

/// A run was to be resumed, and the last one was begun otherwise. `line`: the command that carries that one on.
fn other_run(error: &Error, line: Option<&str>) -> Failure {
    let mut failure = explain(Verb::Restore, error);
    if let Some(line) = line {
        failure.hints.insert(0, format!("`{line}` resumes that run"));
    }
    failure
}

/// What a dry run says.
fn would(plan: &RestorePlan) -> Finished {
    let one = |p: &restore::CollectionRestore| CollectionResult {
        tenants: p.tenants.0,
        objects: p.objects,
        bytes: p.bytes,
        ..CollectionResult::of(p.target.clone())
    };
    let collections = plan.collections.iter().map(one).collect();
    let result = RunResult::of(Op::Restore, Status::Ok, Some(path_text(&plan.archive)), collections);
    let done = Done::Planned(Some(plan::about(plan) + &plan::resumed_run(plan) + &plan::collections(plan)));
    let objects = if plan.options.data { Objects::Counted } else { Objects::SchemasOnly };
    let differences: Vec<Note> = plan.differences.iter().map(difference).collect();
    let different = plan.collections.iter().filter_map(|p| p.merge).map(|merge| merge.different).sum();
    let more = not_listed(different, differences.len());
    let closing = Closing { done, objects, ..Closing::default() }
        .with_notes(Label::Differences, differences)
        .with(Label::Differences, more)
        .with(Label::Server, Some(closing::server(&plan.url, &plan.server_version)))
        .with(Label::Unchecked, closing::unchecked(plan.topology_unchecked.as_ref()));
    Finished { result, closing }
}

fn closing_of(outcome: &RestoreOutcome) -> Closing {
    // What the server refused is missing there, of course: that is told once.
    let sum = |of: fn(&CollectionResult) -> u64| outcome.result.collections.iter().map(of).sum::<u64>();
    let all_rejected = sum(|c| c.rejected) > 0 && sum(|c| c.only_left.unwrap_or(0)) == sum(|c| c.rejected);
    let explained = |differs: &Differs| all_rejected && differs.kind == Difference::OnlyLeft;
    let note = |(about, fact): &(CollectionName, _)| Note { about: about.to_string(), text: remark(Op::Restore, fact) };
    let role = |fact: &RoleRemark| Note { about: "Roles".to_owned(), text: remark(Op::Restore, &fact.clone().into()) };
    let differences: Vec<Note> = outcome.differences.iter().filter(|d| !explained(d)).map(difference).collect();
    let missing = if all_rejected { sum(|c| c.only_left.unwrap_or(0)) } else { 0 };
    let more = not_listed(differing(&outcome.result.collections) - missing, differences.len());
    let rejected = outcome.rejected.as_deref().map(path_text);
    Closing { rejected, missing_are_rejected: all_rejected, ..Closing::default() }
        .with(Label::Unchecked, closing::unchecked(outcome.topology_unchecked.as_ref()))
        .with_notes(Label::Differences, differences)
        .with(Label::Differences, more)
        .with_notes(Label::Note, outcome.remarks.iter().map(note).chain(outcome.about_roles.iter().map(role)))
        .with(Label::RunFiles, Some(shell_path(&outcome.run_dir)))
}

/// A run that stopped: the error, what it left on the server and on this disk, and how to go on. `resume`: the command
/// that carries it on.
fn stopped(stopped: RestoreStopped, resume: &str) -> Failure {
    let mut failure = explain(Verb::Restore, &stopped.error);
    failure.class = stopped.class();
    let begun = stopped.run_dir.is_some() && !(stopped.created.is_empty() && stopped.joined.is_empty());
    if begun && matches!(failure.class, Class::Interrupted | Class::Server | Class::Disk) {
        failure = failure.hint(format!("`{resume}` resumes it from here"));
    }
    for Lost { collection, there, .. } in &stopped.lost {
        failure = failure.hint(match there {
            None => format!("once nobody removes {collection} any more, `{resume}` restores it again from its first object"),
            Some(_) => format!("look at what is there now (`elysiactl col show {collection}`); once it is removed, and nobody removes what is restored, `{resume}` restores {collection} again from its first object"),
        });
    }
    if !stopped.undone.is_empty() {
        let names = stopped.undone.iter().take(CREATED_NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = stopped.undone.len().saturating_sub(CREATED_NAMED);
        let more = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
        failure = failure.hint(format!("this run had created, and removed again, empty as they were: {names}{more}"));
    }
    if !stopped.created.is_empty() {
        let each = stopped.created.iter().take(CREATED_NAMED);
        let each = each.map(|(name, objects)| format!("{name} with {}", counted(*objects, "object")));
        let mut there = each.collect::<Vec<_>>().join(", ");
        if let Some(more @ 1..) = stopped.created.len().checked_sub(CREATED_NAMED) {
            there = format!("{there} and {} more", count(more as u64));
        }
        failure = failure
            .hint(format!("on the server now, at least: {there}"))
            .hint("to start over, remove what was created, or restore under another name with --name or --rename");
    }
    for (name, tenants, objects) in &stopped.joined {
        let named = tenants.iter().take(CREATED_NAMED).map(TenantName::as_str).collect::<Vec<_>>().join(", ");
        let more = tenants.len().saturating_sub(CREATED_NAMED);
        let more = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
        let named = tenants.first().map(|_| format!(": {named}{more}"));
        let over = named
            .as_ref()
            .map(|_| format!("to start over, remove these tenants of {name}, or give others with --tenant TENANT=NEW"));
        let there = format!("perhaps in {name} now, with {} in all", counted(*objects, "object"));
        failure = failure.hint(there + &named.unwrap_or_default());
        failure = over.into_iter().fold(failure, Failure::hint);
    }
    if let Some(kept) = &stopped.kept {
        failure = failure.hint(format!(
            "what it has replaced, or was about to, is kept in {}: restore that with --merge --on-conflict overwrite to put it back",
            shell_path(kept)
        ));
    }
    if let Some(dir) = &stopped.run_dir {
        failure = failure.hint(format!("what was done is written down in {}", shell_path(dir)));
    }
    failure.after(stopped.partial.map_or_else(|| nothing(Op::Restore), |partial| *partial))
}

#[cfg(test)]
mod tests;
