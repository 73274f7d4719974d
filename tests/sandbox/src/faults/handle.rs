//! The switches of a running sandbox.

use std::time::Duration;

use super::{Change, Fault, Kind, apply};
use crate::state::Core;

/// Switches faults on and off while the sandbox runs.
#[derive(Debug, Clone, Copy)]
pub struct Faults<'a> {
    pub(crate) core: &'a Core,
}

impl Faults<'_> {
    /// Adds a rule. Rules are asked in the order they were added, and all that match strike.
    pub fn add(&self, fault: Fault) {
        self.core.plan.add(fault);
    }

    /// Takes every rule and every later change away; what has happened stays.
    pub fn clear(&self) {
        self.core.plan.clear();
    }

    /// How often any rule has struck so far.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.core.plan.struck()
    }

    /// Starts the draws of every `chance` anew.
    pub fn seed(&self, seed: u64) {
        self.core.plan.seed(seed);
    }

    /// A mix of faults that a client must live through, each with this chance in a thousand, drawn from the seed.
    pub fn mix(&self, seed: u64, per_mille: u64) {
        self.seed(seed);
        for kind in [
            Kind::too_many("0"),
            Kind::status(500, "internal error"),
            Kind::bad_gateway(),
            Kind::status(503, ""),
            Kind::AppliedThen { status: 504, body: "gateway timeout".to_owned() },
            Kind::ResetBefore,
            Kind::ResetAfter,
            Kind::Delay(Duration::from_millis(20)),
            Kind::Cut(100),
            Kind::CutCloseDelimited(100),
            Kind::Garbage("}garbage".to_owned()),
        ] {
            self.add(Fault::new(kind).chance(per_mille));
        }
    }

    /// `ready` says 503 to the next n calls, and lists say 404 meanwhile.
    pub fn not_ready(&self, calls: u64) {
        self.core.plan.set_not_ready(calls);
    }

    /// Something happens now.
    pub fn now(&self, change: &Change) {
        apply(self.core, change);
    }

    /// Something happens just before the n-th request of all, from 1.
    pub fn at(&self, request: u64, change: Change) {
        self.core.plan.at(request, change);
    }

    /// Something happens just before the n-th request from now, from 1.
    pub fn in_requests(&self, n: u64, change: Change) {
        self.core.plan.at(self.core.plan.requests() + n, change);
    }

    /// A node is gone and the others have noticed.
    pub fn node_down(&self, name: &str) {
        self.now(&Change::NodeDown(name.to_owned()));
    }

    /// A node is gone and nobody has noticed.
    pub fn node_unreachable(&self, name: &str) {
        self.now(&Change::NodeUnreachable(name.to_owned()));
    }

    /// A node is back and loading.
    pub fn node_loading(&self, name: &str) {
        self.now(&Change::NodeLoading(name.to_owned()));
    }

    /// A node is back; see [`Change::NodeUp`].
    pub fn node_up(&self, name: &str) {
        self.now(&Change::NodeUp(name.to_owned()));
    }

    /// A node's replica lacks an object: lists through that node leave it out, dry-run matches do not.
    pub fn lacks(&self, node: &str, class: &str, id: &str) {
        self.now(&Change::Lacks(class.to_owned(), id.to_owned(), node.to_owned()));
    }

    /// The vector of an object holds NaN: pages and reads with vectors that hold it are 200 with an empty body.
    pub fn unprintable(&self, class: &str, id: &str) {
        self.now(&Change::Unprintable(class.to_owned(), id.to_owned()));
    }
}
