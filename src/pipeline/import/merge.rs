//! Merging into what is there: right before objects are sent it is looked which of them are there, and those that may not be
//! replaced are left out; right after, what was sent is read back and held against the archive.

use std::sync::Arc;

use super::group::Group;
use super::looked::{Looked, Met};
use super::{Dealt, Error, Shared};
use crate::event::FieldDiff;
use crate::model::ObjectId;
use crate::pipeline::compare::{Comparer, Taken, Vectors};
use crate::pipeline::marks::Marks;
use crate::pipeline::present::Present;
use crate::pipeline::{Batch, BatchOrigin};

/// Objects of one batch that are told of by their ids at most, where they are not what was sent.
const CHANGED_TOLD: usize = 20;

/// How objects meet those that are there.
#[derive(Debug)]
pub struct Merging {
    /// Where it is looked.
    pub present: Present,
    /// The objects that are to be written.
    pub marked: Arc<Marks>,
    /// Whether what was sent is read back.
    pub reads_back: bool,
}

/// What became of objects that were merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merged {
    /// Objects that were not there, and are.
    pub added: u64,
    /// Objects that took the place of others.
    pub replaced: u64,
    /// Objects that were to be sent, and turned out to be there with the same content.
    pub met_equal: u64,
    /// Objects that are not what was sent when they are read back: somebody wrote to them since.
    pub changed: u64,
    /// The longest time from a look at objects to the answer to the request that wrote them, in ms: what somebody writes in
    /// between is overwritten unseen.
    pub window_ms: u64,
}

impl Merged {
    /// Objects that were sent and are there.
    #[must_use]
    pub fn written(self) -> u64 {
        self.added + self.replaced
    }

    /// These and others.
    #[must_use]
    pub fn plus(self, others: Self) -> Self {
        Self {
            added: self.added + others.added,
            replaced: self.replaced + others.replaced,
            met_equal: self.met_equal + others.met_equal,
            changed: self.changed + others.changed,
            window_ms: self.window_ms.max(others.window_ms),
        }
    }
}

/// An object that is not what was sent when it is read back; nothing of it differs if it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The object.
    pub id: ObjectId,
    /// Where it differs; `None`: it is not there.
    pub fields: Option<Vec<FieldDiff>>,
}

impl Shared<'_> {
    /// Looks what the objects of a group meet now. Those that may not be sent leave it, and those that an attempt without a
    /// good answer has stored.
    pub(super) async fn look_again(
        &self,
        merging: &Merging,
        batch: &Batch,
        group: &mut Group,
        looked: &Looked,
    ) -> Result<(), Error> {
        group.members.sort_unstable();
        let ids: Vec<ObjectId> = group.members.iter().map(|at| batch.objects[*at].id).collect();
        let known = |at: usize| {
            let place = batch.known.binary_search_by_key(&at, |(at, _)| *at).ok()?;
            Some(batch.known[place].1)
        };
        let look = |at: usize, there: Option<&Taken>| match there {
            None => Met::Nothing,
            Some(Taken { object, .. })
                if object.updated_ms.is_some_and(|at_ms| known(group.members[at]) == Some(at_ms)) =>
            {
                Met::Kept
            }
            Some(_) => Met::Other,
        };
        let met = merging.present.all(batch.space.as_ref(), &ids, false, look).await?;
        let is_own = |at: usize, met: Met| met == Met::Other && looked.objects()[at].sent;
        let members = group.members.iter().copied().zip(met);
        let (perhaps_own, others): (Vec<_>, Vec<_>) = members.partition(|(at, met)| is_own(*at, *met));
        let mut stays: Vec<usize> = Vec::with_capacity(others.len());
        for (at, met) in others {
            let mut objects = looked.objects();
            let look = &mut objects[at];
            if met == Met::Other {
                look.met = Some(met);
            } else {
                look.met.get_or_insert(met);
                stays.push(at);
            }
        }
        let perhaps_own: Vec<usize> = perhaps_own.into_iter().map(|(at, _)| at).collect();
        if !perhaps_own.is_empty() {
            // What follows an object is not there yet, so such a one is sent again, and has its references after that.
            let following = self.import.rewrite.following(group.form);
            let comparer = self.import.comparer.leaving_out(following);
            let differing = self.differing(merging, batch, &perhaps_own, &comparer).await?;
            for (at, differs) in perhaps_own.into_iter().zip(differing) {
                if differs.is_some() {
                    looked.objects()[at].met = Some(Met::Other);
                } else if !following.is_empty() {
                    stays.push(at);
                }
            }
        }
        stays.sort_unstable();
        for at in &stays {
            looked.objects()[*at].sent = true;
        }
        group.members = stays;
        Ok(())
    }

    /// Counts what became of a batch, and reads back what was sent, unless it was rejected.
    pub(super) async fn merged(
        &self,
        merging: &Merging,
        batch: &Batch,
        looked: &Looked,
        dealt: &mut Dealt,
    ) -> Result<(), Error> {
        let is_rejected = |at: &usize| dealt.rejected.binary_search_by_key(&batch.objects[*at].id, |r| r.id).is_ok();
        let of = |what: Met| looked.that_met(what).into_iter().filter(|at| !is_rejected(at)).collect::<Vec<usize>>();
        let (added, replaced, others) = (of(Met::Nothing), of(Met::Kept), of(Met::Other));
        // Of a run whose objects are not named most are there, and were compared for the plan.
        let named = matches!(batch.origin, BatchOrigin::Archived { run } if merging.marked.names(run));
        let others = if named { others } else { Vec::new() };
        let equal = self
            .differing(merging, batch, &others, &self.import.comparer)
            .await?
            .iter()
            .filter(|one| one.is_none())
            .count();
        let mut merged = Merged {
            added: added.len() as u64,
            replaced: replaced.len() as u64,
            met_equal: equal as u64,
            changed: 0,
            window_ms: looked.longest_ms(),
        };
        if merging.reads_back {
            let mut sent = [added, replaced].concat();
            sent.sort_unstable();
            let changed = self.differing(merging, batch, &sent, &self.import.comparer).await?;
            for (at, changed) in sent.into_iter().zip(changed) {
                let Some(fields) = changed else { continue };
                merged.changed += 1;
                if dealt.changed.len() < CHANGED_TOLD {
                    dealt.changed.push(Changed { id: batch.objects[at].id, fields });
                }
            }
        }
        dealt.merged = merged;
        Ok(())
    }

    /// Where what is there differs from these objects of a batch, by their places, ascending: `None` where it does not,
    /// `Some(None)` where nothing is there.
    async fn differing(
        &self,
        merging: &Merging,
        batch: &Batch,
        places: &[usize],
        comparer: &Comparer,
    ) -> Result<Vec<Option<Option<Vec<FieldDiff>>>>, Error> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<ObjectId> = places.iter().map(|at| batch.objects[*at].id).collect();
        let sends_vectors = self.import.rewrite.sends_vectors();
        let look = |at: usize, there: Option<&Taken>| {
            let Some(Taken { object, unprintable }) = there else { return Some(None) };
            let vectors = Vectors::of(sends_vectors, *unprintable);
            let fields = comparer.fields(&batch.objects[places[at]], object, vectors);
            (!fields.is_empty()).then_some(Some(fields))
        };
        Ok(merging.present.all(batch.space.as_ref(), &ids, sends_vectors, look).await?)
    }
}
