//! The two sides of a comparison. Each gives the objects of a stretch of keys, sorted by id: the left one in pieces, stretch
//! by stretch, the right one object by object, as the left one needs them. What the left one is made of is known here alone.

pub(super) mod archived;
pub(super) mod live;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use self::archived::ArchivedSide;
use super::sample::Sample;
use super::units::{Segment, Unit};
use crate::model::{ObjectId, RawObject, ShellWord};
use crate::pipeline::load;
use crate::pipeline::long_lines::Turn;

/// The objects of a stretch of keys: `Begin`, any number of `Objects`, `End`.
pub(super) enum Piece {
    /// The stretch begins behind this id and holds so many objects. `segment`: its place in the unit.
    Begin { segment: usize, from: Option<ObjectId>, objects: u64 },
    /// The next objects; the last one's line may be so long that no other such one is read before it is compared.
    Objects(Vec<RawObject>, Option<Turn>),
    /// The reader has to wait for its turn to read a long line: nothing that others wait for may be held meanwhile.
    LetGo,
    /// The stretch ends with this key.
    End { to: Option<ObjectId> },
}

/// Why the left side could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeftError {
    /// A part of an archive.
    #[error("{}", ShellWord::path(path))]
    Archive {
        /// The part.
        path: PathBuf,
        /// What is wrong with it.
        source: load::Error,
    },
}

/// The left side: cut into units, each of which is read as a whole.
pub struct Left {
    units: Vec<Unit>,
    /// What to take of them; `None`: everything.
    sample: Option<Sample>,
    from: ArchivedSide,
}

impl Left {
    /// These units of an archive, as `units` cut them.
    #[must_use]
    pub fn new(from: ArchivedSide, units: Vec<Unit>, sample: Option<Sample>) -> Self {
        Self { units, sample, from }
    }

    /// How many units there are.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units.len()
    }

    pub(super) fn unit(&self, unit: usize) -> &Unit {
        &self.units[unit]
    }

    /// Whether anything of a unit is to be compared.
    pub(super) fn wants(&self, unit: usize) -> bool {
        self.units.get(unit).is_some_and(|unit| unit.segments.iter().any(|segment| self.takes(segment)))
    }

    /// Whether anything of a segment is to be compared.
    pub(super) fn takes(&self, segment: &Segment) -> bool {
        segment.wanted && self.sample.is_none_or(|sample| sample.touches(segment))
    }

    /// Reads a unit and proves it. What was sent is proven only once this is done, and good. It ends when the receiver is gone.
    pub(super) fn read(
        self: &Arc<Self>,
        unit: usize,
        to: mpsc::Sender<Piece>,
    ) -> JoinHandle<Result<(), Box<LeftError>>> {
        let left = Arc::clone(self);
        tokio::task::spawn_blocking(move || left.from.read(&left.units[unit], left.sample, &to))
    }
}
