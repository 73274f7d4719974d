//! The archive's side: reads a part on a thread of its own, proves it on the way, and hands its objects on in pieces, run
//! by run or, for a sample, block by block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::super::sample::{BLOCK_OBJECTS, Sample};
use super::super::units::{Segment, Unit};
use super::{LeftError, Piece};
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
    /// What long lines may take.
    pub lines: LongLines,
}

impl ArchivedSide {
    /// The file of a unit; the archive's directory for a collection without objects.
    fn path(&self, unit: &Unit) -> PathBuf {
        let entry = &self.archive.collections()[self.at];
        let part = unit.part.and_then(|part| entry.parts.get(part));
        let file = part.map(|part| Path::new("collections").join(&entry.folder).join(&part.file));
        self.archive.path().join(file.unwrap_or_default())
    }

    /// Reads a unit, or a sample of it, and proves it. Blocks. Ends with [`load::Error::Stopped`] when the receiver is gone:
    /// nobody wants what this unit would prove.
    pub(super) fn read(
        &self,
        unit: &Unit,
        sample: Option<Sample>,
        to: &mpsc::Sender<Piece>,
    ) -> Result<(), Box<LeftError>> {
        self.prove(unit, sample, to).map_err(|source| Box::new(LeftError::Archive { path: self.path(unit), source }))
    }

    fn prove(&self, unit: &Unit, sample: Option<Sample>, to: &mpsc::Sender<Piece>) -> Result<(), load::Error> {
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
            sample,
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
