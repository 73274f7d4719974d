//! Scratch collections go: those of this run, and those that killed runs left.

use std::time::Duration;

use super::books;
use crate::archive::runfiles::LeftScratch;
use crate::event::Warning;
use crate::model::{CollectionName, Schema};
use crate::ops::restore::StateFolders;
use crate::ops::{Error, Session};
use crate::weaviate::{Count, Writer};

/// Requests to remove a scratch collection, and pauses between two looks at whether it is gone.
const REMOVALS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];
/// How long all of that may take: a server that is away keeps nobody waiting, since the next run removes it.
const REMOVAL_TIME: Duration = Duration::from_secs(20);
/// How long a server may go on with a request to create whose sender was killed.
const LATE: Duration = Duration::from_secs(2);
/// The same, until such a journal is no longer kept for the next run.
const LATEST: Duration = Duration::from_secs(60);
/// Pause between two looks at what may come late.
const LATE_PAUSE: Duration = Duration::from_millis(100);

/// Drops a scratch collection until it is seen to be gone; otherwise why it is not. Such a name is used once, so that the
/// request may be sent again.
pub(super) async fn removed(writer: &Writer, name: &CollectionName) -> Result<(), String> {
    if !name.is_scratch() {
        return Err("it is no scratch collection".to_owned());
    }
    let mut why = format!("no answer within {} s", REMOVAL_TIME.as_secs());
    let gone = tokio::time::timeout(REMOVAL_TIME, remove(writer, name, &mut why)).await.unwrap_or(false);
    if gone { Ok(()) } else { Err(why) }
}

/// Whether it is gone; `why` it is not.
async fn remove(writer: &Writer, name: &CollectionName, why: &mut String) -> bool {
    for pause in REMOVALS {
        tokio::time::sleep(pause).await;
        let asked = writer.drop_collection(name).await;
        match writer.schema(name).await {
            Ok(None) => return true,
            Ok(Some(_)) => {
                *why = asked.err().map_or_else(|| "it is still there".to_owned(), |error| error.to_string());
            }
            Err(error) => *why = error.to_string(),
        }
    }
    false
}

/// Removes the scratch collections that killed runs left on this server, by their journals. The same server may have been
/// called otherwise then: what a journal of another address names is removed where it is found, as such a name is used once.
pub(in crate::ops) async fn sweep(writer: &Writer, session: &Session, state: &StateFolders) -> Result<(), Error> {
    for left in books::left(session, state, writer.url()).await? {
        // One that stays, or may still come, keeps the journal, and none of the others.
        let mut is_done = true;
        for (name, at) in &left.names {
            let age = || session.clock.now().duration_since(*at).try_into().unwrap_or(Duration::ZERO);
            is_done &= swept(writer, session, &left, name, age).await?;
        }
        if is_done {
            books::forget(left).await;
        }
    }
    Ok(())
}

/// Removes one scratch collection of such a journal. Whether the journal needs to tell of it no more.
async fn swept(
    writer: &Writer,
    session: &Session,
    left: &LeftScratch,
    name: &CollectionName,
    age: impl Fn() -> Duration,
) -> Result<bool, Error> {
    let stays = |reason| {
        session.events.warn(Warning::ScratchStays { collection: name.clone(), reason });
        Ok(false)
    };
    let there = loop {
        let there = match session.unless_stopped(writer.schema(name)).await {
            // This key may not see it. Another one made it.
            Err(Error::Wire(error)) if error.is_no() => {
                return if left.is_of_this_address { stays(error.to_string()) } else { Ok(false) };
            }
            there => there?,
        };
        if there.is_some() || age() >= LATE {
            break there;
        }
        tokio::time::sleep(LATE_PAUSE).await;
    };
    let Some(there) = there else { return Ok(left.is_of_this_address && age() >= LATEST) };
    if let Some(reason) = in_use(writer, session, &there).await? {
        return stays(reason);
    }
    match removed(writer, name).await {
        Ok(()) => session.events.warn(Warning::ScratchRemoved { collection: name.clone() }),
        Err(reason) => return stays(reason),
    }
    Ok(true)
}

/// Why a scratch collection is not removed, if somebody wrote to it.
async fn in_use(writer: &Writer, session: &Session, there: &Schema) -> Result<Option<String>, Error> {
    if there.multi_tenant {
        // Its tenants are inactive, and nobody can have written to them.
        return Ok(None);
    }
    let counts = session.unless_stopped(writer.counts(std::slice::from_ref(&there.name))).await?;
    Ok(match counts.first() {
        Some(Count::Exact(objects @ 1..)) => Some(format!("{objects} objects were written to it")),
        _ => None,
    })
}
