//! Whether the replicas of a collection hold the same: every page has them compared before it is read
//! (`pipeline::replicas`), and the number of objects is asked of one of them and of all.

use std::time::Duration;

use super::collect::Collect;
use crate::event::Warning;
use crate::ops::Error;
use crate::pipeline::replicas::ReplicaFindings;
use crate::weaviate::Count;

/// Pauses before the questions how many objects lie on any replica: a write reaches the last replica a moment after the
/// first.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2)];
/// Objects that may be on their way to a replica where somebody writes: a batch of a usual client.
const ON_THEIR_WAY: u64 = 100;

/// What the number of objects on any replica says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnyReplica {
    /// It is the count, or could not be asked.
    Agrees,
    /// More objects lie on some replica than are counted, and no writer explains it.
    More {
        /// Objects counted.
        counted: u64,
        /// Objects that at least one replica holds.
        on_any_replica: u64,
    },
    /// The numbers moved, so they cannot be compared.
    Moved,
}

/// The number on any replica with the counts before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    before: u64,
    any: u64,
    after: u64,
}

/// Judges looks, oldest first: a difference of replicas stays, what is on its way goes. Pure. `None`: one more look may tell.
fn judge(looks: &[Look], written: bool) -> Option<AnyReplica> {
    let last = looks.last()?;
    if (last.before, last.after) == (last.any, last.any) {
        return Some(AnyReplica::Agrees);
    }
    let counts = || looks.iter().flat_map(|look| [look.before, look.after]);
    let moved = counts().max()? - counts().min()?;
    let writers = written || moved > 0;
    let explained = moved + if writers { ON_THEIR_WAY } else { 0 };
    let above = |look: &Look| look.any.saturating_sub(look.before.max(look.after));
    if above(last) <= explained && (writers || looks.len() == PAUSES.len()) {
        return Some(AnyReplica::Moved);
    }
    let more = AnyReplica::More { counted: last.after, on_any_replica: last.any };
    (looks.len() == PAUSES.len()).then_some(more)
}

impl Collect<'_> {
    /// Asks for the count, for the objects on any replica, and for the count again, until it is told what that means.
    /// `written`: somebody was seen to write.
    pub(super) async fn any_replica(&self, written: bool) -> Result<AnyReplica, Error> {
        if self.planned.schema.replicas < 2 {
            return Ok(AnyReplica::Agrees);
        }
        let collection = &self.planned.schema.name;
        let mut looks = Vec::with_capacity(PAUSES.len());
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            let Some(before) = self.count().await? else { return Ok(AnyReplica::Agrees) };
            let any = match self.session.unless_stopped(self.client.on_any_replica(collection)).await {
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Ok(Count::Exact(any)) => any,
                Ok(Count::Unknown { .. }) => return Ok(AnyReplica::Agrees),
                Err(e) => {
                    tracing::warn!(%collection, %e, "cannot ask whether replicas differ");
                    return Ok(AnyReplica::Agrees);
                }
            };
            let Some(after) = self.count().await? else { return Ok(AnyReplica::Agrees) };
            looks.push(Look { before, any, after });
            if let Some(judged) = judge(&looks, written) {
                if let AnyReplica::More { counted, on_any_replica } = judged {
                    let collection = collection.clone();
                    self.session.events.warn(Warning::ReplicasDiffer { collection, counted, on_any_replica });
                }
                return Ok(judged);
            }
        }
        Ok(AnyReplica::Moved)
    }

    /// What comparing the replicas of every page found, told as warnings; `None` where there is one replica.
    pub(super) fn replica_findings(&self) -> Option<ReplicaFindings> {
        let findings = self.replicas.as_ref()?.findings();
        let (events, collection) = (&self.session.events, &self.planned.schema.name);
        if findings.older > 0 {
            events.warn(Warning::ReplicaOlder { collection: collection.clone(), objects: findings.older });
        }
        if findings.differing > 0 {
            events.warn(Warning::ReplicasDisagree { collection: collection.clone(), objects: findings.differing });
        }
        if let Some(reason) = findings.closed.clone() {
            events.warn(Warning::ReplicasUncompared { collection: collection.clone(), reason });
        }
        Some(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(looks: &[[u64; 3]], written: bool) -> Option<AnyReplica> {
        let looks: Vec<Look> =
            looks.iter().map(|[before, any, after]| Look { before: *before, any: *any, after: *after }).collect();
        judge(&looks, written)
    }

    #[test]
    fn only_more_than_what_moved_is_a_difference() {
        let more = Some(AnyReplica::More { counted: 10, on_any_replica: 11 });
        assert_eq!(of(&[[10, 10, 10]], false), Some(AnyReplica::Agrees));
        assert_eq!(of(&[[10, 11, 10]; 3], false), None, "a write may be on its way");
        assert_eq!(of(&[[10, 11, 10]; 4], false), more, "it stays, and nobody writes");
        assert_eq!(of(&[[10, 11, 10], [11, 11, 11]], false), Some(AnyReplica::Agrees));
        assert_eq!(of(&[[40_420, 40_397, 40_431]], true), Some(AnyReplica::Moved), "fewer than either count");
        assert_eq!(of(&[[40_400, 40_431, 40_420]], false), Some(AnyReplica::Moved));
        assert_eq!(of(&[[100, 130, 100]], true), Some(AnyReplica::Moved), "a batch on its way");
        let (writers, apart) = ([4_000, 9_000, 4_005], AnyReplica::More { counted: 4_005, on_any_replica: 9_000 });
        assert_eq!(of(&[writers; 3], true), None);
        assert_eq!(of(&[writers; 4], true), Some(apart), "more than any writer explains");
        assert_eq!(of(&[[10, 9, 10]; 4], false), Some(AnyReplica::Moved), "fewer on all than on one makes no sense");
    }
}
