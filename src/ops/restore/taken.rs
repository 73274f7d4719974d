//! Which objects of an archived collection are taken, where that is not all of them: decided by a filter, a sample and a limit,
//! and counted run by run before anything is written.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::RestoreOptions;
use super::survey::{READERS, Survey, Surveyed, survey};
use crate::archive::{Index, Run};
use crate::model::{ObjectId, PlaceOfObject, RawObject, Schema, Sieve};
use crate::ops::subset::unfit;
use crate::ops::{Error, Session, prove};
use crate::pipeline::parts::Reading;

/// What is taken.
#[derive(Debug, Clone)]
pub(super) struct TakenObjects {
    /// What decides; `None`: all is taken.
    pub(super) sieve: Option<Arc<Sieve>>,
    /// The runs of the archive, each with the objects and plain bytes that are taken of it.
    pub(super) wanted: Arc<Index>,
}

impl TakenObjects {
    /// All of these runs.
    pub(super) fn all(runs: &Arc<Index>) -> Self {
        Self { sieve: None, wanted: Arc::clone(runs) }
    }

    /// Objects that are taken of what is chosen, and their plain bytes.
    pub(super) fn sums(&self, options: &RestoreOptions) -> (u64, u64) {
        let chosen = self.wanted.iter().filter(|run| is_chosen(run, options));
        chosen.fold((0, 0), |(objects, bytes), run| (objects + run.objects, bytes + run.bytes))
    }
}

fn is_chosen(run: &Run, options: &RestoreOptions) -> bool {
    options.tenants.target(run.tenant.as_ref()).is_some()
}

impl Surveyed<'_> {
    /// Reads everything that is chosen, and decides what of it is taken.
    pub(super) async fn take(
        &self,
        session: &Session,
        options: &RestoreOptions,
        sieve: Arc<Sieve>,
    ) -> Result<(Survey, TakenObjects), Error> {
        let found = survey(session, self, options, Default::default(), Some(Arc::clone(&sieve))).await?;
        let wanted = self.wanted(&found);
        let Some(until) = self.until(session, options, &sieve, &wanted).await? else {
            return Ok((found, TakenObjects { sieve: Some(sieve), wanted: Arc::new(wanted) }));
        };
        // What was found in objects behind the last one that is wanted does not count.
        let bounded = options.subset.bind(&self.indexed.schema, &[]).map_err(unfit(&self.indexed.schema))?;
        let sieve = bounded.map(|sieve| Arc::new(sieve.up_to(Some(until))));
        let found = survey(session, self, options, Default::default(), sieve.clone()).await?;
        let wanted = Arc::new(self.wanted(&found));
        Ok((found, TakenObjects { sieve, wanted }))
    }

    /// The runs with what was found to be wanted of them.
    fn wanted(&self, found: &Survey) -> Index {
        let one = |run: &Run| {
            let [objects, bytes] = found.wanted.get(&(run.part, run.offset)).copied().unwrap_or_default();
            Run { objects, bytes, ..run.clone() }
        };
        Index::of(self.indexed.runs.iter().map(one).collect())
    }

    /// The last object within the limit; `None` if there is no limit, or no more objects than that.
    async fn until(
        &self,
        session: &Session,
        options: &RestoreOptions,
        sieve: &Arc<Sieve>,
        wanted: &Index,
    ) -> Result<Option<PlaceOfObject>, Error> {
        let Some(limit) = options.subset.limit else { return Ok(None) };
        let mut left = limit;
        let chosen = wanted.iter().enumerate().filter(|(_, run)| is_chosen(run, options));
        let reached = chosen.clone().find(|(_, run)| {
            let is_last = run.objects > left;
            left -= if is_last { 0 } else { run.objects };
            is_last
        });
        let Some((place, run)) = reached else { return Ok(None) };
        if left == 0 {
            // Everything up to this run, and nothing of it.
            let before = chosen.take_while(|(at, _)| *at < place).filter(|(_, run)| run.objects > 0).last();
            let last = before.and_then(|(_, run)| Some((run.tenant.clone(), run.last_id?)));
            return Ok(Some(last.unwrap_or((None, ObjectId(0)))));
        }
        let last = self.nth(session, options, sieve, (place, left)).await?;
        Ok(last.map(|id| (run.tenant.clone(), id)))
    }

    /// The n-th object that is wanted of a run.
    async fn nth(
        &self,
        session: &Session,
        options: &RestoreOptions,
        sieve: &Arc<Sieve>,
        (place, nth): (usize, u64),
    ) -> Result<Option<ObjectId>, Error> {
        let found = Arc::new(Mutex::new((0_u64, None)));
        let look = {
            let (sieve, found) = (Arc::clone(sieve), Arc::clone(&found));
            move |_: &Schema, object: &RawObject, run: &Run| {
                if sieve.keeps(run.tenant.as_ref(), object) {
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.0 += 1;
                    if found.0 == nth {
                        found.1 = Some(object.id);
                    }
                }
            }
        };
        let others: BTreeSet<usize> = (0..self.indexed.runs.len()).filter(|at| *at != place).collect();
        let reading = Reading {
            readers: READERS,
            memory_bytes: options.memory_bytes,
            says: false,
            tenants: options.tenants.clone(),
            done: Arc::new(others),
            only: None,
            look: Arc::new(look),
        };
        prove::parts(session, self.archive, self.at, self.indexed, reading).await?;
        let (_, id) = *found.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(id)
    }
}
