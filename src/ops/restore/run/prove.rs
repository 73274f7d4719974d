//! What a collection became: counted, its schema read again, compared with the archive.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::create::Created;
use super::super::lost::is_other;
use super::super::merge::MergeWork;
use super::super::{Collection, tenants};
use super::{RestoreGathered, RestoreRun, Unproven};
use crate::archive::RunRecord;
use crate::event::{CollectionResult, Event, MergeResult, PlannedMerge, RestoreRemark, Warning};
use crate::model::path_text;
use crate::ops::Error;
use crate::ops::activation::{ActivationBooks, EarlierRuns};
use crate::ops::schema::expiry::{self, Expiry};
use crate::ops::schema::grown;
use crate::ops::verify::{CompareOptions, Pair, compare_collection};
use crate::pipeline::bookkeeping::Filled;
use crate::pipeline::compare::Sieves;
use crate::pipeline::guard::Guard;
use crate::pipeline::import::{FoundEqual, Merged};
use crate::weaviate::Count;

/// Pauses before a count that is not what was written is believed: the last writes may still be on their way.
const COUNT_PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(2)];

/// What is worth knowing about references, about refused objects that are there, and about those that were found equal.
fn found(filled: Filled) -> impl Iterator<Item = RestoreRemark> {
    let FoundEqual { lengths, refused, unsaid } = filled.found;
    let some = |number: u64| Some(number).filter(|number| *number > 0);
    [
        some(filled.references).map(|references| RestoreRemark::ReferencesAfter { references }),
        some(filled.stored).map(|objects| RestoreRemark::RejectedYetThere { objects }),
        some(lengths).map(|objects| RestoreRemark::LengthRefusedYetStored { objects }),
        some(refused).map(|objects| RestoreRemark::RefusedYetStored { objects }),
        some(unsaid).map(|objects| RestoreRemark::UnsaidYetStored { objects }),
    ]
    .into_iter()
    .flatten()
}

impl RestoreRun<'_> {
    /// Counts and compares what one collection became.
    pub(super) async fn prove(&self, underway: Unproven<'_>, gathered: &mut RestoreGathered) -> Result<(), Error> {
        let Unproven { collection, created, mut guard, filled, began, .. } = underway;
        let planned = &collection.planned;
        let name = planned.target.clone();
        let tenants = collection.tenants.made.len() as u64;
        let left_out = planned.left_out;
        let mut result =
            CollectionResult { tenants, bytes: planned.bytes, left_out, ..CollectionResult::of(name.clone()) };
        if collection.data {
            let Filled { objects, rejected, .. } = filled;
            if !collection.before.finished && collection.merge.is_none() {
                let record = RunRecord::Finished { target: name.clone(), objects: objects - rejected, rejected };
                self.journalled.record(record).await?;
            }
            (result.objects, result.rejected) = (objects - rejected, rejected);
            result.bytes = planned.bytes.saturating_sub(filled.rejected_bytes);
            result.rejected_reasons = self.journalled.journal.take_reasons(&name).await;
            // What was refused may lack in an index, though it is stored: that is not known to be as it was.
            gathered.incomplete |= rejected > 0 || filled.found.refused + filled.found.lengths > 0;
            gathered.remarks.extend(found(filled).map(|remark| (name.clone(), remark.into())));
            let filled = match &collection.merge {
                Some(merge) => self.merged(collection, merge, filled, &mut result, gathered),
                None => filled,
            };
            // Tenants that were there are not counted, and all that was sent was read back.
            let counted = if collection.merge.is_some() && collection.asked.multi_tenant {
                true
            } else {
                self.count(collection, filled, &mut guard, gathered).await?
            };
            if !collection.before.over {
                self.read_again(collection, &created, gathered).await?;
            } else if !self.plan.options.verify {
                gathered.remarks.push((name.clone(), RestoreRemark::RestoredBefore.into()));
                result.counts_verified = Some(counted);
            }
            // What was found equal once may have been written to since: only what is compared now is called so.
            if self.plan.options.verify && collection.merge.is_none() {
                self.compare(collection, &mut result, gathered).await?;
            }
            if !collection.before.over {
                self.expired(collection, began, gathered);
            }
            gathered.unchecked = gathered.unchecked.take().or(guard.unchecked().map(str::to_owned));
        }
        if collection.data {
            self.train(collection, filled, gathered).await?;
        }
        if !collection.before.over {
            let wrong = tenants::settle(self.access, collection).await?;
            gathered.incomplete |= !wrong.is_empty();
            gathered.remarks.extend(wrong.into_iter().map(|wrong| (name.clone(), wrong.into())));
        }
        self.access.events.emit(Event::CollectionFinished(result.clone()));
        gathered.results.push(result);
        Ok(())
    }

    /// Where earlier attempts of this run kept what they replaced.
    fn replaced_before(&self) -> Option<RestoreRemark> {
        let archives = self.prepared.resuming.as_ref()?.kept.history.replaced.clone();
        (!archives.is_empty()).then_some(RestoreRemark::ReplacedBefore { archives })
    }

    /// How the objects of a merge met those that were there. What of the archive is there now, for a count to be held against.
    fn merged(
        &self,
        collection: &Collection,
        merge: &MergeWork,
        filled: Filled,
        result: &mut CollectionResult,
        gathered: &mut RestoreGathered,
    ) -> Filled {
        let name = &collection.planned.target;
        let PlannedMerge { new, equal, different, replaced: to_replace, .. } = merge.planned;
        let Merged { added, replaced, met_equal, changed, window_ms } = filled.merged;
        let kept = different - to_replace;
        let moved = (new + to_replace).saturating_sub(added + replaced + met_equal + filled.rejected);
        result.objects = filled.merged.written();
        result.merged = Some(MergeResult { added, replaced, equal: equal + met_equal, kept, moved, window_ms });
        let some = |objects: u64| Some(objects).filter(|objects| *objects > 0);
        let archive = gathered.kept.as_ref().map(|kept| path_text(&kept.path()));
        let facts = [
            some(replaced).zip(archive).map(|(objects, archive)| RestoreRemark::ReplacedKept { objects, archive }),
            self.replaced_before(),
            some(kept).map(|objects| RestoreRemark::ConflictsKept { objects }),
            some(moved).map(|objects| RestoreRemark::MovedMeanwhile { objects }),
            some(changed).map(|objects| RestoreRemark::ChangedSince { objects }),
            some(added + replaced).map(|_| RestoreRemark::WriteWindow { ms: window_ms }),
        ];
        gathered.remarks.extend(facts.into_iter().flatten().map(|fact| (name.clone(), fact.into())));
        gathered.incomplete |= moved + changed > 0;
        Filled { objects: new + equal + different, ..filled }
    }

    /// Objects that have expired may still be there to be counted and compared: they are there until the server removes them,
    /// as it does by a schedule of its own. That is no copy of the archive.
    fn expired(&self, collection: &Collection, began: Timestamp, gathered: &mut RestoreGathered) {
        let (name, survey) = (&collection.planned.target, &collection.survey);
        let lapsed = survey.lapsed(Expiry::own_seconds(&collection.asked), began, self.access.clock.now());
        gathered.remarks.extend(lapsed.then(|| (name.clone(), RestoreRemark::ExpiredMeanwhile.into())));
        let objects = survey.expired;
        if objects > 0 || lapsed {
            gathered.incomplete = true;
            self.access.events.warn(Warning::ObjectsExpired { collection: name.clone(), objects });
        }
    }

    /// SUCCESS is trusted only with the count: it must be what was written, taken while the server is whole. Whether there
    /// is a count.
    async fn count(
        &self,
        collection: &Collection,
        filled: Filled,
        guard: &mut Guard,
        gathered: &mut RestoreGathered,
    ) -> Result<bool, Error> {
        // Nobody is activated to be counted, if all are compared.
        let inactive_too = !self.plan.options.verify;
        let written = filled.there() - if inactive_too { 0 } else { filled.inactive };
        let name = &collection.planned.target;
        let mut counted = Count::not_given();
        for pause in COUNT_PAUSES {
            tokio::time::sleep(pause).await;
            guard.until_whole().await?;
            counted = if collection.asked.multi_tenant {
                tenants::count(self.access, collection, inactive_too).await?
            } else {
                self.access.count(name).await?
            };
            // A count is only worth something while the server is whole.
            if guard.ask().await && counted.exact().is_none_or(|counted| collection.mode.is_whole(written, counted)) {
                break;
            }
        }
        guard.until_whole().await?;
        if guard.is_remade() {
            return Err(Error::Recreated { collection: name.clone() });
        }
        let is_known = counted.exact().is_some();
        match counted {
            Count::Exact(counted) if !collection.mode.is_whole(written, counted) => {
                gathered.incomplete = true;
                let otherwise = RestoreRemark::WrittenOtherwise { written, counted };
                gathered.remarks.push((name.clone(), otherwise.into()));
                let expired =
                    expiry::may_be_why(&collection.asked).filter(|_| counted < written && !self.plan.options.verify);
                gathered.remarks.extend(expired.map(|why| (name.clone(), why.into())));
                let collection = name.clone();
                self.access.events.warn(Warning::WrittenMismatch { collection, written, counted });
            }
            // The comparison lists them all, and warns itself.
            Count::Unknown { .. } if self.plan.options.verify => {}
            Count::Unknown { reason } => {
                let unproven = RestoreRemark::Unproven { reason: reason.clone() };
                gathered.remarks.push((name.clone(), unproven.into()));
                self.access.events.warn(Warning::CountUnchecked { collection: name.clone(), reason });
            }
            Count::Exact(_) => {}
        }
        Ok(is_known)
    }

    /// What auto-schema invented while objects were written.
    async fn read_again(
        &self,
        collection: &Collection,
        created: &Created,
        gathered: &mut RestoreGathered,
    ) -> Result<(), Error> {
        let name = created.schema.name.clone();
        let now = self.access.ask(self.access.client.schema(&name)).await?;
        let Some(now) = now else { return Err(Error::Vanished { collection: name }) };
        if is_other(&created.schema, &now) {
            return Err(Error::Recreated { collection: name });
        }
        if let Some((changes, more)) = grown(&created.schema, &now) {
            // A collection that was there before has others who write to it.
            gathered.incomplete |= collection.mode.is_created();
            gathered.remarks.push((name.clone(), RestoreRemark::SchemaGrew { changes: changes.clone(), more }.into()));
            self.access.events.warn(Warning::SchemaGrew { collection: name, changes, more });
        }
        Ok(())
    }

    async fn compare(
        &self,
        collection: &Collection,
        result: &mut CollectionResult,
        gathered: &mut RestoreGathered,
    ) -> Result<(), Error> {
        let options = &self.plan.options;
        let (archive, indexed) = (Arc::clone(&self.prepared.archive), collection.indexed.clone());
        let (target, tenants) = (collection.planned.target.clone(), options.tenants.clone());
        let pair = Pair::archived(archive, collection.at, indexed, target, tenants);
        // The tenants of a run that got to its end may have others who use them: whom this one activates is written down.
        let books = if collection.before.over {
            ActivationBooks::Locked(options.state.clone(), EarlierRuns::default())
        } else {
            ActivationBooks::NotNeeded
        };
        let compare = CompareOptions {
            vectors: options.vectors,
            limit: options.differences_listed,
            jobs: options.jobs,
            // All that is there was restored, and nothing else should be.
            sieves: Some(Sieves { taken: collection.taken.sieve.clone(), ..Sieves::default() }),
            ..CompareOptions::new(collection.comparer(options), options.memory_bytes, options.patience, books)
        };
        let compared = compare_collection(self.access.reading, Some(self.access.writer), pair, &compare).await?;
        let (name, expired) = (&collection.planned.target, compared.may_have_expired(&collection.asked));
        gathered.remarks.extend(expired.map(|why| (name.clone(), why.into())));
        gathered.remarks.extend(compared.remarks.iter().map(|remark| (name.clone(), remark.clone().into())));
        let (differences, ok) = collection.mode.judge(compared, &self.access.events, result);
        gathered.differences.extend(differences);
        gathered.differences.truncate(options.differences_listed);
        gathered.incomplete |= !ok;
        if collection.before.over {
            return Ok(());
        }
        let record = RunRecord::Verified { target: name.clone(), ok, digest: result.digest.clone() };
        self.journalled.record(record).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_knowing_of_what_was_written_is_said_where_there_is_any() {
        assert_eq!(found(Filled { objects: 7, rejected: 1, ..Filled::default() }).count(), 0);
        let equal = FoundEqual { lengths: 1, refused: 2_000, unsaid: 3 };
        let filled = Filled { references: 4, stored: 5, found: equal, ..Filled::default() };
        let expected = [
            RestoreRemark::ReferencesAfter { references: 4 },
            RestoreRemark::RejectedYetThere { objects: 5 },
            RestoreRemark::LengthRefusedYetStored { objects: 1 },
            RestoreRemark::RefusedYetStored { objects: 2_000 },
            RestoreRemark::UnsaidYetStored { objects: 3 },
        ];
        assert_eq!(found(filled).collect::<Vec<_>>(), expected);
    }
}
