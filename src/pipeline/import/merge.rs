//! Merging into what is there: right before objects are sent it is looked which of them are there, and those that may not be
//! replaced are left out; right after, what was sent is read back and held against the archive.

use std::sync::Arc;

use super::{Dealt, Error, Shared};
use crate::event::FieldDiff;
use crate::model::ObjectId;
use crate::pipeline::compare::{Taken, Vectors};
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

/// What an object of a batch meets where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// Nothing: it is sent.
    Nothing,
    /// What is kept elsewhere and may be replaced: it is sent.
    Kept,
    /// Something else, which stays.
    Other,
}

impl Met {
    pub(super) fn is_sent(self) -> bool {
        self != Self::Other
    }
}

impl Shared<'_> {
    /// Looks what each object of a batch meets.
    pub(super) async fn look_for(&self, merging: &Merging, batch: &Batch) -> Result<Vec<Met>, Error> {
        let ids: Vec<ObjectId> = batch.objects.iter().map(|object| object.id).collect();
        let known = |at: usize| {
            let place = batch.known.binary_search_by_key(&at, |(at, _)| *at).ok()?;
            Some(batch.known[place].1)
        };
        let look = |at: usize, there: Option<&Taken>| match there {
            None => Met::Nothing,
            Some(there) if there.object.updated_ms.is_some() && there.object.updated_ms == known(at) => Met::Kept,
            Some(_) => Met::Other,
        };
        Ok(merging.present.all(batch.space.as_ref(), &ids, false, look).await?)
    }

    /// Counts what became of a batch, and reads back what was sent, unless it was rejected.
    pub(super) async fn merged(
        &self,
        merging: &Merging,
        batch: &Batch,
        met: &[Met],
        dealt: &mut Dealt,
    ) -> Result<(), Error> {
        let is_rejected = |at: usize| dealt.rejected.binary_search_by_key(&batch.objects[at].id, |r| r.id).is_ok();
        let of = |one: Met| {
            let all = met.iter().enumerate().filter(move |(_, met)| **met == one);
            all.map(|(at, _)| at).filter(|at| !is_rejected(*at)).collect::<Vec<usize>>()
        };
        let (added, replaced, taken) = (of(Met::Nothing), of(Met::Kept), of(Met::Other));
        let mut merged = Merged { added: added.len() as u64, replaced: replaced.len() as u64, ..Merged::default() };
        // Of a run whose objects are not named most are there, and were compared for the plan.
        let named = matches!(batch.origin, BatchOrigin::Archived { run } if merging.marked.names(run));
        let taken = if named { taken } else { Vec::new() };
        merged.met_equal =
            self.differing(merging, batch, &taken).await?.iter().filter(|one| one.is_none()).count() as u64;
        if merging.reads_back {
            let mut sent = [added, replaced].concat();
            sent.sort_unstable();
            let changed = self.differing(merging, batch, &sent).await?;
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
    ) -> Result<Vec<Option<Option<Vec<FieldDiff>>>>, Error> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<ObjectId> = places.iter().map(|at| batch.objects[*at].id).collect();
        let sends_vectors = self.import.rewrite.sends_vectors();
        let look = |at: usize, there: Option<&Taken>| {
            let Some(Taken { object, unprintable }) = there else { return Some(None) };
            let vectors = match (sends_vectors, unprintable) {
                (false, _) => Vectors::Skip,
                (true, true) => Vectors::Unprintable,
                (true, false) => Vectors::Compare,
            };
            let fields = self.import.comparer.fields(&batch.objects[places[at]], object, vectors);
            (!fields.is_empty()).then_some(Some(fields))
        };
        Ok(merging.present.all(batch.space.as_ref(), &ids, sends_vectors, look).await?)
    }
}
