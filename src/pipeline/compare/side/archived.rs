//! The archive's side: reads a part on a thread of its own, proves it on the way, and hands its objects on in pieces, run
//! by run or, for a sample, block by block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::super::sample::{BLOCK_OBJECTS, Sample};
use super::super::units::{Segment, Unit};
use crate::archive::digest::ObjectDigest;
use crate::archive::{Archive, Index};
use crate::model::{KeyRange, LARGE_BYTES, ObjectId, RawObject, Schema};
use crate::pipeline::load;
use crate::pipeline::long_lines::{LongLines, Turn};

/// Objects are handed on when they weigh so many bytes, or are so many.
const PIECE_BYTES: usize = 128 << 10;
const PIECE_OBJECTS: usize = 1_000;

/// What the archive holds of one collection.
pub struct ArchivedSide {
    /// The archive.
    pub archive: Arc<Archive>,
    /// The collection's place in it.
    pub at: usize,
    /// Its archived schema.
    pub schema: Schema,
    /// Its runs.
    pub runs: Arc<Index>,
    /// The units, as `units` cut them.
    pub units: Vec<Unit>,
    /// What long lines may take.
    pub lines: LongLines,
    /// What to take of them; `None`: everything.
    pub sample: Option<Sample>,
}

/// The objects of a stretch of keys: `Begin`, any number of `Objects`, `End`.
pub(in crate::pipeline::compare) enum Piece {
    /// The stretch begins behind this id and holds so many objects. `segment`: its place in the unit.
    Begin { segment: usize, from: Option<ObjectId>, objects: u64 },
    /// The next objects; the last one's line may be so long that no other such one is read before it is compared.
    Objects(Vec<RawObject>, Option<Turn>),
    /// The reader has to wait for its turn to read a long line: nothing that others wait for may be held meanwhile.
    LetGo,
    /// The stretch ends with this key.
    End { to: Option<ObjectId> },
}

impl ArchivedSide {
    /// Whether anything of a unit is to be compared.
    pub(in crate::pipeline::compare) fn wants(&self, unit: usize) -> bool {
        self.units.get(unit).is_some_and(|unit| unit.segments.iter().any(|segment| self.takes(segment)))
    }

    /// Whether anything of a segment is to be compared.
    pub(in crate::pipeline::compare) fn takes(&self, segment: &Segment) -> bool {
        segment.wanted && self.sample.is_none_or(|sample| sample.touches(segment))
    }

    /// The file of a unit; the archive's directory for a collection without objects.
    pub(in crate::pipeline::compare) fn path(&self, unit: usize) -> PathBuf {
        let entry = &self.archive.collections()[self.at];
        let part = self.units.get(unit).and_then(|unit| entry.parts.get(unit.part?));
        let file = part.map(|part| Path::new("collections").join(&entry.folder).join(&part.file));
        self.archive.path().join(file.unwrap_or_default())
    }

    /// Reads a unit and proves it. What was sent is proven only once this returns `Ok`. Blocks. Ends with
    /// [`load::Error::Stopped`] when the receiver is gone: nobody wants what this unit would prove.
    pub(in crate::pipeline::compare) fn read(&self, unit: usize, to: &mpsc::Sender<Piece>) -> Result<(), load::Error> {
        let Some(unit) = self.units.get(unit) else { return Ok(()) };
        let Some(part) = unit.part else {
            for (number, segment) in unit.segments.iter().enumerate() {
                let KeyRange { from, to: end } = segment.covers;
                let _ = to.blocking_send(Piece::Begin { segment: number, from, objects: 0 });
                let _ = to.blocking_send(Piece::End { to: end });
            }
            return Ok(());
        };
        let entry = &self.archive.collections()[self.at];
        let Some(part) = entry.parts.get(part) else { return Ok(()) };
        let waiting = to.clone();
        let room = self.lines.room().before_waiting(move || {
            let _ = waiting.blocking_send(Piece::LetGo);
        });
        let turn = room.turn();
        let reader = self.archive.part(entry, part, &self.runs)?.within(Box::new(room));
        let digest = ObjectDigest::new(&self.schema, entry.content);
        let mut cutter = Cutter {
            segments: unit.segments.iter().enumerate(),
            current: None,
            place: 0,
            previous: None,
            objects: Vec::new(),
            bytes: 0,
            sample: self.sample,
            turn,
            to,
        };
        load::prove_part(reader, &self.schema.name, &digest, load::Look::Structure, |object, _| {
            cutter.take(object);
            !to.is_closed()
        })
    }
}

/// Cuts the objects of a part into stretches and pieces.
struct Cutter<'a> {
    segments: std::iter::Enumerate<std::slice::Iter<'a, Segment>>,
    current: Option<(usize, &'a Segment)>,
    /// Objects of the current run that were taken.
    place: u64,
    /// The last one of them.
    previous: Option<ObjectId>,
    objects: Vec<RawObject>,
    bytes: usize,
    sample: Option<Sample>,
    /// The reader's turn, while it has it.
    turn: Arc<Mutex<Option<Turn>>>,
    to: &'a mpsc::Sender<Piece>,
}

impl Cutter<'_> {
    fn take(&mut self, object: &RawObject) {
        if self.current.is_none_or(|(_, segment)| self.place == segment.objects) {
            self.current = self.segments.next();
            (self.place, self.previous) = (0, None);
        }
        let Some((number, segment)) = self.current else { return };
        let length = if self.sample.is_some() { BLOCK_OBJECTS } else { segment.objects };
        let (block, inside) = (self.place / length, self.place % length);
        let sampled = |sample: Sample| segment.run.is_some_and(|run| sample.takes(run, block));
        let wanted = segment.wanted && self.sample.is_none_or(sampled);
        let from = if self.place == 0 { segment.covers.from } else { self.previous };
        let left = segment.objects - self.place;
        self.place += 1;
        self.previous = Some(object.id);
        if !wanted {
            return;
        }
        if inside == 0 {
            self.send(Piece::Begin { segment: number, from, objects: left.min(length) });
        }
        // A copy, since the slice would keep the reader's whole buffer alive, and the reader would need a new one. What is
        // large has a buffer of its own.
        let is_large = object.text.len() >= LARGE_BYTES;
        let text = if is_large { object.text.clone() } else { Bytes::copy_from_slice(&object.text) };
        self.objects.push(RawObject { text, ..object.clone() });
        self.bytes += object.text.len();
        let ended = inside + 1 == length || left == 1;
        if ended || self.bytes >= PIECE_BYTES || self.objects.len() >= PIECE_OBJECTS {
            self.bytes = 0;
            let objects = std::mem::take(&mut self.objects);
            let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.send(Piece::Objects(objects, turn));
        }
        if ended {
            // The last block of a run also stands for the keys behind it, or new objects there would never be seen.
            let to = if left == 1 { segment.covers.to } else { Some(object.id) };
            self.send(Piece::End { to });
        }
    }

    /// The receiver goes away when the unit is given up; the reader sees that behind each object.
    fn send(&self, piece: Piece) {
        let _ = self.to.blocking_send(piece);
    }
}
