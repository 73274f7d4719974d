//! `col create`: a class document from a file or from flags, plan shown and confirmed, operation, what was made out.

mod document;
pub(super) mod flags;
mod plan;

use std::process::ExitCode;

use self::flags::CreateArgs;
use super::args::ConnectionArgs;
use super::explain::{Verb, explain};
use super::runtime::nothing;
use super::schema_file::{class_document, stdin_is_read_once};
use super::{Connect, Env, Failure, Finished, Out, closing, confirm, run_with_events, settings};
use crate::event::{Class, CollectionResult, Event, Op, RunResult, Status};
use crate::ops::create::{self, CreationOptions, CreationOutcome, CreationPlan, CreationStopped};
use crate::ops::{Error, Session};
use crate::render::{Closing, Done, Label, Note, Objects, counted, plain, remark};
use crate::weaviate::Writer;

pub(super) fn run(args: &CreateArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    stdin_is_read_once([&args.schema_file, &args.tenants_file, &connection.api_key_file])?;
    let connect = Connect::resolve(connection, env)?;
    let options = options(args, env)?;
    run_with_events(out, Op::Create, args.creating.dry_run, async |events, cancel| {
        let client = connect.client(Verb::Create, &events)?;
        let session = Session::new(events, cancel.clone());
        let prepared = create::plan(&client, &session, options).await.map_err(|e| refused(&e))?;
        if args.creating.dry_run {
            session.events.emit(Event::PlanMade { collections: prepared.plan.listed() });
            return Ok(would(&prepared.plan));
        }
        let writer = Writer::new(client);
        let rehearsed = create::rehearse(&writer, &session, prepared).await;
        let prepared = rehearsed.map_err(|e| refused(&e))?;
        let planned = &prepared.plan;
        let question = out.asks() && !args.creating.yes;
        if question || (out.asks() && out.wants_words()) {
            out.note(&plan::text(planned));
        } else if out.wants_words() {
            out.note(&plain(&format!("Creating {} on {}", planned.name, planned.url)));
            out.note("\n");
        }
        if question {
            let text = plain(&format!("Create {} on {}?", planned.name, planned.url));
            confirm::ask(out, &cancel, confirm::Question::yes_unless_no(&text)).await?;
        }
        let server = closing::server(&planned.url, &planned.server_version);
        let outcome = create::run(&writer, &session, prepared).await.map_err(stopped)?;
        // Flags leave nearly everything to the server, and that is what they are for.
        let closing = closing_of(&outcome, args.schema_file.is_some()).with(Label::Server, Some(server));
        Ok(Finished { result: outcome.result, closing })
    })
}

fn refused(error: &Error) -> Failure {
    match error {
        Error::Interrupted => Failure::new(Class::Interrupted, "interrupted; nothing was created"),
        other => explain(Verb::Create, other),
    }
}

fn options(args: &CreateArgs, env: &Env) -> Result<CreationOptions, Failure> {
    let (schema, name) = match (&args.schema_file, &args.name) {
        (Some(path), name) => (class_document(path)?, name.clone()),
        (None, Some(name)) => (document::from_flags(args, name)?, None),
        (None, None) => return Err(Failure::new(Class::Usage, "neither a name nor --schema-file is given")),
    };
    let tenants = args.tenants_file.as_deref().map(document::tenants).transpose()?.unwrap_or_default();
    if !tenants.is_empty() && !schema.multi_tenant {
        let text = format!("--tenants-file: {} is not multi-tenant", name.as_ref().unwrap_or(&schema.name));
        return Err(
            Failure::new(Class::Usage, text).hint("--multi-tenant makes it so, or multiTenancyConfig in its file")
        );
    }
    Ok(CreationOptions {
        schema,
        name,
        tenants,
        state: settings::state_alone(env)?,
        rehearse: !args.creating.no_rehearsal,
    })
}

/// What a dry run says.
fn would(plan: &CreationPlan) -> Finished {
    let one = CollectionResult { tenants: plan.tenants.len() as u64, ..CollectionResult::of(plan.name.clone()) };
    let done = Done::Planned(Some(plan::collection(plan)));
    let closing = Closing { done, objects: Objects::Uncounted, ..Closing::default() }
        .with(Label::Server, Some(closing::server(&plan.url, &plan.server_version)))
        .with(Label::Unchecked, closing::unchecked(plan.topology_unchecked.as_ref()));
    Finished { result: RunResult::of(Op::Create, Status::Ok, None, vec![one]), closing }
}

fn closing_of(outcome: &CreationOutcome, with_additions: bool) -> Closing {
    let collection = outcome.result.collections.first();
    let about = collection.map(|c| c.name.to_string()).unwrap_or_default();
    let tenants = collection.map_or(0, |c| c.tenants);
    let note = |text: String| Note { about: about.clone(), text };
    let created = (tenants > 0).then(|| counted(tenants, "tenant") + " created");
    let added = (with_additions && !outcome.additions.is_empty())
        .then(|| format!("settings that the server added: {}", outcome.additions.join(", ")));
    Closing { objects: Objects::Uncounted, ..Closing::default() }
        .with(Label::Unchecked, closing::unchecked(outcome.topology_unchecked.as_ref()))
        .with_notes(
            Label::Note,
            created
                .into_iter()
                .chain(outcome.remarks.iter().map(|fact| remark(Op::Create, fact)))
                .chain(added)
                .map(note),
        )
        .with_notes(
            Label::Incomplete,
            outcome.missing.iter().map(|fact| note(remark(Op::Create, &fact.clone().into()))),
        )
}

/// A creation that stopped: the error, and what it may have left.
fn stopped(stopped: CreationStopped) -> Failure {
    let failure = explain(Verb::Create, &stopped.error);
    // This error says the same with an advice of its own.
    let told = matches!(stopped.error, Error::MadeOtherwise { .. });
    let failure = match stopped.perhaps_there.filter(|_| !told) {
        Some(name) => failure.hint(format!(
            "{name} may be there now, without objects: `elysiactl col rm {name}` removes it before the next try"
        )),
        None => failure,
    };
    failure.after(nothing(Op::Create))
}

#[cfg(test)]
mod tests;
