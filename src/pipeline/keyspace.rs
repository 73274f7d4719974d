//! Cuts the UUID space into ranges, hands them to workers, and when a worker is idle splits the largest stretch that
//! is still ahead of another one. Each tenant is a space of its own. Pure: no clock, no I/O. Ids need not be uniform; the
//! finished stretches always cover each space exactly, since a cut only moves the end of one range to the start of the
//! next.

use std::collections::BTreeSet;

use crate::model::{KeyRange, ObjectId};

/// A range whose objects ahead are fewer than this many pages is not worth a cut.
const PAGES_WORTH_A_CUT: f64 = 2.0;

/// A worker's hold on one range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold(usize);

/// Keys of one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The number of the space: a tenant's place in the scan's list, 0 for a plain collection.
    pub space: usize,
    /// The keys.
    pub range: KeyRange,
}

/// What an idle worker should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read this range.
    Range(Hold, Stretch),
    /// Nothing to cut at the moment: ask again when another worker got further.
    Wait,
    /// Every range is finished.
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    space: usize,
    range: KeyRange,
    /// Last id read; `None` before the first page.
    cursor: Option<ObjectId>,
    /// Objects read so far, to guess what lies ahead.
    objects: u64,
}

impl Running {
    /// Keys passed so far and keys ahead. Both fit `u128`, as a range never counts its own excluded start.
    fn passed_and_ahead(&self) -> (u128, u128) {
        let last = self.range.to.map_or(u128::MAX, |to| to.0);
        let first = self.range.from.map_or(0, |from| from.0);
        let cursor = self.cursor.map_or(first, |c| c.0);
        (cursor - first, last.saturating_sub(cursor))
    }
}

/// The ranges of one collection and who reads what.
#[derive(Debug)]
pub struct Keyspace {
    waiting: Vec<Stretch>,
    running: Vec<Running>,
    /// Those of them that are not finished: of thousands of tenants only a few are read at a time.
    open: BTreeSet<usize>,
}

impl Keyspace {
    /// The ranges to read, cut so that at least `pieces` workers have something at once. `todo` must not overlap.
    #[must_use]
    pub fn new(todo: &[Stretch], pieces: usize) -> Self {
        let mut waiting = todo.to_vec();
        while waiting.len() < pieces {
            let widths = waiting.iter().enumerate().map(|(i, s)| (width(&s.range), i));
            let Some((_, widest)) = widths.max() else { break };
            let Stretch { space, range } = waiting[widest];
            let Some((low, high)) = cut(range, range.from) else { break };
            waiting[widest] = Stretch { space, range: low };
            waiting.push(Stretch { space, range: high });
        }
        waiting.sort_unstable_by_key(|s| std::cmp::Reverse((s.space, s.range.from)));
        Self { waiting, running: Vec::new(), open: BTreeSet::new() }
    }

    /// What an idle worker should do; `page_objects` is the size of a page at present.
    pub fn next(&mut self, page_objects: u32) -> Next {
        if let Some(stretch) = self.waiting.pop() {
            return self.start(stretch);
        }
        let worth = f64::from(page_objects) * PAGES_WORTH_A_CUT;
        let ahead = |r: &Running| {
            let (passed, ahead) = r.passed_and_ahead();
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let expected = r.objects as f64 * (ahead as f64 / passed.max(1) as f64);
            (r.cursor.is_some() && expected >= worth).then_some(ahead)
        };
        if self.open.is_empty() {
            return Next::Done;
        }
        let best = self.open.iter().filter_map(|at| ahead(&self.running[*at]).map(|a| (a, *at))).max();
        let Some((_, at)) = best else { return Next::Wait };
        let running = &mut self.running[at];
        match cut(running.range, running.cursor) {
            Some((low, high)) => {
                running.range = low;
                let space = running.space;
                self.start(Stretch { space, range: high })
            }
            None => Next::Wait,
        }
    }

    fn start(&mut self, stretch: Stretch) -> Next {
        let Stretch { space, range } = stretch;
        self.running.push(Running { space, range, cursor: None, objects: 0 });
        let at = self.running.len() - 1;
        self.open.insert(at);
        Next::Range(Hold(at), stretch)
    }

    /// Whether every range is finished.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.open.is_empty()
    }

    /// The last id a claim still covers; it may have moved down since the range was handed out.
    #[must_use]
    pub fn end(&self, claim: Hold) -> Option<ObjectId> {
        self.running[claim.0].range.to
    }

    /// A page was read: `last` is its last id inside the range. Returns the stretch the page stands for.
    pub fn advance(&mut self, claim: Hold, last: ObjectId, objects: u64) -> KeyRange {
        let running = &mut self.running[claim.0];
        let covered = KeyRange { from: running.cursor.or(running.range.from), to: Some(last) };
        running.cursor = Some(last);
        running.objects += objects;
        covered
    }

    /// The range's last page was read. Returns the stretch from the cursor to the range's end.
    pub fn finish(&mut self, claim: Hold) -> KeyRange {
        self.open.remove(&claim.0);
        let running = &self.running[claim.0];
        KeyRange { from: running.cursor.or(running.range.from), to: running.range.to }
    }
}

fn width(range: &KeyRange) -> u128 {
    range.to.map_or(u128::MAX, |to| to.0) - range.from.map_or(0, |from| from.0)
}

/// Halves what lies ahead of `cursor` in `range`; `None` if there is nothing to halve.
fn cut(range: KeyRange, cursor: Option<ObjectId>) -> Option<(KeyRange, KeyRange)> {
    let first = cursor.or(range.from).map_or(0, |c| c.0);
    let ahead = range.to.map_or(u128::MAX, |to| to.0) - first;
    if ahead < 2 {
        return None;
    }
    let middle = Some(ObjectId(first + ahead / 2));
    Some((KeyRange { from: range.from, to: middle }, KeyRange { from: middle, to: range.to }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const ALL: Stretch = Stretch { space: 0, range: KeyRange::ALL };

    #[test]
    fn tenants_are_spaces_of_their_own() {
        let todo = [0, 1, 2].map(|space| Stretch { space, range: KeyRange::ALL });
        let mut space = Keyspace::new(&todo, 2);
        let claims = [0, 1, 2].map(|number| {
            let Next::Range(claim, stretch) = space.next(10) else { panic!("a range") };
            assert_eq!(stretch, Stretch { space: number, range: KeyRange::ALL }, "one after the other, uncut");
            claim
        });
        space.advance(claims[1], ObjectId(u128::MAX / 2), 1_000);
        let Next::Range(_, taken) = space.next(10) else { panic!("a cut") };
        assert_eq!((taken.space, taken.range.from), (1, space.end(claims[1])), "of the tenant with objects ahead");
    }

    #[test]
    fn the_whole_space_is_cut_into_equal_pieces() {
        let mut space = Keyspace::new(&[ALL], 4);
        let mut ends = Vec::new();
        for _ in 0..4 {
            let Next::Range(_, stretch) = space.next(10) else { panic!("a range") };
            ends.push(stretch.range);
        }
        assert_eq!(ends[0].from, None);
        assert_eq!(ends[3].to, None);
        assert!(ends.windows(2).all(|w| w[0].meets(&w[1])), "{ends:?}");
        assert_eq!(space.next(10), Next::Wait);
    }

    #[test]
    fn nothing_to_read_is_done_at_once() {
        assert_eq!(Keyspace::new(&[], 4).next(10), Next::Done);
    }

    #[test]
    fn an_idle_worker_takes_half_of_what_lies_ahead_of_the_slowest() {
        let mut space = Keyspace::new(&[ALL], 1);
        let Next::Range(slow, _) = space.next(10) else { panic!("a range") };
        assert_eq!(space.next(10), Next::Wait, "nothing is known yet");
        space.advance(slow, ObjectId(u128::MAX / 2), 1_000);
        let Next::Range(_, taken) = space.next(10) else { panic!("a cut") };
        assert_eq!((taken.range.from, taken.range.to), (space.end(slow), None));
    }

    #[test]
    fn a_range_that_is_nearly_done_is_left_alone() {
        let mut space = Keyspace::new(&[ALL], 1);
        let Next::Range(claim, _) = space.next(10) else { panic!("a range") };
        space.advance(claim, ObjectId(u128::MAX - 1_000), 1_000);
        assert_eq!(space.next(10), Next::Wait);
        space.finish(claim);
        assert_eq!(space.next(10), Next::Done);
    }

    /// Reads a set of ids with simulated workers, in an order given by `turns`; returns what was read and covered.
    fn read(ids: &BTreeSet<u128>, workers: usize, page: u32, turns: &[usize]) -> (Vec<u128>, Vec<KeyRange>) {
        let mut space = Keyspace::new(&[ALL], workers);
        let mut claims: Vec<Option<(Hold, KeyRange)>> = vec![None; workers];
        let (mut got, mut covered) = (Vec::new(), Vec::new());
        for turn in turns.iter().copied().chain((0..).map(|i| i % workers)) {
            let worker = turn % workers;
            let Some((claim, range)) = claims[worker] else {
                match space.next(page) {
                    Next::Range(claim, stretch) => claims[worker] = Some((claim, stretch.range)),
                    Next::Done => break,
                    Next::Wait => {}
                }
                continue;
            };
            let after = range.from;
            let mut objects: Vec<u128> =
                ids.iter().copied().filter(|i| after.is_none_or(|a| *i > a.0)).take(page as usize).collect();
            let short = objects.len() < page as usize;
            let end = space.end(claim);
            let whole = objects.len();
            objects.retain(|i| end.is_none_or(|e| *i <= e.0));
            got.extend(&objects);
            if short || objects.len() < whole {
                covered.push(space.finish(claim));
                claims[worker] = None;
            } else {
                let last = ObjectId(*objects.last().expect("a full page"));
                covered.push(space.advance(claim, last, objects.len() as u64));
                claims[worker] = Some((claim, KeyRange { from: Some(last), to: range.to }));
            }
        }
        (got, covered)
    }

    proptest! {
        #[test]
        fn every_id_is_read_once_and_every_key_covered_once(
            ids in prop::collection::btree_set(prop_oneof![any::<u128>(), 0_u128..500, (u128::MAX - 50)..=u128::MAX], 0..400),
            workers in 1_usize..6,
            page in 1_u32..20,
            turns in prop::collection::vec(0_usize..6, 0..200),
        ) {
            let (mut got, mut covered) = read(&ids, workers, page, &turns);
            got.sort_unstable();
            prop_assert_eq!(got, ids.into_iter().collect::<Vec<_>>());
            covered.sort_unstable_by_key(|r| (r.from, r.to.is_none(), r.to));
            prop_assert_eq!(covered[0].from, None);
            prop_assert_eq!(covered.last().expect("a range").to, None);
            prop_assert!(covered.windows(2).all(|w| w[0].meets(&w[1])), "{:?}", covered);
        }
    }
}
