//! Carries out the plan of a removal: one collection after the other is looked at once more, saved, and dropped.

use std::time::Duration;

use super::{CollectionRemoval, RemovalOutcome, RemovalPlan, RemovalStopped};
use crate::archive::claims::Claim;
use crate::event::{CollectionResult, Event, Op, Status};
use crate::model::{CollectionName, path_text};
use crate::ops::dropping::{Dropped, drop_collection};
use crate::ops::held;
use crate::ops::live_collections::{self, Now, Standing};
use crate::ops::run::claim::Claiming;
use crate::ops::safety::{self, SafetyCopy};
use crate::ops::schema;
use crate::ops::{Error, Session, WriteAccess};
use crate::weaviate::{Count, Writer};

/// How long after the last drop it is looked once more whether a collection came back: whoever writes to it has written
/// by then.
const LAST_LOOK: Duration = Duration::from_millis(300);

/// What a run gathered so far.
#[derive(Default)]
struct RemovalGathered {
    claim: Option<Claim>,
    removed: Vec<(CollectionName, SafetyCopy)>,
    back: Vec<CollectionName>,
    /// What was saved of the collection at work.
    saved: Option<SafetyCopy>,
    results: Vec<CollectionResult>,
}

/// Runs a plan to its end. It stops at the first collection that is not as planned or cannot be dropped.
///
/// # Errors
///
/// [`RemovalStopped`] says why, and what was removed and saved until then.
pub async fn run(writer: &Writer, session: &Session, plan: RemovalPlan) -> Result<RemovalOutcome, RemovalStopped> {
    let access = WriteAccess::new(writer, session);
    access.events.emit(Event::PlanMade { collections: plan.listed() });
    let mut gathered = RemovalGathered::default();
    let done = Box::pin(remove_all(access, &plan, &mut gathered)).await;
    let status = if gathered.back.is_empty() { Status::Ok } else { Status::Incomplete };
    let result = access.result(Op::Rm, status, None, gathered.results.clone());
    let topology_unchecked = plan.topology_unchecked.clone();
    let is_removed = |name: &CollectionName| gathered.removed.iter().any(|(removed, _)| removed == name);
    let is_gone = |name: &CollectionName| is_removed(name) && !gathered.back.contains(name);
    let gone = || plan.collections.iter().map(|planned| &planned.standing).filter(|one| is_gone(one.name()));
    let stood = |one: &Standing| {
        let name = one.name().clone();
        one.aliases.clone().into_iter().map(move |alias| (alias, name.clone()))
    };
    let dangling: Vec<(String, CollectionName)> = gone().flat_map(stood).collect();
    let aliases_unseen = gone().filter(|one| one.aliases_unseen).map(|one| one.name().clone()).collect();
    match done {
        Ok(()) => {
            let (saved, back) = (gathered.removed, gathered.back);
            Ok(RemovalOutcome { result, saved, back, dangling, aliases_unseen, topology_unchecked })
        }
        Err(error) => {
            let names = plan.collections.iter().map(|planned| planned.standing.name().clone());
            let left = names.filter(|name| !is_removed(name)).collect();
            let (removed, saved) = (gathered.removed, gathered.saved);
            Err(RemovalStopped {
                error,
                removed,
                saved,
                left,
                dangling,
                aliases_unseen,
                partial: Some(Box::new(result)),
            })
        }
    }
}

async fn remove_all(access: WriteAccess<'_>, plan: &RemovalPlan, gathered: &mut RemovalGathered) -> Result<(), Error> {
    claim(access, plan, gathered).await?;
    for planned in &plan.collections {
        access.go_on()?;
        remove_one(access, plan, planned, gathered).await?;
    }
    look_once_more(access, gathered).await
}

async fn claim(access: WriteAccess<'_>, plan: &RemovalPlan, gathered: &mut RemovalGathered) -> Result<(), Error> {
    let claiming = Claiming {
        access: access.reading,
        locks: &plan.options.locks,
        targets: plan.collections.iter().map(|p| p.standing.name().clone()).collect(),
        shards: plan.collections.iter().flat_map(|p| p.standing.shards.clone()).collect(),
    };
    gathered.claim = Some(claiming.take(Op::Rm).await?);
    Ok(())
}

async fn remove_one(
    access: WriteAccess<'_>,
    plan: &RemovalPlan,
    planned: &CollectionRemoval,
    gathered: &mut RemovalGathered,
) -> Result<(), Error> {
    let before = &planned.standing;
    access
        .session
        .events
        .emit(Event::CollectionStarted { collection: before.name().clone(), objects: before.objects.exact() });
    // What is saved and dropped is what is there now.
    let Now { schema, tenants, objects, topology_unchecked } = live_collections::now(access.reading, before).await?;
    if let Some(was) = planned.agreed
        && objects.exact() != Some(was)
    {
        let (collection, now, expires) = (before.name().clone(), objects.exact(), schema::expires(&schema));
        return Err(Error::Moved { collection, was, now, expires });
    }
    // Nobody was asked for a number; it must stand still all the same.
    if let Some((before_it, after)) = before.objects.exact().zip(objects.exact())
        && planned.agreed.is_none()
        && before_it != after
    {
        return Err(Error::BeingWritten { collection: before.name().clone(), before: before_it, after });
    }
    held::is_held_still(access.reading, &before.doomed(), before.held_in.as_ref()).await?;
    let from = safety::From {
        url: &plan.url,
        server_version: &plan.server_version,
        topology_unchecked: topology_unchecked.as_deref(),
    };
    let saved =
        safety::save(access.session, &plan.options.folder, from, &schema, &before.shards, tenants.as_deref()).await?;
    gathered.saved = Some(saved.clone());
    access.go_on()?;
    let dropped = drop_collection(access, &schema, &before.shards, &before.firsts, plan.options.patience).await?;
    gathered.saved = None;
    let result = CollectionResult {
        tenants: tenants.map_or(0, |tenants| tenants.len() as u64),
        objects: match objects {
            Count::Exact(objects) => objects,
            Count::Unknown { .. } => 0,
        },
        schema_saved: Some(path_text(&saved.schema)),
        ..CollectionResult::of(schema.name.clone())
    };
    gathered.removed.push((schema.name.clone(), saved));
    if dropped == Dropped::Back {
        gathered.back.push(schema.name.clone());
    }
    access.events.emit(Event::CollectionFinished(result.clone()));
    gathered.results.push(result);
    Ok(())
}

/// A writer that did not notice may take a moment to bring a collection back.
async fn look_once_more(access: WriteAccess<'_>, gathered: &mut RemovalGathered) -> Result<(), Error> {
    let pause = tokio::time::sleep(LAST_LOOK);
    tokio::select! {
        () = pause => {}
        () = access.cancel.cancelled() => {}
    }
    // What was removed was seen to be gone; that it stays so is asked for once, and not waited for.
    let Ok(there) = access.ask(access.client.schemas()).await else { return Ok(()) };
    for (name, _) in &gathered.removed {
        if there.iter().any(|schema| schema.name == *name) && !gathered.back.contains(name) {
            gathered.back.push(name.clone());
        }
    }
    Ok(())
}
