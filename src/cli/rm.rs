//! `col rm`: settings in, plan shown, each name typed out, operation, what is gone and how its schema comes back out.

pub(super) mod flags;
mod plan;

use std::process::ExitCode;

use self::flags::{RmArgs, RmSettings};
use super::args::ConnectionArgs;
use super::explain::{Verb, explain};
use super::removal::{self, Consent, Loss};
use super::runtime::nothing;
use super::{Connect, Env, Failure, Finished, Out, closing, run_with_events};
use crate::event::{Class, CollectionResult, Event, Op, RunResult, Status};
use crate::model::CollectionName;
use crate::ops::exposed::warn_of_open_folders;
use crate::ops::held::HeldIn;
use crate::ops::live_collections;
use crate::ops::remove::{self, CollectionRemoval, RemovalOutcome, RemovalPlan, RemovalStopped};
use crate::ops::safety::SafetyCopy;
use crate::ops::{Error, Session};
use crate::render::{Closing, Done, Label, Note, Objects, counted, shell_path};
use crate::weaviate::{Error as WireError, Writer};

/// Collections named in the advice of a run that stopped.
const NAMED: usize = 10;

pub(super) fn run(args: &RmArgs, connection: &ConnectionArgs, env: &Env, out: &Out) -> Result<ExitCode, Failure> {
    let connect = Connect::resolve(connection, env)?;
    let settings = RmSettings::resolve(args, env)?;
    let consent = Consent { yes: settings.yes, expected: settings.expect_count };
    run_with_events(out, Op::Rm, settings.dry_run, async |events, cancel| {
        if !settings.dry_run {
            removal::somebody_agrees(out, consent)?;
        }
        let client = connect.client(Verb::Rm, &events)?;
        let session = Session::new(events, cancel.clone());
        warn_of_open_folders(&session, vec![settings.options.folder.clone()]).await;
        let explained = |e: &Error| match e {
            Error::Interrupted => Failure::new(Class::Interrupted, "interrupted; nothing was changed"),
            other => explain(Verb::Rm, other),
        };
        let mut plan = remove::plan(&client, &session, settings.options.clone()).await.map_err(|e| explained(&e))?;
        let losses: Vec<Loss> = plan.collections.iter().map(|planned| loss(planned, &settings)).collect();
        if settings.dry_run {
            removal::is_expected(consent, &losses)?;
            session.events.emit(Event::PlanMade { collections: plan.listed() });
            return Ok(would(&plan));
        }
        if !settings.yes || (out.asks() && out.wants_words()) {
            out.note(&plan::text(&plan));
        }
        let recount = async |at: usize, named: Option<HeldIn>| {
            let standing = &plan.collections[at].standing;
            live_collections::recount(&client, &session, standing, named.as_ref()).await.map_err(|e| explained(&e))
        };
        let agreed = Box::pin(removal::agree(out, &cancel, consent, &losses, recount)).await?;
        for (planned, agreed) in plan.collections.iter_mut().zip(agreed) {
            (planned.agreed, planned.standing.held_in) = (agreed.objects, agreed.held_in);
        }
        if !out.asks() && out.wants_words() {
            out.note(&plan::headline(&plan));
        }
        let server = closing::server(&plan.url, &plan.server_version);
        let objects = objects_of(&plan);
        let outcome = remove::run(&Writer::new(client), &session, plan).await.map_err(|e| stopped(e, &connect))?;
        let closing = Closing { objects, ..closing_of(&outcome) }.with(Label::Server, Some(server));
        Ok(Finished { result: outcome.result, closing })
    })
}

fn loss(planned: &CollectionRemoval, settings: &RmSettings) -> Loss {
    let standing = &planned.standing;
    let name = standing.name().to_string();
    Loss {
        deed: format!("Remove {name}"),
        objects: standing.all_objects(),
        held_in: standing.held_in.clone(),
        named: settings.options.selection.take.contains(&name),
        name,
    }
}

/// What a dry run says.
fn would(plan: &RemovalPlan) -> Finished {
    let one = |p: &CollectionRemoval| CollectionResult {
        objects: p.standing.objects.exact().unwrap_or(0),
        tenants: p.standing.tenants.as_ref().map_or(0, |tenants| tenants.len() as u64),
        ..CollectionResult::of(p.standing.name().clone())
    };
    let result = RunResult::of(Op::Rm, Status::Ok, None, plan.collections.iter().map(one).collect());
    let done = Done::Planned(Some(plan::collections(plan)));
    let closing = Closing { done, objects: objects_of(plan), ..Closing::default() }
        .with(Label::Server, Some(closing::server(&plan.url, &plan.server_version)))
        .with(Label::Unchecked, closing::unchecked(plan.topology_unchecked.as_ref()));
    Finished { result, closing }
}

fn objects_of(plan: &RemovalPlan) -> Objects {
    if plan.objects().is_some() { Objects::Counted } else { Objects::Uncounted }
}

fn closing_of(outcome: &RemovalOutcome) -> Closing {
    let schema = |(about, saved): &(CollectionName, SafetyCopy)| Note {
        about: about.to_string(),
        text: format!("saved in {}", shell_path(&saved.schema)),
    };
    let back = |name: &CollectionName| {
        Note {
        about: name.to_string(),
        text: "it is there again: somebody created it, or a concurrent write did (auto-schema); see whose it is before you remove it once more".into(),
    }
    };
    let dangling = |(alias, of): &(String, CollectionName)| Note {
        about: of.to_string(),
        text: format!("the alias {alias} stood for it, and stands for nothing now"),
    };
    let unseen = |name: &CollectionName| Note {
        about: name.to_string(),
        text: format!("aliases that stood for it are {}", closing::UNSEEN_ALIASES),
    };
    let notes = outcome.dangling.iter().map(dangling).chain(outcome.aliases_unseen.iter().map(unseen));
    Closing::default()
        .with(Label::Unchecked, closing::unchecked(outcome.topology_unchecked.as_ref()))
        .with_notes(Label::Saved, outcome.saved.iter().map(schema))
        .with_notes(Label::Note, notes)
        .with_notes(Label::Incomplete, outcome.back.iter().map(back))
}

/// The command that makes a collection again, without its objects.
pub(super) fn create_command(saved: &SafetyCopy, connect: &Connect) -> String {
    let schema = closing::path_flag("--schema-file", Some(&saved.schema));
    let tenants = closing::path_flag("--tenants-file", saved.tenants.as_deref());
    format!("elysiactl col create{schema}{tenants}{}", connect.url_flag(&connect.url))
}

/// A run that stopped: the error, what is gone, what is not, and how a schema comes back.
fn stopped(stopped: RemovalStopped, connect: &Connect) -> Failure {
    let mut failure = explain(Verb::Rm, &stopped.error);
    failure.class = stopped.class();
    let named = |names: &mut dyn Iterator<Item = &CollectionName>, all: usize| {
        let listed = names.take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if all > NAMED { format!("{listed} and {} more", all - NAMED) } else { listed }
    };
    if let Error::NotDropped { source: Some(WireError::Exhausted { .. }), .. } = &stopped.error {
        failure = failure
            .hint("the request was not answered, and may still be carried out: look before anything is written to it");
    }
    if let (Some(saved), Some(name)) = (&stopped.saved, stopped.left.first()) {
        let command = create_command(saved, connect);
        failure =
            failure.hint(format!("the schema of {name} is saved; should it be gone, `{command}` creates it again"));
    }
    for (name, saved) in stopped.removed.iter().take(NAMED) {
        failure =
            failure.hint(format!("{name} is removed; `{}` creates it again, empty", create_command(saved, connect)));
    }
    if let Some(more @ 1..) = stopped.removed.len().checked_sub(NAMED) {
        failure = failure.hint(format!("so are {more} more, whose schemas are saved in the same folder"));
    }
    for (alias, of) in stopped.dangling.iter().take(NAMED) {
        failure = failure.hint(format!("the alias {alias} stood for {of}, and stands for nothing now"));
    }
    if let Some(more @ 1..) = stopped.dangling.len().checked_sub(NAMED) {
        failure = failure.hint(format!("so do {more} more aliases of what is removed"));
    }
    if !stopped.aliases_unseen.is_empty() {
        let of = named(&mut stopped.aliases_unseen.iter(), stopped.aliases_unseen.len());
        failure = failure.hint(format!("aliases that stood for {of} are {}", closing::UNSEEN_ALIASES));
    }
    if stopped.removed.is_empty() {
        failure = failure.hint("nothing was removed");
    } else if !stopped.left.is_empty() {
        let left = named(&mut stopped.left.iter(), stopped.left.len());
        failure = failure.hint(format!("not removed, {}: {left}", counted(stopped.left.len() as u64, "collection")));
    }
    failure.after(stopped.partial.map_or_else(|| nothing(Op::Rm), |partial| *partial))
}

#[cfg(test)]
mod tests;
