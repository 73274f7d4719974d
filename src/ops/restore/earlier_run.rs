//! What an earlier run did to one collection, and how much of that counts: what is written down as done is held against
//! the archive, the list of refused objects, and the server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::resume::Resuming;
use super::tenants::ChosenTenants;
use crate::archive::Index;
use crate::archive::runfiles::{Imported, Kept, TargetHistory};
use crate::model::{CollectionName, TenantMap, TenantName};
use crate::ops::{Distrust, Error, ReadAccess};
use crate::pipeline::bookkeeping::{Filled, Partly, in_order};
use crate::pipeline::import::{FoundEqual, Merged};
use crate::weaviate::TenantState;

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
    /// Runs of which a part is not sent again, by their places.
    pub(super) partly: Arc<BTreeMap<usize, Partly>>,
    /// What became of the objects of both.
    pub(super) filled: Filled,
    /// All was sent, and that is written down.
    pub(super) finished: bool,
    /// All was compared, and nothing differed.
    pub(super) verified: bool,
    /// The run got to its end: nothing is left to do.
    pub(super) over: bool,
}

impl Before {
    /// Whether it was created, or tenants were about to be added to one that existed.
    pub(super) fn is_there(&self) -> bool {
        self.stage == Stage::There
    }

    /// Plain bytes of what is not sent again; of runs that are so in part, by the share of their objects.
    pub(super) fn bytes(&self, runs: &Index) -> u64 {
        let share = |(at, partly): (&usize, &Partly)| {
            let run = runs.get(*at)?;
            Some(run.bytes.saturating_mul(partly.filled.objects) / run.objects.max(1))
        };
        let whole = self.done.iter().filter_map(|at| runs.get(*at)).map(|run| run.bytes);
        whole.chain(self.partly.iter().filter_map(share)).sum()
    }
}

/// What a journal says of the objects of one collection.
#[derive(Debug, Default)]
struct Progress {
    done: BTreeSet<usize>,
    partly: BTreeMap<usize, Partly>,
    filled: Filled,
}

/// What belongs to one collection of a plan that resumes a run.
pub(super) struct Own<'a> {
    pub(super) access: ReadAccess<'a>,
    pub(super) target: &'a CollectionName,
    pub(super) runs: &'a Index,
    pub(super) tenants: &'a ChosenTenants,
    pub(super) map: &'a TenantMap,
}

impl Own<'_> {
    /// What counts of what was done before. If nothing of what was written does, that is kept with the run. `merges`: all is
    /// compared anew with what is there.
    pub(super) async fn look(&self, resuming: Option<&mut Resuming>, merges: bool) -> Result<Before, Error> {
        let Some(resuming) = resuming else { return Ok(Before::default()) };
        if merges {
            let there = resuming.kept.history.targets.get(self.target).is_some_and(TargetHistory::is_there);
            let stage = if there { Stage::There } else { Stage::Nothing };
            return Ok(Before { stage, ..Before::default() });
        }
        let (before, doubt) = self.held_against(&resuming.kept).await?;
        if let Some(reason) = doubt {
            resuming.distrust(self.target, reason);
        }
        Ok(before)
    }

    async fn held_against(&self, kept: &Kept) -> Result<(Before, Option<Distrust>), Error> {
        let Some(history) = kept.history.targets.get(self.target) else { return Ok((Before::default(), None)) };
        let stage = if history.is_there() { Stage::There } else { Stage::Begun };
        if kept.history.complete {
            return Ok((self.over(history), None));
        }
        let doubted = |reason| (Before { stage, ..Before::default() }, Some(reason));
        let Progress { done, partly, filled } =
            match self.done(history, kept.refused.get(self.target).copied().unwrap_or(0)) {
                Ok(done) => done,
                Err(reason) => return Ok(doubted(reason)),
            };
        let verified = history.verified == Some(true);
        if !verified && let Some(reason) = self.lacks(history).await? {
            return Ok(doubted(reason));
        }
        let finished = history.finished.is_some();
        let every = || (0..self.runs.len()).collect();
        let done = Arc::new(if finished { every() } else { done });
        let partly = Arc::new(partly);
        Ok((Before { stage, done, partly, filled, finished, verified, over: false }, None))
    }

    /// What a run did that got to its end.
    fn over(&self, history: &TargetHistory) -> Before {
        let (written, rejected) = history.finished.unwrap_or_default();
        let inactive = self.tenants.inactive();
        let filled = history.imported.iter().fold(Filled::default(), |all, run| all.plus(self.filled(run, &inactive)));
        Before {
            stage: Stage::There,
            done: Arc::new((0..self.runs.len()).collect()),
            partly: Arc::default(),
            filled: Filled { objects: written + rejected, rejected, ..filled },
            finished: true,
            verified: history.verified == Some(true),
            over: true,
        }
    }

    /// The runs that are done, and those that are so in part, and what became of their objects. `listed`: refused objects
    /// that are kept.
    fn done(&self, history: &TargetHistory, listed: u64) -> Result<Progress, Distrust> {
        let refused: u64 = history.imported.iter().map(|run| run.rejected).sum();
        if listed != refused {
            return Err(Distrust::RefusedLost { refused, kept: listed });
        }
        let mut progress = Progress::default();
        if history.imported.is_empty() {
            return Ok(progress);
        }
        let places = self.runs.iter().enumerate().filter(|(_, run)| run.objects > 0);
        let places: BTreeMap<_, usize> = places.map(|(at, run)| ((run.tenant.as_ref(), run.covers.from), at)).collect();
        let inactive = self.tenants.inactive();
        let other = || Distrust::OtherIds;
        for run in &history.imported {
            // The run of the archive that it is, or that it is a stretch of.
            let key = (run.tenant.as_ref(), run.covers.from);
            let (tenant, at) =
                places.range(..=key).next_back().map(|((tenant, _), at)| (*tenant, *at)).ok_or_else(other)?;
            if tenant != run.tenant.as_ref() {
                return Err(other());
            }
            let part = progress.partly.entry(at).or_default();
            part.ranges.push(run.covers);
            part.filled = part.filled.plus(self.filled(run, &inactive));
            progress.filled = progress.filled.plus(self.filled(run, &inactive));
        }
        for (at, part) in &mut progress.partly {
            let archived = &self.runs[*at];
            part.ranges = in_order(std::mem::take(&mut part.ranges), archived.covers).ok_or_else(other)?;
            let whole = part.ranges == [archived.covers];
            if whole != (part.filled.objects == archived.objects) || part.filled.objects > archived.objects {
                return Err(other());
            }
            if whole {
                progress.done.insert(*at);
            }
        }
        progress.partly.retain(|at, _| !progress.done.contains(at));
        let Filled { objects, rejected, .. } = progress.filled;
        match history.finished {
            Some(finished) if finished != (objects - rejected, rejected) => Err(Distrust::Contradiction),
            _ => Ok(progress),
        }
    }

    fn filled(&self, run: &Imported, inactive: &BTreeSet<TenantName>) -> Filled {
        let there = run.objects + run.stored;
        let inactive = self.map.target(run.tenant.as_ref()).flatten().is_some_and(|name| inactive.contains(&name));
        Filled {
            objects: run.objects + run.rejected,
            rejected: run.rejected,
            rejected_bytes: run.rejected_bytes,
            stored: run.stored,
            references: run.references,
            found: FoundEqual { lengths: 0, refused: run.refused_equal, unsaid: run.unsaid_equal },
            merged: Merged::default(),
            inactive: if inactive { there } else { 0 },
        }
    }

    /// Why the server cannot have all that is written down as there, if so. Where it cannot be asked, it is believed.
    async fn lacks(&self, history: &TargetHistory) -> Result<Option<Distrust>, Error> {
        if history.imported.is_empty() {
            return Ok(None);
        }
        let (access, target) = (self.access, self.target);
        let mut there: BTreeMap<Option<TenantName>, u64> = BTreeMap::new();
        for run in &history.imported {
            let tenant = self.map.target(run.tenant.as_ref()).flatten();
            *there.entry(tenant).or_default() += run.objects + run.stored;
        }
        let (written, counted) = if there.contains_key(&None) {
            (there.values().sum(), access.count(target).await?)
        } else {
            let live = access.ask(access.client.tenants(target)).await?;
            let live: BTreeMap<TenantName, TenantState> = live.into_iter().map(|t| (t.name, t.state)).collect();
            let gone = there.keys().flatten().find(|tenant| !live.contains_key(*tenant));
            if let Some(tenant) = gone {
                return Ok(Some(Distrust::TenantGone { tenant: tenant.clone() }));
            }
            // Those that are inactive are not activated for a plan.
            let active = |tenant: &&TenantName| live.get(*tenant) == Some(&TenantState::Hot);
            let active: Vec<TenantName> = there.keys().flatten().filter(active).cloned().collect();
            let written: u64 = active.iter().filter_map(|tenant| there.get(&Some(tenant.clone()))).sum();
            (written, access.ask(access.client.tenant_counts(target, &active)).await?.into_iter().sum())
        };
        let few = counted.exact().filter(|counted| *counted < written);
        Ok(few.map(|counted| Distrust::Fewer { written, counted }))
    }
}
