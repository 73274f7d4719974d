//! What an earlier run did to one collection, and how much of that counts: what is written down as done is held against
//! the archive, the list of refused objects, and the server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fill::Filled;
use super::resume::Resuming;
use super::tenants::Tenants;
use crate::archive::Index;
use crate::archive::runfiles::{Imported, Kept, TargetHistory};
use crate::model::{CollectionName, ObjectId, TenantMap, TenantName};
use crate::ops::proof::sum;
use crate::ops::{Error, Session};
use crate::weaviate::{Client, Count, TenantState};

/// How far a collection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// Nothing was begun.
    #[default]
    Nothing,
    /// It was about to be created: it may be there, without objects, and need not be as it should be.
    Begun,
    /// It was created, or tenants were about to be added to one that existed.
    There,
}

/// What an earlier run did to one collection.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    pub(super) stage: Stage,
    /// Places of the runs of ids that are not sent again.
    pub(super) done: Arc<BTreeSet<usize>>,
    /// What became of their objects.
    pub(super) filled: Filled,
    /// All was sent, and that is written down.
    pub(super) finished: bool,
    /// All was compared, and nothing differed.
    pub(super) verified: bool,
    /// The digest that was found then.
    pub(super) digest: Option<String>,
    /// The run got to its end: nothing is left to do.
    pub(super) over: bool,
}

/// What belongs to one collection of a plan that carries on a run.
pub(super) struct Own<'a> {
    pub(super) client: &'a Client,
    pub(super) session: &'a Session,
    pub(super) target: &'a CollectionName,
    pub(super) runs: &'a Index,
    pub(super) tenants: &'a Tenants,
    pub(super) map: &'a TenantMap,
}

impl Own<'_> {
    /// What counts of what was done before. If nothing of what was written does, that is kept with the run.
    pub(super) async fn look(&self, resuming: Option<&mut Resuming>) -> Result<Before, Error> {
        let Some(resuming) = resuming else { return Ok(Before::default()) };
        let (before, doubt) = self.held_against(&resuming.kept).await?;
        if let Some(reason) = doubt {
            resuming.distrust(self.target, reason);
        }
        Ok(before)
    }

    async fn held_against(&self, kept: &Kept) -> Result<(Before, Option<String>), Error> {
        let Some(history) = kept.history.targets.get(self.target) else { return Ok((Before::default(), None)) };
        let stage = if history.is_there() { Stage::There } else { Stage::Begun };
        if kept.history.complete {
            return Ok((self.over(history), None));
        }
        let doubted = |reason| (Before { stage, ..Before::default() }, Some(reason));
        let (done, filled) = match self.done(history, kept.refused.get(self.target).copied().unwrap_or(0)) {
            Ok(done) => done,
            Err(reason) => return Ok(doubted(reason)),
        };
        let verified = history.verified == Some(true);
        if !verified && let Some(reason) = self.lacks(history).await? {
            return Ok(doubted(reason));
        }
        let (finished, digest) = (history.finished.is_some(), history.digest.clone());
        let every = || (0..self.runs.len()).collect();
        let done = Arc::new(if finished { every() } else { done });
        Ok((Before { stage, done, filled, finished, verified, digest, over: false }, None))
    }

    /// What a run did that got to its end.
    fn over(&self, history: &TargetHistory) -> Before {
        let (written, rejected) = history.finished.unwrap_or_default();
        let sleepers = self.sleepers();
        let filled = history.imported.iter().fold(Filled::default(), |all, run| all.plus(self.filled(run, &sleepers)));
        Before {
            stage: Stage::There,
            done: Arc::new((0..self.runs.len()).collect()),
            filled: Filled { objects: written + rejected, rejected, ..filled },
            finished: true,
            verified: history.verified == Some(true),
            digest: history.digest.clone(),
            over: true,
        }
    }

    /// The runs that are done, by their places, and what became of their objects. `listed`: refused objects that are kept.
    fn done(&self, history: &TargetHistory, listed: u64) -> Result<(BTreeSet<usize>, Filled), String> {
        let refused: u64 = history.imported.iter().map(|run| run.rejected).sum();
        if listed != refused {
            return Err(format!("{refused} refused objects were written down, and {listed} of them are kept"));
        }
        let (mut done, mut filled) = (BTreeSet::new(), Filled::default());
        if history.imported.is_empty() {
            return Ok((done, filled));
        }
        let key = |tenant: Option<&TenantName>, from: Option<ObjectId>| (tenant.cloned(), from);
        let places = self.runs.iter().enumerate().filter(|(_, run)| run.objects > 0);
        let places: BTreeMap<_, usize> =
            places.map(|(at, run)| (key(run.tenant.as_ref(), run.covers.from), at)).collect();
        let sleepers = self.sleepers();
        for run in &history.imported {
            let place = places.get(&key(run.tenant.as_ref(), run.covers.from)).copied();
            let same = |at: &usize| {
                let archived = &self.runs[*at];
                archived.covers == run.covers && archived.objects == run.objects + run.rejected
            };
            match place.filter(same) {
                Some(at) if done.insert(at) => filled = filled.plus(self.filled(run, &sleepers)),
                _ => return Err("its journal tells of ids that the archive does not hold so".to_owned()),
            }
        }
        match history.finished {
            Some(finished) if finished != (filled.objects - filled.rejected, filled.rejected) => {
                Err("its journal contradicts itself about the number of objects".to_owned())
            }
            _ => Ok((done, filled)),
        }
    }

    /// The tenants that are made asleep.
    fn sleepers(&self) -> BTreeSet<&TenantName> {
        self.tenants.made.iter().filter(|t| t.state == TenantState::Cold).map(|t| &t.name).collect()
    }

    fn filled(&self, run: &Imported, sleepers: &BTreeSet<&TenantName>) -> Filled {
        let there = run.objects + run.stored;
        let asleep = self.map.target(run.tenant.as_ref()).flatten().is_some_and(|name| sleepers.contains(&name));
        Filled {
            objects: run.objects + run.rejected,
            rejected: run.rejected,
            rejected_bytes: run.rejected_bytes,
            stored: run.stored,
            references: run.references,
            found_equal: 0,
            asleep: if asleep { there } else { 0 },
        }
    }

    /// Why the server cannot have all that is written down as there, if so. Where it cannot be asked, it is believed.
    async fn lacks(&self, history: &TargetHistory) -> Result<Option<String>, Error> {
        if history.imported.is_empty() {
            return Ok(None);
        }
        let (client, session, target) = (self.client, self.session, self.target);
        let mut there: BTreeMap<Option<TenantName>, u64> = BTreeMap::new();
        for run in &history.imported {
            let tenant = self.map.target(run.tenant.as_ref()).flatten();
            *there.entry(tenant).or_default() += run.objects + run.stored;
        }
        let (written, counted) = if there.contains_key(&None) {
            let counts = session.unless_stopped(client.counts(std::slice::from_ref(target))).await?;
            (there.values().sum(), counts.into_iter().next())
        } else {
            let live = session.unless_stopped(client.tenants(target)).await?;
            let live: BTreeMap<TenantName, TenantState> = live.into_iter().map(|t| (t.name, t.state)).collect();
            let gone = there.keys().flatten().find(|tenant| !live.contains_key(*tenant));
            if let Some(tenant) = gone {
                return Ok(Some(format!("its tenant {tenant} is gone")));
            }
            // Those that sleep are not woken for a plan.
            let awake = |tenant: &&TenantName| live.get(*tenant) == Some(&TenantState::Hot);
            let awake: Vec<TenantName> = there.keys().flatten().filter(awake).cloned().collect();
            let written: u64 = awake.iter().filter_map(|tenant| there.get(&Some(tenant.clone()))).sum();
            (written, Some(sum(session.unless_stopped(client.tenant_counts(target, &awake)).await?)))
        };
        let few = counted.as_ref().and_then(Count::exact).filter(|counted| *counted < written);
        Ok(few.map(|counted| format!("{written} objects were written down as there, and the server counts {counted}")))
    }
}
