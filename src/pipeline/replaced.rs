//! What a merge is about to replace: it is read and kept before anything is sent, and is known again, object by object, when its
//! turn comes. Both walk the archive in the same order, so that what was kept is met again in the order it was kept in.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::compare::{Comparer, Replaces, Taken, Vectors};
use super::load::{self, BadPart, Look};
use super::long_lines::LongLines;
use super::present::Present;
use super::{Batch, BatchOrigin, Objects, Page, scan};
use crate::archive::digest::ObjectDigest;
use crate::archive::{Archive, Index};
use crate::model::coverage::Space;
use crate::model::{CollectionName, KeyRange, ObjectId, RawObject};

/// Batches whose live objects are read at once.
const READ_AT_ONCE: usize = 4;
/// Live objects that one of them holds at most before it waits for its turn, in bytes; beyond, what one page holds.
const HELD_BYTES: u64 = 1 << 20;
/// Objects of which it is handed on in one go when they are known again.
const KNOWN_AT_ONCE: usize = 1_000;
/// Such lists that wait.
pub const KNOWN_WAITING: usize = 2;

/// Reads what is to be replaced.
#[derive(Debug)]
pub struct KeepReplaced {
    /// Where it is read.
    pub present: Present,
    /// Decides what is the same.
    pub comparer: Comparer,
    /// Which objects that differ are replaced.
    pub replaces: Replaces,
    /// What the objects on their way to the disk are taken from.
    pub budget: Budget,
}

impl KeepReplaced {
    /// Takes batches of an archive until the channel closes or `stop` is cancelled; hands on, in their order, the live objects
    /// that they would replace, as they are now. What cannot be kept as it is, is left out, and so will not be replaced.
    pub async fn run(
        &self,
        from: mpsc::Receiver<Batch>,
        to: mpsc::Sender<Batch>,
        stop: &CancellationToken,
    ) -> Result<(), scan::Error> {
        let batches = stream::unfold(from, async |mut from| Some((from.recv().await?, from)));
        let first = |batch: Batch| async move {
            let ids: Vec<ObjectId> = batch.objects.iter().map(|object| object.id).collect();
            let kept = self.some(&batch, &ids, 0).await?;
            Ok::<_, scan::Error>((batch, ids, kept))
        };
        let mut reading = std::pin::pin!(batches.map(first).buffered(READ_AT_ONCE));
        loop {
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                next = reading.next() => next,
            };
            let Some(next) = next else { return Ok(()) };
            let (batch, ids, mut kept) = next?;
            let (mut passed, mut covered) = (0, batch.covers.from);
            loop {
                passed += kept.len();
                let ends = passed >= ids.len();
                let end = if ends { batch.covers.to } else { ids.get(passed - 1).copied() };
                let covers = KeyRange { from: covered, to: end };
                covered = end;
                let objects: Vec<RawObject> = kept.into_iter().flatten().collect();
                let bytes = objects.iter().map(|object| object.text.len() as u64 + 1).sum();
                let page = Page::from_file(self.budget.take(bytes).await);
                let (space, objects) = (batch.space.clone(), Objects::new(objects, page));
                let origin = BatchOrigin::Live { worker: 0, mark: 0, unprintable: false };
                let on = Batch { space, covers, objects, bytes, origin, known: Vec::new() };
                to.send(on).await.map_err(|_| scan::Error::SinkGone)?;
                if ends {
                    break;
                }
                kept = self.some(&batch, &ids[passed..], passed).await?;
            }
        }
    }

    /// The live objects to keep, for the first of these ids: those behind the `passed` first objects of the batch.
    async fn some(
        &self,
        batch: &Batch,
        ids: &[ObjectId],
        passed: usize,
    ) -> Result<Vec<Option<RawObject>>, scan::Error> {
        let look = |at: usize, there: Option<&Taken>| {
            let left = &batch.objects[passed + at];
            match there.filter(|there| self.is_replaced(left, there)) {
                // A copy: the page that it is a slice of goes back.
                Some(Taken { object, .. }) => {
                    let kept = RawObject { text: Bytes::copy_from_slice(&object.text), ..object.clone() };
                    (Some(kept), object.text.len() as u64)
                }
                None => (None, 0),
            }
        };
        self.present.some(batch.space.as_ref(), ids, true, HELD_BYTES, look).await
    }

    fn is_replaced(&self, left: &RawObject, there: &Taken) -> bool {
        let Taken { object, unprintable } = there;
        let is_known_again = object.updated_ms.is_some();
        is_known_again
            && !unprintable
            && self.replaces.takes(left, object)
            && !self.comparer.fields(left, object, Vectors::Compare).is_empty()
    }
}

/// An object that was kept: where it lies, and when it was written last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptObject {
    space: Space,
    id: ObjectId,
    updated_ms: i64,
}

/// The archive of what was kept of one collection.
pub struct Kept {
    /// The archive, sealed.
    pub archive: Arc<Archive>,
    /// The collection's place in it.
    pub at: usize,
    /// Its name.
    pub collection: CollectionName,
    /// Its runs.
    pub runs: Arc<Index>,
    /// How its objects enter the digest.
    pub digest: ObjectDigest,
    /// What long lines may take.
    pub lines: LongLines,
}

impl Kept {
    /// Reads all of it, proves it once more, and tells of each object, in the order they were kept in. Blocks.
    pub fn read(&self, to: &mpsc::Sender<Vec<KeptObject>>) -> Result<(), Box<BadPart>> {
        let entry = &self.archive.collections()[self.at];
        for part in &entry.parts {
            let mut some = Vec::new();
            let mut read = || {
                let reader = self.archive.part(entry, part, &self.runs)?.within(Box::new(self.lines.room()));
                let spaces: Vec<Space> = reader.runs().iter().map(|run| run.tenant.clone()).collect();
                load::prove_part(reader, &self.collection, &self.digest, Look::Structure, |object, at| {
                    let (space, updated_ms) = (spaces[at.run].clone(), object.updated_ms.unwrap_or(i64::MIN));
                    some.push(KeptObject { space, id: object.id, updated_ms });
                    some.len() < KNOWN_AT_ONCE || to.blocking_send(std::mem::take(&mut some)).is_ok()
                })
            };
            read().map_err(|error| Box::new(BadPart { part: part.clone(), error }))?;
            let _ = to.blocking_send(some);
        }
        Ok(())
    }
}

/// Tells each batch which of its objects were kept, and may be replaced as long as they are what was kept: takes batches until
/// the channel closes or `stop` is cancelled. Whether everything that was kept was met.
pub async fn know_again(
    mut kept: mpsc::Receiver<Vec<KeptObject>>,
    mut from: mpsc::Receiver<Batch>,
    to: mpsc::Sender<Batch>,
    stop: &CancellationToken,
) -> bool {
    let mut ahead = Vec::new().into_iter().peekable();
    loop {
        let batch = tokio::select! {
            biased;
            () = stop.cancelled() => return true,
            batch = from.recv() => batch,
        };
        let Some(mut batch) = batch else { break };
        for (at, object) in batch.objects.iter().enumerate() {
            while ahead.peek().is_none() {
                let Some(more) = kept.recv().await else { break };
                ahead = more.into_iter().peekable();
            }
            let is_it = |kept: &KeptObject| kept.id == object.id && kept.space == batch.space;
            if let Some(kept) = ahead.next_if(is_it) {
                batch.known.push((at, kept.updated_ms));
            }
        }
        if to.send(batch).await.is_err() {
            return true;
        }
    }
    let mut left = ahead.next().is_some();
    while let Some(more) = kept.recv().await {
        left |= !more.is_empty();
    }
    !left
}
