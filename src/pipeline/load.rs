//! Reads a part of an archive line by line, splits each line, and proves what it says on the way: JSON in full, class,
//! order, ranges, counts, digests, and the file's own checksum at the end. Hands the objects on in batches.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

mod lead;
mod room;

use serde::de::IgnoredAny;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::activation::runs::RunAhead;
use super::budget::{Budget, Share};
use super::marks::Marks;
use super::pacer::Pacer;
use super::split::{self, SplitError};
use super::{Batch, BatchOrigin, Objects, Page};
use crate::archive::digest::ObjectDigest;
use crate::archive::manifest::PartEntry;
use crate::archive::{Archive, Damage, Error as ArchiveError, Index, PartReader, Run, RunProof};
use crate::model::{
    CollectionName, KeyRange, LARGE_BYTES, MixedSpaces, ObjectId, RawObject, Schema, Sieve, TenantMap, TenantName,
};
use lead::Leads;
use room::{LineShare, Room};

/// What a batch takes of the budget for each plain byte: the objects, in buffers that are not theirs alone, and the body
/// that is sent.
const COPIES: u64 = 3;
/// The same of a large object: itself, and what becomes of its properties where they are sent otherwise than they stand.
const LARGE_COPIES: u64 = 2;

/// Why a part could not be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The archive is damaged, or the disk fails.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A line is no object of its collection.
    #[error("line {line}")]
    Line {
        /// Its number in the part, from 1.
        line: u64,
        /// What is wrong with it.
        source: SplitError,
    },
    /// Whoever takes the objects wants no more.
    #[error("stopped")]
    Stopped,
}

/// Why a part could not be read to its end.
#[derive(Debug)]
pub struct BadPart {
    /// The part.
    pub part: PartEntry,
    /// Why.
    pub error: Error,
}

/// Where an object stands in its part.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// Its run's place among those of the part.
    pub run: usize,
    /// Its line, from 1.
    pub line: u64,
}

/// How closely the text of a line is looked at. Both prove that it is what was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Parsed in full.
    Full,
    /// Split by its structure alone: for what is proven already, or what is compared anyway.
    Structure,
}

/// Reads a part to its end, proving everything, and hands each object to `each`; `false` from it ends the reading with
/// [`Error::Stopped`]. Blocks; memory is bounded by the longest line. What `each` got is proven only once this returns
/// `Ok`. A part that looks damaged is read once more: if it is whole then, it was read wrongly at first, and that is
/// the error.
pub fn prove_part(
    mut part: PartReader,
    collection: &CollectionName,
    digest: &ObjectDigest,
    look: Look,
    each: impl FnMut(&RawObject, At) -> bool,
) -> Result<(), Error> {
    let done = prove_once(&mut part, collection, digest, look, each);
    let Err(first @ (Error::Archive(ArchiveError::Damaged { .. }) | Error::Line { .. })) = done else { return done };
    let Some(mut again) = part.again() else { return Err(first) };
    match prove_once(&mut again, collection, digest, look, |_, _| true) {
        Ok(()) => Err(ArchiveError::unsteady(again.path(), first).into()),
        Err(_) => Err(first),
    }
}

fn prove_once(
    part: &mut PartReader,
    collection: &CollectionName,
    digest: &ObjectDigest,
    look: Look,
    mut each: impl FnMut(&RawObject, At) -> bool,
) -> Result<(), Error> {
    let runs = part.runs().to_vec();
    let is_reference = digest.references();
    let mut proofs = runs.iter().map(|run| RunProof::new(run, digest));
    let mut open: Option<(usize, RunProof<'_>)> = None;
    while let Some(line) = part.next_line()? {
        let wrong = |source| Error::Line { line: line.number, source };
        let object = split::line(&line.text, collection).map_err(wrong)?;
        split::of_tenant(&object, runs[line.run].tenant.as_ref()).map_err(wrong)?;
        if let Some(is_reference) = &is_reference {
            split::references(&object, is_reference).map_err(wrong)?;
        }
        if look == Look::Full
            && let Err(e) = serde_json::from_slice::<IgnoredAny>(&line.text)
        {
            return Err(wrong(SplitError::Structure { at: e.column().saturating_sub(1) }));
        }
        while open.as_ref().is_none_or(|(run, _)| *run < line.run) {
            let next = open.as_ref().map_or(0, |(run, _)| run + 1);
            if let Some((_, proof)) = open.take() {
                proof.finish().map_err(|what| part.damaged(line.number, what))?;
            }
            let Some(proof) = proofs.next() else { return Err(part.damaged(line.number, Damage::Trailing).into()) };
            open = Some((next, proof));
        }
        if let Some((_, proof)) = &mut open {
            proof.add(&object).map_err(|what| part.damaged(line.number, what))?;
        }
        if !each(&object, At { run: line.run, line: line.number }) {
            return Err(Error::Stopped);
        }
    }
    let last = runs.iter().map(|run| run.objects).sum();
    for proof in open.map(|(_, proof)| proof).into_iter().chain(proofs) {
        proof.finish().map_err(|what| part.damaged(last, what))?;
    }
    Ok(part.finish()?)
}

/// A source of batches: the parts of one collection, one after the other.
pub struct Load {
    /// The archive.
    pub archive: Arc<Archive>,
    /// The collection's place in it.
    pub at: usize,
    /// Its schema.
    pub schema: Schema,
    /// Its runs.
    pub runs: Arc<Index>,
    /// The same runs with the numbers of what is wanted of them.
    pub wanted: Arc<Index>,
    /// What of the objects is wanted; `None`: all.
    pub sieve: Option<Arc<Sieve>>,
    /// How its objects enter the digest.
    pub digest: ObjectDigest,
    /// What the batches are taken from.
    pub budget: Budget,
    /// The longest line that is read, in bytes: at most half of the budget, or within what every limit has room for.
    pub longest_line: usize,
    /// Which tenants, and their names on the server.
    pub tenants: TenantMap,
    /// Runs that are not wanted any more, by their places in `runs`.
    pub done: Arc<BTreeSet<usize>>,
    /// Tenants, by their names on the server, whose vectors come in several lengths: what leads them is sent first.
    pub mixed: Arc<MixedSpaces>,
    /// The objects that are wanted; `None`: all.
    pub only: Option<Arc<Marks>>,
    /// Stretches of other runs that are not wanted any more, by the places of these, in order.
    pub judged: Arc<BTreeMap<usize, Vec<KeyRange>>>,
    /// Says how many objects and bytes a batch may have.
    pub pacer: Arc<Mutex<Pacer>>,
    /// Cancelled when no more is wanted.
    pub stop: CancellationToken,
}

impl Load {
    /// Reads everything that is chosen and sends it on. Parts that hold nothing of it are not read. A batch never holds objects
    /// of two runs, but for those that lead. Every part is proven again while it is read, so that nothing else is sent than what was checked before;
    /// a part that changed meanwhile ends this with an error. Blocks, inside the runtime.
    pub fn run(&self, batches: &mpsc::Sender<Batch>) -> Result<(), Box<BadPart>> {
        let entry = &self.archive.collections()[self.at];
        let mut leads = Leads::of(self);
        for part in &entry.parts {
            self.part(part, batches, &mut leads).map_err(|error| Box::new(BadPart { part: part.clone(), error }))?;
        }
        Ok(())
    }

    /// Where the objects of a run go: into a plain collection, or into that tenant; `None` if they are not wanted.
    #[must_use]
    pub fn target(&self, run: usize) -> Option<Option<TenantName>> {
        let wants = self.wanted[run].objects > 0 && !self.done.contains(&run);
        self.tenants.target(self.runs[run].tenant.as_ref()).filter(|_| wants)
    }

    /// What of an object of a run is wanted; `None`: nothing.
    fn taken<'o>(&self, run: &Run, object: &'o RawObject) -> Option<Cow<'o, RawObject>> {
        match &self.sieve {
            None => Some(Cow::Borrowed(object)),
            Some(sieve) if sieve.keeps(run.tenant.as_ref(), object) => {
                Some(sieve.cut(object).map_or(Cow::Borrowed(object), Cow::Owned))
            }
            Some(_) => None,
        }
    }

    /// The runs of each part whose objects go into a tenant, in the order in which they are read.
    pub fn ahead(&self) -> impl Iterator<Item = Vec<RunAhead>> {
        let with_tenant = move |at: &usize| Some((*at, self.target(*at)??));
        let parts = self.archive.collections()[self.at].parts.iter();
        parts.map(move |part| self.archive.inside(part, &self.runs).iter().filter_map(with_tenant).collect())
    }

    fn part(&self, part: &PartEntry, batches: &mpsc::Sender<Batch>, leads: &mut Leads) -> Result<(), Error> {
        let numbers = self.archive.inside(part, &self.runs);
        let targets: Vec<_> = numbers.iter().map(|at| self.target(*at)).collect();
        if targets.iter().all(Option::is_none) {
            return Ok(());
        }
        let room = Room::new(&self.budget, self.longest_line, &self.stop);
        let line = room.share();
        let reader = self.archive.part(&self.archive.collections()[self.at], part, &self.runs)?.within(Box::new(room));
        let mut filling = Filling {
            load: self,
            batches,
            objects: Vec::new(),
            bytes: 0,
            share: None,
            line,
            room: self.room(),
            passed: None,
            gap: None,
            seen: 0,
        };
        prove_part(reader, &self.schema.name, &self.digest, Look::Structure, |object, at| {
            let Some(tenant) = &targets[at.run] else { return true };
            let number = numbers[at.run];
            let run = &self.runs[number];
            let Some(object) = self.taken(run, object) else { return true };
            let place = Place { run, objects: self.wanted[number].objects, number, tenant: tenant.as_ref() };
            let begun = filling.seen > 0 || self.lead(tenant.as_ref(), leads, &filling.line, batches);
            begun && filling.take(&object, place)
        })
    }

    /// Objects and bytes that a batch may have now.
    fn room(&self) -> (u32, u64) {
        let pacer = self.pacer.lock().unwrap_or_else(PoisonError::into_inner);
        (pacer.ask().objects, pacer.batch_bytes())
    }
}

/// A batch that is being filled.
struct Filling<'a> {
    load: &'a Load,
    batches: &'a mpsc::Sender<Batch>,
    objects: Vec<RawObject>,
    bytes: u64,
    /// What the large ones among them take of the budget.
    share: Option<Share>,
    /// The share of the line that is being read, if it is long.
    line: LineShare,
    room: (u32, u64),
    /// The last id that was sent on in this run.
    passed: Option<ObjectId>,
    /// The stretch between those that are not wanted, if there are any of this run.
    gap: Option<KeyRange>,
    /// Objects seen of this run, of those that are wanted.
    seen: u64,
}

/// The stretch around an id that lies between ranges of a run; `None` if it lies in one of them.
fn gap(judged: &[KeyRange], whole: KeyRange, id: ObjectId) -> Option<KeyRange> {
    let behind = judged.partition_point(|range| range.from.is_none_or(|from| from < id));
    let before = behind.checked_sub(1).map(|at| judged[at]);
    if before.is_some_and(|range| range.contains(id)) {
        return None;
    }
    let from = before.map_or(whole.from, |range| range.to);
    let to = judged.get(behind).map_or(whole.to, |range| range.from);
    Some(KeyRange { from, to })
}

/// The run that an object is of, its place among all, and its tenant on the server.
#[derive(Clone, Copy)]
struct Place<'a> {
    run: &'a Run,
    /// Objects of it that are wanted.
    objects: u64,
    number: usize,
    tenant: Option<&'a TenantName>,
}

impl Filling<'_> {
    /// Takes the next object; whether more is wanted.
    fn take(&mut self, object: &RawObject, place: Place<'_>) -> bool {
        if self.load.only.as_ref().is_some_and(|only| !only.holds(place.number, object.id)) {
            return self.pass_over(place);
        }
        let judged = self.load.judged.get(&place.number);
        if judged.is_some_and(|judged| !self.stays_in_gap(judged, object.id, place)) {
            return false;
        }
        if judged.is_some() && self.gap.is_none() {
            self.seen += 1;
            if self.seen == place.objects {
                (self.passed, self.seen) = (None, 0);
            }
            return true;
        }
        let bytes = object.text.len() as u64 + 1;
        let (objects, most_bytes) = self.room;
        let full = self.objects.len() >= objects as usize || self.bytes + bytes > most_bytes;
        if full && !self.objects.is_empty() && !self.send(place, false) {
            return false;
        }
        self.line.give_back();
        if object.text.len() >= LARGE_BYTES && !self.pay(bytes.saturating_mul(LARGE_COPIES)) {
            return false;
        }
        self.objects.push(object.clone());
        self.bytes += bytes;
        self.seen += 1;
        if self.seen == place.objects {
            return self.send(place, true);
        }
        // The next line may be so long that it needs what this batch holds, and the batch would wait for that line.
        let held = self.share.as_ref().map_or(0, Share::bytes);
        let fits = held == 0 || held + self.load.longest_line as u64 <= self.load.budget.flow_bytes();
        fits || self.send(place, false)
    }

    /// Passes over an object that is not wanted; whether more is.
    fn pass_over(&mut self, place: Place<'_>) -> bool {
        self.seen += 1;
        if self.seen < place.objects {
            return true;
        }
        if self.objects.is_empty() {
            (self.passed, self.seen) = (None, 0);
            return true;
        }
        self.send(place, true)
    }

    /// Finds the stretch that an object lies in, of a run of which others are not wanted; what was gathered of another one is
    /// sent on. Whether more is wanted.
    fn stays_in_gap(&mut self, judged: &[KeyRange], id: ObjectId, place: Place<'_>) -> bool {
        let next = gap(judged, place.run.covers, id);
        if next == self.gap {
            return true;
        }
        let seen = self.seen;
        let wanted = self.objects.is_empty() || self.send(place, true);
        (self.gap, self.passed, self.seen) = (next, next.and_then(|gap| gap.from), seen);
        wanted
    }

    /// Waits for the share of a large object, or of a batch; whether more is wanted. Whoever waits here holds the share of one
    /// batch at most, and that of the line that is read already: the others come back.
    fn pay(&mut self, bytes: u64) -> bool {
        let (budget, stop) = (&self.load.budget, &self.load.stop);
        let held = self.line.bytes() + self.share.as_ref().map_or(0, Share::bytes);
        let share = Handle::current().block_on(async {
            tokio::select! {
                share = budget.take_beside(held, bytes) => Some(share),
                () = stop.cancelled() => None,
            }
        });
        let Some(share) = share else { return false };
        match &mut self.share {
            Some(held) => held.join(share),
            None => self.share = Some(share),
        }
        true
    }

    /// Sends the batch on, and waits for its share of the budget and for somebody who takes it.
    fn send(&mut self, place: Place<'_>, ends: bool) -> bool {
        let Place { run, number, tenant, .. } = place;
        let objects = std::mem::take(&mut self.objects);
        let bytes = std::mem::take(&mut self.bytes);
        let from = self.passed.or(run.covers.from);
        let last = objects.last().map(|object| object.id);
        let end = self.gap.map_or(run.covers.to, |gap| gap.to);
        let to = if ends { end } else { last };
        (self.passed, self.seen) = if ends { (None, 0) } else { (last, self.seen) };
        self.gap = self.gap.filter(|_| !ends);
        self.room = self.load.room();
        let large: u64 = objects.iter().map(|o| o.text.len() as u64).filter(|bytes| *bytes >= LARGE_BYTES as u64).sum();
        if !self.pay(bytes.saturating_sub(large).saturating_mul(COPIES)) {
            return false;
        }
        let Some(share) = self.share.take() else { return false };
        let stop = &self.load.stop;
        Handle::current().block_on(async {
            let batch = Batch {
                space: tenant.cloned(),
                covers: KeyRange { from, to },
                objects: Objects::new(objects, Page::from_file(share)),
                bytes,
                origin: BatchOrigin::Archived { run: number },
                known: Vec::new(),
            };
            tokio::select! {
                sent = self.batches.send(batch) => sent.is_ok(),
                () = stop.cancelled() => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: u128, to: u128) -> KeyRange {
        let edge = |at: u128| (at > 0 && at < 99).then_some(ObjectId(at));
        KeyRange { from: edge(from), to: edge(to) }
    }

    #[test]
    fn an_id_lies_in_a_stretch_that_is_done_or_between_two() {
        let (judged, whole) = ([range(10, 20), range(30, 40)], range(0, 99));
        for (id, expected) in [
            (1, Some(range(0, 10))),
            (10, Some(range(0, 10))),
            (11, None),
            (20, None),
            (21, Some(range(20, 30))),
            (30, Some(range(20, 30))),
            (40, None),
            (41, Some(range(40, 99))),
        ] {
            assert_eq!(gap(&judged, whole, ObjectId(id)), expected, "{id}");
        }
        assert_eq!(gap(&[range(0, 20)], whole, ObjectId(20)), None);
        assert_eq!(gap(&[], range(5, 9), ObjectId(7)), Some(range(5, 9)));
    }
}
