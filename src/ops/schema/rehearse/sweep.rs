//! Scratch collections go: those of this run, and those that killed runs left.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::books;
use crate::archive::runfiles::LeftScratch;
use crate::event::Warning;
use crate::model::{CollectionName, Schema};
use crate::ops::{Error, StateFolders, WriteAccess};
use crate::weaviate::Writer;

/// Requests to remove a scratch collection, and pauses between two looks at whether it is gone.
const REMOVALS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];
/// How long all of that may take: a server that is away keeps nobody waiting, since the next run removes it.
const REMOVAL_TIME: Duration = Duration::from_secs(20);
/// The same, once the run is told to stop.
const REMOVAL_TIME_STOPPED: Duration = Duration::from_secs(3);
/// How long a server may go on with a request to create whose sender was killed.
const LATE: Duration = Duration::from_secs(2);
/// The same, until such a journal is no longer kept for the next run.
const LATEST: Duration = Duration::from_secs(60);
/// Pause between two looks at what may come late.
const LATE_PAUSE: Duration = Duration::from_millis(100);

/// Why a scratch collection stays for now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScratchStays {
    #[error("the server did not answer in time")]
    NoAnswer,
    #[error("it is no scratch collection")]
    NotScratch,
    #[error("it is still there")]
    StillThere,
    /// The server's words.
    #[error("{0}")]
    Refused(String),
}

/// Drops a scratch collection until it is seen to be gone, within a bounded time, and a shorter one once the run is told to
/// stop. Such a name is used once, so that the request may be sent again.
pub(super) async fn removed(access: WriteAccess<'_>, name: &CollectionName) -> Result<(), ScratchStays> {
    if !name.is_scratch() {
        return Err(ScratchStays::NotScratch);
    }
    let stopped = async {
        access.cancel.cancelled().await;
        tokio::time::sleep(REMOVAL_TIME_STOPPED).await;
    };
    tokio::select! {
        done = remove(access.writer, name) => done,
        () = tokio::time::sleep(REMOVAL_TIME) => Err(ScratchStays::NoAnswer),
        () = stopped => Err(ScratchStays::NoAnswer),
    }
}

/// Until it is gone; otherwise why it is not.
async fn remove(writer: &Writer, name: &CollectionName) -> Result<(), ScratchStays> {
    let mut why = ScratchStays::StillThere;
    for pause in REMOVALS {
        tokio::time::sleep(pause).await;
        let asked = writer.drop_collection(name).await;
        match writer.client().schema(name).await {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => {
                why = asked.err().map_or(ScratchStays::StillThere, |error| ScratchStays::Refused(error.to_string()));
            }
            Err(error) => why = ScratchStays::Refused(error.to_string()),
        }
    }
    Err(why)
}

/// Removes the scratch collections that killed runs left on this server, by their journals. The same server may have been
/// called otherwise then: what a journal of another address names is removed where it is found, as such a name is used once.
/// What cannot be removed is said, and is no reason to end: it has nothing to do with this run.
pub(in crate::ops) async fn sweep(access: WriteAccess<'_>, state: &StateFolders) -> Result<(), Error> {
    for left in books::left(access.session, state, access.client.url()).await? {
        // One that stays, or may still come, keeps the journal, and none of the others.
        let mut is_done = true;
        for (name, at) in &left.names {
            match swept(access, &left, name, *at).await? {
                Swept::Nothing => {}
                Swept::Removed => access.events.warn(Warning::ScratchRemoved { collection: name.clone() }),
                Swept::MayBe => is_done = false,
                Swept::InUse { objects } => {
                    is_done = false;
                    access.events.warn(Warning::ScratchInUse { collection: name.clone(), objects });
                }
                Swept::Stays(why) => {
                    is_done = false;
                    let no_answer = why == ScratchStays::NoAnswer;
                    access.events.warn(Warning::ScratchStays { collection: name.clone(), reason: why.to_string() });
                    if no_answer {
                        return Ok(());
                    }
                }
            }
        }
        if is_done {
            books::forget(left).await;
        }
    }
    Ok(())
}

/// What became of a scratch collection that a killed run had written down.
enum Swept {
    /// It is not there, and does not come any more.
    Nothing,
    /// It may come yet, or be on another server.
    MayBe,
    /// It was there.
    Removed,
    /// Somebody wrote to it: a person has to see to it.
    InUse {
        /// Objects in it.
        objects: u64,
    },
    /// It may be there, and could not be removed.
    Stays(ScratchStays),
}

/// Removes a scratch collection that was to be created at `at`.
async fn swept(
    access: WriteAccess<'_>,
    left: &LeftScratch,
    name: &CollectionName,
    at: Timestamp,
) -> Result<Swept, Error> {
    // This machine's clock may have been put back since: how long is waited here does not depend on it.
    let age = access.clock.now().duration_since(at).unsigned_abs();
    let begun = Instant::now();
    let refused = |error: &crate::weaviate::Error| {
        let stays = || Swept::Stays(ScratchStays::Refused(error.to_string()));
        if left.is_of_this_address { stays() } else { Swept::MayBe }
    };
    let there = loop {
        match access.ask(access.client.schema(name)).await {
            Ok(Some(there)) => break there,
            Ok(None) if age + begun.elapsed() < LATE => tokio::time::sleep(LATE_PAUSE).await,
            Ok(None) if left.is_of_this_address && age >= LATEST => return Ok(Swept::Nothing),
            Ok(None) => return Ok(Swept::MayBe),
            // This key may not see it: another one made it. Or the server cannot say at the moment.
            Err(Error::Wire(error)) if error.status().is_some() => return Ok(refused(&error)),
            Err(error) => return Err(error),
        }
    };
    match written(access, &there).await {
        Ok(0) => {}
        Ok(objects) => return Ok(Swept::InUse { objects }),
        Err(Error::Wire(error)) if error.status().is_some() => return Ok(refused(&error)),
        Err(error) => return Err(error),
    }
    Ok(removed(access, name).await.map_or_else(Swept::Stays, |()| Swept::Removed))
}

/// Objects that somebody wrote to a scratch collection, as far as they can be counted.
async fn written(access: WriteAccess<'_>, there: &Schema) -> Result<u64, Error> {
    if there.multi_tenant {
        // Its tenants are inactive, and nobody can have written to them.
        return Ok(0);
    }
    Ok(access.count(&there.name).await?.exact().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::ScratchStays;

    #[test]
    fn why_a_scratch_collection_stays_is_told() {
        for (stays, told) in [
            (ScratchStays::NoAnswer, "the server did not answer in time"),
            (ScratchStays::NotScratch, "it is no scratch collection"),
            (ScratchStays::StillThere, "it is still there"),
            (ScratchStays::Refused("no".into()), "no"),
        ] {
            assert_eq!(stays.to_string(), told);
        }
    }
}
