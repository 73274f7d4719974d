//! Drops a collection, and believes it only once it is seen to be gone.

use std::time::{Duration, Instant};

use super::firsts::{Became, Firsts};
use super::{Error, WriteAccess};
use crate::model::Schema;
use crate::weaviate::{Error as WireError, Topology};

/// Pauses between two looks at whether a collection is gone: the first ones, then the last one again and again.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(1)];

/// Requests to drop one collection, as long as a gateway answers in the place of the server.
pub(super) const DROPS: u32 = 3;
/// The share of the patience that a collection must still be there before it is dropped once more.
const BEFORE_NEXT: u32 = 6;

/// How long what was to be removed must still be there before it is asked for once more: whatever a gateway let through of the
/// last request has been carried out by then.
pub(super) fn before_next(patience: Duration) -> Duration {
    patience / BEFORE_NEXT
}

/// What became of a collection that was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dropped {
    /// It is gone.
    Gone,
    /// Another one of that name is there: somebody made it, or had the server make one up by writing to it.
    Back,
}

/// Drops a collection. The request goes out once, since one without an answer may be carried out later, when the name
/// stands for another collection; what happened is read back for as long as `patience`. Only where a gateway answered (502,
/// 503) and the very same collection is still there after a while, it goes out again. By the names of its `shards`, or,
/// where the drop was answered, the `firsts` of its tenants, a collection that came back is told from one that was never
/// dropped.
pub(super) async fn drop_collection(
    access: WriteAccess<'_>,
    schema: &Schema,
    shards: &[String],
    firsts: &Firsts,
    patience: Duration,
) -> Result<Dropped, Error> {
    let collection = &schema.name;
    let mut asked = access.writer.drop_collection(collection).await;
    let (begun, mut last, mut drops) = (Instant::now(), Instant::now(), 1);
    let mut pauses = PAUSES.into_iter();
    let mut pause = Duration::ZERO;
    loop {
        pause = pauses.next().unwrap_or(pause);
        tokio::time::sleep(pause).await;
        // Seen through even when told to stop: whether it is gone has to be known.
        let Some(there) = access.client.schema(collection).await? else { return Ok(Dropped::Gone) };
        // What nobody said was dropped may have been written to instead.
        let firsts = asked.is_ok().then_some(firsts);
        if is_another(access, schema, (shards, firsts), &there).await {
            return Ok(Dropped::Back);
        }
        // What was refused will not happen any more.
        let refused = asked.as_ref().is_err_and(|error| !matches!(error, WireError::Exhausted { .. }));
        let gateway = asked.as_ref().is_err_and(WireError::is_gateway);
        if gateway && drops < DROPS && last.elapsed() >= before_next(patience) && !access.cancel.is_cancelled() {
            asked = access.writer.drop_collection(collection).await;
            (last, drops) = (Instant::now(), drops + 1);
            continue;
        }
        if refused || begun.elapsed() >= patience || access.cancel.is_cancelled() {
            break;
        }
    }
    Err(Error::NotDropped { collection: collection.clone(), source: asked.err() })
}

/// Whether what is there now is another collection of that name: all its shards have other names. A collection that the
/// server made up has no tenants.
async fn is_another(
    access: WriteAccess<'_>,
    before: &Schema,
    (shards, firsts): (&[String], Option<&Firsts>),
    there: &Schema,
) -> bool {
    if before.multi_tenant != there.multi_tenant {
        return true;
    }
    if let Some(firsts) = firsts.filter(|firsts| before.multi_tenant && !firsts.is_empty()) {
        let Ok(tenants) = access.client.tenants(&there.name).await else { return false };
        let became = firsts.became(access.reading, &there.name, &tenants).await;
        return firsts.are_gone_from(&tenants) || matches!(became, Ok(Became::Others(_)));
    }
    let (Topology::Whole { shards: now, .. } | Topology::Unchecked { shards: now, .. }) =
        access.client.topology(there).await
    else {
        return false;
    };
    if shards.is_empty() || now.is_empty() {
        // Without their names: one that the server made up from what was written to it looks different.
        return before.text != there.text;
    }
    now.iter().all(|name| !shards.contains(name))
}
