//! Memory for long lines of an archive: how long one may be, and how many there are at once. A line of a part may be
//! made of next to nothing by its compression, so a reader asks before a line grows.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::archive::LineRoom;
use crate::model::LARGE_BYTES;

/// Everything but lines, pages and batches that a run holds in memory: sockets, line buffers and codecs.
pub const OTHER_BYTES: u64 = 24 << 20;
/// A line of so many bytes is read within any limit, and costs no share of a budget: there is one at a time.
pub const LEAST_LONGEST_BYTES: usize = 12 << 20;

/// The longest line, in bytes, that is read within a memory limit: it is in memory twice, as it is read or compared and as
/// it is sent or was printed.
#[must_use]
pub fn longest_line(memory_bytes: u64) -> usize {
    let half = memory_bytes.saturating_sub(OTHER_BYTES) / 2;
    usize::try_from(half).unwrap_or(usize::MAX).max(LEAST_LONGEST_BYTES)
}

/// The turn of one reader to hold a line that is longer than what each may hold of its own.
pub type Turn = OwnedSemaphorePermit;

/// What the readers of one run share.
#[derive(Debug, Clone)]
pub struct LongLines {
    /// What each reader may hold of its own.
    own: usize,
    most: usize,
    turn: Arc<Semaphore>,
}

impl LongLines {
    /// The longest line that a reader takes without waiting for its turn, whatever the limit.
    pub const MOST_OWN_BYTES: u64 = 8 << 20;

    /// For so many readers within a memory limit.
    #[must_use]
    pub fn within(memory_bytes: u64, readers: usize) -> Self {
        let each = memory_bytes.saturating_sub(OTHER_BYTES) / 2 / readers.max(1) as u64;
        Self::with_own(memory_bytes, each)
    }

    /// The same, each reader with `own` bytes.
    #[must_use]
    pub fn with_own(memory_bytes: u64, own: u64) -> Self {
        let most = longest_line(memory_bytes);
        let own = usize::try_from(own.min(Self::MOST_OWN_BYTES)).unwrap_or(usize::MAX).clamp(LARGE_BYTES, most);
        Self { own, most, turn: Arc::new(Semaphore::new(1)) }
    }

    /// The room of one reader, on a thread that may block.
    #[must_use]
    pub fn room(&self) -> Room {
        Room { lines: self.clone(), turn: Arc::default(), before_waiting: None }
    }
}

/// The room of one reader.
pub struct Room {
    lines: LongLines,
    turn: Arc<Mutex<Option<Turn>>>,
    before_waiting: Option<Box<dyn FnMut() + Send>>,
}

impl Room {
    /// The same; `then` is called before the reader waits for its turn, and lets go of what others may be waiting for.
    #[must_use]
    pub fn before_waiting(self, then: impl FnMut() + Send + 'static) -> Self {
        Self { before_waiting: Some(Box::new(then)), ..self }
    }

    /// Where the turn is while the reader has it, for who takes the line from it.
    #[must_use]
    pub fn turn(&self) -> Arc<Mutex<Option<Turn>>> {
        Arc::clone(&self.turn)
    }
}

impl LineRoom for Room {
    fn grow(&mut self, held: usize) -> usize {
        let LongLines { own, most, turn } = &self.lines;
        if held < *own {
            return *own;
        }
        if held >= *most {
            return held;
        }
        let mut mine = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if mine.is_none() {
            *mine = Arc::clone(turn).try_acquire_owned().ok();
        }
        if mine.is_none() {
            if let Some(then) = &mut self.before_waiting {
                then();
            }
            // The semaphore is never closed.
            *mine = Handle::current().block_on(Arc::clone(turn).acquire_owned()).ok();
        }
        *most
    }

    fn end(&mut self) {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_longest_line_is_half_of_what_is_left_of_the_limit() {
        let longest = |mib: u64| longest_line(mib * MIB) as u64 / MIB;
        assert_eq!([0, 16, 64, 128, 536].map(longest), [12, 12, 20, 52, 256]);
    }

    #[test]
    fn a_line_grows_to_what_a_reader_has_then_by_turns_and_not_beyond() {
        let lines = LongLines::within(64 * MIB, 4);
        let (mut first, mut second) = (lines.room(), lines.room());
        let (own, most) = (5 << 20, 20 << 20);
        assert_eq!([first.grow(LARGE_BYTES), second.grow(LARGE_BYTES)], [own, own]);
        assert_eq!(first.grow(own), most);
        assert_eq!(first.grow(most), most, "refused");
        assert!(lines.turn.try_acquire().is_err());
        first.end();
        assert_eq!(second.grow(own), most);
        let taken = second.turn().lock().expect("no panic").take();
        second.end();
        assert!(lines.turn.try_acquire().is_err(), "whoever took the line has the turn");
        drop(taken);
        assert!(lines.turn.try_acquire().is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_waits_for_a_turn_says_so_first() {
        let lines = LongLines::with_own(0, 0);
        let (mut first, (said, heard)) = (lines.room(), std::sync::mpsc::channel());
        assert_eq!(first.grow(LARGE_BYTES), LEAST_LONGEST_BYTES);
        let mut second = lines.room().before_waiting(move || said.send(()).expect("heard"));
        let waiting = tokio::task::spawn_blocking(move || second.grow(LARGE_BYTES));
        heard.recv().expect("said");
        first.end();
        assert_eq!(waiting.await.expect("no panic"), LEAST_LONGEST_BYTES);
    }
}
