//! `col clear`: settings in, a collection chosen, plan shown, each name typed out, operation, what is empty now out.

mod first;
pub(super) mod flags;
pub(super) mod plan;
mod resume;

use std::process::ExitCode;

use self::flags::{ClearArgs, ClearSettings};
use super::args::ConnectionArgs;
use super::explain::{Verb, explain};
use super::removal::{self, Consent, Loss};
use super::rm::flags::RmArgs;
use super::rm::{self, create_command};
use super::{Connect, Env, Failure, Finished, Out, closing, confirm, run_with_events};
use crate::event::{Class, CollectionResult, Event, Op, RunResult, Status};
use crate::model::{CollectionName, Selection};
use crate::ops::clear::{self, ClearOutcome, ClearPlan, ClearStopped, CollectionClear};
use crate::ops::exposed::warn_of_open_folders;
use crate::ops::held::HeldIn;
use crate::ops::inventory::{self, Listed};
use crate::ops::safety::SafetyCopy;
use crate::ops::{Error, Session};
use crate::render::{Closing, Done, Label, Note, Objects, counted, plain, remark, shell_path};
use crate::weaviate::{Client, Writer};

/// Collections named in the advice of a run that stopped.
const NAMED: usize = 10;

pub(super) fn run(args: &ClearArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    if args.delete_schema {
        return rm::run(&removing(args)?, connection, env, out);
    }
    let connect = Connect::resolve(connection, env)?;
    let mut settings = ClearSettings::resolve(args, env)?;
    let consent = Consent { yes: settings.yes, expected: settings.expect_count };
    let holds = match &settings.backup_first {
        Some(folder) => {
            Some(first::back_up(&settings, folder.clone(), consent, &connect, args.run_dir.as_deref(), out)?)
        }
        None => None,
    };
    run_with_events(out, Op::Clear, settings.dry_run, async |events, cancel| {
        if !settings.dry_run {
            removal::somebody_agrees(out, consent)?;
        }
        let client = connect.client(Verb::Clear, &events)?;
        let session = Session::new(events, cancel.clone());
        warn_of_open_folders(&session, vec![settings.options.folder.clone(), settings.options.state.runs.clone()])
            .await;
        let typed = settings.options.selection.take.clone();
        if settings.resume {
            resume::take_over(&mut settings, &session, client.url(), out).await?;
        }
        if settings.options.selection.take.is_empty() {
            settings.options.selection.take = vec![choose(&client, &session, out).await?];
        }
        let mut plan = clear::plan(&client, &session, settings.options.clone()).await.map_err(|e| explained(&e))?;
        if let Some((archive, sealed)) = holds {
            plan.must_be_held_in(archive, sealed);
        }
        let losses: Vec<Loss> = plan.collections.iter().map(|planned| loss(planned, &typed)).collect();
        removal::is_expected(consent, &losses)?;
        if settings.dry_run {
            session.events.emit(Event::PlanMade { collections: plan.listed() });
            return Ok(would(&plan));
        }
        // The plan that is shown is the truth: how it is emptied may depend on what the server would take back.
        let writer = Writer::new(client.clone());
        plan = clear::rehearse(&writer, &session, plan).await.map_err(|e| explained(&e))?;
        if !settings.yes || (out.asks() && out.wants_words()) {
            out.note(&plan::text(&plan));
        } else if out.wants_words() {
            out.note(&plan::headline(&plan));
        }
        let asked: Vec<usize> = (0..losses.len()).filter(|at| !plan.collections[*at].is_empty()).collect();
        let asked_losses: Vec<Loss> = asked.iter().map(|at| losses[*at].clone()).collect();
        let recount = async |at: usize, named: Option<HeldIn>| {
            let planned = &plan.collections[asked[at]];
            clear::recount(&client, &session, planned, named.as_ref()).await.map_err(|e| explained(&e))
        };
        let agreed = removal::agree(out, &cancel, consent, &asked_losses, recount).await?;
        for (at, agreed) in asked.into_iter().zip(agreed) {
            plan.collections[at].agreed = agreed.objects;
            plan.collections[at].standing.held_in = agreed.held_in;
        }
        if !consent.yes || consent.expected.is_some() {
            // Nobody is asked about what is empty: that it is was agreed to.
            for planned in plan.collections.iter_mut().filter(|planned| planned.is_empty()) {
                planned.agreed = Some(0);
            }
        }
        let server = closing::server(&plan.url, &plan.server_version);
        let names: Vec<CollectionName> = plan.collections.iter().map(|planned| planned.name().clone()).collect();
        let resume = resume::command(args, &names, &connect);
        let outcome = clear::run(&writer, &session, plan).await;
        let outcome = outcome.map_err(|e| stopped(&e, &connect, &resume))?;
        Ok(Finished { closing: closing_of(&outcome).with(Label::Server, Some(server)), result: outcome.result })
    })
}

fn explained(error: &Error) -> Failure {
    match error {
        Error::Interrupted => Failure::new(Class::Interrupted, "interrupted; nothing was changed"),
        other => explain(Verb::Clear, other),
    }
}

/// The same for `col rm`, which is what is meant with --delete-schema.
fn removing(args: &ClearArgs) -> Result<RmArgs, Failure> {
    if args.collections.is_empty() {
        return Err(Failure::new(Class::Usage, "no collection is named").hint("name it: elysiactl col rm NAME"));
    }
    Ok(RmArgs {
        collections: args.collections.clone(),
        output: args.output.clone(),
        expect_count: args.expect_count,
        allow_protected: args.allow_protected,
        dry_run: args.dry_run,
        yes: args.yes,
    })
}

/// Lets a person choose among the collections there are.
async fn choose(client: &Client, session: &Session, out: &Out) -> Result<String, Failure> {
    if !out.asks() {
        return Err(Failure::new(Class::Usage, "no collection is named").hint("name it: elysiactl col clear NAME"));
    }
    let all = Selection::default();
    let listed = tokio::select! {
        listed = inventory::list(client, &all) => listed.map_err(|e| explained(&e))?.collections,
        () = session.cancel.cancelled() => return Err(explained(&Error::Interrupted)),
    };
    if listed.is_empty() {
        return Err(explained(&Error::NothingToDo { excluded: false }));
    }
    let longest = listed.iter().map(|one| one.name.as_str().len()).max().unwrap_or(0).min(60);
    let line = |one: &Listed| {
        let objects = match (one.objects.objects, one.objects.objects_seen) {
            (Some(objects), _) => counted(objects, "object"),
            (None, Some(seen @ 1..)) => format!("{} counted, there may be more", counted(seen, "object")),
            (None, _) => "objects not counted".to_owned(),
        };
        plain(&format!("{:<longest$}  {objects}", one.name.as_str()))
    };
    let items = listed.iter().map(line).collect();
    let at = confirm::choose(out, &session.cancel, "Collection to empty", items).await?;
    Ok(listed[at].name.to_string())
}

/// `typed`: names and globs of the command line.
fn loss(planned: &CollectionClear, typed: &[String]) -> Loss {
    let name = planned.name().to_string();
    Loss {
        deed: format!("Empty {}", plan::subject(planned)),
        objects: planned.all_objects(),
        held_in: planned.standing.held_in.clone(),
        named: typed.contains(&name),
        name,
    }
}

/// What a dry run says.
fn would(plan: &ClearPlan) -> Finished {
    let one = |p: &CollectionClear| CollectionResult {
        objects: p.objects.exact().unwrap_or(0),
        tenants: p.tenants.as_ref().map_or(0, |tenants| tenants.len() as u64),
        ..CollectionResult::of(p.name().clone())
    };
    let result = RunResult::of(Op::Clear, Status::Ok, None, plan.collections.iter().map(one).collect());
    let uncounted = plan.collections.iter().any(|p| p.all_objects().is_none());
    let done = Done::Planned(Some(plan::collections(plan)));
    let closing = Closing { done, objects: objects(uncounted), ..Closing::default() }
        .with(Label::Server, Some(closing::server(&plan.url, &plan.server_version)))
        .with(Label::Unchecked, closing::unchecked(plan.topology_unchecked.as_ref()));
    Finished { result, closing }
}

fn objects(uncounted: bool) -> Objects {
    if uncounted { Objects::Uncounted } else { Objects::Counted }
}

fn closing_of(outcome: &ClearOutcome) -> Closing {
    let schema = |(about, saved): &(CollectionName, SafetyCopy)| Note {
        about: about.to_string(),
        text: format!("saved in {}", shell_path(&saved.schema)),
    };
    let note = |(about, fact): &(CollectionName, _)| Note { about: about.to_string(), text: remark(Op::Clear, fact) };
    Closing { objects: objects(outcome.uncounted), ..Closing::default() }
        .with(Label::Unchecked, closing::unchecked(outcome.topology_unchecked.as_ref()))
        .with_notes(Label::Saved, outcome.saved.iter().map(schema))
        .with_notes(Label::Note, outcome.remarks.iter().map(note))
        .with(Label::RunFiles, Some(shell_path(&outcome.run_dir)))
}

/// A run that stopped: the error, what is empty, what is not, and how a schema comes back. `resume`: the command that
/// carries it on.
fn stopped(stopped: &ClearStopped, connect: &Connect, resume: &str) -> Failure {
    let mut failure = explain(Verb::Clear, &stopped.error);
    failure.class = stopped.class();
    // Run again, it would empty what somebody else has made meanwhile.
    let is_other = matches!(stopped.error, Error::Recreated { .. } | Error::TenantRecreated { .. });
    let is_theirs = is_other && (stopped.dropped.is_some() || stopped.partly.is_some());
    if is_theirs {
        failure.hints.clear();
    } else if stopped.run_dir.is_some() && matches!(failure.class, Class::Interrupted | Class::Server | Class::Disk) {
        failure = failure.hint(format!("`{resume}` resumes it from here"));
    }
    if let Some((name, saved)) = &stopped.dropped {
        let command = create_command(saved, connect);
        failure = if is_theirs {
            failure
                .hint(format!(
                    "{name} was dropped, and somebody else created one of that name: that one was left alone"
                ))
                .hint(format!("once it is gone, `{command}` creates the one that was dropped again, empty"))
        } else {
            failure
                .hint(format!("{name} was dropped: run the command again to have it created again, empty"))
                .hint(format!("or create it from its saved schema: `{command}`"))
        };
        failure = failure.hint(match &stopped.safe_in {
            Some(archive) => format!("its objects are safe in {}", shell_path(archive)),
            None => "its objects went with it, as was agreed: this run made no backup of them".to_owned(),
        });
    }
    if let (Some(name), Error::NotDropped { .. }) = (&stopped.partly, &stopped.error) {
        failure = failure.hint(format!(
            "the drop of {name} was sent, and may still be carried out: should {name} be gone later, `{resume}` creates it \
             again, empty"
        ));
    } else if let (Some(name), true) = (&stopped.partly, is_theirs) {
        failure = failure
            .hint(format!("objects of {name} were deleted before that was seen"))
            .hint("look whose it is now: a clear without --resume would empty that");
    } else if let Some(name) = &stopped.partly {
        failure = failure.hint(format!("part of {name} may be gone: run the command again to empty it"));
    }
    let listed = |names: &[CollectionName]| {
        let first = names.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = names.len().checked_sub(NAMED).filter(|more| *more > 0);
        more.map_or_else(|| first.clone(), |more| format!("{first} and {more} more"))
    };
    if !stopped.done.is_empty() {
        failure = failure.hint(format!("empty: {}", listed(&stopped.done)));
    }
    if !stopped.untouched.is_empty() {
        failure = failure.hint(format!("nothing was done to: {}", listed(&stopped.untouched)));
    }
    if let Some(dir) = &stopped.run_dir {
        failure = failure.hint(format!("what was done is written down in {}", shell_path(dir)));
    }
    failure.after((*stopped.partial).clone())
}

#[cfg(test)]
mod tests;
