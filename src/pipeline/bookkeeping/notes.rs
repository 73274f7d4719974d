//! What is written down of runs of ids that are under way: which stretches of them the server has judged, so that an
//! attempt that fails, or is killed, loses next to nothing of what it did.

use std::collections::BTreeMap;
use std::time::Duration;

use super::filled::Filled;
use crate::model::{KeyRange, ObjectId};

/// The least time between two notes of what is under way.
const LEAST_APART: Duration = Duration::from_millis(500);
/// Notes are at most this share of the time that a run takes apart: a kill costs half a percent of it, and the number of
/// notes grows with its logarithm.
const SHARE: u32 = 200;

/// Pieces of a run that gather before those that meet are joined; then at twice as many, if that did not help.
const MANY_PIECES: usize = 256;

/// What an earlier attempt did of a run of ids that it did not finish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Partly {
    /// The stretches that need not be sent again, in order; they do not overlap.
    pub(crate) ranges: Vec<KeyRange>,
    /// What became of their objects.
    pub(crate) filled: Filled,
}

/// A stretch of a run, and what became of its objects.
pub(crate) type Piece = (KeyRange, Filled);

/// A run that is under way.
#[derive(Debug, Default)]
struct UnderWay {
    /// Judged in this attempt and not noted yet.
    pieces: Vec<Piece>,
    /// Judged in this attempt, noted or not.
    now: Filled,
    /// Objects that earlier attempts have dealt with.
    before: u64,
    /// Whether anything of it is noted.
    noted: bool,
}

/// A run that was judged to its end.
#[derive(Debug, PartialEq)]
pub(crate) struct Over {
    /// What became of its objects in this attempt.
    pub(crate) now: Filled,
    /// What is to be written down: one piece, or several where some are written down already.
    pub(crate) pieces: Vec<Piece>,
}

/// The runs under way, by their places, and when they were noted last.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    open: BTreeMap<usize, UnderWay>,
    last: Option<Duration>,
}

impl Notes {
    /// Begins with what earlier attempts did.
    pub(crate) fn after(partly: &BTreeMap<usize, Partly>) -> Self {
        let begun = |partly: &Partly| UnderWay { before: partly.filled.objects, noted: true, ..UnderWay::default() };
        Self { open: partly.iter().map(|(at, partly)| (*at, begun(partly))).collect(), last: None }
    }

    /// Takes a stretch of the run at a place, which holds `objects` in all; gives the run if that was the last of it.
    pub(crate) fn take(&mut self, at: usize, whole: KeyRange, objects: u64, piece: Piece) -> Option<Over> {
        let run = self.open.entry(at).or_default();
        run.now = run.now.plus(piece.1);
        run.pieces.push(piece);
        if run.pieces.len() >= MANY_PIECES && run.pieces.len().is_power_of_two() {
            run.pieces = joined(std::mem::take(&mut run.pieces));
        }
        if run.before + run.now.objects != objects {
            return None;
        }
        let run = self.open.remove(&at)?;
        let pieces = if run.noted { joined(run.pieces) } else { vec![(whole, run.now)] };
        Some(Over { now: run.now, pieces })
    }

    /// What is to be noted now, `elapsed` since the attempt began, by the place of its run; nothing if it is too early.
    pub(crate) fn due(&mut self, elapsed: Duration) -> Vec<(usize, Piece)> {
        let apart = LEAST_APART.max(elapsed / SHARE);
        if self.last.is_some_and(|last| elapsed.saturating_sub(last) < apart) {
            return Vec::new();
        }
        self.last = Some(elapsed);
        self.all()
    }

    /// All that is not noted yet.
    pub(crate) fn all(&mut self) -> Vec<(usize, Piece)> {
        let mut all = Vec::new();
        for (at, run) in self.open.iter_mut().filter(|(_, run)| !run.pieces.is_empty()) {
            run.noted = true;
            all.extend(joined(std::mem::take(&mut run.pieces)).into_iter().map(|piece| (*at, piece)));
        }
        all
    }
}

/// Pieces in order, with those that meet made one.
fn joined(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_unstable_by_key(|(covers, _)| covers.from);
    let mut all: Vec<Piece> = Vec::new();
    for (covers, filled) in pieces {
        match all.last_mut() {
            Some((last, sum)) if last.meets(&covers) => {
                last.to = covers.to;
                *sum = sum.plus(filled);
            }
            _ => all.push((covers, filled)),
        }
    }
    all
}

/// Joins ranges inside `whole`; `None` if they overlap or reach beyond it.
pub(crate) fn in_order(mut ranges: Vec<KeyRange>, whole: KeyRange) -> Option<Vec<KeyRange>> {
    ranges.sort_unstable_by_key(|range| range.from);
    let mut all: Vec<KeyRange> = Vec::new();
    for range in ranges {
        let inside = (whole.from.is_none() || range.from >= whole.from) && !ends_behind(range.to, whole.to);
        let behind = |last: &KeyRange| last.to.is_some() && range.from.is_some() && last.to <= range.from;
        if !inside || !all.last().is_none_or(behind) {
            return None;
        }
        match all.last_mut() {
            Some(last) if last.meets(&range) => last.to = range.to,
            _ => all.push(range),
        }
    }
    Some(all)
}

/// Whether an upper bound lies behind another one; `None` is the very end.
fn ends_behind(one: Option<ObjectId>, other: Option<ObjectId>) -> bool {
    match (one, other) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(one), Some(other)) => one > other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: u128, to: u128) -> KeyRange {
        let edge = |at: u128| (at > 0 && at < 99).then_some(ObjectId(at));
        KeyRange { from: edge(from), to: edge(to) }
    }

    fn of(objects: u64) -> Filled {
        Filled { objects, ..Filled::default() }
    }

    #[test]
    fn a_run_that_is_judged_in_one_go_is_one_record() {
        let mut notes = Notes::default();
        assert_eq!(notes.take(3, range(0, 99), 30, (range(0, 10), of(10))), None);
        assert_eq!(notes.take(3, range(0, 99), 30, (range(20, 99), of(10))), None);
        let over = notes.take(3, range(0, 99), 30, (range(10, 20), of(10)));
        assert_eq!(over, Some(Over { now: of(30), pieces: vec![(range(0, 99), of(30))] }));
        assert!(notes.all().is_empty());
    }

    #[test]
    fn what_is_under_way_is_noted_once_and_the_rest_at_the_end() {
        let mut notes = Notes::default();
        let second = Duration::from_secs(1);
        notes.take(3, range(0, 99), 40, (range(0, 10), of(10)));
        assert_eq!(notes.due(Duration::ZERO), [(3, (range(0, 10), of(10)))], "the first at once");
        notes.take(3, range(0, 99), 40, (range(20, 30), of(10)));
        assert!(notes.due(LEAST_APART / 2).is_empty(), "too early");
        assert_eq!(notes.due(second), [(3, (range(20, 30), of(10)))]);
        assert!(notes.due(2 * second).is_empty(), "nothing new");
        notes.take(3, range(0, 99), 40, (range(10, 20), of(10)));
        let over = notes.take(3, range(0, 99), 40, (range(30, 99), of(10)));
        let pieces = vec![(range(10, 20), of(10)), (range(30, 99), of(10))];
        assert_eq!(over, Some(Over { now: of(40), pieces }));
    }

    #[test]
    fn an_attempt_ends_what_others_began() {
        let partly = [(3, Partly { ranges: vec![range(0, 10)], filled: of(10) })].into();
        let mut notes = Notes::after(&partly);
        assert!(notes.all().is_empty());
        let over = notes.take(3, range(0, 99), 20, (range(10, 99), of(10)));
        assert_eq!(over, Some(Over { now: of(10), pieces: vec![(range(10, 99), of(10))] }));
    }

    #[test]
    fn the_number_of_notes_grows_with_the_logarithm_of_the_time() {
        let mut notes = Notes::default();
        let (mut taken, step) = (0, Duration::from_millis(500));
        for n in 0..172_800_u32 {
            let [from, to] = [n, n + 1].map(|at| Some(ObjectId(at.into())));
            notes.take(0, KeyRange::ALL, u64::MAX, (KeyRange { from, to }, of(1)));
            taken += notes.due(step * n).len();
        }
        assert!((1_000..2_000).contains(&taken), "{taken} in a day");
    }

    #[test]
    fn ranges_that_overlap_or_reach_beyond_are_no_progress() {
        let whole = range(5, 50);
        assert_eq!(in_order(vec![range(20, 30), range(5, 10), range(10, 20)], whole), Some(vec![range(5, 30)]));
        assert_eq!(in_order(vec![range(40, 50), range(5, 10)], whole), Some(vec![range(5, 10), range(40, 50)]));
        for bad in [
            vec![range(5, 11), range(10, 20)],
            vec![range(4, 10)],
            vec![range(0, 10)],
            vec![range(40, 51)],
            vec![range(40, 99)],
        ] {
            assert_eq!(in_order(bad.clone(), whole), None, "{bad:?}");
        }
        assert_eq!(in_order(vec![range(0, 99)], KeyRange::ALL), Some(vec![KeyRange::ALL]));
        assert_eq!(in_order(vec![KeyRange::ALL, range(10, 20)], KeyRange::ALL), None);
    }
}
