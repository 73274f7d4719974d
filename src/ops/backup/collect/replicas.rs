//! Whether the replicas of a collection hold the same: every page has them compared before it is read
//! (`pipeline::replicas`), and the number of objects is asked of one of them and of all.

use std::time::Duration;

use super::Collect;
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
pub(in crate::ops::backup) enum AnyReplica {
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
struct ReplicaCounts {
    before: u64,
    any: u64,
    after: u64,
}

/// Judges looks, oldest first: a difference of replicas stays, what is on its way comes and goes, whoever writes. Pure.
/// `None`: one more look may tell.
fn judge(looks: &[ReplicaCounts]) -> Option<AnyReplica> {
    let last = looks.last()?;
    if (last.before, last.after) == (last.any, last.any) {
        return Some(AnyReplica::Agrees);
    }
    if looks.len() < PAUSES.len() {
        return None;
    }
    let counts = || looks.iter().flat_map(|look| [look.before, look.after]);
    let above = |look: &ReplicaCounts| look.any.saturating_sub(look.before.max(look.after));
    let (smallest, largest) = (looks.iter().map(above).min()?, looks.iter().map(above).max()?);
    let explained = if smallest == largest { 0 } else { counts().max()? - counts().min()? + ON_THEIR_WAY };
    if smallest <= explained {
        return Some(AnyReplica::Moved);
    }
    Some(AnyReplica::More { counted: last.after, on_any_replica: last.any })
}

impl Collect<'_> {
    /// Asks for the count, for the objects on any replica, and for the count again, until it is told what that means.
    pub(in crate::ops::backup) async fn any_replica(&self) -> Result<AnyReplica, Error> {
        if self.planned.schema.replicas < 2 {
            return Ok(AnyReplica::Agrees);
        }
        let collection = &self.planned.schema.name;
        let mut looks = Vec::with_capacity(PAUSES.len());
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            let Some(before) = self.count().await? else { return Ok(AnyReplica::Agrees) };
            let any = match self.access.ask(self.access.client.on_any_replica(collection)).await {
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Ok(Count::Exact(any)) => any,
                Ok(Count::Unknown { .. }) => return Ok(AnyReplica::Agrees),
                Err(e) => {
                    tracing::warn!(%collection, %e, "cannot ask whether replicas differ");
                    return Ok(AnyReplica::Agrees);
                }
            };
            let Some(after) = self.count().await? else { return Ok(AnyReplica::Agrees) };
            looks.push(ReplicaCounts { before, any, after });
            if let Some(judged) = judge(&looks) {
                if let AnyReplica::More { counted, on_any_replica } = judged {
                    let collection = collection.clone();
                    self.access.events.warn(Warning::ReplicasDiffer { collection, counted, on_any_replica });
                }
                return Ok(judged);
            }
        }
        Ok(AnyReplica::Moved)
    }

    /// What comparing the replicas of every page found, told as warnings; `None` where there is one replica.
    pub(in crate::ops::backup) fn replica_findings(&self) -> Option<ReplicaFindings> {
        let findings = self.replicas.as_ref()?.findings();
        let (events, collection) = (&self.access.events, &self.planned.schema.name);
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

    fn of(looks: &[[u64; 3]]) -> Option<AnyReplica> {
        let looks: Vec<ReplicaCounts> = looks
            .iter()
            .map(|[before, any, after]| ReplicaCounts { before: *before, any: *any, after: *after })
            .collect();
        judge(&looks)
    }

    #[test]
    fn only_a_surplus_that_stays_is_a_difference() {
        let more = |counted, on_any_replica| Some(AnyReplica::More { counted, on_any_replica });
        assert_eq!(of(&[[10, 10, 10]]), Some(AnyReplica::Agrees));
        assert_eq!(of(&[[10, 11, 10]; 3]), None, "a write may be on its way");
        assert_eq!(of(&[[10, 11, 10]; 4]), more(10, 11), "it stays");
        assert_eq!(of(&[[10, 11, 10], [11, 11, 11]]), Some(AnyReplica::Agrees));
        assert_eq!(of(&[[100, 130, 100]]), None, "one look tells nothing");
        assert_eq!(of(&[[100, 130, 100]; 4]), more(100, 130), "whoever else was updated meanwhile");
        let batches = [[100, 130, 100], [100, 100, 130], [160, 190, 160], [190, 195, 190]];
        assert_eq!(of(&batches), Some(AnyReplica::Moved), "batches on their way");
        let updates = [[100, 130, 100], [100, 125, 100], [100, 130, 100], [100, 104, 100]];
        assert_eq!(of(&updates), Some(AnyReplica::Moved), "what is on its way comes and goes");
        assert_eq!(of(&[[40_420, 40_397, 40_431]; 4]), Some(AnyReplica::Moved), "fewer than either count");
        assert_eq!(of(&[[4_000, 9_000, 4_005]; 4]), more(4_005, 9_000), "more than any writer explains");
        let growing = [[4_000, 9_000, 4_005], [4_010, 9_020, 4_015], [4_020, 9_024, 4_025], [4_030, 9_040, 4_035]];
        assert_eq!(of(&growing), more(4_035, 9_040), "more than any writer explains");
        assert_eq!(of(&[[10, 9, 10]; 4]), Some(AnyReplica::Moved), "fewer on all than on one makes no sense");
    }
}
