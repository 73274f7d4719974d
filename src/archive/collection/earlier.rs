//! Where runs stood before pages of a higher mark joined them, so that what falls into doubt is taken back and no more.

use std::collections::{BTreeMap, VecDeque};

use super::super::index::Run;
use super::super::part::RunKey;
use super::super::runs::Kept;
use crate::model::VectorLengths;

/// States kept of one run. A question follows an answer, so what is in doubt has one of the last two marks.
const STATES_A_RUN: usize = 3;
/// A run whose highest mark is lower than the highest of all by more than this is proven.
const MARKS_OPEN: u64 = 2;

/// A run as it was, and the highest mark of what it held then.
#[derive(Debug, Clone)]
pub(super) struct Earlier {
    pub(super) run: Run,
    pub(super) mark: u64,
    pub(super) lengths: VectorLengths,
}

/// The earlier states of one run.
#[derive(Debug, Default)]
struct States {
    earlier: VecDeque<Earlier>,
    /// The mark of what joined last: the run's own.
    joined: u64,
}

/// Earlier states of the runs that grew lately.
#[derive(Debug, Default)]
pub(super) struct Growth {
    of: BTreeMap<RunKey, States>,
    /// The highest mark seen.
    highest: u64,
}

impl Growth {
    /// A stretch with this mark is about to join a run.
    pub(super) fn joins(&mut self, key: &RunKey, kept: &Kept, mark: u64) {
        if mark <= kept.mark {
            return;
        }
        if mark > self.highest {
            self.highest = mark;
            self.of.retain(|_, states| states.joined + MARKS_OPEN >= mark);
        }
        let states = self.of.entry(key.clone()).or_default();
        states.joined = mark;
        if states.earlier.len() == STATES_A_RUN {
            states.earlier.pop_front();
        }
        states.earlier.push_back(Earlier { run: kept.run.clone(), mark: kept.mark, lengths: kept.lengths.clone() });
    }

    /// The run as it was when it held nothing of this mark or a higher one; `None` if it never was, or if that is forgotten.
    pub(super) fn before(&self, key: &RunKey, mark: u64) -> Option<Earlier> {
        self.of.get(key)?.earlier.iter().rev().find(|earlier| earlier.mark < mark).cloned()
    }

    /// Forgets a run.
    pub(super) fn forget(&mut self, key: &RunKey) {
        self.of.remove(key);
    }
}
